//! Parses the command line and runs the command.

use std::process::ExitCode;

use dhmc_controller::cli::Cli;
use dhmc_controller::commands;

fn main() -> ExitCode {
    match Cli::read(std::env::args_os()) {
        Ok(cli) => commands::execute(cli),
        Err(usage) => commands::usage(&usage),
    }
}
