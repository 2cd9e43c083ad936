//! The controller's own credentials as Kubernetes gives them: EKS Pod Identity, and a web identity (IRSA).

use std::process::Output;
use std::time::Duration;

use aws_sandbox::{Credentials, Options, Sandbox};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::harness::document;
use crate::referee::{ACCOUNT, Referee};
use crate::sdk::VALUE;

const MEMBER: &str = "222233334444";
const SPEC: &str = "{regions: {us-east-1: enabled}, accounts: [{id: '222233334444', assumeRole: {name: dhmc-controller}}]}";
const TOKEN: &str = "a-token-from-the-kubelet";

/// One pass, with nothing in the environment but this.
async fn once(spec: &str, url: &str, environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("dhmc.yaml"), document(spec)).unwrap();
    std::fs::write(folder.path().join("token"), TOKEN).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"));
    command.args(["run", "--once", "--instance", "eks", "--config"]).arg(folder.path().join("dhmc.yaml")).env_clear();
    command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "us-east-1").env("AWS_CONFIG_FILE", folder.path().join("none"));
    command.env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("none"));
    for (name, value) in environment {
        command.env(name, value.replace("{folder}", folder.path().to_str().unwrap()));
    }
    let output = command.kill_on_drop(true).output();
    tokio::time::timeout(Duration::from_mins(2), output).await.unwrap().unwrap()
}

/// The agent of EKS Pod Identity: gives credentials to whoever has the pod's token. Serves until the test ends.
async fn pod_identity_agent(credentials: Credentials) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1/credentials", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let asked = String::from_utf8_lossy(&head[..length]).to_lowercase();
            let body = serde_json::json!({
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
                "Expiration": "2099-01-01T00:00:00Z",
            })
            .to_string();
            let status = if asked.contains(&format!("authorization: {TOKEN}")) { "200 OK" } else { "401 Unauthorized" };
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    url
}

#[tokio::test]
async fn eks_pod_identity_is_where_the_chain_into_the_accounts_begins() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    sandbox.account(MEMBER).trust("dhmc-controller", "/", ACCOUNT, None);
    let agent = pod_identity_agent(sandbox.account(ACCOUNT).identity("assumed-role/dhmc-hub/pod")).await;
    let environment =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.as_str()), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "{folder}/token")];
    let output = once(SPEC, &sandbox.url(), &environment).await;
    let log = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{log}");
    assert!(!log.contains(TOKEN));
    let setting = sandbox.account(MEMBER).setting("us-east-1");
    assert_eq!(setting.value.as_deref(), Some(VALUE));
    assert_eq!(setting.last_modified_user, "arn:aws:sts::222233334444:assumed-role/dhmc-controller/dhmc-eks");
}

/// ministack takes any token for any role; the sandbox has no web identities.
#[tokio::test]
async fn a_web_identity_is_where_the_chain_into_the_accounts_begins() {
    let aws = Referee::ministack().await;
    let environment =
        [("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/dhmc-hub"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "{folder}/token")];
    let output = once(SPEC, &aws.url, &environment).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let admin = crate::sdk::Admin::of(&aws.in_account(MEMBER));
    assert_eq!(admin.setting("us-east-1").await, VALUE);
}
