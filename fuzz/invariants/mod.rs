//! What holds whatever the bytes are. One place for both who use it: the fuzz targets and `tests/fuzz_corpus.rs`.
//!
//! Each module has a `hold`, which panics when something does not.

pub mod classify;
pub mod document;
pub mod trust_policy;
