//! Who is let in, and what is asked of them; and how long policies may be.

use serde_json::{Value, json};

use super::super::quota::{Quota, length};
use super::super::trust::{HubTerms, ServiceAccount, ec2, hub, irsa, pod_identity};
use super::super::*;
use super::{about, id, state, statements, value, words};
use crate::desired::regions::known;

const HUB: &str = "arn:aws:iam::111122223333:role/dhmc-hub";

fn terms(tags: SessionTags) -> HubTerms {
    HubTerms { role: HUB.parse().unwrap(), organization: Some("o-abcde12345".parse().unwrap()), placeholder: None, tags }
}

fn member_trust(assume_role: &str, tags: SessionTags) -> Value {
    let state = state(&format!("{{regions: {{eu-west-1: enabled}}, organization: {{assumeRole: {{{assume_role}}}}}}}"));
    value(&hub(&terms(tags), assumed_role(&state, None).unwrap()))
}

#[test]
fn a_member_trusts_the_hub_by_its_external_id_and_organization_and_shows_neither_secret() {
    let policy = member_trust("name: m, externalId: s3cr3t", SessionTags::Declared);
    let [statement] = statements(&policy).as_slice() else { panic!("{policy:#}") };
    assert_eq!(statement["Principal"], json!({"AWS": HUB}));
    assert_eq!(statement["Action"], "sts:AssumeRole");
    let asked = json!({"sts:ExternalId": "EXTERNAL-ID", "aws:PrincipalOrgID": "o-abcde12345"});
    assert_eq!(statement["Condition"], json!({"StringEquals": asked}));
    assert!(!policy.to_string().contains("s3cr3t"));
    let without = member_trust("name: m", SessionTags::Declared);
    assert_eq!(statements(&without)[0]["Condition"], json!({"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}));
}

/// The external id is a matter of `AssumeRole` alone; `TagSession` does not know it.
#[test]
fn session_tags_come_along_where_they_are_declared_or_inherited() {
    for policy in [
        member_trust("name: m, externalId: s3cr3t, sessionTags: {a: b}", SessionTags::Declared),
        member_trust("name: m, externalId: s3cr3t", SessionTags::Inherited),
    ] {
        let tags = about(&policy, "sts:TagSession");
        assert_eq!(tags["Condition"], json!({"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}));
    }
}

#[test]
fn accounts_whose_roles_differ_are_asked_for_one_by_one() {
    let state = state(
        "{regions: {eu-west-1: enabled}, accounts: [
        {id: '111122223333'},
        {id: '222233334444', assumeRole: {name: a, externalId: s3cr3t}},
        {id: '333344445555', assumeRole: {name: a}}]}",
    );
    assert_eq!(assumed_role(&state, None), Err(Unfit::RolesDiffer));
    assert!(assumed_role(&state, Some(id("222233334444"))).unwrap().external_id.is_some());
    assert_eq!(assumed_role(&state, Some(id("111122223333"))), Err(Unfit::Own(id("111122223333"))));
    assert_eq!(assumed_role(&state, Some(id("999988887777"))), Err(Unfit::NotDeclared(id("999988887777"))));
}

#[test]
fn where_the_controller_runs_lets_it_in_and_nobody_else() {
    let account = ServiceAccount { namespace: "ns".to_owned(), name: "sa".to_owned() };
    assert_eq!(statements(&value(&ec2()))[0]["Principal"], json!({"Service": "ec2.amazonaws.com"}));

    let provider = "https://oidc.eks.eu-west-1.amazonaws.com/id/A".parse().unwrap();
    let scope = Scope { partition: Some(Partition::Aws), ..Scope::of(id("111122223333")) };
    let web = value(&irsa(&provider, &account, &scope));
    let arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A";
    assert_eq!(statements(&web)[0]["Principal"], json!({"Federated": arn}));
    assert_eq!(statements(&web)[0]["Action"], "sts:AssumeRoleWithWebIdentity");
    let keys = json!({
        "oidc.eks.eu-west-1.amazonaws.com/id/A:aud": "sts.amazonaws.com",
        "oidc.eks.eu-west-1.amazonaws.com/id/A:sub": "system:serviceaccount:ns:sa",
    });
    assert_eq!(statements(&web)[0]["Condition"], json!({"StringEquals": keys}));

    let pods = value(&pod_identity(Some(&account)));
    assert_eq!(statements(&pods)[0]["Principal"], json!({"Service": "pods.eks.amazonaws.com"}));
    assert_eq!(words(&statements(&pods)[0]["Action"]), ["sts:AssumeRole", "sts:TagSession"]);
    let tags = json!({"aws:RequestTag/kubernetes-namespace": "ns", "aws:RequestTag/kubernetes-service-account": "sa"});
    assert_eq!(statements(&pods)[0]["Condition"], json!({"StringEquals": tags}));
    assert_eq!(statements(&value(&pod_identity(None)))[0].get("Condition"), None);
}

/// Everything that a document can ask for, in every region there is.
#[test]
fn what_one_account_can_need_at_most_fits_into_a_policy() {
    let regions: Vec<String> = known()
        .iter()
        .filter(|(_, partition)| *partition == Partition::Aws)
        .enumerate()
        .map(|(n, (name, _))| format!("{name}: {}", if n % 2 == 0 { "enabled" } else { "disabled" }))
        .collect();
    let spec = format!(
        "{{account: '111122223333', regions: {{{}}}, role: {{exclusivePolicies: true, tags: {{a: b}}, description: text,
        permissionsBoundary: 'arn:aws:iam::111122223333:policy/b', policies: [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10]}}}}",
        regions.join(", ")
    );
    let scope = Scope { doctor: Doctor::With, ..Scope::default() };
    let policy = controller(&state(&spec), &scope).unwrap();
    assert_eq!(Quota::ManagedPolicy.check(&policy, ""), Ok(()));
    // AWS counts no white space; what is printed has some.
    let compact = serde_json::to_string(&policy).unwrap();
    assert_eq!(length(&policy), compact.chars().count());
    assert!(compact.len() > 3_000, "{}", compact.len());
}

#[test]
fn a_policy_that_is_too_long_says_how_long_it_may_be_and_what_to_do() {
    let accounts: Vec<String> =
        (0..200).map(|n| format!("{{id: '{:012}', assumeRole: {{name: role-{n}}}}}", 100_000_000_000_u64 + n)).collect();
    let spec = format!("{{regions: {{eu-west-1: enabled}}, accounts: [{}]}}", accounts.join(", "));
    let policy = super::super::hub(&state(&spec), &Scope::default(), SessionTags::Declared, None).unwrap();
    let error = Quota::ManagedPolicy.check(&policy, "do this").unwrap_err().to_string();
    let length = length(&policy);
    assert_eq!(
        error,
        format!(
            "the policy has {length} characters, white space not counted, while AWS takes 6144 in a managed policy (IAM's quota); do this"
        )
    );
    assert!(Quota::ServiceControlPolicy.check(&policy, "").is_err());
}

#[test]
fn doctor_reads_what_it_reads_and_writes_nothing() {
    let spec = "{mode: observe, regions: {eu-west-1: enabled}}";
    let scope = Scope { doctor: Doctor::With, ..Scope::default() };
    let (with, without) =
        (value(&controller(&state(spec), &scope).unwrap()), value(&controller(&state(spec), &Scope::default()).unwrap()));
    let more: Vec<&str> = super::actions(&with).difference(&super::actions(&without)).copied().collect();
    // The controller lists regions too, for other documents.
    let mut reads = [&doctor::READS[..], &["account:ListRegions"]].concat();
    reads.sort_unstable();
    assert_eq!(more, reads);
    assert!(reads.iter().all(|read| ["Get", "List", "Simulate"].iter().any(|verb| read.contains(&format!(":{verb}")))));
    let preferences = about(&with, "ssm:GetDocument");
    assert_eq!(preferences["Resource"], "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell");
}
