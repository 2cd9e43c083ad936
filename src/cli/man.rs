//! Flags of `man`.

use std::path::PathBuf;

use clap::Args;

const MORE: &str = "\
Examples:
  dhmc-controller man | man -l -
  dhmc-controller man --directory /usr/local/share/man/man1

Exit codes:
  0  the page was printed, or the pages were written
  1  they could not be written";

/// Flags of `man`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct ManArgs {
    /// Write the page of every command into this directory, instead of printing the first of them.
    #[arg(long, value_name = "DIRECTORY")]
    pub directory: Option<PathBuf>,
}
