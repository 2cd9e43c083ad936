//! `man`: the manual pages, made of the help of the commands.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory;

use super::failed;
use crate::cli::Cli;
use crate::cli::man::ManArgs;
use crate::terminal;

/// Prints the page of the program, or writes those of all its commands.
#[must_use]
pub fn man(args: &ManArgs) -> ExitCode {
    let done = match &args.directory {
        None => print(),
        Some(directory) => write(directory).map_err(|error| format!("cannot write to {}: {error}", directory.display())),
    };
    done.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Every command has a page, and needs no command for its help.
fn command() -> clap::Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn print() -> Result<(), String> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command())
        .render(&mut page)
        .and_then(|()| terminal::print(&String::from_utf8_lossy(&page)))
        .map_err(|error| format!("the page cannot be printed: {error}"))
}

fn write(directory: &Path) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    clap_mangen::generate_to(command(), directory)
}
