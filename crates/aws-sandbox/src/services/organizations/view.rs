//! Organizations, roots, units and accounts as the wire shows them.

use serde_json::{Value, json};

use crate::knobs::{Knobs, StatusShown};
use crate::organization::{Member, Organization, Parent};

pub(super) fn organization(own: &Organization) -> Value {
    let management = own.account(&own.management);
    json!({
        "Id": own.id,
        "Arn": own.arn("organization", ""),
        "FeatureSet": "ALL",
        "MasterAccountArn": own.arn("account", &format!("/{}", own.management)),
        "MasterAccountId": &*own.management,
        "MasterAccountEmail": management.map(|account| account.email),
        "AvailablePolicyTypes": policy_types(),
    })
}

pub(super) fn root(own: &Organization, root: &Parent) -> Value {
    json!({
        "Id": &*root.id,
        "Arn": own.arn("root", &format!("/{}", root.id)),
        "Name": root.name,
        "PolicyTypes": policy_types(),
    })
}

fn policy_types() -> Value {
    json!([{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}])
}

pub(super) fn unit(own: &Organization, unit: &Parent) -> Value {
    json!({
        "Id": &*unit.id,
        "Arn": own.arn("ou", &format!("/{}", unit.id)),
        "Name": unit.name,
        "Path": own.path(&unit.id),
    })
}

pub(super) fn account(own: &Organization, account: &Member, knobs: &Knobs) -> Value {
    let joined = if account.id == *own.management { "INVITED" } else { "CREATED" };
    let mut shown = json!({
        "Id": account.id,
        "Arn": own.arn("account", &format!("/{}", account.id)),
        "Email": account.email,
        "Name": account.name,
        "Paths": [format!("{}{}/", own.path(&account.parent_id), account.id)],
        "JoinedMethod": joined,
        "JoinedTimestamp": account.joined.as_second(),
    });
    if knobs.account_status != StatusShown::State {
        shown["Status"] = account.status.as_status().into();
    }
    if knobs.account_status != StatusShown::Status {
        shown["State"] = account.status.as_state().into();
    }
    shown
}
