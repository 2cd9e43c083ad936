//! Which of the roles that settings name is the document's: it can name one an account.
//!
//! One that serves comes before one that does not, because a region that names a broken role cannot be said to be as declared;
//! then the one that most regions name.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::oddity::OddityKind;
use super::scalar::shown;
use super::seen::{SeenAccount, SeenRegion, SeenRole, role_named_by, trust_in_systems_manager};
use crate::desired::names::{RoleName, RolePath};
use crate::desired::{DEFAULT_ROLE_NAME, DEFAULT_ROLE_PATH};
use crate::observed::Update;
use crate::plan::Rival;
use crate::plan::trust_policy::Trust;

/// The role that the document names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    /// The settings' value.
    pub(super) value: &'a str,
    /// Where the value says that it is.
    pub(super) path: RolePath,
    /// Its name.
    pub(super) name: RoleName,
    /// How it stands.
    pub(super) standing: Standing<'a>,
    /// Whose it is, if it is another tool's.
    pub(super) rival: Option<Rival>,
}

/// How a role that settings name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing<'a> {
    /// It serves, and the value is the right one for it.
    Ready,
    /// It is not there.
    Missing,
    /// It does not let Systems Manager assume it.
    NotTrusting(Trust),
    /// The value is not the one that means this role.
    Misspelt,
    /// Nobody could look; the text says why.
    Unread(&'a str),
}

impl Standing<'_> {
    /// What is wrong, as the end of "the role ...". `None`: nothing.
    pub(super) fn wrong(self) -> Option<(OddityKind, String)> {
        match self {
            Self::Ready => None,
            Self::Missing => Some((OddityKind::RoleMissing, "does not exist".to_owned())),
            Self::NotTrusting(Trust::Denied) => {
                Some((OddityKind::TrustPolicy, "has a Deny in its trust policy that shuts out Systems Manager".to_owned()))
            }
            Self::NotTrusting(_) => {
                Some((OddityKind::TrustPolicy, "does not let Systems Manager assume it, by its trust policy".to_owned()))
            }
            Self::Misspelt => {
                Some((OddityKind::SettingValue, "exists, at another path or in another spelling than the setting's".to_owned()))
            }
            Self::Unread(why) => Some((OddityKind::RoleUnread, format!("could not be read: {}", shown(why)))),
        }
    }
}

/// Chooses the role. `None`: no setting names one.
pub(super) fn choose(seen: &SeenAccount) -> Option<Choice<'_>> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for value in settled_values(seen) {
        *named.entry(value).or_default() += 1;
    }
    let candidates = named.into_iter().filter_map(|(value, regions)| {
        let (path, name) = role_named_by(value)?;
        let standing = standing(seen, value, seen.roles.get(name.as_str()));
        Some((regions, Choice { value, path, name, standing, rival: Rival::of_setting(value) }))
    });
    let first = candidates.min_by_key(|(regions, one)| {
        let is_default = one.name.as_str() == DEFAULT_ROLE_NAME && one.path.as_str() == DEFAULT_ROLE_PATH;
        (one.standing != Standing::Ready, Reverse(*regions), one.rival.is_some(), !is_default, one.value)
    });
    first.map(|(_, choice)| choice)
}

/// What is odd about a region that names another role than the document's: that, or what is worse.
pub(super) fn of_another_role(seen: &SeenAccount, value: &str, choice: Option<&Choice<'_>>) -> (OddityKind, String) {
    let whose = if Rival::of_setting(value).is_some() { " (AWS Quick Setup's)" } else { "" };
    let standing = match role_named_by(value) {
        Some((_, name)) => standing(seen, value, seen.roles.get(name.as_str())).wrong(),
        None => Some((OddityKind::SettingValue, "cannot be the name of a role".to_owned())),
    };
    let (kind, wrong) = match standing {
        // Why is told of the role.
        Some((OddityKind::RoleUnread, _)) => (OddityKind::OtherRole, ", which could not be read".to_owned()),
        Some((kind, what)) => (kind, format!(", which {what}")),
        None => (OddityKind::OtherRole, String::new()),
    };
    let instead = choice.map(|choice| format!("; `enabled` would have it name `{}`", shown(choice.value))).unwrap_or_default();
    (kind, format!("names another role, `{}`{whose}{wrong}{instead}", shown(value)))
}

/// The values of the settings that AWS has done with.
fn settled_values(seen: &SeenAccount) -> impl Iterator<Item = &str> {
    seen.regions.values().filter_map(|region| match region {
        SeenRegion::Read(setting) if setting.update == Update::Settled => setting.value.as_deref(),
        _ => None,
    })
}

fn standing<'a>(seen: &SeenAccount, value: &str, role: Option<&'a SeenRole>) -> Standing<'a> {
    match role {
        Some(SeenRole::Found(role)) => match trust_in_systems_manager(role, seen.identity.partition) {
            Trust::Granted if role.setting_value() == value => Standing::Ready,
            Trust::Granted => Standing::Misspelt,
            trust => Standing::NotTrusting(trust),
        },
        Some(SeenRole::Missing) => Standing::Missing,
        Some(SeenRole::Unread(why)) => Standing::Unread(why),
        None => Standing::Unread("nobody looked"),
    }
}
