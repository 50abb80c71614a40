//! `docker container`, and its commands at the top: what is done with containers.

use super::image::CONTENT_TRUST;
use super::{Arity, Command, Flag, Item, Kind::*, PODMAN_4_3, PODMAN_5_4, Treatment, command, flag, group};
use crate::plan::rules::{attached, by_command, commit, container, cp, engine, hosts, inspect, mounts, prune, ps, verbs};

/// What `create` and `run` take alike.
#[rustfmt::skip]
pub const CREATE_FLAGS: &[Flag] = &[
    flag("add-host", List(Item::ExtraHost), "Add a line HOST:IP to /etc/hosts").rule(hosts::add_host),
    flag("annotation", Map(Item::Any), "Annotation for the OCI runtime").default("map[]").since(2), // strings in 4.3, stringArray since 5
    flag("attach", List(Item::Attach), "Attach to stdin, stdout or stderr").short('a').csv(),
    flag("blkio-weight", Uint16, "Relative weight of block I/O, 10 to 1000"),
    flag("blkio-weight-device", List(Item::WeightDevice), "Relative weight of block I/O for one device").default("[]"), // strings in 4.3, stringArray since 5
    flag("cap-add", List(Item::Any), "Add a Linux capability").csv(),
    flag("cap-drop", List(Item::Any), "Take a Linux capability away").csv(),
    flag("cgroup-parent", Text, "Cgroup to put the container under"),
    flag("cgroupns", Text, "Cgroup namespace to use: host or private").since(1),
    flag("cidfile", Text, "File to write the container ID to"),
    flag("cpu-count", Int64, "Number of processors (Windows)").rule(container::windows),
    flag("cpu-percent", Int64, "Share of all processors (Windows)").rule(container::windows),
    flag("cpu-period", Int64, "Period of the CPU scheduler, in microseconds"),
    flag("cpu-quota", Int64, "CPU time per period, in microseconds"),
    flag("cpu-rt-period", Int64, "Period of the real-time scheduler, in microseconds"),
    flag("cpu-rt-runtime", Int64, "Real-time CPU time per period, in microseconds"),
    flag("cpu-shares", Int64, "Relative weight of CPU time").short('c'),
    flag("cpus", Decimal, "How many CPUs it may use"),
    flag("cpuset-cpus", Text, "CPUs that it may use: 0-3, or 0,1"),
    flag("cpuset-mems", Text, "Memory nodes that it may use: 0-3, or 0,1"),
    flag("device", List(Item::Device), "Give it a device of the host"), // strings in 4.3, stringArray since 5
    flag("device-cgroup-rule", List(Item::DeviceCgroupRule), "Add a rule to the allowed devices").csv(),
    flag("device-read-bps", List(Item::ThrottleBps), "Most bytes per second read from a device").default("[]"), // strings in 4.3, stringArray since 5
    flag("device-read-iops", List(Item::ThrottleIops), "Most reads per second from a device").default("[]"), // strings in 4.3, stringArray since 5
    flag("device-write-bps", List(Item::ThrottleBps), "Most bytes per second written to a device").default("[]"), // strings in 4.3, stringArray since 5
    flag("device-write-iops", List(Item::ThrottleIops), "Most writes per second to a device").default("[]"), // strings in 4.3, stringArray since 5
    flag("dns", List(Item::IpAddress), "DNS server to ask").csv(),
    flag("dns-opt", List(Item::Any), "Option of the DNS resolver").hidden().csv(), // Podman's own alias of dns-option
    flag("dns-option", List(Item::Any), "Option of the DNS resolver").treated(Treatment::From(PODMAN_4_3, &Treatment::Csv)),
    flag("dns-search", List(Item::DnsSearch), "Domain to search names in").csv(),
    flag("domainname", Text, "NIS domain name").refuse("Podman cannot set a NIS domain name; put the domain into --hostname"),
    flag("entrypoint", Text, "Command in place of the image's entrypoint").rule(container::entrypoint),
    flag("env", List(Item::Env), "Set an environment variable").short('e').rule(by_command),
    flag("env-file", List(Item::Any), "Read environment variables from a file").rule(by_command),
    flag("expose", List(Item::Any), "Note a port, or a range, as open").csv(),
    flag("gpus", GpuRequest, "GPUs to give it, or 'all'").rule(container::gpus),
    flag("group-add", List(Item::Any), "Add a supplementary group").csv(),
    flag("health-cmd", Text, "Command that checks the health").rule(by_command),
    flag("health-interval", Duration, "Time between two health checks").rule(by_command),
    flag("health-retries", Int, "Failures in a row that mean unhealthy").rule(by_command),
    flag("health-start-interval", Duration, "Time between health checks while it starts").since(3).drop("Podman's timers know one interval: a container is known to be healthy later, never wrongly. Where no systemd runs them docker-shim keeps to it"),
    flag("health-start-period", Duration, "Time to start before failures count").rule(by_command),
    flag("health-timeout", Duration, "Most time that one health check may take").rule(by_command),
    flag("hostname", Text, "Host name inside the container").short('h'),
    flag("init", Switch, "Run an init that reaps processes and passes signals on").rule(container::init),
    flag("interactive", Switch, "Keep standard input open").short('i'),
    flag("io-maxbandwidth", Bytes, "Most bytes per second on the system drive (Windows)").rule(container::windows),
    flag("io-maxiops", Uint64, "Most operations per second on the system drive (Windows)").rule(container::windows),
    flag("ip", Ip, "IPv4 address").rule(by_command),
    flag("ip6", Ip, "IPv6 address").rule(by_command),
    flag("ipc", Text, "IPC namespace to use"),
    flag("isolation", Text, "Isolation technology (Windows)").rule(container::isolation),
    flag("kernel-memory", Bytes, "Most kernel memory it may use").hidden().deprecated("and no longer supported by the kernel").drop("kernels have no such limit any more, Docker ignores it too"),
    flag("label", List(Item::Label), "Set a label").short('l'),
    flag("label-file", List(Item::Any), "Read labels from a file"), // strings in 4.3, stringArray since 5
    flag("link", List(Item::Link), "Link to another container").rule(by_command),
    flag("link-local-ip", List(Item::Any), "Link-local address").refuse("Podman cannot set link-local addresses; leave --link-local-ip out"),
    flag("log-driver", Text, "Where the output is logged to").rule(container::driver),
    flag("log-opt", List(Item::Any), "Option of the log driver").rule(container::option),
    flag("mac-address", Text, "MAC address").rule(by_command),
    flag("memory", Bytes, "Most memory it may use").short('m'),
    flag("memory-reservation", Bytes, "Memory to keep to when the host runs short"),
    flag("memory-swap", SwapBytes, "Most memory and swap together; -1 for no limit"),
    flag("memory-swappiness", Int64, "How eagerly memory is swapped, 0 to 100").default("-1"),
    flag("mount", Mount, "Mount a volume, directory or tmpfs").rule(mounts::mount),
    flag("name", Text, "Name of the container").rule(container::name),
    flag("net", Network, "Network to join").hidden().rule(by_command),
    flag("net-alias", List(Item::Any), "Another name on its network").hidden().rule(by_command),
    flag("network", Network, "Network to join").rule(by_command),
    flag("network-alias", List(Item::Any), "Another name on its network").rule(by_command),
    flag("no-healthcheck", Switch, "Turn the image's health check off"),
    flag("oom-kill-disable", Switch, "Never kill it for want of memory"),
    flag("oom-score-adj", Int, "How soon it is killed for want of memory, -1000 to 1000"),
    flag("pid", Text, "PID namespace to use"),
    flag("pids-limit", Int64, "Most processes; -1 for no limit"),
    flag("platform", Text, "Platform of the image: os/arch/variant"),
    flag("privileged", Switch, "Give it all rights on the host"),
    flag("publish", List(Item::Any), "Publish a port, or a range, to the host").short('p').rule(container::publish),
    flag("publish-all", Switch, "Publish all exposed ports to random ports").short('P'),
    flag("pull", Text, "When to pull the image: always, missing or never").default("missing").since(1).rule(container::pull),
    flag("quiet", Switch, "Show no pull progress").short('q').since(2),
    flag("read-only", Switch, "Make the root filesystem read-only"),
    flag("restart", Text, "When to restart it after it stopped").default("no"),
    flag("rm", Switch, "Remove it, with its anonymous volumes, when it exits"),
    flag("runtime", Text, "OCI runtime to use"),
    flag("security-opt", List(Item::Any), "Security option").rule(container::security_opt),
    flag("shm-size", Bytes, "Size of /dev/shm"),
    flag("stop-signal", Text, "Signal that stops it"),
    flag("stop-timeout", Int, "Seconds to wait for it to stop"),
    flag("storage-opt", List(Item::Any), "Option of the storage driver").refuse("Podman has storage options for the whole store only; set them in storage.conf"), // Podman's flag is the root's, about the store
    flag("sysctl", Map(Item::Sysctl), "Set a kernel parameter").default("map[]").csv(),
    flag("tmpfs", List(Item::Any), "Mount a tmpfs").rule(mounts::tmpfs),
    flag("tty", Switch, "Give it a terminal").short('t'),
    flag("ulimit", Ulimit, "Set a resource limit").default("[]").csv(),
    flag("use-api-socket", Switch, "Give it the engine's socket and credentials").since(4).rule(container::api_socket),
    flag("user", Text, "User, and group, to run as: name|uid[:group|gid]").short('u'),
    flag("userns", Text, "User namespace to use"),
    flag("uts", Text, "UTS namespace to use"),
    flag("volume", List(Item::Any), "Mount a volume or a directory of the host").short('v').rule(mounts::volume),
    flag("volume-driver", Text, "Driver of volumes that are created").rule(mounts::volume_driver),
    flag("volumes-from", List(Item::Any), "Mount the volumes of another container"),
    flag("workdir", Text, "Working directory inside the container").short('w'),
];

/// What `run` takes beyond that.
const RUN_FLAGS: &[Flag] = &[
    flag("detach", Switch, "Run in the background").short('d'),
    flag("detach-keys", Text, "Keys that detach from the container"),
    flag("sig-proxy", Switch, "Pass signals on to the container").default("true"),
];

/// What `stop` and `restart` take alike.
#[rustfmt::skip]
const STOP_FLAGS: &[Flag] = &[
    flag("signal", Text, "Signal to send").short('s').since(2).rule(by_command),
    flag("time", Int, "Seconds to wait before killing it").hidden().deprecated_by_now("use --timeout instead").rule(by_command),
    flag("timeout", Int, "Seconds to wait before killing it").short('t').since(4).rule(by_command),
];

#[rustfmt::skip]
const ATTACH: Command = command("container attach", "[OPTIONS] CONTAINER", Arity::Exact(1), "Attach to a running container").rule(attached::attach).flags(&[&[
    flag("detach-keys", Text, "Keys that detach from the container"),
    flag("no-stdin", Switch, "Leave standard input alone"),
    flag("sig-proxy", Switch, "Pass signals on to the container").default("true"),
]]);

#[rustfmt::skip]
const COMMIT: Command = command("container commit", "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]", Arity::Range(1, 2), "Make an image of a container").rule(commit::commit).stops().flags(&[&[
    flag("author", Text, "Who made the image").short('a'),
    flag("change", List(Item::Any), "Apply a Dockerfile instruction to the image").short('c').rule(commit::change),
    flag("message", Text, "Note to keep with the image").short('m'),
    flag("no-pause", Switch, "Do not pause the container meanwhile").since(5).rule(by_command),
    flag("pause", Switch, "Pause the container meanwhile").short('p').default("true").hidden().deprecated("and enabled by default. Use --no-pause to disable pausing during commit.").rule(by_command),
]]);

#[rustfmt::skip]
const CP: Command = command("container cp", "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH", Arity::Exact(2), "Copy files between a container and the host").rule(cp::cp).flags(&[&[
    flag("archive", Switch, "Keep owner and group of the files").short('a').rule(by_command),
    flag("follow-link", Switch, "Follow symbolic links of the source").short('L').rule(by_command),
    flag("quiet", Switch, "Show no progress").short('q').since(2).drop("Podman's cp shows no progress"),
]]);

#[rustfmt::skip]
const CREATE: Command = command("container create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", Arity::AtLeast(1), "Create a container without starting it").rule(container::create).stops().flags(&[CREATE_FLAGS, CONTENT_TRUST]);

const DIFF: Command =
    command("container diff", "CONTAINER", Arity::Exact(1), "Show what changed in a container's files").rule(commit::diff);

#[rustfmt::skip]
const EXEC: Command = command("container exec", "[OPTIONS] CONTAINER COMMAND [ARG...]", Arity::AtLeast(2), "Run a command in a running container").rule(attached::exec).stops().flags(&[&[
    flag("detach", Switch, "Run in the background").short('d'),
    flag("detach-keys", Text, "Keys that detach from the container"),
    flag("env", List(Item::Env), "Set an environment variable").short('e').rule(attached::exec_env),
    flag("env-file", List(Item::Any), "Read environment variables from a file").since(1), // strings in 4.3, stringArray since 5
    flag("interactive", Switch, "Keep standard input open").short('i'),
    flag("privileged", Switch, "Give the command all rights"),
    flag("tty", Switch, "Give it a terminal").short('t'),
    flag("user", Text, "User, and group, to run as: name|uid[:group|gid]").short('u'),
    flag("workdir", Text, "Working directory inside the container").short('w'),
]]);

#[rustfmt::skip]
const EXPORT: Command = command("container export", "[OPTIONS] CONTAINER", Arity::Exact(1), "Write a container's files as a tar archive").rule(commit::export).flags(&[&[
    flag("output", Text, "File to write to, not standard output").short('o').rule(by_command),
]]);

#[rustfmt::skip]
const KILL: Command = command("container kill", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Kill running containers").rule(verbs::kill).flags(&[&[
    flag("signal", Text, "Signal to send").short('s').rule(by_command),
]]);

#[rustfmt::skip]
const LOGS: Command = command("container logs", "[OPTIONS] CONTAINER", Arity::Exact(1), "Show the output of a container").rule(attached::logs).flags(&[&[
    flag("details", Switch, "Show extra details"),
    flag("follow", Switch, "Go on showing new output").short('f'),
    flag("since", Text, "Only what happened since a time, or 42m for 42 minutes").rule(attached::time),
    flag("tail", Text, "Number of lines to show from the end").short('n').default("all").rule(attached::tail),
    flag("timestamps", Switch, "Show the time of each line").short('t'),
    flag("until", Text, "Only what happened until a time, or 42m for 42 minutes").rule(attached::time),
]]);

#[rustfmt::skip]
const LS: Command = command("container ls", "[OPTIONS]", Arity::None, "List containers").rule(ps::list).aliases(&["ps", "list"]).flags(&[&[
    flag("all", Switch, "Show stopped ones too").short('a').rule(by_command),
    flag("filter", Filter, "Only those that match KEY=VALUE").short('f').rule(by_command),
    flag("format", Text, "Go template, json or table for the output").rule(by_command),
    flag("last", Int, "Show the last N created, in any state").short('n').default("-1").rule(by_command),
    flag("latest", Switch, "Show the last one created, in any state").short('l').rule(by_command),
    flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
    flag("quiet", Switch, "Show IDs only").short('q').rule(by_command),
    flag("size", Switch, "Show sizes").short('s').rule(by_command),
]]);

#[rustfmt::skip]
const PAUSE: Command = command("container pause", "CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Pause all processes of containers").rule(verbs::plain);

#[rustfmt::skip]
const PORT: Command = command("container port", "CONTAINER [PRIVATE_PORT[/PROTO]]", Arity::Range(1, 2), "Show the published ports of a container").rule(ps::port);

#[rustfmt::skip]
const RENAME: Command = command("container rename", "CONTAINER NEW_NAME", Arity::Exact(2), "Give a container another name").rule(verbs::rename);

#[rustfmt::skip]
const RESTART: Command = command("container restart", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Restart containers").rule(verbs::stop).flags(&[STOP_FLAGS]);

#[rustfmt::skip]
const RM: Command = command("container rm", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Remove containers").rule(verbs::remove).aliases(&["remove"]).flags(&[&[
    flag("force", Switch, "Kill it first if it runs").short('f'),
    flag("link", Switch, "Remove the link of that name").short('l').refuse("Podman has no links; there is none to remove"),
    flag("volumes", Switch, "Remove its anonymous volumes too").short('v'),
]]);

#[rustfmt::skip]
const RUN: Command = command("container run", "[OPTIONS] IMAGE [COMMAND] [ARG...]", Arity::AtLeast(1), "Create a container and run a command in it").rule(container::create).stops().flags(&[CREATE_FLAGS, CONTENT_TRUST, RUN_FLAGS]);

#[rustfmt::skip]
const START: Command = command("container start", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Start stopped containers").rule(attached::start).flags(&[&[
    flag("attach", Switch, "Attach to its output and pass signals on").short('a'),
    flag("checkpoint", Text, "Checkpoint to restore from").refuse("Podman restores with `podman container restore`"),
    flag("checkpoint-dir", Text, "Directory of the checkpoints").refuse("Podman restores with `podman container restore`"),
    flag("detach-keys", Text, "Keys that detach from the container"),
    flag("interactive", Switch, "Attach to its standard input").short('i'),
]]);

#[rustfmt::skip]
const STATS: Command = command("container stats", "[OPTIONS] [CONTAINER...]", Arity::Any, "Show the resource use of containers").rule(engine::stats).flags(&[&[
    flag("all", Switch, "Show stopped ones too").short('a').rule(by_command),
    flag("format", Text, "Go template, json or table for the output").rule(by_command),
    flag("no-stream", Switch, "Show one reading and quit").rule(by_command),
    flag("no-trunc", Switch, "Do not shorten the output").rule(by_command),
]]);

#[rustfmt::skip]
const STOP: Command = command("container stop", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Stop running containers").rule(verbs::stop).flags(&[STOP_FLAGS]);

#[rustfmt::skip]
const TOP: Command = command("container top", "CONTAINER [ps OPTIONS]", Arity::AtLeast(1), "Show the processes of a container").stops().rule(engine::top);

#[rustfmt::skip]
const UNPAUSE: Command = command("container unpause", "CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Resume paused containers").rule(verbs::plain);

#[rustfmt::skip]
const UPDATE: Command = command("container update", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Change the resource limits of containers").rule(verbs::update).flags(&[&[
    flag("blkio-weight", Uint16, "Relative weight of block I/O, 10 to 1000"),
    flag("cpu-period", Int64, "Period of the CPU scheduler, in microseconds"),
    flag("cpu-quota", Int64, "CPU time per period, in microseconds"),
    flag("cpu-rt-period", Int64, "Period of the real-time scheduler, in microseconds"),
    flag("cpu-rt-runtime", Int64, "Real-time CPU time per period, in microseconds"),
    flag("cpu-shares", Int64, "Relative weight of CPU time").short('c'),
    flag("cpus", Decimal, "How many CPUs it may use"),
    flag("cpuset-cpus", Text, "CPUs that it may use: 0-3, or 0,1"),
    flag("cpuset-mems", Text, "Memory nodes that it may use: 0-3, or 0,1"),
    flag("kernel-memory", Bytes, "Most kernel memory it may use").hidden().deprecated("and no longer supported by the kernel").drop("kernels have no such limit any more, Docker ignores it too"),
    flag("memory", Bytes, "Most memory it may use").short('m'),
    flag("memory-reservation", Bytes, "Memory to keep to when the host runs short"),
    flag("memory-swap", SwapBytes, "Most memory and swap together; -1 for no limit"),
    flag("pids-limit", Int64, "Most processes; -1 for no limit").podman_since(PODMAN_5_4),
    flag("restart", Text, "When to restart it after it stopped").podman_since(PODMAN_5_4),
]]);

#[rustfmt::skip]
const WAIT: Command = command("container wait", "CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Wait for containers to stop and show their exit status").rule(verbs::plain);

/// The commands, in the order of help.
#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    group("container", "Manage containers"),
    ATTACH,
    COMMIT,
    CP,
    CREATE,
    DIFF,
    EXEC,
    EXPORT,
    command("container inspect", "[OPTIONS] CONTAINER [CONTAINER...]", Arity::AtLeast(1), "Show all about containers").rule(inspect::containers).flags(&[&[
        flag("format", Text, "Go template, json or table for the output").short('f').rule(by_command),
        flag("size", Switch, "Show sizes").short('s').rule(by_command),
    ]]),
    KILL,
    LOGS,
    LS,
    PAUSE,
    PORT,
    command("container prune", "[OPTIONS]", Arity::None, "Remove all stopped containers").rule(prune::containers).flags(&[&[
        flag("filter", Filter, "Only those that match KEY=VALUE").rule(by_command),
        flag("force", Switch, "Do not ask").short('f').rule(by_command),
    ]]),
    RENAME,
    RESTART,
    RM,
    RUN,
    START,
    STATS,
    STOP,
    TOP,
    UNPAUSE,
    UPDATE,
    WAIT,
    ATTACH.twin("attach"),
    COMMIT.twin("commit"),
    CP.twin("cp"),
    CREATE.twin("create"),
    DIFF.twin("diff"),
    EXEC.twin("exec"),
    EXPORT.twin("export"),
    KILL.twin("kill"),
    LOGS.twin("logs"),
    PAUSE.twin("pause"),
    PORT.twin("port"),
    LS.twin("ps"),
    RENAME.twin("rename"),
    RESTART.twin("restart"),
    RM.twin("rm"),
    RUN.twin("run"),
    START.twin("start"),
    STATS.twin("stats"),
    STOP.twin("stop"),
    TOP.twin("top"),
    UNPAUSE.twin("unpause"),
    UPDATE.twin("update"),
    WAIT.twin("wait"),
];
