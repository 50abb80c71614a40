//! Prunes, told of as Docker tells of them.

use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use super::{cannot_start, command, complain, complain_as_docker, docker_status, prepare, reshape, write_stdout};
use crate::plan::{Call, Ending};
use crate::render::layers::Layers;
use crate::render::prune::Prunable;

/// Has podman remove unused images, and tells of those that are gone then.
pub fn images(call: &Call, roots: &[PathBuf], all: bool) -> Result<u8, u8> {
    let before = Prunable::read(roots, all);
    prepare(&call.prepare).map_err(|refusal| complain(&refusal))?;
    let (ended, answered) = reshape::answer(call, &[], false)?;
    if !ended.success() {
        complain_as_docker(&answered.stderr);
        return Ok(docker_status(ended, Ending::Daemon));
    }
    write_stdout(before.pruned(&Layers::read(roots)).as_bytes())?;
    Ok(0)
}

/// Lists the unused volumes and removes those that may go, one by one, in the words of `docker volume prune`.
pub fn volumes(list: &Call, remove: &Call, all: bool, labels: &[String]) -> Result<(), u8> {
    let listed = command(list).stdin(Stdio::null()).output().map_err(|e| complain(&cannot_start(list, &e)))?;
    if !listed.status.success() {
        let _ = std::io::stderr().write_all(&listed.stderr);
        return Err(1);
    }
    let volumes: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
    let mut removed = Vec::new();
    for volume in volumes.as_array().into_iter().flatten() {
        let Some(name) = volume.get("Name").and_then(|n| n.as_str()) else { continue };
        let anonymous = volume.get("Anonymous").and_then(serde_json::Value::as_bool).unwrap_or(false);
        if (!all && !anonymous) || !labels.iter().all(|wanted| has_label(volume, wanted)) {
            continue;
        }
        let mut one = command(remove);
        one.arg(name).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if one.status().is_ok_and(|s| s.success()) {
            removed.push(name.to_string());
        }
    }
    if !removed.is_empty() {
        write_stdout(format!("Deleted Volumes:\n{}\n\n", removed.join("\n")).as_bytes())?;
    }
    Ok(())
}

/// Whether a volume has a label, `key` or `key=value`; or has not, where a `!` stands before it.
fn has_label(volume: &serde_json::Value, wanted: &str) -> bool {
    let (has_not, wanted) = wanted.strip_prefix('!').map_or((false, wanted), |rest| (true, rest));
    let (key, value) = wanted.split_once('=').map_or((wanted, None), |(key, value)| (key, Some(value)));
    let label = volume.get("Labels").and_then(|labels| labels.get(key)).and_then(serde_json::Value::as_str);
    let has = label.is_some_and(|label| value.is_none_or(|value| value == label));
    has != has_not
}
