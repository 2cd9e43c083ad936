//! What builds and runs the image: buildah and podman, as `tools/release/image` set them up.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use aws_sandbox::Sandbox;
use serde_json::Value;

pub const ACCOUNT: &str = "111122223333";
const IMAGE: &str = "localhost/dhmc-controller:check";
/// Far longer than anything here takes: reached only when something is wrong.
pub const DEADLINE: Duration = Duration::from_mins(1);

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program before the images of `tools/release/image`, and no others.
pub fn engine(program: &str, arguments: &[&str]) -> Command {
    let store = root().join("target/tools/images");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).env("BUILDAH_ISOLATION", "chroot");
    command.env("CONTAINERS_STORAGE_CONF", store.join("storage.conf"));
    if program == "podman" {
        command.env("CONTAINERS_CONF", store.join("containers.conf"));
    }
    command
}

/// All that a command said, and how it ended.
pub fn output(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: run `make release-tools`"));
    (status.code(), String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr))
}

/// What a command that has to work said on standard output.
pub fn said(mut command: Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: run `make release-tools`"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn git(arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    git.args(arguments).current_dir(root()).env("TZ", "UTC");
    said(git).trim().to_owned()
}

/// The commit that is checked out.
pub fn commit() -> String {
    git(&["describe", "--always", "--dirty", "--abbrev=40", "--exclude", "*"])
}

/// When it was made. The image is said to be built then, so that what is built once serves the next run too.
pub fn committed() -> String {
    git(&["show", "--no-patch", "--date=format-local:%Y-%m-%dT%H:%M:%SZ", "--format=%cd", "HEAD"])
}

/// What cargo has to be told inside the build to reach the crates as it does outside.
fn reach_of_cargo() -> String {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let bundle = variable("CARGO_HTTP_CAINFO").or_else(|| variable("SSL_CERT_FILE"));
    let bundle = bundle.unwrap_or_else(|| "/etc/ssl/certs/ca-certificates.crt".into());
    let home = variable("CARGO_HOME").or_else(|| Some(variable("HOME")?.join(".cargo"))).unwrap_or_default();
    let authorities = bundle.exists().then(|| format!(" --secret id=authorities,src={}", bundle.display()));
    let config = home.join("config.toml");
    let config = config.exists().then(|| format!(" --volume {}:/usr/local/cargo/config.toml:ro", config.display()));
    [authorities, config].into_iter().flatten().collect()
}

/// The name, or what was said instead.
fn build(image: &str, more: &str) -> Result<String, String> {
    let flags = format!("ENGINE_FLAGS=--layers --pull-never {more}{}", reach_of_cargo());
    let (image_is, built) = (format!("IMAGE={image}"), format!("BUILT={}", committed()));
    let (code, log) = output(engine("make", &["image", "ENGINE=buildah", &image_is, &built, &flags]));
    if code == Some(0) { Ok(image.to_owned()) } else { Err(log) }
}

/// The image, built once of the very Dockerfile, by `make image`.
pub fn image() -> &'static str {
    static BUILT: LazyLock<Result<String, String>> = LazyLock::new(|| build(IMAGE, ""));
    BUILT.as_ref().unwrap_or_else(|log| panic!("{log}"))
}

/// The stage of the Dockerfile where Debian's certificate authorities come from.
pub fn authorities() -> String {
    build("localhost/dhmc-authorities:check", "--target authorities").unwrap_or_else(|log| panic!("{log}"))
}

/// What the image says of itself.
pub fn inspected() -> Value {
    let text = said(engine("podman", &["image", "inspect", image()]));
    serde_json::from_str::<Value>(&text).unwrap()[0].clone()
}

/// The image's own root file system, to be looked at.
pub fn with_files<T>(look: impl FnOnce(&Path) -> T) -> T {
    let folder = said(engine("podman", &["image", "mount", image()]));
    let seen = look(Path::new(folder.trim()));
    said(engine("podman", &["image", "unmount", image()]));
    seen
}

/// A figure for whoever runs this; the harness shows what is printed of failed tests alone.
pub fn tell(figure: &str) {
    let _ = writeln!(std::io::stderr(), "{figure}");
}

/// `podman run` as README.md says, and stricter: podman alone would put writable folders into a read-only root.
pub fn run(network: &str, flags: &[&str]) -> Command {
    let mut command =
        engine("podman", &["run", "--pull", "never", "--network", network, "--read-only", "--read-only-tmpfs=false"]);
    command.args(["--cap-drop", "all", "--security-opt", "no-new-privileges"]).args(flags);
    command
}

/// The flags that give somebody of the sandbox to a container.
pub fn credentials(sandbox: &Sandbox) -> Vec<String> {
    let credentials = sandbox.account(ACCOUNT).credentials();
    let mut flags = vec![
        format!("--env=AWS_ACCESS_KEY_ID={}", credentials.access_key_id),
        format!("--env=AWS_SECRET_ACCESS_KEY={}", credentials.secret_access_key),
    ];
    flags.extend(credentials.session_token.map(|token| format!("--env=AWS_SESSION_TOKEN={token}")));
    flags
}

/// A container that runs until it is stopped, and is gone afterwards.
pub struct Container {
    id: String,
}

impl Container {
    /// Starts what `run` made, with the arguments of the program if there are some.
    pub fn start(mut run: Command, arguments: &[&str]) -> Self {
        run.args(["--detach", image()]).args(arguments);
        Self { id: said(run).trim().to_owned() }
    }

    pub fn log(&self) -> String {
        output(engine("podman", &["logs", &self.id])).1
    }

    pub fn state(&self, field: &str) -> String {
        let format = format!("{{{{.State.{field}}}}}");
        said(engine("podman", &["inspect", "--format", &format, &self.id])).trim().to_owned()
    }

    /// What the kernel says of the process.
    pub fn kernel(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.state("Pid"))).unwrap()
    }

    /// Stops it as a container engine does: with the image's stop signal, and a kill if that does not help in time.
    pub fn stop(&self) -> String {
        said(engine("podman", &["stop", "--time", "30", &self.id]));
        self.state("ExitCode")
    }

    /// Waits for a line of the log.
    pub async fn line_with(&self, text: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| line.contains(text)) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "`{text}` is not in the log: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = output(engine("podman", &["rm", "--force", "--time", "0", &self.id]));
    }
}
