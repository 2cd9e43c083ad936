//! Terminal manners: results on standard output, everything else on standard error; colour and progress only where somebody
//! looks.
//!
//! Text is always written with its styles; [`print()`] takes them out where standard output is no terminal, or `NO_COLOR` says so.

use std::borrow::Cow;
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

/// How many columns standard output has. `None`: it is no terminal, and takes lines of any length.
#[must_use]
pub fn width() -> Option<usize> {
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns)).filter(|columns| *columns > 0)
}

/// Text in a style.
#[must_use]
pub fn styled(style: Style, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("{style}{text}{style:#}") }
}

/// Text of somebody else, who must not move the cursor, change colours or turn text around: such characters are written out.
/// Ends of lines stay.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let write = |character: char| if is_active(character) { character.escape_default().to_string() } else { character.into() };
    Cow::Owned(text.chars().map(write).collect())
}

/// The same on one line.
#[must_use]
pub fn plain_line(text: &str) -> String {
    plain(text).replace('\n', "\\n")
}

/// Whether a terminal does something else with it than show it. Marks of direction, ends of lines and what has no width are
/// Unicode's (UAX #9, UAX #14).
fn is_active(character: char) -> bool {
    let turns =
        matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    (character.is_control() && character != '\n') || turns
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
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
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
        if self.bar.length().is_none()
            && let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {human_pos}/{human_len} {elapsed}")
        {
            self.bar.set_style(style);
        }
        self.bar.set_length(all);
        self.bar.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        assert_eq!(plain("service-role/R\nü"), "service-role/R\nü");
        assert_eq!(plain("\u{1b}[2Jgone\r\u{7}\u{9b}"), "\\u{1b}[2Jgone\\r\\u{7}\\u{9b}");
        assert_eq!(plain("a\u{202e}b"), "a\\u{202e}b");
        assert_eq!(plain_line("a\nb\u{9b}"), "a\\nb\\u{9b}");
    }
}
