//! A real DNS server that knows one name.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::engine::DEADLINE;

pub struct NameServer {
    /// Where it answers, on the port that every resolver asks.
    pub address: String,
    child: Child,
    log: PathBuf,
    _folder: tempfile::TempDir,
}

impl NameServer {
    /// Starts one to which the name is this machine, and nothing else is anything.
    pub async fn of(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        // All of 127.0.0.0/8 is this machine: an address of its own for each server.
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = format!("127.53.{high}.{}", low.max(1));
        let mut command = Command::new("/usr/sbin/dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--pid-file=",
            "--user=root",
            "--no-resolv",
            "--no-hosts",
        ]);
        command.args(["--bind-interfaces", "--log-queries", &format!("--log-facility={}", log.display())]);
        command.args([format!("--listen-address={address}"), format!("--address=/{name}/127.0.0.1")]);
        let child = command.spawn().expect("dnsmasq is missing: run `make release-tools`");
        let server = Self { address, child, log, _folder: folder };
        let end = Instant::now() + DEADLINE;
        while !server.said().contains("started") {
            assert!(Instant::now() < end, "{}", server.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// Its log, with every question.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
