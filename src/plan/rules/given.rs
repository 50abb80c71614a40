//! What the caller gave when a container was made and Podman cannot tell afterwards: kept as a label of ours on the container,
//! read back by the views, never shown to the caller.
//!
//! Podman keeps our own command line with the container. So the label only has the flags that reached it otherwise than they were typed: as they
//! were typed (none, where one is of our own adding). Of the environment it has names, in their order: the values are Podman's to keep.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};

use serde_json::{Map, Value, json};

use crate::catalogue::Kind;
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft};
use crate::render::{CREATE_LABEL, is_dockerenv};

/// A label beyond this size keeps only the image: the kernel takes 128 KiB for one argument.
const MOST: usize = 32 * 1024;

/// Flags that say nothing about the container, or that Podman keeps well.
const UNTOLD: [&str; 11] =
    ["detach-keys", "disable-content-trust", "env", "env-file", "label", "label-file", "name", "platform", "pull", "quiet", "sig-proxy"];

/// Adds the label: a JSON object. `Image` is the image as typed; the rest is there where it has something to say: `Flags` by their names,
/// `Command` where podman's is another one than Docker's, `Env` the names of variables. `Entrypoint` and `ExposedPorts` are there where they
/// were given, since Podman's list says neither, and of `HostConfig.PortBindings` those to 0.0.0.0, which Podman forgets: to Docker it is
/// IPv4 alone. `variables` has the names of all variables. Comes after all other flags.
pub fn keep(image: &OsStr, variables: &[OsString], draft: &mut Draft, context: &Context) {
    let mut given = Map::new();
    given.insert("Image".into(), image.to_string_lossy().into());
    let uses = &context.invocation.uses;
    if let Some(entrypoint) = uses.text("entrypoint") {
        given.insert("Entrypoint".into(), vec![entrypoint.to_string_lossy()].into());
    }
    let exposed: Map<_, _> = uses.all("expose").flat_map(|ports| exposed(&ports.to_string_lossy())).map(|port| (port, json!({}))).collect();
    if !exposed.is_empty() {
        given.insert("ExposedPorts".into(), exposed.into());
    }
    let bound: Map<_, _> = uses.all("publish").flat_map(|spec| bound_to_v4(&spec.to_string_lossy())).collect();
    if !bound.is_empty() {
        given.insert("HostConfig".into(), json!({ "PortBindings": bound }));
    }
    let least = Value::from(given.clone());
    let passed = passed(draft);
    let flags = changed(&passed, context);
    if !flags.is_empty() {
        given.insert("Flags".into(), flags.into());
    }
    let command = context.invocation.command.name();
    if draft.head.last().is_some_and(|podmans| podmans != command) {
        given.insert("Command".into(), command.into());
    }
    if !says_variables(&passed, context) {
        given.insert("Env".into(), variables.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().into());
    }
    let mut all = Value::from(given).to_string();
    if all.len() > MOST {
        all = least.to_string();
    }
    draft.flag("label", format!("{CREATE_LABEL}={all}"));
}

/// The bindings of `--publish 0.0.0.0:[PORT]:PORT`.
fn bound_to_v4(spec: &str) -> Vec<(String, Value)> {
    let Some((host, container)) = spec.strip_prefix("0.0.0.0:").and_then(|rest| rest.split_once(':')) else { return Vec::new() };
    exposed(container).into_iter().map(|port| (port, json!([{ "HostIp": "0.0.0.0", "HostPort": host }]))).collect()
}

/// The ports of `--expose`, `PORT[-PORT][/PROTO]`, as `PORT/PROTO` each. What is none is left to Podman to refuse.
fn exposed(ports: &str) -> Vec<String> {
    let (range, proto) = ports.split_once('/').unwrap_or((ports, "tcp"));
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    match (first.parse::<u16>(), last.parse::<u16>()) {
        (Ok(first), Ok(last)) => (first..=last).map(|port| format!("{port}/{proto}")).collect(),
        _ => Vec::new(),
    }
}

/// The older spellings of flags.
fn canonical(name: &str) -> &str {
    match name {
        "net" => "network",
        "net-alias" => "network-alias",
        "dns-opt" => "dns-option",
        other => other,
    }
}

/// Flags by name, in their order, with their values.
type Values<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// The values under a name.
fn under<'a>(values: &'a Values, name: &str) -> impl Iterator<Item = &'a str> + Clone {
    values.iter().filter(move |(own, _)| *own == name).map(|(_, value)| &**value)
}

/// Podman's flags. One that is no text says nothing.
fn passed(draft: &Draft) -> Values<'_> {
    let words = draft.flags.iter().filter_map(|word| word.to_str());
    let flags = words.map(|word| word.strip_prefix("--").unwrap_or(word));
    let flags = flags.map(|flag| flag.split_once('=').unwrap_or((flag, "true")));
    flags.filter(|(_, value)| !is_dockerenv(value)).map(|(name, value)| (canonical(name), value.into())).collect()
}

/// The flags as they were typed.
fn typed<'a>(context: &Context<'a>) -> Values<'a> {
    let value = |used: &'a FlagUse| match used.flag.kind {
        Kind::Switch => if used.is_on() { "true" } else { "false" }.into(),
        _ => used.value.to_string_lossy(),
    };
    context.invocation.uses.iter().map(|used| (canonical(used.flag.long), value(used))).collect()
}

/// The flags that were typed otherwise than podman gets them.
fn changed(passed: &Values, context: &Context) -> Map<String, Value> {
    let typed = typed(context);
    let mut seen: Vec<&str> = Vec::new();
    let mut told = Map::new();
    for &(name, _) in typed.iter().chain(passed) {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let same = UNTOLD.contains(&name) || under(&typed, name).eq(under(passed, name));
        // What podman gets besides is no flag of Docker's.
        if !same && context.invocation.command.all_flags().any(|flag| canonical(flag.long) == name) {
            told.insert(name.into(), under(&typed, name).collect::<Vec<_>>().into());
        }
    }
    told
}

/// Whether podman's own flags say which variables were given, and in which order.
fn says_variables(passed: &Values, context: &Context) -> bool {
    let uses = &context.invocation.uses;
    !uses.given("env-file") && under(passed, "env").eq(uses.all("env").map(OsStr::to_string_lossy))
}
