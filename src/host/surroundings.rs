//! Docker's client hands its work to a daemon that has surroundings of its own; Podman works in the caller's. What would keep it from
//! working at all, and would not have kept Docker, is put right before anything else happens.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::invocation::Invocation;

/// Takes away directories of the environment that are none: `TMPDIR`, and an `XDG_RUNTIME_DIR` that is not there or is another user's, as
/// after `su` or in a service (containers/podman issues 14043 and 13338). For the latter comes the caller's own, where there is one.
pub fn mend() {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if named("TMPDIR").is_some_and(|dir| !dir.is_dir()) {
        // SAFETY: nothing else runs in this process yet.
        unsafe { std::env::remove_var("TMPDIR") };
    }
    let uid = nix::unistd::geteuid().as_raw();
    let ours = |dir: &Path| std::fs::metadata(dir).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
    if uid == 0 || named("XDG_RUNTIME_DIR").is_none_or(|dir| ours(&dir)) {
        return;
    }
    let own = PathBuf::from(format!("/run/user/{uid}"));
    // SAFETY: as above.
    unsafe {
        match ours(&own) {
            true => std::env::set_var("XDG_RUNTIME_DIR", own),
            false => std::env::remove_var("XDG_RUNTIME_DIR"),
        }
    }
}

/// Leaves a working directory that somebody has removed, for a command that cannot mean anything in it: conmon, and everything that is
/// rootless, fails there.
pub fn leave_removed_directory(invocation: &Invocation) {
    let reads_files = ["build", "buildx", "builder", "compose", "context", "cp", "export", "import", "load", "save"];
    let meant = invocation.command.path.split(' ').any(|word| reads_files.contains(&word));
    let upwards = || std::env::args_os().any(|word| crate::host::contains(word.as_encoded_bytes(), b".."));
    if !meant && std::env::current_dir().is_err() && !upwards() {
        let _ = std::env::set_current_dir("/");
    }
}
