//! What lies at the bottom of an error.

use std::error::Error;

/// The innermost cause: clients of HTTP wrap what happened several times, and say it only there.
#[must_use]
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
