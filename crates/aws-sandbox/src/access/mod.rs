//! Whether a call is allowed, as IAM decides it: no policy allows by itself, an Allow does, a Deny outweighs it.
//!
//! - `policy` reads documents, and refuses what it could not evaluate;
//! - `conditions` are the `Condition` of a statement, of policies here and of trust policies alike;
//! - `keys` is what conditions can ask of a call;
//! - `in_force` holds the policies that principals and organizations were given.
//!
//! Knows no service: which resource and which keys a call has is told by the services.

mod arn;
mod conditions;
mod in_force;
mod keys;
mod policy;

pub(crate) use conditions::Conditions;
pub(crate) use in_force::{Granted, ScpScope};
pub(crate) use keys::Keys;
pub(crate) use policy::{Decision, Policy, Request, decide};

/// Why a policy cannot be given to anybody, in IAM's words where it is IAM that would refuse it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidPolicy(pub String);

impl std::fmt::Display for InvalidPolicy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for InvalidPolicy {}
