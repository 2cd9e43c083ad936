//! Feeds libFuzzer's bytes to the invariants of `document`.

#![no_main]

#[path = "../invariants/document.rs"]
mod document;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| document::hold(bytes));
