//! What is unused, and how it is removed.

use std::path::PathBuf;

use super::Call;

/// Removes what is unused, kind by kind, and says what it was (docker/cli's `RunPrune`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    pub kinds: Vec<Kind>,
    /// Whether the space is told that was reclaimed.
    pub tells_space: bool,
}

/// Removes the working containers that builds which were killed have left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// `podman rm --force`; their IDs are added.
    pub remove: Call,
    /// The directories of the store's images; the containers' lie beside them.
    pub images: Vec<PathBuf>,
}

/// Objects of a kind. Podman prints what its own prunes have removed, but not what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Containers {
        /// `podman ps --all --size --format json`, and `podman container inspect`.
        list: Call,
        inspect: Call,
        prune: Call,
    },
    Networks {
        prune: Call,
    },
    /// The anonymous volumes; `all` takes the named ones too. A volume must have all of the `labels`, `key` or `key=value`, and none of
    /// those that begin with `!`.
    Volumes {
        /// `podman volume ls --format json`, of those that no container uses.
        list: Call,
        remove: Call,
        all: bool,
        labels: Vec<String>,
    },
    Images {
        prune: Call,
        /// Where the store lies that tells what is gone; nowhere for one that cannot be read from here.
        roots: Vec<PathBuf>,
        /// Those with names too.
        all: bool,
    },
}
