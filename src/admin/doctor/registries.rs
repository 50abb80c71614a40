//! What is wrong with registries.conf and the files beside it (containers-registries.conf(5)), which say where images come from. A file that
//! Podman does not read makes every pull fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::policy::meant_prefix;
use super::{Finding, error, note, warning};
use crate::plan::rules::references::is_loopback;
use crate::plan::rules::registries_conf::Registry;

const WHAT: &str = "registries.conf";
const KEYS: [&str; 7] = [
    "registry",
    "unqualified-search-registries",
    "credential-helpers",
    "short-name-mode",
    "additional-layer-store-auth-helper",
    "aliases",
    "registries",
];
const REGISTRY_KEYS: [&str; 7] = ["prefix", "location", "insecure", "blocked", "mirror", "mirror-by-digest-only", "pull-from-mirror"];
const MIRROR_KEYS: [&str; 3] = ["location", "insecure", "pull-from-mirror"];

/// What is wrong with the files in the order in which Podman reads them, each with its text where it can be read.
pub fn lint(files: &[(PathBuf, Option<Vec<u8>>)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut registries: Vec<Registry> = Vec::new();
    let mut searched: Option<(&Path, Vec<String>)> = None;
    for (file, text) in files {
        let shown = file.display();
        let Some(text) = text else {
            findings.push(error(
                WHAT,
                format!("{shown} cannot be read by this user, so Podman pulls nothing"),
                format!("chmod a+r {shown}"),
            ));
            continue;
        };
        let table = match parse(text) {
            Ok(table) => table,
            Err(why) => {
                findings.push(error(WHAT, format!("{shown}, {why}; Podman pulls nothing"), "mend it; until then nothing is pulled"));
                continue;
            }
        };
        let old = table.contains_key("registries");
        if old && (drop_in(file) || KEYS.iter().any(|key| *key != "registries" && table.contains_key(*key))) {
            let text = format!(
                "{shown}: [registries.search] and the like are an old form, alone in a file and not in a drop-in; Podman pulls nothing"
            );
            findings.push(error(WHAT, text, "write unqualified-search-registries and [[registry]]"));
        } else if old {
            let text =
                format!("{shown}: [registries.search] and the like are an old form, which drop-in files and rules beside it may not have");
            findings.push(warning(WHAT, text, "write unqualified-search-registries and [[registry]]"));
        }
        let bad = faults(&table);
        let fatal = bad.iter().map(|(words, remedy)| error(WHAT, format!("{shown}: {words}; Podman pulls nothing"), *remedy));
        findings.extend(fatal);
        findings.extend(unknown_keys(&table).into_iter().map(|key| {
            warning(
                WHAT,
                format!("{shown}: nothing is done with {key}"),
                "look for the key that was meant in man 5 containers-registries.conf",
            )
        }));
        if let Some(list) = strings(&table, "unqualified-search-registries") {
            searched = Some((file, list));
        }
        registries.extend(Registry::all(file, &table));
    }
    if let Some((file, list)) = searched.filter(|(_, list)| list.len() > 1) {
        findings.push(warning(
            WHAT,
            format!(
                "{}: short names are searched for in {}; docker-shim takes docker.io alone, podman itself asks, or fails where it cannot",
                file.display(),
                list.join(", ")
            ),
            "unqualified-search-registries = [\"docker.io\"]",
        ));
    }
    meaning(&registries, &mut findings);
    findings
}

fn drop_in(file: &Path) -> bool {
    file.parent().is_some_and(|dir| dir.ends_with("registries.conf.d"))
}

/// The text as TOML. Errors: where it stops being that.
fn parse(text: &[u8]) -> Result<toml::Table, String> {
    let text = std::str::from_utf8(text).map_err(|why| format!("byte {}: it is no UTF-8", why.valid_up_to()))?;
    text.parse().map_err(|why: toml::de::Error| {
        let before = &text[..why.span().map_or(0, |span| span.start.min(text.len()))];
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        let words = why.message().lines().collect::<Vec<_>>().join(", ");
        format!("line {}, column {column}: {words}", before.matches('\n').count() + 1)
    })
}

fn strings(table: &toml::Table, key: &str) -> Option<Vec<String>> {
    let list = table.get(key)?.as_array()?;
    Some(list.iter().map(|one| one.as_str().unwrap_or_default().to_string()).collect())
}

/// What makes Podman refuse a file, and what helps (`loadConfigFile`, `postProcessRegistries`).
fn faults(table: &toml::Table) -> Vec<(String, &'static str)> {
    let mut bad = Vec::new();
    let mut switches: BTreeMap<String, (bool, bool)> = BTreeMap::new();
    let all = match table.get("registry") {
        None => &[][..],
        Some(toml::Value::Array(all)) if all.iter().all(toml::Value::is_table) => all,
        Some(_) => {
            bad.push(("[registry] is one table, and a list of them is wanted".to_string(), "write [[registry]]"));
            &[]
        }
    };
    for registry in all {
        let text =
            |of: &toml::Value, key: &str| of.get(key).and_then(toml::Value::as_str).unwrap_or_default().trim_end_matches('/').to_string();
        let switch = |key: &str| registry.get(key).and_then(toml::Value::as_bool).unwrap_or_default();
        let (prefix, location) = (text(registry, "prefix"), text(registry, "location"));
        let mirrors = registry.get("mirror").and_then(toml::Value::as_array).map_or(&[][..], Vec::as_slice);
        for key in ["insecure", "blocked", "mirror-by-digest-only"] {
            if registry.get(key).is_some_and(|value| !value.is_bool()) {
                let name = if prefix.is_empty() { &location } else { &prefix };
                bad.push((format!("{key} of {name:?} is neither true nor false"), "write it without quotation marks"));
            }
        }
        for place in [&prefix, &location].into_iter().cloned().chain(mirrors.iter().map(|mirror| text(mirror, "location"))) {
            if place.starts_with("http://") || place.starts_with("https://") {
                bad.push((format!("{place:?} is a URL"), "write HOST[:PORT][/PATH] alone; insecure = true stands for http"));
            }
        }
        if location.is_empty() && !prefix.starts_with("*.") {
            let what = if prefix.is_empty() {
                "a [[registry]] has neither prefix nor location".into()
            } else {
                format!("{prefix:?} has no location")
            };
            bad.push((what, "say with location where its images are"));
        }
        if prefix.starts_with("*.") && prefix.contains(['/', '@', ':']) {
            bad.push((format!("the prefix {prefix:?} is more than a domain"), "write *.example.com"));
        }
        for mirror in mirrors {
            if text(mirror, "location").is_empty() {
                bad.push((format!("a mirror of {prefix:?} has no location"), "say with location where it is"));
            }
            let pulls = text(mirror, "pull-from-mirror");
            if !["", "all", "digest-only", "tag-only"].contains(&pulls.as_str()) || (switch("mirror-by-digest-only") && !pulls.is_empty()) {
                bad.push((
                    format!("pull-from-mirror of a mirror of {prefix:?} is {pulls:?}"),
                    "write all, digest-only or tag-only, in one place",
                ));
            }
        }
        let place = if location.is_empty() { prefix } else { location };
        let both = (switch("insecure"), switch("blocked"));
        if switches.insert(place.clone(), both).is_some_and(|before| before != both) {
            bad.push((format!("{place:?} comes twice, and not with the same insecure and blocked"), "make them the same"));
        }
    }
    for odd in strings(table, "unqualified-search-registries").into_iter().flatten().filter(|one| one.is_empty() || one.contains('/')) {
        bad.push((format!("{odd:?} of unqualified-search-registries is no registry"), "write HOST[:PORT] alone"));
    }
    let mode = table.get("short-name-mode").map(|mode| mode.as_str().unwrap_or_default());
    if mode.is_some_and(|mode| !["", "enforcing", "permissive", "disabled"].contains(&mode)) {
        bad.push(("short-name-mode is not known".into(), "write enforcing, permissive or disabled"));
    }
    bad
}

/// Keys that Podman passes over without a word.
fn unknown_keys(table: &toml::Table) -> Vec<String> {
    let odd = |table: &toml::Table, known: &[&str], place: &str| {
        let odd = table.keys().filter(|key| !known.contains(&key.to_lowercase().as_str()));
        odd.map(|key| format!("{key}{place}")).collect::<Vec<_>>()
    };
    let tables = |of: Option<&toml::Value>| {
        of.and_then(toml::Value::as_array).into_iter().flatten().filter_map(|one| one.as_table().cloned()).collect()
    };
    let mut keys = odd(table, &KEYS, "");
    let registries: Vec<toml::Table> = tables(table.get("registry"));
    for registry in registries {
        keys.extend(odd(&registry, &REGISTRY_KEYS, " of a [[registry]]"));
        let mirrors: Vec<toml::Table> = tables(registry.get("mirror"));
        keys.extend(mirrors.iter().flat_map(|mirror| odd(mirror, &MIRROR_KEYS, " of a [[registry.mirror]]")));
    }
    keys
}

/// What registries that Podman reads do not do as they were meant, most likely, and what is to be known of them.
fn meaning(registries: &[Registry], findings: &mut Vec<Finding>) {
    for (at, registry) in registries.iter().enumerate() {
        let Registry { file, prefix, location, .. } = registry;
        let shown = file.display();
        if let Some(first) = registries[..at].iter().find(|before| before.prefix == *prefix) {
            let twice = first.file == *file;
            let (idle, instead) = if twice { (registry, first) } else { (first, registry) };
            let differ = |of: &Registry| (of.location.clone(), of.insecure, of.blocked, of.mirrors.clone());
            let (place, idle_file) = (&idle.location, idle.file.display());
            if differ(idle) != differ(instead) && twice {
                let text = format!("{shown}: {prefix:?} for {place:?} is never used, since the first of a file holds for a prefix");
                findings.push(warning(WHAT, text, "remove one of them"));
            } else if differ(idle) != differ(instead) {
                let text = format!("{idle_file}: {prefix:?} for {place:?} is not used, since {shown} is read later");
                findings.push(note(WHAT, text, "leave it, if that is meant"));
            }
        }
        // Podman takes the longest, and of two that are as long the wildcard (`findRegistryWithParsedConfig`).
        let above = |other: &&Registry| {
            let domain = other.prefix.strip_prefix('*').filter(|_| !prefix.starts_with('*') && other.prefix.len() >= prefix.len());
            domain.is_some_and(|domain| prefix.ends_with(domain))
        };
        if let Some(wildcard) = registries.iter().find(above) {
            let text = format!("{shown}: {prefix:?} is never used, since {:?} is as long and holds", wildcard.prefix);
            findings.push(warning(WHAT, text, "remove one of them, or name the repositories in the prefix"));
        }
        let bare = prefix.trim_end_matches(['*', '/']);
        let last = prefix.rsplit('/').next().unwrap_or_default();
        let meant = match meant_prefix(bare) {
            Some(meant) => Some(meant),
            None if prefix.contains('/') && last.contains([':', '@']) => {
                Some(prefix[..prefix.len() - last.len()].to_string() + before_tag(last))
            }
            None if bare.len() < prefix.len() => Some(bare.to_string()),
            None => None,
        };
        if let Some(meant) = &meant {
            let text = format!("{shown}: no image's name begins with {prefix:?} as Podman compares it, without tag or digest");
            findings.push(warning(WHAT, text, format!("prefix = {meant:?}")));
        }
        let path = prefix.split_once('/').map(|(_, path)| path);
        let lost = path.filter(|path| !location.is_empty() && location != prefix && !location.ends_with(&format!("/{path}")));
        if let Some(path) = lost.filter(|_| !registry.blocked && meant.is_none()) {
            findings.push(note(
                WHAT,
                format!("{shown}: {prefix}/NAME is taken from {location}/NAME, without {path:?}"),
                format!("if it is not meant so: location = \"{location}/{path}\""),
            ));
        }
        let twin = registries[..at].iter().find(|other| !location.is_empty() && other.location == *location && other.prefix != *prefix);
        if let Some(twin) = twin.filter(|twin| twin.prefix != *location && location != prefix && !registry.blocked) {
            let text =
                format!("{shown}: {prefix} and {} are both taken from {location}, so that names of the one are the other's", twin.prefix);
            findings.push(warning(WHAT, text, "give each a path of its own there"));
        }
        let insecure = registry.insecure && !is_loopback(location.split('/').next().unwrap_or_default());
        let mirror =
            registry.mirrors.iter().find(|mirror| mirror.insecure && !is_loopback(mirror.location.split('/').next().unwrap_or_default()));
        if let Some(place) = mirror.map(|mirror| &mirror.location).or(Some(location).filter(|_| insecure)) {
            let text = format!("{shown}: {place} is insecure, so that who is on the way to it can put other images in place");
            findings.push(warning(WHAT, text, "remove insecure, and put its certificate into /etc/containers/certs.d"));
        }
        if registry.blocked {
            let short = if prefix == "docker.io" { ", and with it every short name" } else { "" };
            findings.push(note(WHAT, format!("{shown}: {prefix} is blocked{short}"), "leave it, if that is meant"));
        }
    }
}

fn before_tag(last: &str) -> &str {
    last.split([':', '@']).next().unwrap_or(last)
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    fn said(files: &[&str]) -> Vec<String> {
        let files: Vec<_> =
            (1..).zip(files).map(|(n, text)| (PathBuf::from(format!("{n}.conf")), Some(text.as_bytes().to_vec()))).collect();
        lint(&files).into_iter().map(|finding| format!("{:?} {} [{}]", finding.grade, finding.text, finding.remedy)).collect()
    }
    fn only(text: &str) -> String {
        let said = said(&[text]);
        assert!(said.len() < 2, "{said:?}");
        said.into_iter().next().unwrap_or_default()
    }
    fn registry(words: &str) -> String {
        format!("[[registry]]\n{}\n", words.replace("; ", "\n"))
    }

    #[test]
    fn in_order() {
        let hub = registry("prefix = \"docker.io\"; location = \"a.example.com/docker\"");
        let quay = registry("prefix = \"quay.io\"; location = \"a.example.com/quay\"");
        let local = registry("location = \"127.0.0.1:5000\"; insecure = true");
        let all = format!("unqualified-search-registries = [\"docker.io\"]\n[aliases]\nx = \"quay.io/x\"\n{hub}{quay}{local}");
        assert_eq!(only(&all), "");
        assert_eq!(said(&["", &hub, &hub]), [""; 0]);
    }

    #[test]
    fn what_podman_does_not_read() {
        assert!(only("a = 1\n = 3").starts_with("Error 1.conf, line 2, column 2: "), "{}", only("a = 1\n = 3"));
        assert_eq!(lint(&[("x".into(), None)])[0].grade, Grade::Error);
        for (words, why) in [
            ("location = \"https://a.io\"", "is a URL"),
            ("prefix = \"a.io\"", "has no location"),
            ("insecure = true", "neither prefix nor location"),
            ("prefix = \"*.a.io/x\"; location = \"b.io/x\"", "more than a domain"),
            ("location = \"a.io\"; [[registry.mirror]]; insecure = false", "a mirror of"),
            ("location = \"a.io\"; [[registry.mirror]]; location = \"b.io\"; pull-from-mirror = \"x\"", "pull-from-mirror"),
            ("location = \"a.io\"; insecure = \"true\"", "neither true nor false"),
        ] {
            let said = said(&[&registry(words)]);
            assert!(said[0].starts_with("Error ") && said[0].contains(why), "{words}: {said:?}");
        }
        assert!(only("[registry]\nlocation = \"a.io\"").contains("[[registry]]"));
        assert!(only("unqualified-search-registries = [\"a.io/x\"]").contains("no registry"));
        assert!(only("short-name-mode = \"loose\"").starts_with("Error"));
    }

    #[test]
    fn what_it_does_unmeant() {
        let hub = |location: &str| registry(&format!("prefix = \"docker.io\"; location = \"{location}\""));
        let first = said(&[&(hub("a.io/x") + &hub("b.io/x"))]);
        assert!(first.len() == 1 && first[0].starts_with("Warning 1.conf: \"docker.io\" for \"b.io/x\" is never used"), "{first:?}");
        let last = said(&[&hub("a.io/x"), &hub("b.io/x")]);
        assert!(last.len() == 1 && last[0].starts_with("Note 1.conf: \"docker.io\" for \"a.io/x\" is not used"), "{last:?}");
        let only_of = |prefix: &str, location: &str| only(&registry(&format!("prefix = \"{prefix}\"; location = \"{location}\"")));
        let wild =
            |other: &str| said(&[&(registry("prefix = \"*.a.io\"; location = \"b.io\"") + &registry(&format!("location = \"{other}\"")))]);
        assert!(wild("x.a.io")[0].starts_with("Warning 1.conf: \"x.a.io\" is never used"));
        assert_eq!((wild("xy.a.io"), wild("x.a.io/y")), (vec![], vec![]));
        assert!(only_of("docker.io/me", "a.io").contains("without \"me\" [if it is not meant so: location = \"a.io/me\"]"));
        assert_eq!(only_of("docker.io/me", "a.io/hub/me"), "");
        assert!(only_of("index.docker.io", "a.io").ends_with("[prefix = \"docker.io\"]"));
        assert!(only_of("library", "a.io").contains("no image's name"), "{}", only_of("library", "a.io"));
        assert!(
            only_of("quay.io/x/y:1", "a.io/x/y:1").ends_with("[prefix = \"quay.io/x/y\"]"),
            "{}",
            only_of("quay.io/x/y:1", "a.io/x/y:1")
        );
        assert!(said(&[&(hub("a.io") + &registry("prefix = \"quay.io\"; location = \"a.io\""))])[0].contains("names of the one"));
        assert!(only(&registry("location = \"a.io\"; insecure = true")).starts_with("Warning 1.conf: a.io is insecure"));
        assert!(only(&registry("location = \"docker.io\"; blocked = true")).contains("every short name"));
        assert!(only("unqualified-search-registries = [\"docker.io\", \"quay.io\"]").starts_with("Warning"));
        assert_eq!(said(&["unqualified-search-registries = [\"a.io\", \"b.io\"]", "unqualified-search-registries = [\"a.io\"]"]), [""; 0]);
        assert!(only("[registries.search]\nregistries = []").starts_with("Warning"));
        assert!(only("short-name-mode = \"disabled\"\n[registries.search]\nregistries = []").starts_with("Error"));
        let dropped = [(PathBuf::from("/etc/containers/registries.conf.d/x.conf"), Some(b"[registries.block]".to_vec()))];
        assert_eq!(lint(&dropped)[0].grade, Grade::Error);
        assert!(only(&registry("location = \"a.io\"; [[registry.mirrors]]; location = \"b.io\"")).contains("nothing is done with mirrors"));
    }
}
