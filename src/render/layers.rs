//! What the images of the local store are made of, read from the store's own files (containers/storage).
//!
//! Docker counts the bytes of the files in a layer, Podman those of the archive that it came as, headers and padding included. How long
//! each file is stands in the layer's list of the archive's headers (`ID.tar-split.gz`), which is there for every image that was pulled,
//! loaded or built. What was counted is kept by the digest of the layer's content, which never changes its size.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use serde_json::Value as Json;

use super::text;
use crate::host;

/// The images and layers of a store, and the sizes of layers as far as they were asked for.
#[derive(Debug, Default)]
pub struct Layers {
    /// Images by their IDs.
    images: HashMap<String, Image>,
    /// Layers by their IDs.
    layers: HashMap<String, Layer>,
    counted: RefCell<Counted>,
}

#[derive(Debug)]
struct Image {
    layer: String,
    /// Where its manifests and its configuration are.
    data: PathBuf,
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
        let mut store = Layers::default();
        for root in roots {
            for driver in ["overlay", "vfs", "btrfs", "zfs"] {
                store.read_driver(&root.join(format!("{driver}-images")), &root.join(format!("{driver}-layers")));
            }
        }
        store
    }

    fn read_driver(&mut self, images: &Path, layers: &Path) {
        for image in list(&images.join("images.json")) {
            let (id, layer) = (text(&image, "id").to_string(), text(&image, "layer").to_string());
            let data = images.join(&id);
            self.images.insert(id, Image { layer, data });
        }
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

    /// The digest by which an image came from a registry, if it did: of the list that names its manifest, or of that. There layers are
    /// compressed, and not called by the digests of their content. None where the store does not know the image.
    pub fn registry_digest(&self, image: &str) -> Option<Option<String>> {
        let known: Vec<&str> = self.of(image)?.into_iter().map(|layer| layer.digest.as_str()).collect();
        let mut found = None;
        for entry in std::fs::read_dir(&self.images.get(image)?.data).ok()?.flatten() {
            let name = entry.file_name();
            let Some(coded) = name.as_bytes().strip_prefix(b"=") else { continue };
            let name = from_base64(coded);
            let Some(digest) = std::str::from_utf8(&name).ok().and_then(|name| name.strip_prefix("manifest-")) else { continue };
            let manifest = std::fs::read(entry.path()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let manifest: Json = manifest.unwrap_or_default();
            if manifest.get("manifests").is_some() {
                return Some(Some(digest.to_string()));
            }
            let mut blobs = manifest.get("layers").and_then(Json::as_array).into_iter().flatten();
            if blobs.any(|blob| !known.contains(&text(blob, "digest"))) {
                found = Some(digest.to_string());
            }
        }
        Some(found)
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
    let new = PathBuf::from(format!("{}.{}", cache.display(), std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let lines: String = sizes.iter().filter(|(key, _)| key.contains(':')).map(|(key, size)| format!("{key} {size}\n")).collect();
    file.write_all(lines.as_bytes()).and_then(|()| std::fs::rename(&new, &cache)).inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
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
    let bytes = from_base64(&between[at + PAYLOAD.len()..]);
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

/// Base64 up to the first byte that is none.
fn from_base64(text: &[u8]) -> Vec<u8> {
    let (mut bits, mut count) = (0_u32, 0);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for letter in text {
        let six = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_base64() {
        assert_eq!(from_base64(b"Li9iaW4vAA==\""), b"./bin/\0");
        assert_eq!(from_base64(b"+/8="), [0xfb, 0xff]);
        assert_eq!(from_base64(b""), b"");
    }

    #[test]
    fn counts_files_and_links() {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let base64 = |bytes: &[u8]| -> String {
            let three = |c: &[u8]| c.iter().chain([&0; 2]).take(3).fold(0_usize, |n, b| n << 8 | usize::from(*b));
            bytes
                .chunks(3)
                .flat_map(|c| {
                    (0..=c.len()).map(move |i| letters[three(c) >> (18 - 6 * i) & 63] as char).chain(std::iter::repeat_n('=', 3 - c.len()))
                })
                .collect()
        };
        let between = |bytes: &[u8]| format!("{{\"type\":2,\"payload\":\"{}\",\"position\":0}}\n", base64(bytes));
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
