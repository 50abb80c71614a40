//! `docker save`, `load` and `import`.

use std::ffi::OsString;
use std::path::PathBuf;

use super::local::{self, Found, Known};
use super::platforms::Platform;
use super::references::{self, Reference};
use super::store::Store;
use crate::invocation::FlagUse;
use crate::plan::{Act, Context, Draft, Ending, Load, Plan, Refusal, Save};

/// `docker save`: several images make one archive of several. Without `--multi-image-archive` Podman writes the first one
/// alone and gives it all the names.
pub fn save(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let file = invocation.uses.text("output").filter(|file| !file.is_empty()).map(PathBuf::from);
    if let Some(path) = &file {
        // docker/cli's ValidateOutputPath.
        let dir = path.parent().filter(|d| !d.as_os_str().is_empty());
        if let Some(dir) = dir.filter(|d| !context.host.exists(d)) {
            let dir = dir.display();
            return Err(context.as_docker(format!("failed to save image: invalid output path: stat {dir}: no such file or directory")));
        }
    } else if context.host.is_terminal(1) {
        return Err(context.as_docker("cowardly refusing to save to a terminal. Use the -o flag or redirect"));
    }
    let platform = platform(context)?;
    let mut names: Vec<OsString> = Vec::new();
    let mut add = |name: OsString| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    match local::images(context) {
        Some(images) => {
            for typed in &invocation.args {
                let daemon = |words: String| context.as_docker(format!("Error response from daemon: {words}"));
                let saved = saved(&images, typed).map_err(daemon)?;
                for (at, name) in saved {
                    let there = images[at].image.platform(&|path| context.host.read(path));
                    if platform.as_ref().is_some_and(|wanted| there.is_some_and(|there| !wanted.is_met_by(&there))) {
                        let wanted = platform.as_ref().map(Platform::shown).unwrap_or_default();
                        return Err(daemon(format!("no suitable export target found for platform {wanted}")));
                    }
                    add(name.into());
                }
            }
        }
        None => {
            for typed in &invocation.args {
                add(references::local(typed, context)?);
            }
        }
    }
    let mut draft = context.call("save")?;
    draft.flag("format", "docker-archive");
    if names.len() > 1 {
        draft.switch("multi-image-archive", true);
    }
    draft.args = names;
    let on_terminal = context.host.is_terminal(2);
    if !on_terminal {
        draft.switch("quiet", true);
    }
    Ok(Plan::Sequence(vec![Act::Save(Save { call: draft.call(), file, on_terminal })]))
}

/// What one argument of `docker save` adds: images and the names they are saved under, a repository all its tags. Errors: dockerd's words.
fn saved(images: &[Known], typed: &std::ffi::OsStr) -> Result<Vec<(usize, String)>, String> {
    let found = local::find(images, typed)?;
    let reference = Reference::parse(typed).ok();
    let Some(reference) = reference.filter(|_| !matches!(found, Found::ById(_))) else {
        return match found {
            Found::ById(at) | Found::Named(at, _) => Ok(vec![(at, images[at].image.id.clone())]),
            Found::Missing(name) => Err(format!("No such image: {name}")),
        };
    };
    if reference.tag.is_some() || reference.digest.is_some() {
        return match found {
            Found::Named(at, name) if name.contains('@') => Ok(vec![(at, images[at].image.id.clone())]),
            Found::Named(at, name) => Ok(vec![(at, name)]),
            _ => Err("reference does not exist".into()),
        };
    }
    for repository in [Some(reference.repository()), reference.podmans_repository()].into_iter().flatten() {
        let mut tags: Vec<(usize, String)> = Vec::new();
        for (at, known) in images.iter().enumerate() {
            let of_repository = |name: &&String| !name.contains('@') && local::repository(name) == repository;
            tags.extend(known.references.iter().filter(of_repository).map(|name| (at, name.clone())));
        }
        if !tags.is_empty() {
            tags.sort_by(|a, b| a.1.cmp(&b.1));
            return Ok(tags);
        }
    }
    Err(format!("No such image: {}", typed.to_string_lossy()))
}

/// The one platform that `--platform` asks for.
fn platform(context: &Context) -> Result<Option<Platform>, Refusal> {
    let all: Vec<_> = context.invocation.uses.all("platform").filter(|platform| !platform.is_empty()).collect();
    match all[..] {
        [] => Ok(None),
        [one] if !one.to_string_lossy().contains(',') => {
            let text = one.to_string_lossy();
            let words = |words: String| {
                let words = words.strip_prefix(&format!("{text:?}: ")).unwrap_or(&words);
                context.as_docker(format!("invalid platform: {text:?}: {words}"))
            };
            Platform::parse(&text).map(Some).map_err(words)
        }
        _ => Err(context.refuse("--platform: Podman keeps images of one platform each; name one.")),
    }
}

/// `docker load`.
pub fn load(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let file = uses.text("input").filter(|file| !file.is_empty()).map(PathBuf::from);
    if file.is_none() && context.host.is_terminal(0) {
        return Err(context.as_docker("requested load from stdin, but stdin is empty"));
    }
    if let Some(platform) = platform(context)? {
        let this = Platform::parse("linux").unwrap_or_default();
        if !platform.is_met_by(&this) {
            let (platform, this) = (platform.shown(), this.shown());
            return Err(context.refuse(format!("load --platform={platform}: Podman loads what the archive holds for {this} only.")));
        }
    }
    let mut draft = context.call("load")?;
    let on_terminal = context.host.is_terminal(1) && context.host.is_terminal(2) && !uses.switch("quiet");
    if !on_terminal {
        draft.switch("quiet", true);
    }
    let before = if context.engine.remote.is_none() { Store::of(context.host).images().unwrap_or_default() } else { vec![] };
    let (tag, untag) = (context.call("tag")?.call(), context.call("untag")?.call());
    Ok(Plan::Sequence(vec![Act::Load(Load { call: draft.call(), tag, untag, file, before, on_terminal })]))
}

/// What `--change` may say (moby `builder/dockerfile`, `validCommitCommands`).
const CHANGES: [&str; 11] =
    ["cmd", "entrypoint", "healthcheck", "env", "expose", "label", "onbuild", "stopsignal", "user", "volume", "workdir"];

/// Podman's `import` and `commit` take these words and forget them, or do not take them.
const FORGOTTEN: [&str; 2] = ["healthcheck", "onbuild"];

/// `docker import --change INSTRUCTION`.
pub fn change(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    let word = text.split_whitespace().next().unwrap_or_default();
    if !CHANGES.contains(&word.to_lowercase().as_str()) {
        let word = word.to_uppercase();
        return Err(context.as_docker(format!("Error response from daemon: {word} is not a valid change command")));
    }
    if FORGOTTEN.contains(&word.to_lowercase().as_str()) {
        let word = word.to_uppercase();
        return Err(context.refuse(format!("import --change: Podman does not keep {word}; build on the imported image with a Dockerfile.")));
    }
    draft.flag("change", &used.value);
    Ok(())
}

/// `docker import SOURCE [NAME]`.
pub fn import(context: &Context) -> Result<Plan, Refusal> {
    let mut args = context.invocation.args.iter();
    let source = args.next().cloned().unwrap_or_default();
    let name = args.next().map(|name| references::target(name, context)).transpose()?;
    let text = source.to_string_lossy();
    let is_url = ["http://", "https://", "ftp://"].iter().any(|scheme| text.starts_with(scheme));
    if !is_url && text != "-" && !context.host.exists(&PathBuf::from(&source)) {
        return Err(context.as_docker(format!("open {text}: no such file or directory")));
    }
    if name.as_ref().is_some_and(|name| name.digest.is_some()) {
        return Err(context.as_docker("Error response from daemon: cannot import digest reference"));
    }
    let mut draft = context.call("import")?;
    draft.translate(context)?;
    if context.invocation.uses.text("message").is_none_or(std::ffi::OsStr::is_empty) {
        let from = if is_url { text.as_ref() } else { "-" };
        draft.flag("message", format!("Imported from {from}"));
    }
    draft.switch("quiet", true);
    draft.arg(source.clone());
    draft.args.extend(name.map(|name| OsString::from(name.tagged())));
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// `docker import --platform OS[/ARCH[/VARIANT]]`.
pub fn import_platform(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    if text.is_empty() {
        return Ok(());
    }
    let platform = Platform::parse(&text).map_err(|words| context.as_docker(format!("Error response from daemon: {words}")))?;
    draft.flag("os", &platform.os).flag("arch", &platform.architecture);
    if !platform.variant.is_empty() {
        draft.flag("variant", &platform.variant);
    }
    Ok(())
}
