//! Systems Manager: the three calls on service settings, and the reads of `ssm/upkeep`. AWS JSON 1.1, botocore's `ssm` model of 2014-11-06.

mod upkeep;

use serde_json::{Map, Value, json};

use super::authorize::Resource;
use super::{Context, Operation, Service, SignedFor};
use crate::journal::Effect;
use crate::knobs::RoleCheck;
use crate::setting::{Busy, SETTING_ID, Setting, UNSET, Write};
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::{ServiceError, Shared};

pub(crate) const SERVICE: Service = Service {
    name: "ssm",
    protocol: Protocol::Json,
    signed_for: SignedFor::EachRegion,
    operations: &[
        Operation { name: "GetServiceSetting", effect: Effect::Read, on: setting, run: get },
        Operation { name: "UpdateServiceSetting", effect: Effect::Write, on: setting, run: update },
        Operation { name: "ResetServiceSetting", effect: Effect::Write, on: setting, run: reset },
        Operation { name: "GetDocument", effect: Effect::Read, on: upkeep::document, run: upkeep::get_document },
        Operation { name: "ListAssociations", effect: Effect::Read, on: upkeep::associations, run: upkeep::list_associations },
    ],
};

/// The ARN of the one setting there is; also what denials name, whatever id was asked for.
fn arn(call: &Context<'_>) -> String {
    format!("arn:{}:ssm:{}:{}:servicesetting{SETTING_ID}", call.account.partition.as_str(), call.region, call.account.id)
}

fn setting(call: &Context<'_>) -> Resource {
    Resource::new(arn(call))
}

fn get(call: &Context<'_>) -> Result<Answer, ServiceError> {
    check_id(call)?;
    let shown = call.account.state.lock().settings.show(call.region, call.knobs);
    Ok(Answer::Json(json!({"ServiceSetting": record(call, &shown)})))
}

fn update(call: &Context<'_>) -> Result<Answer, ServiceError> {
    check_id(call)?;
    let value = call.params.required("SettingValue")?;
    if value.len() > 4096 {
        let rule = "Member must have length less than or equal to 4096";
        return Err(call.params.invalid("SettingValue", "'…'", rule));
    }
    let role = call.account.iam_arn(&format!("role/{value}"));
    // That naming a role passes it is a guess, on the strict side: the reference lists no further action for this call.
    if value != UNSET {
        let passed = |_: &Context<'_>| Resource::new(role.as_str()).with("iam:PassedToService", Some("ssm.amazonaws.com"));
        call.authorize("iam:PassRole", passed)?;
    }
    let mut state = call.account.state.lock();
    if call.knobs.role_check == RoleCheck::Refuse && !state.roles.usable_by_ssm(value) {
        let message = format!("Nonexistent role or missing ssm service principal in trust policy: {role}");
        return Err(Shared::Invalid.in_words(Protocol::Json, message));
    }
    write(call, &mut state.settings, Some(value))?;
    Ok(Answer::Json(json!({})))
}

fn reset(call: &Context<'_>) -> Result<Answer, ServiceError> {
    check_id(call)?;
    let mut state = call.account.state.lock();
    write(call, &mut state.settings, None)?;
    let shown = state.settings.show(call.region, call.knobs);
    Ok(Answer::Json(json!({"ServiceSetting": record(call, &shown)})))
}

fn write(call: &Context<'_>, settings: &mut crate::setting::Settings, value: Option<&str>) -> Result<(), ServiceError> {
    let write = Write { value, by: &call.identity.arn, at: call.now };
    let written = settings.write(call.account.partition, call.region, &write, call.knobs);
    written.map_err(|Busy| too_many_updates())?;
    call.world.changes_after(call.knobs.pending_update);
    Ok(())
}

/// Another update is not finished.
pub(crate) fn too_many_updates() -> ServiceError {
    let message = "There are concurrent updates for a resource that supports one update at a time.";
    ServiceError::modelled(400, "TooManyUpdates", message)
}

/// The short id and the full ARN of this account and region are the same setting.
fn check_id(call: &Context<'_>) -> Result<(), ServiceError> {
    let id = call.params.required("SettingId")?;
    if id.len() > 1000 {
        let rule = "Member must have length less than or equal to 1000";
        return Err(call.params.invalid("SettingId", "'…'", rule));
    }
    let short = if id.starts_with("arn:") {
        let own = arn(call);
        let prefix = own.strip_suffix(SETTING_ID).unwrap_or(&own);
        id.strip_prefix(prefix).ok_or_else(|| Shared::Invalid.in_words(Protocol::Json, format!("Invalid settingId : {id}")))?
    } else {
        id
    };
    if short != SETTING_ID || call.knobs.regions_without_setting.contains(call.region) {
        let message = format!(
            "Setting {short} was not found. Either the service setting does not exist or it has not been provisioned by the AWS service team."
        );
        return Err(ServiceError::modelled(400, "ServiceSettingNotFound", message));
    }
    Ok(())
}

fn record(call: &Context<'_>, setting: &Setting) -> Value {
    let mut record = Map::new();
    record.insert("ARN".to_owned(), arn(call).into());
    record.insert("SettingId".to_owned(), SETTING_ID.into());
    let value = setting.value.as_deref().unwrap_or(UNSET);
    record.insert("SettingValue".to_owned(), value.into());
    let at = seconds(setting.last_modified);
    record.insert("LastModifiedDate".to_owned(), at);
    let by = setting.last_modified_user.as_str();
    record.insert("LastModifiedUser".to_owned(), by.into());
    // A live answer without a status was seen once (terraform-provider-aws#27225): an empty knob plays it.
    if !setting.status.is_empty() {
        record.insert("Status".to_owned(), setting.status.as_str().into());
    }
    Value::Object(record)
}

/// Epoch seconds with milliseconds, as AWS JSON writes times.
fn seconds(at: jiff::Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit 53 bits")]
    let seconds = at.as_millisecond() as f64 / 1000.0;
    json!(seconds)
}
