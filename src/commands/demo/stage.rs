//! The script: what happens when, and the audience that watches what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use aws_sandbox::Sandbox;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::cast::{self, ACQUIRED, PLATFORM, Part};
use super::sabotage::{self, Expectation, Sabotage};
use super::view::View;
use crate::status::{LastDrift, StatusBoard};
use crate::target::State;

/// Between two acts: long enough to read what happened.
const PAUSE: Duration = Duration::from_secs(3);
/// How long an act may take to be noticed before the demo says that it was not.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the demo looks whether an act has been corrected: the resolution of the times it prints.
const LOOK: Duration = Duration::from_millis(20);

/// How long a text may be on one line: with the columns before it, what fits beside an editor.
const WIDTH: usize = 100;

/// The saboteurs, and the audience.
pub(super) struct Stage {
    sandbox: Sandbox,
    view: View,
    stop: CancellationToken,
    started: Instant,
}

impl Stage {
    pub(super) fn new(sandbox: Sandbox, board: Arc<StatusBoard>, stop: CancellationToken) -> Self {
        Self { sandbox, view: View { board }, stop, started: Instant::now() }
    }

    /// Shows the first convergence, then one act of sabotage after the other.
    pub(super) async fn play(&self) {
        for part in cast::ALL {
            let settled = || self.view.is_all(part, State::InSync) || self.view.is_all(part, State::Blocked);
            self.wait_for(PATIENCE, settled).await;
            if self.stop.is_cancelled() {
                return;
            }
            self.introduce(part);
        }
        tokio::join!(self.acts(), self.admission());
    }

    /// What has become of who was shut out, for demos too short to show it.
    pub(super) fn close(&self) {
        if self.view.account_state(&ACQUIRED) == Some(State::Blocked) {
            self.line("blocked", &ACQUIRED, &format!("still, as the demo ends; it would be {}", self.next_attempt()));
        }
    }

    /// One act after the other. Early on, somebody mends what the controller cannot.
    async fn acts(&self) {
        for (number, act) in sabotage::ACTS.iter().cycle().enumerate() {
            if number == 1 {
                if !self.pause().await {
                    return;
                }
                cast::let_in(&self.sandbox);
                self.line(
                    "let in",
                    &ACQUIRED,
                    &format!("its owner lets {} assume the role; {}", PLATFORM.name, self.next_attempt()),
                );
            }
            if !self.pause().await {
                return;
            }
            // Nothing is shown of an account that is shut out, or that people have taken out of the document.
            if self.view.account_state(act.part) == Some(State::InSync) {
                self.perform(act).await;
            }
        }
    }

    /// Tells when the account that was shut out has converged: by itself, whatever else is going on.
    async fn admission(&self) {
        while !self.view.is_all(&ACQUIRED, State::InSync) {
            if self.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await.is_none() {
                return;
            }
        }
        self.introduce(&ACQUIRED);
    }

    fn introduce(&self, part: &Part) {
        let (id, summary) = (part.id, self.view.summary(part));
        if self.view.is_all(part, State::InSync) {
            // AWS's own record of who made the last change, which was the controller.
            let by = part.on(&self.sandbox).setting("us-east-1").last_modified_user;
            let session = by.rsplit(':').next().unwrap_or_default();
            self.line("in sync", part, &format!("{id}: {summary}, by {session}"));
        } else if self.view.account_state(part) == Some(State::Blocked) {
            let why = self.view.refusal(part).unwrap_or_default();
            self.line("blocked", part, &format!("{id}: {why}; {}", self.next_attempt()));
        } else {
            self.line("STILL", part, &format!("{id}: not in sync yet: {summary}"));
        }
    }

    async fn perform(&self, act: &Sabotage) {
        let (account, who, spoiled_at) = (act.part.on(&self.sandbox), act.arn(), Timestamp::now());
        (act.spoil)(&account, &who);
        let done = Instant::now();
        self.line("drift", act.part, &format!("{} {}", act.who, act.what));
        let noticed = match act.expect {
            Expectation::Corrected => self.wait_for(PATIENCE, || (act.is_mended)(&account)).await,
            Expectation::Told => self.wait_for(PATIENCE, || self.state_of(act) == Some(State::Drifted)).await,
        };
        // The write shows in AWS a moment before its outcome is on the board.
        self.wait_for(LOOK * 20, || self.drift_of(act).is_some_and(|drift| drift.seen_at >= spoiled_at)).await;
        let Some(at) = noticed else {
            if !self.stop.is_cancelled() {
                let summary = self.view.summary(act.part);
                self.line("STILL", act.part, &format!("not noticed within {} s: {summary}", PATIENCE.as_secs()));
            }
            return;
        };
        let (took, told) = (at.duration_since(done).as_secs_f64(), self.attribution(act));
        match act.expect {
            Expectation::Corrected => self.line("corrected", act.part, &format!("after {took:.1} s; {told}")),
            Expectation::Told => {
                self.line("observed", act.part, &format!("after {took:.1} s and not touched; {told}"));
                (act.undo)(&account, &who);
            }
        }
    }

    /// Whom the controller names. IAM does not tell who changed a role.
    fn attribution(&self, act: &Sabotage) -> String {
        match self.changed_by(act) {
            // So says AWS of every reset setting, in the user guide's own sample.
            Some(by) if by == "System" => format!("AWS tells no name of a reset (it was {})", act.who),
            Some(by) => format!("changed by {by}"),
            None => format!("IAM does not tell who it was ({})", act.who),
        }
    }

    fn changed_by(&self, act: &Sabotage) -> Option<String> {
        self.drift_of(act)?.changed.map(|change| change.by.to_string())
    }

    fn drift_of(&self, act: &Sabotage) -> Option<Box<LastDrift>> {
        self.view.target(act.part, act.region, |status| status.last_drift.clone()).flatten()
    }

    fn state_of(&self, act: &Sabotage) -> Option<State> {
        self.view.target(act.part, act.region, |status| status.state)
    }

    fn next_attempt(&self) -> String {
        match (self.view.next_attempt(&ACQUIRED), self.view.account_state(&ACQUIRED)) {
            (Some(wait), _) => format!("tried again in {:.0} s", wait.as_secs_f64()),
            (None, Some(_)) => "tried again now".to_owned(),
            (None, None) => "the document does not want it any more".to_owned(),
        }
    }

    /// `false`: stopped.
    async fn pause(&self) -> bool {
        self.stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_some()
    }

    async fn wait_for(&self, patience: Duration, condition: impl Fn() -> bool) -> Option<Instant> {
        let deadline = Instant::now() + patience;
        while !condition() {
            if Instant::now() > deadline {
                return None;
            }
            self.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await?;
        }
        Some(Instant::now())
    }

    /// One line, or a few where it is long.
    fn line(&self, what: &str, part: &Part, text: &str) {
        let mut lines = wrapped(text).into_iter();
        let first = lines.next().unwrap_or_default();
        println!("{:7.1} s  {what:<9}  {:<8}  {first}", self.started.elapsed().as_secs_f64(), part.name);
        for line in lines {
            println!("{:32}{line}", "");
        }
    }
}

/// Breaks a text between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_broken_between_words_and_nothing_is_lost() {
        let text = format!("{} {} end", "word ".repeat(30).trim_end(), "x".repeat(WIDTH + 1));
        let lines = wrapped(&text);
        assert_eq!(lines.join(" "), text);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.len() <= WIDTH || !line.contains(' ')), "{lines:?}");
        assert_eq!(wrapped("short"), ["short"]);
    }
}
