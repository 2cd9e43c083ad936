//! Whether the caller may do what it asks for: the account's denials first, then the policies in force. Nothing of it is
//! worked out before somebody was denied something or given a policy.

use super::Context;
use crate::access::{Keys, Request};
use crate::identity::DeniedBy;
use crate::wire::error::{ServiceError, Shared};

/// What a call is about, as policies see it (Service Authorization Reference) and as refusals name it.
#[derive(Debug)]
pub(crate) struct Resource {
    arn: String,
    /// Where refusals do not name the ARN.
    told: Option<String>,
    keys: Keys,
}

impl Resource {
    pub(crate) fn new(arn: impl Into<String>) -> Self {
        Self { arn: arn.into(), told: None, keys: Keys::default() }
    }

    /// Of a call that is about nothing in particular.
    pub(crate) fn any() -> Self {
        Self::new("*")
    }

    pub(crate) fn told_as(self, text: String) -> Self {
        Self { told: Some(text), ..self }
    }

    /// With a key of the action's own.
    pub(crate) fn with(self, key: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => Self { keys: self.keys.with(key, value), ..self },
            None => self,
        }
    }

    pub(crate) fn with_tags(self, tags: &[(&str, &str)]) -> Self {
        Self { keys: self.keys.with_tags(tags), ..self }
    }

    pub(crate) fn with_tag_keys(mut self, keys: &[&str]) -> Self {
        for key in keys {
            self.keys.add("aws:TagKeys", *key);
        }
        self
    }
}

impl Context<'_> {
    /// Refuses what the caller may not do.
    pub(crate) fn authorize(&self, action: &str, on: impl Fn(&Self) -> Resource) -> Result<(), ServiceError> {
        if let Some(by) = self.account.denied(action, &self.identity.arn) {
            return Err(self.access_denied(action, &on(self), by));
        }
        if !self.world.evaluates() {
            return Ok(());
        }
        let (resource, principal) = (on(self), self.principal());
        let keys = self.keys(&principal, &resource);
        let request = Request { action, resource: &resource.arn, keys: &keys };
        match self.world.refusal(self.account, &principal, &request) {
            Some(by) => Err(self.access_denied(action, &resource, by)),
            None => Ok(()),
        }
    }

    /// What conditions can ask of this call: of whoever makes it, of where it is made, and of what it is about.
    pub(crate) fn keys(&self, principal: &str, resource: &Resource) -> Keys {
        let keys = self.world.keys_of(self.account, principal).with("aws:RequestedRegion", self.region);
        keys.and(&resource.keys)
    }

    /// Whose policies count, and what `aws:PrincipalArn` holds: of a session, its role with its path.
    pub(crate) fn principal(&self) -> String {
        let Some(name) = self.identity.role_name() else { return self.identity.arn.to_string() };
        let state = self.account.state.lock();
        // The sandbox's own identities need no role behind them.
        state.roles.truth(name).map_or_else(|| self.account.iam_arn(&format!("role/{name}")), |role| role.arn.clone())
    }

    /// A denial in AWS's wording.
    pub(crate) fn access_denied(&self, action: &str, on: &Resource, by: DeniedBy) -> ServiceError {
        let reason = match by {
            DeniedBy::MissingAllow => format!("because no identity-based policy allows the {action} action"),
            DeniedBy::IdentityPolicy => "with an explicit deny in an identity-based policy".to_owned(),
            DeniedBy::ServiceControlPolicy => "with an explicit deny in a service control policy".to_owned(),
        };
        let (caller, told) = (&self.identity.arn, on.told.as_ref().unwrap_or(&on.arn));
        let message = format!("User: {caller} is not authorized to perform: {action} on resource: {told} {reason}");
        Shared::AccessDenied.in_words(self.protocol, message)
    }
}
