//! Gauges that are computed when somebody scrapes, from the status board and the source: they cannot go stale.

use std::sync::Arc;

use jiff::Timestamp;
use prometheus::core::{Collector, Desc};
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};
use tokio::sync::watch;

use crate::desired::organization::Tally;
use crate::leader::Fence;
use crate::metrics::{
    ACCOUNT_OLDEST, CONFIG_HASH, CONFIG_RELOAD_SUCCESSFUL, CONFIG_RELOAD_TIME, FLEET_OLDEST, FLEET_TARGETS, GUARD_HELD,
    LAST_OBSERVED, LEADER, Metric, ORGANIZATION_ACCOUNTS, ORGANIZATION_LISTED, QUEUE_DEPTH, QUEUE_IN_FLIGHT, TARGET_SERIES,
    TARGET_STATE, TARGETS, TargetSeries,
};
use crate::plan::Removal;
use crate::source::SourceStatus;
use crate::status::{AccountFigures, Detail, Figures, StateCounts, StatusBoard};
use crate::target::State;

/// Every gauge of a scrape.
const GAUGES: [Metric; 16] = [
    LEADER,
    TARGET_SERIES,
    TARGET_STATE,
    LAST_OBSERVED,
    TARGETS,
    ACCOUNT_OLDEST,
    FLEET_TARGETS,
    FLEET_OLDEST,
    ORGANIZATION_ACCOUNTS,
    ORGANIZATION_LISTED,
    GUARD_HELD,
    QUEUE_DEPTH,
    QUEUE_IN_FLIGHT,
    CONFIG_RELOAD_SUCCESSFUL,
    CONFIG_RELOAD_TIME,
    CONFIG_HASH,
];

/// The gauges of one scrape.
#[derive(Debug)]
pub struct StateGauges {
    board: Arc<StatusBoard>,
    series: TargetSeries,
    source: watch::Receiver<SourceStatus>,
    fence: Fence,
    clock: fn() -> Timestamp,
    descriptions: Vec<Desc>,
}

impl StateGauges {
    /// Gauges over a board and a source.
    pub fn new(
        board: Arc<StatusBoard>,
        series: TargetSeries,
        source: watch::Receiver<SourceStatus>,
        fence: Fence,
        clock: fn() -> Timestamp,
    ) -> prometheus::Result<Self> {
        let descriptions = GAUGES.into_iter().map(Metric::description).collect::<Result<_, _>>()?;
        Ok(Self { board, series, source, fence, clock, descriptions })
    }
}

impl Collector for StateGauges {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let detail = if self.series.are_on() { Detail::EveryTarget } else { Detail::OrganizationOnly };
        let figures = self.board.figures((self.clock)(), detail);
        let mut families = of_targets(&figures, detail);
        families.extend(of_organization(&figures));
        families.push(of_guard(&figures));
        families.extend([of_one(QUEUE_DEPTH, f64::from(figures.due)), of_one(QUEUE_IN_FLIGHT, f64::from(figures.in_flight))]);
        families.extend(of_source(&self.source.borrow()));
        families.push(of_one(LEADER, f64::from(u8::from(self.fence.is_open()))));
        families.into_iter().map(Family::finish).collect()
    }
}

/// One gauge with its series. Made anew each time, so that a target that has gone leaves nothing behind; and without a
/// [`prometheus::GaugeVec`], which would look each series up in a table that nobody needs twice.
struct Family {
    metric: Metric,
    series: Vec<proto::Metric>,
}

impl Family {
    fn new(metric: Metric) -> Self {
        Self { metric, series: Vec::new() }
    }

    /// One more series, with its labels in the order of the catalogue.
    fn add(&mut self, labels: &[&str], value: f64) {
        let label = |(name, value): (&&str, &&str)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value((*value).to_owned());
            pair
        };
        let mut series = proto::Metric::from_label(self.metric.labels.iter().zip(labels).map(label).collect());
        let mut gauge = proto::Gauge::default();
        gauge.set_value(value);
        series.set_gauge(gauge);
        self.series.push(series);
    }

    /// One more series for each state.
    fn add_states(&mut self, labels: &[&str], value: impl Fn(State) -> u32) {
        for state in State::ALL {
            self.add(&[labels, &[state.label()]].concat(), f64::from(value(state)));
        }
    }

    /// One more series if there is such a time.
    fn add_time(&mut self, labels: &[&str], time: Option<Timestamp>) {
        if let Some(time) = time {
            self.add(labels, seconds(time));
        }
    }

    fn finish(self) -> MetricFamily {
        let mut family = MetricFamily::default();
        family.set_name(self.metric.name.to_owned());
        family.set_help(self.metric.help.trim().to_owned());
        family.set_field_type(MetricType::GAUGE);
        family.set_metric(self.series);
        family
    }
}

fn of_targets(figures: &Figures, detail: Detail) -> Vec<Family> {
    let [mut states, mut observed, mut targets, mut oldest, mut fleet, mut fleet_oldest] =
        [TARGET_STATE, LAST_OBSERVED, TARGETS, ACCOUNT_OLDEST, FLEET_TARGETS, FLEET_OLDEST].map(Family::new);
    let counts = |states: StateCounts| move |state| states.of(state);
    for AccountFigures { label, figures, targets: single } in &figures.accounts {
        targets.add_states(&[label], counts(figures.states));
        oldest.add_time(&[label], figures.oldest_observed);
        for target in single {
            let place = [label, target.resource.region_label(), target.resource.kind().label()];
            states.add_states(&place, |state| u32::from(state == target.state));
            observed.add_time(&place, target.last_observed);
        }
    }
    fleet.add_states(&[], counts(figures.total.states));
    fleet_oldest.add_time(&[], figures.total.oldest_observed);
    let are_on = of_one(TARGET_SERIES, f64::from(u8::from(detail == Detail::EveryTarget)));
    vec![are_on, states, observed, targets, oldest, fleet, fleet_oldest]
}

fn of_guard(figures: &Figures) -> Family {
    let mut held = Family::new(GUARD_HELD);
    for removal in Removal::ALL {
        held.add(&[removal.label()], f64::from(u32::try_from(figures.held.of(removal)).unwrap_or(u32::MAX)));
    }
    held
}

fn of_organization(figures: &Figures) -> [Family; 2] {
    let [mut accounts, mut listed] = [ORGANIZATION_ACCOUNTS, ORGANIZATION_LISTED].map(Family::new);
    if let Some(Tally { managed, listed, excluded, suspended }) = figures.organization {
        for (status, count) in [("managed", managed), ("listed", listed), ("excluded", excluded), ("suspended", suspended)] {
            accounts.add(&[status], f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
    }
    listed.add_time(&[], figures.last_listed);
    [accounts, listed]
}

fn of_source(source: &SourceStatus) -> [Family; 3] {
    let first_48_bits = source.hash.iter().take(6).fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
    #[expect(clippy::cast_precision_loss, reason = "48 bits fit a double exactly")]
    let hash = first_48_bits as f64;
    [
        of_one(CONFIG_RELOAD_SUCCESSFUL, f64::from(u8::from(source.is_in_force()))),
        of_one(CONFIG_RELOAD_TIME, seconds(source.loaded_at)),
        of_one(CONFIG_HASH, hash),
    ]
}

/// A gauge that has no labels.
fn of_one(metric: Metric, value: f64) -> Family {
    let mut family = Family::new(metric);
    family.add(&[], value);
    family
}

fn seconds(at: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the epoch fit a double exactly until the year 287396")]
    let milliseconds = at.as_millisecond() as f64;
    milliseconds / 1000.0
}

#[cfg(test)]
mod tests;
