//! The report for people: each problem as compilers show theirs.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::super::counted;
use super::{Finding, Judged, Report};
use crate::terminal::{BAD, GOOD, plain_line, styled, width};

/// A line in a pipe, where nobody says how much fits.
const USUAL_WIDTH: usize = 140;

pub(super) fn report(report: &Report) -> String {
    let renderer = Renderer::styled().term_width(width().unwrap_or(USUAL_WIDTH).min(USUAL_WIDTH));
    report.documents.iter().map(|document| judged(document, &renderer)).collect()
}

fn judged(document: &Judged, renderer: &Renderer) -> String {
    let findings = document.problems.iter().map(|finding| renderer.render(&[group(finding)]) + "\n\n");
    let verdict = match document.problems.len() {
        0 => styled(GOOD, "valid"),
        problems => styled(BAD, &counted(problems, "problem")),
    };
    format!("{}{}: {verdict}\n", findings.collect::<String>(), plain_line(&document.file))
}

fn group(finding: &Finding) -> Group<'_> {
    // A path may have anything in it.
    let file = plain_line(&finding.file);
    let group = Group::with_title(Level::ERROR.primary_title(finding.title()));
    let group = match (finding.line, finding.column, &finding.excerpt) {
        (Some(line), Some(column), Some(excerpt)) => {
            let marked = AnnotationKind::Primary.span(excerpt.marked.clone());
            let snippet = Snippet::source(excerpt.text.as_str()).line_start(line).annotation(marked);
            let is_whole = excerpt.text[..excerpt.marked.start].chars().count() + 1 == column;
            // The place of what is marked is told with the lines, unless they begin somewhere else.
            if is_whole {
                group.element(snippet.path(file))
            } else {
                group.element(Origin::path(file).line(line).char_column(column)).element(snippet)
            }
        }
        (Some(line), Some(column), None) => group.element(Origin::path(file).line(line).char_column(column)),
        _ => group.element(Origin::path(file)),
    };
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}
