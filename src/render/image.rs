//! Lists of images (docker/cli `cli/command/formatter/image.go`, moby `daemon/images/image_list.go`).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::formatter::{self, truncate_id};
use super::layers::Layers;
use super::value::{Data, Field, STRING, Struct, Time, Type};
use super::{Answered, Desk, View, glob, labels, text, units};
use crate::plan::Answer;
use crate::plan::rules::references::Reference;

pub mod tree;

/// `docker images`, of `podman images --format json`.
#[derive(Debug)]
pub struct ImageList {
    pub format: String,
    pub no_trunc: bool,
    /// `--digests`.
    pub digests: bool,
    pub filters: Filters,
    /// Where the store lies whose layers are counted.
    pub roots: Vec<PathBuf>,
    /// The name that was asked for with `docker images`, where it is also a command of `docker image`.
    pub hint: Option<String>,
}

/// Which images and names are shown.
#[derive(Debug, Default)]
pub struct Filters {
    /// Patterns of familiar names, one of which has to match.
    pub references: Vec<String>,
    /// `key` or `key=value`, all of which an image has to have.
    pub labels: Vec<String>,
    pub dangling: Option<bool>,
}

impl ImageList {
    /// `NewImageFormat`.
    pub fn format(format: &str, quiet: bool, digests: bool) -> String {
        match (format, quiet, digests) {
            (formatter::TABLE, true, _) => "{{.ID}}".into(),
            (formatter::TABLE, _, true) => format!("table {{{{.Repository}}}}\t{{{{.Tag}}}}\t{{{{.Digest}}}}{LAST_COLUMNS}"),
            (formatter::TABLE, ..) => format!("table {{{{.Repository}}}}\t{{{{.Tag}}}}{LAST_COLUMNS}"),
            (formatter::RAW, true, _) => "image_id: {{.ID}}".into(),
            (formatter::RAW, _, digests) => {
                let digest = if digests { "digest: {{.Digest}}\n" } else { "" };
                let rest = "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";
                format!("repository: {{{{ .Repository}}}}\ntag: {{{{.Tag}}}}\n{digest}{rest}")
            }
            (other, _, true) if other.starts_with(formatter::TABLE) && !other.contains("{{.Digest}}") => {
                format!("{other}\t{{{{.Digest}}}}")
            }
            (other, ..) => other.into(),
        }
    }
}

const LAST_COLUMNS: &str = "\t{{.ID}}\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\t{{.Size}}";

impl View for ImageList {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let list = podman.json()?;
        // What is not shown is not counted: the layers' sizes, and where an image came from.
        let sizes = self.format.contains("Size") || self.format.contains("json");
        let need_digest = self.digests || self.format.contains("{{.Digest}}");
        let layers = Layers::read(&self.roots);
        let images = Summary::list(&list, &layers, sizes, need_digest);
        let images = match self.filters.apply(images) {
            Ok(images) => images,
            Err(words) => return Some(Answer::failed(format_args!("Error response from daemon: {words}"), 1)),
        };
        let rows = images.iter().flat_map(|image| image.rows(self.digests, need_digest, !self.no_trunc, desk.now()));
        Some(match formatter::write(&self.format, HEADINGS, &ROW, rows) {
            Err(error) => Answer::failed(error, 1),
            Ok(shown) => {
                let mut answer = Answer::printed(shown);
                if let Some(name) = self.hint.as_ref().filter(|_| images.is_empty()) {
                    answer.stderr = format!("\nNo images found matching \"{name}\": did you mean \"docker image {name}\"?\n").into_bytes();
                }
                answer
            }
        })
    }
}

/// An image as dockerd lists it.
#[derive(Debug, Default)]
pub struct Summary {
    /// With its algorithm.
    pub id: String,
    pub created: i64,
    /// Full names with tags, and with digests.
    pub tags: Vec<Reference>,
    pub digests: Vec<Reference>,
    pub labels: BTreeMap<String, String>,
    pub containers: i64,
    pub size: u64,
    /// How much of it other images have too, where that was asked for.
    pub shared: Option<u64>,
}

impl Summary {
    /// The images of Podman's list, once each (it has one entry per name), the youngest first. Without `sizes` they have none; without
    /// `digests` only those have any that have no tags.
    pub fn list(list: &Json, layers: &Layers, sizes: bool, digests: bool) -> Vec<Summary> {
        let mut seen = BTreeSet::new();
        let images = list.as_array().into_iter().flatten().filter(|image| seen.insert(text(image, "Id")));
        let mut images: Vec<Summary> = images.map(|image| Summary::of(image, layers, sizes, digests)).collect();
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        images
    }

    fn of(image: &Json, layers: &Layers, sizes: bool, digests: bool) -> Summary {
        let id = text(image, "Id");
        let number = |key: &str| image.get(key).and_then(Json::as_i64).unwrap_or_default();
        let named: Vec<Reference> = strings(image, "Names").filter_map(parse).collect();
        let mut tags: Vec<Reference> = named.iter().filter(|name| name.tag.is_some() && name.digest.is_none()).cloned().collect();
        tags.sort_by_key(Reference::full);
        let size = if sizes { layers.image_size(id) } else { Some(0) };
        Summary {
            id: format!("sha256:{id}"),
            created: number("Created"),
            digests: if digests || tags.is_empty() { self::digests(image, layers, &named) } else { vec![] },
            tags,
            labels: labels(image, "Labels"),
            containers: number("Containers"),
            size: size.unwrap_or_else(|| u64::try_from(number("Size")).unwrap_or_default()),
            shared: None,
        }
    }

    /// The ID without its algorithm.
    pub fn hex(&self) -> &str {
        self.id.strip_prefix("sha256:").unwrap_or(&self.id)
    }

    fn is_dangling(&self) -> bool {
        self.tags.is_empty() && self.digests.is_empty()
    }

    /// `imageFormatTaggedAndDigest`: a row for each tag, for each digest with `--digests`, and for what has only a digest.
    fn rows(&self, digests: bool, need_digest: bool, trunc: bool, now: f64) -> Vec<Data> {
        let row = |repository: &str, tag: &str, digest: &str| self.row(repository, tag, digest, trunc, now);
        if self.is_dangling() {
            return vec![row(NONE, NONE, NONE)];
        }
        let mut rows = Vec::new();
        let of = |name: &str| {
            let those = self.digests.iter().filter(|d| d.familiar_name() == name);
            those.filter_map(|d| d.digest.clone()).collect::<Vec<_>>()
        };
        for tag in &self.tags {
            let name = tag.familiar_name();
            let digests = if need_digest { of(&name) } else { vec![] };
            let tag = tag.tag.as_deref().unwrap_or_default();
            rows.extend(digests.iter().map(|digest| row(&name, tag, digest)));
            if digests.is_empty() {
                rows.push(row(&name, tag, NONE));
            }
        }
        let tagged: BTreeSet<String> = self.tags.iter().map(Reference::familiar_name).collect();
        let mut untagged: Vec<String> = self.digests.iter().map(Reference::familiar_name).filter(|name| !tagged.contains(name)).collect();
        untagged.dedup();
        for name in untagged {
            if digests {
                rows.extend(of(&name).iter().map(|digest| row(&name, NONE, digest)));
            } else {
                rows.push(row(&name, NONE, ""));
            }
        }
        rows
    }

    /// The row of `formatter.imageContext`.
    pub fn row(&self, repository: &str, tag: &str, digest: &str, trunc: bool, now: f64) -> Data {
        let size = self.size as f64;
        let shared = |size: Option<u64>| size.map_or("N/A".to_string(), |size| units::human_size(size as f64));
        let id = if trunc { truncate_id(&self.id) } else { &self.id };
        Data::Ptr(Box::new(Data::Struct(vec![
            id.into(),
            repository.into(),
            tag.into(),
            digest.into(),
            format!("{} ago", units::human_duration(now - self.created as f64)).into(),
            local(self.created).to_string().into(),
            units::human_size_with_precision(size, 3).into(),
            self.containers.to_string().into(),
            units::human_size(size).into(),
            shared(self.shared).into(),
            shared(self.shared.map(|shared| self.size.saturating_sub(shared))).into(),
        ])))
    }
}

pub const NONE: &str = "<none>";

pub const HEADINGS: &[(&str, &str)] = &[
    ("ID", "IMAGE ID"),
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("Containers", "CONTAINERS"),
    ("VirtualSize", "SIZE"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
];

pub static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.imageContext",
    &[
        Field::new("ID", "", &STRING),
        Field::new("Repository", "", &STRING),
        Field::new("Tag", "", &STRING),
        Field::new("Digest", "", &STRING),
        Field::new("CreatedSince", "", &STRING),
        Field::new("CreatedAt", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("Containers", "", &STRING),
        Field::new("VirtualSize", "", &STRING),
        Field::new("SharedSize", "", &STRING),
        Field::new("UniqueSize", "", &STRING),
    ],
    &[],
)));

impl Filters {
    /// What `docker images` shows of the images. Errors: the daemon's words.
    fn apply(&self, images: Vec<Summary>) -> Result<Vec<Summary>, &'static str> {
        let dockers: BTreeSet<String> = images.iter().flat_map(|image| &image.tags).map(Reference::familiar).collect();
        let mut shown = Vec::new();
        for mut image in images {
            if !self.labels.iter().all(|label| has_label(&image.labels, label)) {
                continue;
            }
            if !self.references.is_empty() {
                image.tags = self.named(image.tags, &dockers)?;
                image.digests = self.named(image.digests, &dockers)?;
            }
            let fits = match self.dangling {
                _ if image.is_dangling() => self.references.is_empty() && self.dangling != Some(false),
                Some(true) => image.tags.is_empty(),
                _ => true,
            };
            if fits {
                shown.push(image);
            }
        }
        Ok(shown)
    }

    fn named(&self, names: Vec<Reference>, dockers: &BTreeSet<String>) -> Result<Vec<Reference>, &'static str> {
        let mut kept = Vec::new();
        for name in names {
            let mut spellings = vec![name.familiar(), name.familiar_name()];
            // What a plain Podman built as `app` is `localhost/app`, and found as `app`.
            let short = spellings[0].strip_prefix("localhost/").filter(|short| !dockers.contains(*short)).map(str::to_string);
            spellings.extend(
                short.and_then(|short| Some([Reference::parse(OsStr::new(&short)).ok()?.familiar_name(), short])).into_iter().flatten(),
            );
            let mut fits = false;
            for (pattern, spelling) in self.references.iter().flat_map(|p| spellings.iter().map(move |s| (p, s))) {
                fits = fits || glob::matches(pattern, spelling)?;
            }
            if fits {
                kept.push(name);
            }
        }
        Ok(kept)
    }
}

/// `MatchKVList`.
fn has_label(labels: &BTreeMap<String, String>, wanted: &str) -> bool {
    let (key, value) = wanted.split_once('=').map_or((wanted, None), |(key, value)| (key, Some(value)));
    labels.get(key).is_some_and(|is| value.is_none_or(|value| value == is))
}

/// The names by digest that Docker has for an image. Podman makes one for each name, pushed or not; it is believed where its store is
/// elsewhere and the image has one name.
fn digests(image: &Json, layers: &Layers, named: &[Reference]) -> Vec<Reference> {
    if let Some(image) = layers.image(text(image, "Id")) {
        return image.digest_names(&|path| std::fs::read(path).ok()).iter().filter_map(|name| parse(name)).collect();
    }
    match named {
        [only] if only.digest.is_none() => {
            let digest = Some(text(image, "Digest").to_string()).filter(|digest| !digest.is_empty());
            digest.map(|digest| Reference { tag: None, digest: Some(digest), ..only.clone() }).into_iter().collect()
        }
        _ => named.iter().filter(|name| name.digest.is_some()).cloned().collect(),
    }
}

fn strings<'a>(json: &'a Json, key: &str) -> impl Iterator<Item = &'a str> {
    json.get(key).and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}

fn parse(name: &str) -> Option<Reference> {
    Reference::parse(OsStr::new(name)).ok()
}

/// A moment in the caller's own zone.
pub fn local(secs: i64) -> Time {
    let utc = Time { secs, nanos: 0, offset: 0, zone: None };
    if std::env::var_os("TZ").is_some_and(|name| !is_zone(&name)) {
        return utc;
    }
    // SAFETY: tm is plain data that localtime_r fills; its zone is a C string that lives as long as the process.
    let (offset, zone) = unsafe {
        let mut tm: nix::libc::tm = std::mem::zeroed();
        if nix::libc::localtime_r(&secs, &mut tm).is_null() || tm.tm_zone.is_null() {
            return utc;
        }
        (tm.tm_gmtoff, std::ffi::CStr::from_ptr(tm.tm_zone).to_string_lossy().into_owned())
    };
    let zone = Some(zone).filter(|zone| offset != 0 || zone != "UTC");
    Time { secs, nanos: 0, offset: i32::try_from(offset).unwrap_or_default(), zone }
}

/// Whether Go finds the zone that `TZ` names: a file. It does not read rules like `UTC+5`.
fn is_zone(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let name = name.strip_prefix(':').unwrap_or(&name);
    !name.is_empty() && Path::new("/usr/share/zoneinfo").join(name).is_file()
}
