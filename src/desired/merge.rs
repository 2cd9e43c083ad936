//! Several documents -> one desired state: each speaks for itself, and no target is claimed by two.
//!
//! Nobody could know which of two declarations of one account applies, so there is no precedence among documents. Called by
//! [`super::load_all`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::DesiredState;
use super::names::{AccountId, Partition};
use super::problems::{Place, Problem};

/// What a document claims, and where. Whatever is claimed twice is nobody's.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The account of the controller's own credentials, whichever that is; its id where it is told.
    pub(super) own: Option<(Option<AccountId>, Place)>,
    /// Accounts that are listed, or are `spec.account`.
    pub(super) listed: BTreeMap<AccountId, Place>,
    /// The organization.
    pub(super) organization: Option<Place>,
    /// Accounts that the organization's part names, to be managed.
    pub(super) selected: BTreeMap<AccountId, Place>,
    /// The partition that all of it is in.
    pub(super) partition: Option<(Partition, Place)>,
    /// The guard.
    pub(super) guard: Option<Place>,
}

impl Claims {
    /// The partition alone.
    pub(super) fn partition(&self) -> Option<Partition> {
        self.partition.as_ref().map(|(partition, _)| *partition)
    }
}

/// A document that was read, from a file.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) file: Arc<str>,
    pub(super) state: DesiredState,
    pub(super) claims: Claims,
}

/// The state that documents come to together. Of use only if no problem was found.
pub(super) fn merge(parts: Vec<Part>, problems: &mut Vec<Problem>) -> Option<DesiredState> {
    check(&parts, problems);
    let mut names: Vec<String> = Vec::new();
    let guard = parts.iter().find(|part| part.claims.guard.is_some()).map(|part| part.state.guard.clone()).unwrap_or_default();
    let mut states = parts.into_iter().map(|part| part.state);
    let mut merged = states.next()?;
    names.push(std::mem::take(&mut merged.name));
    for state in states {
        if !names.contains(&state.name) {
            names.push(state.name);
        }
        merged.accounts.extend(state.accounts);
        merged.organization = merged.organization.or(state.organization);
    }
    Some(DesiredState { name: names.join(", "), guard, ..merged })
}

fn check(parts: &[Part], problems: &mut Vec<Problem>) {
    let mut before = Earlier::default();
    for part in parts {
        let tell = |place: &Place, message: String, help: &str| Problem::new(place, message).help(help).of_file(&part.file);
        for (id, place) in &part.claims.listed {
            if let Some(other) = before.listed.get(id) {
                let message = format!("account {id} is declared already, in {other}");
                problems.push(tell(place, message, "keep it in one of the two files"));
            }
        }
        if let (Some((id, place)), Some((other_id, other))) = (&part.claims.own, &before.own) {
            // If both tell the same id, that has been told.
            if id.is_none() || id != other_id {
                let message = format!("without assumeRole, which is the controller's own account, as is the one in {other}");
                problems.push(tell(place, message, "list it under accounts with an assumeRole, or keep one of the two"));
            }
        }
        if let (Some(place), Some(other)) = (&part.claims.organization, &before.organization) {
            let message = format!("the organization is declared already, in {other}");
            problems.push(tell(place, message, "keep it in one of the two files"));
        }
        if let (Some(place), Some(other)) = (&part.claims.guard, &before.guard) {
            let message = format!("the guard is declared already, in {other}, and is for all files together");
            problems.push(tell(place, message, "keep it in one of the two files"));
        }
        if let (Some((partition, place)), Some((expected, other))) = (&part.claims.partition, &before.partition)
            && partition != expected
        {
            let message = format!("partition {partition}, while {other} is in partition {expected}");
            problems.push(tell(place, message, "credentials are of one partition: give each a controller of its own"));
        }
        before.add(part);
    }
    check_selected(parts, &before.listed, problems);
    if problems.is_empty() {
        check_nameless(parts, problems);
    }
}

/// Beside accounts with ids, an account without one may be any of them, and two declarations would fight over it.
fn check_nameless(parts: &[Part], problems: &mut Vec<Problem>) {
    let names_accounts = |part: &Part| !part.claims.listed.is_empty() || part.claims.organization.is_some();
    for part in parts.iter().filter(|_| parts.iter().any(names_accounts)) {
        if let Some((None, place)) = &part.claims.own {
            let message = "which account this is for is not said, and other files declare accounts, of which it may be one";
            problems
                .push(Problem::new(place, message).help("add `account`, the id that the credentials are of").of_file(&part.file));
        }
    }
}

/// An account that one document lists is not the organization's, so naming it there too says two things of it.
fn check_selected(parts: &[Part], listed: &BTreeMap<AccountId, Claimed<'_>>, problems: &mut Vec<Problem>) {
    for part in parts {
        for (id, place) in &part.claims.selected {
            // Within one document, validation has told.
            if let Some(other) = listed.get(id).filter(|other| other.file != &*part.file) {
                let message = format!("account {id} is listed under accounts, in {other}, and left out here");
                problems.push(Problem::new(place, message).help("declare it in one of the two places").of_file(&part.file));
            }
        }
    }
}

/// Where something is claimed.
#[derive(Debug, Clone, Copy)]
struct Claimed<'p> {
    file: &'p str,
    place: &'p Place,
}

impl std::fmt::Display for Claimed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.file)?;
        self.place.position.map_or(Ok(()), |position| write!(f, ":{}:{}", position.line, position.column))
    }
}

/// What the documents before claim.
#[derive(Debug, Default)]
struct Earlier<'p> {
    own: Option<(Option<AccountId>, Claimed<'p>)>,
    listed: BTreeMap<AccountId, Claimed<'p>>,
    organization: Option<Claimed<'p>>,
    partition: Option<(Partition, Claimed<'p>)>,
    guard: Option<Claimed<'p>>,
}

impl<'p> Earlier<'p> {
    fn add(&mut self, part: &'p Part) {
        let claimed = |place: &'p Place| Claimed { file: &part.file, place };
        let Claims { own, listed, organization, partition, guard, .. } = &part.claims;
        self.own = self.own.or_else(|| own.as_ref().map(|(id, place)| (*id, claimed(place))));
        self.organization = self.organization.or_else(|| organization.as_ref().map(claimed));
        self.guard = self.guard.or_else(|| guard.as_ref().map(claimed));
        self.partition = self.partition.or_else(|| partition.as_ref().map(|(partition, place)| (*partition, claimed(place))));
        for (id, place) in listed {
            self.listed.entry(*id).or_insert_with(|| claimed(place));
        }
    }
}
