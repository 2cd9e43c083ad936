//! `status`: the real binary asks a real controller; and whatever else may answer at an address.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Options, Sandbox};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::binary::{at, dhmc};
use crate::golden;
use crate::harness::{Controller, DEADLINE, free_port, until};
use crate::referee::{ACCOUNT, Referee, before_both, credentials_of};
use crate::sdk::Admin;
use crate::tls::tls_door;

const ALICE: &str = "arn:aws:sts::111122223333:assumed-role/Administrator/alice";
const OFF: [&str; 4] = ["us-east-1", "us-east-2", "us-west-1", "us-west-2"];

/// Regions that are to be switched off, and others.
fn spec(word: &str) -> String {
    let off = OFF.map(|region| format!("{region}: {word}")).join(", ");
    format!("{{regions: {{{off}, eu-west-1: {{state: enabled, mode: observe}}, sa-east-1: enabled, eu-central-1: enabled}}}}")
}

fn status(url: &str, arguments: &[&str]) -> Command {
    let mut command = dhmc(&[&["status"], arguments].concat());
    command.env("DHMC_URL", url);
    command
}

/// A controller of which targets are in sync, drifted, held and blocked.
async fn of_every_kind() -> (Sandbox, Controller) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("GetServiceSetting").region("sa-east-1"));
    let controller = Controller::start(&spec("enabled"), &sandbox.url(), &credentials_of(&sandbox)).await;
    for region in OFF {
        controller.until(region, "in_sync").await;
    }
    sandbox.account(ACCOUNT).set_setting("eu-west-1", "Theirs", ALICE);
    controller.edit(&spec("disabled"));
    for (target, state) in
        OFF.map(|region| (region, "held")).into_iter().chain([("sa-east-1", "blocked"), ("eu-central-1", "in_sync")])
    {
        controller.until(target, state).await;
    }
    let by_alice = async || controller.target("eu-west-1").await["lastChangedBy"] == ALICE;
    until("alice's change is seen", DEADLINE, by_alice).await;
    (sandbox, controller)
}

/// Without what differs from run to run, in the same width.
fn masked(text: &str, controller: &Controller) -> String {
    let (_, port) = controller.url.rsplit_once(':').unwrap();
    let text = text.replace(port, &"9".repeat(port.len()));
    let text = text.replace(concat!("dhmc-controller ", env!("CARGO_PKG_VERSION")), "dhmc-controller 0.0.0");
    let mut masked = String::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("202") {
        let (before, from) = rest.split_at(at);
        masked.push_str(before);
        // A moment, or the name of a change, which begins with one.
        let length = from.find(|c: char| !c.is_ascii_alphanumeric() && !"-:".contains(c)).unwrap_or(from.len());
        masked.extend(from[..length].chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }));
        rest = &from[length..];
    }
    masked + rest
}

#[tokio::test]
async fn a_person_sees_how_many_what_is_held_and_then_each_target_that_is_not_in_sync() {
    let (_sandbox, controller) = of_every_kind().await;
    let shown = golden::in_pipe(status(&controller.url, &[])).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(2), ""));
    assert!(!shown.out.contains('\u{1b}'), "no colours in a pipe");
    golden::check("status/pipe.txt", &masked(&shown.out, &controller));

    let shown = golden::in_terminal(&status(&controller.url, &[])).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(2), ""));
    golden::check("status/terminal.txt", &masked(&shown.out, &controller));

    let shown = golden::in_pipe(status(&controller.url, &["--all", "--region", "eu-central-1"])).await;
    assert_eq!(shown.code, Some(0), "of what is asked for, all is in sync:\n{}", shown.out);
    golden::check("status/region.txt", &masked(&shown.out, &controller));
    controller.stop().await;
}

#[tokio::test]
async fn each_question_has_its_own_answer_and_exit_code() {
    let (_sandbox, controller) = of_every_kind().await;
    let ask = async |arguments: &[&str]| {
        let shown = golden::in_pipe(status(&controller.url, arguments)).await;
        let answer: Option<Value> = serde_json::from_str(&shown.out).ok();
        let regions = answer.iter().flat_map(|answer| answer["targets"].as_array().unwrap());
        let mut regions: Vec<String> = regions.map(|target| target["region"].as_str().unwrap().to_owned()).collect();
        regions.sort_unstable();
        (shown.code, regions, shown.err)
    };
    let json = |more: &[&'static str]| [&["--output", "json"], more].concat();
    let (code, regions, _) = ask(&json(&[])).await;
    assert_eq!((code, regions.join(" ")), (Some(2), format!("eu-west-1 sa-east-1 {}", OFF.join(" "))));
    let (code, regions, _) = ask(&json(&["--all", "--account", ACCOUNT])).await;
    assert_eq!((code, regions.len()), (Some(2), 9));
    let (code, regions, _) = ask(&json(&["--state", "blocked,drifted"])).await;
    assert_eq!((code, regions.join(" ").as_str()), (Some(2), "eu-west-1 sa-east-1"));
    let (code, regions, _) = ask(&json(&["--region", "eu-central-1"])).await;
    assert_eq!((code, regions.len()), (Some(0), 0));

    for (arguments, said) in [
        (["--account", "payments"], "the controller has no target of account \"payments\""),
        (["--region", "eu-south-1"], "the controller has no target of region \"eu-south-1\""),
        (["--state", "broken"], "in_sync"),
    ] {
        let (code, _, told) = ask(&arguments).await;
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains(said), "{told}");
    }
    controller.stop().await;
}

#[tokio::test]
async fn a_document_that_is_not_in_force_is_told_and_is_not_well() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start("{regions: {us-east-1: enabled}}", &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    controller.edit("{regions: {us-east-1: enabeld}}");
    until("the edit is refused", DEADLINE, async || controller.status().await["configuration"]["inForce"] == false).await;
    let shown = golden::in_pipe(status(&controller.url, &[])).await;
    assert_eq!(shown.code, Some(2), "{}", shown.out);
    assert!(
        shown.out.contains("What is on disk now is not in force:\n") && shown.out.contains("did you mean enabled?\n"),
        "{}",
        shown.out
    );
    controller.stop().await;
}

before_both! { ministack: what_a_controller_keeps_is_well_and_what_it_only_observes_is_not }

async fn what_a_controller_keeps_is_well_and_what_it_only_observes_is_not(referee: Referee) {
    let controller = Controller::start("{regions: {us-east-1: enabled}}", &referee.url, &referee.credentials).await;
    controller.until("us-east-1", "in_sync").await;
    controller.until("role", "in_sync").await;
    let well = golden::in_pipe(status(&controller.url, &[])).await;
    assert_eq!(well.code, Some(0), "{}{}", well.out, well.err);
    assert!(well.out.ends_with("\n3 targets: 3 in sync\n"), "{}", well.out);

    controller.edit("{mode: observe, regions: {us-east-1: enabled}}");
    Admin::of(&referee).reset_setting("us-east-1").await;
    controller.until("us-east-1", "drifted").await;
    let unwell = golden::in_pipe(status(&controller.url, &[])).await;
    assert_eq!(unwell.code, Some(2), "{}{}", unwell.out, unwell.err);
    assert!(unwell.out.contains("drifted"), "{}", unwell.out);
    controller.stop().await;
}

#[tokio::test]
async fn where_nobody_answers_or_somebody_else_does_it_says_so_and_exits_1() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let text = somebody_who_says("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").await;
    let cut_off = somebody_who_says("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{").await;
    let no_http = somebody_who_says("SSH-2.0-OpenSSH_9.2\r\n").await;
    for (url, said) in [
        (nobody.as_str(), "Connection refused"),
        (&sandbox.url(), "no dhmc-controller that this program understands"),
        (&text, "its answer is not JSON"),
        (&cut_off, "the answer broke off"),
        (&no_http, "cannot ask"),
        (&nobody.replace("http:", "https:"), "Connection refused"),
        (&text.replace("http:", "https:"), "cannot ask https://"),
        ("http://u:s3cr3t@127.0.0.1", "there is a user in it"),
        ("127.0.0.1:8080", "does not begin with http://"),
        ("http://nowhere.invalid", "cannot ask http://nowhere.invalid"),
    ] {
        let shown = golden::in_pipe(status(url, &[])).await;
        assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""), "{url}");
        assert!(shown.err.starts_with("dhmc-controller: ") && shown.err.contains(said), "{url}: {}", shown.err);
        assert!(!shown.err.contains("s3cr3t") && !shown.err.contains("panicked"), "{}", shown.err);
        assert_eq!(shown.err.lines().count(), 1, "{}", shown.err);
    }
}

#[tokio::test]
async fn over_https_the_authorities_decide_who_is_believed() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start("{regions: {us-east-1: enabled}}", &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("role", "in_sync").await;
    controller.until("us-east-1", "in_sync").await;
    let (authority, port) = tls_door("localhost", controller.url.trim_start_matches("http://").parse().unwrap()).await;
    let (other, _) = tls_door("localhost", sandbox.addr()).await;
    let folder = tempfile::tempdir().unwrap();
    let ask = async |authorities: &str| {
        let bundle = folder.path().join("authorities.pem");
        std::fs::write(&bundle, authorities).unwrap();
        let mut command = status(&format!("https://localhost:{port}"), &[]);
        command.env("SSL_CERT_FILE", bundle);
        golden::in_pipe(command).await
    };
    let trusting = ask(&authority).await;
    assert_eq!((trusting.code, trusting.err.as_str()), (Some(0), ""), "{}", trusting.out);
    for (authorities, said) in
        [(other.as_str(), "invalid peer certificate"), ("", "install ca-certificates, or set SSL_CERT_FILE")]
    {
        let doubting = ask(authorities).await;
        assert_eq!(doubting.code, Some(1));
        assert!(doubting.err.contains(said), "{}", doubting.err);
    }
    controller.stop().await;
}

/// Answers every connection with the same words.
async fn somebody_who_says(words: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 1024];
            let _ = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer).await;
            let _ = stream.write_all(words.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn a_controller_that_nobody_waits_for_any_more_is_not_waited_for_either() {
    // Whoever reads `status | head` has seen enough.
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = Controller::start("{regions: {us-east-1: enabled}}", &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    let mut child = at(status(&controller.url, &["--all"]), &sandbox).spawn().unwrap();
    drop(child.stdout.take());
    let ended = tokio::time::timeout(Duration::from_mins(1), child.wait()).await.expect("it ends").unwrap();
    assert_eq!(ended.code(), Some(0));
    controller.stop().await;
}
