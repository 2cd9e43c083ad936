//! The shipped dashboard: its panels, and what they ask of Prometheus.

use std::path::{Path, PathBuf};

use serde_json::Value;

pub(crate) fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring/dashboard.json")
}

pub(crate) fn dashboard() -> Value {
    serde_json::from_str(&std::fs::read_to_string(file()).unwrap()).unwrap()
}

/// Every panel but the rows.
pub(crate) fn panels(dashboard: &Value) -> Vec<&Value> {
    dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row").collect()
}

/// Every query with its panel: what it asks is `expr`.
pub(crate) fn queries(dashboard: &Value) -> Vec<(&Value, &Value)> {
    panels(dashboard).into_iter().flat_map(|panel| targets_of(panel).map(move |target| (panel, target))).collect()
}

fn targets_of(panel: &Value) -> impl Iterator<Item = &Value> {
    panel["targets"].as_array().into_iter().flatten()
}

/// What a dashboard's variables are chosen from: the series, and the label.
pub(crate) fn choices(dashboard: &Value) -> Vec<(&str, &str)> {
    let variables = dashboard["templating"]["list"].as_array().unwrap().iter();
    let queries = variables.filter_map(|variable| variable["query"]["query"].as_str());
    let asked = queries.map(|query| query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap());
    asked.map(|asked| asked.rsplit_once(", ").unwrap()).collect()
}

/// An expression as Grafana sends it, all of one job chosen.
pub(crate) fn filled(expr: &str, job: &str) -> String {
    let intervals = [("$__rate_interval", "15s"), ("$__interval", "15s"), ("$__range", "5m")];
    let choices = [("$cluster", ".*"), ("$namespace", ".*"), ("$job", job), ("$account", ".*"), ("$region", ".*")];
    let filled = intervals.into_iter().chain(choices).fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value));
    assert!(!filled.contains('$'), "a variable that nobody fills in: {expr}");
    filled
}
