//! Whatever comes over the wire, the SDK and the controller make an answer or a bounded error of it, and no secret gets out.
//!
//! The first line names a call. After it come answers in the manner of HTTP, separated by lines of `=====`; the last one is
//! given again and again. `drop`, `timeout` and `hang` instead of an answer are a connection that fails in that way.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use dhmc_controller::aws::{AwsCloud, AwsOptions};
use dhmc_controller::cloud::{Caller, Cloud, CloudError};
use dhmc_controller::desired::access::{Access, AssumeRole};
use dhmc_controller::desired::names::{Account, AccountId, Partition, Region, RoleName};
use dhmc_controller::desired::organization::{Query, Scope};
use dhmc_controller::metrics::Metrics;
use dhmc_controller::plan::{NewRole, RoleAction, SettingAction};
use tokio::runtime::Runtime;

const SEPARATOR: &[u8] = b"\n=====\n";
const KINDS: [&str; 7] = ["throttled", "unavailable", "denied", "rejected", "missing", "conflict", "region_disabled"];
/// AWS's message is cut at 500 characters; the controller's own words come around it, and a name or two.
const LONGEST_ERROR: usize = 1500;
const LONGEST_CODE: usize = 100;
/// What the trust policy of the role asks for. A part of this length would be a start for whoever guesses.
const SECRET: &str = "s3cr3t-0f-b0th-s1des/with+every=kind,of.character@it:may-have";
const TELLING: usize = 8;
const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>\
    <Arn>arn:aws:iam::111122223333:user/hub</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>";

/// What can be called, as the first line has it.
const CALLS: [&str; 17] = [
    "sts:GetCallerIdentity",
    "sts:AssumeRole",
    "organizations:ListAccounts",
    "organizations:ListAccountsForParent",
    "account:ListRegions",
    "iam:GetRole",
    "iam:CreateRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:TagRole",
    "iam:UpdateRoleDescription",
    "iam:PutRolePermissionsBoundary",
    "ssm:GetServiceSetting",
    "ssm:UpdateServiceSetting",
    "ssm:ResetServiceSetting",
    "nothing",
];

thread_local! {
    static STAGE: Stage = Stage::new();
}

/// Makes the call and gives the answers.
pub fn hold(bytes: &[u8]) {
    let mut parts = split(bytes, SEPARATOR);
    let first = parts.remove(0);
    let end = first.iter().position(|byte| *byte == b'\n').unwrap_or(first.len());
    let named = String::from_utf8_lossy(&first[..end]);
    let call = CALLS.into_iter().find(|call| *call == named.trim()).unwrap_or("nothing");
    parts.insert(0, first.get(end + 1..).unwrap_or_default());
    let answers: Vec<Answer> = parts.into_iter().map(Answer::read).collect();
    STAGE.with(|stage| {
        stage.give(&answers);
        judge(call, &answers, stage.call(call));
    });
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(separator.len()).position(|window| window == separator) {
        parts.push(&rest[..at]);
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest);
    parts
}

fn judge(call: &str, answers: &[Answer], result: Result<Outcome, CloudError>) {
    let says = |text: &str| answers.iter().any(|answer| answer.says(text));
    let succeeded = answers.iter().any(|answer| matches!(answer, Answer::Http { status: 200..300, .. }));
    match result {
        Ok(Outcome::Missing) => assert!(says("NoSuchEntity"), "a role is missing when IAM says so"),
        Ok(Outcome::Done) => assert!(succeeded, "{call} succeeds when AWS says so"),
        Ok(Outcome::Setting) => {
            assert!(succeeded && (says("SettingValue") || says("\\u")), "a setting has a value when AWS says so");
        }
        Ok(Outcome::Nothing) => {}
        Err(error) => refused(call, answers, &error),
    }
}

fn refused(call: &str, answers: &[Answer], error: &CloudError) {
    assert!(
        CALLS.contains(&error.operation) || error.operation.starts_with("iam:") || error.operation.starts_with("organizations:")
    );
    let service = |operation: &str| operation.split(':').next().unwrap_or_default().to_owned();
    assert_eq!(service(error.operation), service(call), "an error is of the call that was made");
    assert!(KINDS.contains(&error.kind.label()));
    let told = error.to_string();
    assert!(told.chars().count() <= LONGEST_ERROR, "{} characters: {told}", told.chars().count());
    assert!(!told.is_empty());
    let code = error.code.as_deref().unwrap_or_default();
    assert!(code.chars().count() <= LONGEST_CODE, "a code of {} characters", code.chars().count());
    // What the other side cuts short itself cannot be known again.
    let is_whole = answers.iter().all(Answer::has_secrets_whole);
    if call == "sts:AssumeRole" && is_whole {
        assert!(!told.contains(&SECRET[..TELLING]), "{told}");
        assert!(!format!("{error:?}").contains(&SECRET[..TELLING]), "{error:?}");
    }
}

/// What became of a call that did not fail.
enum Outcome {
    Done,
    Missing,
    Setting,
    Nothing,
}

/// One answer.
#[derive(Debug, Clone)]
enum Answer {
    Http { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Dropped,
    TimedOut,
    Hanging,
}

impl Answer {
    /// `HTTP/1.1 400 Bad Request`, headers, an empty line, the body; whatever is missing is left out.
    fn read(bytes: &[u8]) -> Self {
        match bytes.trim_ascii() {
            b"drop" => return Self::Dropped,
            b"timeout" => return Self::TimedOut,
            b"hang" => return Self::Hanging,
            _ => {}
        }
        let mut rest = bytes;
        let mut line = || {
            let end = rest.iter().position(|byte| *byte == b'\n');
            let (line, after) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + 1..]));
            rest = after;
            String::from_utf8_lossy(line).trim_end().to_owned()
        };
        let status = line().split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut headers = Vec::new();
        loop {
            let header = line();
            let Some((name, value)) = header.split_once(':') else { break };
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        Self::Http { status: status.filter(|status| (100..1000).contains(status)).unwrap_or(200), headers, body: rest.to_vec() }
    }

    fn says(&self, text: &str) -> bool {
        match self {
            Self::Http { headers, body, .. } => {
                String::from_utf8_lossy(body).contains(text) || headers.iter().any(|(_, value)| value.contains(text))
            }
            Self::Dropped | Self::TimedOut | Self::Hanging => false,
        }
    }

    /// Whether no part of the secret is there without the rest of it.
    fn has_secrets_whole(&self) -> bool {
        let Self::Http { headers, body, .. } = self else { return true };
        let has = |text: &str| text.replace(SECRET, "").contains(&SECRET[..TELLING]);
        // Both encodings can hide a character of it.
        let body = String::from_utf8_lossy(body);
        !has(&body) && !body.contains('&') && !body.contains('\\') && !headers.iter().any(|(_, value)| has(value))
    }

    fn given(&self) -> HttpConnectorFuture {
        let failed = |kind| HttpConnectorFuture::ready(Err(kind));
        match self {
            Self::Dropped => failed(ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())),
            Self::TimedOut => failed(ConnectorError::timeout(io::Error::from(io::ErrorKind::TimedOut).into())),
            Self::Hanging => HttpConnectorFuture::new(std::future::pending()),
            Self::Http { status, headers, body } => {
                let Ok(status) = (*status).try_into() else {
                    return failed(ConnectorError::other(io::Error::from(io::ErrorKind::InvalidData).into(), None));
                };
                let mut response = HttpResponse::new(status, SdkBody::from(body.clone()));
                for (name, value) in headers {
                    // What is no header does not come through HTTP either.
                    let _ = response.headers_mut().try_append(name.to_ascii_lowercase(), value.clone());
                }
                HttpConnectorFuture::ready(Ok(response))
            }
        }
    }
}

/// The answers that are still to be given.
#[derive(Debug, Clone, Default)]
struct Script(Arc<Mutex<Vec<Answer>>>);

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let host = request.uri().to_owned();
        if !host.contains("amazonaws") {
            // The search for a region asks the machine that it is on.
            return Answer::Dropped.given();
        }
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() > 1 { left.remove(0).given() } else { left.first().unwrap_or(&Answer::Dropped).given() }
    }
}

/// A controller's way to AWS, where the script is AWS and time passes at once.
struct Stage {
    runtime: Runtime,
    cloud: AwsCloud,
    script: Script,
    calls: std::cell::Cell<u64>,
}

impl Stage {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let script = Script::default();
        let connector = SharedHttpConnector::new(script.clone());
        let http_client: SharedHttpClient = http_client_fn(move |_, _| connector.clone());
        let options = AwsOptions {
            credentials: Some(Credentials::new("AKIDEXAMPLE", "secret", None, None, "fuzz")),
            http_client: Some(http_client),
            ..AwsOptions::default()
        };
        let metrics = Metrics::new("fuzz").expect("metrics").aws;
        let cloud = runtime.block_on(AwsCloud::open(options, metrics)).expect("the environment is sound");
        let stage = Self { runtime, cloud, script, calls: 0.into() };
        // It has to know its own partition before it can assume a role.
        stage.give(&[Answer::Http { status: 200, headers: Vec::new(), body: IDENTITY.into() }]);
        let known = stage.runtime.block_on(stage.cloud.identity(&own()));
        assert!(known.is_ok(), "{known:?}");
        stage
    }

    fn give(&self, answers: &[Answer]) {
        *self.script.0.lock().unwrap_or_else(PoisonError::into_inner) = answers.to_vec();
    }

    /// Each time another role, so that no session is there already.
    fn member(&self) -> Caller {
        self.calls.set(self.calls.get() + 1);
        let role = AssumeRole {
            name: name("dhmc-controller"),
            path: "/".parse().expect("a path"),
            external_id: Some(SECRET.parse().expect("an external id")),
            session_tags: BTreeMap::from([("call".to_owned(), self.calls.get().to_string())]),
        };
        Caller { account: Account::Id(member_id()), access: Access::Assume(Arc::new(role)) }
    }

    fn call(&self, call: &str) -> Result<Outcome, CloudError> {
        let (cloud, caller, role) = (&self.cloud, own(), name("Role"));
        let region: Region = "eu-west-1".parse().expect("a region");
        let units = |scope| Query { scope, units: ["ou-ab12-11111111".parse().expect("a unit")].into() };
        let change = |action| async move {
            cloud.change_role(&own(), Partition::Aws, &name("Role"), &action).await.map(|()| Outcome::Done)
        };
        let tags = || BTreeMap::from([("team".to_owned(), "platform".to_owned())]);
        let policy = || "arn:aws:iam::aws:policy/AmazonSSMManagedEC2InstanceDefaultPolicy".to_owned();
        self.runtime.block_on(async {
            match call {
                "sts:GetCallerIdentity" => cloud.identity(&caller).await.map(|_| Outcome::Done),
                "sts:AssumeRole" => {
                    let identity = cloud.identity(&self.member()).await?;
                    assert_eq!(identity.account, member_id(), "a session is of the account that it was opened in");
                    Ok(Outcome::Done)
                }
                "organizations:ListAccounts" => {
                    cloud.members(&Query { scope: Scope::Everyone, units: [].into() }).await.map(|_| Outcome::Done)
                }
                "organizations:ListAccountsForParent" => cloud.members(&units(Scope::Units)).await.map(|_| Outcome::Done),
                "account:ListRegions" => cloud.regions(&caller, Partition::Aws).await.map(|_| Outcome::Done),
                "iam:GetRole" => Ok(match cloud.role(&caller, Partition::Aws, &role).await? {
                    None => Outcome::Missing,
                    Some(role) => {
                        let policy = serde_json::from_str::<serde_json::Value>(&role.trust_policy);
                        assert!(policy.is_ok_and(|policy| policy.is_object()), "a trust policy is an object");
                        Outcome::Done
                    }
                }),
                "iam:CreateRole" => {
                    let new = NewRole {
                        name: role,
                        path: "/service-role/".parse().expect("a path"),
                        trust_policy: "{}".to_owned(),
                        description: None,
                        tags: tags(),
                        permissions_boundary: None,
                    };
                    change(RoleAction::Create(new)).await
                }
                "iam:UpdateAssumeRolePolicy" => change(RoleAction::UpdateTrustPolicy("{}".to_owned())).await,
                "iam:AttachRolePolicy" => change(RoleAction::AttachPolicy(policy())).await,
                "iam:DetachRolePolicy" => change(RoleAction::DetachPolicy(policy())).await,
                "iam:TagRole" => change(RoleAction::Tag(tags())).await,
                "iam:UpdateRoleDescription" => change(RoleAction::Describe("described".to_owned())).await,
                "iam:PutRolePermissionsBoundary" => change(RoleAction::SetPermissionsBoundary(policy())).await,
                "ssm:GetServiceSetting" => cloud.setting(&caller, &region).await.map(|_| Outcome::Setting),
                "ssm:UpdateServiceSetting" => {
                    let action = SettingAction::Update("service-role/Role".to_owned());
                    cloud.change_setting(&caller, &region, &action).await.map(|()| Outcome::Done)
                }
                "ssm:ResetServiceSetting" => {
                    cloud.change_setting(&caller, &region, &SettingAction::Reset).await.map(|()| Outcome::Done)
                }
                _ => Ok(Outcome::Nothing),
            }
        })
    }
}

/// Somebody with the controller's own credentials.
fn own() -> Caller {
    Caller { account: Account::Own, access: Access::Own }
}

fn name(text: &str) -> RoleName {
    text.parse().expect("a name")
}

fn member_id() -> AccountId {
    "222233334444".parse().expect("an account")
}
