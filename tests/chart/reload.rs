//! An edit of the desired state takes effect without a restart; and what an operator is told.

use std::fs;

use serde_json::Value;

use crate::{CHART, documents, helm, matrix, rendered, said};

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

/// As it may be cut out of a larger file.
#[test]
fn a_text_that_begins_with_spaces_or_an_empty_line_comes_through_as_it_is() {
    let document =
        "\n  # Indented.\n  apiVersion: dhmc.dev/v1alpha1\n  kind: HostManagement\n  spec: { regions: { eu-west-1: enabled } }\n";
    for text in [document, document.trim_start_matches('\n')] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dhmc.yaml");
        fs::write(&file, text).unwrap();
        for name in ["desiredState", "desiredStates.a\\.yaml"] {
            let objects = documents(&rendered(&["--set-file", &format!("{name}={}", file.display())]));
            let data = objects.iter().find(|object| object["kind"] == "ConfigMap").unwrap()["data"].as_object().unwrap();
            assert_eq!(data.values().next().unwrap(), text, "{name}");
        }
    }
}

/// `helm template` does not show them.
#[test]
fn what_helm_says_after_an_install_names_the_lease_the_role_and_the_half_hour() {
    let notes = |values: &str| {
        let file = format!("tests/chart/values/{values}.yaml");
        let output = helm(&["install", "dhmc-controller", CHART, "--namespace", "dhmc", "--dry-run=client", "--values", &file]);
        assert!(output.status.success(), "{values}: {}", said(&output));
        said(&output).split_once("\nNOTES:\n").unwrap().1.to_owned()
    };
    let irsa = notes("irsa");
    assert!(irsa.contains("arn:aws:iam::111122223333:role/dhmc-hub") && irsa.contains("system:serviceaccount:dhmc:dhmc."));
    assert!(irsa.contains("get lease dhmc-controller ") && irsa.contains("up to 30 minutes"));
    assert!(notes("git_sync_https").contains("create-pod-identity-association"));
    assert!(!notes("one_replica").contains("lease"));
    let foreign = notes("foreign_service_account");
    assert!(foreign.contains("was not made here") && !foreign.contains("no annotation"), "{foreign}");
    assert!(foreign.contains("app.kubernetes.io/name=dhmc-controller,app.kubernetes.io/instance=dhmc-controller "));
}
