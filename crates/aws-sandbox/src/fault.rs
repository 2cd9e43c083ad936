//! What can go wrong on purpose: which calls a fault hits, how often, and what it does to them.
//! Only describes and picks; the wire plays the fault.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::knobs::millis;

/// What happens to a call that is hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// `ThrottlingException` / `Throttling` 400; `TooManyRequestsException` from Account (429) and Organizations (400).
    Throttled,
    /// The service's own 500.
    Internal500,
    /// `ServiceUnavailable` 503.
    Unavailable503,
    /// Acts at once, answers after this long (milliseconds in JSON): a client that gives up has still written.
    Slow(#[serde(with = "millis")] Duration),
    /// Closes the connection without a byte; nothing was done.
    DropBeforeActing,
    /// Acts, then closes the connection without a byte.
    DropAfterActing,
    /// Acts, then answers 200 with a body that is neither JSON nor XML.
    Garbage,
    /// Access denied in AWS's wording.
    AccessDenied,
    /// The session's token has expired.
    ExpiredCredentials,
    /// The signature's time is too far off.
    ClockSkew,
    /// What a closed opt-in region answers.
    RegionDisabled,
    /// SSM's `TooManyUpdates` 400.
    TooManyUpdates,
    /// `LimitExceeded` 409 / `LimitExceededException` 400.
    LimitExceeded,
    /// IAM's `MalformedPolicyDocument` 400: invalid principal.
    MalformedPolicyDocument,
    /// IAM's `EntityAlreadyExists` 409.
    EntityAlreadyExists,
    /// Any other error.
    Custom {
        /// HTTP status.
        status: u16,
        /// AWS error code.
        code: String,
        /// What it says.
        message: String,
    },
}

/// A fault and the calls it hits. What is not named is hit whatever it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    kind: FaultKind,
    #[serde(default)]
    service: Option<String>,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    region: Option<String>,
    /// Hits left; without end when absent.
    #[serde(default)]
    times: Option<u32>,
    /// Chance of a hit in a thousand; every call when absent.
    #[serde(default)]
    per_mille: Option<u16>,
    /// Makes the chances repeatable.
    #[serde(default)]
    seed: u64,
}

impl Fault {
    /// Hits every call until cleared.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, service: None, operation: None, account: None, region: None, times: None, per_mille: None, seed: 0 }
    }

    /// Only calls to this service (`ssm`, `iam`, `sts`, `account`, `organizations`).
    #[must_use]
    pub fn service(mut self, service: &str) -> Self {
        self.service = Some(service.to_owned());
        self
    }

    /// Only calls of this operation.
    #[must_use]
    pub fn operation(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Only calls of this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        self.account = Some(account.to_owned());
        self
    }

    /// Only calls signed for this region.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = Some(region.to_owned());
        self
    }

    /// Only the next `times` matching calls.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only this many of a thousand matching calls, picked by a generator of this seed.
    #[must_use]
    pub fn chance(mut self, per_mille: u16, seed: u64) -> Self {
        self.per_mille = Some(per_mille);
        self.seed = seed;
        self
    }

    fn matches(&self, call: &Target<'_>) -> bool {
        let same = |want: &Option<String>, have: &str| want.as_deref().is_none_or(|w| w == have);
        same(&self.service, call.service)
            && same(&self.operation, call.operation)
            && same(&self.account, call.account)
            && same(&self.region, call.region)
    }
}

/// Names an injected fault, to clear it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FaultId(pub u64);

/// The call that faults are matched against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) account: &'a str,
    pub(crate) region: &'a str,
}

/// The faults in force.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// How many there are, so that a call without faults takes no lock.
    armed: AtomicUsize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    issued: u64,
    active: Vec<(FaultId, Fault, fastrand::Rng)>,
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) -> FaultId {
        let mut table = self.table.lock();
        table.issued += 1;
        let id = FaultId(table.issued);
        let dice = fastrand::Rng::with_seed(fault.seed);
        table.active.push((id, fault, dice));
        self.armed.store(table.active.len(), Ordering::Release);
        id
    }

    pub(crate) fn clear(&self, id: FaultId) {
        let mut table = self.table.lock();
        table.active.retain(|(own, ..)| *own != id);
        self.armed.store(table.active.len(), Ordering::Release);
    }

    pub(crate) fn clear_all(&self) {
        let mut table = self.table.lock();
        table.active.clear();
        self.armed.store(0, Ordering::Release);
    }

    pub(crate) fn list(&self) -> Vec<(FaultId, Fault)> {
        let table = self.table.lock();
        let faults = table.active.iter().map(|(id, fault, _)| (*id, fault.clone()));
        faults.collect()
    }

    /// The first fault, by age, that hits this call. Uses up one of its hits.
    pub(crate) fn hit(&self, call: &Target<'_>) -> Option<FaultKind> {
        if self.armed.load(Ordering::Acquire) == 0 {
            return None;
        }
        let mut table = self.table.lock();
        let position = table.active.iter_mut().position(|(_, fault, dice)| {
            fault.times != Some(0) && fault.matches(call) && fault.per_mille.is_none_or(|chance| dice.u16(0..1000) < chance)
        })?;
        let fault = &mut table.active[position].1;
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                table.active.remove(position);
                self.armed.store(table.active.len(), Ordering::Release);
            }
        }
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALL: Target<'static> =
        Target { service: "ssm", operation: "GetServiceSetting", account: "111122223333", region: "us-east-1" };

    #[test]
    fn a_counted_fault_wears_off() {
        let faults = Faults::default();
        faults.inject(Fault::new(FaultKind::Throttled).times(2));
        assert_eq!(faults.hit(&CALL), Some(FaultKind::Throttled));
        assert_eq!(faults.hit(&CALL), Some(FaultKind::Throttled));
        assert_eq!(faults.hit(&CALL), None);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_of_another_region_does_not_hit() {
        let faults = Faults::default();
        faults.inject(Fault::new(FaultKind::Throttled).region("eu-west-1"));
        assert_eq!(faults.hit(&CALL), None);
    }

    #[test]
    fn the_older_fault_goes_first() {
        let faults = Faults::default();
        faults.inject(Fault::new(FaultKind::Internal500).service("ssm").times(1));
        faults.inject(Fault::new(FaultKind::Throttled));
        assert_eq!(faults.hit(&CALL), Some(FaultKind::Internal500));
        assert_eq!(faults.hit(&CALL), Some(FaultKind::Throttled));
    }

    #[test]
    fn chances_are_repeatable_and_near_their_rate() {
        let hits = || {
            let faults = Faults::default();
            faults.inject(Fault::new(FaultKind::Throttled).chance(250, 7));
            (0..1000).filter(|_| faults.hit(&CALL).is_some()).count()
        };
        assert_eq!(hits(), hits());
        assert!((200..300).contains(&hits()), "{}", hits());
    }

    #[test]
    fn a_cleared_fault_is_gone() {
        let faults = Faults::default();
        let id = faults.inject(Fault::new(FaultKind::Throttled));
        faults.clear(id);
        assert_eq!(faults.hit(&CALL), None);
    }

    #[test]
    fn a_fault_of_json_reads_as_it_is_written() {
        let json = r#"{"kind": {"Slow": 250}, "service": "iam", "times": 3}"#;
        let fault: Fault = serde_json::from_str(json).unwrap();
        let slow = FaultKind::Slow(Duration::from_millis(250));
        assert_eq!(fault, Fault::new(slow).service("iam").times(3));
    }
}
