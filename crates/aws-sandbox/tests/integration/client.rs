//! A client that speaks HTTP over a plain socket and signs with AWS's signer, so that tests see every byte, and the
//! absence of any. One request per connection.

use std::time::SystemTime;

use aws_sandbox::{AccountHandle, Credentials, Options, Sandbox};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "us-east-2";
pub(crate) const ROLE: &str = "AWSSystemsManagerDefaultEC2InstanceManagementRole";
pub(crate) const VALUE: &str = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";

/// A sandbox and its first account.
pub(crate) async fn sandbox() -> (Sandbox, AccountHandle) {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let account = sandbox.account(ACCOUNT);
    (sandbox, account)
}

/// Signs as one principal.
#[derive(Clone)]
pub(crate) struct Client {
    host: String,
    pub(crate) credentials: Credentials,
    pub(crate) region: String,
    pub(crate) global_region: String,
    pub(crate) time: SystemTime,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The AWS error code, in whatever protocol.
    pub(crate) fn code(&self) -> String {
        if let Some(rest) = self.body.split_once("<Code>") {
            return rest.1.split_once("</Code>").unwrap().0.to_owned();
        }
        let header = self.head.lines().find_map(|line| line.strip_prefix("x-amzn-errortype: "));
        match header {
            Some(code) => code.to_owned(),
            None => self.json()["__type"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Asserts a refusal.
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code().as_str()), (status, code), "{self:?}");
    }

    /// Asserts success and hands the reply on.
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }

    /// The text of the first XML element of this name.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        let (_, rest) = self.body.split_once(&format!("<{name}>"))?;
        Some(rest.split_once(&format!("</{name}>"))?.0)
    }
}

/// A request whose signature is made; what is changed afterwards is tampering.
pub(crate) struct Request {
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(sandbox: &Sandbox, credentials: Credentials) -> Self {
        Self {
            host: sandbox.addr().to_string(),
            credentials,
            region: REGION.to_owned(),
            global_region: "us-east-1".to_owned(),
            time: SystemTime::now(),
        }
    }

    pub(crate) fn in_region(&self, region: &str) -> Self {
        Self { region: region.to_owned(), ..self.clone() }
    }

    pub(crate) fn signing_with(&self, credentials: Credentials) -> Self {
        Self { credentials, ..self.clone() }
    }

    pub(crate) fn at(&self, time: SystemTime) -> Self {
        Self { time, ..self.clone() }
    }

    pub(crate) fn sign(&self, service: &str, region: &str, mut request: Request) -> Request {
        let credentials = aws_credential_types::Credentials::new(
            &self.credentials.access_key_id,
            &self.credentials.secret_access_key,
            self.credentials.session_token.clone(),
            None,
            "test",
        );
        let identity = credentials.into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let url = format!("http://{}{}", self.host, request.path);
        let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let body = SignableBody::Bytes(request.body.as_bytes());
        let signable = SignableRequest::new("POST", url, headers, body).unwrap();
        let (instructions, _) = sign(signable, &params).unwrap().into_parts();
        let (signed, _) = instructions.into_parts();
        for header in signed {
            request.headers.push((header.name().to_owned(), header.value().to_owned()));
        }
        request
    }

    pub(crate) fn ssm_request(operation: &str, parameters: &Value) -> Request {
        Self::json_request(&format!("AmazonSSM.{operation}"), parameters)
    }

    fn json_request(target: &str, parameters: &Value) -> Request {
        Request {
            path: "/".to_owned(),
            headers: vec![
                ("content-type".to_owned(), "application/x-amz-json-1.1".to_owned()),
                ("x-amz-target".to_owned(), target.to_owned()),
            ],
            body: parameters.to_string(),
        }
    }

    fn form(action: &str, version: &str, parameters: &[(&str, &str)]) -> Request {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("Action", action).append_pair("Version", version).extend_pairs(parameters);
        let form_type = "application/x-www-form-urlencoded".to_owned();
        Request { path: "/".to_owned(), headers: vec![("content-type".to_owned(), form_type)], body: form.finish() }
    }

    /// `None` when the connection is closed without a byte.
    pub(crate) async fn send(&self, request: &Request) -> Option<Reply> {
        send(&self.host, "POST", request).await
    }

    pub(crate) async fn try_ssm(&self, operation: &str, parameters: Value) -> Option<Reply> {
        let request = Self::ssm_request(operation, &parameters);
        self.send(&self.sign("ssm", &self.region, request)).await
    }

    pub(crate) async fn ssm(&self, operation: &str, parameters: Value) -> Reply {
        self.try_ssm(operation, parameters).await.unwrap()
    }

    pub(crate) async fn iam(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let request = Self::form(action, "2010-05-08", parameters);
        self.send(&self.sign("iam", &self.global_region, request)).await.unwrap()
    }

    pub(crate) async fn sts(&self, action: &str) -> Reply {
        self.sts_with(action, &[]).await
    }

    pub(crate) async fn sts_with(&self, action: &str, parameters: &[(&str, &str)]) -> Reply {
        let request = Self::form(action, "2011-06-15", parameters);
        self.send(&self.sign("sts", &self.region, request)).await.unwrap()
    }

    pub(crate) async fn organizations(&self, operation: &str, parameters: Value) -> Reply {
        let request = Self::json_request(&format!("AWSOrganizationsV20161128.{operation}"), &parameters);
        self.send(&self.sign("organizations", &self.global_region, request)).await.unwrap()
    }

    pub(crate) async fn account(&self, path: &str, parameters: Value) -> Reply {
        self.rest("account", &self.global_region, path, &parameters).await
    }

    pub(crate) async fn quick_setup(&self, path: &str, parameters: Value) -> Reply {
        self.rest("ssm-quicksetup", &self.region, path, &parameters).await
    }

    async fn rest(&self, service: &str, region: &str, path: &str, parameters: &Value) -> Reply {
        let request = Request {
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: parameters.to_string(),
        };
        self.send(&self.sign(service, region, request)).await.unwrap()
    }
}

/// Sends one request and reads until the other side closes.
pub(crate) async fn send(host: &str, method: &str, request: &Request) -> Option<Reply> {
    let mut socket = TcpStream::connect(host).await.unwrap();
    let mut text = format!("{method} {} HTTP/1.1\r\nhost: {host}\r\n", request.path);
    text.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    let length = request.body.len();
    let end = format!("content-length: {length}\r\nconnection: close\r\n\r\n");
    text.extend([end.as_str(), request.body.as_str()]);
    socket.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset after the last byte is as much an end as a close.
    let _ = socket.read_to_end(&mut answer).await;
    if answer.is_empty() {
        return None;
    }
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Reply { status, head: head.to_owned(), body: body.to_owned() })
}
