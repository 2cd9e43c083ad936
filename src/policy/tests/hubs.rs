//! What the hub needs.

use serde_json::{Value, json};

use super::super::*;
use super::{about, actions, state, value};

fn of(spec: &str, tags: SessionTags) -> Value {
    value(&hub(&state(spec), &Scope::default(), tags, None).unwrap())
}

fn declared(spec: &str) -> Value {
    of(spec, SessionTags::Declared)
}

const EVERYONE: &str = "{regions: {eu-west-1: enabled}, organization: {assumeRole: {name: m, path: /p/}}}";

#[test]
fn listed_accounts_are_reached_one_by_one_and_nothing_is_listed() {
    let policy = declared(
        "{regions: {eu-west-1: enabled}, accounts: [
        {id: '111122223333'},
        {id: '222233334444', assumeRole: {name: m}},
        {id: '333344445555', assumeRole: {name: n, path: /p/}}]}",
    );
    assert_eq!(actions(&policy), ["sts:AssumeRole"].into());
    let roles = json!(["arn:aws:iam::222233334444:role/m", "arn:aws:iam::333344445555:role/p/n"]);
    assert_eq!(about(&policy, "sts:AssumeRole")["Resource"], roles);
}

#[test]
fn an_organization_is_one_pattern_that_also_stands_for_listed_accounts_with_the_same_role() {
    let policy = declared(
        "{regions: {eu-west-1: enabled}, accounts: [
        {id: '222233334444', assumeRole: {name: m}},
        {id: '333344445555', assumeRole: {name: other}}],
        organization: {assumeRole: {name: m}}}",
    );
    let roles = json!(["arn:aws:iam::*:role/m", "arn:aws:iam::333344445555:role/other"]);
    assert_eq!(about(&policy, "sts:AssumeRole")["Resource"], roles);
}

#[test]
fn accounts_that_are_included_by_their_ids_are_named() {
    let policy = declared(
        "{regions: {eu-west-1: enabled}, organization: {assumeRole: {name: m},
        include: {accounts: ['222233334444', '333344445555']}, exclude: {organizationalUnits: [ou-ab12-11111111]}}}",
    );
    let roles = json!(["arn:aws:iam::222233334444:role/m", "arn:aws:iam::333344445555:role/m"]);
    assert_eq!(about(&policy, "sts:AssumeRole")["Resource"], roles);
}

/// The external id keeps strangers from being assumed by mistake, this from being assumed at all.
#[test]
fn with_the_id_of_the_organization_no_account_of_another_is_reached_unless_it_is_named() {
    let spec = "{regions: {eu-west-1: enabled}, accounts: [{id: '222233334444', assumeRole: {name: m}}],
        organization: {assumeRole: {name: m, sessionTags: {a: b}}}}";
    let organization = "o-abcde12345".parse().unwrap();
    let policy = value(&hub(&state(spec), &Scope::default(), SessionTags::Declared, Some(&organization)).unwrap());
    let statements: Vec<&Value> = policy["Statement"].as_array().unwrap().iter().filter(|one| one["Resource"] != "*").collect();
    let of_us = json!({ "StringEquals": { "aws:ResourceOrgID": "o-abcde12345" } });
    let shown: Vec<(&Value, &Value, &Value)> =
        statements.iter().map(|one| (&one["Action"], &one["Resource"], &one["Condition"])).collect();
    assert_eq!(
        shown,
        [
            (&json!(["sts:AssumeRole", "sts:TagSession"]), &json!("arn:aws:iam::*:role/m"), &of_us),
            (&json!("sts:AssumeRole"), &json!("arn:aws:iam::222233334444:role/m"), &Value::Null),
        ]
    );
}

/// As the declaration asks, so is asked: see `organization::Query`.
#[test]
fn the_organization_is_listed_only_as_far_as_the_declaration_asks() {
    let units = ["organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent"];
    let everyone = ["organizations:ListAccounts"];
    let with = |more: &str| format!("{{regions: {{eu-west-1: enabled}}, organization: {{assumeRole: {{name: m}}, {more}}}}}");
    let listed = |spec: &str| {
        let policy = declared(spec);
        actions(&policy).into_iter().filter(|action| action.starts_with("organizations:")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(listed(EVERYONE), everyone);
    assert_eq!(listed(&with("include: {organizationalUnits: [ou-ab12-11111111]}")), units);
    assert_eq!(listed(&with("exclude: {organizationalUnits: [ou-ab12-11111111]}")), [everyone.as_slice(), &units].concat());
}

#[test]
fn session_tags_are_allowed_where_they_are_declared_or_inherited() {
    assert!(!actions(&declared(EVERYONE)).contains("sts:TagSession"));
    let inherited = of(EVERYONE, SessionTags::Inherited);
    assert_eq!(about(&inherited, "sts:TagSession")["Resource"], "arn:aws:iam::*:role/p/m");
    let some = declared(
        "{regions: {eu-west-1: enabled}, accounts: [{id: '222233334444', assumeRole: {name: m, sessionTags: {a: b}}}],
        organization: {assumeRole: {name: m}}}",
    );
    assert_eq!(about(&some, "sts:TagSession")["Resource"], "arn:aws:iam::222233334444:role/m");
    assert_eq!(about(&some, "sts:AssumeRole")["Resource"], "arn:aws:iam::*:role/m");
}

#[test]
fn the_partition_is_the_documents() {
    let policy = declared("{regions: {cn-north-1: enabled}, organization: {assumeRole: {name: m}}}");
    assert_eq!(about(&policy, "sts:AssumeRole")["Resource"], "arn:aws-cn:iam::*:role/m");
}
