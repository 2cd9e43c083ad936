//! Reads policy documents as far as the sandbox needs: is a policy well-formed, whom does a trust policy let in.
//! No evaluation of conditions. Called by the role store and by `services/iam`; `trust` and `access` go on from here.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::pattern::Pattern;

/// Service principals IAM accepts. Not AWS's whole list; `ssm.us-east-1.amazonaws.com` is truly refused
/// (aws-cdk#16188), and so is `ec2.amazonaws.eu` in the Sovereign Cloud (pulumi-eks#2341).
const SERVICES: [&str; 22] = [
    "apigateway.amazonaws.com",
    "cloudformation.amazonaws.com",
    "cloudtrail.amazonaws.com",
    "codebuild.amazonaws.com",
    "codedeploy.amazonaws.com",
    "codepipeline.amazonaws.com",
    "config.amazonaws.com",
    "ec2.amazonaws.com",
    "ec2.amazonaws.com.cn",
    "ecs-tasks.amazonaws.com",
    "eks.amazonaws.com",
    "events.amazonaws.com",
    "firehose.amazonaws.com",
    "glue.amazonaws.com",
    "lambda.amazonaws.com",
    "monitoring.rds.amazonaws.com",
    "pods.eks.amazonaws.com",
    "s3.amazonaws.com",
    "scheduler.amazonaws.com",
    "sns.amazonaws.com",
    "ssm.amazonaws.com",
    "states.amazonaws.com",
];

/// Checks a trust policy; the error is IAM's message.
pub(crate) fn check_trust(document: &str) -> Result<(), String> {
    let statements = statements(document)?;
    for statement in &statements {
        if statement.get("Resource").is_some() || statement.get("NotResource").is_some() {
            return Err("Has prohibited field Resource".to_owned());
        }
        let principal = statement.get("Principal").or_else(|| statement.get("NotPrincipal"));
        check_principal(principal.ok_or("Missing required field Principal")?)?;
    }
    Ok(())
}

/// Checks a permission policy; the error is IAM's message.
pub(crate) fn check_permissions(document: &str) -> Result<(), String> {
    for statement in statements(document)? {
        if statement.get("Principal").is_some() {
            return Err("Policy document should not specify a principal.".to_owned());
        }
        if statement.get("Resource").is_none() && statement.get("NotResource").is_none() {
            return Err("Policy statement must contain resources.".to_owned());
        }
    }
    Ok(())
}

/// Checks that a permission policy holds nothing but the elements that IAM knows; the error is IAM's message, with the
/// place where IAM is silent about it.
pub(crate) fn check_elements(document: &str) -> Result<(), String> {
    const STATEMENT: [&str; 7] = ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    let unknown = |element: &str| Err(format!("Syntax errors in policy. ({element})"));
    let Ok(Value::Object(whole)) = serde_json::from_str(document) else {
        return unknown("document");
    };
    if let Some(element) = whole.keys().find(|element| !["Version", "Id", "Statement"].contains(&element.as_str())) {
        return unknown(element);
    }
    if whole.get("Version").is_some_and(|version| version != "2012-10-17" && version != "2008-10-17") {
        return unknown("Version");
    }
    let statements = statements(document)?;
    for statement in statements.iter().filter_map(Value::as_object) {
        if let Some(element) = statement.keys().find(|element| !STATEMENT.contains(&element.as_str())) {
            return unknown(element);
        }
    }
    check_names(&statements)
}

fn check_names(statements: &[Value]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in statements.iter().filter_map(|statement| statement.get("Sid")?.as_str()) {
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("Statement IDs (SID) must be alpha-numeric. ({name})"));
        }
        if !name.is_empty() && !seen.insert(name) {
            return Err(format!("Statement IDs (SID) in a single policy must be unique. ({name})"));
        }
    }
    Ok(())
}

/// Whether an Allow lets `service` assume the role and no Deny forbids it. Conditions are taken as met.
pub(crate) fn trusts(document: &str, service: &str) -> bool {
    let Ok(statements) = statements(document) else {
        return false;
    };
    let has = |effect: &str, reaches: &dyn Fn(&Value) -> bool| {
        let mut hits = statements.iter().filter(|statement| is_about(statement, "sts:AssumeRole") && reaches(statement));
        hits.any(|statement| has_effect(statement, effect))
    };
    let named = |statement: &Value| names(statement, "Service", service);
    let everybody =
        |statement: &Value| statement.get("Principal").and_then(Value::as_str) == Some("*") || names(statement, "AWS", "*");
    // Everybody is enough to shut a service out, and not enough to let it in: the latter is a guess, on the strict side.
    has("Allow", &named) && !has("Deny", &|statement| named(statement) || everybody(statement))
}

fn names(statement: &Value, kind: &str, wanted: &str) -> bool {
    let principals = statement.get("Principal").and_then(|principal| principal.get(kind));
    one_or_many(principals).any(|name| name == wanted)
}

/// Whether a statement allows or denies: `Allow`, `Deny`.
pub(crate) fn has_effect(statement: &Value, effect: &str) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some(effect)
}

/// Whether a statement speaks of an action, e.g. `sts:AssumeRole`. Actions know no case.
pub(crate) fn is_about(statement: &Value, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let named = |pattern: &str| Pattern::read(&pattern.to_ascii_lowercase()).is_ok_and(|pattern| pattern.fits(&action));
    match statement.get("NotAction") {
        Some(except) => !one_or_many(Some(except)).any(named),
        None => one_or_many(statement.get("Action")).any(named),
    }
}

/// The statements, each with an effect and an action.
pub(crate) fn statements(document: &str) -> Result<Vec<Value>, String> {
    let Ok(Value::Object(document)) = serde_json::from_str(document) else {
        return Err("This policy contains invalid Json".to_owned());
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(many)) => many.clone(),
        Some(one @ Value::Object(_)) => vec![one.clone()],
        _ => return Err("Syntax errors in policy.".to_owned()),
    };
    let well_formed = |statement: &Value| {
        let effect = statement.get("Effect").and_then(Value::as_str);
        let acts = statement.get("Action").is_some() || statement.get("NotAction").is_some();
        matches!(effect, Some("Allow" | "Deny")) && acts
    };
    if statements.is_empty() || !statements.iter().all(well_formed) {
        return Err("Syntax errors in policy.".to_owned());
    }
    Ok(statements)
}

fn check_principal(principal: &Value) -> Result<(), String> {
    let Value::Object(kinds) = principal else {
        return match principal.as_str() {
            Some("*") => Ok(()),
            _ => Err("Syntax errors in policy.".to_owned()),
        };
    };
    for (kind, names) in kinds {
        if !["AWS", "Service", "Federated", "CanonicalUser"].contains(&kind.as_str()) {
            return Err(format!("Invalid principal in policy: \"{kind}\""));
        }
        for name in one_or_many(Some(names)) {
            let known = match kind.as_str() {
                "Service" => SERVICES.contains(&name),
                "AWS" => name == "*" || name.starts_with("arn:") || is_account_id(name),
                _ => true,
            };
            if !known {
                return Err(format!("Invalid principal in policy: \"{kind}\":\"{name}\""));
            }
        }
    }
    Ok(())
}

fn is_account_id(name: &str) -> bool {
    name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// IAM writes one text and a list of one text alike.
pub(crate) fn one_or_many(value: Option<&Value>) -> impl Iterator<Item = &str> {
    let (one, many) = match value {
        Some(Value::Array(many)) => (None, Some(many)),
        other => (other, None),
    };
    one.into_iter().chain(many.into_iter().flatten()).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::SSM_TRUST_POLICY;

    fn trust(principal: &str) -> String {
        format!(r#"{{"Statement":{{"Effect":"Allow","Principal":{principal},"Action":["sts:AssumeRole"]}}}}"#)
    }

    #[test]
    fn the_guides_trust_policy_lets_ssm_in() {
        assert_eq!(check_trust(SSM_TRUST_POLICY), Ok(()));
        assert!(trusts(SSM_TRUST_POLICY, "ssm.amazonaws.com"));
        assert!(!trusts(SSM_TRUST_POLICY, "ec2.amazonaws.com"));
    }

    #[test]
    fn a_list_of_services_and_a_single_statement_are_read_alike() {
        let document = trust(r#"{"Service":["ec2.amazonaws.com","ssm.amazonaws.com"]}"#);
        assert_eq!(check_trust(&document), Ok(()));
        assert!(trusts(&document, "ssm.amazonaws.com"));
    }

    #[test]
    fn a_regional_ssm_principal_is_refused() {
        let refused = check_trust(&trust(r#"{"Service":"ssm.us-east-1.amazonaws.com"}"#));
        assert!(refused.unwrap_err().starts_with("Invalid principal in policy"));
    }

    #[test]
    fn malformed_trust_policies_are_refused() {
        for document in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Statement":[{"Effect":"allow","Principal":"*","Action":"sts:AssumeRole"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Action":"sts:AssumeRole"}]}"#,
            r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":"a:B","Resource":"*"}]}"#,
        ] {
            assert!(check_trust(document).is_err(), "{document}");
        }
    }

    #[test]
    fn a_deny_outweighs_the_allow() {
        let document = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"},
            {"Effect":"Deny","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:*"}]}"#;
        assert!(!trusts(document, "ssm.amazonaws.com"));
    }
}
