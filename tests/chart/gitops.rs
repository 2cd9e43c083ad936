//! docs/GITOPS.md: every block is what its tool takes, as far as it can be seen here.

use std::fs;

use serde_json::Value;

use crate::{documents, read, rendered};

const PAGE: &str = "docs/GITOPS.md";

/// Every YAML block of the page, each with all its documents.
fn blocks() -> Vec<Vec<Value>> {
    let page = read(PAGE);
    let blocks = page.split("```yaml\n").skip(1).map(|rest| documents(rest.split("\n```").next().unwrap()));
    blocks.collect()
}

fn all() -> Vec<Value> {
    blocks().concat()
}

#[test]
fn every_yaml_block_of_the_page_is_yaml_and_says_what_it_is() {
    let objects = all();
    assert!(objects.len() >= 8, "{}", objects.len());
    for object in &objects {
        assert!(object["apiVersion"].is_string() && object["kind"].is_string(), "{object}");
    }
    for kind in ["GitRepository", "HelmRelease", "Kustomization", "Application", "HostManagement"] {
        assert!(objects.iter().any(|object| object["kind"] == kind), "{kind}");
    }
}

/// The values that a `HelmRelease` of Flux and an Application of Argo CD give to the chart.
fn values(object: &Value) -> Option<&Value> {
    let sources = object["spec"]["sources"].as_array().into_iter().flatten();
    let of_argo = sources.chain([&object["spec"]["source"]]).find_map(|source| source["helm"].get("valuesObject"));
    match object["kind"].as_str().unwrap() {
        "HelmRelease" => object["spec"].get("values"),
        "Application" => of_argo,
        _ => None,
    }
}

#[test]
fn the_chart_takes_the_values_that_the_page_shows() {
    let (mut flux, mut argo) = (0, 0);
    for object in all() {
        let Some(values) = values(&object) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("values.yaml");
        fs::write(&file, serde_yaml::to_string(values).unwrap()).unwrap();
        assert!(rendered(&["--values", file.to_str().unwrap()]).contains("kind: Deployment"));
        if object["kind"] == "HelmRelease" { flux += 1 } else { argo += 1 }
    }
    assert!(flux >= 2 && argo >= 2, "{flux} {argo}");
}

#[test]
fn the_documents_of_the_page_are_valid() {
    let documents: Vec<Value> = all().into_iter().filter(|object| object["apiVersion"] == "dhmc.dev/v1alpha1").collect();
    assert!(!documents.is_empty());
    for document in documents {
        let text = serde_yaml::to_string(&document).unwrap();
        dhmc_controller::desired::load(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems}"));
    }
}

/// A generated `ConfigMap` whose name has a hash would restart the pods at every edit.
#[test]
fn no_config_map_of_the_page_has_a_name_that_changes() {
    let mut seen = 0;
    for object in all().iter().filter(|object| object["configMapGenerator"].is_array()) {
        assert_eq!(object["generatorOptions"]["disableNameSuffixHash"], true, "{object}");
        seen += 1;
    }
    assert!(seen > 0);
}

/// Two objects that name each other in one block have to agree.
#[test]
fn what_a_block_refers_to_is_in_it() {
    for block in blocks() {
        for object in &block {
            let sources =
                [&object["spec"]["sourceRef"], &object["spec"]["chart"]["spec"]["sourceRef"], &object["spec"]["chartRef"]];
            for source in sources.into_iter().filter(|source| source.is_object()) {
                let named = |other: &Value| other["kind"] == source["kind"] && other["metadata"]["name"] == source["name"];
                assert!(block.iter().any(named), "{source}");
            }
        }
    }
}
