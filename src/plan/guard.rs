//! What may be done at all: how much one change may take away, and what becomes of writes that somebody undoes each time.
//!
//! A plan says what would mend the drift; a [`Restraint`] takes actions out of it again, and says why. What is counted, and
//! when, is `reconcile`'s to know; the limits and the verdicts are here.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Drift, DriftKind, Hold, Plan, RoleAction, SettingAction};
use crate::desired::guard::{ChangeId, Limit};
use crate::observed::Change;

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
    /// What it may take away at most where nobody could look yet.
    pub unseen: usize,
    /// Targets that nobody has tried to look at yet.
    pub unread: usize,
}

/// Whether what a change takes away may be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is not a lot.
    Free,
    /// It may be a lot: that depends on what has not been read yet.
    Waits,
    /// It is a lot, or may be as far as anybody can tell.
    TooMuch,
}

impl Tally {
    /// All that the change takes away at most.
    #[must_use]
    pub fn taken(self) -> usize {
        self.going + self.gone + self.unseen
    }

    /// All that was there before the change, as far as it is known.
    #[must_use]
    pub fn before(self) -> usize {
        self.there + self.gone
    }

    /// Whether nothing is left to be taken away.
    #[must_use]
    pub fn is_done(self) -> bool {
        self.going + self.unseen + self.unread == 0
    }

    /// Compares it with a limit. What could not be read is taken for what would go: nobody may slip under the limit by coming
    /// back one by one.
    #[must_use]
    pub fn judge(self, limit: Limit) -> Verdict {
        // What has not been counted is held by itself.
        if self.going == 0 || !limit.is_exceeded(self.taken(), self.before()) {
            Verdict::Free
        } else if self.unread > 0 {
            Verdict::Waits
        } else {
            Verdict::TooMuch
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
    /// How much there is to it.
    pub tally: Tally,
    /// The limit that is exceeded.
    pub limit: Limit,
    /// What it is called, to confirm it.
    pub change: ChangeId,
    /// What the document confirms, if that is something else, or does not count any more.
    pub confirmed: Option<ChangeId>,
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tally, limit, change, .. } = self;
        let (going, of) = (tally.going, tally.before());
        match self.removal {
            Removal::Reset => write!(f, "the desired state would reset {going} of {of} settings that are on")?,
            Removal::Detachment => {
                write!(f, "the desired state would detach {going} of {of} policies that are attached to roles")?;
            }
        }
        if tally.gone > 0 {
            write!(f, ", beside {} before", tally.gone)?;
        }
        if tally.unseen > 0 {
            write!(f, ", and up to {} where AWS could not be read", tally.unseen)?;
        }
        let why = match self.removal {
            Removal::Reset => "spec.guard.resets: instances without an instance profile would drop out of Systems Manager",
            Removal::Detachment => "spec.guard.detachments: instances may lose what they need",
        };
        // What was a lot when it was held stays held.
        let is = if limit.is_exceeded(tally.taken(), of) { "is" } else { "was" };
        write!(
            f,
            "; together that {is} {limit} ({why}); all of it is held. If it is meant, write `guard: {{ confirm: {change} }}` into spec"
        )?;
        match self.confirmed {
            Some(other) => write!(f, " ({other}, which is there, is of another change, is over, or is more than a week old)"),
            None => Ok(()),
        }
    }
}

/// A target that somebody else changes back each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contention {
    /// How many corrections were undone, the one before this look among them.
    pub undone: usize,
    /// Who did it last, where AWS tells.
    pub by: Option<String>,
    /// What of a role it is about; empty: all there is.
    pub about: Vec<Drift>,
    /// When the next correction is made.
    pub until: Timestamp,
    /// Our last correction, if AWS still showed it at the last look. Then only what somebody did since counts.
    pub standing: Option<Standing>,
}

/// A correction of ours that AWS showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What was written, for people.
    pub value: String,
    /// When AWS says that it was.
    pub at: Option<Timestamp>,
}

impl Standing {
    /// Whether AWS still shows this, or something from before it: then nobody has undone it. Of a setting that is unset AWS
    /// tells neither who nor when.
    #[must_use]
    pub fn explains(&self, drift: &[Drift], changed: Option<&Change>) -> bool {
        let is_unset = drift.iter().any(|drift| drift.kind == DriftKind::SettingUnset);
        let is_older = matches!((changed.and_then(|change| change.at), self.at), (Some(shown), Some(ours)) if shown < ours);
        let is_ours = |drift: &Drift| drift.kind == DriftKind::SettingOtherRole && drift.before == self.value;
        (is_older && !is_unset) || drift.iter().any(is_ours)
    }
}

/// Whom AWS tells of as a setting's last modifier when nobody is: it was never set, or was reset
/// (turbot/steampipe-plugin-aws PR 2611).
const NOBODY: &str = "System";

/// Who made a change, where AWS tells.
#[must_use]
pub fn author(change: Option<&Change>) -> Option<&str> {
    change.map(|change| change.by.as_str()).filter(|by| *by != NOBODY)
}

impl fmt::Display for Contention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { undone, until, .. } = self;
        let by = self.by.as_deref();
        f.write_str(by.unwrap_or("somebody (AWS does not tell who; CloudTrail does)"))?;
        write!(
            f,
            " changes this back each time: {undone} corrections were undone; the next is made after {until}. End the other \
             writer, or declare what it wants"
        )
    }
}

/// A write, as far as restraint goes.
pub trait Action {
    /// Whether it takes something away from instances.
    fn removes(&self) -> bool;
    /// Whether it is the one that mends a drift.
    fn mends(&self, drift: &Drift) -> bool;
}

impl Action for SettingAction {
    fn removes(&self) -> bool {
        matches!(self, Self::Reset)
    }

    fn mends(&self, drift: &Drift) -> bool {
        Self::mends(self, drift)
    }
}

impl Action for RoleAction {
    fn removes(&self) -> bool {
        matches!(self, Self::DetachPolicy(_))
    }

    fn mends(&self, drift: &Drift) -> bool {
        Self::mends(self, drift)
    }
}

impl<A: Action> Plan<A> {
    /// The plan under a restraint: actions are taken away, never drift; and what is not done is told.
    #[must_use]
    pub fn restrained(mut self, restraint: &Restraint, changed: Option<&Change>) -> Self {
        if self.actions.is_empty() {
            return self;
        }
        if let Some(contention) = &restraint.contention {
            let standing = contention.standing.as_ref();
            if !standing.is_some_and(|standing| standing.explains(&self.drift, changed)) {
                let drift = &self.drift;
                let is_fought_over = |action: &A| {
                    let mended = || drift.iter().filter(|drift| action.mends(drift));
                    contention.about.is_empty()
                        || mended().any(|drift| contention.about.iter().any(|about| about.is_about_the_same(drift)))
                };
                let before = self.actions.len();
                self.actions.retain(|action| !is_fought_over(action));
                if self.actions.len() == before {
                    return self.without(&restraint.removals);
                }
                let by = author(changed).map(str::to_owned);
                // What stood until now was undone by whoever changed it last.
                let by = if standing.is_some() { by } else { by.or_else(|| contention.by.clone()) };
                self.holds.push(Hold::Contended(Contention { by, ..Contention::clone(contention) }.into()));
            }
        }
        self.without(&restraint.removals)
    }

    fn without(mut self, removals: &Removals) -> Self {
        let hold = match removals {
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
            ("what could not be read may be many", tally(20, 2, 0, 9, 0), Verdict::TooMuch),
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
        let held = plan().restrained(&Restraint { removals: Removals::Uncounted, contention: None }, None);
        let attach = vec![RoleAction::AttachPolicy("a".to_owned())];
        assert_eq!(held, Plan { actions: attach.clone(), holds: vec![Hold::Uncounted], ..plan() });
        let nothing_removed = Plan { actions: attach, ..plan() };
        let restraint = Restraint { removals: Removals::Uncounted, contention: None };
        assert_eq!(nothing_removed.clone().restrained(&restraint, None), nothing_removed);
        assert_eq!(plan().restrained(&Restraint::default(), None), plan());
    }

    fn contention(standing: Option<Standing>) -> Restraint {
        let until = "2026-03-09T12:00:00Z".parse().unwrap();
        let contention = Contention { undone: 3, by: Some(MALLORY.to_owned()), about: Vec::new(), until, standing };
        Restraint { contention: Some(contention.into()), ..Restraint::default() }
    }

    const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";

    #[test]
    fn a_contended_target_is_not_written_at_all() {
        let restraint = contention(None);
        let held = plan().restrained(&restraint, None);
        let why = restraint.contention.clone().unwrap();
        assert_eq!(held, Plan { actions: vec![], holds: vec![Hold::Contended(why)], ..plan() });
        assert_eq!(
            held.holds[0].to_string(),
            "arn:aws:iam::111122223333:user/mallory changes this back each time: 3 corrections were undone; the next is made \
             after 2026-03-09T12:00:00Z. End the other writer, or declare what it wants"
        );
        let in_sync = Plan::<RoleAction>::default();
        assert_eq!(in_sync.clone().restrained(&restraint, None), in_sync);
    }

    #[test]
    fn what_aws_shows_of_before_our_write_or_of_it_is_nobodys_doing() {
        let at = |text: &str| Some(text.parse().unwrap());
        let standing = Standing { value: "service-role/R".to_owned(), at: at("2026-03-09T12:00:00Z") };
        let change = |time: &str| Change { by: MALLORY.to_owned(), at: at(time) };
        let drift = |before: &str| vec![Drift::new(DriftKind::SettingOtherRole, before, "service-role/S")];
        assert!(standing.explains(&drift("Old"), Some(&change("2026-03-09T11:59:59Z"))), "from before our write");
        assert!(
            standing.explains(&drift("service-role/R"), Some(&change("2026-03-09T12:00:00Z"))),
            "our write: another is wanted now"
        );
        assert!(!standing.explains(&drift("Theirs"), Some(&change("2026-03-09T12:00:00Z"))));
        let unset = vec![Drift::new(DriftKind::SettingUnset, "unset", "service-role/R")];
        assert!(!standing.explains(&unset, Some(&change("2021-11-01T00:00:00Z"))), "AWS tells no time of what is unset");
    }

    #[test]
    fn what_is_too_much_tells_how_much_it_is_and_how_to_confirm_it() {
        let many = TooMany {
            removal: Removal::Reset,
            tally: tally(17, 12, 2, 3, 0),
            limit: Limit::DEFAULT,
            change: "2026-03-09-070809-4f1c9a2b07".parse().unwrap(),
            confirmed: None,
        };
        assert_eq!(
            many.to_string(),
            "the desired state would reset 12 of 19 settings that are on, beside 2 before, and up to 3 where AWS could not be read; \
             together that is more than 2 and more than 20% (spec.guard.resets: instances without an instance profile would drop \
             out of Systems Manager); all of it is held. If it is meant, write `guard: { confirm: 2026-03-09-070809-4f1c9a2b07 }` \
             into spec"
        );
    }
}
