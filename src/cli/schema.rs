//! What `schema` has besides its name.

use clap::Args;

const MORE: &str = "\
Examples:
  dhmc-controller schema > schema.json
  # and as the first line of a document:
  # yaml-language-server: $schema=schema.json

Exit codes:
  0  the schema was printed
  1  it could not be written to standard output";

/// Flags of `schema`: none of its own.
#[derive(Debug, Args)]
#[command(after_long_help = MORE)]
pub struct SchemaArgs {}
