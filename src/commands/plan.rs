//! `plan`: what would be done, and nothing of it done.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::ended::{Ended, ready};
use super::exit_code;
use super::survey::{Survey, Tense, survey};
use crate::cli::plan::{PlanArgs, PlanOutput};
use crate::reconcile::Intent;
use crate::terminal;

/// Reads AWS, writes nothing, and reports.
pub async fn plan(args: PlanArgs) -> ExitCode {
    look(&args).await.unwrap_or_else(|ended| ended.tell())
}

async fn look(args: &PlanArgs) -> Result<ExitCode, Ended> {
    let stop = CancellationToken::new();
    let app = ready(args.pass.options(), &stop).await?;
    let survey = survey(&app, Intent::Look, &args.pass.aim(), &stop).await?;
    show(&survey, args.output)?;
    if survey.complete { Ok(exit_code(survey.result())) } else { Err(Ended::Interrupted) }
}

fn show(survey: &Survey, output: PlanOutput) -> std::io::Result<()> {
    match output {
        PlanOutput::Text => terminal::print(&survey.text(Tense::WouldBe)),
        PlanOutput::Markdown => terminal::print(&survey.markdown()),
        PlanOutput::Json => terminal::print_json(survey),
    }
}
