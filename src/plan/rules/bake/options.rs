//! A target as the flags of a build (buildx `bake/bake.go`: `toBuildOpt`).

use std::ffi::OsString;

use super::definition::Target;
use super::entry::Kind;
use crate::catalogue;
use crate::invocation::{FlagUse, Invocation, Spelling, Uses};
use crate::plan::rules::build::checks::{self, Secret};
use crate::plan::rules::build::is_remote;
use crate::plan::rules::platforms::Platform;
use crate::plan::{Context, Refusal};

/// Go's `path.Clean`.
pub fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match (part, parts.last()) {
            ("..", None) if path.starts_with('/') => {}
            ("..", Some(last)) if *last != ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    match (path.starts_with('/'), parts.join("/")) {
        (true, below) => format!("/{below}"),
        (false, below) if below.is_empty() => ".".into(),
        (false, below) => below,
    }
}

/// A target's context, without the words that a file may put before it.
pub fn context(target: &Target) -> String {
    let path = target.context.as_deref().unwrap_or(".");
    match path.strip_prefix("cwd://") {
        Some(path) => clean(path),
        None if is_remote(path.as_ref()) => path.to_string(),
        None => clean(path),
    }
}

/// A target's Dockerfile: within a context that is fetched, else from the working directory on.
pub fn dockerfile(target: &Target) -> String {
    let context = context(target);
    let path = target.dockerfile.as_deref().unwrap_or("Dockerfile");
    match path.strip_prefix("cwd://") {
        Some(path) => format!("cwd://{}", clean(path)),
        None if is_remote(context.as_ref()) || path.starts_with('/') => clean(path),
        None => clean(&format!("{context}/{path}")),
    }
}

/// What buildx refuses of a target before it prints or builds. Errors: its words.
pub fn check(target: &Target, context: &Context) -> Result<(), String> {
    if target.context.as_deref() == Some("-") {
        return Err("context from stdin not allowed in bake".into());
    }
    if target.dockerfile.as_deref() == Some("-") {
        return Err("dockerfile from stdin not allowed in bake".into());
    }
    for platform in target.platforms.iter().flatten().filter(|platform| *platform != "local") {
        Platform::parse(platform)?;
    }
    let plain = |refusal: Refusal| refusal.message.replace("ERROR: ", "").replace("failed to build: ", "");
    for secret in target.secret.iter().flatten() {
        Secret::parse(secret.flag(Kind::Secret).as_ref()).and_then(|secret| secret.check(context)).map_err(plain)?;
    }
    for agent in target.ssh.iter().flatten() {
        checks::agent(agent.flag(Kind::Ssh).as_ref(), context).map_err(plain)?;
    }
    Ok(())
}

/// `buildx build` with a target's own flags. Errors: what a build cannot do.
pub fn invocation(outer: &Context, target: &Target, linked: &dyn Fn(&str) -> Option<String>) -> Result<Invocation, Refusal> {
    let command = catalogue::find("buildx build").ok_or_else(|| outer.refuse("buildx build is not known."))?;
    let mut uses = Uses::default();
    let mut give = |long: &str, value: OsString| {
        let flag = command.flags.iter().flat_map(|flags| flags.iter()).find(|flag| flag.long == long);
        uses.0.extend(flag.map(|flag| FlagUse { flag, value, spelled: Spelling::Long }));
    };
    for outer in outer.invocation.uses.iter().filter(|used| matches!(used.flag.long, "builder" | "debug")) {
        give(outer.flag.long, outer.value.clone());
    }
    // What a build prints on stdout otherwise, bake does not.
    let progress = outer.invocation.uses.text("progress").unwrap_or_default();
    give("progress", if progress == "quiet" { "none".into() } else { progress.to_os_string() });
    let path = dockerfile(target);
    if target.dockerfile_inline.is_none() {
        give("file", path.strip_prefix("cwd://").unwrap_or(&path).into());
    }
    for (long, value) in [("target", &target.target), ("network", &target.network), ("shm-size", &target.shm_size)] {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            give(long, value.into());
        }
    }
    for (long, value) in [("pull", target.pull), ("no-cache", target.no_cache)] {
        if value == Some(true) {
            give(long, "true".into());
        }
    }
    let lists = [
        ("annotation", &target.annotations),
        ("tag", &target.tags),
        ("platform", &target.platforms),
        ("no-cache-filter", &target.no_cache_filter),
        ("ulimit", &target.ulimits),
        ("allow", &target.entitlements),
    ];
    for (long, values) in lists {
        values.iter().flatten().for_each(|value| give(long, value.into()));
    }
    for (long, map) in [("build-arg", &target.args), ("label", &target.labels), ("add-host", &target.extra_hosts)] {
        map.iter().for_each(|(key, value)| give(long, format!("{key}={value}").into()));
    }
    for (name, value) in &target.contexts {
        let path = match value.strip_prefix("target:") {
            Some(target) => linked(target).map_or_else(|| value.clone(), |image| format!("docker-image://{image}")),
            None => value.strip_prefix("cwd://").map_or_else(|| value.clone(), clean),
        };
        give("build-context", format!("{name}={path}").into());
    }
    let entries = [
        ("attest", Kind::Attest, &target.attest),
        ("cache-from", Kind::Cache, &target.cache_from),
        ("cache-to", Kind::Cache, &target.cache_to),
        ("secret", Kind::Secret, &target.secret),
        ("ssh", Kind::Ssh, &target.ssh),
        ("output", Kind::Output, &target.output),
    ];
    for (long, kind, entries) in entries {
        entries.iter().flatten().for_each(|entry| give(long, entry.flag(kind).into()));
    }
    let (globals, args) = (outer.invocation.globals.clone(), vec![context(target).into()]);
    Ok(Invocation { globals, command, uses, args, extras: vec![], notes: Default::default() })
}
