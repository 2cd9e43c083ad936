//! Organizations: who may look, what is shown, and every page of it.

use aws_sandbox::{AccountStatus, Fault, FaultKind, OrganizationHandle, Partition, Sandbox, StatusShown};
use serde_json::{Value, json};

use crate::client::{ACCOUNT, Client, sandbox};

const MEMBER: &str = "222233334444";

/// The id of a made-up account.
fn id(number: u64) -> String {
    format!("{:012}", 300_000_000_000 + number)
}

async fn organization() -> (Sandbox, Client, OrganizationHandle) {
    let (sandbox, management) = sandbox().await;
    let organization = sandbox.organization(ACCOUNT);
    let client = Client::new(&sandbox, management.credentials());
    (sandbox, client, organization)
}

/// The ids of every page, and how many pages there were.
async fn all(client: &Client, operation: &str, list: &str, mut request: Value) -> (Vec<String>, usize) {
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let page = client.organizations(operation, request.clone()).await.ok().json();
        pages += 1;
        ids.extend(page[list].as_array().unwrap().iter().map(|entry| entry["Id"].as_str().unwrap().to_owned()));
        match page.get("NextToken") {
            Some(token) => request["NextToken"] = token.clone(),
            None => return (ids, pages),
        }
    }
}

#[tokio::test]
async fn the_management_account_sees_the_organization_and_its_root() {
    let (_sandbox, client, organization) = organization().await;
    let described = client.organizations("DescribeOrganization", json!({})).await.ok().json();
    let shown = &described["Organization"];
    let id = shown["Id"].as_str().unwrap();
    assert_eq!(shown["MasterAccountId"], ACCOUNT);
    assert_eq!(shown["Arn"], format!("arn:aws:organizations::{ACCOUNT}:organization/{id}"));
    assert_eq!(shown["MasterAccountArn"], format!("arn:aws:organizations::{ACCOUNT}:account/{id}/{ACCOUNT}"));
    let roots = client.organizations("ListRoots", json!({})).await.ok().json();
    let root = organization.root();
    assert_eq!(roots["Roots"][0]["Id"], root);
    assert_eq!(roots["Roots"][0]["Arn"], format!("arn:aws:organizations::{ACCOUNT}:root/{id}/{root}"));
    assert_eq!(roots.get("NextToken"), None);
}

#[tokio::test]
async fn an_account_is_shown_with_its_name_status_and_place() {
    let (sandbox, client, organization) = organization().await;
    let unit = organization.unit(&organization.root(), "prod");
    organization.add(MEMBER, "Team A", &unit);
    let describe = async || client.organizations("DescribeAccount", json!({"AccountId": MEMBER})).await.ok().json();
    let shown = describe().await["Account"].clone();
    assert_eq!(shown["Name"], "Team A");
    assert_eq!(shown["Email"], format!("aws+{MEMBER}@example.com"));
    assert_eq!(shown["JoinedMethod"], "CREATED");
    assert!(shown["JoinedTimestamp"].is_number());
    assert!(shown["Arn"].as_str().unwrap().ends_with(&format!("/{MEMBER}")));
    assert!(shown["Paths"][0].as_str().unwrap().ends_with(&format!("/{}/{unit}/{MEMBER}/", organization.root())));
    for (status, state, coarse) in [
        (AccountStatus::PendingActivation, "PENDING_ACTIVATION", "ACTIVE"),
        (AccountStatus::Active, "ACTIVE", "ACTIVE"),
        (AccountStatus::Suspended, "SUSPENDED", "SUSPENDED"),
        (AccountStatus::PendingClosure, "PENDING_CLOSURE", "PENDING_CLOSURE"),
        (AccountStatus::Closed, "CLOSED", "SUSPENDED"),
    ] {
        organization.set_status(MEMBER, status);
        let shown = describe().await;
        assert_eq!((&shown["Account"]["State"], &shown["Account"]["Status"]), (&json!(state), &json!(coarse)));
    }
    sandbox.configure(|knobs| knobs.account_status = StatusShown::State);
    assert_eq!(describe().await["Account"].get("Status"), None);
    sandbox.configure(|knobs| knobs.account_status = StatusShown::Status);
    assert_eq!(describe().await["Account"].get("State"), None);
}

#[tokio::test]
async fn every_account_arrives_once_whatever_the_pages_are() {
    let (sandbox, client, organization) = organization().await;
    organization.add_many((0..45).map(|n| (id(n), format!("account {n}"))), &organization.root());
    let (ids, pages) = all(&client, "ListAccounts", "Accounts", json!({})).await;
    assert_eq!((ids.len(), pages), (46, 3));
    assert!(ids.is_sorted());
    let (ids, pages) = all(&client, "ListAccounts", "Accounts", json!({"MaxResults": 10})).await;
    assert_eq!((ids.len(), pages), (46, 5));
    sandbox.configure(|knobs| {
        knobs.organizations_page = 7;
        knobs.empty_pages = true;
    });
    let first = client.organizations("ListAccounts", json!({})).await.ok().json();
    assert_eq!(first["Accounts"], json!([]));
    assert!(first["NextToken"].is_string());
    let (ids, pages) = all(&client, "ListAccounts", "Accounts", json!({})).await;
    assert_eq!((ids.len(), pages), (46, 14));
    assert!(ids.is_sorted());
    let (roots, pages) = all(&client, "ListRoots", "Roots", json!({})).await;
    assert_eq!((roots.len(), pages), (1, 2));
}

#[tokio::test]
async fn accounts_and_units_are_listed_right_below_their_parent_only() {
    let (_sandbox, client, organization) = organization().await;
    let root = organization.root();
    let outer = organization.unit(&root, "outer");
    let inner = organization.unit(&outer, "inner");
    organization.add_many((0..25).map(|n| (id(n), "outer")), &outer);
    organization.add(MEMBER, "inner", &inner);
    let below = async |parent: &str| all(&client, "ListAccountsForParent", "Accounts", json!({"ParentId": parent})).await.0;
    let units = async |parent: &str| {
        let request = json!({"ParentId": parent});
        all(&client, "ListOrganizationalUnitsForParent", "OrganizationalUnits", request).await.0
    };
    assert_eq!(below(&root).await, [ACCOUNT]);
    assert_eq!(below(&outer).await.len(), 25);
    assert_eq!(below(&inner).await, [MEMBER]);
    assert_eq!((units(&root).await, units(&outer).await, units(&inner).await), (vec![outer.clone()], vec![inner], vec![]));
    organization.move_to(MEMBER, &root);
    organization.remove(&id(0));
    assert_eq!(below(&root).await, [ACCOUNT, MEMBER]);
    assert_eq!(below(&outer).await.len(), 24);
}

#[tokio::test]
async fn only_the_management_account_and_its_delegates_may_look() {
    let (sandbox, _client, organization) = organization().await;
    let member = Client::new(&sandbox, sandbox.account(MEMBER).credentials());
    let nobody = member.organizations("ListAccounts", json!({})).await;
    nobody.refused(400, "AWSOrganizationsNotInUseException");
    organization.add(MEMBER, "member", &organization.root());
    for operation in ["ListRoots", "ListAccounts", "DescribeAccount"] {
        let refused = member.organizations(operation, json!({"AccountId": MEMBER})).await;
        refused.refused(400, "AccessDeniedException");
        assert_eq!(refused.json()["Message"], "You don't have permissions to access this resource.");
    }
    // The one operation for everybody.
    member.organizations("DescribeOrganization", json!({})).await.ok();
    organization.delegate(MEMBER);
    member.organizations("ListAccounts", json!({})).await.ok();
    organization.revoke(MEMBER);
    member.organizations("ListAccounts", json!({})).await.refused(400, "AccessDeniedException");
    organization.delegate(MEMBER);
    organization.remove(MEMBER);
    let gone = member.organizations("ListAccounts", json!({})).await;
    gone.refused(400, "AWSOrganizationsNotInUseException");
    assert_eq!(organization.accounts().len(), 1);
}

#[tokio::test]
async fn what_is_wrong_is_named_as_the_model_names_it() {
    let (sandbox, client, _organization) = organization().await;
    let call = async |operation: &str, request: Value| client.organizations(operation, request).await;
    for (operation, request, reason) in [
        ("ListAccounts", json!({"MaxResults": 21}), "MAX_VALUE_EXCEEDED"),
        ("ListAccounts", json!({"MaxResults": 0}), "MIN_VALUE_EXCEEDED"),
        ("ListAccounts", json!({"NextToken": "zz"}), "INVALID_NEXT_TOKEN"),
        ("ListAccountsForParent", json!({}), "INPUT_REQUIRED"),
        ("ListAccountsForParent", json!({"ParentId": "ou-1"}), "INVALID_PATTERN"),
        ("DescribeAccount", json!({"AccountId": "12"}), "INVALID_PATTERN"),
    ] {
        let refused = call(operation, request).await;
        refused.refused(400, "InvalidInputException");
        assert_eq!(refused.json()["Reason"], reason);
    }
    let unknown = json!({"ParentId": "ou-ab12-11111111"});
    call("ListAccountsForParent", unknown.clone()).await.refused(400, "ParentNotFoundException");
    call("ListOrganizationalUnitsForParent", unknown).await.refused(400, "ParentNotFoundException");
    call("DescribeAccount", json!({"AccountId": id(1)})).await.refused(400, "AccountNotFoundException");
    for (kind, status, code) in [
        (FaultKind::Throttled, 400, "TooManyRequestsException"),
        (FaultKind::Internal500, 500, "ServiceException"),
        (FaultKind::AccessDenied, 400, "AccessDeniedException"),
        (FaultKind::ExpiredCredentials, 400, "ExpiredTokenException"),
    ] {
        sandbox.inject(Fault::new(kind).service("organizations").times(1));
        call("ListAccounts", json!({})).await.refused(status, code);
    }
    sandbox.account(ACCOUNT).deny("organizations:ListAccounts");
    call("ListAccounts", json!({})).await.refused(400, "AccessDeniedException");
}

#[tokio::test]
async fn each_partition_signs_organizations_for_its_own_region() {
    let (sandbox, _) = sandbox().await;
    for (number, partition, region) in [
        (1, Partition::Aws, "us-east-1"),
        (2, Partition::AwsCn, "cn-northwest-1"),
        (3, Partition::AwsUsGov, "us-gov-west-1"),
        (4, Partition::AwsEusc, "eusc-de-east-1"),
    ] {
        let management = sandbox.account_in(&id(number), partition);
        let organization = sandbox.organization(management.id());
        organization.add(&id(number + 100), "member", &organization.root());
        let mut client = Client::new(&sandbox, management.credentials());
        region.clone_into(&mut client.global_region);
        let listed = client.organizations("ListAccounts", json!({})).await.ok().json();
        let start = format!("arn:{}:organizations::", partition.as_str());
        assert!(listed["Accounts"][1]["Arn"].as_str().unwrap().starts_with(&start), "{listed}");
        // A member lives where its organization does.
        assert_eq!(sandbox.account(&id(number + 100)).partition(), partition);
        "eu-west-1".clone_into(&mut client.global_region);
        client.organizations("ListAccounts", json!({})).await.refused(400, "InvalidSignatureException");
    }
}

#[tokio::test]
async fn a_reset_dissolves_every_organization() {
    let (sandbox, client, organization) = organization().await;
    organization.add(MEMBER, "member", &organization.root());
    sandbox.reset();
    let gone = client.organizations("ListAccounts", json!({})).await;
    gone.refused(400, "AWSOrganizationsNotInUseException");
    assert!(organization.accounts().is_empty());
    assert_eq!(sandbox.organization(ACCOUNT).accounts().len(), 1);
}
