//! Carries out `docker cp`: Docker's rules for links and for what a destination is called, Podman's way to copy.

use std::ffi::{OsStr, OsString};
use std::fs::Metadata;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::{Component, Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, openat2, readlinkat};

use super::words::verbs::{daemon, no_such};
use super::{cannot_keep, cannot_start, command, complain, docker_status, kept, memory_file, signals, write_stdout};
use crate::plan::each::{Copy, Direction};
use crate::plan::{Ending, Refusal};

/// Gives Docker's exit status.
pub fn run(copy: &Copy) -> u8 {
    let done = match copy.direction {
        Direction::FromContainer => from_container(copy),
        Direction::ToContainer => to_container(copy),
    };
    match done {
        Ok(()) => 0,
        Err(Fault::Said(code)) => code,
        Err(Fault::Words(words)) => complain(&Refusal::new(words, 1)),
    }
}

/// Why nothing was copied.
enum Fault {
    /// It has been said; the exit status.
    Said(u8),
    Words(String),
}

fn fail<T>(words: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Words(words.into()))
}

fn to_container(copy: &Copy) -> Result<(), Fault> {
    let there = copy.there(&copy.inside);
    if copy.local == "-" {
        return match podman(copy, OsStr::new("-"), &there, None)? {
            Ok(()) => Ok(()),
            Err(said) if said.contains("must be a directory") || said.contains("could not be found") => {
                let (name, path) = (copy.typed.to_string_lossy(), copy.inside.to_string_lossy());
                fail(format!("destination \"{name}:{path}\" must be a directory"))
            }
            Err(said) => fail(copy.words(&said)),
        };
    }
    let source = copy.here.join(&copy.local);
    let through = copy.follow || ends_with_separator(&copy.local);
    let info = if through { source.metadata() } else { source.symlink_metadata() };
    let Ok(info) = info else {
        let missing = if through { end_of_links(&source) } else { clean(&source) };
        return fail(format!("lstat {}: no such file or directory", missing.display()));
    };
    if info.is_symlink() {
        return link_to_container(copy, &source);
    }
    match podman(copy, &copy.local, &there, None)? {
        Ok(()) => Ok(()),
        Err(said) if said.contains("could not be found on container") => {
            let bytes = copy.inside.as_bytes();
            let Some(end) = bytes.iter().rposition(|b| *b != b'/').filter(|end| end + 1 < bytes.len()) else {
                return fail(copy.words(&said));
            };
            if !info.is_dir() {
                return fail("no such directory");
            }
            // Docker makes the directory that a destination with a slash at its end means.
            let there = copy.there(OsStr::from_bytes(&bytes[..=end]));
            podman(copy, &copy.local, &there, None)?.or_else(|said| fail(copy.words(&said)))
        }
        Err(said) => fail(copy.words(&said)),
    }
}

/// Puts the link itself there, which Podman would follow: an archive with nothing else in it.
fn link_to_container(copy: &Copy, source: &Path) -> Result<(), Fault> {
    let Ok(target) = std::fs::read_link(source) else { return fail(format!("readlink {}: failed", source.display())) };
    let put = |name: &OsStr, directory: &OsStr| {
        let archive = link_archive(name, target.as_os_str());
        podman(copy, OsStr::new("-"), &copy.there(directory), Some(&archive))
    };
    // Into the directory that the destination is, or to its name in the directory above.
    let own = source.file_name().unwrap_or(OsStr::new("."));
    let Err(said) = put(own, &copy.inside)? else { return Ok(()) };
    let inside = Path::new(&copy.inside);
    let not_a_directory = said.contains("must be a directory") || said.contains("could not be found");
    match (inside.parent(), inside.file_name()) {
        (Some(parent), Some(name)) if not_a_directory && !ends_with_separator(&copy.inside) => {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            put(name, parent.as_os_str())?.or_else(|_| fail(copy.not_found(parent)))
        }
        _ if not_a_directory => fail("no such directory"),
        _ => fail(copy.words(&said)),
    }
}

fn from_container(copy: &Copy) -> Result<(), Fault> {
    let from = copy.there(&copy.inside);
    let link = if copy.follow || ends_with_separator(&copy.inside) { None } else { link_inside(copy) };
    if copy.local == "-" {
        if let Some(target) = link {
            let name = Path::new(&copy.inside).file_name().unwrap_or(OsStr::new("."));
            return write_stdout(&link_archive(name, &target)).map_err(Fault::Said);
        }
        return podman(copy, &from, &copy.local, None)?.or_else(|said| fail(copy.words(&said)));
    }
    let local = copy.here.join(&copy.local);
    writable(&local)?;
    let own = Path::new(&copy.inside).file_name().filter(|_| !ends_with(&copy.inside, b"/."));
    // Podman calls a link's target by its own name, Docker by the link's.
    let (from, to) = match own.map(|own| local.join(own)) {
        Some(named) if local.is_dir() => match named.is_dir() {
            true => (copy.there(&content_of(&copy.inside)), named),
            false => (from, named),
        },
        _ => (from, local.clone()),
    };
    if let Some(target) = link {
        let to = if to == local { to } else { local.join(own.unwrap_or_default()) };
        return make_link(&target, &to);
    }
    match podman(copy, &from, to.as_os_str(), None)? {
        Ok(()) => Ok(()),
        Err(said) if said.contains("could not be found on the host") && ends_with_separator(&copy.local) => {
            // Docker makes the directory that a destination with a slash at its end means; but only for a directory.
            if !is_directory(copy, &from)? {
                return fail("no such directory");
            }
            podman(copy, &from, clean(&local).as_os_str(), None)?.or_else(|said| fail(copy.words(&said)))
        }
        Err(said) => fail(copy.words(&said)),
    }
}

/// Whether a path in the container is a directory: the first entry of an archive of it says so.
fn is_directory(copy: &Copy, from: &OsStr) -> Result<bool, Fault> {
    let mut command = command(&copy.call);
    command.arg("--").args([from, OsStr::new("-")]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let started = |e| Fault::Said(complain(&cannot_start(&copy.call, &e)));
    let mut child = command.spawn().map_err(started)?;
    let mut block = [0; 512];
    let read = child.stdout.take().map(|mut archive| archive.read_exact(&mut block));
    let _ = child.kill();
    child.wait().map_err(started)?;
    Ok(matches!(read, Some(Ok(()))) && block[156] == b'5')
}

/// docker/cli's `ValidateOutputPath`.
fn writable(local: &Path) -> Result<(), Fault> {
    let cleaned = clean(local);
    let parent = cleaned.parent().unwrap_or(Path::new("/"));
    if !parent.exists() {
        return fail(format!("invalid output path: directory \"{}\" does not exist", parent.display()));
    }
    let is_device = |info: Metadata| info.file_type().is_char_device() || info.file_type().is_block_device();
    if local.metadata().is_ok_and(is_device) {
        return fail(format!("invalid output path: \"{}\" must be a directory or a regular file: got a device", local.display()));
    }
    Ok(())
}

/// Makes a link, in place of what is there, unless that is a directory.
fn make_link(target: &OsStr, to: &Path) -> Result<(), Fault> {
    let there = to.symlink_metadata();
    if there.as_ref().is_ok_and(Metadata::is_dir) {
        return fail(format!("cannot overwrite directory \"{}\" with non-directory", to.display()));
    }
    let made = there.map_or(Ok(()), |_| std::fs::remove_file(to)).and_then(|()| std::os::unix::fs::symlink(target, to));
    made.or_else(|e| fail(format!("symlink {} {}: {e}", target.to_string_lossy(), to.display())))
}

/// What a link in the container points at, where the container's files can be seen from here.
fn link_inside(copy: &Copy) -> Option<OsString> {
    let root = std::fs::File::open(copy.root.as_ref()?).ok()?;
    let path = Path::new(&copy.inside);
    let path = path.strip_prefix("/").unwrap_or(path);
    let how = OpenHow::new().flags(OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC).resolve(ResolveFlag::RESOLVE_IN_ROOT);
    let file = openat2(root.as_fd(), path, how).ok()?;
    readlinkat(file.as_fd(), "").ok()
}

/// A tar archive (POSIX ustar, with GNU's long names) of one symbolic link.
fn link_archive(name: &OsStr, target: &OsStr) -> Vec<u8> {
    let mut archive = Vec::new();
    for (kind, text) in [(b'L', name), (b'K', target)] {
        if text.len() > 100 {
            archive.extend(header(b"././@LongLink", b"", kind, text.len() + 1));
            archive.extend(text.as_bytes());
            let rest = 512 - text.len() % 512;
            archive.extend(std::iter::repeat_n(0, rest));
        }
    }
    archive.extend(header(name.as_bytes(), target.as_bytes(), b'2', 0));
    archive.extend([0; 1024]);
    archive
}

fn header(name: &[u8], target: &[u8], kind: u8, size: usize) -> [u8; 512] {
    let mut block = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (uid, gid) = (nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw());
    put(0, &name[..name.len().min(100)]);
    put(100, b"0000777\0");
    put(108, format!("{uid:07o}\0").as_bytes().get(..8).unwrap_or(b"0000000\0"));
    put(116, format!("{gid:07o}\0").as_bytes().get(..8).unwrap_or(b"0000000\0"));
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, format!("{now:011o}\0").as_bytes());
    put(148, b"        ");
    put(156, &[kind]);
    put(157, &target[..target.len().min(100)]);
    put(257, b"ustar  \0");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

impl Copy {
    /// `container:path`, as podman takes it: its relative paths begin in the working directory, Docker's in the root.
    fn there(&self, path: &OsStr) -> OsString {
        let mut word = self.name.clone();
        word.push(if path.as_bytes().starts_with(b"/") { ":" } else { ":/" });
        word.push(path);
        word
    }

    /// Docker's words for a failure of podman.
    fn words(&self, said: &str) -> String {
        let error = said.lines().rev().find_map(|line| line.strip_prefix("Error: ")).unwrap_or(said.trim_end());
        let container = self.typed.to_string_lossy();
        if error.ends_with("does not exist") && error.starts_with("container ") || error.contains("no such container") {
            return daemon(&no_such(&self.typed));
        }
        if error.contains("could not be found on container") {
            let path = Path::new(&self.inside);
            let missing = match self.direction {
                Direction::FromContainer => path,
                Direction::ToContainer => path.parent().unwrap_or(path),
            };
            return self.not_found(missing);
        }
        if error.contains("when copying a directory") {
            return "cannot copy directory".to_string();
        }
        if error.contains("could not be found on the host") {
            return "no such directory".to_string();
        }
        daemon(&error.replace(&*self.name.to_string_lossy(), &container))
    }

    fn not_found(&self, path: &Path) -> String {
        daemon(&format!("Could not find the file {} in container {}", path.display(), self.typed.to_string_lossy()))
    }
}

/// Podman's cp from one to the other; what it says of a failure is kept.
fn podman(copy: &Copy, from: &OsStr, to: &OsStr, stdin: Option<&[u8]>) -> Result<Result<(), String>, Fault> {
    let mut stderr = memory_file().map_err(Fault::Said)?;
    let mut command = command(&copy.call);
    command.arg("--").args([from, to]).stderr(stderr.try_clone().map(Stdio::from).map_err(|e| Fault::Said(cannot_keep(&e)))?);
    if let Some(bytes) = stdin {
        let mut file = memory_file().map_err(Fault::Said)?;
        let rewound = file.write_all(bytes).and_then(|()| std::io::Seek::rewind(&mut file));
        rewound.map_err(|e| Fault::Said(cannot_keep(&e)))?;
        command.stdin(file);
    }
    let guard = signals::Forwarding::start();
    let started = |e| Fault::Said(complain(&cannot_start(&copy.call, &e)));
    let mut child = command.spawn().map_err(started)?;
    guard.to(child.id());
    let ended: ExitStatus = guard.told(child.wait().map_err(started)?);
    drop(guard);
    match docker_status(ended, Ending::Daemon) {
        0 => Ok(Ok(())),
        _ => Ok(Err(String::from_utf8_lossy(&kept(&mut stderr).map_err(Fault::Said)?).into_owned())),
    }
}

/// A path without `.`, `..` and doubled or last slashes (Go's `filepath.Clean`).
fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}

/// Where a chain of links ends that leads to nothing.
fn end_of_links(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..40 {
        match std::fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => break,
        }
    }
    clean(&path)
}

fn ends_with(path: &OsStr, end: &[u8]) -> bool {
    path.as_bytes().ends_with(end)
}

/// A path that asks for the directory behind it: `x/` or `x/.`.
fn ends_with_separator(path: &OsStr) -> bool {
    ends_with(path, b"/") || ends_with(path, b"/.")
}

/// The content of a directory: `x/.`.
fn content_of(path: &OsStr) -> OsString {
    OsString::from_vec([path.as_bytes(), b"/."].concat())
}
