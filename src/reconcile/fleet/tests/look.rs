//! A pass that only looks: what it says would be done, and that nothing is.

use super::*;
use crate::observed::Change as LastChange;
use crate::reconcile::aim::Aim;

/// Looks once, and answers what would be done to each target, in the order of the targets, and how often AWS was called.
async fn look(cloud: &Arc<FakeCloud>, spec: &str, aim: &str) -> BTreeMap<String, Vec<String>> {
    let (board, stop) = (Arc::new(StatusBoard::default()), CancellationToken::new());
    let (witness, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let aim = if aim.is_empty() { Aim::Everything } else { aim.parse().unwrap() };
    let purpose = Purpose { intent: Intent::Look, aim, witness: Some(witness) };
    fleet(WORKERS, cloud, &board, &stop).run_once(state(spec), purpose).await;
    let mut intended = BTreeMap::new();
    while let Some(look) = looks.recv().await {
        intended.insert(look.target.to_string(), look.outcome.intended);
    }
    intended
}

fn writes(cloud: &FakeCloud) -> Vec<String> {
    let is_read = |call: &String| ["identity", "regions", "role", "read ", "members"].iter().any(|read| call.starts_with(read));
    cloud.names().into_iter().filter(|call| !is_read(call)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_look_tells_what_would_be_done_as_if_it_were_done_in_turn_and_writes_nothing() {
    let cloud = Arc::new(FakeCloud::default());
    cloud.settings.lock().unwrap().insert("eu-west-1".parse().unwrap(), "Mallorys".to_owned());
    let intended = look(&cloud, "{regions: {us-east-1: enabled, eu-west-1: disabled}}", "").await;
    let expected = [
        ("own/account", vec![]),
        ("own/eu-west-1", vec!["reset setting".to_owned()]),
        (
            "own/role",
            vec![
                format!("create role /{VALUE}"),
                "attach policy arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy".to_owned(),
            ],
        ),
        ("own/us-east-1", vec![format!("update setting to {VALUE}")]),
    ];
    assert_eq!(intended, expected.map(|(target, what)| (target.to_owned(), what)).into());
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_setting_waits_in_a_look_for_a_role_that_is_only_observed() {
    let cloud = Arc::new(FakeCloud::default());
    let intended = look(&cloud, "{mode: observe, regions: {us-east-1: {state: enabled, mode: enforce}}}", "").await;
    assert_eq!((intended["own/role"].len(), intended["own/us-east-1"].len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_look_at_one_target_looks_at_nothing_else_but_what_it_stands_on() {
    let cloud = Arc::new(FakeCloud::default());
    let spec = "{regions: {us-east-1: enabled, eu-west-1: disabled}}";
    let names = |intended: BTreeMap<String, Vec<String>>| intended.into_keys().collect::<Vec<_>>();
    assert_eq!(names(look(&cloud, spec, "own/us-east-1").await), ["own/account", "own/role", "own/us-east-1"]);
    assert_eq!(names(look(&cloud, spec, "own/eu-west-1").await), ["own/account", "own/eu-west-1"]);
    assert_eq!(names(look(&cloud, spec, "own/role").await), ["own/account", "own/role"]);
    assert_eq!(names(look(&cloud, spec, "222233334444").await), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_look_does_not_wait_long_for_what_fails() {
    let cloud = Arc::new(FakeCloud::default());
    cloud.trouble("read us-east-1", Trouble::Fails(ErrorKind::Unavailable));
    let began = Instant::now();
    look(&cloud, "{regions: {us-east-1: enabled}}", "").await;
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(cloud.times("read us-east-1").len() > 1, "a blip is waited out");
}

/// What is detached waits until it is counted, in the very look in which AWS refuses the rest.
#[tokio::test(start_paused = true)]
async fn a_pass_does_not_wait_for_a_role_of_which_a_part_was_refused_and_a_part_was_not_counted_yet() {
    let cloud = Arc::new(FakeCloud::default());
    let once = async |spec: &str| {
        let (board, stop) = (Arc::new(StatusBoard::default()), CancellationToken::new());
        let began = Instant::now();
        fleet(WORKERS, &cloud, &board, &stop).run_once(state(spec), Purpose::default()).await;
        (began.elapsed(), board.count(State::Blocked))
    };
    once("{regions: {us-east-1: enabled}}").await;
    cloud.role.lock().unwrap().as_mut().unwrap().attached.insert("arn:aws:iam::aws:policy/A".to_owned());
    cloud.trouble("tag role", Trouble::Fails(ErrorKind::Denied));
    let (took, blocked) = once("{regions: {us-east-1: enabled}, role: {exclusivePolicies: true, tags: {a: b}}}").await;
    assert_eq!(blocked, 1);
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn who_changed_a_target_last_comes_with_the_look() {
    let cloud = Arc::new(FakeCloud::default());
    let (region, by) = ("us-east-1".parse().unwrap(), "arn:aws:iam::111122223333:user/mallory");
    cloud.changed.lock().unwrap().insert(region, LastChange { by: by.to_owned(), at: None });
    let (board, stop) = (Arc::new(StatusBoard::default()), CancellationToken::new());
    let (witness, mut looks) = tokio::sync::mpsc::unbounded_channel();
    let purpose = Purpose { intent: Intent::Look, witness: Some(witness), ..Purpose::default() };
    fleet(WORKERS, &cloud, &board, &stop).run_once(state("{regions: {us-east-1: enabled}}"), purpose).await;
    let mut told = None;
    while let Some(look) = looks.recv().await {
        told = look.outcome.changed_before.map(|change| change.by).or(told);
    }
    assert_eq!(told.as_deref(), Some(by));
}
