//! A source that is watched while its file changes in every way that files change.

mod directory;
mod start;

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;
use crate::desired;
use crate::desired::names::Region;
use crate::telemetry::kept::Log;

/// Nothing takes this long; only a test that fails waits for it.
const DEADLINE: Duration = Duration::from_secs(30);

fn document(regions: &str) -> String {
    format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  regions: {{ {regions} }}\n")
}

fn has(loaded: &Loaded, region: &str) -> bool {
    let region: Region = region.parse().unwrap();
    loaded.state.accounts.values().any(|account| account.regions.contains_key(&region))
}

fn clock() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

/// A directory with a desired state in it, for one region: us-east-1.
fn directory() -> (TempDir, PathBuf) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("desired.yaml");
    fs::write(&path, document("us-east-1: enabled")).unwrap();
    (directory, path)
}

/// Replaces the file in one step, so that no look finds half of it.
fn put(path: &Path, regions: &str) {
    let new = path.with_extension("new");
    fs::write(&new, document(regions)).unwrap();
    fs::rename(new, path).unwrap();
}

async fn open(path: &Path) -> Source {
    Source::open(path.to_owned(), clock).await.unwrap()
}

/// A source that is running.
struct Running {
    loaded: watch::Receiver<Arc<Loaded>>,
    status: watch::Receiver<SourceStatus>,
    reload: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(path: &Path, interval: Duration) -> Self {
        let source = open(path).await.every(interval);
        let (reload, stop) = (Arc::new(Notify::new()), CancellationToken::new());
        Self {
            loaded: source.loaded(),
            status: source.status(),
            task: tokio::spawn(source.run(Arc::clone(&reload), stop.clone())),
            reload,
            stop,
        }
    }

    async fn until_it_has(&mut self, region: &str) {
        timeout(DEADLINE, self.loaded.wait_for(|loaded| has(loaded, region))).await.unwrap().unwrap();
    }

    async fn until_status(&mut self, wanted: impl FnMut(&SourceStatus) -> bool) -> SourceStatus {
        timeout(DEADLINE, self.status.wait_for(wanted)).await.unwrap().unwrap().clone()
    }

    async fn stop(self) {
        self.stop.cancel();
        timeout(DEADLINE, self.task).await.unwrap().unwrap();
    }
}

const OFTEN: Duration = Duration::from_millis(5);

#[tokio::test]
async fn a_plain_write_takes_effect() {
    let (_directory, path) = directory();
    let mut running = Running::start(&path, OFTEN).await;
    fs::write(&path, document("us-east-2: enabled")).unwrap();
    running.until_it_has("us-east-2").await;
    running.stop().await;
}

/// The clock is the runtime's, which jumps to whatever is due next and stands still while a file is read.
#[tokio::test(start_paused = true)]
async fn an_edit_takes_effect_within_three_seconds_at_the_usual_pace() {
    let (_directory, path) = directory();
    let mut running = Running::start(&path, POLL_INTERVAL).await;
    put(&path, "us-east-2: enabled");
    timeout(Duration::from_secs(3), running.until_it_has("us-east-2")).await.unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_file_renamed_into_place_takes_effect() {
    let (_directory, path) = directory();
    let mut running = Running::start(&path, OFTEN).await;
    for region in ["us-east-2", "us-west-1"] {
        put(&path, &format!("{region}: enabled"));
        running.until_it_has(region).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_mounted_config_map_that_swaps_its_link_takes_effect() {
    // As the kubelet does it: desired.yaml -> ..data/desired.yaml, ..data -> ..2026_1, and then ..data -> ..2026_2.
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (version, region) in [("..2026_1", "us-east-1"), ("..2026_2", "us-east-2")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("desired.yaml"), document(&format!("{region}: enabled"))).unwrap();
    }
    symlink("..2026_1", at("..data")).unwrap();
    symlink("..data/desired.yaml", at("desired.yaml")).unwrap();
    let mut running = Running::start(&at("desired.yaml"), OFTEN).await;
    symlink("..2026_2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    fs::remove_dir_all(at("..2026_1")).unwrap();
    running.until_it_has("us-east-2").await;
    running.stop().await;
}

#[tokio::test]
async fn a_bad_edit_keeps_the_last_good_state_until_a_good_one_comes() {
    let (_directory, path) = directory();
    let mut running = Running::start(&path, OFTEN).await;
    put(&path, "eu-wset-1: enabled, us-est-1: on");
    let status = running.until_status(|status| !status.is_in_force()).await;
    let file = path.display();
    assert_eq!(
        status.problem.unwrap(),
        format!(
            "{file}:4:14: spec.regions.eu-wset-1: no such region; did you mean eu-west-1?\n\
             {file}:4:34: spec.regions.us-est-1: no such region; did you mean us-east-1?\n\
             {file}:4:44: spec.regions.us-est-1: `on` is not enabled, disabled or unmanaged; did you mean enabled?"
        )
    );
    assert!(has(&running.loaded.borrow(), "us-east-1"));
    assert_eq!(status.hash, running.loaded.borrow().hash);
    put(&path, "us-east-2: enabled");
    running.until_it_has("us-east-2").await;
    running.until_status(SourceStatus::is_in_force).await;
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_stays_away_is_told_and_its_return_clears_that() {
    let (_directory, path) = directory();
    let mut running = Running::start(&path, OFTEN).await;
    fs::remove_file(&path).unwrap();
    let status = running.until_status(|status| !status.is_in_force()).await;
    let expected = format!("{}: there is no such file; create it, or name another", path.display());
    assert_eq!(status.problem, Some(expected));
    assert!(has(&running.loaded.borrow(), "us-east-1"));
    put(&path, "us-east-1: enabled");
    running.until_status(SourceStatus::is_in_force).await;
    running.stop().await;
}

#[tokio::test]
async fn a_reload_takes_effect_without_waiting_for_the_next_look() {
    let (_directory, path) = directory();
    let mut running = Running::start(&path, Duration::from_hours(1)).await;
    fs::write(&path, document("us-east-2: enabled")).unwrap();
    running.reload.notify_one();
    running.until_it_has("us-east-2").await;
    running.stop().await;
}

fn content(text: &str) -> Content {
    Content::one(text.into())
}

/// Lets a source see contents one after the other, and tells how often what is wanted changed.
fn changes(source: &mut Source, trigger: Trigger, contents: &[&str]) -> usize {
    let mut loaded = source.loaded();
    let mut changes = 0;
    for text in contents {
        source.consider(Ok(content(text)), trigger);
        changes += usize::from(loaded.has_changed().unwrap());
        loaded.mark_unchanged();
    }
    changes
}

#[tokio::test]
async fn a_file_read_while_it_is_written_is_never_taken() {
    let (_directory, path) = directory();
    let mut source = open(&path).await;
    let whole = "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  regions:\n    us-east-2: enabled\n    us-west-2: enabled\n";
    let half = whole.strip_suffix("    us-west-2: enabled\n").unwrap();
    assert!(desired::load(half.as_bytes()).is_ok(), "half of it is a document, too");
    let looks = [half, whole, half, whole, whole];
    assert_eq!(changes(&mut source, Trigger::Poll, &looks), 1);
    assert!(has(&source.loaded().borrow(), "us-west-2"));
}

#[tokio::test]
async fn a_reload_believes_the_first_look() {
    let (_directory, path) = directory();
    let mut source = open(&path).await;
    assert_eq!(changes(&mut source, Trigger::Reload, &[&document("us-east-2: enabled")]), 1);
}

#[tokio::test]
async fn a_comment_changes_the_hash_and_wakes_nobody() {
    let (_directory, path) = directory();
    let mut source = open(&path).await;
    let (before, state) = (source.status().borrow().hash, Arc::clone(&source.loaded().borrow().state));
    let commented = document("us-east-1: enabled") + "# why\n";
    assert_eq!(changes(&mut source, Trigger::Poll, &[&commented, &commented]), 0);
    let status = source.status().borrow().clone();
    assert_ne!(status.hash, before);
    assert_eq!(status.hash, source.loaded().borrow().hash);
    assert!(status.is_in_force());
    assert!(Arc::ptr_eq(&state, &source.loaded().borrow().state));
}

#[tokio::test]
async fn a_file_gone_for_one_look_is_not_told() {
    let (_directory, path) = directory();
    let mut source = open(&path).await;
    let good = document("us-east-1: enabled");
    for _ in 0..3 {
        source.consider(Err(ReadError::Missing), Trigger::Poll);
        source.consider(Ok(content(&good)), Trigger::Poll);
    }
    assert!(source.status().borrow().is_in_force());
}

#[tokio::test]
async fn each_problem_is_logged_once_and_again_only_on_reload() {
    let (_directory, path) = directory();
    let mut source = open(&path).await;
    let (log, _guard) = Log::keep();

    let bad = document("eu-wset-1: enabled, us-east-2: enabeld");
    for _ in 0..5 {
        source.consider(Ok(content(&bad)), Trigger::Poll);
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 3, "{lines:?}");
    let file = path.display();
    assert!(lines[0].contains(&format!(
        "ERROR {}: {file}:4:14: spec.regions.eu-wset-1: no such region;",
        module_path!().trim_end_matches("::tests")
    )));
    assert!(lines[1].contains(&format!("{file}:4:45: spec.regions.us-east-2: `enabeld` is not")), "{}", lines[1]);
    assert!(lines[2].contains("the last good desired state is kept"));

    source.consider(Ok(content(&bad)), Trigger::Reload);
    assert_eq!(log.lines().len(), 3);

    for _ in 0..5 {
        source.consider(Err(ReadError::Denied), Trigger::Poll);
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("permission is denied"));

    for _ in 0..5 {
        source.consider(Ok(content(&document("us-east-1: enabled"))), Trigger::Poll);
    }
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("INFO") && lines[0].contains("in force again"));
    assert!(source.status().borrow().is_in_force());
}

#[tokio::test]
async fn a_flood_of_problems_is_cut_and_counted() {
    let (_directory, path) = directory();
    let mut source = open(&path).await;
    let regions: Vec<String> = (0..60).map(|index| format!("x{index}: enabled")).collect();
    source.consider(Ok(content(&document(&regions.join(", ")))), Trigger::Reload);
    let problem = source.status().borrow().problem.clone().unwrap();
    assert_eq!(problem.lines().count(), MOST_PROBLEMS_TOLD + 1);
    assert!(problem.ends_with(": and 10 more"), "{problem}");
}
