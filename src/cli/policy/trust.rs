//! Flags of `policy trust`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{FormatArgs, TermsArgs};
use crate::desired::names::{AccountId, RoleName};
use crate::policy::principal::{OidcProvider, RoleArn};

/// Flags of `policy trust`.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// Who may assume the role: the controller where it runs, or the hub in another account.
    #[arg(long = "for", value_enum, value_name = "WHOM")]
    pub whom: Trusted,
    /// How it is written down.
    #[command(flatten)]
    pub format: FormatArgs,
    /// The desired state, for the hub: it tells the role, and what is asked for.
    #[arg(long, env = "DHMC_CONFIG", value_name = "PATH", required_if_eq("whom", "hub"))]
    pub config: Option<PathBuf>,
    /// For the hub: the role of this account, where accounts have different ones. For irsa: the account of the OIDC provider.
    #[arg(long, value_name = "ID")]
    pub account: Option<AccountId>,
    /// For irsa: the cluster's OIDC provider, by its ARN or its address.
    #[arg(long, value_name = "PROVIDER", required_if_eq("whom", "irsa"))]
    pub oidc_provider: Option<OidcProvider>,
    /// For irsa and pod-identity: the namespace of the service account.
    #[arg(long, value_name = "NAME", required_if_eq("whom", "irsa"), requires = "service_account")]
    pub namespace: Option<String>,
    /// For irsa and pod-identity: the service account.
    #[arg(long, value_name = "NAME", required_if_eq("whom", "irsa"), requires = "namespace")]
    pub service_account: Option<String>,
    /// For the hub: its role.
    #[arg(long, value_name = "ARN", required_if_eq("whom", "hub"))]
    pub hub_role_arn: Option<RoleArn>,
    /// For the hub: what is asked of it.
    #[command(flatten)]
    pub terms: TermsArgs,
    /// What the controller's own role is called, in Terraform and in templates. The role of the hub's members is called as the document
    /// says.
    #[arg(long, value_name = "NAME", default_value = "dhmc-controller")]
    pub role_name: RoleName,
}

/// The controller's own role, with its trust.
#[derive(Debug, Clone, Args)]
pub struct OwnRoleArgs {
    /// The role as well, which the controller is where it runs, with the trust of `policy trust`: not as JSON, which is one policy.
    #[arg(long = "for", value_enum, value_name = "WHERE")]
    pub place: Option<Runs>,
    /// For irsa: the cluster's OIDC provider, by its ARN or its address.
    #[arg(long, value_name = "PROVIDER", required_if_eq("place", "irsa"))]
    pub oidc_provider: Option<OidcProvider>,
    /// For irsa and pod-identity: the namespace of the service account.
    #[arg(long, value_name = "NAME", required_if_eq("place", "irsa"), requires = "service_account")]
    pub namespace: Option<String>,
    /// For irsa and pod-identity: the service account.
    #[arg(long, value_name = "NAME", required_if_eq("place", "irsa"), requires = "namespace")]
    pub service_account: Option<String>,
    /// What the role is called. Without it: dhmc-controller, or for the hub dhmc-hub.
    #[arg(long, value_name = "NAME", requires = "place")]
    pub role_name: Option<RoleName>,
}

/// Where the controller runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Runs {
    /// On an instance of EC2.
    Ec2,
    /// In EKS, by IAM roles for service accounts.
    Irsa,
    /// In EKS, by EKS Pod Identity.
    PodIdentity,
}

impl From<Runs> for Trusted {
    fn from(place: Runs) -> Self {
        match place {
            Runs::Ec2 => Self::Ec2,
            Runs::Irsa => Self::Irsa,
            Runs::PodIdentity => Self::PodIdentity,
        }
    }
}

/// Who may assume a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trusted {
    /// The controller on an instance of EC2.
    Ec2,
    /// The controller in EKS, by IAM roles for service accounts.
    Irsa,
    /// The controller in EKS, by EKS Pod Identity.
    PodIdentity,
    /// The controller in its own account, of a role in another.
    Hub,
}
