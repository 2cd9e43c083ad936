//! What the chart tells the controller, the controller understands.

use std::fs;
use std::process::Command;

use clap::CommandFactory;
use dhmc_controller::cli::Cli;

use crate::{Case, matrix, said, texts};

/// The arguments of the controller.
fn arguments(case: &Case) -> Vec<String> {
    texts(&case.controller()["args"]).into_iter().map(str::to_owned).collect()
}

fn run() -> clap::Command {
    Cli::command().find_subcommand("run").unwrap().clone()
}

#[test]
fn the_controller_understands_every_flag_that_the_chart_sets() {
    for case in matrix() {
        let arguments = arguments(case);
        assert!(arguments.len() > 8, "{arguments:?}");
        let words = ["dhmc-controller".to_owned()].into_iter().chain(arguments.clone());
        let understood = Cli::command().try_get_matches_from(words);
        assert!(understood.is_ok(), "{}: {arguments:?}: {}", case.name, understood.unwrap_err());
    }
}

/// Who reads the values learns what the controller would do by itself.
#[test]
fn the_defaults_of_the_values_are_those_of_the_flags() {
    let run = run();
    let arguments = arguments(Case::named("defaults"));
    for argument in arguments.iter().skip(1).filter(|argument| !argument.starts_with("--config=")) {
        // What is switched on, or has no default, is what the chart decides.
        let Some((flag, value)) = argument.strip_prefix("--").unwrap().split_once('=') else { continue };
        let flag = run.get_arguments().find(|one| one.get_long() == Some(flag)).unwrap();
        let defaults = flag.get_default_values();
        assert!(defaults.is_empty() || defaults == [value], "{argument}");
    }
}

#[test]
fn each_flag_of_run_can_be_set_by_a_value_of_its_own() {
    let set: Vec<String> = arguments(Case::named("everything"));
    // `--once` makes no sense in a Deployment.
    for flag in run().get_arguments().filter_map(|flag| flag.get_long().map(str::to_owned)) {
        if !["once", "help"].contains(&flag.as_str()) {
            assert!(set.iter().any(|argument| argument.split('=').next() == Some(&format!("--{flag}"))), "--{flag}");
        }
    }
}

#[test]
fn what_is_to_stay_off_says_off() {
    assert!(arguments(Case::named("one_replica")).contains(&"--aws-rps=off".to_owned()));
}

#[test]
fn the_controller_is_pointed_at_what_is_mounted() {
    for case in matrix() {
        let arguments = arguments(case);
        let config = arguments.iter().find_map(|argument| argument.strip_prefix("--config=")).unwrap();
        let mounts = case.controller()["volumeMounts"].as_array().unwrap();
        let mount = mounts.iter().find(|mount| config.starts_with(mount["mountPath"].as_str().unwrap())).unwrap();
        let volume = case.pod()["volumes"].as_array().unwrap().iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let expected = if case.name.starts_with("git_sync") { "emptyDir" } else { "configMap" };
        assert!(volume[expected].is_object(), "{}: {volume}", case.name);
    }
    let path = |name: &str| arguments(Case::named(name))[1].clone();
    assert_eq!(path("defaults"), "--config=/etc/dhmc");
    assert_eq!(path("git_sync_https"), "--config=/git/current/config/production");
}

#[test]
fn the_desired_state_of_each_config_map_is_valid() {
    let mut names = Vec::new();
    for case in matrix() {
        for config_map in case.of_kind("ConfigMap") {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in config_map["data"].as_object().unwrap() {
                fs::write(folder.path().join(name), text.as_str().unwrap()).unwrap();
            }
            let output = Command::new(env!("CARGO_BIN_EXE_dhmc-controller")).arg("validate").arg(folder.path()).output().unwrap();
            assert!(output.status.success(), "{}: {}", case.name, said(&output));
            assert_eq!(config_map["metadata"]["name"], case.pod()["volumes"][0]["configMap"]["name"]);
            names.push(case.name.clone());
        }
    }
    assert_eq!(names, ["defaults", "everything", "several_documents", "text"]);
}
