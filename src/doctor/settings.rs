//! Whether the regions that are managed are open to the account, answer, and let their setting be read. Pure.

use super::finding::{Check, Finding};
use crate::cloud::CloudError;
use crate::desired::names::Region;
use crate::observed::{ListedRegion, ObservedSetting, RegionAccess};
use crate::reconcile::account::RegionList;

/// Where a region stands, by the account's list.
#[must_use]
pub fn access(listed: &Result<Vec<ListedRegion>, CloudError>, region: &Region) -> Option<RegionAccess> {
    let listed = listed.as_ref().ok()?;
    Some(listed.iter().find(|one| one.region == *region).map_or(RegionAccess::Closed, |one| one.access))
}

/// Judges the list of the account's regions, and those regions that the document names.
#[must_use]
pub fn judge_regions(listed: &Result<Vec<ListedRegion>, CloudError>, needed: RegionList, named: &[&Region]) -> Vec<Finding> {
    let open = match (listed, needed) {
        (Ok(listed), _) => listed.iter().filter(|one| one.access == RegionAccess::Open).count(),
        (Err(error), RegionList::Needed) => return vec![Finding::unread(Check::Regions, error)],
        (Err(error), RegionList::NotNeeded) => return vec![Finding::unchecked(Check::Regions, error)],
    };
    let mut found: Vec<Finding> = named.iter().filter_map(|region| closed(access(listed, region)?, region)).collect();
    if found.is_empty() {
        found.push(Finding::ok(
            Check::Regions,
            format!("{open} regions are open to the account, and all that the document names"),
        ));
    }
    found
}

fn closed(access: RegionAccess, region: &Region) -> Option<Finding> {
    let finding = match access {
        RegionAccess::Open => return None,
        RegionAccess::Opening => Finding::warning(
            Check::Regions,
            "is still being enabled for the account",
            "wait: it takes minutes to hours, and the controller goes on by itself then",
        ),
        RegionAccess::Closing => {
            Finding::problem(Check::Regions, "is being disabled for the account", "take the region out of the document")
        }
        RegionAccess::Closed => Finding::problem(
            Check::Regions,
            "is not open to the account",
            "enable the region for the account, or take it out of the document",
        ),
    };
    Some(finding.in_regions([region]))
}

/// Judges one region's setting.
#[must_use]
pub fn judge_setting(region: &Region, setting: &Result<ObservedSetting, CloudError>) -> Finding {
    let finding = match setting {
        Ok(_) => Finding::ok(Check::Settings, "Systems Manager answers, and the setting can be read"),
        Err(error) => Finding::unread(Check::Settings, error),
    };
    finding.in_regions([region])
}

#[cfg(test)]
mod tests {
    use super::super::policies::tests::denied;
    use super::*;
    use crate::doctor::finding::Level;

    fn region(name: &str) -> Region {
        name.parse().unwrap()
    }

    fn listed(of: &[(&str, RegionAccess)]) -> Vec<ListedRegion> {
        of.iter().map(|(name, access)| ListedRegion { region: region(name), access: *access }).collect()
    }

    #[test]
    fn a_region_that_is_named_and_not_open_is_a_problem() {
        let listed = Ok(listed(&[
            ("us-east-1", RegionAccess::Open),
            ("af-south-1", RegionAccess::Closed),
            ("ap-east-1", RegionAccess::Opening),
        ]));
        let levels = |names: &[&str]| {
            let regions: Vec<Region> = names.iter().map(|name| region(name)).collect();
            let found = judge_regions(&listed, RegionList::NotNeeded, &regions.iter().collect::<Vec<_>>());
            found.iter().map(|finding| finding.level).collect::<Vec<_>>()
        };
        assert_eq!(levels(&["us-east-1"]), [Level::Ok]);
        assert_eq!(levels(&["us-east-1", "af-south-1", "ap-east-1"]), [Level::Problem, Level::Warning]);
        assert_eq!(levels(&["mx-central-1"]), [Level::Problem], "one that is not listed is not open");
    }

    #[test]
    fn a_list_that_is_denied_is_a_problem_only_to_who_needs_it() {
        let level = |needed| judge_regions(&Err(denied("account:ListRegions")), needed, &[])[0].level;
        assert_eq!(level(RegionList::Needed), Level::Problem);
        assert_eq!(level(RegionList::NotNeeded), Level::Unchecked);
    }
}
