//! A container's ports as `docker ps` shows them (docker/cli `cli/command/formatter/container.go`).

/// A port of a running container (`container.Port`); `public` is 0 where it is only exposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    pub private: u16,
    pub ip: String,
    pub public: u16,
    pub proto: String,
}

/// `DisplayablePorts`: ranges are of ports that are the same inside and outside, for each address and protocol.
pub fn displayable(mut ports: Vec<Port>) -> String {
    ports.sort_by(|a, b| (a.private, &a.ip, a.public, &a.proto).cmp(&(b.private, &b.ip, b.public, &b.proto)));
    let mut shown = Vec::new();
    let mut mappings = Vec::new();
    let mut groups: Vec<(&str, &str, u16, u16)> = Vec::new();
    for port in &ports {
        if !port.ip.is_empty() && port.public != port.private {
            mappings.push(format!("{}->{}/{}", host_port(&port.ip, port.public), port.private, port.proto));
            continue;
        }
        match groups.iter_mut().find(|(ip, proto, ..)| *ip == port.ip && *proto == port.proto) {
            None => groups.push((&port.ip, &port.proto, port.private, port.private)),
            Some((.., last)) if port.private == last.saturating_add(1) => *last = port.private,
            Some(group) => {
                shown.push(formed(group));
                *group = (&port.ip, &port.proto, port.private, port.private);
            }
        }
    }
    shown.extend(groups.iter().map(formed));
    shown.append(&mut mappings);
    shown.join(", ")
}

fn formed((ip, proto, first, last): &(&str, &str, u16, u16)) -> String {
    let range = if first == last { first.to_string() } else { format!("{first}-{last}") };
    if ip.is_empty() { format!("{range}/{proto}") } else { format!("{}->{range}/{proto}", host_port(ip, &range)) }
}

/// Go's `net.JoinHostPort`.
pub fn host_port(ip: &str, port: impl std::fmt::Display) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(private: u16, ip: &str, public: u16) -> Port {
        Port { private, ip: ip.into(), public, proto: "tcp".into() }
    }

    #[test]
    fn ranges_and_mappings() {
        let ports = vec![port(81, "0.0.0.0", 81), port(80, "0.0.0.0", 80), port(99, "", 0), port(80, "::", 80), port(81, "::", 81)];
        assert_eq!(displayable(ports), "0.0.0.0:80-81->80-81/tcp, [::]:80-81->80-81/tcp, 99/tcp");
        let ports = vec![port(9, "127.0.0.1", 8000), port(5, "", 0), port(6, "", 0), port(8, "", 0)];
        assert_eq!(displayable(ports), "5-6/tcp, 8/tcp, 127.0.0.1:8000->9/tcp");
        assert_eq!(displayable(vec![]), "");
    }
}
