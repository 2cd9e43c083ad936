//! SIGTERM while the real binary writes: what has begun is finished, read back and told; what has not begun is left.

use std::time::Duration;

use aws_sandbox::{AccountHandle, Fault, FaultKind, Options, Sandbox};
use dhmc_controller::reconcile::fleet::DRAIN;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::Child;
use tokio::time::Instant;

use crate::binary::{at, config, daemon, dhmc, output, signal};
use crate::harness::{DEADLINE, get, until};
use crate::referee::ACCOUNT;
use crate::sdk::{EC2_TRUST, POLICY, ROLE};

const SPEC: &str = "{role: {description: hosts, tags: {team: hosts}}, regions: {us-east-1: enabled}}";
const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";

/// A controller with nothing left to do.
struct Idle {
    sandbox: Sandbox,
    child: Child,
    address: String,
    config: String,
    _folder: TempDir,
}

/// How a controller ended.
struct Ended {
    /// What AWS was asked from the spoiling on.
    operations: Vec<String>,
    /// The drifts that the log says were corrected.
    corrected: Vec<String>,
    /// From the signal to the end.
    took: Duration,
}

impl Idle {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), SPEC);
        let (child, address) = daemon(&sandbox, &config).await;
        Self { sandbox, child, address, config, _folder: folder }
    }

    /// Spoils something, stops the controller while AWS takes its time over the answer to a write, and waits for the end.
    async fn stopped_during(
        &mut self,
        write: &str,
        takes: Duration,
        spoil: impl FnOnce(&AccountHandle),
        is_written: impl Fn(&AccountHandle) -> bool,
    ) -> Ended {
        self.sandbox.inject(Fault::new(FaultKind::Slow(takes)).operation(write));
        self.sandbox.journal().clear();
        spoil(&self.sandbox.account(ACCOUNT));
        // The sandbox acts at once and answers later.
        let begun = |sandbox: &Sandbox| is_written(&sandbox.account(ACCOUNT));
        self.sandbox.wait_until(DEADLINE, begun).await.expect("a write has begun");
        signal(&self.child, "-TERM");
        let signalled = Instant::now();
        let page = format!("http://{}/livez", self.address);
        until("HTTP is served to the last", DEADLINE, async || get(&page).await.is_ok()).await;
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await.expect("it ends").unwrap();
        assert_eq!(status.code(), Some(0));
        let took = signalled.elapsed();
        assert!(took < DRAIN, "{took:?}");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).await.unwrap();
        let lines = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect(line));
        let after = lines.skip_while(|line| line["message"] != "stopping");
        let corrected = after.filter(|line| line["message"] == "drift corrected");
        Ended {
            operations: self.sandbox.journal().calls().into_iter().map(|call| call.operation).collect(),
            corrected: corrected.map(|line| line["kind"].as_str().unwrap().to_owned()).collect(),
            took,
        }
    }

    fn writes(&self) -> Vec<String> {
        self.sandbox.journal().writes().into_iter().map(|call| call.operation).collect()
    }

    /// What the next start writes.
    async fn left_to_the_next(&self) -> Vec<String> {
        self.sandbox.clear_faults();
        self.sandbox.journal().clear();
        let (code, log) = output(at(dhmc(&["run", "--once", "--config", &self.config]), &self.sandbox)).await;
        assert_eq!(code, Some(0), "{log}");
        self.writes()
    }
}

impl Ended {
    /// Whether the last of some writes was read back.
    fn was_read_back(&self, write: &str, read: &str) -> bool {
        let written = self.operations.iter().rposition(|operation| operation == write).expect(write);
        self.operations[written..].iter().any(|operation| operation == read)
    }
}

#[tokio::test]
async fn a_setting_that_is_being_written_is_finished_read_back_and_told() {
    let mut idle = Idle::start().await;
    let unset = |account: &AccountHandle| account.reset_setting("us-east-1", MALLORY);
    let is_set = |account: &AccountHandle| account.setting("us-east-1").value.is_some();
    let ended = idle.stopped_during("UpdateServiceSetting", Duration::from_secs(3), unset, is_set).await;
    assert!(ended.took > Duration::from_secs(2), "the answer was waited for: {:?}", ended.took);
    assert_eq!(idle.writes(), ["UpdateServiceSetting"]);
    assert!(ended.was_read_back("UpdateServiceSetting", "GetServiceSetting"), "{:?}", ended.operations);
    assert_eq!(ended.corrected, ["setting_unset"]);
    assert_eq!(idle.left_to_the_next().await, [""; 0]);
}

#[tokio::test]
async fn a_role_that_is_being_created_is_finished_and_its_policies_are_left_to_the_next_start() {
    let mut idle = Idle::start().await;
    let delete = |account: &AccountHandle| account.delete_role(ROLE);
    let is_there = |account: &AccountHandle| account.role(ROLE).is_some();
    let ended = idle.stopped_during("CreateRole", Duration::from_secs(3), delete, is_there).await;
    assert_eq!(idle.writes(), ["CreateRole"]);
    assert!(ended.was_read_back("CreateRole", "ListAttachedRolePolicies"), "{:?}", ended.operations);
    assert_eq!(ended.corrected, ["role_missing"]);
    assert_eq!(idle.left_to_the_next().await, ["AttachRolePolicy"]);
}

#[tokio::test]
async fn of_a_roles_several_writes_the_one_under_way_is_finished_and_the_rest_is_not_begun() {
    let mut idle = Idle::start().await;
    let spoil = |account: &AccountHandle| {
        account.edit_role(ROLE, |role| {
            EC2_TRUST.clone_into(&mut role.trust_policy);
            role.attached.clear();
            role.tags.clear();
            role.description = None;
        });
    };
    let is_attached = |account: &AccountHandle| account.role(ROLE).is_some_and(|role| role.attached == [POLICY]);
    let ended = idle.stopped_during("AttachRolePolicy", Duration::from_secs(3), spoil, is_attached).await;
    assert_eq!(idle.writes(), ["UpdateAssumeRolePolicy", "AttachRolePolicy"]);
    assert!(ended.was_read_back("AttachRolePolicy", "GetRole"), "{:?}", ended.operations);
    assert_eq!(ended.corrected, ["trust_policy", "policy_missing"]);
    assert_eq!(idle.left_to_the_next().await, ["TagRole", "UpdateRoleDescription"]);
}

#[tokio::test]
async fn a_write_that_is_never_answered_is_given_up_in_time_and_found_done() {
    let mut idle = Idle::start().await;
    let unset = |account: &AccountHandle| account.reset_setting("us-east-1", MALLORY);
    let is_set = |account: &AccountHandle| account.setting("us-east-1").value.is_some();
    let ended = idle.stopped_during("UpdateServiceSetting", Duration::from_mins(1), unset, is_set).await;
    assert!(ended.was_read_back("UpdateServiceSetting", "GetServiceSetting"), "{:?}", ended.operations);
    assert_eq!(ended.corrected, ["setting_unset"]);
    assert_eq!(idle.left_to_the_next().await, [""; 0]);
}
