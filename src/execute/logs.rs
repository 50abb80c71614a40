//! Carries out `docker logs --details`: Podman keeps nothing with a line, so what Docker would have kept is put before each.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use super::{cannot_start, command, complain, docker_status, prepare, signals};
use crate::plan::Ending;
use crate::plan::each::Logs;

/// Gives Docker's exit status.
pub fn run(logs: &Logs) -> Result<u8, u8> {
    prepare(&logs.call.prepare).map_err(|refusal| complain(&refusal))?;
    let guard = signals::Leaving::start();
    let mut command = command(&logs.call);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(&logs.call, &e)))?;
    guard.takes_along(child.id());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let copied = std::thread::scope(|scope| {
        let errors = scope.spawn(|| stderr.map_or(Ok(()), |stderr| copy(stderr, &mut std::io::stderr(), logs)));
        let copied = stdout.map_or(Ok(()), |stdout| copy(stdout, &mut std::io::stdout(), logs));
        copied.and(errors.join().unwrap_or(Ok(())))
    });
    if copied.is_err() {
        // Whoever read it has gone.
        let _ = child.kill();
    }
    let ended = child.wait();
    drop(guard);
    Ok(docker_status(ended.map_err(|e| complain(&cannot_start(&logs.call, &e)))?, Ending::Client))
}

fn copy(from: impl Read, to: &mut impl Write, logs: &Logs) -> std::io::Result<()> {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        let time = if logs.timestamps { line.iter().position(|b| *b == b' ').map_or(0, |at| at + 1) } else { 0 };
        to.write_all(&[&line[..time], logs.details.as_bytes(), b" ", &line[time..]].concat())?;
        to.flush()?;
        line.clear();
    }
    Ok(())
}
