//! The organization: which accounts there are to manage. Asked again at an interval of its own; a list that could not be read,
//! or that has suddenly shrunk, leaves the last good one in force.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::membership::Change;
use crate::cloud::{Cloud, Retry};
use crate::desired::DesiredState;
use crate::desired::names::Account;
use crate::desired::organization::{DesiredOrganization, Expansion, Listing, Query, Tally};
use crate::outcome::{Next, Outcome};
use crate::plan::Plan;
use crate::target::{State, Target};

/// A list that loses more than this part of the accounts is not believed.
const MOST_LOST_PERCENT: usize = 20;

/// What is wanted of the organization and what is known of it. Pure.
#[derive(Debug, Default)]
pub(super) struct OrganizationMemory {
    wanted: Option<Arc<DesiredOrganization>>,
    /// What the accounts come from: a list, and a declaration that the list answers.
    in_force: Option<(Arc<DesiredOrganization>, Arc<Listing>)>,
}

/// The accounts to compare a new list with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrganizationLook {
    desired: Arc<DesiredState>,
    organization: Arc<DesiredOrganization>,
    before: Before,
}

/// What is in force while this is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Before {
    /// No account of the organization is managed yet.
    Nothing,
    /// A list that answers this declaration.
    List(Arc<Listing>),
    /// The declaration before this one.
    AnotherDeclaration,
}

impl OrganizationMemory {
    /// Another declaration comes into force. Until there is a list that answers it, the accounts of the one before stay.
    pub(super) fn want(&mut self, desired: &DesiredState) -> Vec<Change> {
        let before = std::mem::replace(&mut self.wanted, desired.organization.clone());
        let Some(wanted) = &self.wanted else {
            self.in_force = None;
            return if before.is_some() { vec![Change::Remove(Target::organization())] } else { Vec::new() };
        };
        if let Some((declaration, listing)) = &mut self.in_force
            && listing.query.answers(&wanted.query())
        {
            *declaration = Arc::clone(wanted);
        }
        match before {
            None => vec![Change::Add(Target::organization()), Change::Redeclare(Target::organization())],
            Some(before) if before.query() != wanted.query() => vec![Change::Redeclare(Target::organization())],
            Some(_) => Vec::new(),
        }
    }

    /// A list that is believed.
    pub(super) fn listed(&mut self, listing: Listing) {
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| listing.query.answers(&wanted.query())) {
            self.in_force = Some((Arc::clone(wanted), Arc::new(listing)));
        }
    }

    /// The accounts to manage as the organization's; `None` while nothing is known, or none is declared.
    pub(super) fn expansion(&self, desired: &DesiredState) -> Option<Expansion> {
        self.in_force.as_ref().map(|(declaration, listing)| declaration.expand(listing, desired))
    }

    /// What to look at.
    pub(super) fn look(&self, desired: &Arc<DesiredState>) -> Option<OrganizationLook> {
        let organization = Arc::clone(self.wanted.as_ref()?);
        let before = match &self.in_force {
            None => Before::Nothing,
            Some((declaration, listing)) if declaration.query() == organization.query() => Before::List(Arc::clone(listing)),
            Some(_) => Before::AnotherDeclaration,
        };
        Some(OrganizationLook { desired: Arc::clone(desired), organization, before })
    }
}

impl OrganizationLook {
    /// Lists the accounts. The list is `None` where the last one stays in force. `None`: stopped.
    pub(super) async fn run<C: Cloud>(self, cloud: &C, stop: &CancellationToken) -> Option<(Outcome, Option<Listing>)> {
        let query = self.organization.query();
        let answer = stop.run_until_cancelled(cloud.members(&query)).await?;
        Some(match answer {
            Ok(members) => self.judge(Listing { query, members }),
            Err(error) => {
                let kept = match self.before {
                    Before::Nothing => "no account of the organization is managed until it can be listed",
                    Before::List(_) => "the last list stays in force",
                    Before::AnotherDeclaration => "the organization as it was declared before stays in force",
                };
                (Outcome { reason: Some(format!("{error}; {kept}")), ..Outcome::unread(&error, wanted()) }, None)
            }
        })
    }

    fn judge(&self, listing: Listing) -> (Outcome, Option<Listing>) {
        let query = listing.query.clone();
        let expand = |listing: &Listing| self.organization.expand(listing, &self.desired);
        let after = expand(&listing);
        let seen =
            |expansion: &Expansion| Outcome::of_plan(&Plan::<()>::default(), wanted(), told(&query, expansion.tally), None);
        if listing.members.is_empty() {
            // The management account itself is always a member.
            return (distrusted("AWS lists no account at all".to_owned(), State::Unknown, seen(&after)), None);
        }
        let Before::List(before) = &self.before else { return (seen(&after), Some(listing)) };
        let before = expand(before);
        let managed: BTreeSet<&Account> = after.accounts.keys().collect();
        let lost: Vec<&Account> = before.accounts.keys().filter(|account| !managed.contains(account)).collect();
        if lost.len() * 100 <= before.accounts.len() * MOST_LOST_PERCENT {
            return (seen(&after), Some(listing));
        }
        let why = format!(
            "{} of {} accounts are not in the list any more, more than {MOST_LOST_PERCENT}% at once ({}); the last list stays in force: \
             restart the controller if they have really left",
            lost.len(),
            before.accounts.len(),
            some_of(&lost)
        );
        (distrusted(why, State::Held, seen(&after)), None)
    }
}

fn wanted() -> String {
    "the accounts of the organization".to_owned()
}

fn told(query: &Query, tally: Tally) -> String {
    let Tally { managed, listed, excluded, suspended } = tally;
    let units = query.units.len();
    format!(
        "{managed} accounts managed, {listed} listed by themselves, {excluded} excluded, {suspended} suspended ({units} units)"
    )
}

fn distrusted(why: String, state: State, outcome: Outcome) -> Outcome {
    let next = if state == State::Held { Next::Interval } else { Next::Retry(Retry::Backoff) };
    Outcome { state, reason: Some(why), next, ..outcome }
}

/// Enough to recognise them by.
fn some_of(accounts: &[&Account]) -> String {
    const MOST: usize = 5;
    let first: Vec<String> = accounts.iter().take(MOST).map(ToString::to_string).collect();
    let rest = accounts.len().saturating_sub(MOST);
    if rest == 0 { first.join(", ") } else { format!("{} and {rest} more", first.join(", ")) }
}
