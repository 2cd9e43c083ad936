//! Document -> desired state: what the values mean together, and what applies where nothing is written.
//!
//! Finds every problem rather than the first. A value that fails is replaced by its default, so that the rest is still
//! judged; no such state leaves [`super::load`], because the problem is there. Each part of a document has a file of its
//! own; what is declared at several levels is judged where it is written, so that a mistake is told once however many
//! accounts inherit it.

mod accounts;
mod arns;
mod level;
mod organization;
mod role;
mod tags;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::access::Access;
use super::document::{AccountBlock, Document, LevelBlock, OrganizationBlock, Spec};
use super::fields::Written;
use super::levels::settle;
use super::merge::Claims;
use super::names::{Account, AccountId, Partition};
use super::problems::{Place, Problem, Quoted};
use super::{DesiredAccount, DesiredState, Management};
use arns::{Owners, Recipients};

/// The name of a document that does not say its own.
const DEFAULT_NAME: &str = "default";
/// As long as the name of a Kubernetes object may be.
const LONGEST_NAME: usize = 253;

/// The desired state that a document declares, and what it claims by that. Of use only if no problem was found.
pub(super) fn validate(document: Document, problems: &mut Vec<Problem>) -> Option<(DesiredState, Claims)> {
    let name = document.name.map_or_else(|| DEFAULT_NAME.to_owned(), |name| checked_name(name, problems));
    let mut spec = document.spec?;
    let guard = spec.guard.take();
    let (state, claims) = if spec.accounts.is_none() && spec.organization.is_none() {
        one_account(name, spec, problems)
    } else {
        several_accounts(name, spec, problems)
    };
    let claims = Claims { guard: guard.as_ref().map(|guard| guard.place.clone()), ..claims };
    Some((DesiredState { guard: guard.map(|block| block.guard).unwrap_or_default(), ..state }, claims))
}

fn checked_name(name: Written<String>, problems: &mut Vec<Problem>) -> String {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    let closed = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let text = &name.value;
    let well_formed = text.chars().all(allowed) && closed(text.chars().next()) && closed(text.chars().last());
    if !well_formed || text.len() > LONGEST_NAME {
        let message = format!("{} is not a name", Quoted(text));
        problems.push(Problem::new(&name.place, message).help("use lower-case letters, digits, `-` and `.`, such as production"));
    }
    name.value
}

/// A document of the one account that the controller's own credentials are of.
fn one_account(name: String, spec: Spec, problems: &mut Vec<Problem>) -> (DesiredState, Claims) {
    if !spec.level.declares_regions() {
        let problem = Problem::new(&spec.place, "nothing is declared");
        problems.push(problem.help("add regions, such as `regions: { eu-west-1: enabled }`, or otherRegions"));
    }
    let id = spec.account.as_ref().map(|account| account.value);
    let partition = level::one_partition([&spec.level], problems);
    let claims = Claims {
        own: Some((id, spec.account.as_ref().map_or(&spec.place, |account| &account.place).clone())),
        listed: spec.account.into_iter().map(|account| (account.value, account.place)).collect(),
        partition,
        ..Claims::default()
    };
    let around = level::Surroundings {
        partition: claims.partition(),
        inherited: None,
        owners: Owners::alike(id.map_or(Recipients::Unknown, Recipients::one)),
    };
    let level = level::validate(spec.level, &around, problems);
    let account = DesiredAccount::new(None, Access::Own, settle(&[&level]));
    let accounts = BTreeMap::from([(id.map_or(Account::Own, Account::Id), Arc::new(account))]);
    (DesiredState { name, accounts, ..DesiredState::default() }, claims)
}

/// A document of the accounts that it lists, and of those that the organization tells of.
fn several_accounts(name: String, spec: Spec, problems: &mut Vec<Problem>) -> (DesiredState, Claims) {
    if let Some(account) = &spec.account {
        let problem = Problem::new(&account.place, "cannot be written beside accounts or organization");
        problems.push(problem.help("list it under accounts, and leave this out"));
    }
    let listed = spec.accounts.unwrap_or_default();
    let claims = claims(&spec.level, &listed, spec.organization.as_ref(), problems);
    let above = Above {
        partition: claims.partition(),
        management: spec.level.role.management.as_ref().map(|management| management.value),
        declares_regions: spec.level.declares_regions(),
    };
    let around = level::Surroundings {
        partition: above.partition,
        inherited: None,
        owners: accounts::heirs(&listed, spec.organization.as_ref()),
    };
    let defaults = level::validate(spec.level, &around, problems);
    let accounts = accounts::validate(listed, &defaults, &above, problems);
    let organization = spec
        .organization
        .map(|organization| Arc::new(organization::validate(organization, defaults, &above, &claims.listed, problems)));
    (DesiredState { name, accounts, organization, ..DesiredState::default() }, claims)
}

fn claims(
    spec: &LevelBlock,
    listed: &[AccountBlock],
    organization: Option<&OrganizationBlock>,
    problems: &mut Vec<Problem>,
) -> Claims {
    let overrides = organization.into_iter().flat_map(|organization| &organization.overrides);
    let blocks = [spec].into_iter().chain(listed.iter().map(|account| &account.level));
    Claims {
        own: accounts::check_own(listed, problems),
        listed: accounts::ids(listed, problems),
        organization: organization.map(|organization| organization.place.clone()),
        selected: organization.map(organization::selected).unwrap_or_default(),
        partition: level::one_partition(blocks.chain(overrides.map(|one| &one.level)), problems),
        guard: None,
    }
}

/// What `spec` says to whom it holds beneath.
struct Above {
    /// Where the document's regions are, or else its ARNs.
    partition: Option<Partition>,
    /// `spec.role.management`
    management: Option<Management>,
    /// Whether every account has something declared by that.
    declares_regions: bool,
}

/// Where each account is listed first.
type ListedIds = BTreeMap<AccountId, Place>;

/// Names an earlier place: "line 7".
fn line_of(place: &Place) -> String {
    place.position.map_or_else(|| place.path.clone(), |position| format!("line {}", position.line))
}
