//! `deploy/iam`: made of the example beside it by the command that users have, and right for the tools that they deploy it with.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by ending")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dhmc_controller::policy::document::PolicyDocument;
use dhmc_controller::policy::{self, Doctor, Scope, SessionTags, doctor};
use serde_json::Value;

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

const EXAMPLE: &str = "deploy/iam/example.yaml";

/// What made each file that is shipped. What stands in capitals is one of [`terms`].
const SHIPPED: [(&str, &str); 15] = [
    ("controller-policy.json", "controller"),
    ("hub-policy.json", "hub --pod-identity --organization-id ORGANIZATION"),
    ("member-policy.json", "member"),
    ("member-trust-policy.json", "trust --for hub MEMBER --external-id-placeholder an-external-id-of-your-own"),
    ("service-control-policy.json", "scp --controller-role-arn HUB"),
    ("deny-policy.json", "deny --controller-role-arn HUB"),
    ("terraform/hub-irsa/main.tf", "hub --organization-id ORGANIZATION --for irsa CLUSTER POD --format terraform"),
    (
        "terraform/hub-pod-identity/main.tf",
        "hub --pod-identity --organization-id ORGANIZATION --for pod-identity POD --format terraform",
    ),
    ("terraform/member/main.tf", "member MEMBER --format terraform"),
    ("terraform/guard/main.tf", "scp --controller-role-arn HUB --format terraform"),
    (
        "cloudformation/hub-irsa.template.json",
        "hub --organization-id ORGANIZATION --for irsa CLUSTER POD --format cloudformation",
    ),
    (
        "cloudformation/hub-pod-identity.template.json",
        "hub --pod-identity --organization-id ORGANIZATION --for pod-identity POD --format cloudformation",
    ),
    ("cloudformation/member.template.json", "member MEMBER --format cloudformation"),
    ("cloudformation/member-stackset.template.json", "member MEMBER --format stackset"),
    ("cloudformation/guard.template.json", "scp --controller-role-arn HUB --format cloudformation"),
];

/// The command with what stands in capitals written out.
fn written_out(command: &str) -> String {
    let hub = "arn:aws:iam::111122223333:role/dhmc-hub";
    command
        .replace("MEMBER", "--hub-role-arn HUB --organization-id ORGANIZATION --pod-identity")
        .replace("HUB", hub)
        .replace("ORGANIZATION", "o-abcde12345")
        .replace("CLUSTER", "--oidc-provider oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF")
        .replace("POD", "--namespace dhmc --service-account dhmc-controller")
}

/// What `policy` prints.
fn printed(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"))
        .arg("policy")
        .args(command.split_whitespace())
        .args(["--config", EXAMPLE])
        .current_dir(path(""))
        .env_remove("DHMC_CONFIG")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_shipped_is_of_the_example_beside_it() {
    for (file, command) in SHIPPED {
        let (name, fresh) = (format!("deploy/iam/{file}"), printed(&written_out(command)));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(path(&name), fresh).unwrap();
        } else {
            assert!(fresh == read(&name), "{name} is not of {EXAMPLE}; run UPDATE=1 cargo test --test iam shipped");
        }
    }
}

/// So that whoever reads it can make theirs.
#[test]
fn the_page_beside_it_names_every_file_and_the_command_that_makes_it() {
    let page = read("deploy/iam/README.md").replace("\\\n", " ");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let page_words = words(&page).join(" ");
    for (file, command) in SHIPPED {
        assert!(page.contains(&format!("({file})")), "{file} is not on the page");
        let command = words(&written_out(command)).join(" ");
        assert!(page_words.contains(&command), "{file}: the page does not have its command: {command}");
    }
    let held: BTreeSet<&str> = SHIPPED.iter().map(|(file, _)| *file).chain(["README.md", "example.yaml"]).collect();
    for file in files_under("deploy/iam") {
        let name = file.strip_prefix(path("deploy/iam")).unwrap().to_str().unwrap().to_owned();
        assert!(held.contains(name.as_str()), "nothing makes {name}");
    }
}

/// Whoever tries the templates where they are has files there that hold what is secret: git is not to take them, nor these tests.
#[test]
fn what_terraform_leaves_is_none_of_the_repository() {
    let ignored = read(".gitignore");
    for (left, pattern) in [
        (".terraform", ".terraform*"),
        (".terraform.lock.hcl", ".terraform*"),
        ("terraform.tfstate", "*.tfstate*"),
        ("terraform.tfstate.backup", "*.tfstate*"),
    ] {
        assert!(of_terraform(&path("deploy/iam/terraform/member").join(left)), "{left}");
        assert!(ignored.lines().any(|line| line == pattern), "{left}");
    }
    assert!(files_under("deploy/iam").iter().any(|file| file.ends_with("terraform/member/main.tf")));
}

/// What a checker says, which is shown where it is not content.
fn content(command: &mut Command, missing: &str) -> String {
    let output = command.current_dir(path("")).output().unwrap_or_else(|error| panic!("{command:?}: {error}; {missing}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|paths| std::env::split_paths(&paths).any(|folder| folder.join(program).is_file()))
}

/// By Terraform itself where it is installed. It is in no registry that `tools/setup` takes programs from, so elsewhere by
/// `HashiCorp`'s formatter of the same language, which Terraform's is made with.
#[test]
fn terraform_files_are_formatted_as_terraform_does_it() {
    if on_path("terraform") {
        for folder in ["deploy/iam", "tests/golden/policy"] {
            content(Command::new("terraform").args(["fmt", "-check", "-diff", "-recursive", folder]), "");
        }
    } else {
        let files = [files_under("deploy/iam"), files_under("tests/golden/policy")].concat();
        let files: Vec<PathBuf> =
            files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "tf")).collect();
        assert!(files.len() > 10, "{files:?}");
        for file in files {
            // Its `-check` is about the syntax alone.
            let said = content(Command::new(path("target/tools/bin/hclfmt")).arg(&file), "run `make tools`");
            assert!(said == fs::read_to_string(&file).unwrap(), "{} is formatted otherwise", file.display());
        }
    }
}

fn cfn_lint(templates: &[PathBuf]) {
    let mut command = Command::new(path("target/tools/venv/bin/cfn-lint"));
    content(command.args(["--regions", "us-east-1", "eu-west-1", "--"]).args(templates), "run `make tools`");
}

#[test]
fn templates_are_what_cloudformation_takes() {
    let templates = |folder: &str| {
        let files = files_under(folder).into_iter();
        files.filter(|file| file.to_str().unwrap().ends_with(".template.json")).collect::<Vec<_>>()
    };
    let all = [templates("deploy/iam"), templates("tests/golden/policy")].concat();
    assert!(all.len() > 10, "{all:?}");
    cfn_lint(&all);
}

/// What a stack set brings into accounts is text to the template that has it.
#[test]
fn the_stack_set_brings_the_very_role_of_the_template_for_one_account() {
    let template = |name: &str| -> Value { serde_json::from_str(&read(&format!("deploy/iam/cloudformation/{name}"))).unwrap() };
    let set = template("member-stackset.template.json");
    let properties = &set["Resources"]["StackSet"]["Properties"];
    let body = properties["TemplateBody"].as_str().unwrap();
    assert!(body.len() <= 51_200, "CloudFormation takes 51,200 bytes");
    let inner: Value = serde_json::from_str(body).unwrap();
    assert_eq!(inner, template("member.template.json"));
    for name in inner["Parameters"].as_object().unwrap().keys() {
        let given = properties["Parameters"].as_array().unwrap().iter().any(|one| one["ParameterKey"] == name.as_str());
        assert!(given && set["Parameters"][name] == inner["Parameters"][name], "{name} is not passed on");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("inner.template.json");
    fs::write(&file, body).unwrap();
    cfn_lint(&[file]);
}

#[test]
fn the_hub_of_the_example_lets_the_pod_in_with_its_tags_and_keeps_its_own_account_too() {
    let template = |name: &str| -> Value { serde_json::from_str(&read(&format!("deploy/iam/cloudformation/{name}"))).unwrap() };
    let trust = |template: &Value| {
        template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]["Action"].clone()
    };
    let (irsa, pod) = (template("hub-irsa.template.json"), template("hub-pod-identity.template.json"));
    assert_eq!(trust(&irsa), "sts:AssumeRoleWithWebIdentity");
    assert_eq!(trust(&pod), serde_json::json!(["sts:AssumeRole", "sts:TagSession"]));
    for hub in [&irsa, &pod] {
        assert_eq!(hub["Resources"]["Role"]["Properties"]["RoleName"], "dhmc-hub");
        let has = |name: &str, action: &str| hub["Resources"][name].to_string().contains(action);
        assert!(has("Policy", "sts:AssumeRole") && has("OwnAccountPolicy", "ssm:UpdateServiceSetting"), "{hub:#}");
    }
    assert!(!irsa["Resources"]["Policy"].to_string().contains("sts:TagSession"));
    assert!(pod["Resources"]["Policy"].to_string().contains("sts:TagSession"));
}

/// The example is the one of the page, so that what is said there fits the policies.
#[test]
fn the_example_of_the_policies_is_the_document_of_the_page_on_accounts() {
    let accounts = read("docs/ACCOUNTS.md");
    let document = accounts.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example = read(EXAMPLE);
    let without_comments: Vec<&str> = example.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(without_comments, document.lines().collect::<Vec<_>>());
}

/// Everything that a document can lead to, in one.
const EVERYTHING: &str = "apiVersion: dhmc.dev/v1alpha1
kind: HostManagement
spec:
  role: { tags: { a: b }, description: text, permissionsBoundary: AWSSupportAccess, exclusivePolicies: true }
  regions: { eu-west-1: enabled, us-east-1: disabled }
  otherRegions: enabled
  accounts:
    - { id: \"111122223333\" }
  organization:
    assumeRole: { name: dhmc-controller, sessionTags: { a: b } }
    exclude: { organizationalUnits: [ou-ab12-11111111] }
";

/// Every call that the code names is allowed where everything is declared, and nothing else is.
#[test]
fn the_policies_of_a_document_that_asks_for_everything_allow_exactly_the_calls_that_there_are() {
    let state = dhmc_controller::desired::load(EVERYTHING.as_bytes()).unwrap();
    let scope = Scope { doctor: Doctor::With, ..Scope::default() };
    let mut allowed = actions_of(&policy::controller(&state, &scope).unwrap());
    let member = actions_of(&policy::member(&state, &scope).unwrap());
    assert_eq!(member, allowed, "the example declares the same for all accounts");
    allowed.extend(actions_of(&policy::hub(&state, &scope, SessionTags::Declared, None).unwrap()));

    let mut calls = operations_in("src/operations.rs");
    // Nobody needs a permission to ask who they are (STS API reference, GetCallerIdentity).
    assert!(calls.remove("sts:GetCallerIdentity"));
    calls.extend(doctor::READS.map(str::to_owned));
    assert_eq!(allowed, calls);
}

/// A call under a name of its own would be one that no policy knows of.
#[test]
fn the_code_that_calls_aws_names_no_call_that_the_policies_do_not_know() {
    let mut known = operations_in("src/operations.rs");
    known.extend(doctor::READS.map(str::to_owned));
    for file in files_under("src/aws") {
        // Tests speak of calls too.
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for call in operations_of(code) {
            assert!(
                known.contains(&call),
                "{} makes {call}: add it to src/operations.rs or src/policy/doctor.rs",
                file.display()
            );
        }
    }
}

/// What Terraform leaves where it is run, which git ignores.
fn of_terraform(file: &Path) -> bool {
    let name = file.file_name().unwrap().to_str().unwrap();
    name.starts_with(".terraform") || name.contains(".tfstate")
}

/// What is of the repository.
fn files_under(folder: &str) -> Vec<PathBuf> {
    let (mut files, mut left) = (Vec::new(), vec![path(folder)]);
    while let Some(one) = left.pop() {
        if of_terraform(&one) {
            continue;
        }
        if one.is_dir() {
            left.extend(std::fs::read_dir(one).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            files.push(one);
        }
    }
    files
}

fn actions_of(document: &PolicyDocument) -> BTreeSet<String> {
    document.statements.iter().flat_map(|statement| &statement.actions).map(|action| (*action).to_owned()).collect()
}

fn operations_in(file: &str) -> BTreeSet<String> {
    operations_of(&read(file))
}

/// Calls are named in the code by the words of an IAM policy.
fn operations_of(code: &str) -> BTreeSet<String> {
    code.split('"').filter(|word| is_operation(word)).map(str::to_owned).collect()
}

fn is_operation(word: &str) -> bool {
    let Some((service, operation)) = word.split_once(':') else { return false };
    let is_service = !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    is_service
        && operation.starts_with(|c: char| c.is_ascii_uppercase())
        && operation.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
