//! `docker network`.

use super::{Arity, Command, Item, Kind::*, PODMAN_4_3, command, flag, group};
use crate::plan::rules::{by_command, network, prune};

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("network", "Manage networks"),
    command("network connect", "[OPTIONS] NETWORK CONTAINER", Arity::Exact(2), "Connect a container to a network").rule(network::connect).flags(&[&[
        flag("alias", StringSlice, "Another name on this network"),
        flag("driver-opt", StringSlice, "Option of the network driver").refuse("Podman has no options for one endpoint; leave --driver-opt out"),
        flag("gw-priority", Int, "The highest number gives the default gateway").since(4).refuse("Podman cannot choose among gateways; leave --gw-priority out"),
        flag("ip", Ip, "IPv4 address").podman_since(PODMAN_4_3),
        flag("ip6", Ip, "IPv6 address").podman_since(PODMAN_4_3),
        flag("link", List(Item::Link), "Link to another container").refuse("Podman has no links; names on one network find each other"),
        flag("link-local-ip", IpSlice, "Link-local address").default("[]").refuse("Podman cannot set link-local addresses; leave --link-local-ip out"),
    ]]),
    command("network create", "[OPTIONS] NETWORK", Arity::Exact(1), "Create a network").rule(network::create::create).flags(&[&[
        flag("attachable", Switch, "Let containers join by hand").drop("it is about swarm; any container may join a Podman network"),
        flag("aux-address", Map(Item::Any), "Address that is not handed out: name=address").default("map[]").refuse("Podman cannot set addresses aside; use --ip-range"),
        flag("config-from", Text, "Network whose settings are copied").refuse("Podman cannot copy network settings; give them again"),
        flag("config-only", Switch, "Keep settings only, make no network").refuse("Podman has no networks without a network; leave --config-only out"),
        flag("driver", Text, "Driver of the network").short('d').default("bridge"),
        flag("gateway", IpSlice, "Gateway of the subnet").default("[]").rule(by_command),
        flag("ingress", Switch, "Make swarm's routing-mesh network").refuse("Podman has no swarm mode; leave --ingress out"),
        flag("internal", Switch, "No way out of this network"),
        flag("ip-range", StringSlice, "Part of the subnet to hand addresses out from").default("[]").rule(by_command),
        flag("ipam-driver", Text, "Driver that hands addresses out").default("default").rule(network::create::ipam_driver),
        flag("ipam-opt", Map(Item::Any), "Option of the address driver").default("map[]").refuse("Podman has no options of the address driver; leave --ipam-opt out"),
        flag("ipv4", Switch, "Hand IPv4 addresses out").default("true").since(4).rule(network::ipv4),
        flag("ipv6", Switch, "Hand IPv6 addresses out"),
        flag("label", List(Item::Label), "Set a label"),
        flag("opt", Map(Item::Any), "Option of the driver").short('o').default("map[]").rule(network::create::option),
        flag("scope", Text, "Scope of the network").rule(network::scope),
        flag("subnet", StringSlice, "Subnet in CIDR form").rule(by_command),
    ]]),
    command("network disconnect", "[OPTIONS] NETWORK CONTAINER", Arity::Exact(2), "Disconnect a container from a network").rule(network::connect).flags(&[&[
        flag("force", Switch, "Disconnect it by force").short('f'),
    ]]),
    command("network inspect", "[OPTIONS] NETWORK [NETWORK...]", Arity::AtLeast(1), "Show all about networks").rule(network::inspect).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
        flag("verbose", Switch, "Show the swarm side too").short('v').drop("it shows swarm services only"),
    ]]),
    command("network ls", "[OPTIONS]", Arity::None, "List networks").rule(network::list).aliases(&["list"]).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
        flag("format", Text, "Go template, json or table for the output").rule(by_command),
        flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
        flag("quiet", Switch, "Show IDs only").short('q').rule(by_command),
    ]]),
    command("network prune", "[OPTIONS]", Arity::None, "Remove all unused networks").rule(prune::networks).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").rule(by_command),
        flag("force", Switch, "Do not ask").short('f').rule(by_command),
    ]]),
    command("network rm", "NETWORK [NETWORK...]", Arity::AtLeast(1), "Remove networks").rule(network::remove).aliases(&["remove"]).flags(&[&[
        flag("force", Switch, "Do not mind a missing network").short('f').since(2).rule(by_command),
    ]]),
];
