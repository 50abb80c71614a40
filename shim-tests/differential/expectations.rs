//! The differences that are known and why: `shim-tests/expectations/GROUP.txt`, a line each:
//!
//! ```text
//! run-exit-status | podman-4* | stderr, state | the reason, which is mandatory
//! ```
//!
//! A difference without a line fails, and so does a line whose difference does not happen on an engine that it names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cases::{Case, glob};
use crate::records::Aspect;

pub struct Expectation {
    pub case: String,
    pub engines: String,
    pub aspects: Vec<Aspect>,
    /// FILE:LINE, for messages.
    pub place: String,
}

impl Expectation {
    pub fn covers(&self, case: &Case, engine: &str) -> bool {
        self.case == case.name && glob(&self.engines, engine)
    }
}

/// Reads every `*.txt` of the directory; each line must name a case of the file's own group.
pub fn load(directory: &Path, cases: &[Case]) -> Result<Vec<Expectation>> {
    let mut expectations = Vec::new();
    if !directory.exists() {
        return Ok(expectations);
    }
    let mut files: Vec<_> = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    for path in files {
        let group = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for (number, line) in fs::read_to_string(&path)?.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{group}.txt:{}", number + 1);
            let expectation = parse(line, &place).with_context(|| place.clone())?;
            if !cases.iter().any(|case| case.group == group && case.name == expectation.case) {
                bail!("{place}: group {group} has no case '{}'", expectation.case);
            }
            expectations.push(expectation);
        }
    }
    Ok(expectations)
}

fn parse(line: &str, place: &str) -> Result<Expectation> {
    let fields: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
    let [case, engines, aspects, reason] = fields[..] else { bail!("a line is: case | engine glob | aspects | reason") };
    if reason.is_empty() {
        bail!("the reason is missing");
    }
    let aspects = aspects.split([',', ' ']).filter(|aspect| !aspect.is_empty()).map(Aspect::parse).collect::<Result<Vec<_>>>()?;
    if aspects.is_empty() {
        bail!("no aspect is named");
    }
    Ok(Expectation { case: case.to_owned(), engines: engines.to_owned(), aspects, place: place.to_owned() })
}
