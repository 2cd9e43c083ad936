//! What each policy allows and denies, and what not, for documents of one idea each.

mod denials;
mod hubs;
mod renders;
mod rights;
mod trusts;

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::desired::load;

fn state(spec: &str) -> DesiredState {
    load(format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n").as_bytes()).unwrap()
}

fn value(document: &PolicyDocument) -> Value {
    serde_json::to_value(document).unwrap()
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn statements(policy: &Value) -> &Vec<Value> {
    policy["Statement"].as_array().unwrap()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_str().map_or_else(|| value.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect(), |one| vec![one])
}

fn actions(policy: &Value) -> BTreeSet<&str> {
    statements(policy).iter().flat_map(|statement| words(&statement["Action"])).collect()
}

/// The one statement about an action.
fn about<'p>(policy: &'p Value, action: &str) -> &'p Value {
    let found: Vec<&Value> =
        statements(policy).iter().filter(|statement| words(&statement["Action"]).contains(&action)).collect();
    assert_eq!(found.len(), 1, "{action}: {policy:#}");
    found[0]
}

/// What an action is about, in all statements.
fn resources<'p>(policy: &'p Value, action: &str) -> BTreeSet<&'p str> {
    let about = statements(policy).iter().filter(|statement| words(&statement["Action"]).contains(&action));
    about.flat_map(|statement| words(&statement["Resource"])).collect()
}
