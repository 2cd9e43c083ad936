//! What the guard holds, for the status API and the metrics.

use serde::{Serialize, Serializer};

use crate::desired::guard::ChangeId;
use crate::plan::Removal;

/// What the guard holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Held {
    /// Settings that would be reset.
    pub resets: usize,
    /// Policies that would be detached.
    pub detachments: usize,
    /// What `spec.guard.confirm` has to say for that to happen.
    #[serde(serialize_with = "as_text")]
    pub confirm: Option<ChangeId>,
}

impl Held {
    /// How much of one kind.
    #[must_use]
    pub fn of(self, removal: Removal) -> usize {
        match removal {
            Removal::Reset => self.resets,
            Removal::Detachment => self.detachments,
        }
    }

    /// Itself, unless it is nothing.
    #[must_use]
    pub fn something(self) -> Option<Self> {
        self.confirm.map(|_| self)
    }
}

#[expect(clippy::ref_option, reason = "serde hands over a reference to the field")]
fn as_text<S: Serializer>(change: &Option<ChangeId>, serializer: S) -> Result<S::Ok, S::Error> {
    change.map(|change| change.to_string()).serialize(serializer)
}
