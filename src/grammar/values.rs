//! What Docker's client says to a flag's value while it parses its flags: each kind of value has its check, as docker/cli
//! and pflag have a `Set` for it. What Docker checks later, or in its daemon, is not looked at here.
//!
//! The answers are those of docker/cli 28.5.2, held against the real client.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::go::{NumberFault, cut, lossy, lower, parse_bool, parse_duration, parse_float, parse_int, parse_uint};
use crate::catalogue::{Item, Kind};

mod address;
mod csv;

pub use address::is_ip;
pub use csv::record as csv_record;
mod pem;
mod rational;
mod records;

type Check = Result<(), String>;

/// Whether a flag of this kind takes the value; otherwise the cause, as pflag prints it behind
/// `invalid argument "x" for "--flag" flag: `.
///
/// Where Docker prints the value in it as it is, bytes that are no UTF-8 are replaced; see `go::lossy`.
pub fn check(kind: Kind, value: &OsStr) -> Result<(), String> {
    let value = value.as_bytes();
    let unsigned = |bits| number(parse_uint(value, 0, bits), "ParseUint", value);
    match kind {
        Kind::Text | Kind::StringArray => Ok(()),
        Kind::Switch => number(parse_bool(value), "ParseBool", value),
        Kind::List(item) | Kind::Map(item) => list_item(item, value),
        Kind::Int | Kind::Int64 => number(parse_int(value, 0, 64), "ParseInt", value),
        Kind::Uint | Kind::Uint64 => unsigned(64),
        Kind::Uint16 => unsigned(16),
        Kind::Uint32 => unsigned(32),
        // Docker's floats are of 32 bits.
        Kind::Float => number(parse_float(value, 32), "ParseFloat", value),
        Kind::Decimal => rational::check(value),
        Kind::SwapBytes if value == b"-1" => Ok(()),
        Kind::Bytes | Kind::SwapBytes => ram_in_bytes(value).map(drop),
        Kind::Duration => parse_duration(value).map(drop),
        Kind::PositiveDuration if parse_duration(value)? < 0 => Err("duration cannot be negative".into()),
        Kind::PositiveDuration => Ok(()),
        Kind::Filter if value.is_empty() || value.contains(&b'=') => Ok(()),
        Kind::Filter => Err("bad format of filter (expected name=value)".into()),
        // The addresses are plain strings to Docker 28's client; its daemon looks at them.
        Kind::Ip => Ok(()),
        Kind::StringSlice | Kind::IpSlice if value.is_empty() => Ok(()),
        Kind::StringSlice | Kind::IpSlice => csv::record(value).map(drop),
        Kind::StringToString => records::string_to_string(value),
        Kind::IpNetSlice => address::ip_net_slice(value),
        Kind::Ulimit => ulimit(value),
        Kind::Mount => records::mount(value),
        Kind::Network => records::network(value),
        Kind::GpuRequest => records::gpus(value),
        Kind::Port => records::port(value),
        Kind::Config => records::reference(value, "config"),
        Kind::Secret => records::reference(value, "secret"),
        Kind::CredentialSpec => credential_spec(value),
        Kind::ShellWords => shell_words(value),
        Kind::PlacementPref => placement_preference(value),
        Kind::ExternalCa => records::external_ca(value),
        Kind::PemFile => records::pem_file(value),
        Kind::NodeAddr => address::node_addr(value),
    }
}

fn number<T>(parsed: Result<T, NumberFault>, function: &str, value: &[u8]) -> Check {
    parsed.map(drop).map_err(|fault| fault.of(function, value))
}

fn list_item(item: Item, value: &[u8]) -> Check {
    match item {
        // A device is looked at once the daemon has said which system it runs on.
        Item::Any | Item::KeyValue | Item::Device => Ok(()),
        Item::Env if value.is_empty() || value[0] == b'=' => Err(format!("invalid environment variable: {}", lossy(value))),
        Item::Env => Ok(()),
        Item::Label => label(value),
        Item::ExtraHost => address::extra_host(value),
        Item::Attach if matches!(lower(value).as_slice(), b"stdin" | b"stdout" | b"stderr") => Ok(()),
        Item::Attach => Err("valid streams are STDIN, STDOUT and STDERR".into()),
        Item::IpAddress => address::ip_address(value),
        Item::DnsSearch => address::dns_search(value),
        Item::Link if value.is_empty() => Err("empty string specified for links".into()),
        Item::Link if value.iter().filter(|&&c| c == b':').count() > 1 => Err(format!("bad format for links: {}", lossy(value))),
        Item::Link => Ok(()),
        Item::DeviceCgroupRule if is_device_cgroup_rule(value) => Ok(()),
        Item::DeviceCgroupRule => Err(format!("invalid device cgroup format '{}'", lossy(value))),
        Item::Sysctl if is_sysctl(value) => Ok(()),
        Item::Sysctl => Err(format!("sysctl '{}' is not allowed", lossy(value))),
        Item::ThrottleBps => throttle(value, "[<unit>]", ". Unit is optional and can be kb, mb, or gb", |rate| {
            ram_in_bytes(rate).is_ok_and(|rate| rate >= 0)
        }),
        Item::ThrottleIops => throttle(value, "", "", |rate| parse_uint(rate, 10, 64).is_ok()),
        Item::WeightDevice => {
            let weight = parse_uint(device_rate(value)?, 10, 16);
            let sound = weight.is_ok_and(|weight| weight == 0 || (10..=1000).contains(&weight));
            if sound { Ok(()) } else { Err(format!("invalid weight for device: {}", lossy(value))) }
        }
        Item::GenericResource if value.contains(&b'=') => Ok(()),
        Item::GenericResource => Err(format!("invalid generic-resource format `{}` expected `name=value`", lossy(value))),
    }
}

fn label(value: &[u8]) -> Check {
    let (key, _) = cut(value, b'=');
    let blank = |c: &u8| matches!(c, b' ' | b'\t');
    let Some(start) = key.iter().position(|c| !blank(c)) else {
        return Err(format!("invalid label '{}': empty name", lossy(value)));
    };
    let key = &key[start..];
    if key.iter().any(blank) { Err(format!("label '{}' contains whitespaces", lossy(key))) } else { Ok(()) }
}

fn is_sysctl(value: &[u8]) -> bool {
    let (key, Some(_)) = cut(value, b'=') else { return false };
    let known: [&[u8]; 8] = [
        b"kernel.msgmax",
        b"kernel.msgmnb",
        b"kernel.msgmni",
        b"kernel.sem",
        b"kernel.shmall",
        b"kernel.shmmax",
        b"kernel.shmmni",
        b"kernel.shm_rmid_forced",
    ];
    known.contains(&key) || key.starts_with(b"net.") || key.starts_with(b"fs.mqueue.")
}

/// `[acb] (number|*):(number|*) [rwm]{1,3}`
fn is_device_cgroup_rule(value: &[u8]) -> bool {
    let words: Vec<&[u8]> = value.split(|&c| c == b' ').collect();
    let [kind, numbers, modes] = words.as_slice() else { return false };
    let (major, Some(minor)) = cut(numbers, b':') else { return false };
    let number = |text: &[u8]| text == b"*" || !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let modes_ok = (1..=3).contains(&modes.len()) && modes.iter().all(|c| b"rwm".contains(c));
    matches!(*kind, b"a" | b"c" | b"b") && number(major) && number(minor) && modes_ok
}

/// What follows the device in `/dev/x:rate`.
fn device_rate(value: &[u8]) -> Result<&[u8], String> {
    match cut(value, b':') {
        (b"", _) | (_, None) => Err(format!("bad format: {}", lossy(value))),
        (device, _) if !device.starts_with(b"/dev/") => Err(format!("bad format for device path: {}", lossy(value))),
        (_, Some(rate)) => Ok(rate),
    }
}

fn throttle(value: &[u8], unit: &str, more: &str, sound: impl Fn(&[u8]) -> bool) -> Check {
    if sound(device_rate(value)?) {
        return Ok(());
    }
    let value = lossy(value);
    let format = format!("The correct format is <device-path>:<number>{unit}. Number must be a positive integer{more}");
    Err(format!("invalid rate for device: {value}. {format}"))
}

/// `units.RAMInBytes`: a float, a space perhaps, and a unit to the base 1024.
pub fn ram_in_bytes(text: &[u8]) -> Result<i64, String> {
    let wrong = || format!("invalid size: '{}'", lossy(text));
    let last = text.iter().rposition(|c| matches!(c, b'0'..=b'9' | b'.' | b' ')).ok_or_else(wrong)?;
    let number = if text[last] == b' ' { &text[..last] } else { &text[..=last] };
    let suffix = &text[last + 1..];
    let size = parse_float(number, 64).map_err(|fault| fault.of("ParseFloat", number))?;
    if size < 0.0 {
        return Err(wrong());
    }
    if suffix.len() > 3 {
        return Err(format!("invalid suffix: '{}'", lossy(suffix)));
    }
    let suffix = lower(suffix);
    let power = suffix.first().and_then(|unit| b"bkmgtp".iter().position(|known| known == unit));
    let sound = match suffix.as_slice() {
        [] | [b'b'] => true,
        [b'b', ..] => false,
        [_, second] => power.is_some() && *second == b'b',
        [_, second, third] => power.is_some() && [*second, *third] == *b"ib",
        _ => power.is_some(),
    };
    if !sound {
        return Err(format!("invalid suffix: '{}'", lossy(&suffix)));
    }
    Ok(to_int64(size * 1024f64.powi(power.unwrap_or(0) as i32)))
}

/// Go's `int64(f)` on amd64: what does not fit is the smallest number.
fn to_int64(number: f64) -> i64 {
    const LIMIT: f64 = (1u64 << 63) as f64;
    if (-LIMIT..LIMIT).contains(&number) { number as i64 } else { i64::MIN }
}

/// `units.ParseUlimit`.
fn ulimit(value: &[u8]) -> Check {
    let (name, Some(limits)) = cut(value, b'=') else { return Err(format!("invalid ulimit argument: {}", lossy(value))) };
    let known: [&[u8]; 15] = [
        b"core",
        b"cpu",
        b"data",
        b"fsize",
        b"locks",
        b"memlock",
        b"msgqueue",
        b"nice",
        b"nofile",
        b"nproc",
        b"rss",
        b"rtprio",
        b"rttime",
        b"sigpending",
        b"stack",
    ];
    if !known.contains(&name) {
        return Err(format!("invalid ulimit type: {}", lossy(name)));
    }
    let limit = |text: &[u8]| parse_int(text, 10, 64).map_err(|fault| fault.of("ParseInt", text));
    let parts: Vec<&[u8]> = limits.split(|&c| c == b':').collect();
    let (soft, hard) = match parts.as_slice() {
        [soft] => (limit(soft)?, limit(soft)?),
        [soft, hard] => {
            let hard = limit(hard)?;
            (limit(soft)?, hard)
        }
        _ => {
            return Err(format!("too many limit value arguments - {}, can only have up to two, `soft[:hard]`", lossy(limits)));
        }
    };
    let less = "ulimit soft limit must be less than or equal to hard limit";
    match (soft, hard) {
        (_, -1) => Ok(()),
        (-1, _) => Err(format!("{less}: soft: -1 (unlimited), hard: {hard}")),
        _ if soft > hard => Err(format!("{less}: {soft} > {hard}")),
        _ => Ok(()),
    }
}

fn credential_spec(value: &[u8]) -> Check {
    let prefixes: [&[u8]; 3] = [b"config://", b"file://", b"registry://"];
    if value.is_empty() || prefixes.iter().any(|prefix| value.starts_with(prefix)) {
        return Ok(());
    }
    Err("invalid credential spec: value must be prefixed with \"config://\", \"file://\", or \"registry://\"".into())
}

fn placement_preference(value: &[u8]) -> Check {
    match cut(value, b'=') {
        (b"", _) | (_, None) => Err("placement preference must be of the format \"<strategy>=<arg>\"".into()),
        (b"spread", _) => Ok(()),
        (strategy, _) => Err(format!("unsupported placement preference {} (only spread is supported)", lossy(strategy))),
    }
}

/// google/shlex: quotes have to close, a backslash has to have something behind it; `#` at the start of a word is a comment.
fn shell_words(value: &[u8]) -> Check {
    const ESCAPE: &str = "EOF found after escape character";
    const QUOTE: &str = "EOF found when expecting closing quote";
    let mut bytes = value.iter();
    let mut in_word = false;
    while let Some(c) = bytes.next() {
        match c {
            b' ' | b'\t' | b'\r' | b'\n' => {
                in_word = false;
                continue;
            }
            b'#' if !in_word => {
                bytes.find(|&&c| c == b'\n');
                continue;
            }
            b'\\' => {
                bytes.next().ok_or(ESCAPE)?;
            }
            b'\'' => {
                bytes.find(|&&c| c == b'\'').ok_or(QUOTE)?;
            }
            b'"' => loop {
                match bytes.next().ok_or(QUOTE)? {
                    b'"' => break,
                    b'\\' => _ = bytes.next().ok_or(ESCAPE)?,
                    _ => (),
                }
            },
            _ => (),
        }
        in_word = true;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(kind: Kind, value: &str) -> String {
        check(kind, OsStr::new(value)).expect_err(value)
    }

    fn taken(kind: Kind, values: &[&str]) {
        for value in values {
            assert_eq!(check(kind, OsStr::new(value)), Ok(()), "{value}");
        }
    }

    #[test]
    fn sizes() {
        taken(Kind::Bytes, &["1", "1.5g", "1 KiB", "0x1p4k", "1e3Mb", "inf ", "-0", "1\u{212a}", "1_0p", "nan "]);
        taken(Kind::SwapBytes, &["-1", "1b"]);
        assert_eq!(refused(Kind::Bytes, ""), "invalid size: ''");
        assert_eq!(refused(Kind::Bytes, "-1"), "invalid size: '-1'");
        assert_eq!(refused(Kind::Bytes, "1X"), "invalid suffix: 'x'");
        assert_eq!(refused(Kind::Bytes, "1KBIB"), "invalid suffix: 'KBIB'");
        assert_eq!(refused(Kind::Bytes, "1bb"), "invalid suffix: 'bb'");
        assert_eq!(refused(Kind::Bytes, "1 2"), "strconv.ParseFloat: parsing \"1 2\": invalid syntax");
        assert_eq!(refused(Kind::Bytes, "1e400"), "strconv.ParseFloat: parsing \"1e400\": value out of range");
    }

    #[test]
    fn limits() {
        taken(Kind::Ulimit, &["nofile=1", "nofile=1:2", "core=-1:-1", "core=5:-1", "core=-5:-1", "core=-5"]);
        assert_eq!(refused(Kind::Ulimit, "nofile=a:b"), "strconv.ParseInt: parsing \"b\": invalid syntax");
        assert_eq!(
            refused(Kind::Ulimit, "core=-1:5"),
            "ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5"
        );
        assert_eq!(refused(Kind::Ulimit, "core=2:1"), "ulimit soft limit must be less than or equal to hard limit: 2 > 1");
        assert_eq!(refused(Kind::Ulimit, "as=1"), "invalid ulimit type: as");
    }

    #[test]
    fn list_items() {
        taken(Kind::List(Item::Env), &["A", "A=", " =x"]);
        taken(Kind::List(Item::Label), &["a=b c", " a", "a\n"]);
        assert_eq!(refused(Kind::List(Item::Label), " \t=x"), "invalid label ' \t=x': empty name");
        assert_eq!(refused(Kind::List(Item::Label), " a b"), "label 'a b' contains whitespaces");
        taken(Kind::List(Item::DeviceCgroupRule), &["c 1:* rwm", "a *:* rrr"]);
        assert_eq!(refused(Kind::List(Item::DeviceCgroupRule), "c 1:2 rw\n"), "invalid device cgroup format 'c 1:2 rw\n'");
        taken(Kind::List(Item::ThrottleBps), &["/dev/sda:1mb", "/dev/:0"]);
        assert!(refused(Kind::List(Item::ThrottleBps), "/dev/a:1e30").starts_with("invalid rate for device: /dev/a:1e30. "));
        taken(Kind::List(Item::WeightDevice), &["/dev/a:0", "/dev/a:10", "/dev/a:1000"]);
        assert_eq!(refused(Kind::List(Item::WeightDevice), "/dev/a:9"), "invalid weight for device: /dev/a:9");
        taken(Kind::Map(Item::Sysctl), &["net.x=", "kernel.sem=1"]);
        assert_eq!(refused(Kind::Map(Item::Sysctl), "net.x"), "sysctl 'net.x' is not allowed");
    }

    #[test]
    fn words() {
        taken(Kind::ShellWords, &["", "a 'b c' \"d\\\"\" \\ ", "# it's", "a#b", "'' #'\nx"]);
        assert_eq!(refused(Kind::ShellWords, "a\\"), "EOF found after escape character");
        assert_eq!(refused(Kind::ShellWords, "\"a\\"), "EOF found after escape character");
        assert_eq!(refused(Kind::ShellWords, "a#'"), "EOF found when expecting closing quote");
    }

    #[test]
    fn no_bytes_are_too_strange() {
        use Kind::*;
        let kinds = [
            Switch,
            Text,
            Int,
            Uint16,
            Float,
            Decimal,
            Bytes,
            SwapBytes,
            Duration,
            PositiveDuration,
            Filter,
            StringSlice,
            StringToString,
            Ip,
            IpSlice,
            IpNetSlice,
            Ulimit,
            Mount,
            Network,
            GpuRequest,
            Port,
            Config,
            Secret,
            CredentialSpec,
            ShellWords,
            PlacementPref,
            ExternalCa,
            NodeAddr,
        ];
        use Item::*;
        let items = [Env, Label, ExtraHost, Attach, IpAddress, DnsSearch, Link, DeviceCgroupRule, Sysctl, ThrottleBps, WeightDevice];
        let kinds: Vec<Kind> = kinds.into_iter().chain(items.map(List)).collect();
        // A small generator: words of the grammars and single bytes, in any order.
        let parts: [&[u8]; 32] = [
            b"=",
            b",",
            b"\"",
            b"\n",
            b"\r",
            b":",
            b"[",
            b"]",
            b"%",
            b"%25",
            b"/",
            b"/dev/",
            b"-",
            b"0x",
            b"1",
            b"_",
            b".",
            b"e",
            b"p",
            b" ",
            b"\\",
            b"'",
            b"\xff",
            b"\xc3\xa9",
            b"\xe2\x82",
            b"type",
            b"name",
            b"target",
            b"@",
            b"#",
            b"::",
            b"nofile",
        ];
        let mut state = 1u32;
        for _ in 0..20_000 {
            let mut value = Vec::new();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            for _ in 0..state >> 28 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                value.extend_from_slice(parts[(state >> 27) as usize]);
            }
            for kind in &kinds {
                _ = check(*kind, OsStr::from_bytes(&value));
            }
        }
    }
}
