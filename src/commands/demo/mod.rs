//! `demo`: the main job on an embedded AWS. The controller is the real one; only AWS is played.

mod sabotage;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use aws_sandbox::{AccountHandle, Options as SandboxOptions, Record, Sandbox};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failed;
use crate::app::{self, App, Options};
use crate::aws::AwsOptions;
use crate::cli::DemoArgs;
use crate::metrics::TargetMetrics;
use crate::shutdown;
use crate::status::StatusBoard;
use crate::target::{State, Target};
use sabotage::{Expectation, Sabotage};

const ACCOUNT: &str = "111122223333";
/// Four regions kept on or off, one only watched.
const DESIRED: &str = "\
apiVersion: dhmc.dev/v1alpha1
kind: HostManagement
metadata: { name: demo }
spec:
  account: \"111122223333\"
  regions:
    us-east-1: enabled
    eu-west-1: enabled
    sa-east-1: disabled
    ap-southeast-2: { state: enabled, mode: observe }
";
/// Between two acts of sabotage: long enough to read what happened.
const PAUSE: Duration = Duration::from_secs(3);
/// How long an act may take to be noticed before the demo says that it was not.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the demo looks whether an act has been corrected: the resolution of the times it prints.
const LOOK: Duration = Duration::from_millis(20);

/// Runs until Ctrl-C, or for as long as was asked.
pub async fn demo(args: DemoArgs) -> ExitCode {
    match run(args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error.to_string()),
    }
}

async fn run(args: DemoArgs) -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::start(SandboxOptions::default()).await?;
    // Nobody reads the journal here, and a demo may run for days.
    sandbox.configure(|knobs| knobs.record = Record::CountsOnly);
    let account = sandbox.account(ACCOUNT);
    account.put_role(sabotage::other_role());
    sabotage::prepare(&account);
    let document = DocumentFile::create()?;

    let (stop, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
    shutdown::listen(stop.clone(), Arc::clone(&reload))?;
    let app = App::new(options(&args, &sandbox, &account, &document.path()), stop.clone()).await?;
    let board = app.board();
    let listener = app::bind(args.listen).await?;
    let served = format!("http://{}", listener.local_addr()?);

    println!("An embedded AWS answers at {}; the controller keeps account {ACCOUNT} as declared in", sandbox.url());
    println!("  {}   (edit it: it takes effect within 3 seconds)", document.path().display());
    println!("  {served}/metrics");
    println!("  {served}/api/v1/status");
    let interval = humantime::format_duration(args.interval);
    println!("Every target is looked at each {interval} (`run` takes 5m by default). Ctrl-C ends it.\n");

    let stage = Stage { account, board, stop: stop.clone(), started: Instant::now() };
    let show = async {
        let play = stage.play();
        match args.duration {
            Some(limit) => drop(tokio::time::timeout(limit, play).await),
            None => play.await,
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(app.run(listener, reload), show);
    ended?;
    sandbox.stop().await;
    println!("\nEnded cleanly.");
    Ok(())
}

fn options(args: &DemoArgs, sandbox: &Sandbox, account: &AccountHandle, config: &Path) -> Options {
    let credentials = account.credentials();
    let credentials = aws_credential_types::Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        None,
        "demo",
    );
    let aws = AwsOptions { endpoint_url: Some(sandbox.url()), credentials: Some(credentials), ..AwsOptions::default() };
    Options {
        config: config.to_owned(),
        interval: args.interval,
        organization_interval: args.interval,
        workers: 16,
        target_metrics: TargetMetrics::Auto,
        aws,
    }
}

/// The saboteur, and the audience that watches what becomes of it.
struct Stage {
    account: AccountHandle,
    board: Arc<StatusBoard>,
    stop: CancellationToken,
    started: Instant,
}

impl Stage {
    /// Shows the first convergence, then one act of sabotage after the other.
    async fn play(&self) {
        if self.wait_for(PATIENCE, || self.board.all_tried() && self.board.count(State::Unknown) == 0).await.is_none() {
            return;
        }
        self.line("start", format_args!("from an empty account: {}", self.summary()));
        for act in sabotage::ACTS.iter().cycle() {
            if self.stop.run_until_cancelled(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
            self.perform(act).await;
        }
    }

    async fn perform(&self, act: &Sabotage) {
        let who = act.arn(ACCOUNT);
        (act.spoil)(&self.account, &who);
        let done = Instant::now();
        self.line("drift", format_args!("{} {}", act.who, act.what));
        let noticed = match act.expect {
            Expectation::Corrected => self.wait_for(PATIENCE, || (act.is_mended)(&self.account)).await,
            Expectation::Told => self.wait_for(PATIENCE, || self.state_of(act) == Some(State::Drifted)).await,
        };
        // The write shows in AWS a moment before its outcome is on the board.
        self.wait_for(LOOK * 20, || self.changed_by(act).as_deref() == Some(&who)).await;
        let Some(at) = noticed else {
            if !self.stop.is_cancelled() {
                self.line("STILL", format_args!("not noticed within {} s: {}", PATIENCE.as_secs(), self.summary()));
            }
            return;
        };
        let took = at.duration_since(done).as_secs_f64();
        match act.expect {
            Expectation::Corrected => self.line("corrected", format_args!("after {took:.1} s; {}", self.attribution(act))),
            Expectation::Told => {
                self.line("observed", format_args!("after {took:.1} s, told and not touched; {}", self.attribution(act)));
                (act.undo)(&self.account, &who);
            }
        }
    }

    /// Whom the controller names. IAM does not tell who changed a role.
    fn attribution(&self, act: &Sabotage) -> String {
        match self.changed_by(act) {
            // So says AWS of every reset setting, in the user guide's own sample.
            Some(by) if by == "System" => format!("AWS tells no name of a reset (it was {})", act.who),
            Some(by) => format!("changed by {by}"),
            None => format!("IAM does not tell who it was ({})", act.who),
        }
    }

    fn changed_by(&self, act: &Sabotage) -> Option<String> {
        let mut by = None;
        self.board.each(|_, target, status| {
            if target.region_label() == act.region {
                let changed = status.last_drift.as_ref().and_then(|drift| drift.changed.as_ref());
                by = changed.map(|change| change.by.to_string());
            }
        });
        by
    }

    fn state_of(&self, act: &Sabotage) -> Option<State> {
        let mut state = None;
        self.board.each(|_, target: &Target, status| {
            if target.region_label() == act.region {
                state = Some(status.state);
            }
        });
        state
    }

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        self.board.each(|_, target, status| {
            let name = if target.region_label() == "global" { target.resource_label() } else { target.region_label() };
            parts.push(format!("{name} {}", status.state.label()));
        });
        parts.join(", ")
    }

    async fn wait_for(&self, patience: Duration, condition: impl Fn() -> bool) -> Option<Instant> {
        let deadline = Instant::now() + patience;
        while !condition() {
            if Instant::now() > deadline {
                return None;
            }
            self.stop.run_until_cancelled(tokio::time::sleep(LOOK)).await?;
        }
        Some(Instant::now())
    }

    fn line(&self, what: &str, text: fmt::Arguments<'_>) {
        println!("{:7.1} s  {what:<9}  {text}", self.started.elapsed().as_secs_f64());
    }
}

/// The desired state on disk, for people to edit. Gone with the demo.
struct DocumentFile {
    folder: PathBuf,
}

impl DocumentFile {
    fn create() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("dhmc-demo-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let file = Self { folder };
        std::fs::write(file.path(), DESIRED)?;
        Ok(file)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("dhmc.yaml")
    }
}

impl Drop for DocumentFile {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary directory harms nobody.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
