//! The keys that a document can have, wherever they belong. Told by the schema, which names them all.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{regions, schema};

/// All of them, and every region.
pub(super) fn known() -> BTreeSet<String> {
    let mut keys = regions::known().iter().map(|(name, _)| (*name).to_owned()).collect();
    collect(&schema::json(), &mut keys);
    keys
}

fn collect(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            fields.values().for_each(|value| collect(value, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, keys)),
        _ => {}
    }
}
