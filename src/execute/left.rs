//! Takes away what builds that were killed have left, as dockerd ends a build whose client has gone.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::command;
use crate::plan::prune::Left;
use crate::plan::rules::store::{self, Container};

/// Ends the processes of the steps that were under way, and removes the working containers. Nobody asked for it, so nothing is said.
pub fn remove(left: &Left) {
    // A mount that is still in use, or a store that is still locked, is not so for long.
    for _ in 0..3 {
        let containers = store::left(&left.images, &|path| std::fs::read(path).ok(), &|path| path.read_link().ok());
        if containers.is_empty() {
            return;
        }
        end_steps(&containers);
        let mut remove = left.remove.clone();
        remove.args.extend(containers.into_iter().map(|container| container.id.into()));
        // In a group of its own: callers end a whole group more than once.
        let _ = command(&remove).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).status();
    }
}

/// How long processes that were killed may take to go.
const GOING: Duration = Duration::from_secs(2);

/// Kills the processes whose root is the layer of one of these containers.
fn end_steps(containers: &[Container]) {
    let is_step = |process: &Path| {
        let mounts = std::fs::read_to_string(process.join("mountinfo")).unwrap_or_default();
        let root = mounts.lines().find(|mount| mount.split(' ').nth(4) == Some("/")).unwrap_or_default();
        containers.iter().any(|container| !container.layer.is_empty() && root.contains(&container.layer))
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten().map(|process| process.path());
    let steps: Vec<_> = processes.filter(|process| is_step(process)).collect();
    for step in &steps {
        if let Some(pid) = step.file_name().and_then(|name| name.to_str()?.parse().ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
    let deadline = Instant::now() + GOING;
    while steps.iter().any(|step| is_step(step)) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
}
