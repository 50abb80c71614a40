//! Logins. They live in Docker's config.json, where other tools look for them.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::references::is_loopback;
use super::{filters, image_lists};
use crate::grammar::go;
use crate::host;
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal, Run, Stderr, Stdout};
use crate::render::search::{self, Search};

/// `docker login [SERVER]` and `docker logout [SERVER]`: without a server it is docker.io.
pub fn login(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let mut draft = context.call(invocation.command.name())?;
    draft.translate(context)?;
    let server = server(invocation.args.first().map(OsString::as_os_str));
    let uses = &invocation.uses;
    if invocation.command.name() == "login" {
        if uses.switch("password-stdin") && uses.given("password") {
            return Err(context.as_docker("conflicting options: cannot specify both --password and --password-stdin"));
        }
        if uses.switch("password-stdin") && uses.text("username").is_none_or(OsStr::is_empty) {
            return Err(context.as_docker("the --password-stdin option requires --username to be set"));
        }
        if is_loopback(&server.to_string_lossy()) {
            draft.switch("tls-verify", false);
        }
    }
    keep_in_docker_config(&mut draft, context);
    let shown = server.to_string_lossy().into_owned();
    draft.arg(server);
    if invocation.command.name() == "logout" {
        // A logout of where nobody is logged in is none to fail: Podman's failure is not Docker's.
        let shown = if shown == "docker.io" { "https://index.docker.io/v1/" } else { &shown };
        let said = Act::Print(format!("Removing login credentials for {shown}\n").into_bytes());
        let run = Run { stdout: Stdout::Discard, stderr: Stderr::Discard, ..Run::new(draft.call(), Ending::Ignore) };
        return Ok(Plan::Sequence(vec![said, Act::Run(run)]));
    }
    let asks = !uses.given("username") || !(uses.given("password") || uses.switch("password-stdin"));
    if asks {
        return Ok(Plan::Sequence(vec![draft.run(Ending::Daemon)]));
    }
    let run = Run { stdout: Stdout::Discard, stderr: Stderr::OnFailure, ..Run::new(draft.call(), Ending::Daemon) };
    Ok(Plan::Sequence(vec![Act::Run(run), Act::Print(b"Login Succeeded\n".to_vec())]))
}

/// A server as typed, without scheme and path: Docker's own hub has an URL of old for its name.
fn server(typed: Option<&OsStr>) -> OsString {
    let text = typed.unwrap_or_default().to_string_lossy();
    let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(&text);
    let host = bare.split('/').next().unwrap_or(bare);
    match host {
        "" | "index.docker.io" | "registry-1.docker.io" => "docker.io".into(),
        host => host.into(),
    }
}

/// A first login makes `~/.docker/config.json`; without the variable Podman would write where only Podman looks.
fn keep_in_docker_config(draft: &mut Draft, context: &Context) {
    let undecided = context.engine.config_dir().is_none() && context.host.env("REGISTRY_AUTH_FILE").is_none();
    if let Some(home) = host::home(context.host).filter(|_| undecided) {
        draft.set_env("DOCKER_CONFIG", home.join(".docker"));
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
    let has_registry = text.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost");
    let mut full = OsString::new();
    if !has_registry {
        full.push("docker.io/");
    }
    full.push(term);
    let mut draft = context.call("search")?;
    draft.switch("no-trunc", true).flag("format", "json").flag("limit", limit.to_string()).arg(full);
    let reshape = draft.show(Search { format, no_trunc: uses.switch("no-trunc"), official, stars });
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
        for hub in [None, Some(""), Some("https://index.docker.io/v1/"), Some("index.docker.io")] {
            assert_eq!(server(hub.map(OsStr::new)), "docker.io");
        }
        assert_eq!(server(Some(OsStr::new("https://example.azurecr.io/v2/"))), "example.azurecr.io");
        assert_eq!(server(Some(OsStr::new("localhost:5000"))), "localhost:5000");
    }
}
