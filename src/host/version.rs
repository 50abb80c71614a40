//! Podman's version, kept between calls: asking costs forty times our own start.
//!
//! The cache lies in a directory of the caller's own and is keyed by the program's path, device, inode, time and size.
//! Whatever is in doubt about it (owner, mode, a link in its place, another key) means asking again.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::catalogue::Podman;
use crate::files;
use crate::plan::Refusal;

/// The version of the Podman at a path. Errors: it does not run, or says nothing that reads as a version.
pub fn of(podman: &Path) -> Result<Podman, Refusal> {
    let place = place(podman);
    if let Some(version) = place.as_ref().and_then(|(cache, key)| recall(cache, key)) {
        return Ok(version);
    }
    let version = ask(podman)?;
    if let Some((cache, key)) = &place {
        // Nothing depends on the cache: a full or read-only file system only costs time.
        let _ = keep(cache, key, version);
    }
    Ok(version)
}

/// The version of the Podman at a path, where it was asked for before.
pub fn known(podman: &Path) -> Option<Podman> {
    place(podman).and_then(|(cache, key)| recall(&cache, &key))
}

/// The file that the answer is kept in, and what it is for.
fn place(podman: &Path) -> Option<(PathBuf, Vec<u8>)> {
    let key = key(podman)?;
    super::runtime_dir().map(|dir| (dir.join("podman-version"), key))
}

fn ask(podman: &Path) -> Result<Podman, Refusal> {
    let shown = podman.display();
    let output = Command::new(podman).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|e| Refusal::new(format!("docker: {shown} cannot be started: {e}"), 126))?;
    let said = String::from_utf8_lossy(&output.stdout);
    read(&said).ok_or_else(|| Refusal::new(format!("docker: {shown} --version does not tell a version: {}", said.trim()), 125))
}

/// Reads `podman version 5.6.0-dev` and the like: the first word that begins as a version does.
fn read(said: &str) -> Option<Podman> {
    said.split_whitespace().find_map(|word| {
        let mut parts = word.trim_start_matches('v').splitn(3, '.');
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        let patch: String = parts.next().unwrap_or("0").chars().take_while(char::is_ascii_digit).collect();
        Some(Podman(major, minor, patch.parse().unwrap_or(0)))
    })
}

/// What the cached answer is for. None when the program cannot be looked at.
fn key(podman: &Path) -> Option<Vec<u8>> {
    let m = std::fs::metadata(podman).ok()?;
    let mut key = podman.as_os_str().as_bytes().to_vec();
    let rest = format!("\0{} {} {}.{} {}", m.dev(), m.ino(), m.mtime(), m.mtime_nsec(), m.size());
    key.extend_from_slice(rest.as_bytes());
    Some(key)
}

fn recall(cache: &Path, key: &[u8]) -> Option<Podman> {
    let mut file = OpenOptions::new().read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK).open(cache).ok()?;
    if !ours(&file)? {
        return None;
    }
    let mut text = Vec::new();
    (&mut file).take(16 * 1024).read_to_end(&mut text).ok()?;
    let (version, of) = text.split_at_checked(text.iter().position(|b| *b == b'\n')?)?;
    (&of[1..] == key).then(|| read(std::str::from_utf8(version).ok()?)).flatten()
}

/// A plain file that the caller owns and nobody else may write.
fn ours(file: &File) -> Option<bool> {
    let m = file.metadata().ok()?;
    Some(m.is_file() && m.uid() == nix::unistd::geteuid().as_raw() && m.mode() & 0o022 == 0)
}

fn keep(cache: &Path, key: &[u8], version: Podman) -> std::io::Result<()> {
    let Some(dir) = cache.parent() else { return Ok(()) };
    match DirBuilder::new().mode(0o700).create(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
        _ => {}
    }
    let m = std::fs::symlink_metadata(dir)?;
    if !m.is_dir() || m.uid() != nix::unistd::geteuid().as_raw() || m.mode() & 0o022 != 0 {
        return Ok(());
    }
    let Podman(major, minor, patch) = version;
    let mut text = format!("{major}.{minor}.{patch}\n").into_bytes();
    text.extend_from_slice(key);
    files::replace(cache, &text, |_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_kinds_of_versions() {
        assert_eq!(read("podman version 4.3.1\n"), Some(Podman(4, 3, 1)));
        assert_eq!(read("podman version 5.6.0-dev"), Some(Podman(5, 6, 0)));
        assert_eq!(read("podman version 4.9.4-rhel"), Some(Podman(4, 9, 4)));
        assert_eq!(read("podman version 5.4.2+ds1-2+b2"), Some(Podman(5, 4, 2)));
        assert_eq!(read("podman version v6.0"), Some(Podman(6, 0, 0)));
        assert_eq!(read("Segmentation fault"), None);
    }

    #[test]
    fn a_doubtful_cache_is_not_believed() {
        let dir = std::env::temp_dir().join(format!("docker-shim-version-{}", std::process::id()));
        let (cache, key) = (dir.join("podman-version"), b"/usr/bin/podman\x001 2 3".to_vec());
        keep(&cache, &key, Podman(4, 3, 1)).unwrap();
        assert_eq!(recall(&cache, &key), Some(Podman(4, 3, 1)));
        assert_eq!(recall(&cache, b"/usr/bin/podman\x001 2 4"), None, "another program");

        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o666)).unwrap();
        assert_eq!(recall(&cache, &key), None, "others may write it");
        std::fs::rename(&cache, dir.join("elsewhere")).unwrap();
        std::fs::set_permissions(dir.join("elsewhere"), std::fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(dir.join("elsewhere"), &cache).unwrap();
        assert_eq!(recall(&cache, &key), None, "a link");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
