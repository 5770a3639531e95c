//! The real binary, started and killed for a test.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};
use tempfile::TempDir;

/// The key of default/dev of every server here.
pub(crate) const KEY: &str = "askfirst_test_0123456789abcdef";
/// Nothing here takes longer, however slow the machine.
const LIMIT: Duration = Duration::from_mins(1);

/// The binary, with an environment that carries nothing of the caller's keys.
pub(crate) fn askfirst(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_askfirst"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("TMPDIR", home).env("NO_COLOR", "1").current_dir(home).stdin(Stdio::null());
    command
}

/// A running process whose output can be waited for.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in stdout.lines() {
                if line.is_err() || sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Self { child, stdin, lines, seen: Vec::new() }
    }

    /// Waits for a line of standard output that holds this.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(LIMIT) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(text) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no `{text}` in time after {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("it ended without `{text}` after {:#?}", self.seen)
                }
            }
        }
    }

    /// Types a line.
    pub(crate) fn say(&mut self, text: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{text}").unwrap();
    }

    /// SIGKILL: no goodbye.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit code.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }

    /// Ends its input and waits for it to end; everything that it wrote.
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        drop(self.stdin.take());
        self.seen.extend(self.lines.iter());
        let status = self.child.wait().unwrap();
        (status, self.seen.join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server on its own data.
pub(crate) struct Server {
    pub(crate) home: TempDir,
    pub(crate) url: String,
    process: Process,
}

impl Server {
    /// Starts on an empty directory.
    pub(crate) fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (process, url) = serve(home.path(), "127.0.0.1:0");
        Self { home, url, process }
    }

    /// Starts on an empty directory with further arguments and variables, with the family's policy.
    pub(crate) fn of_the_family_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = serving(home.path(), "127.0.0.1:0");
        let (process, url) = ready(command.args(arguments).envs(variables.iter().copied()));
        Self { home, url, process }.furnished()
    }

    /// With the family's policy.
    pub(crate) fn of_the_family() -> Self {
        Self::start().furnished()
    }

    fn furnished(self) -> Self {
        let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/family/policy.yaml");
        self.ok(&["policy", "apply", policy.to_str().unwrap()]);
        self
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    /// SIGKILL, and a start on the same data and port.
    pub(crate) fn kill_and_restart(&mut self) {
        self.process.kill();
        self.start_again();
    }

    /// After a stop, on the same data and port.
    pub(crate) fn start_again(&mut self) {
        let address = self.url.trim_start_matches("http://").to_owned();
        (self.process, self.url) = serve(self.home.path(), &address);
    }

    /// SIGTERM.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.process.terminate()
    }

    /// A command of a client of this server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = askfirst(self.home.path());
        command.args(arguments).env("ASKFIRST_URL", &self.url).env("ASKFIRST_API_KEY", KEY);
        command
    }

    /// Runs it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// It must succeed; its standard output.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stdout(&output)
    }

    /// It must fail with 2; the sentence on standard error.
    pub(crate) fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", stdout(&output));
        stderr(&output)
    }

    /// The exit code of a check.
    pub(crate) fn check(&self, user: &str, action: &str, place: &str) -> Option<i32> {
        self.run(&["check", user, action, place]).status.code()
    }

    /// henry asks for the role of a child at Pizza Palace; the request's id.
    pub(crate) async fn henry_asks(&self, reason: &str) -> String {
        let body = serde_json::json!({
            "access_request_details": {"tenant": "default", "resource": "restaurants", "role": "child-can-order",
                "resource_instance": "pizza-palace"},
            "reason": reason,
        });
        let path = "/v2/facts/default/dev/access_requests/restaurant-requests/user/henry/tenant/default";
        let answer = Self::http()
            .post(format!("{}{path}", self.url))
            .bearer_auth(KEY)
            .json(&body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let request: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{request}");
        request.get("id").and_then(Value::as_str).unwrap().to_owned()
    }

    pub(crate) fn http() -> reqwest::Client {
        let _ = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
    }
}

fn serve(home: &Path, address: &str) -> (Process, String) {
    ready(&mut serving(home, address))
}

fn serving(home: &Path, address: &str) -> Command {
    let mut command = askfirst(home);
    command
        .args(["serve", "--data", "data", "--listen", address, "--log", "warn"])
        .env("ASKFIRST_API_KEY", KEY);
    command
}

/// Starts a server and waits until it is ready; where it listens.
fn ready(command: &mut Command) -> (Process, String) {
    let mut process = Process::start(command);
    let line = process.until("listening on");
    let url = line.rsplit(' ').next().unwrap().to_owned();
    (process, url)
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A file of a test, as text.
pub(crate) fn text_of(path: &Path) -> String {
    let mut text = String::new();
    std::fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
    text
}
