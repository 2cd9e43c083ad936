//! What the SDK alone costs: its client, and nothing else, sends the same `GetServiceSetting` requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use aws_config::{BehaviorVersion, Region};
use tokio::task::JoinSet;

use crate::bare::SETTING_ID;
use crate::fleet::{REGIONS, WORKERS};
use crate::process::cpu;

/// `sdk REQUESTS`: prints one line, the seconds and the CPU seconds that they took.
pub(crate) async fn send(arguments: &[String]) {
    let requests: usize = arguments[0].parse().unwrap();
    let config = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let clients: Arc<[aws_sdk_ssm::Client]> = REGIONS
        .map(|region| {
            let region = Region::from_static(region);
            aws_sdk_ssm::Client::from_conf(aws_sdk_ssm::config::Builder::from(&config).region(region).build())
        })
        .into();
    let sent = Arc::new(AtomicUsize::new(0));
    let (began, cpu_before) = (Instant::now(), cpu("self"));
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (clients, sent) = (Arc::clone(&clients), Arc::clone(&sent));
        workers.spawn(async move {
            loop {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                if number >= requests {
                    return;
                }
                let client = &clients[number % clients.len()];
                client.get_service_setting().setting_id(SETTING_ID).send().await.unwrap();
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    println!("{} {}", began.elapsed().as_secs_f64(), cpu("self").saturating_sub(cpu_before).as_secs_f64());
}
