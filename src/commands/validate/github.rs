//! The report as workflow commands of GitHub Actions: `::error file=..,line=..,col=..,title=..::message`.
//!
//! A text with a line break in it could be a command of its own; so what has a meaning in a command is escaped, as GitHub's own
//! toolkit does (`@actions/core`, `escapeData` and `escapeProperty`).

use super::super::counted;
use super::{Finding, Report};

pub(super) fn report(report: &Report) -> String {
    let findings: Vec<&Finding> = report.documents.iter().flat_map(|document| &document.problems).collect();
    let commands: String = findings.iter().map(|finding| command(finding)).collect();
    let documents = counted(report.documents.len(), "document");
    format!("{commands}{documents}, {}\n", counted(findings.len(), "problem"))
}

fn command(finding: &Finding) -> String {
    let place = match (finding.line, finding.column) {
        (Some(line), Some(column)) => format!(",line={line},col={column}"),
        _ => String::new(),
    };
    let title = if finding.path.is_empty() { String::new() } else { format!(",title={}", property(&finding.path)) };
    let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("::error file={}{place}{title}::{}\n", property(&finding.file), data(&format!("{}{help}", finding.message)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::Judged;
    use super::*;

    #[test]
    fn no_name_of_a_file_can_be_a_command_or_a_property_of_its_own() {
        let finding = Finding {
            file: "a,line=1\n::stop-commands::x".to_owned(),
            line: Some(2),
            column: Some(3),
            path: "spec.role[`50%`]".to_owned(),
            message: "100% wrong".to_owned(),
            help: Some("write: this".to_owned()),
            excerpt: None,
        };
        let judged = Judged { file: String::new(), valid: false, problems: vec![finding] };
        assert_eq!(
            report(&Report { valid: false, documents: vec![judged] }),
            "::error file=a%2Cline=1%0A%3A%3Astop-commands%3A%3Ax,line=2,col=3,title=spec.role[`50%25`]::100%25 wrong; write: this\n\
             1 document, 1 problem\n"
        );
    }
}
