//! `docker port` (docker/cli `cli/command/container/port.go`).

use serde_json::Value as Json;

use super::ps::has_ipv6;
use super::ps::ports::host_port;
use super::{Answered, Desk, View, given, natural, text};
use crate::grammar::go::parse_uint;
use crate::plan::Answer;

/// `docker port`, of `podman container inspect`: all published ports, or where one is published to.
#[derive(Debug)]
pub struct PublishedPorts {
    /// As typed.
    pub container: String,
    pub port: Option<String>,
}

impl View for PublishedPorts {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let Some(containers) = podman.json() else {
            let missing = String::from_utf8_lossy(&podman.stderr).contains("no such ");
            return missing.then(|| Answer::failed(format!("Error response from daemon: No such container: {}", self.container), 1));
        };
        let container = containers.get(0)?;
        let mut lines = Vec::new();
        match self.port.as_deref().filter(|port| !port.is_empty()) {
            Some(wanted) => {
                let (port, proto) = wanted.split_once('/').unwrap_or((wanted, ""));
                if let Err(fault) = parse_uint(port.as_bytes(), 10, 16) {
                    return Some(Answer::failed(format!("Error: invalid port ({port}): {}", fault.of("ParseUint", port.as_bytes())), 1));
                }
                let spec = format!("{port}/{}", if proto.is_empty() { "tcp" } else { proto });
                lines.extend(bindings(container, &spec, desk));
                if lines.is_empty() {
                    return Some(Answer::failed(format!("Error: No public port '{wanted}' published for {}", self.container), 1));
                }
            }
            None => {
                for (spec, _) in container.pointer("/NetworkSettings/Ports").and_then(Json::as_object).into_iter().flatten() {
                    lines.extend(bindings(container, spec, desk).into_iter().map(|to| format!("{spec} -> {to}")));
                }
            }
        }
        lines.sort_by(|a, b| natural(a, b));
        Some(Answer::printed(lines.into_iter().map(|line| line + "\n").collect::<String>()))
    }
}

/// Where a port, `80/tcp`, of a container is published to; nowhere while it does not run.
fn bindings(container: &Json, spec: &str, desk: &Desk) -> Vec<String> {
    if !matches!(container.pointer("/State/Status").and_then(Json::as_str), Some("running" | "paused" | "stopping")) {
        return Vec::new();
    }
    let of = |json: &Json, pointer: &str| json.pointer(pointer)?.get(spec)?.as_array().cloned();
    let given = of(&given(container.pointer("/Config/Labels")), "/HostConfig/PortBindings").unwrap_or_default();
    let only_v4 = given.iter().any(|binding| text(binding, "HostIp") == "0.0.0.0");
    let mut addresses = Vec::new();
    for binding in of(container, "/NetworkSettings/Ports").unwrap_or_default() {
        let port = text(&binding, "HostPort");
        // Podman 4 has no address and 5 that of IPv4 where Docker publishes to both.
        match text(&binding, "HostIp") {
            "" | "0.0.0.0" => {
                addresses.push(host_port("0.0.0.0", port));
                addresses.extend((!only_v4 && has_ipv6(desk)).then(|| host_port("::", port)));
            }
            ip => addresses.push(host_port(ip, port)),
        }
    }
    addresses
}
