//! Security Token Service: whose credentials these are, and the sessions of roles in other accounts.

use std::sync::Arc;

use aws_sdk_sts::types::Tag;

use super::AwsCloud;
use super::call::Call;
use super::classify::{LONGEST_MESSAGE, cut};
use super::sessions::{LIFETIME, Session};
use crate::cloud::{ASSUME_ROLE, CloudError, ErrorKind};
use crate::desired::access::{AssumeRole, ExternalId};
use crate::desired::names::{AccountId, Partition};
use crate::observed::Identity;
use crate::operations::GET_CALLER_IDENTITY;

/// Whose the controller's own credentials are.
pub(super) async fn identity(aws: &AwsCloud) -> Result<Identity, CloudError> {
    let request = aws.sts.get_caller_identity().send();
    let answer = aws.call_from_home(GET_CALLER_IDENTITY, request).await.map_err(|error| unknown_there(error, aws))?;
    let account = answer.account().unwrap_or_default();
    let arn = answer.arn().unwrap_or_default();
    let told = || cut(&format!("an answer that makes no sense: account `{account}`, ARN `{arn}`"), LONGEST_MESSAGE);
    identity_from(arn)
        .filter(|identity| identity.account.to_string() == account)
        .ok_or_else(|| senseless(GET_CALLER_IDENTITY, told()))
}

/// Opens a session in an account. Whose it is is read off what STS says was assumed, not off what was asked for.
pub(super) async fn assume(aws: &AwsCloud, account: AccountId, role: &Arc<AssumeRole>) -> Result<Session, CloudError> {
    let arn = role.arn(aws.partition().await?, account);
    let seconds = i32::try_from(LIFETIME.as_secs()).unwrap_or(i32::MAX);
    let external_id = role.external_id.as_ref().map(ExternalId::reveal);
    let request = aws
        .sts
        .assume_role()
        .role_arn(&arn)
        .role_session_name(&aws.session_name)
        .duration_seconds(seconds)
        .set_external_id(external_id.map(str::to_owned))
        .set_tags(Some(tags(role)?).filter(|tags| !tags.is_empty()));
    let call = Call { secret: external_id, ..Call::from_home(ASSUME_ROLE) };
    let answer = aws.measure(call, Box::pin(request.send())).await.map_err(|error| explained(error, &arn))?;
    let identity = answer.assumed_role_user().and_then(|user| identity_from(user.arn()));
    let (Some(identity), Some(granted)) = (identity.filter(|identity| identity.account == account), answer.credentials()) else {
        return Err(senseless(ASSUME_ROLE, "an answer without credentials, or about another account".to_owned()));
    };
    let credentials = aws_credential_types::Credentials::new(
        granted.access_key_id(),
        granted.secret_access_key(),
        Some(granted.session_token().to_owned()),
        (*granted.expiration()).try_into().ok(),
        "AssumeRole",
    );
    Ok(Session::new(credentials, identity))
}

fn tags(role: &AssumeRole) -> Result<Vec<Tag>, CloudError> {
    let built: Result<Vec<Tag>, _> =
        role.session_tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect();
    built.map_err(|error| CloudError {
        operation: ASSUME_ROLE,
        kind: ErrorKind::Rejected,
        code: None,
        message: error.to_string(),
        source: None,
    })
}

/// STS knows the keys of its own partition only, and says of all others what it says of keys that never were.
fn unknown_there(error: CloudError, aws: &AwsCloud) -> CloudError {
    if error.code.as_deref() != Some("InvalidClientTokenId") {
        return error;
    }
    let region = aws.config.region().map_or("no region", |region| region.as_ref());
    let message = format!(
        "{} (asked in {region}: the credentials are not good any more, or of another partition than that region; AWS_REGION says \
         where to ask)",
        error.message
    );
    CloudError { message, ..error }
}

/// STS gives one answer for a role that is not there and for one that does not let us in.
fn explained(error: CloudError, arn: &str) -> CloudError {
    if !error.code.as_deref().is_some_and(|code| code.starts_with("AccessDenied")) {
        return error;
    }
    let message = format!(
        "{} (the role {arn} is not there, its trust policy does not let these credentials in, with this external id and, where \
         session tags are declared or inherited, sts:TagSession; or these credentials may not assume it)",
        error.message
    );
    CloudError { message, ..error }
}

fn senseless(operation: &'static str, message: String) -> CloudError {
    CloudError { operation, kind: ErrorKind::Unavailable, code: None, message, source: None }
}

/// `arn:PARTITION:SERVICE::ACCOUNT:...`
fn identity_from(arn: &str) -> Option<Identity> {
    let mut parts = arn.strip_prefix("arn:")?.split(':');
    let partition: Partition = parts.next()?.parse().ok()?;
    let account: AccountId = parts.nth(2)?.parse().ok()?;
    Some(Identity { account, partition, arn: arn.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_and_account_are_read_off_the_arn() {
        let china = identity_from("arn:aws-cn:sts::000022223333:assumed-role/R/s").unwrap();
        assert_eq!((china.partition, china.account.to_string().as_str()), (Partition::AwsCn, "000022223333"));
        for arn in ["", "arn:aws", "arn:aws-moon:sts::111122223333:root", "arn:aws:sts::1111:root"] {
            assert_eq!(identity_from(arn), None, "{arn}");
        }
    }
}
