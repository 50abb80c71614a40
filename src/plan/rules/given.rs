//! What the caller gave when a container was made and Podman cannot tell afterwards: kept as a label of ours on the container,
//! read back by the views, never shown to the caller.
//!
//! Podman keeps our own command line with the container, so only what the translation changed is here, under the keys of Docker's create
//! request. Of environment files only the names and their order: the values are Podman's to keep.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::host;
use crate::plan::{Context, Draft};
use crate::render::{CREATE_LABEL, container_inspect};

/// A label beyond this size keeps only the image: the kernel takes 128 KiB for one argument.
const MOST: usize = 32 * 1024;

/// Adds the label: a JSON object with the keys of Docker's create request. `Image` is the image as typed.
pub fn keep(image: &OsStr, draft: &mut Draft, context: &Context) {
    let mut given = Map::new();
    given.insert("Image".into(), image.to_string_lossy().into());
    let all = Map::from_iter(given.clone().into_iter().chain(changed(context)));
    let all = Value::from(all).to_string();
    let label = if all.len() > MOST { Value::from(given).to_string() } else { all };
    draft.flag("label", format!("{CREATE_LABEL}={label}"));
}

/// What the words that we pass on do not tell.
fn changed(context: &Context) -> Vec<(String, Value)> {
    let uses = &context.invocation.uses;
    let texts = |flag: &'static str| uses.all(flag).map(|v| v.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let mut changed = Vec::new();
    let names: Vec<String> = uses.all("env-file").filter_map(|file| names(Path::new(file), context.host)).flatten().collect();
    if !names.is_empty() {
        changed.push(("Env".to_string(), names.into()));
    }
    let volumes = texts("volume");
    if volumes.iter().any(|spec| is_changed_bind(spec)) {
        let binds = volumes.iter().filter(|spec| spec.contains(':')).map(|spec| absolute(spec, context.host).into());
        changed.push(("Binds".to_string(), binds.collect::<Vec<Value>>().into()));
    }
    let mounts = texts("mount");
    if mounts.iter().any(|record| is_changed_mount(record)) {
        changed.push(("Mounts".to_string(), container_inspect::mounts(&mounts, &|source| absolute(source, context.host))));
    }
    let tmpfs = texts("tmpfs");
    if tmpfs.iter().any(|spec| spec.ends_with("noexec")) {
        let split = |spec: &String| spec.split_once(':').map_or((spec.clone(), "".into()), |(k, v)| (k.to_string(), v.into()));
        changed.push(("Tmpfs".to_string(), tmpfs.iter().map(split).collect::<Map<_, _>>().into()));
    }
    let publish = texts("publish");
    if publish.iter().any(|spec| spec.split(':').any(|part| part == "0")) && !publish.iter().any(|spec| spec.contains('=')) {
        let bindings = container_inspect::bindings(publish.iter().map(String::as_str));
        changed.push(("PortBindings".to_string(), container_inspect::port_map(bindings)));
    }
    let requests: Vec<Value> = texts("gpus").iter().map(|value| gpus(value)).collect();
    if !requests.is_empty() {
        changed.push(("DeviceRequests".to_string(), requests.into()));
    }
    changed
}

/// The names of the variables in an environment file, in its order (docker/cli `opts/file.go`).
fn names(file: &Path, host: &dyn host::Host) -> Option<Vec<String>> {
    let file = if file.is_absolute() { file.to_path_buf() } else { host.cwd()?.join(file) };
    let text = String::from_utf8(host.read(&file)?).ok()?;
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Some(lines.map(|line| line.split('=').next().unwrap_or(line).to_string()).collect())
}

/// Docker's socket may become Podman's, and hints for Docker Desktop are left out.
fn is_changed_bind(spec: &str) -> bool {
    let hint = |option: &str| matches!(option, "consistent" | "cached" | "delegated");
    spec.splitn(3, ':').nth(2).is_some_and(|options| options.split(',').any(hint)) || spec.contains("docker.sock:")
}

fn is_changed_mount(record: &str) -> bool {
    let lost = ["consistency", "bind-create-src", "bind-recursive", "docker.sock", "volume-nocopy", "=.", "volume-driver"];
    lost.iter().any(|word| record.to_lowercase().contains(word))
}

/// A source below the working directory by its whole path, as Docker's client sends it.
fn absolute(spec: &str, host: &dyn host::Host) -> String {
    let (source, rest) = spec.find(':').map_or((spec, ""), |at| spec.split_at(at));
    match host.cwd().filter(|_| source.starts_with('.')) {
        Some(cwd) => {
            let whole: std::path::PathBuf = cwd.join(source).components().filter(|c| *c != std::path::Component::CurDir).collect();
            format!("{}{rest}", whole.display())
        }
        None => spec.to_string(),
    }
}

/// `--gpus` as a device request (docker/cli `opts/gpus.go`).
fn gpus(value: &str) -> Value {
    let mut request = json!({"Driver": "", "Count": 0, "DeviceIDs": null, "Capabilities": [["gpu"]], "Options": {}});
    let count = |text: &str| if text == "all" { -1 } else { text.parse::<i64>().unwrap_or(0) };
    for field in super::mounts::fields(value) {
        match field.split_once('=') {
            None => request["Count"] = count(&field).into(),
            Some(("count", number)) => request["Count"] = count(number).into(),
            Some(("driver", name)) => request["Driver"] = name.into(),
            Some(("device", ids)) => request["DeviceIDs"] = ids.split(',').collect::<Vec<_>>().into(),
            Some(("capabilities", names)) => {
                request["Capabilities"] = json!([names.split(',').chain(["gpu"]).collect::<std::collections::BTreeSet<_>>()]);
            }
            _ => {}
        }
    }
    if request["Count"] == 0 && request["DeviceIDs"].is_null() {
        request["Count"] = 1.into();
    }
    request
}
