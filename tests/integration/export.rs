//! `export`: what an account has, as the document under which nothing is done; on a terminal, in a pipe, and when half of it
//! cannot be read.

use std::path::Path;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sandbox::{Fault, FaultKind, Options, RegionStatus, Role, Sandbox};
use serde_json::Value;
use tokio::process::Command;

use crate::binary::{at, dhmc};
use crate::golden::{self, Shown, in_pipe, in_terminal};
use crate::harness::free_port;
use crate::referee::{ACCOUNT, Referee, before_both};
use crate::sdk::{Admin, POLICY, ROLE, TRUST, VALUE};

const SOMEBODY: &str = "arn:aws:sts::111122223333:assumed-role/Administrator/alice";
const MEMBER: &str = "222233334444";

before_both! { ministack:
    what_is_exported_is_in_sync
    an_account_with_nothing_on_is_in_sync
}

/// The binary before whichever AWS this is.
fn before(aws: &Referee, arguments: &[&str]) -> Command {
    with(dhmc(arguments), &aws.url, &aws.credentials)
}

fn with(mut command: Command, url: &str, credentials: &Credentials) -> Command {
    command
        .env("AWS_ENDPOINT_URL", url)
        .env("AWS_ACCESS_KEY_ID", credentials.access_key_id())
        .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key());
    if let Some(token) = credentials.session_token() {
        command.env("AWS_SESSION_TOKEN", token);
    }
    command
}

/// Exports into a file, and plans what the file says.
async fn exported_and_planned(run: impl Fn(&[&str]) -> Command) -> (Shown, String, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dhmc.yaml");
    let file = file.to_str().unwrap();
    let exported = in_pipe(run(&["export", "--file", file])).await;
    let document = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{error}: {}", exported.err));
    let code = planned(&document, folder.path(), run).await;
    (exported, document, code)
}

/// What the plan of a document comes to.
async fn planned(document: &str, folder: &Path, run: impl Fn(&[&str]) -> Command) -> Option<i32> {
    let file = folder.join("planned.yaml");
    std::fs::write(&file, document).unwrap();
    in_pipe(run(&["plan", "--config", file.to_str().unwrap()])).await.code
}

/// Keeps a document for one pass, as it is. It has to come to no write.
async fn adopted(document: &str, sandbox: &Sandbox) -> Option<i32> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dhmc.yaml");
    std::fs::write(&file, document).unwrap();
    let shown = in_pipe(at(dhmc(&["run", "--once", "--config", file.to_str().unwrap()]), sandbox)).await;
    assert_eq!(sandbox.journal().writes().len(), 0, "{}", shown.err);
    shown.code
}

async fn what_is_exported_is_in_sync(aws: Referee) {
    let admin = Admin::of(&aws);
    admin.create_role(ROLE, "/service-role/", TRUST).await;
    admin.attach(ROLE, POLICY).await;
    let tags = [("team", "yes"), ("cost center", "0012")];
    for (key, value) in tags {
        let tag = aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap();
        admin.iam.tag_role().role_name(ROLE).tags(tag).send().await.unwrap();
    }
    admin.iam.update_role().role_name(ROLE).description("Hosts: \"all\" of them").send().await.unwrap();
    admin.create_role("Other", "/", TRUST).await;
    for (region, value) in [("us-east-1", VALUE), ("eu-west-1", VALUE), ("ap-south-1", "Other")] {
        admin.set_setting(region, value).await;
    }
    let (exported, document, planned) = exported_and_planned(|arguments| before(&aws, arguments)).await;
    assert_eq!((exported.code, planned), (Some(0), Some(0)), "{}\n{document}", exported.err);
    for said in [
        "  account: \"111122223333\"\n",
        "    path: /service-role/\n    management: managed\n    policies:\n      - AmazonSSMManagedEC2InstanceDefaultPolicy\n",
        "      \"cost center\": \"0012\"\n      team: \"yes\"\n",
        "    description: \"Hosts: \\\"all\\\" of them\"\n",
        "    us-east-1: enabled\n",
        "    eu-west-1: enabled\n",
        "    ap-south-1: unmanaged\n",
    ] {
        assert!(document.contains(said), "{said} is not in\n{document}");
    }
    for (region, value) in [("us-east-1", VALUE), ("ap-south-1", "Other"), ("us-west-2", "$None")] {
        assert_eq!(admin.setting(region).await, value);
    }
}

async fn an_account_with_nothing_on_is_in_sync(aws: Referee) {
    let (exported, document, planned) = exported_and_planned(|arguments| before(&aws, arguments)).await;
    assert_eq!((exported.code, planned), (Some(0), Some(0)), "{}\n{document}", exported.err);
    assert!(!document.contains("enabled") || document.contains("otherRegions: unmanaged"), "{document}");
}

/// An account as people leave them: the default role, a role of their own, and those of Quick Setup.
async fn a_lived_in_account() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    let mut role = Role::trusting_ssm("/service-role/", ROLE);
    role.attached = vec![POLICY.to_owned(), "arn:aws:iam::aws:policy/AmazonS3FullAccess".to_owned()];
    role.tags = [("team", "platform"), ("aws:cloudformation:stack-name", "hosts")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    role.permissions_boundary = Some("arn:aws:iam::111122223333:policy/boundary".to_owned());
    account.put_role(role);
    for region in ["us-east-1", "eu-west-1", "eu-central-1"] {
        account.set_setting(region, VALUE, SOMEBODY);
    }
    for region in ["us-west-1", "us-west-2"] {
        let name = format!("AWS-QuickSetup-SSM-DefaultEC2MgmtRole-{region}");
        account.put_role(Role { attached: vec![POLICY.to_owned()], ..Role::trusting_ssm("/", &name) });
        account.set_setting(region, &name, SOMEBODY);
    }
    account.put_role(Role::new("/", "Untrusting", crate::sdk::EC2_TRUST));
    account.set_setting("ca-central-1", "Untrusting", SOMEBODY);
    account.set_setting("sa-east-1", "service-role/Gone", SOMEBODY);
    account.set_region("me-south-1", RegionStatus::Enabling);
    sandbox
}

/// The times of a report are those of its day.
fn without_times(json: &str) -> String {
    let mut report: Value = serde_json::from_str(json).unwrap();
    for region in report["regions"].as_array_mut().unwrap() {
        if let Some(at) = region.get_mut("changedAt") {
            assert!(at.take().as_str().is_some_and(|at| at.ends_with('Z')));
            *at = "TIME".into();
        }
    }
    serde_json::to_string_pretty(&report).unwrap() + "\n"
}

#[tokio::test]
async fn a_lived_in_account_is_shown_with_all_that_is_odd_about_it() {
    let sandbox = a_lived_in_account().await;
    let document = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!((document.code, document.err.as_str()), (Some(0), ""));
    golden::check("export/document.yaml", &document.out);

    let command = at(dhmc(&["export"]), &sandbox);
    let on_terminal = in_terminal(&command).await;
    assert_eq!(on_terminal.code, Some(0));
    golden::check("export/document.terminal", &on_terminal.out);

    let mut colourless = at(dhmc(&["export"]), &sandbox);
    colourless.env("NO_COLOR", "1");
    assert_eq!(in_terminal(&colourless).await.out, document.out);

    let report = in_pipe(at(dhmc(&["export", "--output", "json"]), &sandbox)).await;
    assert_eq!(report.code, Some(0));
    golden::check("export/report.json", &without_times(&report.out));
    assert_eq!(adopted(&document.out, &sandbox).await, Some(0));
    let all = in_pipe(at(dhmc(&["export", "--unset", "disabled"]), &sandbox)).await.out;
    assert_eq!(adopted(&all, &sandbox).await, Some(0));
    assert!(all.contains("    ap-south-1: disabled\n") && all.contains("    us-east-1: enabled\n"), "{all}");
}

#[tokio::test]
async fn with_a_file_the_document_goes_there_and_a_summary_is_shown() {
    let sandbox = a_lived_in_account().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dhmc.yaml");
    let name = file.to_str().unwrap();
    let shown = in_pipe(at(dhmc(&["export", "-f", name]), &sandbox)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    golden::check("export/summary", &shown.out.replace(name, "dhmc.yaml"));
    let on_terminal = in_terminal(&at(dhmc(&["export", "-f", name, "--force"]), &sandbox)).await;
    golden::check("export/summary.terminal", &on_terminal.out.replace(name, "dhmc.yaml"));
    golden::check("export/document.yaml", &std::fs::read_to_string(&file).unwrap());
}

#[tokio::test]
async fn a_file_that_is_there_is_not_replaced_unasked_and_aws_is_not_asked_either() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dhmc.yaml");
    std::fs::write(&file, "precious").unwrap();
    let name = file.to_str().unwrap();
    let refused = in_pipe(at(dhmc(&["export", "--file", name]), &sandbox)).await;
    assert_eq!((refused.code, refused.out.as_str()), (Some(1), ""));
    assert_eq!(refused.err, format!("dhmc-controller: {name} exists already; --force replaces it\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    assert_eq!(sandbox.journal().calls().len(), 0);

    let report = in_pipe(at(dhmc(&["export", "--force", "--output", "json", "--file", name]), &sandbox)).await;
    assert_eq!(report.code, Some(0), "{}", report.err);
    let report: Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!(report["document"], std::fs::read_to_string(&file).unwrap());
}

#[tokio::test]
async fn regions_that_are_denied_are_named_and_the_others_shown() {
    let sandbox = a_lived_in_account().await;
    let denied = ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-2", "us-west-2", "ap-south-1", "sa-east-1"];
    for region in denied {
        sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("GetServiceSetting").region(region));
    }
    let shown = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!(shown.code, Some(1));
    golden::check("export/denied.yaml", &shown.out);
    golden::check("export/denied.err", &shown.err);
    let report = in_pipe(at(dhmc(&["export", "--output", "json"]), &sandbox)).await;
    let report: Value = serde_json::from_str(&report.out).unwrap();
    assert_eq!((report["complete"].as_bool(), report["account"].as_str()), (Some(false), Some(ACCOUNT)));

    // What is left of it is in sync all the same.
    assert_eq!(adopted(&shown.out, &sandbox).await, Some(0));
}

#[tokio::test]
async fn where_regions_are_not_listed_all_known_ones_are_asked_and_closed_ones_left_out() {
    let sandbox = a_lived_in_account().await;
    sandbox.account(ACCOUNT).deny("account:ListRegions");
    let shown = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{}", shown.out);
    let text = shown.out.replace("\n# ", " ");
    assert!(text.contains("AWS would not list the account's regions"), "{text}");
    assert!(text.contains("most likely not open to the account: af-south-1, ap-east-1"), "{text}");
    assert!(!text.contains("af-south-1: "), "{text}");
}

#[tokio::test]
async fn a_role_that_cannot_be_read_is_told_of_and_nothing_would_be_done_to_it() {
    let sandbox = a_lived_in_account().await;
    sandbox.account(ACCOUNT).deny("iam:GetRole");
    let shown = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.contains(&format!("role {ROLE} could not be read: iam:GetRole: AccessDenied")), "{}", shown.err);
    assert!(shown.out.contains("  mode: observe\n") && shown.out.contains("    us-east-1: enabled\n"), "{}", shown.out);
}

#[tokio::test]
async fn a_setting_that_is_still_being_changed_is_left_out_of_what_is_managed() {
    let sandbox = a_lived_in_account().await;
    sandbox.configure(|knobs| knobs.pending_update = Duration::from_hours(1));
    let credentials = crate::referee::credentials_of(&sandbox);
    let admin = Admin::at(&sandbox.url(), &credentials);
    admin.set_setting("eu-west-1", VALUE).await;
    let shown = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.contains("eu-west-1 AWS is still applying a change (PendingUpdate)"), "{}", shown.err);
    assert!(shown.out.contains("    eu-west-1: unmanaged\n"), "{}", shown.out);
}

#[tokio::test]
async fn a_call_too_many_is_made_again() {
    let sandbox = a_lived_in_account().await;
    for (operation, region) in [("GetServiceSetting", "eu-west-1"), ("GetRole", "us-east-1"), ("ListRegions", "us-east-1")] {
        sandbox.inject(Fault::new(FaultKind::Throttled).operation(operation).region(region).times(1));
    }
    let shown = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    assert!(sandbox.faults().is_empty(), "each was met");
}

#[tokio::test]
async fn without_credentials_or_without_a_way_to_aws_it_says_so() {
    let nobody = in_pipe(dhmc(&["export"])).await;
    assert_eq!((nobody.code, nobody.out.as_str()), (Some(1), ""));
    assert!(nobody.err.starts_with("dhmc-controller: sts:GetCallerIdentity: no credentials found"), "{}", nobody.err);

    let nowhere = Credentials::new("AKIAIOSFODNN7EXAMPLE", "secret", None, None, "test");
    let url = format!("http://127.0.0.1:{}", free_port());
    for output in ["text", "json"] {
        let away = in_pipe(with(dhmc(&["export", "--output", output]), &url, &nowhere)).await;
        assert_eq!((away.code, away.out.as_str()), (Some(1), ""));
        assert!(away.err.starts_with("dhmc-controller: sts:GetCallerIdentity: no connection"), "{}", away.err);
        assert!(!away.err.contains("secret"), "{}", away.err);
    }
}

#[tokio::test]
async fn credentials_of_another_account_than_the_one_asked_for_read_nothing() {
    let sandbox = a_lived_in_account().await;
    let shown = in_pipe(at(dhmc(&["export", "--account", MEMBER]), &sandbox)).await;
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""));
    assert!(shown.err.contains("are of account 111122223333, not of 222233334444"), "{}", shown.err);
    assert!(sandbox.journal().calls().iter().all(|call| call.service == "sts"));
}

#[tokio::test]
async fn another_account_is_read_through_a_role_in_it() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let member = sandbox.account(MEMBER);
    member.trust("reach", "/platform/", ACCOUNT, None);
    member.put_role(Role { attached: vec![POLICY.to_owned()], ..Role::trusting_ssm("/service-role/", ROLE) });
    member.set_setting("eu-west-1", VALUE, SOMEBODY);
    let arn = "arn:aws:iam::222233334444:role/platform/reach";
    let shown = in_pipe(at(dhmc(&["export", "--assume-role", arn]), &sandbox)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    golden::check("export/member.yaml", &shown.out);
    assert_eq!(adopted(&shown.out, &sandbox).await, Some(0));
}

#[tokio::test]
async fn a_broken_role_is_drift_under_the_document_and_nothing_is_done_about_it() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    account.put_role(Role::new("/", "Untrusting", crate::sdk::EC2_TRUST));
    account.set_setting("eu-west-1", "Untrusting", SOMEBODY);
    let shown = in_pipe(at(dhmc(&["export"]), &sandbox)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""));
    golden::check("export/broken.yaml", &shown.out);
    assert_eq!(adopted(&shown.out, &sandbox).await, Some(2));
}

#[tokio::test]
async fn the_external_id_of_a_role_is_used_and_shown_to_nobody() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.account(MEMBER).trust("reach", "/", ACCOUNT, Some("sesame"));
    let run = |id: &str| {
        let mut command = at(dhmc(&["export", "--account", MEMBER, "--assume-role", "reach"]), &sandbox);
        command.env("DHMC_EXTERNAL_ID", id);
        in_pipe(command)
    };
    let shown = run("sesame").await;
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    assert!(shown.out.contains("externalId has to be written here"), "{}", shown.out);
    for id in ["sesame", "other-sesame", "no sesame"] {
        let shown = run(id).await;
        assert_eq!(shown.code, Some(i32::from(id != "sesame")));
        assert!(!shown.out.contains("sesame") && !shown.err.contains("sesame"), "{}{}", shown.out, shown.err);
    }
}
