//! The schema of the values knows every value, and every document.

use dhmc_controller::desired::schema;
use serde_json::{Map, Value};

use crate::{is_fresh, read};

const SCHEMA: &str = "deploy/chart/values.schema.json";

/// What Helm cannot check is left out: its regular expressions count to 1,000. Only the external id is longer; and as Helm
/// repeats what it refuses, it had better not look at it.
fn for_helm(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("pattern").and_then(Value::as_str).is_some_and(|pattern| pattern.contains(",1224}")) {
                fields.remove("pattern");
            }
            fields.values_mut().for_each(for_helm);
        }
        Value::Array(items) => items.iter_mut().for_each(for_helm),
        _ => {}
    }
}

/// The document's own schema is a part of the values'.
#[test]
fn the_schema_of_the_values_has_the_schema_of_documents_in_it() {
    let mut document = schema::json();
    for_helm(&mut document);
    let fields = document.as_object_mut().unwrap();
    let Some(Value::Object(definitions)) = fields.remove("$defs") else { panic!("no definitions") };
    fields.remove("$schema");
    let mut ours: Value = serde_json::from_str(&read(SCHEMA)).unwrap();
    let all = ours["$defs"].as_object_mut().unwrap();
    all.insert("HostManagement".to_owned(), document);
    all.extend(definitions);
    is_fresh(SCHEMA, &(serde_json::to_string_pretty(&ours).unwrap() + "\n"));
}

fn fields<'a>(schema: &'a Value, root: &'a Value) -> Option<&'a Map<String, Value>> {
    let schema = match schema["$ref"].as_str() {
        Some(reference) => &root["$defs"][reference.strip_prefix("#/$defs/").unwrap()],
        None => schema,
    };
    if schema["additionalProperties"] == false { schema["properties"].as_object() } else { None }
}

fn compare(path: &str, values: &Value, schema: &Value, root: &Value) {
    let Some(known) = fields(schema, root) else { return };
    // Documents and quantities have keys of their own.
    for (key, value) in values.as_object().unwrap() {
        let known = known.get(key).unwrap_or_else(|| panic!("{path}.{key} is not in the schema"));
        compare(&format!("{path}.{key}"), value, known, root);
    }
    let optional = |key: &String| {
        path.starts_with(".probes") || (path.ends_with("resources") && key == "claims") || key == "global"
            // Of a parent chart's condition.
            || (path.is_empty() && key == "enabled")
    };
    for key in known.keys().filter(|key| !optional(key)) {
        assert!(path == ".strategy" || values.get(key).is_some(), "{path}.{key} is in the schema and has no default");
    }
}

#[test]
fn the_schema_has_every_value_and_no_other() {
    let values: Value = serde_yaml::from_str(&read("deploy/chart/values.yaml")).unwrap();
    let schema: Value = serde_json::from_str(&read(SCHEMA)).unwrap();
    assert!(values.as_object().unwrap().len() > 30);
    compare("", &values, &schema, &schema);
    jsonschema::validator_for(&schema).unwrap().validate(&values).unwrap();
}

/// So that no value is forgotten by the checks of what is rendered.
#[test]
fn the_set_of_values_that_has_everything_has_every_key() {
    let defaults: Value = serde_yaml::from_str(&read("deploy/chart/values.yaml")).unwrap();
    let everything: Value = serde_yaml::from_str(&read("tests/chart/values/everything.yaml")).unwrap();
    // Only one source of the desired state can be; and hardening is not to be changed.
    let elsewhere = ["desiredStates", "existingConfigMap", "gitSync", "podSecurityContext", "securityContext"];
    for key in defaults.as_object().unwrap().keys().filter(|key| !elsewhere.contains(&key.as_str())) {
        assert!(everything.get(key).is_some(), "{key}");
    }
}
