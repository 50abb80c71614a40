//! `docker build` and buildx.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;

use self::checks::Secret;
use self::outputs::Outputs;
use super::container::environment;
use super::dockerfile::rewrite::{Reader, Rewritten};
use super::platforms::Platform;
use super::references::{self, Reference};
use super::{buildx, credentials, dockerfile, hosts, transfer};
use crate::catalogue::Podman;
use crate::host;
use crate::invocation::FlagUse;
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal, Reshape, Run, Shape, Stderr, Stdout, Step};
use crate::render::build::{Build, Builder, Dockerfile, Image};
use crate::render::policy;
use crate::render::transfer::Metadata;

mod archives;
pub mod checks;
pub mod left;
mod outputs;
pub mod registries;

/// What a bake file adds to the flags of a build.
#[derive(Default)]
pub struct Baked {
    /// The target's name, where there are several.
    pub target: Option<String>,
    /// The Dockerfile itself.
    pub dockerfile: Option<String>,
    /// A name for the result in addition, by which other targets find it.
    pub keep: Option<String>,
    /// Where facts about the result go.
    pub metadata: Option<PathBuf>,
    /// How many steps progress has told of; all targets count on.
    pub vertices: Rc<Cell<usize>>,
}

/// `docker build`: Docker's file names, image names and image format, and a push where one was asked for.
pub fn build(context: &Context) -> Result<Plan, Refusal> {
    acts(context, None).map(Plan::Sequence)
}

/// What a build does, one of its own or a target of a bake file.
pub fn acts(context: &Context, baked: Option<&Baked>) -> Result<Vec<Act>, Refusal> {
    let uses = &context.invocation.uses;
    checks::words(context)?;
    let mut outputs = Outputs::of(context)?;
    buildx::check_builder(context)?;
    checks::progress(context)?;
    checks::meaning(context)?;
    let mut draft = context.call("build")?;
    // OCI's format has no place for HEALTHCHECK, SHELL and ONBUILD.
    draft.set_env("BUILDAH_FORMAT", "docker");
    draft.translate(context)?;
    proxies(&mut draft, context);
    left::mark(&mut draft, context);
    if let Some(file) = uses.text("iidfile").filter(|f| !f.is_empty()) {
        draft.flag("iidfile", file);
        // None is left of an earlier build, should this one fail.
        draft.prepare(Step::RemoveFile(context.host.cwd().unwrap_or_default().join(file)));
    }
    let mut tags: Vec<OsString> = uses.all("tag").map(OsStr::to_os_string).collect();
    for name in std::mem::take(&mut outputs.names).into_iter().filter(|_| tags.is_empty()).collect::<Vec<_>>() {
        Reference::parse(OsStr::new(&name)).map_err(dockerfile::rewrite::solve)?;
        tags.push(name.into());
    }
    if outputs.push && tags.is_empty() {
        return Err(checks::failed("tag is needed when pushing to registry"));
    }
    checks::surroundings(context)?;
    let names: Vec<String> = tags.iter().filter_map(|tag| Some(Reference::parse(tag).ok()?.tagged())).collect();
    // Docker names no image where files are all that is wanted; an archive of several names is made of an image that has them.
    let named = outputs.archives.iter().any(|(format, file)| archives::needs_names(format, &names, file));
    if outputs.kept || named {
        for name in &names {
            draft.flag("tag", name);
        }
    }
    if let Some(name) = baked.and_then(|baked| baked.keep.as_ref()) {
        draft.flag("tag", name);
    }
    let platforms: Vec<String> =
        uses.all("platform").flat_map(|p| p.to_string_lossy().split(',').map(str::to_string).collect::<Vec<_>>()).collect();
    if platforms.iter().any(|p| !is_native(p)) && context.host.podman_version()? < CACHE_KNOWS_PLATFORMS {
        // An image of another platform would be taken from the cache, or left there for the next native build.
        draft.switch("layers", false);
    }
    let list = if platforms.len() > 1 && outputs.kept { names.first().cloned() } else { None };
    if platforms.len() > 1 && !outputs.archives.is_empty() {
        return Err(
            context.refuse("--output of an archive for several --platform: Podman puts one image into it; build one after another.")
        );
    }
    let built = match uses.text("iidfile").filter(|f| !f.is_empty()) {
        _ if outputs.archives.is_empty() || named => None,
        Some(file) => Some(context.host.cwd().unwrap_or_default().join(file)),
        None => Some(archives::own_iidfile(&mut draft)),
    };
    let mut acts = Vec::new();
    if let Some(list) = &list {
        acts.extend(begin_list(list, &mut draft, context)?);
    }
    let directory = &context.invocation.args[0];
    let inline = baked.and_then(|baked| baked.dockerfile.as_deref());
    let source = Source::of(directory, uses.text("file"), inline, context)?;
    let text = source.dockerfile(context);
    if let Some(text) = &text {
        check_stages(text)?;
    }
    if let Some(target) = uses.text("target").filter(|target| !target.is_empty()) {
        draft.flag("target", spelled(target, text.as_deref())?);
    }
    source.draft(&mut draft, text.as_deref(), context)?;
    if let Some(text) = &text {
        let build_args: Vec<&OsStr> = uses.all("build-arg").collect();
        let named: Vec<_> = uses.all("build-context").collect();
        let mut loopback = build_args.iter().any(|a| mentions_loopback(a.as_bytes()));
        let mut domains = Vec::new();
        for name in dockerfile::images(text, &build_args, context.host) {
            let Ok(reference) = Reference::parse(OsStr::new(&name)) else { continue };
            loopback |= reference.is_loopback();
            domains.push(reference.domain.clone());
            let replaced = named.iter().any(|n| n.as_bytes().strip_prefix(name.as_bytes()).is_some_and(|rest| rest.starts_with(b"=")));
            let found = references::local(OsStr::new(&name), context)?;
            if found.as_bytes() != name.as_bytes() && !replaced {
                // Podman resolves short names by the host's aliases and search list; Docker's are docker.io's.
                draft.flag("build-context", format!("{name}=docker-image://{}", found.to_string_lossy()));
            }
        }
        credentials::of_registries(&mut draft, context, &domains.iter().map(String::as_str).collect::<Vec<_>>());
        if loopback {
            registries::plain_http_on_loopback(&mut draft, context);
        }
    } else {
        registries::own_registries(&mut draft, context, &registries::LOOPBACK, true);
    }
    match (&source, host::runtime_dir()) {
        (Source::Alone { .. }, Some(dir)) => {
            let empty = dir.join("no-context");
            draft.prepare(Step::MakeDirs(empty.clone()));
            draft.arg(empty);
        }
        _ => {
            draft.arg(directory);
        }
    }
    let again = draft.clone();
    if let Some(file) = outputs.files.first() {
        outputs.write(file, &mut draft);
    }
    let image = if list.is_some() { Image::List } else { outputs.image() };
    let full: Vec<String> = tags.iter().filter_map(|tag| Some(Reference::parse(tag).ok()?.full())).collect();
    let metadata = uses.text("metadata-file").filter(|f| !f.is_empty()).map(|f| context.host.cwd().unwrap_or_default().join(f));
    let metadata = baked.map_or(metadata, |baked| baked.metadata.clone());
    let mut progress = progress(context, full.clone(), image, text, uses.text("file"));
    if let Some(baked) = baked {
        progress.target.clone_from(&baked.target);
        progress.failure = baked.target.as_ref().map(|name| format!("target {name}: ")).unwrap_or_default();
        progress.kept.clone_from(&baked.keep);
        progress.vertices = Rc::clone(&baked.vertices);
        progress.also_classic = false;
    }
    // With a push the digest is the registry's, known only then.
    progress.metadata = metadata.clone().filter(|_| !outputs.push);
    acts.push(Act::Reshape(Reshape { call: draft.call(), shape: Shape::Progress(Box::new(progress)) }));
    for file in outputs.files.iter().skip(1) {
        if !matches!(source, Source::Directory { .. } | Source::Inline { .. } | Source::Alone { .. }) {
            return Err(context.refuse("several --output of files: Podman writes one at a time, and stdin can be read but once."));
        }
        // Every step is in the cache by now.
        let mut more = again.clone();
        let once = ["--tag=", "--iidfile=", "--manifest=", "--no-cache", "--pull="];
        more.flags.retain(|flag| !once.iter().any(|once| flag.as_bytes().starts_with(once.as_bytes())));
        outputs.write(file, &mut more);
        let run = Run { stdout: Stdout::Discard, stderr: Stderr::OnFailure, ..Run::new(more.call(), Ending::Daemon) };
        acts.push(Act::Run(run));
    }
    if let Some(list) = &list {
        for name in names.iter().skip(1) {
            let mut tag = context.call("tag")?;
            tag.arg(list).arg(name);
            acts.push(tag.run_quietly(Ending::Daemon));
        }
    }
    for (format, file) in &outputs.archives {
        acts.push(match &built {
            Some(iidfile) => archives::of_built(format, file, &names, iidfile, context)?,
            None => archives::of_named(format, file, &names, context)?,
        });
    }
    if outputs.push {
        let last = tags.len() - 1;
        for (i, tag) in tags.iter().enumerate() {
            let reference = references::target(tag, context)?;
            let metadata = metadata.clone().filter(|_| i == last).map(|path| Metadata { path, names: full.clone() });
            acts.push(Act::Reshape(transfer::push_built(context, tag, &reference, list.is_some(), metadata, is_quiet(context))?));
        }
    }
    // An ID file of our own goes in the end.
    let own = built.filter(|_| !uses.given("iidfile"));
    let then: Vec<Act> = own.map(|file| Act::Do(Step::RemoveFile(file))).into_iter().chain(left::remove(context)?).collect();
    Ok(if then.is_empty() { acts } else { vec![Act::Finally { acts, then }] })
}

/// Whether there is anything to build.
fn check_stages(text: &str) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(dockerfile::rewrite::solve("the Dockerfile cannot be empty"));
    }
    dockerfile::check(text).map_err(dockerfile::rewrite::solve)
}

/// `--target`, as the Dockerfile spells the stage, where it can be read. Errors: it has no such stage.
fn spelled(target: &OsStr, text: Option<&str>) -> Result<String, Refusal> {
    let target = target.to_string_lossy();
    let Some(text) = text else { return Ok(target.into_owned()) };
    let stage = dockerfile::stages(text).into_iter().find(|stage| stage.eq_ignore_ascii_case(&target));
    stage.ok_or_else(|| dockerfile::rewrite::solve(format!("target stage {target:?} could not be found")))
}

/// The proxies of Docker's configuration are build arguments, those given come in both spellings (BuildKit's
/// `proxyEnvFromBuildArgs`), and the caller's own are nothing to a build.
fn proxies(draft: &mut Draft, context: &Context) {
    draft.switch("http-proxy", false);
    let mut given: Vec<String> = Vec::new();
    for arg in context.invocation.uses.all("build-arg") {
        let arg = arg.to_string_lossy();
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name, value.to_string()),
            None => match context.host.env(&arg) {
                Some(value) => (&*arg, value.to_string_lossy().into_owned()),
                None => continue,
            },
        };
        if environment::PROXIES.iter().any(|(_, known)| known.eq_ignore_ascii_case(name)) {
            let other = if name == name.to_uppercase() { name.to_lowercase() } else { name.to_uppercase() };
            draft.flag("build-arg", format!("{other}={value}"));
            given.push(name.to_uppercase());
        }
    }
    for (name, value) in environment::proxies(context) {
        if !given.contains(&name.to_uppercase()) {
            draft.flag("build-arg", format!("{name}={value}"));
        }
    }
}

/// From this Podman on the build cache tells platforms apart.
const CACHE_KNOWS_PLATFORMS: Podman = Podman(5, 8, 0);

/// Whether a `--platform` is this machine's own.
fn is_native(platform: &str) -> bool {
    let parse = |text: &str| Platform::parse(text).map(|platform| Platform { variant: String::new(), ..platform });
    platform == "local" || parse(platform) == parse("linux")
}

/// Several platforms are one manifest list, which has the first name while it is built. What had that name before loses it.
fn begin_list(list: &str, draft: &mut Draft, context: &Context) -> Result<[Act; 2], Refusal> {
    draft.flags.retain(|flag| !flag.as_bytes().starts_with(b"--tag="));
    draft.flag("manifest", list);
    let forget = |path: &str, names: &[&str]| -> Result<Act, Refusal> {
        let mut call = context.call(path)?;
        call.args.extend(names.iter().map(OsString::from));
        Ok(Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::Discard, ..Run::new(call.call(), Ending::Ignore) }))
    };
    Ok([forget("untag", &[list, list])?, forget("manifest rm", &[list])?])
}

fn buildkit(context: &Context) -> Option<OsString> {
    context.host.env("DOCKER_BUILDKIT").filter(|v| !v.is_empty())
}

/// Whether the builder before BuildKit is asked for: `docker buildx` is BuildKit's in any case.
fn is_classic(context: &Context) -> bool {
    let is_off = |v: &str| matches!(v, "0" | "f" | "F" | "false" | "FALSE" | "False");
    !context.invocation.command.path.starts_with("buildx") && buildkit(context).as_ref().and_then(|v| v.to_str()).is_some_and(is_off)
}

/// A context that is fetched (buildx's `build.IsRemoteURL`, docker/docker `builder/remotecontext/urlutil`).
pub fn is_remote(context: &OsStr) -> bool {
    let text = context.as_bytes();
    let schemes: [&[u8]; 7] = [b"http://", b"https://", b"git://", b"ssh://", b"git@", b"github.com/", b"docker-image://"];
    schemes.iter().any(|scheme| text.starts_with(scheme)) || (host::contains(text, b"@") && host::contains(text, b":"))
}

/// Whether the build tells nothing of its steps.
fn is_quiet(context: &Context) -> bool {
    let progress = context.invocation.uses.text("progress");
    context.invocation.uses.switch("quiet") || progress.is_some_and(|progress| progress == "quiet" || progress == "none")
}

/// In whose words the build is told, and where. (`DOCKER_BUILDKIT=0` is the builder before BuildKit.)
fn progress(context: &Context, names: Vec<String>, image: Image, text: Option<String>, file: Option<&OsStr>) -> Build {
    let uses = &context.invocation.uses;
    let silent = !uses.switch("quiet") && uses.text("progress").is_some_and(|progress| progress == "none");
    let builder = match (is_quiet(context), is_classic(context)) {
        _ if silent => Builder::Silent,
        (true, _) => Builder::Quiet,
        (false, true) => Builder::Classic,
        (false, false) => Builder::BuildKit,
    };
    let mut build = Build::new(builder, names);
    // Azure's Docker task reads the image's ID from stdout, unless its job asks for BuildKit.
    build.also_classic = buildkit(context).is_none() && context.host.env("TF_BUILD").is_some();
    build.steps = text.as_deref().map_or(0, dockerfile::count);
    build.dockerfile = text.map(|text| Dockerfile { name: short_name(file), text });
    build.image = image;
    build.policy = policy::file(host::home(context.host), &|path| context.host.exists(path));
    build
}

/// A Dockerfile's name without its directories.
fn short_name(file: Option<&OsStr>) -> String {
    let name = file.filter(|f| !f.is_empty() && *f != "-").map_or("Dockerfile".into(), OsStr::to_string_lossy);
    name.rsplit('/').next().unwrap_or(&name).to_string()
}

/// Where the Dockerfile and the context come from.
enum Source {
    /// A local directory, and the Dockerfile's path.
    Directory { file: PathBuf, ignore: Option<PathBuf> },
    /// A local directory, and the Dockerfile itself.
    Inline { text: String },
    /// A Dockerfile without a context.
    Alone { text: String },
    /// A context that is fetched, and the Dockerfile on stdin.
    FileOnStdin,
    /// An archive or a Dockerfile on stdin, an URL, a repository: Podman fetches it, the file is named within it.
    Elsewhere { file: Option<OsString> },
}

impl Source {
    /// Errors: a directory or a Dockerfile that is not there, in the builder's own words.
    fn of(directory: &OsStr, file: Option<&OsStr>, inline: Option<&str>, context: &Context) -> Result<Source, Refusal> {
        let host = context.host;
        let file = file.filter(|f| !f.is_empty());
        let cwd = host.cwd().unwrap_or_default();
        let local = cwd.join(directory);
        if directory != "-" && !host.is_dir(&local) && !is_remote(directory) {
            let shown = directory.to_string_lossy();
            let words = format!("unable to prepare context: path {shown:?} not found");
            return Err(Refusal::new(if is_classic(context) { words } else { format!("ERROR: failed to build: {words}") }, 1));
        }
        if let Some(text) = inline {
            if !host.is_dir(&local) {
                return Err(context.refuse("dockerfile-inline with a context that is fetched: Podman looks for the Dockerfile in it."));
            }
            return Ok(Source::Inline { text: text.to_string() });
        }
        if file.is_some_and(|f| f == "-") {
            let text = if host.is_dir(&local) { host.stdin() } else { None };
            return Ok(text.map_or(Source::FileOnStdin, |text| Source::Inline { text: String::from_utf8_lossy(&text).into_owned() }));
        }
        if let Some(text) = Some(directory).filter(|d| *d == "-" && file.is_none()).and_then(|_| host.text_on_stdin()) {
            if text.is_empty() {
                return Err(dockerfile::rewrite::solve("failed to read dockerfile: no local sources enabled"));
            }
            return Ok(Source::Alone { text: String::from_utf8_lossy(&text).into_owned() });
        }
        if directory == "-" || !host.is_dir(&local) {
            return Ok(Source::Elsewhere { file: file.map(OsStr::to_os_string) });
        }
        // Docker takes Dockerfile even where there is a Containerfile, which Podman would prefer.
        let mut path = file.map_or_else(|| local.join("Dockerfile"), |f| cwd.join(f));
        if file.is_none() && !host.exists(&path) && host.exists(&local.join("dockerfile")) {
            path = local.join("dockerfile");
        }
        if !host.exists(&path) {
            let name = short_name(file);
            let missing = "no such file or directory";
            return Err(Refusal::new(
                match is_classic(context) {
                    true => format!(
                        "unable to prepare context: unable to evaluate symlinks in Dockerfile path: lstat {}: {missing}",
                        path.display()
                    ),
                    false => format!("ERROR: failed to build: failed to solve: failed to read dockerfile: open {name}: {missing}"),
                },
                1,
            ));
        }
        let mut ignore = path.clone().into_os_string();
        ignore.push(".dockerignore");
        let ignore = Some(PathBuf::from(ignore)).filter(|i| host.exists(i));
        Ok(Source::Directory { file: path, ignore })
    }

    /// Errors: what this Podman cannot make of the Dockerfile's text.
    fn draft(&self, draft: &mut Draft, text: Option<&str>, context: &Context) -> Result<(), Refusal> {
        match self {
            Source::Directory { file, ignore } => {
                if !rewritten(text.unwrap_or_default(), draft, context)? {
                    draft.flag("file", file);
                }
                if let Some(ignore) = ignore {
                    draft.flag("ignorefile", ignore);
                }
            }
            Source::Inline { text } | Source::Alone { text } => {
                if !rewritten(text, draft, context)? {
                    own_dockerfile(text, &[], draft, context)?;
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
        Ok(())
    }

    /// The Dockerfile's text, where it can be read without using it up.
    fn dockerfile(&self, context: &Context) -> Option<String> {
        let file = match self {
            Source::Directory { file, .. } => file,
            Source::Inline { text } | Source::Alone { text } => return Some(text.clone()),
            _ => return None,
        };
        context.host.read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Has a Dockerfile read in other words where this Podman needs them. Errors: there are none.
fn rewritten(text: &str, draft: &mut Draft, context: &Context) -> Result<bool, Refusal> {
    let uses = &context.invocation.uses;
    let reader = Reader {
        name: &short_name(uses.text("file")),
        podman: &|| context.host.podman_version(),
        host_network: uses.text("network").is_some_and(|n| n == "host") || uses.all("allow").any(|a| a == "network.host"),
    };
    match reader.rewrite(text)? {
        Rewritten { text: Some(text), files } => own_dockerfile(&text, &files, draft, context).map(|()| true),
        Rewritten { text: None, .. } => Ok(false),
    }
}

/// Builds from a text of our own, kept where only the caller reads, and named by its content.
fn own_dockerfile(text: &str, files: &[(String, String, String)], draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let dir = host::runtime_dir().ok_or_else(|| {
        context.refuse("this Dockerfile has to be put in other words for this Podman, and there is no directory of your own for that; set XDG_RUNTIME_DIR.")
    })?;
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    files.iter().for_each(|(context, name, content)| [context, name, content].iter().for_each(|part| hasher.write(part.as_bytes())));
    let dir = dir.join(format!("dockerfile-{:016x}", hasher.finish()));
    for (name, file, content) in files {
        let path = dir.join(name).join(file);
        draft.prepare(Step::WriteOwn { path, content: content.clone().into_bytes() });
        let named = format!("{name}={}", dir.join(name).display());
        if !draft.flags.iter().any(|flag| flag.to_str() == Some(&format!("--build-context={named}"))) {
            draft.flag("build-context", named);
        }
    }
    let path = dir.join("Dockerfile");
    draft.flag("file", &path);
    draft.prepare(Step::WriteOwn { path, content: text.as_bytes().to_vec() });
    Ok(())
}

fn mentions_loopback(text: &[u8]) -> bool {
    host::contains(text, b"127.") || host::contains(text, b"localhost") || host::contains(text, b"[::1]")
}

fn invalid_tag(tag: &str, words: &str) -> Refusal {
    if tag.is_empty() {
        return checks::failed(format!("invalid tag {tag:?}: repository name must have at least one component"));
    }
    let words = words.replace("invalid reference format: ", "");
    let words = match words.split_once(" (") {
        Some((first, _)) if words.contains("lowercase") => format!("{first} must be lowercase"),
        _ => words,
    };
    checks::failed(format!("invalid tag {tag:?}: {words}"))
}

/// `--pull`: the bare switch means `missing` to Podman 5.4, and off means `never` to 5.x, where Docker looks for a newer image
/// or does not.
pub fn pull(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    if used.is_on() {
        draft.flag("pull", "always");
    }
    Ok(())
}

/// `--secret`: always with its ID and one source, as Podman wants it.
pub fn secret(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    if !used.value.is_empty() {
        let secret = Secret::parse(&used.value)?;
        let (kind, source) = secret.source(context);
        let key = if kind == "env" { "env" } else { "src" };
        draft.flag("secret", format!("id={},type={kind},{key}={source}", secret.id));
    }
    Ok(())
}

/// `--add-host`, several to a flag.
pub fn add_host(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    for mut value in checks::record(&used.value)? {
        // Podman's builds know no such word.
        if let Some(name) = value.strip_suffix("host-gateway") {
            value = format!("{name}{}", hosts::found_gateway(context)?);
        }
        hosts::add_host(&FlagUse { value: value.into(), ..used.clone() }, draft, context)?;
    }
    Ok(())
}

/// `--platform`: whole, as not every Podman fills in what is left out.
pub fn platform(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    let whole = |one: &str| Platform::parse(if one == "local" { "linux" } else { one }).map(|platform| platform.shown());
    let platforms = text.split(',').map(whole).collect::<Result<Vec<_>, _>>().map_err(checks::failed)?;
    draft.flag("platform", platforms.join(","));
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
    acts.extend(left::remove(context)?);
    acts.push(Act::Print(b"Total:\t0B\n".to_vec()));
    Ok(Plan::Sequence(acts))
}
