//! `docker ps` (moby `daemon/list.go`, `container/view.go`; docker/cli `cli/command/formatter/container.go`).

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::formatter::{self, ellipsis, joined_labels, truncate_id};
use super::store::{Files, Roots, strings};
use super::template::strconv::quote;
use super::units::{human_duration, human_size_with_precision};
use super::value::{Data, Time, Value};
use super::{Answered, DOCKERENV_TARGET, Desk, View, container_inspect, labels, text};
use crate::plan::rules::references::Reference;
use crate::plan::{Answer, Call};

mod container;
pub mod filter;
pub mod ports;
mod row;

use container::{Container, health};
use filter::Filters;
pub use ports::Port;
pub use row::{HEADINGS, ROW, container_format, empty_row};

/// `docker ps`, of `podman ps --all --format json`: which containers are shown and what of them.
#[derive(Debug)]
pub struct ContainerList {
    pub format: String,
    /// Shortened, as it is without `--no-trunc`.
    pub trunc: bool,
    /// Whether Podman was asked for sizes.
    pub size: bool,
    pub all: bool,
    /// The last so many; 0 for no limit.
    pub limit: usize,
    pub filters: Filters,
    /// `podman container inspect`, for what the list does not say.
    pub inspect: Call,
    /// `podman network ls`, for filters by a network's ID.
    pub networks: Call,
    /// `podman healthcheck run`, where nothing else runs it.
    pub check: Option<Call>,
    pub store: Roots,
    /// Whether containers may have networks that Podman does not name, as rootless ones have.
    pub rootless: bool,
    /// What Docker says on stderr before anything else.
    pub note: &'static str,
}

/// The rows of containers as `podman ps --all --format json` lists and `podman container inspect` inspects them.
pub fn rows<'a>(list: &ContainerList, containers: impl Iterator<Item = (&'a Json, &'a Json)>, desk: &Desk) -> Vec<Data> {
    let (all, details) =
        containers.map(|(listed, json)| (Container::new(listed, desk.now()), (text(json, "Id").into(), json.clone()))).unzip();
    let work = Work { list, desk, files: Files::new(&list.store, desk), details: RefCell::new(details), all };
    work.all.iter().map(|container| work.row(container)).collect()
}

impl View for ContainerList {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let mut list = podman.json()?;
        self.check_health(&mut list, desk);
        let work = Work {
            list: self,
            desk,
            files: Files::new(&self.store, desk),
            details: RefCell::default(),
            // Podman has the oldest first.
            all: list.as_array().into_iter().flatten().rev().map(|json| Container::new(json, desk.now())).collect(),
        };
        let answer = work.chosen().and_then(|chosen| {
            work.learn(&chosen, |c| work.wants_details(c));
            formatter::write(&self.format, HEADINGS, &ROW, chosen.iter().map(|c| work.row(c)))
        });
        let mut answer = match answer {
            Ok(shown) => Answer::printed(shown),
            Err(error) => Answer::failed(error, 1),
        };
        answer.stderr.splice(..0, self.note.bytes());
        Some(answer)
    }
}

impl ContainerList {
    /// Has health checks run that are due, where the answer shows what they find, and puts that into Podman's list.
    fn check_health(&self, list: &mut Json, desk: &Desk) {
        let shown = ["Status", formatter::JSON].iter().any(|shown| self.format.contains(shown)) || self.filters.has("health");
        let Some(check) = self.check.as_ref().filter(|_| shown) else { return };
        let checked = |c: &Json| text(c, "State") == "running" && health(c).is_some();
        let ids: Vec<_> = list.as_array().into_iter().flatten().filter(|c| checked(c)).map(|c| text(c, "Id")).collect();
        let inspect = || desk.ask(&self.inspect, &ids).filter(|_| !ids.is_empty());
        let Some(Json::Array(before)) = inspect() else { return };
        if !container_inspect::health::run_due(before.iter(), check, desk) {
            return;
        }
        let Some(Json::Array(after)) = inspect() else { return };
        for c in list.as_array_mut().into_iter().flatten() {
            let found = after.iter().find(|found| found["Id"] == c["Id"]).map(|found| text(&found["State"]["Health"], "Status"));
            if let Some((now, before)) = found.zip(health(c)) {
                c["Status"] = text(c, "Status").replace(before, now).into();
            }
        }
    }
}

/// A list in the making.
struct Work<'a> {
    list: &'a ContainerList,
    desk: &'a Desk<'a>,
    files: Files<'a>,
    all: Vec<Container<'a>>,
    /// What `podman container inspect` said, by ID.
    details: RefCell<BTreeMap<String, Json>>,
}

impl Work<'_> {
    /// The containers to show, newest first. Errors: in the daemon's words.
    fn chosen(&self) -> Result<Vec<&Container<'_>>, String> {
        let (list, filters) = (self.list, &self.list.filters);
        let (before, since) = (self.named("before")?, self.named("since")?);
        let ids: Vec<&str> = self.all.iter().map(|c| c.id).collect();
        let with_stopped = list.all || list.limit > 0 || filters.has("status");
        let images: Vec<String> = filters.all("ancestor").filter_map(|name| self.files.image(name)).collect();
        let mut passed = before.is_none();
        let mut chosen = Vec::new();
        for c in self.all.iter().filter(|c| filters.take_name_and_id(c.name, c.id, &ids)) {
            if !passed {
                passed = before == Some(c.id);
                continue;
            }
            if since == Some(c.id) {
                break;
            }
            let label = |name: &str| c.json.get("Labels")?.get(name)?.as_str().filter(|_| !name.starts_with(super::OWN_LABELS));
            let takes = (c.running || with_stopped)
                && filters.take_labels(label)
                && filters.take_tasks()
                && filters.take_exit(c.exit_status)
                && filters.take_exactly("status", &[c.state])
                && filters.take_exactly("health", &[c.health])
                && (!filters.has("ancestor") || !self.files.has_index() || images.iter().any(|id| id == text(c.json, "ImageID")));
            if takes {
                chosen.push(c);
            }
        }
        let (by_volume, by_network, by_port) =
            (filters.has("volume"), filters.has("network"), filters.has("publish") || filters.has("expose"));
        if by_volume || by_network || by_port {
            self.learn(&chosen, |c| {
                (by_volume && c.has_mounts()) || (by_network && !c.has_named_networks()) || (by_port && self.ports_need_details(c))
            });
            let networks = if by_network { self.filtered_networks() } else { Vec::new() };
            chosen.retain(|c| {
                let mounts = if by_volume { self.mounts(c) } else { Vec::new() };
                let mounted: Vec<&str> = mounts.iter().flat_map(|m| [&*m.destination, &*m.name]).filter(|m| !m.is_empty()).collect();
                // Every network's ID begins with nothing.
                let connected = || self.networks(c).iter().any(|name| networks.contains(name) || networks.iter().any(String::is_empty));
                filters.take_exactly("volume", &mounted) && (!by_network || connected()) && (!by_port || filters.take_ports(&self.ports(c)))
            });
        }
        if list.limit > 0 {
            chosen.truncate(list.limit);
        }
        Ok(chosen)
    }

    /// The container that `before` or `since` names, by its whole ID or name.
    fn named(&self, key: &str) -> Result<Option<&str>, String> {
        let mut found = None;
        for wanted in self.list.filters.all(key) {
            let name = wanted.strip_prefix('/').unwrap_or(wanted);
            let container =
                self.all.iter().find(|c| c.id == wanted).or_else(|| self.all.iter().find(|c| c.name == name && !name.is_empty()));
            let missing = || format!("Error response from daemon: No such container: {wanted}");
            found = Some(container.ok_or_else(|| missing().trim_end().to_string())?.id);
        }
        Ok(found)
    }

    /// Asks, once, for the details of those containers that need them.
    fn learn(&self, containers: &[&Container], needs: impl Fn(&Container) -> bool) {
        let mut details = self.details.borrow_mut();
        let ids: Vec<&std::ffi::OsStr> =
            containers.iter().filter(|c| !details.contains_key(c.id) && needs(c)).map(|c| c.id.as_ref()).collect();
        if ids.is_empty() {
            return;
        }
        // Podman fails for a container that has gone meanwhile, and still tells of the others.
        let answered = (self.desk.asking)(&self.list.inspect, &ids);
        let objects: Vec<Json> = serde_json::from_slice(&answered.stdout).unwrap_or_default();
        details.extend(objects.into_iter().map(|object| (text(&object, "Id").to_string(), object)));
    }

    /// Whether the row of a container has something that only its details tell.
    fn wants_details(&self, c: &Container) -> bool {
        let format = &self.list.format;
        let shows = |field: &str| format.contains(field) || format.contains(formatter::JSON);
        (shows("Mounts") || shows("LocalVolumes")) && c.has_mounts()
            || shows("Networks") && !c.has_named_networks()
            || shows("Ports") && self.ports_need_details(c)
            || shows("Command") && self.known_command(c).is_none()
    }

    fn detail<T>(&self, c: &Container, read: impl FnOnce(&Json) -> Option<T>) -> Option<T> {
        self.details.borrow().get(c.id).and_then(read)
    }

    /// Names of the networks that a filter means: by name, or by the start of an ID.
    fn filtered_networks(&self) -> Vec<String> {
        let wanted: Vec<&str> = self.list.filters.all("network").collect();
        let mut names: Vec<String> = wanted.iter().map(|name| name.to_string()).collect();
        if wanted.iter().any(|name| name.bytes().all(|b| b.is_ascii_hexdigit())) {
            let known = self.desk.ask(&self.list.networks, &[] as &[&str]).unwrap_or_default();
            let key = |network: &Json, key: &str| network.get(key).or_else(|| network.get(key.to_uppercase())).cloned().unwrap_or_default();
            for network in known.as_array().into_iter().flatten() {
                let id = key(network, "id");
                if wanted.iter().any(|start| id.as_str().is_some_and(|id| id.starts_with(start))) {
                    names.push(network_name(text(network, "name")).to_string());
                }
            }
        }
        names
    }

    /// The container's networks by Docker's names.
    fn networks(&self, c: &Container) -> Vec<String> {
        if c.has_named_networks() {
            let mut names = strings(&c.json["Networks"]);
            names.iter_mut().for_each(|name| *name = network_name(name).to_string());
            names.sort();
            return names;
        }
        let mode = self.detail(c, |d| d.pointer("/HostConfig/NetworkMode")?.as_str().map(str::to_string)).unwrap_or_default();
        match mode.split(':').next().unwrap_or_default() {
            "" | "container" | "ns" => Vec::new(),
            own @ ("host" | "none") => vec![own.to_string()],
            // slirp4netns, pasta, private: how Podman connects rootless containers when nothing else is asked for.
            _ => vec!["bridge".to_string()],
        }
    }

    fn mounts(&self, c: &Container) -> Vec<Mounted> {
        let owned = |json: &Json, key: &str| text(json, key).to_string();
        let mounted = |m: &Json| Mounted {
            name: if text(m, "Name").is_empty() { owned(m, "Source") } else { owned(m, "Name") },
            destination: owned(m, "Destination"),
            local: text(m, "Type") == "volume" && text(m, "Driver") == "local",
        };
        // A tmpfs is none of Docker's mounts when it is made by --tmpfs, as nearly all are.
        let of = |d: &Json| {
            Some(
                d.get("Mounts")?
                    .as_array()?
                    .iter()
                    .filter(|m| text(m, "Type") != "tmpfs" && text(m, "Destination") != DOCKERENV_TARGET)
                    .map(mounted)
                    .collect(),
            )
        };
        self.detail(c, of).unwrap_or_default()
    }

    /// Whether only the details tell which ports are open: Podman 4 does not list those that are only exposed, and rootless networks have no name.
    fn ports_need_details(&self, c: &Container) -> bool {
        let unlisted = c.json.get("ExposedPorts").is_none() && !c.is_ours();
        c.running && (unlisted || (self.list.rootless && !c.has_named_networks() && !self.exposed(c).is_empty()))
    }

    /// The ports of a running container, the exposed ones too.
    fn ports(&self, c: &Container) -> Vec<Port> {
        if !c.running {
            return Vec::new();
        }
        let mut ports: Vec<Port> = Vec::new();
        let number = |json: &Json, key: &str| json.get(key).and_then(Json::as_u64).and_then(|n| u16::try_from(n).ok()).unwrap_or_default();
        for mapping in c.json.get("Ports").and_then(Json::as_array).into_iter().flatten() {
            let both = [Some("0.0.0.0"), has_ipv6(self.desk).then_some("::")];
            let addresses = match text(mapping, "host_ip") {
                "" => both,
                one => [Some(one), None],
            };
            let as_typed = |private: u16, proto: &str| {
                let bindings = c.given.pointer(&format!("/HostConfig/PortBindings/{private}~1{proto}"))?.as_array()?;
                Some(bindings.iter().any(|b| text(b, "HostIp") == "0.0.0.0"))
            };
            for (i, proto) in (0..number(mapping, "range").max(1)).flat_map(|i| text(mapping, "protocol").split(',').map(move |p| (i, p))) {
                let port = |ip: &str| Port {
                    private: number(mapping, "container_port").saturating_add(i),
                    ip: ip.to_string(),
                    public: number(mapping, "host_port").saturating_add(i),
                    proto: proto.to_string(),
                };
                // Podman forgets an address that means all of IPv4.
                let only_v4 = as_typed(port("").private, proto) == Some(true);
                ports.extend(addresses.into_iter().flatten().filter(|ip| !only_v4 || *ip != "::").map(port));
            }
        }
        if self.networks(c).iter().any(|name| !matches!(name.as_str(), "host" | "none")) {
            for (private, proto) in self.exposed(c) {
                if !ports.iter().any(|p| p.private == private && p.proto == proto) {
                    ports.push(Port { private, ip: String::new(), public: 0, proto });
                }
            }
        }
        ports
    }

    /// The exposed ports: by Podman's list, else by what was given and the image's configuration, else by the details.
    fn exposed(&self, c: &Container) -> Vec<(u16, String)> {
        let port = |spec: &String| {
            let (number, proto) = spec.split_once('/').unwrap_or((spec, "tcp"));
            Some((number.parse().ok()?, proto.to_lowercase()))
        };
        let keys =
            |json: Option<&Json>| json.and_then(Json::as_object).into_iter().flatten().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        let mut specs = Vec::new();
        if let Some(listed) = c.json.get("ExposedPorts") {
            for (number, protos) in listed.as_object().into_iter().flatten() {
                specs.extend(strings(protos).into_iter().map(|proto| format!("{number}/{proto}")));
            }
        } else if c.is_ours() {
            specs = keys(c.given.get("ExposedPorts"));
            specs.extend(keys(self.files.image_config(text(c.json, "ImageID")).unwrap_or_default().get("ExposedPorts")));
        } else {
            specs = self.detail(c, |d| Some(keys(d.pointer("/NetworkSettings/Ports")))).unwrap_or_default();
        }
        specs.iter().filter_map(port).collect()
    }

    /// The whole command, the entrypoint included, as far as it is known without asking: what the runtime was told, else for a container
    /// of ours that was never started what was given and the image's configuration.
    fn known_command(&self, c: &Container) -> Option<Vec<String>> {
        if let Some(command) = self.files.command(c.id) {
            return Some(command);
        }
        if !c.is_ours() {
            return None;
        }
        let mut command = match c.given.get("Entrypoint") {
            // An empty one undoes the image's.
            Some(given) => strings(given).into_iter().filter(|word| !word.is_empty()).collect(),
            None => strings(self.files.image_config(text(c.json, "ImageID"))?.get("Entrypoint").unwrap_or(&Json::Null)),
        };
        command.extend(strings(c.json.get("Command").unwrap_or(&Json::Null)));
        Some(command)
    }

    fn command(&self, c: &Container) -> String {
        let asked = || self.detail(c, inspected_command);
        let command = self.known_command(c).or_else(asked).unwrap_or_else(|| strings(c.json.get("Command").unwrap_or(&Json::Null)));
        let quoted = |(i, arg): (usize, &String)| if i > 0 && arg.contains(' ') { format!("'{arg}'") } else { arg.clone() };
        let whole = command.iter().enumerate().map(quoted).collect::<Vec<_>>().join(" ");
        quote(if self.list.trunc { ellipsis(&whole, 20) } else { whole }.as_bytes(), false)
    }

    /// The image as typed, or its ID where the name stands for another image by now or for none (dockerd's `refreshImage`).
    fn image(&self, c: &Container) -> String {
        let id = format!("sha256:{}", text(c.json, "ImageID"));
        let familiar =
            || Reference::parse(text(c.json, "Image").as_ref()).map_or_else(|_| text(c.json, "Image").to_string(), |r| r.familiar());
        let typed = c.given.get("Image").and_then(Json::as_str).map_or_else(familiar, str::to_string);
        let known = self.files.has_index() && !text(c.json, "ImageID").is_empty();
        let stands = || typed == id || self.files.image(&typed).is_some_and(|found| id.ends_with(&found));
        let image = if !known || stands() { typed } else { id.clone() };
        if image.is_empty() {
            return "<no image>".into();
        }
        if !self.list.trunc {
            return image;
        }
        if truncate_id(&image) == truncate_id(&id) {
            return truncate_id(&id).into();
        }
        // Without the digest, and without a tag where none was given.
        match Reference::parse(image.as_ref()) {
            Ok(reference) => {
                let tagged = Reference { digest: None, ..reference };
                let shown = tagged.familiar();
                if tagged.tag.is_some() { shown } else { shown.trim_end_matches(":latest").to_string() }
            }
            Err(_) => image,
        }
    }

    fn row(&self, c: &Container) -> Data {
        let trunc = self.list.trunc;
        let created = c.json.get("Created").and_then(Json::as_i64).unwrap_or_default();
        let labels = labels(c.json, "Labels");
        let format = &self.list.format;
        let shows = |field: &str| format.contains(field) || format.contains(formatter::JSON);
        let text_of = |field: &str, make: &dyn Fn() -> String| if shows(field) { make() } else { String::new() };
        let mounts = || if shows("Mounts") || shows("LocalVolumes") { self.mounts(c) } else { Vec::new() };
        let mount_names =
            || mounts().iter().map(|m| if trunc { ellipsis(&m.name, 15) } else { m.name.clone() }).collect::<Vec<_>>().join(",");
        Data::Ptr(Box::new(Data::Struct(vec![
            (if trunc { truncate_id(c.id) } else { c.id }).into(),
            c.name.into(),
            text_of("Image", &|| self.image(c)).into(),
            text_of("Command", &|| self.command(c)).into(),
            super::value::time_text(&Time::local(created, 0)).into(),
            format!("{} ago", human_duration(self.desk.now() - created as f64)).into(),
            Data::Nil,
            text_of("Ports", &|| ports::displayable(self.ports(c))).into(),
            c.state.into(),
            c.status.as_str().into(),
            self.size(c).into(),
            joined_labels(&labels).into(),
            text_of("Mounts", &mount_names).into(),
            mounts().iter().filter(|m| m.local).count().to_string().into(),
            text_of("Networks", &|| self.networks(c).join(",")).into(),
            Value::strings(labels).data,
        ])))
    }

    fn size(&self, c: &Container) -> String {
        let bytes = |key: &str| c.json.pointer(&format!("/Size/{key}")).and_then(Json::as_f64).filter(|_| self.list.size).unwrap_or(0.0);
        let (own, all) = (human_size_with_precision(bytes("rwSize"), 3), bytes("rootFsSize"));
        if all > 0.0 { format!("{own} (virtual {})", human_size_with_precision(all, 3)) } else { own }
    }
}

/// The command by `podman container inspect`, which repeats a command of one word as its own argument.
fn inspected_command(container: &Json) -> Option<Vec<String>> {
    let path = container.get("Path")?.as_str()?.to_string();
    let args = strings(container.get("Args")?);
    let cmd = strings(container.pointer("/Config/Cmd").unwrap_or(&Json::Null));
    let entrypoint = container.pointer("/Config/Entrypoint").is_some_and(|e| !matches!(e, Json::Null) && e != "");
    let repeated = args == [path.as_str()] && cmd.len() + usize::from(entrypoint) < 2;
    Some(if repeated { vec![path] } else { [vec![path], args].concat() })
}

/// A mount as the rows and filters see it.
struct Mounted {
    name: String,
    destination: String,
    local: bool,
}

/// Podman's default network goes by the name of Docker's.
fn network_name(name: &str) -> &str {
    if name == "podman" { "bridge" } else { name }
}

/// Whether this machine has IPv6, without which Docker publishes to IPv4 only.
pub fn has_ipv6(desk: &Desk) -> bool {
    desk.read("/proc/net/if_inet6".as_ref()).is_some_and(|text| !text.is_empty())
}
