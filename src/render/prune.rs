//! What a prune of containers removed (docker/cli `cli/command/container/prune.go`).

use super::{Answered, Desk, View};
use crate::plan::Answer;

/// `docker container prune`, of `podman container prune`, which prints IDs. How much space they took Podman does not tell.
#[derive(Debug)]
pub struct PrunedContainers;

impl View for PrunedContainers {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        if podman.status != 0 {
            return None;
        }
        let ids: String =
            String::from_utf8_lossy(&podman.stdout).lines().filter(|line| !line.is_empty()).map(|id| format!("{id}\n")).collect();
        let deleted = if ids.is_empty() { ids } else { format!("Deleted Containers:\n{ids}\n") };
        Some(Answer::printed(deleted + "Total reclaimed space: 0B\n"))
    }
}
