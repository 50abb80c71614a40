//! Images: names on the way in, and what must not be lost.

use std::ffi::{OsStr, OsString};

use super::local::{self, Found};
use super::platforms::Platform;
use super::references::{self, Reference};
use super::store;
use crate::plan::{Act, Context, Draft, Ending, Plan, Refusal};
use crate::render::image_inspect::{ImageFiles, ImageInspect};
use crate::render::inspect::Inspector;

/// Podman talks TLS to a registry unless told otherwise; dockerd takes plain HTTP on the loopback interface.
pub fn plain_http_on_loopback(draft: &mut Draft, reference: &Reference) {
    if reference.is_loopback() {
        draft.switch("tls-verify", false);
    }
}

/// `docker image inspect`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let platform = match uses.text("platform").filter(|p| !p.is_empty()) {
        Some(platform) => Some(Platform::parse(&platform.to_string_lossy()).map_err(|words| Refusal::new(words, 1))?),
        None => None,
    };
    let inspector = Inspector::new(&uses.text("format").unwrap_or_default().to_string_lossy())?;
    let mut draft = context.call("image inspect")?;
    let mut names = Vec::new();
    for typed in &context.invocation.args {
        let name = references::local(typed, context).map_err(|refusal| format!("Error response from daemon: {}", refusal.message));
        if let Ok(name) = &name {
            draft.arg(name.clone());
        }
        names.push((typed.to_string_lossy().into_owned(), name.map(|name| name.to_string_lossy().into_owned())));
    }
    let view = ImageInspect { inspector, names, platform, files: ImageFiles::new(store::directories(context)) };
    Ok(if draft.args.is_empty() { Plan::Answer(view.without_podman()) } else { draft.show(view) })
}

/// `docker tag`.
pub fn tag(context: &Context) -> Result<Plan, Refusal> {
    let [typed, target] = context.invocation.args.as_slice() else { unreachable!("the grammar wants two names") };
    let invalid = |name: &OsStr, words: String| {
        let shown = name.to_string_lossy();
        Refusal::new(format!("Error parsing reference: \"{shown}\" is not a valid repository/tag: {words}"), 1)
    };
    let daemon = |words: &str| context.as_docker(format!("Error response from daemon: {words}"));
    let target = Reference::parse(target).map_err(|words| invalid(target, words))?;
    if target.digest.is_some() {
        return Err(context.as_docker("refusing to create a tag with a digest reference"));
    }
    let images = local::images(context);
    let found = images.as_ref().map(|images| local::find(images, typed).map_err(|words| invalid(typed, words))).transpose()?;
    if target.repository() == "docker.io/library/sha256" {
        return Err(daemon("refusing to create an ambiguous tag using digest algorithm as name"));
    }
    let mut draft = context.call("tag")?;
    match (images, found) {
        (Some(_), Some(Found::Missing(name))) => return Err(daemon(&format!("No such image: {name}"))),
        (Some(images), Some(Found::Named(at, _) | Found::ById(at))) => {
            let all: Vec<_> = images.iter().map(|known| known.image.clone()).collect();
            draft.arg(&all[at].id);
            // A repository that was only given is none that a registry knows the image by.
            let named = images[at].references.iter().any(|name| local::repository(name) == target.repository());
            let note = all[at].note(&[&target.repository()], None, &all, &|path| context.host.read(path)).filter(|_| !named);
            note.into_iter().for_each(|step| draft.prepare(step));
        }
        _ => {
            draft.arg(references::local(typed, context)?);
        }
    }
    draft.arg(target.full());
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// Commands whose arguments are images of the local store.
pub fn local_images(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call(context.invocation.command.path)?;
    draft.translate(context)?;
    for name in &context.invocation.args {
        draft.arg(references::local(name, context)?);
    }
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// Removes an image of another machine.
pub fn remove_one(context: &Context, name: OsString, force: bool) -> Result<Act, Refusal> {
    let mut draft = context.call("rmi")?;
    draft.translate(context)?;
    if force {
        draft.switch("force", true);
    }
    draft.arg(name);
    Ok(draft.run_and_go_on())
}

/// The same by force, which is never handed on: Podman kills and removes the containers of a forced image. Docker's force
/// takes names away, and refuses an ID that a running container uses.
pub fn forced(context: &Context, typed: &OsStr, name: &OsStr) -> Result<Vec<Act>, Refusal> {
    let ask = |args: &[&str]| context.ask(&args.iter().map(OsStr::new).collect::<Vec<_>>());
    let text = name.to_string_lossy();
    let id = ask(&["image", "inspect", "--format={{.Id}}", &text]).map(|id| String::from_utf8_lossy(&id).trim().to_string());
    let shown = || Reference::parse(typed).map_or_else(|_| typed.to_string_lossy().into_owned(), |r| r.familiar());
    let Some(id) = id else {
        // Nothing to force: `rmi --force` of a missing image says so and is no failure.
        return Ok(vec![Act::Complain(Refusal::new(format!("Error response from daemon: No such image: {}", shown()), 0))]);
    };
    let users = ask(&["ps", "--all", "--no-trunc", "--format={{.ID}} {{.State}}", &format!("--filter=ancestor={id}")]);
    let Some(users) = users.map(|u| String::from_utf8_lossy(&u).into_owned()) else {
        return Err(context.refuse("rmi --force: Podman would not say which containers use the image."));
    };
    let named = text.contains('/');
    if users.trim().is_empty() {
        return Ok(vec![remove_one(context, name.to_os_string(), !named)?]);
    }
    if named {
        let mut draft = context.call("untag")?;
        draft.args.extend([OsString::from(&id), name.to_os_string()]);
        let said = Act::Print(format!("Untagged: {}\n", shown()).into_bytes());
        return Ok(vec![draft.run_quietly(Ending::Daemon), said]);
    }
    let short = |id: &str| id.chars().take(12).collect::<String>();
    let running = users.lines().find(|l| !l.contains("exited") && !l.contains("Exited") && !l.contains("reated"));
    let words = match running {
        Some(line) => format!("(cannot be forced) - image is being used by running container {}", short(line)),
        None => {
            format!("(cannot be forced) - image is being used by stopped container {}, which Podman cannot keep without it", short(&users))
        }
    };
    Ok(vec![Act::Complain(Refusal::new(format!("Error response from daemon: conflict: unable to delete {} {words}", short(&id)), 1))])
}
