//! `docker network create`: what docker/cli and dockerd check before a network is made, and what Podman wants otherwise.

use std::net::IpAddr;

use serde_json::{Map, Value as Json, json};

use crate::grammar;
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Plan, Refusal};
use crate::render::CREATE_LABEL;
use crate::render::network::{NetworkCreated, is_predefined};

/// Makes the network and prints its ID.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let name = context.invocation.args[0].to_string_lossy();
    let daemon = |words: String| Refusal::new(format!("Error response from daemon: {words}"), 1);
    let configs = ipam(context).map_err(|words| Refusal::new(words, 1))?;
    if is_predefined(&name) || name == "default" {
        return Err(daemon(format!("operation is not permitted on predefined {name} network")));
    }
    let wrong: Vec<String> = configs.iter().flat_map(Config::mistakes).collect();
    match wrong.as_slice() {
        [] => {}
        [one] => return Err(daemon(format!("invalid network config:\n{one}"))),
        several => return Err(daemon(format!("invalid network config:\n* {}", several.join("\n* ")))),
    }
    let uses = &context.invocation.uses;
    let driver = uses.text("driver").map_or("bridge".into(), |d| d.to_string_lossy());
    let families = |v6: bool| configs.iter().filter(|c| c.subnet.contains(':') == v6).count();
    if driver == "bridge" && (families(false) > 1 || families(true) > 1) {
        return Err(daemon("bridge driver doesn't support multiple subnets".into()));
    }
    let mut draft = context.call("network create")?;
    draft.translate(context)?;
    addresses(&mut draft, &configs);
    let given = given(context, &configs);
    if !given.is_empty() {
        draft.flag("label", format!("{CREATE_LABEL}={}", Json::Object(given)));
    }
    draft.arg(context.invocation.args[0].clone());
    let mut inspect = context.call("network inspect")?;
    inspect.arg(context.invocation.args[0].clone());
    let (name, driver) = (name.into_owned(), driver.into_owned());
    Ok(draft.show(NetworkCreated { name, driver, inspect: inspect.call() }))
}

/// One subnet with what belongs to it.
#[derive(Debug, Default)]
struct Config {
    subnet: String,
    range: Option<String>,
    gateway: Option<String>,
}

/// `createIPAMConfig` of docker/cli: ranges and gateways belong to the subnet that they lie in. Errors: its words.
fn ipam(context: &Context) -> Result<Vec<Config>, String> {
    let all = |flag: &str| -> Vec<String> {
        let values = context.invocation.uses.all(flag);
        let fields = values.flat_map(|v| grammar::csv_record(std::os::unix::ffi::OsStrExt::as_bytes(v)).unwrap_or_default());
        fields.map(|field| String::from_utf8_lossy(&field).into_owned()).collect()
    };
    let (subnets, ranges, gateways) = (all("subnet"), all("ip-range"), all("gateway"));
    if subnets.len() < ranges.len() || subnets.len() < gateways.len() {
        return Err("every ip-range or gateway must have a corresponding subnet".into());
    }
    let mut configs: Vec<Config> = Vec::new();
    for subnet in subnets {
        for other in &configs {
            if holds(&subnet, &other.subnet)? || holds(&other.subnet, &subnet)? {
                return Err("multiple overlapping subnet configuration is not supported".into());
            }
        }
        configs.push(Config { subnet, ..Config::default() });
    }
    for range in ranges {
        cidr(&range).ok_or_else(|| format!("invalid CIDR address: {range}"))?;
        let config = place(&mut configs, &range)?.ok_or_else(|| format!("no matching subnet for range {range}"))?;
        if let Some(other) = &config.range {
            let subnet = &config.subnet;
            return Err(format!("cannot configure multiple ranges ({range}, {other}) on the same subnet ({subnet})"));
        }
        config.range = Some(range);
    }
    for gateway in gateways {
        let config = place(&mut configs, &gateway)?.ok_or_else(|| format!("no matching subnet for gateway {gateway}"))?;
        if let Some(other) = &config.gateway {
            let subnet = &config.subnet;
            return Err(format!("cannot configure multiple gateways ({gateway}, {other}) for the same subnet ({subnet})"));
        }
        config.gateway = Some(gateway);
    }
    Ok(configs)
}

/// The subnet that an address or range lies in.
fn place<'a>(configs: &'a mut [Config], address: &str) -> Result<Option<&'a mut Config>, String> {
    for config in configs {
        if holds(&config.subnet, address)? {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

/// `subnetMatches`: whether an address, or a range's own address, is of a subnet.
fn holds(subnet: &str, address: &str) -> Result<bool, String> {
    let (net, length) = cidr(subnet).ok_or_else(|| format!("invalid subnet: invalid CIDR address: {subnet}"))?;
    let ip = match address.contains('/') {
        true => Some(cidr(address).ok_or_else(|| format!("invalid CIDR address: {address}"))?.0),
        false => address.parse().ok(),
    };
    Ok(ip.is_some_and(|ip| ip.is_ipv4() == net.is_ipv4() && masked(ip, length) == masked(net, length)))
}

fn cidr(text: &str) -> Option<(IpAddr, u32)> {
    let (ip, length) = text.split_once('/')?;
    let (ip, length): (IpAddr, u32) = (ip.parse().ok()?, length.parse().ok()?);
    (length <= if ip.is_ipv4() { 32 } else { 128 }).then_some((ip, length))
}

fn masked(ip: IpAddr, length: u32) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((u32::from(ip) & u32::MAX.checked_shl(32 - length).unwrap_or(0)).into()),
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & u128::MAX.checked_shl(128 - length).unwrap_or(0)).into()),
    }
}

impl Config {
    /// `ValidateIPAM` of moby's API.
    fn mistakes(&self) -> Vec<String> {
        let subnet = &self.subnet;
        let Some((net, length)) = cidr(subnet) else { return vec![format!("invalid subnet {subnet}: invalid CIDR block notation")] };
        let mut wrong = Vec::new();
        if masked(net, length) != net {
            wrong.push(format!("invalid subnet {subnet}: it should be {}/{length}", masked(net, length)));
        }
        if let Some((range, (ip, bits))) = self.range.as_ref().and_then(|range| Some((range, cidr(range)?))) {
            if bits < length {
                wrong.push(format!("invalid ip-range {range}: CIDR block is bigger than its parent subnet {subnet}"));
            }
            if masked(ip, bits) != ip {
                wrong.push(format!("invalid ip-range {range}: it should be {}/{bits}", masked(ip, bits)));
            }
        }
        wrong
    }

    /// The first address, which both engines take for the gateway.
    fn first_address(&self) -> Option<String> {
        match cidr(&self.subnet)? {
            (IpAddr::V4(net), _) => Some(std::net::Ipv4Addr::from(u32::from(net).checked_add(1)?).to_string()),
            (IpAddr::V6(net), _) => Some(std::net::Ipv6Addr::from(u128::from(net).checked_add(1)?).to_string()),
        }
    }
}

/// Podman's flags belong together by their places: the first gateway to the first subnet. Where a later one has what an earlier one has not,
/// the earlier one is given what it would have anyway.
fn addresses(draft: &mut Draft, configs: &[Config]) {
    let last = |has: &dyn Fn(&Config) -> bool| configs.iter().rposition(has).map_or(0, |at| at + 1);
    let (gateways, ranges) = (last(&|c| c.gateway.is_some()), last(&|c| c.range.is_some()));
    for (i, config) in configs.iter().enumerate() {
        draft.flag("subnet", &config.subnet);
        if let Some(gateway) = config.gateway.clone().or_else(|| config.first_address()).filter(|_| i < gateways) {
            draft.flag("gateway", gateway);
        }
        if i < ranges {
            draft.flag("ip-range", config.range.as_ref().unwrap_or(&config.subnet));
        }
    }
}

/// What Podman cannot tell afterwards.
fn given(context: &Context, configs: &[Config]) -> Map<String, Json> {
    let uses = &context.invocation.uses;
    let mut given = Map::new();
    let subnets: Vec<Json> = configs.iter().map(shown).collect();
    if !subnets.is_empty() {
        given.insert("IPAM".into(), json!({ "Config": subnets }));
    }
    let options: std::collections::BTreeMap<String, String> = uses.all("opt").map(|o| pair(&o.to_string_lossy())).collect();
    if !options.is_empty() {
        given.insert("Options".into(), json!(options));
    }
    if uses.switch("attachable") {
        given.insert("Attachable".into(), true.into());
    }
    given
}

fn shown(config: &Config) -> Json {
    let mut shown = json!({ "Subnet": config.subnet });
    for (key, value) in [("IPRange", &config.range), ("Gateway", &config.gateway)] {
        if let Some(value) = value {
            shown[key] = value.as_str().into();
        }
    }
    shown
}

fn pair(option: &str) -> (String, String) {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    (name.to_string(), value.to_string())
}

/// What `--opt` can say that holds of every network of Podman's.
const ALREADY: [(&str, &[&str]); 3] = [
    ("com.docker.network.bridge.enable_icc", &["true", "1"]),
    ("com.docker.network.bridge.enable_ip_masquerade", &["true", "1"]),
    ("com.docker.network.bridge.host_binding_ipv4", &["0.0.0.0"]),
];
/// Options that Podman itself knows.
const PODMANS: [&str; 8] = ["mtu", "metric", "vlan", "isolate", "no_default_route", "vrf", "parent", "mode"];

/// `--opt`: Podman 4 knows the bridge driver's options only by short names, and none of Podman takes those that it does not know, where
/// Docker's bridge driver keeps any name for nothing.
pub fn option(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let (name, value) = pair(&used.value.to_string_lossy());
    if let Some((_, values)) = ALREADY.iter().find(|(n, _)| *n == name) {
        if values.contains(&value.as_str()) {
            return Ok(());
        }
        return Err(context.refuse(format!("--opt {name}={value}: Podman's networks cannot do this; leave it out.")));
    }
    let driver = context.invocation.uses.text("driver").map_or("bridge".into(), |d| d.to_string_lossy());
    match name.as_str() {
        "com.docker.network.driver.mtu" => draft.flag("opt", format!("mtu={value}")),
        name if driver != "bridge" || name.starts_with("com.docker.network.") || PODMANS.contains(&name) => draft.flag("opt", &used.value),
        _ => draft,
    };
    Ok(())
}

/// `--ipam-driver`: Podman has no name for its own.
pub fn ipam_driver(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    match &*used.value.to_string_lossy() {
        "" | "default" => {}
        "null" => {
            draft.flag("ipam-driver", "none");
        }
        _ => {
            draft.flag("ipam-driver", &used.value);
        }
    }
    Ok(())
}

/// The refusal of an address or alias on the default network, in dockerd's words.
pub fn on_default_network(address: bool, alias: bool) -> Refusal {
    let mut wrong = Vec::new();
    if address {
        wrong.push("user specified IP address is supported on user defined networks only");
        wrong.push("user specified IP address is supported only when connecting to networks with user configured subnets");
    }
    if alias {
        wrong.push("network-scoped alias is supported only for containers in user defined networks");
    }
    let list = if wrong.len() == 1 { wrong[0].to_string() } else { format!("* {}", wrong.join("\n* ")) };
    Refusal::new(format!("Error response from daemon: invalid endpoint settings:\n{list}"), 1)
}
