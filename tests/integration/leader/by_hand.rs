//! People who edit the lease.

use std::time::Duration;

use serde_json::json;

use super::leases::Weather;
use super::records::between;
use super::replica::{ARRIVAL, SLACK, Stage, TIMING};
use crate::harness::{DEADLINE, until};

/// Somebody deletes the lease, or writes a note on it: whoever leads notices at the next renewal, and whoever follows has waited for that.
#[tokio::test]
async fn a_lease_that_somebody_deletes_or_edits_by_hand_makes_no_second_leader() {
    let stage = Stage::new().await;
    let one = stage.replica("one").await;
    stage.until_leads(&one).await;
    let two = stage.replica("two").await;
    until("the other knows", DEADLINE, async || two.is_ready().await).await;
    stage.leases.delete();
    until("the lease is there again", DEADLINE, async || !stage.leases.lease().is_null()).await;
    stage.until_leads(&one).await;
    stage.leases.edit(|lease| lease["metadata"]["annotations"] = json!({"note": "by hand"}));
    until("the leader was overtaken by the edit", DEADLINE, async || stage.leases.conflicts() > 0).await;
    let edited = stage.leases.lease()["metadata"]["resourceVersion"].clone();
    until("it renews all the same", DEADLINE, async || stage.leases.lease()["metadata"]["resourceVersion"] != edited).await;
    assert_eq!(stage.leases.lease()["metadata"]["annotations"]["note"], "by hand", "what others wrote in it stays");
    stage.until_leads(&one).await;
    let terms = stage.assert_only_holders_wrote();
    assert_eq!(terms.len(), 1, "{terms:?}");
}

/// Nobody can know that there is no such replica. It is left the time that its lease claims, which is longer here than that of the others.
#[tokio::test]
async fn a_foreign_name_in_the_lease_is_believed_for_as_long_as_it_says() {
    let claimed = TIMING.lease_duration + Duration::from_secs(2);
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    let edited = stage.leases.edit(|lease| {
        lease["spec"]["holderIdentity"] = json!("mallory");
        lease["spec"]["leaseDurationSeconds"] = json!(claimed.as_secs());
    });
    until("both believe it", DEADLINE, async || {
        one.status().await["leader"] == "mallory" && two.status().await["leader"] == "mallory"
    })
    .await;
    until("somebody holds it again", DEADLINE, async || stage.leases.holder().is_some_and(|name| name != "mallory")).await;
    let next = if stage.leases.holder().as_deref() == Some("one") { &one } else { &two };
    stage.until_leads(next).await;

    stage.assert_only_holders_wrote();
    assert_eq!(stage.holders(), ["one", "mallory", next.name]);
    let taken = stage.leases.terms().last().unwrap().since;
    let took = between(edited, taken);
    assert!(took >= claimed && took <= claimed + TIMING.retry_period + SLACK, "{took:?}");
    let meanwhile: Vec<_> = stage.sandbox.journal().writes().into_iter().filter(|write| write.at < taken).collect();
    let last = meanwhile.last().unwrap();
    let known = stage.leases.renewals_of("one").into_iter().rfind(|at| *at < edited).unwrap();
    assert!(between(known, last.at) <= TIMING.renew_deadline + ARRIVAL, "{last:?}");
}

#[tokio::test]
async fn a_lease_that_somebody_empties_is_somebodys_again() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    stage.leases.edit(|lease| lease["spec"]["holderIdentity"] = json!(""));
    until("somebody holds it again", DEADLINE, async || stage.leases.holder().is_some()).await;
    let next = if stage.leases.holder().as_deref() == Some("one") { &one } else { &two };
    stage.until_leads(next).await;
    assert_eq!(stage.holders(), ["one", "", next.name]);
    stage.assert_only_holders_wrote();
}

/// Whoever was in it may write until it would have had to renew: it looks as if it had been given back, and was not.
#[tokio::test]
async fn a_lease_that_somebody_empties_while_its_leader_is_cut_off_is_left_until_it_ends() {
    let stage = Stage::new().await;
    let (one, two) = stage.leader_and_follower().await;
    one.door.set(Weather::CutOff);
    let edited = stage.leases.edit(|lease| lease["spec"]["holderIdentity"] = json!(""));
    stage.until_leads(&two).await;
    stage.assert_only_holders_wrote();
    assert_eq!(stage.holders(), ["one", "", "two"]);
    let took = between(edited, stage.leases.terms().last().unwrap().since);
    assert!(took >= TIMING.lease_duration, "{took:?}");
    assert!(took <= TIMING.lease_duration + TIMING.retry_period + SLACK, "{took:?}");
}
