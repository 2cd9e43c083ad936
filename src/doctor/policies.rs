//! The policies that give a role its rights, as far as they could be read. Pure.

use std::collections::BTreeSet;

use crate::cloud::CloudError;
use crate::desired::names::Partition;
use crate::desired::{DesiredRole, Management, Mode, OtherPolicies};
use crate::observed::ObservedRole;
use crate::plan::policy_document::{Decision, On, Permissions, decide};

/// One policy of a role.
#[derive(Debug)]
pub struct RolePolicy {
    /// Its ARN, or its name where it is inline.
    pub name: String,
    /// What it says.
    pub content: Content,
}

/// What a policy says.
#[derive(Debug)]
pub enum Content {
    /// This.
    Read(Permissions),
    /// There is no such policy.
    Missing,
    /// IAM answered something that is no policy.
    NoPolicy,
    /// It could not be read.
    Unread(CloudError),
}

impl Content {
    /// From what IAM answered.
    #[must_use]
    pub fn of(answer: Result<Option<String>, CloudError>) -> Self {
        match answer {
            Ok(Some(document)) => Permissions::read(&document).map_or(Self::NoPolicy, Self::Read),
            Ok(None) => Self::Missing,
            Err(error) => Self::Unread(error),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct RolePolicies {
    /// Attached and inline.
    pub policies: Vec<RolePolicy>,
    /// Why the inline ones are not known.
    pub inline_unread: Option<CloudError>,
    /// The permissions boundary.
    pub boundary: Option<RolePolicy>,
}

impl RolePolicies {
    /// What the role may do, as far as its policies are known.
    #[must_use]
    pub fn decide(&self, action: &str, on: On<'_>) -> Decision {
        let read = self.policies.iter().filter_map(RolePolicy::read);
        let granted = decide(read, action, on);
        match self.boundary.as_ref().and_then(RolePolicy::read) {
            Some(boundary) if granted.may_work() => match decide([boundary], action, on) {
                Decision::Allowed => granted,
                within => within,
            },
            _ => granted,
        }
    }

    /// Whether there is none of which nobody knows what it says.
    #[must_use]
    pub fn are_known(&self) -> bool {
        let known = |policy: &RolePolicy| matches!(policy.content, Content::Read(_) | Content::Missing);
        self.inline_unread.is_none() && self.policies.iter().chain(&self.boundary).all(known)
    }
}

impl RolePolicy {
    /// What it says, where that is known.
    #[must_use]
    pub fn read(&self) -> Option<&Permissions> {
        match &self.content {
            Content::Read(permissions) => Some(permissions),
            Content::Missing | Content::NoPolicy | Content::Unread(_) => None,
        }
    }
}

/// ARNs of the managed policies that the role will have once the controller has done its work.
#[must_use]
pub fn managed_policies(want: &DesiredRole, have: Option<&ObservedRole>, partition: Partition) -> BTreeSet<String> {
    let attached = have.map(|role| role.attached.clone()).unwrap_or_default();
    if want.management == Management::External || want.mode == Mode::Observe {
        return attached;
    }
    let declared = want.policies.iter().map(|policy| policy.arn(partition)).collect();
    match want.other_policies {
        OtherPolicies::Leave => &attached | &declared,
        OtherPolicies::Detach => declared,
    }
}

/// ARN of the permissions boundary that the role will have.
#[must_use]
pub fn boundary(want: &DesiredRole, have: Option<&ObservedRole>, partition: Partition) -> Option<String> {
    let declared = want.permissions_boundary.as_ref().filter(|_| want.mode == Mode::Enforce).map(|policy| policy.arn(partition));
    declared.or_else(|| have.and_then(|role| role.permissions_boundary.clone()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::cloud::ErrorKind;

    /// Policies by name and document.
    pub(crate) fn policies(of: &[(&str, &str)]) -> RolePolicies {
        let policy = |(name, document): &(&str, &str)| RolePolicy {
            name: (*name).to_owned(),
            content: Content::of(Ok(Some((*document).to_owned()))),
        };
        RolePolicies { policies: of.iter().map(policy).collect(), ..RolePolicies::default() }
    }

    pub(crate) fn denied(operation: &'static str) -> CloudError {
        CloudError {
            operation,
            kind: ErrorKind::Denied,
            code: Some("AccessDenied".to_owned()),
            message: "no".to_owned(),
            source: None,
        }
    }

    const S3: &str = r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
    const LOGS: &str = r#"{"Statement":{"Effect":"Allow","Action":"logs:*","Resource":"*"}}"#;

    #[test]
    fn a_boundary_takes_away_what_it_does_not_allow() {
        let mut role = policies(&[("s3", S3), ("logs", LOGS)]);
        assert_eq!(role.decide("s3:PutObject", On::Something), Decision::Allowed);
        role.boundary = Some(RolePolicy { name: "b".to_owned(), content: Content::of(Ok(Some(LOGS.to_owned()))) });
        assert_eq!(role.decide("s3:PutObject", On::Something), Decision::NotAllowed);
        assert_eq!(role.decide("logs:PutLogEvents", On::Something), Decision::Allowed);
    }

    #[test]
    fn a_policy_that_could_not_be_read_leaves_the_whole_unknown() {
        let mut role = policies(&[("s3", S3)]);
        assert!(role.are_known());
        role.inline_unread = Some(denied("iam:ListRolePolicies"));
        assert!(!role.are_known());
        for answer in [Ok(Some("<html>".to_owned())), Err(denied("iam:GetPolicy"))] {
            let role = RolePolicies {
                policies: vec![RolePolicy { name: "p".to_owned(), content: Content::of(answer) }],
                ..RolePolicies::default()
            };
            assert!(!role.are_known());
        }
    }

    #[test]
    fn what_counts_is_what_the_role_will_have() {
        let load = |role: &str| {
            let text = format!(
                "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {{regions: {{us-east-1: enabled}}, role: {role}}}\n"
            );
            let state = crate::desired::load(text.as_bytes()).unwrap();
            state.accounts.values().next().unwrap().role.clone()
        };
        let have = ObservedRole {
            path: "/service-role/".to_owned(),
            name: "R".to_owned(),
            trust_policy: String::new(),
            attached: ["arn:aws:iam::aws:policy/Other".to_owned()].into(),
            tags: std::collections::BTreeMap::new(),
            description: None,
            permissions_boundary: None,
        };
        let names = |role: &str, have: Option<&ObservedRole>| -> Vec<String> {
            let arns = managed_policies(&load(role), have, Partition::Aws);
            arns.iter().map(|arn| arn.rsplit('/').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names("{policies: [Ours]}", Some(&have)), ["Other", "Ours"]);
        assert_eq!(names("{policies: [Ours]}", None), ["Ours"]);
        assert_eq!(names("{policies: [Ours], exclusivePolicies: true}", Some(&have)), ["Ours"]);
        assert_eq!(names("{policies: [Ours], mode: observe}", Some(&have)), ["Other"]);
        assert_eq!(names("{policies: [Ours], management: external}", Some(&have)), ["Other"]);
    }
}
