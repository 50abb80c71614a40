//! `docker run` and `docker create`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::defaults::Program;
use super::environment::{self, Variables};
use super::workdir::Workdir;
use super::{checks, defaults, health as checks_of_health, mapping, networks, refuse_without_terminal};
use crate::invocation::FlagUse;
use crate::plan::rules::references::{self, Reference};
use crate::plan::rules::store::Store;
use crate::plan::rules::{given, mounts, transfer};
use crate::plan::{Act, Context, Creation, Draft, Plan, Refusal, Start};

/// The plan of both. `run` in the foreground becomes podman; one that detaches, or whose working directory has to be made,
/// has something to come after it.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    let invocation = context.invocation;
    let uses = &invocation.uses;
    let run = invocation.command.name() == "run";
    checks::of(context)?;
    let detach = run && uses.switch("detach");
    if run {
        refuse_without_terminal(context)?;
        if detach && uses.given("attach") {
            return Err(Refusal::new("conflicting options: cannot specify both --attach and --detach", 1));
        }
    }
    super::check_cidfile(context)?;
    transfer::platform(context).map_err(|words| context.as_docker(format!("error parsing specified platform: {words}")))?;
    let (typed, words) = invocation.args.split_first().unwrap_or_else(|| unreachable!("the grammar wants an image"));
    let store = Store::of(context.host);
    let name = references::find(typed, &store, context)?;
    let text = name.to_string_lossy();
    let image = Reference::parse(&name).ok().and_then(|r| store.named(&r.tagged())).or_else(|| store.with_id(&text));
    let always = uses.text("pull").is_some_and(|p| p == "always") && may_pull(context);
    if always || (image.is_none() && pulls_first(&name, context)) {
        return pull_first(&name, !always, context);
    }
    if image.is_none() && uses.text("pull").is_some_and(|p| p == "never") && is_absent(&name, context) {
        let shown = Reference::parse(&name).map_or_else(|_| text.to_string(), |reference| reference.familiar());
        return Err(context.as_docker(format!("Error response from daemon: No such image: {shown}")));
    }
    if let Some(words) = image.as_ref().and_then(|image| of_another_platform(&image.id, &store, typed, context)) {
        let missing = uses.text("pull").is_none_or(|pull| pull.is_empty() || pull == "missing");
        if missing && may_pull(context) {
            return pull_first(&name, true, context);
        }
        return Err(context.as_docker(words));
    }
    if run {
        check_devices(context)?;
    }
    if words.is_empty() && uses.text("entrypoint").is_some_and(OsStr::is_empty) {
        return Err(context.as_docker("Error response from daemon: no command specified"));
    }
    let config = image.as_ref().and_then(|image| store.config(image));

    let mut draft = context.call("run")?;
    let named = config.as_ref().map(|c| c.working_dir.as_str()).filter(|w| !w.is_empty());
    let Workdir { make, resolved } = Workdir::of(&mut draft, &store, image.as_ref(), named, context);
    // Podman 5 removes the file together with the container.
    let cidfile = uses.text("cidfile").filter(|f| run && !f.is_empty() && uses.switch("rm")).map(PathBuf::from);
    // Docker has its own status and words for a port or an address that is taken.
    let taken = super::ports::are_taken(context) || uses.given("ip") || uses.given("ip6");
    let steps = make.is_some() || cidfile.is_some() || (!detach && taken);
    let stepped = run && steps;
    if !run || stepped {
        let prepare = std::mem::take(&mut draft.prepare);
        draft = context.call("create")?;
        draft.prepare = prepare;
    }
    let of_start = |name: &str| matches!(name, "detach" | "detach-keys" | "sig-proxy");
    for used in uses.iter().filter(|used| !(stepped && of_start(used.flag.long) || cidfile.is_some() && used.flag.long == "cidfile")) {
        draft.apply(used, used.flag.treatment, context)?;
    }
    if let Some(resolved) = resolved {
        draft.flag("workdir", resolved);
    }
    draft.flags.extend(invocation.extras.iter().cloned());
    let mut variables = Variables::read(&mut draft, context)?;
    environment::of_configuration(&mut variables, context);
    networks::give(&mut draft, context)?;
    networks::links(&mut draft, &mut variables, context)?;
    let program = match (run && !stepped, detach) {
        (true, false) => Program::Becomes,
        (true, true) => Program::Runs,
        (false, _) => Program::Creates,
    };
    defaults::add(&mut draft, &variables, config.as_ref(), program, &store, context);
    variables.give(&mut draft);
    checks_of_health::give(&mut draft, config.as_ref(), context)?;
    mapping::give(&mut draft, config.as_ref().map(|c| c.user.as_str()), context);
    if uses.switch("read-only") {
        // Podman adds writable tmpfs mounts on /run, /tmp and /var/tmp to a read-only container; Docker adds none.
        draft.switch("read-only-tmpfs", false);
        let ipc = uses.text("ipc").unwrap_or_default();
        if ipc.is_empty() || ipc == "private" {
            // Podman 5 then has /dev/shm read-only too.
            let size = uses.text("shm-size").map_or("64m".into(), OsStr::to_string_lossy);
            draft.flag("tmpfs", format!("/dev/shm:rw,nosuid,nodev,noexec,mode=1777,size={size},notmpcopyup"));
        }
    }
    given::keep(typed, variables.order(), &mut draft, context);
    if is_other_loopback(&name) {
        draft.switch("tls-verify", false);
    }
    draft.arg(name);
    draft.args.extend(words.iter().cloned());
    if run && !detach && !stepped {
        return Ok(draft.exec());
    }
    let start = if stepped { Some(start(detach, context)?) } else { None };
    let make = match make {
        Some(path) => Some((path, context.call("cp")?.call())),
        None => None,
    };
    let own = uses.text("name").filter(|n| !n.is_empty()).map(OsStr::to_os_string);
    let engine = context.call("")?;
    Ok(Plan::Sequence(vec![Act::Create(Box::new(Creation {
        call: draft.call(),
        run,
        name: own,
        cidfile,
        make,
        start,
        engine: engine.call(),
    }))]))
}

/// The daemon's words where the image is for another platform than the one that is asked for. (Podman warns, and runs it.)
fn of_another_platform(id: &str, store: &Store, typed: &OsStr, context: &Context) -> Option<String> {
    let wanted = transfer::platform(context).ok().flatten()?;
    let image = store.images()?.into_iter().find(|image| image.id == id)?;
    wanted.mismatch(&image.platform(&|path| context.host.read(path))?, &typed.to_string_lossy())
}

/// A device that is not there: the daemon finds out when it starts the container (moby `daemon/oci_linux.go`).
fn check_devices(context: &Context) -> Result<(), Refusal> {
    for device in context.invocation.uses.all("device").filter(|_| context.engine.remote.is_none()) {
        let text = device.to_string_lossy();
        let path = text.split(':').next().unwrap_or_default();
        if path.starts_with('/') && !text.contains('=') && !context.host.exists(Path::new(path)) {
            let words = format!("error gathering device information while adding custom device {path:?}: no such file or directory");
            return Err(Refusal { status: 127, ..context.as_docker(format!("Error response from daemon: {words}")) });
        }
    }
    Ok(())
}

/// How the second step of `run` goes on.
fn start(detach: bool, context: &Context) -> Result<Start, Refusal> {
    let uses = &context.invocation.uses;
    let mut draft = context.call("start")?;
    if !detach {
        draft.switch("attach", true);
        for used in uses.iter().filter(|used| matches!(used.flag.long, "interactive" | "detach-keys" | "sig-proxy")) {
            draft.apply(used, used.flag.treatment, context)?;
        }
    }
    Ok(Start { call: draft.call(), detach, remove: uses.switch("rm") })
}

/// Set when we have pulled and start again.
pub const PULLED: &str = "DOCKER_SHIM_PULLED";

/// Whether an image that was not found is pulled before anything is planned: what it says decides how it is run. Podman
/// has the last word on what is there: its store may lie elsewhere.
fn pulls_first(name: &OsStr, context: &Context) -> bool {
    let uses = &context.invocation.uses;
    let missing = uses.text("pull").is_none_or(|p| p.is_empty() || p == "missing");
    missing && may_pull(context) && is_absent(name, context)
}

fn is_absent(name: &OsStr, context: &Context) -> bool {
    context.ask(&[OsStr::new("image"), OsStr::new("exists"), name]).is_none()
}

fn may_pull(context: &Context) -> bool {
    context.engine.remote.is_none() && context.host.env(PULLED).is_none()
}

/// `--pull`: what has been pulled just now is not pulled again.
pub fn pull(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    if !used.value.is_empty() && (used.value != "always" || may_pull(context) || context.engine.remote.is_some()) {
        draft.flag("pull", &used.value);
    }
    Ok(())
}

/// docker/cli pulls an image that the daemon does not have, and asks again; or whatever it has.
fn pull_first(name: &OsStr, missing: bool, context: &Context) -> Result<Plan, Refusal> {
    let reference = references::target(name, context)?;
    let mut acts = vec![];
    if missing && !context.invocation.uses.switch("quiet") {
        acts.push(Act::Warn(format!("Unable to find image '{}' locally\n", reference.familiar()).into_bytes()));
    }
    acts.extend([Act::Reshape(transfer::pull_for(context, reference)?), Act::Again(PULLED)]);
    Ok(Plan::Sequence(acts))
}

/// A registry on this machine, which dockerd talks to over plain HTTP. (`localhost` is also where Podman keeps what it built.)
fn is_other_loopback(name: &OsStr) -> bool {
    Reference::parse(name).is_ok_and(|r| r.is_loopback() && r.domain != "localhost")
}

/// The caller's Podman socket and Docker's credentials in the container, as `--use-api-socket` wants them.
pub fn api_socket(used: &FlagUse, draft: &mut Draft, context: &Context) -> Result<(), Refusal> {
    if !used.is_on() {
        return Ok(());
    }
    let socket = mounts::socket(draft, context)?;
    draft.flag("volume", format!("{}:/var/run/docker.sock", socket.display()));
    if let Some(file) = context.engine.config_dir().map(|dir| dir.join("config.json")).filter(|file| context.host.exists(file)) {
        draft.flag("volume", format!("{}:/run/secrets/docker/config.json:ro", file.display()));
        draft.flag("env", "DOCKER_CONFIG=/run/secrets/docker");
    }
    Ok(())
}
