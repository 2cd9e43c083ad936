//! What fuzzing found and was given, replayed: every file of `fuzz/corpus/` holds the invariants that the fuzzer holds.

#![expect(unreachable_pub, reason = "the invariants are a module of other programs too")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

#[path = "../fuzz/invariants/mod.rs"]
mod invariants;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

/// Far longer than a file of the corpus takes: a hang is a finding too.
const LONGEST: Duration = Duration::from_secs(10);

fn replay(target: &str, hold: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    let (tell, told) = mpsc::channel();
    let contents: Vec<_> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    std::thread::spawn(move || {
        for bytes in contents {
            // What does not hold has printed why by then.
            let is_sound = catch_unwind(AssertUnwindSafe(|| hold(&bytes))).is_ok();
            if tell.send(is_sound).is_err() {
                return;
            }
        }
    });
    let mut failed = Vec::new();
    for file in &files {
        let is_sound = told.recv_timeout(LONGEST);
        assert!(is_sound.is_ok(), "not done within {LONGEST:?}: {}", file.display());
        if is_sound == Ok(false) {
            failed.push(file);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn documents_are_states_or_problems() {
    replay("document", invariants::document::hold);
}

#[test]
fn trust_policies_mean_what_they_say_however_they_are_written() {
    replay("trust_policy", invariants::trust_policy::hold);
}

#[test]
fn answers_of_aws_become_answers_or_bounded_errors() {
    replay("classify", invariants::classify::hold);
}
