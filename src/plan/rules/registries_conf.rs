//! Where the machine's administrator has put a registry: containers-registries.conf(5), which Podman follows when it pulls an image, and
//! only then. A registry in Docker's hub's place is there for `docker push`, `search`, `pull --all-tags` and `login` too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::references::is_loopback;
use crate::host::{self, Host};
use crate::plan::Context;

/// A place that `location` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// What was asked for, there: `HOST[:PORT][/PATH…]`.
    pub name: String,
    /// Plain HTTP, and certificates of nobody's, will do.
    pub insecure: bool,
}

impl Location {
    /// `HOST[:PORT]`.
    pub fn domain(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Whether it is to be reached without TLS's checks; dockerd needs no word for that on the loopback interface.
    pub fn is_plain(&self) -> bool {
        self.insecure || is_loopback(self.domain())
    }
}

/// The file that is read, before what registries.conf.d adds: none where there is no such file. Podman takes root's own too.
pub fn main_file(host: &dyn Host) -> Option<Vec<u8>> {
    if let Some(named) = host.env("CONTAINERS_REGISTRIES_CONF") {
        return host.read(&PathBuf::from(named));
    }
    let own = own_file(host).and_then(|own| host.read(&own));
    own.or_else(|| host.read(&PathBuf::from(MACHINES)))
}

const MACHINES: &str = "/etc/containers/registries.conf";

fn own_file(host: &dyn Host) -> Option<PathBuf> {
    host::home(host).map(|home| home.join(".config/containers/registries.conf"))
}

/// All files that Podman reads, in their order: what comes later replaces what it says of the same prefix. A file of the user's own is
/// there instead of the machine's and its directory (containers/image `newConfigWrapperWithHomeDir`).
pub fn files(host: &dyn Host) -> Vec<PathBuf> {
    let named = host.env("CONTAINERS_REGISTRIES_CONF").map(PathBuf::from);
    let own = own_file(host).filter(|own| named.is_none() && host.exists(own));
    let machines = own.is_none().then(|| PathBuf::from(format!("{MACHINES}.d")));
    let main = named.or(own).unwrap_or_else(|| PathBuf::from(MACHINES));
    let mut files: Vec<PathBuf> = host.exists(&main).then_some(main).into_iter().collect();
    let owns = host::home(host).map(|home| home.join(".config/containers/registries.conf.d"));
    for directory in machines.into_iter().chain(owns) {
        let names = host.list(&directory).into_iter().filter(|name| name.as_encoded_bytes().ends_with(b".conf"));
        files.extend(names.map(|name| directory.join(name)));
    }
    files
}

/// One `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    pub file: PathBuf,
    /// What names begin with that it is for.
    pub prefix: String,
    /// What stands there instead; empty for a prefix of many registries, each its own place.
    pub location: String,
    pub insecure: bool,
    pub blocked: bool,
    /// Asked before the place itself, in this order.
    pub mirrors: Vec<Mirror>,
}

/// A place that is asked first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    pub location: String,
    pub insecure: bool,
    /// `all`, `digest-only` or `tag-only`.
    pub pulls: String,
}

impl Registry {
    /// Those of a file, in its order. What has neither prefix nor location is left out: Podman does not read such a file.
    pub fn all(file: &Path, table: &toml::Table) -> Vec<Registry> {
        let of = |registry: &toml::Value| {
            let text = |of: &toml::Value, key: &str| {
                of.get(key).and_then(toml::Value::as_str).map_or(String::new(), |text| text.trim_end_matches('/').to_string())
            };
            let switch = |of: &toml::Value, key: &str| of.get(key).and_then(toml::Value::as_bool).unwrap_or_default();
            let by_digest = switch(registry, "mirror-by-digest-only");
            let mirrors = registry.get("mirror").and_then(toml::Value::as_array).into_iter().flatten().map(|mirror| Mirror {
                location: text(mirror, "location"),
                insecure: switch(mirror, "insecure"),
                pulls: if by_digest { "digest-only".to_string() } else { text(mirror, "pull-from-mirror") },
            });
            let (prefix, location) = (text(registry, "prefix"), text(registry, "location"));
            Registry {
                file: file.to_path_buf(),
                prefix: if prefix.is_empty() { location.clone() } else { prefix },
                location,
                insecure: switch(registry, "insecure"),
                blocked: switch(registry, "blocked"),
                mirrors: mirrors.collect(),
            }
        };
        let all = table.get("registry").and_then(toml::Value::as_array).into_iter().flatten().map(of);
        all.filter(|registry| !registry.prefix.is_empty()).collect()
    }

    /// Where a name with this prefix is found.
    fn place(&self, name: &str) -> Option<Location> {
        let rest = below(name, &self.prefix)?;
        let name = if self.location.is_empty() { name.to_string() } else { format!("{}{rest}", self.location) };
        Some(Location { name, insecure: self.insecure })
    }

    /// The places that are asked for an image, the mirrors first (`PullSourcesFromReference`).
    pub fn places(&self, name: &str) -> Vec<Location> {
        let digest = name.contains('@');
        let asked = self.mirrors.iter().filter(|mirror| match mirror.pulls.as_str() {
            "digest-only" => digest,
            "tag-only" => !digest,
            _ => true,
        });
        let rest = below(name, &self.prefix).unwrap_or_default();
        let mirrors = asked.map(|mirror| Location { name: format!("{}{rest}", mirror.location), insecure: mirror.insecure });
        mirrors.chain(self.place(name)).collect()
    }
}

/// The registry of a name: the longest prefix decides, neither tag nor digest being looked at. In a file the first for a prefix holds, of
/// several files the last (containers/image `pkg/sysregistriesv2`, `FindRegistry`). A file that cannot be read says nothing here: Podman
/// complains of it.
pub fn find(host: &dyn Host, name: &str) -> Option<Registry> {
    let mut registries = BTreeMap::new();
    for file in files(host) {
        let text = host.read(&file).and_then(|text| String::from_utf8(text).ok());
        let Some(table) = text.and_then(|text| text.parse::<toml::Table>().ok()) else { continue };
        // The first of a file holds: it is put in last.
        registries.extend(Registry::all(&file, &table).into_iter().rev().map(|registry| (registry.prefix.clone(), registry)));
    }
    let slash = name.find('/').unwrap_or(name.len());
    let bare = name[slash..].find([':', '@']).map_or(name, |end| &name[..slash + end]);
    let mut found: Option<Registry> = None;
    for registry in registries.into_values().filter(|registry| below(bare, &registry.prefix).is_some()) {
        if found.as_ref().is_none_or(|found| registry.prefix.len() > found.prefix.len()) {
            found = Some(registry);
        }
    }
    found
}

/// Where a name, `REGISTRY[/PATH[:TAG]]` in full, is to be found; none where that is the registry that it names. Another machine's Podman
/// has its own.
pub fn location(context: &Context, name: &str) -> Option<Location> {
    if context.engine.remote.is_some() {
        return None;
    }
    find(context.host, name)?.place(name).filter(|location| location.name != name)
}

/// What of a name comes after a prefix, `*.DOMAIN` standing for every registry below it; none where the name is elsewhere.
fn below<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    if let Some(domain) = prefix.strip_prefix('*') {
        let end = name.find(['/', ':', '@']).unwrap_or(name.len());
        return name[..end].ends_with(domain).then_some(&name[end..]);
    }
    let rest = name.strip_prefix(prefix).filter(|_| !prefix.is_empty())?;
    (rest.is_empty() || rest.starts_with(['/', ':', '@'])).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        assert_eq!(below("docker.io/library/a:1", "docker.io"), Some("/library/a:1"));
        assert_eq!(below("docker.io/library/a:1", "docker.io/library/a"), Some(":1"));
        assert_eq!(below("docker.io/library/a", "docker.io/lib"), None);
        assert_eq!(below("a.example.com/x", "*.example.com"), Some("/x"));
        assert_eq!(below("example.com/x", "*.example.com"), None);
        assert_eq!(below("docker.io", ""), None);
    }

    #[test]
    fn mirrors_come_first() {
        let text = "[[registry]]\nprefix = \"docker.io\"\nlocation = \"a.io/hub/\"\n[[registry.mirror]]\nlocation = \"m.io\"\ninsecure = true\n\
                    pull-from-mirror = \"digest-only\"\n[[registry]]\ninsecure = true\n";
        let all = Registry::all(Path::new("f"), &text.parse().unwrap());
        assert_eq!(all.len(), 1, "one has no name");
        let places = |name: &str| all[0].places(name).iter().map(|place| format!("{} {}", place.name, place.insecure)).collect::<Vec<_>>();
        assert_eq!(places("docker.io/x:1"), ["a.io/hub/x:1 false"]);
        assert_eq!(places("docker.io/x@sha256:0"), ["m.io/x@sha256:0 true", "a.io/hub/x@sha256:0 false"]);
    }
}
