//! docs/GITOPS.md: every block is what its tool takes, as far as it can be seen here.

use std::collections::BTreeSet;
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

/// What has no kind is values of the chart.
#[test]
fn every_yaml_block_of_the_page_is_yaml_and_says_what_it_is() {
    let objects = all();
    assert!(objects.len() >= 8, "{}", objects.len());
    for object in &objects {
        let (kind, version) = (object["kind"].is_string(), object["apiVersion"].is_string());
        assert!(kind && version || !kind && !version && object["gitSync"].is_object(), "{object}");
    }
    for kind in ["GitRepository", "HelmRelease", "Kustomization", "Application", "HostManagement"] {
        assert!(objects.iter().any(|object| object["kind"] == kind), "{kind}");
    }
}

/// The fields of `spec` that these kinds have, of those that the page may use; of kustomize's own, the fields beside each other.
const FIELDS: [(&str, &[&str]); 6] = [
    ("source.toolkit.fluxcd.io/v1 GitRepository", &["interval", "ref", "url"]),
    ("source.toolkit.fluxcd.io/v1 OCIRepository", &["interval", "layerSelector", "ref", "url"]),
    ("helm.toolkit.fluxcd.io/v2 HelmRelease", &["chart", "chartRef", "interval", "values"]),
    ("kustomize.toolkit.fluxcd.io/v1 Kustomization", &["interval", "path", "prune", "sourceRef"]),
    ("argoproj.io/v1alpha1 Application", &["destination", "project", "source", "sources", "syncPolicy"]),
    (
        "kustomize.config.k8s.io/v1beta1 Kustomization",
        &["apiVersion", "configMapGenerator", "generatorOptions", "kind", "namespace"],
    ),
];

#[test]
fn objects_of_flux_argo_cd_and_kustomize_have_no_fields_that_these_do_not_know() {
    let mut seen = BTreeSet::new();
    for object in all() {
        let (Some(version), Some(kind)) = (object["apiVersion"].as_str(), object["kind"].as_str()) else { continue };
        if kind == "HostManagement" {
            continue;
        }
        let name = format!("{version} {kind}");
        let (_, known) = FIELDS.iter().find(|(of, _)| *of == name).unwrap_or_else(|| panic!("{name} is no kind of these"));
        let fields = if version.starts_with("kustomize.config") { &object } else { &object["spec"] };
        for field in fields.as_object().unwrap().keys() {
            assert!(known.contains(&field.as_str()), "{name} has no field {field}");
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), FIELDS.len(), "{seen:?}");
}

/// The values that a `HelmRelease` of Flux and an Application of Argo CD give to the chart, and those that stand alone.
fn values(object: &Value) -> Option<&Value> {
    let sources = object["spec"]["sources"].as_array().into_iter().flatten();
    let of_argo = sources.chain([&object["spec"]["source"]]).find_map(|source| source["helm"].get("valuesObject"));
    match object["kind"].as_str() {
        Some("HelmRelease") => object["spec"].get("values"),
        Some("Application") => of_argo,
        Some(_) => None,
        None => Some(object),
    }
}

#[test]
fn the_chart_takes_the_values_that_the_page_shows() {
    let mut seen = BTreeSet::new();
    for object in all() {
        let Some(values) = values(&object) else { continue };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("values.yaml");
        fs::write(&file, serde_yaml::to_string(values).unwrap()).unwrap();
        assert!(rendered(&["--values", file.to_str().unwrap()]).contains("kind: Deployment"));
        seen.insert((object["kind"].as_str().map(str::to_owned), values.to_string()));
    }
    let of = |kind: Option<&str>| seen.iter().filter(|(of, _)| of.as_deref() == kind).count();
    assert_eq!([of(Some("HelmRelease")), of(Some("Application")), of(None)], [2, 2, 1]);
}

/// The release waits for ever for a `ConfigMap` or a secret of another name.
#[test]
fn what_the_values_name_the_page_makes() {
    let (objects, page) = (all(), read(PAGE));
    let generators = || objects.iter().filter_map(|object| object["configMapGenerator"].as_array()).flatten();
    let mut seen = 0;
    for values in objects.iter().filter_map(values) {
        if let Some(name) = values["existingConfigMap"].as_str() {
            assert!(generators().any(|generator| generator["name"] == name), "{name}");
            seen += 1;
        }
        if let Some(name) = values["gitSync"]["existingSecret"].as_str() {
            assert_eq!(page.matches(&format!("create secret generic {name} ")).count(), 2, "for HTTPS and for SSH");
            seen += 1;
        }
    }
    assert_eq!(seen, 3);
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
