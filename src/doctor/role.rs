//! Whether the role is there and can serve Systems Manager, or will once the controller has done its work. Pure: the plan is the
//! controller's own.

use super::finding::{Check, Finding};
use crate::cloud::CloudError;
use crate::desired::names::Partition;
use crate::desired::{DEFAULT_POLICY_NAME, DesiredRole, Mode};
use crate::observed::{ObservedRole, RoleReadiness};
use crate::plan::{Drift, DriftKind, plan_role, readiness, readiness_after};

/// Judges the role.
#[must_use]
pub fn judge(want: &DesiredRole, answer: &Result<Option<ObservedRole>, CloudError>, partition: Partition) -> Finding {
    let have = match answer {
        Ok(have) => have.as_ref(),
        Err(error) => return Finding::unread(Check::Role, error),
    };
    let plan = plan_role(want, have, partition);
    match (readiness(want, have), readiness_after(want, have, &plan)) {
        (RoleReadiness::Ready(value), _) => {
            let missing = |drift: &&Drift| drift.kind == DriftKind::PolicyMissing;
            let stays = plan.actions.is_empty() && plan.drift.iter().any(|drift| missing(&drift));
            let has_none = want.policies.is_empty() && have.is_some_and(|role| role.attached.is_empty());
            if stays {
                let missing = plan.drift.iter().filter(missing).filter_map(|drift| drift.subject.as_deref());
                let why = format!("{value} has no {}, which is declared", missing.collect::<Vec<_>>().join(", no "));
                Finding::problem(
                    Check::Role,
                    why,
                    "attach it, or let the controller: it only observes this role, or leaves it to others",
                )
            } else if has_none {
                let advice =
                    format!("declare the policies that hosts need, such as {DEFAULT_POLICY_NAME}, unless they are inline");
                Finding::warning(Check::Role, format!("{value} has no policy attached, and none is declared"), advice)
            } else {
                Finding::ok(Check::Role, format!("{value} can be assumed by {}", want.trust_principal))
            }
        }
        (RoleReadiness::NotReady(why), RoleReadiness::Ready(_)) => {
            Finding::note(Check::Role, why, "nothing: the controller creates or repairs it")
        }
        (RoleReadiness::NotReady(why) | RoleReadiness::Unknown(why), _) => {
            let holds: Vec<String> = plan.holds.iter().map(ToString::to_string).collect();
            let advice = match (holds.is_empty(), want.mode) {
                (false, _) => holds.join("; "),
                (true, Mode::Observe) => "create or repair it by hand, or declare `mode: enforce` for the role".to_owned(),
                (true, Mode::Enforce) => "create or repair it by hand".to_owned(),
            };
            Finding::problem(Check::Role, why, advice)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::policies::tests::denied;
    use super::*;
    use crate::doctor::finding::Level;
    use crate::plan::trust_policy::fresh;

    fn want(role: &str) -> DesiredRole {
        let text = format!(
            "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {{regions: {{us-east-1: enabled}}, role: {role}}}\n"
        );
        (*crate::desired::load(text.as_bytes()).unwrap().accounts.values().next().unwrap().role).clone()
    }

    fn have(path: &str, trust_policy: &str) -> ObservedRole {
        ObservedRole {
            path: path.to_owned(),
            name: "R".to_owned(),
            trust_policy: trust_policy.to_owned(),
            attached: std::collections::BTreeSet::new(),
            tags: std::collections::BTreeMap::new(),
            description: None,
            permissions_boundary: None,
        }
    }

    fn level(role: &str, have: Option<ObservedRole>) -> Level {
        judge(&want(role), &Ok(have), Partition::Aws).level
    }

    #[test]
    fn a_role_that_the_controller_makes_good_is_a_note_and_any_other_a_problem() {
        let good = fresh(&crate::desired::names::ServicePrincipal::default());
        assert_eq!(level("{name: R}", Some(have("/service-role/", &good))), Level::Ok);
        assert_eq!(level("{name: R, management: external, policies: [P]}", Some(have("/service-role/", &good))), Level::Problem);
        assert_eq!(level("{name: R, mode: observe}", Some(have("/service-role/", &good))), Level::Problem);
        assert_eq!(level("{name: R, policies: []}", Some(have("/service-role/", &good))), Level::Warning);
        assert_eq!(level("{name: R}", None), Level::Note);
        assert_eq!(level("{name: R}", Some(have("/service-role/", "{}"))), Level::Note);
        assert_eq!(level("{name: R}", Some(have("/", &good))), Level::Problem);
        assert_eq!(level("{name: R, management: external}", None), Level::Problem);
        assert_eq!(level("{name: R, mode: observe}", None), Level::Problem);
        let denying = good.replace("\"Allow\"", "\"Deny\"");
        assert_eq!(level("{name: R}", Some(have("/service-role/", &denying))), Level::Problem);
        assert_eq!(judge(&want("{name: R}"), &Err(denied("iam:GetRole")), Partition::Aws).level, Level::Problem);
    }

    #[test]
    fn a_role_elsewhere_is_told_with_what_to_declare() {
        let finding = judge(&want("{name: R}"), &Ok(Some(have("/", "{}"))), Partition::Aws);
        assert!(finding.advice.unwrap().contains("declare `path: /`"));
    }
}
