//! Whether a document can hold something: by asking with a document that holds only that.

use super::scalar;
use crate::desired::load;
use crate::desired::names::{AccountId, Partition};

/// What a role of one account is asked about.
pub(super) struct Probe {
    account: AccountId,
    partition: Partition,
}

impl Probe {
    pub(super) fn new(account: AccountId, partition: Partition) -> Self {
        Self { account, partition }
    }

    /// Whether a document with this field of its role is valid.
    pub(super) fn holds(&self, field: &str) -> bool {
        let Self { account, partition } = self;
        let text = format!(
            "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  account: {}\n  regions:\n    {}: unmanaged\n  role:\n    {field}\n",
            scalar::quoted(&account.to_string()),
            partition.iam_region(),
        );
        load(text.as_bytes()).is_ok()
    }
}
