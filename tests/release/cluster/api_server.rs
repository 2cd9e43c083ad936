//! A real kube-apiserver on loopback, with etcd, TLS and RBAC.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use kube::api::{DynamicObject, PostParams};
use kube::core::GroupVersionKind;
use kube::discovery::ApiResource;
use kube::{Api, Client, Config};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use super::{DEADLINE, shipped};

const ADMINISTRATOR: &str = "the-administrators-token";
const CONTROLLER: &str = "the-controllers-token";

/// One change of the lease's holder, or one renewal, as the lease itself tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub since: Timestamp,
    pub holder: String,
}

/// An API server that ends with the test.
pub struct ApiServer {
    pub port: u16,
    folder: TempDir,
    administrator: Client,
    pub namespace: String,
    terms: Arc<Mutex<Vec<Term>>>,
    renewals: Arc<Mutex<Vec<Term>>>,
    _processes: [Process; 2],
}

/// A program that ends with the test, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A program whose output goes to a file beside its data.
fn start(program: &Path, arguments: &[String], log: &Path) -> Process {
    let log = std::fs::File::create(log).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    Process(command.spawn().unwrap_or_else(|error| panic!("{}: {error}; run `make release-tools`", program.display())))
}

impl ApiServer {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        let (etcd, peers, port) = (free_port(), free_port(), free_port());
        let (namespace, account) = shipped::subject();
        certificates(folder.path());
        let tokens = format!(
            "{ADMINISTRATOR},administrator,1,\"system:masters\"\n\
             {CONTROLLER},system:serviceaccount:{namespace}:{account},2,\"system:serviceaccounts,system:authenticated\"\n"
        );
        std::fs::write(path("tokens.csv"), tokens).unwrap();
        let etcd_arguments = [
            format!("--data-dir={}", text("etcd")),
            "--unsafe-no-fsync".to_owned(),
            format!("--listen-client-urls=http://127.0.0.1:{etcd}"),
            format!("--advertise-client-urls=http://127.0.0.1:{etcd}"),
            format!("--listen-peer-urls=http://127.0.0.1:{peers}"),
            format!("--initial-advertise-peer-urls=http://127.0.0.1:{peers}"),
            format!("--initial-cluster=default=http://127.0.0.1:{peers}"),
        ];
        let arguments = [
            format!("--etcd-servers=http://127.0.0.1:{etcd}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--tls-cert-file={}", text("server.pem")),
            format!("--tls-private-key-file={}", text("server.key")),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            format!("--service-account-key-file={}", text("server.pem")),
            format!("--service-account-signing-key-file={}", text("server.key")),
            format!("--token-auth-file={}", text("tokens.csv")),
            "--authorization-mode=RBAC".to_owned(),
            "--service-cluster-ip-range=10.99.0.0/24".to_owned(),
            "--disable-admission-plugins=ServiceAccount".to_owned(),
        ];
        let server = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/tools/bin/kube-apiserver"));
        let processes = [
            start(Path::new("etcd"), &etcd_arguments, &path("etcd.log")),
            start(&server, &arguments, &path("kube-apiserver.log")),
        ];
        std::fs::write(path("administrator.yaml"), kubeconfig(folder.path(), port, ADMINISTRATOR, &namespace)).unwrap();
        let administrator = client(&path("administrator.yaml")).await;
        let started = Self {
            port,
            administrator,
            namespace,
            terms: Arc::default(),
            renewals: Arc::default(),
            _processes: processes,
            folder,
        };
        started.until_it_answers().await;
        // `default` makes itself, when it has the time.
        if started.namespace != "default" {
            started.create_namespace(&started.namespace).await;
        }
        started.watch_the_lease();
        started
    }

    async fn until_it_answers(&self) {
        let end = tokio::time::Instant::now() + DEADLINE;
        while let Err(error) = self.administrator.apiserver_version().await {
            let log = std::fs::read_to_string(self.folder.path().join("kube-apiserver.log")).unwrap();
            assert!(tokio::time::Instant::now() < end, "the API server does not answer: {error:?}\n{log}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// For a replica that comes through this port.
    pub fn kubeconfig(&self, port: u16) -> String {
        kubeconfig(self.folder.path(), port, CONTROLLER, &self.namespace)
    }

    /// For a replica that may do everything, in another namespace.
    pub fn administrators_kubeconfig(&self, port: u16, namespace: &str) -> String {
        kubeconfig(self.folder.path(), port, ADMINISTRATOR, namespace)
    }

    pub async fn create_namespace(&self, name: &str) {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
        let namespaces: Api<DynamicObject> = Api::all_with(self.administrator.clone(), &kind);
        namespaces.create(&PostParams::default(), &DynamicObject::new(name, &kind)).await.unwrap();
    }

    /// Creates the Role and the `RoleBinding` that ship, as they are.
    pub async fn allow_what_ships(&self) {
        for manifest in shipped::rights() {
            let kind = manifest["kind"].as_str().unwrap();
            let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("rbac.authorization.k8s.io", "v1", kind));
            let api: Api<DynamicObject> = Api::namespaced_with(self.administrator.clone(), &self.namespace, &kind);
            let object: DynamicObject = serde_json::from_value(manifest).unwrap();
            api.create(&PostParams::default(), &object).await.unwrap();
        }
    }

    fn leases(&self) -> Api<DynamicObject> {
        let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("coordination.k8s.io", "v1", "Lease"));
        Api::namespaced_with(self.administrator.clone(), &self.namespace, &kind)
    }

    /// Who holds the lease now; nobody is empty.
    pub async fn holder(&self) -> String {
        let lease = self.leases().get("dhmc-controller").await.unwrap();
        lease.data["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned()
    }

    /// Everybody who has held the lease so far.
    pub fn terms(&self) -> Vec<Term> {
        self.terms.lock().unwrap().clone()
    }

    /// Every renewal so far, by the clock of whoever made it, which is this machine's.
    pub fn renewals(&self) -> Vec<Term> {
        self.renewals.lock().unwrap().clone()
    }

    /// Far more often than the lease can change hands.
    fn watch_the_lease(&self) {
        let (leases, terms, renewals) = (self.leases(), Arc::clone(&self.terms), Arc::clone(&self.renewals));
        tokio::spawn(async move {
            let mut turn = tokio::time::interval(Duration::from_millis(100));
            loop {
                turn.tick().await;
                let Ok(Some(lease)) = leases.get_opt("dhmc-controller").await else { continue };
                let spec = &lease.data["spec"];
                let holder = spec["holderIdentity"].as_str().unwrap_or_default();
                for (field, seen) in [("acquireTime", &terms), ("renewTime", &renewals)] {
                    let Some(since) = spec[field].as_str() else { continue };
                    let term = Term { since: since.parse().unwrap(), holder: holder.to_owned() };
                    let mut seen = seen.lock().unwrap();
                    if !holder.is_empty() && seen.last() != Some(&term) {
                        seen.push(term);
                    }
                }
            }
        });
    }
}

/// A certificate authority, and the API server's certificate by it.
fn certificates(folder: &Path) {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    std::fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}

fn kubeconfig(folder: &Path, port: u16, token: &str, namespace: &str) -> String {
    let authority = folder.join("ca.pem");
    let authority = authority.display();
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters: [{{name: test, cluster: {{server: \"https://127.0.0.1:{port}\", certificate-authority: \"{authority}\"}}}}]\n\
         users: [{{name: test, user: {{token: \"{token}\"}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: test, namespace: \"{namespace}\"}}}}]\n"
    )
}

async fn client(kubeconfig: &Path) -> Client {
    let file = kube::config::Kubeconfig::read_from(kubeconfig).unwrap();
    Client::try_from(Config::from_custom_kubeconfig(file, &kube::config::KubeConfigOptions::default()).await.unwrap()).unwrap()
}
