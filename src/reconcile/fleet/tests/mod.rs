//! The loop over all targets, on a paused clock with a cloud of this file's own: order, intervals, backoff, waiting.

mod cloud;
mod guard;
mod isolation;
mod look;
mod organization;
mod rivals;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::cloud::ErrorKind;
use crate::desired::names::{AccountId, ServicePrincipal};
use crate::desired::organization::Member;
use crate::desired::{DEFAULT_ROLE_NAME, load};
use crate::observed::ObservedRole;
use crate::plan::trust_policy;
use crate::reconcile::schedule::Waits;
use crate::target::State;
use cloud::{FakeCloud, Trouble};

const VALUE: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";
const INTERVAL: Duration = Duration::from_mins(5);
const WORKERS: usize = 3;

struct Running {
    cloud: Arc<FakeCloud>,
    board: Arc<StatusBoard>,
    desired: watch::Sender<Arc<DesiredState>>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

fn state(spec: &str) -> Arc<DesiredState> {
    let text = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n");
    Arc::new(load(text.as_bytes()).unwrap())
}

fn run(spec: &str, prepare: impl FnOnce(&FakeCloud)) -> Running {
    run_state(state(spec), prepare)
}

/// Runs a fleet over a cloud whose intervals are five minutes (a quarter of an hour for the organization) and whose jitter is
/// none.
fn run_state(state: Arc<DesiredState>, prepare: impl FnOnce(&FakeCloud)) -> Running {
    run_with(WORKERS, state, prepare)
}

fn run_with(workers: usize, state: Arc<DesiredState>, prepare: impl FnOnce(&FakeCloud)) -> Running {
    let cloud = Arc::new(FakeCloud::default());
    prepare(&cloud);
    let (board, stop) = (Arc::new(StatusBoard::default()), CancellationToken::new());
    let fleet = fleet(workers, &cloud, &board, &stop);
    let (desired, receiver) = watch::channel(state);
    let task = tokio::spawn(fleet.run(receiver));
    Running { cloud, board, desired, stop, task }
}

fn schedule() -> Schedule {
    Schedule { interval: INTERVAL, organization_interval: Duration::from_mins(15), waits: Waits::default() }
}

fn fleet(workers: usize, cloud: &Arc<FakeCloud>, board: &Arc<StatusBoard>, stop: &CancellationToken) -> Fleet<FakeCloud> {
    Fleet::new(Setup {
        rivalry: Rivalry::default(),
        cloud: Arc::clone(cloud),
        board: Arc::clone(board),
        metrics: Metrics::new("test").unwrap(),
        schedule: schedule(),
        workers,
        clock: || Timestamp::UNIX_EPOCH,
        random: || 0.5,
        stop: stop.clone(),
    })
}

impl Running {
    fn state_of(&self, name: &str) -> Option<State> {
        let mut found = None;
        self.board.each(|_, target, status| {
            if target.region_label() == name || target.resource_label() == name {
                found = Some(status.state);
            }
        });
        found
    }

    async fn end(self) -> Arc<FakeCloud> {
        self.stop.cancel();
        self.task.await.unwrap();
        self.cloud
    }
}

async fn pass(time: Duration) {
    // Long enough for everything that is due meanwhile: the clock is paused and jumps from one timer to the next.
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn the_account_comes_before_the_role_and_the_role_before_the_settings_that_need_it() {
    let running = run("{regions: {us-east-1: enabled, eu-west-1: disabled}}", |_| {});
    pass(Duration::from_secs(1)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    let calls = running.end().await.names();
    let at = |name: &str| calls.iter().position(|call| call == name).unwrap_or_else(|| panic!("{name} in {calls:?}"));
    assert_eq!(at("identity"), 0);
    assert!(at("create role") < at("attach policy"));
    assert!(at("attach policy") < at("read us-east-1"));
    assert!(at("read us-east-1") < at("update setting us-east-1"));
    assert_eq!(calls.iter().filter(|call| *call == "read us-east-1").count(), 2, "a write is read back");
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_for_an_hour_leaves_every_other_interval_as_it_was() {
    let spec = "{regions: {us-east-1: enabled, us-east-2: enabled, eu-west-1: enabled}}";
    let running = run(spec, |cloud| cloud.trouble("read eu-west-1", Trouble::Hangs(Duration::from_secs(20))));
    pass(Duration::from_hours(1)).await;
    let cloud = running.end().await;
    for region in ["read us-east-1", "read us-east-2"] {
        let times = cloud.times(region);
        assert!(times.len() >= 12, "{region}: {}", times.len());
        // The first look writes and reads back at once.
        for pair in times[1..].windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap >= Duration::from_secs(270) && gap <= Duration::from_secs(330), "{region}: {gap:?}");
        }
    }
    let sick = cloud.times("read eu-west-1").len();
    assert!(sick < 30, "{sick} looks at a region that hangs");
}

#[tokio::test(start_paused = true)]
async fn edits_and_readiness_never_cut_a_backoff_short() {
    let running = run("{regions: {us-east-1: enabled}}", |cloud| {
        cloud.trouble("read us-east-1", Trouble::Fails(ErrorKind::Throttled));
    });
    pass(Duration::from_mins(10)).await;
    let before = running.cloud.times("read us-east-1").len();
    for edit in 0..60 {
        let mode = if edit % 2 == 0 { "observe" } else { "enforce" };
        running.desired.send(state(&format!("{{regions: {{us-east-1: {{state: enabled, mode: {mode}}}}}}}"))).unwrap();
        pass(Duration::from_secs(1)).await;
    }
    let more = running.end().await.times("read us-east-1").len() - before;
    assert!(more <= 1, "{more} looks in a minute, with a backoff of five");
}

#[tokio::test(start_paused = true)]
async fn what_aws_refused_is_looked_at_at_once_when_it_is_declared_differently() {
    let running = run("{regions: {us-east-1: enabled}}", |cloud| {
        cloud.trouble("update setting us-east-1", Trouble::Fails(ErrorKind::Denied));
    });
    pass(Duration::from_mins(10)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::Blocked));
    running.desired.send(state("{regions: {us-east-1: disabled}}")).unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn work_under_way_on_an_old_declaration_is_given_up_before_it_writes() {
    let running = run("{regions: {us-east-1: enabled, sa-east-1: disabled}}", |cloud| {
        cloud.settings.lock().unwrap().insert("sa-east-1".parse().unwrap(), "Theirs".to_owned());
        cloud.trouble("read sa-east-1", Trouble::Delays(Duration::from_secs(5)));
    });
    pass(Duration::from_secs(1)).await;
    running.desired.send(state("{regions: {us-east-1: enabled}}")).unwrap();
    pass(Duration::from_mins(1)).await;
    let cloud = running.end().await;
    assert_eq!(cloud.times("reset setting sa-east-1").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_reset_under_way_is_given_up_when_the_region_is_declared_enabled() {
    let running = run("{regions: {sa-east-1: disabled}}", |cloud| {
        cloud.settings.lock().unwrap().insert("sa-east-1".parse().unwrap(), VALUE.to_owned());
        cloud.trouble("read sa-east-1", Trouble::Delays(Duration::from_secs(5)));
    });
    pass(Duration::from_secs(1)).await;
    running.desired.send(state("{regions: {sa-east-1: enabled}}")).unwrap();
    pass(Duration::from_mins(1)).await;
    assert_eq!(running.state_of("sa-east-1"), Some(State::InSync));
    assert_eq!(running.end().await.times("reset setting sa-east-1").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn settings_that_were_refused_for_one_role_are_looked_at_at_once_for_another() {
    let running = run("{regions: {us-east-1: enabled}}", |cloud| {
        cloud.trouble("update setting us-east-1", Trouble::Fails(ErrorKind::Denied));
    });
    pass(Duration::from_mins(20)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::Blocked));
    running.cloud.trouble.lock().unwrap().clear();
    running.desired.send(state("{role: {name: Another}, regions: {us-east-1: enabled}}")).unwrap();
    // A role of another name is created, and IAM shows it at once.
    pass(Duration::from_secs(3)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_for_an_old_declaration_says_nothing_about_the_new_one() {
    let running = run("{regions: {us-east-1: enabled}}", |cloud| {
        cloud.trouble("update setting us-east-1", Trouble::Delays(Duration::from_secs(5)));
    });
    pass(Duration::from_secs(1)).await;
    running.cloud.trouble("role", Trouble::Delays(Duration::from_secs(30)));
    running.desired.send(state("{role: {name: Another}, regions: {us-east-1: enabled}}")).unwrap();
    pass(Duration::from_secs(10)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::Unknown), "not in sync with what is declared now");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_list_of_regions_that_is_refused_leaves_the_named_ones_kept() {
    let running = run("{regions: {us-east-1: enabled}, otherRegions: enabled}", |cloud| {
        cloud.trouble("regions", Trouble::Fails(ErrorKind::Denied));
    });
    pass(Duration::from_secs(1)).await;
    assert_eq!((running.state_of("account"), running.state_of("us-east-1")), (Some(State::Unknown), Some(State::InSync)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_looks_at_what_it_changes_and_at_nothing_else() {
    let running = run("{regions: {us-east-1: enabled, eu-west-1: enabled}}", |_| {});
    pass(Duration::from_secs(1)).await;
    let before = running.cloud.names().len();
    running.desired.send(state("{regions: {us-east-1: enabled, eu-west-1: disabled}}")).unwrap();
    pass(Duration::from_secs(1)).await;
    assert_eq!(running.cloud.names()[before..], ["read eu-west-1", "reset setting eu-west-1", "read eu-west-1"]);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_account_that_cannot_be_verified_costs_one_call_a_backoff_and_nothing_else() {
    let running = run("{regions: {us-east-1: enabled}}", |cloud| cloud.trouble("identity", Trouble::Fails(ErrorKind::Denied)));
    pass(Duration::from_hours(1)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::Blocked));
    assert_eq!(running.state_of("role"), Some(State::Blocked));
    let calls = running.end().await.names();
    assert!(calls.iter().all(|call| call == "identity"), "{calls:?}");
    assert!((5..=12).contains(&calls.len()), "{} calls", calls.len());
}

#[tokio::test(start_paused = true)]
async fn credentials_that_turn_into_another_accounts_are_refused_until_they_turn_back() {
    let running = run("{regions: {us-east-1: enabled}}", |_| {});
    pass(Duration::from_secs(1)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    *running.cloud.account.lock().unwrap() = Some("999988887777");
    pass(Duration::from_mins(6)).await;
    let before = running.cloud.names().len();
    running.cloud.settings.lock().unwrap().clear();
    pass(Duration::from_hours(1)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::Blocked));
    assert!(running.cloud.names()[before..].iter().all(|call| call == "identity"));
    *running.cloud.account.lock().unwrap() = None;
    pass(Duration::from_mins(20)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_changed_role_holds_its_settings_until_it_was_read() {
    let running = run("{regions: {us-east-1: enabled}}", |_| {});
    pass(Duration::from_secs(1)).await;
    running.cloud.trouble("role", Trouble::Hangs(Duration::from_secs(15)));
    let before = running.cloud.names().len();
    running.desired.send(state("{role: {name: Another}, regions: {us-east-1: enabled}}")).unwrap();
    pass(Duration::from_secs(10)).await;
    assert_eq!(running.cloud.names()[before..], ["role"], "no setting is looked at with the old role");
    running.cloud.trouble.lock().unwrap().clear();
    pass(Duration::from_mins(1)).await;
    assert_eq!(running.state_of("us-east-1"), Some(State::InSync));
    let settings = running.end().await.settings.lock().unwrap().clone();
    assert!(settings.values().all(|value| value == "service-role/Another" || value == VALUE), "{settings:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_when_it_stops_is_given_up_if_it_reads_and_finished_if_it_writes() {
    let running = run("{regions: {us-east-1: enabled}}", |cloud| {
        cloud.trouble("update setting us-east-1", Trouble::Hangs(Duration::from_secs(20)));
        *cloud.role.lock().unwrap() = Some(ObservedRole {
            path: "/service-role/".to_owned(),
            name: DEFAULT_ROLE_NAME.to_owned(),
            trust_policy: trust_policy::fresh(&ServicePrincipal::default()),
            attached: BTreeSet::from(["arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy".to_owned()]),
            tags: BTreeMap::new(),
            description: None,
            permissions_boundary: None,
        });
    });
    pass(Duration::from_secs(1)).await;
    let began = Instant::now();
    let calls = running.end().await.names();
    assert!(began.elapsed() >= Duration::from_secs(18), "the write was waited for");
    assert_eq!(calls.last().map(String::as_str), Some("read us-east-1"), "and read back");

    let running = run("{regions: {us-east-1: disabled}}", |cloud| {
        cloud.trouble("read us-east-1", Trouble::Hangs(Duration::from_secs(20)));
    });
    pass(Duration::from_secs(1)).await;
    let began = Instant::now();
    running.end().await;
    assert!(began.elapsed() < Duration::from_secs(1), "a read is given up");
}
