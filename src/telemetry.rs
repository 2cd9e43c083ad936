//! Logs: text for people, JSON for machines, on standard error.
//!
//! Only this program's own events are logged at the chosen level. The SDK and its HTTP stack are kept to errors: at finer
//! levels they print requests, answers and what credential helpers write, and credentials are not to be logged at any level.

#[cfg(test)]
pub(crate) mod kept;

use clap::ValueEnum;
use tracing::Level;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Starts logging for the whole process.
pub fn init(format: LogFormat, level: Level) -> Result<(), TryInitError> {
    // Leader election tells of failed calls itself, once, with the lease and what to do.
    let filter = Targets::new()
        .with_default(Level::ERROR)
        .with_target("dhmc_controller", level)
        .with_target("kube_client", LevelFilter::OFF);
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Json => {
            let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
            registry.with(lines.with_filter(filter)).try_init()
        }
        LogFormat::Text => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
            let lines = tracing_subscriber::fmt::layer().with_ansi(colour).with_target(false).with_writer(std::io::stderr);
            registry.with(lines.with_filter(filter)).try_init()
        }
    }
}
