//! The partitions of AWS: each its own ARNs, regions and signing regions. The sandbox refuses a request that is signed for
//! the wrong one.

use aws_sandbox::{Filter, Options, Partition, Sandbox};
use dhmc_controller::app::PassResult;

use crate::binary::{at, config, dhmc, output};
use crate::harness::{Controller, DEADLINE, once, until};
use crate::referee::{ACCOUNT, Referee, sdk_credentials};
use crate::sdk::{Admin, ROLE, VALUE};

const MEMBER: &str = "222233334444";

/// What is particular to a partition, as botocore's endpoint resolver has it.
struct Facts {
    partition: Partition,
    word: &'static str,
    iam: &'static str,
    account: &'static str,
    /// Where the controller runs: another region than IAM's, where there is one.
    home: &'static str,
}

const AWS: Facts = Facts { partition: Partition::Aws, word: "aws", iam: "us-east-1", account: "us-east-1", home: "eu-west-1" };
const CHINA: Facts =
    Facts { partition: Partition::AwsCn, word: "aws-cn", iam: "cn-north-1", account: "cn-northwest-1", home: "cn-northwest-1" };
const GOVERNMENT: Facts = Facts {
    partition: Partition::AwsUsGov,
    word: "aws-us-gov",
    iam: "us-gov-west-1",
    account: "us-gov-west-1",
    home: "us-gov-east-1",
};
const EUROPE: Facts = Facts {
    partition: Partition::AwsEusc,
    word: "aws-eusc",
    iam: "eusc-de-east-1",
    account: "eusc-de-east-1",
    home: "eusc-de-east-1",
};

#[tokio::test]
async fn an_organization_of_the_commercial_partition_is_kept() {
    an_organization_is_kept(AWS).await;
}

#[tokio::test]
async fn an_organization_in_china_is_kept() {
    an_organization_is_kept(CHINA).await;
}

#[tokio::test]
async fn an_organization_of_the_us_government_is_kept() {
    an_organization_is_kept(GOVERNMENT).await;
}

#[tokio::test]
async fn an_organization_of_the_european_sovereign_cloud_is_kept() {
    an_organization_is_kept(EUROPE).await;
}

/// A hub and a member of its organization.
async fn hub_and_member(partition: Partition) -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let hub = sandbox.account_in(ACCOUNT, partition);
    let organization = sandbox.organization(hub.id());
    organization.add(MEMBER, "member", &organization.root());
    for account in [ACCOUNT, MEMBER] {
        sandbox.account(account).trust("dhmc-controller", "/", ACCOUNT, None);
    }
    sandbox
}

async fn an_organization_is_kept(facts: Facts) {
    let Facts { partition, word, iam, account, home } = facts;
    let sandbox = hub_and_member(partition).await;
    let spec = "{otherRegions: enabled, organization: {assumeRole: {name: dhmc-controller}}}";
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["run", "--once", "--instance", "blue", "--config", &config(folder.path(), spec)];
    let mut command = at(dhmc(&arguments), &sandbox);
    command.env("AWS_REGION", home);
    let (code, log) = output(command).await;
    assert_eq!(code, Some(0), "{log}");
    for id in [ACCOUNT, MEMBER] {
        let account = sandbox.account(id);
        assert_eq!(account.partition(), partition);
        let attached = account.role(ROLE).unwrap().attached;
        assert_eq!(attached, [format!("arn:{word}:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy")]);
        for region in partition.default_regions() {
            assert_eq!(account.setting(region).value.as_deref(), Some(VALUE), "{region}");
        }
        let by = account.setting(iam).last_modified_user;
        assert_eq!(by, format!("arn:{word}:sts::{id}:assumed-role/dhmc-controller/dhmc-blue"));
    }
    for (service, region) in [("iam", iam), ("account", account), ("organizations", account), ("sts", home)] {
        let calls = sandbox.journal().matching(&Filter::any().service(service));
        assert!(!calls.is_empty(), "{service} was called");
        let well =
            |call: &aws_sandbox::Call| call.region == region && call.error_code().is_none_or(|code| code == "NoSuchEntity");
        assert!(calls.iter().all(well), "{service} is signed for {region}: {calls:#?}");
    }
    let assumed = sandbox.journal().matching(&Filter::any().operation("AssumeRole"));
    let role = format!("arn:{word}:iam::{MEMBER}:role/dhmc-controller");
    assert!(assumed.iter().any(|call| call.parameter("RoleArn") == Some(&role)));
}

const NAMED: &str = "{regions: {us-east-1: enabled}, role: {trustPrincipal: ssm.amazonaws.com.cn}}";

/// Whether AWS in China takes this principal is not known. ministack takes any, in its one partition.
#[tokio::test]
async fn the_principal_that_a_document_names_is_what_a_new_role_trusts() {
    let aws = Referee::ministack().await;
    assert_eq!(once(NAMED, &aws.url, &aws.credentials).await, PassResult::InSync);
    let trust = Admin::of(&aws).trust_policy(ROLE).await;
    assert_eq!(trust["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(trust["Statement"][0]["Principal"]["Service"], "ssm.amazonaws.com.cn");
}

/// The sandbox knows only the principal of everywhere else.
#[tokio::test]
async fn a_principal_that_iam_does_not_know_is_told_in_its_words_and_no_role_is_created() {
    let sandbox = hub_and_member(Partition::AwsCn).await;
    let credentials = sdk_credentials(sandbox.account(ACCOUNT).credentials());
    let controller = Controller::start(&NAMED.replace("us-east-1", "cn-north-1"), &sandbox.url(), &credentials).await;
    let mut reason = String::new();
    until("the role says why", DEADLINE, async || {
        controller.target("role").await["reason"].as_str().unwrap_or_default().clone_into(&mut reason);
        reason.contains("iam:CreateRole: MalformedPolicyDocument: Invalid principal in policy")
    })
    .await;
    assert!(reason.contains("ssm.amazonaws.com.cn"), "{reason}");
    assert!(sandbox.account(ACCOUNT).role(ROLE).is_none());
    assert_eq!(sandbox.journal().count("ssm", "UpdateServiceSetting"), 0);
    controller.stop().await;
}

/// A document that moves to another partition while the credentials stay.
#[tokio::test]
async fn a_region_of_another_partition_than_the_credentials_is_blocked_with_the_reason_and_never_called() {
    let sandbox = hub_and_member(Partition::AwsCn).await;
    let credentials = sdk_credentials(sandbox.account(ACCOUNT).credentials());
    let controller = Controller::start("{regions: {cn-north-1: enabled}}", &sandbox.url(), &credentials).await;
    controller.until("cn-north-1", "in_sync").await;
    sandbox.journal().clear();
    controller.edit("{regions: {us-east-1: enabled, eu-west-1: disabled}}");
    for region in ["us-east-1", "eu-west-1"] {
        let reason = controller.until(region, "blocked").await["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("in partition aws, the credentials are of partition aws-cn"), "{reason}");
    }
    assert_eq!(sandbox.journal().writes(), []);
    let elsewhere = |call: &aws_sandbox::Call| !call.region.starts_with("cn-");
    assert!(!sandbox.journal().calls().iter().any(elsewhere), "nothing is called in a region that is not there");
    assert_eq!(sandbox.account(ACCOUNT).setting("cn-north-1").value.as_deref(), Some(VALUE), "what was kept is left");
    controller.stop().await;
}

/// Nothing in the environment names a region: STS is asked where the document is, and knows the key only in its own partition.
#[tokio::test]
async fn credentials_of_another_partition_than_the_document_are_told_so_and_nothing_is_written() {
    let sandbox = hub_and_member(Partition::AwsUsGov).await;
    let credentials = sdk_credentials(sandbox.account(ACCOUNT).credentials());
    let controller = Controller::start("{regions: {us-east-1: enabled}}", &sandbox.url(), &credentials).await;
    for name in ["account", "role", "us-east-1"] {
        let reason = controller.until(name, "blocked").await["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("asked in us-east-1") && reason.contains("or of another partition than that region"), "{reason}");
    }
    assert_eq!(sandbox.journal().writes(), []);
    controller.stop().await;
}

/// The environment names the region of the credentials, as instances and containers do.
#[tokio::test]
async fn in_an_environment_of_another_partition_nothing_of_the_document_is_called() {
    let sandbox = hub_and_member(Partition::AwsUsGov).await;
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "{regions: {us-east-1: enabled, eu-west-1: disabled}}");
    let mut command = at(dhmc(&["run", "--once", "--config", &config]), &sandbox);
    command.env("AWS_REGION", "us-gov-west-1");
    let (code, log) = output(command).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("in partition aws, the credentials are of partition aws-us-gov"), "{log}");
    assert_eq!((sandbox.journal().count("sts", "GetCallerIdentity"), sandbox.journal().len()), (1, 1));
}
