//! The functions of templates: Go's own, and those of Docker's client (docker/cli `templates/templates.go`).

use std::cmp::Ordering;

use super::Functions;
use super::printf;
use super::strconv::is_print;
use super::val::{Maybe, Val, at, entry, truth};
use crate::render::html_safe;
use crate::render::value::{BOOL, Data, INT, STRING, STRINGS, Type, Value, to_json_unescaped};

/// What a parameter takes.
#[derive(Clone, Copy)]
pub(super) enum Param {
    /// Values of a type.
    Of(&'static Type),
    /// Any value, seen by reflection: one in an interface is still in it.
    Value,
}

pub(super) enum Function {
    /// `and` and `or`, which leave arguments out.
    Choice,
    Plain(fn(&[Maybe<'_>]) -> Result<Out, String>),
    /// One that gives a part of its arguments.
    Part(for<'a> fn(&[Maybe<'a>]) -> Result<Maybe<'a>, String>),
    /// `call`, which wants its argument as written.
    Call,
}

/// What functions give.
pub(super) enum Out {
    Text(Vec<u8>),
    Bool(bool),
    Int(usize),
    Texts(Vec<Data>),
}

pub(super) struct Entry {
    name: &'static str,
    pub params: &'static [Param],
    /// The parameter that may be repeated.
    pub more: Option<Param>,
    pub call: Function,
}

const ANY: Param = Param::Of(&Type::Any);
const TEXT: Param = Param::Of(&STRING);
const WHOLE: Param = Param::Of(&INT);
const VALUE: Param = Param::Value;

const fn entry_of(name: &'static str, params: &'static [Param], more: Option<Param>, call: Function) -> Entry {
    Entry { name, params, more, call }
}

static BASIC: &[Entry] = &[
    entry_of("and", &[VALUE], Some(VALUE), Function::Choice),
    entry_of("or", &[VALUE], Some(VALUE), Function::Choice),
    entry_of("call", &[VALUE], Some(VALUE), Function::Call),
    entry_of("html", &[], Some(ANY), Function::Plain(|args| Ok(Out::Text(html(&joined(args)))))),
    entry_of("js", &[], Some(ANY), Function::Plain(|args| Ok(Out::Text(js(&joined(args)))))),
    entry_of("urlquery", &[], Some(ANY), Function::Plain(|args| Ok(Out::Text(urlquery(&joined(args)))))),
    entry_of("index", &[VALUE], Some(VALUE), Function::Part(index)),
    entry_of("slice", &[VALUE], Some(VALUE), Function::Part(slice)),
    entry_of("len", &[VALUE], None, Function::Plain(len)),
    entry_of("not", &[VALUE], None, Function::Plain(|args| Ok(Out::Bool(!truth(&args[0]))))),
    entry_of("print", &[], Some(ANY), Function::Plain(|args| Ok(Out::Text(printf::print(&operands(args)))))),
    entry_of("println", &[], Some(ANY), Function::Plain(|args| Ok(Out::Text(printf::println(&operands(args)))))),
    entry_of("printf", &[TEXT], Some(ANY), Function::Plain(|args| Ok(Out::Text(printf::printf(text(args, 0), &operands(&args[1..])))))),
    entry_of("eq", &[VALUE], Some(VALUE), Function::Plain(|args| equal(args).map(Out::Bool))),
    entry_of("ne", &[VALUE, VALUE], None, Function::Plain(|args| equal(args).map(|it| Out::Bool(!it)))),
    entry_of("lt", &[VALUE, VALUE], None, Function::Plain(|args| less(args).map(Out::Bool))),
    entry_of("le", &[VALUE, VALUE], None, Function::Plain(|args| Ok(Out::Bool(less(args)? || equal(args)?)))),
    entry_of("gt", &[VALUE, VALUE], None, Function::Plain(|args| Ok(Out::Bool(!(less(args)? || equal(args)?))))),
    entry_of("ge", &[VALUE, VALUE], None, Function::Plain(|args| less(args).map(|it| Out::Bool(!it)))),
    entry_of("json", &[ANY], None, Function::Plain(json)),
    entry_of("split", &[TEXT, TEXT], None, Function::Plain(|args| Ok(Out::Texts(split(text(args, 0), text(args, 1)))))),
    entry_of("join", &[Param::Of(&STRINGS), TEXT], None, Function::Plain(join)),
    entry_of("title", &[TEXT], None, Function::Plain(|args| Ok(Out::Text(title(text(args, 0)))))),
    entry_of("lower", &[TEXT], None, Function::Plain(|args| Ok(Out::Text(mapped(text(args, 0), lower))))),
    entry_of("upper", &[TEXT], None, Function::Plain(|args| Ok(Out::Text(mapped(text(args, 0), upper))))),
    entry_of("pad", &[TEXT, WHOLE, WHOLE], None, Function::Plain(pad)),
    entry_of("truncate", &[TEXT, WHOLE], None, Function::Plain(truncate)),
    entry_of("getDetailsOrder", &[VALUE], None, Function::Plain(details_order)),
];

/// In a header, these leave the column's name as it is.
static HEADER: &[Entry] = &[
    entry_of("json", &[TEXT], None, Function::Part(same)),
    entry_of("split", &[TEXT, TEXT], None, Function::Part(same)),
    entry_of("join", &[TEXT, TEXT], None, Function::Part(same)),
    entry_of("title", &[TEXT], None, Function::Part(same)),
    entry_of("lower", &[TEXT], None, Function::Part(same)),
    entry_of("upper", &[TEXT], None, Function::Part(same)),
    entry_of("truncate", &[TEXT, WHOLE], None, Function::Part(same)),
];

static INDENTED: &[Entry] = &[entry_of("json", &[ANY], None, Function::Plain(indented_json))];

/// Whether a template of a name has a function: `docker version` has one of its own.
pub(super) fn exists(name: &str, template: &str) -> bool {
    find(name, Functions::Basic).is_some() && (name != "getDetailsOrder" || template == "version")
}

pub(super) fn find(name: &str, functions: Functions) -> Option<&'static Entry> {
    let special: &[Entry] = match functions {
        Functions::Basic => &[],
        Functions::Indented => INDENTED,
        Functions::Header => HEADER,
    };
    special.iter().chain(BASIC).find(|entry| entry.name == name)
}

/// Calls a function; `written` is its first argument as the template has it.
pub(super) fn call<'a>(entry: &Entry, written: Option<String>, args: Vec<Maybe<'a>>) -> Result<Maybe<'a>, String> {
    let out = match &entry.call {
        Function::Plain(plain) => plain(&args)?,
        Function::Part(part) => return part(&args),
        Function::Choice | Function::Call => {
            return Err(match concrete(&args[0]) {
                None => "call of nil".into(),
                Some(val) => {
                    let name = val.typ.name();
                    let piped = || match &*val.data {
                        Data::Str(text) => String::from_utf8_lossy(text).into_owned(),
                        _ => format!("<{name} Value>"),
                    };
                    format!("non-function {} of type {name}", written.unwrap_or_else(piped))
                }
            });
        }
    };
    Ok(Some(match out {
        Out::Text(text) => Val::new(&STRING, Data::Str(text)),
        Out::Bool(it) => Val::new(&BOOL, Data::Bool(it)),
        Out::Int(n) => Val::new(&INT, Data::Int(i64::try_from(n).unwrap_or(i64::MAX))),
        Out::Texts(list) => Val::new(&STRINGS, Data::List(list)),
    }))
}

/// A value as the template prints it: what is behind pointers, `<no value>` for none.
pub(super) fn printed(val: &Maybe) -> Vec<u8> {
    match printable(val) {
        None => b"<no value>".to_vec(),
        Some(val) => printf::print(&[val.arg()]),
    }
}

fn printable<'a>(val: &Maybe<'a>) -> Maybe<'a> {
    let val = val.clone()?;
    Some(if matches!(val.typ.under(), Type::Ptr(_)) { val.indirect().0 } else { val })
}

fn concrete<'a>(val: &Maybe<'a>) -> Maybe<'a> {
    val.clone().and_then(Val::unwrapped)
}

fn operands<'v>(args: &'v [Maybe<'_>]) -> Vec<printf::Arg<'v>> {
    args.iter().map(|val| val.as_ref().and_then(Val::arg)).collect()
}

/// The text of the operands of `html`, `js` and `urlquery`.
fn joined(args: &[Maybe]) -> Vec<u8> {
    let missing = Data::from("<no value>");
    let shown: Vec<Maybe> = args.iter().map(printable).collect();
    printf::print(&shown.iter().map(|val| val.as_ref().map_or(Some((&STRING, &missing)), Val::arg)).collect::<Vec<_>>())
}

fn text<'v>(args: &'v [Maybe<'_>], i: usize) -> &'v [u8] {
    match args.get(i).and_then(Option::as_ref).map(|val| &*val.data) {
        Some(Data::Str(text)) => text,
        _ => &[],
    }
}

fn int(args: &[Maybe], i: usize) -> i64 {
    match args.get(i).and_then(Option::as_ref).map(|val| &*val.data) {
        Some(Data::Int(n)) => *n,
        _ => 0,
    }
}

fn same<'a>(args: &[Maybe<'a>]) -> Result<Maybe<'a>, String> {
    Ok(args[0].clone())
}

/// An index into something of a length, which may be the length itself.
fn position(index: &Maybe, length: usize) -> Result<usize, String> {
    let Some(index) = index else { return Err("cannot index slice/array with nil".into()) };
    #[allow(clippy::cast_possible_wrap)]
    let at = match &*index.data {
        Data::Int(n) => *n,
        Data::Uint(n) => *n as i64,
        _ => return Err(format!("cannot index slice/array with type {}", index.typ.name())),
    };
    usize::try_from(at).ok().filter(|at| *at <= length).ok_or(format!("index out of range: {at}"))
}

fn index<'a>(args: &[Maybe<'a>]) -> Result<Maybe<'a>, String> {
    let Some(mut item) = args[0].clone() else { return Err("index of untyped nil".into()) };
    if concrete(&args[0]).is_none() {
        return Err("index of untyped nil".into());
    }
    for index in args[1..].iter().map(concrete) {
        let (whole, nil) = item.indirect();
        if nil {
            return Err("index of nil pointer".into());
        }
        let found = match (&*whole.data, whole.typ.under()) {
            (Data::Str(text), _) => {
                let byte = text.get(position(&index, text.len())?).ok_or("reflect: string index out of range")?;
                Some(Val::new(&Type::Uint("uint8"), Data::Uint((*byte).into())))
            }
            (Data::List(_) | Data::Nil, Type::List(elem)) => {
                let length = if let Data::List(items) = &*whole.data { items.len() } else { 0 };
                Some(at(&whole, elem, position(&index, length)?).ok_or("reflect: slice index out of range")?)
            }
            (_, Type::Map(key, elem)) => {
                let Some(name) = index else { return Err(format!("value is nil; should be of type {}", key.name())) };
                match &*name.data {
                    Data::Str(text) if name.typ.assignable(key) => {
                        let found = entry(&whole, elem, &String::from_utf8_lossy(text));
                        found.or_else(|| Some(Val::new(elem, elem.zero())))
                    }
                    _ => return Err(format!("value has type {}; should be {}", name.typ.name(), key.name())),
                }
            }
            _ => return Err(format!("can't index item of type {}", whole.typ.name())),
        };
        item = found.ok_or("index of untyped nil")?;
    }
    Ok(Some(item))
}

fn slice<'a>(args: &[Maybe<'a>]) -> Result<Maybe<'a>, String> {
    let Some(item) = concrete(&args[0]) else { return Err("slice of untyped nil".into()) };
    let indexes = &args[1..];
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match (&*item.data, item.typ.under()) {
        (Data::Str(_), _) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        (Data::Str(text), _) => text.len(),
        (Data::List(items), _) => items.len(),
        (Data::Nil, Type::List(_)) => 0,
        _ => return Err(format!("can't slice item of type {}", item.typ.name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = position(index, length)?;
    }
    let [from, to, most] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if to > most {
        return Err(format!("invalid slice index: {to} > {most}"));
    }
    let data = match &*item.data {
        Data::Str(text) => Data::Str(text[from..to].to_vec()),
        Data::List(items) => Data::List(items[from..to].to_vec()),
        _ => Data::Nil,
    };
    Ok(Some(Val::new(item.typ, data)))
}

fn len(args: &[Maybe]) -> Result<Out, String> {
    let Some(val) = args[0].clone() else { return Err("reflect: call of reflect.Value.Type on zero Value".into()) };
    let (val, nil) = val.indirect();
    if nil {
        return Err("len of nil pointer".into());
    }
    match (&*val.data, val.typ.under()) {
        (Data::Str(text), _) => Ok(Out::Int(text.len())),
        (Data::List(items), _) => Ok(Out::Int(items.len())),
        (Data::Map(entries), _) => Ok(Out::Int(entries.len())),
        (Data::Nil, Type::List(_) | Type::Map(..)) => Ok(Out::Int(0)),
        _ => Err(format!("len of type {}", val.typ.name())),
    }
}

/// The kinds that Go's templates compare.
#[derive(PartialEq, Clone, Copy)]
enum Basic {
    Bool,
    Int,
    Uint,
    Float,
    Text,
    Other,
}

fn basic(val: &Maybe) -> Basic {
    match val.as_ref().map(|val| &*val.data) {
        Some(Data::Bool(_)) => Basic::Bool,
        Some(Data::Int(_)) => Basic::Int,
        Some(Data::Uint(_)) => Basic::Uint,
        Some(Data::Float(_)) => Basic::Float,
        Some(Data::Str(_)) => Basic::Text,
        _ => Basic::Other,
    }
}

const INCOMPATIBLE: &str = "incompatible types for comparison";

/// The order of two values; they have none where their kinds differ.
fn order(a: &Data, b: &Data) -> Option<Ordering> {
    match (a, b) {
        (Data::Bool(a), Data::Bool(b)) => Some(a.cmp(b)),
        (Data::Int(a), Data::Int(b)) => Some(a.cmp(b)),
        (Data::Uint(a), Data::Uint(b)) => Some(a.cmp(b)),
        (Data::Int(a), Data::Uint(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Uint(a), Data::Int(b)) => Some(i128::from(*a).cmp(&i128::from(*b))),
        (Data::Float(a), Data::Float(b)) => a.partial_cmp(b),
        (Data::Str(a), Data::Str(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn numbers(a: Basic, b: Basic) -> bool {
    matches!((a, b), (Basic::Int, Basic::Uint) | (Basic::Uint, Basic::Int))
}

fn equal(args: &[Maybe]) -> Result<bool, String> {
    let first = concrete(&args[0]);
    let kind = basic(&first);
    if args.len() == 1 {
        return Err("missing argument for comparison".into());
    }
    for other in args[1..].iter().map(concrete) {
        let same = basic(&other);
        let (a, b) = match (&first, &other) {
            (Some(a), Some(b)) => (a, b),
            // Nil is the same as nil of any type.
            (a, b) => {
                let nil = |val: &Maybe| val.as_ref().is_none_or(|val| *val.data == Data::Nil);
                if kind == same && nil(a) && nil(b) {
                    return Ok(true);
                }
                continue;
            }
        };
        if kind != same && !numbers(kind, same) {
            return Err(INCOMPATIBLE.into());
        }
        let equal = if kind == Basic::Other { others_equal(a, b)? } else { order(&a.data, &b.data) == Some(Ordering::Equal) };
        if equal {
            return Ok(true);
        }
    }
    Ok(false)
}

fn others_equal(a: &Val, b: &Val) -> Result<bool, String> {
    let nil = |val: &Val| *val.data == Data::Nil;
    if std::mem::discriminant(a.typ.under()) != std::mem::discriminant(b.typ.under()) {
        let (one, other) = (printf::one(a.arg(), 's'), printf::one(b.arg(), 'v'));
        return Err(format!("non-comparable types {one}: {}, {}: {other}", a.typ.name(), b.typ.name()));
    }
    if nil(a) || nil(b) {
        return Ok(nil(a) && nil(b));
    }
    if !comparable(b.typ) {
        return Err(format!("non-comparable type {}: {}", printf::one(b.arg(), 's'), b.typ.name()));
    }
    let same = match (&*a.data, &*b.data) {
        (Data::Ptr(a), Data::Ptr(b)) => std::ptr::eq(&**a, &**b),
        (a, b) => a == b,
    };
    Ok(a.typ.same(b.typ) && same)
}

fn comparable(typ: &'static Type) -> bool {
    match typ.under() {
        Type::List(_) | Type::Map(..) => false,
        Type::Struct(s) => s.fields.iter().all(|f| comparable(f.typ)),
        _ => true,
    }
}

fn less(args: &[Maybe]) -> Result<bool, String> {
    let (a, b) = (concrete(&args[0]), concrete(&args[1]));
    let kinds = (basic(&a), basic(&b));
    if kinds.0 == Basic::Other || kinds.1 == Basic::Other {
        return Err("invalid type for comparison".into());
    }
    if kinds.0 != kinds.1 && !numbers(kinds.0, kinds.1) {
        return Err(INCOMPATIBLE.into());
    }
    if kinds.0 == Basic::Bool {
        return Err("invalid type for comparison".into());
    }
    let order = a.zip(b).and_then(|(a, b)| order(&a.data, &b.data));
    Ok(order == Some(Ordering::Less))
}

fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(*byte),
        }
    }
    out
}

fn js(text: &[u8]) -> Vec<u8> {
    let mut out = String::new();
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' | '\'' | '"' => out.extend(['\\', c]),
                '<' | '>' | '&' | '=' | '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
                _ if is_print(c) || c == '\u{7f}' => out.push(c),
                _ => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            }
        }
        chunk.invalid().iter().for_each(|_| out.push('\u{fffd}'));
    }
    out.into_bytes()
}

fn urlquery(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}

fn json(args: &[Maybe]) -> Result<Out, String> {
    let text = match &args[0] {
        None => "null".to_owned(),
        Some(val) => to_json_unescaped(&Value { typ: val.typ, data: val.data.clone().into_owned() }),
    };
    Ok(Out::Text(text.trim().into()))
}

/// `json.MarshalIndent` by two blanks.
fn indented_json(args: &[Maybe]) -> Result<Out, String> {
    let text = match &args[0] {
        None => "null".to_owned(),
        Some(val) => to_json_unescaped(&Value { typ: val.typ, data: val.data.clone().into_owned() }),
    };
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(Out::Text(html_safe(&crate::render::indented(&json, b"  ")).into()))
}

/// Go's `strings.Split`: an empty separator is between any two characters.
fn split(text: &[u8], separator: &[u8]) -> Vec<Data> {
    let mut parts = Vec::new();
    if separator.is_empty() {
        for chunk in text.utf8_chunks() {
            parts.extend(chunk.valid().chars().map(|c| Data::from(c.to_string())));
            parts.extend(chunk.invalid().iter().map(|b| Data::Str(vec![*b])));
        }
        return parts;
    }
    let (mut start, mut at) = (0, 0);
    while at + separator.len() <= text.len() {
        if text[at..].starts_with(separator) {
            parts.push(Data::Str(text[start..at].to_vec()));
            at += separator.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts.push(Data::Str(text[start..].to_vec()));
    parts
}

fn join(args: &[Maybe]) -> Result<Out, String> {
    let items = match args[0].as_ref().map(|val| &*val.data) {
        Some(Data::List(items)) => items.as_slice(),
        _ => &[],
    };
    let mut out = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if let Data::Str(item) = item {
            out.extend_from_slice(if i > 0 { text(args, 1) } else { b"" });
            out.extend_from_slice(item);
        }
    }
    Ok(Out::Text(out))
}

/// Go maps a character to one other: where Unicode has several for it, it stays, but for the Turkish İ.
fn upper(c: char) -> char {
    let mut several = c.to_uppercase();
    if several.len() == 1 { several.next().unwrap_or(c) } else { c }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn mapped(text: &[u8], map: impl FnMut(char) -> char) -> Vec<u8> {
    String::from_utf8_lossy(text).chars().map(map).collect::<String>().into_bytes()
}

/// Go's `strings.Title`: the letters that begin a word.
fn title(text: &[u8]) -> Vec<u8> {
    let mut before = ' ';
    mapped(text, |c| {
        let separator = if before.is_ascii() { !before.is_ascii_alphanumeric() && before != '_' } else { before.is_whitespace() };
        before = c;
        if separator { upper(c) } else { c }
    })
}

fn pad(args: &[Maybe]) -> Result<Out, String> {
    let inner = text(args, 0);
    if inner.is_empty() {
        return Ok(Out::Text(Vec::new()));
    }
    let blanks = |i| usize::try_from(int(args, i)).map(|n| " ".repeat(n)).map_err(|_| "strings: negative Repeat count".to_owned());
    let (before, after) = (blanks(1)?, blanks(2)?);
    Ok(Out::Text([before.as_bytes(), inner, after.as_bytes()].concat()))
}

fn truncate(args: &[Maybe]) -> Result<Out, String> {
    let whole = text(args, 0);
    let length = int(args, 1);
    match usize::try_from(length) {
        Ok(length) => Ok(Out::Text(whole[..length.min(whole.len())].to_vec())),
        Err(_) => Err(format!("runtime error: slice bounds out of range [:{length}]")),
    }
}

/// The sorted keys of a component's details (docker/cli `cli/command/system/version.go`).
fn details_order(args: &[Maybe]) -> Result<Out, String> {
    let Some(component) = args[0].clone().map(|val| val.indirect().0) else { return Ok(Out::Texts(Vec::new())) };
    let Type::Struct(s) = component.typ.under() else { return Ok(Out::Texts(Vec::new())) };
    let details = s.fields.iter().position(|f| f.name == "Details");
    let keys = match (&*component.data, details) {
        (Data::Struct(fields), Some(i)) => match &fields[i] {
            Data::Map(entries) => entries.keys().map(|key| Data::from(key.as_str())).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    Ok(Out::Texts(keys))
}
