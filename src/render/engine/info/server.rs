//! The engine's side of `docker info`: moby's `system.Info` of what `podman info` and the machine say.

use serde_json::{Map, Value as Json, json};

use super::Machine;
use crate::render::engine::{Component, part, text_at};
use crate::render::text;
use crate::render::value::Time;

/// moby's `system.Info`. What only a daemon has (descriptors, goroutines, listeners) is 0; there is none.
pub fn info(podman: &Json, machine: &Machine, now: f64) -> Json {
    let at = |pointer: &str| text_at(podman, pointer);
    let number = |pointer: &str| part(podman, pointer).as_i64().unwrap_or_default();
    let strings = |pointer: &str| -> Vec<String> {
        part(podman, pointer).as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_string)).collect()
    };
    let (all, running, paused) =
        (number("/store/containerStore/number"), number("/store/containerStore/running"), number("/store/containerStore/paused"));
    let cgroups = at("/host/cgroupVersion").trim_start_matches('v');
    let first = cgroups == "1";
    let controllers = strings("/host/cgroupControllers");
    let has = |controller: &str| controllers.iter().any(|c| c == controller);
    // Where Podman does not list any it still may use them, but for rootless containers on the first version.
    let rootless = part(podman, "/host/security/rootless").as_bool().unwrap_or_default();
    let unknown = controllers.is_empty() && !(rootless && first);
    let can = |controller: &str| unknown || has(controller);
    let swap = can("memory") && machine.swap_limit;

    let mut networks = strings("/plugins/network");
    // Docker's two drivers without a network of their own are options of Podman's.
    networks.extend(["host".to_string(), "null".to_string()]);
    let mut logs = strings("/plugins/log");
    // Another name of k8s-file, as Podman reads it.
    logs.push("json-file".to_string());
    for list in [&mut networks, &mut logs] {
        list.sort();
        list.dedup();
    }
    let release = |key: &str| os_release(&machine.os_release, key);
    let runtime = at("/host/ociRuntime/name");
    let mut runtimes = Map::new();
    runtimes.insert(runtime.to_string(), json!({"path": at("/host/ociRuntime/path")}));
    let time = Time::local(now as i64, (now.fract() * 1e9) as u32);
    let or = |found: String, otherwise: &str| if found.is_empty() { otherwise.to_string() } else { found };
    let mut info = json!({
        "ID": id(machine, at("/store/graphRoot")),
        "Containers": all, "ContainersRunning": running, "ContainersPaused": paused, "ContainersStopped": all - running - paused,
        "Images": number("/store/imageStore/number"),
        "Driver": at("/store/graphDriverName"),
        "DriverStatus": driver_status(part(podman, "/store/graphStatus")),
        "Plugins": {"Volume": strings("/plugins/volume"), "Network": networks, "Authorization": null, "Log": logs},
        "MemoryLimit": can("memory"), "SwapLimit": swap, "KernelMemoryTCP": first && can("memory"),
        "CpuCfsPeriod": can("cpu"), "CpuCfsQuota": can("cpu"), "CPUShares": can("cpu"), "CPUSet": can("cpuset"), "PidsLimit": can("pids"),
        "IPv4Forwarding": machine.ip_forward, "Debug": false, "NFd": 0, "OomKillDisable": first && can("memory"), "NGoroutines": 0,
        "SystemTime": time.rfc3339(),
        "LoggingDriver": at("/host/logDriver"),
        "CgroupDriver": at("/host/cgroupManager"),
        "CgroupVersion": cgroups,
        "NEventsListener": 0,
    });
    let system = json!({
        "KernelVersion": at("/host/kernel"),
        "OperatingSystem": or(release("PRETTY_NAME"), at("/host/distribution/distribution")),
        "OSVersion": or(release("VERSION_ID"), at("/host/distribution/version")),
        "OSType": at("/host/os"),
        "Architecture": architecture(at("/host/arch")),
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": registries(part(podman, "/registries")),
        "NCPU": number("/host/cpus"), "MemTotal": number("/host/memTotal"),
        "DockerRootDir": at("/store/graphRoot"),
        "HttpProxy": machine.proxies[0], "HttpsProxy": machine.proxies[1], "NoProxy": machine.proxies[2],
        "Name": at("/host/hostname"),
        "Labels": [],
        "ExperimentalBuild": false,
        "ServerVersion": at("/version/Version"),
        "Runtimes": runtimes, "DefaultRuntime": runtime,
        "Swarm": {"LocalNodeState": "inactive"},
        "RuncCommit": {"ID": Component::read(at("/host/ociRuntime/version")).commit},
        "SecurityOptions": security(part(podman, "/host/security"), cgroups),
        "CDISpecDirs": [],
    });
    if let (Json::Object(info), Json::Object(system)) = (&mut info, system) {
        info.extend(system);
    }
    let warnings = warnings(&info, rootless);
    if !warnings.is_empty() {
        info["Warnings"] = warnings.into();
    }
    info
}

/// What dockerd warns of (moby `daemon/info_unix.go`).
fn warnings(info: &Json, rootless: bool) -> Vec<String> {
    let can = |key: &str| info[key].as_bool().unwrap_or_default();
    let first = text(info, "CgroupVersion") == "1";
    if rootless && first && !can("MemoryLimit") {
        let words = "WARNING: Running in rootless-mode without cgroups. To enable cgroups in rootless-mode, you need to boot the system in cgroup v2 mode.";
        return vec![words.to_string()];
    }
    let limits = [
        ("MemoryLimit", "memory limit"),
        ("SwapLimit", "swap limit"),
        ("CpuCfsQuota", "cpu cfs quota"),
        ("CpuCfsPeriod", "cpu cfs period"),
        ("CPUShares", "cpu shares"),
        ("CPUSet", "cpuset"),
    ];
    limits.iter().filter(|(key, _)| !can(key)).map(|(_, what)| format!("WARNING: No {what} support")).collect()
}

/// Pairs in the order that Docker's overlay driver has them, then what else Podman knows.
fn driver_status(status: &Json) -> Vec<[String; 2]> {
    const FIRST: [&str; 4] = ["Backing Filesystem", "Supports d_type", "Using metacopy", "Native Overlay Diff"];
    let place = |name: &str| FIRST.iter().position(|first| *first == name).unwrap_or(FIRST.len());
    let entries = status.as_object().into_iter().flatten();
    let mut pairs: Vec<[String; 2]> = entries.map(|(name, value)| [name.clone(), value.as_str().unwrap_or_default().to_string()]).collect();
    pairs.sort_by(|a, b| place(&a[0]).cmp(&place(&b[0])).then_with(|| a[0].cmp(&b[0])));
    pairs
}

/// A registry that is read from elsewhere is a mirror to Docker. Loopback registries may be plain HTTP here as with dockerd.
fn registries(podman: &Json) -> Json {
    let mut indexes = Map::new();
    let mut mirrors = Vec::new();
    let entries = podman.as_object().into_iter().flatten().filter(|(name, entry)| *name != "search" && entry.is_object());
    for (name, entry) in entries {
        let insecure = entry["Insecure"].as_bool().unwrap_or_default();
        let url = |location: &str, insecure: bool| format!("{}://{location}/", if insecure { "http" } else { "https" });
        let listed = entry["Mirrors"].as_array().into_iter().flatten();
        let mut from: Vec<String> = listed.map(|m| url(text(m, "Location"), m["Insecure"].as_bool().unwrap_or_default())).collect();
        let location = text(entry, "Location");
        let elsewhere = !location.is_empty() && location != text(entry, "Prefix") && location != "registry-1.docker.io";
        if elsewhere {
            from.push(url(location, insecure));
        }
        let official = name == "docker.io";
        if official {
            mirrors.clone_from(&from);
        }
        indexes.insert(name.clone(), json!({"Mirrors": from, "Name": name, "Official": official, "Secure": official || !insecure}));
    }
    indexes.entry("docker.io").or_insert_with(|| json!({"Mirrors": [], "Name": "docker.io", "Official": true, "Secure": true}));
    json!({"IndexConfigs": indexes, "InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"], "Mirrors": mirrors})
}

/// moby's `fillSecurityOptions`.
fn security(podman: &Json, cgroups: &str) -> Vec<String> {
    let on = |key: &str| podman[key].as_bool().unwrap_or_default();
    let mut options = Vec::new();
    if on("apparmorEnabled") {
        options.push("name=apparmor".to_string());
    }
    if on("seccompEnabled") {
        let profile = match text(podman, "seccompProfilePath") {
            "" | "/usr/share/containers/seccomp.json" => "default",
            path => path,
        };
        options.push(format!("name=seccomp,profile={profile}"));
    }
    if on("selinuxEnabled") {
        options.push("name=selinux".to_string());
    }
    if on("rootless") {
        options.push("name=rootless".to_string());
    }
    if cgroups == "2" {
        options.push("name=cgroupns".to_string());
    }
    options
}

/// The kernel's name of an architecture, of Go's.
fn architecture(go: &str) -> &str {
    match go {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "386" => "i686",
        "arm" => "armv7l",
        "loong64" => "loongarch64",
        other => other,
    }
}

/// A value of `/etc/os-release`, unquoted.
fn os_release(file: &[u8], key: &str) -> String {
    let text = String::from_utf8_lossy(file);
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    value.unwrap_or_default().trim().trim_matches(['"', '\'']).to_string()
}

/// A name for the engine that stays the same, as dockerd keeps one: of the machine and of where the store is, by FNV-1a, so that neither
/// can be told from it.
fn id(machine: &Machine, store: &str) -> String {
    let hash = |seed: u64| {
        let bytes = machine.machine_id.iter().chain(store.as_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    let hex = format!("{:016x}{:016x}", hash(0), hash(0x9e37_79b9_7f4a_7c15));
    // A version 4 UUID in form.
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_in_dockers_terms() {
        let podman = json!({"search": ["docker.io"], "docker.io": {"Prefix": "docker.io", "Location": "mirror.example", "Insecure": true,
            "Mirrors": [{"Location": "m.example", "Insecure": false}]}, "plain.example:5000": {"Prefix": "plain.example:5000",
            "Location": "plain.example:5000", "Insecure": true, "Mirrors": null}});
        let docker = registries(&podman);
        assert_eq!(docker["Mirrors"], json!(["https://m.example/", "http://mirror.example/"]));
        assert_eq!(
            docker["IndexConfigs"]["plain.example:5000"],
            json!({"Mirrors": [], "Name": "plain.example:5000", "Official": false, "Secure": false})
        );
        assert_eq!(registries(&Json::Null)["IndexConfigs"]["docker.io"]["Official"], true);
    }

    #[test]
    fn security_options_tell_rootless() {
        let podman = json!({"rootless": true, "seccompEnabled": true, "seccompProfilePath": "/usr/share/containers/seccomp.json"});
        assert_eq!(security(&podman, "2"), ["name=seccomp,profile=default", "name=rootless", "name=cgroupns"]);
    }
}
