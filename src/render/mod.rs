//! Docker's output: what is read from Podman's JSON, the values that Docker's client would have, and how they are written.

use std::cell::OnceCell;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::plan::{Answer, Call, Step};

pub mod archive;
pub mod build;
pub mod container_inspect;
pub mod context;
pub mod diff;
pub mod disk_usage;
pub mod engine;
pub mod filter;
pub mod formatter;
pub mod glob;
pub mod history;
pub mod image;
pub mod image_inspect;
pub mod imagetools;
pub mod inspect;
pub mod layers;
pub mod manifest;
pub mod network;
pub mod network_verbs;
pub mod objects;
pub mod policy;
pub mod ports;
pub mod prune;
pub mod ps;
pub mod search;
pub mod store;
pub mod tabwriter;
pub mod template;
pub mod transfer;
pub mod units;
pub mod value;
pub mod volume;

/// Makes Docker's answer of a whole answer of Podman's. Data that a plan carries: its `Debug` is what `docker-shim explain` shows.
pub trait View: fmt::Debug {
    /// Docker's answer; none where Podman's is a failure like any other, or is not understood: it is then passed on.
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer>;
}

/// Makes Docker's lines of Podman's while they come.
pub trait Stream: fmt::Debug {
    /// What Docker would have written for a line (without its end); none passes the line on.
    fn line(&mut self, line: &[u8], desk: &Desk) -> Option<Vec<u8>>;
    /// Whether no more lines are wanted: podman is stopped then, and this is said at the end.
    fn done(&self) -> Option<Answer> {
        None
    }
    /// What Docker says of a failure of podman's; none passes its words on.
    fn failed(&self, _podman: &Answered, _desk: &Desk) -> Option<Answer> {
        None
    }
}

/// Follows what podman says while it works, and says it as Docker would.
pub trait Progress: fmt::Debug {
    /// What to say for a line (without its end) that came.
    fn line(&mut self, line: &[u8]) -> Answer;
    /// What to say when podman has ended, and the command's own status. None shows podman's words for its failure.
    fn end(&mut self, podman: &Answered, desk: &Desk) -> Option<Answer>;
    /// What to say of a failure, by the daemon's words for it; none says those.
    fn failed(&self, _words: &str) -> Option<Answer> {
        None
    }
    /// What to say when a signal has ended the command, with the status of that. (A build is no daemon's work: it ends with its client.)
    fn canceled(&mut self, signal: u8) -> Answer {
        Answer { status: 128 + signal, ..Answer::default() }
    }
    /// Files that the caller asked for, to be written after success.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        Vec::new()
    }
    /// What is to be kept for later commands, after the end. Where it cannot be kept nothing fails.
    fn keep(&self) -> Option<Step> {
        None
    }
}

/// JSON as Go's `MarshalIndent` writes it.
pub fn indented(json: &impl serde::Serialize, indent: &[u8]) -> String {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    // Writing to memory does not fail.
    let _ = json.serialize(&mut serde_json::Serializer::with_formatter(&mut text, formatter));
    String::from_utf8_lossy(&text).into_owned()
}

/// JSON text as Go's encoder leaves it, which escapes what means something to HTML.
pub fn html_safe(text: &str) -> String {
    let escapes = [('<', "\\u003c"), ('>', "\\u003e"), ('&', "\\u0026"), ('\u{2028}', "\\u2028"), ('\u{2029}', "\\u2029")];
    escapes.iter().fold(text.to_string(), |text, (c, escape)| text.replace(*c, escape))
}

/// What podman answered.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answered {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// The exit status; 128 and a signal's number where one ended it.
    pub status: u8,
}

impl Answered {
    /// Its stdout as JSON, when it succeeded.
    pub fn json(&self) -> Option<serde_json::Value> {
        if self.status == 0 { serde_json::from_slice(&self.stdout).ok() } else { None }
    }
}

/// A call, and the longest that it may take.
pub type Limited = (Call, Duration);

type Checking<'a> = &'a dyn Fn(&[Limited]);

/// What a view may ask while it works.
pub struct Desk<'a> {
    /// Starts a call with more arguments and waits for its answer. Only calls that change nothing.
    pub asking: &'a dyn Fn(&Call, &[&OsStr]) -> Answered,
    /// Runs health checks, none for longer than its limit.
    checking: Option<Checking<'a>>,
    now: OnceCell<f64>,
}

impl<'a> Desk<'a> {
    pub fn new(asking: &'a dyn Fn(&Call, &[&OsStr]) -> Answered) -> Desk<'a> {
        Desk { asking, checking: None, now: OnceCell::new() }
    }
    /// The same with somebody who runs health checks.
    pub fn with_checks(self, checking: Checking<'a>) -> Desk<'a> {
        Desk { checking: Some(checking), ..self }
    }
    /// Runs health checks that are due.
    pub fn check(&self, checks: &[Limited]) {
        if let Some(checking) = self.checking.filter(|_| !checks.is_empty()) {
            checking(checks);
        }
    }
    /// The same at a fixed moment.
    pub fn at(now: f64, asking: &'a dyn Fn(&Call, &[&OsStr]) -> Answered) -> Desk<'a> {
        Desk { asking, checking: None, now: OnceCell::from(now) }
    }
    /// Seconds since 1970, the same at every look.
    pub fn now(&self) -> f64 {
        *self.now.get_or_init(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64()))
    }
    /// A file's content; none when it cannot be read.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        std::fs::read(path).ok()
    }
    /// The JSON that a call answers with, with more arguments.
    pub fn ask(&self, call: &Call, args: &[impl AsRef<OsStr>]) -> Option<serde_json::Value> {
        (self.asking)(call, &args.iter().map(AsRef::as_ref).collect::<Vec<_>>()).json()
    }
}

impl Answer {
    /// What goes to stdout, with status 0.
    pub fn printed(stdout: impl Into<Vec<u8>>) -> Answer {
        Answer { stdout: stdout.into(), ..Answer::default() }
    }
    /// A line on stderr and a status.
    pub fn failed(message: impl fmt::Display, status: u8) -> Answer {
        Answer { stderr: format!("{message}\n").into_bytes(), status, ..Answer::default() }
    }
}

/// A text of Podman's JSON; empty where there is none.
pub fn text<'a>(json: &'a serde_json::Value, key: &str) -> &'a str {
    json.get(key).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// Labels with this prefix are ours and never shown to the caller.
pub const OWN_LABELS: &str = "io.docker-shim.";
/// What a container's creator gave: a JSON object with the keys of Docker's create request (`Image` …), as far as Podman cannot tell it.
pub const CREATE_LABEL: &str = "io.docker-shim.create";

/// The file of ours that containers have as [`DOCKERENV_TARGET`], in the image store's directory.
pub const DOCKERENV: &str = "docker-shim-dockerenv";
/// Where every container of Docker's has an empty file.
pub const DOCKERENV_TARGET: &str = "/.dockerenv";

/// Whether a `--volume` of Podman's is that file.
pub fn is_dockerenv(volume: &str) -> bool {
    volume.strip_suffix(":ro").and_then(|v| v.strip_suffix(DOCKERENV_TARGET)).is_some_and(|v| v.ends_with("/docker-shim-dockerenv:"))
}

/// What a container's creator gave, from its labels in Podman's JSON; null for a container that we did not make.
pub fn given(labels: Option<&serde_json::Value>) -> serde_json::Value {
    let label = labels.and_then(|labels| labels.get(CREATE_LABEL)).and_then(serde_json::Value::as_str);
    label.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The labels of an object that the caller may see, in the order of their keys.
pub fn labels(json: &serde_json::Value, key: &str) -> std::collections::BTreeMap<String, String> {
    let labels = json.get(key).and_then(serde_json::Value::as_object).into_iter().flatten();
    let shown = labels.filter(|(name, _)| !name.starts_with(OWN_LABELS));
    shown.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_string())).collect()
}

/// Names as the file manager's order has them, numbers by their value (docker/cli's `sortorder.NaturalLess`).
pub fn natural(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let (Some(x), Some(y)) = (a.first(), b.first()) else { return a.len().cmp(&b.len()) };
        if !x.is_ascii_digit() || !y.is_ascii_digit() {
            if x != y {
                return y.is_ascii_digit().cmp(&x.is_ascii_digit()).then(x.cmp(y));
            }
            (a, b) = (&a[1..], &b[1..]);
            continue;
        }
        let digits = |s: &[u8]| s.iter().take_while(|c| c.is_ascii_digit()).count();
        let zeros = |s: &[u8]| s.iter().take_while(|c| **c == b'0').count();
        let (na, nb) = (digits(a), digits(b));
        let (za, zb) = (zeros(&a[..na]), zeros(&b[..nb]));
        let order = (na - za).cmp(&(nb - zb)).then_with(|| a[za..na].cmp(&b[zb..nb])).then_with(|| na.cmp(&nb));
        if order.is_ne() {
            return order;
        }
        (a, b) = (&a[na..], &b[nb..]);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn natural_order() {
        let mut names = ["b", "a10", "a2", "a02", "a", "ab", "1", "_"];
        names.sort_by(|a, b| super::natural(a, b));
        assert_eq!(names, ["1", "_", "a", "a2", "a02", "a10", "ab", "b"]);
    }
}
