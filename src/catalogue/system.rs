//! `docker` itself, `docker system`, and what asks about the engine as a whole.

use super::{Arity, Command, CommandTreatment, Kind::*, command, flag, group};
use crate::plan::rules::{by_command, engine, image_lists, inspect, prune};

/// `docker` itself and its own flags; `--help` and `--version` are in the grammar.
#[rustfmt::skip]
pub static ROOT: Command = command("", "[OPTIONS] COMMAND [ARG...]", Arity::Group, "Run and manage containers").stops().treated(CommandTreatment::Group).flags(&[&[
    flag("config", Text, "Directory of the client configuration").rule(by_command),
    flag("context", Text, "Context that names the engine to talk to").short('c').rule(by_command),
    flag("debug", Switch, "Log more").short('D').drop("it is about Docker's own log; Podman's would flood stderr"),
    flag("host", Text, "Socket of the engine to talk to").short('H').rule(by_command),
    flag("log-level", Text, "How much the client logs").short('l').default("info").rule(by_command),
    flag("tls", Switch, "Talk TLS to the engine").rule(by_command),
    flag("tlscacert", Text, "CA certificate that the engine is checked by").rule(by_command),
    flag("tlscert", Text, "Client certificate for the engine").rule(by_command),
    flag("tlskey", Text, "Key of the client certificate").rule(by_command),
    flag("tlsverify", Switch, "Talk TLS and check who the engine is").rule(by_command),
]]);

#[rustfmt::skip]
const EVENTS: Command = command("events", "[OPTIONS]", Arity::None, "Show what the engine does, as it happens").rule(engine::events).flags(&[&[
    flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
    flag("format", Text, "Go template, json or table for the output").rule(by_command),
    flag("since", Text, "Only what happened since a time, or 42m for 42 minutes").rule(by_command),
    flag("until", Text, "Only what happened until a time, or 42m for 42 minutes").rule(by_command),
]]);

#[rustfmt::skip]
const INFO: Command = command("info", "[OPTIONS]", Arity::None, "Show all about the engine").rule(engine::info).flags(&[&[
    flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
]]);

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    EVENTS,
    INFO,
    command("inspect", "[OPTIONS] NAME|ID [NAME|ID...]", Arity::AtLeast(1), "Show all about any object").rule(inspect::any).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
        flag("size", Switch, "Show sizes of containers").short('s').rule(by_command),
        flag("type", Text, "Kind of object to look for").rule(by_command),
    ]]),
    command("version", "[OPTIONS]", Arity::None, "Show the versions of client and engine").rule(engine::version).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
        flag("kubeconfig", Text, "Kubernetes configuration file").until(1).refuse("Docker dropped Kubernetes; leave --kubeconfig out"),
    ]]),
    group("system", "Manage the engine"),
    command("system df", "[OPTIONS]", Arity::None, "Show how much disk is used").rule(image_lists::disk_usage).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").rule(by_command),
        flag("verbose", Switch, "Show each object").short('v').rule(by_command),
    ]]),
    command("system dial-stdio", "", Arity::None, "Connect standard input and output to the engine").hidden(),
    EVENTS.twin("system events"),
    INFO.twin("system info"),
    command("system prune", "[OPTIONS]", Arity::None, "Remove all that is unused").rule(prune::system).flags(&[&[
        flag("all", Switch, "Remove all unused images, not only dangling ones").short('a').rule(by_command),
        flag("filter", Filter, "Only those that match KEY=VALUE").rule(by_command),
        flag("force", Switch, "Do not ask").short('f').rule(by_command),
        flag("volumes", Switch, "Remove anonymous volumes too").rule(by_command),
    ]]),
];
