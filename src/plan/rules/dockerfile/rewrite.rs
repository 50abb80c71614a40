//! A Dockerfile as a given Podman understands it: what it lacks is said in other words where these mean the same, and refused
//! by its line where there are none.

use super::{Heredoc, Instruction, directive, instructions, stage};
use crate::catalogue::Podman;
use crate::plan::Refusal;

/// The Podmans (by their Buildah) that have a feature first.
const RUN_NETWORK: Podman = Podman(4, 5, 0);
const HEREDOCS: Podman = Podman(4, 8, 0);
const CHECKSUM: Podman = Podman(4, 8, 0);
const START_INTERVAL: Podman = Podman(5, 1, 0);
const EXCLUDE: Podman = Podman(5, 2, 0);
const PARENTS: Podman = Podman(5, 5, 0);
/// Before it, what a step writes to a bind mount lands in the caller's own files.
const BIND_IS_A_COPY: Podman = Podman(5, 0, 0);

/// What a rewriting has to know.
pub struct Reader<'a> {
    /// The Dockerfile's name, for refusals.
    pub name: &'a str,
    /// Asked for only where a feature depends on it.
    pub podman: &'a dyn Fn() -> Result<Podman, Refusal>,
    /// Whether RUN may have the host's network.
    pub host_network: bool,
}

/// What came of it.
#[derive(Default)]
pub struct Rewritten {
    /// The text, where it is another one.
    pub text: Option<String>,
    /// Files that heredocs have become, by the names that stages copy them from: build context, name, content.
    pub files: Vec<(String, String, String)>,
}

impl Reader<'_> {
    /// Reads a Dockerfile. Errors: Docker's words for a flag that is none, ours for what this Podman lacks.
    pub fn rewrite(&self, text: &str) -> Result<Rewritten, Refusal> {
        // The frontends that such a line names know more flags than the built-in one.
        let plain = directive(text, "syntax").is_none();
        let mut lines: Vec<Option<String>> = text.lines().map(|line| Some(line.to_string())).collect();
        let mut rewritten = Rewritten::default();
        let mut changed = false;
        let mut stages: Vec<String> = Vec::new();
        for instruction in instructions(text) {
            self.check_flags(&instruction, plain)?;
            let anew = self.anew(&instruction, &stages, &mut rewritten)?;
            stages.extend(stage(&instruction));
            let Some(anew) = anew else { continue };
            let (from, to) = (instruction.lines.0, instruction.heredocs.last().map_or(instruction.lines.1, |h| h.end));
            lines[from..=to].iter_mut().for_each(|line| *line = None);
            lines[from] = Some(anew);
            changed = true;
        }
        if changed {
            rewritten.text = Some(lines.into_iter().flatten().map(|line| line + "\n").collect());
        }
        Ok(rewritten)
    }

    /// Flags that the instruction does not have (BuildKit's `instructions/parse.go`).
    fn check_flags(&self, instruction: &Instruction, plain: bool) -> Result<(), Refusal> {
        let known: &[&str] = match instruction.verb().as_str() {
            "FROM" => &["platform"],
            "RUN" if plain => &["mount", "network"],
            "COPY" if plain => &["chmod", "chown", "exclude", "from", "link"],
            "ADD" if plain => &["checksum", "chmod", "chown", "exclude", "keep-git-dir", "link", "unpack"],
            "HEALTHCHECK" => &["interval", "retries", "start-interval", "start-period", "timeout"],
            _ => return Ok(()),
        };
        let unknown = flags(&instruction.text).into_iter().find(|flag| !known.contains(&flag.name));
        unknown.map_or(Ok(()), |flag| {
            let line = instruction.lines.0 + 1;
            Err(solve(format!("dockerfile parse error on line {line}: unknown flag: --{}", flag.name)))
        })
    }

    /// The instruction in other words; none where it may stay.
    fn anew(&self, instruction: &Instruction, stages: &[String], rewritten: &mut Rewritten) -> Result<Option<String>, Refusal> {
        // Podman knows stages by their names as spelled.
        let spelled = |name: &str| stages.iter().find(|stage| stage.eq_ignore_ascii_case(name)).filter(|stage| *stage != name).cloned();
        let mut verb = instruction.verb();
        let mut changed = false;
        let mut words = Vec::new();
        let mut lead = String::new();
        let given = flags(&instruction.text);
        let rest = given.last().map_or_else(|| without_verb(&instruction.text), |last| last.rest).trim_start();
        for flag in &given {
            let kept = match (verb.as_str(), flag.name) {
                // It only spares layers below a rebuild.
                ("COPY" | "ADD", "link") => None,
                ("COPY" | "ADD", "exclude") => {
                    self.needs(instruction, "--exclude", EXCLUDE)?;
                    // Podman matches within the build context, Docker within each source.
                    let sources: Vec<&str> = rest.split_whitespace().collect();
                    let sources = sources.split_last().map_or(&[][..], |(_, sources)| sources);
                    Some(sources.iter().map(|source| excluded(source, flag.value)).collect::<Vec<_>>().join(" "))
                }
                ("COPY", "from") => Some(spelled(flag.value).map_or(flag.text.to_string(), |stage| format!("--from={stage}"))),
                ("COPY", "parents") => {
                    self.needs(instruction, "--parents", PARENTS)?;
                    Some(flag.text.to_string())
                }
                ("ADD", "checksum") => {
                    self.needs(instruction, "--checksum", CHECKSUM)?;
                    Some(flag.text.to_string())
                }
                ("HEALTHCHECK", "start-interval") => {
                    self.needs(instruction, "--start-interval", START_INTERVAL)?;
                    Some(flag.text.to_string())
                }
                ("RUN", "network") => match flag.value {
                    "default" => None,
                    "host" if !self.host_network => return Err(solve("failed to load LLB: network.host is not allowed")),
                    _ => {
                        self.needs(instruction, &format!("--network={}", flag.value), RUN_NETWORK)?;
                        Some(flag.text.to_string())
                    }
                },
                ("RUN", "mount") => Some(self.mount(instruction, flag.value, &mut lead)?),
                _ => Some(flag.text.to_string()),
            };
            changed |= kept.as_deref() != Some(flag.text);
            words.extend(kept);
        }
        if !lead.is_empty() && (rest.starts_with('[') || !instruction.heredocs.is_empty()) {
            return Err(self.cannot(instruction, "--mount=type=secret,env=… in this form"));
        }
        let mut rest = format!("{lead}{rest}");
        if let Some((name, stage)) = rest.split_whitespace().next().and_then(|name| Some((name, spelled(name)?))).filter(|_| verb == "FROM")
        {
            rest = format!("{stage}{}", &rest[name.len()..]);
            changed = true;
        }
        let copied = verb != "RUN" && !instruction.heredocs.is_empty();
        // Podman fills in variables, but leaves the backslashes before what is none.
        if copied && (instruction.heredocs.iter().any(|h| h.text().is_none_or(|text| text != h.body)) || (self.podman)()? < HEREDOCS) {
            if let Some(anew) = self.copied_heredocs(instruction, &rest, &mut words, rewritten)? {
                changed = true;
                rest = anew;
                // Only COPY takes from another context.
                verb = "COPY".into();
            } else if changed {
                rest.push_str(&bodies(&instruction.heredocs));
            }
        } else if !copied && !instruction.heredocs.is_empty() && (self.podman)()? < HEREDOCS {
            changed = true;
            rest = self.run_heredoc(instruction, &rest)?;
        } else if changed {
            rest.push_str(&bodies(&instruction.heredocs));
        }
        let flags: String = words.iter().map(|word| format!("{word} ")).collect();
        Ok(changed.then(|| format!("{verb} {flags}{rest}")))
    }

    /// A `--mount`. A secret that is to be a variable comes as a file, which the command reads first (`lead`).
    fn mount(&self, instruction: &Instruction, value: &str, lead: &mut String) -> Result<String, Refusal> {
        let fields: Vec<&str> = value.split(',').collect();
        let field = |name: &str| fields.iter().find_map(|f| f.split_once('=').filter(|(key, _)| *key == name).map(|(_, v)| v));
        let is_set = |name: &str| fields.contains(&name) || field(name) == Some("true");
        let kind = field("type").unwrap_or("bind");
        if kind == "bind" && (is_set("rw") || is_set("readwrite")) {
            self.needs(instruction, "--mount=type=bind,rw", BIND_IS_A_COPY)?;
        }
        // Podman 4 wants a value.
        let mut kept: Vec<String> = fields.iter().map(|f| if *f == "required" { "required=true".into() } else { f.to_string() }).collect();
        if let ("secret", Some(variable)) = (kind, field("env")) {
            if field("target").is_some() || field("dst").is_some() || field("destination").is_some() {
                return Err(self.cannot(instruction, "--mount=type=secret with both env and target"));
            }
            let file = format!("/dev/.docker-shim-{variable}");
            kept.retain(|f| !f.starts_with("env="));
            if field("id").is_none() {
                kept.push(format!("id={variable}"));
            }
            kept.push(format!("target={file}"));
            lead.push_str(&format!(
                "if [ -f {file} ]; then {variable}=\"$(cat {file}; echo .)\"; {variable}=\"${{{variable}%.}}\"; export {variable}; fi; "
            ));
        }
        Ok(format!("--mount={}", kept.join(",")))
    }

    /// RUN with heredocs: all the text is the shell's, as BuildKit hands it over.
    fn run_heredoc(&self, instruction: &Instruction, rest: &str) -> Result<String, Refusal> {
        let [first, ..] = &instruction.heredocs[..] else { return Ok(rest.to_string()) };
        let alone = rest.starts_with("<<") && rest.split_whitespace().count() == 1;
        if alone && first.body.starts_with("#!") {
            return Err(self.lacks(instruction, "A heredoc with an interpreter of its own", HEREDOCS));
        }
        let script = match alone {
            true => first.body.clone(),
            false => rest.to_string() + &bodies(&instruction.heredocs),
        };
        Ok(serde_json::json!(["/bin/sh", "-c", script]).to_string())
    }

    /// COPY of heredocs: they become files of a build context of their own.
    fn copied_heredocs(
        &self,
        instruction: &Instruction,
        rest: &str,
        flags: &mut Vec<String>,
        rewritten: &mut Rewritten,
    ) -> Result<Option<String>, Refusal> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let Some((target, sources)) = words.split_last() else { return Ok(None) };
        let texts: Option<Vec<String>> = instruction.heredocs.iter().map(Heredoc::text).collect();
        let Some(texts) = texts.filter(|_| sources.iter().all(|source| source.starts_with("<<"))) else {
            self.needs(instruction, "of a heredoc with variables, or beside files,", HEREDOCS)?;
            if instruction.heredocs.iter().any(|heredoc| !heredoc.quoted && heredoc.body.contains('\\')) {
                let line = instruction.lines.0 + 1;
                let words = "Podman leaves backslashes in a heredoc with variables, Docker does not; use --build-arg and a file instead.";
                return Err(Refusal::new(format!("docker: {}:{line}: {words}", self.name), 1));
            }
            return Ok(None);
        };
        let context = format!("docker-shim-heredoc-{}", rewritten.files.len());
        for (heredoc, text) in instruction.heredocs.iter().zip(texts) {
            rewritten.files.push((context.clone(), heredoc.name.clone(), text));
        }
        flags.insert(0, format!("--from={context}"));
        if !flags.iter().any(|flag| flag.starts_with("--chmod=")) {
            flags.push("--chmod=0644".into());
        }
        let names: Vec<&str> = instruction.heredocs.iter().map(|h| h.name.as_str()).collect();
        Ok(Some(format!("{} {target}", names.join(" "))))
    }

    fn needs(&self, instruction: &Instruction, what: &str, since: Podman) -> Result<(), Refusal> {
        if (self.podman)()? >= since {
            return Ok(());
        }
        Err(self.lacks(instruction, &format!("{} {what}", instruction.verb()), since))
    }

    fn lacks(&self, instruction: &Instruction, what: &str, since: Podman) -> Refusal {
        let (line, since) = (instruction.lines.0 + 1, since.shown());
        let here = (self.podman)().map(|podman| format!("; this is Podman {}", podman.shown())).unwrap_or_default();
        Refusal::new(format!("docker: {}:{line}: {what} needs Podman {since} or newer{here}.", self.name), 1)
    }

    fn cannot(&self, instruction: &Instruction, what: &str) -> Refusal {
        let line = instruction.lines.0 + 1;
        Refusal::new(format!("docker: {}:{line}: {what} is not known to Podman; mount the secret as a file instead.", self.name), 1)
    }
}

/// A failure of the build itself, in BuildKit's words.
pub fn solve(words: impl std::fmt::Display) -> Refusal {
    Refusal::new(format!("ERROR: failed to build: failed to solve: {words}"), 1)
}

/// Heredocs as they follow their instruction.
fn bodies(heredocs: &[Heredoc]) -> String {
    heredocs.iter().map(|heredoc| format!("\n{}{}", heredoc.body, heredoc.name)).collect()
}

/// What is left out of a source: the pattern within it.
fn excluded(source: &str, pattern: &str) -> String {
    let source = source.trim_start_matches("./").trim_end_matches('/');
    let below = if matches!(source, "" | "." | "/") || pattern.starts_with("**/") { "" } else { source.trim_start_matches('/') };
    let slash = if below.is_empty() { "" } else { "/" };
    format!("--exclude={below}{slash}{pattern}")
}

/// A flag before an instruction's words, and what comes after it.
struct Flag<'a> {
    text: &'a str,
    name: &'a str,
    value: &'a str,
    rest: &'a str,
}

fn without_verb(text: &str) -> &str {
    text.trim_start().split_once(char::is_whitespace).map_or("", |(_, rest)| rest)
}

fn flags(text: &str) -> Vec<Flag<'_>> {
    let mut found = Vec::new();
    let mut rest = without_verb(text).trim_start();
    while let Some(word) = rest.strip_prefix("--").and_then(|_| rest.split_whitespace().next()) {
        // The shell's `--` is no flag.
        if word == "--" {
            break;
        }
        let after = &rest[word.len()..];
        let (name, value) = word[2..].split_once('=').unwrap_or((&word[2..], ""));
        found.push(Flag { text: word, name, value, rest: after });
        rest = after.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(podman: Podman, text: &str) -> String {
        let reader = Reader { name: "Dockerfile", podman: &|| Ok(podman), host_network: false };
        match reader.rewrite(text) {
            Ok(Rewritten { text, .. }) => text.unwrap_or_default(),
            Err(refusal) => refusal.message,
        }
    }

    #[test]
    fn says_it_otherwise() {
        let old = Podman(4, 3, 1);
        assert_eq!(said(old, "FROM a\nRUN true\nCOPY a b\n"), "");
        assert_eq!(said(old, "FROM a\nCOPY --link \\\n  --chown=1 a b\nRUN x\n"), "FROM a\nCOPY --chown=1 a b\nRUN x\n");
        assert_eq!(said(old, "FROM a\nRUN <<E\nx\ny\nE\nRUN z\n"), "FROM a\nRUN [\"/bin/sh\",\"-c\",\"x\\ny\\n\"]\nRUN z\n");
        assert_eq!(said(old, "FROM a\nRUN cat <<E >f\nx\nE\n"), "FROM a\nRUN [\"/bin/sh\",\"-c\",\"cat <<E >f\\nx\\nE\"]\n");
        assert_eq!(
            said(old, "FROM a\nRUN --mount=type=secret,id=a,required x\n"),
            "FROM a\nRUN --mount=type=secret,id=a,required=true x\n"
        );
        let new = Podman(5, 8, 6);
        assert_eq!(said(new, "FROM a\nCOPY --exclude=g d e /p/\n"), "FROM a\nCOPY --exclude=d/g --exclude=e/g d e /p/\n");
        assert_eq!(said(new, "FROM a\nRUN --network=none <<E\nx\nE\n"), "");
        assert_eq!(said(new, "FROM a\nCOPY --link <<E /f\nx\nE\n"), "FROM a\nCOPY <<E /f\nx\nE\n");
    }

    #[test]
    fn refuses_what_there_is_no_other_word_for() {
        let old = Podman(4, 3, 1);
        let words = "docker: Dockerfile:3: RUN --network=none needs Podman 4.5.0 or newer; this is Podman 4.3.1.";
        assert_eq!(said(old, "FROM a\n\nRUN --network=none true\n"), words);
        let words = "ERROR: failed to build: failed to solve: dockerfile parse error on line 2: unknown flag: --bogus";
        assert_eq!(said(old, "FROM a\nRUN --bogus true\n"), words);
        assert_eq!(said(old, "# syntax=docker/dockerfile:1-labs\nFROM a\nRUN --security=sandbox true\n"), "");
    }
}
