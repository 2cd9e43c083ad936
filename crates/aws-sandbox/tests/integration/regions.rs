//! Regions: the list and its pages, and what closed or foreign regions answer.

use aws_sandbox::{Partition, RegionStatus, SETTING_ID};
use serde_json::json;

use crate::client::{Client, sandbox};

#[tokio::test]
async fn a_new_account_has_seventeen_open_regions_and_seventeen_closed() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    for (status, count) in [("ENABLED_BY_DEFAULT", 17), ("DISABLED", 17), ("ENABLED", 0)] {
        let filter = json!({"RegionOptStatusContains": [status]});
        let reply = client.account("/listRegions", filter).await.ok();
        assert_eq!(reply.json()["Regions"].as_array().unwrap().len(), count, "{status}");
    }
}

#[tokio::test]
async fn regions_are_paged_without_gaps() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    sandbox.configure(|knobs| knobs.page_size = 10);
    let (mut names, mut pages) = (Vec::new(), 0);
    let mut request = json!({"MaxResults": 50});
    loop {
        let page = client.account("/listRegions", request.clone()).await.ok().json();
        pages += 1;
        for region in page["Regions"].as_array().unwrap() {
            names.push(region["RegionName"].as_str().unwrap().to_owned());
        }
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => break,
        }
    }
    assert_eq!((names.len(), pages), (34, 4));
    assert!(names.is_sorted());
    let bad = json!({"MaxResults": 51});
    client.account("/listRegions", bad).await.refused(400, "ValidationException");
}

#[tokio::test]
async fn a_closed_region_knows_no_key_until_it_is_opened() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials()).in_region("af-south-1");
    let get = json!({"SettingId": SETTING_ID});
    let code = "UnrecognizedClientException";
    client.ssm("GetServiceSetting", get.clone()).await.refused(400, code);
    client.sts("GetCallerIdentity").await.refused(403, "RegionDisabledException");
    for closed in [RegionStatus::Enabling, RegionStatus::Disabling, RegionStatus::Disabled] {
        account.set_region("af-south-1", closed);
        client.ssm("GetServiceSetting", get.clone()).await.refused(400, code);
        client.sts("GetCallerIdentity").await.refused(403, "RegionDisabledException");
    }
    for open in [RegionStatus::Enabled, RegionStatus::EnabledByDefault] {
        account.set_region("af-south-1", open);
        client.ssm("GetServiceSetting", get.clone()).await.ok();
        client.sts("GetCallerIdentity").await.ok();
    }
}

#[tokio::test]
async fn every_status_a_region_can_have_is_listed_as_it_was_set() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    for status in [
        RegionStatus::Enabled,
        RegionStatus::EnabledByDefault,
        RegionStatus::Enabling,
        RegionStatus::Disabling,
        RegionStatus::Disabled,
    ] {
        account.set_region("eu-west-3", status);
        let reply = client.account("/listRegions", json!({})).await.ok().json();
        let regions = reply["Regions"].as_array().unwrap().clone();
        let shown = regions.iter().find(|region| region["RegionName"] == "eu-west-3").unwrap();
        assert_eq!(shown["RegionOptStatus"], status.as_str());
    }
}

#[tokio::test]
async fn the_regions_of_a_member_are_told_to_the_management_account_and_its_delegates() {
    let (sandbox, management) = sandbox().await;
    let (member, other) = ("222233334444", "333344445555");
    let organization = sandbox.organization(management.id());
    organization.add_many([(member, "member"), (other, "other")], &organization.root());
    sandbox.account(member).set_region("af-south-1", RegionStatus::Enabled);
    let enabled = |id: &str| json!({"AccountId": id, "RegionOptStatusContains": ["ENABLED"]});
    let client = Client::new(&sandbox, management.credentials());
    let reply = client.account("/listRegions", enabled(member)).await.ok().json();
    assert_eq!(reply["Regions"], json!([{"RegionName": "af-south-1", "RegionOptStatus": "ENABLED"}]));

    client.account("/listRegions", enabled(management.id())).await.refused(400, "ValidationException");
    client.account("/listRegions", enabled("1234")).await.refused(400, "ValidationException");
    client.account("/listRegions", enabled("999999999999")).await.refused(403, "AccessDeniedException");
    let delegate = Client::new(&sandbox, sandbox.account(other).credentials());
    delegate.account("/listRegions", enabled(member)).await.refused(403, "AccessDeniedException");
    organization.delegate(other);
    delegate.account("/listRegions", enabled(member)).await.ok();
    delegate.account("/listRegions", enabled(other)).await.refused(400, "ValidationException");
    delegate.account("/listRegions", enabled(management.id())).await.refused(403, "AccessDeniedException");
}

#[tokio::test]
async fn a_region_of_another_partition_knows_no_key() {
    let (sandbox, account) = sandbox().await;
    let get = json!({"SettingId": SETTING_ID});
    let code = "UnrecognizedClientException";
    for region in ["cn-north-1", "us-nowhere-1"] {
        let client = Client::new(&sandbox, account.credentials()).in_region(region);
        client.ssm("GetServiceSetting", get.clone()).await.refused(400, code);
    }
    let china = sandbox.account_in("222233334444", Partition::AwsCn);
    let client = Client::new(&sandbox, china.credentials()).in_region("cn-north-1");
    let reply = client.ssm("GetServiceSetting", get).await.ok();
    let arn = format!("arn:aws-cn:ssm:cn-north-1:222233334444:servicesetting{SETTING_ID}");
    assert_eq!(reply.json()["ServiceSetting"]["ARN"], arn);
}
