//! The lease at the API server: reads it, makes it, and writes it back by the version that was read.

use std::time::Duration;

use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use tokio::time::timeout;

use crate::cause::innermost;

/// One lease, and how long a call about it may take.
#[derive(Debug)]
pub(super) struct LeaseAccess {
    api: Api<Lease>,
    name: String,
    call_time: Duration,
}

/// A call to the API server that came to nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum CallError {
    #[error("{}", in_words(.0))]
    Refused(#[from] kube::Error),
    #[error("no answer within {0:?}")]
    Late(Duration),
}

/// The API server's own words, or what lies at the bottom of not hearing any.
fn in_words(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} ({}, HTTP status {})", status.message, status.reason, status.code),
        other => innermost(other),
    }
}

impl LeaseAccess {
    pub(super) fn new(client: Client, namespace: &str, name: String, call_time: Duration) -> Self {
        Self { api: Api::namespaced(client, namespace), name, call_time }
    }

    /// The lease as it is; `None` where there is none.
    pub(super) async fn read(&self) -> Result<Option<Lease>, CallError> {
        self.in_time(self.api.get_opt(&self.name)).await
    }

    /// Makes the lease. `None`: somebody else was faster.
    pub(super) async fn create(&self, spec: LeaseSpec) -> Result<Option<Lease>, CallError> {
        let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
        let lease = Lease { metadata, spec: Some(spec) };
        unless_overtaken(self.in_time(self.api.create(&PostParams::default(), &lease)).await, &[409])
    }

    /// Writes the lease with the version that was read. `None`: somebody else wrote since.
    pub(super) async fn replace(&self, read: ObjectMeta, spec: LeaseSpec) -> Result<Option<Lease>, CallError> {
        let lease = Lease { metadata: read, spec: Some(spec) };
        unless_overtaken(self.in_time(self.api.replace(&self.name, &PostParams::default(), &lease)).await, &[404, 409])
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, CallError> {
        timeout(self.call_time, call).await.map_err(|_| CallError::Late(self.call_time))?.map_err(CallError::from)
    }
}

fn unless_overtaken(answer: Result<Lease, CallError>, too_late: &[u16]) -> Result<Option<Lease>, CallError> {
    match answer {
        Ok(lease) => Ok(Some(lease)),
        Err(CallError::Refused(kube::Error::Api(status))) if too_late.contains(&status.code) => Ok(None),
        Err(error) => Err(error),
    }
}
