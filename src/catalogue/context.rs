//! `docker context`.

use super::{Arity, Command, Kind::*, command, flag, group};
use crate::plan::rules::{by_command, context};

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("context", "Manage contexts"),
    command("context create", "[OPTIONS] CONTEXT", Arity::Exact(1), "Create a context").rule(context::create).flags(&[&[
        flag("default-stack-orchestrator", Text, "Orchestrator for stacks: swarm, kubernetes or all").until(2).hidden().refuse("Docker dropped orchestrators; leave it out"),
        flag("description", Text, "Description of the context").rule(by_command),
        flag("docker", StringToString, "Set the Docker endpoint").default("[]").rule(by_command),
        flag("from", Text, "Context to copy").rule(by_command),
        flag("kubernetes", StringToString, "Set the Kubernetes endpoint").until(2).hidden().refuse("Docker dropped orchestrators; leave it out"),
    ]]),
    command("context export", "[OPTIONS] CONTEXT [FILE|-]", Arity::Range(1, 2), "Write a context to an archive").rule(context::export).flags(&[&[
        flag("kubeconfig", Switch, "Export a Kubernetes configuration file").until(2).hidden().refuse("Docker dropped Kubernetes; leave --kubeconfig out"),
    ]]),
    command("context import", "CONTEXT FILE|-", Arity::Exact(2), "Read a context from an archive").rule(context::import),
    command("context inspect", "[OPTIONS] [CONTEXT] [CONTEXT...]", Arity::Any, "Show all about contexts").rule(context::inspect).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
    ]]),
    command("context ls", "[OPTIONS]", Arity::None, "List contexts").aliases(&["list"]).rule(context::ls).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").rule(by_command),
        flag("quiet", Switch, "Show names only").short('q').rule(by_command),
    ]]),
    command("context rm", "CONTEXT [CONTEXT...]", Arity::AtLeast(1), "Remove contexts").aliases(&["remove"]).rule(context::rm).flags(&[&[
        flag("force", Switch, "Remove it though it is in use").short('f').rule(by_command),
    ]]),
    command("context show", "", Arity::None, "Show the name of the current context").since(2).rule(context::show),
    command("context update", "[OPTIONS] CONTEXT", Arity::Exact(1), "Change a context").rule(context::update).flags(&[&[
        flag("default-stack-orchestrator", Text, "Orchestrator for stacks: swarm, kubernetes or all").until(2).hidden().refuse("Docker dropped orchestrators; leave it out"),
        flag("description", Text, "Description of the context").rule(by_command),
        flag("docker", StringToString, "Set the Docker endpoint").default("[]").rule(by_command),
        flag("kubernetes", StringToString, "Set the Kubernetes endpoint").until(2).hidden().refuse("Docker dropped orchestrators; leave it out"),
    ]]),
    command("context use", "CONTEXT", Arity::Exact(1), "Choose the current context").rule(context::use_one),
];
