//! Tells in the log what the election has come to: each change once, and what goes wrong once.

use tracing::{debug, info, warn};

/// What people have been told.
#[derive(Debug)]
pub(super) struct Herald {
    lease: String,
    namespace: String,
    identity: String,
    standing: Option<Standing>,
    trouble: Option<String>,
}

/// What a replica is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Leads,
    /// Behind whom, if anybody.
    StandsBy(Option<String>),
}

/// Why the lease cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A call came to nothing.
    Call,
    /// Others write it each time.
    Others,
}

impl Cause {
    fn todo(self) -> &'static str {
        match self {
            Self::Call => {
                "check that the API server can be reached, and that the service account may create leases here, and get and update this one"
            }
            Self::Others => "look what else writes this lease: its metadata.managedFields name it",
        }
    }
}

impl Herald {
    pub(super) fn new(lease: String, namespace: String, identity: String) -> Self {
        Self { lease, namespace, identity, standing: None, trouble: None }
    }

    /// The lease was read or written, and this is what came of it.
    pub(super) fn tell(&mut self, standing: Standing) {
        let Self { lease, namespace, identity, .. } = &*self;
        if self.trouble.is_some() {
            info!(lease, namespace, identity, "the lease can be used again");
        }
        if self.standing.as_ref() != Some(&standing) {
            match &standing {
                Standing::Leads => info!(lease, namespace, identity, "this replica leads"),
                Standing::StandsBy(holder) => info!(lease, namespace, identity, holder, "this replica stands by"),
            }
        }
        self.trouble = None;
        self.standing = Some(standing);
    }

    /// This replica has lost what it had: when it leads again, that is news.
    pub(super) fn forgets_that_it_leads(&mut self) {
        self.standing = self.standing.take().filter(|standing| *standing != Standing::Leads);
    }

    /// The lease cannot be read or written. Told loudly when it begins, and quietly while it lasts.
    pub(super) fn trouble(&mut self, error: &str, cause: Cause) {
        let Self { lease, namespace, .. } = &*self;
        if self.trouble.is_none() {
            warn!(lease, namespace, error, todo = cause.todo(), "the lease cannot be used");
        } else if self.trouble.as_deref() != Some(error) {
            info!(lease, namespace, error, todo = cause.todo(), "the lease still cannot be used");
        } else {
            debug!(lease, namespace, error, "the lease still cannot be used");
        }
        self.trouble = Some(error.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::kept::Log;

    fn herald() -> Herald {
        Herald::new("dhmc-controller".to_owned(), "dhmc".to_owned(), "one".to_owned())
    }

    fn told(log: &Log, lines: &[&str]) {
        let logged = log.lines();
        assert_eq!(logged.len(), lines.len(), "{logged:#?}");
        for (logged, line) in logged.iter().zip(lines) {
            assert!(logged.contains(line), "{logged} is not {line}");
        }
    }

    #[test]
    fn a_hiccup_is_told_when_it_begins_and_ends_and_is_no_change_of_leader() {
        let ((log, _guard), mut herald) = (Log::keep(), herald());
        herald.tell(Standing::Leads);
        told(&log, &["this replica leads"]);
        for error in ["no route", "no route", "no answer"] {
            herald.trouble(error, Cause::Call);
        }
        told(&log, &["WARN", "the lease still cannot be used"]);
        herald.tell(Standing::Leads);
        herald.tell(Standing::Leads);
        told(&log, &["the lease can be used again"]);
    }

    #[test]
    fn whoever_has_lost_the_lease_and_leads_again_says_so() {
        let ((log, _guard), mut herald) = (Log::keep(), herald());
        herald.tell(Standing::Leads);
        herald.trouble("no route", Cause::Call);
        herald.forgets_that_it_leads();
        herald.tell(Standing::Leads);
        told(&log, &["this replica leads", "WARN", "the lease can be used again", "this replica leads"]);
    }

    #[test]
    fn another_leader_is_news_to_whoever_stands_by_and_the_same_is_not() {
        let ((log, _guard), mut herald) = (Log::keep(), herald());
        for holder in [Some("two"), Some("two"), Some("three"), None] {
            herald.tell(Standing::StandsBy(holder.map(str::to_owned)));
        }
        told(&log, &["two", "three", "this replica stands by"]);
    }
}
