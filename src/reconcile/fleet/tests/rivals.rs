//! Somebody else changes a target back each time: corrections are put off, and he is named.

use super::*;
use crate::desired::names::Region;
use crate::observed;

const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";

impl Running {
    /// Mallory resets the region now, or sets it to this.
    fn undo(&self, value: Option<&str>) {
        let region: Region = "eu-west-1".parse().unwrap();
        let mut settings = self.cloud.settings.lock().unwrap();
        match value {
            Some(value) => drop(settings.insert(region.clone(), value.to_owned())),
            None => drop(settings.remove(&region)),
        }
        let change = observed::Change { by: MALLORY.to_owned(), at: None };
        self.cloud.changed.lock().unwrap().insert(region, change);
    }

    fn corrections(&self) -> usize {
        self.cloud.times("update setting eu-west-1").len()
    }

    /// Mallory looks each minute, and undoes what we did.
    async fn fight(&self, time: Duration, value: Option<&str>) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.undo(value);
            pass(Duration::from_mins(1)).await;
        }
    }

    fn reason(&self) -> String {
        let mut reason = String::new();
        self.board.each(|_, target, status| {
            if target.region_label() == "eu-west-1" {
                reason = status.reason.as_deref().unwrap_or_default().to_owned();
            }
        });
        reason
    }
}

#[tokio::test(start_paused = true)]
async fn after_three_corrections_the_next_is_put_off_twice_as_long_each_time_up_to_a_day() {
    let running = run("{regions: {eu-west-1: enabled}}", |_| {});
    running.fight(Duration::from_hours(1), None).await;
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (3, Some(State::Contended)));
    let reason = running.reason();
    assert!(reason.starts_with(&format!("{MALLORY} changes this back each time: 3 corrections were undone")), "{reason}");
    // After an hour, two more, four more ...; each is found undone at the next look, within an interval.
    let hours = [(2, 4), (3, 4), (4, 5), (8, 6), (16, 7), (24, 8), (24, 9), (24, 10)];
    for (hours, corrections) in hours {
        running.fight(Duration::from_hours(hours), None).await;
        assert!(running.corrections().abs_diff(corrections) <= 1, "{} after {hours} more hours", running.corrections());
    }
    let looks = running.cloud.times("read eu-west-1").len();
    assert!(looks > 1000, "it is looked at all the same: {looks}");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_fight_that_is_over_is_forgotten() {
    let running = run("{regions: {eu-west-1: enabled}}", |_| {});
    running.fight(Duration::from_hours(1), None).await;
    assert_eq!(running.state_of("eu-west-1"), Some(State::Contended));
    pass(Duration::from_hours(5)).await;
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (4, Some(State::InSync)));
    running.undo(None);
    pass(Duration::from_mins(6)).await;
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (5, Some(State::InSync)), "corrected at once again");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn edits_of_the_document_are_nobodys_fight() {
    let running = run("{regions: {eu-west-1: enabled}}", |_| {});
    for edit in 0..20 {
        let word = if edit % 2 == 0 { "disabled" } else { "enabled" };
        running.desired.send(state(&format!("{{regions: {{eu-west-1: {word}}}}}"))).unwrap();
        pass(Duration::from_secs(30)).await;
        assert_eq!(running.state_of("eu-west-1"), Some(State::InSync), "edit {edit}");
    }
    assert_eq!(running.corrections(), 10);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_of_the_target_ends_the_fight_and_one_of_another_does_not() {
    let running = run("{regions: {eu-west-1: enabled}}", |_| {});
    running.fight(Duration::from_hours(1), None).await;
    running.desired.send(state("{regions: {eu-west-1: enabled, eu-west-2: enabled}}")).unwrap();
    pass(Duration::from_mins(6)).await;
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (3, Some(State::Contended)));
    running.desired.send(state("{regions: {eu-west-1: {state: enabled, mode: observe}}}")).unwrap();
    pass(Duration::from_secs(5)).await;
    assert_eq!(running.state_of("eu-west-1"), Some(State::Drifted));
    running.desired.send(state("{regions: {eu-west-1: enabled}}")).unwrap();
    pass(Duration::from_secs(5)).await;
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (4, Some(State::InSync)));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn our_own_write_that_aws_shows_late_is_nobodys_revert() {
    let region: Region = "eu-west-1".parse().unwrap();
    let changed = |by: &str, at: &str| observed::Change { by: by.to_owned(), at: Some(at.parse().unwrap()) };
    let ours = changed("arn:aws:sts::111122223333:assumed-role/c/dhmc", "2026-03-09T12:00:00Z");
    let running = run("{regions: {eu-west-1: enabled}}", |cloud| *cloud.ours.lock().unwrap() = Some(ours));
    for _ in 0..40 {
        pass(Duration::from_mins(6)).await;
        // What was there before our write, as if AWS had never heard of it.
        running.cloud.settings.lock().unwrap().insert(region.clone(), "Old".to_owned());
        running.cloud.changed.lock().unwrap().insert(region.clone(), changed(MALLORY, "2026-03-09T11:00:00Z"));
    }
    assert_ne!(running.state_of("eu-west-1"), Some(State::Contended));
    assert!(running.corrections() > 6, "{}", running.corrections());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn quick_setup_is_named_and_what_to_turn_off() {
    let running = run("{regions: {eu-west-1: disabled}}", |_| {});
    running.fight(Duration::from_hours(2), Some("AWS-QuickSetup-SSM-DefaultEC2MgmtRole-eu-west-1")).await;
    assert_eq!(running.state_of("eu-west-1"), Some(State::Contended));
    let reason = running.reason();
    assert!(reason.contains("turn Default Host Management Configuration off in its configuration"), "{reason}");
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rival_who_is_faster_than_our_read_back_is_given_way_to_as_well() {
    // Whatever is written, AWS shows what he wrote after it.
    let running = run("{regions: {eu-west-1: enabled}}", |cloud| {
        cloud.overruled.lock().unwrap().insert("eu-west-1".parse().unwrap(), "Theirs".to_owned());
    });
    for second in 0..600 {
        let at = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_secs(second);
        *running.cloud.ours.lock().unwrap() = Some(observed::Change { by: MALLORY.to_owned(), at: Some(at) });
        pass(Duration::from_secs(1)).await;
    }
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (3, Some(State::Contended)));
    assert!(running.reason().starts_with(MALLORY), "{}", running.reason());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_write_that_aws_takes_and_never_shows_is_not_repeated_for_ever() {
    let running = run("{regions: {eu-west-1: enabled}}", |cloud| {
        cloud.overruled.lock().unwrap().insert("eu-west-1".parse().unwrap(), "Theirs".to_owned());
    });
    pass(Duration::from_hours(1)).await;
    let corrections = running.corrections();
    assert!(corrections < 30, "{corrections}");
    assert_eq!(running.state_of("eu-west-1"), Some(State::Contended));
    assert!(
        running.reason().starts_with("somebody (AWS does not tell who; CloudTrail does) changes this back each time"),
        "{}",
        running.reason()
    );
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn whoever_puts_up_with_one_correction_makes_one() {
    let (cloud, board, stop) = (Arc::new(FakeCloud::default()), Arc::new(StatusBoard::default()), CancellationToken::new());
    let mut fleet = fleet(WORKERS, &cloud, &board, &stop);
    fleet.rivals = crate::reconcile::rivals::Rivals::new(Rivalry { corrections: 1, ..Rivalry::default() });
    let (desired, receiver) = watch::channel(state("{regions: {eu-west-1: enabled}}"));
    let task = tokio::spawn(fleet.run(receiver));
    let running = Running { cloud, board, desired, stop, task };
    pass(Duration::from_secs(5)).await;
    assert_eq!(running.state_of("eu-west-1"), Some(State::InSync));
    running.fight(Duration::from_mins(30), None).await;
    assert_eq!((running.corrections(), running.state_of("eu-west-1")), (1, Some(State::Contended)));
    running.end().await;
}
