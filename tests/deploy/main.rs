//! What ships beside the binary, held against the code: alerts, runbook, examples. Policies are held in `iam.rs`.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by ending")]

mod alerts;
mod mutants;

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use dhmc_controller::cli::Cli;
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
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
