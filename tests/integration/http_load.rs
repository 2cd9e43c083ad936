//! Many scrapes at once, and clients that only hold connections: what is served stays right, and corrections come as ever.
//! And: nothing that is served changes anything.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sandbox::{Options, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::binary::{at, config, dhmc};
use crate::harness::{Controller, DEADLINE, Settings, free_port, get, until};
use crate::referee::{ACCOUNT, credentials_of};

const CLIENTS: usize = 200;
const SCRAPES: usize = 10_000;
/// More than there is room for, together with the clients.
const SLOW: usize = 600;
/// Those that come back each time they are thrown out. They leave the clients room.
const STUBBORN: usize = 250;
/// For thousands of scrapes with a program that is not optimised, on processors that others use too.
const PATIENCE: Duration = Duration::from_mins(2);
const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-west-1", "ap-south-1"];

/// One client's connection.
struct Client {
    address: String,
    keeps_alive: bool,
    stream: Option<TcpStream>,
}

impl Client {
    fn new(address: &str, keeps_alive: bool) -> Self {
        Self { address: address.to_owned(), keeps_alive, stream: None }
    }

    /// The answer to a GET: status and body. A connection that was kept may have been closed meanwhile; a new one may not.
    async fn get(&mut self, path: &str) -> (u16, String) {
        if let Some(stream) = self.stream.take()
            && let Some(answer) = self.ask(stream, path).await
        {
            return answer;
        }
        let stream = TcpStream::connect(&self.address).await.unwrap();
        self.ask(stream, path).await.expect("a new connection is answered")
    }

    async fn ask(&mut self, mut stream: TcpStream, path: &str) -> Option<(u16, String)> {
        let connection = if self.keeps_alive { "keep-alive" } else { "close" };
        let question = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: {connection}\r\n\r\n");
        stream.write_all(question.as_bytes()).await.ok()?;
        let mut answer = Vec::new();
        let end = loop {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
            if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = String::from_utf8(answer[..end].to_vec()).unwrap().to_lowercase();
        let length = |line: &str| line.strip_prefix("content-length: ")?.parse::<usize>().ok();
        let total = end + head.lines().find_map(length).expect("a length");
        while answer.len() < total {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        }
        if self.keeps_alive && !head.contains("connection: close") {
            self.stream = Some(stream);
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some((status, String::from_utf8(answer[end..].to_vec()).unwrap()))
    }
}

/// Holds a connection with half a request, and gives when it lost it.
async fn hold(address: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ").await;
    let _ = stream.read(&mut [0; 512]).await;
}

fn is_whole(body: &str) -> bool {
    let state = |region| {
        format!("dhmc_target_state{{account=\"{ACCOUNT}\",region=\"{region}\",resource=\"setting\",state=\"in_sync\"}} ")
    };
    let has = |line: &str| body.contains(line);
    body.starts_with("# HELP ")
        && body.ends_with('\n')
        && has("\ndhmc_build_info{")
        && REGIONS.map(state).iter().all(|line| has(line))
}

#[tokio::test]
async fn ten_thousand_scrapes_and_slow_clients_do_not_delay_a_correction() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let regions = REGIONS.map(|region| format!("{region}: enabled")).join(", ");
    let address = format!("127.0.0.1:{}", free_port());
    let file = config(folder.path(), &format!("{{regions: {{{regions}}}}}"));
    let mut command = at(dhmc(&["run", "--config", &file, "--listen", &address, "--interval", "1s"]), &sandbox);
    let _child = command.stderr(Stdio::null()).spawn().unwrap();
    until("ready", DEADLINE, async || get(&format!("http://{address}/readyz")).await.is_ok_and(|answer| answer.status == 200))
        .await;

    let (over, answered, probed) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut background = JoinSet::new();
    for number in 0..SLOW {
        let (address, over) = (address.clone(), Arc::clone(&over));
        background.spawn(async move {
            hold(&address).await;
            while number < STUBBORN && !over.load(Ordering::Relaxed) {
                hold(&address).await;
            }
        });
    }
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let (mut client, answered) = (Client::new(&address, number % 2 == 0), Arc::clone(&answered));
        clients.spawn(async move {
            // Never faster than this, so that the load lasts for a few of the controller's intervals on any machine.
            let mut pace = interval(Duration::from_millis(100));
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for _ in 0..SCRAPES / CLIENTS {
                pace.tick().await;
                let (status, body) = client.get("/metrics").await;
                assert!(status == 200 && is_whole(&body), "{status}: {body}");
                answered.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    let (mut kubelet, seen, stop) = (Client::new(&address, true), Arc::clone(&probed), Arc::clone(&over));
    background.spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            for path in ["/readyz", "/livez"] {
                let (status, body) = kubelet.get(path).await;
                assert_eq!((status, body.as_str()), (200, "ok\n"), "{path}");
            }
            seen.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });

    // One after the other, each while thousands of scrapes are still to come.
    for (region, begin, end) in [("us-east-1", 500, 4_500), ("eu-west-1", 4_500, 8_500)] {
        until("so many scrapes", PATIENCE, async || answered.load(Ordering::Relaxed) >= begin).await;
        sandbox.account(ACCOUNT).reset_setting(region, "arn:aws:iam::111122223333:user/mallory");
        let corrected = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting(region).value.is_some();
        sandbox.wait_until(DEADLINE, corrected).await.expect("it is corrected");
        let scrapes = answered.load(Ordering::Relaxed);
        assert!(scrapes <= end, "{region} was corrected only after {scrapes} scrapes");
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
    assert_eq!(answered.load(Ordering::Relaxed), SCRAPES);
    assert!(probed.load(Ordering::Relaxed) > 0);
    over.store(true, Ordering::Relaxed);
    while let Some(done) = background.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn nothing_that_is_served_changes_anything() {
    const METHODS: [&str; 10] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PURGE"];
    const PATHS: [&str; 12] = [
        "/metrics",
        "/livez",
        "/readyz",
        "/api/v1/status",
        "/api/v1/status?account=111122223333&state=drifted",
        "/",
        "/api/v1/status/us-east-1",
        "/api/v1/targets",
        "/-/reload",
        "/-/quit",
        "/debug/pprof/",
        "//metrics",
    ];
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    // Nothing is due while this test looks.
    let settings = Settings { interval: Duration::from_hours(1), ..Settings::default() };
    let spec = "{regions: {us-east-1: {state: enabled, mode: observe}}}";
    let controller = Controller::start_with(settings, spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "drifted").await;
    controller.until("role", "in_sync").await;
    let everything = async || {
        let account = sandbox.account(ACCOUNT);
        let aws =
            format!("{} {:?} {:?}", sandbox.journal().total(), account.setting("us-east-1"), account.role(crate::sdk::ROLE));
        (aws, controller.status().await, std::fs::read(&controller.config).unwrap())
    };
    let before = everything().await;
    for path in PATHS {
        for method in METHODS {
            let body = "spec: {regions: {us-east-1: disabled}}";
            let head =
                format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            let mut stream = TcpStream::connect(controller.url.trim_start_matches("http://")).await.unwrap();
            stream.write_all((head + body).as_bytes()).await.unwrap();
            let mut answer = Vec::new();
            // What nobody read of the request resets the connection after the answer.
            let _ = stream.read_to_end(&mut answer).await;
            let answer = String::from_utf8(answer).unwrap();
            let expected = match method {
                // Not a path but a host is asked for, and a path is no host.
                "CONNECT" => "4",
                _ if PATHS[5..].contains(&path) => "404",
                "GET" | "HEAD" => "200",
                _ => "405",
            };
            assert!(answer.starts_with(&format!("HTTP/1.1 {expected}")), "{method} {path}: {answer}");
            if expected == "405" {
                assert!(answer.to_lowercase().contains("\r\nallow: get,head\r\n"), "{method} {path}: {answer}");
            }
            if expected != "4" {
                assert!(answer.contains("\r\ncache-control: no-store\r\n"), "{method} {path}: {answer}");
                assert!(answer.contains("\r\nx-content-type-options: nosniff\r\n"), "{method} {path}: {answer}");
                assert_eq!(answer.ends_with("\r\n\r\n"), method == "HEAD", "{method} {path}: {answer}");
            }
        }
    }
    assert_eq!(everything().await, before);
    controller.stop().await;
}
