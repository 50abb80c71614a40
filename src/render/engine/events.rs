//! `docker events` (docker/cli `cli/command/system/events.go`, moby `daemon/events`).

use std::collections::HashMap;
use std::ffi::OsStr;

use serde_json::{Map, Value as Json, json};

use super::part;
use crate::plan::rules::references::Reference;
use crate::plan::{Call, Refusal};
use crate::render::template::{MissingKey, Template};
use crate::render::value::{Field, MAP_OF_STRINGS, STRING, Struct, Time, Type, Value};
use crate::render::{Desk, OWN_LABELS, Stream, given, text};

/// `docker events`, of the lines of `podman events --format json`.
#[derive(Debug)]
pub struct Events {
    /// None for Docker's own text.
    template: Option<Template>,
    filters: Filters,
    /// Nothing after this moment, in nanoseconds since 1970.
    until: Option<i128>,
    /// `podman image exists`, `podman network inspect`.
    image_exists: Call,
    inspect_network: Call,
    /// What was seen of the containers that are there.
    containers: HashMap<String, Seen>,
}

/// What later events of a container need of earlier ones.
#[derive(Debug, Default)]
struct Seen {
    name: String,
    started: Option<i64>,
}

impl Events {
    /// Errors: a template that cannot be parsed or that no event fits, with status 64.
    pub fn new(format: &str, filters: Filters, until: Option<i128>, image_exists: Call, inspect_network: Call) -> Result<Events, Refusal> {
        let template = match format {
            "" => None,
            "json" => Some(Template::parse("{{json .}}")),
            format => Some(Template::parse(format)),
        };
        let refused = |error| Refusal::new(format!("Error parsing format: {error}"), 64);
        let template = template.transpose().map_err(refused)?;
        if let Some(template) = &template {
            template.execute(&Value::decode(&POINTER, &json!({})), MissingKey::Default, &mut Vec::new()).map_err(refused)?;
        }
        Ok(Events { template, filters, until, image_exists, inspect_network, containers: HashMap::new() })
    }

    /// Docker's messages for an event of Podman's: none for what Docker does not tell.
    fn messages(&mut self, event: &Json, nanos: i128, desk: &Desk) -> Vec<Message> {
        let mut messages = match text(event, "Type") {
            "container" => self.of_container(event, nanos),
            "image" => self.of_image(event, desk),
            "network" => self.of_network(event, desk),
            "volume" => of_volume(event),
            _ => vec![],
        };
        messages.iter_mut().for_each(|message| message.nanos = nanos);
        messages
    }

    fn of_container(&mut self, event: &Json, nanos: i128) -> Vec<Message> {
        let (id, name) = (text(event, "ID"), text(event, "Name"));
        let labels = part(event, "/Attributes");
        let mut attributes = Map::new();
        for (key, value) in labels.as_object().into_iter().flatten().filter(|(key, _)| !key.starts_with(OWN_LABELS)) {
            attributes.insert(key.clone(), value.clone());
        }
        let given = given(Some(labels));
        let image = match text(&given, "Image") {
            "" => familiar(text(event, "Image")),
            typed => typed.to_string(),
        };
        attributes.insert("image".into(), image.as_str().into());
        attributes.insert("name".into(), name.into());
        let mut set = |key: &str, value: String| attributes.insert(key.into(), value.into());
        let code = || part(event, "/ContainerExitCode").as_i64().unwrap_or_default().to_string();
        let seconds = i64::try_from(nanos / 1_000_000_000).unwrap_or_default();
        let seen = self.containers.entry(id.to_string()).or_default();
        let mut forget = false;
        let actions: Vec<String> = match text(event, "Status") {
            "died" => {
                set("exitCode", code());
                if let Some(started) = seen.started.take() {
                    set("execDuration", (seconds - started).max(0).to_string());
                }
                vec!["die".into()]
            }
            "remove" => {
                forget = true;
                vec!["destroy".into()]
            }
            "start" => {
                seen.started = Some(seconds);
                vec!["start".into()]
            }
            "rename" => {
                if !seen.name.is_empty() {
                    set("oldName", format!("/{}", seen.name));
                }
                vec!["rename".into()]
            }
            // What is executed Podman does not tell.
            "exec" => vec!["exec_create: ".into(), "exec_start: ".into()],
            "exec_died" => {
                set("exitCode", code());
                vec!["exec_die".into()]
            }
            "health_status" => vec![format!("health_status: {}", text(event, "health_status"))],
            action @ ("attach" | "checkpoint" | "commit" | "create" | "export" | "kill" | "pause" | "restart" | "stop" | "unpause"
            | "update") => {
                vec![action.into()]
            }
            _ => vec![],
        };
        name.clone_into(&mut seen.name);
        if forget {
            self.containers.remove(id);
        }
        let message =
            |action| Message { kind: "container", action, id: id.into(), attributes: attributes.clone(), from: image.clone(), nanos: 0 };
        actions.into_iter().map(message).collect()
    }

    fn of_image(&self, event: &Json, desk: &Desk) -> Vec<Message> {
        let name = familiar(text(event, "Name"));
        let id = match text(event, "ID") {
            "" => String::new(),
            id if id.contains(':') => id.to_string(),
            hex => format!("sha256:{hex}"),
        };
        let (action, id, name) = match text(event, "Status") {
            status @ ("pull" | "push") => {
                let repository = repository(&name);
                let tagged = if repository.len() == name.len() { format!("{name}:latest") } else { name };
                (status, tagged, repository)
            }
            "tag" => ("tag", id, name),
            "untag" => ("untag", id.clone(), id),
            "remove" => {
                // Podman says so when a name is taken away, too.
                let there = (desk.asking)(&self.image_exists, &[OsStr::new(id.trim_start_matches("sha256:"))]).status == 0;
                (if there { "" } else { "delete" }, id.clone(), id)
            }
            status @ ("save" | "import") => (status, id.clone(), id),
            "loadfromarchive" => ("load", id.clone(), id),
            _ => return vec![],
        };
        if action.is_empty() {
            return vec![];
        }
        let attributes = Map::from_iter([("name".to_string(), Json::from(name))]);
        vec![Message { kind: "image", action: action.into(), id, attributes, from: String::new(), nanos: 0 }]
    }

    fn of_network(&self, event: &Json, desk: &Desk) -> Vec<Message> {
        let name = text(event, "network");
        let (mut id, mut driver) = (text(event, "ID").to_string(), text(part(event, "/Attributes"), "driver").to_string());
        let mut attributes = Map::new();
        let action = match text(event, "Status") {
            "create" => "create",
            "remove" => "destroy",
            action @ ("connect" | "disconnect") => {
                // The event has the container's ID where Docker has the network's.
                attributes.insert("container".into(), std::mem::take(&mut id).into());
                let network = desk.ask(&self.inspect_network, &[name]).unwrap_or_default();
                id = text(part(&network, "/0"), "id").to_string();
                driver = text(part(&network, "/0"), "driver").to_string();
                action
            }
            _ => return vec![],
        };
        attributes.insert("name".into(), if name == "podman" { "bridge" } else { name }.into());
        attributes.insert("type".into(), if driver.is_empty() { "bridge".into() } else { driver }.into());
        vec![Message { kind: "network", action: action.into(), id, attributes, from: String::new(), nanos: 0 }]
    }
}

fn of_volume(event: &Json) -> Vec<Message> {
    let action = match text(event, "Status") {
        "create" => "create",
        "remove" => "destroy",
        _ => return vec![],
    };
    let attributes = Map::from_iter([("driver".to_string(), Json::from("local"))]);
    vec![Message { kind: "volume", action: action.into(), id: text(event, "Name").into(), attributes, from: String::new(), nanos: 0 }]
}

impl Stream for Events {
    fn line(&mut self, line: &[u8], desk: &Desk) -> Option<Vec<u8>> {
        let event: Json = serde_json::from_slice(line).ok()?;
        let nanos = moment(&event)?;
        let mut out = Vec::new();
        if self.until.is_some_and(|until| nanos > until) {
            return Some(out);
        }
        for message in self.messages(&event, nanos, desk).iter().filter(|message| self.filters.include(message)) {
            match &self.template {
                None => out.extend(message.in_words().into_bytes()),
                Some(template) => {
                    let _ = template.execute(&Value::decode(&MESSAGE, &message.json()), MissingKey::Default, &mut out);
                    out.push(b'\n');
                }
            }
        }
        Some(out)
    }
}

/// When it was: `timeNano` since Podman 5, `Time` as a text before.
fn moment(event: &Json) -> Option<i128> {
    if let Some(nanos) = part(event, "/timeNano").as_i64() {
        return Some(nanos.into());
    }
    let time = Time::parse(text(event, "Time"))?;
    Some(i128::from(time.secs) * 1_000_000_000 + i128::from(time.nanos))
}

/// moby's `events.Message`.
struct Message {
    kind: &'static str,
    action: String,
    id: String,
    attributes: Map<String, Json>,
    /// A container's image.
    from: String,
    nanos: i128,
}

impl Message {
    /// As the daemon sends it: the older fields only where they always were.
    fn json(&self) -> Json {
        let mut json = json!({"Type": self.kind, "Action": self.action, "Actor": {"ID": self.id, "Attributes": self.attributes},
            "scope": "local", "time": (self.nanos / 1_000_000_000) as i64, "timeNano": self.nanos as i64});
        if matches!(self.kind, "container" | "image") {
            json["status"] = self.action.as_str().into();
            json["id"] = self.id.as_str().into();
            json["from"] = self.from.as_str().into();
        }
        json
    }

    /// docker/cli's `prettyPrintEvent`.
    fn in_words(&self) -> String {
        let time = Time::local((self.nanos.div_euclid(1_000_000_000)) as i64, self.nanos.rem_euclid(1_000_000_000) as u32);
        let mut attributes: Vec<(&String, &str)> = self.attributes.iter().map(|(k, v)| (k, v.as_str().unwrap_or_default())).collect();
        attributes.sort();
        let listed = attributes.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ");
        let listed = if attributes.is_empty() { listed } else { format!(" ({listed})") };
        format!("{} {} {} {}{listed}\n", time.rfc3339_fixed(), self.kind, self.action, self.id)
    }

    fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).and_then(Json::as_str).unwrap_or_default()
    }
}

/// A name without the registry that is meant where none is named.
fn familiar(name: &str) -> String {
    let bare = name.strip_prefix("docker.io/").unwrap_or(name);
    bare.strip_prefix("library/").unwrap_or(bare).to_string()
}

/// A familiar name without tag and digest.
fn repository(name: &str) -> String {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository.to_string(),
        _ => name.to_string(),
    }
}

/// `--filter` of events: keys that nobody knows are let be (moby `daemon/events/filter.go`).
#[derive(Debug, Default)]
pub struct Filters(pub Vec<(String, String)>);

impl Filters {
    fn values<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(k, _)| k == key).map(|(_, value)| value.as_str())
    }
    fn exactly(&self, key: &str, text: &str) -> bool {
        self.values(key).next().is_none() || self.values(key).any(|value| value == text)
    }
    fn by_start(&self, key: &str, text: &str) -> bool {
        self.exactly(key, text) || self.values(key).any(|value| text.starts_with(value))
    }

    fn include(&self, message: &Message) -> bool {
        // Three actions go on after a colon.
        let started = self.values("event").any(|event| matches!(event, "health_status" | "exec_create" | "exec_start"));
        let event = if started { self.by_start("event", &message.action) } else { self.exactly("event", &message.action) };
        const NAMED: [&str; 9] = ["daemon", "container", "plugin", "volume", "network", "node", "service", "secret", "config"];
        let named = |key: &&str| self.by_start(key, &message.id) || self.by_start(key, message.attribute("name"));
        event
            && self.exactly("type", message.kind)
            && self.exactly("scope", "local")
            && NAMED.iter().all(named)
            && self.image(message)
            && self.labels(message)
    }

    fn image(&self, message: &Message) -> bool {
        let name = message.attribute(if message.kind == "image" { "name" } else { "image" });
        let stripped = |name: &str| Reference::parse(name.as_ref()).map_or_else(|_| name.to_string(), |r| repository(&r.familiar()));
        [&message.id, name, &stripped(&message.id), &stripped(name)].iter().any(|name| self.exactly("image", name))
    }

    fn labels(&self, message: &Message) -> bool {
        self.values("label").all(|label| {
            let (key, value) = label.split_once('=').map_or((label, None), |(key, value)| (key, Some(value)));
            let found = message.attributes.get(key).and_then(Json::as_str);
            found.is_some_and(|found| value.is_none_or(|value| value == found))
        })
    }
}

static POINTER: Type = Type::Ptr(&MESSAGE);

static MESSAGE: Type = Type::Struct(&Struct::new(
    "events.Message",
    &[
        Field::new("Status", "status", &STRING).omitempty(),
        Field::new("ID", "id", &STRING).omitempty(),
        Field::new("From", "from", &STRING).omitempty(),
        Field::new("Type", "Type", &STRING),
        Field::new("Action", "Action", &STRING),
        Field::new("Actor", "Actor", &ACTOR),
        Field::new("Scope", "scope", &STRING).omitempty(),
        Field::new("Time", "time", &INT64).omitempty(),
        Field::new("TimeNano", "timeNano", &INT64).omitempty(),
    ],
));

static ACTOR: Type =
    Type::Struct(&Struct::new("events.Actor", &[Field::new("ID", "ID", &STRING), Field::new("Attributes", "Attributes", &MAP_OF_STRINGS)]));

static INT64: Type = Type::Int("int64");
