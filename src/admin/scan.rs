//! `docker-shim toolcache scan`: the Docker clients of this machine, and what each is good for.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::toolcache::{clients, marker};
use crate::installer::{self, Policy, Verdict};
use crate::render::tabwriter;

/// A client that was found.
pub struct Found {
    pub path: PathBuf,
    /// As its place in a tool cache says it, or the client itself.
    pub version: Option<String>,
    pub ours: bool,
    /// Whether it can build on Podman.
    pub builds: &'static str,
    /// The `dockerVersion`s of DockerInstaller that are answered by it: its own, and ranges of which it is the newest.
    pub serves: Vec<String>,
    pub verdict: Verdict,
}

/// The clients in tool caches and on PATH, in that order.
pub fn scan(caches: &[PathBuf], path: &OsStr, policy: &Policy) -> Vec<Found> {
    let cached: Vec<PathBuf> = caches.iter().flat_map(|tools| clients(tools)).collect();
    let on_path = std::env::split_paths(path).map(|dir| dir.join("docker")).filter(|file| file.is_file());
    let plugin = plugin();
    let mut found: Vec<Found> = Vec::new();
    for path in cached.iter().cloned().chain(on_path) {
        if found.iter().any(|known| known.path == path) {
            continue;
        }
        let ours = fs::read(&path).is_ok_and(|text| installer::is_stub(&text)) || is_this_program(&path);
        let asked = installer::asked_by(&path).map(|asked| asked.version);
        let serves = if cached.contains(&path) { served(&path, &cached) } else { Vec::new() };
        let version = asked.or_else(|| told(&path));
        let verdict = version.as_deref().map_or(Verdict::Allow, |version| policy.verdict(version));
        let builds = if ours { "yes" } else { builds(version.as_deref(), plugin) };
        found.push(Found { path, version, ours, builds, serves, verdict });
    }
    found
}

/// What a client on PATH says of itself; asked only where nobody but root and the caller can have put it there.
fn told(path: &Path) -> Option<String> {
    let trusted = |path: &Path| {
        fs::metadata(path).is_ok_and(|m| m.mode() & 0o022 == 0 && (m.uid() == 0 || m.uid() == nix::unistd::geteuid().as_raw()))
    };
    if !trusted(path) || !trusted(path.parent()?) {
        return None;
    }
    let answer = Command::new(path).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    Some(text.strip_prefix("Docker version ")?.split([',', '\n']).next()?.to_string())
}

/// Whether the plugin `docker-buildx` is there, and ours.
fn plugin() -> Option<bool> {
    let dirs = ["/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"];
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker/cli-plugins"));
    let dirs = home.into_iter().chain(dirs.iter().map(|dir| Path::new(dir).join("docker/cli-plugins")));
    dirs.map(|dir| dir.join("docker-buildx")).find(|file| file.is_file()).map(|file| is_this_program(&file))
}

/// Whether a real client can build on Podman's API: those before 20.10 open a session, BuildKit opens one too, and from 23 on a plugin
/// decides.
fn builds(version: Option<&str>, plugin: Option<bool>) -> &'static str {
    let Some(version) = version else { return "unknown" };
    let at_least = |other: &str| installer::order(version) >= installer::order(other);
    match plugin {
        _ if !at_least("20.10.0") => "no",
        Some(true) if at_least("23.0.0") => "yes",
        Some(false) if at_least("23.0.0") => "no",
        _ => "without BuildKit",
    }
}

/// The versions that a client in a tool cache is found for (azure-pipelines-tool-lib `findLocalTool`): itself, and a range where it is the
/// newest that fits; a pre-release (which `-ce` is to it) fits no range.
fn served(path: &Path, cached: &[PathBuf]) -> Vec<String> {
    let complete = |path: &Path| path.parent().is_some_and(|dir| marker(dir).exists());
    let Some(asked) = installer::asked_by(path).filter(|_| complete(path)) else { return Vec::new() };
    let mut serves = vec![asked.version.clone()];
    let rivals: Vec<_> = cached
        .iter()
        .filter(|other| other.ancestors().nth(3) == path.ancestors().nth(3) && complete(other))
        .filter_map(|other| installer::asked_by(other))
        .map(|other| other.version)
        .filter(|version| !version.contains('-'))
        .collect();
    if asked.version.contains('-') {
        return serves;
    }
    let parts: Vec<&str> = asked.version.split('.').collect();
    let newest = |start: &str| {
        let fits = rivals.iter().filter(|version| version.starts_with(start));
        fits.max_by_key(|version| installer::order(version)).is_some_and(|version| *version == asked.version)
    };
    let (major, minor) = (format!("{}.", parts[0]), format!("{}.{}.", parts[0], parts.get(1).copied().unwrap_or_default()));
    for (start, range) in [(minor.as_str(), format!("{minor}x")), (major.as_str(), format!("{major}x")), ("", "x".to_string())] {
        if newest(start) {
            serves.push(range);
        }
    }
    serves
}

/// A table, or JSON: a list of objects.
pub fn report(found: &[Found], as_json: bool) -> String {
    let word = |verdict: Verdict| match verdict {
        Verdict::Allow => "allow",
        Verdict::Warn => "warn",
        Verdict::Refuse => "refuse",
    };
    if as_json {
        let object = |f: &Found| {
            json!({
                "path": f.path.to_string_lossy(), "version": f.version, "dockerShim": f.ours, "builds": f.builds, "serves": f.serves,
                "policy": word(f.verdict)
            })
        };
        return format!("{}\n", json!(found.iter().map(object).collect::<Vec<_>>()));
    }
    let mut text = String::from("PATH\tVERSION\tDOCKER-SHIM\tBUILDS\tPOLICY\tSERVES\n");
    for f in found {
        let version = f.version.as_deref().unwrap_or("-");
        let (ours, path) = (if f.ours { "yes" } else { "no" }, f.path.display());
        let _ = writeln!(text, "{path}\t{version}\t{ours}\t{}\t{}\t{}", f.builds, word(f.verdict), f.serves.join(", "));
    }
    tabwriter::align(&text, 10, 3)
}

/// Whether a file is this program itself, by device and inode.
pub fn is_this_program(path: &Path) -> bool {
    let ours = fs::metadata("/proc/self/exe").map(|m| (m.dev(), m.ino()));
    fs::metadata(path).is_ok_and(|there| ours.is_ok_and(|ours| ours == (there.dev(), there.ino())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_real_clients_build() {
        for (version, plugin, wanted) in [
            ("19.03.15", None, "no"),
            ("20.10.24", Some(false), "without BuildKit"),
            ("28.5.2", None, "without BuildKit"),
            ("28.5.2", Some(false), "no"),
            ("28.5.2", Some(true), "yes"),
        ] {
            assert_eq!(builds(Some(version), plugin), wanted, "{version} {plugin:?}");
        }
    }
}
