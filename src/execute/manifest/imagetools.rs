//! Carries out `buildx imagetools inspect`, and what `imagetools create` would make.

use serde_json::{Value as Json, json};

use super::{Remote, fail, print, remote, store_repository};
use crate::plan::Manifests;
use crate::render::imagetools::{self, Found};
use crate::render::manifest::not_had;
use crate::render::{indented, text};
use crate::sha256;

/// What is said of a list whose bytes cannot be told.
const UNKNOWN: &str = "Podman shows this list of images in words of its own, and its digest with them cannot be told; look at \
                       docker manifest inspect, or at skopeo inspect --raw.";

/// A name as Podman takes it: with a digest there is no tag.
fn reached(name: &str) -> String {
    name.split_once('@').map_or_else(|| name.to_string(), |(_, digest)| format!("{}@{digest}", store_repository(name)))
}

impl Manifests {
    /// Shows what a registry has under a name.
    pub(super) fn look(&self, name: &str, typed: &str, raw: bool, format: &str) -> Result<u8, u8> {
        let image = &reached(name);
        let (found, bytes) = match remote(&self.calls.registry, image) {
            Remote::Nothing(error) => return fail(format!("ERROR: {}", imagetools::missing(name, not_had(image, &error)))),
            Remote::List(_) => {
                let (bytes, list) = self.list(image)?;
                let digest = format!("sha256:{}", sha256::hex(&bytes));
                (Found { name: name.into(), typed: typed.into(), digest, size: bytes.len(), manifest: list, config: None }, Some(bytes))
            }
            Remote::Image(bytes) => {
                let descriptor = self.descriptor(image)?;
                let digest = text(&descriptor, "digest").to_string();
                let size = descriptor["size"].as_u64().and_then(|size| usize::try_from(size).ok()).unwrap_or_default();
                let bytes = bytes.filter(|bytes| digest == format!("sha256:{}", sha256::hex(bytes)));
                (Found { name: name.into(), typed: typed.into(), digest, size, manifest: descriptor, config: None }, bytes)
            }
        };
        if raw {
            let bytes = match bytes {
                Some(bytes) => bytes,
                None => self.pulled(image)?.0,
            };
            return super::write_stdout(&bytes).map(|()| 0);
        }
        let Some(template) = imagetools::template(format).or_else(|words| fail(format!("ERROR: {words}")))? else {
            return super::write_stdout(found.text().as_bytes()).map(|()| 0);
        };
        let mut found = found;
        if found.asks_for_image(&template) {
            if found.is_list() {
                return fail(
                    "docker: imagetools inspect: Podman does not show the images of a list without pulling them; inspect each by its digest.",
                );
            }
            let (_, config) = self.pulled(image)?;
            found.config = serde_json::from_slice(&config).ok();
        }
        let mut out = Vec::new();
        let shown = template.execute_indented(&found.value(), &mut out);
        super::write_stdout(&out)?;
        shown.map(|()| 0).or_else(|words| fail(format!("ERROR: {words}")))
    }

    /// A list as it is in the registry, byte for byte: Podman shows it in other lines, so those that writers of such lists use are
    /// tried, and the registry is asked whether it has the one. Errors: it has none of them.
    fn list(&self, image: &str) -> Result<(Vec<u8>, Json), u8> {
        let answered = super::ask(&self.calls.registry, &[image]);
        let Some(shown) = answered.json() else { return fail(format!("ERROR: {image}: not found")) };
        let given = image.split_once('@').map(|(_, digest)| digest);
        for bytes in imagetools::spellings(&shown) {
            let digest = format!("sha256:{}", sha256::hex(&bytes));
            let there = match given {
                Some(given) => given == digest,
                None => super::ask(&self.calls.registry, &[format!("{}@{digest}", store_repository(image))]).status == 0,
            };
            if there {
                let list = serde_json::from_slice(&bytes).unwrap_or(shown);
                return Ok((bytes, list));
            }
        }
        fail(format!("docker: imagetools: {UNKNOWN}"))
    }

    /// The index that `imagetools create` would push.
    pub(super) fn compose(&self, images: &[String]) -> Result<u8, u8> {
        let mut entries: Vec<Json> = Vec::new();
        for name in images {
            let image = &reached(name);
            match remote(&self.calls.registry, image) {
                Remote::Nothing(error) => return fail(format!("ERROR: {}", imagetools::missing(name, not_had(image, &error)))),
                Remote::List(_) if images.len() == 1 => {
                    let bytes = self.list(image)?.0;
                    return print(&String::from_utf8_lossy(&bytes));
                }
                Remote::List(descriptors) => entries.extend(descriptors),
                Remote::Image(_) => entries.push(self.descriptor(image)?),
            }
        }
        let mut known: Vec<&Json> = Vec::new();
        for entry in &entries {
            if !known.iter().any(|other| other["digest"] == entry["digest"]) {
                known.push(entry);
            }
        }
        let docker = known.iter().all(|entry| text(entry, "mediaType").starts_with("application/vnd.docker."));
        let media_type =
            if docker { "application/vnd.docker.distribution.manifest.list.v2+json" } else { "application/vnd.oci.image.index.v1+json" };
        let entries: Vec<Json> = known.into_iter().map(imagetools::descriptor).collect();
        print(&indented(&json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries }), b"  "))
    }
}
