//! What is wrong with a policy.json (containers-policy.json(5)), which decides whose images are taken. Podman reads it strictly: whatever it
//! does not know in its upper levels makes every pull fail.

use std::path::Path;

use serde_json::Value;

use super::{Finding, error, json, note, warning};
use crate::plan::rules::references::Reference;
use crate::render::policy;

const WHAT: &str = "policy.json";
/// Names of places that images come from and go to. What others say is read and never asked for.
const TRANSPORTS: [&str; 11] =
    ["docker", "containers-storage", "docker-archive", "oci-archive", "oci", "dir", "tarball", "docker-daemon", "atomic", "sif", "ostree"];
const TYPES: [&str; 5] = ["insecureAcceptAnything", "reject", "signedBy", "signedBaseLayer", "sigstoreSigned"];
/// Where the keys of a rule are.
const KEYS: [&str; 3] = ["keyPath", "keyPaths", "keyData"];
/// Where this machine's own images are.
const STORE: &str = "containers-storage";
/// What `docker load` reads, and `docker import` with the last of them.
const ARCHIVES: [&str; 4] = ["docker-archive", "oci-archive", "dir", "tarball"];

/// What is wrong with the text of a file; `exists` says whether a key is there.
pub fn lint(file: &str, text: &str, exists: &dyn Fn(&Path) -> bool) -> Vec<Finding> {
    let mut findings = faults(file, text);
    if findings.is_empty() {
        let policy = serde_json::from_str(text).unwrap_or_default();
        meaning(file, &policy, exists, &mut findings);
    }
    findings
}

/// What makes Podman refuse a policy, and with it every image (containers/image `signature/policy_config.go`).
pub fn faults(file: &str, text: &str) -> Vec<Finding> {
    if let Some(fault) = json::fault(text) {
        return vec![error(WHAT, format!("{file}, {fault}; Podman refuses every image"), "mend it; until then nothing is pulled")];
    }
    let Ok(policy) = serde_json::from_str::<Value>(text) else { return Vec::new() };
    let mut findings = Vec::new();
    let mut bad = |words: String, remedy: &str| findings.push(error(WHAT, format!("{file}: {words}; Podman refuses every image"), remedy));
    let Some(top) = policy.as_object() else {
        bad("it is no object".into(), "begin it with { and \"default\"");
        return findings;
    };
    for key in top.keys().filter(|key| !["default", "transports"].contains(&key.as_str())) {
        bad(format!("{key:?} is not known"), "remove it: there are \"default\" and \"transports\"");
    }
    match &policy["default"] {
        Value::Null => bad("there is no \"default\"".into(), "add one: \"default\": [{\"type\": \"reject\"}]"),
        rule => rules(rule, "\"default\"", &mut bad),
    }
    if top.get("transports").is_some_and(|transports| !transports.is_object()) {
        bad("\"transports\" is no object".into(), "write \"transports\": {\"docker\": {…}}");
    }
    for (transport, scopes) in policy["transports"].as_object().into_iter().flatten() {
        let Some(scopes) = scopes.as_object() else {
            bad(format!("{transport:?} is no object"), "write a list of rules for a scope: {\"\": [{\"type\": …}]}");
            continue;
        };
        for (scope, rule) in scopes {
            rules(rule, &format!("{scope:?} of {transport:?}"), &mut bad);
            if let Some(why) = invalid(transport, scope) {
                bad(format!("{scope:?} of {transport:?} {why}"), "write it so, or remove it");
            }
        }
    }
    findings
}

/// The requirements of one scope.
fn rules(rule: &Value, place: &str, bad: &mut impl FnMut(String, &str)) {
    let Some(all) = rule.as_array().filter(|all| !all.is_empty()) else {
        return bad(format!("{place} is no list of rules with a rule in it"), "write [{\"type\": \"reject\"}], or another type");
    };
    for one in all {
        let kind = one["type"].as_str().unwrap_or_default();
        if !TYPES.contains(&kind) {
            bad(
                format!("{place} has a rule of the type {kind:?}"),
                "there are insecureAcceptAnything, reject, signedBy and sigstoreSigned",
            );
        } else if TYPES[..2].contains(&kind) && one.as_object().is_some_and(|one| one.len() > 1) {
            bad(format!("{place} has more than its type in a rule of the type {kind:?}"), "leave only the type");
        } else if kind == "signedBy" && (one["keyType"] != "GPGKeys" || KEYS.iter().filter(|key| !one[**key].is_null()).count() != 1) {
            bad(
                format!("{place} wants signatures, and does not say whose"),
                "write \"keyType\": \"GPGKeys\" and one of keyPath, keyPaths and keyData",
            );
        }
    }
}

/// Why Podman does not take a scope.
fn invalid(transport: &str, scope: &str) -> Option<&'static str> {
    match transport {
        _ if scope.is_empty() => None,
        "docker-archive" | "tarball" => Some("can only be \"\""),
        "dir" | "oci" | "oci-archive" if !is_plain_path(scope) => {
            Some("can only be \"\" or an absolute path without . and .. and with no / at its end")
        }
        "containers-storage" if !scope.starts_with('[') => {
            Some("can only be \"\" or begin with a store, [overlay@/var/lib/containers/storage]")
        }
        _ => None,
    }
}

fn is_plain_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(|part| !["", ".", ".."].contains(&part)))
}

/// What a policy that Podman reads does not do as it was meant, most likely.
fn meaning(file: &str, policy: &Value, exists: &dyn Fn(&Path) -> bool, findings: &mut Vec<Finding>) {
    for transport in policy["transports"].as_object().into_iter().flat_map(|all| all.keys()) {
        if !TRANSPORTS.contains(&transport.as_str()) {
            findings.push(warning(
                WHAT,
                format!("{file}: no image comes by a transport {transport:?}, so its rules decide nothing"),
                "registries are \"docker\", this machine's images \"containers-storage\", archives \"docker-archive\" and \"oci-archive\"",
            ));
        }
    }
    let rejected = |transport: &&str| {
        let scopes = policy["transports"][transport].as_object();
        let some = scopes.is_some_and(|scopes| scopes.keys().any(|scope| !scope.is_empty()));
        !some && policy::rule(policy, transport, "").rejects()
    };
    let add = |transport: &str| {
        format!("add to \"transports\": \"{transport}\": {{\"\": [{{\"type\": \"insecureAcceptAnything\"}}]}}, and the like for each")
    };
    if rejected(&STORE) {
        let text = format!("{file} rejects images of {STORE}, this machine's own: docker save fails, and by some Podmans docker push");
        findings.push(error(WHAT, text, add(STORE).trim_end_matches(", and the like for each")));
    }
    let archives: Vec<&str> = ARCHIVES.into_iter().filter(rejected).collect();
    if let Some(first) = archives.first() {
        let import = archives.contains(&"tarball");
        let fails = match (import, archives.len()) {
            (true, 1) => "docker import fails",
            (true, _) => "docker load and docker import fail",
            _ => "docker load fails",
        };
        findings.push(warning(WHAT, format!("{file} rejects {}: {fails}", archives.join(", ")), add(first)));
    }
    for (scope, rule) in policy["transports"]["docker"].as_object().into_iter().flatten() {
        if let Some(meant) = never(scope) {
            findings.push(warning(WHAT, format!("{file}: no image is ever in the scope {scope:?}"), format!("write {meant}")));
        }
        missing_keys(file, rule, exists, findings);
    }
    missing_keys(file, &policy["default"], exists, findings);
    let scopes = policy["transports"]["docker"].as_object();
    let none = scopes.is_none_or(|scopes| scopes.keys().all(String::is_empty)) && policy::rule(policy, "docker", "").rejects();
    if none {
        findings.push(note(
            WHAT,
            format!("{file}: every image of every registry is rejected"),
            "add the registries that are to be taken to \"docker\"",
        ));
    }
}

/// The scope that was meant by one that no image's full name is in.
fn never(scope: &str) -> Option<String> {
    let bare = scope.strip_prefix("docker://").or(scope.strip_prefix("https://")).or(scope.strip_prefix("http://")).unwrap_or(scope);
    let domain_only = bare.strip_prefix("*.").is_some_and(|domain| !domain.contains(['/', ':', '*']));
    if scope.is_empty() || domain_only {
        return None;
    }
    let bare = bare.trim_end_matches(['*', '/', ':']);
    let meant = meant_prefix(bare).unwrap_or_else(|| bare.to_string());
    (meant != scope).then(|| format!("{meant:?}"))
}

/// What a prefix of names has to be where it names nothing, as Docker's short names do.
pub fn meant_prefix(prefix: &str) -> Option<String> {
    let (domain, path) = prefix.split_once('/').unwrap_or((prefix, ""));
    if ["index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"].contains(&domain) {
        return Some(if path.is_empty() { "docker.io".to_string() } else { format!("docker.io/{path}") });
    }
    // An official image: they are all in `library`.
    if domain == "docker.io" && (path.contains(':') || path.contains('@')) && !path.contains('/') {
        return Some(format!("docker.io/library/{path}"));
    }
    let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
    let is_registry = host.contains('.') || host == "localhost" || (domain.contains(':') && port.bytes().all(|b| b.is_ascii_digit()));
    if !is_registry && !prefix.is_empty() {
        let full = Reference::parse(prefix.as_ref()).map(|reference| reference.full());
        return full.ok().filter(|full| full != prefix);
    }
    None
}

/// Keys that rules name and nobody put there: whatever they decide on is rejected.
fn missing_keys(file: &str, rule: &Value, exists: &dyn Fn(&Path) -> bool, findings: &mut Vec<Finding>) {
    for one in rule.as_array().into_iter().flatten() {
        let lists = [&one["keyPaths"], &one["rekorPublicKeyPaths"]].into_iter().flat_map(|list| list.as_array().into_iter().flatten());
        let keys = [&one["keyPath"], &one["rekorPublicKeyPath"], &one["fulcio"]["caPath"]].into_iter().chain(lists);
        for key in keys.filter_map(Value::as_str).filter(|key| !exists(Path::new(key))) {
            findings.push(error(WHAT, format!("{file}: the key {key} is not there, so what it is to sign is rejected"), "put it there"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    fn said(text: &str) -> Vec<(Grade, String)> {
        lint("p", text, &|_| false).into_iter().map(|finding| (finding.grade, finding.text)).collect()
    }
    fn first(text: &str) -> String {
        said(text).first().map_or(String::new(), |(grade, text)| format!("{grade:?} {text}"))
    }
    const ANY: &str = r#"[{"type": "insecureAcceptAnything"}]"#;

    #[test]
    fn in_order() {
        assert_eq!(first(&format!(r#"{{"default": {ANY}}}"#)), "");
        let harmless = format!(r#"{{"default": {ANY}, "transports": {{"docker-daemon": {{"": [{{"type": "reject"}}]}}}}}}"#);
        assert_eq!(first(&harmless), "");
        let all = [&[STORE], &ARCHIVES[..]]
            .concat()
            .iter()
            .map(|transport| format!(r#""{transport}": {{"": {ANY}}}"#))
            .collect::<Vec<_>>()
            .join(", ");
        let strict = format!(
            r#"{{"default": [{{"type": "reject"}}], "transports": {{{all}, "docker": {{"quay.io": {ANY}, "docker.io/library/a:1": {ANY},
            "*.example.com": {ANY}, "docker.io/me": {ANY}, "127.0.0.1:5000": {ANY}}}}}}}"#
        );
        assert_eq!(said(&strict), []);
    }

    #[test]
    fn what_podman_does_not_read() {
        for (text, words) in [
            ("{}", "there is no \"default\""),
            ("[]", "it is no object"),
            (r#"{"default": []}"#, "\"default\" is no list"),
            (r#"{"default": [{"type": "rejects"}]}"#, "of the type \"rejects\""),
            (r#"{"default": [{"type": "reject", "keyPath": "/x"}]}"#, "more than its type"),
            (r#"{"default": [{"type": "reject"}], "transport": {}}"#, "\"transport\" is not known"),
            (r#"{"default": [{"type": "reject"}], "transports": {"docker-archive": {"x": [{"type": "reject"}]}}}"#, "can only be"),
            (r#"{"default": [{"type": "signedBy", "keyType": "GPGKeys"}]}"#, "does not say whose"),
            (r#"{"default": [{"type": "reject"}], "transports": null}"#, "\"transports\" is no object"),
            (r#"{"default": [{"type": "reject"}], "transports": {"dir": {"/a/../b": [{"type": "reject"}]}}}"#, "without . and .."),
            (r#"{"default": [{"type": "reject"}], "transports": {"docker": []}}"#, "\"docker\" is no object"),
            (r#"{"default": [{"type": "reject"}], "default": [{"type": "reject"}]}"#, "line 1"),
        ] {
            let first = first(text);
            assert!(first.starts_with("Error ") && first.contains(words), "{text}: {first}");
        }
    }

    #[test]
    fn what_it_does_unmeant() {
        let closed = said(&format!(r#"{{"default": [{{"type": "reject"}}], "transports": {{"docker": {{"a.io": {ANY}}}}}}}"#));
        assert_eq!(closed.len(), 2, "docker-daemon is in nobody's way: {closed:?}");
        assert!(closed[0].0 == Grade::Error && closed[0].1.contains("containers-storage"), "{closed:?}");
        assert!(
            closed[1].0 == Grade::Warning
                && closed[1].1.ends_with("rejects docker-archive, oci-archive, dir, tarball: docker load and docker import fail")
        );
        let scopes = |scope: &str| first(&format!(r#"{{"default": {ANY}, "transports": {{"docker": {{"{scope}": {ANY}}}}}}}"#));
        for odd in ["alpine", "library/alpine", "docker.io/alpine:3", "docker://quay.io", "quay.io/", "quay.io/*", "index.docker.io"] {
            assert!(scopes(odd).starts_with("Warning p: no image is ever"), "{odd}: {}", scopes(odd));
        }
        let unknown = format!(r#"{{"default": {ANY}, "transports": {{"registry": {{"": {ANY}}}}}}}"#);
        assert!(first(&unknown).contains("\"registry\""));
        let signed = r#"{"default": [{"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/nowhere/key"}]}"#;
        assert!(first(signed).contains("/nowhere/key"));
    }

    #[test]
    fn names_in_full() {
        let meant = |prefix: &str| meant_prefix(prefix).unwrap_or_default();
        assert_eq!(meant("alpine:3.19"), "docker.io/library/alpine:3.19");
        assert_eq!(meant("me/app"), "docker.io/me/app");
        assert_eq!(meant("docker.io/me"), "");
        for registry in ["localhost/x", "registry:5000", "registry:5000/x", "a.io", "[::1]:5000/x"] {
            assert_eq!(meant(registry), "");
        }
    }
}
