//! How a policy is written down where that is not just writing; the rest is in `tests/golden/policy/`.

use super::super::quota::{Quota, length};
use super::super::render::{Attached, Deployment, Format, ManagedPolicy, Named};
use super::super::*;
use super::state;

fn named(document: PolicyDocument) -> Named {
    Named { name: "dhmc-test", description: "A policy.", document }
}

/// A path can hold what all three languages take for something of theirs.
#[test]
fn what_is_meant_as_it_is_written_is_taken_so_everywhere() {
    let document = controller(&state("{otherRegions: enabled, role: {name: R, path: '/a*/%{b}/'}}"), &Scope::default()).unwrap();
    let deployment = Deployment::Policy(ManagedPolicy { named: named(document), attached: Attached::ByHand });
    let text = |format| deployment.render(format).unwrap();
    assert!(text(Format::Json).contains(r#""arn:aws:iam::*:role/a${*}/%{b}/R""#));
    let template = text(Format::CloudFormation);
    assert!(template.contains(r#""Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/a${!*}/%{b}/R""#), "{template}");
    let terraform = text(Format::Terraform);
    let arn =
        "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/a$${*}/%%{b}/R";
    assert!(terraform.contains(arn), "{terraform}");
    assert!(hcl::parse(&terraform).is_ok());
}

/// Organizations counts the white space that its API is given.
#[test]
fn a_service_control_policy_that_fits_only_without_white_space_is_printed_without() {
    let state = state("{regions: {eu-west-1: enabled}}");
    let with = |count: usize| {
        let roles = (0..count).map(|n| format!("arn:aws:iam::*:role/emergency-{n}").parse().unwrap());
        let allowed = Allowed { controllers: roles.collect(), deployers: Vec::new() };
        named(scp(&state, &Scope::default(), &allowed).unwrap())
    };
    let printed = |policy: &Named| Deployment::ServiceControlPolicy(policy.clone()).render(Format::Json).unwrap();
    let (few, many) = (with(1), with(12));
    assert!(printed(&few).lines().count() > 10);
    assert_eq!(printed(&many).lines().count(), 1);
    assert!(printed(&many).trim_end().len() <= Quota::ServiceControlPolicy.most());
    assert_eq!(length(&many.document), printed(&many).trim_end().len());
}
