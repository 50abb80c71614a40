//! `docker login` and `docker logout` (docker/cli `cli/command/registry`, `cli/config/credentials`): Podman only tries the credentials,
//! Docker's own configuration keeps them.

use std::io::{BufRead, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Map, Value as Json, json};

use super::{cannot_start, command, complain, write_stdout};
use crate::execute::{changes, words};
use crate::plan::rules::references::is_loopback;
use crate::plan::{Login, Logout, Refusal};
use crate::render::indented;
use crate::{base64, host};

/// A user's name and password.
#[derive(Clone, PartialEq, Eq)]
struct Credentials {
    user: String,
    password: String,
}

/// Gives Docker's exit status.
pub fn login(login: &Login) -> Result<u8, u8> {
    let fail = |words: &str| Err(complain(&Refusal::new(words, 1)));
    let mut password = login.password.clone().unwrap_or_default();
    if !password.is_empty() {
        let _ = writeln!(std::io::stderr(), "WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
    }
    if login.password_stdin {
        let mut read = String::new();
        if let Err(error) = std::io::stdin().read_to_string(&mut read) {
            return fail(&error.to_string());
        }
        let read = read.strip_suffix('\n').unwrap_or(&read);
        password = read.strip_suffix('\r').unwrap_or(read).to_string();
    }
    let user = login.user.clone().unwrap_or_default();
    let config = Config::read(&login.file);
    let mut known_user = String::new();
    if user.is_empty() && password.is_empty() {
        if let Some(stored) = config.stored(login.server())? {
            let _ = write!(
                std::io::stderr(),
                "Authenticating with existing credentials... [Username: {}]\n\n Info -> To login with a different account, run 'docker \
                 logout' followed by 'docker login'\n\n\n",
                stored.user
            );
            match try_out(login, &stored)? {
                None => return keep(login, config, &stored),
                Some(said) if said.contains(": unauthorized: ") => {
                    let _ = writeln!(std::io::stderr(), "Stored credentials invalid or expired");
                }
                Some(said) => {
                    let _ = writeln!(std::io::stderr(), "Login did not succeed, error: {said}");
                }
            }
            known_user = stored.user;
        }
    }
    if (user.is_empty() || password.is_empty()) && !login.on_terminal {
        return fail("Error: Cannot perform an interactive login from a non TTY device");
    }
    let mut given = Credentials { user: user.trim().to_string(), password: password.trim().to_string() };
    if given.user.is_empty() {
        let question = if known_user.is_empty() { "Username: ".to_string() } else { format!("Username ({known_user}): ") };
        given.user = ask(&question)?;
        if given.user.is_empty() {
            given.user = known_user;
        }
        if given.user.is_empty() {
            return fail("Error: Non-null Username Required");
        }
    }
    if given.password.is_empty() {
        echo(false);
        let answer = ask("Password: ");
        echo(true);
        write_stdout(b"\n")?;
        given.password = answer?;
        if given.password.is_empty() {
            return fail("Error: Password Required");
        }
    }
    if let Some(said) = try_out(login, &given)? {
        return fail(&said);
    }
    keep(login, config, &given)
}

fn ask(question: &str) -> Result<String, u8> {
    write_stdout(question.as_bytes())?;
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    Ok(line.trim().to_string())
}

/// Whether the terminal shows what is typed.
fn echo(on: bool) {
    let _ = Command::new("stty").arg(if on { "echo" } else { "-echo" }).status();
}

/// Has Podman log in with a place of its own for the credentials. Gives Docker's words for a failure.
fn try_out(login: &Login, given: &Credentials) -> Result<Option<String>, u8> {
    let directory = host::runtime_dir().unwrap_or_else(std::env::temp_dir);
    let _ = std::fs::create_dir_all(&directory);
    let file = directory.join(format!("login-{}.json", std::process::id()));
    let mut podman = command(&login.call);
    podman.arg(format!("--username={}", given.user)).arg("--password-stdin");
    let mut option = std::ffi::OsString::from("--authfile=");
    option.push(&file);
    // No credentials but these: neither a file's nor a helper's.
    podman.arg(option).arg(&login.registry).env_remove("REGISTRY_AUTH_FILE").env("DOCKER_CONFIG", directory.join("none"));
    podman.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = podman.spawn().map_err(|e| complain(&cannot_start(&login.call, &e)))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(given.password.as_bytes());
    }
    let output = child.wait_with_output();
    let _ = std::fs::remove_file(&file);
    let output = output.map_err(|e| complain(&cannot_start(&login.call, &e)))?;
    if output.status.success() {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = said.lines().find(|line| line.starts_with("Error: ")).unwrap_or(said.trim());
    let refused = ["invalid username/password", "authentication required", "401"].iter().any(|words| error.contains(words));
    let registry = &login.registry;
    Ok(Some(match (refused, registry.as_str()) {
        (true, "docker.io") => {
            "Error response from daemon: Get \"https://registry-1.docker.io/v2/\": unauthorized: incorrect username or password".into()
        }
        (true, _) => {
            let scheme = if is_loopback(registry) { "http" } else { "https" };
            format!("Error response from daemon: login attempt to {scheme}://{registry}/v2/ failed with status: 401 Unauthorized")
        }
        (false, _) => words::as_docker(error).trim_end().to_string(),
    }))
}

/// Keeps credentials that hold, where the configuration says.
fn keep(login: &Login, mut config: Config, given: &Credentials) -> Result<u8, u8> {
    let saving = |words: String| complain(&Refusal::new(format!("Error saving credentials: {words}"), 1));
    let mut plain = false;
    let before = config.auths();
    for server in &login.servers {
        let entry = match config.helper(server) {
            Some(helper) => {
                let credentials = json!({ "ServerURL": server, "Username": given.user, "Secret": given.password });
                let failed = |out: Failure| saving(format!("error storing credentials - err: {}, out: `{}`", out.error, out.said));
                call(&helper, "store", &format!("{credentials}\n")).map_err(failed)?;
                json!({})
            }
            None => json!({ "auth": base64::encode(format!("{}:{}", given.user, given.password).as_bytes()) }),
        };
        let same = before.get(server).is_some_and(|before| before.get("auth") == entry.get("auth"));
        if !same {
            plain |= entry.get("auth").is_some();
            config.set(server, Some(entry));
        }
    }
    if config.auths() != before {
        config.write(&login.file).map_err(|e| saving(e.to_string()))?;
    }
    if plain {
        let _ = write!(
            std::io::stderr(),
            "\nWARNING! Your credentials are stored unencrypted in '{}'.\nConfigure a credential helper to remove this warning. \
             See\nhttps://docs.docker.com/go/credential-store/\n\n",
            login.file.display()
        );
    }
    write_stdout(b"Login Succeeded\n")?;
    Ok(0)
}

/// Gives Docker's exit status: a logout of where nobody is logged in is none to fail.
pub fn logout(logout: &Logout) -> Result<u8, u8> {
    write_stdout(format!("Removing login credentials for {}\n", logout.shown).as_bytes())?;
    let mut config = Config::read(&logout.file);
    let mut failed = Vec::new();
    for server in &logout.servers {
        let erased = match config.helper(server) {
            Some(helper) => call(&helper, "erase", server).map(|_| ()),
            None => Ok(()),
        };
        if let Err(out) = erased {
            failed.push(format!("{server}: error erasing credentials - err: {}, out: `{}`", out.error, out.said));
            continue;
        }
        if config.auths().contains_key(server) {
            config.set(server, None);
            if let Err(error) = config.write(&logout.file) {
                failed.push(format!("{server}: {error}"));
            }
        }
    }
    if failed.len() == logout.servers.len() {
        let _ = writeln!(std::io::stderr(), "WARNING: could not erase credentials:\n{}", failed.join("\n"));
    }
    Ok(0)
}

/// How a credential helper failed.
struct Failure {
    error: String,
    said: String,
}

/// Calls `docker-credential-HELPER` (docker/docker-credential-helpers, `client`).
fn call(helper: &str, verb: &str, input: &str) -> Result<String, Failure> {
    let name = format!("docker-credential-{helper}");
    let spawned = Command::new(&name).arg(verb).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            Failure { error: format!("exec: {name:?}: executable file not found in $PATH"), said: String::new() }
        }
        _ => Failure { error: error.to_string(), said: String::new() },
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| Failure { error: error.to_string(), said: String::new() })?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_string();
    match output.status.code() {
        Some(0) => Ok(said),
        code => Err(Failure { error: format!("exit status {}", code.unwrap_or(1)), said }),
    }
}

/// Docker's config.json, as far as credentials go; whatever else it holds stays.
struct Config(Map<String, Json>);

impl Config {
    /// A file that is not there, or is broken, is an empty one.
    fn read(file: &Path) -> Config {
        let text = std::fs::read(file).unwrap_or_default();
        Config(serde_json::from_slice(&text).unwrap_or_default())
    }

    fn auths(&self) -> Map<String, Json> {
        self.0.get("auths").and_then(Json::as_object).cloned().unwrap_or_default()
    }

    /// The helper that keeps a server's credentials; none where the file does.
    fn helper(&self, server: &str) -> Option<String> {
        let own = self.0.get("credHelpers").and_then(|helpers| helpers.get(server));
        own.or_else(|| self.0.get("credsStore")).and_then(Json::as_str).filter(|name| !name.is_empty()).map(str::to_string)
    }

    /// What is kept of a server.
    fn stored(&self, server: &str) -> Result<Option<Credentials>, u8> {
        if let Some(helper) = self.helper(server) {
            let Ok(said) = call(&helper, "get", server) else { return Ok(None) };
            let json: Json = serde_json::from_str(&said).unwrap_or_default();
            let text = |key: &str| json.get(key).and_then(Json::as_str).unwrap_or_default().to_string();
            let found = Credentials { user: text("Username"), password: text("Secret") };
            return Ok(Some(found).filter(|found| !found.user.is_empty() && found.user != "<token>" && !found.password.is_empty()));
        }
        let auths = self.auths();
        let legacy = || auths.iter().find(|(name, _)| crate::plan::rules::registry::hostname(name) == server).map(|(_, entry)| entry);
        let auth = auths.get(server).or_else(legacy).and_then(|entry| entry.get("auth")).and_then(Json::as_str);
        let plain = auth.and_then(|auth| base64::decode(auth.as_bytes())).and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = plain.as_deref().and_then(|plain| plain.split_once(':'));
        Ok(parts.map(|(user, password)| Credentials { user: user.into(), password: password.trim_matches('\0').into() }))
    }

    fn set(&mut self, server: &str, entry: Option<Json>) {
        let mut auths: std::collections::BTreeMap<String, Json> = self.auths().into_iter().collect();
        match entry {
            Some(entry) => auths.insert(server.to_string(), entry),
            None => auths.remove(server),
        };
        let auths: Map<String, Json> = auths.into_iter().collect();
        if self.0.contains_key("auths") {
            self.0.insert("auths".into(), auths.into());
        } else {
            let rest = std::mem::take(&mut self.0);
            self.0 = std::iter::once(("auths".to_string(), Json::from(auths))).chain(rest).collect();
        }
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        changes::configuration(file, indented(&self.0, b"\t").as_bytes())
    }
}
