//! `docker engine`, which Docker 19.03 had.

use super::{Arity, Command, Kind::*, Why, command, flag, group};

const NO_ENGINE: Why = "there is no Docker engine here; update Podman with the system's packages";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("engine", "Manage the Docker engine").usage("COMMAND").until(0),
    command("engine activate", "[OPTIONS]", Arity::Any, "Activate the enterprise edition").until(0).refuse(NO_ENGINE).flags(&[&[
        flag("containerd", Text, "Address of containerd").until(0),
        flag("display-only", Switch, "Show licences and quit").until(0),
        flag("engine-image", Text, "Image of the engine").until(0),
        flag("format", Text, "Go template, json or table for the output").until(0),
        flag("license", Text, "Licence file").until(0),
        flag("quiet", Switch, "Show licences by ID only").until(0),
        flag("registry-prefix", Text, "Where engine images are pulled from").until(0),
        flag("version", Text, "Version of the engine").until(0),
    ]]),
    command("engine check", "[OPTIONS]", Arity::None, "Look for engine updates").until(0).refuse(NO_ENGINE).flags(&[&[
        flag("containerd", Text, "Address of containerd").until(0),
        flag("downgrades", Switch, "Show older versions too").until(0),
        flag("engine-image", Text, "Image of the engine").until(0),
        flag("format", Text, "Go template, json or table for the output").until(0),
        flag("pre-releases", Switch, "Show pre-releases too").until(0),
        flag("quiet", Switch, "Show versions only").short('q').until(0),
        flag("registry-prefix", Text, "Where engine images are pulled from").until(0),
        flag("upgrades", Switch, "Show newer versions").until(0),
    ]]),
    command("engine update", "[OPTIONS]", Arity::None, "Update the engine").until(0).refuse(NO_ENGINE).flags(&[&[
        flag("containerd", Text, "Address of containerd").until(0),
        flag("engine-image", Text, "Image of the engine").until(0),
        flag("registry-prefix", Text, "Where engine images are pulled from").until(0),
        flag("version", Text, "Version of the engine").until(0),
    ]]),
];
