//! What the image store on this machine keeps beside what Podman shows of an image: its configuration and manifests as they came
//! (containers/storage's big data, a file each), and our own note of the digests that registries gave.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

/// The stores of the caller's Podman: the places of their files. None are known for a Podman elsewhere.
#[derive(Debug, Default, Clone)]
pub struct ImageFiles {
    pub(super) roots: Vec<PathBuf>,
}

/// The digests under which a registry has an image.
#[derive(Debug)]
pub struct RegistryDigests {
    /// Of the image's own manifest.
    pub manifest: String,
    /// Of the list of platforms that it was taken from.
    pub list: Option<String>,
}

/// Our own file beside the images, so that it goes where they go.
pub const NOTES: &str = "docker-shim-digests.json";

impl ImageFiles {
    fn big_data(&self, id: &str, name: &str) -> Option<Vec<u8>> {
        // A name that is more than letters, digits and a few marks is kept in base64.
        let file = if name == "manifest" { name.to_string() } else { format!("={}", base64(name.as_bytes())) };
        let dirs = self.roots.iter().flat_map(|root| DRIVERS.iter().map(move |driver| root.join(driver)));
        dirs.filter_map(|dir| std::fs::read(dir.join(id).join(&file)).ok()).next()
    }

    /// The image's configuration as it was built.
    pub fn configuration(&self, id: &str) -> Option<Json> {
        serde_json::from_slice(&self.big_data(id, &format!("sha256:{id}"))?).ok()
    }

    /// The digests by which the image can be pulled from where it came; none for an image that was made here. Registries hold compressed
    /// layers, and the manifest of what was built, committed or loaded here names plain ones.
    pub fn registry_digests(&self, id: &str) -> Option<RegistryDigests> {
        let bytes = self.big_data(id, "manifest")?;
        let manifest: Json = serde_json::from_slice(&bytes).ok()?;
        let layers = manifest.get("layers")?.as_array()?;
        let packed = |layer: &Json| {
            let kind = layer.get("mediaType").and_then(Json::as_str).unwrap_or_default();
            kind.ends_with("gzip") || kind.ends_with("zstd")
        };
        if layers.is_empty() || !layers.iter().all(packed) {
            return None;
        }
        let manifest = format!("sha256:{}", crate::sha256::hex(&bytes));
        let list = self.lists(id).into_iter().find(|digest| *digest != manifest && self.is_list(id, digest));
        Some(RegistryDigests { manifest, list })
    }

    /// The digests of all manifests that are kept of an image.
    fn lists(&self, id: &str) -> Vec<String> {
        let dirs = self.roots.iter().flat_map(|root| DRIVERS.iter().map(move |driver| root.join(driver)));
        let mut digests = Vec::new();
        for entry in dirs.filter_map(|dir| std::fs::read_dir(dir.join(id)).ok()).flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let plain = name.strip_prefix('=').and_then(from_base64).and_then(|bytes| String::from_utf8(bytes).ok());
            digests.extend(plain.as_deref().and_then(|name| name.strip_prefix("manifest-")).map(str::to_string));
        }
        digests.sort();
        digests
    }

    fn is_list(&self, id: &str, digest: &str) -> bool {
        let manifest = self.big_data(id, &format!("manifest-{digest}"));
        manifest.and_then(|bytes| serde_json::from_slice::<Json>(&bytes).ok()).is_some_and(|m| m.get("manifests").is_some())
    }

    /// What was noted of an image: its repositories, each with the digest that its registry gave, empty where the name is only a tag.
    pub fn remembered(&self, id: &str) -> BTreeMap<String, String> {
        let notes =
            self.roots.iter().filter_map(|root| read_notes(&root.join(NOTES))).find_map(|notes| notes.get(id)?.as_object().cloned());
        notes.into_iter().flatten().filter_map(|(repository, digest)| Some((repository, digest.as_str()?.to_string()))).collect()
    }
}

const DRIVERS: [&str; 4] = ["overlay-images", "vfs-images", "btrfs-images", "zfs-images"];

fn read_notes(file: &Path) -> Option<Map<String, Json>> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Notes the digest that a registry gave an image, by its full name or ID: the new content of our file in the store's directory. Of images
/// that are not in the store any more nothing is kept. Without a digest it is noted that the repository is only a tag, as long as nothing
/// else is known of it. None where there is nothing to write.
pub fn remember(root: &Path, image: &str, repository: &str, digest: Option<&str>) -> Option<Vec<u8>> {
    let dirs = || DRIVERS.iter().map(|driver| root.join(driver));
    let lists = dirs().filter_map(|dir| serde_json::from_slice::<Vec<Json>>(&std::fs::read(dir.join("images.json")).ok()?).ok());
    let has_name = |i: &Json| i.get("names").and_then(Json::as_array).is_some_and(|names| names.iter().any(|name| name == image));
    let found = lists.flatten().find(|i| has_name(i) || i["id"] == image)?;
    let mut notes = read_notes(&root.join(NOTES)).unwrap_or_default();
    notes.retain(|id, _| dirs().any(|dir| dir.join(id).exists()));
    let of_image = notes.entry(found.get("id")?.as_str()?).or_insert_with(|| Json::Object(Map::new()));
    if digest.is_none() && of_image.get(repository).is_some() {
        return None;
    }
    of_image[repository] = digest.unwrap_or_default().into();
    serde_json::to_vec(&notes).ok()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let six = (bits >> (18 - 6 * i)) as usize & 63;
            out.push(if i <= chunk.len() { char::from(ALPHABET[six]) } else { '=' });
        }
    }
    out
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        let six = ALPHABET.iter().position(|letter| *letter == byte)?;
        bits = bits << 6 | u32::try_from(six).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        for (plain, coded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("sha256:0", "c2hhMjU2OjA=")] {
            assert_eq!(base64(plain.as_bytes()), coded);
            assert_eq!(from_base64(coded).as_deref(), Some(plain.as_bytes()));
        }
    }
}
