//! `docker save` and `docker load`: archives that pass through us, so that they have Docker's names.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{cannot_keep, cannot_start, command, complain, complain_as_docker, docker_status, kept, memory_file, signals, write_stdout};
use crate::plan::rules::local::familiar;
use crate::plan::rules::references::Reference;
use crate::plan::{Ending, Load, Refusal, Save};
use crate::render::archive::{self, Archived, BLOCK, Header};

/// Writes an archive to a file, which is replaced once all is well, or to stdout. Gives Docker's exit status.
pub fn save(save: &Save) -> Result<u8, u8> {
    let Some(path) = &save.file else {
        return write(save, &mut std::io::stdout());
    };
    let refuse = |words: &str| complain(&Refusal::new(format!("failed to save image: {words}"), 1));
    match std::fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(refuse("cannot write to a directory")),
        Ok(there) if there.file_type().is_char_device() => return Err(refuse("cannot write to a character device file")),
        Ok(there) if there.file_type().is_block_device() => return Err(refuse("cannot write to a block device file")),
        // A named pipe is written to, not replaced.
        Ok(there) if !there.is_file() => {
            let mut pipe = OpenOptions::new().write(true).open(path).map_err(|e| refuse(&e.to_string()))?;
            return write(save, &mut pipe);
        }
        _ => {}
    }
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let new = path.with_file_name(name);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new);
    let mut file = opened.map_err(|e| refuse(&format!("open {}: {}", path.display(), reason(&e))))?;
    let written = write(save, &mut file);
    let done = match written {
        Ok(0) => std::fs::rename(&new, path).map(|()| 0).map_err(|e| refuse(&e.to_string())),
        other => other,
    };
    if done != Ok(0) {
        let _ = std::fs::remove_file(&new);
    }
    done
}

/// An error as Go words it.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or directory".into(),
        ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

fn write(save: &Save, to: &mut dyn Write) -> Result<u8, u8> {
    let mut stderr = memory_file()?;
    let mut command = command(&save.call);
    command.stdout(Stdio::piped());
    if !save.on_terminal {
        command.stderr(stderr.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e))?);
    }
    let guard = signals::Forwarding::start();
    let mut child = command.spawn().map_err(|e| complain(&cannot_start(&save.call, &e)))?;
    guard.to(child.id());
    let copied = child.stdout.take().map_or(Ok(()), |mut from| pass_on(&mut from, to));
    if copied.is_err() {
        let _ = child.kill();
    }
    let ended = child.wait();
    let interrupted = guard.interrupted();
    drop(guard);
    // The archive ends early, and podman may call that a success.
    if let Some(signal) = interrupted {
        return Err(u8::try_from(128 + signal).unwrap_or(1));
    }
    match copied {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(141),
        // Podman tells why there is no more.
        Err(error) if error.kind() == ErrorKind::UnexpectedEof && ended.as_ref().is_ok_and(|ended| !ended.success()) => {}
        Err(error) => return Err(complain(&Refusal::new(format!("docker: the archive cannot be written: {error}"), 1))),
        Ok(()) => {}
    }
    let ended = ended.map_err(|e| complain(&cannot_start(&save.call, &e)))?;
    if !ended.success() {
        complain_as_docker(&kept(&mut stderr)?);
    }
    Ok(docker_status(ended, Ending::Daemon))
}

/// Passes an archive on to its end, the lists of its images with Docker's names.
fn pass_on(from: &mut dyn Read, to: &mut dyn Write) -> std::io::Result<()> {
    let mut block = [0; BLOCK];
    let mut size = None;
    loop {
        match from.read_exact(&mut block) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return to.flush(),
            other => other?,
        }
        to.write_all(&block)?;
        let Some(header) = Header::of(&block) else {
            // The end, or something that is passed on as it is.
            std::io::copy(from, to)?;
            return to.flush();
        };
        let large = size.take();
        if header.is_extension || matches!(header.name.as_str(), "manifest.json" | "repositories") {
            let mut content = vec![0; usize::try_from(header.padded()).unwrap_or(usize::MAX)];
            from.read_exact(&mut content)?;
            let length = usize::try_from(header.size).unwrap_or_default();
            if header.is_extension {
                size = archive::size_of_extension(&content[..length]);
            } else if let Some(new) = archive::with_familiar_names(&header.name, &content[..length]) {
                content[..length].copy_from_slice(&new);
            }
            to.write_all(&content)?;
        } else {
            let length = Header { size: large.unwrap_or(header.size), ..header }.padded();
            if std::io::copy(&mut from.take(length), to)? < length {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// An archive on the file system; one of ours goes with it.
struct Input {
    path: PathBuf,
    ours: bool,
}

impl Drop for Input {
    fn drop(&mut self) {
        if self.ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Loads an archive, and gives its images the names that Docker reads in it: Podman takes a name without a registry for one of its own.
pub fn load(load: &Load) -> Result<u8, u8> {
    let input = input(load.file.as_deref())?;
    let images = File::open(&input.path).ok().and_then(|mut file| manifest(&mut file)).and_then(|text| archive::archived(&text));
    let mut stderr = memory_file()?;
    let mut stdout = memory_file()?;
    let mut podman = command(&load.call);
    podman.arg("--input").arg(&input.path).stdin(Stdio::null());
    podman.stdout(stdout.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e))?);
    if !load.on_terminal {
        podman.stderr(stderr.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e))?);
    }
    let guard = signals::Forwarding::start();
    let mut child = podman.spawn().map_err(|e| complain(&cannot_start(&load.call, &e)))?;
    guard.to(child.id());
    let ended = child.wait().map(|ended| guard.told(ended));
    let interrupted = guard.interrupted();
    drop(guard);
    let ended = ended.map_err(|e| complain(&cannot_start(&load.call, &e)))?;
    if let Some(signal) = interrupted.filter(|_| !ended.success()) {
        return Err(u8::try_from(128 + signal).unwrap_or(1));
    }
    if !ended.success() {
        let error = String::from_utf8_lossy(&kept(&mut stderr)?).into_owned();
        // Podman tries one kind of archive after the other: one is the right one where the policy had a say.
        let rejected = error.lines().find(|line| line.contains(" is rejected by policy")).and_then(|line| line.split_once(": "));
        match error.contains("payload does not match any of the supported image formats") {
            true if rejected.is_some() => {
                complain_as_docker(rejected.map_or(String::new(), |(_, words)| format!("Error: {words}\n")).as_bytes());
                1
            }
            true if error.contains("unexpected EOF") => complain(&Refusal::new("unexpected EOF", 1)),
            true => complain(&Refusal::new("open manifest.json: no such file or directory", 1)),
            false => {
                complain_as_docker(error.as_bytes());
                1
            }
        };
        return Ok(docker_status(ended, Ending::Daemon));
    }
    let said = kept(&mut stdout)?;
    let shown = match images {
        Some(images) => images.iter().map(|image| name(load, image)).collect::<Result<String, u8>>()?,
        // Another kind of archive, which Docker may not know: Podman's names, as Docker shows them.
        None => String::from_utf8_lossy(&said).lines().map(|line| line_as_docker(line) + "\n").collect(),
    };
    write_stdout(shown.as_bytes())?;
    Ok(0)
}

fn line_as_docker(line: &str) -> String {
    match line.strip_prefix("Loaded image: ") {
        Some(id) if id.starts_with("sha256:") => format!("Loaded image ID: {id}"),
        Some(name) => format!("Loaded image: {}", familiar(name)),
        None => line.to_string(),
    }
}

/// Gives a loaded image Docker's names, and takes those away that Podman gave it instead.
fn name(load: &Load, image: &Archived) -> Result<String, u8> {
    if image.names.is_empty() {
        return Ok(format!("Loaded image ID: sha256:{}\n", image.id));
    }
    let (mut said, mut given, mut taken) = (String::new(), Vec::new(), Vec::new());
    for name in &image.names {
        let Ok(reference) = Reference::parse(OsStr::new(name)) else { continue };
        let full = reference.tagged();
        let shown = reference.familiar();
        if let Some(old) = load.before.iter().find(|old| old.names.contains(&full)).filter(|old| old.id != image.id) {
            let old = &old.id;
            said += &format!("The image {shown} already exists, renaming the old one with ID sha256:{old} to empty string\n");
        }
        said += &format!("Loaded image: {shown}\n");
        let plain = !name.split('/').next().unwrap_or_default().contains(['.', ':']) || !name.contains('/');
        if reference.domain == "docker.io" && plain {
            given.push(full);
            taken.extend(reference.podmans_repository().zip(full_tag(&reference)).map(|(repository, tag)| format!("{repository}:{tag}")));
        }
    }
    if given.is_empty() {
        return Ok(said);
    }
    quietly(&load.tag, [image.id.clone()].into_iter().chain(given))?;
    // Only what this archive has brought; a name of Podman's that was there before goes back to its image.
    quietly(&load.untag, [image.id.clone()].into_iter().chain(taken.clone()))?;
    for name in taken {
        if let Some(old) = load.before.iter().find(|old| old.names.contains(&name)) {
            quietly(&load.tag, [old.id.clone(), name])?;
        }
    }
    Ok(said)
}

fn full_tag(reference: &Reference) -> Option<String> {
    Some(reference.tag.clone().unwrap_or_else(|| "latest".into()))
}

/// A call with more arguments, of which nothing is shown but a failure.
fn quietly(call: &crate::plan::Call, args: impl IntoIterator<Item = String>) -> Result<(), u8> {
    let mut command = command(call);
    command.args(args).stdin(Stdio::null());
    let output = command.output().map_err(|e| complain(&cannot_start(call, &e)))?;
    if output.status.success() {
        return Ok(());
    }
    complain_as_docker(&output.stderr);
    Err(1)
}

/// The archive as a file that is not packed: the caller's own, or a copy.
fn input(file: Option<&Path>) -> Result<Input, u8> {
    let mut from: Box<dyn Read> = match file {
        Some(path) => Box::new(File::open(path).map_err(|e| cannot_open(path, &e))?),
        None => Box::new(std::io::stdin().lock()),
    };
    let mut start = [0; 6];
    let mut length = 0;
    while length < start.len() {
        match from.read(&mut start[length..]).map_err(|e| cannot_open(file.unwrap_or(Path::new("-")), &e))? {
            0 => break,
            read => length += read,
        }
    }
    let start = &start[..length];
    let unpacker = archive::unpacker(start);
    if let (Some(path), None) = (file, unpacker) {
        return Ok(Input { path: path.to_path_buf(), ours: false });
    }
    let (path, mut copy) = own_file().map_err(|e| cannot_keep(&e))?;
    let input = Input { path, ours: true };
    let child = unpacker.and_then(|program| {
        let out = copy.try_clone().ok()?;
        Command::new(program).arg("-dc").stdin(Stdio::piped()).stdout(out).stderr(Stdio::null()).spawn().ok()
    });
    match child {
        Some(mut child) => {
            if let Some(mut to) = child.stdin.take() {
                // What the program does not read is its own affair.
                let _ = to.write_all(start).and_then(|()| std::io::copy(&mut from, &mut to));
            }
            let _ = child.wait();
        }
        None => {
            copy.write_all(start).and_then(|()| std::io::copy(&mut from, &mut copy)).map_err(|e| cannot_keep(&e))?;
        }
    }
    Ok(input)
}

fn cannot_open(path: &Path, error: &std::io::Error) -> u8 {
    complain(&Refusal::new(format!("open {}: {}", path.display(), reason(error)), 1))
}

/// A file of the caller's own where Podman keeps its large ones too.
fn own_file() -> std::io::Result<(PathBuf, File)> {
    let directory = std::env::var_os("TMPDIR").filter(|d| !d.is_empty()).map_or_else(|| PathBuf::from("/var/tmp"), PathBuf::from);
    let mut count = 0;
    loop {
        let path = directory.join(format!("docker-shim-load-{}-{count}", std::process::id()));
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists && count < 100 => count += 1,
            other => return other.map(|file| (path, file)),
        }
    }
}

/// An archive's list of its images.
fn manifest(file: &mut File) -> Option<Vec<u8>> {
    let mut block = [0; BLOCK];
    let mut size = None;
    loop {
        file.read_exact(&mut block).ok()?;
        let header = Header::of(&block)?;
        let large = size.take();
        if header.is_extension || header.name == "manifest.json" || header.name == "./manifest.json" {
            let mut content = vec![0; usize::try_from(header.padded()).ok().filter(|size| *size < 1 << 26)?];
            file.read_exact(&mut content).ok()?;
            content.truncate(usize::try_from(header.size).ok()?);
            if !header.is_extension {
                return Some(content);
            }
            size = archive::size_of_extension(&content);
        } else {
            let length = Header { size: large.unwrap_or(header.size), ..header }.padded();
            file.seek(SeekFrom::Current(i64::try_from(length).ok()?)).ok()?;
        }
    }
}
