//! Each rule with one mistake in it has to fail its tests: otherwise they would not notice the mistake.

use std::process::Command;
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};

use crate::alerts::TESTS;
use crate::read;

/// The alert, what it says, and what it would say by mistake.
const MUTANTS: &[(&str, &str, &str)] = &[
    ("DhmcNotInSync", "resource!=\"organization\",state=~\"drifted|unknown\"", "resource!=\"organization\",state=\"drifted\""),
    ("DhmcNotInSync", "resource!=\"organization\",state=~\"drifted|unknown\"", "resource!=\"organization\",state=\"unknown\""),
    ("DhmcNotInSync", "account!=\"organization\",state=~\"drifted|unknown\"", "account!=\"organization\",state=\"drifted\""),
    ("DhmcNotInSync", "account!=\"organization\",state=~\"drifted|unknown\"", "account!=\"organization\",state=\"unknown\""),
    ("DhmcNotInSync", "unless on (cluster, namespace, job, instance) dhmc_guard_held > 0", ""),
    ("DhmcNotInSync", "unless min_over_time(dhmc_target_state{state=\"blocked\"}[5m]) == 1", ""),
    ("DhmcNotInSync", "unless min_over_time(dhmc_targets{state=\"blocked\"}[5m]) > 0", ""),
    ("DhmcNotInSync", "for: 15m", "for: 19m"),
    ("DhmcNotInSync", "        keep_firing_for: 5m\n", ""),
    ("DhmcBlocked", "role|setting", "role"),
    ("DhmcBlocked", "for: 5m", "for: 3m"),
    ("DhmcBlocked", "cluster, namespace, job, instance", "job, instance"),
    ("DhmcAccountBlocked", "cluster, namespace, job, instance", "job, instance"),
    ("DhmcAccountBlocked", "for: 15m", "for: 5m"),
    ("DhmcChangeHeld", "> 0", "> 5"),
    ("DhmcChangeHeld", "for: 1m", "for: 9m"),
    ("DhmcContended", "for: 1m", "for: 9m"),
    ("DhmcContended", "        keep_firing_for: 5m\n", ""),
    ("DhmcOrganizationHeld", "for: 5m", "for: 1m"),
    ("DhmcOrganizationDrifted", "for: 5m", "for: 1m"),
    ("DhmcOrganizationUnread", "for: 30m", "for: 25m"),
    ("DhmcCorrectionFailing", "{result=\"failed\"}[30m]", "[30m]"),
    ("DhmcCorrectionFailing", "or dhmc_corrections_total{result=\"failed\"} unless", "unless"),
    (
        "DhmcCorrectionFailing",
        "last_over_time(dhmc_corrections_total{result=\"failed\"}[10m] offset 30m)",
        "dhmc_corrections_total offset 30m",
    ),
    ("DhmcCorrectionFailing", "and on (cluster, namespace, job, instance, account) dhmc_targets{state!=\"in_sync\"} > 0", ""),
    ("DhmcDriftDetected", "increase(dhmc_drift_detected_total[1h]) > 0\n            or ", ""),
    ("DhmcDriftDetected", "last_over_time(dhmc_drift_detected_total[10m] offset 1h)", "dhmc_drift_detected_total offset 1h"),
    ("DhmcConfigurationRejected", "min without", "max without"),
    ("DhmcConfigurationRejected", "for: 5m", "for: 0m"),
    ("DhmcStale", "> 3600\n            unless", "> 300\n            unless"),
    ("DhmcStale", "3600", "5300"),
    ("DhmcStale", "blocked|unknown", "unknown"),
    (
        "DhmcStale",
        "min_over_time(dhmc_target_state{state=~\"blocked|unknown\"}[15m])",
        "dhmc_target_state{state=~\"blocked|unknown\"}",
    ),
    ("DhmcStale", "min_over_time(dhmc_targets{state=~\"blocked|unknown\"}[15m])", "dhmc_targets{state=~\"blocked|unknown\"}"),
    ("DhmcThrottled", "> 0.05", "> 0.2"),
    ("DhmcThrottled", "> 0.05", "> 0.045"),
    ("DhmcNoLeader", "for: 2m", "for: 5m"),
    ("DhmcNoLeader", "max by (cluster, namespace, job)", "max without (instance, pod, node)"),
    ("DhmcTwoLeaders", "by (cluster, namespace, job, instance, account)", "without (state)"),
    ("DhmcTwoLeaders", "organization|own", "own"),
    ("DhmcTwoLeaders", "for: 6m", "for: 2m"),
    ("DhmcAbsent", "by (cluster, namespace, job)", "by (namespace, job)"),
];

/// The one rule, with the mistake in it.
fn mutant(rules: &str, (name, says, instead): (&str, &str, &str)) -> Value {
    let start = rules.find(&format!("      - alert: {name}\n")).unwrap();
    let rule = &rules[start..];
    let rule = &rule[..rule[1..].find("      - alert: ").map_or(rule.len(), |next| next + 1)];
    assert!(rule.contains(says), "{name} does not say {says}");
    serde_yaml::from_str(&rule.replace(says, instead)).unwrap()
}

/// The tests of a file that ask for an alert, and ask for nothing else.
fn tests_of(file: &str, alert: &str) -> Vec<Value> {
    let file: Value = serde_yaml::from_str(&read(file)).unwrap();
    let asks = |mut test: Value| {
        let asked = test["alert_rule_test"].as_array_mut().unwrap();
        asked.retain(|asked| asked["alertname"] == alert);
        (!asked.is_empty()).then_some(test)
    };
    file["tests"].as_array().unwrap().iter().cloned().filter_map(asks).collect()
}

/// Whether a file's tests hold. What Prometheus does not even read would be no mutant.
fn holds(rule: &Value, tests: &[Value]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: Value| std::fs::write(folder.path().join(name), value.to_string()).unwrap();
    write("rules.yaml", json!({ "groups": [{ "name": "dhmc", "rules": rule }] }));
    write("test.yaml", json!({ "rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests }));
    let promtool = |arguments: [&str; 3]| Command::new("promtool").args(arguments).current_dir(folder.path()).output().unwrap();
    assert!(promtool(["check", "rules", "rules.yaml"]).status.success(), "{rule}");
    promtool(["test", "rules", "test.yaml"]).status.success()
}

#[test]
fn a_rule_with_a_mistake_in_it_fails_its_tests() {
    let rules = read("deploy/monitoring/alerts.yaml");
    let [ordinary, edges] = TESTS;
    let (left, unnoticed) = (Mutex::new(MUTANTS.iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, Into::into) {
            scope.spawn(|| {
                loop {
                    let Some(&one) = left.lock().unwrap().next() else { break };
                    let rule = mutant(&rules, one);
                    if [edges, ordinary].iter().all(|file| holds(&rule, &tests_of(file, one.0))) {
                        unnoticed.lock().unwrap().push(one);
                    }
                }
            });
        }
    });
    let unnoticed = unnoticed.into_inner().unwrap();
    assert!(unnoticed.is_empty(), "{unnoticed:#?}");
}
