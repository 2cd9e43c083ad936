//! A directory of documents: what counts as one, and every change of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::desired::names::{Account, AccountId};

fn listing(account: &str, region: &str) -> String {
    format!(
        "apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec:\n  regions: {{ {region}: enabled }}\n  \
         accounts:\n    - {{ id: \"{account}\", assumeRole: {{ name: a }} }}\n"
    )
}

/// A directory with two documents: a.yaml and b.yml.
fn two_documents() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join("a.yaml"), listing("111122223333", "us-east-1")).unwrap();
    fs::write(directory.path().join("b.yml"), listing("222233334444", "us-east-2")).unwrap();
    directory
}

fn accounts(loaded: &Loaded) -> Vec<String> {
    loaded.state.accounts.keys().map(ToString::to_string).collect()
}

impl Running {
    async fn until_it_lists(&mut self, account: &str) {
        let account = Account::Id(account.parse::<AccountId>().unwrap());
        timeout(DEADLINE, self.loaded.wait_for(|loaded| loaded.state.accounts.contains_key(&account))).await.unwrap().unwrap();
    }
}

async fn refused(path: &Path) -> String {
    Source::open(path.to_owned(), clock).await.unwrap_err().to_string()
}

#[tokio::test]
async fn every_yaml_file_directly_in_it_is_a_document_and_nothing_else_is() {
    let directory = two_documents();
    let at = |name: &str| directory.path().join(name);
    for name in ["README.md", "c.yaml.orig", ".d.yaml", "yaml"] {
        fs::write(at(name), "not a document").unwrap();
    }
    fs::create_dir(at("e.yaml")).unwrap();
    fs::write(at("e.yaml/f.yaml"), "not a document").unwrap();
    assert!(std::process::Command::new("mkfifo").arg(at("pipe.yaml")).status().unwrap().success());
    let source = open(directory.path()).await;
    assert_eq!(accounts(&source.loaded().borrow()), ["111122223333", "222233334444"]);
}

#[tokio::test]
async fn a_file_changed_added_or_removed_is_a_change() {
    let directory = two_documents();
    let at = |name: &str| directory.path().join(name);
    let mut running = Running::start(directory.path(), OFTEN).await;
    fs::write(at("b.yml"), listing("222233334444", "us-west-1")).unwrap();
    running.until_it_has("us-west-1").await;
    fs::write(at("c.yaml"), listing("333344445555", "us-west-2")).unwrap();
    running.until_it_lists("333344445555").await;
    fs::remove_file(at("a.yaml")).unwrap();
    let without = |loaded: &Arc<Loaded>| accounts(loaded) == ["222233334444", "333344445555"];
    timeout(DEADLINE, running.loaded.wait_for(without)).await.unwrap().unwrap();
    running.stop().await;
}

#[tokio::test]
async fn a_mounted_config_map_that_swaps_its_link_takes_effect_as_a_directory_too() {
    let directory = TempDir::new().unwrap();
    let at = |name: &str| directory.path().join(name);
    for (version, account) in [("..2026_1", "111122223333"), ("..2026_2", "222233334444")] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("a.yaml"), listing(account, "us-east-1")).unwrap();
    }
    symlink("..2026_1", at("..data")).unwrap();
    symlink("..data/a.yaml", at("a.yaml")).unwrap();
    let mut running = Running::start(directory.path(), OFTEN).await;
    assert_eq!(accounts(&running.loaded.borrow()), ["111122223333"]);
    symlink("..2026_2", at("..data_tmp")).unwrap();
    fs::rename(at("..data_tmp"), at("..data")).unwrap();
    running.until_it_lists("222233334444").await;
    running.stop().await;
}

#[tokio::test]
async fn one_bad_file_keeps_all_of_the_last_good_state() {
    let directory = two_documents();
    let at = |name: &str| directory.path().join(name);
    // Nothing but the reload is believed: between the two writes there is a good state.
    let mut running = Running::start(directory.path(), Duration::from_hours(1)).await;
    let before = running.loaded.borrow().hash;
    fs::write(at("a.yaml"), listing("333344445555", "us-east-1")).unwrap();
    fs::write(at("b.yml"), listing("222233334444", "us-est-2")).unwrap();
    running.reload.notify_one();
    let status = running.until_status(|status| !status.is_in_force()).await;
    let expected = format!("{}:4:14: spec.regions.us-est-2: no such region; did you mean us-east-2?", at("b.yml").display());
    assert_eq!(status.problem, Some(expected));
    assert_eq!(status.hash, before);
    assert_eq!(accounts(&running.loaded.borrow()), ["111122223333", "222233334444"]);
    running.stop().await;
}

#[tokio::test]
async fn a_file_that_is_renamed_has_another_hash_and_means_the_same() {
    let directory = two_documents();
    let first = open(directory.path()).await;
    fs::rename(directory.path().join("a.yaml"), directory.path().join("z.yaml")).unwrap();
    let second = open(directory.path()).await;
    assert_ne!(first.status().borrow().hash, second.status().borrow().hash);
    assert_eq!(first.loaded().borrow().state, second.loaded().borrow().state);
}

#[tokio::test]
async fn a_directory_that_cannot_be_read_says_which_file_and_what_to_do() {
    let cannot =
        |directory: &TempDir, what: &str| format!("cannot read the desired state {}: {what}", directory.path().display());

    let directory = TempDir::new().unwrap();
    let expected = "it is a directory with no *.yaml in it; put one there, or name another";
    assert_eq!(refused(directory.path()).await, cannot(&directory, expected));

    symlink("nowhere", directory.path().join("a.yaml")).unwrap();
    let expected = "a.yaml: it is gone, or a link to nothing; remove the link, or put back what it leads to";
    assert_eq!(refused(directory.path()).await, cannot(&directory, expected));

    let directory = two_documents();
    File::create(directory.path().join("huge.yaml")).unwrap().set_len(10 << 20).unwrap();
    let expected = "huge.yaml: it is larger than 1 MiB, which no desired state is; remove it";
    assert_eq!(refused(directory.path()).await, cannot(&directory, expected));

    let directory = two_documents();
    fs::write(directory.path().join(OsStr::from_bytes(b"\xff.yaml")), "").unwrap();
    let expected = "\u{fffd}.yaml: its name is not UTF-8, or has control characters in it; rename it";
    assert_eq!(refused(directory.path()).await, cannot(&directory, expected));

    let directory = two_documents();
    for name in ["c.yaml", "d.yaml"] {
        fs::write(directory.path().join(name), "#".repeat(desired::MAX_BYTES / 2)).unwrap();
    }
    let expected = "its files are together larger than 1 MiB, which no desired state is";
    assert_eq!(refused(directory.path()).await, cannot(&directory, expected));

    let directory = TempDir::new().unwrap();
    for index in 0..=1_000 {
        File::create(directory.path().join(format!("{index}.yaml"))).unwrap();
    }
    let expected = "more than 1000 files are in it; merge some, or name another directory";
    assert_eq!(refused(directory.path()).await, cannot(&directory, expected));
}

#[tokio::test]
async fn a_file_that_may_not_be_read_is_told_by_its_path() {
    let directory = two_documents();
    let path = directory.path().join("b.yml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // Root may read everything.
    if File::open(&path).is_err() {
        assert!(refused(directory.path()).await.contains("b.yml: permission is denied; let the user"));
    }
    let reason = ReadError::Entry { file: "b.yml".to_owned(), reason: ReadError::Denied.into() };
    let told = format!("{}: permission is denied; let the user that this process runs as read the file", path.display());
    assert_eq!(reason.told(directory.path()), told);
}
