//! `docker pull` and `docker push`.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::rc::Rc;

use super::build::registries::plain_http_on_loopback as plain_http;
use super::credentials;
use super::image::plain_http_on_loopback;
use super::platforms::Platform;
use super::references::{self, Reference};
use super::registries_conf::{self, Location};
use super::store::{self, Image, Store};
use crate::plan::{Act, Context, Draft, Plan, Refusal, Reshape};
use crate::render::transfer::{AllTags, Asks, ManifestSize, Metadata, OfAll, Pull, Push, Words};

/// What `--platform OS[/ARCHITECTURE[/VARIANT]]` asks for. (Podman takes a lone word for the system, and knows fewer names.)
/// Errors: containerd's words.
pub fn platform(context: &Context) -> Result<Option<Platform>, String> {
    let text = context.invocation.uses.text("platform").filter(|text| !text.is_empty());
    text.map(|text| Platform::parse(&text.to_string_lossy())).transpose()
}

/// `docker pull`.
pub fn pull(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let mut reference = references::target(&context.invocation.args[0], context)?;
    let (all, quiet) = (uses.switch("all-tags"), uses.switch("quiet"));
    let named_only = reference.tag.is_none() && reference.digest.is_none();
    if all && !named_only {
        return Err(context.as_docker("tag can't be used with --all-tags/-a"));
    }
    let mut acts = Vec::new();
    if named_only && !all {
        reference.tag = Some("latest".into());
        if !quiet {
            acts.push(Act::Print(b"Using default tag: latest\n".to_vec()));
        }
    }
    if reference.repository() == "docker.io/library/scratch" {
        acts.push(Act::Complain(Refusal::new("Error response from daemon: 'scratch' is a reserved name", 1)));
        return Ok(Plan::Sequence(acts));
    }
    if let Err(words) = platform(context) {
        acts.push(Act::Complain(Refusal::new(format!("Error response from daemon: {words}"), 1)));
        return Ok(Plan::Sequence(acts));
    }
    if !all {
        acts.push(Act::Reshape(pull_one(context, &reference, None)?));
        return Ok(Plan::Sequence(acts));
    }
    let Some(tags) = tags(context, &reference) else {
        // Why not is Podman's to say.
        let mut draft = context.call("pull")?;
        draft.translate(context)?;
        draft.switch("all-tags", true);
        plain_http(&mut draft, context);
        draft.arg(reference.repository());
        let (full, familiar) = (reference.repository(), reference.familiar_name());
        return Ok(draft.show(AllTags { full, familiar, quiet }));
    };
    let any_new = Rc::new(Cell::new(false));
    for (i, tag) in tags.iter().enumerate() {
        let tagged = Reference { tag: Some(tag.clone()), ..reference.clone() };
        let of_all = OfAll {
            any_new: any_new.clone(),
            last: i + 1 == tags.len(),
            full: reference.repository(),
            familiar: reference.familiar_name(),
        };
        acts.push(Act::Reshape(pull_one(context, &tagged, Some(of_all))?));
    }
    Ok(Plan::Sequence(acts))
}

/// The tags that a registry has of a repository; none where it does not say.
fn tags(context: &Context, reference: &Reference) -> Option<Vec<String>> {
    let mut words = ["search", "--list-tags", "--limit=1000000", "--format=json"].map(OsString::from).to_vec();
    let place = registries_conf::location(context, &reference.repository());
    if place.as_ref().map_or_else(|| reference.is_loopback(), Location::is_plain) {
        words.push("--tls-verify=false".into());
    }
    let logins = context.engine.config_dir().map(|dir| dir.join("config.json")).filter(|file| context.host.exists(file));
    if let Some(file) = logins.filter(|_| context.host.env("REGISTRY_AUTH_FILE").is_none()) {
        let mut option = OsString::from("--authfile=");
        option.push(file);
        words.push(option);
    }
    words.push(place.map_or_else(|| reference.repository(), |place| place.name).into());
    let answer = context.ask(&words.iter().map(OsString::as_os_str).collect::<Vec<_>>())?;
    let json: serde_json::Value = serde_json::from_slice(&answer).ok()?;
    let tags = json.get(0)?.get("Tags")?.as_array()?.iter().filter_map(|tag| tag.as_str());
    Some(tags.map(str::to_string).collect()).filter(|tags: &Vec<String>| !tags.is_empty())
}

fn pull_one(context: &Context, reference: &Reference, all: Option<OfAll>) -> Result<Reshape, Refusal> {
    let mut draft = context.call("pull")?;
    draft.translate(context)?;
    let platform = platform(context).ok().flatten().map(|platform| platform.shown());
    if let Some(platform) = &platform {
        draft.flag("platform", platform);
    }
    let quiet = context.invocation.uses.switch("quiet");
    pull_by(context, draft, reference, Pull { platform, quiet, all, ..Pull::default() })
}

/// The pull of an image that `docker run` or `create` does not find.
pub fn pull_for(context: &Context, mut reference: Reference) -> Result<Reshape, Refusal> {
    if reference.tag.is_none() && reference.digest.is_none() {
        reference.tag = Some("latest".into());
    }
    let asks = if context.invocation.command.name() == "run" { Asks::Run } else { Asks::Create };
    let quiet = context.invocation.uses.switch("quiet");
    let mut draft = context.call("pull")?;
    let platform = platform(context).ok().flatten().map(|platform| platform.shown());
    if let Some(platform) = &platform {
        draft.flag("platform", platform);
    }
    pull_by(context, draft, &reference, Pull { platform, quiet, asks, ..Pull::default() })
}

fn pull_by(context: &Context, mut draft: Draft, reference: &Reference, pull: Pull) -> Result<Reshape, Refusal> {
    plain_http_on_loopback(&mut draft, reference);
    credentials::of_registry(&mut draft, context, &reference.domain);
    draft.arg(reference.full());
    let mut pull = Pull {
        full: reference.complete(),
        familiar: Reference { tag: None, ..reference.clone() }.familiar(),
        tag: reference.full(),
        path: reference.path.clone(),
        digest: reference.digest.clone(),
        repository: reference.repository(),
        ..pull
    };
    if let (None, Some(tag)) = (&reference.digest, &reference.tag) {
        pull.familiar = reference.familiar();
        pull.tag.clone_from(tag);
    }
    if context.engine.remote.is_some() {
        pull.inspect = Some(context.call("image inspect")?.call());
    } else {
        let store = Store::of(context.host);
        let images = store.images().unwrap_or_default();
        pull.before = images.iter().find(|image| has(image, reference)).map(|image| image.id.clone());
        pull.images = images.into_iter().map(|image| image.id).collect();
        pull.layers = store.layers().into_iter().map(|layer| layer.blob).filter(|blob| !blob.is_empty()).collect();
        pull.store = store.directories();
        if pull.store.is_empty() {
            pull.inspect = Some(context.call("image inspect")?.call());
        }
    }
    Ok(draft.transfer(pull, context))
}

/// Whether an image has a name, by its tag or by its digest.
fn has(image: &Image, reference: &Reference) -> bool {
    let Some(digest) = &reference.digest else { return image.names.contains(&reference.tagged()) };
    let repository = reference.repository();
    let of_repository = |name: &String| name.strip_prefix(&repository).is_some_and(|rest| rest.starts_with([':', '@']));
    image.names.iter().any(of_repository) && image.manifests.iter().any(|(known, _)| known == digest)
}

/// What Docker says of a push of one platform.
const ONE_PLATFORM: &str = "
 Info -> Using --platform pushes only the specified platform manifest of a multi-platform image index.
         Other components, like attestations, will not be included.
         To push the complete multi-platform image, remove the --platform flag.
         
";

/// `docker push`: by the name typed, from whatever name Podman keeps the image under.
pub fn push(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let typed = &context.invocation.args[0];
    let mut acts = Vec::new();
    let platform = platform(context).map_err(|words| {
        let typed = uses.text("platform").unwrap_or_default().to_string_lossy();
        Refusal::new(format!("Invalid platform {typed}{words}"), 1)
    })?;
    if platform.is_some() {
        acts.push(Act::Print(ONE_PLATFORM.as_bytes().to_vec()));
    }
    let mut reference = references::target(typed, context)?;
    let (all, quiet) = (uses.switch("all-tags"), uses.switch("quiet"));
    if reference.digest.is_some() {
        return Err(context.as_docker("cannot push a digest reference"));
    }
    match (&reference.tag, all) {
        (Some(_), true) => return Err(context.as_docker("tag can't be used with --all-tags/-a")),
        (None, false) => {
            reference.tag = Some("latest".into());
            if !quiet {
                acts.push(Act::Print(b"Using default tag: latest\n".to_vec()));
            }
        }
        _ => {}
    }
    let images = if context.engine.remote.is_none() { Store::of(context.host).images() } else { None };
    if let (Some(wanted), Some(images)) = (&platform, &images) {
        let name = reference.tagged();
        let image = images.iter().find(|image| image.names.contains(&name));
        let there = image.and_then(|image| image.platform(&|path| context.host.read(path)));
        if let Some(words) = there.and_then(|there| wanted.mismatch(&there, &reference.familiar())) {
            acts.push(Act::Complain(Refusal::new(words, 1)));
            return Ok(Plan::Sequence(acts));
        }
    }
    if !quiet {
        acts.push(Act::Print(format!("The push refers to repository [{}]\n", reference.repository()).into_bytes()));
    }
    let Some(images) = images else {
        let words = words(quiet, format!("{}\n", reference.complete()));
        acts.push(Act::Reshape(push_tag(context, &reference, reference.full(), words)?));
        return Ok(Plan::Sequence(acts));
    };
    let names = tags_here(&images, &reference);
    let nothing = format!("An image does not exist locally with the tag: {}", reference.familiar_name());
    let wanted: Vec<&(String, String)> = names.iter().filter(|(tag, _)| all || reference.tag.as_ref() == Some(tag)).collect();
    if wanted.is_empty() {
        let words = if names.is_empty() { nothing } else { format!("tag does not exist: {}", reference.familiar()) };
        acts.push(Act::Complain(Refusal::new(words, 1)));
        return Ok(Plan::Sequence(acts));
    }
    let count = wanted.len();
    for (i, (tag, name)) in wanted.into_iter().enumerate() {
        let tagged = Reference { tag: Some(tag.clone()), ..reference.clone() };
        let said = match (all, i + 1 == count) {
            (true, true) => format!("{}\n", reference.repository()),
            (true, false) => String::new(),
            _ => format!("{}\n", tagged.complete()),
        };
        acts.push(Act::Reshape(push_tag(context, &tagged, name.clone(), words(quiet, said))?));
    }
    Ok(Plan::Sequence(acts))
}

/// The tags of a repository and the names that Podman keeps them under, what a plain Podman stored as `localhost/NAME` last.
fn tags_here(images: &[Image], reference: &Reference) -> Vec<(String, String)> {
    let mut tags: Vec<(String, String)> = Vec::new();
    for repository in [Some(reference.repository()), reference.podmans_repository()].into_iter().flatten() {
        for name in images.iter().flat_map(|image| &image.names) {
            let tag = name.strip_prefix(&repository).and_then(|rest| rest.strip_prefix(':'));
            if let Some(tag) = tag.filter(|tag| !tags.iter().any(|(known, _)| known == tag)) {
                tags.push((tag.to_string(), name.clone()));
            }
        }
    }
    tags.sort();
    tags
}

/// What a push by itself tells.
fn words(quiet: bool, said: String) -> Words {
    if quiet { Words::Quiet(said) } else { Words::Dockers }
}

fn push_tag(context: &Context, reference: &Reference, source: String, words: Words) -> Result<Reshape, Refusal> {
    let mut draft = context.call("push")?;
    draft.translate(context)?;
    push_to(context, draft, reference, source, false, words, None)
}

/// The push of what has been built, an image or a list of several, under a name as typed.
pub fn push_built(
    context: &Context,
    typed: &OsStr,
    reference: &Reference,
    list: bool,
    metadata: Option<Metadata>,
    quiet: bool,
) -> Result<Reshape, Refusal> {
    let words = if quiet { Words::Quiet(String::new()) } else { Words::Podmans };
    if list {
        let mut draft = context.call("manifest push")?;
        draft.switch("all", true).flag("format", "v2s2");
        return push_to(context, draft, reference, reference.tagged(), true, words, metadata);
    }
    let source = references::local(typed, context)?.to_string_lossy().into_owned();
    push_to(context, context.call("push")?, reference, source, false, words, metadata)
}

fn push_to(
    context: &Context,
    mut draft: Draft,
    reference: &Reference,
    source: String,
    list: bool,
    words: Words,
    metadata: Option<Metadata>,
) -> Result<Reshape, Refusal> {
    let place = registries_conf::location(context, &reference.tagged());
    match &place {
        Some(place) if place.is_plain() => {
            draft.switch("tls-verify", false);
        }
        Some(_) => {}
        None => plain_http_on_loopback(&mut draft, reference),
    }
    credentials::of_registry(&mut draft, context, place.as_ref().map_or(&reference.domain, Location::domain));
    // Podman says nothing on stdout; a file in a place of our own would have to be found and removed.
    draft.flag("digestfile", "/dev/stdout");
    draft.arg(&source);
    let target = reference.tagged();
    draft.arg(format!("docker://{}", place.map_or(target, |place| place.name)));
    let store = store::directories(context);
    let tag = reference.tag.clone().unwrap_or_default();
    let size = manifest_size(context, reference)?;
    Ok(draft.transfer(Push { tag, words, store, source, list, digest: String::new(), size, layers: vec![], metadata }, context))
}

fn manifest_size(context: &Context, reference: &Reference) -> Result<ManifestSize, Refusal> {
    let list = format!("localhost/docker-shim-push-{}:latest", std::process::id());
    let call = |path: &str, with: &[&str], registry: bool| {
        let mut draft = context.call(path)?;
        if registry && reference.is_loopback() {
            plain_http(&mut draft, context);
        }
        draft.args.extend(with.iter().map(OsString::from));
        Ok(draft.call())
    };
    Ok(ManifestSize {
        inspect: call("manifest inspect", &[], true)?,
        repository: reference.repository(),
        list: [
            call("manifest create", &[&list], false)?,
            call("manifest add", &[&list], true)?,
            call("manifest inspect", &[&list], false)?,
            call("manifest rm", &[&list], false)?,
        ],
    })
}
