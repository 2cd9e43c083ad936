//! How AWS is reached: endpoints from the environment, and the certificate authorities of `AWS_CA_BUNDLE`.

use aws_sandbox::{Options, Sandbox};

use crate::binary::{at, config, dhmc, output};
use crate::harness::free_port;
use crate::tls::tls_door;

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

#[tokio::test]
async fn aws_ca_bundle_is_trusted_and_without_it_the_same_server_is_not() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (authority, port) = tls_door("localhost", sandbox.addr()).await;
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
