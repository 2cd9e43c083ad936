//! What is wrong with a document, and where: for people, with a place to look at and a way out.
//!
//! Messages never hold more of the document than a short quotation, so that a hostile one cannot flood or forge a log.
//! Filled by everything in [`super`] that reads documents; printed by `source`.

use std::fmt;
use std::sync::Arc;

/// How many characters of the document's own text a message repeats.
const QUOTATION_LENGTH: usize = 60;

/// A place in the text of a document. Both count from 1; a column is a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// A value's place: the keys that lead to it, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Such as `spec.regions.eu-west-1`; empty for the document as a whole.
    pub path: String,
    /// Where in the text; `None` for the document as a whole.
    pub position: Option<Position>,
}

impl Place {
    /// The document as a whole.
    #[must_use]
    pub fn whole_document() -> Self {
        Self { path: String::new(), position: None }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Which of several files; `None`: there is only one.
    pub file: Option<Arc<str>>,
    /// Such as `spec.regions.eu-wset-1`; empty for the document as a whole.
    pub path: String,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column, from 1, in characters.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Problem {
    /// A problem with what is at a place.
    #[must_use]
    pub fn new(place: &Place, message: impl Into<String>) -> Self {
        Self {
            file: None,
            path: place.path.clone(),
            line: place.position.map(|position| position.line),
            column: place.position.map(|position| position.column),
            message: message.into(),
            help: None,
        }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The same, with what to do about it where that is known.
    #[must_use]
    pub fn maybe_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// The same, in one of several files.
    #[must_use]
    pub(super) fn of_file(self, file: &Arc<str>) -> Self {
        Self { file: Some(Arc::clone(file)), ..self }
    }

    /// Shows the problem as compilers do: `FILE:LINE:COLUMN: path: message; help`. Of several files, `file` is the directory.
    #[must_use]
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display {
        InFile { file, problems: std::slice::from_ref(self) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}{}", if self.line.is_some() { ":" } else { ": " })?;
        }
        self.write_place_and_text(f)
    }
}

impl Problem {
    fn write_place_and_text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        self.write_text(f)
    }

    fn write_text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

/// Everything that is wrong with what was read: at least one problem, in the order of the files and of their text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// All of them, or `None` if there are none.
    #[must_use]
    pub fn of(mut found: Vec<Problem>) -> Option<Self> {
        found.sort_by(|one, other| (&one.file, one.line, one.column).cmp(&(&other.file, other.line, other.column)));
        (!found.is_empty()).then_some(Self(found))
    }

    /// The problems in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.0.iter()
    }

    /// Shows all of them as compilers do, one a line. Of several files, `file` is the directory.
    #[must_use]
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display {
        InFile { file, problems: &self.0 }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.0, |f, problem| problem.fmt(f))
    }
}

struct InFile<'a> {
    file: &'a str,
    problems: &'a [Problem],
}

impl fmt::Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, self.problems, |f, problem| {
            match &problem.file {
                Some(name) => write!(f, "{}/{name}", self.file.trim_end_matches('/'))?,
                None => f.write_str(self.file)?,
            }
            f.write_str(if problem.line.is_some() { ":" } else { ": " })?;
            problem.write_place_and_text(f)
        })
    }
}

fn write_lines(
    f: &mut fmt::Formatter<'_>,
    problems: &[Problem],
    write: impl Fn(&mut fmt::Formatter<'_>, &Problem) -> fmt::Result,
) -> fmt::Result {
    for (index, problem) in problems.iter().enumerate() {
        if index > 0 {
            f.write_str("\n")?;
        }
        write(f, problem)?;
    }
    Ok(())
}

/// The path of what a mapping holds under a key.
pub(super) fn path_of_key(mapping: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match (mapping, !key.is_empty() && key.len() <= QUOTATION_LENGTH && key.chars().all(plain)) {
        ("", true) => key.to_owned(),
        (_, true) => format!("{mapping}.{key}"),
        (_, false) => format!("{mapping}[{}]", Quoted(key)),
    }
}

/// The path of what a list holds at an index, from 0.
pub(super) fn path_of_item(list: &str, index: usize) -> String {
    format!("{list}[{index}]")
}

/// Text of the document within a message: in backticks, escaped, and cut short.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

/// The one field whose value is nobody's business, in lower case.
const SECRET: &str = "externalid";

/// Text up to where a secret may begin: `externalId:s3cr3t` without its space is a key, or a part of another value.
fn discreet(text: &str) -> &str {
    let lower = text.to_ascii_lowercase();
    lower.find(SECRET).map_or(text, |at| &text[..at + SECRET.len()])
}

/// Whether what is at a path may be a secret, wherever somebody put it.
pub(super) fn is_secret(path: &str) -> bool {
    path.to_ascii_lowercase().contains(SECRET)
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut characters = discreet(self.0).chars();
        let shown: String = characters.by_ref().take(QUOTATION_LENGTH).collect();
        let rest = if characters.next().is_some() { "…" } else { "" };
        write!(f, "`{}{rest}`", shown.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: usize, column: usize, path: &str) -> Place {
        Place { path: path.to_owned(), position: Some(Position { line, column }) }
    }

    #[test]
    fn what_may_be_a_secret_is_not_quoted() {
        for text in ["externalId:s3cr3t", "name externalId: s3cr3t", "EXTERNALID=s3cr3t"] {
            let told = format!("{} {}", Quoted(text), path_of_key("spec", text));
            assert!(!told.contains("s3cr3t") && told.to_lowercase().contains("externalid"), "{told}");
        }
    }

    #[test]
    fn problems_come_in_the_order_of_the_text() {
        let found = vec![
            Problem::new(&at(7, 5, "spec.b"), "second"),
            Problem::new(&at(7, 1, "spec.a"), "first").help("do this"),
            Problem::new(&Place::whole_document(), "all of it"),
        ];
        let problems = Problems::of(found).unwrap();
        assert_eq!(problems.to_string(), "all of it\n7:1: spec.a: first; do this\n7:5: spec.b: second");
        assert_eq!(
            problems.in_file("a.yaml").to_string(),
            "a.yaml: all of it\na.yaml:7:1: spec.a: first; do this\na.yaml:7:5: spec.b: second"
        );
    }

    #[test]
    fn no_problems_are_not_problems() {
        assert_eq!(Problems::of(Vec::new()), None);
    }

    #[test]
    fn quotations_are_short_and_stay_on_their_line() {
        assert_eq!(Quoted("a\nb\u{1b}[31m").to_string(), "`a\\nb\\u{1b}[31m`");
        assert_eq!(Quoted(&"x".repeat(1000)).to_string().chars().count(), QUOTATION_LENGTH + 3);
    }
}
