//! IAM roles: creation and its refusals, documents, attachments, inline policies, tags, paging, visibility.

use std::time::Duration;

use aws_sandbox::{Role, SSM_TRUST_POLICY};

use crate::client::{ACCOUNT, Client, ROLE, Reply, sandbox};

const DEFAULT_POLICY: &str = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
const PERMISSIONS: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;

async fn create(client: &Client, name: &str, path: &str, trust: &str) -> Reply {
    let parameters = [("RoleName", name), ("Path", path), ("AssumeRolePolicyDocument", trust)];
    client.iam("CreateRole", &parameters).await
}

#[tokio::test]
async fn a_created_role_reads_back_with_its_document_url_encoded() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let parameters = [
        ("RoleName", ROLE),
        ("Path", "/service-role/"),
        ("AssumeRolePolicyDocument", SSM_TRUST_POLICY),
        ("Description", "a <b> & c"),
        ("MaxSessionDuration", "7200"),
        ("PermissionsBoundary", "arn:aws:iam::aws:policy/ReadOnlyAccess"),
        ("Tags.member.1.Key", "owner"),
        ("Tags.member.1.Value", "me"),
    ];
    client.iam("CreateRole", &parameters).await.ok();
    let reply = client.iam("GetRole", &[("RoleName", ROLE)]).await.ok();
    let document = reply.element("AssumeRolePolicyDocument").unwrap();
    assert!(document.starts_with("%7B%22Version%22%3A%222012-10-17%22%2C"), "{document}");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/service-role/{ROLE}");
    assert_eq!(reply.element("Arn"), Some(arn.as_str()));
    assert_eq!(reply.element("Description"), Some("a &lt;b&gt; &amp; c"));
    assert_eq!(reply.element("MaxSessionDuration"), Some("7200"));
    let boundary = reply.element("PermissionsBoundaryArn");
    assert_eq!(boundary, Some("arn:aws:iam::aws:policy/ReadOnlyAccess"));
    assert!(reply.body.contains("<Tags><member><Key>owner</Key><Value>me</Value>"), "{reply:?}");
    assert_eq!(account.role(ROLE).unwrap().trust_policy, SSM_TRUST_POLICY);
}

#[tokio::test]
async fn a_name_is_taken_across_paths_and_cases() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    create(&client, "Role", "/", SSM_TRUST_POLICY).await.ok();
    let again = create(&client, "Role", "/service-role/", SSM_TRUST_POLICY).await;
    again.refused(409, "EntityAlreadyExists");
    create(&client, "ROLE", "/", SSM_TRUST_POLICY).await.refused(409, "EntityAlreadyExists");
}

#[tokio::test]
async fn malformed_requests_to_create_a_role_are_refused() {
    let (sandbox, account) = sandbox().await;
    let client = Client::new(&sandbox, account.credentials());
    let code = "MalformedPolicyDocument";
    create(&client, "Role", "/", "not json").await.refused(400, code);
    let regional = SSM_TRUST_POLICY.replace("ssm.", "ssm.us-east-1.");
    let reply = create(&client, "Role", "/", &regional).await;
    reply.refused(400, code);
    assert!(reply.element("Message").unwrap().starts_with("Invalid principal in policy"));
    create(&client, "bad name", "/", SSM_TRUST_POLICY).await.refused(400, "ValidationError");
    create(&client, "Role", "no-slash", SSM_TRUST_POLICY).await.refused(400, "ValidationError");
    assert!(account.role("Role").is_none());
}

#[tokio::test]
async fn policies_attach_once_detach_once_and_must_exist() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/", "Role"));
    let client = Client::new(&sandbox, account.credentials());
    let on = |arn| [("RoleName", "Role"), ("PolicyArn", arn)];
    client.iam("AttachRolePolicy", &on(DEFAULT_POLICY)).await.ok();
    client.iam("AttachRolePolicy", &on(DEFAULT_POLICY)).await.ok();
    assert_eq!(account.role("Role").unwrap().attached, [DEFAULT_POLICY]);
    let unknown = on("arn:aws:iam::aws:policy/NoSuchPolicy");
    client.iam("AttachRolePolicy", &unknown).await.refused(404, "NoSuchEntity");
    client.iam("AttachRolePolicy", &on("certainly no arn of any kind")).await.refused(400, "InvalidInput");
    client.iam("DeleteRole", &[("RoleName", "Role")]).await.refused(409, "DeleteConflict");
    client.iam("DetachRolePolicy", &on(DEFAULT_POLICY)).await.ok();
    client.iam("DetachRolePolicy", &on(DEFAULT_POLICY)).await.refused(404, "NoSuchEntity");
    client.iam("DeleteRole", &[("RoleName", "Role")]).await.ok();
    client.iam("GetRole", &[("RoleName", "Role")]).await.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn the_eleventh_policy_exceeds_the_quota_and_lists_are_paged() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/", "Role"));
    let client = Client::new(&sandbox, account.credentials());
    let mut last = None;
    for number in 1..=11 {
        let name = format!("own-{number:02}");
        let policy = [("PolicyName", name.as_str()), ("PolicyDocument", PERMISSIONS)];
        let created = client.iam("CreatePolicy", &policy).await.ok();
        let arn = created.element("Arn").unwrap();
        let attach = [("RoleName", "Role"), ("PolicyArn", arn)];
        last = Some(client.iam("AttachRolePolicy", &attach).await);
    }
    last.unwrap().refused(409, "LimitExceeded");
    sandbox.configure(|knobs| knobs.page_size = 4);
    let mut names = Vec::new();
    let mut marker: Option<String> = None;
    for truncated in ["true", "true", "false"] {
        let mut parameters = vec![("RoleName", "Role"), ("MaxItems", "100")];
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = client.iam("ListAttachedRolePolicies", &parameters).await.ok();
        assert_eq!(page.element("IsTruncated"), Some(truncated));
        names.extend(page.body.matches("<PolicyName>own-").map(str::to_owned));
        marker = page.element("Marker").map(str::to_owned);
    }
    assert_eq!(names.len(), 10);
    assert_eq!(marker, None);
    let bad = [("RoleName", "Role"), ("Marker", "not a marker")];
    client.iam("ListAttachedRolePolicies", &bad).await.refused(400, "ValidationError");
}

#[tokio::test]
async fn inline_policies_and_tags_come_and_go() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/", "Role"));
    let client = Client::new(&sandbox, account.credentials());
    let named = [("RoleName", "Role"), ("PolicyName", "inline")];
    client.iam("GetRolePolicy", &named).await.refused(404, "NoSuchEntity");
    let put = [named[0], named[1], ("PolicyDocument", PERMISSIONS)];
    client.iam("PutRolePolicy", &put).await.ok();
    let got = client.iam("GetRolePolicy", &named).await.ok();
    assert!(got.element("PolicyDocument").unwrap().starts_with("%7B%22Version"));
    let listed = client.iam("ListRolePolicies", &named[..1]).await.ok();
    assert!(listed.body.contains("<PolicyNames><member>inline</member></PolicyNames>"));
    client.iam("DeleteRole", &named[..1]).await.refused(409, "DeleteConflict");
    client.iam("DeleteRolePolicy", &named).await.ok();

    let tags = [
        ("RoleName", "Role"),
        ("Tags.member.1.Key", "a"),
        ("Tags.member.1.Value", "1"),
        ("Tags.member.2.Key", "b"),
        ("Tags.member.2.Value", "2"),
    ];
    client.iam("TagRole", &tags).await.ok();
    client.iam("UntagRole", &[("RoleName", "Role"), ("TagKeys.member.1", "a")]).await.ok();
    let listed = client.iam("ListRoleTags", &[("RoleName", "Role")]).await.ok();
    assert!(listed.body.contains("<Tags><member><Key>b</Key>"), "{listed:?}");
    assert!(!listed.body.contains("<Key>a</Key>"));
}

#[tokio::test]
async fn an_update_without_a_duration_resets_it_and_keeps_the_description() {
    let (sandbox, account) = sandbox().await;
    let mut role = Role::trusting_ssm("/", "Role");
    role.max_session_duration = 7200;
    role.description = Some("kept".to_owned());
    account.put_role(role);
    let client = Client::new(&sandbox, account.credentials());
    client.iam("UpdateRole", &[("RoleName", "Role")]).await.ok();
    let role = account.role("Role").unwrap();
    assert_eq!(role.max_session_duration, 3600);
    assert_eq!(role.description.as_deref(), Some("kept"));
}

#[tokio::test]
async fn boundaries_are_put_and_deleted() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/", "Role"));
    let client = Client::new(&sandbox, account.credentials());
    let arn = "arn:aws:iam::aws:policy/ReadOnlyAccess";
    let put = [("RoleName", "Role"), ("PermissionsBoundary", arn)];
    client.iam("PutRolePermissionsBoundary", &put).await.ok();
    assert_eq!(account.role("Role").unwrap().permissions_boundary.as_deref(), Some(arn));
    client.iam("DeleteRolePermissionsBoundary", &put[..1]).await.ok();
    let again = client.iam("DeleteRolePermissionsBoundary", &put[..1]).await;
    again.refused(404, "NoSuchEntity");
}

#[tokio::test]
async fn a_service_linked_role_is_not_modified() {
    let (sandbox, account) = sandbox().await;
    account.put_role(Role::trusting_ssm("/aws-service-role/ssm.amazonaws.com/", "Linked"));
    let client = Client::new(&sandbox, account.credentials());
    let attach = [("RoleName", "Linked"), ("PolicyArn", DEFAULT_POLICY)];
    client.iam("AttachRolePolicy", &attach).await.refused(400, "UnmodifiableEntity");
    client.iam("GetRole", &attach[..1]).await.ok();
}

#[tokio::test]
async fn a_role_not_yet_visible_exists_and_is_not_found() {
    let (sandbox, account) = sandbox().await;
    sandbox.configure(|knobs| knobs.role_invisible = Duration::from_hours(1));
    let client = Client::new(&sandbox, account.credentials());
    create(&client, "Role", "/", SSM_TRUST_POLICY).await.ok();
    client.iam("GetRole", &[("RoleName", "Role")]).await.refused(404, "NoSuchEntity");
    create(&client, "Role", "/", SSM_TRUST_POLICY).await.refused(409, "EntityAlreadyExists");
    assert!(account.role("Role").is_some());
    let listed = client.iam("ListRoles", &[]).await.ok();
    assert!(!listed.body.contains("<RoleName>"));
}

#[tokio::test]
async fn a_role_becomes_visible_by_itself() {
    let (sandbox, account) = sandbox().await;
    sandbox.configure(|knobs| knobs.role_invisible = Duration::from_millis(20));
    let client = Client::new(&sandbox, account.credentials());
    create(&client, "Role", "/", SSM_TRUST_POLICY).await.ok();
    let seen = async { while client.iam("GetRole", &[("RoleName", "Role")]).await.status != 200 {} };
    tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
}

#[tokio::test]
async fn creating_with_tags_needs_the_right_to_tag() {
    let (sandbox, account) = sandbox().await;
    account.deny("iam:TagRole");
    let client = Client::new(&sandbox, account.credentials());
    let parameters = [
        ("RoleName", "Role"),
        ("AssumeRolePolicyDocument", SSM_TRUST_POLICY),
        ("Tags.member.1.Key", "owner"),
        ("Tags.member.1.Value", "me"),
    ];
    let reply = client.iam("CreateRole", &parameters).await;
    reply.refused(403, "AccessDenied");
    assert!(reply.body.contains("is not authorized to perform: iam:TagRole"), "{reply:?}");
    client.iam("CreateRole", &parameters[..2]).await.ok();
}
