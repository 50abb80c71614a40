//! What needs a swarm: `docker swarm`, `node`, `stack`, `config`, `secret`, `deploy`. `docker service` is in `service`.

use super::{Arity, Command, Item, Kind::*, Why, command, flag, group};

/// What dockerd answers on a machine that is in no swarm; no machine with Podman is in one.
#[rustfmt::skip]
pub const NOT_A_MANAGER: Why = "Error response from daemon: This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";
const NOT_IN_A_SWARM: Why = "Error response from daemon: This node is not part of a swarm";
const NO_SWARM: Why = "Podman has no swarm mode; run the services with `docker compose up` instead";

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("swarm", "Manage a swarm"),
    command("swarm ca", "[OPTIONS]", Arity::None, "Show or change the root CA").refuse(NOT_A_MANAGER).flags(&[&[
        flag("ca-cert", PemFile, "Root CA certificate to use"),
        flag("ca-key", PemFile, "Key of the root CA to use"),
        flag("cert-expiry", Duration, "How long node certificates are valid").default("2160h0m0s"),
        flag("detach", Switch, "Do not wait for the change to finish").short('d'),
        flag("external-ca", ExternalCa, "Where certificates are signed outside"),
        flag("quiet", Switch, "Show no progress").short('q'),
        flag("rotate", Switch, "Make a new one"),
    ]]),
    command("swarm init", "[OPTIONS]", Arity::None, "Make this machine the first node of a swarm").refuse(NO_SWARM).flags(&[&[
        flag("advertise-addr", Text, "Address told to other nodes"),
        flag("autolock", Switch, "Lock managers until a key is given"),
        flag("availability", Text, "State of the node: active, pause or drain").default("active"),
        flag("cert-expiry", Duration, "How long node certificates are valid").default("2160h0m0s"),
        flag("data-path-addr", Text, "Address for data traffic"),
        flag("data-path-port", Uint32, "Port for data traffic, 1024 to 49151"),
        flag("default-addr-pool", IpNetSlice, "Address pool for networks").default("[]"),
        flag("default-addr-pool-mask-length", Uint32, "Mask length of subnets from the pool").default("24"),
        flag("dispatcher-heartbeat", Duration, "Time between heartbeats of a node").default("5s"),
        flag("external-ca", ExternalCa, "Where certificates are signed outside"),
        flag("force-new-cluster", Switch, "Start a new cluster from this state"),
        flag("listen-addr", NodeAddr, "Address to listen on").default("0.0.0.0:2377"),
        flag("max-snapshots", Uint64, "Further Raft snapshots to keep"),
        flag("snapshot-interval", Uint64, "Log entries between Raft snapshots").default("10000"),
        flag("task-history-limit", Int64, "Old tasks to remember").default("5"),
    ]]),
    command("swarm join", "[OPTIONS] HOST:PORT", Arity::Exact(1), "Join a swarm").refuse(NO_SWARM).flags(&[&[
        flag("advertise-addr", Text, "Address told to other nodes"),
        flag("availability", Text, "State of the node: active, pause or drain").default("active"),
        flag("data-path-addr", Text, "Address for data traffic"),
        flag("listen-addr", NodeAddr, "Address to listen on").default("0.0.0.0:2377"),
        flag("token", Text, "Token that lets the node in"),
    ]]),
    command("swarm join-token", "[OPTIONS] (worker|manager)", Arity::Exact(1), "Show the token to join with").refuse(NOT_A_MANAGER).flags(&[&[
        flag("quiet", Switch, "Show the token or key only").short('q'),
        flag("rotate", Switch, "Make a new one"),
    ]]),
    command("swarm leave", "[OPTIONS]", Arity::None, "Leave the swarm").refuse(NOT_IN_A_SWARM).flags(&[&[
        flag("force", Switch, "Leave whatever follows from it").short('f'),
    ]]),
    command("swarm unlock", "", Arity::None, "Unlock the swarm").refuse(NOT_IN_A_SWARM),
    command("swarm unlock-key", "[OPTIONS]", Arity::None, "Show the key to unlock with").refuse(NOT_A_MANAGER).flags(&[&[
        flag("quiet", Switch, "Show the token or key only").short('q'),
        flag("rotate", Switch, "Make a new one"),
    ]]),
    command("swarm update", "[OPTIONS]", Arity::None, "Change the swarm").refuse(NOT_A_MANAGER).flags(&[&[
        flag("autolock", Switch, "Lock managers until a key is given"),
        flag("cert-expiry", Duration, "How long node certificates are valid").default("2160h0m0s"),
        flag("dispatcher-heartbeat", Duration, "Time between heartbeats of a node").default("5s"),
        flag("external-ca", ExternalCa, "Where certificates are signed outside"),
        flag("max-snapshots", Uint64, "Further Raft snapshots to keep"),
        flag("snapshot-interval", Uint64, "Log entries between Raft snapshots").default("10000"),
        flag("task-history-limit", Int64, "Old tasks to remember").default("5"),
    ]]),
    group("node", "Manage nodes of a swarm"),
    command("node demote", "NODE [NODE...]", Arity::AtLeast(1), "Make managers workers").refuse(NOT_A_MANAGER),
    command("node inspect", "[OPTIONS] self|NODE [NODE...]", Arity::AtLeast(1), "Show all about nodes").refuse(NOT_A_MANAGER).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'),
        flag("pretty", Switch, "Show it for people"),
    ]]),
    command("node ls", "[OPTIONS]", Arity::None, "List nodes").aliases(&["list"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'),
        flag("format", Text, "Go template, json or table for the output"),
        flag("quiet", Switch, "Show IDs only").short('q'),
    ]]),
    command("node promote", "NODE [NODE...]", Arity::AtLeast(1), "Make workers managers").refuse(NOT_A_MANAGER),
    command("node ps", "[OPTIONS] [NODE...]", Arity::Any, "List the tasks of nodes").refuse(NOT_A_MANAGER).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'),
        flag("format", Text, "Go template, json or table for the output"),
        flag("no-resolve", Switch, "Show IDs, not names"),
        flag("no-trunc", Switch, "Do not shorten the output"),
        flag("quiet", Switch, "Show IDs only").short('q'),
    ]]),
    command("node rm", "[OPTIONS] NODE [NODE...]", Arity::AtLeast(1), "Remove nodes").aliases(&["remove"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("force", Switch, "Remove it by force").short('f'),
    ]]),
    command("node update", "[OPTIONS] NODE", Arity::Exact(1), "Change a node").refuse(NOT_A_MANAGER).flags(&[&[
        flag("availability", Text, "State of the node: active, pause or drain"),
        flag("label-add", List(Item::Any), "Set a label on the node"),
        flag("label-rm", List(Item::Any), "Remove a label of the node"),
        flag("role", Text, "Role of the node: worker or manager"),
    ]]),
    group("stack", "Manage stacks of services").usage("[OPTIONS]"),
    command("stack config", "[OPTIONS]", Arity::None, "Show the merged configuration of a stack").since(2).refuse("Podman has no stacks; use `docker compose config` instead").flags(&[&[
        flag("compose-file", StringSlice, "Compose file, or - for standard input").short('c').since(2),
        flag("skip-interpolation", Switch, "Leave variables as they are").since(2),
    ]]),
    command("stack deploy", "[OPTIONS] STACK", Arity::Exact(1), "Deploy or change a stack").aliases(&["up"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("bundle-file", Text, "Distributed application bundle to deploy").until(0),
        flag("compose-file", StringSlice, "Compose file, or - for standard input").short('c'),
        flag("detach", Switch, "Do not wait for the services to settle").short('d').default("true").since(3),
        flag("namespace", Text, "Kubernetes namespace").until(1),
        flag("prune", Switch, "Remove services that are gone from the file"),
        flag("quiet", Switch, "Show no progress").short('q').since(3),
        flag("resolve-image", Text, "When to ask the registry: always, changed or never").default("always"),
        flag("with-registry-auth", Switch, "Send registry credentials to the agents"),
    ]]),
    command("stack ls", "[OPTIONS]", Arity::None, "List stacks").aliases(&["list"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("all-namespaces", Switch, "Show stacks of all Kubernetes namespaces").until(1),
        flag("format", Text, "Go template, json or table for the output"),
        flag("namespace", StringSlice, "Kubernetes namespace").until(1),
    ]]),
    command("stack ps", "[OPTIONS] STACK", Arity::Exact(1), "List the tasks of a stack").refuse(NOT_A_MANAGER).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'),
        flag("format", Text, "Go template, json or table for the output"),
        flag("namespace", Text, "Kubernetes namespace").until(1),
        flag("no-resolve", Switch, "Show IDs, not names"),
        flag("no-trunc", Switch, "Do not shorten the output"),
        flag("quiet", Switch, "Show IDs only").short('q'),
    ]]),
    command("stack rm", "[OPTIONS] STACK [STACK...]", Arity::AtLeast(1), "Remove stacks").aliases(&["remove", "down"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("detach", Switch, "Do not wait for the services to settle").short('d').default("true").since(3),
        flag("namespace", Text, "Kubernetes namespace").until(1),
    ]]),
    command("stack services", "[OPTIONS] STACK", Arity::Exact(1), "List the services of a stack").refuse(NOT_A_MANAGER).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'),
        flag("format", Text, "Go template, json or table for the output"),
        flag("namespace", Text, "Kubernetes namespace").until(1),
        flag("quiet", Switch, "Show IDs only").short('q'),
    ]]),
    group("config", "Manage configs of a swarm"),
    command("config create", "[OPTIONS] CONFIG file|-", Arity::Exact(2), "Create a config").refuse(NOT_A_MANAGER).flags(&[&[
        flag("label", List(Item::Label), "Set a label").short('l'),
        flag("template-driver", Text, "Driver of the template"),
    ]]),
    command("config inspect", "[OPTIONS] CONFIG [CONFIG...]", Arity::AtLeast(1), "Show all about configs").refuse(NOT_A_MANAGER).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'),
        flag("pretty", Switch, "Show it for people"),
    ]]),
    command("config ls", "[OPTIONS]", Arity::None, "List configs").aliases(&["list"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'),
        flag("format", Text, "Go template, json or table for the output"),
        flag("quiet", Switch, "Show IDs only").short('q'),
    ]]),
    command("config rm", "CONFIG [CONFIG...]", Arity::AtLeast(1), "Remove configs").aliases(&["remove"]).refuse(NOT_A_MANAGER),
    group("secret", "Manage secrets of a swarm"),
    command("secret create", "[OPTIONS] SECRET [file|-]", Arity::Range(1, 2), "Create a secret").refuse(NOT_A_MANAGER).flags(&[&[
        flag("driver", Text, "Driver that keeps the secret").short('d'),
        flag("label", List(Item::Label), "Set a label").short('l'),
        flag("template-driver", Text, "Driver of the template"),
    ]]),
    command("secret inspect", "[OPTIONS] SECRET [SECRET...]", Arity::AtLeast(1), "Show all about secrets").refuse(NOT_A_MANAGER).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f'),
        flag("pretty", Switch, "Show it for people"),
    ]]),
    command("secret ls", "[OPTIONS]", Arity::None, "List secrets").aliases(&["list"]).refuse(NOT_A_MANAGER).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").short('f'),
        flag("format", Text, "Go template, json or table for the output"),
        flag("quiet", Switch, "Show IDs only").short('q'),
    ]]),
    command("secret rm", "SECRET [SECRET...]", Arity::AtLeast(1), "Remove secrets").aliases(&["remove"]).refuse(NOT_A_MANAGER),
    command("deploy", "[OPTIONS] STACK", Arity::Exact(1), "Deploy or change a stack").until(0).refuse("Podman has no stacks; use `docker compose up` instead").flags(&[&[
        flag("bundle-file", Text, "Distributed application bundle to deploy").until(0),
        flag("compose-file", StringSlice, "Compose file, or - for standard input").short('c').until(0),
        flag("namespace", Text, "Kubernetes namespace").until(0),
        flag("prune", Switch, "Remove services that are gone from the file").until(0),
        flag("resolve-image", Text, "When to ask the registry: always, changed or never").until(0),
        flag("with-registry-auth", Switch, "Send registry credentials to the agents").until(0),
    ]]),
];
