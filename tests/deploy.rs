//! What ships beside the binary, held against the code: alerts, runbook, examples. Policies are held in `iam.rs`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by ending")]

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::CommandFactory;
use dhmc_controller::cli::Cli;
use dhmc_controller::metrics::CATALOGUE;
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn promtool(arguments: &[&str]) {
    let output =
        Command::new("promtool").args(arguments).current_dir(path("")).output().expect("promtool is missing: run `make tools`");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_alerts_are_valid_and_fire_and_are_silent_as_their_tests_say() {
    promtool(&["check", "rules", "deploy/monitoring/alerts.yaml"]);
    promtool(&["test", "rules", "deploy/monitoring/alerts_test.yaml"]);
}

#[test]
fn every_metric_of_an_alert_exists() {
    let alerts = read("deploy/monitoring/alerts.yaml");
    let words = alerts.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("dhmc_"));
    for word in words {
        assert!(CATALOGUE.iter().any(|metric| metric.name == word), "{word}");
    }
}

/// Where a target has a label of the same name, Prometheus calls ours `exported_...`, and no rule or panel finds it.
#[test]
fn no_metric_has_a_label_that_a_scrape_sets() {
    const OF_THE_SCRAPE: [&str; 9] =
        ["job", "instance", "service", "namespace", "pod", "container", "endpoint", "node", "cluster"];
    for metric in CATALOGUE {
        let taken: Vec<_> = metric.labels.iter().filter(|label| OF_THE_SCRAPE.contains(label)).collect();
        assert!(taken.is_empty(), "{}: {taken:?}", metric.name);
    }
}

/// Other programs and other controllers send to the same Alertmanager.
#[test]
fn alertmanager_mutes_and_groups_what_one_controller_tells_and_nothing_else() {
    let configuration: Value = serde_yaml::from_str(&read("deploy/monitoring/alertmanager.yml")).unwrap();
    let labels =
        |value: &Value| value.as_array().unwrap().iter().map(|label| label.as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let mut of_one_controller = vec![labels(&configuration["route"]["group_by"])];
    for rule in configuration["inhibit_rules"].as_array().unwrap() {
        let target = labels(&rule["target_matchers"]);
        assert!(target[0].starts_with("alertname=~\"Dhmc"), "{target:?}");
        of_one_controller.push(labels(&rule["equal"]));
    }
    assert_eq!(of_one_controller.len(), 3);
    for named in of_one_controller {
        assert!(["cluster", "namespace", "job"].iter().all(|label| named.iter().any(|name| name == label)), "{named:?}");
    }
}

/// People meet it in a notification, far from this repository. The owner is the one of the image.
const RUNBOOK: &str = "https://github.com/dhmc-controller/dhmc-controller/blob/main/docs/RUNBOOK.md";

#[test]
fn every_alert_has_a_test_and_a_heading_in_the_runbook() {
    let (alerts, tests, runbook) =
        (read("deploy/monitoring/alerts.yaml"), read("deploy/monitoring/alerts_test.yaml"), read("docs/RUNBOOK.md"));
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(!names.is_empty());
    for name in names {
        assert!(runbook.contains(&format!("\n## {name}\n")), "no heading: {name}");
        assert!(alerts.contains(&format!("runbook_url: {RUNBOOK}#{}\n", name.to_lowercase())), "no link: {name}");
        let silent = format!("alertname: {name}, exp_alerts: []");
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels");
        assert!(tests.contains(&silent) && tests.contains(&fires), "not tested both ways: {name}");
    }
}

/// An organization has no series of single targets: a rule that needs them would be silent there for ever.
#[test]
fn every_alert_about_targets_also_speaks_of_accounts_and_is_tested_for_both() {
    let (alerts, tests) = (read("deploy/monitoring/alerts.yaml"), read("deploy/monitoring/alerts_test.yaml"));
    let rules: Vec<(&str, &str)> = alerts.split("- alert: ").skip(1).filter_map(|rule| rule.split_once('\n')).collect();
    let mut of_both = Vec::new();
    for (name, rule) in rules {
        let of_targets = rule.contains("dhmc_target_last_observed") || rule.contains("dhmc_target_state");
        if !of_targets || rule.contains("{resource=\"organization\"") {
            continue;
        }
        // Events are counted by account in both modes: there, the target is only asked where it has series.
        let apart = "unless on (cluster, namespace, job, instance) dhmc_target_series_enabled == 1\n";
        let of_events = rule.contains("dhmc_corrections_total") && rule.contains(" dhmc_targets{state!=\"in_sync\"} > 0\n");
        let of_accounts = rule.contains(" or\n") && rule.contains(apart);
        assert!(of_accounts || of_events, "{name} is silent or doubled in one of the modes");
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels");
        assert!(tests.matches(&fires).count() >= 2, "{name} does not fire in both modes");
        of_both.push(name);
    }
    let expected = ["DhmcNotInSync", "DhmcBlocked", "DhmcAccountBlocked", "DhmcContended", "DhmcCorrectionFailing", "DhmcStale"];
    assert_eq!(of_both, expected);
}

#[test]
fn the_examples_the_readme_and_the_page_on_accounts_hold_valid_documents() {
    for name in ["config/minimal.yaml", "config/example.yaml", "deploy/iam/example.yaml"] {
        dhmc_controller::desired::load(read(name).as_bytes()).unwrap_or_else(|problems| panic!("{name}: {problems}"));
    }
    let accounts = read("docs/ACCOUNTS.md");
    let document = accounts.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    dhmc_controller::desired::load(document.as_bytes()).unwrap_or_else(|problems| panic!("docs/ACCOUNTS.md: {problems}"));
    let readme = read("README.md");
    let block = readme.split("   ```yaml\n").nth(1).and_then(|rest| rest.split("   ```").next()).unwrap();
    let lines: Vec<&str> = block.lines().map(|line| line.strip_prefix("   ").unwrap_or(line)).collect();
    let document = lines.join("\n");
    dhmc_controller::desired::load(document.as_bytes()).unwrap_or_else(|problems| panic!("README.md: {problems}"));
}

const WORKFLOW: &str = "deploy/github/dhmc.yaml";

/// The steps of each job that run something: the job, and what is run.
fn runs(workflow: &Value) -> Vec<(String, String)> {
    let mut runs = Vec::new();
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let steps = job["steps"].as_array().unwrap().iter().filter_map(|step| step["run"].as_str());
        runs.extend(steps.map(|run| (name.clone(), run.replace("\\\n", " "))));
    }
    runs
}

fn workflow() -> Value {
    serde_yaml::from_str(&read(WORKFLOW)).unwrap()
}

/// What is after the image is a command line of the controller.
#[test]
fn the_controller_understands_every_command_of_the_workflow() {
    let runs = runs(&workflow());
    let calls: Vec<&str> = runs.iter().filter_map(|(_, run)| run.split_once("\"$IMAGE\" ")).map(|(_, call)| call).collect();
    let mut commands = Vec::new();
    for call in calls {
        let words = call.split_whitespace().take_while(|word| !word.starts_with(['>', '|']));
        let words: Vec<&str> = words.map(|word| word.trim_matches('"')).collect();
        let understood = Cli::command().try_get_matches_from(["dhmc-controller"].iter().chain(&words));
        assert!(understood.is_ok(), "{call}: {}", understood.unwrap_err());
        commands.push(words[0]);
    }
    assert_eq!(commands, ["plan", "validate"]);
}

#[test]
fn the_workflow_runs_the_image_that_all_else_runs() {
    assert_eq!(workflow()["env"]["IMAGE"], concat!("ghcr.io/dhmc-controller/dhmc-controller:", env!("CARGO_PKG_VERSION")));
}

/// The text of a pull request must not become a part of a script.
#[test]
fn the_workflow_runs_no_text_of_the_pull_request() {
    for (job, run) in runs(&workflow()) {
        assert!(!run.contains("${{"), "{job}: {run}");
    }
}

#[test]
fn each_job_of_the_workflow_may_do_what_it_needs_and_a_fork_gets_no_credentials() {
    let workflow = workflow();
    assert_eq!(workflow["permissions"], json!({}));
    let (validate, plan) = (&workflow["jobs"]["validate"], &workflow["jobs"]["plan"]);
    assert_eq!(validate["permissions"], json!({ "contents": "read" }));
    assert_eq!(plan["permissions"], json!({ "contents": "read", "id-token": "write", "pull-requests": "write" }));
    assert_eq!(plan["if"], "github.event.pull_request.head.repo.full_name == github.repository");
    // `pull_request_target` would run with the rights of the base.
    assert_eq!(workflow["on"].as_object().unwrap().keys().collect::<Vec<_>>(), ["pull_request"]);
}
