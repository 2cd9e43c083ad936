//! The handle tests and demos hold: starts the server, hands out accounts, faults and the journal, stops it all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;

use crate::account::AccountHandle;
use crate::control;
use crate::fault::{Fault, FaultId};
use crate::journal::Journal;
use crate::knobs::{Knobs, Options};
use crate::organization::OrganizationHandle;
use crate::partition::Partition;
use crate::wire::server;
use crate::world::World;

/// A running sandbox. Clones are the same sandbox; it stops with [`Sandbox::stop`] or when the last clone, and the
/// last account handle, are gone.
#[derive(Debug, Clone)]
pub struct Sandbox {
    running: Arc<Running>,
}

#[derive(Debug)]
struct Running {
    world: Arc<World>,
    addr: SocketAddr,
    /// Dropping it stops the server as much as sending does.
    stop: watch::Sender<()>,
    server: Mutex<Option<JoinHandle<()>>>,
}

impl Sandbox {
    /// Binds `options.listen` and serves in background tasks of the current tokio runtime. Fails when the address
    /// cannot be bound.
    pub async fn start(options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let addr = listener.local_addr()?;
        let world = Arc::new(World::new(options.knobs));
        let (stop, stopped) = watch::channel(());
        // It hands out credentials, unsigned: never to other machines.
        let routes = if addr.ip().is_loopback() { control::routes(Arc::clone(&world)) } else { axum::Router::new() };
        let server = tokio::spawn(server::serve(listener, Arc::clone(&world), routes, stopped));
        let running = Running { world, addr, stop, server: Mutex::new(Some(server)) };
        Ok(Self { running: Arc::new(running) })
    }

    /// The endpoint URL for clients, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.running.addr)
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.running.addr
    }

    /// The account of this id, created on first use in its organization's partition, or else in `aws`.
    #[must_use]
    pub fn account(&self, id: &str) -> AccountHandle {
        self.account_in(id, Partition::Aws)
    }

    /// The account of this id, created in `partition` on first use; one that exists, or that an organization has, stays
    /// where it is.
    #[must_use]
    pub fn account_in(&self, id: &str, partition: Partition) -> AccountHandle {
        let account = self.world().account(id, partition);
        AccountHandle::new(self.clone(), account)
    }

    /// The organization that this account owns, created in the account's partition on first use; the account then
    /// leaves any other.
    #[must_use]
    pub fn organization(&self, management_account_id: &str) -> OrganizationHandle {
        self.world().create_organization(management_account_id, Partition::Aws);
        OrganizationHandle::new(self.clone(), management_account_id)
    }

    /// Puts a fault in force. Of several that match a call, the oldest hits.
    #[expect(clippy::must_use_candidate, reason = "most faults are cleared all at once, or wear off")]
    pub fn inject(&self, fault: Fault) -> FaultId {
        self.world().faults.inject(fault)
    }

    /// Takes one fault out of force.
    pub fn clear(&self, fault: FaultId) {
        self.world().faults.clear(fault);
    }

    /// Takes every fault out of force.
    pub fn clear_faults(&self) {
        self.world().faults.clear_all();
    }

    /// The faults in force, with what is left of their counts.
    #[must_use]
    pub fn faults(&self) -> Vec<(FaultId, Fault)> {
        self.world().faults.list()
    }

    /// The calls that came in.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.world().journal
    }

    /// Changes the behaviour from the next call on.
    pub fn configure(&self, change: impl FnOnce(&mut Knobs)) {
        self.world().configure(change);
    }

    /// The behaviour now.
    #[must_use]
    pub fn knobs(&self) -> Knobs {
        (*self.world().knobs()).clone()
    }

    /// Forgets settings, roles, regions, denials, policies, organizations, faults and calls. Credentials and knobs stay.
    pub fn reset(&self) {
        self.world().reset();
    }

    /// Changes with every call, every edit of the state, and when a delay of a knob runs out.
    #[must_use]
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.world().changes()
    }

    /// Waits until `condition` holds, looking again whenever something changed; fails at the deadline.
    pub async fn wait_until(&self, deadline: Duration, condition: impl Fn(&Self) -> bool) -> Result<(), Elapsed> {
        let mut changes = self.changed();
        let wait = async {
            // Marked as seen before looking, so that a change in between is not missed.
            changes.mark_unchanged();
            while !condition(self) {
                // The sender lives as long as this handle.
                if changes.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::time::timeout(deadline, wait).await
    }

    /// Closes the listener and every connection, for all clones, and returns when they are closed.
    pub async fn stop(self) {
        let _ = self.running.stop.send(());
        let server = self.running.server.lock().take();
        if let Some(server) = server {
            // A server that panicked is as stopped as one that ended.
            let _ = server.await;
        }
    }

    pub(crate) fn world(&self) -> &Arc<World> {
        &self.running.world
    }
}
