//! `docker buildx imagetools`: what registries have, and an index in a registry made of it (buildx `commands/imagetools`).
//! Podman makes the index as a list of its own, pushes it, and forgets it.

use std::ffi::OsStr;

use super::build::checks::error;
use super::build::registries::plain_http_on_loopback;
use super::references::Reference;
use super::registries_conf::{self, Location};
use super::{credentials, manifest};
use crate::plan::{Act, Context, Draft, Ending, ManifestJob, OnFailure, Plan, Refusal, Run, Stderr, Stdout};

fn references<'a>(names: impl Iterator<Item = &'a OsStr>) -> Result<Vec<Reference>, Refusal> {
    names.map(|name| Reference::parse(name).map_err(error)).collect()
}

/// Shows what a registry has. Errors: buildx's words.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let format = uses.text("format").unwrap_or_default().to_string_lossy().into_owned();
    let raw = uses.switch("raw");
    if raw && !format.is_empty() {
        return Err(error("format and raw cannot be used together"));
    }
    let name = &context.invocation.args[0];
    let words = |words: String| match words.split_once(" (") {
        Some((_, named)) if words.contains("lowercase") => error(format!("invalid reference format: repository name ({named}")),
        _ => error(words),
    };
    let reference = Reference::parse(name).map_err(words)?;
    let (image, typed) = (reference.complete(), name.to_string_lossy().into_owned());
    manifest::plan(context, Some(&reference), ManifestJob::Look { image, typed, raw, format })
}

/// Makes the index under each `--tag`. Errors: what is missing, in buildx's words; what only BuildKit can write.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let sources = &context.invocation.args;
    if sources.is_empty() && !uses.given("file") {
        return Err(error("no sources specified"));
    }
    if !uses.switch("dry-run") && !uses.given("tag") {
        return Err(error("can't push with no tags specified, please set --tag or --dry-run"));
    }
    for flag in ["annotation", "file", "platform"] {
        if uses.given(flag) {
            return Err(context.refuse(format!("imagetools create --{flag}: Podman writes the index itself; leave it out.")));
        }
    }
    if uses.given("prefer-index") && !uses.switch("prefer-index") {
        return Err(context.refuse("imagetools create --prefer-index=false: Podman writes an index only; use docker pull, tag and push."));
    }
    let tags = references(uses.all("tag"))?;
    let mut named = references(sources.iter().map(|source| &**source))?;
    if uses.switch("append") {
        named.splice(0..0, tags.first().cloned());
    }
    if uses.switch("dry-run") {
        if named.iter().any(|source| source.domain != named[0].domain) {
            return Err(context.refuse("imagetools create --dry-run: sources of several registries; name those of one."));
        }
        let images = named.iter().map(Reference::complete).collect();
        return manifest::plan(context, named.first(), ManifestJob::Compose { images });
    }
    let all: Vec<&Reference> = named.iter().chain(&tags).collect();
    let places: Vec<Option<Location>> = tags.iter().map(|tag| registries_conf::location(context, &tag.tagged())).collect();
    let there = places.iter().flatten().map(Location::domain);
    let domains: Vec<&str> = all.iter().map(|reference| reference.domain.as_str()).chain(there).collect();
    let list = format!("localhost/docker-shim-imagetools-{}:latest", std::process::id());
    let call = |path: &str, words: &[&str]| -> Result<Draft, Refusal> {
        let mut draft = context.call(path)?;
        if all.iter().any(|reference| reference.is_loopback()) {
            plain_http_on_loopback(&mut draft, context);
        }
        credentials::of_registries(&mut draft, context, &domains);
        draft.args.extend(words.iter().map(std::ffi::OsString::from));
        Ok(draft)
    };
    let forget = call("manifest rm", &[&list])?.call();
    let run = |draft: Draft| {
        let on_failure = OnFailure::Undo(Box::new(forget.clone()));
        let run = Run::new(draft.call(), Ending::Daemon);
        Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::OnFailure, on_failure, ..run })
    };
    let mut acts = vec![run(call("manifest create", &[&list])?)];
    for source in &named {
        let mut add = call("manifest add", &[&list, &format!("docker://{}", source.tagged())])?;
        add.switch("all", true);
        acts.push(run(add));
    }
    for (tag, place) in tags.iter().zip(&places) {
        let name = place.as_ref().map_or_else(|| tag.tagged(), |place| place.name.clone());
        let mut push = call("manifest push", &[&list, &format!("docker://{name}")])?;
        if place.as_ref().is_some_and(Location::is_plain) {
            push.switch("tls-verify", false);
        }
        push.switch("all", true);
        acts.push(run(push));
    }
    let done = Run::new(forget.clone(), Ending::Ignore);
    acts.push(Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::Discard, ..done }));
    Ok(Plan::Sequence(acts))
}
