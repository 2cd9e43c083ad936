//! Documents of every kind, each with the states of AWS in which all that it may come to has to be done.

use aws_sandbox::{Role, Sandbox};
use dhmc_controller::app::PassResult;

use super::stage::{MEMBER, set, wrong_role};
use crate::referee::ACCOUNT;
use crate::sdk::{POLICY, ROLE, VALUE};

/// A document, and what it meets.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) spec: String,
    /// The accounts that are reached by a role in them.
    pub(super) members: &'static [&'static str],
    pub(super) scenes: Vec<Scene>,
}

/// A state of AWS, and what a pass over it comes to.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) begin: fn(&Sandbox),
    pub(super) result: PassResult,
    /// What must be true after the pass.
    pub(super) end: fn(&Sandbox) -> bool,
}

const BOUNDARY: &str = "arn:aws:iam::aws:policy/PowerUserAccess";

fn is_enabled(sandbox: &Sandbox, account: &str, region: &str) -> bool {
    sandbox.account(account).setting(region).value.as_deref() == Some(VALUE)
}

fn is_unset(sandbox: &Sandbox, account: &str, region: &str) -> bool {
    sandbox.account(account).setting(region).value.is_none()
}

fn in_sync(name: &'static str, begin: fn(&Sandbox), end: fn(&Sandbox) -> bool) -> Scene {
    Scene { name, begin, result: PassResult::InSync, end }
}

fn put_wrong_role(sandbox: &Sandbox, account: &str) {
    sandbox.account(account).put_role(wrong_role("/service-role/", ROLE));
}

fn role_is_whole(sandbox: &Sandbox, account: &str) -> bool {
    sandbox
        .account(account)
        .role(ROLE)
        .is_some_and(|role| role.attached.iter().any(|arn| arn == POLICY) && role.trust_policy.contains("ssm.amazonaws.com"))
}

fn role_has_every_detail(sandbox: &Sandbox) -> bool {
    sandbox.account(ACCOUNT).role(ROLE).is_some_and(|role| {
        role.attached == [POLICY]
            && role.permissions_boundary.as_deref() == Some(BOUNDARY)
            && role.description.as_deref() == Some("kept by dhmc")
            && role.tags.get("team").is_some_and(|team| team == "platform")
    })
}

pub(super) fn all() -> Vec<Case> {
    vec![
        own_account(),
        every_detail(),
        observed(),
        external(),
        path_with_a_star(),
        listed_member(),
        whole_organization(),
        unit_of_an_organization(),
    ]
}

fn own_account() -> Case {
    let end = |sandbox: &Sandbox| {
        is_enabled(sandbox, ACCOUNT, "us-east-1") && is_unset(sandbox, ACCOUNT, "eu-west-1") && role_is_whole(sandbox, ACCOUNT)
    };
    Case {
        name: "the own account",
        spec: "{regions: {us-east-1: enabled, eu-west-1: disabled}}".to_owned(),
        members: &[],
        scenes: vec![
            in_sync("nothing is there", |sandbox| set(sandbox, ACCOUNT, "eu-west-1"), end),
            in_sync("the role is wrong", |sandbox| put_wrong_role(sandbox, ACCOUNT), end),
        ],
    }
}

fn every_detail() -> Case {
    let end = |sandbox: &Sandbox| {
        role_has_every_detail(sandbox) && ["eu-west-1", "sa-east-1"].iter().all(|r| is_unset(sandbox, ACCOUNT, r))
    };
    Case {
        name: "every detail of a role, and other regions",
        spec: "{role: {exclusivePolicies: true, tags: {team: platform}, description: kept by dhmc, \
               permissionsBoundary: PowerUserAccess}, regions: {us-east-1: enabled}, otherRegions: disabled}"
            .to_owned(),
        members: &[],
        scenes: vec![
            in_sync("nothing is there", |_| (), end),
            in_sync("the role is wrong, and another region is set", wrong_role_and_region, end),
            in_sync("the role has a policy too many", put_role_with_a_policy_too_many, end),
        ],
    }
}

fn wrong_role_and_region(sandbox: &Sandbox) {
    put_wrong_role(sandbox, ACCOUNT);
    set(sandbox, ACCOUNT, "sa-east-1");
}

fn put_role_with_a_policy_too_many(sandbox: &Sandbox) {
    let mut role = wrong_role("/service-role/", ROLE);
    role.attached.push("arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy".to_owned());
    sandbox.account(ACCOUNT).put_role(role);
}

fn observed() -> Case {
    let untouched = |sandbox: &Sandbox| sandbox.journal().calls().iter().all(|call| !call.is_write());
    let observed = |name, begin| Scene { name, begin, result: PassResult::DriftRemains, end: untouched };
    Case {
        name: "observing",
        spec: "{mode: observe, regions: {us-east-1: enabled, eu-west-1: disabled}, otherRegions: enabled}".to_owned(),
        members: &[],
        scenes: vec![
            observed("nothing is there", |_| ()),
            observed("the role is wrong, and another region is set", wrong_role_and_region),
        ],
    }
}

fn external() -> Case {
    let named = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.as_deref() == Some("team/Theirs");
    Case {
        name: "a role that somebody else keeps, wherever it is",
        spec: "{role: {name: Theirs, management: external}, regions: {us-east-1: enabled}}".to_owned(),
        members: &[],
        scenes: vec![
            in_sync("it is there", |sandbox| sandbox.account(ACCOUNT).put_role(Role::trusting_ssm("/team/", "Theirs")), named),
            Scene {
                name: "it is not there",
                begin: |_| (),
                result: PassResult::DriftRemains,
                end: |sandbox| is_unset(sandbox, ACCOUNT, "us-east-1"),
            },
        ],
    }
}

/// What IAM takes for a wildcard, a path may hold.
fn path_with_a_star() -> Case {
    let named = |sandbox: &Sandbox| sandbox.account(ACCOUNT).setting("us-east-1").value.as_deref() == Some("team*a/Dhmc");
    Case {
        name: "a path with a star",
        spec: "{role: {name: Dhmc, path: '/team*a/'}, regions: {us-east-1: enabled}}".to_owned(),
        members: &[],
        scenes: vec![
            in_sync("nothing is there", |_| (), named),
            in_sync("the role is wrong", |sandbox| sandbox.account(ACCOUNT).put_role(wrong_role("/team*a/", "Dhmc")), named),
        ],
    }
}

fn listed_member() -> Case {
    let end = |sandbox: &Sandbox| {
        is_enabled(sandbox, ACCOUNT, "us-east-1")
            && is_enabled(sandbox, MEMBER, "us-east-1")
            && is_unset(sandbox, MEMBER, "eu-west-1")
    };
    Case {
        name: "an account that is listed, with session tags",
        spec: "{regions: {us-east-1: enabled}, accounts: [{id: '111122223333'}, {id: '222233334444', regions: {eu-west-1: disabled}, \
               assumeRole: {name: dhmc-member, path: /platform/, externalId: sesame, sessionTags: {team: platform}}}]}"
            .to_owned(),
        members: &[MEMBER],
        scenes: vec![
            in_sync("nothing is there", |sandbox| set(sandbox, MEMBER, "eu-west-1"), end),
            in_sync("the roles are wrong", |sandbox| [ACCOUNT, MEMBER].iter().for_each(|id| put_wrong_role(sandbox, id)), end),
        ],
    }
}

fn whole_organization() -> Case {
    let end = |sandbox: &Sandbox| {
        [ACCOUNT, MEMBER].iter().all(|id| is_enabled(sandbox, id, "us-east-1") && is_unset(sandbox, id, "eu-west-1"))
    };
    Case {
        name: "a whole organization",
        spec: "{regions: {us-east-1: enabled}, otherRegions: disabled, organization: \
               {assumeRole: {name: dhmc-member, path: /platform/, externalId: sesame}}}"
            .to_owned(),
        members: &[ACCOUNT, MEMBER],
        scenes: vec![
            in_sync("nothing is there", |sandbox| [ACCOUNT, MEMBER].iter().for_each(|id| set(sandbox, id, "eu-west-1")), end),
            in_sync("the roles are wrong", |sandbox| [ACCOUNT, MEMBER].iter().for_each(|id| put_wrong_role(sandbox, id)), end),
        ],
    }
}

/// The member is in a unit below the one that is included: both units have to be listed, and the accounts in them.
fn unit_of_an_organization() -> Case {
    let end = |sandbox: &Sandbox| is_enabled(sandbox, MEMBER, "us-east-1") && role_is_whole(sandbox, MEMBER);
    Case {
        name: "a unit of an organization",
        spec: "{regions: {us-east-1: enabled}, organization: {assumeRole: {name: dhmc-member, path: /platform/, externalId: sesame}, \
               include: {organizationalUnits: [UNIT]}}}"
            .replace("UNIT", UNIT),
        members: &[MEMBER],
        scenes: vec![
            in_sync("nothing is there", move_to_nested_unit, end),
            in_sync(
                "the role is wrong",
                |sandbox| {
                    move_to_nested_unit(sandbox);
                    put_wrong_role(sandbox, MEMBER);
                },
                end,
            ),
        ],
    }
}

fn move_to_nested_unit(sandbox: &Sandbox) {
    let organization = sandbox.organization(ACCOUNT);
    let unit = organization.unit(&organization.root(), "prod");
    assert_eq!(unit, UNIT, "the sandbox makes ids from names");
    organization.move_to(MEMBER, &organization.unit(&unit, "payments"));
}

/// `prod`, below the root of the organization that the account owns.
const UNIT: &str = "ou-oq2e-742okvy3";
