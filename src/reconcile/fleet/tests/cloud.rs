//! A cloud in memory, for the fleet's tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::{ASSUME_ROLE, Caller, Cloud, CloudError, ErrorKind};
use crate::desired::access::Access;
use crate::desired::names::{Account, AccountId, Partition, Region, RoleName};
use crate::desired::organization::{Member, Query};
use crate::observed::{Change, Identity, ListedRegion, ObservedRole, ObservedSetting, RegionAccess, Update};
use crate::plan::{RoleAction, SettingAction};

/// What a call does instead of its job.
#[derive(Clone, Copy)]
pub(super) enum Trouble {
    Hangs(Duration),
    Fails(ErrorKind),
    FailsAfter(Duration, ErrorKind),
    Delays(Duration),
    /// There is no session in the account.
    NoSession(ErrorKind),
}

/// What an account holds.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) role: Option<ObservedRole>,
    pub(super) settings: BTreeMap<Region, String>,
}

/// A cloud in memory: records each call with its time; those in accounts that are reached through a role begin with the
/// account.
#[derive(Default)]
pub(super) struct FakeCloud {
    pub(super) account: Mutex<Option<&'static str>>,
    pub(super) members: Mutex<BTreeMap<AccountId, Member>>,
    /// The role of the controller's own account.
    pub(super) role: Mutex<Option<ObservedRole>>,
    /// The settings of the controller's own account.
    pub(super) settings: Mutex<BTreeMap<Region, String>>,
    /// Every other account's.
    pub(super) others: Mutex<BTreeMap<Account, Kept>>,
    /// The regions that are listed, all of them open.
    pub(super) open: Mutex<Vec<Region>>,
    /// What regions hold whatever we write, where somebody is faster.
    pub(super) overruled: Mutex<BTreeMap<Region, String>>,
    /// What a write of ours is shown as, where a test tells.
    pub(super) ours: Mutex<Option<Change>>,
    /// Who changed a region's setting last, where a test tells.
    pub(super) changed: Mutex<BTreeMap<Region, Change>>,
    pub(super) trouble: Mutex<HashMap<String, Trouble>>,
    pub(super) calls: Mutex<Vec<(String, Instant)>>,
}

impl FakeCloud {
    async fn call(&self, name: String) -> Result<(), CloudError> {
        self.calls.lock().unwrap().push((name.clone(), Instant::now()));
        let trouble = self.trouble.lock().unwrap().get(&name).copied();
        match trouble {
            None => Ok(()),
            Some(Trouble::Hangs(time)) => {
                tokio::time::sleep(time).await;
                Err(failed(ErrorKind::Unavailable))
            }
            Some(Trouble::Fails(kind)) => Err(failed(kind)),
            Some(Trouble::FailsAfter(time, kind)) => {
                tokio::time::sleep(time).await;
                Err(failed(kind))
            }
            Some(Trouble::NoSession(kind)) => Err(CloudError { operation: ASSUME_ROLE, ..failed(kind) }),
            Some(Trouble::Delays(time)) => {
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }

    async fn call_as(&self, caller: &Caller, name: &str) -> Result<(), CloudError> {
        match caller.access {
            Access::Own => self.call(name.to_owned()).await,
            Access::Assume(_) => self.call(format!("{} {name}", caller.account)).await,
        }
    }

    fn role_of<T>(&self, caller: &Caller, look: impl FnOnce(&mut Option<ObservedRole>) -> T) -> T {
        match caller.access {
            Access::Own => look(&mut self.role.lock().unwrap()),
            Access::Assume(_) => look(&mut self.others.lock().unwrap().entry(caller.account).or_default().role),
        }
    }

    fn settings_of<T>(&self, caller: &Caller, look: impl FnOnce(&mut BTreeMap<Region, String>) -> T) -> T {
        match caller.access {
            Access::Own => look(&mut self.settings.lock().unwrap()),
            Access::Assume(_) => look(&mut self.others.lock().unwrap().entry(caller.account).or_default().settings),
        }
    }

    pub(super) fn times(&self, name: &str) -> Vec<Instant> {
        self.calls.lock().unwrap().iter().filter(|(call, _)| call == name).map(|(_, at)| *at).collect()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(call, _)| call.clone()).collect()
    }

    pub(super) fn trouble(&self, name: &str, trouble: Trouble) {
        self.trouble.lock().unwrap().insert(name.to_owned(), trouble);
    }
}

fn failed(kind: ErrorKind) -> CloudError {
    CloudError { operation: "test:Call", kind, code: None, message: "on purpose".to_owned(), source: None }
}

impl Cloud for FakeCloud {
    async fn identity(&self, caller: &Caller) -> Result<Identity, CloudError> {
        let account = match (caller.account, *self.account.lock().unwrap()) {
            (Account::Id(id), None) => id,
            (_, account) => account.unwrap_or("111122223333").parse().unwrap(),
        };
        match caller.access {
            Access::Own => self.call("identity".to_owned()).await?,
            Access::Assume(_) => self.call(format!("assume {account}")).await?,
        }
        Ok(Identity { account, partition: Partition::Aws, arn: "arn".to_owned() })
    }

    async fn members(&self, _: &Query) -> Result<BTreeMap<AccountId, Member>, CloudError> {
        self.call("members".to_owned()).await?;
        Ok(self.members.lock().unwrap().clone())
    }

    async fn regions(&self, caller: &Caller, _: Partition) -> Result<Vec<ListedRegion>, CloudError> {
        self.call_as(caller, "regions").await?;
        let open = self.open.lock().unwrap().clone();
        Ok(open.into_iter().map(|region| ListedRegion { region, access: RegionAccess::Open }).collect())
    }

    async fn role(&self, caller: &Caller, _: Partition, _: &RoleName) -> Result<Option<ObservedRole>, CloudError> {
        self.call_as(caller, "role").await?;
        Ok(self.role_of(caller, |role| role.clone()))
    }

    async fn change_role(&self, caller: &Caller, _: Partition, name: &RoleName, action: &RoleAction) -> Result<(), CloudError> {
        self.call_as(caller, action.label()).await?;
        self.role_of(caller, |role| match action {
            RoleAction::Create(new) => {
                *role = Some(ObservedRole {
                    path: new.path.to_string(),
                    name: name.to_string(),
                    trust_policy: new.trust_policy.clone(),
                    attached: BTreeSet::new(),
                    tags: BTreeMap::new(),
                    description: None,
                    permissions_boundary: None,
                });
            }
            RoleAction::AttachPolicy(arn) => drop(role.as_mut().unwrap().attached.insert(arn.clone())),
            RoleAction::UpdateTrustPolicy(document) => role.as_mut().unwrap().trust_policy.clone_from(document),
            RoleAction::DetachPolicy(arn) => drop(role.as_mut().unwrap().attached.remove(arn)),
            RoleAction::Tag(tags) => role.as_mut().unwrap().tags.extend(tags.clone()),
            other => panic!("no test needs {other:?}"),
        });
        Ok(())
    }

    async fn setting(&self, caller: &Caller, region: &Region) -> Result<ObservedSetting, CloudError> {
        self.call_as(caller, &format!("read {region}")).await?;
        let value = self.settings_of(caller, |settings| settings.get(region).cloned());
        let changed = self.changed.lock().unwrap().get(region).cloned();
        Ok(ObservedSetting { value, update: Update::Settled, changed })
    }

    async fn change_setting(&self, caller: &Caller, region: &Region, action: &SettingAction) -> Result<(), CloudError> {
        self.call_as(caller, &format!("{} {region}", action.label())).await?;
        if let Some(ours) = self.ours.lock().unwrap().clone() {
            self.changed.lock().unwrap().insert(region.clone(), ours);
        }
        self.settings_of(caller, |settings| match action {
            SettingAction::Update(value) => drop(settings.insert(region.clone(), value.clone())),
            SettingAction::Reset => drop(settings.remove(region)),
        });
        if let Some(value) = self.overruled.lock().unwrap().get(region) {
            self.settings_of(caller, |settings| settings.insert(region.clone(), value.clone()));
        }
        Ok(())
    }
}
