//! Documents that are one desired state together, and those that claim the same.

use super::with_header;
use crate::desired::guard::Limit;
use crate::desired::load_all;

/// What is told of documents, each a file's name with its `spec`.
fn told(documents: &[(&str, &str)]) -> String {
    let documents: Vec<(&str, String)> =
        documents.iter().map(|(name, spec)| (*name, with_header(&format!("spec: {spec}\n")))).collect();
    load_all(&documents).map_or_else(|problems| problems.in_file("/etc/dhmc/").to_string(), |_| String::new())
}

const OWN: &str = "{ otherRegions: enabled }";
const OWN_BY_ID: &str = "{ account: '111122223333', otherRegions: enabled }";
const LISTED: &str = "{ otherRegions: enabled, accounts: [{ id: '111122223333' }] }";
const REACHED: &str = "{ otherRegions: enabled, accounts: [{ id: '111122223333', assumeRole: { name: a } }] }";
const REACHED_TOO: &str = "{ otherRegions: enabled, accounts: [{ id: '222233334444', assumeRole: { name: a } }] }";
const ORGANIZATION: &str = "{ otherRegions: enabled, organization: { assumeRole: { name: a } } }";
const INCLUDES: &str =
    "{ otherRegions: enabled, organization: { assumeRole: { name: a }, include: { accounts: ['111122223333'] } } }";
const OVERRIDES: &str = "{ otherRegions: enabled, organization: { assumeRole: { name: a }, \
                         overrides: [{ accounts: ['111122223333'], mode: observe }] } }";
const EXCLUDES: &str =
    "{ otherRegions: enabled, organization: { assumeRole: { name: a }, exclude: { accounts: ['111122223333'] } } }";
const CHINA: &str = "{ accounts: [{ id: '333344445555', assumeRole: { name: a }, regions: { cn-north-1: enabled } }] }";
const IRELAND: &str = "{ accounts: [{ id: '444455556666', assumeRole: { name: a }, regions: { eu-west-1: enabled } }] }";

#[test]
fn documents_that_claim_different_accounts_are_one_state() {
    let documents = [("a.yaml", LISTED), ("b.yaml", REACHED_TOO), ("c.yaml", ORGANIZATION), ("d.yaml", IRELAND)];
    let documents =
        documents.map(|(name, spec)| (name, with_header(&format!("metadata: {{ name: from-{name} }}\nspec: {spec}\n"))));
    let state = load_all(&documents).unwrap();
    assert_eq!(state.name, "from-a.yaml, from-b.yaml, from-c.yaml, from-d.yaml");
    let accounts: Vec<String> = state.accounts.keys().map(ToString::to_string).collect();
    assert_eq!(accounts, ["111122223333", "222233334444", "444455556666"]);
    assert!(state.organization.is_some());
    assert_eq!(told(&[("a.yaml", REACHED), ("b.yaml", EXCLUDES)]), "");
    assert_eq!(told(&[("a.yaml", OWN_BY_ID), ("b.yaml", REACHED_TOO), ("c.yaml", ORGANIZATION)]), "");
}

#[test]
fn an_account_without_an_id_has_no_place_beside_accounts_of_which_it_may_be_one() {
    for other in [REACHED, ORGANIZATION] {
        let expected = "/etc/dhmc/a.yaml:3:1: spec: which account this is for is not said, and other files declare accounts, of \
                        which it may be one; add `account`, the id that the credentials are of";
        assert_eq!(told(&[("a.yaml", OWN), ("b.yaml", other)]), expected);
    }
}

#[test]
fn what_two_documents_claim_is_told_with_both_files() {
    let own = "without assumeRole, which is the controller's own account, as is the one in";
    let own_help = "list it under accounts with an assumeRole, or keep one of the two";
    let keep = "keep it in one of the two files";
    let elsewhere = "declare it in one of the two places";
    let cases = [
        (LISTED, REACHED, format!("3:49: spec.accounts[0].id: account 111122223333 is declared already, in a.yaml:3:49; {keep}")),
        (
            OWN_BY_ID,
            REACHED,
            format!("3:49: spec.accounts[0].id: account 111122223333 is declared already, in a.yaml:3:18; {keep}"),
        ),
        (OWN_BY_ID, OWN_BY_ID, format!("3:18: spec.account: account 111122223333 is declared already, in a.yaml:3:18; {keep}")),
        (
            OWN_BY_ID,
            LISTED,
            format!("3:49: spec.accounts[0].id: account 111122223333 is declared already, in a.yaml:3:18; {keep}"),
        ),
        (OWN, OWN, format!("3:1: spec: {own} a.yaml:3:1; {own_help}")),
        (OWN, OWN_BY_ID, format!("3:18: spec.account: {own} a.yaml:3:1; {own_help}")),
        (OWN, LISTED, format!("3:49: spec.accounts[0].id: {own} a.yaml:3:1; {own_help}")),
        (LISTED, OWN, format!("3:1: spec: {own} a.yaml:3:49; {own_help}")),
        (
            ORGANIZATION,
            ORGANIZATION,
            format!("3:32: spec.organization: the organization is declared already, in a.yaml:3:32; {keep}"),
        ),
        (
            REACHED,
            INCLUDES,
            format!(
                "3:95: spec.organization.include.accounts[0]: account 111122223333 is listed under accounts, in a.yaml:3:49, \
                 and left out here; {elsewhere}"
            ),
        ),
        (
            REACHED,
            OVERRIDES,
            format!(
                "3:98: spec.organization.overrides[0].accounts[0]: account 111122223333 is listed under accounts, in a.yaml:3:49, \
                 and left out here; {elsewhere}"
            ),
        ),
        (
            IRELAND,
            CHINA,
            "3:78: spec.accounts[0].regions.cn-north-1: partition aws-cn, while a.yaml:3:78 is in partition aws; \
             credentials are of one partition: give each a controller of its own"
                .to_owned(),
        ),
    ];
    for (first, second, expected) in cases {
        assert_eq!(told(&[("a.yaml", first), ("b.yaml", second)]), format!("/etc/dhmc/b.yaml:{expected}"));
    }
}

#[test]
fn an_organization_is_compared_with_files_before_and_after_it() {
    let told = told(&[("a.yaml", INCLUDES), ("b.yaml", REACHED)]);
    assert!(told.starts_with("/etc/dhmc/a.yaml:3:95: "), "{told}");
    assert!(told.contains("is listed under accounts, in b.yaml:3:49, and left out here"), "{told}");
}

#[test]
fn every_problem_of_every_file_is_told_in_the_order_of_the_files() {
    let told = told(&[("a.yaml", "{ mode: enforced }"), ("b.yaml", OWN), ("c.yaml", "{ regions: { eu-wset-1: enabled } }")]);
    let files: Vec<&str> = told.lines().map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(
        files,
        [
            "/etc/dhmc/a.yaml:3:1",
            "/etc/dhmc/a.yaml:3:15",
            "/etc/dhmc/b.yaml:3:1",
            "/etc/dhmc/c.yaml:3:1",
            "/etc/dhmc/c.yaml:3:20"
        ]
    );
}

#[test]
fn a_problem_of_a_whole_file_names_it() {
    let problems = load_all(&[("a.yaml", "")]).unwrap_err();
    assert_eq!(problems.to_string(), "a.yaml: the document is empty; begin with apiVersion, kind and spec");
}

#[test]
fn no_documents_are_no_state() {
    assert_eq!(load_all::<&str, &str>(&[]).unwrap_err().to_string(), "declares nothing");
}

#[test]
fn one_file_of_several_has_the_guard_of_all() {
    let with_guard = "{ accounts: [{ id: '111122223333' }], otherRegions: enabled, guard: { resets: { count: 7 } } }";
    let documents =
        [("a.yaml", REACHED_TOO), ("b.yaml", with_guard)].map(|(name, spec)| (name, with_header(&format!("spec: {spec}\n"))));
    assert_eq!(load_all(&documents).unwrap().guard.resets, Limit { count: 7, ..Limit::DEFAULT });
    let another = "{ accounts: [{ id: '222233334444', assumeRole: { name: a } }], otherRegions: enabled, guard: {} }";
    assert_eq!(
        told(&[("a.yaml", another), ("b.yaml", with_guard)]),
        "/etc/dhmc/b.yaml:3:68: spec.guard: the guard is declared already, in a.yaml:3:93, and is for all files together; keep it \
         in one of the two files"
    );
}
