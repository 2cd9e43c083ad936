//! Policy documents as plain values, in the order in which people read them.
//!
//! `serde` writes them as IAM reads them.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::text::Text;

/// The language version of every policy: variables such as `${*}` need it.
const VERSION: &str = "2012-10-17";

/// A policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyDocument {
    /// Its statements.
    pub statements: Vec<Statement>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What it is for, unique in its document.
    pub sid: String,
    /// Whether it allows or denies.
    pub effect: Effect,
    /// Whom a trust policy speaks of; other policies are of whoever has them.
    pub principal: Option<Principal>,
    /// What.
    pub actions: Vec<&'static str>,
    /// On what; a trust policy is of its role.
    pub resources: Vec<Text>,
    /// Under which conditions; all have to hold.
    pub conditions: Vec<Condition>,
}

/// Whether a statement allows or denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// Whom a trust policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// `Service`, `Federated` or `AWS`.
    pub kind: &'static str,
    /// Its name.
    pub name: Text,
}

/// A condition: one of the values has to fit, or of an operator with `Not` none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Such as `StringEquals`.
    pub operator: &'static str,
    /// What is compared.
    pub key: String,
    /// With what.
    pub values: Vec<Text>,
}

impl PolicyDocument {
    /// The document as a tree, for whoever writes it down.
    #[must_use]
    pub fn tree(&self) -> Tree {
        let statements = self.statements.iter().map(Statement::tree).collect();
        Tree::Map(vec![("Version".to_owned(), Tree::literal(VERSION)), ("Statement".to_owned(), Tree::List(statements))])
    }

    /// Every text in it that may be left open.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        self.statements.iter().flat_map(|one| {
            let principal = one.principal.iter().map(|principal| &principal.name);
            principal.chain(&one.resources).chain(one.conditions.iter().flat_map(|condition| &condition.values))
        })
    }
}

impl Serialize for PolicyDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.tree().serialize(serializer)
    }
}

impl Statement {
    fn tree(&self) -> Tree {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut fields = vec![("Sid".to_owned(), Tree::literal(self.sid.clone())), ("Effect".to_owned(), Tree::literal(effect))];
        let mut add = |name: &str, tree: Tree| fields.push((name.to_owned(), tree));
        if let Some(principal) = &self.principal {
            add("Principal", Tree::Map(vec![(principal.kind.to_owned(), Tree::Text(principal.name.clone()))]));
        }
        add("Action", one_or_more(self.actions.iter().map(|action| Tree::literal(*action))));
        if !self.resources.is_empty() {
            add("Resource", one_or_more(self.resources.iter().cloned().map(Tree::Text)));
        }
        if !self.conditions.is_empty() {
            add("Condition", conditions(&self.conditions));
        }
        Tree::Map(fields)
    }
}

/// Conditions of one operator stand together.
fn conditions(conditions: &[Condition]) -> Tree {
    let mut operators: Vec<(String, Tree)> = Vec::new();
    for condition in conditions {
        let entry = (condition.key.clone(), one_or_more(condition.values.iter().cloned().map(Tree::Text)));
        match operators.iter_mut().find(|(operator, _)| operator == condition.operator) {
            Some((_, Tree::Map(entries))) => entries.push(entry),
            _ => operators.push((condition.operator.to_owned(), Tree::Map(vec![entry]))),
        }
    }
    Tree::Map(operators)
}

fn one_or_more(trees: impl Iterator<Item = Tree>) -> Tree {
    let mut trees: Vec<Tree> = trees.collect();
    if trees.len() == 1 { trees.remove(0) } else { Tree::List(trees) }
}

/// JSON whose keys keep their order, and whose texts may have open places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Tree>),
    /// A mapping.
    Map(Vec<(String, Tree)>),
}

impl Tree {
    /// A text that is known.
    #[must_use]
    pub fn literal(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Text(Text::literal(text))
    }

    /// The same with each text replaced.
    #[must_use]
    pub fn replaced(&self, text: &impl Fn(&Text) -> Self) -> Self {
        match self {
            Self::Text(one) => text(one),
            Self::List(items) => Self::List(items.iter().map(|item| item.replaced(text)).collect()),
            Self::Map(entries) => Self::Map(entries.iter().map(|(key, value)| (key.clone(), value.replaced(text))).collect()),
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}
