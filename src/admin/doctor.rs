//! `docker-shim doctor`: what of this machine keeps docker-shim, or programs beside it, from working for this user, and what helps. Nothing
//! is said of what is in order.

use std::fmt::Write as _;
use std::path::Path;

use nix::unistd::{Uid, User};
use serde_json::{Value, json};

use crate::host::{self, Host, ThisHost};
use crate::settings::{SYSTEM_FILE, Settings};

mod files;
pub mod image;
mod json;
mod machine;
mod policy;
mod registries;
mod user;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// To be known, and in nobody's way.
    Note,
    /// Something is slow, or fails for some, or may not be meant.
    Warning,
    /// Jobs fail, or others than root decide what is run.
    Error,
}

/// What is not in order, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub grade: Grade,
    pub what: &'static str,
    pub text: String,
    pub remedy: String,
}

fn note(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { grade: Grade::Note, what, text: text.into(), remedy: remedy.into() }
}
fn warning(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { grade: Grade::Warning, what, text: text.into(), remedy: remedy.into() }
}
fn error(what: &'static str, text: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { grade: Grade::Error, what, text: text.into(), remedy: remedy.into() }
}

/// Looks at the machine as the caller sees it, the worst first. Changes nothing.
pub fn look() -> Vec<Finding> {
    let host = ThisHost::new();
    let user = User::from_uid(Uid::effective()).ok().flatten().map_or_else(|| host.uid().to_string(), |user| user.name);
    let mut findings: Vec<Finding> = settings().into_iter().collect();
    findings.extend(machine::podman(&host));
    findings.extend(machine::client());
    if host.uid() != 0 {
        findings.extend(user::look(&host, &user));
    }
    findings.extend(files::look(&host));
    // It fails by what has been found there.
    if !findings.iter().any(|finding| finding.grade == Grade::Error && finding.what == "registries.conf") {
        findings.extend(machine::info(&host));
    }
    findings.extend(machine::socket(&host));
    findings.extend(machine::docker_sockets(&host));
    findings.extend(machine::units(&host));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.grade));
    findings
}

fn settings() -> Option<Finding> {
    let user = host::user_settings_file();
    let why = Settings::load(Path::new(SYSTEM_FILE), user.as_deref()).err()?;
    Some(error("settings", format!("{why:#}; without it the defaults hold"), "mend the file"))
}

impl Finding {
    fn word(&self) -> &'static str {
        match self.grade {
            Grade::Note => "note",
            Grade::Warning => "warning",
            Grade::Error => "error",
        }
    }

    fn json(&self) -> Value {
        json!({ "grade": self.word(), "what": self.what, "text": self.text, "remedy": self.remedy })
    }
}

/// Two lines for each finding, or JSON.
pub fn report(findings: &[Finding], as_json: bool) -> String {
    if as_json {
        return format!("{}\n", Value::from_iter(findings.iter().map(Finding::json)));
    }
    if findings.is_empty() {
        return "nothing is in the way\n".to_string();
    }
    findings.iter().fold(String::new(), |mut text, f| {
        let _ = writeln!(text, "{:<8} {}: {}\n{:<8} -> {}", f.word(), f.what, f.text, "", f.remedy);
        text
    })
}

/// 1 where something is an error.
pub fn status(findings: &[Finding]) -> u8 {
    u8::from(findings.iter().any(|f| f.grade == Grade::Error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports() {
        let findings = [error("a", "is so", "do this"), note("b", "is", "leave it")];
        assert_eq!(report(&findings, false), "error    a: is so\n         -> do this\nnote     b: is\n         -> leave it\n");
        assert_eq!(report(&findings[1..], true), "[{\"grade\":\"note\",\"what\":\"b\",\"text\":\"is\",\"remedy\":\"leave it\"}]\n");
        assert_eq!((status(&findings), status(&findings[1..]), report(&[], true).as_str()), (1, 0, "[]\n"));
    }
}
