//! From what a document says of an account, and what is known of the account, to its targets. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::account::RegionList;
use crate::desired::access::Access;
use crate::desired::names::Partition;
use crate::desired::regions::partition_of;
use crate::desired::{Declared, DesiredAccount, DesiredRole, DesiredSetting, SettingState};
use crate::observed::AccountFacts;
use crate::target::Resource;

/// What is wanted of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Want {
    /// That the account is the right one.
    Account {
        /// How it is reached.
        access: Access,
        /// Whether its regions are listed.
        list: RegionList,
        /// Where the document's regions are, if it names any.
        partition: Option<Partition>,
    },
    /// A role as declared.
    Role(Arc<DesiredRole>),
    /// A setting as declared.
    Setting(DesiredSetting),
}

/// The targets of one account. While its regions are not known, `otherRegions` yields none.
///
/// A role that no setting needs is not a target: a document that only disables regions creates nothing.
#[must_use]
pub fn expand(desired: &DesiredAccount, facts: Option<&AccountFacts>) -> BTreeMap<Resource, Want> {
    let mut wants = BTreeMap::new();
    let list = match desired.other_regions {
        Declared::Managed(_) => RegionList::Needed,
        Declared::Unmanaged => RegionList::NotNeeded,
    };
    let partition = desired_partition(desired);
    wants.insert(Resource::Account, Want::Account { access: desired.access.clone(), list, partition });
    if needs_role(desired) {
        wants.insert(Resource::Role, Want::Role(Arc::clone(&desired.role)));
    }
    for (region, declared) in &*desired.regions {
        if let Declared::Managed(setting) = declared {
            wants.insert(Resource::Setting(region.clone()), Want::Setting(*setting));
        }
    }
    if let Declared::Managed(setting) = desired.other_regions {
        let open = facts.and_then(|facts| facts.open_regions.as_ref()).into_iter().flatten();
        for region in open.filter(|region| !desired.regions.contains_key(*region)) {
            wants.insert(Resource::Setting(region.clone()), Want::Setting(setting));
        }
    }
    wants
}

/// Where the document's regions are, if it names any.
#[must_use]
pub fn desired_partition(desired: &DesiredAccount) -> Option<Partition> {
    desired.regions.keys().find_map(partition_of)
}

/// Whether any setting may have to point to the role.
#[must_use]
pub fn needs_role(desired: &DesiredAccount) -> bool {
    desired.regions.values().chain([&desired.other_regions]).copied().any(enables)
}

fn enables(declared: Declared) -> bool {
    matches!(declared, Declared::Managed(DesiredSetting { state: SettingState::Enabled, .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::names::{Account, Region};
    use crate::desired::{Mode, load};
    use crate::observed::Identity;

    fn desired(spec: &str) -> Arc<DesiredAccount> {
        let text = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n");
        Arc::clone(&load(text.as_bytes()).unwrap().accounts[&Account::Own])
    }

    fn facts(open: &[&str]) -> AccountFacts {
        let identity = Identity {
            account: "111122223333".parse().unwrap(),
            partition: "aws".parse().unwrap(),
            arn: "arn:aws:iam::111122223333:root".to_owned(),
        };
        AccountFacts { identity, open_regions: Some(open.iter().map(|name| name.parse().unwrap()).collect()) }
    }

    fn names(wants: &BTreeMap<Resource, Want>) -> Vec<String> {
        wants
            .keys()
            .map(|resource| match resource {
                Resource::Setting(region) => region.to_string(),
                other => other.kind().label().to_owned(),
            })
            .collect()
    }

    #[test]
    fn named_regions_are_targets_and_unmanaged_ones_are_not() {
        let desired = desired("{regions: {us-east-1: enabled, eu-west-1: disabled, sa-east-1: unmanaged}}");
        assert_eq!(names(&expand(&desired, None)), ["account", "role", "eu-west-1", "us-east-1"]);
    }

    #[test]
    fn other_regions_are_those_open_to_the_account_that_are_not_named() {
        let desired =
            desired("{regions: {us-east-1: disabled, sa-east-1: unmanaged}, otherRegions: {state: enabled, mode: observe}}");
        assert_eq!(names(&expand(&desired, None)), ["account", "role", "us-east-1"]);
        let wants = expand(&desired, Some(&facts(&["us-east-1", "sa-east-1", "eu-west-1"])));
        assert_eq!(names(&wants), ["account", "role", "eu-west-1", "us-east-1"]);
        let region: Region = "eu-west-1".parse().unwrap();
        let observed = DesiredSetting { state: SettingState::Enabled, mode: Mode::Observe };
        assert_eq!(wants[&Resource::Setting(region)], Want::Setting(observed));
    }

    #[test]
    fn a_document_that_only_disables_regions_has_no_role_to_create() {
        assert_eq!(names(&expand(&desired("{regions: {us-east-1: disabled}}"), None)), ["account", "us-east-1"]);
    }
}
