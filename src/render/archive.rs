//! Docker's archives of images (moby `image/tarexport`): what is in them, and how they name it.

use serde_json::{Map, Value as Json};

use crate::plan::rules::local::familiar;

/// The size of a tar archive's blocks.
pub const BLOCK: usize = 512;

/// What a tar header says that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub name: String,
    pub size: u64,
    /// A record of extensions for the header after it.
    pub is_extension: bool,
}

impl Header {
    /// Reads a header block; none of the empty block that ends an archive, or of what is no header.
    pub fn of(block: &[u8]) -> Option<Header> {
        let field = |from: usize, length: usize| block.get(from..from + length);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.split(|b| *b == 0).next().unwrap_or_default()).into_owned();
        let name = text(field(0, 100)?);
        if name.is_empty() || !field(257, 5)?.starts_with(b"ustar") {
            return None;
        }
        let size = field(124, 12)?;
        let size = match size[0] {
            // GNU's form of large numbers.
            0x80 => size[4..].iter().fold(0, |n, b| n << 8 | u64::from(*b)),
            _ => u64::from_str_radix(text(size).trim(), 8).ok()?,
        };
        Some(Header { name, size, is_extension: matches!(block[156], b'x' | b'g' | b'L' | b'K') })
    }

    /// How many bytes follow the header.
    pub fn padded(&self) -> u64 {
        self.size.div_ceil(BLOCK as u64) * BLOCK as u64
    }
}

/// The size that an extension record gives the file after it.
pub fn size_of_extension(record: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(record);
    text.lines().find_map(|line| line.split_once(" size=")?.1.parse().ok())
}

/// `manifest.json` or `repositories` with Docker's names instead of full ones, padded to the same length. None where nothing is to be
/// changed.
pub fn with_familiar_names(file: &str, content: &[u8]) -> Option<Vec<u8>> {
    let mut json: Json = serde_json::from_slice(content).ok()?;
    match file {
        "manifest.json" => {
            for image in json.as_array_mut()? {
                for tag in image.get_mut("RepoTags").and_then(Json::as_array_mut).into_iter().flatten() {
                    *tag = familiar(tag.as_str()?).into();
                }
            }
        }
        "repositories" => {
            let short = |name: &str| familiar(&format!("{name}:x")).trim_end_matches(":x").to_string();
            let renamed: Map<String, Json> = json.as_object()?.iter().map(|(name, tags)| (short(name), tags.clone())).collect();
            json = Json::Object(renamed);
        }
        _ => return None,
    }
    let mut new = serde_json::to_vec(&json).ok()?;
    if new.len() > content.len() {
        return None;
    }
    new.resize(content.len(), b' ');
    Some(new)
}

/// An image of an archive: its ID and its names as they are written there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    pub id: String,
    pub names: Vec<String>,
}

/// The images that an archive's `manifest.json` names.
pub fn archived(manifest: &[u8]) -> Option<Vec<Archived>> {
    let json: Json = serde_json::from_slice(manifest).ok()?;
    let image = |image: &Json| {
        let config = image.get("Config")?.as_str()?;
        let id = config.rsplit('/').next().unwrap_or(config).trim_end_matches(".json");
        let names = image.get("RepoTags").and_then(Json::as_array).into_iter().flatten();
        Some(Archived { id: id.to_string(), names: names.filter_map(Json::as_str).map(str::to_string).collect() })
    };
    json.as_array()?.iter().map(image).collect()
}

/// The program that unpacks an archive which begins so; none where it is not packed.
pub fn unpacker(start: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 4] = [(b"\x1f\x8b\x08", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd")];
    KINDS.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, program)| program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_archives() {
        let manifest = br#"[{"Config":"27bd.json","RepoTags":["docker.io/library/two:1","localhost:5000/a:1"],"Layers":["x.tar"]}]"#;
        let new = with_familiar_names("manifest.json", manifest).unwrap();
        assert_eq!(new.len(), manifest.len());
        let images = archived(&new).unwrap();
        assert_eq!(images, [Archived { id: "27bd".into(), names: vec!["two:1".into(), "localhost:5000/a:1".into()] }]);
        let repositories = br#"{"docker.io/myorg/app":{"1":"a"}}"#;
        assert!(with_familiar_names("repositories", repositories).unwrap().starts_with(br#"{"myorg/app":{"1":"a"}}"#));
    }

    #[test]
    fn extensions() {
        assert_eq!(size_of_extension(b"20 size=8589934592\n"), Some(8_589_934_592));
        assert_eq!(size_of_extension(b"13 path=long\n"), None);
    }
}
