//! What differs, what to do about it, and what is held back: pure functions of desired and observed.
//!
//! No SDK, no tokio, no clock, no logging, no metrics: `tests/architecture.rs` reads these files and says so. A plan is a
//! plain value that tests compare whole.

mod calls;
pub mod change;
pub mod guard;
pub mod policy_document;
pub mod rival;
pub mod role;
pub mod setting;
pub mod trust_policy;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::desired::Mode;
use crate::desired::names::{RoleName, RolePath};

pub use guard::{Contention, Removal, Removals, Restraint, Standing, Tally, TooMany, Verdict, author};
pub use rival::Rival;
pub use role::{plan_role, readiness, readiness_after};
pub use setting::plan_setting;

/// The comparison of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan<A> {
    /// What differs, in a fixed order.
    pub drift: Vec<Drift>,
    /// What would mend it, in the order in which it must be done.
    pub actions: Vec<A>,
    /// Why some or all of it is not done.
    pub holds: Vec<Hold>,
    /// Whether AWS is still applying an earlier change: nothing can be said until it has.
    pub settling: Settling,
}

/// Whether what was observed can be trusted to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settling {
    /// It is AWS's last word.
    Settled,
    /// AWS says that it is still changing: look again soon.
    LookAgainSoon,
}

impl<A> Default for Plan<A> {
    fn default() -> Self {
        Self { drift: Vec::new(), actions: Vec::new(), holds: Vec::new(), settling: Settling::Settled }
    }
}

impl<A> Plan<A> {
    /// Whether everything is as declared.
    #[must_use]
    pub fn is_in_sync(&self) -> bool {
        self.drift.is_empty() && self.holds.is_empty() && self.settling == Settling::Settled
    }

    /// Whether the absence of drift means that there is none. While AWS is still applying a change, or the wanted value is
    /// not known, it means nothing.
    #[must_use]
    pub fn is_judged(&self) -> bool {
        self.settling == Settling::Settled && !self.holds.iter().any(|hold| matches!(hold, Hold::RoleNotReady(_)))
    }

    /// The plan under a mode: observing takes the actions away, never the drift.
    #[must_use]
    pub fn under(mut self, mode: Mode) -> Self {
        if mode == Mode::Observe {
            self.actions.clear();
        }
        self
    }
}

/// One difference between desired and observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// What differs.
    pub kind: DriftKind,
    /// Which one differs, where a role has several of the kind: the policy's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What AWS has.
    pub before: String,
    /// What is declared.
    pub after: String,
}

impl Drift {
    /// Drift of something that there is only one of.
    #[must_use]
    pub fn new(kind: DriftKind, before: impl Into<String>, after: impl Into<String>) -> Self {
        Self { kind, subject: None, before: before.into(), after: after.into() }
    }

    /// Whether the other is about the same thing, be it in another way: a setting has one value, a role one trust policy.
    #[must_use]
    pub fn is_about_the_same(&self, other: &Self) -> bool {
        let is_setting = |kind| matches!(kind, DriftKind::SettingUnset | DriftKind::SettingOtherRole | DriftKind::SettingSet);
        (self.kind == other.kind || (is_setting(self.kind) && is_setting(other.kind))) && self.subject == other.subject
    }

    /// The other tool that did this, where it can be recognised by what it left.
    #[must_use]
    pub fn rival(&self) -> Option<Rival> {
        matches!(self.kind, DriftKind::SettingOtherRole | DriftKind::SettingSet)
            .then(|| Rival::of_setting(&self.before))
            .flatten()
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.kind.label())?;
        if let Some(subject) = &self.subject {
            write!(f, "{subject} ")?;
        }
        write!(f, "is {}, should be {}", self.before, self.after)?;
        self.rival().map_or(Ok(()), |rival| write!(f, " ({rival})"))
    }
}

/// What can differ. A closed set: it labels metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftKind {
    /// The setting is unset and should name the role.
    SettingUnset,
    /// The setting names another role.
    SettingOtherRole,
    /// The setting names a role and should be unset.
    SettingSet,
    /// The role does not exist.
    RoleMissing,
    /// The role is at another path, which cannot be changed.
    RolePath,
    /// The role does not trust Systems Manager.
    TrustPolicy,
    /// A declared policy is not attached.
    PolicyMissing,
    /// An undeclared policy is attached and `exclusivePolicies` is on.
    PolicyExtra,
    /// A declared tag is missing or different.
    Tags,
    /// The description differs from the declared one.
    Description,
    /// The permissions boundary differs from the declared one.
    PermissionsBoundary,
}

impl DriftKind {
    /// The word in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SettingUnset => "setting_unset",
            Self::SettingOtherRole => "setting_other_role",
            Self::SettingSet => "setting_set",
            Self::RoleMissing => "role_missing",
            Self::RolePath => "role_path",
            Self::TrustPolicy => "trust_policy",
            Self::PolicyMissing => "policy_missing",
            Self::PolicyExtra => "policy_extra",
            Self::Tags => "tags",
            Self::Description => "description",
            Self::PermissionsBoundary => "permissions_boundary",
        }
    }
}

/// Why drift is not acted on. Its text tells what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// A setting whose role cannot serve it yet.
    RoleNotReady(String),
    /// A role of the declared name is at another path; names are unique whatever the path, and a path cannot be changed.
    RoleElsewhere {
        /// Where it is.
        observed: String,
        /// Where it should be.
        desired: RolePath,
    },
    /// An external role is not as it must be, and is not ours to change.
    ExternalRole(String),
    /// Somebody wrote a Deny against Systems Manager into the trust policy.
    TrustDenied,
    /// Something would be taken away, and nobody knows yet how much the whole change takes away.
    Uncounted,
    /// The change as a whole takes away a lot.
    TooMany(Arc<TooMany>),
    /// Somebody changes it back each time.
    Contended(Arc<Contention>),
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoleNotReady(why) => write!(f, "the setting waits for the role: {why}"),
            Self::RoleElsewhere { observed, desired } => write!(
                f,
                "a role of this name is at path {observed}, declared is {desired}; a role's path cannot be changed and roles are \
                 never deleted: declare `path: {observed}`, or another name"
            ),
            Self::ExternalRole(why) => write!(f, "{why}; the role is declared external and is not changed from here"),
            Self::TrustDenied => f.write_str(
                "the trust policy has a Deny without conditions that shuts out Systems Manager; somebody wrote it on purpose, \
                 so it is left: remove it by hand",
            ),
            Self::Uncounted => f.write_str("waits until it is known how much this change takes away in all"),
            Self::TooMany(many) => many.fmt(f),
            Self::Contended(contention) => contention.fmt(f),
        }
    }
}

/// A write to a service setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingAction {
    /// Name this role: path + name without the leading slash.
    Update(String),
    /// Back to AWS's default, which is unset.
    Reset,
}

/// A write to a role. None deletes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleAction {
    /// Create it; policies are attached by actions of their own.
    Create(NewRole),
    /// Replace the trust policy by this JSON.
    UpdateTrustPolicy(String),
    /// Attach the policy with this ARN.
    AttachPolicy(String),
    /// Detach the policy with this ARN.
    DetachPolicy(String),
    /// Add or change these tags.
    Tag(BTreeMap<String, String>),
    /// Change the description.
    Describe(String),
    /// Set the permissions boundary to the policy with this ARN.
    SetPermissionsBoundary(String),
}

/// A role to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRole {
    /// Its name.
    pub name: RoleName,
    /// Its path.
    pub path: RolePath,
    /// Its trust policy, as JSON.
    pub trust_policy: String,
    /// Its description.
    pub description: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// ARN of its permissions boundary.
    pub permissions_boundary: Option<String>,
}

impl SettingAction {
    /// What it does, for people.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Update(_) => "update setting",
            Self::Reset => "reset setting",
        }
    }

    /// The drift that it mends.
    #[must_use]
    pub fn mends(&self, drift: &Drift) -> bool {
        let kinds: &[DriftKind] = match self {
            Self::Update(_) => &[DriftKind::SettingUnset, DriftKind::SettingOtherRole],
            Self::Reset => &[DriftKind::SettingSet],
        };
        kinds.contains(&drift.kind)
    }
}

impl fmt::Display for SettingAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())?;
        match self {
            Self::Update(value) => write!(f, " to {value}"),
            Self::Reset => Ok(()),
        }
    }
}
