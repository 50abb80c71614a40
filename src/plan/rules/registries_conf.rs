//! Where the machine's administrator has put a registry: containers-registries.conf(5), which Podman follows when it pulls an image, and
//! only then. A registry in Docker's hub's place is there for `docker push`, `search`, `pull --all-tags` and `login` too.

use std::path::PathBuf;

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
    let own = host::home(host).and_then(|home| host.read(&home.join(".config/containers/registries.conf")));
    own.or_else(|| host.read(&PathBuf::from("/etc/containers/registries.conf")))
}

/// Where a name, `REGISTRY[/PATH[:TAG]]` in full, is to be found; none where that is the registry that it names. The longest prefix
/// decides (containers/image `pkg/sysregistriesv2`, `FindRegistry` and `rewriteReference`). A file that cannot be read says nothing here:
/// Podman complains of it. Another machine's Podman has its own.
pub fn location(context: &Context, name: &str) -> Option<Location> {
    if context.engine.remote.is_some() {
        return None;
    }
    let host = context.host;
    let own = host::home(host).map(|home| home.join(".config/containers/registries.conf.d"));
    let directories = std::iter::once(PathBuf::from("/etc/containers/registries.conf.d")).chain(own);
    let added = directories.flat_map(|directory| {
        let files = host.list(&directory).into_iter().filter(|file| file.as_encoded_bytes().ends_with(b".conf"));
        files.filter_map(|file| host.read(&directory.join(file))).collect::<Vec<_>>()
    });
    let mut found: Option<(String, Location)> = None;
    for text in main_file(host).into_iter().chain(added) {
        let Some(table) = String::from_utf8(text).ok().and_then(|text| text.parse::<toml::Table>().ok()) else { continue };
        for registry in table.get("registry").and_then(|all| all.as_array()).into_iter().flatten() {
            let text = |key: &str| registry.get(key).and_then(toml::Value::as_str).map(|text| text.trim_end_matches('/'));
            let location = text("location").unwrap_or_default();
            let prefix = text("prefix").filter(|prefix| !prefix.is_empty()).unwrap_or(location);
            let Some(rest) = below(name, prefix) else { continue };
            // Of two for the same prefix the one that is read last holds.
            if found.as_ref().is_some_and(|(known, _)| known.len() > prefix.len()) {
                continue;
            }
            let insecure = registry.get("insecure").and_then(toml::Value::as_bool).unwrap_or_default();
            let name = if location.is_empty() { name.to_string() } else { format!("{location}{rest}") };
            found = Some((prefix.to_string(), Location { name, insecure }));
        }
    }
    found.map(|(_, location)| location).filter(|location| location.name != name)
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
}
