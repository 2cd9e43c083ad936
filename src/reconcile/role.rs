//! The role as a subject of reconciling.

use std::sync::Arc;

use super::Subject;
use crate::cloud::{Caller, Cloud, CloudError};
use crate::desired::names::Partition;
use crate::desired::{DesiredRole, Management};
use crate::observed::{Change, ObservedRole};
use crate::plan::{Drift, Plan, Restraint, RoleAction, Settling, plan_role};

/// Whether the role is known to be there. IAM is eventually consistent, so that "no such role" about a role that was there a
/// moment ago, or that was just created, proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Presence {
    /// Never seen, or not seen for long enough.
    #[default]
    Unknown,
    /// It should be there: this many looks may miss it before it counts as missing.
    Expected {
        /// Looks left.
        misses: u8,
    },
}

impl Presence {
    /// It was seen.
    pub(super) const SEEN: Self = Self::Expected { misses: 1 };
    /// It was created, and not seen yet. With waits of 1, 2, 4, 8 and 16 seconds between them (less where the interval is
    /// shorter), these looks cover half a minute; IAM promises no figure.
    pub(super) const CREATED: Self = Self::Expected { misses: 5 };

    /// After a look that missed it.
    pub(super) fn missed(self) -> Self {
        match self {
            Self::Expected { misses: misses @ 2.. } => Self::Expected { misses: misses - 1 },
            _ => Self::Unknown,
        }
    }
}

/// One account's role.
pub(super) struct RoleSubject<'a, C> {
    pub(super) cloud: &'a C,
    pub(super) caller: Caller,
    pub(super) partition: Partition,
    pub(super) want: Arc<DesiredRole>,
    pub(super) presence: Presence,
    pub(super) restraint: Restraint,
}

impl<C: Cloud> Subject for RoleSubject<'_, C> {
    type Observed = Option<ObservedRole>;
    type Action = RoleAction;

    async fn observe(&self) -> Result<Self::Observed, CloudError> {
        self.cloud.role(&self.caller, self.partition, &self.want.name).await
    }

    fn plan(&self, observed: &Self::Observed) -> Plan<RoleAction> {
        if observed.is_none() && self.presence != Presence::Unknown {
            return Plan { settling: Settling::LookAgainSoon, ..Plan::default() };
        }
        plan_role(&self.want, observed.as_ref(), self.partition).restrained(&self.restraint, None)
    }

    async fn apply(&self, action: &RoleAction) -> Result<(), CloudError> {
        self.cloud.change_role(&self.caller, self.partition, &self.want.name, action).await
    }

    fn mends(action: &RoleAction, drift: &Drift) -> bool {
        action.mends(drift)
    }

    fn is_foundation(action: &RoleAction) -> bool {
        matches!(action, RoleAction::Create(_))
    }

    fn desired(&self) -> String {
        let path = self.want.path.as_ref().map_or("any path, ", |path| path.as_str());
        let whose = match self.want.management {
            Management::Managed => "managed",
            Management::External => "external",
        };
        format!("{path}{} ({whose})", self.want.name)
    }

    fn describe(observed: &Self::Observed) -> String {
        match observed {
            None => "no such role".to_owned(),
            Some(role) => {
                let policies = role.attached.len();
                let boundary = role.permissions_boundary.as_deref().map(|arn| format!(", permissions boundary {arn}"));
                format!("{}{} with {policies} attached policies{}", role.path, role.name, boundary.unwrap_or_default())
            }
        }
    }

    /// IAM does not say who changed a role; `CloudTrail` does.
    fn changed(_observed: &Self::Observed) -> Option<Change> {
        None
    }
}
