//! An account as its organization knows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where an account is in its life, in the words of `State`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AccountStatus {
    /// Created, not usable yet.
    PendingActivation,
    /// In use.
    Active,
    /// Suspended by AWS.
    Suspended,
    /// Being closed.
    PendingClosure,
    /// Closed, and still listed for ninety days.
    Closed,
}

impl AccountStatus {
    /// `State` on the wire.
    #[must_use]
    pub fn as_state(self) -> &'static str {
        match self {
            Self::PendingActivation => "PENDING_ACTIVATION",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
            Self::Closed => "CLOSED",
        }
    }

    /// `Status` on the wire, the older and coarser field. That it calls a pending account active is a guess.
    #[must_use]
    pub fn as_status(self) -> &'static str {
        match self {
            Self::PendingActivation | Self::Active => "ACTIVE",
            Self::Suspended | Self::Closed => "SUSPENDED",
            Self::PendingClosure => "PENDING_CLOSURE",
        }
    }
}

/// An account of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The twelve digits.
    pub id: String,
    /// Its friendly name.
    pub name: String,
    /// Made up from the id.
    pub email: String,
    /// The root or the unit it is in.
    pub parent_id: String,
    /// Where it is in its life.
    pub status: AccountStatus,
    /// When it came.
    pub joined: Timestamp,
    /// Whether it may ask about the organization as the management account may.
    pub delegated: bool,
}
