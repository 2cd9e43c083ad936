//! The real binary: exit codes, messages, signals, environment.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Options, Sandbox};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::harness::{DEADLINE, document, free_port, get, until};
use crate::referee::ACCOUNT;

const SPEC: &str = "{regions: {us-east-1: enabled, eu-west-1: enabled}}";

/// The binary with nothing of this machine's AWS set-up in its environment.
pub fn dhmc(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"));
    command.args(args).env_clear().env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", "/nonexistent").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub fn at(mut command: Command, sandbox: &Sandbox) -> Command {
    let credentials = sandbox.account(ACCOUNT).credentials();
    command
        .env("AWS_ENDPOINT_URL", sandbox.url())
        .env("AWS_ACCESS_KEY_ID", credentials.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key);
    if let Some(token) = credentials.session_token {
        command.env("AWS_SESSION_TOKEN", token);
    }
    command
}

pub fn config(folder: &Path, spec: &str) -> String {
    let file = folder.join("dhmc.yaml");
    std::fs::write(&file, document(spec)).unwrap();
    file.to_str().unwrap().to_owned()
}

pub async fn output(mut command: Command) -> (Option<i32>, String) {
    let output = tokio::time::timeout(Duration::from_mins(2), command.output()).await.expect("it ends").unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// The first line of a child's log with a text in it.
pub async fn line_with(child: &mut Child, text: &str) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let find = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(text) {
                return line;
            }
        }
        panic!("the log ended without `{text}`");
    };
    tokio::time::timeout(DEADLINE, find).await.expect("the line comes")
}

/// A running daemon that has looked at everything once.
pub async fn daemon(sandbox: &Sandbox, config: &str) -> (Child, String) {
    let address = format!("127.0.0.1:{}", free_port());
    let child = at(dhmc(&["run", "--config", config, "--listen", &address, "--interval", "1s"]), sandbox).spawn().unwrap();
    let ready = format!("http://{address}/readyz");
    until("ready", DEADLINE, async || get(&ready).await.is_ok_and(|answer| answer.status == 200)).await;
    (child, address)
}

pub fn signal(child: &Child, name: &str) {
    let id = child.id().expect("it runs").to_string();
    assert!(std::process::Command::new("kill").args([name, &id]).status().unwrap().success());
}

#[tokio::test]
async fn one_pass_exits_0_in_sync_2_with_drift_left_and_1_unread() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let observing = config(folder.path(), "{mode: observe, regions: {us-east-1: enabled}}");
    assert_eq!(output(at(dhmc(&["run", "--once", "--config", &observing]), &sandbox)).await.0, Some(2));
    assert_eq!(sandbox.journal().writes().len(), 0, "observing writes nothing");

    let enforcing = config(folder.path(), SPEC);
    assert_eq!(output(at(dhmc(&["run", "--once", "--config", &enforcing]), &sandbox)).await.0, Some(0));

    sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("GetServiceSetting").region("eu-west-1"));
    assert_eq!(output(at(dhmc(&["run", "--once", "--config", &enforcing]), &sandbox)).await.0, Some(1));
}

#[tokio::test]
async fn sigterm_and_sigint_end_it_cleanly() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), SPEC);
    for name in ["-TERM", "-INT"] {
        let (mut child, _) = daemon(&sandbox, &config).await;
        signal(&child, name);
        let status = tokio::time::timeout(DEADLINE, child.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(0), "{name}");
    }
}

#[tokio::test]
async fn sighup_reloads_at_once() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), "{regions: {us-east-1: enabled}}");
    let (child, _) = daemon(&sandbox, &file).await;
    config(folder.path(), SPEC);
    signal(&child, "-HUP");
    let enabled = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("eu-west-1").value.is_some();
    sandbox.wait_until(DEADLINE, enabled).await.unwrap();
}

#[tokio::test]
async fn every_log_line_is_json_and_none_holds_a_credential() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let credentials = sandbox.account(ACCOUNT).credentials();
    let arguments = ["run", "--once", "--log-level", "trace", "--config", &config(folder.path(), SPEC)];
    let (code, log) = output(at(dhmc(&arguments), &sandbox)).await;
    assert_eq!(code, Some(0), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let drift = lines.iter().find(|line| line["message"] == "drift detected" && line["region"] == "us-east-1").expect("a line");
    assert_eq!((&drift["before"], &drift["kind"]), (&"unset".into(), &"setting_unset".into()));
    assert_eq!((&drift["after"], &drift["changed_by"]), (&crate::sdk::VALUE.into(), &"System".into()));
    assert!(!log.contains(&credentials.secret_access_key));
    assert!(!credentials.session_token.is_some_and(|token| log.contains(&token)));
}

/// A bad start: exit code 1, nothing called, and a message that tells where and what.
async fn refused(arguments: &[&str], expected: &[&str]) {
    let (code, message) = output(dhmc(arguments)).await;
    assert_eq!(code, Some(1), "{message}");
    for part in expected {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    assert!(!message.contains("panicked"), "{message}");
}

#[tokio::test]
async fn a_bad_document_is_refused_with_every_problem_and_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dhmc.yaml");
    let text = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  regoins: {}\n  regions:\n    eu-wset-1: enabled\n    us-east-1: enabled\n    us-east-1: disabled\n  role: { name: 'a/b' }\n  account: 012345678901\n";
    std::fs::write(&file, text).unwrap();
    let name = file.to_str().unwrap();
    let place = |line: u32| format!("{name}:{line}:");
    refused(
        &["run", "--config", name],
        &[&place(4), "regions", &place(6), "eu-west-1", &place(8), "us-east-1", &place(9), "a/b", &place(10), "quotes"],
    )
    .await;
}

#[tokio::test]
async fn files_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let missing = folder.path().join("none.yaml");
    refused(&["run", "--config", missing.to_str().unwrap()], &["none.yaml"]).await;
    refused(&["run", "--config", folder.path().to_str().unwrap()], &["directory"]).await;
    refused(&["run", "--config", &write("empty.yaml", b"")], &["empty.yaml", "empty"]).await;
    refused(&["run", "--config", &write("big.yaml", &vec![b'#'; 10 << 20])], &["big.yaml", "1 MiB"]).await;
    refused(&["run", "--config", &write("latin.yaml", b"kind: \xe9\xff\n")], &["latin.yaml", "UTF-8"]).await;
    let level = |level: u32| {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("a{level}: &a{level} [{below}]")
    };
    let bomb = format!("a0: &a0 [x, x, x]\n{}\n", (1..12).map(level).collect::<Vec<_>>().join("\n"));
    refused(&["run", "--config", &write("bomb.yaml", bomb.as_bytes())], &["bomb.yaml"]).await;
}

#[tokio::test]
async fn a_wrong_command_line_exits_1_because_2_says_that_drift_remains() {
    refused(&["run"], &["--config"]).await;
    refused(&["run", "--config", "x.yaml", "--interval", "0"], &["--interval"]).await;
    refused(&["run", "--config", "x.yaml", "--no-such-flag"], &["--no-such-flag"]).await;
    assert_eq!(output(dhmc(&["--help"])).await.0, Some(0));
}

#[tokio::test]
async fn the_version_is_one_line_and_with_commit_and_date_three() {
    let mut told = Vec::new();
    for flag in ["-V", "--version"] {
        let output = dhmc(&[flag]).output().await.unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        told.push(String::from_utf8(output.stdout).unwrap());
    }
    let short = format!("dhmc-controller {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(told[0], short);
    let lines: Vec<&str> = told[1].strip_prefix(&short).expect(&told[1]).lines().collect();
    assert!(matches!(lines[..], [commit, built] if commit.starts_with("commit: ") && built.starts_with("built:  ")), "{lines:?}");
}

#[tokio::test]
async fn a_variable_that_is_set_to_nothing_is_not_set() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), SPEC);
    let mut command = at(dhmc(&["run", "--once"]), &sandbox);
    for name in
        ["AWS_CA_BUNDLE", "DHMC_INTERVAL", "DHMC_LISTEN", "DHMC_WORKERS", "DHMC_LOG_LEVEL", "DHMC_LOG_FORMAT", "DHMC_ONCE"]
    {
        command.env(name, "");
    }
    let (code, log) = output({
        command.env("DHMC_CONFIG", &file);
        command
    })
    .await;
    assert_eq!(code, Some(0), "{log}");
}

#[tokio::test]
async fn variables_that_the_sdk_would_panic_on_are_named_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), SPEC);
    for (name, value) in [("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URL_SSM", "nonsense"), ("AWS_ACCESS_KEY_ID", "AKIA\n")] {
        let mut command = dhmc(&["run", "--config", &file]);
        command.env(name, value);
        let (code, message) = output(command).await;
        assert_eq!(code, Some(1), "{message}");
        assert!(message.starts_with(&format!("dhmc-controller: {name} ")) && !message.contains("panicked"), "{message}");
    }
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let config = config(folder.path(), SPEC);
    refused(&["run", "--config", &config, "--listen", &address], &["cannot listen on", &address, "--listen"]).await;
}

#[tokio::test]
async fn a_useless_ca_bundle_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), SPEC);
    let mut command = dhmc(&["run", "--config", &config]);
    command.env("AWS_CA_BUNDLE", "/nonexistent/ca.pem");
    let (code, message) = output(command).await;
    assert_eq!(code, Some(1));
    assert!(message.contains("AWS_CA_BUNDLE names /nonexistent/ca.pem"), "{message}");
}

#[tokio::test]
async fn without_credentials_the_targets_are_blocked_and_the_reason_says_what_to_give() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["run", "--once", "--log-format", "text", "--config", &config(folder.path(), SPEC)];
    let (code, log) = output(dhmc(&arguments)).await;
    assert_eq!(code, Some(1));
    assert!(log.contains("no credentials found"), "{log}");
}
