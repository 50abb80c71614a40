//! `NetworkSettings`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::asked::{Asked, some};
use super::ports;
use crate::render::text;

/// Docker's name for a network of Podman's. Without root, Podman's default is not a network but a program.
pub fn docker_name(podman: &str) -> &str {
    match podman {
        "default" | "podman" | "pasta" | "slirp4netns" | "private" => "bridge",
        other => other,
    }
}

/// A `--network`: the name and the options `key=value`, in Docker's form or in Podman's.
fn asked_networks<'a>(asked: &'a Asked) -> impl Iterator<Item = (&'a str, Vec<(&'a str, &'a str)>)> {
    asked.all("network").map(|value| {
        let pairs = |options: &'a str| options.split(',').filter_map(|o| o.split_once('=')).collect::<Vec<_>>();
        let long = pairs(value);
        if let Some((_, name)) = long.iter().find(|(key, _)| *key == "name") {
            return (docker_name(name), long);
        }
        match value.split_once(':') {
            Some((name, options)) if name != "container" && name != "ns" => (docker_name(name), pairs(options)),
            _ => (docker_name(value), Vec::new()),
        }
    })
}

/// `HostConfig.NetworkMode`.
pub fn mode(container: &Json, asked: &Asked) -> String {
    let podmans = text(&container["HostConfig"], "NetworkMode");
    if podmans.starts_with("container:") || matches!(podmans, "host" | "none") {
        return podmans.to_string();
    }
    if let Some((name, _)) = asked_networks(asked).next() {
        return name.to_string();
    }
    let networks = container["NetworkSettings"]["Networks"].as_object().filter(|_| !asked.ours);
    networks.and_then(|n| n.keys().next()).map_or("bridge", |name| docker_name(name)).to_string()
}

/// The networks' IDs by name, where Podman's inspect tells the names only.
pub type Ids = BTreeMap<String, String>;

/// The networks of a container whose ID its inspect does not tell (Podman 4).
pub fn unknown(container: &Json) -> impl Iterator<Item = &str> {
    let networks = container["NetworkSettings"]["Networks"].as_object().into_iter().flatten();
    networks.filter(|(name, n)| n["NetworkID"] == name.as_str() && id_of_predefined(name).is_none()).map(|(name, _)| name.as_str())
}

/// The ID of a network that is always there. Podman has given its own the SHA-256 of the name; the other two are no networks to Podman: the
/// name in hexadecimal.
pub fn id_of_predefined(name: &str) -> Option<String> {
    match name {
        "podman" | "bridge" => Some("2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9".into()),
        "host" | "none" => Some(format!("{:0<64}", name.bytes().map(|b| format!("{b:02x}")).collect::<String>())),
        _ => None,
    }
}

/// `NetworkSettings`, of a container that is `running` or was `started` once.
pub fn settings(container: &Json, asked: &Asked, exposed: &Json, running: bool, started: bool, ids: &Ids) -> Json {
    let podmans = &container["NetworkSettings"];
    let mode = mode(container, asked);
    let networks = networks(container, asked, &mode, running, started, ids);
    let shared = mode.starts_with("container:");
    let own = running && !shared;
    let default = networks.get("bridge").cloned().unwrap_or_default();
    let of_default = |name: &str| default.get(name).cloned().unwrap_or_else(|| if name.ends_with("Len") { 0.into() } else { "".into() });
    let bridged = own && !matches!(mode.as_str(), "host" | "none");
    json!({
        "Bridge": "",
        "SandboxID": if own { container["Id"].clone() } else { "".into() },
        "SandboxKey": match text(podmans, "SandboxKey") {
            _ if !own => String::new(),
            "" => format!("/proc/{}/ns/net", container["State"]["Pid"]),
            key => key.to_string(),
        },
        "Ports": if bridged { ports(&podmans["Ports"], exposed) } else { json!({}) },
        "HairpinMode": false,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "SecondaryIPAddresses": null,
        "SecondaryIPv6Addresses": null,
        "EndpointID": of_default("EndpointID"),
        "Gateway": of_default("Gateway"),
        "GlobalIPv6Address": of_default("GlobalIPv6Address"),
        "GlobalIPv6PrefixLen": of_default("GlobalIPv6PrefixLen"),
        "IPAddress": of_default("IPAddress"),
        "IPPrefixLen": of_default("IPPrefixLen"),
        "IPv6Gateway": of_default("IPv6Gateway"),
        "MacAddress": of_default("MacAddress"),
        "Networks": networks,
    })
}

/// The ports that are published now. Docker lists one that is bound to all addresses once for IPv4 and once for IPv6.
fn ports(podmans: &Json, exposed: &Json) -> Json {
    let mut bindings = ports::Bindings::new();
    for port in exposed.as_object().into_iter().flat_map(|ports| ports.keys()) {
        bindings.entry(port.clone()).or_default();
    }
    for (port, list) in podmans.as_object().into_iter().flatten() {
        let bound = bindings.entry(port.clone()).or_default();
        for binding in list.as_array().into_iter().flatten() {
            let number = text(binding, "HostPort").to_string();
            match text(binding, "HostIp") {
                "" | "0.0.0.0" => bound.extend(["0.0.0.0", "::"].map(|address| (address.to_string(), number.clone()))),
                address => bound.push((address.to_string(), number)),
            }
        }
    }
    let Json::Object(mut map) = ports::map(bindings) else { return json!({}) };
    map.values_mut().filter(|list| list.as_array().is_some_and(Vec::is_empty)).for_each(|list| *list = Json::Null);
    map.into()
}

fn networks(container: &Json, asked: &Asked, mode: &str, running: bool, started: bool, ids: &Ids) -> Map<String, Json> {
    if mode.starts_with("container:") {
        return Map::new();
    }
    let podmans = container["NetworkSettings"]["Networks"].as_object();
    let mut networks: BTreeMap<&str, &Json> = podmans.into_iter().flatten().map(|(name, n)| (docker_name(name), n)).collect();
    if networks.is_empty() {
        // Podman 4 lists neither `host` nor `none`, and none lists what is there without root.
        networks.insert(mode, &container["NetworkSettings"]);
    }
    let endpoint = |(name, podman): (&str, &Json)| (name.to_string(), endpoint(name, podman, container, asked, running, started, ids));
    networks.into_iter().map(endpoint).collect()
}

fn endpoint(name: &str, podman: &Json, container: &Json, asked: &Asked, running: bool, started: bool, ids: &Ids) -> Json {
    let id = text(container, "Id");
    let short = id.get(..12).unwrap_or(id);
    let hostname = text(&container["Config"], "Hostname");
    let predefined = matches!(name, "bridge" | "host" | "none");
    let option = |key: &str, flag: &str| {
        let first = asked_networks(asked).next().is_none_or(|(first, _)| first == name);
        let own = asked_networks(asked).find(|(own, _)| *own == name);
        let own = own.and_then(|(_, options)| options.iter().find(|(k, _)| *k == key).map(|(_, v)| v.to_string()));
        own.or_else(|| asked.last(flag).filter(|_| first).map(str::to_string))
    };
    let addresses = [("IPv4Address", option("ip", "ip")), ("IPv6Address", option("ip6", "ip6"))];
    let ipam: Map<String, Json> = addresses.into_iter().filter_map(|(key, value)| Some((key.to_string(), value?.into()))).collect();
    let wanted: Vec<&str> = asked.all("network-alias").collect();
    let aliases = podman["Aliases"].as_array().into_iter().flatten().filter_map(Json::as_str);
    let aliases: Vec<&str> = aliases.filter(|a| *a != short && (*a != hostname || wanted.contains(a)) && !predefined).collect();
    let mut names = vec![text(container, "Name")];
    for other in aliases.iter().copied().chain([short, hostname]) {
        if !names.contains(&other) {
            names.push(other);
        }
    }
    let network = match text(podman, "NetworkID") {
        _ if !started => String::new(),
        _ if predefined => id_of_predefined(name).unwrap_or_default(),
        given => ids.get(given).map_or(given, String::as_str).to_string(),
    };
    // Podman goes on telling them until it has cleaned up.
    let operational = |key: &str| match if running { &podman[key] } else { &Json::Null } {
        Json::Null if key.ends_with("Len") => 0.into(),
        Json::Null => "".into(),
        other => other.clone(),
    };
    json!({
        "IPAMConfig": if ipam.is_empty() { Json::Null } else { ipam.into() },
        "Links": null,
        "Aliases": some(aliases.iter().map(|a| Json::from(*a))),
        "MacAddress": operational("MacAddress"),
        "DriverOpts": null,
        "GwPriority": 0,
        "NetworkID": network,
        "EndpointID": if running { joined(id, &network) } else { String::new() },
        "Gateway": operational("Gateway"),
        "IPAddress": operational("IPAddress"),
        "IPPrefixLen": operational("IPPrefixLen"),
        "IPv6Gateway": operational("IPv6Gateway"),
        "GlobalIPv6Address": operational("GlobalIPv6Address"),
        "GlobalIPv6PrefixLen": operational("GlobalIPv6PrefixLen"),
        "DNSNames": if predefined || !started { Json::Null } else { names.into() },
    })
}

/// An ID for a container's end in a network, which Podman has none for: of both their IDs, the same each time.
fn joined(container: &str, network: &str) -> String {
    let digit = |c: char| c.to_digit(16).unwrap_or(0);
    container.chars().zip(network.chars()).filter_map(|(a, b)| char::from_digit(digit(a) ^ digit(b), 16)).collect()
}
