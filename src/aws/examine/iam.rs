//! Identity and Access Management: what the policies of a role say.

use std::collections::BTreeMap;

use super::incomplete;
use crate::aws::AwsCloud;
use crate::aws::iam::decoded;
use crate::aws::pages::Pages;
use crate::cloud::{Caller, CloudError, ErrorKind};
use crate::desired::names::{Partition, RoleName};

pub(super) async fn managed_policy(
    aws: &AwsCloud,
    caller: &Caller,
    partition: Partition,
    arn: &str,
) -> Result<Option<String>, CloudError> {
    match version_in_force(aws, caller, partition, arn).await {
        Ok(document) => Ok(Some(document)),
        Err(error) if error.kind == ErrorKind::Missing => Ok(None),
        Err(error) => Err(error),
    }
}

async fn version_in_force(aws: &AwsCloud, caller: &Caller, partition: Partition, arn: &str) -> Result<String, CloudError> {
    const GET: &str = "iam:GetPolicy";
    const GET_VERSION: &str = "iam:GetPolicyVersion";
    let client = &aws.clients(caller).iam[&partition];
    let policy = aws.call(caller, GET, client.get_policy().policy_arn(arn).send()).await?.policy;
    let version = policy.and_then(|policy| policy.default_version_id).ok_or_else(|| incomplete(GET, "no DefaultVersionId"))?;
    let request = client.get_policy_version().policy_arn(arn).version_id(version);
    let answer = aws.call(caller, GET_VERSION, request.send()).await?;
    let document = answer.policy_version.and_then(|version| version.document);
    let document = document.ok_or_else(|| incomplete(GET_VERSION, "no Document"))?;
    decoded(&document).ok_or_else(|| incomplete(GET_VERSION, "a policy that cannot be read"))
}

pub(super) async fn inline_policies(
    aws: &AwsCloud,
    caller: &Caller,
    partition: Partition,
    role: &RoleName,
) -> Result<BTreeMap<String, String>, CloudError> {
    const LIST: &str = "iam:ListRolePolicies";
    const GET: &str = "iam:GetRolePolicy";
    let client = &aws.clients(caller).iam[&partition];
    let (mut names, mut pages) = (Vec::new(), Pages::new(LIST));
    while pages.turn()? {
        let request = client.list_role_policies().role_name(role.as_str()).set_marker(pages.token());
        let page = aws.call(caller, LIST, request.send()).await?;
        names.extend_from_slice(page.policy_names());
        pages.next = page.marker().filter(|_| page.is_truncated()).map(str::to_owned);
        if page.is_truncated() && pages.next.is_none() {
            return Err(incomplete(LIST, "a truncated list of policies and no marker"));
        }
    }
    let mut policies = BTreeMap::new();
    for name in names {
        let request = client.get_role_policy().role_name(role.as_str()).policy_name(&name);
        let answer = aws.call(caller, GET, request.send()).await?;
        let document = decoded(answer.policy_document()).ok_or_else(|| incomplete(GET, "a policy that cannot be read"))?;
        policies.insert(name, document);
    }
    Ok(policies)
}
