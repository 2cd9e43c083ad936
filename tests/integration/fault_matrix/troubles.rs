//! A fault: how it begins, how it ends, and which calls it can hit.

use std::time::Duration;

use aws_sandbox::{Fault, FaultKind, RegionStatus, Role, Sandbox};
use dhmc_controller::aws::Patience;

use super::calls::{Call, Place, REGION};
use super::lab::{no_pauses, short_timeouts};
use crate::referee::ACCOUNT;
use crate::sdk::{ROLE, TRUST, VALUE};

/// A fault.
#[derive(Debug, Clone)]
pub struct Trouble {
    pub title: &'static str,
    /// What it is, and which calls it does not hit.
    pub about: &'static str,
    pub kind: Kind,
    pub hits: fn(&Call) -> bool,
    pub place: Place,
}

/// How it is played.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Each attempt of the call ends so.
    Call(FaultKind),
    /// The region is closed.
    RegionDisabled,
    /// Our clock is wrong.
    ClockSkew,
    /// AWS takes its time to apply a change.
    PendingUpdate,
    /// A new role is not seen.
    RoleInvisible,
    /// Somebody else has created the role between our look and our write.
    Race,
    /// The setting may be written, but the role may not be passed.
    PassRole,
}

/// Far longer than a row takes.
const MINUTE: Duration = Duration::from_mins(1);

impl Trouble {
    /// Whether there is such a thing.
    pub fn hits(&self, call: &Call) -> bool {
        (self.hits)(call)
    }

    pub fn is_slow(&self) -> bool {
        matches!(self.kind, Kind::Call(FaultKind::Slow(_)))
    }

    pub fn patience(&self) -> fn(Patience) -> Patience {
        if self.is_slow() { short_timeouts } else { no_pauses }
    }

    /// Lasts until it is ended.
    pub fn begin(&self, sandbox: &Sandbox, call: &Call) {
        let account = sandbox.account(call.account());
        let inject = |kind: &FaultKind| {
            let fault = Fault::new(kind.clone()).service(call.service).operation(call.operation);
            sandbox.inject(if call.service == "ssm" { fault.region(REGION) } else { fault });
        };
        match &self.kind {
            Kind::Call(kind) => inject(kind),
            Kind::RegionDisabled if call.operation == "GetServiceSetting" => account.set_region(REGION, RegionStatus::Disabled),
            Kind::RegionDisabled => inject(&FaultKind::RegionDisabled),
            Kind::ClockSkew => sandbox.configure(|knobs| knobs.clock_offset_seconds = 15 * 60),
            Kind::PendingUpdate => sandbox.configure(|knobs| knobs.pending_update = MINUTE),
            Kind::RoleInvisible => sandbox.configure(|knobs| knobs.role_invisible = MINUTE),
            Kind::Race => inject(&FaultKind::EntityAlreadyExists),
            Kind::PassRole => account.deny("iam:PassRole"),
        }
    }

    /// The minute is not waited for.
    pub fn end(&self, sandbox: &Sandbox, call: &Call) {
        let account = sandbox.account(call.account());
        match &self.kind {
            Kind::RegionDisabled => account.set_region(REGION, RegionStatus::EnabledByDefault),
            Kind::ClockSkew => sandbox.configure(|knobs| knobs.clock_offset_seconds = 0),
            Kind::PendingUpdate => {
                let by = format!("arn:aws:sts::{ACCOUNT}:assumed-role/dhmc-controller/dhmc-sandbox");
                match call.operation {
                    "UpdateServiceSetting" => account.set_setting(REGION, VALUE, &by),
                    _ => account.reset_setting(REGION, &by),
                }
            }
            Kind::RoleInvisible => account.put_role(account.role(ROLE).unwrap()),
            Kind::Race => account.put_role(Role::new("/service-role/", ROLE, TRUST)),
            Kind::PassRole => account.allow("iam:PassRole"),
            Kind::Call(_) => {}
        }
        sandbox.clear_faults();
    }

    /// What AWS is left to do, of what it does where nothing goes wrong.
    pub fn expected(&self, without: &[String]) -> Vec<String> {
        let is_theirs = |write: &&String| matches!(self.kind, Kind::Race) && write.contains("iam:CreateRole");
        without.iter().filter(|write| !is_theirs(write)).cloned().collect()
    }
}
