//! One region's service setting as a subject of reconciling.

use super::Subject;
use crate::cloud::{ASSUME_ROLE, Caller, Cloud, CloudError, ErrorKind, Retry};
use crate::desired::names::{Partition, Region};
use crate::desired::regions::partition_of;
use crate::desired::{DesiredSetting, SettingState};
use crate::observed::{Change, ObservedSetting, RegionAccess, RoleReadiness};
use crate::operations::GET_SETTING;
use crate::plan::setting::describe;
use crate::plan::{Drift, Plan, Restraint, SettingAction, plan_setting};

/// One region's setting.
pub(super) struct SettingSubject<'a, C> {
    pub(super) cloud: &'a C,
    pub(super) caller: Caller,
    pub(super) partition: Partition,
    pub(super) region: Region,
    pub(super) want: DesiredSetting,
    pub(super) role: RoleReadiness,
    pub(super) restraint: Restraint,
}

impl<C: Cloud> Subject for SettingSubject<'_, C> {
    type Observed = ObservedSetting;
    type Action = SettingAction;

    async fn observe(&self) -> Result<ObservedSetting, CloudError> {
        if let Some(error) = self.elsewhere() {
            return Err(error);
        }
        let answer = self.cloud.setting(&self.caller, &self.region).await;
        match answer {
            Err(error) if error.refuses_the_key() => Err(self.region_or_credentials(error).await),
            answer => answer,
        }
    }

    fn plan(&self, observed: &ObservedSetting) -> Plan<SettingAction> {
        plan_setting(self.want, observed, &self.role).restrained(&self.restraint, observed.changed.as_ref())
    }

    async fn apply(&self, action: &SettingAction) -> Result<(), CloudError> {
        self.cloud.change_setting(&self.caller, &self.region, action).await
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

impl<C: Cloud> SettingSubject<'_, C> {
    /// Tells a region that is not enabled from bad credentials, by the account's list of regions. To be refused the list by
    /// name is to be known: then it is not the credentials.
    async fn region_or_credentials(&self, error: CloudError) -> CloudError {
        let told = match self.cloud.regions(&self.caller, self.partition).await {
            Ok(listed) => match listed.iter().find(|one| one.region == self.region).map(|one| one.access) {
                Some(RegionAccess::Open) => return error,
                Some(RegionAccess::Opening) => "is still being enabled for this account, which takes minutes to hours",
                Some(RegionAccess::Closing) => "is being disabled for this account: drop it from the document",
                Some(RegionAccess::Closed) => "is not enabled for this account: enable it, or drop it from the document",
                None => "is not among the account's regions: drop it from the document",
            },
            Err(unmet) if unmet.operation == ASSUME_ROLE => return unmet,
            Err(refused) if refused.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")) => {
                "is most likely not enabled for this account (account:ListRegions, which would tell, is denied): enable it, or \
                 drop it from the document"
            }
            Err(away) if away.kind.retry() == Retry::Backoff => {
                let message = format!(
                    "either region {} is not enabled for this account or the credentials are not good any more; the call that \
                     would tell failed as well ({away})",
                    self.region
                );
                return CloudError { kind: away.kind, message, ..error };
            }
            Err(_) => return error,
        };
        let message = format!("region {} {told} (AWS's words: {})", self.region, error.message);
        CloudError { kind: ErrorKind::RegionDisabled, message, ..error }
    }

    /// Credentials are good in one partition, and a region of another can only refuse them.
    fn elsewhere(&self) -> Option<CloudError> {
        let there = partition_of(&self.region).filter(|partition| *partition != self.partition)?;
        let message = format!(
            "region {} is in partition {there}, the credentials are of partition {}; nothing is called there: give the controller \
             credentials of partition {there}, or drop the region from the document",
            self.region, self.partition
        );
        Some(CloudError { operation: GET_SETTING, kind: ErrorKind::Rejected, code: None, message, source: None })
    }
}
