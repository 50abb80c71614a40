//! The catalogue: every Docker command and every flag, a line each, in Docker's own grouping.
//!
//! It is the one source of truth. The grammar reads argv by it, the plan translates by it, and help, man pages,
//! completions and the compatibility table are derived from it. It covers Docker 19.03 to 29.7, buildx 0.29.1 and
//! compose 2.40.3; `shim-tests/catalogue.rs` holds it against the measured grammar in both directions.

use crate::plan::{CommandRule, FlagRule};

mod build;
mod buildx;
mod checkpoint;
mod compose;
mod container;
mod context;
mod engine;
mod image;
mod kind;
mod lookup;
mod network;
mod plugin;
mod registry;
mod service;
mod swarm;
mod system;
mod trust;
mod volume;

pub use kind::{Item, Kind};
pub use lookup::{child, children, commands, find, root};

/// The Docker release whose answers docker-shim gives: grammar, messages, defaults.
pub const DOCKER_VERSION: &str = "28.5.2";
/// The buildx whose grammar this is.
pub const BUILDX_VERSION: &str = "0.29.1";

/// A Podman release, as `podman --version` tells it: major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Podman(pub u16, pub u16, pub u16);

/// Podman 4.3.1, Debian 12's. Older ones are not supported; see [`Treatment::From`].
pub const PODMAN_4_3: Podman = Podman(4, 3, 1);
/// Podman 5.4.2, Debian 13's.
pub const PODMAN_5_4: Podman = Podman(5, 4, 2);
/// Podman 5.8.6, the newest release whose flags were measured. A newer one is treated like it.
pub const PODMAN_5_8: Podman = Podman(5, 8, 6);

/// One sentence for the caller or the compatibility table: why, and what to do instead.
pub type Why = &'static str;

/// One Docker command.
pub struct Command {
    /// The words after `docker`, by their canonical names: `container run`; empty for `docker` itself.
    pub path: &'static str,
    /// Other names for the last word, as cobra aliases: `ls` is also `list`.
    pub aliases: &'static [&'static str],
    /// What follows the path on Docker's usage line: `[OPTIONS] IMAGE [COMMAND] [ARG...]`.
    pub usage: &'static str,
    /// One line for help.
    pub about: &'static str,
    /// How many arguments Docker takes.
    pub arity: Arity,
    /// Whether options may follow the first argument.
    pub options_end: OptionsEnd,
    /// The flags, in groups that twins and relatives share.
    pub flags: &'static [&'static [Flag]],
    /// First and last of the measured Docker releases that have the command.
    pub docker: Span,
    /// Not shown in help.
    pub hidden: bool,
    /// What becomes of the command.
    pub treatment: CommandTreatment,
}

/// The measured Docker releases, oldest first. `Span` counts in them.
pub const DOCKER_RELEASES: [&str; 6] = ["19.03.15", "20.10.27", "24.0.9", "26.1.5", "28.5.2", "29.7.2"];

/// First and last index into [`DOCKER_RELEASES`] in which a command or flag exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub first: u8,
    pub last: u8,
}

impl Span {
    /// In every measured release.
    pub const ALL: Span = Span { first: 0, last: 5 };
}

/// How many arguments a command takes; the words of the refusal follow from it (docker/cli, `cli/required.go`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// A group such as `docker container`: a first argument is an unknown command.
    Group,
    None,
    Exact(usize),
    AtLeast(usize),
    AtMost(usize),
    Range(usize, usize),
    /// Any number.
    Any,
}

/// Where options end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionsEnd {
    /// Options and arguments may be mixed.
    Interspersed,
    /// The first argument ends the options; all that follows are arguments.
    AtFirstArgument,
    /// Nothing is read: every word is an argument for somebody else (a CLI plugin).
    Unread,
}

/// What becomes of a command.
#[derive(Clone, Copy)]
pub enum CommandTreatment {
    /// A group; without a sub-command its help is shown.
    Group,
    /// Podman has the same command under the same path.
    Same,
    /// Podman has it under another path: `image remove` is Podman's `image rm`.
    As(&'static str),
    /// More than that: the rule makes the plan.
    Rule(CommandRule),
    /// Cannot be kept; the sentence says why and what to do instead. Exit status 1.
    Refuse(Why),
}

/// One flag of a command.
pub struct Flag {
    /// The long name, without dashes.
    pub long: &'static str,
    /// The one-letter form.
    pub short: Option<char>,
    /// pflag's type: what values are taken and how a wrong one is refused.
    pub kind: Kind,
    /// The default as Docker's help shows it; empty where it shows none.
    pub default: &'static str,
    /// First and last of the measured Docker releases that have it.
    pub docker: Span,
    /// Not shown in help.
    pub hidden: bool,
    /// Deprecated in the newest release, with pflag's note; empty otherwise.
    pub deprecated: &'static str,
    /// The release (index into [`DOCKER_RELEASES`]) from which Docker prints that note.
    pub deprecated_in: u8,
    /// One line for help.
    pub help: &'static str,
    /// What becomes of the flag.
    pub treatment: Treatment,
}

/// What becomes of a flag.
#[derive(Clone, Copy)]
pub enum Treatment {
    /// Podman has it with the same meaning.
    Same,
    /// The same, but Podman splits each value at commas (pflag's `stringSlice`) where Docker does not: values are quoted.
    Csv,
    /// Podman has it under another name.
    As(&'static str),
    /// As the inner treatment says from this Podman on; refused with an older one.
    From(Podman, &'static Treatment),
    /// Left away: it cannot matter here, for this reason.
    Drop(Why),
    /// Refused: its meaning cannot be kept.
    Refuse(Why),
    /// More than that: the rule drafts what Podman needs.
    Rule(FlagRule),
}

/// The release whose answers we give, as index into [`DOCKER_RELEASES`].
pub const REFERENCE: u8 = 4;

/// pflag's note for a flag that is deprecated in the release whose answers we give.
pub fn deprecation(flag: &Flag) -> Option<&'static str> {
    (!flag.deprecated.is_empty() && flag.deprecated_in <= REFERENCE).then_some(flag.deprecated)
}

/// Starts a flag's line: in every Docker release, no letter, no default, the same in Podman.
pub const fn flag(long: &'static str, kind: Kind, help: &'static str) -> Flag {
    Flag {
        long,
        short: None,
        kind,
        default: "",
        docker: Span::ALL,
        hidden: false,
        deprecated: "",
        deprecated_in: 5,
        help,
        treatment: Treatment::Same,
    }
}

impl Flag {
    pub const fn short(mut self, letter: char) -> Flag {
        self.short = Some(letter);
        self
    }
    /// The default that Docker's help shows.
    pub const fn default(mut self, text: &'static str) -> Flag {
        self.default = text;
        self
    }
    /// The first measured Docker release (index into [`DOCKER_RELEASES`]) that has it.
    pub const fn since(mut self, release: u8) -> Flag {
        self.docker.first = release;
        self
    }
    /// The last measured Docker release (index into [`DOCKER_RELEASES`]) that has it.
    pub const fn until(mut self, release: u8) -> Flag {
        self.docker.last = release;
        self
    }
    pub const fn hidden(mut self) -> Flag {
        self.hidden = true;
        self
    }
    /// Deprecated in the newest release, with pflag's note.
    pub const fn deprecated(mut self, note: &'static str) -> Flag {
        self.deprecated = note;
        self
    }
    /// Deprecated already in the release whose answers we give, with pflag's note.
    pub const fn deprecated_by_now(mut self, note: &'static str) -> Flag {
        self.deprecated = note;
        self.deprecated_in = 4;
        self
    }
    pub const fn treated(mut self, treatment: Treatment) -> Flag {
        self.treatment = treatment;
        self
    }
    /// Podman's own name for it.
    pub const fn podman(self, name: &'static str) -> Flag {
        self.treated(Treatment::As(name))
    }
    /// Podman splits the values at commas, Docker does not.
    pub const fn csv(self) -> Flag {
        self.treated(Treatment::Csv)
    }
    /// The same in Podman, but only from this release on.
    pub const fn podman_since(self, podman: Podman) -> Flag {
        self.treated(Treatment::From(podman, &Treatment::Same))
    }
    pub const fn drop(self, why: Why) -> Flag {
        self.treated(Treatment::Drop(why))
    }
    pub const fn refuse(self, why: Why) -> Flag {
        self.treated(Treatment::Refuse(why))
    }
    pub const fn rule(self, rule: FlagRule) -> Flag {
        self.treated(Treatment::Rule(rule))
    }
}

/// Starts a command's line: no flags, in every Docker release, the same in Podman.
pub const fn command(path: &'static str, usage: &'static str, arity: Arity, about: &'static str) -> Command {
    Command {
        path,
        aliases: &[],
        usage,
        about,
        arity,
        options_end: OptionsEnd::Interspersed,
        flags: &[],
        docker: Span::ALL,
        hidden: false,
        treatment: CommandTreatment::Same,
    }
}

/// Starts a group's line. Its usage, in errors, is the bare path; help adds `COMMAND`.
pub const fn group(path: &'static str, about: &'static str) -> Command {
    command(path, "", Arity::Group, about).treated(CommandTreatment::Group)
}

impl Command {
    pub const fn usage(mut self, usage: &'static str) -> Command {
        self.usage = usage;
        self
    }
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Command {
        self.aliases = aliases;
        self
    }
    pub const fn flags(mut self, flags: &'static [&'static [Flag]]) -> Command {
        self.flags = flags;
        self
    }
    /// The first argument ends the options.
    pub const fn stops(mut self) -> Command {
        self.options_end = OptionsEnd::AtFirstArgument;
        self
    }
    pub const fn since(mut self, release: u8) -> Command {
        self.docker.first = release;
        self
    }
    pub const fn until(mut self, release: u8) -> Command {
        self.docker.last = release;
        self
    }
    pub const fn hidden(mut self) -> Command {
        self.hidden = true;
        self
    }
    pub const fn treated(mut self, treatment: CommandTreatment) -> Command {
        self.treatment = treatment;
        self
    }
    pub const fn podman(self, path: &'static str) -> Command {
        self.treated(CommandTreatment::As(path))
    }
    pub const fn rule(self, rule: CommandRule) -> Command {
        self.treated(CommandTreatment::Rule(rule))
    }
    pub const fn refuse(self, why: Why) -> Command {
        self.treated(CommandTreatment::Refuse(why))
    }
    /// The same command at another place of the tree: `docker run` is `docker container run`.
    pub const fn twin(&self, path: &'static str) -> Command {
        Command {
            path,
            aliases: &[],
            usage: self.usage,
            about: self.about,
            arity: self.arity,
            options_end: self.options_end,
            flags: self.flags,
            docker: self.docker,
            hidden: self.hidden,
            treatment: self.treatment,
        }
    }

    /// Its flags, group after group.
    pub fn all_flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.flags.iter().flat_map(|group| group.iter())
    }
    /// The last word of the path.
    pub fn name(&self) -> &'static str {
        self.path.rsplit(' ').next().unwrap_or(self.path)
    }
    /// `docker container run`: how cobra calls it in messages.
    pub fn command_path(&self) -> String {
        if self.path.is_empty() { "docker".to_string() } else { format!("docker {}", self.path) }
    }
    /// The usage line without its `Usage:` label.
    pub fn use_line(&self) -> String {
        if self.usage.is_empty() { self.command_path() } else { format!("{} {}", self.command_path(), self.usage) }
    }
}
