//! Go's `fmt` for the values of templates: `Sprint` and its kin, and `Sprintf` with flags, widths, precisions and its own error texts.

use super::strconv::{escaped, float, is_print, quote, with_point};
use crate::render::value::{Data, Type};

/// What `fmt` is given: a value, or nil.
pub(super) type Arg<'a> = Option<(&'static Type, &'a Data)>;

/// What stands for the address of something, which is another one in each run of Go.
const ADDRESS: u64 = 0x00c0_0001_0000;

#[derive(Default, Clone, Copy)]
struct Flags {
    width: Option<usize>,
    precision: Option<usize>,
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    /// `%+v` and `%#v`.
    plus_v: bool,
    sharp_v: bool,
}

#[derive(Default)]
struct Printer {
    out: Vec<u8>,
    flags: Flags,
    /// Writing an error text: nothing prints itself.
    erring: bool,
}

/// `fmt.Sprint`: blanks between two operands that are both no strings.
pub(super) fn print(args: &[Arg]) -> Vec<u8> {
    let mut printer = Printer::default();
    let mut after_text = true;
    for arg in args {
        let text = arg.is_some_and(|(typ, _)| matches!(typ.under(), Type::Str));
        if !text && !after_text {
            printer.out.push(b' ');
        }
        printer.arg(*arg, 'v');
        after_text = text;
    }
    printer.out
}

/// `fmt.Sprintln`.
pub(super) fn println(args: &[Arg]) -> Vec<u8> {
    let mut printer = Printer::default();
    for (i, arg) in args.iter().enumerate() {
        printer.text(if i > 0 { " " } else { "" });
        printer.arg(*arg, 'v');
    }
    printer.out.push(b'\n');
    printer.out
}

/// One value by one verb, as Go's own error texts have them.
pub(super) fn one(arg: Arg, verb: char) -> String {
    let mut printer = Printer::default();
    printer.arg(arg, verb);
    String::from_utf8_lossy(&printer.out).into_owned()
}

/// `fmt.Sprintf`.
pub(super) fn printf(format: &[u8], args: &[Arg]) -> Vec<u8> {
    let mut run = Run { format, i: 0, args, next: 0, reordered: false, after_index: false, good_index: true };
    let mut printer = Printer::default();
    while run.i < format.len() {
        let text = format[run.i..].iter().position(|b| *b == b'%').map_or(format.len(), |n| run.i + n);
        printer.out.extend_from_slice(&format[run.i..text]);
        run.i = text + 1;
        if text < format.len() {
            run.verb(&mut printer);
        }
    }
    if !run.reordered && run.next < args.len() {
        printer.flags = Flags::default();
        printer.text("%!(EXTRA ");
        for (i, arg) in args[run.next..].iter().enumerate() {
            printer.text(if i > 0 { ", " } else { "" });
            match arg {
                None => printer.text("<nil>"),
                Some((typ, _)) => {
                    printer.text(&typ.name());
                    printer.text("=");
                    printer.arg(*arg, 'v');
                }
            }
        }
        printer.text(")");
    }
    printer.out
}

/// A format on its way.
struct Run<'a> {
    format: &'a [u8],
    i: usize,
    args: &'a [Arg<'a>],
    next: usize,
    reordered: bool,
    after_index: bool,
    good_index: bool,
}

impl Run<'_> {
    fn byte(&self) -> Option<u8> {
        self.format.get(self.i).copied()
    }

    fn verb(&mut self, printer: &mut Printer) {
        let mut flags = Flags::default();
        self.good_index = true;
        self.after_index = false;
        while let Some(b) = self.byte() {
            match b {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.i += 1;
        }
        self.index();
        if self.byte() == Some(b'*') {
            self.i += 1;
            let width = self.int();
            if width.is_none() {
                printer.text("%!(BADWIDTH)");
            }
            flags.width = width.map(i64::unsigned_abs).and_then(|w| usize::try_from(w).ok());
            if width.is_some_and(|w| w < 0) {
                flags.minus = true;
                flags.zero = false;
            }
            self.after_index = false;
        } else {
            flags.width = self.number();
            if self.after_index && flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.byte() == Some(b'.') && self.i + 1 < self.format.len() {
            self.i += 1;
            if self.after_index {
                self.good_index = false;
            }
            self.index();
            if self.byte() == Some(b'*') {
                self.i += 1;
                flags.precision = self.int().and_then(|p| usize::try_from(p).ok());
                if flags.precision.is_none() {
                    printer.text("%!(BADPREC)");
                }
                self.after_index = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !self.after_index {
            self.index();
        }
        let Some(verb) = self.character() else { return printer.text("%!(NOVERB)") };
        if verb == 'v' {
            flags.sharp_v = std::mem::take(&mut flags.sharp);
            flags.plus_v = std::mem::take(&mut flags.plus);
        }
        printer.flags = flags;
        if verb == '%' {
            printer.text("%");
        } else if !self.good_index {
            printer.text(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(arg) = self.args.get(self.next) {
            printer.arg(*arg, verb);
            self.next += 1;
        } else {
            printer.text(&format!("%!{verb}(MISSING)"));
        }
    }

    fn character(&mut self) -> Option<char> {
        let rest = &self.format[self.i.min(self.format.len())..];
        let chunk = rest.utf8_chunks().next()?;
        let c = chunk.valid().chars().next();
        self.i += c.map_or(1, char::len_utf8);
        Some(c.unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// A width or precision; one that is absurd ends the format.
    fn number(&mut self) -> Option<usize> {
        let digits = self.format[self.i.min(self.format.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.format[self.i..self.i + digits]).unwrap_or_default();
        self.i += digits;
        let number = text.parse::<usize>().ok()?;
        if number > 10_000_009 {
            self.i = self.format.len();
            return None;
        }
        Some(number)
    }

    /// A width or precision that is an argument.
    fn int(&mut self) -> Option<i64> {
        let arg = self.args.get(self.next)?;
        self.next += 1;
        let number = match arg {
            Some((_, Data::Int(n))) => *n,
            Some((_, Data::Uint(n))) => i64::try_from(*n).ok()?,
            _ => return None,
        };
        (number.abs() <= 1_000_000).then_some(number)
    }

    /// `[n]`: the argument to take.
    fn index(&mut self) {
        self.after_index = false;
        if self.byte() != Some(b'[') {
            return;
        }
        self.reordered = true;
        self.after_index = true;
        let rest = &self.format[self.i..];
        let Some(end) = rest.iter().position(|b| *b == b']') else {
            self.good_index = false;
            self.after_index = false;
            self.i += 1;
            return;
        };
        let number = std::str::from_utf8(&rest[1..end]).ok().and_then(|n| n.parse::<usize>().ok());
        self.i += end + 1;
        match number {
            Some(n) if (1..=self.args.len()).contains(&n) => self.next = n - 1,
            other => {
                self.good_index = false;
                self.after_index = other.is_some();
            }
        }
    }
}

impl Printer {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A whole argument.
    fn arg(&mut self, arg: Arg, verb: char) {
        match (arg, verb) {
            (Some((Type::Any, Data::Any(value))), _) => self.arg(Some((value.typ, &value.data)), verb),
            (None | Some((Type::Any, _)), 'T' | 'v') => self.pad(b"<nil>"),
            (None | Some((Type::Any, _)), _) => self.text(&format!("%!{verb}(<nil>)")),
            (Some((typ, _)), 'T') => self.string(typ.name().as_bytes()),
            (Some((typ, data)), 'p') if matches!(typ.under(), Type::List(_) | Type::Map(..) | Type::Ptr(_)) => {
                let sharp = !self.flags.sharp;
                self.hexadecimal(if *data == Data::Nil { 0 } else { ADDRESS }, sharp);
            }
            (Some((typ, data)), _) => self.value(typ, data, verb, 0),
        }
    }

    fn value(&mut self, typ: &'static Type, data: &Data, verb: char, depth: usize) {
        if matches!(verb, 'v' | 's' | 'x' | 'X' | 'q') && !self.erring && !self.flags.sharp_v {
            if let Some(text) = own_text(typ, data) {
                return self.verb_string(&text, verb);
            }
        }
        match (data, typ.under()) {
            (Data::Bool(it), _) if matches!(verb, 't' | 'v') => self.pad(if *it { b"true" } else { b"false" }),
            (Data::Int(n), _) if INTEGER.contains(verb) => self.integer(n.unsigned_abs(), *n < 0, true, verb),
            (Data::Uint(n), _) if INTEGER.contains(verb) => self.integer(*n, false, false, verb),
            (Data::Float(f), _) if "vgGfFeE".contains(verb) => self.float(*f, verb),
            (Data::Str(text), _) if "vsxXq".contains(verb) => self.verb_string(text, verb),
            (Data::Any(value), _) => self.value(value.typ, &value.data, verb, depth + 1),
            (Data::Nil, Type::Any) if self.flags.sharp_v => self.text("interface {}(nil)"),
            (Data::Nil, Type::Any) => self.text("<nil>"),
            (Data::Ptr(inner), Type::Ptr(to)) if depth == 0 && composite(to) => {
                self.text("&");
                self.value(to, inner, verb, depth + 1);
            }
            (Data::Ptr(_) | Data::Nil, Type::Ptr(_)) => self.pointer(typ, data, verb),
            (Data::Nil, Type::List(_) | Type::Map(..)) if self.flags.sharp_v => self.text(&format!("{}(nil)", typ.name())),
            (Data::List(_) | Data::Nil, Type::List(elem)) => {
                let items: &[Data] = if let Data::List(items) = data { items } else { &[] };
                self.items(typ, "[", items.iter(), |printer, item| printer.value(elem, item, verb, depth + 1));
            }
            (Data::Map(_) | Data::Nil, Type::Map(key, elem)) => {
                let empty = std::collections::BTreeMap::new();
                let entries = if let Data::Map(entries) = data { entries } else { &empty };
                self.items(typ, "map[", entries.iter(), |printer, (name, item)| {
                    printer.value(key, &Data::from(name.as_str()), verb, depth + 1);
                    printer.text(":");
                    printer.value(elem, item, verb, depth + 1);
                });
            }
            (Data::Struct(fields), Type::Struct(s)) => {
                let named = self.flags.plus_v || self.flags.sharp_v;
                self.items(typ, "{", s.fields.iter().zip(fields), |printer, (field, item)| {
                    if named {
                        printer.text(field.name);
                        printer.text(":");
                    }
                    match item {
                        Data::Any(value) => printer.value(value.typ, &value.data, verb, depth + 1),
                        item => printer.value(field.typ, item, verb, depth + 1),
                    }
                });
            }
            (Data::Time(_), _) if verb == 'v' => self.string(&own_text(typ, data).unwrap_or_default()),
            _ if verb == 'v' => self.text("<nil>"),
            _ => self.bad_verb(typ, data, verb),
        }
    }

    /// What a list, map or struct has in it.
    fn items<T>(&mut self, typ: &Type, open: &str, items: impl Iterator<Item = T>, mut item: impl FnMut(&mut Printer, T)) {
        let sharp = self.flags.sharp_v;
        if sharp {
            self.text(&typ.name());
        }
        self.text(if sharp { "{" } else { open });
        for (i, it) in items.enumerate() {
            self.text(match (i, sharp) {
                (0, _) => "",
                (_, true) => ", ",
                _ => " ",
            });
            item(self, it);
        }
        self.text(if sharp || open == "{" { "}" } else { "]" });
    }

    fn pointer(&mut self, typ: &'static Type, data: &Data, verb: char) {
        let nil = *data == Data::Nil;
        let address = if nil { 0 } else { ADDRESS };
        match verb {
            'v' if self.flags.sharp_v => {
                self.text(&format!("({})(", typ.name()));
                if nil {
                    self.text("nil")
                } else {
                    self.hexadecimal(address, true)
                }
                self.text(")");
            }
            'v' if nil => self.pad(b"<nil>"),
            'v' => self.hexadecimal(address, !self.flags.sharp),
            'b' | 'o' | 'd' | 'x' | 'X' => self.integer(address, false, false, verb),
            _ => self.bad_verb(typ, data, verb),
        }
    }

    /// What Go writes where a verb does not fit a value.
    fn bad_verb(&mut self, typ: &'static Type, data: &Data, verb: char) {
        self.text(&format!("%!{verb}({}=", typ.name()));
        let erring = std::mem::replace(&mut self.erring, true);
        self.value(typ, data, 'v', 0);
        self.erring = erring;
        self.text(")");
    }

    fn hexadecimal(&mut self, number: u64, prefix: bool) {
        let sharp = std::mem::replace(&mut self.flags.sharp, prefix);
        self.digits(format!("{number:x}"), "0x", false);
        self.flags.sharp = sharp;
    }

    fn pad(&mut self, bytes: &[u8]) {
        let length = bytes.utf8_chunks().map(|c| c.valid().chars().count() + c.invalid().len()).sum();
        let missing = self.flags.width.unwrap_or(0).saturating_sub(length);
        let zero = self.flags.zero && !self.flags.minus;
        let padding = std::iter::repeat_n(if zero { b'0' } else { b' ' }, missing);
        if self.flags.minus {
            self.out.extend_from_slice(bytes);
            self.out.extend(padding);
        } else {
            self.out.extend(padding);
            self.out.extend_from_slice(bytes);
        }
    }

    /// Without padding by zeros, which has been done.
    fn pad_blank(&mut self, bytes: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(bytes);
        self.flags.zero = zero;
    }

    /// The bytes of the first characters, as many as the precision says.
    fn truncated<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        let Some(precision) = self.flags.precision else { return text };
        let mut left = precision;
        let mut end = 0;
        for chunk in text.utf8_chunks() {
            let lengths = chunk.valid().chars().map(char::len_utf8).chain(chunk.invalid().iter().map(|_| 1));
            for length in lengths {
                if left == 0 {
                    return &text[..end];
                }
                left -= 1;
                end += length;
            }
        }
        text
    }

    fn string(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        self.pad(text);
    }

    fn verb_string(&mut self, text: &[u8], verb: char) {
        match verb {
            'x' | 'X' => self.bytes(text, verb == 'X'),
            'q' => self.quoted(text),
            'v' if self.flags.sharp_v => self.quoted(text),
            _ => self.string(text),
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        let text = self.truncated(text);
        let raw = std::str::from_utf8(text)
            .ok()
            .filter(|t| t.chars().all(|c| c == '\t' || !(c < ' ' || c == '`' || c == '\u{7f}' || c == '\u{feff}')));
        match raw {
            Some(raw) if self.flags.sharp => self.pad(format!("`{raw}`").as_bytes()),
            _ => self.pad(quote(text, self.flags.plus).as_bytes()),
        }
    }

    /// Text in hexadecimal.
    fn bytes(&mut self, text: &[u8], upper: bool) {
        let text = &text[..self.flags.precision.unwrap_or(text.len()).min(text.len())];
        let prefix = match (self.flags.sharp, upper) {
            (true, true) => "0X",
            (true, false) => "0x",
            _ => "",
        };
        let mut shown = String::new();
        for (i, byte) in text.iter().enumerate() {
            if i > 0 && self.flags.space {
                shown.push(' ');
            }
            if i == 0 || self.flags.space {
                shown.push_str(prefix);
            }
            shown.push_str(&if upper { format!("{byte:02X}") } else { format!("{byte:02x}") });
        }
        self.pad(shown.as_bytes());
    }

    fn integer(&mut self, magnitude: u64, negative: bool, signed: bool, verb: char) {
        match verb {
            'v' if self.flags.sharp_v && !signed => self.hexadecimal(magnitude, true),
            'b' => self.digits(format!("{magnitude:b}"), "0b", negative),
            'o' => self.digits(format!("{magnitude:o}"), "0", negative),
            'O' => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(format!("{magnitude:o}"), "0o", negative);
                self.flags.sharp = sharp;
            }
            'x' => self.digits(format!("{magnitude:x}"), "0x", negative),
            'X' => self.digits(format!("{magnitude:X}"), "0X", negative),
            'c' | 'q' | 'U' => self.code(if negative { magnitude.wrapping_neg() } else { magnitude }, verb),
            _ => self.digits(magnitude.to_string(), "", negative),
        }
    }

    /// An integer as the character that it is the code of.
    fn code(&mut self, code: u64, verb: char) {
        let valid = u32::try_from(code).ok().and_then(char::from_u32);
        let c = valid.unwrap_or(char::REPLACEMENT_CHARACTER);
        match verb {
            'c' => self.pad(c.to_string().as_bytes()),
            'q' => {
                let shown = escaped(c, '\'', self.flags.plus);
                self.pad(format!("'{shown}'").as_bytes());
            }
            _ => {
                let digits = self.flags.precision.unwrap_or(4).max(4);
                let mut shown = format!("U+{code:0digits$X}");
                if let Some(c) = valid.filter(|c| self.flags.sharp && is_print(*c)) {
                    shown.push_str(&format!(" '{c}'"));
                }
                self.pad_blank(shown.as_bytes());
            }
        }
    }

    fn digits(&mut self, mut digits: String, prefix: &str, negative: bool) {
        let flags = self.flags;
        let sign = match (negative, flags.plus, flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let least = match (flags.precision, flags.width) {
            (Some(0), _) if digits == "0" => return self.pad_blank(b""),
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => width.saturating_sub(sign.len()),
            _ => 0,
        };
        if digits.len() < least {
            digits.insert_str(0, &"0".repeat(least - digits.len()));
        }
        let prefix = if flags.sharp && !(prefix == "0" && digits.starts_with('0')) { prefix } else { "" };
        self.pad_blank(format!("{sign}{prefix}{digits}").as_bytes());
    }

    fn float(&mut self, f: f64, verb: char) {
        let flags = self.flags;
        let verb = match verb {
            'v' => 'g',
            'F' => 'f',
            other => other,
        };
        let precision = flags.precision.or(if matches!(verb, 'f' | 'e' | 'E') { Some(6) } else { None });
        let number = float(f.abs(), verb, precision);
        let sign = match (f.is_sign_negative() && !f.is_nan(), flags.plus, flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        if !f.is_finite() {
            let sign = if sign.is_empty() && f.is_infinite() { "+" } else { sign };
            return self.pad_blank(format!("{sign}{}", if f.is_nan() { "NaN" } else { "Inf" }).as_bytes());
        }
        let number = if flags.sharp { with_point(&number, verb, precision) } else { number };
        match flags.width {
            Some(width) if flags.zero && !flags.minus && !sign.is_empty() => {
                let zeros = "0".repeat(width.saturating_sub(number.len() + 1));
                self.text(&format!("{sign}{zeros}{number}"));
            }
            _ => self.pad(format!("{sign}{number}").as_bytes()),
        }
    }
}

const INTEGER: &str = "vdboOxXcqU";

fn composite(typ: &'static Type) -> bool {
    matches!(typ.under(), Type::List(_) | Type::Map(..) | Type::Struct(_) | Type::Time)
}

/// What a value says of itself: its method `String`.
pub(super) fn own_text(typ: &'static Type, data: &Data) -> Option<Vec<u8>> {
    let method = typ.methods().iter().find(|m| m.name == "String" && m.params.is_empty())?;
    let receiver = match data {
        Data::Ptr(inner) => inner,
        Data::Nil if matches!(typ, Type::Ptr(_)) => return Some(b"<nil>".to_vec()),
        other => other,
    };
    match (method.call)(receiver, &[]) {
        Ok(Data::Str(text)) => Some(text),
        _ => None,
    }
}
