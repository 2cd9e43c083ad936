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

/// Whether the ARN is one of AWS's own policies in this partition.
pub(crate) fn exists(partition: Partition, arn: &str) -> bool {
    let prefix = format!("arn:{}:iam::aws:policy/", partition.as_str());
    arn.strip_prefix(&prefix).is_some_and(|name| KNOWN.contains(&name))
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
