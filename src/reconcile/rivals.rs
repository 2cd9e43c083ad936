//! Somebody else changes a target back each time: corrections are put off, for longer each time, rather than fought over.
//! Pure: the time is a parameter.
//!
//! What counts is a correction that was *undone*: AWS showed what is declared, and later something else about the same thing,
//! under the same declaration. So does one that somebody changed before anybody saw it. The first corrections of a new
//! declaration undo nobody's work, nor does a write of ours that AWS shows late.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::observed::Change;
use crate::outcome::{Judgement, Outcome, Progress};
use crate::plan::guard::author;
use crate::plan::{Contention, Drift, Standing};
use crate::target::{Resource, Target};

/// The longest that a correction is put off.
const LONGEST: Duration = Duration::from_hours(24);
/// For so long AWS may have taken a write and not show it. After that, somebody must have undone it.
const LATENESS: Duration = Duration::from_mins(5);

/// When a target counts as fought over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rivalry {
    /// After so many corrections that were undone. At least 1.
    pub corrections: usize,
    /// Within this time. It is also how long the first correction after that is put off, doubled each time.
    pub window: Duration,
}

impl Rivalry {
    /// However often corrections are undone, they are made again.
    pub const NEVER: Self = Self { corrections: usize::MAX, window: Duration::ZERO };

    /// Whether a fight can be told from single events at all, by looks that are so far apart.
    #[must_use]
    pub fn is_seen_at(self, interval: Duration) -> bool {
        let looks = u32::try_from(self.corrections.saturating_sub(1)).unwrap_or(u32::MAX);
        self == Self::NEVER || interval.saturating_mul(looks) <= self.window
    }
}

impl Default for Rivalry {
    fn default() -> Self {
        Self { corrections: 3, window: Duration::from_hours(1) }
    }
}

/// The targets that were corrected, and whose corrections are undone.
#[derive(Debug)]
pub(super) struct Rivals {
    rivalry: Rivalry,
    known: HashMap<Target, Record>,
}

/// Of every target that was corrected within the window: when a whole organization is switched on, that is each of them.
#[derive(Debug, Default)]
struct Record {
    ours: Ours,
    /// What of a role was corrected; a setting has only one thing to it.
    about: Vec<Drift>,
    undone: Option<Box<Undone>>,
}

/// Our corrections that were undone.
#[derive(Debug, Default)]
struct Undone {
    /// When: the last ones, and as many as it takes to be fought over.
    at: VecDeque<Instant>,
    /// How many in all.
    count: usize,
    /// Who did it last.
    by: Option<String>,
    /// What our last correction wrote.
    wrote: String,
    fight: Option<Fight>,
}

/// What became of our last correction.
#[derive(Debug, Default)]
enum Ours {
    /// There is none, or it was undone.
    #[default]
    None,
    /// AWS took it, the first of several perhaps, at this time, and has not shown it. By then it showed a change of that time.
    Written { since: Instant, shown: Option<Timestamp> },
    /// AWS showed it at this time, as changed by us at that.
    Stands { since: Instant, changed_at: Option<Timestamp> },
}

#[derive(Debug, Clone, Copy)]
struct Fight {
    /// How often corrections were put off.
    times: u32,
    /// Until when they are.
    until: Instant,
}

/// What a look means for the fight over its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    None,
    /// A correction was undone, once more than is put up with.
    PutOff,
}

impl Rivals {
    pub(super) fn new(rivalry: Rivalry) -> Self {
        Self { rivalry, known: HashMap::new() }
    }

    /// The target is declared differently, or nobody wants it any more.
    pub(super) fn forget(&mut self, target: &Target) {
        self.known.remove(target);
    }

    /// Why a correction would not be made if one were due now.
    pub(super) fn contention(&self, target: &Target, now: Instant, time: Timestamp) -> Option<Arc<Contention>> {
        let record = self.known.get(target)?;
        let none = Undone::default();
        let undone = record.undone.as_deref().unwrap_or(&none);
        let until = record.put_off_until(undone, self.rivalry, now)?;
        let until = time.checked_add(until.saturating_duration_since(now)).ok()?;
        let standing = match record.ours {
            Ours::Stands { changed_at, .. } => Some(Standing { value: undone.wrote.clone(), at: changed_at }),
            Ours::None | Ours::Written { .. } => None,
        };
        let count = undone.count + usize::from(standing.is_some());
        Some(Arc::new(Contention { undone: count, by: undone.by.clone(), about: record.about.clone(), until, standing }))
    }

    /// Enters what a look saw and did.
    pub(super) fn looked(&mut self, target: &Target, outcome: &Outcome, now: Instant) -> News {
        let corrects = outcome.corrections.iter().any(|one| matches!(one.progress, Progress::Verified | Progress::Written));
        if !corrects && !self.known.contains_key(target) {
            return News::None;
        }
        let record = self.known.entry(target.clone()).or_default();
        let before = record.see(outcome, now) && record.undone(outcome.changed_before.as_ref(), self.rivalry, now);
        let after = record.act(target, outcome, now) && record.undone(outcome.changed.as_ref(), self.rivalry, now);
        if record.is_over(outcome, self.rivalry, now) {
            self.known.remove(target);
        }
        if before || after { News::PutOff } else { News::None }
    }
}

impl Record {
    /// Whether what was there before this look did anything is that our last correction was undone.
    fn see(&mut self, outcome: &Outcome, now: Instant) -> bool {
        if outcome.drift.is_empty() {
            if let (Ours::Written { .. }, Judgement::Made) = (&self.ours, outcome.judgement) {
                self.ours = Ours::Stands { since: now, changed_at: time_of(outcome.changed_before.as_ref()) };
            }
            return false;
        }
        match self.ours {
            Ours::Written { since, shown } => {
                let is_newer = matches!((time_of(outcome.changed_before.as_ref()), shown), (Some(now), Some(then)) if now > then);
                self.is_about(&outcome.drift) && (is_newer || now.duration_since(since) > LATENESS)
            }
            Ours::Stands { changed_at, .. } => {
                let value = self.undone.as_ref().map_or_else(String::new, |undone| undone.wrote.clone());
                let standing = Standing { value, at: changed_at };
                self.is_about(&outcome.drift) && !standing.explains(&outcome.drift, outcome.changed_before.as_ref())
            }
            Ours::None => false,
        }
    }

    /// Whether drift is about what was corrected.
    fn is_about(&self, drift: &[Drift]) -> bool {
        self.about.is_empty() || drift.iter().any(|one| self.about.iter().any(|ours| ours.is_about_the_same(one)))
    }

    /// Our last correction was undone. Whether the next is put off for that.
    fn undone(&mut self, by: Option<&Change>, rivalry: Rivalry, now: Instant) -> bool {
        self.ours = Ours::None;
        let undone = self.undone.get_or_insert_default();
        undone.by = author(by).map(str::to_owned);
        undone.count += 1;
        undone.at.push_back(now);
        while undone.at.len() > rivalry.corrections {
            undone.at.pop_front();
        }
        let all_at_once = undone.at.front().is_some_and(|first| now.duration_since(*first) <= rivalry.window);
        let times = match undone.fight {
            // It was on its way when the next was put off.
            Some(fight) if now < fight.until => return false,
            Some(fight) => fight.times.saturating_add(1),
            None if undone.at.len() >= rivalry.corrections && all_at_once => 1,
            None => return false,
        };
        undone.fight = Some(Fight { times, until: now + put_off(rivalry, times) });
        true
    }

    /// What this look did. Whether it was undone before anybody could look: AWS shows a change that is not the one from before,
    /// and not ours either.
    fn act(&mut self, target: &Target, outcome: &Outcome, now: Instant) -> bool {
        let done = outcome.corrections.iter().filter(|one| matches!(one.progress, Progress::Verified | Progress::Written));
        let mut done = done.map(|one| &one.drift).peekable();
        if done.peek().is_none() {
            return false;
        }
        if target.resource == Resource::Role {
            self.about = done.cloned().collect();
        }
        if let Some(undone) = &mut self.undone {
            undone.wrote.clone_from(&outcome.desired);
        }
        // Of a setting that was reset, AWS tells no time of its own.
        let shown = [&outcome.changed_before, &outcome.changed].into_iter().filter_map(|change| time_of(change.as_ref())).max();
        if outcome.judgement == Judgement::Made && !self.is_about_any(&outcome.left) {
            self.ours = Ours::Stands { since: now, changed_at: shown };
            return false;
        }
        let since = if let Ours::Written { since, .. } = self.ours { since } else { now };
        self.ours = Ours::Written { since, shown };
        let is_setting = matches!(target.resource, Resource::Setting(_));
        let is_newer = match (time_of(outcome.changed_before.as_ref()), time_of(outcome.changed.as_ref())) {
            (Some(before), Some(after)) => after > before,
            _ => outcome.changed != outcome.changed_before,
        };
        is_setting && outcome.judgement == Judgement::Made && is_newer
    }

    /// Whether anything of what was corrected is left.
    fn is_about_any(&self, left: &[Drift]) -> bool {
        !left.is_empty() && self.is_about(left)
    }

    /// Until when a correction that were due now would be put off.
    fn put_off_until(&self, undone: &Undone, rivalry: Rivalry, now: Instant) -> Option<Instant> {
        let stands = matches!(self.ours, Ours::Stands { .. });
        match undone.fight {
            Some(fight) if now < fight.until => Some(fight.until),
            // The correction that was made after that time: drift now means that it was undone, too.
            Some(fight) if stands => Some(now + put_off(rivalry, fight.times.saturating_add(1))),
            Some(_) => None,
            None => {
                let recent = undone.at.iter().filter(|at| now.duration_since(**at) <= rivalry.window).count();
                (stands && recent + 1 >= rivalry.corrections).then(|| now + put_off(rivalry, 1))
            }
        }
    }

    /// Whether AWS has shown what is declared for long enough. A look that could not tell proves nothing.
    fn is_over(&self, outcome: &Outcome, rivalry: Rivalry, now: Instant) -> bool {
        if outcome.judgement == Judgement::Withheld || self.is_about_any(&outcome.left) {
            return false;
        }
        let undone = self.undone.as_ref();
        let calm = undone.and_then(|undone| undone.fight).map_or(rivalry.window, |fight| put_off(rivalry, fight.times));
        let last = match self.ours {
            Ours::Stands { since, .. } | Ours::Written { since, .. } => Some(since),
            Ours::None => undone.and_then(|undone| undone.at.back().copied()),
        };
        last.is_none_or(|last| now.duration_since(last) > calm.max(rivalry.window))
    }
}

fn put_off(rivalry: Rivalry, times: u32) -> Duration {
    rivalry.window.saturating_mul(2u32.saturating_pow(times.saturating_sub(1))).min(LONGEST.max(rivalry.window))
}

fn time_of(change: Option<&Change>) -> Option<Timestamp> {
    change.and_then(|change| change.at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_that_are_too_far_apart_see_no_fight() {
        let rivalry = Rivalry::default();
        assert!(rivalry.is_seen_at(Duration::from_mins(30)));
        assert!(!rivalry.is_seen_at(Duration::from_mins(31)));
        assert!(Rivalry::NEVER.is_seen_at(Duration::from_hours(24)));
        assert!(Rivalry { corrections: 1, ..rivalry }.is_seen_at(Duration::from_hours(24)));
    }
}
