//! Images (moby `daemon/images/image_inspect.go`, `api/server/router/image/inspect_response.go`).

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::inspect::{Inspector, Object};
use super::layers::Layers;
use super::store::strings;
use super::value::{BOOL, DURATION, Field, INT, INT64, MAP_OF_STRINGS, STRING, STRINGS, Struct, Type};
use super::{Answered, Desk, View, text};
use crate::plan::Answer;
use crate::plan::rules::platforms::Platform;
use crate::plan::rules::references::Reference;
use crate::plan::rules::store::{Image, images_of};

/// `docker image inspect`, of `podman image inspect`.
#[derive(Debug)]
pub struct ImageInspect {
    pub inspector: Inspector,
    /// Each as the caller gave it, with the name that Podman is asked by, or Docker's words for a name that is none.
    pub names: Vec<(String, Result<String, String>)>,
    pub platform: Option<Platform>,
    /// Where Podman keeps images, if on this machine.
    pub files: ImageFiles,
}

impl View for ImageInspect {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        // Podman prints what it has found before it fails for the rest.
        let found: Json = serde_json::from_slice(&podman.stdout).ok()?;
        let mut found = found.as_array()?.iter();
        let said = String::from_utf8_lossy(&podman.stderr).into_owned();
        let mut objects = Vec::new();
        for (typed, name) in &self.names {
            objects.push(match name {
                Err(words) => Err(words.clone()),
                Ok(name) if podman.status != 0 && is_missing(&said, name) => Err(no_such(typed)),
                Ok(_) => {
                    let image = found.next()?;
                    let is = Platform::of_image(text(image, "Os"), text(image, "Architecture"), "");
                    match self.platform.as_ref().and_then(|wanted| wanted.mismatch(&is, typed)) {
                        Some(words) => Err(words),
                        None => Ok(object(image, &self.files, &self.inspector)?),
                    }
                }
            });
        }
        Some(self.inspector.show(objects))
    }
}

impl ImageInspect {
    /// The answer where no name was one that Podman could be asked by.
    pub fn without_podman(&self) -> Answer {
        let errors = self.names.iter().filter_map(|(_, name)| name.clone().err()).map(Err);
        self.inspector.show(errors.collect())
    }
}

fn is_missing(said: &str, name: &str) -> bool {
    // 4.x puts words before the name, 5.x begins with it.
    let names =
        |line: &str, words: &str| line.split_once(words).is_some_and(|(before, _)| before == name || before.ends_with(&format!(" {name}")));
    said.lines().any(|l| names(l, ": image not known") || names(l, ": invalid format"))
}

fn no_such(typed: &str) -> String {
    let shown = Reference::parse(OsStr::new(typed)).map_or_else(|_| typed.to_string(), |r| r.familiar());
    let shown = if typed.starts_with("sha256:") { typed.to_string() } else { shown };
    format!("Error response from daemon: No such image: {shown}")
}

/// An image as dockerd would send it, of what `podman image inspect` says of it. What Podman leaves out is read from the image's own
/// configuration in the store, where the store is on this machine. What costs much and is not shown is left as Podman has it.
pub fn object(podman: &Json, files: &ImageFiles, inspector: &Inspector) -> Option<Object> {
    let id = podman.get("Id")?.as_str()?;
    let own: Option<Json> = files.image(id).and_then(|image| serde_json::from_slice(&image.config(&read)).ok());
    let top = |key: &str| own.as_ref().and_then(|c| c.get(key)).and_then(Json::as_str).unwrap_or_default().to_string();
    let config = config(podman, own.as_ref());
    let names: Vec<&str> = podman["RepoTags"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let mut object = Map::new();
    let mut put = |key: &str, value: Json| {
        object.insert(key.into(), value);
    };
    let built = labels_of(podman).contains_key(BUILDERS_MARK);
    put("Id", format!("sha256:{id}").into());
    put("RepoTags", json!(tags(&names)));
    put("RepoDigests", json!(digests(podman, files)));
    let parent = text(podman, "Parent");
    put("Parent", if parent.is_empty() || built { "".into() } else { format!("sha256:{parent}").into() });
    put("Comment", comment(podman, &top("comment")).into());
    if own.as_ref().is_none_or(|c| c.get("created").is_some_and(Json::is_string)) {
        put("Created", text(podman, "Created").into());
    }
    put("DockerVersion", text(podman, "Version").into());
    put("Author", text(podman, "Author").into());
    put("Architecture", text(podman, "Architecture").into());
    for (key, name) in [("Variant", "variant"), ("Os", ""), ("OsVersion", "os.version")] {
        match key {
            "Os" => put("Os", text(podman, "Os").into()),
            _ if top(name).is_empty() => {}
            _ => put(key, top(name).into()),
        }
    }
    let size = if inspector.shows("Size") { Layers::of_directories(&files.directories).image_size(id) } else { None };
    put("Size", size.map_or_else(|| podman["Size"].clone(), Json::from));
    put("GraphDriver", graph_driver(&podman["GraphDriver"]));
    put("RootFS", podman["RootFS"].clone());
    put("Metadata", json!({ "LastTagTime": "0001-01-01T00:00:00Z" }));
    put("Config", config);
    Some(Object { typ: &INSPECT, json: Json::Object(object) })
}

/// Names as Docker shows them, in the order of the full names.
fn tags(names: &[&str]) -> Vec<String> {
    let mut names: Vec<&str> = names.iter().copied().filter(|name| !name.contains('@')).collect();
    names.sort_unstable();
    names.into_iter().map(familiar).collect()
}

/// A full name of Podman's without what Docker leaves out. Unlike [`Reference::familiar`] it adds no tag.
fn familiar(name: &str) -> String {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name).to_string()
}

/// The digests under which registries have the image, as far as they are known. Of a store elsewhere only the names that are digests are.
fn digests(podman: &Json, files: &ImageFiles) -> Vec<String> {
    let names = match files.image(text(podman, "Id")) {
        Some(image) => image.digest_names(&read),
        None => strings(&podman["NamesHistory"]).into_iter().filter(|name| name.contains('@')).collect(),
    };
    names.iter().map(|name| familiar(name)).collect()
}

/// The label by which Podman's builder marks what it made.
const BUILDERS_MARK: &str = "io.buildah.version";

fn labels_of(podman: &Json) -> BTreeMap<String, String> {
    super::labels(podman, "Labels")
}

/// The image's own comment, else that of its last step; what Podman's builder notes there is not one.
fn comment(podman: &Json, own: &str) -> String {
    if !own.is_empty() {
        return own.to_string();
    }
    let last = podman["History"].as_array().and_then(|history| history.last());
    last.map_or("", |step| text(step, "comment"))
        .strip_prefix("FROM ")
        .map_or_else(|| last.map_or("", |s| text(s, "comment")), |_| "")
        .into()
}

/// `Config`: the keys in order, those that always were there also where they are empty.
fn config(podman: &Json, own: Option<&Json>) -> Json {
    let mut config = BTreeMap::new();
    let source = own.and_then(|own| own.get("config")).unwrap_or(&podman["Config"]);
    for key in OPTIONAL {
        let value = source.get(key).cloned().unwrap_or_default();
        if !is_empty(&value) {
            config.insert(key.to_string(), value);
        }
    }
    if let Some(health) = podman.get("Healthcheck").filter(|h| !is_empty(h)) {
        config.entry("Healthcheck".into()).or_insert_with(|| sorted(health));
    }
    if let Some(health) = config.get_mut("Healthcheck") {
        *health = sorted(health);
    }
    let labels: BTreeMap<String, String> = super::labels(source, "Labels").into_iter().filter(|(k, _)| k != BUILDERS_MARK).collect();
    config.insert("Labels".into(), if labels.is_empty() { Json::Null } else { json!(labels) });
    for key in ["ExposedPorts", "Volumes"] {
        if let Some(value) = config.get_mut(key) {
            *value = sorted(value);
        }
    }
    for key in ["Cmd", "Entrypoint", "Env", "OnBuild", "Volumes"] {
        config.entry(key.into()).or_default();
    }
    for key in ["User", "WorkingDir"] {
        config.entry(key.into()).or_insert_with(|| "".into());
    }
    json!(config)
}

const OPTIONAL: [&str; 13] = [
    "ArgsEscaped",
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
    "Labels",
];

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(it) => !it,
        Json::Number(n) => n.as_f64() == Some(0.0),
        Json::String(text) => text.is_empty(),
        Json::Array(list) => list.is_empty(),
        Json::Object(map) => map.is_empty(),
    }
}

/// An object with its keys in order, without those that are empty (`omitempty`) but for objects.
fn sorted(value: &Json) -> Json {
    let entries = value.as_object().into_iter().flatten();
    let kept = entries.filter(|(_, v)| v.is_object() || !is_empty(v)).map(|(k, v)| (k.clone(), v.clone()));
    json!(kept.collect::<BTreeMap<String, Json>>())
}

/// Podman's driver `overlay` lays its directories out as Docker's `overlay2` does.
fn graph_driver(podman: &Json) -> Json {
    let mut data: BTreeMap<String, String> = super::labels(podman, "Data");
    if let Some(layer) = data.get("UpperDir").and_then(|upper| upper.strip_suffix("/diff")).map(str::to_string) {
        data.entry("MergedDir".into()).or_insert_with(|| format!("{layer}/merged"));
    }
    let name = match text(podman, "Name") {
        "overlay" => "overlay2",
        other => other,
    };
    json!({ "Data": if data.is_empty() { Json::Null } else { json!(data) }, "Name": name })
}

/// A file of the store.
fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

/// The image stores of the caller's Podman: the places of their files, and the images in them. None are known for a Podman elsewhere.
#[derive(Debug, Default)]
pub struct ImageFiles {
    directories: Vec<PathBuf>,
    images: OnceCell<Vec<Image>>,
}

impl ImageFiles {
    /// Of the directories that the images' own lie in.
    pub fn new(directories: Vec<PathBuf>) -> ImageFiles {
        ImageFiles { directories, images: OnceCell::new() }
    }

    fn image(&self, id: &str) -> Option<&Image> {
        self.images.get_or_init(|| images_of(&self.directories, &read).unwrap_or_default()).iter().find(|image| image.id == id)
    }
}

static HEALTHCHECK: Type = Type::Struct(&Struct::new(
    "v1.HealthcheckConfig",
    &[
        Field::new("Test", "Test", &STRINGS).omitempty(),
        Field::new("Interval", "Interval", &DURATION).omitempty(),
        Field::new("Timeout", "Timeout", &DURATION).omitempty(),
        Field::new("StartPeriod", "StartPeriod", &DURATION).omitempty(),
        Field::new("StartInterval", "StartInterval", &DURATION).omitempty(),
        Field::new("Retries", "Retries", &INT).omitempty(),
    ],
));
static NOTHING: Type = Type::Struct(&Struct::new("struct {}", &[]));
static SET: Type = Type::Map(&STRING, &NOTHING);
pub static IMAGE_CONFIG: Type = Type::Struct(&Struct::new(
    "v1.ImageConfig",
    &[
        Field::new("User", "User", &STRING).omitempty(),
        Field::new("ExposedPorts", "ExposedPorts", &SET).omitempty(),
        Field::new("Env", "Env", &STRINGS).omitempty(),
        Field::new("Entrypoint", "Entrypoint", &STRINGS).omitempty(),
        Field::new("Cmd", "Cmd", &STRINGS).omitempty(),
        Field::new("Volumes", "Volumes", &SET).omitempty(),
        Field::new("WorkingDir", "WorkingDir", &STRING).omitempty(),
        Field::new("Labels", "Labels", &MAP_OF_STRINGS).omitempty(),
        Field::new("StopSignal", "StopSignal", &STRING).omitempty(),
        Field::new("ArgsEscaped", "ArgsEscaped", &BOOL).omitempty(),
    ],
));
static CONFIG_EXT: Type = Type::Struct(&Struct::new(
    "v1.DockerOCIImageConfigExt",
    &[
        Field::new("Healthcheck", "Healthcheck", &Type::Ptr(&HEALTHCHECK)).omitempty(),
        Field::new("OnBuild", "OnBuild", &STRINGS).omitempty(),
        Field::new("Shell", "Shell", &STRINGS).omitempty(),
    ],
));
static CONFIG: Type = Type::Struct(&Struct::new(
    "v1.DockerOCIImageConfig",
    &[Field::embedded("ImageConfig", &IMAGE_CONFIG), Field::embedded("DockerOCIImageConfigExt", &CONFIG_EXT)],
));
static DRIVER_DATA: Type =
    Type::Struct(&Struct::new("storage.DriverData", &[Field::new("Data", "Data", &MAP_OF_STRINGS), Field::new("Name", "Name", &STRING)]));
static ROOT_FS: Type = Type::Struct(&Struct::new(
    "image.RootFS",
    &[Field::new("Type", "Type", &STRING).omitempty(), Field::new("Layers", "Layers", &STRINGS).omitempty()],
));
static METADATA: Type = Type::Struct(&Struct::new("image.Metadata", &[Field::new("LastTagTime", "LastTagTime", &Type::Time).omitempty()]));
static CONTAINER_CONFIG: Type = Type::Struct(&Struct::new("container.Config", &[]));
static DESCRIPTOR: Type = Type::Struct(&Struct::new("v1.Descriptor", &[]));
static MANIFEST_SUMMARY: Type = Type::Struct(&Struct::new("image.ManifestSummary", &[]));

/// `image.InspectResponse` of moby's API. What dockerd's classic image store never sends has no fields of its own.
pub static INSPECT: Type = Type::Struct(&Struct::new(
    "image.InspectResponse",
    &[
        Field::new("ID", "Id", &STRING),
        Field::new("RepoTags", "RepoTags", &STRINGS),
        Field::new("RepoDigests", "RepoDigests", &STRINGS),
        Field::new("Parent", "Parent", &STRING),
        Field::new("Comment", "Comment", &STRING),
        Field::new("Created", "Created", &STRING).omitempty(),
        Field::new("Container", "Container", &STRING).omitempty(),
        Field::new("ContainerConfig", "ContainerConfig", &Type::Ptr(&CONTAINER_CONFIG)).omitempty(),
        Field::new("DockerVersion", "DockerVersion", &STRING),
        Field::new("Author", "Author", &STRING),
        Field::new("Config", "Config", &Type::Ptr(&CONFIG)),
        Field::new("Architecture", "Architecture", &STRING),
        Field::new("Variant", "Variant", &STRING).omitempty(),
        Field::new("Os", "Os", &STRING),
        Field::new("OsVersion", "OsVersion", &STRING).omitempty(),
        Field::new("Size", "Size", &INT64),
        Field::new("VirtualSize", "VirtualSize", &INT64).omitempty(),
        Field::new("GraphDriver", "GraphDriver", &DRIVER_DATA),
        Field::new("RootFS", "RootFS", &ROOT_FS),
        Field::new("Metadata", "Metadata", &METADATA),
        Field::new("Descriptor", "Descriptor", &Type::Ptr(&DESCRIPTOR)).omitempty(),
        Field::new("Manifests", "Manifests", &Type::List(&MANIFEST_SUMMARY)).omitempty(),
    ],
));
