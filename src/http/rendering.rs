//! One rendering of the metrics at a time, however many ask: with a whole organization it takes a tenth of a second of a
//! core, and looks at what the work on the targets writes to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use tokio::sync::Mutex;
use tokio::task::JoinError;

use crate::metrics::Metrics;

/// Renders metrics. Whoever asks while a rendering is under way shares the next one with all others who do: no answer is
/// older than its question.
#[derive(Debug, Clone)]
pub(super) struct Rendering {
    metrics: Metrics,
    /// How many have begun.
    begun: Arc<AtomicU64>,
    latest: Arc<Mutex<Latest>>,
}

/// The newest rendering.
#[derive(Debug, Default)]
struct Latest {
    /// Which it was; they are counted from 1.
    number: u64,
    text: Bytes,
}

/// There is no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRendered {
    /// The metrics contradict each other: a defect.
    #[error(transparent)]
    Metrics(#[from] prometheus::Error),
    /// The rendering broke off: a defect, or the end of the process.
    #[error(transparent)]
    BrokeOff(#[from] JoinError),
}

impl Rendering {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { metrics, begun: Arc::default(), latest: Arc::default() }
    }

    /// The metrics as they are now.
    pub(super) async fn text(&self) -> Result<Bytes, NotRendered> {
        let before = self.begun.load(Ordering::SeqCst);
        let mut latest = Arc::clone(&self.latest).lock_owned().await;
        if latest.number > before {
            return Ok(latest.text.clone());
        }
        let (metrics, begun) = (self.metrics.clone(), Arc::clone(&self.begun));
        // It keeps the lock to its end even when the client has gone: others would begin another one beside it.
        let render = move || {
            let number = begun.fetch_add(1, Ordering::SeqCst) + 1;
            *latest = Latest { number, text: metrics.render()?.into() };
            Ok(latest.text.clone())
        };
        tokio::task::spawn_blocking(render).await?
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use prometheus::core::{Collector, Desc};
    use prometheus::proto::MetricFamily;

    use super::*;

    /// Takes its time, and counts how often it was asked and by how many at once.
    #[derive(Debug, Clone, Default)]
    struct Slow {
        collected: Arc<AtomicUsize>,
        at_once: Arc<AtomicUsize>,
        most_at_once: Arc<AtomicUsize>,
    }

    impl Collector for Slow {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
            self.collected.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(100));
            self.at_once.fetch_sub(1, Ordering::SeqCst);
            Vec::new()
        }
    }

    fn slow() -> (Slow, Rendering) {
        let (slow, metrics) = (Slow::default(), Metrics::new("test").unwrap());
        metrics.register(Box::new(slow.clone())).unwrap();
        (slow, Rendering::new(metrics))
    }

    #[tokio::test]
    async fn two_hundred_that_ask_at_once_share_a_rendering_or_two() {
        let (slow, rendering) = slow();
        let clients: Vec<_> = (0..200)
            .map(|_| {
                tokio::spawn({
                    let rendering = rendering.clone();
                    async move { rendering.text().await }
                })
            })
            .collect();
        for client in clients {
            assert!(client.await.unwrap().unwrap().starts_with(b"# HELP"));
        }
        let collected = slow.collected.load(Ordering::SeqCst);
        assert!((1..=2).contains(&collected), "{collected}");
    }

    #[tokio::test]
    async fn an_answer_is_never_older_than_its_question() {
        let (slow, rendering) = slow();
        for asked in 1..=3 {
            rendering.text().await.unwrap();
            assert_eq!(slow.collected.load(Ordering::SeqCst), asked);
        }
    }

    #[tokio::test]
    async fn clients_that_go_away_leave_no_renderings_beside_each_other() {
        let (slow, rendering) = slow();
        for _ in 0..10 {
            let impatient = tokio::time::timeout(Duration::from_millis(5), rendering.text());
            assert!(impatient.await.is_err());
        }
        rendering.text().await.unwrap();
        assert_eq!(slow.most_at_once.load(Ordering::SeqCst), 1);
    }
}
