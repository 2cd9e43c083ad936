//! What was read of an account: plain values. Filled in by the command, described by [`super::export`].

use std::collections::BTreeMap;

use crate::desired::access::Access;
use crate::desired::names::{Partition, Region, RoleName, RolePath, ServicePrincipal};
use crate::observed::{Identity, ObservedRole, ObservedSetting, RegionAccess};
use crate::plan::trust_policy::{Trust, trust};

/// What was read of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenAccount {
    /// Whose it is.
    pub identity: Identity,
    /// How it was reached.
    pub access: Access,
    /// Where the regions come from.
    pub region_list: RegionList,
    /// Each region that is known to AWS or to us.
    pub regions: BTreeMap<Region, SeenRegion>,
    /// Each role that some setting names, and AWS's default role, by the name that was asked for.
    pub roles: BTreeMap<String, SeenRole>,
}

/// Where the regions come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegionList {
    /// AWS listed them.
    OfTheAccount,
    /// AWS would not list them, so all that we know in the partition were asked.
    AllKnown {
        /// Why.
        why: String,
    },
    /// AWS did not answer, so all that we know in the partition were asked.
    Unanswered {
        /// Why.
        why: String,
    },
}

/// What was read of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenRegion {
    /// Its setting.
    Read(ObservedSetting),
    /// Nothing; the text says why.
    Unread(String),
    /// It is being opened or closed to the account; what it answers means nothing yet.
    Changing(RegionAccess),
    /// It is open to the account, and no document can name it: it is newer than this program.
    NotKnownHere,
    /// It is not open to the account.
    Closed,
    /// It refuses credentials that other regions take, and nobody says that it is open to the account.
    MostLikelyClosed,
}

impl SeenRegion {
    /// What its setting names, be it AWS's last word or not.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::Read(setting) => setting.value.as_deref(),
            _ => None,
        }
    }

    /// The word in reports.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Read(setting) if setting.value.is_some() => "set",
            Self::Read(_) => "unset",
            Self::Unread(_) => "unread",
            Self::Changing(_) => "changing",
            Self::NotKnownHere => "not_known_here",
            Self::Closed => "closed",
            Self::MostLikelyClosed => "most_likely_closed",
        }
    }
}

/// What was read of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeenRole {
    /// It is there.
    Found(ObservedRole),
    /// IAM says that there is none.
    Missing,
    /// Nothing; the text says why.
    Unread(String),
}

/// The role that a setting's value names, if it can name one: `service-role/NAME`, a bare `NAME` for a role at `/`, or, which
/// nobody has seen AWS keep, a whole ARN.
#[must_use]
pub fn role_named_by(value: &str) -> Option<(RolePath, RoleName)> {
    let resource = match value.strip_prefix("arn:") {
        Some(arn) => arn.split_once(":role/")?.1,
        None => value,
    };
    let (path, name) = resource.rsplit_once('/').unwrap_or(("", resource));
    let path = if path.is_empty() { "/".to_owned() } else { format!("/{path}/") };
    Some((path.parse().ok()?, name.parse().ok()?))
}

/// The service that has to be able to assume a role: Systems Manager, by the name that the role's trust policy has for it.
///
/// In China it may be another one, which nobody has verified; it counts where a role trusts that one alone.
#[must_use]
pub fn trusted_principal(role: &ObservedRole, partition: Partition) -> ServicePrincipal {
    let usual = ServicePrincipal::default();
    let elsewhere = match partition {
        Partition::AwsCn => "ssm.amazonaws.com.cn".parse().ok(),
        Partition::Aws | Partition::AwsUsGov | Partition::AwsEusc => None,
    };
    match (trust(&role.trust_policy, &usual), elsewhere) {
        (Trust::Absent, Some(other)) if trust(&role.trust_policy, &other) == Trust::Granted => other,
        _ => usual,
    }
}

/// Whether Systems Manager may assume a role, by whichever name.
#[must_use]
pub fn trust_in_systems_manager(role: &ObservedRole, partition: Partition) -> Trust {
    trust(&role.trust_policy, &trusted_principal(role, partition))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(value: &str) -> Option<(String, String)> {
        role_named_by(value).map(|(path, name)| (path.to_string(), name.to_string()))
    }

    #[test]
    fn a_value_names_a_role_by_path_and_name_or_by_its_arn() {
        let both = |path: &str, name: &str| Some((path.to_owned(), name.to_owned()));
        assert_eq!(named("R"), both("/", "R"));
        assert_eq!(named("service-role/R"), both("/service-role/", "R"));
        assert_eq!(named("a/b/R"), both("/a/b/", "R"));
        assert_eq!(named("arn:aws:iam::111122223333:role/a/R"), both("/a/", "R"));
        for value in ["", "a/", "no name", "arn:aws:iam::111122223333:user/x"] {
            assert_eq!(named(value), None, "{value}");
        }
    }

    #[test]
    fn only_in_china_may_systems_manager_have_another_name() {
        let role = ObservedRole {
            path: "/".to_owned(),
            name: "R".to_owned(),
            trust_policy: crate::plan::trust_policy::fresh(&"ssm.amazonaws.com.cn".parse().unwrap()),
            attached: std::collections::BTreeSet::new(),
            tags: BTreeMap::new(),
            description: None,
            permissions_boundary: None,
        };
        assert_eq!(trusted_principal(&role, Partition::AwsCn).as_str(), "ssm.amazonaws.com.cn");
        assert_eq!(trusted_principal(&role, Partition::Aws).as_str(), "ssm.amazonaws.com");
    }
}
