//! Go's `text/template`, with the functions that Docker's client gives its templates (docker/cli `templates/templates.go`).
//!
//! The rules are those of Go 1.24's documentation of `text/template` and `fmt`; error texts are Go's, for a template without a name.

use std::fmt;

use super::value::Value;

mod exec;
mod funcs;
mod lexer;
mod literal;
mod parser;
mod printf;
pub(crate) mod strconv;
mod val;

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    name: &'static str,
    text: String,
    /// The template itself under its own name, and those that it defines.
    trees: Vec<(String, Vec<Node>)>,
}

/// What is wrong with a template, or with running it, in Go's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError(pub String);

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TemplateError {}

/// Go's option `missingkey`: what a key is that a map does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingKey {
    /// No value, printed as `<no value>` whatever the map's elements are; only `index` gives their zero.
    Default,
    /// An error, as `docker inspect` has it for what the daemon sent.
    Error,
}

/// The functions that a template runs with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Functions {
    Basic,
    /// The same, with JSON over several lines (buildx `util/imagetools/printers.go`).
    Indented,
    /// Those of a table's header: what would change a value leaves it as it is (docker/cli `templates.HeaderFunctions`).
    Header,
}

impl Template {
    /// As it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn tree(&self, name: &str) -> Option<&[Node]> {
        self.trees.iter().find(|(known, _)| known == name).map(|(_, list)| list.as_slice())
    }

    /// Parses a template without a name, as `templates.Parse` does.
    pub fn parse(text: &str) -> Result<Template, TemplateError> {
        Template::parse_named("", text)
    }

    /// Parses a template whose name error texts show.
    pub fn parse_named(name: &'static str, text: &str) -> Result<Template, TemplateError> {
        let trees = parser::parse(name, text).map_err(TemplateError)?;
        Ok(Template { name, text: text.to_owned(), trees })
    }

    /// Writes the template over a value. After an error, `out` has what came before it, as in Go.
    pub fn execute(&self, data: &Value, missing: MissingKey, out: &mut Vec<u8>) -> Result<(), TemplateError> {
        exec::run(self, data, missing, Functions::Basic, out).1.map_err(TemplateError)
    }

    /// The same where `json` writes a line to a value.
    pub fn execute_indented(&self, data: &Value, out: &mut Vec<u8>) -> Result<(), TemplateError> {
        exec::run(self, data, MissingKey::Default, Functions::Indented, out).1.map_err(TemplateError)
    }

    /// Writes a table's header: the template over a map of headings. Docker ignores the error.
    pub fn execute_header(&self, headings: &Value, out: &mut Vec<u8>) -> Result<(), TemplateError> {
        exec::run(self, headings, MissingKey::Default, Functions::Header, out).1.map_err(TemplateError)
    }

    /// Whether running over `data` asks a row for a field: how Docker finds out that `ps` needs sizes (docker/cli `container/list.go`).
    pub fn asks_for(&self, data: &Value, field: &str) -> bool {
        exec::run(self, data, MissingKey::Default, Functions::Basic, &mut Vec::new()).0.contains(&field)
    }
}

/// A part of a template, with its place in the text.
#[derive(Debug)]
struct Node {
    pos: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Text(String),
    Action(Box<Node>),
    Branch {
        word: Word,
        pipe: Box<Node>,
        then: Vec<Node>,
        otherwise: Option<Vec<Node>>,
    },
    Template {
        name: String,
        pipe: Option<Box<Node>>,
    },
    Break,
    Continue,
    Pipe(Pipe),
    Command(Vec<Node>),
    Identifier(String),
    /// `.A.B`, without the dots.
    Field(Vec<String>),
    /// `$x.A.B`; the first has the dollar.
    Variable(Vec<String>),
    /// Fields of something in parentheses or of a function.
    Chain(Box<Node>, Vec<String>),
    Dot,
    Nil,
    Bool(bool),
    Number(Number),
    Str {
        quoted: String,
        text: Vec<u8>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    If,
    With,
    Range,
}

#[derive(Debug)]
struct Pipe {
    assign: bool,
    variables: Vec<String>,
    commands: Vec<Node>,
}

/// A number as written, and what it can be.
#[derive(Debug)]
struct Number {
    text: String,
    int: Option<i64>,
    uint: Option<u64>,
    float: Option<f64>,
}

/// A part of an action as Go prints it in error texts.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = |f: &mut fmt::Formatter<'_>, names: &[String]| names.iter().try_for_each(|name| write!(f, ".{name}"));
        match &self.kind {
            Kind::Text(text) => f.write_str(text),
            Kind::Action(pipe) => write!(f, "{{{{{pipe}}}}}"),
            Kind::Branch { pipe, .. } => write!(f, "{pipe}"),
            Kind::Template { name, pipe } => {
                write!(f, "{{{{template {}", strconv::quote(name.as_bytes(), false))?;
                pipe.iter().try_for_each(|pipe| write!(f, " {pipe}"))?;
                f.write_str("}}")
            }
            Kind::Break => f.write_str("{{break}}"),
            Kind::Continue => f.write_str("{{continue}}"),
            Kind::Pipe(pipe) => {
                if !pipe.variables.is_empty() {
                    write!(f, "{} {} ", pipe.variables.join(", "), if pipe.assign { "=" } else { ":=" })?;
                }
                separated(f, &pipe.commands, " | ")
            }
            Kind::Command(args) => separated(f, args, " "),
            Kind::Identifier(name) => f.write_str(name),
            Kind::Field(names) => fields(f, names),
            Kind::Variable(names) => f.write_str(&names.join(".")),
            Kind::Chain(node, names) => separated(f, std::slice::from_ref(&**node), "").and_then(|()| fields(f, names)),
            Kind::Dot => f.write_str("."),
            Kind::Nil => f.write_str("nil"),
            Kind::Bool(it) => write!(f, "{it}"),
            Kind::Number(number) => f.write_str(&number.text),
            Kind::Str { quoted, .. } => f.write_str(quoted),
        }
    }
}

/// Nodes with something between them; a pipeline is in parentheses.
fn separated(f: &mut fmt::Formatter<'_>, nodes: &[Node], between: &str) -> fmt::Result {
    for (i, node) in nodes.iter().enumerate() {
        f.write_str(if i > 0 { between } else { "" })?;
        match node.kind {
            Kind::Pipe(_) => write!(f, "({node})")?,
            _ => write!(f, "{node}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
