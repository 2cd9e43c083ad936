//! The dashboard and the alerts, held against the metrics that there are, and against Grafana's own types.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by ending")]

mod answers;
mod panels;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use dhmc_controller::metrics::CATALOGUE;
use panels::{choices, dashboard, filled, panels, queries};
use serde_json::{Value, json};

/// What Prometheus knows a target by. Where nobody sets a cluster or a namespace, they are the same everywhere.
const OF_EVERY_SCRAPE: [&str; 4] = ["cluster", "namespace", "job", "instance"];
/// What the alerts leave out where somebody's set-up gives it.
const OF_SOME_SCRAPES: [&str; 3] = ["pod", "node", "le"];
/// What the client library serves along with ours (docs/METRICS.md).
const OF_THE_PROCESS: [&str; 2] = ["process_resident_memory_bytes", "process_cpu_seconds_total"];

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The labels of a metric; of the parts of a histogram too.
fn labels_of(name: &str) -> Option<Vec<&'static str>> {
    if OF_THE_PROCESS.contains(&name) {
        return Some(Vec::new());
    }
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part)).unwrap_or(name);
    let metric = CATALOGUE.iter().find(|metric| metric.name == base || metric.name == name)?;
    let bucket = name.ends_with("_bucket").then_some("le");
    Some(metric.labels.iter().copied().chain(bucket).collect())
}

/// An expression without its strings, which may hold anything.
fn without_strings(expr: &str) -> String {
    expr.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

/// Every metric of an expression, with the labels that it is selected by.
fn selectors(expr: &str) -> Vec<(String, Vec<String>)> {
    let bare = without_strings(expr);
    let mut found = Vec::new();
    let mut rest = bare.as_str();
    while let Some(start) = rest.find(is_word) {
        let (word, after) = rest[start..].split_at(rest[start..].find(|c| !is_word(c)).unwrap_or(rest.len() - start));
        rest = after;
        if !["dhmc_", "process_"].iter().any(|prefix| word.starts_with(prefix)) {
            continue;
        }
        let selected = after.strip_prefix('{').and_then(|inside| inside.split_once('}')).map_or("", |(inside, _)| inside);
        found.push((word.to_owned(), words(selected).map(str::to_owned).collect()));
    }
    found
}

/// The labels that an expression groups or matches by.
fn grouped(expr: &str) -> Vec<String> {
    let bare = without_strings(expr);
    let mut found = Vec::new();
    for keyword in ["by (", "on (", "without ("] {
        for part in bare.split(keyword).skip(1) {
            found.extend(words(part.split(')').next().unwrap()).map(str::to_owned));
        }
    }
    found
}

/// What is wrong with the names in an expression.
fn unknown_names(expr: &str, of_the_scrape: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut known: BTreeSet<&str> = of_the_scrape.iter().copied().collect();
    for (metric, selected) in selectors(expr) {
        let Some(labels) = labels_of(&metric) else {
            problems.push(format!("no such metric: {metric}"));
            continue;
        };
        let stranger = |label: &&String| !labels.contains(&label.as_str()) && !of_the_scrape.contains(&label.as_str());
        problems.extend(selected.iter().filter(stranger).map(|label| format!("{metric} has no label {label}")));
        known.extend(labels);
    }
    problems
        .extend(grouped(expr).iter().filter(|label| !known.contains(label.as_str())).map(|label| format!("no label {label}")));
    problems
}

fn alert_expressions() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring/alerts.yaml")).unwrap();
    let alerts: Value = serde_yaml::from_str(&text).unwrap();
    let rules = alerts["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    rules.map(|rule| (rule["alert"].as_str().unwrap().to_owned(), rule["expr"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn every_metric_and_label_of_the_dashboard_exists() {
    let dashboard = dashboard();
    for (panel, query) in queries(&dashboard) {
        let (title, expr) = (&panel["title"], query["expr"].as_str().unwrap());
        let problems = unknown_names(expr, &OF_EVERY_SCRAPE);
        assert!(problems.is_empty(), "{title}: {problems:?}: {expr}");
        // What a legend shows has to be left by the expression; count_values makes a label of its own.
        let made = expr.contains("count_values").then(|| expr.split('"').nth(1).unwrap().to_owned());
        let left: Vec<String> = grouped(expr).into_iter().chain(made).chain(["instance".to_owned()]).collect();
        let legend = query["legendFormat"].as_str().unwrap();
        for label in legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap()) {
            assert!(left.iter().any(|known| known == label), "{title}: nothing is left of {label}: {expr}");
        }
    }
    let choices = choices(&dashboard);
    assert_eq!(choices.len(), 5);
    for (series, label) in choices {
        let problems = unknown_names(&format!("sum by ({label}) ({series})"), &OF_EVERY_SCRAPE);
        assert!(problems.is_empty(), "{problems:?}: {series}");
    }
}

#[test]
fn every_metric_and_label_of_the_alerts_exists() {
    for (name, expr) in alert_expressions() {
        let problems = unknown_names(&expr, &[&OF_EVERY_SCRAPE[..], &OF_SOME_SCRAPES].concat());
        assert!(problems.is_empty(), "{name}: {problems:?}");
    }
}

/// Two controllers may share all but one of these.
#[test]
fn every_query_asks_for_the_chosen_cluster_namespace_and_job_and_all_of_them_has_those_without() {
    let dashboard = dashboard();
    let chosen = ["cluster=~\"$cluster\"", "namespace=~\"$namespace\"", "job=~\"$job\""].join(",");
    for (panel, query) in queries(&dashboard) {
        let expr = query["expr"].as_str().unwrap();
        let asked = expr.matches(&format!("{{{chosen}")).count();
        assert_eq!(asked, selectors(expr).len(), "{}: {expr}", panel["title"]);
    }
    for variable in dashboard["templating"]["list"].as_array().unwrap().iter().filter(|variable| variable["type"] == "query") {
        assert_eq!((&variable["includeAll"], &variable["allValue"]), (&json!(true), &json!(".*")), "{}", variable["name"]);
    }
}

#[test]
fn names_that_do_not_exist_are_found() {
    let problems = |expr| unknown_names(expr, &OF_EVERY_SCRAPE).len();
    assert_eq!(problems("sum by (state) (dhmc_targets{account=\"dhmc_nothing\"})"), 0);
    assert_eq!(problems("sum(dhmc_nothing)"), 1);
    assert_eq!(problems("sum(dhmc_targets{region=\"a\"})"), 1);
    assert_eq!(problems("sum by (state, region) (dhmc_targets)"), 1);
    assert_eq!(problems("sum by (le) (dhmc_reconcile_duration_seconds_bucket)"), 0);
    assert_eq!(problems("sum by (le) (dhmc_reconcile_duration_seconds_sum)"), 1);
}

#[test]
fn promtool_understands_every_query_of_the_dashboard() {
    let rules: Vec<Value> = queries(&dashboard())
        .iter()
        .enumerate()
        .map(|(number, (_, query))| json!({ "record": format!("query:{number}"), "expr": filled(query["expr"].as_str().unwrap(), ".*") }))
        .collect();
    assert!(rules.len() > 20, "{}", rules.len());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rules.yaml");
    std::fs::write(&file, json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string()).unwrap();
    let output =
        Command::new("promtool").args(["check", "rules"]).arg(&file).output().expect("promtool is missing: run `make tools`");
    assert!(output.status.success(), "{}", said(&output));
}

/// Types that do not know a field drop it: what comes out has to be what went in.
#[test]
fn grafanas_own_types_know_every_field_of_the_dashboard() {
    const SCRIPT: &str = "
import json, sys
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models import dashboard
plugins.register_default_plugins()
read = dashboard.Dashboard.from_json(json.load(open(sys.argv[1])))
print(encoder.JSONEncoder().encode(read))
";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/venv/bin/python");
    let output =
        Command::new(python).args(["-c", SCRIPT]).arg(panels::file()).output().expect("python is missing: run `make tools`");
    assert!(output.status.success(), "{}", said(&output));
    let known: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut lost = Vec::new();
    collect_lost(&dashboard(), &known, "", &mut lost);
    assert!(lost.is_empty(), "{lost:#?}");
}

fn collect_lost(mine: &Value, known: &Value, path: &str, lost: &mut Vec<String>) {
    match (mine, known) {
        (Value::Object(mine), Value::Object(known)) => {
            for (key, value) in mine {
                collect_lost(value, known.get(key).unwrap_or(&Value::Null), &format!("{path}/{key}"), lost);
            }
        }
        (Value::Array(mine), Value::Array(known)) if mine.len() == known.len() => {
            for (index, (mine, known)) in mine.iter().zip(known).enumerate() {
                collect_lost(mine, known, &format!("{path}/{index}"), lost);
            }
        }
        _ if mine == known || mine.as_f64().is_some_and(|mine| known.as_f64() == Some(mine)) => {}
        _ => lost.push(format!("{path}: {mine} is {known}")),
    }
}

#[test]
fn every_panel_has_an_id_of_its_own_a_title_and_a_description() {
    let dashboard = dashboard();
    let all = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = all.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), all.len());
    let titles: BTreeSet<&str> = all.iter().map(|panel| panel["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), all.len(), "two panels of one title");
    for panel in panels(&dashboard) {
        let title = panel["title"].as_str().unwrap();
        assert!(!title.is_empty() && panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title}");
    }
}

#[test]
fn no_panel_lies_over_another_or_beside_the_page() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let of = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        assert!(of("x") + of("w") <= 24, "{}", panel["title"]);
        for place in (of("y")..of("y") + of("h")).flat_map(|y| (of("x")..of("x") + of("w")).map(move |x| (x, y))) {
            assert!(taken.insert(place), "{} lies over another panel", panel["title"]);
        }
    }
}

#[test]
fn the_dashboard_names_no_data_source_of_its_own() {
    fn data_sources<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("datasource"));
                fields.values().for_each(|field| data_sources(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| data_sources(item, found)),
            _ => {}
        }
    }
    let dashboard = dashboard();
    let mut found = Vec::new();
    data_sources(&dashboard, &mut found);
    assert!(found.len() > 20);
    for one in found {
        assert_eq!(one, &json!({ "type": "prometheus", "uid": "${datasource}" }));
    }
}
