//! The whole of an examination, and how it is told: to people, and to programs. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::Style;
use serde::Serialize;

use super::finding::{Finding, Level};
use crate::desired::names::{AccountId, Region};
use crate::terminal::{BAD, FAINT, GOOD, STRONG, WARNING, plain_line, styled};

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What the document is called.
    pub document: String,
    /// `problem` if anything is one, else `ok`.
    pub result: Level,
    /// How many findings there are of each level.
    pub counts: BTreeMap<&'static str, usize>,
    /// How much of the organization was looked into, where one is declared and could be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Sampled>,
    /// What is about no account.
    pub findings: Vec<Finding>,
    /// What is about one.
    pub accounts: Vec<AccountFindings>,
}

/// How much of an organization was looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sampled {
    /// The accounts that the document comes to.
    pub managed: usize,
    /// Those that were looked into.
    pub examined: usize,
}

/// What was found in one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountFindings {
    /// Its id, or `own` where it never became known.
    pub account: String,
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl AccountFindings {
    /// Of an account.
    #[must_use]
    pub fn new(account: &impl ToString, name: Option<&str>, findings: Vec<Finding>) -> Self {
        Self { account: account.to_string(), name: name.map(str::to_owned), findings }
    }

    /// The same, now that its id is known.
    #[must_use]
    pub fn known_as(self, id: AccountId) -> Self {
        Self { account: id.to_string(), ..self }
    }
}

impl Report {
    /// Counts what was found.
    #[must_use]
    pub fn new(document: &str, organization: Option<Sampled>, findings: Vec<Finding>, accounts: Vec<AccountFindings>) -> Self {
        let all = || findings.iter().chain(accounts.iter().flat_map(|account| &account.findings));
        let count = |level: Level| (level.label(), all().filter(|finding| finding.level == level).count());
        let result = if all().any(|finding| finding.level == Level::Problem) { Level::Problem } else { Level::Ok };
        let counts = Level::ALL.map(count).into();
        Self { document: document.to_owned(), result, counts, organization, findings, accounts }
    }

    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{}", styled(STRONG, &format!("document {}", plain_line(&self.document))));
        tell(&mut text, &self.findings);
        if let Some(Sampled { managed, examined }) = self.organization
            && examined < managed
        {
            let _ = writeln!(
                text,
                "\nOf {managed} accounts of the organization {examined} were looked into (--accounts all: every one)."
            );
        }
        for account in &self.accounts {
            let name = account.name.as_deref().map(|name| format!(" ({})", plain_line(name))).unwrap_or_default();
            let _ = writeln!(text, "\n{}", styled(STRONG, &format!("account {}{name}", account.account)));
            tell(&mut text, &account.findings);
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }

    fn summary(&self) -> String {
        let told = Level::ALL.iter().filter_map(|level| {
            let count = *self.counts.get(level.label())?;
            let words = match (level, count) {
                (_, 0) => return None,
                (Level::Problem, 1) => "problem",
                (Level::Problem, _) => "problems",
                (Level::Warning, 1) => "warning",
                (Level::Warning, _) => "warnings",
                (Level::Unchecked, _) => "could not be checked",
                (Level::Note, 1) => "note",
                (Level::Note, _) => "notes",
                (Level::Ok, _) => "ok",
            };
            Some(styled(style(*level), &format!("{count} {words}")))
        });
        told.collect::<Vec<_>>().join(", ")
    }
}

fn style(level: Level) -> Style {
    match level {
        Level::Ok => GOOD,
        Level::Note => Style::new(),
        Level::Warning => WARNING,
        Level::Problem => BAD,
        Level::Unchecked => FAINT,
    }
}

fn tell(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        // Padded before it is styled: styles have no width and many characters.
        let level = styled(style(finding.level), &format!("{:<9}", finding.level.label()));
        let regions = match finding.regions.as_slice() {
            [] => String::new(),
            regions => format!("{}: ", regions.iter().map(Region::as_str).collect::<Vec<_>>().join(", ")),
        };
        let _ = writeln!(text, "  {level}  {:<19}  {regions}{}", finding.check.label(), plain_line(&finding.found));
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "{:34}{}", "", styled(FAINT, &format!("-> {}", plain_line(advice))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Check;

    fn report(findings: Vec<Finding>) -> Report {
        Report::new("production", None, Vec::new(), vec![AccountFindings::new(&"111122223333", Some("hub"), findings)])
    }

    #[test]
    fn one_problem_anywhere_is_a_problem_and_nothing_else_is() {
        let others = vec![
            Finding::warning(Check::Rivals, "w", "do"),
            Finding::not_looked_at(Check::Writes, "u", "do"),
            Finding::note(Check::Rivals, "n", "do"),
        ];
        assert_eq!(report(others.clone()).result, Level::Ok);
        let worst = [others, vec![Finding::problem(Check::Role, "p", "do")]].concat();
        assert_eq!(report(worst.clone()).result, Level::Problem);
        assert_eq!(
            report(worst).counts,
            BTreeMap::from([("ok", 0), ("note", 1), ("warning", 1), ("problem", 1), ("unchecked", 1)])
        );
    }

    #[test]
    fn what_others_write_stays_on_its_line() {
        let text = report(vec![Finding::problem(Check::Role, "a\n\u{1b}[2Jb", "c")]).text();
        assert!(text.contains("a\\n\\u{1b}[2Jb"), "{text}");
    }

    #[test]
    fn a_sample_says_of_how_many() {
        let of = |examined| Report::new("d", Some(Sampled { managed: 12, examined }), Vec::new(), Vec::new()).text();
        assert!(of(3).contains("Of 12 accounts of the organization 3 were looked into"));
        assert!(!of(12).contains("looked into"));
    }
}
