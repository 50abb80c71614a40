//! What is taken out of a container as a whole: commit, diff, export.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::attached::{self, existing, named};
use super::references;
use crate::invocation::FlagUse;
use crate::plan::each::{Export, Owners};
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal, Run, Stderr, Stdout};
use crate::render::CREATE_LABEL;
use crate::render::diff::Diff;

/// `docker commit`: Docker's image format keeps what OCI's has no place for (the message, the health check).
pub fn commit(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let mut draft = context.call("commit")?;
    draft.translate(context)?;
    draft.flag("format", "docker").switch("quiet", true);
    // What we keep of the container is no property of the image.
    draft.flag("change", format!("LABEL {CREATE_LABEL}="));
    let pause = invocation.uses.last("pause").is_none_or(FlagUse::is_on) && !invocation.uses.switch("no-pause");
    draft.switch("pause", pause);
    draft.arg(attached::named(&invocation.args[0])?);
    if let Some(name) = invocation.args.get(1).filter(|n| !n.is_empty()) {
        draft.arg(references::target(name, context)?.full());
    }
    let run = Run { stdout: Stdout::Prefixed("sha256:"), stderr: Stderr::OnFailure, ..Run::new(draft.call(), Ending::Daemon) };
    Ok(Plan::Sequence(vec![Act::Run(run)]))
}

/// `--change` of commit: an ENV or LABEL of several pairs, which Podman takes for one, is given to it pair by pair.
pub fn change(used: &FlagUse, draft: &mut Draft, _: &Context) -> Result<(), Refusal> {
    let pairs = used.value.to_str().and_then(pairs);
    for change in pairs.unwrap_or_else(|| vec![used.value.to_string_lossy().into_owned()]) {
        draft.flag("change", change);
    }
    Ok(())
}

/// The pairs of `ENV a=1 b=2`, each an instruction of its own; none for anything else.
fn pairs(change: &str) -> Option<Vec<String>> {
    let (instruction, rest) = change.trim().split_once(char::is_whitespace)?;
    let instruction = instruction.to_ascii_uppercase();
    if instruction != "ENV" && instruction != "LABEL" {
        return None;
    }
    let words = words(rest);
    let all = words.len() > 1 && words.iter().all(|word| word.contains('='));
    all.then(|| words.iter().map(|word| format!("{instruction} {word}")).collect())
}

/// The words of an instruction: blanks inside quotes or after a backslash do not part them (buildkit's `parseWords`).
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut escaped) = (Vec::new(), String::new(), None, false);
    for c in text.chars() {
        if c.is_whitespace() && quote.is_none() && !escaped {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
            continue;
        }
        word.push(c);
        match (escaped, quote) {
            (true, _) => escaped = false,
            (false, _) if c == '\\' && quote != Some('\'') => escaped = true,
            (false, Some(open)) if c == open => quote = None,
            (false, None) if c == '"' || c == '\'' => quote = Some(c),
            _ => {}
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `docker diff`.
pub fn diff(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call("diff")?;
    let mut acts = existing(&context.invocation.args[0], &mut draft, context)?;
    acts.push(Act::Reshape(draft.reshape(Diff)));
    Ok(Plan::Sequence(acts))
}

/// `docker export`: the file is the caller's alone, as docker/cli's `atomicwriter` makes it.
pub fn export(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call("export")?;
    let output = context.invocation.uses.text("output").filter(|o| !o.is_empty());
    match output {
        None if context.host.is_terminal(1) => {
            return Err(Refusal::new("cowardly refusing to save to a terminal. Use the -o flag or redirect", 1));
        }
        None => {}
        Some(output) => writable(output, context)?,
    }
    let mut acts = existing(&context.invocation.args[0], &mut draft, context)?;
    let owners = owners(&context.invocation.args[0], context)?;
    if let (Some(output), None) = (output, &owners) {
        draft.flag("output", output);
    }
    let mut call = draft.call();
    if let Some(output) = output.filter(|o| !context.host.exists(Path::new(o))) {
        call.prepare.push(crate::plan::Step::WriteOwn { path: output.into(), content: Vec::new() });
    }
    acts.push(match owners {
        Some(owners) => Act::Export(Export { call, output: output.map(PathBuf::from), owners }),
        None => Act::Run(Run { stderr: Stderr::OnFailure, ..Run::new(call, Ending::Client) }),
    });
    Ok(Plan::Sequence(acts))
}

/// The users and groups of a rootless container that has its own.
fn owners(typed: &OsStr, context: &Context) -> Result<Option<[Owners; 2]>, Refusal> {
    if context.host.uid() == 0 || context.engine.remote.is_some() {
        return Ok(None);
    }
    let words = ["container", "inspect", "--format={{json .HostConfig.IDMappings}}", "--"].map(OsStr::new);
    let answer = context.ask(&words.into_iter().chain([named(typed)?]).collect::<Vec<_>>());
    let maps: Option<serde_json::Value> = answer.and_then(|answer| serde_json::from_slice(&answer).ok());
    let read = |maps: serde_json::Value| Some([Owners::read(&maps["UidMap"])?, Owners::read(&maps["GidMap"])?]);
    Ok(maps.and_then(read))
}

fn writable(output: &OsStr, context: &Context) -> Result<(), Refusal> {
    let fail = |words: String| Err(Refusal::new(format!("failed to export container: {words}"), 1));
    let path = Path::new(output);
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if context.host.is_dir(path) {
        return fail("cannot write to a directory".to_string());
    }
    if !context.host.exists(parent) {
        return fail(format!("invalid output path: stat {}: no such file or directory", parent.display()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_pairs_are_several_changes() {
        assert_eq!(pairs("ENV A=1 B=2").unwrap(), ["ENV A=1", "ENV B=2"]);
        assert_eq!(pairs(r#"label a="x y" b=\ z"#).unwrap(), [r#"LABEL a="x y""#, r"LABEL b=\ z"]);
        assert_eq!(pairs("ENV A 1 2"), None);
        assert_eq!(pairs("CMD a=1 b=2"), None);
    }
}
