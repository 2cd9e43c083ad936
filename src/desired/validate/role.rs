//! The role of a document: IAM's limits, and what its fields mean together.
//!
//! IAM would refuse all of this too, but late, for one account at a time, and without a line number. Called by
//! [`super::validate`].

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::document::{RoleBlock, Tag};
use crate::desired::fields::Written;
use crate::desired::levels::RoleLevel;
use crate::desired::names::{AccountId, Partition, PolicyRef, RolePath};
use crate::desired::problems::{Problem, Quoted};
use crate::desired::{Management, OtherPolicies};

/// IAM's default quota of managed policies a role. It can be raised for an account, but a role for host management that
/// needs more is more likely a mistake, and one that is cheaper to hear of here than from AWS.
const MOST_POLICIES: usize = 10;
/// IAM's limit of tags a role.
const MOST_TAGS: usize = 50;
const LONGEST_TAG_KEY: usize = 128;
const LONGEST_TAG_VALUE: usize = 256;
const LONGEST_DESCRIPTION: usize = 1000;
/// Roles under it are service-linked: only their service can change them.
const SERVICE_LINKED_PATH: &str = "/aws-service-role/";

/// What the rest of the document means for the role.
pub(super) struct Surroundings {
    /// Where the regions are, if any are named.
    pub(super) partition: Option<Partition>,
    /// `spec.account`
    pub(super) owner: Option<AccountId>,
}

/// What one level of a document says of the role.
pub(super) fn validate(role: RoleBlock, around: &Surroundings, problems: &mut Vec<Problem>) -> RoleLevel {
    if role.management.as_ref().is_some_and(|management| management.value == Management::External) {
        refuse_what_is_never_written(&role, problems);
    }
    check_arns(&role, around, problems);
    RoleLevel {
        name: role.name.map(|name| name.value),
        path: role.path.map(|path| checked_path(path, problems)),
        management: role.management.map(|management| management.value),
        trust_principal: role.trust_principal.map(|principal| principal.value),
        policies: role.policies.map(|policies| checked_policies(policies, around.partition, problems)),
        other_policies: role.other_policies.map(|other| other.value),
        tags: role.tags.map(|tags| checked_tags(tags, problems)),
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

/// ARNs have to be of the partition of the regions and of the account of the role; where the document does not tell
/// these, of the same as the ARNs before them.
fn check_arns(role: &RoleBlock, around: &Surroundings, problems: &mut Vec<Problem>) {
    let policies = role.policies.iter().flat_map(|policies| &policies.value);
    let arns = policies.chain(&role.permissions_boundary).filter_map(|policy| Some((&policy.place, arn_parts(&policy.value)?)));
    let (mut partition, mut owner) = (around.partition, around.owner);
    for (place, (arn_partition, arn_owner)) in arns {
        let expected = *partition.get_or_insert(arn_partition);
        if arn_partition != expected {
            let message =
                format!("an ARN of partition {arn_partition}, while the rest of the document is in partition {expected}");
            problems.push(Problem::new(place, message).help("the bare name of an AWS managed policy fits every partition"));
        }
        let Some(arn_owner) = arn_owner else { continue };
        let expected = *owner.get_or_insert(arn_owner);
        if arn_owner != expected {
            let message = format!("a policy of account {arn_owner}, which a role of account {expected} cannot have");
            problems.push(Problem::new(place, message));
        }
    }
}

/// The partition of a policy's ARN, and the account if it is not AWS's own.
fn arn_parts(policy: &PolicyRef) -> Option<(Partition, Option<AccountId>)> {
    let PolicyRef::Arn(arn) = policy else { return None };
    let mut parts = arn.split(':').skip(1);
    let partition = parts.next()?.parse().ok()?;
    Some((partition, parts.nth(2)?.parse().ok()))
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
    // A name and the ARN of the same policy are the same. Without regions, the first ARN tells the partition.
    let told = || policies.value.iter().find_map(|policy| arn_parts(&policy.value)).map(|(partition, _)| partition);
    let partition = partition.or_else(told).unwrap_or(Partition::Aws);
    let mut arns = BTreeSet::new();
    for policy in &policies.value {
        if !arns.insert(policy.value.arn(partition)) {
            problems.push(Problem::new(&policy.place, "the same policy as one before it").help("keep one of them"));
        }
    }
    policies.value.into_iter().map(|policy| policy.value).collect()
}

fn checked_tags(tags: Written<Vec<Tag>>, problems: &mut Vec<Problem>) -> BTreeMap<String, String> {
    let count = tags.value.len();
    if count > MOST_TAGS {
        let message = format!("{count} tags, while a role can have {MOST_TAGS}");
        problems.push(Problem::new(&tags.place, message).help("leave some out"));
    }
    let mut keys = BTreeSet::new();
    for tag in &tags.value {
        // IAM tells tag keys apart without regard to case.
        if !keys.insert(tag.key.value.to_lowercase()) {
            let message = "IAM takes this key for the same as one before it, which differs in case only";
            problems.push(Problem::new(&tag.key.place, message).help("keep one of them"));
        }
        if tag.key.value.to_ascii_lowercase().starts_with("aws:") {
            problems.push(Problem::new(&tag.key.place, "keys that begin with `aws:` are reserved for AWS").help("rename it"));
        }
        check_tag_text(&tag.key, "a tag's key", 1..=LONGEST_TAG_KEY, problems);
        check_tag_text(&tag.value, "a tag's value", 0..=LONGEST_TAG_VALUE, problems);
    }
    tags.value.into_iter().map(|tag| (tag.key.value, tag.value.value)).collect()
}

fn check_tag_text(text: &Written<String>, what: &str, lengths: std::ops::RangeInclusive<usize>, problems: &mut Vec<Problem>) {
    // IAM: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`. Of white space, \p{Z} lacks what is a control character.
    let space = |c: char| c.is_whitespace() && !c.is_control();
    let allowed = |c: char| c.is_alphabetic() || c.is_numeric() || space(c) || "_.:/=+-@".contains(c);
    check_length(text, what, lengths, problems);
    if let Some(character) = text.value.chars().find(|c| !allowed(*c)) {
        let message = format!("{what} cannot hold {}", Quoted(&character.to_string()));
        problems.push(Problem::new(&text.place, message).help("use letters, digits, spaces and `_.:/=+-@`"));
    }
}

fn checked_description(description: Written<String>, problems: &mut Vec<Problem>) -> String {
    // IAM: `[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*`.
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a1}'..='\u{ff}');
    check_length(&description, "a role's description", 0..=LONGEST_DESCRIPTION, problems);
    if let Some(character) = description.value.chars().find(|c| !allowed(*c)) {
        let message = format!("a role's description cannot hold {}", Quoted(&character.to_string()));
        problems.push(Problem::new(&description.place, message).help("IAM takes the characters of Latin-1 only"));
    }
    description.value
}

fn check_length(text: &Written<String>, what: &str, lengths: std::ops::RangeInclusive<usize>, problems: &mut Vec<Problem>) {
    let length = text.value.chars().count();
    if !lengths.contains(&length) {
        let message = format!("{length} characters, while {what} has {} to {}", lengths.start(), lengths.end());
        problems.push(Problem::new(&text.place, message));
    }
}
