//! What keeps everybody else from touching what the controller keeps: the statements of a service control policy, and of an
//! IAM policy for those who must not.
//!
//! The user guide's sample ("Default Host Management Configuration", least privilege) guards the setting, the passing of the
//! role, and `AttachRolePolicy` and `DeleteRole` on it. The other ways to change what the role can do or who it trusts are added.
//! Only what is enforced is guarded: what is only observed, and an external role, are for somebody else to change. The roles that stay
//! allowed are guarded too: whoever could make or change one of them could become it.

use std::collections::BTreeSet;

use super::Unfit;
use super::document::{Condition, Effect, PolicyDocument, Statement};
use super::principal::{Allowed, Exempt, PrincipalPattern};
use super::reach::Reach;
use super::rights::{changes_of_role, changes_of_setting, names_the_role};
use super::statements;
use super::text::{Place, Text};
use super::values::Values;
use crate::desired::DesiredRole;
use crate::operations::{
    ATTACH_POLICY, CREATE_ROLE, DETACH_POLICY, PASS_ROLE, PUT_BOUNDARY, RESET_SETTING, TAG_ROLE, UPDATE_DESCRIPTION,
    UPDATE_SETTING, UPDATE_TRUST_POLICY,
};

/// What changes what a role can do, or who may have it.
const CHANGES: [&str; 8] = [
    "iam:DeleteRole",
    UPDATE_TRUST_POLICY,
    ATTACH_POLICY,
    DETACH_POLICY,
    "iam:PutRolePolicy",
    "iam:DeleteRolePolicy",
    PUT_BOUNDARY,
    "iam:DeleteRolePermissionsBoundary",
];
/// What changes the tags, where they are declared.
const CHANGES_OF_TAGS: [&str; 2] = [TAG_ROLE, "iam:UntagRole"];
/// What changes the description, where it is declared.
const CHANGES_OF_DESCRIPTION: [&str; 2] = [UPDATE_DESCRIPTION, "iam:UpdateRole"];

/// What changes what a policy of the account says. AWS's own nobody can change.
const CHANGES_OF_POLICIES: [&str; 4] =
    ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicyVersion", "iam:DeletePolicy"];

/// The document that denies all of it to everybody but those.
pub(super) fn document(
    reaches: &[Reach],
    place: &Place,
    regions: &dyn Fn(Values) -> Values,
    entrusted: Entrusted,
) -> Result<PolicyDocument, Unfit> {
    let kept = Kept::of(reaches, place);
    if kept.settings.is_none() && kept.roles.is_empty() {
        return Err(Unfit::NothingEnforced);
    }
    let mut guard = Guard { exempt: entrusted.exempt, statements: Vec::new() };
    if !kept.settings.is_none() {
        let conditions = statements::conditions(UPDATE_SETTING, &regions(kept.settings));
        guard.deny("KeepSettings", &[UPDATE_SETTING, RESET_SETTING], [place.setting()], conditions);
    }
    if !kept.passed.is_empty() {
        let services = kept.passed.iter().map(|(_, service)| service.clone());
        let conditions = statements::conditions(PASS_ROLE, &Values::only(services));
        guard.deny("KeepRoleFromOtherSettings", &[PASS_ROLE], kept.passed.iter().map(|(role, _)| role.clone()), conditions);
    }
    if !kept.roles.is_empty() {
        guard.deny("KeepRole", &CHANGES, kept.roles, Vec::new());
        guard.deny("KeepRoleName", &[CREATE_ROLE], kept.names, Vec::new());
    }
    if !kept.policies.is_empty() {
        guard.deny("KeepPolicies", &CHANGES_OF_POLICIES, kept.policies, Vec::new());
    }
    if !kept.tagged.is_empty() {
        guard.deny("KeepTags", &CHANGES_OF_TAGS, kept.tagged, Vec::new());
    }
    if !kept.described.is_empty() {
        guard.deny("KeepDescription", &CHANGES_OF_DESCRIPTION, kept.described, Vec::new());
    }
    if !entrusted.roles.is_empty() {
        guard.exempt = entrusted.changed_by;
        guard.deny("KeepController", &[&CHANGES[..], &[CREATE_ROLE]].concat(), entrusted.roles, Vec::new());
    }
    Ok(PolicyDocument { statements: guard.statements })
}

/// Who stays allowed.
pub(super) struct Entrusted {
    exempt: Exempt,
    /// Such roles, and those that may change them: whoever could make one of these could change the others.
    roles: BTreeSet<Text>,
    changed_by: Exempt,
}

impl Entrusted {
    /// Roles that the document tells, and what flags name. What brings stack sets may change them in any case.
    pub(super) fn new(declared: Vec<Text>, allowed: &Allowed, stack_sets: &[Text], place: &Place) -> Self {
        let exempt = Exempt::new(&declared, &allowed.controllers);
        let changed_by = exempt.and(stack_sets, &allowed.deployers);
        let roles = |named: &[PrincipalPattern]| named.iter().filter_map(|pattern| pattern.roles(place)).collect::<Vec<_>>();
        let mut guarded: BTreeSet<Text> = declared.into_iter().chain(roles(&allowed.controllers)).collect();
        if !guarded.is_empty() {
            guarded.extend(stack_sets.iter().cloned().chain(roles(&allowed.deployers)));
        }
        Self { exempt, roles: guarded, changed_by }
    }
}

/// What the controller keeps.
#[derive(Default)]
struct Kept {
    /// In these regions.
    settings: Values,
    /// Roles that settings name, each with the service.
    passed: BTreeSet<(Text, Text)>,
    roles: BTreeSet<Text>,
    /// The same at any path. Names are unique whatever the path, so that a role of this name elsewhere keeps ours from being made.
    names: BTreeSet<Text>,
    /// Those that the document declares for the role, its boundary among them, unless they are AWS's own.
    policies: BTreeSet<Text>,
    tagged: BTreeSet<Text>,
    described: BTreeSet<Text>,
}

impl Kept {
    fn of(reaches: &[Reach], place: &Place) -> Self {
        let mut kept = Self::default();
        for reach in reaches {
            for (regions, setting) in &reach.settings {
                if !changes_of_setting(*setting).is_empty() {
                    kept.settings = kept.settings.clone().or(regions.clone());
                }
            }
            for role in &reach.roles {
                kept.add(role, place);
                if names_the_role(reach) {
                    let service = Text::literal(role.trust_principal.to_string());
                    kept.passed.extend(place.role(role.path.as_ref(), &role.name).into_iter().map(|arn| (arn, service.clone())));
                }
            }
        }
        kept
    }

    fn add(&mut self, role: &DesiredRole, place: &Place) {
        let changes: Vec<&str> = changes_of_role(role, place).iter().map(crate::plan::RoleAction::operation).collect();
        if changes.contains(&UPDATE_TRUST_POLICY) {
            self.names.extend(place.role(None, &role.name));
            let declared = role.policies.iter().chain(&role.permissions_boundary);
            let arns = declared.map(|policy| policy.arn(place.planned_partition())).filter(|arn| !arn.contains(":iam::aws:"));
            self.policies.extend(arns.map(|arn| place.policy(&arn)));
        }
        for resource in place.role(role.path.as_ref(), &role.name) {
            for (operation, resources) in
                [(TAG_ROLE, &mut self.tagged), (UPDATE_DESCRIPTION, &mut self.described), (UPDATE_TRUST_POLICY, &mut self.roles)]
            {
                if changes.contains(&operation) {
                    resources.insert(resource.clone());
                }
            }
        }
    }
}

/// The statements, each with its exemption.
struct Guard {
    exempt: Exempt,
    statements: Vec<Statement>,
}

impl Guard {
    fn deny(
        &mut self,
        sid: &str,
        actions: &[&'static str],
        resources: impl IntoIterator<Item = Text>,
        conditions: Vec<Condition>,
    ) {
        let resources: BTreeSet<Text> = resources.into_iter().collect();
        self.statements.push(Statement {
            sid: sid.to_owned(),
            effect: Effect::Deny,
            principal: None,
            actions: actions.to_vec(),
            resources: resources.into_iter().collect(),
            conditions: [conditions, self.exempt.condition()].concat(),
        });
    }
}
