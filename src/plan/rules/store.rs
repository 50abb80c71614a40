//! Which images the local store holds, read from the store's own index (containers/storage, `*-images/images.json`):
//! starting podman to ask costs forty times our own start.

use std::cell::OnceCell;
use std::path::PathBuf;

use memchr::memmem;

use crate::host::{self, Host};

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
        let mut index = Vec::new();
        for root in self.roots() {
            for driver in ["overlay-images", "vfs-images", "btrfs-images", "zfs-images"] {
                index.extend(self.host.read(&root.join(driver).join("images.json")).unwrap_or_default());
            }
        }
        index
    }

    /// Where the store lies, by containers-storage.conf(5).
    pub fn roots(&self) -> Vec<PathBuf> {
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
