//! A write is not repeated blindly.
//!
//! The SDK repeats whatever has failed in a way that may pass: also a write whose answer was lost, which AWS may have carried
//! out. Here a write is repeated only where AWS has said that it was one call too many, and so has not done it. Everything
//! else ends the call, and the reconciler reads what has become of it.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason};
use aws_smithy_types::retry::ErrorKind;

/// Takes back what the SDK's own classifiers have decided, unless it was throttling.
#[derive(Debug, Clone, Copy)]
pub(super) struct OnlyIfThrottled;

impl ClassifyRetry for OnlyIfThrottled {
    /// Asked without knowing what the others say, it trusts none of them.
    fn classify_retry(&self, _context: &InterceptorContext) -> RetryAction {
        RetryAction::RetryForbidden
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        match previous {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. }) => {
                RetryAction::NoActionIndicated
            }
            _ => self.classify_retry(context),
        }
    }

    fn name(&self) -> &'static str {
        "OnlyIfThrottled"
    }

    /// The last word.
    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
