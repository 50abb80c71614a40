//! `docker network`.

use super::{Arity, Command, Item, Kind::*, PODMAN_4_3, command, flag, group};

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("network", "Manage networks"),
    command("network connect", "[OPTIONS] NETWORK CONTAINER", Arity::Exact(2), "Connect a container to a network").flags(&[&[
        flag("alias", StringSlice, "Another name on this network"),
        flag("driver-opt", StringSlice, "Option of the network driver").refuse("Podman has no options for one endpoint; leave --driver-opt out"),
        flag("gw-priority", Int, "The highest number gives the default gateway").since(4).refuse("Podman cannot choose among gateways; leave --gw-priority out"),
        flag("ip", Ip, "IPv4 address").podman_since(PODMAN_4_3),
        flag("ip6", Ip, "IPv6 address").podman_since(PODMAN_4_3),
        flag("link", List(Item::Link), "Link to another container").refuse("Podman has no links; names on one network find each other"),
        flag("link-local-ip", IpSlice, "Link-local address").default("[]").refuse("Podman cannot set link-local addresses; leave --link-local-ip out"),
    ]]), // rule: atlas 11.1
    command("network create", "[OPTIONS] NETWORK", Arity::Exact(1), "Create a network").flags(&[&[
        flag("attachable", Switch, "Let containers join by hand").drop("it is about swarm; any container may join a Podman network"),
        flag("aux-address", Map(Item::Any), "Address that is not handed out: name=address").default("map[]").refuse("Podman cannot set addresses aside; use --ip-range"),
        flag("config-from", Text, "Network whose settings are copied").refuse("Podman cannot copy network settings; give them again"),
        flag("config-only", Switch, "Keep settings only, make no network").refuse("Podman has no networks without a network; leave --config-only out"),
        flag("driver", Text, "Driver of the network").short('d').default("bridge"), // rule: atlas 11.5
        flag("gateway", IpSlice, "Gateway of the subnet").default("[]"),
        flag("ingress", Switch, "Make swarm's routing-mesh network").refuse("Podman has no swarm mode; leave --ingress out"),
        flag("internal", Switch, "No way out of this network"),
        flag("ip-range", IpNetSlice, "Part of the subnet to hand addresses out from").default("[]"), // rule: Docker splits at commas, Podman does not
        flag("ipam-driver", Text, "Driver that hands addresses out").default("default").podman_since(PODMAN_4_3), // rule: atlas 11.4
        flag("ipam-opt", Map(Item::Any), "Option of the address driver").default("map[]").refuse("Podman has no options of the address driver; leave --ipam-opt out"),
        flag("ipv4", Switch, "Hand IPv4 addresses out").default("true").since(4).refuse("Podman always hands IPv4 addresses out; leave --ipv4 out"), // rule
        flag("ipv6", Switch, "Hand IPv6 addresses out"),
        flag("label", List(Item::Label), "Set a label"),
        flag("opt", Map(Item::Any), "Option of the driver").short('o').default("map[]"), // rule: atlas 11.5
        flag("scope", Text, "Scope of the network").refuse("Podman knows the scope 'local' only; leave --scope out"), // rule: atlas 11.4
        flag("subnet", StringSlice, "Subnet in CIDR form"), // rule: Docker splits at commas, Podman does not
    ]]), // rule: atlas 11.2, 11.3
    command("network disconnect", "[OPTIONS] NETWORK CONTAINER", Arity::Exact(2), "Disconnect a container from a network").flags(&[&[
        flag("force", Switch, "Disconnect it by force").short('f'),
    ]]), // rule: atlas 11.1
    command("network inspect", "[OPTIONS] NETWORK [NETWORK...]", Arity::AtLeast(1), "Show all about networks").flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'), // rule: atlas 11.6
        flag("verbose", Switch, "Show the swarm side too").short('v').drop("it shows swarm services only"),
    ]]), // rule: atlas 11.6
    command("network ls", "[OPTIONS]", Arity::None, "List networks").aliases(&["list"]).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'), // rule: atlas 11.1, 11.7
        flag("format", Text, "Go template, json or table for the output"), // rule: atlas 11.7
        flag("no-trunc", Switch, "Do not shorten the output"), // rule: atlas 11.7
        flag("quiet", Switch, "Show IDs only").short('q'), // rule: atlas 11.7
    ]]), // rule: atlas 11.1, 11.7
    command("network prune", "[OPTIONS]", Arity::None, "Remove all unused networks").flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE"),
        flag("force", Switch, "Do not ask").short('f'), // rule: atlas 11.9
    ]]), // rule: atlas 11.9
    command("network rm", "NETWORK [NETWORK...]", Arity::AtLeast(1), "Remove networks").aliases(&["remove"]).flags(&[&[
        flag("force", Switch, "Do not mind a missing network").short('f').since(2), // rule: atlas 11.8
    ]]), // rule: atlas 11.8, 11.9
];
