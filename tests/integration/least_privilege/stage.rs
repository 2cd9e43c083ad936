//! A sandbox with accounts, an organization and policies in force, and one pass of the controller over it.

use aws_sandbox::{Filter, Options, Role, SSM_TRUST_POLICY, Sandbox};
use dhmc_controller::app::PassResult;
use dhmc_controller::desired::{self, DesiredState};
use dhmc_controller::policy::trust::HubTerms;
use dhmc_controller::policy::{self, Scope, SessionTags, Unfit};
use serde_json::{Value, json};

use crate::harness::{document, once};
use crate::referee::{ACCOUNT, credentials_of};

/// An account that is reached by a role in it.
pub(super) const MEMBER: &str = "222233334444";
/// Owns the organization where the controller's own account does not.
pub(super) const MANAGEMENT: &str = "999999999999";
/// As whom the controller runs.
pub(super) const CONTROLLER: &str = "arn:aws:iam::111122223333:role/dhmc-controller";
/// What the documents call the role in members.
pub(super) const MEMBER_ROLE: (&str, &str) = ("/platform/", "dhmc-member");
pub(super) const EXTERNAL_ID: &str = "sesame";
const ADMIN: &str = "arn:aws:sts::111122223333:assumed-role/Administrator/alice";

/// A policy and who has it.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) account: &'static str,
    pub(super) role: String,
    pub(super) policy: Value,
}

/// The document of a `spec`.
pub(super) fn desired_state(spec: &str) -> DesiredState {
    desired::load(document(spec).as_bytes()).unwrap_or_else(|problems| panic!("{spec}: {problems}"))
}

fn arn(account: &str, (path, name): (&str, &str)) -> String {
    format!("arn:aws:iam::{account}:role{path}{name}")
}

/// Whether each account has a policy of its own, or all the same one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written {
    ForEach,
    ForAll,
}

/// Every policy that `dhmc-controller policy` makes for a document, given to whom it is for.
pub(super) fn grants(state: &DesiredState, members: &[&'static str], written: Written) -> Vec<Grant> {
    let scope = |account: &str| match written {
        Written::ForEach => Scope::of(account.parse().unwrap()),
        Written::ForAll => Scope::default(),
    };
    let own = [policy::controller(state, &scope(ACCOUNT)), policy::hub(state, &Scope::default(), SessionTags::Declared, None)];
    let own = own.into_iter().filter_map(|policy| match policy {
        Ok(policy) => {
            Some(Grant { account: ACCOUNT, role: CONTROLLER.to_owned(), policy: serde_json::to_value(policy).unwrap() })
        }
        Err(Unfit::NothingOwn | Unfit::NothingToAssume) => None,
        Err(other) => panic!("{other}"),
    });
    let of_member = |account: &&'static str| Grant {
        account,
        role: arn(account, MEMBER_ROLE),
        policy: serde_json::to_value(policy::member(state, &scope(account)).unwrap()).unwrap(),
    };
    own.chain(members.iter().map(of_member)).collect()
}

/// Two accounts of one organization; nobody has a policy yet. Members have the role, and trust as a document makes them.
pub(super) async fn sandbox(state: &DesiredState, members: &[&str], owner: &str) -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let organization = sandbox.organization(owner);
    for account in [ACCOUNT, MEMBER].into_iter().filter(|account| *account != owner) {
        organization.add(account, "member", &organization.root());
    }
    for account in members {
        let role = policy::assumed_role(state, Some(account.parse().unwrap())).unwrap();
        let terms = HubTerms {
            role: CONTROLLER.parse().unwrap(),
            organization: Some(organization.id().parse().unwrap()),
            placeholder: Some(EXTERNAL_ID.to_owned()),
            tags: SessionTags::Declared,
        };
        let trust = serde_json::to_string(&policy::trust::hub(&terms, role)).unwrap();
        let (path, name) = MEMBER_ROLE;
        sandbox.account(account).put_role(Role::new(path, name, &trust));
    }
    sandbox
}

pub(super) fn give(sandbox: &Sandbox, grants: &[Grant]) {
    for grant in grants {
        let given = sandbox.account(grant.account).authorize_role(&grant.role, &grant.policy.to_string());
        given.unwrap_or_else(|why| panic!("{why}: {:#}", grant.policy));
    }
}

/// One pass with the controller's own credentials.
pub(super) async fn pass(sandbox: &Sandbox, spec: &str) -> PassResult {
    once(spec, &sandbox.url(), &credentials_of(sandbox)).await
}

/// The calls that were refused for want of a right, each with its caller.
pub(super) fn refusals(sandbox: &Sandbox) -> Vec<String> {
    let calls = sandbox.journal().matching(&Filter::any());
    let refused = calls.iter().filter(|call| call.error_code().is_some_and(|code| code.starts_with("AccessDenied")));
    refused.map(|call| format!("{} {}:{} {}", call.principal, call.service, call.operation, call.parameters)).collect()
}

/// A role that lacks whatever it can lack, and says something else where it says something.
pub(super) fn wrong_role(path: &str, name: &str) -> Role {
    let mut role = Role::trusting_ssm(path, name);
    role.trust_policy = SSM_TRUST_POLICY.replace("ssm.amazonaws.com", "ec2.amazonaws.com");
    role.description = Some("theirs".to_owned());
    role.tags.insert("team".to_owned(), "theirs".to_owned());
    role
}

/// Somebody's setting, made by an administrator.
pub(super) fn set(sandbox: &Sandbox, account: &str, region: &str) {
    sandbox.account(account).set_setting(region, "service-role/Theirs", ADMIN);
}

/// A policy without one of its actions; statements that allow nothing any more are gone.
pub(super) fn without(policy: &Value, action: &str) -> Value {
    let statements = policy["Statement"].as_array().unwrap().iter().filter_map(|statement| {
        let left: Vec<&str> = actions_of(statement).filter(|one| *one != action).collect();
        let mut statement = statement.clone();
        statement["Action"] = json!(left);
        (!left.is_empty()).then_some(statement)
    });
    let mut policy = policy.clone();
    policy["Statement"] = statements.collect();
    policy
}

/// The actions of a policy, each once.
pub(super) fn actions(policy: &Value) -> std::collections::BTreeSet<String> {
    policy["Statement"].as_array().unwrap().iter().flat_map(actions_of).map(str::to_owned).collect()
}

fn actions_of(statement: &Value) -> impl Iterator<Item = &str> {
    let action = &statement["Action"];
    let many = action.as_array().map_or(std::slice::from_ref(action), Vec::as_slice);
    many.iter().map(|action| action.as_str().unwrap())
}
