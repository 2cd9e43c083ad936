//! Which access keys belong to whom. Lasting identities stay; sessions of `AssumeRole` leave again some time after they
//! expired, so that a sandbox that runs for days holds no more of them than are in use.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::RwLock;

use crate::identity::{Credentials, Identity};
use crate::world::Account;

/// How long an expired session is still known by name, for the journal's sake. Its calls are refused as expired
/// for ever.
const REMEMBERED: SignedDuration = SignedDuration::from_mins(2);

/// Every key that was issued and is not forgotten.
#[derive(Debug, Default)]
pub(crate) struct Keyring(RwLock<Keys>);

#[derive(Debug, Default)]
struct Keys {
    identities: HashMap<Arc<str>, Arc<Identity>>,
    /// The keys of sessions by the time they expire.
    sessions: BTreeSet<(Timestamp, Arc<str>)>,
}

impl Keyring {
    /// Issues the credentials of a lasting identity, the same ones every time.
    pub(crate) fn issue(&self, account: &Arc<Account>, suffix: &str) -> Credentials {
        let (key, identity) = Identity::issue(account, suffix);
        let mut keys = self.0.write();
        let identity = keys.identities.entry(Arc::from(key.as_str())).or_insert_with(|| Arc::new(identity));
        identity.credentials(&key)
    }

    /// Takes in a session, and forgets those that expired long ago.
    pub(crate) fn open(&self, key: &str, session: Identity, now: Timestamp) {
        let key: Arc<str> = Arc::from(key);
        let mut keys = self.0.write();
        keys.forget(now);
        if let Some(expires) = session.expires() {
            keys.sessions.insert((expires, Arc::clone(&key)));
        }
        keys.identities.insert(key, Arc::new(session));
    }

    pub(crate) fn find(&self, access_key_id: &str) -> Option<Arc<Identity>> {
        self.0.read().identities.get(access_key_id).map(Arc::clone)
    }
}

impl Keys {
    fn forget(&mut self, now: Timestamp) {
        while let Some((expires, _)) = self.sessions.first()
            && now.duration_since(*expires) > REMEMBERED
        {
            if let Some((_, key)) = self.sessions.pop_first() {
                self.identities.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Session;
    use crate::partition::Partition;
    use crate::role::Role;

    fn open(keyring: &Keyring, now: i64, lifetime: i64) -> String {
        let account = Arc::new(Account::new("111122223333", Partition::Aws));
        let role = Role::new("/", "member", "{}");
        let expires = Timestamp::from_second(now + lifetime).unwrap();
        let session = Session { role: &role, name: "hub", expires, transitive_tags: false };
        let (key, identity) = Identity::open(&account, &session);
        keyring.open(&key, identity, Timestamp::from_second(now).unwrap());
        key
    }

    #[test]
    fn sessions_that_expired_long_ago_take_no_memory() {
        let keyring = Keyring::default();
        let latest = (0..100).map(|hour| open(&keyring, hour * 3600, 900)).last().unwrap();
        assert!(keyring.find(&latest).is_some());
        let keys = keyring.0.read();
        assert_eq!((keys.identities.len(), keys.sessions.len()), (1, 1));
    }

    #[test]
    fn a_session_just_expired_is_still_known_by_name() {
        let keyring = Keyring::default();
        let first = open(&keyring, 0, 900);
        open(&keyring, 960, 900);
        let now = Timestamp::from_second(960).unwrap();
        assert!(keyring.find(&first).unwrap().is_expired(now));
    }

    #[test]
    fn two_sessions_of_one_role_share_no_key() {
        let keyring = Keyring::default();
        assert_ne!(open(&keyring, 0, 900), open(&keyring, 0, 900));
    }
}
