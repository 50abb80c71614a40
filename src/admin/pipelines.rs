//! `docker-shim scan-pipelines`: which Docker clients and tasks the pipelines of a repository ask for.
//!
//! Pipelines are read line by line rather than as YAML: templates hold expressions (`${{ if … }}`) that are not YAML until Azure has
//! filled them in, and what is looked for stands on lines of its own.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::installer::{Policy, Verdict};
use crate::render::tabwriter;

/// A task that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Task {
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// `DockerInstaller@0`.
    pub task: String,
    /// The client asked for: DockerInstaller's only. Its default where none is given.
    pub version: Option<String>,
    /// None where the version is a variable's, or a range.
    pub verdict: Option<Verdict>,
}

/// What DockerInstaller@0 installs when it is not told.
const DEFAULT_VERSION: &str = "17.09.0-ce";
/// What stands for a version that only the template's caller knows.
const FILLED_IN: &str = "${{...}}";
const TASKS: [&str; 7] =
    ["DockerInstaller@", "Docker@", "DockerCompose@", "ContainerBuild@", "ContainerStructureTest@", "AzureContainerApps@", "AzureIoTEdge@"];

/// The tasks in files, and in the `.yml` and `.yaml` files below directories.
pub fn scan(paths: &[PathBuf], policy: &Policy) -> std::io::Result<Vec<Task>> {
    let mut tasks = Vec::new();
    for path in paths {
        for file in files(path)? {
            let text = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
            tasks.extend(tasks_of(&file, &text, policy));
        }
    }
    Ok(tasks)
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut entries: Vec<PathBuf> = fs::read_dir(path)?.filter_map(|e| Some(e.ok()?.path())).collect();
    entries.sort();
    let mut found = Vec::new();
    for entry in entries {
        let link = fs::symlink_metadata(&entry).is_ok_and(|m| m.is_symlink());
        if entry.is_dir() && !link && !entry.ends_with(".git") {
            found.extend(files(&entry)?);
        } else if entry.extension().is_some_and(|e| e == "yml" || e == "yaml") {
            found.push(entry);
        }
    }
    Ok(found)
}

fn tasks_of(file: &Path, text: &str, policy: &Policy) -> Vec<Task> {
    let (task_key, version_key) = (Key::new("task"), Key::new("dockerVersion"));
    let lines: Vec<&str> = text.lines().collect();
    let mut tasks = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((column, task)) = task_key.value(line) else { continue };
        let Some(name) = TASKS.iter().find(|name| task.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))) else {
            continue;
        };
        let row = |version: Option<String>, verdict| Task { file: file.to_path_buf(), line: at + 1, task: task.clone(), version, verdict };
        if *name != TASKS[0] {
            tasks.push(row(None, Some(Verdict::Allow)));
            continue;
        }
        // More than one where a template chooses by `${{ if … }}`.
        let mut versions: Vec<String> = step(&lines, at, column).filter_map(|line| Some(version_key.value(line)?.1)).collect();
        versions.dedup();
        if versions.is_empty() {
            let filled_in = step(&lines, at, column).any(leaves_inputs_open);
            versions.push(if filled_in { FILLED_IN } else { DEFAULT_VERSION }.to_string());
        }
        tasks.extend(versions.into_iter().map(|version| {
            let verdict = is_number(&version).then(|| policy.verdict(&version));
            row(Some(version), verdict)
        }));
    }
    tasks
}

/// Whether a template's caller decides what a step's inputs are: `inputs: ${{ parameters.x }}`, `${{ insert }}: …`, `${{ each … }}:`.
fn leaves_inputs_open(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches("- ").to_lowercase();
    let key =
        |name: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().trim_start_matches(':').trim_start().starts_with("${{"));
    let expression = line.strip_prefix("${{").map(str::trim_start);
    key("inputs") || expression.is_some_and(|word| word.starts_with("insert") || word.starts_with("each"))
}

/// The lines of a step, of which one has a key at a column: from its dash to what stands further left.
fn step<'a>(lines: &'a [&'a str], at: usize, column: usize) -> impl Iterator<Item = &'a str> {
    let inside = move |line: &&&str| line.trim().is_empty() || indent_of(line) >= column;
    let dash = |line: &str| line.trim_start().starts_with('-');
    let before = if dash(lines[at]) { 0 } else { lines[..at].iter().rev().take_while(inside).count() };
    // The dash's own line stands further left.
    let first = if before < at && !dash(lines[at]) && dash(lines[at - before - 1]) { before + 1 } else { before };
    lines[at - first..=at].iter().chain(lines[at + 1..].iter().take_while(inside)).copied()
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Whether a version is one that policy can judge: neither a variable nor a range.
fn is_number(version: &str) -> bool {
    version.starts_with(|c: char| c.is_ascii_digit())
        && version.split('-').next().is_some_and(|numbers| numbers.split('.').all(|n| n.parse::<u32>().is_ok()))
}

/// A key of a mapping, in block style at its line's start or in flow style within braces. Azure's keys know no case.
struct Key(regex_lite::Regex);

impl Key {
    fn new(name: &str) -> Key {
        let value = r#"(?:'([^']*)'|"([^"]*)"|(\$\{\{.*?\}\}|[^\s,}#'"][^\s,}]*))"#;
        let pattern = format!(r"(?i)^\s*(?:-\s+)*(?:(?:\w+\s*:\s*)?\{{(?:.*[{{,])?\s*)?({name})\s*:\s*{value}");
        Key(regex_lite::Regex::new(&pattern).expect("a pattern of ours"))
    }
    /// The key's column and its value, unquoted and without a comment.
    fn value(&self, line: &str) -> Option<(usize, String)> {
        let found = self.0.captures(line)?;
        let value = (2..=4).find_map(|group| found.get(group))?;
        (!value.as_str().is_empty()).then(|| (found.get(1).map_or(0, |key| key.start()), value.as_str().to_string()))
    }
}

/// A table, or JSON.
pub fn report(tasks: &[Task], as_json: bool) -> String {
    let word = |verdict: Option<Verdict>| match verdict {
        Some(Verdict::Allow) => "allow",
        Some(Verdict::Warn) => "warn",
        Some(Verdict::Refuse) => "refuse",
        None => "unknown",
    };
    if as_json {
        let list: Vec<_> = tasks
            .iter()
            .map(|t| json!({ "file": t.file.to_string_lossy(), "line": t.line, "task": t.task, "version": t.version, "policy": word(t.verdict) }))
            .collect();
        return format!("{}\n", json!(list));
    }
    let mut text = String::from("PLACE\tTASK\tVERSION\tPOLICY\n");
    for t in tasks {
        let version = t.version.as_deref().unwrap_or("-");
        text.push_str(&format!("{}:{}\t{}\t{version}\t{}\n", t.file.display(), t.line, t.task, word(t.verdict)));
    }
    tabwriter::align(&text, 10, 3)
}

/// The exit status for CI: 2 where something is refused, 1 where something is warned of.
pub fn status(tasks: &[Task]) -> u8 {
    match tasks.iter().filter_map(|t| t.verdict).max() {
        Some(Verdict::Refuse) => 2,
        Some(Verdict::Warn) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_templates() {
        let text = r#"parameters:
- name: version
  type: string
  default: '19.03.4'
- name: setup
  type: stepList
  default:
  - task: DockerInstaller@0
    inputs:
      dockerVersion: 18.09.9
extends:
  template: base.yml
  parameters:
    steps:
    - task: DockerInstaller@0
      inputs:
        ${{ if eq(parameters.new, true) }}:
          dockerVersion: 28.5.2
        ${{ else }}:
          dockerVersion: 19.03.15
resources:
  containers:
  - container: build
    image: registry/build:1
    type: docker
jobs:
- deployment: d
  container: build
  environment: e
  strategy:
    runOnce:
      deploy:
        steps:
        - task: DockerInstaller@0
          inputs: ${{ parameters.inputs }}
      on:
        failure:
          steps:
          - ${{ each step in parameters.steps }}:
            - task: DockerInstaller@0
              inputs:
                ${{ insert }}: ${{ parameters.inputs }}
          - ${{ if parameters.compose }}:
            - task: DockerCompose@1
    rolling:
      preDeploy: {steps: [{task: DockerInstaller@0, inputs: {dockerVersion: 17.03.0-ce}}]}
"#;
        let tasks = tasks_of(Path::new("a.yml"), text, &Policy::default());
        let seen: Vec<_> = tasks.iter().map(|t| (t.line, t.task.as_str(), t.version.as_deref(), t.verdict)).collect();
        assert_eq!(
            seen,
            [
                (8, "DockerInstaller@0", Some("18.09.9"), Some(Verdict::Warn)),
                (15, "DockerInstaller@0", Some("28.5.2"), Some(Verdict::Allow)),
                (15, "DockerInstaller@0", Some("19.03.15"), Some(Verdict::Warn)),
                (34, "DockerInstaller@0", Some(FILLED_IN), None),
                (40, "DockerInstaller@0", Some(FILLED_IN), None),
                (44, "DockerCompose@1", None, Some(Verdict::Allow)),
                (46, "DockerInstaller@0", Some("17.03.0-ce"), Some(Verdict::Warn)),
            ]
        );
    }

    #[test]
    fn finds_tasks_and_versions() {
        let text = r#"steps:
- task: DockerInstaller@0
  displayName: x
  inputs:
    dockerVersion: '19.03.4' # old
- ${{ if eq(parameters.x, 'y') }}:
  - task: DockerInstaller@0
- task: Docker@2
  inputs:
    dockerVersion: 1
- script: task: Docker@1
- task: "dockerinstaller@0"
  inputs:
    releaseType: stable
    dockerVersion: $(v)
- displayName: the task comes after its inputs
  inputs:
    DockerVersion: "28.5.2"

  task: DockerInstaller@0
- { task: DockerInstaller@0, inputs: { dockerVersion: 18.09.9, releaseType: stable } }
- task: DockerInstaller@0
  inputs: { releaseType: stable, dockerVersion: 20.10.24 }
# - task: DockerInstaller@0
- task: DockerInstaller@0
  inputs:
    # dockerVersion: 19.03.4
    dockerVersion: ${{ parameters.version }}
- task: DockerInstaller@0
  inputs:
    dockerVersion: 19.x
"#;
        let tasks = tasks_of(Path::new("a.yml"), text, &Policy::default());
        let seen: Vec<_> = tasks.iter().map(|t| (t.line, t.task.as_str(), t.version.as_deref(), t.verdict)).collect();
        assert_eq!(
            seen,
            [
                (2, "DockerInstaller@0", Some("19.03.4"), Some(Verdict::Warn)),
                (7, "DockerInstaller@0", Some("17.09.0-ce"), Some(Verdict::Warn)),
                (8, "Docker@2", None, Some(Verdict::Allow)),
                (12, "dockerinstaller@0", Some("$(v)"), None),
                (20, "DockerInstaller@0", Some("28.5.2"), Some(Verdict::Allow)),
                (21, "DockerInstaller@0", Some("18.09.9"), Some(Verdict::Warn)),
                (22, "DockerInstaller@0", Some("20.10.24"), Some(Verdict::Allow)),
                (25, "DockerInstaller@0", Some("${{ parameters.version }}"), None),
                (29, "DockerInstaller@0", Some("19.x"), None),
            ]
        );
        assert_eq!(status(&tasks), 1);
    }
}
