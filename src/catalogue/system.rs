//! `docker` itself, `docker system`, and what asks about the engine as a whole.

use super::{Arity, Command, CommandTreatment, Kind::*, command, flag, group};

/// `docker` itself and its own flags; `--help` and `--version` are in the grammar.
#[rustfmt::skip]
pub static ROOT: Command = command("", "[OPTIONS] COMMAND [ARG...]", Arity::Group, "Run and manage containers").stops().treated(CommandTreatment::Group).flags(&[&[
    flag("config", Text, "Directory of the client configuration").refuse("docker-shim does not follow --config yet; set DOCKER_CONFIG instead"), // rule: atlas 2.9
    flag("context", Text, "Context that names the engine to talk to").short('c').refuse("docker-shim does not follow --context yet; the only context is default"), // rule: atlas 2.7
    flag("debug", Switch, "Log more").short('D').drop("it is about Docker's own log; Podman's would flood stderr"),
    flag("host", Text, "Socket of the engine to talk to").short('H').refuse("docker-shim does not follow --host yet; Podman runs on this machine only"), // rule: atlas 2.8
    flag("log-level", Text, "How much the client logs").short('l').default("info").drop("it is about Docker's own log, which Podman has not"),
    flag("tls", Switch, "Talk TLS to the engine").drop("TLS is for a remote engine"), // rule: atlas 2.8
    flag("tlscacert", Text, "CA certificate that the engine is checked by").drop("TLS is for a remote engine"), // rule: atlas 2.8
    flag("tlscert", Text, "Client certificate for the engine").drop("TLS is for a remote engine"), // rule: atlas 2.8
    flag("tlskey", Text, "Key of the client certificate").drop("TLS is for a remote engine"), // rule: atlas 2.8
    flag("tlsverify", Switch, "Talk TLS and check who the engine is").drop("TLS is for a remote engine"), // rule: atlas 2.8
]]);

#[rustfmt::skip]
const EVENTS: Command = command("events", "[OPTIONS]", Arity::None, "Show what the engine does, as it happens").flags(&[&[
    flag("filter", Filter, "Only those that match KEY=VALUE").short('f'), // rule: atlas Y2 to Y4
    flag("format", Text, "Go template, json or table for the output"), // rule: atlas Y3
    flag("since", Text, "Only what happened since a time, or 42m for 42 minutes"),
    flag("until", Text, "Only what happened until a time, or 42m for 42 minutes"),
]]); // rule: atlas 13.2, Y1 to Y4

#[rustfmt::skip]
const INFO: Command = command("info", "[OPTIONS]", Arity::None, "Show all about the engine").flags(&[&[
    flag("format", Text, "Go template, json or table for the output").short('f'), // rule: atlas 2.5
]]); // rule: atlas 2.4, 2.5

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    EVENTS,
    INFO,
    command("inspect", "[OPTIONS] NAME|ID [NAME|ID...]", Arity::AtLeast(1), "Show all about any object").flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'), // rule: atlas I1 to I30
        flag("size", Switch, "Show sizes of containers").short('s'), // rule: atlas I28
        flag("type", Text, "Kind of object to look for"), // rule: atlas I1
    ]]), // rule: atlas I1 to I30
    command("version", "[OPTIONS]", Arity::None, "Show the versions of client and engine").flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'), // rule: atlas 2.2, 2.3
        flag("kubeconfig", Text, "Kubernetes configuration file").until(1).refuse("Docker dropped Kubernetes; leave --kubeconfig out"),
    ]]), // rule: atlas 2.1 to 2.3
    group("system", "Manage the engine"),
    command("system df", "[OPTIONS]", Arity::None, "Show how much disk is used").flags(&[&[
        flag("format", Text, "Go template, json or table for the output"), // rule: atlas 13.1
        flag("verbose", Switch, "Show each object").short('v'),
    ]]), // rule: atlas 13.1
    command("system dial-stdio", "", Arity::None, "Connect standard input and output to the engine").hidden(),
    EVENTS.twin("system events").podman("events"), // rule: atlas 13.2, Y1 to Y4
    INFO.twin("system info"), // rule: atlas 2.4, 2.5
    command("system prune", "[OPTIONS]", Arity::None, "Remove all that is unused").flags(&[&[
        flag("all", Switch, "Remove all unused images, not only dangling ones").short('a'), // rule: atlas 13.3
        flag("filter", Filter, "Only those that match KEY=VALUE"), // rule: atlas 13.3
        flag("force", Switch, "Do not ask").short('f'), // rule: atlas 1.7
        flag("volumes", Switch, "Remove anonymous volumes too"), // rule: atlas 12.3
    ]]), // rule: atlas 13.3, 13.4
];
