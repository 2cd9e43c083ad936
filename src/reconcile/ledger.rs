//! Which drift is open: so that each is counted once, however often it is seen, and a correction only when it is seen to
//! have worked. Pure.

use std::collections::HashMap;

use crate::outcome::{Correction, Judgement, Outcome, Progress};
use crate::plan::Drift;
use crate::target::Target;

/// The open drift of every target that has any.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: HashMap<Target, Vec<Open>>,
}

#[derive(Debug)]
struct Open {
    drift: Drift,
    written: bool,
}

/// What an outcome changes about the open drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// Drift that was not there before.
    Detected(Drift),
    /// A write of ours mended it, and AWS shows it.
    Corrected(Drift),
    /// A write of ours was refused, or did not mend it.
    CorrectionFailed(Drift),
    /// It is gone, and not by us.
    Gone(Drift),
}

impl Ledger {
    /// Enters an outcome. A look that could not judge changes nothing: what was open stays open.
    pub(super) fn enter(&mut self, target: &Target, outcome: &Outcome) -> Vec<Entry> {
        if outcome.drift.is_empty() && outcome.judgement == Judgement::Withheld {
            return Vec::new();
        }
        let mut before = self.open.remove(target).unwrap_or_default();
        let (mut entries, mut still_open) = (Vec::new(), Vec::new());
        for drift in &outcome.drift {
            let known = before.iter().position(|open| open.drift.is_about_the_same(drift)).map(|at| before.swap_remove(at));
            let lasts = known.as_ref().is_some_and(|open| open.drift == *drift);
            if known.as_ref().is_some_and(|open| open.written) {
                entries.push(Entry::CorrectionFailed(drift.clone()));
            }
            if !lasts {
                entries.push(Entry::Detected(drift.clone()));
            }
            let correction = outcome.corrections.iter().find(|correction| correction.drift == *drift);
            match correction.map(|correction| correction.progress) {
                Some(Progress::Verified) => {
                    entries.push(Entry::Corrected(drift.clone()));
                    continue;
                }
                Some(Progress::Refused) => entries.push(Entry::CorrectionFailed(drift.clone())),
                Some(Progress::Written | Progress::Unanswered | Progress::NotTried) | None => {}
            }
            let may_be_written =
                |correction: &Correction| matches!(correction.progress, Progress::Written | Progress::Unanswered);
            let written = correction.is_some_and(may_be_written);
            still_open.push(Open { drift: drift.clone(), written });
        }
        entries.extend(
            before.into_iter().map(|open| if open.written { Entry::Corrected(open.drift) } else { Entry::Gone(open.drift) }),
        );
        if !still_open.is_empty() {
            self.open.insert(target.clone(), still_open);
        }
        entries
    }

    /// The target is declared differently: whether earlier writes worked cannot be told by the new declaration.
    pub(super) fn redeclared(&mut self, target: &Target) {
        self.open.get_mut(target).into_iter().flatten().for_each(|open| open.written = false);
    }

    /// Forgets a target that nobody wants any more.
    pub(super) fn forget(&mut self, target: &Target) {
        self.open.remove(target);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::names::Account;
    use crate::plan::{DriftKind, Plan};

    fn drift() -> Drift {
        Drift::new(DriftKind::SettingUnset, "unset", "service-role/R")
    }

    fn read(drift: Vec<Drift>) -> Outcome {
        let plan: Plan<()> = Plan { drift, ..Plan::default() };
        Outcome::of_plan(&plan, String::new(), "something".to_owned(), None)
    }

    fn tried(progress: Progress) -> Outcome {
        Outcome { corrections: vec![Correction { drift: drift(), progress }], ..read(vec![drift()]) }
    }

    fn run(outcomes: &[Outcome]) -> Vec<Vec<Entry>> {
        let (mut ledger, target) = (Ledger::default(), Target::role(Account::Own));
        outcomes.iter().map(|outcome| ledger.enter(&target, outcome)).collect()
    }

    #[test]
    fn drift_that_lasts_is_detected_once() {
        assert_eq!(run(&[read(vec![drift()]), read(vec![drift()])]), [vec![Entry::Detected(drift())], vec![]]);
    }

    #[test]
    fn a_correction_counts_when_it_was_verified() {
        assert_eq!(run(&[tried(Progress::Verified)]), [vec![Entry::Detected(drift()), Entry::Corrected(drift())]]);
    }

    #[test]
    fn a_write_that_shows_later_counts_as_a_correction_then() {
        for progress in [Progress::Written, Progress::Unanswered] {
            assert_eq!(run(&[tried(progress), read(vec![])]), [vec![Entry::Detected(drift())], vec![Entry::Corrected(drift())]]);
        }
    }

    #[test]
    fn a_write_that_never_shows_counts_as_failed() {
        assert_eq!(
            run(&[tried(Progress::Written), tried(Progress::Written)]),
            [vec![Entry::Detected(drift())], vec![Entry::CorrectionFailed(drift())]]
        );
    }

    #[test]
    fn drift_that_somebody_else_mends_is_gone_and_can_come_back() {
        assert_eq!(
            run(&[read(vec![drift()]), read(vec![]), read(vec![drift()])]),
            [vec![Entry::Detected(drift())], vec![Entry::Gone(drift())], vec![Entry::Detected(drift())]]
        );
    }

    #[test]
    fn a_look_that_cannot_judge_closes_nothing() {
        let withheld = Outcome { judgement: Judgement::Withheld, ..read(vec![]) };
        let looks = [tried(Progress::Written), withheld.clone(), read(vec![])];
        assert_eq!(run(&looks), [vec![Entry::Detected(drift())], vec![], vec![Entry::Corrected(drift())]]);
        let looks = [read(vec![drift()]), withheld, read(vec![drift()])];
        assert_eq!(run(&looks), [vec![Entry::Detected(drift())], vec![], vec![]]);
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_is_new_drift_and_ours_did_not_hold() {
        let other = Drift::new(DriftKind::SettingOtherRole, "Third", "service-role/R");
        let looks = [tried(Progress::Written), read(vec![other.clone()])];
        let second = vec![Entry::CorrectionFailed(other.clone()), Entry::Detected(other)];
        assert_eq!(run(&looks), [vec![Entry::Detected(drift())], second]);
    }

    #[test]
    fn what_was_not_tried_has_not_failed() {
        assert_eq!(run(&[tried(Progress::NotTried)]), [vec![Entry::Detected(drift())]]);
    }

    #[test]
    fn each_refused_write_counts_as_failed() {
        assert_eq!(
            run(&[tried(Progress::Refused), tried(Progress::Refused)]),
            [vec![Entry::Detected(drift()), Entry::CorrectionFailed(drift())], vec![Entry::CorrectionFailed(drift())]]
        );
    }
}
