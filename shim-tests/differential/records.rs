//! Answers, and real Docker's answers kept in the repository: `shim-tests/records/GROUP.json`, written by the harness
//! and never by hand.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};

use crate::cases::Case;

/// What of an answer is compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Aspect {
    Status,
    Stdout,
    Stderr,
    State,
}

impl Aspect {
    pub const ALL: [Aspect; 4] = [Aspect::Status, Aspect::Stdout, Aspect::Stderr, Aspect::State];

    pub fn name(self) -> &'static str {
        match self {
            Aspect::Status => "status",
            Aspect::Stdout => "stdout",
            Aspect::Stderr => "stderr",
            Aspect::State => "state",
        }
    }

    pub fn parse(name: &str) -> Result<Aspect> {
        Aspect::ALL
            .into_iter()
            .find(|aspect| aspect.name() == name)
            .with_context(|| format!("'{name}' is none of status, stdout, stderr, state"))
    }
}

/// What an engine did with a case, normalised. Texts are split at line feeds, so a text that ends with one has an empty
/// last line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    pub status: String,
    pub stdout: Vec<String>,
    pub stderr: Vec<String>,
    /// How the engine's state differs from the base state, and the output of the case's probes.
    pub state: Vec<String>,
}

impl Answer {
    /// The aspect as lines, for comparing and for showing.
    pub fn lines(&self, aspect: Aspect) -> Vec<&str> {
        match aspect {
            Aspect::Status => vec![&self.status],
            Aspect::Stdout => self.stdout.iter().map(String::as_str).collect(),
            Aspect::Stderr => self.stderr.iter().map(String::as_str).collect(),
            Aspect::State => self.state.iter().map(String::as_str).collect(),
        }
    }

    /// The aspects in which two answers to the case differ.
    pub fn differences(&self, other: &Answer, case: &Case) -> Vec<Aspect> {
        Aspect::ALL.into_iter().filter(|aspect| !case.without.contains(aspect) && self.lines(*aspect) != other.lines(*aspect)).collect()
    }

    fn to_json(&self, case: &Case) -> Value {
        let mut object = Map::new();
        object.insert("case".to_owned(), lines_of(&case.text));
        object.insert("status".to_owned(), json!(self.status));
        for aspect in [Aspect::Stdout, Aspect::Stderr, Aspect::State] {
            if !case.without.contains(&aspect) {
                object.insert(aspect.name().to_owned(), json!(self.lines(aspect)));
            }
        }
        Value::Object(object)
    }

    fn from_json(value: &Value) -> Answer {
        let list = |key: &str| value[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Answer {
            status: value["status"].as_str().unwrap_or_default().to_owned(),
            stdout: list("stdout"),
            stderr: list("stderr"),
            state: list("state"),
        }
    }
}

fn lines_of(text: &str) -> Value {
    json!(text.lines().collect::<Vec<_>>())
}

/// The records of one group.
struct Group {
    /// The version of the Docker that gave the answers.
    docker: String,
    cases: Map<String, Value>,
}

/// All records, by group.
pub struct Records {
    directory: PathBuf,
    groups: BTreeMap<String, Group>,
}

impl Records {
    pub fn load(directory: &Path, cases: &[Case]) -> Result<Records> {
        let mut groups = BTreeMap::new();
        for case in cases {
            if groups.contains_key(&case.group) {
                continue;
            }
            let path = directory.join(format!("{}.json", case.group));
            if !path.exists() {
                continue;
            }
            let value: Value = serde_json::from_str(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?;
            let (Some(docker), Some(cases)) = (value["docker"].as_str(), value["cases"].as_object()) else {
                bail!("{} is no record", path.display());
            };
            groups.insert(case.group.clone(), Group { docker: docker.to_owned(), cases: cases.clone() });
        }
        Ok(Records { directory: directory.to_owned(), groups })
    }

    /// Docker's recorded answer; the error says that there is none, or that it is of another script.
    pub fn answer(&self, case: &Case) -> Result<Answer, String> {
        let record = self.groups.get(&case.group).and_then(|group| group.cases.get(&case.name));
        match record {
            None => Err("not recorded; re-record with DOCKER_SHIM_RECORD=1".to_owned()),
            Some(record) if record["case"] != lines_of(&case.text) => {
                Err("the record is of another script; re-record with DOCKER_SHIM_RECORD=1".to_owned())
            }
            Some(record) => Ok(Answer::from_json(record)),
        }
    }

    /// The version of Docker whose answers the group holds.
    pub fn docker(&self, group: &str) -> Option<&str> {
        self.groups.get(group).map(|group| group.docker.as_str())
    }

    /// The recorded cases that no case file has any more.
    pub fn orphans(&self, cases: &[Case]) -> Vec<String> {
        let known = |group: &str, name: &str| cases.iter().any(|case| case.group == group && case.name == name);
        self.groups
            .iter()
            .flat_map(|(group, records)| {
                records.cases.keys().filter(|name| !known(group, name)).map(move |name| format!("{group}: {name}"))
            })
            .collect()
    }

    /// Takes in the answers of the Docker of that version and writes the files that change. Records of other cases stay,
    /// those without a case go. A group holds one version's answers: with another version it must be recorded whole.
    pub fn update(&mut self, version: &str, all: &[Case], answers: &[(&Case, Answer)]) -> Result<()> {
        for (case, answer) in answers {
            let group = self.groups.entry(case.group.clone()).or_insert_with(|| Group { docker: version.to_owned(), cases: Map::new() });
            if group.docker != version {
                group.docker = version.to_owned();
                group.cases.clear();
            }
            group.cases.insert(case.name.clone(), answer.to_json(case));
        }
        for (name, group) in &self.groups {
            let mut sorted = Map::new();
            for case in all.iter().filter(|case| case.group == *name) {
                if let Some(record) = group.cases.get(&case.name) {
                    sorted.insert(case.name.clone(), record.clone());
                }
            }
            let path = self.directory.join(format!("{name}.json"));
            let text = serde_json::to_string_pretty(&json!({ "docker": group.docker, "cases": sorted }))? + "\n";
            if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                fs::create_dir_all(&self.directory)?;
                fs::write(&path, text)?;
            }
        }
        Ok(())
    }
}
