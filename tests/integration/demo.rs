//! The demo as people see it: what it prints, and how it ends.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

use crate::binary::{dhmc, signal};
use crate::harness::{DEADLINE, get};

/// An account that was refused is tried again after a minute and a half at the latest, should the first retry come before
/// somebody has let the controller in.
const LET_IN: Duration = Duration::from_mins(3);

/// A running demo, and what it has printed so far.
struct Demo {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    shown: String,
}

impl Demo {
    fn start(arguments: &[&str]) -> Self {
        let mut child = dhmc(&[&["demo"], arguments].concat()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, shown: String::new() }
    }

    /// Reads on until this holds, or the demo ends.
    async fn read_until(&mut self, deadline: Duration, holds: impl Fn(&str) -> bool) {
        let read = async {
            while !holds(&self.shown)
                && let Some(line) = self.lines.next_line().await.unwrap()
            {
                self.shown.push_str(&line);
                self.shown.push('\n');
            }
        };
        let in_time = tokio::time::timeout(deadline, read).await.is_ok();
        assert!(in_time && holds(&self.shown), "not within {deadline:?}:\n{}", self.shown);
    }

    async fn ends_cleanly(mut self) -> String {
        self.read_until(DEADLINE, |shown| shown.ends_with("Ended cleanly.\n")).await;
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(0));
        self.shown
    }
}

/// Without its numbers, which differ from run to run, and the space that they take.
fn told(line: &str) -> String {
    let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
    words.split(|c: char| c.is_ascii_digit()).filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("#")
}

/// What the README says that the demo prints.
fn promised() -> Vec<String> {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let block = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of output");
    block.lines().map(told).collect()
}

#[tokio::test]
async fn the_demo_shows_what_the_readme_says_and_ends_at_ctrl_c() {
    let promised = promised();
    assert!(promised.len() > 10, "{promised:#?}");
    let mut demo = Demo::start(&[]);
    let missing = |shown: &str| {
        let shown: Vec<String> = shown.lines().map(told).collect();
        promised.iter().filter(|line| !shown.contains(line)).cloned().collect::<Vec<_>>()
    };
    demo.read_until(LET_IN, |shown| missing(shown).is_empty()).await;
    let at = |text: &str| demo.shown.find(text).unwrap_or_else(|| panic!("`{text}` is not in:\n{}", demo.shown));
    let [blocked, let_in, in_sync] = ["blocked    acquired", "let in     acquired", "in sync    acquired"].map(at);
    assert!(blocked < let_in && let_in < in_sync, "{}", demo.shown);
    for other in ["platform", "payments"] {
        assert!(at(&format!("in sync    {other}")) < blocked, "nobody waits for it:\n{}", demo.shown);
    }
    for (account, who) in [("111122223333", "frank"), ("222233334444", "bob"), ("333344445555", "grace")] {
        let act = format!("changed by arn:aws:sts::{account}:assumed-role/Administrator/{who}");
        demo.read_until(LET_IN, |shown| shown.contains(&act)).await;
    }
    assert!(!demo.shown.contains("STILL"), "{}", demo.shown);

    let page = demo.shown.lines().find(|line| line.ends_with("/api/v1/status")).unwrap().trim().to_owned();
    assert_eq!(get(&page).await.unwrap().status, 200);
    signal(&demo.child, "-INT");
    let shown = demo.ends_cleanly().await;
    assert!(!shown.contains("as the demo ends"), "{shown}");
}

#[tokio::test]
async fn a_demo_that_is_too_short_to_let_the_third_account_in_says_that_it_is_still_blocked() {
    let shown = Demo::start(&["--duration", "10s"]).ends_cleanly().await;
    assert!(shown.contains("blocked    acquired  still, as the demo ends; it would be tried again in "), "{shown}");
    assert!(!shown.contains("in sync    acquired"), "{shown}");
}
