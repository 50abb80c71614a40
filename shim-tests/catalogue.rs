//! Holds the catalogue against what was measured, in both directions: `data/docker-grammar.json` is the grammar of six
//! Docker releases with what four Podman releases make of each flag, `data/buildx-0.29.1.json` and
//! `data/compose-2.40.3.json` are read from the plugins' `--help`. What is missing, extra or different is named.

use std::collections::{BTreeMap, BTreeSet};

use docker_shim::catalogue::{
    self, Arity, Command, CommandTreatment, DOCKER_RELEASES, Flag, OptionsEnd, Podman, Span, Treatment, commands, find, root,
};
use serde_json::Value;

/// The measured Podman releases.
const PODMANS: [(&str, Podman); 4] =
    [("3.0.1", Podman(3, 0, 1)), ("4.3.1", Podman(4, 3, 1)), ("5.4.2", Podman(5, 4, 2)), ("5.8.6", Podman(5, 8, 6))];
/// The oldest of them that is supported; a command may be missing in an older one.
const SUPPORTED: usize = 1;

/// Core commands that Docker 28 hands over to a buildx command: they take what both take.
const BUILDX_TWINS: [(&str, &str); 4] =
    [("build", "buildx build"), ("image build", "buildx build"), ("builder build", "buildx build"), ("builder prune", "buildx prune")];

/// Flags that the rows have and the catalogue has not, with the reason.
const LEFT_OUT: [(&str, &str); 3] = [
    // cobra's own flag, which the grammar adds to every command.
    ("", "help"),
    ("create", "help"),
    ("run", "help"),
];

/// Flags and commands of the plugins that the catalogue has beyond the rows: hidden ones, since the rows were read from
/// `--help`, which does not show them. Everything else that is extra fails.
fn hidden_in_a_plugin(path: &str, hidden: bool) -> bool {
    let plugin = |p: &str| p.starts_with("buildx") || p.starts_with("compose");
    hidden && (plugin(path) || BUILDX_TWINS.iter().any(|(core, _)| *core == path))
}

/// Where the catalogue says something else than the rows on purpose.
const OTHERWISE: [(&str, &str, &str); 12] = [
    // Plain strings until Docker 29, looked at by the daemon.
    ("network create", "ip-range", "type"),
    // `-t` went over to --timeout in Docker 28; the rows keep the letter that --time had before.
    ("stop", "time", "letter"),
    ("container stop", "time", "letter"),
    ("restart", "time", "letter"),
    ("container restart", "time", "letter"),
    // buildx ignores them and so takes any text.
    ("build", "memory", "type"),
    ("build", "memory-swap", "type"),
    ("image build", "memory", "type"),
    ("image build", "memory-swap", "type"),
    ("builder build", "memory", "type"),
    ("builder build", "memory-swap", "type"),
    // buildx's note, where the row has the classic builder's flag, which had none.
    ("builder prune", "keep-storage", "deprecation"),
];

/// Usage lines that the catalogue has otherwise on purpose.
const USAGE_OTHERWISE: [&str; 2] = [
    // Runs by itself and has a sub-command: help shows the group's line, the errors show its own.
    "buildx history inspect",
    // The rows have the first of its two lines only.
    "compose cp",
];

/// Commands that the catalogue has beyond the rows: shown in help, but too deep in the tree to have been measured.
const BEYOND: [&str; 3] =
    ["compose bridge transformations", "compose bridge transformations create", "compose bridge transformations list"];

/// One measured flag; `None` is what was not measured.
#[derive(Clone)]
struct Row {
    name: String,
    letter: Option<char>,
    kind: String,
    default: Option<String>,
    hidden: Option<bool>,
    deprecated: Option<String>,
    docker: Option<Span>,
    /// Whether each of [`PODMANS`] takes it; a Podman without the command counts as taking it.
    podman: Option<[bool; 4]>,
}

/// One measured command.
struct Measured {
    usage: String,
    group: bool,
    options_end: Option<OptionsEnd>,
    aliases: Option<Vec<String>>,
    hidden: Option<bool>,
    docker: Option<Span>,
    podman: Option<[bool; 4]>,
    rows: Vec<Row>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn span(releases: &Value) -> Span {
    let index = |r: &Value| DOCKER_RELEASES.iter().position(|d| Some(*d) == r.as_str()).expect("a measured release");
    let all: Vec<usize> = releases.as_array().expect("a list of releases").iter().map(index).collect();
    let (first, last) = (all[0], all[all.len() - 1]);
    assert_eq!(all.len(), last - first + 1, "a gap among the releases");
    Span { first: first as u8, last: last as u8 }
}

/// The default as help shows it: pflag shows none that is its type's zero (`defaultIsZeroValue`).
fn shown_default(kind: &str, default: &str) -> String {
    let zero = match kind {
        "stringSlice" | "stringArray" => matches!(default, "" | "[]"),
        "duration" => matches!(default, "" | "0" | "0s"),
        _ => matches!(default, "" | "0" | "false" | "<nil>"),
    };
    if zero { String::new() } else { default.to_string() }
}

fn core_row(flag: &Value) -> Row {
    let kind = text(&flag["type"]);
    let takes = |podman: &str| match flag["podman"][podman].as_str().expect("a Podman cell") {
        "accepted" | "long form only" | "no such command" => true,
        "unknown flag" => false,
        other => panic!("a Podman cell says {other}"),
    };
    Row {
        name: text(&flag["name"]),
        letter: text(&flag["short"]).chars().next(),
        default: Some(shown_default(&kind, &text(&flag["default"]))),
        kind,
        hidden: flag["hidden"].as_bool(),
        deprecated: Some(text(&flag["deprecated"])),
        docker: Some(span(&flag["docker"])),
        podman: Some(PODMANS.map(|(podman, _)| takes(podman))),
    }
}

/// The core commands by path; the root's is empty.
fn core() -> BTreeMap<String, Measured> {
    let data: Value = serde_json::from_str(include_str!("data/docker-grammar.json")).expect("docker-grammar.json");
    let command = |c: &Value| {
        let words = text(&c["command"]);
        let path = words.strip_prefix("docker").expect("docker").trim_start().to_string();
        let name = words.rsplit(' ').next().expect("a name").to_string();
        let group = c["group"].as_bool().expect("group");
        let usage = text(&c["use"]);
        let usage = match usage.split_once(' ') {
            Some((_, usage)) => usage.to_string(),
            None => String::new(),
        };
        let stops = c["flags_stop_at_first_argument"].as_bool().expect("flags_stop_at_first_argument");
        // `container rm` names itself among its aliases.
        let aliases = c["aliases"].as_array().expect("aliases").iter().map(text).filter(|a| *a != name).collect();
        let flags = c["flags"].as_array().expect("flags").iter().map(core_row);
        let bare = path.strip_prefix("container ").unwrap_or(&path);
        let rows = flags.filter(|r| !LEFT_OUT.contains(&(bare, r.name.as_str()))).collect();
        let measured = Measured {
            usage,
            group,
            options_end: Some(if stops { OptionsEnd::AtFirstArgument } else { OptionsEnd::Interspersed }),
            aliases: Some(aliases),
            hidden: c["hidden"].as_bool(),
            docker: Some(span(&c["docker"])),
            podman: Some(PODMANS.map(|(podman, _)| c["podman_has_command"][podman].as_bool().expect("podman_has_command"))),
            rows,
        };
        (path, measured)
    };
    data.as_array().expect("a list of commands").iter().map(command).collect()
}

fn plugin(json: &str) -> BTreeMap<String, Measured> {
    let data: Value = serde_json::from_str(json).expect("a plugin's rows");
    let command = |c: &Value| {
        let words = text(&c["path"]);
        let path = words.strip_prefix("docker ").expect("docker").to_string();
        let usage = text(&c["use"]).strip_prefix(&words).expect("the path first").trim_start().to_string();
        let mut rows: Vec<Row> = Vec::new();
        for flag in c["flags"].as_array().expect("flags") {
            let name = text(&flag["name"]);
            // Broken help lines that begin with another flag's name were read as that flag (`compose up`).
            if name.ends_with('.') || rows.iter().any(|r| r.name == name) {
                continue;
            }
            // Help calls a string slice `strings`, and `compose --scale` by a word of its text.
            let kind = match flag["type"].as_str().expect("type") {
                "strings" => "stringSlice",
                "scale" => "stringArray",
                kind => kind,
            };
            rows.push(Row {
                name,
                letter: text(&flag["short"]).chars().next(),
                kind: kind.to_string(),
                default: None,
                hidden: Some(false),
                deprecated: None,
                docker: None,
                podman: None,
            });
        }
        let group = usage.ends_with(" COMMAND") && !USAGE_OTHERWISE.contains(&path.as_str());
        (path, Measured { usage, group, options_end: None, aliases: None, hidden: None, docker: None, podman: None, rows })
    };
    data.as_array().expect("a list of commands").iter().map(command).collect()
}

/// All measured commands, with the plugin's rows where Docker 28 hands a core command over.
fn measured() -> BTreeMap<String, Measured> {
    let mut all = core();
    let buildx = plugin(include_str!("data/buildx-0.29.1.json"));
    for (twin, of) in BUILDX_TWINS {
        let rows = &mut all.get_mut(twin).expect("a core command").rows;
        for row in rows.iter_mut() {
            match buildx[of].rows.iter().find(|r| r.name == row.name) {
                // buildx decides; what was measured of Podman stays.
                Some(theirs) => *row = Row { podman: row.podman, ..theirs.clone() },
                // What buildx takes without showing it, with defaults of its own.
                None => (row.hidden, row.default) = (Some(true), None),
            }
        }
        let more: Vec<Row> = buildx[of].rows.iter().filter(|r| rows.iter().all(|row| row.name != r.name)).cloned().collect();
        rows.extend(more);
    }
    all.extend(buildx);
    all.extend(plugin(include_str!("data/compose-2.40.3.json")));
    all
}

/// What is wrong, and how much was looked at.
#[derive(Default)]
struct Report {
    wrong: Vec<String>,
    commands: usize,
    flags: usize,
    cells: usize,
}

impl Report {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, place: &str, what: &str, catalogue: T, measured: Option<T>) {
        if let Some(measured) = measured.filter(|m| *m != catalogue) {
            self.wrong.push(format!("{place}: {what} is {catalogue:?} in the catalogue, measured is {measured:?}"));
        }
    }

    fn command(&mut self, command: &Command, is: &Measured) {
        self.commands += 1;
        let place = command.command_path();
        let place = place.as_str();
        // A plugin's rows are from its help, where a group has a line of help's own.
        let of_help = is.group && is.docker.is_none();
        if !USAGE_OTHERWISE.contains(&command.path) && !of_help {
            self.same(place, "usage", command.usage.to_string(), Some(is.usage.clone()));
        }
        self.same(place, "being a group", command.arity == Arity::Group, Some(is.group));
        // A plugin's group may be handed over as a whole.
        let group = matches!(command.treatment, CommandTreatment::Group);
        let rule = matches!(command.treatment, CommandTreatment::Rule(_));
        self.same(place, "a group's treatment", group, Some(is.group && !rule));
        // `Unread` commands leave every word to somebody else.
        if command.options_end != OptionsEnd::Unread {
            self.same(place, "where options end", command.options_end, is.options_end);
        }
        self.same(place, "aliases", command.aliases.iter().map(ToString::to_string).collect(), is.aliases.clone());
        self.same(place, "hidden", command.hidden, is.hidden);
        self.same(place, "Docker releases", command.docker, is.docker);
        for row in &is.rows {
            match command.all_flags().find(|f| f.long == row.name) {
                Some(flag) => self.flag(command, flag, row),
                None => self.wrong.push(format!("{place}: --{} is missing in the catalogue", row.name)),
            }
        }
        for flag in command.all_flags() {
            if is.rows.iter().all(|r| r.name != flag.long) && !hidden_in_a_plugin(command.path, flag.hidden) {
                self.wrong.push(format!("{place}: --{} is in the catalogue but was not measured", flag.long));
            }
        }
    }

    fn flag(&mut self, command: &Command, flag: &Flag, row: &Row) {
        self.flags += 1;
        let place = format!("{} --{}", command.command_path(), flag.long);
        let mut same = |what: &str, catalogue: String, measured: Option<String>| {
            if !OTHERWISE.contains(&(command.path, flag.long, what)) {
                self.same(&place, what, catalogue, measured);
            }
        };
        same("letter", format!("{:?}", flag.short), Some(format!("{:?}", row.letter)));
        same("type", flag.kind.type_name().to_string(), Some(row.kind.clone()));
        same("default", flag.default.to_string(), row.default.clone());
        same("hidden", flag.hidden.to_string(), row.hidden.map(|h| h.to_string()));
        same("deprecation", flag.deprecated.to_string(), row.deprecated.clone());
        same("Docker releases", format!("{:?}", flag.docker), row.docker.map(|d| format!("{d:?}")));
    }

    /// What is handed to Podman as it is, Podman has to have.
    fn podman(&mut self, command: &Command, all: &BTreeMap<String, Measured>) {
        let place = command.command_path();
        let target = match command.treatment {
            CommandTreatment::Group | CommandTreatment::Refuse(_) => return,
            CommandTreatment::As(path) => path,
            CommandTreatment::Same | CommandTreatment::Rule(_) => command.path,
        };
        let Some(is) = all.get(target) else { return };
        if let (false, Some(has)) = (matches!(command.treatment, CommandTreatment::Rule(_)), is.podman) {
            for ((release, _), _) in PODMANS.iter().zip(has).skip(SUPPORTED).filter(|(_, has)| !has) {
                self.wrong.push(format!("{place}: goes to Podman as {target:?}, which Podman {release} has not"));
            }
            self.cells += PODMANS.len() - SUPPORTED;
        }
        for flag in command.all_flags() {
            let Some(takes) = is.rows.iter().find(|r| r.name == flag.long).and_then(|r| r.podman) else { continue };
            let (since, treatment) = match flag.treatment {
                Treatment::From(since, inner) => (since, *inner),
                treatment => (PODMANS[0].1, treatment),
            };
            // Another name cannot be looked up in the rows.
            if !matches!(treatment, Treatment::Same | Treatment::Csv) {
                continue;
            }
            for ((release, podman), takes) in PODMANS.iter().zip(takes) {
                self.cells += 1;
                if *podman >= since && !takes {
                    self.wrong.push(format!("{place} --{}: goes to Podman as it is, which Podman {release} does not take", flag.long));
                }
            }
        }
    }
}

#[test]
fn the_catalogue_is_what_was_measured() {
    let all = measured();
    let mut report = Report::default();
    for (path, is) in &all {
        match find(path) {
            Some(command) => {
                report.command(command, is);
                report.podman(command, &all);
            }
            None => report.wrong.push(format!("docker {path}: is missing in the catalogue")),
        }
    }
    for command in commands() {
        let beyond = hidden_in_a_plugin(command.path, command.hidden) || BEYOND.contains(&command.path);
        if !all.contains_key(command.path) && !beyond {
            report.wrong.push(format!("{}: is in the catalogue but was not measured", command.command_path()));
        }
    }
    println!("catalogue: {} commands, {} flag rows checked, {} Podman cells checked", report.commands, report.flags, report.cells);
    assert!(report.wrong.is_empty(), "{} differences:\n{}", report.wrong.len(), report.wrong.join("\n"));
}

#[test]
fn every_exception_is_needed() {
    let all = measured();
    for (path, flag, what) in OTHERWISE {
        let row = all[path].rows.iter().find(|r| r.name == flag).expect("an exception for a measured flag");
        let flag = find(path).and_then(|c| c.all_flags().find(|f| f.long == flag)).expect("an exception for a flag");
        let differs = match what {
            "letter" => flag.short != row.letter,
            "type" => flag.kind.type_name() != row.kind,
            "deprecation" => Some(flag.deprecated) != row.deprecated.as_deref(),
            _ => false,
        };
        assert!(differs, "docker {path} --{}: the exception for its {what} is not needed", flag.long);
    }
}

#[test]
fn commands_are_found_by_walking_the_tree() {
    for command in commands() {
        let mut at = root();
        for word in command.path.split(' ') {
            at = catalogue::child(at, word).unwrap_or_else(|| panic!("docker {}: no way to {word}", command.path));
        }
        assert!(std::ptr::eq(at, command), "docker {} leads to docker {}", command.path, at.path);
        let parent = command.path.rsplit_once(' ').map_or("", |(parent, _)| parent);
        let parent = find(parent).unwrap_or_else(|| panic!("docker {}: no parent", command.path));
        for alias in command.aliases {
            let found = catalogue::child(parent, alias).expect("an alias");
            assert!(std::ptr::eq(found, command), "docker {}: its alias {alias} leads to docker {}", command.path, found.path);
        }
    }
}

#[test]
fn no_name_is_given_twice() {
    let mut paths = BTreeSet::new();
    for command in commands().chain([root()]) {
        let place = command.command_path();
        assert!(paths.insert(command.path), "{place} is there twice");
        assert!(!command.about.is_empty(), "{place}: no line for help");
        let (mut names, mut letters) = (BTreeSet::new(), BTreeSet::new());
        for flag in command.all_flags() {
            assert!(names.insert(flag.long), "{place}: --{} is there twice", flag.long);
            assert!(flag.short.is_none_or(|letter| letters.insert(letter)), "{place}: -{} is there twice", flag.short.unwrap_or(' '));
            assert!(!flag.help.is_empty(), "{place} --{}: no line for help", flag.long);
        }
    }
}
