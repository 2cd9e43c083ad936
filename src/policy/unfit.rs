//! Why there is no such policy for a document, and what to do.

use crate::desired::names::{AccountId, Partition};

/// Why there is no such policy for a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Every account is reached by a role.
    #[error(
        "the document declares no account of the controller's own credentials, so they need nothing there; `policy hub` is what \
         they need to reach the others"
    )]
    NothingOwn,
    /// No account is reached by a role.
    #[error(
        "the document declares no account with assumeRole, so there is no member; `policy controller` is for the own account"
    )]
    NoMember,
    /// The same, for the hub.
    #[error(
        "the document declares no account with assumeRole, so there is no role to assume; `policy controller` is all it needs"
    )]
    NothingToAssume,
    /// The account is not declared.
    #[error("the document declares nothing for account {0}, or excludes it")]
    NotDeclared(AccountId),
    /// The account is that of the own credentials.
    #[error("account {0} is the one of the controller's own credentials; `policy controller` is for it")]
    Own(AccountId),
    /// The document is for another account.
    #[error("the document is for account {declared}, not for {asked}; leave --account out")]
    OtherAccount {
        /// The one that it is for.
        declared: AccountId,
        /// The one that was asked for.
        asked: AccountId,
    },
    /// Nothing would be denied.
    #[error(
        "the document enforces nothing (mode: observe), so there is nothing to keep others from: what is only observed is for others \
         to change"
    )]
    NothingEnforced,
    /// The controller would be denied as well.
    #[error(
        "the document declares the account of the controller's own credentials and does not tell their role, which has to stay \
         allowed; name it with --controller-role-arn"
    )]
    ControllerUnknown,
    /// Who is to stay allowed is of another partition.
    #[error(
        "{principal} is not of partition {partition}, which the document is for, so it would keep nobody allowed: correct it"
    )]
    ElsewherePartition {
        /// Who.
        principal: String,
        /// The document's.
        partition: Partition,
    },
    /// Who is to stay allowed is of other accounts than the one of the controller's own credentials.
    #[error(
        "none of those that --controller-role-arn names is of account {0}, where the controller's own credentials are, so that it \
         would be shut out: name its role"
    )]
    ElsewhereAccount(AccountId),
    /// The partition is not the document's.
    #[error("the document is for partition {declared}, not for {asked}; leave --partition out")]
    OtherPartition {
        /// The one that it is for.
        declared: Partition,
        /// The one that was asked for.
        asked: Partition,
    },
    /// Accounts are reached by roles that differ.
    #[error("the document's accounts are reached by roles that differ; choose an account with --account")]
    RolesDiffer,
    /// Too much to think through.
    #[error("the overrides can combine to more different roles than anybody can look through; make them fewer")]
    TooManyWays,
}
