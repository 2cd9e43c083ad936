//! This program again, as a process of its own that can be measured. Gone when dropped.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// A child process.
pub(crate) struct Process {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// Starts this program with other arguments.
    pub(crate) fn start(arguments: &[&str], environment: &[(String, String)]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the process has ended");
        line.trim_end().to_owned()
    }

    /// Says a line to it, and gives the line that it answers.
    pub(crate) fn ask(&mut self, question: &str) -> String {
        writeln!(self.stdin, "{question}").unwrap();
        self.line()
    }

    /// User and system time, to a hundredth of a second.
    pub(crate) fn cpu(&self) -> Duration {
        cpu(&self.child.id().to_string())
    }

    /// Resident memory in MB.
    pub(crate) fn memory(&self) -> f64 {
        self.megabytes("VmRSS:")
    }

    /// The most resident memory that there ever was, in MB.
    pub(crate) fn most_memory(&self) -> f64 {
        self.megabytes("VmHWM:")
    }

    fn megabytes(&self, figure: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// User and system time of a process id, or of `self`.
pub(crate) fn cpu(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// The controller as a process.
pub(crate) struct Controller {
    pub(crate) process: Process,
    pub(crate) address: String,
}

impl Controller {
    pub(crate) fn start(config: &Path, interval: Duration, environment: &[(String, String)]) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let interval = interval.as_millis().to_string();
        let process = Process::start(&["controller", config.to_str().unwrap(), &address, &interval], environment);
        Self { process, address }
    }

    /// Whether every target has been looked at.
    pub(crate) fn is_ready(&self) -> bool {
        self.get("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.0 200"))
    }

    /// The answer to a GET, head and body.
    pub(crate) fn get(&self, path: &str) -> Option<String> {
        get(&self.address, path)
    }
}

/// The answer to a GET, head and body.
pub(crate) fn get(address: &str, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    let mut answer = String::new();
    write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

/// Waits for a condition.
pub(crate) fn wait(what: &str, most: Duration, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + most;
    while !done() {
        assert!(Instant::now() < deadline, "not within {most:?}: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
