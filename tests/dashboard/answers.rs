//! What panels answer where a count is not what it seems: a scrape that failed, a restart, a replica that stands by.

use std::process::Command;

use serde_json::{Value, json};

use crate::panels::{dashboard, filled, queries};
use crate::said;

/// What a panel answers at a time, of series that are scraped every 15 seconds.
fn answers(title: &str, series: &[(&str, &str)], at: &str, expected: &[(&str, u32)]) {
    let dashboard = dashboard();
    let queries = queries(&dashboard);
    let (_, query) = queries.iter().find(|(panel, _)| panel["title"] == title).unwrap();
    let series: Vec<Value> = series.iter().map(|(series, values)| json!({ "series": series, "values": values })).collect();
    let samples: Vec<Value> = expected.iter().map(|(labels, value)| json!({ "labels": labels, "value": value })).collect();
    let expr = filled(query["expr"].as_str().unwrap(), ".*");
    let asked = json!({ "expr": expr, "eval_time": at, "exp_samples": samples });
    let test = json!({ "interval": "15s", "input_series": series, "promql_expr_test": [asked] });
    // Samples are loaded up to the last evaluation.
    let test = json!({ "evaluation_interval": "15s", "tests": [test] });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("test.yaml");
    std::fs::write(&file, test.to_string()).unwrap();
    let output =
        Command::new("promtool").args(["test", "rules"]).arg(file).output().expect("promtool is missing: run `make tools`");
    assert!(output.status.success(), "{title} at {at}: {}", said(&output));
}

#[test]
fn a_failed_scrape_shows_no_event_and_a_restart_shows_those_since() {
    let panels = [
        ("Drift detected", "dhmc_drift_detected_total", "kind"),
        ("Corrections", "dhmc_corrections_total", "result"),
        ("Drift gone without a correction", "dhmc_drift_gone_total", "reason"),
    ];
    for (title, metric, label) in panels {
        let (series, sum) = (format!("{metric}{{{label}=\"a\"}}"), format!("{{{label}=\"a\"}}"));
        answers(title, &[(&series, "7x40 stale 7x40")], "10m30s", &[(&sum, 0)]);
        answers(title, &[(&series, "7x40 stale 7x40")], "10m45s", &[(&sum, 0)]);
        answers(title, &[(&series, "7x40 9x40")], "10m15s", &[(&sum, 2)]);
        answers(title, &[(&series, "7x40 _x8 2x40")], "12m15s", &[(&sum, 2)]);
        answers(title, &[(&series, "7x40 _x8 2x40")], "12m30s", &[(&sum, 0)]);
    }
    let (series, sum) = ("dhmc_contentions_total{account=\"1\"}", "{account=\"1\"}");
    answers("Corrections put off", &[(series, "7x40 stale 7x40")], "10m30s", &[(sum, 0)]);
}

#[test]
fn where_it_drifted_knows_of_replicas_that_are_gone_and_of_counts_from_before_a_restart() {
    let series = [
        ("dhmc_drift_detected_total{instance=\"old\",account=\"1\"}", "_x10 1x10 stale"),
        ("dhmc_drift_detected_total{instance=\"new\",account=\"1\"}", "_x24 2x10"),
        ("dhmc_drift_detected_total{instance=\"new\",account=\"2\"}", "5x20 6x2 1x20"),
        ("dhmc_drift_detected_total{instance=\"new\",account=\"3\"}", "4x60"),
    ];
    answers("Where it drifted", &series, "7m", &[("{account=\"1\"}", 3), ("{account=\"2\"}", 2)]);
}

#[test]
fn what_has_series_is_told_by_the_leader() {
    let series = [
        ("dhmc_target_series_enabled{job=\"a\",instance=\"leader\"}", "0x10"),
        ("dhmc_target_series_enabled{job=\"a\",instance=\"follower\"}", "1x10"),
        ("dhmc_leader{job=\"a\",instance=\"leader\"}", "1x10"),
        ("dhmc_leader{job=\"a\",instance=\"follower\"}", "0x10"),
    ];
    answers("Series of", &series, "2m", &[("{job=\"a\"}", 0)]);
}
