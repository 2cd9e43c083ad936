//! A thousand edits in ten seconds, half of them invalid, by every way in which files are replaced.
//!
//! The controller looks twice a second and believes what it sees twice, so that most edits of a burst are never seen; those
//! that a SIGHUP tells of, and those that a burst ends with, are. Every document names a role of its own, and regions and a
//! policy that go with it: what AWS is asked shows whether two documents were ever mixed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sandbox::{Call, Options, Sandbox};
use dhmc_controller::source::hex;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::time::Instant;

use crate::binary::{at, dhmc, signal};
use crate::harness::{DEADLINE, free_port, get, until};
use crate::referee::ACCOUNT;

const BURST: u32 = 125;
/// From the start of a burst to that of the next. The rest of it is quiet, and longer than two looks are apart.
const BURST_EVERY: Duration = Duration::from_millis(1_250);
/// What is half there for this long may be seen twice.
const LOOKS_APART: Duration = Duration::from_millis(500);
/// A write that was begun under one document may reach AWS under the next.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(2);
const FIRST: &str = "us-east-1";
const OTHERS: [&str; 5] = ["us-west-2", "eu-west-1", "ap-south-1", "sa-east-1", "ca-central-1"];
const POLICIES: [&str; 3] = ["AmazonSSMManagedEC2InstanceDefaultPolicy", "AmazonSSMManagedInstanceCore", "ReadOnlyAccess"];

/// A document, and what it declares.
#[derive(Debug, Clone)]
struct Document {
    number: u32,
    text: String,
    /// Up to here it is a document as well, of one region alone.
    half: usize,
    states: BTreeMap<&'static str, &'static str>,
    policy: &'static str,
}

impl Document {
    fn new(number: u32, dice: &mut Rng) -> Self {
        let policy = POLICIES[dice.usize(..POLICIES.len())];
        let mut states: BTreeMap<_, _> =
            OTHERS.map(|region| (region, ["enabled", "disabled", "unmanaged"][dice.usize(..3)])).into();
        states.insert(FIRST, "enabled");
        // Some edit resets three regions at once, and is not to wait for a confirmation: what the guard holds is held in restraint.rs.
        let head = format!(
            "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nmetadata: {{ name: edit-{number} }}\nspec:\n  \
             role: {{ name: R{number}, description: edit {number}, tags: {{ edit: '{number}' }}, policies: [{policy}] }}\n  \
             guard: {{ resets: {{ percent: 100 }} }}\n  \
             regions:\n    {FIRST}: enabled\n"
        );
        let rest = OTHERS.map(|region| format!("    {region}: {}\n", states[region])).concat();
        Self { number, half: head.len(), text: head + &rest, states, policy }
    }

    /// Something that nobody can have meant.
    fn spoilt(&self, dice: &mut Rng) -> Vec<u8> {
        let bad = self.text.replace(&format!("name: R{}", self.number), &format!("name: Bad{}", self.number));
        match dice.u8(..7) {
            0 => bad.replace(FIRST, "us-esat-1").into_bytes(),
            1 => bad.as_bytes()[..bad.len() / 3].to_vec(),
            2 => Vec::new(),
            3 => (bad + "    us-east-1: disabled\n").into_bytes(),
            4 => (bad + "\t}{\n").into_bytes(),
            5 => [bad.as_bytes(), b"# \xff\xfe\n"].concat(),
            _ => bad.replace("enabled", "on").into_bytes(),
        }
    }
}

fn hash(content: &[u8]) -> String {
    hex(&Sha256::digest(content).into())
}

/// The file as a mounted `ConfigMap` has it: `dhmc.yaml -> ..data/dhmc.yaml`, `..data -> ..version`.
struct Mount {
    folder: TempDir,
    version: u32,
    /// The hashes of halves that were there for so long that they may have been taken for edits.
    perhaps_seen_twice: BTreeSet<String>,
}

impl Mount {
    fn new(content: &[u8]) -> Self {
        let mut mount = Self { folder: tempfile::tempdir().unwrap(), version: 0, perhaps_seen_twice: BTreeSet::new() };
        mount.swap(content);
        mount
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self) -> PathBuf {
        self.at("dhmc.yaml")
    }

    fn link(&self, to: &str, name: &str) {
        let beside = self.at("..beside");
        symlink(to, &beside).unwrap();
        fs::rename(beside, self.at(name)).unwrap();
    }

    /// As the kubelet does it, who takes the old version away.
    fn swap(&mut self, content: &[u8]) {
        let (before, version) = (format!("..{}", self.version), format!("..{}", self.version + 1));
        self.version += 1;
        fs::create_dir(self.at(&version)).unwrap();
        fs::write(self.at(&version).join("dhmc.yaml"), content).unwrap();
        self.link(&version, "..data");
        if !self.file().is_symlink() {
            self.link("..data/dhmc.yaml", "dhmc.yaml");
        }
        let _ = fs::remove_dir_all(self.at(&before));
    }

    /// As editors do it.
    fn rename(&self, content: &[u8]) {
        fs::write(self.at("draft"), content).unwrap();
        fs::rename(self.at("draft"), self.file()).unwrap();
    }

    /// As a shell does it: for a while, the beginning is all that there is.
    async fn write_in_two(&mut self, content: &[u8], half: usize, gap: Duration) {
        let mut file = fs::File::create(self.file()).unwrap();
        let half = half.min(content.len());
        let began = Instant::now();
        file.write_all(&content[..half]).unwrap();
        tokio::time::sleep(gap).await;
        file.write_all(&content[half..]).unwrap();
        if began.elapsed() >= LOOKS_APART.mul_f64(0.9) {
            self.perhaps_seen_twice.insert(hash(&content[..half]));
        }
    }

    /// One edit, by any of these ways.
    async fn edit(&mut self, content: &[u8], half: usize, dice: &mut Rng) {
        match dice.u8(..5) {
            0 | 1 => self.swap(content),
            2 => self.rename(content),
            3 => fs::write(self.file(), content).unwrap(),
            _ => self.write_in_two(content, half, Duration::from_millis(dice.u64(..5))).await,
        }
    }
}

/// The real binary, and what it says.
struct Watched {
    sandbox: Sandbox,
    child: Child,
    url: String,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Watched {
    async fn start(file: &Path) -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let arguments = ["run", "--config", file.to_str().unwrap(), "--listen", &address, "--interval", "2s"];
        let mut child = at(dhmc(&arguments), &sandbox).stdout(Stdio::null()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (mut lines, kept) = (BufReader::new(child.stderr.take().unwrap()).lines(), Arc::clone(&log));
        tokio::spawn(async move {
            while let Some(line) = lines.next_line().await.unwrap() {
                kept.lock().unwrap().push(serde_json::from_str(&line).expect(&line));
            }
        });
        let watched = Self { sandbox, child, url: format!("http://{address}"), log };
        let ready = format!("{}/readyz", watched.url);
        until("ready", DEADLINE, async || get(&ready).await.is_ok_and(|answer| answer.status == 200)).await;
        watched
    }

    async fn status(&self) -> Value {
        serde_json::from_str(&get(&format!("{}/api/v1/status", self.url)).await.unwrap().body).unwrap()
    }

    async fn is_in_force(&self, document: &Document) {
        let hash = hash(document.text.as_bytes());
        until(&format!("edit {} is in force", document.number), DEADLINE, async || {
            let configuration = &self.status().await["configuration"];
            configuration["hash"] == hash && configuration["inForce"] == true
        })
        .await;
    }

    async fn is_carried_out(&self, document: &Document) {
        self.is_in_force(document).await;
        let value = format!("service-role/R{}", document.number);
        until(&format!("edit {} is carried out", document.number), DEADLINE, async || {
            let all = self.status().await["summary"].as_object().unwrap().clone();
            let account = self.sandbox.account(ACCOUNT);
            all.iter().all(|(state, count)| state == "in_sync" || *count == 0)
                && document.states.iter().all(|(region, state)| match *state {
                    "enabled" => account.setting(region).value.as_ref() == Some(&value),
                    "disabled" => account.setting(region).value.is_none(),
                    _ => true,
                })
        })
        .await;
    }

    async fn metric(&self, name: &str) -> f64 {
        let page = get(&format!("{}/metrics", self.url)).await.unwrap().body;
        page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).expect(name)
    }

    /// Resident memory, in pages.
    fn memory(&self) -> u64 {
        let statm = fs::read_to_string(format!("/proc/{}/statm", self.child.id().unwrap())).unwrap();
        statm.split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The documents that came into force, by hash, and when.
    fn taken(&self) -> Vec<(Timestamp, String)> {
        let log = self.log.lock().unwrap();
        let lines = log.iter().filter(|line| line["message"] == "the desired state changed");
        lines
            .map(|line| (line["timestamp"].as_str().unwrap().parse().unwrap(), line["hash"].as_str().unwrap().to_owned()))
            .collect()
    }

    fn rejected(&self) -> usize {
        let log = self.log.lock().unwrap();
        log.iter()
            .filter(|line| line["message"].as_str().is_some_and(|text| text.starts_with("the edit is not in force")))
            .count()
    }
}

/// All valid documents there were.
struct Storm {
    mount: Mount,
    watched: Watched,
    dice: Rng,
    documents: Vec<Document>,
}

impl Storm {
    async fn start(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed);
        let first = Document::new(0, &mut dice);
        let mount = Mount::new(first.text.as_bytes());
        let watched = Watched::start(&mount.file()).await;
        Self { mount, watched, dice, documents: vec![first] }
    }

    fn next(&mut self) -> Document {
        let document = Document::new(u32::try_from(self.documents.len()).unwrap(), &mut self.dice);
        self.documents.push(document.clone());
        document
    }

    async fn rejected_at_once(&self) {
        let before = self.watched.rejected();
        signal(&self.watched.child, "-HUP");
        until("the bad edit is rejected", DEADLINE, async || self.watched.rejected() > before).await;
    }

    /// Edits as fast as they go, valid and invalid ones in turn; the last one is valid, and comes in two parts.
    async fn burst(&mut self) -> Document {
        for number in 0..BURST {
            let document = self.next();
            if number % 2 == 1 {
                self.documents.pop();
                let bad = document.spoilt(&mut self.dice);
                if number % 40 == 1 {
                    self.mount.swap(&bad);
                    self.rejected_at_once().await;
                } else {
                    self.mount.edit(&bad, bad.len() / 2, &mut self.dice).await;
                }
            } else if number % 40 == 10 {
                // Somebody who says that the file is ready has to be right until it was looked at.
                self.mount.swap(document.text.as_bytes());
                signal(&self.watched.child, "-HUP");
                self.watched.is_in_force(&document).await;
            } else if number + 1 == BURST {
                let gap = LOOKS_APART / 3;
                self.mount.write_in_two(document.text.as_bytes(), document.half, gap).await;
            } else {
                self.mount.edit(document.text.as_bytes(), document.half, &mut self.dice).await;
            }
        }
        self.documents.last().unwrap().clone()
    }

    async fn bursts(&mut self, count: u32) -> Document {
        let began = Instant::now();
        let mut last = None;
        for number in 0..count {
            tokio::time::sleep_until(began + BURST_EVERY * number).await;
            last = Some(self.burst().await);
        }
        let last = last.unwrap();
        println!("{} edits in {:?}", count * BURST, began.elapsed());
        self.watched.is_carried_out(&last).await;
        last
    }

    /// Holds everything that AWS was asked for against the documents that were in force at the time.
    fn check(&self) {
        let by_hash: BTreeMap<String, &Document> =
            self.documents.iter().map(|document| (hash(document.text.as_bytes()), document)).collect();
        let taken = self.watched.taken();
        let halves = &self.mount.perhaps_seen_twice;
        let taken: Vec<(Timestamp, &Document)> = taken
            .iter()
            .filter(|(_, hash)| !halves.contains(hash))
            .map(|(at, hash)| (*at, *by_hash.get(hash).unwrap_or_else(|| panic!("{hash} is no whole document"))))
            .collect();
        println!("{} documents were in force, {} were rejected", taken.len(), self.watched.rejected());
        let in_force = |call: &Call, document: &Document| {
            let from = taken.iter().position(|(_, one)| one.number == document.number);
            let began = from.map_or(Timestamp::UNIX_EPOCH, |place| taken[place].0);
            let next = taken.get(from.map_or(0, |place| place + 1));
            (document.number == 0 || from.is_some())
                && call.at >= began - SignedDuration::from_millis(50)
                && next.is_none_or(|(ended, _)| call.at <= *ended + ON_ITS_WAY)
        };
        for call in self.watched.sandbox.journal().calls() {
            let named = call.parameter("RoleName").or_else(|| call.parameter("SettingValue"));
            let document = named.map(|name| {
                let number = name.trim_start_matches("service-role/").strip_prefix('R');
                let number: Option<usize> = number.and_then(|number| number.parse().ok());
                &self.documents[number.unwrap_or_else(|| panic!("of no valid document: {call:#?}"))]
            });
            assert!(document.is_none_or(|document| in_force(&call, document)), "not in force: {call:#?}");
            let is_declared = match (call.operation.as_str(), document) {
                ("UpdateServiceSetting", Some(document)) => document.states[call.region.as_str()] == "enabled",
                ("ResetServiceSetting", _) => {
                    let documents = self.documents.iter().filter(|document| in_force(&call, document));
                    documents.into_iter().any(|document| document.states[call.region.as_str()] == "disabled")
                }
                ("CreateRole", Some(document)) => {
                    call.parameter("Tags.member.1.Value") == Some(&document.number.to_string())
                        && call.parameter("Description") == Some(&format!("edit {}", document.number))
                }
                ("AttachRolePolicy", Some(document)) => {
                    call.parameter("PolicyArn").is_some_and(|arn| arn.ends_with(document.policy))
                }
                _ => !call.is_write(),
            };
            assert!(is_declared, "{call:#?} is not what {document:#?} declares");
        }
    }
}

#[tokio::test]
async fn of_a_thousand_edits_in_ten_seconds_the_last_valid_one_wins_and_none_is_mixed_with_another() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut storm = Storm::start(seed).await;

    // Before memory is measured, and to see that what ends with a bad edit ends with the last good one.
    let last = storm.bursts(3).await;
    let bad = last.spoilt(&mut storm.dice);
    storm.mount.swap(&bad);
    until("the bad edit is told", DEADLINE, async || storm.watched.metric("dhmc_config_last_reload_successful ").await < 0.5)
        .await;
    let configuration = storm.watched.status().await["configuration"].clone();
    assert_eq!((&configuration["inForce"], &configuration["hash"]), (&false.into(), &hash(last.text.as_bytes()).into()));
    assert!(configuration["problem"].as_str().is_some_and(|problem| !problem.is_empty()), "{configuration:#}");
    let before = storm.watched.memory();

    storm.bursts(8).await;
    assert!(storm.watched.metric("dhmc_config_last_reload_successful ").await > 0.5);
    let after = storm.watched.memory();
    println!("memory: {before} pages before, {after} after");
    assert!(after <= before + before / 10, "{before} pages of memory have become {after}");
    storm.check();
}
