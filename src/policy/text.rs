//! Texts of a policy whose account and partition may be left to whoever deploys it.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::desired::names::{AccountId, Partition, RoleName, RolePath};
use crate::operations::SETTING_ID;

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// What it says.
    Literal(Cow<'static, str>),
    /// The partition that the policy is deployed in.
    Partition,
    /// The account that the policy is deployed in.
    Account,
    /// What both sides of a trust know.
    ExternalId,
}

/// A text, in pieces.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(Vec<Piece>);

impl Text {
    /// A text that is known.
    #[must_use]
    pub fn literal(text: impl Into<Cow<'static, str>>) -> Self {
        Self(vec![Piece::Literal(text.into())])
    }

    /// The external id, which nobody is shown.
    #[must_use]
    pub fn external_id() -> Self {
        Self(vec![Piece::ExternalId])
    }

    /// Its pieces.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text, each piece as somebody writes it.
    #[must_use]
    pub fn write<'a>(&'a self, write: impl Fn(&'a Piece) -> Cow<'a, str>) -> String {
        self.0.iter().map(write).collect()
    }

    /// The text in a policy by itself, where nobody fills anything in: any account, and where nothing tells the partition, the
    /// commercial one (IAM takes no wildcard there).
    #[must_use]
    pub fn plain(&self) -> String {
        self.write(|piece| match piece {
            Piece::Literal(text) => Cow::Borrowed(text),
            Piece::Partition => Cow::Borrowed(Partition::Aws.as_str()),
            Piece::Account => Cow::Borrowed("*"),
            Piece::ExternalId => Cow::Borrowed(EXTERNAL_ID),
        })
    }
}

/// What stands in a policy for the external id, which is shown to nobody.
pub const EXTERNAL_ID: &str = "EXTERNAL-ID";

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.plain())
    }
}

/// Which account the things are in that a policy speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Whose {
    /// The one that it is deployed in.
    #[default]
    Deployed,
    /// Any.
    Any,
    /// This one.
    Id(AccountId),
}

/// Where a policy applies, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) partition: Option<Partition>,
    pub(super) account: Whose,
}

impl Place {
    /// The setting, in every region: which ones is for a condition to say.
    pub(super) fn setting(&self) -> Text {
        self.arn("ssm", "*", &format!("servicesetting{SETTING_ID}"))
    }

    /// A role. Where its path is left open: at `/`, and at any other path.
    pub(super) fn role(&self, path: Option<&RolePath>, name: &RoleName) -> Vec<Text> {
        let anywhere = || ["/", "/*/"].map(|path| self.arn("iam", "", &format!("role{path}{name}"))).to_vec();
        path.map_or_else(anywhere, |path| vec![self.role_at(path, name)])
    }

    /// A role whose path is known.
    pub(super) fn role_at(&self, path: &RolePath, name: &RoleName) -> Text {
        self.arn("iam", "", &format!("role{}{name}", without_wildcards(path.as_str())))
    }

    /// Every policy of IAM. With any account, also those of AWS.
    pub(super) fn policies(&self) -> Text {
        self.arn("iam", "", "policy/*")
    }

    /// A document of Systems Manager.
    pub(super) fn ssm_document(&self, name: &str) -> Text {
        self.arn("ssm", "*", &format!("document/{name}"))
    }

    /// A policy by its ARN, which is of [`Place::planned_partition`].
    pub(super) fn policy(&self, arn: &str) -> Text {
        let of_aws = format!("arn:{}:iam::aws:", self.planned_partition());
        match arn.strip_prefix(&of_aws).filter(|_| self.partition.is_none()) {
            Some(rest) => Text(vec![literal("arn:"), Piece::Partition, Piece::Literal(Cow::Owned(format!(":iam::aws:{rest}")))]),
            None => Text::literal(arn.to_owned()),
        }
    }

    /// The partition to plan in where nothing tells it: all policies are AWS's own then, since an ARN would tell it.
    pub(super) fn planned_partition(&self) -> Partition {
        self.partition.unwrap_or(Partition::Aws)
    }

    pub(super) fn arn(&self, service: &'static str, region: &'static str, resource: &str) -> Text {
        let partition = self.partition.map_or(Piece::Partition, |partition| literal(partition.as_str()));
        let account = match self.account {
            Whose::Deployed => Piece::Account,
            Whose::Any => literal("*"),
            Whose::Id(id) => Piece::Literal(Cow::Owned(id.to_string())),
        };
        let service = Piece::Literal(Cow::Owned(format!(":{service}:{region}:")));
        let resource = Piece::Literal(Cow::Owned(format!(":{resource}")));
        Text(joined([literal("arn:"), partition, service, account, resource]))
    }
}

fn literal(text: &'static str) -> Piece {
    Piece::Literal(Cow::Borrowed(text))
}

/// Pieces that say the same are the same: what is known is one piece.
fn joined(pieces: impl IntoIterator<Item = Piece>) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (all.last_mut(), piece) {
            (Some(Piece::Literal(before)), Piece::Literal(text)) => before.to_mut().push_str(&text),
            (_, piece) => all.push(piece),
        }
    }
    all
}

/// A path can hold what IAM takes for wildcards and variables; as `${*}` it takes them as they are (IAM user guide, policy
/// variables).
fn without_wildcards(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for character in path.chars() {
        match character {
            '*' | '?' | '$' => text.extend(['$', '{', character, '}']),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_written_and_what_is_not_is_left_open() {
        let known = Place { partition: Some(Partition::AwsCn), account: Whose::Id("000011112222".parse().unwrap()) };
        let name: RoleName = "R".parse().unwrap();
        let path: RolePath = "/a/".parse().unwrap();
        assert_eq!(known.role(Some(&path), &name)[0].pieces().len(), 1);
        assert_eq!(known.role(Some(&path), &name)[0].plain(), "arn:aws-cn:iam::000011112222:role/a/R");
        let open = Place::default().setting();
        assert_eq!(open.plain(), "arn:aws:ssm:*:*:servicesetting/ssm/managed-instance/default-ec2-instance-management-role");
        assert_eq!(open.pieces().iter().filter(|piece| matches!(piece, Piece::Account | Piece::Partition)).count(), 2);
    }

    #[test]
    fn a_role_whose_path_is_open_is_one_at_the_root_or_at_any_path() {
        let resources = Place::default().role(None, &"R".parse().unwrap());
        assert_eq!(resources.iter().map(Text::plain).collect::<Vec<_>>(), ["arn:aws:iam::*:role/R", "arn:aws:iam::*:role/*/R"]);
    }

    #[test]
    fn what_looks_like_a_wildcard_in_a_path_is_none() {
        let resources = Place::default().role(Some(&"/a*/$?/".parse().unwrap()), &"R".parse().unwrap());
        assert_eq!(resources[0].plain(), "arn:aws:iam::*:role/a${*}/${$}${?}/R");
    }

    #[test]
    fn an_aws_managed_policy_is_of_the_partition_where_it_is_deployed() {
        let arn = "arn:aws:iam::aws:policy/a";
        assert!(Place::default().policy(arn).pieces().contains(&Piece::Partition));
        let known = Place { partition: Some(Partition::Aws), account: Whose::Deployed };
        assert_eq!(known.policy(arn), Text::literal(arn));
    }
}
