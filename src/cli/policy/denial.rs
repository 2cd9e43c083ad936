//! Flags of `policy scp` and `policy deny`.

use clap::Args;

use super::{DocumentArgs, WidthArgs};
use crate::policy::Scope;
use crate::policy::principal::{Allowed, PrincipalPattern};

/// Flags of `policy scp` and `policy deny`.
#[derive(Debug, Args)]
pub struct DenialArgs {
    /// The document.
    #[command(flatten)]
    pub document: DocumentArgs,
    /// Who stays allowed.
    #[command(flatten)]
    pub allowed: AllowedArgs,
    /// Settings of every region rather than of those that the document enforces.
    #[arg(long)]
    pub any_region: bool,
}

/// Who stays allowed.
#[derive(Debug, Clone, Args)]
pub struct AllowedArgs {
    /// A role that stays allowed: the controller's own, another for emergencies. Can be given several times; `*` may stand for the
    /// account, and in the name.
    #[arg(long, value_name = "ARN")]
    pub controller_role_arn: Vec<PrincipalPattern>,
    /// A role that may change the roles that stay allowed, because it deploys them. A service control policy lets the organization's
    /// stack sets do so in any case. Can be given several times, with `*` as above.
    #[arg(long, value_name = "ARN")]
    pub deployer_role_arn: Vec<PrincipalPattern>,
}

impl AllowedArgs {
    /// What the flags mean.
    #[must_use]
    pub fn allowed(self) -> Allowed {
        Allowed { controllers: self.controller_role_arn, deployers: self.deployer_role_arn }
    }
}

impl DenialArgs {
    /// What the policy is for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.document.scope(WidthArgs { any_region: self.any_region, with_doctor: false })
    }
}
