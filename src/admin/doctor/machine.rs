//! Podman itself, its store and its services.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::user::two_stores;
use super::{Finding, error, note, warning};
use crate::admin::scan::is_this_program;
use crate::catalogue::Podman;
use crate::host::{self, Host};
use crate::installer;

/// The oldest Podman that is known to do.
const OLDEST: Podman = Podman(4, 3, 0);

/// The program: whether it can be had, whose it is, and its age.
pub fn podman(host: &dyn Host) -> Vec<Finding> {
    let what = "podman";
    let path = match host.podman() {
        Ok(path) => path,
        Err(refusal) => return vec![error(what, refusal.message, "apt install podman")],
    };
    let shown = path.display();
    let mut findings = Vec::new();
    if let Ok(meta) = fs::metadata(path) {
        if meta.permissions().mode() & 0o6000 != 0 {
            findings.push(error(what, format!("{shown} runs with other rights than its caller's"), format!("chmod ug-s {shown}")));
        }
        if meta.mode() & 0o002 != 0 || ![0, host.uid()].contains(&meta.uid()) {
            let remedy = format!("chown root:root {shown}; chmod go-w {shown}");
            findings.push(error(what, format!("{shown} can be changed by others than root, and everybody's containers run by it"), remedy));
        }
    }
    match host.podman_version() {
        Ok(version) if version < OLDEST => findings.push(error(
            what,
            format!("{shown} is {}; docker-shim is made for {} and later", version.shown(), OLDEST.shown()),
            "install a newer one, of the distribution's backports or its next release",
        )),
        Ok(_) => {}
        Err(refusal) => findings.push(error(what, refusal.message, format!("run {shown} --version, which says why"))),
    }
    findings
}

/// Which docker the caller's words reach.
pub fn client() -> Option<Finding> {
    let path = std::env::var_os("PATH")?;
    let first = std::env::split_paths(&path).map(|dir| dir.join("docker")).find(|file| file.is_file())?;
    let same = |text: Vec<u8>| installer::is_stub(&text) || fs::read("/proc/self/exe").is_ok_and(|own| own == text);
    let ours = is_this_program(&first) || fs::read(&first).is_ok_and(same);
    let text = format!("{} comes first on PATH and is another program", first.display());
    (!ours).then(|| warning("docker", text, "docker-shim toolcache scan says which, docker-shim toolcache takeover replaces it"))
}

/// What Podman itself says of its store and of the machine.
pub fn info(host: &dyn Host) -> Vec<Finding> {
    let Ok(podman) = host.podman() else { return Vec::new() };
    let answer = host.consult(podman, &["info", "--format=json"].map(OsString::from), b"").unwrap_or_default();
    let Some(info) = serde_json::from_slice::<Value>(&answer.stdout).ok().filter(|_| answer.status == 0) else {
        let words = String::from_utf8_lossy(&answer.stderr);
        let words = words
            .lines()
            .rfind(|line| line.starts_with("Error: "))
            .unwrap_or("podman info fails")
            .trim_start_matches("Error: ")
            .to_string();
        return vec![error("storage", words, "no command works before podman info does")];
    };
    let mut findings = store(host, &info);
    findings.extend(two_stores(host, Path::new(info["store"]["graphRoot"].as_str().unwrap_or_default())));
    findings
}

fn store(host: &dyn Host, info: &Value) -> Vec<Finding> {
    let what = "storage";
    let of = |key: &str| info["store"][key].as_str().unwrap_or_default();
    let mut findings = Vec::new();
    if of("graphDriverName") == "vfs" {
        let text = "the driver vfs copies every layer as a whole, so builds are slow and disks fill up";
        findings.push(warning(
            what,
            text,
            "driver = \"overlay\" in storage.conf (with fuse-overlayfs on Linux before 5.13); then podman system reset, which removes all images",
        ));
    }
    if info["store"]["graphStatus"]["Native Overlay Diff"] == "false" {
        let text = "the overlay driver compares files one by one, so that builds and commits take longer";
        findings.push(note(
            what,
            text,
            "look for metacopy and redirect_dir in storage.conf and of the kernel, and for fuse-overlayfs in its place",
        ));
    }
    for (key, place) in [("runRoot", of("runRoot")), ("graphRoot", of("graphRoot"))] {
        if !place.starts_with("/tmp/") || host.uid() == 0 {
            continue;
        }
        let text = format!("{key} is {place}, as is chosen without XDG_RUNTIME_DIR, and whoever cleans up /tmp breaks it");
        findings.push(warning(
            what,
            text,
            "with XDG_RUNTIME_DIR set: podman system reset, which removes all images; or set it in storage.conf",
        ));
    }
    if info["host"]["databaseBackend"] == "boltdb" {
        let text = "containers are kept in a BoltDB, which Podman 6 does not read";
        findings.push(warning(what, text, "before the upgrade, with Podman 5.8: podman system migrate --migrate-db"));
    }
    if info["host"]["cgroupVersion"] == "v1" {
        let text = "the machine has cgroups v1, where a rootless container has no limits, and which Podman 6 does not know";
        findings.push(warning("cgroups", text, "boot Linux with systemd.unified_cgroup_hierarchy=1"));
    }
    findings
}

/// Podman's own socket, which docker-compose and other programs that speak to Docker want.
pub fn socket(host: &dyn Host) -> Vec<Finding> {
    let what = "socket";
    let socket = host::podman_socket(host);
    let user = if host.uid() == 0 { "" } else { "--user " };
    let mut findings = Vec::new();
    if let Err(why) = UnixStream::connect(&socket) {
        let text = format!("{}: {why}; docker-compose and other programs that speak to Docker by themselves find nobody", socket.display());
        findings.push(warning(what, text, format!("systemctl {user}enable --now podman.socket")));
    }
    let dir = socket.parent().unwrap_or(Path::new("/"));
    if is_open(&socket) && open_way(dir) {
        let whose = if host.uid() == 0 { "root" } else { "this user" };
        let text = format!("everybody may write to {}, and is {whose} by that", socket.display());
        findings.push(error(what, text, format!("SocketMode=0660 in podman.socket; chmod o-rw {}", socket.display())));
    }
    findings
}

fn is_open(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|m| m.mode() & 0o002 != 0)
}

/// Whether others get into a directory.
fn open_way(dir: &Path) -> bool {
    dir.ancestors().all(|dir| fs::metadata(dir).is_ok_and(|m| m.mode() & 0o001 != 0))
}

/// Docker's place for a socket, and whoever `DOCKER_HOST` names.
pub fn docker_sockets(host: &dyn Host) -> Vec<Finding> {
    let mut findings = Vec::new();
    let place = Path::new("/run/docker.sock");
    let leads = place.read_link().map(|to| format!(" (to {})", to.display())).unwrap_or_default();
    if let (true, Err(why)) = (place.symlink_metadata().is_ok(), UnixStream::connect(place)) {
        let remedy = match why.kind() {
            std::io::ErrorKind::PermissionDenied => {
                "it is another user's, and one place can only be one's: set DOCKER_HOST for programs that look there"
            }
            _ => "systemctl enable --now podman.socket for whom it leads to, or rm /run/docker.sock and its line in /etc/tmpfiles.d",
        };
        findings.push(warning("docker.sock", format!("/run/docker.sock{leads}: {why}"), remedy));
    }
    let named = host.env("DOCKER_HOST").and_then(|named| named.into_string().ok()).unwrap_or_default();
    if let Some(Err(why)) = named.strip_prefix("unix://").map(UnixStream::connect) {
        let remedy = format!("DOCKER_HOST=unix://{}", host::podman_socket(host).display());
        findings.push(warning("DOCKER_HOST", format!("{named}: {why}; docker-compose and the like go there"), remedy));
    }
    findings
}

/// A service beside its socket: systemd starts it by the socket, and it ends when nobody asks.
pub fn units(host: &dyn Host) -> Option<Finding> {
    let own = host::home(host).map(|home| home.join(".config/systemd/user"));
    let (dirs, user) = match host.uid() {
        0 => (vec![PathBuf::from("/etc/systemd/system")], ""),
        _ => (own.into_iter().chain([PathBuf::from("/etc/systemd/user")]).collect(), "--user "),
    };
    let on = |unit: &str| dirs.iter().any(|dir| enabled(host, dir, unit));
    (on("podman.socket") && on("podman.service")).then(|| {
        let text = "podman.service is enabled beside podman.socket, which starts it when it is needed";
        note("systemd", text, format!("systemctl {user}disable podman.service"))
    })
}

fn enabled(host: &dyn Host, dir: &Path, unit: &str) -> bool {
    host.list(dir)
        .iter()
        .filter(|name| name.as_encoded_bytes().ends_with(b".wants"))
        .any(|wants| host.is_entry(&dir.join(wants).join(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ThisHost;

    #[test]
    fn stores() {
        let said = |info: Value| store(&ThisHost::new(), &info).into_iter().map(|finding| finding.text).collect::<Vec<_>>();
        let fine = serde_json::json!({
            "host": { "databaseBackend": "sqlite", "cgroupVersion": "v2" },
            "store": { "graphDriverName": "overlay", "runRoot": "/run/x", "graphRoot": "/var/x", "graphStatus": { "Native Overlay Diff": "true" } },
        });
        assert_eq!(said(fine), [""; 0]);
        let bad = said(serde_json::json!({
            "host": { "databaseBackend": "boltdb", "cgroupVersion": "v1" },
            "store": { "graphDriverName": "vfs", "graphStatus": { "Native Overlay Diff": "false" } },
        }));
        for (text, word) in bad.iter().zip(["vfs", "one by one", "BoltDB", "cgroups v1"]) {
            assert!(text.contains(word), "{bad:?}");
        }
        assert_eq!(bad.len(), 4);
    }

    #[test]
    fn enabled_units() {
        let dir = std::env::temp_dir().join(format!("docker-shim-doctor-units-{}", std::process::id()));
        fs::create_dir_all(dir.join("sockets.target.wants")).unwrap();
        std::os::unix::fs::symlink("/nowhere", dir.join("sockets.target.wants/podman.socket")).unwrap();
        let host = ThisHost::new();
        assert!(enabled(&host, &dir, "podman.socket") && !enabled(&host, &dir, "podman.service"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
