//! What the images of the local store are made of, read from the store's own files (containers/storage).
//!
//! Docker counts the bytes of the files in a layer, Podman those of the archive that it came as, headers and padding included. How long
//! each file is stands in the layer's list of the archive's headers (`ID.tar-split.gz`), which is there for every image that was pulled,
//! loaded or built. What was counted is kept by the digest of the layer's content, which never changes its size.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value as Json;

use super::text;
use crate::plan::rules::store::{DRIVERS, Image, beside, images_of};
use crate::{base64, files, host};

/// The images and layers of a store, and the sizes of layers as far as they were asked for.
#[derive(Debug, Default)]
pub struct Layers {
    /// Images by their IDs.
    images: BTreeMap<String, Image>,
    /// Layers by their IDs.
    layers: HashMap<String, Layer>,
    counted: RefCell<Counted>,
}

/// A layer without those below it.
#[derive(Debug)]
pub struct Layer {
    pub id: String,
    parent: String,
    /// The digest of its archive, uncompressed: one of the image's `RootFS.Layers`.
    pub digest: String,
    /// What Podman takes for its size.
    archive: u64,
    headers: PathBuf,
}

impl Layers {
    /// Reads the indexes below the roots of a store. Nothing is there where they cannot be read.
    pub fn read(roots: &[PathBuf]) -> Layers {
        let directories = DRIVERS.iter().flat_map(|driver| roots.iter().map(move |root| root.join(format!("{driver}-images"))));
        Layers::of_directories(&directories.collect::<Vec<_>>())
    }

    /// The same of the directories that the images' own lie in.
    pub fn of_directories(directories: &[PathBuf]) -> Layers {
        let mut store = Layers::default();
        for directory in directories {
            let images = images_of(std::slice::from_ref(directory), &|path| std::fs::read(path).ok()).unwrap_or_default();
            store.images.extend(images.into_iter().map(|image| (image.id.clone(), image)));
            store.read_layers(&beside(directory, "layers"));
        }
        store
    }

    fn read_layers(&mut self, layers: &Path) {
        for layer in list(&layers.join("layers.json")) {
            let id = text(&layer, "id").to_string();
            let archive = layer.get("diff-size").and_then(Json::as_u64).unwrap_or_default();
            let headers = layers.join(format!("{id}.tar-split.gz"));
            let (parent, digest) = (text(&layer, "parent").to_string(), text(&layer, "diff-digest").to_string());
            self.layers.insert(id.clone(), Layer { id, parent, digest, archive, headers });
        }
    }

    /// An image's layers, the lowest first; none where the store does not know the image or one of them.
    pub fn of(&self, image: &str) -> Option<Vec<&Layer>> {
        let mut chain = Vec::new();
        let mut id = self.images.get(image)?.layer.as_str();
        while !id.is_empty() {
            // A circle would be a broken store.
            let layer = self.layers.get(id).filter(|_| chain.len() <= self.layers.len())?;
            chain.push(layer);
            id = &layer.parent;
        }
        chain.reverse();
        Some(chain)
    }

    /// The bytes of the files in an image.
    pub fn image_size(&self, image: &str) -> Option<u64> {
        Some(self.of(image)?.into_iter().map(|layer| self.size(layer)).sum())
    }

    /// The bytes of the files in a layer; those of its archive where nobody knows better.
    pub fn size(&self, layer: &Layer) -> u64 {
        self.counted.borrow_mut().size(layer)
    }

    /// The images of the store.
    pub fn images(&self) -> impl Iterator<Item = &Image> {
        self.images.values()
    }

    /// Whether the store has a layer.
    pub fn has_layer(&self, id: &str) -> bool {
        self.layers.contains_key(id)
    }

    /// An image of the store.
    pub fn image(&self, id: &str) -> Option<&Image> {
        self.images.get(id)
    }
}

fn list(file: &Path) -> Vec<Json> {
    let read = std::fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.unwrap_or_default()
}

/// Sizes by content, kept between calls in a directory of the caller's own.
#[derive(Debug, Default)]
struct Counted {
    sizes: Option<HashMap<String, u64>>,
    new: bool,
}

impl Counted {
    fn size(&mut self, layer: &Layer) -> u64 {
        let sizes = self.sizes.get_or_insert_with(|| recall().unwrap_or_default());
        // Podman's layers without an archive have no digest, and no size that could be kept.
        let key = if layer.digest.is_empty() { &layer.id } else { &layer.digest };
        if let Some(size) = sizes.get(key) {
            return *size;
        }
        let counted = files_size(&layer.headers);
        self.new |= counted.is_some() && !layer.digest.is_empty();
        let size = counted.unwrap_or(layer.archive);
        if counted.is_some() {
            sizes.insert(key.clone(), size);
        }
        size
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(sizes) = self.sizes.as_ref().filter(|_| self.new) {
            // Nothing depends on it: a full or read-only file system only costs time.
            let _ = keep(sizes);
        }
    }
}

fn cache() -> Option<PathBuf> {
    host::runtime_dir().map(|dir| dir.join("layer-sizes"))
}

/// A plain file or directory of the caller's that nobody else may write.
fn ours(m: &std::fs::Metadata) -> bool {
    m.uid() == nix::unistd::geteuid().as_raw() && m.mode() & 0o022 == 0
}

fn recall() -> Option<HashMap<String, u64>> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(cache()?).ok()?;
    file.metadata().ok().filter(|m| m.is_file() && ours(m))?;
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    Some(text.lines().filter_map(|line| line.split_once(' ').and_then(|(key, size)| Some((key.into(), size.parse().ok()?)))).collect())
}

fn keep(sizes: &HashMap<String, u64>) -> std::io::Result<()> {
    let Some(cache) = cache() else { return Ok(()) };
    let dir = cache.parent().unwrap_or(Path::new("/"));
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    if !std::fs::symlink_metadata(dir).is_ok_and(|m| m.is_dir() && ours(&m)) {
        return Ok(());
    }
    let lines: String = sizes.iter().filter(|(key, _)| key.contains(':')).map(|(key, size)| format!("{key} {size}\n")).collect();
    files::replace(&cache, lines.as_bytes(), |_| Ok(()))
}

/// The bytes of the files and links in an archive, from the list of its headers.
fn files_size(headers: &Path) -> Option<u64> {
    summed(BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(headers).ok()?))))
}

/// One JSON object a line: the bytes between the files (type 2, which a file's header is the end of), and the files (type 1).
fn summed(mut lines: impl BufRead) -> Option<u64> {
    let (mut line, mut between) = (Vec::new(), Vec::new());
    let mut sum = 0;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return Some(sum);
        }
        if line.starts_with(b"{\"type\":1,") {
            sum += number_after(&line, b"\"size\":").unwrap_or_else(|| link_length(&between));
        } else {
            std::mem::swap(&mut line, &mut between);
        }
    }
}

/// The number after the last of these keys: names come before it in the line, and the quotes in them are escaped.
fn number_after(line: &[u8], key: &[u8]) -> Option<u64> {
    let at = memchr::memmem::rfind(line, key)?;
    let digits = line[at + key.len()..].iter().take_while(|b| b.is_ascii_digit());
    Some(digits.fold(0, |n, digit| n * 10 + u64::from(digit - b'0')))
}

/// The length of what a symbolic link says, which Docker counts as the link's size; 0 for anything else without a size.
fn link_length(between: &[u8]) -> u64 {
    const PAYLOAD: &[u8] = b"\"payload\":\"";
    let Some(at) = memchr::memmem::find(between, PAYLOAD) else { return 0 };
    let coded = between[at + PAYLOAD.len()..].split(|b| *b == b'"').next().unwrap_or_default();
    let bytes = base64::decode(coded).unwrap_or_default();
    // Before it is the padding of the file before.
    let blocks = &bytes[bytes.len() % 512..];
    let Some(header) = blocks.chunks_exact(512).last().filter(|header| header[156] == b'2') else { return 0 };
    let until = |text: &[u8], end: u8| text.iter().take_while(|b| **b != end).count() as u64;
    // A long one has a header of its own: PAX's or GNU's.
    if let Some(at) = memchr::memmem::find(blocks, b" linkpath=") {
        return until(&blocks[at + 10..], b'\n');
    }
    let long = blocks.chunks_exact(512).position(|header| header[156] == b'K' && header.starts_with(b"././@LongLink"));
    match long {
        Some(i) => until(&blocks[(i + 1) * 512..], 0),
        None => until(&header[157..257], 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_files_and_links() {
        let between = |bytes: &[u8]| format!("{{\"type\":2,\"payload\":\"{}\",\"position\":0}}\n", base64::encode(bytes));
        let header = |kind: u8, link: &[u8]| {
            let mut block = vec![0; 512];
            block[156] = kind;
            block[157..157 + link.len()].copy_from_slice(link);
            block
        };
        let file = |size: &str| format!("{{\"type\":1,\"name\":\"a\\\"size\\\":9\",{size}\"payload\":null,\"position\":1}}\n");
        let mut long = header(b'K', b"");
        long[..13].copy_from_slice(b"././@LongLink");
        long.extend_from_slice(&[&[b'x'; 120][..], &[0; 392]].concat());
        long.extend(header(b'2', b"xxx"));
        let lines = [
            between(&header(b'0', b"")),
            file("\"size\":1000,"),
            between(&[vec![0; 24], header(b'2', b"busybox")].concat()),
            file(""),
            between(&header(b'1', b"hard")),
            file(""),
            between(&long),
            file(""),
        ];
        assert_eq!(summed(lines.concat().as_bytes()), Some(1000 + 7 + 120));
    }
}
