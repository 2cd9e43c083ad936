//! What a single pass aims at: everything that is declared, or one account, one region or one role of it.
//!
//! What is aimed at keeps what it stands on: a setting its role, both their account. Everything else is left out as if the
//! document did not manage it.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::expand::Want;
use crate::desired::names::{Account, InvalidName, Region};
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
        /// Its id, its name, or `own`.
        account: String,
        /// What of it.
        part: AccountPart,
    },
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
        let (account, part) = match text.rsplit_once('/') {
            None => (text, AccountPart::Whole),
            Some((account, "role")) => (account, AccountPart::Role),
            Some((account, region)) => (account, AccountPart::Region(region.parse()?)),
        };
        if account.is_empty() {
            return Err(InvalidName("a target is ACCOUNT, ACCOUNT/REGION or ACCOUNT/role".to_owned()));
        }
        Ok(Self::Account { account: account.to_owned(), part })
    }
}

impl Aim {
    /// What of an account is aimed at; `None`: nothing.
    #[must_use]
    pub fn part(&self, account: Account, name: Option<&str>) -> Option<&AccountPart> {
        match self {
            Self::Everything => Some(&AccountPart::Whole),
            Self::Account { account: aimed, part } => {
                (*aimed == account.to_string() || Some(aimed.as_str()) == name).then_some(part)
            }
        }
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

    #[test]
    fn a_target_is_an_account_or_something_of_one() {
        let of = |part| Ok(Aim::Account { account: "shop".to_owned(), part });
        assert_eq!("shop".parse::<Aim>(), of(AccountPart::Whole));
        assert_eq!("shop/role".parse::<Aim>(), of(AccountPart::Role));
        assert_eq!("shop/eu-west-1".parse::<Aim>(), of(AccountPart::Region("eu-west-1".parse().unwrap())));
        for text in ["", "/role", "shop/", "shop/EU", "shop/eu_west"] {
            assert!(text.parse::<Aim>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_account_is_aimed_at_by_its_id_or_its_name() {
        let id = Account::Id("111122223333".parse().unwrap());
        let aim = |text: &str| text.parse::<Aim>().unwrap();
        assert_eq!(aim("111122223333").part(id, Some("shop")), Some(&AccountPart::Whole));
        assert_eq!(aim("shop/role").part(id, Some("shop")), Some(&AccountPart::Role));
        assert_eq!(aim("shop").part(id, None), None);
        assert_eq!(aim("own").part(Account::Own, None), Some(&AccountPart::Whole));
        assert_eq!(Aim::Everything.part(id, None), Some(&AccountPart::Whole));
    }
}
