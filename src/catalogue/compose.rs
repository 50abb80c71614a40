//! `docker compose`: the grammar of compose 2.40.3.
//!
//! Every command is handed to a compose program as it stands, unread, as Docker does: which words are right is the program's
//! to say, whatever its version. The lines are for help and completions. Hidden lines are what the program takes without showing it.

use super::{Arity, Command, Flag, Item, Kind, OptionsEnd, command, flag};
use crate::plan::rules::compose::delegate;

/// Every command has it; compose's root passes it down.
const DRY_RUN: &[Flag] = &[flag("dry-run", Kind::Switch, "Show what would be done, change nothing")];

const INDEX: &[Flag] = &[flag("index", Kind::Int, "Number of the container among the replicas")];

const NO_DEPS: &[Flag] = &[flag("no-deps", Kind::Switch, "Leave the services it depends on alone")];

const ORPHANS: &[Flag] = &[flag("remove-orphans", Kind::Switch, "Remove containers the files no longer name")];

const QUIET_BUILD: &[Flag] = &[flag("quiet-build", Kind::Switch, "Show nothing of builds")];

const TIMEOUT: &[Flag] = &[flag("timeout", Kind::Int, "Seconds that a shutdown may take").short('t')];

/// `--y` is what `--yes` was first called by mistake.
#[rustfmt::skip]
const YES: &[Flag] = &[
    flag("yes", Kind::Switch, "Take every question as answered with yes").short('y'),
    flag("y", Kind::Switch, "Older name of --yes").hidden(),
];

/// The lists.
#[rustfmt::skip]
const LISTING: &[Flag] = &[
    flag("format", Kind::Text, "Lay the output out as table, json or template").default("table"),
    flag("quiet", Kind::Switch, "Show the bare names or IDs").short('q'),
];

/// `pull` and `push`.
#[rustfmt::skip]
const TRANSFER: &[Flag] = &[
    flag("include-deps", Kind::Switch, "Take the services they depend on too"),
    flag("quiet", Kind::Switch, "Show no progress").short('q'),
];

/// `create`, `run` and `up`: where images come from.
#[rustfmt::skip]
const FETCH: &[Flag] = &[
    flag("build", Kind::Switch, "Build images before starting containers"),
    flag("pull", Kind::Text, "When to fetch images (always, missing, never)").default("policy"),
    flag("quiet-pull", Kind::Switch, "Show no progress of pulls"),
];

/// `create` and `up`: how containers come to be.
#[rustfmt::skip]
const CREATE: &[Flag] = &[
    flag("force-recreate", Kind::Switch, "Make containers anew even if nothing changed"),
    flag("no-build", Kind::Switch, "Build no image, even where the file says so"),
    flag("no-recreate", Kind::Switch, "Keep containers that exist as they are"),
    flag("scale", Kind::StringArray, "Set a service's number of containers (SERVICE=NUM)"),
];

/// Before the sub-command.
#[rustfmt::skip]
const PROJECT: &[Flag] = &[
    flag("all-resources", Kind::Switch, "Include resources that no service uses"),
    flag("ansi", Kind::Text, "When to use terminal colours (never, always, auto)").default("auto"),
    flag("compatibility", Kind::Switch, "Behave as older compose releases did"),
    flag("env-file", Kind::StringArray, "Read the environment from this file"),
    flag("file", Kind::StringArray, "Read this compose file").short('f'),
    flag("parallel", Kind::Int, "How much to do at once, -1 for all").default("-1"),
    flag("profile", Kind::StringArray, "Switch this profile on"),
    flag("progress", Kind::Text, "How progress is shown (auto, tty, plain, json, quiet)"),
    flag("project-directory", Kind::Text, "Directory that relative paths start from"),
    flag("project-name", Kind::Text, "Name of the application").short('p'),
    flag("no-ansi", Kind::Switch, "Older form of --ansi=never").hidden(),
    flag("verbose", Kind::Switch, "Tell more").hidden(),
    flag("version", Kind::Switch, "Show the version of compose").short('v').hidden(),
    flag("workdir", Kind::Text, "Older name of --project-directory").hidden(),
];

#[rustfmt::skip]
const ATTACH: &[Flag] = &[
    flag("detach-keys", Kind::Text, "Keys that let go of the container"),
    flag("no-stdin", Kind::Switch, "Leave standard input out"),
    flag("sig-proxy", Kind::Switch, "Pass signals on to the process").default("true"),
];

#[rustfmt::skip]
const BUILD: &[Flag] = &[
    flag("build-arg", Kind::StringArray, "Give a build argument its value"),
    flag("builder", Kind::Text, "Build with this builder instance"),
    flag("check", Kind::Switch, "Check the build without running it"),
    flag("memory", Kind::Bytes, "Memory limit of the build; BuildKit ignores it").short('m'),
    flag("no-cache", Kind::Switch, "Build every step anew"),
    flag("print", Kind::Switch, "Print the build as a bake file"),
    flag("provenance", Kind::Text, "Attach provenance to the image"),
    flag("pull", Kind::Switch, "Always look for newer base images"),
    flag("push", Kind::Switch, "Push the images once built"),
    flag("quiet", Kind::Switch, "Show nothing of the build").short('q'),
    flag("sbom", Kind::Text, "Attach a bill of materials to the image"),
    flag("ssh", Kind::Text, "Lend the build an SSH agent or keys"),
    flag("with-dependencies", Kind::Switch, "Build the services they depend on too"),
    flag("compress", Kind::Switch, "Send the build context compressed").hidden().default("true"),
    flag("force-rm", Kind::Switch, "Remove intermediate containers in any case").hidden().default("true"),
    flag("no-rm", Kind::Switch, "Keep intermediate containers").hidden(),
    flag("parallel", Kind::Switch, "Build images side by side").hidden().default("true"),
    flag("progress", Kind::Text, "How progress is shown").hidden(),
];

#[rustfmt::skip]
const COMMIT: &[Flag] = &[
    flag("author", Kind::Text, "Author of the image").short('a'),
    flag("change", Kind::List(Item::Any), "Apply this Dockerfile instruction to the image").short('c'),
    flag("message", Kind::Text, "Note about the change").short('m'),
    flag("pause", Kind::Switch, "Freeze the container meanwhile").short('p').default("true"),
];

#[rustfmt::skip]
const CONFIG: &[Flag] = &[
    flag("environment", Kind::Switch, "Print the variables that are filled in"),
    flag("format", Kind::Text, "Print as yaml or json"),
    flag("hash", Kind::Text, "Print the hash of each service's settings"),
    flag("images", Kind::Switch, "Print the names of the images"),
    flag("lock-image-digests", Kind::Switch, "Print an override file that pins image digests"),
    flag("models", Kind::Switch, "Print the names of the models"),
    flag("networks", Kind::Switch, "Print the names of the networks"),
    flag("no-consistency", Kind::Switch, "Skip the check for contradictions"),
    flag("no-env-resolution", Kind::Switch, "Leave environment files of services unread"),
    flag("no-interpolate", Kind::Switch, "Leave variables as they are written"),
    flag("no-normalize", Kind::Switch, "Leave the model in the form it is written"),
    flag("no-path-resolution", Kind::Switch, "Leave paths relative"),
    flag("output", Kind::Text, "Write to this file").short('o'),
    flag("profiles", Kind::Switch, "Print the names of the profiles"),
    flag("quiet", Kind::Switch, "Check only, print nothing").short('q'),
    flag("resolve-image-digests", Kind::Switch, "Replace image tags by digests"),
    flag("services", Kind::Switch, "Print the names of the services"),
    flag("variables", Kind::Switch, "Print the model's variables and their defaults"),
    flag("volumes", Kind::Switch, "Print the names of the volumes"),
];

#[rustfmt::skip]
const CP: &[Flag] = &[
    flag("all", Kind::Switch, "Include the containers that run made"),
    flag("archive", Kind::Switch, "Keep owners and groups").short('a'),
    flag("follow-link", Kind::Switch, "Follow symbolic links in SRC_PATH").short('L'),
];

#[rustfmt::skip]
const DOWN: &[Flag] = &[
    flag("rmi", Kind::Text, "Remove images too (local, all)"),
    flag("volumes", Kind::Switch, "Remove the application's volumes too").short('v'),
    flag("volume", Kind::Switch, "Older name of --volumes").hidden(),
];

#[rustfmt::skip]
const EVENTS: &[Flag] = &[
    flag("json", Kind::Switch, "Print each event as JSON"),
    flag("since", Kind::Text, "Begin at this time"),
    flag("until", Kind::Text, "End at this time"),
];

#[rustfmt::skip]
const EXEC: &[Flag] = &[
    flag("detach", Kind::Switch, "Leave the command running in the background").short('d'),
    flag("env", Kind::StringArray, "Set an environment variable").short('e'),
    // Its default is whether standard output is no terminal.
    flag("no-tty", Kind::Switch, "Give the command no terminal").short('T'),
    flag("privileged", Kind::Switch, "Give the process extended rights"),
    flag("user", Kind::Text, "Run as this user").short('u'),
    flag("workdir", Kind::Text, "Run in this directory").short('w'),
    flag("interactive", Kind::Switch, "Keep standard input open").short('i').hidden().default("true"),
    flag("no-TTY", Kind::Switch, "Older name of --no-tty").hidden(),
    flag("tty", Kind::Switch, "Give the command a terminal").short('t').hidden().default("true"),
];

const EXPORT: &[Flag] = &[flag("output", Kind::Text, "Write to this file").short('o')];

#[rustfmt::skip]
const GENERATE: &[Flag] = &[
    flag("format", Kind::Text, "Print as yaml or json").default("yaml"),
    flag("name", Kind::Text, "Application name to write"),
    flag("project-dir", Kind::Text, "Directory of the application"),
];

const KILL: &[Flag] = &[flag("signal", Kind::Text, "Signal to send").short('s').default("SIGKILL")];

#[rustfmt::skip]
const LOGS: &[Flag] = &[
    flag("follow", Kind::Switch, "Go on with new output").short('f'),
    flag("no-color", Kind::Switch, "Use no colours"),
    flag("no-log-prefix", Kind::Switch, "Put no service names before the lines"),
    flag("since", Kind::Text, "Begin at this time, or as long ago"),
    flag("tail", Kind::Text, "Show this many last lines of each container").short('n').default("all"),
    flag("timestamps", Kind::Switch, "Put the time before each line").short('t'),
    flag("until", Kind::Text, "End at this time, or as long ago"),
];

#[rustfmt::skip]
const LS: &[Flag] = &[
    flag("all", Kind::Switch, "Include stopped applications").short('a'),
    flag("filter", Kind::Filter, "Show only applications that match"),
];

const PORT: &[Flag] = &[flag("protocol", Kind::Text, "Protocol of the port (tcp, udp)").default("tcp")];

#[rustfmt::skip]
const PS: &[Flag] = &[
    flag("all", Kind::Switch, "Include stopped containers and those of run").short('a'),
    flag("filter", Kind::Text, "Show only services that match (status=...)"),
    flag("no-trunc", Kind::Switch, "Show values at full length"),
    flag("orphans", Kind::Switch, "Include services the files do not name").default("true"),
    flag("services", Kind::Switch, "Show the names of the services"),
    flag("status", Kind::StringArray, "Show only services in this state"),
];

#[rustfmt::skip]
const PUBLISH: &[Flag] = &[
    flag("app", Kind::Switch, "Publish the images along with it"),
    flag("oci-version", Kind::Text, "OCI release to write for"),
    flag("resolve-image-digests", Kind::Switch, "Replace image tags by digests"),
    flag("with-env", Kind::Switch, "Publish environment variables too"),
];

#[rustfmt::skip]
const PULL: &[Flag] = &[
    flag("ignore-buildable", Kind::Switch, "Leave out images that can be built"),
    flag("ignore-pull-failures", Kind::Switch, "Go on where an image cannot be fetched"),
    flag("policy", Kind::Text, "When to fetch images (missing, always)"),
    flag("no-parallel", Kind::Switch, "Fetch one image after another").hidden().default("true"),
    flag("parallel", Kind::Switch, "Fetch images side by side").hidden().default("true"),
];

const PUSH: &[Flag] = &[flag("ignore-push-failures", Kind::Switch, "Go on where an image cannot be pushed")];

#[rustfmt::skip]
const RM: &[Flag] = &[
    flag("force", Kind::Switch, "Do not ask first").short('f'),
    flag("stop", Kind::Switch, "Stop the containers first where they run").short('s'),
    flag("volumes", Kind::Switch, "Remove their anonymous volumes too").short('v'),
    flag("all", Kind::Switch, "Without effect").short('a').hidden(),
];

#[rustfmt::skip]
const RUN: &[Flag] = &[
    flag("cap-add", Kind::List(Item::Any), "Give the container this capability"),
    flag("cap-drop", Kind::List(Item::Any), "Take this capability from the container"),
    flag("detach", Kind::Switch, "Leave it running and print its ID").short('d'),
    flag("entrypoint", Kind::Text, "Run this in place of the image's entrypoint"),
    flag("env", Kind::StringArray, "Set an environment variable").short('e'),
    flag("env-from-file", Kind::StringArray, "Set the environment variables of this file"),
    flag("interactive", Kind::Switch, "Keep standard input open").short('i').default("true"),
    flag("label", Kind::StringArray, "Add or replace a label").short('l'),
    flag("name", Kind::Text, "Name of the container"),
    // Its default is whether standard output is no terminal.
    flag("no-TTY", Kind::Switch, "Give the command no terminal").short('T'),
    flag("publish", Kind::StringArray, "Publish a port of the container").short('p'),
    flag("quiet", Kind::Switch, "Print nothing on standard output").short('q'),
    flag("rm", Kind::Switch, "Remove the container once it exits"),
    flag("service-ports", Kind::Switch, "Publish the service's own ports").short('P'),
    flag("use-aliases", Kind::Switch, "Use the service's aliases on its networks"),
    flag("user", Kind::Text, "Run as this user").short('u'),
    flag("volume", Kind::StringArray, "Mount a volume or directory").short('v'),
    flag("workdir", Kind::Text, "Run in this directory").short('w'),
    flag("labels", Kind::StringArray, "Another name of --label").hidden(),
    flag("tty", Kind::Switch, "Give the command a terminal").short('t').hidden().default("true"),
    flag("volumes", Kind::StringArray, "Another name of --volume").hidden(),
];

#[rustfmt::skip]
const STATS: &[Flag] = &[
    flag("all", Kind::Switch, "Include stopped containers").short('a'),
    flag("format", Kind::Text, "Lay the output out as table, json or template"),
    flag("no-stream", Kind::Switch, "Measure once and stop"),
    flag("no-trunc", Kind::Switch, "Show values at full length"),
];

#[rustfmt::skip]
const UP: &[Flag] = &[
    flag("abort-on-container-exit", Kind::Switch, "Stop everything once one container stops"),
    flag("abort-on-container-failure", Kind::Switch, "Stop everything once one container fails"),
    flag("always-recreate-deps", Kind::Switch, "Make dependent containers anew"),
    flag("attach", Kind::StringArray, "Show the output of this service only"),
    flag("attach-dependencies", Kind::Switch, "Show the output of dependent services too"),
    flag("detach", Kind::Switch, "Leave the containers running in the background").short('d'),
    flag("exit-code-from", Kind::Text, "Exit with the status of this service"),
    flag("menu", Kind::Switch, "Offer keyboard shortcuts while attached"),
    flag("no-attach", Kind::StringArray, "Leave out the output of this service"),
    flag("no-color", Kind::Switch, "Use no colours"),
    flag("no-log-prefix", Kind::Switch, "Put no service names before the lines"),
    flag("no-start", Kind::Switch, "Create the containers but do not start them"),
    flag("renew-anon-volumes", Kind::Switch, "Make anonymous volumes anew").short('V'),
    flag("timestamps", Kind::Switch, "Put the time before each line"),
    flag("wait", Kind::Switch, "Return once services run or are healthy"),
    flag("wait-timeout", Kind::Int, "Seconds to wait at most"),
    flag("watch", Kind::Switch, "Rebuild services when their files change").short('w'),
];

#[rustfmt::skip]
const VERSION: &[Flag] = &[
    flag("format", Kind::Text, "Print as pretty or json").short('f'),
    flag("short", Kind::Switch, "Print the bare number"),
];

#[rustfmt::skip]
const VIZ: &[Flag] = &[
    flag("image", Kind::Switch, "Draw the names of images"),
    flag("indentation-size", Kind::Int, "How far to indent").default("1"),
    flag("networks", Kind::Switch, "Draw the networks"),
    flag("ports", Kind::Switch, "Draw the ports"),
    flag("spaces", Kind::Switch, "Indent by spaces, not tabs"),
];

const WAIT: &[Flag] = &[flag("down-project", Kind::Switch, "Take everything down once one container stops")];

#[rustfmt::skip]
const WATCH: &[Flag] = &[
    flag("no-up", Kind::Switch, "Do not build and start services first"),
    flag("prune", Kind::Switch, "Remove images that a rebuild leaves behind").default("true"),
    flag("quiet", Kind::Switch, "Show nothing of builds"),
];

#[rustfmt::skip]
const BRIDGE_CONVERT: &[Flag] = &[
    flag("output", Kind::Text, "Write to this directory").short('o').default("out"),
    flag("templates", Kind::Text, "Directory of transformation templates"),
    flag("transformation", Kind::StringArray, "Apply this transformation").short('t'),
];

const TRANSFORMATION_CREATE: &[Flag] = &[flag("from", Kind::Text, "Transformation to copy").short('f')];

/// A group of the plugin: alone, or with a word it does not know, it shows its help.
const fn plugin_group(path: &'static str, about: &'static str) -> Command {
    command(path, "[OPTIONS] COMMAND", Arity::Group, about).flags(&[DRY_RUN]).rule(delegate)
}

/// A command that takes `--dry-run` alone.
const fn plain(path: &'static str, usage: &'static str, arity: Arity, about: &'static str) -> Command {
    command(path, usage, arity, about).flags(&[DRY_RUN]).rule(delegate)
}

#[rustfmt::skip]
pub static COMMANDS: &[Command] = &[
    Command { options_end: OptionsEnd::Unread, ..plugin_group("compose", "Run applications of several containers").flags(&[DRY_RUN, PROJECT]) },
    plain("compose attach", "[OPTIONS] SERVICE", Arity::AtLeast(1), "Connect the terminal to a service's container").flags(&[DRY_RUN, INDEX, ATTACH]),
    plain("compose build", "[OPTIONS] [SERVICE...]", Arity::Any, "Build the images of services").flags(&[DRY_RUN, BUILD]),
    plain("compose commit", "[OPTIONS] SERVICE [REPOSITORY[:TAG]]", Arity::Range(1, 2), "Make an image of a service's container").flags(&[DRY_RUN, INDEX, COMMIT]),
    plain("compose config", "[OPTIONS] [SERVICE...]", Arity::Any, "Check the compose files and show the result").flags(&[DRY_RUN, CONFIG]),
    plain("compose cp", "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n\tdocker compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH", Arity::Exact(2), "Copy files into or out of a service's container").flags(&[DRY_RUN, INDEX, CP]),
    plain("compose create", "[OPTIONS] [SERVICE...]", Arity::Any, "Create the containers of services").flags(&[DRY_RUN, ORPHANS, FETCH, CREATE, YES]),
    plain("compose down", "[OPTIONS] [SERVICES]", Arity::Any, "Stop the application and remove what it made").flags(&[DRY_RUN, ORPHANS, TIMEOUT, DOWN]),
    plain("compose events", "[OPTIONS] [SERVICE...]", Arity::Any, "Follow the events of containers").flags(&[DRY_RUN, EVENTS]),
    plain("compose exec", "[OPTIONS] SERVICE COMMAND [ARGS...]", Arity::AtLeast(2), "Run a command in a running service").flags(&[DRY_RUN, INDEX, EXEC]).stops(),
    plain("compose export", "[OPTIONS] SERVICE", Arity::AtLeast(1), "Write a service's file system to an archive").flags(&[DRY_RUN, INDEX, EXPORT]),
    plain("compose images", "[OPTIONS] [SERVICE...]", Arity::Any, "List the images in use").flags(&[DRY_RUN, LISTING]),
    plain("compose kill", "[OPTIONS] [SERVICE...]", Arity::Any, "Send a signal to services").flags(&[DRY_RUN, ORPHANS, KILL]),
    plain("compose logs", "[OPTIONS] [SERVICE...]", Arity::Any, "Show the output of services").flags(&[DRY_RUN, INDEX, LOGS]),
    plain("compose ls", "[OPTIONS]", Arity::None, "List the running applications").flags(&[DRY_RUN, LISTING, LS]),
    plain("compose pause", "[SERVICE...]", Arity::Any, "Freeze services"),
    plain("compose port", "[OPTIONS] SERVICE PRIVATE_PORT", Arity::AtLeast(2), "Show where a service's port is published").flags(&[DRY_RUN, INDEX, PORT]),
    plain("compose ps", "[OPTIONS] [SERVICE...]", Arity::Any, "List the application's containers").flags(&[DRY_RUN, LISTING, PS]),
    plain("compose publish", "[OPTIONS] REPOSITORY[:TAG]", Arity::Exact(1), "Publish the application to a registry").flags(&[DRY_RUN, YES, PUBLISH]),
    plain("compose pull", "[OPTIONS] [SERVICE...]", Arity::Any, "Fetch the images of services").flags(&[DRY_RUN, TRANSFER, PULL]),
    plain("compose push", "[OPTIONS] [SERVICE...]", Arity::Any, "Push the images of services").flags(&[DRY_RUN, TRANSFER, PUSH]),
    plain("compose restart", "[OPTIONS] [SERVICE...]", Arity::Any, "Stop services and start them again").flags(&[DRY_RUN, TIMEOUT, NO_DEPS]),
    plain("compose rm", "[OPTIONS] [SERVICE...]", Arity::Any, "Remove stopped containers of services").flags(&[DRY_RUN, RM]),
    plain("compose run", "[OPTIONS] SERVICE [COMMAND] [ARGS...]", Arity::AtLeast(1), "Run a single command in a new container").flags(&[DRY_RUN, ORPHANS, FETCH, QUIET_BUILD, NO_DEPS, RUN]).stops(),
    plain("compose scale", "[SERVICE=REPLICAS...]", Arity::AtLeast(1), "Set how many containers services have").flags(&[DRY_RUN, NO_DEPS]),
    plain("compose start", "[SERVICE...]", Arity::Any, "Start the containers of services"),
    plain("compose stats", "[OPTIONS] [SERVICE]", Arity::AtMost(1), "Follow what containers use of the machine").flags(&[DRY_RUN, STATS]),
    plain("compose stop", "[OPTIONS] [SERVICE...]", Arity::Any, "Stop services, keep their containers").flags(&[DRY_RUN, TIMEOUT]),
    plain("compose top", "[SERVICES...]", Arity::Any, "List the processes of services"),
    plain("compose unpause", "[SERVICE...]", Arity::Any, "Let frozen services go on"),
    plain("compose up", "[OPTIONS] [SERVICE...]", Arity::Any, "Create and start the application").flags(&[DRY_RUN, ORPHANS, TIMEOUT, FETCH, CREATE, YES, QUIET_BUILD, NO_DEPS, UP]),
    plain("compose version", "[OPTIONS]", Arity::None, "Show the version of compose").flags(&[DRY_RUN, VERSION]),
    plain("compose volumes", "[OPTIONS] [SERVICE...]", Arity::Any, "List the application's volumes").flags(&[DRY_RUN, LISTING]),
    plain("compose wait", "SERVICE [SERVICE...] [OPTIONS]", Arity::AtLeast(1), "Wait until services have stopped").flags(&[DRY_RUN, WAIT]),
    plain("compose watch", "[SERVICE...]", Arity::Any, "Rebuild services when their files change").flags(&[DRY_RUN, WATCH]),

    plugin_group("compose bridge", "Turn compose files into another model"),
    plain("compose bridge convert", "", Arity::Any, "Turn compose files into manifests or charts").flags(&[DRY_RUN, BRIDGE_CONVERT]),
    plugin_group("compose bridge transformations", "Work with transformation images"),
    plain("compose bridge transformations create", "[OPTION] PATH", Arity::Any, "Start a new transformation").flags(&[DRY_RUN, TRANSFORMATION_CREATE]),
    plain("compose bridge transformations list", "", Arity::Any, "List the transformations at hand").aliases(&["ls"]).flags(&[DRY_RUN, LISTING]),

    plugin_group("compose alpha", "Commands that are still on trial").hidden(),
    plain("compose alpha generate", "[OPTIONS] [CONTAINERS...]", Arity::Any, "Write a compose file for existing containers").flags(&[DRY_RUN, GENERATE]).hidden(),
    plain("compose alpha publish", "[OPTIONS] REPOSITORY[:TAG]", Arity::Exact(1), "Publish the application to a registry").flags(&[DRY_RUN, YES, PUBLISH]).hidden(),
    plain("compose alpha viz", "[OPTIONS]", Arity::Any, "Draw the application as a graph").flags(&[DRY_RUN, VIZ]).hidden(),
];
