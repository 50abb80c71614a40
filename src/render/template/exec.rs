//! Running a template over a value.

use std::borrow::Cow;

use super::funcs::{self, Function, Param};
use super::printf;
use super::strconv::quote;
use super::val::{Maybe, Val, at, entry, truth};
use super::{Functions, Kind, MissingKey, Node, Number, Template, Word};
use crate::render::value::{BOOL, Data, FLOAT, INT, STRING, Type, Value};

/// How deep lists may stand in each other and templates call each other; Go's own limit, which its text names, is 100000 calls.
const DEPTH: usize = 250;

/// Why a list ends before its end.
enum Stop {
    Break,
    Continue,
    Error(String),
}

type Ran<T> = Result<T, Stop>;

/// The fields of a row, all of which its JSON asks for.
fn row_fields(typ: &'static Type) -> impl Iterator<Item = &'static str> {
    let fields = match typ.under() {
        Type::Struct(s) if s.row => s.fields,
        _ => &[],
    };
    fields.iter().map(|field| field.name)
}

/// Runs a template, and tells the fields of rows that it asked for.
pub(super) fn run(
    template: &Template,
    data: &Value,
    missing: MissingKey,
    functions: Functions,
    out: &mut Vec<u8>,
) -> (Vec<&'static str>, Result<(), String>) {
    let Some(root) = template.tree(template.name) else { return (Vec::new(), Ok(())) };
    let data = Val { typ: data.typ, data: Cow::Borrowed(&data.data) }.unwrapped();
    let variables = vec![("$", data.clone())];
    let mut state = State { template, missing, functions, out, node: None, name: template.name, variables, depth: 0, asked: Vec::new() };
    let result = match state.list(&data, root) {
        Err(Stop::Error(error)) => Err(error),
        _ => Ok(()),
    };
    (state.asked, result)
}

struct State<'a, 'o> {
    template: &'a Template,
    missing: MissingKey,
    functions: Functions,
    out: &'o mut Vec<u8>,
    /// What is being evaluated, for errors.
    node: Option<&'a Node>,
    /// The template that runs.
    name: &'a str,
    variables: Vec<(&'a str, Maybe<'a>)>,
    depth: usize,
    asked: Vec<&'static str>,
}

impl<'a> State<'a, '_> {
    fn error<T>(&self, message: impl AsRef<str>) -> Ran<T> {
        Err(Stop::Error(self.located(message.as_ref())))
    }

    #[cold]
    #[inline(never)]
    fn located(&self, message: &str) -> String {
        let Some(node) = self.node else { return format!("template: {}: {message}", self.name) };
        let before = &self.template.text[..node.pos];
        let line = 1 + before.matches('\n').count();
        let column = before.len() - before.rfind('\n').map_or(0, |n| n + 1);
        let own = quote(self.name.as_bytes(), false);
        format!("template: {}:{line}:{column}: executing {own} at <{node}>: {message}", self.template.name)
    }

    fn list(&mut self, dot: &Maybe<'a>, list: &'a [Node]) -> Ran<()> {
        if self.depth == DEPTH {
            return self.error("exceeded maximum template depth (100000)");
        }
        self.depth += 1;
        let result = list.iter().try_for_each(|node| self.walk(dot, node));
        self.depth -= 1;
        result
    }

    fn walk(&mut self, dot: &Maybe<'a>, node: &'a Node) -> Ran<()> {
        self.node = Some(node);
        match &node.kind {
            Kind::Text(text) => self.out.extend_from_slice(text.as_bytes()),
            Kind::Action(pipe) => {
                let val = self.pipeline(dot, pipe)?;
                if matches!(&pipe.kind, Kind::Pipe(pipe) if pipe.variables.is_empty()) {
                    self.out.extend(funcs::printed(&val));
                }
            }
            Kind::Branch { word: Word::Range, pipe, then, otherwise } => {
                let mark = self.variables.len();
                let result = self.range(dot, pipe, then, otherwise.as_deref());
                self.variables.truncate(mark);
                match result {
                    Err(Stop::Break) => {}
                    other => return other,
                }
            }
            Kind::Branch { word, pipe, then, otherwise } => {
                let mark = self.variables.len();
                let val = self.pipeline(dot, pipe)?;
                let result = match (truth(&val), otherwise) {
                    (true, _) => self.list(if *word == Word::With { &val } else { dot }, then),
                    (false, Some(list)) => self.list(dot, list),
                    (false, None) => Ok(()),
                };
                self.variables.truncate(mark);
                return result;
            }
            Kind::Template { name, pipe } => return self.template(dot, name, pipe.as_deref()),
            Kind::Break => return Err(Stop::Break),
            Kind::Continue => return Err(Stop::Continue),
            _ => {}
        }
        Ok(())
    }

    fn template(&mut self, dot: &Maybe<'a>, name: &'a str, pipe: Option<&'a Node>) -> Ran<()> {
        let template = self.template;
        let Some(list) = template.tree(name) else {
            return self.error(format!("template {} not defined", quote(name.as_bytes(), false)));
        };
        let dot = match pipe {
            Some(pipe) => self.pipeline(dot, pipe)?,
            None => None,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let caller = std::mem::replace(&mut self.name, name);
        let result = self.list(&dot, list);
        self.name = caller;
        self.variables = variables;
        result
    }

    fn range(&mut self, dot: &Maybe<'a>, node: &'a Node, then: &'a [Node], otherwise: Option<&'a [Node]>) -> Ran<()> {
        let Kind::Pipe(pipe) = &node.kind else { return Ok(()) };
        let val = self.pipeline(dot, node)?.map(|val| val.indirect().0);
        let mut any = false;
        if let Some(val) = val {
            match (&*val.data, val.typ.under()) {
                (Data::Int(_) | Data::Uint(_), _) if pipe.variables.len() > 1 => {
                    return self.error(format!("can't use {} to iterate over more than one variable", printf::one(val.arg(), 'v')));
                }
                (Data::Int(n), _) => {
                    for i in 0..*n {
                        any = true;
                        self.iteration(pipe, None, Some(Val::new(val.typ, Data::Int(i))), then)?;
                    }
                }
                (Data::Uint(n), _) => {
                    for i in 0..*n {
                        any = true;
                        self.iteration(pipe, None, Some(Val::new(val.typ, Data::Uint(i))), then)?;
                    }
                }
                (Data::List(items), Type::List(elem)) => {
                    for i in 0..items.len() {
                        any = true;
                        let index = i64::try_from(i).unwrap_or(i64::MAX);
                        self.iteration(pipe, Some(Val::new(&INT, Data::Int(index))), at(&val, elem, i), then)?;
                    }
                }
                (Data::Map(entries), Type::Map(key, elem)) => {
                    for name in entries.keys() {
                        any = true;
                        let item = entry(&val, elem, name);
                        self.iteration(pipe, Some(Val::new(key, Data::from(name.as_str()))), item, then)?;
                    }
                }
                (Data::Nil, Type::List(_) | Type::Map(..)) => {}
                _ => return self.error(format!("range can't iterate over {}", printf::one(val.arg(), 'v'))),
            }
        }
        match otherwise {
            Some(list) if !any => self.list(dot, list),
            _ => Ok(()),
        }
    }

    fn iteration(&mut self, pipe: &'a super::Pipe, index: Maybe<'a>, elem: Maybe<'a>, then: &'a [Node]) -> Ran<()> {
        let mark = self.variables.len();
        let values = match pipe.variables.len() {
            2 => vec![index, elem.clone()],
            n => vec![elem.clone(); n],
        };
        for (i, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.assign {
                self.assign(name, value)?;
            } else {
                // The pipeline has pushed them.
                self.variables[mark - pipe.variables.len() + i].1 = value;
            }
        }
        let result = self.list(&elem, then);
        self.variables.truncate(mark);
        match result {
            Err(Stop::Continue) => Ok(()),
            other => other,
        }
    }

    fn assign(&mut self, name: &str, value: Maybe<'a>) -> Ran<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = value,
            None => return self.error(format!("undefined variable: {name}")),
        }
        Ok(())
    }

    fn pipeline(&mut self, dot: &Maybe<'a>, node: &'a Node) -> Ran<Maybe<'a>> {
        let Kind::Pipe(pipe) = &node.kind else { return Ok(None) };
        self.node = Some(node);
        let mut last: Option<Maybe<'a>> = None;
        for command in &pipe.commands {
            let val = self.command(dot, command, last)?;
            last = Some(val.and_then(Val::unwrapped));
        }
        let value = last.flatten();
        for name in &pipe.variables {
            if pipe.assign {
                self.assign(name, value.clone())?;
            } else {
                self.variables.push((name, value.clone()));
            }
        }
        Ok(value)
    }

    /// A command; `last` is what the one before it in the pipeline gave.
    fn command(&mut self, dot: &Maybe<'a>, node: &'a Node, last: Option<Maybe<'a>>) -> Ran<Maybe<'a>> {
        let Kind::Command(args) = &node.kind else { return Ok(None) };
        let first = &args[0];
        match &first.kind {
            Kind::Field(_) | Kind::Chain(..) => return self.fields(dot, first, args, last),
            Kind::Identifier(name) => return self.function(dot, first, node, name, args, last),
            Kind::Variable(_) => return self.fields(dot, first, args, last),
            Kind::Pipe(_) => {
                self.no_function(args, &last)?;
                return self.pipeline(dot, first);
            }
            _ => {}
        }
        self.node = Some(first);
        self.no_function(args, &last)?;
        match &first.kind {
            Kind::Nil => self.error("nil is not a command"),
            _ => self.constant(dot, first),
        }
    }

    fn no_function(&self, args: &[Node], last: &Option<Maybe<'a>>) -> Ran<()> {
        if args.len() > 1 || last.is_some() {
            return self.error(format!("can't give argument to non-function {}", args[0]));
        }
        Ok(())
    }

    /// A literal or the dot, where any type will do.
    fn constant(&mut self, dot: &Maybe<'a>, node: &'a Node) -> Ran<Maybe<'a>> {
        self.node = Some(node);
        Ok(match &node.kind {
            Kind::Dot => dot.clone(),
            Kind::Bool(it) => Some(Val::new(&BOOL, Data::Bool(*it))),
            Kind::Str { text, .. } => Some(Val::new(&STRING, Data::Str(text.clone()))),
            Kind::Number(number) => Some(self.number(number)?),
            _ => return self.error(format!("can't evaluate command {}", quote(node.to_string().as_bytes(), false))),
        })
    }

    /// Go's ideal constant: the way that a number is written says whether it is a float.
    fn number(&self, number: &Number) -> Ran<Val<'a>> {
        let text = &number.text;
        let lower = text.to_ascii_lowercase();
        let hexadecimal = lower.starts_with("0x") && !lower.contains('p');
        if let Some(float) = number.float {
            if !hexadecimal && !text.starts_with('\'') && lower.contains(['.', 'e', 'p']) {
                return Ok(Val::new(&FLOAT, Data::Float(float)));
            }
        }
        match number.int {
            Some(int) => Ok(Val::new(&INT, Data::Int(int))),
            None => self.error(format!("{text} overflows int")),
        }
    }

    /// `.A.B`, `$x.A.B` or `(…).A.B`, the last of them perhaps with arguments.
    fn fields(&mut self, dot: &Maybe<'a>, node: &'a Node, args: &'a [Node], last: Option<Maybe<'a>>) -> Ran<Maybe<'a>> {
        self.node = Some(node);
        let (mut receiver, names) = match &node.kind {
            Kind::Field(names) => (dot.clone(), &names[..]),
            Kind::Chain(inner, names) => (self.argument(dot, Param::Value, inner)?, &names[..]),
            Kind::Variable(names) => {
                let found = self.variables.iter().rev().find(|(known, _)| *known == names[0]).map(|(_, value)| value.clone());
                let Some(value) = found else { return self.error(format!("undefined variable: {}", names[0])) };
                (value, &names[1..])
            }
            _ => return Ok(None),
        };
        let Some((name, before)) = names.split_last() else {
            self.no_function(args, &last)?;
            return Ok(receiver);
        };
        for name in before {
            receiver = self.field(dot, name, node, &[], None, receiver)?;
        }
        self.field(dot, name, node, args, last, receiver)
    }

    fn field(
        &mut self,
        dot: &Maybe<'a>,
        name: &str,
        node: &'a Node,
        args: &'a [Node],
        last: Option<Maybe<'a>>,
        receiver: Maybe<'a>,
    ) -> Ran<Maybe<'a>> {
        let Some(receiver) = receiver else {
            return match self.missing {
                MissingKey::Error => self.error(format!("nil data; no entry for key {}", quote(name.as_bytes(), false))),
                MissingKey::Default => Ok(None),
            };
        };
        let outer = receiver.typ;
        let (receiver, nil) = receiver.indirect();
        if nil && matches!(receiver.typ, Type::Any) {
            return self.error(format!("nil pointer evaluating {}.{name}", outer.name()));
        }
        if let Some(method) = receiver.typ.methods().iter().find(|m| m.name == name).filter(|_| !nil) {
            let params: Vec<Param> = method.params.iter().map(|typ| Param::Of(typ)).collect();
            let given = self.arguments(dot, name, (&params, None), args, last)?;
            let given: Vec<Data> = given.into_iter().flatten().map(|val| val.data.into_owned()).collect();
            return match (method.call)(&receiver.data, &given) {
                Ok(data) => Ok(Some(Val::new(method.returns, data))),
                Err(error) => {
                    self.node = Some(node);
                    self.error(format!("error calling {name}: {error}"))
                }
            };
        }
        let with_args = args.len() > 1 || last.is_some();
        match receiver.typ.under() {
            Type::Struct(s) if s.row && s.fields.iter().any(|f| f.name == name && f.exported()) => {
                self.arguments(dot, name, (&[], None), args, last)?;
                let i = s.fields.iter().position(|f| f.name == name).unwrap_or(0);
                self.asked.push(s.fields[i].name);
                return Ok(receiver.part(s.fields[i].typ, |data| field_data(data, i)));
            }
            Type::Struct(s) => {
                if let Some(way) = s.find(name) {
                    return self.struct_field(&receiver, outer, name, &way, with_args);
                }
            }
            Type::Map(key, elem) if STRING.assignable(key) => {
                if with_args {
                    return self.error(format!("{name} is not a method but has arguments"));
                }
                return match entry(&receiver, elem, name) {
                    None if self.missing == MissingKey::Error => {
                        self.error(format!("map has no entry for key {}", quote(name.as_bytes(), false)))
                    }
                    // The option's default gives no value, which prints as such for every type of element.
                    found => Ok(found),
                };
            }
            Type::Ptr(Type::Struct(s)) if s.find(name).is_none() => {}
            Type::Ptr(_) => return self.error(format!("nil pointer evaluating {}.{name}", outer.name())),
            _ => {}
        }
        self.error(format!("can't evaluate field {name} in type {}", outer.name()))
    }

    fn struct_field(&self, receiver: &Val<'a>, outer: &Type, name: &str, way: &[usize], with_args: bool) -> Ran<Maybe<'a>> {
        if !name.starts_with(char::is_uppercase) {
            return self.error(format!("{name} is an unexported field of struct type {}", outer.name()));
        }
        let mut val = receiver.clone();
        for (n, i) in way.iter().enumerate() {
            let Type::Struct(s) = val.typ.under() else { break };
            let field = &s.fields[*i];
            let Some(found) = val.part(field.typ, |data| field_data(data, *i)) else { break };
            val = found;
            if n + 1 < way.len() {
                let (inner, nil) = val.indirect();
                if nil {
                    return self.error(format!("reflect: indirection through nil pointer to embedded struct field {}", field.name));
                }
                val = inner;
            }
        }
        if with_args {
            return self.error(format!("{name} has arguments but cannot be invoked as function"));
        }
        Ok(Some(val))
    }

    fn function(
        &mut self,
        dot: &Maybe<'a>,
        node: &'a Node,
        command: &'a Node,
        name: &'a str,
        args: &'a [Node],
        last: Option<Maybe<'a>>,
    ) -> Ran<Maybe<'a>> {
        self.node = Some(node);
        let Some(function) = funcs::find(name, self.functions) else {
            return self.error(format!("{} is not a defined function", quote(name.as_bytes(), false)));
        };
        if let Function::Choice = function.call {
            return self.choice(dot, name, args, last);
        }
        let first = args.get(1).map(Node::to_string);
        let given = self.arguments(dot, name, (function.params, function.more), args, last)?;
        if name == "json" {
            self.asked.extend(given.iter().flatten().flat_map(|val| row_fields(val.clone().indirect().0.typ)));
        }
        match funcs::call(function, first, given) {
            Ok(val) => Ok(val),
            Err(error) => {
                self.node = Some(command);
                self.error(format!("error calling {name}: {error}"))
            }
        }
    }

    /// `and` and `or`, which look at their arguments only as far as they have to.
    fn choice(&mut self, dot: &Maybe<'a>, name: &str, args: &'a [Node], last: Option<Maybe<'a>>) -> Ran<Maybe<'a>> {
        let args = args.get(1..).unwrap_or_default();
        if args.is_empty() && last.is_none() {
            return self.error(format!("wrong number of args for {name}: want at least 1 got 0"));
        }
        let mut val = None;
        for arg in args {
            val = self.argument(dot, Param::Value, arg)?;
            if truth(&val) == (name == "or") {
                return Ok(val);
            }
        }
        Ok(last.unwrap_or(val))
    }

    /// The arguments of a call; the first of `args` is the function itself. Go takes the fixed parameters, then any number of `more`.
    fn arguments(
        &mut self,
        dot: &Maybe<'a>,
        name: &str,
        (params, more): (&[Param], Option<Param>),
        args: &'a [Node],
        last: Option<Maybe<'a>>,
    ) -> Ran<Vec<Maybe<'a>>> {
        let args = args.get(1..).unwrap_or_default();
        let count = args.len() + usize::from(last.is_some());
        if more.is_some() && count < params.len() {
            return self.error(format!("wrong number of args for {name}: want at least {} got {}", params.len(), args.len()));
        }
        if more.is_none() && count != params.len() {
            return self.error(format!("wrong number of args for {name}: want {} got {count}", params.len()));
        }
        let param = |i: usize| params.get(i).copied().or(more).unwrap_or(Param::Value);
        let mut given = Vec::with_capacity(count);
        for (i, arg) in args.iter().enumerate() {
            given.push(self.argument(dot, param(i), arg)?);
        }
        if let Some(last) = last {
            given.push(self.valid(last, param(args.len()))?);
        }
        Ok(given)
    }

    /// An argument as its parameter wants it.
    fn argument(&mut self, dot: &Maybe<'a>, param: Param, node: &'a Node) -> Ran<Maybe<'a>> {
        self.node = Some(node);
        let typ = match param {
            Param::Of(typ) => typ,
            Param::Value => &Type::Any,
        };
        let val = match &node.kind {
            Kind::Dot => dot.clone(),
            Kind::Nil => {
                return match typ.under() {
                    Type::Any => Ok(None),
                    Type::List(_) | Type::Map(..) | Type::Ptr(_) => Ok(Some(Val::new(typ, Data::Nil))),
                    _ => self.error(format!("cannot assign nil to {}", typ.name())),
                };
            }
            Kind::Field(_) | Kind::Chain(..) | Kind::Variable(_) => self.fields(dot, node, &[], None)?,
            Kind::Pipe(_) => self.pipeline(dot, node)?,
            Kind::Identifier(name) => self.function(dot, node, node, name, &[], None)?,
            _ => return self.literal(dot, typ, node).map(Some),
        };
        self.valid(val, param)
    }

    fn literal(&mut self, dot: &Maybe<'a>, typ: &'static Type, node: &'a Node) -> Ran<Val<'a>> {
        let data = match (typ.under(), &node.kind) {
            (Type::Any, _) => return Ok(self.constant(dot, node)?.unwrap_or(Val::new(&Type::Any, Data::Nil))),
            (Type::Bool, Kind::Bool(it)) => Data::Bool(*it),
            (Type::Str, Kind::Str { text, .. }) => Data::Str(text.clone()),
            (Type::Int(_), Kind::Number(Number { int: Some(int), .. })) => Data::Int(*int),
            (Type::Uint(_), Kind::Number(Number { uint: Some(uint), .. })) => Data::Uint(*uint),
            (Type::Float, Kind::Number(Number { float: Some(float), .. })) => Data::Float(*float),
            (Type::Bool, _) => return self.error(format!("expected bool; found {node}")),
            (Type::Str, _) => return self.error(format!("expected string; found {node}")),
            (Type::Int(_), _) => return self.error(format!("expected integer; found {node}")),
            (Type::Uint(_), _) => return self.error(format!("expected unsigned integer; found {node}")),
            (Type::Float, _) => return self.error(format!("expected float; found {node}")),
            _ => return self.error(format!("can't handle {node} for arg of type {}", typ.name())),
        };
        Ok(Val::new(typ, data))
    }

    /// Whether a value may be given for a parameter, or what it holds or points to.
    fn valid(&self, val: Maybe<'a>, param: Param) -> Ran<Maybe<'a>> {
        let typ = match param {
            Param::Of(typ) if !matches!(typ, Type::Any) => typ,
            // What takes any value has it without the interface, but for functions over reflection.
            Param::Of(_) => return Ok(val.and_then(Val::unwrapped)),
            Param::Value => return Ok(val),
        };
        let Some(val) = val else {
            return match typ.under() {
                Type::List(_) | Type::Map(..) | Type::Ptr(_) => Ok(Some(Val::new(typ, Data::Nil))),
                _ => self.error(format!("invalid value; expected {}", typ.name())),
            };
        };
        if val.typ.assignable(typ) {
            return Ok(Some(val));
        }
        let mut got = val;
        if matches!(got.typ, Type::Any) {
            match got.inner() {
                Some(inner) if inner.typ.assignable(typ) => return Ok(Some(inner)),
                Some(inner) => got = inner,
                None => {}
            }
        }
        match got.typ.under() {
            Type::Ptr(to) if to.assignable(typ) => match got.inner() {
                Some(inner) => Ok(Some(inner)),
                None => self.error(format!("dereference of nil pointer of type {}", typ.name())),
            },
            _ => self.error(format!("wrong type for value; expected {}; got {}", typ.name(), got.typ.name())),
        }
    }
}

fn field_data(data: &Data, i: usize) -> Option<&Data> {
    match data {
        Data::Struct(fields) => fields.get(i),
        _ => None,
    }
}
