//! Docker's defaults inside the container, where Podman's are others (DESIGN, law 12). With `defaults = "podman"` in the
//! settings Podman's own hold: what keeps a meaning that was asked for is not among them and stays.

use std::ffi::OsStr;
use std::path::Path;

use super::environment::Variables;
use crate::catalogue::PODMAN_5_4;
use crate::invocation::Uses;
use crate::plan::rules::store::{ImageConfig, Store};
use crate::plan::{Context, Draft, Step};
use crate::render::{DOCKERENV, DOCKERENV_TARGET};
use crate::settings::Defaults;

/// The capabilities that Docker gives and Podman does not (moby `oci/caps`, containers.conf).
const CAPABILITIES: [&str; 3] = ["AUDIT_WRITE", "MKNOD", "NET_RAW"];

/// How podman makes the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// We become its `run`, and nothing may be asked on the way.
    Becomes,
    /// By `run`, as our child.
    Runs,
    /// By `create`.
    Creates,
}

/// Adds what makes the defaults Docker's. `image` is none where the image is not known here.
pub fn add(draft: &mut Draft, variables: &Variables, image: Option<&ImageConfig>, program: Program, store: &Store, context: &Context) {
    let uses = &context.invocation.uses;
    environment(draft, variables, image, uses);
    added_users(draft, program, uses);
    if context.host.settings().defaults == Defaults::Podman {
        return;
    }
    // Without root and with cgroups of the first version Podman sets no limit, and says so when asked to.
    let limits = context.host.uid() == 0 || context.host.exists(Path::new("/sys/fs/cgroup/cgroup.controllers"));
    if !uses.given("pids-limit") && limits {
        draft.flag("pids-limit", "-1");
    }
    if !uses.given("shm-size") && has_own(uses, "ipc") {
        draft.flag("shm-size", "64m");
    }
    sysctls(draft, context);
    hosts(draft, program, context);
    dockerenv(draft, store, context);
    let user = uses.text("user").map(OsStr::to_string_lossy).filter(|u| !u.is_empty());
    let user = user.or_else(|| image.map(|i| i.user.as_str().into())).unwrap_or_default();
    if is_root(&user) {
        capabilities(draft, uses);
    }
    own_group(draft, &user);
}

/// Podman sets `container` (and Podman 4 `TERM`, terminal or not), and copies the caller's proxies.
fn environment(draft: &mut Draft, variables: &Variables, image: Option<&ImageConfig>, uses: &Uses) {
    draft.switch("http-proxy", false);
    let names: &[&str] = if uses.switch("tty") { &["container"] } else { &["container", "TERM"] };
    for name in names {
        if !variables.names(name) && !image.is_some_and(|i| i.sets(name)) {
            draft.flag("unsetenv", name);
        }
    }
}

/// The empty file by which programs know that they run in a container of Docker's. It lies beside the images: a container that is started
/// again after the machine was needs it then too.
fn dockerenv(draft: &mut Draft, store: &Store, context: &Context) {
    let taken = |flag: &str| context.invocation.uses.all(flag).any(|value| value.to_string_lossy().contains("/.dockerenv"));
    if context.engine.remote.is_some() || taken("volume") || taken("mount") {
        return;
    }
    let Some(file) = store.roots().first().map(|root| root.join(DOCKERENV)) else { return };
    let mut volume = file.as_os_str().to_os_string();
    volume.push(format!(":{DOCKERENV_TARGET}:ro"));
    let plain = volume.to_str().is_some_and(|text| text.matches(':').count() == 2 && !text.contains([',', '"']));
    if plain && file.is_absolute() {
        draft.prepare(Step::MakeEmpty(file));
        draft.flag("volume", volume);
    }
}

/// Podman adds a user that is only a number to `/etc/passwd`. Its `run` can be told not to; its `create` cannot, but adds
/// what it is told to: an empty line.
fn added_users(draft: &mut Draft, program: Program, uses: &Uses) {
    if program != Program::Creates {
        draft.switch("passwd", false);
    } else if uses.given("user") {
        draft.flag("passwd-entry", "\n");
    }
}

/// Whether the container has a namespace of its own: Podman refuses what would change another's.
fn has_own(uses: &Uses, namespace: &str) -> bool {
    let word = uses.text(namespace).unwrap_or_default().to_string_lossy();
    word != "host" && word != "none" && !word.starts_with("container:")
}

/// Whether the network is the host's or another container's.
fn shares_network(uses: &Uses) -> bool {
    let shared = |name: &str| uses.all(name).any(|n| n == "host" || n.to_string_lossy().starts_with("container:"));
    shared("network") || shared("net")
}

/// Podman puts the machine's own `/etc/hosts` into the container's, where a name of the machine then leads to the container itself. Since
/// 5.4 it can be told not to.
fn hosts(draft: &mut Draft, program: Program, context: &Context) {
    if context.engine.remote.is_some() || shares_network(&context.invocation.uses) {
        return;
    }
    let podman = match program {
        Program::Becomes => context.host.known_podman_version(),
        Program::Runs | Program::Creates => context.host.podman_version().ok(),
    };
    if podman >= Some(PODMAN_5_4) {
        draft.flag("hosts-file", "none");
    }
}

/// moby `daemon/oci_linux.go`: any port may be bound and anybody may ping, where the network is the container's own.
/// The groups that may ping cannot all be named from within a user namespace.
fn sysctls(draft: &mut Draft, context: &Context) {
    let uses = &context.invocation.uses;
    if shares_network(uses) {
        return;
    }
    let given = |name: &str| uses.all("sysctl").any(|s| s.to_string_lossy().split('=').next() == Some(name));
    if !given("net.ipv4.ip_unprivileged_port_start") {
        draft.flag("sysctl", "net.ipv4.ip_unprivileged_port_start=0");
    }
    let mapped = context.host.uid() != 0 || uses.text("userns").is_some_and(|u| u != "host" && !u.is_empty());
    if !mapped && context.engine.remote.is_none() && !given("net.ipv4.ping_group_range") {
        draft.flag("sysctl", "net.ipv4.ping_group_range=0 2147483647");
    }
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("" | "0" | "root"))
}

/// Only for root: to another user Podman would give an added capability outright, where Docker only leaves it to be had.
fn capabilities(draft: &mut Draft, uses: &Uses) {
    let named = |name: &str| {
        let words = uses.all(name).map(|w| w.to_string_lossy().to_ascii_uppercase());
        words.map(|w| w.strip_prefix("CAP_").map(str::to_string).unwrap_or(w)).collect::<Vec<_>>()
    };
    let (dropped, added) = (named("cap-drop"), named("cap-add"));
    let all = |list: &[String]| list.iter().any(|name| name == "ALL");
    if uses.switch("privileged") || all(&dropped) || all(&added) {
        return;
    }
    for name in CAPABILITIES {
        if !dropped.iter().chain(&added).any(|other| other == name) {
            draft.flag("cap-add", name);
        }
    }
}

/// The user's own group is among its supplementary groups too (moby `daemon/oci_linux.go`, `getUser`).
fn own_group(draft: &mut Draft, user: &str) {
    match user.split_once(':') {
        None if is_root(user) || user.bytes().all(|b| b.is_ascii_digit()) => draft.flag("group-add", "0"),
        Some((_, group)) if !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()) => draft.flag("group-add", group),
        _ => draft,
    };
}
