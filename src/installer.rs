//! The gate for pipelines that ask for a Docker client of their own: which one was asked for, and what policy says of it.
//!
//! Azure's task DockerInstaller puts a client of the pipeline's choosing into the agent's tool cache and before PATH. Where docker-shim
//! stands there in its place, the path by which it is started says which version that was
//! (azure-pipelines-tool-lib: `docker-stable/19.3.4/x64/docker`).

use std::ffi::{CStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::host::{Host, contains};

/// A client that a pipeline asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// `stable`, `edge`, `test` or `nightly`.
    pub channel: String,
    /// As it was released: `19.03.4`.
    pub version: String,
}

/// Every release of Docker's client, oldest first.
pub fn releases() -> impl Iterator<Item = &'static str> {
    include_str!("installer_releases.txt").lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

/// What DockerInstaller makes of a version: the first zeros before a number go (`19.03.4` is `19.3.4`).
pub fn clean(version: &str) -> String {
    let bytes = version.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let zeros = bytes[at..].iter().take_while(|b| **b == b'0').count();
        if zeros > 0 && bytes.get(at + zeros).is_some_and(u8::is_ascii_digit) {
            return format!("{}{}", &version[..at], &version[at + zeros..]);
        }
        at += zeros.max(1);
    }
    version.to_string()
}

/// A version as it was released: until 19 the month had two digits.
pub fn released(clean: &str) -> String {
    let mut parts = clean.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(major @ ("17" | "18" | "19")), Some(minor), Some(rest)) if minor.len() == 1 => format!("{major}.0{minor}.{rest}"),
        _ => clean.to_string(),
    }
}

/// The client that a path in a tool cache stands for: `…/docker-CHANNEL/VERSION/ARCH/docker`.
pub fn asked_by(path: &Path) -> Option<Asked> {
    let text = path.to_str()?;
    let mut parts = text.rsplitn(5, '/');
    let (name, arch, version, dir) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let channel = dir.strip_prefix("docker-")?;
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut numbers = version.splitn(3, '.');
    let numbered = numbers.next().is_some_and(number)
        && numbers.next().is_some_and(number)
        && numbers.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let known = matches!(channel, "stable" | "edge" | "test" | "nightly") && matches!(arch, "x64" | "arm64" | "arm" | "ia32");
    let plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
    (name == "docker" && known && numbered && plain).then(|| Asked { channel: channel.to_string(), version: released(version) })
}

/// The option in a stub's first line.
pub const STUB_OPTION: &str = "--tool-cache=";

/// A stub for a version: a script whose interpreter is docker-shim itself, so that an upgrade of the package holds at once.
pub fn stub(interpreter: &Path, version: &str) -> String {
    format!("#!{} {STUB_OPTION}{version}\n", interpreter.display())
}

/// Whether a file is a stub of ours, by its first line.
pub fn is_stub(text: &[u8]) -> bool {
    let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
    line.starts_with(b"#!/") && line.split(|b| *b == b' ').nth(1).is_some_and(|option| option.starts_with(STUB_OPTION.as_bytes()))
}

/// Which client this process stands for, by the path that it was started by (AT_EXECFN; argv[0] is often only a name), and how many words
/// the kernel put before the arguments: a stub's option and its path.
pub fn asked(argv: &[OsString]) -> (Option<Asked>, usize) {
    let Some(path) = executed() else { return (None, 0) };
    let stub = argv.len() >= 2 && argv[0].as_bytes().starts_with(STUB_OPTION.as_bytes()) && argv[1].as_os_str() == path.as_os_str();
    let skip = if stub { 2 } else { 0 };
    if path.is_absolute() {
        return if contains(path.as_os_str().as_bytes(), b"/docker-") { (asked_by(&path), skip) } else { (None, skip) };
    }
    // Its components, as `./docker` has one that is none.
    let path: PathBuf = std::env::current_dir().map(|dir| dir.join(path)).unwrap_or_default().components().collect();
    (asked_by(&path).or_else(|| asked_by(&std::fs::read_link("/proc/self/exe").ok()?)), skip)
}

/// What the gate says before a command: the text for stdout and stderr, and whether the command is refused. A warning is given on the
/// installer's own check, `docker --version`, so once a job; a refusal on every command.
pub fn gate(asked: &Asked, argv: &[OsString], policy: &Policy, host: &dyn Host) -> (Vec<u8>, Vec<u8>, bool) {
    let verdict = policy.verdict(&asked.version);
    let check = matches!(argv, [only] if only == "--version" || only == "-v");
    match verdict {
        Verdict::Refuse => {
            let (stdout, stderr) = announced(&policy.message(asked, verdict), verdict, host);
            (stdout, stderr, true)
        }
        Verdict::Warn if check => {
            let (stdout, stderr) = announced(&policy.message(asked, verdict), verdict, host);
            (stdout, stderr, false)
        }
        _ => (Vec::new(), Vec::new(), false),
    }
}

/// The path given to `execve`.
fn executed() -> Option<PathBuf> {
    // SAFETY: the kernel's auxiliary vector holds the address of a string that lives as long as the process.
    let path = unsafe {
        let address = nix::libc::getauxval(nix::libc::AT_EXECFN);
        if address == 0 {
            return None;
        }
        CStr::from_ptr(address as *const std::ffi::c_char)
    };
    Some(PathBuf::from(OsString::from_vec(path.to_bytes().to_vec())))
}

/// What becomes of a client that is too old.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Allow,
    #[default]
    Warn,
    Refuse,
}

impl Verdict {
    fn parse(word: &str) -> Result<Verdict> {
        Ok(match word {
            "allow" => Verdict::Allow,
            "warn" => Verdict::Warn,
            "refuse" => Verdict::Refuse,
            _ => bail!("{word:?} is none of allow, warn, refuse"),
        })
    }
}

/// `[installer]` of the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The oldest client that is no matter.
    pub minimum: String,
    pub below_minimum: Verdict,
    /// Ranges of versions, from and to (both belong to it), with their own verdicts; the first that fits holds.
    pub exceptions: Vec<(String, String, Verdict)>,
    /// A user's own, which count where they are harder.
    pub harder: Vec<(String, String, Verdict)>,
    /// The administrator's own words, added to each message.
    pub text: String,
}

impl Default for Policy {
    /// Clients before 20.10 cannot build on Podman: they open a session that it does not have.
    fn default() -> Policy {
        Policy { minimum: "20.10.0".into(), below_minimum: Verdict::Warn, exceptions: Vec::new(), harder: Vec::new(), text: String::new() }
    }
}

impl Policy {
    /// Reads the table over what holds so far. A user's file (`stricter`) can only ask for more: a higher minimum, a harder verdict.
    pub fn merge(&mut self, table: &toml::Table, stricter: bool) -> Result<()> {
        let text =
            |key: &str| table.get(key).map(|v| v.as_str().map(str::to_string).with_context(|| format!("installer.{key} must be a text")));
        if let Some(minimum) = text("minimum").transpose()? {
            if !stricter || order(&minimum) > order(&self.minimum) {
                self.minimum = minimum;
            }
        }
        if let Some(word) = text("below_minimum").transpose()? {
            let verdict = Verdict::parse(&word).context("installer.below_minimum")?;
            if !stricter || verdict > self.below_minimum {
                self.below_minimum = verdict;
            }
        }
        if let Some(words) = text("text").transpose()? {
            if !stricter || self.text.is_empty() {
                self.text = words;
            }
        }
        for exception in table.get("exceptions").and_then(toml::Value::as_array).into_iter().flatten() {
            let field = |key: &str| {
                exception.get(key).and_then(toml::Value::as_str).with_context(|| format!("installer.exceptions: {key} is missing"))
            };
            let verdict = Verdict::parse(field("verdict")?).context("installer.exceptions")?;
            let range = (field("from")?.to_string(), field("to")?.to_string(), verdict);
            if stricter { self.harder.push(range) } else { self.exceptions.push(range) }
        }
        Ok(())
    }

    /// What is to become of a version.
    pub fn verdict(&self, version: &str) -> Verdict {
        let asked = order(version);
        let fits = |(from, to, _): &&(String, String, Verdict)| order(from) <= asked && asked <= order(to);
        let verdict = match self.exceptions.iter().find(fits) {
            Some((_, _, verdict)) => *verdict,
            None if asked < order(&self.minimum) => self.below_minimum,
            None => Verdict::Allow,
        };
        self.harder.iter().filter(fits).map(|(_, _, verdict)| *verdict).fold(verdict, Verdict::max)
    }

    /// What to say of a version that is too old.
    pub fn message(&self, asked: &Asked, verdict: Verdict) -> String {
        let (version, minimum) = (&asked.version, &self.minimum);
        let outcome = match verdict {
            Verdict::Refuse => "is not allowed here",
            _ => "is too old to build on Podman, so docker-shim answers in its place",
        };
        let mut words = format!(
            "The Docker client {version} that DockerInstaller was asked for {outcome}. Set its input dockerVersion to {minimum} or newer, or \
             remove the task."
        );
        if !self.text.is_empty() {
            words.push(' ');
            words.push_str(&self.text);
        }
        words
    }
}

/// Versions in their order: numbers, and a pre-release before its release. (`17.09.0-ce` is no pre-release.)
pub fn order(version: &str) -> (Vec<u64>, bool, String) {
    let (numbers, rest) = version.split_once('-').unwrap_or((version, ""));
    let rest = rest.strip_prefix("ce").unwrap_or(rest).trim_start_matches('-');
    let numbers = numbers.split('.').map(|n| n.parse().unwrap_or(0)).collect();
    (numbers, rest.is_empty(), rest.to_string())
}

/// Where a message goes, so that no output is spoilt that somebody parses: the CI's own way on stdout, a terminal's stderr, or nowhere.
pub fn announced(message: &str, verdict: Verdict, host: &dyn Host) -> (Vec<u8>, Vec<u8>) {
    let set = |name: &str| host.env(name).is_some_and(|v| !v.is_empty());
    let word = if verdict == Verdict::Refuse { "error" } else { "warning" };
    if set("TF_BUILD") {
        return (format!("##vso[task.logissue type={word}]{}\n", escaped(message, "%\r\n;]")).into_bytes(), Vec::new());
    }
    if set("GITHUB_ACTIONS") {
        return (format!("::{word}::{}\n", escaped(message, "%\r\n")).into_bytes(), Vec::new());
    }
    if verdict == Verdict::Refuse || host.is_terminal(2) {
        return (Vec::new(), format!("docker: {message}\n").into_bytes());
    }
    (Vec::new(), Vec::new())
}

/// A message within a log command (azure-pipelines-agent `CommandStringConvertor`, GitHub's toolkit `escapeData`), without what that system
/// reads for itself: it cannot end the command, nor begin another. Azure looks for its own anywhere in a line.
fn escaped(message: &str, special: &str) -> String {
    let mut out = String::new();
    for c in message.chars() {
        match c {
            '#' if out.ends_with('#') => {}
            c if special.contains(c) => out.push_str(&format!("%{:02X}", u32::from(c))),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// A path below a tool cache for a version: the directory that holds the client.
pub fn place(tools: &Path, channel: &str, version: &str, arch: &str) -> PathBuf {
    tools.join(format!("docker-{channel}")).join(clean(version)).join(arch)
}

/// This machine as node's `os.arch()` names it.
pub fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "arm" => "arm",
        "x86" => "ia32",
        _ => "x64",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_there_and_back() {
        let pairs = [
            ("19.03.4", "19.3.4"),
            ("19.03.15", "19.3.15"),
            ("20.10.0", "20.10.0"),
            ("17.09.0-ce", "17.9.0-ce"),
            ("18.06.1-ce", "18.6.1-ce"),
            ("18.09.9", "18.9.9"),
            ("17.03.0-ce-rc1", "17.3.0-ce-rc1"),
            ("24.0.9", "24.0.9"),
            ("28.5.2", "28.5.2"),
        ];
        for (typed, clean_version) in pairs {
            assert_eq!(clean(typed), clean_version);
            assert_eq!(released(clean_version), typed);
        }
        assert_eq!(clean("20.10.05"), "20.10.5");
        for release in releases() {
            assert_eq!(released(&clean(release)), release, "the way there and back of {release}");
        }
    }

    #[test]
    fn paths_say_what_was_asked_for() {
        let asked = |path: &str| asked_by(Path::new(path)).map(|a| format!("{} {}", a.channel, a.version));
        assert_eq!(asked("/opt/hostedtoolcache/docker-stable/19.3.4/x64/docker").as_deref(), Some("stable 19.03.4"));
        assert_eq!(asked("/w/_work/_tool/docker-edge/17.9.0-ce/arm64/docker").as_deref(), Some("edge 17.09.0-ce"));
        for other in [
            "/usr/bin/docker",
            "/opt/docker-stable/19.3/x64/docker",
            "/opt/docker-stable/19.3.4/x64/docker-compose",
            "/opt/docker-other/19.3.4/x64/docker",
            "/opt/docker-stable/19.3.4/sparc/docker",
            "/opt/docker-stable/19.3.4]x/x64/docker",
        ] {
            assert_eq!(asked(other), None, "{other}");
        }
    }

    #[test]
    fn policy_by_version() {
        let mut policy = Policy::default();
        let verdicts = |policy: &Policy| ["17.09.0-ce", "19.03.15", "20.10.0", "28.5.2"].map(|v| policy.verdict(v));
        assert_eq!(verdicts(&policy), [Verdict::Warn, Verdict::Warn, Verdict::Allow, Verdict::Allow]);
        let table: toml::Table = "minimum = \"23.0.0\"\nbelow_minimum = \"refuse\"\n[[exceptions]]\nfrom = \"19.03.0\"\nto = \"19.03.99\"\nverdict = \"allow\"\n".parse().unwrap();
        policy.merge(&table, false).unwrap();
        assert_eq!(verdicts(&policy), [Verdict::Refuse, Verdict::Allow, Verdict::Refuse, Verdict::Allow]);
        // A user's own file cannot loosen it.
        let loose: toml::Table =
            "minimum = \"1.0.0\"\nbelow_minimum = \"allow\"\n[[exceptions]]\nfrom = \"17.0.0\"\nto = \"29.0.0\"\nverdict = \"allow\"\n"
                .parse()
                .unwrap();
        policy.merge(&loose, true).unwrap();
        assert_eq!(verdicts(&policy), [Verdict::Refuse, Verdict::Allow, Verdict::Refuse, Verdict::Allow]);
        // Not even where the ends of a range are allowed and its middle is not; and a user's own harder verdict holds.
        let table: toml::Table = "[[exceptions]]\nfrom = \"24.0.5\"\nto = \"24.0.5\"\nverdict = \"refuse\"\n".parse().unwrap();
        policy.merge(&table, false).unwrap();
        let user: toml::Table = "[[exceptions]]\nfrom = \"24.0.0\"\nto = \"25.0.0\"\nverdict = \"warn\"\n".parse().unwrap();
        policy.merge(&user, true).unwrap();
        assert_eq!(
            (policy.verdict("24.0.5"), policy.verdict("24.0.6"), policy.verdict("26.0.0")),
            (Verdict::Refuse, Verdict::Warn, Verdict::Allow)
        );
        assert!(order("20.10.0-rc1") < order("20.10.0") && order("17.09.0-ce") > order("17.09.0-ce-rc1"));
    }

    #[test]
    fn log_commands_hold_one_message() {
        assert_eq!(escaped("a]b;c%d\n##vso[x]\u{1b}", "%\r\n;]"), "a%5Db%3Bc%25d%0A#vso[x%5D");
        assert_eq!(escaped("a]b;c%d\r\n::error::###x", "%\r\n"), "a]b;c%25d%0D%0A::error::#x");
    }

    #[test]
    fn stubs_are_known_by_their_first_line() {
        assert!(is_stub(stub(Path::new("/usr/bin/docker"), "19.03.4").as_bytes()));
        assert!(!is_stub(b"#!/bin/sh\n") && !is_stub(b"\x7fELF") && !is_stub(b""));
    }
}
