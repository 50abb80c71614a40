//! Manifest lists.

use std::ffi::{OsStr, OsString};

use super::{image, references};
use crate::plan::{Act, Context, Ending, OnFailure, Plan, Refusal, Run, Stderr, Stdout};

/// `docker manifest create LIST IMAGE…`: when an image cannot be had, Podman leaves an empty list behind, which a later push
/// would publish; so a list that was begun here is taken away again.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let (list, images) = context.invocation.args.split_first().unwrap_or_else(|| unreachable!("the grammar wants a list"));
    let list = references::target(list, context)?;
    let amend = context.invocation.uses.switch("amend");
    let there = context.ask(&["manifest", "exists", &list.tagged()].map(OsStr::new)).is_some();
    if there && !amend {
        return Err(context.as_docker("refusing to amend an existing manifest list with no --amend flag"));
    }
    let mut insecure = context.invocation.uses.switch("insecure");
    let mut sources: Vec<OsString> = Vec::new();
    for typed in images {
        let reference = references::target(typed, context)?;
        insecure |= reference.is_loopback();
        sources.push(reference.full().into());
    }
    // Podman takes the images of the local store first; Docker's come from the registry. `docker://` says so.
    let mut make = context.call("manifest create")?;
    make.arg(list.tagged());
    let mut undo = context.call("manifest rm")?;
    undo.arg(list.tagged());
    let undo = undo.call();
    let mut acts = Vec::new();
    if !there {
        let run = Run { stdout: Stdout::Discard, ..Run::new(make.call(), Ending::Daemon) };
        acts.push(Act::Run(run));
    }
    for source in sources {
        let mut add = context.call("manifest add")?;
        if insecure {
            add.switch("tls-verify", false);
        }
        let mut address = OsString::from("docker://");
        address.push(&source);
        add.arg(list.tagged()).arg(address);
        let on_failure = if there { OnFailure::Stop } else { OnFailure::Undo(Box::new(undo.clone())) };
        acts.push(Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::OnFailure, on_failure, ..Run::new(add.call(), Ending::Daemon) }));
    }
    acts.push(Act::Print(format!("Created manifest list {}\n", list.tagged()).into_bytes()));
    Ok(Plan::Sequence(acts))
}

/// `docker manifest push LIST`: the whole list with its images.
pub fn push(context: &Context) -> Result<Plan, Refusal> {
    let list = references::target(&context.invocation.args[0], context)?;
    let mut push = context.call("manifest push")?;
    push.switch("all", true);
    if context.invocation.uses.switch("purge") {
        push.switch("rm", true);
    }
    if context.invocation.uses.switch("insecure") {
        push.switch("tls-verify", false);
    } else {
        image::plain_http_on_loopback(&mut push, &list);
    }
    push.arg(list.tagged()).arg(format!("docker://{}", list.tagged()));
    Ok(Plan::Sequence(vec![push.run(Ending::Daemon)]))
}

/// `docker manifest rm LIST…`.
pub fn lists(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call("manifest rm")?;
    for list in &context.invocation.args {
        draft.arg(references::target(list, context)?.tagged());
    }
    Ok(Plan::Sequence(vec![draft.run(Ending::Daemon)]))
}

/// `docker manifest annotate LIST IMAGE`.
pub fn annotate(context: &Context) -> Result<Plan, Refusal> {
    let [list, image] = context.invocation.args.as_slice() else { unreachable!("the grammar wants two names") };
    let mut draft = context.call("manifest annotate")?;
    draft.translate(context)?;
    draft.arg(references::target(list, context)?.tagged());
    draft.arg(references::target(image, context)?.full());
    Ok(Plan::Sequence(vec![draft.run(Ending::Daemon)]))
}

/// `docker manifest inspect [LIST] IMAGE`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let image = context.invocation.args.last().unwrap_or_else(|| unreachable!("the grammar wants an image"));
    let mut draft = context.call("manifest inspect")?;
    draft.translate(context)?;
    let reference = references::target(image, context)?;
    if reference.is_loopback() || context.invocation.uses.switch("insecure") {
        draft.switch("tls-verify", false);
    }
    draft.arg(reference.full());
    Ok(Plan::Sequence(vec![draft.run(Ending::Daemon)]))
}
