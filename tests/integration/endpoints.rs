//! How AWS is reached: endpoints from the environment, and the certificate authorities of `AWS_CA_BUNDLE`.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_sandbox::{Options, Sandbox};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

use crate::binary::{at, config, dhmc, output};
use crate::harness::free_port;

const SPEC: &str = "{regions: {us-east-1: enabled}}";

#[tokio::test]
async fn an_endpoint_of_its_own_for_a_service_comes_before_the_one_for_all() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), SPEC);
    let mut command = at(dhmc(&["run", "--once", "--config", &config]), &sandbox);
    command.env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", free_port()));
    for service in ["SSM", "IAM", "STS"] {
        command.env(format!("AWS_ENDPOINT_URL_{service}"), sandbox.url());
    }
    let (code, log) = output(command).await;
    assert_eq!(code, Some(0), "{log}");
}

/// A certificate authority as PEM, and a TLS door in front of an address with a certificate of that authority.
pub async fn tls_door(behind: SocketAddr) -> (String, u16) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let tls = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(tls)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut client = acceptor.accept(client).await?;
                let mut server = TcpStream::connect(behind).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    (authority.pem(), port)
}

#[tokio::test]
async fn aws_ca_bundle_is_trusted_and_without_it_the_same_server_is_not() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (authority, port) = tls_door(sandbox.addr()).await;
    let folder = tempfile::tempdir().unwrap();
    let (config, bundle) = (config(folder.path(), SPEC), folder.path().join("ca.pem"));
    std::fs::write(&bundle, authority).unwrap();
    let run = || {
        let mut command = at(dhmc(&["run", "--once", "--config", &config]), &sandbox);
        command.env("AWS_ENDPOINT_URL", format!("https://localhost:{port}"));
        command
    };
    let mut trusting = run();
    trusting.env("AWS_CA_BUNDLE", &bundle);
    let (code, log) = output(trusting).await;
    assert_eq!(code, Some(0), "{log}");

    // The first attempt tells; there is no need to wait for the end of the pass's patience.
    let mut child = run().spawn().unwrap();
    let told = crate::binary::line_with(&mut child, "GetCallerIdentity").await;
    assert!(told.contains("UnknownIssuer"), "{told}");
}
