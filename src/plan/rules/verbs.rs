//! The verbs that take several containers. Podman looks all of them up first and does nothing when one is missing; Docker
//! does with each what can be done, so each has a call of its own.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::container;
use super::look::{self, Doing};
use crate::invocation::Uses;
use crate::plan::each::{Deed, Each, One, Verb};
use crate::plan::{Act, Call, Context, Draft, Plan, Refusal};

/// A time limit that is none: Docker's -1, for which Podman has no word. Thirty years fit into Go's nanoseconds.
const FOR_EVER: &str = "1000000000";

/// `docker pause`, `docker unpause` and `docker wait`.
pub fn plain(context: &Context) -> Result<Plan, Refusal> {
    let verb = match context.invocation.command.name() {
        "pause" => Verb::Pause,
        "unpause" => Verb::Unpause,
        _ => Verb::Wait,
    };
    each(context, verb, |name| Ok(vec![Deed::Do(translated(context, name, |_| {})?)]))
}

/// `docker start`, nothing attached.
pub fn start(context: &Context) -> Result<Plan, Refusal> {
    each(context, Verb::Start, |name| Ok(vec![Deed::Do(translated(context, name, |_| {})?)]))
}

/// `docker stop` and `docker restart`. Podman's send the container's own signal, so another one is sent first; and they give
/// up on a paused container, which Docker lets run on to its end.
pub fn stop(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    if uses.given("time") && uses.given("timeout") {
        return Err(Refusal::new("conflicting options: cannot specify both --timeout and --time", 1));
    }
    let command = context.invocation.command.name();
    let verb = if command == "stop" { Verb::Stop } else { Verb::Restart };
    let limit = seconds(uses);
    let signal = uses.text("signal").filter(|s| !s.is_empty());
    each(context, verb, |name| {
        let mut deeds = Vec::new();
        if look::find(name, context).is_some_and(|found| found.doing(context.host) == Some(Doing::Paused)) {
            deeds.push(Deed::Do(call(context, "unpause", name, |_| {})?));
        }
        if let Some(signal) = signal {
            let limit = limit.unwrap_or_else(|| own_limit(name, context));
            deeds.push(Deed::Signal(call(context, "kill", name, |draft| {
                draft.flag("signal", signal);
            })?));
            let limit = u64::try_from(limit).ok().map(Duration::from_secs);
            deeds.push(Deed::Await(call(context, "wait", name, |_| {})?, limit));
        }
        let limit = if signal.is_some() { Some(0) } else { limit };
        deeds.push(Deed::Do(call(context, command, name, |draft| {
            match limit {
                Some(0..) => draft.flag("time", limit.unwrap_or_default().to_string()),
                Some(_) => draft.flag("time", FOR_EVER),
                None => draft,
            };
        })?));
        Ok(deeds)
    })
}

fn seconds(uses: &Uses) -> Option<i64> {
    uses.text("timeout").or_else(|| uses.text("time")).and_then(|t| t.to_str()?.parse().ok())
}

/// How long a container may take to stop.
fn own_limit(name: &OsStr, context: &Context) -> i64 {
    let words = ["container", "inspect", "--format={{.Config.StopTimeout}}", "--"].map(OsStr::new);
    let answer = context.ask(&words.into_iter().chain([name]).collect::<Vec<_>>());
    answer.and_then(|text| std::str::from_utf8(&text).ok()?.trim().parse().ok()).unwrap_or(10)
}

/// `docker kill`.
pub fn kill(context: &Context) -> Result<Plan, Refusal> {
    let signal = context.invocation.uses.text("signal").filter(|s| !s.is_empty());
    let verb = Verb::Kill { signal: signal.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default() };
    // Podman 4 takes a negative number for a signal that it can send.
    let negative = signal.and_then(|s| s.to_str()?.parse::<i64>().ok()).filter(|number| *number < 0);
    let unsupported = negative.map(|number| {
        move |typed: &OsStr| {
            let name = typed.to_string_lossy();
            format!("Error response from daemon: cannot kill container: {name}: the linux daemon does not support signal {number}")
        }
    });
    let refusal = unsupported.as_ref().map(|words| words as &dyn Fn(&OsStr) -> String);
    each_or(context, verb, refusal, |name| {
        let kill = call(context, "kill", name, |draft| {
            if let Some(signal) = signal {
                draft.flag("signal", signal);
            }
        })?;
        Ok(vec![Deed::Do(kill)])
    })
}

/// `docker rm`. With `--force` Docker kills at once, where Podman would first ask the container to stop and wait ten seconds.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let force = context.invocation.uses.switch("force");
    each(context, Verb::Remove { force }, |name| {
        let remove = translated(context, name, |draft| {
            if force {
                draft.flag("time", "0");
            }
        })?;
        Ok(vec![Deed::Do(remove)])
    })
}

/// `docker rename`: docker/cli trims both names, moby takes a leading slash.
pub fn rename(context: &Context) -> Result<Plan, Refusal> {
    let [from, to] = &context.invocation.args[..] else { unreachable!("the grammar wants two names") };
    let (from, to) = (trimmed(from), trimmed(to));
    if from.is_empty() || to.is_empty() {
        return Err(Refusal::new("Error: Neither old nor new names may be empty", 1));
    }
    let new = look::plain(to);
    let verb = Verb::Rename { to: new.to_string_lossy().into_owned() };
    let same = look::find(from, context).is_some_and(|found| OsStr::new(&found.name) == new);
    if same {
        let words = "Error response from daemon: Renaming a container with the same name as its current name";
        return Err(Refusal::new(format!("{words}\nError: failed to rename container named {}", from.to_string_lossy()), 1));
    }
    let mut draft = context.call("rename")?;
    draft.arg(look::plain(from)).arg(new);
    let one = One { typed: from.into(), name: look::plain(from).into(), deeds: Ok(vec![Deed::Do(draft.call())]) };
    plan(verb, vec![one], context)
}

/// Go's `strings.TrimSpace`, for what a shell can hand over.
fn trimmed(name: &OsStr) -> &OsStr {
    OsStr::from_bytes(name.as_bytes().trim_ascii())
}

/// `docker update`.
pub fn update(context: &Context) -> Result<Plan, Refusal> {
    if context.invocation.uses.iter().next().is_none() {
        return Err(Refusal::new("you must provide one or more flags when using this command", 1));
    }
    let policy = context.invocation.uses.text("restart").map(OsStr::to_string_lossy).unwrap_or_default();
    let wrong = match wrong_policy(&policy) {
        Some(Wrong::Client(words)) => return Err(Refusal::new(words, 1)),
        Some(Wrong::Engine(words)) => Some(format!("invalid restart policy: {words}")),
        None => container::wrong_limits(context),
    };
    let wrong = wrong.map(|words| move |_: &OsStr| format!("Error response from daemon: {words}"));
    let refusal = wrong.as_ref().map(|words| words as &dyn Fn(&OsStr) -> String);
    each_or(context, Verb::Update, refusal, |name| Ok(vec![Deed::Do(translated(context, name, |_| {})?)]))
}

/// What is wrong with a restart policy, and who says so.
enum Wrong {
    Client(&'static str),
    Engine(String),
}

/// docker/cli's `ParseRestartPolicy` and moby's `ValidateRestartPolicy`.
fn wrong_policy(policy: &str) -> Option<Wrong> {
    if policy.is_empty() {
        return None;
    }
    let (name, retries) = policy.split_once(':').map_or((policy, None), |(name, retries)| (name, Some(retries)));
    if name.is_empty() {
        return Some(Wrong::Client("invalid restart policy format: no policy provided before colon"));
    }
    let retries = match retries.filter(|r| !r.is_empty()).map(str::parse::<i64>) {
        Some(Err(_)) => return Some(Wrong::Client("invalid restart policy format: maximum retry count must be an integer")),
        Some(Ok(retries)) => retries,
        None => 0,
    };
    let words = match name {
        "always" | "unless-stopped" | "no" if retries != 0 => {
            let also = if retries < 0 { " and cannot be negative" } else { "" };
            format!("maximum retry count can only be used with 'on-failure'{also}")
        }
        "on-failure" if retries < 0 => "maximum retry count cannot be negative".to_string(),
        "always" | "unless-stopped" | "no" | "on-failure" => return None,
        _ => format!("unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"),
    };
    Some(Wrong::Engine(words))
}

/// The command's own flags on one container.
fn translated(context: &Context, name: &OsStr, finish: impl Fn(&mut Draft)) -> Result<Call, Refusal> {
    let mut draft = context.call(context.invocation.command.name())?;
    draft.translate(context)?;
    finish(&mut draft);
    draft.arg(name);
    Ok(draft.call())
}

/// Another podman command on one container.
fn call(context: &Context, command: &str, name: &OsStr, finish: impl Fn(&mut Draft)) -> Result<Call, Refusal> {
    let mut draft = context.call(command)?;
    finish(&mut draft);
    draft.arg(name);
    Ok(draft.call())
}

fn each(context: &Context, verb: Verb, deeds: impl Fn(&OsStr) -> Result<Vec<Deed>, Refusal>) -> Result<Plan, Refusal> {
    each_or(context, verb, None, deeds)
}

/// What the engine says of a container instead of doing anything with it.
type Words<'a> = Option<&'a dyn Fn(&OsStr) -> String>;

fn each_or(context: &Context, verb: Verb, refusal: Words, deeds: impl Fn(&OsStr) -> Result<Vec<Deed>, Refusal>) -> Result<Plan, Refusal> {
    let mut containers = Vec::with_capacity(context.invocation.args.len());
    for typed in &context.invocation.args {
        let (name, refused) = match &verb {
            // docker/cli trims slashes for this one command.
            Verb::Remove { .. } => (without_slashes(typed), "container name cannot be empty"),
            _ => (look::plain(trimmed(typed)).to_os_string(), EMPTY_NAME),
        };
        let deeds = match refusal {
            _ if name.is_empty() => Err(refused.to_string()),
            Some(words) => Err(words(typed)),
            None => Ok(deeds(&name)?),
        };
        containers.push(One { typed: typed.clone(), name, deeds });
    }
    plan(verb, containers, context)
}

/// docker/cli's client for a name that is none.
pub const EMPTY_NAME: &str = "invalid container name or ID: value is empty";

fn without_slashes(name: &OsStr) -> OsString {
    let mut bytes = name.as_bytes();
    while let [b'/', rest @ ..] | [rest @ .., b'/'] = bytes {
        bytes = rest;
    }
    OsStr::from_bytes(bytes).to_os_string()
}

fn plan(verb: Verb, containers: Vec<One>, context: &Context) -> Result<Plan, Refusal> {
    Ok(Plan::Sequence(vec![Act::Each(Each { verb, containers, identify: identify(context)? })]))
}

/// Asks for a container's ID.
pub fn identify(context: &Context) -> Result<Call, Refusal> {
    let mut draft = context.call("container inspect")?;
    draft.flag("format", "{{.Id}}");
    Ok(draft.call())
}
