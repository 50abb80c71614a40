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
        let invalid = |words: &str| Err(format!("{text:?}: {words}: invalid argument"));
        if text.contains('*') {
            return invalid("wildcards not yet supported");
        }
        let parts: Vec<&str> = text.splitn(4, '/').collect();
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
        let os = match parts[0].to_lowercase().as_str() {
            "macos" => "darwin".to_string(),
            other => other.to_string(),
        };
        // The usual variant of 32-bit ARM goes without saying, where none was said.
        let usual = |name: &str| match normal(name, "") {
            (architecture, variant) if architecture == "arm" && variant == "v7" => (architecture, String::new()),
            other => other,
        };
        let (os, (architecture, variant)) = match parts[..] {
            [_] if SYSTEMS.contains(&os.as_str()) => (os, usual(std::env::consts::ARCH)),
            [one] => ("linux".into(), usual(one)),
            [_, name] => (os, usual(name)),
            [_, name, variant] => match normal(name, variant) {
                (architecture, variant) if architecture == "arm64" && variant.is_empty() => (os, (architecture, "v8".into())),
                other => (os, other),
            },
            _ => return invalid("cannot parse platform specifier"),
        };
        if parts.len() == 1 && !ARCHITECTURES.contains(&architecture.as_str()) {
            return invalid("unknown operating system or architecture");
        }
        Ok(Platform { os, architecture, variant })
    }

    /// What an image says of itself.
    pub fn of_image(os: &str, architecture: &str, variant: &str) -> Platform {
        let (architecture, variant) = (architecture.to_string(), variant.to_string());
        Platform { os: os.to_string(), architecture, variant }
    }

    /// Whether an image of that platform is what was asked for. One that does not say its variant is taken for any.
    pub fn is_met_by(&self, image: &Platform) -> bool {
        let (wanted, there) = (normal(&self.architecture, &self.variant), normal(&image.architecture, &image.variant));
        self.os == image.os && wanted.0 == there.0 && (image.variant.is_empty() || wanted.1 == there.1)
    }

    /// The daemon's words where the image of a name is of another platform.
    pub fn mismatch(&self, image: &Platform, name: &str) -> Option<String> {
        let (there, wanted) = (image.shown(), self.shown());
        (!self.is_met_by(image)).then(|| {
            format!(
                "Error response from daemon: image with reference {name} was found but its platform ({there}) does not match the \
                 specified platform ({wanted})"
            )
        })
    }

    /// As Podman's `--platform` wants it, and as Docker shows it.
    pub fn shown(&self) -> String {
        let Platform { os, architecture, variant } = self;
        if variant.is_empty() { format!("{os}/{architecture}") } else { format!("{os}/{architecture}/{variant}") }
    }
}

/// An architecture's usual name, and its variant where it is not the usual one (containerd's `normalizeArch`).
fn normal(name: &str, variant: &str) -> (String, String) {
    let (name, variant) = (name.to_lowercase(), variant.to_lowercase());
    let (name, variant) = match (name.as_str(), variant.as_str()) {
        ("i386" | "x86", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64" | "arm64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) => ("arm", "v6"),
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
        assert_eq!(shown("linux/amd64"), "linux/amd64");
        assert_eq!(shown("linux/aarch64/v8"), "linux/arm64/v8");
        assert_eq!(shown("arm64"), "linux/arm64");
        assert_eq!(shown("Linux/x86_64"), "linux/amd64");
        assert_eq!(shown("linux/arm"), "linux/arm");
        assert_eq!(shown("linux/arm/7"), "linux/arm/v7");
        assert_eq!(shown("bogus"), "\"bogus\": unknown operating system or architecture: invalid argument");
        assert_eq!(shown("linux/*"), "\"linux/*\": wildcards not yet supported: invalid argument");
        assert_eq!(shown("bad/x/y/z"), "\"bad/x/y/z\": cannot parse platform specifier: invalid argument");
    }

    #[test]
    fn images_of_platforms() {
        let met = |wanted: &str, image: [&str; 3]| {
            let image = Platform::of_image(image[0], image[1], image[2]);
            Platform::parse(wanted).is_ok_and(|wanted| wanted.is_met_by(&image))
        };
        assert!(met("linux/arm64", ["linux", "arm64", "v8"]) && met("linux/arm64/v8", ["linux", "arm64", ""]));
        assert!(met("linux/arm", ["linux", "arm", "v7"]) && met("linux/arm/v6", ["linux", "arm", ""]));
        assert!(!met("linux/arm/v6", ["linux", "arm", "v7"]) && !met("linux/arm64", ["linux", "amd64", ""]));
    }
}
