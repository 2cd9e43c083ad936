//! When to look again. Pure: the outcome, the failures so far and a random number in, a delay out.
//!
//! ```text
//! after                        | delay
//! -----------------------------+------------------------------------------------------------
//! nothing to do, held, drifted | the interval, 10% more or less, so that regions do not march in step
//! AWS is still applying        | 1 s, 2 s, 4 s ... the interval or a minute, whichever is less
//! throttled, no answer, a race | random in (half, whole) of 1 s, 2 s, 4 s ... 5 min
//! refused                      | random in (half, whole) of 30 s, 1 min, 2 min ... 15 min
//! ```

use std::time::Duration;

use crate::cloud::Retry;
use crate::outcome::Next;
use crate::target::ResourceKind;

/// How often everything is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// From one look at a target to the next, when all is well.
    pub interval: Duration,
    /// From one list of the organization's accounts to the next.
    pub organization_interval: Duration,
    /// When all is not well.
    pub waits: Waits,
}

/// How long to wait after a look that did not come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For something that will pass by itself.
    pub passing: Doubling,
    /// For AWS to finish what it says it is doing.
    pub applying: Doubling,
    /// For a person.
    pub refused: Doubling,
}

/// A wait that doubles each time, up to a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubling {
    /// After the first look.
    pub first: Duration,
    /// What no wait is longer than.
    pub longest: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            passing: Doubling { first: second, longest: Duration::from_mins(5) },
            applying: Doubling { first: second, longest: Duration::from_mins(1) },
            // Soon enough for the person who is fixing the permission right now.
            refused: Doubling { first: Duration::from_secs(30), longest: Duration::from_mins(15) },
        }
    }
}

impl Schedule {
    /// What applies to a kind of target.
    #[must_use]
    pub fn interval_of(self, kind: ResourceKind) -> Duration {
        match kind {
            ResourceKind::Organization => self.organization_interval,
            ResourceKind::Account | ResourceKind::Role | ResourceKind::Setting => self.interval,
        }
    }

    /// How long to wait until a target is looked at again. `failures` counts the looks in a row, the last one included, that
    /// did not come to an end; `jitter` is random in 0..1.
    #[must_use]
    pub fn delay(self, kind: ResourceKind, next: Next, failures: u32, jitter: f64) -> Duration {
        let interval = self.interval_of(kind);
        match next {
            Next::Interval => interval.mul_f64(0.9 + 0.2 * jitter),
            Next::Soon => self.waits.applying.after(failures).min(interval),
            Next::Retry(Retry::Backoff) => spread(self.waits.passing.after(failures), jitter),
            Next::Retry(Retry::Slow) => spread(self.waits.refused.after(failures), jitter),
        }
    }
}

impl Doubling {
    fn after(self, failures: u32) -> Duration {
        self.first.saturating_mul(2u32.saturating_pow(failures.saturating_sub(1))).min(self.longest)
    }
}

/// Half of the delay is certain, so that a sick target is never asked at once; the other half keeps targets apart.
fn spread(delay: Duration, jitter: f64) -> Duration {
    delay.mul_f64(0.5 + 0.5 * jitter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn every(interval: Duration) -> Schedule {
        Schedule { interval, organization_interval: Duration::from_mins(15), waits: Waits::default() }
    }

    fn delay(next: Next, failures: u32, jitter: f64) -> Duration {
        every(Duration::from_mins(5)).delay(ResourceKind::Setting, next, failures, jitter)
    }

    #[test]
    fn the_delays_are_those_of_the_table() {
        let at = |next, failures, jitter| delay(next, failures, jitter).as_millis();
        assert_eq!(
            [at(Next::Interval, 0, 0.0), at(Next::Interval, 0, 0.5), at(Next::Interval, 0, 1.0)],
            [270_000, 300_000, 330_000]
        );
        assert_eq!([1, 2, 3, 7, 40].map(|failures| at(Next::Soon, failures, 0.7)), [1000, 2000, 4000, 60_000, 60_000]);
        let backoff = Next::Retry(Retry::Backoff);
        assert_eq!([1, 2, 9, 10, 40].map(|failures| at(backoff, failures, 1.0)), [1000, 2000, 256_000, 300_000, 300_000]);
        let slow = Next::Retry(Retry::Slow);
        assert_eq!([1, 2, 5, 6, 40].map(|failures| at(slow, failures, 1.0)), [30_000, 60_000, 480_000, 900_000, 900_000]);
    }

    #[test]
    fn a_short_interval_is_never_made_longer_by_looking_again_soon() {
        let interval = Duration::from_secs(2);
        assert_eq!(every(interval).delay(ResourceKind::Setting, Next::Soon, 9, 0.0), interval);
    }

    proptest! {
        #[test]
        fn no_target_is_ever_retried_at_once_or_forgotten(failures in 1u32..200, jitter in 0.0f64..1.0) {
            for next in [Next::Interval, Next::Soon, Next::Retry(Retry::Backoff), Next::Retry(Retry::Slow)] {
                let delay = delay(next, failures, jitter);
                prop_assert!(delay >= Duration::from_millis(500), "{next:?} {delay:?}");
                prop_assert!(delay <= Waits::default().refused.longest, "{next:?} {delay:?}");
            }
        }
    }
}
