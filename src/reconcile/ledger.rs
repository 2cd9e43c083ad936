//! Which drift is open: so that each is counted once, however often it is seen, and a correction only when it is seen to
//! have worked. Pure.
//!
//! Whatever is detected comes to exactly one end, or is open: corrected, or gone for one of the reasons of [`Gone`].

use std::collections::{BTreeMap, HashMap};

use crate::outcome::{Judgement, Outcome, Progress};
use crate::plan::{Drift, DriftKind};
use crate::target::Target;

/// The open drift of every target that has any.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: HashMap<Target, Vec<Open>>,
    /// How many of each kind. A kind that was ever there stays, at nought.
    counts: BTreeMap<DriftKind, u32>,
}

#[derive(Debug)]
struct Open {
    drift: Drift,
    mending: Mending,
}

/// What this controller has done about open drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mending {
    /// Nothing that AWS took.
    Nothing,
    /// It wrote, and AWS does not show it yet.
    Written,
    /// Whatever it did was for another declaration than the one in force.
    Overtaken,
}

/// What an outcome changes about the open drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Drift that was not there before.
    Detected(Drift),
    /// A write of ours mended it, and AWS shows it.
    Corrected(Drift),
    /// A write of ours was refused, or did not mend it. It stays open, or something else has taken its place.
    CorrectionFailed(Drift),
    /// It is not open any more, and was not corrected.
    Gone(Drift, Gone),
}

/// Why drift is not open any more that was not corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// AWS has what is declared, and no write of ours did that.
    MendedByOthers,
    /// The target is declared differently since it was found, and AWS has what is declared now.
    Redeclared,
    /// The same thing differs in another way now: somebody wrote another value, or another one is declared.
    Superseded,
    /// Nobody wants the target any more.
    Undeclared,
    /// Another replica works on the target from now on, and detects anew what is there.
    HandedOver,
}

impl Gone {
    /// The word in metrics and logs.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::MendedByOthers => "mended_by_others",
            Self::Redeclared => "redeclared",
            Self::Superseded => "superseded",
            Self::Undeclared => "undeclared",
            Self::HandedOver => "handed_over",
        }
    }
}

impl Ledger {
    /// Enters an outcome. A look that could not judge changes nothing: what was open stays open.
    pub(super) fn enter(&mut self, target: &Target, outcome: &Outcome) -> Vec<Entry> {
        if outcome.drift.is_empty() && outcome.judgement == Judgement::Withheld {
            return Vec::new();
        }
        let mut before = self.take(target);
        let (mut entries, mut still_open) = (Vec::new(), Vec::new());
        for drift in &outcome.drift {
            let known = before.iter().position(|open| open.drift.is_about_the_same(drift)).map(|at| before.swap_remove(at));
            if known.as_ref().is_some_and(|open| open.mending == Mending::Written) {
                entries.push(Entry::CorrectionFailed(drift.clone()));
            }
            match known {
                Some(open) if open.drift == *drift => {}
                Some(open) => {
                    entries.extend([Entry::Gone(open.drift, Gone::Superseded), Entry::Detected(drift.clone())]);
                }
                None => entries.push(Entry::Detected(drift.clone())),
            }
            let correction = outcome.corrections.iter().find(|correction| correction.drift == *drift);
            let mending = match correction.map(|correction| correction.progress) {
                Some(Progress::Verified) => {
                    entries.push(Entry::Corrected(drift.clone()));
                    continue;
                }
                Some(Progress::Refused) => {
                    entries.push(Entry::CorrectionFailed(drift.clone()));
                    Mending::Nothing
                }
                Some(Progress::Written | Progress::Unanswered) => Mending::Written,
                Some(Progress::NotTried) | None => Mending::Nothing,
            };
            still_open.push(Open { drift: drift.clone(), mending });
        }
        entries.extend(before.into_iter().map(|open| match open.mending {
            Mending::Written => Entry::Corrected(open.drift),
            Mending::Nothing => Entry::Gone(open.drift, Gone::MendedByOthers),
            Mending::Overtaken => Entry::Gone(open.drift, Gone::Redeclared),
        }));
        self.put(target, still_open);
        entries
    }

    /// The target is declared differently: whether earlier writes worked cannot be told by the new declaration.
    pub(super) fn redeclared(&mut self, target: &Target) {
        self.open.get_mut(target).into_iter().flatten().for_each(|open| open.mending = Mending::Overtaken);
    }

    /// Forgets a target that is not this controller's any more.
    pub(super) fn forget(&mut self, target: &Target, why: Gone) -> Vec<Entry> {
        self.take(target).into_iter().map(|open| Entry::Gone(open.drift, why)).collect()
    }

    /// How much drift of each kind is open.
    pub(super) fn counts(&self) -> &BTreeMap<DriftKind, u32> {
        &self.counts
    }

    fn take(&mut self, target: &Target) -> Vec<Open> {
        let open = self.open.remove(target).unwrap_or_default();
        for open in &open {
            self.counts.entry(open.drift.kind).and_modify(|count| *count -= 1);
        }
        open
    }

    fn put(&mut self, target: &Target, open: Vec<Open>) {
        for open in &open {
            *self.counts.entry(open.drift.kind).or_default() += 1;
        }
        if !open.is_empty() {
            self.open.insert(target.clone(), open);
        }
    }
}

#[cfg(test)]
mod tests;
