//! What a container's creator asked for. Podman keeps the command line that made a container; where that was ours, every flag in it is in its
//! canonical form, `--name=value`, as the caller typed it, unless our label has what was typed (`plan/rules/given.rs`).

use serde_json::{Map, Value as Json};

use crate::render;

/// The creator's wishes; nothing where another program made the container.
#[derive(Default)]
pub struct Asked<'a> {
    /// Whether we made the container, and so know all that was asked for.
    pub ours: bool,
    /// By `docker run`, not `docker create`.
    pub run: bool,
    flags: Vec<(&'a str, &'a str)>,
    /// Those of the label, which go before.
    typed: Map<String, Json>,
    /// The command and its arguments, after the image.
    pub command: Vec<&'a str>,
    given: Json,
}

impl<'a> Asked<'a> {
    /// Reads them from Podman's JSON of the container.
    pub fn of(container: &'a Json) -> Asked<'a> {
        let given = render::given(container["Config"].get("Labels"));
        let words = container["Config"]["CreateCommand"].as_array().filter(|_| !given.is_null());
        let words: Vec<&str> = words.into_iter().flatten().filter_map(Json::as_str).collect();
        let Some(at) = words.iter().position(|word| matches!(*word, "run" | "create")) else {
            return Asked { given, ..Asked::default() };
        };
        let mut rest = words[at + 1..].iter();
        let mut flags = Vec::new();
        let mut command = Vec::new();
        while let Some(word) = rest.next() {
            match word.strip_prefix("--") {
                Some("") => {}
                Some(flag) => {
                    let flag = flag.split_once('=').unwrap_or((flag, "true"));
                    flags.extend(Some(flag).filter(|(_, value)| !render::is_dockerenv(value)));
                    continue;
                }
                None => command.push(*word),
            }
            command.extend(rest.by_ref());
        }
        // The first is the image.
        let command = command.split_off(command.len().min(1));
        let typed = given["Flags"].as_object().cloned().unwrap_or_default();
        let verb = given["Command"].as_str().unwrap_or(words[at]);
        Asked { ours: true, run: verb == "run", flags, typed, command, given }
    }

    /// Every value of a flag.
    pub fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        let typed = self.typed.get(name).and_then(Json::as_array);
        let passed = self.flags.iter().filter(move |(flag, _)| typed.is_none() && *flag == name).map(|(_, value)| *value);
        typed.into_iter().flatten().filter_map(Json::as_str).chain(passed)
    }
    /// The value of a flag that is not empty.
    pub fn last<'s>(&'s self, name: &'s str) -> Option<&'s str> {
        self.all(name).last().filter(|value| !value.is_empty())
    }
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }
    /// A switch that is on.
    pub fn on(&self, name: &str) -> bool {
        self.last(name) == Some("true")
    }
    /// The values of a flag as a list; null without any.
    pub fn list(&self, name: &str) -> Json {
        some(self.all(name).map(Json::from))
    }
    /// `KEY=VALUE` of a flag as a map, in the order of the keys.
    pub fn map(&self, name: &str) -> Map<String, Json> {
        let entries = self.all(name).map(|value| value.split_once('=').unwrap_or((value, "")));
        let mut map: Map<String, Json> = entries.map(|(k, v)| (k.to_string(), v.into())).collect();
        map.sort_keys();
        map
    }
    /// What our label says of a key of Docker's create request.
    pub fn given(&self, key: &str) -> Option<&Json> {
        self.given.get(key)
    }
    /// `host` or `container:…` for a namespace, where it was asked for.
    pub fn namespace(&self, flag: &str, podman: &Json) -> Json {
        match self.last(flag) {
            // Podman has the ID of the container.
            Some(mode) if mode.starts_with("container:") => podman.clone(),
            Some(mode) => mode.into(),
            None => "".into(),
        }
    }
}

/// A list; null where it is empty, as Go's nil slice.
pub fn some(items: impl Iterator<Item = Json>) -> Json {
    let items: Vec<Json> = items.collect();
    if items.is_empty() { Json::Null } else { items.into() }
}

/// Podman's list; null where it is empty.
pub fn filled(list: &Json) -> Json {
    some(list.as_array().into_iter().flatten().cloned())
}

/// An amount of memory in bytes: `64m` (go-units' `RAMInBytes`).
pub fn bytes(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit = text[digits.len()..].trim().to_ascii_lowercase();
    let power = match unit.trim_end_matches('b').trim_end_matches('i') {
        "" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        "p" => 5,
        _ => return None,
    };
    Some((digits.trim().parse::<f64>().ok()? * 1024f64.powi(power)) as i64)
}
