//! What is read for an examination besides what the controller reads: the seam, and plain values free of SDK types.

use std::collections::BTreeMap;
use std::future::Future;

use jiff::Timestamp;

use crate::cloud::{Caller, Cloud, CloudError};
use crate::desired::names::{Partition, Region, RoleName};

/// The reads that only an examination needs; [`READS`](crate::policy::doctor::READS) has their names. None of them writes.
pub trait Examined: Cloud {
    /// What time it is by AWS's clock, and was here at the same moment.
    fn clock(&self) -> impl Future<Output = Result<ClockReading, CloudError>> + Send;

    /// The document of a managed policy that is in force, or `None` when IAM says that there is no such policy.
    fn managed_policy(
        &self,
        caller: &Caller,
        partition: Partition,
        arn: &str,
    ) -> impl Future<Output = Result<Option<String>, CloudError>> + Send;

    /// The inline policies of a role, each by its name.
    fn inline_policies(
        &self,
        caller: &Caller,
        partition: Partition,
        role: &RoleName,
    ) -> impl Future<Output = Result<BTreeMap<String, String>, CloudError>> + Send;

    /// Whether a principal may do something, by IAM's own judgement.
    fn simulate(
        &self,
        caller: &Caller,
        partition: Partition,
        principal: &str,
        simulation: &Simulation,
    ) -> impl Future<Output = Result<Vec<Simulated>, CloudError>> + Send;

    /// The document with Session Manager's preferences of a region, or `None` when nobody has set any.
    fn session_preferences(
        &self,
        caller: &Caller,
        region: &Region,
    ) -> impl Future<Output = Result<Option<String>, CloudError>> + Send;

    /// What State Manager keeps doing in a region.
    fn associations(&self, caller: &Caller, region: &Region)
    -> impl Future<Output = Result<Vec<Association>, CloudError>> + Send;

    /// What Quick Setup keeps up from a region.
    fn quick_setups(&self, caller: &Caller, region: &Region) -> impl Future<Output = Result<Vec<QuickSetup>, CloudError>> + Send;
}

/// Two clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// This machine's.
    pub here: Timestamp,
    /// AWS's, in whole seconds.
    pub aws: Timestamp,
}

/// A State Manager association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The document that it runs.
    pub document: String,
    /// What it is called, where it has a name.
    pub name: Option<String>,
}

/// A configuration manager of Quick Setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuickSetup {
    /// What it is called, or else its ARN.
    pub name: String,
    /// What it sets up, such as `AWSQuickSetupType-DHMC`.
    pub types: Vec<String>,
}

/// A question to IAM's policy simulator: each action on each resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// In the words of an IAM policy.
    pub actions: Vec<&'static str>,
    /// ARNs.
    pub resources: Vec<String>,
    /// What the call would bring along, such as `iam:PassedToService`.
    pub context: BTreeMap<&'static str, String>,
}

/// IAM's answer about one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulated {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// What it comes to.
    pub answer: Answer,
    /// Keys of conditions that IAM would have had to know.
    pub unknown: Vec<String>,
}

/// Whether something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It may.
    Allowed,
    /// Somebody forbids it.
    Forbidden,
    /// Nobody allows it.
    NotAllowed,
}
