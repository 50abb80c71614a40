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

/// The variables that a command line gives.
pub struct Variables {
    /// The last word on each.
    given: Vec<(OsString, Given)>,
    /// As they were first named, those of files first.
    order: Vec<OsString>,
}

impl Variables {
    /// Reads the flags, the files first. A file that Podman reads as Docker does goes to Podman as it is.
    /// Errors: a file that Docker would refuse.
    pub fn read(draft: &mut Draft, context: &Context) -> Result<Variables, Refusal> {
        let mut variables = Variables { given: vec![], order: vec![] };
        let files: Vec<&OsStr> = context.invocation.uses.all("env-file").collect();
        let (mut lines, mut plain) = (Vec::new(), true);
        for file in &files {
            plain &= file_lines(file, &mut lines, context)?;
        }
        // Podman lets a later file go before an earlier one as Docker does, but any --env goes before any file.
        let given: Vec<&OsStr> = context.invocation.uses.all("env").collect();
        let named_alone = |line: &Vec<u8>| given.iter().any(|entry| *entry == cut(line).0);
        variables.name(lines.iter().map(|line| cut(line).0).chain(given.iter().map(|entry| cut(entry.as_bytes()).0)));
        if plain && !lines.iter().any(named_alone) {
            for file in files {
                draft.flag("env-file", file);
            }
        } else {
            for line in lines {
                let (name, value) = cut(&line);
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

    fn name<'a>(&mut self, names: impl Iterator<Item = &'a OsStr>) {
        for name in names {
            if !self.order.iter().any(|other| other == name) {
                self.order.push(name.to_os_string());
            }
        }
    }

    /// The names on the command line and in its files, as they were first given, those of files first.
    pub fn order(&self) -> &[OsString] {
        &self.order
    }

    fn set(&mut self, name: OsString, given: Given) {
        self.given.retain(|(other, _)| *other != name);
        self.given.push((name, given));
    }

    /// Gives a variable a value that the command line does not name.
    pub fn set_default(&mut self, name: OsString, value: OsString) {
        if !self.given.iter().any(|(other, _)| *other == name) {
            self.given.push((name, Given::Value(value)));
        }
    }

    /// Whether it is named at all, to be set or unset.
    pub fn names(&self, name: &str) -> bool {
        self.given.iter().any(|(other, _)| other == name)
    }

    /// Hands them to podman.
    pub fn give(&self, draft: &mut Draft) {
        for (name, given) in &self.given {
            match given {
                Given::Callers if !name.as_bytes().ends_with(b"*") => {
                    draft.flag("env", name);
                }
                // A pattern to Podman, which no variable of the caller's can be called in earnest.
                Given::Callers => {}
                Given::Value(value) => {
                    let mut word = name.clone();
                    word.push("=");
                    word.push(value);
                    draft.flag("env", word);
                }
                Given::Unset => {
                    draft.flag("unsetenv", crate::plan::csv_field(name));
                }
            }
        }
    }
}

/// Takes the lines of an `--env-file` that set something, and says whether Podman reads the file as Docker does.
/// Errors: Docker's words for a file that is not there or not in this form.
fn file_lines(file: &OsStr, lines: &mut Vec<Vec<u8>>, context: &Context) -> Result<bool, Refusal> {
    let shown = file.to_string_lossy();
    let Some(text) = context.host.read(Path::new(file)) else {
        return Err(context.as_usage(format!("open {shown}: no such file or directory")));
    };
    let wrong = |words: String| context.as_usage(format!("invalid env file ({shown}): {words}"));
    let mut plain = true;
    for (number, line) in text.split(|b| *b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(valid) = std::str::from_utf8(line) else {
            let bytes: Vec<String> = line.iter().map(u8::to_string).collect();
            return Err(wrong(format!("invalid utf8 bytes at line {}: [{}]", number + 1, bytes.join(" "))));
        };
        let unmarked = valid.strip_prefix('\u{feff}').filter(|_| number == 0);
        plain &= unmarked.is_none();
        let line = unmarked.unwrap_or(valid).trim_start();
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
        plain &= value.is_some() || (!name.ends_with('*') && context.host.env(name).is_some());
        lines.push(line.as_bytes().to_vec());
    }
    Ok(plain)
}

/// A name and its value, split at the first `=` after the first byte as docker/cli's `ValidateEnv` has it.
fn cut(entry: &[u8]) -> (&OsStr, Option<&OsStr>) {
    match entry.iter().position(|b| *b == b'=') {
        Some(at) => (OsStr::from_bytes(&entry[..at]), Some(OsStr::from_bytes(&entry[at + 1..]))),
        None => (OsStr::from_bytes(entry), None),
    }
}

/// The proxies that Docker's configuration may have, and the variables that they become.
pub const PROXIES: [(&str, &str); 5] = [
    ("httpProxy", "HTTP_PROXY"),
    ("httpsProxy", "HTTPS_PROXY"),
    ("ftpProxy", "FTP_PROXY"),
    ("noProxy", "NO_PROXY"),
    ("allProxy", "ALL_PROXY"),
];

/// The proxies that Docker's configuration gives to containers and builds (`proxies` of config.json): those of the default,
/// upper and lower case.
pub fn proxies(context: &Context) -> Vec<(String, String)> {
    let read = || {
        let file = context.engine.config_dir()?.join("config.json");
        let text = context.host.read(&file).filter(|t| crate::host::contains(t, b"\"proxies\""))?;
        let config = serde_json::from_slice::<serde_json::Value>(&text).ok()?;
        let given = PROXIES.iter().filter_map(|(key, name)| Some((*name, config["proxies"]["default"][key].as_str()?.to_string())));
        let given = given.filter(|(_, value)| !value.is_empty());
        Some(given.flat_map(|(name, value)| [(name.to_string(), value.clone()), (name.to_lowercase(), value)]).collect())
    };
    read().unwrap_or_default()
}

/// The same for a container. Variables that the command line names stay as they are.
pub fn of_configuration(variables: &mut Variables, context: &Context) {
    for (name, value) in proxies(context) {
        variables.set_default(name.into(), value.into());
    }
}
