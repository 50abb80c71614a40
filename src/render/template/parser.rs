//! A template's words as a tree, with Go's errors.

use super::lexer::{self, Item, Keyword};
use super::literal::{number, unquote};
use super::strconv::quote;
use super::{Kind, Node, Pipe, Word, funcs};

/// Deeper nesting than anybody writes; Go's own limit is its memory.
const DEPTH: usize = 200;

type Parsed<T> = Result<T, String>;
type Trees = Vec<(String, Vec<Node>)>;

/// Parses a template and those that it defines; the error is Go's.
pub(super) fn parse(name: &str, text: &str) -> Parsed<Trees> {
    let (items, lexer_error) = lexer::items(text);
    let mut parser = Parser {
        name,
        items,
        lexer_error,
        at: 0,
        newest: 0,
        scope: Scope { variables: vec!["$".into()], ranges: 0, action_line: 0 },
        depth: 0,
        trees: Vec::new(),
    };
    let root = parser.root()?;
    parser.add(name, root)?;
    Ok(parser.trees)
}

struct Parser<'a> {
    name: &'a str,
    items: Vec<Item<'a>>,
    /// What is wrong, where the last word is an error.
    lexer_error: String,
    at: usize,
    /// The last word that was looked at: errors name its line.
    newest: usize,
    scope: Scope,
    depth: usize,
    trees: Trees,
}

/// What a definition has for itself.
struct Scope {
    variables: Vec<String>,
    /// How many `range`s are open.
    ranges: usize,
    action_line: usize,
}

/// What ended a list.
enum Ending {
    End,
    Else,
}

enum Element {
    Node(Node),
    Ending(Ending),
}

impl<'a> Parser<'a> {
    #[inline(never)]
    fn next(&mut self) -> Item<'a> {
        // The last word stays: there is nothing after the end or an error.
        let at = self.at.min(self.items.len() - 1);
        self.newest = self.newest.max(at);
        self.at += 1;
        self.items[at]
    }

    fn peek(&mut self) -> Item<'a> {
        let item = self.next();
        self.at -= 1;
        item
    }

    #[inline(never)]
    fn next_non_space(&mut self) -> Item<'a> {
        loop {
            let item = self.next();
            if item.kind != lexer::Kind::Space {
                return item;
            }
        }
    }

    #[inline(never)]
    fn peek_non_space(&mut self) -> Item<'a> {
        let item = self.next_non_space();
        self.at -= 1;
        item
    }

    fn error<T>(&self, message: impl AsRef<str>) -> Parsed<T> {
        Err(self.located(message.as_ref()))
    }

    #[cold]
    #[inline(never)]
    fn located(&self, message: &str) -> String {
        format!("template: {}:{}: {message}", self.name, self.items[self.newest].line)
    }

    fn unexpected<T>(&self, item: &Item, context: &str) -> Parsed<T> {
        Err(self.surprise(item, context))
    }

    #[cold]
    #[inline(never)]
    fn surprise(&self, item: &Item, context: &str) -> String {
        if item.kind != lexer::Kind::Error {
            return self.located(&format!("unexpected {} in {context}", item.shown()));
        }
        let started = self.scope.action_line;
        if started == 0 || started == item.line {
            return self.located(&self.lexer_error);
        }
        let what = if self.lexer_error.ends_with(" action") { "" } else { " in action" };
        self.located(&format!("{}{what} started at {}:{started}", self.lexer_error, self.name))
    }

    fn expect(&mut self, kind: lexer::Kind, context: &str) -> Parsed<Item<'a>> {
        let item = self.next_non_space();
        if item.kind == kind { Ok(item) } else { self.unexpected(&item, context) }
    }

    /// A template's name, in quotes.
    fn template_name(&mut self, context: &str) -> Parsed<(Item<'a>, String)> {
        let item = self.next_non_space();
        match item.kind {
            lexer::Kind::String | lexer::Kind::RawString => {
                let name = self.unquote(item.text)?;
                Ok((item, String::from_utf8_lossy(&name).into_owned()))
            }
            _ => self.unexpected(&item, context),
        }
    }

    fn unquote(&self, text: &str) -> Parsed<Vec<u8>> {
        match unquote(text) {
            Some(text) => Ok(text),
            None => self.error("invalid syntax"),
        }
    }

    /// Keeps a template, unless a full one of that name is there.
    fn add(&mut self, name: &str, list: Vec<Node>) -> Parsed<()> {
        let empty = |list: &[Node]| list.iter().all(|n| matches!(&n.kind, Kind::Text(text) if text.trim().is_empty()));
        match self.trees.iter_mut().find(|(known, _)| known == name) {
            None => self.trees.push((name.to_owned(), list)),
            Some(old) if empty(&old.1) => old.1 = list,
            Some(_) if empty(&list) => {}
            Some(_) => {
                return self.error(format!("template: multiple definition of template {}", quote(name.as_bytes(), false)));
            }
        }
        Ok(())
    }

    fn root(&mut self) -> Parsed<Vec<Node>> {
        let mut list = Vec::new();
        while self.peek().kind != lexer::Kind::End {
            if self.peek().kind == lexer::Kind::LeftDelim {
                let before = self.at;
                self.next();
                if self.next_non_space().kind == lexer::Kind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.at = before;
            }
            match self.element()? {
                Element::Node(node) => list.push(node),
                Element::Ending(Ending::End) => return self.error("unexpected {{end}}"),
                Element::Ending(Ending::Else) => return self.error("unexpected {{else}}"),
            }
        }
        Ok(list)
    }

    fn definition(&mut self) -> Parsed<()> {
        let context = "define clause";
        let outer = self.enter_scope();
        let (_, name) = self.template_name(context)?;
        self.expect(lexer::Kind::RightDelim, context)?;
        self.body(&name, context)?;
        self.scope = outer;
        Ok(())
    }

    /// A definition's own list, up to its end.
    fn body(&mut self, name: &str, context: &str) -> Parsed<()> {
        let (list, ending) = self.list()?;
        match ending {
            Ending::End => self.add(name, list),
            Ending::Else => self.error(format!("unexpected {{{{else}}}} in {context}")),
        }
    }

    fn enter_scope(&mut self) -> Scope {
        std::mem::replace(&mut self.scope, Scope { variables: vec!["$".into()], ranges: 0, action_line: 0 })
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, Ending)> {
        let mut list = Vec::new();
        while self.peek_non_space().kind != lexer::Kind::End {
            match self.element()? {
                Element::Node(node) => list.push(node),
                Element::Ending(ending) => return Ok((list, ending)),
            }
        }
        self.error("unexpected EOF")
    }

    fn element(&mut self) -> Parsed<Element> {
        let item = self.next_non_space();
        match item.kind {
            lexer::Kind::Text => Ok(Element::Node(Node { pos: item.pos, kind: Kind::Text(item.text.to_owned()) })),
            lexer::Kind::LeftDelim => {
                self.scope.action_line = item.line;
                let element = self.nested(Parser::action);
                self.scope.action_line = 0;
                element
            }
            _ => self.unexpected(&item, "input"),
        }
    }

    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.depth += 1;
        if self.depth > DEPTH {
            return self.error("max expression depth exceeded");
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn action(&mut self) -> Parsed<Element> {
        let item = self.next_non_space();
        let lexer::Kind::Keyword(keyword) = item.kind else {
            self.at -= 1;
            let pipe = self.pipeline("command", lexer::Kind::RightDelim)?;
            return Ok(Element::Node(Node { pos: pipe.pos, kind: Kind::Action(Box::new(pipe)) }));
        };
        let node = match keyword {
            Keyword::Block => self.block()?,
            Keyword::Break => self.jump(&item, Kind::Break)?,
            Keyword::Continue => self.jump(&item, Kind::Continue)?,
            Keyword::If => self.control(Word::If)?,
            Keyword::Range => self.control(Word::Range)?,
            Keyword::With => self.control(Word::With)?,
            Keyword::Template => self.template()?,
            Keyword::End => {
                self.expect(lexer::Kind::RightDelim, "end")?;
                return Ok(Element::Ending(Ending::End));
            }
            Keyword::Else => {
                // What follows `else` in `else if` and `else with` is parsed as if it stood in an action of its own.
                if !matches!(self.peek_non_space().kind, lexer::Kind::Keyword(Keyword::If | Keyword::With)) {
                    self.expect(lexer::Kind::RightDelim, "else")?;
                }
                return Ok(Element::Ending(Ending::Else));
            }
            Keyword::Define => {
                self.at -= 1;
                let item = self.next_non_space();
                return self.unexpected(&item, "command");
            }
        };
        Ok(Element::Node(node))
    }

    fn jump(&mut self, item: &Item, kind: Kind) -> Parsed<Node> {
        let node = Node { pos: item.pos, kind };
        self.expect(lexer::Kind::RightDelim, &node.to_string())?;
        if self.scope.ranges == 0 {
            return self.error(format!("{node} outside {{{{range}}}}"));
        }
        Ok(node)
    }

    fn control(&mut self, word: Word) -> Parsed<Node> {
        let variables = self.scope.variables.len();
        let (context, again) = match word {
            Word::If => ("if", Some(Keyword::If)),
            Word::With => ("with", Some(Keyword::With)),
            Word::Range => ("range", None),
        };
        let pipe = self.pipeline(context, lexer::Kind::RightDelim)?;
        let range = usize::from(word == Word::Range);
        self.scope.ranges += range;
        let list = self.list();
        self.scope.ranges -= range;
        let (then, ending) = list?;
        let mut otherwise = None;
        if let Ending::Else = ending {
            let chained = again.is_some_and(|keyword| self.peek().kind == lexer::Kind::Keyword(keyword));
            otherwise = Some(if chained {
                self.next();
                vec![self.nested(|parser| parser.control(word))?]
            } else {
                match self.list()? {
                    (list, Ending::End) => list,
                    _ => return self.error("expected end; found {{else}}"),
                }
            });
        }
        self.scope.variables.truncate(variables);
        Ok(Node { pos: pipe.pos, kind: Kind::Branch { word, pipe: Box::new(pipe), then, otherwise } })
    }

    fn block(&mut self) -> Parsed<Node> {
        let context = "block clause";
        let (item, name) = self.template_name(context)?;
        let pipe = self.pipeline(context, lexer::Kind::RightDelim)?;
        let outer = self.enter_scope();
        self.body(&name, context)?;
        self.scope = outer;
        Ok(Node { pos: item.pos, kind: Kind::Template { name, pipe: Some(Box::new(pipe)) } })
    }

    fn template(&mut self) -> Parsed<Node> {
        let context = "template clause";
        let (item, name) = self.template_name(context)?;
        let mut pipe = None;
        if self.next_non_space().kind != lexer::Kind::RightDelim {
            self.at -= 1;
            pipe = Some(Box::new(self.pipeline(context, lexer::Kind::RightDelim)?));
        }
        Ok(Node { pos: item.pos, kind: Kind::Template { name, pipe } })
    }

    fn pipeline(&mut self, context: &str, end: lexer::Kind) -> Parsed<Node> {
        let pos = self.peek_non_space().pos;
        let mut pipe = Pipe { assign: false, variables: Vec::new(), commands: Vec::new() };
        while self.peek_non_space().kind == lexer::Kind::Variable {
            let before = self.at;
            let variable = self.next_non_space().text.to_owned();
            let next = self.next_non_space();
            let comma = next.kind == lexer::Kind::Char && next.text == ",";
            if !comma && !matches!(next.kind, lexer::Kind::Assign | lexer::Kind::Declare) {
                self.at = before;
                break;
            }
            self.scope.variables.push(variable.clone());
            pipe.variables.push(variable);
            if !comma {
                pipe.assign = next.kind == lexer::Kind::Assign;
                break;
            }
            if context != "range" || pipe.variables.len() >= 2 {
                return self.error(format!("too many declarations in {context}"));
            }
            if !matches!(self.peek_non_space().kind, lexer::Kind::Variable | lexer::Kind::RightDelim | lexer::Kind::RightParen) {
                return self.error("range can only initialize variables");
            }
        }
        loop {
            let item = self.next_non_space();
            match item.kind {
                kind if kind == end => break,
                kind if operand(kind) => {
                    self.at -= 1;
                    pipe.commands.push(self.command()?);
                }
                _ => return self.unexpected(&item, context),
            }
        }
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (i, command) in pipe.commands.iter().enumerate().skip(1) {
            let Kind::Command(args) = &command.kind else { continue };
            if matches!(args[0].kind, Kind::Bool(_) | Kind::Dot | Kind::Nil | Kind::Number(_) | Kind::Str { .. }) {
                return self.error(format!("non executable command in pipeline stage {}", i + 1));
            }
        }
        Ok(Node { pos, kind: Kind::Pipe(pipe) })
    }

    fn command(&mut self) -> Parsed<Node> {
        let pos = self.peek_non_space().pos;
        let mut args = Vec::new();
        loop {
            self.peek_non_space();
            args.extend(self.operand()?);
            let item = self.next();
            match item.kind {
                lexer::Kind::Space => continue,
                lexer::Kind::RightDelim | lexer::Kind::RightParen => self.at -= 1,
                lexer::Kind::Pipe => {}
                _ => return self.unexpected(&item, "operand"),
            }
            break;
        }
        if args.is_empty() {
            return self.error("empty command");
        }
        Ok(Node { pos, kind: Kind::Command(args) })
    }

    fn operand(&mut self) -> Parsed<Option<Node>> {
        let Some(mut node) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != lexer::Kind::Field {
            return Ok(Some(node));
        }
        let mut more = Vec::new();
        while self.peek().kind == lexer::Kind::Field {
            more.push(self.next().text[1..].to_owned());
        }
        match &mut node.kind {
            Kind::Field(names) | Kind::Variable(names) => {
                names.append(&mut more);
                node.pos = first.pos;
            }
            Kind::Bool(_) | Kind::Str { .. } | Kind::Number(_) | Kind::Nil | Kind::Dot => {
                return self.error(format!("unexpected . after term {}", quote(node.to_string().as_bytes(), false)));
            }
            _ => node = Node { pos: first.pos, kind: Kind::Chain(Box::new(node), more) },
        }
        Ok(Some(node))
    }

    fn term(&mut self) -> Parsed<Option<Node>> {
        let item = self.next_non_space();
        let kind = match item.kind {
            lexer::Kind::Identifier if !funcs::exists(item.text, self.name) => {
                return self.error(format!("function {} not defined", quote(item.text.as_bytes(), false)));
            }
            lexer::Kind::Identifier => Kind::Identifier(item.text.to_owned()),
            lexer::Kind::Dot => Kind::Dot,
            lexer::Kind::Nil => Kind::Nil,
            lexer::Kind::Variable if !self.scope.variables.iter().any(|v| v == item.text) => {
                return self.error(format!("undefined variable {}", quote(item.text.as_bytes(), false)));
            }
            lexer::Kind::Variable => Kind::Variable(vec![item.text.to_owned()]),
            lexer::Kind::Field => Kind::Field(vec![item.text[1..].to_owned()]),
            lexer::Kind::Bool => Kind::Bool(item.text == "true"),
            lexer::Kind::CharConstant | lexer::Kind::Complex | lexer::Kind::Number => match number(&item) {
                Ok(number) => Kind::Number(number),
                Err(error) => return self.error(error),
            },
            lexer::Kind::LeftParen => {
                return self.nested(|parser| parser.pipeline("parenthesized pipeline", lexer::Kind::RightParen)).map(Some);
            }
            lexer::Kind::String | lexer::Kind::RawString => {
                let text = self.unquote(item.text)?;
                Kind::Str { quoted: item.text.to_owned(), text }
            }
            _ => {
                self.at -= 1;
                return Ok(None);
            }
        };
        Ok(Some(Node { pos: item.pos, kind }))
    }
}

/// Whether a command may begin with this.
fn operand(kind: lexer::Kind) -> bool {
    use lexer::Kind::*;
    matches!(kind, Bool | CharConstant | Complex | Dot | Field | Identifier | Number | Nil | RawString | String | Variable | LeftParen)
}
