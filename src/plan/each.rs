//! Docker's container verbs as data: what is done to each of several containers by itself.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::Call;

/// A verb and the containers it is for. What can be done is done; a failure among them is status 1 at the end.
#[derive(Debug)]
pub struct Each {
    pub verb: Verb,
    pub containers: Vec<One>,
    /// Asks for a container's ID, whose name comes as one more argument: Docker's words for some failures have it.
    pub identify: Call,
}

/// What Docker's words for a failure depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verb {
    Start,
    Stop,
    Restart,
    Kill { signal: String },
    Remove { force: bool },
    Pause,
    Unpause,
    Wait,
    Rename { to: String },
    Update,
}

impl Verb {
    /// Whether Docker's client asks for all of them at once (docker/cli's `parallelOperation`).
    pub fn at_once(&self) -> bool {
        matches!(self, Verb::Stop | Verb::Kill { .. } | Verb::Remove { .. } | Verb::Pause | Verb::Unpause)
    }
    /// Whether the engine brings it to its end though the client be gone. Waiting is the client's own.
    pub fn outlives_client(&self) -> bool {
        *self != Verb::Wait
    }
}

/// One container.
#[derive(Debug)]
pub struct One {
    /// As typed: what Docker prints.
    pub typed: OsString,
    /// As podman takes it.
    pub name: OsString,
    /// What is done, one after the other, up to the first that fails; or why the client does not even ask.
    pub deeds: Result<Vec<Deed>, String>,
}

/// One step.
#[derive(Debug)]
pub enum Deed {
    Do(Call),
    /// A signal. That the container does not run is no failure.
    Signal(Call),
    /// Wait for its end, but no longer than this.
    Await(Call, Option<Duration>),
}

/// Ends the sequence in Docker's words where a container is missing, or in a state that the command cannot work with.
#[derive(Debug)]
pub struct Require {
    pub typed: OsString,
    /// Asks for ID, state, exit status, terminal and stdin, in this order and apart by spaces.
    pub state: Call,
    pub needs: Needs,
}

/// What a command wants of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    ToExist,
    ToExec,
    ToStart,
}

/// Attaches to a running container and ends with its exit status.
#[derive(Debug)]
pub struct Attach {
    pub typed: OsString,
    pub name: OsString,
    /// As [`Require::state`].
    pub state: Call,
    /// The call without the container.
    pub attach: Call,
    /// Waits for its end and prints the exit status.
    pub wait: Call,
    /// Whether the caller wants stdin attached.
    pub stdin: bool,
}

/// Starts a container, attached to it, and ends with its exit status.
#[derive(Debug)]
pub struct StartAttached {
    pub call: Call,
    /// As [`Require::state`].
    pub state: Call,
}

/// Copies between a container and the caller's files.
#[derive(Debug)]
pub struct Copy {
    /// The call without source and destination.
    pub call: Call,
    pub direction: Direction,
    /// The container as typed, and as podman takes it.
    pub typed: OsString,
    pub name: OsString,
    /// The path in the container.
    pub inside: OsString,
    /// The caller's path; `-` is a tar archive on stdin or stdout.
    pub local: OsString,
    /// Where a relative path of the caller begins.
    pub here: PathBuf,
    /// Whether a source that is a symbolic link is followed.
    pub follow: bool,
    /// The container's root directory as this host sees it, where it does.
    pub root: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    FromContainer,
    ToContainer,
}

/// Exports a container whose users are others than those of Podman's own user namespace, which `podman export` shows.
#[derive(Debug)]
pub struct Export {
    /// The call, which writes to stdout.
    pub call: Call,
    /// The file to write to; none for stdout.
    pub output: Option<PathBuf>,
    /// Users, then groups.
    pub owners: [Owners; 2],
}

/// Ranges of numbers: the first in the container, the first in Podman's namespace, how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners(pub Vec<(u64, u64, u64)>);

impl Owners {
    /// Reads `["0:1:1001", …]`.
    pub fn read(ranges: &serde_json::Value) -> Option<Owners> {
        let range = |range: &serde_json::Value| {
            let mut numbers = range.as_str()?.split(':').map(|n| n.parse::<u64>().ok());
            Some((numbers.next()??, numbers.next()??, numbers.next()??))
        };
        ranges.as_array().filter(|ranges| !ranges.is_empty())?.iter().map(range).collect::<Option<Vec<_>>>().map(Owners)
    }
    /// The number in the container; one that it has none for stays.
    pub fn inside(&self, outside: u64) -> u64 {
        let range = self.0.iter().find(|(_, first, count)| (*first..first.saturating_add(*count)).contains(&outside));
        range.map_or(outside, |(inside, first, _)| inside + (outside - first))
    }
}

/// `docker logs --details`.
#[derive(Debug)]
pub struct Logs {
    pub call: Call,
    /// What goes before each line, and after its time.
    pub details: String,
    /// Whether podman writes the times.
    pub timestamps: bool,
}
