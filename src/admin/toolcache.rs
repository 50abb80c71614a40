//! `docker-shim toolcache`: takes the place of Docker clients in the tool caches of build agents.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use nix::unistd::{Gid, Uid};

use crate::installer;

/// The caches that root has put stubs into: an owner's number and a directory a line. The Debian package makes its directory.
const RECORD: &str = "/var/lib/docker-shim/toolcaches";

/// The same of another user, below the home directory.
const OWN_RECORD: &str = ".local/state/docker-shim/toolcaches";

/// Where this user writes down what is put where. Errors: nowhere, without an account.
fn own_record() -> Result<PathBuf> {
    if Uid::effective().is_root() {
        return Ok(PathBuf::from(RECORD));
    }
    let (_, _, home) = account(&Uid::effective().to_string()).context("this user has no account")?;
    Ok(home.join(OWN_RECORD))
}

/// A record's lines: whose a cache is, and where. Nothing but a plain file is read.
fn lines(record: &Path) -> Result<Vec<(Vec<u8>, PathBuf)>> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut text = Vec::new();
    match fs::File::options().read(true).custom_flags(flags).open(record) {
        Ok(mut file) if file.metadata()?.is_file() => file.read_to_end(&mut text).with_context(|| record.display().to_string())?,
        Ok(_) => bail!("{} is no plain file", record.display()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(error).with_context(|| record.display().to_string()),
    };
    let split = |line: &[u8]| {
        let at = line.iter().position(|b| *b == b' ')?;
        Some((line[..at].to_vec(), PathBuf::from(OsStr::from_bytes(&line[at + 1..]))))
    };
    Ok(text.split(|b| *b == b'\n').filter_map(split).collect())
}

/// The caches that are written down, and the one of Microsoft's images.
pub fn known() -> Vec<PathBuf> {
    let own = own_record().and_then(|record| lines(&record)).unwrap_or_default();
    let record = if Uid::effective().is_root() { vec![] } else { lines(Path::new(RECORD)).unwrap_or_default() };
    let named = own.into_iter().chain(record).map(|(_, tools)| tools);
    let mut known: Vec<PathBuf> = named.chain([PathBuf::from("/opt/hostedtoolcache")]).filter(|dir| dir.is_dir()).collect();
    known.dedup();
    known
}

/// Empties every cache that is written down, each in a process of its own, which becomes that cache's user. For root the other users'
/// records count too: what stands there is read by that user's own process, with that user's rights.
/// Errors: a cache that could not be emptied; it stays written down, and the others are emptied all the same.
pub fn unseed_all(dry_run: bool) -> Result<String> {
    let mut report = String::new();
    let mut complete = unseed_recorded(&own_record()?, dry_run, &mut report)?;
    if Uid::effective().is_root() {
        for (uid, gid, home) in accounts() {
            if uid.is_root() || fs::symlink_metadata(home.join(OWN_RECORD)).is_err() {
                continue;
            }
            let mut unseed = Command::new(std::env::current_exe()?);
            // As root's child with a user given, it loses root's other groups as well.
            unseed.arg0("docker-shim").args(["toolcache", "unseed", "--all"]).args(dry_run.then_some("--dry-run"));
            let answer = unseed.current_dir("/").uid(uid.as_raw()).gid(gid.as_raw()).stderr(Stdio::inherit()).output()?;
            report.push_str(&String::from_utf8_lossy(&answer.stdout));
            complete &= answer.status.success();
        }
    }
    if !complete {
        bail!("some stubs are left; {RECORD}, or their users' {OWN_RECORD}, names their caches");
    }
    Ok(report)
}

/// Empties the caches of one record, and leaves in it what could not be emptied. Gives whether everything could.
fn unseed_recorded(record: &Path, dry_run: bool, report: &mut String) -> Result<bool> {
    let mut left = Vec::new();
    let there = lines(record)?;
    for (owner, tools) in there.iter().filter(|(_, tools)| tools.is_dir()) {
        let mut unseed = Command::new("/proc/self/exe");
        unseed.arg0("docker-shim").args(["toolcache", "unseed", "--tools-dir"]).arg(tools).arg("--owner").arg(OsStr::from_bytes(owner));
        let answer = unseed.args(dry_run.then_some("--dry-run")).stderr(Stdio::inherit()).output()?;
        report.push_str(&String::from_utf8_lossy(&answer.stdout));
        if !answer.status.success() {
            left.extend([owner.as_slice(), b" ", tools.as_os_str().as_bytes(), b"\n"].concat());
        }
    }
    if !dry_run && !there.is_empty() {
        let kept = if left.is_empty() { fs::remove_file(record) } else { fs::write(record, &left) };
        kept.with_context(|| record.display().to_string())?;
        if left.is_empty() && record.ends_with(OWN_RECORD) {
            // What was made for it, where nothing else is there.
            record.ancestors().skip(1).take(1).for_each(|dir| drop(fs::remove_dir(dir)));
        }
    }
    Ok(left.is_empty())
}

/// Where and for whom the cache is.
pub struct Cache {
    /// `$AGENT_TOOLSDIRECTORY`.
    pub tools: PathBuf,
    /// The agent's user; by default the one who owns the directory.
    pub owner: Option<String>,
    /// The program that the stubs start.
    pub interpreter: PathBuf,
    pub dry_run: bool,
}

/// A user by name or number. Asked of getent, which knows directories of users that a static program cannot ask.
/// A number need not have an account any more.
fn user(name: &str) -> Option<(Uid, Gid)> {
    if let Ok(number) = name.parse() {
        let group = account(name).map_or(Gid::from_raw(number), |(_, group, _)| group);
        return Some((Uid::from_raw(number), group));
    }
    account(name).map(|(uid, gid, _)| (uid, gid))
}

type Account = (Uid, Gid, PathBuf);

fn account(name: &str) -> Option<Account> {
    getent(&["--", name]).into_iter().next()
}

/// The accounts that the machine lists.
fn accounts() -> Vec<Account> {
    getent(&[])
}

fn getent(words: &[&str]) -> Vec<Account> {
    let answer = Command::new("getent").arg("passwd").args(words).output().map(|answer| answer.stdout).unwrap_or_default();
    let account = |line: &[u8]| {
        let mut fields = line.split(|b| *b == b':').skip(2);
        let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<u32>().ok();
        let (uid, gid) = (Uid::from_raw(number()?), Gid::from_raw(number()?));
        Some((uid, gid, PathBuf::from(OsStr::from_bytes(fields.nth(1)?))))
    };
    answer.split(|b| *b == b'\n').filter_map(account).collect()
}

impl Cache {
    /// Whose the cache is.
    fn owner(&self) -> Result<(Uid, Gid)> {
        let meta = fs::metadata(&self.tools).with_context(|| self.tools.display().to_string())?;
        match &self.owner {
            Some(name) => user(name).with_context(|| format!("there is no user {name}")),
            None => Ok((Uid::from_raw(meta.uid()), Gid::from_raw(meta.gid()))),
        }
    }

    /// Writes down where stubs are put, for the package's removal: root where the package has made the place for it, other users at
    /// home. A user without a home seeds all the same, and has to unseed by name.
    pub fn remember(&self) -> Result<()> {
        let root = Uid::effective().is_root();
        self.write_down(root).or_else(|error| if root { Err(error) } else { Ok(()) })
    }

    fn write_down(&self, root: bool) -> Result<()> {
        if self.dry_run || (root && !Path::new(RECORD).parent().is_some_and(Path::is_dir)) {
            return Ok(());
        }
        let record = own_record()?;
        let owner = self.owner()?.0;
        if !root && owner != Uid::effective() {
            return Ok(());
        }
        let tools = fs::canonicalize(&self.tools).with_context(|| self.tools.display().to_string())?;
        if tools.as_os_str().as_bytes().contains(&b'\n') {
            bail!("{} has a line break in its name", tools.display());
        }
        let owner = owner.to_string().into_bytes();
        if lines(&record)?.contains(&(owner.clone(), tools.clone())) {
            return Ok(());
        }
        if let Some(dir) = record.parent().filter(|_| !root) {
            fs::create_dir_all(dir).with_context(|| dir.display().to_string())?;
        }
        let line = [owner.as_slice(), b" ", tools.as_os_str().as_bytes(), b"\n"].concat();
        let file = fs::File::options().append(true).create(true).open(&record);
        file.and_then(|mut file| file.write_all(&line)).with_context(|| record.display().to_string())
    }

    /// Becomes the agent's user: the task changes the mode of what it finds there, which only its owner can; and what that user may have
    /// put in the way is then followed with that user's rights alone.
    fn enter(&self) -> Result<()> {
        let (uid, gid) = self.owner()?;
        let now = Uid::effective();
        if now == uid {
            return Ok(());
        }
        if !now.is_root() {
            bail!("{} belongs to another user; run this as that user or as root", self.tools.display());
        }
        nix::unistd::setgroups(&[gid])?;
        nix::unistd::setgid(gid)?;
        nix::unistd::setuid(uid)?;
        Ok(())
    }

    /// Puts a stub for each version, where no client is yet. Gives what was done, a line each. A stub's marker is written last.
    pub fn seed(&self, versions: &[String], channels: &[String]) -> Result<String> {
        if !self.tools.is_dir() {
            bail!("{} is no directory; make it for the agent's user first", self.tools.display());
        }
        self.enter()?;
        let mut report = String::new();
        for channel in channels {
            for version in versions {
                let dir = installer::place(&self.tools, channel, version, installer::arch());
                let client = dir.join("docker");
                let stub = installer::stub(&self.interpreter, version);
                let there = fs::read(&client).ok();
                let verb = match &there {
                    Some(text) if *text == stub.as_bytes() && marker(&dir).exists() => continue,
                    Some(text) if !installer::is_stub(text) => {
                        let _ = writeln!(report, "left {}: it is not ours", client.display());
                        continue;
                    }
                    Some(_) => "renewed",
                    None => "seeded",
                };
                let _ = writeln!(report, "{verb} {}", client.display());
                if !self.dry_run {
                    fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
                    replace(&client, stub.as_bytes())?;
                    fs::write(marker(&dir), b"").with_context(|| marker(&dir).display().to_string())?;
                }
            }
        }
        Ok(report)
    }

    /// Removes the stubs, their markers and the directories that are empty then; a client that was taken over is put back.
    pub fn unseed(&self) -> Result<String> {
        self.enter()?;
        let mut report = String::new();
        for client in clients(&self.tools) {
            if !fs::read(&client).is_ok_and(|text| installer::is_stub(&text)) {
                continue;
            }
            let dir = client.parent().unwrap_or(&self.tools);
            if original(&client).exists() {
                let _ = writeln!(report, "restored {}", client.display());
                if !self.dry_run {
                    fs::rename(original(&client), &client)?;
                }
                continue;
            }
            let _ = writeln!(report, "removed {}", client.display());
            if !self.dry_run {
                let _ = fs::remove_file(marker(dir));
                fs::remove_file(&client).with_context(|| client.display().to_string())?;
                // Only what is empty goes.
                dir.ancestors().take(3).take_while(|dir| *dir != self.tools).all(|dir| fs::remove_dir(dir).is_ok());
            }
        }
        Ok(report)
    }

    /// Puts stubs in the place of clients that were downloaded, and keeps those beside them.
    pub fn take_over(&self) -> Result<String> {
        self.enter()?;
        let mut report = String::new();
        for client in clients(&self.tools) {
            let Some(asked) = installer::asked_by(&client) else { continue };
            // Without its marker it is still being copied.
            let complete = client.parent().is_some_and(|dir| marker(dir).exists());
            if !complete || fs::symlink_metadata(&client).is_ok_and(|m| !m.is_file()) || !is_elf(&client) {
                continue;
            }
            // The task changes its mode, which only its owner can.
            if fs::metadata(&client).is_ok_and(|m| m.uid() != Uid::effective().as_raw()) {
                let _ = writeln!(report, "left {}: it belongs to another user, whom --owner can name", client.display());
                continue;
            }
            let _ = writeln!(report, "took over {} ({})", client.display(), asked.version);
            if !self.dry_run {
                fs::rename(&client, original(&client)).with_context(|| client.display().to_string())?;
                let stub = installer::stub(&self.interpreter, &asked.version);
                if let Err(error) = replace(&client, stub.as_bytes()) {
                    fs::rename(original(&client), &client)?;
                    return Err(error);
                }
            }
        }
        Ok(report)
    }

    /// Puts back the clients that were taken over.
    pub fn restore(&self) -> Result<String> {
        self.enter()?;
        let mut report = String::new();
        for client in clients(&self.tools).into_iter().filter(|client| original(client).exists()) {
            let _ = writeln!(report, "restored {}", client.display());
            if !self.dry_run {
                fs::rename(original(&client), &client).with_context(|| client.display().to_string())?;
            }
        }
        Ok(report)
    }
}

/// The clients in a tool cache: `docker-CHANNEL/VERSION/ARCH/docker`.
pub fn clients(tools: &Path) -> Vec<PathBuf> {
    let below = |dir: &Path| -> Vec<PathBuf> {
        let mut entries: Vec<_> = fs::read_dir(dir).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())).collect();
        entries.sort();
        entries
    };
    let channels = below(tools).into_iter().filter(|dir| dir.file_name().is_some_and(|n| n.to_string_lossy().starts_with("docker-")));
    let places = channels.flat_map(|dir| below(&dir)).flat_map(|dir| below(&dir)).map(|dir| dir.join("docker"));
    places.filter(|client| installer::asked_by(client).is_some() && fs::symlink_metadata(client).is_ok()).collect()
}

/// What says that a place in the cache is complete.
pub fn marker(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_os_string();
    name.push(".complete");
    PathBuf::from(name)
}

/// Where a client that was taken over is kept.
fn original(client: &Path) -> PathBuf {
    client.with_file_name(".docker.real")
}

/// Writes a file as a whole, executable.
fn replace(path: &Path, content: &[u8]) -> Result<()> {
    let new = path.with_file_name(format!(".docker.{}", std::process::id()));
    let written = fs::write(&new, content).and_then(|()| fs::set_permissions(&new, fs::Permissions::from_mode(0o755)));
    written.and_then(|()| fs::rename(&new, path)).with_context(|| path.display().to_string()).inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })
}

fn is_elf(path: &Path) -> bool {
    let mut start = [0; 4];
    fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut start)).is_ok() && start == *b"\x7fELF"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_filled_and_emptied() {
        let tools = std::env::temp_dir().join(format!("docker-shim-toolcache-{}", std::process::id()));
        fs::create_dir_all(tools.join("docker-stable/24.0.9").join(installer::arch())).unwrap();
        let real = tools.join("docker-stable/24.0.9").join(installer::arch()).join("docker");
        fs::write(&real, b"\x7fELF and so on").unwrap();
        let cache = Cache { tools: tools.clone(), owner: None, interpreter: "/usr/bin/docker".into(), dry_run: false };
        let versions = ["19.03.4".to_string(), "24.0.9".to_string()];
        let channels = ["stable".to_string()];
        let report = cache.seed(&versions, &channels).unwrap();
        assert!(report.contains("seeded") && report.contains("left"), "{report}");
        let stub = installer::place(&tools, "stable", "19.03.4", installer::arch()).join("docker");
        assert_eq!(fs::read_to_string(&stub).unwrap(), "#!/usr/bin/docker --tool-cache=19.03.4\n");
        assert!(marker(stub.parent().unwrap()).exists());
        assert_eq!(cache.seed(&versions, &channels).unwrap().lines().count(), 1, "a second time only the foreign one is named");
        assert_eq!(cache.take_over().unwrap().lines().count(), 0, "one that is not complete is left alone");
        fs::write(marker(real.parent().unwrap()), b"").unwrap();
        assert_eq!(cache.take_over().unwrap().lines().count(), 1);
        let ours = |client: &PathBuf| fs::read(client).is_ok_and(|text| installer::is_stub(&text));
        assert!(clients(&tools).len() == 2 && clients(&tools).iter().all(ours), "both are ours now");
        assert_eq!(cache.restore().unwrap().lines().count(), 1);
        assert!(fs::read(&real).unwrap().starts_with(b"\x7fELF"));
        cache.unseed().unwrap();
        assert!(!stub.exists() && !tools.join("docker-stable/19.3.4").exists() && real.exists());
        fs::remove_dir_all(&tools).unwrap();
    }
}
