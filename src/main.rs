//! Parses the command line and runs the command.

use std::process::ExitCode;

use clap::Parser;
use dhmc_controller::{cli::Cli, commands};

fn main() -> ExitCode {
    commands::execute(Cli::parse())
}
