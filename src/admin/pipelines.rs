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
    pub verdict: Verdict,
}

/// What DockerInstaller@0 installs when it is not told.
const DEFAULT_VERSION: &str = "17.09.0-ce";
const TASKS: [&str; 5] = ["DockerInstaller@", "Docker@", "DockerCompose@", "ContainerStructureTest@", "AzureContainerApps@"];

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
    let lines: Vec<&str> = text.lines().collect();
    let mut tasks = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(task) = value(line, "task").filter(|task| TASKS.iter().any(|name| task.starts_with(name))) else { continue };
        let mut version = None;
        if task.starts_with("DockerInstaller@") {
            // The step's own lines are those indented deeper than its dash.
            let indent = indent_of(line);
            let own = lines[at + 1..].iter().take_while(|l| l.trim().is_empty() || indent_of(l) > indent);
            version = Some(own.filter_map(|l| value(l, "dockerVersion")).next().unwrap_or_else(|| DEFAULT_VERSION.to_string()));
        }
        let known = version.as_deref().filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
        let verdict = known.map_or(Verdict::Allow, |version| policy.verdict(version));
        tasks.push(Task { file: file.to_path_buf(), line: at + 1, task, version, verdict });
    }
    tasks
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The value of a key on its line, unquoted and without a comment.
fn value(line: &str, key: &str) -> Option<String> {
    let line = line.trim_start();
    let line = line.strip_prefix("- ").map_or(line, str::trim_start);
    let rest = line.strip_prefix(key)?.trim_start().strip_prefix(':')?.trim();
    let quoted = |quote: char| rest.strip_prefix(quote).and_then(|inner| inner.split(quote).next());
    let plain = || rest.split(" #").next().unwrap_or_default().trim();
    let value = quoted('\'').or_else(|| quoted('"')).unwrap_or_else(plain);
    (!value.is_empty()).then(|| value.to_string())
}

/// A table, or JSON.
pub fn report(tasks: &[Task], as_json: bool) -> String {
    let word = |verdict: Verdict| match verdict {
        Verdict::Allow => "allow",
        Verdict::Warn => "warn",
        Verdict::Refuse => "refuse",
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
    match tasks.iter().map(|t| t.verdict).max() {
        Some(Verdict::Refuse) => 2,
        Some(Verdict::Warn) => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_tasks_and_versions() {
        let text = "steps:\n- task: DockerInstaller@0\n  displayName: x\n  inputs:\n    dockerVersion: '19.03.4' # old\n- ${{ if eq(parameters.x, 'y') }}:\n  - task: DockerInstaller@0\n- task: Docker@2\n  inputs:\n    dockerVersion: 1\n- script: task: Docker@1\n- task: \"DockerInstaller@0\"\n  inputs:\n    releaseType: stable\n    dockerVersion: $(v)\n";
        let tasks = tasks_of(Path::new("a.yml"), text, &Policy::default());
        let seen: Vec<_> = tasks.iter().map(|t| (t.line, t.task.as_str(), t.version.as_deref(), t.verdict)).collect();
        assert_eq!(
            seen,
            [
                (2, "DockerInstaller@0", Some("19.03.4"), Verdict::Warn),
                (7, "DockerInstaller@0", Some("17.09.0-ce"), Verdict::Warn),
                (8, "Docker@2", None, Verdict::Allow),
                (12, "DockerInstaller@0", Some("$(v)"), Verdict::Allow),
            ]
        );
        assert_eq!(status(&tasks), 1);
    }
}
