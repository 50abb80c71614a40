//! `docker inspect` and `docker container inspect`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{health, image, network, references, store};
use crate::plan::{Context, Plan, Refusal};
use crate::render::image_inspect::ImageFiles;
use crate::render::inspect::Inspector;
use crate::render::objects::{Kind, Objects, Wanted};

/// The kinds that `--type` takes, in docker/cli's order.
const TYPES: [&str; 10] = ["config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"];

const NO_SWARM: &str = "Error response from daemon: This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to \
                        connect this node to swarm and try again.";

/// `docker inspect`: an object of any kind, or of the one that `--type` names.
pub fn any(context: &Context) -> Result<Plan, Refusal> {
    let Some(kind) = context.invocation.uses.text("type") else {
        return objects(context, None);
    };
    let size = context.invocation.uses.switch("size");
    let kind = kind.to_string_lossy();
    let one_of = format!("must be one of \"{}\"", TYPES.join("\", \""));
    match &*kind {
        "" => Err(Refusal::new(format!("type is empty: {one_of}"), 1)),
        "container" => objects(context, Some(Kind::Container)),
        "image" if !size => image::inspect(context),
        "network" if !size => network::inspect(context),
        "image" => objects(context, Some(Kind::Image)),
        "network" => objects(context, Some(Kind::Network)),
        "volume" => objects(context, Some(Kind::Volume)),
        "plugin" => none(context, |name| format!("Error response from daemon: plugin {name:?} not found")),
        other if TYPES.contains(&other) => none(context, |_| NO_SWARM.to_string()),
        other => Err(Refusal::new(format!("unknown type: {other:?}: {one_of}"), 1)),
    }
}

/// `docker container inspect`.
pub fn containers(context: &Context) -> Result<Plan, Refusal> {
    objects(context, Some(Kind::Container))
}

fn inspector(context: &Context) -> Result<Inspector, Refusal> {
    Inspector::new(&context.invocation.uses.text("format").unwrap_or_default().to_string_lossy())
}

/// Kinds that Podman has none of.
fn none(context: &Context, error: impl Fn(&str) -> String) -> Result<Plan, Refusal> {
    let names = context.invocation.args.iter();
    Ok(Plan::Answer(inspector(context)?.show(names.map(|name| Err(error(&name.to_string_lossy()))).collect())))
}

fn objects(context: &Context, kind: Option<Kind>) -> Result<Plan, Refusal> {
    let inspector = inspector(context)?;
    let size = context.invocation.uses.switch("size");
    let mut draft = context.call("inspect")?;
    let again = draft.clone().call();
    if let Some(kind) = kind {
        draft.flag("type", kind.name());
    }
    if size && kind.is_none_or(|kind| kind == Kind::Container) {
        draft.switch("size", true);
    }
    let call = draft.clone().call();
    let wanted: Vec<Wanted> = context.invocation.args.iter().map(|name| wanted(name, kind, context)).collect();
    draft.args.extend(wanted.iter().map(|wanted| wanted.podman.clone()));
    let files = ImageFiles::new(store::directories(context));
    let networks = network::inspected(context)?;
    let check = if kind.is_none_or(|kind| kind == Kind::Container) { health::check(context)? } else { None };
    Ok(draft.show(Objects { inspector, kind, size, wanted, call, again, files, networks, check }))
}

/// A name as typed, and as Podman knows it.
fn wanted(typed: &OsString, kind: Option<Kind>, context: &Context) -> Wanted {
    let podman = match kind {
        Some(Kind::Image) => references::local(typed, context).unwrap_or_else(|_| typed.clone()),
        Some(Kind::Network) if typed == "bridge" => "podman".into(),
        Some(Kind::Network | Kind::Volume) => typed.clone(),
        // A container's name may have a slash before it.
        _ => OsStr::from_bytes(typed.as_bytes().strip_prefix(b"/").unwrap_or(typed.as_bytes())).to_os_string(),
    };
    Wanted { typed: typed.to_string_lossy().into_owned(), podman }
}
