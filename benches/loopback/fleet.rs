//! An organization of 100, 1,000 and 10,000 accounts with 17 regions each, all as declared: how the cost grows.
//!
//! Then the yardstick, in the same run and against the same sandbox: a bare HTTP client with as many signed requests.

use std::time::{Duration, Instant};

use crate::process::{Controller, Process, wait};
use crate::sandbox::ACCESS_ROLE;

/// The account of the controller's own credentials.
pub(crate) const HUB: &str = "111122223333";
/// As many as the controller has.
pub(crate) const WORKERS: usize = 64;
/// The regions that every account has from the start.
pub(crate) const REGIONS: [&str; 17] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-southeast-1",
    "ap-southeast-2",
];
/// Of the steady state: long enough to be measured, and no part of a first pass.
const STEADY: Duration = Duration::from_secs(20);
const MOST: Duration = Duration::from_mins(30);

/// `fleet [ACCOUNTS...]`
pub(crate) fn measure(arguments: &[String]) {
    let mut sizes: Vec<usize> = arguments.iter().map(|size| size.parse().unwrap()).collect();
    if sizes.is_empty() {
        sizes = vec![100, 1_000, 10_000];
    }
    println!(
        "\nfleet: accounts | targets | first pass, s | targets/s | CPU us/target | calls/target | MB | steady: looks/s | CPU us/look | calls/look | MB | bare: requests/s | CPU us/request | rate to bare, first pass | rate to bare, steady | scrape, ms\n--- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | ---"
    );
    for accounts in sizes {
        // The hub itself is one of them.
        row(accounts - 1);
    }
}

fn row(members: usize) {
    let mut sandbox = Process::start(&["sandbox", &members.to_string()], &[]);
    let environment = environment(&sandbox.line());
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dhmc.yaml");
    std::fs::write(&config, document()).unwrap();
    let accounts = members + 1;
    let targets = accounts * (REGIONS.len() + 2) + 1;

    let began = Instant::now();
    let controller = Controller::start(&config, Duration::from_hours(24), &environment);
    wait("the first pass", MOST, || controller.is_ready());
    let (first, cpu, memory) = (began.elapsed(), controller.process.cpu(), controller.process.memory());
    let [_, calls, writes] = counts(&mut sandbox);
    assert_eq!(writes, 0, "all was as declared");
    let scrape = Instant::now();
    assert!(controller.get("/metrics").is_some());
    let scrape = scrape.elapsed();
    drop(controller);
    print!(
        "{accounts} | {targets} | {:.1} | {:.0} | {:.0} | {:.2} | {memory:.0}",
        first.as_secs_f64(),
        rate(targets, first),
        each(cpu, targets),
        per(calls, targets)
    );

    let controller = Controller::start(&config, Duration::from_millis(1), &environment);
    wait("the first pass", MOST, || controller.is_ready());
    let ([settings_before, calls_before, _], cpu_before, began) =
        (counts(&mut sandbox), controller.process.cpu(), Instant::now());
    std::thread::sleep(STEADY);
    let ([settings, calls, _], took) = (counts(&mut sandbox), began.elapsed());
    let (settings, calls) = (settings - settings_before, calls - calls_before);
    let cpu = controller.process.cpu().saturating_sub(cpu_before);
    // A pass over an account is a look at each region, one at the role and one at the account.
    let looks = settings * (REGIONS.len() + 2) / REGIONS.len();
    let steady = rate(looks, took);
    print!(" | {steady:.0} | {:.0} | {:.2} | {:.0}", each(cpu, looks), per(calls, looks), controller.process.memory());
    drop(controller);

    let requests = accounts * REGIONS.len();
    let line = Process::start(&["bare", &requests.to_string()], &environment).line();
    let (seconds, cpu) = line.split_once(' ').unwrap();
    let (took, cpu) = (Duration::from_secs_f64(seconds.parse().unwrap()), Duration::from_secs_f64(cpu.parse().unwrap()));
    let bare = rate(requests, took);
    println!(
        " | {bare:.0} | {:.0} | {:.2} | {:.2} | {:.0}",
        each(cpu, requests),
        rate(targets, first) / bare,
        steady / bare,
        scrape.as_secs_f64() * 1e3
    );
}

fn document() -> String {
    let regions = REGIONS.map(|region| format!("{region}: enabled")).join(", ");
    format!(
        "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  regions: {{ {regions} }}\n  organization:\n    assumeRole: {{ name: {ACCESS_ROLE} }}\n"
    )
}

fn environment(line: &str) -> Vec<(String, String)> {
    let names = ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let mut environment: Vec<(String, String)> =
        names.into_iter().zip(line.split(' ')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    environment.push(("AWS_REGION".to_owned(), "us-east-1".to_owned()));
    environment
}

/// `GetServiceSetting` calls, all calls, writes.
fn counts(sandbox: &mut Process) -> [usize; 3] {
    let line = sandbox.ask("counts");
    let counts: Vec<usize> = line.split(' ').map(|count| count.parse().unwrap()).collect();
    counts.try_into().unwrap()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
fn each(cpu: Duration, count: usize) -> f64 {
    cpu.as_secs_f64() * 1e6 / count as f64
}

#[expect(clippy::cast_precision_loss, reason = "counts of a benchmark")]
fn per(calls: usize, count: usize) -> f64 {
    calls as f64 / count as f64
}
