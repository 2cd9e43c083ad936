//! Organizations: who is in, and where. AWS JSON 1.1, botocore's `organizations` model of 2016-11-28.
//! This file is the table of operations and who may call them.

mod page;
mod read;
mod refusal;
mod view;

use parking_lot::{MappedRwLockReadGuard, RwLockReadGuard};

use super::{Context, Operation, Service, SignedFor};
use crate::journal::Effect::Read;
use crate::organization::Organization;
use crate::partition::Partition;
use crate::wire::answer::{Answer, Protocol};
use crate::wire::error::ServiceError;

pub(crate) use refusal::of_fault;

pub(crate) const SERVICE: Service = Service {
    name: "organizations",
    protocol: Protocol::Json,
    signed_for: SignedFor::OneRegion(Partition::account_region),
    operations: &[
        on_all("DescribeOrganization", read::organization),
        on_all("ListRoots", read::roots),
        on_all("ListAccounts", read::accounts),
        on_all("ListAccountsForParent", read::accounts_for_parent),
        on_all("ListOrganizationalUnitsForParent", read::units_for_parent),
        on_all("DescribeAccount", read::account),
    ],
};

const fn on_all(name: &'static str, run: fn(&Context<'_>) -> Result<Answer, ServiceError>) -> Operation {
    Operation { name, effect: Read, resource: |_| "*".to_owned(), run }
}

type Guard<'a> = MappedRwLockReadGuard<'a, Organization>;

/// The organization the caller is in.
fn own<'a>(call: &Context<'a>) -> Result<Guard<'a>, ServiceError> {
    let organizations = call.world.organizations.read();
    RwLockReadGuard::try_map(organizations, |all| all.of(&call.account.id)).map_err(|_| refusal::not_in_use())
}

/// The same, for the management account and delegated administrators only.
fn trusted<'a>(call: &Context<'a>) -> Result<Guard<'a>, ServiceError> {
    let organization = own(call)?;
    if organization.is_trusted(&call.account.id) { Ok(organization) } else { Err(refusal::denied()) }
}
