//! Podman's API socket, for programs that speak to Docker by themselves: systemd listens on it, or Podman's own service.

use std::fs::DirBuilder;
use std::io::Read;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{command, memory_file};
use crate::plan::{Call, Refusal};

/// How long Podman's service may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// Has systemd listen on the socket. Errors: it does not.
pub fn start_socket(socket: &Path, user: bool) -> Result<(), Refusal> {
    ask_systemd(socket, user);
    if socket.exists() {
        return Ok(());
    }
    let words = format!("docker: Podman's socket, {}, is not there, and systemctl start podman.socket does not start it", socket.display());
    Err(Refusal::new(words, 125))
}

/// Sees to it that something answers on the socket: what is there, systemd, or a service that ends by itself when nobody
/// has asked it for a while. A socket may have been left by a service that is gone. Errors: none of them answers.
pub fn serve(socket: &Path, service: &Call) -> Result<(), Refusal> {
    if answers(socket) {
        return Ok(());
    }
    let root = nix::unistd::geteuid().is_root();
    if Path::new("/run/systemd/system").is_dir() {
        ask_systemd(socket, !root);
        if answers(socket) {
            return Ok(());
        }
    }
    // `/run/user/1001`: only the system can make it.
    let (dir, runtime) = (socket.parent(), socket.parent().and_then(Path::parent));
    if let Some(missing) = runtime.filter(|dir| !dir.is_dir()) {
        return Err(unserved(socket, &format!("{} is not there", missing.display())));
    }
    if let Some(dir) = dir {
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    }
    let _ = std::fs::remove_file(socket);
    let unserved_because = |error: std::io::Error| unserved(socket, &error.to_string());
    let mut said = memory_file().map_err(|_| unserved(socket, "there is no memory for it"))?;
    let mut command = command(service);
    // conmon wants a working directory, and the caller's may go before the service does.
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone().map_err(unserved_because)?);
    // Whoever asks it next must not find this caller's logins there, and an agent must not take it for a process of its job.
    command.env_clear().envs(std::env::vars_os().filter(|(name, _)| is_kept(&name.to_string_lossy())));
    // It outlives us, and whatever ends the caller's terminal or process group.
    // SAFETY: setsid is safe between fork and exec.
    unsafe { command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(Into::into)) };
    let mut child = command.spawn().map_err(unserved_because)?;
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if answers(socket) {
            return Ok(());
        }
        // Somebody else's service may have come first: then that one answers a moment later.
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            sleep(Duration::from_millis(100));
            if answers(socket) {
                return Ok(());
            }
            break;
        }
        sleep(Duration::from_millis(10));
    }
    let mut text = String::new();
    let _ = std::io::Seek::rewind(&mut said).and_then(|()| said.read_to_string(&mut text));
    Err(unserved(socket, text.lines().last().unwrap_or("podman system service does not answer")))
}

/// What of the caller's environment is the machine's and the user's, rather than a job's.
fn is_kept(name: &str) -> bool {
    let names = ["HOME", "PATH", "USER", "LOGNAME", "LANG", "TMPDIR", "DBUS_SESSION_BUS_ADDRESS"];
    let proxy = ["http_proxy", "https_proxy", "no_proxy", "all_proxy"].iter().any(|proxy| name.eq_ignore_ascii_case(proxy));
    proxy || names.contains(&name) || ["XDG_", "LC_", "CONTAINERS_", "STORAGE_", "SSL_CERT_"].iter().any(|start| name.starts_with(start))
}

fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Asks systemd to listen, the user's own where that is meant.
fn ask_systemd(socket: &Path, user: bool) {
    let mut systemctl = Command::new("systemctl");
    systemctl.args(user.then_some("--user")).args(["start", "podman.socket"]);
    // Services of agents have no session of their own; the socket lies where the user's systemd is asked.
    if let Some(runtime) = socket.parent().and_then(Path::parent).filter(|_| user) {
        systemctl.env("XDG_RUNTIME_DIR", runtime);
    }
    let _ = systemctl.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
}

fn unserved(socket: &Path, why: &str) -> Refusal {
    let shown = socket.display();
    let remedy = if nix::unistd::geteuid().is_root() {
        "systemctl enable --now podman.socket".to_string()
    } else {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map_or("USER".into(), |user| user.name);
        format!("loginctl enable-linger {user}, and as {user}: systemctl --user enable --now podman.socket")
    };
    Refusal::new(format!("docker: nothing answers on Podman's socket, {shown}: {why}; try: {remedy}"), 1)
}
