//! `docker compose`, and the other CLI plugins that are installed beside Docker.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::mounts;
use crate::host::{self, Host};
use crate::plan::{Call, Context, Engine, Plan, Refusal};

/// Where docker/cli looks for plugins, after the configuration's own `cli-plugins`.
const PLUGIN_DIRS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// `docker compose …`: the compose plugin, talking to the caller's Podman socket.
pub fn delegate(context: &Context) -> Result<Plan, Refusal> {
    plugin(context.host, context.engine, "compose", &context.invocation.args).ok_or_else(|| {
        Refusal::new("docker: docker compose needs the compose plugin, which is not installed; try: apt install docker-compose", 1)
    })
}

/// Where plugins are looked for, in this order.
pub fn dirs(host: &dyn Host, engine: &Engine) -> impl Iterator<Item = PathBuf> {
    let config = engine.config_dir().or_else(|| Some(host::home(host)?.join(".docker")));
    config.map(|c| c.join("cli-plugins")).into_iter().chain(PLUGIN_DIRS.map(PathBuf::from))
}

/// The plugins that are installed: name and program, the first one of a name.
pub fn installed(host: &dyn Host, engine: &Engine) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for dir in dirs(host, engine) {
        for file in host.list(&dir) {
            let name = file.to_str().and_then(|f| f.strip_prefix("docker-")).filter(|n| is_name(n));
            if let Some(name) = name.filter(|name| !found.iter().any(|(known, _)| known == name)) {
                found.push((name.to_string(), dir.join(&file)));
            }
        }
    }
    found
}

/// docker/cli's plugin names: lower-case letters and digits.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The plan to become a plugin, `words` after its name; none when it is not installed.
pub fn plugin(host: &dyn Host, engine: &Engine, name: &str, words: &[OsString]) -> Option<Plan> {
    if !is_name(name) {
        return None;
    }
    let program = dirs(host, engine).map(|dir| dir.join(format!("docker-{name}"))).find(|p| host.exists(p))?;
    let mut args = vec![OsString::from(name)];
    args.extend(words.iter().cloned());
    let mut env: Vec<_> = engine.env().into_iter().collect();
    if let Some(address) = &engine.remote {
        env.push((OsString::from("DOCKER_HOST"), Some(address.clone())));
    } else if let Some(socket) = mounts::own_socket(host) {
        let mut address = OsString::from("unix://");
        address.push(socket);
        env.push((OsString::from("DOCKER_HOST"), Some(address)));
        // Podman's socket has no BuildKit session.
        if host.env("DOCKER_BUILDKIT").is_none() {
            env.push((OsString::from("DOCKER_BUILDKIT"), Some(OsStr::new("0").to_os_string())));
        }
    }
    Some(Plan::Delegate(Call { program, args, env, prepare: vec![] }))
}
