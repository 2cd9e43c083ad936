//! Flags of `export`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};

use super::aws::AwsArgs;
use super::output::OutputArgs;
use crate::desired::access::ExternalId;
use crate::desired::names::{AccountId, InvalidName, Partition, RoleName, RolePath};
use crate::export::Unset;

/// What `--help` says beneath the flags.
pub const AFTER_HELP: &str = "\
Examples:
  dhmc-controller export > dhmc.yaml
          The account of the credentials, as a document.
  dhmc-controller export --file dhmc.yaml
          The same, into a file that is not there yet.
  dhmc-controller export --account 222233334444 --assume-role dhmc-controller
          Another account, through a role in it.
  dhmc-controller export --output json | jq '.oddities'
          What looks odd.

Exit codes:
  0  everything was read
  1  something could not be read, and is named in the document and on standard error; or nothing could be done at all";

/// What `--help` says beneath the first line.
pub const LONG_ABOUT: &str = "\
Write the desired state that describes what an account has now, so that to adopt it changes nothing.

Every region that is open to the account is read (account:ListRegions; where that is denied, every region that this program knows \
in the partition), and every role that some setting names. Nothing is written to AWS. Comments in the document tell what looks \
odd. The credentials need ssm:GetServiceSetting, iam:GetRole and iam:ListAttachedRolePolicies, of any role.

A document has one role an account. Regions that name it become `enabled`; of several, a role that serves comes before one that does \
not, then the one that most regions name. Regions that name another, that could not be read, or whose setting AWS is still \
changing become `unmanaged`, each with a comment. A role of AWS Quick Setup becomes `external`, any other `managed`, with its \
policies, tags, description and boundary as they are; inline policies are neither read nor touched. Where the role itself is broken, \
`mode: observe` sees to it that nothing is changed.

Regions that are off are left out, and `otherRegions` is `unmanaged`: nobody who switches one on later is surprised by a \
reset. With `--unset disabled` they are listed as `disabled`, which keeps them off.

Without a region in the environment (AWS_REGION, or a profile's) the credentials are taken for those of partition aws.";

/// Flags of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Write the document into this file, which must not exist.
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Replace the file if it does exist.
    #[arg(long, requires = "file")]
    pub force: bool,
    /// The account; without it, that of the credentials. With credentials of another one nothing is read.
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,
    /// A role to assume in the account: its name, its path and name, or its ARN, which names the account as well.
    #[arg(long, value_name = "ROLE")]
    pub assume_role: Option<RoleToAssume>,
    /// With --assume-role: what that role's trust policy asks for as sts:ExternalId. Others on the machine see flags, and do not
    /// see variables.
    #[arg(long, env = "DHMC_EXTERNAL_ID", value_name = "ID", hide_env_values = true, value_parser = unread)]
    pub external_id: Option<GivenExternalId>,
    /// What becomes of regions whose setting is unset.
    #[arg(long, value_enum, default_value_t, value_name = "STATE")]
    pub unset: UnsetArg,
    /// How it reports: the document, or with json everything that was seen, the document included.
    #[command(flatten)]
    pub output: OutputArgs,
    /// How AWS is reached.
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// What becomes of regions whose setting is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum UnsetArg {
    /// They are left out, and left alone.
    #[default]
    Unmanaged,
    /// They are listed, and kept off.
    Disabled,
}

impl From<UnsetArg> for Unset {
    fn from(arg: UnsetArg) -> Self {
        match arg {
            UnsetArg::Unmanaged => Self::Unmanaged,
            UnsetArg::Disabled => Self::Disabled,
        }
    }
}

/// A role as `--assume-role` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleToAssume {
    /// The account, where an ARN tells it.
    pub account: Option<AccountId>,
    /// Its path.
    pub path: RolePath,
    /// Its name.
    pub name: RoleName,
}

impl FromStr for RoleToAssume {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let (account, resource) = match text.strip_prefix("arn:") {
            None => (None, text),
            Some(arn) => {
                let refused = || InvalidName("a role's ARN is like arn:aws:iam::111122223333:role/path/NAME".to_owned());
                let (start, resource) = arn.split_once(":role/").ok_or_else(refused)?;
                let (partition, account) = start.split_once(":iam::").ok_or_else(refused)?;
                partition.parse::<Partition>()?;
                (Some(account.parse()?), resource)
            }
        };
        let (path, name) = match resource.trim_start_matches('/').rsplit_once('/') {
            None => (RolePath::root(), resource.trim_start_matches('/')),
            Some((path, name)) => (format!("/{path}/").parse()?, name),
        };
        Ok(Self { account, path, name: name.parse()? })
    }
}

/// An external id as it was given. Whether it is one is said by who uses it: clap would repeat one that is none.
#[derive(Debug, Clone)]
pub struct GivenExternalId(pub Result<ExternalId, InvalidName>);

#[expect(clippy::unnecessary_wraps, reason = "clap's signature")]
fn unread(text: &str) -> Result<GivenExternalId, InvalidName> {
    Ok(GivenExternalId(text.parse()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_to_assume_is_a_name_a_path_and_name_or_an_arn() {
        let of = |account: Option<&str>, path: &str, name: &str| {
            let account = account.map(|id| id.parse().unwrap());
            Ok(RoleToAssume { account, path: path.parse().unwrap(), name: name.parse().unwrap() })
        };
        assert_eq!("reach".parse(), of(None, "/", "reach"));
        assert_eq!("platform/reach".parse(), of(None, "/platform/", "reach"));
        assert_eq!("/a/b/reach".parse(), of(None, "/a/b/", "reach"));
        assert_eq!("arn:aws-cn:iam::000011112222:role/a/reach".parse(), of(Some("000011112222"), "/a/", "reach"));
        for text in [
            "",
            "/",
            "a/",
            "a b",
            "arn:aws:iam::1:role/x",
            "arn:mars:iam::000011112222:role/x",
            "arn:aws:iam::000011112222:user/x",
        ] {
            assert!(text.parse::<RoleToAssume>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_external_id_that_is_none_is_repeated_by_nobody() {
        let given = unread("s3 cr3t").unwrap();
        assert!(given.0.is_err());
        assert!(!format!("{given:?}").contains("cr3t"));
    }
}
