//! Whether what the document declares may be written: what IAM's policy simulator is asked, and what its answers mean. Pure.

use std::collections::BTreeMap;

use super::examined::{Answer, Simulated, Simulation};
use super::finding::{Check, Finding};
use crate::cloud::CloudError;
use crate::desired::names::{AccountId, Partition, Region};
use crate::desired::{DEFAULT_ROLE_PATH, DesiredRole, DesiredSetting};
use crate::observed::ObservedRole;
use crate::policy::{self, Compared, Write};

/// What may have to be written in one account.
#[derive(Debug)]
pub struct Writes<'a> {
    /// The partition.
    pub partition: Partition,
    /// The account.
    pub account: AccountId,
    /// The settings that are declared.
    pub settings: &'a [(Region, DesiredSetting)],
    /// The role, where settings need one.
    pub role: Option<&'a DesiredRole>,
    /// The role as it is, where it is known.
    pub observed: Option<&'a ObservedRole>,
}

impl Writes<'_> {
    /// What to ask the simulator: about every write that `policy` allows. Nothing, where the document only observes.
    #[must_use]
    pub fn simulations(&self) -> Vec<Simulation> {
        // Where it is known where the role is, that is asked about.
        let found = self.observed.and_then(|role| role.path.parse().ok()).or_else(|| DEFAULT_ROLE_PATH.parse().ok());
        let role = self.role.map(|role| DesiredRole { path: role.path.clone().or(found), ..role.clone() });
        let mut asked: Vec<Simulation> = Vec::new();
        for write in policy::writes(self.partition, self.account, self.settings, role.as_ref()) {
            for (resource, context) in self.contexts(&write) {
                match asked.iter_mut().find(|one| one.resources == [resource.as_str()] && one.context == context) {
                    Some(same) => same.actions.push(write.operation),
                    None => asked.push(Simulation { actions: vec![write.operation], resources: vec![resource], context }),
                }
            }
        }
        asked
    }

    /// What the calls of a write would be on, and bring along: each by itself, because policies may compare it.
    fn contexts(&self, write: &Write) -> Vec<(String, BTreeMap<&'static str, String>)> {
        let Some((key, compared)) = &write.compared else { return vec![(write.resource.clone(), BTreeMap::new())] };
        let values: Vec<&String> = match compared {
            Compared::Only(these) => these.iter().collect(),
            // What is attached, and nobody declared.
            Compared::AllBut(declared) => {
                let attached = self.observed.into_iter().flat_map(|role| &role.attached);
                attached.filter(|policy| !declared.contains(policy)).collect()
            }
        };
        let on = |value: &str| match *key {
            "aws:RequestedRegion" => write.resource.replacen(":*:", &format!(":{value}:"), 1),
            _ => write.resource.clone(),
        };
        values.into_iter().map(|value| (on(value), BTreeMap::from([(*key, value.clone())]))).collect()
    }
}

/// What came of asking.
#[derive(Debug)]
pub enum Asked {
    /// The simulator's answers to each question.
    Answered(Vec<Result<Vec<Simulated>, CloudError>>),
    /// The document only observes.
    Nothing,
    /// The credentials are the root user's.
    Root,
    /// Whose policies would have to be looked at is not known, and why.
    WhoIsUnknown(String),
}

/// Judges the answers.
#[must_use]
pub fn judge(asked: &Asked) -> Vec<Finding> {
    match asked {
        Asked::Nothing => vec![Finding::ok(Check::Writes, "the document only observes: nothing is written")],
        Asked::Root => {
            vec![Finding::ok(Check::Writes, "the root user may write everything, unless a service control policy forbids it")]
        }
        Asked::WhoIsUnknown(why) => {
            vec![Finding::not_looked_at(
                Check::Writes,
                why.clone(),
                "compare the controller's policies with what `policy controller` or `policy member` prints",
            )]
        }
        Asked::Answered(answers) => of_answers(answers),
    }
}

fn of_answers(answers: &[Result<Vec<Simulated>, CloudError>]) -> Vec<Finding> {
    let mut found = Vec::new();
    let refused = || answers.iter().flatten().flatten().filter(|one| one.answer != Answer::Allowed);
    let surely = told(refused().filter(|one| one.unknown.is_empty()));
    if !surely.is_empty() {
        found.push(Finding::problem(
            Check::Writes,
            format!("not allowed: {}", surely.join("; ")),
            "compare the controller's policies with what `policy controller` or `policy member` prints, and look for a Deny above them, such as a \
             service control policy or a permissions boundary",
        ));
    }
    let perhaps = told(refused().filter(|one| !one.unknown.is_empty()));
    if !perhaps.is_empty() {
        let mut keys: Vec<&str> = refused().flat_map(|one| &one.unknown).map(String::as_str).collect();
        keys.sort_unstable();
        keys.dedup();
        found.push(Finding::warning(
            Check::Writes,
            format!("may not be allowed: {}", perhaps.join("; ")),
            format!(
                "it depends on {}, which the simulation does not know: see that the controller's calls fulfil it",
                keys.join(", ")
            ),
        ));
    }
    let mut unseen: Vec<&str> = answers
        .iter()
        .flatten()
        .flatten()
        .filter(|one| one.answer == Answer::Allowed)
        .flat_map(|one| &one.unknown)
        .map(String::as_str)
        .collect();
    unseen.sort_unstable();
    unseen.dedup();
    if !unseen.is_empty() {
        found.push(Finding::note(
            Check::Writes,
            format!("what is allowed may still be denied by {}, which the simulation does not know", unseen.join(", ")),
            "see that no Deny with that condition applies to the controller's calls",
        ));
    }
    // One reason is enough: they are all of the same call.
    if let Some(error) = answers.iter().find_map(|answer| answer.as_ref().err()) {
        found.push(Finding::unchecked(Check::Writes, error));
    }
    if found.is_empty() {
        let count = answers.iter().flatten().map(Vec::len).sum::<usize>();
        found.push(Finding::ok(Check::Writes, format!("{count} writes that the document may come to are allowed")));
    }
    found
}

/// Each action once, with what it is not allowed on.
fn told<'a>(refused: impl Iterator<Item = &'a Simulated>) -> Vec<String> {
    let mut of_actions: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for one in refused {
        let by = match one.answer {
            Answer::Forbidden => ", which a Deny forbids",
            Answer::NotAllowed | Answer::Allowed => "",
        };
        of_actions.entry((&one.action, by)).or_default().push(&one.resource);
    }
    let tell = |((action, by), resources): ((&str, &str), Vec<&str>)| match resources.as_slice() {
        [one] => format!("{action} on {one}{by}"),
        [first, rest @ ..] => format!("{action} on {first} and {} more{by}", rest.len()),
        [] => format!("{action}{by}"),
    };
    of_actions.into_iter().map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::super::policies::tests::denied;
    use super::*;
    use crate::doctor::finding::Level;

    /// What is asked for a `spec`: each action, with its resource or its context.
    fn asked(spec: &str) -> Vec<String> {
        asked_beside(spec, None)
    }

    /// The same where the role is as it is.
    fn asked_beside(spec: &str, observed: Option<&ObservedRole>) -> Vec<String> {
        let text = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n");
        let state = crate::desired::load(text.as_bytes()).unwrap();
        let account = state.accounts.values().next().unwrap();
        let managed = |(region, declared): (&Region, &crate::desired::Declared)| match declared {
            crate::desired::Declared::Managed(want) => Some((region.clone(), *want)),
            crate::desired::Declared::Unmanaged => None,
        };
        let settings: Vec<_> = account.regions.iter().filter_map(managed).collect();
        let writes = Writes {
            partition: Partition::Aws,
            account: "111122223333".parse().unwrap(),
            settings: &settings,
            role: crate::reconcile::expand::needs_role(account).then_some(&*account.role),
            observed,
        };
        let tell = |one: Simulation| {
            let on = one.resources.iter().map(|arn| arn.rsplit(':').take(3).collect::<Vec<_>>()[2].to_owned());
            let context: Vec<String> = one.context.iter().map(|(key, value)| format!(" {key}={value}")).collect();
            format!("{} {}{}", one.actions.join(","), on.collect::<Vec<_>>().join(","), context.concat())
        };
        writes.simulations().into_iter().map(tell).collect()
    }

    #[test]
    fn a_document_that_observes_or_manages_nothing_asks_nothing() {
        assert_eq!(asked("{mode: observe, regions: {us-east-1: enabled, eu-west-1: disabled}}"), Vec::<String>::new());
        assert_eq!(asked("{regions: {us-east-1: unmanaged}}"), Vec::<String>::new());
    }

    #[test]
    fn what_is_asked_is_what_the_document_may_come_to() {
        assert_eq!(
            asked("{regions: {eu-west-1: disabled}}"),
            ["ssm:ResetServiceSetting eu-west-1 aws:RequestedRegion=eu-west-1"]
        );
        let external = "{regions: {eu-west-1: enabled, us-east-1: enabled}, role: {management: external}}";
        assert_eq!(
            asked(external),
            [
                "ssm:UpdateServiceSetting eu-west-1 aws:RequestedRegion=eu-west-1",
                "ssm:UpdateServiceSetting us-east-1 aws:RequestedRegion=us-east-1",
                "iam:PassRole  iam:PassedToService=ssm.amazonaws.com",
            ]
        );
        let all = "{regions: {eu-west-1: enabled}, role: {name: R, tags: {a: b}, description: d, permissionsBoundary: B, policies: [P]}}";
        assert_eq!(
            asked(all),
            [
                "ssm:UpdateServiceSetting eu-west-1 aws:RequestedRegion=eu-west-1",
                "iam:PassRole  iam:PassedToService=ssm.amazonaws.com",
                "iam:CreateRole,iam:PutRolePermissionsBoundary  iam:PermissionsBoundary=arn:aws:iam::aws:policy/B",
                "iam:UpdateAssumeRolePolicy,iam:TagRole,iam:UpdateRoleDescription ",
                "iam:AttachRolePolicy  iam:PolicyARN=arn:aws:iam::aws:policy/P",
            ]
        );
    }

    #[test]
    fn what_is_attached_and_not_declared_is_asked_about() {
        let observed = ObservedRole {
            path: "/there/".to_owned(),
            name: "R".to_owned(),
            trust_policy: "{}".to_owned(),
            attached: ["arn:aws:iam::aws:policy/P".to_owned(), "arn:aws:iam::aws:policy/Q".to_owned()].into(),
            tags: BTreeMap::new(),
            description: None,
            permissions_boundary: None,
        };
        let exclusive = "{regions: {eu-west-1: enabled}, role: {name: R, policies: [P], exclusivePolicies: true}}";
        let detached = |asked: Vec<String>| asked.into_iter().filter(|one| one.contains("Detach")).collect::<Vec<_>>();
        let about = "iam:DetachRolePolicy  iam:PolicyARN=arn:aws:iam::aws:policy/Q";
        assert_eq!(detached(asked_beside(exclusive, Some(&observed))), [about]);
        assert_eq!(detached(asked(exclusive)), Vec::<String>::new());
    }

    fn answer(action: &str, resource: &str, answer: Answer, unknown: &[&str]) -> Simulated {
        let unknown = unknown.iter().map(|key| (*key).to_owned()).collect();
        Simulated { action: action.to_owned(), resource: resource.to_owned(), answer, unknown }
    }

    #[test]
    fn what_is_refused_is_a_problem_and_what_depends_on_the_unknown_a_warning() {
        let found = judge(&Asked::Answered(vec![
            Ok(vec![
                answer("ssm:UpdateServiceSetting", "a", Answer::NotAllowed, &[]),
                answer("ssm:UpdateServiceSetting", "b", Answer::NotAllowed, &[]),
                answer("iam:CreateRole", "r", Answer::Forbidden, &[]),
                answer("iam:PassRole", "r", Answer::NotAllowed, &["aws:SourceVpce"]),
                answer("iam:TagRole", "r", Answer::Allowed, &[]),
            ]),
            Err(denied("iam:SimulatePrincipalPolicy")),
        ]));
        let levels: Vec<Level> = found.iter().map(|finding| finding.level).collect();
        assert_eq!(levels, [Level::Problem, Level::Warning, Level::Unchecked]);
        assert_eq!(
            found[0].found,
            "not allowed: iam:CreateRole on r, which a Deny forbids; ssm:UpdateServiceSetting on a and 1 more"
        );
        assert!(found[1].advice.as_ref().unwrap().contains("aws:SourceVpce"));
    }

    #[test]
    fn who_may_not_ask_is_told_so_once_and_nothing_is_held_against_them() {
        let denial = || Err(denied("iam:SimulatePrincipalPolicy"));
        let found = judge(&Asked::Answered(vec![denial(), denial()]));
        assert_eq!(found.iter().map(|finding| finding.level).collect::<Vec<_>>(), [Level::Unchecked]);
    }
}
