//! What a container may do, and what its service account may.

use serde_json::{Value, json};

use dhmc_controller::reconcile::fleet::DRAIN;

use crate::{Case, matrix};

/// Those that come first and keep running are containers like others.
fn containers(case: &Case) -> Vec<&Value> {
    let of = |key: &str| case.pod()[key].as_array().into_iter().flatten().collect::<Vec<_>>();
    [of("initContainers"), of("containers")].concat()
}

#[test]
fn no_container_is_root_or_writes_to_its_image_or_has_a_capability() {
    for case in matrix() {
        for container in containers(case) {
            let (name, context) = (format!("{}: {}", case.name, container["name"]), &container["securityContext"]);
            assert_eq!(context["runAsNonRoot"], true, "{name}");
            assert!(context["runAsUser"].as_u64().unwrap() > 0 && context["runAsGroup"].as_u64().unwrap() > 0, "{name}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(context["capabilities"], json!({ "drop": ["ALL"] }), "{name}");
            assert_eq!(context["seccompProfile"], json!({ "type": "RuntimeDefault" }), "{name}");
            assert!(context.get("privileged").is_none(), "{name}");
        }
        let pod = case.pod();
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        for share in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(pod.get(share).is_none(), "{}: {share}", case.name);
        }
        for volume in pod["volumes"].as_array().unwrap() {
            assert!(volume.get("hostPath").is_none(), "{}: {volume}", case.name);
        }
        assert_eq!(case.controller()["securityContext"]["runAsUser"], 65532);
    }
}

#[test]
fn every_container_has_requests_a_limit_of_memory_and_probes() {
    for case in matrix() {
        for container in containers(case) {
            let name = format!("{}: {}", case.name, container["name"]);
            let resources = &container["resources"];
            assert!(resources["requests"]["cpu"].is_string() && resources["requests"]["memory"].is_string(), "{name}");
            assert!(resources["limits"]["memory"].is_string(), "{name}");
            assert!(container["startupProbe"].is_object() && container["livenessProbe"].is_object(), "{name}");
        }
        let paths = ["startupProbe", "livenessProbe", "readinessProbe"].map(|probe| &case.controller()[probe]["httpGet"]);
        assert_eq!(paths.map(|get| &get["path"]), ["/livez", "/livez", "/readyz"]);
        assert!(paths.iter().all(|get| get["port"] == "http"));
    }
}

/// What follows one another when a replica is told to stop: writes under way end, the lease is given back (`GOODBYE` of
/// `src/leader/election.rs`), and the last answers are sent (`HTTP_DRAIN` of `src/app.rs`). Killed before the second, its lease has to run out.
const STOPPING: u64 = DRAIN.as_secs() + 2 + 2;

#[test]
fn kubernetes_waits_for_longer_than_the_controller_takes_to_stop() {
    for case in matrix() {
        assert!(case.pod()["terminationGracePeriodSeconds"].as_u64().unwrap() > STOPPING, "{}", case.name);
    }
    let schema: Value = serde_json::from_str(&crate::read("deploy/chart/values.schema.json")).unwrap();
    let least = schema["properties"]["terminationGracePeriodSeconds"]["minimum"].as_u64().unwrap();
    assert!(least > STOPPING);
}

/// Rights to create cannot be bound to a name; all others are.
#[test]
fn the_service_account_may_do_nothing_but_keep_its_own_lease() {
    for case in matrix() {
        assert_eq!(case.of_kind("ClusterRole").count() + case.of_kind("ClusterRoleBinding").count(), 0);
        let lease = case.controller()["args"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|flag| flag.as_str().unwrap().strip_prefix("--leader-elect-resource-name=").map(str::to_owned));
        let Some(lease) = lease else {
            assert_eq!(case.of_kind("Role").count() + case.of_kind("RoleBinding").count(), 0, "{}", case.name);
            continue;
        };
        let rules = json!([
            { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"] },
            { "apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": [lease], "verbs": ["get", "update"] },
        ]);
        assert_eq!(case.the("Role")["rules"], rules, "{}", case.name);
        let binding = case.the("RoleBinding");
        assert_eq!(binding["roleRef"]["name"], case.the("Role")["metadata"]["name"]);
        let account = json!([{ "kind": "ServiceAccount", "name": case.pod()["serviceAccountName"], "namespace": "dhmc" }]);
        assert_eq!(binding["subjects"], account);
    }
}

/// kustomize moves the Role, and no flag: one that is always set would name where the Role was.
#[test]
fn the_lease_is_looked_for_where_its_role_is() {
    for case in matrix().iter().filter(|case| case.of_kind("Role").count() == 1) {
        let flags = crate::texts(&case.controller()["args"]);
        let told = flags.iter().find_map(|flag| flag.strip_prefix("--leader-elect-resource-namespace="));
        assert_eq!(told.is_some(), case.name == "everything", "{}", case.name);
        for kind in ["Role", "RoleBinding"] {
            assert_eq!(case.the(kind)["metadata"]["namespace"], told.unwrap_or("dhmc"), "{}", case.name);
        }
    }
}

#[test]
fn the_token_of_the_api_server_is_there_only_for_the_election_of_a_leader() {
    for case in matrix() {
        let elects = case.of_kind("Role").count() == 1;
        assert_eq!(case.pod()["automountServiceAccountToken"], elects, "{}", case.name);
        for account in case.of_kind("ServiceAccount") {
            assert_eq!(account["automountServiceAccountToken"], false, "{}", case.name);
            assert_eq!(account["metadata"]["name"], case.pod()["serviceAccountName"], "{}", case.name);
        }
    }
    let without = Case::named("one_replica");
    assert_eq!(without.pod()["automountServiceAccountToken"], false);
    assert_eq!(Case::named("foreign_service_account").of_kind("ServiceAccount").count(), 0);
}

#[test]
fn one_replica_without_a_leader_is_never_two_during_an_update() {
    let without = Case::named("one_replica");
    assert_eq!(without.the("Deployment")["spec"]["replicas"], 1);
    assert_eq!(without.the("Deployment")["spec"]["strategy"], json!({ "type": "Recreate" }));
    let with = Case::named("defaults");
    assert_eq!(with.the("Deployment")["spec"]["replicas"], 2);
    assert_eq!(with.the("Deployment")["spec"]["strategy"]["type"], "RollingUpdate");
}

#[test]
fn what_fetches_from_git_has_no_credentials_of_aws_and_may_not_write_for_the_controller_to_write() {
    for name in ["git_sync_public", "git_sync_https", "git_sync_ssh"] {
        let case = Case::named(name);
        let annotations = &case.the("Deployment")["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(annotations["eks.amazonaws.com/skip-containers"], "git-sync");
        let mounts = case.controller()["volumeMounts"].as_array().unwrap();
        assert_eq!(mounts, &[json!({ "name": "git", "mountPath": "/git", "readOnly": true })]);
        let sidecar = &case.pod()["initContainers"][0];
        assert_eq!(sidecar["restartPolicy"], "Always");
        let args = crate::texts(&sidecar["args"]);
        let has = |flag: &str| args.iter().any(|arg| arg.starts_with(flag));
        assert_eq!(has("--password-file=/etc/git-secret/"), name == "git_sync_https");
        assert_eq!(has("--username="), name == "git_sync_https");
        assert_eq!(has("--ssh-key-file=/etc/git-secret/"), name == "git_sync_ssh");
        assert_eq!(has("--ssh-known-hosts-file=/etc/git-secret/"), name == "git_sync_ssh");
        let secrets = case.pod()["volumes"].as_array().unwrap().iter().filter(|volume| volume["secret"].is_object()).count();
        assert_eq!(secrets, usize::from(name != "git_sync_public"));
    }
}

/// The ports of each rule, by the addresses that it is about.
fn egress(case: &Case) -> Vec<(Vec<String>, Vec<u64>)> {
    let rules = case.the("NetworkPolicy")["spec"]["egress"].as_array().unwrap();
    let of = |rule: &Value| {
        let to = rule["to"].as_array().unwrap().iter().map(|peer| peer["ipBlock"]["cidr"].as_str().unwrap_or("pods").to_owned());
        let ports = rule["ports"].as_array().unwrap().iter().map(|port| port["port"].as_u64().unwrap());
        (to.collect(), ports.collect())
    };
    rules.iter().map(of).collect()
}

#[test]
fn the_network_policy_lets_out_what_has_a_purpose_and_in_who_is_named() {
    let rule = |to: &[&str], ports: &[u64]| (to.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>(), ports.to_vec());
    let everywhere: &[&str] = &["0.0.0.0/0", "::/0"];
    let (dns, aws) = (rule(&["pods"], &[53, 53]), rule(everywhere, &[443]));
    let agent = rule(&["169.254.170.23/32", "fd00:ec2::23/128"], &[80]);

    let alone = Case::named("one_replica");
    assert_eq!(egress(alone), [dns.clone(), aws.clone(), agent.clone()]);
    assert!(alone.the("NetworkPolicy")["spec"].get("ingress").is_none(), "nobody is let in");
    assert_eq!(alone.the("NetworkPolicy")["spec"]["policyTypes"], json!(["Ingress", "Egress"]));

    let with_git = Case::named("git_sync_https");
    let (api_server, git) = (rule(everywhere, &[443, 6443]), rule(everywhere, &[443, 22]));
    assert_eq!(egress(with_git), [dns, aws, api_server, agent, git]);
    let ingress = &with_git.the("NetworkPolicy")["spec"]["ingress"];
    assert_eq!(ingress.as_array().unwrap().len(), 1);
    assert_eq!(ingress[0]["ports"], json!([{ "port": "http", "protocol": "TCP" }]));
    assert_eq!(ingress[0]["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"], json!(["monitoring"]));

    let everything = Case::named("everything");
    assert!(egress(everything).contains(&rule(&["169.254.169.254/32", "fd00:ec2::254/128"], &[80])));
    let blocks = &everything.the("NetworkPolicy")["spec"]["egress"][1]["to"];
    assert_eq!(blocks[0]["ipBlock"]["except"], json!(["10.0.0.0/8"]), "an exception is of the same family");
    assert_eq!(blocks[1]["ipBlock"]["except"], json!(["fc00::/7"]));
}
