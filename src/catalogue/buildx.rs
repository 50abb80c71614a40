//! `docker buildx`: the grammar of buildx 0.29.1, the plugin that `docker build` and `docker builder` hand over to.
//!
//! Hidden lines are flags and commands that the plugin takes without showing them.

use super::{Arity, Command, CommandTreatment, Flag, Kind, PODMAN_4_3, command, flag};
use crate::plan::rules::{bake, build, buildx, by_command, imagetools};

const ONE_BUILDER: &str = "Podman has one builder, so there is none to choose.";
const NO_DEBUG_LOG: &str = "It only adds buildx's own debug log.";
const NO_ATTESTATION: &str = "Podman attaches no attestations; the image is the same without them.";
const IGNORED: &str = "BuildKit takes it and ignores it.";
const NO_CACHE_STORE: &str = "Podman keeps no build cache apart from its images, so nothing is pruned.";

const NO_RECORDS: &str = "Podman keeps no records of past builds; save the output of `docker build` instead.";

/// `--builder`, which the plugin's root passes down.
const BUILDER: &[Flag] = &[flag("builder", Kind::Text, "Build with this builder instance").rule(buildx::builder)];
/// `--builder` where the plugin takes it without a use for it.
const BUILDER_HIDDEN: &[Flag] = &[flag("builder", Kind::Text, "Build with this builder instance").hidden().drop(ONE_BUILDER)];
/// `--debug`, which the plugin's root passes down.
const DEBUG: &[Flag] = &[flag("debug", Kind::Switch, "Log what buildx does in detail").short('D').drop(NO_DEBUG_LOG)];

/// What `buildx build` takes apart from `--builder` and `--debug`; `docker build` takes the same.
#[rustfmt::skip]
pub static BUILD: &[Flag] = &[
    flag("add-host", Kind::StringSlice, "Map a host name to an address (host:ip)").rule(build::add_host),
    flag("allow", Kind::StringArray, "Grant the build a privileged entitlement").drop("Podman asks for no entitlements; an instruction it cannot run still fails."),
    flag("annotation", Kind::StringArray, "Annotate the image"),
    flag("attest", Kind::StringArray, "Attach attestations (type=sbom,generator=image)").drop(NO_ATTESTATION),
    flag("build-arg", Kind::StringArray, "Give a build argument its value"),
    flag("build-context", Kind::StringArray, "Name a further build context (name=path)").rule(build::build_context),
    flag("cache-from", Kind::StringArray, "Read build cache from this source").drop("a cache cannot change the result"),
    flag("cache-to", Kind::StringArray, "Write build cache to this place").drop("A cache cannot change the result, only how soon it is there."),
    flag("call", Kind::Text, "What to do with the Dockerfile (check, outline, targets)").default("build").rule(build::call),
    flag("cgroup-parent", Kind::Text, "Run build steps under this cgroup"),
    flag("check", Kind::Switch, "The same as --call=check").rule(build::call),
    flag("file", Kind::Text, "Read this Dockerfile instead of PATH/Dockerfile").short('f').rule(by_command),
    flag("iidfile", Kind::Text, "Write the image's ID to this file").rule(by_command),
    flag("label", Kind::StringArray, "Add a label to the image"),
    flag("load", Kind::Switch, "The same as --output=type=docker").drop("What Podman builds is in its image store at once."),
    flag("metadata-file", Kind::Text, "Write facts about the result to this file").rule(by_command),
    flag("network", Kind::Text, "Network of the build's RUN steps").default("default"),
    flag("no-cache", Kind::Switch, "Build every step anew"),
    flag("no-cache-filter", Kind::StringArray, "Build the steps of these stages anew").rule(build::no_cache_filter),
    flag("output", Kind::StringArray, "Where the result goes (type=local,dest=path)").short('o').rule(by_command),
    flag("platform", Kind::StringArray, "Platform to build for").rule(build::platform),
    flag("progress", Kind::Text, "How progress is shown (auto, none, plain, quiet, rawjson, tty)").default("auto").drop("It shapes the progress output, which Podman has in one form only."),
    flag("provenance", Kind::Text, "The same as --attest=type=provenance").drop(NO_ATTESTATION),
    // A bare --pull pulls with Podman 4.3.1 and 5.8.6 but not with 5.4.2, and --pull=false is `never` from 5.4.2 on:
    // only --pull=always and its absence mean the same to all of them.
    flag("pull", Kind::Switch, "Always fetch the base images anew").rule(build::pull),
    flag("push", Kind::Switch, "The same as --output=type=registry").rule(by_command),
    flag("quiet", Kind::Switch, "Print the image's ID and nothing else").short('q').rule(by_command),
    flag("sbom", Kind::Text, "The same as --attest=type=sbom").drop(NO_ATTESTATION),
    flag("secret", Kind::StringArray, "Lend the build a secret (id=name[,src=path])").rule(build::secret),
    flag("shm-size", Kind::Bytes, "Size of /dev/shm during the build"),
    flag("ssh", Kind::StringArray, "Lend the build an SSH agent or keys").podman_since(PODMAN_4_3),
    flag("tag", Kind::StringArray, "Name the image (name:tag)").short('t').rule(by_command),
    flag("target", Kind::Text, "Stop after this build stage").rule(by_command),
    flag("ulimit", Kind::Ulimit, "Resource limits of the build").default("[]").csv(),
    // Of the builder before BuildKit: still taken, without effect; the first three print a warning.
    flag("isolation", Kind::Text, "How build containers are isolated").hidden().drop("BuildKit ignores it with a warning."),
    flag("security-opt", Kind::StringSlice, "Security options of the build").hidden().drop("BuildKit ignores it with a warning."),
    flag("squash", Kind::Switch, "Merge the new layers into one").hidden().drop("BuildKit ignores it with a warning."),
    flag("compress", Kind::Switch, "Send the build context compressed").hidden().drop("Podman reads the build context in place."),
    flag("cpu-period", Kind::Int64, "Period of the CPU quota").hidden().drop(IGNORED),
    flag("cpu-quota", Kind::Int64, "CPU time within a period").hidden().drop(IGNORED),
    flag("cpu-shares", Kind::Int64, "CPU weight against other containers").short('c').hidden().drop(IGNORED),
    flag("cpuset-cpus", Kind::Text, "CPUs to build on (0-3, 0,1)").hidden().drop(IGNORED),
    flag("cpuset-mems", Kind::Text, "Memory nodes to build on (0-3, 0,1)").hidden().drop(IGNORED),
    flag("force-rm", Kind::Switch, "Remove intermediate containers in any case").hidden().drop(IGNORED),
    flag("memory", Kind::Text, "Memory limit of the build").short('m').hidden().drop(IGNORED),
    flag("memory-swap", Kind::Text, "Limit of memory and swap together").hidden().drop(IGNORED),
    flag("rm", Kind::Switch, "Remove intermediate containers after success").hidden().default("true").drop(IGNORED),
    flag("print", Kind::Text, "Older name of --call").hidden().rule(build::call),
];

#[rustfmt::skip]
const BAKE: &[Flag] = &[
    flag("allow", Kind::StringArray, "Grant the builds access to resources").rule(by_command),
    flag("call", Kind::Text, "What to do with the Dockerfiles (check, outline, targets)").default("build").rule(by_command),
    flag("check", Kind::Switch, "The same as --call=check").rule(by_command),
    flag("file", Kind::StringArray, "Read this bake file").short('f').rule(by_command),
    flag("list", Kind::Text, "List the file's targets or variables").rule(by_command),
    flag("load", Kind::Switch, "Put all results into the image store").rule(by_command),
    flag("metadata-file", Kind::Text, "Write facts about the results to this file").rule(by_command),
    flag("no-cache", Kind::Switch, "Build every step anew").rule(by_command),
    flag("print", Kind::Switch, "Show the resolved targets, build nothing").rule(by_command),
    flag("progress", Kind::Text, "How progress is shown (auto, none, plain, quiet, rawjson, tty)").default("auto").rule(by_command),
    flag("provenance", Kind::Text, "Attach provenance to all results").rule(by_command),
    flag("pull", Kind::Switch, "Always fetch the base images anew").rule(by_command),
    flag("push", Kind::Switch, "Push all results to their registries").rule(by_command),
    flag("sbom", Kind::Text, "Attach a bill of materials to all results").rule(by_command),
    flag("set", Kind::StringArray, "Override a target's value (target.key=value)").rule(by_command),
    flag("list-targets", Kind::Switch, "List the file's targets").hidden().deprecated_by_now("list-targets is deprecated, use list=targets instead").rule(by_command),
    flag("list-variables", Kind::Switch, "List the file's variables").hidden().deprecated_by_now("list-variables is deprecated, use list=variables instead").rule(by_command),
];

#[rustfmt::skip]
const CREATE: &[Flag] = &[
    flag("append", Kind::Switch, "Add a node instead of changing the builder").rule(by_command),
    flag("bootstrap", Kind::Switch, "Start the builder once it exists").rule(by_command),
    flag("buildkitd-config", Kind::Text, "Configuration file of the BuildKit daemon").rule(by_command),
    flag("buildkitd-flags", Kind::Text, "Command-line flags of the BuildKit daemon").rule(by_command),
    flag("config", Kind::Text, "Older name of --buildkitd-config").hidden().rule(by_command),
    flag("driver", Kind::Text, "How to run it (docker-container, kubernetes, remote)").rule(by_command),
    flag("driver-opt", Kind::StringArray, "Option of the driver").rule(by_command),
    flag("leave", Kind::Switch, "Take a node away instead of changing the builder").rule(by_command),
    flag("name", Kind::Text, "Name of the builder").rule(by_command),
    flag("node", Kind::Text, "Name of the node to make or change").rule(by_command),
    flag("platform", Kind::StringArray, "Platforms the node is to build for").rule(by_command),
    flag("use", Kind::Switch, "Make it the current builder").rule(by_command),
];

const DIAL_STDIO: &[Flag] = &[
    flag("platform", Kind::Text, "Choose the node by this platform"),
    flag("progress", Kind::Text, "How progress is shown (auto, plain, rawjson, tty)").default("none"),
];

const DU: &[Flag] = &[
    flag("filter", Kind::Filter, "Show only cache records that match").rule(by_command),
    flag("format", Kind::Text, "Lay the output out by this template").rule(by_command),
    flag("verbose", Kind::Switch, "The same as --format=pretty").rule(by_command),
];

const INSPECT: &[Flag] = &[flag("bootstrap", Kind::Switch, "Start the builder before looking").rule(by_command)];

const LS: &[Flag] = &[
    flag("format", Kind::Text, "Lay the output out by this template").default("table").rule(by_command),
    flag("no-trunc", Kind::Switch, "Show values at full length").rule(by_command),
];

#[rustfmt::skip]
const PRUNE: &[Flag] = &[
    flag("all", Kind::Switch, "Remove internal and frontend images too").short('a').drop(NO_CACHE_STORE),
    flag("filter", Kind::Filter, "Remove only cache records that match").drop(NO_CACHE_STORE),
    flag("force", Kind::Switch, "Do not ask first").short('f').drop(NO_CACHE_STORE),
    flag("max-used-space", Kind::Bytes, "Let the cache use at most this").drop(NO_CACHE_STORE),
    flag("min-free-space", Kind::Bytes, "Free disk space to reach").drop(NO_CACHE_STORE),
    flag("reserved-space", Kind::Bytes, "Disk space the cache may always use").drop(NO_CACHE_STORE),
    flag("verbose", Kind::Switch, "Tell more about each record").drop(NO_CACHE_STORE),
    flag("keep-storage", Kind::Bytes, "Older name of --reserved-space").hidden().deprecated_by_now("keep-storage flag has been changed to reserved-space").drop(NO_CACHE_STORE),
];

const RM: &[Flag] = &[
    flag("all-inactive", Kind::Switch, "Remove every builder that is not running").rule(by_command),
    flag("force", Kind::Switch, "Do not ask first").short('f').rule(by_command),
    flag("keep-daemon", Kind::Switch, "Leave the BuildKit daemon running").rule(by_command),
    flag("keep-state", Kind::Switch, "Leave BuildKit's state in place").rule(by_command),
];

#[rustfmt::skip]
const USE: &[Flag] = &[
    flag("default", Kind::Switch, "Make it the current context's default").rule(by_command),
    flag("global", Kind::Switch, "Keep it when the context changes").rule(by_command),
];

const HISTORY_EXPORT: &[Flag] = &[
    flag("all", Kind::Switch, "Export every record of the builder"),
    flag("finalize", Kind::Switch, "Complete the records before exporting"),
    flag("output", Kind::Text, "Write to this file").short('o'),
];

const HISTORY_IMPORT: &[Flag] = &[flag("file", Kind::StringArray, "Read from this file").short('f')];

const HISTORY_INSPECT: &[Flag] = &[flag("format", Kind::Text, "Lay the output out by this template").default("pretty")];

#[rustfmt::skip]
const HISTORY_ATTACHMENT: &[Flag] = &[
    flag("platform", Kind::Text, "Platform the attachment is for"),
    flag("type", Kind::Text, "Kind of the attachment"),
];

const HISTORY_LOGS: &[Flag] = &[flag("progress", Kind::Text, "How progress is shown (plain, rawjson, tty)").default("plain")];

const HISTORY_LS: &[Flag] = &[
    flag("filter", Kind::StringArray, "Show only records that match (status=error)"),
    flag("format", Kind::Text, "Lay the output out by this template").default("table"),
    flag("local", Kind::Switch, "Show records of this repository only"),
    flag("no-trunc", Kind::Switch, "Show values at full length"),
];

const HISTORY_RM: &[Flag] = &[flag("all", Kind::Switch, "Remove every record")];

const HISTORY_TRACE: &[Flag] = &[
    flag("addr", Kind::Text, "Serve the viewer at this address").default("127.0.0.1:0"),
    flag("compare", Kind::Text, "Set it against another record"),
];

#[rustfmt::skip]
const IMAGETOOLS_CREATE: &[Flag] = &[
    flag("annotation", Kind::StringArray, "Annotate the new image").refuse("Podman writes the index itself."),
    flag("append", Kind::Switch, "Add to the manifest that is there").rule(by_command),
    flag("dry-run", Kind::Switch, "Show the result, push nothing").rule(by_command),
    flag("file", Kind::StringArray, "Read a source descriptor from this file").short('f').refuse("Podman writes the index itself."),
    flag("platform", Kind::StringArray, "Keep only these platforms").short('p').refuse("Podman writes the index itself."),
    flag("prefer-index", Kind::Switch, "Write an index even for a single source").default("true").rule(by_command),
    flag("progress", Kind::Text, "How progress is shown (auto, none, plain, rawjson, tty)").default("auto").rule(by_command),
    flag("tag", Kind::StringArray, "Reference of the new image").short('t').rule(by_command),
];

#[rustfmt::skip]
const IMAGETOOLS_INSPECT: &[Flag] = &[
    flag("format", Kind::Text, "Lay the output out by this template").rule(by_command),
    flag("raw", Kind::Switch, "Print the manifest as it is stored").rule(by_command),
];

/// A group of the plugin.
const fn plugin_group(path: &'static str, about: &'static str) -> Command {
    command(path, "", Arity::Group, about).treated(CommandTreatment::Group).flags(&[BUILDER, DEBUG])
}

#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    plugin_group("buildx", "Build images with the features of BuildKit"),
    command("buildx bake", "[OPTIONS] [TARGET...]", Arity::Any, "Build the targets of a bake file").aliases(&["f"]).flags(&[BUILDER, DEBUG, BAKE]).rule(bake::bake),
    command("buildx build", "[OPTIONS] PATH | URL | -", Arity::Exact(1), "Build an image from a Dockerfile").aliases(&["b"]).flags(&[BUILDER, DEBUG, BUILD]).rule(build::build),
    command("buildx create", "[OPTIONS] [CONTEXT|ENDPOINT]", Arity::AtMost(1), "Set up another builder").flags(&[BUILDER_HIDDEN, DEBUG, CREATE]).rule(buildx::create),
    command("buildx dial-stdio", "", Arity::None, "Connect standard input and output to a builder").flags(&[BUILDER, DEBUG, DIAL_STDIO]).refuse("Podman's builder is no daemon to connect to; use `docker build` instead."),
    command("buildx du", "", Arity::None, "Show the disk space of the build cache").flags(&[BUILDER, DEBUG, DU]).rule(buildx::disk_usage),
    command("buildx inspect", "[NAME]", Arity::AtMost(1), "Show details of a builder").flags(&[BUILDER, DEBUG, INSPECT]).rule(buildx::inspect),
    command("buildx install", "", Arity::Exact(0), "Let `docker builder` mean buildx").hidden().flags(&[BUILDER_HIDDEN, DEBUG]).rule(buildx::nothing),
    command("buildx ls", "", Arity::Exact(0), "List the builders").flags(&[BUILDER_HIDDEN, DEBUG, LS]).rule(buildx::list),
    command("buildx prune", "", Arity::None, "Empty the build cache").flags(&[BUILDER, DEBUG, PRUNE]).rule(build::prune),
    command("buildx rm", "[OPTIONS] [NAME...]", Arity::Any, "Remove builders").flags(&[BUILDER, DEBUG, RM]).rule(buildx::remove),
    command("buildx stop", "[NAME]", Arity::AtMost(1), "Stop a builder").flags(&[BUILDER, DEBUG]).rule(buildx::stop),
    command("buildx uninstall", "", Arity::Exact(0), "Let `docker builder` mean Docker's own").hidden().flags(&[BUILDER_HIDDEN, DEBUG]).rule(buildx::nothing),
    command("buildx use", "[OPTIONS] NAME", Arity::AtMost(1), "Make a builder the current one").flags(&[BUILDER, DEBUG, USE]).rule(buildx::choose),
    command("buildx version", "", Arity::Exact(0), "Show the version of buildx").flags(&[BUILDER_HIDDEN, DEBUG]).rule(buildx::version),

    plugin_group("buildx history", "Work with the records of past builds"),
    command("buildx history export", "[OPTIONS] [REF...]", Arity::Any, "Write build records to an archive").flags(&[BUILDER, DEBUG, HISTORY_EXPORT]).refuse(NO_RECORDS),
    command("buildx history import", "[OPTIONS] -", Arity::None, "Read build records into Docker Desktop").flags(&[BUILDER, DEBUG, HISTORY_IMPORT]).refuse(NO_RECORDS),
    // Runs by itself and has a sub-command; its help shows `[OPTIONS] COMMAND`, its errors this line.
    command("buildx history inspect", "[OPTIONS] [REF]", Arity::AtMost(1), "Show details of a build record").flags(&[BUILDER, DEBUG, HISTORY_INSPECT]).refuse(NO_RECORDS),
    command("buildx history inspect attachment", "[OPTIONS] [REF [DIGEST]]", Arity::AtMost(2), "Show an attachment of a build record").flags(&[BUILDER, DEBUG, HISTORY_ATTACHMENT]).refuse(NO_RECORDS),
    command("buildx history logs", "[OPTIONS] [REF]", Arity::AtMost(1), "Show the output of a past build").flags(&[BUILDER, DEBUG, HISTORY_LOGS]).refuse(NO_RECORDS),
    command("buildx history ls", "[OPTIONS]", Arity::None, "List the build records").flags(&[BUILDER, DEBUG, HISTORY_LS]).refuse(NO_RECORDS),
    command("buildx history open", "[OPTIONS] [REF]", Arity::AtMost(1), "Show a build record in Docker Desktop").flags(&[BUILDER, DEBUG]).refuse(NO_RECORDS),
    command("buildx history rm", "[OPTIONS] [REF...]", Arity::Any, "Remove build records").flags(&[BUILDER, DEBUG, HISTORY_RM]).refuse(NO_RECORDS),
    // In upstream's 0.29.1; Debian, whose plugin was measured, leaves it out.
    command("buildx history trace", "[OPTIONS] [REF]", Arity::AtMost(1), "Show the trace of a past build").hidden().flags(&[BUILDER, DEBUG, HISTORY_TRACE]).refuse(NO_RECORDS),

    plugin_group("buildx imagetools", "Work with images inside a registry"),
    command("buildx imagetools create", "[OPTIONS] [SOURCE...]", Arity::Any, "Make a new image out of others").flags(&[BUILDER, DEBUG, IMAGETOOLS_CREATE]).rule(imagetools::create),
    command("buildx imagetools inspect", "[OPTIONS] NAME", Arity::Exact(1), "Show details of an image in a registry").flags(&[BUILDER, DEBUG, IMAGETOOLS_INSPECT]).rule(imagetools::inspect),
];
