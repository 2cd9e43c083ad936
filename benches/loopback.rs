//! What the controller costs, measured as a process of its own against the sandbox on loopback. `make bench` prints a table.
//!
//! The benchmark starts itself again as `controller`, so that CPU and memory are the controller's alone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use aws_sandbox::{Options as SandboxOptions, Record, RegionStatus, Sandbox};
use dhmc_controller::app::{self, App, Options};
use dhmc_controller::aws::AwsOptions;
use dhmc_controller::metrics::TargetMetrics;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "111122223333";
const REGIONS: u32 = 34;
const PASSES: u32 = 1_000;
const DOCUMENT: &str = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: { otherRegions: enabled }\n";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.iter().position(|argument| argument == "controller") {
        Some(at) => runtime.block_on(controller(&arguments[at + 1..])),
        None => runtime.block_on(measure()),
    }
}

/// The controller, with nothing between one look and the next.
async fn controller(arguments: &[String]) {
    let [config, listen, interval] = arguments else { panic!("controller CONFIG ADDRESS MILLISECONDS") };
    let options = Options {
        config: PathBuf::from(config),
        interval: Duration::from_millis(interval.parse().unwrap()),
        workers: 64,
        target_metrics: TargetMetrics::Auto,
        aws: AwsOptions::default(),
    };
    let app = App::new(options, CancellationToken::new()).await.unwrap();
    let listener = app::bind(listen.parse().unwrap()).await.unwrap();
    app.run(listener, std::sync::Arc::default()).await.unwrap();
}

async fn measure() {
    let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    for region in account.regions().keys() {
        account.set_region(region, RegionStatus::Enabled);
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dhmc.yaml");
    std::fs::write(&config, DOCUMENT).unwrap();
    println!("figure | value\n--- | ---");

    first_pass(&sandbox, &config, "from nothing (role created, 34 settings written)").await;
    sandbox.journal().clear();
    let idle = first_pass(&sandbox, &config, "converged").await;
    let calls = |service, operation| sandbox.journal().count(service, operation);
    println!("calls of a converged first pass: GetServiceSetting | {}", calls("ssm", "GetServiceSetting"));
    println!("... reads of IAM | {}", calls("iam", "GetRole") + calls("iam", "ListAttachedRolePolicies"));
    println!("... writes | {}", sandbox.journal().writes().len());
    println!("resident memory, idle after one pass | {idle:.1} MB");

    sandbox.configure(|knobs| knobs.record = Record::CountsOnly);
    let process = Process::start(&sandbox, &config, Duration::from_millis(1));
    let done = || u32::try_from(sandbox.journal().count("ssm", "GetServiceSetting")).unwrap() / REGIONS;
    wait("ten passes", || done() >= 10).await;
    sandbox.journal().clear();
    let (began, cpu_before, memory_before) = (Instant::now(), process.cpu(), process.memory());
    wait("the passes", || done() >= PASSES).await;
    let (passes, took, cpu) = (done(), began.elapsed(), process.cpu().saturating_sub(cpu_before));
    println!("passes a second | {:.1}", f64::from(passes) / took.as_secs_f64());
    println!("CPU time a target | {:.0} us", cpu.as_secs_f64() * 1e6 / f64::from(passes * REGIONS));
    println!("resident memory, after 10 passes | {memory_before:.1} MB");
    println!("resident memory, after {PASSES} more | {:.1} MB", process.memory());
}

/// Times a process from its start to the end of its first pass; gives its resident memory then, in MB.
async fn first_pass(sandbox: &Sandbox, config: &Path, what: &str) -> f64 {
    let began = Instant::now();
    let process = Process::start(sandbox, config, Duration::from_mins(5));
    wait("the first pass", || process.is_ready()).await;
    println!("process start to end of first pass, {what} | {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    process.memory()
}

/// The controller as a process of its own. Gone when dropped.
struct Process {
    child: Child,
    address: String,
}

impl Process {
    fn start(sandbox: &Sandbox, config: &Path, interval: Duration) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let credentials = sandbox.account(ACCOUNT).credentials();
        let child = Command::new(std::env::current_exe().unwrap())
            .arg("controller")
            .arg(config)
            .args([free.to_string(), interval.as_millis().to_string()])
            .env("AWS_ENDPOINT_URL", sandbox.url())
            .env("AWS_ACCESS_KEY_ID", credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, address: free.to_string() }
    }

    fn is_ready(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(&self.address) else { return false };
        let mut answer = String::new();
        let asked = stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n").and_then(|()| stream.read_to_string(&mut answer));
        asked.is_ok() && answer.starts_with("HTTP/1.0 200")
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).unwrap()
    }

    /// User and system time, to a hundredth of a second.
    fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory in MB.
    fn memory(&self) -> f64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn wait(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(5);
    while !done() {
        assert!(Instant::now() < deadline, "not within five minutes: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
