//! The account itself: whose credentials these are, and which regions are open. Nothing is written before this is known.

use std::collections::BTreeSet;

use tokio_util::sync::CancellationToken;

use crate::cloud::{Caller, Cloud, CloudError, Retry};
use crate::desired::access::Access;
use crate::desired::names::{Account, AccountId, Partition, Region};
use crate::observed::{AccountFacts, Identity, RegionAccess};
use crate::outcome::{Next, Outcome};
use crate::plan::Plan;
use crate::target::State;

/// Whether the account's list of regions is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionList {
    /// The document manages `otherRegions`.
    Needed,
    /// It names every region that it manages.
    NotNeeded,
}

/// What came of looking at an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It is the right one.
    Verified(AccountFacts),
    /// The credentials are of another account, or there are none for it: whatever was known of it no longer holds.
    Wrong,
    /// Nobody could tell; what was known before stays.
    Unread,
}

/// Verifies the account's identity and lists its regions. `None`: stopped.
///
/// `before` is the account that an earlier look found: credentials that turn into another account's are refused, even where
/// the document names none.
pub(super) async fn reconcile_account<C: Cloud>(
    cloud: &C,
    caller: &Caller,
    before: Option<AccountId>,
    partition: Option<Partition>,
    list: RegionList,
    stop: &CancellationToken,
) -> Option<(Outcome, Finding)> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        outcome = look(cloud, caller, before, partition, list) => Some(outcome),
    }
}

async fn look<C: Cloud>(
    cloud: &C,
    caller: &Caller,
    before: Option<AccountId>,
    partition: Option<Partition>,
    list: RegionList,
) -> (Outcome, Finding) {
    let account = caller.account;
    let identity = match cloud.identity(caller).await {
        Ok(identity) => identity,
        Err(error) => return unread(&error, caller),
    };
    match (account, before) {
        (Account::Id(id), _) if id != identity.account => return (wrong_account(id, &identity), Finding::Wrong),
        (Account::Own, Some(id)) if id != identity.account => return (changed_account(id, &identity), Finding::Wrong),
        _ => {}
    }
    if let Some(there) = partition.filter(|there| *there != identity.partition) {
        return (wrong_partition(account, there, &identity), Finding::Wrong);
    }
    match open_regions(cloud, caller, &identity, list).await {
        Ok(open_regions) => (verified(account, &identity), Finding::Verified(AccountFacts { identity, open_regions })),
        // The account is the right one all the same: the regions that the document names need no list.
        Err(error) => {
            let outcome = Outcome { state: State::Unknown, ..Outcome::unread(&error, desired(account)) };
            (outcome, Finding::Verified(AccountFacts { identity, open_regions: None }))
        }
    }
}

async fn open_regions<C: Cloud>(
    cloud: &C,
    caller: &Caller,
    identity: &Identity,
    list: RegionList,
) -> Result<Option<BTreeSet<Region>>, CloudError> {
    if list == RegionList::NotNeeded {
        return Ok(None);
    }
    let listed = cloud.regions(caller, identity.partition).await?;
    Ok(Some(listed.into_iter().filter(|one| one.access == RegionAccess::Open).map(|one| one.region).collect()))
}

/// A role that cannot be assumed is one look's business, not that of everything that stands on it.
fn unread(error: &CloudError, caller: &Caller) -> (Outcome, Finding) {
    let outcome = Outcome::unread(error, desired(caller.account));
    match (&caller.access, error.kind.retry()) {
        (Access::Assume(_), Retry::Slow) => (outcome, Finding::Wrong),
        _ => (outcome, Finding::Unread),
    }
}

fn desired(account: Account) -> String {
    match account {
        Account::Own => "credentials of any account".to_owned(),
        Account::Id(id) => format!("credentials of account {id}"),
    }
}

fn verified(account: Account, identity: &Identity) -> Outcome {
    Outcome::of_plan(&Plan::<()>::default(), desired(account), identity.arn.clone(), None)
}

fn wrong_account(id: AccountId, identity: &Identity) -> Outcome {
    let why = format!(
        "the document is for account {id}, the credentials are of account {} ({}); nothing is written: give the controller \
         credentials of account {id}, declare `assumeRole` for it, or correct the id",
        identity.account, identity.arn
    );
    refused(Account::Id(id), identity, why)
}

fn changed_account(id: AccountId, identity: &Identity) -> Outcome {
    let why = format!(
        "the credentials were of account {id} and are now of account {} ({}); nothing is written: restart the controller if \
         that is meant, and name the account in `spec.account`",
        identity.account, identity.arn
    );
    refused(Account::Own, identity, why)
}

fn wrong_partition(account: Account, there: Partition, identity: &Identity) -> Outcome {
    let why = format!(
        "the document's regions are in partition {there}, the credentials are of partition {} ({}); nothing is written: give the \
         controller credentials of partition {there}, or correct the regions",
        identity.partition, identity.arn
    );
    refused(account, identity, why)
}

fn refused(account: Account, identity: &Identity, why: String) -> Outcome {
    Outcome { state: State::Blocked, reason: Some(why), next: Next::Retry(Retry::Slow), ..verified(account, identity) }
}
