//! Parses the command line and runs the command.

use std::process::ExitCode;

use dhmc_controller::cli::Cli;
use dhmc_controller::commands;
use mimalloc::MiMalloc;

/// The SDK makes and frees many small pieces of memory a call, with the system's allocator a sixth of all CPU time
/// (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Cli::read(std::env::args_os()) {
        Ok(cli) => commands::execute(cli),
        Err(usage) => commands::usage(&usage),
    }
}
