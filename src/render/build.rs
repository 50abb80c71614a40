//! What a build says while it works: Podman's steps as BuildKit's plain progress, or as the builder before it wrote them.

use std::cell::Cell;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use super::{Answered, Desk, Progress, policy};
use crate::plan::Answer;

/// Whose words are used, and where they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// BuildKit: all on stderr (`--progress=plain`, and what a pipe gets).
    BuildKit,
    /// `DOCKER_BUILDKIT=0`: all on stdout; a step's own exit status is the command's.
    Classic,
    /// `--quiet`: the ID on stdout, the log only when it fails.
    Quiet,
    /// `--progress=none`: the same without the ID.
    Silent,
}

/// What comes of a build.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    #[default]
    Stored,
    /// A manifest list of several.
    List,
    /// Files or an archive of them.
    Files,
    /// An archive on stdout.
    FilesOnStdout,
    /// The cache alone.
    Nothing,
}

/// Follows `podman build`.
#[derive(Debug)]
pub struct Build {
    builder: Builder,
    /// The names that the image gets, in full, with a tag only where one was given.
    names: Vec<String>,
    /// The classic builder's last lines too, for callers that look for them on stdout whatever the builder.
    pub also_classic: bool,
    /// The file that the Dockerfile's text comes from.
    pub dockerfile: Option<Dockerfile>,
    /// How many steps the Dockerfile has; 0 where that is not known.
    pub steps: usize,
    /// Whether an image comes of it, rather than files.
    pub image: Image,
    /// Where facts about the result go.
    pub metadata: Option<PathBuf>,
    /// A name that the image has besides, of which nothing is told.
    pub kept: Option<String>,
    /// The target of a bake file, where there are several.
    pub target: Option<String>,
    /// What stands before the reason of a failure.
    pub failure: String,
    /// The machine's policy for images.
    pub policy: PathBuf,
    /// How many steps progress has told of.
    pub vertices: Rc<Cell<usize>>,
    /// Steps so far, over all stages.
    step: usize,
    /// The names of stages by their numbers from 1.
    stages: Vec<String>,
    current: Option<Step>,
    /// Whether the last stage is being stored: what comes now is Podman's own, not a step's output.
    committing: bool,
    id: Option<String>,
    error: Option<String>,
    log: Vec<u8>,
}

/// The file that is built from, for the lines that an error shows.
#[derive(Debug)]
pub struct Dockerfile {
    /// As it was named.
    pub name: String,
    pub text: String,
}

#[derive(Debug)]
struct Step {
    /// `[2/3] RUN true`.
    title: String,
    /// `RUN true`.
    instruction: String,
    began: Instant,
    cached: bool,
    output: Vec<String>,
}

impl Build {
    /// `names` are full names, with a tag only where one was given.
    pub fn new(builder: Builder, names: Vec<String>) -> Build {
        Build {
            builder,
            names,
            also_classic: false,
            dockerfile: None,
            steps: 0,
            image: Image::Stored,
            metadata: None,
            kept: None,
            target: None,
            failure: "failed to build: ".to_string(),
            policy: PathBuf::new(),
            vertices: Rc::default(),
            step: 0,
            stages: Vec::new(),
            current: None,
            committing: false,
            id: None,
            error: None,
            log: Vec::new(),
        }
    }

    /// One of Podman's lines, written to the log; gives nothing back: `line` takes the log.
    fn follow(&mut self, line: &str) {
        let (platform, line) = platform_of(line);
        if let Some((stage, number, of, instruction)) = step_line(line) {
            self.done();
            self.begin(platform, stage, number, of, instruction);
            return;
        }
        if let Some((before, _)) = line.rsplit_once("--> ").filter(|(_, id)| is_hex(id)) {
            // A step's last output may lack its end of line.
            if !before.is_empty() {
                self.output(before);
            }
            if self.builder == Builder::Classic {
                let id = line.rsplit(' ').next().unwrap_or_default();
                self.say(&format!(" ---> {}\n", id.get(..12).unwrap_or(id)));
            }
            self.done();
            return;
        }
        if line.strip_prefix("--> Using cache ").is_some_and(is_hex) {
            if let Some(step) = &mut self.current {
                step.cached = true;
            }
            // After the last step comes the ID.
            self.committing = true;
            if self.builder == Builder::Classic {
                self.say(" ---> Using cache\n");
            }
            return;
        }
        if let Some(before) = self.before_commit(line) {
            if !before.is_empty() {
                self.output(before);
            }
            self.done();
            self.committing = true;
            return;
        }
        if self.committing && is_hex(line) && line.len() == 64 {
            self.id = Some(line.to_string());
            return;
        }
        if line.starts_with("Successfully tagged ") || is_noise(line) || (self.current.is_none() && is_transfer(line)) {
            return;
        }
        if let Some(words) = line.strip_prefix("Error: ") {
            self.error = Some(words.to_string());
            return;
        }
        self.output(line);
    }

    /// What stands before `COMMIT NAME`: nothing, a stage's number, or a last output without its end of line.
    fn before_commit<'a>(&self, line: &'a str) -> Option<&'a str> {
        let (before, name) = line.rsplit_once("COMMIT")?;
        let name = name.strip_prefix(' ').unwrap_or(name);
        if !name.is_empty() && !self.names.iter().chain(&self.kept).any(|known| tagged(known) == name) {
            return None;
        }
        let at = before.rfind('[').filter(|at| before[at + 1..].trim_end_matches("] ").bytes().all(|b| b.is_ascii_digit() || b == b'/'));
        Some(&before[..at.unwrap_or(before.len())])
    }

    fn begin(&mut self, platform: &str, stage: Option<usize>, number: usize, of: usize, instruction: &str) {
        self.step += 1;
        self.committing = false;
        let before: Vec<&str> = self.target.as_deref().into_iter().chain([platform]).filter(|word| !word.is_empty()).collect();
        let (platform, space) = (before.join(" "), if before.is_empty() { "" } else { " " });
        let mut title = format!("[{platform}{space}{number}/{of}] {instruction}");
        if let Some(stage) = stage {
            if number == 1 {
                let named = instruction.to_ascii_lowercase().rfind(" as ").map(|at| instruction[at + 4..].trim().to_string());
                self.stages.truncate(stage.saturating_sub(1));
                self.stages.push(named.unwrap_or_else(|| format!("stage-{}", stage - 1)));
            }
            let name = self.stages.get(stage.saturating_sub(1)).map_or_else(|| format!("stage-{}", stage - 1), String::clone);
            title = format!("[{platform}{space}{name} {number}/{of}] {instruction}");
        }
        if self.builder == Builder::Classic {
            let instruction = &self.as_typed(instruction);
            let steps = if self.steps >= self.step { self.steps } else { of.max(self.step) };
            self.say(&format!("Step {}/{steps} : {instruction}\n", self.step));
        } else {
            if self.vertices.get() == 0 {
                self.say("#0 building with \"default\" instance using podman driver\n\n");
            }
            let vertex = self.next_vertex();
            self.say(&format!("#{vertex} {title}\n"));
        }
        let (instruction, began) = (instruction.to_string(), Instant::now());
        self.current = Some(Step { title, instruction, began, cached: false, output: Vec::new() });
    }

    fn output(&mut self, line: &str) {
        let Some(step) = &mut self.current else {
            self.say(&format!("{line}\n"));
            return;
        };
        let shown = format!("{:.3} {line}", step.began.elapsed().as_secs_f64());
        let vertex = self.vertices.get();
        step.output.push(shown.clone());
        match self.builder {
            Builder::Classic => self.say(&format!("{line}\n")),
            _ => self.say(&format!("#{vertex} {shown}\n")),
        }
    }

    /// The end of a step.
    fn done(&mut self) {
        let Some(step) = self.current.take() else { return };
        if self.builder == Builder::Classic {
            return;
        }
        let vertex = self.vertices.get();
        if step.cached {
            self.say(&format!("#{vertex} CACHED\n\n"));
        } else {
            self.say(&format!("#{vertex} DONE {:.1}s\n\n", step.began.elapsed().as_secs_f64()));
        }
    }

    /// A FROM with its image as the Dockerfile has it, where Podman was given the full name for it.
    fn as_typed(&self, instruction: &str) -> String {
        let name = instruction.strip_prefix("FROM ").and_then(|rest| rest.split(' ').next());
        match name.filter(|name| !self.text().contains(name) && self.text().contains(familiar(name))) {
            Some(name) => instruction.replacen(name, familiar(name), 1),
            None => instruction.to_string(),
        }
    }

    fn next_vertex(&self) -> usize {
        self.vertices.set(self.vertices.get() + 1);
        self.vertices.get()
    }

    fn say(&mut self, text: &str) {
        self.log.extend_from_slice(text.as_bytes());
    }

    fn finished(&mut self) {
        let id = self.id.clone().unwrap_or_default();
        let short = id.get(..12).unwrap_or(&id).to_string();
        let names = self.names.clone();
        if self.builder == Builder::Classic {
            self.say(&format!("Successfully built {short}\n"));
            names.iter().for_each(|name| self.say(&format!("Successfully tagged {}\n", familiar(&tagged(name)))));
            return;
        }
        if self.image == Image::Nothing {
            return;
        }
        let vertex = self.next_vertex();
        if matches!(self.image, Image::Files | Image::FilesOnStdout) {
            self.say(&format!("#{vertex} exporting to client\n#{vertex} DONE 0.0s\n"));
            return;
        }
        let target = self.target.as_ref().map(|name| format!("[{name}] ")).unwrap_or_default();
        self.say(&format!("#{vertex} {target}exporting to image\n"));
        if !id.is_empty() && self.image == Image::Stored {
            self.say(&format!("#{vertex} writing image sha256:{id} done\n"));
        }
        names.iter().for_each(|name| self.say(&format!("#{vertex} naming to {name} done\n")));
        self.say(&format!("#{vertex} DONE 0.0s\n"));
    }

    /// The Dockerfile's text, where it is known.
    fn text(&self) -> &str {
        self.dockerfile.as_ref().map_or("", |file| &file.text)
    }

    /// What went wrong, in BuildKit's words, after the step's own log.
    fn failed(&mut self, desk: &Desk) -> String {
        let words = self.error.clone().unwrap_or_else(|| "the build failed".to_string());
        let step = self.current.take();
        let rejected = |words: &str| policy::rejected(words, &self.policy, &|path| desk.read(path));
        let (at, instruction, reason) = reason(&words, step.as_ref(), self.text(), &rejected);
        let vertex = self.vertices.get();
        if let Some(step) = step.as_ref().filter(|_| !matches!(self.builder, Builder::Quiet | Builder::Silent)) {
            self.say(&format!("#{vertex} ERROR: {reason}\n------\n > {}:\n", step.title));
            let from = step.output.len().saturating_sub(10);
            step.output[from..].iter().for_each(|line| self.say(&format!("{line}\n")));
            self.say("------\n");
        }
        if let (Some(file), Some(instruction)) = (&self.dockerfile, instruction) {
            if let Some(excerpt) = excerpt(file, &instruction) {
                self.say(&excerpt);
            }
        }
        format!("ERROR: {}failed to solve: {at}{reason}", self.failure)
    }
}

impl Build {
    /// What is said when podman has ended with an exit status, and the command's own status.
    fn ended(&mut self, status: u8, desk: &Desk) -> Answer {
        let mut answer = Answer::default();
        if status == 0 {
            self.done();
            if self.builder == Builder::Silent {
                return answer;
            }
            if self.builder == Builder::Quiet {
                answer.stdout = match (self.image, &self.id) {
                    (Image::Stored, Some(id)) => format!("sha256:{id}\n").into_bytes(),
                    (Image::FilesOnStdout, _) => Vec::new(),
                    _ => b"\n".to_vec(),
                };
                return answer;
            }
            self.finished();
            let log = std::mem::take(&mut self.log);
            if self.builder == Builder::Classic {
                answer.stdout = log;
                return answer;
            }
            answer.stderr = log;
            if self.also_classic && self.image == Image::Stored {
                self.builder = Builder::Classic;
                self.finished();
                answer.stdout = std::mem::take(&mut self.log);
            }
            return answer;
        }
        if self.builder == Builder::Classic {
            let words = self.error.clone().unwrap_or_default();
            let rejected = |words: &str| policy::rejected(words, &self.policy, &|path| desk.read(path));
            let (_, _, reason) = reason(&words, self.current.as_ref(), self.text(), &rejected);
            answer.stdout = std::mem::take(&mut self.log);
            // The builder before BuildKit ends with the status of the command that failed.
            let command = reason.strip_prefix("process \"").and_then(|rest| rest.split_once("\" did not complete successfully"));
            answer.stderr = match command {
                Some((command, _)) => format!("The command '{command}' returned a non-zero code: {status}\n"),
                None => format!("{reason}\n"),
            }
            .into_bytes();
            answer.status = if command.is_some() { status } else { 1 };
            return answer;
        }
        if matches!(self.builder, Builder::Quiet | Builder::Silent) {
            self.log.clear();
        }
        let error = self.failed(desk);
        answer.stderr = std::mem::take(&mut self.log);
        answer.stderr.extend_from_slice(format!("{error}\n").as_bytes());
        answer.status = 1;
        answer
    }
}

impl Progress for Build {
    fn line(&mut self, line: &[u8]) -> Answer {
        let line = String::from_utf8_lossy(line);
        self.follow(line.strip_suffix('\r').unwrap_or(&line));
        let mut answer = Answer::default();
        match self.builder {
            Builder::BuildKit => answer.stderr = std::mem::take(&mut self.log),
            Builder::Classic => answer.stdout = std::mem::take(&mut self.log),
            Builder::Quiet | Builder::Silent => {}
        }
        answer
    }

    fn end(&mut self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        Some(self.ended(podman.status, desk))
    }

    /// As docker/cli and buildx say it; the classic builder's client goes without a word.
    fn canceled(&mut self, signal: u8) -> Answer {
        if self.builder == Builder::Classic {
            return Answer { status: 128 + signal, ..Answer::default() };
        }
        if self.builder != Builder::BuildKit {
            self.log.clear();
        } else if self.current.take().is_some() {
            let vertex = self.vertices.get();
            self.say(&format!("#{vertex} CANCELED\n"));
        }
        let failure = if self.target.is_none() { self.failure.as_str() } else { "" };
        let mut stderr = std::mem::take(&mut self.log);
        stderr.extend_from_slice(format!("ERROR: {failure}failed to solve: Canceled: context canceled\n").as_bytes());
        Answer { stderr, status: 130, ..Answer::default() }
    }

    /// With the keys that are known: those of the image (`buildx build --metadata-file`, docker driver).
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let Some(path) = &self.metadata else { return Vec::new() };
        let mut facts = serde_json::Map::new();
        if let (Image::Stored, Some(id)) = (self.image, &self.id) {
            facts.insert("containerimage.config.digest".into(), format!("sha256:{id}").into());
            facts.insert("containerimage.digest".into(), format!("sha256:{id}").into());
            if !self.names.is_empty() {
                facts.insert("image.name".into(), self.names.join(",").into());
            }
        }
        vec![(path.clone(), serde_json::to_vec_pretty(&facts).unwrap_or_default())]
    }
}

/// `[1/2] STEP 2/3: RUN true` or `STEP 2/3: RUN true`: stage, number, count, instruction.
fn step_line(line: &str) -> Option<(Option<usize>, usize, usize, &str)> {
    let rest = without_stage(line)?.strip_prefix("STEP ")?;
    let (numbers, instruction) = rest.split_once(": ")?;
    let (number, of) = numbers.split_once('/')?;
    let stage = line.strip_prefix('[').and_then(|rest| rest.split_once('/')).and_then(|(stage, _)| stage.parse().ok());
    Some((stage, number.parse().ok()?, of.parse().ok()?, instruction))
}

/// A line without the `[1/2] ` that Podman puts before it when there are several stages.
fn without_stage(line: &str) -> Option<&str> {
    match line.strip_prefix('[') {
        None => Some(line),
        Some(rest) => {
            let (numbers, rest) = rest.split_once("] ")?;
            numbers.bytes().all(|b| b.is_ascii_digit() || b == b'/').then_some(rest)
        }
    }
}

/// A full name with its tag.
fn tagged(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) { name.to_string() } else { format!("{name}:latest") }
}

/// A full name as Docker shows it.
fn familiar(name: &str) -> &str {
    let name = name.strip_prefix("docker.io/").unwrap_or(name);
    name.strip_prefix("library/").unwrap_or(name)
}

fn is_hex(text: &str) -> bool {
    (11..=64).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// `[linux/arm64] …`, where Podman builds for several platforms.
fn platform_of(line: &str) -> (&str, &str) {
    let found = line.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    found.filter(|(platform, _)| platform.starts_with("linux/") && !platform.contains(' ')).unwrap_or(("", line))
}

/// What Podman says when it copies an image.
fn is_transfer(line: &str) -> bool {
    ["Getting image source signatures", "Copying blob ", "Copying config ", "Writing manifest to image destination", "Storing signatures"]
        .iter()
        .any(|start| line.starts_with(start))
}

/// What Podman says beside the build itself, and Docker does not.
fn is_noise(line: &str) -> bool {
    line.starts_with("[Warning] one or more build args were not consumed")
        || line.starts_with("Resolved \"")
        || line.starts_with("Resolving \"")
        || (line.starts_with("time=\"") && (line.contains("\" level=warning ") || line.contains("UNHANDLED LOGLEVEL")))
}

/// Podman's error, in a build from a Dockerfile's `text`: what stands before it in Docker's, the instruction that failed, and Docker's reason.
fn reason(words: &str, step: Option<&Step>, text: &str, rejected: &dyn Fn(&str) -> Option<String>) -> (String, Option<String>, String) {
    let none = String::new;
    if let Some((instruction, why)) = words.strip_prefix("building at STEP \"").and_then(|rest| rest.split_once("\": ")) {
        let instruction = step.map_or(instruction, |step| &step.instruction).to_string();
        if let Some(code) = why.rsplit_once("exit status ").filter(|_| why.starts_with("while running runtime")).map(|(_, code)| code) {
            let command = instruction.split_once(' ').map_or("", |(_, rest)| rest).trim_start();
            let command = without_flags(command);
            let command = match serde_json::from_str::<Vec<String>>(command) {
                Ok(words) => words.join(" "),
                Err(_) => format!("/bin/sh -c {command}"),
            };
            return (none(), Some(instruction), format!("process \"{command}\" did not complete successfully: exit code: {code}"));
        }
        if let Some(name) = why.split_once("copier: stat: \"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name) {
            return ("failed to compute cache key: ".into(), Some(instruction), format!("\"{name}\": not found"));
        }
        if let Some(words) = of_mounts(why) {
            return (none(), Some(instruction), words);
        }
        if let Some((_, rest)) = why.split_once("Unknown instruction: \"") {
            let name = rest.split('"').next().unwrap_or_default().to_string();
            return ("dockerfile parse error: ".into(), Some(instruction), format!("unknown instruction: {name}"));
        }
        return (none(), Some(instruction), why.to_string());
    }
    if words == "building: no stages to build" {
        return (none(), None, "dockerfile contains no stages to build".into());
    }
    let instruction = step.map(|step| step.instruction.clone());
    if let Some(words) = rejected(words) {
        return (none(), instruction, words);
    }
    if words.contains("manifest unknown") || words.contains("name unknown") {
        let name = instruction.as_deref().and_then(|i| without_flags(i.split_once(' ')?.1).split_whitespace().next());
        if let Some(name) = name {
            let full =
                crate::plan::rules::references::Reference::parse(std::ffi::OsStr::new(name)).map_or(name.to_string(), |r| r.tagged());
            let typed = if text.is_empty() || text.contains(name) { name } else { familiar(name) };
            return (format!("{typed}: failed to resolve source metadata for {full}: "), instruction, format!("{full}: not found"));
        }
    }
    (none(), instruction, words.to_string())
}

/// What is wrong with the mounts of a step.
fn of_mounts(why: &str) -> Option<String> {
    let (_, why) = why.strip_prefix("resolving mountpoints for container ")?.split_once("\": ")?;
    let id = || why.split(" with id ").nth(1).and_then(|rest| rest.strip_suffix(" found")).map(|id| id.trim_matches('"'));
    if why.starts_with("secret required ") {
        return Some(format!("secret {}: not found", id()?));
    }
    if why.starts_with("ssh required ") {
        return Some(format!("unset ssh forward key {}", id()?));
    }
    why.strip_prefix("invalid mount type ").map(|kind| format!("unsupported mount type {kind}"))
}

/// An instruction's words without the flags before them.
fn without_flags(mut words: &str) -> &str {
    while words.starts_with("--") {
        words = words.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
    }
    words
}

/// Which lines BuildKit shows around some (its `solver/errdefs/source.go`): two or so before and after one line, one around several.
fn around(mut from: usize, mut to: usize, lines: usize) -> (usize, usize) {
    let padding = if from == to { 4 } else { 2 };
    let mut added = 0;
    while added < padding {
        if from > 0 {
            from -= 1;
            added += 1;
        }
        if to + 1 < lines {
            to += 1;
            added += 1;
        }
        added += 1;
    }
    (from, to)
}

/// The lines around the instruction that failed, as BuildKit shows them.
fn excerpt(file: &Dockerfile, instruction: &str) -> Option<String> {
    let lines: Vec<&str> = file.text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).collect();
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let wanted = squeezed(instruction);
    let mut at = 0;
    while at < lines.len() {
        let mut end = at;
        while lines[end].trim_end().ends_with('\\') && end + 1 < lines.len() {
            end += 1;
        }
        let joined = lines[at..=end].iter().map(|line| line.trim_end().trim_end_matches('\\')).collect::<Vec<_>>().join(" ");
        let joined = squeezed(&joined);
        // The verb may have been written in small letters.
        let same = joined.len() == wanted.len() && joined.eq_ignore_ascii_case(&wanted);
        if same {
            let rule = "--------------------";
            let mut shown = format!("{}:{}\n{rule}\n", file.name, at + 1);
            let (from, to) = around(at, end, lines.len());
            for (i, line) in lines[from..=to].iter().enumerate().map(|(i, line)| (i + from, line)) {
                let mark = if (at..=end).contains(&i) { ">>>" } else { "   " };
                shown.push_str(&format!("{:4} | {mark} {line}\n", i + 1));
            }
            shown.push_str(&format!("{rule}\n"));
            return Some(shown);
        }
        at = end + 1;
    }
    None
}
