//! `SimulatePrincipalPolicy`: what the policies of a principal say of calls nobody makes. It goes by the same policies as
//! the calls themselves, with two differences that AWS names: the caller says which condition keys there are, and service
//! control policies count only where they have no conditions (IAM User Guide, policy simulator).

use std::collections::BTreeSet;

use serde::Serialize;

use super::no_entity;
use super::view::Members;
use crate::access::{Decision, Keys, Request, ScpScope};
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Simulated {
    evaluation_results: Members<Evaluation>,
    is_truncated: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Evaluation {
    eval_action_name: String,
    eval_resource_name: String,
    eval_decision: &'static str,
    missing_context_values: Members<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organizations_decision_detail: Option<ByOrganization>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ByOrganization {
    allowed_by_organizations: bool,
}

/// Every action on every resource.
pub(super) fn simulate(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let principal = principal(call)?;
    let actions = call.params.texts("ActionNames");
    if actions.is_empty() {
        return Err(call.params.invalid("ActionNames", "null", "Member must not be null"));
    }
    let resources = match call.params.texts("ResourceArns") {
        none if none.is_empty() => vec!["*"],
        some => some,
    };
    let keys = call.world.keys_of(call.account, principal).and(&given_keys(call));
    let pairs = actions.iter().flat_map(|action| resources.iter().map(move |resource| (*action, *resource)));
    let member = pairs.map(|(action, resource)| evaluate(call, principal, &Request { action, resource, keys: &keys })).collect();
    let answer = Simulated { evaluation_results: Members { member }, is_truncated: false };
    Answer::xml("SimulatePrincipalPolicyResult", &answer)
}

fn evaluate(call: &Context<'_>, principal: &str, request: &Request<'_>) -> Evaluation {
    let is_member = {
        let organizations = call.world.organizations.read();
        organizations.of(&call.account.id).is_some()
    };
    let denied = call.world.is_denied_by_organization(call.account, request, ScpScope::Unconditional);
    let state = call.account.state.lock();
    let decision = if denied { Decision::ExplicitDeny } else { state.granted.decision(principal, request) };
    let policies = state.granted.of(principal);
    let missing: BTreeSet<String> = policies.iter().flat_map(|policy| policy.missing_keys(request)).map(str::to_owned).collect();
    drop(state);
    Evaluation {
        eval_action_name: request.action.to_owned(),
        eval_resource_name: request.resource.to_owned(),
        eval_decision: match decision {
            Decision::Allowed => "allowed",
            Decision::ImplicitDeny => "implicitDeny",
            Decision::ExplicitDeny => "explicitDeny",
        },
        missing_context_values: Members { member: missing.into_iter().collect() },
        organizations_decision_detail: is_member.then_some(ByOrganization { allowed_by_organizations: !denied }),
    }
}

/// The principal asked about. Sessions are none, and a role is only found with its path.
fn principal<'a>(call: &'a Context<'_>) -> Result<&'a str, ServiceError> {
    let arn = call.params.required("PolicySourceArn")?;
    let (role, user) = (call.account.iam_arn("role/"), call.account.iam_arn("user/"));
    let Some(name) = arn.strip_prefix(&role).and_then(|name| name.rsplit('/').next()) else {
        if arn.strip_prefix(&user).is_some_and(|name| !name.is_empty()) {
            return Ok(arn);
        }
        let message = format!("Invalid Entity Arn: {arn} does not clearly define entity type and name.");
        return Err(ServiceError::new(400, "InvalidInput", message));
    };
    // The sandbox's own identities need no role behind them.
    let elsewhere = call.account.state.lock().roles.truth(name).is_some_and(|role| role.arn != arn);
    if elsewhere {
        return Err(no_entity(format!("The role with name {name} cannot be found.")));
    }
    Ok(arn)
}

/// `ContextEntries.member.1.ContextKeyName`, `.ContextKeyValues.member.1`.
fn given_keys(call: &Context<'_>) -> Keys {
    let mut keys = Keys::default();
    let names = (1..).map_while(|n| Some((n, call.params.text(&format!("ContextEntries.member.{n}.ContextKeyName"))?)));
    for (n, name) in names {
        for value in call.params.texts(&format!("ContextEntries.member.{n}.ContextKeyValues")) {
            keys.add(name, value);
        }
    }
    keys
}
