//! `AssumeRole`: who is let in, what the sessions can do, and how they end.

use std::time::{Duration, SystemTime};

use aws_sandbox::{AccountHandle, Credentials, Fault, FaultKind, Partition, Role, SETTING_ID, Sandbox};
use serde_json::json;

use crate::client::{Client, REGION, Reply, sandbox};

const MEMBER: &str = "222233334444";
const ROLE_ARN: &str = "arn:aws:iam::222233334444:role/team/dhmc-member";

/// A hub, and a member account whose role trusts it.
async fn hub_and_member(external_id: Option<&str>) -> (Sandbox, Client, AccountHandle) {
    let (sandbox, hub) = sandbox().await;
    let member = sandbox.account(MEMBER);
    member.trust("dhmc-member", "/team/", hub.id(), external_id);
    let client = Client::new(&sandbox, hub.credentials());
    (sandbox, client, member)
}

async fn assume(client: &Client, parameters: &[(&str, &str)]) -> Reply {
    let mut all = vec![("RoleArn", ROLE_ARN), ("RoleSessionName", "dhmc-hub")];
    for given in parameters {
        all.retain(|(name, _)| name != &given.0);
        all.push(*given);
    }
    client.sts_with("AssumeRole", &all).await
}

/// A client with the credentials of an answer.
fn session(client: &Client, reply: &Reply) -> Client {
    let text = |name: &str| reply.element(name).unwrap().to_owned();
    let credentials = Credentials {
        access_key_id: text("AccessKeyId"),
        secret_access_key: text("SecretAccessKey"),
        session_token: Some(text("SessionToken")),
        arn: text("Arn"),
    };
    client.signing_with(credentials)
}

fn get() -> serde_json::Value {
    json!({"SettingId": SETTING_ID})
}

#[tokio::test]
async fn a_session_works_on_every_service_of_the_roles_account() {
    let (_sandbox, client, member) = hub_and_member(None).await;
    member.set_setting(REGION, "theirs", "arn:them");
    let reply = assume(&client, &[]).await.ok();
    let arn = "arn:aws:sts::222233334444:assumed-role/dhmc-member/dhmc-hub";
    assert_eq!(reply.element("Arn"), Some(arn));
    let role = member.role("dhmc-member").unwrap();
    assert_eq!(reply.element("AssumedRoleId"), Some(format!("{}:dhmc-hub", role.id).as_str()));
    assert!(reply.element("AccessKeyId").unwrap().starts_with("ASIA"));

    let session = session(&client, &reply);
    let identity = session.sts("GetCallerIdentity").await.ok();
    assert_eq!(identity.element("Arn"), Some(arn));
    assert_eq!(identity.element("Account"), Some(MEMBER));
    assert_eq!(identity.element("UserId"), reply.element("AssumedRoleId"));
    let setting = session.ssm("GetServiceSetting", get()).await.ok();
    assert_eq!(setting.json()["ServiceSetting"]["SettingValue"], "theirs");
    session.iam("GetRole", &[("RoleName", "dhmc-member")]).await.ok();
    session.account("/listRegions", json!({})).await.ok();
    session.ssm("ResetServiceSetting", get()).await.ok();
    assert_eq!(member.setting(REGION).value, None);
}

#[tokio::test]
async fn a_stranger_and_a_missing_role_are_refused_in_the_same_words() {
    let (sandbox, client, _member) = hub_and_member(None).await;
    let stranger = sandbox.account("555566667777").credentials();
    let words = |arn: &str| format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", stranger.arn);
    let stranger = Client::new(&sandbox, stranger.clone());
    let reply = assume(&stranger, &[]).await;
    reply.refused(403, "AccessDenied");
    assert_eq!(reply.element("Message"), Some(words(ROLE_ARN).as_str()));
    for missing in [
        "arn:aws:iam::222233334444:role/team/nobody",
        "arn:aws:iam::222233334444:role/dhmc-member",
        "arn:aws:iam::222233334444:role/other/dhmc-member",
        "arn:aws:iam::999999999999:role/team/dhmc-member",
        "arn:aws-cn:iam::222233334444:role/team/dhmc-member",
    ] {
        let reply = assume(&stranger, &[("RoleArn", missing)]).await;
        reply.refused(403, "AccessDenied");
        assert_eq!(reply.element("Message"), Some(words(missing).as_str()));
        assume(&client, &[("RoleArn", missing)]).await.refused(403, "AccessDenied");
    }
}

#[tokio::test]
async fn the_external_id_must_be_right() {
    let (_sandbox, client, _member) = hub_and_member(Some("s3cret/1")).await;
    assume(&client, &[]).await.refused(403, "AccessDenied");
    assume(&client, &[("ExternalId", "other")]).await.refused(403, "AccessDenied");
    assume(&client, &[("ExternalId", "s3cret/1")]).await.ok();
}

#[tokio::test]
async fn a_role_may_trust_one_role_of_the_hub_by_its_arn() {
    let (sandbox, client, member) = hub_and_member(None).await;
    let hub = sandbox.account(crate::client::ACCOUNT);
    hub.put_role(Role::trusting_ssm("/apps/", "dhmc-controller"));
    let of_hub = hub.role("dhmc-controller").unwrap().arn;
    member.trust("dhmc-member", "/team/", &of_hub, None);
    assume(&client, &[]).await.ok();
    let other = Client::new(&sandbox, hub.identity("assumed-role/other/one"));
    assume(&other, &[]).await.refused(403, "AccessDenied");
    let bob = hub.identity("user/bob");
    member.trust("dhmc-member", "/team/", &bob.arn, None);
    assume(&Client::new(&sandbox, bob), &[]).await.ok();
    assume(&client, &[]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn tags_need_the_right_to_tag_and_transitive_ones_need_it_again() {
    let (sandbox, client, member) = hub_and_member(None).await;
    let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "a")];
    let refused = assume(&client, &tag).await;
    refused.refused(403, "AccessDenied");
    assert!(refused.element("Message").unwrap().contains("sts:TagSession"));

    let both = |principal: &str| {
        json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }]})
        .to_string()
    };
    member.put_role(Role::new("/team/", "dhmc-member", &both(crate::client::ACCOUNT)));
    assume(&client, &tag).await.ok();
    let unknown = [&tag[..], &[("TransitiveTagKeys.member.1", "other")]].concat();
    assume(&client, &unknown).await.refused(400, "ValidationError");
    let transitive = [&tag[..], &[("TransitiveTagKeys.member.1", "team")]].concat();
    let first = assume(&client, &transitive).await.ok();

    let far = sandbox.account("888877776666");
    far.trust("far", "/", MEMBER, None);
    let far_arn = [("RoleArn", "arn:aws:iam::888877776666:role/far")];
    assume(&session(&client, &first), &far_arn).await.refused(403, "AccessDenied");
    far.put_role(Role::new("/", "far", &both(MEMBER)));
    assume(&session(&client, &first), &far_arn).await.ok();
}

#[tokio::test]
async fn malformed_requests_are_refused_as_aws_refuses_them() {
    let (sandbox, client, member) = hub_and_member(None).await;
    let user = Client::new(&sandbox, sandbox.account(crate::client::ACCOUNT).identity("user/bob"));
    for wrong in [
        ("RoleSessionName", "a"),
        ("RoleSessionName", "no spaces"),
        ("RoleSessionName", "0123456789012345678901234567890123456789012345678901234567890123456789"),
        ("RoleArn", "arn:aws:iam::222233334444:user/bob"),
        ("ExternalId", "?"),
        ("DurationSeconds", "899"),
        ("DurationSeconds", "43201"),
        // Longer than the role allows.
        ("DurationSeconds", "7200"),
    ] {
        assume(&user, &[wrong]).await.refused(400, "ValidationError");
    }
    let reply = client.sts_with("AssumeRole", &[("RoleArn", ROLE_ARN)]).await;
    reply.refused(400, "ValidationError");
    assert!(reply.element("Message").unwrap().contains("roleSessionName"), "{reply:?}");

    member.edit_role("dhmc-member", |role| role.max_session_duration = 7200);
    assume(&user, &[("DurationSeconds", "7200")]).await.ok();
    // The client is a session itself.
    assume(&client, &[("DurationSeconds", "3601")]).await.refused(400, "ValidationError");
}

#[tokio::test]
async fn a_session_expires_by_the_sandboxs_clock() {
    let (sandbox, client, _member) = hub_and_member(None).await;
    let reply = assume(&client, &[("DurationSeconds", "900")]).await.ok();
    let expiration: jiff::Timestamp = reply.element("Expiration").unwrap().parse().unwrap();
    let left = expiration.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((890..=900).contains(&left), "{left}");
    let later = |client: &Client, seconds| client.at(SystemTime::now() + Duration::from_secs(seconds));
    let session = session(&client, &reply);
    sandbox.configure(|knobs| knobs.clock_offset_seconds = 880);
    later(&session, 880).ssm("GetServiceSetting", get()).await.ok();
    sandbox.configure(|knobs| knobs.clock_offset_seconds = 901);
    later(&session, 901).ssm("GetServiceSetting", get()).await.refused(400, "ExpiredTokenException");
    later(&session, 901).sts("GetCallerIdentity").await.refused(403, "ExpiredToken");

    // A day later the sandbox has forgotten whose it was, and still calls it expired.
    let day = 86_400;
    sandbox.configure(|knobs| knobs.clock_offset_seconds = 86_400);
    let fresh = assume(&later(&client, day), &[]).await.ok();
    later(&session, day).ssm("GetServiceSetting", get()).await.refused(400, "ExpiredTokenException");
    assert_ne!(fresh.element("AccessKeyId"), reply.element("AccessKeyId"));
}

#[tokio::test]
async fn a_knob_makes_sessions_as_short_as_a_test_wants_them() {
    let (sandbox, client, member) = hub_and_member(None).await;
    sandbox.configure(|knobs| knobs.session_seconds = Some(2));
    let reply = assume(&client, &[("DurationSeconds", "3600")]).await.ok();
    let short = session(&client, &reply);
    sandbox.configure(|knobs| knobs.clock_offset_seconds = 3);
    short.sts("GetCallerIdentity").await.refused(403, "ExpiredToken");
    sandbox.configure(|knobs| knobs.session_seconds = None);

    let reply = assume(&client, &[]).await.ok();
    let long = session(&client, &reply);
    member.expire(&long.credentials);
    long.sts("GetCallerIdentity").await.refused(403, "ExpiredToken");
    member.renew(&long.credentials);
    long.sts("GetCallerIdentity").await.ok();
}

#[tokio::test]
async fn denials_faults_and_closed_regions_stand_in_the_way() {
    let (sandbox, client, _member) = hub_and_member(None).await;
    let hub = sandbox.account(crate::client::ACCOUNT);
    hub.deny("sts:AssumeRole");
    let reply = assume(&client, &[]).await;
    reply.refused(403, "AccessDenied");
    assert!(reply.element("Message").unwrap().contains(ROLE_ARN), "{reply:?}");
    hub.allow("sts:AssumeRole");
    sandbox.inject(Fault::new(FaultKind::Throttled).operation("AssumeRole").times(1));
    assume(&client, &[]).await.refused(400, "Throttling");
    assume(&client.in_region("af-south-1"), &[]).await.refused(403, "RegionDisabledException");
    let reply = assume(&client, &[]).await.ok();
    session(&client, &reply).in_region("af-south-1").sts("GetCallerIdentity").await.refused(403, "RegionDisabledException");
}

#[tokio::test]
async fn a_session_outlives_its_role_and_a_fresh_role_is_not_assumable_at_once() {
    let (sandbox, client, member) = hub_and_member(None).await;
    let reply = assume(&client, &[]).await.ok();
    member.delete_role("dhmc-member");
    session(&client, &reply).sts("GetCallerIdentity").await.ok();
    assume(&client, &[]).await.refused(403, "AccessDenied");

    sandbox.configure(|knobs| knobs.role_unusable = Duration::from_hours(1));
    let trust = Role::trusting("/team/", "dhmc-member", crate::client::ACCOUNT, None).trust_policy;
    let create = [("RoleName", "dhmc-member"), ("Path", "/team/"), ("AssumeRolePolicyDocument", trust.as_str())];
    Client::new(&sandbox, member.credentials()).iam("CreateRole", &create).await.ok();
    assume(&client, &[]).await.refused(403, "AccessDenied");
}

#[tokio::test]
async fn in_china_roles_are_assumed_in_china() {
    let (sandbox, _) = sandbox().await;
    let hub = sandbox.account_in("111100001111", Partition::AwsCn);
    sandbox.account_in("222200002222", Partition::AwsCn).trust("member", "/", "arn:aws-cn:iam::111100001111:root", None);
    let client = Client::new(&sandbox, hub.credentials()).in_region("cn-north-1");
    let reply = assume(&client, &[("RoleArn", "arn:aws-cn:iam::222200002222:role/member")]).await.ok();
    assert_eq!(reply.element("Arn"), Some("arn:aws-cn:sts::222200002222:assumed-role/member/dhmc-hub"));
}
