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

/// The plan to become a plugin, `words` after its name; none when it is not installed.
pub fn plugin(host: &dyn Host, engine: &Engine, name: &str, words: &[OsString]) -> Option<Plan> {
    // docker/cli's plugin names: lower-case letters and digits.
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) {
        return None;
    }
    let config = engine.config_dir().or_else(|| Some(host::home(host)?.join(".docker")));
    let dirs = config.map(|c| c.join("cli-plugins")).into_iter().chain(PLUGIN_DIRS.map(PathBuf::from));
    let program = dirs.map(|dir| dir.join(format!("docker-{name}"))).find(|p| host.exists(p))?;
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
