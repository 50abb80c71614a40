//! What a plan may know of the machine: environment, caller, terminal, files, settings, and Podman's path and version.
//!
//! Everything is read when it is asked for. The way to `execve` of a command that nothing has to be known for touches only
//! the settings files and Podman's own file.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::catalogue::Podman;
use crate::installer::Asked;
use crate::plan::{Answer, Refusal};
use crate::settings::{SYSTEM_FILE, Settings};

mod stdin;
pub mod surroundings;
mod version;

/// The machine as a plan sees it. The same host and invocation give the same plan.
pub trait Host {
    /// An environment variable.
    fn env(&self, name: &str) -> Option<OsString>;
    /// The caller's user id.
    fn uid(&self) -> u32;
    /// The caller's group id.
    fn gid(&self) -> u32 {
        nix::unistd::getegid().as_raw()
    }
    /// This process's id: a number that no other caller has at this time.
    fn pid(&self) -> u32 {
        std::process::id()
    }
    /// Whether stdin (0), stdout (1) or stderr (2) is a terminal.
    fn is_terminal(&self, fd: u8) -> bool;
    /// The working directory; none when it has gone.
    fn cwd(&self) -> Option<PathBuf>;
    /// Whether something is there, links followed.
    fn exists(&self, path: &Path) -> bool;
    /// Whether a directory is there, links followed.
    fn is_dir(&self, path: &Path) -> bool;
    /// Whether a path below a base is a directory, and nothing on the way to it a link.
    fn is_plain_dir(&self, base: &Path, below: &Path) -> bool {
        let mut path = base.to_path_buf();
        below.components().all(|part| {
            path.push(part);
            path.symlink_metadata().is_ok_and(|m| m.is_dir())
        })
    }
    /// Whether something is there, a link itself too.
    fn is_entry(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok()
    }
    /// Where a link leads; none where there is no link.
    fn link(&self, path: &Path) -> Option<PathBuf> {
        path.read_link().ok()
    }
    /// Whether something on the way from the root of an overlay layer to a path hides what lower layers have there: an
    /// opaque directory, or whatever else is no directory.
    fn hides(&self, layer: &Path, below: &Path) -> bool {
        let mut path = layer.to_path_buf();
        for part in below.components() {
            path.push(part);
            match path.symlink_metadata() {
                Err(_) => return false,
                Ok(m) if !m.is_dir() || is_opaque(&path) => return true,
                Ok(_) => {}
            }
        }
        false
    }
    /// Whether nothing listens on a port of this machine; `udp` or TCP.
    fn is_port_free(&self, address: &str, port: u16, udp: bool) -> bool {
        use std::net::{TcpListener, UdpSocket};
        let address = if address.is_empty() { "0.0.0.0" } else { address };
        if udp { UdpSocket::bind((address, port)).is_ok() } else { TcpListener::bind((address, port)).is_ok() }
    }
    /// The address by which this machine reaches others. Nothing is sent.
    fn address(&self) -> Option<std::net::IpAddr> {
        let socket = std::net::UdpSocket::bind(("0.0.0.0", 0)).ok()?;
        // An address that is nobody's (RFC 5737): the kernel only looks up the way to it.
        socket.connect(("203.0.113.1", 9)).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    }
    /// How many processors there are; 0 when that cannot be told.
    fn processors(&self) -> u32 {
        std::thread::available_parallelism().ok().and_then(|n| u32::try_from(n.get()).ok()).unwrap_or(0)
    }
    /// A file's content; none when it cannot be read.
    fn read(&self, path: &Path) -> Option<Vec<u8>>;
    /// The names of a directory's entries; empty when it cannot be read.
    fn list(&self, path: &Path) -> Vec<OsString>;
    fn settings(&self) -> &Settings;
    /// The Docker client that we stand for, where a pipeline asked for one.
    fn client(&self) -> Option<&Asked> {
        None
    }
    /// Podman's absolute path.
    fn podman(&self) -> Result<&Path, Refusal>;
    /// Podman's version, from the cache or from `podman --version`.
    fn podman_version(&self) -> Result<Podman, Refusal>;
    /// Podman's version as far as it can be had on the way to exec: from the cache.
    fn known_podman_version(&self) -> Option<Podman>;
    /// Seconds since 1970.
    fn now(&self) -> i64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0))
    }
    /// Asks podman something that changes nothing: stdout, when it exits with 0.
    fn ask(&self, args: &[&OsStr]) -> Option<Vec<u8>>;
    /// All of stdin, which is used up. None where it is left to podman.
    fn stdin(&self) -> Option<Vec<u8>> {
        None
    }
    /// The same where it begins with text: an archive is left as it is.
    fn text_on_stdin(&self) -> Option<Vec<u8>> {
        None
    }
    /// A path without links; none where nothing is.
    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        path.canonicalize().ok()
    }
    /// Whether a program is this one, under whatever name.
    fn is_this_program(&self, path: &Path) -> bool {
        !is_other_program(path)
    }
    /// Asks another program something that changes nothing. None when it cannot be started.
    fn consult(&self, _program: &Path, _args: &[OsString], _stdin: &[u8]) -> Option<Answer> {
        None
    }
}

/// The machine this process runs on.
pub struct ThisHost {
    settings: Settings,
    client: Option<Asked>,
    podman: OnceCell<PathBuf>,
    version: OnceCell<Podman>,
}

/// Counts our own starts inside each other, so that a `podman` that leads back to us ends (rustup's guard).
pub const DEPTH: &str = "DOCKER_SHIM_DEPTH";
const MAX_DEPTH: u32 = 10;

impl Default for ThisHost {
    fn default() -> Self {
        ThisHost::new()
    }
}

impl ThisHost {
    /// Reads the settings.
    pub fn new() -> ThisHost {
        let user = if privileged() { None } else { user_settings_file() };
        let settings = Settings::of(Path::new(SYSTEM_FILE), user.as_deref());
        ThisHost { settings, client: None, podman: OnceCell::new(), version: OnceCell::new() }
    }

    /// The same machine, asked as a client that a pipeline chose.
    pub fn as_client(self, client: Option<Asked>) -> ThisHost {
        ThisHost { client, ..self }
    }

    fn find_podman(&self) -> Result<PathBuf, Refusal> {
        let depth = std::env::var(DEPTH).ok().and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
        if depth >= MAX_DEPTH {
            let message = "docker: the podman that was found leads back to docker-shim; set `podman` in /etc/containers/docker-shim.toml";
            return Err(Refusal::new(message, 127));
        }
        if let Some(named) = std::env::var_os("DOCKER_SHIM_PODMAN").filter(|_| !privileged()) {
            return usable(PathBuf::from(&named), &[named]);
        }
        if let Some(configured) = &self.settings.podman {
            return usable(configured.clone(), &[configured.clone().into_os_string()]);
        }
        let usual = PathBuf::from("/usr/bin/podman");
        if is_other_program(&usual) {
            return Ok(usual);
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = which::which_in_all("podman", Some(&path), "/").into_iter().flatten();
        found.into_iter().find(|p| p.is_absolute() && is_other_program(p) && !others_may_write(p)).ok_or_else(|| {
            let tried = [usual.into_os_string(), OsString::from(format!("PATH={}", path.to_string_lossy()))];
            not_found(&tried)
        })
    }
}

fn usable(path: PathBuf, tried: &[OsString]) -> Result<PathBuf, Refusal> {
    if path.is_absolute() && is_other_program(&path) { Ok(path) } else { Err(not_found(tried)) }
}

fn not_found(tried: &[OsString]) -> Refusal {
    let tried: Vec<_> = tried.iter().map(|t| t.to_string_lossy()).collect();
    Refusal::new(format!("docker: podman was not found (looked at {}); install it with: apt install podman", tried.join(", ")), 127)
}

/// Whether a directory of an overlay layer hides what lower layers have in its place.
fn is_opaque(dir: &Path) -> bool {
    let Ok(path) = std::ffi::CString::new(dir.as_os_str().as_bytes()) else { return true };
    [c"trusted.overlay.opaque", c"user.overlay.opaque"].iter().any(|name| {
        let mut value = 0u8;
        // SAFETY: both names end with NUL, and the buffer holds one byte, as is said.
        unsafe { nix::libc::lgetxattr(path.as_ptr(), name.as_ptr(), (&raw mut value).cast(), 1) == 1 && value == b'y' }
    })
}

/// A file that is not this program itself, by device and inode.
fn is_other_program(path: &Path) -> bool {
    let Ok(there) = std::fs::metadata(path) else { return false };
    let ours = std::fs::metadata("/proc/self/exe").map(|m| (m.dev(), m.ino()));
    there.is_file() && ours.is_ok_and(|ours| ours != (there.dev(), there.ino()))
}

/// A program on PATH that anybody could have put there is not run.
fn others_may_write(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.mode() & 0o002 != 0)
}

/// Whether this process has more rights than its caller (set-user-ID and the like): then the caller's environment and
/// settings are not listened to.
pub fn privileged() -> bool {
    use nix::unistd::{getegid, geteuid, getgid, getuid};
    // SAFETY: getauxval only reads the process's own auxiliary vector.
    let secure = unsafe { nix::libc::getauxval(nix::libc::AT_SECURE) } != 0;
    secure || getuid() != geteuid() || getgid() != getegid()
}

/// The user's own settings, where the caller is to be listened to.
pub fn user_settings_file() -> Option<PathBuf> {
    let base = match std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from) {
        Some(dir) if dir.is_absolute() => dir,
        _ => PathBuf::from(std::env::var_os("HOME").filter(|h| !h.is_empty())?).join(".config"),
    };
    let file = base.join("containers/docker-shim.toml");
    // `sudo docker` may have kept another user's HOME: nobody else says what root runs.
    let own = std::fs::metadata(&file).is_ok_and(|m| [0, nix::unistd::geteuid().as_raw()].contains(&m.uid()));
    own.then_some(file)
}

impl Host for ThisHost {
    fn env(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
    fn uid(&self) -> u32 {
        nix::unistd::geteuid().as_raw()
    }
    fn is_terminal(&self, fd: u8) -> bool {
        match fd {
            0 => std::io::stdin().is_terminal(),
            1 => std::io::stdout().is_terminal(),
            _ => std::io::stderr().is_terminal(),
        }
    }
    fn cwd(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }
    fn exists(&self, path: &Path) -> bool {
        path.exists()
    }
    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        std::fs::read(path).ok()
    }
    fn list(&self, path: &Path) -> Vec<OsString> {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        let mut names: Vec<_> = entries.filter_map(|e| Some(e.ok()?.file_name())).collect();
        names.sort();
        names
    }
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn client(&self) -> Option<&Asked> {
        self.client.as_ref()
    }
    fn podman(&self) -> Result<&Path, Refusal> {
        if let Some(path) = self.podman.get() {
            return Ok(path);
        }
        let found = self.find_podman()?;
        Ok(self.podman.get_or_init(|| found))
    }
    fn podman_version(&self) -> Result<Podman, Refusal> {
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let version = version::of(self.podman()?)?;
        Ok(*self.version.get_or_init(|| version))
    }
    fn known_podman_version(&self) -> Option<Podman> {
        self.version.get().copied().or_else(|| version::known(self.podman().ok()?))
    }
    fn ask(&self, args: &[&OsStr]) -> Option<Vec<u8>> {
        let mut command = Command::new(self.podman().ok()?);
        command.args(args).stdin(Stdio::null()).stderr(Stdio::null());
        for (name, value) in crate::plan::QUIET {
            command.env(name, value);
        }
        let output = command.output().ok()?;
        output.status.success().then_some(output.stdout)
    }
    fn stdin(&self) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).ok()?;
        Some(text)
    }
    fn text_on_stdin(&self) -> Option<Vec<u8>> {
        let begin = stdin::begin()?;
        let packed: [&[u8]; 4] = [b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"];
        // The header of a tar archive is filled up with NULs.
        let archive = begin.contains(&0) || packed.iter().any(|magic| begin.starts_with(magic));
        if archive { None } else { self.stdin() }
    }
    fn consult(&self, program: &Path, args: &[OsString], stdin: &[u8]) -> Option<Answer> {
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .env(DEPTH, "1")
            .spawn()
            .ok()?;
        // A program that reads nothing is no failure.
        let _ = child.stdin.take().map(|mut pipe| pipe.write_all(stdin));
        let output = child.wait_with_output().ok()?;
        let status = output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Some(Answer { stdout: output.stdout, stderr: output.stderr, status })
    }
}

/// `$XDG_RUNTIME_DIR` where it is a directory of the caller's own, `/run` for root: the place for small caches.
/// None means that nothing may be kept.
pub fn runtime_dir() -> Option<PathBuf> {
    let uid = nix::unistd::geteuid().as_raw();
    let named = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|d| d.is_absolute() && !privileged());
    let fallback = || if uid == 0 { PathBuf::from("/run") } else { PathBuf::from(format!("/run/user/{uid}")) };
    let ours = |dir: &PathBuf| std::fs::metadata(dir).is_ok_and(|m| m.is_dir() && m.uid() == uid && m.mode() & 0o022 == 0);
    named.filter(&ours).or_else(|| Some(fallback()).filter(&ours)).map(|dir| dir.join("docker-shim"))
}

/// Whether bytes occur in bytes.
pub fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|w| w == needle)
}

/// Where the caller's own Podman has its socket, whether it is there or not.
pub fn podman_socket(host: &dyn Host) -> PathBuf {
    let uid = host.uid();
    if uid == 0 {
        return PathBuf::from("/run/podman/podman.sock");
    }
    let runtime = host.env("XDG_RUNTIME_DIR").map_or_else(|| PathBuf::from(format!("/run/user/{uid}")), PathBuf::from);
    runtime.join("podman/podman.sock")
}

/// The caller's home directory.
pub fn home(host: &dyn Host) -> Option<PathBuf> {
    host.env("HOME").filter(|h| !h.as_bytes().is_empty()).map(PathBuf::from)
}
