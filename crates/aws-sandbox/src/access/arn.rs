//! Patterns of ARNs. The six parts are compared one by one, so that a `*` never reaches over a colon into the next
//! (IAM User Guide, elements Resource and Condition).

use crate::policy_document::fits;

const PARTS: usize = 6;

/// Whether IAM takes this for a pattern of ARNs.
pub(super) fn is_pattern(text: &str) -> bool {
    text == "*" || (text.starts_with("arn:") && text.splitn(PARTS, ':').count() == PARTS)
}

/// Whether an ARN fits a pattern. What has no ARN, and is asked about as `*`, fits only `*`.
pub(super) fn matches(pattern: &str, arn: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let (patterns, parts) = (pattern.splitn(PARTS, ':'), arn.splitn(PARTS, ':'));
    arn.splitn(PARTS, ':').count() == PARTS && patterns.zip(parts).all(|(pattern, part)| fits(pattern, part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/Dhmc";

    #[test]
    fn a_wildcard_stays_within_its_part_of_the_arn() {
        for pattern in ["*", ROLE, "arn:*:iam::*:role/*", "arn:aws:iam::111122223333:*", "arn:aws:iam::????22223333:role/*/Dhmc"]
        {
            assert!(matches(pattern, ROLE), "{pattern}");
        }
        for pattern in
            ["arn:aws:*:role/service-role/Dhmc:", "arn:aws:iam::111122223333:role/Dhmc", "arn:aws:ssm::111122223333:role/*"]
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
    fn patterns_of_arns_are_told_from_other_texts() {
        assert!(is_pattern("*") && is_pattern("arn:aws:iam::aws:policy/*"));
        for text in ["", "**", "arn:*", "role/Dhmc", "arn:aws:iam::111122223333"] {
            assert!(!is_pattern(text), "{text}");
        }
    }
}
