//! The root's own flags, and which engine the caller means: this machine's Podman, or another one by its address.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::rules::context::store;
use super::{Refusal, config};
use crate::host::{self, Host};
use crate::invocation::Uses;

/// Podman as the caller addressed it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engine {
    /// The address of a remote Podman's socket; none for this machine's own.
    pub remote: Option<OsString>,
    /// It is to be reached by TLS.
    tls: bool,
    /// The name of the context in use; empty for the default one.
    context: OsString,
    /// Podman's log level, where the caller wants less said.
    log_level: Option<&'static str>,
    /// Docker's configuration directory, where credentials live.
    config: Option<OsString>,
    /// There is a configuration in it.
    configured: bool,
    /// What Docker warns of in it.
    pub warning: Option<String>,
}

/// docker/cli's default context.
const DEFAULT_CONTEXT: &str = "default";

impl Engine {
    /// Reads the global flags and `DOCKER_*` variables by docker/cli's precedence: `--context`, `-H`, `DOCKER_HOST`,
    /// `DOCKER_CONTEXT`, the configuration's current context. Errors: an address or context that cannot be kept; it is
    /// never silently this machine instead.
    pub fn of(globals: &Uses, host: &dyn Host) -> Result<Engine, Refusal> {
        let engine = Engine::of_plugin(globals, host)?;
        if let Some(address) = engine.remote.as_ref().filter(|_| engine.tls) {
            let shown = address.to_string_lossy();
            let message = format!(
                "docker: {shown} is to be reached by TLS, which Podman's remote client does not speak with Docker's \
                 certificates; use ssh://USER@HOST/run/podman/podman.sock."
            );
            return Err(Refusal::new(message, 1));
        }
        Ok(engine)
    }

    /// The same for a CLI plugin, which is a client of its own: it speaks TLS by itself.
    pub fn of_plugin(globals: &Uses, host: &dyn Host) -> Result<Engine, Refusal> {
        let mut engine = Engine::unresolved(globals, host);
        let set = |name: &str| host.env(name).filter(|v| !v.is_empty());
        let context = globals.text("context").filter(|c| !c.is_empty());
        let address = match (context, globals.text("host").filter(|h| !h.is_empty())) {
            // The grammar has refused both together.
            (Some(context), _) => engine.context_address(context, host)?,
            (None, Some(address)) => Some(address.to_os_string()),
            (None, None) => match (set("DOCKER_HOST"), set("DOCKER_CONTEXT")) {
                (Some(address), _) => Some(address),
                (None, Some(context)) => engine.context_address(&context, host)?,
                (None, None) => match engine.current_context(host) {
                    Some(context) => engine.context_address(&context, host)?,
                    None => None,
                },
            },
        };
        let remote = match address {
            Some(address) => remote_address(&address, host)?,
            None => None,
        };
        engine.tls = remote.as_ref().is_some_and(|address| address.as_bytes().starts_with(b"tcp://")) && tls_wanted(globals, host);
        engine.remote = remote;
        Ok(engine)
    }

    /// The name of the context in use.
    pub fn context(&self) -> String {
        if self.context.is_empty() { DEFAULT_CONTEXT.to_string() } else { self.context.to_string_lossy().into_owned() }
    }

    /// The same without a look at the address and the context.
    pub fn unresolved(globals: &Uses, host: &dyn Host) -> Engine {
        let log_level = globals.text("log-level").and_then(quieter);
        let set = |name: &str| host.env(name).filter(|v| !v.is_empty());
        let config = globals.text("config").map(OsStr::to_os_string).filter(|c| !c.is_empty());
        let config = config.or_else(|| set("DOCKER_CONFIG")).or_else(|| docker_config_of_home(host));
        let file = config.as_ref().map(|dir| PathBuf::from(dir).join("config.json"));
        let text = file.as_ref().and_then(|file| host.read(file)).unwrap_or_default();
        let warning = file.and_then(|file| config::warning(&file, &text));
        let configured = warning.is_none() && !text.trim_ascii().is_empty();
        Engine { remote: None, tls: false, context: OsString::new(), log_level, config, configured, warning }
    }

    /// Podman's own options for it.
    pub fn options(&self) -> Vec<OsString> {
        let mut options = Vec::new();
        if let Some(level) = self.log_level {
            options.push(format!("--log-level={level}").into());
        }
        if let Some(address) = &self.remote {
            let mut option = OsString::from("--url=");
            option.push(address);
            options.extend(["--remote".into(), option]);
        }
        options
    }

    /// Variables that podman reads.
    pub fn env(&self) -> Option<(OsString, Option<OsString>)> {
        self.config.as_ref().map(|dir| ("DOCKER_CONFIG".into(), Some(dir.clone())))
    }

    /// Docker's configuration directory, if one is in use.
    pub fn config_dir(&self) -> Option<PathBuf> {
        self.config.as_ref().map(PathBuf::from)
    }

    /// The file of logins for a configuration directory without any, which Docker takes as it is: Podman fails for an empty or a broken
    /// file, and 4.3 for one that is not there, whatever it is to do.
    pub fn no_logins(&self, host: &dyn Host) -> Option<(PathBuf, Vec<u8>)> {
        let named = host.env("REGISTRY_AUTH_FILE").is_some_and(|file| !file.is_empty());
        let needed = self.config.is_some() && !self.configured && !named;
        host::runtime_dir().filter(|_| needed).map(|dir| (dir.join("no-logins.json"), b"{}".to_vec()))
    }

    /// `currentContext` of config.json, where it is not the default one.
    fn current_context(&self, host: &dyn Host) -> Option<OsString> {
        let file = self.config_dir()?.join("config.json");
        let text = host.read(&file).filter(|t| host::contains(t, b"currentContext"))?;
        let config: serde_json::Value = serde_json::from_slice(&text).ok()?;
        config.get("currentContext")?.as_str().filter(|c| !c.is_empty()).map(OsString::from)
    }

    /// Uses a context: the address that Docker's store has for it; none for the default context.
    fn context_address(&mut self, context: &OsStr, host: &dyn Host) -> Result<Option<OsString>, Refusal> {
        self.context = context.to_os_string();
        if context == DEFAULT_CONTEXT {
            return Ok(None);
        }
        let name = context.to_string_lossy();
        let dir = self.config_dir().or_else(|| Some(host::home(host)?.join(".docker"))).unwrap_or_default();
        let file = store::meta_file(&dir, &name);
        let read = host.read(&file).and_then(|text| serde_json::from_slice::<serde_json::Value>(&text).ok());
        let Some(meta) = read else {
            let message = format!("Failed to initialize: unable to resolve docker endpoint: {}", store::missing(&name, &file));
            return Err(Refusal::new(message, 1));
        };
        let address = meta.pointer("/Endpoints/docker/Host").and_then(|h| h.as_str()).unwrap_or_default();
        Ok(Some(address.into()).filter(|a: &OsString| !a.is_empty()))
    }
}

/// `~/.docker`, once there is a login of Docker's in it; before that Podman's own logins hold.
fn docker_config_of_home(host: &dyn Host) -> Option<OsString> {
    let dir = host::home(host)?.join(".docker");
    host.exists(&dir.join("config.json")).then(|| dir.into_os_string())
}

/// Docker's log level is its client's; of Podman's it can only ask for less, as Docker's client says nothing on success.
fn quieter(level: &OsStr) -> Option<&'static str> {
    match level.to_string_lossy().to_lowercase().as_str() {
        "error" => Some("error"),
        "fatal" => Some("fatal"),
        "panic" => Some("panic"),
        _ => None,
    }
}

/// Whether TLS is asked for, by docker/cli's rules. The values may carry literal quotes, of which Docker takes one pair.
fn tls_wanted(globals: &Uses, host: &dyn Host) -> bool {
    let verify = host.env("DOCKER_TLS_VERIFY").is_some_and(|v| !v.is_empty());
    let tls = host.env("DOCKER_TLS").is_some_and(|v| !v.is_empty());
    globals.switch("tls") || globals.switch("tlsverify") || verify || tls
}

/// An address in Docker's forms. None is this machine's own Podman: its socket, or the place where Docker's socket would be.
fn remote_address(address: &OsStr, host: &dyn Host) -> Result<Option<OsString>, Refusal> {
    let bytes = address.as_bytes().trim_ascii();
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    if let Some(path) = bytes.strip_prefix(b"unix://") {
        let path = if path.is_empty() { b"/var/run/docker.sock".as_slice() } else { path };
        let mut url = OsString::from("unix://");
        url.push(OsStr::from_bytes(path));
        return Ok(if is_own_socket(path, host) { None } else { Some(url) });
    }
    if bytes.starts_with(b"tcp://") || bytes.starts_with(b"ssh://") {
        return Ok(Some(OsString::from_vec(bytes.to_vec())));
    }
    if bytes.starts_with(b"npipe://") || bytes.starts_with(b"fd://") || bytes.starts_with(b"http://") || bytes.starts_with(b"https://") {
        return Err(Refusal::new(format!("docker: {} is no address of a Podman; use unix://, tcp:// or ssh://.", shown()), 1));
    }
    // docker/cli's ParseHost: without a scheme it is tcp.
    let plain = !bytes.windows(3).any(|w| w == b"://") && !bytes.starts_with(b"/");
    if !plain {
        return Err(Refusal::new(format!("Failed to initialize: unable to parse docker host `{}`", shown()), 1));
    }
    let (name, port) = match bytes.iter().rposition(|b| *b == b':') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, b"2375".as_slice()),
    };
    let name = if name.is_empty() { b"localhost".as_slice() } else { name };
    let url = [b"tcp://".as_slice(), name, b":", port].concat();
    Ok(Some(OsString::from_vec(url)))
}

fn is_own_socket(path: &[u8], host: &dyn Host) -> bool {
    let path = path.strip_prefix(b"/var".as_slice()).unwrap_or(path);
    let own = host::podman_socket(host);
    // Rootless Docker's place: beside Podman's directory.
    let rootless = own.parent().and_then(|dir| dir.parent()).map(|dir| dir.join("docker.sock"));
    let is = |socket: &PathBuf| path == socket.as_os_str().as_bytes();
    path == b"/run/docker.sock" || is(&own) || rootless.as_ref().is_some_and(is)
}
