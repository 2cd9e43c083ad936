//! `docs/COMMANDS.md`, made of the help of every command; and what each help has to say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;

use clap::{Command, CommandFactory};
use dhmc_controller::cli::Cli;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/COMMANDS.md");
const REGENERATE: &str = "UPDATE=1 cargo test --test commands";
/// Where in the page the generated part begins; it goes on to the end.
const BEGINNING: &str = "<!-- From here on generated of the commands' help. -->\n";
/// What comes before the exit codes in a help, one a line: `  0  every target is in sync`.
const EXIT_CODES: &str = "\nExit codes:\n";

/// The program as it is shipped with all its features, without what the environment says.
fn program() -> Command {
    let mut program = without_environment(Cli::command()).term_width(100).disable_help_subcommand(true);
    program.build();
    program
}

fn without_environment(command: Command) -> Command {
    command.mut_args(|flag| flag.hide_env_values(true)).mut_subcommands(without_environment)
}

fn commands(program: &Command) -> Vec<Command> {
    program.get_subcommands().filter(|command| !command.is_hide_set()).cloned().collect()
}

/// The help without what shells show as nothing.
fn help(command: &Command) -> String {
    let help = command.clone().render_long_help().to_string();
    help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// What comes after the flags, as it was written.
fn more(command: &Command) -> String {
    let more = command.get_after_long_help().or(command.get_after_help()).map(ToString::to_string).unwrap_or_default();
    format!("\n{more}")
}

/// Each exit code with what it means.
fn exit_codes(help: &str) -> Vec<(u8, String)> {
    let Some((_, section)) = help.split_once(EXIT_CODES) else { return Vec::new() };
    let mut codes: Vec<(u8, String)> = Vec::new();
    for line in section.lines().take_while(|line| line.starts_with(' ')) {
        match line.trim().split_once(' ').map(|(code, meaning)| (code.parse(), meaning.trim())) {
            Some((Ok(code), meaning)) => codes.push((code, meaning.to_owned())),
            // A longer one goes on in the next line.
            _ => codes.last_mut().unwrap().1.extend([" ", line.trim()]),
        }
    }
    codes
}

fn generated() -> String {
    let program = program();
    let commands = commands(&program);
    let mut page = String::new();
    writeln!(page, "## Exit codes\n").unwrap();
    let codes: BTreeSet<u8> = commands.iter().flat_map(|command| exit_codes(&more(command))).map(|(code, _)| code).collect();
    let heads: Vec<String> = codes.iter().map(ToString::to_string).collect();
    writeln!(page, "| Command | {} |\n|---|{}", heads.join(" | "), "---|".repeat(heads.len())).unwrap();
    for command in &commands {
        let known = exit_codes(&more(command));
        let meaning =
            |code: &u8| known.iter().find(|(known, _)| known == code).map_or("", |(_, meaning)| meaning).replace('|', "\\|");
        let cells: Vec<String> = codes.iter().map(meaning).collect();
        let name = command.get_name();
        writeln!(page, "| [`{name}`](#{name}) | {} |", cells.join(" | ")).unwrap();
    }
    writeln!(page, "\n## dhmc-controller\n\n```text\n{}\n```", help(&program)).unwrap();
    for command in &commands {
        section(&mut page, command, "##");
    }
    page
}

fn section(page: &mut String, command: &Command, heading: &str) {
    writeln!(page, "\n{heading} {}\n\n```text\n{}\n```", command.get_name(), help(command)).unwrap();
    for nested in commands(command) {
        section(page, &nested, &format!("{heading}#"));
    }
}

#[test]
fn the_page_of_the_commands_is_fresh() {
    let shipped = fs::read_to_string(PAGE).unwrap();
    let (preface, _) = shipped.split_once(BEGINNING).unwrap_or_else(|| panic!("the generated part begins with {BEGINNING}"));
    let fresh = format!("{preface}{BEGINNING}\n{}", generated());
    if env::var_os("UPDATE").is_some() {
        fs::write(PAGE, fresh).unwrap();
    } else if fresh != shipped {
        let differing = fresh.lines().zip(shipped.lines()).find(|(fresh, shipped)| fresh != shipped);
        panic!("docs/COMMANDS.md is not what the commands say; run {REGENERATE}: {differing:#?}");
    }
}

#[test]
fn every_command_says_what_it_is_for_with_examples_and_exit_codes() {
    for command in commands(&program()) {
        let (name, help) = (command.get_name().to_owned(), more(&command));
        let (_, examples) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples: {name}"));
        let examples: Vec<&str> = examples.lines().take_while(|line| line.starts_with(' ')).collect();
        assert!(examples.iter().any(|line| line.contains(&format!("dhmc-controller {name}"))), "{name}: {examples:#?}");
        let codes: Vec<u8> = exit_codes(&help).into_iter().map(|(code, _)| code).collect();
        let distinct: BTreeSet<u8> = codes.iter().copied().collect();
        assert!(
            distinct.contains(&0) && distinct.contains(&1),
            "{name}: after a line `Exit codes:`, each like `  0  all is well`"
        );
        assert_eq!(codes.len(), distinct.len(), "{name}: an exit code is told twice");
    }
}

/// An example that the program itself does not understand helps nobody.
#[test]
fn every_example_is_understood() {
    let program = program();
    for command in commands(&program) {
        let help = more(&command);
        let examples = help.split_once("\nExamples:\n").unwrap().1.lines().take_while(|line| line.starts_with(' '));
        for example in examples.filter(|line| !line.trim_start().starts_with('#')) {
            let calls = example.split(['|', '&', ';']).filter_map(|part| part.split_once("dhmc-controller "));
            for (_, arguments) in calls.filter(|(before, _)| before.trim().is_empty() || before.trim_end().ends_with("<(")) {
                let words =
                    arguments.split_whitespace().take_while(|word| !["#", ">", "2>"].iter().any(|end| word.starts_with(end)));
                let words: Vec<&str> = words.map(|word| word.trim_end_matches(')').trim_matches(['\'', '"'])).collect();
                let parsed = program.clone().try_get_matches_from(["dhmc-controller"].iter().chain(&words));
                assert!(parsed.is_ok(), "{example}: {}", parsed.unwrap_err());
            }
        }
    }
}

#[test]
fn exit_codes_are_read_with_the_lines_that_they_go_on_in() {
    let help = "About.\n\nExit codes:\n  0  all is\n     well\n  2  drift\n\nMore.";
    assert_eq!(exit_codes(help), [(0, "all is well".to_owned()), (2, "drift".to_owned())]);
}
