//! `--log-driver` and `--log-opt`: Podman writes files of one form, or to the journal.

use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Refusal};

/// The drivers that moby knows (`daemon/logdrivers_linux.go`).
const ELSEWHERE: [&str; 6] = ["awslogs", "fluentd", "gcplogs", "gelf", "splunk", "etwlogs"];

/// `--log-driver`: `local` is another file form of Docker's; the system's log is the journal on machines with Podman.
pub fn driver(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let name = used.value.to_string_lossy();
    match &*name {
        "" => {}
        "json-file" | "local" => _ = draft.flag("log-driver", "k8s-file"),
        "journald" | "syslog" => _ = draft.flag("log-driver", "journald"),
        "none" => _ = draft.flag("log-driver", "none"),
        other if ELSEWHERE.contains(&other) => {
            return Err(
                context.refuse(format!("--log-driver {other}: Podman keeps logs in files or in the journal; use json-file or journald."))
            );
        }
        other => {
            let words = format!("Error response from daemon: error looking up logging plugin {other}: plugin \"{other}\" not found");
            return Err(context.as_docker(words));
        }
    }
    Ok(())
}

/// The options of each driver that Podman has a counterpart for (moby `daemon/logger/*`, `ValidateLogOpt`).
const FILE_OPTIONS: [&str; 8] = ["max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"];

/// `--log-opt`: the size of a file and the tag have counterparts; the number of files and what is noted with each line
/// have none and change nothing that the caller reads back.
pub fn option(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    let (key, value) = text.split_once('=').unwrap_or((&text, ""));
    let driver = context.invocation.uses.text("log-driver").unwrap_or_default().to_string_lossy();
    let driver = if driver.is_empty() { "json-file".into() } else { driver };
    match key {
        "mode" | "max-buffer-size" => {}
        "max-size" | "tag" if value.is_empty() => {}
        "max-size" | "tag" => _ = draft.flag("log-opt", format!("{key}={value}")),
        key if FILE_OPTIONS.contains(&key) => {}
        key if key.starts_with("syslog-") && driver == "syslog" => {}
        other => {
            let words = format!("Error response from daemon: unknown log opt '{other}' for {driver} log driver");
            return Err(context.as_docker(words));
        }
    }
    Ok(())
}
