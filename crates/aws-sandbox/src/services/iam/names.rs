//! The shapes IAM demands of names, paths and ARNs, before it looks anything up.

use crate::services::Context;
use crate::wire::error::ServiceError;

fn is_name(text: &str, longest: usize) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
    (1..=longest).contains(&text.len()) && text.bytes().all(allowed)
}

/// The `RoleName` of a call: up to 64 of `[\w+=,.@-]`.
pub(super) fn role_name<'a>(call: &'a Context<'_>) -> Result<&'a str, ServiceError> {
    name(call, "RoleName", 64)
}

/// A `PolicyName`: up to 128 of the same letters.
pub(super) fn policy_name<'a>(call: &'a Context<'_>) -> Result<&'a str, ServiceError> {
    name(call, "PolicyName", 128)
}

fn name<'a>(call: &'a Context<'_>, param: &str, longest: usize) -> Result<&'a str, ServiceError> {
    let name = call.params.required(param)?;
    if is_name(name, longest) {
        return Ok(name);
    }
    let rule = "Member must satisfy regular expression pattern: [\\w+=,.@-]+";
    Err(call.params.invalid(param, &format!("'{name}'"), rule))
}

/// The `Path`: `/`, or printable text between two slashes.
pub(super) fn path<'a>(call: &'a Context<'_>) -> Result<&'a str, ServiceError> {
    let path = call.params.text("Path").unwrap_or("/");
    let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
    let framed = path.starts_with('/') && path.ends_with('/') && path.len() <= 512;
    if printable && framed {
        return Ok(path);
    }
    let rule = "Member must satisfy regular expression pattern: (\\u002F)|(\\u002F[\\u0021-\\u007F]+\\u002F)";
    Err(call.params.invalid("Path", &format!("'{path}'"), rule))
}

/// A policy ARN under `param`.
pub(super) fn policy_arn<'a>(call: &'a Context<'_>, param: &str) -> Result<&'a str, ServiceError> {
    let arn = call.params.required(param)?;
    if arn.len() < 20 {
        let rule = "Member must have length greater than or equal to 20";
        return Err(call.params.invalid(param, &format!("'{arn}'"), rule));
    }
    if arn.starts_with("arn:") && arn.contains(":policy/") {
        Ok(arn)
    } else {
        let message = format!("ARN {arn} is not valid.");
        Err(ServiceError::new(400, "InvalidInput", message))
    }
}
