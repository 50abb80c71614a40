//! Health checks where nothing runs them: Podman leaves them to timers of systemd.

use std::path::{Path, PathBuf};

use crate::host::Host;
use crate::plan::{Call, Context, Draft, Refusal};

/// `podman healthcheck run`, where no timer can run it: who asks for a container's health then has the check run that is due.
pub fn check(context: &Context) -> Result<Option<Call>, Refusal> {
    if context.engine.remote.is_some() || has_timers(context.host) {
        return Ok(None);
    }
    Ok(Some(context.call("healthcheck run")?.call()))
}

/// Whether systemd runs here, and for an ordinary user the user's own too.
pub fn has_timers(host: &dyn Host) -> bool {
    let runtime = || host.env("XDG_RUNTIME_DIR").map_or_else(|| PathBuf::from(format!("/run/user/{}", host.uid())), PathBuf::from);
    host.is_dir(Path::new("/run/systemd/system")) && (host.uid() == 0 || host.is_dir(&runtime().join("systemd")))
}

/// Keeps Podman from looking for timers where there are none: it would complain on the container's stderr.
pub fn without_timers(draft: &mut Draft, context: &Context) {
    if context.engine.remote.is_none() && !has_timers(context.host) {
        draft.set_env("DISABLE_HC_SYSTEMD", "true");
    }
}
