//! What is deployed, and how it is written down: as the policy alone, for Terraform, for `CloudFormation`.

mod alignment;
mod cloudformation;
mod terraform;

use super::document::PolicyDocument;
use super::quota::{Quota, length};

/// How a policy is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// The policy document alone.
    #[default]
    Json,
    /// HCL: data sources `aws_iam_policy_document`, and what they are for.
    Terraform,
    /// A template, as JSON.
    CloudFormation,
    /// A template of a stack set, which brings a role into every account of units of the organization.
    StackSet,
}

/// What is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deployment {
    /// A policy of IAM.
    Policy(ManagedPolicy),
    /// A policy of Organizations.
    ServiceControlPolicy(Named),
    /// A role, with its policies where those are known here.
    Role(Role),
}

/// A policy with what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Such as `dhmc-member`.
    pub name: &'static str,
    /// What it is for: one line, in the characters that IAM takes.
    pub description: &'static str,
    /// What it says.
    pub document: PolicyDocument,
}

/// A managed policy of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// The policy.
    pub named: Named,
    /// Whether it is attached where it is deployed.
    pub attached: Attached,
}

/// Whether a policy is attached where it is deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attached {
    /// To a role, whose usual name this is.
    ToRole(Option<String>),
    /// Somebody does it by hand.
    ByHand,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// What it is for: one line, in the characters that IAM takes.
    pub description: &'static str,
    /// Who may assume it.
    pub trust: PolicyDocument,
    /// What it may do, where that is deployed with it.
    pub policies: Vec<Named>,
    /// Whether instances get it.
    pub profile: InstanceProfile,
}

/// Whether instances get a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceProfile {
    /// By a profile of the role's name.
    Needed,
    /// They do not.
    NotNeeded,
}

/// What could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A defect.
    #[error("the policy cannot be written as JSON: {0}; this is a defect of the controller, please report it")]
    Json(#[from] serde_json::Error),
    /// A defect.
    #[error("the policy cannot be written as HCL: {0}; this is a defect of the controller, please report it")]
    Hcl(#[from] hcl::Error),
    /// There is none to bring.
    #[error("a stack set brings a role into accounts, and this is a policy alone; ask for `policy member --hub-role-arn ARN`")]
    NotARole,
}

impl Deployment {
    /// Every policy in it, with the quota that it is under.
    #[must_use]
    pub fn policies(&self) -> Vec<(Quota, &PolicyDocument)> {
        match self {
            Self::Policy(policy) => vec![(Quota::ManagedPolicy, &policy.named.document)],
            Self::ServiceControlPolicy(policy) => vec![(Quota::ServiceControlPolicy, &policy.document)],
            Self::Role(role) => {
                let permissions = role.policies.iter().map(|policy| (Quota::ManagedPolicy, &policy.document));
                [(Quota::TrustPolicy, &role.trust)].into_iter().chain(permissions).collect()
            }
        }
    }

    /// The text, with a newline at its end. Of a role as JSON: who may assume it.
    pub fn render(&self, format: Format) -> Result<String, RenderError> {
        Ok(match format {
            Format::Json => self.json()?,
            Format::Terraform => terraform::render(self)?,
            Format::CloudFormation => cloudformation::render(self)?,
            Format::StackSet => cloudformation::render_stack_set(self)?.ok_or(RenderError::NotARole)?,
        })
    }

    /// Pretty, unless that is too long for where white space counts: in the API of Organizations.
    fn json(&self) -> Result<String, serde_json::Error> {
        let (document, most) = match self {
            Self::Policy(policy) => (&policy.named.document, usize::MAX),
            Self::ServiceControlPolicy(policy) => (&policy.document, Quota::ServiceControlPolicy.most()),
            Self::Role(role) => (&role.trust, usize::MAX),
        };
        let mut text = serde_json::to_string_pretty(document)?;
        if text.chars().count() > most && length(document) <= most {
            text = serde_json::to_string(document)?;
        }
        Ok(text + "\n")
    }
}
