//! Removes what is unused, and says what it was and took.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;

use super::reshape::ask;
use super::{complain_as_docker, write_stdout};
use crate::plan::Call;
use crate::plan::prune::{Kind, Prune};
use crate::render::disk_usage::{tree_size, written};
use crate::render::layers::Layers;
use crate::render::prune::Prunable;
use crate::render::text;
use crate::render::units::human_size;

/// Errors: the exit status, where podman failed; its words have been said then, and nothing more is removed.
pub fn run(prune: &Prune) -> Result<(), u8> {
    let mut reclaimed = 0;
    for kind in &prune.kinds {
        let (title, removed, space) = match kind {
            Kind::Containers { list, inspect, prune } => {
                let sizes = sizes(list, inspect)?;
                let removed = lines(prune)?;
                let space = removed.iter().filter_map(|id| sizes.get(id)).sum();
                ("Containers", removed, space)
            }
            Kind::Networks { prune } => ("Networks", lines(prune)?, 0),
            Kind::Volumes { list, remove, all, labels } => {
                let (removed, space) = volumes(list, remove, *all, labels)?;
                ("Volumes", removed, space)
            }
            Kind::Images { prune, roots, .. } if roots.is_empty() => {
                ("Images", lines(prune)?.iter().map(|id| format!("deleted: sha256:{id}")).collect(), 0)
            }
            Kind::Images { prune, roots, all } => {
                let before = Prunable::read(roots, *all);
                lines(prune)?;
                let (removed, space) = before.pruned(&Layers::read(roots));
                ("Images", removed, space)
            }
        };
        reclaimed += space;
        if !removed.is_empty() {
            write_stdout(format!("Deleted {title}:\n{}\n\n", removed.join("\n")).as_bytes())?;
        }
    }
    if prune.tells_space {
        write_stdout(format!("Total reclaimed space: {}\n", human_size(reclaimed as f64)).as_bytes())?;
    }
    Ok(())
}

fn answer(call: &Call, args: &[&str]) -> Result<Vec<u8>, u8> {
    let answered = ask(call, &args.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    if answered.status == 0 {
        return Ok(answered.stdout);
    }
    complain_as_docker(&answered.stderr);
    Err(1)
}

fn lines(call: &Call) -> Result<Vec<String>, u8> {
    let stdout = answer(call, &[])?;
    Ok(String::from_utf8_lossy(&stdout).lines().filter(|line| !line.is_empty()).map(str::to_string).collect())
}

fn list(call: &Call, args: &[&str]) -> Result<Vec<Json>, u8> {
    Ok(serde_json::from_slice(&answer(call, args)?).unwrap_or_default())
}

/// The bytes that stopped containers have written, by their IDs.
fn sizes(list_call: &Call, inspect: &Call) -> Result<HashMap<String, u64>, u8> {
    let listed = list(list_call, &[])?;
    let stopped: Vec<&Json> = listed.iter().filter(|c| !matches!(text(c, "State"), "running" | "paused")).collect();
    let ids: Vec<&str> = stopped.iter().map(|container| text(container, "Id")).collect();
    // One that has gone meanwhile is no reason to stop.
    let inspected = if ids.is_empty() { vec![] } else { list(inspect, &ids).unwrap_or_default() };
    let podmans = stopped.iter().filter_map(|c| Some((text(c, "Id"), c.pointer("/Size/rwSize")?.as_u64()?)));
    let counted = inspected.iter().filter_map(|c| Some((text(c, "Id"), written(c)?)));
    Ok(podmans.chain(counted).map(|(id, bytes)| (id.to_string(), bytes)).collect())
}

fn volumes(list_call: &Call, remove: &Call, all: bool, labels: &[String]) -> Result<(Vec<String>, u64), u8> {
    let (mut removed, mut space) = (Vec::new(), 0);
    for volume in list(list_call, &[])? {
        let name = text(&volume, "Name");
        let anonymous = volume.get("Anonymous").and_then(Json::as_bool).unwrap_or(false);
        if name.is_empty() || (!all && !anonymous) || !labels.iter().all(|wanted| has_label(&volume, wanted)) {
            continue;
        }
        let size = tree_size(Path::new(text(&volume, "Mountpoint"))).unwrap_or_default();
        // A container may have taken it meanwhile.
        if ask(remove, &[name.as_ref()]).status == 0 {
            removed.push(name.to_string());
            space += size;
        }
    }
    Ok((removed, space))
}

/// Whether a volume has a label, `key` or `key=value`; or has not, where a `!` stands before it.
fn has_label(volume: &Json, wanted: &str) -> bool {
    let (has_not, wanted) = wanted.strip_prefix('!').map_or((false, wanted), |rest| (true, rest));
    let (key, value) = wanted.split_once('=').map_or((wanted, None), |(key, value)| (key, Some(value)));
    let label = volume.get("Labels").and_then(|labels| labels.get(key)).and_then(Json::as_str);
    let has = label.is_some_and(|label| value.is_none_or(|value| value == label));
    has != has_not
}
