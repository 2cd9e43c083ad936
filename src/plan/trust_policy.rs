//! What a trust policy means for one service, and how to mend it without touching what somebody else wrote.
//!
//! The comparison is semantic: strings equal one-element lists, the order does not matter, `Sid`, `Version` and `Id` mean
//! nothing. A condition on an Allow is somebody's decision and counts as trust.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::policy_document::{covers_action, has_effect, is_unconditional, statements, words};
use crate::desired::names::ServicePrincipal;

const ACTION: &str = "sts:AssumeRole";

/// What a trust policy says to Systems Manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// It may assume the role.
    Granted,
    /// Nothing lets it.
    Absent,
    /// A Deny without conditions shuts it out.
    Denied,
}

/// Reads a trust policy. What is not a policy grants nothing.
#[must_use]
pub fn trust(document: &str, service: &ServicePrincipal) -> Trust {
    let Ok(policy) = serde_json::from_str::<Value>(document) else { return Trust::Absent };
    let statements = statements(&policy);
    let says = |effect: &'static str| {
        let with_effect = move |statement: &&&Value| has_effect(statement, effect);
        statements.iter().filter(with_effect).filter(|statement| covers_action(statement, ACTION))
    };
    let unconditional = |statement: &&&Value| is_unconditional(statement);
    if says("Deny").filter(unconditional).any(|statement| denies(statement, service)) {
        Trust::Denied
    } else if says("Allow").any(|statement| names(&statement["Principal"], service)) {
        Trust::Granted
    } else {
        Trust::Absent
    }
}

/// The policy of a new role, and the statement that [`repaired`] adds: AWS's own, from the user guide.
#[must_use]
pub fn fresh(service: &ServicePrincipal) -> String {
    json!({ "Version": "2012-10-17", "Statement": [statement_for(service)] }).to_string()
}

/// The same policy with Systems Manager let in. Every other statement stays as it is; what is not a policy is replaced.
#[must_use]
pub fn repaired(document: &str, service: &ServicePrincipal) -> String {
    with_statement(document, &statement_for(service)).unwrap_or_else(|| fresh(service))
}

/// Adds a statement to a policy. The others stay text: a number that is read and written again may lose digits.
fn with_statement(document: &str, statement: &Value) -> Option<String> {
    serde_json::from_str::<Value>(document).ok().filter(Value::is_object)?;
    let mut policy: BTreeMap<String, Box<RawValue>> = serde_json::from_str(document).ok()?;
    let mut statements: Vec<Box<RawValue>> = match policy.remove("Statement") {
        Some(list) if list.get().starts_with('[') => serde_json::from_str(list.get()).ok()?,
        Some(one) if one.get().starts_with('{') => vec![one],
        _ => Vec::new(),
    };
    statements.push(to_raw_value(statement).ok()?);
    policy.insert("Statement".to_owned(), to_raw_value(&statements).ok()?);
    if !policy.contains_key("Version") {
        policy.insert("Version".to_owned(), to_raw_value("2012-10-17").ok()?);
    }
    serde_json::to_string(&policy).ok()
}

fn statement_for(service: &ServicePrincipal) -> Value {
    json!({ "Effect": "Allow", "Principal": { "Service": service.as_str() }, "Action": ACTION })
}

fn names(principal: &Value, service: &ServicePrincipal) -> bool {
    words(&principal["Service"]).contains(&service.as_str())
}

/// A Deny reaches the service by its name, or by naming everybody. `NotPrincipal` reaches it unless it is excepted.
fn denies(statement: &Value, service: &ServicePrincipal) -> bool {
    match statement.get("NotPrincipal") {
        Some(except) => !names(except, service) && !names_everybody(except),
        None => names(&statement["Principal"], service) || names_everybody(&statement["Principal"]),
    }
}

/// `"*"` and `{"AWS": "*"}` are the same to IAM (IAM user guide, policy element Principal).
fn names_everybody(principal: &Value) -> bool {
    principal.as_str() == Some("*") || ["AWS", "Service"].iter().any(|kind| words(&principal[*kind]).contains(&"*"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ssm() -> ServicePrincipal {
        ServicePrincipal::default()
    }

    #[test]
    fn aws_own_variants_all_grant_trust() {
        for document in [
            r#"{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":{"Service":["ssm.amazonaws.com"]},"Action":["sts:AssumeRole"]}}"#,
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","ssm.amazonaws.com"]},"Action":["sts:TagSession","sts:AssumeRole"]}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:*"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"NotAction":"sts:TagSession"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"111122223333"}}}]}"#,
        ] {
            assert_eq!(trust(document, &ssm()), Trust::Granted, "{document}");
        }
    }

    #[test]
    fn what_does_not_name_the_service_and_the_action_grants_nothing() {
        for document in [
            "",
            "not json",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:TagSession"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"}}]}"#,
        ] {
            assert_eq!(trust(document, &ssm()), Trust::Absent, "{document}");
        }
    }

    #[test]
    fn a_deny_without_conditions_wins_and_one_with_conditions_is_left_to_its_author() {
        let with = |deny: &str| {
            format!(
                r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Service":"ssm.amazonaws.com"}},"Action":"sts:AssumeRole"}},{deny}]}}"#
            )
        };
        let deny = with(r#"{"Effect":"Deny","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:*"}"#);
        let everybody = with(r#"{"Effect":"Deny","Principal":"*","Action":"*"}"#);
        let spelt_out = with(r#"{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*"}"#);
        let others = with(r#"{"Effect":"Deny","NotPrincipal":{"Service":"ec2.amazonaws.com"},"Action":"*"}"#);
        let conditional =
            with(r#"{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}"#);
        let except_us = with(r#"{"Effect":"Deny","NotPrincipal":{"Service":"ssm.amazonaws.com"},"Action":"*"}"#);
        assert_eq!(trust(&deny, &ssm()), Trust::Denied);
        assert_eq!(trust(&everybody, &ssm()), Trust::Denied);
        assert_eq!(trust(&spelt_out, &ssm()), Trust::Denied);
        assert_eq!(trust(&others, &ssm()), Trust::Denied);
        assert_eq!(trust(&conditional, &ssm()), Trust::Granted);
        assert_eq!(trust(&except_us, &ssm()), Trust::Granted);
    }

    #[test]
    fn repairing_keeps_what_others_wrote() {
        let theirs = r#"{"Version":"2008-10-17","Id":"theirs","Statement":{"Sid":"Keep","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}"#;
        let mended: Value = serde_json::from_str(&repaired(theirs, &ssm())).unwrap();
        assert_eq!(mended["Version"], "2008-10-17");
        assert_eq!(mended["Id"], "theirs");
        assert_eq!(mended["Statement"][0]["Sid"], "Keep");
        assert_eq!(mended["Statement"][1], statement_for(&ssm()));
        assert_eq!(trust(&mended.to_string(), &ssm()), Trust::Granted);
    }

    #[test]
    fn repairing_keeps_every_digit() {
        let theirs = r#"{"Statement":[{"Effect":"Allow","Condition":{"NumericEquals":{"a":[12345678901234567890123,1234567250738585072011e-308]}}}]}"#;
        let mended = repaired(theirs, &ssm());
        assert!(mended.contains("[12345678901234567890123,1234567250738585072011e-308]"), "{mended}");
    }

    #[test]
    fn another_principal_is_looked_for_and_let_in_where_one_is_declared() {
        let china: ServicePrincipal = "ssm.amazonaws.com.cn".parse().unwrap();
        assert_eq!(trust(&fresh(&ssm()), &china), Trust::Absent);
        assert_eq!(trust(&repaired(&fresh(&ssm()), &china), &china), Trust::Granted);
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!("Allow")),
            Just(json!("Deny")),
            Just(json!("*")),
            Just(json!("ssm.amazonaws.com")),
            Just(json!(ACTION)),
            Just(Value::Null),
            any::<i32>().prop_map(|number| json!(number)),
            "[a-z*?:]{0,8}".prop_map(Value::from),
        ];
        let key = prop_oneof!["Statement", "Effect", "Principal", "Service", "Action", "NotAction", "Condition", "NotPrincipal"];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                prop::collection::btree_map(key.clone(), inner, 0..5).prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn repairing_any_policy_that_does_not_deny_ends_in_trust_and_loses_no_statement(policy in anything()) {
            let before = policy.to_string();
            prop_assume!(trust(&before, &ssm()) == Trust::Absent);
            let after = repaired(&before, &ssm());
            prop_assert_eq!(trust(&after, &ssm()), Trust::Granted);
            let mended: Value = serde_json::from_str(&after).unwrap();
            for statement in statements(&policy) {
                prop_assert!(statements(&mended).contains(&statement));
            }
        }
    }
}
