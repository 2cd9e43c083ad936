//! What was found, how bad it is, and what to do about it.

use serde::Serialize;

use crate::cloud::{ASSUME_ROLE, CloudError, ErrorKind};
use crate::desired::names::Region;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Works, and somebody should look at it.
    Warning,
    /// Does not work, or could not be read though the controller needs it.
    Problem,
    /// Could not be checked; the controller does without.
    Unchecked,
}

impl Level {
    /// All of them, from the worst.
    pub const ALL: [Self; 5] = [Self::Problem, Self::Warning, Self::Unchecked, Self::Note, Self::Ok];

    /// The word in reports.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Problem => "problem",
            Self::Unchecked => "unchecked",
        }
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whose the controller's own credentials are.
    Credentials,
    /// Whether this machine's clock agrees with AWS's.
    Clock,
    /// Whether the accounts of the organization can be listed.
    Organization,
    /// Whether the credentials for an account are of that account.
    Access,
    /// Which regions are open to the account.
    Regions,
    /// Whether Systems Manager answers in a region, and the setting can be read.
    Settings,
    /// Whether the role is there and can serve Systems Manager.
    Role,
    /// What the role lets every host do.
    RolePolicies,
    /// Whether the role allows what Session Manager is told to do.
    SessionPreferences,
    /// Who else manages the same settings.
    Rivals,
    /// Whether what the document declares may be written.
    Writes,
}

impl Check {
    /// The words in reports.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Clock => "clock",
            Self::Organization => "organization",
            Self::Access => "access",
            Self::Regions => "regions",
            Self::Settings => "settings",
            Self::Role => "role",
            Self::RolePolicies => "role policies",
            Self::SessionPreferences => "session preferences",
            Self::Rivals => "rivals",
            Self::Writes => "writes",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What was looked at.
    pub check: Check,
    /// In which regions, where it is about some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// What was found.
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn new(level: Level, check: Check, found: impl Into<String>) -> Self {
        Self { level, check, regions: Vec::new(), found: found.into(), advice: None }
    }

    /// As it should be.
    pub fn ok(check: Check, found: impl Into<String>) -> Self {
        Self::new(Level::Ok, check, found)
    }

    /// Good to know, and what to do if it matters.
    pub fn note(check: Check, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Note, check, found).advised(advice)
    }

    /// Works, and somebody should look at it.
    pub fn warning(check: Check, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Warning, check, found).advised(advice)
    }

    /// Does not work.
    pub fn problem(check: Check, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Problem, check, found).advised(advice)
    }

    /// A call that the controller makes too has failed.
    #[must_use]
    pub fn unread(check: Check, error: &CloudError) -> Self {
        Self::problem(check, error.to_string(), advice_on(error))
    }

    /// A call that only this examination makes has failed.
    #[must_use]
    pub fn unchecked(check: Check, error: &CloudError) -> Self {
        let operation = error.operation;
        let advice = match error.kind {
            ErrorKind::Denied => format!("allow {operation} to have this checked; the controller itself does without"),
            _ => format!("run this again to have this checked; the controller itself does without {operation}"),
        };
        Self::new(Level::Unchecked, check, format!("could not be checked: {error}")).advised(advice)
    }

    /// Nobody could ask.
    pub fn not_looked_at(check: Check, why: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Level::Unchecked, check, format!("could not be checked: {}", why.into())).advised(advice)
    }

    /// The same, of these regions.
    #[must_use]
    pub fn in_regions<'a>(self, regions: impl IntoIterator<Item = &'a Region>) -> Self {
        Self { regions: regions.into_iter().cloned().collect(), ..self }
    }

    fn advised(self, advice: impl Into<String>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }
}

/// What to do about a call that the controller needs.
fn advice_on(error: &CloudError) -> String {
    use ErrorKind as Kind;
    let operation = error.operation;
    let is_about_rights = error.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied"));
    match error.kind {
        Kind::Denied if operation == ASSUME_ROLE => {
            "compare the role's trust policy with what `policy trust --for hub` prints, and the document's `assumeRole` with the \
             role"
                .to_owned()
        }
        Kind::Denied if is_about_rights => format!(
            "allow {operation} (`policy` prints the policies), and look for a Deny above it, such as a service control policy"
        ),
        Kind::Denied if error.refuses_the_key() && operation.starts_with("ssm:") => {
            "enable the region for the account or take it out of the document; if it is enabled, renew the controller's \
             credentials"
                .to_owned()
        }
        Kind::Denied => "give the controller credentials that AWS knows and that are not over".to_owned(),
        Kind::Throttled => "run this again later; if it stays, somebody calls AWS a lot from this account".to_owned(),
        Kind::Unavailable => {
            "see that the endpoint can be reached from here: proxy, firewall, VPC endpoint, AWS_ENDPOINT_URL".to_owned()
        }
        Kind::RegionDisabled => "enable the region for the account, or take it out of the document".to_owned(),
        Kind::Rejected | Kind::Missing | Kind::Conflict => {
            format!("look at why AWS does not take {operation}: the controller cannot do without")
        }
    }
}

/// Findings that say the same of several regions, as one: the order of the first of each stays.
#[must_use]
pub fn together(findings: Vec<Finding>) -> Vec<Finding> {
    let mut joined: Vec<Finding> = Vec::new();
    for finding in findings {
        // What AWS says often names the region, and is the same sentence all the same.
        let same = |other: &&mut Finding| {
            other.level == finding.level
                && other.check == finding.check
                && !other.regions.is_empty()
                && !finding.regions.is_empty()
                && other.regionless() == finding.regionless()
        };
        match joined.iter_mut().find(same) {
            Some(other) => other.regions.extend(finding.regions),
            None => joined.push(finding),
        }
    }
    for finding in joined.iter_mut().filter(|finding| finding.regions.len() > 1) {
        let regionless = finding.regionless();
        (finding.found, finding.advice) = regionless;
    }
    joined
}

impl Finding {
    /// What it says, without the names of its regions.
    fn regionless(&self) -> (String, Option<String>) {
        let without =
            |text: &str| self.regions.iter().fold(text.to_owned(), |text, region| text.replace(region.as_str(), "REGION"));
        (without(&self.found), self.advice.as_deref().map(without))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, code: Option<&str>, region: &str) -> CloudError {
        CloudError {
            operation: "ssm:GetServiceSetting",
            kind,
            code: code.map(str::to_owned),
            message: format!("not on arn:aws:ssm:{region}:111122223333:servicesetting/x"),
            source: None,
        }
    }

    fn of(region: &str, finding: Finding) -> Finding {
        finding.in_regions(&[region.parse().unwrap()])
    }

    #[test]
    fn what_is_the_same_in_several_regions_is_told_once() {
        let denied = |region| {
            of(region, Finding::unread(Check::Settings, &error(ErrorKind::Denied, Some("AccessDeniedException"), region)))
        };
        let found = together(vec![
            denied("us-east-1"),
            of("eu-west-1", Finding::unread(Check::Settings, &error(ErrorKind::Unavailable, None, "eu-west-1"))),
            denied("sa-east-1"),
        ]);
        let regions = |finding: &Finding| finding.regions.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found.iter().map(regions).collect::<Vec<_>>(), [vec!["us-east-1", "sa-east-1"], vec!["eu-west-1"]]);
        assert!(found[0].found.contains("arn:aws:ssm:REGION:111122223333"), "{}", found[0].found);
        assert!(found[1].found.contains("arn:aws:ssm:eu-west-1:111122223333"), "{}", found[1].found);
    }

    #[test]
    fn findings_of_no_region_stay_apart() {
        let note = || Finding::note(Check::Role, "a", "b");
        assert_eq!(together(vec![note(), note()]).len(), 2);
    }

    #[test]
    fn whoever_is_refused_learns_whether_it_is_the_key_or_the_right() {
        let advice = |kind, code| Finding::unread(Check::Settings, &error(kind, code, "eu-west-1")).advice.unwrap();
        assert!(advice(ErrorKind::Denied, Some("AccessDeniedException")).starts_with("allow ssm:GetServiceSetting"));
        assert!(advice(ErrorKind::Denied, Some("UnrecognizedClientException")).starts_with("enable the region"));
        assert!(advice(ErrorKind::Denied, None).contains("credentials"));
        assert!(advice(ErrorKind::Unavailable, None).contains("endpoint"));
    }
}
