//! What commands show, on a terminal and in a pipe, held against the files of `tests/golden/`.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

/// What a command showed, and how it ended.
pub struct Shown {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Compares a text with `tests/golden/NAME`; `UPDATE=1` writes the file anew. Escapes, which begin styles, are written `␛`.
#[track_caller]
pub fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let text = text.replace('\u{1b}', "␛");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "tests/golden/{name} is different; if it should be: UPDATE=1 cargo test --test integration");
}

/// Runs a command with its standard output in a pipe.
pub async fn in_pipe(mut command: Command) -> Shown {
    shown(tokio::time::timeout(Duration::from_mins(2), command.output()).await.expect("it ends").unwrap())
}

/// Runs a command with its standard output on a terminal of 100 columns. Standard error is none, so that progress, which depends
/// on how busy this machine is, does not show.
pub async fn in_terminal(command: &Command) -> Shown {
    answering(command, "").await
}

/// The same, with somebody at the terminal who types an answer and then goes.
pub async fn answering(command: &Command, answer: &str) -> Shown {
    let command = command.as_std();
    let folder = tempfile::tempdir().unwrap();
    let err = folder.path().join("err");
    let words = [command.get_program()].into_iter().chain(command.get_args()).map(quoted);
    let line = format!("stty cols 100 rows 50; exec {} 2>{}", words.collect::<Vec<_>>().join(" "), quoted(err.as_os_str()));
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]).kill_on_drop(true);
    terminal.env_clear().env("SHELL", "/bin/sh").env("TERM", "xterm-256color");
    terminal.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let typed = folder.path().join("typed");
    std::fs::write(&typed, if answer.is_empty() { String::new() } else { format!("{answer}\n") }).unwrap();
    terminal.stdin(std::fs::File::open(typed).unwrap());
    if let Some(folder) = command.get_current_dir() {
        terminal.current_dir(folder);
    }
    let seen = in_pipe(terminal).await;
    Shown { out: seen.out.replace("\r\n", "\n"), err: std::fs::read_to_string(err).unwrap_or(seen.err), ..seen }
}

fn shown(output: Output) -> Shown {
    let text = |bytes| String::from_utf8(bytes).expect("it prints UTF-8");
    Shown { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A word for the shell.
fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_str().unwrap().replace('\'', r"'\''"))
}
