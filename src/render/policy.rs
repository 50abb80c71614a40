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
    let rule = rule(&policy, transport, &full(transport, name));
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

/// The rule that decides: the longest scope that the name is in, the transport's own, the default.
fn rule(policy: &Value, transport: &str, name: &str) -> String {
    let scopes = policy["transports"][transport].as_object();
    let within = |scope: &str| {
        let below = name.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ':', '@']));
        let domain = name.split(['/', ':']).next().unwrap_or_default();
        below || scope.strip_prefix('*').is_some_and(|end| end.starts_with('.') && domain.ends_with(end))
    };
    let named = scopes.into_iter().flat_map(|scopes| scopes.keys()).filter(|scope| !scope.is_empty() && within(scope));
    match (named.max_by_key(|scope| scope.len()), scopes.is_some_and(|scopes| scopes.contains_key(""))) {
        (Some(scope), _) => format!("rule for {scope}"),
        (None, true) => format!("rule for all of {transport}"),
        (None, false) => "rule \"default\"".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_rule() {
        let policy = serde_json::json!({
            "default": [], "transports": { "docker": { "docker.io": [], "docker.io/a": [], "*.example.com": [] }, "docker-archive": { "": [] } }
        });
        assert_eq!(rule(&policy, "docker", "docker.io/library/b:1"), "rule for docker.io");
        assert_eq!(rule(&policy, "docker", "docker.io/a/b:1"), "rule for docker.io/a");
        assert_eq!(rule(&policy, "docker", "x.example.com/b"), "rule for *.example.com");
        assert_eq!(rule(&policy, "docker", "quay.io/b"), "rule \"default\"");
        assert_eq!(rule(&policy, "docker-archive", "/f"), "rule for all of docker-archive");
        assert_eq!(rule(&Value::Null, "docker", "quay.io/b"), "rule \"default\"");
    }
}
