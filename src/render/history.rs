//! The history of an image (docker/cli `cli/command/image/formatter_history.go`, moby `daemon/images/image_history.go`).

use std::ffi::OsStr;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::formatter::{self, truncate_id};
use super::image::local;
use super::layers::Layers;
use super::value::{Data, Field, STRING, Struct, Time, Type, Value, to_json};
use super::{Answered, Desk, View, text, units};
use crate::plan::{Answer, Call};

/// `docker history`, of `podman image inspect`: Podman's own history has other IDs.
#[derive(Debug)]
pub struct History {
    pub format: String,
    pub human: bool,
    pub no_trunc: bool,
    /// The image as Docker would call it, should there be none.
    pub name: String,
    /// `podman image inspect`, for the images below.
    pub inspect: Call,
    /// `podman history` of this image, for sizes that the store does not tell.
    pub history: Call,
    /// Where the store lies whose layers are counted.
    pub roots: Vec<PathBuf>,
}

impl History {
    /// `newHistoryFormat`.
    pub fn format(format: &str, quiet: bool, human: bool) -> String {
        match (format, quiet, human) {
            (formatter::TABLE, true, _) => "{{.ID}}",
            (formatter::TABLE, _, true) => "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
            (formatter::TABLE, ..) => "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}",
            (other, ..) => other,
        }
        .to_string()
    }

    /// The sizes of the steps that made a layer, the first step first.
    fn sizes(&self, image: &Json, desk: &Desk) -> Vec<f64> {
        let layers = Layers::read(&self.roots);
        if let Some(known) = layers.of(text(image, "Id")) {
            return known.into_iter().map(|layer| layers.size(layer) as f64).collect();
        }
        let asked = desk.ask(&self.history, &[] as &[&str]).unwrap_or_default();
        let steps = asked.as_array().into_iter().flatten().rev().zip(steps(image));
        let with_layer = steps.filter(|(_, step)| !is_empty(step));
        with_layer.map(|(asked, _)| asked.get("size").and_then(Json::as_f64).unwrap_or_default()).collect()
    }

    /// The IDs of the youngest steps: the image's own and, where it was committed, that of the image it was committed from. What was
    /// built has no parents in Docker.
    fn ids(&self, image: &Json, desk: &Desk) -> Vec<String> {
        let mut ids = vec![format!("sha256:{}", text(image, "Id"))];
        let mut parent = parent(image).to_string();
        while !parent.is_empty() && ids.len() < steps(image).count() {
            ids.push(format!("sha256:{parent}"));
            let next = desk.ask(&self.inspect, &[OsStr::new(&parent)]).unwrap_or_default();
            parent = next.get(0).map(self::parent).unwrap_or_default().to_string();
        }
        ids
    }
}

impl View for History {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        if podman.status != 0 && memchr::memmem::find(&podman.stderr, b"image not known").is_some() {
            return Some(Answer::failed(format_args!("Error response from daemon: No such image: {}", self.name), 1));
        }
        let inspected = podman.json()?;
        let image = inspected.get(0)?;
        let need = |field: &str| self.format.contains(field) || self.format.contains("json");
        let sizes = if need("Size") { self.sizes(image, desk) } else { vec![] };
        let ids = if need("ID") { self.ids(image, desk) } else { vec![] };
        let mut sizes = sizes.into_iter();
        let mut rows: Vec<(&Json, f64)> = Vec::new();
        for step in steps(image) {
            let size = if is_empty(step) { None } else { sizes.next() };
            rows.push((step, size.unwrap_or_default()));
        }
        let mut ids = ids.iter().map(String::as_str).chain(std::iter::repeat("<missing>"));
        let rows = rows.into_iter().rev().map(|(step, size)| self.row(step, ids.next().unwrap_or_default(), size, desk.now()));
        Some(match formatter::write(&self.format, HEADINGS, &ROW, rows) {
            Ok(shown) => Answer::printed(shown),
            Err(error) => Answer::failed(error, 1),
        })
    }
}

impl History {
    fn row(&self, step: &Json, id: &str, size: f64, now: f64) -> Data {
        let created = Time::parse(text(step, "created")).map_or(0, |time| time.secs);
        let created_at = to_json(&Value::new(&Type::Time, Data::Time(local(created))));
        let created_at = created_at.trim_matches('"');
        let created_since = match created {
            _ if !self.human => created_at.to_string(),
            // Before the year 2000 nothing was built: the time was set to something.
            ..=946_684_800 => "N/A".to_string(),
            _ => format!("{} ago", units::human_duration(now - created as f64)),
        };
        let created_by = text(step, "created_by").replace('\t', " ");
        let trunc = !self.no_trunc;
        Data::Ptr(Box::new(Data::Struct(vec![
            if trunc { truncate_id(id) } else { id }.into(),
            created_at.into(),
            created_since.into(),
            if trunc { formatter::ellipsis(&created_by, 45) } else { created_by }.into(),
            if self.human { units::human_size_with_precision(size, 3) } else { size.to_string() }.into(),
            text(step, "comment").into(),
        ])))
    }
}

fn steps(image: &Json) -> impl Iterator<Item = &Json> {
    image.get("History").and_then(Json::as_array).into_iter().flatten()
}

fn is_empty(step: &Json) -> bool {
    step.get("empty_layer").and_then(Json::as_bool).unwrap_or_default()
}

/// The image that an image was committed from. Podman knows one of what it built, too, and of what fits by accident.
fn parent(image: &Json) -> &str {
    let built = image.pointer("/Labels/io.buildah.version").is_some();
    if built { "" } else { text(image, "Parent") }
}

const HEADINGS: &[(&str, &str)] = &[
    ("ID", "IMAGE"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("CreatedBy", "CREATED BY"),
    ("Size", "SIZE"),
    ("Comment", "COMMENT"),
];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "image.historyContext",
    &[
        Field::new("ID", "", &STRING),
        Field::new("CreatedAt", "", &STRING),
        Field::new("CreatedSince", "", &STRING),
        Field::new("CreatedBy", "", &STRING),
        Field::new("Size", "", &STRING),
        Field::new("Comment", "", &STRING),
    ],
    &[],
)));
