//! What a change is called: a digest of everything that is declared to be taken away.

use sha2::{Digest, Sha256};

use crate::desired::names::Account;
use crate::desired::{Declared, DesiredAccount, DesiredRole, DesiredSetting, Management, Mode, OtherPolicies, SettingState};

/// The digest of a change: of all that is said of the regions and the role of each account that something may be taken away
/// from. The accounts come in their order. Does not depend on what AWS has, so that it is the same after a restart half way.
#[must_use]
pub fn digest<'a>(accounts: impl IntoIterator<Item = (Account, &'a DesiredAccount)>) -> [u8; 5] {
    let mut hash = Sha256::new();
    for (account, desired) in accounts {
        let resets = desired.regions.values().any(|declared| resets(*declared)) || resets(desired.other_regions);
        if resets {
            hash.update(format!("resets in {account}\n"));
            for (region, declared) in &*desired.regions {
                hash.update(format!("{region} {}\n", word(*declared)));
            }
            hash.update(format!("other {}\n", word(desired.other_regions)));
        }
        if detaches(&desired.role) {
            hash.update(format!("detachments in {account}\nrole {}\n", desired.role.name));
            for policy in &desired.role.policies {
                hash.update(format!("policy {policy}\n"));
            }
        }
    }
    let mut first = [0; 5];
    first.iter_mut().zip(hash.finalize()).for_each(|(first, byte)| *first = byte);
    first
}

/// Whether a region is switched off by this.
#[must_use]
pub fn resets(declared: Declared) -> bool {
    matches!(declared, Declared::Managed(DesiredSetting { state: SettingState::Disabled, mode: Mode::Enforce }))
}

/// Whether policies are detached by this.
#[must_use]
pub fn detaches(role: &DesiredRole) -> bool {
    role.other_policies == OtherPolicies::Detach && role.management == Management::Managed && role.mode == Mode::Enforce
}

fn word(declared: Declared) -> &'static str {
    match declared {
        Declared::Unmanaged => "unmanaged",
        Declared::Managed(DesiredSetting { mode: Mode::Observe, .. }) => "observed",
        Declared::Managed(DesiredSetting { state: SettingState::Enabled, .. }) => "enabled",
        Declared::Managed(DesiredSetting { state: SettingState::Disabled, .. }) => "disabled",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::desired::{DesiredState, load};

    fn of(spec: &str) -> [u8; 5] {
        let text = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n");
        let state: DesiredState = load(text.as_bytes()).unwrap();
        digest(state.accounts.iter().map(|(account, desired)| (*account, &**desired)))
    }

    #[test]
    fn another_change_has_another_name() {
        let documents = [
            "{regions: {eu-west-1: disabled}}",
            "{regions: {eu-west-1: disabled, eu-west-2: disabled}}",
            "{regions: {eu-west-1: disabled, eu-west-2: enabled}}",
            "{regions: {eu-west-1: disabled}, otherRegions: disabled}",
            "{regions: {eu-west-1: enabled}, otherRegions: disabled}",
            "{regions: {eu-west-1: disabled}, account: '111122223333'}",
            "{regions: {eu-west-1: disabled}, role: {exclusivePolicies: true}}",
            "{regions: {eu-west-1: disabled}, role: {exclusivePolicies: true, policies: []}}",
            "{regions: {eu-west-1: disabled}, role: {exclusivePolicies: true, name: another}}",
        ];
        let names: BTreeSet<[u8; 5]> = documents.into_iter().map(of).collect();
        assert_eq!(names.len(), documents.len());
    }

    #[test]
    fn what_takes_nothing_away_is_no_part_of_the_name() {
        let plain = of("{regions: {eu-west-1: disabled}}");
        assert_eq!(of("{regions: {eu-west-1: disabled}, role: {description: other, tags: {a: b}}}"), plain);
        assert_eq!(of("{regions: {eu-west-1: disabled}, guard: {confirm: 2026-03-09-4f1c9a2b07}}"), plain);
        assert_eq!(of("{regions: {eu-west-1: enabled}}"), of("{regions: {eu-west-2: enabled}}"));
    }
}
