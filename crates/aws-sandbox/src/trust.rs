//! Whom a role's trust policy lets in: AWS principals, and the conditions that `access` knows. Pure; the wording of a
//! refusal is STS's.

use serde_json::Value;

use crate::access::{Conditions, Keys};
use crate::policy_document::{has_effect, is_about, one_or_many, statements};

/// Who wants to assume a role.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) arn: &'a str,
    pub(crate) account: &'a str,
    /// `arn:…:iam::…:root` of the account.
    pub(crate) root: String,
    /// The role of a session, with its path.
    pub(crate) role: Option<String>,
    /// What conditions may ask: the external id, whose principal it is.
    pub(crate) keys: Keys,
}

/// Whether a statement allows the caller this action on the role, and none denies it.
pub(crate) fn admits(document: &str, action: &str, caller: &Caller<'_>) -> bool {
    let Ok(statements) = statements(document) else {
        return false;
    };
    let about: Vec<&Value> = statements.iter().filter(|statement| is_about(statement, action)).collect();
    let allowed = about.iter().any(|statement| {
        has_effect(statement, "Allow")
            && names(statement.get("Principal"), caller)
            && holds(statement.get("Condition"), &caller.keys)
    });
    let denied = about.iter().any(|statement| {
        let named = match statement.get("NotPrincipal") {
            Some(others) => !names(Some(others), caller),
            None => names(statement.get("Principal"), caller),
        };
        has_effect(statement, "Deny") && named && holds(statement.get("Condition"), &caller.keys)
    });
    allowed && !denied
}

fn names(principal: Option<&Value>, caller: &Caller<'_>) -> bool {
    let Some(principal) = principal else {
        return false;
    };
    principal.as_str() == Some("*")
        || one_or_many(principal.get("AWS")).any(|name| {
            name == "*"
                || name == caller.account
                || name == caller.root
                || name == caller.arn
                || caller.role.as_deref() == Some(name)
        })
}

/// A condition that cannot be evaluated is taken as not met: it then lets nobody in, and shuts nobody out.
fn holds(condition: Option<&Value>, keys: &Keys) -> bool {
    Conditions::read(condition).is_ok_and(|conditions| conditions.hold(keys))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn caller(external_id: Option<&str>) -> Caller<'static> {
        let keys = Keys::default().with("aws:PrincipalOrgID", "o-abcde12345");
        Caller {
            arn: "arn:aws:sts::111122223333:assumed-role/hub/one",
            account: "111122223333",
            root: "arn:aws:iam::111122223333:root".to_owned(),
            role: Some("arn:aws:iam::111122223333:role/team/hub".to_owned()),
            keys: external_id.into_iter().fold(keys, |keys, id| keys.with("sts:ExternalId", id)),
        }
    }

    fn allow(principal: &Value, condition: Option<Value>) -> Value {
        let mut statement = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
        if let Some(condition) = condition {
            statement["Condition"] = condition;
        }
        statement
    }

    fn lets_in(statements: &[Value], external_id: Option<&str>) -> bool {
        admits(&json!({"Statement": statements}).to_string(), "sts:AssumeRole", &caller(external_id))
    }

    #[test]
    fn an_account_a_role_a_session_and_everybody_may_be_named() {
        for principal in [
            json!("*"),
            json!({"AWS": "*"}),
            json!({"AWS": "111122223333"}),
            json!({"AWS": "arn:aws:iam::111122223333:root"}),
            json!({"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::111122223333:role/team/hub"]}),
            json!({"AWS": "arn:aws:sts::111122223333:assumed-role/hub/one"}),
        ] {
            assert!(lets_in(&[allow(&principal, None)], None), "{principal}");
        }
    }

    #[test]
    fn others_are_not_let_in() {
        for principal in [
            json!({"AWS": "444455556666"}),
            json!({"AWS": "arn:aws:iam::111122223333:role/hub"}),
            json!({"AWS": "arn:aws:sts::111122223333:assumed-role/hub/two"}),
            json!({"Service": "ssm.amazonaws.com"}),
        ] {
            assert!(!lets_in(&[allow(&principal, None)], None), "{principal}");
        }
    }

    #[test]
    fn the_external_id_must_be_the_one_asked_for() {
        let equals = allow(&json!("*"), Some(json!({"StringEquals": {"sts:externalid": ["a1", "b2"]}})));
        assert!(lets_in(std::slice::from_ref(&equals), Some("b2")));
        assert!(!lets_in(std::slice::from_ref(&equals), Some("b")));
        assert!(!lets_in(&[equals], None));
        let like = allow(&json!("*"), Some(json!({"StringLike": {"sts:ExternalId": "dhmc-*"}})));
        assert!(lets_in(&[like], Some("dhmc-7")));
    }

    #[test]
    fn every_condition_must_be_met() {
        let of = |organization| json!({"StringEquals": {"sts:ExternalId": "a1", "aws:PrincipalOrgID": organization}});
        assert!(lets_in(&[allow(&json!("*"), Some(of("o-abcde12345")))], Some("a1")));
        assert!(!lets_in(&[allow(&json!("*"), Some(of("o-1")))], Some("a1")));
        assert!(!lets_in(&[allow(&json!("*"), Some(of("o-abcde12345")))], None));
    }

    #[test]
    fn an_unknown_condition_is_not_met() {
        let unknown = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
        assert!(!lets_in(&[allow(&json!("*"), Some(unknown))], None));
    }

    #[test]
    fn a_deny_wins_over_every_allow() {
        let deny = json!({"Effect": "Deny", "Principal": {"AWS": "111122223333"}, "Action": "sts:*"});
        assert!(!lets_in(&[allow(&json!("*"), None), deny], None));
        let all_but = json!({"Effect": "Deny", "NotPrincipal": {"AWS": "444455556666"}, "Action": "sts:AssumeRole"});
        assert!(!lets_in(&[allow(&json!("*"), None), all_but], None));
    }

    #[test]
    fn the_right_to_assume_is_not_the_right_to_tag() {
        let document = json!({"Statement": allow(&json!("*"), None)}).to_string();
        assert!(admits(&document, "sts:AssumeRole", &caller(None)));
        assert!(!admits(&document, "sts:TagSession", &caller(None)));
    }
}
