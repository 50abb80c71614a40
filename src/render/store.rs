//! What lies open in Podman's store on this machine: the index of images, their configuration and that of containers' processes.
//! Read without starting podman, which costs forty times our own start (containers/storage, `*-images` and `*-containers`).

use std::cell::OnceCell;
use std::path::PathBuf;

use memchr::memmem;
use serde_json::Value as Json;

use super::{Desk, text};
use crate::base64;
use crate::plan::rules::references::Reference;
use crate::plan::rules::store::DRIVERS;

/// Where the store lies. Empty for a Podman elsewhere: then nothing is found.
#[derive(Debug, Clone, Default)]
pub struct Roots(pub Vec<PathBuf>);

/// The store as a view looks at it, each file read when it is asked for.
pub struct Files<'a> {
    roots: &'a Roots,
    desk: &'a Desk<'a>,
    index: OnceCell<Vec<u8>>,
}

impl<'a> Files<'a> {
    pub fn new(roots: &'a Roots, desk: &'a Desk<'a>) -> Files<'a> {
        Files { roots, desk, index: OnceCell::new() }
    }

    /// Whether the images are known.
    pub fn has_index(&self) -> bool {
        !self.index().is_empty()
    }

    /// The ID of the image that a name stands for, as a caller typed it: a name or the start of an ID.
    pub fn image(&self, typed: &str) -> Option<String> {
        let hex = typed.strip_prefix("sha256:").unwrap_or(typed);
        let by_id = || if is_hex(hex) { self.by_id(hex) } else { None };
        match Reference::parse(typed.as_ref()) {
            Ok(reference) if !typed.starts_with("sha256:") => {
                let names = [Some(reference.tagged()), reference.podmans_own()];
                names.into_iter().flatten().find_map(|name| self.by_name(&name)).or_else(by_id)
            }
            _ => by_id(),
        }
    }

    /// The image that has the name now.
    fn by_name(&self, name: &str) -> Option<String> {
        let index = self.index();
        let quoted = format!("\"{name}\"");
        memmem::find_iter(index, &quoted).find_map(|at| {
            let image = self.entry_around(at)?;
            let names = image.get("names").and_then(Json::as_array).into_iter().flatten();
            let id = text(&image, "id").to_string();
            names.filter_map(Json::as_str).any(|n| n == name).then_some(id)
        })
    }

    /// The one image whose ID begins so.
    fn by_id(&self, start: &str) -> Option<String> {
        let index = self.index();
        let quoted = format!("{ENTRY}{start}");
        let mut found =
            memmem::find_iter(index, &quoted).filter_map(|at| self.entry_around(at + 1)).map(|image| text(&image, "id").to_string());
        let first = found.next()?;
        found.all(|other| other == first).then_some(first)
    }

    /// The index's entry that a place in it belongs to.
    fn entry_around(&self, at: usize) -> Option<Json> {
        let index = self.index();
        let start = memmem::rfind(&index[..(at + ENTRY.len()).min(index.len())], ENTRY.as_bytes())?;
        serde_json::Deserializer::from_slice(&index[start..]).into_iter().next()?.ok()
    }

    fn index(&self) -> &[u8] {
        self.index.get_or_init(|| self.files(|driver| format!("{driver}-images/images.json")).flatten().collect())
    }

    /// An image's configuration, by its ID.
    pub fn image_config(&self, id: &str) -> Option<Json> {
        let name = base64::encode(format!("sha256:{id}").as_bytes());
        let bytes = self.files(|driver| format!("{driver}-images/{id}/={name}")).next()?;
        serde_json::from_slice::<Json>(&bytes).ok()?.get("config").cloned()
    }

    /// The command of a container that was started once: what its runtime was told, without the init that Podman puts before it.
    pub fn command(&self, id: &str) -> Option<Vec<String>> {
        let bytes = self.files(|driver| format!("{driver}-containers/{id}/userdata/config.json")).next()?;
        // Of the whole specification, most of which is seccomp rules, only this list is read.
        let process = memmem::find(&bytes, b"\"process\":{")?;
        let list = process + memmem::find(&bytes[process..], b"\"args\":[")? + b"\"args\":".len();
        let args: Vec<String> = strings(&serde_json::Deserializer::from_slice(&bytes[list..]).into_iter().next()?.ok()?);
        Some(match &args[..] {
            [init, dashes, rest @ ..] if INITS.contains(&init.as_str()) && dashes == "--" => rest.to_vec(),
            _ => args,
        })
    }

    /// The content of those of the files that are there, one for each root and driver.
    fn files<F: Fn(&str) -> String>(&self, name: F) -> impl Iterator<Item = Vec<u8>> {
        let paths = self.roots.0.iter().flat_map(move |root| DRIVERS.map(|driver| root.join(name(driver))));
        paths.filter_map(|path| self.desk.read(&path))
    }
}

/// How an image's entry in the index begins.
const ENTRY: &str = "{\"id\":\"";

/// Where Podman mounts its init.
const INITS: [&str; 2] = ["/run/podman-init", "/dev/init"];

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.len() <= 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The texts of a JSON array.
pub fn strings(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_string).collect()
}
