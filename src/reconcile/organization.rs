//! The organization: which accounts there are to manage. Asked again at an interval of its own; a list that could not be read,
//! or that has suddenly shrunk, leaves the last good one in force.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::membership::Change;
use crate::cloud::{Cloud, Retry};
use crate::desired::DesiredState;
use crate::desired::names::Account;
use crate::desired::organization::{DesiredOrganization, Expansion, Listing, Query, Scope, Tally};
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
    /// Another declaration, with its list. Nothing is written for it.
    Another(Arc<DesiredOrganization>, Arc<Listing>),
}

impl Before {
    /// What goes on while there is no better list.
    fn stays(&self) -> &'static str {
        match self {
            Self::Nothing => "no account of the organization is managed until it can be listed",
            Self::List(_) => "the last list stays in force",
            Self::Another(..) => {
                "the accounts of the declaration before this one are watched, and nothing is written until it can be listed"
            }
        }
    }

    /// The same, where there is a list, and it is not believed.
    fn stays_while_held(&self) -> &'static str {
        match self {
            Self::Nothing | Self::List(_) => self.stays(),
            Self::Another(..) => {
                "the accounts of the declaration before this one are watched, and nothing is written until this is settled"
            }
        }
    }
}

impl OrganizationMemory {
    /// Another declaration comes into force: with the list that there is, if that answers it.
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
            Some(before) if before != *wanted => vec![Change::Redeclare(Target::organization())],
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
    ///
    /// While no list answers the declaration, nobody can tell which accounts it leaves out or only observes. Those of the one
    /// before are watched until then, and nothing is written.
    pub(super) fn expansion(&self, desired: &DesiredState) -> Option<Expansion> {
        let (declaration, listing) = self.in_force.as_ref()?;
        let wanted = self.wanted.as_ref()?;
        if declaration == wanted {
            return Some(declaration.expand(listing, desired));
        }
        let mut watched = declaration.expand_to_watch(listing, desired);
        watched.accounts.retain(|account, _| !wanted.leaves_out(account));
        watched.tally.excluded += watched.tally.managed - watched.accounts.len();
        watched.tally.managed = watched.accounts.len();
        Some(watched)
    }

    /// Whether the accounts that are declared are known: a list answers the declaration, or there is none.
    pub(super) fn is_answered(&self) -> bool {
        match (&self.wanted, &self.in_force) {
            (None, _) => true,
            (Some(wanted), Some((declaration, _))) => declaration == wanted,
            (Some(_), None) => false,
        }
    }

    /// What to look at.
    pub(super) fn look(&self, desired: &Arc<DesiredState>) -> Option<OrganizationLook> {
        let organization = Arc::clone(self.wanted.as_ref()?);
        let before = match &self.in_force {
            None => Before::Nothing,
            Some((declaration, listing)) if *declaration == organization => Before::List(Arc::clone(listing)),
            Some((declaration, listing)) => Before::Another(Arc::clone(declaration), Arc::clone(listing)),
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
                let reason = format!("{error}; {}", self.before.stays());
                (Outcome { reason: Some(reason), ..Outcome::unread(&error, wanted()) }, None)
            }
        })
    }

    fn judge(&self, listing: Listing) -> (Outcome, Option<Listing>) {
        if listing.members.is_empty() && listing.query.scope == Scope::Everyone {
            // The management account itself is always a member.
            let why = "AWS lists no account at all, not even the management account".to_owned();
            return (Outcome { desired: wanted(), ..distrusted(State::Unknown, why) }, None);
        }
        if let Some(why) = self.loss(&listing) {
            return (Outcome { desired: wanted(), ..distrusted(State::Held, why) }, None);
        }
        let tally = self.organization.expand(&listing, &self.desired).tally;
        let seen = Outcome::of_plan(&Plan::<()>::default(), wanted(), told(&listing.query, tally), None);
        let outcome = match self.doubt(&listing, tally) {
            Some(reason) => Outcome { state: State::Drifted, reason: Some(reason), ..seen },
            None => seen,
        };
        (outcome, Some(listing))
    }

    /// Why a list is not believed: it has lost too many of the accounts that one declaration came to.
    fn loss(&self, listing: &Listing) -> Option<String> {
        let (declaration, before) = match &self.before {
            Before::List(before) => (&self.organization, before),
            Before::Another(declaration, before) if listing.query.answers(&declaration.query()) => (declaration, before),
            Before::Nothing | Before::Another(..) => return None,
        };
        let (before, after) = (declaration.expand(before, &self.desired), declaration.expand(listing, &self.desired));
        // Whom the declaration leaves out by name is not missed.
        let missed = |account: &&Account| !after.accounts.contains_key(account) && !self.organization.leaves_out(account);
        let lost: Vec<&Account> = before.accounts.keys().filter(missed).collect();
        let too_many = lost.len() * 100 > before.accounts.len() * MOST_LOST_PERCENT;
        too_many.then(|| {
            format!(
                "{} of {} accounts are not in the list any more, more than {MOST_LOST_PERCENT}% at once ({}); {}; exclude \
                 them or restart the controller if they have really left",
                lost.len(),
                before.accounts.len(),
                some_of(&lost),
                self.before.stays_while_held()
            )
        })
    }

    /// What about a list that is believed does not fit the declaration.
    fn doubt(&self, listing: &Listing, tally: Tally) -> Option<String> {
        let unknown: Vec<Account> = self.organization.unknown(listing).into_iter().map(Account::Id).collect();
        if !unknown.is_empty() {
            let names = some_of(&unknown.iter().collect::<Vec<_>>());
            return Some(format!("accounts that the document names are not in the organization: {names}; correct or drop them"));
        }
        (tally.managed + tally.listed + tally.suspended == 0)
            .then(|| "the document selects no account of the organization".to_owned())
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

fn distrusted(state: State, why: String) -> Outcome {
    let next = if state == State::Held { Next::Interval } else { Next::Retry(Retry::Backoff) };
    Outcome::unseen(state, why, next)
}

/// Enough to recognise them by.
fn some_of(accounts: &[&Account]) -> String {
    const MOST: usize = 5;
    let first: Vec<String> = accounts.iter().take(MOST).map(ToString::to_string).collect();
    let rest = accounts.len().saturating_sub(MOST);
    if rest == 0 { first.join(", ") } else { format!("{} and {rest} more", first.join(", ")) }
}
