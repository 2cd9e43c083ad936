//! The control path, as scripts use it.

use aws_sandbox::{Credentials, Sandbox};
use serde_json::{Value, json};

use crate::client::{ACCOUNT, Client, REGION, ROLE, Reply, Request, sandbox, send};

async fn control(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> Reply {
    let request = Request {
        path: format!("/_sandbox/{path}"),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: if body.is_null() { String::new() } else { body.to_string() },
    };
    send(&sandbox.addr().to_string(), method, &request).await.unwrap()
}

#[tokio::test]
async fn credentials_are_handed_out_over_the_control_path() {
    let (sandbox, _) = sandbox().await;
    let path = "accounts/333344445555/credentials?identity=user/bob&partition=aws-cn";
    let issued = control(&sandbox, "GET", path, Value::Null).await.ok().json();
    assert_eq!(issued["arn"], "arn:aws-cn:iam::333344445555:user/bob");
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let credentials = Credentials {
        access_key_id: text("access_key_id"),
        secret_access_key: text("secret_access_key"),
        session_token: None,
        arn: text("arn"),
    };
    let client = Client::new(&sandbox, credentials).in_region("cn-north-1");
    client.sts("GetCallerIdentity").await.ok();
}

#[tokio::test]
async fn faults_and_the_journal_are_reached_over_the_control_path() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let faults = json!([{"kind": "Throttled", "service": "sts"}, {"kind": {"Slow": 5}}]);
    control(&sandbox, "PUT", "faults", faults).await.ok();
    client.sts("GetCallerIdentity").await.refused(400, "Throttling");
    let listed = control(&sandbox, "GET", "faults", Value::Null).await.ok().json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    let id = listed[0]["id"].as_u64().unwrap();
    let cleared = control(&sandbox, "DELETE", &format!("faults/{id}"), Value::Null).await;
    assert_eq!(cleared.status, 204);
    client.sts("GetCallerIdentity").await.ok();
    let calls = control(&sandbox, "GET", "journal?service=sts", Value::Null).await.ok().json();
    assert_eq!(calls[0]["outcome"]["Failed"]["code"], "Throttling");
    assert_eq!(calls[1]["outcome"]["Answered"]["status"], 200);
    let counts = control(&sandbox, "GET", "counts", Value::Null).await.ok().json();
    assert_eq!(counts, json!({"sts:GetCallerIdentity": 2}));
    control(&sandbox, "DELETE", "journal", Value::Null).await;
    assert!(sandbox.journal().is_empty());
    let misspelt = json!([{"kind": "Throttled", "servise": "sts"}]);
    assert_eq!(control(&sandbox, "PUT", "faults", misspelt).await.status, 422);
}

#[tokio::test]
async fn settings_and_roles_are_sabotaged_over_the_control_path() {
    let (sandbox, account) = sandbox().await;
    let setting = format!("accounts/{ACCOUNT}/regions/{REGION}/setting");
    let edit = json!({"value": "evil", "by": "arn:mallory"});
    assert_eq!(control(&sandbox, "PUT", &setting, edit).await.status, 204);
    assert_eq!(account.setting(REGION).value.as_deref(), Some("evil"));
    assert_eq!(account.setting(REGION).last_modified_user, "arn:mallory");
    assert_eq!(control(&sandbox, "DELETE", &setting, Value::Null).await.status, 204);
    let shown = control(&sandbox, "GET", &setting, Value::Null).await.ok().json();
    assert_eq!(shown["value"], Value::Null);

    let role = format!("accounts/{ACCOUNT}/roles/{ROLE}");
    assert_eq!(control(&sandbox, "GET", &role, Value::Null).await.status, 404);
    let put = json!({"path": "/service-role/", "name": ROLE, "trust_policy": "{}", "attached": ["a"]});
    assert_eq!(control(&sandbox, "PUT", &role, put).await.status, 204);
    let edit = json!({"trust_policy": "{\"x\":1}", "detach": ["a"], "attach": ["b"]});
    assert_eq!(control(&sandbox, "PATCH", &role, edit).await.status, 204);
    let edited = account.role(ROLE).unwrap();
    assert_eq!(edited.trust_policy, "{\"x\":1}");
    assert_eq!(edited.attached, ["b"]);
    assert_eq!(control(&sandbox, "DELETE", &role, Value::Null).await.status, 204);
    assert!(account.role(ROLE).is_none());
}

#[tokio::test]
async fn regions_denials_knobs_and_reset_work_over_the_control_path() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let region = format!("accounts/{ACCOUNT}/regions/af-south-1");
    control(&sandbox, "PUT", &region, json!("ENABLED")).await;
    client.in_region("af-south-1").sts("GetCallerIdentity").await.ok();
    let denials = format!("accounts/{ACCOUNT}/denials");
    control(&sandbox, "POST", &denials, json!({"action": "iam:ListRoles"})).await;
    client.iam("ListRoles", &[]).await.refused(403, "AccessDenied");
    control(&sandbox, "DELETE", &denials, Value::Null).await;
    client.iam("ListRoles", &[]).await.ok();
    control(&sandbox, "PUT", "knobs", json!({"page_size": 3})).await;
    assert_eq!(sandbox.knobs().page_size, 3);
    assert_eq!(control(&sandbox, "POST", "reset", Value::Null).await.status, 204);
    assert!(sandbox.journal().is_empty());
    let closed = client.in_region("af-south-1").sts("GetCallerIdentity").await;
    closed.refused(403, "RegionDisabledException");
}

#[tokio::test]
async fn an_organization_is_put_together_over_the_control_path() {
    let (sandbox, account) = sandbox().await;
    let own = format!("organizations/{ACCOUNT}");
    assert_eq!(control(&sandbox, "GET", &own, Value::Null).await.status, 404);
    let created = control(&sandbox, "PUT", &own, Value::Null).await.ok().json();
    assert_eq!(created["root"], sandbox.organization(ACCOUNT).root());
    let unit = control(&sandbox, "POST", &format!("{own}/units"), json!({"name": "prod"})).await.ok().json();
    let lost = json!({"name": "x", "parent": "ou-none-11111111"});
    assert_eq!(control(&sandbox, "POST", &format!("{own}/units"), lost.clone()).await.status, 404);

    let member = format!("{own}/accounts/222233334444");
    assert_eq!(control(&sandbox, "PUT", &member, lost).await.status, 404);
    assert_eq!(control(&sandbox, "PUT", &member, json!({"name": "team"})).await.status, 204);
    let edit = json!({"parent": unit["id"], "status": "SUSPENDED", "delegated": true});
    assert_eq!(control(&sandbox, "PATCH", &member, edit).await.status, 204);
    let listed = control(&sandbox, "GET", &format!("{own}/accounts"), Value::Null).await.ok().json();
    assert_eq!(listed[1]["parent_id"], unit["id"]);
    assert_eq!((&listed[1]["status"], &listed[1]["delegated"]), (&json!("SUSPENDED"), &json!(true)));
    let client = Client::new(&sandbox, account.credentials());
    let seen = client.organizations("ListAccounts", json!({})).await.ok().json();
    assert_eq!(seen["Accounts"][1]["State"], "SUSPENDED");

    assert_eq!(control(&sandbox, "DELETE", &member, Value::Null).await.status, 204);
    assert_eq!(control(&sandbox, "DELETE", &member, Value::Null).await.status, 404);
    assert_eq!(control(&sandbox, "GET", &own, Value::Null).await.ok().json()["accounts"], 1);
    let china = control(&sandbox, "PUT", "organizations/888877776666?partition=aws-cn", Value::Null).await.ok();
    assert!(china.json()["id"].as_str().unwrap().starts_with("o-"));
    assert_eq!(sandbox.account("888877776666").partition(), aws_sandbox::Partition::AwsCn);
}

#[tokio::test]
async fn policies_are_given_over_the_control_path() {
    let (sandbox, account) = sandbox().await;
    let organization = sandbox.organization("999999999999");
    organization.add(ACCOUNT, "member", &organization.root());
    let client = Client::new(&sandbox, account.credentials());
    let get = async || client.ssm("GetServiceSetting", json!({"SettingId": aws_sandbox::SETTING_ID})).await;
    let policy = |effect: &str, action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*"}]});
    let own = format!("accounts/{ACCOUNT}/policies");
    let given = control(&sandbox, "POST", &own, json!({"policy": policy("Allow", "iam:*")})).await;
    assert_eq!(given.status, 204, "{given:?}");
    get().await.refused(400, "AccessDeniedException");
    let role = "arn:aws:iam::123456789012:role/dhmc-controller";
    control(&sandbox, "POST", &own, json!({"policy": policy("Allow", "ssm:*"), "principal": role})).await;
    get().await.ok();
    let theirs = "organizations/999999999999/policies";
    control(&sandbox, "POST", theirs, json!({"policy": policy("Deny", "ssm:*")})).await;
    assert!(get().await.body.contains("service control policy"));
    assert_eq!(control(&sandbox, "DELETE", theirs, Value::Null).await.status, 204);
    get().await.ok();
    assert_eq!(control(&sandbox, "DELETE", &own, Value::Null).await.status, 204);
    client.iam("GetRole", &[("RoleName", ROLE)]).await.refused(404, "NoSuchEntity");
    let bad = control(&sandbox, "POST", &own, json!({"policy": {"Statement": []}})).await;
    assert_eq!(bad.status, 400);
    assert!(bad.body.contains("Syntax errors in policy."), "{bad:?}");
    let nowhere = control(&sandbox, "POST", theirs, json!({"policy": policy("Deny", "*"), "target": "ou-none"})).await;
    assert_eq!(nowhere.status, 400);
}
