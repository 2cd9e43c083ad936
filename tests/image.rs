//! The Dockerfile, held against the workspace and against hadolint. `tests/release/image.rs` builds and runs it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// The instructions, each in one line, without comments.
fn instructions() -> Vec<String> {
    let lines: Vec<String> = read("Dockerfile").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    joined.lines().filter(|line| !line.is_empty()).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What is after a word in the instructions that begin with it.
fn all(word: &str) -> Vec<String> {
    let begin = format!("{word} ");
    instructions().iter().filter_map(|line| line.strip_prefix(&begin)).map(str::to_owned).collect()
}

/// The folders of the crates beside the controller's own.
fn members() -> Vec<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let folders = packages.map(|one| Path::new(one["manifest_path"].as_str().unwrap()).parent().unwrap().to_owned());
    let below = folders.map(|folder| folder.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
    let members: Vec<String> = below.filter(|folder| !folder.is_empty()).collect();
    assert!(!members.is_empty());
    members
}

#[test]
fn hadolint_finds_nothing_in_the_dockerfile() {
    let hadolint = root().join("target/tools/venv/bin/hadolint");
    let output =
        Command::new(hadolint).arg("Dockerfile").current_dir(root()).output().expect("hadolint is missing: run `make tools`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_layer_of_dependencies_is_built_of_the_manifest_of_every_crate_and_of_no_file_that_is_not_there() {
    let copied: Vec<String> = all("COPY").into_iter().filter(|copy| !copy.starts_with("--from")).collect();
    for copy in &copied {
        let (sources, _) = copy.rsplit_once(' ').unwrap();
        for source in sources.split(' ') {
            assert!(root().join(source).exists(), "COPY {copy}: there is no {source}");
        }
    }
    for member in members() {
        let copy = format!("{member}/Cargo.toml {member}/");
        assert!(copied.contains(&copy), "the Dockerfile lacks: COPY {copy}");
        assert!(member.starts_with("crates/"), "the Dockerfile makes empty libraries in crates/ alone, not in {member}");
    }
}

/// Where jobs of a workflow run.
fn containers(workflow: &str) -> Vec<String> {
    let workflow: serde_json::Value = serde_yaml::from_str(&read(workflow)).unwrap();
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let container = |job: &serde_json::Value| job["container"]["image"].as_str().or(job["container"].as_str()).map(str::to_owned);
    jobs.filter_map(container).collect()
}

/// What is checked is built by the compiler that builds what ships.
#[test]
fn one_compiler_is_named_everywhere() {
    let from = all("FROM");
    let build = from.iter().find_map(|from| from.strip_prefix("docker.io/library/")?.strip_suffix(" AS build")).unwrap();
    let found: Vec<String> = ["check", "advisories", "release"]
        .iter()
        .flat_map(|name| containers(&format!(".github/workflows/{name}.yaml")))
        .collect();
    assert!(found.len() > 3, "{found:?}");
    assert!(found.iter().all(|container| container == build), "{found:?} and {build}");
    assert_eq!(build, concat!("rust:", env!("CARGO_PKG_RUST_VERSION"), "-bookworm"));
}

/// As `tests/release/image.rs` does with the one that it builds.
#[test]
fn the_release_runs_what_it_pushed_and_holds_it_to_the_same_size() {
    let release = read(".github/workflows/release.yaml");
    let build = release.split("  image:\n").nth(1).unwrap();
    let (push, check) = (build.find("push=true"), build.find("docker run --rm \"$IMAGE\" --version"));
    assert!(push.is_some() && push < check, "{push:?} {check:?}");
    assert!(build.contains("-lt 30000000 ]") && read("tests/release/image.rs").contains("size < 30 * MEGABYTE"));
}

#[test]
fn the_labels_say_what_the_manifest_says() {
    assert!(all("ARG").contains(&format!("DHMC_VERSION={}", env!("CARGO_PKG_VERSION"))), "{:?}", all("ARG"));
    let labels = all("LABEL").join(" ");
    for (label, text) in [
        ("title", env!("CARGO_PKG_NAME")),
        ("description", env!("CARGO_PKG_DESCRIPTION")),
        ("licenses", env!("CARGO_PKG_LICENSE")),
        ("version", "$DHMC_VERSION"),
        ("revision", "$DHMC_COMMIT"),
        ("created", "$DHMC_BUILT"),
    ] {
        assert!(labels.contains(&format!("org.opencontainers.image.{label}=\"{text}\"")), "{label}: {labels}");
    }
}

#[test]
fn every_build_in_the_dockerfile_is_without_the_demo_and_for_whatever_machine_it_is_on() {
    let runs = all("RUN").join("\n");
    let builds: Vec<&str> = runs.split("&&").filter(|run| run.contains("cargo build")).collect();
    assert_eq!(builds.len(), 2, "{builds:#?}");
    for build in builds {
        assert!(build.contains("--release --locked") && build.contains("--no-default-features"), "{build}");
        assert!(build.contains("--target \"$(rustc --print host-tuple)\""), "{build}");
    }
    let text = instructions().join("\n");
    for architecture in ["x86_64", "amd64", "aarch64", "arm64"] {
        assert!(!text.contains(architecture), "{architecture}");
    }
}

/// The last image gets files by name: a folder, or the build's root, would bring what nobody looked at.
#[test]
fn the_last_image_begins_with_nothing_and_takes_three_files() {
    let instructions = instructions();
    let last = instructions.iter().rposition(|line| line.starts_with("FROM ")).unwrap();
    let (from, rest) = instructions[last..].split_first().unwrap();
    assert_eq!(from, "FROM scratch");
    let copies: Vec<&str> = rest.iter().filter_map(|line| line.strip_prefix("COPY ")?.split(' ').nth(2)).collect();
    assert_eq!(copies, ["/etc/ssl/certs/ca-certificates.crt", "/etc/passwd", "/dhmc-controller"]);
    assert!(!rest.iter().any(|line| line.starts_with("ADD ") || line.starts_with("RUN ")), "{rest:#?}");
}
