//! The seam to AWS: what the controller asks of a cloud, and how a cloud says no.
//!
//! `aws` is the real one; tests of the reconcilers bring their own. Nothing here knows the SDK.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::desired::access::Access;
use crate::desired::names::{Account, AccountId, Partition, Region, RoleName};
use crate::desired::organization::{Member, Query};
use crate::observed::{Identity, ListedRegion, ObservedRole, ObservedSetting};
use crate::plan::{RoleAction, SettingAction};

/// As whom a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// In which account.
    pub account: Account,
    /// How it is reached.
    pub access: Access,
}

/// The calls that reconciling needs. Every read is a fresh one: behind this trait only sessions are kept.
pub trait Cloud: Send + Sync + 'static {
    /// Whose credentials are used for this account. Opens a session where a role has to be assumed for it; the other calls use
    /// that session, and open one only where there was none or it has run out.
    fn identity(&self, caller: &Caller) -> impl Future<Output = Result<Identity, CloudError>> + Send;

    /// The accounts of the organization, asked with the controller's own credentials.
    fn members(&self, query: &Query) -> impl Future<Output = Result<BTreeMap<AccountId, Member>, CloudError>> + Send;

    /// The regions that AWS lists for this account, open or not.
    fn regions(
        &self,
        caller: &Caller,
        partition: Partition,
    ) -> impl Future<Output = Result<Vec<ListedRegion>, CloudError>> + Send;

    /// The role, or `None` when IAM says that there is none.
    fn role(
        &self,
        caller: &Caller,
        partition: Partition,
        name: &RoleName,
    ) -> impl Future<Output = Result<Option<ObservedRole>, CloudError>> + Send;

    /// One write to the role. Done only when a later [`Cloud::role`] shows it.
    fn change_role(
        &self,
        caller: &Caller,
        partition: Partition,
        name: &RoleName,
        action: &RoleAction,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;

    /// One region's setting.
    fn setting(&self, caller: &Caller, region: &Region) -> impl Future<Output = Result<ObservedSetting, CloudError>> + Send;

    /// One write to a region's setting. Done only when a later [`Cloud::setting`] shows it.
    fn change_setting(
        &self,
        caller: &Caller,
        region: &Region,
        action: &SettingAction,
    ) -> impl Future<Output = Result<(), CloudError>> + Send;
}

pub use crate::operations::ASSUME_ROLE;
/// Stands where the operation would of a call that was not sent, or of a read that was broken off, because this replica does not lead.
pub const LEADERSHIP: &str = "leadership";

/// A call that AWS did not answer as hoped.
#[derive(Debug)]
pub struct CloudError {
    /// The service and its operation, such as `ssm:GetServiceSetting`: the words of an IAM policy.
    pub operation: &'static str,
    /// What it means for us.
    pub kind: ErrorKind,
    /// AWS's own code, such as `AccessDeniedException`; `None` when no answer came.
    pub code: Option<String>,
    /// AWS's own message, or what happened to the connection.
    pub message: String,
    /// What lies beneath, where there is more to tell.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl CloudError {
    /// Whether the session is over.
    #[must_use]
    pub fn has_expired(&self) -> bool {
        matches!(self.code.as_deref(), Some("ExpiredToken" | "ExpiredTokenException"))
    }

    /// Whether AWS does not know the key. In a region that is not enabled for the account, some services say that of good ones
    /// (aws-nuke#774).
    #[must_use]
    pub fn refuses_the_key(&self) -> bool {
        matches!(self.code.as_deref(), Some("UnrecognizedClientException" | "InvalidClientTokenId"))
    }

    /// Whether AWS has refused the call only because something that it builds on has not spread yet: nothing was done.
    #[must_use]
    pub fn came_too_early(&self) -> bool {
        let about_something_new = |code: &str| code.starts_with("Validation") || code.starts_with("MalformedPolicyDocument");
        self.kind == ErrorKind::Conflict && self.code.as_deref().is_some_and(about_something_new)
    }
}

impl fmt::Display for CloudError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.operation)?;
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Error for CloudError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

/// How long is waited before a read that AWS found one too many is made again, each time.
const WAITS_WHEN_THROTTLED: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Makes a read, and again where AWS asks for fewer, for whoever has no queue to put it back into: the SDK leaves that to whoever
/// calls.
pub async fn patiently<T, F: Future<Output = Result<T, CloudError>>>(read: impl Fn() -> F) -> Result<T, CloudError> {
    for wait in WAITS_WHEN_THROTTLED {
        match read().await {
            Err(error) if error.kind == ErrorKind::Throttled => tokio::time::sleep(wait).await,
            answer => return answer,
        }
    }
    read().await
}

/// What an error means for us. A closed set: it labels metrics and chooses the retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// AWS asks for fewer calls.
    Throttled,
    /// No answer, or a broken one.
    Unavailable,
    /// These credentials may not do this, or are none.
    Denied,
    /// AWS will not do this for anybody, the way it was asked.
    Rejected,
    /// What was asked for does not exist.
    Missing,
    /// Somebody else is changing the same thing, or a change has not spread yet.
    Conflict,
    /// The region is not enabled for the account.
    RegionDisabled,
}

/// How soon it makes sense to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It will pass by itself: exponential backoff from a second up.
    Backoff,
    /// Somebody has to change something: exponential backoff from half a minute up.
    Slow,
}

impl ErrorKind {
    /// The word in metrics and logs.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Denied => "denied",
            Self::Rejected => "rejected",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
            Self::RegionDisabled => "region_disabled",
        }
    }

    /// How soon to try again.
    #[must_use]
    pub fn retry(self) -> Retry {
        match self {
            Self::Throttled | Self::Unavailable | Self::Conflict => Retry::Backoff,
            Self::Denied | Self::Rejected | Self::Missing | Self::RegionDisabled => Retry::Slow,
        }
    }
}
