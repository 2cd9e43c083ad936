//! The real AWS behind [`Cloud`]: one HTTP client, bounded retries and timeouts, one file per service.
//!
//! The only place that knows SDK types. It translates and classifies; it decides nothing and caches nothing but clients.

mod account;
mod attempts;
mod classify;
mod environment;
mod iam;
mod ssm;
mod sts;
mod trust_roots;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;

use crate::cloud::{Cloud, CloudError};
use crate::desired::names::{Account, Partition, Region, RoleName};
use crate::metrics::AwsMetrics;
use crate::observed::{Identity, ListedRegion, ObservedRole, ObservedSetting};
use crate::plan::{RoleAction, SettingAction};
use attempts::CountAttempts;
use classify::{ServiceResponse, classify};

/// A handshake over any distance takes well under a second; three leave room for one lost packet.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// The slowest of our calls answers within a second or two; five is an outage.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bounds a call with all its retries, so that a write and the two reads of a role's read-back fit into the 25 seconds that a
/// shutdown waits.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);
/// The SDK mends blips; whatever lasts longer belongs to the queue.
const ATTEMPTS: u32 = 3;

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
}

impl Default for AwsOptions {
    fn default() -> Self {
        Self { fallback_partition: Partition::Aws, ca_bundle: None, endpoint_url: None, credentials: None }
    }
}

/// AWS over the network, with the credentials of the standard chain.
#[derive(Debug)]
pub struct AwsCloud {
    config: SdkConfig,
    metrics: AwsMetrics,
    sts: aws_sdk_sts::Client,
    account: HashMap<Partition, aws_sdk_account::Client>,
    iam: HashMap<Partition, aws_sdk_iam::Client>,
    ssm: Mutex<HashMap<Region, aws_sdk_ssm::Client>>,
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
        let config = load(options).await?;
        let count = CountAttempts::new(metrics.clone());
        let sts = aws_sdk_sts::Client::from_conf(aws_sdk_sts::config::Builder::from(&config).interceptor(count.clone()).build());
        let partitions = [Partition::Aws, Partition::AwsCn, Partition::AwsUsGov, Partition::AwsEusc];
        let account = partitions.map(|partition| {
            let builder =
                aws_sdk_account::config::Builder::from(&config).region(SdkRegion::from_static(partition.account_region()));
            (partition, aws_sdk_account::Client::from_conf(builder.interceptor(count.clone()).build()))
        });
        let iam = partitions.map(|partition| {
            let builder = aws_sdk_iam::config::Builder::from(&config).region(SdkRegion::from_static(partition.iam_region()));
            (partition, aws_sdk_iam::Client::from_conf(builder.interceptor(count.clone()).build()))
        });
        let (account, iam) = (HashMap::from(account), HashMap::from(iam));
        Ok(Self { config, metrics, sts, account, iam, ssm: Mutex::default() })
    }

    fn ssm(&self, region: &Region) -> aws_sdk_ssm::Client {
        let mut clients = self.ssm.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.clone()).or_insert_with(|| {
            let builder = aws_sdk_ssm::config::Builder::from(&self.config).region(SdkRegion::new(region.to_string()));
            aws_sdk_ssm::Client::from_conf(builder.interceptor(CountAttempts::new(self.metrics.clone())).build())
        });
        client.clone()
    }

    /// Times, counts and classifies one call.
    async fn call<T, E>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let started = Instant::now();
        let answer = answer.await.map_err(|error| classify(operation, error));
        let result = answer.as_ref().map_or_else(|error| error.kind.label(), |_| "ok");
        self.metrics.request(operation, result, started.elapsed());
        answer
    }
}

async fn load(options: AwsOptions) -> Result<SdkConfig, OpenError> {
    let http_client = match options.ca_bundle {
        Some(file) => trust_roots::client_trusting(&file)?,
        None => trust_roots::client_of_the_system(),
    };
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client)
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
    if config.region().is_some() {
        return Ok(config);
    }
    Ok(config.into_builder().region(SdkRegion::from_static(options.fallback_partition.iam_region())).build())
}

impl Cloud for AwsCloud {
    async fn identity(&self, _account: Account) -> Result<Identity, CloudError> {
        sts::identity(self).await
    }

    async fn regions(&self, _account: Account, partition: Partition) -> Result<Vec<ListedRegion>, CloudError> {
        account::regions(self, partition).await
    }

    async fn role(&self, _account: Account, partition: Partition, name: &RoleName) -> Result<Option<ObservedRole>, CloudError> {
        iam::role(self, partition, name).await
    }

    async fn change_role(
        &self,
        _account: Account,
        partition: Partition,
        name: &RoleName,
        action: &RoleAction,
    ) -> Result<(), CloudError> {
        iam::change_role(self, partition, name, action).await
    }

    async fn setting(&self, _account: Account, region: &Region) -> Result<ObservedSetting, CloudError> {
        ssm::setting(self, region).await
    }

    async fn change_setting(&self, _account: Account, region: &Region, action: &SettingAction) -> Result<(), CloudError> {
        ssm::change_setting(self, region, action).await
    }
}
