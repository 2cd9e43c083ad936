//! The real AWS behind [`Cloud`]: one HTTP client, bounded retries and timeouts, one file per service.
//!
//! The only place that knows SDK types. It translates and classifies; it decides nothing and keeps nothing but clients and
//! sessions.

mod account;
mod attempts;
mod call;
mod classify;
mod clients;
mod environment;
mod examine;
mod iam;
mod limits;
mod organizations;
mod own;
mod pages;
mod patience;
mod retries;
mod sessions;
mod ssm;
mod sts;
mod trust_roots;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use aws_config::identity::IdentityCache;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::cloud::{Caller, Cloud, CloudError};
use crate::desired::access::Access;
use crate::desired::names::{Account, AccountId, Partition, Region, RoleName};
use crate::desired::organization::{Member, Query};
use crate::metrics::AwsMetrics;
use crate::observed::{Identity, ListedRegion, ObservedRole, ObservedSetting};
use crate::plan::{RoleAction, SettingAction};
use attempts::CountAttempts;
use clients::Clients;
use limits::Limits;
pub use limits::{CallRate, NoRate};
use own::OwnCredentials;
pub use patience::Patience;
use retries::LeaveThrottlingToTheQueue;
use sessions::{Asker, Session, Sessions, Slot};

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
    /// How long calls are waited for.
    pub patience: Patience,
    /// How long lists of members are waited for.
    pub patience_of_lists: Patience,
    /// How often AWS is called at most.
    pub call_rate: CallRate,
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
            patience: Patience::OF_CALLS,
            patience_of_lists: Patience::OF_LISTS,
            call_rate: CallRate::default(),
        }
    }
}

/// AWS over the network, with the credentials of the standard chain.
#[derive(Debug)]
pub struct AwsCloud {
    config: SdkConfig,
    metrics: AwsMetrics,
    limits: Limits,
    sts: aws_sdk_sts::Client,
    organizations: OnceLock<aws_sdk_organizations::Client>,
    own_credentials: OwnCredentials,
    patience_of_lists: Patience,
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
        let limits = Limits::new(options.call_rate);
        let own_credentials = OwnCredentials::default();
        let patience_of_lists = options.patience_of_lists;
        let config = load(options).await?.into_builder().identity_cache(own_credentials.clone()).build();
        let count = CountAttempts::new(metrics.clone());
        let sts = aws_sdk_sts::config::Builder::from(&config).interceptor(count).retry_classifier(LeaveThrottlingToTheQueue);
        let sts = aws_sdk_sts::Client::from_conf(sts.build());
        let member = config
            .to_builder()
            .credentials_provider(SharedCredentialsProvider::new(sessions::OfTheCall))
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(Self {
            limits,
            sts,
            organizations: OnceLock::new(),
            own_credentials,
            patience_of_lists,
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
        .retry_config(options.patience.retries())
        .timeout_config(options.patience.timeouts());
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
