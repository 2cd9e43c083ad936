//! `plan`: what would be done, and nothing of it done.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use super::survey::{Survey, Tense, survey};
use super::{Ended, exit_code, ready};
use crate::cli::plan::{PlanArgs, PlanOutput};
use crate::reconcile::Intent;
use crate::terminal;

/// Reads AWS, writes nothing, and reports.
pub async fn plan(args: PlanArgs) -> ExitCode {
    let stop = CancellationToken::new();
    match look(&args, &stop).await {
        Ok(code) => code,
        Err(ended) => ended.tell(),
    }
}

async fn look(args: &PlanArgs, stop: &CancellationToken) -> Result<ExitCode, Ended> {
    let app = ready(args.pass.options(), stop).await?;
    let (result, survey) = survey(&app, Intent::Look, &app.resolve(args.pass.aim()).await).await?;
    show(&survey, args.output)?;
    if stop.is_cancelled() { Err(Ended::Interrupted) } else { Ok(exit_code(result)) }
}

fn show(survey: &Survey, output: PlanOutput) -> std::io::Result<()> {
    match output {
        PlanOutput::Text => terminal::print(&survey.text(Tense::WouldBe)),
        PlanOutput::Markdown => terminal::print(&survey.markdown()),
        PlanOutput::Json => terminal::print_json(survey),
    }
}
