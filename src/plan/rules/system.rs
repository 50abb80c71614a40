//! The engine as a whole.

use super::{filters, image_lists, volume};
use crate::plan::{Act, Context, Ending, Plan, Refusal};

/// `docker image prune`: asked for as Docker asks; the end of input is a no.
pub fn prune_images(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let all = uses.switch("all");
    let mut acts = Vec::new();
    if !uses.switch("force") {
        let what = if all { "all images without at least one container associated to them" } else { "all dangling images" };
        acts.push(Act::Confirm(format!("WARNING! This will remove {what}.\nAre you sure you want to continue? [y/N] ")));
    }
    match unused_images(context, all) {
        Ok(act) => acts.push(act),
        Err(refusal) => acts.push(Act::Complain(refusal)),
    }
    Ok(Plan::Sequence(acts))
}

fn unused_images(context: &Context, all: bool) -> Result<Act, Refusal> {
    let filters = filters::of(context, &["dangling", "label", "label!", "until"])?;
    let (dangling, others): (Vec<_>, Vec<_>) = filters.into_iter().partition(|(key, _)| key == "dangling");
    let dangling: Vec<String> = dangling.into_iter().map(|(_, value)| value).chain([(!all).to_string()]).collect();
    let all = image_lists::switch("dangling", &dangling)? == Some(false);
    let mut draft = context.call("image prune")?;
    if all {
        draft.switch("all", true);
    }
    for (i, (key, value)) in others.iter().enumerate() {
        if others[..i].iter().any(|(before, _)| before == key) {
            // Of several Docker wants all, so Podman would remove more.
            return Err(context.refuse(format_args!("--filter {key} more than once: for Podman any of them is enough; give one.")));
        }
        draft.flag("filter", format!("{key}={value}"));
    }
    draft.switch("force", true);
    if context.engine.remote.is_some() {
        return Ok(draft.run(Ending::Daemon));
    }
    Ok(Act::PruneImages { call: draft.call(), roots: image_lists::roots(context), all })
}

/// `docker network prune`: asked for as Docker asks; the end of input is a no.
pub fn prune_networks(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let what = "all custom networks not used by at least one container";
    let mut acts = Vec::new();
    if !invocation.uses.switch("force") {
        acts.push(Act::Confirm(format!("WARNING! This will remove {what}.\nAre you sure you want to continue? [y/N] ")));
    }
    let mut draft = context.call(invocation.command.path)?;
    draft.translate(context)?;
    draft.switch("force", true);
    acts.push(draft.run(Ending::Daemon));
    Ok(Plan::Sequence(acts))
}

/// `docker system prune`: with `--volumes` the anonymous ones; Podman would take the named ones too.
pub fn prune(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let filters: Vec<String> = uses.all("filter").map(|f| f.to_string_lossy().into_owned()).collect();
    let volumes = uses.switch("volumes");
    if volumes && filters.iter().any(|f| f.starts_with("until")) {
        return Err(context.as_docker("The \"until\" filter is not supported with \"--volumes\""));
    }
    let mut acts = Vec::new();
    if !uses.switch("force") {
        let mut warning =
            String::from("WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n");
        if volumes {
            warning.push_str("  - all anonymous volumes not used by at least one container\n");
        }
        warning.push_str(if uses.switch("all") {
            "  - all images without at least one container associated to them\n  - all build cache\n"
        } else {
            "  - all dangling images\n  - unused build cache\n"
        });
        if !filters.is_empty() {
            warning.push_str("\n  Items to be pruned will be filtered with:\n");
            filters.iter().for_each(|f| warning.push_str(&format!("  - {f}\n")));
        }
        warning.push_str("\nAre you sure you want to continue? [y/N] ");
        acts.push(Act::Confirm(warning));
    }
    let mut prune = context.call("system prune")?;
    prune.switch("force", true);
    if uses.switch("all") {
        prune.switch("all", true);
    }
    for filter in &filters {
        prune.flag("filter", filter);
    }
    acts.push(prune.run(Ending::Daemon));
    if volumes {
        let label = |f: &String| f.strip_prefix("label=").map(str::to_string).or_else(|| Some(format!("!{}", f.strip_prefix("label!=")?)));
        acts.push(volume::unused(context, filters.iter().filter_map(label).collect(), false)?);
    }
    Ok(Plan::Sequence(acts))
}
