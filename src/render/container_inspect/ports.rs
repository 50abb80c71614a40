//! Published ports as Docker's client reads them (go-connections `nat.ParsePortSpecs`).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

/// The bindings of each container port: address and port of the host.
pub type Bindings = BTreeMap<String, Vec<(String, String)>>;

/// `[[ADDRESS:]PORT:]PORT[/PROTOCOL]` of each `--publish`, ranges taken apart. What cannot be read is left out: the engine took it.
pub fn bindings<'a>(specs: impl Iterator<Item = &'a str>) -> Bindings {
    let mut bindings = Bindings::new();
    for spec in specs {
        let spec = &standard(spec);
        let (rest, protocol) = spec.rsplit_once('/').unwrap_or((spec, "tcp"));
        let (rest, container) = rest.rsplit_once(':').unwrap_or(("", rest));
        let (address, host) = rest.rsplit_once(':').unwrap_or(("", rest));
        let address = address.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(address);
        let Some((first, last)) = range(container) else { continue };
        for port in first..=last {
            let host = match range(host) {
                Some((from, to)) if to - from == last - first => (from + (port - first)).to_string(),
                // One port of the container and a range of the host's: one of those.
                _ => host.to_string(),
            };
            let key = format!("{port}/{}", protocol.to_lowercase());
            bindings.entry(key).or_default().push((address.to_string(), host));
        }
    }
    bindings
}

/// The long form, `published=8080,target=80`, in the short one (docker/cli's `convertToStandardNotation`).
fn standard(spec: &str) -> String {
    if !spec.contains('=') {
        return spec.to_string();
    }
    let value = |key: &str| spec.split(',').filter_map(|f| f.split_once('=')).find(|(k, _)| *k == key).map(|(_, v)| v);
    let protocol = value("protocol").unwrap_or("tcp");
    format!("{}:{}/{protocol}", value("published").unwrap_or_default(), value("target").unwrap_or_default())
}

/// The ports of each `--expose`.
pub fn exposed<'a>(specs: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    let mut ports = BTreeSet::new();
    for spec in specs {
        let (ends, protocol) = spec.rsplit_once('/').unwrap_or((spec, "tcp"));
        let Some((first, last)) = range(ends) else { continue };
        ports.extend((first..=last).map(|port| format!("{port}/{}", protocol.to_lowercase())));
    }
    ports
}

fn range(ports: &str) -> Option<(u16, u16)> {
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    Some((first.parse().ok()?, last.parse().ok()?)).filter(|(first, last)| first <= last)
}

/// The bindings as a `nat.PortMap`.
pub fn map(bindings: Bindings) -> Json {
    let binding = |(address, port): (String, String)| json!({"HostIp": address, "HostPort": port});
    bindings.into_iter().map(|(port, list)| (port, list.into_iter().map(binding).collect::<Json>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_specs() {
        let read = |spec: &'static str| map(bindings([spec].into_iter())).to_string();
        assert_eq!(read("80"), r#"{"80/tcp":[{"HostIp":"","HostPort":""}]}"#);
        assert_eq!(read("127.0.0.1::80/udp"), r#"{"80/udp":[{"HostIp":"127.0.0.1","HostPort":""}]}"#);
        assert_eq!(read("[::1]:8080:80"), r#"{"80/tcp":[{"HostIp":"::1","HostPort":"8080"}]}"#);
        assert_eq!(read("8080-8081:80-81"), r#"{"80/tcp":[{"HostIp":"","HostPort":"8080"}],"81/tcp":[{"HostIp":"","HostPort":"8081"}]}"#);
        assert_eq!(read("8080-8090:80"), r#"{"80/tcp":[{"HostIp":"","HostPort":"8080-8090"}]}"#);
        assert_eq!(exposed(["90-91/udp", "x"].into_iter()).into_iter().collect::<Vec<_>>(), ["90/udp", "91/udp"]);
    }
}
