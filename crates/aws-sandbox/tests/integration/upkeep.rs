//! What somebody who looks for trouble reads besides: documents, associations, Quick Setup, what policies say.

use aws_sandbox::{Association, ConfigurationManager, Role};
use serde_json::json;

use crate::client::{ACCOUNT, Client, REGION, ROLE, sandbox};

const PREFERENCES: &str = "SSM-SessionManagerRunShell";

#[tokio::test]
async fn a_document_is_there_in_the_region_where_it_was_put_and_nowhere_else() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    account.put_document(REGION, PREFERENCES, r#"{"inputs":{}}"#);
    let found = client.ssm("GetDocument", json!({"Name": PREFERENCES})).await.ok().json();
    assert_eq!((found["Content"].as_str(), found["DocumentFormat"].as_str()), (Some(r#"{"inputs":{}}"#), Some("JSON")));
    let elsewhere = client.in_region("eu-west-1").ssm("GetDocument", json!({"Name": PREFERENCES})).await;
    elsewhere.refused(400, "InvalidDocument");
}

#[tokio::test]
async fn associations_come_in_pages_and_each_but_once() {
    let (sandbox, account) = sandbox().await;
    sandbox.configure(|knobs| knobs.page_size = 2);
    let client = Client::new(&sandbox, account.credentials());
    for number in 0..5 {
        account.put_association(REGION, Association { document: format!("D{number}"), name: None });
    }
    let (mut found, mut parameters) = (Vec::new(), json!({}));
    loop {
        let page = client.ssm("ListAssociations", parameters).await.ok().json();
        found.extend(page["Associations"].as_array().unwrap().iter().map(|one| one["Name"].as_str().unwrap().to_owned()));
        let Some(token) = page.get("NextToken") else { break };
        parameters = json!({ "NextToken": token });
    }
    assert_eq!(found, ["D0", "D1", "D2", "D3", "D4"]);
    client.ssm("ListAssociations", json!({"NextToken": "x"})).await.refused(400, "ValidationException");
}

#[tokio::test]
async fn quick_setup_lists_its_configurations_with_what_they_set_up() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let types = vec!["AWSQuickSetupType-DHMC".to_owned()];
    account.put_configuration_manager(REGION, ConfigurationManager { name: "hosts".to_owned(), types });
    let found = client.quick_setup("/listConfigurationManagers", json!({})).await.ok().json();
    let manager = &found["ConfigurationManagersList"][0];
    assert_eq!(manager["ManagerArn"], format!("arn:aws:ssm-quicksetup:{REGION}:{ACCOUNT}:configuration-manager/hosts"));
    assert_eq!(manager["ConfigurationDefinitionSummaries"][0]["Type"], "AWSQuickSetupType-DHMC");
    assert_eq!(found["NextToken"], "", "the model says so of the last page");
    account.deny("ssm-quicksetup:*");
    client.quick_setup("/listConfigurationManagers", json!({})).await.refused(403, "AccessDeniedException");
}

#[tokio::test]
async fn the_text_of_a_policy_is_read_by_its_version_url_encoded() {
    const TEXT: &str = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let own = account.put_policy("Logs", TEXT);
    let aws = "arn:aws:iam::aws:policy/AdministratorAccess";
    for (arn, text) in [(own.as_str(), "%22s3%3A%2A%22"), (aws, "%22Action%22%3A%22%2A%22")] {
        let policy = client.iam("GetPolicy", &[("PolicyArn", arn)]).await.ok();
        let version = policy.element("DefaultVersionId").unwrap();
        let read = client.iam("GetPolicyVersion", &[("PolicyArn", arn), ("VersionId", version)]).await.ok();
        assert!(read.element("Document").unwrap().contains(text), "{}", read.body);
    }
    for (arn, version) in [(own.as_str(), "v2"), ("arn:aws:iam::aws:policy/Unknown", "v1")] {
        let parameters = [("PolicyArn", arn), ("VersionId", version)];
        client.iam("GetPolicyVersion", &parameters).await.refused(404, "NoSuchEntity");
    }
}

/// IAM API reference: the version in force cannot be deleted, nor a policy with others; there are five at most, and no number comes twice.
#[tokio::test]
async fn a_policy_gets_other_versions_of_which_one_is_in_force() {
    const TEXT: &str = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let arn = account.put_policy("Logs", TEXT);
    let in_force =
        async || client.iam("GetPolicy", &[("PolicyArn", &arn)]).await.ok().element("DefaultVersionId").unwrap().to_owned();
    let new = [("PolicyArn", arn.as_str()), ("PolicyDocument", TEXT)];
    for _ in 2..=5 {
        client.iam("CreatePolicyVersion", &new).await.ok();
    }
    client.iam("CreatePolicyVersion", &new).await.refused(409, "LimitExceeded");
    assert_eq!(in_force().await, "v1");
    let version = |name| [("PolicyArn", arn.as_str()), ("VersionId", name)];
    client.iam("SetDefaultPolicyVersion", &version("v5")).await.ok();
    client.iam("DeletePolicyVersion", &version("v5")).await.refused(409, "DeleteConflict");
    client.iam("DeletePolicyVersion", &version("v4")).await.ok();
    client.iam("SetDefaultPolicyVersion", &version("v4")).await.refused(404, "NoSuchEntity");
    client.iam("CreatePolicyVersion", &[new.as_slice(), &[("SetAsDefault", "true")]].concat()).await.ok();
    assert_eq!(in_force().await, "v6");

    let policy = [("PolicyArn", arn.as_str())];
    client.iam("DeletePolicy", &policy).await.refused(409, "DeleteConflict");
    for name in ["v1", "v2", "v3", "v5"] {
        client.iam("DeletePolicyVersion", &version(name)).await.ok();
    }
    client.iam("DeletePolicy", &policy).await.ok();
    client.iam("GetPolicy", &policy).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn a_policy_that_was_put_can_be_attached() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    account.put_role(Role::trusting_ssm("/service-role/", ROLE));
    let arn = account.put_policy("Logs", r#"{"Statement":[]}"#);
    client.iam("AttachRolePolicy", &[("RoleName", ROLE), ("PolicyArn", &arn)]).await.ok();
    assert_eq!(account.role(ROLE).unwrap().attached, [arn]);
}
