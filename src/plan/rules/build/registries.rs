//! The registries.conf of a build, or of a call of another kind.

use std::hash::{DefaultHasher, Hasher};

use crate::host;
use crate::plan::rules::registries_conf;
use crate::plan::{Context, Draft, Step};

/// Has Podman reach registries on the loopback interface by plain HTTP, as dockerd does, and all others as before: by the
/// host's own registries.conf with those added. (`--tls-verify=false` would weaken every registry of the build.)
pub fn plain_http_on_loopback(draft: &mut Draft, context: &Context) {
    own_registries(draft, context, &LOOPBACK, false);
}

/// The names of this machine as a registry.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The same for named registries. `search` is for a Dockerfile that cannot be read beforehand: its short names are docker.io's,
/// unless the host searches elsewhere.
pub fn own_registries(draft: &mut Draft, context: &Context, plain: &[&str], search: bool) {
    let Some(dir) = crate::host::runtime_dir() else {
        if !search {
            draft.switch("tls-verify", false);
        }
        return;
    };
    let mut text = registries_conf::main_file(context.host).unwrap_or_default();
    let searches = String::from_utf8_lossy(&text).lines().any(|line| line.trim_start().starts_with("unqualified-search-registries"));
    if search && !searches {
        text.splice(..0, *b"unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"disabled\"\n");
    }
    for location in plain {
        let entry = format!("\n[[registry]]\nlocation = \"{location}\"\ninsecure = true\n");
        let there = format!("\"{location}\"");
        if !host::contains(&text, there.as_bytes()) {
            text.extend_from_slice(entry.as_bytes());
        }
    }
    // Named by its content, so that builds under other settings at the same time keep their own.
    let mut hasher = DefaultHasher::new();
    hasher.write(&text);
    let path = dir.join(format!("registries-{:016x}.conf", hasher.finish()));
    draft.set_env("CONTAINERS_REGISTRIES_CONF", &path);
    draft.prepare(Step::WriteOwn { path, content: text });
}
