//! The `Condition` of a statement: operators, keys, values (IAM User Guide, element Condition). All conditions must hold;
//! of the values of one, any. An operator or a key that is not played is an error, never taken as met.

use serde_json::Value;

use super::arn::ArnPattern;
use super::keys::{self, Holds, Keys};
use crate::pattern::Pattern;

/// What a statement asks besides action and resource.
#[derive(Debug, Clone, Default)]
pub(crate) struct Conditions(Vec<Condition>);

#[derive(Debug, Clone)]
struct Condition {
    /// The key as the policy writes it.
    written: String,
    key: String,
    among: Among,
    missing: Missing,
    test: Test,
}

/// Which of a key's values are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Among {
    TheOne,
    Any,
    All,
}

/// What a key that is missing from the call means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    /// What the operator says: positive ones do not hold, negated ones do.
    AsTested,
    /// `…IfExists`: the condition holds.
    Holds,
}

#[derive(Debug, Clone)]
enum Test {
    /// Whether one of these fits.
    Is(Vec<Wanted>),
    IsNot(Vec<Wanted>),
    /// `Null`: whether the key is missing.
    IsMissing(bool),
}

/// A value to compare with.
#[derive(Debug, Clone)]
enum Wanted {
    Text(Pattern),
    InAnyCase(Pattern),
    /// `ArnEquals` and `ArnLike` are the same (IAM User Guide).
    Arn(ArnPattern),
}

impl Conditions {
    /// Reads the element, or says why it cannot be evaluated.
    pub(crate) fn read(element: Option<&Value>) -> Result<Self, String> {
        let Some(element) = element else { return Ok(Self::default()) };
        let mut conditions = Vec::new();
        for (operator, keys) in members(element)? {
            for (key, values) in members(keys)? {
                conditions.push(Condition::read(operator, key, values)?);
            }
        }
        Ok(Self(conditions))
    }

    pub(crate) fn hold(&self, keys: &Keys) -> bool {
        self.0.iter().all(|condition| condition.holds(keys.values(&condition.key)))
    }

    pub(super) fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys asked for that a call does not have, as the policy writes them.
    pub(super) fn missing<'a>(&'a self, keys: &'a Keys) -> impl Iterator<Item = &'a str> {
        let missing = self.0.iter().filter(|condition| keys.values(&condition.key).is_empty());
        missing.map(|condition| condition.written.as_str())
    }
}

fn members(element: &Value) -> Result<&serde_json::Map<String, Value>, String> {
    element.as_object().ok_or_else(|| "Syntax errors in policy.".to_owned())
}

impl Condition {
    fn read(operator: &str, written: &str, values: &Value) -> Result<Self, String> {
        let (among, base) = match operator.split_once(':') {
            Some(("ForAnyValue", base)) => (Among::Any, base),
            Some(("ForAllValues", base)) => (Among::All, base),
            _ => (Among::TheOne, operator),
        };
        let (base, missing) = match base.strip_suffix("IfExists") {
            Some(base) => (base, Missing::Holds),
            None => (base, Missing::AsTested),
        };
        let unsuited = || Err(format!("the condition operator {operator} does not suit the key {written}"));
        let unknown = || format!("the sandbox does not play the condition operator {operator}");
        let test = Test::read(base, &texts(values)?)?.ok_or_else(unknown)?;
        let (key, holds) =
            keys::known(written).ok_or_else(|| format!("the sandbox does not play the condition key {written}"))?;
        let of_key = matches!(test, Test::IsMissing(_));
        if of_key && (missing == Missing::Holds || among != Among::TheOne) {
            return unsuited();
        }
        if holds == Holds::Many && among == Among::TheOne && !of_key {
            return unsuited();
        }
        Ok(Self { written: written.to_owned(), key, among, missing, test })
    }

    fn holds(&self, given: &[String]) -> bool {
        if given.is_empty() && self.missing == Missing::Holds {
            return true;
        }
        let (values, wanted) = match &self.test {
            Test::IsMissing(wanted) => return given.is_empty() == *wanted,
            Test::Is(values) => (values, true),
            Test::IsNot(values) => (values, false),
        };
        let fits = |given: &String| values.iter().any(|value| value.fits(given)) == wanted;
        match self.among {
            Among::TheOne => given.first().map_or(!wanted, fits),
            Among::Any => given.iter().any(fits),
            Among::All => given.iter().all(fits),
        }
    }
}

impl Test {
    /// `None` for an operator that is not played.
    fn read(operator: &str, values: &[String]) -> Result<Option<Self>, String> {
        if operator == "Null" {
            return match values {
                [value] if value == "true" || value == "false" => Ok(Some(Self::IsMissing(value == "true"))),
                _ => Err("Null is either true or false".to_owned()),
            };
        }
        let wanted: fn(&str) -> Result<Wanted, String> = match operator {
            "StringEquals" | "StringNotEquals" => |value| Pattern::exactly(value).map(Wanted::Text),
            "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
                |value| Pattern::exactly(&value.to_lowercase()).map(Wanted::InAnyCase)
            }
            "StringLike" | "StringNotLike" => |value| Pattern::read(value).map(Wanted::Text),
            "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike" => |value| ArnPattern::read(value).map(Wanted::Arn),
            _ => return Ok(None),
        };
        let values = values.iter().map(|value| wanted(value)).collect::<Result<_, _>>()?;
        Ok(Some(if operator.contains("Not") { Self::IsNot(values) } else { Self::Is(values) }))
    }
}

impl Wanted {
    fn fits(&self, given: &str) -> bool {
        match self {
            Self::Text(pattern) => pattern.fits(given),
            Self::InAnyCase(pattern) => pattern.fits(&given.to_lowercase()),
            Self::Arn(pattern) => pattern.fits(given),
        }
    }
}

/// One value or many; JSON's own booleans and numbers are as good as their texts.
fn texts(values: &Value) -> Result<Vec<String>, String> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err("Syntax errors in policy.".to_owned()),
    };
    match values {
        Value::Array(many) if !many.is_empty() => many.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

    fn holds(condition: &Value, keys: &Keys) -> bool {
        Conditions::read(Some(condition)).unwrap().hold(keys)
    }

    fn policy_arn() -> Keys {
        Keys::default().with("iam:PolicyARN", POLICY)
    }

    #[test]
    fn each_operator_compares_in_its_own_way() {
        let session = Keys::default().with("sts:ExternalId", "dhmc-7").and(&policy_arn());
        for met in [
            json!({"StringEquals": {"sts:ExternalId": ["a", "dhmc-7"]}}),
            json!({"StringEqualsIgnoreCase": {"sts:ExternalId": "DHMC-7"}}),
            json!({"StringLike": {"STS:externalid": "dhmc-?"}}),
            json!({"StringNotEquals": {"sts:ExternalId": ["a", "b"]}}),
            json!({"StringNotLike": {"sts:ExternalId": "hub-*"}}),
            json!({"StringNotLike": {"sts:ExternalId": "dhmc${*}"}}),
            json!({"ArnEquals": {"iam:PolicyARN": "arn:*:iam::aws:policy/*"}}),
            json!({"ArnLike": {"iam:PolicyARN": ["arn:aws:iam::111122223333:policy/x", POLICY]}}),
            json!({"ArnNotLike": {"iam:PolicyARN": "arn:aws:iam::111122223333:policy/*"}}),
            json!({"Null": {"sts:ExternalId": "false", "aws:PrincipalOrgID": true}}),
        ] {
            assert!(holds(&met, &session), "{met}");
        }
        for unmet in [
            json!({"StringEquals": {"sts:ExternalId": "DHMC-7"}}),
            json!({"StringEquals": {"sts:ExternalId": "dhmc-*"}}),
            json!({"StringNotEquals": {"sts:ExternalId": ["a", "dhmc-7"]}}),
            json!({"ArnNotEquals": {"iam:PolicyARN": ["arn:aws:iam::111122223333:policy/x", POLICY]}}),
            json!({"Null": {"sts:ExternalId": "true"}}),
            json!({"StringLike": {"sts:ExternalId": "dhmc-*"}, "ArnLike": {"iam:PolicyARN": "arn:aws:iam::1:policy/*"}}),
        ] {
            assert!(!holds(&unmet, &session), "{unmet}");
        }
    }

    #[test]
    fn a_missing_key_meets_what_is_negated_and_what_ends_in_if_exists() {
        let nothing = Keys::default();
        assert!(!holds(&json!({"ArnLike": {"iam:PolicyARN": "*"}}), &nothing));
        assert!(holds(&json!({"ArnNotLike": {"iam:PolicyARN": "*"}}), &nothing));
        assert!(holds(&json!({"ArnLikeIfExists": {"iam:PolicyARN": POLICY}}), &nothing));
        assert!(!holds(&json!({"ArnLikeIfExists": {"iam:PolicyARN": "arn:aws:iam::1:policy/x"}}), &policy_arn()));
    }

    #[test]
    fn of_many_values_any_or_all_are_looked_at() {
        let tags = Keys::default().with_tags(&[("team", "a"), ("cost", "b")]);
        assert!(holds(&json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}), &tags));
        assert!(!holds(&json!({"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}), &tags));
        assert!(holds(&json!({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost"]}}), &tags));
        assert!(holds(&json!({"StringEquals": {"aws:RequestTag/team": "a"}}), &tags));
        let nothing = Keys::default();
        assert!(!holds(&json!({"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}), &nothing));
        assert!(holds(&json!({"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}), &nothing));
    }

    #[test]
    fn no_condition_holds() {
        for none in [json!({}), json!({"StringEquals": {}})] {
            assert!(holds(&none, &Keys::default()), "{none}");
        }
        assert!(Conditions::read(None).unwrap().hold(&Keys::default()));
    }

    #[test]
    fn what_is_not_played_is_an_error() {
        for condition in [
            json!({"Bool": {"aws:PrincipalArn": "true"}}),
            json!({"StringEquals": {"aws:SourceAccount": "111122223333"}}),
            json!({"StringEquals": {"aws:TagKeys": "team"}}),
            json!({"NullIfExists": {"sts:ExternalId": "true"}}),
            json!({"Null": {"sts:ExternalId": "maybe"}}),
            json!({"Null": {"sts:ExternalId": ["true", "false"]}}),
            json!({"ArnLike": {"iam:PolicyARN": "ReadOnlyAccess"}}),
            json!({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}),
            json!({"StringEquals": {"sts:ExternalId": []}}),
            json!([]),
        ] {
            assert!(Conditions::read(Some(&condition)).is_err(), "{condition}");
        }
    }
}
