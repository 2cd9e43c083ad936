//! What things are called, and labelled.

use serde_json::{Value, json};

use crate::kubernetes::is_valid;
use crate::{CHART, Case, documents, helm, said};

fn rendered(release: &str, arguments: &[&str]) -> Vec<Value> {
    let output = helm(&[&["template", release, CHART, "--set", "existingConfigMap=desired-state"], arguments].concat());
    assert!(output.status.success(), "{release}: {}", said(&output));
    documents(&String::from_utf8(output.stdout).unwrap())
}

/// `rendered` has refused keys that come twice.
#[test]
fn labels_that_the_chart_sets_stay_and_of_others_the_nearest_counts() {
    let case = Case::named("colliding");
    for object in &case.objects {
        let labels = &object["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/name"], "dhmc-controller", "{}", object["kind"]);
        assert_eq!(labels["app.kubernetes.io/version"], env!("CARGO_PKG_VERSION"), "{}", object["kind"]);
        let monitoring = ["ServiceMonitor", "PrometheusRule"].contains(&object["kind"].as_str().unwrap());
        assert_eq!(labels["team"], if monitoring { "monitoring" } else { "platform" }, "{}", object["kind"]);
    }
    let pods = &case.the("Deployment")["spec"]["template"]["metadata"]["labels"];
    for (label, value) in [("name", "dhmc-controller"), ("instance", "dhmc-controller")] {
        assert_eq!(pods[format!("app.kubernetes.io/{label}")], value);
    }
    assert_eq!(pods["team"], "control");
}

#[test]
fn annotations_of_the_pods_are_added_to_who_gets_no_credentials() {
    let annotations = &Case::named("git_sync_everything").the("Deployment")["spec"]["template"]["metadata"]["annotations"];
    assert_eq!(annotations["eks.amazonaws.com/skip-containers"], "git-sync,istio-proxy");
    assert_eq!(annotations["kubectl.kubernetes.io/default-container"], "git-sync");
}

#[test]
fn a_name_of_digits_is_text_all_the_same() {
    let objects = rendered("123", &["--namespace", "456", "--set", "fullnameOverride=dhmc"]);
    for object in &objects {
        let metadata = &object["metadata"];
        assert!(metadata["name"].is_string() && metadata["namespace"] == "456", "{metadata}");
        assert_eq!(metadata["labels"]["app.kubernetes.io/instance"], "123");
    }
    is_valid(&objects.iter().collect::<Vec<_>>());
}

/// 17 are left for what a `ReplicaSet` and a pod add; a Service's name has no dots.
#[test]
fn the_name_is_short_enough_for_pods_and_of_the_letters_of_a_service() {
    let name = |release: &str, arguments: &[&str]| {
        let objects = rendered(release, arguments);
        objects.iter().find(|object| object["kind"] == "Service").unwrap()["metadata"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(name("team.a", &[]), "team-a-dhmc-controller");
    assert_eq!(name("x", &["--set", "fullnameOverride=a.b"]), "a-b");
    assert_eq!(name(&"r".repeat(53), &[]), "r".repeat(46));
    assert_eq!(name("my-dhmc-controller", &[]), "my-dhmc-controller");
}

#[test]
fn replicas_of_the_version_before_do_not_count_where_new_ones_are_spread() {
    for spread in Case::named("defaults").pod()["topologySpreadConstraints"].as_array().unwrap() {
        assert_eq!(spread["matchLabelKeys"], json!(["pod-template-hash"]));
    }
}
