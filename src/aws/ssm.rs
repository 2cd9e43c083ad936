//! Systems Manager: the service setting that is Default Host Management Configuration.

use aws_sdk_ssm::config::Builder;
use jiff::Timestamp;

use super::AwsCloud;
use super::retries;
use crate::cloud::{Caller, CloudError, ErrorKind};
use crate::desired::names::Region;
use crate::observed::{Change, ObservedSetting, Update};
use crate::operations::{GET_SETTING, SETTING_ID};
use crate::plan::SettingAction;

/// How AWS spells an unset value (turbot/steampipe-plugin-aws PR 2611).
const NONE: &str = "$None";

pub(super) async fn setting(aws: &AwsCloud, caller: &Caller, region: &Region) -> Result<ObservedSetting, CloudError> {
    let answer = aws
        .call_in(
            caller,
            Some(region),
            GET_SETTING,
            aws.clients(caller).ssm(region).get_service_setting().setting_id(SETTING_ID).send(),
        )
        .await?;
    let setting = answer.service_setting.ok_or_else(|| incomplete("no ServiceSetting"))?;
    // Every field is optional on the wire. A missing value is not an unset one: unset is spelled out.
    let value = setting.setting_value.ok_or_else(|| incomplete("no SettingValue"))?;
    let at =
        setting.last_modified_date.and_then(|date| Timestamp::new(date.secs(), i32::try_from(date.subsec_nanos()).ok()?).ok());
    Ok(ObservedSetting {
        value: Some(value).filter(|value| !value.is_empty() && value != NONE),
        update: if setting.status.as_deref() == Some("PendingUpdate") { Update::Pending } else { Update::Settled },
        changed: setting.last_modified_user.map(|by| Change { by, at }),
    })
}

pub(super) async fn change_setting(
    aws: &AwsCloud,
    caller: &Caller,
    region: &Region,
    action: &SettingAction,
) -> Result<(), CloudError> {
    let client = aws.clients(caller).ssm(region);
    let once = Builder::new().retry_config(retries::never());
    match action {
        SettingAction::Update(value) => {
            let request = client.update_service_setting().setting_id(SETTING_ID).setting_value(value).customize();
            aws.call_in(caller, Some(region), action.operation(), request.config_override(once).send()).await.map(drop)
        }
        SettingAction::Reset => {
            let request = client.reset_service_setting().setting_id(SETTING_ID).customize();
            aws.call_in(caller, Some(region), action.operation(), request.config_override(once).send()).await.map(drop)
        }
    }
}

fn incomplete(what: &str) -> CloudError {
    CloudError {
        operation: GET_SETTING,
        kind: ErrorKind::Unavailable,
        code: None,
        message: format!("an answer with {what} in it"),
        source: None,
    }
}
