//! Who is believed: signatures, tokens, clocks, and what each protocol says to those who are not.

use std::time::Duration;

use aws_sandbox::{GlobalSigning, Partition, SETTING_ID};
use serde_json::json;

use crate::client::{Client, REGION, Request, sandbox};

fn get() -> Request {
    Client::ssm_request("GetServiceSetting", &json!({"SettingId": SETTING_ID}))
}

#[tokio::test]
async fn sessions_and_users_are_believed_and_named() {
    let (sandbox, account) = sandbox().await;
    for suffix in ["assumed-role/Administrator/alice", "user/bob"] {
        let credentials = account.identity(suffix);
        let client = Client::new(&sandbox, credentials.clone());
        let reply = client.sts("GetCallerIdentity").await.ok();
        assert_eq!(reply.element("Arn"), Some(credentials.arn.as_str()));
        assert_eq!(reply.element("Account"), Some(account.id()));
    }
}

#[tokio::test]
async fn a_wrong_secret_is_refused_in_every_protocol() {
    let (sandbox, account) = sandbox().await;
    let mut client = Client::new(&sandbox, account.credentials());
    client.credentials.secret_access_key = "wrong".to_owned();
    client.ssm("GetServiceSetting", json!({})).await.refused(400, "InvalidSignatureException");
    client.iam("ListRoles", &[]).await.refused(403, "SignatureDoesNotMatch");
    client.sts("GetCallerIdentity").await.refused(403, "SignatureDoesNotMatch");
    let reply = client.account("/listRegions", json!({})).await;
    reply.refused(403, "InvalidSignatureException");
}

#[tokio::test]
async fn a_tampered_request_is_refused() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let mut body = client.sign("ssm", REGION, get());
    body.body = body.body.replace("default", "Default");
    client.send(&body).await.unwrap().refused(400, "InvalidSignatureException");
    let mut path = client.sign("ssm", REGION, get());
    path.path = "/?a=b".to_owned();
    client.send(&path).await.unwrap().refused(400, "InvalidSignatureException");
    let mut target = client.sign("ssm", REGION, get());
    target.headers[1].1 = "AmazonSSM.ResetServiceSetting".to_owned();
    client.send(&target).await.unwrap().refused(400, "InvalidSignatureException");
    client.send(&client.sign("ssm", REGION, get())).await.unwrap().ok();
}

#[tokio::test]
async fn paths_and_queries_are_signed_as_aws_signs_them() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let mut odd = get();
    odd.path = "/a%20b/c?z=1&a=%7E&flag".to_owned();
    client.send(&client.sign("ssm", REGION, odd)).await.unwrap().ok();
}

#[tokio::test]
async fn an_unknown_key_or_token_is_refused() {
    let (sandbox, account) = sandbox().await;
    let mut client = Client::new(&sandbox, account.credentials());
    client.credentials.session_token = Some("another".to_owned());
    client.ssm("GetServiceSetting", json!({})).await.refused(400, "UnrecognizedClientException");
    client.credentials.session_token = None;
    client.iam("ListRoles", &[]).await.refused(403, "InvalidClientTokenId");
    client.credentials.access_key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
    client.ssm("GetServiceSetting", json!({})).await.refused(400, "UnrecognizedClientException");
    client.iam("ListRoles", &[]).await.refused(403, "InvalidClientTokenId");
    let call = sandbox.journal().calls().pop().unwrap();
    assert_eq!((call.account.as_str(), call.principal.as_str()), ("", ""));
}

#[tokio::test]
async fn an_unsigned_request_is_refused() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let reply = client.send(&get()).await.unwrap();
    reply.refused(400, "MissingAuthenticationTokenException");
    let form = Request { path: "/".to_owned(), headers: vec![], body: "Action=X".to_owned() };
    client.send(&form).await.unwrap().refused(403, "MissingAuthenticationToken");
}

#[tokio::test]
async fn an_expired_session_is_refused_until_renewed() {
    let (sandbox, account) = sandbox().await;
    let credentials = account.credentials();
    let client = Client::new(&sandbox, credentials.clone());
    account.expire(&credentials);
    client.ssm("GetServiceSetting", json!({})).await.refused(400, "ExpiredTokenException");
    client.sts("GetCallerIdentity").await.refused(403, "ExpiredToken");
    account.renew(&credentials);
    client.sts("GetCallerIdentity").await.ok();
}

#[tokio::test]
async fn clocks_more_than_five_minutes_apart_are_refused_and_the_answer_tells_the_time() {
    let (sandbox, account) = sandbox().await;
    let mut client = Client::new(&sandbox, account.credentials());
    client.time -= Duration::from_mins(6);
    client.ssm("GetServiceSetting", json!({})).await.refused(400, "InvalidSignatureException");
    let reply = client.sts("GetCallerIdentity").await;
    reply.refused(403, "SignatureDoesNotMatch");
    assert!(reply.element("Message").unwrap().starts_with("Signature expired"));
    sandbox.configure(|knobs| knobs.clock_offset_seconds = -360);
    client.sts("GetCallerIdentity").await.ok();
    sandbox.configure(|knobs| knobs.clock_offset_seconds = -100 * 365 * 86_400);
    let reply = client.sts("GetCallerIdentity").await;
    assert!(reply.element("Message").unwrap().starts_with("Signature not yet current"));
    assert!(reply.head.lines().any(|l| l.starts_with("date: ") && l.contains(" 19")), "{reply:?}");
}

#[tokio::test]
async fn global_services_take_only_the_partitions_signing_region() {
    let (sandbox, account) = sandbox().await;
    let mut client = Client::new(&sandbox, account.credentials());
    client.global_region = "eu-west-1".to_owned();
    let reply = client.iam("ListRoles", &[]).await;
    reply.refused(403, "SignatureDoesNotMatch");
    let message = reply.element("Message").unwrap();
    assert!(message.starts_with("Credential should be scoped to a valid region"), "{message}");
    sandbox.configure(|knobs| knobs.global_signing = GlobalSigning::AnyRegion);
    client.iam("ListRoles", &[]).await.ok();
    sandbox.configure(|knobs| knobs.global_signing = GlobalSigning::OneRegion);

    let china = sandbox.account_in("222233334444", Partition::AwsCn);
    let mut client = Client::new(&sandbox, china.credentials());
    client.global_region = "cn-north-1".to_owned();
    client.iam("ListRoles", &[]).await.ok();
    client.account("/listRegions", json!({})).await.refused(403, "InvalidSignatureException");
    client.global_region = "cn-northwest-1".to_owned();
    client.account("/listRegions", json!({})).await.ok();
}
