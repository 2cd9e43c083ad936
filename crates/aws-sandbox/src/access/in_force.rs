//! The policies that principals and organizations were given, and what they say of a call.
//!
//! A principal without any policy may do everything, as if it had `AdministratorAccess`: most tests are about other
//! things. Of service control policies only the denials count, for `FullAWSAccess` stays attached beside them.

use std::collections::HashMap;

use super::{Decision, InvalidPolicy, Keys, Policy, Request, decide};
use crate::identity::DeniedBy;
use crate::world::{Account, World};

/// The permission policies of one account.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    everybody: Vec<Policy>,
    /// By the ARN of a role or user.
    principals: HashMap<String, Vec<Policy>>,
}

impl Granted {
    /// The policies of a principal.
    pub(crate) fn of(&self, principal: &str) -> Vec<&Policy> {
        self.everybody.iter().chain(self.principals.get(principal).into_iter().flatten()).collect()
    }

    /// What the policies of a principal say.
    pub(crate) fn decision(&self, principal: &str, request: &Request<'_>) -> Decision {
        let policies = self.of(principal);
        if policies.is_empty() { Decision::Allowed } else { decide(policies, request) }
    }
}

/// Which service control policies are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScpScope {
    All,
    /// Of each only the statements without conditions, as the policy simulator does.
    Unconditional,
}

impl World {
    /// Gives a principal, or everybody in the account, a permission policy.
    pub(crate) fn grant(&self, account: &Account, principal: Option<&str>, document: &str) -> Result<(), InvalidPolicy> {
        let policy = Policy::read(document).map_err(InvalidPolicy)?;
        let mut state = account.state.lock();
        match principal {
            Some(principal) => state.granted.principals.entry(principal.to_owned()).or_default().push(policy),
            None => state.granted.everybody.push(policy),
        }
        drop(state);
        self.evaluate();
        self.changed();
        Ok(())
    }

    /// Takes every permission policy of an account back.
    pub(crate) fn forget_policies(&self, account: &Account) {
        account.state.lock().granted = Granted::default();
        self.changed();
    }

    /// Attaches a service control policy to the root, a unit or an account of an organization.
    pub(crate) fn attach_policy(&self, management: &str, target: &str, document: &str) -> Result<(), InvalidPolicy> {
        let policy = Policy::read(document).map_err(InvalidPolicy)?;
        let mut organizations = self.organizations.write();
        let attached = organizations.owned_by_mut(management).and_then(|own| own.attach(target, policy));
        drop(organizations);
        attached.ok_or_else(|| InvalidPolicy(format!("the organization has no root, unit or account {target}")))?;
        self.evaluate();
        self.changed();
        Ok(())
    }

    /// What every call of a principal has for conditions to ask about.
    pub(crate) fn keys_of(&self, account: &Account, principal: &str) -> Keys {
        let keys = Keys::default().with("aws:PrincipalArn", principal).with("aws:PrincipalAccount", account.id.as_str());
        match self.organization_id_of(&account.id) {
            Some(own) => keys.with("aws:PrincipalOrgID", own.as_str()),
            None => keys,
        }
    }

    /// The organization that an account is of.
    pub(crate) fn organization_id_of(&self, account: &str) -> Option<String> {
        self.organizations.read().of(account).map(|own| own.id.clone())
    }

    /// Why a call is refused, if it is. A denial is told before the lack of an Allow.
    pub(crate) fn refusal(&self, account: &Account, principal: &str, request: &Request<'_>) -> Option<DeniedBy> {
        if self.is_denied_by_organization(account, request, ScpScope::All) {
            return Some(DeniedBy::ServiceControlPolicy);
        }
        let decision = account.state.lock().granted.decision(principal, request);
        match decision {
            Decision::Allowed => None,
            Decision::ExplicitDeny => Some(DeniedBy::IdentityPolicy),
            Decision::ImplicitDeny => Some(DeniedBy::MissingAllow),
        }
    }

    /// Whether a service control policy forbids a call of the account.
    pub(crate) fn is_denied_by_organization(&self, account: &Account, request: &Request<'_>, scope: ScpScope) -> bool {
        let organizations = self.organizations.read();
        let binding = organizations.of(&account.id).map(|own| own.binding(&account.id)).unwrap_or_default();
        let decision = match scope {
            ScpScope::All => decide(binding, request),
            ScpScope::Unconditional => {
                let unconditional: Vec<Policy> = binding.into_iter().map(Policy::without_conditions).collect();
                decide(&unconditional, request)
            }
        };
        decision == Decision::ExplicitDeny
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::knobs::Knobs;
    use crate::partition::Partition;

    const HUB: &str = "111122223333";
    const MEMBER: &str = "222233334444";
    const ROLE: &str = "arn:aws:iam::222233334444:role/dhmc";

    fn allow(action: &str) -> String {
        format!(r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#)
    }

    fn refused(world: &World, account: &str, principal: &str, action: &str) -> Option<DeniedBy> {
        let account = world.account(account, Partition::Aws);
        let keys = world.keys_of(&account, principal);
        world.refusal(&account, principal, &Request { action, resource: "*", keys: &keys })
    }

    #[test]
    fn a_principal_with_a_policy_may_do_what_it_allows_and_others_everything() {
        let world = World::new(Knobs::default());
        assert!(!world.evaluates());
        world.grant(&world.account(MEMBER, Partition::Aws), Some(ROLE), &allow("iam:Get*")).unwrap();
        assert!(world.evaluates());
        assert_eq!(refused(&world, MEMBER, ROLE, "iam:GetRole"), None);
        assert_eq!(refused(&world, MEMBER, ROLE, "iam:CreateRole"), Some(DeniedBy::MissingAllow));
        assert_eq!(refused(&world, MEMBER, "arn:aws:iam::222233334444:user/bob", "iam:CreateRole"), None);
        world.grant(&world.account(MEMBER, Partition::Aws), None, &allow("iam:Create*")).unwrap();
        assert_eq!(refused(&world, MEMBER, ROLE, "iam:CreateRole"), None);
        assert_eq!(refused(&world, MEMBER, "arn:aws:iam::222233334444:user/bob", "iam:GetRole"), Some(DeniedBy::MissingAllow));
        world.forget_policies(&world.account(MEMBER, Partition::Aws));
        assert_eq!(refused(&world, MEMBER, ROLE, "iam:DeleteRole"), None);
    }

    #[test]
    fn a_service_control_policy_binds_members_and_tells_of_itself_first() {
        let world = World::new(Knobs::default());
        world.create_organization(HUB, Partition::Aws);
        let root = world.organizations.read().owned_by(HUB).unwrap().root.to_string();
        world.organizations.write().add(HUB, MEMBER, "member", &root, world.now()).unwrap();
        let deny = r#"{"Statement":{"Effect":"Deny","Action":"iam:*","Resource":"*",
            "Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:*:iam::*:role/dhmc"}}}}"#;
        world.attach_policy(HUB, &root, deny).unwrap();
        let other = "arn:aws:iam::222233334444:role/other";
        world.grant(&world.account(MEMBER, Partition::Aws), Some(other), &allow("ssm:*")).unwrap();
        assert_eq!(refused(&world, MEMBER, ROLE, "iam:GetRole"), None);
        assert_eq!(refused(&world, MEMBER, other, "iam:GetRole"), Some(DeniedBy::ServiceControlPolicy));
        assert_eq!(refused(&world, MEMBER, other, "ssm:GetServiceSetting"), None);
        assert_eq!(refused(&world, HUB, "arn:aws:iam::111122223333:role/other", "iam:GetRole"), None);
        assert!(world.attach_policy(HUB, "ou-none", deny).is_err());
        world.reset();
        assert!(!world.evaluates());
        assert_eq!(refused(&world, MEMBER, other, "iam:GetRole"), None);
    }
}
