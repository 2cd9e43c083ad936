//! Everything the sandbox knows: accounts, keys, knobs, faults, journal. Shared by the wire and the library's handles.
//! One short-held lock per account, so that accounts never wait for each other; no lock is held across an await.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

use crate::access::Granted;
use crate::fault::Faults;
use crate::identity::{Denial, DeniedBy};
use crate::journal::Journal;
use crate::keyring::Keyring;
use crate::knobs::Knobs;
use crate::organization::Organizations;
use crate::partition::{Partition, RegionStatus};
use crate::role_store::RoleStore;
use crate::setting::Settings;
use crate::upkeep::Upkeep;

/// The state behind every handle.
#[derive(Debug)]
pub(crate) struct World {
    accounts: RwLock<HashMap<String, Arc<Account>>>,
    pub(crate) keys: Keyring,
    pub(crate) organizations: RwLock<Organizations>,
    knobs: RwLock<Arc<Knobs>>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    /// Whether anybody was given a policy: until then no call pays for one.
    evaluates: AtomicBool,
    changes: watch::Sender<u64>,
}

impl World {
    pub(crate) fn new(knobs: Knobs) -> Self {
        Self {
            accounts: RwLock::default(),
            keys: Keyring::default(),
            organizations: RwLock::default(),
            knobs: RwLock::new(Arc::new(knobs)),
            faults: Faults::default(),
            journal: Journal::default(),
            evaluates: AtomicBool::new(false),
            changes: watch::Sender::new(0),
        }
    }

    /// The account, created in `partition` on first use, or in its organization's; later uses keep its first partition.
    pub(crate) fn account(&self, id: &str, partition: Partition) -> Arc<Account> {
        if let Some(known) = self.accounts.read().get(id) {
            return Arc::clone(known);
        }
        let partition = self.organizations.read().of(id).map_or(partition, |own| own.partition);
        let mut accounts = self.accounts.write();
        let account = accounts.entry(id.to_owned()).or_insert_with(|| Arc::new(Account::new(id, partition)));
        Arc::clone(account)
    }

    /// The account, if anybody ever used it.
    pub(crate) fn known_account(&self, id: &str) -> Option<Arc<Account>> {
        self.accounts.read().get(id).map(Arc::clone)
    }

    pub(crate) fn knobs(&self) -> Arc<Knobs> {
        Arc::clone(&self.knobs.read())
    }

    pub(crate) fn configure(&self, change: impl FnOnce(&mut Knobs)) {
        let mut knobs = self.knobs.write();
        change(Arc::make_mut(&mut knobs));
        drop(knobs);
        self.changed();
    }

    /// The sandbox's clock.
    pub(crate) fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_secs(self.knobs.read().clock_offset_seconds);
        let now = Timestamp::now();
        now.checked_add(offset).unwrap_or(now)
    }

    pub(crate) fn evaluates(&self) -> bool {
        self.evaluates.load(Ordering::Acquire)
    }

    /// From here on policies are looked at.
    pub(crate) fn evaluate(&self) {
        self.evaluates.store(true, Ordering::Release);
    }

    /// Forgets settings, roles, regions, denials, policies, organizations, faults and calls. Issued credentials and knobs
    /// stay.
    pub(crate) fn reset(&self) {
        for account in self.accounts.read().values() {
            *account.state.lock() = AccountState::default();
        }
        *self.organizations.write() = Organizations::default();
        self.evaluates.store(false, Ordering::Release);
        self.faults.clear_all();
        self.journal.clear();
        self.changed();
    }

    /// Wakes everybody who waits for a condition.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Wakes the waiting again when something becomes true by the mere passing of time. Needs a tokio runtime,
    /// which the wire always has.
    pub(crate) fn changes_after(&self, delay: Duration) {
        if delay.is_zero() {
            return;
        }
        let changes = self.changes.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            changes.send_modify(|count| *count = count.wrapping_add(1));
        });
    }
}

/// One account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) partition: Partition,
    pub(crate) state: Mutex<AccountState>,
}

/// What calls and handles change.
#[derive(Debug, Default)]
pub(crate) struct AccountState {
    pub(crate) settings: Settings,
    pub(crate) roles: RoleStore,
    /// Only the regions whose status differs from the partition's.
    pub(crate) regions: BTreeMap<String, RegionStatus>,
    pub(crate) denials: Vec<Denial>,
    pub(crate) granted: Granted,
    /// By region.
    pub(crate) upkeep: BTreeMap<String, Upkeep>,
}

impl Account {
    pub(crate) fn new(id: &str, partition: Partition) -> Self {
        Self { id: id.to_owned(), partition, state: Mutex::default() }
    }

    /// The status of a region; `None` when the partition has no such region.
    pub(crate) fn region_status(&self, region: &str) -> Option<RegionStatus> {
        let own = self.state.lock().regions.get(region).copied();
        own.or_else(|| self.partition.initial_status(region))
    }

    /// Every region of the partition and every further one that was given a status, by name.
    pub(crate) fn regions(&self) -> BTreeMap<String, RegionStatus> {
        let default = self.partition.default_regions().iter();
        let known = default.chain(self.partition.opt_in_regions());
        let mut all: BTreeMap<String, RegionStatus> =
            known.filter_map(|name| Some(((*name).to_owned(), self.partition.initial_status(name)?))).collect();
        all.extend(self.state.lock().regions.clone());
        all
    }

    /// Why `principal` may not do `action`, if it may not.
    pub(crate) fn denied(&self, action: &str, principal: &str) -> Option<DeniedBy> {
        let state = self.state.lock();
        let mut denials = state.denials.iter();
        denials.find(|denial| denial.hits(action, principal)).map(|denial| denial.by)
    }

    /// `arn:{partition}:iam::{account}:{resource}`.
    pub(crate) fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition.as_str(), self.id)
    }
}
