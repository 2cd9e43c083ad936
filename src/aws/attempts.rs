//! Counts what really goes over the wire: every attempt of every call, the SDK's own retries included.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::metrics::AwsMetrics;

/// An interceptor for any SDK client.
#[derive(Debug, Clone)]
pub(super) struct CountAttempts {
    metrics: AwsMetrics,
}

impl CountAttempts {
    pub(super) fn new(metrics: AwsMetrics) -> Self {
        Self { metrics }
    }
}

impl Intercept for CountAttempts {
    fn name(&self) -> &'static str {
        "CountAttempts"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = config.load::<Metadata>() {
            self.metrics.attempt(call.service(), call.name());
        }
        Ok(())
    }
}
