//! From a random live state and random faults: the declared state is reached, nothing is written once it is, and what the
//! document does not name is never touched.

use std::collections::BTreeMap;

use aws_sandbox::{AccountHandle, Fault, FaultKind, Options, Role, Sandbox};
use dhmc_controller::app::PassResult;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::harness::once;
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::{EC2_TRUST, POLICY, ROLE, TRUST, VALUE};

const NAMED: [&str; 3] = ["us-east-1", "eu-west-1", "sa-east-1"];
const FOREIGN: [&str; 2] = ["us-west-2", "ap-south-1"];
const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";
/// Each case is a sandbox and three passes of the real SDK; more cases find no more, only later.
const CASES: u32 = 24;

#[derive(Debug, Clone)]
struct World {
    settings: BTreeMap<&'static str, Option<&'static str>>,
    role: Option<(&'static str, bool)>,
    faults: Vec<(&'static str, FaultKind, u32)>,
    enabled: Vec<bool>,
}

fn world() -> impl Strategy<Value = World> {
    let value = || prop_oneof![Just(None), Just(Some(VALUE)), Just(Some("Theirs")), Just(Some(ROLE))];
    let settings = prop::collection::vec(value(), NAMED.len() + FOREIGN.len())
        .prop_map(|values| NAMED.into_iter().chain(FOREIGN).zip(values).collect());
    let trust = prop_oneof![Just(TRUST), Just(EC2_TRUST), Just("{}")];
    let role = prop::option::of((trust, any::<bool>()));
    let operation = prop_oneof![
        Just("GetServiceSetting"),
        Just("UpdateServiceSetting"),
        Just("ResetServiceSetting"),
        Just("GetRole"),
        Just("CreateRole"),
        Just("AttachRolePolicy"),
        Just("UpdateAssumeRolePolicy"),
        Just("GetCallerIdentity"),
    ];
    let kind = prop_oneof![
        Just(FaultKind::Throttled),
        Just(FaultKind::Internal500),
        Just(FaultKind::Unavailable503),
        Just(FaultKind::DropBeforeActing),
        Just(FaultKind::DropAfterActing),
        Just(FaultKind::Garbage),
    ];
    let faults = prop::collection::vec((operation, kind, 1u32..3), 0..4);
    (settings, role, faults, prop::collection::vec(any::<bool>(), NAMED.len()))
        .prop_map(|(settings, role, faults, enabled)| World { settings, role, faults, enabled })
}

fn spec(world: &World) -> String {
    let states = world.enabled.iter().map(|enabled| if *enabled { "enabled" } else { "disabled" });
    let regions: Vec<String> = NAMED.iter().zip(states).map(|(region, state)| format!("{region}: {state}")).collect();
    // Three regions may be all that are on.
    format!("{{regions: {{{}}}, guard: {{resets: {{count: 3}}}}}}", regions.join(", "))
}

fn build(world: &World, account: &AccountHandle) {
    account.put_role(Role::trusting_ssm("/", "Theirs"));
    if let Some((trust, attached)) = world.role {
        let attached = if attached { vec![POLICY.to_owned()] } else { Vec::new() };
        account.put_role(Role { attached, ..Role::new("/service-role/", ROLE, trust) });
    }
    for (region, value) in &world.settings {
        if let Some(value) = value {
            account.set_setting(region, value, MALLORY);
        }
    }
}

async fn check(world: World) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    build(&world, &account);
    for (operation, kind, times) in &world.faults {
        sandbox.inject(Fault::new(kind.clone()).operation(operation).times(*times));
    }
    let foreign: Vec<_> = FOREIGN.iter().map(|region| account.setting(region)).collect();
    let theirs = account.role("Theirs");
    let (spec, credentials) = (spec(&world), credentials_of(&sandbox));

    // The faults are counted out, so that a pass or two later nothing stands in the way.
    once(&spec, &sandbox.url(), &credentials).await;
    sandbox.clear_faults();
    assert_eq!(once(&spec, &sandbox.url(), &credentials).await, PassResult::InSync, "{world:?}");
    for (region, enabled) in NAMED.iter().zip(&world.enabled) {
        assert_eq!(account.setting(region).value.as_deref(), enabled.then_some(VALUE), "{region} of {world:?}");
    }
    if world.enabled.contains(&true) {
        let role = account.role(ROLE).expect("the role exists");
        assert!(role.attached.contains(&POLICY.to_owned()) && role.trust_policy.contains("ssm.amazonaws.com"), "{world:?}");
    }

    sandbox.journal().clear();
    assert_eq!(once(&spec, &sandbox.url(), &credentials).await, PassResult::InSync);
    assert_eq!(sandbox.journal().writes().len(), 0, "a converged state is written to: {world:?}");
    assert_eq!(FOREIGN.iter().map(|region| account.setting(region)).collect::<Vec<_>>(), foreign);
    assert_eq!(account.role("Theirs"), theirs);
}

#[test]
fn from_any_state_and_through_any_faults_the_declared_state_is_reached_and_nothing_else_is_touched() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let result = runner.run(&world(), |world| {
        runtime.block_on(check(world));
        Ok(())
    });
    result.unwrap();
}
