//! What the controller costs, measured as a process of its own against the sandbox on loopback. `make bench` prints tables.
//!
//! The benchmark starts itself again as `controller`, as `sandbox`, as `bare` and as `sdk`, so that CPU and memory are each one's alone.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on says so by ending")]

mod bare;
mod fleet;
mod one_account;
mod process;
mod sandbox;
mod scrapes;
mod sdk;

use std::path::PathBuf;
use std::time::Duration;

use dhmc_controller::app::{self, App, Options};
use dhmc_controller::aws::{AwsOptions, CallRate};
use dhmc_controller::metrics::TargetMetrics;
use dhmc_controller::reconcile::rivals::Rivalry;
use mimalloc::MiMalloc;
use tokio_util::sync::CancellationToken;

/// As in the shipped program.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    match arguments.first().map(String::as_str) {
        Some("controller") => runtime.block_on(controller(&arguments[1..])),
        Some("sandbox") => runtime.block_on(sandbox::serve(&arguments[1..])),
        Some("bare") => runtime.block_on(bare::send(&arguments[1..])),
        Some("sdk") => runtime.block_on(sdk::send(&arguments[1..])),
        Some("fleet") => fleet::measure(&arguments[1..]),
        _ => {
            runtime.block_on(one_account::measure());
            fleet::measure(&[]);
        }
    }
}

/// The controller, as the command `run` has it.
async fn controller(arguments: &[String]) {
    let [config, listen, interval] = arguments else { panic!("controller CONFIG ADDRESS MILLISECONDS") };
    let options = Options {
        rivalry: Rivalry::default(),
        config: PathBuf::from(config),
        interval: Duration::from_millis(interval.parse().unwrap()),
        organization_interval: Duration::from_mins(15),
        workers: 64,
        target_metrics: TargetMetrics::Auto,
        election: None,
        // The sandbox throttles nobody: what is measured is the controller.
        aws: AwsOptions { call_rate: CallRate::UNLIMITED, ..AwsOptions::default() },
    };
    let app = App::new(options, CancellationToken::new()).await.unwrap();
    let listener = app::bind(listen.parse().unwrap()).await.unwrap();
    app.run(listener, std::sync::Arc::default()).await.unwrap();
}
