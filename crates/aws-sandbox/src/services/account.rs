//! Account Management: which regions are open. REST JSON, botocore's `account` model of 2021-02-01.

use std::sync::Arc;

use serde_json::json;

use super::authorize::Resource;
use super::{Context, Operation, Service, SignedFor};
use crate::identity::DeniedBy;
use crate::journal::Effect;
use crate::partition::Partition;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::{ServiceError, Shared};
use crate::world::Account;

pub(crate) const SERVICE: Service = Service {
    name: "account",
    protocol: Protocol::RestJson,
    signed_for: SignedFor::OneRegion(Partition::account_region),
    operations: &[Operation { name: "ListRegions", effect: Effect::Read, on: account, run: list_regions }],
};

/// Of `MaxResults`, by the model.
const LARGEST_PAGE: u64 = 50;

/// The own account, or a member as its organization names it.
fn account(call: &Context<'_>) -> Resource {
    let (partition, own) = (call.account.partition.as_str(), &call.account.id);
    let Some(id) = call.params.text("AccountId") else {
        return Resource::new(format!("arn:{partition}:account::{own}:account"));
    };
    let organizations = call.world.organizations.read();
    match organizations.of(own) {
        Some(all) => Resource::new(format!("arn:{partition}:account::{}:account/{}/{id}", all.management, all.id)),
        None => Resource::new(format!("arn:{partition}:account::{id}:account")),
    }
}

fn list_regions(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let member = call.params.text("AccountId").map(|id| member(call, id)).transpose()?;
    let wanted = call.params.number("MaxResults")?.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&wanted) {
        let rule = "Member must have value between 1 and 50";
        let value = wanted.to_string();
        return Err(call.params.invalid("MaxResults", &value, rule));
    }
    let size = usize::try_from(wanted).unwrap_or(usize::MAX).min(call.knobs.page_size).max(1);
    let statuses = call.params.texts("RegionOptStatusContains");
    let after = match call.params.text("NextToken") {
        Some(token) => decode(token)?,
        None => String::new(),
    };
    let regions = member.as_deref().unwrap_or(call.account).regions();
    let mut matching =
        regions.iter().filter(|(name, status)| **name > after && (statuses.is_empty() || statuses.contains(&status.as_str())));
    let page: Vec<_> = matching.by_ref().take(size).collect();
    let mut answer = json!({
        "Regions": page
            .iter()
            .map(|(name, status)| json!({"RegionName": name, "RegionOptStatus": status.as_str()}))
            .collect::<Vec<_>>(),
    });
    if matching.next().is_some()
        && let Some((last, _)) = page.last()
    {
        answer["NextToken"] = hex::encode(last).into();
    }
    Ok(Answer::Json(answer))
}

/// The account asked about, which must not be the caller's own: AWS wants that left out.
fn member(call: &Context<'_>, id: &str) -> Result<Arc<Account>, ServiceError> {
    if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        let rule = "Member must satisfy regular expression pattern: \\d{12}";
        return Err(call.params.invalid("AccountId", &format!("'{id}'"), rule));
    }
    if id == call.account.id {
        let message = "The caller's own account must not be named: leave AccountId out.";
        return Err(Shared::Invalid.in_words(Protocol::RestJson, message));
    }
    let may = {
        let organizations = call.world.organizations.read();
        let own = organizations.of(&call.account.id).filter(|own| own.is_trusted(&call.account.id));
        // The management account is none of its members.
        own.is_some_and(|own| *own.management != *id && own.account(id).is_some())
    };
    if may {
        return Ok(call.world.account(id, call.account.partition));
    }
    Err(call.access_denied("account:ListRegions", &account(call), DeniedBy::MissingAllow))
}

/// The token is the last region of the page before; hexadecimal, so that nobody reads it as a name.
fn decode(token: &str) -> Result<String, ServiceError> {
    let text = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Shared::Invalid.in_words(Protocol::RestJson, "Invalid NextToken"))
}
