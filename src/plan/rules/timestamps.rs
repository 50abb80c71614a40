//! `--since` and `--until`: durations back from now, times in several lengths, or seconds since 1970 (moby `api/types/time/timestamp.go`).

use crate::grammar::go;
use crate::render::value::Time;

/// A moment: seconds since 1970, nanoseconds, and as Docker's client writes it into its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    pub secs: i64,
    pub nanos: i64,
    pub sent: String,
}

impl Timestamp {
    /// Nanoseconds since 1970.
    pub fn total(&self) -> i128 {
        i128::from(self.secs) * 1_000_000_000 + i128::from(self.nanos)
    }
    /// RFC 3339 of UTC, as Podman reads it to the nanosecond.
    pub fn rfc3339(&self) -> String {
        Time::utc(self.secs, u32::try_from(self.nanos).unwrap_or(0)).rfc3339()
    }
}

/// Reads a value. `now` is in seconds; a time without a zone is in the caller's own. Errors are Go's.
pub fn parse(value: &str, now: i64) -> Result<Timestamp, String> {
    if let Some(nanos) = go::parse_duration(value.as_bytes()).ok().filter(|_| value != "0") {
        let at = i128::from(now) * 1_000_000_000 - i128::from(nanos);
        let secs = i64::try_from(at.div_euclid(1_000_000_000)).unwrap_or(now);
        return Ok(Timestamp { secs, nanos: 0, sent: secs.to_string() });
    }
    let local = !value.contains(['z', 'Z', '+']) && value.matches('-').count() != 3;
    match by_layout(value, layout(value, local), local) {
        Ok((secs, nanos)) => Ok(Timestamp { secs, nanos, sent: format!("{secs}.{nanos:09}") }),
        Err(error) if value.contains('-') => Err(error),
        Err(_) => {
            let (secs, nanos) = value.split_once('.').unwrap_or((value, "0"));
            let read = |digits: &str| go::parse_int(digits.as_bytes(), 10, 64).ok();
            match (read(secs), read(nanos)) {
                (Some(secs), Some(part)) => {
                    let scale = 10f64.powi(9 - i32::try_from(nanos.len()).unwrap_or(9));
                    let nanos = if nanos == "0" { 0 } else { (part as f64 * scale) as i64 };
                    Ok(Timestamp { secs, nanos, sent: value.to_string() })
                }
                _ => Err(format!("failed to parse value as time or duration: {}", go::quote(value.as_bytes()))),
            }
        }
    }
}

/// Which of Go's layouts a value has by its looks.
fn layout(value: &str, local: bool) -> &'static str {
    let mut colons = value.matches(':').count();
    if !local && !value.contains(['z', 'Z']) && colons > 0 {
        colons -= 1;
    }
    match (value.contains('.'), value.contains('T'), local, colons) {
        (true, _, true, _) => "2006-01-02T15:04:05.999999999",
        (true, _, false, _) => "2006-01-02T15:04:05.999999999Z07:00",
        (_, true, true, 0) => "2006-01-02T15",
        (_, true, true, 1) => "2006-01-02T15:04",
        (_, true, true, _) => "2006-01-02T15:04:05",
        (_, true, false, 0) => "2006-01-02T15Z07:00",
        (_, true, false, 1) => "2006-01-02T15:04Z07:00",
        (_, true, false, _) => "2006-01-02T15:04:05Z07:00",
        (_, _, true, _) => "2006-01-02",
        (_, _, false, _) => "2006-01-02Z07:00",
    }
}

/// Go's `time.Parse` for these layouts: seconds and nanoseconds.
fn by_layout(value: &str, layout: &str, local: bool) -> Result<(i64, i64), String> {
    let quoted = |text: &str| go::quote(text.as_bytes());
    let bad = |rest: &str, element: &str| {
        let (value, layout, rest, element) = (quoted(value), quoted(layout), quoted(rest), quoted(element));
        format!("parsing time {value} as {layout}: cannot parse {rest} as {element}")
    };
    let mut rest = value;
    let mut fields = [1970i64, 1, 1, 0, 0, 0];
    let (mut nanos, mut zone) = (0i64, None);
    let mut out_of_range = None;
    let mut pattern = layout;
    while !pattern.is_empty() {
        let element = ["2006", "01", "02", "15", "04", "05", ".999999999", "Z07:00"].into_iter().find(|e| pattern.starts_with(e));
        let Some(element) = element else {
            let literal = &pattern[..1];
            rest = rest.strip_prefix(literal).ok_or_else(|| bad(rest, literal))?;
            pattern = &pattern[1..];
            continue;
        };
        pattern = &pattern[element.len()..];
        match element {
            ".999999999" => {
                let digits = rest.strip_prefix('.').map_or(0, |r| r.bytes().take_while(u8::is_ascii_digit).count());
                if digits > 0 {
                    nanos = format!("{:0<9.9}", &rest[1..=digits]).parse().unwrap_or(0);
                    rest = &rest[digits + 1..];
                }
            }
            "Z07:00" => {
                (zone, rest) = match rest.strip_prefix('Z') {
                    Some(rest) => (Some(0), rest),
                    None => (Some(zone_offset(rest).ok_or_else(|| bad(rest, element))?), &rest[6..]),
                };
            }
            _ => {
                let at = ["2006", "01", "02", "15", "04", "05"].iter().position(|e| *e == element).unwrap_or(0);
                let digits = rest.get(..element.len()).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
                let number: i64 = digits.and_then(|d| d.parse().ok()).ok_or_else(|| bad(rest, element))?;
                let (what, range) =
                    [("year", 0..=9999), ("month", 1..=12), ("day", 1..=31), ("hour", 0..=23), ("minute", 0..=59), ("second", 0..=59)][at]
                        .clone();
                if !range.contains(&number) {
                    out_of_range.get_or_insert(what);
                    if what != "day" {
                        break;
                    }
                }
                fields[at] = number;
                rest = &rest[element.len()..];
            }
        }
    }
    if let Some(what) = out_of_range {
        return Err(format!("parsing time {}: {what} out of range", quoted(value)));
    }
    if !rest.is_empty() {
        return Err(format!("parsing time {}: extra text: {}", quoted(value), quoted(rest)));
    }
    let [year, month, day, hour, minute, second] = fields;
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
    let utc = Time::parse(&text).map_or(0, |time| time.secs);
    if Time::utc(utc, 0).rfc3339() != text {
        return Err(format!("parsing time {}: day out of range", quoted(value)));
    }
    let offset = match zone {
        Some(offset) => offset,
        None if local => i64::from(Time::local(utc, 0).offset),
        None => 0,
    };
    Ok((utc - offset, nanos))
}

/// `+07:00` in seconds.
fn zone_offset(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let number = |from: usize| text.get(from..from + 2).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?.parse::<i64>().ok();
    (text.as_bytes().get(3) == Some(&b':')).then_some(())?;
    Some(sign * (number(1)? * 3600 + number(4)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms() {
        let sent = |value: &str| parse(value, 1000).map(|t| t.sent);
        let cases = [
            ("10m", "400"),
            ("1.5s", "998"),
            ("0", "0"),
            ("-5s", "1005"),
            ("1136073600.5", "1136073600.5"),
            ("2024-01-01Z", "1704067200.000000000"),
            ("2024-01-01T01:02:03.000000007Z", "1704070923.000000007"),
            ("2024-01-01T02+02:00", "1704067200.000000000"),
            ("2024-02-29T23:59-01:00", "1709254740.000000000"),
        ];
        for (value, wanted) in cases {
            assert_eq!(sent(value).as_deref(), Ok(wanted), "{value}");
        }
        assert_eq!(parse("5.25", 0).map(|t| t.nanos), Ok(250_000_000));
    }

    #[test]
    fn errors_in_gos_words() {
        let cases = [
            ("abc", "failed to parse value as time or duration: \"abc\""),
            ("2024-13-01", "parsing time \"2024-13-01\": month out of range"),
            ("2024-02-30", "parsing time \"2024-02-30\": day out of range"),
            ("2024-1-01", "parsing time \"2024-1-01\" as \"2006-01-02\": cannot parse \"1-01\" as \"01\""),
            ("2024-01-01T25:00", "parsing time \"2024-01-01T25:00\": hour out of range"),
            ("2024-01-01 10:00", "parsing time \"2024-01-01 10:00\": extra text: \" 10:00\""),
        ];
        for (value, words) in cases {
            assert_eq!(parse(value, 0), Err(words.to_string()));
        }
    }
}
