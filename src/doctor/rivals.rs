//! Who else manages the same settings: Quick Setup, by what it runs and what it leaves, and whoever changed a setting last. Pure.

use super::examined::{Association, QuickSetup};
use super::finding::{Check, Finding};
use crate::cloud::CloudError;
use crate::desired::names::{Region, RoleName};
use crate::desired::{DesiredSetting, SettingState};
use crate::observed::{Change, ObservedSetting};
use crate::plan::guard::author;
use crate::plan::rival::Rival;

/// What the document of Quick Setup's association is called, or begins with (user guide, Quick Setup for Default Host
/// Management).
const RUNBOOK: &str = "AWSQuickSetupType-EnableDHMC";
/// What the unified console calls its association (user guide, setting up Systems Manager for an organization).
const ASSOCIATION: &str = "EnableDHMCAssociation";
/// The types of Quick Setup that turn Default Host Management Configuration on (same guides).
const TYPES: [&str; 2] = ["AWSQuickSetupType-DHMC", "AWSQuickSetupType-SSM"];
/// Where there is Quick Setup for it (user guide). Elsewhere its endpoint may have no address.
const QUICK_SETUP_REGIONS: [&str; 16] = [
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-central-1",
    "eu-north-1",
    "ap-south-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-southeast-1",
    "ap-southeast-2",
];

/// Whether Quick Setup can be asked there.
#[must_use]
pub fn has_quick_setup(region: &Region) -> bool {
    QUICK_SETUP_REGIONS.contains(&region.as_str())
}

/// What a region shows of others.
#[derive(Debug)]
pub struct Sight<'a> {
    /// Where.
    pub region: &'a Region,
    /// What is declared.
    pub want: DesiredSetting,
    /// The role that is declared.
    pub role: &'a RoleName,
    /// The setting, where it could be read.
    pub setting: Option<&'a ObservedSetting>,
    /// State Manager's associations.
    pub associations: &'a Result<Vec<Association>, CloudError>,
    /// Quick Setup's configurations; `None`: there is no Quick Setup.
    pub quick_setups: Option<&'a Result<Vec<QuickSetup>, CloudError>>,
}

/// Judges one region. `own` is the ARN of the credentials for the account.
#[must_use]
pub fn judge(sight: &Sight<'_>, own: &str) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    match sight.associations {
        Ok(all) => found.extend(all.iter().filter(|one| manages(one)).map(|one| of_association(one, sight.want))),
        Err(error) => found.push(Finding::unchecked(Check::Rivals, error)),
    }
    match sight.quick_setups {
        Some(Ok(all)) => found.extend(all.iter().filter_map(|one| of_quick_setup(one, sight.want))),
        Some(Err(error)) => found.push(Finding::unchecked(Check::Rivals, error)),
        None => {}
    }
    if let Some(setting) = sight.setting {
        found.extend(of_value(setting, sight.role));
        found.extend(setting.changed.as_ref().and_then(|change| of_change(change, own)));
    }
    if found.is_empty() {
        found.push(Finding::ok(Check::Rivals, "nobody else is seen to manage the setting"));
    }
    found.into_iter().map(|finding| finding.in_regions([sight.region])).collect()
}

fn manages(association: &Association) -> bool {
    // Of a document that is shared, AWS tells the ARN.
    let document = association.document.rsplit('/').next().unwrap_or_default();
    let is_named = |name: &str| name.contains(ASSOCIATION) || name.contains(RUNBOOK);
    document.starts_with(RUNBOOK) || document == ASSOCIATION || association.name.as_deref().is_some_and(is_named)
}

fn of_association(association: &Association, want: DesiredSetting) -> Finding {
    let name = association.name.as_deref().unwrap_or(&association.document);
    about(want, &format!("the State Manager association {name} (document {}) turns the setting on", association.document))
}

fn of_quick_setup(setup: &QuickSetup, want: DesiredSetting) -> Option<Finding> {
    let kind = setup.types.iter().find(|kind| TYPES.contains(&kind.as_str()))?;
    Some(about(
        want,
        &format!("the Quick Setup configuration {} ({kind}) turns the setting on in the regions that it is for", setup.name),
    ))
}

/// Quick Setup leaves a setting alone that names a role, and turns on one that is unset (user guide): it undoes `disabled` only.
fn about(want: DesiredSetting, found: &str) -> Finding {
    const TURN_OFF: &str =
        "turn Default Host Management Configuration off in Quick Setup or in the unified console, or delete the association";
    match want.state {
        SettingState::Disabled => {
            Finding::warning(Check::Rivals, format!("{found} again each time that the controller turns it off"), TURN_OFF)
        }
        SettingState::Enabled => Finding::note(
            Check::Rivals,
            format!("{found}; it leaves a setting alone that names a role"),
            format!("leave it, or let one of the two manage the setting: {TURN_OFF}"),
        ),
    }
}

fn of_value(setting: &ObservedSetting, role: &RoleName) -> Option<Finding> {
    let value = setting.value.as_deref()?;
    let rival = Rival::of_setting(value).filter(|_| value.rsplit('/').next() != Some(role.as_str()))?;
    Some(Finding::warning(Check::Rivals, format!("the setting names {value}"), rival.to_string()))
}

/// Whoever changed it last is one more who may change it again.
fn of_change(change: &Change, own: &str) -> Option<Finding> {
    let by = author(Some(change)).filter(|by| without_session(by) != without_session(own))?;
    let when = change.at.map(|at| format!(" on {}", at.strftime("%Y-%m-%d"))).unwrap_or_default();
    Some(Finding::note(
        Check::Rivals,
        format!("the setting was last changed by {by}{when}"),
        "make sure that whoever this is does not go on changing it",
    ))
}

/// Every session of a role is the same role.
fn without_session(arn: &str) -> &str {
    if arn.contains(":assumed-role/") { arn.rsplit_once('/').map_or(arn, |(role, _)| role) } else { arn }
}

#[cfg(test)]
mod tests {
    use super::super::policies::tests::denied;
    use super::*;
    use crate::desired::Mode;
    use crate::doctor::finding::Level;
    use crate::observed::Update;

    const OWN: &str = "arn:aws:sts::111122223333:assumed-role/dhmc-controller/pod-1";

    struct Region1 {
        state: SettingState,
        setting: ObservedSetting,
        associations: Result<Vec<Association>, CloudError>,
        quick_setups: Result<Vec<QuickSetup>, CloudError>,
    }

    fn calm() -> Region1 {
        let setting = ObservedSetting { value: Some("service-role/R".to_owned()), update: Update::Settled, changed: None };
        Region1 { state: SettingState::Enabled, setting, associations: Ok(Vec::new()), quick_setups: Ok(Vec::new()) }
    }

    fn judged(of: &Region1) -> Vec<Finding> {
        let region = "eu-west-1".parse().unwrap();
        let role = "R".parse().unwrap();
        let want = DesiredSetting { state: of.state, mode: Mode::Enforce };
        let (setting, associations, quick_setups) = (Some(&of.setting), &of.associations, Some(&of.quick_setups));
        judge(&Sight { region: &region, want, role: &role, setting, associations, quick_setups }, OWN)
    }

    fn association(document: &str, name: Option<&str>) -> Association {
        Association { document: document.to_owned(), name: name.map(str::to_owned) }
    }

    #[test]
    fn where_nobody_else_is_nobody_is_named() {
        let others = Ok(vec![association("AWS-GatherSoftwareInventory", Some("inventory"))]);
        let found = judged(&Region1 { associations: others, ..calm() });
        assert_eq!(found.iter().map(|finding| finding.level).collect::<Vec<_>>(), [Level::Ok]);
    }

    #[test]
    fn quick_setups_association_is_known_by_its_document_or_its_name() {
        for (document, name) in [
            ("AWSQuickSetupType-EnableDHMC", None),
            ("AWSQuickSetupType-EnableDHMC-ab12c", Some("AWS-QuickSetup-DHMC")),
            ("arn:aws:ssm:eu-west-1:aws:document/AWSQuickSetupType-EnableDHMC", None),
            ("AWSQuickSetupType-SSM-Runbook", Some("EnableDHMCAssociation")),
        ] {
            let seen = |state| {
                let associations = Ok(vec![association(document, name)]);
                judged(&Region1 { state, associations, ..calm() })[0].level
            };
            assert_eq!(seen(SettingState::Enabled), Level::Note, "{document}: it leaves alone what is set");
            assert_eq!(seen(SettingState::Disabled), Level::Warning, "{document}: it turns on what is declared off");
        }
    }

    #[test]
    fn of_quick_setups_configurations_those_that_turn_it_on_count() {
        let setup = |kind: &str| QuickSetup { name: "all-hosts".to_owned(), types: vec![kind.to_owned()] };
        let levels = |kind: &str| {
            let found = judged(&Region1 { quick_setups: Ok(vec![setup(kind)]), state: SettingState::Disabled, ..calm() });
            found.iter().map(|finding| finding.level).collect::<Vec<_>>()
        };
        assert_eq!(levels("AWSQuickSetupType-DHMC"), [Level::Warning]);
        assert_eq!(levels("AWSQuickSetupType-SSM"), [Level::Warning]);
        assert_eq!(levels("AWSQuickSetupType-PatchPolicy"), [Level::Ok]);
    }

    #[test]
    fn a_role_of_quick_setup_in_the_setting_is_a_rivals() {
        let value = Some("AWS-QuickSetup-SSM-DefaultEC2MgmtRole-eu-west-1".to_owned());
        let found = judged(&Region1 { setting: ObservedSetting { value, ..calm().setting }, ..calm() });
        assert_eq!(found[0].level, Level::Warning);
    }

    #[test]
    fn whoever_changed_it_last_is_named_unless_it_was_the_controller() {
        let changed = |by: &str| {
            let at = Some("2026-11-01T00:00:00Z".parse().unwrap());
            let setting = ObservedSetting { changed: Some(Change { by: by.to_owned(), at }), ..calm().setting };
            judged(&Region1 { setting, ..calm() }).remove(0)
        };
        assert_eq!(changed("System").level, Level::Ok);
        assert_eq!(changed("arn:aws:sts::111122223333:assumed-role/dhmc-controller/pod-0").level, Level::Ok);
        let alice = changed("arn:aws:sts::111122223333:assumed-role/Administrator/alice");
        assert_eq!(alice.level, Level::Note);
        assert!(alice.found.ends_with("Administrator/alice on 2026-11-01"), "{}", alice.found);
    }

    #[test]
    fn what_cannot_be_asked_is_told_and_the_rest_is_judged() {
        let found = judged(&Region1 {
            associations: Err(denied("ssm:ListAssociations")),
            quick_setups: Err(denied("ssm-quicksetup:ListConfigurationManagers")),
            setting: ObservedSetting { changed: Some(Change { by: "alice".to_owned(), at: None }), ..calm().setting },
            ..calm()
        });
        let levels: Vec<Level> = found.iter().map(|finding| finding.level).collect();
        assert_eq!(levels, [Level::Unchecked, Level::Unchecked, Level::Note]);
    }
}
