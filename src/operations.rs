//! The calls to AWS by the words of an IAM policy: one list for the code that makes them and for the policies that allow them.
//!
//! `tests/iam.rs` holds it against both.

/// Reads a setting.
pub const GET_SETTING: &str = "ssm:GetServiceSetting";
/// Enables.
pub const UPDATE_SETTING: &str = "ssm:UpdateServiceSetting";
/// Disables.
pub const RESET_SETTING: &str = "ssm:ResetServiceSetting";
/// Reads a role.
pub const GET_ROLE: &str = "iam:GetRole";
/// Reads a role's policies.
pub const LIST_ATTACHED_POLICIES: &str = "iam:ListAttachedRolePolicies";
/// Creates a role.
pub const CREATE_ROLE: &str = "iam:CreateRole";
/// Repairs its trust.
pub const UPDATE_TRUST_POLICY: &str = "iam:UpdateAssumeRolePolicy";
/// Sets its boundary.
pub const PUT_BOUNDARY: &str = "iam:PutRolePermissionsBoundary";
/// Attaches a policy.
pub const ATTACH_POLICY: &str = "iam:AttachRolePolicy";
/// Detaches a policy.
pub const DETACH_POLICY: &str = "iam:DetachRolePolicy";
/// Sets its tags.
pub const TAG_ROLE: &str = "iam:TagRole";
/// Sets its description.
pub const UPDATE_DESCRIPTION: &str = "iam:UpdateRoleDescription";
/// No call: whoever names a role in a setting passes it to the service, and needs this for it.
pub const PASS_ROLE: &str = "iam:PassRole";
/// Lists the regions of an account.
pub const LIST_REGIONS: &str = "account:ListRegions";
/// Asks whose the credentials are. Nobody needs a permission for it (STS API reference, `GetCallerIdentity`).
pub const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";
/// Opens a session in an account.
pub const ASSUME_ROLE: &str = "sts:AssumeRole";
/// No call: session tags go along with [`ASSUME_ROLE`], and the right to send them has a name of its own.
pub const TAG_SESSION: &str = "sts:TagSession";
/// Lists every account of the organization.
pub const LIST_ACCOUNTS: &str = "organizations:ListAccounts";
/// Lists the accounts in a unit.
pub const LIST_ACCOUNTS_OF_UNIT: &str = "organizations:ListAccountsForParent";
/// Lists the units in a unit.
pub const LIST_UNITS_OF_UNIT: &str = "organizations:ListOrganizationalUnitsForParent";

/// The setting, by its short id: the ARN form is refused when its region is another one (terraform-provider-aws#30474).
pub const SETTING_ID: &str = "/ssm/managed-instance/default-ec2-instance-management-role";
