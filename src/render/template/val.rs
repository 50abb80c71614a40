//! Values on their way through a template.

use std::borrow::Cow;

use super::printf;
use crate::render::value::{Data, Type};

/// A value on its way, with the static type that Go's reflection knows of it.
#[derive(Debug, Clone)]
pub(super) struct Val<'a> {
    pub typ: &'static Type,
    pub data: Cow<'a, Data>,
}

/// Go's `reflect.Value`: `None` is the invalid one, that of an absent key.
pub(super) type Maybe<'a> = Option<Val<'a>>;

impl<'a> Val<'a> {
    pub(super) fn new(typ: &'static Type, data: Data) -> Val<'a> {
        Val { typ, data: Cow::Owned(data) }
    }

    /// A part of the value.
    pub(super) fn part(&self, typ: &'static Type, pick: impl Fn(&Data) -> Option<&Data>) -> Maybe<'a> {
        let data = match &self.data {
            Cow::Borrowed(data) => Cow::Borrowed(pick(data)?),
            Cow::Owned(data) => Cow::Owned(pick(data)?.clone()),
        };
        Some(Val { typ, data })
    }

    /// What an interface holds or a pointer points to.
    pub(super) fn inner(&self) -> Maybe<'a> {
        match (&*self.data, self.typ.under()) {
            (Data::Any(value), _) => self.part(value.typ, |data| match data {
                Data::Any(value) => Some(&value.data),
                _ => None,
            }),
            (Data::Ptr(_), Type::Ptr(to)) => self.part(to, |data| match data {
                Data::Ptr(inner) => Some(&**inner),
                _ => None,
            }),
            _ => None,
        }
    }

    /// What an interface holds; nothing, where it is nil. Any other value is itself.
    pub(super) fn unwrapped(self) -> Maybe<'a> {
        if matches!(self.typ, Type::Any) { self.inner() } else { Some(self) }
    }

    /// What is at the end of pointers and interfaces, and whether that is nil.
    pub(super) fn indirect(mut self) -> (Val<'a>, bool) {
        while matches!(self.typ.under(), Type::Any | Type::Ptr(_)) {
            match self.inner() {
                Some(inner) => self = inner,
                None => return (self, true),
            }
        }
        (self, false)
    }

    pub(super) fn arg(&self) -> printf::Arg<'_> {
        Some((self.typ, &*self.data))
    }
}

/// Whether `if` takes the value for true: no zero, nothing empty.
pub(super) fn truth(val: &Maybe) -> bool {
    let Some(val) = val else { return false };
    match &*val.data {
        Data::Nil => false,
        Data::Bool(it) => *it,
        Data::Int(n) => *n != 0,
        Data::Uint(n) => *n != 0,
        Data::Float(f) => *f != 0.0,
        Data::Str(text) => !text.is_empty(),
        Data::List(items) => !items.is_empty(),
        Data::Map(entries) => !entries.is_empty(),
        Data::Any(value) => truth(&Some(Val { typ: value.typ, data: Cow::Borrowed(&value.data) })),
        Data::Struct(_) | Data::Time(_) | Data::Ptr(_) => true,
    }
}

/// An element of a list.
pub(super) fn at<'a>(list: &Val<'a>, elem: &'static Type, i: usize) -> Maybe<'a> {
    list.part(elem, |data| match data {
        Data::List(items) => items.get(i),
        _ => None,
    })
}

/// An element of a map.
pub(super) fn entry<'a>(map: &Val<'a>, elem: &'static Type, name: &str) -> Maybe<'a> {
    map.part(elem, |data| match data {
        Data::Map(entries) => entries.get(name),
        _ => None,
    })
}
