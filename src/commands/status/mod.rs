//! `status`: ask a running controller what is not in sync, and why.
//!
//! It knows no AWS and no document: everything told is what the controller's own API says.

mod answer;
mod api;
mod question;
mod text;

use std::process::ExitCode;

use super::failed;
use crate::cli::output::Output;
use crate::cli::status::StatusArgs;
use crate::terminal;
use answer::Answer;
use api::{Api, AskError};
use question::Question;

/// Asks, and prints the answer.
pub async fn status(args: StatusArgs) -> ExitCode {
    let output = args.output.output;
    let told = match tell(args, output).await {
        Ok(told) => told,
        Err(error) => return failed(&error.to_string()),
    };
    match told.printed {
        Ok(()) if told.is_well => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(super::DRIFT_REMAINS),
        Err(error) => failed(&format!("the status cannot be printed: {error}")),
    }
}

/// What came of it.
struct Told {
    printed: std::io::Result<()>,
    is_well: bool,
}

async fn tell(args: StatusArgs, output: Output) -> Result<Told, AskError> {
    let api = Api::at(&args.url)?;
    let progress = terminal::Progress::begin("asking the controller");
    let question = Question::of(args);
    let value = api.ask(&question.query()).await?;
    let answer = Answer::read(&value, &api)?;
    let unwell = match question.of_some() {
        None => answer.not_in_sync(),
        // The summary of an answer is of everything, asked for or not.
        Some(part) => {
            if Answer::read(&api.ask(&part.count_query()).await?, &api)?.matching == 0 {
                return Err(AskError::Nothing(part.described()));
            }
            Answer::read(&api.ask(&part.count_query_of_unwell()).await?, &api)?.matching
        }
    };
    drop(progress);
    let printed = match output {
        Output::Text => terminal::print(&text::report(&answer, &question, &api)),
        Output::Json => terminal::print_json(&value),
    };
    Ok(Told { printed, is_well: unwell == 0 && answer.configuration.in_force })
}
