//! The prunes: asked for as Docker asks (the end of input is a no), with the filters of config.json (docker/cli's `PruneFilters`).

use super::build::left;
use super::{filters, formats, image_lists};
use crate::plan::prune::{Kind, Prune};
use crate::plan::{Act, Context, Plan, Refusal};
use crate::render::natural;

type Filters = Vec<(String, String)>;

const LABELS_AND_TIME: &[&str] = &["label", "label!", "until"];

/// `docker container prune`.
pub fn containers(context: &Context) -> Result<Plan, Refusal> {
    let kinds = filters_of(context, LABELS_AND_TIME).and_then(|filters| Ok(vec![stopped(context, &filters)?]));
    asked(context, removes("all stopped containers"), kinds, true)
}

/// `docker image prune`.
pub fn images(context: &Context) -> Result<Plan, Refusal> {
    let which = if context.invocation.uses.switch("all") {
        "all images without at least one container associated to them"
    } else {
        "all dangling images"
    };
    let known = &["dangling", "label", "label!", "until"];
    let kinds = filters_of(context, known).and_then(|filters| Ok(vec![unused_images(context, &filters)?]));
    asked(context, removes(which), kinds, true)
}

/// `docker network prune`.
pub fn networks(context: &Context) -> Result<Plan, Refusal> {
    let kinds = filters_of(context, LABELS_AND_TIME).and_then(|filters| Ok(vec![unused_networks(context, &filters)?]));
    asked(context, removes("all custom networks not used by at least one container"), kinds, false)
}

/// `docker volume prune`: anonymous volumes; with `--all` the named ones too.
pub fn volumes(context: &Context) -> Result<Plan, Refusal> {
    let filters = filters_of(context, &["all", "label", "label!"]);
    let asks_for_all = |filters: &Filters| filters.iter().any(|(key, value)| key == "all" && matches!(value.as_str(), "1" | "true"));
    let all = context.invocation.uses.switch("all") || filters.as_ref().is_ok_and(asks_for_all);
    if context.invocation.uses.switch("all") && filters.as_ref().is_ok_and(|filters| filters.iter().any(|(key, _)| key == "all")) {
        return Err(context.as_docker("conflicting options: cannot specify both --all and --filter all=1"));
    }
    let which = if all { "all local volumes" } else { "anonymous local volumes" };
    let kinds = filters.and_then(|filters| Ok(vec![unused_volumes(context, &filters, all)?]));
    asked(context, removes(&format!("{which} not used by at least one container")), kinds, true)
}

/// `docker system prune`: with `--volumes` the anonymous ones. Podman keeps no build cache apart from its images.
pub fn system(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let volumes = uses.switch("volumes");
    if volumes && uses.all("filter").any(|filter| filter.to_string_lossy().starts_with("until")) {
        return Err(context.as_docker("ERROR: The \"until\" filter is not supported with \"--volumes\""));
    }
    let filters = filters_of(context, LABELS_AND_TIME);
    let mut question =
        String::from("WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n");
    if volumes {
        question += "  - all anonymous volumes not used by at least one container\n";
    }
    question += if uses.switch("all") {
        "  - all images without at least one container associated to them\n  - all build cache\n"
    } else {
        "  - all dangling images\n  - unused build cache\n"
    };
    if let Some(filters) = filters.as_ref().ok().filter(|filters| !filters.is_empty()) {
        let mut shown: Vec<String> = filters.iter().map(|(key, value)| format!("{key}={value}")).collect();
        shown.sort_by(|a, b| natural(a, b));
        question += "\n  Items to be pruned will be filtered with:\n";
        shown.iter().for_each(|filter| question += &format!("  - {filter}\n"));
    }
    let kinds = filters.and_then(|filters| {
        let mut kinds = vec![stopped(context, &filters)?, unused_networks(context, &filters)?];
        if volumes {
            kinds.push(unused_volumes(context, &filters, false)?);
        }
        kinds.push(unused_images(context, &filters)?);
        Ok(kinds)
    });
    asked(context, question + "\n", kinds, true)
}

fn removes(what: &str) -> String {
    format!("WARNING! This will remove {what}.\n")
}

/// Filters that the daemon does not know are found out after the question.
fn asked(context: &Context, warning: String, kinds: Result<Vec<Kind>, Refusal>, tells_space: bool) -> Result<Plan, Refusal> {
    let mut acts = Vec::new();
    if !context.invocation.uses.switch("force") {
        acts.push(Act::Confirm(warning + "Are you sure you want to continue? [y/N] "));
    }
    match kinds {
        Ok(kinds) => {
            if kinds.iter().any(|kind| matches!(kind, Kind::Images { .. })) {
                acts.extend(left::remove(context)?);
            }
            acts.push(Act::Prune(Prune { kinds, tells_space }));
        }
        Err(refusal) => acts.push(Act::Complain(refusal)),
    }
    Ok(Plan::Sequence(acts))
}

/// What was given, and of config.json's `pruneFilters` what does not contradict it, as Docker documents it. (Docker's client of 28 forgets
/// filters by label there where no such filter is given, and removes what they were to keep.)
fn filters_of(context: &Context, known: &[&str]) -> Result<Filters, Refusal> {
    let mut filters = filters::of(context, known)?;
    let has = |filters: &Filters, key: &str, value: &str| filters.iter().any(|(k, v)| k == key && v == value);
    for filter in formats::configured_list(context, "pruneFilters") {
        let Some((key, value)) = filter.split_once('=').filter(|(_, value)| !value.is_empty()) else { continue };
        let contrary = match key {
            "label" => "label!",
            "label!" => "label",
            _ => "",
        };
        if !known.contains(&key) {
            return Err(Refusal::new(format!("Error response from daemon: invalid filter '{key}'"), 1));
        }
        if !has(&filters, contrary, value) && !has(&filters, key, value) {
            filters.push((key.to_string(), value.to_string()));
        }
    }
    Ok(filters)
}

fn with_filters(context: &Context, command: &str, filters: &Filters) -> Result<crate::plan::Draft, Refusal> {
    if filters.iter().filter(|(key, _)| key == "label!").count() > 1 {
        return Err(more_than_once(context));
    }
    let mut draft = context.call(command)?;
    draft.switch("force", true);
    for (key, value) in filters {
        draft.flag("filter", format!("{key}={value}"));
    }
    Ok(draft)
}

fn stopped(context: &Context, filters: &Filters) -> Result<Kind, Refusal> {
    let mut list = context.call("ps")?;
    list.switch("all", true).switch("size", true).flag("format", "json");
    let inspect = context.call("container inspect")?.call();
    Ok(Kind::Containers { list: list.call(), inspect, prune: with_filters(context, "container prune", filters)?.call() })
}

fn unused_networks(context: &Context, filters: &Filters) -> Result<Kind, Refusal> {
    Ok(Kind::Networks { prune: with_filters(context, "network prune", filters)?.call() })
}

/// docker/cli gives what `--all` means as a filter, too.
fn unused_images(context: &Context, filters: &Filters) -> Result<Kind, Refusal> {
    let (dangling, others): (Filters, Filters) = filters.iter().cloned().partition(|(key, _)| key == "dangling");
    let only_dangling = !context.invocation.uses.switch("all");
    let dangling: Vec<String> = dangling.into_iter().map(|(_, value)| value).chain([only_dangling.to_string()]).collect();
    let all = image_lists::switch("dangling", &dangling)? == Some(false);
    if others.iter().enumerate().any(|(i, (key, _))| others[..i].iter().any(|(before, _)| before == key)) {
        return Err(more_than_once(context));
    }
    let mut prune = with_filters(context, "image prune", &others)?;
    if all {
        prune.switch("all", true);
    }
    Ok(Kind::Images { prune: prune.call(), roots: image_lists::roots(context), all })
}

/// Of several filters Docker wants all; Podman takes any of them for enough, and would remove more.
fn more_than_once(context: &Context) -> Refusal {
    context.refuse("a --filter of the same kind more than once, here or in config.json's pruneFilters: Podman would remove more; give one.")
}

/// Podman's `volume ls` takes any of several filters for enough, so the labels are looked at by us.
fn unused_volumes(context: &Context, filters: &Filters, all: bool) -> Result<Kind, Refusal> {
    let mut list = context.call("volume ls")?;
    list.flag("filter", "dangling=true").flag("format", "json");
    let label = |(key, value): &(String, String)| match key.as_str() {
        "label" => Some(value.clone()),
        "label!" => Some(format!("!{value}")),
        _ => None,
    };
    let labels = filters.iter().filter_map(label).collect();
    Ok(Kind::Volumes { list: list.call(), remove: context.call("volume rm")?.call(), all, labels })
}
