//! A Docker client before this one on PATH. Where a pipeline's DockerInstaller has put one there, its steps run that one, while the agent
//! itself, `sudo` and whoever names /usr/bin/docker run this one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::grammar::Parsed;
use crate::host::Host;
use crate::installer::{self, Asked, Verdict};
use crate::plan::Answer;

/// Whether somebody asks what docker this is, in words that no program reads: then a notice does no harm.
pub fn is_asked_for(parsed: &Parsed) -> bool {
    match parsed {
        Parsed::Version => true,
        Parsed::Invocation(i) => matches!(i.command.path, "version" | "info" | "system info") && !i.uses.given("format"),
        _ => false,
    }
}

/// What is to be said of an older client before this one, once a job.
pub fn notice(host: &dyn Host) -> Option<Answer> {
    let policy = &host.settings().installer;
    let (client, asked) = client(host)?;
    if policy.verdict(&asked.version) == Verdict::Allow || !first_time(host) {
        return None;
    }
    let tools = client.ancestors().nth(4)?;
    let message = format!(
        "The Docker client {} before docker-shim on PATH is too old to build on Podman: {}. Set DockerInstaller's input dockerVersion to {} \
         or newer, remove the task, or let an administrator run: docker-shim toolcache takeover --tools-dir {}",
        asked.version,
        client.display(),
        policy.minimum,
        tools.display()
    );
    let (stdout, stderr) = installer::announced(&message, Verdict::Warn, host);
    Some(Answer { stdout, stderr, ..Answer::default() })
}

/// The first client of a tool cache that stands on PATH before this program and is none of ours.
fn client(host: &dyn Host) -> Option<(PathBuf, Asked)> {
    let ours = fs::metadata("/proc/self/exe").map(|m| (m.dev(), m.ino())).ok()?;
    for dir in std::env::split_paths(&host.env("PATH")?) {
        let file = dir.join("docker");
        let Ok(meta) = fs::metadata(&file) else { continue };
        if (meta.dev(), meta.ino()) == ours {
            return None;
        }
        let Some(asked) = installer::asked_by(&file) else { continue };
        // Real clients are large; only what may be a stub is read.
        if meta.is_file() && (meta.len() > 4096 || !fs::read(&file).is_ok_and(|text| installer::is_stub(&text))) {
            return Some((file, asked));
        }
    }
    None
}

/// Whether this is the first time in a CI's job; its directory for temporary files remembers. Without one each time is the first.
fn first_time(host: &dyn Host) -> bool {
    let dir = ["AGENT_TEMPDIRECTORY", "RUNNER_TEMP"].iter().find_map(|name| host.env(name).filter(|dir| !dir.is_empty()));
    let Some(dir) = dir.map(PathBuf::from).filter(|dir| dir.is_absolute()) else { return true };
    let made = File::create_new(dir.join(".docker-shim-client-ahead"));
    !made.is_err_and(|error| error.kind() == ErrorKind::AlreadyExists)
}
