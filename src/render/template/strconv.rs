//! Numbers and texts as Go's `strconv` writes them.

/// The flag `#` of floats: a decimal point, and the zeros that `%g` leaves out.
pub(super) fn with_point(number: &str, verb: char, precision: Option<usize>) -> String {
    let (mantissa, exponent) = number.split_at(number.find(['e', 'E']).unwrap_or(number.len()));
    let mut digits = if matches!(verb, 'g' | 'G') { precision.unwrap_or(6) } else { 0 };
    let significant = mantissa.trim_start_matches(['0', '.']);
    digits = digits.saturating_sub(significant.bytes().filter(u8::is_ascii_digit).count());
    let mut shown = mantissa.to_owned();
    if !mantissa.contains('.') {
        digits = digits.saturating_sub(usize::from(mantissa == "0"));
        shown.push('.');
    }
    shown + &"0".repeat(digits) + exponent
}

/// A float by a verb of `f`, `e`, `g` or their capitals; without a precision the shortest that reads back the same.
pub(crate) fn float(f: f64, verb: char, precision: Option<usize>) -> String {
    if !f.is_finite() {
        return if f.is_nan() { "NaN".into() } else { format!("{}Inf", if f < 0.0 { '-' } else { '+' }) };
    }
    let shown = match verb.to_ascii_lowercase() {
        'f' => precision.map_or_else(|| f.to_string(), |p| format!("{f:.p$}")),
        'e' => scientific(f, precision),
        _ => {
            let digits = precision.map(|p| p.max(1));
            let long = scientific(f, digits.map(|d| d - 1));
            let (mantissa, exponent) = long.split_once('e').unwrap_or((&long, "0"));
            let exponent: i32 = exponent.parse().unwrap_or(0);
            // With a precision, `%g` leaves out the zeros at the end.
            let mantissa = if mantissa.contains('.') { mantissa.trim_end_matches('0').trim_end_matches('.') } else { mantissa };
            let count = mantissa.bytes().filter(u8::is_ascii_digit).count();
            let limit = match digits {
                None => 6,
                Some(d) if d > count && i32::try_from(count).is_ok_and(|c| c > exponent) => count,
                Some(d) => d,
            };
            if exponent < -4 || exponent >= i32::try_from(limit).unwrap_or(i32::MAX) {
                format!("{mantissa}e{}", exponent_digits(exponent))
            } else {
                let after = i32::try_from(count).unwrap_or(0) - 1 - exponent;
                format!("{f:.*}", usize::try_from(after).unwrap_or(0))
            }
        }
    };
    if verb.is_ascii_uppercase() { shown.to_ascii_uppercase() } else { shown }
}

fn scientific(f: f64, precision: Option<usize>) -> String {
    let shown = precision.map_or_else(|| format!("{f:e}"), |p| format!("{f:.p$e}"));
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    format!("{mantissa}e{}", exponent_digits(exponent.parse().unwrap_or(0)))
}

fn exponent_digits(exponent: i32) -> String {
    format!("{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// `strconv.Quote`, or `QuoteToASCII`.
pub(crate) fn quote(text: &[u8], ascii: bool) -> String {
    let mut shown = String::from("\"");
    for chunk in text.utf8_chunks() {
        chunk.valid().chars().for_each(|c| shown.push_str(&escaped(c, '"', ascii)));
        chunk.invalid().iter().for_each(|b| shown.push_str(&format!("\\x{b:02x}")));
    }
    shown.push('"');
    shown
}

/// A character as it stands between quotes.
pub(super) fn escaped(c: char, quote: char, ascii: bool) -> String {
    match c {
        '\u{7}' => "\\a".into(),
        '\u{8}' => "\\b".into(),
        '\u{c}' => "\\f".into(),
        '\n' => "\\n".into(),
        '\r' => "\\r".into(),
        '\t' => "\\t".into(),
        '\u{b}' => "\\v".into(),
        '\\' => "\\\\".into(),
        _ if c == quote => format!("\\{c}"),
        ' '..='~' => c.into(),
        _ if !ascii && is_print(c) => c.into(),
        '\0'..='\u{1f}' | '\u{7f}' => format!("\\x{:02x}", u32::from(c)),
        '\0'..='\u{ffff}' => format!("\\u{:04x}", u32::from(c)),
        _ => format!("\\U{:08x}", u32::from(c)),
    }
}

/// `unicode.IsPrint`: what Rust's `Debug` does not escape, but for the marks that it escapes at the beginning of a text.
pub(super) fn is_print(c: char) -> bool {
    match c {
        '"' | '\'' | '\\' => true,
        _ => format!("a{c}").escape_debug().count() == 2,
    }
}
