//! The chart's alerts are those of deploy/monitoring.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::{Case, is_fresh, read, said};

const SOURCE: &str = "deploy/monitoring/alerts.yaml";

/// Helm reads nothing outside the chart.
#[test]
fn the_alerts_in_the_chart_are_a_copy() {
    is_fresh("deploy/chart/files/alerts.yaml", &read(SOURCE));
}

#[test]
fn the_rule_has_the_alerts_word_by_word_and_prometheus_takes_it() {
    let source: Value = serde_yaml::from_str(&read(SOURCE)).unwrap();
    assert!(read(SOURCE).contains("{{"), "otherwise nothing is shown about what Helm would expand");
    for name in ["monitoring", "everything"] {
        let case = Case::named(name);
        let rule = case.the("PrometheusRule");
        assert_eq!(rule["apiVersion"], "monitoring.coreos.com/v1");
        assert_eq!(rule["spec"], source, "{name}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rules.yaml");
        fs::write(&file, rule["spec"].to_string()).unwrap();
        let output = Command::new("promtool").args(["check", "rules"]).arg(&file).output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
    }
}
