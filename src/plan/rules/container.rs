//! Containers: run and create, and the verbs that take several of them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{given, mounts, references};
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Ending, Plan, Refusal};

/// `docker run` and `docker create`.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let run = invocation.command.name() == "run";
    if run {
        refuse_without_terminal(context)?;
    }
    let mut draft = context.call(if run { "run" } else { "create" })?;
    draft.translate(context)?;
    if invocation.uses.switch("read-only") {
        // Podman adds writable tmpfs mounts on /run, /tmp and /var/tmp to a read-only container; Docker adds none.
        draft.switch("read-only-tmpfs", false);
    }
    let (image, rest) = invocation.args.split_first().unwrap_or_else(|| unreachable!("the grammar wants an image"));
    given::keep(image, &mut draft, context);
    let name = references::local(image, context)?;
    if references::Reference::parse(&name).is_ok_and(|r| r.is_loopback() && r.domain != "localhost") {
        draft.switch("tls-verify", false);
    }
    draft.arg(name);
    draft.args.extend(rest.iter().cloned());
    Ok(if run { draft.exec() } else { Plan::Sequence(vec![draft.run(Ending::Daemon)]) })
}

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

/// `--security-opt systempaths=unconfined`: Podman 4 takes the word and masks the paths all the same; its own word for it
/// is `unmask=ALL`.
pub fn security_opt(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let unconfined = matches!(used.value.as_bytes(), b"systempaths=unconfined" | b"systempaths:unconfined");
    draft.flag("security-opt", if unconfined { OsStr::new("unmask=ALL") } else { used.value.as_os_str() });
    Ok(())
}

/// `--cidfile`: from Podman 5 on it replaces a file that is there; Docker refuses, so that the container is not lost.
pub fn cidfile(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let path = std::path::Path::new(&used.value);
    if !used.value.is_empty() && context.host.exists(path) {
        let shown = path.display();
        return Err(context.as_docker(format!("container ID file found, make sure the other container isn't running or delete {shown}")));
    }
    draft.flag("cidfile", &used.value);
    Ok(())
}

/// `--publish`: Docker's `0:80` is a port of the engine's choice, which Podman spells with no host port at all.
pub fn publish(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let value = used.value.to_string_lossy();
    if value.contains('=') {
        return long_publish(&value, draft, context);
    }
    let mut parts: Vec<&str> = value.split(':').collect();
    let at = parts.len().saturating_sub(2);
    if parts.len() >= 2 && parts[at] == "0" {
        if parts.len() == 2 {
            parts.remove(0);
        } else {
            parts[at] = "";
        }
        draft.flag("publish", parts.join(":"));
    } else {
        draft.flag("publish", &used.value);
    }
    Ok(())
}

/// `published=8080,target=80[,protocol=udp][,mode=…]`: docker/cli's long syntax, which Podman does not have.
fn long_publish(value: &str, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in value.split(',') {
        match field.split_once('=').map(|(k, v)| (k.to_ascii_lowercase(), v)) {
            Some((key, v)) if key == "published" => published = v,
            Some((key, v)) if key == "target" => target = v,
            Some((key, v)) if key == "protocol" => protocol = v,
            Some((key, _)) if key == "mode" => {}
            _ => return Err(context.as_docker(format!("invalid field {field}"))),
        }
    }
    let published = if published == "0" { "" } else { published };
    let ports = if published.is_empty() { target.to_string() } else { format!("{published}:{target}") };
    draft.flag("publish", format!("{ports}/{protocol}"));
    Ok(())
}

/// `--isolation`: on Linux there is one, the default.
pub fn isolation(used: &FlagUse, _: &mut Draft, context: &Context) -> Result<(), Refusal> {
    match used.value.as_bytes() {
        b"" | b"default" => Ok(()),
        _ => Err(context.refuse("--isolation: Linux knows only the isolation `default`; leave it out.")),
    }
}
