//! Replicas in this process, each with an identity of its own in AWS, so that the journal tells who wrote.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_sandbox::{Options as SandboxOptions, Sandbox};
use dhmc_controller::app::{App, Options};
use dhmc_controller::aws::{AwsOptions, CallRate};
use dhmc_controller::leader::ElectionOptions;
use dhmc_controller::leader::terms::Timing;
use dhmc_controller::metrics::TargetMetrics;
use dhmc_controller::reconcile::rivals::Rivalry;
use k8s_openapi::jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::CancellationToken;

use super::leases::{Door, Leases};
use crate::harness::{DEADLINE, document, get, until};
use crate::referee::{ACCOUNT, sdk_credentials};

/// As short as whole seconds allow, with room between the deadline and the lease for a machine with other work.
pub const TIMING: Timing = Timing {
    lease_duration: Duration::from_secs(4),
    renew_deadline: Duration::from_secs(2),
    retry_period: Duration::from_millis(400),
};
/// What a takeover may take beyond the lease and one look: the calls themselves, on a machine with other work.
pub const SLACK: Duration = Duration::from_secs(2);
/// What a write that was begun in time may take to arrive. Half of what the lease leaves it.
pub const ARRIVAL: Duration = Duration::from_secs(1);
pub const REGIONS: [&str; 4] = ["us-east-1", "eu-west-1", "ap-south-1", "sa-east-1"];
pub const SPEC: &str = "{regions: {us-east-1: enabled, eu-west-1: enabled, ap-south-1: enabled, sa-east-1: enabled}}";

/// A sandbox, an API server, and somebody who undoes every setting again and again, so that whoever leads is always writing.
pub struct Stage {
    pub sandbox: Sandbox,
    pub leases: Leases,
    folder: TempDir,
    saboteur: AbortHandle,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.saboteur.abort();
    }
}

/// One replica.
pub struct Replica {
    pub name: &'static str,
    pub url: String,
    pub door: Door,
    config: PathBuf,
    stop: CancellationToken,
    task: JoinHandle<std::io::Result<()>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Stage {
    pub async fn new() -> Self {
        let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let account = sandbox.account(ACCOUNT);
        let saboteur = tokio::spawn(async move {
            let mut turn = tokio::time::interval(Duration::from_millis(50));
            loop {
                for region in REGIONS {
                    turn.tick().await;
                    account.reset_setting(region, "arn:aws:iam::111122223333:user/mallory");
                }
            }
        });
        Self { sandbox, leases: Leases::default(), folder, saboteur: saboteur.abort_handle() }
    }

    /// A replica with the right time.
    pub async fn replica(&self, name: &'static str) -> Replica {
        self.replica_by(name, Timestamp::now).await
    }

    /// A replica that goes by another clock, in a runtime of its own, so that it can be killed with all that it is doing.
    pub async fn replica_by(&self, name: &'static str, clock: fn() -> Timestamp) -> Replica {
        let config = self.folder.path().join(format!("{name}.yaml"));
        std::fs::write(&config, document(SPEC)).unwrap();
        let door = self.leases.door().await;
        let credentials = sdk_credentials(self.sandbox.account(ACCOUNT).identity(&format!("user/{name}")));
        let aws = AwsOptions {
            endpoint_url: Some(self.sandbox.url()),
            credentials: Some(credentials),
            call_rate: CallRate::UNLIMITED,
            ..AwsOptions::default()
        };
        let election = ElectionOptions {
            name: "dhmc-controller".to_owned(),
            namespace: None,
            identity: name.to_owned(),
            timing: TIMING,
            cluster: Some(kube::Config::new(door.url.parse().unwrap())),
            clock,
            random: fastrand::f64,
        };
        let options = Options {
            config: config.clone(),
            interval: Duration::from_millis(100),
            organization_interval: DEADLINE,
            workers: 8,
            rivalry: Rivalry::NEVER,
            target_metrics: TargetMetrics::Auto,
            election: Some(election),
            aws,
        };
        let stop = CancellationToken::new();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let end = stop.clone();
        let task = runtime.spawn(async move {
            let app = App::new(options, end).await.unwrap();
            app.run(TcpListener::from_std(listener).unwrap(), Arc::new(Notify::new())).await
        });
        Replica { name, url, door, config, stop, task, runtime: Some(runtime) }
    }

    /// Waits until this replica holds the lease and has written.
    pub async fn until_leads(&self, replica: &Replica) {
        let what = format!("{} leads", replica.name);
        until(&what, DEADLINE, async || self.leases.holder().as_deref() == Some(replica.name)).await;
        let written = self.writes_of(replica).len();
        until(&format!("{} writes", replica.name), DEADLINE, async || self.writes_of(replica).len() > written).await;
    }

    /// A leader, and a replica that stands by and knows it.
    pub async fn leader_and_follower(&self) -> (Replica, Replica) {
        let one = self.replica("one").await;
        self.until_leads(&one).await;
        let two = self.replica("two").await;
        until("the other knows", DEADLINE, async || two.is_ready().await).await;
        (one, two)
    }

    /// From now on nobody undoes anything.
    pub fn leave_in_peace(&self) {
        self.saboteur.abort();
    }
}

impl Replica {
    /// Replaces the desired state of this replica alone. It looks by itself.
    pub fn edit(&self, spec: &str) {
        std::fs::write(&self.config, document(spec)).unwrap();
    }

    /// Ends without a word, as by SIGKILL.
    pub fn crash(mut self) {
        self.runtime.take().unwrap().shutdown_background();
    }

    /// Ends as by SIGTERM.
    pub async fn stop(mut self) {
        self.stop.cancel();
        tokio::time::timeout(DEADLINE, &mut self.task).await.expect("the replica stops").unwrap().unwrap();
        self.runtime.take().unwrap().shutdown_background();
    }

    pub async fn metric(&self, series: &str) -> Option<f64> {
        let answer = get(&format!("{}/metrics", self.url)).await.unwrap();
        answer.body.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.trim().parse().ok())
    }

    pub async fn leads(&self) -> bool {
        self.metric("dhmc_leader").await == Some(1.0)
    }

    pub async fn status(&self) -> Value {
        serde_json::from_str(&get(&format!("{}/api/v1/status", self.url)).await.unwrap().body).unwrap()
    }

    /// Whoever follows tells of no targets, and what drift was open is another's to count.
    pub async fn assert_left_nothing_behind(&self) {
        let text = get(&format!("{}/metrics", self.url)).await.unwrap().body;
        let sum = |start: &str, label: &str| -> u64 {
            let series = text.lines().filter(|line| line.starts_with(start) && line.contains(label));
            series.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
        };
        for gauge in
            ["dhmc_drift_open{", "dhmc_targets{", "dhmc_target_state{", "dhmc_fleet_targets{", "dhmc_guard_held{", "dhmc_queue_"]
        {
            assert_eq!(sum(gauge, ""), 0, "{gauge}: {text}");
        }
        let (corrected, gone) = (sum("dhmc_corrections_total{", "result=\"corrected\""), sum("dhmc_drift_gone_total{", ""));
        assert_eq!(sum("dhmc_drift_detected_total{", ""), corrected + gone, "{text}");
    }

    pub async fn is_ready(&self) -> bool {
        get(&format!("{}/readyz", self.url)).await.unwrap().status == 200
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
