//! Flags of `completions`.

use clap::Args;
use clap_complete::Shell;

const MORE: &str = "\
Examples:
  source <(dhmc-controller completions bash)                     # for this shell
  dhmc-controller completions zsh > ~/.zfunc/_dhmc-controller    # for every one, where fpath has ~/.zfunc

Exit codes:
  0  the script was printed
  1  it could not be written to standard output";

/// Flags of `completions`.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct CompletionsArgs {
    /// For which shell.
    pub shell: Shell,
}
