//! From the SDK's errors to ours: the only list of AWS error codes.
//!
//! Codes come from botocore's service models, with and without the `Exception` suffix (query and JSON services differ);
//! what has no code is told apart by where the call broke off.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::cloud::{CloudError, ErrorKind};

/// How many characters of AWS's messages are told.
pub(super) const LONGEST_MESSAGE: usize = 500;
/// And of its codes, of which the longest has forty-odd.
const LONGEST_CODE: usize = 80;

/// What every SDK client answers with.
pub(super) type ServiceResponse = HttpResponse;

/// Turns a failed call into our words, which never have the secret in them: AWS repeats parameters that it does not like.
pub(super) fn classify<E>(operation: &'static str, error: SdkError<E, ServiceResponse>, secret: Option<&str>) -> CloudError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let failed = |kind, message: String| CloudError { operation, kind, code: None, message, source: None };
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let (code, message) = (answer.err().code(), answer.err().message());
            CloudError {
                operation,
                kind: kind_of(code, message.unwrap_or_default(), status),
                code: code.map(|code| told(code, LONGEST_CODE, secret)),
                message: match message {
                    Some(message) if is_about_clocks(code, message) => {
                        format!("{}{CLOCKS}", told(message, LONGEST_MESSAGE, secret))
                    }
                    Some(message) => told(message, LONGEST_MESSAGE, secret),
                    None if status < 400 => format!("an answer that cannot be read (HTTP status {status})"),
                    None => format!("HTTP status {status}"),
                },
                source: None,
            }
        }
        SdkError::TimeoutError(_) => failed(ErrorKind::Unavailable, "no answer in time".to_owned()),
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            failed(ErrorKind::Unavailable, format!("an answer that cannot be read (HTTP status {status})"))
        }
        SdkError::DispatchFailure(_) => match error.into_source() {
            Ok(source) => not_sent(operation, source),
            Err(_) => failed(ErrorKind::Unavailable, "not sent".to_owned()),
        },
        SdkError::ConstructionFailure(_) => match error.into_source() {
            Ok(source) => failed(ErrorKind::Rejected, format!("the request could not be built: {}", reasons(&*source))),
            Err(_) => failed(ErrorKind::Rejected, "the request could not be built".to_owned()),
        },
        other => failed(ErrorKind::Unavailable, other.to_string()),
    }
}

/// What AWS says, without the secret and cut to a length, in this order: what is cut off could not be known again.
fn told(text: &str, most: usize, secret: Option<&str>) -> String {
    match secret {
        Some(secret) => cut(&text.replace(secret, "..."), most),
        None => cut(text, most),
    }
}

/// AWS writes a sentence or two; whoever stands in for it may write anything, and it goes into logs and the status API.
pub(super) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.to_owned(),
    }
}

/// A call that never reached AWS: no credentials, or no connection.
fn not_sent(operation: &'static str, source: Box<dyn Error + Send + Sync>) -> CloudError {
    let credentials = chain(&*source).find_map(|error| error.downcast_ref::<CredentialsError>());
    let reason = reasons(&*source);
    let (kind, message) = match credentials {
        Some(CredentialsError::CredentialsNotLoaded(_)) => (
            ErrorKind::Denied,
            format!(
                "no credentials found ({reason}); give the controller an IAM role (web identity, Pod Identity, container or \
                 instance), a profile, or AWS_ACCESS_KEY_ID"
            ),
        ),
        Some(CredentialsError::InvalidConfiguration(_)) => {
            (ErrorKind::Denied, format!("the credentials' configuration is wrong: {reason}"))
        }
        Some(_) => (ErrorKind::Unavailable, format!("the credentials could not be fetched: {reason}")),
        None => (
            ErrorKind::Unavailable,
            format!("no connection: {reason} (look at the way to AWS, and at AWS_ENDPOINT_URL and its like if they are set)"),
        ),
    };
    CloudError { operation, kind, code: None, message, source: Some(source) }
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The chain in one line, without the links that repeat the one below.
fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut told: Vec<String> = Vec::new();
    for link in chain(error).map(ToString::to_string) {
        if !told.iter().any(|before| before.contains(&link)) {
            told.retain(|before| !link.contains(before.as_str()));
            told.push(link);
        }
    }
    told.join(": ")
}

/// What whoever reads a refusal for the time of its signature should know.
const CLOCKS: &str = " (this machine's clock disagrees with AWS's, or was just set; the next attempt goes by AWS's)";

/// Whether a call was refused for the time at which it was signed, and not for the key that it was signed with.
fn is_about_clocks(code: Option<&str>, message: &str) -> bool {
    let of_time = ["Signature expired", "Signature not yet current"].iter().any(|text| message.starts_with(text));
    match code.map(|code| code.strip_suffix("Exception").unwrap_or(code)) {
        Some("RequestTimeTooSkewed" | "RequestExpired") => true,
        Some("InvalidSignature" | "SignatureDoesNotMatch") => of_time,
        _ => false,
    }
}

/// What an answer with an error code means.
fn kind_of(code: Option<&str>, message: &str, status: u16) -> ErrorKind {
    // The SDK signs by AWS's clock, which it reads off each answer: a call can only be refused for what it read too long ago.
    if is_about_clocks(code, message) {
        return ErrorKind::Unavailable;
    }
    let code = code.unwrap_or_default();
    match code.strip_suffix("Exception").unwrap_or(code) {
        "Throttling"
        | "Throttled"
        | "ThrottlingError"
        | "RequestThrottled"
        | "RequestLimitExceeded"
        | "TooManyRequests"
        | "SlowDown"
        | "PriorRequestNotComplete" => ErrorKind::Throttled,

        // botocore knows no retry for TooManyUpdates: one update at a time per setting.
        "TooManyUpdates" | "ConcurrentModification" | "EntityAlreadyExists" | "DeleteConflict" => ErrorKind::Conflict,

        // A role that IAM has just created may not be seen by SSM yet (CreateActivation and CreateCloudConnector say it in
        // these words; terraform-provider-aws#27952).
        "Validation" if message.contains("missing ssm service principal") || message.contains("Not existing role") => {
            ErrorKind::Conflict
        }
        // A principal that IAM has just created may not be known everywhere yet (terraform-provider-aws retries it too).
        "MalformedPolicyDocument" if message.contains("Invalid principal") => ErrorKind::Conflict,

        "AccessDenied"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "AuthFailure"
        | "ExpiredToken"
        | "InvalidSignature"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClient"
        | "InvalidClientTokenId"
        | "InvalidAccessKeyId"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "OptInRequired" => ErrorKind::Denied,

        "RegionDisabled" => ErrorKind::RegionDisabled,
        "NoSuchEntity" | "ServiceSettingNotFound" | "InvalidDocument" => ErrorKind::Missing,

        // An IAM quota is a matter for people: waiting does not help.
        "LimitExceeded" | "MalformedPolicyDocument" | "Validation" => ErrorKind::Rejected,

        _ if status == 429 => ErrorKind::Throttled,
        _ if status >= 500 || code.is_empty() => ErrorKind::Unavailable,
        _ => ErrorKind::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_means_what_the_facts_say() {
        use ErrorKind as Kind;
        for (code, message, status, kind) in [
            ("ThrottlingException", "Rate exceeded", 400, Kind::Throttled),
            ("Throttling", "Rate exceeded", 400, Kind::Throttled),
            ("Whatever", "", 429, Kind::Throttled),
            ("InternalServerError", "", 500, Kind::Unavailable),
            ("ServiceFailure", "", 500, Kind::Unavailable),
            ("", "", 503, Kind::Unavailable),
            ("", "", 400, Kind::Unavailable),
            ("AccessDeniedException", "not authorized", 400, Kind::Denied),
            ("AccessDenied", "not authorized", 403, Kind::Denied),
            ("ExpiredTokenException", "", 400, Kind::Denied),
            ("UnrecognizedClientException", "", 400, Kind::Denied),
            ("InvalidClientTokenId", "", 403, Kind::Denied),
            ("SignatureDoesNotMatch", "", 403, Kind::Denied),
            ("SignatureDoesNotMatch", "Signature expired: 20000101T000000Z is now earlier than", 403, Kind::Unavailable),
            ("InvalidSignatureException", "Signature not yet current: 20990101T000000Z is", 400, Kind::Unavailable),
            ("RequestTimeTooSkewed", "", 403, Kind::Unavailable),
            ("RequestExpired", "Request has expired.", 400, Kind::Unavailable),
            ("RegionDisabledException", "", 403, Kind::RegionDisabled),
            ("TooManyUpdates", "", 400, Kind::Conflict),
            ("ConcurrentModification", "", 409, Kind::Conflict),
            ("EntityAlreadyExists", "", 409, Kind::Conflict),
            ("NoSuchEntity", "", 404, Kind::Missing),
            ("ServiceSettingNotFound", "", 400, Kind::Missing),
            ("InvalidDocument", "", 400, Kind::Missing),
            ("LimitExceeded", "", 409, Kind::Rejected),
            ("UnmodifiableEntity", "", 400, Kind::Rejected),
            ("PolicyNotAttachable", "", 400, Kind::Rejected),
            ("MalformedPolicyDocument", "Syntax errors in policy.", 400, Kind::Rejected),
            ("MalformedPolicyDocument", "Invalid principal in policy", 400, Kind::Conflict),
            ("ValidationException", "Invalid settingId : arn:aws:ssm", 400, Kind::Rejected),
            (
                "ValidationException",
                "Nonexistent role or missing ssm service principal in trust policy: arn:aws:iam::111122223333:role/R",
                400,
                Kind::Conflict,
            ),
        ] {
            assert_eq!(kind_of(Some(code), message, status), kind, "{code} {message} {status}");
        }
        assert_eq!(kind_of(None, "", 502), Kind::Unavailable);
    }

    #[test]
    fn a_message_without_end_is_cut() {
        let told = |text: &str| told(text, LONGEST_MESSAGE, None);
        assert_eq!(told("Rate exceeded"), "Rate exceeded");
        assert_eq!(told(&"é".repeat(100_000)).chars().count(), 504);
    }

    #[test]
    fn no_part_of_a_secret_is_left_by_the_cut() {
        let secret = "s3cr3t".repeat(100);
        let message = format!("{} '{secret}' at 'externalId'", "x".repeat(450));
        assert_eq!(told(&message, LONGEST_MESSAGE, Some(&secret)), format!("{} '...' at 'externalId'", "x".repeat(450)));
    }

    #[test]
    fn missing_credentials_say_what_to_give() {
        let source: Box<dyn Error + Send + Sync> = Box::new(CredentialsError::not_loaded("nothing in the chain"));
        let error = not_sent("sts:GetCallerIdentity", source);
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(
            error
                .to_string()
                .contains("no credentials found (the credential provider was not enabled: nothing in the chain); give"),
            "{error}"
        );
    }

    #[test]
    fn a_refused_connection_is_unavailable_and_says_why() {
        let refused = std::io::Error::new(std::io::ErrorKind::ConnectionRefused, "connection refused");
        let error = not_sent("ssm:GetServiceSetting", Box::new(refused));
        assert_eq!(
            (error.kind, error.to_string().as_str()),
            (
                ErrorKind::Unavailable,
                "ssm:GetServiceSetting: no connection: connection refused (look at the way to AWS, and at AWS_ENDPOINT_URL and its like if \
             they are set)"
            )
        );
    }
}
