//! The partitions of AWS and the regions each of them has, as the endpoint rules of botocore 1.43 list them for SSM.
//! Pure tables: nothing here knows about accounts or requests.

use serde::{Deserialize, Serialize};

/// A separate AWS: its own accounts, ARNs, regions and signing regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partition {
    /// The commercial regions.
    Aws,
    /// China.
    AwsCn,
    /// `GovCloud` (US).
    AwsUsGov,
    /// The European Sovereign Cloud.
    AwsEusc,
}

/// Whether a region is open to an account, in the words of account:ListRegions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegionStatus {
    /// An opt-in region that somebody opened.
    Enabled,
    /// A region that every account has.
    EnabledByDefault,
    /// Being opened; refuses calls until it is.
    Enabling,
    /// Being closed; refuses calls already.
    Disabling,
    /// An opt-in region nobody opened.
    Disabled,
}

impl RegionStatus {
    /// The text on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::EnabledByDefault => "ENABLED_BY_DEFAULT",
            Self::Enabling => "ENABLING",
            Self::Disabling => "DISABLING",
            Self::Disabled => "DISABLED",
        }
    }

    /// Whether services answer there. ENABLING and DISABLING refuse: a guess, on the strict side.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Enabled | Self::EnabledByDefault)
    }
}

/// The regions of the commercial partition that are open from the start.
const AWS_DEFAULT: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// The regions of the commercial partition that an account must open first.
const AWS_OPT_IN: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

impl Partition {
    /// The name in ARNs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// Regions every account of the partition has.
    #[must_use]
    pub fn default_regions(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &AWS_DEFAULT,
            Self::AwsCn => &["cn-north-1", "cn-northwest-1"],
            Self::AwsUsGov => &["us-gov-east-1", "us-gov-west-1"],
            Self::AwsEusc => &["eusc-de-east-1"],
        }
    }

    /// Regions an account has to open first.
    #[must_use]
    pub fn opt_in_regions(self) -> &'static [&'static str] {
        match self {
            Self::Aws => &AWS_OPT_IN,
            Self::AwsCn | Self::AwsUsGov | Self::AwsEusc => &[],
        }
    }

    /// The region IAM requests are signed for (botocore's resolver; China differs from its other global services).
    #[must_use]
    pub fn iam_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::AwsCn => "cn-north-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsEusc => "eusc-de-east-1",
        }
    }

    /// The region that Account (and Organizations) requests are signed for.
    #[must_use]
    pub fn account_region(self) -> &'static str {
        match self {
            Self::AwsCn => "cn-northwest-1",
            Self::Aws | Self::AwsUsGov | Self::AwsEusc => self.iam_region(),
        }
    }

    /// The status a region has in an account that never changed it; `None` for a region of no such name here.
    pub(crate) fn initial_status(self, region: &str) -> Option<RegionStatus> {
        if self.default_regions().contains(&region) {
            Some(RegionStatus::EnabledByDefault)
        } else if self.opt_in_regions().contains(&region) {
            Some(RegionStatus::Disabled)
        } else {
            None
        }
    }

    /// The table's own copy of a region's name, so that 170,000 settings do not each own theirs.
    pub(crate) fn known_region(self, region: &str) -> Option<&'static str> {
        let mut all = self.default_regions().iter().chain(self.opt_in_regions().iter());
        all.find(|known| **known == region).copied()
    }
}

impl std::str::FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "aws" => Ok(Self::Aws),
            "aws-cn" => Ok(Self::AwsCn),
            "aws-us-gov" => Ok(Self::AwsUsGov),
            "aws-eusc" => Ok(Self::AwsEusc),
            other => Err(format!("unknown partition: {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iam_in_china_is_signed_for_another_region_than_account() {
        assert_eq!(Partition::AwsCn.iam_region(), "cn-north-1");
        assert_eq!(Partition::AwsCn.account_region(), "cn-northwest-1");
    }

    #[test]
    fn no_region_is_both_default_and_opt_in() {
        for region in Partition::Aws.default_regions() {
            assert!(!Partition::Aws.opt_in_regions().contains(region), "{region}");
        }
    }

    #[test]
    fn a_region_of_another_partition_is_unknown() {
        assert_eq!(Partition::AwsCn.initial_status("us-east-1"), None);
    }
}
