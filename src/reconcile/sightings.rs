//! What one account has that a change could take away from it, as far as anybody has looked. Pure.
//!
//! What is counted is what the *change* takes away: a setting that was seen unset since it is declared so, and is set again,
//! is drift, and corrected like any other. Called by `membership`.

use std::collections::BTreeMap;

use super::expand::Want;
use crate::desired::names::Region;
use crate::desired::{Declared, Management, Mode};
use crate::plan::change::{detaches, resets};
use crate::plan::{Removal, Tally};
use crate::target::Resource;

/// IAM lets at most 20 managed policies be attached to a role (IAM quotas; 10 unless the quota was raised).
const MOST_POLICIES: usize = 20;

/// All that was seen of one account.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    settings: BTreeMap<Region, Setting>,
    role: Option<Role>,
    /// What was taken away since the change began, by kind.
    gone: [usize; Removal::ALL.len()],
    /// How many regions it may have that `otherRegions` resets, while nobody knows which are open to it.
    unlisted: usize,
    /// Whether anybody has tried to look at the account.
    account_was_tried: bool,
}

#[derive(Debug, Clone, Copy)]
struct Setting {
    /// Whether it is ours to write: what is only observed makes no change any smaller.
    is_kept: bool,
    change: Taking,
    seen: Option<Sight>,
}

#[derive(Debug, Clone, Copy)]
struct Role {
    is_kept: bool,
    change: Taking,
    seen: Option<RoleSight>,
}

/// Whether the declaration takes something away from this target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// It does not.
    No,
    /// It does, and this has not been seen as declared.
    Yes,
    /// It did: this has been seen as declared.
    Done,
}

/// What a look at a setting saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// It names a role.
    Set,
    /// It names none.
    Unset,
    /// It could not be read.
    Nothing,
}

/// What a look at a role saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RoleSight {
    /// So many policies are attached, and so many of them are not declared.
    Attached { all: usize, extra: usize },
    /// It could not be read, or is not where it should be.
    Nothing,
}

impl Sightings {
    /// Takes the targets of the account as they are declared now. What was seen of those that stay is still known. `unlisted`
    /// is how many more settings may be reset once its regions are known.
    pub(super) fn declare(&mut self, before: &BTreeMap<Resource, Want>, wants: &BTreeMap<Resource, Want>, unlisted: usize) {
        self.unlisted = unlisted;
        self.settings.retain(|region, _| wants.contains_key(&Resource::Setting(region.clone())));
        self.role = self.role.filter(|_| wants.contains_key(&Resource::Role));
        for (resource, want) in wants.iter().filter(|(resource, want)| before.get(*resource) != Some(*want)) {
            match (resource, want) {
                (Resource::Setting(region), Want::Setting(setting)) => {
                    let change = if resets(Declared::Managed(*setting)) { Taking::Yes } else { Taking::No };
                    // That it was off says nothing of now: somebody may have read it half way through an update.
                    let seen = self.settings.get(region).and_then(|known| known.seen).filter(|seen| *seen == Sight::Set);
                    let is_kept = setting.mode == Mode::Enforce;
                    self.settings.insert(region.clone(), Setting { is_kept, change, seen });
                }
                (Resource::Role, Want::Role(role)) => {
                    let change = if detaches(role) { Taking::Yes } else { Taking::No };
                    // What is extra depends on what is declared.
                    let is_kept = role.mode == Mode::Enforce && role.management == Management::Managed;
                    self.role = Some(Role { is_kept, change, seen: None });
                }
                _ => {}
            }
        }
    }

    /// Another change begins: what was taken away by the one before does not count for it.
    pub(super) fn begin_change(&mut self) {
        self.gone = [0; Removal::ALL.len()];
    }

    /// Somebody has looked at a setting.
    pub(super) fn saw_setting(&mut self, region: &Region, sight: Sight) {
        let Some(setting) = self.settings.get_mut(region) else { return };
        if sight == Sight::Nothing {
            // What was there is most likely still there.
            setting.seen.get_or_insert(sight);
            return;
        }
        let before = setting.seen.replace(sight);
        if setting.change == Taking::Yes && sight == Sight::Unset {
            setting.change = Taking::Done;
            self.gone[Removal::Reset as usize] += usize::from(before == Some(Sight::Set));
        }
    }

    /// Somebody has looked at the role.
    pub(super) fn saw_role(&mut self, sight: RoleSight) {
        let Some(role) = &mut self.role else { return };
        if sight == RoleSight::Nothing {
            role.seen.get_or_insert(sight);
            return;
        }
        let before = role.seen.replace(sight);
        if let (Taking::Yes, RoleSight::Attached { extra, .. }) = (role.change, sight) {
            if let Some(RoleSight::Attached { extra: extra_before, .. }) = before {
                self.gone[Removal::Detachment as usize] += extra_before.saturating_sub(extra);
            }
            if extra == 0 {
                role.change = Taking::Done;
            }
        }
    }

    /// The account is reached in another way: nobody has tried that.
    pub(super) fn untried_account(&mut self) {
        self.account_was_tried = false;
    }

    /// Whether anybody has tried to look at the account.
    pub(super) fn account_was_tried(&self) -> bool {
        self.account_was_tried
    }

    /// Somebody has looked at the account, with whatever result.
    pub(super) fn tried_account(&mut self) {
        self.account_was_tried = true;
    }

    /// The account cannot be used: nobody will look at what is in it before that changes.
    pub(super) fn saw_nothing(&mut self) {
        self.settings.values_mut().for_each(|setting| _ = setting.seen.get_or_insert(Sight::Nothing));
        if let Some(role) = &mut self.role {
            role.seen.get_or_insert(RoleSight::Nothing);
        }
    }

    /// All of it, by kind.
    pub(super) fn tallies(&self) -> [Tally; Removal::ALL.len()] {
        let mut resets = Tally {
            gone: self.gone[Removal::Reset as usize],
            unseen: self.unlisted,
            unread: usize::from(self.unlisted > 0 && !self.account_was_tried),
            ..Tally::default()
        };
        for Setting { is_kept, change, seen } in self.settings.values() {
            let takes = usize::from(*change == Taking::Yes);
            match seen {
                Some(Sight::Set) => {
                    resets.there += usize::from(*is_kept);
                    resets.going += takes;
                }
                Some(Sight::Unset) => {}
                Some(Sight::Nothing) => resets.unseen += takes,
                None => {
                    resets.unread += 1;
                    resets.unseen += takes;
                }
            }
        }
        let mut detachments = Tally { gone: self.gone[Removal::Detachment as usize], ..Tally::default() };
        if let Some(Role { is_kept, change, seen }) = self.role {
            let takes = usize::from(change == Taking::Yes);
            match seen {
                Some(RoleSight::Attached { all, extra }) => {
                    detachments.there = usize::from(is_kept) * all;
                    detachments.going = takes * extra;
                }
                Some(RoleSight::Nothing) => detachments.unseen = takes * MOST_POLICIES,
                None => {
                    detachments.unread = 1;
                    detachments.unseen = takes * MOST_POLICIES;
                }
            }
        }
        [resets, detachments]
    }

    /// Which kind of removal a target is part of; `None` where nothing is taken away, or it is not counted.
    pub(super) fn part(&self, resource: &Resource) -> Part {
        match resource {
            Resource::Setting(region) => match self.settings.get(region) {
                Some(Setting { change: Taking::Yes, seen, .. }) if *seen == Some(Sight::Set) => Part::Counted(Removal::Reset),
                Some(Setting { change: Taking::Yes, .. }) => Part::Uncounted,
                _ => Part::None,
            },
            Resource::Role => match self.role {
                Some(Role { change: Taking::Yes, seen: Some(RoleSight::Attached { .. }), .. }) => {
                    Part::Counted(Removal::Detachment)
                }
                Some(Role { change: Taking::Yes, .. }) => Part::Uncounted,
                _ => Part::None,
            },
            Resource::Organization | Resource::Account => Part::None,
        }
    }

    /// The targets from which this kind is taken away, as far as they are counted.
    pub(super) fn parts(&self, removal: Removal) -> Vec<Resource> {
        let settings = self.settings.keys().cloned().map(Resource::Setting);
        settings.chain([Resource::Role]).filter(|resource| self.part(resource) == Part::Counted(removal)).collect()
    }
}

/// How a target takes part in a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Nothing is taken away from it.
    None,
    /// Something may be, and nobody has seen what.
    Uncounted,
    /// It is among what is counted.
    Counted(Removal),
}
