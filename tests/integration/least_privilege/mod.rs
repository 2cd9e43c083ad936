//! The policies that the controller makes for a document: enough for all that the document may come to, and nothing too
//! many; and those that keep others away keep them away, and let the controller go on.
//!
//! The sandbox plays IAM's evaluation, with resources and condition keys from the Service Authorization Reference. Two of
//! its answers are guesses that no test here can settle: that naming a role in a setting needs `iam:PassRole`, and that a
//! role which is not there is asked about at the root path.

mod cases;
mod changes;
mod guarded;
mod stage;

use std::collections::BTreeSet;
use std::path::Path;

use cases::{Case, Scene};
use stage::{Grant, Written, actions, desired_state, give, grants, pass, refusals, sandbox, without};

use crate::referee::ACCOUNT;

/// How a scene went: what is not as it should be.
async fn play(case: &Case, scene: &Scene, grants: &[Grant]) -> Result<(), String> {
    let sandbox = sandbox(&desired_state(&case.spec), case.members, ACCOUNT).await;
    (scene.begin)(&sandbox);
    give(&sandbox, grants);
    let result = pass(&sandbox, &case.spec).await;
    let (refusals, ended) = (refusals(&sandbox), (scene.end)(&sandbox));
    sandbox.stop().await;
    if result == scene.result && ended && refusals.is_empty() {
        return Ok(());
    }
    Err(format!("{}: {}: {result:?}, done: {ended}, refused: {refusals:#?}", case.name, scene.name))
}

#[tokio::test]
async fn the_policies_for_a_document_are_enough_for_all_that_it_may_come_to() {
    for case in cases::all() {
        for written in [Written::ForEach, Written::ForAll] {
            let grants = grants(&desired_state(&case.spec), case.members, written);
            for scene in &case.scenes {
                let played = play(&case, scene, &grants).await;
                played.unwrap_or_else(|why| panic!("{why}\n{written:?}: {grants:#?}"));
            }
        }
    }
}

/// Every action of every policy, taken away by itself, is missed.
#[tokio::test]
async fn none_of_their_actions_can_be_left_out() {
    for case in cases::all() {
        let whole = grants(&desired_state(&case.spec), case.members, Written::ForEach);
        for (at, grant) in whole.iter().enumerate() {
            for action in actions(&grant.policy) {
                let mut grants = whole.clone();
                grants[at].policy = without(&grant.policy, &action);
                let mut missed = false;
                for scene in &case.scenes {
                    missed |= play(&case, scene, &grants).await.is_err();
                    if missed {
                        break;
                    }
                }
                assert!(missed, "{}: nobody missed {action}, which {} may do", case.name, grant.role);
            }
        }
    }
}

/// The list of the calls is read off the file that names them; only one of them needs no right.
#[test]
fn every_call_that_the_controller_makes_is_in_some_policy_here() {
    let granted: BTreeSet<String> = cases::all()
        .iter()
        .flat_map(|case| grants(&desired_state(&case.spec), case.members, Written::ForEach))
        .flat_map(|grant| actions(&grant.policy))
        .collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/operations.rs");
    let source = std::fs::read_to_string(file).unwrap();
    let words = source.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| line.split('"'));
    let mut calls: BTreeSet<String> = words.filter(|word| is_call(word)).map(str::to_owned).collect();
    assert!(calls.remove("sts:GetCallerIdentity"));
    assert_eq!(granted, calls);
}

fn is_call(word: &str) -> bool {
    word.split_once(':').is_some_and(|(service, operation)| {
        service.bytes().all(|byte| byte.is_ascii_lowercase()) && operation.starts_with(|letter: char| letter.is_ascii_uppercase())
    })
}
