//! `--publish` and `--expose`, by docker/cli's and go-connections' rules (`nat.ParsePortSpec`).

use crate::grammar::is_ip;
use crate::invocation::FlagUse;
use crate::plan::{Context, Draft, Refusal, Step};

/// A published port, or a range of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Ports {
    /// The host's address as written, brackets off; empty for all.
    ip: String,
    /// First and last on the host; none where the engine chooses.
    host: Option<(u16, u16)>,
    container: (u16, u16),
    protocol: String,
}

/// The long form in the short one (`convertToStandardNotation`). Errors: docker/cli's words.
pub fn standard(value: &str) -> Result<String, String> {
    if !value.contains('=') {
        return Ok(value.to_string());
    }
    let (mut published, mut target, mut protocol) = ("", "", "tcp");
    for field in value.split(',') {
        match field.split_once('=') {
            Some(("published", v)) => published = v,
            Some(("target", v)) => target = v,
            Some(("protocol", v)) => protocol = v,
            Some((key, _)) if !key.is_empty() => {}
            _ => return Err(format!("invalid publish opts format (should be name=value but got '{field}')")),
        }
    }
    Ok(format!("{published}:{target}/{protocol}"))
}

/// A value of `--publish` in either form. Errors: Docker's words.
pub fn parse(value: &str) -> Result<Ports, String> {
    let value = standard(value)?;
    let parts: Vec<&str> = value.split(':').collect();
    let (ip, host, container) = match parts.as_slice() {
        [ip @ .., host, container] => (ip.join(":"), *host, *container),
        _ => (String::new(), "", value.as_str()),
    };
    // `SplitProtoPort`: what follows a second slash is nobody's.
    let mut halves = container.split('/');
    let (container, protocol) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let ip = match ip.strip_prefix('[') {
        Some(rest) => {
            rest.strip_suffix(']').ok_or_else(|| format!("Invalid ip address {ip}: address {ip}:: missing ']' in address"))?.to_string()
        }
        None => ip,
    };
    if !ip.is_empty() && !is_ip(ip.as_bytes()) {
        return Err(format!("Invalid ip address: {ip}"));
    }
    if container.is_empty() {
        return Err(format!("No port specified: {value}<empty>"));
    }
    let inside = range(container).map_err(|()| format!("Invalid containerPort: {container}"))?;
    let outside = if host.is_empty() { None } else { Some(range(host).map_err(|()| format!("Invalid hostPort: {host}"))?) };
    if outside.is_some_and(|outside| inside.1 - inside.0 != outside.1 - outside.0) && inside.0 != inside.1 {
        return Err(format!("Invalid ranges specified for container and host Ports: {container} and {host}"));
    }
    let lower = if protocol.is_empty() { "tcp".to_string() } else { protocol.to_lowercase() };
    if !matches!(lower.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("Invalid proto: {protocol}"));
    }
    Ok(Ports { ip, host: outside.filter(|outside| *outside != (0, 0)), container: inside, protocol: lower })
}

/// `nat.ParsePortRange`: of `1-2-3` the first two.
fn range(text: &str) -> Result<(u16, u16), ()> {
    let number = |text: &str| if text.starts_with('+') { Err(()) } else { text.parse::<u16>().map_err(drop) };
    let mut ends = text.split('-');
    let first = number(ends.next().unwrap_or_default())?;
    match ends.next() {
        None => Ok((first, first)),
        Some(last) => number(last).and_then(|last| if last < first { Err(()) } else { Ok((first, last)) }),
    }
}

/// Looks at a value of `--expose`. Errors: docker/cli's words.
pub fn expose(value: &str) -> Result<(), String> {
    if value.contains(':') {
        return Err(format!("invalid port format for --expose: {value}"));
    }
    let port = value.split('/').next().unwrap_or(value);
    let why = || match port.split('-').find(|end| end.parse::<u16>().is_err()) {
        _ if port.is_empty() => "empty string specified for ports".to_string(),
        Some(wrong) if !wrong.is_empty() && wrong.bytes().all(|b| b.is_ascii_digit()) => {
            format!("strconv.ParseUint: parsing {wrong:?}: value out of range")
        }
        Some(wrong) => format!("strconv.ParseUint: parsing {wrong:?}: invalid syntax"),
        None => format!("invalid range specified for port: {port}"),
    };
    range(port).map(drop).map_err(|()| format!("invalid range format for --expose: {value}, error: {}", why()))
}

/// `--publish`. Docker's `0:80` is a port of the engine's choice, which Podman spells with no host port at all; of a range
/// for one port Docker takes the first that is free.
pub fn publish(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let value = used.value.to_string_lossy();
    let ports = parse(&value).map_err(|words| context.as_usage(words))?;
    let shown = |(first, last): (u16, u16)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    let host = match ports.host {
        None => String::new(),
        Some((first, last)) if last > first && ports.container.0 == ports.container.1 => {
            let udp = ports.protocol == "udp";
            let local = context.engine.remote.is_none();
            let free = (first..=last).find(|port| !local || context.host.is_port_free(&ports.ip, *port, udp));
            free.unwrap_or(first).to_string()
        }
        Some(range) => shown(range),
    };
    let ip = if ports.ip.contains(':') { format!("[{}]", ports.ip) } else { ports.ip };
    let outside = match (ip.is_empty(), host.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("{host}:"),
        (false, _) => format!("{ip}:{host}:"),
    };
    match super::networks::without_ports(&context.invocation.uses) {
        None => _ = draft.flag("publish", format!("{outside}{}/{}", shown(ports.container), ports.protocol)),
        Some("") => {}
        Some(warning) => draft.prepare(Step::Warn(format!("WARNING: {warning}\n").into_bytes())),
    }
    Ok(())
}

/// Whether something listens on a port that is to be published.
pub fn are_taken(context: &Context) -> bool {
    let taken = |ports: Ports| {
        let fixed = ports.host.filter(|(first, last)| last - first == ports.container.1 - ports.container.0);
        let mut numbers = fixed.into_iter().flat_map(|(first, last)| first..=last);
        numbers.any(|port| !context.host.is_port_free(&ports.ip, port, ports.protocol == "udp"))
    };
    let bound = context.engine.remote.is_none() && super::networks::without_ports(&context.invocation.uses).is_none();
    bound && context.invocation.uses.all("publish").filter_map(|p| parse(&p.to_string_lossy()).ok()).any(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_ports_as_docker() {
        let all = |p: Ports| (p.ip, p.host, p.container, p.protocol);
        let read = |v: &str| parse(v).map(all);
        assert_eq!(read("80"), Ok(("".into(), None, (80, 80), "tcp".into())));
        assert_eq!(read("0:80/UDP"), Ok(("".into(), None, (80, 80), "udp".into())));
        assert_eq!(read("[::1]:8000-8001:80-81"), Ok(("::1".into(), Some((8000, 8001)), (80, 81), "tcp".into())));
        assert_eq!(read("published=8000,target=80,mode=host"), Ok(("".into(), Some((8000, 8000)), (80, 80), "tcp".into())));
        for (wrong, words) in [
            ("", "No port specified: <empty>"),
            ("a", "Invalid containerPort: a"),
            ("a:80", "Invalid hostPort: a"),
            ("80/x/tcp", "Invalid proto: x"),
            ("h:1:2", "Invalid ip address: h"),
            ("1-2:3-5", "Invalid ranges specified for container and host Ports: 3-5 and 1-2"),
            ("target=80,x", "invalid publish opts format (should be name=value but got 'x')"),
        ] {
            assert_eq!(read(wrong), Err(words.to_string()), "{wrong}");
        }
    }
}
