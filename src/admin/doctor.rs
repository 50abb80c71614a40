//! `docker-shim doctor`: what of this machine keeps docker-shim, or programs beside it, from working for this user, and what helps.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::unistd::{Uid, User};
use serde_json::{Value, json};

use super::scan::is_this_program;
use crate::catalogue::Podman;
use crate::host::{self, Host, ThisHost};
use crate::installer;
use crate::settings::{SYSTEM_FILE, Settings};

/// The oldest Podman that is known to do.
const OLDEST: Podman = Podman(4, 3, 0);
/// How many subordinate ids images reckon with.
const IDS: u64 = 65536;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Fine,
    Warning,
    Error,
}

/// What was looked at, how it is, and what helps where it is not fine.
#[derive(Debug, PartialEq, Eq)]
pub struct Finding {
    pub grade: Grade,
    pub what: &'static str,
    pub text: String,
}

fn fine(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { grade: Grade::Fine, what, text: text.into() }
}
fn warning(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { grade: Grade::Warning, what, text: text.into() }
}
fn error(what: &'static str, text: impl Into<String>) -> Finding {
    Finding { grade: Grade::Error, what, text: text.into() }
}

/// Looks at the machine as the caller sees it. Changes nothing.
pub fn look() -> Vec<Finding> {
    let host = ThisHost::new();
    let user = User::from_uid(Uid::effective()).ok().flatten().map_or_else(|| host.uid().to_string(), |user| user.name);
    let mut findings = vec![settings(), podman(&host)];
    findings.extend(client());
    if host.uid() != 0 {
        findings.push(runtime(&host, &user));
        for (what, helper) in [("/etc/subuid", "newuidmap"), ("/etc/subgid", "newgidmap")] {
            findings.push(subordinate(what, &fs::read_to_string(what).unwrap_or_default(), &user, host.uid()));
            if which::which(helper).is_err() {
                findings.push(error(what, format!("{helper} is not there, which maps them; try: apt install uidmap")));
            }
        }
    }
    findings.push(socket(&host));
    findings.extend(docker_socket());
    findings.push(storage(&host));
    for file in [host::home(&host).map(|home| home.join(".config/containers/policy.json")), Some("/etc/containers/policy.json".into())] {
        if let Some((file, text)) = file.and_then(|file| Some((file.display().to_string(), fs::read_to_string(&file).ok()?))) {
            findings.push(policy(&file, &text));
            break;
        }
    }
    if let Ok(text) = fs::read_to_string("/etc/containers/registries.conf") {
        findings.push(registries(&text));
    }
    findings
}

fn settings() -> Finding {
    let user = host::user_settings_file();
    match Settings::load(Path::new(SYSTEM_FILE), user.as_deref()) {
        Ok(_) => fine("settings", "they can be read"),
        Err(why) => error("settings", format!("{why:#}; without it the defaults hold")),
    }
}

fn podman(host: &ThisHost) -> Finding {
    let what = "podman";
    let path = match host.podman() {
        Ok(path) => path,
        Err(refusal) => return error(what, refusal.message),
    };
    if fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o6000 != 0) {
        return error(what, format!("{0} runs with other rights than its caller's; try: chmod ug-s {0}", path.display()));
    }
    match host.podman_version() {
        Ok(version) if version < OLDEST => {
            error(what, format!("{} is {}; docker-shim is made for {} and later", path.display(), version.shown(), OLDEST.shown()))
        }
        Ok(version) => fine(what, format!("{} is {}", path.display(), version.shown())),
        Err(refusal) => error(what, refusal.message),
    }
}

/// Which docker the caller's words reach.
fn client() -> Option<Finding> {
    let path = std::env::var_os("PATH")?;
    let first = std::env::split_paths(&path).map(|dir| dir.join("docker")).find(|file| file.is_file())?;
    let ours = is_this_program(&first) || fs::read(&first).is_ok_and(|text| installer::is_stub(&text));
    Some(if ours {
        fine("docker", first.display().to_string())
    } else {
        warning("docker", format!("{} comes first on PATH and is another program; docker-shim toolcache scan says which", first.display()))
    })
}

/// A rootless Podman's place for what lives as long as the machine is up.
fn runtime(host: &ThisHost, user: &str) -> Finding {
    let what = "XDG_RUNTIME_DIR";
    let dir = host.env("XDG_RUNTIME_DIR").map_or_else(|| format!("/run/user/{}", host.uid()).into(), std::path::PathBuf::from);
    match fs::metadata(&dir) {
        Err(_) => {
            error(what, format!("{} is not there, so containers end with the session; try: loginctl enable-linger {user}", dir.display()))
        }
        Ok(m) if m.uid() != host.uid() => error(what, format!("{} is another user's; unset XDG_RUNTIME_DIR", dir.display())),
        Ok(_) if Path::new("/run/systemd/system").is_dir() && !Path::new("/var/lib/systemd/linger").join(user).exists() => {
            warning(what, format!("{} goes when {user} logs out; try: loginctl enable-linger {user}", dir.display()))
        }
        Ok(_) => fine(what, dir.display().to_string()),
    }
}

/// A user's line of `/etc/subuid` or `/etc/subgid`.
fn subordinate(what: &'static str, text: &str, user: &str, uid: u32) -> Finding {
    let uid = uid.to_string();
    let counts = text.lines().filter_map(|line| {
        let mut fields = line.trim().split(':');
        let (name, start, count) = (fields.next()?, fields.next()?, fields.next()?);
        start.parse::<u64>().ok()?;
        (name == user || name == uid).then(|| count.parse::<u64>().ok())?
    });
    match counts.sum::<u64>() {
        0 => {
            error(what, format!("there are no ids for {user}; try: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}"))
        }
        count if count < IDS => warning(what, format!("{user} has {count} ids, and images may use {IDS}")),
        count => fine(what, format!("{user} has {count} ids")),
    }
}

/// Podman's own socket, which docker-compose and other programs that speak to Docker want.
fn socket(host: &ThisHost) -> Finding {
    let socket = host::podman_socket(host);
    let user = if host.uid() == 0 { "" } else { "--user " };
    match UnixStream::connect(&socket) {
        Ok(_) => fine("socket", format!("{} answers", socket.display())),
        Err(why) => warning(
            "socket",
            format!(
                "{}: {why}; programs that speak to Docker by themselves want: systemctl {user}enable --now podman.socket",
                socket.display()
            ),
        ),
    }
}

/// Docker's place for it.
fn docker_socket() -> Option<Finding> {
    let place = Path::new("/run/docker.sock");
    let meta = place.symlink_metadata().ok()?;
    let leads = place.read_link().map(|to| format!(" (to {})", to.display())).unwrap_or_default();
    Some(match UnixStream::connect(place) {
        Ok(_) => fine("docker.sock", format!("/run/docker.sock{leads} answers")),
        Err(why) if meta.is_symlink() => {
            warning("docker.sock", format!("/run/docker.sock{leads}: {why}; set DOCKER_HOST for programs that look there"))
        }
        Err(why) => warning("docker.sock", format!("/run/docker.sock: {why}")),
    })
}

/// What Podman itself says of its store.
fn storage(host: &ThisHost) -> Finding {
    let what = "storage";
    let words = ["info", "--format=json"].map(std::ffi::OsStr::new);
    let Some(info) = host.ask(&words).and_then(|json| serde_json::from_slice::<Value>(&json).ok()) else {
        return error(what, "podman info fails; its own words say why");
    };
    let store = |key: &str| info["store"][key].as_str().unwrap_or_default().to_string();
    let (driver, run) = (store("graphDriverName"), store("runRoot"));
    if driver == "vfs" {
        return warning(
            what,
            "the driver vfs copies every layer, so builds are slow; try fuse-overlayfs, and driver = \"overlay\" in storage.conf",
        );
    }
    if run.starts_with("/tmp/") {
        return warning(what, format!("{run} was chosen without XDG_RUNTIME_DIR; try: podman system migrate, with it set"));
    }
    fine(what, format!("{driver} in {}", store("graphRoot")))
}

/// A signature policy, which decides whose images are taken.
fn policy(file: &str, text: &str) -> Finding {
    let what = "policy.json";
    let json: Value = match serde_json::from_str(text) {
        Ok(json) => json,
        Err(why) => return error(what, format!("{file} is no JSON: {why}")),
    };
    let default = &json["default"];
    if !default.is_array() {
        return error(what, format!("{file} has no \"default\""));
    }
    let rejects = |rules: &Value| rules.as_array().is_some_and(|rules| rules.iter().any(|rule| rule["type"] == "reject"));
    let local = &json["transports"]["containers-storage"];
    if rejects(default) && (local.is_null() || rejects(&local[""])) {
        return warning(
            what,
            format!(
                "{file} rejects what no transport allows, and with \"containers-storage\" not allowed images of this machine cannot be built upon"
            ),
        );
    }
    fine(what, format!("{file} can be read"))
}

/// The system's registries.
fn registries(text: &str) -> Finding {
    let what = "registries.conf";
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(why) => return error(what, format!("it is no TOML: {why}")),
    };
    if table.contains_key("registries") {
        return warning(
            what,
            "[registries.search] and the like are an old form, which newer Podmans refuse; use unqualified-search-registries",
        );
    }
    let searched = table.get("unqualified-search-registries").and_then(toml::Value::as_array).map_or(0, Vec::len);
    if searched > 1 {
        return warning(
            what,
            format!(
                "{searched} registries are searched for short names: docker-shim takes docker.io alone, podman itself asks or tries each"
            ),
        );
    }
    fine(what, "it can be read")
}

/// A line for each finding, or JSON.
pub fn report(findings: &[Finding], as_json: bool) -> String {
    let word = |grade: Grade| match grade {
        Grade::Fine => "ok",
        Grade::Warning => "warning",
        Grade::Error => "error",
    };
    if as_json {
        let list: Vec<_> = findings.iter().map(|f| json!({ "grade": word(f.grade), "what": f.what, "text": f.text })).collect();
        return format!("{}\n", json!(list));
    }
    findings.iter().fold(String::new(), |mut text, f| {
        let _ = writeln!(text, "{:<8} {}: {}", word(f.grade), f.what, f.text);
        text
    })
}

/// 1 where something is an error.
pub fn status(findings: &[Finding]) -> u8 {
    u8::from(findings.iter().any(|f| f.grade == Grade::Error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies() {
        let grade = |text: &str| policy("p", text).grade;
        assert_eq!(grade(r#"{"default": [{"type": "insecureAcceptAnything"}]}"#), Grade::Fine);
        assert_eq!(
            grade(r#"{"default": [{"type": "reject"}], "transports": {"docker": {"a.io": [{"type": "insecureAcceptAnything"}]}}}"#),
            Grade::Warning
        );
        assert_eq!(
            grade(r#"{"default": [{"type": "reject"}], "transports": {"containers-storage": {"": [{"type": "insecureAcceptAnything"}]}}}"#),
            Grade::Fine
        );
        let broken =
            policy("p", "{\"default\": [{\"type\": \"reject\"}],\n \"transports\": {\"docker\": {\"a\": [{\"type\": \"reject\"]}}}");
        assert!(broken.grade == Grade::Error && broken.text.contains("line 2"), "{broken:?}");
        assert_eq!(grade("{}"), Grade::Error);
    }

    #[test]
    fn subordinate_ids_and_registries() {
        let grade = |text: &str| subordinate("/etc/subuid", text, "agent", 1001).grade;
        assert_eq!(grade("other:100000:65536\n"), Grade::Error);
        assert_eq!(grade("agent:100000:1000\n"), Grade::Warning);
        assert_eq!(grade("agent:100000:32768\n1001:200000:32768\n"), Grade::Fine);
        let grade = |text: &str| registries(text).grade;
        assert_eq!(grade("unqualified-search-registries = [\"docker.io\"]"), Grade::Fine);
        assert_eq!(grade("unqualified-search-registries = [\"docker.io\", \"quay.io\"]"), Grade::Warning);
        assert_eq!(grade("[registries.search]\nregistries = []"), Grade::Warning);
        assert_eq!(grade("= 3"), Grade::Error);
    }
}
