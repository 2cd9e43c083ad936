//! `apply`: the plan, a question, one pass, a report.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::ended::{Ended, ready};
use super::survey::{Survey, Tense, survey};
use super::{counted, exit_code};
use crate::cli::output::Output;
use crate::cli::plan::ApplyArgs;
use crate::reconcile::Intent;
use crate::terminal;

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    plan: Survey,
    /// What came of it; `null` when nothing was to be done, or nobody said yes.
    result: Option<Survey>,
}

/// Shows what would be done, does it if that is wanted, and reports.
pub async fn apply(args: ApplyArgs) -> ExitCode {
    look_and_correct(&args).await.unwrap_or_else(|ended| ended.tell())
}

async fn look_and_correct(args: &ApplyArgs) -> Result<ExitCode, Ended> {
    let is_text = args.output.output == Output::Text;
    if !is_text && !args.yes {
        return Err(Ended::NothingToAskAbout);
    }
    let stop = CancellationToken::new();
    let app = ready(args.pass.options(), &stop).await?;
    let aim = args.pass.aim();
    let plan = survey(&app, Intent::Look, &aim, &stop).await?;
    if is_text {
        terminal::print(&plan.text(Tense::WouldBe))?;
    }
    if !plan.complete {
        return Err(Ended::InterruptedBefore);
    }
    let is_wanted = plan.summary.writes > 0 && (args.yes || is_confirmed(&plan, &stop).await?);
    let result = if is_wanted { Some(survey(&app, Intent::Correct, &aim, &stop).await?) } else { None };
    let last = result.as_ref().unwrap_or(&plan);
    let (is_complete, code) = (last.complete, exit_code(last.result()));
    match (&result, is_text) {
        (Some(result), true) => terminal::print(&format!("\n{}", result.text(Tense::Was)))?,
        (None, true) => {}
        (_, false) => terminal::print_json(&Report { plan, result })?,
    }
    if is_complete { Ok(code) } else { Err(Ended::Interrupted) }
}

/// Asks whoever sits at the terminal. No answer is no.
async fn is_confirmed(plan: &Survey, stop: &CancellationToken) -> Result<bool, Ended> {
    if !io::stdin().is_terminal() {
        return Err(Ended::NobodyToAsk);
    }
    let mut stderr = io::stderr();
    write!(stderr, "\nMake {}? Only `yes` is taken for a yes: ", counted(plan.summary.writes, "write"))?;
    stderr.flush()?;
    let answer = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map(|_| line)
    });
    let Some(answer) = stop.run_until_cancelled(answer).await else { return Err(Ended::InterruptedBefore) };
    let is_yes = answer.map_err(io::Error::other)??.trim() == "yes";
    if !is_yes {
        writeln!(stderr, "nothing was changed")?;
    }
    Ok(is_yes)
}
