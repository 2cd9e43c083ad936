//! Feeds libFuzzer's bytes to the invariants of `trust_policy`.

#![no_main]

#[path = "../invariants/trust_policy.rs"]
mod trust_policy;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| trust_policy::hold(bytes));
