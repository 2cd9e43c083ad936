//! Organizations: who is in, and where. AWS JSON 1.1, botocore's `organizations` model of 2016-11-28.
//! This file is the table of operations and who may call them.

mod page;
mod read;
mod refusal;
mod view;

use parking_lot::{MappedRwLockReadGuard, RwLockReadGuard};

use super::authorize::Resource;
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
        Operation { name: "ListAccountsForParent", effect: Read, on: parent, run: read::accounts_for_parent },
        Operation { name: "ListOrganizationalUnitsForParent", effect: Read, on: parent, run: read::units_for_parent },
        Operation { name: "DescribeAccount", effect: Read, on: account, run: read::account },
    ],
};

const fn on_all(name: &'static str, run: fn(&Context<'_>) -> Result<Answer, ServiceError>) -> Operation {
    Operation { name, effect: Read, on: |_| Resource::any(), run }
}

/// A root or a unit by its ARN (Service Authorization Reference, AWS Organizations).
fn parent(call: &Context<'_>) -> Resource {
    let id = call.params.text("ParentId").unwrap_or_default();
    named(call, if id.starts_with("r-") { "root" } else { "ou" }, id)
}

fn account(call: &Context<'_>) -> Resource {
    named(call, "account", call.params.text("AccountId").unwrap_or_default())
}

fn named(call: &Context<'_>, kind: &str, id: &str) -> Resource {
    let organizations = call.world.organizations.read();
    let own = organizations.of(&call.account.id);
    own.map_or_else(Resource::any, |own| Resource::new(own.arn(kind, &format!("/{id}"))))
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
