//! Works on the targets whenever this replica may write, with a fleet of its own each time.

use std::sync::Arc;

use tokio::sync::watch;
use tracing::warn;

use crate::cloud::Cloud;
use crate::desired::DesiredState;
use crate::leader::Fence;
use crate::reconcile::fleet::{Fleet, Setup};

/// Until the setup's own stop.
pub(super) async fn whenever_open<C: Cloud>(mut fence: Fence, setup: Setup<C>, desired: watch::Receiver<Arc<DesiredState>>) {
    loop {
        let mut standby = fence.clone();
        tokio::select! {
            () = setup.stop.cancelled() => return,
            () = fence.opened() => {}
            () = standby.followed() => setup.board.stand_by(),
        }
        if setup.stop.run_until_cancelled(fence.opened()).await.is_none() {
            return;
        }
        let term = setup.stop.child_token();
        let mut fleet = Fleet::new(setup.until(term.clone()));
        let until_it_shuts = async {
            if term.run_until_cancelled(fence.shut()).await.is_some() {
                let leader = fence.leader();
                let leader = leader.as_deref();
                warn!(
                    leader,
                    "this replica does not lead any more: it writes nothing, and gives up its targets until it leads again"
                );
            }
            term.cancel();
        };
        tokio::join!(fleet.keep(desired.clone()), until_it_shuts);
        if setup.stop.is_cancelled() {
            return;
        }
        fleet.hand_over();
        // Whoever has led once is fit to do it again: its targets are new to the next fleet, and no reason to be taken out of service.
        setup.board.stand_by();
    }
}
