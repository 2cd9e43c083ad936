//! The two AWS that nobody here can bend: each is driven by the real SDK over real HTTP.
//!
//! A scenario sees only an endpoint and credentials, so that it cannot know which of the two it runs against.

use std::process::Stdio;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sandbox::{Options, Sandbox};
use tokio::process::{Child, Command};

use crate::harness::{free_port, get, tool, until};

/// Each scenario becomes two tests: one before the sandbox, one before ministack as it is started here.
macro_rules! before_both {
    ($ministack:ident: $($name:ident)+) => {
        mod sandbox {
            use crate::referee::Referee;
            $(#[tokio::test] async fn $name() { super::$name(Referee::sandbox().await).await; })+
        }
        mod ministack {
            use crate::referee::Referee;
            $(#[tokio::test] async fn $name() { super::$name(Referee::$ministack().await).await; })+
        }
    };
}
pub(crate) use before_both;

/// An AWS to run a scenario against.
pub struct Referee {
    /// Where it answers.
    pub url: String,
    /// Somebody who may do everything in the account.
    pub credentials: Credentials,
    kept: Kept,
}

enum Kept {
    Sandbox(Sandbox),
    Ministack {
        _process: Child,
    },
    /// By the referee that this is a view of.
    Elsewhere,
}

/// Whether ministack looks at signatures, policies and trust.
#[derive(Clone, Copy)]
enum Checks {
    Nothing,
    Everything,
}

pub const ACCOUNT: &str = "111122223333";

impl Referee {
    /// The sandbox of this project.
    pub async fn sandbox() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let credentials = credentials_of(&sandbox);
        Self { url: sandbox.url(), credentials, kept: Kept::Sandbox(sandbox) }
    }

    /// An emulator that nobody here wrote. It takes an access key of twelve digits for the account.
    pub async fn ministack() -> Self {
        Self::ministack_that_checks(Checks::Nothing).await
    }

    /// The same, checking signatures, the rights of users and sessions, and whom trust policies let in.
    pub async fn strict_ministack() -> Self {
        Self::ministack_that_checks(Checks::Everything).await
    }

    async fn ministack_that_checks(checks: Checks) -> Self {
        let port = free_port();
        let process = Command::new(tool("ministack"))
            .env("AUTH", matches!(checks, Checks::Everything).to_string())
            // What the administrators of its accounts sign with.
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SESSION_TOKEN")
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
        Self { url, credentials: administrator(ACCOUNT), kept: Kept::Ministack { _process: process } }
    }

    /// The same AWS, seen by somebody who may do everything in another account. Holds nothing: keep the referee.
    pub fn in_account(&self, account: &str) -> Self {
        let credentials = match &self.kept {
            Kept::Sandbox(sandbox) => sdk_credentials(sandbox.account(account).credentials()),
            Kept::Ministack { .. } | Kept::Elsewhere => administrator(account),
        };
        Self { url: self.url.clone(), credentials, kept: Kept::Elsewhere }
    }

    /// A command that talks to this AWS.
    pub fn give(&self, mut command: Command) -> Command {
        command
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", self.credentials.access_key_id())
            .env("AWS_SECRET_ACCESS_KEY", self.credentials.secret_access_key());
        if let Some(token) = self.credentials.session_token() {
            command.env("AWS_SESSION_TOKEN", token);
        }
        command
    }

    /// The sandbox, where this is one.
    pub fn as_sandbox(&self) -> Option<&Sandbox> {
        match &self.kept {
            Kept::Sandbox(sandbox) => Some(sandbox),
            Kept::Ministack { .. } | Kept::Elsewhere => None,
        }
    }
}

/// Whom ministack takes for the root of an account.
fn administrator(account: &str) -> Credentials {
    Credentials::new(account, "secret", None, None, "test")
}

/// The default identity of the account, in the SDK's type.
pub fn credentials_of(sandbox: &Sandbox) -> Credentials {
    sdk_credentials(sandbox.account(ACCOUNT).credentials())
}

/// Credentials of the sandbox in the SDK's type.
pub fn sdk_credentials(from: aws_sandbox::Credentials) -> Credentials {
    Credentials::new(from.access_key_id, from.secret_access_key, from.session_token, None, "test")
}
