//! What Podman's own files tell of a container without starting podman, which would cost forty times our own start.
//!
//! These are hints. Where they say nothing (another engine, a store elsewhere, a cgroup that does not tell), podman is asked.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde_json::Value;

use super::store;
use crate::host::Host;
use crate::plan::Context;

/// A container of this host's Podman.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: String,
    pub name: String,
    /// Where the container's own files lie while it is not running, and while it is.
    graph: PathBuf,
    run: PathBuf,
}

/// The container that is meant by a name, an ID or the start of one; none where the index does not name exactly one.
pub fn find(wanted: &OsStr, context: &Context) -> Option<Found> {
    if context.engine.remote.is_some() {
        return None;
    }
    let wanted = plain(wanted).to_str().filter(|w| !w.is_empty())?;
    let (graphs, run) = store::places(context.host);
    for graph in graphs {
        for driver in ["overlay", "vfs", "btrfs", "zfs"] {
            let directory = format!("{driver}-containers");
            let Some(index) = context.host.read(&graph.join(&directory).join("containers.json")) else { continue };
            if memmem::find(&index, wanted.as_bytes()).is_none() {
                continue;
            }
            let entries: Vec<Value> = serde_json::from_slice(&index).ok()?;
            let found = by_name(&entries, wanted)?;
            let files = |root: &Path| root.join(&directory).join(id(found)).join("userdata");
            let name = names(found).next().unwrap_or_default().to_string();
            return Some(Found { id: id(found).to_string(), name, graph: files(&graph), run: files(&run) });
        }
    }
    None
}

/// An entry of the store's index (containers/storage, `*-containers/containers.json`).
fn by_name<'a>(entries: &'a [Value], wanted: &str) -> Option<&'a Value> {
    let exact = entries.iter().find(|e| id(e) == wanted || names(e).any(|n| n == wanted));
    exact.or_else(|| {
        let mut starts = entries.iter().filter(|e| id(e).starts_with(wanted));
        starts.next().filter(|_| starts.next().is_none())
    })
}

fn id(entry: &Value) -> &str {
    entry.get("id").and_then(Value::as_str).unwrap_or_default()
}

fn names(entry: &Value) -> impl Iterator<Item = &str> {
    entry.get("names").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A name without the leading slash that Docker's names have; Podman 4 does not take it.
pub fn plain(name: &OsStr) -> &OsStr {
    let bytes = name.as_bytes();
    OsStr::from_bytes(bytes.strip_prefix(b"/").unwrap_or(bytes))
}

/// What a container does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Running,
    Paused,
}

impl Found {
    fn pid(&self, host: &dyn Host) -> Option<u32> {
        let pid = host.read(&self.run.join("pidfile"))?;
        std::str::from_utf8(&pid).ok()?.trim().parse().ok()
    }

    /// The root directory of a running container as this host sees it.
    pub fn root(&self, host: &dyn Host) -> Option<PathBuf> {
        Some(PathBuf::from(format!("/proc/{}/root", self.pid(host)?)))
    }

    /// What it does; none where it does not run, or that cannot be seen.
    pub fn doing(&self, host: &dyn Host) -> Option<Doing> {
        let pid = self.pid(host)?;
        let cgroups = host.read(Path::new(&format!("/proc/{pid}/cgroup")))?;
        let mut paths = cgroups.split(|b| *b == b'\n').filter_map(|line| {
            let mut fields = line.splitn(3, |b| *b == b':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            // The process has this number, and is still the container's own.
            memmem::find(path, self.id.as_bytes())?;
            Some((controllers, Path::new(OsStr::from_bytes(path.strip_prefix(b"/")?))))
        });
        let frozen = |file: PathBuf, word: &[u8]| host.read(&file).is_some_and(|text| memmem::find(&text, word).is_some());
        let (mut ours, mut paused) = (false, false);
        for (controllers, path) in &mut paths {
            ours = true;
            paused |= match controllers {
                b"" => frozen(Path::new("/sys/fs/cgroup").join(path).join("cgroup.events"), b"frozen 1"),
                b"freezer" => frozen(Path::new("/sys/fs/cgroup/freezer").join(path).join("freezer.state"), b"FROZEN"),
                _ => false,
            };
        }
        // Without a cgroup of its own (rootless, cgroup v1) it cannot be paused.
        (ours || self.is_watched(host)).then_some(if paused { Doing::Paused } else { Doing::Running })
    }

    /// Whether its conmon lives, which ends with it.
    fn is_watched(&self, host: &dyn Host) -> bool {
        let conmon = host.read(&self.run.join("conmon.pid"));
        let pid = conmon.and_then(|pid| std::str::from_utf8(&pid).ok()?.trim().parse::<u32>().ok());
        let words = pid.and_then(|pid| host.read(Path::new(&format!("/proc/{pid}/cmdline"))));
        words.is_some_and(|words| memmem::find(&words, self.id.as_bytes()).is_some())
    }

    /// A variable of its environment, from the specification that the OCI runtime was given.
    pub fn env(&self, name: &str, host: &dyn Host) -> Option<String> {
        let spec = host.read(&self.graph.join("config.json"))?;
        let before = format!("\"{name}=");
        let rest = &spec[memmem::find(&spec, before.as_bytes())? + before.len()..];
        let value = &rest[..memmem::find(rest, b"\"")?];
        // An escaped value is not worth a parser here.
        std::str::from_utf8(value).ok().filter(|v| !v.contains('\\')).map(str::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_may_be_cut_short_but_not_be_two() {
        let text = br#"[{"id":"abc1","names":["one"],"x":1},{"id":"abc2"},{"id":"f00","names":["abc"]}]"#;
        let entries: Vec<Value> = serde_json::from_slice(text).unwrap();
        let found = |wanted| by_name(&entries, wanted).map(id);
        assert_eq!([found("one"), found("abc2"), found("abc")], [Some("abc1"), Some("abc2"), Some("f00")]);
        assert_eq!([found("f"), found("ab"), found("x")], [Some("f00"), None, None]);
    }
}
