//! The wall clock of the real binary jumps by hours and years while it runs, and AWS's does not.
//!
//! libfaketime (`make tools`) bends what the process is told of the time of day, and leaves the monotonic clock alone, as
//! somebody does who sets a machine's clock.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_sandbox::{Call, Credentials, Fault, FaultKind, Options, Outcome, Sandbox};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::binary::{at, config, dhmc, signal};
use crate::harness::{Controller, DEADLINE, free_port, get, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::VALUE;

const MEMBER: &str = "222233334444";
const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";
const HOUR: i64 = 3_600;
const YEAR: i64 = 365 * 24 * HOUR;

/// Where Debian puts it, on whatever machine.
fn libfaketime() -> PathBuf {
    let of_machine = std::fs::read_dir("/usr/lib").unwrap().filter_map(Result::ok);
    let mut places = of_machine.map(|machine| machine.path().join("faketime/libfaketimeMT.so.1"));
    places.find(|library| library.exists()).expect("libfaketime is missing: run `make tools`")
}

/// A clock that is so many seconds off from now on.
fn set(clock: &Path, seconds: i64) {
    let new = clock.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}\n")).unwrap();
    std::fs::rename(new, clock).unwrap();
}

fn with_clock(mut command: Command, clock: &Path) -> Command {
    command.env("LD_PRELOAD", libfaketime()).env("FAKETIME_TIMESTAMP_FILE", clock);
    command.env("FAKETIME_NO_CACHE", "1").env("DONT_FAKE_MONOTONIC", "1");
    command
}

/// The controller with a clock of its own.
struct Bent {
    child: Child,
    url: String,
    clock: PathBuf,
    _folder: TempDir,
}

impl Bent {
    fn start(spec: &str, sandbox: &Sandbox, seconds: i64) -> Self {
        Self::start_as(|command| at(command, sandbox), spec, seconds)
    }

    /// The same, with credentials of its own.
    fn start_as(with_credentials: impl FnOnce(Command) -> Command, spec: &str, seconds: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (config, clock) = (config(folder.path(), spec), folder.path().join("clock"));
        set(&clock, seconds);
        let address = format!("127.0.0.1:{}", free_port());
        let command = dhmc(&["run", "--config", &config, "--listen", &address, "--interval", "1s", "--rival-corrections", "100"]);
        let child = with_clock(with_credentials(command), &clock).stdout(Stdio::null()).spawn().unwrap();
        Self { child, url: format!("http://{address}"), clock, _folder: folder }
    }

    async fn targets(&self) -> Vec<Value> {
        let Ok(answer) = get(&format!("{}/api/v1/status", self.url)).await else { return Vec::new() };
        serde_json::from_str::<Value>(&answer.body).unwrap()["targets"].as_array().unwrap().clone()
    }

    /// Waits until everything is in sync, as seen by a clock that is so many seconds off.
    async fn in_sync(&self, seconds: i64) {
        until(&format!("in sync, with a clock that is {seconds} s off"), DEADLINE, async || {
            let targets = self.targets().await;
            !targets.is_empty() && targets.iter().all(|target| target["state"] == "in_sync" && is_of(target, seconds))
        })
        .await;
    }

    /// Ends it, and returns its log.
    async fn stop(mut self) -> String {
        signal(&self.child, "-TERM");
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("it ends").unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(!log.contains("panicked") && !log.contains("defect"), "{log}");
        log
    }
}

/// Whether a target was last read within a minute of a clock that is so many seconds off.
fn is_of(target: &Value, seconds: i64) -> bool {
    let there = Timestamp::now() + SignedDuration::from_secs(seconds);
    let read = target["lastObserved"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
    read.is_some_and(|read| read.duration_since(there).abs() < SignedDuration::from_mins(1))
}

fn is_done(call: &Call) -> bool {
    matches!(call.outcome, Outcome::Answered { .. })
}

/// Drift in one region, each time the clock has jumped: it is corrected, once.
async fn corrected_after_each_jump(sandbox: &Sandbox, bent: &Bent, account: &str, jumps: &[i64]) {
    for seconds in jumps {
        set(&bent.clock, *seconds);
        sandbox.journal().clear();
        sandbox.account(account).reset_setting("us-east-1", MALLORY);
        let is_mended = |sandbox: &Sandbox| sandbox.account(account).setting("us-east-1").value.as_deref() == Some(VALUE);
        sandbox.wait_until(DEADLINE, is_mended).await.unwrap_or_else(|_| panic!("not corrected at {seconds} s"));
        bent.in_sync(*seconds).await;
        let done: Vec<Call> = sandbox.journal().writes().into_iter().filter(is_done).collect();
        let done: Vec<(&str, &str)> = done.iter().map(|call| (call.operation.as_str(), call.region.as_str())).collect();
        assert_eq!(done, [("UpdateServiceSetting", "us-east-1")], "at {seconds} s");
    }
}

#[tokio::test]
async fn a_clock_that_jumps_by_years_and_back_costs_neither_a_wrong_write_nor_the_right_one() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let bent = Bent::start("{regions: {us-east-1: enabled, eu-west-1: enabled}}", &sandbox, 0);
    bent.in_sync(0).await;
    corrected_after_each_jump(&sandbox, &bent, ACCOUNT, &[YEAR, -YEAR, 6 * HOUR]).await;
    corrected_after_each_jump(&sandbox, &bent, ACCOUNT, &[0]).await;
    let refused = |call: &Call| call.error_code().is_some_and(|code| code.contains("Signature"));
    assert!(sandbox.journal().calls().iter().any(refused), "AWS goes by its own clock");

    let log = bent.stop().await;
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    // Away from AWS's clock, the SDK's own second attempt is good. Back to it, the first is signed by what it learnt before.
    let told = lines.iter().find(|line| line["reason"].as_str().is_some_and(|reason| reason.contains("Signature expired")));
    let told = told.unwrap_or_else(|| panic!("the reason is told: {log}"));
    assert_eq!(told["state"], "unknown", "{told}");
    assert!(told["reason"].as_str().unwrap().contains("this machine's clock disagrees with AWS's, or was just set"), "{told}");
    assert!(lines.iter().all(|line| line["state"] != "blocked"), "nobody has to do anything: {log}");
}

#[tokio::test]
async fn sessions_last_as_long_as_aws_lets_them_whatever_the_clock_says() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.account(MEMBER).trust("dhmc-controller", "/", ACCOUNT, None);
    let spec =
        format!("{{regions: {{us-east-1: enabled}}, accounts: [{{id: '{MEMBER}', assumeRole: {{name: dhmc-controller}}}}]}}");
    let opened = || sandbox.journal().count("sts", "AssumeRole");
    // Six hours ahead, a session of an hour is over when it is granted; a year ahead of its end, it would never be.
    let bent = Bent::start(&spec, &sandbox, 6 * HOUR);
    bent.in_sync(6 * HOUR).await;
    let before = opened();
    for jump in [-YEAR, 0, 6 * HOUR] {
        corrected_after_each_jump(&sandbox, &bent, MEMBER, &[jump]).await;
        assert_eq!(opened(), 0, "at {jump} s the session that there is goes on");
    }
    assert!(before <= 2, "one session, and the attempt that AWS's clock refused: {before}");
    bent.stop().await;
}

#[tokio::test]
async fn a_call_that_is_refused_for_its_time_is_tried_again_soon_and_says_so() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start("{regions: {us-east-1: enabled}}", &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.inject(Fault::new(FaultKind::ClockSkew).operation("GetServiceSetting"));
    let target = controller.until("us-east-1", "unknown").await;
    assert!(target["reason"].as_str().unwrap().contains("clock disagrees"), "{target:#}");
    sandbox.clear_faults();
    controller.until("us-east-1", "in_sync").await;
    controller.stop().await;
}

/// What a container is given its credentials by: whoever asks gets those of the moment, for another hour.
struct Vending {
    url: String,
    now: Arc<Mutex<Credentials>>,
    asked: Arc<AtomicUsize>,
}

impl Vending {
    async fn start(first: Credentials) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/credentials", listener.local_addr().unwrap());
        let (now, asked) = (Arc::new(Mutex::new(first)), Arc::new(AtomicUsize::new(0)));
        let (current, count) = (Arc::clone(&now), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut question = [0; 4096];
                let _ = client.read(&mut question).await;
                count.fetch_add(1, Ordering::Relaxed);
                let answer = {
                    let given = current.lock().unwrap();
                    let until = Timestamp::now() + SignedDuration::from_hours(1);
                    let (key, secret, token) = (&given.access_key_id, &given.secret_access_key, &given.session_token);
                    json!({"AccessKeyId": key, "SecretAccessKey": secret, "Token": token, "Expiration": until}).to_string()
                };
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
                let _ = client.write_all((head + &answer).as_bytes()).await;
            }
        });
        Self { url, now, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn the_controllers_own_credentials_are_renewed_when_aws_says_so_whatever_the_clock_says() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    let [one, other] = ["one", "other"].map(|name| account.identity(&format!("assumed-role/dhmc-controller/{name}")));
    let vending = Vending::start(one.clone()).await;
    let with = |mut command: Command| {
        command.env("AWS_ENDPOINT_URL", sandbox.url()).env("AWS_CONTAINER_CREDENTIALS_FULL_URI", &vending.url);
        command
    };
    let bent = Bent::start_as(with, "{regions: {us-east-1: enabled}}", 0);
    bent.in_sync(0).await;
    assert_eq!(vending.asked(), 1);

    // By this clock they are good for a year. By AWS's they are over.
    set(&bent.clock, -YEAR);
    *vending.now.lock().unwrap() = other;
    account.expire(&one);
    corrected_after_each_jump(&sandbox, &bent, ACCOUNT, &[-YEAR]).await;
    // By this clock they have long been over. By AWS's they are good.
    let before = vending.asked();
    corrected_after_each_jump(&sandbox, &bent, ACCOUNT, &[YEAR]).await;
    assert_eq!(vending.asked(), before, "nobody asks for what there is");
    bent.stop().await;
}
