//! Other tools that manage the same setting, recognised by what they leave behind.

use std::fmt;

/// Quick Setup gives each region a role of its own, at path `/` (`AWSQuickSetupEnableDHMCExecutionPolicy`).
const QUICK_SETUP_ROLE: &str = "AWS-QuickSetup-SSM-DefaultEC2MgmtRole-";

/// Another tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// AWS Systems Manager Quick Setup.
    QuickSetup,
}

impl Rival {
    /// By the role that a setting names, as path + name without the leading slash.
    #[must_use]
    pub fn of_setting(value: &str) -> Option<Self> {
        let name = value.rsplit('/').next()?;
        name.starts_with(QUICK_SETUP_ROLE).then_some(Self::QuickSetup)
    }
}

/// Tells what it is, and what to turn off. Quick Setup writes where the setting is unset, again at each of its drift
/// remediations, which are 1 to 31 days apart (user guide, setting up Systems Manager for an organization); its association
/// and what it is called are from the same guide.
impl fmt::Display for Rival {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::QuickSetup => f.write_str(
                "a role of AWS Quick Setup: turn Default Host Management Configuration off in its configuration \
                 (AWSQuickSetupType-DHMC, or the unified console's AWSQuickSetupType-SSM with its EnableDHMCAssociation), or it \
                 will set this again",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Drift, DriftKind};

    #[test]
    fn quick_setup_is_recognised_by_its_role_in_whichever_region_and_nothing_else_is() {
        for value in
            ["AWS-QuickSetup-SSM-DefaultEC2MgmtRole-eu-west-1", "some/path/AWS-QuickSetup-SSM-DefaultEC2MgmtRole-us-gov-west-1"]
        {
            assert_eq!(Rival::of_setting(value), Some(Rival::QuickSetup), "{value}");
        }
        for value in
            ["service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole", "", "AWS-QuickSetup-StackSet-Local-ExecutionRole"]
        {
            assert_eq!(Rival::of_setting(value), None, "{value}");
        }
    }

    #[test]
    fn drift_that_quick_setup_made_says_what_to_turn_off() {
        let role = "AWS-QuickSetup-SSM-DefaultEC2MgmtRole-eu-west-1";
        let told = Drift::new(DriftKind::SettingSet, role, "unset").to_string();
        assert!(told.contains("turn Default Host Management Configuration off"), "{told}");
        let ours = Drift::new(DriftKind::SettingUnset, "unset", role).to_string();
        assert!(!ours.contains("Quick Setup"), "what is declared is no rival's: {ours}");
    }
}
