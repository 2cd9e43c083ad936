//! What the sandbox's journal and the API server's records say together.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sandbox::Call;
use jiff::Timestamp;

use super::leases::Term;
use super::replica::{ARRIVAL, Replica, SLACK, Stage, TIMING};
use crate::referee::ACCOUNT;

fn writer_of(write: &Call) -> &str {
    write.principal.rsplit('/').next().unwrap()
}

/// From one moment to a later one.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_else(|_| panic!("{to} is before {from}"))
}

impl Stage {
    /// Everything that a replica has written.
    pub fn writes_of(&self, replica: &Replica) -> Vec<Call> {
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/{}", replica.name);
        self.sandbox.journal().writes().into_iter().filter(|call| call.principal == arn).collect()
    }

    /// The last renewal of a replica.
    pub fn last_renewal_of(&self, name: &str) -> Timestamp {
        *self.leases.renewals_of(name).last().unwrap()
    }

    /// Holds every write in the journal against who held the lease when it arrived, and against how long ago the writer had renewed it.
    /// Tells how many writes each term had.
    pub fn assert_only_holders_wrote(&self) -> Vec<(Term, usize)> {
        let terms = self.leases.terms();
        let mut counts = BTreeMap::new();
        for write in self.sandbox.journal().writes() {
            let number = terms.iter().rposition(|term| term.since <= write.at);
            let mut number = number.unwrap_or_else(|| panic!("written before anybody held the lease: {write:?}"));
            let writer = writer_of(&write);
            // Whoever was written over learns it at the next renewal, and has its promise until then.
            while terms[number].is_by_hand && terms[number].holder != writer && number > 0 {
                number -= 1;
            }
            assert_eq!(writer, terms[number].holder, "{write:?}\nin {:?}\nof {terms:#?}", terms[number]);
            let renewal = self.leases.renewals_of(writer).into_iter().rfind(|at| *at <= write.at);
            let renewal = renewal.unwrap_or_else(|| panic!("written before the first renewal: {write:?}"));
            let age = between(renewal, write.at);
            assert!(age <= TIMING.renew_deadline + ARRIVAL, "{age:?} after the last renewal: {write:?}\nof {terms:#?}");
            *counts.entry(number).or_insert(0) += 1;
        }
        terms.into_iter().enumerate().map(|(number, term)| (term, counts.remove(&number).unwrap_or(0))).collect()
    }

    /// Holds the last term against the last renewal of whoever had the lease before and gave no sign since: it began when the lease was over, and
    /// not much later.
    pub fn assert_taken_in_time_from(&self, replica: &'static str) {
        let terms = self.leases.terms();
        let term = terms.last().unwrap();
        assert_ne!(term.holder, replica, "{terms:#?}");
        let took = between(self.last_renewal_of(replica), term.since);
        assert!(took >= TIMING.lease_duration, "{took:?}: {terms:#?}");
        assert!(took <= TIMING.lease_duration + TIMING.retry_period + SLACK, "{took:?}: {terms:#?}");
    }

    /// Who held the lease, one after the other.
    pub fn holders(&self) -> Vec<String> {
        self.leases.terms().into_iter().map(|term| term.holder).collect()
    }
}
