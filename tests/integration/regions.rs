//! Regions: which are open to an account, what is said of those that are not, and which there are at all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_credential_types::Credentials;
use aws_sandbox::{Denial, DeniedBy, Fault, FaultKind, Options, RegionStatus, Sandbox};
use dhmc_controller::desired::regions::known;
use serde_json::Value;

use crate::harness::{Controller, DEADLINE, tool, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::VALUE;

const MEMBER: &str = "222233334444";
const ACCOUNTS: [&str; 2] = [ACCOUNT, MEMBER];

/// A document for the account of the credentials and for one that is reached through a role.
fn in_both_accounts(what: &str) -> String {
    format!("{{{what}, accounts: [{{id: '{ACCOUNT}'}}, {{id: '{MEMBER}', assumeRole: {{name: dhmc-controller}}}}]}}")
}

async fn two_accounts() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.account(MEMBER).trust("dhmc-controller", "/", ACCOUNT, None);
    sandbox
}

fn set_region(sandbox: &Sandbox, region: &str, status: RegionStatus) {
    for account in ACCOUNTS {
        sandbox.account(account).set_region(region, status);
    }
}

fn open_regions(sandbox: &Sandbox, account: &str) -> BTreeSet<String> {
    sandbox.account(account).regions().into_iter().filter(|(_, status)| status.is_open()).map(|(name, _)| name).collect()
}

/// The regions that are targets and in sync.
async fn kept(controller: &Controller, account: &str) -> BTreeSet<String> {
    let targets = controller.targets(account).await;
    let settings = targets.iter().filter(|target| target["resource"] == "setting" && target["state"] == "in_sync");
    settings.map(|target| target["region"].as_str().unwrap().to_owned()).collect()
}

async fn keeps_what_is_open(controller: &Controller, sandbox: &Sandbox) {
    for account in ACCOUNTS {
        let open = open_regions(sandbox, account);
        until(&format!("{account} keeps {open:?}"), DEADLINE, async || kept(controller, account).await == open).await;
        assert_eq!(controller.targets(account).await.len(), open.len() + 2, "and no others, besides the account and its role");
    }
}

/// The reason of a state, once it says so much.
async fn reason(controller: &Controller, account: &str, region: &str, state: &str, told: &str) -> String {
    let mut reason = String::new();
    until(&format!("{region} of {account} is {state}: {told}"), DEADLINE, async || {
        let target = controller.target_in(account, region).await;
        target["reason"].as_str().unwrap_or_default().clone_into(&mut reason);
        target["state"] == state && reason.contains(told)
    })
    .await;
    reason
}

#[tokio::test]
async fn other_regions_are_the_enabled_ones_of_each_account_as_they_come_and_go() {
    let sandbox = two_accounts().await;
    set_region(&sandbox, "af-south-1", RegionStatus::Enabled);
    set_region(&sandbox, "ap-east-1", RegionStatus::Enabling);
    set_region(&sandbox, "ap-south-2", RegionStatus::Disabling);
    sandbox.account(MEMBER).set_region("eu-south-1", RegionStatus::Enabled);
    let controller =
        Controller::start(&in_both_accounts("otherRegions: enabled"), &sandbox.url(), &credentials_of(&sandbox)).await;
    keeps_what_is_open(&controller, &sandbox).await;
    assert_eq!(open_regions(&sandbox, MEMBER).len(), open_regions(&sandbox, ACCOUNT).len() + 1);

    set_region(&sandbox, "ap-east-1", RegionStatus::Enabled);
    set_region(&sandbox, "af-south-1", RegionStatus::Disabled);
    keeps_what_is_open(&controller, &sandbox).await;
    for account in ACCOUNTS {
        let value = |region| sandbox.account(account).setting(region).value;
        assert_eq!(value("ap-east-1").as_deref(), Some(VALUE), "what was opened is a target");
        assert_eq!(value("af-south-1").as_deref(), Some(VALUE), "what was closed is left as it is");
    }
    assert_eq!(sandbox.journal().count("ssm", "ResetServiceSetting"), 0);
    controller.stop().await;
}

const NAMED: &str = "regions: {us-east-1: enabled, af-south-1: enabled, ap-east-1: enabled, ap-south-2: disabled}";

#[tokio::test]
async fn a_named_region_that_is_not_open_is_blocked_by_itself_and_told_from_bad_credentials() {
    let sandbox = two_accounts().await;
    set_region(&sandbox, "ap-east-1", RegionStatus::Enabling);
    set_region(&sandbox, "ap-south-2", RegionStatus::Disabling);
    let controller = Controller::start(&in_both_accounts(NAMED), &sandbox.url(), &credentials_of(&sandbox)).await;
    for account in ACCOUNTS {
        for (region, told) in [
            ("af-south-1", "region af-south-1 is not enabled for this account: enable it, or drop it"),
            ("ap-east-1", "region ap-east-1 is still being enabled for this account"),
            ("ap-south-2", "region ap-south-2 is being disabled for this account: drop it"),
        ] {
            let reason = reason(&controller, account, region, "blocked", told).await;
            assert!(!reason.contains("credentials"), "{account}: {reason}");
        }
        until("the others are kept", DEADLINE, async || controller.target_in(account, "us-east-1").await["state"] == "in_sync")
            .await;
        assert_eq!(controller.target_in(account, "account").await["state"], "in_sync", "the account itself is well");
    }
    controller.stop().await;
}

#[tokio::test]
async fn a_closed_region_is_told_as_one_even_where_the_list_of_regions_is_denied() {
    let sandbox = two_accounts().await;
    let by_organization =
        Denial { action: "account:ListRegions".to_owned(), principal: None, by: DeniedBy::ServiceControlPolicy };
    sandbox.account(ACCOUNT).deny("account:ListRegions");
    sandbox.account(MEMBER).deny_as(by_organization);
    let spec = in_both_accounts("regions: {us-east-1: enabled, af-south-1: enabled}");
    let controller = Controller::start(&spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    for account in ACCOUNTS {
        let told = "region af-south-1 is most likely not enabled for this account";
        let reason = reason(&controller, account, "af-south-1", "blocked", told).await;
        assert!(!reason.contains("credentials"), "{account}: {reason}");
        until("the other is kept", DEADLINE, async || controller.target_in(account, "us-east-1").await["state"] == "in_sync")
            .await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn while_nobody_can_tell_a_closed_region_from_bad_credentials_neither_is_claimed() {
    let sandbox = two_accounts().await;
    sandbox.inject(Fault::new(FaultKind::Unavailable503).service("account"));
    let spec = in_both_accounts("regions: {us-east-1: enabled, af-south-1: enabled}");
    let controller = Controller::start(&spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    for account in ACCOUNTS {
        let told = "either region af-south-1 is not enabled for this account or the credentials";
        reason(&controller, account, "af-south-1", "unknown", told).await;
    }
    sandbox.clear_faults();
    for account in ACCOUNTS {
        reason(&controller, account, "af-south-1", "blocked", "region af-south-1 is not enabled for this account").await;
    }
    controller.stop().await;
}

#[tokio::test]
async fn a_list_of_regions_that_is_denied_leaves_the_named_regions_alone_well() {
    let sandbox = two_accounts().await;
    for account in ACCOUNTS {
        sandbox.account(account).deny("account:ListRegions");
    }
    let spec = in_both_accounts("regions: {us-east-1: enabled}, otherRegions: enabled");
    let controller = Controller::start(&spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    for account in ACCOUNTS {
        reason(&controller, account, "account", "unknown", "account:ListRegions: AccessDenied").await;
        until("the named one is kept", DEADLINE, async || controller.target_in(account, "us-east-1").await["state"] == "in_sync")
            .await;
        assert!(controller.target_in(account, "eu-west-1").await.is_null());
    }
    controller.stop().await;
}

#[tokio::test]
async fn credentials_that_run_out_are_told_as_credentials() {
    let sandbox = two_accounts().await;
    let own = sandbox.account(ACCOUNT).credentials();
    let spec = "{regions: {us-east-1: enabled, af-south-1: enabled}}";
    let controller = Controller::start(spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    controller.until("us-east-1", "in_sync").await;
    sandbox.account(ACCOUNT).expire(&own);
    for name in ["account", "role", "us-east-1"] {
        let reason = controller.until(name, "blocked").await["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("ExpiredToken") && !reason.contains("region"), "{name}: {reason}");
    }
    controller.stop().await;
}

/// In a region that is open the words are about the key.
#[tokio::test]
async fn a_key_that_systems_manager_does_not_know_in_an_open_region_is_told_as_credentials() {
    let sandbox = two_accounts().await;
    let message = "The security token included in the request is invalid.".to_owned();
    let kind = FaultKind::Custom { status: 400, code: "UnrecognizedClientException".to_owned(), message };
    sandbox.inject(Fault::new(kind).service("ssm").region("eu-west-1"));
    let spec = in_both_accounts("regions: {us-east-1: enabled, eu-west-1: enabled}");
    let controller = Controller::start(&spec, &sandbox.url(), &credentials_of(&sandbox)).await;
    for account in ACCOUNTS {
        let reason =
            reason(&controller, account, "eu-west-1", "blocked", "UnrecognizedClientException: The security token").await;
        assert!(!reason.contains("region"), "{reason}");
    }
    controller.stop().await;
}

#[tokio::test]
async fn a_key_that_nobody_knows_is_told_as_credentials_before_anything_is_called() {
    let sandbox = two_accounts().await;
    let nobody = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    let spec = "{regions: {us-east-1: enabled, af-south-1: enabled}}";
    let controller = Controller::start(spec, &sandbox.url(), &nobody).await;
    for name in ["account", "role", "us-east-1", "af-south-1"] {
        let reason = controller.until(name, "blocked").await["reason"].as_str().unwrap().to_owned();
        assert!(reason.contains("sts:GetCallerIdentity: InvalidClientTokenId"), "{name}: {reason}");
        assert!(reason.contains("asked in us-east-1: the credentials are not good any more"), "{name}: {reason}");
    }
    assert!(sandbox.journal().calls().iter().all(|call| call.service == "sts"));
    controller.stop().await;
}

/// What the AWS CLI brings along: botocore's tables.
fn table_of_the_cli(name: &str) -> Value {
    let venv = tool("aws").ancestors().nth(2).unwrap().join("lib");
    let versions = std::fs::read_dir(&venv).unwrap();
    let files = versions.map(|entry| entry.unwrap().path().join("site-packages/awscli/botocore/data").join(name));
    let file = files.into_iter().find(|file| Path::exists(file)).expect("the AWS CLI brings botocore's data");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Systems Manager's regions by partition. Pseudo regions (`fips-us-east-1`) are signed for another region than they name.
fn regions_of_systems_manager(endpoints: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let partition = |partition: &Value| {
        let regions = partition["services"]["ssm"]["endpoints"].as_object().into_iter().flatten();
        let real = regions.filter(|(_, endpoint)| endpoint.get("credentialScope").is_none());
        (partition["partition"].as_str().unwrap().to_owned(), real.map(|(name, _)| name.clone()).collect())
    };
    endpoints["partitions"].as_array().unwrap().iter().map(partition).collect()
}

#[test]
fn every_region_that_the_aws_cli_knows_for_systems_manager_is_in_our_table() {
    let theirs = regions_of_systems_manager(&table_of_the_cli("endpoints.json"));
    let mut ours: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (region, partition) in known() {
        ours.entry(partition.to_string()).or_default().insert((*region).to_owned());
    }
    for (partition, ours) in ours {
        let theirs = &theirs[&partition];
        let missing: Vec<&String> = theirs.difference(&ours).collect();
        assert!(missing.is_empty(), "new regions: add a line for each of {missing:?} ({partition}) to src/desired/regions.rs");
        let gone: Vec<&String> = ours.difference(theirs).collect();
        assert!(gone.is_empty(), "Systems Manager has no endpoint in {gone:?} ({partition}): see src/desired/regions.rs");
    }
}

/// The secret partitions have Systems Manager too, and neither a document nor a credential of theirs ever comes here.
#[test]
fn a_partition_that_is_new_to_us_is_noticed() {
    let theirs = regions_of_systems_manager(&table_of_the_cli("endpoints.json"));
    let new: Vec<&String> = theirs.keys().filter(|name| !name.starts_with("aws-iso")).collect();
    assert_eq!(new, ["aws", "aws-cn", "aws-eusc", "aws-us-gov"], "a new partition: see Partition in src/desired/names.rs");
}

/// Regions are announced in one table before they have endpoints in the other: those are not for our table yet.
#[test]
fn a_region_that_is_only_announced_can_not_be_declared() {
    let (announced, endpoints) = (table_of_the_cli("partitions.json"), table_of_the_cli("endpoints.json"));
    let theirs = regions_of_systems_manager(&endpoints);
    for partition in announced["partitions"].as_array().unwrap() {
        let id = partition["id"].as_str().unwrap();
        let names = partition["regions"].as_object().unwrap().keys();
        let without: Vec<&String> = names.filter(|name| !theirs[id].contains(*name)).collect();
        for name in without {
            assert!(known().iter().all(|(ours, _)| ours != name), "{name} has no Systems Manager");
        }
    }
}
