//! argv to [`Invocation`] by Docker's own grammar, and Docker's own words for what it refuses.
//!
//! The walk through the command tree is cobra's `Traverse` with `TraverseChildren` set on the root, and the reading of
//! flags is pflag's `parseArgs`; both are ported here because no parser crate keeps their corners: `-e=` is the value `=`,
//! `-t=false` inside a cluster, a bad value reported before a later unknown flag, an unknown flag of a group that swallows
//! the next word. Everything works on bytes; nothing is lost on the way.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::catalogue::{self, Arity, Command, Flag, Kind, OptionsEnd};
use crate::invocation::{FlagUse, Invocation, Spelling, Uses, truth};

pub mod go;
mod values;

pub use values::{csv_record, is_ip, ram_in_bytes};

/// Nanoseconds of a duration in Go's form, `1m30s`; none for what is not one.
pub fn duration(text: &str) -> Option<i64> {
    go::parse_duration(text.as_bytes()).ok()
}

/// What an argv means.
pub enum Parsed {
    /// Run a command.
    Invocation(Invocation),
    /// Show the help of a command.
    Help(Help),
    /// `docker --version`.
    Version,
    /// `docker completion SHELL`, cobra's own command.
    Completion(OsString),
    /// A command that Docker itself does not have: a CLI plugin's, perhaps.
    Unknown(Unknown),
}

/// A command that is not in the catalogue, with all the words from its name on.
pub struct Unknown {
    pub globals: Uses,
    pub words: Vec<OsString>,
    /// What Docker says when no CLI plugin has the command either: it reads the words as the root's own.
    pub otherwise: Box<Result<Parsed, UsageError>>,
}

/// What the grammar depends on besides the catalogue.
#[derive(Clone, Copy)]
pub struct Options {
    /// False when `DOCKER_BUILDKIT=0`: then `docker build` speaks of itself; otherwise Docker hands it to buildx.
    pub buildkit: bool,
    /// Long flags and commands that only Podman has are let through.
    pub podman_extras: bool,
}

/// A request for help.
pub struct Help {
    pub command: &'static Command,
    pub notes: Notes,
    /// A group without a sub-command shows its help on stderr, `--help` shows it on stdout.
    pub on_stderr: bool,
    /// What a group's help says of an unknown sub-command, on stderr, and with status 1 (buildx only).
    pub error: Option<String>,
}

/// pflag's notes on deprecated flags, in the order of their uses, printed before anything else. cobra shows a command's on
/// stdout; the root's own reading shows them on stderr.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
}

impl Notes {
    pub fn is_empty(&self) -> bool {
        self.stdout.is_empty() && self.stderr.is_empty()
    }
    /// The lines as they are printed.
    pub fn text(lines: &[String]) -> String {
        lines.iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A command line that Docker refuses: its words for stderr and its exit status (flags 125, everything else 1).
#[derive(Debug, PartialEq, Eq)]
pub struct UsageError {
    pub notes: Notes,
    pub message: String,
    pub status: u8,
}

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for UsageError {}

const HELP_SHORTHAND_NOTE: &str = "Flag shorthand -h has been deprecated, use --help";

/// pflag's persistent `--help`, `-h`, which every command inherits.
static HELP: Flag = catalogue::flag("help", Kind::Switch, "Show this help").short('h').hidden();
/// The root's own `--version`, `-v`, which cobra adds.
pub static VERSION: Flag = catalogue::flag("version", Kind::Switch, "Show the version and quit").short('v');

/// cobra's `docker help [command]`; what it says is said by the other commands' help.
static HELP_COMMAND: Command = catalogue::command("help", "[command]", Arity::Any, "Show the help of a command");

/// Reads a whole argv, without the program's name.
pub fn parse(argv: &[OsString], options: Options) -> Result<Parsed, UsageError> {
    let root = catalogue::root();
    let buildkit = options.buildkit;
    let mut globals = Flags::default();
    let read = globals.read(root, argv, false);
    check_globals(&globals.uses)?;
    let mut rest = read.map_err(|e| flag_error(root, buildkit, &e))?;
    let mut notes = Notes { stdout: vec![], stderr: std::mem::take(&mut globals.notes) };
    let Some(first) = rest.first() else {
        let help = |on_stderr| Parsed::Help(Help { command: root, notes, on_stderr, error: None });
        return Ok(if globals.help {
            help(false)
        } else if globals.version {
            Parsed::Version
        } else {
            help(true)
        });
    };
    if first == "help" {
        return help_command(&rest[1..], notes);
    }
    if first == "completion" {
        return completion_command(&rest[1..]);
    }
    if buildkit && first == "builder" {
        // docker/cli's processAliases: every `docker builder …` is buildx's.
        rest[0] = "buildx".into();
    }
    let (command, words) = traverse(root, &rest)?;
    if command.path.is_empty() {
        let otherwise = Box::new(as_root(&rest, &globals, notes));
        return Ok(Parsed::Unknown(Unknown { globals: globals.uses, words: rest, otherwise }));
    }
    let invocation = |uses, args, extras, notes| Invocation { globals: globals.uses.clone(), command, uses, args, extras, notes };
    if command.options_end == OptionsEnd::Unread {
        return Ok(Parsed::Invocation(invocation(Uses::default(), words.to_vec(), vec![], notes)));
    }
    let interspersed = command.options_end == OptionsEnd::Interspersed;
    let mut flags = Flags { help: globals.help, extra: options.podman_extras, ..Flags::default() };
    let args = flags.read(command, words, interspersed).map_err(|e| flag_error(command, buildkit, &e))?;
    notes.stdout = flags.notes;
    if flags.help {
        let command = spoken_for(command, buildkit);
        return Ok(Parsed::Help(Help { command, notes, on_stderr: false, error: None }));
    }
    if command.arity == Arity::Group {
        return group(command, args, notes);
    }
    match check_arity(command, buildkit, args.len()) {
        Ok(()) => Ok(Parsed::Invocation(invocation(flags.uses, args, flags.extras, notes))),
        Err(error) => Err(UsageError { notes, ..error }),
    }
}

/// The words after `docker compose`: compose's own flags, the command, and what stands after it.
pub struct ComposeWords<'a> {
    pub uses: Uses,
    /// What stands before the command.
    pub before: &'a [OsString],
    pub command: OsString,
    pub rest: Vec<OsString>,
}

/// Reads the words after `docker compose`; none where there is no command, or where they are not by the grammar that we know.
pub fn compose_words(words: &[OsString]) -> Option<ComposeWords<'_>> {
    let mut flags = Flags::default();
    let mut rest = flags.read(catalogue::find("compose")?, words, false).ok()?;
    if rest.is_empty() || flags.help {
        return None;
    }
    let before = &words[..words.len() - rest.len()];
    let command = rest.remove(0);
    Some(ComposeWords { uses: flags.uses, before, command, rest })
}

/// The flags of `compose run`, and the service with its words; none where they are not by the grammar that we know.
pub fn compose_run(rest: &[OsString]) -> Option<(Uses, Vec<OsString>)> {
    let mut flags = Flags::default();
    let args = flags.read(catalogue::find("compose run")?, rest, false).ok()?;
    (!flags.help && !args.is_empty()).then_some((flags.uses, args))
}

/// What docker/cli looks at as soon as it has read the root's flags, before the command (`cli/command/cli.go`).
fn check_globals(globals: &Uses) -> Result<(), UsageError> {
    let given = |name| globals.text(name).filter(|value| !value.is_empty());
    if let Some(level) = given("log-level") {
        let level = level.to_string_lossy();
        let known = ["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];
        if !known.contains(&level.to_lowercase().as_str()) {
            return Err(refuse(format!("Unable to parse logging level: {level}")));
        }
    }
    match (given("host"), given("context")) {
        (Some(_), Some(_)) => Err(refuse("conflicting options: cannot specify both --host and --context".to_string())),
        _ => Ok(()),
    }
}

/// What Docker makes of words that begin with no command of its own: cobra reads them by the root's flags, wherever they
/// stand, before it says so.
fn as_root(words: &[OsString], globals: &Flags, mut notes: Notes) -> Result<Parsed, UsageError> {
    let root = catalogue::root();
    let mut flags = Flags { help: globals.help, version: globals.version, uses: globals.uses.clone(), ..Flags::default() };
    let args = flags.read(root, words, true).map_err(|e| flag_error(root, true, &e))?;
    notes.stdout = flags.notes;
    if flags.help {
        return Ok(Parsed::Help(Help { command: root, notes, on_stderr: false, error: None }));
    }
    if flags.version {
        return Ok(Parsed::Version);
    }
    let word = args.first().map(|w| w.to_string_lossy()).unwrap_or_default();
    let error = refuse(format!("docker: unknown command: docker {word}\n\nRun 'docker --help' for more information"));
    Err(UsageError { notes, ..error })
}

/// A group that no sub-command was found for: its help, or Docker's "unknown command".
fn group(command: &'static Command, args: Vec<OsString>, notes: Notes) -> Result<Parsed, UsageError> {
    let buildx = is_buildx(command);
    match args.first() {
        None => Ok(Parsed::Help(Help { command, notes, on_stderr: !buildx, error: None })),
        Some(word) if buildx => {
            let error = format!("ERROR: unknown command: {}", go::quote(word.as_bytes()));
            Ok(Parsed::Help(Help { command, notes, on_stderr: false, error: Some(error) }))
        }
        Some(word) => {
            let (path, word) = (command.command_path(), String::from_utf8_lossy(word.as_bytes()));
            let usage = command.use_line();
            let message = format!("docker: unknown command: {path} {word}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information");
            Err(UsageError { notes, ..refuse(message) })
        }
    }
}

/// `docker help [COMMAND…]`.
fn help_command(words: &[OsString], mut notes: Notes) -> Result<Parsed, UsageError> {
    let mut flags = Flags::default();
    let words = flags.read(&HELP_COMMAND, words, true).map_err(|e| flag_error(&HELP_COMMAND, true, &e))?;
    notes.stdout = flags.notes;
    let mut command = if flags.help { &HELP_COMMAND } else { catalogue::root() };
    let mut rest = if flags.help { &[] } else { words.as_slice() };
    while let Some(child) = rest.first().and_then(|w| w.to_str()).and_then(|w| catalogue::child(command, w)) {
        command = child;
        rest = &rest[1..];
    }
    if !rest.is_empty() {
        let topic = rest.join(OsStr::new(" "));
        return Err(UsageError { notes, ..refuse(format!("unknown help topic: {}", topic.to_string_lossy())) });
    }
    Ok(Parsed::Help(Help { command, notes, on_stderr: false, error: None }))
}

/// `docker completion SHELL`: cobra's hidden command.
fn completion_command(words: &[OsString]) -> Result<Parsed, UsageError> {
    match words {
        [shell] => Ok(Parsed::Completion(shell.clone())),
        _ => Err(refuse("docker: 'docker completion' requires 1 argument: bash, zsh or fish".to_string())),
    }
}

fn refuse(message: String) -> UsageError {
    UsageError { notes: Notes::default(), message, status: 1 }
}

/// cobra's `Command.Traverse`: finds the command, reading the groups' flags on the way. A group's flag that it does not
/// know takes the next word with it, as there, because it might be the flag's value.
fn traverse<'a>(from: &'static Command, words: &'a [OsString]) -> Result<(&'static Command, &'a [OsString]), UsageError> {
    let (mut command, mut words) = (from, words);
    'descend: loop {
        if command.options_end == OptionsEnd::Unread {
            return Ok((command, words));
        }
        let mut group_words = Vec::new();
        let mut in_flag = false;
        for (index, word) in words.iter().enumerate() {
            let bytes = word.as_bytes();
            let plain = !bytes.contains(&b'=');
            if bytes.starts_with(b"--") && plain {
                in_flag = !own_flag(command, |f| f.long.as_bytes() == &bytes[2..]).is_some_and(is_switch);
            } else if bytes.len() == 2 && bytes[0] == b'-' && plain && !own_flag(command, |f| letter_is(f, bytes[1])).is_some_and(is_switch)
            {
                in_flag = true;
            } else if in_flag {
                in_flag = false;
            } else if bytes.len() >= 2 && bytes[0] == b'-' {
            } else {
                let Some(child) = word.to_str().and_then(|w| catalogue::child(command, w)) else {
                    return Ok((command, words));
                };
                // cobra reports these without the usage lines, and with status 1.
                let prefix = if is_buildx(command) { "ERROR: " } else { "" };
                Flags::default().read(command, &group_words, true).map_err(|e| refuse(format!("{prefix}{e}")))?;
                (command, words) = (child, &words[index + 1..]);
                continue 'descend;
            }
            group_words.push(word.clone());
        }
        return Ok((command, words));
    }
}

fn own_flag(command: &'static Command, is: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
    command.all_flags().find(|f| is(f))
}

fn is_switch(flag: &Flag) -> bool {
    flag.kind == Kind::Switch
}

fn letter_is(flag: &Flag, byte: u8) -> bool {
    flag.short.is_some_and(|c| c as u32 == u32::from(byte))
}

/// What one reading of flags found: pflag's `FlagSet` after `Parse`.
#[derive(Default)]
struct Flags {
    uses: Uses,
    help: bool,
    version: bool,
    notes: Vec<String>,
    /// Whether unknown long flags are kept, as Podman's, rather than refused.
    extra: bool,
    extras: Vec<OsString>,
}

impl Flags {
    /// pflag's `parseArgs`. Gives the arguments; an error is pflag's text.
    fn read(&mut self, command: &'static Command, words: &[OsString], interspersed: bool) -> Result<Vec<OsString>, String> {
        let mut args = Vec::new();
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let bytes = word.as_bytes();
            if bytes.len() < 2 || bytes[0] != b'-' {
                args.push(word.clone());
                if !interspersed {
                    args.extend(rest.cloned());
                    return Ok(args);
                }
            } else if bytes == b"--" {
                args.extend(rest.cloned());
                return Ok(args);
            } else if bytes[1] == b'-' {
                self.long(command, bytes, &mut rest)?;
            } else {
                self.letters(command, &bytes[1..], &mut rest)?;
            }
        }
        Ok(args)
    }

    /// `--name`, `--name=value`, `--name value`.
    fn long(&mut self, command: &'static Command, word: &[u8], rest: &mut std::slice::Iter<'_, OsString>) -> Result<(), String> {
        let body = &word[2..];
        if matches!(body.first(), None | Some(b'-' | b'=')) {
            return Err(format!("bad flag syntax: {}", String::from_utf8_lossy(word)));
        }
        let (name, value) = match body.iter().position(|b| *b == b'=') {
            Some(at) => (&body[..at], Some(&body[at + 1..])),
            None => (body, None),
        };
        let Some(flag) = find(command, |f| f.long.as_bytes() == name) else {
            if self.extra {
                self.extras.push(OsString::from_vec(word.to_vec()));
                return Ok(());
            }
            return Err(format!("unknown flag: --{}", String::from_utf8_lossy(name)));
        };
        let value = match value {
            Some(value) => OsString::from_vec(value.to_vec()),
            None if is_switch(flag) => OsString::from("true"),
            None => match rest.next() {
                Some(next) => next.clone(),
                None => return Err(format!("flag needs an argument: --{}", flag.long)),
            },
        };
        self.set(flag, value, Spelling::Long)
    }

    /// `-abc`: letters until one takes a value, which is the rest of the word or the next word.
    fn letters(&mut self, command: &'static Command, word: &[u8], rest: &mut std::slice::Iter<'_, OsString>) -> Result<(), String> {
        let mut letters = word;
        while let Some((&letter, after)) = letters.split_first() {
            // pflag lets `go test`'s own flags pass.
            if letters.starts_with(b"test.") {
                return Ok(());
            }
            let Some(flag) = find(command, |f| letter_is(f, letter)) else {
                let (letter, all) = (go::quote_rune(letter), String::from_utf8_lossy(letters));
                return Err(format!("unknown shorthand flag: {letter} in -{all}"));
            };
            let value = if after.len() > 1 && after[0] == b'=' {
                letters = &[];
                OsString::from_vec(after[1..].to_vec())
            } else if is_switch(flag) {
                letters = after;
                OsString::from("true")
            } else if !after.is_empty() {
                letters = &[];
                OsString::from_vec(after.to_vec())
            } else if let Some(next) = rest.next() {
                letters = &[];
                next.clone()
            } else {
                let (letter, all) = (go::quote_rune(letter), String::from_utf8_lossy(letters));
                return Err(format!("flag needs an argument: {letter} in -{all}"));
            };
            if std::ptr::eq(flag, &HELP) {
                self.notes.push(HELP_SHORTHAND_NOTE.to_string());
            }
            self.set(flag, value, Spelling::Short)?;
        }
        Ok(())
    }

    /// pflag's `FlagSet.Set`.
    fn set(&mut self, flag: &'static Flag, value: OsString, spelled: Spelling) -> Result<(), String> {
        // The root's -H is a list that takes one.
        let second_host = flag.long == "host" && self.uses.given("host");
        let checked = if second_host { Err("specify only one -H".to_string()) } else { values::check(flag.kind, &value) };
        if let Err(cause) = checked {
            let name = match flag.short {
                Some(letter) if flag.long != HELP.long => format!("-{letter}, --{}", flag.long),
                _ => format!("--{}", flag.long),
            };
            return Err(format!("invalid argument {} for {} flag: {cause}", go::quote(value.as_bytes()), go::quote(name.as_bytes())));
        }
        if std::ptr::eq(flag, &HELP) {
            self.help = truth(&value);
            return Ok(());
        }
        if std::ptr::eq(flag, &VERSION) {
            self.version = truth(&value);
            return Ok(());
        }
        if let Some(note) = catalogue::deprecation(flag) {
            self.notes.push(format!("Flag --{} has been deprecated, {note}", flag.long));
        }
        self.uses.0.push(FlagUse { flag, value, spelled });
        Ok(())
    }
}

/// Looks a flag up: the command's own first, then what it inherits.
fn find(command: &'static Command, is: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
    let inherited = || {
        let root = command.path.is_empty();
        [&HELP, &VERSION].into_iter().find(|f| (root || f.long == HELP.long) && is(f))
    };
    own_flag(command, &is).or_else(inherited)
}

/// docker/cli's `FlagErrorFunc`.
fn flag_error(command: &'static Command, buildkit: bool, error: &str) -> UsageError {
    let (path, usage) = spoken(command, buildkit);
    UsageError {
        notes: Notes::default(),
        message: format!("{error}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information"),
        status: 125,
    }
}

/// The path and usage line in messages. `docker build` is buildx's since Docker 23.
fn spoken(command: &'static Command, buildkit: bool) -> (String, String) {
    let command = spoken_for(command, buildkit);
    (command.command_path(), command.use_line())
}

fn spoken_for(command: &'static Command, buildkit: bool) -> &'static Command {
    let buildx = match command.path {
        "build" | "image build" | "builder build" if buildkit => catalogue::find("buildx build"),
        _ => None,
    };
    buildx.unwrap_or(command)
}

fn is_buildx(command: &Command) -> bool {
    command.path == "buildx" || command.path.starts_with("buildx ")
}

/// docker/cli's `cli/required.go`, and buildx's `util/cobrautil`.
fn check_arity(command: &'static Command, buildkit: bool, count: usize) -> Result<(), UsageError> {
    let plural = |n: usize| if n == 1 { "argument" } else { "arguments" };
    let (what, verb) = match command.arity {
        Arity::Group | Arity::Any => return Ok(()),
        Arity::None if count == 0 => return Ok(()),
        Arity::Exact(n) if count == n => return Ok(()),
        Arity::AtLeast(n) if count >= n => return Ok(()),
        Arity::AtMost(n) if count <= n => return Ok(()),
        Arity::Range(low, high) if (low..=high).contains(&count) => return Ok(()),
        Arity::None => ("accepts no arguments".to_string(), "Run"),
        Arity::Exact(n) => (format!("requires {n} {}", plural(n)), "Run"),
        Arity::AtLeast(n) => (format!("requires at least {n} {}", plural(n)), "See"),
        // The slip is docker/cli 28's own.
        Arity::AtMost(n) => (format!("requires at most {n} {}", plural(n)), "SRun"),
        Arity::Range(low, high) => (format!("requires at least {low} and at most {high} {}", plural(high)), "Run"),
    };
    let (path, usage) = spoken(command, buildkit);
    let prefix = if path.starts_with("docker buildx") { "ERROR: " } else { "" };
    Err(refuse(format!("{prefix}docker: '{path}' {what}\n\nUsage:  {usage}\n\n{verb} '{path} --help' for more information")))
}
