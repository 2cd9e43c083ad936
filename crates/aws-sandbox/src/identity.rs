//! Who calls: identities, the credentials issued for them, and what each account denies them.
//! Keys of lasting identities are derived from account and ARN, so that a restarted sandbox knows the same keys again;
//! every session of `AssumeRole` has keys of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::role::Role;
use crate::world::Account;

/// Who calls when nobody in particular is asked for: the controller's role.
pub(crate) const DEFAULT_IDENTITY: &str = "assumed-role/dhmc-controller/dhmc-sandbox";

/// What a client signs with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Credentials {
    /// `AKIA…` for users, `ASIA…` for sessions.
    pub access_key_id: String,
    /// The signing secret.
    pub secret_access_key: String,
    /// Sent along by sessions; users have none.
    pub session_token: Option<String>,
    /// The principal these belong to.
    pub arn: String,
}

/// Why a call is refused, as the words after the action tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeniedBy {
    /// No policy of the caller allows it.
    MissingAllow,
    /// A policy of the caller forbids it.
    IdentityPolicy,
    /// A service control policy of the organization forbids it.
    ServiceControlPolicy,
}

/// One refused action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// `service:Operation`; a `*` at the end matches any rest.
    pub action: String,
    /// Only this principal; everybody in the account when absent.
    #[serde(default)]
    pub principal: Option<String>,
    /// The reason given.
    #[serde(default = "missing_allow")]
    pub by: DeniedBy,
}

fn missing_allow() -> DeniedBy {
    DeniedBy::MissingAllow
}

impl Denial {
    pub(crate) fn hits(&self, action: &str, principal: &str) -> bool {
        self.principal.as_deref().is_none_or(|own| own == principal)
            && match self.action.strip_suffix('*') {
                Some(start) => action.starts_with(start),
                None => self.action == action,
            }
    }
}

/// A principal of one account with its keys.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) account: Arc<Account>,
    pub(crate) arn: Arc<str>,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
    /// Whether tags of the session pass on to every session opened from it.
    pub(crate) transitive_tags: bool,
    /// When the session ends by itself; lasting identities never do.
    expires: Option<Timestamp>,
    /// Given only where it cannot be derived from the ARN.
    user_id: Option<String>,
    expired: AtomicBool,
}

/// What `AssumeRole` opens.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) role: &'a Role,
    pub(crate) name: &'a str,
    pub(crate) expires: Timestamp,
    pub(crate) transitive_tags: bool,
}

impl Identity {
    /// The access key id, and the identity behind it. `suffix` is the ARN's end, e.g. `user/bob`.
    pub(crate) fn issue(account: &Arc<Account>, suffix: &str) -> (String, Self) {
        let (service, prefix) = if suffix.starts_with("assumed-role/") { ("sts", "ASIA") } else { ("iam", "AKIA") };
        let arn = format!("arn:{}:{service}::{}:{suffix}", account.partition.as_str(), account.id);
        let key = format!("{prefix}{}", unique_letters(&format!("key {arn}")));
        let token = format!("SandboxSession{}", digest(&format!("token {arn}")));
        let identity = Self {
            account: Arc::clone(account),
            secret: digest(&format!("secret {arn}")),
            session_token: (service == "sts").then_some(token),
            arn: arn.into(),
            transitive_tags: false,
            expires: None,
            user_id: None,
            expired: AtomicBool::new(false),
        };
        (key, identity)
    }

    /// A session of a role with keys nobody had before.
    pub(crate) fn open(account: &Arc<Account>, session: &Session<'_>) -> (String, Self) {
        let key = format!("ASIA{}", unique_letters(&format!("session {}", fastrand::u128(..))));
        let (role, name) = (session.role, session.name);
        let arn = format!("arn:{}:sts::{}:assumed-role/{}/{name}", account.partition.as_str(), account.id, role.name);
        let identity = Self {
            account: Arc::clone(account),
            secret: digest(&format!("secret {key}")),
            session_token: Some(token_of_session(&key)),
            arn: arn.into(),
            transitive_tags: session.transitive_tags,
            expires: Some(session.expires),
            user_id: Some(format!("{}:{name}", role.id)),
            expired: AtomicBool::new(false),
        };
        (key, identity)
    }

    /// Whether it is a session of a role, so that what it opens is chained.
    pub(crate) fn is_session(&self) -> bool {
        self.session_token.is_some()
    }

    /// The name of the role it is a session of.
    pub(crate) fn role_name(&self) -> Option<&str> {
        let suffix = self.arn.splitn(6, ':').nth(5)?;
        Some(suffix.strip_prefix("assumed-role/")?.split_once('/')?.0)
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expired.load(Ordering::Relaxed) || self.expires.is_some_and(|end| now >= end)
    }

    pub(crate) fn expire(&self) {
        self.expired.store(true, Ordering::Relaxed);
    }

    pub(crate) fn renew(&self) {
        self.expired.store(false, Ordering::Relaxed);
    }

    pub(crate) fn credentials(&self, access_key_id: &str) -> Credentials {
        Credentials {
            access_key_id: access_key_id.to_owned(),
            secret_access_key: self.secret.clone(),
            session_token: self.session_token.clone(),
            arn: self.arn.to_string(),
        }
    }

    /// The caller's `UserId`: a role id with the session name for sessions, a user id otherwise.
    pub(crate) fn user_id(&self) -> String {
        if let Some(known) = &self.user_id {
            return known.clone();
        }
        let suffix = self.arn.splitn(6, ':').nth(5).unwrap_or_default();
        match suffix.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/')) {
            Some((role, session)) => {
                format!("AROA{}:{session}", unique_letters(&format!("{} {role}", self.account.id)))
            }
            None => format!("AIDA{}", unique_letters(&self.arn)),
        }
    }
}

/// The token of `AssumeRole`'s sessions follows from the key, so that a forgotten session is still known to be one.
pub(crate) fn token_of_session(access_key_id: &str) -> String {
    format!("SandboxRoleSession{}", digest(&format!("token {access_key_id}")))
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Sixteen letters and digits as AWS puts them behind `AKIA` or `AROA`, always the same for the same text.
pub(crate) fn unique_letters(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let hash = Sha256::digest(text);
    hash.iter().take(16).map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::Partition;

    #[test]
    fn sessions_have_a_token_and_users_have_none() {
        let account = Arc::new(Account::new("111122223333", Partition::AwsCn));
        let (key, session) = Identity::issue(&account, "assumed-role/Admin/alice");
        assert!(key.starts_with("ASIA") && key.len() == 20);
        assert!(session.session_token.is_some());
        assert_eq!(&*session.arn, "arn:aws-cn:sts::111122223333:assumed-role/Admin/alice");
        let (key, user) = Identity::issue(&account, "user/bob");
        assert!(key.starts_with("AKIA"));
        assert_eq!(user.session_token, None);
        assert_eq!(&*user.arn, "arn:aws-cn:iam::111122223333:user/bob");
    }

    #[test]
    fn a_denial_of_one_principal_spares_the_others() {
        let denial = Denial { action: "ssm:Get*".to_owned(), principal: Some("arn:a".to_owned()), by: DeniedBy::MissingAllow };
        assert!(denial.hits("ssm:GetServiceSetting", "arn:a"));
        assert!(!denial.hits("ssm:GetServiceSetting", "arn:b"));
        assert!(!denial.hits("ssm:UpdateServiceSetting", "arn:a"));
    }
}
