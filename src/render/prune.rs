//! What a prune of images removed (docker/cli `cli/command/image/prune.go`; moby `daemon/images/image_prune.go`).

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::layers::Layers;
use crate::plan::rules::local::{self, references};
use crate::plan::rules::store::{Image, chain_ids};

/// Images that may be pruned, as they were before.
#[derive(Debug)]
pub struct Prunable(Vec<Before>);

#[derive(Debug)]
struct Before {
    id: String,
    /// Full names, with tags and digests.
    references: Vec<String>,
    /// The layers that Docker would tell of, the topmost first: Podman's ID, Docker's, and the bytes in it.
    layers: Vec<(String, String, u64)>,
}

impl Prunable {
    /// The images of a store that have no name, or all of them. What only a step of a build has made Docker does not have as an image.
    pub fn read(roots: &[PathBuf], all: bool) -> Prunable {
        let layers = Layers::read(roots);
        let images = layers.images().filter(|image| all || image.names.is_empty()).filter(|image| !is_step(image, &layers));
        Prunable(images.map(|image| Before::of(image, &layers)).collect())
    }

    /// What Docker prints of those that are not there any more, and the bytes that went with them.
    pub fn pruned(&self, after: &Layers) -> (Vec<String>, u64) {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        for image in self.0.iter().filter(|image| after.image(&image.id).is_none()) {
            for name in &image.references {
                lines.push(format!("untagged: {}", local::familiar(name)));
            }
            lines.push(format!("deleted: sha256:{}", image.id));
            for (_, name, size) in image.layers.iter().filter(|(id, ..)| !after.has_layer(id)) {
                let line = format!("deleted: sha256:{name}");
                if !lines.contains(&line) {
                    lines.push(line);
                    bytes += size;
                }
            }
        }
        (lines, bytes)
    }
}

impl Before {
    fn of(image: &Image, store: &Layers) -> Before {
        // The layers of what was built here stay in Docker's build cache.
        let layers = if image.built_here(&read) { vec![] } else { store.of(&image.id).unwrap_or_default() };
        let names = chain_ids(layers.iter().map(|layer| layer.digest.as_str()));
        let layers = layers.iter().zip(names).rev().map(|(layer, name)| (layer.id.clone(), name, store.size(layer)));
        Before { id: image.id.clone(), references: references(image, &read), layers: layers.collect() }
    }
}

/// Whether an image without names is what a step of another's build has left.
fn is_step(image: &Image, store: &Layers) -> bool {
    if !image.names.is_empty() || !image.built_here(&read) {
        return false;
    }
    let history = |image: &Image| {
        let config: Json = serde_json::from_slice(&image.config(&read)).unwrap_or_default();
        config.get("history").and_then(Json::as_array).cloned().unwrap_or_default()
    };
    let own = history(image);
    let goes_on = |other: &Image| other.id != image.id && history(other).starts_with(&own) && history(other).len() > own.len();
    store.images().filter(|other| other.built_here(&read)).any(goes_on)
}

/// A file of the store.
fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}
