//! Lists about images: `docker images`, `docker history` and `docker system df`.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::references::{self, Reference};
use super::store::Store;
use super::{filters, formats, ps};
use crate::plan::{Context, Plan, Refusal};
use crate::render::disk_usage::DiskUsage;
use crate::render::formatter;
use crate::render::history::History;
use crate::render::image::tree::ImageTree;
use crate::render::image::{Filters, ImageList};
use crate::render::ps::ContainerList;

/// `docker images [REPOSITORY[:TAG]]`.
pub fn list(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let name = context.invocation.args.first().map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.is_empty());
    let tree = uses.switch("tree");
    let unfit = [("quiet", "quiet"), ("no-trunc", "no-trunc"), ("digests", "show-digest"), ("format", "format")];
    if let Some((_, shown)) =
        unfit.iter().find(|(flag, _)| tree && (uses.switch(flag) || *flag == "format" && uses.text(flag).is_some_and(|f| !f.is_empty())))
    {
        return Err(Refusal::new(format!("--{shown} is not yet supported with --tree"), 1));
    }
    let given = filters::of(context, &["before", "dangling", "label", "reference", "since", "until"])?;
    let values = |key: &str| given.iter().filter(|(k, _)| k == key).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let mut draft = context.call("images")?;
    for key in ["before", "since", "until"] {
        let mut values = values(key);
        values.dedup();
        match values.as_slice() {
            [] => {}
            [value] if key == "until" => drop(draft.flag("filter", format!("until={value}"))),
            [value] => {
                let mut filter = std::ffi::OsString::from(format!("{key}="));
                filter.push(daemon_name(value.as_ref(), context)?);
                draft.flag("filter", filter);
            }
            _ => return Err(context.refuse(format_args!("--filter {key} more than once: for Podman any of them is enough; give one."))),
        }
    }
    draft.flag("format", "json");
    let mut references = values("reference");
    references.extend(name.clone());
    let filters = Filters { references, labels: values("label"), dangling: switch("dangling", &values("dangling"))? };
    if tree {
        return Ok(draft.show(ImageTree { all: uses.switch("all"), filters, roots: roots(context) }));
    }
    let digests = uses.switch("digests");
    let format = ImageList::format(&formats::of_list(context, "imagesFormat"), uses.switch("quiet"), digests);
    let hint = name.filter(|name| context.invocation.command.path == "images" && COMMANDS.contains(&name.as_str()));
    Ok(draft.show(ImageList { format, no_trunc: uses.switch("no-trunc"), digests, filters, roots: roots(context), hint }))
}

/// What `docker images NAME` may have been meant for: the commands of `docker image`.
const COMMANDS: [&str; 13] = ["build", "history", "import", "inspect", "list", "load", "ls", "prune", "pull", "push", "rm", "save", "tag"];

/// `GetBoolOrDefault` of a filter's values.
pub fn switch(key: &str, values: &[String]) -> Result<Option<bool>, Refusal> {
    let any = |wanted: [&str; 2]| values.iter().any(|value| wanted.contains(&value.as_str()));
    match (any(["1", "true"]), any(["0", "false"])) {
        _ if values.is_empty() => Ok(None),
        (on, off) if on != off => Ok(Some(on)),
        _ => Err(Refusal::new(format!("Error response from daemon: invalid filter '{key}=[{}]'", values.join(" ")), 1)),
    }
}

/// Where the store lies, if it is on this machine.
pub fn roots(context: &Context) -> Vec<PathBuf> {
    if context.engine.remote.is_some() { vec![] } else { Store::of(context.host).roots().to_vec() }
}

/// The name by which Podman finds an image that the daemon would look for. Errors: the daemon's words.
fn daemon_name(typed: &OsStr, context: &Context) -> Result<std::ffi::OsString, Refusal> {
    references::local(typed, context).map_err(|refusal| Refusal::new(format!("Error response from daemon: {}", refusal.message), 1))
}

/// `docker history IMAGE`.
pub fn history(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let typed = &context.invocation.args[0];
    let name = daemon_name(typed, context)?;
    let human = uses.last("human").is_none_or(|used| used.is_on());
    let given = uses.text("format").filter(|format| !format.is_empty()).map(|format| format.to_string_lossy().into_owned());
    let format = History::format(given.as_deref().unwrap_or("table"), uses.switch("quiet"), human);
    let inspect = context.call("image inspect")?;
    let mut history = context.call("history")?;
    history.flag("format", "json").arg(&name);
    let mut draft = inspect.clone();
    draft.translate(context)?;
    draft.arg(&name);
    let view = History {
        format,
        human,
        no_trunc: uses.switch("no-trunc"),
        name: Reference::parse(typed).map_or_else(|_| typed.to_string_lossy().into_owned(), |name| name.familiar()),
        inspect: inspect.call(),
        history: history.call(),
        roots: roots(context),
    };
    Ok(draft.show(view))
}

/// `docker system df`.
pub fn disk_usage(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let call = |path: &str, flags: &[(&str, &str)]| {
        let mut draft = context.call(path)?;
        for (name, value) in flags {
            draft.flag(name, value);
        }
        Ok::<_, Refusal>(draft)
    };
    let given = uses.text("format").filter(|format| !format.is_empty());
    let format = given.map_or_else(|| formatter::TABLE.into(), |format| format.to_string_lossy().into_owned());
    // Whatever a container's row has may be shown.
    let list = ContainerList { trunc: format.starts_with(formatter::TABLE), size: true, ..ps::all(formatter::JSON, context)? };
    let view = DiskUsage {
        format,
        verbose: uses.switch("verbose"),
        containers: call("ps", &[("all", "true"), ("format", "json")])?.call(),
        list,
        volumes: call("volume ls", &[("format", "json")])?.call(),
    };
    Ok(call("images", &[("all", "true"), ("format", "json")])?.show(view))
}
