//! The cases: short sh scripts with `docker` in them, many to a file, `shim-tests/cases/GROUP.cases`.
//!
//! ```text
//! # a comment, before the first case or between cases
//! == run-exit-status
//! @setup native pull -q docker.io/myorg/app:1.0
//! docker run --rm busybox sh -c 'exit 3'
//! ```
//!
//! A case begins with `== NAME`; header lines follow, then the script up to the next `== `. Headers:
//! - `@user ci`: run as the ordinary user (rootless on Podman).
//! - `@setup CMD`: sh run first, its output thrown away; `native` is the engine's own client (docker or podman).
//! - `@probe CMD`: sh run after the script, its output is part of the state; `native` as above.
//! - `@engines GLOB…`: the Podmans that the case is for (all); Docker always answers.
//! - `@without ASPECT…: WHY`: what is not compared, because Docker's own answer is not the same twice.
//! - `@seconds N`: the time limit (60).

use std::path::Path;
use std::{fs, time::Duration};

use anyhow::{Context, Result, bail};

use crate::records::Aspect;

pub struct Case {
    pub group: String,
    pub name: String,
    /// Headers and script as written: what a record was made from.
    pub text: String,
    pub script: String,
    pub user: String,
    pub setup: Vec<String>,
    pub probe: Vec<String>,
    pub engines: Vec<String>,
    pub without: Vec<Aspect>,
    pub limit: Duration,
}

/// Reads every `*.cases` file of the directory, in order of names; names of cases are unique over all of them.
pub fn load(directory: &Path) -> Result<Vec<Case>> {
    let mut files: Vec<_> = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "cases"));
    files.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in files {
        let group = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path)?;
        for case in parse(&group, &text).with_context(|| path.display().to_string())? {
            if let Some(twin) = cases.iter().find(|other| other.name == case.name) {
                bail!("two cases are called '{}' (groups {} and {group})", case.name, twin.group);
            }
            cases.push(case);
        }
    }
    Ok(cases)
}

/// The cases of one file.
fn parse(group: &str, text: &str) -> Result<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    let mut in_header = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("== ") {
            let name = name.trim().to_owned();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
                bail!("'{name}' is no name for a case (letters, digits, - _ .)");
            }
            cases.push(Case {
                group: group.to_owned(),
                name,
                text: String::new(),
                script: String::new(),
                user: "root".to_owned(),
                setup: Vec::new(),
                probe: Vec::new(),
                engines: Vec::new(),
                without: Vec::new(),
                limit: Duration::from_secs(60),
            });
            in_header = true;
            continue;
        }
        let Some(case) = cases.last_mut() else {
            if !line.is_empty() && !line.starts_with('#') {
                bail!("'{line}' stands before the first case");
            }
            continue;
        };
        case.text += line;
        case.text.push('\n');
        match line.strip_prefix('@').filter(|_| in_header) {
            Some(header) => case.header(header).with_context(|| format!("case {}", case.name))?,
            None => {
                in_header = false;
                case.script += line;
                case.script.push('\n');
            }
        }
    }
    for case in &mut cases {
        case.script = trimmed(&case.script);
        case.text = trimmed(&case.text);
        if case.script.trim().is_empty() {
            bail!("case {} has no script", case.name);
        }
    }
    Ok(cases)
}

/// The text without blank lines and whole-line comments at its end (those belong to what follows).
fn trimmed(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    while lines.last().is_some_and(|line| line.trim().is_empty() || line.starts_with('#')) {
        lines.pop();
    }
    lines.into_iter().flat_map(|line| [line, "\n"]).collect()
}

impl Case {
    fn header(&mut self, header: &str) -> Result<()> {
        let (word, rest) = header.split_once(' ').unwrap_or((header, ""));
        let rest = rest.trim();
        match word {
            "user" => self.user = rest.to_owned(),
            "setup" => self.setup.push(rest.to_owned()),
            "probe" => self.probe.push(rest.to_owned()),
            "engines" => self.engines = rest.split_whitespace().map(str::to_owned).collect(),
            "seconds" => self.limit = Duration::from_secs(rest.parse()?),
            "without" => {
                let Some((aspects, why)) = rest.split_once(':') else { bail!("@without needs a reason: '@without stderr: WHY'") };
                if why.trim().is_empty() {
                    bail!("@without needs a reason");
                }
                self.without = aspects.split_whitespace().map(Aspect::parse).collect::<Result<_>>()?;
            }
            _ => bail!("unknown header '@{word}'"),
        }
        Ok(())
    }
}

/// Whether the whole text matches the pattern, in which `*` stands for any text.
pub fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            text.strip_prefix(start).is_some_and(|text| (0..=text.len()).any(|at| text.is_char_boundary(at) && glob(rest, &text[at..])))
        }
    }
}
