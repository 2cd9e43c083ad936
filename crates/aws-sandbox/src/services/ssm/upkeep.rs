//! Documents and associations, as far as they are read: `GetDocument` of documents that a test put there, `ListAssociations`
//! without filters.

use serde_json::{Map, Value, json};

use crate::identity::unique_letters;
use crate::services::Context;
use crate::services::authorize::Resource;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::{ServiceError, Shared};

/// The most associations of a page, by the model.
const LARGEST_PAGE: u64 = 50;

pub(super) fn document(call: &Context<'_>) -> Resource {
    let name = call.params.text("Name").unwrap_or_default();
    Resource::new(format!("{}document/{name}", arns_of_region(call)))
}

/// Associations have no ARN in the policies of this action. That refusals name all of the region is a guess.
pub(super) fn associations(call: &Context<'_>) -> Resource {
    Resource::any().told_as(format!("{}*", arns_of_region(call)))
}

fn arns_of_region(call: &Context<'_>) -> String {
    format!("arn:{}:ssm:{}:{}:", call.account.partition.as_str(), call.region, call.account.id)
}

pub(super) fn get_document(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = call.params.required("Name")?;
    let state = call.account.state.lock();
    let content = state.upkeep.get(call.region).and_then(|upkeep| upkeep.documents.get(name)).cloned();
    drop(state);
    let Some(content) = content else {
        let message = format!("Document with name {name} does not exist.");
        return Err(ServiceError::modelled(400, "InvalidDocument", message));
    };
    Ok(Answer::Json(json!({
        "Name": name,
        "DocumentVersion": "1",
        "Status": "Active",
        "Content": content,
        "DocumentType": "Session",
        "DocumentFormat": "JSON",
    })))
}

pub(super) fn list_associations(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let wanted = call.params.number("MaxResults")?.unwrap_or(LARGEST_PAGE);
    if !(1..=LARGEST_PAGE).contains(&wanted) {
        let rule = "Member must have value between 1 and 50";
        return Err(call.params.invalid("MaxResults", &wanted.to_string(), rule));
    }
    let from = match call.params.text("NextToken") {
        None => 0,
        Some(token) => token.parse::<usize>().map_err(|_| Shared::Invalid.in_words(Protocol::Json, "Invalid NextToken"))?,
    };
    let size = usize::try_from(wanted).unwrap_or(usize::MAX).min(call.knobs.page_size).max(1);
    let state = call.account.state.lock();
    let all = state.upkeep.get(call.region).map(|upkeep| upkeep.associations.clone()).unwrap_or_default();
    drop(state);
    let page: Vec<Value> = all.iter().skip(from).take(size).map(|one| record(&one.document, one.name.as_deref())).collect();
    let mut answer = json!({ "Associations": page });
    if from + size < all.len() {
        answer["NextToken"] = (from + size).to_string().into();
    }
    Ok(Answer::Json(answer))
}

fn record(document: &str, name: Option<&str>) -> Value {
    let mut record = Map::new();
    record.insert("Name".to_owned(), document.into());
    record.insert("AssociationId".to_owned(), unique_letters(&format!("{document} {name:?}")).into());
    record.insert("AssociationVersion".to_owned(), "1".into());
    if let Some(name) = name {
        record.insert("AssociationName".to_owned(), name.into());
    }
    Value::Object(record)
}
