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
    match terminal::print(&mended(&String::from_utf8_lossy(&script))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("the script cannot be printed: {error}")),
    }
}

/// In bash, `clap_complete` (4.6) calls a program with a hyphen in its name by two names, and finds no flags of its commands. To be taken
/// out when the test in bash holds without it.
fn mended(script: &str) -> String {
    script.replace("dhmc__subcmd__controller", "dhmc__controller")
}
