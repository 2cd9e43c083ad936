//! What has to be true in the end.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_sandbox::Sandbox;
use serde_json::Value;

use crate::cast::{Cast, MEMBERS, REGIONS};
use crate::document::Editor;
use crate::figures::{Figures, Sample, Sums, sum};
use crate::process::Controller;

/// Refused twice or three times in a row, a target waits for minutes.
const TO_CONVERGE: Duration = Duration::from_mins(6);
/// Connections that nobody uses are closed after 90 seconds.
const TO_CLOSE_CONNECTIONS: Duration = Duration::from_mins(3);
/// An account, its role and one setting: each may have opened a connection while another was being set free.
const TARGETS_WHEN_QUIET: usize = 3;
/// From so many seconds on, memory is judged.
const LONG: u64 = 300;
/// Of what is held when all is calm, one a second.
const SAMPLES: usize = 30;

/// What came of it.
pub(crate) struct Verdict {
    rows: Vec<(&'static str, String)>,
    failures: Vec<String>,
}

impl Verdict {
    pub(crate) async fn of(controller: &Controller, sandbox: &Sandbox, cast: &Cast, editor: &Editor, figures: Figures) -> Self {
        let Figures { seed, seconds, edits, mischief, quiet, warm } = figures;
        let mut verdict = Self { rows: Vec::new(), failures: Vec::new() };
        let (end, took) = match calm(controller, cast).await {
            Ok(calm) => calm,
            Err(problems) => {
                verdict.check(false, || format!("not in sync within {TO_CONVERGE:?}: {problems:#?}"));
                (controller.sample(), TO_CONVERGE)
            }
        };
        // A short one has not seen everything before the pause.
        let has_grown = seconds >= LONG && end.kilobytes * 10 > warm.kilobytes * 11;
        verdict.check(!has_grown, || "memory has grown by more than 10%".to_owned());

        let scrape = controller.get("/metrics").unwrap_or_default();
        let sums = Sums::of(&scrape);
        verdict.check(sums.add_up(), || format!("the counters do not add up: {sums:?}"));
        verdict.check(sums.open == 0, || format!("drift is open while all is in sync: {sums:?}"));
        verdict.check(sums.corrected > 0, || "nothing was ever corrected".to_owned());

        // How many connections are pooled depends on how much there is to do: the same as before it began is compared.
        editor.put_quiet();
        let mut last = controller.sample();
        let closed = until(TO_CLOSE_CONNECTIONS, || {
            last = controller.sample();
            last.sockets <= quiet.sockets + TARGETS_WHEN_QUIET && last.other_files <= quiet.other_files
        })
        .await;
        verdict.check(closed, || format!("file descriptors are left: {last:?}, and before it began {quiet:?}"));

        verdict.row("seed", seed.to_string());
        verdict.row("seconds", seconds.to_string());
        verdict.row("edits of the document", edits.to_string());
        verdict.row("faults of AWS", mischief.faults.to_string());
        verdict.row("sabotages", mischief.sabotages.to_string());
        verdict.row("calls that AWS got", sandbox.journal().total().to_string());
        verdict.row("seconds from the end of it all to everything in sync", format!("{:.1}", took.as_secs_f64()));
        let megabytes = |sample: Sample| format!("{}.{} MB", sample.kilobytes / 1024, sample.kilobytes % 1024 * 10 / 1024);
        verdict.row(
            "resident memory in sync, after the first minute / at the end",
            format!("{} / {}", megabytes(warm), megabytes(end)),
        );
        let files = |sample: Sample| format!("{} + {}", sample.other_files, sample.sockets);
        verdict.row("files + sockets in sync, after the first minute / at the end", format!("{} / {}", files(warm), files(end)));
        verdict.row("files + sockets with next to nothing to do, before / after", format!("{} / {}", files(quiet), files(last)));
        verdict.row("drift detected", sums.detected.to_string());
        verdict.row("... corrected", sums.corrected.to_string());
        for reason in ["mended_by_others", "redeclared", "superseded", "undeclared"] {
            let count = sum(&scrape, "dhmc_drift_gone_total", &format!("reason=\"{reason}\""));
            verdict.row("... gone", format!("{count} {reason}"));
        }
        verdict.row("... open", sums.open.to_string());
        verdict.row("corrections that failed", sums.failed.to_string());
        verdict
    }

    pub(crate) fn check(&mut self, holds: bool, failure: impl FnOnce() -> String) {
        if !holds {
            self.failures.push(failure());
        }
    }

    fn row(&mut self, figure: &'static str, value: String) {
        self.rows.push((figure, value));
    }

    pub(crate) fn print(&self) {
        println!("\n| Figure | Value |\n|---|---|");
        for (figure, value) in &self.rows {
            println!("| {figure} | {value} |");
        }
        for failure in &self.failures {
            println!("\nFAILED: {failure}");
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Waits until the document of the start is in force, and takes what the process holds then.
pub(crate) async fn quiet(controller: &Controller) -> Sample {
    let is_quiet = || {
        controller
            .get("/api/v1/status")
            .is_some_and(|page| page.contains(&format!("\"summary\":{{\"in_sync\":{TARGETS_WHEN_QUIET},")))
    };
    assert!(until(TO_CONVERGE, is_quiet).await, "it never began");
    Sample::most(&samples(controller).await)
}

/// Waits until everything is in sync, and takes what the process holds then, and how long that took.
pub(crate) async fn calm(controller: &Controller, cast: &Cast) -> Result<(Sample, Duration), Vec<String>> {
    let (began, mut problems) = (Instant::now(), Vec::new());
    let converged = until(TO_CONVERGE, || {
        problems = not_yet_in_sync(controller);
        problems.extend(cast.differences());
        problems.is_empty()
    })
    .await;
    let took = began.elapsed();
    if converged { Ok((Sample::median(&samples(controller).await), took)) } else { Err(problems) }
}

async fn samples(controller: &Controller) -> Vec<Sample> {
    let mut samples = Vec::new();
    for _ in 0..SAMPLES {
        samples.push(controller.sample());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    samples
}

/// What the status API has that is not in sync, or is not of the last document.
fn not_yet_in_sync(controller: &Controller) -> Vec<String> {
    let page = controller.get("/api/v1/status").unwrap_or_default();
    let Ok(status) = serde_json::from_str::<Value>(&page) else { return vec!["there is no status".to_owned()] };
    let mut found = Vec::new();
    if status["configuration"]["inForce"] != true {
        found.push(format!("the document is not in force: {}", status["configuration"]));
    }
    let targets = status["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Each account with its role and its regions.
    if targets.len() != (MEMBERS.len() + 1) * (REGIONS.len() + 2) {
        found.push(format!("{} targets", targets.len()));
    }
    found.extend(targets.iter().filter(|target| target["state"] != "in_sync").map(|target| {
        format!("{} {} {}: {} ({})", target["account"], target["region"], target["resource"], target["state"], target["reason"])
    }));
    found
}

async fn until(most: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + most;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    true
}
