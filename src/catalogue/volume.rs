//! `docker volume`.

use super::{Arity, Command, Item, Kind::*, Why, command, flag, group};
use crate::plan::rules::{by_command, prune, volume};

const CLUSTER_VOLUME: Why = "cluster volumes need swarm mode, which Podman does not have; leave them out";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("volume", "Manage volumes").usage("COMMAND"),
    command("volume create", "[OPTIONS] [VOLUME]", Arity::AtMost(1), "Create a volume").rule(volume::create).flags(&[&[
        flag("availability", Text, "State of a cluster volume: active, pause or drain").default("active").since(2).refuse(CLUSTER_VOLUME),
        flag("driver", Text, "Driver of the volume").short('d').default("local"),
        flag("group", Text, "Group of a cluster volume").since(2).refuse(CLUSTER_VOLUME),
        flag("label", List(Item::Label), "Set a label"), // strings in 4.3, stringArray since 5
        flag("limit-bytes", Bytes, "Smallest size of a cluster volume").since(2).refuse(CLUSTER_VOLUME),
        flag("name", Text, "Name of the volume").hidden().rule(by_command),
        flag("opt", Map(Item::Any), "Option of the driver").short('o').default("map[]"),
        flag("required-bytes", Bytes, "Largest size of a cluster volume").since(2).refuse(CLUSTER_VOLUME),
        flag("scope", Text, "Where a cluster volume is used: single or multi").default("single").since(2).refuse(CLUSTER_VOLUME),
        flag("secret", Map(Item::Any), "Secret of a cluster volume").default("map[]").since(2).refuse(CLUSTER_VOLUME),
        flag("sharing", Text, "How a cluster volume is shared: none, readonly, onewriter, all").default("none").since(2).refuse(CLUSTER_VOLUME),
        flag("topology-preferred", List(Item::Any), "Where a cluster volume should be").since(2).refuse(CLUSTER_VOLUME),
        flag("topology-required", List(Item::Any), "Where a cluster volume must be").since(2).refuse(CLUSTER_VOLUME),
        flag("type", Text, "How a cluster volume is accessed: mount or block").default("block").since(2).refuse(CLUSTER_VOLUME),
    ]]),
    command("volume inspect", "[OPTIONS] VOLUME [VOLUME...]", Arity::AtLeast(1), "Show all about volumes").rule(volume::inspect).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
    ]]),
    command("volume ls", "[OPTIONS]", Arity::None, "List volumes").rule(volume::list).aliases(&["list"]).flags(&[&[
        flag("cluster", Switch, "Show cluster volumes only").since(2).refuse(CLUSTER_VOLUME),
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
        flag("format", Text, "Go template, json or table for the output").rule(by_command),
        flag("quiet", Switch, "Show names only").short('q').rule(by_command),
    ]]),
    command("volume prune", "[OPTIONS]", Arity::None, "Remove unused anonymous volumes").rule(prune::volumes).flags(&[&[
        flag("all", Switch, "Remove named volumes too").short('a').since(2).rule(by_command),
        flag("filter", Filter, "Only those that match KEY=VALUE").rule(by_command),
        flag("force", Switch, "Do not ask").short('f').rule(by_command),
    ]]),
    command("volume rm", "[OPTIONS] VOLUME [VOLUME...]", Arity::AtLeast(1), "Remove volumes").rule(volume::remove).aliases(&["remove"]).flags(&[&[
        flag("force", Switch, "Do not mind a missing volume").short('f').rule(by_command),
    ]]),
    command("volume update", "[OPTIONS] [VOLUME]", Arity::Exact(1), "Change a cluster volume").since(2).refuse(CLUSTER_VOLUME).flags(&[&[
        flag("availability", Text, "State of a cluster volume: active, pause or drain").default("active").since(2).refuse(CLUSTER_VOLUME),
    ]]),
];
