//! Manifests and lists of them as `docker manifest` writes them (docker/cli `cli/manifest`).

use serde_json::{Map, Value as Json, json};

use super::{indented, text};
use crate::plan::rules::references::{Reference, is_loopback};
use crate::sha256;

/// What is kept of an image of a list: Docker's own record.
pub fn record(name: &str, descriptor: &Json, raw: Option<&[u8]>) -> Json {
    let mut record = Map::new();
    record.insert("Ref".into(), name.into());
    record.insert("Descriptor".into(), ordered(descriptor, &["mediaType", "digest", "size", "platform"]));
    let whole = raw.filter(|raw| format!("sha256:{}", sha256::hex(raw)) == text(descriptor, "digest"));
    if let Some((raw, manifest)) = whole.and_then(|raw| Some((raw, serde_json::from_slice::<Json>(raw).ok()?))) {
        record.insert("Raw".into(), crate::base64::encode(raw).into());
        let key = if text(descriptor, "mediaType").contains(".oci.") { "OCIManifest" } else { "SchemaV2Manifest" };
        record.insert(key.into(), manifest);
    }
    Json::Object(record)
}

fn ordered(object: &Json, keys: &[&str]) -> Json {
    let entry = |key: &&str| Some((key.to_string(), object.get(*key).filter(|value| !value.is_null())?.clone()));
    Json::Object(keys.iter().filter_map(entry).collect())
}

/// Whether an image of one registry is to go into a list of another: Docker's words for that.
pub fn foreign(list: &str, image: &str) -> Option<String> {
    let domain = |name: &str| Reference::parse(name.as_ref()).map(|reference| reference.domain).unwrap_or_default();
    let (source, target) = (domain(image), domain(list));
    (source != target).then(|| format!("cannot use source images from a different registry than the target image: {source} != {target}"))
}

/// A list of descriptors.
pub fn list(descriptors: &[Json]) -> String {
    let oci = descriptors.first().is_some_and(|first| text(first, "mediaType").contains(".oci."));
    let media_type =
        if oci { "application/vnd.oci.image.index.v1+json" } else { "application/vnd.docker.distribution.manifest.list.v2+json" };
    let entry = |descriptor: &Json| {
        let mut entry = ordered(descriptor, &["mediaType", "size", "digest", "annotations"]);
        let platform = ordered(&descriptor["platform"], &["architecture", "os", "os.version", "os.features", "variant", "features"]);
        entry["platform"] = platform;
        entry
    };
    let entries: Vec<Json> = descriptors.iter().map(entry).collect();
    indented(&json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries }), b"   ")
}

/// docker/cli's `validOSArches`.
pub fn is_platform(os: &str, architecture: &str) -> bool {
    let architectures: &[&str] = match os {
        "linux" => &["386", "amd64", "arm", "arm64", "ppc64le", "mips64", "mips64le", "riscv64", "s390x"],
        "darwin" => &["386", "amd64", "arm", "arm64"],
        "freebsd" | "netbsd" => &["386", "amd64", "arm"],
        "openbsd" => &["386", "amd64", "arm"],
        "plan9" | "windows" => &["386", "amd64"],
        "dragonfly" | "solaris" => &["amd64"],
        _ => &[],
    };
    architectures.contains(&architecture)
}

/// The name of a list's or an image's file.
pub fn file_name(name: &str) -> String {
    name.replace(':', "-").replace('/', "_")
}

/// Docker's words for what a registry does not give; `error` is Podman's.
pub fn not_had(name: &str, error: &str) -> String {
    let ping = error.lines().find_map(|line| line.split_once("pinging container registry ")?.1.split_once(": "));
    match ping {
        Some((_, words)) if !words.contains("server gave HTTP response to HTTPS client") => {
            format!("failed to configure transport: error pinging v2 registry: {words}")
        }
        _ if error.contains("authentication required") => {
            let Ok(Reference { domain, path, tag, digest }) = Reference::parse(name.as_ref()) else { return name.to_string() };
            let scheme = if is_loopback(&domain) { "http" } else { "https" };
            let what = digest.or(tag).unwrap_or_default();
            format!("Get \"{scheme}://{domain}/v2/{path}/manifests/{what}\": no basic auth credentials")
        }
        _ => format!("no such manifest: {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let descriptor = json!({"mediaType": "application/vnd.docker.distribution.manifest.v2+json", "digest": "sha256:0", "size": 1,
            "platform": {"os": "linux", "architecture": "amd64", "variant": ""}});
        let shown = list(&[descriptor]);
        assert!(shown.contains("   \"schemaVersion\": 2,\n"), "{shown}");
        assert!(shown.contains("         \"size\": 1,\n         \"digest\": \"sha256:0\",\n"), "{shown}");
    }

    #[test]
    fn registries() {
        assert_eq!(
            foreign("docker.io/library/l:5", "h:5000/a:1").unwrap(),
            "cannot use source images from a different registry than the target image: h:5000 != docker.io"
        );
        assert_eq!(foreign("h:5000/l:1", "h:5000/a:1"), None);
        let error = "Error: reading image \"docker://h/a:1\": pinging container registry h: Get \"https://h/v2/\": dial tcp 1.2.3.4:443: connect: connection refused";
        assert!(
            not_had("h/a:1", error).starts_with("failed to configure transport: error pinging v2 registry: Get \"https://h/v2/\": dial")
        );
        assert_eq!(not_had("h/a:1", "Error: manifest unknown"), "no such manifest: h/a:1");
    }
}
