//! `--volume`, `--mount` and `--tmpfs`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::grammar;
use crate::host;
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Refusal, Step};

/// `--volume [SOURCE:]TARGET[:OPTIONS]`. Docker makes a bind source that is missing, Podman does not. Podman's own options
/// `U` (chown the source) and `O` (overlay) are no options of Docker's.
pub fn volume(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let parts: Vec<&[u8]> = used.value.as_bytes().split(|b| *b == b':').collect();
    let [source, target, options @ ..] = parts.as_slice() else {
        draft.flag("volume", &used.value);
        return Ok(());
    };
    let mut kept: Vec<&[u8]> = Vec::new();
    if options.len() > 1 {
        return Err(context.as_docker(format!("invalid spec: {}: too many colons", used.value.to_string_lossy())));
    }
    for option in options.iter().flat_map(|o| o.split(|b| *b == b',')) {
        match option {
            // Performance hints of Docker Desktop.
            b"consistent" | b"cached" | b"delegated" => {}
            b"U" | b"O" => {
                let mode = String::from_utf8_lossy(options[0]);
                return Err(context.as_docker(format!("Error response from daemon: invalid mode: {mode}")));
            }
            other => kept.push(other),
        }
    }
    let mut value = bind_source(source, draft, context);
    value.push(":");
    value.push(OsStr::from_bytes(target));
    if !kept.is_empty() {
        value.push(":");
        value.push(OsStr::from_bytes(&kept.join(&b","[..])));
    }
    draft.flag("volume", value);
    Ok(())
}

/// The source of a bind or the name of a volume, made sure of on the way. Docker's socket is the caller's Podman socket.
fn bind_source(source: &[u8], draft: &mut Draft, context: &Context) -> OsString {
    let typed = OsString::from_vec(source.to_vec());
    let is_path = source.starts_with(b"/") || source.starts_with(b".");
    if !is_path || context.engine.remote.is_some() {
        return typed;
    }
    let path = match context.host.cwd() {
        Some(cwd) => cwd.join(&typed),
        None => PathBuf::from(&typed),
    };
    if context.host.exists(&path) {
        return typed;
    }
    if matches!(source, b"/var/run/docker.sock" | b"/run/docker.sock") {
        return own_socket(context.host).map_or(typed, PathBuf::into_os_string);
    }
    if may_be_made(&path) {
        draft.prepare(Step::MakeDirs(path));
    }
    typed
}

/// The caller's Podman socket, if it is there.
pub fn own_socket(host: &dyn host::Host) -> Option<PathBuf> {
    Some(host::podman_socket(host)).filter(|socket| host.exists(socket))
}

/// A directory in the place of a socket or in the kernel's file systems helps nobody.
fn may_be_made(path: &Path) -> bool {
    let kernel = ["/proc", "/sys", "/dev"].iter().any(|k| path.starts_with(k));
    !kernel && path.extension() != Some(OsStr::new("sock"))
}

/// `--mount KEY=VALUE,…`, a CSV record. Podman 5 mounts `ro=1` writable, knows no upper-case keys, wants a type, and has
/// other names for some keys.
pub fn mount(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let value = used.value.to_string_lossy();
    let Some(text) = used.value.to_str() else {
        return Err(context.refuse("--mount: the value is not UTF-8."));
    };
    let fields = fields(text);
    let key_of = |field: &str| field.split('=').next().unwrap_or(field).to_ascii_lowercase();
    let kind = fields.iter().rev().find(|f| key_of(f) == "type").and_then(|f| f.split_once('=')).map_or("volume", |(_, v)| v);
    let kind = kind.to_ascii_lowercase();
    let mut words = vec![format!("type={kind}")];
    let (mut read_only, mut nonrecursive, mut make) = (false, false, None);
    let mut source = String::new();
    for field in &fields {
        let key = key_of(field);
        let given = field.split_once('=').map(|(_, v)| v);
        let text = given.unwrap_or_default();
        match key.as_str() {
            "type" | "consistency" => {}
            "source" | "src" => {
                source = text.to_string();
            }
            "target" | "dst" | "destination" => words.push(format!("target={text}")),
            "readonly" | "ro" => read_only = switch(given),
            "bind-propagation" => words.push(format!("bind-propagation={text}")),
            "bind-nonrecursive" => nonrecursive = switch(given),
            "bind-recursive" => match text {
                "enabled" | "writable" => {}
                "disabled" => nonrecursive = true,
                _ => {
                    return Err(context.refuse(format!("--mount {value}: Podman cannot make submounts read-only (bind-recursive={text}).")));
                }
            },
            "bind-create-src" => make = Some(switch(given)),
            "tmpfs-size" | "tmpfs-mode" => words.push(format!("{key}={text}")),
            "volume-driver" if matches!(text, "" | "local") => {}
            "volume-opt" => words.push(format!("volume-opt={text}")),
            "volume-nocopy" if !switch(given) => {}
            "volume-subpath" | "volume-nocopy" | "volume-label" | "volume-driver" | "image-subpath" => {
                return Err(context.refuse(format!(
                    "--mount {value}: Podman has no {key} here; make the volume with docker volume create first, or use --volume."
                )));
            }
            _ => return Err(context.refuse(format!("--mount {value}: {key} is not known."))),
        }
    }
    if kind == "bind" && make == Some(true) {
        let path = PathBuf::from(&source);
        if !context.host.exists(&path) && context.engine.remote.is_none() && may_be_made(&path) {
            draft.prepare(Step::MakeDirs(path));
        }
    }
    if !source.is_empty() {
        if kind == "bind"
            && matches!(source.as_str(), "/var/run/docker.sock" | "/run/docker.sock")
            && !context.host.exists(Path::new(&source))
        {
            source = own_socket(context.host).map_or(source, |s| s.to_string_lossy().into_owned());
        }
        words.push(format!("source={source}"));
    }
    if kind == "tmpfs" && !words.iter().any(|w| w == "noexec") {
        // Docker's tmpfs mounts are noexec.
        words.push("noexec".to_string());
    }
    if read_only {
        words.push("ro=true".to_string());
    }
    if nonrecursive {
        words.push("bind-nonrecursive=true".to_string());
    }
    draft.flag("mount", words.iter().map(|w| quoted(w)).collect::<Vec<_>>().join(","));
    Ok(())
}

/// A switch in a mount: bare is true; the grammar has refused words that are neither.
fn switch(given: Option<&str>) -> bool {
    given.is_none_or(|word| crate::invocation::truth(OsStr::new(word)))
}

/// The fields of one CSV record; the grammar has refused what is none.
pub fn fields(record: &str) -> Vec<String> {
    let fields = grammar::csv_record(record.as_bytes()).unwrap_or_default();
    fields.into_iter().map(|field| String::from_utf8_lossy(&field).into_owned()).collect()
}

fn quoted(field: &str) -> String {
    crate::plan::csv_field(OsStr::new(field)).to_string_lossy().into_owned()
}

/// `--tmpfs TARGET[:OPTIONS]`: Docker's are noexec unless asked otherwise, Podman's are not.
pub fn tmpfs(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let bytes = used.value.as_bytes();
    let options = bytes.iter().position(|b| *b == b':').map(|at| &bytes[at + 1..]);
    let decided = options.is_some_and(|o| o.split(|b| *b == b',').any(|o| matches!(o, b"exec" | b"noexec")));
    let mut value = used.value.clone();
    if !decided {
        value.push(if options.is_some_and(|o| !o.is_empty()) {
            ",noexec"
        } else if options.is_some() {
            "noexec"
        } else {
            ":noexec"
        });
    }
    draft.flag("tmpfs", value);
    Ok(())
}

/// `--volume-driver`: Podman takes a driver where the volume is made.
pub fn volume_driver(used: &FlagUse, _: &mut Draft, context: &Context) -> Result<(), Refusal> {
    match used.value.as_bytes() {
        b"" | b"local" => Ok(()),
        _ => Err(context.refuse("--volume-driver: make the volume with `docker volume create --driver` first.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_csv() {
        assert_eq!(fields("type=bind,src=/a"), ["type=bind", "src=/a"]);
        assert_eq!(fields(r#"type=bind,"src=/a,b",dst=/x"#), ["type=bind", "src=/a,b", "dst=/x"]);
        assert_eq!(fields(r#""a""b",c"#), [r#"a"b"#, "c"]);
        assert_eq!(quoted("src=/a,b"), r#""src=/a,b""#);
    }
}
