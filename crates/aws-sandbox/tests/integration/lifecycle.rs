//! Starting, stopping, waiting, and many accounts at once.

use std::time::Duration;

use aws_sandbox::{Options, Sandbox};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::client::{Client, REGION, Request, sandbox, send};

#[tokio::test]
async fn stopping_closes_the_listener_and_open_connections() {
    let (sandbox, account) = sandbox().await;
    let addr = sandbox.addr();
    let mut open = TcpStream::connect(addr).await.unwrap();
    Client::new(&sandbox, account.credentials()).sts("GetCallerIdentity").await.ok();
    sandbox.stop().await;
    let mut byte = [0];
    assert_eq!(open.read(&mut byte).await.unwrap_or(0), 0);
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn dropping_the_last_handle_stops_it() {
    let (sandbox, account) = sandbox().await;
    let mut open = TcpStream::connect(sandbox.addr()).await.unwrap();
    drop(sandbox);
    account.set_setting(REGION, "still here", "arn:me");
    drop(account);
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_secs(10), open.read(&mut byte));
    assert_eq!(read.await.unwrap().unwrap_or(0), 0);
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let (sandbox, _) = sandbox().await;
    let options = Options { listen: sandbox.addr(), ..Options::default() };
    assert!(Sandbox::start(options).await.is_err());
}

#[tokio::test]
async fn waiting_ends_with_the_change_or_at_the_deadline() {
    let (sandbox, account) = sandbox().await;
    let never = sandbox.wait_until(Duration::from_millis(20), |_| false).await;
    assert!(never.is_err());
    let client = Client::new(&sandbox, account.credentials());
    let call = tokio::spawn(async move { client.sts("GetCallerIdentity").await });
    let counted = sandbox.wait_until(Duration::from_secs(10), |sandbox| sandbox.journal().count("sts", "GetCallerIdentity") == 1);
    counted.await.unwrap();
    call.await.unwrap().ok();
}

#[tokio::test]
async fn accounts_do_not_see_each_other() {
    let (sandbox, first) = sandbox().await;
    let second = sandbox.account("999988887777");
    first.set_setting(REGION, "mine", "arn:me");
    assert_eq!(second.setting(REGION).value, None);
    assert_ne!(first.credentials(), second.credentials());
    assert_eq!(first.credentials(), sandbox.account(first.id()).credentials());
}

#[tokio::test]
async fn the_binary_prints_how_to_reach_it_and_takes_a_config_file() {
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(config.path(), r#"{"knobs": {"page_size": 7}, "faults": []}"#).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_aws-sandbox"))
        .args(["--listen", "127.0.0.1:0", "--account", "111122223333:aws-cn", "--config"])
        .arg(config.path())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines.next_line().await.unwrap().unwrap();
    let host = url.strip_prefix("export AWS_ENDPOINT_URL=http://").unwrap();
    let principal = lines.next_line().await.unwrap().unwrap();
    assert!(principal.contains("arn:aws-cn:sts::111122223333:"), "{principal}");
    let request = Request { path: "/_sandbox/knobs".into(), headers: vec![], body: String::new() };
    let knobs = send(host, "GET", &request).await.unwrap().ok().json();
    assert_eq!(knobs["page_size"], 7);
    child.kill().await.unwrap();
}
