//! What is sick delays nobody else, and is never asked sooner than its backoff, whatever wakes it.
//!
//! The jitter of the schedule is none here: a target that nothing delays is looked at every five minutes to the millisecond,
//! so that every deviation is somebody else's doing.

use std::collections::HashMap;
use std::ops::Range;

use super::organization::{desired, id, level, members, organization};
use super::*;
use crate::cloud::Retry;
use crate::desired::levels::{Level, RegionLevel};
use crate::desired::organization::DesiredOrganization;
use crate::desired::{Mode, SettingState, regions};
use crate::outcome::Next;
use crate::target::ResourceKind;

const HOUR: Duration = Duration::from_hours(1);
const HANG: Trouble = Trouble::Hangs(TIMEOUT);
/// Longer than any call of the real client takes before it is given up.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The whole first pass, and a second one.
const SETTLING: Duration = Duration::from_mins(8);
const SICK_REGION: &str = "eu-west-1";

/// An organization whose accounts all have these regions enabled.
fn with_regions(names: &[&str]) -> DesiredOrganization {
    let enabled = RegionLevel { state: Some(SettingState::Enabled), mode: None };
    let regions = names.iter().map(|name| (name.parse().unwrap(), enabled)).collect();
    DesiredOrganization { defaults: Level { regions, ..level() }, ..organization() }
}

fn start(workers: usize, accounts: Range<usize>, regions: &[&str]) -> Running {
    run_with(workers, desired(with_regions(regions)), |cloud| *cloud.members.lock().unwrap() = members(accounts))
}

fn every_call(account: usize, regions: &[&str]) -> Vec<String> {
    let account = id(account);
    let mut calls = vec![format!("assume {account}"), format!("{account} role")];
    calls.extend(regions.iter().map(|region| format!("{account} read {region}")));
    calls
}

/// Every call that is made at each interval and was not sick had its interval, to within a tenth. The answer is how many calls
/// that are.
fn others_keep_their_interval(cloud: &FakeCloud, since: Instant, is_sick: impl Fn(&str) -> bool) -> usize {
    let mut looks: HashMap<String, Vec<Instant>> = HashMap::new();
    for (call, at) in cloud.calls.lock().unwrap().iter() {
        if *at + INTERVAL >= since && call != "members" && !is_sick(call) {
            looks.entry(call.clone()).or_default().push(*at);
        }
    }
    for (call, times) in &looks {
        let first = *times.first().unwrap();
        assert!(first < since + INTERVAL, "{call}: none since {:?}", first - since);
        let end = times.last().unwrap().duration_since(since);
        assert!(end + INTERVAL.mul_f64(1.1) >= HOUR, "{call}: the last after {end:?}");
        for pair in times.windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap >= INTERVAL.mul_f64(0.9) && gap <= INTERVAL.mul_f64(1.1), "{call}: {gap:?}");
        }
    }
    looks.len()
}

/// What an hour of trouble with some calls does to all others.
async fn an_hour_of(trouble: Trouble, running: Running, sick: &[String]) -> (usize, Arc<FakeCloud>, Instant) {
    pass(SETTLING).await;
    let since = Instant::now();
    for call in sick {
        running.cloud.trouble(call, trouble);
    }
    pass(HOUR).await;
    let cloud = running.end().await;
    let sick: BTreeSet<&str> = sick.iter().map(String::as_str).collect();
    let others = others_keep_their_interval(&cloud, since, |call| sick.contains(call));
    (others, cloud, since)
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_in_every_account_for_an_hour_delays_nothing_else() {
    let regions = ["us-east-1", "us-east-2", SICK_REGION];
    let sick: Vec<String> = (1..301).map(|account| format!("{} read {SICK_REGION}", id(account))).collect();
    let running = start(64, 1..301, &regions);
    let (others, cloud, since) = an_hour_of(HANG, running, &sick).await;
    assert_eq!(others, 300 * 4, "two regions, the role and the account of each");
    let calls = cloud.calls.lock().unwrap();
    let asked: BTreeSet<&str> = calls.iter().filter(|(_, at)| *at > since).map(|(call, _)| call.as_str()).collect();
    assert!(sick.iter().all(|call| asked.contains(call.as_str())), "and every one of the sick is looked at in its turn");
}

#[tokio::test(start_paused = true)]
async fn accounts_that_hang_for_an_hour_delay_no_other_account() {
    let regions = ["us-east-1", "us-east-2", SICK_REGION, "sa-east-1"];
    let sick: Vec<String> = (1..31).flat_map(|account| every_call(account, &regions)).collect();
    let (others, ..) = an_hour_of(HANG, start(16, 1..101, &regions), &sick).await;
    assert_eq!(others, 70 * 6);
}

#[tokio::test(start_paused = true)]
async fn one_account_with_every_region_hanging_for_an_hour_delays_no_other_account() {
    let names: Vec<&str> = regions::known().iter().map(|(name, _)| *name).filter(|name| name.starts_with("eu-")).collect();
    let sick = every_call(1, &names);
    let (others, ..) = an_hour_of(HANG, start(4, 1..4, &names), &sick).await;
    assert_eq!(others, 2 * (2 + names.len()));
}

#[tokio::test(start_paused = true)]
async fn accounts_that_are_throttled_slowly_for_an_hour_delay_no_other_account() {
    let regions = ["us-east-1", "us-east-2", SICK_REGION, "sa-east-1"];
    let sick: Vec<String> = (1..31).flat_map(|account| every_call(account, &regions)).collect();
    let throttled = Trouble::FailsAfter(Duration::from_secs(3), ErrorKind::Throttled);
    let (others, ..) = an_hour_of(throttled, start(16, 1..101, &regions), &sick).await;
    assert_eq!(others, 70 * 6);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_throttled_in_every_account_for_an_hour_delays_nothing_else() {
    let regions = ["us-east-1", SICK_REGION];
    let sick: Vec<String> = (1..101).map(|account| format!("{} read {SICK_REGION}", id(account))).collect();
    let throttled = Trouble::FailsAfter(Duration::from_secs(3), ErrorKind::Throttled);
    let (others, ..) = an_hour_of(throttled, start(16, 1..101, &regions), &sick).await;
    assert_eq!(others, 100 * 3);
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_from_the_start_keeps_no_other_target_from_its_first_look() {
    let regions = ["us-east-1", SICK_REGION];
    let running = run_with(16, desired(with_regions(&regions)), |cloud| {
        *cloud.members.lock().unwrap() = members(1..301);
        for account in 1..301 {
            cloud.trouble(&format!("{} read {SICK_REGION}", id(account)), HANG);
        }
    });
    pass(Duration::from_secs(10)).await;
    let cloud = running.end().await;
    for account in 1..301 {
        assert_eq!(cloud.times(&format!("{} update setting us-east-1", id(account))).len(), 1, "{account}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_well_again_is_looked_at_everywhere_within_its_backoff() {
    let regions = ["us-east-1", SICK_REGION];
    let sick: Vec<String> = (1..101).map(|account| format!("{} read {SICK_REGION}", id(account))).collect();
    let running = start(16, 1..101, &regions);
    pass(SETTLING).await;
    for call in &sick {
        running.cloud.trouble(call, HANG);
    }
    pass(HOUR).await;
    running.cloud.trouble.lock().unwrap().clear();
    pass(Duration::from_mins(6)).await;
    let mut states = BTreeSet::new();
    running.board.each(|_, _, status| {
        states.insert(status.state);
    });
    assert_eq!(states, BTreeSet::from([State::InSync]));
    running.end().await;
}

fn backoff_after(failures: u32) -> Duration {
    schedule().delay(ResourceKind::Setting, Next::Retry(Retry::Backoff), failures, 0.5)
}

/// When a target that fails like this is attempted, by the schedule alone: from `first` to `end`.
fn by_the_schedule(first: Instant, end: Instant, takes: Duration) -> Vec<Instant> {
    let (mut times, mut at) = (Vec::new(), first);
    for failures in 1.. {
        if at >= end {
            break;
        }
        times.push(at);
        at += takes + backoff_after(failures);
    }
    times
}

/// The role as somebody else would have it: what settings are told of it changes each time.
fn spoil_or_mend_the_role(cloud: &FakeCloud, account: Account) {
    let mut others = cloud.others.lock().unwrap();
    let kept = others.get_mut(&account).unwrap();
    if let Some(role) = kept.role.as_mut() {
        let other = trust_policy::fresh(&"ec2.amazonaws.com".parse().unwrap());
        role.trust_policy = if role.trust_policy == other { trust_policy::fresh(&ServicePrincipal::default()) } else { other };
    }
}

/// An hour in which everything that can wake a target does so every few seconds, and its own declaration stays.
async fn under_a_barrage(trouble: Trouble, takes: Duration) {
    let regions = ["us-east-1", SICK_REGION];
    let (first, sick) = (Account::Id(id(1)), format!("{} read {SICK_REGION}", id(1)));
    let running = start(WORKERS, 1..4, &regions);
    pass(SETTLING).await;
    running.cloud.trouble(&sick, trouble);
    let began = Instant::now();
    for round in 0..(HOUR.as_secs() / 7) {
        // Another region changes back and forth, an account comes and goes, and the role is never what it was.
        let mut organization = with_regions(&regions);
        let mode = if round % 2 == 0 { Mode::Observe } else { Mode::Enforce };
        let level = RegionLevel { state: Some(SettingState::Enabled), mode: Some(mode) };
        organization.defaults.regions.insert("us-east-1".parse().unwrap(), level);
        running.desired.send(desired(organization)).unwrap();
        *running.cloud.members.lock().unwrap() = members(1..(4 + usize::try_from(round % 2).unwrap()));
        spoil_or_mend_the_role(&running.cloud, first);
        pass(Duration::from_secs(7)).await;
    }
    let end = Instant::now();
    let cloud = running.end().await;
    let attempts: Vec<Instant> = cloud.times(&sick).into_iter().filter(|at| *at >= began && *at < end).collect();
    let expected = by_the_schedule(*attempts.first().unwrap(), end, takes);
    let seconds = |times: &[Instant]| times.iter().map(|at| at.duration_since(began).as_secs_f64()).collect::<Vec<_>>();
    assert_eq!(
        seconds(&attempts).len(),
        seconds(&expected).len(),
        "{:?} instead of {:?}",
        seconds(&attempts),
        seconds(&expected)
    );
    for (attempt, by_schedule) in attempts.iter().zip(&expected) {
        let late = attempt.checked_duration_since(*by_schedule).unwrap_or(HOUR);
        assert!(late < Duration::from_secs(5), "{:?} instead of {:?}", seconds(&attempts), seconds(&expected));
    }
    assert!(cloud.times("000000000002 read us-east-1").len() > 400, "the barrage reaches what is well");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_is_tried_as_its_backoff_says_whatever_wakes_it() {
    under_a_barrage(HANG, TIMEOUT).await;
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_throttled_is_tried_as_its_backoff_says_whatever_wakes_it() {
    under_a_barrage(Trouble::Fails(ErrorKind::Throttled), Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_throttled_is_tried_as_its_backoff_says_whatever_fails_for_want_of_it() {
    let regions = ["us-east-1", SICK_REGION];
    let running = start(WORKERS, 1..4, &regions);
    pass(SETTLING).await;
    let began = Instant::now();
    // Whatever stands on the account asks for it to be looked at.
    for call in every_call(1, &regions) {
        running.cloud.trouble(&call, Trouble::NoSession(ErrorKind::Throttled));
    }
    pass(HOUR).await;
    let end = Instant::now();
    let cloud = running.end().await;
    let attempts: Vec<Instant> =
        cloud.times(&format!("assume {}", id(1))).into_iter().filter(|at| *at >= began && *at < end).collect();
    assert_eq!(attempts, by_the_schedule(attempts[0], end, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn editing_what_hangs_over_and_over_does_not_have_it_tried_sooner_than_its_backoff() {
    let running = run("{regions: {us-east-1: enabled, eu-west-1: enabled}}", |cloud| cloud.trouble("read eu-west-1", HANG));
    pass(Duration::from_secs(3)).await;
    for edit in 0..(HOUR.as_secs() / 7) {
        let mode = if edit % 2 == 0 { "observe" } else { "enforce" };
        let spec = format!("{{regions: {{us-east-1: enabled, eu-west-1: {{state: enabled, mode: {mode}}}}}}}");
        running.desired.send(state(&spec)).unwrap();
        pass(Duration::from_secs(7)).await;
    }
    let attempts = running.end().await.times("read eu-west-1");
    for (failures, pair) in (1..).zip(attempts.windows(2)) {
        let backoff = backoff_after(failures);
        assert!(pair[1] - pair[0] >= backoff, "attempt {failures}: {:?} and not {backoff:?}", pair[1] - pair[0]);
    }
    assert!(attempts.len() > 10, "{} attempts", attempts.len());
}
