//! A cloud that takes calls only from the leader.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use super::Fence;
use crate::cloud::{Caller, Cloud, CloudError, ErrorKind, LEADERSHIP};
use crate::desired::names::{AccountId, Partition, Region, RoleName};
use crate::desired::organization::{Member, Query};
use crate::observed::{Identity, ListedRegion, ObservedRole, ObservedSetting};
use crate::plan::{RoleAction, SettingAction};

/// A cloud behind a [`Fence`]. Whoever does not lead calls no AWS: a call begins only while the fence is open, and is broken off when it shuts, so
/// that a write that is in flight has the rest of the lease to arrive.
#[derive(Debug)]
pub struct Fenced<C> {
    cloud: Arc<C>,
    fence: Fence,
}

impl<C> Fenced<C> {
    /// This cloud behind this fence.
    #[must_use]
    pub fn new(cloud: Arc<C>, fence: Fence) -> Self {
        Self { cloud, fence }
    }

    async fn write(
        &self,
        operation: &'static str,
        write: impl Future<Output = Result<(), CloudError>> + Send,
    ) -> Result<(), CloudError> {
        let in_flight = self.fence.begin();
        let answer = self.call(operation, write).await;
        let may_arrive = matches!(&answer, Err(error) if error.kind == ErrorKind::Unavailable && error.operation != LEADERSHIP);
        if !may_arrive {
            in_flight.answered();
        }
        answer
    }

    async fn read<T>(&self, read: impl Future<Output = Result<T, CloudError>> + Send) -> Result<T, CloudError> {
        self.call(LEADERSHIP, read).await
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        if !self.fence.is_open() {
            return Err(not_leading(LEADERSHIP, "not sent: this replica does not lead any more"));
        }
        let mut fence = self.fence.clone();
        let mut call = pin!(call);
        // A process that was stopped for a while goes on where it was, and its timers are late.
        let call = poll_fn(|context| if self.fence.is_open() { call.as_mut().poll(context) } else { Poll::Pending });
        tokio::select! {
            biased;
            () = fence.shut() => Err(not_leading(operation, "broken off: this replica does not lead any more")),
            answer = call => answer,
        }
    }
}

fn not_leading(operation: &'static str, message: &str) -> CloudError {
    CloudError { operation, kind: ErrorKind::Unavailable, code: None, message: message.to_owned(), source: None }
}

impl<C: Cloud> Cloud for Fenced<C> {
    async fn identity(&self, caller: &Caller) -> Result<Identity, CloudError> {
        self.read(self.cloud.identity(caller)).await
    }

    async fn members(&self, query: &Query) -> Result<BTreeMap<AccountId, Member>, CloudError> {
        self.read(self.cloud.members(query)).await
    }

    async fn regions(&self, caller: &Caller, partition: Partition) -> Result<Vec<ListedRegion>, CloudError> {
        self.read(self.cloud.regions(caller, partition)).await
    }

    async fn role(&self, caller: &Caller, partition: Partition, name: &RoleName) -> Result<Option<ObservedRole>, CloudError> {
        self.read(self.cloud.role(caller, partition, name)).await
    }

    async fn change_role(
        &self,
        caller: &Caller,
        partition: Partition,
        name: &RoleName,
        action: &RoleAction,
    ) -> Result<(), CloudError> {
        self.write(action.operation(), self.cloud.change_role(caller, partition, name, action)).await
    }

    async fn setting(&self, caller: &Caller, region: &Region) -> Result<ObservedSetting, CloudError> {
        self.read(self.cloud.setting(caller, region)).await
    }

    async fn change_setting(&self, caller: &Caller, region: &Region, action: &SettingAction) -> Result<(), CloudError> {
        self.write(action.operation(), self.cloud.change_setting(caller, region, action)).await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::fence::Gatekeeper;
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_write_goes_through_while_this_replica_leads_and_is_not_begun_afterwards() {
        let (keeper, fence) = Gatekeeper::new();
        let fenced = Fenced::new(Arc::new(()), fence);
        let sent = AtomicUsize::new(0);
        let write = async || {
            sent.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        assert_eq!(fenced.write("ssm:Write", write()).await.unwrap_err().operation, LEADERSHIP);
        keeper.open_until(Instant::now() + SECOND);
        fenced.write("ssm:Write", write()).await.unwrap();
        tokio::time::advance(SECOND).await;
        assert!(!fenced.fence.is_in_doubt(SECOND), "it was answered");
        let error = fenced.write("ssm:Write", write()).await.unwrap_err();
        assert_eq!((error.operation, sent.into_inner()), (LEADERSHIP, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_is_not_answered_in_time_is_broken_off_and_may_have_arrived() {
        let (keeper, fence) = Gatekeeper::new();
        let fenced = Fenced::new(Arc::new(()), fence);
        keeper.open_until(Instant::now() + SECOND);
        let began = Instant::now();
        let error = fenced.write("ssm:Write", pending()).await.unwrap_err();
        assert_eq!((error.operation, error.kind, began.elapsed()), ("ssm:Write", ErrorKind::Unavailable, SECOND));
        assert!(fenced.fence.is_in_doubt(SECOND));
        tokio::time::advance(SECOND).await;
        assert!(!fenced.fence.is_in_doubt(SECOND), "whatever was on its way has arrived, or will not");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_is_in_doubt_from_its_beginning_until_it_is_answered_or_dropped() {
        let (keeper, fence) = Gatekeeper::new();
        let fenced = Arc::new(Fenced::new(Arc::new(()), fence.clone()));
        keeper.open_until(Instant::now() + SECOND);
        let writer = Arc::clone(&fenced);
        let write = tokio::spawn(async move { writer.write("ssm:Write", pending()).await });
        tokio::task::yield_now().await;
        assert!(fence.is_in_doubt(Duration::ZERO), "it is on its way");
        write.abort();
        assert!(write.await.unwrap_err().is_cancelled());
        assert!(fence.is_in_doubt(SECOND) && !fence.is_in_doubt(Duration::ZERO), "it may have arrived");
    }

    /// As when the whole process is held and let go on: by the clock the fence is shut, and no timer knows yet.
    #[tokio::test]
    async fn a_write_that_was_held_while_the_fence_shut_does_not_go_on() {
        let (keeper, fence) = Gatekeeper::new();
        let fenced = Fenced::new(Arc::new(()), fence);
        let (time, polls) = (Duration::from_millis(50), AtomicUsize::new(0));
        keeper.open_until(Instant::now() + time);
        let mut write = pin!(fenced.write(
            "ssm:Write",
            poll_fn(|context| {
                polls.fetch_add(1, Ordering::Relaxed);
                context.waker().wake_by_ref();
                Poll::Pending
            })
        ));
        let held = poll_fn(|context| {
            if polls.load(Ordering::Relaxed) > 0 {
                std::thread::sleep(time * 2);
            }
            write.as_mut().poll(context)
        });
        assert_eq!(held.await.unwrap_err().operation, "ssm:Write");
        assert_eq!(polls.load(Ordering::Relaxed), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_does_not_lead_reads_nothing_and_gives_up_what_it_was_reading() {
        let (keeper, fence) = Gatekeeper::new();
        let fenced = Fenced::new(Arc::new(()), fence);
        let read = async || fenced.read(pending::<Result<(), _>>()).await.unwrap_err();
        assert_eq!(read().await.message, "not sent: this replica does not lead any more");
        keeper.open_until(Instant::now() + SECOND);
        let began = Instant::now();
        assert_eq!((read().await.operation, began.elapsed()), (LEADERSHIP, SECOND));
        assert!(!fenced.fence.is_in_doubt(SECOND), "a read changes nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_lasts_as_long_as_the_lease_is_renewed() {
        let (keeper, fence) = Gatekeeper::new();
        let fenced = Fenced::new(Arc::new(()), fence);
        keeper.open_until(Instant::now() + SECOND);
        let write = async {
            tokio::time::sleep(SECOND * 5).await;
            Ok(())
        };
        let renew = async {
            for _ in 0..20 {
                tokio::time::sleep(SECOND / 2).await;
                keeper.open_until(Instant::now() + SECOND);
            }
        };
        let (answer, ()) = tokio::join!(fenced.write("ssm:Write", write), renew);
        answer.unwrap();
    }
}
