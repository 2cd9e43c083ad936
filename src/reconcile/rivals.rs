//! Somebody else changes a target back each time: corrections are put off, for longer each time, rather than fought over.
//! Pure: the time is a parameter.
//!
//! What counts is a correction that was *undone*: AWS showed what is declared, and later something else, under the same
//! declaration. The first corrections of a new declaration undo nobody's work, nor does a write of ours that AWS shows late.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::observed::Change;
use crate::outcome::{Judgement, Outcome, Progress};
use crate::plan::{Contention, DriftKind};
use crate::target::Target;

/// The longest that a correction is put off.
const LONGEST: Duration = Duration::from_hours(24);
/// The last modifier of a setting that is unset: AWS tells of no person there (turbot/steampipe-plugin-aws PR 2611).
const NOBODY: &str = "System";

/// When a target counts as fought over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rivalry {
    /// After so many corrections that were undone. At least 1.
    pub corrections: usize,
    /// Within this time. It is also how long the first correction after that is put off, doubled each time.
    pub window: Duration,
}

impl Default for Rivalry {
    fn default() -> Self {
        Self { corrections: 3, window: Duration::from_hours(1) }
    }
}

/// The targets whose corrections are undone.
#[derive(Debug)]
pub(super) struct Rivals {
    rivalry: Rivalry,
    known: HashMap<Target, Record>,
}

/// Of every target that was corrected within the window: when a whole organization is switched on, that is each of them.
#[derive(Debug, Default)]
struct Record {
    ours: Ours,
    undone: Option<Box<Undone>>,
}

/// Our corrections that were undone.
#[derive(Debug, Default)]
struct Undone {
    /// When: the last ones, and as many as it takes to be fought over.
    at: VecDeque<Instant>,
    /// Who did it last.
    by: Option<String>,
    fight: Option<Fight>,
}

/// What became of our last correction.
#[derive(Debug, Default)]
enum Ours {
    /// There is none, or it was undone.
    #[default]
    None,
    /// AWS took it, and has not shown it.
    Written,
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
        let until = record.put_off_until(self.rivalry, now)?;
        let until = time.checked_add(until.saturating_duration_since(now)).ok()?;
        let standing = usize::from(matches!(record.ours, Ours::Stands { .. }));
        let (before, by) = record.undone.as_ref().map_or((0, None), |undone| (undone.at.len(), undone.by.clone()));
        Some(Arc::new(Contention { undone: before + standing, window: self.rivalry.window, by, until }))
    }

    /// Enters what a look saw and did.
    pub(super) fn looked(&mut self, target: &Target, outcome: &Outcome, now: Instant) -> News {
        let corrects = outcome.corrections.iter().any(|one| matches!(one.progress, Progress::Verified | Progress::Written));
        if !corrects && !self.known.contains_key(target) {
            return News::None;
        }
        let record = self.known.entry(target.clone()).or_default();
        let news = record.see(outcome, self.rivalry, now);
        record.act(outcome, now);
        if record.is_over(self.rivalry, now) {
            self.known.remove(target);
        }
        news
    }
}

impl Record {
    /// What was there before this look did anything.
    fn see(&mut self, outcome: &Outcome, rivalry: Rivalry, now: Instant) -> News {
        let found_none = outcome.drift.is_empty();
        if found_none && outcome.judgement == Judgement::Withheld {
            return News::None;
        }
        match self.ours {
            Ours::Written if found_none => {
                let changed_at = outcome.changed_before.as_ref().and_then(|change| change.at);
                self.ours = Ours::Stands { since: now, changed_at };
                News::None
            }
            Ours::Stands { changed_at, .. } if !found_none && !is_older(outcome, changed_at) => {
                self.undone(outcome.changed_before.as_ref(), rivalry, now)
            }
            Ours::None | Ours::Written | Ours::Stands { .. } => News::None,
        }
    }

    fn undone(&mut self, by: Option<&Change>, rivalry: Rivalry, now: Instant) -> News {
        self.ours = Ours::None;
        let undone = self.undone.get_or_insert_default();
        undone.by = by.filter(|change| change.by != NOBODY).map(|change| change.by.clone());
        undone.at.push_back(now);
        while undone.at.len() > rivalry.corrections {
            undone.at.pop_front();
        }
        let all_at_once = undone.at.front().is_some_and(|first| now.duration_since(*first) <= rivalry.window);
        let times = match undone.fight {
            Some(fight) => fight.times.saturating_add(1),
            None if undone.at.len() >= rivalry.corrections && all_at_once => 1,
            None => return News::None,
        };
        undone.fight = Some(Fight { times, until: now + put_off(rivalry, times) });
        News::PutOff
    }

    /// What this look did.
    fn act(&mut self, outcome: &Outcome, now: Instant) {
        let any = |progress| outcome.corrections.iter().any(|correction| correction.progress == progress);
        if any(Progress::Verified) {
            self.ours = Ours::Stands { since: now, changed_at: outcome.changed.as_ref().and_then(|change| change.at) };
        } else if any(Progress::Written) {
            self.ours = Ours::Written;
        }
    }

    /// Until when a correction that were due now would be put off.
    fn put_off_until(&self, rivalry: Rivalry, now: Instant) -> Option<Instant> {
        let stands = matches!(self.ours, Ours::Stands { .. });
        let undone = self.undone.as_ref();
        match undone.and_then(|undone| undone.fight) {
            Some(fight) if now < fight.until => Some(fight.until),
            // The correction that was made after that time: drift now means that it was undone, too.
            Some(fight) if stands => Some(now + put_off(rivalry, fight.times.saturating_add(1))),
            Some(_) => None,
            None => {
                let is_recent = |at: &&Instant| now.duration_since(**at) <= rivalry.window;
                let recent = undone.map_or(0, |undone| undone.at.iter().filter(is_recent).count());
                (stands && recent + 1 >= rivalry.corrections).then(|| now + put_off(rivalry, 1))
            }
        }
    }

    /// Whether nobody has undone anything for long enough.
    fn is_over(&self, rivalry: Rivalry, now: Instant) -> bool {
        let undone = self.undone.as_ref();
        let calm = undone.and_then(|undone| undone.fight).map_or(rivalry.window, |fight| put_off(rivalry, fight.times));
        let last = match self.ours {
            Ours::Stands { since, .. } => Some(since),
            Ours::Written => return false,
            Ours::None => undone.and_then(|undone| undone.at.back().copied()),
        };
        last.is_none_or(|last| now.duration_since(last) > calm.max(rivalry.window))
    }
}

fn put_off(rivalry: Rivalry, times: u32) -> Duration {
    rivalry.window.saturating_mul(2u32.saturating_pow(times.saturating_sub(1))).min(LONGEST.max(rivalry.window))
}

/// Whether what AWS shows is from before our correction: then nobody undid it, and AWS is behind. Of a setting that is unset
/// AWS tells neither who nor when.
fn is_older(outcome: &Outcome, ours: Option<Timestamp>) -> bool {
    let is_unset = outcome.drift.iter().any(|drift| drift.kind == DriftKind::SettingUnset);
    let shown = outcome.changed_before.as_ref().and_then(|change| change.at);
    !is_unset && matches!((shown, ours), (Some(shown), Some(ours)) if shown <= ours)
}
