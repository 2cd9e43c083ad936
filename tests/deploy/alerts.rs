//! The alerts, held against the metrics, the runbook and their tests.

use std::process::Command;

use dhmc_controller::metrics::CATALOGUE;
use serde_json::Value;

use crate::{path, read};

/// What `promtool` tests them with.
pub(crate) const TESTS: [&str; 2] = ["deploy/monitoring/alerts_test.yaml", "deploy/monitoring/alerts_edges_test.yaml"];

fn promtool(arguments: &[&str]) {
    let output =
        Command::new("promtool").args(arguments).current_dir(path("")).output().expect("promtool is missing: run `make tools`");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn the_alerts_are_valid_and_fire_and_are_silent_as_their_tests_say() {
    promtool(&["check", "rules", "deploy/monitoring/alerts.yaml"]);
    promtool(&[&["test", "rules"], &TESTS[..]].concat());
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
    let (alerts, tests, runbook) = (read("deploy/monitoring/alerts.yaml"), TESTS.map(read).concat(), read("docs/RUNBOOK.md"));
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
    let (alerts, tests) = (read("deploy/monitoring/alerts.yaml"), TESTS.map(read).concat());
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
