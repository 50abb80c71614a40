//! What asks about the engine as a whole: `version`, `info`, `events`, `stats`, `top`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{compose, formats, timestamps};
use crate::plan::{Call, Context, Ending, Plan, Refusal};
use crate::render::Answered;
use crate::render::engine::Client;
use crate::render::engine::events::{Events, Filters};
use crate::render::engine::info::{Info, Machine};
use crate::render::engine::stats::{PODMAN_FORMAT, Stats};
use crate::render::engine::top::Top;
use crate::render::engine::version::Version;
use crate::{base64, host};

/// `docker version`. Without a Podman the client's part is said, and that nobody answers, as by a Docker without its daemon.
pub fn version(context: &Context) -> Result<Plan, Refusal> {
    let client = client(context);
    let missing = client.missing.is_some();
    let view = Version::new(&format(context), client)?;
    if missing {
        return Ok(Plan::Answer(view.answer(&Answered { status: 127, ..Answered::default() })));
    }
    let mut draft = context.call("info")?;
    draft.flag("format", "json");
    Ok(draft.show(view))
}

/// `docker info`.
pub fn info(context: &Context) -> Result<Plan, Refusal> {
    let plugin = |(name, program)| (name, Call { program, args: vec![], env: vec![], prepare: vec![] });
    let view = Info {
        template: Info::template(&format(context))?,
        client: client(context),
        machine: if context.engine.remote.is_none() { machine(context) } else { Machine::default() },
        user: user(context),
        plugins: compose::installed(context.host, context.engine).into_iter().map(plugin).collect(),
    };
    if view.client.missing.is_some() {
        return Ok(Plan::Answer(view.without_engine()));
    }
    let mut draft = context.call("info")?;
    draft.flag("format", "json");
    Ok(draft.show(view))
}

/// What this machine says of itself.
fn machine(context: &Context) -> Machine {
    let read = |path: &str| context.host.read(Path::new(path)).unwrap_or_default();
    let proxy = |names: [&str; 2]| {
        let value = names.iter().find_map(|name| context.host.env(name).filter(|v| !v.is_empty()));
        value.map(|value| without_password(&value.to_string_lossy())).unwrap_or_default()
    };
    // The first version of cgroups has a file for it only where the kernel counts swap; the second always does.
    let first = context.host.is_dir(Path::new("/sys/fs/cgroup/memory"));
    Machine {
        os_release: read("/etc/os-release"),
        machine_id: read("/etc/machine-id"),
        swap_limit: !first || context.host.exists(Path::new("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")),
        ip_forward: read("/proc/sys/net/ipv4/ip_forward").trim_ascii() == b"1",
        proxies: [["HTTP_PROXY", "http_proxy"], ["HTTPS_PROXY", "https_proxy"], ["NO_PROXY", "no_proxy"]].map(proxy),
    }
}

/// An address as dockerd shows it (its `MaskCredentials`).
fn without_password(address: &str) -> String {
    match address.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://xxxxx:xxxxx@{host}"),
        None => address.to_string(),
    }
}

/// Who is logged in at Docker's hub: in Docker's configuration, or in Podman's own file of logins.
fn user(context: &Context) -> String {
    let host = context.host;
    let docker = context.engine.config_dir().or_else(|| Some(host::home(host)?.join(".docker"))).map(|dir| dir.join("config.json"));
    let named = host.env("REGISTRY_AUTH_FILE").map(PathBuf::from);
    let podman = host::podman_socket(host).parent().and_then(Path::parent).map(|run| run.join("containers/auth.json"));
    let logins = |file: PathBuf| -> Option<String> {
        let config: serde_json::Value = serde_json::from_slice(&host.read(&file)?).ok()?;
        let login = |server: &str| {
            config
                .get("auths")?
                .get(server)?
                .get("auth")?
                .as_str()
                .and_then(|auth| String::from_utf8(base64::decode(auth.as_bytes())?).ok())
        };
        let user = login("https://index.docker.io/v1/").or_else(|| login("docker.io"))?;
        user.split_once(':').map(|(user, _)| user.to_string())
    };
    [docker, named, podman].into_iter().flatten().find_map(logins).unwrap_or_default()
}

/// `docker events`. What Podman filters by has other names and meanings, so all of them are looked through here.
pub fn events(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let now = context.host.now();
    let moment = |name: &str| {
        let given = uses.text(name).map(OsStr::to_string_lossy).filter(|value| !value.is_empty());
        given.map(|value| timestamps::parse(&value, now)).transpose().map_err(|error| Refusal::new(error, 1))
    };
    let (since, until) = (moment("since")?, moment("until")?);
    if let (Some(since), Some(until)) = (&since, &until) {
        if since.total() > until.total() {
            let words = format!("`since` time ({}) cannot be after `until` time ({})", since.sent, until.sent);
            return Err(Refusal::new(format!("Error response from daemon: {words}"), 1));
        }
    }
    let filters = uses.all("filter").map(|filter| {
        let filter = filter.to_string_lossy();
        let (key, value) = filter.split_once('=').unwrap_or((&filter, ""));
        (key.trim().to_lowercase(), value.trim().to_string())
    });
    let (image_exists, inspect_network) = (context.call("image exists")?.call(), context.call("network inspect")?.call());
    let total = until.as_ref().map(timestamps::Timestamp::total);
    let stream = Events::new(&format(context), Filters(filters.collect()), total, image_exists, inspect_network)?;
    let mut draft = context.call("events")?;
    draft.flag("format", "json");
    if let Some(since) = &since {
        draft.flag("since", since.rfc3339());
    }
    match &until {
        Some(until) if until.secs > now => {
            draft.flag("until", until.rfc3339());
        }
        // Podman would stop reading at once, with what it has by then.
        Some(_) => {
            draft.switch("stream", false);
        }
        None => {}
    }
    Ok(draft.stream(stream))
}

/// `docker stats`.
pub fn stats(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let mut named: Vec<String> = Vec::new();
    for name in context.invocation.args.iter().map(|name| name.to_string_lossy().into_owned()) {
        if !named.contains(&name) {
            named.push(name);
        }
    }
    let all = uses.switch("all");
    let mut list = context.call("ps")?;
    list.switch("all", true).switch("no-trunc", true).flag("sort", "created").flag("format", "{{.ID}} {{.State}}");
    let exists = context.call("container exists")?.call();
    let switches = [uses.switch("no-trunc"), uses.switch("no-stream"), all];
    let mut draft = context.call("stats")?;
    draft.switch("no-reset", true).flag("interval", "1").flag("format", PODMAN_FORMAT);
    if named.is_empty() {
        draft.switch("all", all);
    }
    draft.args.extend(named.iter().map(OsString::from));
    Ok(draft.stream(Stats::new(&formats::of_list(context, "statsFormat"), switches, named, list.call(), exists)))
}

/// `docker top CONTAINER [ps OPTIONS]`. On another machine only Podman itself can look.
pub fn top(context: &Context) -> Result<Plan, Refusal> {
    let (container, options) = context.invocation.args.split_first().ok_or_else(|| context.refuse("no container is named"))?;
    let mut draft = context.call("top")?;
    draft.arg(container);
    if context.engine.remote.is_some() {
        draft.args.extend(options.iter().cloned());
        return Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]));
    }
    let options = options.join(OsStr::new(" ")).to_string_lossy().into_owned();
    if let Some(column) = renamed_pid(&options) {
        return Err(Refusal::new(format!("Error response from daemon: specifying \"{column}\" is not allowed"), 1));
    }
    let options = if options.is_empty() { "-ef" } else { &options };
    let mut inspect = context.call("container inspect")?;
    inspect.flag("format", "{{.Id}}").arg(container);
    let path = context.host.env("PATH").unwrap_or_default();
    let ps = std::env::split_paths(&path).map(|dir| dir.join("ps")).find(|ps| ps.is_absolute() && context.host.exists(ps));
    let view = Top {
        options: options.split(' ').map(OsString::from).collect(),
        ps: ps.map(|program| Call { program, args: vec![], env: vec![], prepare: vec![] }),
        inspect: inspect.call(),
    };
    draft.arg("hpid");
    Ok(draft.show(view))
}

/// A column of another name that is headed `PID`: moby's `validatePSArgs`.
fn renamed_pid(options: &str) -> Option<String> {
    let mut words = options.split_ascii_whitespace().peekable();
    if !options.starts_with(|c: char| c.is_ascii_whitespace()) {
        words.next();
    }
    while let Some(word) = words.next() {
        let Some((column, heading)) = word.rsplit_once('=') else { continue };
        let heading = if heading.is_empty() { words.peek().copied().unwrap_or_default() } else { heading };
        if heading.starts_with("PID") && column != "pid" {
            return Some(format!("{column}={heading}"));
        }
    }
    None
}

/// `--format`, as Docker's client has it for objects: empty is the same as none.
fn format(context: &Context) -> String {
    context.invocation.uses.text("format").map(|format| format.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What the client knows of itself.
fn client(context: &Context) -> Client {
    let api = context.host.env("DOCKER_API_VERSION").filter(|version| !version.is_empty());
    Client {
        context: context.engine.context(),
        version: context.host.client().map(|asked| asked.version.clone()),
        api: api.map(|version| version.to_string_lossy().trim_start_matches('v').to_string()),
        debug: context.invocation.globals.switch("debug"),
        remote: context.engine.remote.as_deref().map(OsStr::to_string_lossy).map(Into::into),
        missing: context.host.podman().err().map(|refusal| refusal.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_passwords() {
        assert_eq!(without_password("http://me:pw@proxy:3128"), "http://xxxxx:xxxxx@proxy:3128");
        assert_eq!(without_password("http://proxy:3128"), "http://proxy:3128");
    }
}
