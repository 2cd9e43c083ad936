//! Flags of `policy`.

mod denial;
mod trust;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::desired::names::{AccountId, Partition};
use crate::policy::principal::{OrganizationId, RoleArn};
use crate::policy::render::Format;
use crate::policy::{Doctor, RegionScope, Scope, SessionTags};
pub use denial::DenialArgs;
pub use trust::{OwnRoleArgs, Runs, TrustArgs, Trusted};

/// What stands at the end of every help of these commands.
const EXIT_CODES: &str = "Exit codes:
  0  the policy was printed
  1  the document cannot be used or does not lead to such a policy, or the policy is longer than AWS takes";

/// Flags of `policy`.
#[derive(Debug, Args)]
#[command(after_long_help = format!(
    "Examples:
  dhmc-controller policy controller --config dhmc.yaml
  dhmc-controller policy member --config dhmc.yaml --format terraform
  dhmc-controller policy scp --config dhmc.yaml --controller-role-arn arn:aws:iam::111122223333:role/dhmc-controller

{EXIT_CODES}"
))]
pub struct PolicyArgs {
    /// Which policy.
    #[command(subcommand)]
    pub which: PolicyCommand,
}

/// Which policy.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// What the controller needs in the account of its own credentials.
    ///
    /// Only the calls that the document can lead to: reads alone where it observes, no reset where nothing is disabled, no right to
    /// the role where no region is enabled. Each is limited to the declared role, policies and regions.
    #[command(after_long_help = format!(
        "Examples:
  dhmc-controller policy controller --config dhmc.yaml > policy.json
  dhmc-controller policy controller --config dhmc.yaml --format terraform > dhmc.tf
  dhmc-controller policy controller --config dhmc.yaml --any-region --with-doctor

{EXIT_CODES}"
    ))]
    Controller(ControllerArgs),
    /// What the role needs that the controller assumes in another account.
    ///
    /// Without --account it is one policy for every account that the document declares with assumeRole, listed or of the
    /// organization: the union of what they need, for any account, as a stack set wants it. Overrides of units count as if an account
    /// could be in any of them, because only Organizations knows.
    #[command(after_long_help = format!(
        "Examples:
  dhmc-controller policy member --config dhmc.yaml
  dhmc-controller policy member --config dhmc.yaml --account 222233334444
  dhmc-controller policy member --config dhmc.yaml --format cloudformation \\
    --hub-role-arn arn:aws:iam::111122223333:role/dhmc-hub --organization-id o-abcde12345 > member.template.json
  dhmc-controller policy member --config dhmc.yaml --format stackset \\
    --hub-role-arn arn:aws:iam::111122223333:role/dhmc-hub --organization-id o-abcde12345 > stackset.template.json

{EXIT_CODES}"
    ))]
    Member(MemberArgs),
    /// What the controller needs to reach other accounts: to assume the declared roles, and to list the organization.
    ///
    /// Where it also keeps the account of its own credentials, `policy controller` is needed besides. With --for, it is the controller's
    /// own role with both.
    #[command(after_long_help = format!(
        "Examples:
  dhmc-controller policy hub --config dhmc.yaml
  dhmc-controller policy hub --config dhmc.yaml --pod-identity --format terraform
  dhmc-controller policy hub --config dhmc.yaml --organization-id o-abcde12345 --format cloudformation \\
    --for pod-identity --namespace dhmc --service-account dhmc-controller > hub.template.json

{EXIT_CODES}"
    ))]
    Hub(HubArgs),
    /// A service control policy that keeps everybody else from what the controller keeps.
    ///
    /// It guards what the document enforces: the setting in these regions, and the role, if it is managed. The roles that the
    /// controller assumes stay allowed; its own has to be named. Service control policies do not bind the management account.
    #[command(after_long_help = format!(
        "Examples:
  dhmc-controller policy scp --config dhmc.yaml --controller-role-arn arn:aws:iam::111122223333:role/dhmc-controller
  dhmc-controller policy scp --config dhmc.yaml --controller-role-arn 'arn:aws:iam::*:role/dhmc-controller' --any-region

{EXIT_CODES}"
    ))]
    Scp(DenialArgs),
    /// The same as a policy of IAM, for users and roles that must not touch it.
    #[command(after_long_help = format!(
        "Examples:
  dhmc-controller policy deny --config dhmc.yaml
  dhmc-controller policy deny --config dhmc.yaml --controller-role-arn arn:aws:iam::111122223333:role/dhmc-controller

{EXIT_CODES}"
    ))]
    Deny(DenialArgs),
    /// Who may assume a role: the controller's own by where it runs, or the role in another account by the hub.
    #[command(after_long_help = format!(
        "Examples:
  dhmc-controller policy trust --for ec2
  dhmc-controller policy trust --for irsa --oidc-provider oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD \\
    --namespace dhmc --service-account dhmc-controller --account 111122223333
  dhmc-controller policy trust --for pod-identity --namespace dhmc --service-account dhmc-controller
  dhmc-controller policy trust --for hub --config dhmc.yaml --hub-role-arn arn:aws:iam::111122223333:role/dhmc-hub \\
    --organization-id o-abcde12345

{EXIT_CODES}"
    ))]
    Trust(TrustArgs),
}

/// How it is written down.
#[derive(Debug, Clone, Copy, Args)]
pub struct FormatArgs {
    /// How it is written down.
    #[arg(long, value_enum, default_value = "json", value_name = "FORMAT")]
    pub format: FormatName,
    /// Where it is deployed. The document's regions tell that, and its ARNs; this is for documents with neither.
    #[arg(long, value_name = "PARTITION")]
    pub partition: Option<Partition>,
}

/// A format by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatName {
    /// The policy document alone.
    Json,
    /// HCL with data sources `aws_iam_policy_document`.
    Terraform,
    /// A template, as JSON.
    #[value(name = "cloudformation")]
    CloudFormation,
    /// A template of a stack set of that template, for `policy member --hub-role-arn`.
    #[value(name = "stackset")]
    StackSet,
}

impl FormatArgs {
    /// The format.
    #[must_use]
    pub fn format(self) -> Format {
        match self.format {
            FormatName::Json => Format::Json,
            FormatName::Terraform => Format::Terraform,
            FormatName::CloudFormation => Format::CloudFormation,
            FormatName::StackSet => Format::StackSet,
        }
    }
}

/// The document, and how much of it.
#[derive(Debug, Clone, Args)]
pub struct DocumentArgs {
    /// The desired state: a YAML file, or a directory of them (docs/CONFIG.md).
    #[arg(long, env = "DHMC_CONFIG", value_name = "PATH")]
    pub config: PathBuf,
    /// How it is written down.
    #[command(flatten)]
    pub format: FormatArgs,
    /// For this account alone. Without it: for every account that it can be for.
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,
}

/// How wide rights are.
#[derive(Debug, Clone, Copy, Args)]
pub struct WidthArgs {
    /// Settings of every region rather than of the declared ones, so that a region can be added without a new policy.
    #[arg(long)]
    pub any_region: bool,
    /// Also what `doctor` reads beyond what the controller does.
    #[arg(long)]
    pub with_doctor: bool,
}

impl DocumentArgs {
    /// What the policy is for, with rights of this width.
    #[must_use]
    pub fn scope(&self, width: WidthArgs) -> Scope {
        Scope {
            partition: self.format.partition,
            account: self.account,
            regions: if width.any_region { RegionScope::Any } else { RegionScope::Declared },
            doctor: if width.with_doctor { Doctor::With } else { Doctor::Without },
        }
    }
}

/// Flags of `policy controller`.
#[derive(Debug, Args)]
pub struct ControllerArgs {
    /// The document.
    #[command(flatten)]
    pub document: DocumentArgs,
    /// How wide the rights are.
    #[command(flatten)]
    pub width: WidthArgs,
    /// Its role.
    #[command(flatten)]
    pub role: OwnRoleArgs,
}

/// Flags of `policy member`.
#[derive(Debug, Args)]
pub struct MemberArgs {
    /// The document.
    #[command(flatten)]
    pub document: DocumentArgs,
    /// How wide the rights are.
    #[command(flatten)]
    pub width: WidthArgs,
    /// The role as well, with the trust of `policy trust --for hub`: not as JSON, which is one policy.
    #[arg(long, value_name = "ARN")]
    pub hub_role_arn: Option<RoleArn>,
    /// What the role asks of the hub.
    #[command(flatten)]
    pub terms: TermsArgs,
}

/// What a member's role asks of the hub.
#[derive(Debug, Clone, Args)]
pub struct TermsArgs {
    /// The organization that the hub has to be of, such as o-abcde12345.
    #[arg(long, value_name = "ID")]
    pub organization_id: Option<OrganizationId>,
    /// What to write where the external id belongs, if the document declares one; its own is never shown. Without it: EXTERNAL-ID,
    /// in Terraform a variable, in a template a parameter.
    #[arg(long, value_name = "TEXT")]
    pub external_id_placeholder: Option<String>,
    /// Which session tags come along.
    #[command(flatten)]
    pub tags: TagArgs,
}

/// Which session tags the hub's sessions have.
#[derive(Debug, Clone, Copy, Args)]
pub struct TagArgs {
    /// The controller runs with EKS Pod Identity, whose session tags go along into every account: allow them. Those that the document
    /// declares are allowed anyway.
    #[arg(long)]
    pub pod_identity: bool,
}

impl TagArgs {
    /// What the flag means.
    #[must_use]
    pub fn session_tags(self) -> SessionTags {
        if self.pod_identity { SessionTags::Inherited } else { SessionTags::Declared }
    }
}

/// Flags of `policy hub`.
#[derive(Debug, Args)]
pub struct HubArgs {
    /// The desired state: a YAML file, or a directory of them (docs/CONFIG.md).
    #[arg(long, env = "DHMC_CONFIG", value_name = "PATH")]
    pub config: PathBuf,
    /// How it is written down.
    #[command(flatten)]
    pub format: FormatArgs,
    /// Which session tags its sessions have.
    #[command(flatten)]
    pub tags: TagArgs,
    /// The organization that accounts have to be of which the document does not name, such as o-abcde12345.
    #[arg(long, value_name = "ID")]
    pub organization_id: Option<OrganizationId>,
    /// Its role.
    #[command(flatten)]
    pub role: OwnRoleArgs,
}
