//! deploy/kubernetes: the chart rendered, for people without Helm.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{UPDATE, documents, is_fresh, rendered, said, tool};

/// What says that Helm manages it would not be true.
const OF_HELM: [&str; 2] = ["app.kubernetes.io/managed-by: Helm", "helm.sh/chart: "];

#[test]
fn the_plain_manifests_are_the_chart_with_its_defaults() {
    let chart = rendered(&["--set", "existingConfigMap=dhmc-controller"]);
    let lines = chart.lines().filter(|line| !OF_HELM.iter().any(|label| line.trim().starts_with(label)));
    let body: Vec<&str> = lines.collect();
    let head = format!("# The chart of deploy/chart with its defaults, made by `{UPDATE}`. Change kustomization.yaml instead.\n");
    is_fresh("deploy/kubernetes/dhmc-controller.yaml", &(head + &body.join("\n") + "\n"));
}

fn kustomized() -> Vec<Value> {
    kustomized_in("deploy/kubernetes".as_ref())
}

fn kustomized_in(folder: &Path) -> Vec<Value> {
    let output = tool("bin/kubectl").arg("kustomize").arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    documents(&String::from_utf8(output.stdout).unwrap())
}

fn the<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).unwrap()
}

/// What the head of kustomization.yaml says can be changed there.
#[test]
fn kustomize_puts_document_image_and_role_where_they_belong() {
    let objects = kustomized();
    let kinds: Vec<&str> = objects.iter().map(|object| object["kind"].as_str().unwrap()).collect();
    for kind in
        ["Namespace", "ConfigMap", "Deployment", "ServiceAccount", "Role", "RoleBinding", "Service", "PodDisruptionBudget"]
    {
        assert!(kinds.contains(&kind), "{kind}: {kinds:?}");
    }
    let pod = &the(&objects, "Deployment")["spec"]["template"]["spec"];
    assert_eq!(pod["volumes"][0]["configMap"]["name"], "dhmc-controller");
    assert_eq!(
        the(&objects, "ConfigMap")["metadata"]["name"],
        "dhmc-controller",
        "another name at each edit would restart the pods"
    );
    let image = concat!("ghcr.io/dhmc-controller/dhmc-controller:", env!("CARGO_PKG_VERSION"));
    assert_eq!(pod["containers"][0]["image"], image);
    let role = &the(&objects, "ServiceAccount")["metadata"]["annotations"]["eks.amazonaws.com/role-arn"];
    assert_eq!(role, "arn:aws:iam::111122223333:role/dhmc-hub");
    for object in objects.iter().filter(|object| object["kind"] != "Namespace") {
        assert_eq!(object["metadata"]["namespace"], "dhmc");
    }
}

#[test]
fn another_namespace_takes_one_line_of_kustomize() {
    let folder = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(crate::path("deploy/kubernetes")).unwrap().map(Result::unwrap) {
        let text = std::fs::read_to_string(file.path()).unwrap();
        std::fs::write(folder.path().join(file.file_name()), text.replace("\nnamespace: dhmc\n", "\nnamespace: elsewhere\n"))
            .unwrap();
    }
    let objects = kustomized_in(folder.path());
    for object in objects.iter().filter(|object| object["kind"] != "Namespace") {
        assert_eq!(object["metadata"]["namespace"], "elsewhere", "{}", object["kind"]);
    }
    assert_eq!(the(&objects, "Namespace")["metadata"]["name"], "elsewhere");
    assert_eq!(the(&objects, "RoleBinding")["subjects"][0]["namespace"], "elsewhere");
    let container = &the(&objects, "Deployment")["spec"]["template"]["spec"]["containers"][0];
    assert!(crate::texts(&container["args"]).iter().all(|flag| !flag.ends_with("=dhmc")));
}

#[test]
fn the_document_of_the_plain_manifests_is_valid_and_writes_nothing() {
    let objects = kustomized();
    let data = &the(&objects, "ConfigMap")["data"];
    assert_eq!(data.as_object().unwrap().keys().collect::<Vec<_>>(), ["dhmc.yaml"]);
    let document: Value = serde_yaml::from_str(data["dhmc.yaml"].as_str().unwrap()).unwrap();
    assert_eq!(document["spec"]["mode"], "observe");
    let validate = ["validate", "deploy/kubernetes/dhmc.yaml"];
    let output =
        Command::new(env!("CARGO_BIN_EXE_dhmc-controller")).args(validate).current_dir(crate::path("")).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

/// The namespace takes only pods that are hardened, and says so to Kubernetes.
#[test]
fn the_namespace_asks_for_restricted_pods() {
    let objects = kustomized();
    let labels = &the(&objects, "Namespace")["metadata"]["labels"];
    assert_eq!(labels, &json!({ "pod-security.kubernetes.io/enforce": "restricted" }));
}
