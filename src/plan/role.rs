//! What differs about the role, and whether settings may point to it.
//!
//! The order of actions is the order in which IAM must see them: the role, its trust, its boundary, its policies, then what
//! only people read. A role is never deleted and never moved.

use std::collections::BTreeMap;
use std::fmt;

use super::trust_policy::{self, Trust};
use super::{Drift, DriftKind, Hold, NewRole, Plan, RoleAction};
use crate::desired::names::{Partition, RolePath};
use crate::desired::{DEFAULT_ROLE_PATH, DesiredRole, Management, OtherPolicies};
use crate::observed::{ObservedRole, RoleReadiness};

/// Compares the role with what is wanted of it. `have` is `None` when IAM says that there is no such role.
#[must_use]
pub fn plan_role(want: &DesiredRole, have: Option<&ObservedRole>, partition: Partition) -> Plan<RoleAction> {
    let plan = match have {
        None => missing(want, partition),
        Some(have) => match elsewhere(want, have) {
            Some(path) => conflict(have, path),
            None => compare(want, have, partition),
        },
    };
    let plan = match want.management {
        Management::Managed => plan,
        Management::External => hands_off(want, plan),
    };
    plan.under(want.mode)
}

/// Whether settings may point to the role: it is where it should be and trusts Systems Manager.
#[must_use]
pub fn readiness(want: &DesiredRole, have: Option<&ObservedRole>) -> RoleReadiness {
    let (name, service) = (&want.name, &want.trust_principal);
    let Some(have) = have else { return RoleReadiness::NotReady(format!("role {name} does not exist")) };
    if let Some(path) = elsewhere(want, have) {
        return RoleReadiness::NotReady(format!("role {name} is at path {}, not at {path}", have.path));
    }
    match trust_policy::trust(&have.trust_policy, service) {
        Trust::Granted => RoleReadiness::Ready(have.setting_value()),
        Trust::Absent => RoleReadiness::NotReady(format!("role {name} does not trust {service}")),
        Trust::Denied => RoleReadiness::NotReady(format!("the trust policy of role {name} denies {service}")),
    }
}

/// Whether settings could point to the role once this plan of it was carried out.
#[must_use]
pub fn readiness_after(want: &DesiredRole, have: Option<&ObservedRole>, plan: &Plan<RoleAction>) -> RoleReadiness {
    let after = plan.actions.iter().find_map(|action| match action {
        RoleAction::Create(new) => Some(format!("{}{}", new.path.as_str().trim_start_matches('/'), new.name)),
        RoleAction::UpdateTrustPolicy(_) => have.map(ObservedRole::setting_value),
        _ => None,
    });
    after.map_or_else(|| readiness(want, have), RoleReadiness::Ready)
}

fn elsewhere<'a>(want: &'a DesiredRole, have: &ObservedRole) -> Option<&'a RolePath> {
    want.path.as_ref().filter(|path| path.as_str() != have.path)
}

fn missing(want: &DesiredRole, partition: Partition) -> Plan<RoleAction> {
    let path = want.path.as_ref().map_or(DEFAULT_ROLE_PATH, RolePath::as_str);
    let place = format!("{}{}", path.trim_start_matches('/'), want.name);
    let drift = Drift::new(DriftKind::RoleMissing, "no such role", place);
    let mut actions = Vec::new();
    if let Some(path) = want.path.clone() {
        actions.push(RoleAction::Create(NewRole {
            name: want.name.clone(),
            path,
            trust_policy: trust_policy::fresh(&want.trust_principal),
            description: want.description.clone(),
            tags: want.tags.clone(),
            permissions_boundary: want.permissions_boundary.as_ref().map(|policy| policy.arn(partition)),
        }));
        actions.extend(want.policies.iter().map(|policy| RoleAction::AttachPolicy(policy.arn(partition))));
    }
    Plan { drift: vec![drift], actions, ..Plan::default() }
}

fn conflict(have: &ObservedRole, desired: &RolePath) -> Plan<RoleAction> {
    Plan {
        drift: vec![Drift::new(DriftKind::RolePath, &have.path, desired.as_str())],
        holds: vec![Hold::RoleElsewhere { observed: have.path.clone(), desired: desired.clone() }],
        ..Plan::default()
    }
}

fn compare(want: &DesiredRole, have: &ObservedRole, partition: Partition) -> Plan<RoleAction> {
    let mut plan = Plan::default();
    compare_trust(want, have, &mut plan);
    compare_boundary(want, have, partition, &mut plan);
    compare_policies(want, have, partition, &mut plan);
    compare_tags(want, have, &mut plan);
    compare_description(want, have, &mut plan);
    plan
}

fn compare_trust(want: &DesiredRole, have: &ObservedRole, plan: &mut Plan<RoleAction>) {
    let service = &want.trust_principal;
    let trust = trust_policy::trust(&have.trust_policy, service);
    if trust == Trust::Granted {
        return;
    }
    let wanted = format!("{service} may assume the role");
    plan.drift.push(Drift::new(DriftKind::TrustPolicy, &have.trust_policy, wanted));
    match trust {
        Trust::Denied => plan.holds.push(Hold::TrustDenied),
        _ => plan.actions.push(RoleAction::UpdateTrustPolicy(trust_policy::repaired(&have.trust_policy, service))),
    }
}

fn compare_boundary(want: &DesiredRole, have: &ObservedRole, partition: Partition, plan: &mut Plan<RoleAction>) {
    let Some(desired) = want.permissions_boundary.as_ref().map(|policy| policy.arn(partition)) else { return };
    if have.permissions_boundary.as_ref() != Some(&desired) {
        let before = have.permissions_boundary.as_deref().unwrap_or("none");
        plan.drift.push(Drift::new(DriftKind::PermissionsBoundary, before, &desired));
        plan.actions.push(RoleAction::SetPermissionsBoundary(desired));
    }
}

/// Attaching comes first: a host that loses a policy it needs is worse off than one that keeps a policy too many.
fn compare_policies(want: &DesiredRole, have: &ObservedRole, partition: Partition, plan: &mut Plan<RoleAction>) {
    let desired: Vec<String> = want.policies.iter().map(|policy| policy.arn(partition)).collect();
    for arn in desired.iter().filter(|arn| !have.attached.contains(*arn)) {
        let drift = Drift::new(DriftKind::PolicyMissing, "not attached", "attached");
        plan.drift.push(Drift { subject: Some(arn.clone()), ..drift });
        plan.actions.push(RoleAction::AttachPolicy(arn.clone()));
    }
    if want.other_policies == OtherPolicies::Detach {
        for extra in have.attached.iter().filter(|arn| !desired.contains(arn)) {
            let drift = Drift::new(DriftKind::PolicyExtra, "attached", "not attached");
            plan.drift.push(Drift { subject: Some(extra.clone()), ..drift });
            plan.actions.push(RoleAction::DetachPolicy(extra.clone()));
        }
    }
}

fn compare_tags(want: &DesiredRole, have: &ObservedRole, plan: &mut Plan<RoleAction>) {
    let differing: BTreeMap<String, String> = want
        .tags
        .iter()
        .filter(|(key, value)| have.tags.get(*key) != Some(*value))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if differing.is_empty() {
        return;
    }
    let before = differing.keys().map(|key| match have.tags.get(key) {
        Some(value) => format!("{key}={value}"),
        None => format!("{key} missing"),
    });
    let after = differing.iter().map(|(key, value)| format!("{key}={value}"));
    let (before, after) = (before.collect::<Vec<_>>().join(", "), after.collect::<Vec<_>>().join(", "));
    plan.drift.push(Drift::new(DriftKind::Tags, before, after));
    plan.actions.push(RoleAction::Tag(differing));
}

fn compare_description(want: &DesiredRole, have: &ObservedRole, plan: &mut Plan<RoleAction>) {
    let Some(desired) = &want.description else { return };
    if have.description.as_deref().unwrap_or_default() != desired {
        plan.drift.push(Drift::new(DriftKind::Description, have.description.as_deref().unwrap_or("none"), desired));
        plan.actions.push(RoleAction::Describe(desired.clone()));
    }
}

/// An external role is verified and never written: each drift becomes a hold that says what its owner has to do.
fn hands_off(want: &DesiredRole, plan: Plan<RoleAction>) -> Plan<RoleAction> {
    let name = &want.name;
    let mut holds = plan.holds;
    holds.extend(plan.drift.iter().filter_map(|drift| match drift.kind {
        DriftKind::RoleMissing => Some(Hold::ExternalRole(format!("role {name} does not exist"))),
        DriftKind::TrustPolicy => {
            Some(Hold::ExternalRole(format!("role {name} does not let {} assume it", want.trust_principal)))
        }
        DriftKind::RolePath => None,
        _ => Some(Hold::ExternalRole(format!("role {name}: {drift}"))),
    }));
    Plan { drift: plan.drift, actions: Vec::new(), holds, settling: plan.settling }
}

impl RoleAction {
    /// What it does, for people.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Create(_) => "create role",
            Self::UpdateTrustPolicy(_) => "repair trust policy",
            Self::AttachPolicy(_) => "attach policy",
            Self::DetachPolicy(_) => "detach policy",
            Self::Tag(_) => "tag role",
            Self::Describe(_) => "describe role",
            Self::SetPermissionsBoundary(_) => "set permissions boundary",
        }
    }

    /// What it is done with, where one role can have several: the policy's ARN, the tags.
    fn object(&self) -> Option<String> {
        match self {
            Self::Create(role) => Some(format!("{}{}", role.path, role.name)),
            Self::AttachPolicy(arn) | Self::DetachPolicy(arn) | Self::SetPermissionsBoundary(arn) => Some(arn.clone()),
            Self::Tag(tags) => Some(tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")),
            Self::UpdateTrustPolicy(_) | Self::Describe(_) => None,
        }
    }

    /// Whether this is the action that mends a drift.
    #[must_use]
    pub fn mends(&self, drift: &Drift) -> bool {
        match self {
            Self::Create(_) => drift.kind == DriftKind::RoleMissing,
            Self::UpdateTrustPolicy(_) => drift.kind == DriftKind::TrustPolicy,
            Self::AttachPolicy(arn) => drift.kind == DriftKind::PolicyMissing && drift.subject.as_ref() == Some(arn),
            Self::DetachPolicy(arn) => drift.kind == DriftKind::PolicyExtra && drift.subject.as_ref() == Some(arn),
            Self::Tag(_) => drift.kind == DriftKind::Tags,
            Self::Describe(_) => drift.kind == DriftKind::Description,
            Self::SetPermissionsBoundary(_) => drift.kind == DriftKind::PermissionsBoundary,
        }
    }
}

impl fmt::Display for RoleAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())?;
        self.object().map_or(Ok(()), |object| write!(f, " {object}"))
    }
}

#[cfg(test)]
mod tests;
