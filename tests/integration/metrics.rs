//! What is served: real scrapes, held against the catalogue, the document and promtool.

use std::io::Write;
use std::process::{Command, Stdio};

use aws_sandbox::{Options, Sandbox};
use dhmc_controller::metrics::CATALOGUE;

use crate::harness::{Controller, get, request};
use crate::referee::{ACCOUNT, credentials_of};

async fn scrape_after_drift() -> (Controller, Sandbox, String) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let spec = "{regions: {us-east-1: enabled, eu-west-1: {state: enabled, mode: observe}}}";
    let controller = Controller::start(spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    controller.until("eu-west-1", "drifted").await;
    let answer = get(&format!("{}/metrics", controller.url)).await.unwrap();
    assert!(answer.head.to_lowercase().contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    (controller, sandbox, answer.body)
}

#[tokio::test]
async fn promtool_finds_nothing_to_say_about_a_live_scrape() {
    let (controller, _sandbox, text) = scrape_after_drift().await;
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing: run `make tools`");
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr).trim(), "");
    controller.stop().await;
}

#[tokio::test]
async fn a_live_scrape_has_every_metric_of_the_catalogue_and_no_other() {
    let (controller, _sandbox, text) = scrape_after_drift().await;
    let mut served: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    served.retain(|name| !name.starts_with("process_"));
    served.sort_unstable();
    let mut documented: Vec<&str> = CATALOGUE.iter().map(|metric| metric.name).collect();
    documented.sort_unstable();
    assert_eq!(served, documented);
    controller.stop().await;
}

#[tokio::test]
async fn a_target_is_in_exactly_one_state() {
    let (controller, _sandbox, text) = scrape_after_drift().await;
    for region in ["us-east-1", "eu-west-1", "global"] {
        let prefix = format!("dhmc_target_state{{account=\"{ACCOUNT}\",region=\"{region}\"");
        let ones = text.lines().filter(|line| line.starts_with(&prefix) && line.ends_with(" 1")).count();
        // Account and role are both global.
        assert_eq!(ones, if region == "global" { 2 } else { 1 }, "{region}");
    }
    let drifted =
        format!("dhmc_target_state{{account=\"{ACCOUNT}\",region=\"eu-west-1\",resource=\"setting\",state=\"drifted\"}} 1");
    assert!(text.contains(&drifted));
    controller.stop().await;
}

#[test]
fn the_document_lists_every_metric_with_its_help_and_labels() {
    let document = include_str!("../../docs/METRICS.md");
    let expected: Vec<String> = CATALOGUE
        .iter()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            format!("| `{}` | {} | {} |", metric.name, labels.join(", "), metric.help.trim())
        })
        .collect();
    let listed: Vec<&str> = document.lines().filter(|line| line.starts_with("| `dhmc_")).collect();
    assert_eq!(listed, expected, "docs/METRICS.md should have exactly these rows:\n{}", expected.join("\n"));
}

#[tokio::test]
async fn other_paths_and_methods_are_refused() {
    let (controller, _sandbox, _) = scrape_after_drift().await;
    assert_eq!(get(&format!("{}/nothing", controller.url)).await.unwrap().status, 404);
    for path in ["metrics", "livez", "readyz", "api/v1/status"] {
        assert_eq!(request("POST", &format!("{}/{path}", controller.url)).await.unwrap().status, 405, "{path}");
    }
    controller.stop().await;
}
