//! Docker's words for what can go wrong with a container (moby `daemon/errors.go` and the verbs' own files there).

use std::ffi::OsStr;

use crate::plan::each::{One, Verb};

/// A failure in Docker's words.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub words: String,
    /// The container is not there.
    pub missing: bool,
}

impl Failure {
    pub fn missing(one: &One) -> Failure {
        // docker/cli has trimmed the name for `rm`.
        Failure { words: daemon(&no_such(&one.name)), missing: true }
    }
}

/// `Error response from daemon: …`
pub fn daemon(words: &str) -> String {
    format!("Error response from daemon: {words}")
}

/// `No such container: …`
pub fn no_such(name: &OsStr) -> String {
    format!("No such container: {}", name.to_string_lossy())
}

/// What Docker would have said of a failure that podman tells on stderr. `id` asks for a container's ID.
pub fn failure(verb: &Verb, one: &One, stderr: &str, id: &dyn Fn(&OsStr) -> Option<String>) -> Failure {
    let error = error_of(stderr);
    let missing = is_missing(error);
    let asked = if matches!(verb, Verb::Remove { .. }) { &one.name } else { &one.typed };
    let words = if missing { no_such(asked) } else { cause(verb, one, error, id) };
    let name = one.typed.to_string_lossy();
    let words = match verb {
        Verb::Kill { .. } => format!("cannot kill container: {name}: {words}"),
        Verb::Stop if !missing => format!("cannot stop container: {name}: {words}"),
        Verb::Restart if !missing => format!("Cannot restart container {name}: {words}"),
        _ => words,
    };
    Failure { words: daemon(&words), missing }
}

/// The error itself: podman's last such line, without the log lines around it.
fn error_of(stderr: &str) -> &str {
    let error = stderr.lines().rev().find_map(|line| line.strip_prefix("Error: "));
    error.unwrap_or_else(|| stderr.trim_end())
}

fn is_missing(error: &str) -> bool {
    error.ends_with("no such container") || error.starts_with("no such container") || error.ends_with("layer not known")
}

fn cause(verb: &Verb, one: &One, error: &str, id: &dyn Fn(&OsStr) -> Option<String>) -> String {
    let has = |words: &str| error.contains(words);
    let name = one.typed.to_string_lossy();
    let ours = || hex(error).map(str::to_string).or_else(|| id(&one.name)).unwrap_or_else(|| name.to_string());
    match verb {
        Verb::Kill { .. } if has("can only kill running containers") => format!("container {} is not running", ours()),
        Verb::Kill { signal } if has("valid signals are") => format!("the linux daemon does not support signal {signal}"),
        Verb::Pause if has("is already paused") => format!("Container {} is already paused", ours()),
        Verb::Pause if has("is not running, can't pause") => format!("container {} is not running", ours()),
        Verb::Unpause if has("is not paused") => format!("Container {} is not paused", ours()),
        Verb::Remove { .. } if has("as it is paused") => {
            format!("cannot remove container \"{name}\": container is paused and must be unpaused first")
        }
        Verb::Remove { .. } if has("cannot be removed without force") => {
            format!("cannot remove container \"{name}\": container is running: stop the container before removing or force remove")
        }
        Verb::Start if has("must be in Created or Stopped state") => "cannot start a paused container, try unpause instead".to_string(),
        Verb::Rename { to } if has("already in use") || has("UNIQUE constraint failed") => {
            let holder = id(OsStr::new(to)).unwrap_or_default();
            let taken = format!("The container name \"/{to}\" is already in use by container \"{holder}\".");
            let remedy = "You have to remove (or rename) that container to be able to reuse that name.";
            format!("Error when allocating new name: Conflict. {taken} {remedy}")
        }
        Verb::Rename { to } if has("names must match") => {
            format!("Error when allocating new name: Invalid container name (/{to}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
        }
        _ => of_runtime(error).unwrap_or_else(|| error.to_string()),
    }
}

/// A failure of the OCI runtime to make a container: the runtime's own words with containerd's around them.
pub fn of_runtime(error: &str) -> Option<String> {
    let (_, said) = error.split_once("runc create failed: ").or_else(|| error.split_once("crun: "))?;
    let said = said.rsplit_once(": OCI ").map_or(said, |(said, _)| said);
    let said = said.strip_prefix("unable to start container process: ").unwrap_or(said);
    let said = said.strip_prefix("error during container init: ").unwrap_or(said);
    let said = if said.ends_with(": is a directory") { format!("{said}: permission denied") } else { said.to_string() };
    let around = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed";
    Some(format!("{around}: unable to start container process: error during container init: {said}"))
}

/// The first ID in a text: 64 hexadecimal digits.
fn hex(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() == 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_found_among_log_lines() {
        let said = "time=\"x\" level=warning msg=\"y\"\nError: no such container nosuch\n";
        assert_eq!(error_of(said), "no such container nosuch");
        assert!(is_missing(error_of(said)));
        assert_eq!(error_of("odd\n"), "odd");
    }
}
