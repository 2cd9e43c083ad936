//! Alerts that arrive: the binary on the sandbox, Prometheus, Alertmanager, and a webhook where notifications come in.
//!
//! The rules are the shipped ones, a minute taken for a second. So is Alertmanager's configuration, with a webhook in each receiver.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by ending")]

#[path = "../dashboard/panels.rs"]
mod panels;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_sandbox::{Options, Sandbox};
use axum::body::Bytes;
use axum::http::Uri;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::Instant;

const HUB: &str = "111122223333";
const PAYMENTS: &str = "222233334444";
/// Reached only when something is wrong: what is blocked is tried again after half a minute, and alerts wait for up to 15 seconds.
const DEADLINE: Duration = Duration::from_mins(3);
const RUNBOOK: &str = "https://github.com/dhmc-controller/dhmc-controller/blob/main/docs/RUNBOOK.md";

fn shipped(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)).unwrap()
}

/// A duration as `PromQL` and rules write it, a minute taken for a second; nothing if it is none.
fn shortened(word: &str) -> Option<String> {
    let digits = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().ok()?;
    match &word[digits.len()..] {
        "m" => Some(format!("{number}s")),
        "h" => Some(format!("{number}m")),
        "d" => Some(format!("{}m", number * 24)),
        _ => None,
    }
}

/// The shipped rules with every `for:`, `keep_firing_for:`, range and offset shortened, and nothing else touched.
fn shortened_rules() -> String {
    let rules = shipped("monitoring/alerts.yaml");
    let (mut result, mut rest) = (String::new(), rules.as_str());
    while let Some(place) = ["for: ", "[", " offset "].iter().filter_map(|before| Some(rest.find(before)? + before.len())).min() {
        let (head, tail) = rest.split_at(place);
        let word = &tail[..tail.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(tail.len())];
        result.push_str(head);
        result.push_str(&shortened(word).unwrap_or_else(|| word.to_owned()));
        rest = &tail[word.len()..];
    }
    result + rest
}

#[test]
fn the_rules_that_run_here_differ_from_the_shipped_in_durations_alone() {
    let (rules, short) = (shipped("monitoring/alerts.yaml"), shortened_rules());
    let between = |text: &str| text.replace(|c: char| c.is_ascii_alphanumeric(), "");
    assert_eq!(between(&rules), between(&short));
    let words = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
    let mut changed = 0;
    for (shipped, here) in words(&rules).iter().zip(&words(&short)).filter(|(shipped, here)| shipped != here) {
        assert_eq!(shortened(shipped).as_ref(), Some(here));
        changed += 1;
    }
    let durations = [
        "\n        for: ",
        "\n        keep_firing_for: ",
        "[5m]",
        "[10m]",
        "[15m]",
        "[30m]",
        "[1h]",
        "[1d]",
        "offset 30m",
        "offset 1h",
    ];
    assert_eq!(changed, durations.iter().map(|text| rules.matches(text).count()).sum::<usize>());
}

/// One alert of one notification.
#[derive(Debug, Clone)]
struct Notice {
    receiver: String,
    status: String,
    labels: Value,
    annotations: Value,
}

/// A webhook, and what came in.
#[derive(Clone)]
struct Webhook {
    url: String,
    notices: Arc<Mutex<Vec<Notice>>>,
}

impl Webhook {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let notices: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let webhook = Self { url, notices: Arc::clone(&notices) };
        let receive = move |uri: Uri, body: Bytes| {
            let notices = Arc::clone(&notices);
            async move {
                let group: Value = serde_json::from_slice(&body).unwrap();
                let receiver = uri.path().trim_start_matches('/').to_owned();
                notices.lock().unwrap().extend(group["alerts"].as_array().unwrap().iter().map(|alert| Notice {
                    receiver: receiver.clone(),
                    status: alert["status"].as_str().unwrap().to_owned(),
                    labels: alert["labels"].clone(),
                    annotations: alert["annotations"].clone(),
                }));
            }
        };
        tokio::spawn(axum::serve(listener, axum::Router::new().fallback(receive)).into_future());
        webhook
    }

    fn count(&self) -> usize {
        self.notices.lock().unwrap().len()
    }

    fn find(&self, after: usize, status: &str, labels: &Value) -> Option<Notice> {
        let fits = |notice: &&Notice| {
            notice.status == status && labels.as_object().unwrap().iter().all(|(name, value)| notice.labels[name] == *value)
        };
        self.notices.lock().unwrap().iter().skip(after).find(fits).cloned()
    }

    /// The first notification of this status, with these labels among others, that came in after so many.
    async fn comes_after(&self, after: usize, status: &str, labels: Value) -> Notice {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(notice) = self.find(after, status, &labels) {
                return notice;
            }
            assert!(Instant::now() < end, "{status} {labels} did not come: {:#?}", self.notices.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn comes(&self, status: &str, labels: Value) -> Notice {
        self.comes_after(0, status, labels).await
    }
}

fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A program that ends with the test, and answers at an address.
async fn started(mut command: Command, address: &str, log: &Path) -> Child {
    let output = std::fs::File::create(log).unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone().unwrap())
        .stderr(output)
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; run `make release-tools`"));
    let end = Instant::now() + DEADLINE;
    while TcpStream::connect(address).await.is_err() {
        let ended = child.try_wait().unwrap();
        assert!(ended.is_none() && Instant::now() < end, "{command:?}: {}", std::fs::read_to_string(log).unwrap());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    child
}

/// A controller as a person runs it.
struct Controller {
    child: Child,
    address: String,
    document: PathBuf,
    target_metrics: &'static str,
    environment: Vec<(&'static str, String)>,
}

impl Controller {
    async fn start(folder: &Path, sandbox: &Sandbox, target_metrics: &'static str, spec: &str) -> Self {
        let document = folder.join(format!("{target_metrics}.yaml"));
        write(&document, spec);
        let credentials = sandbox.account(HUB).credentials();
        let environment = vec![
            ("AWS_ENDPOINT_URL", sandbox.url()),
            ("AWS_ACCESS_KEY_ID", credentials.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key),
            ("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default()),
        ];
        let environment: Vec<_> = environment.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let address = free_address();
        let child = run(&address, &document, target_metrics, &environment).await;
        Self { child, address, document, target_metrics, environment }
    }

    async fn stop(&mut self) {
        self.child.kill().await.unwrap();
    }

    async fn start_again(&mut self) {
        self.child = run(&self.address, &self.document, self.target_metrics, &self.environment).await;
    }
}

async fn run(address: &str, document: &Path, target_metrics: &str, environment: &[(&str, String)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"));
    command.args(["run", "--listen", address, "--interval", "1s", "--target-metrics", target_metrics, "--config"]).arg(document);
    command.env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
    command.envs(environment.iter().map(|(name, value)| (*name, value)));
    started(command, address, &document.with_extension("log")).await
}

fn write(document: &Path, spec: &str) {
    std::fs::write(document, format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {spec}\n")).unwrap();
}

/// The shipped rules and configurations at work.
struct Monitoring {
    webhook: Webhook,
    prometheus: String,
    alertmanager: String,
    _children: [Child; 2],
    _folder: TempDir,
}

impl Monitoring {
    async fn start(jobs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let webhook = Webhook::start().await;

        let mut configuration: Value = serde_yaml::from_str(&shipped("monitoring/alertmanager.yml")).unwrap();
        configuration["route"]["group_wait"] = json!("1s");
        configuration["route"]["group_interval"] = json!("1s");
        for receiver in configuration["receivers"].as_array_mut().unwrap() {
            let url = format!("{}/{}", webhook.url, receiver["name"].as_str().unwrap());
            receiver["webhook_configs"] = json!([{ "url": url }]);
        }
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let alertmanager_address = free_address();
        let mut command = Command::new("prometheus-alertmanager");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.path={}", folder.path().join("alertmanager").display()));
        command.arg(format!("--web.listen-address={alertmanager_address}")).arg("--cluster.listen-address=");
        let alertmanager = started(command, &alertmanager_address, &folder.path().join("alertmanager.log")).await;

        let rules = folder.path().join("alerts.yaml");
        std::fs::write(&rules, shortened_rules()).unwrap();
        let mut configuration: Value = serde_yaml::from_str(&shipped("compose/prometheus.yml")).unwrap();
        configuration["global"] = json!({ "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s" });
        configuration["rule_files"] = json!([rules]);
        configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = json!([alertmanager_address]);
        let scrape = |(job, address): &(&str, &str)| json!({ "job_name": job, "static_configs": [{ "targets": [address] }] });
        configuration["scrape_configs"] = jobs.iter().map(scrape).collect();
        let file = folder.path().join("prometheus.yml");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let address = free_address();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("prometheus").display()));
        command.arg(format!("--web.listen-address={address}"));
        let prometheus = started(command, &address, &folder.path().join("prometheus.log")).await;
        let (prometheus_url, alertmanager_url) = (format!("http://{address}"), format!("http://{alertmanager_address}"));
        Self {
            webhook,
            prometheus: prometheus_url,
            alertmanager: alertmanager_url,
            _children: [alertmanager, prometheus],
            _folder: folder,
        }
    }

    /// What an expression comes to, one sample a line; an error ends the test.
    async fn query(&self, expr: &str) -> String {
        let output = Command::new("promtool").args(["query", "instant", &self.prometheus, expr]).output().await.unwrap();
        assert!(output.status.success(), "{expr}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// An alert that somebody else sends to the same Alertmanager.
    async fn tell(&self, labels: &[&str]) {
        let mut command = Command::new("amtool");
        let output = command.arg("--alertmanager.url").arg(&self.alertmanager).args(["alert", "add"]).args(labels).output().await;
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn until(&self, expr: &str) {
        let end = Instant::now() + DEADLINE;
        while self.query(expr).await.is_empty() {
            assert!(Instant::now() < end, "it never came to be: {expr}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until a document that was just written is in force.
    async fn until_in_force(&self, since: SystemTime) {
        let seconds = since.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
        let metric = "dhmc_config_last_reload_success_timestamp_seconds{job=\"dhmc-controller\"}";
        self.until(&format!("{metric} >= {seconds:.3}")).await;
    }

    /// Every query of the dashboard, of one job. `single` tells whether it has series of single targets.
    async fn dashboard_has_data(&self, job: &str, single: bool) {
        let dashboard = panels::dashboard();
        let mut asked = 0;
        for (panel, query) in panels::queries(&dashboard) {
            let description = panel["description"].as_str().unwrap();
            let expr = panels::filled(query["expr"].as_str().unwrap(), job);
            // A panel that may show nothing says when.
            let may_be_empty = description.contains("Empty") && !(single && description.contains("single targets"));
            assert!(!self.query(&expr).await.is_empty() || may_be_empty, "{job}: {} shows nothing: {expr}", panel["title"]);
            asked += 1;
        }
        for (series, label) in panels::choices(&dashboard) {
            let found = self.query(&panels::filled(&format!("count by ({label}) ({series})"), job)).await;
            assert_eq!(found.is_empty(), label == "region" && !single, "{job}: {label}: {found}");
        }
        assert!(asked > 20);
    }
}

const SPEC: &str = r#"{regions: {us-east-1: enabled, eu-west-1: enabled}, accounts: [
  {id: "111122223333"}, {id: "222233334444", assumeRole: {name: dhmc-controller}}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn alerts_arrive_and_end_and_the_dashboard_has_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let (sandbox, fleet_sandbox) =
        (Sandbox::start(Options::default()).await.unwrap(), Sandbox::start(Options::default()).await.unwrap());
    let mut controller = Controller::start(folder.path(), &sandbox, "always", SPEC).await;
    // Without series of single targets, and with a right that is missing.
    fleet_sandbox.account(HUB).deny("ssm:UpdateServiceSetting");
    let fleet = Controller::start(folder.path(), &fleet_sandbox, "never", "{regions: {us-east-1: enabled}}").await;
    let (leaderless, _process) = without_an_api_server(folder.path()).await;
    let jobs = [("dhmc-controller", controller.address.as_str()), ("fleet", &fleet.address), ("leaderless", &leaderless)];
    let monitoring = Monitoring::start(&jobs).await;
    let webhook = &monitoring.webhook;

    let notice = webhook.comes("firing", json!({ "alertname": "DhmcNoLeader", "job": "leaderless" })).await;
    assert_eq!((notice.receiver.as_str(), &notice.annotations["summary"]), ("on-call", &json!("No replica of leaderless leads")));

    what_nobody_leading_mutes(&monitoring).await;

    a_drift_that_is_only_watched(&monitoring, &controller, &sandbox).await;

    let notice = webhook.comes("firing", json!({ "alertname": "DhmcBlocked", "job": "fleet", "account": HUB })).await;
    assert_eq!(notice.annotations["summary"], format!("AWS refuses the controller: 1 targets of {HUB}"));
    assert_eq!(notice.labels["region"], Value::Null, "an account is told, where targets have no series");
    monitoring.dashboard_has_data("dhmc-controller", true).await;
    monitoring.dashboard_has_data("fleet", false).await;

    an_account_that_lets_nobody_in(&monitoring, &sandbox).await;
    a_document_that_is_rejected(&monitoring, &controller).await;

    let gone = json!({ "alertname": "DhmcAbsent", "job": "dhmc-controller" });
    controller.stop().await;
    let notice = webhook.comes("firing", gone.clone()).await;
    assert_eq!(notice.annotations["summary"], "No controller is seen in dhmc-controller: it is down, or not scraped");
    assert_eq!(notice.receiver, "on-call");
    controller.start_again().await;
    webhook.comes("resolved", gone).await;
    let of_the_fleet = webhook.find(0, "firing", &json!({ "alertname": "DhmcAbsent", "job": "fleet" }));
    assert!(of_the_fleet.is_none(), "{of_the_fleet:?}");
    for job in ["dhmc-controller", "fleet"] {
        let leaderless = webhook.find(0, "firing", &json!({ "alertname": "DhmcNoLeader", "job": job }));
        assert!(leaderless.is_none(), "{leaderless:?}");
    }
    let two = webhook.find(0, "firing", &json!({ "alertname": "DhmcTwoLeaders" }));
    assert!(two.is_none(), "each job has one: {two:?}");
}

/// A replica that nobody answers when it asks who leads.
async fn without_an_api_server(folder: &Path) -> (String, Child) {
    let (document, kubeconfig, address) = (folder.join("leaderless.yaml"), folder.join("kubeconfig"), free_address());
    write(&document, "{regions: {us-east-1: enabled}}");
    let cluster = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c", "users": [{ "name": "u", "user": { "token": "t" } }],
        "clusters": [{ "name": "k", "cluster": { "server": format!("http://{}", free_address()) } }],
        "contexts": [{ "name": "c", "context": { "cluster": "k", "user": "u", "namespace": "dhmc" } }],
    });
    std::fs::write(&kubeconfig, cluster.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhmc-controller"));
    command.args(["run", "--leader-elect", "--listen", &address, "--config"]).arg(&document);
    command.env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true").env("KUBECONFIG", kubeconfig);
    let process = started(command, &address, &folder.join("leaderless.log")).await;
    (address, process)
}

/// Of the controller that nobody leads, and of no other, and of no other program.
async fn what_nobody_leading_mutes(monitoring: &Monitoring) {
    monitoring.tell(&["alertname=DhmcThrottled", "job=leaderless"]).await;
    monitoring.tell(&["alertname=DhmcThrottled", "job=leaderless", "cluster=another"]).await;
    monitoring.tell(&["alertname=DhmcConfigurationRejected", "job=leaderless"]).await;
    monitoring.tell(&["alertname=Watchdog", "job=leaderless"]).await;
    let told = [("DhmcThrottled", json!("another")), ("DhmcConfigurationRejected", Value::Null), ("Watchdog", Value::Null)];
    for (name, cluster) in told {
        let labels = json!({ "alertname": name, "job": "leaderless" });
        assert_eq!(monitoring.webhook.comes("firing", labels).await.labels["cluster"], cluster, "{name}");
    }
}

async fn a_drift_that_is_only_watched(monitoring: &Monitoring, controller: &Controller, sandbox: &Sandbox) {
    let hub = sandbox.account(HUB);
    let kept = |sandbox: &Sandbox| sandbox.account(HUB).setting("eu-west-1").value.is_some();
    sandbox.wait_until(DEADLINE, kept).await.unwrap();
    let since = SystemTime::now();
    write(&controller.document, &SPEC.replacen('{', "{mode: observe, ", 1));
    monitoring.until_in_force(since).await;
    hub.reset_setting("eu-west-1", "arn:aws:iam::111122223333:user/alice");

    let drift = json!({ "alertname": "DhmcNotInSync", "account": HUB, "region": "eu-west-1", "resource": "setting" });
    let notice = monitoring.webhook.comes("firing", drift.clone()).await;
    let labels = json!({ "alertname": "DhmcNotInSync", "severity": "warning", "job": "dhmc-controller", "account": HUB,
                         "region": "eu-west-1", "resource": "setting" });
    assert_eq!((notice.labels, notice.receiver.as_str()), (labels, "team"));
    assert_eq!(notice.annotations["summary"], format!("setting of {HUB}/eu-west-1 is not in sync"));
    assert_eq!(notice.annotations["runbook_url"], format!("{RUNBOOK}#dhmcnotinsync"));
    let told = notice.annotations["description"].as_str().unwrap();
    assert!(told.contains(&format!("/api/v1/status?account={HUB} ")) && told.contains("30 minutes"), "{told}");
    let told = json!({ "alertname": "DhmcDriftDetected", "account": HUB, "region": "eu-west-1" });
    assert_eq!(monitoring.webhook.comes("firing", told).await.receiver, "log");

    write(&controller.document, SPEC);
    monitoring.webhook.comes("resolved", drift).await;
    assert!(kept(sandbox), "it is resolved because it is mended");
}

async fn an_account_that_lets_nobody_in(monitoring: &Monitoring, sandbox: &Sandbox) {
    let shut = json!({ "alertname": "DhmcAccountBlocked", "job": "dhmc-controller", "account": PAYMENTS });
    let notice = monitoring.webhook.comes("firing", shut.clone()).await;
    assert_eq!((notice.receiver.as_str(), &notice.labels["severity"]), ("on-call", &json!("critical")));
    let summary = format!("Account {PAYMENTS} cannot be used: its role cannot be assumed, or its credentials are refused");
    assert_eq!(notice.annotations["summary"], summary);
    sandbox.account(PAYMENTS).trust("dhmc-controller", "/", HUB, None);
    monitoring.webhook.comes("resolved", shut).await;
    let single = json!({ "alertname": "DhmcBlocked", "job": "dhmc-controller", "account": PAYMENTS });
    assert!(monitoring.webhook.find(0, "firing", &single).is_none(), "one alert for an account, not one for each target");
}

async fn a_document_that_is_rejected(monitoring: &Monitoring, controller: &Controller) {
    let after = monitoring.webhook.count();
    let rejected = json!({ "alertname": "DhmcConfigurationRejected", "job": "dhmc-controller" });
    write(&controller.document, "{regoins: {}}");
    monitoring.webhook.comes_after(after, "firing", rejected.clone()).await;
    write(&controller.document, SPEC);
    monitoring.webhook.comes_after(after, "resolved", rejected).await;
}

#[test]
fn amtool_accepts_the_shipped_configuration_of_alertmanager() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/monitoring/alertmanager.yml");
    let output = std::process::Command::new("amtool").arg("check-config").arg(file).output();
    let output = output.expect("amtool is missing: run `make release-tools`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
