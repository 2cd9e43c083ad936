//! The Role and the `RoleBinding` as they ship, for people without Helm.

use serde_json::Value;

/// Where the manifests are.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/kubernetes");

/// What the rendered manifests allow the controller in the cluster.
pub fn rights() -> Vec<Value> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(FOLDER).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        for document in serde_yaml::Deserializer::from_str(&text) {
            let manifest: Value = serde::Deserialize::deserialize(document).unwrap();
            if ["Role", "RoleBinding"].iter().any(|kind| manifest["kind"] == *kind) {
                found.push(manifest);
            }
        }
    }
    assert_eq!(found.len(), 2, "one Role and its RoleBinding: {found:?}");
    found
}

/// Whom they are for.
pub fn subject() -> (String, String) {
    let rights = rights();
    let binding = rights.iter().find(|manifest| manifest["kind"] == "RoleBinding").unwrap();
    let subject = &binding["subjects"][0];
    let namespace = binding["metadata"]["namespace"].as_str().or(subject["namespace"].as_str()).unwrap();
    (namespace.to_owned(), subject["name"].as_str().unwrap().to_owned())
}
