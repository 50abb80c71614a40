//! What the caller's terminal or pipes are attached to: exec, attach, start --attach, logs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::Value as Json;

use super::container::refuse_without_terminal;
use super::health;
use super::look::{self, Doing, Found};
use super::timestamps::{self, Timestamp};
use super::verbs::{self, EMPTY_NAME};
use crate::grammar::go;
use crate::invocation::FlagUse;
use crate::plan::each::{Attach, Logs, Needs, Require, StartAttached};
use crate::plan::{Act, Call, Context, Draft, Ending, Plan, Refusal, Run, Stderr, Stdout};
use crate::render::container_inspect::log_details;

/// `docker exec`: becomes podman where Podman's files show that the container runs. Otherwise podman is asked first, since its
/// status for a container that does not run (255) is a command's own.
pub fn exec(context: &Context) -> Result<Plan, Refusal> {
    refuse_without_terminal(context)?;
    let invocation = context.invocation;
    let (typed, command) = invocation.args.split_first().unwrap_or_else(|| unreachable!("the grammar wants a container"));
    let name = named(typed)?;
    let found = look::find(name, context);
    let runs = found.as_ref().is_some_and(|found| found.doing(context.host) == Some(Doing::Running));
    if let Some(file) = invocation.uses.all("env-file").find(|file| context.host.read(Path::new(file)).is_none()) {
        return Err(Refusal::new(format!("open {}: no such file or directory", file.to_string_lossy()), 1));
    }
    let mut draft = context.call("exec")?;
    // Podman sets it for a container's first process only.
    if let Some(hostname) = found.as_ref().and_then(|found| found.env("HOSTNAME", context.host)) {
        draft.flag("env", format!("HOSTNAME={hostname}"));
    }
    draft.translate(context)?;
    draft.arg(name);
    draft.args.extend(command.iter().cloned());
    let detached = invocation.uses.switch("detach");
    if runs && !detached {
        return Ok(draft.exec());
    }
    let mut acts = Vec::new();
    if !runs {
        acts.push(require(typed, Needs::ToExec, context)?);
    }
    // Podman prints the session's ID of a detached one.
    acts.push(match detached {
        true => Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::OnFailure, ..Run::new(draft.call(), Ending::Daemon) }),
        false => draft.run(Ending::Same),
    });
    Ok(Plan::Sequence(acts))
}

/// `--env` of `docker exec`. Podman takes a trailing `*` for all variables of the caller that begin so.
pub fn exec_env(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    if used.value.as_bytes().contains(&b'=') {
        draft.flag("env", &used.value);
    } else if let Some(value) = used.value.to_str().and_then(|name| context.host.env(name)) {
        let mut pair = used.value.clone();
        pair.push("=");
        pair.push(value);
        draft.flag("env", pair);
    } else if let Some((name, typed)) = used.value.to_str().zip(context.invocation.args.first()) {
        // Docker takes the container's own variable away.
        if look::find(look::plain(typed), context).is_some_and(|found| found.env(name, context.host).is_some()) {
            let sentence = format!("--env {name}: Podman cannot take a variable away from a command; run it by `env -u {name}`.");
            return Err(context.refuse(sentence));
        }
    }
    Ok(())
}

/// `docker attach`: Podman's ends with 0 whatever the container ended with, and takes a stdin that the container has closed.
pub fn attach(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let mut draft = context.call("attach")?;
    draft.translate(context)?;
    attach_to(&context.invocation.args[0], draft, !uses.switch("no-stdin"), context)
}

fn attach_to(typed: &OsStr, mut draft: Draft, stdin: bool, context: &Context) -> Result<Plan, Refusal> {
    let name = named(typed)?;
    // It logs at its end that it could not give the terminal's size to what has ended.
    draft.flag("log-level", "fatal");
    let mut wait = context.call("wait")?;
    wait.arg(name);
    let state = state(name, context)?;
    let (attach, wait) = (draft.call(), wait.call());
    Ok(Plan::Sequence(vec![Act::Attach(Attach { typed: typed.into(), name: name.into(), state, attach, wait, stdin })]))
}

/// `docker start`: each by itself, unless one is attached to; that one's exit status is the command's.
pub fn start(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    if !uses.switch("attach") && !uses.switch("interactive") {
        return verbs::start(context);
    }
    let [typed] = &context.invocation.args[..] else {
        return Err(Refusal::new("you cannot start and attach multiple containers at once", 1));
    };
    let name = named(typed)?;
    let found = look::find(name, context);
    let doing = found.as_ref().and_then(|found| found.doing(context.host));
    if doing == Some(Doing::Running) {
        let mut draft = context.call("attach")?;
        if let Some(keys) = uses.text("detach-keys") {
            draft.flag("detach-keys", keys);
        }
        let interactive = uses.switch("interactive");
        if !interactive {
            draft.switch("no-stdin", true);
        }
        return attach_to(typed, draft, interactive, context);
    }
    let mut draft = context.call("start")?;
    draft.translate(context)?;
    if !uses.switch("attach") {
        draft.switch("attach", true);
    }
    health::without_timers(&mut draft, context);
    draft.arg(name);
    let mut acts = Vec::new();
    if found.is_none() || doing == Some(Doing::Paused) {
        acts.push(require(typed, Needs::ToStart, context)?);
    }
    acts.push(Act::StartAttached(StartAttached { call: draft.call(), state: state(name, context)? }));
    Ok(Plan::Sequence(acts))
}

/// `docker logs`: flags before the name, times in Podman's words.
pub fn logs(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call("logs")?;
    draft.translate(context)?;
    let mut acts = existing(&context.invocation.args[0], &mut draft, context)?;
    let uses = &context.invocation.uses;
    if uses.switch("details") {
        let name = named(&context.invocation.args[0])?;
        let inspected = context.ask(&["container", "inspect", "--"].map(OsStr::new).into_iter().chain([name]).collect::<Vec<_>>());
        let inspected: Json = inspected.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        let details = log_details::of(&inspected[0]).map_err(|why| context.refuse(why))?;
        acts.push(Act::Logs(Logs { call: draft.call(), details, timestamps: uses.switch("timestamps") }));
        return Ok(Plan::Sequence(acts));
    }
    acts.push(draft.run(Ending::Client));
    Ok(Plan::Sequence(acts))
}

/// Puts the one container into the call; and what has to be asked first, where Podman's files do not know it.
pub fn existing(typed: &OsStr, draft: &mut Draft, context: &Context) -> Result<Vec<Act>, Refusal> {
    let name = named(typed)?;
    draft.arg(name);
    match look::find(name, context) {
        Some(Found { .. }) => Ok(Vec::new()),
        None => Ok(vec![require(typed, Needs::ToExist, context)?]),
    }
}

/// `--tail`: Docker takes `all` and anything that is no number for all; Podman only knows numbers.
pub fn tail(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let number = used.value.to_str().and_then(|v| v.parse::<i64>().ok()).filter(|n| *n >= 0);
    if let Some(number) = number {
        draft.flag("tail", number.to_string());
    }
    Ok(())
}

/// `--since` and `--until`: a duration counts back from now in both; Podman counts forward for `--until`.
pub fn time(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let name = used.flag.long;
    let text = used.value.to_str().unwrap_or_default();
    if text.is_empty() {
        return Ok(());
    }
    let is_duration = go::parse_duration(text.as_bytes()).is_ok();
    let number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let date = text.len() > 4 && text.as_bytes()[4] == b'-' && text.bytes().take(4).all(|b| b.is_ascii_digit());
    if !is_duration && !number && !date {
        return Err(Refusal::new(format!("invalid value for \"{name}\": failed to parse value as time or duration: {text:?}"), 1));
    }
    if name == "until" && is_duration && !number {
        let negated = text.strip_prefix('-').map_or_else(|| format!("-{}", text.trim_start_matches('+')), str::to_string);
        draft.flag(name, negated);
    } else if let Some(since) = (name == "since" && date).then(|| timestamps::parse(text, context.host.now()).ok()).flatten() {
        // A line of that very moment is Docker's, and not Podman's.
        let before = since.total() - 1;
        let secs = i64::try_from(before.div_euclid(1_000_000_000)).unwrap_or(since.secs);
        draft.flag(
            name,
            Timestamp { secs, nanos: i64::try_from(before.rem_euclid(1_000_000_000)).unwrap_or(0), sent: String::new() }.rfc3339(),
        );
    } else {
        draft.flag(name, text);
    }
    Ok(())
}

/// A container's name as Podman takes it. Errors: it is empty.
pub fn named(typed: &OsStr) -> Result<&OsStr, Refusal> {
    let name = look::plain(OsStr::from_bytes(typed.as_bytes().trim_ascii()));
    if name.is_empty() { Err(Refusal::new(EMPTY_NAME, 1)) } else { Ok(name) }
}

/// The question whether a container is there, and in a state that the command can do something with.
pub fn require(typed: &OsStr, needs: Needs, context: &Context) -> Result<Act, Refusal> {
    let state = state(named(typed)?, context)?;
    Ok(Act::Require(Require { typed: OsString::from(typed), state, needs }))
}

/// Asks for ID, state, exit status, terminal and stdin of a container.
fn state(name: &OsStr, context: &Context) -> Result<Call, Refusal> {
    let mut draft = context.call("container inspect")?;
    draft.flag("format", "{{.Id}} {{.State.Status}} {{.State.ExitCode}} {{.Config.Tty}} {{.Config.OpenStdin}}").arg(name);
    Ok(draft.call())
}
