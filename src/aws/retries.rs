//! What the SDK may try again by itself: what a second attempt mends, such as a lost connection. Not what AWS throttles: that
//! asks for fewer calls, and the queue, which knows every target's backoff, is the one to say when the next is made. Nor a
//! write, which AWS may have carried out though nobody has heard of it: the reconciler reads first.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason};
use aws_smithy_types::retry::{ErrorKind, RetryConfig};

/// For writes.
pub(super) fn never() -> RetryConfig {
    RetryConfig::disabled()
}

/// The last word on whether a call is tried again.
#[derive(Debug, Clone, Copy)]
pub(super) struct LeaveThrottlingToTheQueue;

impl ClassifyRetry for LeaveThrottlingToTheQueue {
    fn classify_retry(&self, _context: &InterceptorContext) -> RetryAction {
        RetryAction::NoActionIndicated
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, before: &RetryAction) -> RetryAction {
        match before {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. }) => {
                RetryAction::RetryForbidden
            }
            _ => self.classify_retry(context),
        }
    }

    fn name(&self) -> &'static str {
        "LeaveThrottlingToTheQueue"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
