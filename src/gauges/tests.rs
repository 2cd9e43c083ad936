//! What a scrape shows with series of single targets, without them, and with an organization.

use prometheus::{Encoder, TextEncoder};

use super::*;
use crate::desired::names::Account;
use crate::metrics::TargetMetrics;
use crate::outcome::Outcome;
use crate::plan::Plan;
use crate::target::Target;

fn account(number: u64) -> Account {
    Account::Id(format!("{number:012}").parse().unwrap())
}

fn setting(number: u64, region: &str) -> Target {
    Target::setting(account(number), region.parse().unwrap())
}

fn put(board: &StatusBoard, target: &Target, second: i64) {
    let in_sync = Outcome::of_plan(&Plan::<()>::default(), "wanted".to_owned(), "found".to_owned(), None);
    board.add(target.clone(), Timestamp::UNIX_EPOCH);
    board.record(target, &in_sync, Timestamp::from_second(second).unwrap(), None);
}

/// Two accounts, the second of which has a region that was never read.
fn board() -> Arc<StatusBoard> {
    let board = Arc::new(StatusBoard::default());
    put(&board, &setting(1, "us-east-1"), 30);
    put(&board, &setting(1, "eu-west-1"), 20);
    put(&board, &setting(2, "us-east-1"), 40);
    board.add(setting(2, "eu-west-1"), Timestamp::UNIX_EPOCH);
    board
}

fn gauges(board: &Arc<StatusBoard>, choice: TargetMetrics) -> StateGauges {
    let source =
        SourceStatus { hash: [0; 32], loaded_at: Timestamp::UNIX_EPOCH, judged_at: Timestamp::UNIX_EPOCH, problem: None };
    let series = TargetSeries::new(choice, Arc::clone(board));
    StateGauges::new(Arc::clone(board), series, watch::channel(source).1, Fence::always_open(), || Timestamp::UNIX_EPOCH).unwrap()
}

/// The series of one metric, as they are served.
fn series(board: &Arc<StatusBoard>, choice: TargetMetrics, metric: Metric) -> Vec<String> {
    let families = gauges(board, choice).collect();
    let mut text = Vec::new();
    let of_metric: Vec<MetricFamily> = families.into_iter().filter(|family| family.name() == metric.name).collect();
    assert_eq!(of_metric.len(), 1, "{}", metric.name);
    if of_metric[0].get_metric().is_empty() {
        return Vec::new();
    }
    TextEncoder::new().encode(&of_metric, &mut text).unwrap();
    let lines = String::from_utf8(text).unwrap();
    lines.lines().filter_map(|line| line.strip_prefix(metric.name)).map(str::to_owned).collect()
}

#[test]
fn what_is_collected_is_what_is_announced() {
    let gauges = gauges(&board(), TargetMetrics::Always);
    let collected: Vec<String> = gauges.collect().iter().map(|family| family.name().to_owned()).collect();
    let mut announced: Vec<String> = gauges.desc().iter().map(|description| description.fq_name.clone()).collect();
    assert_eq!(collected.len(), announced.len());
    announced.retain(|name| !collected.contains(name));
    assert_eq!(announced, Vec::<String>::new());
}

#[test]
fn a_target_has_series_of_its_own_only_where_that_is_chosen() {
    for (choice, targets) in [(TargetMetrics::Always, 4), (TargetMetrics::Auto, 4), (TargetMetrics::Never, 0)] {
        assert_eq!(series(&board(), choice, TARGET_STATE).len(), targets * State::ALL.len(), "{choice:?}");
        assert_eq!(series(&board(), choice, LAST_OBSERVED).len(), targets.saturating_sub(1), "{choice:?}");
        assert_eq!(series(&board(), choice, TARGET_SERIES), [format!(" {}", u8::from(targets > 0))], "{choice:?}");
    }
    let eu_west = r#"{account="000000000001",region="eu-west-1",resource="setting"} 20"#;
    assert!(series(&board(), TargetMetrics::Always, LAST_OBSERVED).contains(&eu_west.to_owned()));
}

#[test]
fn accounts_and_the_fleet_have_their_counts_and_their_oldest_look_in_any_case() {
    for choice in [TargetMetrics::Always, TargetMetrics::Never] {
        let targets = series(&board(), choice, TARGETS);
        assert_eq!(targets.len(), 2 * State::ALL.len());
        for expected in [r#"{account="000000000001",state="in_sync"} 2"#, r#"{account="000000000002",state="unknown"} 1"#] {
            assert!(targets.contains(&expected.to_owned()), "{targets:?}");
        }
        let oldest = [r#"{account="000000000001"} 20"#, r#"{account="000000000002"} 40"#];
        assert_eq!(series(&board(), choice, ACCOUNT_OLDEST), oldest);
        assert_eq!(series(&board(), choice, FLEET_TARGETS)[0], r#"{state="in_sync"} 3"#);
        assert_eq!(series(&board(), choice, FLEET_OLDEST), [" 20"]);
    }
}

#[test]
fn an_account_of_which_nothing_was_read_has_counts_and_no_oldest_look() {
    let board = Arc::new(StatusBoard::default());
    board.add(setting(1, "us-east-1"), Timestamp::UNIX_EPOCH);
    assert_eq!(series(&board, TargetMetrics::Never, TARGETS).len(), State::ALL.len());
    assert!(series(&board, TargetMetrics::Never, ACCOUNT_OLDEST).is_empty());
    assert!(series(&board, TargetMetrics::Never, FLEET_OLDEST).is_empty());
}

#[test]
fn the_organization_is_told_in_any_case_and_as_no_account() {
    let board = board();
    assert!(series(&board, TargetMetrics::Never, ORGANIZATION_ACCOUNTS).is_empty());
    assert!(series(&board, TargetMetrics::Never, ORGANIZATION_LISTED).is_empty());
    put(&board, &Target::organization(), 50);
    board.set_organization(Some(Tally { managed: 7, listed: 2, excluded: 1, suspended: 0 }));
    for choice in [TargetMetrics::Always, TargetMetrics::Never] {
        let states = series(&board, choice, TARGET_STATE);
        let state = r#"{account="organization",region="global",resource="organization",state="in_sync"} 1"#;
        assert!(states.contains(&state.to_owned()), "{states:?}");
        assert_eq!(series(&board, choice, ORGANIZATION_LISTED), [" 50"]);
    }
    let accounts = [r#"{status="managed"} 7"#, r#"{status="listed"} 2"#, r#"{status="excluded"} 1"#, r#"{status="suspended"} 0"#];
    assert_eq!(series(&board, TargetMetrics::Never, ORGANIZATION_ACCOUNTS), accounts);
    board.set_organization(None);
    assert!(series(&board, TargetMetrics::Never, ORGANIZATION_ACCOUNTS).is_empty());
}

/// Seven series an account, and not one more for a target.
#[test]
fn a_scrape_of_a_whole_organization_is_of_its_accounts() {
    let board = Arc::new(StatusBoard::default());
    for number in 0..200 {
        for region in 0..18 {
            put(&board, &setting(number, &format!("xx-region-{region}")), 1);
        }
    }
    let count = |choice| gauges(&board, choice).collect().iter().map(|family| family.get_metric().len()).sum::<usize>();
    let states = State::ALL.len();
    assert_eq!(count(TargetMetrics::Auto), 200 * (states + 1) + states + 10);
    assert_eq!(count(TargetMetrics::Always), count(TargetMetrics::Auto) + 200 * 18 * (states + 1));
}
