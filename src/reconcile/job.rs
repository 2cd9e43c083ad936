//! One piece of work for a worker: everything it needs as plain values, and what it brings back.

use std::sync::Arc;

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::account::{Finding, RegionList, reconcile_account};
use super::organization::OrganizationLook;
use super::role::{Presence, RoleSubject};
use super::setting::SettingSubject;
use super::sightings::{RoleSight, Sight};
use super::{Intent, Subject, reconcile};
use crate::cloud::{Caller, Cloud, ErrorKind, Retry};
use crate::desired::names::{AccountId, Partition, Region};
use crate::desired::organization::Listing;
use crate::desired::{DesiredRole, DesiredSetting};
use crate::observed::{ObservedRole, RoleReadiness, Update};
use crate::outcome::{Next, Outcome, Progress};
use crate::plan::{DriftKind, Restraint, readiness, readiness_after};
use crate::target::State;

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Job {
    /// The organization.
    Organization(OrganizationLook),
    /// The account itself, and what an earlier look found it to be.
    Account { list: RegionList, before: Option<AccountId>, partition: Option<Partition> },
    /// Its role.
    Role { partition: Partition, want: Arc<DesiredRole>, presence: Presence, restraint: Restraint },
    /// One region's setting.
    Setting { partition: Partition, region: Region, want: DesiredSetting, role: RoleReadiness, restraint: Restraint },
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) outcome: Outcome,
    pub(super) found: Found,
}

/// What the other targets of the account should know.
#[derive(Debug)]
pub(super) enum Found {
    /// Who is in the organization; `None`: what was known stays.
    Organization(Option<Listing>),
    /// About the account.
    Account(Finding),
    /// About the role.
    Role(RoleFinding),
    /// About a setting.
    Setting(Sight),
    /// Nothing.
    Nothing,
    /// The worker broke off.
    Broken,
}

/// What came of looking at a role.
#[derive(Debug)]
pub(super) struct RoleFinding {
    /// The declaration it was looked at for.
    pub(super) want: Arc<DesiredRole>,
    /// Whether it is there.
    pub(super) presence: Presence,
    /// Whether settings may point to it; `None` when it could not be read, or nothing can be concluded yet.
    pub(super) readiness: Option<RoleReadiness>,
    /// What is attached to it.
    pub(super) sight: RoleSight,
}

impl Job {
    /// The same, held back.
    pub(super) fn under(mut self, restrained: Restraint) -> Self {
        if let Self::Role { restraint, .. } | Self::Setting { restraint, .. } = &mut self {
            *restraint = restrained;
        }
        self
    }

    /// Does it. `None`: stopped before anything was written.
    pub(super) async fn run<C: Cloud>(
        self,
        cloud: &C,
        caller: Caller,
        intent: Intent,
        stop: &CancellationToken,
    ) -> Option<Report> {
        match self {
            Self::Organization(look) => {
                let (outcome, listing) = look.run(cloud, stop).await?;
                Some(Report { outcome, found: Found::Organization(listing) })
            }
            Self::Account { list, before, partition } => {
                let (outcome, finding) = reconcile_account(cloud, &caller, before, partition, list, stop).await?;
                Some(Report { outcome, found: Found::Account(finding) })
            }
            Self::Role { partition, want, presence, restraint } => {
                let subject = RoleSubject { cloud, caller, partition, want: Arc::clone(&want), presence, restraint };
                let (outcome, observed) = reconcile(&subject, intent, stop).await?;
                let mut found = found_role(want, presence, &outcome, observed.as_ref());
                if let (Intent::Look, Some(observed), Some(readiness)) = (intent, &observed, &mut found.readiness) {
                    // Settings are compared with the role as it would be by then.
                    *readiness = readiness_after(&found.want, observed.as_ref(), &subject.plan(observed));
                }
                Some(Report { outcome, found: Found::Role(found) })
            }
            Self::Setting { partition, region, want, role, restraint } => {
                let subject = SettingSubject { cloud, caller, partition, region, want, role, restraint };
                let (outcome, observed) = reconcile(&subject, intent, stop).await?;
                let sight = match observed {
                    Some(setting) if setting.update == Update::Pending => Sight::Nothing,
                    Some(setting) if setting.value.is_some() => Sight::Set,
                    Some(_) => Sight::Unset,
                    // Where nothing runs, nothing can be taken away.
                    None if outcome.error == Some(ErrorKind::RegionDisabled) => Sight::Unset,
                    None => Sight::Nothing,
                };
                Some(Report { outcome, found: Found::Setting(sight) })
            }
        }
    }
}

/// Not to see a role that should be there proves nothing yet; a role that could not be read stays what it was.
fn found_role(
    want: Arc<DesiredRole>,
    presence: Presence,
    outcome: &Outcome,
    observed: Option<&Option<ObservedRole>>,
) -> RoleFinding {
    // One whose creation was not answered is not waited for. If it was created, the next attempt is told that there is such a role.
    let created = outcome.corrections.iter().any(|correction| {
        correction.drift.kind == DriftKind::RoleMissing && matches!(correction.progress, Progress::Written | Progress::Verified)
    });
    let (presence, readiness) = match observed {
        Some(Some(role)) => (Presence::SEEN, Some(readiness(&want, Some(role)))),
        _ if created => {
            let name = &want.name;
            let why = match (outcome.error, &outcome.reason) {
                (Some(_), Some(reason)) => format!("role {name} may have been created and is not visible ({reason})"),
                _ => format!("role {name} was created and is not visible yet"),
            };
            (Presence::CREATED, Some(RoleReadiness::NotReady(why)))
        }
        Some(None) if presence != Presence::Unknown => (presence.missed(), None),
        Some(None) => (Presence::Unknown, Some(readiness(&want, None))),
        None => (presence, None),
    };
    let extra = outcome.left.iter().filter(|drift| drift.kind == DriftKind::PolicyExtra).count();
    let sight = match observed {
        Some(Some(_)) if outcome.left.iter().any(|drift| drift.kind == DriftKind::RolePath) => RoleSight::Nothing,
        Some(Some(role)) => RoleSight::Attached { all: role.attached.len(), extra },
        Some(None) if presence == Presence::Unknown => RoleSight::Attached { all: 0, extra: 0 },
        Some(None) | None => RoleSight::Nothing,
    };
    RoleFinding { want, presence, readiness, sight }
}

impl Report {
    /// A worker that ended without an answer: a defect, kept from ending the process.
    pub(super) fn broken(failed: &JoinError) -> Self {
        let reason = format!("the worker broke off ({failed}); this is a defect of the controller, please report it");
        Self { outcome: Outcome::unseen(State::Unknown, reason, Next::Retry(Retry::Slow)), found: Found::Broken }
    }
}
