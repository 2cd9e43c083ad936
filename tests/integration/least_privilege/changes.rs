//! What somebody may try to change about the role and the settings, each by the real SDK.

use aws_sdk_iam::error::ProvideErrorMetadata;
use aws_sdk_iam::types::Tag;

use crate::sdk::{Admin, POLICY, ROLE, TRUST, VALUE};

/// A region that no document here declares.
const ELSEWHERE: &str = "ap-south-1";
const ALLOW_ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// A policy of the account, of the role in documents that declare it. It has another version.
pub(super) const HOSTS: &str = "arn:aws:iam::111122223333:policy/hosts";

/// Tries a change of the role that hosts get. The error is AWS's message; `None` when this file does not know how to try it.
pub(super) async fn attempt(admin: &Admin, action: &str) -> Option<Result<(), String>> {
    attempt_on(admin, "/service-role/", ROLE, action).await
}

/// The same of another role.
pub(super) async fn attempt_on(admin: &Admin, path: &str, role: &str, action: &str) -> Option<Result<(), String>> {
    macro_rules! send {
        ($request:expr) => {
            $request.send().await.map(drop).map_err(|error| error.message().unwrap_or_default().to_owned())
        };
    }
    let iam = &admin.iam;
    Some(match action {
        "ssm:UpdateServiceSetting" => admin.try_set_setting("us-east-1", VALUE).await,
        "ssm:ResetServiceSetting" => admin.try_reset_setting("us-east-1").await,
        // The role is passed where nobody guards the setting.
        "iam:PassRole" => admin.try_set_setting(ELSEWHERE, VALUE).await,
        "iam:CreateRole" => {
            send!(iam.create_role().role_name(role).path(path).assume_role_policy_document(TRUST))
        }
        "iam:DeleteRole" => send!(iam.delete_role().role_name(role)),
        "iam:UpdateAssumeRolePolicy" => send!(iam.update_assume_role_policy().role_name(role).policy_document(TRUST)),
        "iam:AttachRolePolicy" => send!(iam.attach_role_policy().role_name(role).policy_arn(POLICY)),
        "iam:DetachRolePolicy" => send!(iam.detach_role_policy().role_name(role).policy_arn(POLICY)),
        "iam:PutRolePolicy" => {
            send!(iam.put_role_policy().role_name(role).policy_name("theirs").policy_document(ALLOW_ALL))
        }
        "iam:DeleteRolePolicy" => send!(iam.delete_role_policy().role_name(role).policy_name("own")),
        "iam:PutRolePermissionsBoundary" => {
            send!(iam.put_role_permissions_boundary().role_name(role).permissions_boundary(POLICY))
        }
        "iam:DeleteRolePermissionsBoundary" => send!(iam.delete_role_permissions_boundary().role_name(role)),
        "iam:TagRole" => {
            send!(iam.tag_role().role_name(role).tags(Tag::builder().key("team").value("theirs").build().unwrap()))
        }
        "iam:UntagRole" => send!(iam.untag_role().role_name(role).tag_keys("team")),
        "iam:UpdateRoleDescription" => send!(iam.update_role_description().role_name(role).description("theirs")),
        "iam:UpdateRole" => send!(iam.update_role().role_name(role).description("theirs")),
        "iam:CreatePolicyVersion" => {
            send!(iam.create_policy_version().policy_arn(HOSTS).policy_document(ALLOW_ALL).set_as_default(true))
        }
        "iam:SetDefaultPolicyVersion" => send!(iam.set_default_policy_version().policy_arn(HOSTS).version_id("v2")),
        "iam:DeletePolicyVersion" => send!(iam.delete_policy_version().policy_arn(HOSTS).version_id("v2")),
        "iam:DeletePolicy" => send!(iam.delete_policy().policy_arn(HOSTS)),
        _ => return None,
    })
}
