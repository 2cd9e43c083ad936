//! What every AWS must see: the same scenarios against the sandbox and against ministack.

use dhmc_controller::app::PassResult;

use crate::harness::{Controller, DEADLINE, once, until};
use crate::referee::{ACCOUNT, Referee, before_both};
use crate::sdk::{Admin, EC2_TRUST, POLICY, ROLE, TRUST, VALUE};

before_both! { ministack:
    from_nothing_to_the_declared_state
    every_way_to_drift_is_corrected
    a_region_in_observe_mode_is_told_and_not_touched
    a_region_that_is_not_named_is_never_touched
    other_regions_are_all_those_open_to_the_account
    an_external_role_is_verified_and_never_written
    a_role_at_another_path_is_held
    exclusive_policies_detach_what_is_not_declared
    one_pass_ends_in_sync_and_a_second_writes_nothing
    credentials_of_another_account_write_nothing
    role_details_are_kept_where_declared
}

async fn from_nothing_to_the_declared_state(aws: Referee) {
    let admin = Admin::of(&aws);
    admin.create_role("Other", "/", TRUST).await;
    admin.set_setting("sa-east-1", "Other").await;
    let spec = "{regions: {us-east-1: enabled, eu-west-1: enabled, sa-east-1: disabled}}";
    let controller = Controller::start(spec, &aws.url, &aws.credentials).await;
    for name in ["us-east-1", "eu-west-1", "sa-east-1", "role", "account"] {
        controller.until(name, "in_sync").await;
    }
    assert_eq!(admin.setting("us-east-1").await, VALUE);
    assert_eq!(admin.setting("eu-west-1").await, VALUE);
    assert_eq!(admin.setting("sa-east-1").await, "$None");
    assert_eq!(admin.attached(ROLE).await, [POLICY]);
    let trust = admin.trust_policy(ROLE).await;
    assert_eq!(trust["Statement"][0]["Principal"]["Service"], "ssm.amazonaws.com");
    let target = controller.target("us-east-1").await;
    assert_eq!((&target["desired"], &target["observed"], &target["account"]), (&VALUE.into(), &VALUE.into(), &ACCOUNT.into()));
    controller.stop().await;
}

async fn every_way_to_drift_is_corrected(aws: Referee) {
    let admin = Admin::of(&aws);
    admin.create_role("Other", "/", TRUST).await;
    let spec = "{regions: {us-east-1: enabled, eu-west-1: enabled, sa-east-1: disabled}}";
    let controller = Controller::start(spec, &aws.url, &aws.credentials).await;
    for name in ["us-east-1", "eu-west-1", "sa-east-1"] {
        controller.until(name, "in_sync").await;
    }

    admin.reset_setting("us-east-1").await;
    until("a reset setting is set", DEADLINE, async || admin.setting("us-east-1").await == VALUE).await;

    admin.set_setting("eu-west-1", "Other").await;
    until("another role is replaced", DEADLINE, async || admin.setting("eu-west-1").await == VALUE).await;

    admin.set_setting("sa-east-1", VALUE).await;
    until("a disabled region is reset", DEADLINE, async || admin.setting("sa-east-1").await == "$None").await;

    admin.detach(ROLE, POLICY).await;
    until("the policy is attached again", DEADLINE, async || admin.attached(ROLE).await == [POLICY]).await;

    admin.set_trust(ROLE, EC2_TRUST).await;
    let statements = async || admin.trust_policy(ROLE).await["Statement"].as_array().cloned().unwrap();
    until("trust is repaired", DEADLINE, async || statements().await.len() == 2).await;
    let statements = statements().await;
    assert_eq!(statements[0]["Sid"], "Theirs");
    assert_eq!(statements[1]["Principal"]["Service"], "ssm.amazonaws.com");

    let corrected = |region: &str, resource: &str, kind: &str| {
        format!(
            "dhmc_corrections_total{{account=\"{ACCOUNT}\",kind=\"{kind}\",region=\"{region}\",resource=\"{resource}\",result=\"corrected\"}}"
        )
    };
    for (region, resource, kind) in [
        ("us-east-1", "setting", "setting_unset"),
        ("eu-west-1", "setting", "setting_other_role"),
        ("sa-east-1", "setting", "setting_set"),
        ("global", "role", "policy_missing"),
        ("global", "role", "trust_policy"),
    ] {
        let series = corrected(region, resource, kind);
        until(&series, DEADLINE, async || controller.metric(&series).await >= 1.0).await;
    }
    controller.stop().await;
}

async fn a_region_in_observe_mode_is_told_and_not_touched(aws: Referee) {
    let admin = Admin::of(&aws);
    let spec = "{regions: {us-east-1: enabled, eu-west-1: {state: enabled, mode: observe}}}";
    let controller = Controller::start(spec, &aws.url, &aws.credentials).await;
    controller.until("us-east-1", "in_sync").await;
    let target = controller.until("eu-west-1", "drifted").await;
    assert_eq!((&target["desired"], &target["observed"]), (&VALUE.into(), &"unset".into()));
    let looked_again = async || controller.target("eu-west-1").await["lastAttempt"] != target["lastAttempt"];
    until("it is looked at again", DEADLINE, looked_again).await;
    assert_eq!(admin.setting("eu-west-1").await, "$None");
    let detected = format!(
        "dhmc_drift_detected_total{{account=\"{ACCOUNT}\",kind=\"setting_unset\",region=\"eu-west-1\",resource=\"setting\"}}"
    );
    assert!((controller.metric(&detected).await - 1.0).abs() < 0.1, "drift that lasts is counted once");
    controller.stop().await;
}

async fn a_region_that_is_not_named_is_never_touched(aws: Referee) {
    let admin = Admin::of(&aws);
    admin.create_role("Theirs", "/", TRUST).await;
    for region in ["us-west-2", "ap-south-1"] {
        admin.set_setting(region, "Theirs").await;
    }
    let spec = "{regions: {us-east-1: enabled, ap-south-1: unmanaged}}";
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::InSync);
    for region in ["us-west-2", "ap-south-1"] {
        assert_eq!(admin.setting(region).await, "Theirs");
    }
}

async fn other_regions_are_all_those_open_to_the_account(aws: Referee) {
    let admin = Admin::of(&aws);
    let spec = "{regions: {us-east-1: unmanaged}, otherRegions: enabled}";
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::InSync);
    assert_eq!(admin.setting("us-east-1").await, "$None");
    for region in ["us-east-2", "eu-central-1", "ap-northeast-3"] {
        assert_eq!(admin.setting(region).await, VALUE, "{region}");
    }
}

async fn an_external_role_is_verified_and_never_written(aws: Referee) {
    let admin = Admin::of(&aws);
    let spec = "{role: {name: Custom, management: external}, regions: {us-east-1: enabled}}";
    let controller = Controller::start(spec, &aws.url, &aws.credentials).await;
    controller.until("role", "held").await;
    let setting = controller.until("us-east-1", "held").await;
    assert!(setting["reason"].as_str().unwrap().contains("role Custom does not exist"), "{setting:#}");
    assert!(!admin.role_exists("Custom").await);

    admin.create_role("Custom", "/team/", EC2_TRUST).await;
    let untrusting =
        async || controller.target("us-east-1").await["reason"].as_str().is_some_and(|why| why.contains("does not trust"));
    until("the hold says that trust is missing", DEADLINE, untrusting).await;
    assert_eq!(admin.setting("us-east-1").await, "$None");
    assert_eq!(admin.trust_policy("Custom").await["Statement"][0]["Sid"], "Theirs");

    admin.set_trust("Custom", TRUST).await;
    controller.until("us-east-1", "in_sync").await;
    assert_eq!(admin.setting("us-east-1").await, "team/Custom");
    controller.stop().await;
}

async fn a_role_at_another_path_is_held(aws: Referee) {
    let admin = Admin::of(&aws);
    admin.create_role(ROLE, "/", EC2_TRUST).await;
    let spec = "{regions: {us-east-1: enabled}}";
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::DriftRemains);
    assert_eq!(admin.setting("us-east-1").await, "$None");
    assert_eq!(admin.trust_policy(ROLE).await["Statement"].as_array().unwrap().len(), 1);
    assert!(admin.attached(ROLE).await.is_empty());
}

async fn exclusive_policies_detach_what_is_not_declared(aws: Referee) {
    let admin = Admin::of(&aws);
    let other = "arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy";
    admin.create_role(ROLE, "/service-role/", TRUST).await;
    admin.attach(ROLE, other).await;
    assert_eq!(once("{regions: {us-east-1: enabled}}", &aws.url, &aws.credentials).await, PassResult::InSync);
    assert_eq!(admin.attached(ROLE).await, [POLICY, other]);
    let spec = "{role: {exclusivePolicies: true}, regions: {us-east-1: enabled}}";
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::InSync);
    assert_eq!(admin.attached(ROLE).await, [POLICY]);
}

async fn one_pass_ends_in_sync_and_a_second_writes_nothing(aws: Referee) {
    let admin = Admin::of(&aws);
    let spec = "{regions: {us-east-1: enabled, eu-west-1: {state: enabled, mode: observe}}}";
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::DriftRemains);
    let whole = "{regions: {us-east-1: enabled, eu-west-1: enabled}}";
    assert_eq!(once(whole, &aws.url, &aws.credentials).await, PassResult::InSync);
    let changed = async || {
        let answer = admin.get_setting("us-east-1").await;
        (answer.last_modified_date, answer.last_modified_user)
    };
    let before = changed().await;
    assert_eq!(once(whole, &aws.url, &aws.credentials).await, PassResult::InSync);
    assert_eq!(changed().await, before);
}

async fn credentials_of_another_account_write_nothing(aws: Referee) {
    let admin = Admin::of(&aws);
    let spec = "{account: '999988887777', regions: {us-east-1: enabled}}";
    let controller = Controller::start(spec, &aws.url, &aws.credentials).await;
    for name in ["account", "role", "us-east-1"] {
        let target = controller.until(name, "blocked").await;
        let reason = target["reason"].as_str().unwrap();
        assert!(reason.contains("for account 999988887777, the credentials are of account 111122223333"), "{reason}");
    }
    assert!(!admin.role_exists(ROLE).await);
    assert_eq!(admin.setting("us-east-1").await, "$None");
    controller.stop().await;
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::Unread);
}

async fn role_details_are_kept_where_declared(aws: Referee) {
    let admin = Admin::of(&aws);
    let spec = "{role: {description: kept by dhmc, tags: {team: platform}}, regions: {us-east-1: enabled}}";
    admin.create_role(ROLE, "/service-role/", TRUST).await;
    let theirs = aws_sdk_iam::types::Tag::builder().key("theirs").value("x").build().unwrap();
    admin.iam.tag_role().role_name(ROLE).tags(theirs).send().await.unwrap();
    admin.iam.update_role().role_name(ROLE).max_session_duration(7200).send().await.unwrap();
    assert_eq!(once(spec, &aws.url, &aws.credentials).await, PassResult::InSync);
    let role = admin.iam.get_role().role_name(ROLE).send().await.unwrap().role.unwrap();
    let mut tags: Vec<(&str, &str)> = role.tags().iter().map(|tag| (tag.key(), tag.value())).collect();
    tags.sort_unstable();
    assert_eq!(tags, [("team", "platform"), ("theirs", "x")]);
    assert_eq!((role.description(), role.max_session_duration()), (Some("kept by dhmc"), Some(7200)));
}

/// Where the two referees differ, aws-facts decide. ministack takes a setting for a role that does not exist, and any
/// region; so that refusals are tested against the sandbox alone (`faults`).
#[tokio::test]
async fn ministack_is_more_lenient_than_the_sandbox_about_the_role_of_a_setting() {
    let (lenient, strict) = (Referee::ministack().await, Referee::sandbox().await);
    let refused = |admin: Admin| async move { admin.try_set_setting("us-east-1", "NoSuchRole").await.err() };
    assert_eq!(refused(Admin::of(&lenient)).await, None);
    let error = refused(Admin::of(&strict)).await.expect("the sandbox refuses");
    assert!(error.contains("Nonexistent role or missing ssm service principal"), "{error}");
}
