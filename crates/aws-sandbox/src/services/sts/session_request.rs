//! What a caller asks of `AssumeRole`, checked before any account is looked at.

use crate::services::Context;
use crate::wire::error::{ServiceError, Shared};

/// The shortest and the longest session AWS opens, in seconds.
const SHORTEST: u64 = 900;
const LONGEST: u64 = 43_200;
const DEFAULT: u64 = 3600;
/// Of a session opened from a session.
const LONGEST_CHAINED: u64 = 3600;

/// A well-formed request.
#[derive(Debug)]
pub(super) struct SessionRequest<'a> {
    pub(super) role_arn: &'a str,
    /// Of the role: the partition and the account its ARN names.
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    pub(super) session_name: &'a str,
    pub(super) seconds: u64,
    pub(super) has_tags: bool,
    pub(super) transitive_tags: bool,
}

impl<'a> SessionRequest<'a> {
    pub(super) fn read(call: &'a Context<'_>) -> Result<Self, ServiceError> {
        let role_arn = call.params.required("RoleArn")?;
        let (partition, account) = parts(role_arn).ok_or_else(|| invalid(call, format!("{role_arn} is invalid")))?;
        let tags = call.params.tags();
        let transitive = call.params.texts("TransitiveTagKeys");
        if !transitive.iter().all(|key| tags.iter().any(|(own, _)| own == key)) {
            let message = "The specified transitive tag key must be included in the requested tags.";
            return Err(invalid(call, message.to_owned()));
        }
        limited(call, "ExternalId", 1224)?;
        Ok(Self {
            role_arn,
            partition,
            account,
            session_name: limited(call, "RoleSessionName", 64)?.ok_or_else(|| missing(call, "RoleSessionName"))?,
            seconds: seconds(call)?,
            has_tags: !tags.is_empty(),
            transitive_tags: !transitive.is_empty(),
        })
    }
}

/// Partition and account of a role's ARN.
fn parts(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':');
    let (partition, service, region, account) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let name = parts.next()?.strip_prefix("role/")?;
    let whole = service == "iam" && region.is_empty() && !name.is_empty();
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (whole && digits).then_some((partition, account))
}

/// A text of the letters that names in STS have; external ids may also hold `:` and `/`.
fn limited<'a>(call: &'a Context<'_>, param: &str, longest: usize) -> Result<Option<&'a str>, ServiceError> {
    let Some(text) = call.params.text(param) else {
        return Ok(None);
    };
    let further: &[u8] = if param == "ExternalId" { b"_+=,.@:/-" } else { b"_+=,.@-" };
    let refuse = |rule: &str| Err(call.params.invalid(param, &format!("'{text}'"), rule));
    if text.len() < 2 {
        return refuse("Member must have length greater than or equal to 2");
    }
    if text.len() > longest {
        return refuse(&format!("Member must have length less than or equal to {longest}"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || further.contains(&byte)) {
        let pattern = if param == "ExternalId" { "[\\w+=,.@:\\/-]*" } else { "[\\w+=,.@-]*" };
        return refuse(&format!("Member must satisfy regular expression pattern: {pattern}"));
    }
    Ok(Some(text))
}

fn missing(call: &Context<'_>, param: &str) -> ServiceError {
    call.params.invalid(param, "null", "Member must not be null")
}

fn seconds(call: &Context<'_>) -> Result<u64, ServiceError> {
    let seconds = call.params.number("DurationSeconds")?.unwrap_or(DEFAULT);
    let refuse = |rule: &str| Err(call.params.invalid("DurationSeconds", &format!("'{seconds}'"), rule));
    if seconds < SHORTEST {
        return refuse("Member must have value greater than or equal to 900");
    }
    if seconds > LONGEST {
        return refuse("Member must have value less than or equal to 43200");
    }
    if call.identity.is_session() && seconds > LONGEST_CHAINED {
        let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(invalid(call, message.to_owned()));
    }
    Ok(seconds)
}

pub(super) fn invalid(call: &Context<'_>, message: String) -> ServiceError {
    Shared::Invalid.in_words(call.protocol, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arn_of_a_role_names_its_partition_and_account() {
        let arn = "arn:aws-cn:iam::111122223333:role/team/member";
        assert_eq!(parts(arn), Some(("aws-cn", "111122223333")));
    }

    #[test]
    fn what_is_not_the_arn_of_a_role_is_told_from_one() {
        for arn in [
            "",
            "member",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:user/bob",
            "arn:aws:iam::1234:role/member",
            "arn:aws:iam:us-east-1:111122223333:role/member",
            "arn:aws:sts::111122223333:assumed-role/member/session",
        ] {
            assert_eq!(parts(arn), None, "{arn}");
        }
    }
}
