//! What is reconciled: the organization, one account, one role, or one region's setting; and the states such a target can
//! be in.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::desired::names::{Account, Region};

/// One thing that is observed, compared and corrected by itself, with its own backoff.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// Where.
    pub account: Account,
    /// What.
    pub resource: Resource,
}

/// What kind of thing a target is. The order is the order of work: organization, account, role, settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The organization: which accounts it has. There is one, and it is looked at from the own account.
    Organization,
    /// The account itself: whose credentials these are, and which regions are open.
    Account,
    /// The IAM role, global to the account.
    Role,
    /// The service setting of one region.
    Setting(Region),
}

impl Target {
    /// The organization.
    #[must_use]
    pub fn organization() -> Self {
        Self { account: Account::Own, resource: Resource::Organization }
    }

    /// The account itself.
    #[must_use]
    pub fn account(account: Account) -> Self {
        Self { account, resource: Resource::Account }
    }

    /// The account's role.
    #[must_use]
    pub fn role(account: Account) -> Self {
        Self { account, resource: Resource::Role }
    }

    /// One region's setting.
    #[must_use]
    pub fn setting(account: Account, region: Region) -> Self {
        Self { account, resource: Resource::Setting(region) }
    }

    /// The region for labels and logs: `global` for what is not regional.
    #[must_use]
    pub fn region_label(&self) -> &str {
        self.resource.region_label()
    }

    /// The resource for labels and logs.
    #[must_use]
    pub fn resource_label(&self) -> &'static str {
        self.resource.kind().label()
    }
}

impl Resource {
    /// The region for labels and logs: `global` for what is not regional.
    #[must_use]
    pub fn region_label(&self) -> &str {
        match self {
            Self::Organization | Self::Account | Self::Role => "global",
            Self::Setting(region) => region.as_str(),
        }
    }

    /// Which kind this is.
    #[must_use]
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Organization => ResourceKind::Organization,
            Self::Account => ResourceKind::Account,
            Self::Role => ResourceKind::Role,
            Self::Setting(_) => ResourceKind::Setting,
        }
    }
}

/// A resource without its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// See [`Resource::Organization`].
    Organization,
    /// See [`Resource::Account`].
    Account,
    /// See [`Resource::Role`].
    Role,
    /// See [`Resource::Setting`].
    Setting,
}

impl ResourceKind {
    /// The word in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Account => "account",
            Self::Role => "role",
            Self::Setting => "setting",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Resource::Organization => f.write_str(self.resource_label()),
            Resource::Setting(region) => write!(f, "{}/{region}", self.account),
            other => write!(f, "{}/{}", self.account, other.kind().label()),
        }
    }
}

/// Where a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// AWS was read and is as declared.
    InSync,
    /// AWS was read and differs.
    Drifted,
    /// It differs, or cannot be judged, and something forbids to act; the reason says what.
    Held,
    /// Somebody else changes it back each time, so corrections are put off.
    Contended,
    /// AWS refuses us; a person has to change something.
    Blocked,
    /// It could not be read, or AWS is still applying a change.
    Unknown,
}

impl State {
    /// All of them, for gauges that tell each.
    pub const ALL: [Self; 6] = [Self::InSync, Self::Drifted, Self::Held, Self::Contended, Self::Blocked, Self::Unknown];

    /// The word in metrics, logs and the status API.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Drifted => "drifted",
            Self::Held => "held",
            Self::Contended => "contended",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.label() == text).ok_or(UnknownState)
    }
}

/// A word that is not a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a state is one of in_sync, drifted, held, contended, blocked, unknown")]
pub struct UnknownState;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_organization_comes_before_its_accounts_and_is_called_by_its_own_name() {
        let organization = Target::organization();
        assert!(organization < Target::account(Account::Own));
        assert_eq!(organization.to_string(), "organization");
        assert_eq!([organization.region_label(), organization.resource_label()], ["global", "organization"]);
    }

    #[test]
    fn every_state_is_read_as_it_is_written_and_the_refusal_lists_them_all() {
        for state in State::ALL {
            assert_eq!(state.label().parse(), Ok(state));
            assert!(UnknownState.to_string().contains(state.label()));
        }
        assert_eq!("InSync".parse::<State>(), Err(UnknownState));
    }
}
