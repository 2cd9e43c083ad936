//! The real AWS CLI as the referee: the user guide's own commands for Default Host Management Configuration.

use std::path::{Path, PathBuf};
use std::process::Output;

use aws_sandbox::{Credentials, SETTING_ID, SSM_TRUST_POLICY, Sandbox};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::client::{ACCOUNT, REGION, ROLE, VALUE, sandbox};

/// The CLI's executable: `AWS_CLI`, or where `make tools` puts it. A missing one fails the test: a referee that stays
/// away unnoticed is none.
fn executable() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/venv/bin/aws");
    let path = std::env::var_os("AWS_CLI").map_or_else(default, PathBuf::from);
    assert!(
        path.exists(),
        "the AWS CLI is missing at {}: run `make tools`, or set AWS_CLI to an `aws` executable",
        path.display()
    );
    path
}

struct Cli {
    sandbox: Sandbox,
    credentials: Credentials,
    home: tempfile::TempDir,
}

impl Cli {
    fn new(sandbox: &Sandbox) -> Self {
        let home = tempfile::tempdir().unwrap();
        // The guide's samples show times as the second version of the CLI does.
        std::fs::write(home.path().join("config"), "[default]\ncli_timestamp_format=iso8601\n").unwrap();
        Self { sandbox: sandbox.clone(), credentials: sandbox.account(ACCOUNT).credentials(), home }
    }

    fn signing_with(self, credentials: Credentials) -> Self {
        Self { credentials, ..self }
    }

    async fn output(&self, arguments: &[&str]) -> Output {
        let credentials = &self.credentials;
        Command::new(executable())
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("AWS_CONFIG_FILE", self.home.path().join("config"))
            .env("AWS_ENDPOINT_URL", self.sandbox.url())
            .env("AWS_ACCESS_KEY_ID", &credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", credentials.session_token.as_deref().unwrap_or_default())
            // With an endpoint given, the CLI signs IAM for its own region, which must therefore be IAM's.
            .env("AWS_DEFAULT_REGION", "us-east-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_MAX_ATTEMPTS", "1")
            .output()
            .await
            .unwrap()
    }

    /// Runs a command that must succeed; its JSON, or null when it prints nothing.
    async fn run(&self, arguments: &[&str]) -> Value {
        let output = self.output(arguments).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        if output.stdout.trim_ascii().is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that must fail; what it says.
    async fn fail(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        assert!(!output.status.success(), "{arguments:?} succeeded");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[tokio::test]
async fn the_user_guides_commands_turn_the_setting_on_and_off() {
    let (sandbox, account) = sandbox().await;
    let cli = Cli::new(&sandbox);
    std::fs::write(cli.home.path().join("trust-policy.json"), SSM_TRUST_POLICY).unwrap();
    let setting = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:servicesetting{SETTING_ID}");
    let of_setting = ["--region", REGION, "--setting-id", setting.as_str()];

    let create = ["--role-name", ROLE, "--path", "/service-role/"];
    let document = ["--assume-role-policy-document", "file://trust-policy.json"];
    let created = cli.run(&[&["iam", "create-role"][..], &create, &document].concat()).await;
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/service-role/{ROLE}");
    assert_eq!(created["Role"]["Arn"], arn);
    let trust: Value = serde_json::from_str(SSM_TRUST_POLICY).unwrap();
    assert_eq!(created["Role"]["AssumeRolePolicyDocument"], trust);

    let policy = "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy";
    cli.run(&["iam", "attach-role-policy", "--policy-arn", policy, "--role-name", ROLE]).await;
    let update = [&["ssm", "update-service-setting"][..], &of_setting, &["--setting-value", VALUE]];
    assert_eq!(cli.run(&update.concat()).await, Value::Null);

    let got = cli.run(&[&["ssm", "get-service-setting"][..], &of_setting].concat()).await;
    let date = got["ServiceSetting"]["LastModifiedDate"].as_str().unwrap().to_owned();
    assert!(date.parse::<jiff::Timestamp>().is_ok(), "{date}");
    let expected = json!({"ServiceSetting": {
        "SettingId": SETTING_ID,
        "SettingValue": VALUE,
        "LastModifiedDate": date,
        // The sample says "System": it was not taken after the update it follows. AWS names the caller, as the
        // samples of sibling settings show.
        "LastModifiedUser": account.credentials().arn,
        // The sample has a stray hyphen before the account.
        "ARN": setting,
        // The sample says "Custom"; the API reference documents "Customized", and Terraform waits for that.
        "Status": "Customized",
    }});
    assert_eq!(got, expected);

    let reset = cli.run(&[&["ssm", "reset-service-setting"][..], &of_setting].concat()).await;
    let reset = &reset["ServiceSetting"];
    assert_eq!(reset["SettingValue"], "$None");
    assert_eq!(reset["Status"], "Default");
    assert_eq!(reset["LastModifiedUser"], "System");
}

#[tokio::test]
async fn the_cli_reads_roles_regions_and_identities() {
    let (sandbox, account) = sandbox().await;
    let mut role = aws_sandbox::Role::trusting_ssm("/service-role/", ROLE);
    role.attached.push("arn:aws:iam::aws:policy/AdministratorAccess".to_owned());
    role.attached.push("arn:aws:iam::aws:policy/ReadOnlyAccess".to_owned());
    role.tags.insert("owner".to_owned(), "<me> & you".to_owned());
    account.put_role(role);
    sandbox.configure(|knobs| knobs.page_size = 1);
    let cli = Cli::new(&sandbox);
    let got = cli.run(&["iam", "get-role", "--role-name", ROLE]).await;
    assert_eq!(got["Role"]["Tags"], json!([{"Key": "owner", "Value": "<me> & you"}]));
    // The CLI follows the markers of both pages.
    let attached = cli.run(&["iam", "list-attached-role-policies", "--role-name", ROLE]).await;
    assert_eq!(attached["AttachedPolicies"].as_array().unwrap().len(), 2);
    let identity = cli.run(&["sts", "get-caller-identity"]).await;
    assert_eq!(identity["Arn"], account.credentials().arn);
    sandbox.configure(|knobs| knobs.page_size = 9);
    let regions = cli.run(&["account", "list-regions"]).await;
    assert_eq!(regions["Regions"].as_array().unwrap().len(), 34);
}

#[tokio::test]
async fn the_cli_understands_refusals_of_every_protocol() {
    let (sandbox, _account) = sandbox().await;
    let cli = Cli::new(&sandbox);
    let missing = cli.fail(&["iam", "get-role", "--role-name", "nobody"]).await;
    assert!(missing.contains("(NoSuchEntity)"), "{missing}");
    assert!(missing.contains("The role with name nobody cannot be found."), "{missing}");
    let unknown = cli.fail(&["ssm", "get-service-setting", "--setting-id", "/x"]).await;
    assert!(unknown.contains("(ServiceSettingNotFound)"), "{unknown}");
    let page = cli.fail(&["account", "list-regions", "--no-paginate", "--next-token", "zz"]).await;
    assert!(page.contains("(ValidationException)"), "{page}");
    let closed = cli.fail(&["sts", "get-caller-identity", "--region", "af-south-1"]).await;
    assert!(closed.contains("(RegionDisabledException)"), "{closed}");
}

#[tokio::test]
async fn the_cli_assumes_a_role_of_another_account() {
    let (sandbox, hub) = sandbox().await;
    sandbox.account("222233334444").trust("dhmc-controller", "/", hub.id(), Some("dhmc-7"));
    let cli = Cli::new(&sandbox);
    let role = ["--role-arn", "arn:aws:iam::222233334444:role/dhmc-controller", "--role-session-name", "dhmc-cli"];
    let assume = [&["sts", "assume-role"][..], &role].concat();
    let refused = cli.fail(&assume).await;
    assert!(refused.contains("(AccessDenied)"), "{refused}");
    assert!(refused.contains("is not authorized to perform: sts:AssumeRole on resource"), "{refused}");
    let opened = cli.run(&[&assume[..], &["--external-id", "dhmc-7", "--duration-seconds", "900"]].concat()).await;
    let arn = "arn:aws:sts::222233334444:assumed-role/dhmc-controller/dhmc-cli";
    assert_eq!(opened["AssumedRoleUser"]["Arn"], arn);
    assert!(opened["Credentials"]["Expiration"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{opened}");
    let text = |name: &str| opened["Credentials"][name].as_str().unwrap().to_owned();
    let session = Credentials {
        access_key_id: text("AccessKeyId"),
        secret_access_key: text("SecretAccessKey"),
        session_token: Some(text("SessionToken")),
        arn: arn.to_owned(),
    };
    let identity = cli.signing_with(session).run(&["sts", "get-caller-identity"]).await;
    assert_eq!((&identity["Arn"], &identity["Account"]), (&json!(arn), &json!("222233334444")));
}

#[tokio::test]
async fn the_cli_lists_every_account_of_an_organization() {
    let (sandbox, _account) = sandbox().await;
    let organization = sandbox.organization(ACCOUNT);
    let ids: Vec<String> = (0..44).map(|n| format!("3000000000{n:02}")).collect();
    organization.add_many(ids.iter().map(|id| (id, "member")), &organization.root());
    sandbox.configure(|knobs| knobs.empty_pages = true);
    let cli = Cli::new(&sandbox);
    let listed = cli.run(&["organizations", "list-accounts"]).await;
    let accounts = listed["Accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 45);
    assert!(ids.iter().all(|id| accounts.iter().any(|account| account["Id"] == *id)));
    let date = accounts[0]["JoinedTimestamp"].as_str().unwrap();
    assert!(date.parse::<jiff::Timestamp>().is_ok(), "{date}");
    let unknown = cli.fail(&["organizations", "list-accounts-for-parent", "--parent-id", "ou-ab12-11111111"]).await;
    assert!(unknown.contains("(ParentNotFoundException)"), "{unknown}");
}

#[tokio::test]
async fn the_cli_is_allowed_what_the_policy_allows_and_told_what_it_does_not() {
    let (sandbox, account) = sandbox().await;
    let cli = Cli::new(&sandbox);
    let caller = "arn:aws:iam::123456789012:role/dhmc-controller";
    let statement =
        json!({"Effect": "Allow", "Action": ["ssm:GetServiceSetting", "iam:SimulatePrincipalPolicy"], "Resource": "*"});
    account.authorize_role(caller, &json!({"Version": "2012-10-17", "Statement": [statement]}).to_string()).unwrap();
    let got = cli.run(&["ssm", "get-service-setting", "--setting-id", SETTING_ID]).await;
    assert_eq!(got["ServiceSetting"]["SettingValue"], "$None");
    let refused = cli.fail(&["ssm", "reset-service-setting", "--setting-id", SETTING_ID]).await;
    assert!(refused.contains("(AccessDeniedException)"), "{refused}");
    assert!(refused.contains("because no identity-based policy allows the ssm:ResetServiceSetting action"), "{refused}");
    let refused = cli.fail(&["iam", "get-role", "--role-name", ROLE]).await;
    assert!(refused.contains("(AccessDenied)"), "{refused}");
    assert!(
        refused.contains(&format!("is not authorized to perform: iam:GetRole on resource: role {ROLE} because")),
        "{refused}"
    );
    let simulate = ["iam", "simulate-principal-policy", "--policy-source-arn", caller, "--action-names"];
    let simulated = cli.run(&[&simulate[..], &["ssm:GetServiceSetting", "ssm:ResetServiceSetting"]].concat()).await;
    let results = simulated["EvaluationResults"].as_array().unwrap();
    let decisions: Vec<(&Value, &Value)> = results.iter().map(|one| (&one["EvalActionName"], &one["EvalDecision"])).collect();
    let expected =
        [(json!("ssm:GetServiceSetting"), json!("allowed")), (json!("ssm:ResetServiceSetting"), json!("implicitDeny"))];
    assert_eq!(decisions, expected.iter().map(|(action, decision)| (action, decision)).collect::<Vec<_>>());
}
