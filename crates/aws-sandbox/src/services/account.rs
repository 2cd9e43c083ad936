//! Account Management: which regions are open. REST JSON, botocore's `account` model of 2021-02-01.

use serde_json::json;

use super::{Context, Operation, Service, SignedFor};
use crate::journal::Effect;
use crate::partition::Partition;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::{ServiceError, Shared};

pub(crate) const SERVICE: Service = Service {
    name: "account",
    protocol: Protocol::RestJson,
    signed_for: SignedFor::OneRegion(Partition::account_region),
    operations: &[Operation {
        name: "ListRegions",
        effect: Effect::Read,
        resource: |call| {
            let (partition, account) = (call.account.partition.as_str(), &call.account.id);
            format!("arn:{partition}:account::{account}:account")
        },
        run: list_regions,
    }],
};

/// Of `MaxResults`, by the model.
const LARGEST_PAGE: u64 = 50;

fn list_regions(call: &Context<'_>) -> Result<Answer, ServiceError> {
    if call.params.text("AccountId").is_some() {
        // A member's regions need Organizations; naming oneself is refused in any case.
        let resource = format!("account/{}", call.params.text("AccountId").unwrap_or_default());
        let by = crate::identity::DeniedBy::MissingAllow;
        return Err(call.access_denied("account:ListRegions", &resource, by));
    }
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
    let regions = call.account.regions();
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

/// The token is the last region of the page before; hexadecimal, so that nobody reads it as a name.
fn decode(token: &str) -> Result<String, ServiceError> {
    let text = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| Shared::Invalid.in_words(Protocol::RestJson, "Invalid NextToken"))
}
