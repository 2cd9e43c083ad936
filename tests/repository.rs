//! What people and machines find who come to the repository: links that lead somewhere, workflows that can run.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Files of the repository with this ending; what is built is none of it.
fn files(ending: &str) -> Vec<PathBuf> {
    let (mut found, mut left) = (Vec::new(), vec![root().to_owned()]);
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = entry.file_name().unwrap().to_str().unwrap();
            if entry.is_dir() && !["target", ".git", ".terraform", "golden"].contains(&name) {
                left.push(entry);
            } else if name.ends_with(ending) {
                found.push(entry);
            }
        }
    }
    found.sort();
    found
}

/// The lines of a page that are not of a block of code.
fn prose(text: &str) -> Vec<&str> {
    let mut code = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        let fence = line.trim_start().starts_with("```");
        if !code && !fence {
            lines.push(line);
        }
        code ^= fence;
    }
    lines
}

/// Where links of a page lead: what is in round brackets behind square ones.
fn links(text: &str) -> Vec<String> {
    let text = prose(text).join("\n");
    let behind = text.split("](").skip(1);
    behind.filter_map(|rest| rest.split_once(')')).map(|(link, _)| link.to_owned()).collect()
}

/// What headings of a page are called in links, as GitHub does it.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let called = |heading: &str| -> String {
        let kept = heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(called).collect()
}

#[test]
fn every_link_within_the_repository_leads_to_a_file_and_to_a_heading_of_it() {
    let (mut followed, mut broken) = (0, Vec::new());
    for page in files(".md") {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').map_or((link.as_str(), None), |(file, heading)| (file, Some(heading)));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let has = |heading: &str| fs::read_to_string(&target).is_ok_and(|text| anchors(&text).contains(heading));
            if !target.exists() || heading.is_some_and(|heading| !has(heading)) {
                broken.push(format!("{}: {link}", page.strip_prefix(root()).unwrap().display()));
            }
            followed += 1;
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    assert!(followed > 60, "only {followed} links were found");
}

const WORKFLOWS: [&str; 4] = ["check", "advisories", "release", "dhmc"];

fn workflow(name: &str) -> String {
    if name == "dhmc" { "deploy/github/dhmc.yaml".to_owned() } else { format!(".github/workflows/{name}.yaml") }
}

/// Every command of every step.
fn commands(workflow: &str) -> Vec<String> {
    let workflow: Value = serde_yaml::from_str(&read(workflow)).unwrap();
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().into_iter().flatten());
    steps.filter_map(|step| step["run"].as_str()).map(str::to_owned).collect()
}

fn checked(program: &str, arguments: &[&str]) {
    let program = root().join("target/tools/venv/bin").join(program);
    let output = Command::new(&program).args(arguments).current_dir(root()).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}; run `make tools`", program.display()));
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn workflows_are_what_github_takes() {
    let all = WORKFLOWS.map(workflow);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    checked("check-jsonschema", &[&["--builtin-schema", "vendor.github-workflows"], all.as_slice()].concat());
    checked("check-jsonschema", &["--builtin-schema", "vendor.dependabot", ".github/dependabot.yaml"]);
    let held: Vec<PathBuf> =
        files(".yaml").into_iter().filter(|file| file.to_str().unwrap().contains("/.github/workflows/")).collect();
    assert_eq!(held.len(), all.len() - 1, "one is not checked: {held:?}");
}

/// Other people's programs by the commit that was looked at, no rights but those that a job needs, no text of others in a script.
#[test]
fn workflows_give_nobody_a_way_in() {
    checked("zizmor", &["--offline", "--no-progress", ".github", "deploy/github/dhmc.yaml"]);
}

/// Who may write to the repository runs nothing that others wrote, and only the step that writes has the token.
#[test]
fn the_job_that_may_write_to_the_repository_builds_nothing() {
    let release: Value = serde_yaml::from_str(&read(&workflow("release"))).unwrap();
    let jobs = release["jobs"].as_object().unwrap().values();
    let writing: Vec<&Value> = jobs.filter(|job| job["permissions"]["contents"] == "write").collect();
    assert_eq!(writing.len(), 1);
    assert!(!writing[0]["env"].to_string().contains("token"), "{}", writing[0]["env"]);
    let steps = writing[0]["steps"].as_array().unwrap();
    let (last, before) = steps.split_last().unwrap();
    assert!(last["env"].to_string().contains("github.token") && !Value::from(before).to_string().contains("github.token"));
    for run in steps.iter().filter_map(|step| step["run"].as_str()) {
        for builder in ["make", "cargo", "apt-get", "pip"] {
            assert!(!run.contains(builder), "{run}");
        }
    }
}

/// What `make` is asked for in a text: words behind it that could be targets.
fn made(text: &str) -> Vec<String> {
    let word = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    text.split("make ").skip(1).map(word).filter(|word| !word.is_empty()).collect()
}

#[test]
fn what_make_is_asked_for_is_there() {
    let makefile = read("Makefile");
    let mut asked: Vec<String> = WORKFLOWS.iter().flat_map(|name| commands(&workflow(name))).flat_map(|run| made(&run)).collect();
    assert!(!asked.is_empty());
    // In pages, what is code.
    for page in ["README.md", "CONTRIBUTING.md", "SECURITY.md"] {
        asked.extend(read(page).split('`').skip(1).step_by(2).flat_map(made));
    }
    for target in asked {
        assert!(makefile.contains(&format!("\n{target}:")), "make {target}");
    }
}

/// Words of a script that are paths of the repository.
#[test]
fn every_file_that_a_workflow_names_is_there() {
    let mut named = 0;
    for run in ["check", "advisories", "release"].iter().flat_map(|name| commands(&workflow(name))) {
        for word in run.split(|c: char| c.is_whitespace() || "\"'()|".contains(c)) {
            let word = word.trim_end_matches([';', '.', ',']);
            let of_ours = ["deploy/", "tools/", "docs/", "src/"].iter().any(|folder| word.starts_with(folder));
            if of_ours || ["CHANGELOG.md", "Cargo.toml", "Cargo.lock"].contains(&word) {
                assert!(root().join(word).exists(), "{word}");
                named += 1;
            }
        }
    }
    assert!(named > 3, "only {named} were found");
}

/// Files that name the version of this release by hand, and the script that puts it there.
const OF_A_VERSION: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "deploy/chart/Chart.yaml",
    "deploy/compose.yaml",
    "deploy/github/dhmc.yaml",
    "deploy/kubernetes/kustomization.yaml",
    "fuzz/Cargo.lock",
    "tools/version",
];

#[test]
fn a_new_version_is_put_wherever_one_is_written_by_hand() {
    const OLD: &str = env!("CARGO_PKG_VERSION");
    const NEW: &str = "98.7.6-rc.5";
    let copy = tempfile::tempdir().unwrap();
    for file in OF_A_VERSION {
        let to = copy.path().join(file);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(root().join(file), to).unwrap();
    }
    let version = |version: &str| Command::new(copy.path().join("tools/version")).arg(version).output().unwrap();
    let told = version(NEW);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    for file in OF_A_VERSION.into_iter().filter(|file| *file != "tools/version") {
        let text = fs::read_to_string(copy.path().join(file)).unwrap();
        let changed: Vec<String> = read(file)
            .lines()
            .map(str::to_owned)
            .zip(text.lines())
            .filter(|(was, is)| was != is)
            .map(|(was, is)| {
                assert_eq!(was.replace(OLD, NEW), is, "{file}");
                was
            })
            .collect();
        assert_eq!(changed.len(), if file.ends_with("Chart.yaml") { 2 } else { 1 }, "{file}: {changed:#?}");
    }
    assert!(version(OLD).status.success());
    for file in OF_A_VERSION {
        assert_eq!(fs::read_to_string(copy.path().join(file)).unwrap(), read(file), "{file} and back");
    }
    for wrong in ["", "v1.2.3", "1.2", "1.2.3 "] {
        assert!(!version(wrong).status.success(), "{wrong:?}");
    }
}

/// So that no place is forgotten that a later page or template adds.
#[test]
fn every_image_that_is_named_with_a_version_is_of_this_one() {
    let mut named = 0;
    for file in [files(".yaml"), files(".yml"), files(".md"), files(".json"), files("Makefile")].concat() {
        let text = fs::read_to_string(&file).unwrap();
        for rest in text.split("ghcr.io/dhmc-controller/dhmc-controller:").skip(1) {
            let version: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c)).collect();
            if version.starts_with(|c: char| c.is_ascii_digit()) {
                assert_eq!(version, env!("CARGO_PKG_VERSION"), "{}", file.display());
                named += 1;
            }
        }
    }
    assert!(named >= 3, "only {named} were found");
}
