//! `docker compose`, and the other CLI plugins that are installed beside Docker.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::catalogue::PODMAN_5_4;
use crate::grammar;
use crate::host::{self, Host};
use crate::invocation::{FlagUse, Uses};
use crate::plan::{Act, Call, Context, Ending, Engine, OnFailure, Plan, Refusal, Run, Step};

/// Where docker/cli looks for plugins, after the configuration's own `cli-plugins`.
const PLUGIN_DIRS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// Debian 12's docker-compose, and Ubuntu's, is compose 1: no plugin.
const NO_COMPOSE: &str = "docker: docker compose needs the compose plugin, which is not installed; it is in the packages docker-compose \
    (Debian 13 and later) and docker-compose-v2 (Ubuntu), or as docker-compose from github.com/docker/compose/releases in \
    ~/.docker/cli-plugins";

/// The files that compose looks for, in this directory and those above.
const COMPOSE_FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// How long Podman's service waits for another request before it ends by itself.
const IDLE_SECONDS: u32 = 300;

/// `docker compose …`: the compose plugin, talking to the caller's Podman socket.
pub fn delegate(context: &Context) -> Result<Plan, Refusal> {
    let words = &context.invocation.args;
    let plan = |words: &[OsString]| {
        let found = plugin(context.host, &context.invocation.globals, "compose", words)?.map(|plan| match plan {
            Plan::Delegate(call) if asks_nobody(words) => Plan::Delegate(Call { prepare: vec![], ..call }),
            plan => plan,
        });
        found.ok_or_else(|| Refusal::new(NO_COMPOSE, 1))
    };
    let Some(read) = grammar::compose_words(words).filter(|_| context.engine.remote.is_none()) else { return plan(words) };
    if ["build", "create", "run", "up", "watch"].iter().any(|builds| read.command == *builds) {
        if let Some(file) = inline_dockerfile(&read.uses, context.host) {
            let shown = file.display();
            let why = "on Podman's socket compose builds by the classic builder, which reads the context's Dockerfile instead";
            return Err(context.refuse(format!("{shown}: dockerfile_inline: {why}; write it to a file, and name that by `dockerfile`")));
        }
    }
    let run = (read.command == "run").then(|| grammar::compose_run(&read.rest)).flatten();
    match run.filter(|(uses, _)| uses.switch("rm") && !uses.switch("detach")) {
        Some((uses, args)) if context.host.podman_version()? < PODMAN_5_4 => {
            let label = format!("docker-shim.run={}", context.host.pid());
            let kept = uses.iter().filter(|used| used.flag.long != "rm").map(long_form);
            let mut words = read.before.to_vec();
            words.push(read.command);
            words.extend(kept.chain([format!("--label={label}").into()]));
            words.extend(args);
            removed_later(plan(&words)?, &label, context)
        }
        _ => plan(words),
    }
}

/// Whether compose answers by itself: no engine has to be there.
fn asks_nobody(words: &[OsString]) -> bool {
    let answers = ["version", "config", "convert", "help", "completion", "__complete", "__completeNoDesc"];
    match grammar::compose_words(words) {
        Some(read) => answers.iter().any(|command| read.command == *command),
        None => words.iter().all(|word| word.as_encoded_bytes().starts_with(b"-")),
    }
}

/// `compose run --rm` where Podman has forgotten a container's exit status once it is removed, and its socket says 0: the
/// container is removed after compose has ended. A label says which one.
fn removed_later(run: Plan, label: &str, context: &Context) -> Result<Plan, Refusal> {
    let Plan::Delegate(call) = run else { return Ok(run) };
    let mut removal = context.call("rm")?;
    removal.switch("volumes", true);
    removal.flag("filter", format!("label={label}"));
    let run = Run { on_failure: OnFailure::GoOn, ..Run::new(call, Ending::Same) };
    Ok(Plan::Sequence(vec![Act::Run(run), Act::Do(Step::Quietly(Box::new(removal.call())))]))
}

/// The compose file that holds a Dockerfile itself, of those that compose would read.
fn inline_dockerfile(uses: &Uses, host: &dyn Host) -> Option<PathBuf> {
    let cwd = host.cwd()?;
    let set = |name: &str| host.env(name).filter(|value| !value.is_empty());
    let mut files: Vec<PathBuf> = uses.all("file").map(PathBuf::from).collect();
    if files.is_empty() {
        let separator = set("COMPOSE_PATH_SEPARATOR").and_then(|s| s.to_str()?.chars().next()).unwrap_or(':');
        let named = set("COMPOSE_FILE").unwrap_or_default();
        files = named.to_str().unwrap_or_default().split(separator).filter(|f| !f.is_empty()).map(PathBuf::from).collect();
    }
    if files.is_empty() {
        let start = cwd.join(uses.text("project-directory").unwrap_or_default());
        let here = start.ancestors().find(|dir| COMPOSE_FILES.iter().any(|name| host.exists(&dir.join(name))))?;
        files = COMPOSE_FILES.iter().chain(&OVERRIDES).map(|name| here.join(name)).collect();
    }
    let holds_one = |file: &PathBuf| {
        let text = host.read(&cwd.join(file)).unwrap_or_default();
        text.split(|b| *b == b'\n').any(|line| !line.trim_ascii_start().starts_with(b"#") && host::contains(line, b"dockerfile_inline"))
    };
    files.into_iter().find(holds_one)
}

/// Where plugins are looked for, in this order.
pub fn dirs(host: &dyn Host, engine: &Engine) -> impl Iterator<Item = PathBuf> {
    let config = engine.config_dir().or_else(|| Some(host::home(host)?.join(".docker")));
    config.map(|c| c.join("cli-plugins")).into_iter().chain(PLUGIN_DIRS.map(PathBuf::from))
}

/// The plugins that are installed: name and program, the first one of a name.
pub fn installed(host: &dyn Host, engine: &Engine) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for dir in dirs(host, engine) {
        for file in host.list(&dir) {
            let name = file.to_str().and_then(|f| f.strip_prefix("docker-")).filter(|n| is_name(n));
            if let Some(name) = name.filter(|name| !found.iter().any(|(known, _)| known == name)) {
                found.push((name.to_string(), dir.join(&file)));
            }
        }
    }
    found
}

/// docker/cli's plugin names: lower-case letters and digits.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// The plan to become a plugin, `words` after its name; none when it is not installed.
pub fn plugin(host: &dyn Host, globals: &Uses, name: &str, words: &[OsString]) -> Result<Option<Plan>, Refusal> {
    if !is_name(name) {
        return Ok(None);
    }
    let engine = Engine::of_plugin(globals, host)?;
    let Some(program) = dirs(host, &engine).map(|dir| dir.join(format!("docker-{name}"))).find(|p| host.exists(p)) else {
        return Ok(None);
    };
    // A plugin gets the root's flags as docker/cli gets them; what Engine has read goes by the environment.
    let kept = globals.iter().filter(|u| ["debug", "log-level"].contains(&u.flag.long) || u.flag.long.starts_with("tls"));
    let mut args: Vec<OsString> = kept.map(long_form).collect();
    args.push(name.into());
    args.extend(words.iter().cloned());
    let mut env: Vec<_> = engine.env().into_iter().collect();
    let mut set = |name: &str, value: OsString| env.push((name.into(), Some(value)));
    // How a plugin knows that it is not on its own (docker/cli `cli-plugins/metadata`).
    set("DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND", "docker".into());
    let mut prepare = vec![];
    if let Some(address) = &engine.remote {
        set("DOCKER_HOST", address.clone());
    } else {
        let socket = host::podman_socket(host);
        let mut address = OsString::from("unix://");
        address.push(&socket);
        let idle = format!("--time={IDLE_SECONDS}");
        let args = vec!["system".into(), "service".into(), idle.into(), address.clone()];
        let service = Call { program: host.podman()?.to_path_buf(), args, env: vec![], prepare: vec![] };
        prepare.push(Step::Serve { socket, service });
        set("DOCKER_HOST", address);
        // Podman's socket has no BuildKit session, whatever the caller wishes.
        set("DOCKER_BUILDKIT", "0".into());
    }
    Ok(Some(Plan::Delegate(Call { program, args, env, prepare })))
}

/// A use of a flag as one word.
fn long_form(used: &FlagUse) -> OsString {
    let mut word = OsString::from(format!("--{}=", used.flag.long));
    word.push(&used.value);
    word
}
