//! Quick Setup: which configurations there are. REST JSON, botocore's `ssm-quicksetup` model of 2018-05-10.

use serde_json::{Value, json};

use super::authorize::Resource;
use super::{Context, Operation, Service, SignedFor};
use crate::journal::Effect;
use crate::upkeep::ConfigurationManager;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::ServiceError;

pub(crate) const SERVICE: Service = Service {
    name: "ssm-quicksetup",
    protocol: Protocol::RestJson,
    signed_for: SignedFor::EachRegion,
    operations: &[Operation {
        name: "ListConfigurationManagers",
        effect: Effect::Read,
        on: |_| Resource::any(),
        run: list_configuration_managers,
    }],
};

fn list_configuration_managers(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let wanted = call.params.number("MaxItems")?.unwrap_or(u64::MAX);
    let from = match call.params.text("StartingToken") {
        None | Some("") => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| ServiceError::modelled(400, "ValidationException", "The request is invalid: StartingToken."))?,
    };
    let size = usize::try_from(wanted).unwrap_or(usize::MAX).min(call.knobs.page_size).max(1);
    let state = call.account.state.lock();
    let all = state.upkeep.get(call.region).map(|upkeep| upkeep.configuration_managers.clone()).unwrap_or_default();
    drop(state);
    let page: Vec<Value> = all.iter().skip(from).take(size).map(|one| summary(call, one)).collect();
    // The model says that the token is empty at the end.
    let next = if from + size < all.len() { (from + size).to_string() } else { String::new() };
    Ok(Answer::Json(json!({ "ConfigurationManagersList": page, "NextToken": next })))
}

fn summary(call: &Context<'_>, manager: &ConfigurationManager) -> Value {
    let (partition, account) = (call.account.partition.as_str(), &call.account.id);
    let definitions: Vec<Value> = manager.types.iter().map(|kind| json!({ "Type": kind, "TypeVersion": "1.0" })).collect();
    json!({
        "ManagerArn": format!("arn:{partition}:ssm-quicksetup:{}:{account}:configuration-manager/{}", call.region, manager.name),
        "Name": manager.name,
        "ConfigurationDefinitionSummaries": definitions,
        "StatusSummaries": [],
    })
}
