//! What IAM calls things: roles, their paths, policies.
//!
//! Limits are those of the IAM API reference. Called by whoever reads a document or an answer of IAM.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{AccountId, InvalidName, Partition};
use crate::desired::problems::Quoted;
use crate::desired::{DEFAULT_POLICY_NAME, DEFAULT_ROLE_NAME, DEFAULT_ROLE_PATH};

/// A role's name: 1 to 64 of `A-Z a-z 0-9 + = , . @ _ -` (IAM API reference, `CreateRole`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName(Arc<str>);

/// The name that AWS's own set-up gives the role.
impl Default for RoleName {
    fn default() -> Self {
        Self(DEFAULT_ROLE_NAME.into())
    }
}

impl RoleName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
            return Err(InvalidName(format!(
                "{} is not a role name: 1 to 64 letters, digits and `+=,.@_-`; a path goes into `path`",
                Quoted(text)
            )));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role's path: `/`, or printable ASCII between two slashes, at most 512 characters (IAM API reference, `CreateRole`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolePath(Arc<str>);

/// The path that AWS's own set-up gives the role.
impl Default for RolePath {
    fn default() -> Self {
        Self(DEFAULT_ROLE_PATH.into())
    }
}

impl RolePath {
    /// The path of a role that was given none.
    #[must_use]
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The path with both its slashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RolePath {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let closed = text == "/" || (text.len() > 2 && text.starts_with('/') && text.ends_with('/'));
        if !closed || text.len() > 512 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(InvalidName(format!(
                "{} is not a role path: it starts and ends with `/`, such as /service-role/",
                Quoted(text)
            )));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for RolePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A service as trust policies name it, such as `ssm.amazonaws.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePrincipal(Arc<str>);

/// Systems Manager, in every partition (terraform-provider-aws `service_principal_data_source.go`; `ssm.<region>.amazonaws.com`
/// is refused, aws-cdk#16188). One community test has `ssm.amazonaws.com.cn` in China, which nobody has verified.
impl Default for ServicePrincipal {
    fn default() -> Self {
        Self("ssm.amazonaws.com".into())
    }
}

impl ServicePrincipal {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServicePrincipal {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let label = |label: &str| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if text.len() > 253 || text.split('.').count() < 3 || !text.split('.').all(label) {
            return Err(InvalidName(format!("{} is not a service principal, such as ssm.amazonaws.com", Quoted(text))));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ServicePrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A policy as a document names it: an AWS managed policy of whichever partition, or an ARN.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyRef {
    /// `AmazonSSMManagedEC2InstanceDefaultPolicy`, or with a path: `service-role/AmazonSSMMaintenanceWindowRole`.
    AwsManaged(Arc<str>),
    /// The whole ARN.
    Arn(Arc<str>),
}

/// The policy that AWS's own set-up attaches to the role.
impl Default for PolicyRef {
    fn default() -> Self {
        Self::AwsManaged(DEFAULT_POLICY_NAME.into())
    }
}

impl PolicyRef {
    /// The policy's ARN in a partition.
    #[must_use]
    pub fn arn(&self, partition: Partition) -> String {
        match self {
            Self::AwsManaged(name) => format!("arn:{partition}:iam::aws:policy/{name}"),
            Self::Arn(arn) => arn.to_string(),
        }
    }
}

impl FromStr for PolicyRef {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte);
        let name_ok = |name: &str| !name.is_empty() && name.len() <= 512 && name.bytes().all(allowed) && !name.ends_with('/');
        if !text.starts_with("arn:") {
            return if name_ok(text) && !text.starts_with('/') {
                Ok(Self::AwsManaged(text.into()))
            } else {
                Err(InvalidName(format!("{} is neither the name of an AWS managed policy nor a policy ARN", Quoted(text))))
            };
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let well_formed = match parts.as_slice() {
            [_, partition, "iam", "", owner, resource] => {
                Partition::from_str(partition).is_ok()
                    && (*owner == "aws" || AccountId::from_str(owner).is_ok())
                    && resource.strip_prefix("policy/").is_some_and(name_ok)
            }
            _ => false,
        };
        if well_formed {
            Ok(Self::Arn(text.into()))
        } else {
            Err(InvalidName(format!(
                "{} is not a policy ARN, which looks like arn:aws:iam::aws:policy/NAME or arn:aws:iam::111122223333:policy/NAME",
                Quoted(text)
            )))
        }
    }
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AwsManaged(text) | Self::Arn(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = InvalidName> + fmt::Display>(good: &[&str], bad: &[&str]) {
        for text in good {
            let parsed: Result<T, _> = text.parse();
            assert_eq!(parsed.map(|name| name.to_string()).as_deref(), Ok(*text));
        }
        for text in bad {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_role_name_is_what_iam_takes() {
        check::<RoleName>(&["a", "A+=,.@_-9", &"x".repeat(64)], &["", "a b", "a/b", "ä", &"x".repeat(65)]);
    }

    #[test]
    fn a_role_path_begins_and_ends_with_a_slash() {
        let long = |length: usize| format!("/{}/", "x".repeat(length - 2));
        check::<RolePath>(&["/", "/a/", "/a/b/", &long(512)], &["", "a", "/a", "a/", "/a b/", "/ä/", &long(513)]);
    }

    #[test]
    fn a_policy_is_a_name_or_an_arn() {
        check::<PolicyRef>(
            &[
                "AmazonSSMManagedEC2InstanceDefaultPolicy",
                "service-role/AmazonSSMMaintenanceWindowRole",
                "arn:aws:iam::aws:policy/a",
                "arn:aws-cn:iam::111122223333:policy/path/a",
            ],
            &[
                "",
                "/a",
                "a/",
                "a b",
                "arn:",
                "arn:aws",
                "arn:aws:iam::aws:policy/",
                "arn:aws:iam::aws:role/a",
                "arn:aws:iam::1:policy/a",
                "arn:aws:iam:us-east-1:aws:policy/a",
                "arn:aws-mars:iam::aws:policy/a",
                "arn:aws:s3::aws:policy/a",
            ],
        );
    }

    #[test]
    fn a_bare_policy_name_is_of_any_partition_and_an_arn_of_its_own() {
        let arn = |text: &str| text.parse::<PolicyRef>().unwrap().arn(Partition::AwsCn);
        assert_eq!(arn("a"), "arn:aws-cn:iam::aws:policy/a");
        assert_eq!(arn("arn:aws:iam::aws:policy/a"), "arn:aws:iam::aws:policy/a");
    }
}
