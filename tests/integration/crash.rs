//! kill -9 at random points of a pass, 200 times: the restarts together write what one run without a crash writes.
//!
//! Two accounts live through the same sabotage. In the *spared* one a run comes to its end. In the *killed* one, run after
//! run is killed at a random call, write or moment, until one is let through. Then both accounts have to be equal, and so
//! have the writes that AWS carried out in them: as a multiset, with all their parameters. No repeat is allowed. What a
//! killed process wrote is read by the next one before that decides, whether or not the answer had reached anybody. The one
//! gap is a write that is still on its way to AWS when the next process reads: what AWS has not got cannot be read. Here
//! the sandbox takes what was sent before the next start, as it does between any two starts of a pod.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use aws_sandbox::{AccountHandle, Call, Fault, FaultKind, Filter, Knobs, Options, Outcome, Role, Sandbox};
use fastrand::Rng;
use tempfile::TempDir;
use tokio::process::Command;

use crate::binary::{config, dhmc};
use crate::harness::{DEADLINE, until};
use crate::sdk::{EC2_TRUST, POLICY, ROLE};

const KILLED: &str = "111122223333";
const SPARED: &str = "444455556666";
/// Side by side: a killed process is mostly waited for.
const LANES: u64 = 4;
const SABOTAGES: usize = 10;
const KILLS_EACH: usize = 5;
/// How long AWS takes over every answer. It has acted by then: a kill within this time loses the answer.
const SLOW: Duration = Duration::from_millis(15);
const REGIONS: [&str; 5] = ["us-east-1", "eu-west-1", "ap-south-1", "sa-east-1", "us-west-2"];
const SPEC: &str = "{role: {description: hosts, tags: {team: hosts, tier: one}, exclusivePolicies: true, permissionsBoundary: PowerUserAccess}, \
    regions: {us-east-1: enabled, eu-west-1: enabled, ap-south-1: enabled, sa-east-1: disabled, us-west-2: unmanaged}}";
const EXTRA: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";
const MALLORY: &str = "arn:aws:iam::111122223333:user/mallory";

/// What the kills hit, so that a change that makes them all miss does not go unnoticed.
#[derive(Debug, Default, Clone, Copy)]
struct Tally {
    kills: usize,
    /// The write was carried out, and nobody was told.
    unanswered: usize,
    /// Some of what the sabotage asks for was written, and some was not.
    partway: usize,
    /// The role was there, and not yet as it should be.
    half_a_role: usize,
}

/// A sandbox with the two accounts, and the controllers that come and go.
struct Lane {
    sandbox: Sandbox,
    config: String,
    /// Reading the system's authorities takes an unoptimized build most of its start.
    authorities: PathBuf,
    dice: Rng,
    /// Refusals that the sandbox's consistency makes, with and without a crash.
    refusals: &'static [&'static str],
    tally: Tally,
    _folder: TempDir,
}

/// When a run is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    AfterCalls(usize),
    AfterWrites(usize),
}

impl Lane {
    async fn new(seed: u64, knobs: Knobs, refusals: &'static [&'static str]) -> Self {
        let sandbox = Sandbox::start(Options { knobs, ..Options::default() }).await.unwrap();
        sandbox.inject(Fault::new(FaultKind::Slow(SLOW)).account(KILLED));
        for account in [KILLED, SPARED] {
            sandbox.account(account).put_role(Role::trusting_ssm("/", "Other"));
        }
        let folder = tempfile::tempdir().unwrap();
        let authorities = folder.path().join("ca.pem");
        std::fs::write(&authorities, rcgen::generate_simple_self_signed(Vec::new()).unwrap().cert.pem()).unwrap();
        let config = config(folder.path(), SPEC);
        let dice = Rng::with_seed(seed);
        Self { sandbox, config, authorities, dice, refusals, tally: Tally::default(), _folder: folder }
    }

    fn controller(&self, account: &str, arguments: &[&str]) -> Command {
        let mut command = dhmc(&[&["run", "--config", &self.config], arguments].concat());
        let credentials = self.sandbox.account(account).credentials();
        command
            .env("AWS_ENDPOINT_URL", self.sandbox.url())
            .env("AWS_CA_BUNDLE", &self.authorities)
            .env("AWS_ACCESS_KEY_ID", credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", credentials.session_token.unwrap());
        command
    }

    /// A run that comes to its end, with everything in sync.
    async fn pass(&self, account: &str) {
        let mut command = self.controller(account, &["--once"]);
        let output = tokio::time::timeout(Duration::from_mins(2), command.output()).await.expect("it ends").unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A run that is killed.
    async fn kill(&mut self, to_write: usize) {
        let moment = match to_write {
            1.. if self.dice.u8(0..4) > 0 => Moment::AfterWrites(self.dice.usize(1..=to_write.min(2))),
            _ => Moment::AfterCalls(self.dice.usize(0..=10)),
        };
        let delay = SLOW.mul_f64(1.5 * self.dice.f64());
        // One at a time, or everything at once.
        let workers = if self.dice.bool() { "1" } else { "64" };
        let (calls, writes) = (self.calls(KILLED).len(), self.written(KILLED).len());
        let mut command = self.controller(KILLED, &["--listen", "127.0.0.1:0", "--interval", "1s", "--workers", workers]);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut changes = self.sandbox.changed();
        let reached = async {
            loop {
                changes.mark_unchanged();
                let is_there = match moment {
                    Moment::AfterCalls(count) => self.calls(KILLED).len() >= calls + count,
                    Moment::AfterWrites(count) => self.written(KILLED).len() >= writes + count,
                };
                if is_there {
                    break;
                }
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(DEADLINE, reached).await.unwrap_or_else(|_| panic!("{moment:?} never came"));
        tokio::time::sleep(delay).await;
        assert!(run.try_wait().unwrap().is_none(), "the controller ended by itself");
        run.kill().await.unwrap();
        self.settled().await;

        self.tally.kills += 1;
        self.tally.unanswered += usize::from(matches!(moment, Moment::AfterWrites(_)) && delay < SLOW);
        let (had, has) = (writes, self.written(KILLED).len());
        self.tally.partway += usize::from(has > had && has < had + to_write);
        let role = self.sandbox.account(KILLED).role(ROLE);
        self.tally.half_a_role += usize::from(role.is_some_and(|role| !is_whole(&role)));
    }

    /// Until everything that was sent has been taken. Test and sandbox share a thread: what has arrived is taken up before a
    /// timer is.
    async fn settled(&self) {
        let mut before = None;
        until("the sandbox is quiet", DEADLINE, async || {
            let total = Some(self.sandbox.journal().total());
            std::mem::replace(&mut before, total) == total
        })
        .await;
    }

    fn calls(&self, account: &str) -> Vec<Call> {
        self.sandbox.journal().matching(&Filter::any().account(account))
    }

    /// The writes that AWS carried out.
    fn written(&self, account: &str) -> Vec<String> {
        let calls = self.calls(account).into_iter().filter(Call::is_write);
        let done = calls.filter(|call| match &call.outcome {
            Outcome::Answered { .. } => true,
            Outcome::Failed { code, .. } if self.refusals.contains(&code.as_str()) => false,
            other => panic!("{} was not taken: {other:?}", call.operation),
        });
        let mut written: Vec<String> =
            done.map(|call| format!("{} {} {}", call.operation, call.region, call.parameters)).collect();
        written.sort();
        written
    }

    /// Sabotage, a run that is spared, runs that are killed and one that is let through.
    async fn live_through_a_sabotage(&mut self) {
        self.sandbox.journal().clear();
        let dice = self.dice.fork();
        for account in [KILLED, SPARED] {
            spoil(&self.sandbox.account(account), dice.clone());
        }
        let before = state(&self.sandbox.account(SPARED));
        self.pass(SPARED).await;
        let wanted = self.written(SPARED);
        for _ in 0..KILLS_EACH {
            self.kill(wanted.len().saturating_sub(self.written(KILLED).len())).await;
        }
        self.pass(KILLED).await;
        assert_eq!(self.written(KILLED), wanted, "the writes with crashes, and those without, of {before:#?}");
        let [killed, spared] = [KILLED, SPARED].map(|account| state(&self.sandbox.account(account)));
        assert_eq!(killed, spared, "the state with crashes, and without, of {before:#?}");
    }

    async fn live(mut self) -> Tally {
        for _ in 0..SABOTAGES {
            self.live_through_a_sabotage().await;
        }
        self.sandbox.journal().clear();
        self.pass(KILLED).await;
        assert_eq!(self.written(KILLED), [""; 0], "nothing is left to do");
        self.tally
    }
}

fn is_whole(role: &Role) -> bool {
    role.attached == [POLICY]
        && role.trust_policy.contains("ssm.amazonaws.com")
        && role.description.as_deref() == Some("hosts")
        && role.tags.len() == 2
        && role.permissions_boundary.is_some()
}

/// Some of all that can be spoilt, each by itself.
fn spoil(account: &AccountHandle, mut dice: Rng) {
    if dice.u8(0..3) == 0 {
        account.delete_role(ROLE);
    }
    account.edit_role(ROLE, |role| {
        let mut chance = || dice.u8(0..5) < 2;
        if chance() {
            EC2_TRUST.clone_into(&mut role.trust_policy);
        }
        if chance() {
            role.attached.clear();
        }
        if chance() {
            role.attached.push(EXTRA.to_owned());
        }
        if chance() {
            role.tags.insert("tier".to_owned(), "two".to_owned());
        }
        if chance() {
            role.description = None;
        }
        if chance() {
            role.permissions_boundary = None;
        }
    });
    for region in REGIONS {
        match dice.u8(0..3) {
            0 => account.reset_setting(region, MALLORY),
            1 => account.set_setting(region, "Other", MALLORY),
            _ => {}
        }
    }
}

/// All that the controller could have touched.
#[derive(Debug, PartialEq)]
struct State {
    role: Option<Role>,
    settings: BTreeMap<&'static str, Option<String>>,
}

fn state(account: &AccountHandle) -> State {
    let plain = |role: Role| Role { id: String::new(), arn: String::new(), created: jiff::Timestamp::UNIX_EPOCH, ..role };
    let settings = REGIONS.map(|region| (region, account.setting(region).value));
    State { role: account.role(ROLE).map(plain), settings: settings.into() }
}

/// AWS as it behaves at its best, and with roles and settings that take their time.
fn world(lane: u64) -> (Knobs, &'static [&'static str]) {
    let pause = Duration::from_millis(120);
    match lane {
        0 => (Knobs { role_invisible: pause, ..Knobs::default() }, &["EntityAlreadyExists", "NoSuchEntity"]),
        1 => (Knobs { pending_update: pause, ..Knobs::default() }, &[]),
        _ => (Knobs::default(), &[]),
    }
}

#[test]
fn two_hundred_kills_lead_to_the_writes_of_a_run_without_a_crash() {
    let seed = std::env::var("DHMC_CRASH_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"));
    println!("again with the same dice: DHMC_CRASH_SEED={seed}");
    let live = |lane: u64| {
        let (knobs, refusals) = world(lane);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { Lane::new(seed.wrapping_add(lane), knobs, refusals).await.live().await })
    };
    let tallies = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES).map(|lane| scope.spawn(move || live(lane))).collect();
        lanes.into_iter().map(|lane| lane.join().expect("the lane")).collect::<Vec<_>>()
    });
    let sum = |of: fn(&Tally) -> usize| tallies.iter().map(of).sum::<usize>();
    println!("{tallies:#?}");
    assert_eq!(sum(|tally| tally.kills), 200);
    // Far below what comes out, and enough to tell that writes are being hit.
    assert!(sum(|tally| tally.unanswered) >= 20, "{tallies:#?}");
    assert!(sum(|tally| tally.partway) >= 20, "{tallies:#?}");
    assert!(sum(|tally| tally.half_a_role) >= 10, "{tallies:#?}");
}
