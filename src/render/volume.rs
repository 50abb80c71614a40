//! Volumes (docker/cli `cli/command/formatter/volume.go`).

use serde_json::Value as Json;

use super::formatter::{self, LABEL, joined_labels};
use super::value::{Data, Field, MAP_OF_STRINGS, STRING, Struct, Type, Value};
use super::{Answered, Desk, View, labels, natural, text};
use crate::plan::Answer;

/// `docker volume ls`, of `podman volume ls --format json`.
#[derive(Debug)]
pub struct VolumeList {
    pub format: String,
}

impl VolumeList {
    /// `NewVolumeFormat`.
    pub fn new(format: &str, quiet: bool) -> VolumeList {
        let format = match (format, quiet) {
            (formatter::TABLE, true) => "{{.Name}}",
            (formatter::TABLE, false) => "table {{.Driver}}\t{{.Name}}",
            (formatter::RAW, true) => "name: {{.Name}}",
            (formatter::RAW, false) => "name: {{.Name}}\\ndriver: {{.Driver}}\\n",
            (other, _) => other,
        };
        VolumeList { format: format.to_string() }
    }
}

impl View for VolumeList {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        let list = podman.json()?;
        // Podman prints `null` where there is none.
        let mut volumes: Vec<&Json> = list.as_array().into_iter().flatten().collect();
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

fn row(volume: &Json) -> Data {
    // How much a volume holds and who uses it is only in `system df -v`.
    row_in_use(volume, "N/A", "N/A")
}

/// The row of a volume, how many containers use it and how much it holds.
pub fn row_in_use(volume: &Json, links: &str, size: &str) -> Data {
    let labels = labels(volume, "Labels");
    // The rest is of clusters.
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
