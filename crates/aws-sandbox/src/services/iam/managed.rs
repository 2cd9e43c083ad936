//! Managed policies, as little as roles need: create one's own, look one up, read what it says.

use serde::Serialize;

use super::view::{date, url_encoded};
use super::{malformed, names, no_entity};
use crate::identity::unique_letters;
use crate::managed_policies::{self, name_of};
use crate::policy_document;
use crate::role_store::{Policy, Versions};
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct OneVersion {
    pub(super) policy_version: VersionView,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionView {
    pub(super) document: String,
    pub(super) version_id: String,
    pub(super) is_default_version: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct OnePolicy {
    policy: PolicyView,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyView {
    policy_name: String,
    policy_id: String,
    arn: String,
    path: String,
    default_version_id: String,
    attachment_count: usize,
    is_attachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    create_date: String,
}

pub(super) fn create(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let name = names::policy_name(call)?;
    let path = names::path(call)?;
    let document = call.params.required("PolicyDocument")?;
    policy_document::check_permissions(document).map_err(malformed)?;
    let policy = Policy {
        arn: call.account.iam_arn(&format!("policy{path}{name}")),
        path: path.to_owned(),
        name: name.to_owned(),
        description: call.params.text("Description").map(str::to_owned),
        versions: Versions::first(document.to_owned()),
        created: call.now,
    };
    let answer = OnePolicy { policy: view(&policy, 0) };
    let mut state = call.account.state.lock();
    let policies = &mut state.roles.policies;
    if policies.values().any(|other| other.name == name) {
        let message = format!("A policy called {name} already exists. Duplicate names are not allowed.");
        return Err(ServiceError::new(409, "EntityAlreadyExists", message));
    }
    policies.insert(policy.arn.clone(), policy);
    drop(state);
    Answer::xml("CreatePolicyResult", &answer)
}

pub(super) fn get(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let arn = names::policy_arn(call, "PolicyArn")?;
    let state = call.account.state.lock();
    let attached = state.roles.all_visible();
    let count = attached.filter(|role| role.attached.iter().any(|own| own == arn)).count();
    let own = state.roles.policies.get(arn).map(|policy| view(policy, count));
    drop(state);
    let policy = own.or_else(|| managed_policies::exists(call.account.partition, arn).then(|| aws_managed(arn, count)));
    let message = || no_entity(format!("Policy {arn} was not found."));
    let answer = OnePolicy { policy: policy.ok_or_else(message)? };
    Answer::xml("GetPolicyResult", &answer)
}

pub(super) fn get_version(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let arn = names::policy_arn(call, "PolicyArn")?;
    let version = call.params.required("VersionId")?;
    let own = call.account.state.lock().roles.policies.get(arn).map(|policy| policy.versions.clone());
    let of_aws = || managed_policies::document(call.account.partition, arn).map(|text| Versions::first(text.to_owned()));
    let found = own.or_else(of_aws).and_then(|versions| {
        let (number, document) = versions.documents.iter().find(|(number, _)| name_of_version(**number) == version)?;
        let is_default_version = *number == versions.default;
        Some(VersionView { document: url_encoded(document), version_id: version.to_owned(), is_default_version })
    });
    let missing = || no_entity(format!("Policy {arn} version {version} does not exist or is not attachable."));
    let policy_version = found.ok_or_else(missing)?;
    Answer::xml("GetPolicyVersionResult", &OneVersion { policy_version })
}

/// What IAM calls a version of a policy.
pub(super) fn name_of_version(number: u32) -> String {
    format!("v{number}")
}

fn aws_managed(arn: &str, count: usize) -> PolicyView {
    let behind = arn.split_once(":policy").map_or("/", |(_, rest)| rest);
    let path = behind.strip_suffix(name_of(arn)).unwrap_or("/");
    let policy = Policy {
        arn: arn.to_owned(),
        path: path.to_owned(),
        name: name_of(arn).to_owned(),
        description: None,
        versions: Versions::first(String::new()),
        created: jiff::Timestamp::UNIX_EPOCH,
    };
    view(&policy, count)
}

fn view(policy: &Policy, attachment_count: usize) -> PolicyView {
    PolicyView {
        policy_name: policy.name.clone(),
        policy_id: format!("ANPA{}", unique_letters(&policy.arn)),
        arn: policy.arn.clone(),
        path: policy.path.clone(),
        default_version_id: name_of_version(policy.versions.default),
        attachment_count,
        is_attachable: true,
        description: policy.description.clone(),
        create_date: date(policy.created),
    }
}
