//! What the controller says of one account, read off its board.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::cast::Part;
use crate::status::{StatusBoard, TargetStatus};
use crate::target::{ResourceKind, State, Target};

/// The board, account by account.
pub(super) struct View {
    pub(super) board: Arc<StatusBoard>,
}

impl View {
    /// What it says of a region of an account, or with `global` of its role.
    pub(super) fn target<T>(&self, part: &Part, region: &str, read: impl Fn(&TargetStatus) -> T) -> Option<T> {
        let mut found = None;
        self.each(part, |target, status| {
            if target.region_label() == region && target.resource.kind() != ResourceKind::Account {
                found = Some(read(status));
            }
        });
        found
    }

    /// Whether every target of the account has come to this.
    pub(super) fn is_all(&self, part: &Part, state: State) -> bool {
        let (mut targets, mut there) = (0, 0);
        self.each(part, |_, status| {
            targets += 1;
            there += usize::from(status.state == state);
        });
        targets > 0 && targets == there
    }

    /// What its targets are, if they are as declared, or else what is wrong with each.
    pub(super) fn summary(&self, part: &Part) -> String {
        let (mut regions, mut wrong) = (0, Vec::new());
        self.each(part, |target, status| {
            let kind = target.resource.kind();
            regions += usize::from(kind == ResourceKind::Setting);
            if status.state != State::InSync {
                let name = if kind == ResourceKind::Setting { target.region_label() } else { target.resource_label() };
                wrong.push(format!("{name} {}", status.state.label()));
            }
        });
        if wrong.is_empty() { format!("the role and {regions} regions as declared") } else { wrong.join(", ") }
    }

    /// Where the account itself stands.
    pub(super) fn account_state(&self, part: &Part) -> Option<State> {
        self.account(part, |status| status.state)
    }

    /// Why the account cannot be looked into, in AWS's own words; what the controller adds is in the status API.
    pub(super) fn refusal(&self, part: &Part) -> Option<String> {
        let reason = self.account(part, |status| status.reason.clone()).flatten()?;
        Some(reason.split(" (").next().unwrap_or_default().to_owned())
    }

    /// How long until the account itself is tried again.
    pub(super) fn next_attempt(&self, part: &Part) -> Option<Duration> {
        let due = self.account(part, |status| status.next_due).flatten()?;
        Some(Duration::try_from(due.duration_since(Timestamp::now())).unwrap_or_default())
    }

    fn account<T>(&self, part: &Part, read: impl Fn(&TargetStatus) -> T) -> Option<T> {
        let mut found = None;
        self.each(part, |target, status| {
            if target.resource.kind() == ResourceKind::Account {
                found = Some(read(status));
            }
        });
        found
    }

    fn each(&self, part: &Part, mut visit: impl FnMut(&Target, &TargetStatus)) {
        self.board.each(|account, target, status| {
            if account == part.id && target.resource.kind() != ResourceKind::Organization {
                visit(target, status);
            }
        });
    }
}
