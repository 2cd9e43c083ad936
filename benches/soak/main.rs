//! The real program for ten minutes against the sandbox, while everything goes wrong: every second somebody edits the
//! document, writes to AWS, or AWS itself fails, at random. Then all of that ends, and everything has to come right:
//! targets, memory, file descriptors, and the counters. `make soak` prints a table and fails when something did not.
//!
//! `SOAK_SECONDS` says how long, `SOAK_SEED` repeats what was done (when it meets the controller is never the same).

#![expect(clippy::unwrap_used, clippy::panic, reason = "a measurement that cannot go on says so by ending")]

mod cast;
mod document;
mod figures;
mod mischief;
mod process;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_sandbox::{Options, Record, Sandbox};

use crate::cast::Cast;
use crate::document::Editor;
use crate::figures::Figures;
use crate::mischief::{Mischief, Trace};
use crate::process::Controller;
use crate::verdict::Verdict;

/// From one act to the next.
const TICK: Duration = Duration::from_secs(1);
/// Until the first pause, when memory is taken as what the process needs: everything has happened a few times by then.
const WARM: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> ExitCode {
    let seconds = number("SOAK_SECONDS").unwrap_or(600);
    let seed = number("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..));
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/soak"));
    std::fs::create_dir_all(&folder).unwrap();
    println!("{seconds} s, SOAK_SEED={seed}; trace and log are in {}", folder.display());

    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.configure(|knobs| {
        knobs.record = Record::CountsOnly;
        // Sessions have to be renewed a few times.
        knobs.session_seconds = Some(120);
    });
    let cast = Cast::new(&sandbox);
    let mut trace = Trace::new(&folder.join("trace.txt"));
    let mut editor = Editor::new(folder.join("dhmc.yaml"), seed);
    let mut mischief = Mischief::new(&sandbox, &cast, seed);
    editor.put_quiet();
    let mut controller = Controller::start(&sandbox, editor.path(), &folder.join("controller.log"));

    let quiet = verdict::quiet(&controller).await;
    editor.put_final();

    // A process that is busy has now more memory, now less: calm is compared with calm.
    let (whole, began) = (Duration::from_secs(seconds), Instant::now());
    run(WARM.min(whole / 2), &mut editor, &mut mischief, &mut trace, &controller).await;
    trace.line("a pause");
    let (warm, _) = verdict::calm(&controller, &cast).await.unwrap_or_else(|problems| panic!("not in sync: {problems:#?}"));
    trace.line("it goes on");
    run(whole.saturating_sub(began.elapsed()), &mut editor, &mut mischief, &mut trace, &controller).await;
    trace.line("the end");

    let figures = Figures { seed, seconds, edits: editor.edits, mischief: mischief.counts, quiet, warm };
    let mut verdict = Verdict::of(&controller, &sandbox, &cast, &editor, figures).await;
    verdict.check(controller.is_running(), || "the process has ended".to_owned());
    verdict.print();
    verdict.exit_code()
}

/// Everything goes wrong for so long. Then all of that is over, and the last document is in force.
async fn run(how_long: Duration, editor: &mut Editor, mischief: &mut Mischief, trace: &mut Trace, controller: &Controller) {
    let began = Instant::now();
    while began.elapsed() < how_long {
        editor.maybe_edit(trace, controller);
        mischief.act(trace);
        // As somebody who watches it does.
        controller.look();
        tokio::time::sleep(TICK).await;
    }
    mischief.end(trace);
    editor.put_final();
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{variable} is a number, and not {text}")))
}
