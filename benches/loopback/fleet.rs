//! An organization of 100, 1,000 and 10,000 accounts with 17 regions each, all as declared: how the cost grows.
//!
//! Then the yardstick, in the same run and against the same sandbox: a bare HTTP client with as many signed requests.

use std::time::{Duration, Instant};

use crate::process::{Controller, Process, wait};
use crate::sandbox::ACCESS_ROLE;
use crate::scrapes::{CLIENTS, Scrapes};

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
const STEADY: Duration = Duration::from_secs(15);
const MOST: Duration = Duration::from_mins(30);

/// `fleet [ACCOUNTS...]`
pub(crate) fn measure(arguments: &[String]) {
    let mut sizes: Vec<usize> = arguments.iter().map(|size| size.parse().unwrap()).collect();
    if sizes.is_empty() {
        sizes = vec![100, 1_000, 10_000];
    }
    for accounts in sizes {
        println!("\n{accounts} accounts x {} regions | value\n--- | ---", REGIONS.len());
        // The hub itself is one of them.
        of(accounts - 1);
    }
}

fn of(members: usize) {
    let mut sandbox = Process::start(&["sandbox", &members.to_string()], &[]);
    let environment = environment(&sandbox.line());
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dhmc.yaml");
    std::fs::write(&config, document()).unwrap();
    let accounts = members + 1;
    let targets = accounts * (REGIONS.len() + 2) + 1;
    println!("targets | {targets}");

    let began = Instant::now();
    let controller = Controller::start(&config, Duration::from_hours(24), &environment);
    wait("the first pass", MOST, || controller.is_ready());
    let (took, cpu, memory) = (began.elapsed(), controller.process.cpu(), controller.process.memory());
    let [_, calls, writes] = counts(&mut sandbox);
    assert_eq!(writes, 0, "all was as declared");
    let scrape = Instant::now();
    assert!(controller.get("/metrics").is_some());
    let scrape = scrape.elapsed();
    drop(controller);
    let first = rate(targets, took);
    println!("first pass, from the start of the process | {:.1} s", took.as_secs_f64());
    println!("... targets a second | {first:.0}");
    println!("... CPU time a target | {:.0} us", each(cpu, targets));
    println!("... API calls a target | {:.2}", per(calls, targets));
    println!("... resident memory after it | {memory:.0} MB");
    println!("... a scrape of /metrics after it | {:.0} ms", scrape.as_secs_f64() * 1e3);

    let controller = Controller::start(&config, Duration::from_millis(1), &environment);
    wait("the first pass", MOST, || controller.is_ready());
    let (calls_before, cpu_before) = (counts(&mut sandbox)[1], controller.process.cpu());
    let (looks, steady) = look_on(&mut sandbox);
    let (calls, cpu) = (counts(&mut sandbox)[1] - calls_before, controller.process.cpu().saturating_sub(cpu_before));
    println!("later passes, without an interval: targets a second | {steady:.0}");
    println!("... CPU time a target | {:.0} us", each(cpu, looks));
    println!("... API calls a target | {:.2}", per(calls, looks));
    println!("... resident memory | {:.0} MB", controller.process.memory());
    let clients = Scrapes::begin(&controller.address);
    let (_, meanwhile) = look_on(&mut sandbox);
    println!("the same while {CLIENTS} clients scrape over and over: targets a second | {meanwhile:.0}");
    println!("... scrapes a second | {:.0}", rate(clients.answered(), STEADY));
    println!("... resident memory, at most | {:.0} MB", controller.process.most_memory());
    clients.end();
    drop(controller);

    let requests = accounts * REGIONS.len();
    let bare = yardstick("bare", requests, &environment, "a bare HTTP client, as many signed GetServiceSetting");
    let sdk = yardstick("sdk", requests, &environment, "the SDK's client alone, the same");
    println!("first pass, rate to the bare client's | {:.2}", first / bare);
    println!("... to the SDK's | {:.2}", first / sdk);
    println!("later passes, rate to the bare client's | {:.2}", steady / bare);
    println!("... to the SDK's | {:.2}", steady / sdk);
}

/// How many targets are looked at in a while, and how many a second.
fn look_on(sandbox: &mut Process) -> (usize, f64) {
    let (before, began) = (counts(sandbox)[0], Instant::now());
    std::thread::sleep(STEADY);
    let (settings, took) = (counts(sandbox)[0] - before, began.elapsed());
    // A pass over an account is a look at each region, one at the role and one at the account.
    let looks = settings * (REGIONS.len() + 2) / REGIONS.len();
    (looks, rate(looks, took))
}

/// Prints and gives requests a second.
fn yardstick(which: &str, requests: usize, environment: &[(String, String)], what: &str) -> f64 {
    let line = Process::start(&[which, &requests.to_string()], environment).line();
    let (seconds, cpu) = line.split_once(' ').unwrap();
    let (took, cpu) = (Duration::from_secs_f64(seconds.parse().unwrap()), Duration::from_secs_f64(cpu.parse().unwrap()));
    let rate = rate(requests, took);
    println!("{what}: requests a second | {rate:.0}");
    println!("... CPU time a request | {:.0} us", each(cpu, requests));
    rate
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
