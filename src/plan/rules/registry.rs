//! Logins. They live in Docker's config.json, where other tools look for them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::references::is_loopback;
use super::registries_conf::{self, Location};
use super::{filters, image_lists};
use crate::grammar::go;
use crate::host;
use crate::plan::{Act, Context, Login, Logout, Plan, Refusal};
use crate::render::search::{self, Search};

/// Docker's own hub, by the name that its credentials are kept under.
const HUB: &str = "https://index.docker.io/v1/";

/// `docker login [SERVER]`: without a server it is docker.io.
pub fn login(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let text = |name: &str| uses.text(name).map(|value| value.to_string_lossy().into_owned());
    let (user, password, password_stdin) = (text("username"), text("password"), uses.switch("password-stdin"));
    if uses.given("password-stdin") && password.is_some() {
        return Err(context.as_docker("conflicting options: cannot specify both --password and --password-stdin"));
    }
    if uses.given("password-stdin") && user.is_none() {
        return Err(context.as_docker("the --password-stdin option requires --username to be set"));
    }
    if user.as_deref() == Some("") {
        return Err(context.as_docker("username is empty"));
    }
    if password.as_deref() == Some("") {
        return Err(context.as_docker("password is empty"));
    }
    let server = match context.invocation.args.first().map(|server| server.to_string_lossy()) {
        Some(server) if !server.is_empty() && server != "docker.io" && server != HUB => hostname(&server),
        _ => HUB.to_string(),
    };
    let registry = registry(&server);
    let place = registries_conf::location(context, &registry);
    let mut draft = context.call("login")?;
    if place.as_ref().map_or_else(|| is_loopback(&registry), Location::is_plain) {
        draft.switch("tls-verify", false);
    }
    let there = place.map(|place| place.domain().to_string());
    let (registry, mut servers) = (there.clone().unwrap_or(registry), vec![server]);
    servers.extend(there);
    let file = config_file(context);
    let on_terminal = context.host.is_terminal(0);
    Ok(Plan::Sequence(vec![Act::Login(Login { call: draft.call(), file, servers, registry, user, password, password_stdin, on_terminal })]))
}

/// `docker logout [SERVER]`.
pub fn logout(context: &Context) -> Result<Plan, Refusal> {
    let typed = context.invocation.args.first().map(|server| server.to_string_lossy().into_owned()).filter(|server| !server.is_empty());
    let (shown, mut servers) = match typed {
        None => (HUB.to_string(), vec![HUB.to_string()]),
        Some(typed) => {
            let host = hostname(&typed);
            let servers = vec![typed, host.clone(), format!("http://{host}"), format!("https://{host}")];
            (host, servers)
        }
    };
    servers.extend(registries_conf::location(context, &registry(&shown)).map(|place| place.domain().to_string()));
    Ok(Plan::Sequence(vec![Act::Logout(Logout { file: config_file(context), shown, servers })]))
}

/// The file that credentials are kept in: Docker's own, unless the caller has named one for Podman and others.
fn config_file(context: &Context) -> PathBuf {
    if let Some(file) = context.host.env("REGISTRY_AUTH_FILE").filter(|file| !file.is_empty()) {
        return file.into();
    }
    let home = || host::home(context.host).unwrap_or_default().join(".docker");
    context.engine.config_dir().unwrap_or_else(home).join("config.json")
}

/// A server as its credentials are kept: without scheme and path (docker/cli's `ConvertToHostname`).
pub fn hostname(server: &str) -> String {
    let bare = server.split_once("://").map_or(server, |(_, rest)| rest);
    bare.split('/').next().unwrap_or(bare).to_string()
}

/// The registry behind a server's name: Docker's hub has several.
fn registry(server: &str) -> String {
    match server {
        HUB | "index.docker.io" | "registry-1.docker.io" => "docker.io".into(),
        host => host.into(),
    }
}

/// `docker search TERM`: docker.io's index, whatever registries Podman is set to search.
pub fn search(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let daemon = |words: String| Refusal::new(format!("Error response from daemon: {words}"), 1);
    let filters = filters::of(context, &["is-automated", "is-official", "stars"])?;
    let values = |key: &str| filters.iter().filter(|(k, _)| k == key).map(|(_, value)| value.clone()).collect::<Vec<_>>();
    let automated = image_lists::switch("is-automated", &values("is-automated"))?;
    let official = image_lists::switch("is-official", &values("is-official"))?;
    let mut stars = 0;
    for value in values("stars") {
        let words = |_| daemon(format!("invalid filter 'stars={value}': strconv.Atoi: parsing {value:?}: invalid syntax"));
        stars = stars.max(value.parse::<i64>().map_err(words)?);
    }
    let note = automated.map(|_| {
        let words =
            "the \"is-automated\" filter is deprecated, and searching for \"is-automated=true\" will not yield any results in future.";
        Act::Warn(format!("WARNING: {words}\n").into_bytes())
    });
    let format = search::format(&uses.text("format").map(OsStr::to_string_lossy).unwrap_or_default());
    if automated == Some(true) {
        let mut answer = search::nothing(&format);
        if let Some(Act::Warn(words)) = note {
            answer.stderr.splice(..0, words);
        }
        return Ok(Plan::Answer(answer));
    }
    let term = &context.invocation.args[0];
    let text = term.to_string_lossy();
    if text.starts_with("http://") || text.starts_with("https://") {
        return Err(daemon(format!("invalid repository name: repository name ({text}) should not have a scheme")));
    }
    // The grammar has taken it: a number as Go writes it.
    let limit = uses.text("limit").and_then(|limit| go::parse_int(limit.as_bytes(), 0, 64).ok());
    let limit = match limit.unwrap_or_default() {
        ..=0 => 25,
        limit @ 1..=100 => limit,
        limit => return Err(daemon(format!("limit {limit} is outside the range of [1, 100]"))),
    };
    let named = text.split_once('/').filter(|(first, _)| first.contains(['.', ':']) || *first == "localhost");
    let (registry, term) = named.unwrap_or(("docker.io", &text));
    let place = registries_conf::location(context, registry);
    let mut draft = context.call("search")?;
    if place.as_ref().map_or_else(|| is_loopback(registry), Location::is_plain) {
        draft.switch("tls-verify", false);
    }
    let there = place.map_or_else(|| registry.to_string(), |place| place.name);
    draft.switch("no-trunc", true).flag("format", "json").flag("limit", limit.to_string()).arg(format!("{there}/{term}"));
    let reshape = draft.show(Search { there, hub: registry == "docker.io", format, no_trunc: uses.switch("no-trunc"), official, stars });
    Ok(match (note, reshape) {
        (Some(note), Plan::Reshape(reshape)) => Plan::Sequence(vec![note, Act::Reshape(reshape)]),
        (_, plan) => plan,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        assert_eq!(hostname("https://example.azurecr.io/v2/"), "example.azurecr.io");
        assert_eq!(hostname("localhost:5000/x"), "localhost:5000");
        assert_eq!(registry("index.docker.io"), "docker.io");
    }
}
