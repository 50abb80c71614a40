//! What the caller gave when a container was made and Podman cannot tell afterwards: kept as a label of ours on the container,
//! read back by the views, never shown to the caller.

use std::ffi::OsStr;

use serde_json::{Map, Value, json};

use crate::plan::{Context, Draft};
use crate::render::CREATE_LABEL;

/// Adds the label: a JSON object with the keys of Docker's create request. `Image` is the image as typed; `Entrypoint` and
/// `ExposedPorts` are there where they were given, since Podman's list says neither, and of `HostConfig.PortBindings` those to 0.0.0.0,
/// which Podman forgets: to Docker it is IPv4 alone.
pub fn keep(image: &OsStr, draft: &mut Draft, context: &Context) {
    let uses = &context.invocation.uses;
    let mut given = Map::new();
    given.insert("Image".into(), image.to_string_lossy().into());
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
    draft.flag("label", format!("{CREATE_LABEL}={}", Value::from(given)));
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
