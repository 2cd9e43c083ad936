//! `demo`: the main job on an embedded AWS. The controller is the real one; only AWS is played.

mod cast;
mod document;
mod sabotage;
mod stage;
mod view;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use aws_sandbox::{Options as SandboxOptions, Record, Sandbox};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::failed;
use crate::app::{self, App, Options};
use crate::aws::AwsOptions;
use crate::cli::demo::DemoArgs;
use crate::metrics::TargetMetrics;
use crate::reconcile::rivals::Rivalry;
use crate::shutdown;
use document::DocumentFile;
use stage::Stage;

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
    cast::prepare(&sandbox);
    let document = DocumentFile::create(cast::DESIRED)?;

    let (stop, reload) = (CancellationToken::new(), Arc::new(Notify::new()));
    shutdown::listen(stop.clone(), Arc::clone(&reload))?;
    let app = App::new(options(&args, &sandbox, &document.path()), stop.clone()).await?;
    let board = app.board();
    let listener = app::bind(args.listen).await?;
    let served = format!("http://{}", listener.local_addr()?);

    println!(
        "An embedded AWS answers at {}; the controller keeps the three accounts of an organization as declared in",
        sandbox.url()
    );
    println!("  {}   (edit it: it takes effect within 3 seconds)", document.path().display());
    println!("  {served}/metrics");
    println!("  {served}/api/v1/status");
    let interval = humantime::format_duration(args.interval);
    println!("Every target is looked at each {interval} (`run` takes 5m by default). Ctrl-C ends it.\n");

    let stage = Stage::new(sandbox.clone(), board, stop.clone());
    let show = async {
        let play = stage.play();
        match args.duration {
            Some(limit) => drop(tokio::time::timeout(limit, play).await),
            None => play.await,
        }
        stage.close();
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(app.run(listener, reload), show);
    ended?;
    sandbox.stop().await;
    println!("\nEnded cleanly.");
    Ok(())
}

fn options(args: &DemoArgs, sandbox: &Sandbox, config: &Path) -> Options {
    let credentials = cast::credentials(sandbox);
    let credentials = aws_credential_types::Credentials::new(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        None,
        "demo",
    );
    let aws = AwsOptions {
        endpoint_url: Some(sandbox.url()),
        credentials: Some(credentials),
        instance: cast::INSTANCE.to_owned(),
        ..AwsOptions::default()
    };
    Options {
        // The saboteurs come round again, and each time is to be put right.
        rivalry: Rivalry::NEVER,
        config: config.to_owned(),
        interval: args.interval,
        organization_interval: args.interval,
        workers: 16,
        target_metrics: TargetMetrics::Auto,
        election: None,
        aws,
    }
}
