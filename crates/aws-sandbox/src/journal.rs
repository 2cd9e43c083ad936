//! What the sandbox was asked, in order, and what it answered: the evidence of every test.
//! Holds no secrets: neither signatures nor tokens reach it. Written by the wire, read by tests and the control path.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::knobs::Record;

/// Whether an operation may change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It only looks.
    Read,
    /// It changes state when it succeeds.
    Write,
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// It was done and said so.
    Answered {
        /// HTTP status.
        status: u16,
    },
    /// It was refused, nothing changed.
    Failed {
        /// HTTP status.
        status: u16,
        /// The AWS error code.
        code: String,
    },
    /// It ran, but the answer was unreadable.
    Garbled,
    /// The connection was closed and nothing had been done.
    DroppedBeforeActing,
    /// It ran, then the connection was closed without an answer.
    DroppedAfterActing,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    /// Position among all calls since the start, from 1; clearing the journal does not restart it.
    pub sequence: u64,
    /// When the answer was decided, by the sandbox's clock.
    pub at: Timestamp,
    /// Account of the caller; empty when the access key was unknown.
    pub account: String,
    /// Region of the signature.
    pub region: String,
    /// Service of the signature: `ssm`, `iam`, `sts`, `account`, `organizations`.
    pub service: String,
    /// The operation; empty when the request named none.
    pub operation: String,
    /// ARN of the caller; empty when the access key was unknown.
    pub principal: String,
    /// Parameters as sent; awsQuery lists stay flat (`Tags.member.1.Key`).
    pub parameters: Value,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether the operation is a write.
    pub effect: Effect,
    /// What the client called itself.
    pub user_agent: Option<String>,
}

impl Call {
    /// Whether the operation is a write, done or refused.
    #[must_use]
    pub fn is_write(&self) -> bool {
        self.effect == Effect::Write
    }

    /// A parameter that is a text.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).and_then(Value::as_str)
    }

    /// The AWS error code, if it was refused with one.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Failed { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// Which calls to look at; everything not named matches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    service: Option<String>,
    operation: Option<String>,
    account: Option<String>,
    region: Option<String>,
    after: u64,
}

impl Filter {
    /// Every call.
    #[must_use]
    pub fn any() -> Self {
        Self::default()
    }

    /// Only calls to this service.
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

    /// Only calls later than this sequence number.
    #[must_use]
    pub fn after(mut self, sequence: u64) -> Self {
        self.after = sequence;
        self
    }

    fn matches(&self, call: &Call) -> bool {
        let same = |want: &Option<String>, have: &str| want.as_deref().is_none_or(|w| w == have);
        call.sequence > self.after
            && same(&self.service, &call.service)
            && same(&self.operation, &call.operation)
            && same(&self.account, &call.account)
            && same(&self.region, &call.region)
    }
}

/// The calls that were made.
#[derive(Debug, Default)]
pub struct Journal {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    total: u64,
    counts: HashMap<String, HashMap<String, u64>>,
    calls: VecDeque<Call>,
}

impl Journal {
    /// The recorded calls, oldest first.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.entries.lock().calls.iter().cloned().collect()
    }

    /// The recorded calls that match, oldest first.
    #[must_use]
    pub fn matching(&self, filter: &Filter) -> Vec<Call> {
        let entries = self.entries.lock();
        let found = entries.calls.iter().filter(|call| filter.matches(call));
        found.cloned().collect()
    }

    /// The recorded calls of writing operations, refused ones included.
    #[must_use]
    pub fn writes(&self) -> Vec<Call> {
        let entries = self.entries.lock();
        let found = entries.calls.iter().filter(|call| call.is_write());
        found.cloned().collect()
    }

    /// How many recorded calls match.
    #[must_use]
    pub fn count_matching(&self, filter: &Filter) -> usize {
        let entries = self.entries.lock();
        entries.calls.iter().filter(|c| filter.matches(c)).count()
    }

    /// How many calls are recorded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.lock().calls.len()
    }

    /// Whether no call is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many calls came in since the start, recorded or not; never cleared.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.entries.lock().total
    }

    /// How often an operation was called since the last clear, recorded or not.
    #[must_use]
    pub fn count(&self, service: &str, operation: &str) -> u64 {
        let entries = self.entries.lock();
        let of_service = entries.counts.get(service);
        of_service.and_then(|counts| counts.get(operation)).copied().unwrap_or(0)
    }

    /// The counters of every operation called since the last clear: (service, operation) -> calls.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(String, String), u64> {
        let entries = self.entries.lock();
        let mut all = BTreeMap::new();
        for (service, counts) in &entries.counts {
            for (operation, count) in counts {
                all.insert((service.clone(), operation.clone()), *count);
            }
        }
        all
    }

    /// Forgets calls and counters; sequence numbers go on.
    pub fn clear(&self) {
        let mut entries = self.entries.lock();
        entries.calls.clear();
        entries.counts.clear();
    }

    /// Counts a call and records it as far as `record` says. `call` gets the sequence number and runs only if
    /// recorded: building a call copies its parameters. It runs under the journal's lock.
    pub(crate) fn write(&self, record: Record, service: &str, operation: &str, call: impl FnOnce(u64) -> Call) {
        let mut entries = self.entries.lock();
        entries.total += 1;
        let sequence = entries.total;
        count(&mut entries.counts, service, operation);
        let keep = match record {
            Record::All => usize::MAX,
            Record::CountsOnly => 0,
            Record::Last(keep) => keep,
        };
        if keep > 0 {
            entries.calls.push_back(call(sequence));
        }
        while entries.calls.len() > keep {
            entries.calls.pop_front();
        }
    }
}

/// Looks before it inserts: the entry API would allocate both names on every call.
fn count(counts: &mut HashMap<String, HashMap<String, u64>>, service: &str, operation: &str) {
    if let Some(count) = counts.get_mut(service).and_then(|c| c.get_mut(operation)) {
        *count += 1;
    } else {
        let of_service = counts.entry(service.to_owned()).or_default();
        of_service.insert(operation.to_owned(), 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(sequence: u64, operation: &str, effect: Effect) -> Call {
        Call {
            sequence,
            at: Timestamp::UNIX_EPOCH,
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
            service: "ssm".to_owned(),
            operation: operation.to_owned(),
            principal: String::new(),
            parameters: Value::Null,
            outcome: Outcome::Answered { status: 200 },
            effect,
            user_agent: None,
        }
    }

    fn write(journal: &Journal, record: Record, operation: &str) {
        journal.write(record, "ssm", operation, |sequence| call(sequence, operation, Effect::Read));
    }

    #[test]
    fn counters_count_what_is_not_recorded() {
        let journal = Journal::default();
        write(&journal, Record::CountsOnly, "Get");
        write(&journal, Record::CountsOnly, "Get");
        assert!(journal.is_empty());
        assert_eq!(journal.count("ssm", "Get"), 2);
    }

    #[test]
    fn a_bounded_journal_keeps_the_latest() {
        let journal = Journal::default();
        for _ in 0..5 {
            write(&journal, Record::Last(2), "Get");
        }
        let kept: Vec<u64> = journal.calls().iter().map(|call| call.sequence).collect();
        assert_eq!(kept, [4, 5]);
    }

    #[test]
    fn clearing_keeps_the_sequence_going() {
        let journal = Journal::default();
        write(&journal, Record::All, "Get");
        journal.clear();
        write(&journal, Record::All, "Put");
        assert_eq!(journal.calls()[0].sequence, 2);
        assert_eq!(journal.count("ssm", "Get"), 0);
    }

    #[test]
    fn a_filter_names_only_what_it_cares_for() {
        let journal = Journal::default();
        write(&journal, Record::All, "Get");
        write(&journal, Record::All, "Put");
        let found = journal.matching(&Filter::any().service("ssm").operation("Put"));
        assert_eq!(found.len(), 1);
        assert!(journal.matching(&Filter::any().service("iam")).is_empty());
        assert_eq!(journal.matching(&Filter::any().after(1)).len(), 1);
    }
}
