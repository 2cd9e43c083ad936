//! One account with 34 regions: how long a pass takes, what it calls, what it costs.

use std::path::Path;
use std::time::{Duration, Instant};

use aws_sandbox::{Options as SandboxOptions, Record, RegionStatus, Sandbox};

use crate::process::{Controller, wait};

const ACCOUNT: &str = "111122223333";
const REGIONS: u32 = 34;
const PASSES: u32 = 1_000;
const DOCUMENT: &str = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: { otherRegions: enabled }\n";

const MOST: Duration = Duration::from_mins(5);

/// Prints a table.
pub(crate) async fn measure() {
    let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    for region in account.regions().keys() {
        account.set_region(region, RegionStatus::Enabled);
    }
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dhmc.yaml");
    std::fs::write(&config, DOCUMENT).unwrap();
    println!("figure | value\n--- | ---");

    first_pass(&sandbox, &config, "from nothing (role created, 34 settings written)");
    sandbox.journal().clear();
    let idle = first_pass(&sandbox, &config, "converged");
    let calls = |service, operation| sandbox.journal().count(service, operation);
    println!("calls of a converged first pass: GetServiceSetting | {}", calls("ssm", "GetServiceSetting"));
    println!("... reads of IAM | {}", calls("iam", "GetRole") + calls("iam", "ListAttachedRolePolicies"));
    println!("... writes | {}", sandbox.journal().writes().len());
    println!("resident memory, idle after one pass | {idle:.1} MB");

    sandbox.configure(|knobs| knobs.record = Record::CountsOnly);
    let controller = Controller::start(&config, Duration::from_millis(1), &environment(&sandbox));
    let process = &controller.process;
    let done = || u32::try_from(sandbox.journal().count("ssm", "GetServiceSetting")).unwrap() / REGIONS;
    wait("ten passes", MOST, || done() >= 10);
    sandbox.journal().clear();
    let (began, cpu_before, memory_before) = (Instant::now(), process.cpu(), process.memory());
    wait("the passes", MOST, || done() >= PASSES);
    let (passes, took, cpu) = (done(), began.elapsed(), process.cpu().saturating_sub(cpu_before));
    println!("passes a second | {:.1}", f64::from(passes) / took.as_secs_f64());
    println!("CPU time a target | {:.0} us", cpu.as_secs_f64() * 1e6 / f64::from(passes * REGIONS));
    println!("resident memory, after 10 passes | {memory_before:.1} MB");
    println!("resident memory, after {PASSES} more | {:.1} MB", process.memory());
}

/// Times a process from its start to the end of its first pass; gives its resident memory then, in MB.
fn first_pass(sandbox: &Sandbox, config: &Path, what: &str) -> f64 {
    let began = Instant::now();
    let controller = Controller::start(config, Duration::from_mins(5), &environment(sandbox));
    wait("the first pass", MOST, || controller.is_ready());
    println!("process start to end of first pass, {what} | {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    controller.process.memory()
}

fn environment(sandbox: &Sandbox) -> Vec<(String, String)> {
    let credentials = sandbox.account(ACCOUNT).credentials();
    let variables = [
        ("AWS_ENDPOINT_URL", sandbox.url()),
        ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
        ("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ];
    variables.map(|(name, value)| (name.to_owned(), value)).into()
}
