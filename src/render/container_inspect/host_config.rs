//! `HostConfig`: Docker's defaults, and over them what was asked for.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::asked::{Asked, filled, some};
use super::{mounts, network, ports};
use crate::plan::rules::mounts::fields;
use crate::render::text;

/// dockerd's own size of `/dev/shm`, and Podman's, which is smaller by a little.
const SHM_SIZE: i64 = 64 * 1024 * 1024;
const PODMANS_SHM_SIZE: i64 = 65_536_000;

/// What Docker hides of /proc and /sys (moby `oci/defaults.go`).
const MASKED_PATHS: [&str; 12] = [
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
];
const READONLY_PATHS: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/// The container's `HostConfig`.
pub fn host_config(container: &Json, asked: &Asked) -> Json {
    let podmans = &container["HostConfig"];
    let same = |name: &str| podmans[name].clone();
    let mut config = Map::new();
    let mut put = |name: &str, value: Json| {
        config.insert(name.into(), value);
    };
    put("Binds", mounts::binds(container, asked));
    put("ContainerIDFile", asked.last("cidfile").map_or_else(|| text(podmans, "ContainerIDFile").into(), Json::from));
    put("LogConfig", json!({"Type": log_driver(podmans, asked), "Config": asked.map("log-opt")}));
    put("NetworkMode", network::mode(container, asked).into());
    put("PortBindings", port_bindings(podmans, asked));
    put("RestartPolicy", restart_policy(&podmans["RestartPolicy"]));
    put("AutoRemove", same("AutoRemove"));
    put("VolumeDriver", text(podmans, "VolumeDriver").into());
    put("VolumesFrom", if asked.ours { asked.list("volumes-from") } else { filled(&podmans["VolumesFrom"]) });
    put("ConsoleSize", json!([0, 0]));
    put_filled(&mut put, "Annotations", annotations(container, asked));
    put("CapAdd", capabilities(podmans, asked, "cap-add", "CapAdd"));
    put("CapDrop", capabilities(podmans, asked, "cap-drop", "CapDrop"));
    put("CgroupnsMode", asked.last("cgroupns").map_or_else(|| text(podmans, "CgroupMode").into(), Json::from));
    for name in ["Dns", "DnsOptions", "DnsSearch"] {
        put(name, podmans[name].as_array().cloned().unwrap_or_default().into());
    }
    put(
        "ExtraHosts",
        if asked.ours { some(asked.all("add-host").map(|host| extra_host(host).into())) } else { filled(&podmans["ExtraHosts"]) },
    );
    put("GroupAdd", if asked.ours { asked.list("group-add") } else { filled(&podmans["GroupAdd"]) });
    put("IpcMode", ipc_mode(podmans, asked));
    put("Cgroup", "".into());
    put("Links", Json::Null);
    put("OomScoreAdj", same("OomScoreAdj"));
    put("PidMode", namespace(podmans, asked, "pid", "PidMode"));
    put("Privileged", same("Privileged"));
    put("PublishAllPorts", (asked.on("publish-all") || podmans["PublishAllPorts"] == true).into());
    put("ReadonlyRootfs", same("ReadonlyRootfs"));
    put("SecurityOpt", security_options(podmans, asked));
    put_filled(&mut put, "Tmpfs", mounts::tmpfs(container, asked));
    put("UTSMode", namespace(podmans, asked, "uts", "UTSMode"));
    put("UsernsMode", asked.last("userns").map_or_else(|| if asked.ours { "".into() } else { same("UsernsMode") }, Json::from));
    let shm = podmans["ShmSize"].as_i64().filter(|size| asked.has("shm-size") || *size != PODMANS_SHM_SIZE);
    put("ShmSize", shm.unwrap_or(SHM_SIZE).into());
    put_filled(&mut put, "Sysctls", asked.map("sysctl"));
    put("Runtime", runtime(container, asked).into());
    put("Isolation", "".into());
    resources(&mut put, podmans, asked);
    if let mounts @ Json::Array(_) = mounts::mounts(container, asked) {
        put("Mounts", mounts);
    }
    let unconfined = asked.all("security-opt").any(opens_paths);
    let paths = |list: &[&str]| match podmans["Privileged"] == true {
        _ if unconfined => json!([]),
        true => Json::Null,
        false => json!(list),
    };
    put("MaskedPaths", paths(&MASKED_PATHS));
    put("ReadonlyPaths", paths(&READONLY_PATHS));
    if asked.has("init") || podmans["Init"] == true {
        put("Init", (podmans["Init"] == true).into());
    }
    config.into()
}

fn put_filled(put: &mut impl FnMut(&str, Json), name: &str, map: Map<String, Json>) {
    if !map.is_empty() {
        put(name, map.into());
    }
}

/// Podman's own file is as good as `json-file`, which is what Docker's clients look for.
pub fn log_driver(podmans: &Json, asked: &Asked) -> String {
    match asked.last("log-driver").unwrap_or_else(|| text(&podmans["LogConfig"], "Type")) {
        "k8s-file" | "" => "json-file".to_string(),
        driver => driver.to_string(),
    }
}

fn port_bindings(podmans: &Json, asked: &Asked) -> Json {
    if asked.ours {
        return ports::map(ports::bindings(asked.all("publish")));
    }
    let bindings = podmans["PortBindings"].as_object().into_iter().flatten().filter(|(_, list)| !list.is_null());
    bindings.map(|(port, list)| (port.clone(), list.clone())).collect::<Map<_, _>>().into()
}

fn restart_policy(podmans: &Json) -> Json {
    let name = Some(text(podmans, "Name")).filter(|n| !n.is_empty()).unwrap_or("no");
    json!({"Name": name, "MaximumRetryCount": podmans["MaximumRetryCount"]})
}

/// Those asked for; Podman keeps notes of its own among them.
fn annotations(container: &Json, asked: &Asked) -> Map<String, Json> {
    if asked.ours {
        return asked.map("annotation");
    }
    let own = ["io.podman.", "io.container.", "io.kubernetes.cri-o.", "org.systemd.property.", "org.opencontainers.image.", "run.oci."];
    let annotations = container["Config"]["Annotations"].as_object().into_iter().flatten();
    annotations.filter(|(name, _)| !own.iter().any(|o| name.starts_with(o))).map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Names in capitals, with `CAP_` (moby `oci/caps`).
fn capabilities(podmans: &Json, asked: &Asked, flag: &str, key: &str) -> Json {
    if !asked.ours {
        return filled(&podmans[key]);
    }
    let name = |name: &str| match name.to_ascii_uppercase() {
        all if all == "ALL" || all.starts_with("CAP_") => all,
        short => format!("CAP_{short}"),
    };
    some(asked.all(flag).map(|n| name(n).into()))
}

fn ipc_mode(podmans: &Json, asked: &Asked) -> Json {
    match (asked.namespace("ipc", &podmans["IpcMode"]), podmans["IpcMode"].as_str()) {
        (mode, _) if mode != "" => mode,
        // Podman's default is shareable, Docker's private.
        (_, Some("shareable")) => "private".into(),
        (_, mode) => mode.unwrap_or("private").into(),
    }
}

/// Docker has no word for a namespace of the container's own.
fn namespace(podmans: &Json, asked: &Asked, flag: &str, key: &str) -> Json {
    match asked.namespace(flag, &podmans[key]) {
        mode if mode == "" && !asked.ours && podmans[key] != "private" => podmans[key].clone(),
        mode if mode == "private" => "".into(),
        mode => mode,
    }
}

/// What docker/cli takes out of the options (`parseSystemPaths`).
fn opens_paths(option: &str) -> bool {
    matches!(option, "systempaths=unconfined" | "systempaths:unconfined")
}

/// Those asked for; whoever shares the host's namespaces goes without labels (moby `generateSecurityOpt`).
fn security_options(podmans: &Json, asked: &Asked) -> Json {
    if !asked.ours {
        return filled(&podmans["SecurityOpt"]);
    }
    let mut options: Vec<&str> = asked.all("security-opt").filter(|o| !opens_paths(o)).collect();
    let host = podmans["Privileged"] == true || asked.last("ipc") == Some("host") || asked.last("pid") == Some("host");
    if host && !options.iter().any(|o| o.starts_with("label")) {
        options.push("label=disable");
    }
    some(options.into_iter().map(Json::from))
}

fn runtime(container: &Json, asked: &Asked) -> String {
    let path = asked.last("runtime").unwrap_or_else(|| text(container, "OCIRuntime"));
    path.rsplit('/').next().unwrap_or(path).to_string()
}

fn resources(put: &mut impl FnMut(&str, Json), podmans: &Json, asked: &Asked) {
    let number = |name: &str| match &podmans[name] {
        Json::Null => 0.into(),
        other => other.clone(),
    };
    let list = |name: &str| podmans[name].as_array().cloned().unwrap_or_default().into();
    // Podman makes a quota of `--cpus`, and a number of CPUs of a quota.
    let quota = asked.has("cpu-quota") || asked.has("cpu-period");
    put("CpuShares", number("CpuShares"));
    put("Memory", number("Memory"));
    put("NanoCpus", if quota { 0.into() } else { number("NanoCpus") });
    put("CgroupParent", asked.last("cgroup-parent").unwrap_or_default().into());
    put("BlkioWeight", number("BlkioWeight"));
    for name in ["BlkioWeightDevice", "BlkioDeviceReadBps", "BlkioDeviceWriteBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteIOps"] {
        put(name, list(name));
    }
    for name in ["CpuPeriod", "CpuQuota"] {
        put(name, if quota { number(name) } else { 0.into() });
    }
    for name in ["CpuRealtimePeriod", "CpuRealtimeRuntime"] {
        put(name, number(name));
    }
    put("CpusetCpus", text(podmans, "CpusetCpus").into());
    put("CpusetMems", text(podmans, "CpusetMems").into());
    put("Devices", devices(podmans, asked));
    put("DeviceCgroupRules", asked.list("device-cgroup-rule"));
    put("DeviceRequests", device_requests(asked));
    put("MemoryReservation", number("MemoryReservation"));
    put("MemorySwap", if asked.last("memory-swap") == Some("-1") { (-1).into() } else { number("MemorySwap") });
    let swappiness = asked.last("memory-swappiness").and_then(|s| s.parse::<i64>().ok()).filter(|s| *s >= 0);
    put("MemorySwappiness", swappiness.map_or(Json::Null, Json::from));
    // With cgroups of version 2 the kernel has no such switch.
    let unified = Path::new("/sys/fs/cgroup/cgroup.controllers").exists();
    put("OomKillDisable", if unified { Json::Null } else { same_or(podmans, "OomKillDisable", false.into()) });
    put("PidsLimit", pids_limit(podmans, asked));
    put("Ulimits", ulimits(podmans, asked));
    for name in ["CpuCount", "CpuPercent", "IOMaximumIOps", "IOMaximumBandwidth"] {
        put(name, 0.into());
    }
}

fn same_or(podmans: &Json, name: &str, other: Json) -> Json {
    podmans.get(name).filter(|v| !v.is_null()).cloned().unwrap_or(other)
}

/// The limit that was asked for, or that a later update set; Podman has one of its own of 2048.
fn pids_limit(podmans: &Json, asked: &Asked) -> Json {
    let limit = podmans["PidsLimit"].as_i64().filter(|limit| *limit > 0 && (asked.has("pids-limit") || *limit != 2048));
    limit.map_or(Json::Null, Json::from)
}

fn permits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b"rwm".contains(&b))
}

/// A `--device` that is a path: `HOST[:CONTAINER][:PERMISSIONS]` (docker/cli's `parseLinuxDevice`).
fn devices(podmans: &Json, asked: &Asked) -> Json {
    if !asked.ours {
        let mut devices = podmans["Devices"].as_array().cloned().unwrap_or_default();
        devices.iter_mut().filter(|d| d["CgroupPermissions"] == "").for_each(|d| d["CgroupPermissions"] = "rwm".into());
        return devices.into();
    }
    let device = |spec: &str| {
        let parts: Vec<&str> = spec.split(':').collect();
        let (inside, permissions) = match parts[..] {
            [_, inside, permissions] => (inside, permissions),
            [host, permissions] if permits(permissions) => (host, permissions),
            [_, inside] => (inside, "rwm"),
            _ => (parts[0], "rwm"),
        };
        json!({"PathOnHost": parts[0], "PathInContainer": inside, "CgroupPermissions": permissions})
    };
    asked.all("device").filter(|spec| spec.starts_with('/')).map(device).collect()
}

/// What `--gpus` asked for, and devices by their CDI names.
fn device_requests(asked: &Asked) -> Json {
    let mut requests: Vec<Json> = asked.all("gpus").map(gpus).collect();
    let names = some(asked.all("device").filter(|spec| !spec.starts_with('/')).map(Json::from));
    if !names.is_null() {
        requests.push(json!({"Driver": "cdi", "Count": 0, "DeviceIDs": names, "Capabilities": null, "Options": null}));
    }
    some(requests.into_iter())
}

/// `--gpus` as a device request (docker/cli `opts/gpus.go`).
fn gpus(value: &str) -> Json {
    let mut request = json!({"Driver": "", "Count": 0, "DeviceIDs": null, "Capabilities": [["gpu"]], "Options": {}});
    let count = |text: &str| if text == "all" { -1 } else { text.parse::<i64>().unwrap_or(0) };
    for field in fields(value) {
        match field.split_once('=') {
            None => request["Count"] = count(&field).into(),
            Some(("count", number)) => request["Count"] = count(number).into(),
            Some(("driver", name)) => request["Driver"] = name.into(),
            Some(("device", ids)) => request["DeviceIDs"] = ids.split(',').collect::<Vec<_>>().into(),
            Some(("capabilities", names)) => request["Capabilities"] = json!([names.split(',').chain(["gpu"]).collect::<BTreeSet<_>>()]),
            _ => {}
        }
    }
    if request["Count"] == 0 && request["DeviceIDs"].is_null() {
        request["Count"] = 1.into();
    }
    request
}

/// `NAME:IP` of an `--add-host` in either form.
fn extra_host(typed: &str) -> String {
    let at = typed.find(['=', ':']).unwrap_or(typed.len());
    let (name, address) = (&typed[..at], typed.get(at + 1..).unwrap_or_default());
    let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
    format!("{name}:{address}")
}

/// In the order of their names. Podman lists its defaults among them.
fn ulimits(podmans: &Json, asked: &Asked) -> Json {
    let mut ulimits: Vec<Json> = if asked.ours {
        let ulimit = |value: &str| {
            let (name, limits) = value.split_once('=')?;
            let (soft, hard) = limits.split_once(':').unwrap_or((limits, limits));
            Some(json!({"Name": name, "Hard": hard.parse::<i64>().ok()?, "Soft": soft.parse::<i64>().ok()?}))
        };
        asked.all("ulimit").filter_map(ulimit).collect()
    } else {
        let ulimit = |u: &Json| {
            let name = text(u, "Name");
            let name = name.strip_prefix("RLIMIT_").unwrap_or(name).to_lowercase();
            json!({"Name": name, "Hard": u["Hard"], "Soft": u["Soft"]})
        };
        podmans["Ulimits"].as_array().into_iter().flatten().map(ulimit).collect()
    };
    ulimits.sort_by(|a, b| text(a, "Name").cmp(text(b, "Name")));
    ulimits.into()
}
