//! Security Token Service: whose credentials these are.

use super::AwsCloud;
use crate::cloud::{CloudError, ErrorKind};
use crate::desired::names::{AccountId, Partition};
use crate::observed::Identity;

const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

pub(super) async fn identity(aws: &AwsCloud) -> Result<Identity, CloudError> {
    let answer = aws.call(GET_CALLER_IDENTITY, aws.sts.get_caller_identity().send()).await?;
    let account = answer.account().unwrap_or_default();
    let arn = answer.arn().unwrap_or_default();
    identity_from(account, arn).ok_or_else(|| CloudError {
        operation: GET_CALLER_IDENTITY,
        kind: ErrorKind::Unavailable,
        code: None,
        message: format!("an answer that makes no sense: account `{account}`, ARN `{arn}`"),
        source: None,
    })
}

fn identity_from(account: &str, arn: &str) -> Option<Identity> {
    let account: AccountId = account.parse().ok()?;
    let partition: Partition = arn.strip_prefix("arn:")?.split(':').next()?.parse().ok()?;
    Some(Identity { account, partition, arn: arn.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_partition_is_read_off_the_arn() {
        let china = identity_from("111122223333", "arn:aws-cn:sts::111122223333:assumed-role/R/s").unwrap();
        assert_eq!(china.partition, Partition::AwsCn);
        assert_eq!(identity_from("111122223333", "arn:aws-moon:sts::111122223333:root"), None);
        assert_eq!(identity_from("1111", "arn:aws:sts::111122223333:root"), None);
    }
}
