//! A container as Docker shows it (moby `daemon/inspect.go`), made of Podman's JSON, of what its creator asked for, and of its image.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::inspect::Object;
use super::text;
use asked::{Asked, filled};

mod asked;
mod config;
pub mod health;
mod host_config;
pub mod log_details;
mod mounts;
pub mod network;
mod ports;
mod types;

/// The container as dockerd would have sent it. `image` is the configuration of its image, where it is still there; `networks` the IDs of
/// the networks that Podman's JSON only names.
pub fn object(container: &Json, image: Option<&Json>, networks: &network::Ids) -> Option<Object> {
    let asked = Asked::of(container);
    let status = status(container)?;
    let started = !text(&container["State"], "StartedAt").starts_with("0001-");
    let running = matches!(status, "running" | "paused");
    let exposed = config::exposed(container, &asked, image);
    let (path, args) = program(container);
    let same = |name: &str| container[name].clone();
    // The engine's files of a container are made when it starts.
    let file = |name: &str| if started { same(name) } else { "".into() };
    let host_config = host_config::host_config(container, &asked);
    let logged = started && host_config["LogConfig"]["Type"] == "json-file";
    let mut json = Map::new();
    let mut put = |name: &str, value: Json| {
        json.insert(name.into(), value);
    };
    put("Id", same("Id"));
    put("Created", same("Created"));
    put("Path", path);
    put("Args", args);
    put("State", state(container, status, started));
    put("Image", format!("sha256:{}", text(container, "Image")).into());
    put("ResolvConfPath", file("ResolvConfPath"));
    put("HostnamePath", file("HostnamePath"));
    put("HostsPath", file("HostsPath"));
    put("LogPath", if logged { container["HostConfig"]["LogConfig"]["Path"].clone() } else { "".into() });
    put("Name", format!("/{}", text(container, "Name")).into());
    put("RestartCount", same("RestartCount"));
    put("Driver", driver(container).into());
    put("Platform", "linux".into());
    put("MountLabel", text(container, "MountLabel").into());
    put("ProcessLabel", text(container, "ProcessLabel").into());
    put("AppArmorProfile", text(container, "AppArmorProfile").into());
    put("ExecIDs", filled(&container["ExecIDs"]));
    put("HostConfig", host_config);
    put("GraphDriver", graph_driver(container));
    for size in ["SizeRw", "SizeRootFs"] {
        if let Some(bytes) = container.get(size) {
            put(size, bytes.clone());
        }
    }
    put("Mounts", mounts::points(container, &asked));
    put("Config", config::config(container, &asked, image, &exposed));
    put("NetworkSettings", network::settings(container, &asked, &exposed, running, started, networks));
    Some(Object { typ: &types::INSPECT_RESPONSE, json: json.into() })
}

/// Where the configuration of a container's image lies in Podman's store (containers/storage keeps it under the image's ID, the name
/// of the file in base64: `sha256:…`).
pub fn image_file(container: &Json) -> Option<PathBuf> {
    let (root, _) = text(container, "StaticDir").split_once("-containers/")?;
    let id = Some(text(container, "Image")).filter(|id| !id.is_empty())?;
    let entries = std::fs::read_dir(Path::new(&format!("{root}-images")).join(id)).ok()?;
    entries.flatten().map(|entry| entry.path()).find(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("=c2hhMjU2")))
}

/// One of Docker's states for Podman's; none for what is no container.
fn status(container: &Json) -> Option<&'static str> {
    Some(match container["State"]["Status"].as_str()? {
        "running" | "stopping" => "running",
        "paused" => "paused",
        "removing" => "removing",
        "created" | "configured" | "initialized" => "created",
        _ => "exited",
    })
}

fn state(container: &Json, status: &str, started: bool) -> Json {
    let podmans = &container["State"];
    let running = matches!(status, "running" | "paused");
    let mut state = json!({
        "Status": status,
        "Running": running,
        "Paused": status == "paused",
        "Restarting": podmans["Restarting"],
        "OOMKilled": podmans["OOMKilled"],
        "Dead": podmans["Dead"],
        "Pid": if running { podmans["Pid"].clone() } else { 0.into() },
        "ExitCode": exit_code(podmans, status),
        "Error": text(podmans, "Error"),
        "StartedAt": podmans["StartedAt"],
        "FinishedAt": podmans["FinishedAt"],
    });
    let test = &container["Config"]["Healthcheck"]["Test"];
    let checked = test.as_array().is_some_and(|words| !words.is_empty() && words[0] != "NONE");
    if let (true, true, Some(health)) = (checked, started, podmans["Health"].as_object()) {
        let log = health.get("Log").and_then(Json::as_array).cloned().unwrap_or_default();
        state["Health"] = json!({"Status": health["Status"], "FailingStreak": health["FailingStreak"], "Log": log});
    }
    state
}

/// A container that could not be started has the status of that, which Podman only tells in words.
fn exit_code(podmans: &Json, status: &str) -> Json {
    let error = text(podmans, "Error");
    if status != "created" || error.is_empty() || podmans["ExitCode"] != 0 {
        return podmans["ExitCode"].clone();
    }
    let says = |words: &str| error.contains(words);
    match () {
        () if says("executable file not found") || says("no such file or directory") => 127.into(),
        () if says("permission denied") || says("is a directory") => 126.into(),
        () => 128.into(),
    }
}

/// What is run, and its arguments. Podman has its init before them.
fn program(container: &Json) -> (Json, Json) {
    let args = container["Args"].as_array().cloned().unwrap_or_default();
    match args.split_first() {
        Some((fence, rest)) if fence == "--" && container["HostConfig"]["Init"] == true && !rest.is_empty() => {
            (rest[0].clone(), rest[1..].to_vec().into())
        }
        // Podman has a word that stands alone twice.
        Some((word, [])) if *word == container["Path"] && words(container) < 2 => (word.clone(), json!([])),
        _ => (container["Path"].clone(), args.into()),
    }
}

/// How many words entrypoint and command have, as far as Podman tells them apart.
fn words(container: &Json) -> usize {
    let entrypoint = match &container["Config"]["Entrypoint"] {
        Json::String(joined) => usize::from(!joined.is_empty()),
        list => list.as_array().into_iter().flatten().filter(|word| *word != "").count(),
    };
    entrypoint + container["Config"]["Cmd"].as_array().map_or(0, Vec::len)
}

/// Docker's driver for the kernel's overlay file system is its second.
fn driver(container: &Json) -> &str {
    match text(container, "Driver") {
        "overlay" => "overlay2",
        other => other,
    }
}

fn graph_driver(container: &Json) -> Json {
    let mut data = Map::new();
    data.insert("ID".into(), container["Id"].clone());
    let podmans = &container["GraphDriver"]["Data"];
    data.extend(podmans.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())));
    // Podman leaves out what is not mounted just now.
    if let Some(layer) = text(podmans, "UpperDir").strip_suffix("/diff") {
        data.insert("MergedDir".into(), format!("{layer}/merged").into());
    }
    data.sort_keys();
    json!({"Data": data, "Name": driver(container)})
}
