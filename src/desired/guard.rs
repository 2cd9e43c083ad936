//! How much one change may take away before somebody has to confirm it.
//!
//! An instance without a profile drops out of Systems Manager when its region's setting is reset, and a role that loses
//! policies may take its instances with it. So a change that would take away a lot is held until the document names that
//! very change in `spec.guard.confirm`.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::names::InvalidName;

/// `spec.guard`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredGuard {
    /// For settings that are reset.
    pub resets: Limit,
    /// For policies that are detached.
    pub detachments: Limit,
    /// The change that somebody has looked at and wants.
    pub confirm: Option<ChangeId>,
}

/// How much is a lot: more than both of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many.
    pub count: u32,
    /// This part of those that there are, in hundredths.
    pub percent: u32,
}

impl Limit {
    /// What applies to a number that the document leaves out.
    pub const DEFAULT: Self = Self { count: 2, percent: 20 };

    /// Whether to take away this many, of so many that there are, is a lot.
    #[must_use]
    pub fn is_exceeded(self, taken: usize, of: usize) -> bool {
        let (taken, of) = (taken as u128, of as u128);
        // Nobody takes away more than there is, though not all that there is may have been seen.
        self.percent < 100 && taken > u128::from(self.count) && taken * 100 > of * u128::from(self.percent)
    }
}

impl Default for Limit {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "more than {} and more than {}%", self.count, self.percent)
    }
}

/// Names one change: when it was held, and a digest of what is declared to be taken away. Another change has another digest,
/// and the same change made again another time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeId {
    /// When it was held, in UTC, to the second.
    pub held_at: DateTime,
    /// The first bytes of a SHA-256.
    pub digest: [u8; 5],
}

/// As it is written.
const HELD_AT: &str = "%Y-%m-%d-%H%M%S";

impl ChangeId {
    /// For how long after it was held a change can be confirmed.
    const GOOD_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);
    /// The clock of another machine may be ahead by as much.
    const AHEAD: SignedDuration = SignedDuration::from_hours(24);

    /// A change that is held now.
    #[must_use]
    pub fn held(now: Timestamp, digest: [u8; 5]) -> Self {
        let now = TimeZone::UTC.to_datetime(now);
        Self { held_at: now.with().subsec_nanosecond(0).build().unwrap_or(now), digest }
    }

    /// Whether a confirmation of this change still counts, or has been forgotten in the document.
    #[must_use]
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        let age = TimeZone::UTC.to_datetime(now).duration_since(self.held_at);
        age >= -Self::AHEAD && age <= Self::GOOD_FOR
    }
}

impl fmt::Display for ChangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.held_at.strftime(HELD_AT))?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ChangeId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        read(text).ok_or_else(|| {
            InvalidName(
                "not the name of a change: copy it from the log line or the status that tells of the held change".to_owned(),
            )
        })
    }
}

fn read(text: &str) -> Option<ChangeId> {
    let (held_at, hex) = text.rsplit_once('-')?;
    let mut digest = [0; 5];
    if hex.len() != 2 * digest.len() || !hex.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')) {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    let id = ChangeId { held_at: DateTime::strptime(HELD_AT, held_at).ok()?, digest };
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lot_is_more_than_both_limits() {
        let limit = Limit::DEFAULT;
        let rows = [(2, 2, false), (3, 3, true), (3, 14, true), (3, 15, false), (4, 17, true), (4, 20, false), (5, 20, true)];
        for (taken, of, expected) in rows {
            assert_eq!(limit.is_exceeded(taken, of), expected, "{taken} of {of}");
        }
        let off = Limit { percent: 100, ..limit };
        assert!(!off.is_exceeded(17, 17) && !off.is_exceeded(17, 0), "nobody can take away more than there is");
        let none = Limit { count: 0, percent: 0 };
        assert!(none.is_exceeded(1, 340_000) && !none.is_exceeded(0, 0));
    }

    #[test]
    fn the_name_of_a_change_is_read_as_it_is_written_and_nothing_else_is() {
        let now = "2026-03-09T07:08:09.123Z".parse().unwrap();
        let id = ChangeId::held(now, [0x4f, 0x1c, 0x9a, 0x2b, 0x07]);
        assert_eq!(id.to_string(), "2026-03-09-070809-4f1c9a2b07");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "",
            "yes",
            "2026-03-09-070809",
            "2026-03-09-070809-4f1c9a2b0",
            "2026-03-09-070809-4F1C9A2B07",
            "2026-13-09-070809-4f1c9a2b07",
            "2026-03-09-4f1c9a2b07",
            "2026-03-09-070809-+f1c9a2b07",
        ] {
            assert!(text.parse::<ChangeId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_confirmation_that_was_forgotten_in_the_document_does_not_count() {
        let id: ChangeId = "2026-03-09-120000-4f1c9a2b07".parse().unwrap();
        let good = |text: &str| id.is_good_at(text.parse().unwrap());
        assert_eq!(
            ["2026-03-08T11:00:00Z", "2026-03-08T13:00:00Z", "2026-03-16T11:00:00Z", "2026-03-16T13:00:00Z"].map(good),
            [false, true, true, false]
        );
    }
}
