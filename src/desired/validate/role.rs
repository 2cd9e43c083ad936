//! The role at one level of a document: IAM's limits, and what its fields mean together.
//!
//! IAM would refuse all of this too, but late, for one account at a time, and without a line number. Called by
//! [`super::level`].

use std::collections::BTreeSet;

use super::level::Surroundings;
use super::{arns, tags};
use crate::desired::document::RoleBlock;
use crate::desired::fields::Written;
use crate::desired::levels::RoleLevel;
use crate::desired::names::{Partition, PolicyRef, RolePath};
use crate::desired::problems::{Problem, Quoted};
use crate::desired::{Management, OtherPolicies};

/// IAM's default quota of managed policies a role. It can be raised for an account, but a role for host management that
/// needs more is more likely a mistake, and one that is cheaper to hear of here than from AWS.
const MOST_POLICIES: usize = 10;
const LONGEST_DESCRIPTION: usize = 1000;
/// Roles under it are service-linked: only their service can change them.
const SERVICE_LINKED_PATH: &str = "/aws-service-role/";

/// What one level of a document says of the role.
pub(super) fn validate(role: RoleBlock, around: &Surroundings, problems: &mut Vec<Problem>) -> RoleLevel {
    let management = role.management.as_ref().map(|management| management.value).or(around.inherited);
    if management == Some(Management::External) {
        refuse_what_is_never_written(&role, problems);
    }
    arns::check(&role, around.partition, &around.owners, problems);
    RoleLevel {
        name: role.name.map(|name| name.value),
        path: role.path.map(|path| checked_path(path, problems)),
        management: role.management.map(|management| management.value),
        trust_principal: role.trust_principal.map(|principal| principal.value),
        policies: role.policies.map(|policies| checked_policies(policies, around.partition, problems)),
        other_policies: role.other_policies.map(|other| other.value),
        tags: role.tags.map(|tags| tags::checked(tags, tags::ROLE, problems)),
        description: role.description.map(|description| checked_description(description, problems)),
        permissions_boundary: role.permissions_boundary.map(|boundary| boundary.value),
        mode: role.mode.map(|mode| mode.value),
    }
}

/// An external role is verified, never written: what could only be written would silently not be kept.
fn refuse_what_is_never_written(role: &RoleBlock, problems: &mut Vec<Problem>) {
    let exclusive = role.other_policies.as_ref().filter(|other| other.value == OtherPolicies::Detach);
    let written = [
        exclusive.map(|value| &value.place),
        role.tags.as_ref().map(|value| &value.place),
        role.description.as_ref().map(|value| &value.place),
        role.permissions_boundary.as_ref().map(|value| &value.place),
    ];
    for place in written.into_iter().flatten() {
        let message = "an external role is never written, so this could not be kept";
        problems.push(Problem::new(place, message).help("leave it out, or write `management: managed`"));
    }
}

fn checked_path(path: Written<RolePath>, problems: &mut Vec<Problem>) -> RolePath {
    if path.value.as_str().starts_with(SERVICE_LINKED_PATH) {
        let message = format!("roles under {SERVICE_LINKED_PATH} are service-linked, and only their service can change them");
        problems.push(Problem::new(&path.place, message).help("use another path, such as /service-role/"));
    }
    path.value
}

fn checked_policies(
    policies: Written<Vec<Written<PolicyRef>>>,
    partition: Option<Partition>,
    problems: &mut Vec<Problem>,
) -> Vec<PolicyRef> {
    let count = policies.value.len();
    if count > MOST_POLICIES {
        let message = format!("{count} policies, while IAM's default quota of a role is {MOST_POLICIES}");
        problems.push(Problem::new(&policies.place, message).help("merge some of them into one policy"));
    }
    // A name and the ARN of the same policy are the same.
    let partition = partition.unwrap_or(Partition::Aws);
    let mut arns = BTreeSet::new();
    for policy in &policies.value {
        if !arns.insert(policy.value.arn(partition)) {
            problems.push(Problem::new(&policy.place, "the same policy as one before it").help("keep one of them"));
        }
    }
    policies.value.into_iter().map(|policy| policy.value).collect()
}

fn checked_description(description: Written<String>, problems: &mut Vec<Problem>) -> String {
    // IAM: `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`.
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    tags::check_length(&description, "a role's description", 0..=LONGEST_DESCRIPTION, problems);
    if let Some(character) = description.value.chars().find(|c| !allowed(*c)) {
        let message = format!("a role's description cannot hold {}", Quoted(&character.to_string()));
        problems.push(Problem::new(&description.place, message).help("IAM takes the characters of Latin-1 only"));
    }
    description.value
}
