//! The image: built of the very Dockerfile, looked into, and run by a real engine as README.md says, against the sandbox.

mod engine;
mod name_server;
#[path = "../integration/tls.rs"]
mod tls;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_sandbox::{Options, Sandbox};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use engine::{
    ACCOUNT, Container, DEADLINE, authorities, commit, committed, credentials, engine, image, inspected, output, run, said, tell,
    with_files,
};
use name_server::NameServer;

const BUNDLE: &str = "etc/ssl/certs/ca-certificates.crt";
const MEGABYTE: u64 = 1_000_000;
const ROLE: &str = "/AWSSystemsManagerDefaultEC2InstanceManagementRole";
const NAME: &str = "aws.test";

/// A folder with a document, to be mounted where the image looks for it.
fn configuration(regions: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    declare(folder.path(), regions);
    // The container's user is nobody here.
    fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

fn declare(folder: &Path, regions: &str) {
    let document = format!("apiVersion: dhmc.dev/v1alpha1\nkind: HostManagement\nspec: {{regions: {regions}}}\n");
    fs::write(folder.join("dhmc.yaml"), document).unwrap();
}

fn mounted(folder: &Path, at: &str) -> String {
    format!("--volume={}:{at}:ro", folder.display())
}

fn borrowed(flags: &[String]) -> Vec<&str> {
    flags.iter().map(String::as_str).collect()
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The answer to a GET, empty where there is none.
async fn get(address: &str, path: &str) -> String {
    let mut text = String::new();
    if let Ok(mut stream) = TcpStream::connect(address).await {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        if stream.write_all(request.as_bytes()).await.is_ok() && stream.read_to_string(&mut text).await.is_err() {
            text.clear();
        }
    }
    text
}

#[test]
fn the_image_is_smaller_than_30_megabytes() {
    let size = inspected()["Size"].as_u64().unwrap();
    let binary = with_files(|root| fs::metadata(root.join("dhmc-controller")).unwrap().len());
    let tenths = |bytes: u64| format!("{}.{} MB", bytes / MEGABYTE, bytes % MEGABYTE / (MEGABYTE / 10));
    tell(&format!("the image has {}, of which the binary has {}", tenths(size), tenths(binary)));
    assert!(size < 30 * MEGABYTE, "{size} bytes");
}

#[test]
fn the_image_says_what_it_is_of_which_commit_and_how_it_is_run() {
    let inspected = inspected();
    let config = &inspected["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], serde_json::json!(["/dhmc-controller"]));
    assert_eq!(config["Cmd"], serde_json::json!(["run", "--config", "/etc/dhmc/dhmc.yaml"]));
    assert_eq!(config["StopSignal"], "SIGTERM");
    assert_eq!(config["ExposedPorts"], serde_json::json!({ "8080/tcp": {} }));
    let label = |name: &str| config["Labels"][format!("org.opencontainers.image.{name}")].as_str().unwrap_or_default().to_owned();
    assert_eq!(label("title"), env!("CARGO_PKG_NAME"));
    assert_eq!(label("description"), env!("CARGO_PKG_DESCRIPTION"));
    assert_eq!(label("licenses"), env!("CARGO_PKG_LICENSE"));
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("revision"), commit());
    assert!(label("source").starts_with("https://"), "{}", label("source"));
    assert_eq!(label("created"), committed());
    assert!(label("created").parse::<jiff::Timestamp>().is_ok(), "{}", label("created"));

    let mut version = run("none", &[]);
    version.args([image(), "--version"]);
    let expected =
        format!("dhmc-controller {}\ncommit: {}\nbuilt:  {}\n", env!("CARGO_PKG_VERSION"), label("revision"), label("created"));
    assert_eq!(said(version), expected);
}

#[test]
fn the_image_holds_nothing_but_the_binary_the_authorities_and_a_user_and_nobody_but_root_may_write_there() {
    let found = with_files(|root| {
        let (mut found, mut left) = (BTreeSet::new(), vec![root.to_owned()]);
        while let Some(folder) = left.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = path.symlink_metadata().unwrap();
                let name = path.strip_prefix(root).unwrap().display().to_string();
                assert_eq!(
                    (metadata.uid(), metadata.gid(), metadata.mode() & 0o7022),
                    (0, 0, 0),
                    "{name}: {:o}",
                    metadata.mode()
                );
                assert!(metadata.is_dir() || metadata.is_file(), "{name} is neither folder nor file");
                if metadata.is_dir() {
                    left.push(path);
                } else {
                    found.insert(name);
                }
            }
        }
        assert_eq!(fs::read_to_string(root.join("etc/passwd")).unwrap(), "dhmc:x:65532:65532::/:\n");
        found
    });
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), ["dhmc-controller", "etc/passwd", BUNDLE]);
}

#[test]
fn the_binary_needs_no_interpreter_and_no_library() {
    let read = with_files(|root| {
        let mut readelf = std::process::Command::new("readelf");
        readelf.args(["--wide", "--program-headers", "--dynamic"]).arg(root.join("dhmc-controller"));
        said(readelf)
    });
    assert!(read.contains("LOAD"), "{read}");
    assert!(!read.contains("INTERP") && !read.contains("NEEDED"), "{read}");
}

/// The certificates in a bundle.
fn certificates(bundle: &str) -> BTreeSet<String> {
    let all = bundle.split("-----END CERTIFICATE-----").filter_map(|one| one.split_once("-----BEGIN CERTIFICATE-----"));
    all.map(|(_, certificate)| certificate.split_whitespace().collect()).collect()
}

/// A machine that builds may trust a proxy. What is shipped must not.
#[test]
fn the_authorities_are_those_of_debians_package_and_no_others() {
    let package = said(engine(
        "podman",
        &[
            &["run", "--rm", "--pull", "never", "--network", "none", &authorities(), "sh", "-c"][..],
            &["dpkg --verify ca-certificates >&2 && dpkg -L ca-certificates | grep '^/usr/share/ca-certificates/.*[.]crt$' | xargs cat"],
        ]
        .concat(),
    ));
    let bundle = with_files(|root| fs::read_to_string(root.join(BUNDLE)).unwrap());
    let (package, bundle) = (certificates(&package), certificates(&bundle));
    assert!(package.len() > 100, "{}", package.len());
    assert!(package == bundle, "{} in the package, {} in the image", package.len(), bundle.len());
}

#[test]
fn the_binary_has_no_demo() {
    let mut demo = run("none", &["--rm"]);
    demo.args([image(), "demo"]);
    let (code, told) = output(demo);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("unrecognized subcommand 'demo'"), "{told}");
}

/// As in a pod: the document in a mounted folder, a name server in /etc/resolv.conf, an authority of one's own.
#[tokio::test]
async fn it_converges_over_dns_and_tls_as_nobody_on_a_read_only_root_follows_its_document_and_ends_at_sigterm() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let names = NameServer::of(NAME).await;
    let (authority, port) = tls::tls_door(NAME, sandbox.addr()).await;
    let (config, trust) = (configuration("{us-east-1: enabled}"), configuration("{}"));
    fs::write(trust.path().join("ca.pem"), authority).unwrap();
    let listen = format!("127.0.0.1:{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let mut flags = credentials(&sandbox);
    flags.extend([
        format!("--dns={}", names.address),
        mounted(config.path(), "/etc/dhmc"),
        mounted(trust.path(), "/etc/trust"),
        "--env=AWS_CA_BUNDLE=/etc/trust/ca.pem".to_owned(),
        format!("--env=AWS_ENDPOINT_URL=https://{NAME}:{port}"),
        format!("--env=DHMC_LISTEN={listen}"),
        "--env=DHMC_INTERVAL=1s".to_owned(),
    ]);
    let container = Container::start(run("host", &borrowed(&flags)), &[]);
    until("ready", async || get(&listen, "/readyz").await.starts_with("HTTP/1.1 200")).await;
    let is_on = |region: &str| sandbox.account(ACCOUNT).setting(region).value.is_some_and(|role| role.ends_with(ROLE));
    until("us-east-1 is on", async || is_on("us-east-1")).await;
    until("all is told to be in sync", async || {
        let metrics = get(&listen, "/metrics").await;
        let of = |state: &str| {
            metrics.lines().any(|line| line.starts_with("dhmc_targets{") && line.contains(state) && !line.ends_with(" 0"))
        };
        of("state=\"in_sync\"") && ["drifted", "unknown", "blocked"].iter().all(|state| !of(&format!("state=\"{state}\"")))
    })
    .await;
    assert!(get(&listen, "/metrics").await.contains(&format!("commit=\"{}\"", commit())));
    assert!(names.said().contains(&format!("query[A] {NAME}")), "{}", names.said());

    sandbox.account(ACCOUNT).reset_setting("us-east-1", "arn:aws:iam::111122223333:user/mallory");
    until("us-east-1 is on again", async || is_on("us-east-1")).await;
    declare(config.path(), "{us-east-1: enabled, eu-west-1: enabled}");
    until("the edit is in force", async || is_on("eu-west-1")).await;

    let status = container.kernel("status");
    let has = |field: &str, value: &str| status.lines().any(|line| line.split_whitespace().take(2).eq([field, value]));
    assert!(has("Uid:", "65532") && has("Gid:", "65532") && has("NoNewPrivs:", "1"), "{status}");
    assert!(has("CapEff:", "0000000000000000") && has("CapBnd:", "0000000000000000"), "{status}");
    let mounts = container.kernel("mountinfo");
    assert!(
        mounts.lines().any(|line| line.split(' ').nth(4) == Some("/") && line.split(' ').nth(5).unwrap().starts_with("ro")),
        "{mounts}"
    );

    assert_eq!(container.stop(), "0", "{}", container.log());
    assert!(container.log().contains("stopping"), "{}", container.log());
    assert!(!container.log().contains("root CA"), "the system's authorities were found: {}", container.log());
}

#[tokio::test]
async fn a_name_in_etc_hosts_does_without_a_name_server_and_a_second_pass_has_nothing_to_write() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let config = configuration("{us-east-1: enabled, eu-west-1: enabled}");
    // Nobody listens there.
    let mut flags = ["--rm", "--dns=127.53.0.0", "--add-host=aws.test:127.0.0.1"].map(str::to_owned).to_vec();
    flags.extend(credentials(&sandbox));
    flags
        .extend([mounted(config.path(), "/etc/dhmc"), format!("--env=AWS_ENDPOINT_URL=http://{NAME}:{}", sandbox.addr().port())]);
    for first in [true, false] {
        sandbox.journal().clear();
        let mut once = run("host", &borrowed(&flags));
        once.args([image(), "run", "--once", "--config", "/etc/dhmc/dhmc.yaml"]);
        // The sandbox is in this process and has to answer meanwhile.
        let (code, log) = tokio::task::spawn_blocking(|| output(once)).await.unwrap();
        assert_eq!(code, Some(0), "{log}");
        assert_eq!(!sandbox.journal().writes().is_empty(), first, "{:?}", sandbox.journal().writes());
    }
}

#[tokio::test]
async fn a_server_that_only_a_private_authority_vouches_for_is_not_believed_by_default() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let (_, port) = tls::tls_door(NAME, sandbox.addr()).await;
    let config = configuration("{us-east-1: enabled}");
    let mut flags = credentials(&sandbox);
    flags.extend([mounted(config.path(), "/etc/dhmc"), format!("--add-host={NAME}:127.0.0.1")]);
    flags.extend([format!("--env=AWS_ENDPOINT_URL=https://{NAME}:{port}"), "--env=DHMC_LISTEN=127.0.0.1:0".to_owned()]);
    let container = Container::start(run("host", &borrowed(&flags)), &[]);
    let told = container.line_with("GetCallerIdentity").await;
    assert!(told.contains("UnknownIssuer"), "{told}");
    assert!(sandbox.journal().calls().is_empty());
}

#[tokio::test]
async fn without_a_network_it_says_which_name_it_could_not_look_up() {
    let sandbox = Sandbox::start(Options::default()).await.unwrap();
    let config = configuration("{us-east-1: enabled}");
    let mut flags = credentials(&sandbox);
    flags.push(mounted(config.path(), "/etc/dhmc"));
    let container = Container::start(run("none", &borrowed(&flags)), &[]);
    let told = container.line_with("GetCallerIdentity").await;
    assert!(told.contains("failed to lookup address information"), "{told}");
    assert_eq!(container.stop(), "0", "{}", container.log());
}
