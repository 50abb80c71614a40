//! The values that are records: `--mount`, `--network`, `--gpus`, and those of services and swarms.

use super::super::go::{NumberFault, cut, find, lossy, lower, parse_bool, parse_int, parse_uint, trim_space};
use super::{Check, address, csv, pem, ram_in_bytes};

/// `opts.MountOpt`.
pub fn mount(value: &[u8]) -> Check {
    let mut kind = b"volume".to_vec();
    let (mut target, mut propagation) = (Vec::new(), Vec::new());
    let (mut volume, mut image, mut bind, mut tmpfs) = (false, false, false, false);
    let (mut read_only, mut bind_writable, mut bind_read_only) = (false, false, false);

    for field in csv::record(value)? {
        let (key, given) = cut(&field, b'=');
        let key = lower(key);
        let wrong = |given: &[u8]| format!("invalid value for {}: {}", lossy(&key), lossy(given));
        let Some(given) = given else {
            match key.as_slice() {
                b"readonly" | b"ro" => read_only = true,
                b"volume-nocopy" => volume = true,
                b"bind-nonrecursive" => bind = true,
                _ => return Err(format!("invalid field '{}' must be a key=value pair", lossy(&field))),
            }
            continue;
        };
        match key.as_slice() {
            b"type" => kind = lower(given),
            b"source" | b"src" | b"consistency" => (),
            b"target" | b"dst" | b"destination" => target = given.to_vec(),
            b"readonly" | b"ro" => read_only = parse_bool(given).map_err(|_| wrong(given))?,
            b"bind-propagation" => (bind, propagation) = (true, lower(given)),
            b"bind-nonrecursive" => {
                // Docker also warns here that the option is deprecated, on stderr and in logrus' form.
                parse_bool(given).map_err(|_| wrong(given))?;
                bind = true;
            }
            b"bind-recursive" => match given {
                b"enabled" => (),
                b"disabled" => bind = true,
                b"writable" => (bind, bind_writable) = (true, true),
                b"readonly" => (bind, bind_read_only) = (true, true),
                _ => return Err(format!("{} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")", wrong(given))),
            },
            b"volume-nocopy" => {
                parse_bool(given).map_err(|_| wrong(given))?;
                volume = true;
            }
            b"volume-subpath" | b"volume-label" | b"volume-driver" | b"volume-opt" => volume = true,
            b"image-subpath" => image = true,
            b"tmpfs-size" => {
                ram_in_bytes(given).map_err(|_| wrong(given))?;
                tmpfs = true;
            }
            b"tmpfs-mode" => {
                parse_uint(given, 8, 32).map_err(|_| wrong(given))?;
                tmpfs = true;
            }
            _ => return Err(format!("unexpected key '{}' in '{}'", lossy(&key), lossy(&field))),
        }
    }

    if kind.is_empty() {
        return Err("type is required".into());
    }
    if target.is_empty() {
        return Err("target is required".into());
    }
    for (used, of) in [(volume, "volume"), (image, "image"), (bind, "bind"), (tmpfs, "tmpfs")] {
        if used && kind != of.as_bytes() {
            return Err(format!("cannot mix '{of}-*' options with mount type '{}'", lossy(&kind)));
        }
    }
    if bind_writable && !read_only {
        return Err("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction".into());
    }
    if bind_read_only && !read_only {
        return Err("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction".into());
    }
    if bind_read_only && propagation != b"rprivate" {
        return Err("option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction".into());
    }
    Ok(())
}

/// Whether the value has `key=value` somewhere, by which Docker tells its long forms from a name or a port.
fn is_long(value: &[u8]) -> bool {
    let word = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
    value.windows(3).any(|three| word(three[0]) && three[1] == b'=' && word(three[2]))
}

/// `opts.NetworkOpt`.
pub fn network(value: &[u8]) -> Check {
    if !is_long(value) {
        return Ok(());
    }
    let mut name = Vec::new();
    for field in csv::record(value)? {
        let lowered = lower(&field);
        let (key, Some(given)) = cut(&lowered, b'=') else { return Err(format!("invalid field {}", lossy(&field))) };
        if key.is_empty() {
            return Err(format!("invalid field {}", lossy(&field)));
        }
        let given = trim_space(given);
        match trim_space(key) {
            b"name" => name = given.to_vec(),
            b"alias" | b"ip" | b"ip6" | b"mac-address" | b"link-local-ip" => (),
            b"driver-opt" => {
                let (key, option) = cut(given, b'=');
                if key.is_empty() || option.is_none() {
                    return Err("invalid key value pair format in driver options".into());
                }
            }
            b"gw-priority" => {
                parse_int(given, 10, 64).map_err(|fault| format!("invalid gw-priority ({}): {fault}", lossy(given)))?;
            }
            key => return Err(format!("invalid field key {}", lossy(key))),
        }
    }
    if name.is_empty() { Err("network name/id is not specified".into()) } else { Ok(()) }
}

/// `opts.GpuOpts`.
pub fn gpus(value: &[u8]) -> Check {
    let count = |text: &[u8]| match parse_int(text, 10, 64) {
        Err(fault) if text != b"all" => {
            Err(format!("invalid count ({}): value must be either \"all\" or an integer: {fault}", lossy(text)))
        }
        _ => Ok(()),
    };
    let mut seen = Vec::new();
    for field in csv::record(value)? {
        let (key, given) = cut(&field, b'=');
        if seen.iter().any(|k| k == key) {
            return Err(format!("gpu request key '{}' can be specified only once", lossy(key)));
        }
        seen.push(key.to_vec());
        match (key, given) {
            (_, None) => {
                seen.push(b"count".to_vec());
                count(key)?;
            }
            (b"count", Some(given)) => count(given)?,
            (b"driver" | b"device" | b"capabilities", _) => (),
            (b"options", Some(given)) => {
                csv::record(given).map_err(|fault| format!("failed to read gpu options: {fault}"))?;
            }
            _ => return Err(format!("unexpected key '{}' in '{}'", lossy(key), lossy(&field))),
        }
    }
    Ok(())
}

/// `swarmopts.SecretOpt` and `ConfigOpt`; `what` is the word by which the message differs.
pub fn reference(value: &[u8], what: &str) -> Check {
    let fields = csv::record(value)?;
    if fields.len() == 1 && !fields[0].contains(&b'=') {
        return Ok(());
    }
    let mut source = Vec::new();
    for field in fields {
        let (key, given) = cut(&field, b'=');
        let given = given.filter(|_| !key.is_empty());
        let given = given.ok_or_else(|| format!("invalid field '{}' must be a key=value pair", lossy(&field)))?;
        match lower(key).as_slice() {
            b"source" | b"src" => source = given.to_vec(),
            b"target" | b"uid" | b"gid" => (),
            b"mode" => {
                parse_uint(given, 0, 32).map_err(|fault| format!("invalid mode specified: {}", fault.of("ParseUint", given)))?;
            }
            _ => return Err(format!("invalid field in {what} request: {}", lossy(key))),
        }
    }
    if source.is_empty() { Err("source is required".into()) } else { Ok(()) }
}

/// `swarm.ExternalCAOption`; `cacert=` names a file, which is read.
pub fn external_ca(value: &[u8]) -> Check {
    let (mut protocol, mut url) = (false, false);
    for field in csv::record(value)? {
        let (key, given) = cut(&field, b'=');
        let given = given.ok_or_else(|| format!("invalid field '{}' must be a key=value pair", lossy(&field)))?;
        match lower(key).as_slice() {
            b"protocol" if lower(given) == b"cfssl" => protocol = true,
            b"protocol" => return Err(format!("unrecognized external CA protocol {}", lossy(given))),
            b"url" => url = true,
            b"cacert" => {
                let contents = pem::read(given).map_err(|fault| format!("unable to read CA cert for external CA: {fault}"))?;
                if !pem::holds_block(&contents) {
                    return Err("CA cert for external CA must be in PEM format".into());
                }
            }
            _ => (),
        }
    }
    match (protocol, url) {
        (false, _) => Err("the external-ca option needs a protocol= parameter".into()),
        (_, false) => Err("the external-ca option needs a url= parameter".into()),
        _ => Ok(()),
    }
}

/// `swarmopts.PortOpt`.
pub fn port(value: &[u8]) -> Check {
    if is_long(value) { long_port(value) } else { short_port(value) }
}

fn long_port(value: &[u8]) -> Check {
    let mut target = 0;
    for field in csv::record(value)? {
        let lowered = lower(&field);
        let (key, given) = cut(&lowered, b'=');
        let given = given.filter(|_| !key.is_empty()).ok_or_else(|| format!("invalid field: {}", lossy(&field)))?;
        let number = |which: &str| {
            let wrong = |fault: NumberFault| format!("invalid {which} port ({}): value must be an integer: {fault}", lossy(given));
            parse_uint(given, 10, 16).map_err(wrong)
        };
        match (key, given) {
            (b"protocol", b"tcp" | b"udp" | b"sctp") | (b"mode", b"ingress" | b"host") => (),
            (b"protocol", _) => return Err(format!("invalid protocol value '{}'", lossy(given))),
            (b"mode", _) => {
                return Err(format!("invalid publish mode value ({}): must be either 'ingress' or 'host'", lossy(given)));
            }
            (b"target", _) => target = number("target")?,
            (b"published", _) => _ = number("published")?,
            _ => return Err(format!("invalid field key: {}", lossy(key))),
        }
    }
    if target == 0 { Err("missing mandatory field 'target'".into()) } else { Ok(()) }
}

/// `nat.ParsePortSpec`: `[[ip:]host:]container[/protocol]`; and a service has no IP.
fn short_port(value: &[u8]) -> Check {
    let parts: Vec<&[u8]> = value.split(|&c| c == b':').collect();
    let (ip, host, container) = match parts.as_slice() {
        [ip @ .., host, container] => (ip.join(&b':'), *host, *container),
        _ => (Vec::new(), &b""[..], value),
    };
    let (container, protocol) = cut(container, b'/');
    let protocol = match protocol.unwrap_or_default() {
        _ if container.is_empty() => Vec::new(),
        b"" => b"tcp".to_vec(),
        protocol => lower(protocol),
    };
    if !matches!(protocol.as_slice(), b"tcp" | b"udp" | b"sctp") {
        return Err(format!("invalid proto: {}", lossy(&protocol)));
    }
    let bracketed = [ip.as_slice(), b":"].concat();
    let address = if ip.first() == Some(&b'[') {
        let inner = address::split_host_port(&bracketed);
        inner.map_err(|fault| format!("invalid IP address {}: {fault}", lossy(&ip)))?.0
    } else {
        ip.as_slice()
    };
    if !address.is_empty() && !address::is_ip(address) {
        return Err(format!("invalid IP address: {}", lossy(address)));
    }
    let inside = port_range(container).ok_or_else(|| format!("invalid containerPort: {}", lossy(container)))?;
    if !host.is_empty() {
        let outside = port_range(host).ok_or_else(|| format!("invalid hostPort: {}", lossy(host)))?;
        if inside > 0 && inside != outside {
            return Err(format!("invalid ranges specified for container and host Ports: {} and {}", lossy(container), lossy(host)));
        }
    }
    if address.is_empty() { Ok(()) } else { Err("hostip is not supported".into()) }
}

/// How many ports follow the first one of a range; of `1-2-3` Docker reads the first two.
fn port_range(text: &[u8]) -> Option<u64> {
    let mut ends = text.split(|&c| c == b'-').map(|end| parse_uint(end, 10, 16).ok());
    let first = ends.next()??;
    match ends.next() {
        Some(last) => last?.checked_sub(first),
        None => Some(0),
    }
}

/// `swarm.PEMFile`.
pub fn pem_file(value: &[u8]) -> Check {
    if pem::holds_block(&pem::read(value)?) { Ok(()) } else { Err("file contents must be in PEM format".into()) }
}

/// pflag `stringToString`: one pair is taken as it is, more of them are CSV.
pub fn string_to_string(value: &[u8]) -> Check {
    let wrong = |pair: &[u8]| Err(format!("{} must be formatted as key=value", lossy(pair)));
    match value.iter().filter(|&&c| c == b'=').count() {
        0 => wrong(value),
        1 => Ok(()),
        _ => match csv::record(value)?.iter().find(|pair| find(pair, b"=").is_none()) {
            Some(pair) => wrong(pair),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(check: fn(&[u8]) -> Check, value: &str) -> String {
        check(value.as_bytes()).expect_err(value)
    }

    #[test]
    fn mounts() {
        for good in [
            "dst=/a",
            "TYPE=Bind,src=.,dst=/a,ro,bind-propagation=rslave",
            "type=tmpfs,target=/a,tmpfs-size=1m,tmpfs-mode=1777",
            "type=bind,dst=/a,readonly,bind-recursive=readonly,bind-propagation=rprivate",
            "type=whatever,dst=/a,bind-recursive=enabled",
            "\"volume-opt=o=a,b\",dst=/a",
        ] {
            assert_eq!(mount(good.as_bytes()), Ok(()), "{good}");
        }
        assert_eq!(refused(mount, ""), "EOF");
        assert_eq!(refused(mount, "type=bind"), "target is required");
        assert_eq!(refused(mount, "type=,dst=/a"), "type is required");
        assert_eq!(refused(mount, "dst=/a,RO=x"), "invalid value for ro: x");
        assert_eq!(refused(mount, "dst=/a,Foo"), "invalid field 'Foo' must be a key=value pair");
        assert_eq!(refused(mount, "dst=/a,Foo=1"), "unexpected key 'foo' in 'Foo=1'");
        assert_eq!(refused(mount, "type=bind,dst=/a,volume-nocopy"), "cannot mix 'volume-*' options with mount type 'bind'");
    }

    #[test]
    fn networks_and_gpus() {
        assert_eq!(network(b"a,b=="), Ok(()));
        assert_eq!(network(b"name=a,driver-opt=x=y,gw-priority=-1"), Ok(()));
        assert_eq!(refused(network, "alias=a"), "network name/id is not specified");
        assert_eq!(refused(network, "name=a,B"), "invalid field B");
        assert_eq!(refused(network, "name=a,gw-priority=x"), "invalid gw-priority (x): invalid syntax");
        assert_eq!(gpus(b"2,all"), Ok(()));
        assert_eq!(refused(gpus, "all,count=1"), "gpu request key 'count' can be specified only once");
        assert_eq!(refused(gpus, "x"), "invalid count (x): value must be either \"all\" or an integer: invalid syntax");
    }

    #[test]
    fn ports() {
        for good in ["80", "80-81:90-91/udp", "80-90:5", "[]:1:2", "1-2-3", "target=80,mode=HOST", ":80"] {
            assert_eq!(port(good.as_bytes()), Ok(()), "{good}");
        }
        assert_eq!(refused(port, "::1:80:80"), "hostip is not supported");
        assert_eq!(refused(port, "[::1:80:80"), "invalid IP address [::1: address [::1:: missing ']' in address");
        assert_eq!(refused(port, "1:2-3"), "invalid ranges specified for container and host Ports: 2-3 and 1");
        assert_eq!(refused(port, "target=70000"), "invalid target port (70000): value must be an integer: value out of range");
        assert_eq!(refused(port, ""), "invalid proto: ");
    }
}
