//! `time.Time`, as far as Docker's objects show it.

use super::{BOOL, Data, Method, Named, STRING, Type};

/// A moment and the zone that it is shown in.
#[derive(Debug, Clone, PartialEq)]
pub struct Time {
    /// Seconds since 1970 UTC.
    pub secs: i64,
    pub nanos: u32,
    /// Seconds east of Greenwich.
    pub offset: i32,
    /// The zone's abbreviation, where it is not UTC; empty where it has none.
    pub zone: Option<String>,
}

impl Time {
    /// Go's zero: the first of January of the year 1.
    pub const ZERO: Time = Time { secs: -62_135_596_800, nanos: 0, offset: 0, zone: None };

    /// Reads RFC 3339, with or without a fraction.
    pub fn parse(text: &str) -> Option<Time> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| text.get(from..to).filter(|t| t.bytes().all(|b| b.is_ascii_digit()))?.parse::<i64>().ok();
        let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if !marks.iter().all(|(at, mark)| bytes.get(*at) == Some(mark)) {
            return None;
        }
        let days = days(number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let local = days * 86_400 + number(11, 13)? * 3600 + number(14, 16)? * 60 + number(17, 19)?;
        let digits = match bytes.get(19) {
            Some(b'.') => bytes[20..].iter().take_while(|b| b.is_ascii_digit()).count(),
            _ => 0,
        };
        let zone = if digits > 0 { 20 + digits } else { 19 };
        let fraction: u32 = format!("{:0<9.9}", text.get(20..20 + digits)?).parse().ok()?;
        let sign = match (bytes.get(zone), bytes.len()) {
            (Some(b'Z'), n) if n == zone + 1 => return Some(Time { secs: local, nanos: fraction, offset: 0, zone: None }),
            (Some(b'+'), n) if n == zone + 6 => 1,
            (Some(b'-'), n) if n == zone + 6 => -1,
            _ => return None,
        };
        let offset = sign * (number(zone + 1, zone + 3)? * 3600 + number(zone + 4, zone + 6)? * 60);
        let name = (offset != 0).then(String::new);
        Some(Time { secs: local - offset, nanos: fraction, offset: i32::try_from(offset).ok()?, zone: name })
    }
}

/// Whether Go would find the zone that `TZ` names; what it does not find is UTC, rules written out in POSIX's way too.
pub(super) fn zone_is_known() -> bool {
    let Some(named) = std::env::var_os("TZ") else { return true };
    let named = std::path::PathBuf::from(named.to_string_lossy().trim_start_matches(':'));
    let places = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"];
    !named.as_os_str().is_empty() && places.iter().any(|place| std::path::Path::new(place).join(&named).is_file())
}

/// Days since 1970 of a date, and back, by Howard Hinnant's method (eras of 400 years that begin in March).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

pub(super) fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

/// Date, time of day and fraction, with `between` in the middle.
pub(super) fn civil(time: &Time, between: char) -> String {
    let local = time.secs + i64::from(time.offset);
    let (year, month, day) = date(local.div_euclid(86_400));
    let second = local.rem_euclid(86_400);
    let mut text = format!("{year:04}-{month:02}-{day:02}{between}{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    if time.nanos != 0 {
        text.push_str(format!(".{:09}", time.nanos).trim_end_matches('0'));
    }
    text
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text(self))
    }
}

fn offset(time: &Time, colon: &str) -> String {
    let minutes = time.offset.abs() / 60;
    format!("{}{:02}{colon}{:02}", if time.offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60)
}

/// Go's `Time.String`: `2006-01-02 15:04:05.999999999 -0700 MST`.
pub(crate) fn text(time: &Time) -> String {
    let numeric = offset(time, "");
    let zone = match time.zone.as_deref() {
        None => "UTC",
        Some("") => &numeric,
        Some(name) => name,
    };
    format!("{} {numeric} {zone}", civil(time, ' '))
}

/// Go's `RFC3339Nano`.
pub(crate) fn rfc3339(time: &Time) -> String {
    let zone = if time.offset == 0 { "Z".to_owned() } else { offset(time, ":") };
    civil(time, 'T') + &zone
}

fn of(data: &Data) -> &Time {
    match data {
        Data::Time(time) => time,
        _ => &Time::ZERO,
    }
}

/// Go's `Duration.String`: `1h2m3.5s`, `250ms`.
fn duration(nanos: i64) -> String {
    let magnitude = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let decimal = |whole: u64, part: u64, digits: usize| {
        let fraction = format!(".{part:0digits$}");
        format!("{whole}{}", fraction.trim_end_matches('0').trim_end_matches('.'))
    };
    match magnitude {
        0 => "0s".into(),
        1..1_000 => format!("{sign}{magnitude}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", decimal(magnitude / 1_000, magnitude % 1_000, 3)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", decimal(magnitude / 1_000_000, magnitude % 1_000_000, 6)),
        _ => {
            let secs = magnitude / 1_000_000_000;
            let hours = if secs >= 3600 { format!("{}h", secs / 3600) } else { String::new() };
            let minutes = if secs >= 60 { format!("{}m", secs / 60 % 60) } else { String::new() };
            format!("{sign}{hours}{minutes}{}s", decimal(secs % 60, magnitude % 1_000_000_000, 9))
        }
    }
}

static INT64: Type = Type::Int("int64");

/// `time.Duration`: nanoseconds in JSON.
pub static DURATION: Type = Type::Named(&Named {
    name: "time.Duration",
    under: &INT64,
    methods: &[Method {
        name: "String",
        params: &[],
        returns: &STRING,
        call: |nanos, _| Ok(duration(if let Data::Int(n) = nanos { *n } else { 0 }).into()),
    }],
});

pub(super) static METHODS: &[Method] = &[
    Method { name: "String", params: &[], returns: &STRING, call: |time, _| Ok(text(of(time)).into()) },
    Method { name: "Unix", params: &[], returns: &INT64, call: |time, _| Ok(of(time).secs.into()) },
    Method {
        name: "IsZero",
        params: &[],
        returns: &BOOL,
        call: |time, _| Ok((of(time).secs == Time::ZERO.secs && of(time).nanos == 0).into()),
    },
    Method {
        name: "UTC",
        params: &[],
        returns: &Type::Time,
        call: |time, _| Ok(Data::Time(Time { offset: 0, zone: None, ..of(time).clone() })),
    },
];
