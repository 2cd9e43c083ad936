//! What is built in, and by which rules: the parts of the supply chain that `deny.toml` cannot see.

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

/// The manifests of this workspace.
fn members() -> Vec<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--offline", "--locked", "--no-deps", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&cargo.stdout).unwrap();
    let manifests = metadata["packages"].as_array().unwrap().iter().map(|one| one["manifest_path"].as_str().unwrap().to_owned());
    manifests.collect()
}

/// The lines of a section of a manifest.
fn section(manifest: &str, header: &str) -> Vec<String> {
    let lines = manifest.lines().skip_while(|line| line.trim() != header).skip(1);
    lines.take_while(|line| !line.starts_with('[')).map(str::to_owned).collect()
}

#[test]
fn unsafe_code_is_forbidden_in_every_crate() {
    assert!(section(&read("Cargo.toml"), "[workspace.lints.rust]").contains(&"unsafe_code = \"forbid\"".to_owned()));
    let members = members();
    assert!(members.len() > 1, "{members:?}");
    for member in members {
        let manifest = fs::read_to_string(&member).unwrap();
        assert!(section(&manifest, "[lints]").contains(&"workspace = true".to_owned()), "{member} has lints of its own");
    }
}

#[test]
fn no_crate_of_ours_has_a_build_script() {
    for member in members() {
        let folder = Path::new(&member).parent().unwrap();
        assert!(!folder.join("build.rs").exists(), "{}", folder.display());
        assert!(!fs::read_to_string(&member).unwrap().lines().any(|line| line.starts_with("build =")), "{member}");
    }
}

/// Whoever builds gets the crates that were tested: no step resolves versions anew.
#[test]
fn every_build_is_of_the_lock_file() {
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let this = concat!("name = \"dhmc-controller\"\nversion = \"", env!("CARGO_PKG_VERSION"), "\"\n");
        assert!(read(lock).contains(this), "{lock} is of another version: see tools/version");
        let ignored = read(".gitignore").lines().chain(read("fuzz/.gitignore").lines()).any(|line| line.contains("lock"));
        assert!(!ignored, "{lock} is kept");
    }
    for file in ["Makefile", "Dockerfile"] {
        let text = read(file);
        let builds = ["cargo build", "cargo test", "cargo clippy", "cargo doc", "cargo bench", "cargo-deny"];
        let of_builds: Vec<&str> =
            text.lines().filter(|line| !line.starts_with('#') && builds.iter().any(|build| line.contains(build))).collect();
        assert!(!of_builds.is_empty(), "{file}");
        for line in of_builds {
            assert!(line.contains("--locked"), "{file}: {line}");
        }
    }
}
