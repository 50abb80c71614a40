//! Help for every level, in Docker's layout (docker/cli `cli/cobra.go`, pflag `FlagUsagesWrapped`), from the catalogue.

use std::fmt::Write;

use crate::catalogue::{self, Arity, Command, DOCKER_VERSION, Flag, Kind, Span};
use crate::grammar::{Help, Notes, VERSION};
use crate::installer::Asked;
use crate::plan::Answer;

/// What a request for help is answered with.
pub fn answer(request: &Help) -> Answer {
    let mut answer = Answer::default();
    answer.stdout.extend_from_slice(Notes::text(&request.notes.stdout).as_bytes());
    answer.stderr.extend_from_slice(Notes::text(&request.notes.stderr).as_bytes());
    let stream = if request.on_stderr { &mut answer.stderr } else { &mut answer.stdout };
    stream.extend_from_slice(text(request.command, width()).as_bytes());
    if let Some(error) = &request.error {
        answer.stderr.extend_from_slice(format!("{error}\n").as_bytes());
        answer.status = 1;
    }
    answer
}

/// `docker --version`; in the place of a client that a pipeline asked for, with that client's version.
pub fn version_line(client: Option<&Asked>) -> String {
    let version = client.map_or(DOCKER_VERSION, |client| &client.version);
    format!("Docker version {version}, build docker-shim-{}\n", env!("CARGO_PKG_VERSION"))
}

/// The commands that Docker lists first.
const COMMON: [&str; 12] = ["run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "search", "version", "info"];
/// The groups that Docker lists as Swarm's.
const SWARM: [&str; 6] = ["config", "node", "secret", "service", "stack", "swarm"];

/// The terminal's width as docker/cli finds it: stdin's, or 80.
fn width() -> usize {
    // SAFETY: winsize is plain data, and the ioctl fills it or fails.
    unsafe {
        let mut size: nix::libc::winsize = std::mem::zeroed();
        let got = nix::libc::ioctl(0, nix::libc::TIOCGWINSZ, &mut size);
        if got == 0 && size.ws_col > 20 { usize::from(size.ws_col) } else { 80 }
    }
}

/// A command's help, for a terminal of this many columns.
pub fn text(command: &'static Command, columns: usize) -> String {
    let root = command.path.is_empty();
    let group = command.arity == Arity::Group;
    let options = flag_usages(command, columns - 1);
    let mut text = String::new();
    if group {
        let options = if options.is_empty() { "" } else { " [OPTIONS]" };
        let _ = write!(text, "Usage:  {}{options} COMMAND\n\n{}\n", command.command_path(), command.about);
    } else {
        let _ = write!(text, "Usage:  {}\n\n{}\n", command.use_line(), command.about);
    }
    let aliases = aliases(command);
    if !aliases.is_empty() {
        let _ = write!(text, "\nAliases:\n  {aliases}\n");
    }
    if !root && !options.is_empty() {
        let _ = write!(text, "\nOptions:\n{options}");
    }
    let current = |span: Span| usize::from(span.last) + 1 >= catalogue::DOCKER_RELEASES.len() - 1;
    let mut children: Vec<_> = catalogue::children(command).filter(|c| !c.hidden && current(c.docker)).collect();
    children.sort_by_key(|c| c.path);
    let padding = children.iter().map(|c| c.name().len()).max().unwrap_or(0).max(11);
    let mut section = |title: &str, list: &[&&'static Command]| {
        if !list.is_empty() {
            let _ = write!(text, "\n{title}:\n");
            for child in list {
                let _ = writeln!(text, "  {:padding$} {}", child.name(), child.about);
            }
        }
    };
    let is_group = |c: &&&'static Command| c.arity == Arity::Group || c.path == "compose" || c.path == "buildx";
    if root {
        let common: Vec<_> = COMMON.iter().filter_map(|name| children.iter().find(|c| c.path == *name)).collect();
        section("Common Commands", &common);
    }
    section("Management Commands", &children.iter().filter(is_group).filter(|c| !SWARM.contains(&c.path)).collect::<Vec<_>>());
    section("Swarm Commands", &children.iter().filter(is_group).filter(|c| SWARM.contains(&c.path)).collect::<Vec<_>>());
    let plain = children.iter().filter(|c| !is_group(c)).filter(|c| !(root && COMMON.contains(&c.path)));
    section("Commands", &plain.collect::<Vec<_>>());
    if root {
        let _ = write!(text, "\nGlobal Options:\n{options}");
    }
    if group {
        let _ = write!(text, "\nRun '{} COMMAND --help' for more information on a command.\n", command.command_path());
    }
    if root {
        text.push_str("\nThis is docker-shim: Podman answers. `docker-shim explain COMMAND…` shows how.\n\n");
    }
    text
}

/// The other places of the tree where the same command lives.
fn aliases(command: &'static Command) -> String {
    let twin = |c: &&'static Command| c.about == command.about && c.arity != Arity::Group && c.name() != "build";
    let mut paths = Vec::new();
    let mut twins: Vec<_> =
        catalogue::commands().filter(|c| c.path == command.path || (command.arity != Arity::Group && twin(c))).collect();
    twins.sort_by_key(|c| (std::cmp::Reverse(c.path.split(' ').count()), c.path));
    for twin in twins {
        paths.push(twin.command_path());
        let parent = twin.path.rsplit_once(' ').map_or("docker".to_string(), |(parent, _)| format!("docker {parent}"));
        paths.extend(twin.aliases.iter().filter(|a| **a != twin.name()).map(|alias| format!("{parent} {alias}")));
    }
    if paths.len() > 1 { paths.join(", ") } else { String::new() }
}

/// pflag's `FlagUsagesWrapped`: a line a flag in alphabetical order, wrapped help in the second column.
fn flag_usages(command: &'static Command, columns: usize) -> String {
    let shown = |f: &&'static Flag| !f.hidden && f.docker.last >= 4 && catalogue::deprecation(f).is_none();
    let mut flags: Vec<_> = command.all_flags().filter(shown).collect();
    flags.sort_by_key(|f| f.long);
    if command.path.is_empty() {
        flags.push(&VERSION);
    }
    let left: Vec<String> = flags.iter().map(|f| left_column(f)).collect();
    let indent = left.iter().map(String::len).max().unwrap_or(0) + 3;
    let mut text = String::new();
    for (flag, left) in flags.iter().zip(&left) {
        let help = format!("{}{}", flag.help, default_note(flag));
        let _ = write!(text, "{left:indent$}");
        let room = columns.saturating_sub(indent).max(24);
        let mut used = 0;
        for (index, word) in help.split(' ').enumerate() {
            if index > 0 && used + 1 + word.chars().count() > room {
                let _ = write!(text, "\n{:indent$}", "");
                used = 0;
            } else if index > 0 {
                text.push(' ');
                used += 1;
            }
            text.push_str(word);
            used += word.chars().count();
        }
        text.push('\n');
    }
    text
}

fn left_column(flag: &Flag) -> String {
    let letter = flag.short.map_or_else(|| "    ".to_string(), |l| format!("-{l}, "));
    let kind = match flag.kind.type_name() {
        "bool" => "",
        "int64" => " int",
        "uint64" => " uint",
        "stringSlice" => " strings",
        other => return format!("  {letter}--{} {other}", flag.long),
    };
    format!("  {letter}--{}{kind}", flag.long)
}

fn default_note(flag: &Flag) -> String {
    let text = matches!(flag.kind, Kind::Text);
    match flag.default {
        "" | "0" | "0s" | "[]" | "map[]" | "false" | "<nil>" => String::new(),
        default if text => format!(" (default {default:?})"),
        default => format!(" (default {default})"),
    }
}
