//! A write whose answer was lost is found done by the next read, and not repeated blindly.
//!
//! The SDK repeats reads by itself, and sends a write once: AWS is read before it is sent again.

use std::sync::Arc;

use aws_sandbox::{Effect as Kind, Fault, FaultKind, Sandbox};
use dhmc_controller::aws::Patience;
use dhmc_controller::target::State;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::calls::{self, Call, Effect};
use super::lab::{Lab, no_pauses, short_timeouts, too_slow};

const STARTS: usize = 4;

/// What is done of each write once the first answer to it has gone this way, in order: `write` is the write itself, and reads
/// in a row are one.
async fn each_write(fault: FaultKind, patience: fn(Patience) -> Patience, expected: &[&str], told: State) {
    let (turns, mut tasks) = (Arc::new(Semaphore::new(STARTS)), JoinSet::new());
    for call in calls::all().into_iter().filter(|call| call.effect == Effect::Write) {
        let (fault, turns) = (fault.clone(), Arc::clone(&turns));
        tasks.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let fault = Fault::new(fault).service(call.service).operation(call.operation).times(1);
            let inject = |sandbox: &Sandbox| {
                sandbox.inject(fault);
            };
            let lab = Lab::start(&call, patience, inject).await;
            let told = lab.told_of(&call).await.state;
            lab.all_in_sync(&call.name(), None).await;
            let (done, carried_out) = (done(&lab, &call), lab.carried_out());
            lab.stop().await;
            (call, done, carried_out, told)
        });
    }
    while let Some(result) = tasks.join_next().await {
        let (call, done, carried_out, state) = result.unwrap();
        let of_this = carried_out.iter().filter(|write| write.contains(&call.name())).count();
        assert_eq!(of_this, 1, "AWS carries {} out once: {carried_out:#?}", call.name());
        // A new role gets its policies by a write of its own, in the next look: until then it differs.
        let (mut steps, told) = match call.operation {
            "CreateRole" => (without(&done, "AttachRolePolicy"), State::Drifted),
            _ => (without(&done, ""), told),
        };
        steps.dedup_by(|one, other| *one == "read" && *other == "read");
        assert_eq!((steps.as_slice(), state), (expected, told), "{}: {done:?}", call.name());
    }
}

fn without<'a>(steps: &'a [String], name: &str) -> Vec<&'a str> {
    steps.iter().map(String::as_str).filter(|step| *step != name).collect()
}

/// What was done from the first write on.
fn done(lab: &Lab, call: &Call) -> Vec<String> {
    let calls = lab.calls_since_first(call);
    let step = |made: &aws_sandbox::Call| match made.effect {
        Kind::Read => "read".to_owned(),
        Kind::Write if made.operation == call.operation => "write".to_owned(),
        Kind::Write => made.operation.clone(),
    };
    let is_read = |step: &String| step == "read";
    let mut steps: Vec<String> = calls.iter().map(step).collect();
    steps.dedup_by(|one, other| is_read(one) && is_read(other));
    steps
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_whose_connection_was_dropped_is_found_done_by_the_next_read() {
    each_write(FaultKind::DropAfterActing, no_pauses, &["write", "read"], State::InSync).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_was_answered_with_garbage_is_found_done_by_the_next_read() {
    each_write(FaultKind::Garbage, no_pauses, &["write", "read"], State::InSync).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_was_answered_too_late_is_found_done_by_the_next_read() {
    each_write(FaultKind::Slow(too_slow()), short_timeouts, &["write", "read"], State::InSync).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_never_arrived_is_repeated_after_a_read() {
    each_write(FaultKind::DropBeforeActing, no_pauses, &["write", "read", "write", "read"], State::Drifted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_aws_failed_at_is_repeated_after_a_read() {
    each_write(FaultKind::Internal500, no_pauses, &["write", "read", "write", "read"], State::Drifted).await;
}
