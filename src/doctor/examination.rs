//! Reads everything that is judged: a few accounts at a time, a few regions of each, each call once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use futures_util::stream;

use super::account::{self, AccountSight, MoreOfRegion, RegionSight, RoleNeed, RoleSight};
use super::examined::{Examined, Simulation};
use super::finding::{Check, Finding};
use super::identity::{self, Principal};
use super::policies::{self, Content, RolePolicies, RolePolicy};
use super::report::{AccountFindings, Report, Sampled};
use super::sample::Extent;
use super::writes::{Asked, Writes};
use super::{clock, rivals};
use crate::cloud::{Caller, CloudError, ErrorKind, patiently};
use crate::desired::access::Access;
use crate::desired::names::{Account, Region};
use crate::desired::organization::{DesiredOrganization, Listing};
use crate::desired::{DesiredAccount, DesiredSetting, DesiredState};
use crate::observed::Identity;
use crate::reconcile::expand::desired_partition;

/// How many accounts are looked into at a time.
const ACCOUNTS_AT_ONCE: usize = 8;
/// How many regions of each.
const REGIONS_AT_ONCE: usize = 8;

type Accounts = BTreeMap<Account, Arc<DesiredAccount>>;

/// How far an examination has come, for whoever waits for it.
pub struct Steps<'a> {
    done: AtomicU64,
    all: AtomicU64,
    tell: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Steps<'a> {
    /// None yet. `tell` hears of each.
    pub fn told_to(tell: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self { done: AtomicU64::new(0), all: AtomicU64::new(0), tell }
    }

    fn expect(&self, more: usize) {
        self.all.fetch_add(more as u64, Ordering::Relaxed);
        self.told();
    }

    fn done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.told();
    }

    fn told(&self) {
        (self.tell)(self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed));
    }
}

/// Examines what a document declares.
pub async fn examine<C: Examined>(cloud: &C, state: &DesiredState, extent: Extent, steps: &Steps<'_>) -> Report {
    let own = Caller { account: Account::Own, access: Access::Own };
    let (clock, identity) = tokio::join!(Box::pin(cloud.clock()), Box::pin(patiently(|| cloud.identity(&own))));
    let mut findings = vec![identity::judge_own(&identity)];
    findings.push(match (clock, &identity) {
        (Ok(reading), _) => clock::judge(reading),
        (Err(_), Err(_)) => {
            Finding::not_looked_at(Check::Clock, "AWS did not tell the time", "mend the credentials first, and run this again")
        }
        (Err(error), Ok(_)) => Finding::unchecked(Check::Clock, &error),
    });
    if identity.is_err() {
        let why = "nothing else can be asked without credentials of the controller's own";
        findings.push(Finding::not_looked_at(Check::Access, why, "mend that first, and run this again"));
        return Report::new(&state.name, None, findings, Vec::new());
    }
    let mut accounts = state.accounts.clone();
    let mut sampled = None;
    if let Some(organization) = &state.organization {
        match members(cloud, organization, state).await {
            Ok((members, found)) => {
                findings.extend(found);
                let managed = members.len();
                let examined: Accounts = extent.of(members.into_iter().collect()).into_iter().collect();
                sampled = Some(Sampled { managed, examined: examined.len() });
                accounts.extend(examined);
            }
            Err(error) => findings.push(Finding::unread(Check::Organization, &error)),
        }
    }
    steps.expect(accounts.len());
    let looks = accounts.into_iter().map(|(account, desired)| Box::pin(of_account(cloud, account, desired, steps)));
    let accounts = stream::iter(looks).buffered(ACCOUNTS_AT_ONCE).collect().await;
    Report::new(&state.name, sampled, findings, accounts)
}

/// The accounts that the organization comes to, and what is to say of that.
async fn members<C: Examined>(
    cloud: &C,
    organization: &DesiredOrganization,
    state: &DesiredState,
) -> Result<(Accounts, Vec<Finding>), CloudError> {
    let query = organization.query();
    let members = Box::pin(patiently(|| cloud.members(&query))).await?;
    let listing = Listing { query, members };
    let expansion = organization.expand(&listing, state);
    let (all, managed) = (listing.members.len(), expansion.accounts.len());
    let mut found = Vec::new();
    let unknown: Vec<String> = organization.unknown(&listing).iter().map(ToString::to_string).collect();
    if !unknown.is_empty() {
        let told = format!("the document names accounts that are not in the organization: {}", unknown.join(", "));
        found.push(Finding::warning(Check::Organization, told, "correct or drop them"));
    }
    if managed == 0 {
        let told = format!("of {all} accounts that are listed the document selects none");
        found.push(Finding::warning(Check::Organization, told, "compare `include` and `exclude` with the organization"));
    } else {
        found.push(Finding::ok(Check::Organization, format!("{all} accounts can be listed, {managed} of them are managed")));
    }
    Ok((expansion.accounts, found))
}

async fn of_account<C: Examined>(
    cloud: &C,
    account: Account,
    desired: Arc<DesiredAccount>,
    steps: &Steps<'_>,
) -> AccountFindings {
    let caller = Caller { account, access: desired.access.clone() };
    let name = desired.name.clone();
    let answer = Box::pin(patiently(|| cloud.identity(&caller))).await;
    let found = match identity::judge_for(account, desired_partition(&desired), answer) {
        Ok((identity, finding)) => {
            let id = identity.account;
            let sight = look(cloud, &caller, desired, identity, steps).await;
            let findings = std::iter::once(finding).chain(account::judge(&sight)).collect();
            AccountFindings::new(&account, name.as_deref(), findings).known_as(id)
        }
        Err(finding) => AccountFindings::new(&account, name.as_deref(), vec![finding]),
    };
    steps.done();
    found
}

async fn look<C: Examined>(
    cloud: &C,
    caller: &Caller,
    desired: Arc<DesiredAccount>,
    identity: Identity,
    steps: &Steps<'_>,
) -> AccountSight {
    let listed = Box::pin(patiently(|| cloud.regions(caller, identity.partition))).await;
    let (settings, need) = account::targets(&desired, &identity, &listed);
    steps.expect(settings.len());
    let looks = settings.iter().map(|(region, want)| Box::pin(of_region(cloud, caller, region, *want, steps)));
    let regions = stream::iter(looks).buffered(REGIONS_AT_ONCE).collect();
    let role = async {
        match need {
            RoleNeed::None => None,
            RoleNeed::Some => Some(of_role(cloud, caller, &desired, &identity).await),
        }
    };
    let (regions, role) = tokio::join!(regions, Box::pin(role));
    let observed = role.as_ref().and_then(|role| role.observed.as_ref().ok()?.as_ref());
    let writes = Writes {
        partition: identity.partition,
        account: identity.account,
        settings: &settings,
        role: role.as_ref().map(|_| &*desired.role),
        observed,
    };
    let writes = of_writes(cloud, caller, &identity, &writes.simulations()).await;
    AccountSight { desired, identity, listed, role, regions, writes }
}

async fn of_region<C: Examined>(
    cloud: &C,
    caller: &Caller,
    region: &Region,
    want: DesiredSetting,
    steps: &Steps<'_>,
) -> RegionSight {
    let setting = Box::pin(patiently(|| cloud.setting(caller, region))).await;
    // Who does not answer the one does not answer the others either, and each would be waited for.
    let answers = setting.as_ref().err().is_none_or(|error| {
        !error.refuses_the_key() && !matches!(error.kind, ErrorKind::Unavailable | ErrorKind::RegionDisabled)
    });
    let more = if answers { Some(more_of(cloud, caller, region).await) } else { None };
    steps.done();
    RegionSight { region: region.clone(), want, setting, more }
}

async fn more_of<C: Examined>(cloud: &C, caller: &Caller, region: &Region) -> MoreOfRegion {
    let quick_setups =
        async { if rivals::has_quick_setup(region) { Some(cloud.quick_setups(caller, region).await) } else { None } };
    let (preferences, associations, quick_setups) = tokio::join!(
        Box::pin(cloud.session_preferences(caller, region)),
        Box::pin(cloud.associations(caller, region)),
        Box::pin(quick_setups)
    );
    MoreOfRegion { preferences, associations, quick_setups }
}

async fn of_role<C: Examined>(cloud: &C, caller: &Caller, desired: &DesiredAccount, identity: &Identity) -> RoleSight {
    let (want, partition) = (&desired.role, identity.partition);
    let observed = Box::pin(patiently(|| cloud.role(caller, partition, &want.name))).await;
    let Ok(have) = &observed else { return RoleSight { observed, policies: None } };
    let mut found = RolePolicies::default();
    for arn in policies::managed_policies(want, have.as_ref(), partition) {
        found.policies.push(of_policy(cloud, caller, identity, arn).await);
    }
    if have.is_some() {
        match Box::pin(cloud.inline_policies(caller, partition, &want.name)).await {
            Ok(inline) => found.policies.extend(inline.into_iter().map(|(name, document)| RolePolicy {
                name: format!("the inline policy {name}"),
                content: Content::of(Ok(Some(document))),
            })),
            Err(error) => found.inline_unread = Some(error),
        }
    }
    if let Some(arn) = policies::boundary(want, have.as_ref(), partition) {
        found.boundary = Some(of_policy(cloud, caller, identity, arn).await);
    }
    RoleSight { observed, policies: Some(found) }
}

async fn of_policy<C: Examined>(cloud: &C, caller: &Caller, identity: &Identity, arn: String) -> RolePolicy {
    let content = Content::of(Box::pin(cloud.managed_policy(caller, identity.partition, &arn)).await);
    RolePolicy { name: arn, content }
}

async fn of_writes<C: Examined>(cloud: &C, caller: &Caller, identity: &Identity, asked: &[Simulation]) -> Asked {
    if asked.is_empty() {
        return Asked::Nothing;
    }
    let arn = match identity::principal(identity, &caller.access) {
        Principal::Known(arn) => arn,
        Principal::Root => return Asked::Root,
        Principal::Other => return Asked::WhoIsUnknown(format!("the simulator knows users and roles, not {}", identity.arn)),
        // A session's ARN does not have its role's path.
        Principal::Role(name) => match Box::pin(cloud.role(caller, identity.partition, &name)).await {
            Ok(Some(role)) => format!("arn:{}:iam::{}:role{}{name}", identity.partition, identity.account, role.path),
            Ok(None) => return Asked::WhoIsUnknown(format!("the credentials' own role {name} is not there any more")),
            Err(error) if error.kind == ErrorKind::Denied => {
                format!("arn:{}:iam::{}:role/{name}", identity.partition, identity.account)
            }
            Err(error) => return Asked::WhoIsUnknown(format!("the credentials' own role {name} could not be read: {error}")),
        },
    };
    let mut answers = Vec::with_capacity(asked.len());
    for one in asked {
        let answer = Box::pin(cloud.simulate(caller, identity.partition, &arn, one)).await;
        let refused = answer.is_err();
        answers.push(answer);
        // Who may not ask one thing may not ask another.
        if refused {
            break;
        }
    }
    Asked::Answered(answers)
}
