//! The real program as a child. Gone when dropped.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws_sandbox::Sandbox;

use crate::cast::OWN;
use crate::figures::Sample;

/// How long an answer may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program.
pub(crate) struct Controller {
    child: Child,
    address: String,
}

impl Controller {
    /// Starts it with the shortest interval there is, and nothing of this machine's AWS set-up in its environment. At that pace the
    /// sabotage would pass for a fight, and each look for too many calls.
    pub(crate) fn start(sandbox: &Sandbox, config: &Path, log: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let credentials = sandbox.account(OWN).credentials();
        let child = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"))
            .args(["run", "--interval", "1s", "--rival-window", "1s", "--aws-rps", "100", "--listen", &address, "--config"])
            .arg(config)
            .env_clear()
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL", sandbox.url())
            .env("AWS_ACCESS_KEY_ID", credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default())
            .stdin(Stdio::null())
            .stderr(File::create(log).unwrap())
            .spawn()
            .unwrap();
        Self { child, address }
    }

    /// Has the document looked at now.
    pub(crate) fn reload(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// What people and Prometheus look at.
    pub(crate) fn look(&self) {
        for page in ["/metrics", "/api/v1/status", "/livez"] {
            let _ = self.get(page);
        }
    }

    /// The body of a page, `None` when nobody answers.
    pub(crate) fn get(&self, page: &str) -> Option<String> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        write!(stream, "GET {page} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
    }

    /// What it holds right now.
    pub(crate) fn sample(&self) -> Sample {
        let process = format!("/proc/{}", self.child.id());
        let status = std::fs::read_to_string(format!("{process}/status")).unwrap();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        let kilobytes = resident.trim().trim_end_matches(" kB").parse().unwrap();
        // One that is closed while they are read is not there.
        let links = std::fs::read_dir(format!("{process}/fd")).unwrap().flatten();
        let (sockets, others): (Vec<_>, Vec<_>) = links
            .filter_map(|link| std::fs::read_link(link.path()).ok())
            .partition(|link| link.to_string_lossy().starts_with("socket:"));
        Sample { kilobytes, sockets: sockets.len(), other_files: others.len() }
    }

    /// Whether it is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
