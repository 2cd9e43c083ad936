//! `doctor`: what stands in the way is found and named, whatever cannot be read is told, and nothing is ever written.

use aws_sandbox::{Association, ConfigurationManager, Fault, FaultKind, Options, Role, SSM_TRUST_POLICY, Sandbox};
use dhmc_controller::policy::{self, Scope};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::binary::{at, config, dhmc, signal};
use crate::golden::{self, Shown, in_pipe, in_terminal};
use crate::harness::{DEADLINE, document, free_port};
use crate::referee::{ACCOUNT, Referee};
use crate::sdk::{POLICY, ROLE, VALUE};

const PAYMENTS: &str = "222233334444";
const ADMINISTRATOR: &str = "arn:aws:iam::aws:policy/AdministratorAccess";
const PREFERENCES: &str = r#"{"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {
    "s3BucketName": "logs", "s3EncryptionEnabled": true, "cloudWatchLogGroupName": "/ssm/sessions", "kmsKeyId": "1234"}}"#;

/// What `doctor` says, in a folder of its own.
struct Doctor {
    folder: tempfile::TempDir,
    config: String,
}

impl Doctor {
    fn of(spec: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), spec);
        Self { folder, config }
    }

    fn command(&self, sandbox: &Sandbox, more: &[&str]) -> Command {
        at(dhmc(&[&["doctor", "--config", &self.config, "--instance", "test"], more].concat()), sandbox)
    }

    async fn json(&self, sandbox: &Sandbox, more: &[&str]) -> (Option<i32>, Value) {
        let shown = in_pipe(self.command(sandbox, &[&["--output", "json"], more].concat())).await;
        assert!(self.folder.path().exists());
        (shown.code, serde_json::from_str(&shown.out).unwrap_or_else(|error| panic!("{error}: {} {}", shown.out, shown.err)))
    }
}

/// An account in which nothing is wrong.
async fn healthy() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    let mut role = Role::trusting_ssm("/service-role/", ROLE);
    role.attached.push(POLICY.to_owned());
    account.put_role(role);
    account.put_role(Role::new("/", "dhmc-controller", SSM_TRUST_POLICY));
    sandbox
}

fn assert_nothing_was_written(sandbox: &Sandbox) {
    assert!(!sandbox.journal().is_empty(), "something was read");
    assert_eq!(sandbox.journal().writes(), [], "and nothing written");
}

/// The findings of a check at a level, as text.
fn found(report: &Value, check: &str, level: &str) -> Vec<String> {
    let accounts = report["accounts"].as_array().unwrap().iter().flat_map(|account| account["findings"].as_array().unwrap());
    let all = report["findings"].as_array().unwrap().iter().chain(accounts);
    all.filter(|one| one["check"] == check && one["level"] == level)
        .map(|one| format!("{} {}", one["regions"], one["found"]))
        .collect()
}

#[track_caller]
fn one(report: &Value, check: &str, level: &str) -> String {
    let mut all = found(report, check, level);
    assert_eq!(all.len(), 1, "{check} {level}: {report:#}");
    all.remove(0)
}

const TWO_REGIONS: &str = "{regions: {us-east-1: enabled, eu-west-1: enabled}}";

#[tokio::test]
async fn an_account_in_which_all_is_well_has_nothing_but_good_findings() {
    let sandbox = healthy().await;
    let (code, report) = Doctor::of(TWO_REGIONS).json(&sandbox, &[]).await;
    assert_eq!((code, &report["result"]), (Some(0), &json!("ok")), "{report:#}");
    for level in ["note", "warning", "problem", "unchecked"] {
        assert_eq!(report["counts"][level], 0, "{report:#}");
    }
    for check in [
        "credentials",
        "clock",
        "access",
        "regions",
        "settings",
        "role",
        "role_policies",
        "session_preferences",
        "rivals",
        "writes",
    ] {
        one(&report, check, "ok");
    }
    assert_nothing_was_written(&sandbox);
}

/// An account in which everything is wrong that is not wrong with AWS itself.
async fn troubled() -> Sandbox {
    let sandbox = healthy().await;
    let account = sandbox.account(ACCOUNT);
    account.edit_role(ROLE, |role| {
        role.attached.push(ADMINISTRATOR.to_owned());
        let inline = r#"{"Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::others/*"}]}"#;
        role.inline.insert("logs".to_owned(), inline.to_owned());
    });
    account.put_association(
        "eu-west-1",
        Association { document: "AWSQuickSetupType-EnableDHMC".to_owned(), name: Some("AWS-QuickSetup-DHMC-x".to_owned()) },
    );
    let types = vec!["AWSQuickSetupType-DHMC".to_owned()];
    account.put_configuration_manager("us-east-1", ConfigurationManager { name: "all-hosts".to_owned(), types });
    account.set_setting("us-east-1", VALUE, "arn:aws:sts::111122223333:assumed-role/Administrator/alice");
    sandbox
}

#[tokio::test]
async fn what_others_do_and_what_is_too_broad_is_named_and_is_no_failure() {
    let sandbox = troubled().await;
    let doctor = Doctor::of("{regions: {us-east-1: enabled, eu-west-1: disabled}}");
    let (code, report) = doctor.json(&sandbox, &[]).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert!(
        one(&report, "role_policies", "warning")
            .contains("AdministratorAccess lets every process on every host do anything at all")
    );
    let association = one(&report, "rivals", "warning");
    assert!(association.starts_with(r#"["eu-west-1"]"#) && association.contains("AWS-QuickSetup-DHMC-x"), "{association}");
    let notes = found(&report, "rivals", "note");
    assert!(notes.iter().any(|note| note.contains("Quick Setup configuration all-hosts")), "{notes:?}");
    assert!(
        notes.iter().any(|note| note.contains("last changed by arn:aws:sts::111122223333:assumed-role/Administrator/alice on "))
    );
    assert_nothing_was_written(&sandbox);
}

#[tokio::test]
async fn preferences_of_session_manager_are_held_against_all_policies_of_the_role() {
    let sandbox = healthy().await;
    let account = sandbox.account(ACCOUNT);
    account.put_document("eu-west-1", "SSM-SessionManagerRunShell", PREFERENCES);
    let doctor = Doctor::of(TWO_REGIONS);
    let (code, report) = doctor.json(&sandbox, &[]).await;
    let missing = one(&report, "session_preferences", "warning");
    assert!(
        missing.starts_with(r#"["eu-west-1"]"#) && missing.contains("s3:PutObject") && missing.contains("kms:Decrypt"),
        "{missing}"
    );
    assert_eq!(code, Some(0));

    // One half inline, the other in a policy of the account's own.
    let half = |actions: &str| {
        format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#)
    };
    let policy = account.put_policy("SessionLogs", &half(r#""s3:PutObject","s3:GetEncryptionConfiguration","logs:*""#));
    account.edit_role(ROLE, |role| {
        role.attached.push(policy);
        role.inline.insert("key".to_owned(), half(r#""kms:Decrypt""#));
    });
    let (_, report) = doctor.json(&sandbox, &[]).await;
    assert_eq!(found(&report, "session_preferences", "ok").len(), 2, "{report:#}");
    assert_nothing_was_written(&sandbox);
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_by_how_much() {
    let sandbox = healthy().await;
    sandbox.configure(|knobs| knobs.clock_offset_seconds = 600);
    let (code, report) = Doctor::of(TWO_REGIONS).json(&sandbox, &[]).await;
    let off = one(&report, "clock", "problem");
    assert!(off.contains("this machine's clock is ") && off.contains("behind AWS's"), "{off}");
    assert_eq!(code, Some(1));
    assert_eq!(found(&report, "settings", "ok").len(), 1, "the SDK goes by AWS's clock: {report:#}");
}

/// Allowed what `policy controller --with-doctor` allows for two regions, of which `change` makes something else.
fn authorize(sandbox: &Sandbox, change: impl Fn(&mut Value)) {
    let state = dhmc_controller::desired::load(document(TWO_REGIONS).as_bytes()).unwrap();
    let scope = Scope { doctor: policy::Doctor::With, ..Scope::default() };
    let mut policy = serde_json::to_value(policy::controller(&state, &scope).unwrap()).unwrap();
    change(&mut policy);
    sandbox.account(ACCOUNT).authorize_role("arn:aws:iam::111122223333:role/dhmc-controller", &policy.to_string()).unwrap();
}

#[tokio::test]
async fn the_policy_that_is_made_for_it_is_all_that_is_needed() {
    let sandbox = healthy().await;
    authorize(&sandbox, |_| {});
    let (code, report) = Doctor::of(TWO_REGIONS).json(&sandbox, &[]).await;
    assert_eq!((code, report["counts"]["unchecked"].as_u64()), (Some(0), Some(0)), "{report:#}");
    one(&report, "writes", "ok");
    assert_nothing_was_written(&sandbox);
}

#[tokio::test]
async fn a_write_that_would_be_refused_is_found_without_trying_it() {
    let sandbox = healthy().await;
    authorize(&sandbox, |policy| {
        let statements = policy["Statement"].as_array_mut().unwrap();
        statements.retain(|statement| statement["Sid"] != "NameTheRoleInSettings");
        statements.push(json!({"Effect": "Deny", "Action": "ssm:UpdateServiceSetting", "Resource": "arn:aws:ssm:eu-west-1:*:*"}));
    });
    let (code, report) = Doctor::of(TWO_REGIONS).json(&sandbox, &[]).await;
    let refused = one(&report, "writes", "problem");
    assert!(refused.contains("iam:PassRole on arn:aws:iam::111122223333:role/service-role/"), "{refused}");
    assert!(refused.contains("ssm:UpdateServiceSetting on arn:aws:ssm:eu-west-1:") && refused.contains("which a Deny forbids"));
    assert!(!refused.contains("us-east-1"), "{refused}");
    assert_eq!(code, Some(1));
    assert_nothing_was_written(&sandbox);
}

#[tokio::test]
async fn who_is_not_allowed_the_extra_reads_is_told_what_could_not_be_checked() {
    let sandbox = healthy().await;
    for action in dhmc_controller::policy::doctor::READS {
        sandbox.account(ACCOUNT).deny(action);
    }
    let (code, report) = Doctor::of(TWO_REGIONS).json(&sandbox, &[]).await;
    assert_eq!(code, Some(0), "{report:#}");
    for check in ["role_policies", "session_preferences", "rivals", "writes"] {
        let unchecked = found(&report, check, "unchecked");
        assert!(!unchecked.is_empty() && unchecked.iter().all(|one| one.contains("AccessDenied")), "{check}: {report:#}");
    }
    for check in ["credentials", "access", "settings", "role"] {
        one(&report, check, "ok");
    }
}

#[tokio::test]
async fn what_aws_throttles_once_is_asked_again() {
    let sandbox = healthy().await;
    sandbox.inject(Fault::new(FaultKind::Throttled).operation("GetServiceSetting").region("us-east-1").times(1));
    let (code, report) = Doctor::of(TWO_REGIONS).json(&sandbox, &[]).await;
    assert_eq!((code, found(&report, "settings", "ok").len()), (Some(0), 1), "{report:#}");
}

#[tokio::test]
async fn ctrl_c_ends_it_with_a_word() {
    let sandbox = healthy().await;
    sandbox.inject(Fault::new(FaultKind::Slow(std::time::Duration::from_secs(8))).operation("GetServiceSetting"));
    let folder = tempfile::tempdir().unwrap();
    let child = at(dhmc(&["doctor", "--config", &config(folder.path(), TWO_REGIONS)]), &sandbox).spawn().unwrap();
    let is_reading = |sandbox: &Sandbox| sandbox.journal().calls().iter().any(|call| call.operation == "GetServiceSetting");
    sandbox.wait_until(DEADLINE, is_reading).await.unwrap();
    signal(&child, "-INT");
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted before there was anything to report"));
}

#[tokio::test]
async fn half_of_the_regions_denied_leaves_the_other_half() {
    let sandbox = healthy().await;
    for region in ["eu-west-1", "sa-east-1"] {
        sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("GetServiceSetting").region(region));
    }
    let spec = "{regions: {us-east-1: enabled, us-west-2: enabled, eu-west-1: enabled, sa-east-1: enabled}}";
    let (code, report) = Doctor::of(spec).json(&sandbox, &[]).await;
    assert_eq!(code, Some(1));
    assert!(one(&report, "settings", "ok").starts_with(r#"["us-east-1","us-west-2"]"#), "{report:#}");
    let denied = one(&report, "settings", "problem");
    assert!(denied.starts_with(r#"["eu-west-1","sa-east-1"]"#) && denied.contains("AccessDeniedException"), "{denied}");
    one(&report, "role", "ok");
}

#[tokio::test]
async fn a_region_that_is_not_open_is_a_problem_and_is_not_called() {
    let sandbox = healthy().await;
    let (code, report) = Doctor::of("{regions: {us-east-1: enabled, af-south-1: enabled}}").json(&sandbox, &[]).await;
    assert_eq!(code, Some(1));
    assert!(one(&report, "regions", "problem").starts_with(r#"["af-south-1"]"#), "{report:#}");
    let there = aws_sandbox::Filter::any().region("af-south-1");
    assert_eq!(sandbox.journal().count_matching(&there), 0);
}

#[tokio::test]
async fn every_declared_account_is_looked_into_and_one_that_shuts_us_out_stops_no_other() {
    let sandbox = healthy().await;
    let spec = format!(
        "{{regions: {{us-east-1: enabled}}, accounts: [{{id: '{ACCOUNT}', name: hub}}, {{id: '{PAYMENTS}', name: payments, \
         assumeRole: {{name: dhmc-controller, externalId: 0pen-sesame}}}}]}}"
    );
    let doctor = Doctor::of(&spec);
    let (code, report) = doctor.json(&sandbox, &[]).await;
    assert_eq!(code, Some(1));
    let shut = one(&report, "access", "problem");
    assert!(shut.contains("sts:AssumeRole: AccessDenied") && shut.contains("222233334444:role/dhmc-controller"), "{shut}");
    assert!(!report.to_string().contains("0pen-sesame"));
    assert_eq!(found(&report, "settings", "ok").len(), 1, "the other account was read");

    sandbox.account(PAYMENTS).trust("dhmc-controller", "/", ACCOUNT, Some("0pen-sesame"));
    let (code, report) = doctor.json(&sandbox, &[]).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(found(&report, "access", "ok").len(), 2);
    assert!(one(&report, "role", "note").contains("does not exist"), "the controller would create it");
    assert_eq!(report["accounts"][1]["name"], "payments");
    // Opening a session changes nothing in the account.
    let changing = |call: &aws_sandbox::Call| call.is_write() && call.operation != "AssumeRole";
    assert!(!sandbox.journal().calls().iter().any(changing));
}

#[tokio::test]
async fn of_an_organization_a_sample_is_looked_into_unless_everyone_is_asked_for() {
    let sandbox = healthy().await;
    let organization = sandbox.organization(ACCOUNT);
    let root = organization.root();
    for number in 0..12 {
        let id = format!("3{number:011}");
        organization.add(&id, &format!("team-{number}"), &root);
        sandbox.account(&id).trust("dhmc-controller", "/", ACCOUNT, None);
    }
    let organization = format!("{{assumeRole: {{name: dhmc-controller}}, exclude: {{accounts: ['{ACCOUNT}']}}}}");
    let spec = format!("{{regions: {{us-east-1: enabled}}, organization: {organization}}}");
    let doctor = Doctor::of(&spec);
    let looked_into = |report: &Value| (report["organization"].clone(), report["accounts"].as_array().unwrap().len());
    let (code, report) = doctor.json(&sandbox, &["--accounts", "3"]).await;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(looked_into(&report), (json!({"managed": 12, "examined": 3}), 3));
    let shown = in_pipe(doctor.command(&sandbox, &["--accounts", "3"])).await;
    assert!(shown.out.contains("Of 12 accounts of the organization 3 were looked into"), "{}", shown.out);
    let (_, report) = doctor.json(&sandbox, &["--accounts", "all"]).await;
    assert_eq!(looked_into(&report), (json!({"managed": 12, "examined": 12}), 12));

    sandbox.inject(Fault::new(FaultKind::AccessDenied).service("organizations"));
    let (code, report) = doctor.json(&sandbox, &[]).await;
    assert_eq!(code, Some(1));
    assert!(one(&report, "organization", "problem").contains("organizations:ListAccounts"), "{report:#}");
}

#[tokio::test]
async fn without_credentials_or_an_endpoint_it_says_so_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), TWO_REGIONS);
    let ask = |variables: Vec<(&'static str, String)>| {
        let mut command = dhmc(&["doctor", "--config", &file]);
        command.envs(variables);
        in_pipe(command)
    };
    let Shown { code, out, .. } = ask(Vec::new()).await;
    assert!(out.contains("problem    credentials") && out.contains("no credentials found"), "{out}");
    assert!(out.contains("unchecked  access"), "{out}");
    assert_eq!(code, Some(1));

    let nobody = format!("http://127.0.0.1:{}", free_port());
    let keys = [("AWS_ACCESS_KEY_ID", "AKIA".to_owned()), ("AWS_SECRET_ACCESS_KEY", "s3cr3t".to_owned())];
    let Shown { code, out, .. } = ask([vec![("AWS_ENDPOINT_URL", nobody)], keys.to_vec()].concat()).await;
    assert!(out.contains("no connection") && !out.contains("s3cr3t"), "{out}");
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn a_document_that_cannot_be_used_is_told_as_run_tells_it() {
    let sandbox = healthy().await;
    let shown = in_pipe(Doctor::of("{regions: {eu-wset-1: enabled}}").command(&sandbox, &[])).await;
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""));
    assert!(shown.err.contains("eu-west-1"), "{}", shown.err);
    assert!(sandbox.journal().is_empty());
}

/// Without the dates at which the sandbox was told to change a setting.
fn masked(shown: &Shown) -> String {
    let words = shown.out.split_inclusive(char::is_whitespace).map(|word| {
        let is_date = word.trim().len() == 10 && word.trim().parse::<jiff::civil::Date>().is_ok();
        if is_date { word.replace(word.trim(), "DATE") } else { word.to_owned() }
    });
    words.collect()
}

#[tokio::test]
async fn the_report_in_a_pipe_and_on_a_terminal_is_as_in_the_files() {
    let sandbox = troubled().await;
    let account = sandbox.account(ACCOUNT);
    account.put_document("us-east-1", "SSM-SessionManagerRunShell", PREFERENCES);
    account.edit_role(ROLE, |role| role.attached.retain(|arn| arn != ADMINISTRATOR));
    account.deny("ssm-quicksetup:ListConfigurationManagers");
    sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("GetServiceSetting").region("sa-east-1"));
    let doctor = Doctor::of("{regions: {us-east-1: enabled, eu-west-1: disabled, sa-east-1: enabled}}");
    let piped = in_pipe(doctor.command(&sandbox, &[])).await;
    golden::check("doctor/pipe.txt", &masked(&piped));
    let command = doctor.command(&sandbox, &[]);
    golden::check("doctor/terminal.txt", &masked(&in_terminal(&command).await));
    let json = in_pipe(doctor.command(&sandbox, &["--output", "json"])).await;
    golden::check("doctor/report.json", &masked(&json).replace(&today(), "DATE"));
    assert_eq!((piped.code, piped.err.as_str()), (Some(1), ""), "results go to standard output");
    assert_nothing_was_written(&sandbox);
}

fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// It serves IAM, and neither documents nor associations. A region without Quick Setup, for a service that it has never heard of
/// stops it for many seconds.
#[tokio::test]
async fn before_ministack_what_it_serves_is_found_and_the_rest_is_told() {
    let referee = Referee::ministack().await;
    let admin = crate::sdk::Admin::of(&referee);
    admin.create_role(ROLE, "/service-role/", crate::sdk::TRUST).await;
    admin.attach(ROLE, ADMINISTRATOR).await;
    let doctor = Doctor::of("{regions: {ap-northeast-3: enabled}, role: {policies: [AmazonSSMManagedInstanceCore]}}");
    let mut command = dhmc(&["doctor", "--config", &doctor.config, "--output", "json"]);
    command.env("AWS_ENDPOINT_URL", &referee.url);
    command.env("AWS_ACCESS_KEY_ID", referee.credentials.access_key_id());
    command.env("AWS_SECRET_ACCESS_KEY", referee.credentials.secret_access_key());
    let shown = in_pipe(command).await;
    let report: Value = serde_json::from_str(&shown.out).unwrap_or_else(|error| panic!("{error}: {} {}", shown.out, shown.err));
    assert_eq!(shown.code, Some(0), "{report:#}");
    for check in ["clock", "access", "regions", "settings", "role"] {
        one(&report, check, "ok");
    }
    assert!(one(&report, "credentials", "warning").contains("root user"));
    assert!(
        one(&report, "role_policies", "warning")
            .contains("AdministratorAccess lets every process on every host do anything at all")
    );
    for check in ["session_preferences", "rivals"] {
        assert!(one(&report, check, "unchecked").contains("InvalidAction"), "{report:#}");
    }
}
