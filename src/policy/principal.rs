//! Who is named in policies, as flags give it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::document::Condition;
use super::text::{Place, Text, Whose};
use crate::desired::names::{AccountId, InvalidName, Partition};
use crate::desired::problems::Quoted;

/// What to do about the ARN of a session.
const OF_A_SESSION: &str =
    "is a session of a role; write the role's own ARN, such as arn:aws:iam::111122223333:role/dhmc-controller";

/// A role by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn(Arc<str>);

impl FromStr for RoleArn {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_role = |parts: &Parts<'_>| {
            Partition::from_str(parts.partition).is_ok()
                && AccountId::from_str(parts.account).is_ok()
                && parts.resource.strip_prefix("role/").is_some_and(|name| is_name(name, b""))
        };
        checked(text, is_role, "is not the ARN of a role, such as arn:aws:iam::111122223333:role/dhmc-hub").map(Self)
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Roles or users by a pattern of ARNs: `*` and `?` as IAM has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrincipalPattern(Arc<str>);

impl FromStr for PrincipalPattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let is_pattern = |parts: &Parts<'_>| {
            let named = parts.resource.strip_prefix("role/").or_else(|| parts.resource.strip_prefix("user/"));
            (parts.partition == "*" || Partition::from_str(parts.partition).is_ok())
                && (parts.account == "*" || AccountId::from_str(parts.account).is_ok())
                && named.is_some_and(|name| is_name(name, b"*?"))
        };
        // One that everybody fits would keep nobody away.
        let message = "is not the ARN of a role or user, such as arn:aws:iam::111122223333:role/dhmc-controller; `*` may stand for \
                       the account, and in the name, but not for all of it";
        checked(text, is_pattern, message).map(Self)
    }
}

impl PrincipalPattern {
    /// Its partition, where it names one.
    pub(super) fn partition(&self) -> Option<Partition> {
        self.0.split(':').nth(1)?.parse().ok()
    }

    /// Such roles as a resource, which IAM takes no pattern of partitions in. `None` where it is a user.
    pub(super) fn roles(&self, place: &Place) -> Option<Text> {
        let mut parts = self.0.splitn(6, ':').skip(4);
        let (account, resource) = (parts.next()?, parts.next()?);
        let account = account.parse().map_or(place.account, Whose::Id);
        resource.starts_with("role/").then(|| Place { account, ..*place }.arn("iam", "", resource))
    }

    /// Whether it can be one of an account.
    pub(super) fn may_be_of(&self, account: AccountId) -> bool {
        self.0.split(':').nth(4).is_some_and(|one| one == "*" || one.parse() == Ok(account))
    }
}

impl fmt::Display for PrincipalPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parts of an ARN of IAM.
struct Parts<'a> {
    partition: &'a str,
    account: &'a str,
    resource: &'a str,
}

fn checked(text: &str, fits: impl Fn(&Parts<'_>) -> bool, message: &str) -> Result<Arc<str>, InvalidName> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", partition, "iam", "", account, resource] if fits(&Parts { partition, account, resource }) => Ok(text.into()),
        ["arn", _, "sts", ..] => Err(InvalidName(format!("{} {OF_A_SESSION}", Quoted(text)))),
        _ => Err(InvalidName(format!("{} {message}", Quoted(text)))),
    }
}

fn is_name(name: &str, wildcards: &[u8]) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte) || wildcards.contains(&byte);
    let says_something = name.bytes().any(|byte| byte.is_ascii_alphanumeric());
    name.len() <= 576 && !name.ends_with('/') && !name.starts_with('/') && name.bytes().all(allowed) && says_something
}

/// Who stays allowed, besides the roles that the document tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allowed {
    /// To change what is kept: the controller's own role among them.
    pub controllers: Vec<PrincipalPattern>,
    /// To change the roles that stay allowed.
    pub deployers: Vec<PrincipalPattern>,
}

/// Who stays allowed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Exempt(Vec<Text>);

impl Exempt {
    /// Roles that the document tells, and those that a flag names.
    pub(super) fn new(declared: &[Text], named: &[PrincipalPattern]) -> Self {
        Self::default().and(declared, named)
    }

    /// These as well.
    pub(super) fn and(&self, declared: &[Text], named: &[PrincipalPattern]) -> Self {
        let mut all = self.0.clone();
        for text in declared.iter().cloned().chain(named.iter().map(|pattern| Text::literal(pattern.0.to_string()))) {
            if !all.contains(&text) {
                all.push(text);
            }
        }
        Self(all)
    }

    /// What everybody else meets. A session's `aws:PrincipalArn` is its role's.
    pub(super) fn condition(&self) -> Vec<Condition> {
        if self.0.is_empty() {
            return Vec::new();
        }
        vec![Condition { operator: "ArnNotLike", key: "aws:PrincipalArn".to_owned(), values: self.0.clone() }]
    }
}

/// The id of an organization: `o-` and 10 to 32 lower-case letters or digits (Organizations API reference).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationId(Arc<str>);

impl FromStr for OrganizationId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let word =
            |id: &str| (10..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if text.strip_prefix("o-").is_some_and(word) {
            return Ok(Self(text.into()));
        }
        Err(InvalidName(format!("{} is not the id of an organization, such as o-abcde12345", Quoted(text))))
    }
}

impl fmt::Display for OrganizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The `OpenID` Connect provider of a cluster: its ARN, or its address alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcProvider {
    /// The ARN up to the address, where it was given.
    pub(super) arn: Option<String>,
    /// The address without `https://`: what conditions are called by.
    pub(super) address: String,
}

impl OidcProvider {
    /// Whether it tells its account.
    #[must_use]
    pub fn has_account(&self) -> bool {
        self.arn.is_some()
    }
}

impl FromStr for OidcProvider {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let address = |text: &str| {
            let bytes_ok = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/:".contains(&byte));
            (bytes_ok && text.contains('.') && !text.ends_with('/') && !text.starts_with("arn:")).then(|| text.to_owned())
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let found = match parts.as_slice() {
            ["arn", partition, "iam", "", account, resource]
                if Partition::from_str(partition).is_ok() && AccountId::from_str(account).is_ok() =>
            {
                let address = resource.strip_prefix("oidc-provider/").and_then(address);
                address.map(|address| Self { arn: Some(text.to_owned()), address })
            }
            _ => address(text.strip_prefix("https://").unwrap_or(text)).map(|address| Self { arn: None, address }),
        };
        found.ok_or_else(|| {
            InvalidName(format!(
                "{} is not an OIDC provider, such as oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD or its ARN",
                Quoted(text)
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_by_its_own_arn() {
        assert!("arn:aws-cn:iam::111122223333:role/path/R".parse::<RoleArn>().is_ok());
        for text in ["", "R", "arn:aws:iam::*:role/R", "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:user/U"] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
        let session = "arn:aws:sts::111122223333:assumed-role/R/s".parse::<RoleArn>().unwrap_err();
        assert!(session.to_string().contains("the role's own ARN"), "{session}");
    }

    #[test]
    fn a_pattern_of_principals_does_not_fit_everybody() {
        for text in [
            "arn:*:iam::*:role/dhmc-controller",
            "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Admin_*",
            "arn:aws:iam::111122223333:user/U",
        ] {
            assert!(text.parse::<PrincipalPattern>().is_ok(), "{text}");
        }
        for text in ["*", "arn:aws:iam::*:role/*", "arn:aws:iam::*:*", "arn:aws:iam::111122223333:root", "arn:aws:sts::1:x/R/s"] {
            assert!(text.parse::<PrincipalPattern>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_provider_is_its_arn_or_its_address() {
        let arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A";
        let address = "oidc.eks.eu-west-1.amazonaws.com/id/A";
        for text in [arn, address, "https://oidc.eks.eu-west-1.amazonaws.com/id/A"] {
            assert_eq!(text.parse::<OidcProvider>().unwrap().address, address);
        }
        for text in ["", "localhost", "https://a.b/", "arn:aws:iam::111122223333:role/a.b", "a.b c"] {
            assert!(text.parse::<OidcProvider>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_organization_is_told_from_its_units() {
        assert!("o-abcde12345".parse::<OrganizationId>().is_ok());
        for text in ["", "o-abc", "ou-ab12-11111111", "O-ABCDE12345"] {
            assert!(text.parse::<OrganizationId>().is_err(), "{text}");
        }
    }
}
