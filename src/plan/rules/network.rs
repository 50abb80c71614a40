//! Networks. Docker's default network is `bridge`, Podman's `podman`; Podman's `network rm --force` removes containers.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{filters, formats};
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Plan, Refusal};
use crate::render::inspect::Inspector;
use crate::render::network::{NetworkInspect, NetworkList, PODMANS_DEFAULT};
use crate::render::network_verbs::{NetworkMember, NetworkRemove, pre_defined};

pub mod create;

/// Podman's name for a network.
fn podmans(name: &OsStr) -> OsString {
    if name == "bridge" { PODMANS_DEFAULT.into() } else { name.to_os_string() }
}

/// `docker network ls`.
pub fn list(context: &Context) -> Result<Plan, Refusal> {
    let format = formats::of_list(context, "networksFormat");
    let filters = filters::of(context, &["dangling", "driver", "id", "label", "name", "scope", "type"])?;
    let values = |key: &str| filters.iter().filter(|(k, _)| k == key).map(|(_, v)| v.clone()).collect::<Vec<_>>();
    let daemon = |words: &str| Err(Refusal::new(format!("Error response from daemon: {words}"), 1));
    let mut dangling = values("dangling");
    dangling.dedup();
    match dangling.as_slice() {
        [] => {}
        [one] if ["0", "1", "false", "true"].contains(&one.as_str()) => {}
        [_] => return daemon("invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")"),
        _ => return daemon("got more than one value for filter key \"dangling\""),
    }
    if let Some(other) = values("type").iter().find(|v| !matches!(v.as_str(), "builtin" | "custom")) {
        return daemon(&format!("invalid filter: 'type'='{other}'"));
    }
    let uses = &context.invocation.uses;
    let mut draft = context.call("network ls")?;
    draft.flag("format", "json");
    Ok(draft.show(NetworkList::new(&format, uses.switch("quiet"), uses.switch("no-trunc"), filters)))
}

/// `docker network inspect`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let view = inspected(context)?;
    let names = &view.names;
    let mut draft = context.call("network inspect")?;
    draft.args = names.iter().filter(|n| !matches!(n.as_str(), "host" | "none")).map(|n| podmans(OsStr::new(n))).collect();
    if draft.args.len() < names.len() {
        // Neither is an object of Podman's; they are there as long as the default network.
        draft.arg(PODMANS_DEFAULT);
    }
    Ok(draft.show(view))
}

/// How the command's networks are shown. Errors: its `--format` is none.
pub fn inspected(context: &Context) -> Result<NetworkInspect, Refusal> {
    let inspector = Inspector::new(&context.invocation.uses.text("format").unwrap_or_default().to_string_lossy())?;
    let names: Vec<String> = context.invocation.args.iter().map(|n| n.to_string_lossy().into_owned()).collect();
    let mut running = context.call("ps")?;
    running.switch("quiet", true).switch("no-trunc", true);
    let mut containers = context.call("inspect")?;
    containers.flag("type", "container");
    Ok(NetworkInspect { inspector, names, running: running.call(), containers: containers.call() })
}

/// `docker network rm`: never by force, which would remove containers. Docker's `--force` only forgives a missing one.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let names: Vec<String> = context.invocation.args.iter().map(|n| n.to_string_lossy().into_owned()).collect();
    let removable: Vec<&String> = names.iter().filter(|n| !pre_defined(n)).collect();
    let mut draft = context.call("network rm")?;
    draft.args = removable.iter().map(OsString::from).collect();
    let mut users = context.call("ps")?;
    users.switch("all", true).flag("format", "json");
    let view = NetworkRemove { names, force: context.invocation.uses.switch("force"), users: users.call() };
    if draft.args.is_empty() {
        return Ok(Plan::Answer(view.all_predefined()));
    }
    Ok(draft.show(view))
}

/// `docker network connect NETWORK CONTAINER` and `disconnect`.
pub fn connect(context: &Context) -> Result<Plan, Refusal> {
    let [network, container] = context.invocation.args.as_slice() else { unreachable!("the grammar wants two names") };
    let mut draft = context.call(context.invocation.command.path)?;
    draft.translate(context)?;
    let network_name = network.to_string_lossy().into_owned();
    let mut inspect = context.call("inspect")?;
    inspect.flag("type", "container").arg(container.clone());
    let connects = context.invocation.command.name() == "connect";
    let settings = connects && ["ip", "ip6", "alias"].iter().any(|flag| context.invocation.uses.given(flag));
    if network_name == "bridge" && settings {
        let uses = &context.invocation.uses;
        return Err(create::on_default_network(uses.given("ip") || uses.given("ip6"), uses.given("alias")));
    }
    let container = container.to_string_lossy().into_owned();
    let view = NetworkMember { network: network_name, container, connects, inspect: inspect.call() };
    if matches!(view.network.as_str(), "host" | "none") {
        // Podman has no such networks to connect to; what Docker says depends on the container.
        return Ok(Draft::show(context_inspect(context)?, view));
    }
    draft.arg(podmans(network)).arg(context.invocation.args[1].clone());
    Ok(draft.show(view))
}

fn context_inspect(context: &Context) -> Result<Draft, Refusal> {
    let mut inspect = context.call("inspect")?;
    inspect.flag("type", "container").arg(context.invocation.args[1].clone());
    Ok(inspect)
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
