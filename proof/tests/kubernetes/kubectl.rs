//! kubectl, against a cluster of the tests.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs;

/// How long to wait for what controllers do, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(180);
/// Characters of an answer that a failure shows.
const SHOWN: usize = 4000;

#[derive(Clone)]
pub(crate) struct Kubectl {
    /// Where its settings are: the file `kubeconfig`.
    folder: PathBuf,
}

impl Kubectl {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The command with some arguments, not yet run.
    pub(crate) fn command<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let mut command = Command::new(programs::program("kubectl"));
        command
            .args(args)
            .env_clear()
            .env("HOME", &self.folder)
            .env("KUBECONFIG", self.folder.join("kubeconfig"));
        command
    }

    /// What a command prints.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn text(&self, args: &[&str]) -> String {
        programs::text(&mut self.command(args))
    }

    /// What a command prints as JSON.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let text = programs::text(self.command(args).args(["--output", "json"]));
        serde_json::from_str(&text).expect("kubectl prints JSON")
    }

    /// The objects of a list.
    pub(crate) fn items(&self, args: &[&str]) -> Vec<Value> {
        match self.json(args)["items"].take() {
            Value::Array(items) => items,
            other => panic!("{args:?} is no list: {other}"),
        }
    }

    /// Runs a command with something to read.
    ///
    /// # Panics
    /// When it can't be run.
    pub(crate) fn with_input(&self, args: &[&str], input: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("kubectl can be run");
        let mut stdin = child.stdin.take().expect("it is piped");
        stdin.write_all(input.as_bytes()).expect("kubectl reads");
        drop(stdin);
        child.wait_with_output().expect("kubectl ends")
    }

    /// Applies manifests as README.md says for upgrades: what a `rollout undo` set is theirs again.
    ///
    /// # Panics
    /// When they are refused.
    pub(crate) fn apply(&self, manifests: &str) {
        let args = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--filename",
            "-",
        ];
        let output = self.with_input(&args, manifests);
        assert!(output.status.success(), "{}", programs::said(&output));
    }

    /// Applies an overlay as README.md says, and expects not even a warning.
    ///
    /// # Panics
    /// When something is refused, or warned about.
    pub(crate) fn apply_overlay(&self, folder: &Path) {
        let output = self
            .command(["apply", "--server-side", "--kustomize"])
            .arg(folder)
            .output()
            .expect("kubectl can be run");
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}: {}",
            folder.display(),
            programs::said(&output)
        );
    }

    /// What the API server says against a manifest.
    ///
    /// # Panics
    /// When it says nothing against it.
    pub(crate) fn refusal(&self, namespace: &str, manifest: &str) -> String {
        let args = [
            "apply",
            "--server-side",
            "--dry-run=server",
            "--namespace",
            namespace,
            "--filename",
            "-",
        ];
        let output = self.with_input(&args, manifest);
        assert!(!output.status.success(), "accepted:\n{manifest}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// Looks until there is an answer.
///
/// # Panics
/// When there is none in time, with what `look` said last.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        match look() {
            Ok(found) => return found,
            Err(last) => assert!(
                Instant::now() < end,
                "still waiting for {what} after {} s: {}",
                PATIENCE.as_secs(),
                last.chars().take(SHOWN).collect::<String>()
            ),
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
