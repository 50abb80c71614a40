//! The words of a template: text, and what is between `{{` and `}}`.

use super::strconv::{is_print, quote};

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    End,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    Dot,
    Nil,
    Keyword(Keyword),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Block,
    Break,
    Continue,
    Define,
    Else,
    End,
    If,
    Range,
    Template,
    With,
}

/// A word, with its place and the line that it begins on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item<'a> {
    pub kind: Kind,
    pub pos: usize,
    pub line: usize,
    /// As written; nothing, where it is an error.
    pub text: &'a str,
}

impl Item<'_> {
    /// The word as error texts show it.
    pub fn shown(&self) -> String {
        match self.kind {
            Kind::End => "EOF".into(),
            Kind::Keyword(_) | Kind::Dot | Kind::Nil => format!("<{}>", self.text),
            _ if self.text.len() > 10 => format!("{}...", quote(self.text.chars().take(10).collect::<String>().as_bytes(), false)),
            _ => quote(self.text.as_bytes(), false),
        }
    }
}

/// Every word of a template, and what is wrong where the last is an error; else the last is the end.
pub(super) fn items(input: &str) -> (Vec<Item<'_>>, String) {
    let mut lexer = Lexer { input, pos: 0, start: 0, line: 1, start_line: 1, inside: false, parens: 0, items: Vec::new() };
    let error = lexer.run().err();
    if error.is_some() {
        lexer.items.push(Item { kind: Kind::Error, pos: lexer.start, line: lexer.start_line, text: "" });
    }
    (lexer.items, error.unwrap_or_default())
}

struct Lexer<'a> {
    input: &'a str,
    pos: usize,
    /// Where the present word begins.
    start: usize,
    line: usize,
    start_line: usize,
    inside: bool,
    parens: usize,
    items: Vec<Item<'a>>,
}

type Lexed = Result<(), String>;

const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

/// Letters, digits and `_`.
pub(super) fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

impl<'a> Lexer<'a> {
    fn run(&mut self) -> Lexed {
        loop {
            if self.inside {
                self.action()?;
            } else if !self.text()? {
                return Ok(());
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.input[self.pos..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next character, gone over.
    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.step(c.len_utf8());
        Some(c)
    }

    fn step(&mut self, bytes: usize) {
        self.line += self.input[self.pos..self.pos + bytes].matches('\n').count();
        self.pos += bytes;
    }

    fn word(&self) -> &'a str {
        &self.input[self.start..self.pos]
    }

    fn emit(&mut self, kind: Kind) {
        let item = Item { kind, pos: self.start, line: self.start_line, text: self.word() };
        self.items.push(item);
        self.ignore();
    }

    fn ignore(&mut self) {
        self.start = self.pos;
        self.start_line = self.line;
    }

    /// Text up to the next `{{`, and that; false at the end.
    fn text(&mut self) -> Result<bool, String> {
        let Some(length) = self.rest().find("{{") else {
            self.step(self.rest().len());
            if self.pos > self.start {
                self.emit(Kind::Text);
            }
            self.emit(Kind::End);
            return Ok(false);
        };
        let after = &self.rest()[length + 2..];
        let trim = after.starts_with('-') && after[1..].starts_with(is_space);
        let text = &self.rest()[..length];
        let kept = if trim { text.trim_end_matches(SPACES).len() } else { length };
        self.step(kept);
        if kept > 0 {
            self.emit(Kind::Text);
        }
        self.step(length - kept);
        self.ignore();

        let marker = if trim { 2 } else { 0 };
        if self.rest()[2 + marker..].starts_with("/*") {
            self.step(2 + marker);
            self.ignore();
            return self.comment().map(|()| true);
        }
        self.step(2);
        self.emit(Kind::LeftDelim);
        self.step(marker);
        self.ignore();
        self.inside = true;
        self.parens = 0;
        Ok(true)
    }

    fn comment(&mut self) -> Lexed {
        let Some(length) = self.rest()[2..].find("*/") else { return Err("unclosed comment".into()) };
        let after = self.pos + length + 4;
        let Some(marker) = right_delim(&self.input[after..]) else { return Err("comment ends before closing delimiter".into()) };
        self.step(length + 4 + marker + 2);
        self.trim_after(marker);
        self.ignore();
        Ok(())
    }

    /// Goes over the blanks after ` -}}`.
    fn trim_after(&mut self, marker: usize) {
        if marker > 0 {
            let blanks = self.rest().len() - self.rest().trim_start_matches(SPACES).len();
            self.step(blanks);
        }
    }

    fn close(&mut self, marker: usize) {
        self.step(marker);
        self.ignore();
        self.step(2);
        self.emit(Kind::RightDelim);
        self.trim_after(marker);
        self.ignore();
        self.inside = false;
    }

    fn action(&mut self) -> Lexed {
        if let Some(marker) = right_delim(self.rest()) {
            if self.parens > 0 {
                return Err("unclosed left paren".into());
            }
            self.close(marker);
            return Ok(());
        }
        let Some(c) = self.next() else { return Err("unclosed action".into()) };
        match c {
            _ if is_space(c) => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' if self.next() == Some('=') => self.emit(Kind::Declare),
            ':' => return Err("expected :=".into()),
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::String, "unterminated quoted string")?,
            '\'' => self.quoted('\'', Kind::CharConstant, "unterminated character constant")?,
            '`' => match self.rest().find('`') {
                Some(length) => {
                    self.step(length + 1);
                    self.emit(Kind::RawString);
                }
                None => return Err("unterminated raw quoted string".into()),
            },
            '$' => self.name(Kind::Variable, Kind::Variable)?,
            '.' if self.peek().is_some_and(|c| !c.is_ascii_digit()) => self.name(Kind::Field, Kind::Dot)?,
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.number()?;
            }
            _ if is_alphanumeric(c) => self.identifier()?,
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen);
            }
            ')' if self.parens == 0 => return Err("unexpected right paren".into()),
            ')' => {
                self.parens -= 1;
                self.emit(Kind::RightParen);
            }
            ' '..='~' => self.emit(Kind::Char),
            _ => return Err(format!("unrecognized character in action: {}", unicode(c))),
        }
        Ok(())
    }

    /// A run of blanks; one that belongs to ` -}}` is left.
    fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.next();
        }
        let last = self.pos - 1;
        if right_delim(&self.input[last..]) == Some(2) {
            if self.input.as_bytes()[last] == b'\n' {
                self.line -= 1;
            }
            self.pos = last;
        }
        if self.pos > self.start {
            self.emit(Kind::Space);
        }
    }

    fn quoted(&mut self, end: char, kind: Kind, error: &str) -> Lexed {
        loop {
            let c = match self.next() {
                Some('\\') => self.next().filter(|c| *c != '\n').map(|_| '\\'),
                c => c,
            };
            match c {
                None | Some('\n') => return Err(error.into()),
                Some(c) if c == end => break,
                _ => {}
            }
        }
        self.emit(kind);
        Ok(())
    }

    fn letters(&mut self) {
        while self.peek().is_some_and(is_alphanumeric) {
            self.next();
        }
    }

    /// A field or variable, whose first character is read; `bare` is what that alone is.
    fn name(&mut self, kind: Kind, bare: Kind) -> Lexed {
        if self.at_terminator() {
            self.emit(bare);
            return Ok(());
        }
        self.letters();
        self.terminated()?;
        self.emit(kind);
        Ok(())
    }

    fn identifier(&mut self) -> Lexed {
        self.letters();
        self.terminated()?;
        let kind = match self.word() {
            "block" => Kind::Keyword(Keyword::Block),
            "break" => Kind::Keyword(Keyword::Break),
            "continue" => Kind::Keyword(Keyword::Continue),
            "define" => Kind::Keyword(Keyword::Define),
            "else" => Kind::Keyword(Keyword::Else),
            "end" => Kind::Keyword(Keyword::End),
            "if" => Kind::Keyword(Keyword::If),
            "range" => Kind::Keyword(Keyword::Range),
            "template" => Kind::Keyword(Keyword::Template),
            "with" => Kind::Keyword(Keyword::With),
            "nil" => Kind::Nil,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind);
        Ok(())
    }

    /// Whether a name may end here.
    fn at_terminator(&self) -> bool {
        self.peek().is_none_or(|c| is_space(c) || ".,|:)(".contains(c)) || self.rest().starts_with("}}")
    }

    fn terminated(&self) -> Lexed {
        match self.peek() {
            Some(c) if !self.at_terminator() => Err(format!("bad character {}", unicode(c))),
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> Lexed {
        let mut good = self.scan_number();
        let mut kind = Kind::Number;
        if good && matches!(self.peek(), Some('+' | '-')) {
            kind = Kind::Complex;
            good = self.scan_number() && self.word().ends_with('i');
        }
        if !good {
            return Err(format!("bad number syntax: {}", quote(self.word().as_bytes(), false)));
        }
        self.emit(kind);
        Ok(())
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|c| valid.contains(c));
        if found {
            self.pos += 1;
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let (mut digits, mut exponent) = ("0123456789_", "eE");
        if self.accept("0") {
            if self.accept("xX") {
                (digits, exponent) = ("0123456789abcdefABCDEF_", "pP");
            } else if self.accept("oO") {
                (digits, exponent) = ("01234567_", "");
            } else if self.accept("bB") {
                (digits, exponent) = ("01_", "");
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

/// The length of the trim marker, where a `}}` is here.
fn right_delim(text: &str) -> Option<usize> {
    if text.starts_with(is_space) && text[1..].starts_with("-}}") {
        return Some(2);
    }
    text.starts_with("}}").then_some(0)
}

/// Go's `%#U`.
fn unicode(c: char) -> String {
    let code = format!("U+{:04X}", u32::from(c));
    if is_print(c) { format!("{code} '{c}'") } else { code }
}
