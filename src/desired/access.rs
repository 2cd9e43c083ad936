//! How an account is reached: with the controller's own credentials, or by assuming a role in it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::names::{AccountId, InvalidName, Partition, RoleName, RolePath};

/// How an account is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// The controller's own credentials are of this account.
    Own,
    /// By assuming a role that is in it.
    Assume(Arc<AssumeRole>),
}

/// A role to assume: the same name in every account that it is declared for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// Its name.
    pub name: RoleName,
    /// Its path, `/` where the document does not say.
    pub path: RolePath,
    /// What the role's trust policy asks for as `sts:ExternalId`.
    pub external_id: Option<ExternalId>,
    /// Session tags; the trust policy has to allow `sts:TagSession` then.
    pub session_tags: BTreeMap<String, String>,
}

impl AssumeRole {
    /// The role's ARN in an account.
    #[must_use]
    pub fn arn(&self, partition: Partition, account: AccountId) -> String {
        format!("arn:{partition}:iam::{account}:role{}{}", self.path, self.name)
    }
}

/// The text that both sides of a trust know: 2 to 1224 of `A-Z a-z 0-9 + = , . @ : / _ -` (STS API reference, `AssumeRole`).
///
/// Whoever knows it may pass for us where the trust asks for nothing else, so it is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalId(Arc<str>);

impl ExternalId {
    /// The text, for AWS alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl FromStr for ExternalId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@:/_-".contains(&byte);
        if !(2..=1224).contains(&text.len()) || !text.bytes().all(allowed) {
            // Not quoted: what is wrong with it may be one character of something that others must not see.
            return Err(InvalidName("not an external id: 2 to 1224 letters, digits and `+=,.@:/_-`".to_owned()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_external_id_is_shown_to_nobody() {
        let id: ExternalId = "s3cr3t".parse().unwrap();
        assert_eq!(format!("{id:?}"), "ExternalId(..)");
        assert!(!"s3 cr3t".parse::<ExternalId>().unwrap_err().to_string().contains("cr3t"));
    }

    #[test]
    fn the_arn_is_of_the_partition_and_the_account() {
        let role = AssumeRole {
            name: "dhmc-controller".parse().unwrap(),
            path: "/platform/".parse().unwrap(),
            external_id: None,
            session_tags: BTreeMap::new(),
        };
        let arn = role.arn(Partition::AwsCn, "000011112222".parse().unwrap());
        assert_eq!(arn, "arn:aws-cn:iam::000011112222:role/platform/dhmc-controller");
    }
}
