//! Networks (docker/cli `cli/command/network`, moby `daemon/network.go`). Docker has three of its own: `bridge`, which is Podman's default
//! network, and `host` and `none`, which Podman has no objects for.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::filter::{self, Filters};
use super::formatter::{self, LABEL, joined_labels, truncate_id};
use super::inspect::{Inspector, Object};
use super::value::{BOOL, Data, Field, MAP_OF_STRINGS, STRING, STRINGS, Struct, Time, Type, Value, time_text};
use super::{Answered, Desk, View, given, labels, natural, text};
use crate::plan::{Answer, Call};
use crate::sha256;

mod ipam;

/// Podman's name for the network that Docker calls `bridge`.
pub const PODMANS_DEFAULT: &str = "podman";
/// Networks that the engine makes itself.
const PREDEFINED: [&str; 3] = ["bridge", "host", "none"];

/// Whether Docker makes a network of this name itself.
pub fn is_predefined(name: &str) -> bool {
    PREDEFINED.contains(&name)
}

/// Docker's name of a network of Podman's.
pub fn dockers_name(podman: &str) -> &str {
    if podman == PODMANS_DEFAULT { "bridge" } else { podman }
}

/// `docker network ls`, of `podman network ls --format json`.
#[derive(Debug)]
pub struct NetworkList {
    format: String,
    no_trunc: bool,
    filters: Vec<(String, String)>,
}

impl NetworkList {
    /// `newFormat` of docker/cli.
    pub fn new(format: &str, quiet: bool, no_trunc: bool, filters: Vec<(String, String)>) -> NetworkList {
        let format = match (format, quiet) {
            (formatter::TABLE, true) => "{{.ID}}",
            (formatter::TABLE, false) => "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
            (formatter::RAW, true) => "network_id: {{.ID}}",
            (formatter::RAW, false) => "network_id: {{.ID}}\\nname: {{.Name}}\\ndriver: {{.Driver}}\\nscope: {{.Scope}}\\n",
            (other, _) => other,
        };
        NetworkList { format: format.to_string(), no_trunc, filters }
    }
}

impl View for NetworkList {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        let list = podman.json()?;
        let podmans: Vec<&Json> = list.as_array().into_iter().flatten().collect();
        let mut networks: Vec<Json> = podmans.iter().map(|network| docker(network, Json::Null)).collect();
        let since = podmans.iter().find(|n| text(n, "name") == PODMANS_DEFAULT).map_or("", |n| text(n, "created"));
        networks.extend([builtin("host", since), builtin("none", since)]);
        networks.retain(|network| passes(network, &self.filters));
        networks.sort_by(|a, b| natural(text(a, "Name"), text(b, "Name")));
        Some(match formatter::write(&self.format, HEADINGS, &ROW, networks.iter().map(|network| row(network, self.no_trunc))) {
            Ok(shown) => Answer::printed(shown),
            Err(error) => Answer::failed(error, 1),
        })
    }
}

/// moby `daemon/network/filter.go`. The list does not look at containers there, so what is dangling is what is not predefined.
fn passes(network: &Json, filters: &Filters) -> bool {
    let name = text(network, "Name");
    let one =
        |key: &str, is: &dyn Fn(&str) -> bool| !filters.iter().any(|(k, _)| k == key) || filters.iter().any(|(k, v)| k == key && is(v));
    filter::exact(filters, "driver", text(network, "Driver"))
        && filter::matching(filters, "name", name)
        && filter::matching(filters, "id", text(network, "Id"))
        && filter::labelled(filters, "label", &labels(network, "Labels"))
        && filter::exact(filters, "scope", text(network, "Scope"))
        && one("dangling", &|value| matches!(value, "1" | "true") != is_predefined(name))
        && one("type", &|value| (value == "builtin") == is_predefined(name))
}

const HEADINGS: &[(&str, &str)] = &[
    ("ID", "NETWORK ID"),
    ("Name", "NAME"),
    ("Driver", "DRIVER"),
    ("Scope", "SCOPE"),
    ("IPv4", "IPV4"),
    ("IPv6", "IPV6"),
    ("Internal", "INTERNAL"),
    ("Labels", "LABELS"),
    ("CreatedAt", "CREATED AT"),
];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "network.networkContext",
    &[
        Field::new("ID", "", &STRING),
        Field::new("Name", "", &STRING),
        Field::new("Driver", "", &STRING),
        Field::new("Scope", "", &STRING),
        Field::new("IPv4", "", &STRING),
        Field::new("IPv6", "", &STRING),
        Field::new("Internal", "", &STRING),
        Field::new("Labels", "", &STRING),
        Field::new("CreatedAt", "", &STRING),
        Field::new("labels", "-", &MAP_OF_STRINGS),
    ],
    &[LABEL],
)));

fn row(network: &Json, no_trunc: bool) -> Data {
    let id = text(network, "Id");
    let truth = |key: &str| Data::from(network[key].as_bool().unwrap_or_default().to_string());
    let labels = labels(network, "Labels");
    Data::Ptr(Box::new(Data::Struct(vec![
        if no_trunc { id } else { truncate_id(id) }.into(),
        text(network, "Name").into(),
        text(network, "Driver").into(),
        text(network, "Scope").into(),
        truth("EnableIPv4"),
        truth("EnableIPv6"),
        truth("Internal"),
        joined_labels(&labels).into(),
        time_text(&Time::parse(text(network, "Created")).unwrap_or(Time::ZERO)).into(),
        Value::strings(labels).data,
    ])))
}

/// A network as dockerd would send it, of what `podman network inspect` says of it. The containers are those that Podman 5 names there;
/// an older one's have to be given, as Docker's `Containers`.
fn object(podman: &Json, containers: Option<Json>) -> Option<Object> {
    podman.get("id")?;
    let containers = containers.unwrap_or_else(|| containers_of(podman));
    Some(Object { typ: &INSPECT, json: docker(podman, containers) })
}

/// `host` or `none`, since when the engine runs, and the containers on it.
pub fn builtin_object(name: &str, since: &str, containers: Json) -> Object {
    let mut json = builtin(name, since);
    json["Containers"] = containers;
    Object { typ: &INSPECT, json }
}

fn docker(podman: &Json, containers: Json) -> Json {
    let name = dockers_name(text(podman, "name"));
    let default = is_predefined(name);
    let driver = text(podman, "driver");
    let given = given(podman.get("labels"));
    let truth = |key: &str| podman.get(key).and_then(Json::as_bool).unwrap_or_default();
    json!({
        "Name": name,
        "Id": text(podman, "id"),
        "Created": text(podman, "created"),
        "Scope": "local",
        "Driver": driver,
        "EnableIPv4": true,
        "EnableIPv6": truth("ipv6_enabled"),
        "IPAM": {
            "Driver": match podman.pointer("/ipam_options/driver").and_then(Json::as_str) {
                None | Some("" | "host-local") => "default",
                Some(other) => other,
            },
            "Options": if default { Json::Null } else { json!({}) },
            "Config": ipam::config(podman, &given),
        },
        "Internal": truth("internal"),
        "Attachable": given.get("Attachable").and_then(Json::as_bool).unwrap_or_default(),
        "Ingress": false,
        "ConfigFrom": { "Network": "" },
        "ConfigOnly": false,
        "Containers": containers,
        "Options": if default { default_options(podman) } else { options(podman, &given) },
        "Labels": labels(podman, "labels"),
    })
}

fn builtin(name: &str, since: &str) -> Json {
    json!({
        "Name": name,
        "Id": sha256::hex(name.as_bytes()),
        "Created": if since.is_empty() { "0001-01-01T00:00:00Z" } else { since },
        "Scope": "local",
        "Driver": if name == "none" { "null" } else { name },
        "EnableIPv4": true,
        "EnableIPv6": false,
        "IPAM": { "Driver": "default", "Options": null, "Config": null },
        "Internal": false,
        "Attachable": false,
        "Ingress": false,
        "ConfigFrom": { "Network": "" },
        "ConfigOnly": false,
        "Containers": {},
        "Options": {},
        "Labels": {},
    })
}

/// What holds of Podman's default network, in the options that dockerd gives its own.
fn default_options(podman: &Json) -> Json {
    json!({
        "com.docker.network.bridge.default_bridge": "true",
        "com.docker.network.bridge.enable_icc": "true",
        "com.docker.network.bridge.enable_ip_masquerade": "true",
        "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0",
        "com.docker.network.bridge.name": text(podman, "network_interface"),
        "com.docker.network.driver.mtu": podman.pointer("/options/mtu").and_then(Json::as_str).unwrap_or("1500"),
    })
}

/// The options as they were given; else Podman's, under Docker's names where it has some.
fn options(podman: &Json, given: &Json) -> Json {
    if let Some(options) = given.get("Options") {
        return options.clone();
    }
    let mut options = BTreeMap::new();
    for (name, value) in podman.get("options").and_then(Json::as_object).into_iter().flatten() {
        let name = if name == "mtu" { "com.docker.network.driver.mtu" } else { name };
        options.insert(name.to_string(), value.as_str().unwrap_or_default().to_string());
    }
    if matches!(text(podman, "driver"), "macvlan" | "ipvlan") && !text(podman, "network_interface").is_empty() {
        options.entry("parent".to_string()).or_insert_with(|| text(podman, "network_interface").to_string());
    }
    json!(options)
}

/// An ID for a container's place on a network: Podman has none, and callers only tell them apart by it.
pub fn endpoint_id(network: &str, container: &str) -> String {
    sha256::hex(format!("{network}/{container}").as_bytes())
}

/// The containers of a network, where Podman itself lists them (5.x).
fn containers_of(podman: &Json) -> Json {
    let mut containers = BTreeMap::new();
    for (id, container) in podman.get("containers").and_then(Json::as_object).into_iter().flatten() {
        let interfaces = || container.get("interfaces").and_then(Json::as_object).into_iter().flatten().map(|(_, i)| i);
        let addresses = interfaces().flat_map(|i| i["subnets"].as_array().into_iter().flatten()).map(|subnet| text(subnet, "ipnet"));
        let (v6, v4): (Vec<&str>, Vec<&str>) = addresses.partition(|address| address.contains(':'));
        let first = |list: &[&str]| list.first().copied().unwrap_or_default().to_string();
        let mac = interfaces().next().map_or("", |i| text(i, "mac_address"));
        containers.insert(id.clone(), endpoint(text(podman, "id"), id, text(container, "name"), mac, &first(&v4), &first(&v6)));
    }
    json!(containers)
}

fn endpoint(network: &str, id: &str, name: &str, mac: &str, v4: &str, v6: &str) -> Json {
    json!({ "Name": name, "EndpointID": endpoint_id(network, id), "MacAddress": mac, "IPv4Address": v4, "IPv6Address": v6 })
}

/// The containers of a network (Podman's name and ID of it), of what `podman inspect` says of all running containers.
fn containers_among(inspected: &[Json], network: &str, network_id: &str) -> Json {
    let mut containers = BTreeMap::new();
    for container in inspected {
        let (id, name) = (text(container, "Id"), text(container, "Name"));
        let mode = container.pointer("/HostConfig/NetworkMode").and_then(Json::as_str).unwrap_or_default();
        let settings = container.pointer("/NetworkSettings/Networks").and_then(|networks| networks.get(network));
        let shown = match settings {
            _ if matches!(network, "host" | "none") && mode == network => endpoint(network_id, id, name, "", "", ""),
            Some(settings) => {
                let address = |address: &str, length: &str| match text(settings, address) {
                    "" => String::new(),
                    ip => format!("{ip}/{}", settings[length].as_u64().unwrap_or_default()),
                };
                let (v4, v6) = (address("IPAddress", "IPPrefixLen"), address("GlobalIPv6Address", "GlobalIPv6PrefixLen"));
                endpoint(network_id, id, name, text(settings, "MacAddress"), &v4, &v6)
            }
            None => continue,
        };
        containers.insert(id.to_string(), shown);
    }
    json!(containers)
}

/// `docker network inspect`, of `podman network inspect`.
#[derive(Debug)]
pub struct NetworkInspect {
    pub inspector: Inspector,
    /// As the caller gave them.
    pub names: Vec<String>,
    /// Names the running containers.
    pub running: Call,
    /// Inspects those that are named.
    pub containers: Call,
}

impl View for NetworkInspect {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        // Podman prints what it has found before it fails for the rest.
        let found: Json = serde_json::from_slice(&podman.stdout).ok()?;
        let found = found.as_array()?;
        let stderr = String::from_utf8_lossy(&podman.stderr);
        if podman.status != 0 && !stderr.contains("network not found") {
            return None;
        }
        let running = OnceCell::new();
        let one = |name: &String| {
            let object = self.object(name, found, &running, desk);
            object.ok_or_else(|| format!("Error response from daemon: network {name} not found"))
        };
        Some(self.inspector.show(self.names.iter().map(one).collect()))
    }
}

impl NetworkInspect {
    /// The network of a name, among those that Podman found; `running` keeps what it says of the running containers, where it is asked.
    pub fn object(&self, name: &str, found: &[Json], running: &OnceCell<Vec<Json>>, desk: &Desk) -> Option<Object> {
        let with_containers = self.inspector.shows("Containers");
        let running = || running.get_or_init(|| self.running(desk));
        if let Some(builtin) = ["host", "none"].into_iter().find(|b| name == *b || is_id(name, &sha256::hex(b.as_bytes()))) {
            let id = sha256::hex(builtin.as_bytes());
            let containers = if with_containers { containers_among(running(), builtin, &id) } else { json!({}) };
            // The default network is there since the engine is.
            let since = found.iter().find(|n| text(n, "name") == PODMANS_DEFAULT).map_or("", |n| text(n, "created"));
            return Some(builtin_object(builtin, since, containers));
        }
        let network = found.iter().find(|n| dockers_name(text(n, "name")) == name || is_id(name, text(n, "id")))?;
        let older = network.get("containers").is_none();
        let containers = (with_containers && older).then(|| containers_among(running(), text(network, "name"), text(network, "id")));
        object(network, containers)
    }

    fn running(&self, desk: &Desk) -> Vec<Json> {
        let listed = (desk.asking)(&self.running, &[]);
        let ids = String::from_utf8_lossy(&listed.stdout).into_owned();
        let ids: Vec<&str> = ids.lines().collect();
        if ids.is_empty() {
            return Vec::new();
        }
        // One that has gone in the meantime is no error here: Podman prints the others.
        let answered = (desk.asking)(&self.containers, &ids.iter().map(std::ffi::OsStr::new).collect::<Vec<_>>());
        match serde_json::from_slice(&answered.stdout) {
            Ok(Json::Array(list)) => list,
            _ => Vec::new(),
        }
    }
}

/// Whether the typed word begins the ID.
fn is_id(typed: &str, id: &str) -> bool {
    !typed.is_empty() && id.starts_with(typed)
}

/// Prints the ID of the network that was made, as `docker network create` does where Podman prints the name.
#[derive(Debug)]
pub struct NetworkCreated {
    pub name: String,
    pub driver: String,
    /// Asks for the network.
    pub inspect: Call,
}

impl View for NetworkCreated {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        if podman.status != 0 {
            let said = String::from_utf8_lossy(&podman.stderr);
            let words = match () {
                () if said.contains("network already exists") => format!("network with name {} already exists", self.name),
                () if said.contains("is already used on the host or by another config") => {
                    "invalid pool request: Pool overlaps with other one on this address space".into()
                }
                () if ["unsupported driver", "failed to find driver or plugin"].iter().any(|words| said.contains(words)) => {
                    format!("plugin {:?} not found", self.driver)
                }
                () => return None,
            };
            return Some(Answer::failed(format!("Error response from daemon: {words}"), 1));
        }
        let networks = desk.ask(&self.inspect, &[""; 0])?;
        Some(Answer::printed(format!("{}\n", networks.get(0)?.get("id")?.as_str()?)))
    }
}

/// The names of what keeps a network from being removed, of `podman ps --format json`.
pub fn users(containers: &Json, network: &str) -> Vec<(String, String)> {
    let on = |container: &&Json| container["Networks"].as_array().into_iter().flatten().any(|n| n == network);
    let name = |container: &Json| container.pointer("/Names/0").and_then(Json::as_str).unwrap_or_default().to_string();
    containers.as_array().into_iter().flatten().filter(on).map(|c| (name(c), text(c, "Id").to_string())).collect()
}

static IPAM_CONFIG: Type = Type::Struct(&Struct::new(
    "network.IPAMConfig",
    &[
        Field::new("Subnet", "Subnet", &STRING).omitempty(),
        Field::new("IPRange", "IPRange", &STRING).omitempty(),
        Field::new("Gateway", "Gateway", &STRING).omitempty(),
        Field::new("AuxAddress", "AuxiliaryAddresses", &MAP_OF_STRINGS).omitempty(),
    ],
));
static IPAM: Type = Type::Struct(&Struct::new(
    "network.IPAM",
    &[
        Field::new("Driver", "Driver", &STRING),
        Field::new("Options", "Options", &MAP_OF_STRINGS),
        Field::new("Config", "Config", &Type::List(&IPAM_CONFIG)),
    ],
));
static CONFIG_REFERENCE: Type = Type::Struct(&Struct::new("network.ConfigReference", &[Field::new("Network", "Network", &STRING)]));
static ENDPOINT_RESOURCE: Type = Type::Struct(&Struct::new(
    "network.EndpointResource",
    &[
        Field::new("Name", "Name", &STRING),
        Field::new("EndpointID", "EndpointID", &STRING),
        Field::new("MacAddress", "MacAddress", &STRING),
        Field::new("IPv4Address", "IPv4Address", &STRING),
        Field::new("IPv6Address", "IPv6Address", &STRING),
    ],
));
static PEER_INFO: Type =
    Type::Struct(&Struct::new("network.PeerInfo", &[Field::new("Name", "Name", &STRING), Field::new("IP", "IP", &STRING)]));
static TASK: Type = Type::Struct(&Struct::new(
    "network.Task",
    &[
        Field::new("Name", "Name", &STRING),
        Field::new("EndpointID", "EndpointID", &STRING),
        Field::new("EndpointIP", "EndpointIP", &STRING),
        Field::new("Info", "Info", &MAP_OF_STRINGS),
    ],
));
static SERVICE_INFO: Type = Type::Struct(&Struct::new(
    "network.ServiceInfo",
    &[
        Field::new("VIP", "VIP", &STRING),
        Field::new("Ports", "Ports", &STRINGS),
        Field::new("LocalLBIndex", "LocalLBIndex", &super::value::INT),
        Field::new("Tasks", "Tasks", &Type::List(&TASK)),
    ],
));

/// `network.Inspect` of moby's API.
pub static INSPECT: Type = Type::Struct(&Struct::new(
    "network.Inspect",
    &[
        Field::new("Name", "Name", &STRING),
        Field::new("ID", "Id", &STRING),
        Field::new("Created", "Created", &Type::Time),
        Field::new("Scope", "Scope", &STRING),
        Field::new("Driver", "Driver", &STRING),
        Field::new("EnableIPv4", "EnableIPv4", &BOOL),
        Field::new("EnableIPv6", "EnableIPv6", &BOOL),
        Field::new("IPAM", "IPAM", &IPAM),
        Field::new("Internal", "Internal", &BOOL),
        Field::new("Attachable", "Attachable", &BOOL),
        Field::new("Ingress", "Ingress", &BOOL),
        Field::new("ConfigFrom", "ConfigFrom", &CONFIG_REFERENCE),
        Field::new("ConfigOnly", "ConfigOnly", &BOOL),
        Field::new("Containers", "Containers", &Type::Map(&STRING, &ENDPOINT_RESOURCE)),
        Field::new("Options", "Options", &MAP_OF_STRINGS),
        Field::new("Labels", "Labels", &MAP_OF_STRINGS),
        Field::new("Peers", "Peers", &Type::List(&PEER_INFO)).omitempty(),
        Field::new("Services", "Services", &Type::Map(&STRING, &SERVICE_INFO)).omitempty(),
    ],
));
