//! `docker manifest`: Docker keeps its lists beside its configuration, a file to an image, and so do we; scripts take them away
//! by `rm -r ~/.docker/manifests`. Podman only talks to the registries.

use std::ffi::OsString;
use std::path::PathBuf;

use super::build::registries::own_registries;
use super::credentials;
use super::references::Reference;
use super::registries_conf::{self, Location};
use super::store;
use crate::host;
use crate::plan::{Act, Call, Context, ManifestCalls, ManifestJob, Manifests, Plan, Refusal, Step};

/// A name as docker/cli's `normalizeReference` has it. Errors: Docker's words.
fn normal(typed: &std::ffi::OsStr) -> Result<Reference, String> {
    let mut reference = Reference::parse(typed)?;
    if reference.tag.is_none() && reference.digest.is_none() {
        reference.tag = Some("latest".into());
    }
    Ok(reference)
}

/// The call with a store of its own that stays empty.
fn without_store(mut call: Call) -> Call {
    if let Some(dir) = host::runtime_dir() {
        let (path, store) = (dir.join("no-store.conf"), dir.join("no-store"));
        let (root, run) = (store.join("root"), store.join("run"));
        let content = format!("[storage]\ndriver = \"vfs\"\ngraphroot = {root:?}\nrunroot = {run:?}\n").into_bytes();
        call.env.push(("CONTAINERS_STORAGE_CONF".into(), Some(path.clone().into())));
        call.prepare.push(Step::WriteOwn { path, content });
    }
    call
}

/// The plan of a job that reaches one registry.
pub fn plan(context: &Context, registry: Option<&Reference>, job: ManifestJob) -> Result<Plan, Refusal> {
    // buildx reaches this machine's own registries without TLS. An image of a list was reached when it came into the list; by which way is not kept.
    let of_list = matches!(job, ManifestJob::Inspect { list: Some(_), .. } | ManifestJob::Look { .. } | ManifestJob::Compose { .. })
        && registry.is_some_and(Reference::is_loopback);
    let insecure = context.invocation.uses.switch("insecure") || of_list;
    let place = registry.and_then(|reference| registries_conf::location(context, &reference.tagged()));
    let named = registry.map(|reference| reference.domain.as_str());
    let there = place.as_ref().map(Location::domain);
    let plain: Vec<&str> =
        named.filter(|_| insecure).into_iter().chain(there.filter(|_| place.as_ref().is_some_and(Location::is_plain))).collect();
    let domains: Vec<&str> = named.into_iter().chain(there).collect();
    let call = |path: &str| -> Result<Call, Refusal> {
        let mut draft = context.call(path)?;
        if !plain.is_empty() {
            own_registries(&mut draft, context, &plain, false);
        }
        if !domains.is_empty() {
            credentials::of_registries(&mut draft, context, &domains);
        }
        Ok(draft.call())
    };
    let home = || host::home(context.host).unwrap_or_default().join(".docker");
    let directory: PathBuf = context.engine.config_dir().unwrap_or_else(home).join("manifests");
    let calls = ManifestCalls {
        create: call("manifest create")?,
        add: call("manifest add")?,
        annotate: call("manifest annotate")?,
        inspect: call("manifest inspect")?,
        registry: without_store(call("manifest inspect")?),
        push: call("manifest push")?,
        remove: call("manifest rm")?,
        pull: call("pull")?,
        remove_image: call("rmi")?,
    };
    let store = store::directories(context);
    Ok(Plan::Sequence(vec![Act::Manifests(Box::new(Manifests { directory, calls, store, job }))]))
}

/// `docker manifest create LIST IMAGE…`.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let (typed, images) = context.invocation.args.split_first().unwrap_or_else(|| unreachable!("the grammar wants a list"));
    let shown = typed.to_string_lossy();
    let list = normal(typed).map_err(|words| context.as_docker(format!("error parsing name for manifest list {shown}: {words}")))?;
    let images = images.iter().map(|image| normal(image).map(|reference| reference.complete()));
    let images = images.collect::<Result<Vec<_>, _>>().map_err(|words| context.as_docker(words))?;
    let amend = context.invocation.uses.switch("amend");
    let first = images.first().and_then(|image| Reference::parse(image.as_ref()).ok());
    plan(context, first.as_ref(), ManifestJob::Create { list: list.complete(), images, amend })
}

/// `docker manifest push LIST`.
pub fn push(context: &Context) -> Result<Plan, Refusal> {
    let list = normal(&context.invocation.args[0]).map_err(|words| context.as_docker(words))?;
    let purge = context.invocation.uses.switch("purge");
    let place = registries_conf::location(context, &list.tagged());
    let to = place.map_or_else(|| list.complete(), |place| place.name);
    plan(context, Some(&list), ManifestJob::Push { list: list.complete(), to, purge })
}

/// `docker manifest rm LIST…`.
pub fn lists(context: &Context) -> Result<Plan, Refusal> {
    let lists = context.invocation.args.iter().map(|list| normal(list).map(|list| list.complete())).collect();
    plan(context, None, ManifestJob::Remove { lists })
}

/// `docker manifest annotate LIST IMAGE`.
pub fn annotate(context: &Context) -> Result<Plan, Refusal> {
    let [list, image] = context.invocation.args.as_slice() else { unreachable!("the grammar wants two names") };
    let shown = [list, image].map(|name| name.to_string_lossy().into_owned());
    let parsed = |name: &OsString, what: &str| {
        let words = |words| context.as_docker(format!("annotate: error parsing name for {what} {}: {words}", name.to_string_lossy()));
        normal(name).map(|reference| reference.complete()).map_err(words)
    };
    let (list, image) = (parsed(list, "manifest list")?, parsed(image, "manifest")?);
    let uses = &context.invocation.uses;
    let text = |name: &str| uses.text(name).unwrap_or_default().to_string_lossy().into_owned();
    let features = uses.all("os-features").flat_map(|f| f.to_string_lossy().split(',').map(str::to_string).collect::<Vec<_>>());
    let [os, architecture, variant, version] = ["os", "arch", "variant", "os-version"].map(text);
    let features = features.filter(|feature| !feature.is_empty()).collect();
    plan(context, None, ManifestJob::Annotate { list, image, shown, os, architecture, variant, version, features })
}

/// `docker manifest inspect [LIST] IMAGE`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let names = context.invocation.args.iter().rev().map(|name| normal(name)).collect::<Result<Vec<_>, _>>();
    let names = names.map_err(|words| context.as_docker(words))?;
    let (image, list) = (&names[0], names.get(1).map(Reference::complete));
    let verbose = context.invocation.uses.switch("verbose");
    plan(context, Some(image), ManifestJob::Inspect { image: image.complete(), list, verbose })
}
