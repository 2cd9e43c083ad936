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

/// What comes of a [`doubt`]: behind it stands what to do.
pub const NOTHING_WRITTEN: &str = "; nothing is written: ";

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
    if let Some(why) = doubt(account, before, partition, &identity) {
        let outcome =
            Outcome { state: State::Blocked, reason: Some(why), next: Next::Retry(Retry::Slow), ..verified(account, &identity) };
        return (outcome, Finding::Wrong);
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

/// Why credentials are not those for an account, and what to do. `before` is the account that an earlier look found, `partition`
/// that of the document's regions.
#[must_use]
pub fn doubt(account: Account, before: Option<AccountId>, partition: Option<Partition>, identity: &Identity) -> Option<String> {
    let Identity { account: found, arn, .. } = identity;
    match (account, before) {
        (Account::Id(id), _) if id != *found => Some(format!(
            "the document is for account {id}, the credentials are of account {found} ({arn}){NOTHING_WRITTEN}give the controller \
             credentials of account {id}, declare `assumeRole` for it, or correct the id"
        )),
        (Account::Own, Some(id)) if id != *found => Some(format!(
            "the credentials were of account {id} and are now of account {found} ({arn}){NOTHING_WRITTEN}restart the controller if \
             that is meant, and name the account in `spec.account`"
        )),
        _ => partition.filter(|there| *there != identity.partition).map(|there| {
            format!(
                "the document's regions are in partition {there}, the credentials are of partition {} ({arn}){NOTHING_WRITTEN}give \
                 the controller credentials of partition {there}, or correct the regions",
                identity.partition
            )
        }),
    }
}
