//! Attaching to a container, and what has to be known of it before.

use std::io::{IsTerminal, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::time::Duration;

use super::words::verbs::{daemon, no_such};
use super::{cannot_keep, cannot_start, command, complain, complain_as_docker, docker_status, kept, memory_file, prepare, signals};
use crate::plan::each::{Attach, Needs, Require, StartAttached};
use crate::plan::{Call, Ending, Refusal};

/// Ends a sequence, by `Err`, where the container cannot serve.
pub fn require(require: &Require) -> Result<(), u8> {
    let name = require.typed.to_string_lossy();
    let Some(state) = State::of(&require.state)? else {
        return Err(refuse(daemon(&no_such(&require.typed))));
    };
    match require.needs {
        Needs::ToExec if state.is("paused") => {
            Err(refuse(daemon(&format!("Container {name} is paused, unpause the container before exec"))))
        }
        Needs::ToExec if !state.is("running") => Err(refuse(daemon(&format!("container {} is not running", state.id)))),
        Needs::ToStart if state.is("paused") => Err(refuse("unable to upgrade to tcp, received 409".to_string())),
        _ => Ok(()),
    }
}

fn refuse(words: String) -> u8 {
    complain(&Refusal::new(words, 1))
}

/// What podman tells of a container.
struct State {
    id: String,
    status: String,
    exit_code: u8,
    tty: bool,
    open_stdin: bool,
}

impl State {
    /// None where there is no such container. An answer that cannot be read is nothing against it: podman decides then.
    fn of(call: &Call) -> Result<Option<State>, u8> {
        let asked = command(call).stdin(Stdio::null()).output();
        let answer = asked.map_err(|e| complain(&cannot_start(call, &e)))?;
        if !answer.status.success() {
            if String::from_utf8_lossy(&answer.stderr).to_lowercase().contains("no such ") {
                return Ok(None);
            }
            complain_as_docker(&answer.stderr);
            return Err(1);
        }
        let text = String::from_utf8_lossy(&answer.stdout);
        let words: Vec<&str> = text.split_whitespace().collect();
        let (id, status, exit_code, tty, open_stdin) = match words[..] {
            [id, status, code, tty, stdin] if id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()) => (id, status, code, tty, stdin),
            _ => ("", "running", "0", "false", "true"),
        };
        let exit_code = exit_code.parse::<i64>().map_or(0, |code| u8::try_from(code & 0xff).unwrap_or(0));
        Ok(Some(State { id: id.into(), status: status.into(), exit_code, tty: tty == "true", open_stdin: open_stdin == "true" }))
    }
    fn is(&self, status: &str) -> bool {
        self.status == status
    }
}

/// Gives the container's exit status. Podman's `attach` has none, so a `wait` runs beside it, as beside Docker's.
pub fn attach(attach: &Attach) -> Result<u8, u8> {
    let Some(state) = State::of(&attach.state)? else {
        return Err(refuse(daemon(&no_such(&attach.typed))));
    };
    match state.status.as_str() {
        "running" => {}
        "paused" => return Err(refuse("You cannot attach to a paused container, unpause it first".to_string())),
        "restarting" => return Err(refuse("You cannot attach to a restarting container, wait until it is running".to_string())),
        _ => return Err(refuse("You cannot attach to a stopped container, start it first".to_string())),
    }
    if attach.stdin && state.tty && !std::io::stdin().is_terminal() {
        return Err(refuse("the input device is not a TTY".to_string()));
    }
    let stdin = attach.stdin && state.open_stdin;
    prepare(&attach.attach.prepare).map_err(|refusal| complain(&refusal))?;
    let (mut waiter, mut code) = waiter(&attach.wait)?;
    let status = attached(attach, stdin);
    // The end of the streams is not the container's end where it has closed them, or where the caller has detached.
    let detached = || stdin && State::of(&attach.state).is_ok_and(|state| state.is_some_and(|state| state.is("running")));
    match status {
        Ok(0) if !ends_soon(&mut waiter) && detached() => {
            let _ = waiter.kill().and_then(|()| waiter.wait());
            Err(refuse("read escape sequence".to_string()))
        }
        Ok(0) => {
            let _ = waiter.wait();
            let printed = kept(&mut code)?;
            let code = std::str::from_utf8(&printed).ok().and_then(|text| text.trim().parse::<i64>().ok());
            // A container that has gone before it could be asked leaves what was known of it.
            Ok(code.map_or(0, |code| u8::try_from(code & 0xff).unwrap_or(0)))
        }
        failed => {
            let _ = waiter.kill().and_then(|()| waiter.wait());
            failed
        }
    }
}

/// Out of the reach of what the terminal sends to the process that is attached.
fn waiter(call: &Call) -> Result<(Child, std::fs::File), u8> {
    let code = memory_file()?;
    let stdout = code.try_clone().map_err(|e| cannot_keep(&e))?;
    let mut command = command(call);
    command.stdin(Stdio::null()).stdout(stdout).stderr(Stdio::null()).process_group(0);
    let child = command.spawn().map_err(|e| complain(&cannot_start(call, &e)))?;
    Ok((child, code))
}

fn ends_soon(child: &mut Child) -> bool {
    (0..10).any(|_| {
        let ended = matches!(child.try_wait(), Ok(Some(_)));
        if !ended {
            std::thread::sleep(Duration::from_millis(50));
        }
        ended
    })
}

fn attached(attach: &Attach, stdin: bool) -> Result<u8, u8> {
    let mut command = command(&attach.attach);
    if attach.stdin && !stdin {
        command.arg("--no-stdin");
    }
    command.arg("--").arg(&attach.name);
    // Podman ends its output with a newline of its own. A terminal's stays: the size that podman asks for is its stdout's.
    let filtered = !std::io::stdout().is_terminal();
    if filtered {
        command.stdout(Stdio::piped());
    }
    let guard = signals::Forwarding::start();
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(&attach.attach, &e)))?;
    guard.to(child.id());
    if let Some(stdout) = child.stdout.take() {
        if without_last_newline(stdout).is_err() {
            let _ = child.kill();
        }
    }
    let ended = child.wait();
    drop(guard);
    Ok(docker_status(ended.map_err(|e| complain(&cannot_start(&attach.attach, &e)))?, Ending::Daemon))
}

fn without_last_newline(mut from: impl Read) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let mut buffer = [0; 8192];
    let mut held = false;
    loop {
        let read = match from.read(&mut buffer) {
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(());
        }
        if held {
            stdout.write_all(b"\n")?;
        }
        // It comes by itself, or after the container's last one. A line is never kept waiting for the next.
        held = matches!(&buffer[..read], b"\n" | [.., b'\n', b'\n']);
        stdout.write_all(&buffer[..read - usize::from(held)])?;
        stdout.flush()?;
    }
}

/// Gives the container's exit status; podman's 125 is its own failure, unless the container ended with it.
pub fn start(start: &StartAttached) -> Result<u8, u8> {
    prepare(&start.call.prepare).map_err(|refusal| complain(&refusal))?;
    let guard = signals::Forwarding::start();
    let mut child = command(&start.call).spawn().map_err(|e| complain(&cannot_start(&start.call, &e)))?;
    guard.to(child.id());
    let ended = child.wait();
    drop(guard);
    let ended = ended.map_err(|e| complain(&cannot_start(&start.call, &e)))?;
    if ended.code() == Some(125) {
        if let Some(state) = State::of(&start.state)? {
            if !state.is("running") && state.exit_code == 125 {
                return Ok(125);
            }
        }
    }
    Ok(docker_status(ended, Ending::Container))
}
