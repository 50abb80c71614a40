//! Lists of containers and their ports. Podman lists everything, oldest first; what of it Docker would
//! show is decided when the list is there.

use super::{filters, formats, health, store};
use crate::plan::{Context, Plan, Refusal};
use crate::render::formatter;
use crate::render::ports::PublishedPorts;
use crate::render::ps::filter::{Filters, KNOWN};
use crate::render::ps::{ContainerList, container_format, empty_row};
use crate::render::store::Roots;
use crate::render::template::{MissingKey, Template};

/// `docker ps` and `docker container ls`.
pub fn list(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let quiet = uses.switch("quiet");
    let given = uses.text("format").filter(|f| !f.is_empty()).map(|f| f.to_string_lossy().into_owned());
    let note = if quiet && given.is_some() { "WARNING: Ignoring custom format, because both --format and --quiet are set.\n" } else { "" };
    let refuse = |words: String| Refusal::new(format!("{note}{words}"), 1);
    let format = given.or_else(|| formats::configured(context, "psFormat"));
    let mut size = uses.switch("size");
    if let Some(format) = &format {
        let asks = asks_for_size(format).map_err(refuse)?;
        size |= asks && !quiet && !uses.given("size");
    }
    let filters = filters::of(context, KNOWN).map_err(|refusal| refuse(refusal.message))?;
    let filters = Filters::parse(filters).map_err(|words| refuse(format!("Error response from daemon: {words}")))?;
    let last = uses.text("last").and_then(|n| n.to_str()?.parse::<i64>().ok()).unwrap_or(-1);
    let limit = if last == -1 && uses.switch("latest") { 1 } else { last };
    let mut draft = context.call("ps")?;
    // Podman's list without --all leaves out what is paused or about to stop.
    draft.switch("all", true).flag("format", "json");
    if size {
        draft.switch("size", true);
    }
    if context.engine.remote.is_some() {
        // Which images there are cannot be read from here.
        filters.all("ancestor").for_each(|image| {
            draft.flag("filter", format!("ancestor={image}"));
        });
    }
    Ok(draft.show(ContainerList {
        trunc: !uses.switch("no-trunc"),
        size,
        all: uses.switch("all"),
        limit: usize::try_from(limit).unwrap_or(0),
        filters,
        note,
        ..all(&container_format(format.as_deref().unwrap_or(formatter::TABLE), quiet, size), context)?
    }))
}

/// The list of all containers in a format.
pub fn all(format: &str, context: &Context) -> Result<ContainerList, Refusal> {
    let mut networks = context.call("network ls")?;
    networks.flag("format", "json");
    let remote = context.engine.remote.is_some();
    Ok(ContainerList {
        format: format.to_string(),
        trunc: true,
        size: false,
        all: true,
        limit: 0,
        filters: Filters::default(),
        inspect: context.call("container inspect")?.call(),
        networks: networks.call(),
        check: health::check(context)?,
        store: Roots(if remote { vec![] } else { store::roots(context.host) }),
        rootless: context.host.uid() != 0 || remote,
        note: "",
    })
}

/// Tries a format out on no container, and says whether it shows sizes (docker/cli's `buildContainerListOptions`). Errors: what is wrong with it.
fn asks_for_size(format: &str) -> Result<bool, String> {
    let template = Template::parse(format).map_err(|e| format!("failed to parse template: {e}"))?;
    let nothing = empty_row();
    template.execute(&nothing, MissingKey::Default, &mut Vec::new()).map_err(|e| format!("failed to execute template: {e}"))?;
    Ok(template.asks_for(&nothing, "Size"))
}

/// `docker port`.
pub fn port(context: &Context) -> Result<Plan, Refusal> {
    let args = &context.invocation.args;
    let shown = |i: usize| args.get(i).map(|arg| arg.to_string_lossy().into_owned());
    let mut draft = context.call("container inspect")?;
    draft.args.extend(args.first().cloned());
    Ok(draft.show(PublishedPorts { container: shown(0).unwrap_or_default(), port: shown(1) }))
}
