//! Objects: as indented JSON, as compact JSON, or by a template (docker/cli `cli/command/inspect`).

use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;

use super::template::{MissingKey, Template};
use super::value::{Type, Value};
use crate::plan::{Answer, Refusal};

/// An object as dockerd would have sent it, and the type that Docker's client reads it into.
#[derive(Debug)]
pub struct Object {
    pub typ: &'static Type,
    pub json: Json,
}

/// How objects are written.
pub enum Inspector {
    Indented,
    Compact,
    Template(Template),
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inspector::Indented => f.write_str("indented JSON"),
            Inspector::Compact => f.write_str("JSON"),
            Inspector::Template(template) => write!(f, "{:?}", template.text()),
        }
    }
}

impl Inspector {
    /// The inspector for a `--format`. Errors: a template that cannot be parsed, with status 64.
    pub fn new(format: &str) -> Result<Inspector, Refusal> {
        match format {
            "" => Ok(Inspector::Indented),
            "json" => Ok(Inspector::Compact),
            text => match Template::parse(text) {
                Ok(template) => Ok(Inspector::Template(template)),
                Err(error) => Err(Refusal::new(format!("template parsing error: {error}"), 64)),
            },
        }
    }

    /// Docker's answer for what was found, in the order asked for, and the errors for what was not.
    pub fn show(&self, found: Vec<Result<Object, String>>) -> Answer {
        let mut errors = Vec::new();
        let mut objects = Vec::new();
        for found in found {
            match found {
                Ok(object) => objects.push(object),
                Err(error) => errors.push(error),
            }
        }
        let mut stdout = match self {
            Inspector::Template(template) => by_template(template, &objects, &mut errors),
            _ if objects.is_empty() => b"[]".to_vec(),
            Inspector::Compact => serde_json::to_vec(&jsons(&objects)).unwrap_or_default(),
            Inspector::Indented => indented(&jsons(&objects)),
        };
        if !stdout.ends_with(b"\n") {
            stdout.push(b'\n');
        }
        let (stderr, status) = if errors.is_empty() { (Vec::new(), 0) } else { (format!("{}\n", errors.join("\n")).into_bytes(), 1) };
        Answer { stdout, stderr, status }
    }
}

fn jsons(objects: &[Object]) -> Vec<&Json> {
    objects.iter().map(|object| &object.json).collect()
}

/// Four blanks, as `json.Indent` of docker/cli.
fn indented(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let _ = value.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter));
    out
}

/// A template runs over Docker's type, and where that fails over the JSON itself, from then on with absent keys as errors.
fn by_template(template: &Template, objects: &[Object], errors: &mut Vec<String>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut missing = MissingKey::Default;
    for object in objects {
        let mut line = Vec::new();
        if template.execute(&Value::decode(object.typ, &object.json), missing, &mut line).is_err() {
            line.clear();
            missing = MissingKey::Error;
            if let Err(error) = template.execute(&Value::raw(&object.json), missing, &mut line) {
                errors.push(format!("template parsing error: {error}"));
                continue;
            }
        }
        out.append(&mut line);
        out.push(b'\n');
    }
    out
}
