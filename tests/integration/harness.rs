//! Running the controller in a test: in this process as a library, with a desired state that can be edited.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use dhmc_controller::app::{App, Options, PassResult};
use dhmc_controller::aws::AwsOptions;
use dhmc_controller::metrics::TargetMetrics;
use dhmc_controller::reconcile::fleet::Purpose;
use dhmc_controller::reconcile::rivals::Rivalry;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Far longer than anything here takes: reached only when something is wrong.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A program that `make tools` installs.
pub fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/venv/bin").join(name);
    assert!(path.exists(), "{} is missing: run `make tools`", path.display());
    path
}

/// A port that was free a moment ago, for programs that cannot choose one themselves.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits on a condition.
pub async fn until(what: &str, deadline: Duration, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + deadline;
    while !condition().await {
        assert!(Instant::now() < end, "not within {deadline:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// An HTTP answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// GET, as plainly as HTTP allows.
pub async fn get(url: &str) -> std::io::Result<Answer> {
    request("GET", url).await
}

/// Any method without a body.
pub async fn request(method: &str, url: &str) -> std::io::Result<Answer> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or(std::io::ErrorKind::InvalidData)?;
    Ok(Answer { status, head: head.to_owned(), body: body.to_owned() })
}

/// A document with this `spec`.
pub fn document(spec: &str) -> String {
    format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n")
}

/// A controller running in this process.
pub struct Controller {
    pub url: String,
    pub config: PathBuf,
    reload: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    _folder: tempfile::TempDir,
}

/// How a test's controller differs from the usual.
pub struct Settings {
    pub interval: Duration,
    pub workers: usize,
    pub target_metrics: TargetMetrics,
}

impl Default for Settings {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), workers: 16, target_metrics: TargetMetrics::Auto }
    }
}

fn options(config: PathBuf, settings: &Settings, url: &str, credentials: &Credentials) -> Options {
    let aws = AwsOptions { endpoint_url: Some(url.to_owned()), credentials: Some(credentials.clone()), ..AwsOptions::default() };
    let Settings { interval, workers, target_metrics } = *settings;
    Options {
        config,
        interval,
        organization_interval: interval,
        workers,
        rivalry: Rivalry::default(),
        target_metrics,
        election: None,
        aws,
    }
}

impl Controller {
    /// Starts with the usual settings.
    pub async fn start(spec: &str, url: &str, credentials: &Credentials) -> Self {
        Self::start_with(Settings::default(), spec, url, credentials).await
    }

    /// Starts.
    pub async fn start_with(settings: Settings, spec: &str, url: &str, credentials: &Credentials) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("dhmc.yaml");
        std::fs::write(&config, document(spec)).unwrap();
        let (stop, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
        let app = App::new(options(config.clone(), &settings, url, credentials), stop.clone()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let task = tokio::spawn(app.run(listener, Arc::clone(&reload)));
        Self { url: format!("http://{address}"), config, reload, stop, task, _folder: folder }
    }

    /// Replaces the desired state and has it looked at, as SIGHUP does.
    pub fn edit(&self, spec: &str) {
        std::fs::write(&self.config, document(spec)).unwrap();
        self.reload.notify_one();
    }

    /// The status API's answer.
    pub async fn status(&self) -> Value {
        let answer = get(&format!("{}/api/v1/status", self.url)).await.unwrap();
        serde_json::from_str(&answer.body).unwrap()
    }

    /// Every target in the status API.
    pub async fn all_targets(&self) -> Vec<Value> {
        self.status().await["targets"].as_array().unwrap().clone()
    }

    /// The targets of one account.
    pub async fn targets(&self, account: &str) -> Vec<Value> {
        self.all_targets().await.into_iter().filter(|target| target["account"] == account).collect()
    }

    /// One target of one account. Null when there is none.
    pub async fn target_in(&self, account: &str, name: &str) -> Value {
        let targets = self.targets(account).await;
        targets.into_iter().find(|target| target["region"] == name || target["resource"] == name).unwrap_or(Value::Null)
    }

    /// One target in the status API: a region, or `role`, or `account`. Null when there is none.
    pub async fn target(&self, name: &str) -> Value {
        let status = self.status().await;
        let targets = status["targets"].as_array().unwrap();
        targets.iter().find(|target| target["region"] == name || target["resource"] == name).cloned().unwrap_or(Value::Null)
    }

    /// Waits until a target is in a state.
    pub async fn until(&self, name: &str, state: &str) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            let target = self.target(name).await;
            if target["state"] == state {
                return target;
            }
            assert!(Instant::now() < end, "{name} is not {state}: {target:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The value of one series, written as Prometheus writes it; 0 when it is not there.
    pub async fn metric(&self, series: &str) -> f64 {
        let answer = get(&format!("{}/metrics", self.url)).await.unwrap();
        answer.body.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok()).unwrap_or(0.0)
    }

    /// Stops and waits for the end.
    pub async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, self.task).await.expect("the controller stops").unwrap().unwrap();
    }
}

/// One pass over a desired state.
pub async fn once(spec: &str, url: &str, credentials: &Credentials) -> PassResult {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dhmc.yaml");
    std::fs::write(&config, document(spec)).unwrap();
    let app = App::new(options(config, &Settings::default(), url, credentials), CancellationToken::new()).await.unwrap();
    tokio::time::timeout(Duration::from_mins(2), app.pass(Purpose::default(), &Arc::default())).await.expect("a pass ends")
}
