//! What is measured.

use crate::mischief::Counts;

/// What a process holds at a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Resident.
    pub(crate) kilobytes: u64,
    pub(crate) sockets: usize,
    /// File descriptors that are no sockets.
    pub(crate) other_files: usize,
}

impl Sample {
    /// Of each figure the most.
    pub(crate) fn most(samples: &[Self]) -> Self {
        let most = |figure: fn(&Self) -> usize| samples.iter().map(figure).max().unwrap();
        Self {
            kilobytes: samples.iter().map(|sample| sample.kilobytes).max().unwrap(),
            sockets: most(|sample| sample.sockets),
            other_files: most(|sample| sample.other_files),
        }
    }

    /// Of each figure the median: one sample may meet a scrape, or a burst of calls.
    pub(crate) fn median(samples: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> u64| {
            let mut figures: Vec<u64> = samples.iter().map(figure).collect();
            figures.sort_unstable();
            figures[figures.len() / 2]
        };
        let count = |figure| usize::try_from(median(figure)).unwrap();
        Self {
            kilobytes: median(|sample| sample.kilobytes),
            sockets: count(|sample| sample.sockets as u64),
            other_files: count(|sample| sample.other_files as u64),
        }
    }
}

/// What is known when the mischief ends.
pub(crate) struct Figures {
    pub(crate) seed: u64,
    pub(crate) seconds: u64,
    pub(crate) edits: u32,
    pub(crate) mischief: Counts,
    /// Before it began, with next to nothing to do.
    pub(crate) quiet: Sample,
    /// In the pause after the first minute.
    pub(crate) warm: Sample,
}

/// Sums over all labels, from one scrape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums {
    pub(crate) detected: u64,
    pub(crate) corrected: u64,
    pub(crate) failed: u64,
    pub(crate) gone: u64,
    pub(crate) open: u64,
}

impl Sums {
    pub(crate) fn of(scrape: &str) -> Self {
        Self {
            detected: sum(scrape, "dhmc_drift_detected_total", ""),
            corrected: sum(scrape, "dhmc_corrections_total", "result=\"corrected\""),
            failed: sum(scrape, "dhmc_corrections_total", "result=\"failed\""),
            gone: sum(scrape, "dhmc_drift_gone_total", ""),
            open: sum(scrape, "dhmc_drift_open", ""),
        }
    }

    /// Whether everything that was detected came to one end, or is open.
    pub(crate) fn add_up(&self) -> bool {
        self.detected == self.corrected + self.gone + self.open
    }
}

/// The sum of the series of a metric that have a label.
pub(crate) fn sum(scrape: &str, metric: &str, label: &str) -> u64 {
    let series = scrape.lines().filter(|line| line.starts_with(&format!("{metric}{{")) && line.contains(label));
    series.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}
