//! The one service setting, per region of an account. Keeps only what differs from the default, because 10,000
//! accounts times 17 regions must stay small. Knows nothing of requests or roles.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use serde::Serialize;

use crate::knobs::{ConcurrentWrites, Knobs, PendingShows, ResetShows};
use crate::partition::Partition;

/// The short id, as every answer gives it.
pub const SETTING_ID: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

/// What AWS answers for a setting that has no value.
pub const UNSET: &str = "$None";

/// The date of a setting nobody ever wrote: 2021-11-01T00:00:00Z. The month is AWS's, the day a guess.
const NEVER_WRITTEN: Timestamp = Timestamp::constant(1_635_724_800, 0);

/// A setting as `GetServiceSetting` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The role, path and name; `None` is the wire's `$None`.
    pub value: Option<String>,
    /// `Default`, `Customized`, `PendingUpdate`, or what the knob says.
    pub status: String,
    /// `System`, or the ARN of the writer.
    pub last_modified_user: String,
    /// When it was written.
    pub last_modified: Timestamp,
}

/// The settings of one account.
#[derive(Debug, Default)]
pub(crate) struct Settings(HashMap<Cow<'static, str>, Stored>);

#[derive(Debug)]
struct Stored {
    now: Written,
    pending: Option<Box<Pending>>,
}

#[derive(Debug, Clone)]
struct Written {
    value: Option<Arc<str>>,
    by: Arc<str>,
    at: Timestamp,
}

#[derive(Debug)]
struct Pending {
    until: Instant,
    before: Option<Written>,
}

/// Another write of the same setting is not finished.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Busy;

/// A change of a setting: the value (`None` resets), who writes, and when by the sandbox's clock.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    pub(crate) value: Option<&'a str>,
    pub(crate) by: &'a Arc<str>,
    pub(crate) at: Timestamp,
}

impl Settings {
    pub(crate) fn show(&self, region: &str, knobs: &Knobs) -> Setting {
        let Some(stored) = self.0.get(region) else {
            return setting(None, "Default");
        };
        match &stored.pending {
            Some(pending) if Instant::now() < pending.until => match knobs.pending_shows {
                PendingShows::Old => setting(pending.before.as_ref(), "PendingUpdate"),
                PendingShows::New => setting(Some(&stored.now), "PendingUpdate"),
            },
            _ if stored.now.value.is_none() => match knobs.reset_shows {
                ResetShows::System => setting(None, "Default"),
                ResetShows::Caller => setting(Some(&stored.now), "Default"),
            },
            _ => setting(Some(&stored.now), &knobs.customized_status),
        }
    }

    /// A write as a call makes it: takes as long as the knobs say.
    pub(crate) fn write(&mut self, partition: Partition, region: &str, write: &Write<'_>, knobs: &Knobs) -> Result<(), Busy> {
        let now = Instant::now();
        let before = self.0.get(region);
        let busy = before.and_then(|stored| stored.pending.as_ref()).is_some_and(|pending| now < pending.until);
        if busy && knobs.concurrent_writes == ConcurrentWrites::Refuse {
            return Err(Busy);
        }
        let pending = (!knobs.pending_update.is_zero())
            .then(|| Box::new(Pending { until: now + knobs.pending_update, before: before.map(|stored| stored.now.clone()) }));
        self.store(partition, region, write, pending, knobs);
        Ok(())
    }

    /// A write behind the callers' backs: no rules, done at once.
    pub(crate) fn put(&mut self, partition: Partition, region: &str, write: &Write<'_>, knobs: &Knobs) {
        self.store(partition, region, write, None, knobs);
    }

    fn store(&mut self, partition: Partition, region: &str, write: &Write<'_>, pending: Option<Box<Pending>>, knobs: &Knobs) {
        // A finished reset that leaves no trace is the default record, which is not stored.
        if write.value.is_none() && pending.is_none() && knobs.reset_shows == ResetShows::System {
            self.0.remove(region);
            return;
        }
        let now = Written { value: write.value.map(Arc::from), by: Arc::clone(write.by), at: write.at };
        let region = match partition.known_region(region) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(region.to_owned()),
        };
        self.0.insert(region, Stored { now, pending });
    }
}

fn setting(written: Option<&Written>, status: &str) -> Setting {
    let value = written.and_then(|w| w.value.as_deref());
    Setting {
        value: value.filter(|value| *value != UNSET).map(str::to_owned),
        status: status.to_owned(),
        last_modified_user: written.map_or("System", |w| &*w.by).to_owned(),
        last_modified: written.map_or(NEVER_WRITTEN, |w| w.at),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn write(settings: &mut Settings, value: Option<&str>, knobs: &Knobs) -> Result<(), Busy> {
        let by = Arc::from("arn:me");
        let at = Timestamp::UNIX_EPOCH;
        let write = Write { value, by: &by, at };
        settings.write(Partition::Aws, "us-east-1", &write, knobs)
    }

    #[test]
    fn a_setting_never_written_belongs_to_the_system() {
        let setting = Settings::default().show("us-east-1", &Knobs::default());
        assert_eq!(setting.value, None);
        assert_eq!(setting.status, "Default");
        assert_eq!(setting.last_modified_user, "System");
        assert!(setting.last_modified.to_string().starts_with("2021-11-01"));
    }

    #[test]
    fn a_reset_setting_takes_no_memory() {
        let mut settings = Settings::default();
        write(&mut settings, Some("role"), &Knobs::default()).unwrap();
        write(&mut settings, None, &Knobs::default()).unwrap();
        assert!(settings.0.is_empty());
    }

    #[test]
    fn a_pending_write_shows_the_value_the_knob_says() {
        let mut knobs = Knobs { pending_update: Duration::from_hours(1), pending_shows: PendingShows::Old, ..Knobs::default() };
        let mut settings = Settings::default();
        write(&mut settings, Some("role"), &knobs).unwrap();
        assert_eq!(settings.show("us-east-1", &knobs).value, None);
        knobs.pending_shows = PendingShows::New;
        let shown = settings.show("us-east-1", &knobs);
        assert_eq!(shown.value.as_deref(), Some("role"));
        assert_eq!(shown.status, "PendingUpdate");
    }

    #[test]
    fn a_second_write_while_one_is_pending_is_refused() {
        let knobs = Knobs { pending_update: Duration::from_hours(1), ..Knobs::default() };
        let mut settings = Settings::default();
        write(&mut settings, Some("one"), &knobs).unwrap();
        assert_eq!(write(&mut settings, Some("two"), &knobs), Err(Busy));
    }

    #[test]
    fn a_reset_can_name_its_caller() {
        let knobs = Knobs { reset_shows: ResetShows::Caller, ..Knobs::default() };
        let mut settings = Settings::default();
        write(&mut settings, None, &knobs).unwrap();
        let shown = settings.show("us-east-1", &knobs);
        assert_eq!(shown.last_modified_user, "arn:me");
        assert_eq!(shown.status, "Default");
    }
}
