//! Parses the command line and runs the command.

use std::process::ExitCode;

use dhmc_controller::cli::Cli;
use dhmc_controller::commands;
use mimalloc::MiMalloc;

/// The SDK makes and frees a few hundred pieces of memory a call: a fifth of all CPU time with the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Cli::read(std::env::args_os()) {
        Ok(cli) => commands::execute(cli),
        Err(usage) => commands::usage(&usage),
    }
}
