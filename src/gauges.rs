//! Gauges that are computed when somebody scrapes, from the status board and the source: they cannot go stale.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Gauge, GaugeVec, Opts};
use tokio::sync::watch;

use crate::metrics::{
    CONFIG_HASH, CONFIG_RELOAD_SUCCESSFUL, CONFIG_RELOAD_TIME, LAST_OBSERVED, Metric, QUEUE_DEPTH, QUEUE_IN_FLIGHT, TARGET_STATE,
    TARGETS,
};
use crate::source::SourceStatus;
use crate::status::{Activity, StatusBoard};
use crate::target::State;

/// The gauges of one scrape.
#[derive(Debug)]
pub struct StateGauges {
    board: Arc<StatusBoard>,
    source: watch::Receiver<SourceStatus>,
    clock: fn() -> Timestamp,
    descriptions: Vec<Desc>,
}

/// What one scrape is filled into. Made anew each time: a target that has gone leaves nothing behind, and two scrapes at
/// once do not disturb each other.
struct Scrape {
    target_state: GaugeVec,
    targets: GaugeVec,
    last_observed: GaugeVec,
    queue_depth: Gauge,
    queue_in_flight: Gauge,
    reload_successful: Gauge,
    reload_time: Gauge,
    hash: Gauge,
}

impl StateGauges {
    /// Gauges over a board and a source.
    pub fn new(
        board: Arc<StatusBoard>,
        source: watch::Receiver<SourceStatus>,
        clock: fn() -> Timestamp,
    ) -> prometheus::Result<Self> {
        let descriptions = Scrape::new()?.collectors().iter().flat_map(|c| c.desc()).cloned().collect();
        Ok(Self { board, source, clock, descriptions })
    }
}

impl Collector for StateGauges {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(scrape) = Scrape::new() else { return Vec::new() };
        scrape.fill_targets(&self.board, (self.clock)());
        scrape.fill_source(&self.source.borrow());
        scrape.collectors().iter().flat_map(|collector| collector.collect()).collect()
    }
}

impl Scrape {
    fn new() -> prometheus::Result<Self> {
        let one = |metric: Metric| Gauge::with_opts(opts(metric));
        let many = |metric: Metric| GaugeVec::new(opts(metric), metric.labels);
        Ok(Self {
            target_state: many(TARGET_STATE)?,
            targets: many(TARGETS)?,
            last_observed: many(LAST_OBSERVED)?,
            queue_depth: one(QUEUE_DEPTH)?,
            queue_in_flight: one(QUEUE_IN_FLIGHT)?,
            reload_successful: one(CONFIG_RELOAD_SUCCESSFUL)?,
            reload_time: one(CONFIG_RELOAD_TIME)?,
            hash: one(CONFIG_HASH)?,
        })
    }

    fn collectors(&self) -> [&dyn Collector; 8] {
        [
            &self.target_state,
            &self.targets,
            &self.last_observed,
            &self.queue_depth,
            &self.queue_in_flight,
            &self.reload_successful,
            &self.reload_time,
            &self.hash,
        ]
    }

    fn fill_targets(&self, board: &StatusBoard, now: Timestamp) {
        let mut counts: BTreeMap<String, [u32; State::ALL.len()]> = BTreeMap::new();
        board.each(|account, target, status| {
            let place = [account, target.region_label(), target.resource_label()];
            for state in State::ALL {
                let labels = [place[0], place[1], place[2], state.label()];
                self.target_state.with_label_values(&labels).set(f64::from(u8::from(state == status.state)));
            }
            if let Some(at) = status.last_observed {
                self.last_observed.with_label_values(&place).set(seconds(at));
            }
            let in_flight = status.activity == Activity::InFlight;
            if in_flight {
                self.queue_in_flight.inc();
            } else if status.next_due.is_some_and(|due| due <= now) {
                self.queue_depth.inc();
            }
            let counts = counts.entry(account.to_owned()).or_default();
            for (count, state) in counts.iter_mut().zip(State::ALL) {
                *count += u32::from(state == status.state);
            }
        });
        for (account, counts) in counts {
            for (count, state) in counts.into_iter().zip(State::ALL) {
                self.targets.with_label_values(&[account.as_str(), state.label()]).set(f64::from(count));
            }
        }
    }

    fn fill_source(&self, source: &SourceStatus) {
        self.reload_successful.set(f64::from(u8::from(source.is_in_force())));
        self.reload_time.set(seconds(source.loaded_at));
        let first_48_bits = source.hash.iter().take(6).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        #[expect(clippy::cast_precision_loss, reason = "48 bits fit a double exactly")]
        self.hash.set(first_48_bits as f64);
    }
}

fn opts(metric: Metric) -> Opts {
    Opts::new(metric.name, metric.help.trim())
}

fn seconds(at: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch fit a double exactly until the year 287396")]
    let milliseconds = at.as_millisecond() as f64;
    milliseconds / 1000.0
}
