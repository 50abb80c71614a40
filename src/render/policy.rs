//! Which rule of the machine's keeps an image out: of policy.json (containers-policy.json(5)), or of registries.conf.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// One sentence for Podman's `… Running image TRANSPORT:NAME is rejected by policy.`, and for its `registry NAME is blocked in FILE or DIR`. The
/// policy is in `file`, as `read` has it.
pub fn rejected(error: &str, file: &Path, read: &dyn Fn(&Path) -> Option<Vec<u8>>) -> Option<String> {
    if let Some((registry, files)) = error.split_once(" is blocked in ") {
        let registry = registry.rsplit_once("registry ")?.1;
        return Some(format!("the registry {registry} is blocked by this machine's registries.conf ({files})"));
    }
    let (_, rest) = error.split_once("Running image ")?;
    let image = rest.split(" is rejected by policy").next().filter(|image| image.len() < rest.len())?;
    let (transport, name) = image.split_once(':')?;
    let name = name.trim_start_matches("//");
    let policy = read(file).and_then(|text| serde_json::from_slice::<Value>(&text).ok()).unwrap_or_default();
    let rule = rule(&policy, transport, &full(transport, name)).name;
    let file = file.display();
    Some(match transport {
        // A name there is of no use to anybody.
        "containers-storage" => format!(
            "this machine's policy ({file}, {rule}) rejects images of its own store: its administrator has to accept the transport \
             containers-storage"
        ),
        "docker" => format!("{name} is rejected by this machine's policy ({file}, {rule})"),
        _ => format!(
            "{image} is rejected by this machine's policy ({file}, {rule}): its administrator has to accept the transport {transport}"
        ),
    })
}

/// Where the policy is: the user's own, else the machine's.
pub fn file(home: Option<PathBuf>, exists: &dyn Fn(&Path) -> bool) -> PathBuf {
    let own = home.map(|home| home.join(".config/containers/policy.json"));
    own.filter(|own| exists(own)).unwrap_or_else(|| PathBuf::from("/etc/containers/policy.json"))
}

/// With its registry, as rules name it.
fn full(transport: &str, name: &str) -> String {
    let reference = crate::plan::rules::references::Reference::parse(name.as_ref());
    reference.ok().filter(|_| transport == "docker").map_or(name.to_string(), |reference| reference.tagged())
}

/// What decides on an image.
#[derive(Debug, PartialEq)]
pub struct Rule<'a> {
    /// In words that follow "the policy's".
    pub name: String,
    /// All of them have to be met.
    pub requirements: &'a Value,
}

impl Rule<'_> {
    /// Whether nothing gets in by it.
    pub fn rejects(&self) -> bool {
        self.requirements.as_array().is_none_or(|all| all.is_empty() || all.iter().any(|one| one["type"] == "reject"))
    }
}

/// The rule that decides: the closest scope that the name is in, the transport's own, the default (containers/image
/// `signature/policy_eval.go`, `requirementsForImageRef`).
pub fn rule<'a>(policy: &'a Value, transport: &str, name: &str) -> Rule<'a> {
    let scopes = policy["transports"][transport].as_object();
    let named = scopes.and_then(|scopes| {
        let closest = scopes.iter().filter(|(scope, _)| !scope.is_empty());
        closest.filter_map(|(scope, rule)| Some((distance(transport, name, scope)?, scope, rule))).min_by_key(|(distance, ..)| *distance)
    });
    if let Some((_, scope, requirements)) = named {
        return Rule { name: format!("rule for {scope}"), requirements };
    }
    match scopes.and_then(|scopes| scopes.get("")) {
        Some(requirements) => Rule { name: format!("rule for all of {transport}"), requirements },
        None => Rule { name: "rule \"default\"".to_string(), requirements: &policy["default"] },
    }
}

/// How far a scope is from a name that is in it; none where the name is elsewhere. Of an image in a registry the name itself comes first,
/// then what is above it, then every registry of a domain (`docker/policyconfiguration`).
fn distance(transport: &str, name: &str, scope: &str) -> Option<usize> {
    if let Some(domain) = scope.strip_prefix("*.").filter(|_| transport == "docker") {
        let host = name.split(['/', ':']).next().unwrap_or_default();
        let below = host.strip_suffix(domain)?;
        return below.ends_with('.').then_some(name.len() + below.len());
    }
    let rest = name.strip_prefix(scope)?;
    // A registry at a port is another one.
    let inside =
        rest.is_empty() || rest.starts_with('/') || (rest.starts_with([':', '@']) && (transport != "docker" || scope.contains('/')));
    inside.then_some(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_scope_decides() {
        let policy: Value = serde_json::from_str(
            r#"{"default": [{"type": "reject"}], "transports": {"docker": {
                "a.example.com": [{"type": "reject"}], "*.example.com": [{"type": "insecureAcceptAnything"}],
                "*.com": [{"type": "reject"}], "docker.io/library": [{"type": "insecureAcceptAnything"}],
                "docker.io/library/x:1": [{"type": "reject"}]}, "dir": {"": [{"type": "insecureAcceptAnything"}]}}}"#,
        )
        .unwrap();
        let decides = |transport: &str, name: &str| {
            let rule = rule(&policy, transport, name);
            format!("{} {}", rule.name, if rule.rejects() { "rejects" } else { "accepts" })
        };
        assert_eq!(decides("docker", "docker.io/library/y:1"), "rule for docker.io/library accepts");
        assert_eq!(decides("docker", "docker.io/library/x:1"), "rule for docker.io/library/x:1 rejects");
        assert_eq!(decides("docker", "docker.io/other:1"), "rule \"default\" rejects");
        assert_eq!(decides("docker", "a.example.com/x:1"), "rule for a.example.com rejects");
        assert_eq!(decides("docker", "a.example.com:5000/x:1"), "rule for *.example.com accepts");
        assert_eq!(decides("docker", "example.com/x:1"), "rule for *.com rejects");
        assert_eq!(decides("dir", "/tmp/x"), "rule for all of dir accepts");
    }
}
