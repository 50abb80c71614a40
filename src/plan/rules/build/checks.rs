//! What buildx refuses before it builds, in its order and words (buildx `commands/build.go`, `build/opt.go`).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{Reference, invalid_tag};
use crate::grammar;
use crate::plan::rules::dockerfile::rewrite::solve;
use crate::plan::rules::platforms::Platform;
use crate::plan::{Context, Refusal};

/// A failure of buildx to read its own flags.
pub fn error(words: impl std::fmt::Display) -> Refusal {
    Refusal::new(format!("ERROR: {words}"), 1)
}

/// A failure of buildx after that.
pub fn failed(words: impl std::fmt::Display) -> Refusal {
    Refusal::new(format!("ERROR: failed to build: {words}"), 1)
}

/// The flags as words (`toOptions`).
pub fn words(context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    for pair in uses.all("build-arg").chain(uses.all("label")) {
        if pair.is_empty() || pair.as_bytes().starts_with(b"=") {
            return Err(error(format!("invalid key-value pair {:?}: empty key", pair.to_string_lossy())));
        }
    }
    for value in
        uses.all("attest").map(|value| (value, false)).chain(["provenance", "sbom"].iter().filter_map(|n| Some((uses.text(n)?, true))))
    {
        attestation(value.0, value.1)?;
    }
    for value in uses.all("build-context").filter(|value| !value.is_empty()) {
        let value = value.to_string_lossy();
        let Some((name, _)) = value.split_once('=') else {
            return Err(error(format!("invalid context value: {value}, expected key=value")));
        };
        Reference::parse(OsStr::new(name)).map_err(|words| error(format!("invalid context name {name}: {words}")))?;
    }
    for value in uses.all("cache-from").chain(uses.all("cache-to")) {
        cache(value)?;
    }
    for value in uses.all("secret").filter(|value| !value.is_empty()) {
        Secret::parse(value)?;
    }
    Ok(())
}

/// How progress is shown.
pub fn progress(context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    let shown = uses.text("progress").unwrap_or_default().to_string_lossy();
    match &*shown {
        // An earlier mode of this name and that of nobody there to look are the same.
        "" | "auto" | "none" | "plain" | "quiet" | "rawjson" | "tty" => {}
        _ => return Err(error(format!("invalid progress mode {shown}"))),
    }
    if uses.switch("quiet") && !matches!(&*shown, "" | "auto" | "quiet" | "none") {
        return Err(error(format!("progress={shown} and quiet cannot be used together")));
    }
    if shown == "tty" && !context.host.is_terminal(2) {
        return Err(error("failed to get console: provided file is not a console"));
    }
    if shown == "rawjson" {
        return Err(context.refuse("--progress=rawjson is BuildKit's own record of its work, which Podman does not keep; use plain."));
    }
    Ok(())
}

/// What they are about (`runBuildWithOptions`, `toSolveOpt`).
pub fn meaning(context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    for platform in uses.all("platform") {
        for one in platform.to_string_lossy().split(',').filter(|one| *one != "local") {
            Platform::parse(one).map_err(failed)?;
        }
    }
    for value in uses.all("secret").filter(|value| !value.is_empty()) {
        Secret::parse(value)?.check(context)?;
    }
    for value in uses.all("ssh").filter(|value| !value.is_empty()) {
        agent(value, context)?;
    }
    for value in uses.all("annotation").filter(|value| !value.is_empty()) {
        let value = value.to_string_lossy();
        if !value.contains('=') {
            return Err(failed(format!("parse annotations: invalid annotation {value:?}, expected key=value")));
        }
    }
    for value in uses.all("allow").filter(|value| !value.is_empty()) {
        let value = value.to_string_lossy();
        let name = value.split('=').next().unwrap_or_default();
        if !matches!(name, "network.host" | "security.insecure" | "device") {
            return Err(failed(format!("unknown entitlement {value}")));
        }
    }
    if uses.switch("no-cache") && uses.given("no-cache-filter") {
        return Err(failed("--no-cache and --no-cache-filter cannot currently be used together"));
    }
    for tag in uses.all("tag") {
        Reference::parse(tag).map_err(|words| invalid_tag(&tag.to_string_lossy(), &words))?;
    }
    Ok(())
}

/// The same after the outputs.
pub fn surroundings(context: &Context) -> Result<(), Refusal> {
    let uses = &context.invocation.uses;
    let stdin = |text: Option<&OsStr>| text.is_some_and(|text| text == "-");
    if stdin(context.invocation.args.first().map(|a| &**a)) && stdin(uses.text("file")) {
        return Err(failed("invalid argument: can't use stdin for both build context and dockerfile"));
    }
    let cwd = context.host.cwd().unwrap_or_default();
    for value in uses.all("build-context") {
        let text = value.to_string_lossy();
        let Some((name, path)) = text.split_once('=') else { continue };
        let elsewhere = path.contains("://") || path.starts_with("target:") || super::is_remote(OsStr::new(path));
        if !elsewhere && !context.host.exists(&cwd.join(path)) {
            return Err(failed(format!("failed to get build context {name}: stat {path}: no such file or directory")));
        }
    }
    if let Some(mode) = uses.text("network").map(OsStr::to_string_lossy) {
        if !matches!(&*mode, "" | "default" | "host" | "none") {
            return Err(failed(format!(
                "network mode {mode:?} not supported by buildkit - you can define a custom network for your builder using the network \
                 driver-opt in buildx create"
            )));
        }
    }
    for value in uses.all("add-host").map(record).collect::<Result<Vec<_>, _>>()?.concat() {
        let (host, addresses) = value.split_once('=').or_else(|| value.split_once(':')).unwrap_or((&value, ""));
        let bare = |a: &str| a.strip_prefix('[').and_then(|a| a.strip_suffix(']')).unwrap_or(a).parse::<std::net::IpAddr>().is_ok();
        if host.is_empty() || !(addresses == "host-gateway" || addresses.split(',').all(bare)) {
            return Err(failed(format!("invalid host {value}")));
        }
    }
    if uses.all("allow").any(|value| value == "security.insecure") {
        return Err(solve("granting entitlement security.insecure is not allowed by build daemon configuration"));
    }
    Ok(())
}

/// `type=…,key=value`, or a switch's word for `--provenance` and `--sbom`.
fn attestation(value: &OsStr, short: bool) -> Result<(), Refusal> {
    let text = value.to_string_lossy();
    if text.is_empty() || (short && is_truth(&text)) {
        return Ok(());
    }
    let fields = record(value)?;
    if let Some(field) = fields.iter().find(|field| !field.contains('=')) {
        return Err(error(format!("invalid value {field}")));
    }
    if !short && !fields.iter().any(|field| field.starts_with("type=") && field.len() > 5) {
        return Err(error("attestation type not specified"));
    }
    Ok(())
}

/// Go's `strconv.ParseBool` takes it.
pub fn is_truth(text: &str) -> bool {
    is_on(text) || matches!(text, "0" | "f" | "F" | "false" | "FALSE" | "False")
}

/// And it means yes.
pub fn is_on(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

/// A cache is never used, but has to be one.
fn cache(value: &OsStr) -> Result<(), Refusal> {
    let text = value.to_string_lossy();
    if !text.contains('=') {
        return Ok(());
    }
    let fields = record(value)?;
    if let Some(field) = fields.iter().find(|field| !field.contains('=')) {
        return Err(error(format!("invalid value {field}")));
    }
    if !fields.iter().any(|field| field.to_lowercase().starts_with("type=") && field.len() > 5) {
        return Err(error(format!("type required form> {text:?}")));
    }
    Ok(())
}

/// The fields of one flag's value. Errors: Go's, for CSV that is none.
pub fn record(value: &OsStr) -> Result<Vec<String>, Refusal> {
    let record = grammar::csv_record(value.as_bytes()).map_err(error)?;
    Ok(record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect())
}

/// `--ssh ID[=SOCKET|KEY,…]`: what it leads to has to be there.
pub fn agent(value: &OsStr, context: &Context) -> Result<(), Refusal> {
    let value = value.to_string_lossy();
    let (id, paths) = value.split_once('=').map_or((&*value, Vec::new()), |(id, paths)| (id, paths.split(',').collect()));
    let config = format!("{{{id} [{}] false}}", paths.join(" "));
    let socket = context.host.env("SSH_AUTH_SOCK").map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let paths: Vec<String> = if paths.is_empty() { vec![socket] } else { paths.into_iter().map(str::to_string).collect() };
    if paths == [""] {
        let words = "invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set";
        return Err(failed(format!("failed to convert agent config {config}: {words}")));
    }
    let cwd = context.host.cwd().unwrap_or_default();
    match paths.iter().find(|path| !context.host.exists(&cwd.join(path))) {
        Some(path) => Err(failed(format!(
            "failed to convert agent config {config}: failed to convert agent config for ID: {id:?}: stat {path}: no such file or directory"
        ))),
        None => Ok(()),
    }
}

/// A `--secret` (buildx `util/buildflags/secrets.go`).
#[derive(Default)]
pub struct Secret {
    pub id: String,
    file: String,
    variable: String,
}

impl Secret {
    pub fn parse(value: &OsStr) -> Result<Secret, Refusal> {
        let mut secret = Secret::default();
        let mut kind = String::new();
        for field in record(value)? {
            let Some((key, value)) = field.split_once('=') else {
                return Err(error(format!("invalid field '{field}' must be a key=value pair")));
            };
            let value = value.to_string();
            match key.to_lowercase().as_str() {
                "type" if value != "file" && value != "env" => return Err(error(format!("unsupported secret type {value:?}"))),
                "type" => kind = value,
                "id" => secret.id = value,
                "source" | "src" => secret.file = value,
                "env" => secret.variable = value,
                key => return Err(error(format!("unexpected key '{key}' in '{field}'"))),
            }
        }
        if kind == "env" && secret.variable.is_empty() {
            secret.variable = std::mem::take(&mut secret.file);
        }
        Ok(secret)
    }

    /// Where it comes from: a variable, or a file. By itself the ID names either.
    pub fn source(&self, context: &Context) -> (&'static str, String) {
        match (&*self.variable, &*self.file) {
            ("", "") if context.host.env(&self.id).is_some() => ("env", self.id.clone()),
            ("", "") => ("file", self.id.clone()),
            ("", file) => ("file", file.to_string()),
            (variable, _) => ("env", variable.to_string()),
        }
    }

    /// Errors: it has no ID, or its file is not there.
    pub fn check(&self, context: &Context) -> Result<(), Refusal> {
        if self.id.is_empty() {
            return Err(failed("secret missing ID"));
        }
        match self.source(context) {
            ("file", path) if !context.host.exists(&context.host.cwd().unwrap_or_default().join(&path)) => {
                Err(failed(format!("failed to stat {path}: stat {path}: no such file or directory")))
            }
            _ => Ok(()),
        }
    }
}
