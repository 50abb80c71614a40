//! Carries out a verb on each of several containers, in Docker's manner: names of those it was done to on stdout, the
//! failures at the end.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::words::verbs::{Failure, failure};
use super::{cannot_keep, cannot_start, command, kept, memory_file, signals, write_stdout};
use crate::plan::Call;
use crate::plan::each::{Deed, Each, One, Verb};

/// How many are worked on at the same time. Docker's client asks for 50, but each is a process here.
const AT_ONCE: usize = 32;

/// Gives Docker's exit status.
pub fn run(each: &Each) -> Result<u8, u8> {
    let guard = signals::Leaving::start();
    let done = all(each, &guard);
    drop(guard);
    done
}

fn all(each: &Each, guard: &signals::Leaving) -> Result<u8, u8> {
    let mut failures = Vec::new();
    let chunk = if each.verb.at_once() { AT_ONCE } else { 1 };
    for ones in each.containers.chunks(chunk) {
        match ones {
            [one] => report(each, one, one_of(each, one, guard)?, &mut failures)?,
            _ => std::thread::scope(|scope| {
                let started: Vec<_> = ones.iter().map(|one| scope.spawn(move || one_of(each, one, guard))).collect();
                for (one, thread) in ones.iter().zip(started) {
                    report(each, one, thread.join().unwrap_or(Err(1))?, &mut failures)?;
                }
                Ok::<(), u8>(())
            })?,
        }
    }
    if failures.is_empty() {
        return Ok(0);
    }
    match &each.verb {
        Verb::Start => complain(&format!("Error: failed to start containers: {}", failures.join(", "))),
        Verb::Rename { .. } => {
            complain(&failures.join("\n"));
            let from = each.containers.iter().map(|one| one.typed.to_string_lossy()).collect::<String>();
            complain(&format!("Error: failed to rename container named {from}"));
        }
        _ => complain(&failures.join("\n")),
    }
    Ok(1)
}

/// What became of one: what goes to stdout, or the words of the failure.
type Outcome = Result<Vec<u8>, Failure>;

/// Says what became of one as soon as Docker would.
fn report(each: &Each, one: &One, outcome: Outcome, failures: &mut Vec<String>) -> Result<(), u8> {
    match outcome {
        Ok(printed) => return write_stdout(&printed),
        Err(failed) if failed.missing && each.verb == (Verb::Remove { force: true }) => complain(&failed.words),
        Err(failed) if each.verb == Verb::Start => {
            complain(&failed.words);
            failures.push(one.typed.to_string_lossy().into_owned());
        }
        Err(failed) => failures.push(failed.words),
    }
    Ok(())
}

fn complain(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// `Err` is the status of a failure to start podman at all.
fn one_of(each: &Each, one: &One, guard: &signals::Leaving) -> Result<Outcome, u8> {
    let deeds = match &one.deeds {
        Ok(deeds) => deeds,
        Err(refused) => return Ok(Err(Failure { words: refused.clone(), missing: false })),
    };
    let mut printed = Vec::new();
    for deed in deeds {
        let (call, limit) = match deed {
            Deed::Do(call) | Deed::Signal(call) => (call, None),
            Deed::Await(call, limit) => (call, *limit),
        };
        let ended = ask(call, limit, each.verb.outlives_client(), guard)?;
        let text = String::from_utf8_lossy(&ended.stderr);
        let harmless = match deed {
            Deed::Do(_) => false,
            Deed::Signal(_) => !text.contains("no such container") && !text.contains("invalid signal"),
            Deed::Await(..) => true,
        };
        if !ended.success && !harmless {
            return Ok(Err(failure(&each.verb, one, &text, &|name| id_of(&each.identify, name))));
        }
        printed = ended.stdout;
    }
    Ok(match &each.verb {
        Verb::Wait => Ok(printed),
        Verb::Rename { .. } => Ok(Vec::new()),
        // Podman says nothing of a container that it was to remove by force and that is not there.
        Verb::Remove { force: true } if printed.trim_ascii().is_empty() => Err(Failure::missing(one)),
        _ => Ok([one.typed.as_bytes(), b"\n"].concat()),
    })
}

/// A container's ID, where it is found.
pub fn id_of(identify: &Call, name: &OsStr) -> Option<String> {
    let output = command(identify).arg("--").arg(name).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let id = String::from_utf8(output.stdout).ok()?.trim().to_string();
    Some(id).filter(|id| output.status.success() && !id.is_empty())
}

struct Ended {
    success: bool,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Starts podman and keeps what it says. Past the limit it is ended, which is a success.
fn ask(call: &Call, limit: Option<Duration>, outlives: bool, guard: &signals::Leaving) -> Result<Ended, u8> {
    let (mut stdout, mut stderr) = (memory_file()?, memory_file()?);
    let stdio = |file: &std::fs::File| file.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e));
    let mut command = command(call);
    command.stdin(Stdio::null()).stdout(stdio(&stdout)?).stderr(stdio(&stderr)?);
    if outlives {
        // Out of the reach of a terminal's Ctrl-C: an engine does not stop half way because its client has gone.
        command.process_group(0);
    }
    let mut child = command.spawn().map_err(|e| super::complain(&cannot_start(call, &e)))?;
    if !outlives {
        guard.takes_along(child.id());
    }
    let ended = end_of(&mut child, limit);
    if !outlives {
        guard.takes_along(0);
    }
    let ended = ended.map_err(|e| super::complain(&cannot_start(call, &e)))?;
    let success = ended.is_none_or(|status| status.success());
    Ok(Ended { success, stdout: kept(&mut stdout)?, stderr: kept(&mut stderr)? })
}

fn end_of(child: &mut Child, limit: Option<Duration>) -> std::io::Result<Option<ExitStatus>> {
    let Some(limit) = limit else { return child.wait().map(Some) };
    let until = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}
