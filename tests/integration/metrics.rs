//! What is served: real scrapes, held against the catalogue, the document and promtool.

use std::io::Write;
use std::process::{Command, Stdio};

use aws_sandbox::{Options, Sandbox};
use dhmc_controller::metrics::{CATALOGUE, TargetMetrics};

use crate::harness::{Controller, DEADLINE, Settings, get, request, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::VALUE;

/// What is not there while no organization is declared.
const OF_ORGANIZATIONS: [&str; 2] = ["dhmc_organization_accounts", "dhmc_organization_last_listed_timestamp_seconds"];
/// What begins with its first event, and nobody fights here.
const OF_FIGHTS: [&str; 1] = ["dhmc_contentions_total"];
/// What is not there without series of single targets.
const OF_TARGETS: [&str; 2] = ["dhmc_target_last_observed_timestamp_seconds", "dhmc_target_state"];

/// What begins with drift that is gone without having been corrected.
const OF_WHAT_IS_GONE: [&str; 1] = ["dhmc_drift_gone_total"];

async fn scrape_after_drift() -> (Controller, Sandbox, String) {
    scrape_with(TargetMetrics::Auto).await
}

async fn scrape_with(target_metrics: TargetMetrics) -> (Controller, Sandbox, String) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let spec = "{regions: {us-east-1: enabled, eu-west-1: {state: enabled, mode: observe}}}";
    let settings = Settings { target_metrics, ..Settings::default() };
    let controller = Controller::start_with(settings, spec, &sandbox.url(), &credentials_of(&sandbox)).await;
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

fn served(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# HELP ")?.split(' ').next()).collect();
    names.retain(|name| !name.starts_with("process_"));
    names.sort_unstable();
    names
}

fn documented_but(missing: &[&str]) -> Vec<&'static str> {
    let mut names: Vec<&str> = CATALOGUE.iter().map(|metric| metric.name).filter(|name| !missing.contains(name)).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn a_live_scrape_has_every_metric_of_the_catalogue_and_no_other() {
    let (controller, _sandbox, text) = scrape_after_drift().await;
    assert_eq!(served(&text), documented_but(&[&OF_ORGANIZATIONS[..], &OF_FIGHTS, &OF_WHAT_IS_GONE].concat()));
    controller.stop().await;
}

#[tokio::test]
async fn without_series_of_targets_a_scrape_tells_of_accounts_and_of_all_regions_at_once() {
    let (controller, _sandbox, text) = scrape_with(TargetMetrics::Never).await;
    assert_eq!(served(&text), documented_but(&[&OF_ORGANIZATIONS[..], &OF_TARGETS, &OF_FIGHTS, &OF_WHAT_IS_GONE].concat()));
    assert!(!text.contains("us-east-1") && !text.contains("eu-west-1"), "{text}");
    let labels = format!("account=\"{ACCOUNT}\",kind=\"setting_unset\",region=\"all\",resource=\"setting\"");
    for series in [
        format!("dhmc_targets{{account=\"{ACCOUNT}\",state=\"drifted\"}} 1"),
        format!("dhmc_targets{{account=\"{ACCOUNT}\",state=\"in_sync\"}} 3"),
        "dhmc_fleet_targets{state=\"in_sync\"} 3".to_owned(),
        "dhmc_target_series_enabled 0".to_owned(),
        format!("dhmc_drift_detected_total{{{labels}}} 2"),
        format!("dhmc_account_oldest_observed_timestamp_seconds{{account=\"{ACCOUNT}\"}} "),
    ] {
        assert!(text.lines().any(|line| line.starts_with(&series)), "{series} is not in:\n{text}");
    }
    controller.stop().await;
}

/// The sum of all series of a metric, or of those with a label.
fn sum(text: &str, metric: &str, label: &str) -> u64 {
    let series = text.lines().filter(|line| line.starts_with(metric) && line.contains(label));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// One region is corrected. Of the five that are only observed, one stays as it is, and each other is gone in another way. What is handed over,
/// the tests of leader election count.
#[tokio::test]
async fn detected_drift_is_corrected_or_gone_or_open() {
    const GONE: [&str; 4] = ["mended_by_others", "redeclared", "superseded", "undeclared"];
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let observed = |region: &str| format!("{region}: {{state: enabled, mode: observe}}");
    let spec = |regions: &[&str], more: &str| {
        let observed: Vec<String> = regions.iter().map(|region| observed(region)).collect();
        format!("{{regions: {{us-east-1: enabled, {}{more}}}}}", observed.join(", "))
    };
    let all = ["us-east-2", "us-west-1", "us-west-2", "eu-west-1", "eu-west-2"];
    let controller = Controller::start(&spec(&all, ""), &sandbox.url(), &credentials_of(&sandbox)).await;
    for region in all {
        controller.until(region, "drifted").await;
    }
    controller.until("us-east-1", "in_sync").await;
    sandbox.account(ACCOUNT).set_setting("us-east-2", VALUE, "somebody");
    sandbox.account(ACCOUNT).set_setting("us-west-1", "Theirs", "somebody");
    let text = async || get(&format!("{}/metrics", controller.url)).await.unwrap().body;
    let gone = async |reason: &str| sum(&text().await, "dhmc_drift_gone_total{", &format!("reason=\"{reason}\""));
    until("both are seen", DEADLINE, async || gone("mended_by_others").await + gone("superseded").await == 2).await;
    // One is not declared any more, and one so that what AWS has is right.
    controller.edit(&spec(&["us-east-2", "us-west-1", "eu-west-2"], ", us-west-2: {state: disabled, mode: observe}"));
    until("all ways are there", DEADLINE, async || {
        let text = text().await;
        GONE.iter().all(|reason| sum(&text, "dhmc_drift_gone_total{", &format!("reason=\"{reason}\"")) == 1)
    })
    .await;
    let text = text().await;
    let [detected, corrected, gone, open] = [
        sum(&text, "dhmc_drift_detected_total{", ""),
        sum(&text, "dhmc_corrections_total{", "result=\"corrected\""),
        sum(&text, "dhmc_drift_gone_total{", ""),
        sum(&text, "dhmc_drift_open{", ""),
    ];
    assert_eq!([detected, gone, open], [corrected + gone + open, 4, 2], "{text}");
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
async fn the_status_api_answers_what_is_asked_and_says_what_it_leaves_out() {
    let (controller, _sandbox, _) = scrape_after_drift().await;
    let ask = async |query: &str| {
        let answer = get(&format!("{}/api/v1/status?{query}", controller.url)).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()
    };
    let all = ask("").await;
    assert_eq!((&all["matching"], &all["leftOut"]), (&4.into(), &0.into()));
    assert_eq!(
        all["summary"],
        serde_json::json!({"in_sync": 3, "drifted": 1, "held": 0, "contended": 0, "blocked": 0, "unknown": 0})
    );
    assert_eq!(all["targets"].as_array().map(Vec::len), Some(4));
    let drifted = ask(&format!("account={ACCOUNT}&state=drifted,blocked&region=eu-west-1")).await;
    assert_eq!((&drifted["matching"], &drifted["targets"][0]["region"]), (&1.into(), &"eu-west-1".into()));
    let few = ask("limit=1").await;
    assert_eq!((&few["matching"], &few["leftOut"], few["targets"].as_array().map(Vec::len)), (&4.into(), &3.into(), Some(1)));
    let refused = get(&format!("{}/api/v1/status?states=drifted", controller.url)).await.unwrap();
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("account, region, state and limit"), "{}", refused.body);
    controller.stop().await;
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
