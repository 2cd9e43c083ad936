//! The two AWS that nobody here can bend: each is driven by the real SDK over real HTTP.
//!
//! A scenario sees only an endpoint and credentials, so that it cannot know which of the two it runs against.

use std::process::Stdio;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sandbox::{Options, Sandbox};
use tokio::process::{Child, Command};

use crate::harness::{free_port, get, tool, until};

/// An AWS to run a scenario against.
pub struct Referee {
    /// Where it answers.
    pub url: String,
    /// Somebody who may do everything in the account.
    pub credentials: Credentials,
    _kept: Kept,
}

enum Kept {
    Sandbox { _sandbox: Sandbox },
    Ministack { _process: Child },
}

pub const ACCOUNT: &str = "111122223333";

impl Referee {
    /// The sandbox of this project.
    pub async fn sandbox() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let credentials = credentials_of(&sandbox);
        Self { url: sandbox.url(), credentials, _kept: Kept::Sandbox { _sandbox: sandbox } }
    }

    /// An emulator that nobody here wrote. It takes an access key of twelve digits for the account.
    pub async fn ministack() -> Self {
        let port = free_port();
        let process = Command::new(tool("ministack"))
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let health = format!("{url}/_ministack/health");
        until("ministack answers", Duration::from_secs(30), async || get(&health).await.is_ok_and(|answer| answer.status == 200))
            .await;
        let credentials = Credentials::new(ACCOUNT, "secret", None, None, "test");
        Self { url, credentials, _kept: Kept::Ministack { _process: process } }
    }
}

/// The default identity of the account, in the SDK's type.
pub fn credentials_of(sandbox: &Sandbox) -> Credentials {
    sdk_credentials(sandbox.account(ACCOUNT).credentials())
}

/// Credentials of the sandbox in the SDK's type.
pub fn sdk_credentials(from: aws_sandbox::Credentials) -> Credentials {
    Credentials::new(from.access_key_id, from.secret_access_key, from.session_token, None, "test")
}
