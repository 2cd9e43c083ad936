//! SDK clients: one a service and region, however many accounts there are.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_config::{Region as SdkRegion, SdkConfig};

use super::attempts::CountAttempts;
use super::retries::LeaveThrottlingToTheQueue;
use crate::desired::names::{Partition, Region};
use crate::metrics::AwsMetrics;

const PARTITIONS: [Partition; 4] = [Partition::Aws, Partition::AwsCn, Partition::AwsUsGov, Partition::AwsEusc];

/// Clients that share one configuration, credentials included.
#[derive(Debug)]
pub(super) struct Clients {
    config: SdkConfig,
    count: CountAttempts,
    pub(super) account: HashMap<Partition, aws_sdk_account::Client>,
    pub(super) iam: HashMap<Partition, aws_sdk_iam::Client>,
    ssm: Mutex<HashMap<Region, aws_sdk_ssm::Client>>,
}

impl Clients {
    pub(super) fn new(config: SdkConfig, metrics: AwsMetrics) -> Self {
        let count = CountAttempts::new(metrics);
        let account = PARTITIONS.map(|partition| {
            let builder =
                aws_sdk_account::config::Builder::from(&config).region(SdkRegion::from_static(partition.account_region()));
            (
                partition,
                aws_sdk_account::Client::from_conf(
                    builder.interceptor(count.clone()).retry_classifier(LeaveThrottlingToTheQueue).build(),
                ),
            )
        });
        let iam = PARTITIONS.map(|partition| {
            let builder = aws_sdk_iam::config::Builder::from(&config).region(SdkRegion::from_static(partition.iam_region()));
            (
                partition,
                aws_sdk_iam::Client::from_conf(
                    builder.interceptor(count.clone()).retry_classifier(LeaveThrottlingToTheQueue).build(),
                ),
            )
        });
        let (account, iam) = (HashMap::from(account), HashMap::from(iam));
        Self { config, count, account, iam, ssm: Mutex::default() }
    }

    /// Systems Manager in a region.
    pub(super) fn ssm(&self, region: &Region) -> aws_sdk_ssm::Client {
        let mut clients = self.ssm.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.clone()).or_insert_with(|| {
            let builder = aws_sdk_ssm::config::Builder::from(&self.config).region(SdkRegion::new(region.to_string()));
            aws_sdk_ssm::Client::from_conf(
                builder.interceptor(self.count.clone()).retry_classifier(LeaveThrottlingToTheQueue).build(),
            )
        });
        client.clone()
    }

    /// Quick Setup in a region. Made for each use: it is asked once.
    pub(super) fn quick_setup(&self, region: &Region) -> aws_sdk_ssmquicksetup::Client {
        let builder = aws_sdk_ssmquicksetup::config::Builder::from(&self.config).region(SdkRegion::new(region.to_string()));
        aws_sdk_ssmquicksetup::Client::from_conf(
            builder.interceptor(self.count.clone()).retry_classifier(LeaveThrottlingToTheQueue).build(),
        )
    }
}
