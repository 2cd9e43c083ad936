//! Reads an account: its regions, their settings, the roles that these name. A bounded number of calls at a time.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::cloud::{Caller, Cloud, CloudError, ErrorKind, Retry, patiently};
use crate::desired::names::{Account, AccountId, Partition, Region, RoleName};
use crate::desired::regions;
use crate::export::seen::{RegionList, SeenAccount, SeenRegion, SeenRole, role_named_by};
use crate::observed::{Identity, ListedRegion, ObservedSetting, RegionAccess};
use crate::terminal::Progress;

/// How many calls are under way at a time.
const AT_A_TIME: usize = 16;

/// Nothing of the account can be told.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// Nobody knows whose account it is.
    #[error(transparent)]
    Identity(#[from] CloudError),
    /// It is not the one that was asked for.
    #[error("the credentials are of account {}, not of {wanted} ({}); nothing was read", .there.account, .there.arn)]
    WrongAccount { wanted: AccountId, there: Identity },
}

/// Reads everything there is to describe. What cannot be read is part of what was seen.
pub(super) async fn read<C: Cloud>(cloud: &Arc<C>, caller: &Caller, progress: &Progress) -> Result<SeenAccount, ReadError> {
    let identity = patiently(|| cloud.identity(caller)).await?;
    if let Account::Id(wanted) = caller.account
        && wanted != identity.account
    {
        return Err(ReadError::WrongAccount { wanted, there: identity });
    }
    let partition = identity.partition;
    let (region_list, listed) = list(&**cloud, caller, partition).await;
    let regions = read_regions(cloud, caller, &region_list, listed, progress).await;
    let roles = read_roles(cloud, caller, partition, &regions, progress).await;
    Ok(SeenAccount { identity, access: caller.access.clone(), region_list, regions, roles })
}

/// The regions that AWS lists, or all that we know.
async fn list<C: Cloud>(cloud: &C, caller: &Caller, partition: Partition) -> (RegionList, Vec<ListedRegion>) {
    let why = match patiently(|| cloud.regions(caller, partition)).await {
        Ok(listed) if !listed.is_empty() => return (RegionList::OfTheAccount, listed),
        Ok(_) => RegionList::AllKnown { why: "account:ListRegions: an empty list".to_owned() },
        Err(error) => match error.kind.retry() {
            Retry::Slow => RegionList::AllKnown { why: error.to_string() },
            Retry::Backoff => RegionList::Unanswered { why: error.to_string() },
        },
    };
    let of_the_partition = regions::known().iter().filter(|(_, of)| *of == partition);
    let listed =
        of_the_partition.filter_map(|(name, _)| Some(ListedRegion { region: name.parse().ok()?, access: RegionAccess::Open }));
    (why, listed.collect())
}

async fn read_regions<C: Cloud>(
    cloud: &Arc<C>,
    caller: &Caller,
    list: &RegionList,
    listed: Vec<ListedRegion>,
    progress: &Progress,
) -> BTreeMap<Region, SeenRegion> {
    let mut seen = BTreeMap::new();
    let mut open = Vec::new();
    for ListedRegion { region, access } in listed {
        match access {
            RegionAccess::Open if regions::partition_of(&region).is_some() => {
                seen.insert(region.clone(), SeenRegion::Unread("the work on it broke off".to_owned()));
                open.push(region);
            }
            RegionAccess::Open => drop(seen.insert(region, SeenRegion::NotKnownHere)),
            RegionAccess::Opening | RegionAccess::Closing => drop(seen.insert(region, SeenRegion::Changing(access))),
            RegionAccess::Closed => drop(seen.insert(region, SeenRegion::Closed)),
        }
    }
    let call = |cloud: Arc<C>, caller: Caller, region: Region| async move {
        let answer = patiently(|| cloud.setting(&caller, &region)).await;
        (region, answer)
    };
    let answers = each(cloud, caller, open, call, progress).await;
    let credentials = if answers.iter().any(|(_, answer)| answer.is_ok()) { Credentials::Good } else { Credentials::Doubtful };
    seen.extend(answers.into_iter().map(|(region, answer)| (region, judged(answer, list, credentials))));
    seen
}

/// Whether some region has taken the credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Credentials {
    Good,
    Doubtful,
}

/// What an answer tells of a region. Credentials that another region takes are good: where nobody says that a region is open,
/// one that refuses them most likely is not (aws-nuke#774).
fn judged(answer: Result<ObservedSetting, CloudError>, list: &RegionList, credentials: Credentials) -> SeenRegion {
    match answer {
        Ok(setting) => SeenRegion::Read(setting),
        Err(error) => {
            let looks_closed = error.kind == ErrorKind::RegionDisabled || error.refuses_the_key();
            if looks_closed && credentials == Credentials::Good && *list != RegionList::OfTheAccount {
                SeenRegion::MostLikelyClosed
            } else {
                SeenRegion::Unread(error.to_string())
            }
        }
    }
}

/// The roles that settings name, and AWS's default one.
async fn read_roles<C: Cloud>(
    cloud: &Arc<C>,
    caller: &Caller,
    partition: Partition,
    regions: &BTreeMap<Region, SeenRegion>,
    progress: &Progress,
) -> BTreeMap<String, SeenRole> {
    let of_settings = regions.values().filter_map(SeenRegion::value).filter_map(role_named_by).map(|(_, name)| name);
    // By their text, because names have no order.
    let names: BTreeMap<String, RoleName> =
        of_settings.chain([RoleName::default()]).map(|name| (name.to_string(), name)).collect();
    let call = move |cloud: Arc<C>, caller: Caller, name: RoleName| async move {
        let answer = patiently(|| cloud.role(&caller, partition, &name)).await;
        (name, answer)
    };
    let answers = each(cloud, caller, names.into_values().collect(), call, progress).await;
    let seen = answers.into_iter().map(|(name, answer)| {
        let role = match answer {
            Ok(Some(role)) => SeenRole::Found(role),
            Ok(None) => SeenRole::Missing,
            Err(error) => SeenRole::Unread(error.to_string()),
        };
        (name.to_string(), role)
    });
    seen.collect()
}

/// Makes one call for each, [`AT_A_TIME`].
async fn each<C, K, A, F>(
    cloud: &Arc<C>,
    caller: &Caller,
    keys: Vec<K>,
    call: impl Fn(Arc<C>, Caller, K) -> F,
    progress: &Progress,
) -> Vec<A>
where
    C: Cloud,
    A: Send + 'static,
    F: Future<Output = A> + Send + 'static,
{
    let all = keys.len() as u64;
    let turns = Arc::new(Semaphore::new(AT_A_TIME));
    let mut calls = JoinSet::new();
    for key in keys {
        let (turns, call) = (Arc::clone(&turns), call(Arc::clone(cloud), caller.clone(), key));
        calls.spawn(async move {
            // Nobody closes it.
            let _turn = turns.acquire().await;
            call.await
        });
    }
    let mut answers = Vec::new();
    progress.at(0, all);
    while let Some(answer) = calls.join_next().await {
        answers.extend(answer);
        progress.at(answers.len() as u64, all);
    }
    answers
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::desired::access::Access;
    use crate::desired::organization::{Member, Query};
    use crate::observed::{ObservedRole, Update};
    use crate::plan::{RoleAction, SettingAction};

    /// A cloud whose calls take a while. Its regions are all open, and answer as their names say.
    #[derive(Default)]
    struct SlowCloud {
        list: Option<ErrorKind>,
        under_way: AtomicUsize,
        most: AtomicUsize,
    }

    fn failed(kind: ErrorKind, code: Option<&str>) -> CloudError {
        CloudError { operation: "a:Call", kind, code: code.map(str::to_owned), message: "no".to_owned(), source: None }
    }

    impl Cloud for SlowCloud {
        async fn identity(&self, _caller: &Caller) -> Result<Identity, CloudError> {
            Ok(Identity { account: "111122223333".parse().unwrap(), partition: Partition::Aws, arn: "me".to_owned() })
        }

        async fn members(&self, _query: &Query) -> Result<BTreeMap<AccountId, Member>, CloudError> {
            panic!("nobody asks")
        }

        async fn regions(&self, _caller: &Caller, partition: Partition) -> Result<Vec<ListedRegion>, CloudError> {
            if let Some(kind) = self.list {
                return Err(failed(kind, None));
            }
            let names = regions::known().iter().filter(|(_, of)| *of == partition).map(|(name, _)| *name).chain(["mars-east-1"]);
            let open = |name: &str| ListedRegion { region: name.parse().unwrap(), access: RegionAccess::Open };
            Ok(names.map(open).collect())
        }

        async fn role(&self, _: &Caller, _: Partition, name: &RoleName) -> Result<Option<ObservedRole>, CloudError> {
            if name.as_str() == "Hidden" { Err(failed(ErrorKind::Denied, None)) } else { Ok(None) }
        }

        async fn change_role(&self, _: &Caller, _: Partition, _: &RoleName, _: &RoleAction) -> Result<(), CloudError> {
            panic!("nothing is written")
        }

        async fn setting(&self, _caller: &Caller, region: &Region) -> Result<ObservedSetting, CloudError> {
            let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.under_way.fetch_sub(1, Ordering::SeqCst);
            match region.as_str() {
                "us-east-1" => Ok(ObservedSetting { value: Some("Hidden".to_owned()), update: Update::Settled, changed: None }),
                "me-south-1" => Err(failed(ErrorKind::Denied, Some("UnrecognizedClientException"))),
                "eu-west-1" => Err(failed(ErrorKind::Throttled, None)),
                _ => Ok(ObservedSetting { value: None, update: Update::Settled, changed: None }),
            }
        }

        async fn change_setting(&self, _: &Caller, _: &Region, _: &SettingAction) -> Result<(), CloudError> {
            panic!("nothing is written")
        }
    }

    async fn seen(cloud: SlowCloud) -> (SeenAccount, Arc<SlowCloud>) {
        let cloud = Arc::new(cloud);
        let caller = Caller { account: Account::Own, access: Access::Own };
        (read(&cloud, &caller, &Progress::begin("reading AWS")).await.unwrap(), cloud)
    }

    fn of<'a>(seen: &'a SeenAccount, region: &str) -> &'a SeenRegion {
        &seen.regions[&region.parse::<Region>().unwrap()]
    }

    #[tokio::test(start_paused = true)]
    async fn a_bounded_number_of_calls_is_under_way_at_a_time_and_every_region_is_accounted_for() {
        let (seen, cloud) = seen(SlowCloud::default()).await;
        assert_eq!(cloud.most.load(Ordering::SeqCst), AT_A_TIME);
        assert_eq!(seen.regions.len(), 35);
        assert_eq!(*of(&seen, "mars-east-1"), SeenRegion::NotKnownHere);
        assert!(matches!(of(&seen, "eu-west-1"), SeenRegion::Unread(_)), "AWS had enough of it four times");
        let roles: Vec<(&str, &str)> = seen.roles.iter().map(|(name, role)| (name.as_str(), label(role))).collect();
        assert_eq!(roles, [("AWSSystemsManagerDefaultEC2InstanceManagementRole", "missing"), ("Hidden", "unread")]);
    }

    fn label(role: &SeenRole) -> &'static str {
        match role {
            SeenRole::Found(_) => "found",
            SeenRole::Missing => "missing",
            SeenRole::Unread(_) => "unread",
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_region_that_refuses_good_credentials_is_closed_unless_it_is_listed_as_open() {
        let (listed, _) = seen(SlowCloud::default()).await;
        assert!(matches!(of(&listed, "me-south-1"), SeenRegion::Unread(_)));
        let (denied, _) = seen(SlowCloud { list: Some(ErrorKind::Denied), ..SlowCloud::default() }).await;
        assert_eq!(*of(&denied, "me-south-1"), SeenRegion::MostLikelyClosed);
        assert_eq!(denied.region_list, RegionList::AllKnown { why: "a:Call: no".to_owned() });
        let (away, _) = seen(SlowCloud { list: Some(ErrorKind::Unavailable), ..SlowCloud::default() }).await;
        assert_eq!(away.region_list, RegionList::Unanswered { why: "a:Call: no".to_owned() });
        assert_eq!((away.regions.len(), denied.regions.len()), (34, 34));
    }

    #[test]
    fn where_no_region_takes_the_credentials_none_is_called_closed() {
        let refused = Err(failed(ErrorKind::Denied, Some("UnrecognizedClientException")));
        let list = RegionList::AllKnown { why: "denied".to_owned() };
        assert!(matches!(judged(refused, &list, Credentials::Doubtful), SeenRegion::Unread(_)));
    }
}
