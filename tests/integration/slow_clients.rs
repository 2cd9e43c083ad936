//! Clients that hold connections and ask for nothing, or far too much.

use std::time::Duration;

use aws_sandbox::{Options, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Controller, DEADLINE, get, until};
use crate::referee::credentials_of;

async fn controller(sandbox: &Sandbox) -> Controller {
    Controller::start("{regions: {us-east-1: enabled}}", &sandbox.url(), &credentials_of(sandbox)).await
}

/// Reads until the other side closes.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    // To be reset is to be closed.
    let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("it is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn whoever_asks_for_nothing_loses_the_connection_and_keeps_nobody_waiting() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = controller(&sandbox).await;
    let address = controller.url.trim_start_matches("http://").to_owned();
    let mut slow = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ").await.unwrap();
        slow.push(stream);
    }
    let url = format!("{}/livez", controller.url);
    let probe = tokio::time::timeout(Duration::from_secs(5), get(&url));
    assert_eq!(probe.await.expect("the probe is answered meanwhile").unwrap().status, 200);
    controller.until("us-east-1", "in_sync").await;
    for stream in slow {
        until_closed(stream).await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn a_head_without_end_is_refused() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = controller(&sandbox).await;
    let mut stream = TcpStream::connect(controller.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost: a\r\nX-Long: ").await.unwrap();
    // The other side may close before all of it is sent.
    let _ = stream.write_all(&vec![b'a'; 64 << 10]).await;
    let answer = until_closed(stream).await;
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    until("others are served", DEADLINE, async || get(&format!("{}/livez", controller.url)).await.is_ok()).await;
    controller.stop().await;
}

/// Asks and reads until the other side closes.
async fn answer_to(controller: &Controller, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(controller.url.trim_start_matches("http://")).await.unwrap();
    // The other side may close before all of it is sent.
    let _ = stream.write_all(request).await;
    until_closed(stream).await
}

#[tokio::test]
async fn more_headers_than_anybody_needs_and_addresses_without_end_are_refused() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = controller(&sandbox).await;
    let headers = "X-Many: a\r\n".repeat(101);
    let answer = answer_to(&controller, format!("GET /livez HTTP/1.1\r\n{headers}\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let address = "a".repeat(20_000);
    let answer = answer_to(&controller, format!("GET /{address} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431") || answer.starts_with("HTTP/1.1 414"), "{answer}");
    controller.stop().await;
}

#[tokio::test]
async fn a_body_is_not_waited_for() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = controller(&sandbox).await;
    for (method, status) in [("GET", 200), ("POST", 405)] {
        for length in ["Content-Length: 1000000000000", "Transfer-Encoding: chunked"] {
            let head = format!("{method} /livez HTTP/1.1\r\nHost: a\r\n{length}\r\n\r\n");
            let answer = answer_to(&controller, head.as_bytes()).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{method} {length}: {answer}");
        }
    }
    controller.stop().await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = controller(&sandbox).await;
    let paths = ["/livez", "/nothing", "/readyz"].repeat(50);
    controller.until("us-east-1", "in_sync").await;
    let all: Vec<String> = paths.iter().map(|path| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    let answers = answer_to(&controller, all.concat().as_bytes()).await;
    let answered: Vec<&str> = answers.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")?.split(' ').next()).collect();
    assert_eq!(answered, ["200", "404", "200"].repeat(50));
    controller.stop().await;
}
