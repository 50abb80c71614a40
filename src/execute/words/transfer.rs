//! What Podman says of a registry in the words of dockerd (moby `distribution/errors.go`).

use std::path::PathBuf;

use crate::plan::rules::references::Reference;
use crate::render::policy;

/// What goes wrong while an image is pulled or pushed; `error` is a line without its `Error: `.
pub fn as_docker(error: &str) -> Option<String> {
    let daemon = |words: String| Some(format!("Error response from daemon: {words}"));
    if let Some(words) = rejected(error) {
        return daemon(words);
    }
    if error.starts_with("writing blob: adding layer with blob ") && error.contains("unexpected EOF") {
        return daemon("unexpected EOF".to_string());
    }
    let pushing = ["trying to reuse blob ", "writing blob: ", "writing manifest: ", "uploading manifest ", "checking push permissions"]
        .iter()
        .any(|start| error.contains(start));
    if let Some((_, wanted)) = error.split_once("no image found in manifest list for architecture ") {
        return platform(wanted).map(|platform| format!("no matching manifest for {platform} in the manifest list entries"));
    }
    if let Some((_, words)) = error.split_once("pinging container registry ").and_then(|(_, rest)| rest.split_once(": ")) {
        return if pushing { Some(words.to_string()) } else { daemon(words.to_string()) };
    }
    let unauthorized = error.ends_with("authentication required") || error.contains("invalid username/password");
    let denied = error.ends_with("requested access to the resource is denied");
    if pushing {
        return match (unauthorized, denied) {
            (true, _) => Some("no basic auth credentials".into()),
            (_, true) => Some("denied: requested access to the resource is denied".into()),
            _ => None,
        };
    }
    let (_, read) = error.split_once("reading manifest ")?;
    let source = error.split_once("docker://").and_then(|(_, rest)| rest.split_once(": ")).map(|(name, _)| name.trim_matches('"'));
    let reference = Reference::parse(source?.as_ref()).ok()?;
    let repository = reference.familiar_name();
    if read.contains("manifest unknown") {
        return daemon(format!("manifest for {} not found: manifest unknown: manifest unknown", reference.familiar()));
    }
    if read.contains("name unknown") {
        return daemon(format!("repository {repository} not found: name unknown: repository name not known to registry"));
    }
    if unauthorized {
        let scheme = if reference.is_loopback() { "http" } else { "https" };
        let what = reference.digest.as_deref().or(reference.tag.as_deref()).unwrap_or("latest");
        let (domain, path) = (&reference.domain, &reference.path);
        return daemon(format!("Head \"{scheme}://{domain}/v2/{path}/manifests/{what}\": no basic auth credentials"));
    }
    if denied {
        let words = "repository does not exist or may require 'docker login': denied: requested access to the resource is denied";
        return daemon(format!("pull access denied for {repository}, {words}"));
    }
    None
}

/// `s390x, variant "", OS linux` as `linux/s390x`; later Podmans quote each word.
fn platform(wanted: &str) -> Option<String> {
    let (architecture, rest) = wanted.split_once(", variant ")?;
    let (variant, os) = rest.split_once(", OS ")?;
    let [architecture, variant, os] = [architecture, variant, os].map(|word| word.trim().trim_matches('"'));
    Some(if variant.is_empty() { format!("{os}/{architecture}") } else { format!("{os}/{architecture}/{variant}") })
}

/// What keeps an image out by the machine's policy.
fn rejected(error: &str) -> Option<String> {
    let file = policy::file(std::env::var_os("HOME").map(PathBuf::from), &|path| path.exists());
    policy::rejected(error, &file, &|path| std::fs::read(path).ok())
}

#[cfg(test)]
mod tests {
    use super::as_docker;

    #[test]
    fn registries() {
        let said = |podman: &str| as_docker(podman).unwrap_or_default();
        let source = "initializing source docker://127.0.0.1:5000/a/b:1: reading manifest 1 in 127.0.0.1:5000/a/b: ";
        let missing = "Error response from daemon: manifest for 127.0.0.1:5000/a/b:1 not found: manifest unknown: manifest unknown";
        assert_eq!(said(&format!("{source}manifest unknown")), missing);
        assert_eq!(said(&format!("{source}manifest unknown: manifest unknown")), missing);
        assert_eq!(
            said(&format!("{source}unauthorized: authentication required")),
            "Error response from daemon: Head \"http://127.0.0.1:5000/v2/a/b/manifests/1\": no basic auth credentials"
        );
        assert_eq!(
            said("initializing source docker://h/a:1: pinging container registry h: Get \"https://h/v2/\": dial tcp: refused"),
            "Error response from daemon: Get \"https://h/v2/\": dial tcp: refused"
        );
        assert_eq!(
            said("trying to reuse blob sha256:0 at destination: checking whether a blob exists in h/a: authentication required"),
            "no basic auth credentials"
        );
        assert_eq!(
            said(
                "choosing an image from manifest list docker://h/a:1: no image found in manifest list for architecture s390x, variant \"\", OS linux"
            ),
            "no matching manifest for linux/s390x in the manifest list entries"
        );
        assert_eq!(as_docker("anything else"), None);
    }
}
