//! `docker stats` (docker/cli `cli/command/container/stats.go`, `formatter_stats.go`).

use std::ffi::OsStr;

use serde_json::Value as Json;

use super::part;
use crate::plan::{Answer, Call};
use crate::render::formatter;
use crate::render::value::{Data, Field, STRING, Struct, Type};
use crate::render::{Answered, Desk, Stream, text, units};

/// What podman is asked for: a line of JSON for each container, and after each round of them [`END`].
pub const PODMAN_FORMAT: &str = concat!(
    r#"{{range .}}{"id":{{json .ContainerID}},"name":{{json .Name}},"cpu":{{.CPU}},"mem":{{.ContainerStats.MemUsage}},"#,
    r#""limit":{{.MemLimit}},"perc":{{.ContainerStats.MemPerc}},"net":{{json .NetIO}},"in":{{.BlockInput}},"out":{{.BlockOutput}},"#,
    r#""pids":{{.PIDs}}}"#,
    "\n{{end}}#\n"
);

/// What ends a round.
const END: &[u8] = b"#";

/// `docker stats`, of the lines of `podman stats` in [`PODMAN_FORMAT`].
#[derive(Debug)]
pub struct Stats {
    format: String,
    full_ids: bool,
    once: bool,
    /// Stopped containers too.
    all: bool,
    /// The containers as typed; empty for all.
    named: Vec<String>,
    /// `podman ps`, `podman container exists`.
    list: Call,
    exists: Call,
    rounds: usize,
    round: Vec<Json>,
    /// The containers there are, newest first: ID and whether it runs.
    known: Vec<(String, bool)>,
    failed: Option<String>,
}

impl Stats {
    /// `format` is the caller's, or the configuration's.
    pub fn new(format: &str, [full_ids, once, all]: [bool; 3], named: Vec<String>, list: Call, exists: Call) -> Stats {
        let format = if format == formatter::TABLE { TABLE_FORMAT } else { format }.to_string();
        let (rounds, round, known, failed) = (0, vec![], vec![], None);
        Stats { format, full_ids, once, all, named, list, exists, rounds, round, known, failed }
    }

    /// The containers of a round as Docker lists them: as named, or newest first.
    fn in_order(&mut self, round: Vec<Json>, desk: &Desk) -> Vec<(String, Json)> {
        if !self.named.is_empty() {
            let is = |name: &str, one: &Json| text(one, "name") == name || text(one, "id").starts_with(name);
            let found = |name: &String| {
                let exactly = round.iter().find(|one| text(one, "name") == name);
                Some((name.clone(), exactly.or_else(|| round.iter().find(|one| is(name, one)))?.clone()))
            };
            return self.named.iter().filter_map(found).collect();
        }
        let known = |known: &[(String, bool)], one: &Json| known.iter().any(|(id, _)| id == text(one, "id"));
        if self.known.is_empty() || !round.iter().all(|one| known(&self.known, one)) {
            let list = (desk.asking)(&self.list, &[]);
            let lines = String::from_utf8_lossy(&list.stdout).into_owned();
            self.known = lines.lines().rev().filter_map(|line| line.split_once(' ')).map(|(id, state)| (id.into(), runs(state))).collect();
        }
        let place = |one: &Json| self.known.iter().position(|(id, _)| id == text(one, "id")).unwrap_or(usize::MAX);
        let mut round: Vec<Json> =
            round.into_iter().filter(|one| self.all || self.known.get(place(one)).is_none_or(|(_, runs)| *runs)).collect();
        round.sort_by_key(place);
        round.into_iter().map(|one| (text(&one, "id").to_string(), one)).collect()
    }

    /// Docker's text for a round.
    fn shown(&mut self, round: Vec<Json>, desk: &Desk) -> Vec<u8> {
        let containers = self.in_order(round, desk);
        let rows = containers.iter().map(|(name, one)| self.row(name, one));
        let table = match formatter::write(&self.format, HEADINGS, &ROW, rows) {
            Ok(table) => table,
            Err(error) => {
                self.failed = Some(error);
                return vec![];
            }
        };
        if self.once {
            return table;
        }
        // From the top left, every line once more with what is behind it erased, then all below erased: as Docker 28 does it.
        let first = [b"\x1b[H".as_slice(), &table].concat();
        let mut out = first.clone();
        for line in first.split(|b| *b == b'\n') {
            out.extend_from_slice(line);
            out.extend_from_slice(b" \x1b[K\n");
        }
        out.extend_from_slice(b"\x1b[J");
        out
    }

    fn row(&self, container: &str, one: &Json) -> Data {
        let number = |key: &str| part(one, &format!("/{key}")).as_f64().unwrap_or_default();
        let percent = |key: &str| format!("{:.2}%", number(key));
        let (received, sent) = text(one, "net").split_once(" / ").unwrap_or_default();
        let size = |bytes: f64| units::human_size_with_precision(bytes, 3);
        let (id, name) = (text(one, "id"), text(one, "name"));
        Data::Ptr(Box::new(Data::Struct(vec![
            container.into(),
            if name.is_empty() { "--" } else { name }.into(),
            if self.full_ids { id } else { formatter::truncate_id(id) }.into(),
            percent("cpu").into(),
            format!("{} / {}", units::bytes_size(number("mem")), units::bytes_size(number("limit"))).into(),
            percent("perc").into(),
            format!("{} / {}", size(bytes(received)), size(bytes(sent))).into(),
            format!("{} / {}", size(number("in")), size(number("out"))).into(),
            part(one, "/pids").to_string().into(),
        ])))
    }
}

impl Stream for Stats {
    fn line(&mut self, line: &[u8], desk: &Desk) -> Option<Vec<u8>> {
        if line != END {
            if !line.is_empty() {
                self.round.push(serde_json::from_slice(line).ok()?);
            }
            return Some(vec![]);
        }
        let round = std::mem::take(&mut self.round);
        self.rounds += 1;
        // The first round has the processor's share since the container's start; Docker's is that of the last second.
        if self.once && self.rounds < 2 && round.iter().any(|one| part(one, "/pids") != 0) {
            return Some(vec![]);
        }
        let shown = self.shown(round, desk);
        self.rounds += usize::from(self.once);
        Some(shown)
    }

    fn done(&self) -> Option<Answer> {
        match &self.failed {
            Some(error) => Some(Answer::failed(error, 1)),
            None => (self.once && self.rounds > 1).then(Answer::default),
        }
    }

    fn failed(&self, _: &Answered, desk: &Desk) -> Option<Answer> {
        let missing = |name: &&String| (desk.asking)(&self.exists, &[OsStr::new(name.as_str())]).status == 1;
        let missing: Vec<&String> = self.named.iter().filter(missing).collect();
        let words = missing.iter().map(|name| format!("Error response from daemon: No such container: {name}"));
        (!missing.is_empty()).then(|| Answer::failed(words.collect::<Vec<_>>().join("\n"), 1))
    }
}

/// Whether a container in this state has figures. Podman 4 says `Up 5 seconds ago` in a template.
fn runs(state: &str) -> bool {
    let state = state.trim().to_lowercase();
    state.starts_with("up ") || matches!(state.as_str(), "running" | "paused" | "stopping")
}

/// What Podman writes as `1.128kB`.
fn bytes(size: &str) -> f64 {
    let digits = size.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(size.len());
    let power = ["B", "kB", "MB", "GB", "TB", "PB"].iter().position(|unit| *unit == &size[digits..]).unwrap_or(0);
    size[..digits].trim().parse::<f64>().unwrap_or_default() * 1000f64.powi(i32::try_from(power).unwrap_or(0))
}

const TABLE_FORMAT: &str = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";

const HEADINGS: &[(&str, &str)] = &[
    ("Container", "CONTAINER"),
    ("Name", "NAME"),
    ("ID", "CONTAINER ID"),
    ("CPUPerc", "CPU %"),
    ("MemUsage", "MEM USAGE / LIMIT"),
    ("MemPerc", "MEM %"),
    ("NetIO", "NET I/O"),
    ("BlockIO", "BLOCK I/O"),
    ("PIDs", "PIDS"),
];

static ROW: Type = Type::Ptr(&Type::Struct(&Struct::row(
    "container.statsContext",
    &[
        Field::new("Container", "", &STRING),
        Field::new("Name", "", &STRING),
        Field::new("ID", "", &STRING),
        Field::new("CPUPerc", "", &STRING),
        Field::new("MemUsage", "", &STRING),
        Field::new("MemPerc", "", &STRING),
        Field::new("NetIO", "", &STRING),
        Field::new("BlockIO", "", &STRING),
        Field::new("PIDs", "", &STRING),
    ],
    &[],
)));

#[cfg(test)]
mod tests {
    #[test]
    fn reads_podmans_sizes() {
        assert_eq!(["0B", "866B", "1.128kB", "2.5GB", ""].map(super::bytes), [0.0, 866.0, 1128.0, 2.5e9, 0.0]);
    }
}
