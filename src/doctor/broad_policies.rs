//! Policies that hand every host far more than Systems Manager needs. Pure.
//!
//! Whatever runs on a host of the account can get at the role's credentials, beside an instance profile too (A. Steele, 2023):
//! a right of the role is a right of every process.

use super::finding::{Check, Finding};
use super::policies::{Content, RolePolicies, RolePolicy};
use crate::plan::policy_document::{Decision, On, Permissions, decide, is_broad_by_name};

/// Actions that no host needs on everything there is. Each stands for what can be done with it.
const FAR_REACHING: [&str; 20] = [
    "iam:AttachRolePolicy",
    "iam:CreateAccessKey",
    "iam:CreateUser",
    "iam:PassRole",
    "iam:PutRolePolicy",
    "sts:AssumeRole",
    "organizations:LeaveOrganization",
    "secretsmanager:GetSecretValue",
    "kms:Decrypt",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ssm:UpdateServiceSetting",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
    "lambda:UpdateFunctionCode",
    "cloudformation:CreateStack",
    "dynamodb:GetItem",
];
/// An action that there is not: allowed only by who allows any.
const ANY_ACTION: &str = "dhmc-doctor:Anything";

const ADVICE: &str = "take it off the role (`exclusivePolicies: true` has the controller do so, for attached ones), and give it \
                      to the instance profiles of the hosts that need it";

/// Judges each policy of the role by itself, within the permissions boundary.
#[must_use]
pub fn judge(policies: &RolePolicies) -> Vec<Finding> {
    let boundary = policies.boundary.as_ref().and_then(RolePolicy::read);
    let mut found: Vec<Finding> = policies.policies.iter().filter_map(|policy| of_policy(policy, boundary)).collect();
    found.extend(policies.boundary.as_ref().and_then(unusable));
    if let Some(error) = &policies.inline_unread {
        found.push(Finding::unchecked(Check::RolePolicies, error));
    }
    if found.is_empty() && !policies.policies.is_empty() {
        let count = policies.policies.len();
        found.push(Finding::ok(
            Check::RolePolicies,
            match count {
                1 => "1 policy, which does not reach far beyond Systems Manager".to_owned(),
                _ => format!("{count} policies, none of which reaches far beyond Systems Manager"),
            },
        ));
    }
    found
}

fn of_policy(policy: &RolePolicy, boundary: Option<&Permissions>) -> Option<Finding> {
    let name = &policy.name;
    let reach = match &policy.content {
        Content::Read(permissions) => reach(permissions, boundary)?,
        Content::Unread(_) if is_broad_by_name(name) => "do nearly anything, by its name".to_owned(),
        Content::Missing | Content::NoPolicy | Content::Unread(_) => return unusable(policy),
    };
    Some(Finding::warning(Check::RolePolicies, format!("{name} lets every process on every host {reach}"), ADVICE))
}

/// What is to say of a policy that could not be read.
fn unusable(policy: &RolePolicy) -> Option<Finding> {
    let name = &policy.name;
    Some(match &policy.content {
        Content::Read(_) => return None,
        Content::Missing => Finding::problem(
            Check::RolePolicies,
            format!("there is no policy {name}: the role cannot have it"),
            "correct the name in the document (an AWS managed policy may have a path: service-role/NAME), or create the policy",
        ),
        Content::NoPolicy => Finding::not_looked_at(
            Check::RolePolicies,
            format!("what IAM answers for {name} is no policy"),
            "see whether something between here and AWS changes its answers",
        ),
        Content::Unread(error) => {
            let finding = Finding::unchecked(Check::RolePolicies, error);
            Finding { found: format!("{} (policy {name})", finding.found), ..finding }
        }
    })
}

/// What it allows on everything there is. `None`: nothing to speak of.
fn reach(policy: &Permissions, boundary: Option<&Permissions>) -> Option<String> {
    let allows = |action: &str| {
        [Some(policy), boundary].into_iter().flatten().all(|one| decide([one], action, On::Everything) == Decision::Allowed)
    };
    let reached: Vec<&str> = FAR_REACHING.into_iter().filter(|action| allows(action)).collect();
    if allows(ANY_ACTION) {
        return Some(match FAR_REACHING.into_iter().filter(|action| !allows(action)).collect::<Vec<_>>().as_slice() {
            [] => "do anything at all".to_owned(),
            except => format!("do anything but such as {}", except.join(", ")),
        });
    }
    (!reached.is_empty()).then(|| format!("do this on every resource: {}", reached.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::policies::tests::{denied, policies};
    use super::*;
    use crate::doctor::finding::Level;

    const DEFAULT: &str =
        r#"{"Statement":[{"Effect":"Allow","Action":["ssm:GetDocument","ssmmessages:*","ec2messages:*"],"Resource":"*"}]}"#;

    fn told(document: &str) -> (Level, String) {
        let found = judge(&policies(&[("p", document)]));
        assert_eq!(found.len(), 1, "{found:#?}");
        (found[0].level, found[0].found.clone())
    }

    #[test]
    fn what_hosts_need_is_not_broad() {
        assert_eq!(told(DEFAULT).0, Level::Ok);
        let logs = r#"{"Statement":[{"Effect":"Allow","Action":["s3:PutObject"],"Resource":"arn:aws:s3:::logs/*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:eu-west-1:111122223333:key/1"}]}"#;
        assert_eq!(told(logs).0, Level::Ok);
    }

    #[test]
    fn a_policy_that_allows_everything_is_broad_however_it_says_so() {
        let says = |statement: &str| told(&format!(r#"{{"Statement":[{statement}]}}"#)).1;
        assert!(says(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#).ends_with("do anything at all"));
        assert!(says(r#"{"Effect":"Allow","Action":["*:*"],"Resource":["*"]}"#).ends_with("do anything at all"));
        let power_user = says(r#"{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}"#);
        assert!(power_user.contains("do anything but such as iam:AttachRolePolicy"), "{power_user}");
        let iam = says(r#"{"Effect":"Allow","Action":"iam:*","Resource":"*"}"#);
        assert!(iam.contains("on every resource: iam:AttachRolePolicy, iam:CreateAccessKey"), "{iam}");
    }

    #[test]
    fn a_policy_reaches_no_farther_than_the_boundary() {
        let everything = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let boundary = |document: &str| {
            let content = Content::of(Ok(Some(document.to_owned())));
            RolePolicies { boundary: Some(RolePolicy { name: "b".to_owned(), content }), ..policies(&[("p", everything)]) }
        };
        assert_eq!(judge(&boundary(DEFAULT))[0].level, Level::Ok);
        assert_eq!(judge(&boundary(everything))[0].level, Level::Warning);
    }

    #[test]
    fn a_condition_is_somebodys_decision() {
        let bound = r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"b"}}}]}"#;
        assert_eq!(told(bound).0, Level::Ok);
    }

    #[test]
    fn a_policy_that_is_not_there_is_a_problem_and_one_that_cannot_be_read_is_not() {
        let of = |name: &str, content| {
            let policies =
                RolePolicies { policies: vec![RolePolicy { name: name.to_owned(), content }], ..RolePolicies::default() };
            judge(&policies)[0].level
        };
        assert_eq!(of("arn:aws:iam::aws:policy/Typo", Content::Missing), Level::Problem);
        assert_eq!(of("arn:aws:iam::111122223333:policy/own", Content::Unread(denied("iam:GetPolicy"))), Level::Unchecked);
        assert_eq!(of("arn:aws:iam::aws:policy/AdministratorAccess", Content::Unread(denied("iam:GetPolicy"))), Level::Warning);
    }

    #[test]
    fn a_boundary_may_be_broad_and_has_to_be_there() {
        let of = |content| {
            let boundary = Some(RolePolicy { name: "b".to_owned(), content });
            judge(&RolePolicies { boundary, ..policies(&[("p", DEFAULT)]) })[0].level
        };
        let broad = r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        assert_eq!(of(Content::of(Ok(Some(broad.to_owned())))), Level::Ok);
        assert_eq!(of(Content::Missing), Level::Problem);
    }
}
