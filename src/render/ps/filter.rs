//! `docker ps --filter`, as dockerd applies it (moby `daemon/list.go`): of several filters of one kind any is enough but for labels,
//! and of every kind one has to match.

use regex_lite::Regex;

use crate::grammar::go::{parse_int, parse_uint};

/// The kinds of filters.
pub const KNOWN: &[&str] = &[
    "ancestor",
    "before",
    "exited",
    "health",
    "expose",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
];

const STATES: [&str; 7] = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const HEALTHS: [&str; 4] = ["none", "starting", "healthy", "unhealthy"];

/// Filters whose values are valid.
#[derive(Debug, Default)]
pub struct Filters {
    given: Vec<(String, String)>,
    exited: Vec<i64>,
    is_task: Option<bool>,
    publish: Vec<Ports>,
    expose: Vec<Ports>,
}

/// Some ports of one protocol.
#[derive(Debug)]
struct Ports {
    first: u64,
    last: u64,
    proto: String,
}

impl Filters {
    /// Reads filters of known kinds. Errors: values that the daemon does not take, in its words and its order.
    pub fn parse(given: Vec<(String, String)>) -> Result<Filters, String> {
        let mut filters = Filters { given, ..Filters::default() };
        for value in filters.all("exited").map(str::to_string).collect::<Vec<_>>() {
            let number = parse_int(value.as_bytes(), 10, 64);
            filters
                .exited
                .push(number.map_err(|fault| format!("invalid filter 'exited={value}': {}", fault.of("Atoi", value.as_bytes())))?);
        }
        filters.valid("status", "state", &STATES)?;
        filters.is_task = filters.truth("is-task")?;
        filters.valid("health", "health", &HEALTHS)?;
        filters.publish = filters.all("publish").map(|value| ports("publish", value)).collect::<Result<_, _>>()?;
        filters.expose = filters.all("expose").map(|value| ports("expose", value)).collect::<Result<_, _>>()?;
        Ok(filters)
    }

    fn valid(&self, key: &str, what: &str, valid: &[&str]) -> Result<(), String> {
        let Some(value) = self.all(key).find(|value| !valid.contains(value)) else { return Ok(()) };
        Err(format!("invalid filter '{key}={value}': invalid value for {what} ({value}): must be one of {}", valid.join(", ")))
    }

    /// The values of a kind.
    pub fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.given.iter().filter(move |(k, _)| k == key).map(|(_, value)| value.as_str())
    }

    /// Whether there is a filter of the kind.
    pub fn has(&self, key: &str) -> bool {
        self.all(key).next().is_some()
    }

    /// `GetBoolOrDefault`, without a default.
    fn truth(&self, key: &str) -> Result<Option<bool>, String> {
        if !self.has(key) {
            return Ok(None);
        }
        let any = |words: [&str; 2]| self.all(key).any(|value| words.contains(&value));
        match (any(["1", "true"]), any(["0", "false"])) {
            (true, false) => Ok(Some(true)),
            (false, true) => Ok(Some(false)),
            _ => Err(format!("invalid filter '{key}=[{}]'", self.all(key).collect::<Vec<_>>().join(" "))),
        }
    }

    /// `Match`: any of the values, itself or as a regular expression.
    fn matches(&self, key: &str, texts: &[&str]) -> bool {
        let any =
            |value: &str| texts.contains(&value) || Regex::new(value).is_ok_and(|regex| texts.iter().any(|text| regex.is_match(text)));
        !self.has(key) || self.all(key).any(any)
    }

    /// Whether a container of the name and ID may be shown. `all_ids` are those of all containers: a start that several have finds none.
    pub fn take_name_and_id(&self, name: &str, id: &str, all_ids: &[&str]) -> bool {
        let found = |start: &str| {
            !start.is_empty() && id.starts_with(start) && all_ids.iter().filter(|other| other.starts_with(start)).count() == 1
        };
        let by_id = !self.has("id") || self.all("id").any(found);
        by_id && self.matches("name", &[name, &format!("/{name}")])
    }

    /// Whether the labels are there, all of them (`MatchKVList`).
    pub fn take_labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.all("label").all(|wanted| match wanted.split_once('=') {
            Some((name, value)) => label(name) == Some(value),
            None => label(wanted).is_some(),
        })
    }

    /// No container is a task of swarm mode.
    pub fn take_tasks(&self) -> bool {
        self.is_task != Some(true)
    }

    /// The exit status of a container that has run and does no more.
    pub fn take_exit(&self, status: Option<i64>) -> bool {
        !self.has("exited") || status.is_some_and(|status| self.exited.contains(&status))
    }

    /// A value that has to be one of the filter's.
    pub fn take_exactly(&self, key: &str, texts: &[&str]) -> bool {
        !self.has(key) || self.all(key).any(|value| texts.contains(&value))
    }

    /// Whether one of the ports is published or exposed as wanted; either is enough.
    pub fn take_ports(&self, container: &[super::Port]) -> bool {
        let any = |wanted: &[Ports], port: u16, proto: &str| {
            wanted.iter().any(|range| range.proto == proto && (range.first..=range.last).contains(&u64::from(port)))
        };
        let takes = |port: &super::Port| any(&self.publish, port.public, &port.proto) || any(&self.expose, port.private, &port.proto);
        (self.publish.is_empty() && self.expose.is_empty()) || container.iter().any(takes)
    }
}

/// `portOp`: a port or a range, with a protocol or without.
fn ports(key: &str, value: &str) -> Result<Ports, String> {
    if value.contains(':') {
        return Err(format!("filter for '{key}' should not contain ':': {value}"));
    }
    let error = |words: String| format!("error while looking up for {key} {value}: {words}");
    let mut parts = value.split('/');
    let (port, proto) = (parts.next().unwrap_or_default(), parts.next().filter(|p| !p.is_empty()).unwrap_or("tcp"));
    if port.is_empty() {
        return Err(error("empty string specified for ports".into()));
    }
    let number = |text: &str| parse_uint(text.as_bytes(), 10, 16).map_err(|fault| error(fault.of("ParseUint", text.as_bytes())));
    let mut ends = port.split('-');
    let first = number(ends.next().unwrap_or_default())?;
    let last = ends.next().map_or(Ok(first), number)?;
    if last < first {
        return Err(error(format!("invalid range specified for port: {port}")));
    }
    Ok(Ports { first, last, proto: proto.to_string() })
}
