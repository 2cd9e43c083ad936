//! No value is taken and not heard: each changes what is rendered, or is refused by its name.

use std::fs;

use serde_json::{Value, json};

use crate::kubernetes::is_valid;
use crate::{CHART, documents, helm, read, rendered, said};

/// Sets of values that between them set every value to something else than its default.
const BASES: [&str; 5] = ["everything", "git_sync_everything", "git_sync_ssh", "several_documents", "existing_configmap"];

fn yaml(name: &str) -> Value {
    serde_yaml::from_str(&read(name)).unwrap()
}

fn defaults() -> Value {
    yaml("deploy/chart/values.yaml")
}

/// The keys to each value of the chart; with those on the way there, if they count as well.
fn paths(values: &Value, above: &str, sections: bool) -> Vec<String> {
    let Some(fields) = values.as_object().filter(|fields| !fields.is_empty()) else { return vec![above.to_owned()] };
    let mut all: Vec<String> = if sections && !above.is_empty() { vec![above.to_owned()] } else { Vec::new() };
    for (key, value) in fields {
        all.extend(paths(value, &format!("{above}/{key}"), sections));
    }
    all
}

fn dotted(path: &str) -> String {
    path.trim_start_matches('/').replace('/', ".")
}

/// Puts a value there, or takes it out, so that the default counts.
fn put(values: &mut Value, path: &str, value: Option<Value>) {
    let (above, key) = path.rsplit_once('/').unwrap();
    let mut parent = values;
    for step in above.split('/').skip(1) {
        parent = &mut parent[step];
    }
    match value {
        Some(value) => parent[key] = value,
        None => drop(parent.as_object_mut().unwrap().remove(key)),
    }
}

/// The same set of values with that one changed, where it can be.
fn changed(base: &Value, path: &str, default: &Value) -> Option<Value> {
    let mut values = base.clone();
    let set = base.pointer(path);
    let to = match (set.unwrap_or(default), default) {
        (Value::Bool(is), _) => Some(json!(!is)),
        // Hardening is not to be changed, so that no set of values does.
        (_, Value::Number(_)) if path.contains("ecurityContext/") => Some(json!(10_001)),
        (_, Value::Array(_)) if path.contains("ecurityContext/") => Some(json!(["NET_RAW"])),
        (_, Value::String(_)) if path.contains("ecurityContext/") => Some(json!("Localhost")),
        _ if set.is_none_or(|set| set == default) => return None,
        _ => None,
    };
    put(&mut values, path, to);
    Some(values)
}

/// What helm makes of these values, or says of them.
fn outcome(values: &Value) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("values.yaml");
    fs::write(&file, values.to_string()).unwrap();
    let output = helm(&["template", "dhmc-controller", CHART, "--namespace", "dhmc", "--values", file.to_str().unwrap()]);
    if output.status.success() { Ok(String::from_utf8(output.stdout).unwrap()) } else { Err(said(&output)) }
}

fn is_heard(path: &str, bases: &[(Value, String)], defaults: &Value) -> bool {
    let default = defaults.pointer(path).unwrap();
    bases.iter().filter_map(|(base, before)| Some((changed(base, path, default)?, before))).any(|(values, before)| match outcome(
        &values,
    ) {
        Ok(after) => after != *before,
        Err(said) => said.contains("execution error") && said.contains(path.rsplit('/').next().unwrap()),
    })
}

#[test]
fn every_value_changes_what_is_rendered_or_is_refused_by_its_name() {
    let defaults = defaults();
    let bases = BASES.map(|name| yaml(&format!("tests/chart/values/{name}.yaml")));
    let bases = bases.map(|values| (values.clone(), outcome(&values).unwrap()));
    let paths = paths(&defaults, "", false);
    assert!(paths.len() > 110, "{}", paths.len());
    let (one, other) = paths.split_at(paths.len() / 2);
    let unheard = |paths: &[String]| -> Vec<String> {
        paths.iter().filter(|path| !is_heard(path, &bases, &defaults)).map(|path| dotted(path)).collect()
    };
    let unheard = std::thread::scope(|scope| {
        let (one, other) = (scope.spawn(|| unheard(one)), scope.spawn(|| unheard(other)));
        [one.join().unwrap(), other.join().unwrap()].concat()
    });
    assert!(unheard.is_empty(), "of no set of values, or without effect: {unheard:?}");
}

/// With nothing behind their names, as one does who has taken everything below out.
const EMPTIED: &str = "tests/chart/emptied.yaml";

#[test]
fn what_can_be_left_empty_is_without_it() {
    let sources: [&[&str]; 2] = [
        &["--set", "existingConfigMap=desired-state"],
        &["--set", "gitSync.enabled=true,gitSync.repo=https://git.example.com/a,gitSync.path=."],
    ];
    for source in sources {
        let objects = documents(&rendered(&[&["--values", EMPTIED], source].concat()));
        let objects: Vec<&Value> = objects.iter().filter(|object| object["kind"] != "ServiceMonitor").collect();
        assert!(objects.len() >= 7, "{}", objects.len());
        is_valid(&objects);
    }
}

#[test]
fn what_cannot_be_left_empty_is_refused_by_its_name() {
    let emptied = yaml(EMPTIED);
    let is_emptied = |path: &str| {
        let mut above = path;
        while !above.is_empty() {
            if emptied.pointer(above).is_some_and(Value::is_null) {
                return true;
            }
            above = above.rsplit_once('/').unwrap().0;
        }
        false
    };
    let needed: Vec<String> = paths(&defaults(), "", true).into_iter().filter(|path| !is_emptied(path)).collect();
    assert!(needed.len() > 40, "{}", needed.len());
    for path in needed {
        let mut values = json!({ "existingConfigMap": "desired-state" });
        let steps: Vec<&str> = path.split('/').skip(1).collect();
        let nothing = steps.iter().rev().fold(Value::Null, |below, key| json!({ *key: below }));
        values.as_object_mut().unwrap().extend(nothing.as_object().unwrap().clone());
        let said = outcome(&values).expect_err(&path);
        let dotted = dotted(&path);
        assert!(said.contains("is empty. Leave it out") && said.contains(&dotted), "{dotted}: {said}");
    }
}
