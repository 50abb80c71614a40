//! Image names as Docker reads them (distribution/reference): a name without a registry is docker.io's.

use std::ffi::{OsStr, OsString};

use super::store::Store;
use crate::plan::{Context, Refusal};

/// A parsed image name. `domain` and `path` are always there; `tag` and `digest` as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry: `docker.io`, `127.0.0.1:5000`.
    pub domain: String,
    /// The repository within it: `library/alpine`.
    pub path: String,
    pub tag: Option<String>,
    /// With its algorithm: `sha256:…`.
    pub digest: Option<String>,
}

const DEFAULT_DOMAIN: &str = "docker.io";

impl Reference {
    /// Reads a name by Docker's rules. Errors: Docker's own words.
    pub fn parse(name: &OsStr) -> Result<Reference, String> {
        let invalid = || "invalid reference format".to_string();
        let name = name.to_str().ok_or_else(invalid)?;
        if name.len() == 64 && name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!("invalid repository name ({name}), cannot specify 64-byte hexadecimal strings"));
        }
        let (domain, rest) = match name.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase()) => {
                (first, rest)
            }
            _ => (DEFAULT_DOMAIN, name),
        };
        let domain = if domain == "index.docker.io" { DEFAULT_DOMAIN } else { domain };
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (rest, None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        let path = if domain == DEFAULT_DOMAIN && !path.contains('/') { format!("library/{path}") } else { path.to_string() };
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(format!("invalid reference format: repository name ({path}) must be lowercase"));
        }
        let fits = is_domain(domain) && path.split('/').all(is_component) && tag.is_none_or(is_tag) && digest.is_none_or(is_digest);
        if !fits {
            return Err(invalid());
        }
        if domain.len() + 1 + path.len() > 255 && path.len() > 255 {
            return Err("repository name must not be more than 255 characters".to_string());
        }
        let owned = |part: Option<&str>| part.map(str::to_string);
        Ok(Reference { domain: domain.to_string(), path, tag: owned(tag), digest: owned(digest) })
    }

    /// The full name with the tag or digest as given. With both, the digest decides, as in Docker.
    pub fn full(&self) -> String {
        let name = self.repository();
        match (&self.digest, &self.tag) {
            (Some(digest), _) => format!("{name}@{digest}"),
            (None, Some(tag)) => format!("{name}:{tag}"),
            (None, None) => name,
        }
    }

    /// The full name without tag or digest.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.domain, self.path)
    }

    /// The full name, `:latest` added where neither tag nor digest was given.
    pub fn tagged(&self) -> String {
        if self.tag.is_none() && self.digest.is_none() { format!("{}:latest", self.repository()) } else { self.full() }
    }

    /// The name as Docker shows it: without docker.io/library/, with the tag.
    pub fn familiar(&self) -> String {
        let tagged = self.tagged();
        let name = tagged.strip_prefix("docker.io/").unwrap_or(&tagged);
        name.strip_prefix("library/").unwrap_or(name).to_string()
    }

    /// The full name with tag and digest as given, `:latest` added where there is neither.
    pub fn complete(&self) -> String {
        match (&self.tag, &self.digest) {
            (Some(tag), Some(digest)) => format!("{}:{tag}@{digest}", self.repository()),
            _ => self.tagged(),
        }
    }

    /// The name as Docker shows it, without tag or digest.
    pub fn familiar_name(&self) -> String {
        let name = self.repository();
        let name = name.strip_prefix("docker.io/").unwrap_or(&name);
        name.strip_prefix("library/").unwrap_or(name).to_string()
    }

    /// The repository under which a plain `podman build` or `podman tag` of the same short name stored it.
    pub fn podmans_repository(&self) -> Option<String> {
        let path = self.path.strip_prefix("library/").unwrap_or(&self.path);
        (self.domain == DEFAULT_DOMAIN).then(|| format!("localhost/{path}"))
    }

    /// The name under which a plain `podman build` or `podman tag` of the same short name stored it.
    pub fn podmans_own(&self) -> Option<String> {
        if self.domain != DEFAULT_DOMAIN || self.digest.is_some() {
            return None;
        }
        let path = self.path.strip_prefix("library/").unwrap_or(&self.path);
        Some(format!("localhost/{path}:{}", self.tag.as_deref().unwrap_or("latest")))
    }

    /// A registry on this machine, which dockerd talks to over plain HTTP (127.0.0.0/8, ::1, localhost).
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.domain)
    }
}

/// Whether a registry, `HOST[:PORT]`, is on the loopback interface.
pub fn is_loopback(domain: &str) -> bool {
    if let Some(v6) = domain.strip_prefix('[') {
        return v6.split(']').next() == Some("::1");
    }
    let host = domain.split(':').next().unwrap_or(domain);
    let four = host.split('.').count() == 4 && host.split('.').all(|n| n.parse::<u8>().is_ok());
    host == "localhost" || (four && host.starts_with("127."))
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let part =
        |p: &str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !p.starts_with('-') && !p.ends_with('-');
    let v6 = |h: &str| {
        h.strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .is_some_and(|h| !h.is_empty() && h.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'))
    };
    port.is_none_or(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit())) && (v6(host) || host.split('.').all(part))
}

/// Lower-case letters and digits, separated by one dot, one or two underscores, or any number of dashes.
fn is_component(component: &str) -> bool {
    let bytes = component.as_bytes();
    let word = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    if !bytes.first().is_some_and(word) || !bytes.last().is_some_and(word) {
        return false;
    }
    bytes.split(word).all(|gap| matches!(gap, b"" | b"." | b"_" | b"__") || gap.iter().all(|b| *b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let first = tag.bytes().next();
    tag.len() <= 128
        && first.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else { return false };
    let part = |p: &str| p.bytes().next().is_some_and(|b| b.is_ascii_alphabetic()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
    algorithm.split(['+', '.', '_', '-']).all(part) && hex.len() >= 32 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `sha256:` and the start of an image's ID, or such a start alone.
fn looks_like_id(name: &str) -> bool {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    !hex.is_empty() && hex.len() <= 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The name by which Podman finds the image that Docker would find in its store: the docker.io name first, then an ID, then
/// what an earlier plain Podman stored as `localhost/NAME`. An unknown image gets its docker.io name, to be pulled by.
/// Errors: Docker's words for a name that is none, in the manner of this command.
pub fn local(typed: &OsStr, context: &Context) -> Result<OsString, Refusal> {
    find(typed, &Store::of(context.host), context)
}

/// The same with a store at hand.
pub fn find(typed: &OsStr, store: &Store, context: &Context) -> Result<OsString, Refusal> {
    let text = typed.to_string_lossy();
    let full_id = text.strip_prefix("sha256:").unwrap_or(&text).len() == 64;
    if looks_like_id(&text) && (full_id || text.starts_with("sha256:")) {
        return Ok(typed.to_os_string());
    }
    let reference = Reference::parse(typed).map_err(|words| context.as_docker(words))?;
    let full = reference.full();
    if context.engine.remote.is_some() || (reference.domain != DEFAULT_DOMAIN && !looks_like_id(&text)) {
        return Ok(full.into());
    }
    if store.has_name(&reference.tagged()) {
        return Ok(full.into());
    }
    if looks_like_id(&text) && store.has_id(&text) {
        return Ok(typed.to_os_string());
    }
    match reference.podmans_own() {
        Some(own) if store.has_name(&own) => Ok(own.into()),
        _ => Ok(full.into()),
    }
}

/// The full name to store or fetch an image under.
pub fn target(typed: &OsStr, context: &Context) -> Result<Reference, Refusal> {
    Reference::parse(typed).map_err(|words| context.as_docker(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full(name: &str) -> String {
        Reference::parse(OsStr::new(name)).map(|r| r.full()).unwrap_or_else(|e| format!("error: {e}"))
    }

    #[test]
    fn completes_names_as_docker() {
        assert_eq!(full("alpine"), "docker.io/library/alpine");
        assert_eq!(full("alpine:3.19"), "docker.io/library/alpine:3.19");
        assert_eq!(full("myorg/app:1"), "docker.io/myorg/app:1");
        assert_eq!(full("index.docker.io/redis"), "docker.io/library/redis");
        assert_eq!(full("localhost/foo"), "localhost/foo");
        assert_eq!(full("localhost:5000/foo:1"), "localhost:5000/foo:1");
        assert_eq!(full("[::1]:5000/a/b"), "[::1]:5000/a/b");
        let digest = format!("busybox:1@sha256:{}", "a".repeat(64));
        assert_eq!(full(&digest), format!("docker.io/library/busybox@sha256:{}", "a".repeat(64)));
    }

    #[test]
    fn refuses_in_dockers_words() {
        assert_eq!(full("BUSYBOX"), "error: invalid reference format: repository name (library/BUSYBOX) must be lowercase");
        for bad in ["", "-x", "a//b", "a:b:c", "a@b", "a_-b", "a...b", ":tag", "a:-t", "/a", "http://a/b"] {
            assert_eq!(full(bad), "error: invalid reference format", "{bad}");
        }
        assert!(full(&"a".repeat(64)).contains("64-byte hexadecimal"));
    }

    #[test]
    fn knows_the_loopback() {
        for yes in ["localhost", "localhost:5000", "127.0.0.1", "127.8.9.1:80", "[::1]:5000"] {
            assert!(is_loopback(yes), "{yes}");
        }
        for no in ["docker.io", "127.example.com", "10.0.0.1:5000", "localhost.example"] {
            assert!(!is_loopback(no), "{no}");
        }
    }
}
