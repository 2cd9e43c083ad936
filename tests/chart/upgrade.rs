//! No upgrade starts replicas that do not know of those that run. Helm asks the cluster; here something answers as its API does.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Output;

use serde_json::{Value, json};

use crate::{CHART, documents, rendered, said, tool};

const GROUPS: [&str; 3] = ["apps", "policy", "rbac.authorization.k8s.io"];
/// The kinds that are rendered, as its API names them.
const KINDS: [(&str, &str, &str); 6] = [
    ("apps/v1", "deployments", "Deployment"),
    ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "roles", "Role"),
    ("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
    ("v1", "services", "Service"),
    ("v1", "serviceaccounts", "ServiceAccount"),
];

/// What is asked by somebody who looks for kinds and for Deployments. Nothing else is there.
fn answer(path: &str, running: &[Value]) -> Option<Value> {
    let path = path.split('?').next().unwrap();
    Some(match path {
        "/version" => json!({ "major": "1", "minor": "33", "gitVersion": "v1.33.0" }),
        "/api" => json!({ "kind": "APIVersions", "versions": ["v1"] }),
        "/apis" => {
            let group = |name: &str| {
                let version = json!({ "groupVersion": format!("{name}/v1"), "version": "v1" });
                json!({ "name": name, "versions": [version], "preferredVersion": version })
            };
            json!({ "kind": "APIGroupList", "apiVersion": "v1", "groups": GROUPS.map(group) })
        }
        "/apis/apps/v1/namespaces/dhmc/deployments" => {
            json!({ "kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": {}, "items": running })
        }
        _ => {
            let asked = path.strip_prefix("/apis/").or_else(|| path.strip_prefix("/api/"))?;
            let of = KINDS
                .iter()
                .filter(|(version, ..)| *version == asked)
                .map(|(_, name, kind)| json!({ "name": name, "namespaced": true, "kind": kind, "verbs": ["get", "list"] }));
            let resources: Vec<Value> = of.collect();
            if resources.is_empty() {
                return None;
            }
            json!({ "kind": "APIResourceList", "groupVersion": asked, "resources": resources })
        }
    })
}

fn serve(stream: &TcpStream, running: &[Value]) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(request) = lines.next() else { return };
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    let answer = answer(request.split(' ').nth(1).unwrap(), running);
    let (status, body) = answer.map_or(("404 Not Found", "{}".to_owned()), |answer| ("200 OK", answer.to_string()));
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    // Who has gone meanwhile says so himself.
    drop((&*stream).write_all((head + &body).as_bytes()));
}

const VALUES: &str = "existingConfigMap=desired-state";

/// What helm says of these values where a release of those runs.
fn upgraded(from: &str, replicas: u64, to: &str) -> Output {
    let objects = documents(&rendered(&["--set", VALUES, "--set", from]));
    let mut running: Vec<Value> = objects.into_iter().filter(|object| object["kind"] == "Deployment").collect();
    assert_eq!(running.len(), 1);
    running[0]["spec"]["replicas"] = json!(replicas);
    // Of others, nothing is known.
    running.push(
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "other" }, "spec": { "replicas": 1 } }),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| serve(&stream.unwrap(), &running)));
    let folder = tempfile::tempdir().unwrap();
    let kubeconfig = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{ "name": "test", "cluster": { "server": server } }],
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "" } }],
    });
    let file = folder.path().join("kubeconfig");
    fs::write(&file, kubeconfig.to_string()).unwrap();
    tool("bin/helm")
        .args(["template", "dhmc-controller", CHART, "--namespace", "dhmc", "--set", VALUES, "--set", to])
        .args(["--dry-run=server", "--disable-openapi-validation"])
        .arg("--kubeconfig")
        .arg(file)
        .output()
        .unwrap()
}

const SAME: &str = "replicas=2";
const ALONE: &str = "replicas=1,leaderElection.enabled=false";

#[test]
fn an_upgrade_after_which_two_would_write_is_refused_and_says_how_it_is_done() {
    let cases = [
        (ALONE, SAME, "has no Lease, what would start beside it has dhmc/dhmc-controller"),
        (SAME, "leaderElection.resourceName=other", "has dhmc/dhmc-controller, what would start beside it has dhmc/other"),
        (SAME, "leaderElection.resourceNamespace=other", "what would start beside it has other/dhmc-controller"),
        ("leaderElection.resourceNamespace=other", SAME, "has other/dhmc-controller, what"),
        (SAME, "fullnameOverride=other", "what would start beside it has dhmc/other"),
        // The one that runs is not of that name, and is not ended by it.
        (SAME, "fullnameOverride=other,strategy.type=Recreate", "what would start beside it has dhmc/other"),
        (
            "replicas=1,leaderElection.enabled=false,fullnameOverride=other",
            ALONE,
            "has no Lease, what would start beside it has none",
        ),
    ];
    for (from, to, expected) in cases {
        let output = upgraded(from, 1, to);
        assert!(!output.status.success() && said(&output).contains(expected), "{from} to {to}: {}", said(&output));
        assert!(said(&output).contains("kubectl --namespace dhmc scale deployment "), "{}", said(&output));
    }
}

#[test]
fn an_upgrade_is_done_where_the_lease_stays_or_nothing_runs_or_what_runs_ends_before() {
    let cases = [
        (SAME, 2, "controller.workers=8"),
        (SAME, 2, "fullnameOverride=other,leaderElection.resourceName=dhmc-controller"),
        (SAME, 2, "leaderElection.resourceName=other,strategy.type=Recreate"),
        (SAME, 2, ALONE),
        (ALONE, 1, ALONE),
        (ALONE, 1, "strategy.type=Recreate"),
        (ALONE, 0, SAME),
        (SAME, 0, "fullnameOverride=other"),
        (SAME, 2, "fullnameOverride=other,replicas=0"),
    ];
    for (from, replicas, to) in cases {
        let output = upgraded(from, replicas, to);
        assert!(output.status.success(), "{from} to {to}: {}", said(&output));
    }
}
