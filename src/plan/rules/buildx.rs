//! buildx's builders. Podman builds by itself, whatever builder is named; the names are kept as buildx keeps them
//! (its `store`: `instances/NAME` and `current` below Docker's configuration directory), so that what one command makes the next one finds.

use std::ffi::OsStr;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::build::checks::error;
use super::by_command;
use crate::host;
use crate::invocation::FlagUse;
use crate::plan::{Act, Answer, Context, Draft, Plan, Refusal, Step};
use crate::render::formatter;
use crate::render::value::{Data, Field, STRING, Struct, Type};

/// The builder that is always there: the engine's own.
const DEFAULT: &str = "default";
/// The engine's address in the store.
const ENDPOINT: &str = "unix:///var/run/docker.sock";
/// What stands for BuildKit's version.
const VERSION: &str = "v0.0.0+podman";

/// The builders that were made.
struct Store<'a> {
    context: &'a Context<'a>,
    dir: PathBuf,
}

struct Builder {
    name: String,
    driver: String,
    nodes: Vec<(String, String)>,
}

impl Store<'_> {
    fn of<'a>(context: &'a Context) -> Store<'a> {
        let named = context.host.env("BUILDX_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from);
        let beside = || {
            let dir = context.engine.config_dir().or_else(|| Some(host::home(context.host)?.join(".docker")));
            dir.unwrap_or_else(|| PathBuf::from(".docker")).join("buildx")
        };
        Store { context, dir: named.unwrap_or_else(beside) }
    }

    fn instance(&self, name: &str) -> PathBuf {
        self.dir.join("instances").join(name)
    }

    fn exists(&self, name: &str) -> bool {
        name == DEFAULT || (is_name(name) && self.context.host.exists(&self.instance(name)))
    }

    fn read(&self, name: &str) -> Option<Builder> {
        if name == DEFAULT {
            return Some(Builder { name: DEFAULT.into(), driver: "docker".into(), nodes: vec![(DEFAULT.into(), DEFAULT.into())] });
        }
        let json: Value = serde_json::from_slice(&self.context.host.read(&self.instance(name))?).ok()?;
        let text = |json: &Value, key: &str| json.get(key).and_then(Value::as_str).unwrap_or_default().to_string();
        let nodes = json.get("Nodes").and_then(Value::as_array).into_iter().flatten();
        Some(Builder {
            name: name.to_string(),
            driver: text(&json, "Driver"),
            nodes: nodes.map(|n| (text(n, "Name"), text(n, "Endpoint"))).collect(),
        })
    }

    fn names(&self) -> Vec<String> {
        let names = self.context.host.list(&self.dir.join("instances"));
        names.into_iter().filter_map(|name| name.into_string().ok()).collect()
    }

    /// The builder in use: `--builder`, BUILDX_BUILDER, the one chosen by `use`.
    fn current(&self) -> String {
        let uses = &self.context.invocation.uses;
        let named = uses.text("builder").map(OsStr::to_os_string).or_else(|| self.context.host.env("BUILDX_BUILDER"));
        if let Some(named) = named.filter(|n| !n.is_empty()) {
            return named.to_string_lossy().into_owned();
        }
        let chosen = self.context.host.read(&self.dir.join("current")).and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        let name = chosen.and_then(|json| Some(json.get("Name")?.as_str()?.to_string())).unwrap_or_default();
        if self.exists(&name) && !name.is_empty() { name } else { DEFAULT.to_string() }
    }

    fn choose(&self, name: &str) -> Act {
        let name = if name == DEFAULT { "" } else { name };
        let content = json!({ "Key": ENDPOINT, "Name": name, "Global": false }).to_string().into_bytes();
        Act::Do(Step::WriteOwn { path: self.dir.join("current"), content })
    }
}

/// buildx's `store.ValidateName`.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn no_builder(name: &str) -> Refusal {
    error(format!("no builder {name:?} found"))
}

/// `buildx create`: prints the name.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let store = Store::of(context);
    let driver = uses.text("driver").filter(|d| !d.is_empty()).map_or("docker-container".into(), OsStr::to_string_lossy);
    match &*driver {
        "docker-container" => {}
        "kubernetes" | "remote" | "cloud" => {
            return Err(context
                .refuse(format!("--driver {driver}: builds run on this machine's Podman only; use docker-container or leave it out.")));
        }
        "docker" => return Err(error("failed to initialize builder: additional instances of driver \"docker\" cannot be created")),
        _ => return Err(error(format!("failed to find driver {driver:?}"))),
    }
    let name = match uses.text("name").filter(|n| !n.is_empty()) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => (0..1000)
            .map(|n| format!("podman_builder{n}"))
            .find(|name| !store.exists(name))
            .ok_or_else(|| error("a thousand builders have been created without --name: remove some with docker buildx rm"))?,
    };
    if name == DEFAULT {
        return Err(error(format!("{name} is a reserved name and cannot be used to identify builder instance")));
    }
    if !is_name(&name) {
        let rule = "name needs to start with a letter and may not contain symbols, except ._-";
        return Err(error(format!("invalid name {name}, {rule}")));
    }
    let (append, leave) = (uses.switch("append"), uses.switch("leave"));
    let node = uses.text("node").filter(|n| !n.is_empty()).map(|n| n.to_string_lossy().into_owned());
    let there = store.exists(&name);
    if there && !append && !leave && node.is_none() {
        let words = "but no append mode, specify the node name to make changes for existing instances";
        return Err(error(format!("existing instance for {name:?} {words}")));
    }
    let mut nodes = if there { store.read(&name).map(|b| b.nodes).unwrap_or_default() } else { Vec::new() };
    let node = node.unwrap_or_else(|| format!("{name}{}", nodes.len()));
    let endpoint = context.invocation.args.first().map_or(ENDPOINT.into(), |a| a.to_string_lossy());
    nodes.retain(|(known, _)| *known != node);
    if !leave {
        nodes.push((node, endpoint.into_owned()));
    }
    let nodes: Vec<Value> = nodes
        .iter()
        .map(|(name, endpoint)| json!({ "Name": name, "Endpoint": endpoint, "Platforms": null, "DriverOpts": null, "Flags": null, "Files": null }))
        .collect();
    let content = json!({ "Name": name, "Driver": driver, "Nodes": nodes, "Dynamic": false }).to_string().into_bytes();
    let mut acts = vec![Act::Do(Step::WriteOwn { path: store.instance(&name), content })];
    if uses.switch("use") {
        acts.push(store.choose(&name));
    }
    acts.push(Act::Print(format!("{name}\n").into_bytes()));
    Ok(Plan::Sequence(acts))
}

/// `buildx use`.
pub fn choose(context: &Context) -> Result<Plan, Refusal> {
    let store = Store::of(context);
    let name = context.invocation.args.first().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    if name != DEFAULT && !is_name(&name) {
        let rule = "name needs to start with a letter and may not contain symbols, except ._-";
        return Err(error(format!("failed to find instance {name:?}: invalid name {name}, {rule}")));
    }
    if !store.exists(&name) {
        let path = store.instance(&name);
        return Err(error(format!("failed to find instance {name:?}: open {}: no such file or directory", path.display())));
    }
    Ok(Plan::Sequence(vec![store.choose(&name)]))
}

/// `buildx rm`: what it says goes to stderr, as buildx has it.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let store = Store::of(context);
    let mut names: Vec<String> = context.invocation.args.iter().map(|n| n.to_string_lossy().into_owned()).collect();
    let all = context.invocation.uses.switch("all-inactive");
    if all {
        // There is no daemon behind any of them, so none is active.
        names = store.names();
    } else if names.is_empty() {
        names.push(store.current());
    }
    let named = !context.invocation.args.is_empty();
    let (mut acts, mut failed) = (Vec::new(), false);
    for name in &names {
        if name == DEFAULT {
            let shown = if named { name } else { "" };
            let words = "context builder cannot be removed, run `docker context rm default` to remove this context";
            acts.push(Act::Warn(format!("failed to remove {shown}: {words}\n").into_bytes()));
            failed = true;
        } else if !store.exists(name) {
            acts.push(Act::Warn(format!("failed to remove {name}: no builder {name:?} found\n").into_bytes()));
            failed = true;
        } else {
            acts.push(Act::Do(Step::RemoveFile(store.instance(name))));
            acts.push(Act::Warn(format!("{name} removed\n").into_bytes()));
        }
    }
    if failed {
        acts.push(Act::Complain(error("failed to remove one or more builders")));
    }
    Ok(Plan::Sequence(acts))
}

/// `buildx stop`: there is nothing that runs.
pub fn stop(context: &Context) -> Result<Plan, Refusal> {
    chosen(context).map(|_| Plan::Answer(Answer::default()))
}

/// The builder that a command is about.
fn chosen(context: &Context) -> Result<Builder, Refusal> {
    let store = Store::of(context);
    let name = context.invocation.args.first().map_or_else(|| store.current(), |n| n.to_string_lossy().into_owned());
    if !store.exists(&name) {
        return Err(no_builder(&name));
    }
    store.read(&name).ok_or_else(|| no_builder(&name))
}

/// `buildx inspect`: always running, as nothing has to be started.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let builder = chosen(context)?;
    let platforms = platforms(context).join(", ");
    let mut text = format!("Name:          {}\nDriver:        {}\n\nNodes:\n", builder.name, builder.driver);
    let nodes: Vec<String> = builder
        .nodes
        .iter()
        .map(|(name, endpoint)| {
            format!("Name:             {name}\nEndpoint:         {endpoint}\nStatus:           running\nBuildKit version: {VERSION}\nPlatforms:        {platforms}\n")
        })
        .collect();
    text.push_str(&nodes.join("\n"));
    Ok(Plan::Answer(Answer::printed(text)))
}

/// This machine's platform, and those that the kernel runs by an emulator (binfmt_misc).
fn platforms(context: &Context) -> Vec<String> {
    const EMULATED: [(&str, &str); 9] = [
        ("x86_64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("riscv64", "linux/riscv64"),
        ("ppc64le", "linux/ppc64le"),
        ("s390x", "linux/s390x"),
        ("i386", "linux/386"),
        ("mips64el", "linux/mips64le"),
        ("mips64", "linux/mips64"),
        ("arm", "linux/arm/v7"),
    ];
    let machine = std::env::consts::ARCH;
    let mut found: Vec<String> = EMULATED.iter().filter(|(arch, _)| *arch == machine).map(|(_, p)| (*p).to_string()).collect();
    if machine == "x86_64" {
        found.push("linux/386".into());
    }
    let registered = context.host.list(&PathBuf::from("/proc/sys/fs/binfmt_misc"));
    for (arch, platform) in EMULATED {
        if registered.iter().any(|name| name.to_str() == Some(&format!("qemu-{arch}"))) && !found.iter().any(|p| p == platform) {
            found.push(platform.to_string());
        }
    }
    found
}

const HEADINGS: &[(&str, &str)] = &[
    ("Name", "NAME/NODE"),
    ("DriverEndpoint", "DRIVER/ENDPOINT"),
    ("LastActivity", "LAST ACTIVITY"),
    ("Status", "STATUS"),
    ("Buildkit", "BUILDKIT"),
    ("Platforms", "PLATFORMS"),
    ("Error", "ERROR"),
];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "commands.lsContext",
    &[
        Field::new("Name", "", &STRING),
        Field::new("DriverEndpoint", "", &STRING),
        Field::new("LastActivity", "", &STRING),
        Field::new("Status", "", &STRING),
        Field::new("Buildkit", "", &STRING),
        Field::new("Platforms", "", &STRING),
        Field::new("Error", "", &STRING),
    ],
    &[],
)));

/// `buildx ls`: the builder in use first marked with a star; each builder's nodes below it.
pub fn list(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let store = Store::of(context);
    let format = uses.text("format").filter(|f| !f.is_empty()).map_or(formatter::TABLE.into(), OsStr::to_string_lossy);
    let table = format == formatter::TABLE;
    let current = store.current();
    let platforms = platforms(context);
    // As in buildx, the table leaves out some, and names how many.
    let shown = match platforms.split_first() {
        Some((first, rest)) if table && !uses.switch("no-trunc") && platforms.len() > 4 => format!("{first} (+{})", rest.len()),
        _ => platforms.join(", "),
    };
    let mut names = store.names();
    names.sort();
    names.push(DEFAULT.into());
    let mut rows = Vec::new();
    let row = |cells: [&str; 4]| {
        let [name, endpoint, status, buildkit] = cells.map(Data::from);
        let platforms = if cells[2].is_empty() { "" } else { &shown };
        Data::Ptr(Box::new(Data::Struct(vec![name, endpoint, "".into(), status, buildkit, platforms.into(), "".into()])))
    };
    for builder in names.iter().filter_map(|name| store.read(name)) {
        let star = if table && builder.name == current { "*" } else { "" };
        rows.push(row([&format!("{}{star}", builder.name), &builder.driver, "", ""]));
        for (name, endpoint) in &builder.nodes {
            let indent = if table { " \\_ " } else { "" };
            rows.push(row([&format!("{indent}{name}"), &format!("{indent}{endpoint}"), "running", VERSION]));
        }
    }
    let text = if table { "table {{.Name}}\t{{.DriverEndpoint}}\t{{.Status}}\t{{.Buildkit}}\t{{.Platforms}}" } else { &format };
    Ok(Plan::Answer(match formatter::write(text, HEADINGS, &ROW, rows) {
        Ok(shown) => Answer::printed(shown),
        Err(words) => Answer::failed(format!("ERROR: {words}"), 1),
    }))
}

/// `buildx du`: Podman has no build cache apart from its images.
pub fn disk_usage(context: &Context) -> Result<Plan, Refusal> {
    let header = if context.invocation.uses.switch("verbose") { "" } else { "ID        RECLAIMABLE   SIZE      LAST ACCESSED\n" };
    Ok(Plan::Answer(Answer::printed(format!("{header}Reclaimable:\t0B\nTotal:\t\t0B\n"))))
}

/// `buildx version`: the buildx whose grammar this is.
pub fn version(_: &Context) -> Result<Plan, Refusal> {
    Ok(Plan::Answer(Answer::printed(format!("github.com/docker/buildx v{} docker-shim\n", crate::catalogue::BUILDX_VERSION))))
}

/// `buildx install` and `uninstall`: `docker build` is `docker buildx build` anyhow.
pub fn nothing(_: &Context) -> Result<Plan, Refusal> {
    Ok(Plan::Answer(Answer::default()))
}

/// Whether the builder that a build names is known.
pub fn check_builder(context: &Context) -> Result<(), Refusal> {
    let named = context.invocation.uses.text("builder").map(OsStr::to_os_string).or_else(|| context.host.env("BUILDX_BUILDER"));
    match named.map(|name| name.to_string_lossy().into_owned()).filter(|name| !name.is_empty()) {
        Some(name) if !Store::of(context).exists(&name) => Err(no_builder(&name)),
        _ => Ok(()),
    }
}

/// `--builder` of a build: any name that is known, as Podman builds in any case.
pub fn builder(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let name = used.value.to_string_lossy();
    if !name.is_empty() && !Store::of(context).exists(&name) {
        return Err(no_builder(&name));
    }
    by_command(used, draft, context)
}
