//! Which images a Dockerfile names (docs.docker.com, Dockerfile reference: FROM, ARG, COPY --from, RUN --mount=from).

use std::collections::HashMap;
use std::ffi::OsStr;

use crate::host::Host;

pub mod rewrite;

/// The images that a build fetches or looks for, as written after `ARG` is filled in; stages and `scratch` left out. Names
/// that cannot be known beforehand are left out too.
pub fn images(text: &str, build_args: &[&OsStr], host: &dyn Host) -> Vec<String> {
    let given: HashMap<String, String> = build_args
        .iter()
        .filter_map(|arg| {
            let text = arg.to_str()?;
            match text.split_once('=') {
                Some((name, value)) => Some((name.to_string(), value.to_string())),
                None => Some((text.to_string(), host.env(text)?.into_string().ok()?)),
            }
        })
        .collect();
    let mut arguments: HashMap<String, String> = HashMap::new();
    let mut stages: Vec<String> = Vec::new();
    let mut images: Vec<String> = Vec::new();
    let mut in_stage = false;
    let add = |name: Option<String>, stages: &[String], images: &mut Vec<String>| {
        let Some(name) = name else { return };
        let stage = stages.iter().any(|s| s.eq_ignore_ascii_case(&name)) || name.bytes().all(|b| b.is_ascii_digit());
        if !stage && name != "scratch" && !images.contains(&name) {
            images.push(name);
        }
    };
    for line in instructions(text) {
        let mut words = line.text.split_whitespace();
        let Some(verb) = words.next() else { continue };
        match verb.to_ascii_uppercase().as_str() {
            "ARG" if !in_stage => {
                for word in words {
                    let (name, default) = word.split_once('=').unwrap_or((word, ""));
                    let value = match given.get(name) {
                        Some(value) => Some(value.clone()),
                        None => expand(unquoted(default), &arguments),
                    };
                    if let Some(value) = value {
                        arguments.insert(name.to_string(), value);
                    }
                }
            }
            "FROM" => {
                in_stage = true;
                let mut words = words.filter(|w| !w.starts_with("--"));
                let name = words.next().and_then(|w| expand(w, &arguments)).filter(|n| !n.is_empty());
                add(name, &stages, &mut images);
                if words.next().is_some_and(|w| w.eq_ignore_ascii_case("as")) {
                    stages.extend(words.next().map(str::to_string));
                }
            }
            "COPY" => {
                let from = words.take_while(|w| w.starts_with("--")).find_map(|w| w.strip_prefix("--from="));
                add(from.filter(|f| !f.contains('$')).map(str::to_string), &stages, &mut images);
            }
            "RUN" => {
                for mount in words.take_while(|w| w.starts_with("--")).filter_map(|w| w.strip_prefix("--mount=")) {
                    let from = mount.split(',').find_map(|field| field.strip_prefix("from="));
                    add(from.filter(|f| !f.contains('$')).map(str::to_string), &stages, &mut images);
                }
            }
            _ => {}
        }
    }
    images
}

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// Whether there are instructions, and all of them known. Errors: BuildKit's words. (One that is nearly right is podman's to refuse:
/// BuildKit says which one may have been meant.)
pub fn check(text: &str) -> Result<(), String> {
    let all = instructions(text);
    if all.is_empty() {
        return Err("file with no instructions".into());
    }
    let near = |verb: &str| INSTRUCTIONS.iter().any(|known| distance(known, verb) < 4);
    let unknown = all.iter().find(|it| !INSTRUCTIONS.contains(&it.verb().as_str()) && !near(&it.verb()));
    match unknown.filter(|_| directive(text, "syntax").is_none()) {
        Some(it) => {
            let word = it.text.split_whitespace().next().unwrap_or_default();
            Err(format!("dockerfile parse error on line {}: unknown instruction: {word}", it.lines.0 + 1))
        }
        None => Ok(()),
    }
}

/// How many letters have to be changed, added or left out.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in other.bytes().enumerate() {
            let replaced = before + usize::from(a != b);
            before = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(before + 1);
        }
    }
    row[other.len()]
}

/// The names of a Dockerfile's stages.
pub fn stages(text: &str) -> Vec<String> {
    instructions(text).iter().filter_map(stage).collect()
}

/// The name that a FROM gives its stage.
pub fn stage(instruction: &Instruction) -> Option<String> {
    let mut words = instruction.text.split_whitespace().skip_while(|word| !word.eq_ignore_ascii_case("as"));
    words.nth(1).filter(|_| instruction.verb() == "FROM").map(str::to_string)
}

/// How many steps a Dockerfile has; an ARG before the first FROM is none.
pub fn count(text: &str) -> usize {
    instructions(text).iter().map(Instruction::verb).skip_while(|verb| verb != "FROM").count()
}

/// An instruction with its continuation lines joined.
pub struct Instruction {
    pub text: String,
    /// Its first and last line, from 0; heredocs come after.
    pub lines: (usize, usize),
    pub heredocs: Vec<Heredoc>,
}

/// What stands below a RUN, COPY or ADD for the `<<NAME` in it.
pub struct Heredoc {
    pub name: String,
    /// The name was in quotes: nothing in the text is filled in.
    pub quoted: bool,
    /// As it is in the file, tabs at the beginnings of lines left out for `<<-`.
    pub body: String,
    /// Its last line.
    pub end: usize,
}

impl Heredoc {
    /// The text as COPY writes it, where that does not depend on variables.
    pub fn text(&self) -> Option<String> {
        if self.quoted {
            return Some(self.body.clone());
        }
        let text = self.body.replace("\\$", "\u{0}");
        (!text.contains(['$', '\\'])).then(|| text.replace('\u{0}', "$"))
    }
}

impl Instruction {
    /// `COPY`, in capitals.
    pub fn verb(&self) -> String {
        self.text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase()
    }
}

/// Instructions with their continuation lines joined and comments left out.
pub fn instructions(text: &str) -> Vec<Instruction> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = directive(text, "escape").and_then(|value| value.chars().next()).unwrap_or('\\');
    let mut all: Vec<Instruction> = Vec::new();
    let mut current = String::new();
    let mut began = 0;
    let mut open: Vec<(Heredoc, bool)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some((heredoc, chomp)) = open.first_mut() {
            let line = if *chomp { line.trim_start_matches('\t') } else { line };
            if line == heredoc.name {
                let (heredoc, _) = open.remove(0);
                if let Some(last) = all.last_mut() {
                    last.heredocs.push(Heredoc { end: number, ..heredoc });
                }
            } else {
                heredoc.body.push_str(line);
                heredoc.body.push('\n');
            }
            continue;
        }
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if current.is_empty() {
            began = number;
        }
        match line.trim_end().strip_suffix(escape) {
            Some(open) => {
                current.push_str(open);
                current.push(' ');
            }
            None => {
                current.push_str(line);
                open = heredocs(&current);
                all.push(Instruction { text: std::mem::take(&mut current), lines: (began, number), heredocs: vec![] });
            }
        }
    }
    if !current.is_empty() {
        all.push(Instruction { text: current, lines: (began, text.lines().count().saturating_sub(1)), heredocs: vec![] });
    }
    all
}

/// A directive from the comments that a Dockerfile begins with: `# escape=\``.
pub fn directive(text: &str, name: &str) -> Option<String> {
    let directives = text.lines().map_while(|line| line.trim_start().strip_prefix('#')?.split_once('='));
    let mut found = directives.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| value.trim().to_string())
}

/// The heredocs which a RUN, COPY or ADD begins, and which of them are without the tabs before their lines.
fn heredocs(line: &str) -> Vec<(Heredoc, bool)> {
    let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(verb.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let begun = line.split_whitespace().filter_map(|word| {
        let at = word.find("<<")?;
        let chomp = word[at + 2..].starts_with('-');
        let name = word[at + 2..].trim_start_matches('-');
        let bare = name.trim_matches(['"', '\'']);
        let named = bare.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let heredoc = Heredoc { name: bare.to_string(), quoted: bare.len() < name.len(), body: String::new(), end: 0 };
        named.then_some((heredoc, chomp))
    });
    begun.collect()
}

fn unquoted(word: &str) -> &str {
    let quoted = |q: char| word.strip_prefix(q).and_then(|w| w.strip_suffix(q));
    quoted('"').or_else(|| quoted('\'')).unwrap_or(word)
}

/// Fills in `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+word}`. None where a form is not known here.
fn expand(word: &str, arguments: &HashMap<String, String>) -> Option<String> {
    let word = unquoted(word);
    let mut out = String::new();
    let mut rest = word;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(braced) = rest.strip_prefix('{') {
            let end = braced.find('}')?;
            let inside = &braced[..end];
            rest = &braced[end + 1..];
            let name_end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
            let (name, operator) = inside.split_at(name_end);
            let value = arguments.get(name).filter(|v| !v.is_empty());
            match operator.get(..2) {
                None if operator.is_empty() => out.push_str(value.map_or("", String::as_str)),
                Some(":-") => out.push_str(value.map_or(&operator[2..], String::as_str)),
                Some(":+") => out.push_str(value.map_or("", |_| &operator[2..])),
                _ => return None,
            }
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            out.push_str(arguments.get(&rest[..end]).map_or("", String::as_str));
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ThisHost;

    fn names(text: &str, args: &[&str]) -> Vec<String> {
        let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
        images(text, &args, &ThisHost::new())
    }

    #[test]
    fn finds_images_not_stages() {
        let text = "# syntax=docker/dockerfile:1\nFROM golang:1 AS build\nRUN x\nFROM --platform=linux/amd64 \\\n  alpine\nCOPY --from=build /a /b\nCOPY --from=busybox:1 /a /b\nCOPY --chown=1 --from=0 /a /b\nRUN --mount=type=bind,from=redis,target=/r true\nfrom scratch\n";
        assert_eq!(names(text, &[]), ["golang:1", "alpine", "busybox:1", "redis"]);
    }

    #[test]
    fn fills_in_arguments() {
        let text = "ARG TAG=3\nARG IMAGE=\"alpine:${TAG}\"\nARG BASE=${OTHER:-busybox}\nFROM $IMAGE\nFROM ${BASE}\nARG TAG=9\nFROM x${MISSING}y:$TAG\nFROM ${A#b}\n";
        assert_eq!(names(text, &[]), ["alpine:3", "busybox", "xy:3"]);
        assert_eq!(names(text, &["TAG=4", "BASE=scratch"]), ["alpine:4", "xy:4"]);
    }

    #[test]
    fn skips_heredocs() {
        let text = "FROM a\nRUN <<EOT\nFROM b\nEOT\nCOPY <<-'E' /x\n\tFROM c\n\tE\nFROM d\n";
        assert_eq!(names(text, &[]), ["a", "d"]);
    }
}
