//! One region's service setting as a subject of reconciling.

use super::Subject;
use crate::cloud::{Cloud, CloudError, ErrorKind};
use crate::desired::names::{Account, Region};
use crate::desired::{DesiredSetting, SettingState};
use crate::observed::{Change, ObservedSetting, RoleReadiness};
use crate::plan::setting::describe;
use crate::plan::{Drift, Plan, SettingAction, plan_setting};

/// One region's setting.
pub(super) struct SettingSubject<'a, C> {
    pub(super) cloud: &'a C,
    pub(super) account: Account,
    pub(super) region: Region,
    pub(super) want: DesiredSetting,
    pub(super) role: RoleReadiness,
}

impl<C: Cloud> Subject for SettingSubject<'_, C> {
    type Observed = ObservedSetting;
    type Action = SettingAction;

    async fn observe(&self) -> Result<ObservedSetting, CloudError> {
        let answer = self.cloud.setting(self.account, &self.region).await;
        match answer {
            Err(error) if is_about_the_key(&error) => Err(self.region_or_credentials(error).await),
            answer => answer,
        }
    }

    fn plan(&self, observed: &ObservedSetting) -> Plan<SettingAction> {
        plan_setting(self.want, observed, &self.role)
    }

    async fn apply(&self, action: &SettingAction) -> Result<(), CloudError> {
        self.cloud.change_setting(self.account, &self.region, action).await
    }

    fn mends(action: &SettingAction, drift: &Drift) -> bool {
        action.mends(drift)
    }

    fn is_foundation(_action: &SettingAction) -> bool {
        true
    }

    fn desired(&self) -> String {
        match (self.want.state, &self.role) {
            (SettingState::Disabled, _) => describe(None),
            (SettingState::Enabled, RoleReadiness::Ready(value)) => value.clone(),
            (SettingState::Enabled, _) => "the account's role, once it is ready".to_owned(),
        }
    }

    fn describe(observed: &ObservedSetting) -> String {
        describe(observed.value.as_deref())
    }

    fn changed(observed: &ObservedSetting) -> Option<Change> {
        observed.changed.clone()
    }
}

/// In a region that is not enabled for the account, SSM refuses good credentials in the words it has for bad ones
/// (aws-nuke#774).
fn is_about_the_key(error: &CloudError) -> bool {
    matches!(error.code.as_deref(), Some("UnrecognizedClientException" | "InvalidClientTokenId"))
}

impl<C: Cloud> SettingSubject<'_, C> {
    /// Tells a closed region from bad credentials: those are refused by STS as well.
    async fn region_or_credentials(&self, error: CloudError) -> CloudError {
        if self.cloud.identity(self.account).await.is_err() {
            return error;
        }
        let message = format!(
            "{} (STS takes the credentials, so region {} is not enabled for this account: enable it, or drop it from the document)",
            error.message, self.region
        );
        CloudError { kind: ErrorKind::RegionDisabled, message, ..error }
    }
}
