//! How long policies may be, and what to do about one that is too long.
//!
//! AWS's own quotas (IAM user guide, "IAM and STS quotas"; Organizations user guide, "Quotas"). IAM counts no white space, and
//! neither does the console of Organizations; its API counts what it is given.

use std::borrow::Cow;

use super::document::{PolicyDocument, Tree};
use super::text::{Piece, Text};
use crate::desired::names::Partition;

/// A kind of policy, by where its length is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// A managed policy of IAM.
    ManagedPolicy,
    /// A service control policy.
    ServiceControlPolicy,
    /// The trust policy of a role.
    TrustPolicy,
}

/// A policy that AWS would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the policy has {length} characters, white space not counted, while AWS takes {most} in {what}; {advice}")]
pub struct TooLong {
    length: usize,
    most: usize,
    what: &'static str,
    advice: &'static str,
}

impl Quota {
    /// The most characters.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Self::ManagedPolicy => 6_144,
            Self::ServiceControlPolicy => 5_120,
            Self::TrustPolicy => 2_048,
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::ManagedPolicy => "a managed policy (IAM's quota)",
            Self::ServiceControlPolicy => "a service control policy (Organizations' quota)",
            Self::TrustPolicy => "a role's trust policy (IAM's default quota, which can be raised)",
        }
    }

    /// That a policy is short enough. The advice is for where it is not.
    pub fn check(self, document: &PolicyDocument, advice: &'static str) -> Result<(), TooLong> {
        let (length, most) = (length(document), self.most());
        if length > most { Err(TooLong { length, most, what: self.what(), advice }) } else { Ok(()) }
    }
}

/// How many characters a policy has without white space, once everything that is left open is filled in.
#[must_use]
pub fn length(document: &PolicyDocument) -> usize {
    let filled = document.tree().replaced(&|text| Tree::literal(longest(text)));
    // Nothing in a tree fails to be JSON.
    serde_json::to_string(&filled).map_or(usize::MAX, |text| text.chars().count())
}

fn longest(text: &Text) -> String {
    text.write(|piece| match piece {
        Piece::Literal(text) => Cow::Borrowed(text),
        Piece::Partition => Cow::Borrowed(Partition::AwsUsGov.as_str()),
        Piece::Account => Cow::Borrowed("111122223333"),
        // As long as a UUID, which most are.
        Piece::ExternalId => Cow::Borrowed("00000000-0000-0000-0000-000000000000"),
    })
}
