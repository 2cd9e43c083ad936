//! Who calls: identities, the credentials issued for them, and what each account denies them.
//! Keys are derived from account and ARN, so that a restarted sandbox knows the same keys again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    expired: AtomicBool,
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
            expired: AtomicBool::new(false),
        };
        (key, identity)
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.expired.load(Ordering::Relaxed)
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
        let suffix = self.arn.splitn(6, ':').nth(5).unwrap_or_default();
        match suffix.strip_prefix("assumed-role/").and_then(|rest| rest.split_once('/')) {
            Some((role, session)) => {
                format!("AROA{}:{session}", unique_letters(&format!("{} {role}", self.account.id)))
            }
            None => format!("AIDA{}", unique_letters(&self.arn)),
        }
    }
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
