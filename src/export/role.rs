//! What a document says of the role: what AWS has, as far as a document can hold it.

use super::choice::{Choice, Standing};
use super::oddity::{self, Oddity, OddityKind};
use super::probe::Probe;
use super::scalar::{key, quoted, shown, value};
use super::seen::{SeenAccount, SeenRole, trusted_principal};
use crate::desired::names::{Partition, PolicyRef, ServicePrincipal};
use crate::desired::{DEFAULT_POLICY_NAME, Management};
use crate::observed::ObservedRole;

/// The document's `role`, each value as YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RoleEntry {
    pub(super) name: String,
    /// `None`: wherever it is.
    pub(super) path: Option<String>,
    pub(super) management: Management,
    /// `None`: the usual one.
    pub(super) trust_principal: Option<String>,
    /// `None`: what the management has for a default.
    pub(super) policies: Option<Vec<String>>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) description: Option<String>,
    pub(super) permissions_boundary: Option<String>,
}

/// Writes the role down, and adds what is odd about it.
pub(super) fn write(seen: &SeenAccount, choice: &Choice<'_>, oddities: &mut Vec<Oddity>) -> RoleEntry {
    let name = choice.name.as_str();
    if let Some((kind, what)) = choice.standing.wrong() {
        oddities.push(Oddity::of_role(kind, name, what));
    }
    let mut sieve = Sieve { probe: Probe::new(seen.identity.account, seen.identity.partition), left_out: Vec::new() };
    let entry = match seen.roles.get(name) {
        Some(SeenRole::Found(role)) => {
            oddities.extend(oddity::of_role(name, role));
            found(role, choice, seen.identity.partition, &mut sieve)
        }
        _ => unseen(choice, &mut sieve),
    };
    if !sieve.left_out.is_empty() {
        let message = format!("has what a document cannot hold, and what is left as it is: {}", sieve.left_out.join(", "));
        oddities.push(Oddity::of_role(OddityKind::NotInDocument, name, message));
    }
    entry
}

/// A role that nobody has seen: what the setting tells of it.
fn unseen(choice: &Choice<'_>, sieve: &mut Sieve) -> RoleEntry {
    let path = sieve.keep("path", choice.path.as_str(), || format!("its path {}", choice.path));
    let is_theirs = choice.rival.is_some() || path.is_none() || matches!(choice.standing, Standing::Unread(_));
    RoleEntry {
        name: value(choice.name.as_str()),
        path,
        management: if is_theirs { Management::External } else { Management::Managed },
        trust_principal: None,
        policies: None,
        tags: Vec::new(),
        description: None,
        permissions_boundary: None,
    }
}

fn found(role: &ObservedRole, choice: &Choice<'_>, partition: Partition, sieve: &mut Sieve) -> RoleEntry {
    let path = sieve.keep("path", &role.path, || format!("its path {}", role.path));
    // Another tool's role is not written to; and only of a role that is not written to may the path be left open.
    let management = if choice.rival.is_some() || path.is_none() { Management::External } else { Management::Managed };
    let trust_principal = trusted_principal(role, partition);
    let mut entry = RoleEntry {
        name: value(choice.name.as_str()),
        path,
        management,
        trust_principal: (trust_principal != ServicePrincipal::default()).then(|| value(trust_principal.as_str())),
        policies: Some(policies(role, partition, sieve)),
        tags: Vec::new(),
        description: None,
        permissions_boundary: None,
    };
    if management == Management::Managed {
        entry.tags = tags(role, sieve);
        let description = role.description.as_ref();
        entry.description = description.and_then(|text| sieve.keep("description", text, || "its description".to_owned()));
        let boundary = role.permissions_boundary.as_deref();
        entry.permissions_boundary = boundary.and_then(|arn| {
            sieve.keep("permissionsBoundary", named(arn, partition), || format!("its permissions boundary {arn}"))
        });
    }
    entry
}

/// AWS's default policy first: where there are too many, it is not the one that is left out.
fn policies(role: &ObservedRole, partition: Partition, sieve: &mut Sieve) -> Vec<String> {
    let mut policies: Vec<(&str, &String)> = role.attached.iter().map(|arn| (named(arn, partition), arn)).collect();
    policies.sort_by_key(|(name, _)| *name != DEFAULT_POLICY_NAME);
    let list =
        |kept: &[(&str, &String)]| format!("[{}]", kept.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", "));
    let kept = sieve.keep_of("policies", policies, list, |(_, arn)| format!("policy {arn}"));
    kept.into_iter().map(|(name, _)| value(name)).collect()
}

fn tags(role: &ObservedRole, sieve: &mut Sieve) -> Vec<(String, String)> {
    let mapping = |kept: &[(&String, &String)]| {
        let entries = kept.iter().map(|(name, text)| format!("{}: {}", quoted(name), quoted(text)));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
    };
    let kept = sieve.keep_of("tags", role.tags.iter().collect(), mapping, |(name, _)| format!("tag {name}"));
    kept.into_iter().map(|(name, text)| (key(name), value(text))).collect()
}

/// How a document names a policy: the bare name of an AWS managed policy of the partition, or else the ARN. What IAM would not
/// call a policy has no name, and no document can hold that.
fn named(arn: &str, partition: Partition) -> &str {
    let name = arn.strip_prefix(&format!("arn:{partition}:iam::aws:policy/")).unwrap_or(arn);
    let is_meant = name.parse::<PolicyRef>().is_ok_and(|policy| policy.arn(partition) == arn);
    if is_meant { name } else { "" }
}

/// Keeps what a document can hold.
struct Sieve {
    probe: Probe,
    /// What it cannot hold, for people.
    left_out: Vec<String>,
}

impl Sieve {
    fn keep(&mut self, field: &str, text: &str, name: impl FnOnce() -> String) -> Option<String> {
        let text = value(text);
        let holds = self.probe.holds(&format!("{field}: {text}"));
        if !holds {
            self.left_out.push(shown(&name()));
        }
        holds.then_some(text)
    }

    /// Of several that are written as one value, those that it can hold together.
    fn keep_of<T: Copy>(
        &mut self,
        field: &str,
        items: Vec<T>,
        written: impl Fn(&[T]) -> String,
        name: impl Fn(T) -> String,
    ) -> Vec<T> {
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            kept.push(item);
            if !self.probe.holds(&format!("{field}: {}", written(&kept))) {
                kept.pop();
                self.left_out.push(shown(&name(item)));
            }
        }
        kept
    }
}
