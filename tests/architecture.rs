//! Keeps the house in order: who may know whom, read off the source files themselves.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(under: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(under);
    let mut found = Vec::new();
    let mut left = vec![root];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
    assert!(!found.is_empty(), "nothing under src/{under}");
    found
}

/// The part of a file before its tests, without comments.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn must_not_say(under: &str, forbidden: &[&str]) {
    for (path, text) in sources(under) {
        let code = code(&text);
        for word in forbidden {
            assert!(!code.contains(word), "{} says `{word}`", path.display());
        }
    }
}

const IMPURE: [&str; 14] = [
    "tokio",
    "std::fs",
    "std::net",
    "std::env",
    "std::time::Instant",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "tracing",
    "println!",
    "prometheus",
    "aws_",
    "fastrand",
    "std::process",
];

#[test]
fn deciding_is_pure() {
    for room in ["plan", "desired", "export", "observed.rs", "operations.rs", "target.rs", "outcome.rs"] {
        must_not_say(room, &IMPURE);
    }
    // Terraform's resources are called `aws_...` too; `only_aws_knows_the_sdk` is for the SDK.
    let impure: Vec<&str> = IMPURE.into_iter().filter(|word| *word != "aws_").collect();
    must_not_say("policy", &impure);
}

/// All but what reads: `doctor/examination.rs`.
#[test]
fn examining_is_apart_from_judging() {
    for file in [
        "account.rs",
        "broad_policies.rs",
        "clock.rs",
        "examined.rs",
        "finding.rs",
        "identity.rs",
        "policies.rs",
        "report.rs",
        "rivals.rs",
        "role.rs",
        "sample.rs",
        "session_preferences.rs",
        "settings.rs",
        "writes.rs",
    ] {
        must_not_say(&format!("doctor/{file}"), &IMPURE);
    }
    must_not_say("doctor", &["crate::aws", "crate::app", "crate::source", "crate::cli", "crate::status", "crate::http"]);
}

#[test]
fn schedule_ledger_and_membership_take_time_and_randomness_as_parameters() {
    for file in [
        "reconcile/schedule.rs",
        "reconcile/ledger.rs",
        "reconcile/membership.rs",
        "reconcile/expand.rs",
        "reconcile/queue.rs",
        "reconcile/organization.rs",
    ] {
        must_not_say(file, &["Instant::now", "Timestamp::now", "fastrand", "tracing", "aws_", "sleep"]);
    }
}

#[test]
fn only_aws_knows_the_sdk() {
    for (path, text) in sources("") {
        let inside = path.components().any(|part| part.as_os_str() == "aws");
        let demo = path.components().any(|part| part.as_os_str() == "demo");
        if !inside && !demo {
            for word in ["aws_sdk_", "aws_smithy", "aws_config", "aws_credential_types"] {
                assert!(!code(&text).contains(word), "{} says `{word}`", path.display());
            }
        }
    }
}

#[test]
fn nobody_looks_upwards() {
    must_not_say(
        "plan",
        &[
            "crate::doctor",
            "crate::policy",
            "crate::reconcile",
            "crate::aws",
            "crate::cloud",
            "crate::status",
            "crate::metrics",
            "crate::http",
        ],
    );
    must_not_say(
        "policy",
        &[
            "crate::reconcile",
            "crate::aws",
            "crate::cloud",
            "crate::status",
            "crate::metrics",
            "crate::http",
            "crate::source",
            "crate::cli",
        ],
    );
    must_not_say(
        "desired",
        &["crate::plan", "crate::policy", "crate::observed", "crate::reconcile", "crate::aws", "crate::source", "crate::doctor"],
    );
    must_not_say(
        "export",
        &["crate::reconcile", "crate::aws", "crate::cloud", "crate::cli", "crate::commands", "crate::terminal"],
    );
    must_not_say("cloud.rs", &["crate::aws", "crate::reconcile", "crate::status"]);
    must_not_say("aws", &["crate::reconcile", "crate::status", "crate::http", "crate::app"]);
    must_not_say("reconcile", &["crate::doctor", "crate::aws", "crate::http", "crate::app", "crate::source", "crate::cli"]);
    must_not_say("leader", &["crate::aws", "crate::reconcile", "crate::status", "crate::http", "crate::app", "crate::cli"]);
    must_not_say("reconcile", &["crate::leader"]);
    must_not_say("leader/terms.rs", &["Instant::now", "Timestamp::now", "fastrand", "tracing", "kube::"]);
    must_not_say("http.rs", &["crate::aws", "crate::reconcile", "crate::plan"]);
    must_not_say("status.rs", &["crate::reconcile", "crate::aws"]);
}

#[test]
fn yaml_is_read_in_one_room() {
    for (path, text) in sources("") {
        let inside = path.components().any(|part| part.as_os_str() == "desired");
        assert!(inside || !code(&text).contains("serde_yaml"), "{}", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in sources("") {
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}
