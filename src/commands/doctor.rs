//! `doctor`: one look at whether this can work.

use std::process::ExitCode;

use jiff::Timestamp;

use super::ended::unless_interrupted;
use super::failed;
use crate::app::{StartError, partition_of};
use crate::aws::{AwsCloud, AwsOptions};
use crate::cli::doctor::DoctorArgs;
use crate::cli::output::Output;
use crate::doctor::examination::{Steps, examine};
use crate::doctor::finding::Level;
use crate::doctor::report::Report;
use crate::metrics::Metrics;
use crate::source::Source;
use crate::terminal::{self, Progress};
use crate::version::VERSION;

/// Looks, and tells what was found.
pub async fn doctor(args: DoctorArgs) -> ExitCode {
    let report = match unless_interrupted(look(&args)).await {
        Ok(Ok(report)) => report,
        Ok(Err(error)) => return failed(&error.to_string()),
        Err(ended) => return ended.tell(),
    };
    let printed = match args.output.output {
        Output::Text => terminal::print(&report.text()),
        Output::Json => terminal::print_json(&report),
    };
    match printed {
        Err(error) => failed(&format!("the report cannot be printed: {error}")),
        Ok(()) if report.result == Level::Problem => ExitCode::FAILURE,
        Ok(()) => ExitCode::SUCCESS,
    }
}

async fn look(args: &DoctorArgs) -> Result<Report, StartError> {
    let source = Source::open(args.config.clone(), Timestamp::now).await?;
    let state = source.loaded().borrow().state.clone();
    let options = args.aws.options();
    let fallback_partition = partition_of(&state).unwrap_or(options.fallback_partition);
    let cloud = AwsCloud::open(AwsOptions { fallback_partition, ..options }, Metrics::new(VERSION)?.aws).await?;
    let progress = Progress::begin("asking AWS");
    let tell = |done, all| progress.at(done, all);
    Ok(Box::pin(examine(&cloud, &state, args.accounts, &Steps::told_to(&tell))).await)
}
