//! The networks of run and create: `--network` in both forms, what belongs to the first of several, and `--link`.

use std::ffi::{OsStr, OsString};

use serde_json::Value;

use super::environment::Variables;
use crate::invocation::Uses;
use crate::plan::rules::look;
use crate::plan::rules::mounts::fields;
use crate::plan::{Context, Draft, Refusal, csv_field};

/// One `--network`.
#[derive(Debug, Default)]
struct Attachment {
    target: String,
    /// Podman's options: `alias=…`, `ip=…`, `mac=…`.
    options: Vec<String>,
    driver_options: bool,
}

impl Attachment {
    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|o| o.split('=').next() == Some(option))
    }
}

/// `opts.NetworkOpt`; the grammar has refused what it does not take.
fn attachment(value: &str) -> Attachment {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if !value.as_bytes().windows(3).any(|w| word(w[0]) && w[1] == b'=' && word(w[2])) {
        return Attachment { target: value.to_string(), ..Attachment::default() };
    }
    let mut attachment = Attachment::default();
    for field in fields(value) {
        let (key, v) = field.split_once('=').unwrap_or((&field, ""));
        let v = v.trim().to_lowercase();
        match key.trim().to_lowercase().as_str() {
            "name" => attachment.target = v,
            "alias" => attachment.options.push(format!("alias={v}")),
            "ip" => attachment.options.push(format!("ip={v}")),
            "ip6" => attachment.options.push(format!("ip6={v}")),
            "mac-address" => attachment.options.push(format!("mac={v}")),
            "gw-priority" if v == "0" => {}
            "gw-priority" | "link-local-ip" | "driver-opt" => attachment.driver_options = true,
            _ => {}
        }
    }
    attachment
}

fn attachments(uses: &Uses) -> Vec<Attachment> {
    uses.iter().filter(|u| matches!(u.flag.long, "network" | "net")).map(|u| attachment(&u.value.to_string_lossy())).collect()
}

fn is_user_defined(target: &str) -> bool {
    !matches!(target, "default" | "bridge" | "host" | "none") && !target.starts_with("container:")
}

/// Where published ports are left out, as Docker leaves them: what its daemon warns of then, which may be nothing.
pub fn without_ports(uses: &Uses) -> Option<&'static str> {
    match attachments(uses).first()?.target.as_str() {
        "host" => Some("Published ports are discarded when using host network mode"),
        "none" => Some(""),
        _ => None,
    }
}

fn aliases(uses: &Uses) -> impl Iterator<Item = &OsStr> {
    uses.iter().filter(|u| matches!(u.flag.long, "network-alias" | "net-alias")).map(|u| u.value.as_os_str())
}

/// What docker/cli refuses (`parseNetworkOpts`), in its words, and then the daemon.
pub fn check(uses: &Uses) -> Result<(), String> {
    let all = attachments(uses);
    let given = |name: &str| uses.text(name).is_some_and(|v| !v.is_empty());
    let first = Attachment { target: "default".into(), ..Attachment::default() };
    if let Some(first) = all.first() {
        for (option, taken, flag, what) in [
            ("alias", aliases(uses).next().is_some(), "--network-alias", "alias"),
            ("ip", given("ip"), "--ip", "IPv4 address"),
            ("ip6", given("ip6"), "--ip6", "IPv6 address"),
            ("mac", given("mac-address"), "--mac-address", "MAC address"),
        ] {
            if first.has(option) && taken {
                return Err(format!("conflicting options: cannot specify both {flag} and per-network {what}"));
            }
        }
    }
    for (at, network) in [&first].into_iter().filter(|_| all.is_empty()).chain(&all).enumerate() {
        if network.target.trim().is_empty() {
            return Err("no name set for network".into());
        }
        let has_alias = network.has("alias") || (at == 0 && aliases(uses).next().is_some());
        if !is_user_defined(&network.target) && has_alias {
            return Err("network-scoped aliases are only supported for user-defined networks".into());
        }
        if all[..at.min(all.len())].iter().any(|earlier| earlier.target == network.target) {
            return Err(format!("network {:?} is specified multiple times", network.target));
        }
    }
    let user_defined = all.iter().filter(|n| is_user_defined(&n.target)).count();
    if user_defined > 0 && user_defined < all.len() {
        return Err("conflicting options: cannot attach both user-defined and non-user-defined network-modes".into());
    }
    Ok(())
}

/// What the daemon refuses about the network that a container shares (moby `runconfig`, `validateNetMode`).
fn check_shared(uses: &Uses, target: &str) -> Result<(), &'static str> {
    let given = |name: &str| uses.given(name);
    if target == "host" || !target.starts_with("container:") {
        return Ok(());
    }
    if given("hostname") {
        return Err("conflicting options: hostname and the network mode");
    }
    if given("link") {
        return Err("conflicting options: container type network can't be used with links. This would result in undefined behavior");
    }
    if given("dns") {
        return Err("conflicting options: dns and the network mode");
    }
    if given("add-host") {
        return Err("conflicting options: custom host-to-IP mapping and the network mode");
    }
    if given("mac-address") {
        return Err("conflicting options: mac-address and the network mode");
    }
    if given("publish") || uses.switch("publish-all") {
        return Err("conflicting options: port publishing and the container type network mode");
    }
    if given("expose") {
        return Err("conflicting options: port exposing and the container type network mode");
    }
    Ok(())
}

/// Podman would start a container whose namespace is to be shared; Docker refuses (moby `daemon/container_operations_unix.go`).
fn joinable(other: &str, what: &str, context: &Context) -> Result<(), Refusal> {
    let runs = look::find(OsStr::new(other), context).is_some_and(|found| found.doing(context.host).is_some());
    if runs {
        return Ok(());
    }
    let words = ["container", "inspect", "--format={{.State.Running}} {{.State.Status}} {{.Name}}", "--", other].map(OsStr::new);
    let answer = context.ask(&words).unwrap_or_default();
    let answer = String::from_utf8_lossy(&answer);
    match answer.split_whitespace().collect::<Vec<_>>()[..] {
        ["false", status, name] if status != "paused" => {
            let words = format!("cannot join {what} namespace of a non running container: container {name} is {status}");
            Err(context.as_docker(format!("Error response from daemon: {words}")))
        }
        _ => Ok(()),
    }
}

/// Hands the networks to podman. What `--ip` and the like say belongs to the first one.
pub fn give(draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    let mut all = attachments(uses);
    if all.iter().any(|n| n.driver_options) {
        return Err(context.refuse("--network: Podman has no driver-opt, gw-priority or link-local-ip for a network; leave them out."));
    }
    let target = all.first().map_or("default", |n| n.target.as_str());
    check_shared(uses, target).map_err(|words| context.as_docker(format!("Error response from daemon: {words}")))?;
    // Who shares a container's network has its host name (moby `daemon/container_operations.go`).
    let shared = target.strip_prefix("container:").filter(|_| !uses.given("uts"));
    let hostname = shared.and_then(|other| look::find(OsStr::new(other), context)?.env("HOSTNAME", context.host));
    if let Some(hostname) = hostname {
        draft.flag("hostname", hostname);
    }
    if context.invocation.command.name() == "run" {
        for (mode, what) in [("network", "network"), ("net", "network"), ("ipc", "IPC"), ("pid", "PID")] {
            if let Some(other) = uses.text(mode).and_then(|mode| mode.to_str()?.strip_prefix("container:")) {
                joinable(other, what, context)?;
            }
        }
    }
    let addresses = uses.text("ip").is_some_and(|v| !v.is_empty()) || uses.text("ip6").is_some_and(|v| !v.is_empty());
    if addresses && !is_user_defined(target) {
        let network = if target == "default" { "bridge" } else { target };
        let words = "* user specified IP address is supported on user defined networks only\n\
                     * user specified IP address is supported only when connecting to networks with user configured subnets";
        let words = format!("Error response from daemon: invalid config for network {network}: invalid endpoint settings:\n{words}");
        return Err(context.as_docker(words));
    }
    let several = all.len() > 1;
    for (flag, option) in [("ip", "ip"), ("ip6", "ip6"), ("mac-address", "mac")] {
        let Some(value) = uses.text(flag).filter(|v| !v.is_empty()) else { continue };
        match all.first_mut().filter(|_| several) {
            Some(first) => first.options.push(format!("{option}={}", value.to_string_lossy())),
            None => _ = draft.flag(flag, value),
        }
    }
    for alias in aliases(uses) {
        match all.first_mut().filter(|_| several) {
            Some(first) => first.options.push(format!("alias={}", alias.to_string_lossy())),
            None => _ = draft.flag("network-alias", csv_field(alias)),
        }
    }
    for network in &all {
        let name = match network.target.as_str() {
            // Podman's own word for the network that is not asked for, also without root.
            "default" | "bridge" if network.options.is_empty() => "bridge",
            "default" | "bridge" => "podman",
            name => name,
        };
        let options = if network.options.is_empty() { String::new() } else { format!(":{}", network.options.join(",")) };
        draft.flag("network", format!("{name}{options}"));
    }
    Ok(())
}

/// `--link CONTAINER[:ALIAS]`: a line in `/etc/hosts`, and on the default network the variables of old (moby
/// `daemon/links`). Both are written when the container is made: unlike Docker's they do not follow a restart of the other.
pub fn links(draft: &mut Draft, variables: &mut Variables, context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    let target = attachments(uses).into_iter().next().map_or_else(|| "default".to_string(), |n| n.target);
    for link in uses.all("link") {
        let text = link.to_string_lossy();
        let (name, alias) = text.split_once(':').unwrap_or((&text, text.rsplit('/').next().unwrap_or(&text)));
        let words = ["container", "inspect", name].map(OsStr::new);
        let answer = context.ask(&words).and_then(|a| serde_json::from_slice::<Value>(&a).ok());
        let Some(other) = answer.as_ref().and_then(|a| a.get(0)) else {
            let words = format!("Error response from daemon: could not get container for {name}: No such container: {name}");
            return Err(context.as_docker(words));
        };
        let settings = &other["NetworkSettings"];
        let podmans = if is_user_defined(&target) { target.as_str() } else { "podman" };
        let address = [&settings["Networks"][podmans]["IPAddress"], &settings["IPAddress"]].into_iter().find_map(|a| a.as_str());
        let Some(address) = address.filter(|a| !a.is_empty()) else {
            let own = uses.text("name").map(OsStr::to_string_lossy).unwrap_or_default();
            let words = format!("Error response from daemon: Cannot link to a non running container: /{name} AS /{own}/{alias}");
            return Err(context.as_docker(words));
        };
        let real = other["Name"].as_str().unwrap_or(name).trim_start_matches('/');
        let mut names = vec![alias, real];
        names.dedup();
        for name in names {
            draft.flag("add-host", format!("{name}:{address}"));
        }
        if !is_user_defined(&target) {
            legacy(variables, other, alias, address, uses);
        }
    }
    Ok(())
}

/// The variables of a link on the default network.
fn legacy(variables: &mut Variables, other: &Value, alias: &str, address: &str, uses: &Uses) {
    let prefix = alias.replace('-', "_").to_uppercase();
    let own = uses.text("name").map(OsStr::to_string_lossy);
    let mut set = |name: String, value: String| variables.set_default(name.into(), OsString::from(value));
    if let Some(own) = own {
        set(format!("{prefix}_NAME"), format!("/{}/{alias}", own.trim_start_matches('/')));
    }
    let ports = other["NetworkSettings"]["Ports"].as_object().or_else(|| other["Config"]["ExposedPorts"].as_object());
    let mut ports: Vec<(u16, &str)> =
        ports.into_iter().flatten().filter_map(|(port, _)| port.split_once('/').and_then(|(n, p)| Some((n.parse().ok()?, p)))).collect();
    ports.sort_unstable();
    for (at, (port, protocol)) in ports.into_iter().enumerate() {
        let url = format!("{protocol}://{address}:{port}");
        if at == 0 {
            set(format!("{prefix}_PORT"), url.clone());
        }
        let one = format!("{prefix}_PORT_{port}_{}", protocol.to_uppercase());
        set(one.clone(), url);
        set(format!("{one}_ADDR"), address.to_string());
        set(format!("{one}_PORT"), port.to_string());
        set(format!("{one}_PROTO"), protocol.to_string());
    }
    for entry in other["Config"]["Env"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let Some((name, value)) = entry.split_once('=') else { continue };
        // What every container has, and what Podman adds of its own.
        if !matches!(name, "HOME" | "PATH" | "HOSTNAME" | "TERM" | "container") {
            set(format!("{prefix}_ENV_{name}"), value.to_string());
        }
    }
}
