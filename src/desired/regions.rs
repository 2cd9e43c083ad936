//! The regions that exist, and the partition of each. Data; a new region is a new line here.
//!
//! Those in which SSM has an endpoint, which is fewer than AWS names somewhere: a setting cannot be kept in the others.
//! Source: botocore's `endpoints.json`, service `ssm`.

use super::names::{Partition, Region};
use super::suggest;

const KNOWN: &[(&str, Partition)] = &[
    ("us-east-1", Partition::Aws),
    ("us-east-2", Partition::Aws),
    ("us-west-1", Partition::Aws),
    ("us-west-2", Partition::Aws),
    ("ca-central-1", Partition::Aws),
    ("sa-east-1", Partition::Aws),
    ("eu-west-1", Partition::Aws),
    ("eu-west-2", Partition::Aws),
    ("eu-west-3", Partition::Aws),
    ("eu-central-1", Partition::Aws),
    ("eu-north-1", Partition::Aws),
    ("ap-south-1", Partition::Aws),
    ("ap-northeast-1", Partition::Aws),
    ("ap-northeast-2", Partition::Aws),
    ("ap-northeast-3", Partition::Aws),
    ("ap-southeast-1", Partition::Aws),
    ("ap-southeast-2", Partition::Aws),
    // From here on an account has to opt in.
    ("af-south-1", Partition::Aws),
    ("ap-east-1", Partition::Aws),
    ("ap-east-2", Partition::Aws),
    ("ap-south-2", Partition::Aws),
    ("ap-southeast-3", Partition::Aws),
    ("ap-southeast-4", Partition::Aws),
    ("ap-southeast-5", Partition::Aws),
    ("ap-southeast-6", Partition::Aws),
    ("ap-southeast-7", Partition::Aws),
    ("ca-west-1", Partition::Aws),
    ("eu-central-2", Partition::Aws),
    ("eu-south-1", Partition::Aws),
    ("eu-south-2", Partition::Aws),
    ("il-central-1", Partition::Aws),
    ("me-central-1", Partition::Aws),
    ("me-south-1", Partition::Aws),
    ("mx-central-1", Partition::Aws),
    ("cn-north-1", Partition::AwsCn),
    ("cn-northwest-1", Partition::AwsCn),
    ("us-gov-east-1", Partition::AwsUsGov),
    ("us-gov-west-1", Partition::AwsUsGov),
    ("eusc-de-east-1", Partition::AwsEusc),
];

/// Every region that exists, with its partition.
#[must_use]
pub fn known() -> &'static [(&'static str, Partition)] {
    KNOWN
}

/// The partition of a region, or `None` if there is no such region.
#[must_use]
pub fn partition_of(region: &Region) -> Option<Partition> {
    KNOWN.iter().find(|(name, _)| *name == region.as_str()).map(|(_, partition)| *partition)
}

/// The region that somebody who wrote `text` may have meant.
#[must_use]
pub fn nearest(text: &str) -> Option<&'static str> {
    suggest::nearest(text, KNOWN.iter().map(|(name, _)| *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_regions_and_none_is_listed_twice() {
        let count = |partition| KNOWN.iter().filter(|(_, of)| *of == partition).count();
        assert_eq!([Partition::Aws, Partition::AwsCn, Partition::AwsUsGov, Partition::AwsEusc].map(count), [34, 2, 2, 1]);
        let names: std::collections::BTreeSet<_> = KNOWN.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), KNOWN.len());
    }

    #[test]
    fn every_region_has_a_region_name_and_the_partition_of_the_table() {
        for (name, partition) in KNOWN {
            assert_eq!(partition_of(&name.parse().unwrap()), Some(*partition));
        }
        assert_eq!(partition_of(&"eu-wset-1".parse().unwrap()), None);
    }

    #[test]
    fn a_mistyped_region_finds_the_one_that_was_meant() {
        let cases = [
            ("eu-wset-1", Some("eu-west-1")),
            ("us-east1", Some("us-east-1")),
            ("US-East-1", Some("us-east-1")),
            ("eu-west-1a", Some("eu-west-1")),
            ("frankfurt", None),
        ];
        for (text, expected) in cases {
            assert_eq!(nearest(text), expected, "{text}");
        }
    }
}
