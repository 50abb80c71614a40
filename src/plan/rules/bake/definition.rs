//! Targets and groups: what a target inherits, what `--set` changes, and which targets a command is about (buildx
//! `bake/bake.go`).

use std::collections::BTreeMap;

use super::entry::{Entry, Kind, normalized};
use super::overrides::Overrides;
use crate::render::glob;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub description: String,
    pub targets: Vec<String>,
}

impl Group {
    /// Adds a target that is not there yet.
    pub fn add(&mut self, target: String) {
        if !self.targets.contains(&target) {
            self.targets.push(target);
        }
    }
}

/// A target. What a file leaves out is none, which is not the same as empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub name: String,
    pub description: String,
    pub inherits: Vec<String>,
    pub annotations: Option<Vec<String>>,
    pub attest: Option<Vec<Entry>>,
    pub context: Option<String>,
    pub contexts: BTreeMap<String, String>,
    pub dockerfile: Option<String>,
    pub dockerfile_inline: Option<String>,
    pub args: BTreeMap<String, String>,
    pub labels: BTreeMap<String, String>,
    pub tags: Option<Vec<String>>,
    pub cache_from: Option<Vec<Entry>>,
    pub cache_to: Option<Vec<Entry>>,
    pub target: Option<String>,
    pub secret: Option<Vec<Entry>>,
    pub ssh: Option<Vec<Entry>>,
    pub platforms: Option<Vec<String>>,
    pub output: Option<Vec<Entry>>,
    pub pull: Option<bool>,
    pub no_cache: Option<bool>,
    pub network: Option<String>,
    pub no_cache_filter: Option<Vec<String>>,
    pub shm_size: Option<String>,
    pub ulimits: Option<Vec<String>>,
    pub call: Option<String>,
    pub entitlements: Option<Vec<String>>,
    pub extra_hosts: BTreeMap<String, String>,
}

/// Puts the second's in the first's place, where there is any.
fn replace<T: Clone>(to: &mut Option<T>, from: &Option<T>) {
    if from.is_some() {
        to.clone_from(from);
    }
}

fn append<T: Clone>(to: &mut Option<Vec<T>>, from: &Option<Vec<T>>) {
    if let Some(from) = from {
        to.get_or_insert_default().extend(from.iter().cloned());
    }
}

fn append_entries(kind: Kind, to: &mut Option<Vec<Entry>>, from: &Option<Vec<Entry>>) {
    append(to, from);
    *to = to.take().and_then(|entries| normalized(kind, entries));
}

impl Target {
    /// A key whose value is a string.
    pub fn text_mut(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match key {
            "context" => &mut self.context,
            "dockerfile" => &mut self.dockerfile,
            "dockerfile-inline" => &mut self.dockerfile_inline,
            "target" => &mut self.target,
            "network" => &mut self.network,
            "shm-size" => &mut self.shm_size,
            "call" => &mut self.call,
            _ => return None,
        })
    }

    /// A key whose value is a list of strings.
    pub fn list_mut(&mut self, key: &str) -> Option<&mut Option<Vec<String>>> {
        Some(match key {
            "annotations" => &mut self.annotations,
            "tags" => &mut self.tags,
            "platforms" => &mut self.platforms,
            "no-cache-filter" => &mut self.no_cache_filter,
            "ulimits" => &mut self.ulimits,
            "entitlements" => &mut self.entitlements,
            _ => return None,
        })
    }

    /// A key whose value is an object of strings.
    pub fn map_mut(&mut self, key: &str) -> Option<&mut BTreeMap<String, String>> {
        Some(match key {
            "contexts" => &mut self.contexts,
            "args" => &mut self.args,
            "labels" => &mut self.labels,
            "extra-hosts" => &mut self.extra_hosts,
            _ => return None,
        })
    }

    /// A key whose value is a list of entries.
    pub fn entries_mut(&mut self, key: &str) -> Option<(Kind, &mut Option<Vec<Entry>>)> {
        Some(match key {
            "attest" => (Kind::Attest, &mut self.attest),
            "cache-from" => (Kind::Cache, &mut self.cache_from),
            "cache-to" => (Kind::Cache, &mut self.cache_to),
            "secret" => (Kind::Secret, &mut self.secret),
            "ssh" => (Kind::Ssh, &mut self.ssh),
            "output" => (Kind::Output, &mut self.output),
            _ => return None,
        })
    }

    /// What the other one says comes in addition, or instead.
    pub fn merge(&mut self, other: &Target) {
        for (to, from) in [
            (&mut self.context, &other.context),
            (&mut self.dockerfile, &other.dockerfile),
            (&mut self.dockerfile_inline, &other.dockerfile_inline),
            (&mut self.target, &other.target),
            (&mut self.call, &other.call),
            (&mut self.network, &other.network),
            (&mut self.shm_size, &other.shm_size),
        ] {
            replace(to, from);
        }
        replace(&mut self.pull, &other.pull);
        replace(&mut self.no_cache, &other.no_cache);
        replace(&mut self.tags, &other.tags);
        replace(&mut self.platforms, &other.platforms);
        replace(&mut self.cache_to, &other.cache_to);
        replace(&mut self.output, &other.output);
        for (to, from) in [
            (&mut self.args, &other.args),
            (&mut self.contexts, &other.contexts),
            (&mut self.labels, &other.labels),
            (&mut self.extra_hosts, &other.extra_hosts),
        ] {
            to.extend(from.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        append(&mut self.annotations, &other.annotations);
        append(&mut self.no_cache_filter, &other.no_cache_filter);
        append(&mut self.ulimits, &other.ulimits);
        append(&mut self.entitlements, &other.entitlements);
        append_entries(Kind::Attest, &mut self.attest, &other.attest);
        append_entries(Kind::Secret, &mut self.secret, &other.secret);
        append_entries(Kind::Ssh, &mut self.ssh, &other.ssh);
        append_entries(Kind::Cache, &mut self.cache_from, &other.cache_from);
        if !other.description.is_empty() {
            self.description.clone_from(&other.description);
        }
        self.inherits.extend(other.inherits.iter().cloned());
    }

    /// Each thing once, and none that is empty.
    fn normalize(&mut self) {
        if self.network.as_deref() == Some("host") {
            self.entitlements.get_or_insert_default().push("network.host".into());
        }
        for key in ["annotations", "tags", "platforms", "no-cache-filter", "ulimits", "entitlements"] {
            let mut seen: Vec<String> = Vec::new();
            if let Some(Some(list)) = self.list_mut(key) {
                list.retain(|text| {
                    !text.is_empty() && !seen.contains(text) && {
                        seen.push(text.clone());
                        true
                    }
                });
            }
        }
        for key in ["attest", "cache-from", "cache-to", "secret", "ssh", "output"] {
            if let Some((kind, entries)) = self.entries_mut(key) {
                *entries = entries.take().and_then(|entries| normalized(kind, entries));
            }
        }
        self.contexts.retain(|_, value| !value.is_empty());
    }
}

/// All that files define.
#[derive(Default)]
pub struct Config {
    pub groups: Vec<Group>,
    pub targets: Vec<Target>,
}

/// The targets of a command, by their names, and the groups that they come from.
#[derive(Default)]
pub struct Chosen {
    pub targets: BTreeMap<String, Target>,
    pub groups: BTreeMap<String, Group>,
}

impl Config {
    /// The names that a pattern stands for among groups and targets.
    fn named(&self, pattern: &str) -> Result<Vec<String>, String> {
        if !pattern.contains(['*', '?', '[', ']']) {
            return Ok(vec![pattern.to_string()]);
        }
        let all = self.groups.iter().map(|group| &group.name).chain(self.targets.iter().map(|target| &target.name));
        let names: Vec<String> = all.filter(|name| glob::matches(pattern, name) == Ok(true)).cloned().collect();
        if names.is_empty() { Err(format!("could not find any target matching {pattern:?}")) } else { Ok(names) }
    }

    /// The names of the targets that `--set` is about.
    pub fn targets_of(&self, pattern: &str) -> Result<Vec<String>, String> {
        let names = || self.targets.iter().map(|target| &target.name);
        if names().any(|name| name == pattern) {
            return Ok(vec![pattern.to_string()]);
        }
        let mut found = Vec::new();
        for name in names() {
            let fits = glob::matches(pattern, name).map_err(|words| format!("could not match targets with '{pattern}': {words}"))?;
            found.extend(fits.then(|| name.clone()));
        }
        if found.is_empty() { Err(format!("could not find any target matching '{pattern}'")) } else { Ok(found) }
    }

    /// A group's targets and groups, itself and all within it; a name of no group is a target's.
    fn members(&self, name: &str, visited: &mut BTreeMap<String, (Vec<String>, Vec<String>)>) -> (Vec<String>, Vec<String>) {
        if let Some(known) = visited.get(name) {
            return known.clone();
        }
        let Some(group) = self.groups.iter().find(|group| group.name == name) else { return (vec![name.to_string()], vec![]) };
        visited.insert(name.to_string(), Default::default());
        let (mut targets, mut groups) = (Vec::new(), vec![name.to_string()]);
        for member in &group.targets {
            let (below, within) = self.members(member, visited);
            targets.extend(if below.is_empty() { vec![member.clone()] } else { below });
            groups.extend(within);
        }
        visited.insert(name.to_string(), (targets.clone(), groups.clone()));
        (targets, groups)
    }

    /// A target with all it inherits. None where it inherits from itself.
    fn inherited(
        &self,
        name: &str,
        overrides: &Overrides,
        visited: &mut BTreeMap<String, Option<Target>>,
    ) -> Result<Option<Target>, String> {
        if let Some(known) = visited.get(name) {
            return Ok(known.clone());
        }
        visited.insert(name.to_string(), None);
        let own = self.targets.iter().find(|target| target.name == name).ok_or_else(|| format!("failed to find target {name}"))?;
        let mut whole = Target { name: name.to_string(), ..Target::default() };
        for parent in &own.inherits {
            if let Some(parent) = self.inherited(parent, overrides, visited)? {
                whole.merge(&parent);
            }
        }
        whole.merge(own);
        overrides.apply(&mut whole)?;
        whole.normalize();
        visited.insert(name.to_string(), Some(whole.clone()));
        Ok(Some(whole))
    }

    fn resolved(&self, name: &str, overrides: &Overrides) -> Result<Target, String> {
        let target = self.inherited(name, overrides, &mut BTreeMap::new())?;
        let mut target = target.ok_or_else(|| format!("failed to find target {name}"))?;
        target.inherits.clear();
        target.context.get_or_insert_with(|| ".".into());
        if target.dockerfile.as_deref().is_none_or(str::is_empty) {
            target.dockerfile = Some("Dockerfile".into());
        }
        Ok(target)
    }

    /// What a command's words stand for. Errors: buildx's words.
    pub fn chosen(&self, words: &[String], overrides: &Overrides) -> Result<Chosen, String> {
        let mut wanted: Vec<String> = Vec::new();
        for word in words {
            for name in self.named(&word.replace('.', "_"))? {
                if !wanted.contains(&name) {
                    wanted.push(name);
                }
            }
        }
        let mut chosen = Chosen::default();
        for name in &wanted {
            let (targets, groups) = self.members(name, &mut BTreeMap::new());
            for target in targets {
                let resolved = self.resolved(&target, overrides)?;
                chosen.targets.insert(target, resolved);
            }
            for group in self.groups.iter().filter(|group| groups.contains(&group.name)) {
                chosen.groups.entry(group.name.clone()).or_insert_with(|| group.clone());
            }
        }
        for name in wanted {
            if name == "default" && chosen.groups.contains_key("default") {
                continue;
            }
            let default = chosen.groups.entry("default".into()).or_insert_with(|| Group { name: "default".into(), ..Group::default() });
            default.add(name);
        }
        if let Some(default) = chosen.groups.get_mut("default") {
            default.targets.sort();
        }
        for name in chosen.targets.keys().cloned().collect::<Vec<_>>() {
            self.link(&name, overrides, &mut chosen.targets, &mut vec![])?;
        }
        Ok(chosen)
    }

    /// Adds the targets whose results a target builds on; their entitlements are its own.
    fn link(&self, name: &str, overrides: &Overrides, all: &mut BTreeMap<String, Target>, visited: &mut Vec<String>) -> Result<(), String> {
        visited.push(name.to_string());
        for linked in links(&all[name]) {
            if linked == name {
                return Err(format!("target {linked} cannot link to itself"));
            }
            if visited.contains(&linked) {
                return Err(format!("infinite loop from {name} to {linked}"));
            }
            if !all.contains_key(&linked) {
                let mut target = self.resolved(&linked, overrides)?;
                target.output = Some(vec![Entry::of_type("cacheonly")]);
                all.insert(linked.clone(), target);
            }
            self.link(&linked, overrides, all, &mut visited.clone())?;
            let entitlements = all[&linked].entitlements.clone().unwrap_or_default();
            let below = all[&linked].platforms.clone().unwrap_or_default();
            let Some(target) = all.get_mut(name) else { continue };
            for entitlement in entitlements {
                let own = target.entitlements.get_or_insert_default();
                if !own.contains(&entitlement) {
                    own.push(entitlement);
                }
            }
            let platforms = target.platforms.clone().unwrap_or_default();
            if platforms.len() > 1 && below.len() > 1 && platforms.iter().any(|platform| !below.contains(platform)) {
                let (platforms, below) = (platforms.join(" "), below.join(" "));
                return Err(format!(
                    "target {linked} can't be used by {name} because its platforms [{platforms}] are not a subset of [{below}]"
                ));
            }
        }
        Ok(())
    }
}

/// The targets whose results a target has as contexts.
pub fn links(target: &Target) -> Vec<String> {
    target.contexts.values().filter_map(|value| value.strip_prefix("target:")).map(str::to_string).collect()
}
