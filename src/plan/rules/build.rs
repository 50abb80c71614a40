//! `docker build` and buildx.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::dockerfile;
use super::references::{self, Reference};
use super::transfer;
use crate::catalogue::Podman;
use crate::grammar;
use crate::host;
use crate::invocation::FlagUse;
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal, Reshape, Run, Shape, Stderr, Stdout, Step};
use crate::render::build::{Build, Builder, Dockerfile, Image};

/// `docker build`: Docker's file names, image names and image format, and a push where one was asked for.
pub fn build(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let shown = uses.text("progress").unwrap_or_default().to_string_lossy();
    if uses.switch("quiet") && !matches!(&*shown, "" | "auto") {
        return Err(Refusal::new(format!("ERROR: progress={shown} and quiet cannot be used together"), 1));
    }
    let mut draft = context.call("build")?;
    // OCI's format has no place for HEALTHCHECK, SHELL and ONBUILD.
    draft.set_env("BUILDAH_FORMAT", "docker");
    draft.translate(context)?;
    let mut outputs = Outputs { push: uses.switch("push"), ..Outputs::default() };
    for output in uses.all("output") {
        outputs.add(output, &mut draft, context)?;
    }
    if outputs.image != Image::Stored && uses.text("iidfile").is_some_and(|f| !f.is_empty()) {
        return Err(Refusal::new("ERROR: local and tar exporters are incompatible with image ID file", 1));
    }
    if outputs.push && uses.text("metadata-file").is_some_and(|f| !f.is_empty()) {
        return Err(context.refuse(
            "--metadata-file together with a push: the digest in the registry is not known yet when it is written; push on its own.",
        ));
    }
    let mut tags: Vec<OsString> = uses.all("tag").map(OsStr::to_os_string).collect();
    for name in std::mem::take(&mut outputs.names) {
        let reference = Reference::parse(OsStr::new(&name)).map_err(|words| invalid_tag(&name, &words))?;
        draft.flag("tag", reference.tagged());
        tags.push(name.into());
    }
    if outputs.push && tags.is_empty() {
        return Err(Refusal::new("ERROR: failed to build: tag is needed when pushing to registry", 1));
    }
    if !outputs.archives.is_empty() && tags.is_empty() {
        return Err(context.refuse("--output type=docker or type=oci with a file needs a name for the image: add -t NAME."));
    }
    let platforms: Vec<String> =
        uses.all("platform").flat_map(|p| p.to_string_lossy().split(',').map(str::to_string).collect::<Vec<_>>()).collect();
    if platforms.iter().any(|p| !is_native(p)) && context.host.podman_version()? < CACHE_KNOWS_PLATFORMS {
        // An image of another platform would be taken from the cache, or left there for the next native build.
        draft.switch("layers", false);
    }
    let names: Vec<String> = tags.iter().filter_map(|tag| Some(Reference::parse(tag).ok()?.tagged())).collect();
    let list = if platforms.len() > 1 { names.first().cloned() } else { None };
    let mut acts = Vec::new();
    if let Some(list) = &list {
        acts.extend(begin_list(list, &mut draft, context)?);
    }
    let directory = &context.invocation.args[0];
    let source = Source::of(directory, uses.text("file"), context)?;
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
    } else {
        own_registries(&mut draft, context, &LOOPBACK, true);
    }
    draft.arg(directory);
    let image = if list.is_some() { Image::List } else { outputs.image };
    let shown = tags.iter().filter_map(|tag| Some(Reference::parse(tag).ok()?.full())).collect();
    let progress = progress(context, shown, image, &source);
    acts.push(Act::Reshape(Reshape { call: draft.call(), shape: Shape::Progress(Box::new(progress)) }));
    if let Some(list) = &list {
        for name in names.iter().skip(1) {
            let mut tag = context.call("tag")?;
            tag.arg(list).arg(name);
            acts.push(tag.run_quietly(Ending::Daemon));
        }
    }
    for (format, file) in &outputs.archives {
        let mut save = context.call("save")?;
        save.flag("format", format).flag("output", file);
        // Podman adds to a file that is there, or refuses.
        save.prepare(Step::RemoveFile(PathBuf::from(file)));
        save.args.extend(names.iter().take(1).map(OsString::from));
        acts.push(save.run_quietly(Ending::Daemon));
    }
    if outputs.push {
        for tag in tags {
            let reference = references::target(&tag, context)?;
            acts.push(match &list {
                Some(_) => push_list(context, &reference)?,
                None => Act::Reshape(transfer::push_built(context, &tag, &reference)?),
            });
        }
    }
    Ok(Plan::Sequence(acts))
}

/// From this Podman on the build cache tells platforms apart.
const CACHE_KNOWS_PLATFORMS: Podman = Podman(5, 8, 0);

/// Whether a `--platform` is this machine's own.
fn is_native(platform: &str) -> bool {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let mut parts = platform.split('/');
    matches!((parts.next(), parts.next()), (Some("linux" | "local"), None) | (Some("linux"), Some(_))) && {
        let arch = platform.split('/').nth(1);
        arch.is_none_or(|arch| arch == machine || (arch == "x86_64" && machine == "amd64") || (arch == "aarch64" && machine == "arm64"))
    }
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

/// Pushes a manifest list with its images, in Docker's own formats.
fn push_list(context: &Context, reference: &Reference) -> Result<Act, Refusal> {
    let mut draft = context.call("manifest push")?;
    draft.switch("all", true).flag("format", "v2s2");
    if reference.is_loopback() {
        draft.switch("tls-verify", false);
    }
    draft.arg(reference.tagged()).arg(format!("docker://{}", reference.tagged()));
    Ok(draft.run_quietly(Ending::Daemon))
}

fn buildkit(context: &Context) -> Option<OsString> {
    context.host.env("DOCKER_BUILDKIT").filter(|v| !v.is_empty())
}

/// Whether the builder before BuildKit is asked for.
fn is_classic(context: &Context) -> bool {
    let is_off = |v: &str| matches!(v, "0" | "f" | "F" | "false" | "FALSE" | "False");
    buildkit(context).as_ref().and_then(|v| v.to_str()).is_some_and(is_off)
}

/// A context that is fetched (buildx's `build.IsRemoteURL`, docker/docker `builder/remotecontext/urlutil`).
fn is_remote(context: &OsStr) -> bool {
    let text = context.as_bytes();
    let schemes: [&[u8]; 7] = [b"http://", b"https://", b"git://", b"ssh://", b"git@", b"github.com/", b"docker-image://"];
    schemes.iter().any(|scheme| text.starts_with(scheme)) || (host::contains(text, b"@") && host::contains(text, b":"))
}

/// In whose words the build is told, and where. (`DOCKER_BUILDKIT=0` is the builder before BuildKit.)
fn progress(context: &Context, names: Vec<String>, image: Image, source: &Source) -> Build {
    let uses = &context.invocation.uses;
    let quiet = uses.switch("quiet") || uses.text("progress").is_some_and(|p| p == "quiet");
    let builder = match (quiet, is_classic(context)) {
        (true, _) => Builder::Quiet,
        _ if uses.text("progress").is_some_and(|p| p == "none") => Builder::Silent,
        (false, true) => Builder::Classic,
        (false, false) => Builder::BuildKit,
    };
    // Azure's Docker task reads the image's ID from stdout, unless its job asks for BuildKit.
    let also_classic = buildkit(context).is_none() && context.host.env("TF_BUILD").is_some();
    let text = source.dockerfile(context);
    let steps = text.as_deref().map_or(0, dockerfile::count);
    let name = uses.text("file").map_or("Dockerfile".into(), OsStr::to_string_lossy);
    let name = name.rsplit('/').next().unwrap_or(&name).to_string();
    let dockerfile = text.map(|text| Dockerfile { name, text });
    let cwd = context.host.cwd().unwrap_or_default();
    let metadata = uses.text("metadata-file").filter(|f| !f.is_empty()).map(|f| cwd.join(f));
    let mut build = Build::new(builder, names);
    build.also_classic = also_classic;
    build.dockerfile = dockerfile;
    build.steps = steps;
    build.image = image;
    build.metadata = metadata;
    build
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
    /// Errors: a directory or a Dockerfile that is not there, in the builder's own words.
    fn of(directory: &OsStr, file: Option<&OsStr>, context: &Context) -> Result<Source, Refusal> {
        let host = context.host;
        let file = file.filter(|f| !f.is_empty());
        let cwd = host.cwd().unwrap_or_default();
        let local = cwd.join(directory);
        if directory != "-" && !host.is_dir(&local) && !is_remote(directory) {
            let shown = directory.to_string_lossy();
            let words = format!("unable to prepare context: path {shown:?} not found");
            return Err(Refusal::new(if is_classic(context) { words } else { format!("ERROR: failed to build: {words}") }, 1));
        }
        if file.is_some_and(|f| f == "-") {
            return Ok(Source::FileOnStdin);
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
            let name = file.unwrap_or(OsStr::new("Dockerfile")).to_string_lossy();
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
    own_registries(draft, context, &LOOPBACK, false);
}

/// The names of this machine as a registry.
pub const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The same for named registries. `search` is for a Dockerfile that cannot be read beforehand: its short names are docker.io's,
/// unless the host searches elsewhere.
pub fn own_registries(draft: &mut Draft, context: &Context, plain: &[&str], search: bool) {
    let host = context.host;
    let Some(dir) = crate::host::runtime_dir() else {
        if !search {
            draft.switch("tls-verify", false);
        }
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
    let searches = String::from_utf8_lossy(&text).lines().any(|line| line.trim_start().starts_with("unqualified-search-registries"));
    if search && !searches {
        text.splice(..0, *b"unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"disabled\"\n");
    }
    for location in plain {
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

/// What the `--output`s ask for beside Podman's own.
#[derive(Default)]
struct Outputs {
    /// Podman takes `type=registry` and pushes nothing.
    push: bool,
    names: Vec<String>,
    image: Image,
    /// The format and file of archives.
    archives: Vec<(&'static str, String)>,
}

impl Outputs {
    /// One `--output`, by buildx's rules (`util/buildflags/export.go`).
    fn add(&mut self, value: &OsStr, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
        let text = value.to_string_lossy();
        let record = grammar::csv_record(text.as_bytes()).map_err(|words| Refusal::new(format!("ERROR: {words}"), 1))?;
        let record: Vec<String> = record.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect();
        let fields: Vec<(String, &str)> =
            record.iter().map(|f| f.split_once('=').unwrap_or((f, ""))).map(|(k, v)| (k.trim().to_lowercase(), v)).collect();
        let field = |name: &str| fields.iter().find(|(k, _)| k == name).map(|(_, v)| *v);
        let kind = match field("type") {
            None if text == "-" => "tar",
            None => "local",
            Some(kind) => kind,
        };
        let names = || field("name").into_iter().flat_map(|names| names.split(',')).filter(|n| !n.is_empty()).map(str::to_string);
        let file = field("dest").filter(|d| !d.is_empty() && *d != "-");
        let to_stdout = text == "-" || field("dest") == Some("-");
        match (kind, file) {
            ("registry", _) => {
                self.push = true;
                self.names.extend(names());
            }
            ("image", _) => {
                self.push |= field("push").is_some_and(|p| p != "false");
                self.names.extend(names());
            }
            ("docker", None) if !to_stdout => self.names.extend(names()),
            ("docker", Some(file)) => {
                self.archives.push(("docker-archive", file.to_string()));
                self.names.extend(names());
            }
            ("oci", Some(file)) => {
                self.archives.push(("oci-archive", file.to_string()));
                self.names.extend(names());
            }
            ("cacheonly", _) => {}
            ("tar", _) if to_stdout => {
                if context.host.is_terminal(1) {
                    return Err(Refusal::new("ERROR: dest file is required for tar exporter. refusing to write to console", 1));
                }
                draft.flag("output", format!("type=tar,dest=/proc/self/fd/{SHARED_STDOUT}"));
                draft.prepare(Step::ShareStdout(SHARED_STDOUT));
                self.image = Image::FilesOnStdout;
            }
            ("local", _) if to_stdout => return Err(Refusal::new("ERROR: dest cannot be stdout for local exporter", 1)),
            ("local" | "tar", _) => {
                self.image = Image::Files;
                draft.flag("output", value);
            }
            _ => {
                let advice = "build with -t NAME and use docker save, or --output type=tar,dest=FILE";
                return Err(context.refuse(format!("--output {text}: Podman cannot write that; {advice}.")));
            }
        }
        Ok(())
    }
}

/// The descriptor under which podman finds our stdout, while its own is read by us.
const SHARED_STDOUT: i32 = 9;

fn invalid_tag(tag: &str, words: &str) -> Refusal {
    let words = words.replace("invalid reference format: ", "");
    let words = match words.split_once(" (") {
        Some((first, _)) if words.contains("lowercase") => format!("{first} must be lowercase"),
        _ => words,
    };
    Refusal::new(format!("ERROR: failed to build: invalid tag {tag:?}: {words}"), 1)
}

/// `--tag`: the docker.io name, where Podman alone would store `localhost/NAME`.
pub fn tag(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let reference = Reference::parse(&used.value).map_err(|words| invalid_tag(&used.value.to_string_lossy(), &words))?;
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
