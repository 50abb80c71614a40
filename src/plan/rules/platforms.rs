//! Platforms as Docker reads them (containerd/platforms `Parse`).

/// `os/architecture[/variant]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    pub os: String,
    pub architecture: String,
    pub variant: String,
}

const SYSTEMS: &[&str] = &[
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
const ARCHITECTURES: &[&str] = &[
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "armbe",
    "arm64",
    "arm64be",
    "ppc64",
    "ppc64le",
    "loong64",
    "mips",
    "mipsle",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "ppc",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

impl Platform {
    /// Reads a platform; what is left out is this machine's. Errors: containerd's words.
    pub fn parse(text: &str) -> Result<Platform, String> {
        let parts: Vec<&str> = text.split('/').collect();
        for (i, part) in parts.iter().enumerate() {
            let fits = |extra: &[u8]| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || extra.contains(&b));
            if i == 0 && !fits(b"_-") {
                return Err(format!(
                    "{part:?} is an invalid OS component of {text:?}: OSAndVersion specifier component must match \
                     {:?}: invalid argument",
                    r"^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.%-]*)((?:\+[A-Za-z0-9_.%-]+)*)\))?$"
                ));
            }
            if i > 0 && !fits(b"_.-") {
                let pattern = r"^[A-Za-z0-9_.-]+$";
                return Err(format!(
                    "{part:?} is an invalid component of {text:?}: platform specifier component must match {pattern:?}: invalid argument"
                ));
            }
        }
        match parts[..] {
            [one] if SYSTEMS.contains(&system(one).as_str()) => {
                let (architecture, variant) = architecture(std::env::consts::ARCH, "");
                Ok(Platform { os: system(one), architecture, variant })
            }
            [one] => {
                let (architecture, variant) = architecture(one, "");
                if !ARCHITECTURES.contains(&architecture.as_str()) {
                    return Err(format!("{text:?}: unknown operating system or architecture: invalid argument"));
                }
                Ok(Platform { os: "linux".into(), architecture, variant })
            }
            [os, name] => {
                let (architecture, variant) = architecture(name, "");
                Ok(Platform { os: system(os), architecture, variant })
            }
            [os, name, variant] => {
                let (architecture, variant) = architecture(name, variant);
                Ok(Platform { os: system(os), architecture, variant })
            }
            _ => Err(format!("{text:?}: cannot parse platform specifier: invalid argument")),
        }
    }

    /// As Podman's `--platform` wants it, and as Docker shows it.
    pub fn shown(&self) -> String {
        let Platform { os, architecture, variant } = self;
        if variant.is_empty() { format!("{os}/{architecture}") } else { format!("{os}/{architecture}/{variant}") }
    }
}

fn system(os: &str) -> String {
    match os.to_lowercase().as_str() {
        "macos" => "darwin".into(),
        other => other.into(),
    }
}

/// The names that architectures are known by, with the variants that go without saying left out.
fn architecture(name: &str, variant: &str) -> (String, String) {
    let (name, variant) = (name.to_lowercase(), variant.to_lowercase());
    let (name, variant) = match (name.as_str(), variant.as_str()) {
        ("i386" | "x86", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
        ("arm", "" | "7") => ("arm", "v7"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "6") => ("arm", "v6"),
        ("arm", "8") => ("arm", "v8"),
        (name, variant) => (name, variant),
    };
    (name.to_string(), variant.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_platforms() {
        let shown = |text| Platform::parse(text).map_or_else(|e| e, |p| p.shown());
        assert_eq!(shown("linux/arm64/v8"), "linux/arm64");
        assert_eq!(shown("arm64"), "linux/arm64");
        assert_eq!(shown("Linux/x86_64"), "linux/amd64");
        assert_eq!(shown("linux/arm"), "linux/arm/v7");
        assert_eq!(shown("bogus"), "\"bogus\": unknown operating system or architecture: invalid argument");
        assert_eq!(shown("linux/x/y/z"), "\"linux/x/y/z\": cannot parse platform specifier: invalid argument");
    }
}
