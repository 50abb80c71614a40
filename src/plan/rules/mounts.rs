//! `--volume`, `--mount` and `--tmpfs`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::catalogue::PODMAN_5_4;
use crate::grammar;
use crate::host;
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Refusal, Step};

/// `--volume [SOURCE:]TARGET[:OPTIONS]`. Docker makes a bind source that is missing, Podman does not. Podman's own options
/// `U` (chown the source) and `O` (overlay) are no options of Docker's. Podman mounts volumes nosuid and nodev, Docker does not.
pub fn volume(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let parts: Vec<&[u8]> = used.value.as_bytes().split(|b| *b == b':').collect();
    let [source, target, options @ ..] = parts.as_slice() else {
        if context.host.uid() == 0 && !used.value.as_bytes().contains(&b',') {
            let mut mount = OsString::from("type=volume,suid,dev,target=");
            mount.push(&used.value);
            draft.flag("mount", mount);
        } else {
            draft.flag("volume", &used.value);
        }
        return Ok(());
    };
    if options.len() > 1 {
        return Err(context.as_docker(format!("invalid spec: {}: too many colons", used.value.to_string_lossy())));
    }
    let is_path = source.starts_with(b"/") || source.starts_with(b".");
    let wrong = |words: String| context.as_docker(format!("Error response from daemon: {words}"));
    let mut kept: Vec<&[u8]> = Vec::new();
    for option in options.iter().flat_map(|o| o.split(|b| *b == b',')) {
        match option {
            // Performance hints of Docker Desktop.
            b"consistent" | b"cached" | b"delegated" => {}
            b"nocopy" if !is_path => kept.push(option),
            b"ro" | b"rw" | b"z" | b"Z" | b"private" | b"rprivate" | b"shared" | b"rshared" | b"slave" | b"rslave" => kept.push(option),
            b"nocopy" => {
                let spec = used.value.to_string_lossy();
                let why = "invalid mount config for type \"bind\": field VolumeOptions must not be specified";
                return Err(wrong(format!("invalid volume specification: '{spec}': {why}")));
            }
            _ => return Err(wrong(format!("invalid mode: {}", String::from_utf8_lossy(options[0])))),
        }
    }
    check_target(source, target, is_path, used, context).map_err(wrong)?;
    let mut value = bind_source(source, draft, context)?;
    if !is_path && context.host.uid() == 0 {
        kept.extend([b"suid".as_slice(), b"dev"]);
    }
    value.push(":");
    value.push(OsStr::from_bytes(target));
    if !kept.is_empty() {
        value.push(":");
        value.push(OsStr::from_bytes(&kept.join(&b","[..])));
    }
    draft.flag("volume", value);
    Ok(())
}

/// What moby's parser of volumes refuses (`volume/mounts/linux_parser.go`).
fn check_target(source: &[u8], target: &[u8], is_path: bool, used: &FlagUse, context: &Context) -> Result<(), String> {
    let kind = if is_path { "bind" } else { "volume" };
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut spec = shown(used.value.as_bytes());
    if let Some(cwd) = context.host.cwd().filter(|_| source.starts_with(b".")) {
        let rest = spec.split_off(source.len());
        spec = format!("{}{rest}", cwd.join(shown(source)).components().collect::<PathBuf>().display());
    }
    let wrong = |why: String| Err(format!("invalid volume specification: '{spec}': invalid mount config for type {kind:?}: {why}"));
    if !target.starts_with(b"/") {
        return wrong(format!("invalid mount path: '{}' mount path must be absolute", shown(target)));
    }
    if Path::new(OsStr::from_bytes(target)) == Path::new("/") {
        return wrong("invalid specification: destination can't be '/'".into());
    }
    let word = |b: &u8| b.is_ascii_alphanumeric() || b"_.-".contains(b);
    let is_name = source.first().is_some_and(u8::is_ascii_alphanumeric) && source.iter().all(word);
    if !is_path && !is_name {
        let name = shown(source);
        return Err(format!(
            "create {name}: {name:?} includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. \
             If you intended to pass a host directory, use absolute path"
        ));
    }
    Ok(())
}

/// The source of a bind or the name of a volume, made sure of on the way. Docker's socket is the caller's Podman socket.
/// Errors: that socket is not to be had.
fn bind_source(source: &[u8], draft: &mut Draft, context: &Context) -> Result<OsString, Refusal> {
    let typed = OsString::from_vec(source.to_vec());
    let is_path = source.starts_with(b"/") || source.starts_with(b".");
    if !is_path || context.engine.remote.is_some() {
        return Ok(typed);
    }
    let path = match context.host.cwd() {
        Some(cwd) => cwd.join(&typed),
        None => PathBuf::from(&typed),
    };
    if context.host.exists(&path) {
        return Ok(typed);
    }
    if is_dockers_socket(source) {
        return socket(draft, context).map(PathBuf::into_os_string);
    }
    if may_be_made(&path) {
        draft.prepare(Step::MakeDirs(path));
    }
    Ok(typed)
}

fn is_dockers_socket(path: &[u8]) -> bool {
    matches!(path, b"/var/run/docker.sock" | b"/run/docker.sock")
}

/// The caller's Podman socket, if it is there.
pub fn own_socket(host: &dyn host::Host) -> Option<PathBuf> {
    Some(host::podman_socket(host)).filter(|socket| host.exists(socket))
}

/// The caller's Podman socket, where systemd can be told to listen on it if it is not there.
/// Errors: there is neither the socket nor systemd.
pub fn socket(draft: &mut Draft, context: &Context) -> Result<PathBuf, Refusal> {
    let host = context.host;
    let socket = host::podman_socket(host);
    if host.exists(&socket) {
        return Ok(socket);
    }
    let user = if host.uid() == 0 { "" } else { "--user " };
    if !host.is_dir(Path::new("/run/systemd/system")) {
        let shown = socket.display();
        return Err(context.refuse(format!("Docker's socket would be Podman's here, {shown}, which is not there; start it with: podman system service --time=0 unix://{shown} &")));
    }
    draft.prepare(Step::StartSocket { socket: socket.clone(), user: !user.is_empty() });
    Ok(socket)
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
    let (mut source, mut nocopy, mut labels) = (String::new(), false, Vec::new());
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
            "volume-nocopy" => nocopy = switch(given),
            "volume-label" => labels.push(text.to_string()),
            "volume-subpath" if context.host.podman_version()? >= PODMAN_5_4 => words.push(format!("subpath={text}")),
            "volume-subpath" | "volume-driver" | "image-subpath" => {
                return Err(context.refuse(format!(
                    "--mount {value}: this Podman has no {key}; make the volume with docker volume create first, or use --volume."
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
    let made = make == Some(true);
    check_mount(&kind, &source, &words, made, context)
        .map_err(|why| context.as_docker(format!("Error response from daemon: invalid mount config for type {kind:?}: {why}")))?;
    if kind == "volume" && !labels.is_empty() && !source.is_empty() {
        let mut create = context.call("volume create")?;
        labels.iter().for_each(|label| _ = create.flag("label", label));
        create.arg(&source);
        draft.prepare(Step::Quietly(Box::new(create.call())));
    }
    if nocopy && kind == "volume" && !source.is_empty() {
        // Podman's --mount has no word for it.
        let target = words.iter().find_map(|w| w.strip_prefix("target=")).unwrap_or_default();
        let ro = if read_only { ",ro" } else { "" };
        let suid = if context.host.uid() == 0 { ",suid,dev" } else { "" };
        draft.flag("volume", format!("{source}:{target}:nocopy{ro}{suid}"));
        return Ok(());
    }
    if !source.is_empty() {
        if kind == "bind" && is_dockers_socket(source.as_bytes()) && !context.host.exists(Path::new(&source)) {
            source = socket(draft, context)?.to_string_lossy().into_owned();
        }
        words.push(format!("source={source}"));
    }
    if kind == "volume" && context.host.uid() == 0 {
        words.extend(["suid".to_string(), "dev".to_string()]);
    }
    if kind == "tmpfs" {
        // Docker's tmpfs mounts are noexec, and empty.
        words.extend(["noexec".to_string(), "notmpcopyup".to_string()]);
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

/// What moby refuses of a mount (`volume/mounts/linux_parser.go`, `validateMountConfigImpl`).
fn check_mount(kind: &str, source: &str, words: &[String], made: bool, context: &Context) -> Result<(), String> {
    let target = words.iter().rev().find_map(|w| w.strip_prefix("target=")).unwrap_or_default();
    let absolute =
        |path: &str| if path.starts_with('/') { Ok(()) } else { Err(format!("invalid mount path: '{path}' mount path must be absolute")) };
    if !matches!(kind, "bind" | "volume" | "tmpfs" | "image" | "cluster" | "npipe") {
        return Err("mount type unknown".into());
    }
    absolute(target)?;
    if Path::new(target) == Path::new("/") {
        return Err("invalid specification: destination can't be '/'".into());
    }
    match kind {
        "bind" if source.is_empty() => Err("field Source must not be empty".into()),
        "bind" if !source.starts_with('.') => {
            absolute(source)?;
            let there = context.engine.remote.is_some() || context.host.exists(Path::new(source)) || is_dockers_socket(source.as_bytes());
            if there || made { Ok(()) } else { Err(format!("bind source path does not exist: {source}")) }
        }
        "tmpfs" if !source.is_empty() => Err("field Source must not be specified".into()),
        _ => Ok(()),
    }
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

/// `--tmpfs TARGET[:OPTIONS]`: Docker's are noexec unless asked otherwise, and empty; Podman's have what the image has there.
pub fn tmpfs(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let bytes = used.value.as_bytes();
    let (target, options) = match bytes.iter().position(|b| *b == b':') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &b""[..]),
    };
    let mut words: Vec<&[u8]> = options.split(|b| *b == b',').filter(|o| !o.is_empty()).collect();
    if !words.iter().any(|o| matches!(*o, b"exec" | b"noexec")) {
        words.push(b"noexec");
    }
    words.push(b"notmpcopyup");
    let mut value = OsString::from_vec(target.to_vec());
    value.push(":");
    value.push(OsStr::from_bytes(&words.join(&b","[..])));
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
