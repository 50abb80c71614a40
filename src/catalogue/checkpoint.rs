//! `docker checkpoint`.

use super::{Arity, Command, Kind::*, Why, command, flag, group};

const OTHER_CHECKPOINTS: Why = "Podman's checkpoints are not named; use `podman container checkpoint` and `podman container restore`";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("checkpoint", "Manage checkpoints"),
    command("checkpoint create", "[OPTIONS] CONTAINER CHECKPOINT", Arity::Exact(2), "Make a checkpoint of a running container").refuse(OTHER_CHECKPOINTS).flags(&[&[
        flag("checkpoint-dir", Text, "Directory of the checkpoints"),
        flag("leave-running", Switch, "Leave the container running"),
    ]]),
    command("checkpoint ls", "[OPTIONS] CONTAINER", Arity::Exact(1), "List the checkpoints of a container").aliases(&["list"]).refuse(OTHER_CHECKPOINTS).flags(&[&[
        flag("checkpoint-dir", Text, "Directory of the checkpoints"),
    ]]),
    command("checkpoint rm", "[OPTIONS] CONTAINER CHECKPOINT", Arity::Exact(2), "Remove a checkpoint").aliases(&["remove"]).refuse(OTHER_CHECKPOINTS).flags(&[&[
        flag("checkpoint-dir", Text, "Directory of the checkpoints"),
    ]]),
];
