//! `policy`: what it prints for every kind and format, on a terminal and in a pipe, and what it says instead.

use serde_json::Value;
use tokio::process::Command;

use crate::binary::{config, dhmc};
use crate::golden::{self, Shown, in_pipe, in_terminal};

const HUB: &str = "arn:aws:iam::111122223333:role/dhmc-hub";
const FORMATS: [(&str, &str); 3] = [("json", "json"), ("terraform", "tf"), ("cloudformation", "template.json")];

/// Every kind, with the arguments of an everyday call.
fn kinds() -> Vec<(&'static str, Vec<&'static str>)> {
    let provider = "oidc.eks.eu-west-1.amazonaws.com/id/0123ABCD";
    let account = ["--namespace", "dhmc", "--service-account", "dhmc-controller"];
    vec![
        ("controller", vec!["controller", "--config", "config/example.yaml"]),
        ("controller-other-regions", vec!["controller", "--config", "tests/golden/policy/other-regions.yaml", "--with-doctor"]),
        ("member", vec!["member", "--config", "config/organization.yaml"]),
        ("member-of-one-account", vec!["member", "--config", "config/organization.yaml", "--account", "444455556666"]),
        ("hub", vec!["hub", "--config", "config/organization.yaml"]),
        ("scp", vec!["scp", "--config", "config/organization.yaml", "--controller-role-arn", HUB]),
        ("deny", vec!["deny", "--config", "config/example.yaml"]),
        ("trust-ec2", vec!["trust", "--for", "ec2"]),
        (
            "trust-irsa",
            [&["trust", "--for", "irsa", "--oidc-provider", provider, "--account", "111122223333"], account.as_slice()].concat(),
        ),
        ("trust-pod-identity", [&["trust", "--for", "pod-identity"], account.as_slice()].concat()),
        (
            "trust-hub",
            vec![
                "trust",
                "--for",
                "hub",
                "--config",
                "config/organization.yaml",
                "--account",
                "444455556666",
                "--hub-role-arn",
                HUB,
            ],
        ),
    ]
}

fn policy(arguments: &[&str]) -> Command {
    let mut command = dhmc(&[&["policy"], arguments].concat());
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

async fn printed(arguments: &[&str]) -> Shown {
    let shown = in_pipe(policy(arguments)).await;
    assert_eq!(shown.code, Some(0), "{arguments:?}: {}", shown.err);
    shown
}

#[tokio::test]
async fn every_kind_is_printed_in_every_format() {
    for (name, arguments) in kinds() {
        for (format, ending) in FORMATS {
            let shown = printed(&[&arguments, ["--format", format].as_slice()].concat()).await;
            golden::check(&format!("policy/{name}.{ending}"), &shown.out);
            match format {
                "terraform" => drop(hcl::parse(&shown.out).expect("it is HCL")),
                _ => drop(serde_json::from_str::<Value>(&shown.out).expect("it is JSON")),
            }
        }
    }
}

#[tokio::test]
async fn a_role_is_deployed_with_its_policy_in_one_template() {
    for (format, ending) in &FORMATS[1..] {
        let shown = printed(&[
            "member",
            "--config",
            "deploy/iam/example.yaml",
            "--hub-role-arn",
            HUB,
            "--organization-id",
            "o-abcde12345",
            "--pod-identity",
            "--format",
            format,
        ])
        .await;
        golden::check(&format!("policy/member-with-role.{ending}"), &shown.out);
        assert!(!shown.out.contains("an-external-id-of-your-own"), "the external id is shown to nobody");
    }
}

/// On an instance, by a profile; what reaches others and what keeps its own account are two policies of it.
#[tokio::test]
async fn the_controllers_own_role_is_deployed_with_its_policies_in_one_template() {
    for (name, command) in [("controller-with-role", "controller"), ("hub-with-role", "hub")] {
        for (format, ending) in &FORMATS[1..] {
            let shown = printed(&[command, "--config", "deploy/iam/example.yaml", "--for", "ec2", "--format", format]).await;
            golden::check(&format!("policy/{name}.{ending}"), &shown.out);
        }
    }
}

/// A policy is for programs as much as for people: a terminal gets no other text.
#[tokio::test]
async fn on_a_terminal_the_same_is_printed() {
    for (name, arguments, ending) in [
        ("controller", vec!["controller", "--config", "config/example.yaml"], "json"),
        ("hub", vec!["hub", "--config", "config/organization.yaml", "--format", "terraform"], "tf"),
        ("trust-ec2", vec!["trust", "--for", "ec2", "--format", "cloudformation"], "template.json"),
    ] {
        let shown = in_terminal(&policy(&arguments)).await;
        assert_eq!(shown.code, Some(0), "{}", shown.err);
        golden::check(&format!("policy/{name}.{ending}"), &shown.out);
    }
}

#[tokio::test]
async fn what_has_to_be_known_to_use_it_is_said_beside_it() {
    let cases = [
        ("note-external-id", vec!["trust", "--for", "hub", "--config", "deploy/iam/example.yaml", "--hub-role-arn", HUB]),
        ("note-partition", vec!["controller", "--config", "tests/golden/policy/other-regions.yaml"]),
        ("note-management-account", vec!["scp", "--config", "config/organization.yaml", "--controller-role-arn", HUB]),
    ];
    for (name, arguments) in cases {
        golden::check(&format!("policy/{name}.txt"), &printed(&arguments).await.err);
    }
    assert_eq!(printed(&["controller", "--config", "config/example.yaml"]).await.err, "");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let accounts: Vec<String> =
        (0..200).map(|n| format!("{{id: '{}', assumeRole: {{name: role-{n}}}}}", 100_000_000_000_u64 + n)).collect();
    let many = config(folder.path(), &format!("{{regions: {{eu-west-1: enabled}}, accounts: [{}]}}", accounts.join(", ")));
    let irsa = ["trust", "--for", "irsa", "--oidc-provider", "a.b/c", "--namespace", "n", "--service-account", "s"];
    let session = "arn:aws:sts::111122223333:assumed-role/dhmc-controller/dhmc-a";
    let cases = [
        ("no-own-account", vec!["controller", "--config", &many]),
        ("no-member", vec!["member", "--config", "config/minimal.yaml"]),
        ("no-role-to-assume", vec!["hub", "--config", "config/minimal.yaml"]),
        ("another-account", vec!["controller", "--config", "config/example.yaml", "--account", "999988887777"]),
        ("not-a-member", vec!["member", "--config", &many, "--account", "999988887777"]),
        ("too-long", vec!["hub", "--config", &many]),
        ("controller-unknown", vec!["scp", "--config", "config/organization.yaml"]),
        ("own-role-as-json", vec!["hub", "--config", "config/organization.yaml", "--for", "ec2"]),
        (
            "stack-set-of-no-role",
            vec!["scp", "--config", "config/organization.yaml", "--controller-role-arn", HUB, "--format", "stackset"],
        ),
        ("irsa-role-without-its-flags", vec!["hub", "--for", "irsa"]),
        ("role-as-json", vec!["member", "--config", "config/organization.yaml", "--hub-role-arn", HUB]),
        ("roles-differ", vec!["trust", "--for", "hub", "--config", "config/organization.yaml", "--hub-role-arn", HUB]),
        ("provider-of-no-account", irsa.to_vec()),
        ("no-such-file", vec!["controller", "--config", "no-such.yaml"]),
        ("session-not-role", vec!["scp", "--config", "config/minimal.yaml", "--controller-role-arn", session]),
        ("irsa-without-its-flags", vec!["trust", "--for", "irsa"]),
        ("hub-without-its-flags", vec!["trust", "--for", "hub"]),
    ];
    for (name, arguments) in cases {
        let shown = in_pipe(policy(&arguments)).await;
        assert_eq!((shown.code, shown.out.as_str()), (Some(1), ""), "{name}");
        golden::check(&format!("policy/refused-{name}.txt"), &shown.err);
    }
}

/// The same reading as `run`: a directory is one desired state, and what is wrong with it is told in the same words.
#[tokio::test]
async fn the_document_is_read_as_run_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, spec: &str| {
        let text = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n");
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    write("a.yaml", "{account: '111122223333', regions: {eu-west-1: enabled}}");
    write("b.yaml", "{regions: {us-east-1: enabled}, accounts: [{id: '222233334444', assumeRole: {name: m}}]}");
    let path = folder.path().to_str().unwrap();
    let own: Value = serde_json::from_str(&printed(&["controller", "--config", path]).await.out).unwrap();
    assert_eq!(own["Statement"][0]["Condition"]["StringEquals"]["aws:RequestedRegion"], "eu-west-1");
    let member: Value = serde_json::from_str(&printed(&["member", "--config", path]).await.out).unwrap();
    assert_eq!(member["Statement"][0]["Condition"]["StringEquals"]["aws:RequestedRegion"], "us-east-1");

    write("c.yaml", "{regions: {eu-wset-1: enabled}}");
    let run = in_pipe(dhmc(&["run", "--once", "--config", path])).await;
    let policy = in_pipe(dhmc(&["policy", "controller", "--config", path])).await;
    assert_eq!((policy.code, policy.err.as_str()), (Some(1), run.err.as_str()));
    assert!(policy.err.contains("did you mean eu-west-1?"), "{}", policy.err);
}

/// Nothing is asked of AWS: neither credentials nor a network are needed.
#[tokio::test]
async fn no_aws_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = config(folder.path(), "{regions: {eu-west-1: enabled}}");
    let mut command = dhmc(&["policy", "controller"]);
    command.env("DHMC_CONFIG", &path).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").env("AWS_PROFILE", "no-such-profile");
    assert_eq!(in_pipe(command).await.code, Some(0));
}
