//! Managed policies on a role: attach, detach, list. Attaching twice is as good as once.

use serde::Serialize;

use super::page::page;
use super::view::{Members, Paging};
use super::{limit, names, no_entity, role, role_to_change};
use crate::managed_policies::name_of;
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

/// IAM's default quota of managed policies per role.
const MOST_ATTACHED: usize = 10;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attached {
    policy_name: String,
    policy_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct AttachedPolicies {
    attached_policies: Members<Attached>,
    #[serde(flatten)]
    paging: Paging,
}

pub(super) fn attach(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let arn = names::policy_arn(call, "PolicyArn")?;
    let known = {
        let state = call.account.state.lock();
        state.roles.policy_exists(call.account.partition, arn)
    };
    let mut role = role_to_change(call)?;
    if !known {
        let message = format!("Policy {arn} does not exist or is not attachable.");
        return Err(no_entity(message));
    }
    if role.attached.iter().any(|attached| attached == arn) {
        return Ok(Answer::empty_xml());
    }
    if role.attached.len() >= MOST_ATTACHED {
        return Err(limit("Cannot exceed quota for PoliciesPerRole: 10"));
    }
    role.attached.push(arn.to_owned());
    Ok(Answer::empty_xml())
}

pub(super) fn detach(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let arn = names::policy_arn(call, "PolicyArn")?;
    let mut role = role_to_change(call)?;
    let Some(position) = role.attached.iter().position(|attached| attached == arn) else {
        return Err(no_entity(format!("Policy {arn} was not found.")));
    };
    role.attached.remove(position);
    Ok(Answer::empty_xml())
}

pub(super) fn list(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let attached = role(call)?.attached.clone();
    let by_arn = attached.into_iter().map(|arn| (arn.clone(), arn)).collect();
    let page = page(call, by_arn)?;
    let paging = Paging::from(&page);
    let member = page.entries.into_iter().map(|arn| Attached { policy_name: name_of(&arn).to_owned(), policy_arn: arn });
    let answer = AttachedPolicies { attached_policies: Members { member: member.collect() }, paging };
    Answer::xml("ListAttachedRolePoliciesResult", &answer)
}
