//! `config/schema.json`: that it is fresh, and that it agrees with `load` about what a document looks like.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

use std::sync::LazyLock;
use std::{env, fs};

use dhmc_controller::desired::{load, schema};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::Value;

const SHIPPED: &str = include_str!("../config/schema.json");
const EXAMPLES: [&str; 3] =
    [include_str!("../config/minimal.yaml"), include_str!("../config/example.yaml"), include_str!("../config/organization.yaml")];
static VALIDATOR: LazyLock<Validator> = LazyLock::new(validator);
const REGENERATE: &str = "UPDATE=1 cargo test --test schema";

fn validator() -> Validator {
    jsonschema::validator_for(&schema::json()).unwrap()
}

fn with_header(rest: &str) -> String {
    format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\n{rest}")
}

/// The document as editors see it.
fn value(yaml: &str) -> Value {
    serde_yaml::from_str(yaml.trim_start_matches('\u{feff}')).unwrap()
}

/// What a schema makes of a document.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Takes,
    Refuses,
    /// There is no JSON of it.
    NeverSees,
}

fn verdict(validator: &Validator, yaml: &str) -> Verdict {
    match serde_yaml::from_str(yaml) {
        Ok(value) if validator.is_valid(&value) => Verdict::Takes,
        Ok(_) => Verdict::Refuses,
        Err(_) => Verdict::NeverSees,
    }
}

#[test]
fn the_schema_that_is_shipped_is_fresh() {
    let fresh = serde_json::to_string_pretty(&schema::json()).unwrap() + "\n";
    if env::var_os("UPDATE").is_some() {
        fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/config/schema.json"), &fresh).unwrap();
    } else {
        assert!(fresh == SHIPPED, "config/schema.json is not of src/desired/schema.rs; run {REGENERATE}");
    }
}

/// Every document on a page, with whether it is good.
fn documents(markdown: &str) -> Vec<(&str, bool)> {
    let blocks = markdown.split("\n```yaml\n").skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap()).map(|yaml| (yaml, load(yaml.as_bytes()).is_ok())).collect()
}

#[test]
fn every_good_document_fits_the_schema() {
    let validator = validator();
    let reference = documents(include_str!("../docs/CONFIG.md"));
    let good: Vec<&str> = reference.iter().filter(|(_, good)| *good).map(|(yaml, _)| *yaml).chain(EXAMPLES).collect();
    assert!(good.len() >= 8, "{}", good.len());
    for yaml in good {
        let errors: Vec<String> = validator.iter_errors(&value(yaml)).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{yaml}");
    }
}

#[test]
fn what_looks_wrong_is_refused_by_both() {
    let validator = validator();
    let bad = [
        ("an unknown key", with_header("spec: { otherRegions: enabled, regoins: {} }")),
        (
            "an unknown key of an account",
            with_header("spec: { otherRegions: enabled, accounts: [{ id: '111122223333', role_name: a }] }"),
        ),
        ("another word", with_header("spec: { mode: enforced, otherRegions: enabled }")),
        ("another word for a region", with_header("spec: { regions: { eu-west-1: on } }")),
        ("no such region", with_header("spec: { regions: { eu-wset-1: enabled } }")),
        ("a number as an id", with_header("spec: { otherRegions: enabled, account: 111122223333 }")),
        ("a number as a listed id", with_header("spec: { otherRegions: enabled, accounts: [{ id: 111122223333 }] }")),
        (
            "a number as an included id",
            with_header(
                "spec: { otherRegions: enabled, organization: { assumeRole: { name: a }, include: { accounts: [111122223333] } } }",
            ),
        ),
        (
            "a unit that is none",
            with_header(
                "spec: { otherRegions: enabled, organization: { assumeRole: { name: a }, include: { organizationalUnits: [Production] } } }",
            ),
        ),
        ("no role to assume", with_header("spec: { otherRegions: enabled, organization: {} }")),
        ("an empty list of accounts", with_header("spec: { otherRegions: enabled, accounts: [] }")),
        ("a key without a value", with_header("spec: { otherRegions: enabled, mode: }")),
        ("a role without a value", with_header("spec: { otherRegions: enabled, role: }")),
        ("a tag that is a number", with_header("spec: { otherRegions: enabled, role: { tags: { cost: 4711 } } }")),
        ("a region without its state", with_header("spec: { regions: { eu-west-1: { mode: observe } } }")),
        ("no kind", "apiVersion: dhmc.dev/v1alpha1\nspec: { otherRegions: enabled }".to_owned()),
        ("another version", "apiVersion: v1\nkind: HostManagement\nspec: { otherRegions: enabled }".to_owned()),
        ("no spec", "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement".to_owned()),
    ];
    for (what, yaml) in bad {
        assert!(load(yaml.as_bytes()).is_err(), "load takes {what}: {yaml}");
        assert!(!validator.is_valid(&value(&yaml)), "the schema takes {what}: {yaml}");
    }
}

#[test]
fn every_yaml_that_is_shipped_names_the_schema() {
    for yaml in EXAMPLES {
        assert_eq!(yaml.lines().next(), Some("# yaml-language-server: $schema=schema.json"));
    }
}

/// Every mistake that has a name is refused by the schema too, or the page says why it cannot be.
#[test]
fn of_every_bad_document_the_page_says_whether_the_schema_knows_better() {
    let validator = validator();
    let page = include_str!("../src/desired/tests/problems.md");
    let mut seen = 0;
    for section in page.split("\n## ").skip(1) {
        let (before, rest) = section.split_once("\n```yaml\n").unwrap();
        let said = [("\nThe schema takes it: ", Verdict::Takes), ("\nThe schema never sees it: ", Verdict::NeverSees)];
        let said = said.into_iter().find(|(words, _)| before.contains(words)).map_or(Verdict::Refuses, |(_, verdict)| verdict);
        let title = section.lines().next().unwrap();
        assert_eq!(section.matches("\n```yaml\n").count(), 1, "one document in a section: {title}");
        let yaml = rest.split("\n```").next().unwrap();
        assert!(load(yaml.as_bytes()).is_err(), "{title}");
        assert_eq!(verdict(&validator, yaml), said, "{title}; the page says otherwise");
        seen += 1;
    }
    assert!(seen > 65, "{seen}");
}

/// An editor that marks what is right would soon be believed no more.
#[test]
fn whatever_load_takes_of_what_was_found_by_fuzzing_fits_the_schema() {
    let validator = validator();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/document");
    let mut taken = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for yaml in text.split("\n=====\n").filter(|yaml| load(yaml.as_bytes()).is_ok()) {
            let errors: Vec<String> = validator.iter_errors(&value(yaml)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{yaml}");
            taken += 1;
        }
    }
    assert!(taken > 10, "{taken}");
}

proptest! {
    /// Words and lines of good documents, moved about and left out.
    #[test]
    fn whatever_load_takes_of_a_good_document_that_was_edited_fits_the_schema(
        example in proptest::sample::select(EXAMPLES.to_vec()),
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), 0..3_u8), 1..4),
    ) {
        let mut lines: Vec<&str> = example.lines().collect();
        for (at, other, edit) in edits {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            match edit {
                0 => drop(lines.remove(at)),
                1 => lines.swap(at, other),
                _ => lines.insert(at, lines[other]),
            }
        }
        let yaml = lines.join("\n");
        if load(yaml.as_bytes()).is_ok() {
            prop_assert_eq!(verdict(&VALIDATOR, &yaml), Verdict::Takes, "{}", yaml);
        }
    }
}
