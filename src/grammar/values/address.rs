//! Addresses: IP and CIDR as Go's `net` and `net/netip` read them, `host:port`, the listening address of a swarm,
//! `--add-host`, `--dns-search`.

use super::super::go::{NumberFault, cut, find, lossy, parse_int, quote, trim_space};
use super::{Check, csv};

/// An address that `netip.ParseAddr` took.
struct Address {
    v4: bool,
    zone: bool,
}

/// `net.ParseIP`: no zone.
pub fn is_ip(text: &[u8]) -> bool {
    address(text).is_ok_and(|address| !address.zone)
}

/// `net.ParseCIDR`.
fn is_cidr(text: &[u8]) -> bool {
    let (ip, Some(prefix)) = cut(text, b'/') else { return false };
    let Ok(ip) = address(ip) else { return false };
    let digits = !prefix.is_empty() && prefix.iter().all(u8::is_ascii_digit);
    let length = prefix.iter().fold(0u32, |n, c| (n * 10 + u32::from(c.wrapping_sub(b'0'))).min(1000));
    !ip.zone && digits && length <= if ip.v4 { 32 } else { 128 }
}

/// pflag `ipNetSlice`.
pub fn ip_net_slice(value: &[u8]) -> Check {
    match unquoted_items(value).into_iter().find(|item| !is_cidr(trim_space(item))) {
        Some(item) => Err(format!("invalid string being converted to CIDR: {}", lossy(&item))),
        None => Ok(()),
    }
}

/// The items of a list whose quotes pflag throws away first; then CSV can only find nothing at all, which is no error.
fn unquoted_items(value: &[u8]) -> Vec<Vec<u8>> {
    let plain: Vec<u8> = value.iter().copied().filter(|c| !matches!(c, b'"' | b'\'' | b'`')).collect();
    csv::record(&plain).unwrap_or_default()
}

/// `opts.ValidateIPAddress`.
pub fn ip_address(value: &[u8]) -> Check {
    if is_ip(trim_space(value)) { Ok(()) } else { Err(format!("IP address is not correctly formatted: {}", lossy(value))) }
}

/// `opts.ValidateExtraHost`: `name:ip`, `name=ip`, the address perhaps in brackets, or `host-gateway`.
pub fn extra_host(value: &[u8]) -> Check {
    let (name, ip) = match cut(value, b'=') {
        (_, None) => cut(value, b':'),
        pair => pair,
    };
    let ip = ip.filter(|_| !name.is_empty() && !name.contains(&b':'));
    let ip = ip.ok_or_else(|| format!("bad format for add-host: {}", quote(value)))?;
    let ip = match ip {
        b"host-gateway" => return Ok(()),
        [b'[', inner @ .., b']'] if !inner.is_empty() => inner,
        _ => ip,
    };
    ip_address(ip).map_err(|_| format!("invalid IP address in add-host: {}", quote(ip)))
}

/// `opts.ValidateDNSSearch`: a dot, or a domain. Docker's pattern lets a stray colon stand before a label or a dot (its
/// `(:?` was meant to be `(?:`), and white space at the end.
pub fn dns_search(value: &[u8]) -> Check {
    let start = value.iter().position(|&c| c != b' ').unwrap_or(value.len());
    let end = value.iter().rposition(|&c| c != b' ').map_or(start, |last| last + 1);
    let domain = &value[start..end];
    let accepted = domain == b"." || domain.iter().any(u8::is_ascii_alphabetic) && domain_end(domain).is_some_and(|end| end < 255);
    if accepted { Ok(()) } else { Err(format!("{} is not a valid domain", lossy(domain))) }
}

/// Where the labels of a whole valid domain end.
fn domain_end(text: &[u8]) -> Option<usize> {
    let colons = |at: usize, most: usize| text[at..].iter().take(most).take_while(|&&c| c == b':').count();
    let label = |at: usize| {
        let width = text[at..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'-').count();
        let sound = width > 0 && text[at] != b'-' && text[at + width - 1] != b'-';
        sound.then_some(at + width)
    };
    // Two groups open before the first label, each with its stray colon.
    let mut end = label(colons(0, 2))?;
    loop {
        let dot = end + colons(end, 1);
        if text.get(dot) != Some(&b'.') {
            break;
        }
        match label(dot + 1 + colons(dot + 1, 1)) {
            Some(next) => end = next,
            None => break,
        }
    }
    let tail = &text[end..];
    let tail = tail.strip_prefix(b".").unwrap_or(tail);
    tail.iter().all(|c| matches!(c, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')).then_some(end)
}

/// `net.SplitHostPort`: host and port.
pub fn split_host_port(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let fault = |what: &str| Err(format!("address {}: {what}", lossy(text)));
    let Some(colon) = text.iter().rposition(|&c| c == b':') else { return fault("missing port in address") };
    let (host, before, behind) = if text[0] == b'[' {
        let Some(close) = text.iter().position(|&c| c == b']') else { return fault("missing ']' in address") };
        if close + 1 != colon {
            return fault(if text.get(close + 1) == Some(&b':') { "too many colons in address" } else { "missing port in address" });
        }
        (&text[1..close], &text[1..], &text[close + 1..])
    } else {
        (&text[..colon], text, text)
    };
    if text[0] != b'[' && host.contains(&b':') {
        return fault("too many colons in address");
    }
    if before.contains(&b'[') {
        return fault("unexpected '[' in address");
    }
    if behind.contains(&b']') {
        return fault("unexpected ']' in address");
    }
    Ok((host, &text[colon + 1..]))
}

/// `swarm.NodeAddrOption`, which is `opts.ParseTCPAddr` with 0.0.0.0:2377 as the default.
pub fn node_addr(value: &[u8]) -> Check {
    const PORT: &[u8] = b"2377";
    if value.is_empty() || value == b"tcp://" {
        return Ok(());
    }
    let address = value.strip_prefix(b"tcp://").unwrap_or(value);
    if address.is_empty() || find(address, b"://").is_some() {
        return Err(format!("invalid proto, expected tcp: {}", lossy(value)));
    }
    let port = if address.ends_with(b"]:") { PORT } else { b"" };
    let host = url_host(&[b"tcp://", address, port].concat())?;
    let joined = if host.contains(&b':') { [b"[", host.as_slice(), b"]:", PORT].concat() } else { [host.as_slice(), b":", PORT].concat() };
    let (_, port) = split_host_port(&host)
        .or_else(|_| split_host_port(&joined))
        .map_err(|_| format!("invalid bind address format: {}", lossy(value)))?;
    match parse_int(port, 10, 64) {
        Err(NumberFault::Syntax) if !port.is_empty() => Err(format!("invalid bind address format: {}", lossy(value))),
        _ => Ok(()),
    }
}

/// What `url.Parse` of `tcp://…` finds as host and port, or its error.
fn url_host(url: &[u8]) -> Result<Vec<u8>, String> {
    let (body, fragment) = cut(url, b'#');
    let host = url_body_host(body).map_err(|what| format!("parse {}: {what}", quote(body)))?;
    unescape(fragment.unwrap_or_default(), Part::Other).map_err(|what| format!("parse {}: {what}", quote(url)))?;
    Ok(host)
}

fn url_body_host(body: &[u8]) -> Result<Vec<u8>, String> {
    if body.iter().any(u8::is_ascii_control) {
        return Err("net/url: invalid control character in URL".into());
    }
    let (rest, _) = cut(body, b'?');
    let rest = rest.strip_prefix(b"tcp://").unwrap_or(rest);
    let slash = rest.iter().position(|&c| c == b'/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    let at = authority.iter().rposition(|&c| c == b'@');
    let host = host(at.map_or(authority, |at| &authority[at + 1..]))?;
    if let Some(at) = at {
        let user = &authority[..at];
        if !user.iter().all(|c| c.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(c)) {
            return Err("net/url: invalid userinfo".into());
        }
        let (name, password) = cut(user, b':');
        unescape(name, Part::Other)?;
        unescape(password.unwrap_or_default(), Part::Other)?;
    }
    unescape(path, Part::Other)?;
    Ok(host)
}

/// A host with its port, percent signs resolved. What is in brackets has to be an IPv6 address.
fn host(text: &[u8]) -> Result<Vec<u8>, String> {
    let Some(open) = text.iter().rposition(|&c| c == b'[') else {
        if let Some(colon) = text.iter().rposition(|&c| c == b':') {
            check_port(&text[colon..])?;
        }
        return unescape(text, Part::Host);
    };
    if open > 0 {
        return Err("invalid IP-literal".into());
    }
    let close = text.iter().rposition(|&c| c == b']').ok_or("missing ']' in host")?;
    let (name, port) = (&text[1..close.max(1)], &text[close + 1..]);
    check_port(port)?;
    let port = unescape(port, Part::Host)?;
    let name = match find(name, b"%25") {
        Some(zone) => [unescape(&name[..zone], Part::Host)?, unescape(&name[zone..], Part::Zone)?].concat(),
        None => unescape(name, Part::Host)?,
    };
    if address(&name).map_err(|what| format!("invalid host: {what}"))?.v4 {
        return Err("invalid IP-literal".into());
    }
    Ok([b"[", name.as_slice(), b"]", port.as_slice()].concat())
}

fn check_port(port: &[u8]) -> Check {
    match port {
        [] => Ok(()),
        [b':', digits @ ..] if digits.iter().all(u8::is_ascii_digit) => Ok(()),
        _ => Err(format!("invalid port {} after host", quote(port))),
    }
}

/// The part of a URL that is unescaped.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Host,
    Zone,
    Other,
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let escape = |text: &[u8]| Err(format!("invalid URL escape {}", quote(&text[..text.len().min(3)])));
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [c, next @ ..] = rest {
        let mut next = next;
        let mut byte = *c;
        if *c == b'%' {
            let Some(digits) = next.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit)) else { return escape(rest) };
            byte = digits.iter().fold(0, |n, &c| n << 4 | char::from(c).to_digit(16).unwrap_or(0) as u8);
            let allowed = match part {
                Part::Host => byte >= 0x80 || digits == b"25",
                Part::Zone => digits == b"25" || byte == b' ' || host_byte(byte),
                Part::Other => true,
            };
            if !allowed {
                return escape(rest);
            }
            next = &next[2..];
        } else if part != Part::Other && c.is_ascii() && !host_byte(*c) {
            return Err(format!("invalid character {} in host name", quote(&[*c])));
        }
        out.push(byte);
        rest = next;
    }
    Ok(out)
}

/// What a host may hold without an escape, of ASCII.
fn host_byte(c: u8) -> bool {
    c.is_ascii_alphanumeric() || b"!$&'()*+,;=:[]<>\"-_.~".contains(&c)
}

/// `netip.ParseAddr`, with its error.
fn address(text: &[u8]) -> Result<Address, String> {
    match text.iter().find(|c| matches!(c, b'.' | b':' | b'%')) {
        Some(b'.') => address_v4(text, text).map(|()| Address { v4: true, zone: false }),
        Some(b':') => address_v6(text),
        Some(_) => Err(address_fault(text, "missing IPv6 address", b"")),
        None => Err(address_fault(text, "unable to parse IP", b"")),
    }
}

fn address_fault(whole: &[u8], what: &str, at: &[u8]) -> String {
    let at = if at.is_empty() { String::new() } else { format!(" (at {})", quote(at)) };
    format!("ParseAddr({}): {what}{at}", quote(whole))
}

/// The four numbers of `text`, which is `whole` or the end of it.
fn address_v4(whole: &[u8], text: &[u8]) -> Check {
    let (mut number, mut digits, mut dots) = (0u32, 0, 0);
    for (at, &c) in text.iter().enumerate() {
        match c {
            b'0'..=b'9' => {
                if digits == 1 && number == 0 {
                    return Err(address_fault(whole, "IPv4 field has octet with leading zero", b""));
                }
                number = number * 10 + u32::from(c - b'0');
                digits += 1;
                if number > 255 {
                    return Err(address_fault(whole, "IPv4 field has value >255", b""));
                }
            }
            b'.' if digits == 0 || at + 1 == text.len() => {
                return Err(address_fault(whole, "IPv4 field must have at least one digit", &text[at..]));
            }
            b'.' if dots == 3 => return Err(address_fault(whole, "IPv4 address too long", b"")),
            b'.' => (number, digits, dots) = (0, 0, dots + 1),
            _ => return Err(address_fault(whole, "unexpected character", &text[at..])),
        }
    }
    if dots < 3 { Err(address_fault(whole, "IPv4 address too short", b"")) } else { Ok(()) }
}

fn address_v6(whole: &[u8]) -> Result<Address, String> {
    let fault = |what: &str, at: &[u8]| Err(address_fault(whole, what, at));
    let (mut rest, zone) = cut(whole, b'%');
    if zone.is_some_and(<[u8]>::is_empty) {
        return fault("zone must be a non-empty string", b"");
    }
    let zone = zone.is_some();
    let mut gap = false;
    if let Some(behind) = rest.strip_prefix(b"::") {
        (rest, gap) = (behind, true);
        if rest.is_empty() {
            return Ok(Address { v4: false, zone });
        }
    }
    let mut groups = 0;
    while groups < 8 {
        let digits = rest.iter().take_while(|c| c.is_ascii_hexdigit()).count();
        if digits == 0 {
            return fault("each colon-separated field must have at least one digit", rest);
        }
        if digits > 4 {
            return fault("each group must have 4 or less digits", rest);
        }
        if rest.get(digits) == Some(&b'.') {
            if !gap && groups != 6 {
                return fault("embedded IPv4 address must replace the final 2 fields of the address", rest);
            }
            if groups > 6 {
                return fault("too many hex fields to fit an embedded IPv4 at the end of the address", rest);
            }
            address_v4(whole, rest)?;
            (rest, groups) = (b"", groups + 2);
            break;
        }
        rest = &rest[digits..];
        groups += 1;
        match rest {
            [] => break,
            [b':'] => return fault("colon must be followed by more characters", rest),
            [b':', b':', ..] if gap => return fault("multiple :: in address", &rest[1..]),
            [b':', b':', behind @ ..] => {
                (rest, gap) = (behind, true);
                if rest.is_empty() {
                    break;
                }
            }
            [b':', behind @ ..] => rest = behind,
            _ => return fault("unexpected character, want colon", rest),
        }
    }
    if !rest.is_empty() {
        return fault("trailing garbage after address", rest);
    }
    match (groups, gap) {
        (8, true) => fault("the :: must expand to at least one field of zeros", b""),
        (0..8, false) => fault("address string too short", b""),
        _ => Ok(Address { v4: false, zone }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in ["0.0.0.0", "::", "::1", "1::", "1:2:3:4:5:6:7::", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4"] {
            assert!(is_ip(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "1", "1.2.3", "01.2.3.4", "1.2.3.4.5", "256.1.1.1", "1:2:3:4:5:6:7:8::", ":::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:8:9"]
        {
            assert!(!is_ip(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn hosts_to_add() {
        for good in ["a:1.2.3.4", "a=::1", "a:[::1]", "a::1:2:3:4:5:6:7:8", "a:host-gateway"] {
            let sound = extra_host(good.as_bytes());
            assert_eq!(sound.is_ok(), good != "a::1:2:3:4:5:6:7:8", "{good}: {sound:?}");
        }
        assert_eq!(extra_host(b"a\n"), Err(r#"bad format for add-host: "a\n""#.into()));
        assert_eq!(extra_host(b"a:[]"), Err(r#"invalid IP address in add-host: "[]""#.into()));
        assert_eq!(extra_host(b"a:b=1.2.3.4"), Err(r#"bad format for add-host: "a:b=1.2.3.4""#.into()));
    }

    #[test]
    fn domains() {
        for good in [".", " . ", "a", "a.b.", "a-b.c\t", "::a:.:b", "1.a"] {
            assert_eq!(dns_search(good.as_bytes()), Ok(()), "{good}");
        }
        for bad in ["", "1", "a..b", "-a", "a-", "a_b", "a.-b", "a:b", ":::a", "a.::b"] {
            assert_eq!(dns_search(bad.as_bytes()), Err(format!("{bad} is not a valid domain")));
        }
        assert!(dns_search("a".repeat(254).as_bytes()).is_ok());
        assert!(dns_search("a".repeat(255).as_bytes()).is_err());
    }

    #[test]
    fn listening() {
        for good in ["", "eth0", "1.2.3.4:5", "[::1]:", "[fe80::1%25eth0]:1", "tcp://a", "u:p@h:1", "::1", "a:99999999999999999999"] {
            assert_eq!(node_addr(good.as_bytes()), Ok(()), "{good}");
        }
        let refused = |text: &str| node_addr(text.as_bytes()).unwrap_err();
        assert_eq!(refused("a:b"), r#"parse "tcp://a:b": invalid port ":b" after host"#);
        assert_eq!(refused("udp://a"), "invalid proto, expected tcp: udp://a");
        assert_eq!(refused("[1.2.3.4]:5"), r#"parse "tcp://[1.2.3.4]:5": invalid IP-literal"#);
        assert_eq!(refused("a#%"), r##"parse "tcp://a#%": invalid URL escape "%""##);
    }
}
