//! What a single pass aims at: everything that is declared, or one account, one region or one role of it.
//!
//! What is aimed at keeps what it stands on: a setting its role, both their account. Everything else is left out as if the
//! document did not manage it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::expand::Want;
use crate::desired::names::{Account, AccountId, InvalidName, Region};
use crate::desired::regions::partition_of;
use crate::desired::{DesiredSetting, SettingState};
use crate::target::Resource;

/// What a single pass aims at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Aim {
    /// Everything that is declared.
    #[default]
    Everything,
    /// Something of one account.
    Account {
        /// Which.
        account: AimedAccount,
        /// What of it.
        part: AccountPart,
    },
}

/// How a person says which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AimedAccount {
    /// `own`: that of the controller's own credentials.
    Own,
    /// Its id.
    Id(AccountId),
    /// Its name, where somebody has given it one that is neither an id nor `own`.
    Named(String),
}

/// Something of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountPart {
    /// All that is declared of it.
    Whole,
    /// Its role.
    Role,
    /// The setting of one region.
    Region(Region),
}

impl FromStr for Aim {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        // Names may have slashes, so that only what can be nothing else is a part.
        let part_of = |word: &str| match word {
            "role" => Some(AccountPart::Role),
            other => other.parse().ok().filter(|region| partition_of(region).is_some()).map(AccountPart::Region),
        };
        let divided = text.rsplit_once('/').and_then(|(account, word)| Some((account, part_of(word)?)));
        let (account, part) = divided.unwrap_or((text, AccountPart::Whole));
        if account.is_empty() {
            return Err(InvalidName("a target is ACCOUNT, ACCOUNT/REGION or ACCOUNT/role".to_owned()));
        }
        let account = match account.parse() {
            Ok(id) => AimedAccount::Id(id),
            Err(_) if account == Account::Own.to_string() => AimedAccount::Own,
            Err(_) => AimedAccount::Named(account.to_owned()),
        };
        Ok(Self::Account { account, part })
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Account { account, part } = self else { return f.write_str("everything") };
        match account {
            AimedAccount::Own => Account::Own.fmt(f)?,
            AimedAccount::Id(id) => id.fmt(f)?,
            AimedAccount::Named(name) => f.write_str(name)?,
        }
        match part {
            AccountPart::Whole => Ok(()),
            AccountPart::Role => f.write_str("/role"),
            AccountPart::Region(region) => write!(f, "/{region}"),
        }
    }
}

impl Aim {
    /// What of an account is aimed at; `None`: nothing.
    #[must_use]
    pub fn part(&self, account: Account, name: Option<&str>) -> Option<&AccountPart> {
        let Self::Account { account: aimed, part } = self else { return Some(&AccountPart::Whole) };
        let is_aimed_at = match (aimed, account) {
            (AimedAccount::Own, Account::Own) => true,
            (AimedAccount::Id(aimed), Account::Id(id)) => *aimed == id,
            (AimedAccount::Named(aimed), _) => Some(aimed.as_str()) == name,
            _ => false,
        };
        is_aimed_at.then_some(part)
    }
}

impl AccountPart {
    /// Leaves of the targets of an account what is aimed at, with what it stands on.
    pub(super) fn narrow(&self, wants: &mut BTreeMap<Resource, Want>) {
        let region = match self {
            Self::Whole => return,
            Self::Role => None,
            Self::Region(region) => Some(Resource::Setting(region.clone())),
        };
        let needs_role = region.as_ref().is_none_or(|setting| {
            matches!(wants.get(setting), Some(Want::Setting(DesiredSetting { state: SettingState::Enabled, .. })))
        });
        wants.retain(|resource, _| match resource {
            Resource::Role => needs_role,
            Resource::Setting(_) => region.as_ref() == Some(resource),
            Resource::Organization | Resource::Account => true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(text: &str) -> Aim {
        text.parse().unwrap()
    }

    #[test]
    fn a_target_is_an_account_or_something_of_one() {
        let of = |part| Aim::Account { account: AimedAccount::Named("team/shop".to_owned()), part };
        assert_eq!(aim("team/shop"), of(AccountPart::Whole));
        assert_eq!(aim("team/shop/role"), of(AccountPart::Role));
        assert_eq!(aim("team/shop/eu-west-1"), of(AccountPart::Region("eu-west-1".parse().unwrap())));
        for text in ["shop", "team/shop/role", "own", "111122223333/eu-west-1"] {
            assert_eq!(aim(text).to_string(), text);
        }
        for text in ["", "/role", "/eu-west-1"] {
            assert!(text.parse::<Aim>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_account_is_aimed_at_by_its_id_or_its_name_and_no_name_passes_for_an_id() {
        let id = Account::Id("111122223333".parse().unwrap());
        let other = Account::Id("222233334444".parse().unwrap());
        assert_eq!(aim("111122223333").part(id, Some("shop")), Some(&AccountPart::Whole));
        assert_eq!(aim("111122223333").part(other, Some("111122223333")), None);
        assert_eq!(aim("shop/role").part(id, Some("shop")), Some(&AccountPart::Role));
        assert_eq!(aim("shop").part(id, None), None);
        assert_eq!(aim("own").part(Account::Own, None), Some(&AccountPart::Whole));
        assert_eq!(aim("own").part(id, Some("own")), None);
        assert_eq!(Aim::Everything.part(id, None), Some(&AccountPart::Whole));
    }
}
