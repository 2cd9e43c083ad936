//! Every kind of fault on the wire, and denials: what the client sees, whether the call had its effect, what the
//! journal says.

use std::time::{Duration, Instant};

use aws_sandbox::{Denial, DeniedBy, Fault, FaultKind, Filter, Outcome, RoleCheck, SETTING_ID, Sandbox};
use serde_json::{Value, json};

use crate::client::{Client, REGION, sandbox};

fn update() -> Value {
    json!({"SettingId": SETTING_ID, "SettingValue": "role"})
}

fn get() -> Value {
    json!({"SettingId": SETTING_ID})
}

/// A sandbox that takes any role.
async fn lenient() -> (Sandbox, Client) {
    let (sandbox, account) = sandbox().await;
    sandbox.configure(|knobs| knobs.role_check = RoleCheck::Accept);
    let client = Client::new(&sandbox, account.credentials());
    (sandbox, client)
}

fn last_outcome(sandbox: &Sandbox) -> Outcome {
    sandbox.journal().calls().pop().unwrap().outcome
}

#[tokio::test]
async fn every_fault_that_is_an_error_has_its_code_in_each_protocol() {
    use FaultKind::{
        AccessDenied, ClockSkew, EntityAlreadyExists, ExpiredCredentials, Internal500, LimitExceeded, MalformedPolicyDocument,
        RegionDisabled, Throttled, TooManyUpdates, Unavailable503,
    };
    let (sandbox, client) = lenient().await;
    let table = [
        (Throttled, (400, "ThrottlingException"), (400, "Throttling")),
        (Internal500, (500, "InternalServerError"), (500, "ServiceFailure")),
        (Unavailable503, (503, "ServiceUnavailable"), (503, "ServiceUnavailable")),
        (AccessDenied, (400, "AccessDeniedException"), (403, "AccessDenied")),
        (ExpiredCredentials, (400, "ExpiredTokenException"), (403, "ExpiredToken")),
        (ClockSkew, (400, "InvalidSignatureException"), (403, "SignatureDoesNotMatch")),
        (RegionDisabled, (400, "UnrecognizedClientException"), (403, "InvalidClientTokenId")),
        (TooManyUpdates, (400, "TooManyUpdates"), (400, "TooManyUpdates")),
        (LimitExceeded, (400, "LimitExceededException"), (409, "LimitExceeded")),
        (MalformedPolicyDocument, (400, "MalformedPolicyDocument"), (400, "MalformedPolicyDocument")),
        (EntityAlreadyExists, (409, "EntityAlreadyExists"), (409, "EntityAlreadyExists")),
    ];
    for (kind, json, query) in table {
        sandbox.inject(Fault::new(kind.clone()).times(2));
        client.ssm("UpdateServiceSetting", update()).await.refused(json.0, json.1);
        client.iam("ListRoles", &[]).await.refused(query.0, query.1);
        let failed = Outcome::Failed { status: query.0, code: query.1.to_owned() };
        assert_eq!(last_outcome(&sandbox), failed);
        client.iam("ListRoles", &[]).await.ok();
    }
    sandbox.inject(Fault::new(RegionDisabled).service("sts"));
    client.sts("GetCallerIdentity").await.refused(403, "RegionDisabledException");
    sandbox.inject(Fault::new(Throttled).service("account"));
    let reply = client.account("/listRegions", json!({})).await;
    reply.refused(429, "TooManyRequestsException");
    let reply = client.ssm("GetServiceSetting", get()).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "$None");
}

#[tokio::test]
async fn a_custom_fault_says_what_it_was_given() {
    let (sandbox, client) = lenient().await;
    let kind = FaultKind::Custom { status: 418, code: "Teapot".into(), message: "short".into() };
    sandbox.inject(Fault::new(kind));
    let reply = client.ssm("GetServiceSetting", get()).await;
    reply.refused(418, "Teapot");
    assert_eq!(reply.json()["message"], "short");
}

#[tokio::test]
async fn a_drop_before_acting_closes_without_a_byte_and_changes_nothing() {
    let (sandbox, client) = lenient().await;
    sandbox.inject(Fault::new(FaultKind::DropBeforeActing).times(1));
    assert!(client.try_ssm("UpdateServiceSetting", update()).await.is_none());
    assert_eq!(last_outcome(&sandbox), Outcome::DroppedBeforeActing);
    let reply = client.ssm("GetServiceSetting", get()).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "$None");
}

#[tokio::test]
async fn a_drop_after_acting_closes_without_a_byte_yet_the_write_is_there() {
    let (sandbox, client) = lenient().await;
    sandbox.inject(Fault::new(FaultKind::DropAfterActing).times(1));
    assert!(client.try_ssm("UpdateServiceSetting", update()).await.is_none());
    assert_eq!(last_outcome(&sandbox), Outcome::DroppedAfterActing);
    let reply = client.ssm("GetServiceSetting", get()).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "role");
}

#[tokio::test]
async fn garbage_is_a_success_nobody_can_read() {
    let (sandbox, client) = lenient().await;
    sandbox.inject(Fault::new(FaultKind::Garbage).times(1));
    let reply = client.ssm("UpdateServiceSetting", update()).await.ok();
    assert!(serde_json::from_str::<Value>(&reply.body).is_err());
    assert_eq!(last_outcome(&sandbox), Outcome::Garbled);
    let reply = client.ssm("GetServiceSetting", get()).await.ok();
    assert_eq!(reply.json()["ServiceSetting"]["SettingValue"], "role");
}

#[tokio::test]
async fn a_slow_call_acts_at_once_and_answers_late() {
    let (sandbox, client) = lenient().await;
    let delay = Duration::from_millis(80);
    sandbox.inject(Fault::new(FaultKind::Slow(delay)).times(1));
    let start = Instant::now();
    client.ssm("UpdateServiceSetting", update()).await.ok();
    assert!(start.elapsed() >= delay);

    sandbox.inject(Fault::new(FaultKind::Slow(Duration::from_hours(1))).times(1));
    let reset = tokio::spawn({
        let client = client.clone();
        async move { client.ssm("ResetServiceSetting", get()).await }
    });
    let done =
        sandbox.wait_until(Duration::from_secs(10), |sandbox| sandbox.account("123456789012").setting(REGION).value.is_none());
    done.await.unwrap();
    reset.abort();
}

#[tokio::test]
async fn a_fault_hits_only_its_service_operation_account_and_region() {
    let (sandbox, client) = lenient().await;
    let fault = || Fault::new(FaultKind::Throttled);
    for miss in [
        fault().service("iam"),
        fault().operation("ResetServiceSetting"),
        fault().account("999999999999"),
        fault().region("eu-west-1"),
    ] {
        sandbox.inject(miss);
    }
    client.ssm("GetServiceSetting", get()).await.ok();
    assert_eq!(sandbox.faults().len(), 4);
    sandbox.clear_faults();
    let exact = fault().service("ssm").operation("GetServiceSetting").region(REGION);
    let id = sandbox.inject(exact.account("123456789012"));
    client.ssm("GetServiceSetting", get()).await.refused(400, "ThrottlingException");
    sandbox.clear(id);
    client.ssm("GetServiceSetting", get()).await.ok();
}

#[tokio::test]
async fn a_denial_speaks_as_aws_does() {
    let (sandbox, account) = sandbox().await;
    let credentials = account.credentials();
    let client = Client::new(&sandbox, credentials.clone());
    account.deny("ssm:GetServiceSetting");
    let reply = client.ssm("GetServiceSetting", get()).await;
    reply.refused(400, "AccessDeniedException");
    let arn = "arn:aws:ssm:us-east-2:123456789012:servicesetting/ssm/managed-instance/default-ec2-instance-management-role";
    let message = format!(
        "User: {} is not authorized to perform: ssm:GetServiceSetting on resource: {arn} because no identity-based policy allows the ssm:GetServiceSetting action",
        credentials.arn
    );
    assert_eq!(reply.json()["message"], message);
    account.allow("ssm:GetServiceSetting");
    client.ssm("GetServiceSetting", get()).await.ok();

    let by = DeniedBy::ServiceControlPolicy;
    let principal = Some(credentials.arn.clone());
    account.deny_as(Denial { action: "iam:*".to_owned(), principal, by });
    let reply = client.iam("GetRole", &[("RoleName", "Role")]).await;
    reply.refused(403, "AccessDenied");
    assert!(reply.body.contains("with an explicit deny in a service control policy"), "{reply:?}");
    let other = Client::new(&sandbox, account.identity("user/bob"));
    other.iam("GetRole", &[("RoleName", "Role")]).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn the_journal_tells_who_asked_what_and_how_it_ended() {
    let (sandbox, client) = lenient().await;
    client.ssm("UpdateServiceSetting", update()).await.ok();
    client.iam("GetRole", &[("RoleName", "Role")]).await.refused(404, "NoSuchEntity");
    let journal = sandbox.journal();
    let calls = journal.calls();
    assert_eq!(calls.len(), 2);
    assert!(calls[0].is_write() && !calls[1].is_write());
    assert_eq!(calls[0].parameter("SettingValue"), Some("role"));
    assert_eq!(calls[0].region, REGION);
    assert_eq!(calls[0].outcome, Outcome::Answered { status: 200 });
    assert_eq!(calls[1].parameters, json!({"RoleName": "Role"}));
    assert_eq!(calls[1].error_code(), Some("NoSuchEntity"));
    assert_eq!(calls[1].principal, client.credentials.arn);
    assert_eq!(journal.count_matching(&Filter::any().service("iam").after(1)), 1);
    assert_eq!(journal.count("ssm", "UpdateServiceSetting"), 1);
    let text = serde_json::to_string(&calls).unwrap();
    assert!(!text.contains(&client.credentials.secret_access_key));
    assert!(!text.contains(client.credentials.session_token.as_deref().unwrap()));
}
