//! `docker export` of a container with users of its own: its archive, the owners put right on the way.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use super::{cannot_keep, cannot_start, command, complain, complain_as_docker, docker_status, kept, memory_file, prepare, signals};
use crate::plan::each::{Export, Owners};
use crate::plan::{Ending, Refusal};

/// Gives Docker's exit status.
pub fn run(export: &Export) -> Result<u8, u8> {
    prepare(&export.call.prepare).map_err(|refusal| complain(&refusal))?;
    let mut stderr = memory_file()?;
    let mut command = command(&export.call);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e))?);
    let guard = signals::Leaving::start();
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(&export.call, &e)))?;
    guard.takes_along(child.id());
    let copied = child.stdout.take().map_or(Ok(()), |stdout| match &export.output {
        Some(path) => File::create(path).and_then(|file| copy(stdout, file, &export.owners)),
        None => copy(stdout, std::io::stdout().lock(), &export.owners),
    });
    if copied.is_err() {
        let _ = child.kill();
    }
    let ended = child.wait().map_err(|e| complain(&cannot_start(&export.call, &e)))?;
    drop(guard);
    match copied {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Err(141),
        Err(e) => return Err(complain(&Refusal::new(format!("failed to export container: {e}"), 1))),
        Ok(()) => {}
    }
    if !ended.success() {
        complain_as_docker(&kept(&mut stderr)?);
    }
    Ok(docker_status(ended, Ending::Client))
}

const BLOCK: usize = 512;

/// Copies a tar archive, its owners as they are in the container.
fn copy(mut from: impl Read, mut to: impl Write, owners: &[Owners; 2]) -> std::io::Result<()> {
    let mut header = [0u8; BLOCK];
    while fill(&mut from, &mut header)? {
        if header.iter().all(|byte| *byte == 0) {
            to.write_all(&header)?;
            continue;
        }
        let size = number(&header[124..136]).ok_or(std::io::ErrorKind::InvalidData)?;
        for (at, owners) in [(108, &owners[0]), (116, &owners[1])] {
            // What does not fit stands in a record of its own before it, and is none of the numbers of a rootless user.
            let inside = number(&header[at..at + 8]).map(|outside| format!("{:07o}\0", owners.inside(outside)));
            if let Some(field) = inside.filter(|field| field.len() == 8) {
                header[at..at + 8].copy_from_slice(field.as_bytes());
            }
        }
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        to.write_all(&header)?;
        let padded = size.div_ceil(BLOCK as u64) * BLOCK as u64;
        if std::io::copy(&mut from.by_ref().take(padded), &mut to)? != padded {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    to.flush()
}

/// A whole block; false at the end.
fn fill(from: &mut impl Read, block: &mut [u8; BLOCK]) -> std::io::Result<bool> {
    let mut filled = 0;
    while filled < BLOCK {
        match from.read(&mut block[filled..]) {
            Ok(0) if filled == 0 => return Ok(false),
            Ok(0) => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => filled += read,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(true)
}

/// A number of a header: octal digits, or for large ones binary after a first byte of 128.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let (first, rest) = field.split_first()?;
        return Some(rest.iter().fold(u64::from(first & 0x7f), |n, byte| n << 8 | u64::from(*byte)));
    }
    let text = std::str::from_utf8(field).ok()?.trim_matches(|c: char| c == ' ' || c == '\0');
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn owners_are_those_of_the_container() {
        let mut header = [0u8; BLOCK];
        header[..1].copy_from_slice(b"f");
        header[108..116].copy_from_slice(b"0000001\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(b"00000000003\0");
        let mut content = [0u8; BLOCK];
        content[..3].copy_from_slice(b"abc");
        let archive = [header, content, [0; BLOCK], [0; BLOCK]].concat();
        let owners = Owners::read(&json!(["0:1:1001", "1001:0:1", "1002:1002:64535"])).unwrap();
        let mut out = Vec::new();
        copy(&archive[..], &mut out, &[owners.clone(), owners]).unwrap();
        assert_eq!(out.len(), archive.len());
        assert_eq!((number(&out[108..116]), number(&out[116..124])), (Some(0), Some(1001)));
        assert_eq!(out[BLOCK..], archive[BLOCK..]);
        assert!(copy(&archive[..700], Vec::new(), &[Owners(vec![]), Owners(vec![])]).is_err());
    }
}
