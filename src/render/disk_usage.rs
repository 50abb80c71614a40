//! How much disk images, containers, volumes and the cache of builds use (docker/cli `cli/command/formatter/disk_usage.go`, moby
//! `daemon/disk_usage.go`).

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value as Json;

use super::image::Summary;
use super::layers::Layers;
use super::ps::{self, ContainerList};
use super::units::human_size;
use super::value::{Data, Field, STRING, Struct, Type};
use super::{Answered, Desk, View, formatter, text};
use crate::plan::{Answer, Call};

mod verbose;

/// `docker system df`, of `podman images --all --format json`.
#[derive(Debug)]
pub struct DiskUsage {
    pub format: String,
    pub verbose: bool,
    /// `podman ps --all --format json`.
    pub containers: Call,
    /// How a container's row is made; with `podman container inspect`, which is asked of all that there are.
    pub list: ContainerList,
    /// `podman volume ls --format json`.
    pub volumes: Call,
}

/// What there is.
struct Usage {
    images: Vec<Summary>,
    /// The bytes of all the layers of images.
    layers: u64,
    containers: Vec<Container>,
    volumes: Vec<Volume>,
    cache: Vec<Cached>,
}

/// A container, as Podman lists it and inspects it, and the bytes that it has written.
struct Container {
    listed: Json,
    json: Json,
    written: u64,
}

struct Volume {
    json: Json,
    /// None where it is not ours to look into, as with files of a rootless container's users.
    size: Option<u64>,
    containers: usize,
}

/// An image that only the next build looks at.
struct Cached {
    id: String,
    parent: String,
    created: i64,
    size: u64,
    /// Whether an image has its layer, too.
    shared: bool,
}

impl DiskUsage {
    /// `NewDiskUsageFormat` without `--verbose`.
    fn summary_format(&self) -> &str {
        match self.format.as_str() {
            formatter::TABLE => "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
            formatter::RAW => {
                "type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n"
            }
            other => other,
        }
    }

    /// Asks for the rest. None where Podman does not answer.
    fn usage(&self, images: &Json, desk: &Desk) -> Option<Usage> {
        let (images, layers, cache) = self.images(images);
        let ask = |call: &Call, args: &[&str]| desk.ask(call, args).map(|list| list.as_array().cloned().unwrap_or_default());
        let listed = ask(&self.containers, &[])?;
        let own = |container: &&Json| container.get("IsInfra") != Some(&Json::Bool(true));
        let ids: Vec<&str> = listed.iter().filter(own).map(|container| text(container, "Id")).collect();
        let inspected = if ids.is_empty() { vec![] } else { ask(&self.list.inspect, &ids)? };
        let counted: Vec<Option<u64>> = inspected.iter().map(written).collect();
        let podmans = if counted.contains(&None) { ask(&self.containers, &["--size"])? } else { vec![] };
        let entry = |list: &[Json], id: &str| list.iter().find(|container| text(container, "Id") == id).cloned().unwrap_or_default();
        let containers = inspected.into_iter().zip(counted).map(|(json, written)| {
            let mut listed = entry(&listed, text(&json, "Id"));
            let podmans = || entry(&podmans, text(&json, "Id")).pointer("/Size/rwSize").and_then(Json::as_u64);
            let written = written.or_else(podmans).unwrap_or_default();
            // Nobody's `virtual` size: that of the image is another row's.
            listed["Size"] = serde_json::json!({ "rwSize": written });
            Container { listed, json, written }
        });
        let mut containers: Vec<Container> = containers.collect();
        containers.sort_by(|a, b| text(&b.json, "Created").cmp(text(&a.json, "Created")));
        let volumes = ask(&self.volumes, &[])?.into_iter().map(|json| {
            let users = containers.iter().filter(|container| container.mounts().any(|name| name == text(&json, "Name"))).count();
            let size = tree_size(Path::new(text(&json, "Mountpoint")));
            Volume { json, size, containers: users }
        });
        let volumes = volumes.collect();
        Some(Usage { images, layers, containers, volumes, cache })
    }

    /// The images with what they share, the bytes of all their layers, and what is only a cache: images without a name that others
    /// were built on.
    fn images(&self, list: &Json) -> (Vec<Summary>, u64, Vec<Cached>) {
        let store = Layers::read(&self.list.store.0);
        let entries = || list.as_array().into_iter().flatten();
        let parents: HashSet<&str> = entries().map(|image| text(image, "ParentId")).collect();
        let nameless = |image: &&Json| image.get("Names").and_then(Json::as_array).is_none_or(Vec::is_empty);
        let cached: BTreeMap<&str, &str> = entries()
            .filter(|image| nameless(image) && parents.contains(text(image, "Id")))
            .map(|image| (text(image, "Id"), text(image, "ParentId")))
            .collect();
        let all = Summary::list(list, &store, true, false);
        let (cached_images, mut images): (Vec<_>, Vec<_>) = all.into_iter().partition(|image| cached.contains_key(image.hex()));
        let mut users: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for image in &images {
            for layer in store.of(image.hex()).into_iter().flatten() {
                users.entry(&layer.id).or_insert_with(|| (0, store.size(layer))).0 += 1;
            }
        }
        // Without a store to look into nothing is known to be shared.
        let unknown: u64 = images.iter().filter(|image| store.of(image.hex()).is_none()).map(|image| image.size).sum();
        let layers = users.values().map(|(_, size)| size).sum::<u64>() + unknown;
        for image in &mut images {
            let shared = store.of(image.hex()).into_iter().flatten().filter_map(|layer| users.get(layer.id.as_str()));
            image.shared = Some(shared.filter(|(users, _)| *users > 1).map(|(_, size)| size).sum());
        }
        let cache = cached_images.into_iter().map(|image| {
            let top = store.of(image.hex()).and_then(|layers| layers.last().copied());
            Cached {
                parent: cached.get(image.hex()).filter(|parent| cached.contains_key(*parent)).map(|p| p.to_string()).unwrap_or_default(),
                id: image.hex().to_string(),
                created: image.created,
                size: top.map(|layer| store.size(layer)).unwrap_or_default(),
                shared: top.is_some_and(|layer| users.contains_key(layer.id.as_str())),
            }
        });
        let cache = cache.collect();
        (images, layers, cache)
    }
}

impl View for DiskUsage {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let usage = self.usage(&podman.json()?, desk)?;
        let shown = if self.verbose {
            let rows = usage.containers.iter().map(|container| (&container.listed, &container.json));
            verbose::write(&self.format, &usage, ps::rows(&self.list, rows, desk), desk.now())
        } else {
            formatter::write(self.summary_format(), HEADINGS, &ROW, usage.rows())
        };
        Some(match shown {
            Ok(shown) => Answer::printed(shown),
            Err(error) => Answer::failed(error, 1),
        })
    }
}

impl Usage {
    fn rows(&self) -> [Data; 4] {
        let row = |name: &str, total: usize, active: usize, size: u64, reclaimable: String| {
            let texts = [name.to_string(), total.to_string(), active.to_string(), human_size(size as f64), reclaimable];
            Data::Ptr(Box::new(Data::Struct(texts.map(Data::from).into())))
        };
        let used: u64 = self.images.iter().filter(|i| i.containers != 0).map(|i| i.size.saturating_sub(i.shared.unwrap_or_default())).sum();
        let active_images = self.images.iter().filter(|image| image.containers > 0).count();
        let written: u64 = self.containers.iter().map(|container| container.written).sum();
        let idle: u64 = self.containers.iter().filter(|container| !container.is_active()).map(|container| container.written).sum();
        let active_containers = self.containers.iter().filter(|container| container.is_active()).count();
        let volumes: u64 = self.volumes.iter().filter_map(|volume| volume.size).sum();
        let unused: u64 = self.volumes.iter().filter(|volume| volume.containers == 0).filter_map(|volume| volume.size).sum();
        let active_volumes = self.volumes.iter().filter(|volume| volume.containers > 0).count();
        let cache = self.cache_size();
        [
            row("Images", self.images.len(), active_images, self.layers, part(self.layers.saturating_sub(used), self.layers)),
            row("Containers", self.containers.len(), active_containers, written, part(idle, written)),
            row("Local Volumes", self.volumes.len(), active_volumes, volumes, part(unused, volumes)),
            row("Build Cache", self.cache.len(), 0, cache, human_size(cache as f64)),
        ]
    }

    /// What the cache has for itself.
    fn cache_size(&self) -> u64 {
        self.cache.iter().filter(|cached| !cached.shared).map(|cached| cached.size).sum()
    }
}

/// `1.2MB (50%)`; without the percentage where there is nothing.
fn part(bytes: u64, of: u64) -> String {
    let size = human_size(bytes as f64);
    match (bytes * 100).checked_div(of) {
        Some(percent) => format!("{size} ({percent}%)"),
        None => size,
    }
}

const HEADINGS: &[(&str, &str)] =
    &[("Type", "TYPE"), ("TotalCount", "TOTAL"), ("Active", "ACTIVE"), ("Size", "SIZE"), ("Reclaimable", "RECLAIMABLE")];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.diskUsageImagesContext",
    &[
        Field::new("Type", "", &STRING),
        Field::new("TotalCount", "", &STRING),
        Field::new("Active", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("Reclaimable", "", &STRING),
    ],
    &[],
)));

impl Container {
    fn state(&self) -> &str {
        self.json.pointer("/State/Status").and_then(Json::as_str).unwrap_or_default()
    }

    fn is_active(&self) -> bool {
        ["running", "paused", "restarting"].contains(&self.state())
    }

    /// The names of its volumes.
    fn mounts(&self) -> impl Iterator<Item = &str> {
        let mounts = self.json.get("Mounts").and_then(Json::as_array).into_iter().flatten();
        mounts.filter(|mount| text(mount, "Type") == "volume").map(|mount| text(mount, "Name"))
    }
}

/// The bytes of the files that a container has written, if they lie apart and may be looked at. Podman's own figure has its preparations
/// in it.
pub fn written(container: &Json) -> Option<u64> {
    let upper = Path::new(container.pointer("/GraphDriver/Data/UpperDir")?.as_str()?);
    let mtab = std::fs::read_link(upper.join("etc/mtab")).ok().filter(|to| to == Path::new("/proc/mounts"));
    Some(tree_size(upper)?.saturating_sub(mtab.map_or(0, |to| to.as_os_str().len() as u64)))
}

/// The bytes of the files and links below a directory, each once (moby `pkg/directory`). None where it cannot be read as a whole.
pub fn tree_size(root: &Path) -> Option<u64> {
    let mut seen = BTreeSet::new();
    let mut sum = 0;
    let mut directories = vec![root.to_path_buf()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).ok()? {
            let entry = entry.ok()?;
            let metadata = entry.metadata().ok()?;
            if metadata.is_dir() {
                directories.push(entry.path());
            } else if seen.insert(metadata.ino()) {
                sum += metadata.len();
            }
        }
    }
    Some(sum)
}
