//! What a change is called: a digest of everything that is declared to be taken away.

use std::fmt::Debug;

use sha2::{Digest, Sha256};

use crate::desired::levels::Level;
use crate::desired::organization::DesiredOrganization;
use crate::desired::{Declared, DesiredRole, DesiredSetting, DesiredState, Management, Mode, OtherPolicies, SettingState};

/// The digest of a change: of all that the desired state says of regions and policies, wherever it takes something away.
///
/// Depends on nothing that AWS tells, so that it is the same after a restart half way, while an account cannot be read, and
/// whoever joins the organization.
#[must_use]
pub fn digest(desired: &DesiredState) -> [u8; 5] {
    let mut hash = Sha256::new();
    let mut add = |what: &dyn Debug| hash.update(format!("{what:?}\n"));
    for (account, wanted) in &desired.accounts {
        if wanted.regions.values().any(|declared| resets(*declared)) || resets(wanted.other_regions) {
            add(&("resets", account, &wanted.regions, wanted.other_regions));
        }
        if detaches(&wanted.role) {
            add(&("detachments", account, &wanted.role.name, &wanted.role.policies));
        }
    }
    if let Some(organization) = desired.organization.as_deref().filter(|organization| takes_away(organization)) {
        add(&("organization", &organization.include, &organization.exclude));
        for level in levels(organization) {
            let role = &level.role;
            add(&(level.mode, &level.regions, level.other_regions, &role.name, &role.policies, role.other_policies, role.mode));
        }
        add(&organization.overrides.iter().map(|one| &one.whom).collect::<Vec<_>>());
    }
    first_of(hash)
}

/// The digest of a part of a change, where only that part is counted and made.
#[must_use]
pub fn digest_of_part(whole: [u8; 5], part: &str) -> [u8; 5] {
    let mut hash = Sha256::new();
    hash.update(whole);
    hash.update(part);
    first_of(hash)
}

fn first_of(hash: Sha256) -> [u8; 5] {
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

fn levels(organization: &DesiredOrganization) -> impl Iterator<Item = &Level> {
    [&organization.defaults].into_iter().chain(organization.overrides.iter().map(|one| &one.level))
}

/// Whether any level says so, whatever mode it comes to for an account.
fn takes_away(organization: &DesiredOrganization) -> bool {
    levels(organization).any(|level| {
        let regions = level.regions.values().chain(&level.other_regions);
        regions.into_iter().any(|region| region.state == Some(SettingState::Disabled))
            || level.role.other_policies == Some(OtherPolicies::Detach)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::desired::load;

    fn of(spec: &str) -> [u8; 5] {
        let text = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n");
        digest(&load(text.as_bytes()).unwrap())
    }

    fn differ(documents: &[&str]) {
        let names: BTreeSet<[u8; 5]> = documents.iter().map(|spec| of(spec)).collect();
        assert_eq!(names.len(), documents.len());
    }

    #[test]
    fn another_change_has_another_name() {
        differ(&[
            "{regions: {eu-west-1: disabled}}",
            "{regions: {eu-west-1: disabled, eu-west-2: disabled}}",
            "{regions: {eu-west-1: disabled, eu-west-2: enabled}}",
            "{regions: {eu-west-1: disabled}, otherRegions: disabled}",
            "{regions: {eu-west-1: enabled}, otherRegions: disabled}",
            "{regions: {eu-west-1: disabled}, account: '111122223333'}",
            "{regions: {eu-west-1: disabled}, role: {exclusivePolicies: true}}",
            "{regions: {eu-west-1: disabled}, role: {exclusivePolicies: true, policies: []}}",
            "{regions: {eu-west-1: disabled}, role: {exclusivePolicies: true, name: another}}",
        ]);
    }

    #[test]
    fn another_change_of_an_organization_has_another_name_as_well() {
        let organization = "organization: {assumeRole: {name: a}";
        differ(&[
            &format!("{{regions: {{eu-west-1: enabled}}, {organization}}}}}"),
            &format!("{{regions: {{eu-west-1: disabled}}, {organization}}}}}"),
            &format!("{{mode: observe, regions: {{eu-west-1: disabled}}, {organization}}}}}"),
            &format!("{{regions: {{eu-west-1: disabled}}, {organization}, exclude: {{accounts: ['111122223333']}}}}}}"),
            &format!(
                "{{regions: {{eu-west-1: enabled}}, {organization}, overrides: [{{accounts: ['111122223333'], otherRegions: disabled}}]}}}}"
            ),
            &format!(
                "{{regions: {{eu-west-1: enabled}}, {organization}, overrides: [{{accounts: ['222233334444'], otherRegions: disabled}}]}}}}"
            ),
        ]);
    }

    #[test]
    fn what_takes_nothing_away_is_no_part_of_the_name() {
        let plain = of("{regions: {eu-west-1: disabled}}");
        assert_eq!(of("{regions: {eu-west-1: disabled}, role: {description: other, tags: {a: b}}}"), plain);
        assert_eq!(of("{regions: {eu-west-1: disabled}, guard: {confirm: 2026-03-09-070809-4f1c9a2b07}}"), plain);
        assert_eq!(of("{regions: {eu-west-1: enabled}}"), of("{regions: {eu-west-2: enabled}}"));
    }
}
