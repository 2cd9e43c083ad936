//! AWS throttles everything at once: what is called meanwhile, and after.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, Options, RegionStatus, Sandbox};
use dhmc_controller::cloud::Retry;
use dhmc_controller::outcome::Next;
use dhmc_controller::reconcile::schedule::{Schedule, Waits};
use dhmc_controller::target::ResourceKind;
use tokio::time::Instant;

use crate::harness::{Controller, DEADLINE, Settings, until};
use crate::referee::{ACCOUNT, credentials_of};

/// Far longer than the test: what is called in it is called for the storm.
const INTERVAL: Duration = Duration::from_mins(10);
/// Long enough for several attempts of each target, by the SDK too if it made any of its own.
const STORM: Duration = Duration::from_secs(8);

/// How often a target is tried again within so long, at the most that the schedule's jitter allows.
fn retries_by_the_schedule(time: Duration) -> usize {
    let schedule = Schedule { interval: INTERVAL, organization_interval: INTERVAL, waits: Waits::default() };
    let delays = (1..).map(|failures| schedule.delay(ResourceKind::Setting, Next::Retry(Retry::Backoff), failures, 0.0));
    let tried_at = delays.scan(Duration::ZERO, |at, delay| {
        *at += delay;
        Some(*at)
    });
    tried_at.take_while(|at| *at <= time).count()
}

#[tokio::test]
async fn a_storm_of_throttling_in_34_regions_decays_and_passes() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    let regions: Vec<String> = account.regions().into_keys().collect();
    for region in &regions {
        account.set_region(region, RegionStatus::Enabled);
    }
    let settings = Settings { interval: INTERVAL, workers: 64, ..Settings::default() };
    let controller = Controller::start_with(settings, "{otherRegions: enabled}", &sandbox.url(), &credentials_of(&sandbox)).await;
    let all_are_well = async || {
        let well = controller.metric("dhmc_fleet_targets{state=\"in_sync\"}").await;
        let under_way = controller.metric("dhmc_queue_in_flight").await + controller.metric("dhmc_queue_depth").await;
        (well - 36.0).abs() < 0.1 && under_way < 0.1
    };
    until("34 regions, the role and the account are in sync", DEADLINE, all_are_well).await;

    sandbox.journal().clear();
    controller.edit("{otherRegions: {state: enabled, mode: observe}}");
    until("every region is looked at once more", DEADLINE, async || sandbox.journal().len() >= 34 && all_are_well().await).await;
    let without_a_fault = sandbox.journal().len();

    sandbox.journal().clear();
    sandbox.inject(Fault::new(FaultKind::Throttled));
    let began = Instant::now();
    controller.edit("{otherRegions: enabled}");
    until("the storm is over", DEADLINE, async || began.elapsed() > STORM).await;
    assert!(sandbox.journal().len() >= 3 * regions.len(), "each region was tried again: {}", sandbox.journal().len());
    sandbox.clear_faults();
    until("all is in sync again", DEADLINE, all_are_well).await;
    let calls = sandbox.journal().len();
    let most = 2 * without_a_fault + regions.len() * retries_by_the_schedule(began.elapsed());
    assert!(calls < most, "{calls} calls, {without_a_fault} without a fault, at most {most}");
    controller.stop().await;
}

/// How many looks fail of one whose first calls fail like this and whose further ones do not.
async fn failed_looks(kind: FaultKind, times: u32, result: &str) -> f64 {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let settings = Settings { interval: INTERVAL, ..Settings::default() };
    let spec = "{regions: {us-east-1: enabled}}";
    let controller = Controller::start_with(settings, spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.journal().clear();
    sandbox.inject(Fault::new(kind).operation("GetServiceSetting").times(times));
    controller.edit("{regions: {us-east-1: {state: enabled, mode: observe}}}");
    let is_read_again = |sandbox: &Sandbox| sandbox.journal().len() > usize::try_from(times).unwrap();
    sandbox.wait_until(DEADLINE, is_read_again).await.expect("it is read after all");
    let labels = format!("{{aws_service=\"ssm\",operation=\"GetServiceSetting\",result=\"{result}\"}}");
    let failed = controller.metric(&format!("dhmc_aws_requests_total{labels}")).await;
    controller.stop().await;
    failed
}

#[tokio::test]
async fn what_aws_throttles_is_left_to_the_backoff_and_a_lost_connection_is_mended_at_once() {
    assert!((failed_looks(FaultKind::Throttled, 1, "throttled").await - 1.0).abs() < 0.1, "the SDK does not try again");
    assert!(failed_looks(FaultKind::DropBeforeActing, 2, "unavailable").await < 0.1, "the SDK does");
}
