//! What is rendered is what Kubernetes takes, in every version that the chart names.

use std::fs;

use serde_json::{Value, json};

use crate::{CHART, Case, helm, matrix, path, read, said, tool};

/// The oldest that Chart.yaml claims, one between, and the newest whose schemas there are.
const VERSIONS: [&str; 3] = ["1.29", "1.33", "1.37"];
/// Kinds that Kubernetes learns from Prometheus Operator.
const CUSTOM: [&str; 2] = ["ServiceMonitor", "PrometheusRule"];

#[test]
fn helm_finds_nothing_to_complain_of() {
    for case in matrix() {
        let output = helm(&["lint", "--strict", CHART, "--values", &format!("tests/chart/values/{}.yaml", case.name)]);
        assert!(output.status.success(), "{}: {}", case.name, said(&output));
    }
}

/// Whether the validator finds these to be of that version.
fn validate(version: &str, objects: &[&Value]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("objects.yaml");
    let text: Vec<String> = objects.iter().map(ToString::to_string).collect();
    fs::write(&file, text.join("\n---\n")).unwrap();
    let output = tool("venv/bin/kubernetes-validate")
        .args(["--kubernetes-version", version, "--strict", "--quiet"])
        .arg(&file)
        .output()
        .unwrap();
    (output.status.success(), said(&output))
}

#[test]
fn every_manifest_is_valid_in_the_oldest_and_in_recent_versions_of_kubernetes() {
    let cases = matrix();
    let objects: Vec<&Value> = cases
        .iter()
        .flat_map(|case| &case.objects)
        .filter(|object| !CUSTOM.contains(&object["kind"].as_str().unwrap()))
        .collect();
    assert!(objects.len() > 70, "{}", objects.len());
    is_valid(&objects);
}

pub(crate) fn is_valid(objects: &[&Value]) {
    for version in VERSIONS {
        let (valid, said) = validate(version, objects);
        assert!(valid, "{version}: {said}");
    }
}

/// The validator looks at every object of a file, and minds what does not exist.
#[test]
fn a_manifest_with_a_key_that_kubernetes_does_not_know_is_found() {
    let case = Case::named("defaults");
    let mut wrong = case.the("Deployment").clone();
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = json!({});
    for version in VERSIONS {
        let (valid, said) = validate(version, &[case.the("Service"), &wrong]);
        assert!(!valid && said.contains("livenesProbe"), "{version}: {said}");
    }
}

#[test]
fn the_chart_claims_the_oldest_version_that_is_tried_and_is_of_the_version_of_the_controller() {
    let chart: Value = serde_yaml::from_str(&read("deploy/chart/Chart.yaml")).unwrap();
    assert_eq!(chart["kubeVersion"], format!(">={}.0-0", VERSIONS[0]));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn prometheus_operator_finds_the_service_and_its_port() {
    let names = |list: &[Value], key: &str| list.iter().map(|one| one[key].clone()).collect::<Vec<_>>();
    for name in ["monitoring", "everything", "git_sync_everything"] {
        let case = Case::named(name);
        let (monitor, service) = (case.the("ServiceMonitor"), case.the("Service"));
        assert_eq!(monitor["apiVersion"], "monitoring.coreos.com/v1");
        let ports = service["spec"]["ports"].as_array().unwrap();
        let endpoints = monitor["spec"]["endpoints"].as_array().unwrap();
        assert_eq!(names(endpoints, "port"), names(ports, "name"));
        assert_eq!(names(ports, "name").len(), if name == "git_sync_everything" { 2 } else { 1 });
        assert_eq!(monitor["spec"]["namespaceSelector"]["matchNames"], json!([service["metadata"]["namespace"]]));
        is_selected(&monitor["spec"]["selector"]["matchLabels"], &service["metadata"]["labels"], name);
        // Alerts tell two releases of one namespace apart by their job.
        let job = monitor["spec"]["jobLabel"].as_str().unwrap();
        assert_eq!(service["metadata"]["labels"][job], "dhmc-controller", "{name}: the release");
        assert!(name == "git_sync_everything" || monitor["metadata"]["labels"]["release"] == "prometheus");
    }
}

#[test]
fn the_metrics_of_git_sync_are_served_let_in_and_scraped_where_they_are_wanted() {
    for case in matrix().iter().filter(|case| case.name.starts_with("git_sync")) {
        let wanted = ["git_sync_everything", "git_sync_ssh"].contains(&case.name.as_str());
        let sidecar = &case.pod()["initContainers"][0];
        assert_eq!(crate::texts(&sidecar["args"]).contains(&"--http-metrics"), wanted, "{}", case.name);
        let port = &sidecar["ports"][0]["containerPort"];
        let served = case.the("Service")["spec"]["ports"].as_array().unwrap().iter().any(|one| &one["targetPort"] == port);
        assert_eq!(served, wanted, "{}", case.name);
        for policy in case.of_kind("NetworkPolicy") {
            let allowed = policy["spec"]["ingress"][0]["ports"].as_array().unwrap();
            assert_eq!(allowed.iter().any(|one| &one["port"] == port), wanted, "{}", case.name);
        }
    }
}

fn is_selected(selector: &Value, labels: &Value, of: &str) {
    let selector = selector.as_object().unwrap();
    assert!(!selector.is_empty(), "{of}");
    for (label, value) in selector {
        assert_eq!(&labels[label], value, "{of}: {label}");
    }
}

#[test]
fn everything_that_selects_pods_selects_those_of_the_deployment() {
    for case in matrix() {
        let deployment = case.the("Deployment");
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        is_selected(&deployment["spec"]["selector"]["matchLabels"], labels, "Deployment");
        is_selected(&case.the("Service")["spec"]["selector"], labels, "Service");
        is_selected(&case.the("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], labels, "PodDisruptionBudget");
        for policy in case.of_kind("NetworkPolicy") {
            is_selected(&policy["spec"]["podSelector"]["matchLabels"], labels, "NetworkPolicy");
        }
        for spread in case.pod()["topologySpreadConstraints"].as_array().unwrap() {
            is_selected(&spread["labelSelector"]["matchLabels"], labels, "topology spread");
        }
        let port = &case.the("Service")["spec"]["ports"][0]["targetPort"];
        assert_eq!(port, &case.controller()["ports"][0]["name"]);
    }
}

#[test]
fn everything_is_in_the_namespace_of_the_release() {
    for case in matrix() {
        // Where the Lease is may be told apart.
        let elsewhere = |object: &&Value| case.name == "everything" && object["kind"].as_str().unwrap().starts_with("Role");
        for object in case.objects.iter().filter(|object| !elsewhere(object)) {
            assert_eq!(object["metadata"]["namespace"], "dhmc", "{}: {}", case.name, object["kind"]);
        }
    }
}

#[test]
fn the_image_is_named_by_its_version_or_its_digest() {
    let image = |name: &str| Case::named(name).controller()["image"].as_str().unwrap().to_owned();
    assert_eq!(image("defaults"), concat!("ghcr.io/dhmc-controller/dhmc-controller:", env!("CARGO_PKG_VERSION")));
    let digest = "0123456789abcdef".repeat(4);
    assert_eq!(image("everything"), format!("registry.example.com:5000/platform/dhmc-controller@sha256:{digest}"));
}

#[test]
fn the_chart_can_be_packed_with_the_alerts_and_the_schema_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = helm(&["package", CHART, "--destination", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", said(&output));
    let package = folder.path().join(concat!("dhmc-controller-", env!("CARGO_PKG_VERSION"), ".tgz"));
    let shown = helm(&[
        "template",
        "x",
        package.to_str().unwrap(),
        "--values",
        path("tests/chart/values/monitoring.yaml").to_str().unwrap(),
    ]);
    assert!(shown.status.success() && said(&shown).contains("DhmcNotInSync"), "{}", said(&shown));
}
