//! `--platform` (containerd `platforms.Parse`).

use serde_json::Value as Json;

use crate::render::text;

/// A platform that an image has to be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Platform {
    os: String,
    arch: String,
    variant: String,
}

const OSES: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];
const ARCHS: [&str; 12] = ["386", "amd64", "arm", "arm64", "loong64", "mips64", "mips64le", "ppc64", "ppc64le", "riscv64", "s390x", "wasm"];

impl Platform {
    /// Reads `os[/arch[/variant]]`. Errors: containerd's words.
    pub fn parse(text: &str) -> Result<Platform, String> {
        let invalid = |words: &str| Err(format!("{text:?}: {words}: invalid argument"));
        if text.contains('*') {
            return invalid("wildcards not yet supported");
        }
        let parts: Vec<&str> = text.splitn(4, '/').collect();
        for part in &parts {
            if part.is_empty() || !part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
                let of = format!("{part:?} is an invalid component of {text:?}");
                return Err(format!("{of}: platform specifier component must match \"^[A-Za-z0-9_.-]+$\": invalid argument"));
            }
        }
        let os = match parts[0].to_lowercase().as_str() {
            "macos" => "darwin".to_string(),
            other => other.to_string(),
        };
        match parts.as_slice() {
            [_] if OSES.contains(&os.as_str()) => {
                let (arch, variant) = normal(std::env::consts::ARCH, "");
                Ok(Platform { os, arch, variant })
            }
            [arch] => {
                let (arch, variant) = normal(arch, "");
                if !ARCHS.contains(&arch.as_str()) {
                    return invalid("unknown operating system or architecture");
                }
                Ok(Platform { os: "linux".into(), arch, variant })
            }
            [_, arch] => {
                let (arch, variant) = normal(arch, "");
                Ok(Platform { os, arch, variant })
            }
            [_, arch, variant] => {
                let (arch, variant) = normal(arch, variant);
                let variant = if arch == "arm64" && variant.is_empty() { "v8".into() } else { variant };
                Ok(Platform { os, arch, variant })
            }
            _ => invalid("cannot parse platform specifier"),
        }
    }

    /// Docker's words where an image of Podman's is not of this platform.
    pub fn mismatch(&self, image: &Json, typed: &str) -> Option<String> {
        let (os, (arch, variant)) = (text(image, "Os"), normal(text(image, "Architecture"), ""));
        // An image that does not say its variant is taken for any.
        if os == self.os && arch == self.arch && (variant.is_empty() || normal(&self.arch, &self.variant).1 == variant) {
            return None;
        }
        let shown = |os: &str, arch: &str, variant: &str| {
            [os, arch, variant].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
        };
        let (has, wanted) = (shown(os, &arch, &variant), shown(&self.os, &self.arch, &self.variant));
        Some(format!(
            "Error response from daemon: image with reference {typed} was found but its platform ({has}) does not match the specified \
             platform ({wanted})"
        ))
    }
}

/// An architecture's usual name, and its variant where it is not the usual one.
fn normal(arch: &str, variant: &str) -> (String, String) {
    let (arch, variant) = (arch.to_lowercase(), variant.to_lowercase());
    let (arch, variant) = match (arch.as_str(), variant.as_str()) {
        ("i386" | "x86", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7" | "v7") => ("arm", ""),
        ("armel", _) => ("arm", "v6"),
        (arch, variant) => (arch, variant),
    };
    (arch.to_string(), variant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms() {
        let parsed = |text| Platform::parse(text).map(|p| format!("{}/{}/{}", p.os, p.arch, p.variant));
        assert_eq!(parsed("linux/amd64").as_deref(), Ok("linux/amd64/"));
        assert_eq!(parsed("linux/aarch64/v8").as_deref(), Ok("linux/arm64/v8"));
        assert_eq!(parsed("arm64").as_deref(), Ok("linux/arm64/"));
        assert_eq!(parsed("bad/x/y/z").unwrap_err(), "\"bad/x/y/z\": cannot parse platform specifier: invalid argument");
        assert_eq!(parsed("bogus").unwrap_err(), "\"bogus\": unknown operating system or architecture: invalid argument");
    }
}
