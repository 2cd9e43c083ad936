//! The controller's own credentials: fetched by the standard chain, and kept until they are over.
//!
//! The SDK's own cache judges that by the time of day, which somebody may set, and never hears what AWS says. Here it is the
//! monotonic clock, and AWS has the last word: credentials that it calls expired are fetched anew for the next attempt.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::identity::{
    Identity, IdentityFuture, ResolveCachedIdentity, ResolveIdentity, SharedIdentityResolver,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use tokio::time::Instant;

/// For how long credentials are kept that do not say, or are over already where the clocks disagree. As the SDK does it.
const LIFETIME: Duration = Duration::from_mins(15);
/// How long before their end they are fetched anew. As the SDK does it.
const MARGIN: Duration = Duration::from_secs(10);
/// Less than an attempt may take, so that there is time left for what the chain has to fall back on.
const PATIENCE: Duration = Duration::from_secs(4);

/// The credentials of all clients that make calls as the controller itself. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnCredentials(Arc<Kept>);

#[derive(Debug, Default)]
struct Kept {
    now: Mutex<Now>,
    /// Locked while they are being fetched, so that whoever has none waits for these.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Now {
    /// With when to fetch others.
    identity: Option<(Identity, Instant)>,
    /// How often they were fetched.
    fetched: u64,
    /// The key that AWS last called expired.
    refused: Option<String>,
}

impl OwnCredentials {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.0.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those that a call is made with from those that another is.
    pub(super) fn generation(&self) -> u64 {
        self.now().fetched
    }

    /// AWS calls those of a generation expired. Says whether the next attempt will have others as far as anybody knows; those
    /// that were fetched anew and are the same, and those that never end, are all that there is.
    pub(super) fn have_expired(&self, generation: u64) -> bool {
        let mut now = self.now();
        // Before the first there were none, so that a call from then was made with what it waited for.
        if generation != 0 && now.fetched != generation {
            return true;
        }
        let Some((identity, _)) = now.identity.take_if(|(identity, _)| identity.expiration().is_some()) else { return false };
        let key = identity.data::<Credentials>().map(|credentials| credentials.access_key_id().to_owned());
        let is_news = now.refused != key;
        now.refused = key;
        is_news
    }

    fn good(&self) -> Option<Identity> {
        let now = self.now();
        now.identity.as_ref().filter(|(_, until)| Instant::now() < *until).map(|(identity, _)| identity.clone())
    }

    fn keep(&self, identity: &Identity) {
        let granted = identity.expiration().and_then(|at| at.duration_since(SystemTime::now()).ok());
        let until = Instant::now() + granted.unwrap_or(LIFETIME).saturating_sub(MARGIN);
        let mut now = self.now();
        now.fetched += 1;
        now.identity = Some((identity.clone(), until));
    }

    async fn get(&self, fetch: impl Future<Output = Result<Identity, BoxError>>) -> Result<Identity, BoxError> {
        if let Some(identity) = self.good() {
            return Ok(identity);
        }
        let _turn = self.0.fetching.lock().await;
        if let Some(identity) = self.good() {
            return Ok(identity);
        }
        let identity = fetch.await?;
        self.keep(&identity);
        Ok(identity)
    }
}

impl ResolveCachedIdentity for OwnCredentials {
    fn resolve_cached_identity<'a>(
        &'a self,
        resolver: SharedIdentityResolver,
        components: &'a RuntimeComponents,
        config: &'a ConfigBag,
    ) -> IdentityFuture<'a> {
        IdentityFuture::new(async move {
            let fetch = async {
                match tokio::time::timeout(PATIENCE, resolver.resolve_identity(components, config)).await {
                    Ok(fetched) => fetched,
                    Err(_) => {
                        resolver.fallback_on_interrupt().ok_or_else(|| CredentialsError::provider_timed_out(PATIENCE).into())
                    }
                }
            };
            self.get(fetch).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(key: &str, lifetime: Option<Duration>) -> Identity {
        let until = lifetime.map(|lifetime| SystemTime::now() + lifetime);
        Credentials::new(key, "secret", None, until, "test").into()
    }

    async fn key(own: &OwnCredentials, fetched: Identity) -> String {
        let got = own.get(async { Ok(fetched) }).await.unwrap();
        got.data::<Credentials>().unwrap().access_key_id().to_owned()
    }

    const HOUR: Option<Duration> = Some(Duration::from_hours(1));

    #[tokio::test(start_paused = true)]
    async fn they_are_kept_until_shortly_before_their_end() {
        let own = OwnCredentials::default();
        assert_eq!(key(&own, identity("ONE", HOUR)).await, "ONE");
        tokio::time::advance(Duration::from_mins(59)).await;
        assert_eq!(key(&own, identity("TWO", HOUR)).await, "ONE");
        tokio::time::advance(Duration::from_secs(51)).await;
        assert_eq!(key(&own, identity("TWO", HOUR)).await, "TWO");
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_are_over_by_this_clock_or_never_are_kept_for_a_while() {
        let over = Credentials::new("OVER", "secret", None, Some(SystemTime::UNIX_EPOCH), "test");
        for first in [over.into(), identity("STATIC", None)] {
            let own = OwnCredentials::default();
            let first = key(&own, first).await;
            tokio::time::advance(Duration::from_mins(14)).await;
            assert_eq!(key(&own, identity("NEXT", HOUR)).await, first);
            tokio::time::advance(Duration::from_mins(1)).await;
            assert_eq!(key(&own, identity("NEXT", HOUR)).await, "NEXT");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_aws_calls_expired_are_fetched_anew_and_believed_once() {
        let own = OwnCredentials::default();
        key(&own, identity("ONE", HOUR)).await;
        let of_one = own.generation();
        assert!(own.have_expired(of_one), "there may be others");
        assert_eq!(key(&own, identity("TWO", HOUR)).await, "TWO");
        assert!(own.have_expired(of_one), "a call that was made with the first tells nothing of the second");
        assert_eq!(key(&own, identity("THREE", HOUR)).await, "TWO");

        assert!(own.have_expired(own.generation()));
        key(&own, identity("TWO", HOUR)).await;
        assert!(!own.have_expired(own.generation()), "the chain has nothing else");
        assert_eq!(key(&own, identity("THREE", HOUR)).await, "THREE", "and is asked again all the same");
    }

    #[tokio::test(start_paused = true)]
    async fn those_that_never_end_are_all_that_there_is() {
        let own = OwnCredentials::default();
        let before_any = own.generation();
        key(&own, identity("STATIC", None)).await;
        for generation in [before_any, own.generation()] {
            assert!(!own.have_expired(generation));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_none_waits_for_those_that_are_being_fetched() {
        let own = OwnCredentials::default();
        let slowly = |name| {
            let fetched = identity(name, HOUR);
            own.get(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(fetched)
            })
        };
        let (one, other) = tokio::join!(slowly("ONE"), slowly("OTHER"));
        let key = |identity: &Identity| identity.data::<Credentials>().unwrap().access_key_id().to_owned();
        assert_eq!((key(&one.unwrap()).as_str(), key(&other.unwrap()).as_str(), own.generation()), ("ONE", "ONE", 1));
    }
}
