//! The values that templates run over, with as much of Go's typing as a template can see.
//!
//! A [`Value`] is a Go value: a [`Type`] and the [`Data`] of it. Types are statics that spell Docker's own structs, so that the zero of an
//! absent key, a nil pointer, the order of fields in JSON and the type's name in an error text come out as Docker's client prints them.
//! [`Value::decode`] fills a type from JSON as Go's `json.Unmarshal` does; [`Value::raw`] is a tree of `map[string]any`.

use std::collections::BTreeMap;
use std::ptr;

use serde_json::Value as Json;

mod clock;
mod json;
mod time;

pub use json::{to_json, to_json_unescaped};
pub(crate) use time::text as time_text;
pub use time::{DURATION, Time};

/// A Go type.
#[derive(Debug)]
pub enum Type {
    /// `interface {}`: what it holds is a [`Data::Any`] or nil.
    Any,
    Bool,
    /// A signed integer, by its name: `int`, `int64` ….
    Int(&'static str),
    /// An unsigned integer, by its name: `uint8`, `uint16` ….
    Uint(&'static str),
    Float,
    Str,
    /// `time.Time`.
    Time,
    /// A slice of the type.
    List(&'static Type),
    /// A map: the type of its keys (a kind of string), and of its elements.
    Map(&'static Type, &'static Type),
    Ptr(&'static Type),
    Struct(&'static Struct),
    Named(&'static Named),
}

/// A struct type.
#[derive(Debug)]
pub struct Struct {
    /// With its package: `container.State`.
    pub name: &'static str,
    pub fields: &'static [Field],
    pub methods: &'static [Method],
    /// One of the rows of docker/cli's `formatter`: its fields are methods without arguments, and its JSON is a map of them.
    pub row: bool,
}

/// A field of a struct. One whose name begins with a small letter is not exported: templates and JSON do not see it.
#[derive(Debug)]
pub struct Field {
    pub name: &'static str,
    /// The name in JSON; `-` for none.
    pub json: &'static str,
    pub typ: &'static Type,
    pub omit: Omit,
    /// An embedded struct: its fields are the outer one's too.
    pub embedded: bool,
}

/// When JSON leaves a field out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omit {
    Never,
    /// `omitempty`.
    Empty,
    /// `omitzero`.
    Zero,
}

/// A defined type that is no struct: `nat.Port`, `time.Duration`.
#[derive(Debug)]
pub struct Named {
    pub name: &'static str,
    pub under: &'static Type,
    pub methods: &'static [Method],
}

/// A method. One called `String` without parameters says how the value is printed.
#[derive(Debug)]
pub struct Method {
    pub name: &'static str,
    pub params: &'static [&'static Type],
    pub returns: &'static Type,
    /// The receiver, without pointers, and the arguments; the error is Go's.
    pub call: fn(&Data, &[Data]) -> Result<Data, String>,
}

/// What a value holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// A nil interface, pointer, slice or map.
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Vec<u8>),
    Time(Time),
    List(Vec<Data>),
    Map(BTreeMap<String, Data>),
    /// In the order of the type's fields.
    Struct(Vec<Data>),
    Ptr(Box<Data>),
    /// What is in an interface.
    Any(Box<Value>),
}

/// A Go value.
#[derive(Debug, Clone)]
pub struct Value {
    pub typ: &'static Type,
    pub data: Data,
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        self.typ.same(other.typ) && self.data == other.data
    }
}

pub static ANY: Type = Type::Any;
pub static BOOL: Type = Type::Bool;
pub static INT: Type = Type::Int("int");
pub static INT64: Type = Type::Int("int64");
pub static FLOAT: Type = Type::Float;
pub static STRING: Type = Type::Str;
pub static STRINGS: Type = Type::List(&STRING);
pub static LIST_OF_ANY: Type = Type::List(&ANY);
pub static MAP_OF_ANY: Type = Type::Map(&STRING, &ANY);
/// `map[string]string`, as labels are.
pub static MAP_OF_STRINGS: Type = Type::Map(&STRING, &STRING);
/// `json.Number`, a string that JSON writes as it is.
pub static NUMBER: Type = Type::Named(&Named { name: "json.Number", under: &STRING, methods: &[] });

impl Type {
    /// The type as Go's `%T` prints it.
    pub fn name(&self) -> String {
        match self {
            Type::Any => "interface {}".into(),
            Type::Bool => "bool".into(),
            Type::Int(name) | Type::Uint(name) => (*name).into(),
            Type::Float => "float64".into(),
            Type::Str => "string".into(),
            Type::Time => "time.Time".into(),
            Type::List(elem) => format!("[]{}", elem.name()),
            Type::Map(key, elem) => format!("map[{}]{}", key.name(), elem.name()),
            Type::Ptr(to) => format!("*{}", to.name()),
            Type::Struct(s) => s.name.into(),
            Type::Named(n) => n.name.into(),
        }
    }

    /// What a defined type is made of; any other type itself.
    pub fn under(&'static self) -> &'static Type {
        match self {
            Type::Named(named) => named.under.under(),
            other => other,
        }
    }

    /// Whether the two are one type.
    pub fn same(&self, other: &Type) -> bool {
        ptr::eq(self, other) || self.name() == other.name()
    }

    /// Whether Go lets a value of this type be assigned to `to`.
    pub fn assignable(&'static self, to: &'static Type) -> bool {
        let unnamed = |t: &Type| matches!(t, Type::List(_) | Type::Map(..) | Type::Ptr(_));
        matches!(to, Type::Any) || self.same(to) || ((unnamed(self) || unnamed(to)) && self.under().same(to.under()))
    }

    /// The methods of the type, or of what it points to.
    pub fn methods(&self) -> &'static [Method] {
        match self {
            Type::Ptr(to) => to.methods(),
            Type::Struct(s) => s.methods,
            Type::Named(n) => n.methods,
            Type::Time => time::METHODS,
            _ => &[],
        }
    }

    /// The zero of the type.
    pub fn zero(&'static self) -> Data {
        match self.under() {
            Type::Bool => Data::Bool(false),
            Type::Int(_) => Data::Int(0),
            Type::Uint(_) => Data::Uint(0),
            Type::Float => Data::Float(0.0),
            Type::Str => Data::Str(if ptr::eq(self, &NUMBER) { b"0".to_vec() } else { Vec::new() }),
            Type::Time => Data::Time(Time::ZERO),
            Type::Struct(s) => Data::Struct(s.fields.iter().map(|f| f.typ.zero()).collect()),
            _ => Data::Nil,
        }
    }
}

impl Struct {
    /// A plain struct type.
    pub const fn new(name: &'static str, fields: &'static [Field]) -> Struct {
        Struct { name, fields, methods: &[], row: false }
    }

    /// A struct type with methods.
    pub const fn with_methods(name: &'static str, fields: &'static [Field], methods: &'static [Method]) -> Struct {
        Struct { name, fields, methods, row: false }
    }

    /// A row of docker/cli's `formatter`.
    pub const fn row(name: &'static str, fields: &'static [Field], methods: &'static [Method]) -> Struct {
        Struct { name, fields, methods, row: true }
    }

    /// The way to a field by its name, through embedded structs: the nearest one counts.
    pub fn find(&self, name: &str) -> Option<Vec<usize>> {
        if let Some(i) = self.fields.iter().position(|f| f.name == name) {
            return Some(vec![i]);
        }
        let embedded = self.fields.iter().enumerate().filter(|(_, f)| f.embedded);
        let ways = embedded.filter_map(|(i, f)| f.inner()?.find(name).map(|way| [vec![i], way].concat()));
        ways.min_by_key(Vec::len)
    }
}

impl Field {
    /// A field with its name in Go and in JSON.
    pub const fn new(name: &'static str, json: &'static str, typ: &'static Type) -> Field {
        Field { name, json, typ, omit: Omit::Never, embedded: false }
    }

    /// An embedded struct, or a pointer to one.
    pub const fn embedded(name: &'static str, typ: &'static Type) -> Field {
        Field { name, json: name, typ, omit: Omit::Never, embedded: true }
    }

    /// The same field with `omitempty`.
    pub const fn omitempty(self) -> Field {
        Field { omit: Omit::Empty, ..self }
    }

    /// The same field with `omitzero`.
    pub const fn omitzero(self) -> Field {
        Field { omit: Omit::Zero, ..self }
    }

    /// Whether other packages, and so templates, see the field.
    pub fn exported(&self) -> bool {
        self.name.starts_with(char::is_uppercase)
    }

    fn inner(&self) -> Option<&'static Struct> {
        match self.typ {
            Type::Struct(s) | Type::Ptr(Type::Struct(s)) => Some(s),
            _ => None,
        }
    }
}

impl Value {
    /// A value of a type.
    pub fn new(typ: &'static Type, data: Data) -> Value {
        Value { typ, data }
    }

    /// The value of a type that JSON describes, by the rules of Go's `json.Unmarshal`: keys match without regard to case when none matches
    /// exactly, null leaves the zero, a value of another type is left out. Numbers in an interface are `float64`.
    pub fn decode(typ: &'static Type, json: &Json) -> Value {
        Value { typ, data: decode(typ, json, false) }
    }

    /// JSON without a type, with the numbers as written (`json.Number`): what `docker inspect` falls back to
    /// (docker/cli `cli/command/inspect/inspector.go`).
    pub fn raw(json: &Json) -> Value {
        match decode(&ANY, json, true) {
            Data::Any(value) => *value,
            _ => Value { typ: &ANY, data: Data::Nil },
        }
    }

    /// A `map[string]string`.
    pub fn strings<K: Into<String>, V: Into<String>>(entries: impl IntoIterator<Item = (K, V)>) -> Value {
        Value { typ: &MAP_OF_STRINGS, data: Data::Map(entries.into_iter().map(|(k, v)| (k.into(), Data::from(v.into()))).collect()) }
    }
}

impl From<&str> for Data {
    fn from(text: &str) -> Data {
        Data::Str(text.as_bytes().to_vec())
    }
}

impl From<String> for Data {
    fn from(text: String) -> Data {
        Data::Str(text.into_bytes())
    }
}

impl From<bool> for Data {
    fn from(it: bool) -> Data {
        Data::Bool(it)
    }
}

impl From<i64> for Data {
    fn from(number: i64) -> Data {
        Data::Int(number)
    }
}

fn decode(typ: &'static Type, json: &Json, numbers: bool) -> Data {
    let list = |elem, items: &[Json]| Data::List(items.iter().map(|j| decode(elem, j, numbers)).collect());
    let map = |elem, entries: &serde_json::Map<String, Json>| {
        Data::Map(entries.iter().map(|(k, j)| (k.clone(), decode(elem, j, numbers))).collect())
    };
    match (typ.under(), json) {
        (Type::Any, Json::Null) => Data::Nil,
        (Type::Any, json) => {
            let inner = match json {
                Json::Bool(_) => &BOOL,
                Json::Number(_) if numbers => &NUMBER,
                Json::Number(_) => &FLOAT,
                Json::Array(_) => &LIST_OF_ANY,
                Json::Object(_) => &MAP_OF_ANY,
                _ => &STRING,
            };
            Data::Any(Box::new(Value { typ: inner, data: decode(inner, json, numbers) }))
        }
        (Type::Ptr(_), Json::Null) => Data::Nil,
        (Type::Ptr(to), json) => Data::Ptr(Box::new(decode(to, json, numbers))),
        (Type::Bool, Json::Bool(it)) => Data::Bool(*it),
        (Type::Int(_), Json::Number(n)) => Data::Int(n.as_i64().unwrap_or_default()),
        (Type::Uint(_), Json::Number(n)) => Data::Uint(n.as_u64().unwrap_or_default()),
        (Type::Float, Json::Number(n)) => Data::Float(n.as_f64().unwrap_or_default()),
        (Type::Str, Json::Number(n)) if ptr::eq(typ, &NUMBER) => Data::from(json::number_text(n)),
        (Type::Str, Json::String(text)) => Data::from(text.as_str()),
        (Type::Time, Json::String(text)) => Data::Time(Time::parse(text).unwrap_or(Time::ZERO)),
        (Type::List(elem), Json::Array(items)) => list(elem, items),
        (Type::Map(_, elem), Json::Object(entries)) => map(elem, entries),
        (Type::Struct(s), Json::Object(entries)) => {
            let mut data = typ.zero();
            for (name, json) in entries.iter().filter(|(_, json)| !json.is_null()) {
                let named = |same: fn(&str, &str) -> bool| json_way(s, &|json| same(json, name));
                if let Some(way) = named(|a, b| a == b).or_else(|| named(|a, b| a.eq_ignore_ascii_case(b))) {
                    set(s, &mut data, &way, json, numbers);
                }
            }
            data
        }
        _ => typ.zero(),
    }
}

/// The way to the field with a name in JSON.
fn json_way(s: &Struct, is: &dyn Fn(&str) -> bool) -> Option<Vec<usize>> {
    if let Some(i) = s.fields.iter().position(|f| !f.embedded && f.exported() && f.json != "-" && is(f.json)) {
        return Some(vec![i]);
    }
    let embedded = s.fields.iter().enumerate().filter(|(_, f)| f.embedded);
    embedded.filter_map(|(i, f)| json_way(f.inner()?, is).map(|way| [vec![i], way].concat())).min_by_key(Vec::len)
}

/// Sets a field, making the embedded structs on the way to it.
fn set(s: &'static Struct, data: &mut Data, way: &[usize], json: &Json, numbers: bool) {
    let Data::Struct(fields) = data else { return };
    let (Some(slot), Some(field)) = (fields.get_mut(way[0]), s.fields.get(way[0])) else { return };
    if way.len() == 1 {
        *slot = decode(field.typ, json, numbers);
        return;
    }
    let Some(inner) = field.inner() else { return };
    if let (Type::Ptr(to), Data::Nil) = (field.typ, &*slot) {
        *slot = Data::Ptr(Box::new(to.zero()));
    }
    match slot {
        Data::Ptr(data) => set(inner, data, &way[1..], json, numbers),
        data => set(inner, data, &way[1..], json, numbers),
    }
}

#[cfg(test)]
mod tests;
