//! `docker build` and buildx.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::dockerfile;
use super::image::push_one;
use super::references::{self, Reference};
use crate::host;
use crate::invocation::FlagUse;
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal, Run, Stdout, Step};

/// `docker build`: Docker's file names, image names and image format, and a push where one was asked for.
pub fn build(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let progress = uses.text("progress").unwrap_or_default().to_string_lossy();
    if uses.switch("quiet") && !matches!(&*progress, "" | "auto") {
        return Err(Refusal::new(format!("ERROR: progress={progress} and quiet cannot be used together"), 1));
    }
    let mut draft = context.call("build")?;
    // OCI's format has no place for HEALTHCHECK, SHELL and ONBUILD.
    draft.set_env("BUILDAH_FORMAT", "docker");
    draft.translate(context)?;
    let platforms: Vec<_> = uses.all("platform").flat_map(|p| p.as_bytes().split(|b| *b == b',')).collect();
    if platforms.len() > 1 {
        return Err(context.refuse("build for several platforms at once: Podman would tag only one of the images; build them one by one."));
    }
    let mut pushes = uses.switch("push");
    for output in uses.all("output") {
        pushes |= output_of(output, &mut draft, context)?;
    }
    let tags: Vec<&OsStr> = uses.all("tag").collect();
    if pushes && tags.is_empty() {
        return Err(Refusal::new("ERROR: failed to build: tag is needed when pushing to registry", 1));
    }
    let directory = &context.invocation.args[0];
    let source = Source::of(directory, uses.text("file"), context);
    source.draft(&mut draft);
    if let Some(text) = source.dockerfile(context) {
        let build_args: Vec<&OsStr> = uses.all("build-arg").collect();
        let named: Vec<_> = uses.all("build-context").collect();
        let mut loopback = build_args.iter().any(|a| mentions_loopback(a.as_bytes()));
        for name in dockerfile::images(&text, &build_args, context.host) {
            let Ok(reference) = Reference::parse(OsStr::new(&name)) else { continue };
            loopback |= reference.is_loopback();
            let replaced = named.iter().any(|n| n.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")));
            let found = references::local(OsStr::new(&name), context)?;
            if found.as_bytes() != name.as_bytes() && !replaced {
                // Podman resolves short names by the host's aliases and search list; Docker's are docker.io's.
                draft.flag("build-context", format!("{name}=docker-image://{}", found.to_string_lossy()));
            }
        }
        if loopback {
            plain_http_on_loopback(&mut draft, context);
        }
    }
    draft.arg(directory);
    let stdout = if uses.switch("quiet") { Stdout::Prefixed("sha256:") } else { Stdout::Inherit };
    let mut acts = vec![Act::Run(Run { stdout, ..Run::new(draft.call(), Ending::Daemon) })];
    if pushes {
        for tag in tags {
            let reference = references::target(tag, context)?;
            acts.push(push_one(context, tag, &reference)?);
        }
    }
    Ok(Plan::Sequence(acts))
}

/// Where the Dockerfile and the context come from.
enum Source {
    /// A local directory, and the Dockerfile's path.
    Directory { file: PathBuf, ignore: Option<PathBuf> },
    /// A local directory, and the Dockerfile on stdin.
    FileOnStdin,
    /// An archive or a Dockerfile on stdin, an URL, a repository: Podman fetches it, the file is named within it.
    Elsewhere { file: Option<OsString> },
}

impl Source {
    fn of(directory: &OsStr, file: Option<&OsStr>, context: &Context) -> Source {
        let file = file.filter(|f| !f.is_empty());
        let cwd = context.host.cwd().unwrap_or_default();
        let local = cwd.join(directory);
        if file.is_some_and(|f| f == "-") {
            return Source::FileOnStdin;
        }
        if directory == "-" || !context.host.is_dir(&local) {
            return Source::Elsewhere { file: file.map(OsStr::to_os_string) };
        }
        // Docker takes Dockerfile even where there is a Containerfile, which Podman would prefer.
        let file = file.map_or_else(|| local.join("Dockerfile"), |f| cwd.join(f));
        let mut ignore = file.clone().into_os_string();
        ignore.push(".dockerignore");
        let ignore = Some(PathBuf::from(ignore)).filter(|i| context.host.exists(i));
        Source::Directory { file, ignore }
    }

    fn draft(&self, draft: &mut Draft) {
        match self {
            Source::Directory { file, ignore } => {
                draft.flag("file", file);
                if let Some(ignore) = ignore {
                    draft.flag("ignorefile", ignore);
                }
            }
            Source::FileOnStdin => {
                draft.flag("file", "-");
            }
            Source::Elsewhere { file } => {
                if let Some(file) = file {
                    draft.flag("file", file);
                }
            }
        }
    }

    /// The Dockerfile's text, where it can be read without using it up.
    fn dockerfile(&self, context: &Context) -> Option<String> {
        let Source::Directory { file, .. } = self else { return None };
        context.host.read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

fn mentions_loopback(text: &[u8]) -> bool {
    host::contains(text, b"127.") || host::contains(text, b"localhost") || host::contains(text, b"[::1]")
}

/// Has Podman reach registries on the loopback interface by plain HTTP, as dockerd does, and all others as before: by the
/// host's own registries.conf with those added. (`--tls-verify=false` would weaken every registry of the build.)
pub fn plain_http_on_loopback(draft: &mut Draft, context: &Context) {
    plain_http(draft, context, &["localhost", "127.0.0.1", "[::1]"]);
}

/// The same for named registries.
pub fn plain_http(draft: &mut Draft, context: &Context, registries: &[&str]) {
    let host = context.host;
    let Some(dir) = crate::host::runtime_dir() else {
        draft.switch("tls-verify", false);
        return;
    };
    let mut candidates = Vec::new();
    match host.env("CONTAINERS_REGISTRIES_CONF") {
        Some(named) => candidates.push(PathBuf::from(named)),
        None => {
            let home = host::home(host).filter(|_| host.uid() != 0);
            candidates.extend(home.map(|home| home.join(".config/containers/registries.conf")));
            candidates.push(PathBuf::from("/etc/containers/registries.conf"));
        }
    }
    let mut text = candidates.iter().find_map(|c| host.read(c)).unwrap_or_default();
    for location in registries {
        let entry = format!("\n[[registry]]\nlocation = \"{location}\"\ninsecure = true\n");
        let there = format!("\"{location}\"");
        if !host::contains(&text, there.as_bytes()) {
            text.extend_from_slice(entry.as_bytes());
        }
    }
    // Named by its content, so that builds under other settings at the same time keep their own.
    let mut hasher = DefaultHasher::new();
    hasher.write(&text);
    let path = dir.join(format!("registries-{:016x}.conf", hasher.finish()));
    draft.set_env("CONTAINERS_REGISTRIES_CONF", &path);
    draft.prepare(Step::WriteOwn { path, content: text });
}

/// One `--output`. Gives whether the image is to be pushed; Podman takes `type=registry` and pushes nothing.
fn output_of(value: &OsStr, draft: &mut Draft, context: &Context) -> Result<bool, Refusal> {
    let text = value.to_string_lossy();
    let fields: Vec<(String, &str)> =
        text.split(',').map(|f| f.split_once('=').unwrap_or((f, ""))).map(|(k, v)| (k.to_lowercase(), v)).collect();
    let field = |name: &str| fields.iter().find(|(k, _)| k == name).map(|(_, v)| *v);
    let kind = match field("type") {
        None if text == "-" => "tar",
        None => "local",
        Some(kind) => kind,
    };
    let to_stdout = text == "-" || field("dest").is_some_and(|d| d == "-");
    match kind {
        "registry" => Ok(true),
        "image" => Ok(field("push").is_some_and(|p| p != "false")),
        "docker" if field("dest").is_none() => Ok(false),
        "cacheonly" => Ok(false),
        "local" | "tar" if !to_stdout => {
            draft.flag("output", value);
            Ok(false)
        }
        _ => Err(context.refuse(format!(
            "--output {text}: Podman cannot write that; build with -t NAME and use docker save, or --output type=tar,dest=FILE."
        ))),
    }
}

/// `--tag`: the docker.io name, where Podman alone would store `localhost/NAME`.
pub fn tag(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let reference = Reference::parse(&used.value).map_err(|words| {
        let words = words.replace("invalid reference format: ", "");
        let words = words
            .split(" (")
            .next()
            .map_or(words.clone(), |first| if words.contains("lowercase") { format!("{first} must be lowercase") } else { words.clone() });
        Refusal::new(format!("ERROR: failed to build: invalid tag {:?}: {words}", used.value.to_string_lossy()), 1)
    })?;
    draft.flag("tag", reference.tagged());
    Ok(())
}

/// `--pull`: the bare switch means `missing` to Podman 5.4, and off means `never` to 5.x, where Docker looks for a newer image
/// or does not.
pub fn pull(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    if used.is_on() {
        draft.flag("pull", "always");
    }
    Ok(())
}

/// `--secret`: Podman knows the source as `src` only, and wants an id.
pub fn secret(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    let mut words: Vec<String> = Vec::new();
    let mut id = None;
    let mut source = None;
    for field in text.split(',') {
        match field.split_once('=') {
            Some(("id", value)) => id = Some(value.to_string()),
            Some(("src" | "source", value)) => source = Some(value.to_string()),
            _ => words.push(field.to_string()),
        }
    }
    if let Some(id) = id.or_else(|| source.clone()) {
        words.insert(0, format!("id={id}"));
    }
    words.extend(source.map(|s| format!("src={s}")));
    draft.flag("secret", words.join(","));
    Ok(())
}

/// `--no-cache-filter STAGE`: Podman cannot leave out a stage's cache alone; it uses none at all.
pub fn no_cache_filter(_: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    draft.switch("no-cache", true);
    Ok(())
}

/// `--call` and `--check`: anything but building.
pub fn call(used: &FlagUse, _: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let building = if used.flag.long == "check" { !used.is_on() } else { matches!(used.value.as_bytes(), b"" | b"build") };
    if building {
        Ok(())
    } else {
        Err(context.refuse(format!("--{} asks BuildKit to look at the Dockerfile without building; Podman cannot.", used.flag.long)))
    }
}

/// `--build-context NAME=VALUE`: an image by its docker.io name.
pub fn build_context(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    match text.split_once("=docker-image://") {
        Some((name, image)) => {
            let found = references::local(OsStr::new(image), context)?;
            draft.flag("build-context", format!("{name}=docker-image://{}", found.to_string_lossy()));
        }
        None => {
            draft.flag("build-context", &used.value);
        }
    }
    Ok(())
}

/// `docker builder prune` and `docker buildx prune`: Podman keeps no build cache apart from its images, and its own
/// `builder prune` removes images.
pub fn prune(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let mut acts = Vec::new();
    if !uses.switch("force") {
        let what = if uses.switch("all") { "all build cache" } else { "all dangling build cache" };
        acts.push(Act::Confirm(format!("WARNING! This will remove {what}. Are you sure you want to continue? [y/N] ")));
    }
    acts.push(Act::Print(b"Total:\t0B\n".to_vec()));
    Ok(Plan::Sequence(acts))
}
