//! `docker plugin`.

use super::image::CONTENT_TRUST;
use super::{Arity, Command, Kind::*, Why, command, flag, group};
use crate::plan::rules::{by_command, plugin};

const NO_PLUGINS: Why = "Podman has no engine plugins; install volume and network drivers on the host";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("plugin", "Manage plugins of the engine"),
    command("plugin create", "[OPTIONS] PLUGIN PLUGIN-DATA-DIR", Arity::AtLeast(2), "Make a plugin of a directory").refuse(NO_PLUGINS).flags(&[&[
        flag("compress", Switch, "Compress the plugin"),
    ]]),
    command("plugin disable", "[OPTIONS] PLUGIN", Arity::Exact(1), "Disable a plugin").refuse(NO_PLUGINS).flags(&[&[
        flag("force", Switch, "Disable it though it is in use").short('f'),
    ]]),
    command("plugin enable", "[OPTIONS] PLUGIN", Arity::Exact(1), "Enable a plugin").refuse(NO_PLUGINS).flags(&[&[
        flag("timeout", Int, "Seconds to wait for the plugin").default("30"),
    ]]),
    command("plugin inspect", "[OPTIONS] PLUGIN [PLUGIN...]", Arity::AtLeast(1), "Show all about plugins").rule(plugin::inspect).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
    ]]),
    command("plugin install", "[OPTIONS] PLUGIN [KEY=VALUE...]", Arity::AtLeast(1), "Install a plugin").refuse(NO_PLUGINS).flags(&[CONTENT_TRUST, &[
        flag("alias", Text, "Local name of the plugin"),
        flag("disable", Switch, "Do not enable it"),
        flag("grant-all-permissions", Switch, "Grant all that it asks for"),
    ]]),
    command("plugin ls", "[OPTIONS]", Arity::None, "List plugins").aliases(&["list"]).rule(plugin::list).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
        flag("format", Text, "Go template, json or table for the output").rule(by_command),
        flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
        flag("quiet", Switch, "Show IDs only").short('q').rule(by_command),
    ]]),
    command("plugin push", "[OPTIONS] PLUGIN[:TAG]", Arity::Exact(1), "Push a plugin to a registry").refuse(NO_PLUGINS).flags(&[CONTENT_TRUST]),
    command("plugin rm", "[OPTIONS] PLUGIN [PLUGIN...]", Arity::AtLeast(1), "Remove plugins").aliases(&["remove"]).refuse(NO_PLUGINS).flags(&[&[
        flag("force", Switch, "Remove it though it is enabled").short('f'),
    ]]),
    command("plugin set", "PLUGIN KEY=VALUE [KEY=VALUE...]", Arity::AtLeast(2), "Change settings of a plugin").refuse(NO_PLUGINS),
    command("plugin upgrade", "[OPTIONS] PLUGIN [REMOTE]", Arity::Range(1, 2), "Upgrade a plugin").refuse(NO_PLUGINS).flags(&[CONTENT_TRUST, &[
        flag("grant-all-permissions", Switch, "Grant all that it asks for"),
        flag("skip-remote-check", Switch, "Do not check that both are the same plugin"),
    ]]),
];
