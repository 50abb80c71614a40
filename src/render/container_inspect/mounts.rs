//! Binds, mounts and tmpfs.

use serde_json::{Map, Value as Json, json};

use super::asked::{Asked, bytes, some};
use crate::invocation::truth;
use crate::plan::rules::mounts::fields;
use crate::render::{DOCKERENV, DOCKERENV_TARGET, text};

/// A `--volume`: source (none for an anonymous volume), target, options.
fn volume(spec: &str) -> (Option<&str>, &str, &str) {
    match spec.splitn(3, ':').collect::<Vec<_>>()[..] {
        [source, target, options] => (Some(source), target, options),
        [source, target] => (Some(source), target, ""),
        _ => (None, spec, ""),
    }
}

fn same_place(a: &str, b: &str) -> bool {
    a.trim_end_matches('/') == b.trim_end_matches('/')
}

fn podmans(container: &Json) -> impl Iterator<Item = &Json> {
    let mounts = container["Mounts"].as_array().into_iter().flatten();
    mounts.filter(|mount| text(mount, "Destination") != DOCKERENV_TARGET || !text(mount, "Source").ends_with(DOCKERENV))
}

/// `HostConfig.Binds`: what was mounted with a source, as typed, but for sources below the working directory.
pub fn binds(container: &Json, asked: &Asked) -> Json {
    if asked.ours {
        let binds = asked.all("volume").filter(|spec| volume(spec).0.is_some()).map(|spec| {
            let (Some(source), target, options) = volume(spec) else { return spec.into() };
            let mount = podmans(container).find(|m| same_place(text(m, "Destination"), target));
            match mount.filter(|_| source.starts_with('.')) {
                Some(mount) if options.is_empty() => format!("{}:{target}", text(mount, "Source")).into(),
                Some(mount) => format!("{}:{target}:{options}", text(mount, "Source")).into(),
                None => spec.into(),
            }
        });
        return some(binds);
    }
    // Podman adds what it mounted with, and anonymous volumes.
    let binds = container["HostConfig"]["Binds"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let binds = binds.filter(|bind| !is_id(bind.split(':').next().unwrap_or_default())).map(|bind| {
        let (source, target, options) = volume(bind);
        let added = ["rprivate", "rbind", "nosuid", "nodev", "noexec"];
        let options: Vec<&str> = options.split(',').filter(|o| !added.contains(o) && !o.is_empty()).collect();
        let bind = format!("{}:{target}", source.unwrap_or_default());
        if options.is_empty() { bind.into() } else { format!("{bind}:{}", options.join(",")).into() }
    });
    some(binds)
}

fn is_id(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

/// `Config.Volumes`: the anonymous volumes asked for, and the image's.
pub fn volumes(asked: &Asked, image: Option<&Json>) -> Json {
    let mut volumes = Map::new();
    for spec in asked.all("volume").filter(|spec| volume(spec).0.is_none()) {
        volumes.insert(spec.to_string(), json!({}));
    }
    for (target, value) in image.and_then(|i| i["Volumes"].as_object()).into_iter().flatten() {
        volumes.insert(target.clone(), value.clone());
    }
    volumes.sort_keys();
    if volumes.is_empty() { Json::Null } else { volumes.into() }
}

/// The mounts of a container, in the order of their targets; Docker's own order is a different one at each start.
pub fn points(container: &Json, asked: &Asked) -> Json {
    let mut points: Vec<Json> = podmans(container).map(|mount| point(mount, asked)).collect();
    for mount in asked.all("mount").map(Mount::read).filter(|mount| mount.kind == "tmpfs") {
        points.push(json!({"Type": "tmpfs", "Source": "", "Destination": mount.target, "Mode": "", "RW": true, "Propagation": ""}));
    }
    points.sort_by(|a, b| text(a, "Destination").cmp(text(b, "Destination")));
    points.into()
}

fn point(mount: &Json, asked: &Asked) -> Json {
    let target = text(mount, "Destination");
    let kind = text(mount, "Type");
    let spec = asked.all("volume").map(volume).find(|(_, at, _)| same_place(at, target));
    let by_mount = asked.all("mount").map(Mount::read).find(|mount| same_place(&mount.target, target));
    let anonymous = is_id(text(mount, "Name"));
    let mode = match spec {
        Some((Some(_), _, options)) if !options.is_empty() => options,
        // Where no option is given, volumes get a label that containers share.
        Some((Some(_), _, _)) if kind == "volume" => "z",
        None if kind == "volume" && (by_mount.is_some() || !(asked.ours || anonymous)) => "z",
        _ => "",
    };
    let mut point = Map::new();
    point.insert("Type".into(), kind.into());
    if kind == "volume" {
        point.insert("Name".into(), mount["Name"].clone());
    }
    point.insert("Source".into(), mount["Source"].clone());
    point.insert("Destination".into(), target.into());
    if kind == "volume" {
        point.insert("Driver".into(), mount["Driver"].clone());
    }
    point.insert("Mode".into(), mode.into());
    point.insert("RW".into(), mount["RW"].clone());
    point.insert("Propagation".into(), if kind == "bind" { mount["Propagation"].clone() } else { "".into() });
    point.into()
}

/// A `--mount`.
#[derive(Default)]
struct Mount {
    kind: String,
    source: String,
    target: String,
    read_only: bool,
    consistency: String,
    bind: Map<String, Json>,
    volume: Map<String, Json>,
    options: Map<String, Json>,
    tmpfs: Map<String, Json>,
}

impl Mount {
    fn read(record: &str) -> Mount {
        let mut mount = Mount { kind: "volume".into(), ..Mount::default() };
        for field in fields(record) {
            let (key, value) = field.split_once('=').unwrap_or((&field, "true"));
            let on = truth(value.as_ref());
            let mut bind = |name: &str, value: Json| mount.bind.insert(name.into(), value);
            match key.trim().to_lowercase().as_str() {
                "type" => mount.kind = value.to_lowercase(),
                "source" | "src" => mount.source = value.into(),
                "target" | "dst" | "destination" => mount.target = value.into(),
                "readonly" | "ro" => mount.read_only = on,
                "consistency" => mount.consistency = value.to_lowercase(),
                "bind-propagation" => _ = bind("Propagation", value.to_lowercase().into()),
                "bind-nonrecursive" if on => _ = bind("NonRecursive", true.into()),
                "bind-recursive" if value == "disabled" => _ = bind("NonRecursive", true.into()),
                "bind-recursive" if value == "writable" => _ = bind("ReadOnlyNonRecursive", true.into()),
                "bind-create-src" if on => _ = bind("CreateMountpoint", true.into()),
                "tmpfs-size" => _ = mount.tmpfs.insert("SizeBytes".into(), bytes(value).into()),
                "tmpfs-mode" => _ = mount.tmpfs.insert("Mode".into(), u32::from_str_radix(value, 8).ok().into()),
                "volume-nocopy" if on => _ = mount.volume.insert("NoCopy".into(), true.into()),
                "volume-driver" => _ = mount.options.insert("Name".into(), value.into()),
                "volume-opt" => {
                    let (name, value) = value.split_once('=').unwrap_or((value, ""));
                    let options = mount.options.entry("Options").or_insert_with(|| json!({}));
                    options[name] = value.into();
                }
                _ => {}
            }
        }
        if !mount.options.is_empty() {
            mount.volume.insert("DriverConfig".into(), mount.options.clone().into());
        }
        mount
    }

    /// A `mount.Mount`.
    fn json(self) -> Json {
        let mut json = Map::new();
        json.insert("Type".into(), self.kind.into());
        for (name, value) in [("Source", self.source), ("Target", self.target)] {
            if !value.is_empty() {
                json.insert(name.into(), value.into());
            }
        }
        if self.read_only {
            json.insert("ReadOnly".into(), true.into());
        }
        if !self.consistency.is_empty() {
            json.insert("Consistency".into(), self.consistency.into());
        }
        for (name, options) in [("BindOptions", self.bind), ("VolumeOptions", self.volume), ("TmpfsOptions", self.tmpfs)] {
            if !options.is_empty() {
                json.insert(name.into(), options.into());
            }
        }
        json.into()
    }
}

/// `HostConfig.Mounts`; null where there is none. Sources below the working directory are shown by their whole paths.
pub fn mounts(container: &Json, asked: &Asked) -> Json {
    let mount = |record: &str| {
        let mount = Mount::read(record);
        let there = podmans(container).find(|m| mount.kind == "bind" && same_place(text(m, "Destination"), &mount.target));
        match there.filter(|_| mount.source.starts_with('.')) {
            Some(there) => Mount { source: text(there, "Source").into(), ..mount }.json(),
            None => mount.json(),
        }
    };
    some(asked.all("mount").map(mount))
}

/// `HostConfig.Tmpfs`: each with its options as typed.
pub fn tmpfs(container: &Json, asked: &Asked) -> Map<String, Json> {
    if asked.ours {
        let split = |spec: &str| spec.split_once(':').map_or((spec.to_string(), "".into()), |(target, o)| (target.to_string(), o.into()));
        let mut tmpfs: Map<String, Json> = asked.all("tmpfs").map(split).collect();
        tmpfs.sort_keys();
        return tmpfs;
    }
    let podmans = container["HostConfig"]["Tmpfs"].as_object().into_iter().flatten();
    podmans.map(|(target, options)| (target.clone(), options.clone())).collect()
}
