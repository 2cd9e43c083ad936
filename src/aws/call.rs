//! One call to AWS: with which credentials it is made, when it may be made, and what is told of it.

use std::time::Instant;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::AwsCloud;
use super::classify::{ServiceResponse, classify};
use super::sessions::{self, Asker};
use crate::cloud::{Caller, CloudError, ErrorKind};
use crate::desired::names::{Account, Region};

/// What one call is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) account: Account,
    /// `None`: it is global to the account.
    pub(super) region: Option<&'a Region>,
    pub(super) operation: &'static str,
    /// What is in it that no error may tell.
    pub(super) secret: Option<&'a str>,
}

impl Call<'_> {
    /// One that is not about any account.
    pub(super) fn from_home(operation: &'static str) -> Self {
        Self { account: Account::Own, region: None, operation, secret: None }
    }
}

impl AwsCloud {
    /// Makes a call to a service that is one for all regions, in an account, with the account's session where it has one.
    pub(super) fn call<T, E>(
        &self,
        caller: &Caller,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> impl Future<Output = Result<T, CloudError>>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.call_in(caller, None, operation, answer)
    }

    /// Makes a call to a region's service in an account, with the account's session where it has one.
    pub(super) fn call_in<T, E>(
        &self,
        caller: &Caller,
        region: Option<&Region>,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> impl Future<Output = Result<T, CloudError>>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        // The SDK's futures are large, and would be moved from one future into the next.
        let (call, answer) = (Call { account: caller.account, region, operation, secret: None }, Box::pin(answer));
        async move {
            let Some((slot, session)) = self.session(caller, Asker::Call).await? else {
                return self.measure(call, answer).await;
            };
            self.admit(call).await?;
            let answer = self.timed(call, answer);
            match sessions::with(session.credentials.clone(), answer).await {
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

    /// Makes a call with the controller's own credentials that is not about any account.
    pub(super) fn call_from_home<T, E>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> impl Future<Output = Result<T, CloudError>>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.measure(Call::from_home(operation), Box::pin(answer))
    }

    /// One call with the controller's own credentials.
    pub(super) async fn measure<T, E>(
        &self,
        call: Call<'_>,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        self.admit(call).await?;
        // After the wait: others may have been fetched meanwhile.
        let generation = self.own_credentials.generation();
        match self.timed(call, answer).await {
            Err(error) if error.has_expired() && self.own_credentials.have_expired(generation) => {
                let message = format!("{} (the next attempt fetches other credentials for the controller)", error.message);
                Err(CloudError { kind: ErrorKind::Unavailable, message, ..error })
            }
            answer => answer,
        }
    }

    /// Waits until one call may be made.
    async fn admit(&self, call: Call<'_>) -> Result<(), CloudError> {
        let waited = self.limits.wait(call.account, call.region, call.operation).await?;
        self.metrics.waited(call.operation, waited);
        Ok(())
    }

    /// Times, counts and classifies one call.
    async fn timed<T, E>(
        &self,
        call: Call<'_>,
        answer: impl Future<Output = Result<T, SdkError<E, ServiceResponse>>>,
    ) -> Result<T, CloudError>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let Call { operation, secret, .. } = call;
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
