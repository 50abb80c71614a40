//! Which images the local store holds, read from the store's own index (containers/storage, `*-images/images.json`):
//! starting podman to ask costs forty times our own start.

use std::cell::OnceCell;
use std::path::PathBuf;

use memchr::memmem;
use serde_json::Value as Json;

use crate::host::{self, Host};

mod image;

pub use image::{Image, base64, images_of};

/// The local image store's index; its text, so that a look-up is a search.
pub struct Store<'a> {
    host: &'a dyn Host,
    index: OnceCell<Vec<u8>>,
}

impl Store<'_> {
    /// The store of the caller's Podman on this host. Read at the first look-up.
    pub fn of(host: &dyn Host) -> Store<'_> {
        Store { host, index: OnceCell::new() }
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
        let index = self.index.get_or_init(|| self.read());
        memmem::find(index, text.as_bytes()).is_some()
    }

    fn read(&self) -> Vec<u8> {
        let files = self.directories().into_iter().map(|directory| directory.join("images.json"));
        files.flat_map(|file| self.host.read(&file).unwrap_or_default()).collect()
    }

    /// Where the images' own directories lie, an index in each.
    pub fn directories(&self) -> Vec<PathBuf> {
        let drivers = ["overlay-images", "vfs-images", "btrfs-images", "zfs-images"];
        let all = self.roots().into_iter().flat_map(|root| drivers.map(|driver| root.join(driver)));
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

    /// The IDs of the images that containers were made of, and of the containers: `(container, image, layer)`.
    pub fn containers(&self) -> Vec<Container> {
        let mut containers = Vec::new();
        for directory in self.directories() {
            let name = directory.file_name().unwrap_or_default().to_string_lossy().replace("-images", "-containers");
            let text = self.host.read(&directory.with_file_name(name).join("containers.json")).unwrap_or_default();
            let json: Json = serde_json::from_slice(&text).unwrap_or_default();
            for entry in json.as_array().into_iter().flatten() {
                let text = |key: &str| entry.get(key).and_then(Json::as_str).unwrap_or_default().to_string();
                containers.push(Container { id: text("id"), image: text("image"), layer: text("layer") });
            }
        }
        containers
    }

    /// The layers of the store.
    pub fn layers(&self) -> Vec<Layer> {
        let mut layers = Vec::new();
        for directory in self.directories() {
            let name = directory.file_name().unwrap_or_default().to_string_lossy().replace("-images", "-layers");
            let text = self.host.read(&directory.with_file_name(name).join("layers.json")).unwrap_or_default();
            let json: Json = serde_json::from_slice(&text).unwrap_or_default();
            for entry in json.as_array().into_iter().flatten() {
                let text = |key: &str| entry.get(key).and_then(Json::as_str).unwrap_or_default().to_string();
                let (id, parent) = (text("id"), text("parent"));
                layers.push(Layer { id, parent, diff: text("diff-digest"), blob: text("compressed-diff-digest") });
            }
        }
        layers
    }

    /// Where the store lies, by containers-storage.conf(5).
    fn roots(&self) -> Vec<PathBuf> {
        let host = self.host;
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
        roots
    }
}

/// A container as the store has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub image: String,
    pub layer: String,
}

/// A layer as the store has it; `diff` is the digest of its content, `blob` that of the archive it came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    pub id: String,
    pub parent: String,
    pub diff: String,
    pub blob: String,
}
