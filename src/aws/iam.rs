//! Identity and Access Management: the role.
//!
//! IAM is eventually consistent and answers documents URL-encoded (RFC 3986); some emulators decode them, so both are read.

use std::collections::BTreeSet;

use aws_sdk_iam::config::Builder;
use aws_sdk_iam::operation::create_role::builders::CreateRoleFluentBuilder;
use aws_sdk_iam::types::Tag;
use percent_encoding::percent_decode_str;

use super::AwsCloud;
use super::pages::Pages;
use super::retries;
use crate::cloud::{Caller, CloudError, ErrorKind};
use crate::desired::names::{Partition, RoleName};
use crate::observed::ObservedRole;
use crate::operations::{GET_ROLE, LIST_ATTACHED_POLICIES, TAG_ROLE};
use crate::plan::{NewRole, RoleAction};

pub(super) async fn role(
    aws: &AwsCloud,
    caller: &Caller,
    partition: Partition,
    name: &RoleName,
) -> Result<Option<ObservedRole>, CloudError> {
    let client = &aws.clients(caller).iam[&partition];
    let role = match aws.call(caller, GET_ROLE, client.get_role().role_name(name.as_str()).send()).await {
        Ok(answer) => answer.role,
        Err(error) if error.kind == ErrorKind::Missing => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(role) = role else { return Err(incomplete("no Role")) };
    let Some(document) = role.assume_role_policy_document() else { return Err(incomplete("no trust policy")) };
    let attached = match attached_policies(aws, caller, client, name).await {
        Ok(attached) => attached,
        Err(error) if error.kind == ErrorKind::Missing => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(ObservedRole {
        path: role.path().to_owned(),
        name: role.role_name().to_owned(),
        trust_policy: decoded(document).ok_or_else(|| incomplete("a trust policy that cannot be read"))?,
        attached,
        tags: role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
        description: role.description().filter(|text| !text.is_empty()).map(str::to_owned),
        permissions_boundary: role.permissions_boundary().and_then(|b| b.permissions_boundary_arn()).map(str::to_owned),
    }))
}

async fn attached_policies(
    aws: &AwsCloud,
    caller: &Caller,
    client: &aws_sdk_iam::Client,
    name: &RoleName,
) -> Result<BTreeSet<String>, CloudError> {
    const OPERATION: &str = LIST_ATTACHED_POLICIES;
    let (mut attached, mut pages) = (BTreeSet::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let request = client.list_attached_role_policies().role_name(name.as_str()).set_marker(pages.token());
        let page = aws.call(caller, OPERATION, request.send()).await?;
        attached.extend(page.attached_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned)));
        pages.next = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if page.is_truncated() && pages.next.is_none() {
            return Err(incomplete("a truncated list of policies and no marker"));
        }
    }
    Ok(attached)
}

pub(super) async fn change_role(
    aws: &AwsCloud,
    caller: &Caller,
    partition: Partition,
    name: &RoleName,
    action: &RoleAction,
) -> Result<(), CloudError> {
    let client = &aws.clients(caller).iam[&partition];
    let (name, operation) = (name.as_str(), action.operation());
    let once = Builder::new().retry_config(retries::never());
    match action {
        RoleAction::Create(new) => {
            let request = create(client, new)?.customize().config_override(once);
            aws.call(caller, operation, request.send()).await.map(drop)
        }
        RoleAction::UpdateTrustPolicy(document) => {
            let request = client.update_assume_role_policy().role_name(name).policy_document(document).customize();
            aws.call(caller, operation, request.config_override(once).send()).await.map(drop)
        }
        RoleAction::AttachPolicy(arn) => {
            let request = client.attach_role_policy().role_name(name).policy_arn(arn).customize();
            aws.call(caller, operation, request.config_override(once).send()).await.map(drop)
        }
        RoleAction::DetachPolicy(arn) => {
            let request = client.detach_role_policy().role_name(name).policy_arn(arn).customize();
            aws.call(caller, operation, request.config_override(once).send()).await.map(drop)
        }
        RoleAction::Tag(tags) => {
            let request = client.tag_role().role_name(name).set_tags(Some(sdk_tags(tags)?)).customize();
            aws.call(caller, operation, request.config_override(once).send()).await.map(drop)
        }
        // Not UpdateRole, which puts the maximum session duration back to an hour unless it is told that too (IAM API
        // reference, UpdateRole).
        RoleAction::Describe(text) => {
            let request = client.update_role_description().role_name(name).description(text).customize();
            aws.call(caller, operation, request.config_override(once).send()).await.map(drop)
        }
        RoleAction::SetPermissionsBoundary(arn) => {
            let request = client.put_role_permissions_boundary().role_name(name).permissions_boundary(arn).customize();
            aws.call(caller, operation, request.config_override(once).send()).await.map(drop)
        }
    }
}

fn create(client: &aws_sdk_iam::Client, new: &NewRole) -> Result<CreateRoleFluentBuilder, CloudError> {
    let request = client
        .create_role()
        .role_name(new.name.as_str())
        .path(new.path.as_str())
        .assume_role_policy_document(&new.trust_policy)
        .set_description(new.description.clone())
        .set_permissions_boundary(new.permissions_boundary.clone());
    Ok(if new.tags.is_empty() { request } else { request.set_tags(Some(sdk_tags(&new.tags)?)) })
}

fn sdk_tags(tags: &std::collections::BTreeMap<String, String>) -> Result<Vec<Tag>, CloudError> {
    let built: Result<Vec<Tag>, _> = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    built.map_err(|error| CloudError {
        operation: TAG_ROLE,
        kind: ErrorKind::Rejected,
        code: None,
        message: error.to_string(),
        source: None,
    })
}

/// JSON starts with a brace, its encoded form with `%7B`: a percent sign inside plain JSON is left alone. IAM keeps nothing
/// but JSON objects: what is none was spoiled on the way, and must not be taken for a policy that trusts nobody.
pub(super) fn decoded(document: &str) -> Option<String> {
    let text = if document.trim_start().starts_with('{') {
        document.to_owned()
    } else {
        percent_decode_str(document).decode_utf8().ok()?.into_owned()
    };
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text).ok().map(|_| text)
}

fn incomplete(what: &str) -> CloudError {
    CloudError {
        operation: GET_ROLE,
        kind: ErrorKind::Unavailable,
        code: None,
        message: format!("an answer with {what} in it"),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_encoded_and_plain() {
        let read = |document| decoded(document).unwrap();
        assert_eq!(read("%7B%22Version%22%3A%222012-10-17%22%7D"), r#"{"Version":"2012-10-17"}"#);
        assert_eq!(read(r#"{"Sid":"100%7B+1"}"#), r#"{"Sid":"100%7B+1"}"#);
        assert_eq!(read("%7B%22Sid%22%3A%22a+b%22%7D"), r#"{"Sid":"a+b"}"#);
    }

    #[test]
    fn a_document_that_was_spoiled_on_the_way_is_not_taken_for_a_policy() {
        for document in ["", "<html>", "%7B%22cut", "%FF%FE", "[]", "null"] {
            assert_eq!(decoded(document), None, "{document}");
        }
    }
}
