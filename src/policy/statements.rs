//! From rights to statements: few of them, each with a name, in the order in which people look for them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::doctor;
use super::document::{Condition, Effect, PolicyDocument, Statement};
use super::rights::Rights;
use super::text::Text;
use super::values::Values;
use crate::operations as op;

/// Which operations stand together, under which name.
const CHAPTERS: [(&str, &[&str]); 12] = [
    ("ReadSettings", &[op::GET_SETTING]),
    ("ReadRole", &[op::GET_ROLE, op::LIST_ATTACHED_POLICIES]),
    ("ListRegions", &[op::LIST_REGIONS]),
    ("EnableSettings", &[op::UPDATE_SETTING]),
    ("ResetSettings", &[op::RESET_SETTING]),
    ("NameTheRoleInSettings", &[op::PASS_ROLE]),
    ("KeepRole", &[op::CREATE_ROLE, op::UPDATE_TRUST_POLICY, op::PUT_BOUNDARY, op::TAG_ROLE, op::UPDATE_DESCRIPTION]),
    ("AttachPolicies", &[op::ATTACH_POLICY]),
    ("DetachOtherPolicies", &[op::DETACH_POLICY]),
    ("ReachTheAccounts", &[op::ASSUME_ROLE, op::TAG_SESSION]),
    ("ListTheOrganization", &[op::LIST_ACCOUNTS, op::LIST_ACCOUNTS_OF_UNIT, op::LIST_UNITS_OF_UNIT]),
    ("Diagnose", &doctor::READS),
];

/// What an operation's condition compares: how a value has to be, and how it must not.
struct Comparison {
    key: &'static str,
    equals: &'static str,
    differs: &'static str,
}

/// What the condition of an operation compares, where it has one (service authorization reference).
fn comparison(operation: &str) -> Option<Comparison> {
    let (key, equals, differs) = match operation {
        op::GET_SETTING | op::UPDATE_SETTING | op::RESET_SETTING => ("aws:RequestedRegion", "StringEquals", "StringNotEquals"),
        op::ATTACH_POLICY | op::DETACH_POLICY => ("iam:PolicyARN", "ArnEquals", "ArnNotEquals"),
        op::CREATE_ROLE | op::PUT_BOUNDARY => ("iam:PermissionsBoundary", "ArnEquals", "ArnNotEquals"),
        // In the context of every call to a resource of an account in an organization (IAM user guide, "Global condition keys", whose list
        // of exceptions has no action of STS); AWS's own sample for STS asks for it (aws-samples/data-perimeter-policy-examples,
        // sts_endpoint_policy.json).
        op::ASSUME_ROLE | op::TAG_SESSION => ("aws:ResourceOrgID", "StringEquals", "StringNotEquals"),
        op::PASS_ROLE => ("iam:PassedToService", "StringEquals", "StringNotEquals"),
        _ => return None,
    };
    Some(Comparison { key, equals, differs })
}

/// The key that the condition of an operation compares, where it has one.
pub(super) fn key_of(operation: &str) -> Option<&'static str> {
    comparison(operation).map(|comparison| comparison.key)
}

/// Where an operation stands among all.
pub(super) fn place_of(operation: &str) -> (usize, usize) {
    let chapter = chapter_of(operation);
    (chapter, CHAPTERS[chapter].1.iter().position(|one| *one == operation).unwrap_or(usize::MAX))
}

/// The condition under which an operation is about these values.
pub(super) fn conditions(operation: &str, values: &Values) -> Vec<Condition> {
    let Some(comparison) = comparison(operation) else { return Vec::new() };
    let (operator, values) = match values {
        Values::Only(values) => (comparison.equals, values),
        Values::AllBut(values) if values.is_empty() => return Vec::new(),
        Values::AllBut(values) => (comparison.differs, values),
    };
    vec![Condition { operator, key: comparison.key.to_owned(), values: values.iter().cloned().collect() }]
}

/// The document that allows exactly this.
pub(super) fn document(rights: Rights) -> PolicyDocument {
    let mut chapters: BTreeMap<usize, Chapter> = BTreeMap::new();
    for (operation, resource, values) in rights.into_iter() {
        chapters.entry(chapter_of(operation)).or_default().add(operation, resource, values);
    }
    let statements = chapters.into_iter().flat_map(|(at, chapter)| chapter.statements(CHAPTERS[at]));
    PolicyDocument { statements: statements.collect() }
}

/// Where an operation stands. One that nobody placed stands with the last: it is to be allowed all the same.
fn chapter_of(operation: &str) -> usize {
    CHAPTERS.iter().position(|(_, operations)| operations.contains(&operation)).unwrap_or(CHAPTERS.len() - 1)
}

/// Operations that stand together: on which resource, under which condition.
#[derive(Default)]
struct Chapter {
    operations: BTreeMap<(Text, Values), Vec<&'static str>>,
}

impl Chapter {
    fn add(&mut self, operation: &'static str, resource: Text, values: Values) {
        self.operations.entry((resource, values)).or_default().push(operation);
    }

    /// What is allowed on several resources alike is one statement.
    fn statements(self, (name, order): (&'static str, &[&'static str])) -> Vec<Statement> {
        let mut alike: Vec<(Vec<&'static str>, Values, Vec<Text>)> = Vec::new();
        for ((resource, values), mut operations) in self.operations {
            operations.sort_by_key(|operation| order.iter().position(|one| one == operation));
            match alike.iter_mut().find(|(ops, limit, _)| *ops == operations && *limit == values) {
                Some((_, _, resources)) => resources.push(resource),
                None => alike.push((operations, values, vec![resource])),
            }
        }
        alike.sort_by_key(|(operations, ..)| Reverse(operations.len()));
        let number = |at: usize| if at == 0 { String::new() } else { (at + 1).to_string() };
        let statement = |(at, (actions, values, resources)): (usize, (Vec<&'static str>, Values, Vec<Text>))| Statement {
            sid: format!("{name}{}", number(at)),
            effect: Effect::Allow,
            principal: None,
            conditions: actions.first().map(|operation| conditions(operation, &values)).unwrap_or_default(),
            actions,
            resources,
        };
        alike.into_iter().enumerate().map(statement).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_stands_in_one_chapter() {
        let code = include_str!("../operations.rs");
        let operations = code.split('"').filter(|word| word.contains(':') && !word.contains(['/', ' ', '\n']));
        let chapters = |operation: &str| CHAPTERS.iter().filter(|(_, operations)| operations.contains(&operation)).count();
        for operation in operations.filter(|operation| *operation != op::GET_CALLER_IDENTITY) {
            assert_eq!(chapters(operation), 1, "{operation}");
        }
    }
}
