//! `docker context`.

use super::{Arity, Command, Kind::*, Why, command, flag, group};

const ONE_CONTEXT: Why = "Podman runs on this machine only, so there is one context, default; leave the command out";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("context", "Manage contexts"),
    command("context create", "[OPTIONS] CONTEXT", Arity::Exact(1), "Create a context").refuse(ONE_CONTEXT).flags(&[&[
        flag("default-stack-orchestrator", Text, "Orchestrator for stacks: swarm, kubernetes or all").until(2).hidden(),
        flag("description", Text, "Description of the context"),
        flag("docker", StringToString, "Set the Docker endpoint").default("[]"),
        flag("from", Text, "Context to copy"),
        flag("kubernetes", StringToString, "Set the Kubernetes endpoint").until(2).hidden(),
    ]]),
    command("context export", "[OPTIONS] CONTEXT [FILE|-]", Arity::Range(1, 2), "Write a context to an archive").refuse(ONE_CONTEXT).flags(&[&[
        flag("kubeconfig", Switch, "Export a Kubernetes configuration file").until(2).hidden().refuse("Docker dropped Kubernetes; leave --kubeconfig out"),
    ]]),
    command("context import", "CONTEXT FILE|-", Arity::Exact(2), "Read a context from an archive").refuse(ONE_CONTEXT),
    command("context inspect", "[OPTIONS] [CONTEXT] [CONTEXT...]", Arity::Any, "Show all about contexts").refuse(ONE_CONTEXT).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'),
    ]]),
    command("context ls", "[OPTIONS]", Arity::None, "List contexts").aliases(&["list"]).refuse(ONE_CONTEXT).flags(&[&[
        flag("format", Text, "Go template, json or table for the output"),
        flag("quiet", Switch, "Show names only").short('q'),
    ]]),
    command("context rm", "CONTEXT [CONTEXT...]", Arity::AtLeast(1), "Remove contexts").aliases(&["remove"]).refuse(ONE_CONTEXT).flags(&[&[
        flag("force", Switch, "Remove it though it is in use").short('f'),
    ]]),
    command("context show", "", Arity::None, "Show the name of the current context").since(2).refuse(ONE_CONTEXT),
    command("context update", "[OPTIONS] CONTEXT", Arity::Exact(1), "Change a context").refuse(ONE_CONTEXT).flags(&[&[
        flag("default-stack-orchestrator", Text, "Orchestrator for stacks: swarm, kubernetes or all").until(2).hidden(),
        flag("description", Text, "Description of the context"),
        flag("docker", StringToString, "Set the Docker endpoint").default("[]"),
        flag("kubernetes", StringToString, "Set the Kubernetes endpoint").until(2).hidden(),
    ]]),
    command("context use", "CONTEXT", Arity::Exact(1), "Choose the current context").refuse(ONE_CONTEXT),
];
