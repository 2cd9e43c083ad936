//! Feeds libFuzzer's bytes to the invariants of `classify`.

#![no_main]

#[path = "../invariants/classify.rs"]
mod classify;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| classify::hold(bytes));
