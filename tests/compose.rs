//! deploy/compose.yaml, as Docker Compose itself reads it, and what it mounts.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on says so by ending")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use clap::CommandFactory;
use dhmc_controller::cli::Cli;
use serde_json::{Value, json};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// `docker compose config` of some files, without anything of this machine's environment.
fn compose(files: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(path("target/tools/venv/bin/docker-compose"));
    command.current_dir(path("deploy")).env_clear().env("HOME", "/home/somebody").envs(environment.iter().copied());
    for file in files {
        command.args(["--file", file]);
    }
    command.args(["config", "--format", "json"]).output().expect("docker-compose is missing: run `make tools`")
}

fn resolved(files: &[&str], environment: &[(&str, &str)]) -> Value {
    let output = compose(files, environment);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(said, "", "warnings");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn shipped() -> Value {
    resolved(&["compose.yaml"], &[])
}

fn services(project: &Value) -> impl Iterator<Item = (&String, &Value)> {
    project["services"].as_object().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn mounts<'a>(service: &'a Value, kind: &str) -> Vec<&'a Value> {
    service["volumes"].as_array().into_iter().flatten().filter(|mount| mount["type"] == kind).collect()
}

/// What is mounted at a place in a service.
fn mounted(project: &Value, service: &str, target: &str) -> PathBuf {
    let found = mounts(&project["services"][service], "bind").into_iter().find(|mount| mount["target"] == target);
    PathBuf::from(text(&found.expect(target)["source"]))
}

fn yaml(file: &Path) -> Value {
    serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn docker_compose_finds_the_four_services_and_nothing_to_warn_of() {
    let names: Vec<String> = services(&shipped()).map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["alertmanager", "dhmc-controller", "grafana", "prometheus"]);
}

#[test]
fn every_mounted_path_is_there_and_mounted_read_only() {
    for (name, service) in services(&shipped()) {
        let binds = mounts(service, "bind");
        assert!(!binds.is_empty(), "{name}");
        for bind in binds {
            let source = Path::new(text(&bind["source"]));
            assert!(source.exists(), "{name}: {}", source.display());
            assert_eq!(bind["read_only"], true, "{name}: {}", source.display());
            // A path that is missing elsewhere is told, and not made as an empty folder of root's.
            assert_eq!(bind["bind"]["create_host_path"], false, "{name}: {}", source.display());
        }
    }
}

#[test]
fn every_port_is_for_this_machine_alone() {
    for (name, service) in services(&shipped()) {
        let ports = service["ports"].as_array().unwrap();
        assert_eq!(ports.len(), 1, "{name}");
        assert_eq!(ports[0]["host_ip"], "127.0.0.1", "{name}");
    }
}

#[test]
fn every_image_has_a_version_and_the_controller_that_of_this_crate() {
    for (name, service) in services(&shipped()) {
        let (image, tag) = text(&service["image"]).rsplit_once(':').expect(name);
        assert!(image.split('/').next().unwrap().contains('.'), "{name}: no registry in {image}");
        assert_eq!(tag.trim_start_matches('v').split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{name}: {tag}");
    }
    let project = shipped();
    let controller = &project["services"]["dhmc-controller"];
    assert_eq!(controller["image"], concat!("ghcr.io/dhmc-controller/dhmc-controller:", env!("CARGO_PKG_VERSION")));
    assert!(Path::new(text(&controller["build"]["context"])).join(text(&controller["build"]["dockerfile"])).exists());
}

#[test]
fn every_service_has_no_more_rights_than_it_needs() {
    for (name, service) in services(&shipped()) {
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["privileged"], Value::Null, "{name}");
        // The last place to write in; the controller has none.
        assert_eq!(mounts(service, "volume").len(), usize::from(name != "dhmc-controller"), "{name}");
    }
    assert_eq!(shipped()["services"]["dhmc-controller"]["user"], "65532:65532");
}

#[test]
fn the_controller_understands_its_command_and_its_document() {
    let project = shipped();
    let command: Vec<&str> = project["services"]["dhmc-controller"]["command"].as_array().unwrap().iter().map(text).collect();
    let understood = Cli::command().try_get_matches_from(["dhmc-controller"].into_iter().chain(command.iter().copied()));
    assert!(understood.is_ok(), "{}", understood.unwrap_err());
    let folder = mounted(&project, "dhmc-controller", command[2]);
    let document = std::fs::read(folder.join("dhmc.yaml")).unwrap();
    dhmc_controller::desired::load(&document).unwrap_or_else(|problems| panic!("{problems}"));
    // Whoever starts it to look around has nothing changed.
    assert!(String::from_utf8(document).unwrap().contains("mode: observe"));
}

#[test]
fn prometheus_accepts_its_configuration_with_the_shipped_rules_and_names_services_that_there_are() {
    let project = shipped();
    let file = mounted(&project, "prometheus", "/etc/prometheus/prometheus.yml");
    let mut configuration = yaml(&file);
    for job in configuration["scrape_configs"]
        .as_array()
        .unwrap()
        .iter()
        .chain(configuration["alerting"]["alertmanagers"].as_array().unwrap())
    {
        let (service, port) = text(&job["static_configs"][0]["targets"][0]).split_once(':').unwrap();
        assert_eq!(project["services"][service]["ports"][0]["target"].to_string(), port, "{service}");
    }
    let rules = mounted(&project, "prometheus", text(&configuration["rule_files"][0]));
    assert!(rules.ends_with("deploy/monitoring/alerts.yaml"));
    configuration["rule_files"] = json!([rules]);
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("prometheus.yml");
    std::fs::write(&copy, configuration.to_string()).unwrap();
    let output =
        Command::new("promtool").args(["check", "config"]).arg(copy).output().expect("promtool is missing: run `make tools`");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("rules found"), "{said}");
}

#[test]
fn grafana_finds_the_dashboard_and_a_data_source_that_there_is() {
    let project = shipped();
    let provider = yaml(&mounted(&project, "grafana", "/etc/grafana/provisioning/dashboards/dashboards.yaml"));
    let folder = text(&provider["providers"][0]["options"]["path"]);
    let dashboard = format!("{folder}/dashboard.json");
    assert!(mounted(&project, "grafana", &dashboard).ends_with("deploy/monitoring/dashboard.json"));
    let home = &project["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"];
    assert_eq!(*home, dashboard);
    let source = yaml(&mounted(&project, "grafana", "/etc/grafana/provisioning/datasources/datasource.yaml"));
    let url = text(&source["datasources"][0]["url"]);
    let (service, port) = url.strip_prefix("http://").unwrap().split_once(':').unwrap();
    assert_eq!(project["services"][service]["ports"][0]["target"].to_string(), port);
    // What $__rate_interval is reckoned from has to be how often is scraped.
    let prometheus = yaml(&mounted(&project, "prometheus", "/etc/prometheus/prometheus.yml"));
    assert_eq!(source["datasources"][0]["jsonData"]["timeInterval"], prometheus["global"]["scrape_interval"]);
}

#[test]
fn credentials_are_those_of_the_environment_and_none_where_there_are_none() {
    let controller =
        |environment: &[(&str, &str)]| resolved(&["compose.yaml"], environment)["services"]["dhmc-controller"].clone();
    let given = controller(&[("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"), ("AWS_REGION", "eu-west-1")]);
    assert_eq!(given["environment"]["AWS_ACCESS_KEY_ID"], "AKIAEXAMPLE");
    assert_eq!(given["environment"]["AWS_REGION"], "eu-west-1");
    // A variable that is empty would be another thing than one that is not there.
    assert_eq!(given["environment"]["AWS_SESSION_TOKEN"], Value::Null);
}

#[test]
fn a_profile_is_read_as_its_owner_and_it_is_said_where_that_is_missing() {
    let both = ["compose.yaml", "compose.profile.yaml"];
    let shell =
        [("DHMC_USER", "1000:1000"), ("AWS_PROFILE", "audit"), ("AWS_ACCESS_KEY_ID", "AKIASTRAY"), ("AWS_REGION", "eu-west-1")];
    let project = resolved(&both, &shell);
    let controller = &project["services"]["dhmc-controller"];
    assert_eq!(controller["user"], "1000:1000");
    // Keys that are set by chance would win over the profile.
    assert_eq!(controller["environment"], json!({ "HOME": "/", "AWS_PROFILE": "audit", "AWS_REGION": "eu-west-1" }));
    // Where the SDK looks for profiles, and for the tokens of `aws sso login`: $HOME/.aws/sso/cache.
    assert_eq!(mounted(&project, "dhmc-controller", "/.aws"), Path::new("/home/somebody/.aws"));
    let aws = mounts(controller, "bind").into_iter().find(|mount| mount["target"] == "/.aws").unwrap();
    assert_eq!(aws["read_only"], true);

    let refused = compose(&both, &[]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("set it to what `id -u`"));
}
