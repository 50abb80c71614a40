//! `opts.NanoCPUs`: what Go's `big.Rat` reads, if it is a whole number of billionths.

use super::super::go::lossy;

/// Accepts `1.5`, `3/2`, `0x18p-4`, `1_000e-3` … Numbers are of any length, so their digits are kept as they are.
pub fn check(text: &[u8]) -> Result<(), String> {
    match billionths(text) {
        Some(true) => Ok(()),
        Some(false) => Err("value is too precise".into()),
        None => Err(format!("failed to parse {} as a rational number", lossy(text))),
    }
}

/// Whether a billion times the number is whole; `None`, if it is no number.
fn billionths(text: &[u8]) -> Option<bool> {
    if let Some(slash) = text.iter().position(|&c| c == b'/') {
        let (dividend, rest) = mantissa(unsigned(&text[..slash]), false)?;
        let (divisor, behind) = mantissa(&text[slash + 1..], false)?;
        if !rest.is_empty() || !behind.is_empty() || divisor.number.is_zero() {
            return None;
        }
        let mut dividend = dividend.number;
        dividend.multiply_add(1_000_000_000, 0);
        return Some(divisor.number.divides(&dividend));
    }
    let (mantissa, rest) = mantissa(unsigned(text), true)?;
    let (exponent, of_ten, rest) = exponent(rest)?;
    if !rest.is_empty() {
        return None;
    }
    if mantissa.number.is_zero() {
        return Some(true);
    }
    // number · 2^twos · 5^fives
    let (mut twos, mut fives) = match mantissa.radix {
        2 => (-mantissa.fraction, 0),
        8 => (-3 * mantissa.fraction, 0),
        16 => (-4 * mantissa.fraction, 0),
        _ => (-mantissa.fraction, -mantissa.fraction),
    };
    twos = exponent.wrapping_add(twos);
    if of_ten {
        fives = exponent.wrapping_add(fives);
    }
    if fives.unsigned_abs() > 1_000_000 || twos.unsigned_abs() > 10_000_000 {
        return None;
    }
    Some(mantissa.number.divisible_by_power(2, -(twos + 9)) && mantissa.number.divisible_by_power(5, -(fives + 9)))
}

fn unsigned(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"+").or(text.strip_prefix(b"-")).unwrap_or(text)
}

struct Mantissa {
    number: Natural,
    radix: u32,
    /// Digits behind the point.
    fraction: i64,
}

/// Reads digits with Go's base prefixes and underscores, as far as they go. A bare `0` in front means octal only where no
/// point is allowed.
fn mantissa(text: &[u8], point: bool) -> Option<(Mantissa, &[u8])> {
    let (radix, octal, mut rest) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (16, false, rest),
        [b'0', b'o' | b'O', rest @ ..] => (8, false, rest),
        [b'0', b'b' | b'B', rest @ ..] => (2, false, rest),
        [b'0', rest @ ..] if !point && !rest.is_empty() => (8, true, rest),
        _ => (10, false, text),
    };
    let mut number = Natural::default();
    let (mut point, mut fraction, mut behind) = (point, 0, false);
    let (mut digits, mut separators_ok) = (0usize, true);
    // A prefix counts as a digit for the underscore behind it.
    let mut after_digit = rest.len() < text.len();
    let mut after_underscore = false;
    while let [c, next @ ..] = rest {
        match c {
            b'.' if point => {
                separators_ok &= !after_underscore;
                (point, behind, after_digit, after_underscore) = (false, true, false, false);
            }
            b'_' => {
                separators_ok &= after_digit;
                (after_digit, after_underscore) = (false, true);
            }
            _ => {
                let Some(digit) = char::from(*c).to_digit(radix) else { break };
                number.multiply_add(radix, digit);
                digits += 1;
                fraction += i64::from(behind);
                (after_digit, after_underscore) = (true, false);
            }
        }
        rest = next;
    }
    if !separators_ok || after_underscore || digits == 0 && !octal {
        return None;
    }
    Some((Mantissa { number, radix, fraction }, rest))
}

/// The exponent, whether it is one of ten (`e`) or of two (`p`), and what follows.
fn exponent(text: &[u8]) -> Option<(i64, bool, &[u8])> {
    let of_ten = match text.first() {
        Some(b'e' | b'E') => true,
        Some(b'p' | b'P') => false,
        _ => return Some((0, true, text)),
    };
    let body = unsigned(&text[1..]);
    let end = body.iter().position(|c| !matches!(c, b'0'..=b'9' | b'_')).unwrap_or(body.len());
    let (digits, rest) = body.split_at(end);
    if digits.first() == Some(&b'_') || digits.last().is_none_or(|&c| c == b'_') || digits.windows(2).any(|two| two == b"__") {
        return None;
    }
    let mut exponent = 0i64;
    for digit in digits.iter().filter(|&&c| c != b'_') {
        exponent = exponent.checked_mul(10)?.checked_sub(i64::from(digit - b'0'))?;
    }
    let exponent = if text.get(1) == Some(&b'-') { exponent } else { exponent.checked_neg()? };
    Some((exponent, of_ten, rest))
}

/// A whole number of any size: digits to the base 2^32, lowest first, none of them a leading zero.
#[derive(Clone, Default)]
struct Natural(Vec<u32>);

impl Natural {
    fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for word in &mut self.0 {
            carry += u64::from(*word) * u64::from(factor);
            *word = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    /// Divides by a small number; the remainder.
    fn divide(&mut self, divisor: u32) -> u32 {
        let mut remainder = 0u64;
        for word in self.0.iter_mut().rev() {
            let part = remainder << 32 | u64::from(*word);
            *word = (part / u64::from(divisor)) as u32;
            remainder = part % u64::from(divisor);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        remainder as u32
    }

    /// Whether a number that is not zero can be divided by `base` so many times.
    fn divisible_by_power(&self, base: u32, times: i64) -> bool {
        let mut rest = self.clone();
        (0..times).all(|_| rest.divide(base) == 0)
    }

    /// Whether `other` is a multiple of this number: long division, bit by bit.
    fn divides(&self, other: &Natural) -> bool {
        let mut remainder = Natural::default();
        for word in other.0.iter().rev() {
            for bit in (0..32).rev() {
                remainder.multiply_add(2, word >> bit & 1);
                remainder.subtract_if_not_less(self);
            }
        }
        remainder.is_zero()
    }

    fn subtract_if_not_less(&mut self, other: &Natural) {
        let not_less = self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev())).is_ge();
        if !not_less {
            return;
        }
        let mut borrow = 0i64;
        for (index, word) in self.0.iter_mut().enumerate() {
            borrow += i64::from(*word) - i64::from(other.0.get(index).copied().unwrap_or(0));
            *word = borrow as u32;
            borrow >>= 32;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::billionths;

    #[test]
    fn reads_what_go_reads() {
        for whole in [
            "1",
            "-1.5",
            "1.",
            ".5",
            "3/2",
            "0x10/010",
            "1_0.5",
            "0x1p-9",
            "0x.8",
            "1e-9",
            "15p-1",
            "0b1e3",
            "0/5",
            "0e9999999",
            "00.5",
            "0x1.8",
        ] {
            assert_eq!(billionths(whole.as_bytes()), Some(true), "{whole}");
        }
        for precise in ["1/3", "1e-10", "0.0000000001", "1p-10", "123456789012345678901234567890/17"] {
            assert_eq!(billionths(precise.as_bytes()), Some(false), "{precise}");
        }
        for wrong in [
            "",
            "-",
            "x",
            "1.5/2",
            "1/-2",
            "1/0",
            "1/",
            "/1",
            "1e",
            "1e_1",
            "1__0",
            "_1",
            "1_",
            "1_.5",
            "1._5",
            "0x",
            "0b2",
            "1 ",
            "inf",
            "1e1000001",
        ] {
            assert_eq!(billionths(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_of_any_length() {
        let long = "1".repeat(3000);
        assert_eq!(billionths(format!("{long}/{long}").as_bytes()), Some(true));
        assert_eq!(billionths(format!("{long}1/{long}").as_bytes()), Some(false));
        assert_eq!(billionths(format!("0.{}", "0".repeat(3000)).as_bytes()), Some(true));
    }
}
