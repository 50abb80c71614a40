//! `docker buildx imagetools create`: an index in a registry, made of what registries have (buildx
//! `commands/imagetools/create.go`). Podman makes it as a list of its own, pushes it, and forgets it.

use std::ffi::OsStr;

use super::build::checks::error;
use super::build::registries::plain_http_on_loopback;
use super::credentials;
use super::references::Reference;
use crate::plan::{Act, Context, Draft, Ending, OnFailure, Plan, Refusal, Run, Stderr, Stdout};

fn references<'a>(names: impl Iterator<Item = &'a OsStr>) -> Result<Vec<Reference>, Refusal> {
    names.map(|name| Reference::parse(name).map_err(error)).collect()
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
    for flag in ["annotation", "dry-run", "file", "platform"] {
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
    let all: Vec<&Reference> = named.iter().chain(&tags).collect();
    let domains: Vec<&str> = all.iter().map(|reference| reference.domain.as_str()).collect();
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
    for tag in &tags {
        let mut push = call("manifest push", &[&list, &format!("docker://{}", tag.tagged())])?;
        push.switch("all", true);
        acts.push(run(push));
    }
    let done = Run::new(forget.clone(), Ending::Ignore);
    acts.push(Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::Discard, ..done }));
    Ok(Plan::Sequence(acts))
}
