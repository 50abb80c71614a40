//! `--env` and `--env-file`, which docker/cli reads itself (`opts.ReadKVEnvStrings`, `pkg/kvfile`): a name alone takes the
//! caller's value, or unsets what the image has. Podman would leave the image's, and take `NAME*` for a pattern.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::plan::{Context, Draft, Refusal};

/// What is given for a variable.
#[derive(Clone, PartialEq, Eq)]
enum Given {
    /// The caller's own value, which podman takes from its environment: it does not show in the list of processes.
    Callers,
    /// This value.
    Value(OsString),
    /// None: it is not to be set.
    Unset,
}

/// The variables that a command line gives, the last word on each.
pub struct Variables(Vec<(OsString, Given)>);

impl Variables {
    /// Reads the flags, the files first. A file that Podman reads as Docker does goes to Podman as it is.
    /// Errors: a file that Docker would refuse.
    pub fn read(draft: &mut Draft, context: &Context) -> Result<Variables, Refusal> {
        let mut variables = Variables(vec![]);
        let files: Vec<&OsStr> = context.invocation.uses.all("env-file").collect();
        let mut lines = Vec::with_capacity(files.len());
        for file in &files {
            lines.push(file_lines(file, context)?);
        }
        // Podman lets a later file go before an earlier one as Docker does, but any --env goes before any file.
        let given: Vec<&OsStr> = context.invocation.uses.all("env").collect();
        let named_alone = |line: &Line| given.iter().any(|entry| *entry == cut(&line.text).0);
        let plain = lines.iter().flatten().all(|line| line.plain && !named_alone(line));
        let plain = plain && !files.iter().any(|file| starts_with_mark(file, context));
        if plain {
            for file in files {
                draft.flag("env-file", file);
            }
        } else {
            for line in lines.into_iter().flatten() {
                let (name, value) = cut(&line.text);
                let value = value.map(OsStr::to_os_string).or_else(|| context.host.env(&name.to_string_lossy()));
                if let Some(value) = value {
                    variables.set(name.to_os_string(), Given::Value(value));
                }
            }
        }
        for entry in given {
            let (name, value) = cut(entry.as_bytes());
            let given = match value {
                Some(value) => Given::Value(value.to_os_string()),
                None if name.to_str().is_some_and(|n| context.host.env(n).is_some()) => Given::Callers,
                None => Given::Unset,
            };
            variables.set(name.to_os_string(), given);
        }
        Ok(variables)
    }

    fn set(&mut self, name: OsString, given: Given) {
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, given));
    }

    /// Gives a variable a value that the command line does not name.
    pub fn set_default(&mut self, name: OsString, value: OsString) {
        if !self.0.iter().any(|(other, _)| *other == name) {
            self.0.push((name, Given::Value(value)));
        }
    }

    /// Whether it is named at all, to be set or unset.
    pub fn names(&self, name: &str) -> bool {
        self.0.iter().any(|(other, _)| other == name)
    }

    /// Hands them to podman.
    pub fn give(self, draft: &mut Draft) {
        for (name, given) in self.0 {
            match given {
                Given::Callers if !name.as_bytes().ends_with(b"*") => {
                    draft.flag("env", name);
                }
                // A pattern to Podman, which no variable of the caller's can be called in earnest.
                Given::Callers => {}
                Given::Value(value) => {
                    let mut word = name;
                    word.push("=");
                    word.push(value);
                    draft.flag("env", word);
                }
                Given::Unset => {
                    draft.flag("unsetenv", crate::plan::csv_field(&name));
                }
            }
        }
    }
}

/// A line of a file that sets something.
struct Line {
    text: Vec<u8>,
    /// Podman reads it as Docker does.
    plain: bool,
}

const MARK: &[u8] = b"\xef\xbb\xbf";

fn starts_with_mark(file: &OsStr, context: &Context) -> bool {
    context.host.read(Path::new(file)).is_some_and(|text| text.starts_with(MARK))
}

/// The lines of an `--env-file`. Errors: Docker's words for a file that is not there or not in this form.
fn file_lines(file: &OsStr, context: &Context) -> Result<Vec<Line>, Refusal> {
    let shown = file.to_string_lossy();
    let Some(text) = context.host.read(Path::new(file)) else {
        return Err(context.as_usage(format!("open {shown}: no such file or directory")));
    };
    let wrong = |words: String| context.as_usage(format!("invalid env file ({shown}): {words}"));
    let mut lines = Vec::new();
    for (number, line) in text.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(valid) = std::str::from_utf8(line) else {
            let bytes: Vec<String> = line.iter().map(u8::to_string).collect();
            return Err(wrong(format!("invalid utf8 bytes at line {}: [{}]", number + 1, bytes.join(" "))));
        };
        let line = valid.strip_prefix('\u{feff}').filter(|_| number == 0).unwrap_or(valid).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value)));
        if name.is_empty() {
            return Err(wrong(format!("no variable name on line '{line}'")));
        }
        if name.contains([' ', '\t']) {
            return Err(wrong(format!("variable '{name}' contains whitespaces")));
        }
        let plain = value.is_some() || (!name.ends_with('*') && context.host.env(name).is_some());
        lines.push(Line { text: line.as_bytes().to_vec(), plain });
    }
    Ok(lines)
}

/// A name and its value, split at the first `=` after the first byte as docker/cli's `ValidateEnv` has it.
fn cut(entry: &[u8]) -> (&OsStr, Option<&OsStr>) {
    match entry.iter().position(|b| *b == b'=') {
        Some(at) => (OsStr::from_bytes(&entry[..at]), Some(OsStr::from_bytes(&entry[at + 1..]))),
        None => (OsStr::from_bytes(entry), None),
    }
}

/// The proxies that Docker's configuration gives to containers (`proxies` of config.json): those of the default, upper and
/// lower case. Variables that the command line names stay as they are.
pub fn of_configuration(variables: &mut Variables, context: &Context) {
    let Some(file) = context.engine.config_dir().map(|dir| dir.join("config.json")) else { return };
    let Some(text) = context.host.read(&file).filter(|t| crate::host::contains(t, b"\"proxies\"")) else { return };
    let Ok(config) = serde_json::from_slice::<serde_json::Value>(&text) else { return };
    let proxies = &config["proxies"]["default"];
    let names = [
        ("httpProxy", "HTTP_PROXY"),
        ("httpsProxy", "HTTPS_PROXY"),
        ("ftpProxy", "FTP_PROXY"),
        ("noProxy", "NO_PROXY"),
        ("allProxy", "ALL_PROXY"),
    ];
    for (key, name) in names {
        let Some(value) = proxies[key].as_str().filter(|v| !v.is_empty()) else { continue };
        for name in [name.to_string(), name.to_lowercase()] {
            variables.set_default(name.into(), value.into());
        }
    }
}
