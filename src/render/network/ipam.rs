//! The subnets of a network (moby `buildIPAMResources`).

use std::net::Ipv4Addr;

use serde_json::{Value as Json, json};

use crate::render::text;

/// `IPAM.Config`: as it was given for each family of addresses, and what Podman chose for the family that was not. Of a network that we did
/// not make, all that Podman says.
pub fn config(podman: &Json, given: &Json) -> Json {
    let is_v6 = |config: &Json| text(config, "Subnet").contains(':');
    let chosen: Vec<Json> = podman.get("subnets").and_then(Json::as_array).into_iter().flatten().map(chosen).collect();
    let given = given.pointer("/IPAM/Config").and_then(Json::as_array);
    let mut config = Vec::new();
    if let Some(given) = given {
        let family = |v6: bool| given.iter().filter(move |c| is_v6(c) == v6).cloned();
        config.extend(family(false).chain(family(true)));
    }
    for v6 in [false, true] {
        let automatic = given.is_none_or(|given| !given.iter().any(|c| is_v6(c) == v6));
        // Beside subnets of one family that were given, Podman's choice for the other has no range.
        config.extend(chosen.iter().filter(|c| automatic && is_v6(c) == v6).cloned());
    }
    if config.is_empty() { Json::Null } else { Json::Array(config) }
}

fn chosen(subnet: &Json) -> Json {
    let mut config = json!({ "Subnet": text(subnet, "subnet") });
    let end = |key: &str| subnet.get("lease_range").map_or("", |range| text(range, key));
    if let Some(range) = range(end("start_ip"), end("end_ip")) {
        config["IPRange"] = range.into();
    }
    if !text(subnet, "gateway").is_empty() {
        config["Gateway"] = text(subnet, "gateway").into();
    }
    config
}

/// The range that Podman keeps by its first and last address, as a prefix; none where it is no prefix. Podman leaves out the network's own
/// address, 4.x counts the last one too.
fn range(start: &str, end: &str) -> Option<String> {
    let (start, end) = (u32::from(start.parse::<Ipv4Addr>().ok()?), u32::from(end.parse::<Ipv4Addr>().ok()?));
    (1..=32u32).find_map(|length| {
        let size = 1u32.checked_shl(32 - length)?;
        let base = start & !(size - 1);
        let last = base + (size - 1);
        let begins = start == base || start == base + 1;
        (begins && (end == last || end + 1 == last)).then(|| format!("{}/{length}", Ipv4Addr::from(base)))
    })
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_as_prefixes() {
        assert_eq!(range("198.51.100.129", "198.51.100.255").as_deref(), Some("198.51.100.128/25"));
        assert_eq!(range("198.51.100.1", "198.51.100.254").as_deref(), Some("198.51.100.0/24"));
        assert_eq!(range("198.51.100.10", "198.51.100.20"), None);
        assert_eq!(range("", ""), None);
    }
}
