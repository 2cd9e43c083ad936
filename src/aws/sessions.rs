//! Sessions of assumed roles: one an account, kept until it runs out, at most one being opened at a time.
//!
//! The SDK ties credentials to a client, which would be a client an account and region. Here a call carries its credentials
//! with it (a task-local that [`OfTheCall`] reads), so that all accounts share the clients of a region.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials};
use tokio::time::Instant;
use tracing::warn;

use crate::cloud::{ASSUME_ROLE, CloudError, ErrorKind};
use crate::desired::access::AssumeRole;
use crate::desired::names::AccountId;
use crate::observed::Identity;

/// What is asked for. A chained session, which this is where the controller's own credentials are a role's, cannot be longer
/// (IAM user guide, role chaining).
pub(super) const LIFETIME: Duration = Duration::from_hours(1);
/// The shortest session that AWS grants (STS API reference, `AssumeRole`).
const SHORTEST_LIFETIME: Duration = Duration::from_mins(15);
/// How much of its lifetime a session may have used up when the look at its account renews it.
const RENEWED_AFTER: f64 = 0.75;
/// A session that AWS refuses at this age never was any good.
const YOUNG: Duration = Duration::from_mins(1);

tokio::task_local! {
    static CREDENTIALS: Credentials;
}

/// Makes a call with these credentials.
pub(super) async fn with<T>(credentials: Credentials, call: impl Future<Output = T>) -> T {
    CREDENTIALS.scope(credentials, call).await
}

/// The credentials of the call under way.
#[derive(Debug)]
pub(super) struct OfTheCall;

impl ProvideCredentials for OfTheCall {
    fn provide_credentials<'a>(&'a self) -> provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let found = CREDENTIALS.try_with(Clone::clone);
        provider::future::ProvideCredentials::ready(found.map_err(CredentialsError::unhandled))
    }
}

/// The sessions of all accounts.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Of one account several only while work on an older declaration comes to its end.
    of: Mutex<HashMap<AccountId, Vec<Arc<Slot>>>>,
}

/// One account's session through one role.
#[derive(Debug)]
pub(super) struct Slot {
    role: Arc<AssumeRole>,
    held: Mutex<Held>,
    /// Locked while a session is being opened, so that whoever has none waits for that one.
    opening: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
enum Held {
    Nothing,
    Open(Session),
    /// The last attempt. Only the look at the account itself, which has a backoff, tries again.
    Refused(Refusal),
}

/// A session that was opened.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) credentials: Credentials,
    pub(super) identity: Identity,
    opened_at: Instant,
    renew_at: Instant,
    ends_at: Instant,
}

#[derive(Debug)]
struct Refusal {
    kind: ErrorKind,
    code: Option<String>,
    message: String,
}

/// Who asks for a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The look at the account itself: renews what is about to run out, and tries what was refused.
    Account,
    /// A call in the account.
    Call,
}

impl Session {
    /// A session that AWS has just granted. How long it lasts is measured by our own monotonic clock; where the clocks
    /// disagree so much that it would be over already, AWS's shortest lifetime is assumed.
    pub(super) fn new(credentials: Credentials, identity: Identity) -> Self {
        let granted = credentials.expiry().and_then(|at| at.duration_since(SystemTime::now()).ok());
        let lifetime = granted.unwrap_or(SHORTEST_LIFETIME).min(LIFETIME);
        let now = Instant::now();
        Self { credentials, identity, opened_at: now, renew_at: now + lifetime.mul_f64(RENEWED_AFTER), ends_at: now + lifetime }
    }
}

impl Sessions {
    /// The account's slot for a role. The look at the account itself forgets every other role.
    pub(super) fn slot(&self, account: AccountId, role: &Arc<AssumeRole>, asker: Asker) -> Arc<Slot> {
        let mut accounts = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() == accounts.capacity() && !accounts.contains_key(&account) {
            // Before it grows, what has ended goes: accounts that nobody asks about any more.
            let is_of_use = |slot: &Arc<Slot>| Arc::strong_count(slot) > 1 || !slot.has_ended();
            accounts.retain(|_, slots| slots.iter().any(is_of_use));
        }
        let slots = accounts.entry(account).or_default();
        if asker == Asker::Account {
            slots.retain(|slot| slot.role == *role);
        }
        if let Some(known) = slots.iter().find(|slot| slot.role == *role) {
            return Arc::clone(known);
        }
        let slot = Arc::new(Slot::new(role));
        slots.push(Arc::clone(&slot));
        slot
    }
}

impl Slot {
    fn new(role: &Arc<AssumeRole>) -> Self {
        Self { role: Arc::clone(role), held: Mutex::new(Held::Nothing), opening: tokio::sync::Mutex::new(()) }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        match &*self.held() {
            Held::Open(session) => session.ends_at <= Instant::now(),
            Held::Nothing | Held::Refused(_) => true,
        }
    }

    /// What is held, if it will do for this asker.
    fn answer(&self, asker: Asker) -> Option<Result<Session, CloudError>> {
        let now = Instant::now();
        match (&*self.held(), asker) {
            (Held::Open(session), Asker::Call) if now < session.ends_at => Some(Ok(session.clone())),
            (Held::Open(session), Asker::Account) if now < session.renew_at => Some(Ok(session.clone())),
            (Held::Refused(refusal), Asker::Call) => Some(Err(refusal.told_again())),
            _ => None,
        }
    }

    /// The session, opened by `open` where that is needed. Nobody who has one waits.
    pub(super) async fn session<F>(&self, asker: Asker, open: impl FnOnce() -> F) -> Result<Session, CloudError>
    where
        F: Future<Output = Result<Session, CloudError>>,
    {
        if let Some(answer) = self.answer(asker) {
            return answer;
        }
        let _turn = self.opening.lock().await;
        if let Some(answer) = self.answer(asker) {
            return answer;
        }
        let opened = open().await;
        let mut held = self.held();
        match (opened, &*held) {
            (Ok(session), _) => {
                *held = Held::Open(session.clone());
                Ok(session)
            }
            // There will be another look before it ends, or the next call says why it has ended.
            (Err(error), Held::Open(session)) if Instant::now() < session.ends_at => {
                warn!(account = %session.identity.account, %error, "a session could not be renewed; the one that there is goes on");
                Ok(session.clone())
            }
            (Err(error), _) => {
                *held = Held::Refused(Refusal::of(&error));
                Err(error)
            }
        }
    }

    /// Forgets a session that AWS does not take any more, unless another has taken its place. One that AWS has only just
    /// granted is refused instead: to open another at once would be to do so forever.
    pub(super) fn forget(&self, session: &Session, error: &CloudError) {
        let mut held = self.held();
        let is_it = |open: &Session| open.credentials.access_key_id() == session.credentials.access_key_id();
        if matches!(&*held, Held::Open(open) if is_it(open)) {
            let is_young = session.opened_at.elapsed() < YOUNG && session.ends_at > Instant::now();
            *held = if is_young { Held::Refused(Refusal::of(error)) } else { Held::Nothing };
        }
    }
}

impl Refusal {
    fn of(error: &CloudError) -> Self {
        let message = match error.operation {
            ASSUME_ROLE => error.message.clone(),
            other => format!("no session, since {other} was told: {}", error.message),
        };
        Self { kind: error.kind, code: error.code.clone(), message }
    }

    fn told_again(&self) -> CloudError {
        CloudError {
            operation: ASSUME_ROLE,
            kind: self.kind,
            code: self.code.clone(),
            message: self.message.clone(),
            source: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::desired::names::Partition;

    fn slot() -> Slot {
        let role = AssumeRole {
            name: "dhmc-controller".parse().unwrap(),
            path: "/".parse().unwrap(),
            external_id: None,
            session_tags: std::collections::BTreeMap::new(),
        };
        Slot::new(&Arc::new(role))
    }

    fn session(lifetime: Duration) -> Session {
        let identity = Identity {
            account: "111122223333".parse().unwrap(),
            partition: Partition::Aws,
            arn: "arn:aws:sts::111122223333:assumed-role/dhmc-controller/dhmc-test".to_owned(),
        };
        Session::new(Credentials::new("ASIA", "secret", None, Some(SystemTime::now() + lifetime), "test"), identity)
    }

    fn denied() -> CloudError {
        CloudError {
            operation: ASSUME_ROLE,
            kind: ErrorKind::Denied,
            code: Some("AccessDenied".to_owned()),
            message: "no".to_owned(),
            source: None,
        }
    }

    /// Opens sessions of ten minutes and counts them.
    async fn open(opened: &AtomicUsize) -> Result<Session, CloudError> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        opened.fetch_add(1, Ordering::Relaxed);
        Ok(session(Duration::from_mins(10)))
    }

    #[tokio::test(start_paused = true)]
    async fn many_calls_at_once_open_one_session() {
        let (slot, opened) = (slot(), AtomicUsize::new(0));
        let ask = || slot.session(Asker::Call, || open(&opened));
        let (one, other, third) = tokio::join!(ask(), ask(), ask());
        assert!(one.is_ok() && other.is_ok() && third.is_ok());
        assert_eq!(opened.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn the_look_at_the_account_renews_a_session_before_it_ends_and_a_call_does_not() {
        let (slot, opened) = (slot(), AtomicUsize::new(0));
        let count = || opened.load(Ordering::Relaxed);
        slot.session(Asker::Account, || open(&opened)).await.unwrap();
        tokio::time::advance(Duration::from_mins(8)).await;
        slot.session(Asker::Call, || open(&opened)).await.unwrap();
        assert_eq!(count(), 1);
        slot.session(Asker::Account, || open(&opened)).await.unwrap();
        assert_eq!(count(), 2);
        tokio::time::advance(Duration::from_mins(11)).await;
        slot.session(Asker::Call, || open(&opened)).await.unwrap();
        assert_eq!(count(), 3, "what has ended is opened again by whoever needs it");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_to_calls_and_tried_again_by_the_look_at_the_account() {
        let (slot, opened) = (slot(), AtomicUsize::new(0));
        slot.session(Asker::Account, || async { Err(denied()) }).await.unwrap_err();
        let told = slot.session(Asker::Call, || open(&opened)).await.unwrap_err();
        assert_eq!((told.kind, told.operation), (ErrorKind::Denied, "sts:AssumeRole"));
        assert_eq!(opened.load(Ordering::Relaxed), 0);
        slot.session(Asker::Account, || open(&opened)).await.unwrap();
        assert_eq!(opened.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_fails_leaves_the_session_that_there_is() {
        let (slot, opened) = (slot(), AtomicUsize::new(0));
        slot.session(Asker::Account, || open(&opened)).await.unwrap();
        tokio::time::advance(Duration::from_mins(8)).await;
        slot.session(Asker::Account, || async { Err(denied()) }).await.unwrap();
        slot.session(Asker::Call, || async { Err(denied()) }).await.unwrap();
        tokio::time::advance(Duration::from_mins(3)).await;
        slot.session(Asker::Account, || async { Err(denied()) }).await.unwrap_err();
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_with_a_good_session_does_not_wait_for_its_renewal() {
        let slot = slot();
        slot.session(Asker::Account, || async { Ok(session(Duration::from_mins(10))) }).await.unwrap();
        tokio::time::advance(Duration::from_mins(8)).await;
        let failing = || async {
            tokio::time::sleep(Duration::from_secs(8)).await;
            Err(denied())
        };
        let began = Instant::now();
        let renewal = slot.session(Asker::Account, failing);
        let call = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            slot.session(Asker::Call, || async { Err(denied()) }).await.map(|_| began.elapsed())
        };
        let (_, waited) = tokio::join!(renewal, call);
        assert!(waited.unwrap() < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_aws_refuses_right_away_is_not_opened_again_by_every_call() {
        let (slot, opened) = (slot(), AtomicUsize::new(0));
        let young = slot.session(Asker::Call, || open(&opened)).await.unwrap();
        slot.forget(&young, &denied());
        slot.session(Asker::Call, || open(&opened)).await.unwrap_err();
        let old = slot.session(Asker::Account, || open(&opened)).await.unwrap();
        tokio::time::advance(Duration::from_mins(5)).await;
        slot.forget(&old, &denied());
        slot.session(Asker::Call, || open(&opened)).await.unwrap();
        assert_eq!(opened.load(Ordering::Relaxed), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn work_on_an_older_declaration_does_not_cost_the_newer_one_its_session() {
        let (sessions, account) = (Sessions::default(), "111122223333".parse().unwrap());
        let (old, new) = (slot().role, Arc::new(AssumeRole { name: "another".parse().unwrap(), ..(*slot().role).clone() }));
        let of_old = sessions.slot(account, &old, Asker::Account);
        let of_new = sessions.slot(account, &new, Asker::Account);
        sessions.slot(account, &old, Asker::Call);
        assert!(Arc::ptr_eq(&of_new, &sessions.slot(account, &new, Asker::Call)));
        assert!(!Arc::ptr_eq(&of_old, &sessions.slot(account, &old, Asker::Call)), "the older one was forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_that_are_being_opened_outlast_the_accounts_that_come_meanwhile() {
        let (sessions, opened, role) = (Arc::new(Sessions::default()), Arc::new(AtomicUsize::new(0)), slot().role);
        let all = |accounts: std::ops::Range<u32>| {
            let mut calls = tokio::task::JoinSet::new();
            for number in accounts {
                let (sessions, opened, role) = (Arc::clone(&sessions), Arc::clone(&opened), Arc::clone(&role));
                let account = format!("{number:012}").parse().unwrap();
                calls.spawn(async move {
                    sessions.slot(account, &role, Asker::Call).session(Asker::Call, || open(&opened)).await.unwrap();
                });
            }
            calls.join_all()
        };
        for _ in 0..3 {
            all(0..500).await;
        }
        assert_eq!(opened.load(Ordering::Relaxed), 500);
        tokio::time::advance(Duration::from_mins(11)).await;
        all(500..1_500).await;
        assert_eq!(opened.load(Ordering::Relaxed), 1_500);
        assert!(sessions.of.lock().unwrap().len() < 1_500, "what has ended has gone");
    }

    #[tokio::test]
    async fn credentials_reach_the_call_that_they_were_given_to_and_no_other() {
        let key = || async { OfTheCall.provide_credentials().await.map(|found| found.access_key_id().to_owned()).ok() };
        let of = |key: &str| Credentials::new(key, "secret", None, None, "test");
        let (one, other) = tokio::join!(with(of("ONE"), key()), with(of("OTHER"), key()));
        assert_eq!((one.as_deref(), other.as_deref()), (Some("ONE"), Some("OTHER")));
        assert_eq!(key().await, None);
    }
}
