//! `docker rmi`: what dockerd would take away is found out beforehand, on its own terms (moby `daemon/images/image_delete.go`),
//! for Podman's `--force` kills and removes containers, and its words are others.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use super::local::{self, Found, Known, familiar, repository};
use super::platforms::Platform;
use super::store::{Container, Layer, Store, chain_ids};
use super::{build, image, references};
use crate::plan::{Act, Context, Draft, Ending, OnFailure, Plan, Refusal, Run, Stderr, Stdout, Step};

/// `docker rmi IMAGE…`.
pub fn remove(context: &Context) -> Result<Plan, Refusal> {
    let Some(images) = local::images(context) else { return elsewhere(context) };
    let store = Store::of(context.host);
    let left = store.left();
    let containers = store.containers().into_iter().filter(|container| !left.contains(container)).collect();
    let mut world = World {
        context,
        images,
        containers,
        layers: store.layers(),
        running: None,
        force: context.invocation.uses.switch("force"),
        acts: if left.is_empty() { vec![] } else { build::left::remove(context)?.into_iter().collect() },
    };
    let platform = platform(context)?;
    for typed in &context.invocation.args {
        world.remove(typed, platform.as_ref())?;
    }
    Ok(Plan::Sequence(world.acts))
}

/// The one platform that `--platform` asks for.
fn platform(context: &Context) -> Result<Option<Platform>, Refusal> {
    let all: Vec<_> = context.invocation.uses.all("platform").collect();
    match all[..] {
        [] => Ok(None),
        [one] if !one.to_string_lossy().contains(',') => {
            Platform::parse(&one.to_string_lossy()).map(Some).map_err(|words| context.as_docker(words))
        }
        _ => Err(context.refuse("rmi --platform: Podman keeps images of one platform each; name one.")),
    }
}

/// On another machine: by name, without force.
fn elsewhere(context: &Context) -> Result<Plan, Refusal> {
    let mut acts = Vec::new();
    for typed in &context.invocation.args {
        let name = references::local(typed, context)?;
        if context.invocation.uses.switch("force") {
            acts.extend(image::forced(context, typed, &name)?);
        } else {
            acts.push(image::remove_one(context, name, false)?);
        }
    }
    Ok(Plan::Sequence(acts))
}

/// The store as it will be after the steps so far.
struct World<'a> {
    context: &'a Context<'a>,
    images: Vec<Known>,
    containers: Vec<Container>,
    layers: Vec<Layer>,
    /// The containers that Podman knows, and whether they run; asked for once.
    running: Option<BTreeMap<String, bool>>,
    force: bool,
    acts: Vec<Act>,
}

impl World<'_> {
    fn remove(&mut self, typed: &OsStr, platform: Option<&Platform>) -> Result<(), Refusal> {
        if typed.is_empty() {
            return self.complain("page not found");
        }
        let found = match local::find(&self.images, typed) {
            Ok(found) => found,
            Err(words) => return self.complain(&words),
        };
        let at = match &found {
            Found::Named(at, _) | Found::ById(at) => *at,
            Found::Missing(name) => {
                let status = u8::from(!self.force);
                self.acts.push(Act::Complain(Refusal::new(format!("Error response from daemon: No such image: {name}"), status)));
                return Ok(());
            }
        };
        let there = self.images[at].image.platform(&|path| self.context.host.read(path));
        if let (Some(wanted), Some(there)) = (platform, there) {
            if let Some(words) = wanted.mismatch(&there, &typed.to_string_lossy()) {
                self.acts.push(Act::Complain(Refusal::new(words, 1)));
                return Ok(());
            }
        }
        let id = self.images[at].image.id.clone();
        let short: String = id.chars().take(12).collect();
        let references = self.images[at].references.clone();
        let Found::Named(_, name) = found else {
            let users = self.users(&id)?;
            let conflict = |kind: &str, words: &str| format!("conflict: unable to delete {short} ({kind}) - {words}");
            if let Some((running, _)) = users.iter().find(|(_, runs)| *runs) {
                return self.complain(&conflict("cannot be forced", &format!("image is being used by running container {running}")));
            }
            if let Some((stopped, _)) = users.first().filter(|_| !self.force) {
                return self.complain(&conflict("must be forced", &format!("image is being used by stopped container {stopped}")));
            }
            if !self.force && !is_single(&references) {
                return self.complain(&conflict("must be forced", "image is referenced in multiple repositories"));
            }
            return self.delete(at, &references, &users);
        };
        let users = if is_single(&references) { self.users(&id)? } else { vec![] };
        if let Some((user, _)) = users.first().filter(|_| !self.force) {
            let typed = typed.to_string_lossy();
            return self.complain(&format!(
                "conflict: unable to remove repository reference {typed:?} (must force) - container {user} is using its referenced \
                 image {short}"
            ));
        }
        let mut gone = vec![name.clone()];
        let rest = |gone: &[String]| references.iter().filter(|r| !gone.contains(r)).cloned().collect::<Vec<_>>();
        if !name.contains('@') && !rest(&gone).iter().any(|r| !r.contains('@') && repository(r) == repository(&name)) {
            gone.extend(rest(&gone).into_iter().filter(|r| repository(r) == repository(&name)));
        }
        if rest(&gone).is_empty() {
            let users = self.users(&id)?;
            return self.delete(at, &gone, &users);
        }
        self.untag(at, &gone)
    }

    fn complain(&mut self, words: &str) -> Result<(), Refusal> {
        self.acts.push(Act::Complain(Refusal::new(format!("Error response from daemon: {words}"), 1)));
        Ok(())
    }

    /// The containers of an image, by their short IDs, and whether they run.
    fn users(&mut self, id: &str) -> Result<Vec<(String, bool)>, Refusal> {
        if !self.containers.iter().any(|container| container.image == id) {
            return Ok(vec![]);
        }
        if self.running.is_none() {
            let words = ["ps", "--all", "--no-trunc", "--format={{.ID}} {{.State}}"].map(OsStr::new);
            let Some(answer) = self.context.ask(&words) else {
                return Err(self.context.refuse("rmi: Podman would not say which containers use the image."));
            };
            let idle = ["created", "configured", "exited", "stopped", "initialized"];
            let line = |line: &str| {
                let (id, state) = line.split_once(' ').unwrap_or((line, ""));
                (id.to_string(), !idle.contains(&state.to_lowercase().split(' ').next().unwrap_or_default()))
            };
            self.running = Some(String::from_utf8_lossy(&answer).lines().map(line).collect());
        }
        let running = self.running.as_ref();
        let of_image = self.containers.iter().filter(|container| container.image == id);
        let known = of_image.filter_map(|c| Some((c.id.chars().take(12).collect(), *running?.get(&c.id)?)));
        Ok(known.collect())
    }

    /// Has the digests under which registries have an image forgotten, as far as they are among its names.
    fn forget(&self, at: usize, gone: &[String]) -> Option<Step> {
        let repositories: Vec<&str> = gone.iter().filter(|name| name.contains('@')).map(|name| repository(name)).collect();
        if repositories.is_empty() {
            return None;
        }
        let images: Vec<_> = self.images.iter().map(|known| known.image.clone()).collect();
        images[at].note(&repositories, Some(""), &images, &|path| self.context.host.read(path))
    }

    /// Takes names away that are not the last ones.
    fn untag(&mut self, at: usize, gone: &[String]) -> Result<(), Refusal> {
        let forgotten = self.forget(at, gone);
        let known = &mut self.images[at];
        known.references.retain(|name| !gone.contains(name));
        let (stored, _): (Vec<_>, Vec<_>) = known.image.names.iter().cloned().partition(|name| gone.contains(name));
        known.image.names.retain(|name| !gone.contains(name));
        let said = untagged(gone);
        if stored.is_empty() {
            // A name by digest that only we have kept.
            self.acts.extend(forgotten.map(Act::Do));
            self.acts.push(Act::Print(said.into_bytes()));
            return Ok(());
        }
        let mut draft = self.context.call("untag")?;
        forgotten.into_iter().for_each(|step| draft.prepare(step));
        draft.arg(&known.image.id);
        draft.args.extend(stored.iter().map(OsString::from));
        self.acts.push(step(draft, said));
        Ok(())
    }

    /// Takes an image away with the names that it still has. Where stopped containers use it, Docker would keep their files
    /// and forget the image; Podman cannot forget it, so only its names go.
    fn delete(&mut self, at: usize, gone: &[String], users: &[(String, bool)]) -> Result<(), Refusal> {
        let forgotten = self.forget(at, gone);
        let mut known = self.images.remove(at);
        let mut said = untagged(gone);
        let names = known.image.names.len();
        if let Some((user, _)) = users.first() {
            if names == 0 {
                let short: String = known.image.id.chars().take(12).collect();
                self.images.insert(at, known);
                return self.complain(&format!(
                    "conflict: unable to delete {short} (cannot be forced) - image is being used by stopped container {user}, which \
                     Podman cannot keep without it"
                ));
            }
            let mut draft = self.context.call("untag")?;
            forgotten.into_iter().for_each(|step| draft.prepare(step));
            draft.arg(&known.image.id);
            self.acts.push(step(draft, said));
            known.references.clear();
            known.image.names.clear();
            self.images.insert(at, known);
            return Ok(());
        }
        said += &format!("Deleted: sha256:{}\n", known.image.id);
        for layer in self.layers_of_none(&known) {
            said += &format!("Deleted: sha256:{layer}\n");
        }
        if names > 0 && self.containers.iter().any(|container| container.image == known.image.id) {
            // A build at work, or buildah's user: BuildKit would keep what it needs of the image, and the image would be gone.
            let mut draft = self.context.call("untag")?;
            forgotten.into_iter().for_each(|step| draft.prepare(step));
            draft.arg(&known.image.id);
            self.acts.push(step(draft, said));
            return Ok(());
        }
        let mut draft = self.context.call("rmi")?;
        for used in self.context.invocation.uses.iter().filter(|used| used.flag.long == "no-prune") {
            draft.apply(used, used.flag.treatment, self.context)?;
        }
        if names > 1 {
            // Without its names it can be removed without force, which would take a container along that was made meanwhile.
            let mut untag = self.context.call("untag")?;
            untag.arg(&known.image.id);
            self.acts.push(step(untag, String::new()));
        }
        draft.arg(known.image.names.first().filter(|_| names == 1).unwrap_or(&known.image.id));
        self.acts.push(step(draft, said));
        Ok(())
    }

    /// The layers that go with an image, topmost first, by the names that Docker has for them.
    fn layers_of_none(&self, known: &Known) -> Vec<String> {
        if known.image.built_here(&|path| self.context.host.read(path)) {
            return vec![];
        }
        let chain = |top: &str| {
            let mut chain: Vec<&Layer> = Vec::new();
            let mut next = top;
            while let Some(layer) = self.layers.iter().find(|layer| layer.id == next && !next.is_empty()) {
                chain.push(layer);
                next = &layer.parent;
            }
            chain
        };
        let tops = self.images.iter().map(|known| &known.image.layer).chain(self.containers.iter().map(|container| &container.layer));
        let used: BTreeSet<&str> = tops.flat_map(|top| chain(top)).map(|layer| layer.id.as_str()).collect();
        let layers: Vec<&Layer> = chain(&known.image.layer).into_iter().rev().collect();
        let named = layers.iter().zip(chain_ids(layers.iter().map(|layer| layer.diff.as_str())));
        let mut names: Vec<String> = named.filter(|(layer, _)| !used.contains(layer.id.as_str())).map(|(_, name)| name).collect();
        names.reverse();
        names
    }
}

/// Docker's lines for names that are taken away.
fn untagged(names: &[String]) -> String {
    names.iter().map(|name| format!("Untagged: {}\n", familiar(name))).collect()
}

/// A step after whose failure the others still follow.
fn step(draft: Draft, said: String) -> Act {
    let stdout = if said.is_empty() { Stdout::Discard } else { Stdout::Said(said.into_bytes()) };
    Act::Run(Run { stdout, stderr: Stderr::OnFailure, on_failure: OnFailure::GoOn, ..Run::new(draft.call(), Ending::Daemon) })
}

/// moby's `isSingleReference`: one tag at most, and digests of its own repository only.
fn is_single(references: &[String]) -> bool {
    if references.len() <= 1 {
        return true;
    }
    let (digests, tags): (Vec<&String>, Vec<&String>) = references.iter().partition(|name| name.contains('@'));
    let repositories: BTreeSet<&str> = digests.iter().map(|name| repository(name)).collect();
    match tags[..] {
        [] => repositories.len() == 1,
        [tag] => repositories.len() == 1 && repositories.contains(repository(tag)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_single;

    #[test]
    fn single_references() {
        let single = |names: &[&str]| is_single(&names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert!(single(&[]) && single(&["h/a:1"]) && single(&["h/a:1", "h/a@sha256:0"]) && single(&["h/a@sha256:0", "h/a@sha256:1"]));
        assert!(!single(&["h/a:1", "h/a:2"]) && !single(&["h/a:1", "h/b@sha256:0"]) && !single(&["h/a@sha256:0", "h:5000/a@sha256:0"]));
    }
}
