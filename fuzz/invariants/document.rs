//! Whatever is written, it is a desired state or a list of problems that somebody can act upon.
//!
//! Several documents of one directory are separated by a line of `=====`.

use std::collections::BTreeSet;
use std::fmt::Debug;

use dhmc_controller::desired::access::{Access, ExternalId};
use dhmc_controller::desired::excerpt::Excerpts;
use dhmc_controller::desired::{self, DesiredState, Problems};
use serde_yaml::Value;

const SEPARATOR: &[u8] = b"\n=====\n";
/// What seeds write for `externalId`.
const SECRET: &str = "s3cr3t-0f-b0th-s1des";
/// A path may have 32 steps, each a quotation of 60 characters, and a character may take ten to be escaped.
const LONGEST_PROBLEM: usize = 32 * 650;
/// What is shown around the place of a problem, and the sign for what is not.
const LONGEST_EXCERPT: usize = 410;
/// Shorter ones turn up elsewhere by chance.
const SHORTEST_SECRET: usize = 8;

/// Reads the documents, each by itself and all together.
pub fn hold(bytes: &[u8]) {
    let documents = split(bytes);
    for document in &documents {
        match desired::load(document) {
            Ok(state) => accepted(document, &state),
            Err(problems) => refused(&[("document.yaml", document)], &problems),
        }
    }
    if documents.len() > 1 {
        together(&documents);
    }
}

fn split(bytes: &[u8]) -> Vec<&[u8]> {
    let mut documents = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
        documents.push(&rest[..at]);
        rest = &rest[at + SEPARATOR.len()..];
    }
    documents.push(rest);
    documents
}

fn refused(documents: &[(&str, &[u8])], problems: &Problems) {
    let count = problems.iter().count();
    assert!(count > 0, "refused for no reason");
    for problem in problems {
        let line = problem.in_file("dhmc.yaml").to_string();
        assert!(!line.contains(char::is_control), "a problem is one line of text: {line:?}");
        assert!(line.len() <= LONGEST_PROBLEM, "a problem of {} bytes", line.len());
        let bytes = match &problem.file {
            Some(file) => {
                documents.iter().find(|(name, _)| **name == **file).expect("the file of a problem is one of the files").1
            }
            None => documents[0].1,
        };
        let text = String::from_utf8_lossy(bytes);
        if let (Some(number), Some(column)) = (problem.line, problem.column) {
            let lines = lines(&text);
            assert!((1..=lines.len()).contains(&number), "line {number} of {}: {line}", lines.len());
            let end = lines[number - 1].chars().count() + 1;
            assert!((1..=end).contains(&column), "column {column}, and the line ends before {end}: {line}");
        }
    }
    let shown = excerpts(documents, problems);
    let told = problems.in_file("dhmc.yaml").to_string();
    assert_eq!(told.split('\n').count(), count, "one line for each problem");
    if documents.iter().all(|(_, bytes)| keeps_its_secret(&String::from_utf8_lossy(bytes))) {
        assert!(!told.contains(SECRET), "{told}");
        assert!(!format!("{problems:?}").contains(SECRET), "{problems:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

/// What `validate` shows below the problems.
fn excerpts(documents: &[(&str, &[u8])], problems: &Problems) -> String {
    let sources: Vec<(&str, Excerpts<'_>)> = documents.iter().map(|(name, bytes)| (*name, Excerpts::of(bytes))).collect();
    let mut shown = String::new();
    for problem in problems {
        let of_file = |(name, _): &&(&str, Excerpts<'_>)| problem.file.as_deref().is_none_or(|file| file == *name);
        let Some(excerpt) = sources.iter().find(of_file).and_then(|(_, source)| source.at(problem)) else { continue };
        assert!(!excerpt.text.contains(|c: char| c.is_control() && c != '\t'), "an excerpt is one line of text: {excerpt:?}");
        assert!(excerpt.text.chars().count() <= LONGEST_EXCERPT, "an excerpt of {} bytes", excerpt.text.len());
        assert!(excerpt.text.get(excerpt.marked.clone()).is_some(), "what is marked is there: {excerpt:?}");
        shown.push_str(&excerpt.text);
        shown.push('\n');
    }
    shown
}

/// Lines as an editor shows them.
fn lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.split('\n') {
        lines.extend(line.strip_suffix('\r').unwrap_or(line).split('\r'));
    }
    lines
}

/// Whether the text has the secret nowhere but as the value of `externalId`, and no second name for it.
fn keeps_its_secret(text: &str) -> bool {
    let is_between = |c: char| c.is_whitespace() || ":=\"'|>-!".contains(c);
    let is_guarded = |at: usize| text[..at].trim_end_matches(is_between).to_ascii_lowercase().ends_with("externalid");
    !text.contains('&') && text.match_indices(SECRET).all(|(at, _)| is_guarded(at))
}

fn accepted(bytes: &[u8], state: &DesiredState) {
    let text = std::str::from_utf8(bytes).expect("what is accepted is text");
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    same("read again", text, state);
    same("with a byte order mark", &format!("\u{feff}{text}"), state);
    if !text.contains('\r') {
        same("with the line ends of Windows", &text.replace('\n', "\r\n"), state);
    }
    let alone = desired::load_all(&[("only.yaml", bytes)]).expect("alone in its directory");
    assert_eq!(alone, *state, "alone in its directory");

    let second: Value = serde_yaml::from_str(text).expect("what is accepted is YAML for others too");
    agrees(&second, state);
    same("written anew by another program", &serde_yaml::to_string(&second).expect("can be written"), state);
    shows_no_secret(text, state);
}

fn same(how: &str, text: &str, state: &DesiredState) {
    if text.len() <= desired::MAX_BYTES {
        let again = desired::load(text.as_bytes()).unwrap_or_else(|problems| panic!("{how}: {problems}"));
        assert_eq!(again, *state, "{how}");
    }
}

/// What libyaml reads, taken apart without any of the controller's code.
fn agrees(second: &Value, state: &DesiredState) {
    let spec = &second["spec"];
    let name = second["metadata"]["name"].as_str().unwrap_or("default");
    assert_eq!(state.name, name);
    assert_eq!(state.organization.is_some(), spec.get("organization").is_some());
    let keys = |level: &Value| -> BTreeSet<String> {
        let regions = level["regions"].as_mapping().into_iter().flat_map(|regions| regions.keys());
        regions.map(|region| region.as_str().expect("a region is text").to_owned()).collect()
    };
    let everywhere = keys(spec);
    if let Some(listed) = spec["accounts"].as_sequence() {
        assert_eq!(state.accounts.len(), listed.len());
        for account in listed {
            let id = account["id"].as_str().expect("an id is text");
            let (_, wanted) =
                state.accounts.iter().find(|(known, _)| known.to_string() == id).expect("each listed account is declared");
            let expected: BTreeSet<String> = everywhere.union(&keys(account)).cloned().collect();
            assert_eq!(wanted.regions.keys().map(ToString::to_string).collect::<BTreeSet<_>>(), expected);
            assert_eq!(matches!(wanted.access, Access::Assume(_)), account.get("assumeRole").is_some());
        }
    } else if let Some(own) = state.accounts.values().next() {
        assert_eq!(own.regions.keys().map(ToString::to_string).collect::<BTreeSet<_>>(), everywhere);
    }
}

fn shows_no_secret(text: &str, state: &DesiredState) {
    let listed = state.accounts.values().filter_map(|account| match &account.access {
        Access::Assume(role) => Some(role),
        Access::Own => None,
    });
    let roles = listed.chain(state.organization.iter().map(|organization| &organization.access));
    for id in roles.filter_map(|role| role.external_id.as_ref()).map(ExternalId::reveal) {
        if id.len() >= SHORTEST_SECRET && text.matches(id).count() == 1 {
            assert!(!debug(state).contains(id), "the state shows an external id");
        }
    }
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

fn together(documents: &[&[u8]]) {
    let files: Vec<String> = (0..documents.len()).map(|index| format!("{index:03}.yaml")).collect();
    let named: Vec<(&str, &[u8])> = files.iter().map(String::as_str).zip(documents.iter().copied()).collect();
    let reversed: Vec<(&str, &[u8])> = files.iter().map(String::as_str).zip(documents.iter().rev().copied()).collect();
    let alone: Vec<Result<DesiredState, Problems>> = documents.iter().map(|document| desired::load(document)).collect();
    let all = desired::load_all(&named);
    assert_eq!(all.is_ok(), desired::load_all(&reversed).is_ok(), "the order of the files decides nothing");
    match &all {
        Ok(state) => {
            let mut accounts = 0;
            for part in &alone {
                let part = part.as_ref().expect("each of them is accepted by itself");
                accounts += part.accounts.len();
                assert!(part.accounts.iter().all(|(id, wanted)| state.accounts.get(id) == Some(wanted)), "nothing is lost");
                assert!(part.organization.is_none() || part.organization == state.organization, "nothing is lost");
            }
            assert_eq!(state.accounts.len(), accounts, "nothing is claimed twice, and nothing is added");
        }
        Err(problems) => {
            refused(&named, problems);
            for (part, (name, _)) in alone.iter().zip(&named) {
                let Err(own) = part else { continue };
                let told: Vec<_> = problems.iter().filter(|problem| problem.file.as_deref() == Some(*name)).collect();
                let is_told = |problem: &desired::Problem| {
                    told.iter().any(|one| (&one.message, one.line, &one.path) == (&problem.message, problem.line, &problem.path))
                };
                assert!(own.iter().all(is_told), "what is wrong with {name} by itself is told");
            }
        }
    }
}
