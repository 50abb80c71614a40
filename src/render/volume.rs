//! Volumes (docker/cli `cli/command/formatter/volume.go`).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::filter;
use super::formatter::{self, LABEL, joined_labels};
use super::inspect::{Inspector, Object};
use super::value::{Data, Field, INT64, MAP_OF_ANY, MAP_OF_STRINGS, STRING, Struct, Type, Value};
use super::{Answered, Desk, View, natural, text};
use crate::plan::Answer;

/// `docker volume ls`, of `podman volume ls --format json`.
#[derive(Debug)]
pub struct VolumeList {
    format: String,
    /// But for `dangling`, which Podman has looked at.
    filters: Vec<(String, String)>,
}

impl VolumeList {
    /// `NewVolumeFormat`.
    pub fn new(format: &str, quiet: bool, filters: Vec<(String, String)>) -> VolumeList {
        let format = match (format, quiet) {
            (formatter::TABLE, true) => "{{.Name}}",
            (formatter::TABLE, false) => "table {{.Driver}}\t{{.Name}}",
            (formatter::RAW, true) => "name: {{.Name}}",
            (formatter::RAW, false) => "name: {{.Name}}\\ndriver: {{.Driver}}\\n",
            (other, _) => other,
        };
        VolumeList { format: format.to_string(), filters }
    }
}

impl View for VolumeList {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        let list = podman.json()?;
        // Podman prints `null` where there is none.
        let mut volumes: Vec<&Json> = list.as_array().into_iter().flatten().collect();
        volumes.retain(|volume| {
            filter::matching(&self.filters, "name", text(volume, "Name"))
                && filter::exact(&self.filters, "driver", text(volume, "Driver"))
                && filter::labelled(&self.filters, "label", &labels(volume))
        });
        volumes.sort_by(|a, b| natural(text(a, "Name"), text(b, "Name")));
        Some(match formatter::write(&self.format, HEADINGS, &ROW, volumes.into_iter().map(row)) {
            Ok(shown) => Answer::printed(shown),
            Err(error) => Answer::failed(error, 1),
        })
    }
}

pub const HEADINGS: &[(&str, &str)] = &[
    ("ID", "ID"),
    ("Name", "VOLUME NAME"),
    ("Group", "GROUP"),
    ("Driver", "DRIVER"),
    ("Scope", "SCOPE"),
    ("Availability", "AVAILABILITY"),
    ("Mountpoint", "MOUNTPOINT"),
    ("Labels", "LABELS"),
    ("Links", "LINKS"),
    ("Size", "SIZE"),
    ("Status", "STATUS"),
];

pub static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "formatter.volumeContext",
    &[
        Field::new("Name", "", &STRING),
        Field::new("Driver", "", &STRING),
        Field::new("Scope", "", &STRING),
        Field::new("Mountpoint", "", &STRING),
        Field::new("Labels", "", &STRING),
        Field::new("Links", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("Group", "", &STRING),
        Field::new("Availability", "", &STRING),
        Field::new("Status", "", &STRING),
        Field::new("labels", "-", &MAP_OF_STRINGS),
    ],
    &[LABEL],
)));

/// The label of dockerd's own by which it knows a volume that nobody named.
const ANONYMOUS: &str = "com.docker.volume.anonymous";

/// The labels that Docker would show.
fn labels(volume: &Json) -> BTreeMap<String, String> {
    let mut labels = super::labels(volume, "Labels");
    if volume.get("Anonymous").and_then(Json::as_bool).unwrap_or_default() {
        labels.insert(ANONYMOUS.into(), String::new());
    }
    labels
}

/// A volume as dockerd would send it, of what `podman volume inspect` says of it.
pub fn object(podman: &Json) -> Option<Object> {
    podman.get("Mountpoint")?;
    // Podman adds what it has read out of the options, in capitals.
    let options = podman.get("Options").and_then(Json::as_object).into_iter().flatten();
    let options: Map<String, Json> = options.filter(|(k, _)| !PODMANS.contains(&k.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
    let labels = labels(podman);
    let or_null = |empty: bool, json: Json| if empty { Json::Null } else { json };
    let json = json!({
        "CreatedAt": seconds(text(podman, "CreatedAt")),
        "Driver": text(podman, "Driver"),
        "Labels": or_null(labels.is_empty(), json!(labels)),
        "Mountpoint": text(podman, "Mountpoint"),
        "Name": text(podman, "Name"),
        "Options": or_null(options.is_empty(), Json::Object(options)),
        "Scope": "local",
    });
    Some(Object { typ: &VOLUME, json })
}

const PODMANS: [&str; 5] = ["SIZE", "INODES", "UID", "GID", "NOQUOTA"];

/// A time without its fraction: dockerd takes it from the directory and shows RFC 3339.
fn seconds(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, rest)) => whole.to_string() + rest.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => time.to_string(),
    }
}

/// `docker volume inspect`, of `podman volume inspect`.
#[derive(Debug)]
pub struct VolumeInspect {
    pub inspector: Inspector,
    pub names: Vec<String>,
}

impl View for VolumeInspect {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        // Podman prints what it has found before it fails for the rest.
        let found: Json = serde_json::from_slice(&podman.stdout).ok()?;
        let found = found.as_array()?;
        if podman.status != 0 && !String::from_utf8_lossy(&podman.stderr).contains("no such volume") {
            return None;
        }
        let one = |name: &String| {
            let volume = found.iter().find(|volume| text(volume, "Name") == name).and_then(object);
            volume.ok_or_else(|| format!("Error response from daemon: get {name}: no such volume"))
        };
        Some(self.inspector.show_typed(self.names.iter().map(one).collect()))
    }
}

static USAGE_DATA: Type =
    Type::Struct(&Struct::new("volume.UsageData", &[Field::new("RefCount", "RefCount", &INT64), Field::new("Size", "Size", &INT64)]));

/// `volume.Volume` of moby's API. Podman has no cluster volumes, so what is in one is left out of the type.
pub static VOLUME: Type = Type::Struct(&Struct::new(
    "volume.Volume",
    &[
        Field::new("ClusterVolume", "ClusterVolume", &Type::Ptr(&Type::Struct(&Struct::new("volume.ClusterVolume", &[])))).omitempty(),
        Field::new("CreatedAt", "CreatedAt", &STRING).omitempty(),
        Field::new("Driver", "Driver", &STRING),
        Field::new("Labels", "Labels", &MAP_OF_STRINGS),
        Field::new("Mountpoint", "Mountpoint", &STRING),
        Field::new("Name", "Name", &STRING),
        Field::new("Options", "Options", &MAP_OF_STRINGS),
        Field::new("Scope", "Scope", &STRING),
        Field::new("Status", "Status", &MAP_OF_ANY).omitempty(),
        Field::new("UsageData", "UsageData", &Type::Ptr(&USAGE_DATA)).omitempty(),
    ],
));

fn row(volume: &Json) -> Data {
    // How much a volume holds and who uses it is only in `system df -v`.
    row_in_use(volume, "N/A", "N/A")
}

/// The row of a volume, how many containers use it and how much it holds.
pub fn row_in_use(volume: &Json, links: &str, size: &str) -> Data {
    // The rest is of clusters.
    let labels = labels(volume);
    let unknown = || Data::from("N/A");
    Data::Ptr(Box::new(Data::Struct(vec![
        text(volume, "Name").into(),
        text(volume, "Driver").into(),
        "local".into(),
        text(volume, "Mountpoint").into(),
        joined_labels(&labels).into(),
        links.into(),
        size.into(),
        unknown(),
        unknown(),
        unknown(),
        Value::strings(labels).data,
    ])))
}
