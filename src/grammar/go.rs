//! What of Go's standard library shows through Docker's command line: quoting, `strconv`, `time.ParseDuration`.
//!
//! Values are bytes, as in Go. A text that Go prints as it is (`%s`) goes through [`lossy`], because a message is a
//! `String`: there, and only there, a byte that is no UTF-8 becomes U+FFFD.

use std::borrow::Cow;
use std::fmt;

/// `strconv.Quote`, Go's `%q` of a string.
pub fn quote(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c, '"');
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// Go's `%q` of an unknown shorthand as pflag 1.0.6 has it: the first byte of the letter's UTF-8, the letter being a byte.
pub fn quote_rune(byte: u8) -> String {
    let byte = match byte {
        0xc0.. => 0xc3,
        0x80.. => 0xc2,
        ascii => ascii,
    };
    let mut out = String::from("'");
    push_escaped(&mut out, char::from(byte), '\'');
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, c: char, quote: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        _ if c == quote => out.extend(['\\', c]),
        _ if is_print(c) => out.push(c),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        '\0'..' ' | '\x7f' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
        '\0'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
    }
}

/// `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols and the ASCII space. What Rust's `{:?}` leaves alone
/// is the same set, by the compiler's Unicode version. A character that stands second is not judged as a lone mark.
fn is_print(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        _ => !String::from_iter(['a', c]).escape_debug().skip(1).eq(c.escape_unicode()),
    }
}

/// The text as Go's `%s` would print it, but for bytes that are no UTF-8.
pub fn lossy(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

/// `strings.Cut`: before and after the first `separator`; `None` after, where there is none.
pub fn cut(text: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&c| c == separator) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Whether `part` occurs in `text`, and where first.
pub fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// `strings.ToLower`: rune by rune; what is no UTF-8 becomes U+FFFD where anything beyond ASCII is there.
pub fn lower(text: &[u8]) -> Vec<u8> {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        // Go maps one rune to one rune: of Rust's full mapping only İ has a second.
        out.extend(chunk.valid().chars().filter_map(|c| c.to_lowercase().next()));
        out.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    out.into_bytes()
}

/// `strings.TrimSpace`.
pub fn trim_space(mut text: &[u8]) -> &[u8] {
    while let Some(width) = (1..=text.len().min(4)).find(|&n| is_space(&text[..n])) {
        text = &text[width..];
    }
    while let Some(width) = (1..=text.len().min(4)).find(|&n| is_space(&text[text.len() - n..])) {
        text = &text[..text.len() - width];
    }
    text
}

/// Whether the bytes are one white space.
fn is_space(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.chars().count() == 1 && text.chars().all(char::is_whitespace))
}

/// Why `strconv` refuses a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberFault {
    Syntax,
    Range,
}

impl fmt::Display for NumberFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberFault::Syntax => "invalid syntax",
            NumberFault::Range => "value out of range",
        })
    }
}

impl NumberFault {
    /// The whole sentence of a `strconv.NumError`.
    pub fn of(self, function: &str, text: &[u8]) -> String {
        format!("strconv.{function}: parsing {}: {self}", quote(text))
    }
}

/// `strconv.ParseBool`.
pub fn parse_bool(text: &[u8]) -> Result<bool, NumberFault> {
    match text {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => Err(NumberFault::Syntax),
    }
}

/// `strconv.ParseUint`. Base 0 reads Go's prefixes and underscores. What comes first decides: too large, or not a digit.
pub fn parse_uint(text: &[u8], base: u64, bits: u32) -> Result<u64, NumberFault> {
    let (radix, digits) = match (base, text) {
        (_, []) => return Err(NumberFault::Syntax),
        (0, [b'0', b'x' | b'X', digits @ ..]) if !digits.is_empty() => (16, digits),
        (0, [b'0', b'o' | b'O', digits @ ..]) if !digits.is_empty() => (8, digits),
        (0, [b'0', b'b' | b'B', digits @ ..]) if !digits.is_empty() => (2, digits),
        (0, [b'0', digits @ ..]) => (8, digits),
        (0, _) => (10, text),
        _ => (base, text),
    };
    let largest = u64::MAX >> (64 - bits);
    let mut number = 0u64;
    for &c in digits {
        let digit = match c {
            b'_' if base == 0 => continue,
            b'0'..=b'9' => c - b'0',
            b'a'..=b'z' => c - b'a' + 10,
            b'A'..=b'Z' => c - b'A' + 10,
            _ => return Err(NumberFault::Syntax),
        };
        if u64::from(digit) >= radix {
            return Err(NumberFault::Syntax);
        }
        let next = number.checked_mul(radix).and_then(|n| n.checked_add(u64::from(digit)));
        number = next.filter(|&n| n <= largest).ok_or(NumberFault::Range)?;
    }
    if underscores_ok(text) { Ok(number) } else { Err(NumberFault::Syntax) }
}

/// `strconv.ParseInt`.
pub fn parse_int(text: &[u8], base: u64, bits: u32) -> Result<i64, NumberFault> {
    let (negative, magnitude) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = i128::from(parse_uint(magnitude, base, bits)?);
    let number = if negative { -magnitude } else { magnitude };
    let limit = 1i128 << (bits - 1);
    if number < -limit || number >= limit {
        return Err(NumberFault::Range);
    }
    i64::try_from(number).map_err(|_| NumberFault::Range)
}

/// Go's rule for literals: an underscore stands between digits, or between a base prefix and a digit.
fn underscores_ok(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text);
    let (hex, mut after_digit, body) = match text {
        [b'0', b'x' | b'X', body @ ..] => (true, true, body),
        [b'0', b'b' | b'B' | b'o' | b'O', body @ ..] => (false, true, body),
        _ => (false, false, text),
    };
    let mut after_underscore = false;
    for c in body {
        let digit = c.is_ascii_digit() || hex && c.is_ascii_hexdigit();
        match c {
            b'_' if !after_digit => return false,
            b'_' => (),
            _ if after_underscore && !digit => return false,
            _ => (),
        }
        (after_digit, after_underscore) = (digit, *c == b'_');
    }
    !after_underscore
}

/// `strconv.ParseFloat`, to 32 or 64 bits: decimal, hexadecimal (`0x1p-2`), `inf`, `nan`. What is too small is zero.
pub fn parse_float(text: &[u8], bits: u32) -> Result<f64, NumberFault> {
    let unsigned = text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text);
    let sign = if text.starts_with(b"-") { -1.0 } else { 1.0 };
    if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        return Ok(sign * f64::INFINITY);
    }
    if text.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN);
    }
    let number = match unsigned {
        [b'0', b'x' | b'X', hex @ ..] if !hex.is_empty() => hexadecimal(hex, bits),
        _ => decimal(unsigned, bits),
    };
    let number = number.filter(|_| !text.contains(&b'_') || underscores_ok(text)).ok_or(NumberFault::Syntax)?;
    if number.is_infinite() { Err(NumberFault::Range) } else { Ok(sign * number) }
}

fn decimal(text: &[u8], bits: u32) -> Option<f64> {
    let plain: Vec<u8> = text.iter().copied().filter(|&c| c != b'_').collect();
    // Rust would also take a second sign and the words for infinity; and Go wants a digit behind the `e`, not `_`.
    let exponent = text.iter().position(|c| matches!(c, b'e' | b'E'));
    let behind = exponent.map(|at| text[at + 1..].strip_prefix(b"+").or(text[at + 1..].strip_prefix(b"-")).unwrap_or(&text[at + 1..]));
    let numeric = plain.iter().all(|c| matches!(c, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !numeric || plain.first().is_some_and(|c| matches!(c, b'+' | b'-')) || behind.is_some_and(|b| !starts_with_digit(b)) {
        return None;
    }
    let plain = std::str::from_utf8(&plain).ok()?;
    match bits {
        32 => plain.parse::<f32>().ok().map(f64::from),
        _ => plain.parse().ok(),
    }
}

fn starts_with_digit(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
}

/// What follows `0x`: digits, perhaps with a point, and the exponent of two that must be there.
fn hexadecimal(text: &[u8], bits: u32) -> Option<f64> {
    let at = text.iter().position(|c| matches!(c, b'p' | b'P'))?;
    let (digits, power) = (&text[..at], &text[at + 1..]);
    let (mut mantissa, mut exponent, mut rounded, mut point, mut any) = (0u64, 0i64, false, false, false);
    for &c in digits {
        let digit = match c {
            b'_' => continue,
            b'.' if !point => {
                point = true;
                continue;
            }
            _ => u64::from(char::from(c).to_digit(16)?),
        };
        any = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if point { 4 } else { 0 };
        } else {
            rounded |= digit != 0;
            exponent += if point { 0 } else { 4 };
        }
    }
    let unsigned = power.strip_prefix(b"+").or(power.strip_prefix(b"-")).unwrap_or(power);
    if !any || !starts_with_digit(unsigned) || !unsigned.iter().all(|c| matches!(c, b'0'..=b'9' | b'_')) {
        return None;
    }
    let steps = unsigned.iter().filter(|&&c| c != b'_').fold(0i64, |n, c| (n * 10 + i64::from(c - b'0')).min(1 << 20));
    exponent += if power.starts_with(b"-") { -steps } else { steps };

    // The sticky bit makes the one rounding right; scaling by powers of two is exact until it runs over.
    let mantissa = mantissa | u64::from(rounded);
    let mut number = if bits == 32 { f64::from(mantissa as f32) } else { mantissa as f64 };
    let mut exponent = exponent.clamp(-5000, 5000) as i32;
    while exponent != 0 {
        let step = exponent.clamp(-1000, 1000);
        number *= 2f64.powi(step);
        exponent -= step;
    }
    Some(if bits == 32 && number > f64::from(f32::MAX) { f64::INFINITY } else { number })
}

/// `time.ParseDuration`, in nanoseconds.
pub fn parse_duration(text: &[u8]) -> Result<i64, String> {
    const LIMIT: u64 = 1 << 63;
    let invalid = || format!("time: invalid duration {}", quote_time(text));
    let (negative, mut rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if rest == b"0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0u64;
    while !rest.is_empty() {
        let whole_end = rest.iter().position(|c| !c.is_ascii_digit()).unwrap_or(rest.len());
        let mut whole = 0u64;
        for digit in &rest[..whole_end] {
            whole =
                whole.checked_mul(10).and_then(|n| n.checked_add(u64::from(digit - b'0'))).filter(|&n| n <= LIMIT).ok_or_else(invalid)?;
        }
        let mut number_end = whole_end;
        let (mut fraction, mut scale, mut exact) = (0u64, 1f64, true);
        if rest.get(whole_end) == Some(&b'.') {
            number_end += 1;
            while let Some(digit @ b'0'..=b'9') = rest.get(number_end) {
                number_end += 1;
                // The digits beyond 63 bits do not count.
                let next = (fraction <= (LIMIT - 1) / 10).then(|| fraction * 10 + u64::from(digit - b'0')).filter(|&n| n <= LIMIT);
                exact &= next.is_some();
                if exact {
                    fraction = next.unwrap_or(fraction);
                    scale *= 10.0;
                }
            }
        }
        if !rest[..number_end].iter().any(u8::is_ascii_digit) {
            return Err(invalid());
        }
        rest = &rest[number_end..];
        let unit_end = rest.iter().position(|c| matches!(c, b'.' | b'0'..=b'9')).unwrap_or(rest.len());
        let (unit, behind) = rest.split_at(unit_end);
        rest = behind;
        let nanoseconds: u64 = match unit {
            b"" => return Err(format!("time: missing unit in duration {}", quote_time(text))),
            b"ns" => 1,
            b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
            b"ms" => 1_000_000,
            b"s" => 1_000_000_000,
            b"m" => 60_000_000_000,
            b"h" => 3_600_000_000_000,
            _ => return Err(format!("time: unknown unit {} in duration {}", quote_time(unit), quote_time(text))),
        };
        if whole > LIMIT / nanoseconds {
            return Err(invalid());
        }
        let part = whole * nanoseconds + (fraction as f64 * (nanoseconds as f64 / scale)) as u64;
        // Two halves of 2^64 wrap to nothing in Go, and are let through there as well.
        total = total.wrapping_add(part);
        if part > LIMIT || total > LIMIT {
            return Err(invalid());
        }
    }
    match (negative, i64::try_from(total)) {
        (false, Ok(total)) => Ok(total),
        (false, Err(_)) => Err(invalid()),
        (true, _) => Ok((total as i64).wrapping_neg()),
    }
}

/// Package `time` has a quote of its own: all but printable ASCII byte by byte in `\x`.
fn quote_time(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=0x7f => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_strconv_does() {
        assert_eq!(quote(b"a\"b\\c'"), r#""a\"b\\c'""#);
        assert_eq!(quote(b"\x07\x08\x0c\n\r\t\x0b\0\x7f\x1b"), r#""\a\b\f\n\r\t\v\x00\x7f\x1b""#);
        assert_eq!(
            quote("é\u{fffd}\u{a0}\u{ad}\u{200b}\u{10ffff}e\u{301}".as_bytes()),
            "\"é\u{fffd}\\u00a0\\u00ad\\u200b\\U0010ffffe\u{301}\""
        );
        assert_eq!(quote(b"\xff\xe2\x82x"), r#""\xff\xe2\x82x""#);
        assert_eq!(quote_rune(b'\''), r"'\''");
        assert_eq!(quote_rune(b'"'), "'\"'");
        assert_eq!(quote_rune(0xc3), "'Ã'");
        assert_eq!(quote_rune(0xff), "'Ã'");
        assert_eq!(quote_rune(0x80), "'Â'");
    }

    #[test]
    fn integers() {
        assert_eq!(parse_int(b"0x_1F", 0, 64), Ok(31));
        assert_eq!(parse_int(b"-0b11", 0, 64), Ok(-3));
        assert_eq!(parse_int(b"010", 0, 64), Ok(8));
        assert_eq!(parse_int(b"0", 0, 64), Ok(0));
        assert_eq!(parse_int(b"-9223372036854775808", 0, 64), Ok(i64::MIN));
        for wrong in ["", "-", "+-1", "0x", "08", "1_", "_1", "1__0", "1 ", "٣"] {
            assert_eq!(parse_int(wrong.as_bytes(), 0, 64), Err(NumberFault::Syntax), "{wrong}");
        }
        assert_eq!(parse_int(b"1_0", 10, 64), Err(NumberFault::Syntax));
        assert_eq!(parse_int(b"99999999999999999999x", 0, 64), Err(NumberFault::Range));
        assert_eq!(parse_int(b"9223372036854775808", 0, 64), Err(NumberFault::Range));
        assert_eq!(parse_uint(b"65536", 0, 16), Err(NumberFault::Range));
        assert_eq!(parse_uint(b"+1", 0, 16), Err(NumberFault::Syntax));
    }

    #[test]
    fn floats() {
        for (text, number) in [("1_0.5", 10.5), ("-.5", -0.5), ("5.", 5.0), ("0x1p-2", 0.25), ("0x_a.8P+1", 21.0), ("1e-400", 0.0)] {
            assert_eq!(parse_float(text.as_bytes(), 64), Ok(number), "{text}");
        }
        for wrong in ["", ".", "1e", "1e_1", "+-1", "0x1", "-nan", "1__0", "_1", "infinit", "1e5e5", "0x1p1p1", "é"] {
            assert_eq!(parse_float(wrong.as_bytes(), 64), Err(NumberFault::Syntax), "{wrong}");
        }
        assert_eq!(parse_float(b"1e309", 64), Err(NumberFault::Range));
        assert_eq!(parse_float(b"0x1p1024", 64), Err(NumberFault::Range));
        assert_eq!(parse_float(b"1e39", 32), Err(NumberFault::Range));
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration(b"1h1.5m-1s"), Err(r#"time: unknown unit "m-" in duration "1h1.5m-1s""#.into()));
        assert_eq!(parse_duration("-1.5µs".as_bytes()), Ok(-1500));
        assert_eq!(parse_duration(b"+0"), Ok(0));
        assert_eq!(parse_duration(b"1"), Err(r#"time: missing unit in duration "1""#.into()));
        assert_eq!(parse_duration("é\n".as_bytes()), Err(r#"time: invalid duration "\xc3\xa9\x0a""#.into()));
        assert_eq!(parse_duration(b"9223372036854775808ns"), Err(r#"time: invalid duration "9223372036854775808ns""#.into()));
        assert_eq!(parse_duration(b"-9223372036854775808ns"), Ok(i64::MIN));
    }

    #[test]
    fn trims_and_lowers() {
        assert_eq!(trim_space("\u{2003} a b\t\u{85}".as_bytes()), b"a b");
        assert_eq!(trim_space(b" \x85a\xa0 "), b"\x85a\xa0");
        assert_eq!(lower("ÀİK\u{212a}".as_bytes()), "àikk".as_bytes());
        assert_eq!(lower(b"A\xff"), "a\u{fffd}".as_bytes());
    }
}
