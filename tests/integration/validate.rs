//! `validate` as people and programs see it. It calls nobody, so no AWS is here.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::binary::dhmc;
use crate::golden::{self, Shown};

/// What a person may get wrong at once; with an external id in two places.
const BAD: &str = "\
apiVersion: dhmc.dev/v1alpha1
kind: HostManagement
spec:
  mode: enforced
  regions:
    us-east-1: enabeld
    eu-wset-1: enabled
    us-east-1: disabled
  otherRegion: unmanaged
  accounts:
    - id: 012345678901
      assumeRole:
        name: dhmc-controller
        externalId: s3cr3t horse
    - { id: \"222233334444\", assumeRole: { name: dhmc-controller, externalID: s3cr3t }, nname: payments }
";
const GOOD: &str = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: { otherRegions: enabled }\n";

/// A folder with documents of every kind.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    write("bad.yaml", BAD.as_bytes());
    write("good.yaml", GOOD.as_bytes());
    let long = format!("spec: {{ otherRegions: {}, mode: enforced }}", "x".repeat(100_000));
    write("hostile.yaml", format!("apiVersion: dhmc.dev/v1alpha1\nkind: \"\u{202e}\u{9b}31m\tü\"\n{long}\n").as_bytes());
    write("bytes.yaml", b"apiVersion: dhmc.dev/v1alpha1\nkind: \xc3\xbc\xff\x1b[31m\n");
    for name in ["several/a.yaml", "several/b.yaml"] {
        std::fs::create_dir_all(folder.path().join("several")).unwrap();
        write(
            name,
            "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: { account: \"111122223333\", otherRegions: on }"
                .as_bytes(),
        );
    }
    folder
}

/// Runs in the folder, so that no path of this machine is in what is shown.
fn validate(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = dhmc(&[&["validate"], arguments].concat());
    command.current_dir(folder);
    command
}

fn assert_keeps_secrets(shown: &Shown) {
    assert!(!format!("{}{}", shown.out, shown.err).contains("s3cr3t"), "{}{}", shown.out, shown.err);
}

#[tokio::test]
async fn every_problem_is_shown_with_its_line_in_a_pipe_and_in_colour_on_a_terminal() {
    let folder = folder();
    let arguments = ["bad.yaml", "several", "good.yaml", "missing.yaml", "hostile.yaml", "bytes.yaml"];
    let shown = golden::in_pipe(validate(folder.path(), &arguments)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(1), ""));
    assert_keeps_secrets(&shown);
    assert!(!shown.out.contains('\u{1b}'), "no colours in a pipe");
    golden::check("validate/pipe.txt", &shown.out);

    let shown = golden::in_terminal(&validate(folder.path(), &arguments)).await;
    assert_eq!((shown.code, shown.err.as_str()), (Some(1), ""));
    assert_keeps_secrets(&shown);
    golden::check("validate/terminal.txt", &shown.out);
}

#[tokio::test]
async fn a_terminal_without_colours_gets_none() {
    let folder = folder();
    let mut command = validate(folder.path(), &["bad.yaml"]);
    command.env("NO_COLOR", "1");
    let shown = golden::in_terminal(&command).await;
    assert!(shown.out.contains("error: ") && !shown.out.contains('\u{1b}'), "{}", shown.out);
}

#[tokio::test]
async fn programs_get_each_problem_with_its_place() {
    let folder = folder();
    let shown =
        golden::in_pipe(validate(folder.path(), &["--output", "json", "several", "good.yaml", "missing.yaml", "bad.yaml"])).await;
    assert_eq!(shown.code, Some(1));
    assert_keeps_secrets(&shown);
    let report: Value = serde_json::from_str(&shown.out).unwrap();
    assert_eq!(report["valid"], false);
    let [several, good, missing, bad] = report["documents"].as_array().unwrap().as_slice() else { panic!("{report:#}") };
    assert_eq!(*good, json!({ "file": "good.yaml", "valid": true, "problems": [] }));
    assert_eq!(several["problems"].as_array().unwrap().len(), 3, "{several:#}");
    assert_eq!(
        several["problems"][0],
        json!({
            "file": "several/a.yaml",
            "line": 3,
            "column": 48,
            "path": "spec.otherRegions",
            "message": "`on` is not enabled, disabled or unmanaged",
            "help": "did you mean enabled?",
        })
    );
    assert_eq!(missing["problems"][0]["message"], "there is no such file; create it, or name another");
    assert_eq!((&missing["problems"][0]["file"], &missing["problems"][0]["line"]), (&"missing.yaml".into(), &Value::Null));
    assert!(bad["problems"].as_array().unwrap().len() > 7, "{bad:#}");
}

#[tokio::test]
async fn a_workflow_gets_commands_that_put_each_problem_beside_its_line() {
    let folder = folder();
    let shown = golden::in_pipe(validate(folder.path(), &["--output", "github", "bad.yaml", "hostile.yaml", "good.yaml"])).await;
    assert_eq!(shown.code, Some(1));
    assert_keeps_secrets(&shown);
    golden::check("validate/github.txt", &shown.out);
}

#[tokio::test]
async fn a_valid_document_may_come_from_standard_input() {
    let folder = folder();
    for (document, code, said) in
        [(GOOD, 0, "<stdin>: valid\n"), (BAD, 1, " --> <stdin>:4:9\n"), ("", 1, "the document is empty")]
    {
        let mut child = validate(folder.path(), &["-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(document.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        let out = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{out}");
        assert!(out.contains(said), "{out}");
    }
}

#[tokio::test]
async fn too_much_on_standard_input_is_not_read_to_its_end() {
    let mut child = dhmc(&["validate", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let endless = tokio::spawn(async move { while input.write_all(&[b'#'; 1 << 12]).await.is_ok() {} });
    let output = tokio::time::timeout(crate::harness::DEADLINE, child.wait_with_output()).await.expect("it ends").unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("larger than 1 MiB"));
    endless.await.unwrap();
}

#[tokio::test]
async fn what_run_takes_is_valid_and_what_it_refuses_is_not() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let shown = golden::in_pipe(validate(&config, &["example.yaml", "minimal.yaml", "organization.yaml"])).await;
    assert_eq!(
        (shown.code, shown.out.as_str()),
        (Some(0), "example.yaml: valid\nminimal.yaml: valid\norganization.yaml: valid\n")
    );

    // Together they claim the same accounts.
    let shown = golden::in_pipe(validate(&config, &["."])).await;
    assert_eq!(shown.code, Some(1), "{}", shown.out);
    let refused = golden::in_pipe(dhmc(&["run", "--once", "--config", config.to_str().unwrap()])).await;
    assert_eq!(refused.code, Some(1));
    let told = refused.err.lines().filter(|line| line.contains(".yaml:")).count();
    assert_eq!(shown.out.matches("error: ").count(), told, "{}{}", shown.out, refused.err);
}

#[tokio::test]
async fn nothing_to_validate_is_a_mistake() {
    let shown = golden::in_pipe(dhmc(&["validate"])).await;
    assert_eq!(shown.code, Some(1));
    assert!(shown.err.contains("<FILE>..."), "{}", shown.err);
}
