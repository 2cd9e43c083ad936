//! Credentials and external ids are shown to nobody: not by `{:?}`, not by a log at its finest, not by HTTP.

use std::sync::{Arc, Mutex};

use aws_sandbox::{Options, Sandbox};
use dhmc_controller::app::{self, App};
use dhmc_controller::aws::{AwsCloud, AwsOptions};
use dhmc_controller::cloud::{Caller, Cloud};
use dhmc_controller::desired::access::Access;
use dhmc_controller::desired::{self, DesiredState};
use dhmc_controller::metrics::{Metrics, TargetMetrics};
use dhmc_controller::reconcile::rivals::Rivalry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::binary::{at, config, dhmc, output};
use crate::harness::{Controller, DEADLINE, document, get, until};
use crate::referee::{ACCOUNT, credentials_of};

const PAYMENTS: &str = "222233334444";
const LEDGER: &str = "333344445555";
const SESAME: &str = "0pen-sesame-s3cr3t";
const GUESSED: &str = "0pen-barley-guess3d";

/// One account of the credentials, one reached by a role, and one whose role does not let anybody in.
fn spec() -> String {
    let role = |id: &str| format!("assumeRole: {{ name: dhmc-controller, externalId: {id} }}");
    format!(
        "{{regions: {{us-east-1: enabled}}, accounts: [{{id: '{ACCOUNT}'}}, {{id: '{PAYMENTS}', {}}}, {{id: '{LEDGER}', {}}}]}}",
        role(SESAME),
        role(GUESSED)
    )
}

/// The sandbox, and a wire to it that keeps what comes back.
struct Tapped {
    sandbox: Sandbox,
    url: String,
    answers: Arc<Mutex<Vec<u8>>>,
}

impl Tapped {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        sandbox.account(PAYMENTS).trust("dhmc-controller", "/", ACCOUNT, Some(SESAME));
        sandbox.account(LEDGER).trust("dhmc-controller", "/", ACCOUNT, Some("another"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answers, behind) = (Arc::new(Mutex::new(Vec::new())), sandbox.addr());
        let kept = Arc::clone(&answers);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (from_client, to_client) = client.into_split();
                let (from_aws, to_aws) = TcpStream::connect(behind).await.unwrap().into_split();
                tokio::spawn(pass_on(from_client, to_aws, None));
                tokio::spawn(pass_on(from_aws, to_client, Some(Arc::clone(&kept))));
            }
        });
        Self { sandbox, url, answers }
    }

    /// Everything that nobody may see, the keys of every session that was opened among it.
    fn secrets(&self) -> Vec<String> {
        let own = self.sandbox.account(ACCOUNT).credentials();
        let mut secrets = vec![SESAME.to_owned(), GUESSED.to_owned(), own.secret_access_key];
        secrets.push(own.session_token.expect("the sandbox's own identity is a session"));
        let answers = String::from_utf8_lossy(&self.answers.lock().unwrap()).into_owned();
        for element in ["SecretAccessKey", "SessionToken"] {
            let granted: Vec<String> = answers
                .split(&format!("<{element}>"))
                .skip(1)
                .filter_map(|rest| Some(rest.split_once("</")?.0.to_owned()))
                .collect();
            assert!(!granted.is_empty(), "no session was opened");
            secrets.extend(granted);
        }
        assert!(secrets.iter().all(|secret| secret.len() >= 16), "long enough not to be there by chance: {secrets:?}");
        secrets
    }

    fn assert_keeps_secrets(&self, text: &str) {
        for secret in self.secrets() {
            assert!(!text.contains(&secret), "`{secret}` is in: {text}");
        }
    }

    fn options(&self) -> AwsOptions {
        let credentials = Some(credentials_of(&self.sandbox));
        AwsOptions { endpoint_url: Some(self.url.clone()), credentials, ..AwsOptions::default() }
    }
}

async fn pass_on(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, kept: Option<Arc<Mutex<Vec<u8>>>>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Some(kept) = &kept {
            kept.lock().unwrap().extend_from_slice(&buffer[..length]);
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn no_log_holds_a_secret_however_fine_it_is() {
    let aws = Tapped::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), &spec());
    for format in ["json", "text"] {
        let arguments = ["run", "--once", "--log-level", "trace", "--log-format", format, "--config", &config];
        let mut command = at(dhmc(&arguments), &aws.sandbox);
        command.env("AWS_ENDPOINT_URL", &aws.url).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "1");
        let (code, log) = output(command).await;
        assert_eq!(code, Some(1), "{LEDGER} cannot be read: {log}");
        assert!(log.contains(PAYMENTS) && log.contains("not authorized to perform: sts:AssumeRole"), "{log}");
        aws.assert_keeps_secrets(&log);
    }
}

#[tokio::test]
async fn no_page_holds_a_secret() {
    let aws = Tapped::start().await;
    let controller = Controller::start(&spec(), &aws.url, &credentials_of(&aws.sandbox)).await;
    until("both are settled", DEADLINE, async || {
        let state = async |account| controller.target_in(account, "us-east-1").await["state"].as_str().map(str::to_owned);
        (state(PAYMENTS).await.as_deref(), state(LEDGER).await.as_deref()) == (Some("in_sync"), Some("blocked"))
    })
    .await;
    for page in ["metrics", "livez", "readyz", "api/v1/status"] {
        let answer = get(&format!("{}/{page}", controller.url)).await.unwrap();
        assert!(!answer.body.is_empty());
        aws.assert_keeps_secrets(&format!("{}{}", answer.head, answer.body));
    }
    controller.stop().await;
}

#[tokio::test]
async fn no_type_that_holds_a_secret_prints_it() {
    let aws = Tapped::start().await;
    let state: DesiredState = desired::load(document(&spec()).as_bytes()).unwrap();
    let cloud = AwsCloud::open(aws.options(), Metrics::new("test").unwrap().aws).await.unwrap();
    let mut printed = Vec::new();
    for (account, wanted) in &state.accounts {
        let caller = Caller { account: *account, access: wanted.access.clone() };
        let identity = cloud.identity(&caller).await;
        assert_eq!(identity.is_ok(), account.to_string() != LEDGER, "{identity:?}");
        printed.extend([format!("{caller:?}"), format!("{identity:?}")]);
        if let Access::Assume(role) = &wanted.access {
            printed.push(format!("{role:?} {:?}", role.external_id));
        }
    }
    let shown = format!("{cloud:?}");
    assert!(
        shown.contains("access_key_id") && shown.contains(PAYMENTS),
        "the sessions are printed, without what is secret: {shown}"
    );
    printed.extend([shown, format!("{cloud:#?}"), format!("{state:?}"), format!("{:?}", aws.options())]);

    let folder = tempfile::tempdir().unwrap();
    let options = app::Options {
        rivalry: Rivalry::default(),
        config: config(folder.path(), &spec()).into(),
        interval: DEADLINE,
        organization_interval: DEADLINE,
        workers: 1,
        target_metrics: TargetMetrics::Auto,
        election: None,
        aws: aws.options(),
    };
    printed.push(format!("{options:?}"));
    printed.push(format!("{:?}", App::new(options, CancellationToken::new()).await.unwrap()));
    aws.assert_keeps_secrets(&printed.join("\n"));
}
