//! The list of what is built in, as it is put beside a release, held against what cargo says is built.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const TARGETS: [&str; 2] = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The list for a target, made anew.
fn made(target: &str) -> Value {
    let output = Command::new(path("tools/release/sbom")).output().expect("tools/release/sbom does not run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let machine = target.split('-').next().unwrap();
    let text = std::fs::read_to_string(path(&format!("target/release-artifacts/dhmc-controller-{machine}.cdx.json"))).unwrap();
    assert!(!text.contains(env!("CARGO_MANIFEST_DIR")), "it tells where it was made");
    serde_json::from_str(&text).unwrap()
}

/// What is linked into the program that ships: name and version.
fn built_in(target: &str) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--no-default-features", "--edges", "normal", "--prefix", "none", "--format", "{p}"];
    let output = Command::new(env!("CARGO")).args(tree).args(["--target", target]).current_dir(path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    // Such as `serde v1.0.0 (proc-macro)`.
    let crates = said.lines().filter_map(|line| line.split_once(" v"));
    crates.map(|(name, rest)| format!("{name} {}", rest.split(' ').next().unwrap())).collect()
}

fn called(one: &Value) -> String {
    format!("{} {}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap())
}

#[test]
fn it_names_this_version_and_every_crate_of_the_build_that_ships_each_with_a_licence() {
    for target in TARGETS {
        let list = made(target);
        assert_eq!((&list["bomFormat"], &list["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
        let this = format!("dhmc-controller {}", env!("CARGO_PKG_VERSION"));
        assert_eq!(called(&list["metadata"]["component"]), this);

        let components = list["components"].as_array().unwrap();
        let listed: BTreeSet<String> = components.iter().map(called).collect();
        let mut built_in = built_in(target);
        assert!(built_in.remove(&this) && built_in.len() > 200, "{target}: {built_in:?}");
        let missing: Vec<&String> = built_in.difference(&listed).collect();
        assert!(missing.is_empty(), "{target}: {missing:?}");
        // The embedded AWS and what only tests need is not shipped.
        for other in ["aws-sandbox", "proptest", "rcgen"] {
            assert!(!listed.iter().any(|one| one.starts_with(&format!("{other} "))), "{other}");
        }
        for one in components {
            assert!(one["licenses"].as_array().is_some_and(|some| !some.is_empty()), "{} has no licence", called(one));
        }
    }
}
