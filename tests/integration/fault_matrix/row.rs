//! One row: a fault and a call that it hits, from the fault to the end of everything.

use std::sync::Arc;

use aws_sandbox::Call as Made;
use dhmc_controller::outcome::Next;
use dhmc_controller::target::ResourceKind;
use tokio::sync::Semaphore;

use super::calls::{BYSTANDER, Call, Effect, aws};
use super::lab::{Delay, Lab, Told, no_pauses, real_schedule};
use super::troubles::Trouble;

/// What came of it, in words that are the same every time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub call: String,
    pub sent: String,
    pub state: &'static str,
    pub reason: String,
    pub next: String,
}

/// What comes of the same without a fault.
#[derive(Debug)]
pub struct Without {
    targets: u32,
    aws: Vec<String>,
    carried_out: Vec<String>,
}

/// How often a row may have been seen too late.
const TRIES: usize = 5;

pub async fn without_fault(call: &Call, turns: &Arc<Semaphore>) -> Without {
    let _turn = turns.acquire().await.unwrap();
    let lab = Lab::start(call, no_pauses, |_| {}).await;
    lab.told_of(call).await;
    let targets = lab.all_in_sync(&call.name(), None).await;
    let without = Without { targets, aws: aws(&lab.sandbox), carried_out: lab.carried_out() };
    lab.stop().await;
    without
}

pub async fn run(call: &Call, trouble: &Trouble, without: &Without, turns: &Arc<Semaphore>) -> Row {
    let what = format!("{}, {}", trouble.title, call.name());
    for _ in 0..TRIES {
        let mut turn = Some(turns.acquire().await.unwrap());
        let lab = Lab::start(call, trouble.patience(), |sandbox| trouble.begin(sandbox, call)).await;
        if trouble.is_slow() {
            // From here on it takes its time and nothing else.
            lab.hit(call).await;
            turn = None;
        }
        let told = lab.told_of(call).await;
        let sent = sent(call, &lab.calls_since_first(call));
        // On a busy machine it may have been looked at again meanwhile.
        let in_time = told.next.failures == 1 && lab.told_of(call).await == told;
        if in_time && call.service == "ssm" {
            lab.in_sync(BYSTANDER).await;
        }
        trouble.end(&lab.sandbox, call);
        drop(turn);
        lab.all_in_sync(&what, Some(without.targets)).await;
        assert_eq!(aws(&lab.sandbox), without.aws, "{what}: what AWS has in the end");
        assert_eq!(lab.carried_out(), trouble.expected(&without.carried_out), "{what}: what AWS has done");
        lab.stop().await;
        if in_time {
            return row(call, sent, &told);
        }
    }
    panic!("{what}: looked at again before anybody saw what was told first, {TRIES} times");
}

fn row(call: &Call, sent: String, told: &Told) -> Row {
    Row { call: call.name(), sent, state: told.state.label(), reason: reason(call, told), next: next(call, told.next) }
}

/// The attempts of the call itself, then whatever else was asked about the same target.
fn sent(call: &Call, made: &[Made]) -> String {
    let attempts = made.iter().filter(|made| made.operation == call.operation).count();
    let times = match attempts {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    };
    let mut then: Vec<&str> = made.iter().map(|made| &*made.operation).filter(|name| *name != call.operation).collect();
    then.dedup();
    match (call.effect, then.as_slice()) {
        (_, []) => times,
        (Effect::Write, ["GetRole", "ListAttachedRolePolicies"] | ["GetServiceSetting" | "GetRole"]) => {
            format!("{times}, and read back")
        }
        (_, others) => format!("{times}, then {}", others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    }
}

/// Without what differs from call to call, or from run to run.
fn reason(call: &Call, told: &Told) -> String {
    let Some(reason) = &told.reason else { return String::new() };
    let words = reason.replace(&call.name(), "CALL");
    let words = words.split(' ').map(|word| {
        let bare = word.trim_matches(|c| "(),.;".contains(c));
        let is_time = bare.len() == 16 && bare.starts_with('2') && bare.ends_with('Z');
        match bare {
            _ if bare.starts_with("arn:") => word.replace(bare, "ARN"),
            _ if is_time => word.replace(bare, "TIME"),
            _ => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// In the figures of the schedule as it is outside of tests.
fn next(call: &Call, delay: Delay) -> String {
    let kind = match call.target {
        "organization" => ResourceKind::Organization,
        "account" => ResourceKind::Account,
        "role" => ResourceKind::Role,
        _ => ResourceKind::Setting,
    };
    if delay.next == Next::Interval {
        return "at the interval".to_owned();
    }
    let at = |jitter| real_schedule().delay(kind, delay.next, delay.failures, jitter).as_secs_f64();
    let (soonest, latest) = (at(0.0), at(1.0));
    if (latest - soonest).abs() < f64::EPSILON { format!("{latest} s") } else { format!("{soonest} to {latest} s") }
}
