//! `--set TARGET.KEY=VALUE`, and the flags that stand for it (buildx `bake/bake.go`: `newOverrides`, `AddOverrides`).

use std::collections::BTreeMap;

use super::definition::{Config, Target};
use super::entry::{Entry, Kind};
use crate::host::Host;

/// What is set anew, by target and key.
#[derive(Default)]
pub struct Overrides(BTreeMap<String, Vec<(String, Override)>>);

#[derive(Clone, Default)]
struct Override {
    value: String,
    values: Vec<String>,
    append: bool,
}

/// The keys whose values add up.
const LISTS: [&str; 11] =
    ["output", "cache-to", "cache-from", "tags", "platform", "secrets", "ssh", "attest", "entitlements", "network", "annotations"];

impl Overrides {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads them. Errors: buildx's words.
    pub fn read(given: &[String], config: &Config, host: &dyn Host) -> Result<Overrides, String> {
        let mut overrides = Overrides::default();
        for one in given {
            let (key, value) = one.split_once('=').map_or((one.as_str(), None), |(key, value)| (key, Some(value)));
            let bare = key.strip_suffix('+').unwrap_or(key);
            let words: Vec<&str> = bare.splitn(3, '.').collect();
            let [pattern, kind, ..] = words[..] else {
                return Err(format!("invalid override key {bare}, expected target.name"));
            };
            if value.is_none() && kind != "args" {
                return Err(format!("invalid override {one}, expected target.name=value"));
            }
            let name = words[1..].join(".");
            for target in config.targets_of(pattern)? {
                if matches!(kind, "args" | "contexts") && words.len() != 3 {
                    return Err(format!("invalid key {key}, {kind} requires name"));
                }
                let from_environment = || host.env(words[2]).map(|value| value.to_string_lossy().into_owned());
                let Some(value) = value.map(str::to_string).or_else(from_environment) else { continue };
                let all = overrides.0.entry(target).or_default();
                if !all.iter().any(|(known, _)| *known == name) {
                    all.push((name.clone(), Override::default()));
                }
                let Some((_, set)) = all.iter_mut().find(|(known, _)| *known == name) else { continue };
                if LISTS.contains(&kind) {
                    set.append = bare.len() < key.len();
                    set.values.push(value);
                } else {
                    set.value = value;
                }
            }
        }
        // What pushes and loads is about the outputs, whichever these are.
        for all in overrides.0.values_mut() {
            all.sort_by_key(|(name, _)| match name.as_str() {
                "push" => 1,
                "load" => 2,
                _ => 0,
            });
        }
        Ok(overrides)
    }

    /// Changes a target. Errors: buildx's words.
    pub fn apply(&self, target: &mut Target) -> Result<(), String> {
        let Some(all) = self.0.get(&target.name) else { return Ok(()) };
        all.iter().try_for_each(|(key, set)| set.apply(key, target))
    }

    /// What `--set` lets a build read and write besides the working directory: `fs.read` and `fs.write` paths.
    pub fn grants(&self) -> (Vec<String>, Vec<String>, Vec<String>) {
        let (mut read, mut write, mut entitlements) = (Vec::new(), Vec::new(), Vec::new());
        for (key, set) in self.0.values().flatten() {
            let entries = |kind| set.values.iter().filter_map(move |text| Entry::parse(kind, text).ok()).flatten();
            let field = |entry: Entry, name: &str| Some(entry.field(name).to_string()).filter(|value| !value.is_empty());
            match key.as_str() {
                "cache-from" => read.extend(entries(Kind::Cache).filter_map(|entry| field(entry, "src"))),
                "cache-to" => write.extend(entries(Kind::Cache).filter_map(|entry| field(entry, "dest"))),
                "secrets" => read.extend(entries(Kind::Secret).filter_map(|entry| field(entry, "src"))),
                "ssh" => read.extend(entries(Kind::Ssh).flat_map(|entry| entry.paths)),
                "output" => write.extend(entries(Kind::Output).filter_map(|entry| field(entry, "dest"))),
                "entitlements" => entitlements.extend(set.values.iter().cloned()),
                _ => {}
            }
        }
        (read, write, entitlements)
    }
}

impl Override {
    fn apply(&self, key: &str, target: &mut Target) -> Result<(), String> {
        let (name, below) = key.split_once('.').map_or((key, None), |(name, below)| (name, Some(below)));
        let plural = match name {
            "platform" => "platforms",
            "secrets" => "secret",
            name => name,
        };
        match plural {
            "pull" => target.pull = Some(self.switch(name)?),
            "no-cache" => target.no_cache = Some(self.switch(name)?),
            "push" => push(&mut target.output, self.switch(name)?),
            "load" if self.switch(name)? => load(target.output.get_or_insert_default()),
            "load" => {}
            // Its values are gathered as a list, of which nothing is taken.
            "network" => target.network = Some(String::new()),
            "no-cache-filter" | "ulimits" => {
                if let Some(list) = target.list_mut(plural) {
                    *list = Some(vec![]);
                }
            }
            "annotations" | "entitlements" => {
                if let Some(list) = target.list_mut(plural) {
                    list.get_or_insert_default().extend(self.values.iter().cloned());
                }
            }
            "tags" | "platforms" => {
                if let Some(list) = target.list_mut(plural) {
                    if !self.append {
                        *list = None;
                    }
                    list.get_or_insert_default().extend(self.values.iter().cloned());
                }
            }
            "inherits" | "dockerfile-inline" => return Err(format!("unknown key: {name}")),
            _ => return self.apply_named(name, plural, below, target),
        }
        Ok(())
    }

    fn apply_named(&self, name: &str, plural: &str, below: Option<&str>, target: &mut Target) -> Result<(), String> {
        if let Some(slot) = target.text_mut(plural) {
            *slot = Some(self.value.clone());
            return Ok(());
        }
        if let Some(map) = target.map_mut(plural) {
            let (what, value) = if plural == "extra-hosts" { ("hostname", "ip") } else { ("name", "value") };
            let below = below.ok_or_else(|| format!("invalid format for {name}, expecting {name}.<{what}>=<{value}>"))?;
            map.insert(below.to_string(), self.value.clone());
            return Ok(());
        }
        let Some((kind, slot)) = target.entries_mut(plural) else { return Err(format!("unknown key: {name}")) };
        let mut entries = Vec::new();
        for text in &self.values {
            let read = Entry::parse(kind, text).map_err(|words| match plural {
                "cache-from" | "cache-to" => words,
                "attest" => format!("invalid value for attest: {words}"),
                _ => format!("invalid value for outputs: {words}"),
            })?;
            entries.extend(read);
        }
        if !self.append && plural != "attest" {
            *slot = None;
        }
        slot.get_or_insert_default().extend(entries);
        Ok(())
    }

    fn switch(&self, key: &str) -> Result<bool, String> {
        match self.value.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            value => Err(format!("invalid value {value} for boolean key {key}")),
        }
    }
}

/// `setPushOverride`.
fn push(outputs: &mut Option<Vec<Entry>>, on: bool) {
    if !on {
        if let Some(outputs) = outputs {
            outputs.retain(|output| output.field("type") != "registry");
            outputs.iter_mut().filter(|output| output.field("type") == "image").for_each(|output| output.set("push", "false"));
        }
        return;
    }
    let outputs = outputs.get_or_insert_default();
    outputs.iter_mut().filter(|output| output.field("type") == "image").for_each(|output| output.set("push", "true"));
    if outputs.iter().all(|output| output.field("type") == "docker") {
        let mut image = Entry::of_type("image");
        image.set("push", "true");
        outputs.push(image);
    }
}

/// `setLoadOverride`.
fn load(outputs: &mut Vec<Entry>) {
    for output in outputs.iter() {
        match output.field("type") {
            "docker" if output.field("dest").is_empty() => return,
            "docker" | "image" | "registry" | "oci" => {}
            _ => return,
        }
    }
    outputs.push(Entry::of_type("docker"));
}
