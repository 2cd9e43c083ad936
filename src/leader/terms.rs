//! What a replica does about the lease, as it knows it. Pure: the rules of client-go (`tools/leaderelection`).
//!
//! The times in a lease are written by other machines' clocks and are never compared with this one's. What counts is when a change of the lease
//! was seen here: whoever holds it renewed it before that, so that nobody takes it too early, however wrong a clock is.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::LeaseSpec;
use tokio::time::Instant;

/// How long each thing may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How long a lease is left to its holder after the last renewal that was seen. Whole seconds: a Lease knows no others.
    pub lease_duration: Duration,
    /// How long after its last renewal the holder may write.
    pub renew_deadline: Duration,
    /// From one attempt to the next.
    pub retry_period: Duration,
}

/// With these times there might be two leaders, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// A Lease has no other ones.
    #[error("--leader-elect-lease-duration is in whole seconds, as a Lease writes it")]
    NotWholeSeconds,
    /// The holder would write when others may already.
    #[error(
        "--leader-elect-renew-deadline has to be at least a second shorter than --leader-elect-lease-duration: between the two, the last \
         write arrives"
    )]
    DeadlineTooLong,
    /// One call that gets no answer would leave no time for another.
    #[error(
        "--leader-elect-retry-period has to be at most a third of --leader-elect-renew-deadline, so that one renewal that gets no answer loses \
         nothing"
    )]
    RetryTooLong,
}

impl Timing {
    /// Whether these times go together.
    pub fn check(self) -> Result<Self, TimingError> {
        if self.lease_duration.subsec_nanos() != 0 {
            return Err(TimingError::NotWholeSeconds);
        }
        if self.renew_deadline + Duration::from_secs(1) > self.lease_duration {
            return Err(TimingError::DeadlineTooLong);
        }
        if self.retry_period * 3 > self.renew_deadline {
            return Err(TimingError::RetryTooLong);
        }
        Ok(self)
    }

    /// How long a call to the API server may take: when the first renewal gets no answer, there is as long for a second.
    #[must_use]
    pub fn call_time(self) -> Duration {
        self.renew_deadline.saturating_sub(self.retry_period) / 2
    }
}

/// The lease as it was last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Sighting {
    /// What it said.
    pub spec: LeaseSpec,
    /// When it began to say that, or later: when this replica first saw it.
    pub since: Instant,
    /// Whether it is still there.
    pub presence: Presence,
}

/// Whether a lease that was seen is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    There,
    /// Somebody has deleted it. Its holder may not know yet.
    Deleted,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Make one that says that this replica holds it.
    Create,
    /// Write that this replica holds it.
    Take,
    /// Write that this replica still holds it.
    Renew,
    /// It is another's, until then at least.
    LeaveUntil(Instant),
}

impl Sighting {
    /// The same after another look. To say the same again is not to renew.
    #[must_use]
    pub fn of(before: Option<Self>, spec: LeaseSpec, now: Instant) -> Self {
        let since = before.filter(|before| before.spec == spec).map_or(now, |before| before.since);
        Self { spec, since, presence: Presence::There }
    }

    /// Who holds it. Nobody, where it was given back.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// When others may take it. The holder has promised its own duration, which may be another than this replica's.
    fn ends(&self, own: Duration) -> Instant {
        let promised = self.spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        self.since + promised.map_or(own, Duration::from_secs)
    }
}

/// What to do about a lease. `None`: it was never seen, and is not there.
#[must_use]
pub fn next_move(me: &str, seen: Option<&Sighting>, timing: Timing, now: Instant) -> Move {
    let Some(seen) = seen else { return Move::Create };
    let ends = seen.ends(timing.lease_duration);
    let was_held = seen.spec.lease_duration_seconds.is_some();
    match (seen.holder(), seen.presence) {
        (Some(holder), _) if holder != me && now < ends => Move::LeaveUntil(ends),
        // Whoever gives a lease back writes a second. Whoever emptied it by hand did not ask the holder.
        (None, _) if was_held && now < ends => Move::LeaveUntil(ends),
        (_, Presence::Deleted) => Move::Create,
        (Some(holder), Presence::There) if holder == me => Move::Renew,
        (_, Presence::There) => Move::Take,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMING: Timing = Timing {
        lease_duration: Duration::from_secs(15),
        renew_deadline: Duration::from_secs(10),
        retry_period: Duration::from_secs(2),
    };

    fn held_by(holder: &str) -> LeaseSpec {
        LeaseSpec { holder_identity: Some(holder.to_owned()), lease_duration_seconds: Some(15), ..LeaseSpec::default() }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_defaults_of_kubernetes_go_together_and_others_have_to() {
        assert_eq!(TIMING.check(), Ok(TIMING));
        let wrong = |timing: Timing| timing.check().unwrap_err();
        assert_eq!(wrong(Timing { lease_duration: Duration::from_millis(15_500), ..TIMING }), TimingError::NotWholeSeconds);
        assert_eq!(wrong(Timing { renew_deadline: Duration::from_millis(14_001), ..TIMING }), TimingError::DeadlineTooLong);
        assert_eq!(wrong(Timing { retry_period: Duration::from_millis(3_334), ..TIMING }), TimingError::RetryTooLong);
    }

    proptest! {
        /// Both are begun as late as they may be: the first a retry period after the renewal that counts, the second when the first is given up
        /// or is due by itself.
        #[test]
        fn a_renewal_that_gets_no_answer_leaves_time_for_a_whole_other_one(deadline in 3u64..60_000, part in 0.0..1.0) {
            let renew_deadline = Duration::from_millis(deadline);
            let timing = Timing { lease_duration: seconds(120), renew_deadline, retry_period: (renew_deadline / 3).mul_f64(part) };
            prop_assert_eq!(timing.check(), Ok(timing));
            let second = timing.retry_period + timing.call_time().max(timing.retry_period);
            prop_assert!(second + timing.call_time() <= timing.renew_deadline);
        }
    }

    #[test]
    fn a_lease_that_is_not_there_is_made_and_one_that_was_never_held_is_taken() {
        let now = Instant::now();
        assert_eq!(next_move("me", None, TIMING, now), Move::Create);
        let seen = Sighting::of(None, LeaseSpec::default(), now);
        assert_eq!(next_move("me", Some(&seen), TIMING, now), Move::Take);
    }

    #[test]
    fn a_lease_that_was_given_back_is_taken_after_a_second_and_one_that_was_emptied_by_hand_when_it_would_have_ended() {
        let now = Instant::now();
        let given_back = LeaseSpec { lease_duration_seconds: Some(1), ..held_by("") };
        for (nobody, ends) in [(given_back, seconds(1)), (held_by(""), seconds(15))] {
            let seen = Sighting::of(None, nobody, now);
            assert_eq!(next_move("me", Some(&seen), TIMING, now), Move::LeaveUntil(now + ends));
            assert_eq!(next_move("me", Some(&seen), TIMING, now + ends), Move::Take);
        }
    }

    #[test]
    fn the_holder_renews_however_late_it_is() {
        let now = Instant::now();
        let seen = Sighting::of(None, held_by("me"), now);
        assert_eq!(next_move("me", Some(&seen), TIMING, now + seconds(3600)), Move::Renew);
    }

    #[test]
    fn the_lease_of_another_is_taken_when_no_renewal_was_seen_for_its_duration_and_no_sooner() {
        let now = Instant::now();
        let seen = Sighting::of(None, held_by("other"), now);
        let seen = Sighting::of(Some(seen), held_by("other"), now + seconds(14));
        assert_eq!(next_move("me", Some(&seen), TIMING, now + seconds(14)), Move::LeaveUntil(now + seconds(15)));
        assert_eq!(next_move("me", Some(&seen), TIMING, now + seconds(15)), Move::Take);
    }

    #[test]
    fn a_lease_that_was_deleted_is_still_its_holders_until_it_ends() {
        let now = Instant::now();
        let seen = Sighting { presence: Presence::Deleted, ..Sighting::of(None, held_by("other"), now) };
        assert_eq!(next_move("me", Some(&seen), TIMING, now + seconds(14)), Move::LeaveUntil(now + seconds(15)));
        assert_eq!(next_move("me", Some(&seen), TIMING, now + seconds(15)), Move::Create);
        let own = Sighting { presence: Presence::Deleted, ..Sighting::of(None, held_by("me"), now) };
        assert_eq!(next_move("me", Some(&own), TIMING, now), Move::Create);
    }

    proptest! {
        /// Whatever others wrote in it, by whatever clock, and whenever this replica looks: what the holder may still do is over when it is taken.
        #[test]
        fn nobody_takes_a_lease_while_its_holder_may_write(
            renewals in proptest::collection::vec((0u64..12, 0u64..30), 1..20),
            duration in 11i32..60,
            skew in any::<i64>(),
            late in 0u64..100,
        ) {
            let start = Instant::now();
            let (mut at, mut seen) = (start, None);
            let mut renewed = start;
            for (number, (gap, delay)) in renewals.into_iter().enumerate() {
                renewed = at;
                let time = k8s_openapi::jiff::Timestamp::from_second(skew % 1_000_000_000 + i64::try_from(number).unwrap()).unwrap();
                let spec = LeaseSpec {
                    lease_duration_seconds: Some(duration),
                    renew_time: Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime(time)),
                    ..held_by("other")
                };
                seen = Some(Sighting::of(seen, spec, at + seconds(delay)));
                at += seconds(gap);
            }
            let now = renewed + seconds(late);
            if next_move("me", seen.as_ref(), TIMING, now) == Move::Take {
                prop_assert!(now >= renewed + seconds(u64::try_from(duration).unwrap()));
                prop_assert!(now > renewed + TIMING.renew_deadline);
            }
        }
    }
}
