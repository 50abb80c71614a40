//! What a bake file may make builds do without being asked: nothing outside of the working directory, and none of BuildKit's
//! own entitlements (buildx `bake/entitlements.go`).

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::definition::Chosen;
use super::overrides::Overrides;
use crate::plan::rules::build::checks::is_on;
use crate::plan::rules::build::is_remote;
use crate::plan::{Context, Refusal};

/// What the caller has granted.
#[derive(Default)]
struct Grants {
    read: Vec<String>,
    write: Vec<String>,
    network: bool,
    insecure: bool,
    ssh: bool,
}

/// Errors: what the targets do and nobody has granted, as buildx tells of it where nobody can be asked.
pub fn check(context: &Context, chosen: &Chosen, overrides: &Overrides) -> Result<(), Refusal> {
    let wrong = |words: String| Refusal::new(format!("ERROR: {words}"), 1);
    let cwd = context.host.cwd().unwrap_or_default();
    let granted = grants(context, overrides, &cwd).map_err(wrong)?;
    let (mut flags, mut words) = (Vec::new(), Vec::new());
    let asks = |name: &str| chosen.targets.values().any(|target| target.entitlements.iter().flatten().any(|it| it == name));
    if asks("network.host") && !granted.network {
        words.push(" - Running build containers that can access host network".to_string());
        flags.push("network.host".to_string());
    }
    if asks("security.insecure") && !granted.insecure {
        words.push(" - Running privileged containers that can make system changes".to_string());
        flags.push("security.insecure".to_string());
    }
    let own = words.len();
    let agents = chosen.targets.values().flat_map(|target| target.ssh.iter().flatten());
    if agents.clone().any(|agent| agent.paths.is_empty()) && !granted.ssh {
        words.push(" - Forwarding default SSH agent socket".to_string());
        flags.push("ssh".to_string());
    }
    let read = missing(context, &granted.read, paths_read(chosen), &cwd);
    let written = missing(context, &granted.write, paths_written(chosen), &cwd);
    let both: Vec<&PathBuf> = read.intersection(&written).collect();
    let all = [
        ("fs", "Read and write", both),
        ("fs.read", "Read", read.difference(&written).collect()),
        ("fs.write", "Write", written.difference(&read).collect()),
    ];
    for (flag, what, paths) in all {
        for path in paths {
            let path = relative(path, &real(context, &cwd));
            words.push(format!(" - {what} access to path {path}"));
            flags.push(format!("{flag}={path}"));
        }
    }
    let files = context.host.env("BUILDX_BAKE_ENTITLEMENTS_FS").map(|value| value.to_string_lossy().into_owned());
    let checked = files.as_deref().is_none_or(is_on);
    if words.is_empty() || (own == 0 && !checked) {
        return Ok(());
    }
    let flags = flags.iter().map(|flag| format!("--allow={flag}")).collect::<Vec<_>>().join(" ");
    let mut text = format!("Your build is requesting privileges for following possibly insecure capabilities:\n\n{}\n", words.join("\n"));
    text.push_str(&format!("\nPass {flags:?} to grant requested privileges.\n"));
    text.push_str(&format!("\nYour full command with requested privileges:\n\ndocker buildx bake {flags} {}\n\n", written_words(context)));
    if files.is_none() && words.len() > own {
        text.push_str("To disable filesystem entitlements checks, you can set BUILDX_BAKE_ENTITLEMENTS_FS=0 .\n\n");
    }
    Err(Refusal::new(format!("{text}ERROR: additional privileges requested"), 1))
}

/// The command's words after its name, as they are usually written.
fn written_words(context: &Context) -> String {
    let uses = context.invocation.uses.iter().map(|used| {
        let value = used.value.to_string_lossy();
        match (used.flag.kind == crate::catalogue::Kind::Switch, used.spelled, used.flag.short) {
            (true, ..) => format!("--{}", used.flag.long),
            (false, crate::invocation::Spelling::Short, Some(short)) => format!("-{short} {value}"),
            _ => format!("--{} {value}", used.flag.long),
        }
    });
    uses.chain(context.invocation.args.iter().map(|word| word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}

fn grants(context: &Context, overrides: &Overrides, cwd: &Path) -> Result<Grants, String> {
    let here = cwd.to_string_lossy().into_owned();
    let (mut read, mut write, entitlements) = overrides.grants();
    read.push(here.clone());
    write.push(here);
    let is_set = |name: &str| entitlements.iter().any(|it| it == name);
    let (network, insecure) = (is_set("network.host"), is_set("security.insecure"));
    let mut granted = Grants { read, write, network, insecure, ssh: false };
    for value in context.invocation.uses.all("allow") {
        let value = value.to_string_lossy().into_owned();
        let (key, path) = value.split_once('=').unwrap_or((&value, ""));
        match (value.as_str(), key) {
            ("network.host", _) => granted.network = true,
            ("security.insecure", _) => granted.insecure = true,
            ("ssh", _) => granted.ssh = true,
            (_, "fs.read") => granted.read.push(path.to_string()),
            (_, "fs.write") => granted.write.push(path.to_string()),
            (_, "fs") => {
                granted.read.push(path.to_string());
                granted.write.push(path.to_string());
            }
            (_, "device" | "image.push" | "image.load" | "image") => {}
            _ => return Err(format!("unknown entitlement key {key:?}")),
        }
    }
    Ok(granted)
}

/// Where a context is on this machine.
fn local(value: &str) -> Option<String> {
    let elsewhere = is_remote(value.as_ref()) || value.starts_with("target:") || value.starts_with("docker-image:");
    (!elsewhere).then(|| value.strip_prefix("cwd://").unwrap_or(value).to_string())
}

fn paths_read(chosen: &Chosen) -> Vec<String> {
    let mut paths = Vec::new();
    for target in chosen.targets.values() {
        let context = target.context.clone().unwrap_or_default();
        let dockerfile = super::options::dockerfile(target);
        paths.extend(local(&context));
        paths.extend(local(&dockerfile));
        paths.extend(target.contexts.values().filter_map(|value| local(value)));
        let caches = target.cache_from.iter().flatten().filter(|cache| cache.field("type") == "local").map(|cache| cache.field("src"));
        let secrets = target.secret.iter().flatten().map(|secret| secret.field("src"));
        paths.extend(caches.chain(secrets).filter(|path| !path.is_empty()).map(str::to_string));
        paths.extend(target.ssh.iter().flatten().flat_map(|agent| agent.paths.iter().cloned()));
    }
    paths
}

fn paths_written(chosen: &Chosen) -> Vec<String> {
    let mut paths = Vec::new();
    for target in chosen.targets.values() {
        let caches = target.cache_to.iter().flatten().filter(|cache| cache.field("type") == "local").map(|cache| cache.field("dest"));
        let outputs = target.output.iter().flatten().map(|output| output.field("dest"));
        paths.extend(caches.chain(outputs).filter(|path| !path.is_empty() && *path != "-").map(str::to_string));
    }
    paths
}

/// Paths that are neither granted nor below one that is, without those below others.
fn missing(context: &Context, granted: &[String], paths: Vec<String>, cwd: &Path) -> BTreeSet<PathBuf> {
    if granted.iter().any(|path| path == "*") {
        return BTreeSet::new();
    }
    let granted: Vec<PathBuf> = granted.iter().map(|path| real_and_rest(context, &cwd.join(path))).collect();
    let found: BTreeSet<PathBuf> = paths.iter().map(|path| real(context, &cwd.join(path))).collect();
    let top = |path: &&PathBuf| !found.iter().any(|other| *path != other && path.starts_with(other));
    found.iter().filter(top).filter(|path| !granted.iter().any(|granted| path.starts_with(granted))).cloned().collect()
}

/// As much of a path as is there, links followed.
fn real(context: &Context, path: &Path) -> PathBuf {
    let clean = without_dots(path);
    clean.ancestors().find_map(|path| context.host.real_path(path)).unwrap_or(clean)
}

/// The same with what is not there after it.
fn real_and_rest(context: &Context, path: &Path) -> PathBuf {
    let clean = without_dots(path);
    let found = clean.ancestors().find_map(|path| Some((context.host.real_path(path)?, path)));
    found.map_or(clean.clone(), |(real, path)| real.join(clean.strip_prefix(path).unwrap_or(Path::new(""))))
}

fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            part => clean.push(part),
        }
    }
    clean
}

/// From the working directory, where that is at most one directory up.
fn relative(path: &Path, cwd: &Path) -> String {
    if let Ok(below) = path.strip_prefix(cwd) {
        return if below.as_os_str().is_empty() { ".".into() } else { below.display().to_string() };
    }
    match cwd.parent().and_then(|above| path.strip_prefix(above).ok()) {
        Some(beside) if beside.as_os_str().is_empty() => "..".into(),
        Some(beside) => format!("../{}", beside.display()),
        None => path.display().to_string(),
    }
}
