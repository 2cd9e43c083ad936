//! The names everything is called by: accounts, regions, partitions, roles, policies.
//!
//! Each is parsed once, at the edge, and cannot hold what AWS would refuse. Cheap to clone: tens of thousands of targets
//! carry them.

mod iam;
mod organization;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::problems::Quoted;
pub use iam::{PolicyRef, RoleName, RolePath, ServicePrincipal};
pub use organization::UnitId;

/// A name that is not one; its text says what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidName(pub String);

/// Twelve digits, leading zeros included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(u64);

impl FromStr for AccountId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if text.len() == 12 && all_digits => Ok(Self(number)),
            _ => {
                Err(InvalidName(format!("{} is not an AWS account id, which is exactly 12 digits and no hyphens", Quoted(text))))
            }
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:012}", self.0)
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for AccountId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which account a target is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// The account of the controller's own credentials, whichever that turns out to be.
    Own,
    /// The account with this id and no other.
    Id(AccountId),
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own => f.write_str("own"),
            Self::Id(id) => id.fmt(f),
        }
    }
}

/// A group of regions with its own IAM, and its own word in ARNs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// Commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// US government.
    AwsUsGov,
    /// European sovereign cloud.
    AwsEusc,
}

impl Partition {
    /// The word in an ARN.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The region that IAM requests are signed for (botocore's endpoint resolver).
    #[must_use]
    pub fn iam_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::AwsCn => "cn-north-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsEusc => "eusc-de-east-1",
        }
    }

    /// The region that requests to Account and Organizations are signed for (botocore's endpoint resolver; in China not IAM's).
    #[must_use]
    pub fn account_region(self) -> &'static str {
        match self {
            Self::AwsCn => "cn-northwest-1",
            other => other.iam_region(),
        }
    }
}

impl FromStr for Partition {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        [Self::Aws, Self::AwsCn, Self::AwsUsGov, Self::AwsEusc]
            .into_iter()
            .find(|partition| partition.as_str() == text)
            .ok_or_else(|| InvalidName(format!("{} is not a partition: aws, aws-cn, aws-us-gov, aws-eusc", Quoted(text))))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A region's name, such as `eu-west-1`. Its shape is checked here; whether it exists is in [`super::regions`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let shape = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 32 || !text.bytes().all(shape) {
            return Err(InvalidName(format!("{} is not a region name such as eu-west-1", Quoted(text))));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_keeps_its_leading_zeros() {
        assert_eq!("000000000012".parse::<AccountId>().unwrap().to_string(), "000000000012");
    }

    #[test]
    fn an_account_id_is_twelve_ascii_digits_and_nothing_else() {
        for text in ["", "1", "11112222333", "1111222233334", "+11122223333", "1111-2222-3333", "11112222333a", "١١١١٢٢٢٢٣٣٣٣"]
        {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_partition_is_read_as_it_is_written() {
        for partition in [Partition::Aws, Partition::AwsCn, Partition::AwsUsGov, Partition::AwsEusc] {
            assert_eq!(partition.to_string().parse(), Ok(partition));
        }
        assert!("AWS".parse::<Partition>().is_err());
    }

    #[test]
    fn a_region_has_the_shape_of_one() {
        assert_eq!("eu-west-1".parse::<Region>().unwrap().as_str(), "eu-west-1");
        for text in ["", "EU-West-1", "eu west", "eu.west", &"x".repeat(33)] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}
