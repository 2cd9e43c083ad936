//! `schema`: print the JSON Schema of documents, which `config/schema.json` is.

use std::process::ExitCode;

use super::failed;
use crate::desired::schema;
use crate::terminal;

/// Prints it.
#[must_use]
pub fn schema() -> ExitCode {
    match terminal::print_json(&schema::json()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("the schema cannot be printed: {error}")),
    }
}
