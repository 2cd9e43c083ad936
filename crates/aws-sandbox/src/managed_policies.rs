//! The AWS managed policies the sandbox knows: those near Systems Manager and enough others to reach quotas.

use crate::partition::Partition;

/// Path and name behind `policy/`.
const KNOWN: [&str; 26] = [
    "AdministratorAccess",
    "AmazonEC2ContainerRegistryReadOnly",
    "AmazonEC2ReadOnlyAccess",
    "AmazonS3FullAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSSMDirectoryServiceAccess",
    "AmazonSSMFullAccess",
    "AmazonSSMManagedEC2InstanceDefaultPolicy",
    "AmazonSSMManagedInstanceCore",
    "AmazonSSMPatchAssociation",
    "AmazonSSMReadOnlyAccess",
    "AWSCloudFormationReadOnlyAccess",
    "CloudWatchAgentAdminPolicy",
    "CloudWatchAgentServerPolicy",
    "CloudWatchLogsReadOnlyAccess",
    "CloudWatchReadOnlyAccess",
    "IAMFullAccess",
    "IAMReadOnlyAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "job-function/ViewOnlyAccess",
    "service-role/AmazonEC2RoleforSSM",
    "service-role/AmazonSSMAutomationRole",
    "service-role/AmazonSSMMaintenanceWindowRole",
    "service-role/AWSLambdaBasicExecutionRole",
];

/// What AWS has for the role of Default Host Management (AWS managed policy reference, version 2).
const FOR_HOSTS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ssm:DescribeAssociation","ssm:GetDeployablePatchSnapshotForInstance","ssm:GetDocument","ssm:DescribeDocument","ssm:GetManifest","ssm:ListAssociations","ssm:ListInstanceAssociations","ssm:PutInventory","ssm:PutComplianceItems","ssm:PutConfigurePackageResult","ssm:UpdateAssociationStatus","ssm:UpdateInstanceAssociationStatus","ssm:UpdateInstanceInformation"],"Resource":"*"},{"Effect":"Allow","Action":["ssmmessages:CreateControlChannel","ssmmessages:CreateDataChannel","ssmmessages:OpenControlChannel","ssmmessages:OpenDataChannel"],"Resource":"*"},{"Effect":"Allow","Action":["ec2messages:AcknowledgeMessage","ec2messages:DeleteMessage","ec2messages:FailMessage","ec2messages:GetEndpoint","ec2messages:GetMessages","ec2messages:SendReply"],"Resource":"*"}]}"#;
/// Stands for the text of a policy that the sandbox only knows by its name. It allows nothing there is.
const NOT_KNOWN: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"aws-sandbox:Unknown","Resource":"*"}]}"#;

/// Whether the ARN is one of AWS's own policies in this partition.
pub(crate) fn exists(partition: Partition, arn: &str) -> bool {
    let prefix = format!("arn:{}:iam::aws:policy/", partition.as_str());
    arn.strip_prefix(&prefix).is_some_and(|name| KNOWN.contains(&name))
}

/// What one of AWS's own policies in this partition says. `None`: there is none.
pub(crate) fn document(partition: Partition, arn: &str) -> Option<&'static str> {
    exists(partition, arn).then(|| match name_of(arn) {
        "AdministratorAccess" => r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
        "AmazonS3FullAccess" => {
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}]}"#
        }
        "AmazonSSMManagedEC2InstanceDefaultPolicy" => FOR_HOSTS,
        "PowerUserAccess" => {
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}]}"#
        }
        _ => NOT_KNOWN,
    })
}

/// The name of a policy: what follows the last slash of its ARN.
pub(crate) fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_managed_policy_of_another_partition_does_not_exist() {
        let arn = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
        assert!(exists(Partition::Aws, arn));
        assert!(!exists(Partition::AwsCn, arn));
    }

    #[test]
    fn the_default_policy_has_no_path() {
        let arn = "arn:aws:iam::aws:policy/service-role/AmazonSSMManagedEC2InstanceDefaultPolicy";
        assert!(!exists(Partition::Aws, arn));
    }
}
