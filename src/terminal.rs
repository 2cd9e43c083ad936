//! Terminal manners: results on standard output, everything else on standard error; colour and progress only where somebody
//! looks.
//!
//! Text is always written with its styles; [`print()`] takes them out where standard output is no terminal, or `NO_COLOR` says so.

use std::io::{self, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Headings, and what is looked for first.
pub const STRONG: Style = Style::new().bold();
/// What is as it should be.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What differs, or waits for somebody.
pub const WARNING: Style = AnsiColor::Yellow.on_default();
/// What has failed.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What only few will read.
pub const FAINT: Style = Style::new().dimmed();

/// How long nobody waits for long enough to be told.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// Prints a result.
pub fn print(text: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    ended_by_reader(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Prints a result as JSON.
pub fn print_json<T: Serialize>(value: &T) -> io::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    print(&format!("{text}\n"))
}

/// A reader that has seen enough, such as `head`, is no failure.
fn ended_by_reader(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Text in a style.
#[must_use]
pub fn styled(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// What tells people on standard error, where that is a terminal, that work is going on: after a second.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Something begins. `what` reads as in "reading AWS".
    #[must_use]
    pub fn begin(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        bar.set_message(what);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos}/{human_len} {elapsed}") {
            bar.set_style(style);
        }
        let late = bar.clone();
        tokio::spawn(async move {
            tokio::time::sleep(QUIET_FOR).await;
            if !late.is_finished() {
                late.set_draw_target(ProgressDrawTarget::stderr());
                late.enable_steady_tick(Duration::from_millis(100));
            }
        });
        Self { bar }
    }

    /// How far it has come.
    pub fn at(&self, done: u64, all: u64) {
        self.bar.set_length(all);
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
