//! What a rootless Podman needs of the user that it runs as.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Group, getgroups};
use serde_json::Value;

use super::{Finding, error, note, warning};
use crate::host::{self, Host};

/// How many subordinate ids images reckon with.
const IDS: u64 = 65536;

/// Everything of these, for a user who is not root.
pub fn look(host: &dyn Host, user: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> = runtime(host, user).into_iter().collect();
    // A directory service may know of ids that are in no file.
    let names = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    let elsewhere = names.lines().filter_map(|line| line.trim().strip_prefix("subid:")).any(|places| places.trim() != "files");
    for (what, helper) in [("/etc/subuid", "newuidmap"), ("/etc/subgid", "newgidmap")] {
        if !elsewhere {
            findings.extend(subordinate(what, &fs::read_to_string(what).unwrap_or_default(), user, host.uid()));
        }
        match which::which(helper) {
            Err(_) => findings.push(error(what, format!("{helper}, which maps them, is not there"), "apt install uidmap")),
            Ok(path) if !has_rights(&path) => findings.push(error(
                what,
                format!("{} has no rights to map them, as after a copy of the file system without them", path.display()),
                "apt install --reinstall uidmap",
            )),
            Ok(_) => {}
        }
    }
    findings.extend(home(host));
    findings
}

/// A rootless Podman's place for what lives as long as the machine is up. Where the one that is named will not do, docker-shim takes the
/// usual one (`host::surroundings`), and nobody else does.
fn runtime(host: &dyn Host, user: &str) -> Option<Finding> {
    let usual = PathBuf::from(format!("/run/user/{}", host.uid()));
    let named = host.env("XDG_RUNTIME_DIR").filter(|named| !named.is_empty()).map(PathBuf::from);
    let lingers = !Path::new("/run/systemd/system").is_dir() || Path::new("/var/lib/systemd/linger").join(user).exists();
    of_runtime(host.uid(), named.as_deref(), &usual, lingers, user)
}

fn of_runtime(uid: u32, named: Option<&Path>, usual: &Path, lingers: bool, user: &str) -> Option<Finding> {
    let what = "XDG_RUNTIME_DIR";
    let linger = format!("loginctl enable-linger {user}");
    let is_own = |dir: &Path| fs::metadata(dir).is_ok_and(|m| m.is_dir() && m.uid() == uid);
    let dir = named.unwrap_or(usual);
    if dir != usual && !is_own(dir) && is_own(usual) {
        let why = if dir.exists() { "another user's" } else { "not there" };
        let text = format!("{} is {why}: docker-shim takes {}, and other programs do not", dir.display(), usual.display());
        return Some(warning(what, text, format!("export XDG_RUNTIME_DIR={}", usual.display())));
    }
    match fs::metadata(dir) {
        Err(_) => Some(error(what, format!("{} is not there, so containers end with the session", dir.display()), linger)),
        Ok(_) if !is_own(dir) => Some(error(what, format!("{} is not this user's directory", dir.display()), linger)),
        Ok(m) if m.mode() & 0o022 != 0 => {
            let text = format!("others may write in {}, where sockets and locks are", dir.display());
            Some(error(what, text, format!("chmod 0700 {}", dir.display())))
        }
        Ok(_) if !lingers => Some(warning(what, format!("{} goes, and containers end, when {user} logs out", dir.display()), linger)),
        Ok(_) => None,
    }
}

/// A user's lines of `/etc/subuid` or `/etc/subgid`.
fn subordinate(what: &'static str, text: &str, user: &str, uid: u32) -> Option<Finding> {
    let number = uid.to_string();
    let ranges = || {
        text.lines().filter_map(|line| {
            let mut fields = line.trim().split(':');
            let (name, start, count) = (fields.next()?, fields.next()?, fields.next()?);
            Some((name, start.parse::<u64>().ok()?, count.parse::<u64>().ok()?))
        })
    };
    let ours = |name: &str| name == user || name == number;
    let count: u64 = ranges().filter(|(name, ..)| ours(name)).map(|(.., count)| count).sum();
    let flags = if what == "/etc/subuid" { "--add-subuids" } else { "--add-subgids" };
    let free = ranges().map(|(_, start, count)| start + count).max().unwrap_or_default().max(100_000);
    let add = format!("usermod {flags} {free}-{} {user}; podman system migrate", free + IDS - 1);
    if count == 0 {
        return Some(error(what, format!("there are no ids for {user}, so most images cannot be unpacked"), add));
    }
    if count < IDS {
        return Some(warning(what, format!("{user} has {count} ids, and images may use {IDS}"), add));
    }
    ranges().filter(|(name, ..)| ours(name)).find_map(|(_, start, count)| {
        if (start..start + count).contains(&u64::from(uid)) {
            return Some(error(what, format!("{user}'s own id is among those of its containers"), "give it ids from 100000 on"));
        }
        let (other, ..) = ranges().find(|(name, at, n)| !ours(name) && *at < start + count && start < at + n)?;
        let text = format!("{user} and {other} have ids in common, so that containers of the one can change files of the other's");
        Some(error(what, text, "give each a range of its own; then podman system migrate"))
    })
}

/// Whether a helper is set-user-ID or has capabilities.
fn has_rights(path: &Path) -> bool {
    use std::os::unix::ffi::OsStrExt;
    let Ok(name) = std::ffi::CString::new(path.as_os_str().as_bytes()) else { return true };
    // SAFETY: both names end with NUL, and no buffer is given: only the size is asked for.
    let capabilities = unsafe { nix::libc::getxattr(name.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    capabilities > 0 || fs::metadata(path).is_ok_and(|m| m.mode() & 0o6000 != 0)
}

/// The user's home, in which the store is.
fn home(host: &dyn Host) -> Option<Finding> {
    let what = "home";
    let Some(home) = host::home(host) else {
        return Some(error(what, "HOME is not set, and Podman keeps its images there", "set HOME, in a service with User="));
    };
    match fs::metadata(&home) {
        Err(_) => Some(error(what, format!("{} is not there, and Podman keeps its images in it", home.display()), "make it, or set HOME")),
        Ok(m) if m.uid() != host.uid() => {
            let text = format!("{} is another user's, as after sudo or su without -, and Podman keeps its images in it", home.display());
            Some(error(what, text, "set HOME; with sudo: sudo -H"))
        }
        Ok(_) => None,
    }
}

/// That root's images are others, for whom it is easy to ask the one and then the other.
pub fn two_stores(host: &dyn Host, root: &Path) -> Option<Finding> {
    let may = getgroups().unwrap_or_default().into_iter().any(|id| {
        let group = Group::from_gid(id).ok().flatten();
        group.is_some_and(|group| ["sudo", "wheel", "admin"].contains(&group.name.as_str()))
    });
    let images = fs::read(root.join("overlay-images/images.json")).ok();
    let images = images.and_then(|text| serde_json::from_slice::<Value>(&text).ok()).and_then(|list| Some(list.as_array()?.len()));
    (host.uid() != 0 && may).then_some(())?;
    let count = images.filter(|count| *count > 0)?;
    let text = format!("the {count} images in {} are this user's alone: sudo docker has root's", root.display());
    Some(note("sudo", text, "leave sudo away before docker"))
}

#[cfg(test)]
mod tests {
    use super::super::Grade;
    use super::*;

    #[test]
    fn runtime_directories() {
        let base = std::env::temp_dir().join(format!("docker-shim-doctor-run-{}", std::process::id()));
        let (own, open, gone) = (base.join("own"), base.join("open"), base.join("gone"));
        for (dir, mode) in [(&own, 0o700), (&open, 0o777)] {
            fs::create_dir_all(dir).unwrap();
            fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        let me = nix::unistd::geteuid().as_raw();
        let said = |named: Option<&PathBuf>, usual: &Path, lingers: bool| {
            let finding = of_runtime(me, named.map(PathBuf::as_path), usual, lingers, "agent");
            finding.map(|finding| (finding.grade, finding.remedy))
        };
        assert_eq!(said(None, &own, true), None);
        assert_eq!(said(Some(&own), &gone, true), None);
        assert_eq!(said(None, &own, false), Some((Grade::Warning, "loginctl enable-linger agent".to_string())));
        assert_eq!(said(None, &gone, true).unwrap().0, Grade::Error);
        assert_eq!(said(Some(&gone), &own, true), Some((Grade::Warning, format!("export XDG_RUNTIME_DIR={}", own.display()))));
        assert!(said(None, &open, true).unwrap().1.starts_with("chmod 0700"));
        assert_eq!(of_runtime(me + 1, None, &own, true, "agent").unwrap().grade, Grade::Error);
        fs::remove_dir_all(&base).unwrap();
    }

    #[test]
    fn subordinate_ids() {
        let said = |text: &str| subordinate("/etc/subuid", text, "agent", 1001).map(|finding| (finding.grade, finding.remedy));
        let grade = |text: &str| said(text).map(|(grade, _)| grade);
        let (none, remedy) = said("other:100000:65536\n").unwrap();
        assert_eq!((none, remedy.as_str()), (Grade::Error, "usermod --add-subuids 165536-231071 agent; podman system migrate"));
        assert_eq!(grade("agent:100000:1000\n"), Some(Grade::Warning));
        assert_eq!(grade("agent:100000:32768\n1001:200000:32768\n"), None);
        assert_eq!(grade("agent:100000:65536\nother:165536:65536\n"), None);
        assert_eq!(grade("agent:100000:65536\nother:165535:65536\n"), Some(Grade::Error));
        assert_eq!(grade("agent:1000:65536\n"), Some(Grade::Error));
    }
}
