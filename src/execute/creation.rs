//! Makes a container in steps: what Docker says of a failure, the working directory, the start.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use super::{
    become_program, cannot_keep, cannot_start, command, complain, kept, memory_file, prepare, run_one, signals, words, write_stdout,
};
use crate::plan::{Call, Creation, Ending, Made, Refusal, Run};

/// Gives Docker's exit status, by `Err` where nothing more can be done.
pub fn run(creation: &Creation) -> Result<u8, u8> {
    let guard = signals::Forwarding::start();
    let made = attempt(&creation.call, &[], None, &guard)?;
    if !made.status.success() {
        if let Some(signal) = guard.interrupted().or(made.status.signal()) {
            return Err(signals::die_by(signal));
        }
        let id = if creation.run { unstarted(creation, &made, &guard).unwrap_or_default() } else { vec![] };
        write_stdout(&id)?;
        return Ok(fail(creation, &made, String::from_utf8_lossy(&id).trim()));
    }
    let Some(start) = &creation.start else {
        if let Some((dir, copy)) = &creation.make {
            make(&made, dir, copy, &guard);
        }
        write_stdout(&made.stdout)?;
        return Ok(0);
    };
    let id = String::from_utf8_lossy(made.stdout.trim_ascii()).into_owned();
    let id = id.lines().last().unwrap_or_default();
    if let Some(file) = &creation.cidfile {
        if let Err(e) = std::fs::write(file, id) {
            return Err(complain(&Refusal::new(
                format!("docker: failed to write the container ID to the file ({}): {e}", file.display()),
                125,
            )));
        }
    }
    if let Some((dir, copy)) = &creation.make {
        make(&made, dir, copy, &guard);
    }
    if start.detach {
        write_stdout(&made.stdout)?;
    }
    // What cannot be started is found here, with Docker's words for it; what is left is Podman's own from then on.
    let first = if start.detach { &start.call } else { &with(&creation.engine, &["init"]) };
    let begun = attempt(first, &[OsStr::new(id)], None, &guard)?;
    let interrupted = guard.interrupted().filter(|_| !start.detach);
    if !begun.status.success() || interrupted.is_some() {
        if start.remove {
            let _ = attempt(&with(&creation.engine, &["rm", "--force", "--volumes"]), &[OsStr::new(id)], None, &guard);
        }
        return match interrupted.or(begun.status.signal()) {
            Some(signal) => Err(signals::die_by(signal)),
            None => Ok(fail(creation, &begun, id)),
        };
    }
    if start.detach {
        return Ok(0);
    }
    drop(guard);
    let call = with(&start.call, &[id]);
    if !start.remove {
        return Ok(become_program(&call));
    }
    // Podman's start leaves the removal to a process of its own; with Docker the container is gone by the end of it. One
    // that runs on, since the caller has detached from it, is not removed here.
    let status = run_one(&Run::new(call, Ending::Same))?;
    let guard = signals::Forwarding::start();
    let _ = attempt(&with(&creation.engine, &["rm", "--volumes"]), &[OsStr::new(id)], None, &guard);
    Ok(status)
}

struct Attempt {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Runs a call with more arguments, and keeps what it says.
fn attempt(call: &Call, args: &[&OsStr], stdin: Option<&[u8]>, guard: &signals::Forwarding) -> Result<Attempt, u8> {
    prepare(&call.prepare).map_err(|refusal| complain(&refusal))?;
    // Kept in memory rather than read from pipes: a container that was started would hold a pipe open.
    let (mut stdout, mut stderr) = (memory_file()?, memory_file()?);
    let stdio = |file: &std::fs::File| file.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e));
    let mut command = command(call);
    command.args(args).stdout(stdio(&stdout)?).stderr(stdio(&stderr)?);
    command.stdin(if stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(call, &e)))?;
    guard.to(child.id());
    if let (Some(bytes), Some(mut pipe)) = (stdin, child.stdin.take()) {
        let _ = pipe.write_all(bytes);
    }
    let ended = child.wait().map(|ended| guard.told(ended));
    guard.gone();
    let status = ended.map_err(|e| complain(&cannot_start(call, &e)))?;
    Ok(Attempt { status, stdout: kept(&mut stdout)?, stderr: kept(&mut stderr)? })
}

fn with(call: &Call, args: &[&str]) -> Call {
    let mut call = call.clone();
    call.args.extend(args.iter().map(Into::into));
    call
}

/// The ID of the container that was made and did not start, which `docker run --detach` has printed by then.
fn unstarted(creation: &Creation, made: &Attempt, guard: &signals::Forwarding) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(&made.stderr);
    if creation.start.is_some() || !words::of_start(&text) {
        return None;
    }
    let mut call = with(&creation.engine, &["ps", "--all", "--no-trunc", "--quiet", "--filter=status=created", "--latest"]);
    if let Some(name) = &creation.name {
        call = with(&creation.engine, &["ps", "--all", "--no-trunc", "--quiet", "--filter=status=created"]);
        let name = name.to_string_lossy();
        call.args.push(format!("--filter=name=^{}$", name.trim_start_matches('/')).into());
    }
    attempt(&call, &[], None, guard).ok().map(|a| a.stdout).filter(|id| id.trim_ascii().len() == 64)
}

/// Says why, in Docker's words, and gives Docker's status for it.
fn fail(creation: &Creation, failed: &Attempt, id: &str) -> u8 {
    let text = String::from_utf8_lossy(&failed.stderr);
    let words = words::of_creation(&text, creation.name.as_deref(), id);
    if !creation.run {
        return complain(&Refusal::new(words, 1));
    }
    let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    // docker/cli's `toStatusError`.
    let status = if has(&["executable file not found", "no such file or directory", "system cannot find the file specified"]) {
        127
    } else if has(&["permission denied", "is a directory"]) {
        126
    } else {
        125
    };
    complain(&Refusal::new(format!("docker: {words}\n\nRun 'docker run --help' for more information"), status))
}

/// Makes the working directory as dockerd does, 0755 and root's, where it is not there. It goes in as an archive: so it
/// is Podman that follows the container's links, and nothing that is there already is touched.
fn make(made: &Attempt, dir: &Made, copy: &Call, guard: &signals::Forwarding) {
    let id = String::from_utf8_lossy(made.stdout.trim_ascii()).into_owned();
    let id = id.lines().last().unwrap_or_default();
    if !dir.absent && is_there(id, &dir.path, copy) {
        return;
    }
    let mut missing: Vec<&OsStr> = Vec::new();
    let mut at = dir.path.as_path();
    while let (Some(parent), Some(name)) = (at.parent(), at.file_name()) {
        missing.insert(0, name);
        if dir.there.starts_with(parent) || (!dir.absent && is_there(id, parent, copy)) {
            let mut call = copy.clone();
            call.args.extend(["--archive=false".into(), "-".into(), place(id, parent)]);
            let _ = attempt(&call, &[], Some(&archive(&missing)), guard);
            return;
        }
        at = parent;
    }
}

fn place(id: &str, path: &Path) -> std::ffi::OsString {
    let mut place = std::ffi::OsString::from(format!("{id}:"));
    place.push(path);
    place
}

/// Whether the container has a path: an archive of it has bytes. It is read to its end, or podman might wait for ever.
fn is_there(id: &str, path: &Path, copy: &Call) -> bool {
    let mut command = command(copy);
    command.arg(place(id, path)).arg("-").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else { return true };
    let read = child.stdout.take().map(|mut stdout| std::io::copy(&mut stdout, &mut std::io::sink()));
    let _ = child.wait();
    matches!(read, Some(Ok(1..)))
}

/// A tar archive of directories, one in the other.
fn archive(names: &[&OsStr]) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    let mut bytes = Vec::new();
    let mut path = Vec::new();
    for name in names {
        path.extend_from_slice(name.as_bytes());
        path.push(b'/');
        let mut header = [0u8; 512];
        let length = path.len().min(100);
        header[..length].copy_from_slice(&path[..length]);
        for (at, field) in [(100, "0000755"), (108, "0000000"), (116, "0000000"), (124, "00000000000"), (136, "00000000000")] {
            header[at..at + field.len()].copy_from_slice(field.as_bytes());
        }
        header[148..156].fill(b' ');
        header[156] = b'5';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(&header);
    }
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_directories() {
        let bytes = archive(&[OsStr::new("a"), OsStr::new("b")]);
        assert_eq!(bytes.len(), 4 * 512);
        assert_eq!(&bytes[..3], b"a/\0");
        assert_eq!(&bytes[512..517], b"a/b/\0");
    }
}
