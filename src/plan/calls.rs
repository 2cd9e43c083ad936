//! The call that each action is.

use super::{RoleAction, SettingAction};
use crate::operations;

impl SettingAction {
    /// The call, by the words of an IAM policy.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Update(_) => operations::UPDATE_SETTING,
            Self::Reset => operations::RESET_SETTING,
        }
    }
}

impl RoleAction {
    /// The call, by the words of an IAM policy.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Create(_) => operations::CREATE_ROLE,
            Self::UpdateTrustPolicy(_) => operations::UPDATE_TRUST_POLICY,
            Self::AttachPolicy(_) => operations::ATTACH_POLICY,
            Self::DetachPolicy(_) => operations::DETACH_POLICY,
            Self::Tag(_) => operations::TAG_ROLE,
            Self::Describe(_) => operations::UPDATE_DESCRIPTION,
            Self::SetPermissionsBoundary(_) => operations::PUT_BOUNDARY,
        }
    }
}
