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

/// What one panel asks.
pub(crate) struct Query {
    pub(crate) panel: String,
    pub(crate) expr: String,
    pub(crate) legend: String,
}

pub(crate) fn queries(dashboard: &Value) -> Vec<Query> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut queries = Vec::new();
    for panel in panels(dashboard) {
        for target in panel["targets"].as_array().into_iter().flatten() {
            queries.push(Query {
                panel: text(&panel["title"]),
                expr: text(&target["expr"]),
                legend: text(&target["legendFormat"]),
            });
        }
    }
    queries
}

/// An expression as Grafana sends it, all accounts and regions chosen.
pub(crate) fn filled(expr: &str, job: &str) -> String {
    let intervals = [("$__rate_interval", "15s"), ("$__interval", "15s"), ("$__range", "5m")];
    let choices = [("$job", job), ("$account", ".*"), ("$region", ".*")];
    let filled = intervals.into_iter().chain(choices).fold(expr.to_owned(), |expr, (name, value)| expr.replace(name, value));
    assert!(!filled.contains('$'), "a variable that nobody fills in: {expr}");
    filled
}
