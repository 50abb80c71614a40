//! An image of the local store: what its index says, and the files that lie beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use memchr::memmem;
use serde_json::{Map, Value as Json};

use crate::base64;
use crate::plan::Step;
use crate::plan::rules::local::repository;
use crate::plan::rules::platforms::Platform;

/// Reads a file, or says that it cannot be read.
pub type Read<'a> = &'a dyn Fn(&Path) -> Option<Vec<u8>>;

/// An image as the store's index has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    pub id: String,
    /// Its full names, with tags or digests.
    pub names: Vec<String>,
    /// The names it ever had, the one that it came by first.
    pub history: Vec<String>,
    /// The digest of the manifest that came last.
    pub manifest: String,
    /// The digests of all its manifests, manifest lists that led to it among them, and their sizes.
    pub manifests: Vec<(String, u64)>,
    /// Its topmost layer.
    pub layer: String,
    /// Where its files are.
    directory: PathBuf,
}

/// The images of the indexes in these directories; none where one cannot be understood.
pub fn images_of(directories: &[PathBuf], read: Read) -> Option<Vec<Image>> {
    let mut images = Vec::new();
    for directory in directories {
        let Some(text) = read(&directory.join("images.json")) else { continue };
        let json: Json = serde_json::from_slice(&text).ok()?;
        images.extend(json.as_array().into_iter().flatten().map(|entry| Image::of(entry, directory)));
    }
    Some(images)
}

impl Image {
    fn of(entry: &Json, directory: &Path) -> Image {
        let text = |key: &str| entry.get(key).and_then(Json::as_str).unwrap_or_default().to_string();
        let list = |key: &str| {
            let list = entry.get(key).and_then(Json::as_array).into_iter().flatten();
            list.filter_map(Json::as_str).map(str::to_string).collect::<Vec<_>>()
        };
        let map = |key: &str| entry.get(key).and_then(Json::as_object).into_iter().flatten();
        let sizes = map("big-data-sizes").filter_map(|(name, size)| Some((name.strip_prefix("manifest-")?.to_string(), size.as_u64()?)));
        let latest = map("big-data-digests").find(|(name, _)| *name == "manifest").and_then(|(_, digest)| digest.as_str());
        let id = text("id");
        Image {
            directory: directory.join(&id),
            names: list("names"),
            history: list("names-history"),
            manifest: latest.map_or_else(|| text("digest"), str::to_string),
            manifests: sizes.collect(),
            layer: text("layer"),
            id,
        }
    }

    /// The file of one of its manifests (containers/storage names it by the key's base64).
    fn manifest_file(&self, digest: &str) -> PathBuf {
        self.directory.join(format!("={}", base64::encode(format!("manifest-{digest}").as_bytes())))
    }

    /// One of its manifests as its registry has it.
    pub fn manifest_of(&self, digest: &str, read: Read) -> Option<Vec<u8>> {
        self.manifests.iter().any(|(known, _)| known == digest).then(|| read(&self.manifest_file(digest)))?
    }

    /// The digest by which its registry knows what was pulled last: the manifest's, or that of the manifest list which came
    /// with it.
    pub fn pulled(&self, read: Read) -> String {
        let written = |path: PathBuf| std::fs::metadata(path).and_then(|file| file.modified()).ok();
        let manifest = written(self.directory.join("manifest"));
        let with_it = |digest: &str| {
            let text = read(&self.manifest_file(digest)).unwrap_or_default();
            let is_list = memmem::find(&text, b"\"manifests\"").is_some() && memmem::find(&text, self.manifest.as_bytes()).is_some();
            // Both are written at the same pull, one right after the other.
            let (Some(list), Some(manifest)) = (written(self.manifest_file(digest)), manifest) else { return is_list };
            let apart = list.duration_since(manifest).or_else(|_| manifest.duration_since(list));
            is_list && apart.is_ok_and(|apart| apart.as_secs() < 2)
        };
        let others = self.manifests.iter().map(|(digest, _)| digest).filter(|digest| **digest != self.manifest);
        others.into_iter().find(|digest| with_it(digest)).unwrap_or(&self.manifest).clone()
    }

    /// Its configuration: what its maker said of it.
    pub fn config(&self, read: Read) -> Vec<u8> {
        let key = base64::encode(format!("sha256:{}", self.id).as_bytes());
        read(&self.directory.join(format!("={key}"))).unwrap_or_default()
    }

    /// Its platform, where it names one.
    pub fn platform(&self, read: Read) -> Option<Platform> {
        let config: Json = serde_json::from_slice(&self.config(read)).ok()?;
        let text = |key: &str| config.get(key).and_then(Json::as_str).unwrap_or_default();
        let platform = Platform::of_image(text("os"), text("architecture"), text("variant"));
        Some(platform).filter(|platform| !platform.os.is_empty() && !platform.architecture.is_empty())
    }

    /// Whether it was built by this Podman, rather than pulled or loaded: its layers are then a build's cache too.
    pub fn built_here(&self, read: Read) -> bool {
        self.registrys_manifest(read).is_none() && memmem::find(&self.config(read), b"\"io.buildah.version\"").is_some()
    }

    /// The digest of the manifest that came from a registry; the latest one, where that did. Registries hold compressed layers; the manifest
    /// of what was built, committed, loaded or imported here names plain ones.
    fn registrys_manifest(&self, read: Read) -> Option<&str> {
        let packed = |layer: &Json| {
            let kind = layer.get("mediaType").and_then(Json::as_str).unwrap_or_default();
            kind.ends_with("gzip") || kind.ends_with("zstd")
        };
        let is_registrys = |path: PathBuf| {
            let manifest: Json = read(&path).and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
            let layers = manifest.get("layers").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            !layers.is_empty() && layers.iter().all(packed)
        };
        if is_registrys(self.directory.join("manifest")) {
            return Some(&self.manifest);
        }
        self.manifests.iter().map(|(digest, _)| digest.as_str()).find(|digest| is_registrys(self.manifest_file(digest)))
    }

    /// The names by digest that Docker would have for it, as far as it is known under which digests registries have it. Podman has the
    /// local digest for every name, pushed or not; a caller that pulls by such a one fails. So only these count: what was noted when it
    /// was pulled or pushed, a name that is a digest, and for an image that came from a registry the repository that it came from.
    pub fn digest_names(&self, read: Read) -> Vec<String> {
        let mut known = self.remembered(read);
        for name in self.names.iter().chain(&self.history) {
            if let Some((repository, digest)) = name.split_once('@') {
                known.insert(repository.to_string(), digest.to_string());
            }
        }
        // A tag that went on to another image leaves the digest behind; the name that was lost last is the first of the former ones.
        let lost = self.history.first().filter(|_| self.names.is_empty());
        let current: BTreeSet<&str> = self.names.iter().chain(lost).map(|name| repository(name)).collect();
        // Names that were only given are noted, so a single other one is where the image came from. Of several it cannot be told.
        let mut others = current.iter().filter(|repository| !known.contains_key(**repository));
        if let (Some(origin), None) = (others.next(), others.next()) {
            if let Some(manifest) = self.registrys_manifest(read) {
                // Where the image had another name once, that may be the one with the list of platforms; the manifest itself is in both.
                let only = self.history.iter().map(|name| repository(name)).all(|r| r == *origin || known.contains_key(r));
                let digest = if only && manifest == self.manifest { self.pulled(read) } else { manifest.to_string() };
                known.insert(origin.to_string(), digest);
            }
        }
        known.retain(|repository, digest| !digest.is_empty() && current.contains(repository.as_str()));
        known.into_iter().map(|(repository, digest)| format!("{repository}@{digest}")).collect()
    }

    /// Our own file beside the images, so that it goes where they go: by ID and repository the digest that a registry gave, empty
    /// where the name is only a tag.
    fn notes_file(&self) -> PathBuf {
        let root = self.directory.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
        root.join("docker-shim-digests.json")
    }

    fn notes(&self, read: Read) -> Map<String, Json> {
        read(&self.notes_file()).and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    fn remembered(&self, read: Read) -> BTreeMap<String, String> {
        let notes = self.notes(read).get(&self.id).and_then(Json::as_object).cloned();
        notes.into_iter().flatten().filter_map(|(repository, digest)| Some((repository, digest.as_str()?.to_string()))).collect()
    }

    /// Notes the digest that a registry has it by in some repositories, an empty one where it is known there no more; without one, that
    /// they are only tags, as long as nothing else is known of them. None where there is nothing to note.
    pub fn note(&self, repositories: &[&str], digest: Option<&str>, images: &[Image], read: Read) -> Option<Step> {
        let before = self.notes(read);
        let mut notes = before.clone();
        notes.retain(|id, _| images.iter().any(|image| image.id == *id));
        let of_image = notes.entry(self.id.clone()).or_insert_with(|| Json::Object(Map::new())).as_object_mut()?;
        for repository in repositories {
            if digest.is_some() || !of_image.contains_key(*repository) {
                of_image.insert((*repository).to_string(), digest.unwrap_or_default().into());
            }
        }
        let content = serde_json::to_vec(&notes).ok()?;
        (notes != before).then(|| Step::WriteOwn { path: self.notes_file(), content })
    }
}
