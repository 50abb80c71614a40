//! Objects of any kind, by name (docker/cli `cli/command/system/inspect.go`).

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};

use serde_json::Value as Json;

use super::image_inspect::{self, ImageFiles};
use super::inspect::{Inspector, Object};
use super::network::{self, NetworkInspect};
use super::{Answered, Desk, View, container_inspect, text, volume};
use crate::plan::rules::references::Reference;
use crate::plan::{Answer, Call};

/// The kinds of object that Docker and Podman both have, in the order in which Docker looks for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Container,
    Image,
    Network,
    Volume,
}

impl Kind {
    /// Its name for `--type`.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Container => "container",
            Kind::Image => "image",
            Kind::Network => "network",
            Kind::Volume => "volume",
        }
    }

    /// The kind of an object of Podman's; none for one that Docker has not, a pod.
    fn of(podman: &Json) -> Option<Kind> {
        let has = |key: &str| podman.get(key).is_some();
        match () {
            () if has("State") && has("ImageName") => Some(Kind::Container),
            () if has("RepoTags") || has("RootFS") => Some(Kind::Image),
            () if has("Mountpoint") => Some(Kind::Volume),
            () if has("driver") => Some(Kind::Network),
            () => None,
        }
    }

    /// What dockerd says of a name that is not there.
    fn missing(self, name: &str) -> String {
        let words = match self {
            Kind::Container => format!("No such container: {name}"),
            Kind::Image => match Reference::parse(name.as_ref()) {
                Ok(reference) => format!("No such image: {}", reference.familiar()),
                Err(words) => words,
            },
            Kind::Network => format!("network {name} not found"),
            Kind::Volume => format!("get {name}: no such volume"),
        };
        format!("Error response from daemon: {words}")
    }
}

/// A name as the caller typed it, and as Podman knows it.
#[derive(Debug)]
pub struct Wanted {
    pub typed: String,
    pub podman: OsString,
}

/// `docker inspect` and `docker container inspect`, of `podman inspect`.
#[derive(Debug)]
pub struct Objects {
    pub inspector: Inspector,
    /// The only kind to look for.
    pub kind: Option<Kind>,
    /// Whether sizes were asked for.
    pub size: bool,
    pub wanted: Vec<Wanted>,
    /// The call without the names.
    pub call: Call,
    /// `podman inspect` without anything more.
    pub again: Call,
    /// The image store's own files.
    pub files: ImageFiles,
    /// How networks are shown.
    pub networks: NetworkInspect,
    /// `podman healthcheck run`, where nothing else runs it.
    pub check: Option<Call>,
}

impl View for Objects {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let mut found = self.found(podman, desk)?;
        self.check_health(&mut found, desk);
        let mut warnings = String::new();
        let mut objects = Vec::new();
        let running = OnceCell::new();
        for (wanted, json) in self.wanted.iter().zip(found) {
            let placed = json.and_then(|json| self.placed(wanted, json, desk)).or_else(|| self.predefined(&wanted.typed, desk));
            let Some((kind, json)) = placed else {
                objects.push(Err(self.missing(&wanted.typed)));
                continue;
            };
            if self.size && kind != Kind::Container {
                warnings += &format!("WARNING: --size ignored for {}\n", kind.name());
            }
            objects.push(Ok(match kind {
                Kind::Container => self.container(&json, desk),
                Kind::Image => image_inspect::object(&json, &self.files, &self.inspector),
                Kind::Network => self.networks.object(&wanted.typed, &[json], &running, desk),
                Kind::Volume => volume::object(&json),
            }?));
        }
        let mut answer = self.inspector.show(objects);
        answer.stderr.splice(..0, warnings.into_bytes());
        Some(answer)
    }
}

impl Objects {
    /// Podman's object for each name. Where Podman did not find all, it does not say which, and is asked for each.
    fn found(&self, podman: &Answered, desk: &Desk) -> Option<Vec<Option<Json>>> {
        let list = |answered: &Answered| serde_json::from_slice::<Json>(&answered.stdout).ok()?.as_array().cloned();
        let all = match list(podman) {
            Some(all) => all,
            None if is_missing(podman) => vec![],
            None => return None,
        };
        if podman.status == 0 && all.len() == self.wanted.len() {
            return Some(all.into_iter().map(Some).collect());
        }
        // Only a failure to find something is known not to be another one.
        if !is_missing(podman) {
            return None;
        }
        if self.wanted.len() == 1 {
            return Some(vec![None]);
        }
        let one = |wanted: &Wanted| {
            let answered = (desk.asking)(&self.call, &[OsStr::new("--"), &wanted.podman]);
            match list(&answered) {
                Some(mut list) if answered.status == 0 => Some(list.pop()),
                _ => is_missing(&answered).then_some(None),
            }
        };
        self.wanted.iter().map(one).collect()
    }

    /// Has health checks run that are due, where the answer may show what they find.
    fn check_health(&self, found: &mut [Option<Json>], desk: &Desk) {
        let Some(check) = self.check.as_ref().filter(|_| self.inspector.shows("Health") || self.inspector.shows("json")) else { return };
        let containers = || found.iter().flatten().filter(|json| Kind::of(json) == Some(Kind::Container));
        if !container_inspect::health::run_due(containers(), check, desk) {
            return;
        }
        for json in found.iter_mut().flatten().filter(|json| Kind::of(json) == Some(Kind::Container)) {
            let again = desk.ask(&self.call, &["--", text(json, "Id")]);
            if let Some(Json::Array(mut list)) = again {
                *json = list.pop().unwrap_or_else(|| json.take());
            }
        }
    }

    /// The object and its kind, in Docker's order of kinds: Podman looks for volumes before networks, and for pods.
    fn placed(&self, wanted: &Wanted, json: Json, desk: &Desk) -> Option<(Kind, Json)> {
        let kind = self.kind.or_else(|| Kind::of(&json))?;
        if self.kind.is_none() && kind == Kind::Volume {
            if let Some(Json::Array(mut networks)) = self.ask(&["--type=network"], &wanted.podman, desk) {
                return networks.pop().map(|network| (Kind::Network, network));
            }
        }
        Some((kind, json))
    }

    fn ask(&self, flags: &[&str], name: &OsStr, desk: &Desk) -> Option<Json> {
        let mut args: Vec<&OsStr> = flags.iter().map(OsStr::new).collect();
        args.extend([OsStr::new("--"), name]);
        desk.ask(&self.again, &args)
    }

    /// What Docker says where nothing has the name.
    fn missing(&self, name: &str) -> String {
        match self.kind {
            _ if name.is_empty() && self.kind.is_none_or(|kind| kind == Kind::Container) => {
                "invalid container name or ID: value is empty".to_string()
            }
            Some(kind) => kind.missing(name),
            None => format!("Error: No such object: {name}"),
        }
    }

    /// A network that Podman has under another name or, like `host` and `none`, not at all: they are there as long as the default one.
    fn predefined(&self, name: &str, desk: &Desk) -> Option<(Kind, Json)> {
        if !network::is_predefined(name) || self.kind.is_some_and(|kind| kind != Kind::Network) {
            return None;
        }
        let default = self.ask(&["--type=network"], OsStr::new(network::PODMANS_DEFAULT), desk)?.as_array_mut()?.pop()?;
        Some((Kind::Network, default))
    }

    fn container(&self, json: &Json, desk: &Desk) -> Option<Object> {
        let file = container_inspect::image_file(json).and_then(|file| std::fs::read(file).ok());
        let config = |image: Json| image.get("config").or_else(|| image.get("Config")).cloned();
        let image = file.and_then(|text| config(serde_json::from_slice(&text).ok()?)).or_else(|| {
            let id = Some(text(json, "Image")).filter(|id| !id.is_empty())?;
            self.ask(&["--type=image"], id.as_ref(), desk)?.as_array_mut()?.pop().and_then(config)
        });
        let mut networks = container_inspect::network::Ids::new();
        if self.inspector.shows("NetworkSettings") {
            for name in container_inspect::network::unknown(json) {
                let network = self.ask(&["--type=network"], name.as_ref(), desk);
                let id = network.as_ref().and_then(|n| n[0]["id"].as_str());
                networks.extend(id.map(|id| (name.to_string(), id.to_string())));
            }
        }
        container_inspect::object(json, image.as_ref(), &networks)
    }
}

/// Whether the failure is that something is not there.
fn is_missing(podman: &Answered) -> bool {
    let words = String::from_utf8_lossy(&podman.stderr);
    ["no such", "not known", "not found", "unable to find", "cannot be empty"].iter().any(|missing| words.contains(missing))
}
