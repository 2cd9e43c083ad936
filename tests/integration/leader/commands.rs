//! What people are told who ask the wrong replica, or start one that can take part in no election.

use serde_json::json;

use super::replica::Stage;
use crate::binary::{config, dhmc, output};
use crate::harness::{DEADLINE, until};

#[tokio::test]
async fn a_replica_that_stands_by_says_whom_to_ask() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    let two = stage.replica("two").await;
    until("it knows who leads", DEADLINE, async || two.status().await["leader"] == json!("one")).await;
    let (code, said) = output(dhmc(&["status", "--url", &two.url])).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is a replica that stands by: one leads; ask that one"), "{said}");
}

#[tokio::test]
async fn an_election_without_a_cluster_or_with_times_that_allow_two_leaders_is_a_bad_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "{regions: {us-east-1: enabled}}");
    let start = async |more: &[&str]| {
        output(dhmc(&[&["run", "--log-format", "text", "--config", &config, "--leader-elect"], more].concat())).await
    };
    let (code, said) = start(&[]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--leader-elect needs the API of a Kubernetes cluster") && said.contains("set KUBECONFIG"), "{said}");

    let (code, said) = start(&["--leader-elect-renew-deadline", "15s"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("--leader-elect-renew-deadline has to be at least a second shorter than --leader-elect-lease-duration"),
        "{said}"
    );

    let (code, said) = start(&["--once"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--once makes one pass and asks nobody who leads"), "{said}");

    let (code, said) = start(&["--leader-elect-retry-period", "4s"]).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--leader-elect-retry-period has to be at most a third of --leader-elect-renew-deadline"), "{said}");
}
