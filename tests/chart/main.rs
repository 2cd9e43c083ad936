//! The Helm chart, what it renders, and what is told of it, with the real helm.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

mod alerts;
mod flags;
mod gitops;
mod hardening;
mod heard;
mod kubernetes;
mod names;
mod parent;
mod plain;
mod readme;
mod refusals;
mod reload;
mod upgrade;
mod values;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use serde::Deserialize as _;
use serde_json::Value;

const CHART: &str = "deploy/chart";
const UPDATE: &str = "UPDATE=1 cargo test --test chart";

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with the file, or with UPDATE=1 writes it.
fn is_fresh(name: &str, fresh: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path(name), fresh).unwrap();
    } else {
        assert!(fresh == read(name), "{name} is not fresh; run {UPDATE}");
    }
}

/// A tool that `make tools` has put under target/tools.
fn tool(name: &str) -> Command {
    let program = path("target/tools").join(name);
    assert!(program.exists(), "{} is missing: run `make tools`", program.display());
    let mut command = Command::new(program);
    command.current_dir(path(""));
    command
}

fn helm(arguments: &[&str]) -> Output {
    tool("bin/helm").args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What helm makes of these values, as text.
fn rendered(arguments: &[&str]) -> String {
    let output = helm(&[&["template", "dhmc-controller", CHART, "--namespace", "dhmc"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Every YAML document of a text. One with a key that comes twice, which Flux and kustomize refuse, ends the test.
fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text)
        .map(|document| serde_json::to_value(serde_yaml::Value::deserialize(document).unwrap()).unwrap());
    documents.filter(|document| !document.is_null()).collect()
}

/// A set of values of tests/chart/values, and what comes of it.
struct Case {
    name: String,
    objects: Vec<Value>,
}

impl Case {
    fn named(name: &str) -> &'static Self {
        matrix().iter().find(|case| case.name == name).unwrap()
    }

    fn of(name: &str) -> Self {
        let file = format!("tests/chart/values/{name}.yaml");
        Self { name: name.to_owned(), objects: documents(&rendered(&["--values", &file])) }
    }

    fn of_kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    fn the(&self, kind: &str) -> &Value {
        let all: Vec<&Value> = self.objects.iter().filter(|object| object["kind"] == kind).collect();
        assert_eq!(all.len(), 1, "{}: {kind}", self.name);
        all[0]
    }

    fn pod(&self) -> &Value {
        &self.the("Deployment")["spec"]["template"]["spec"]
    }

    fn controller(&self) -> &Value {
        let containers = self.pod()["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1, "{}", self.name);
        &containers[0]
    }
}

/// Every set of values. Rendered once for all tests.
static MATRIX: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let files = std::fs::read_dir(path("tests/chart/values")).unwrap();
    let mut names: Vec<String> =
        files.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert!(names.len() >= 12, "{names:?}");
    names.iter().map(|name| Case::of(name)).collect()
});

fn matrix() -> &'static [Case] {
    &MATRIX
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}
