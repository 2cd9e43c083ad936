//! The sandbox as a process, for demos and end-to-end tests: listens, prints how to reach it, serves until a signal.
//! Everything else is done over its control path.

use std::net::SocketAddr;
use std::path::PathBuf;

use aws_sandbox::{Fault, Knobs, Options, Partition, Sandbox};
use clap::Parser;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};

/// An embedded AWS. Answers anybody who reaches it: keep it on a loopback address.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4577")]
    listen: SocketAddr,
    /// An account to issue credentials for: its id, and its partition unless that is `aws` (`111122223333:aws-cn`).
    #[arg(long, default_value = "111122223333")]
    account: Vec<String>,
    /// A JSON file with `knobs` and `faults` to start with.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// The file of `--config`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    knobs: Knobs,
    faults: Vec<Fault>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let flags = Flags::parse();
    let config = match &flags.config {
        Some(path) => serde_json::from_slice(&std::fs::read(path)?)?,
        None => Config::default(),
    };
    let options = Options { listen: flags.listen, knobs: config.knobs };
    let sandbox = Sandbox::start(options).await?;
    for fault in config.faults {
        sandbox.inject(fault);
    }
    println!("export AWS_ENDPOINT_URL={}", sandbox.url());
    for account in &flags.account {
        print_credentials(&sandbox, account)?;
    }
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    sandbox.stop().await;
    Ok(())
}

/// Lines a shell can evaluate; the last account named wins there.
fn print_credentials(sandbox: &Sandbox, account: &str) -> Result<(), String> {
    let (id, partition) = match account.split_once(':') {
        Some((id, partition)) => (id, partition.parse()?),
        None => (account, Partition::Aws),
    };
    let account = sandbox.account_in(id, partition);
    let credentials = account.credentials();
    println!("# account {id}, as {}", credentials.arn);
    println!("export AWS_ACCESS_KEY_ID={}", credentials.access_key_id);
    println!("export AWS_SECRET_ACCESS_KEY={}", credentials.secret_access_key);
    if let Some(token) = &credentials.session_token {
        println!("export AWS_SESSION_TOKEN={token}");
    }
    Ok(())
}
