//! The operations: all of them only look.

use serde_json::json;

use super::page::Start;
use super::refusal::{Invalid, no_account, no_parent};
use super::{own, trusted, view};
use crate::organization::{Organization, Parent};
use crate::services::Context;
use crate::wire::answer::Answer;
use crate::wire::error::ServiceError;

/// The one operation for every account of an organization, says the API reference.
pub(super) fn organization(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let organization = own(call)?;
    Ok(Answer::Json(json!({"Organization": view::organization(&organization)})))
}

pub(super) fn roots(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let (organization, start) = (trusted(call)?, Start::read(call)?);
    let root = organization.parent(&organization.root).filter(|root| *root.id > *start.after);
    let roots = root.into_iter().map(|root| (root.id.to_string(), view::root(&organization, root)));
    Ok(Answer::Json(start.page("Roots", roots)))
}

pub(super) fn accounts(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let (organization, start) = (trusted(call)?, Start::read(call)?);
    let after = start.after.clone();
    let accounts = organization.accounts(&after);
    let shown = accounts.map(|account| (account.id.clone(), view::account(&organization, &account, call.knobs)));
    Ok(Answer::Json(start.page("Accounts", shown)))
}

pub(super) fn accounts_for_parent(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let (organization, start) = (trusted(call)?, Start::read(call)?);
    let (parent, after) = (parent(call, &organization)?, start.after.clone());
    let accounts = organization.accounts_below(parent, &after);
    let shown = accounts.map(|account| (account.id.clone(), view::account(&organization, &account, call.knobs)));
    Ok(Answer::Json(start.page("Accounts", shown)))
}

pub(super) fn units_for_parent(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let (organization, start) = (trusted(call)?, Start::read(call)?);
    let (parent, after) = (parent(call, &organization)?, start.after.clone());
    let units = organization.units_below(parent, &after);
    let shown = units.map(|unit| (unit.id.to_string(), view::unit(&organization, unit)));
    Ok(Answer::Json(start.page("OrganizationalUnits", shown)))
}

pub(super) fn account(call: &Context<'_>) -> Result<Answer, ServiceError> {
    let organization = trusted(call)?;
    let id = call.params.text("AccountId").ok_or(Invalid::Missing)?;
    if id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Invalid::Pattern.into());
    }
    let account = organization.account(id).ok_or_else(no_account)?;
    Ok(Answer::Json(json!({"Account": view::account(&organization, &account, call.knobs)})))
}

fn parent<'o>(call: &Context<'_>, organization: &'o Organization) -> Result<&'o Parent, ServiceError> {
    let id = call.params.text("ParentId").ok_or(Invalid::Missing)?;
    if !is_parent(id) {
        return Err(Invalid::Pattern.into());
    }
    organization.parent(id).ok_or_else(no_parent)
}

/// `r-` and 4 to 32 letters, or `ou-`, the same, and 8 to 32 more.
fn is_parent(id: &str) -> bool {
    let small = |text: &str, least: usize| {
        (least..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    match id.strip_prefix("ou-") {
        Some(rest) => rest.split_once('-').is_some_and(|(root, own)| small(root, 4) && small(own, 8)),
        None => id.strip_prefix("r-").is_some_and(|root| small(root, 4)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_roots_and_units_are_told_from_others() {
        for good in ["r-ab12", "ou-ab12-11111111"] {
            assert!(is_parent(good), "{good}");
        }
        for bad in ["", "r-", "r-abc", "r-AB12", "ou-ab12", "ou-ab12-1111111", "ou-ab12-11111111-1", "111122223333"] {
            assert!(!is_parent(bad), "{bad}");
        }
    }
}
