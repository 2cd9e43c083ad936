//! What may be done at all: how much one change may take away, and what becomes of writes that somebody undoes each time.
//!
//! A plan says what would mend the drift; a [`Restraint`] takes actions out of it again, and says why. What is counted, and
//! when, is `reconcile`'s to know; the limits and the verdicts are here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::{Hold, Plan, RoleAction, SettingAction};
use crate::desired::guard::{ChangeId, Limit};

/// What a change can take away from the instances of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// A setting is reset.
    Reset,
    /// A policy is detached from the role.
    Detachment,
}

impl Removal {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Reset, Self::Detachment];

    /// The word in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Detachment => "detachment",
        }
    }
}

/// What is known of all that could be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// There now.
    pub there: usize,
    /// Of these, what the change takes away. Not what was gone before and somebody has put there since: that is drift.
    pub going: usize,
    /// What the change has taken away already.
    pub gone: usize,
    /// What it may take away at most where nobody has looked yet.
    pub unseen: usize,
    /// Targets that nobody has looked at yet.
    pub unread: usize,
}

/// Whether what a change takes away may be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is not a lot.
    Free,
    /// It may be a lot: that depends on what has not been read yet.
    Waits,
    /// It is a lot.
    TooMuch,
}

impl Tally {
    /// All that the change takes away, as far as it is known.
    #[must_use]
    pub fn taken(self) -> usize {
        self.going + self.gone
    }

    /// All that was there before the change.
    #[must_use]
    pub fn before(self) -> usize {
        self.there + self.gone
    }

    /// Compares it with a limit.
    #[must_use]
    pub fn judge(self, limit: Limit) -> Verdict {
        if !limit.is_exceeded(self.taken() + self.unseen, self.before()) {
            Verdict::Free
        } else if self.unread > 0 {
            Verdict::Waits
        } else if self.going > 0 && limit.is_exceeded(self.taken(), self.before()) {
            Verdict::TooMuch
        } else {
            Verdict::Free
        }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.there += other.there;
        self.going += other.going;
        self.gone += other.gone;
        self.unseen += other.unseen;
        self.unread += other.unread;
    }
}

impl std::ops::SubAssign for Tally {
    fn sub_assign(&mut self, other: Self) {
        self.there -= other.there;
        self.going -= other.going;
        self.gone -= other.gone;
        self.unseen -= other.unseen;
        self.unread -= other.unread;
    }
}

/// What holds the writes to one target back, whatever its plan says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restraint {
    /// For what takes something away.
    pub removals: Removals,
    /// For every write.
    pub contention: Option<Arc<Contention>>,
}

/// Whether something may be taken away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Removals {
    /// It may.
    #[default]
    Free,
    /// It has not been counted among all that this change takes away.
    Uncounted,
    /// It is part of a change that takes away a lot.
    TooMany(Arc<TooMany>),
}

/// A change that takes away a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMany {
    /// What it takes away.
    pub removal: Removal,
    /// How much.
    pub taken: usize,
    /// Of how much.
    pub of: usize,
    /// The limit that is exceeded.
    pub limit: Limit,
    /// What it is called, to confirm it.
    pub change: ChangeId,
    /// The document confirms a change, and it is another one, or was held too long ago.
    pub other_is_confirmed: Option<ChangeId>,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { taken, of, limit, change, .. } = self;
        match self.removal {
            Removal::Reset => write!(
                f,
                "the desired state resets {taken} of the {of} settings that are on, {limit} (spec.guard.resets): none is reset, \
                 because instances without an instance profile would drop out of Systems Manager"
            )?,
            Removal::Detachment => write!(
                f,
                "the desired state detaches {taken} of the {of} policies that are attached to roles, {limit} \
                 (spec.guard.detachments): none is detached"
            )?,
        }
        write!(f, "; if that is meant, write `guard: {{ confirm: {change} }}` into spec")?;
        match self.other_is_confirmed {
            Some(other) => write!(f, " ({other}, which it confirms, is another change, or too long ago)"),
            None => Ok(()),
        }
    }
}

/// A target that somebody else changes back each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contention {
    /// How many corrections were undone.
    pub undone: usize,
    /// Within how long, before the writes were held back.
    pub window: Duration,
    /// Who did it last, where AWS tells.
    pub by: Option<String>,
    /// When the next correction is made.
    pub until: Timestamp,
}

impl fmt::Display for Contention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { undone, until, .. } = self;
        let minutes = self.window.as_secs().div_ceil(60);
        match &self.by {
            Some(by) => write!(f, "{by} changes this back each time")?,
            None => f.write_str("somebody changes this back each time (AWS does not tell who; CloudTrail does)")?,
        }
        write!(
            f,
            ": {undone} corrections were undone within {minutes} minutes of each other; the next is made after {until}. End the \
             other writer, or declare what it wants"
        )
    }
}

/// A write, as far as restraint goes.
pub trait Action {
    /// Whether it takes something away from instances.
    fn removes(&self) -> bool;
}

impl Action for SettingAction {
    fn removes(&self) -> bool {
        matches!(self, Self::Reset)
    }
}

impl Action for RoleAction {
    fn removes(&self) -> bool {
        matches!(self, Self::DetachPolicy(_))
    }
}

impl<A: Action> Plan<A> {
    /// The plan under a restraint: actions are taken away, never drift; and what is not done is told.
    #[must_use]
    pub fn restrained(mut self, restraint: &Restraint) -> Self {
        if self.actions.is_empty() {
            return self;
        }
        if let Some(contention) = &restraint.contention {
            self.actions.clear();
            self.holds.push(Hold::Contended(Arc::clone(contention)));
            return self;
        }
        let hold = match &restraint.removals {
            Removals::Free => return self,
            Removals::Uncounted => Hold::Uncounted,
            Removals::TooMany(many) => Hold::TooMany(Arc::clone(many)),
        };
        let before = self.actions.len();
        self.actions.retain(|action| !action.removes());
        if self.actions.len() < before {
            self.holds.push(hold);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Drift, DriftKind};

    fn tally(there: usize, going: usize, gone: usize, unseen: usize, unread: usize) -> Tally {
        Tally { there, going, gone, unseen, unread }
    }

    #[test]
    fn a_change_is_judged_by_all_that_it_takes_away_and_waits_only_where_that_matters() {
        let rows = [
            ("nothing", tally(20, 0, 0, 0, 0), Verdict::Free),
            ("two of two", tally(2, 2, 0, 0, 0), Verdict::Free),
            ("three of three", tally(3, 3, 0, 0, 0), Verdict::TooMuch),
            ("three of fifteen", tally(15, 3, 0, 0, 0), Verdict::Free),
            ("one more, where two are gone already", tally(1, 1, 2, 0, 0), Verdict::TooMuch),
            ("all of it is gone, as was confirmed", tally(0, 0, 17, 0, 0), Verdict::Free),
            ("enough is known, though not everything", tally(15, 3, 0, 0, 9), Verdict::Free),
            ("too little is known of what is on", tally(3, 3, 0, 0, 14), Verdict::Waits),
            ("too little is known of what will go", tally(20, 2, 0, 9, 9), Verdict::Waits),
            ("what will go cannot be many", tally(20, 2, 0, 2, 2), Verdict::Free),
        ];
        for (what, tally, verdict) in rows {
            assert_eq!(tally.judge(Limit::DEFAULT), verdict, "{what}");
        }
    }

    fn plan() -> Plan<RoleAction> {
        Plan {
            drift: vec![Drift::new(DriftKind::PolicyExtra, "attached", "not attached")],
            actions: vec![RoleAction::AttachPolicy("a".to_owned()), RoleAction::DetachPolicy("b".to_owned())],
            ..Plan::default()
        }
    }

    #[test]
    fn a_removal_that_is_not_free_is_held_and_the_rest_is_done() {
        let held = plan().restrained(&Restraint { removals: Removals::Uncounted, contention: None });
        let attach = vec![RoleAction::AttachPolicy("a".to_owned())];
        assert_eq!(held, Plan { actions: attach.clone(), holds: vec![Hold::Uncounted], ..plan() });
        let nothing_removed = Plan { actions: attach, ..plan() };
        let restraint = Restraint { removals: Removals::Uncounted, contention: None };
        assert_eq!(nothing_removed.clone().restrained(&restraint), nothing_removed);
        assert_eq!(plan().restrained(&Restraint::default()), plan());
    }

    #[test]
    fn a_contended_target_is_not_written_at_all() {
        let contention = Arc::new(Contention {
            undone: 3,
            window: Duration::from_hours(1),
            by: Some("arn:aws:iam::111122223333:user/mallory".to_owned()),
            until: "2026-03-09T12:00:00Z".parse().unwrap(),
        });
        let restraint = Restraint { contention: Some(Arc::clone(&contention)), ..Restraint::default() };
        let held = plan().restrained(&restraint);
        assert_eq!(held, Plan { actions: vec![], holds: vec![Hold::Contended(contention)], ..plan() });
        assert_eq!(
            held.holds[0].to_string(),
            "arn:aws:iam::111122223333:user/mallory changes this back each time: 3 corrections were undone within 60 minutes of \
             each other; the next is made after 2026-03-09T12:00:00Z. End the other writer, or declare what it wants"
        );
        let in_sync = Plan::<RoleAction>::default();
        assert_eq!(in_sync.clone().restrained(&restraint), in_sync);
    }

    #[test]
    fn what_is_too_much_tells_how_much_it_is_and_how_to_confirm_it() {
        let many = TooMany {
            removal: Removal::Reset,
            taken: 12,
            of: 17,
            limit: Limit::DEFAULT,
            change: "2026-03-09-4f1c9a2b07".parse().unwrap(),
            other_is_confirmed: None,
        };
        assert_eq!(
            many.to_string(),
            "the desired state resets 12 of the 17 settings that are on, more than 2 and more than 20% (spec.guard.resets): none \
             is reset, because instances without an instance profile would drop out of Systems Manager; if that is meant, write \
             `guard: { confirm: 2026-03-09-4f1c9a2b07 }` into spec"
        );
    }
}
