//! Until when this replica may write.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// What the election has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Gate {
    /// Nobody knows yet who leads.
    Undecided,
    /// There is no election.
    Open,
    /// This replica leads, until it has to have renewed.
    OpenUntil(Instant),
    /// Another replica leads; `None`: this one could not renew in time, and nobody knows better.
    Shut(Option<Arc<str>>),
}

impl Gate {
    fn is_open(&self) -> bool {
        match self {
            Self::Open => true,
            Self::OpenUntil(end) => Instant::now() < *end,
            Self::Undecided | Self::Shut(_) => false,
        }
    }
}

/// Open while this replica may write. It shuts by itself when its time is over, whatever has become of whoever would shut it.
#[derive(Debug, Clone)]
pub struct Fence {
    gate: watch::Receiver<Gate>,
    doubt: Arc<Mutex<Doubt>>,
}

/// Of which writes nobody knows whether they have arrived, or will.
#[derive(Debug, Default)]
struct Doubt {
    /// So many are not answered yet.
    in_flight: usize,
    /// When one last ended without an answer.
    since: Option<Instant>,
}

/// A write under way. Whatever becomes of it, broken off or dropped with its task: unless it is answered, it may still arrive.
#[derive(Debug)]
pub(super) struct InFlight<'a> {
    fence: &'a Fence,
    is_answered: bool,
}

impl InFlight<'_> {
    /// AWS has said what became of it.
    pub(super) fn answered(mut self) {
        self.is_answered = true;
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let mut doubt = self.fence.doubt();
        doubt.in_flight -= 1;
        if !self.is_answered {
            doubt.since = Some(Instant::now());
        }
    }
}

/// The election's end of a [`Fence`].
#[derive(Debug)]
pub(super) struct Gatekeeper {
    gate: watch::Sender<Gate>,
}

impl Fence {
    /// For a controller that is alone.
    #[must_use]
    pub fn always_open() -> Self {
        Self { gate: watch::channel(Gate::Open).1, doubt: Arc::default() }
    }

    /// A write begins.
    pub(super) fn begin(&self) -> InFlight<'_> {
        self.doubt().in_flight += 1;
        InFlight { fence: self, is_answered: false }
    }

    /// Whether some write of the last while may still be on its way.
    pub(super) fn is_in_doubt(&self, recently: Duration) -> bool {
        let doubt = self.doubt();
        doubt.in_flight > 0 || doubt.since.is_some_and(|since| since.elapsed() < recently)
    }

    fn doubt(&self) -> MutexGuard<'_, Doubt> {
        self.doubt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this replica may write now.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.gate.borrow().is_open()
    }

    /// Who leads, where that is another replica.
    #[must_use]
    pub fn leader(&self) -> Option<Arc<str>> {
        match &*self.gate.borrow() {
            Gate::Shut(leader) => leader.clone(),
            _ => None,
        }
    }

    /// Waits until this replica may write.
    pub async fn opened(&mut self) {
        self.reach(Gate::is_open).await;
    }

    /// Waits until it is known who leads, and that it is not this replica.
    pub async fn followed(&mut self) {
        self.reach(|gate| matches!(gate, Gate::Shut(Some(_)))).await;
    }

    /// Waits until this replica may not write any more.
    pub async fn shut(&mut self) {
        loop {
            let end = match *self.gate.borrow_and_update() {
                Gate::OpenUntil(end) if Instant::now() < end => Some(end),
                Gate::Open => None,
                _ => return,
            };
            tokio::select! {
                () = at(end) => {}
                () = changed(&mut self.gate) => {}
            }
        }
    }

    async fn reach(&mut self, is_there: impl Fn(&Gate) -> bool) {
        while !is_there(&self.gate.borrow_and_update()) {
            changed(&mut self.gate).await;
        }
    }
}

async fn at(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// Where nobody decides any more, what was decided last stays.
async fn changed(gate: &mut watch::Receiver<Gate>) {
    if gate.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

impl Gatekeeper {
    /// Nothing is decided, and nothing may be written.
    pub(super) fn new() -> (Self, Fence) {
        let (sender, receiver) = watch::channel(Gate::Undecided);
        (Self { gate: sender }, Fence { gate: receiver, doubt: Arc::default() })
    }

    /// Whether writes are let through now.
    pub(super) fn is_open(&self) -> bool {
        self.gate.borrow().is_open()
    }

    /// Lets writes through until then.
    pub(super) fn open_until(&self, end: Instant) {
        self.gate.send_replace(Gate::OpenUntil(end));
    }

    /// Lets nothing through any more.
    pub(super) fn shut(&self, leader: Option<&str>) {
        let shut = Gate::Shut(leader.map(Arc::from));
        self.gate.send_if_modified(|gate| {
            let is_news = *gate != shut;
            *gate = shut;
            is_news
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_fence_shuts_by_itself_when_nobody_renews() {
        let (keeper, mut fence) = Gatekeeper::new();
        assert!(!fence.is_open());
        keeper.open_until(Instant::now() + SECOND);
        fence.opened().await;
        let began = Instant::now();
        fence.shut().await;
        assert_eq!(began.elapsed(), SECOND);
        assert!(!fence.is_open() && !keeper.is_open());
    }

    #[tokio::test(start_paused = true)]
    async fn a_fence_that_is_renewed_in_time_stays_open() {
        let (keeper, mut fence) = Gatekeeper::new();
        keeper.open_until(Instant::now() + SECOND);
        let mut watcher = fence.clone();
        let shut = tokio::spawn(async move {
            watcher.shut().await;
            Instant::now()
        });
        for _ in 0..5 {
            advance(SECOND / 2).await;
            assert!(fence.is_open());
            keeper.open_until(Instant::now() + SECOND);
        }
        keeper.shut(Some("other"));
        assert_eq!(shut.await.unwrap(), Instant::now());
        fence.followed().await;
        assert_eq!(fence.leader().as_deref(), Some("other"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_controller_that_is_alone_may_always_write() {
        let mut fence = Fence::always_open();
        fence.opened().await;
        assert!(fence.is_open());
        assert!(timeout(Duration::from_hours(1), fence.shut()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_election_that_has_not_told_anything_is_neither_led_nor_followed() {
        let (_keeper, mut fence) = Gatekeeper::new();
        assert!(timeout(SECOND, fence.opened()).await.is_err());
        assert!(timeout(SECOND, fence.followed()).await.is_err());
    }
}
