//! What IAM policy documents say: the words of a statement, which trust policies and permission policies share, and what a set
//! of permission policies allows.
//!
//! Conditions are somebody's decision and are not evaluated: an Allow that has one allows conditionally, a Deny that has one is
//! left to its author.

use serde_json::Value;

/// What stands in a resource where IAM would put something of the caller's, such as `${aws:username}`.
const VARIABLE: &str = "${";

/// A permission policy that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Permissions {
    statements: Vec<Value>,
}

impl Permissions {
    /// Reads a document. `None`: it is no policy.
    #[must_use]
    pub fn read(document: &str) -> Option<Self> {
        let policy: Value = serde_json::from_str(document).ok().filter(Value::is_object)?;
        Some(Self { statements: statements(&policy).into_iter().cloned().collect() })
    }
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub enum On<'a> {
    /// One thing, in all the ways in which policies may name it.
    Any(&'a [String]),
    /// Whatever the policies name: where it is, is not known.
    Something,
    /// Everything there is.
    Everything,
}

/// What policies say to an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A Deny without conditions forbids it.
    Denied,
    /// Nothing allows it.
    NotAllowed,
    /// Something allows it on conditions.
    Conditionally,
    /// It is allowed.
    Allowed,
}

impl Decision {
    /// Whether it may be meant to work.
    #[must_use]
    pub fn may_work(self) -> bool {
        matches!(self, Self::Allowed | Self::Conditionally)
    }
}

/// What these policies together say to an action.
pub fn decide<'a>(policies: impl IntoIterator<Item = &'a Permissions>, action: &str, on: On<'_>) -> Decision {
    let mut decision = Decision::NotAllowed;
    let statements = policies.into_iter().flat_map(|policy| &policy.statements);
    for statement in statements.filter(|statement| covers_action(statement, action)) {
        let unconditional = is_unconditional(statement);
        if has_effect(statement, "Deny") && unconditional && is_reached(statement, on, Reach::Surely) {
            return Decision::Denied;
        }
        if has_effect(statement, "Allow") && is_reached(statement, on, Reach::Perhaps) {
            decision = match decision {
                _ if unconditional => Decision::Allowed,
                Decision::Allowed => Decision::Allowed,
                _ => Decision::Conditionally,
            };
        }
    }
    decision
}

/// How sure it has to be that a statement is about something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Surely,
    Perhaps,
}

impl Reach {
    /// Who wants to be sure that something is not excepted must not overlook that it may be.
    fn of_the_opposite(self) -> Self {
        match self {
            Self::Surely => Self::Perhaps,
            Self::Perhaps => Self::Surely,
        }
    }
}

fn is_reached(statement: &Value, on: On<'_>, reach: Reach) -> bool {
    match (statement.get("Resource"), statement.get("NotResource")) {
        (Some(named), _) => names_it(&words(named), on, reach),
        (None, Some(except)) => match on {
            On::Something => true,
            On::Everything => reach == Reach::Perhaps,
            On::Any(_) => !names_it(&words(except), on, reach.of_the_opposite()),
        },
        (None, None) => false,
    }
}

fn names_it(patterns: &[&str], on: On<'_>, reach: Reach) -> bool {
    let everything = || patterns.iter().any(|pattern| pattern.bytes().all(|byte| byte == b'*') && !pattern.is_empty());
    match on {
        On::Something if reach == Reach::Perhaps => !patterns.is_empty(),
        On::Something | On::Everything => everything(),
        On::Any(names) => {
            let is_one = |pattern: &str| names.iter().any(|name| wildcard(pattern.as_bytes(), name.as_bytes()));
            patterns.iter().any(|pattern| match reach {
                Reach::Perhaps => is_one(&without_variables(pattern)),
                Reach::Surely => !pattern.contains(VARIABLE) && is_one(pattern),
            })
        }
    }
}

/// A variable stands for whatever the caller is.
fn without_variables(pattern: &str) -> String {
    let mut parts = pattern.split(VARIABLE);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}*{}", part.split_once('}').map_or("", |(_, rest)| rest)))
}

pub(super) fn statements(policy: &Value) -> Vec<&Value> {
    match &policy["Statement"] {
        Value::Array(list) => list.iter().collect(),
        object @ Value::Object(_) => vec![object],
        _ => Vec::new(),
    }
}

pub(super) fn has_effect(statement: &Value, effect: &str) -> bool {
    statement["Effect"].as_str().is_some_and(|word| word.eq_ignore_ascii_case(effect))
}

pub(super) fn is_unconditional(statement: &Value) -> bool {
    statement.get("Condition").is_none_or(|condition| condition.as_object().is_some_and(serde_json::Map::is_empty))
}

/// The strings of a string or a list of strings.
pub(super) fn words(value: &Value) -> Vec<&str> {
    match value {
        Value::String(word) => vec![word],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn covers_action(statement: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let matches = |pattern: &str| wildcard(pattern.to_ascii_lowercase().as_bytes(), action.as_bytes());
    match (statement.get("Action"), statement.get("NotAction")) {
        (Some(actions), _) => words(actions).into_iter().any(matches),
        (None, Some(except)) => !words(except).into_iter().any(matches),
        (None, None) => false,
    }
}

/// IAM's wildcards: `*` for any run of characters, `?` for one. Linear in practice, no recursion.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut resume: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            resume = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|&byte| byte == b'?' || byte == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((star, from)) = resume {
            resume = Some((star, from + 1));
            p = star + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Whether a managed policy is, by the name that AWS gave it, far more than hosts need to be managed. What others write into theirs
/// no name tells.
#[must_use]
pub fn is_broad_by_name(arn: &str) -> bool {
    let name = arn.split_once(":iam::aws:policy/").map(|(_, name)| name);
    name.is_some_and(|name| name == "AdministratorAccess" || name == "PowerUserAccess" || name.ends_with("FullAccess"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = "arn:aws:s3:::logs";

    fn policy(statements: &str) -> Permissions {
        Permissions::read(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)).unwrap()
    }

    fn put(statements: &str) -> Decision {
        decide(&[policy(statements)], "s3:PutObject", On::Any(&[format!("{BUCKET}/hosts/session.log")]))
    }

    #[test]
    fn wildcards_match_as_iam_matches_them() {
        const ACTION: &str = "sts:AssumeRole";
        for (pattern, matches) in [("*", true), ("sts:Assume*", true), ("STS:assumerole", true), ("sts:AssumeRol?", true)]
            .into_iter()
            .chain([("sts:AssumeRoleWithSAML", false), ("s?:AssumeRole", false), ("", false), ("*x*", false)])
        {
            let text = ACTION.to_ascii_lowercase();
            assert_eq!(wildcard(pattern.to_ascii_lowercase().as_bytes(), text.as_bytes()), matches, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_policy_is_not_read_and_one_without_statements_allows_nothing() {
        for document in ["", "[]", "null", "{\"Statement\":"] {
            assert_eq!(Permissions::read(document), None, "{document}");
        }
        assert_eq!(decide(&[Permissions::read("{}").unwrap()], "s3:PutObject", On::Something), Decision::NotAllowed);
    }

    #[test]
    fn an_action_is_allowed_where_a_statement_names_both_it_and_the_resource() {
        for (statement, decision) in [
            (r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/*"}"#, Decision::Allowed),
            (
                r#"{"Effect":"Allow","Action":["S3:Put*","s3:GetObject"],"Resource":["arn:aws:s3:::logs/hosts/*"]}"#,
                Decision::Allowed,
            ),
            (r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#, Decision::Allowed),
            (r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::payroll/*"}"#, Decision::Allowed),
            (r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:PrincipalAccount}*"}"#, Decision::Allowed),
            (r#"{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::logs"}"#, Decision::NotAllowed),
            (r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#, Decision::NotAllowed),
            (r#"{"Effect":"Allow","Action":"s3:PutObject"}"#, Decision::NotAllowed),
            (r#"{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::logs/*"}"#, Decision::NotAllowed),
        ] {
            assert_eq!(put(statement), decision, "{statement}");
        }
    }

    #[test]
    fn a_deny_wins_unless_it_has_conditions_and_a_condition_makes_an_allow_conditional() {
        const ALLOW: &str = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        const IF: &str = r#""Condition":{"Bool":{"aws:SecureTransport":"true"}}"#;
        let with = |second: &str| put(&format!("{ALLOW},{second}"));
        assert_eq!(with(r#"{"Effect":"Deny","Action":"s3:Put*","Resource":"arn:aws:s3:::logs/*"}"#), Decision::Denied);
        assert_eq!(with(r#"{"Effect":"Deny","Action":"s3:Put*","Resource":"arn:aws:s3:::others/*"}"#), Decision::Allowed);
        assert_eq!(with(&format!(r#"{{"Effect":"Deny","Action":"*","Resource":"*",{IF}}}"#)), Decision::Allowed);
        let others = |pattern: &str| format!(r#"{{"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::{pattern}/*"}}"#);
        assert_eq!(with(&others("others")), Decision::Denied);
        assert_eq!(with(&others("${aws:PrincipalTag/bucket}")), Decision::Allowed, "it may be that bucket");
        let conditional = format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"*",{IF}}}"#);
        assert_eq!(put(&conditional), Decision::Conditionally);
        assert_eq!(with(&conditional), Decision::Allowed);
    }

    #[test]
    fn of_what_is_not_known_any_resource_will_do_and_of_everything_only_a_star() {
        let named = policy(r#"{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:111122223333:key/1"}"#);
        assert_eq!(decide([&named], "kms:Decrypt", On::Something), Decision::Allowed);
        assert_eq!(decide([&named], "kms:Decrypt", On::Everything), Decision::NotAllowed);
        let all = policy(r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#);
        assert_eq!(decide([&named, &all], "kms:Decrypt", On::Everything), Decision::Allowed);
        let one_denied = policy(r#"{"Effect":"Deny","Action":"kms:*","Resource":"arn:aws:kms:eu-west-1:111122223333:key/1"}"#);
        assert_eq!(decide([&named, &one_denied], "kms:Decrypt", On::Something), Decision::Allowed);
    }
}
