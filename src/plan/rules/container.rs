//! Containers: run and create, and the verbs that take several of them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::mounts;
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Refusal};

mod checks;
mod create;
mod defaults;
pub mod environment;
mod health;
mod logs;
mod mapping;
mod networks;
mod ports;
mod workdir;

pub use create::{api_socket, create, pull};
pub use logs::{driver, option};
pub use ports::publish;

/// docker/cli's `CheckTty`: `-i -t` with a stdin that is no terminal. Podman would run it, and a pipe on stdin would never end.
pub fn refuse_without_terminal(context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    let attached = !uses.switch("detach") && uses.switch("interactive");
    if attached && uses.switch("tty") && !context.host.is_terminal(0) {
        return Err(Refusal::new("the input device is not a TTY", 1));
    }
    Ok(())
}

/// `--gpus`: Podman's way is CDI. Podman 4 would run without the GPUs and say nothing; 5 makes a wrong device name of
/// `device=0`.
pub fn gpus(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let value = used.value.to_string_lossy();
    let mut devices = Vec::new();
    for field in mounts::fields(&value) {
        match field.split_once('=') {
            None if field == "all" => devices.push("all".to_string()),
            None if field.parse::<u32>().is_ok() => devices.extend((0..field.parse().unwrap_or(0)).map(|n: u32| n.to_string())),
            None if !devices.is_empty() => devices.push(field),
            Some(("count", "all" | "-1")) => devices.push("all".to_string()),
            Some(("count", count)) if count.parse::<u32>().is_ok() => {
                devices.extend((0..count.parse().unwrap_or(0)).map(|n: u32| n.to_string()));
            }
            Some(("device", ids)) => devices.extend(ids.split(',').map(str::to_string)),
            Some(("driver", "nvidia" | "cdi")) | Some(("capabilities", _)) => {}
            _ => {
                return Err(
                    context.refuse(format!("--gpus {value}: Podman can only hand out NVIDIA GPUs by CDI, as all, a count or device=ID."))
                );
            }
        }
    }
    if devices.is_empty() {
        devices.push("all".to_string());
    }
    let known = ["/etc/cdi", "/run/cdi", "/var/run/cdi"].iter().any(|dir| context.host.is_dir(std::path::Path::new(dir)));
    if !known && context.engine.remote.is_none() && context.invocation.command.name() == "run" {
        let words = "Error response from daemon: could not select device driver \"\" with capabilities: [[gpu]]";
        return Err(context.as_docker(words));
    }
    for device in devices {
        let device = if device.contains('/') { device } else { format!("nvidia.com/gpu={device}") };
        draft.flag("device", device);
    }
    Ok(())
}

/// `--name`: Docker takes a leading slash, which Podman before 5 does not, and no name of one letter (moby
/// `daemon/names`).
pub fn name(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let bytes = used.value.as_bytes();
    let name = bytes.strip_prefix(b"/").unwrap_or(bytes);
    let fits = name.len() > 1 && name[0].is_ascii_alphanumeric() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b));
    if !fits && !bytes.is_empty() {
        let shown = used.value.to_string_lossy();
        let words = format!("Error response from daemon: Invalid container name ({shown}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed");
        return Err(context.as_docker(words));
    }
    draft.flag("name", OsStr::from_bytes(name));
    Ok(())
}

/// What the daemon refuses of limits, in new containers and in old ones.
pub fn wrong_limits(context: &Context) -> Option<String> {
    checks::limits(&context.invocation.uses, context).err()
}

/// `--security-opt`: Podman 4 takes `systempaths=unconfined` and masks the paths all the same; its own word for it is
/// `unmask=ALL`, which with others of its own is none of Docker's (moby `daemon/daemon_unix.go`, `parseSecurityOpt`).
pub fn security_opt(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    let key = text.split(['=', ':']).next().unwrap_or(&text);
    match &*text {
        "systempaths=unconfined" => _ = draft.flag("security-opt", "unmask=ALL"),
        "seccomp=builtin" | "seccomp:builtin" => {}
        _ if matches!(key, "label" | "apparmor" | "seccomp" | "no-new-privileges") => _ = draft.flag("security-opt", &used.value),
        other => return Err(context.as_docker(format!("Error response from daemon: invalid --security-opt 2: {other:?}"))),
    }
    Ok(())
}

/// `--init`: where processes of others are seen Docker starts no init (moby `daemon/oci_linux.go`), and Podman refuses one.
pub fn init(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let pid = context.invocation.uses.text("pid").map(OsStr::to_string_lossy).unwrap_or_default();
    if pid != "host" && !pid.starts_with("container:") {
        draft.switch("init", used.is_on());
    }
    Ok(())
}

/// `--entrypoint`: one word to Docker; Podman reads a JSON array as several.
pub fn entrypoint(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    match used.value.to_str().filter(|v| v.starts_with('[')) {
        Some(text) => draft.flag("entrypoint", serde_json::Value::from([text].as_slice()).to_string()),
        None => draft.flag("entrypoint", &used.value),
    };
    Ok(())
}

/// What only Docker's daemon for Windows has; docker/cli refuses it.
pub fn windows(used: &FlagUse, _: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let flag = used.flag.long;
    Err(Refusal::new(
        format!("\"--{flag}\" is only supported on a Docker daemon running on windows, but the Docker daemon is running on linux"),
        1,
    ))
}

/// `--cidfile`: from Podman 5 on it replaces a file that is there; Docker refuses, so that the container is not lost.
fn check_cidfile(context: &Context) -> Result<(), Refusal> {
    let Some(file) = context.invocation.uses.text("cidfile").filter(|f| !f.is_empty()) else { return Ok(()) };
    let path = std::path::Path::new(file);
    if context.host.exists(path) {
        let shown = path.display();
        return Err(context.as_docker(format!("container ID file found, make sure the other container isn't running or delete {shown}")));
    }
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    if dir.is_some_and(|dir| !context.host.is_dir(dir)) {
        let words = format!("failed to create the container ID file: open {}: no such file or directory", path.display());
        let refusal = context.as_docker(words);
        return Err(Refusal { status: if refusal.status == 125 { 127 } else { refusal.status }, ..refusal });
    }
    Ok(())
}

/// `--isolation`: on Linux there is one, the default.
pub fn isolation(used: &FlagUse, _: &mut Draft, context: &Context) -> Result<(), Refusal> {
    match used.value.as_bytes() {
        b"" | b"default" => Ok(()),
        other => {
            let words = format!(
                "Error response from daemon: invalid isolation ({}): linux only supports 'default'",
                String::from_utf8_lossy(other)
            );
            Err(context.as_docker(words))
        }
    }
}
