//! Networks. Docker's default network is `bridge`, Podman's `podman`; Podman's `network rm --force` removes containers.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::invocation::FlagUse;
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal};

/// Podman's name for a network.
fn podmans(name: &OsStr) -> OsString {
    if name == "bridge" { "podman".into() } else { name.to_os_string() }
}

/// `docker network rm`: never by force. Docker's `--force` only forgives a missing one.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let force = context.invocation.uses.switch("force");
    let mut acts = Vec::new();
    for name in &context.invocation.args {
        let shown = name.to_string_lossy();
        let missing = !exists(context, name);
        if matches!(&*shown, "bridge" | "host" | "none") {
            let words = format!("Error response from daemon: {shown} is a pre-defined network and cannot be removed");
            acts.push(Act::Complain(Refusal::new(words, 1)));
            continue;
        }
        if missing && !force {
            let words = format!("Error response from daemon: network {shown} not found");
            acts.push(Act::Complain(Refusal::new(words, 1)));
        }
        if missing {
            continue;
        }
        let mut draft = context.call("network rm")?;
        draft.arg(name);
        acts.push(draft.run_and_go_on());
    }
    acts.push(Act::ComplainOfFailure("exit status 1"));
    Ok(Plan::Sequence(acts))
}

fn exists(context: &Context, name: &OsStr) -> bool {
    context.ask(&[OsStr::new("network"), OsStr::new("exists"), name]).is_some()
}

/// `docker network connect NETWORK CONTAINER` and `disconnect`.
pub fn connect(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call(context.invocation.command.path)?;
    draft.translate(context)?;
    let mut args = context.invocation.args.iter();
    draft.args.extend(args.next().map(|n| podmans(n)));
    draft.args.extend(args.cloned());
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// `--opt` of `docker network create`: Podman 4 knows the bridge driver's options only by short names.
pub fn option(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    match text.strip_prefix("com.docker.network.driver.mtu=") {
        Some(mtu) => draft.flag("opt", format!("mtu={mtu}")),
        None => draft.flag("opt", &used.value),
    };
    Ok(())
}

/// `--ipv4`: Podman's networks always have it.
pub fn ipv4(used: &FlagUse, _: &mut Draft, context: &Context) -> Result<(), Refusal> {
    if used.is_on() { Ok(()) } else { Err(context.refuse("--ipv4=false: Podman always hands out IPv4 addresses.")) }
}

/// `--scope`: outside of swarm it is local.
pub fn scope(used: &FlagUse, _: &mut Draft, context: &Context) -> Result<(), Refusal> {
    match used.value.as_bytes() {
        b"" | b"local" => Ok(()),
        _ => Err(context.refuse("--scope: Podman knows the scope `local` only.")),
    }
}
