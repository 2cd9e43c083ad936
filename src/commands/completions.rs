//! `completions`: print what makes a shell complete commands and flags.

use std::process::ExitCode;

use clap::CommandFactory;

use super::failed;
use crate::cli::Cli;
use crate::cli::completions::CompletionsArgs;
use crate::terminal;

/// Prints the script of a shell.
#[must_use]
pub fn completions(args: &CompletionsArgs) -> ExitCode {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    match terminal::print(&String::from_utf8_lossy(&script)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("the script cannot be printed: {error}")),
    }
}
