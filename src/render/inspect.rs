//! Objects: as indented JSON, as compact JSON, or by a template (docker/cli `cli/command/inspect`).

use std::fmt;

use serde_json::Value as Json;

use super::template::{MissingKey, Template};
use super::value::{Type, Value, to_json};
use crate::plan::{Answer, Refusal};

/// An object as dockerd would have sent it, and the type that Docker's client reads it into.
#[derive(Debug)]
pub struct Object {
    pub typ: &'static Type,
    pub json: Json,
}

/// How objects are written.
pub enum Inspector {
    Indented,
    Compact,
    Template(Template),
}

impl fmt::Debug for Inspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inspector::Indented => f.write_str("indented JSON"),
            Inspector::Compact => f.write_str("JSON"),
            Inspector::Template(template) => write!(f, "{:?}", template.text()),
        }
    }
}

impl Inspector {
    /// The inspector for a `--format`. Errors: a template that cannot be parsed, with status 64.
    pub fn new(format: &str) -> Result<Inspector, Refusal> {
        match format {
            "" => Ok(Inspector::Indented),
            "json" => Ok(Inspector::Compact),
            text => match Template::parse(text) {
                Ok(template) => Ok(Inspector::Template(template)),
                Err(error) => Err(Refusal::new(format!("template parsing error: {error}"), 64)),
            },
        }
    }

    /// Docker's answer for what was found, in the order asked for, and the errors for what was not.
    pub fn show(&self, found: Vec<Result<Object, String>>) -> Answer {
        self.answer(found, true)
    }

    /// The same for objects that Docker's client keeps only as it has read them: volumes, contexts. Their JSON is `json.Marshal`'s, and a
    /// template that fails over the type has failed.
    pub fn show_typed(&self, found: Vec<Result<Object, String>>) -> Answer {
        self.answer(found, false)
    }

    /// The template, where it is one.
    pub fn template(&self) -> Option<&Template> {
        match self {
            Inspector::Template(template) => Some(template),
            _ => None,
        }
    }

    /// Whether what is shown can depend on a field of the object: a template names it, or has a dot or dollar that stands for the whole.
    pub fn shows(&self, field: &str) -> bool {
        let Some(template) = self.template() else { return true };
        let text = template.text();
        let whole =
            text.match_indices(['.', '$']).any(|(at, _)| !text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '.'));
        whole || text.contains(field)
    }

    fn answer(&self, found: Vec<Result<Object, String>>, raw: bool) -> Answer {
        let mut errors = Vec::new();
        let mut objects = Vec::new();
        for found in found {
            match found {
                Ok(object) => objects.push(object),
                Err(error) => errors.push(error),
            }
        }
        let mut stdout = match self {
            Inspector::Template(template) => by_template(template, &objects, raw, &mut errors),
            _ if objects.is_empty() => b"[]".to_vec(),
            Inspector::Compact => list(&objects, raw).into_bytes(),
            Inspector::Indented => indent(&list(&objects, raw)).into_bytes(),
        };
        if !stdout.ends_with(b"\n") {
            stdout.push(b'\n');
        }
        let (stderr, status) = if errors.is_empty() { (Vec::new(), 0) } else { (format!("{}\n", errors.join("\n")).into_bytes(), 1) };
        Answer { stdout, stderr, status }
    }
}

/// The objects as the daemon has sent them, or by `json.Marshal` of their types.
fn list(objects: &[Object], raw: bool) -> String {
    let one = |object: &Object| match raw {
        true => sent(object),
        false => to_json(&Value::decode(object.typ, &object.json)),
    };
    format!("[{}]", objects.iter().map(one).collect::<Vec<_>>().join(","))
}

/// What dockerd sends. An image's JSON goes through a marshaller of its own, which escapes for HTML (`image/inspect_response.go`).
fn sent(object: &Object) -> String {
    let text = object.json.to_string();
    if object.typ.name() != "image.InspectResponse" {
        return text;
    }
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// Compact JSON as `json.Indent` lays it out with four blanks, its strings untouched.
fn indent(json: &str) -> String {
    let mut out = String::new();
    let (mut depth, mut in_string, mut escaped) = (0, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.push_str(&"    ".repeat(depth));
    };
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            '{' | '[' => {
                out.push(c);
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                    continue;
                }
                depth += 1;
                line(&mut out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => {
                out.push(c);
                in_string = c == '"';
            }
        }
    }
    out
}

/// A template runs over Docker's type, and where that fails over what the daemon sent, if there is any, from then on with absent keys as
/// errors.
fn by_template(template: &Template, objects: &[Object], raw: bool, errors: &mut Vec<String>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut missing = MissingKey::Default;
    for object in objects {
        let mut line = Vec::new();
        if let Err(error) = template.execute(&Value::decode(object.typ, &object.json), missing, &mut line) {
            if !raw {
                errors.push(format!("template parsing error: {error}"));
                continue;
            }
            line.clear();
            missing = MissingKey::Error;
            if let Err(error) = template.execute(&Value::raw(&object.json), missing, &mut line) {
                errors.push(format!("template parsing error: {error}"));
                continue;
            }
        }
        out.append(&mut line);
        out.push(b'\n');
    }
    out
}
