//! The entries of a target's lists: attestations, caches, outputs, secrets and SSH agents (buildx `util/buildflags`). In a
//! file each is an object or the word that a flag of `docker build` takes.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use serde_json::{Map, Value};

use crate::grammar;
use crate::plan::csv_field;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Attest,
    Cache,
    Output,
    Secret,
    Ssh,
}

/// One entry: its fields, and an agent's sockets or keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub fields: BTreeMap<String, String>,
    pub paths: Vec<String>,
}

impl Entry {
    /// An entry of a type.
    pub fn of_type(kind: &str) -> Entry {
        Entry { fields: [("type".to_string(), kind.to_string())].into(), paths: vec![] }
    }

    /// A field; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.fields.insert(name.to_string(), value.to_string());
    }

    /// Without the fields that say nothing. Errors: buildx's words for what has to be there.
    fn checked(mut self, kind: Kind, written: &str) -> Result<Entry, String> {
        match kind {
            Kind::Attest => {
                if let Some(word) = self.fields.remove("disabled") {
                    match word.as_str() {
                        "1" | "t" | "T" | "true" | "TRUE" | "True" => self.set("disabled", "true"),
                        "0" | "f" | "F" | "false" | "FALSE" | "False" => {}
                        _ => return Err(format!("invalid value disabled={word}: strconv.ParseBool: parsing {word:?}: invalid syntax")),
                    }
                }
                if self.field("type").is_empty() {
                    return Err("attestation type not specified".into());
                }
            }
            Kind::Cache if self.field("type").is_empty() => return Err(format!("type required form> {written:?}")),
            Kind::Output if self.field("type").is_empty() => return Err("type is required for output".into()),
            Kind::Output => self.fields.retain(|key, value| key != "dest" || !value.is_empty()),
            Kind::Secret => {
                if self.fields.remove("type").is_some_and(|kind| kind == "env") && self.field("env").is_empty() {
                    if let Some(variable) = self.fields.remove("src") {
                        self.set("env", &variable);
                    }
                }
                self.fields.retain(|_, value| !value.is_empty());
            }
            Kind::Cache | Kind::Ssh => {}
        }
        Ok(self)
    }

    /// The entries that a word stands for: of caches it may name several.
    pub fn parse(kind: Kind, text: &str) -> Result<Vec<Entry>, String> {
        if kind == Kind::Ssh {
            let (id, paths) =
                text.split_once('=').map_or((text, vec![]), |(id, paths)| (id, paths.split(',').map(str::to_string).collect()));
            return Ok(vec![Entry { fields: [("id".to_string(), id.to_string())].into(), paths }]);
        }
        let record = grammar::csv_record(text.as_bytes())?;
        let record: Vec<String> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
        if kind == Kind::Cache && !text.contains('=') {
            let named = |name: &String| {
                let mut entry = Entry::of_type("registry");
                entry.set("ref", name);
                entry
            };
            return Ok(record.iter().map(named).collect());
        }
        if kind == Kind::Output && record.len() == 1 && record[0] == text && !text.starts_with("type=") {
            let mut entry = Entry::of_type(if text == "-" { "tar" } else { "local" });
            entry.set("dest", text);
            return Ok(vec![entry]);
        }
        let mut entry = Entry::default();
        for field in record {
            let Some((key, value)) = field.split_once('=') else {
                return Err(match kind {
                    Kind::Secret => format!("invalid field '{field}' must be a key=value pair"),
                    _ => format!("invalid value {field}"),
                });
            };
            let lower = key.to_lowercase();
            let key = match (kind, lower.trim()) {
                (Kind::Attest, known @ ("type" | "disabled")) => known,
                (Kind::Attest, _) => key,
                (Kind::Secret, "type") if value != "file" && value != "env" => return Err(format!("unsupported secret type {value:?}")),
                (Kind::Secret, "source" | "src") => "src",
                (Kind::Secret, known @ ("type" | "id" | "env")) => known,
                (Kind::Secret, key) => return Err(format!("unexpected key '{key}' in '{field}'")),
                (_, key) => key,
            };
            entry.set(key, value);
        }
        Ok(vec![entry.checked(kind, text)?])
    }

    /// An object of a file, its values read already.
    pub fn of_object(kind: Kind, fields: BTreeMap<String, String>, paths: Vec<String>, written: &Value) -> Result<Entry, String> {
        let mut entry = Entry { fields, paths };
        if matches!(kind, Kind::Secret | Kind::Ssh) {
            let known: &[&str] = if kind == Kind::Ssh { &["id"] } else { &["id", "src", "env"] };
            entry.fields.retain(|key, _| known.contains(&key.as_str()));
        }
        entry.checked(kind, &written.to_string())
    }

    /// As a flag takes it.
    pub fn flag(&self, kind: Kind) -> String {
        let (first, id): (&[&str], _) = match kind {
            Kind::Ssh if self.paths.is_empty() => return self.field("id").to_string(),
            Kind::Ssh => return format!("{}={}", self.field("id"), self.paths.join(",")),
            Kind::Attest => (&["type", "disabled"], false),
            Kind::Cache => (&["type"], false),
            Kind::Output => (&["type", "dest"], false),
            Kind::Secret => (&["id", "src", "env"], true),
        };
        let rest = self.fields.keys().map(String::as_str).filter(|key| !id && !first.contains(key));
        let pairs = first.iter().copied().chain(rest).filter_map(|key| Some(format!("{key}={}", self.fields.get(key)?)));
        pairs.map(|pair| csv_field(OsStr::new(&pair)).to_string_lossy().into_owned()).collect::<Vec<_>>().join(",")
    }

    /// As `--print` shows it.
    pub fn json(&self, kind: Kind) -> Value {
        let mut object = Map::new();
        let order: Vec<&String> = match kind {
            Kind::Secret => ["id", "src", "env"].iter().filter_map(|key| Some(self.fields.get_key_value(*key)?.0)).collect(),
            _ => self.fields.keys().collect(),
        };
        for key in order {
            let value = self.field(key);
            let is_switch = kind == Kind::Attest && key == "disabled";
            if kind != Kind::Ssh || !value.is_empty() {
                object.insert(key.clone(), if is_switch { true.into() } else { value.into() });
            }
        }
        if !self.paths.is_empty() {
            object.insert("paths".into(), self.paths.clone().into());
        }
        Value::Object(object)
    }
}

/// Each entry once, as buildx leaves the others out. None where there is none.
pub fn normalized(kind: Kind, mut entries: Vec<Entry>) -> Option<Vec<Entry>> {
    let key = match kind {
        Kind::Attest => "type",
        Kind::Secret | Kind::Ssh => "id",
        Kind::Cache | Kind::Output => {
            // From the end on; what comes twice changes places with the last one, which goes.
            for i in (0..entries.len().saturating_sub(1)).rev() {
                if let Some(j) = (i + 1..entries.len()).find(|j| entries[*j] == entries[i]) {
                    entries.swap_remove(j);
                }
            }
            return Some(entries).filter(|entries| !entries.is_empty());
        }
    };
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        match kept.iter_mut().find(|known| known.field(key) == entry.field(key)) {
            Some(known) => *known = entry,
            None => kept.push(entry),
        }
    }
    Some(kept).filter(|kept| !kept.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes() {
        let flag = |kind, text: &str| Entry::parse(kind, text).map(|found| found.iter().map(|entry| entry.flag(kind)).collect::<Vec<_>>());
        assert_eq!(flag(Kind::Cache, "a,b"), Ok(vec!["type=registry,ref=a".into(), "type=registry,ref=b".into()]));
        assert_eq!(flag(Kind::Output, "out"), Ok(vec!["type=local,dest=out".into()]));
        assert_eq!(flag(Kind::Output, "-"), Ok(vec!["type=tar,dest=-".into()]));
        assert_eq!(flag(Kind::Output, "name=x,push=true"), Err("type is required for output".into()));
        assert_eq!(flag(Kind::Secret, "type=env,id=a,src=V"), Ok(vec!["id=a,env=V".into()]));
        assert_eq!(flag(Kind::Ssh, "default=a,b"), Ok(vec!["default=a,b".into()]));
        assert_eq!(flag(Kind::Attest, "type=sbom,disabled=false"), Ok(vec!["type=sbom".into()]));
    }

    #[test]
    fn leaves_out_what_comes_twice() {
        let entries =
            |texts: &[&str]| texts.iter().flat_map(|text| Entry::parse(Kind::Cache, text).unwrap_or_default()).collect::<Vec<_>>();
        let names = |found: Option<Vec<Entry>>| found.unwrap_or_default().iter().map(|e| e.field("ref").to_string()).collect::<Vec<_>>();
        assert_eq!(names(normalized(Kind::Cache, entries(&["a", "b", "a", "c"]))), ["a", "b", "c"]);
        assert_eq!(normalized(Kind::Cache, vec![]), None);
    }
}
