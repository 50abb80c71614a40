//! `bake --print` and `--list`: what was found out, in buildx's JSON and tables; and the same JSON read again.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::definition::{Chosen, Group, Target};
use super::entry::{Entry, Kind};
use super::file::Blocks;
use crate::render::{html_safe, indented};

/// What HCL would take for an expression is marked, so that the JSON can be read as a bake file.
fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

fn unescaped(text: &str) -> String {
    text.replace("$${", "${").replace("%%{", "%{")
}

/// The keys whose values are escaped.
fn is_escaped(key: &str) -> bool {
    matches!(key, "annotations" | "dockerfile-inline" | "labels" | "args" | "extra-hosts")
}

/// The keys of a target, in order.
const KEYS: [&str; 26] = [
    "annotations",
    "attest",
    "context",
    "contexts",
    "dockerfile",
    "dockerfile-inline",
    "args",
    "labels",
    "tags",
    "cache-from",
    "cache-to",
    "target",
    "secret",
    "ssh",
    "platforms",
    "output",
    "pull",
    "no-cache",
    "network",
    "no-cache-filter",
    "shm-size",
    "ulimits",
    "call",
    "entitlements",
    "extra-hosts",
    "description",
];

fn target(target: &Target) -> Value {
    let mut target = target.clone();
    let mut object = Map::new();
    if !target.description.is_empty() {
        object.insert("description".into(), target.description.clone().into());
    }
    for key in KEYS {
        let marked = |text: &String| if is_escaped(key) { escaped(text) } else { text.clone() };
        let value: Option<Value> = match key {
            "pull" => target.pull.map(Value::from),
            "no-cache" => target.no_cache.map(Value::from),
            key => {
                if let Some(text) = target.text_mut(key) {
                    text.as_ref().map(|text| marked(text).into())
                } else if let Some(list) = target.list_mut(key) {
                    let list = list.iter().flatten().map(marked).collect::<Vec<_>>();
                    (!list.is_empty()).then(|| list.into())
                } else if let Some(map) = target.map_mut(key) {
                    (!map.is_empty())
                        .then(|| map.iter().map(|(key, value)| (key.clone(), Value::from(marked(value)))).collect::<Map<_, _>>().into())
                } else if let Some((kind, entries)) = target.entries_mut(key) {
                    entries.as_ref().map(|entries| entries.iter().map(|entry| entry.json(kind)).collect::<Vec<_>>().into())
                } else {
                    None
                }
            }
        };
        object.extend(value.map(|value| (key.to_string(), value)));
    }
    Value::Object(object)
}

/// The definition that is built, as `--print` writes it.
pub fn print(chosen: &Chosen) -> String {
    let mut whole = Map::new();
    if !chosen.groups.is_empty() {
        let group = |group: &Group| {
            let mut object = Map::new();
            if !group.description.is_empty() {
                object.insert("description".into(), group.description.clone().into());
            }
            object.insert("targets".into(), group.targets.clone().into());
            Value::Object(object)
        };
        whole.insert("group".into(), chosen.groups.iter().map(|(name, it)| (name.clone(), group(it))).collect::<Map<_, _>>().into());
    }
    whole.insert("target".into(), chosen.targets.iter().map(|(name, it)| (name.clone(), target(it))).collect::<Map<_, _>>().into());
    html_safe(&indented(&Value::Object(whole), b"  ")) + "\n"
}

/// The plugin's `--print`, read. None where it is not understood.
pub fn parse(text: &[u8]) -> Option<Chosen> {
    let whole: Value = serde_json::from_slice(text).ok()?;
    let mut chosen = Chosen::default();
    let texts = |value: &Value| -> Option<Vec<String>> { value.as_array()?.iter().map(|v| v.as_str().map(str::to_string)).collect() };
    for (name, body) in whole.get("group").and_then(Value::as_object).into_iter().flatten() {
        let targets = texts(body.get("targets")?)?;
        chosen.groups.insert(name.clone(), Group { name: name.clone(), targets, ..Group::default() });
    }
    for (name, body) in whole.get("target")?.as_object()? {
        let mut target = Target { name: name.clone(), ..Target::default() };
        for (key, value) in body.as_object()? {
            let plain = |text: String| if is_escaped(key) { unescaped(&text) } else { text };
            match key.as_str() {
                "pull" => target.pull = Some(value.as_bool()?),
                "no-cache" => target.no_cache = Some(value.as_bool()?),
                "description" => {}
                key => {
                    if let Some(slot) = target.text_mut(key) {
                        *slot = Some(plain(value.as_str()?.to_string()));
                    } else if let Some(slot) = target.list_mut(key) {
                        *slot = Some(texts(value)?.into_iter().map(plain).collect());
                    } else if let Some(slot) = target.map_mut(key) {
                        // What is null is not there.
                        let pairs = value.as_object()?.iter().filter(|(_, value)| !value.is_null());
                        let pairs = pairs.map(|(key, value)| Some((key.clone(), plain(value.as_str()?.to_string()))));
                        *slot = pairs.collect::<Option<_>>()?;
                    } else if let Some((kind, slot)) = target.entries_mut(key) {
                        *slot = Some(value.as_array()?.iter().map(|value| entry(kind, value)).collect::<Option<_>>()?);
                    } else {
                        return None;
                    }
                }
            }
        }
        chosen.targets.insert(name.clone(), target);
    }
    Some(chosen)
}

fn entry(kind: Kind, value: &Value) -> Option<Entry> {
    let (mut fields, mut paths) = (BTreeMap::new(), Vec::new());
    for (key, value) in value.as_object()? {
        match value {
            Value::String(text) => {
                fields.insert(key.clone(), text.clone());
            }
            Value::Bool(on) => {
                fields.insert(key.clone(), on.to_string());
            }
            Value::Array(values) => paths = values.iter().map(|v| v.as_str().map(str::to_string)).collect::<Option<_>>()?,
            _ => return None,
        }
    }
    Entry::of_object(kind, fields, paths, value).ok()
}

/// `--list`: targets and groups that are not private, or variables. Errors: buildx's words; none where the variables cannot be told.
pub fn list(asked: &str, blocks: &Blocks) -> Result<Option<String>, String> {
    let (mut kind, mut format) = (asked.to_string(), "table".to_string());
    if asked.contains(',') || asked.starts_with("type=") {
        kind.clear();
        for field in asked.split(',') {
            let (key, value) = field.split_once('=').ok_or_else(|| format!("invalid value {field}"))?;
            match key.trim().to_lowercase().as_str() {
                "type" => kind = value.to_string(),
                "format" if value.is_empty() => {}
                "format" => format = value.to_string(),
                key => return Err(format!("unexpected key '{key}' in '{field}'")),
            }
        }
    }
    if !matches!(kind.as_str(), "targets" | "variables") {
        return Err(format!("invalid list type {kind:?}"));
    }
    if !matches!(format.as_str(), "table" | "json") {
        return Err(format!("invalid list format {format:?}"));
    }
    let heading = |cells: &[&str]| cells.iter().map(|cell| cell.to_string()).collect::<Vec<_>>();
    let (mut rows, mut objects) = (Vec::new(), Vec::new());
    if kind == "targets" {
        rows.push(heading(&["TARGET", "DESCRIPTION"]));
        for (name, description, group) in listed(blocks) {
            let mut object = json!({ "name": name });
            if !description.is_empty() {
                object["description"] = description.clone().into();
            }
            if group {
                object["group"] = true.into();
            }
            objects.push(object);
            rows.push(vec![name, description]);
        }
    } else {
        let Some(variables) = &blocks.variables else { return Ok(None) };
        rows.push(heading(&["VARIABLE", "TYPE", "VALUE", "DESCRIPTION"]));
        for [name, kind, value, description] in variables {
            let mut object = json!({ "name": name });
            for (key, text) in [("description", description), ("type", kind)].iter().filter(|(_, text)| !text.is_empty()) {
                object[*key] = text.as_str().into();
            }
            object["value"] = value.clone().into();
            objects.push(object);
            rows.push(vec![name.clone(), kind.clone(), value.clone(), description.clone()]);
        }
    }
    if format == "json" {
        let nothing = objects.is_empty() && kind == "targets";
        return Ok(Some(if nothing { "null\n".into() } else { html_safe(&indented(&objects, b"  ")) + "\n" }));
    }
    Ok(Some(table(&rows)))
}

/// Columns as Go's `text/tabwriter` aligns them by tabs of eight.
fn table(rows: &[Vec<String>]) -> String {
    let length = |cell: &String| cell.chars().count();
    let mut out = String::new();
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if i + 1 < row.len() {
                let widest = rows.iter().filter_map(|row| row.get(i)).map(length).max().unwrap_or(0) + 1;
                out.push_str(&"\t".repeat((widest.next_multiple_of(8) - length(cell)).div_ceil(8)));
            }
        }
        out.push('\n');
    }
    out
}

/// Names, descriptions, and whether it is a group.
fn listed(blocks: &Blocks) -> Vec<(String, String, bool)> {
    let mut all: Vec<(String, String, bool)> =
        blocks.targets.iter().map(|target| (target.name.clone(), target.description.clone(), false)).collect();
    for group in &blocks.groups {
        let mut targets = group.targets.clone();
        targets.sort();
        let names = targets.join(", ");
        let description = match (group.description.as_str(), names.as_str()) {
            (text, "") => text.to_string(),
            ("", names) => names.to_string(),
            (text, names) => format!("{text} ({names})"),
        };
        all.push((group.name.clone(), description, true));
    }
    all.retain(|(name, ..)| !name.starts_with('_'));
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}
