//! The truth table of one region's service setting.
//!
//! ```text
//! desired  | role      | observed             | drift              | action | hold
//! ---------+-----------+----------------------+--------------------+--------+------
//! any      | any       | PendingUpdate        |                    |        |       look again soon
//! enabled  | ready     | the role             |                    |        |
//! enabled  | ready     | unset                | setting_unset      | update |
//! enabled  | ready     | another role         | setting_other_role | update |
//! enabled  | not ready | whatever it is       |                    |        | role
//! disabled | any       | unset                |                    |        |
//! disabled | any       | a role               | setting_set        | reset  |
//! ```
//!
//! While the role is not ready nobody knows the value a setting should have (it is derived from the role's real path), so
//! nothing is called drift; the hold says what is wrong.

use super::{Drift, DriftKind, Hold, Plan, SettingAction, Settling};
use crate::desired::{DesiredSetting, SettingState};
use crate::observed::{ObservedSetting, RoleReadiness, Update};

/// How an unset setting is spelled for people; AWS itself says `$None`.
const UNSET: &str = "unset";

/// Compares one setting with what is wanted of it.
#[must_use]
pub fn plan_setting(want: DesiredSetting, have: &ObservedSetting, role: &RoleReadiness) -> Plan<SettingAction> {
    if have.update == Update::Pending {
        return Plan { settling: Settling::LookAgainSoon, ..Plan::default() };
    }
    let plan = match (want.state, role) {
        (SettingState::Disabled, _) => disabled(have),
        (SettingState::Enabled, RoleReadiness::Ready(value)) => enabled(have, value),
        (SettingState::Enabled, RoleReadiness::NotReady(why) | RoleReadiness::Unknown(why)) => {
            Plan { holds: vec![Hold::RoleNotReady(why.clone())], ..Plan::default() }
        }
    };
    plan.under(want.mode)
}

fn enabled(have: &ObservedSetting, value: &str) -> Plan<SettingAction> {
    let kind = match have.value.as_deref() {
        Some(observed) if observed == value => return Plan::default(),
        Some(_) => DriftKind::SettingOtherRole,
        None => DriftKind::SettingUnset,
    };
    Plan {
        drift: vec![Drift::new(kind, describe(have.value.as_deref()), value)],
        actions: vec![SettingAction::Update(value.to_owned())],
        ..Plan::default()
    }
}

fn disabled(have: &ObservedSetting) -> Plan<SettingAction> {
    let Some(observed) = have.value.as_deref() else { return Plan::default() };
    Plan {
        drift: vec![Drift::new(DriftKind::SettingSet, observed, UNSET)],
        actions: vec![SettingAction::Reset],
        ..Plan::default()
    }
}

/// A setting's value for people.
#[must_use]
pub fn describe(value: Option<&str>) -> String {
    value.unwrap_or(UNSET).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::Mode;

    const ROLE: &str = "service-role/R";

    fn observed(value: Option<&str>) -> ObservedSetting {
        ObservedSetting { value: value.map(str::to_owned), update: Update::Settled, changed: None }
    }

    fn want(state: SettingState, mode: Mode) -> DesiredSetting {
        DesiredSetting { state, mode }
    }

    fn drift(kind: DriftKind, before: &str, after: &str) -> Vec<Drift> {
        vec![Drift::new(kind, before, after)]
    }

    #[test]
    fn every_row_of_the_truth_table_holds() {
        let ready = RoleReadiness::Ready(ROLE.to_owned());
        let missing = RoleReadiness::NotReady("it does not exist".to_owned());
        let hold = || vec![Hold::RoleNotReady("it does not exist".to_owned())];
        let update = || vec![SettingAction::Update(ROLE.to_owned())];
        let rows: Vec<(SettingState, &RoleReadiness, Option<&str>, Plan<SettingAction>)> = vec![
            (SettingState::Enabled, &ready, Some(ROLE), Plan::default()),
            (
                SettingState::Enabled,
                &ready,
                None,
                Plan { drift: drift(DriftKind::SettingUnset, "unset", ROLE), actions: update(), ..Plan::default() },
            ),
            (
                SettingState::Enabled,
                &ready,
                Some("Other"),
                Plan { drift: drift(DriftKind::SettingOtherRole, "Other", ROLE), actions: update(), ..Plan::default() },
            ),
            (SettingState::Enabled, &missing, Some(ROLE), Plan { holds: hold(), ..Plan::default() }),
            (SettingState::Enabled, &missing, None, Plan { holds: hold(), ..Plan::default() }),
            (SettingState::Disabled, &ready, None, Plan::default()),
            (SettingState::Disabled, &missing, None, Plan::default()),
            (
                SettingState::Disabled,
                &missing,
                Some(ROLE),
                Plan {
                    drift: drift(DriftKind::SettingSet, ROLE, "unset"),
                    actions: vec![SettingAction::Reset],
                    ..Plan::default()
                },
            ),
        ];
        for (state, role, value, expected) in rows {
            let have = observed(value);
            assert_eq!(plan_setting(want(state, Mode::Enforce), &have, role), expected, "{state:?} {role:?} {value:?}");
            let quiet = Plan { actions: Vec::new(), ..expected };
            assert_eq!(plan_setting(want(state, Mode::Observe), &have, role), quiet, "observing: {state:?} {role:?} {value:?}");
        }
    }

    #[test]
    fn a_pending_update_is_looked_at_again_and_is_not_drift() {
        let ready = RoleReadiness::Ready(ROLE.to_owned());
        for value in [None, Some("Other"), Some(ROLE)] {
            let have = ObservedSetting { update: Update::Pending, ..observed(value) };
            for state in [SettingState::Enabled, SettingState::Disabled] {
                let plan = plan_setting(want(state, Mode::Enforce), &have, &ready);
                assert_eq!(plan, Plan { settling: Settling::LookAgainSoon, ..Plan::default() });
                assert!(!plan.is_in_sync());
            }
        }
    }

    #[test]
    fn a_case_difference_in_the_value_is_another_role() {
        let ready = RoleReadiness::Ready(ROLE.to_owned());
        let plan = plan_setting(want(SettingState::Enabled, Mode::Enforce), &observed(Some("service-role/r")), &ready);
        assert_eq!(plan.drift[0].kind, DriftKind::SettingOtherRole);
    }
}
