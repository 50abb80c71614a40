//! Carries out calls whose answers are shown in Docker's shape.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags};

use super::{
    cannot_keep, cannot_start, command, complain, complain_as_docker, docker_status, kept, memory_file, prepare, say, signals, words,
    write_stdout,
};
use crate::plan::{Call, Ending, Refusal, Reshape, Shape};
use crate::render::{Answered, Desk, Limited, Progress, Stream, View};

/// Gives Docker's exit status.
pub fn run(reshape: Reshape) -> Result<u8, u8> {
    match reshape.shape {
        Shape::Whole(view) => whole(&reshape.call, view.as_ref()),
        Shape::Lines(mut stream) => lines(&reshape.call, stream.as_mut()),
        Shape::Progress(mut progress) => followed(&reshape.call, progress.as_mut()),
        Shape::Transfer { mut progress, on_terminal } => transfer(&reshape.call, progress.as_mut(), on_terminal),
    }
}

/// Podman's answer as a whole, or as it is where the view makes nothing of it.
fn whole(call: &Call, view: &dyn View) -> Result<u8, u8> {
    prepare(&call.prepare).map_err(|refusal| complain(&refusal))?;
    let (ended, answered) = answer(call, &[], false)?;
    if ended.signal().is_some() {
        return Ok(docker_status(ended, Ending::Daemon));
    }
    if let Some(shown) = view.show(&answered, &Desk::new(&ask).with_checks(&check_health)) {
        return Ok(say(&shown));
    }
    write_stdout(&answered.stdout)?;
    complain_as_docker(&answered.stderr);
    Ok(docker_status(ended, Ending::Daemon))
}

/// What a call answers, started with more arguments.
pub fn ask(call: &Call, args: &[&OsStr]) -> Answered {
    answer(call, args, true).map(|(_, answered)| answered).unwrap_or(Answered { status: 125, ..Answered::default() })
}

/// Runs health checks side by side. What one finds out Podman notes; one that takes longer than it may is ended.
fn check_health(checks: &[Limited]) {
    let spawn = |(call, limit): &Limited| {
        let mut command = command(call);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Podman itself needs a moment for the start and the end of a check.
        Some((command.spawn().ok()?, Instant::now() + *limit + Duration::from_secs(2)))
    };
    let running: Vec<_> = checks.iter().filter_map(spawn).collect();
    for (mut child, deadline) in running {
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                let _ = child.kill().and_then(|()| child.wait());
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

fn answer(call: &Call, args: &[&OsStr], without_stdin: bool) -> Result<(ExitStatus, Answered), u8> {
    // Kept in memory rather than read from pipes: what podman leaves running would hold a pipe open.
    let (mut stdout, mut stderr) = (memory_file()?, memory_file()?);
    let stdio = |file: &std::fs::File| file.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e));
    let mut command = command(call);
    command.args(args).stdout(stdio(&stdout)?).stderr(stdio(&stderr)?);
    if without_stdin {
        command.stdin(Stdio::null());
    }
    let guard = signals::Forwarding::start();
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(call, &e)))?;
    guard.to(child.id());
    let ended = child.wait().map(|ended| guard.told(ended));
    drop(guard);
    let ended = ended.map_err(|e| complain(&cannot_start(call, &e)))?;
    let status = ended.code().or(ended.signal().map(|s| 128 + s)).and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok((ended, Answered { stdout: kept(&mut stdout)?, stderr: kept(&mut stderr)?, status }))
}

/// Podman's answer line by line. When the caller has stopped reading, podman is stopped too.
fn lines(call: &Call, stream: &mut dyn Stream) -> Result<u8, u8> {
    prepare(&call.prepare).map_err(|refusal| complain(&refusal))?;
    let mut stderr = memory_file()?;
    let mut command = command(call);
    command.stdout(Stdio::piped()).stderr(stderr.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e))?);
    let guard = signals::Forwarding::start();
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(call, &e)))?;
    guard.to(child.id());
    let desk = Desk::new(&ask);
    let mut written = Ok(());
    let mut done = None;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while written.is_ok() && done.is_none() && matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            let shown = stream.line(line.strip_suffix(b"\n").unwrap_or(&line), &desk);
            written = write_stdout(shown.as_deref().unwrap_or(&line));
            line.clear();
            done = stream.done();
        }
    }
    if written.is_err() || done.is_some() {
        let _ = child.kill();
    }
    let ended = child.wait();
    let interrupted = guard.interrupted();
    drop(guard);
    written?;
    if let Some(answer) = done {
        return Ok(say(&answer));
    }
    // Docker's client ends by itself then, and says nothing; podman takes it for a failure.
    if let Some(signal) = interrupted {
        return Ok(u8::try_from(128 + signal).unwrap_or(1));
    }
    let ended = ended.map_err(|e| complain(&cannot_start(call, &e)))?;
    if !ended.success() {
        let answered = Answered { stderr: kept(&mut stderr)?, status: 125, ..Answered::default() };
        if let Some(answer) = stream.failed(&answered, &desk) {
            return Ok(say(&answer));
        }
        complain_as_docker(&answered.stderr);
    }
    Ok(docker_status(ended, Ending::Daemon))
}

/// Podman's both streams in one pipe, so that what belongs together stays in order.
fn followed(call: &Call, progress: &mut dyn Progress) -> Result<u8, u8> {
    prepare(&call.prepare).map_err(|refusal| complain(&refusal))?;
    let (read, write) = nix::unistd::pipe().map_err(|e| cannot_keep(&e.into()))?;
    let clone = write.try_clone().map_err(|e| cannot_keep(&e))?;
    let guard = signals::Canceling::start();
    let reads = call.args.iter().any(|word| word == "-" || word == "--file=-");
    // Out of the terminal's reach: what is pressed there shall reach podman by us alone. Only who leads may read from a terminal.
    let leads = !(reads && std::io::stdin().is_terminal());
    let mut child = {
        // The command holds the pipe's end for writing; it has to be gone before the reading begins.
        let mut command = command(call);
        command.stdout(write).stderr(clone);
        if !reads {
            command.stdin(Stdio::null());
        }
        if leads {
            command.process_group(0);
        }
        command.spawn().map_err(|e| complain(&cannot_start(call, &e)))?
    };
    guard.to(child.id(), leads);
    let mut reader = Pipe { pipe: read.into(), text: Vec::new() };
    let mut written = Ok(());
    while let Some(line) = reader.line(&guard) {
        let shown = progress.line(&line);
        // When nobody reads any more the work still goes on, as the daemon's would.
        written = written.and(write_stdout(&shown.stdout));
        let _ = std::io::stderr().write_all(&shown.stderr);
    }
    let ended = child.wait();
    let ended = ended.map_err(|e| complain(&cannot_start(call, &e)))?;
    if let Some(signal) = guard.signal().filter(|_| !ended.success()) {
        guard.canceled();
        // Of the others Docker's client dies without a word.
        let told = [nix::libc::SIGINT, nix::libc::SIGTERM].contains(&signal.into());
        return Err(if told { say(&progress.canceled(signal)) } else { 128 + signal });
    }
    drop(guard);
    if let Some(signal) = ended.signal() {
        return Ok(signals::die_by(signal));
    }
    let status = ended.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    let shown = progress.end(&Answered { status, ..Answered::default() }, &Desk::new(&ask));
    let mut status = shown.map_or(status, |shown| say(&shown));
    if ended.success() {
        status = write_files(progress).unwrap_or(status);
    }
    written.and(Ok(status))
}

/// Writes the files that tell of a result; gives the status of a failure.
fn write_files(progress: &dyn Progress) -> Option<u8> {
    let mut failed = None;
    for (path, content) in progress.files() {
        if let Err(error) = std::fs::write(&path, content) {
            failed = Some(complain(&Refusal::new(format!("ERROR: {}: {error}", path.display()), 1)));
        }
    }
    failed
}

/// How often podman's progress is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A transfer, told of while it goes on. Of a failure podman's last words are shown.
fn transfer(call: &Call, progress: &mut dyn Progress, on_terminal: bool) -> Result<u8, u8> {
    prepare(&call.prepare).map_err(|refusal| complain(&refusal))?;
    let (mut stdout, stderr) = (memory_file()?, memory_file()?);
    let stdio = |file: &std::fs::File| file.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e));
    let mut command = command(call);
    command.stdout(stdio(&stdout)?);
    if !on_terminal {
        command.stderr(stdio(&stderr)?);
    }
    let guard = signals::Forwarding::start();
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(call, &e)))?;
    guard.to(child.id());
    // Read where podman writes, at an offset of our own: the end of a pipe would be that of all podman leaves running.
    let mut reader = Follower { file: &stderr, at: 0 };
    let (mut said, mut shown) = (Vec::new(), 0);
    let mut written = Ok(());
    let ended = loop {
        let ended = child.try_wait();
        let _ = reader.read_to_end(&mut said);
        while let Some(length) = said[shown..].iter().position(|b| *b == b'\n') {
            let told = progress.line(&said[shown..shown + length]);
            shown += length + 1;
            written = written.and_then(|()| write_stdout(&told.stdout));
            let _ = std::io::stderr().write_all(&told.stderr);
        }
        match ended {
            Ok(None) => std::thread::sleep(LOOK),
            Ok(Some(ended)) => break Ok(ended),
            Err(error) => break Err(error),
        }
    };
    let interrupted = guard.interrupted();
    drop(guard);
    written?;
    // Docker's client has nothing more to say.
    if let Some(signal) = interrupted {
        return Err(u8::try_from(128 + signal).unwrap_or(1));
    }
    let ended = ended.map_err(|e| complain(&cannot_start(call, &e)))?;
    let status = ended.code().or(ended.signal().map(|s| 128 + s)).and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    let answered = Answered { stdout: kept(&mut stdout)?, stderr: said, status };
    if let Some(answer) = progress.end(&answered, &Desk::new(&ask)) {
        let _ = progress.keep().map(|step| prepare(&[step]));
        let said = say(&answer);
        return Ok(if ended.success() { write_files(progress).unwrap_or(said) } else { said });
    }
    let text = String::from_utf8_lossy(&answered.stderr);
    let error = text.find("\nError: ").map_or(0, |at| at + 1);
    if let Some(answer) = progress.failed(&words::as_docker(&text[error..])).filter(|_| ended.signal().is_none()) {
        return Ok(say(&answer));
    }
    complain_as_docker(&text.as_bytes()[error..]);
    Ok(docker_status(ended, Ending::Daemon))
}

/// Reads lines from a pipe that processes may hold open which outlive their parent.
struct Pipe {
    pipe: std::fs::File,
    text: Vec<u8>,
}

impl Pipe {
    /// The next line, without its end; none when there are no more, or a signal has come.
    fn line(&mut self, guard: &signals::Canceling) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = self.text.iter().position(|b| *b == b'\n') {
                let mut line: Vec<u8> = self.text.drain(..=length).collect();
                line.pop();
                return Some(line);
            }
            if guard.signal().is_some() {
                return None;
            }
            // A signal may have come just now, so that the wait is a short one.
            let mut waiting = [PollFd::new(self.pipe.as_fd(), PollFlags::POLLIN)];
            if !matches!(nix::poll::poll(&mut waiting, 200_u16), Ok(ready) if ready > 0) {
                continue;
            }
            let mut buffer = [0; 8192];
            match self.pipe.read(&mut buffer) {
                Ok(0) => return Some(std::mem::take(&mut self.text)).filter(|rest| !rest.is_empty()),
                Ok(read) => self.text.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}

/// Reads what others write to a file, without moving the place at which they write.
struct Follower<'a> {
    file: &'a std::fs::File,
    at: u64,
}

impl Read for Follower<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}
