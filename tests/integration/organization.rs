//! An organization: who is found, who is left out, what a list that fails or shrinks changes.

use aws_sandbox::{AccountStatus, Fault, FaultKind, Filter, Options, OrganizationHandle, Sandbox};

use crate::harness::{Controller, DEADLINE, until};
use crate::referee::{ACCOUNT, credentials_of};
use crate::sdk::VALUE;

const SPEC: &str = "{regions: {us-east-1: enabled}, organization: {assumeRole: {name: dhmc-controller}}}";

fn id(number: usize) -> String {
    format!("{number:012}")
}

/// An organization of so many accounts besides the one that owns it, each with the role.
async fn organization(accounts: usize) -> (Sandbox, OrganizationHandle) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let organization = sandbox.organization(ACCOUNT);
    for number in 1..=accounts {
        join(&sandbox, &organization, number);
    }
    sandbox.account(ACCOUNT).trust("dhmc-controller", "/", ACCOUNT, None);
    (sandbox, organization)
}

fn join(sandbox: &Sandbox, organization: &OrganizationHandle, number: usize) {
    organization.add(&id(number), &format!("account {number}"), &organization.root());
    sandbox.account(&id(number)).trust("dhmc-controller", "/", ACCOUNT, None);
}

async fn start(sandbox: &Sandbox, spec: &str) -> Controller {
    Controller::start(spec, &sandbox.url(), &credentials_of(sandbox)).await
}

/// Waits until the accounts on the board are so many, and every target is in sync.
async fn settled(controller: &Controller, accounts: usize) {
    until(&format!("{accounts} accounts in sync"), DEADLINE, async || {
        let targets = controller.all_targets().await;
        let members = targets.iter().filter(|target| target["resource"] == "account").count();
        members == accounts && targets.iter().all(|target| target["state"] == "in_sync")
    })
    .await;
}

#[tokio::test]
async fn every_account_page_by_page_is_found_and_kept() {
    let (sandbox, _) = organization(45).await;
    sandbox.configure(|knobs| (knobs.organizations_page, knobs.empty_pages) = (7, true));
    let controller = start(&sandbox, SPEC).await;
    settled(&controller, 46).await;
    for number in 1..=45 {
        assert_eq!(sandbox.account(&id(number)).setting("us-east-1").value.as_deref(), Some(VALUE), "account {number}");
    }
    let calls = sandbox.journal().matching(&Filter::any().service("organizations"));
    assert!(calls.iter().all(|call| call.operation == "ListAccounts" && call.region == "us-east-1"), "no unit is asked about");
    assert_eq!(sandbox.journal().count("sts", "AssumeRole"), 46, "one session an account");
    assert!((controller.metric("dhmc_organization_accounts{status=\"managed\"}").await - 46.0).abs() < 0.1);
    controller.stop().await;
}

#[tokio::test]
async fn units_are_included_and_excluded_with_what_is_nested_in_them() {
    let (sandbox, organization) = organization(6).await;
    let workloads = organization.unit(&organization.root(), "workloads");
    let nested = organization.unit(&workloads, "production");
    let deep = organization.unit(&nested, "payments");
    organization.move_to(&id(1), &workloads);
    organization.move_to(&id(2), &deep);
    organization.move_to(&id(3), &nested);
    organization.move_to(&id(6), &deep);
    organization.set_status(&id(6), AccountStatus::Suspended);
    let spec = format!(
        "{{regions: {{us-east-1: enabled}}, organization: {{assumeRole: {{name: dhmc-controller}}, \
         include: {{organizationalUnits: [{workloads}], accounts: ['{}']}}, exclude: {{organizationalUnits: [{deep}]}}, \
         overrides: [{{organizationalUnits: [{nested}], mode: observe}}]}}}}",
        id(4)
    );
    let controller = start(&sandbox, &spec).await;
    for number in [1, 4] {
        let account = sandbox.account(&id(number));
        sandbox.wait_until(DEADLINE, |_| account.setting("us-east-1").value.as_deref() == Some(VALUE)).await.unwrap();
    }
    until("three is drifted", DEADLINE, async || controller.target_in(&id(3), "role").await["state"] == "drifted").await;
    for number in [2, 5, 6] {
        assert!(controller.targets(&id(number)).await.is_empty(), "account {number}");
        assert_eq!(sandbox.account(&id(number)).setting("us-east-1").value, None);
    }
    assert_eq!(sandbox.account(&id(3)).setting("us-east-1").value, None, "it is only observed");
    let metric = async |status: &str| controller.metric(&format!("dhmc_organization_accounts{{status=\"{status}\"}}")).await;
    assert_eq!([metric("managed").await, metric("suspended").await].map(|count| format!("{count:.0}")), ["3", "1"]);
    controller.stop().await;
}

#[tokio::test]
async fn an_account_that_joins_is_kept_and_one_that_leaves_is_forgotten_and_not_reset() {
    let (sandbox, organization) = organization(9).await;
    let controller = start(&sandbox, SPEC).await;
    settled(&controller, 10).await;
    join(&sandbox, &organization, 10);
    organization.remove(&id(1));
    settled(&controller, 10).await;
    until("the new one", DEADLINE, async || !controller.targets(&id(10)).await.is_empty()).await;
    until("the old one is forgotten", DEADLINE, async || controller.targets(&id(1)).await.is_empty()).await;
    assert_eq!(sandbox.account(&id(1)).setting("us-east-1").value.as_deref(), Some(VALUE), "not reset");
    controller.stop().await;
}

#[tokio::test]
async fn a_refresh_that_fails_or_shrinks_leaves_the_last_good_list() {
    let (sandbox, organization) = organization(9).await;
    let controller = start(&sandbox, SPEC).await;
    settled(&controller, 10).await;
    sandbox.inject(Fault::new(FaultKind::AccessDenied).service("organizations"));
    controller.until("organization", "blocked").await;
    sandbox.account(&id(3)).reset_setting("us-east-1", "mallory");
    let corrected = |_: &Sandbox| sandbox.account(&id(3)).setting("us-east-1").value.as_deref() == Some(VALUE);
    sandbox.wait_until(DEADLINE, corrected).await.unwrap();
    controller.stop().await;

    sandbox.clear_faults();
    let controller = start(&sandbox, SPEC).await;
    settled(&controller, 10).await;
    for number in 1..=3 {
        organization.set_status(&id(number), AccountStatus::PendingClosure);
    }
    let target = controller.until("organization", "held").await;
    assert!(target["reason"].as_str().unwrap().starts_with("3 of 10 accounts"), "{target:#}");
    assert_eq!(controller.targets(&id(1)).await.len(), 3, "and still kept");
    organization.set_status(&id(1), AccountStatus::Active);
    controller.until("organization", "in_sync").await;
    until("two are gone", DEADLINE, async || controller.targets(&id(2)).await.is_empty()).await;
    controller.stop().await;
}

#[tokio::test]
async fn a_throttled_listing_waits_where_it_is_and_does_not_begin_again() {
    let (sandbox, _) = organization(60).await;
    sandbox.inject(Fault::new(FaultKind::Throttled).service("organizations").times(4));
    let controller = start(&sandbox, SPEC).await;
    settled(&controller, 61).await;
    let calls = sandbox.journal().matching(&Filter::any().service("organizations"));
    let answered = calls.iter().filter(|call| call.error_code().is_none());
    let tokens: Vec<bool> = answered.take(4).map(|call| call.parameter("NextToken").is_some()).collect();
    assert_eq!(tokens, [false, true, true, true], "four pages, each turned once");
    controller.stop().await;
}

#[tokio::test]
async fn an_account_outside_any_organization_is_told_so() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let controller = start(&sandbox, SPEC).await;
    let target = controller.until("organization", "blocked").await;
    assert!(target["reason"].as_str().unwrap().contains("AWSOrganizationsNotInUseException"), "{target:#}");
    controller.stop().await;
}

#[tokio::test]
async fn a_single_pass_ends_when_every_account_of_the_organization_was_looked_at() {
    let (sandbox, _) = organization(5).await;
    let result = crate::harness::once(SPEC, &sandbox.url(), &credentials_of(&sandbox)).await;
    assert_eq!(result, dhmc_controller::app::PassResult::InSync);
    for number in 1..=5 {
        assert_eq!(sandbox.account(&id(number)).setting("us-east-1").value.as_deref(), Some(VALUE));
    }
}
