//! What a trust policy means does not depend on how it is written, and mending one takes nothing away.
//!
//! One policy, or two that are separated by a line of `=====`.

use std::sync::{Arc, LazyLock};

use dhmc_controller::desired::names::{Partition, ServicePrincipal};
use dhmc_controller::desired::{self, DEFAULT_POLICY_NAME, DEFAULT_ROLE_NAME, DEFAULT_ROLE_PATH, DesiredRole};
use dhmc_controller::observed::{ObservedRole, RoleReadiness};
use dhmc_controller::plan::trust_policy::{Trust, fresh, repaired, trust};
use dhmc_controller::plan::{DriftKind, Hold, RoleAction, plan_role, readiness};
use serde_json::{Value, json};

const SEPARATOR: &str = "\n=====\n";
const DOCUMENT: &[u8] = b"{apiVersion: dhmc.dev/v1alpha1, kind: HostManagement, spec: {regions: {eu-west-1: enabled}}}";

static SSM: LazyLock<ServicePrincipal> = LazyLock::new(ServicePrincipal::default);
static ROLE: LazyLock<Arc<DesiredRole>> = LazyLock::new(|| {
    let state = desired::load(DOCUMENT).expect("a good document");
    Arc::clone(&state.accounts.values().next().expect("an account").role)
});

/// Reads the policies, each by itself and both as one.
pub fn hold(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut policies = text.split(SEPARATOR);
    let one = policies.next().unwrap_or_default();
    alone(one);
    if let Some(other) = policies.next() {
        alone(other);
        together(one, other);
    }
}

fn alone(text: &str) {
    let said = trust(text, &SSM);
    plans(text, said);
    let Ok(policy) = serde_json::from_str::<Value>(text) else {
        assert_eq!(said, Trust::Absent, "what is not a policy grants nothing");
        assert_eq!(repaired(text, &SSM), fresh(&SSM));
        return;
    };
    assert_eq!(said, expected(&policy), "by the rules, written a second time");
    for (how, rewritten) in [
        ("printed anew", policy.clone()),
        ("the other way round", reversed(&policy)),
        ("lists of one for words", in_lists(&policy)),
        ("with ids and another version", decorated(&policy)),
        ("every statement twice", with_statements(&policy, [statements(&policy), statements(&policy)].concat())),
    ] {
        assert_eq!(trust(&rewritten.to_string(), &SSM), said, "{how}");
    }
    let renamed = renamed(&policy);
    assert_ne!(trust(&renamed.to_string(), &SSM), Trust::Granted, "nothing names the service any more");
    if said == Trust::Granted {
        let denied = effects(&policy);
        assert_ne!(trust(&denied.to_string(), &SSM), Trust::Granted, "nothing allows any more");
    }
}

/// What comes of it in a plan.
fn plans(text: &str, said: Trust) {
    let role = observed(text);
    let plan = plan_role(&ROLE, Some(&role), Partition::Aws);
    let is_trust =
        |plan: &dhmc_controller::plan::Plan<RoleAction>| plan.drift.iter().any(|drift| drift.kind == DriftKind::TrustPolicy);
    assert_eq!(is_trust(&plan), said != Trust::Granted);
    assert_eq!(plan.holds.contains(&Hold::TrustDenied), said == Trust::Denied);
    assert_eq!(matches!(readiness(&ROLE, Some(&role)), RoleReadiness::Ready(_)), said == Trust::Granted);
    let updates: Vec<&String> = plan
        .actions
        .iter()
        .filter_map(|action| if let RoleAction::UpdateTrustPolicy(document) = action { Some(document) } else { None })
        .collect();
    match (said, updates.as_slice()) {
        (Trust::Absent, [mended]) => {
            assert_eq!(trust(mended, &SSM), Trust::Granted, "a repair repairs");
            assert!(plan_role(&ROLE, Some(&observed(mended)), Partition::Aws).is_in_sync(), "and is needed once");
            keeps_everything(text, mended);
        }
        (Trust::Granted | Trust::Denied, []) => {}
        (said, updates) => panic!("{said:?} and {} updates", updates.len()),
    }
}

fn observed(trust_policy: &str) -> ObservedRole {
    ObservedRole {
        path: DEFAULT_ROLE_PATH.to_owned(),
        name: DEFAULT_ROLE_NAME.to_owned(),
        trust_policy: trust_policy.to_owned(),
        attached: [format!("arn:aws:iam::aws:policy/{DEFAULT_POLICY_NAME}")].into(),
        tags: [].into(),
        description: None,
        permissions_boundary: None,
    }
}

/// What somebody else wrote is there after a repair as it was before, and one statement more.
fn keeps_everything(before: &str, after: &str) {
    let Ok(Value::Object(mut before)) = serde_json::from_str::<Value>(before) else { return };
    let Ok(Value::Object(mut after)) = serde_json::from_str::<Value>(after) else { panic!("a policy is an object: {after}") };
    let theirs = statements(&Value::Object(before.clone()));
    let ours = statements(&Value::Object(after.clone()));
    assert_eq!(ours.len(), theirs.len() + 1);
    assert_eq!(ours[..theirs.len()], theirs);
    before.remove("Statement");
    after.remove("Statement");
    before.entry("Version").or_insert_with(|| json!("2012-10-17"));
    assert_eq!(before, after);
}

/// Each statement speaks for itself, so what two policies say as one follows from what each says.
fn together(one: &str, other: &str) {
    let parsed = [one, other].map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    let all = with_statements(&json!({}), parsed.iter().flat_map(statements).collect());
    let said = [one, other].map(|text| trust(text, &SSM));
    let expected = [Trust::Denied, Trust::Granted].into_iter().find(|word| said.contains(word)).unwrap_or(Trust::Absent);
    assert_eq!(trust(&all.to_string(), &SSM), expected, "{one} and {other}");
}

fn statements(policy: &Value) -> Vec<Value> {
    match policy.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn with_statements(policy: &Value, statements: Vec<Value>) -> Value {
    let mut policy = policy.as_object().cloned().unwrap_or_default();
    policy.insert("Statement".to_owned(), Value::Array(statements));
    Value::Object(policy)
}

/// Rewrites every value, innermost first.
fn rewritten(value: &Value, rewrite: &impl Fn(Option<&str>, Value) -> Value) -> Value {
    fn go(key: Option<&str>, value: &Value, rewrite: &impl Fn(Option<&str>, Value) -> Value) -> Value {
        let inner = match value {
            Value::Array(list) => list.iter().map(|item| go(None, item, rewrite)).collect(),
            Value::Object(map) => map.iter().map(|(key, item)| (key.clone(), go(Some(key), item, rewrite))).collect(),
            other => other.clone(),
        };
        rewrite(key, inner)
    }
    go(None, value, rewrite)
}

fn reversed(policy: &Value) -> Value {
    rewritten(policy, &|_, value| match value {
        Value::Array(list) => list.into_iter().rev().collect(),
        other => other,
    })
}

fn in_lists(policy: &Value) -> Value {
    let is_list = |key: &str| ["Action", "NotAction", "Service", "AWS"].contains(&key);
    rewritten(policy, &|key, value| match value {
        Value::String(word) if key.is_some_and(is_list) => json!([word]),
        other => other,
    })
}

fn decorated(policy: &Value) -> Value {
    let with_ids = statements(policy).into_iter().map(|mut statement| {
        if let Some(statement) = statement.as_object_mut() {
            statement.insert("Sid".to_owned(), json!("Decorated"));
        }
        statement
    });
    let mut policy = with_statements(policy, with_ids.collect());
    policy["Id"] = json!("decorated");
    policy["Version"] = json!("2008-10-17");
    policy
}

fn renamed(policy: &Value) -> Value {
    rewritten(policy, &|_, value| if value == SSM.as_str() { json!("other.amazonaws.com") } else { value })
}

fn effects(policy: &Value) -> Value {
    rewritten(policy, &|key, value| if key == Some("Effect") { json!("Deny") } else { value })
}

/// The rules of IAM's user guide as far as they matter here, without any of the controller's code.
fn expected(policy: &Value) -> Trust {
    let about = |effect: &str| -> Vec<Value> {
        let mut statements = statements(policy);
        statements.retain(|one| one["Effect"].as_str().is_some_and(|word| word.to_lowercase() == effect.to_lowercase()));
        statements.retain(is_about_assuming);
        statements
    };
    let is_final = |one: &Value| one.get("Condition").is_none_or(|condition| *condition == json!({}));
    if about("Deny").iter().any(|one| is_final(one) && shuts_out(one)) {
        return Trust::Denied;
    }
    if about("Allow").iter().any(|one| mentions(&one["Principal"]["Service"], SSM.as_str())) {
        Trust::Granted
    } else {
        Trust::Absent
    }
}

fn is_about_assuming(statement: &Value) -> bool {
    let any = |patterns: &Value| each(patterns).iter().any(|pattern| like(&pattern.to_ascii_lowercase(), "sts:assumerole"));
    match (statement.get("Action"), statement.get("NotAction")) {
        (None, None) => false,
        (None, Some(except)) => !any(except),
        (Some(actions), _) => any(actions),
    }
}

fn shuts_out(statement: &Value) -> bool {
    let everybody = |who: &Value| *who == json!("*") || mentions(&who["AWS"], "*") || mentions(&who["Service"], "*");
    match statement.get("NotPrincipal") {
        Some(except) => !(everybody(except) || mentions(&except["Service"], SSM.as_str())),
        None => everybody(&statement["Principal"]) || mentions(&statement["Principal"]["Service"], SSM.as_str()),
    }
}

fn mentions(words: &Value, word: &str) -> bool {
    each(words).contains(&word)
}

fn each(words: &Value) -> Vec<&str> {
    match words {
        Value::String(word) => vec![word],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `*` and `?`, by the table of all prefixes.
fn like(pattern: &str, text: &str) -> bool {
    let mut row: Vec<bool> = (0..=text.len()).map(|length| length == 0).collect();
    for wanted in pattern.bytes() {
        let before = row.clone();
        row[0] = before[0] && wanted == b'*';
        for (index, byte) in text.bytes().enumerate() {
            row[index + 1] = match wanted {
                b'*' => row[index] || before[index + 1],
                b'?' => before[index],
                _ => before[index] && wanted == byte,
            };
        }
    }
    row[text.len()]
}
