//! What the controller has to be allowed in an account: the reads of every target, and the calls that the planner could ever
//! come to.
//!
//! The planner is asked itself, about a role and settings that are as wrong as can be: what it never plans is not allowed.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::reach::Reach;
use super::text::{Place, Text};
use super::values::Values;
use crate::desired::names::RolePath;
use crate::desired::{DesiredRole, DesiredSetting};
use crate::observed::{ObservedRole, ObservedSetting, RoleReadiness, Update};
use crate::operations::{GET_ROLE, GET_SETTING, LIST_ATTACHED_POLICIES, LIST_REGIONS, PASS_ROLE, UPDATE_SETTING};
use crate::plan::{RoleAction, SettingAction, plan_role, plan_setting};

/// What an operation is allowed on, and for which values of what its condition compares.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Rights(BTreeMap<(&'static str, Text), Values>);

impl Rights {
    /// Allows an operation.
    pub(super) fn allow(&mut self, operation: &'static str, resource: Text, values: Values) {
        if values.is_none() {
            return;
        }
        match self.0.entry((operation, resource)) {
            Entry::Vacant(vacant) => {
                vacant.insert(values);
            }
            Entry::Occupied(mut known) => {
                let both = known.get().clone().or(values);
                known.insert(both);
            }
        }
    }

    /// Allows an operation wherever and however.
    pub(super) fn allow_everywhere(&mut self, operation: &'static str) {
        self.allow(operation, Text::literal("*"), Values::any());
    }

    /// Takes everything that is allowed.
    pub(super) fn into_iter(self) -> impl Iterator<Item = (&'static str, Text, Values)> {
        self.0.into_iter().map(|((operation, resource), values)| (operation, resource, values))
    }

    /// Allows what keeps an account as it may come to be declared.
    pub(super) fn keep(&mut self, reach: &Reach, place: &Place) {
        self.write(reach, place);
        for (regions, _) in &reach.settings {
            self.allow(GET_SETTING, place.setting(), regions.clone());
        }
        if reach.lists_regions {
            self.allow_everywhere(LIST_REGIONS);
        }
        for role in &reach.roles {
            self.read_role(role, place);
        }
    }

    /// Allows the writes of that.
    pub(super) fn write(&mut self, reach: &Reach, place: &Place) {
        for (regions, setting) in &reach.settings {
            for action in changes_of_setting(*setting) {
                self.allow(action.operation(), place.setting(), regions.clone());
            }
        }
        for role in &reach.roles {
            for action in changes_of_role(role, place) {
                for resource in place.role(role.path.as_ref(), &role.name) {
                    self.allow(action.operation(), resource, lets_through(&action, role, place));
                }
            }
            if names_the_role(reach) {
                let service = Text::literal(role.trust_principal.to_string());
                for resource in place.role(role.path.as_ref(), &role.name) {
                    self.allow(PASS_ROLE, resource, Values::only([service.clone()]));
                }
            }
        }
    }

    fn read_role(&mut self, role: &DesiredRole, place: &Place) {
        let resources = place.role(role.path.as_ref(), &role.name);
        for resource in &resources {
            self.allow(GET_ROLE, resource.clone(), Values::any());
            self.allow(LIST_ATTACHED_POLICIES, resource.clone(), Values::any());
        }
        // A guess: a role that is not there has no path, so IAM may ask about one at the root. Names are unique in an account
        // whatever the path, so that this tells of no other role.
        self.allow(GET_ROLE, place.role_at(&RolePath::root(), &role.name), Values::any());
    }
}

/// Whether a setting is ever made to name the role.
pub(super) fn names_the_role(reach: &Reach) -> bool {
    let changes = reach.settings.iter().flat_map(|(_, setting)| changes_of_setting(*setting));
    changes.into_iter().any(|action| action.operation() == UPDATE_SETTING)
}

/// The changes that the planner could ever come to.
pub(super) fn changes_of_setting(want: DesiredSetting) -> Vec<SettingAction> {
    let wrong = ObservedSetting { value: Some("another".to_owned()), update: Update::Settled, changed: None };
    plan_setting(want, &wrong, &RoleReadiness::Ready("the role".to_owned())).actions
}

/// The changes that the planner could ever come to: for a role that is not there, and for one that is wrong in every way.
pub(super) fn changes_of_role(want: &DesiredRole, place: &Place) -> Vec<RoleAction> {
    let wrong = ObservedRole {
        path: want.path.as_ref().map_or("/", RolePath::as_str).to_owned(),
        name: want.name.to_string(),
        trust_policy: "{}".to_owned(),
        attached: ["another".to_owned()].into(),
        tags: BTreeMap::new(),
        description: want.description.as_ref().map(|text| format!("not {text}")),
        permissions_boundary: None,
    };
    let plan = |have| plan_role(want, have, place.planned_partition()).actions;
    [plan(None), plan(Some(&wrong))].concat()
}

/// What a change is about, where a condition can compare it.
fn lets_through(action: &RoleAction, role: &DesiredRole, place: &Place) -> Values {
    match action {
        RoleAction::AttachPolicy(arn) | RoleAction::SetPermissionsBoundary(arn) => Values::only([place.policy(arn)]),
        // Which others there are, nobody knows.
        RoleAction::DetachPolicy(_) => {
            Values::all_but(role.policies.iter().map(|policy| place.policy(&policy.arn(place.planned_partition()))))
        }
        RoleAction::Create(new) => {
            new.permissions_boundary.as_ref().map_or_else(Values::any, |arn| Values::only([place.policy(arn)]))
        }
        RoleAction::UpdateTrustPolicy(_) | RoleAction::Tag(_) | RoleAction::Describe(_) => Values::any(),
    }
}
