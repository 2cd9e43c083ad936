//! The yardstick: an HTTP client that does nothing but send signed `GetServiceSetting` requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;

use crate::fleet::{REGIONS, WORKERS};
use crate::process::cpu;

pub(crate) const SETTING_ID: &str = "/ssm/managed-instance/default-ec2-instance-management-role";
const BODY: &str = r#"{"SettingId":"/ssm/managed-instance/default-ec2-instance-management-role"}"#;

/// `bare REQUESTS`: prints one line, the seconds and the CPU seconds that they took.
pub(crate) async fn send(arguments: &[String]) {
    let requests: usize = arguments[0].parse().unwrap();
    let variable = |name: &str| std::env::var(name).unwrap();
    let url = variable("AWS_ENDPOINT_URL");
    let token = Some(variable("AWS_SESSION_TOKEN")).filter(|token| !token.is_empty());
    let credentials = Credentials::new(variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), token, None, "bench");
    let identity = Arc::new(credentials.into());
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<bytes::Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let sent = Arc::new(AtomicUsize::new(0));
    let (began, cpu_before) = (Instant::now(), cpu("self"));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (client, identity, sent, url) = (client.clone(), Arc::clone(&identity), Arc::clone(&sent), url.clone());
        workers.spawn(async move {
            loop {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return;
                }
                let request = signed(&url, REGIONS[number % REGIONS.len()], &identity);
                let answer = client.request(request).await.unwrap();
                assert_eq!(answer.status(), 200);
                answer.into_body().collect().await.unwrap();
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    println!("{} {}", began.elapsed().as_secs_f64(), cpu("self").saturating_sub(cpu_before).as_secs_f64());
}

fn signed(
    url: &str,
    region: &str,
    identity: &aws_smithy_runtime_api::client::identity::Identity,
) -> http::Request<Full<bytes::Bytes>> {
    let parameters = v4::SigningParams::builder()
        .identity(identity)
        .region(region)
        .name("ssm")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AmazonSSM.GetServiceSetting")];
    let mut request = http::Request::post(format!("{url}/"));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut request = request.body(Full::from(BODY)).unwrap();
    let uri = request.uri().to_string();
    let signable = SignableRequest::new("POST", uri, headers.into_iter(), SignableBody::Bytes(BODY.as_bytes())).unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    instructions.apply_to_request_http1x(&mut request);
    request
}
