//! What Podman has to do so that the caller cannot tell the difference, as data.
//!
//! [`plan`] is pure: the same invocation and host give the same plan. `docker-shim explain` prints it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::catalogue::{CommandTreatment, Flag, Podman};
use crate::grammar::{Notes, Unknown};
use crate::host::Host;
use crate::invocation::{FlagUse, Invocation};
use crate::render::{Progress, Stream, View};

mod config;
mod draft;
pub mod each;
mod explain;
pub mod globals;
mod jobs;
pub mod prune;
pub mod rules;

pub use draft::Draft;
pub use explain::explain;
pub use globals::Engine;
pub use jobs::{Load, Login, Logout, ManifestCalls, ManifestJob, Manifests, Save};

/// What to do.
#[derive(Debug)]
pub enum Plan {
    /// Become podman: nothing has to come after it.
    Exec(Call),
    /// One call, whose answer is shown as Docker would have written it.
    Reshape(Reshape),
    /// Several steps, or one that something comes after.
    Sequence(Vec<Act>),
    /// Become another program: docker-compose, a CLI plugin.
    Delegate(Call),
    /// Say something; podman is never started.
    Answer(Answer),
    /// Say why not.
    Refuse(Refusal),
}

/// A call and what becomes of its answer. Where the answer cannot be understood it is passed on unchanged.
#[derive(Debug)]
pub struct Reshape {
    pub call: Call,
    pub shape: Shape,
}

/// How an answer is read.
#[derive(Debug)]
pub enum Shape {
    /// As a whole, once podman has ended.
    Whole(Box<dyn View>),
    /// Line by line, while it comes.
    Lines(Box<dyn Stream>),
    /// Line by line, stdout and stderr as one.
    Progress(Box<dyn Progress>),
    /// A transfer: podman tells of its progress on stderr, Docker on stdout. On a terminal podman's own is shown.
    Transfer { progress: Box<dyn Progress>, on_terminal: bool },
}

/// A program to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// Variables to set, or to remove.
    pub env: Vec<(OsString, Option<OsString>)>,
    /// What has to be there first.
    pub prepare: Vec<Step>,
}

/// Something on the file system that has to be there before a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Make a directory and its parents, 0755, as dockerd makes a missing bind source.
    MakeDirs(PathBuf),
    /// Write a file of ours (0600, replaced as a whole) that a later step reads, in a directory of the caller's own.
    WriteOwn { path: PathBuf, content: Vec<u8> },
    /// Make an empty file, 0755, where nothing is.
    MakeEmpty(PathBuf),
    /// Have podman find our stdout under this descriptor, for what it is to write there while its own stdout is read by us.
    ShareStdout(i32),
    /// Have systemd listen on Podman's socket, the system's or the user's.
    StartSocket { socket: PathBuf, user: bool },
    /// Have something answer on Podman's socket for a while: systemd, or else Podman's own service, which is this call.
    Serve { socket: PathBuf, service: Call },
    /// Say on stderr what Docker's daemon warns of. Said once, however many of a kind there are.
    Warn(Vec<u8>),
    /// Run a call whose failure means nothing: what it would make is there already.
    Quietly(Box<Call>),
    /// Remove a plain file that is about to be written anew, as Docker replaces it.
    RemoveFile(PathBuf),
}

/// A change to the caller's own files. The first that fails ends the sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Write a file as a whole, its directories made before.
    Write { path: PathBuf, content: Vec<u8>, mode: u32, directory_mode: u32 },
    /// Make a file that is not there yet, 0600.
    Create { path: PathBuf, content: Vec<u8> },
    /// Write Docker's config.json as a whole: where a link leads, with the mode and owner that it has, else 0600.
    Configuration { path: PathBuf, content: Vec<u8> },
    /// Remove a directory and what is in it, if it is there.
    RemoveDirectory(PathBuf),
}

/// One step of a [`Plan::Sequence`].
#[derive(Debug)]
pub enum Act {
    /// Start podman and wait for it.
    Run(Run),
    /// Start podman and show its answer in Docker's shape.
    Reshape(Reshape),
    /// Make, write or remove something that no call has to follow.
    Do(Step),
    /// Do something to each of several containers.
    Each(each::Each),
    /// Go on only if a container can serve.
    Require(each::Require),
    /// Attach to a container.
    Attach(each::Attach),
    /// Copy between a container and the caller's files.
    Copy(each::Copy),
    /// Write a container's files with the owners that they have in it.
    Export(each::Export),
    /// Show a container's log, each line with what is noted of it.
    Logs(each::Logs),
    /// Start a container, attached to it.
    StartAttached(each::StartAttached),
    /// Change files of the caller's configuration.
    Change(Vec<Change>),
    /// Make a container, and what comes after it.
    Create(Box<Creation>),
    /// Start ourselves anew with the same words, and this variable set: what was planned for is different by now.
    Again(&'static str),
    /// Something with lists of manifests.
    Manifests(Box<Manifests>),
    /// Try credentials and keep them.
    Login(Login),
    /// Forget credentials.
    Logout(Logout),
    /// Have podman write an archive of images.
    Save(Save),
    /// Have podman read an archive of images.
    Load(Load),
    /// Print to stdout.
    Print(Vec<u8>),
    /// Print to stderr.
    Warn(Vec<u8>),
    /// Print to stderr and end with a status other than 0, after the remaining acts.
    Complain(Refusal),
    /// Print to stderr, should anything before it have failed.
    ComplainOfFailure(&'static str),
    /// Ask on stdout, read a line from stdin; anything but yes ends the sequence with status 0 (docker/cli's `PromptForConfirmation`).
    Confirm(String),
    /// Remove what is unused.
    Prune(prune::Prune),
    /// Put what several builds tell of their results into one file of JSON, by their names; what cannot be read is empty.
    Gather { parts: Vec<(String, PathBuf)>, path: PathBuf },
    /// A call with the ID of what was built, which is in a file, as its argument, and more after it.
    OfBuilt { iidfile: PathBuf, call: Call, after: Vec<OsString>, stdout: Stdout },
    /// Do these, and whatever comes of them the others.
    Finally { acts: Vec<Act>, then: Vec<Act> },
    /// Take away what builds that were killed have left.
    RemoveLeft(prune::Left),
}

/// The making of a container, where podman's own `run` is not all of it.
#[derive(Debug)]
pub struct Creation {
    /// `podman create`, or `podman run --detach`.
    pub call: Call,
    /// It is `docker run` that fails.
    pub run: bool,
    /// The name that the caller chose.
    pub name: Option<OsString>,
    /// Where its ID is written to, when podman does not do so.
    pub cidfile: Option<PathBuf>,
    /// A directory to make in the container where it is missing, and `podman cp`.
    pub make: Option<(Made, Call)>,
    /// How it is started after `podman create`.
    pub start: Option<Start>,
    /// Podman without a command, for what else has to be asked.
    pub engine: Call,
}

/// A directory of a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub path: PathBuf,
    /// As much of it as is known to be there.
    pub there: PathBuf,
    /// The rest is known not to be there: nobody has to be asked.
    pub absent: bool,
}

/// The start of a container that was just made.
#[derive(Debug)]
pub struct Start {
    /// `podman start`.
    pub call: Call,
    pub detach: bool,
    /// The container is removed in the end, or when it does not start.
    pub remove: bool,
}

/// A call whose end matters.
#[derive(Debug)]
pub struct Run {
    pub call: Call,
    pub stdout: Stdout,
    pub stderr: Stderr,
    pub ending: Ending,
    /// What a failure means for the steps after it.
    pub on_failure: OnFailure,
}

impl Run {
    /// A call whose streams are the caller's, and whose failure ends the sequence.
    pub fn new(call: Call, ending: Ending) -> Run {
        Run { call, stdout: Stdout::Inherit, stderr: Stderr::Inherit, ending, on_failure: OnFailure::Stop }
    }
}

/// What becomes of podman's stdout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdout {
    /// The caller's own.
    Inherit,
    /// Nobody's.
    Discard,
    /// Shown with a prefix once podman has ended: `sha256:` before an ID.
    Prefixed(&'static str),
    /// Shown instead of podman's, once it has succeeded.
    Said(Vec<u8>),
}

/// What becomes of podman's stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stderr {
    /// The caller's own, as it comes: progress, or a program that runs on.
    Inherit,
    /// Shown when podman fails. On success Docker says nothing there, and callers take any word for an error.
    OnFailure,
    /// Nobody's.
    Discard,
}

/// How podman's exit status becomes Docker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As it is.
    Same,
    /// The container's own status, where podman did not fail itself (125).
    Container,
    /// The daemon did it or did not: 0 or 1.
    Daemon,
    /// The same for something that only the client does: a signal ends it at once, with the shell's status for it.
    Client,
    /// This status, whatever a failure's is.
    Failed(u8),
    /// Whatever it is, nothing failed.
    Ignore,
}

#[derive(Debug)]
pub enum OnFailure {
    /// Nothing after it is done.
    Stop,
    /// The rest is done, and the status remembered.
    GoOn,
    /// Undo what was half done, then stop.
    Undo(Box<Call>),
}

/// Something to say instead of starting podman.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Answer {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub status: u8,
}

/// A refusal: what stderr says and the exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub status: u8,
}

impl Refusal {
    pub fn new(message: impl Into<String>, status: u8) -> Refusal {
        Refusal { message: message.into(), status }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Makes a plan for a whole command, where translating its flags one by one is not enough.
pub type CommandRule = fn(&Context) -> Result<Plan, Refusal>;
/// Drafts what one use of a flag needs.
pub type FlagRule = fn(&FlagUse, &mut Draft, &Context) -> Result<(), Refusal>;

/// What a rule may look at.
pub struct Context<'a> {
    pub invocation: &'a Invocation,
    pub host: &'a dyn Host,
    pub engine: &'a Engine,
}

impl Podman {
    /// `4.3.1`.
    pub fn shown(self) -> String {
        let Podman(major, minor, patch) = self;
        format!("{major}.{minor}.{patch}")
    }
}

impl Context<'_> {
    /// The status with which Docker reports a failure of this command: `run` has its own.
    pub fn failure_status(&self) -> u8 {
        if self.invocation.command.name() == "run" { 125 } else { 1 }
    }
    /// A refusal in this command's manner: one sentence.
    pub fn refuse(&self, sentence: impl fmt::Display) -> Refusal {
        Refusal::new(format!("docker: {sentence}"), self.failure_status())
    }
    /// A refusal in the words that Docker itself has for it, with the help line that `docker run` adds.
    pub fn as_docker(&self, words: impl fmt::Display) -> Refusal {
        let path = self.invocation.command.command_path();
        match self.invocation.command.name() {
            "run" => Refusal::new(format!("docker: {words}\n\nRun '{path} --help' for more information"), 125),
            _ => Refusal::new(words.to_string(), 1),
        }
    }
    /// A refusal of `run` and `create` in docker/cli's own words, with its help line and its status for what it refuses
    /// before it asks the daemon.
    pub fn as_usage(&self, words: impl fmt::Display) -> Refusal {
        let name = self.invocation.command.name();
        Refusal::new(format!("docker: {words}\n\nRun 'docker {name} --help' for more information"), 125)
    }
    /// Asks the engine that the caller meant something that changes nothing: stdout, when podman exits with 0.
    pub fn ask(&self, args: &[&OsStr]) -> Option<Vec<u8>> {
        let options = self.engine.options();
        self.host.ask(&options.iter().map(OsString::as_os_str).chain(args.iter().copied()).collect::<Vec<_>>())
    }
    /// A podman call on the engine that the caller meant.
    pub fn call(&self, path: &str) -> Result<Draft, Refusal> {
        Draft::new(self, path)
    }
}

/// Kept off podman's stderr in every call: notes on the host that Docker has no counterpart for.
pub const QUIET: [(&str, &str); 2] = [("PODMAN_IGNORE_CGROUPSV1_WARNING", "1"), ("SUPPRESS_BOLTDB_WARNING", "1")];

/// `--name` of a flag, for messages.
pub fn shown(flag: &Flag) -> String {
    format!("--{}", flag.long)
}

/// A value as one field of a CSV record, for flags that Podman splits at commas and Docker does not.
pub fn csv_field(value: &OsStr) -> OsString {
    let bytes = value.as_bytes();
    if !bytes.is_empty() && !bytes.iter().any(|b| matches!(b, b',' | b'"' | b'\n' | b'\r')) {
        return value.to_os_string();
    }
    let mut field = vec![b'"'];
    for byte in bytes {
        if *byte == b'"' {
            field.push(b'"');
        }
        field.push(*byte);
    }
    field.push(b'"');
    OsString::from_vec(field)
}

/// Decides what to do. Pure but for the questions it asks of the host.
pub fn plan(invocation: &Invocation, host: &dyn Host) -> Plan {
    let (plan, warning) = match engine(invocation, host) {
        Ok(engine) => (decide(invocation, host, &engine).unwrap_or_else(Plan::Refuse), engine.warning),
        Err(refusal) => (Plan::Refuse(refusal), Engine::unresolved(&invocation.globals, host).warning),
    };
    // A plugin reads the configuration itself.
    let warning = warning.filter(|_| !matches!(plan, Plan::Delegate(_)));
    if warning.is_none() {
        return after_notes(plan, &invocation.notes);
    }
    let Notes { stdout, stderr } = &invocation.notes;
    after_notes(plan, &Notes { stdout: stdout.clone(), stderr: warning.into_iter().chain(stderr.iter().cloned()).collect() })
}

/// The same plan with notes printed first. Docker prints them whatever comes of the command.
pub fn after_notes(plan: Plan, notes: &Notes) -> Plan {
    if notes.is_empty() {
        return plan;
    }
    let first = [Act::Print(Notes::text(&notes.stdout).into_bytes()), Act::Warn(Notes::text(&notes.stderr).into_bytes())];
    let rest = match plan {
        Plan::Exec(call) | Plan::Delegate(call) => vec![Act::Run(Run::new(call, Ending::Same))],
        Plan::Reshape(reshape) => vec![Act::Reshape(reshape)],
        Plan::Sequence(acts) => acts,
        Plan::Refuse(refusal) => vec![Act::Complain(refusal)],
        Plan::Answer(mut answer) => {
            answer.stdout.splice(..0, Notes::text(&notes.stdout).into_bytes());
            answer.stderr.splice(..0, Notes::text(&notes.stderr).into_bytes());
            return Plan::Answer(answer);
        }
    };
    Plan::Sequence(first.into_iter().chain(rest).collect())
}

/// A command that Docker does not have: a CLI plugin's, or with `podman_extras` Podman's own. None where it is nobody's.
pub fn plan_unknown(unknown: &Unknown, host: &dyn Host) -> Option<Plan> {
    let (name, words) = unknown.words.split_first()?;
    let name = name.to_str()?;
    let extra = host.settings().podman_extras && !name.is_empty() && !name.starts_with('-');
    let plan = || {
        if let Some(plan) = rules::compose::plugin(host, &unknown.globals, name, words)? {
            return Ok(Some(plan));
        }
        if !extra {
            return Ok(None);
        }
        let engine = Engine::of(&unknown.globals, host)?;
        let mut args = engine.options();
        args.extend(unknown.words.iter().cloned());
        let env = QUIET.iter().map(|(n, v)| (OsString::from(n), Some(OsString::from(v)))).chain(engine.env()).collect();
        Ok(Some(Plan::Exec(Call { program: host.podman()?.to_path_buf(), args, env, prepare: vec![] })))
    };
    plan().unwrap_or_else(|refusal| Some(Plan::Refuse(refusal)))
}

/// The engine that the caller means, as far as the command needs to know.
fn engine(invocation: &Invocation, host: &dyn Host) -> Result<Engine, Refusal> {
    // `docker context` works on the contexts themselves, also where the current one leads nowhere.
    match invocation.command.path.split(' ').next() {
        Some("context") => Ok(Engine::unresolved(&invocation.globals, host)),
        Some("compose") => Engine::of_plugin(&invocation.globals, host),
        _ => Engine::of(&invocation.globals, host),
    }
}

fn decide(invocation: &Invocation, host: &dyn Host, engine: &Engine) -> Result<Plan, Refusal> {
    let context = Context { invocation, host, engine };
    match invocation.command.treatment {
        CommandTreatment::Group | CommandTreatment::Refuse("") => Ok(Plan::Answer(Answer::default())),
        CommandTreatment::Refuse(why) if why.starts_with("Error") => Err(Refusal::new(why, 1)),
        CommandTreatment::Refuse(why) => Err(context.refuse(why)),
        CommandTreatment::Same => generic(&context, invocation.command.path),
        CommandTreatment::As(path) => generic(&context, path),
        CommandTreatment::Rule(rule) => rule(&context),
    }
}

/// Flags translated one by one, arguments as they are.
fn generic(context: &Context, path: &str) -> Result<Plan, Refusal> {
    let mut draft = context.call(path)?;
    draft.translate(context)?;
    draft.args.clone_from(&context.invocation.args);
    Ok(match ending(path) {
        Ending::Same => draft.exec(),
        ending if runs_on(path) => Plan::Sequence(vec![draft.run(ending)]),
        ending => Plan::Sequence(vec![draft.run_quietly(ending)]),
    })
}

/// Commands whose stderr is read while they run: a container's own, or progress.
fn runs_on(path: &str) -> bool {
    let name = path.rsplit(' ').next().unwrap_or(path);
    ["attach", "build", "cp", "events", "export", "logs", "start", "stats", "top", "wait"].contains(&name)
}

/// How a podman command's exit status becomes Docker's. Podman says 125 where Docker says 1 for everything but `run`.
fn ending(path: &str) -> Ending {
    match path.rsplit(' ').next().unwrap_or(path) {
        "run" | "exec" => Ending::Same,
        "attach" | "start" => Ending::Container,
        _ => Ending::Daemon,
    }
}
