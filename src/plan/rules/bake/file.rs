//! A bake file in JSON: its blocks, its variables, and the strings that name them (buildx `bake/hclparser`, HCL's JSON
//! syntax). What only HCL's own expressions can say is left to the plugin.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::definition::{Group, Target};
use super::entry::{Entry, Kind};
use crate::host::Host;

/// Why a file is not read here.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// Buildx's own parser is needed for this.
    Foreign(String),
    /// Buildx refuses it, too.
    Wrong(String),
}

/// A file as it was read.
pub struct File {
    pub name: String,
    pub text: Vec<u8>,
}

/// What stands in all files together.
#[derive(Default)]
pub struct Blocks {
    pub groups: Vec<Group>,
    pub targets: Vec<Target>,
    /// Name, type, value and description of each variable, where all can be told.
    pub variables: Option<Vec<[String; 4]>>,
}

/// A variable, or an attribute beside the blocks.
struct Variable {
    default: Option<Value>,
    /// The environment may give its value.
    from_environment: bool,
    typed: bool,
    description: Option<Value>,
}

/// What strings are read by.
struct Scope<'a> {
    file: &'a str,
    variables: &'a BTreeMap<String, Variable>,
    builtin: &'a [(&'a str, String)],
    host: &'a dyn Host,
    /// The variables whose value is being found.
    open: RefCell<Vec<String>>,
}

/// Reads files, each one's blocks after those of the ones before it.
pub fn read(files: &[File], builtin: &[(&str, String)], host: &dyn Host) -> Result<Blocks, Fault> {
    let mut parsed = Vec::new();
    for file in files {
        let name = file.name.to_lowercase();
        let is_json = name.ends_with(".json") || (name == "-" && file.text.trim_ascii_start().starts_with(b"{"));
        if !is_json {
            return Err(Fault::Foreign(format!("{} is no JSON", shown(&file.name))));
        }
        let value = serde_json::from_slice::<Value>(&file.text)
            .map_err(|error| Fault::Wrong(format!("{}:{},{}: {error}", file.name, error.line(), error.column())))?;
        let Value::Object(object) = value else {
            return Err(Fault::Wrong(format!("{}: Invalid JSON value; A JSON object is required", file.name)));
        };
        if object.contains_key("services") && !name.ends_with(".json") {
            return Err(Fault::Foreign(format!("{} is a compose file", shown(&file.name))));
        }
        if object.contains_key("function") {
            return Err(Fault::Foreign(format!("{} defines functions", shown(&file.name))));
        }
        parsed.push((file.name.as_str(), object));
    }
    let mut variables = BTreeMap::new();
    for (file, object) in &parsed {
        for (name, value) in object.iter().filter(|(name, _)| !matches!(name.as_str(), "group" | "target" | "variable")) {
            let (default, description) = (Some(value.clone()), None);
            variables.insert(name.clone(), Variable { default, from_environment: false, typed: false, description });
        }
        for (name, body) in labelled(object.get("variable"), file)? {
            if body.contains_key("validation") || body.get("type").is_some_and(|kind| kind != "string") {
                return Err(Fault::Foreign(format!("the variable {name} has a type or a condition")));
            }
            let default = body.get("default").filter(|value| !value.is_null()).cloned();
            let (typed, description) = (body.contains_key("type"), body.get("description").cloned());
            let variable = Variable { default, from_environment: true, typed, description };
            // An attribute of that name decides.
            if variables.get(&name).is_none_or(|known: &Variable| known.from_environment) {
                variables.insert(name, variable);
            }
        }
    }
    let mut blocks = Blocks::default();
    let scope = |file| Scope { file, variables: &variables, builtin, host, open: RefCell::default() };
    for (file, object) in &parsed {
        let scope = scope(file);
        for (name, body) in labelled(object.get("group"), file)? {
            let group = Group { name: named(name, file)?, ..scope.group(&body)? };
            match blocks.groups.iter_mut().find(|known| known.name == group.name) {
                Some(known) => *known = group,
                None => blocks.groups.push(group),
            }
        }
        for (name, body) in labelled(object.get("target"), file)? {
            let target = Target { name: named(name, file)?, ..scope.target(&body)? };
            match blocks.targets.iter_mut().find(|known| known.name == target.name) {
                Some(known) => known.merge(&target),
                None => blocks.targets.push(target),
            }
        }
    }
    let scope = scope(parsed.first().map_or("", |(file, _)| file));
    let told = variables.iter().filter(|(_, variable)| variable.from_environment).map(|(name, variable)| {
        let kind = if variable.typed { "string" } else { "" };
        let description = variable.description.as_ref().map(|text| scope.text(text)).transpose()?.flatten();
        Ok::<_, Fault>([name.clone(), kind.into(), scope.value(name)?, description.unwrap_or_default()])
    });
    blocks.variables = told.collect::<Result<_, _>>().ok();
    Ok(blocks)
}

/// A file's name as a sentence has it.
fn shown(name: &str) -> &str {
    if name == "-" { "the definition on stdin" } else { name }
}

/// A block's name. Errors: it may not be one.
fn named(name: String, file: &str) -> Result<String, Fault> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)) {
        return Ok(name);
    }
    Err(Fault::Wrong(format!("{file}: Invalid name; only \"[a-zA-Z0-9_-]+\" are allowed")))
}

/// A block's label and body.
type Labelled = (String, Map<String, Value>);

/// Blocks by their labels, where one may have several bodies.
fn labelled(blocks: Option<&Value>, file: &str) -> Result<Vec<Labelled>, Fault> {
    let wrong = || Fault::Wrong(format!("{file}: Incorrect JSON value type; Either a JSON object or a JSON array is required"));
    let mut found = Vec::new();
    let several = |value: &Value| match value {
        Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    for labels in blocks.into_iter().flat_map(several) {
        let Value::Object(labels) = labels else { return Err(wrong()) };
        for (label, bodies) in labels {
            for body in several(&bodies) {
                let Value::Object(body) = body else { return Err(wrong()) };
                found.push((label.clone(), body));
            }
        }
    }
    Ok(found)
}

impl Scope<'_> {
    fn wrong(&self, what: &str) -> Fault {
        Fault::Wrong(format!("{}: Unsuitable value type; Unsuitable value: {what} required", self.file))
    }

    fn foreign(&self, text: &str) -> Fault {
        Fault::Foreign(format!("{} has the expression {text:?}", shown(self.file)))
    }

    fn group(&self, body: &Map<String, Value>) -> Result<Group, Fault> {
        if body.contains_key("matrix") || body.contains_key("name") {
            return Err(Fault::Wrong(format!("{}: Invalid name; name and matrix are not supported for groups", self.file)));
        }
        let missing = || Fault::Wrong(format!("{}: Missing required argument; The argument \"targets\" is required", self.file));
        let targets = self.list(body.get("targets").ok_or_else(missing)?)?.unwrap_or_default();
        let description = body.get("description").map(|text| self.text(text)).transpose()?.flatten().unwrap_or_default();
        let mut group = Group { name: String::new(), description, targets: vec![] };
        targets.into_iter().for_each(|target| group.add(target));
        Ok(group)
    }

    fn target(&self, body: &Map<String, Value>) -> Result<Target, Fault> {
        if body.contains_key("matrix") || body.contains_key("name") {
            return Err(Fault::Foreign(format!("{} has a matrix", shown(self.file))));
        }
        let mut target = Target::default();
        for (key, value) in body {
            match key.as_str() {
                "description" => target.description = self.text(value)?.unwrap_or_default(),
                "inherits" => target.inherits = self.list(value)?.unwrap_or_default(),
                "pull" => target.pull = self.switch(value)?,
                "no-cache" => target.no_cache = self.switch(value)?,
                key => {
                    if let Some(slot) = target.text_mut(key) {
                        *slot = self.text(value)?;
                    } else if let Some(slot) = target.list_mut(key) {
                        *slot = self.list(value)?;
                    } else if let Some(slot) = target.map_mut(key) {
                        *slot = self.map(value)?;
                    } else if let Some((kind, slot)) = target.entries_mut(key) {
                        *slot = self.entries(kind, value)?;
                    }
                }
            }
        }
        Ok(target)
    }

    /// A string; numbers and switches are strings where one is wanted.
    fn text(&self, value: &Value) -> Result<Option<String>, Fault> {
        Ok(Some(match value {
            Value::Null => return Ok(None),
            Value::String(text) => self.expand(text)?,
            Value::Bool(on) => on.to_string(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            Value::Number(number) => return Err(self.foreign(&number.to_string())),
            _ => return Err(self.wrong("string")),
        }))
    }

    fn switch(&self, value: &Value) -> Result<Option<bool>, Fault> {
        match self.text(value)?.as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(self.wrong("bool")),
        }
    }

    fn list(&self, value: &Value) -> Result<Option<Vec<String>>, Fault> {
        match value {
            Value::Null => Ok(None),
            Value::Array(values) => {
                let texts = values.iter().map(|value| self.text(value)?.ok_or_else(|| self.wrong("string")));
                texts.collect::<Result<Vec<_>, _>>().map(Some)
            }
            Value::String(text) if text.contains("${") => Err(self.foreign(text)),
            _ => Err(self.wrong("list of string")),
        }
    }

    fn map(&self, value: &Value) -> Result<BTreeMap<String, String>, Fault> {
        match value {
            Value::Null => Ok(BTreeMap::new()),
            Value::Object(fields) => {
                // What is null is not there.
                let pairs = fields.iter().filter(|(_, value)| !value.is_null());
                pairs.map(|(key, value)| Ok((self.expand(key)?, self.text(value)?.unwrap_or_default()))).collect()
            }
            Value::String(text) if text.contains("${") => Err(self.foreign(text)),
            _ => Err(self.wrong("map of string")),
        }
    }

    fn entries(&self, kind: Kind, value: &Value) -> Result<Option<Vec<Entry>>, Fault> {
        let values = match value {
            Value::Null => return Ok(None),
            Value::Array(values) => values,
            Value::String(text) if text.contains("${") => return Err(self.foreign(text)),
            _ => return Err(self.wrong("list of map of string")),
        };
        let wrong = |words: String| Fault::Wrong(format!("{}: {words}", self.file));
        let mut entries = Vec::new();
        for value in values {
            if let Value::Object(fields) = value {
                let paths = fields.get("paths").filter(|_| kind == Kind::Ssh);
                let paths = paths.map(|paths| self.list(paths)).transpose()?.flatten().unwrap_or_default();
                let plain: Map<_, _> = fields.iter().filter(|(key, _)| kind != Kind::Ssh || *key != "paths").map(own).collect();
                entries.push(Entry::of_object(kind, self.map(&Value::Object(plain))?, paths, value).map_err(wrong)?);
            } else if let Some(text) = self.text(value)?.filter(|text| !text.is_empty()) {
                entries.extend(Entry::parse(kind, &text).map_err(wrong)?);
            }
        }
        Ok(Some(entries))
    }

    /// Fills in `${NAME}`; `$${` and `%%{` stand for themselves.
    fn expand(&self, text: &str) -> Result<String, Fault> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${").into_iter().chain(rest.find("%{")).min() {
            let (before, mark) = (&rest[..at], &rest[at..=at]);
            if let Some(before) = before.strip_suffix(mark) {
                out.push_str(before);
                out.push_str(mark);
                out.push('{');
                rest = &rest[at + 2..];
                continue;
            }
            out.push_str(before);
            let name = rest[at + 2..].split_once('}').filter(|_| mark == "$").map(|(name, _)| name);
            let Some(inside) = name else { return Err(self.foreign(text)) };
            let name = inside.trim();
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
            if !is_name || matches!(name, "true" | "false" | "null") {
                return Err(self.foreign(text));
            }
            out.push_str(&self.value(name)?);
            rest = &rest[at + 2 + inside.len() + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// A variable's value: the environment's, its default, nothing.
    fn value(&self, name: &str) -> Result<String, Fault> {
        if let Some((_, value)) = self.builtin.iter().find(|(known, _)| *known == name) {
            return Ok(value.clone());
        }
        let Some(variable) = self.variables.get(name) else {
            return Err(Fault::Wrong(format!("{}: Unknown variable; There is no variable named {name:?}.", self.file)));
        };
        let default = match &variable.default {
            Some(value @ (Value::Array(_) | Value::Object(_))) => return Err(self.foreign(&value.to_string())),
            other => other.as_ref(),
        };
        if let Some(value) = variable.from_environment.then(|| self.given(name, variable.typed)).flatten() {
            return match default {
                Some(Value::Bool(_)) if !matches!(value.as_str(), "true" | "false") => Err(self.foreign(name)),
                Some(Value::Number(_)) if value.parse::<i64>().map(|n| n.to_string()).ok().as_ref() != Some(&value) => {
                    Err(self.foreign(name))
                }
                _ => Ok(value),
            };
        }
        if self.open.borrow().iter().any(|open| open == name) {
            return Err(Fault::Wrong(format!("{}: Invalid value; variable cycle not allowed for {name}", self.file)));
        }
        self.open.borrow_mut().push(name.to_string());
        let value = default.map(|value| self.text(value)).transpose()?.flatten();
        self.open.borrow_mut().pop();
        match value {
            // A variable of a type is null without a value.
            None if variable.typed => Err(self.foreign(name)),
            value => Ok(value.unwrap_or_default()),
        }
    }

    /// What the environment has for a variable, by its name or as JSON.
    fn given(&self, name: &str, typed: bool) -> Option<String> {
        let plain = self.host.env(name).map(|value| value.to_string_lossy().into_owned());
        let other = format!("{name}_JSON");
        let as_json = || self.host.env(&other).filter(|_| !self.variables.contains_key(&other)).map(|v| v.to_string_lossy().into_owned());
        match plain {
            None if typed => serde_json::from_str(&as_json()?).ok(),
            None => as_json(),
            plain => plain,
        }
    }
}

fn own<'a>((key, value): (&'a String, &'a Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ThisHost;

    fn tags(text: &str) -> Result<Vec<String>, Fault> {
        let file = File { name: "docker-bake.json".into(), text: text.as_bytes().to_vec() };
        let builtin = [("BAKE_LOCAL_PLATFORM", "linux/amd64".to_string())];
        let blocks = read(&[file], &builtin, &ThisHost::new())?;
        Ok(blocks.targets.into_iter().next().and_then(|target| target.tags).unwrap_or_default())
    }

    #[test]
    fn fills_in_variables() {
        let text = r#"{"A":"x","variable":{"B":{"default":"${A}y"},"C":{}},"target":{"t":{"tags":["${B}:${ A }${C}","$${B}%%{","${BAKE_LOCAL_PLATFORM}"]}}}"#;
        assert_eq!(tags(text), Ok(vec!["xy:x".into(), "${B}%{".into(), "linux/amd64".into()]));
    }

    #[test]
    fn leaves_expressions_to_the_plugin() {
        for expression in ["${upper(A)}", "${A.b}", "%{if A}x%{endif}", "${A", "${\\\"a\\\"}"] {
            let text = format!(r#"{{"A":"x","target":{{"t":{{"tags":["{expression}"]}}}}}}"#);
            assert!(matches!(tags(&text), Err(Fault::Foreign(_))), "{expression}");
        }
        let cycle = r#"{"variable":{"A":{"default":"${B}"},"B":{"default":"${A}"}},"target":{"t":{"tags":["${A}"]}}}"#;
        assert!(matches!(tags(cycle), Err(Fault::Wrong(_))));
        assert!(matches!(tags(r#"{"target":{"t":{"tags":["${NOSUCH}"]}}}"#), Err(Fault::Wrong(_))));
    }
}
