//! How the sandbox is started and how it behaves where real AWS is either unknown or varies.
//! Plain data with defaults; every default is the behaviour the facts make most likely.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What [`Sandbox::start`](crate::Sandbox::start) needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen. The default, `127.0.0.1:0`, takes a free port.
    pub listen: SocketAddr,
    /// The behaviour to start with; [`Sandbox::configure`](crate::Sandbox::configure) changes it later.
    pub knobs: Knobs,
}

impl Default for Options {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), knobs: Knobs::default() }
    }
}

/// Behaviour that tests turn. In JSON, durations are whole milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Whether `UpdateServiceSetting` looks at the role it is given. Unknown for real AWS; refusing is the guess.
    pub role_check: RoleCheck,
    /// How long a write stays `PendingUpdate`; zero means never (samples exist for other settings only).
    #[serde(with = "millis")]
    pub pending_update: Duration,
    /// Which value is shown while a write is pending.
    pub pending_shows: PendingShows,
    /// What a second write gets while the first is pending.
    pub concurrent_writes: ConcurrentWrites,
    /// `Status` of a written setting. `Customized` is the documented value; the user guide's sample says `Custom`.
    pub customized_status: String,
    /// Whom a reset setting names as its last modifier. The user guide's sample says `System`.
    pub reset_shows: ResetShows,
    /// Regions that lack the setting: `ServiceSettingNotFound`.
    pub regions_without_setting: BTreeSet<String>,
    /// How long a created role stays unseen by reads, while creating it again says that it exists.
    #[serde(with = "millis")]
    pub role_invisible: Duration,
    /// How long a created role, or a changed trust policy, is not yet good for `UpdateServiceSetting`
    /// and `AssumeRole`.
    #[serde(with = "millis")]
    pub role_unusable: Duration,
    /// How long sessions of `AssumeRole` last, in seconds, whatever the caller asks for.
    pub session_seconds: Option<u32>,
    /// Which signing regions IAM, Account and Organizations take.
    pub global_signing: GlobalSigning,
    /// The most entries one page of a list holds, whatever the caller asks for.
    pub page_size: usize,
    /// The most entries one page of Organizations holds, whatever the caller asks for.
    pub organizations_page: usize,
    /// Whether Organizations sends an empty page, and says that there is more, before every other.
    pub empty_pages: bool,
    /// What Organizations tells of an account's status. `Status` was announced to retire on 2026-09-09.
    pub account_status: StatusShown,
    /// How far the sandbox's clock is from the machine's, in seconds. More than 300 breaks every signature.
    pub clock_offset_seconds: i64,
    /// How much the journal keeps.
    pub record: Record,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            role_check: RoleCheck::Refuse,
            pending_update: Duration::ZERO,
            pending_shows: PendingShows::New,
            concurrent_writes: ConcurrentWrites::Refuse,
            customized_status: "Customized".to_owned(),
            reset_shows: ResetShows::System,
            regions_without_setting: BTreeSet::new(),
            role_invisible: Duration::ZERO,
            role_unusable: Duration::ZERO,
            session_seconds: None,
            global_signing: GlobalSigning::OneRegion,
            page_size: 100,         // IAM's own default page
            organizations_page: 20, // the largest page of Organizations
            empty_pages: false,
            account_status: StatusShown::Both,
            clock_offset_seconds: 0,
            record: Record::All,
        }
    }
}

/// Whether `UpdateServiceSetting` validates the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoleCheck {
    /// A missing role, another path or a trust policy without SSM is a `ValidationException`.
    Refuse,
    /// Any text is stored.
    Accept,
}

/// The value that `GetServiceSetting` shows while the status is `PendingUpdate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PendingShows {
    /// The value from before the write.
    Old,
    /// The value that was written.
    New,
}

/// What happens to a write while another is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConcurrentWrites {
    /// `TooManyUpdates`.
    Refuse,
    /// The later write wins.
    Accept,
}

/// The last modifier of a reset setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetShows {
    /// `System` and the old date, as if nobody had ever written.
    System,
    /// The caller who reset it, and when.
    Caller,
}

/// Which signing regions the services without regions take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GlobalSigning {
    /// Only the partition's own, as in AWS.
    OneRegion,
    /// Any: for clients that are given an endpoint URL and then sign for their own region, as the AWS CLI does.
    AnyRegion,
}

/// Which fields tell where an account is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusShown {
    /// The older one and the newer one.
    Both,
    /// Only `Status`, as before September 2025.
    Status,
    /// Only `State`, as announced.
    State,
}

/// How much the journal keeps; its counters always count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// Every call.
    All,
    /// No calls, only the counters.
    CountsOnly,
    /// The latest calls, this many.
    Last(usize),
}

/// Durations as whole milliseconds in JSON.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knobs_of_a_file_may_name_only_what_differs() {
        let knobs: Knobs = serde_json::from_str(r#"{"pending_update": 250}"#).unwrap();
        assert_eq!(knobs.pending_update, Duration::from_millis(250));
        assert_eq!(knobs.page_size, 100);
    }

    #[test]
    fn a_misspelt_knob_is_refused() {
        assert!(serde_json::from_str::<Knobs>(r#"{"pending": 250}"#).is_err());
    }
}
