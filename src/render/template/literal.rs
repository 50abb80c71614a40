//! Go's literals: numbers, characters and texts in quotes.

use super::Number;
use super::lexer::{self, Item};
use super::strconv::quote;

/// A number or character literal; the error is Go's.
pub(super) fn number(item: &Item) -> Result<Number, String> {
    let text = item.text.to_owned();
    if item.kind == lexer::Kind::CharConstant {
        let (c, rest) = unescape(&text[1..], '\'').ok_or("invalid syntax")?;
        if rest != "'" {
            return Err(format!("malformed character constant: {text}"));
        }
        let code = match c {
            Unescaped::Char(c) => u32::from(c),
            Unescaped::Byte(b) => u32::from(b),
        };
        return Ok(Number { text, int: Some(code.into()), uint: Some(code.into()), float: Some(code.into()) });
    }
    if text.ends_with('i') {
        return Err(format!("complex numbers are not supported: {}", quote(text.as_bytes(), false)));
    }
    let (negative, digits) = match text.as_bytes()[0] {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text.as_str()),
    };
    let magnitude = integer(digits);
    let mut uint = magnitude.filter(|_| digits.len() == text.len());
    let mut int = match (magnitude, negative) {
        (Some(m), false) => i64::try_from(m).ok(),
        (Some(m), true) => 0i64.checked_sub_unsigned(m),
        _ => None,
    };
    if int == Some(0) {
        uint = Some(0);
    }
    if int.is_some() || uint.is_some() {
        #[allow(clippy::cast_precision_loss)]
        let float = int.map(|i| i as f64).or(uint.map(|u| u as f64));
        return Ok(Number { text, int, uint, float });
    }
    let float = real(digits).map(|f| if negative { -f } else { f }).filter(|f| f.is_finite());
    let Some(float) = float else { return Err(format!("illegal number syntax: {}", quote(text.as_bytes(), false))) };
    if !text.contains(['.', 'e', 'E', 'p', 'P']) {
        return Err(format!("integer overflow: {}", quote(text.as_bytes(), false)));
    }
    let whole = float.fract() == 0.0;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    if whole {
        int = (-9.3e18..9.2e18).contains(&float).then_some(float as i64);
        uint = (0.0..1.8e19).contains(&float).then_some(float as u64);
    }
    Ok(Number { text, int, uint, float: Some(float) })
}

/// Go's integer literals: prefixes, a leading 0 for octal, `_` between digits.
fn integer(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (radix, digits) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let bare = underscores(digits, digits.len() < lower.len())?;
    u64::from_str_radix(&bare, radix).ok().filter(|_| !bare.starts_with('+'))
}

/// The digits without `_`, which may stand between two of them and after a prefix.
fn underscores(digits: &str, prefixed: bool) -> Option<String> {
    let good = !digits.ends_with('_') && !digits.contains("__") && (prefixed || !digits.starts_with('_'));
    good.then(|| digits.replace('_', ""))
}

fn real(text: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let Some(hex) = lower.strip_prefix("0x") else {
        let parts: Option<Vec<String>> = lower.split(['.', 'e']).map(|part| underscores(part, false)).collect();
        return parts.and_then(|_| lower.replace('_', "").parse().ok());
    };
    let (mantissa, exponent) = hex.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = u64::from_str_radix(&format!("{whole}{fraction}"), 16).ok()?;
    let shift = exponent.parse::<i32>().ok()?.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    #[allow(clippy::cast_precision_loss)]
    Some(digits as f64 * 2f64.powi(shift))
}

enum Unescaped {
    Char(char),
    Byte(u8),
}

/// A Go string literal's content.
pub(super) fn unquote(text: &str) -> Option<Vec<u8>> {
    let inner = &text[1..text.len() - 1];
    if text.starts_with('`') {
        return Some(inner.replace('\r', "").into_bytes());
    }
    let mut rest = inner;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (one, after) = unescape(rest, '"')?;
        match one {
            Unescaped::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Unescaped::Byte(b) => out.push(b),
        }
        rest = after;
    }
    Some(out)
}

/// The first character of a literal's content, and what is after it.
fn unescape(text: &str, quote: char) -> Option<(Unescaped, &str)> {
    let mut chars = text.chars();
    let first = chars.next().filter(|c| *c != quote)?;
    if first != '\\' {
        return Some((Unescaped::Char(first), chars.as_str()));
    }
    let digits = |from: usize, count: usize, radix| {
        let digits = text.get(from..from + count).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, radix).ok()
    };
    let escaped = chars.next()?;
    let simple = match escaped {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        c if c == quote => c,
        'x' => return Some((Unescaped::Byte(u8::try_from(digits(2, 2, 16)?).ok()?), &text[4..])),
        '0'..='7' => return Some((Unescaped::Byte(u8::try_from(digits(1, 3, 8)?).ok()?), &text[4..])),
        'u' => return Some((Unescaped::Char(char::from_u32(digits(2, 4, 16)?)?), &text[6..])),
        'U' => return Some((Unescaped::Char(char::from_u32(digits(2, 8, 16)?)?), &text[10..])),
        _ => return None,
    };
    Some((Unescaped::Char(simple), chars.as_str()))
}
