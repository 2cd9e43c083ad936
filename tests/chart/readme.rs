//! The page of the chart has every value with its default, made of the comments in values.yaml.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{is_fresh, read};

const PAGE: &str = "deploy/chart/README.md";
/// Where in the page the generated part begins; it goes on to the end.
const BEGINNING: &str = "<!-- From here on generated of values.yaml. -->\n";

/// What is said of each value: comments that begin with `# --` are about the key that follows.
fn described(yaml: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut said = None;
    let mut told_at = None;
    for line in yaml.lines().filter(|line| !line.trim().is_empty()) {
        let (indent, text) = (line.len() - line.trim_start().len(), line.trim());
        if told_at.is_some_and(|at| indent > at) {
            continue;
        }
        told_at = None;
        if let Some(comment) = text.strip_prefix("# -- ") {
            said = Some(comment.to_owned());
            continue;
        }
        if text.starts_with('#') {
            said = None;
            continue;
        }
        let (key, value) = text.split_once(':').unwrap();
        above.retain(|(at, _)| *at < indent);
        above.push((indent, key.to_owned()));
        let path: Vec<&str> = above.iter().map(|(_, key)| key.as_str()).collect();
        match said.take() {
            Some(said) => {
                rows.push((path.join("."), said));
                told_at = Some(indent);
            }
            None => assert!(value.is_empty(), "{} is told nothing of: add `# -- ...` above it", path.join(".")),
        }
    }
    rows
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "mapping",
        Value::Array(_) => "list",
        Value::String(_) => "text",
        Value::Bool(_) => "yes or no",
        Value::Number(_) => "number",
        Value::Null => panic!("a default of nothing"),
    }
}

#[test]
fn the_page_of_the_chart_has_every_value_with_its_default() {
    let yaml = read("deploy/chart/values.yaml");
    let values: Value = serde_yaml::from_str(&yaml).unwrap();
    let rows = described(&yaml);
    assert!(rows.len() > 80, "{}", rows.len());
    let mut table = "| Value | Type | Default | Meaning |\n|---|---|---|---|\n".to_owned();
    for (path, said) in &rows {
        let value = values.pointer(&format!("/{}", path.replace('.', "/"))).unwrap();
        let default = serde_json::to_string(value).unwrap();
        writeln!(table, "| `{path}` | {} | `{default}` | {} |", kind(value), said.replace('|', "\\|")).unwrap();
    }
    let page = read(PAGE);
    let (head, _) = page.split_once(BEGINNING).unwrap();
    is_fresh(PAGE, &format!("{head}{BEGINNING}\n{table}"));
}
