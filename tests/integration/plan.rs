//! `plan` and `apply`: what they show, and what they do and do not write.

use std::path::Path;

use aws_sandbox::{Fault, FaultKind, Options, Sandbox};
use serde_json::Value;
use tokio::process::Command;

use crate::binary::{at, config, dhmc, signal};
use crate::golden::{self, Shown};
use crate::harness::DEADLINE;
use crate::referee::{ACCOUNT, Referee, before_both};

const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";
const FOUR: [&str; 4] = ["eu-west-1", "eu-west-2", "us-east-1", "us-east-2"];
const SPEC: &str = "{regions: {us-east-1: enabled, eu-west-1: {state: enabled, mode: observe}, sa-east-1: disabled}}";

/// AWS as somebody left it: no role, one region on that should be off.
async fn left_behind() -> Sandbox {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.account(ACCOUNT).set_setting("sa-east-1", "service-role/Mallorys", MALLORY);
    sandbox
}

fn plan(sandbox: &Sandbox, folder: &Path, spec: &str, more: &[&str]) -> Command {
    command("plan", sandbox, folder, spec, more)
}

fn command(name: &str, sandbox: &Sandbox, folder: &Path, spec: &str, more: &[&str]) -> Command {
    let config = config(folder, spec);
    at(dhmc(&[&[name, "--config", &config], more].concat()), sandbox)
}

/// The sandbox's clock is the day's.
fn undated(text: &str) -> String {
    let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    for word in words.iter_mut().filter(|word| word.starts_with("20") && word.contains('T')) {
        let end = word.find('Z').map_or(word.len(), |end| end + 1);
        word.replace_range(..end, "TIME");
    }
    words.join(" ")
}

fn json(shown: &Shown) -> Value {
    serde_json::from_str(&shown.out).unwrap_or_else(|error| panic!("{error}: {} {}", shown.out, shown.err))
}

#[tokio::test]
async fn a_plan_tells_what_is_what_should_be_what_would_be_done_and_who_changed_it_last_and_writes_nothing() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &[])).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(2), ""));
    golden::check("plan/pipe.txt", &undated(&shown.out));
    let shown = golden::in_terminal(&plan(&sandbox, folder.path(), SPEC, &[])).await;
    assert_eq!(shown.code, Some(2));
    golden::check("plan/terminal.txt", &undated(&shown.out));
    let mut plain = plan(&sandbox, folder.path(), SPEC, &[]);
    plain.env("NO_COLOR", "1");
    assert!(!golden::in_terminal(&plain).await.out.contains('\u{1b}'), "NO_COLOR is respected");
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &["--output", "markdown"])).await;
    golden::check("plan/comment.md", &undated(&shown.out));
    assert_eq!(sandbox.journal().writes().len(), 0);
}

#[tokio::test]
async fn a_plan_as_json_has_every_target() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let plan = json(&golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &["-o", "json"])).await);
    assert_eq!(plan["summary"]["writes"], 4);
    assert_eq!(plan["summary"]["observed"], 1);
    let names: Vec<&str> = plan["targets"].as_array().unwrap().iter().map(|row| row["region"].as_str().unwrap()).collect();
    assert_eq!(names, ["global", "global", "eu-west-1", "sa-east-1", "us-east-1"]);
    assert_eq!(plan["targets"][3]["lastChangedBy"], MALLORY);
    assert_eq!(plan["targets"][3]["actions"], serde_json::json!(["reset setting"]));
}

#[tokio::test]
async fn a_plan_of_what_is_as_declared_exits_0() {
    let (sandbox, folder) = (Sandbox::start(Options::default()).await.unwrap(), tempfile::tempdir().unwrap());
    let spec = "{regions: {us-east-1: enabled}}";
    let applied = golden::in_pipe(command("apply", &sandbox, folder.path(), spec, &["--yes"])).await;
    assert_eq!(applied.code, Some(0), "{}", applied.err);
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), spec, &[])).await;
    assert_eq!((shown.code, shown.out.as_str()), (Some(0), "Plan: nothing to write; 3 as declared.\n"));
}

#[tokio::test]
async fn a_change_that_takes_away_a_lot_is_held_in_the_plan_which_says_how_to_confirm_it() {
    let (sandbox, folder) = (Sandbox::start(Options::default()).await.unwrap(), tempfile::tempdir().unwrap());
    let all = |word: &str| format!("{{regions: {{{}}}}}", FOUR.map(|region| format!("{region}: {word}")).join(", "));
    assert_eq!(golden::in_pipe(command("apply", &sandbox, folder.path(), &all("enabled"), &["--yes"])).await.code, Some(0));
    let writes = sandbox.journal().writes().len();
    for name in ["plan", "apply"] {
        let more: &[&str] = if name == "apply" { &["--yes"] } else { &[] };
        let shown = golden::in_pipe(command(name, &sandbox, folder.path(), &all("disabled"), more)).await;
        assert_eq!(shown.code, Some(2));
        assert!(
            shown.out.contains("would reset 4 of 4 settings that are on") && shown.out.contains("confirm: 20"),
            "{}",
            shown.out
        );
        assert!(shown.out.contains("Plan: nothing to write; 4 held; 1 as declared."), "{}", shown.out);
    }
    assert_eq!(sandbox.journal().writes().len(), writes);
}

#[tokio::test]
async fn what_could_not_be_read_is_named_beside_what_could_and_the_exit_code_is_1() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    sandbox.inject(Fault::new(FaultKind::AccessDenied).operation("GetServiceSetting").region("us-east-1"));
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &[])).await;
    assert_eq!(shown.code, Some(1));
    assert!(shown.out.contains("? us-east-1  not read: ssm:GetServiceSetting: AccessDenied"), "{}", shown.out);
    assert!(shown.out.contains("- sa-east-1  service-role/Mallorys -> unset"), "{}", shown.out);
    assert!(shown.out.contains("1 could not be read"), "{}", shown.out);
}

#[tokio::test]
async fn without_credentials_or_with_nobody_at_the_endpoint_the_account_is_named_as_unread() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let mut nobody = plan(&sandbox, folder.path(), SPEC, &[]);
    nobody.env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let mut anonymous = plan(&sandbox, folder.path(), SPEC, &[]);
    anonymous.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_SESSION_TOKEN");
    for (command, why) in [(nobody, "no connection"), (anonymous, "no credentials found")] {
        let shown = golden::in_pipe(command).await;
        assert_eq!(shown.code, Some(1));
        assert!(shown.out.contains("? account  not read: sts:GetCallerIdentity: ") && shown.out.contains(why), "{}", shown.out);
        assert!(
            shown.out.contains("? role, eu-west-1, sa-east-1, us-east-1  not read: the account cannot be used"),
            "{}",
            shown.out
        );
    }
}

#[tokio::test]
async fn what_somebody_wrote_into_aws_does_nothing_to_the_terminal() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    sandbox.account(ACCOUNT).set_setting("sa-east-1", "\u{1b}]0;pwned\u{7}|<b>@all", MALLORY);
    for output in ["text", "markdown"] {
        let shown = golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &["--output", output])).await;
        assert!(!shown.out.contains(['\u{1b}', '\u{7}']), "{}", shown.out);
        assert!(shown.out.contains("u{1b}"), "{}", shown.out);
        assert!(output == "text" || shown.out.contains("\\|<b>@all`"), "{}", shown.out);
    }
}

#[tokio::test]
async fn a_target_narrows_a_plan_to_what_it_names_and_what_that_stands_on() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    for (target, names) in [
        ("own", vec!["account", "role", "eu-west-1", "sa-east-1", "us-east-1"]),
        ("111122223333/us-east-1", vec!["account", "role", "us-east-1"]),
        ("own/sa-east-1", vec!["account", "sa-east-1"]),
        ("own/role", vec!["account", "role"]),
    ] {
        let plan = json(&golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &["-o", "json", "--target", target])).await);
        let name = |row: &Value| {
            let word = if row["resource"] == "setting" { &row["region"] } else { &row["resource"] };
            word.as_str().unwrap().to_owned()
        };
        assert_eq!(plan["targets"].as_array().unwrap().iter().map(name).collect::<Vec<_>>(), names, "{target}");
    }
    for (target, why) in [
        ("222233334444", "no account that is declared is called that"),
        ("shop/role", "no account that is declared is called that"),
        ("own/ap-south-1", "the desired state says nothing of that region in that account"),
    ] {
        let shown = golden::in_pipe(plan(&sandbox, folder.path(), SPEC, &["--target", target])).await;
        assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""), "{target}");
        assert!(shown.err.contains(&format!("is the target `{target}`: {why}")), "{}", shown.err);
    }
}

#[tokio::test]
async fn the_own_account_is_a_target_by_its_id_and_as_own_whichever_the_document_says() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let listed = format!("{{account: '{ACCOUNT}', regions: {{us-east-1: enabled}}}}");
    for spec in [SPEC, &listed] {
        for target in ["own/us-east-1", "111122223333/us-east-1"] {
            let shown = golden::in_pipe(plan(&sandbox, folder.path(), spec, &["--target", target])).await;
            assert_eq!((shown.code, shown.err.as_str()), (Some(2), ""), "{target} {spec}");
        }
    }
}

#[tokio::test]
async fn a_name_that_several_accounts_have_is_no_target() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let member = |id: &str| format!("{{id: '{id}', name: shop, assumeRole: {{name: reach}}}}");
    for id in ["222233334444", "333344445555"] {
        sandbox.account(id).trust("reach", "/", ACCOUNT, None);
    }
    let accounts = format!("{}, {}", member("222233334444"), member("333344445555"));
    let spec = format!("{{regions: {{us-east-1: enabled}}, accounts: [{accounts}]}}");
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), &spec, &["--target", "shop"])).await;
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""));
    assert!(shown.err.contains("222233334444, 333344445555; aim at one of them by its id"), "{}", shown.err);
    assert_eq!(golden::in_pipe(plan(&sandbox, folder.path(), &spec, &["--target", "222233334444"])).await.code, Some(2));
}

/// The name of the change that a plan holds.
fn confirm(shown: &Shown) -> String {
    let (_, after) = shown.out.split_once("confirm: ").unwrap_or_else(|| panic!("{}", shown.out));
    after.split([' ', '`']).next().unwrap().to_owned()
}

#[tokio::test]
async fn what_confirms_a_part_of_a_change_confirms_nothing_else() {
    let (sandbox, folder) = (Sandbox::start(Options::default()).await.unwrap(), tempfile::tempdir().unwrap());
    for region in FOUR {
        sandbox.account(ACCOUNT).set_setting(region, "service-role/Mallorys", MALLORY);
    }
    let off = FOUR.map(|region| format!("{region}: disabled")).join(", ");
    let spec = |confirm: &str| format!("{{regions: {{{off}}}, guard: {{resets: {{count: 0, percent: 0}}{confirm}}}}}");
    let run =
        async |name: &str, spec: &str, more: &[&str]| golden::in_pipe(command(name, &sandbox, folder.path(), spec, more)).await;
    let part = confirm(&run("plan", &spec(""), &["--target", "own/eu-west-1"]).await);
    let all = confirm(&run("plan", &spec(""), &[]).await);
    let confirmed = |name: &str| spec(&format!(", confirm: {name}"));
    let of_part = run("plan", &confirmed(&part), &[]).await;
    assert!(of_part.out.contains("nothing to write; 4 held"), "{}", of_part.out);
    let of_part = run("plan", &confirmed(&part), &["--target", "own/eu-west-1"]).await;
    assert!(of_part.out.contains("Plan: 1 write to 1 target;"), "{}", of_part.out);
    let whole = run("apply", &confirmed(&all), &["--yes"]).await;
    assert_eq!(whole.code, Some(0), "{}", whole.out);
}

#[tokio::test]
async fn what_was_done_to_a_target_that_is_held_in_part_is_told() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let before = "{regions: {us-east-1: enabled}}";
    assert_eq!(golden::in_pipe(command("apply", &sandbox, folder.path(), before, &["--yes"])).await.code, Some(0));
    let extra = ["A", "B", "C"].map(|name| format!("arn:aws:iam::aws:policy/{name}"));
    sandbox.account(ACCOUNT).edit_role("AWSSystemsManagerDefaultEC2InstanceManagementRole", |role| role.attached.extend(extra));
    let spec = "{regions: {us-east-1: enabled}, role: {exclusivePolicies: true, tags: {team: a}}}";
    let shown = golden::in_pipe(command("apply", &sandbox, folder.path(), spec, &["--yes"])).await;
    assert_eq!(shown.code, Some(2));
    golden::check("apply/held_in_part.txt", &nameless(&shown.out));
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), spec, &["-o", "json"])).await;
    assert_eq!(json(&shown)["held"]["detachments"], 3);
}

/// A change's name tells the time, and what is planned is named again when it is applied.
fn nameless(text: &str) -> String {
    let mut parts = text.split("confirm: ");
    let mut result = parts.next().unwrap().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
        assert!(rest.len() < part.len(), "no name: {part}");
        result.push_str("confirm: NAME");
        result.push_str(rest);
    }
    result
}

#[tokio::test]
async fn what_the_organization_lacks_is_told_as_that() {
    let (sandbox, folder) = (Sandbox::start(Options::default()).await.unwrap(), tempfile::tempdir().unwrap());
    let _ = sandbox.organization(ACCOUNT);
    let missing = "{regions: {us-east-1: enabled}, organization: {assumeRole: {name: reach}, overrides: [{accounts: ['999988887777'], otherRegions: disabled}]}}";
    let shown = golden::in_pipe(plan(&sandbox, folder.path(), missing, &[])).await;
    assert!(shown.out.contains("organization") && shown.out.contains("999988887777"), "{}", shown.out);
    assert!(!shown.out.contains("mode: observe"), "{}", shown.out);
}

#[tokio::test]
async fn an_interrupted_plan_says_that_it_is_not_all() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    sandbox.inject(Fault::new(FaultKind::Slow(std::time::Duration::from_secs(8))).operation("GetServiceSetting"));
    let child = plan(&sandbox, folder.path(), SPEC, &["-o", "json"]).spawn().unwrap();
    let is_reading = |sandbox: &Sandbox| sandbox.journal().calls().iter().any(|call| call.operation == "GetServiceSetting");
    sandbox.wait_until(DEADLINE, is_reading).await.unwrap();
    signal(&child, "-INT");
    let output = tokio::time::timeout(DEADLINE, child.wait_with_output()).await.expect("it ends").unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["complete"]), (Some(1), &false.into()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
}

#[tokio::test]
async fn applying_asks_and_without_anybody_to_ask_changes_nothing() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let shown = golden::in_pipe(command("apply", &sandbox, folder.path(), SPEC, &[])).await;
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.contains("nobody can be asked here") && shown.err.contains("--yes"), "{}", shown.err);
    let shown = golden::in_pipe(command("apply", &sandbox, folder.path(), SPEC, &["-o", "json"])).await;
    assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""), "a question needs something to be about");
    assert!(shown.err.contains("--yes"), "{}", shown.err);
    for (answer, code, writes) in [("no", 2, 0), ("", 2, 0), ("yes", 2, 4)] {
        let shown = golden::answering(&command("apply", &sandbox, folder.path(), SPEC, &[]), answer).await;
        assert_eq!(shown.code, Some(code), "{answer}: {} {}", shown.out, shown.err);
        assert_eq!(sandbox.journal().writes().len(), writes, "{answer}");
    }
}

#[tokio::test]
async fn applying_does_what_the_plan_says_once_and_reports() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let shown = golden::in_pipe(command("apply", &sandbox, folder.path(), SPEC, &["--yes"])).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(2), ""), "one region is only observed");
    golden::check("apply/pipe.txt", &undated(&shown.out));
    assert_eq!(sandbox.account(ACCOUNT).setting("sa-east-1").value, None);
    assert_eq!(sandbox.account(ACCOUNT).setting("eu-west-1").value, None, "it is only observed");
    let report = json(&golden::in_pipe(command("apply", &sandbox, folder.path(), SPEC, &["--yes", "-o", "json"])).await);
    assert_eq!((&report["plan"]["summary"]["writes"], &report["result"]), (&0.into(), &Value::Null));
}

#[tokio::test]
async fn applying_to_a_target_leaves_the_others_alone() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    let shown = golden::in_pipe(command("apply", &sandbox, folder.path(), SPEC, &["--yes", "--target", "own/sa-east-1"])).await;
    assert_eq!(shown.code, Some(0), "{}", shown.out);
    let operations: Vec<String> = sandbox.journal().writes().iter().map(|call| call.operation.clone()).collect();
    assert_eq!(operations, ["ResetServiceSetting"]);
}

#[tokio::test]
async fn what_aws_refuses_is_told_as_not_corrected() {
    let (sandbox, folder) = (left_behind().await, tempfile::tempdir().unwrap());
    sandbox.account(ACCOUNT).deny("ssm:ResetServiceSetting");
    let shown = golden::in_pipe(command("apply", &sandbox, folder.path(), SPEC, &["--yes"])).await;
    assert_eq!(shown.code, Some(2));
    assert!(shown.out.contains("x sa-east-1  service-role/Mallorys -> unset"), "{}", shown.out);
    assert!(shown.out.contains("not corrected: ssm:ResetServiceSetting: AccessDenied"), "{}", shown.out);
    assert!(shown.out.contains("Done: 2 targets changed; 1 not corrected; 1 only observed; 1 as declared."), "{}", shown.out);
}

async fn a_plan_is_carried_out_and_then_empty(referee: Referee) {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "{regions: {us-east-1: enabled, eu-west-1: enabled}}");
    let run = async |arguments: &[&str]| golden::in_pipe(referee.give(dhmc(arguments))).await;
    let planned = run(&["plan", "--config", &config]).await;
    assert_eq!(planned.code, Some(2), "{}", planned.err);
    assert!(planned.out.contains("Plan: 4 writes to 3 targets; 1 as declared."), "{}", planned.out);
    let applied = run(&["apply", "--config", &config, "--yes"]).await;
    assert_eq!(applied.code, Some(0), "{}", applied.out);
    assert!(applied.out.contains("Done: 3 targets changed; 1 as declared."), "{}", applied.out);
    assert_eq!(run(&["plan", "--config", &config]).await.code, Some(0));
}

before_both!(ministack: a_plan_is_carried_out_and_then_empty);
