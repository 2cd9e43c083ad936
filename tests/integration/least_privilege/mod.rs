//! The policies that the controller makes for a document: enough for all that the document may come to, and nothing too
//! many; and those that keep others away keep them away, and let the controller go on.
//!
//! The sandbox plays IAM's evaluation, with resources and condition keys from the Service Authorization Reference. Two of
//! its answers are guesses that no test here can settle: that naming a role in a setting needs `iam:PassRole`, and that a
//! role which is not there is asked about at the root path.
//!
//! Every call of the controller is covered. What `doctor` reads besides is not: the sandbox does not serve all of it.

mod cases;
mod changes;
mod guarded;
mod stage;

use std::collections::BTreeSet;
use std::path::Path;

use cases::{Case, Scene};
use stage::{Grant, Written, actions, desired_state, give, grants, pass, refusals, sandbox, without};
use tokio::task::JoinSet;

use crate::referee::ACCOUNT;
use dhmc_controller::app::PassResult;
use dhmc_controller::policy::{self, Scope, SessionTags};
use stage::MEMBER;

/// How a scene went.
struct Played {
    as_expected: bool,
    /// The calls that were refused for want of a right.
    refused: Vec<String>,
    told: String,
}

async fn play(case: &Case, scene: &Scene, grants: &[Grant]) -> Played {
    let sandbox = sandbox(&desired_state(&case.spec), case.members, ACCOUNT).await;
    (scene.begin)(&sandbox);
    give(&sandbox, grants);
    let result = pass(&sandbox, &case.spec).await;
    let (refused, done) = (refusals(&sandbox), (scene.end)(&sandbox));
    sandbox.stop().await;
    let told = format!("{}: {}: {result:?}, done: {done}, refused: {refused:#?}", case.name, scene.name);
    Played { as_expected: result == scene.result && done, refused, told }
}

#[tokio::test]
async fn the_policies_for_a_document_are_enough_for_all_that_it_may_come_to() {
    for case in cases::all() {
        for written in [Written::ForEach, Written::ForAll] {
            let grants = grants(&desired_state(&case.spec), case.members, written);
            for scene in &case.scenes {
                let played = play(&case, scene, &grants).await;
                let is_well = played.as_expected && played.refused.is_empty();
                assert!(is_well, "{}\n{written:?}: {grants:#?}", played.told);
            }
        }
    }
}

/// Every action of every policy, taken away by itself, is missed.
#[tokio::test]
async fn none_of_their_actions_can_be_left_out() {
    let mut cases: JoinSet<_> = cases::all().into_iter().map(actions_not_missed).collect();
    let mut taken_away = 0;
    while let Some(case) = cases.join_next().await {
        let (tried, not_missed) = case.unwrap();
        assert!(not_missed.is_empty(), "{not_missed:#?}");
        taken_away += tried;
    }
    assert!(taken_away > 80, "only {taken_away} actions were taken away");
}

/// How many actions the policies for a document have, and which of them nobody missed.
async fn actions_not_missed(case: Case) -> (usize, Vec<String>) {
    let whole = grants(&desired_state(&case.spec), case.members, Written::ForEach);
    let (mut tried, mut not_missed) = (0, Vec::new());
    for (at, grant) in whole.iter().enumerate() {
        for action in actions(&grant.policy) {
            let mut less = whole.clone();
            less[at].policy = without(&grant.policy, &action);
            tried += 1;
            if !is_missed(&case, &less).await {
                not_missed.push(format!("{}: {action} of {}", case.name, grant.role));
            }
        }
    }
    (tried, not_missed)
}

/// Whether some scene does not go on as it should, and because of a refusal.
async fn is_missed(case: &Case, grants: &[Grant]) -> bool {
    for scene in &case.scenes {
        let played = play(case, scene, grants).await;
        if !played.as_expected && !played.refused.is_empty() {
            return true;
        }
    }
    false
}

/// One pattern stands for the role in every account there is: the organization's id takes those of others out of it.
#[tokio::test]
async fn a_hub_that_knows_its_organization_assumes_the_role_in_no_account_of_another() {
    let spec = "{regions: {us-east-1: enabled}, organization: {assumeRole: {name: dhmc-member, path: /platform/, externalId: sesame}, exclude: {accounts: ['111122223333']}}}";
    let state = desired_state(spec);
    for of_ours in [true, false] {
        let sandbox = sandbox(&state, &[MEMBER], ACCOUNT).await;
        let ours = sandbox.organization(ACCOUNT).id();
        let id = if of_ours { ours } else { "o-another1234".to_owned() };
        let hub = policy::hub(&state, &Scope::default(), SessionTags::Declared, Some(&id.parse().unwrap())).unwrap();
        let mut grants = grants(&state, &[MEMBER], Written::ForAll);
        grants[0].policy = serde_json::to_value(hub).unwrap();
        give(&sandbox, &grants);
        let result = pass(&sandbox, spec).await;
        let refused = refusals(&sandbox);
        assert_eq!((refused.is_empty(), result == PassResult::InSync), (of_ours, of_ours), "{result:?}: {refused:#?}");
        assert!(refused.iter().all(|call| call.contains("sts:AssumeRole")), "{refused:#?}");
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
