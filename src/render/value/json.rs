//! JSON as Go's `encoding/json` writes it: fields in the struct's order, the keys of maps sorted.

use std::ptr;

use super::time::rfc3339;
use super::{Data, NUMBER, Omit, Struct, Type, Value};
use crate::render::template::strconv::float;

/// The value in JSON by `json.Marshal`, which escapes `<`, `>` and `&`.
pub fn to_json(value: &Value) -> String {
    let mut out = String::new();
    encode(&mut out, value.typ, &value.data, true);
    out
}

/// The value in JSON as the template function `json` writes it, without escaping for HTML (docker/cli `templates/templates.go`).
/// What a row's own `MarshalJSON` wrote stays escaped.
pub fn to_json_unescaped(value: &Value) -> String {
    let mut out = String::new();
    encode(&mut out, value.typ, &value.data, false);
    out
}

pub(crate) fn encode(out: &mut String, typ: &'static Type, data: &Data, html: bool) {
    match (data, typ.under()) {
        (Data::Nil, _) => out.push_str("null"),
        (Data::Bool(it), _) => out.push_str(if *it { "true" } else { "false" }),
        (Data::Int(n), _) => out.push_str(&n.to_string()),
        (Data::Uint(n), _) => out.push_str(&n.to_string()),
        (Data::Float(f), _) => number(out, *f),
        (Data::Str(text), _) if ptr::eq(typ, &NUMBER) => out.push_str(&String::from_utf8_lossy(text)),
        (Data::Str(text), _) => string(out, text, html),
        (Data::Time(time), _) => string(out, rfc3339(time).as_bytes(), html),
        (Data::Ptr(inner), Type::Ptr(to)) => encode(out, to, inner, html),
        (Data::Any(value), _) => encode(out, value.typ, &value.data, html),
        (Data::List(items), Type::List(elem)) => {
            let mut open = '[';
            for item in items {
                out.push(open);
                open = ',';
                encode(out, elem, item, html);
            }
            out.push_str(if open == '[' { "[]" } else { "]" });
        }
        (Data::Map(entries), Type::Map(_, elem)) => {
            let mut open = '{';
            for (key, item) in entries {
                member(out, &mut open, key, html);
                encode(out, elem, item, html);
            }
            close(out, open);
        }
        (Data::Struct(fields), Type::Struct(s)) if s.row => {
            let mut open = '{';
            let mut last = "";
            let seen = |i: &usize| s.fields[*i].exported() && s.fields[*i].json != "-";
            while let Some(i) = (0..fields.len()).filter(|i| seen(i) && s.fields[*i].name > last).min_by_key(|i| s.fields[*i].name) {
                last = s.fields[i].name;
                member(out, &mut open, last, true);
                encode(out, s.fields[i].typ, &fields[i], true);
            }
            close(out, open);
        }
        (Data::Struct(fields), Type::Struct(s)) => {
            let mut open = '{';
            members(out, &mut open, s, fields, html, &|_| true);
            close(out, open);
        }
        _ => out.push_str("null"),
    }
}

/// The fields of a struct, those of embedded structs in their place; `nearest` says whether no outer struct has a field of that name.
fn members(out: &mut String, open: &mut char, s: &'static Struct, fields: &[Data], html: bool, nearest: &dyn Fn(&str) -> bool) {
    for (field, item) in s.fields.iter().zip(fields) {
        if field.embedded {
            let inner = match item {
                Data::Ptr(inner) => inner,
                other => other,
            };
            if let (Data::Struct(inner), Some(t)) = (inner, field.inner()) {
                let near = |name: &str| nearest(name) && !s.fields.iter().any(|f| !f.embedded && f.json == name);
                members(out, open, t, inner, html, &near);
            }
            continue;
        }
        let left_out = match field.omit {
            Omit::Never => false,
            Omit::Empty => empty(item),
            Omit::Zero => *item == field.typ.zero(),
        };
        if !field.exported() || field.json == "-" || left_out || !nearest(field.json) {
            continue;
        }
        member(out, open, field.json, html);
        encode(out, field.typ, item, html);
    }
}

fn empty(data: &Data) -> bool {
    match data {
        Data::Nil => true,
        Data::Bool(it) => !it,
        Data::Int(n) => *n == 0,
        Data::Uint(n) => *n == 0,
        Data::Float(f) => *f == 0.0,
        Data::Str(text) => text.is_empty(),
        Data::List(items) => items.is_empty(),
        Data::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

fn member(out: &mut String, open: &mut char, name: &str, html: bool) {
    out.push(*open);
    *open = ',';
    string(out, name.as_bytes(), html);
    out.push(':');
}

fn close(out: &mut String, open: char) {
    out.push_str(if open == '{' { "{}" } else { "}" });
}

/// A number as `json.Number` has it: as written, but for the zeros at its end, which the reader of JSON does not keep.
pub(super) fn number_text(number: &serde_json::Number) -> String {
    let mut text = String::new();
    match (number.as_i64(), number.as_u64()) {
        (Some(n), _) => text = n.to_string(),
        (None, Some(n)) => text = n.to_string(),
        _ => self::number(&mut text, number.as_f64().unwrap_or_default()),
    }
    text
}

/// ES6's form of a number, as Go has it.
fn number(out: &mut String, f: f64) {
    let exponent = f != 0.0 && !(1e-6..1e21).contains(&f.abs());
    let text = float(f, if exponent { 'e' } else { 'f' }, None);
    out.push_str(&text.replace("e-0", "e-"));
}

fn string(out: &mut String, text: &[u8], html: bool) {
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{c}' => out.push_str("\\f"),
                '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                '<' | '>' | '&' if html => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                _ => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|_| out.push_str("\\ufffd"));
    }
    out.push('"');
}
