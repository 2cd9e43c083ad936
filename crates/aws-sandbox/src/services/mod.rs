//! The services and their operations. A new service is a new file here and one line in [`find`].

pub(crate) mod account;
pub(crate) mod authorize;
pub(crate) mod iam;
pub(crate) mod organizations;
pub(crate) mod quick_setup;
pub(crate) mod ssm;
pub(crate) mod sts;

use authorize::Resource;
use jiff::Timestamp;

use crate::identity::Identity;
use crate::journal::Effect;
use crate::knobs::Knobs;
use crate::partition::Partition;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::ServiceError;
use crate::wire::params::Params;
use crate::world::{Account, World};

/// A service as the wire sees it.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its name in the credential scope, and before the colon of its actions.
    pub(crate) name: &'static str,
    pub(crate) protocol: Protocol,
    pub(crate) signed_for: SignedFor,
    pub(crate) operations: &'static [Operation],
}

/// The region a request to a service must be signed for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SignedFor {
    /// Any region open to the account.
    EachRegion,
    /// One region per partition.
    OneRegion(fn(Partition) -> &'static str),
}

/// One operation.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Its name on the wire: an action, a target, or the path of a REST service.
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    /// What it is about, as policies see it.
    pub(crate) on: fn(&Context<'_>) -> Resource,
    pub(crate) run: fn(&Context<'_>) -> Result<Answer, ServiceError>,
}

/// Everything an operation may look at.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) world: &'a World,
    pub(crate) identity: &'a Identity,
    pub(crate) account: &'a Account,
    pub(crate) region: &'a str,
    pub(crate) params: &'a Params,
    pub(crate) knobs: &'a Knobs,
    pub(crate) now: Timestamp,
    pub(crate) protocol: Protocol,
}

/// The service of a credential scope.
pub(crate) fn find(name: &str) -> Option<&'static Service> {
    const SERVICES: [&Service; 6] =
        [&ssm::SERVICE, &iam::SERVICE, &sts::SERVICE, &account::SERVICE, &organizations::SERVICE, &quick_setup::SERVICE];
    SERVICES.into_iter().find(|service| service.name == name)
}

impl Service {
    pub(crate) fn operation(&self, name: &str) -> Option<&'static Operation> {
        self.operations.iter().find(|operation| operation.name == name)
    }
}
