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

/// The options of each driver (moby `daemon/logger/*`, `ValidateLogOpt`).
const NOTES: [&str; 5] = ["labels", "labels-regex", "env", "env-regex", "tag"];
const OF_FILES: [&str; 3] = ["max-file", "max-size", "compress"];
/// Those of every driver.
const OF_ALL: [&str; 6] = ["mode", "max-buffer-size", "cache-disabled", "cache-max-file", "cache-max-size", "cache-compress"];

fn takes(driver: &str, key: &str) -> bool {
    let own = match driver {
        "json-file" => NOTES.contains(&key) || OF_FILES.contains(&key),
        "local" => OF_FILES.contains(&key),
        "journald" => NOTES.contains(&key),
        "syslog" => NOTES.contains(&key) || key.starts_with("syslog-"),
        _ => false,
    };
    own || OF_ALL.contains(&key)
}

/// `--log-opt`: the size of a file and the journal's tag have counterparts. The number of files and what is noted with each line have none;
/// `logs --details` finds the latter where the container says it.
pub fn option(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    let (key, value) = text.split_once('=').unwrap_or((&text, ""));
    let driver = context.invocation.uses.text("log-driver").unwrap_or_default().to_string_lossy();
    let driver = if driver.is_empty() { "json-file".into() } else { driver };
    if !takes(&driver, key) {
        let named = if driver == "local" { "log driver local".to_string() } else { format!("{driver} log driver") };
        let words = format!("Error response from daemon: unknown log opt '{key}' for {named}");
        return Err(context.as_docker(words));
    }
    // conmon does not start with a tag for a file.
    let kept = key == "max-size" || (key == "tag" && matches!(&*driver, "journald" | "syslog"));
    if kept && !value.is_empty() {
        draft.flag("log-opt", format!("{key}={value}"));
    }
    Ok(())
}
