//! The containers of the local store, and those among them that builds which were killed have left: Podman takes its working
//! containers away when a build ends, but not when it is ended, and with one its image can neither be removed nor pruned.

use std::path::{Path, PathBuf};

use memchr::memmem;
use serde_json::Value as Json;

use super::{Read, beside, entries, text_of};
use crate::host::Host;

/// A container as the store has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub image: String,
    pub layer: String,
    /// Where its files are.
    directory: PathBuf,
}

/// The containers of the indexes beside those of the images.
pub fn containers_of(images: &[PathBuf], read: Read) -> Vec<Container> {
    let of = |images: &PathBuf| {
        let directory = beside(images, "containers");
        let container = |entry: Json| {
            let id = text_of(&entry, "id");
            Container { directory: directory.join(&id), image: text_of(&entry, "image"), layer: text_of(&entry, "layer"), id }
        };
        entries(images, "containers", read).into_iter().map(container).collect::<Vec<_>>()
    };
    images.iter().flat_map(of).collect()
}

/// What a build of ours is known by, as the ID of a secret that holds nothing: of all that podman is told, secrets are what its working
/// containers note and an image does not show. None where processes cannot be told apart.
pub fn mark(host: &dyn Host) -> Option<String> {
    let namespace = namespace(&|path| host.link(path))?;
    Some(format!("{MARK}{namespace}.{}.{}", host.pid(), started(host.pid(), &|path| host.read(path))?))
}

const MARK: &str = "docker-shim.";

/// The working containers of our builds whose process has ended, as this one's builds have. Those of another process namespace may live.
pub fn left(images: &[PathBuf], read: Read, link: &dyn Fn(&Path) -> Option<PathBuf>) -> Vec<Container> {
    let Some(namespace) = namespace(link) else { return vec![] };
    let has_ended = |container: &Container| -> Option<bool> {
        let builder = read(&container.directory.join("userdata/buildah.json"))?;
        let quoted = format!("\"id={MARK}{namespace}.");
        let mark = &builder[memmem::find(&builder, quoted.as_bytes())? + quoted.len()..];
        let mark = std::str::from_utf8(&mark[..memchr::memchr(b',', mark)?]).ok()?;
        let (pid, start) = mark.split_once('.')?;
        let pid = pid.parse().ok()?;
        Some(pid == std::process::id() || started(pid, read).as_deref() != Some(start))
    };
    containers_of(images, read).into_iter().filter(|container| has_ended(container) == Some(true)).collect()
}

/// The number of the process namespace that this process is in.
fn namespace(link: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<String> {
    let link = link("/proc/self/ns/pid".as_ref())?;
    let digits: String = link.to_str()?.chars().filter(char::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// When a process was started, in clock ticks since the machine was: the 22nd field of `/proc/PID/stat`, the second of which, the name,
/// may hold anything.
fn started(pid: u32, read: Read) -> Option<String> {
    let stat = String::from_utf8_lossy(&read(format!("/proc/{pid}/stat").as_ref())?).into_owned();
    stat.rsplit_once(')')?.1.split_whitespace().nth(19).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn builds_of_processes_that_have_ended() {
        let own = std::process::id();
        let builder = |mark: &str| format!(r#"{{"CommonBuildOpts":{{"Secrets":["id=other,src=/x","id={mark},src=/dev/null"]}}}}"#);
        let directory = "/s/overlay-containers";
        let mut files: HashMap<PathBuf, String> = HashMap::from([
            ("/proc/70/stat".into(), format!("70 (a) b) S {} 900 0", "1 ".repeat(18).trim_end())),
            ("/proc/71/stat".into(), format!("71 (sh) S {} 900 0", "1 ".repeat(18).trim_end())),
        ]);
        let marks = [
            ("alive", "docker-shim.5.70.900".to_string()),
            ("again", "docker-shim.5.71.899".into()),
            ("ended", "docker-shim.5.72.900".into()),
            ("own", format!("docker-shim.5.{own}.900")),
            ("elsewhere", "docker-shim.6.72.900".into()),
            ("plain", "x".into()),
        ];
        for (id, mark) in &marks {
            files.insert(format!("{directory}/{id}/userdata/buildah.json").into(), builder(mark));
        }
        let entry = |id: &str| format!(r#"{{"id":"{id}","image":"i","layer":"l-{id}"}}"#);
        let all: Vec<String> = marks[1..].iter().map(|(id, _)| entry(id)).collect();
        files.insert(format!("{directory}/containers.json").into(), format!("[{},{}]", entry("alive"), entry("run")));
        files.insert(format!("{directory}/volatile-containers.json").into(), format!("[{}]", all.join(",")));
        let read = |path: &Path| files.get(path).map(|text| text.clone().into_bytes());
        let left = left(&["/s/overlay-images".into()], &read, &|_| Some("pid:[5]".into()));
        assert_eq!(left.iter().map(|c| c.id.as_str()).collect::<Vec<_>>(), ["again", "ended", "own"]);
        assert_eq!(left[0].layer, "l-again");
        assert_eq!(containers_of(&["/s/overlay-images".into()], &read).len(), 7);
    }
}
