//! Patterns of ARNs. The six parts are compared one by one, so that a `*` never reaches over a colon into the next
//! (IAM User Guide, elements Resource and Condition).

use crate::pattern::Pattern;

const PARTS: usize = 6;

/// A pattern of ARNs.
#[derive(Debug, Clone)]
pub(super) enum ArnPattern {
    /// `*`: also fits what has no ARN, and is asked about as `*`.
    Any,
    Parts(Vec<Pattern>),
}

impl ArnPattern {
    /// Reads a pattern; the error says why IAM, or the sandbox, would not take it for one.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if !text.starts_with("arn:") || text.splitn(PARTS, ':').count() < PARTS {
            return Err(format!("Resource {text} must be in ARN format or \"*\"."));
        }
        text.splitn(PARTS, ':').map(Pattern::read).collect::<Result<_, _>>().map(Self::Parts)
    }

    pub(super) fn fits(&self, arn: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Parts(patterns) => {
                let parts: Vec<&str> = arn.splitn(PARTS, ':').collect();
                parts.len() == PARTS && patterns.iter().zip(parts).all(|(pattern, part)| pattern.fits(part))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, arn: &str) -> bool {
        ArnPattern::read(pattern).unwrap().fits(arn)
    }

    const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/Dhmc";

    #[test]
    fn a_wildcard_stays_within_its_part_of_the_arn() {
        for pattern in ["*", ROLE, "arn:*:iam::*:role/*", "arn:aws:iam::111122223333:*", "arn:aws:iam::????22223333:role/*/Dhmc"]
        {
            assert!(matches(pattern, ROLE), "{pattern}");
        }
        for pattern in
            ["arn:aws:*:role/service-role/Dhmc::", "arn:aws:iam::111122223333:role/Dhmc", "arn:aws:ssm::111122223333:role/*"]
        {
            assert!(!matches(pattern, ROLE), "{pattern}");
        }
        let setting = "arn:aws:ssm:eu-west-1:111122223333:servicesetting/ssm/a";
        assert!(matches("arn:aws:ssm:*:111122223333:servicesetting/ssm/a", setting));
        assert!(!matches("arn:aws:ssm:eu-*:444455556666:servicesetting/ssm/a", setting));
    }

    #[test]
    fn what_has_no_arn_fits_the_star_alone() {
        assert!(matches("*", "*"));
        assert!(!matches("arn:aws:organizations::111122223333:*", "*"));
    }

    #[test]
    fn what_is_no_pattern_of_arns_is_refused() {
        for text in ["", "**", "arn:*", "role/Dhmc", "arn:aws:iam::111122223333", "arn:aws:iam::${aws:PrincipalAccount}:role/x"] {
            assert!(ArnPattern::read(text).is_err(), "{text}");
        }
    }
}
