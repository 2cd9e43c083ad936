//! Organizations: which accounts there are, and in which units. Asked with the controller's own credentials.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use aws_config::{Region as SdkRegion, SdkConfig};
use aws_sdk_organizations::Client;
use aws_sdk_organizations::config::retry::RetryPartition;
use aws_sdk_organizations::types::{Account, AccountState, AccountStatus};

use super::attempts::CountAttempts;
use super::pages::Pages;
use super::{AwsCloud, Patience};
use crate::cloud::CloudError;
use crate::desired::names::{AccountId, UnitId};
use crate::desired::organization::{Member, Membership, Query, Scope};
use crate::operations::{LIST_ACCOUNTS, LIST_ACCOUNTS_OF_UNIT, LIST_UNITS_OF_UNIT};

type Members = BTreeMap<AccountId, Member>;

/// The accounts of the organization, as far as is asked.
pub(super) async fn members(aws: &AwsCloud, query: &Query) -> Result<Members, CloudError> {
    let region = aws.partition().await?.account_region();
    let count = || CountAttempts::new(aws.metrics.clone());
    let client = aws.organizations.get_or_init(|| client(&aws.config, region, aws.patience_of_lists, count()));
    let mut members = match query.scope {
        Scope::Everyone => everyone(aws, client).await?,
        Scope::Units => Members::new(),
    };
    for unit in &query.units {
        for account in beneath(aws, client, unit).await? {
            // An account that was moved here since everyone was listed is none to leave out.
            let Some((id, member)) = member(&account) else { continue };
            members.entry(id).or_insert(member).units.insert(unit.clone());
        }
    }
    Ok(members)
}

fn client(config: &SdkConfig, region: &'static str, patience: Patience, count: CountAttempts) -> Client {
    let builder = aws_sdk_organizations::config::Builder::from(config)
        .region(SdkRegion::from_static(region))
        .retry_config(patience.retries())
        // The SDK allows so many retries a service and process. Lists of two controllers in a process are not to use up each
        // other's.
        .retry_partition(RetryPartition::custom("lists").build())
        .timeout_config(patience.timeouts());
    Client::from_conf(builder.interceptor(count).build())
}

async fn everyone(aws: &AwsCloud, client: &Client) -> Result<Members, CloudError> {
    const OPERATION: &str = LIST_ACCOUNTS;
    let (mut members, mut pages) = (Members::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let page = aws.call_from_home(OPERATION, client.list_accounts().set_next_token(pages.token()).send()).await?;
        members.extend(page.accounts().iter().filter_map(member));
        pages.next = page.next_token.filter(|token| !token.is_empty());
    }
    Ok(members)
}

/// The accounts beneath a unit, nested units included.
async fn beneath(aws: &AwsCloud, client: &Client, top: &UnitId) -> Result<Vec<Account>, CloudError> {
    let (mut found, mut seen) = (Vec::new(), HashSet::new());
    let mut parents = vec![top.to_string()];
    while let Some(parent) = parents.pop() {
        if !seen.insert(parent.clone()) {
            continue;
        }
        found.extend(accounts_in(aws, client, &parent).await?);
        parents.extend(units_in(aws, client, &parent).await?);
    }
    Ok(found)
}

async fn accounts_in(aws: &AwsCloud, client: &Client, parent: &str) -> Result<Vec<Account>, CloudError> {
    const OPERATION: &str = LIST_ACCOUNTS_OF_UNIT;
    let (mut found, mut pages) = (Vec::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let request = client.list_accounts_for_parent().parent_id(parent).set_next_token(pages.token());
        let page = aws.call_from_home(OPERATION, request.send()).await.map_err(|error| about(error, parent))?;
        found.extend(page.accounts.unwrap_or_default());
        pages.next = page.next_token.filter(|token| !token.is_empty());
    }
    Ok(found)
}

async fn units_in(aws: &AwsCloud, client: &Client, parent: &str) -> Result<Vec<String>, CloudError> {
    const OPERATION: &str = LIST_UNITS_OF_UNIT;
    let (mut found, mut pages) = (Vec::new(), Pages::new(OPERATION));
    while pages.turn()? {
        let request = client.list_organizational_units_for_parent().parent_id(parent).set_next_token(pages.token());
        let page = aws.call_from_home(OPERATION, request.send()).await.map_err(|error| about(error, parent))?;
        found.extend(page.organizational_units.unwrap_or_default().into_iter().filter_map(|unit| unit.id));
        pages.next = page.next_token.filter(|token| !token.is_empty());
    }
    Ok(found)
}

/// AWS does not say which unit it means.
fn about(error: CloudError, parent: &str) -> CloudError {
    let advice = match error.code.as_deref() {
        Some("ParentNotFoundException") => ", which is not there: correct it in the document, or take it out",
        _ => "",
    };
    CloudError { message: format!("{} (unit {parent}{advice})", error.message), ..error }
}

/// An id that is none cannot be asked for anything; AWS never sends one.
fn member(account: &Account) -> Option<(AccountId, Member)> {
    let id = account.id()?.parse().ok()?;
    // `Status` is being replaced by `State` (Organizations API reference, data type Account); either may be missing.
    let is_active = match account.state() {
        Some(state) => *state == AccountState::Active,
        None => account.status() == Some(&AccountStatus::Active),
    };
    let membership = if is_active { Membership::Active } else { Membership::Suspended };
    Some((id, Member { name: Arc::from(account.name().unwrap_or_default()), membership, units: BTreeSet::new() }))
}
