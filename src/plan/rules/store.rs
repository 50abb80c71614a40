//! Which images the local store holds, read from the store's own index (containers/storage, `*-images/images.json`):
//! starting podman to ask costs forty times our own start.

use std::cell::OnceCell;
use std::path::{Component, Path, PathBuf};

use memchr::memmem;
use serde_json::Value as Json;

use crate::host::{self, Host};
use crate::plan::Context;
use crate::{base64, sha256};

mod containers;
mod image;

pub use containers::{Container, containers_of, left, mark};
pub use image::{Image, Read, images_of};

/// The local image store's index; its text, so that a look-up is a search.
pub struct Store<'a> {
    host: &'a dyn Host,
    index: OnceCell<Vec<u8>>,
    roots: OnceCell<Vec<PathBuf>>,
}

/// As much of an image's record as running it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 64 hex digits.
    pub id: String,
    /// Its topmost layer; empty for an image without layers.
    pub layer: String,
}

/// As the kernel's own limit (`path_resolution(7)`).
const MOST_LINKS: usize = 40;

/// What is known of a directory of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The path with the image's links followed, as far as they are known.
    pub path: PathBuf,
    /// As much of the path as surely is there.
    pub there: PathBuf,
    /// The rest surely is not.
    pub absent: bool,
}

/// What an image says of the containers made of it (the OCI image configuration, as far as it matters here).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ImageConfig {
    pub user: String,
    pub working_dir: String,
    pub env: Vec<String>,
    pub entrypoint: Option<Vec<String>>,
    pub cmd: Option<Vec<String>>,
    /// Its health check, as it stands there.
    pub healthcheck: Json,
}

impl ImageConfig {
    /// Whether it sets an environment variable.
    pub fn sets(&self, name: &str) -> bool {
        self.env.iter().any(|e| e.split('=').next() == Some(name))
    }
}

/// The kinds of stores, by the storage driver.
pub const DRIVERS: [&str; 4] = ["overlay", "vfs", "btrfs", "zfs"];

impl Store<'_> {
    /// The store of the caller's Podman on this host. Read at the first look-up.
    pub fn of(host: &dyn Host) -> Store<'_> {
        Store { host, index: OnceCell::new(), roots: OnceCell::new() }
    }

    /// Whether an image has this full name, with its tag or digest.
    pub fn has_name(&self, name: &str) -> bool {
        self.holds(&format!("\"{name}\""))
    }

    /// Whether an image's ID begins so, `sha256:` before it or not.
    pub fn has_id(&self, start: &str) -> bool {
        let hex = start.strip_prefix("sha256:").unwrap_or(start);
        self.holds(&format!("\"id\":\"{hex}"))
    }

    fn holds(&self, text: &str) -> bool {
        memmem::find(self.index(), text.as_bytes()).is_some()
    }

    fn index(&self) -> &[u8] {
        self.index.get_or_init(|| self.read())
    }

    /// The image that has a full name now, with its tag or digest.
    pub fn named(&self, name: &str) -> Option<Entry> {
        let index = self.index();
        let quoted = format!("\"{name}\"");
        // The name may stand among the former names of other images too.
        let is_name = |at: &usize| {
            let list = memmem::rfind(&index[..*at], b"[").unwrap_or(0);
            index[..list].ends_with(b"\"names\":")
        };
        let at = memmem::find_iter(index, quoted.as_bytes()).find(is_name)?;
        self.entry_at(memmem::rfind(&index[..at], b"{\"id\":\"")?)
    }

    /// The image whose ID begins so, `sha256:` before it or not.
    pub fn with_id(&self, start: &str) -> Option<Entry> {
        let hex = start.strip_prefix("sha256:").unwrap_or(start);
        self.entry_at(memmem::find(self.index(), format!("{{\"id\":\"{hex}").as_bytes())?)
    }

    /// The image whose record begins at this place of the index.
    fn entry_at(&self, at: usize) -> Option<Entry> {
        let record = &self.index()[at..];
        let record = &record[..memmem::find(&record[1..], b"{\"id\":").map_or(record.len(), |end| end + 1)];
        Some(Entry { id: field(record, "id")?, layer: field(record, "layer").unwrap_or_default() })
    }

    /// The configuration of an image, if it can be read.
    pub fn config(&self, image: &Entry) -> Option<ImageConfig> {
        let name = format!("={}", base64::encode(format!("sha256:{}", image.id).as_bytes()));
        let roots = self.roots();
        let files = roots.iter().flat_map(|root| DRIVERS.map(|driver| root.join(format!("{driver}-images")).join(&image.id).join(&name)));
        let text = files.into_iter().find_map(|file| self.host.read(&file))?;
        // Only this part is parsed: the history beside it can be long.
        let at = memmem::find(&text, b"\"config\":{").map(|at| at + "\"config\":".len());
        let config = match at {
            Some(at) => serde_json::Deserializer::from_slice(&text[at..]).into_iter::<Json>().next()?.ok()?,
            None => Json::Null,
        };
        let text = |key: &str| config[key].as_str().unwrap_or_default().to_string();
        let list = |key: &str| {
            let words = config[key].as_array()?.iter();
            Some(words.map(|word| word.as_str().unwrap_or_default().to_string()).collect())
        };
        Some(ImageConfig {
            user: text("User"),
            working_dir: text("WorkingDir"),
            env: list("Env").unwrap_or_default(),
            entrypoint: list("Entrypoint"),
            cmd: list("Cmd"),
            healthcheck: config["Healthcheck"].clone(),
        })
    }

    /// What the layers of an image tell of a directory.
    pub fn look(&self, image: &Entry, path: &Path) -> Look {
        let inside = path.strip_prefix("/").unwrap_or(path);
        let plain = inside.components().all(|part| matches!(part, Component::Normal(_)));
        let layers = if plain { self.layer_files(image) } else { vec![] };
        if layers.is_empty() {
            return Look { path: path.to_path_buf(), there: "/".into(), absent: false };
        }
        let parts = |path: &Path| path.components().rev().map(|part| part.as_os_str().to_os_string()).collect::<Vec<_>>();
        let (mut there, mut rest, mut links) = (PathBuf::from("/"), parts(inside), 0);
        while let Some(part) = rest.pop() {
            if part == ".." {
                there.pop();
                continue;
            }
            let inside = there.strip_prefix("/").unwrap_or(&there).join(&part);
            if self.has_dir(&layers, &inside) {
                there.push(part);
            } else if let Some(target) = self.link(&layers, &inside).filter(|_| links < MOST_LINKS) {
                links += 1;
                if target.is_absolute() {
                    there = "/".into();
                }
                rest.extend(parts(&target).into_iter().filter(|part| part != "/" && part != "."));
            } else {
                let absent = layers.iter().all(|layer| !self.host.is_entry(&layer.join(&inside)));
                rest.push(part);
                let path = rest.iter().rev().fold(there.clone(), |path, part| path.join(part));
                return Look { path, there, absent };
            }
        }
        Look { path: there.clone(), there, absent: false }
    }

    /// Where a link of an image leads: the topmost layer that has the entry says.
    fn link(&self, layers: &[PathBuf], inside: &Path) -> Option<PathBuf> {
        let layer = layers.iter().find(|layer| self.host.hides(layer, inside))?;
        self.host.link(&layer.join(inside))
    }

    /// The directories of the files of an image's layers, the topmost first; none for a store that is no overlay.
    fn layer_files(&self, image: &Entry) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for root in self.roots() {
            let Some(index) = self.host.read(&root.join("overlay-layers/layers.json")) else { continue };
            let mut layer = image.layer.clone();
            while !layer.is_empty() && found.len() < 1000 {
                let Some(at) = memmem::find(&index, format!("{{\"id\":\"{layer}\"").as_bytes()) else { return vec![] };
                let record = &index[at..];
                let record = &record[..memmem::find(&record[1..], b"{\"id\":").map_or(record.len(), |end| end + 1)];
                found.push(root.join("overlay").join(&layer).join("diff"));
                layer = field(record, "parent").unwrap_or_default();
            }
            if !found.is_empty() {
                break;
            }
        }
        found
    }

    /// Whether a path surely is a directory: some layer has it, and none above hides what is below.
    fn has_dir(&self, layers: &[PathBuf], inside: &Path) -> bool {
        for layer in layers {
            if self.host.is_plain_dir(layer, inside) {
                return true;
            }
            if self.host.hides(layer, inside) {
                return false;
            }
        }
        false
    }

    fn read(&self) -> Vec<u8> {
        let mut index = Vec::new();
        for root in self.roots() {
            for driver in DRIVERS {
                index.extend(self.host.read(&root.join(format!("{driver}-images/images.json"))).unwrap_or_default());
            }
        }
        index
    }

    /// Where the images' own directories lie, an index in each.
    pub fn directories(&self) -> Vec<PathBuf> {
        let all = self.roots().iter().flat_map(|root| DRIVERS.map(|driver| root.join(format!("{driver}-images"))));
        all.filter(|directory| self.host.is_dir(directory)).collect()
    }

    /// The images of the store; none where it cannot be read.
    pub fn images(&self) -> Option<Vec<Image>> {
        let directories = self.directories();
        if directories.is_empty() {
            return None;
        }
        images_of(&directories, &|path| self.host.read(path))
    }

    /// The containers of the store.
    pub fn containers(&self) -> Vec<Container> {
        containers_of(&self.directories(), &|path| self.host.read(path))
    }

    /// What killed builds of ours have left among them.
    pub fn left(&self) -> Vec<Container> {
        left(&self.directories(), &|path| self.host.read(path), &|path| self.host.link(path))
    }

    /// The layers of the store.
    pub fn layers(&self) -> Vec<Layer> {
        let layer = |text: &dyn Fn(&str) -> String| {
            let (id, parent) = (text("id"), text("parent"));
            Layer { id, parent, diff: text("diff-digest"), blob: text("compressed-diff-digest") }
        };
        let entries = self.directories().into_iter().flat_map(|images| entries(&images, "layers", &|path| self.host.read(path)));
        entries.map(|entry| layer(&|key| text_of(&entry, key))).collect()
    }

    /// Where the store lies. Looked up once.
    pub fn roots(&self) -> &[PathBuf] {
        self.roots.get_or_init(|| roots(self.host))
    }
}

/// Where the images of the engine that the caller meant lie, where that is on this machine.
pub fn directories(context: &Context) -> Vec<PathBuf> {
    if context.engine.remote.is_some() { vec![] } else { Store::of(context.host).directories() }
}

/// The directory of a driver's `layers` or `containers`, beside that of its images.
pub fn beside(images: &Path, what: &str) -> PathBuf {
    let name = images.file_name().unwrap_or_default().to_string_lossy();
    images.with_file_name(name.replace("-images", &format!("-{what}")))
}

/// The entries of an index beside that of the images: `layers` or `containers`. What ends with the machine's run has an index of its own
/// since containers/storage 1.44.
fn entries(images: &Path, what: &str, read: Read) -> Vec<Json> {
    let directory = beside(images, what);
    let indexes = [format!("{what}.json"), format!("volatile-{what}.json")];
    let read = indexes.iter().filter_map(|index| serde_json::from_slice::<Vec<Json>>(&read(&directory.join(index))?).ok());
    read.flatten().collect()
}

fn text_of(entry: &Json, key: &str) -> String {
    entry.get(key).and_then(Json::as_str).unwrap_or_default().to_string()
}

/// The directories of the store that stay.
pub fn roots(host: &dyn Host) -> Vec<PathBuf> {
    places(host).0
}

/// Where the store lies, by containers-storage.conf(5): the directories that stay, and the one of what runs.
pub fn places(host: &dyn Host) -> (Vec<PathBuf>, PathBuf) {
    let rootless = host.uid() != 0;
    let home = host::home(host).unwrap_or_default();
    let xdg = |name: &str, default: &str| host.env(name).filter(|v| !v.is_empty()).map_or_else(|| home.join(default), PathBuf::from);
    let mut files = Vec::new();
    if let Some(named) = host.env("CONTAINERS_STORAGE_CONF") {
        files.push(PathBuf::from(named));
    } else {
        if rootless {
            files.push(xdg("XDG_CONFIG_HOME", ".config").join("containers/storage.conf"));
        }
        files.extend(["/etc/containers/storage.conf", "/usr/share/containers/storage.conf"].map(PathBuf::from));
    }
    let text = files.iter().enumerate().find_map(|(i, f)| Some((i, host.read(f)?)));
    let own_file = rootless && text.as_ref().is_some_and(|(i, _)| *i == 0);
    let settings: Option<toml::Table> = text.and_then(|(_, t)| std::str::from_utf8(&t).ok()?.parse().ok());
    let setting = |name: &str| settings.as_ref()?.get("storage")?.get(name)?.as_str().filter(|v| !v.is_empty()).map(String::from);
    let root = match (rootless, own_file) {
        (false, _) | (true, true) => setting("graphroot"),
        (true, false) => setting("rootless_storage_path").map(|path| {
            let (home, user) = (home.to_string_lossy(), host.env("USER").unwrap_or_default());
            path.replace("$HOME", &home).replace("$UID", &host.uid().to_string()).replace("$USER", &user.to_string_lossy())
        }),
    };
    let default =
        if rootless { xdg("XDG_DATA_HOME", ".local/share").join("containers/storage") } else { "/var/lib/containers/storage".into() };
    let mut roots = vec![root.map_or(default, PathBuf::from)];
    roots.extend(setting("imagestore").map(PathBuf::from));
    let run = setting("runroot").filter(|_| !rootless || own_file).map_or_else(|| run_root(host), PathBuf::from);
    (roots, run)
}

fn run_root(host: &dyn Host) -> PathBuf {
    match host.uid() {
        0 => "/run/containers/storage".into(),
        uid => host.env("XDG_RUNTIME_DIR").map_or_else(|| PathBuf::from(format!("/run/user/{uid}")), PathBuf::from).join("containers"),
    }
}

/// A text of a JSON object that the store wrote.
fn field(record: &[u8], name: &str) -> Option<String> {
    let key = format!("\"{name}\":\"");
    let value = &record[memmem::find(record, key.as_bytes())? + key.len()..];
    let value = &value[..memchr::memchr(b'"', value)?];
    String::from_utf8(value.to_vec()).ok()
}

/// The names that Docker has for an image's layers, the lowest first: by what they contain and what is below (OCI's chain IDs, without
/// their algorithm).
pub fn chain_ids<'a>(digests: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for digest in digests {
        names.push(match names.last() {
            None => digest.strip_prefix("sha256:").unwrap_or(digest).to_string(),
            Some(below) => sha256::hex(format!("sha256:{below} {digest}").as_bytes()),
        });
    }
    names
}

/// A layer as the store has it; `diff` is the digest of its content, `blob` that of the archive it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    pub id: String,
    pub parent: String,
    pub diff: String,
    pub blob: String,
}
