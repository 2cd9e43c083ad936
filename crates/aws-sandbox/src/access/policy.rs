//! Permission policies and service control policies: read once, then asked about calls.

use serde_json::{Map, Value};

use super::arn::ArnPattern;
use super::conditions::Conditions;
use super::keys::Keys;
use crate::pattern::Pattern;
use crate::policy_document::{self, has_effect};

/// A policy that can be evaluated.
#[derive(Debug, Clone)]
pub(crate) struct Policy(Vec<Statement>);

#[derive(Debug, Clone)]
struct Statement {
    decision: Decision,
    actions: Scope<Pattern>,
    resources: Scope<ArnPattern>,
    conditions: Conditions,
}

#[derive(Debug, Clone)]
enum Scope<P> {
    Only(Vec<P>),
    AllBut(Vec<P>),
}

/// What is asked of policies.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// `service:Operation`.
    pub(crate) action: &'a str,
    /// An ARN, or `*` for calls that are about nothing in particular.
    pub(crate) resource: &'a str,
    pub(crate) keys: &'a Keys,
}

/// What policies say of a call, in the order in which one outweighs the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Decision {
    ImplicitDeny,
    Allowed,
    ExplicitDeny,
}

/// What several policies together say of a call.
pub(crate) fn decide<'p>(policies: impl IntoIterator<Item = &'p Policy>, request: &Request<'_>) -> Decision {
    let statements = policies.into_iter().flat_map(|policy| &policy.0);
    let applying = statements.filter(|statement| statement.is_about(request) && statement.conditions.hold(request.keys));
    applying.map(|statement| statement.decision).max().unwrap_or(Decision::ImplicitDeny)
}

impl Policy {
    /// Reads a document, or says what is wrong with it or cannot be evaluated.
    pub(crate) fn read(document: &str) -> Result<Self, String> {
        policy_document::check_permissions(document)?;
        policy_document::check_elements(document)?;
        let statements = policy_document::statements(document)?;
        statements.iter().map(Statement::read).collect::<Result<_, _>>().map(Self)
    }

    /// Only the statements that ask for nothing but action and resource.
    pub(super) fn without_conditions(&self) -> Self {
        Self(self.0.iter().filter(|statement| statement.conditions.are_none()).cloned().collect())
    }

    /// The keys that statements about this call ask for and that it does not have.
    pub(crate) fn missing_keys<'a>(&'a self, request: &'a Request<'_>) -> impl Iterator<Item = &'a str> {
        let about = self.0.iter().filter(|statement| statement.is_about(request));
        about.flat_map(|statement| statement.conditions.missing(request.keys))
    }
}

impl Statement {
    fn read(statement: &Value) -> Result<Self, String> {
        let statement = statement.as_object().ok_or("Syntax errors in policy.")?;
        let decision =
            if has_effect(&Value::Object(statement.clone()), "Allow") { Decision::Allowed } else { Decision::ExplicitDeny };
        Ok(Self {
            decision,
            actions: Scope::read(statement, "Action", "NotAction", action)?,
            resources: Scope::read(statement, "Resource", "NotResource", ArnPattern::read)?,
            conditions: Conditions::read(statement.get("Condition"))?,
        })
    }

    fn is_about(&self, request: &Request<'_>) -> bool {
        let action = request.action.to_ascii_lowercase();
        self.actions.includes(|pattern| pattern.fits(&action))
            && self.resources.includes(|pattern| pattern.fits(request.resource))
    }
}

/// Actions know no case.
fn action(text: &str) -> Result<Pattern, String> {
    if text != "*" && !text.contains(':') {
        return Err(format!("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc. ({text})"));
    }
    Pattern::read(&text.to_ascii_lowercase())
}

impl<P> Scope<P> {
    fn read(
        statement: &Map<String, Value>,
        only: &str,
        all_but: &str,
        pattern: fn(&str) -> Result<P, String>,
    ) -> Result<Self, String> {
        let syntax = || "Syntax errors in policy.".to_owned();
        let patterns = |value: &Value| {
            let many = match value {
                Value::Array(many) if !many.is_empty() => many.as_slice(),
                one => std::slice::from_ref(one),
            };
            many.iter().map(|one| pattern(one.as_str().ok_or_else(syntax)?)).collect::<Result<Vec<P>, String>>()
        };
        match (statement.get(only), statement.get(all_but)) {
            (Some(value), None) => patterns(value).map(Self::Only),
            (None, Some(value)) => patterns(value).map(Self::AllBut),
            _ => Err(syntax()),
        }
    }

    fn includes(&self, fits: impl Fn(&P) -> bool) -> bool {
        match self {
            Self::Only(patterns) => patterns.iter().any(fits),
            Self::AllBut(patterns) => !patterns.iter().any(fits),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/Dhmc";

    fn policy(statements: &Value) -> Policy {
        Policy::read(&json!({"Version": "2012-10-17", "Statement": statements}).to_string()).unwrap()
    }

    fn asked(policies: &[Policy], action: &str, resource: &str) -> Decision {
        decide(policies, &Request { action, resource, keys: &Keys::default() })
    }

    #[test]
    fn what_no_statement_speaks_of_is_denied() {
        let reads = policy(&json!({"Effect": "Allow", "Action": "iam:Get*", "Resource": "arn:aws:iam::*:role/service-role/*"}));
        let asked = |action, resource| asked(std::slice::from_ref(&reads), action, resource);
        assert_eq!(asked("iam:GetRole", ROLE), Decision::Allowed);
        assert_eq!(asked("iam:DeleteRole", ROLE), Decision::ImplicitDeny);
        assert_eq!(asked("iam:GetRole", "arn:aws:iam::111122223333:role/Dhmc"), Decision::ImplicitDeny);
        assert_eq!(
            decide(&[], &Request { action: "iam:GetRole", resource: ROLE, keys: &Keys::default() }),
            Decision::ImplicitDeny
        );
    }

    #[test]
    fn actions_know_no_case_and_arns_do() {
        let lower = policy(&json!({"Effect": "Allow", "Action": ["IAM:getrole"], "Resource": [ROLE]}));
        assert_eq!(asked(std::slice::from_ref(&lower), "iam:GetRole", ROLE), Decision::Allowed);
        assert_eq!(asked(&[lower], "iam:GetRole", &ROLE.to_lowercase()), Decision::ImplicitDeny);
    }

    #[test]
    fn a_deny_anywhere_outweighs_every_allow() {
        let all = policy(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        let deny = policy(&json!([{"Effect": "Deny", "Action": "iam:*", "NotResource": "arn:aws:iam::*:role/free/*"}]));
        let both = [deny, all];
        assert_eq!(asked(&both, "iam:GetRole", ROLE), Decision::ExplicitDeny);
        assert_eq!(asked(&both, "iam:GetRole", "arn:aws:iam::111122223333:role/free/R"), Decision::Allowed);
        assert_eq!(asked(&both, "ssm:GetServiceSetting", "*"), Decision::Allowed);
    }

    #[test]
    fn what_is_not_excepted_is_meant() {
        let others = policy(&json!({"Effect": "Allow", "NotAction": ["iam:*", "sts:*"], "Resource": "*"}));
        assert_eq!(asked(std::slice::from_ref(&others), "ssm:GetServiceSetting", "*"), Decision::Allowed);
        assert_eq!(asked(&[others], "iam:GetRole", ROLE), Decision::ImplicitDeny);
    }

    #[test]
    fn a_condition_that_does_not_hold_takes_its_statement_away() {
        let attach = policy(&json!({
            "Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": ROLE,
            "Condition": {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/A"}},
        }));
        let keys = |arn: &str| Keys::default().with("iam:PolicyARN", arn);
        let asked = |keys| decide([&attach], &Request { action: "iam:AttachRolePolicy", resource: ROLE, keys: &keys });
        assert_eq!(asked(keys("arn:aws:iam::aws:policy/A")), Decision::Allowed);
        assert_eq!(asked(keys("arn:aws:iam::aws:policy/B")), Decision::ImplicitDeny);
        assert_eq!(asked(Keys::default()), Decision::ImplicitDeny);
        let nothing = Keys::default();
        let request = Request { action: "iam:AttachRolePolicy", resource: ROLE, keys: &nothing };
        assert_eq!(attach.missing_keys(&request).collect::<Vec<_>>(), ["iam:PolicyARN"]);
        assert_eq!(asked_of(&attach.without_conditions(), &request), Decision::ImplicitDeny);
    }

    fn asked_of(policy: &Policy, request: &Request<'_>) -> Decision {
        decide([policy], request)
    }

    #[test]
    fn a_document_that_iam_or_the_sandbox_could_not_go_by_is_refused() {
        for (statement, why) in [
            (json!({"Effect": "Allow", "Action": "GetRole", "Resource": "*"}), "prefaced by a vendor"),
            (json!({"Effect": "Allow", "Action": "iam:GetRole", "Resource": "role/x"}), "must be in ARN format"),
            (json!({"Effect": "Allow", "Action": "iam:GetRole"}), "must contain resources"),
            (json!({"Effect": "Allow", "Action": [], "Resource": "*"}), "Syntax"),
            (json!({"Effect": "Allow", "Action": "iam:*", "NotAction": "iam:*", "Resource": "*"}), "Syntax"),
            (json!({"Effect": "Allow", "Actions": "a:b", "Action": "a:b", "Resource": "*"}), "Actions"),
            (json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Principal": "*"}), "principal"),
            (json!({"Effect": "Allow", "Action": "a:b", "Resource": "arn:aws:iam::${aws:PrincipalAccount}:role/x"}), "variables"),
            (
                json!({"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "::1"}}}),
                "IpAddress",
            ),
            (json!({"Sid": "not alphanumeric", "Effect": "Allow", "Action": "a:b", "Resource": "*"}), "alpha-numeric"),
        ] {
            let document = json!({"Version": "2012-10-17", "Statement": statement}).to_string();
            let refused = Policy::read(&document).unwrap_err();
            assert!(refused.contains(why), "{document}: {refused}");
        }
        let twice = json!({"Sid": "A", "Effect": "Allow", "Action": "a:b", "Resource": "*"});
        let document = json!({"Version": "2012-10-17", "Statement": [twice, twice]}).to_string();
        assert!(Policy::read(&document).unwrap_err().contains("must be unique"));
        assert!(Policy::read(r#"{"Version": "2026-01-01", "Statement": []}"#).is_err());
    }
}
