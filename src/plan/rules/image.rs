//! Images: names on the way in, and what must not be lost.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::references::{self, Reference};
use super::store::Store;
use crate::invocation::FlagUse;
use crate::plan::{Act, Context, DigestNote, Draft, Ending, Plan, Refusal, Run, Stderr, Stdout, Step};
use crate::render::image_inspect::{self, ImageInspect, Platform};
use crate::render::inspect::Inspector;
use crate::sha256;

/// Podman talks TLS to a registry unless told otherwise; dockerd takes plain HTTP on the loopback interface.
pub fn plain_http_on_loopback(draft: &mut Draft, reference: &Reference) {
    if reference.is_loopback() {
        draft.switch("tls-verify", false);
    }
}

/// `docker pull`.
pub fn pull(context: &Context) -> Result<Plan, Refusal> {
    let reference = references::target(&context.invocation.args[0], context)?;
    let mut draft = context.call("pull")?;
    draft.translate(context)?;
    plain_http_on_loopback(&mut draft, &reference);
    let all = context.invocation.uses.switch("all-tags");
    if all && (reference.tag.is_some() || reference.digest.is_some()) {
        return Err(context.as_docker("tag can't be used with --all-tags/-a"));
    }
    draft.arg(if all { reference.repository() } else { reference.full() });
    if !context.invocation.uses.switch("quiet") {
        return Ok(Plan::Sequence(vec![draft.run(Ending::Daemon)]));
    }
    // Quiet, Docker prints the name where Podman prints the ID.
    let run = Run { stdout: Stdout::Discard, stderr: Stderr::OnFailure, ..Run::new(draft.call(), Ending::Daemon) };
    let name = if all { reference.repository() } else { reference.tagged() };
    Ok(Plan::Sequence(vec![Act::Run(run), Act::Print(format!("{name}\n").into_bytes())]))
}

/// `docker push`: by the name typed, from whatever name Podman keeps the image under.
pub fn push(context: &Context) -> Result<Plan, Refusal> {
    let typed = &context.invocation.args[0];
    let reference = references::target(typed, context)?;
    if context.invocation.uses.switch("all-tags") {
        return Err(context.refuse("push --all-tags: Podman pushes one tag at a time; push each by its name."));
    }
    Ok(Plan::Sequence(push_one(context, typed, &reference, true)?))
}

/// One push and what is noted of it, `flags` with those of the invocation.
pub fn push_one(context: &Context, typed: &OsStr, reference: &Reference, flags: bool) -> Result<Vec<Act>, Refusal> {
    let mut draft = context.call("push")?;
    if flags {
        draft.translate(context)?;
    }
    plain_http_on_loopback(&mut draft, reference);
    let source = references::local(typed, context)?;
    let target = OsString::from(reference.full());
    let renamed = source != target;
    let noted = noted(context, &source.to_string_lossy(), reference);
    if let Some(note) = &noted {
        draft.flag("digestfile", note.digestfile.as_deref().unwrap_or(Path::new("")));
    }
    draft.arg(source);
    if renamed {
        draft.arg(target);
    }
    Ok([draft.run(Ending::Daemon)].into_iter().chain(noted.map(Act::NoteDigest)).collect())
}

/// Where the digest that the registry gives is noted, for `docker inspect`; none where the store is not on this machine.
fn noted(context: &Context, source: &str, reference: &Reference) -> Option<DigestNote> {
    if context.engine.remote.is_some() {
        return None;
    }
    let root = Store::of(context.host).roots().first()?.clone();
    let image = Reference::parse(OsStr::new(source)).map_or_else(|_| source.to_string(), |r| r.tagged());
    let digestfile = root.join(format!("docker-shim-{:.16}.digest", sha256::hex(reference.tagged().as_bytes())));
    Some(DigestNote { digestfile: Some(digestfile), root, image, repository: reference.repository() })
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
    let roots = if context.engine.remote.is_some() { vec![] } else { Store::of(context.host).roots().to_vec() };
    let view = ImageInspect { inspector, names, platform, files: image_inspect::files(roots) };
    Ok(if draft.args.is_empty() { Plan::Answer(view.without_podman()) } else { draft.show(view) })
}

/// `docker tag`.
pub fn tag(context: &Context) -> Result<Plan, Refusal> {
    let [source, target] = context.invocation.args.as_slice() else { unreachable!("the grammar wants two names") };
    let mut draft = context.call("tag")?;
    draft.arg(references::local(source, context)?);
    let target = Reference::parse(target).map_err(|words| {
        let shown = target.to_string_lossy();
        Refusal::new(format!("Error parsing reference: \"{shown}\" is not a valid repository/tag: {words}"), 1)
    })?;
    draft.arg(target.full());
    // A name that is only given is none that a registry knows the image by.
    let note = noted(context, &target.tagged(), &target).map(|note| Act::NoteDigest(DigestNote { digestfile: None, ..note }));
    let moves = Reference::parse(source).is_ok_and(|source| source.repository() != target.repository());
    Ok(Plan::Sequence([draft.run_quietly(Ending::Daemon)].into_iter().chain(note.filter(|_| moves)).collect()))
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

/// `docker import SOURCE [NAME]`.
pub fn import(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call("import")?;
    draft.translate(context)?;
    let mut args = context.invocation.args.iter();
    draft.args.extend(args.next().cloned());
    if let Some(name) = args.next() {
        draft.arg(references::target(name, context)?.full());
    }
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// `docker import --platform OS[/ARCH[/VARIANT]]`.
pub fn import_platform(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    let text = used.value.to_string_lossy();
    for (name, value) in ["os", "arch", "variant"].into_iter().zip(text.split('/')) {
        if value.is_empty() {
            return Err(context.as_docker(format!("invalid platform: {text:?}")));
        }
        draft.flag(name, value);
    }
    Ok(())
}

/// `docker save`: several images make one archive of several. Without `--multi-image-archive` Podman writes the first one
/// alone and gives it all the names. A file that is there is replaced, where Podman refuses.
pub fn save(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let mut draft = context.call("save")?;
    draft.translate(context)?;
    let mut names: Vec<OsString> = Vec::new();
    for typed in &invocation.args {
        let name = references::local(typed, context)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match invocation.uses.text("output") {
        Some(file) if !file.is_empty() => {
            let path = PathBuf::from(file);
            // docker/cli's ValidateOutputPath.
            let dir = path.parent().filter(|d| !d.as_os_str().is_empty());
            if let Some(dir) = dir.filter(|d| !context.host.exists(d)) {
                let dir = dir.display();
                return Err(context.as_docker(format!("failed to save image: invalid output path: stat {dir}: no such file or directory")));
            }
            if context.host.exists(&path) && !context.host.is_dir(&path) {
                draft.prepare(Step::RemoveFile(path));
            }
        }
        _ if context.host.is_terminal(1) => {
            return Err(context.as_docker("cowardly refusing to save to a terminal. Use the -o flag or redirect"));
        }
        _ => {}
    }
    draft.flag("format", "docker-archive");
    if names.len() > 1 {
        draft.switch("multi-image-archive", true);
    }
    draft.args = names;
    Ok(Plan::Sequence(vec![draft.run_quietly(Ending::Daemon)]))
}

/// `docker load`: on success without a word on stderr where it is quiet.
pub fn load(context: &Context) -> Result<Plan, Refusal> {
    let mut draft = context.call("load")?;
    draft.translate(context)?;
    let quiet = context.invocation.uses.switch("quiet");
    Ok(Plan::Sequence(vec![if quiet { draft.run_quietly(Ending::Daemon) } else { draft.run(Ending::Daemon) }]))
}

/// `docker rmi`. `--force` is never handed on: Podman kills and removes the containers of a forced image. Docker's force
/// takes names away, and refuses an ID that a running container uses.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let force = context.invocation.uses.switch("force");
    let mut acts = Vec::new();
    for typed in &context.invocation.args {
        let name = references::local(typed, context)?;
        if force {
            acts.extend(forced(context, typed, &name)?);
        } else {
            acts.push(remove_one(context, name, false)?);
        }
    }
    Ok(Plan::Sequence(acts))
}

fn remove_one(context: &Context, name: OsString, force: bool) -> Result<Act, Refusal> {
    let mut draft = context.call("rmi")?;
    draft.translate(context)?;
    if force {
        draft.switch("force", true);
    }
    draft.arg(name);
    Ok(draft.run_and_go_on())
}

fn forced(context: &Context, typed: &OsStr, name: &OsStr) -> Result<Vec<Act>, Refusal> {
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
