//! Replicas as processes of their own, each with a way to the API server that can be cut, and an identity in AWS of its own.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use aws_sandbox::{Options, Sandbox};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::api_server::ApiServer;
use super::{DEADLINE, until};

const ACCOUNT: &str = "111122223333";
const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];
const DOCUMENT: &str = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\n\
    spec: {regions: {us-east-1: enabled, eu-west-1: enabled, ap-south-1: enabled}}\n";
/// What `TIMES` say.
pub const LEASE: Duration = Duration::from_secs(5);
const RENEW: Duration = Duration::from_secs(3);
pub const RETRY: Duration = Duration::from_secs(1);
/// What a write that was begun in time may take to arrive. Half of what the lease leaves it.
const ARRIVAL: Duration = Duration::from_secs(1);
/// As short as the flags allow.
const TIMES: [&str; 6] = [
    "--leader-elect-lease-duration=5s",
    "--leader-elect-renew-deadline=3s",
    "--leader-elect-retry-period=1s",
    "--interval=1s",
    "--rival-corrections=1000000",
    "--aws-rps=off",
];

/// AWS, and somebody who undoes every setting again and again, so that whoever leads is always writing.
pub struct Stage {
    pub sandbox: Sandbox,
    folder: TempDir,
    saboteur: AbortHandle,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.saboteur.abort();
    }
}

pub struct Replica {
    name: &'static str,
    address: String,
    log: PathBuf,
    process: Child,
    is_connected: watch::Sender<bool>,
}

impl Stage {
    pub async fn new() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dhmc.yaml"), DOCUMENT).unwrap();
        let account = sandbox.account(ACCOUNT);
        let saboteur = tokio::spawn(async move {
            let mut turn = tokio::time::interval(Duration::from_millis(200));
            loop {
                for region in REGIONS {
                    turn.tick().await;
                    account.reset_setting(region, "arn:aws:iam::111122223333:user/mallory");
                }
            }
        });
        Self { sandbox, folder, saboteur: saboteur.abort_handle() }
    }

    pub async fn replica(&self, name: &'static str, api: &ApiServer) -> Replica {
        self.replica_by(name, api, |port| api.kubeconfig(port)).await
    }

    /// A replica that is told otherwise how to reach the API server, by way of a port.
    pub async fn replica_by(&self, name: &'static str, api: &ApiServer, kubeconfig: impl FnOnce(u16) -> String) -> Replica {
        let (port, is_connected) = way_to(api.port).await;
        let text = kubeconfig(port);
        let (kubeconfig, log) = (self.folder.path().join(format!("{name}.yaml")), self.folder.path().join(format!("{name}.log")));
        std::fs::write(&kubeconfig, text).unwrap();
        // A port that was free a moment ago.
        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let credentials = self.sandbox.account(ACCOUNT).identity(&format!("user/{name}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"));
        command.args(["run", "--leader-elect", "--instance", name, "--listen", &address.to_string()]).args(TIMES);
        command.arg("--config").arg(self.folder.path().join("dhmc.yaml"));
        command.env_clear().env("KUBECONFIG", kubeconfig).env("AWS_ENDPOINT_URL", self.sandbox.url());
        command.env("AWS_ACCESS_KEY_ID", credentials.access_key_id).env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key);
        command.env("AWS_EC2_METADATA_DISABLED", "true").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap());
        Replica { name, address: address.to_string(), log, process: command.spawn().unwrap(), is_connected }
    }

    /// How often a replica has written.
    pub fn writes_of(&self, name: &str) -> usize {
        self.sandbox.journal().writes().iter().filter(|call| call.principal.ends_with(&format!("/{name}"))).count()
    }

    /// How often anybody has written in a region.
    pub fn writes_in(&self, region: &str) -> usize {
        self.sandbox.journal().writes().iter().filter(|call| call.region == region).count()
    }

    /// Waits until a replica writes once more.
    pub async fn until_writes(&self, replica: &Replica) {
        let before = self.writes_of(replica.name);
        until(&format!("{} writes", replica.name), async || self.writes_of(replica.name) > before).await;
    }

    /// Holds every write in the journal against who held the lease then, and against how long ago the writer had renewed it. Tells how many
    /// have held it.
    pub async fn assert_only_holders_wrote(&self, api: &ApiServer) -> usize {
        let holder = api.holder().await;
        until("the last term is known", async || api.terms().last().is_some_and(|term| term.holder == holder)).await;
        let terms = api.terms();
        for write in self.sandbox.journal().writes() {
            let term =
                terms.iter().rfind(|term| term.since <= write.at).unwrap_or_else(|| panic!("before the first term: {write:?}"));
            let writer = write.principal.rsplit('/').next().unwrap();
            assert!(term.holder.starts_with(&format!("{writer}_")), "{write:?}\nin {term:?}\nof {terms:#?}");
            let renewals = api.renewals();
            let renewal = renewals.iter().rfind(|renewal| renewal.holder == term.holder && renewal.since <= write.at).unwrap();
            let age = Duration::try_from(write.at.duration_since(renewal.since)).unwrap();
            assert!(age <= RENEW + ARRIVAL, "{age:?} after the last renewal: {write:?}\nof {terms:#?}");
        }
        terms.len()
    }
}

impl Replica {
    /// The body of an answer; `None` where there is none, or it is a refusal.
    async fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).await.ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address);
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
    }

    pub async fn leads(&self) -> bool {
        self.get("/metrics").await.is_some_and(|metrics| metrics.lines().any(|line| line == "dhmc_leader 1"))
    }

    pub async fn leader(&self) -> Option<String> {
        let status: serde_json::Value = serde_json::from_str(&self.get("/api/v1/status").await?).unwrap();
        status["leader"].as_str().map(str::to_owned)
    }

    pub async fn is_ready(&self) -> bool {
        self.get("/readyz").await.is_some()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    pub fn cut_off(&self) {
        self.is_connected.send_replace(false);
    }

    pub fn reconnect(&self) {
        self.is_connected.send_replace(true);
    }

    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Ends it as Kubernetes does.
    pub async fn terminate(&mut self) -> Option<i32> {
        self.signal("-TERM").await;
        tokio::time::timeout(DEADLINE, self.process.wait()).await.expect("it ends").unwrap().code()
    }

    /// Holds the whole process, as a machine that is put to sleep does. It answers nothing until it is let go on.
    pub async fn freeze(&self) {
        self.signal("-STOP").await;
    }

    pub async fn go_on(&self) {
        self.signal("-CONT").await;
    }

    async fn signal(&self, signal: &str) {
        let id = self.process.id().unwrap().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().await.unwrap().success());
    }
}

/// A way to a port that can be cut: then nothing comes through, and nobody is told.
async fn way_to(port: u16) -> (u16, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    let (sender, is_connected) = watch::channel(true);
    tokio::spawn(async move {
        loop {
            let (near, _) = listener.accept().await.unwrap();
            tokio::spawn(carry(near, port, is_connected.clone()));
        }
    });
    (own, sender)
}

async fn carry(mut near: TcpStream, port: u16, mut is_connected: watch::Receiver<bool>) {
    let _ = is_connected.wait_for(|is| *is).await;
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    let is_cut = async { is_connected.wait_for(|is| !*is).await.is_ok() };
    let was_cut = tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => false,
        cut = is_cut => cut,
    };
    if was_cut {
        // Both ends stay open, and silent.
        let _ = is_connected.wait_for(|is| *is).await;
    }
}
