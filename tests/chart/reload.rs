//! An edit of the desired state takes effect without a restart.

use std::fs;

use serde_json::Value;

use crate::{documents, matrix, rendered};

#[test]
fn an_edit_of_the_desired_state_changes_the_config_map_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let with = |region: &str| {
        let file = folder.path().join(region);
        fs::write(
            &file,
            format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  regions: {{ {region}: enabled }}\n"),
        )
        .unwrap();
        documents(&rendered(&["--set-file", &format!("desiredState={}", file.display())]))
    };
    let (before, after) = (with("eu-west-1"), with("us-east-1"));
    assert_eq!(before.len(), after.len());
    let changed: Vec<&Value> =
        before.iter().zip(&after).filter(|(one, other)| one != other).map(|(one, _)| &one["kind"]).collect();
    assert_eq!(changed, ["ConfigMap"]);
}

/// What is mounted by a subPath is never brought up to date, and what has a checksum is restarted.
#[test]
fn the_config_map_is_mounted_as_a_directory_and_no_checksum_restarts_the_pods() {
    for case in matrix() {
        for mount in case.controller()["volumeMounts"].as_array().unwrap() {
            assert!(mount.get("subPath").is_none() && mount.get("subPathExpr").is_none(), "{}: {mount}", case.name);
        }
        let volumes = case.pod()["volumes"].as_array().unwrap();
        assert!(volumes.iter().all(|volume| volume["configMap"].get("items").is_none()), "{}", case.name);
        let annotations = case.the("Deployment")["spec"]["template"]["metadata"]["annotations"].as_object().unwrap();
        for name in annotations.keys() {
            assert!(!name.contains("checksum") && !name.contains("hash"), "{}: {name}", case.name);
        }
    }
    for config_map in matrix().iter().flat_map(|case| case.of_kind("ConfigMap")) {
        assert!(config_map.get("immutable").is_none());
    }
}

#[test]
fn the_text_of_a_document_comes_through_as_it_is() {
    let text = crate::Case::named("text").the("ConfigMap")["data"]["dhmc.yaml"].as_str().unwrap().to_owned();
    let values: Value = serde_yaml::from_str(&crate::read("tests/chart/values/text.yaml")).unwrap();
    assert_eq!(text.trim_end(), values["desiredState"].as_str().unwrap().trim_end());
    assert!(text.starts_with("# As Git has it"));
}
