//! What a caller asked for, as pure data: the command, its flags in the order given, its arguments.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::catalogue::{Command, Flag};
use crate::grammar::Notes;

/// How a flag was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    Long,
    Short,
}

/// One use of a flag. A switch's value is the word that was given, or `true` when it was bare.
#[derive(Clone)]
pub struct FlagUse {
    pub flag: &'static Flag,
    pub value: OsString,
    pub spelled: Spelling,
}

impl FlagUse {
    /// A switch's value, by Go's `strconv.ParseBool`.
    pub fn is_on(&self) -> bool {
        truth(&self.value)
    }
}

/// Whether Go's `strconv.ParseBool` reads a word as true. The grammar has refused words that it does not take.
pub fn truth(word: &OsStr) -> bool {
    matches!(word.as_bytes(), b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True")
}

/// Flags in the order given, with typed look-ups by long name.
#[derive(Clone, Default)]
pub struct Uses(pub Vec<FlagUse>);

impl Uses {
    /// The last use of a flag: for values that do not add up, the one that counts.
    pub fn last(&self, long: &str) -> Option<&FlagUse> {
        self.0.iter().rev().find(|u| u.flag.long == long)
    }
    /// A switch that is on.
    pub fn switch(&self, long: &str) -> bool {
        self.last(long).is_some_and(FlagUse::is_on)
    }
    /// The value of a text flag, if it was given.
    pub fn text(&self, long: &str) -> Option<&OsStr> {
        self.last(long).map(|u| u.value.as_os_str())
    }
    /// Every value of a flag that adds up.
    pub fn all<'a>(&'a self, long: &'a str) -> impl Iterator<Item = &'a OsStr> {
        self.0.iter().filter(move |u| u.flag.long == long).map(|u| u.value.as_os_str())
    }
    /// Whether the flag was given at all (pflag's `Changed`).
    pub fn given(&self, long: &str) -> bool {
        self.last(long).is_some()
    }
    pub fn iter(&self) -> impl Iterator<Item = &FlagUse> {
        self.0.iter()
    }
}

/// A command line that Docker's grammar accepts.
pub struct Invocation {
    /// The root's own flags: `-H`, `--config`, …
    pub globals: Uses,
    pub command: &'static Command,
    pub uses: Uses,
    pub args: Vec<OsString>,
    /// Long flags that only Podman knows, as written (`podman_extras`).
    pub extras: Vec<OsString>,
    /// What Docker prints before it starts: a deprecated flag was used.
    pub notes: Notes,
}

impl Invocation {
    /// Gives the flags that docker/cli has a default for in the environment: `--platform`, by `DOCKER_DEFAULT_PLATFORM` where an image is made
    /// or fetched (`cli/command/image/opts.go`; buildx `commands/build.go`). Where one is chosen, to be pushed or shown, it says nothing.
    pub fn with_environment(mut self, env: impl Fn(&str) -> Option<OsString>) -> Invocation {
        let of_images = match self.command.path.split_once(' ') {
            Some(("container" | "image", name)) => name,
            Some((_, "build")) => "build",
            _ => self.command.path,
        };
        let has_default = ["run", "create", "pull", "import", "build"].contains(&of_images);
        let flag = self.command.flags.iter().flat_map(|group| group.iter()).find(|flag| flag.long == "platform");
        if let Some(flag) = flag.filter(|_| has_default && !self.uses.given("platform")) {
            let default = env("DOCKER_DEFAULT_PLATFORM").filter(|value| !value.is_empty());
            self.uses.0.extend(default.map(|value| FlagUse { flag, value, spelled: Spelling::Long }));
        }
        self
    }
}
