//! Volumes: Podman's `rm` matches the start of a name, its `rm --force` removes containers, its `prune` takes named volumes.

use std::ffi::OsStr;

use super::{filters, formats};
use crate::plan::{Act, Context, Ending, Plan, Refusal};
use crate::render::inspect::Inspector;
use crate::render::volume::{VolumeInspect, VolumeList};

/// `docker volume create [NAME]`: a volume that is there already is no error. `--name` is the older spelling.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let named = invocation.uses.text("name").filter(|n| !n.is_empty()).map(OsStr::to_os_string);
    let name = match (invocation.args.first().cloned(), named) {
        (Some(_), Some(_)) => {
            return Err(context.as_docker("conflicting options: cannot specify a volume-name through both --name and as a positional arg"));
        }
        (argument, option) => argument.or(option),
    };
    if let Some(name) = name.as_ref().filter(|name| exists(context, name)) {
        let mut line = std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str()).to_vec();
        line.push(b'\n');
        return Ok(Plan::Sequence(vec![Act::Print(line)]));
    }
    if let Some(short) = name.as_ref().filter(|name| name.len() == 1) {
        let name = short.to_string_lossy();
        let words = "volume name is too short, names should be at least two alphanumeric characters";
        return Err(context.as_docker(format!("Error response from daemon: create {name}: {words}")));
    }
    let mut draft = context.call("volume create")?;
    draft.translate(context)?;
    draft.args.extend(name);
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// `docker volume ls`.
pub fn list(context: &Context) -> Result<Plan, Refusal> {
    let format = formats::of_list(context, "volumesFormat");
    let mut filters = filters::of(context, &["dangling", "driver", "label", "name"])?;
    let mut draft = context.call("volume ls")?;
    // Only what Podman alone knows is asked of it: of several filters it takes any for enough.
    if let Some(dangling) = dangling(&filters)? {
        draft.flag("filter", format!("dangling={dangling}"));
    }
    filters.retain(|(key, _)| key != "dangling");
    draft.flag("format", "json");
    Ok(draft.show(VolumeList::new(&format, context.invocation.uses.switch("quiet"), filters)))
}

/// dockerd's `GetBoolOrDefault`.
fn dangling(filters: &[(String, String)]) -> Result<Option<bool>, Refusal> {
    let mut values: Vec<&str> = filters.iter().filter(|(key, _)| key == "dangling").map(|(_, value)| value.as_str()).collect();
    values.sort_unstable();
    values.dedup();
    let has = |words: [&str; 2]| words.iter().any(|word| values.contains(word));
    match (has(["0", "false"]), has(["1", "true"])) {
        _ if values.is_empty() => Ok(None),
        (no, yes) if no == yes => {
            Err(Refusal::new(format!("Error response from daemon: invalid filter 'dangling=[{}]'", values.join(" ")), 1))
        }
        (_, yes) => Ok(Some(yes)),
    }
}

/// `docker volume inspect`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let inspector = Inspector::new(&context.invocation.uses.text("format").unwrap_or_default().to_string_lossy())?;
    let mut draft = context.call("volume inspect")?;
    draft.args.clone_from(&context.invocation.args);
    let names = context.invocation.args.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    Ok(draft.show(VolumeInspect { inspector, names }))
}

/// Whether a volume has exactly this name. (`podman volume inspect` does not match prefixes.)
fn exists(context: &Context, name: &OsStr) -> bool {
    let words = ["volume", "inspect", "--format={{.Name}}"].map(OsStr::new);
    let answer = context.ask(&[words.as_slice(), &[name]].concat());
    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(name);
    answer.is_some_and(|a| a.trim_ascii() == bytes)
}

/// `docker volume rm`: exactly the named volumes, never by force. Docker's `--force` only forgives a missing one.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let force = context.invocation.uses.switch("force");
    let mut acts = Vec::new();
    for name in &context.invocation.args {
        if exists(context, name) {
            let mut draft = context.call("volume rm")?;
            draft.arg(name);
            acts.push(draft.run_and_go_on());
        } else if force {
            let mut line = std::os::unix::ffi::OsStrExt::as_bytes(name.as_os_str()).to_vec();
            line.push(b'\n');
            acts.push(Act::Print(line));
        } else {
            let shown = name.to_string_lossy();
            acts.push(Act::Complain(Refusal::new(format!("Error response from daemon: get {shown}: no such volume"), 1)));
        }
    }
    Ok(Plan::Sequence(acts))
}
