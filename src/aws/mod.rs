//! The real AWS behind [`Cloud`]: one HTTP client, bounded retries and timeouts, one file per service.
//!
//! The only place that knows SDK types. It translates and classifies; it decides nothing and keeps nothing but clients and
//! sessions.

mod account;
mod attempts;
mod classify;
mod clients;
mod environment;
mod iam;
mod organizations;
mod pages;
mod sessions;
mod ssm;
mod sts;
mod trust_roots;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;

use crate::cloud::{Caller, Cloud, CloudError, ErrorKind};
use crate::desired::access::Access;
use crate::desired::names::{Account, AccountId, Partition, Region, RoleName};
use crate::desired::organization::{Member, Query};
use crate::metrics::AwsMetrics;
use crate::observed::{Identity, ListedRegion, ObservedRole, ObservedSetting};
use crate::plan::{RoleAction, SettingAction};
use attempts::CountAttempts;
use classify::{ServiceResponse, classify};
use clients::Clients;
use sessions::{Asker, Session, Sessions, Slot};

/// A handshake over any distance takes well under a second; three leave room for one lost packet.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The slowest of our calls answers within a second or two; five is an outage.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bounds a call with all its retries, so that a write and the two reads of a role's read-back fit into the 25 seconds that a
/// shutdown waits, unless a session has to be opened in between.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// The SDK mends blips; whatever lasts longer belongs to the queue.
const ATTEMPTS: u32 = 3;

/// What sessions are called unless somebody says otherwise.
const DEFAULT_INSTANCE: &str = "controller";
/// STS takes no longer ones.
const LONGEST_SESSION_NAME: usize = 64;

/// How to reach AWS, besides what the environment says.
#[derive(Debug, Clone)]
pub struct AwsOptions {
    /// Whose STS to ask when neither the environment nor a profile names a region. It is asked where IAM is signed for, a
    /// region that no account can have switched off.
    pub fallback_partition: Partition,
    /// A PEM file whose certificates are trusted instead of the system's (`AWS_CA_BUNDLE`).
    pub ca_bundle: Option<PathBuf>,
    /// An endpoint for every service, ahead of `AWS_ENDPOINT_URL`. For the demo and tests.
    pub endpoint_url: Option<String>,
    /// Credentials ahead of the standard chain. For the demo and tests.
    pub credentials: Option<aws_credential_types::Credentials>,
    /// What carries calls, ahead of TLS to AWS. For tests that answer byte by byte.
    pub http_client: Option<SharedHttpClient>,
    /// What this controller is called: its sessions in other accounts are `dhmc-<instance>`, which AWS shows as
    /// `LastModifiedUser`.
    pub instance: String,
}

impl Default for AwsOptions {
    fn default() -> Self {
        Self {
            fallback_partition: Partition::Aws,
            ca_bundle: None,
            endpoint_url: None,
            credentials: None,
            http_client: None,
            instance: DEFAULT_INSTANCE.to_owned(),
        }
    }
}

/// AWS over the network, with the credentials of the standard chain.
#[derive(Debug)]
pub struct AwsCloud {
    config: SdkConfig,
    metrics: AwsMetrics,
    sts: aws_sdk_sts::Client,
    organizations: OnceLock<aws_sdk_organizations::Client>,
    /// With the controller's own credentials.
    own: Clients,
    /// With the credentials of a session, which each call carries with it.
    member: Clients,
    sessions: Sessions,
    session_name: String,
    /// The partition of the controller's own credentials, once they were seen.
    partition: OnceLock<Partition>,
}

/// AWS cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file that `AWS_CA_BUNDLE` names is of no use.
    #[error(transparent)]
    CaBundle(#[from] trust_roots::CaBundleError),
    /// An AWS variable cannot be meant as it is.
    #[error(transparent)]
    Environment(#[from] environment::EnvironmentError),
}

impl AwsCloud {
    /// Sets up the clients. Calls nobody: credentials are looked up at the first request.
    pub async fn open(options: AwsOptions, metrics: AwsMetrics) -> Result<Self, OpenError> {
        // Text only: no AWS variable that is something else is looked at here.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        environment::check(variables)?;
        let session_name = session_name(&options.instance);
        let config = load(options).await?;
        let count = CountAttempts::new(metrics.clone());
        let sts = aws_sdk_sts::Client::from_conf(aws_sdk_sts::config::Builder::from(&config).interceptor(count).build());
        let member = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(sessions::OfTheCall))
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(Self {
            sts,
            organizations: OnceLock::new(),
            own: Clients::new(config.clone(), metrics.clone()),
            member: Clients::new(member, metrics.clone()),
            sessions: Sessions::default(),
            session_name,
            partition: OnceLock::new(),
            config,
            metrics,
        })
    }

    fn clients(&self, caller: &Caller) -> &Clients {
        match caller.access {
            Access::Own => &self.own,
            Access::Assume(_) => &self.member,
        }
    }

    /// Makes a call in an account, with the account's session where it has one.
    fn call<T, E>(
        &self,
        caller: &Caller,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> impl Future<Output = Result<T, CloudError>>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // The SDK's futures are large, and would be moved from one future into the next.
        let answer = Box::pin(answer);
        async move {
            let Some((slot, session)) = self.session(caller, Asker::Call).await? else {
                return self.measure(operation, answer).await;
            };
            match sessions::with(session.credentials.clone(), self.measure(operation, answer)).await {
                Err(error) if has_ended(&error) => {
                    let message =
                        format!("{} (the session is not taken any more; the look at the account opens another)", error.message);
                    let error = CloudError { kind: ErrorKind::Unavailable, message, ..error };
                    slot.forget(&session, &error);
                    Err(error)
                }
                answer => answer,
            }
        }
    }

    /// The session of an account that is not the controller's own.
    async fn session(&self, caller: &Caller, asker: Asker) -> Result<Option<(Arc<Slot>, Session)>, CloudError> {
        let (Account::Id(id), Access::Assume(role)) = (caller.account, &caller.access) else { return Ok(None) };
        let slot = self.sessions.slot(id, role, asker);
        let session = slot.session(asker, || Box::pin(sts::assume(self, id, role))).await?;
        Ok(Some((slot, session)))
    }

    /// Where the controller's own credentials live.
    async fn partition(&self) -> Result<Partition, CloudError> {
        if let Some(known) = self.partition.get() {
            return Ok(*known);
        }
        // Nobody waits for anybody here: where STS does not answer, one after the other would be for ever.
        let partition = sts::identity(self).await?.partition;
        Ok(*self.partition.get_or_init(|| partition))
    }

    /// Times, counts and classifies one call.
    async fn measure<T, E>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.measure_without(None, operation, answer).await
    }

    /// The same for a call with a secret in it, which no error may tell.
    async fn measure_without<T, E>(
        &self,
        secret: Option<&str>,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let started = Instant::now();
        let answer = answer.await.map_err(|error| classify(operation, error, secret));
        let result = answer.as_ref().map_or_else(|error| error.kind.label(), |_| "ok");
        self.metrics.request(operation, result, started.elapsed());
        answer
    }
}

/// Whether a session that was good once is so no more. What Systems Manager says of unknown keys may be about the region.
fn has_ended(error: &CloudError) -> bool {
    error.has_expired() || (error.refuses_the_key() && !error.operation.starts_with("ssm:"))
}

/// `dhmc-<instance>`, as STS takes it: at most 64 of `A-Z a-z 0-9 _ + = , . @ -` (STS API reference, `AssumeRole`).
fn session_name(instance: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    let instance: String = instance.chars().map(|c| if allowed(c) { c } else { '-' }).collect();
    format!("dhmc-{instance}").chars().take(LONGEST_SESSION_NAME).collect()
}

async fn load(options: AwsOptions) -> Result<SdkConfig, OpenError> {
    let http_client = match (options.http_client, options.ca_bundle) {
        (Some(client), _) => client,
        (None, Some(file)) => trust_roots::client_trusting(&file)?,
        (None, None) => trust_roots::client_of_the_system(),
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
        // Answers are a few kilobytes, and the timeout of an attempt bounds them.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                .operation_timeout(OPERATION_TIMEOUT)
                .build(),
        );
    if let Ok(name) = AppName::new("dhmc-controller") {
        loader = loader.app_name(name);
    }
    if let Some(url) = options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(credentials) = options.credentials {
        loader = loader.credentials_provider(credentials);
    }
    let config = loader.load().await;
    // Set to nothing is not set.
    if config.region().is_some_and(|region| !region.as_ref().is_empty()) {
        return Ok(config);
    }
    Ok(config.into_builder().region(SdkRegion::from_static(options.fallback_partition.iam_region())).build())
}

impl Cloud for AwsCloud {
    async fn identity(&self, caller: &Caller) -> Result<Identity, CloudError> {
        if let Some((_, session)) = self.session(caller, Asker::Account).await? {
            return Ok(session.identity);
        }
        let identity = sts::identity(self).await?;
        // That it is known already is fine.
        let _ = self.partition.set(identity.partition);
        Ok(identity)
    }

    async fn members(&self, query: &Query) -> Result<BTreeMap<AccountId, Member>, CloudError> {
        organizations::members(self, query).await
    }

    async fn regions(&self, caller: &Caller, partition: Partition) -> Result<Vec<ListedRegion>, CloudError> {
        account::regions(self, caller, partition).await
    }

    async fn role(&self, caller: &Caller, partition: Partition, name: &RoleName) -> Result<Option<ObservedRole>, CloudError> {
        iam::role(self, caller, partition, name).await
    }

    async fn change_role(
        &self,
        caller: &Caller,
        partition: Partition,
        name: &RoleName,
        action: &RoleAction,
    ) -> Result<(), CloudError> {
        iam::change_role(self, caller, partition, name, action).await
    }

    async fn setting(&self, caller: &Caller, region: &Region) -> Result<ObservedSetting, CloudError> {
        ssm::setting(self, caller, region).await
    }

    async fn change_setting(&self, caller: &Caller, region: &Region, action: &SettingAction) -> Result<(), CloudError> {
        ssm::change_setting(self, caller, region, action).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_instance_makes_a_session_name_that_sts_takes() {
        assert_eq!(session_name("dhmc-6d4cf56db6-7xkqz"), "dhmc-dhmc-6d4cf56db6-7xkqz");
        assert_eq!(session_name("pod/α 1"), "dhmc-pod---1");
        assert_eq!(session_name(&"x".repeat(100)).len(), LONGEST_SESSION_NAME);
    }
}
