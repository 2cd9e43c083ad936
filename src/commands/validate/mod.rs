//! `validate`: look at documents without AWS, and tell everything that is wrong with them.
//!
//! They are read and judged as `run` reads and judges them.

mod github;
mod text;

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::failed;
use crate::cli::validate::{ReportFormat, ValidateArgs};
use crate::desired::excerpt::{Excerpt, Excerpts};
use crate::desired::{MAX_BYTES, Problem};
use crate::source::{self, Content, ReadError};
use crate::terminal;

/// What stands for standard input on the command line, and in reports.
const STANDARD_INPUT: (&str, &str) = ("-", "<stdin>");

/// All that was looked at.
#[derive(Debug, Serialize)]
struct Report {
    valid: bool,
    documents: Vec<Judged>,
}

/// One argument of the command line.
#[derive(Debug, Serialize)]
struct Judged {
    file: String,
    valid: bool,
    problems: Vec<Finding>,
}

/// One thing that is wrong, with all that is known of its place.
#[derive(Debug, Serialize)]
struct Finding {
    file: String,
    line: Option<usize>,
    column: Option<usize>,
    path: String,
    message: String,
    help: Option<String>,
    #[serde(skip)]
    excerpt: Option<Excerpt>,
}

/// Checks every document.
#[must_use]
pub fn validate(args: &ValidateArgs) -> ExitCode {
    let documents: Vec<Judged> = args.files.iter().map(|path| Judged::of(path, args.output)).collect();
    let report = Report { valid: documents.iter().all(|document| document.valid), documents };
    let printed = match args.output {
        ReportFormat::Text => terminal::print(&text::report(&report)),
        ReportFormat::Json => terminal::print_json(&report),
        ReportFormat::Github => terminal::print(&github::report(&report)),
    };
    match printed {
        Ok(()) if report.valid => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => failed(&format!("the report cannot be printed: {error}")),
    }
}

impl Judged {
    fn of(path: &Path, format: ReportFormat) -> Self {
        let is_standard_input = path.as_os_str() == STANDARD_INPUT.0;
        let content = if is_standard_input { standard_input() } else { source::read(path) };
        let file = if is_standard_input { STANDARD_INPUT.1.to_owned() } else { path.display().to_string() };
        let problems = match content {
            Ok(content) => problems_of(&content, path, &file, format),
            Err(error) => vec![unread(error, path, file.clone())],
        };
        Self { file, valid: problems.is_empty(), problems }
    }
}

fn standard_input() -> Result<Content, ReadError> {
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_BYTES { Err(ReadError::TooLarge) } else { Ok(Content::one(bytes)) }
}

fn problems_of(content: &Content, path: &Path, label: &str, format: ReportFormat) -> Vec<Finding> {
    let Err(problems) = content.load() else { return Vec::new() };
    let mut findings = Vec::new();
    let mut of_file: Option<(Option<&str>, Excerpts<'_>)> = None;
    // Problems come file by file.
    for problem in &problems {
        let file = problem.file.as_deref();
        if format == ReportFormat::Text && of_file.as_ref().is_none_or(|(name, _)| *name != file) {
            of_file = Some((file, Excerpts::of(content.bytes_of(file))));
        }
        let excerpt = of_file.as_ref().and_then(|(_, excerpts)| excerpts.at(problem));
        let file = file.map_or_else(|| label.to_owned(), |name| path.join(name).display().to_string());
        findings.push(Finding::of(problem, file, excerpt));
    }
    findings
}

fn unread(error: ReadError, path: &Path, label: String) -> Finding {
    let (file, message) = match error {
        ReadError::Entry { file, reason } => (path.join(file).display().to_string(), reason.to_string()),
        other => (label, other.to_string()),
    };
    Finding { file, line: None, column: None, path: String::new(), message, help: None, excerpt: None }
}

impl Finding {
    fn of(problem: &Problem, file: String, excerpt: Option<Excerpt>) -> Self {
        let Problem { line, column, path, message, help, .. } = problem.clone();
        Self { file, line, column, path, message, help, excerpt }
    }

    /// What is wrong, with the path of the value.
    fn title(&self) -> String {
        if self.path.is_empty() { self.message.clone() } else { format!("{}: {}", self.path, self.message) }
    }
}
