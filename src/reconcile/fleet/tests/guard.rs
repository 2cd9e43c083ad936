//! A change that takes away a lot is held as a whole until the document names it.

use super::*;
use crate::desired::names::Region;
use crate::status::Held;

const FIVE: [&str; 5] = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-east-2"];

fn declared(state: &str, more: &str) -> Arc<DesiredState> {
    let regions = FIVE.map(|region| format!("{region}: {state}")).join(", ");
    super::state(&format!("{{regions: {{{regions}}}{more}}}"))
}

fn all_on(cloud: &FakeCloud) {
    let on = FIVE.map(|region| (region.parse().unwrap(), VALUE.to_owned()));
    cloud.settings.lock().unwrap().extend(on);
}

impl Running {
    fn declare(&self, state: Arc<DesiredState>) {
        self.desired.send(state).unwrap();
    }

    fn held(&self) -> Held {
        self.board.figures(Timestamp::UNIX_EPOCH, crate::status::Detail::EveryTarget).held
    }

    fn resets(&self) -> usize {
        self.cloud.names().iter().filter(|call| call.starts_with("reset setting")).count()
    }

    fn states(&self) -> BTreeSet<Option<State>> {
        FIVE.iter().map(|region| self.state_of(region)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_commit_switches_nothing_off_until_it_is_confirmed_by_name() {
    let running = run_state(declared("enabled", ""), all_on);
    pass(Duration::from_secs(5)).await;
    running.declare(declared("disabled", ""));
    pass(Duration::from_hours(1)).await;
    assert_eq!((running.resets(), running.states()), (0, BTreeSet::from([Some(State::Held)])));
    let held = running.held();
    let change = held.confirm.expect("the change has a name");
    assert_eq!((held.resets, held.detachments), (5, 0));

    running.declare(declared("disabled", &format!(", guard: {{confirm: {change}}}")));
    pass(Duration::from_secs(5)).await;
    assert_eq!((running.resets(), running.states()), (5, BTreeSet::from([Some(State::InSync)])));
    assert_eq!(running.held(), Held::default());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_same_commit_at_start_is_held_as_well() {
    let running = run_state(declared("disabled", ""), all_on);
    pass(Duration::from_hours(1)).await;
    assert_eq!((running.resets(), running.held().resets), (0, 5));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_that_is_left_lying_around_does_not_count_for_the_next_change_nor_for_the_same_made_again() {
    let running = run_state(declared("disabled", ""), all_on);
    pass(Duration::from_secs(5)).await;
    let confirm = format!(", guard: {{confirm: {}}}", running.held().confirm.unwrap());
    // Another change: one more region.
    let regions = FIVE.map(|region| format!("{region}: disabled")).join(", ");
    let other = format!("{{regions: {{{regions}, sa-east-1: disabled}}{confirm}}}");
    running.declare(super::state(&other));
    pass(Duration::from_secs(5)).await;
    assert_eq!((running.resets(), running.held().resets), (0, 5), "another change than was confirmed");
    running.declare(declared("disabled", &confirm));
    pass(Duration::from_secs(5)).await;
    assert_eq!(running.resets(), 5);
    running.declare(declared("enabled", &confirm));
    pass(Duration::from_secs(5)).await;
    assert_eq!(running.states(), BTreeSet::from([Some(State::InSync)]));
    running.declare(declared("disabled", &confirm));
    pass(Duration::from_hours(1)).await;
    assert_eq!((running.resets(), running.held().resets), (5, 5), "the same change a second time");
    let anew = running.held().confirm.unwrap();
    assert!(!confirm.contains(&anew.to_string()));
    running.declare(declared("disabled", &format!(", guard: {{confirm: {anew}}}")));
    pass(Duration::from_secs(5)).await;
    assert_eq!((running.resets(), running.held()), (10, Held::default()), "it has a name of its own");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn up_to_the_limit_nobody_has_to_confirm_and_one_more_holds_them_all() {
    let spec = |off: &[&str]| {
        let word = |region: &&str| if off.contains(region) { "disabled" } else { "enabled" };
        super::state(&format!("{{regions: {{{}}}}}", FIVE.map(|region| format!("{region}: {}", word(&region))).join(", ")))
    };
    for (off, resets) in [(&FIVE[..2], 2), (&FIVE[..3], 0)] {
        let running = run_state(spec(&[]), all_on);
        pass(Duration::from_secs(5)).await;
        running.declare(spec(off));
        pass(Duration::from_mins(1)).await;
        assert_eq!(running.resets(), resets, "{off:?}");
        running.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_limits_are_the_documents() {
    let guard = ", guard: {resets: {count: 5}}";
    let running = run_state(declared("disabled", guard), all_on);
    pass(Duration::from_secs(5)).await;
    assert_eq!(running.resets(), 5);
    running.end().await;
    let one_is_a_lot = ", guard: {resets: {count: 0, percent: 0}}";
    let running = run_state(declared("disabled", one_is_a_lot), |cloud| {
        cloud.settings.lock().unwrap().insert("eu-west-1".parse().unwrap(), VALUE.to_owned());
    });
    pass(Duration::from_hours(1)).await;
    assert_eq!((running.resets(), running.held().resets), (0, 1));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn somebody_who_switches_regions_on_that_were_seen_off_is_corrected_however_many_they_are() {
    let running = run_state(declared("disabled", ""), |_| {});
    pass(Duration::from_secs(5)).await;
    all_on(&running.cloud);
    pass(Duration::from_mins(6)).await;
    assert_eq!((running.resets(), running.held()), (5, Held::default()));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn regions_that_come_back_one_by_one_do_not_slip_under_the_limit() {
    let running = run_state(declared("disabled", ""), |cloud| {
        all_on(cloud);
        for region in &FIVE[2..] {
            cloud.trouble(&format!("read {region}"), Trouble::Fails(ErrorKind::Throttled));
        }
    });
    pass(Duration::from_mins(1)).await;
    assert_eq!((running.resets(), running.held().resets), (0, 2), "what could not be read may be a lot");
    for region in &FIVE[2..] {
        running.cloud.trouble.lock().unwrap().remove(&format!("read {region}"));
        pass(Duration::from_mins(10)).await;
    }
    assert_eq!((running.resets(), running.held().resets), (0, 5), "all that the change takes away is counted together");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn neither_an_outage_nor_growth_elsewhere_lets_a_held_change_through() {
    let running = run_state(declared("disabled", ""), all_on);
    pass(Duration::from_secs(5)).await;
    assert_eq!(running.held().resets, 5);
    for region in FIVE {
        running.cloud.trouble(&format!("read {region}"), Trouble::Fails(ErrorKind::Unavailable));
    }
    pass(Duration::from_mins(20)).await;
    running.cloud.trouble.lock().unwrap().clear();
    pass(Duration::from_mins(20)).await;
    assert_eq!((running.resets(), running.held().resets), (0, 5), "after an outage");
    let more: Vec<String> = crate::desired::regions::known()
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| name.starts_with("ap-"))
        .map(|name| format!("{name}: enabled"))
        .collect();
    let off = FIVE.map(|region| format!("{region}: disabled")).join(", ");
    running.declare(super::state(&format!("{{regions: {{{off}, {}}}}}", more.join(", "))));
    pass(Duration::from_mins(20)).await;
    assert!(more.len() > 10, "{}", more.len());
    assert_eq!((running.resets(), running.held().resets), (0, 5), "as part of another change");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn while_nobody_knows_which_regions_are_open_all_of_them_may_go() {
    let open = |cloud: &FakeCloud| cloud.open.lock().unwrap().extend(FIVE.map(|region| region.parse::<Region>().unwrap()));
    let running = run("{regions: {eu-west-1: disabled}, otherRegions: disabled}", |cloud| {
        cloud.settings.lock().unwrap().insert("eu-west-1".parse().unwrap(), VALUE.to_owned());
        open(cloud);
        cloud.trouble("regions", Trouble::Fails(ErrorKind::Throttled));
    });
    pass(Duration::from_mins(10)).await;
    assert_eq!((running.resets(), running.held().resets), (0, 1));
    running.cloud.trouble.lock().unwrap().clear();
    pass(Duration::from_mins(10)).await;
    assert_eq!((running.resets(), running.held()), (1, Held::default()), "there was no more to it");
    running.end().await;
    let running = run("{regions: {eu-west-1: disabled}, otherRegions: disabled}", |cloud| {
        cloud.settings.lock().unwrap().insert("eu-west-1".parse().unwrap(), VALUE.to_owned());
        open(cloud);
    });
    pass(Duration::from_mins(1)).await;
    assert_eq!((running.resets(), running.held()), (1, Held::default()), "the others are off already");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_single_pass_holds_what_it_holds_and_ends() {
    let (cloud, board, stop) = (Arc::new(FakeCloud::default()), Arc::new(StatusBoard::default()), CancellationToken::new());
    all_on(&cloud);
    fleet(WORKERS, &cloud, &board, &stop).run_once(declared("disabled", ""), Purpose::default()).await;
    assert_eq!(cloud.names().iter().filter(|call| call.starts_with("reset")).count(), 0);
    assert_eq!(board.count(State::Held), 5);

    let (board, two) = (Arc::new(StatusBoard::default()), super::state("{regions: {eu-west-1: disabled, eu-west-2: disabled}}"));
    fleet(WORKERS, &cloud, &board, &stop).run_once(two, Purpose::default()).await;
    assert_eq!(cloud.names().iter().filter(|call| call.starts_with("reset")).count(), 2);
    assert_eq!(board.count(State::InSync), 3);
}

#[tokio::test(start_paused = true)]
async fn policies_are_not_detached_by_the_dozen_either() {
    let extra = |cloud: &FakeCloud, names: &[&str]| {
        let mut role = cloud.role.lock().unwrap();
        role.as_mut().unwrap().attached.extend(names.iter().map(|name| format!("arn:aws:iam::aws:policy/{name}")));
    };
    let spec = |more: &str| super::state(&format!("{{regions: {{eu-west-1: enabled}}{more}}}"));
    let running = run_state(spec(""), |_| {});
    pass(Duration::from_secs(5)).await;
    extra(&running.cloud, &["A", "B", "C"]);
    running.declare(spec(", role: {exclusivePolicies: true, tags: {a: b}}"));
    pass(Duration::from_mins(6)).await;
    let detached = |cloud: &FakeCloud| cloud.names().iter().filter(|call| *call == "detach policy").count();
    assert_eq!((detached(&running.cloud), running.state_of("role")), (0, Some(State::Held)));
    assert_eq!(running.cloud.times("tag role").len(), 1, "what takes nothing away is done");
    let held = running.held();
    assert_eq!((held.resets, held.detachments), (0, 3));

    let confirm = format!(", role: {{exclusivePolicies: true, tags: {{a: b}}}}, guard: {{confirm: {}}}", held.confirm.unwrap());
    running.declare(spec(&confirm));
    pass(Duration::from_mins(6)).await;
    assert_eq!((detached(&running.cloud), running.state_of("role")), (3, Some(State::InSync)));
    extra(&running.cloud, &["A", "B", "C"]);
    pass(Duration::from_mins(6)).await;
    assert_eq!(detached(&running.cloud), 6, "attached behind our back, they are drift");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_only_observed_makes_no_change_any_smaller() {
    let known = crate::desired::regions::known().iter().map(|(name, _)| *name);
    let others: Vec<&str> = known.filter(|name| name.starts_with("ap-") && !FIVE.contains(name)).collect();
    let observed = others.iter().map(|region| format!("{region}: {{state: enabled, mode: observe}}"));
    let off = FIVE[..3].iter().map(|region| format!("{region}: disabled"));
    let spec = super::state(&format!("{{regions: {{{}}}}}", observed.chain(off).collect::<Vec<_>>().join(", ")));
    let running = run_state(spec, |cloud| {
        let mut settings = cloud.settings.lock().unwrap();
        settings.extend(others.iter().chain(&FIVE[..3]).map(|region| (region.parse().unwrap(), VALUE.to_owned())));
    });
    pass(Duration::from_mins(1)).await;
    assert!(others.len() > 12, "three would be less than a fifth of {}", others.len());
    assert_eq!((running.resets(), running.held().resets), (0, 3));
    running.end().await;
}
