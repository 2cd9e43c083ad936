//! Whether this machine's clock agrees with AWS's. Pure: both times are parameters.

use std::time::Duration;

use super::examined::ClockReading;
use super::finding::{Check, Finding};

/// AWS refuses what was signed longer ago than this, or as long ahead (IAM user guide, Signature Version 4).
const LIMIT: Duration = Duration::from_mins(5);
/// A clock that is kept is right to the second. AWS tells whole ones, and an answer takes some of them on its way.
const KEPT: Duration = Duration::from_secs(10);

/// Judges the difference.
#[must_use]
pub fn judge(reading: ClockReading) -> Finding {
    let ahead = reading.here.duration_since(reading.aws);
    let off = Duration::from_secs(ahead.unsigned_abs().as_secs());
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    let told = format!("this machine's clock is {} {way} AWS's", humantime::format_duration(off));
    if off > LIMIT {
        Finding::problem(
            Check::Clock,
            format!("{told}; AWS refuses what was signed more than 5 minutes off"),
            "have the clock set by NTP (chrony, systemd-timesyncd): the controller goes by AWS's clock once it was refused, \
             which costs refused calls; nothing else on this machine does",
        )
    } else if off > KEPT {
        Finding::warning(
            Check::Clock,
            format!("{told}; from 5 minutes on AWS refuses signatures"),
            "have the clock set by NTP (chrony, systemd-timesyncd) before it is further off",
        )
    } else {
        Finding::ok(Check::Clock, "this machine's clock agrees with AWS's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Level;
    use jiff::{SignedDuration, Timestamp};

    fn judged(seconds_ahead: i64) -> Finding {
        let aws: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        judge(ClockReading { here: aws + SignedDuration::from_secs(seconds_ahead), aws })
    }

    #[test]
    fn a_clock_is_good_for_seconds_and_of_no_use_beyond_five_minutes() {
        for (seconds, level) in [
            (0, Level::Ok),
            (10, Level::Ok),
            (-10, Level::Ok),
            (11, Level::Warning),
            (-300, Level::Warning),
            (300, Level::Warning),
            (301, Level::Problem),
            (-301, Level::Problem),
            (365 * 86_400, Level::Problem),
        ] {
            assert_eq!(judged(seconds).level, level, "{seconds}");
        }
    }

    #[test]
    fn it_says_by_how_much_and_which_way() {
        assert!(judged(600).found.starts_with("this machine's clock is 10m ahead of AWS's;"), "{}", judged(600).found);
        assert!(judged(-61).found.starts_with("this machine's clock is 1m 1s behind AWS's;"), "{}", judged(-61).found);
    }
}
