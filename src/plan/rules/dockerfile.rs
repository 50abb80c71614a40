//! Which images a Dockerfile names (docs.docker.com, Dockerfile reference: FROM, ARG, COPY --from, RUN --mount=from).

use std::collections::HashMap;
use std::ffi::OsStr;

use crate::host::Host;

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
        let mut words = line.split_whitespace();
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

/// How many steps a Dockerfile has; an ARG before the first FROM is none.
pub fn count(text: &str) -> usize {
    let verb = |line: &String| line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    instructions(text).iter().map(verb).skip_while(|verb| verb != "FROM").count()
}

/// Instructions with their continuation lines joined and comments left out; heredoc bodies are skipped.
fn instructions(text: &str) -> Vec<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut escape = '\\';
    for line in text.lines() {
        let Some(directive) = line.trim_start().strip_prefix('#') else { break };
        match directive.split_once('=') {
            Some((key, value)) if key.trim().eq_ignore_ascii_case("escape") => escape = value.trim().chars().next().unwrap_or('\\'),
            Some(_) => {}
            None => break,
        }
    }
    let mut all = Vec::new();
    let mut current = String::new();
    let mut heredocs: Vec<String> = Vec::new();
    for line in text.lines() {
        if let Some(end) = heredocs.first() {
            if line.trim_start_matches('\t') == end {
                heredocs.remove(0);
            }
            continue;
        }
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        match line.trim_end().strip_suffix(escape) {
            Some(open) => {
                current.push_str(open);
                current.push(' ');
            }
            None => {
                current.push_str(line);
                heredocs = heredoc_ends(&current);
                all.push(std::mem::take(&mut current));
            }
        }
    }
    if !current.is_empty() {
        all.push(current);
    }
    all
}

/// The words that end the heredocs which a RUN, COPY or ADD begins.
fn heredoc_ends(line: &str) -> Vec<String> {
    let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    if !matches!(verb.as_str(), "RUN" | "COPY" | "ADD") {
        return Vec::new();
    }
    let ends = line.split_whitespace().filter_map(|word| {
        let at = word.find("<<")?;
        let end = word[at + 2..].trim_start_matches('-').trim_matches(['"', '\'']);
        let named = end.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        named.then(|| end.to_string())
    });
    ends.collect()
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
