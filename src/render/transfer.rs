//! Pull and push, told of in Docker's words (moby `distribution/pull_v2.go`, `push_v2.go`, without a terminal).

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Answered, Desk, Progress, View, text};
use crate::plan::rules::store;
use crate::plan::{Answer, Call, Step};

/// `docker pull` of one name.
#[derive(Debug, Default)]
pub struct Pull {
    /// The name as the last line has it: `docker.io/library/busybox:latest`.
    pub full: String,
    /// As the status has it: `busybox:latest`.
    pub familiar: String,
    /// `latest`, or the whole name where it is one by digest.
    pub tag: String,
    /// `library/busybox`.
    pub path: String,
    pub digest: Option<String>,
    /// The image that had the name before.
    pub before: Option<String>,
    /// The archives of layers that are here already, by digest.
    pub layers: BTreeSet<String>,
    /// The images that are here already, by ID.
    pub images: BTreeSet<String>,
    /// Where the store's indexes are.
    pub store: Vec<PathBuf>,
    /// Asks for an image, where the store cannot be read.
    pub inspect: Option<Call>,
    pub platform: Option<String>,
    pub quiet: bool,
    pub asks: Asks,
    /// One of all tags.
    pub all: Option<OfAll>,
    /// The full name without tag or digest.
    pub repository: String,
    pub told: Told,
}

/// One tag of all the tags of a repository.
#[derive(Debug, Default, Clone)]
pub struct OfAll {
    /// Whether any of them was new.
    pub any_new: Rc<Cell<bool>>,
    pub last: bool,
    /// The repository, full and familiar.
    pub full: String,
    pub familiar: String,
}

/// Which command asks for a pull.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    #[default]
    Pull,
    /// What tells of it on stderr, and of a failure in its own way.
    Run,
    Create,
}

/// What has been told already.
#[derive(Debug, Default)]
pub struct Told {
    began: bool,
    fetched: Vec<String>,
    /// Kept back until it is known whether the image is new.
    held: String,
    platform_found: Option<String>,
    note: Option<Step>,
}

impl Progress for Pull {
    fn line(&mut self, line: &[u8]) -> Answer {
        let told = self.tell(&String::from_utf8_lossy(line)).unwrap_or_default();
        self.said(told)
    }
    fn end(&mut self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        if podman.status != 0 {
            return None;
        }
        let answer = String::from_utf8_lossy(&podman.stdout);
        let id = answer.lines().last().unwrap_or_default().trim();
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        let new = self.before.as_deref() != Some(id);
        let all_new = self.all.as_ref().map_or(new, |all| {
            all.any_new.set(all.any_new.get() | new);
            all.any_new.get()
        });
        let mut shown = String::new();
        if !self.quiet {
            shown += &self.begin();
            if !self.images.contains(id) {
                shown += &self.told.held;
                for layer in &self.told.fetched {
                    shown += &format!("{layer}: Download complete\n{layer}: Pull complete\n");
                }
            }
        }
        if let Some(digest) = self.pulled(id, desk).filter(|_| !self.quiet) {
            shown += &format!("Digest: {digest}\n");
        }
        let (full, familiar) = match &self.all {
            Some(all) if !all.last => return Some(self.said(shown)),
            Some(all) => (&all.full, &all.familiar),
            None => (&self.full, &self.familiar),
        };
        if !self.quiet {
            let status = if all_new { "Downloaded newer image" } else { "Image is up to date" };
            shown += &format!("Status: {status} for {familiar}\n");
            if let (Some(wanted), Some(found)) = (&self.platform, &self.told.platform_found) {
                shown += &format!(
                    "WARNING: image with reference {familiar} was found but its platform ({found}) does not match the specified \
                     platform ({wanted})\n"
                );
            }
        }
        if self.asks == Asks::Pull {
            shown += &format!("{full}\n");
        }
        Some(self.said(shown))
    }

    fn failed(&self, words: &str) -> Option<Answer> {
        let help = "Run 'docker run --help' for more information";
        (self.asks == Asks::Run).then(|| Answer::failed(format_args!("docker: {}\n\n{help}", words.trim_end()), 125))
    }

    fn keep(&self) -> Option<Step> {
        self.told.note.clone()
    }
}

impl Pull {
    /// Docker's words, where they belong.
    fn said(&self, words: String) -> Answer {
        let mut answer = Answer::printed(words);
        if self.asks != Asks::Pull {
            answer.stderr = std::mem::take(&mut answer.stdout);
        }
        answer
    }

    /// What Docker tells where podman says this.
    fn tell(&mut self, line: &str) -> Option<String> {
        if self.quiet {
            return None;
        }
        if let Some(found) = platform_found(line) {
            self.told.platform_found = Some(found);
        }
        if line.contains("no image found in manifest list") {
            // Docker has read the list by then, and said so.
            return Some(self.begin());
        }
        let blob = line.strip_prefix("Copying blob ")?.split(' ').next()?;
        let mut text = self.begin();
        let short = short(blob);
        if !self.told.fetched.contains(&short) {
            // Of an image that turns out to be here already, Docker tells nothing. Podman may fetch its layers all the same, where it knows
            // them from somewhere else.
            if line.contains("already exists") || self.layers.contains(blob) {
                self.told.held += &format!("{short}: Already exists\n");
            } else {
                self.told.held += &format!("{short}: Pulling fs layer\n");
                self.told.fetched.push(short);
                if self.before.is_none() {
                    text += &std::mem::take(&mut self.told.held);
                }
            }
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// The line that Docker begins with, once.
    fn begin(&mut self) -> String {
        if std::mem::replace(&mut self.told.began, true) {
            return String::new();
        }
        format!("{}: Pulling from {}\n", self.tag, self.path)
    }

    /// The registry's digest of what has been pulled, to be noted too.
    fn pulled(&mut self, id: &str, desk: &Desk) -> Option<String> {
        let images = store::images_of(&self.store, &read).unwrap_or_default();
        if let Some(image) = images.iter().find(|image| image.id == id) {
            let digest = self.digest.clone().unwrap_or_else(|| image.pulled(&read));
            self.told.note = image.note(&[&self.repository], Some(&digest), &images, &read);
            return Some(digest);
        }
        if self.digest.is_some() {
            return self.digest.clone();
        }
        let object = desk.ask(self.inspect.as_ref()?, &["--format=json", id])?;
        Some(text(object.get(0)?, "Digest").to_string()).filter(|digest| !digest.is_empty())
    }
}

/// `docker pull --all-tags` where the tags had to be left to Podman.
#[derive(Debug)]
pub struct AllTags {
    pub full: String,
    pub familiar: String,
    pub quiet: bool,
}

impl View for AllTags {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        let AllTags { full, familiar, quiet } = self;
        if podman.status == 0 {
            let status = if *quiet { String::new() } else { format!("Status: Downloaded newer image for {familiar}\n") };
            return Some(Answer::printed(format!("{status}{full}\n")));
        }
        let said = String::from_utf8_lossy(&podman.stderr);
        let unknown = said.contains("fetching tags list: ") && (said.contains("404") || said.contains("not known to registry"));
        let words = "name unknown: repository name not known to registry";
        unknown.then(|| Answer::failed(format!("Error response from daemon: repository {familiar} not found: {words}"), 1))
    }
}

/// The platform of an image that is not the one asked for, in Podman's note of it.
fn platform_found(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("image platform (")?;
    // 4.x prints Go's struct: `{amd64 linux  [] }`.
    let Some(fields) = rest.strip_prefix('{') else { return rest.split_once(')').map(|(platform, _)| platform.to_string()) };
    let mut words = fields.split(' ');
    let (architecture, os) = (words.next()?, words.next()?);
    Some(format!("{os}/{architecture}"))
}

/// The twelve digits by which a layer is told of.
fn short(blob: &str) -> String {
    blob.strip_prefix("sha256:").unwrap_or(blob).chars().take(12).collect()
}

/// `docker push` of one tag. Podman writes the digest to stdout (`--digestfile=/dev/stdout`).
#[derive(Debug)]
pub struct Push {
    pub tag: String,
    pub words: Words,
    /// Where the store's indexes are, and the name that the image has there.
    pub store: Vec<PathBuf>,
    pub source: String,
    /// That is a list of several images.
    pub list: bool,
    pub digest: String,
    /// The calls that find out how long a manifest is that the store does not have.
    pub size: ManifestSize,
    pub layers: Vec<String>,
    pub metadata: Option<Metadata>,
}

/// The file in which a build that ends with a push tells of its result.
#[derive(Debug)]
pub struct Metadata {
    pub path: PathBuf,
    /// The names that were pushed, in full.
    pub names: Vec<String>,
}

/// What a push tells.
#[derive(Debug, PartialEq, Eq)]
pub enum Words {
    /// Docker's lines.
    Dockers,
    /// Nothing but this.
    Quiet(String),
    /// Podman's own lines on stderr: of what was built.
    Podmans,
}

impl Progress for Push {
    fn line(&mut self, line: &[u8]) -> Answer {
        let shown = String::from_utf8_lossy(line);
        if self.words == Words::Podmans {
            return Answer { stderr: [line, b"\n"].concat(), ..Answer::default() };
        }
        let blob = shown.strip_prefix("Copying blob ").and_then(|rest| rest.split(' ').next()).filter(|_| self.words == Words::Dockers);
        let Some(layer) = blob.map(short).filter(|layer| !self.layers.contains(layer)) else { return Answer::default() };
        let told = Answer::printed(format!("{layer}: Preparing\n"));
        self.layers.push(layer);
        told
    }

    fn end(&mut self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        if podman.status != 0 {
            return None;
        }
        self.digest = String::from_utf8_lossy(&podman.stdout).trim().to_string();
        match &self.words {
            Words::Quiet(words) => return Some(Answer::printed(words.clone())),
            Words::Podmans => return Some(Answer::default()),
            Words::Dockers => {}
        }
        let digest = &self.digest;
        let mut shown: String = self.layers.iter().map(|layer| format!("{layer}: Pushed\n")).collect();
        let images = store::images_of(&self.store, &read).unwrap_or_default();
        let known = images.iter().flat_map(|image| &image.manifests).find(|(known, _)| known == digest).map(|(_, size)| *size);
        // A size that cannot be known is none.
        let size = known.or_else(|| self.size.of(digest, desk)).unwrap_or(0);
        shown += &format!("{}: digest: {digest} size: {size}\n", self.tag);
        Some(Answer::printed(shown))
    }

    fn keep(&self) -> Option<Step> {
        if self.list {
            return None;
        }
        let images = store::images_of(&self.store, &read).filter(|_| self.digest.starts_with("sha256:"))?;
        let image = images.iter().find(|image| image.id == self.source || image.names.contains(&self.source))?;
        image.note(&[&self.size.repository], Some(&self.digest), &images, &read)
    }

    /// What is known of the result: of a list there is no configuration.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let Some(Metadata { path, names }) = &self.metadata else { return Vec::new() };
        let mut facts = serde_json::Map::new();
        let images = store::images_of(&self.store, &read).unwrap_or_default();
        let image = images.iter().find(|image| image.id == self.source || image.names.contains(&self.source));
        if let Some(image) = image.filter(|_| !self.list) {
            facts.insert("containerimage.config.digest".into(), format!("sha256:{}", image.id).into());
        }
        facts.insert("containerimage.digest".into(), self.digest.clone().into());
        facts.insert("image.name".into(), names.join(",").into());
        vec![(path.clone(), serde_json::to_vec_pretty(&facts).unwrap_or_default())]
    }
}

/// A file of the store.
fn read(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

/// Finds out how long a registry's manifest is.
#[derive(Debug)]
pub struct ManifestSize {
    /// `podman manifest inspect`, the repository still without a digest.
    pub inspect: Call,
    pub repository: String,
    /// `podman manifest create`, `add`, `inspect` and `rm` of a list for the purpose, `docker://` and digest still missing.
    pub list: [Call; 4],
}

impl ManifestSize {
    fn of(&self, digest: &str, desk: &Desk) -> Option<u64> {
        let name = format!("{}@{digest}", self.repository);
        let answered = (desk.asking)(&self.inspect, &[name.as_ref()]);
        if let Some(manifest) = quoted_manifest(&String::from_utf8_lossy(&answered.stderr)) {
            return u64::try_from(manifest.len()).ok();
        }
        let manifest = answered.json().filter(|manifest| manifest.get("config").is_some());
        if let Some(compact) = manifest.and_then(|manifest| serde_json::to_string(&manifest).ok()) {
            return u64::try_from(compact.len()).ok();
        }
        let [create, add, inspect, remove] = &self.list;
        let there = (desk.asking)(create, &[]).status == 0;
        let added = there && (desk.asking)(add, &[format!("docker://{name}").as_ref()]).status == 0;
        let none: [&str; 0] = [];
        let list = if added { desk.ask(inspect, &none) } else { None };
        if there {
            let _ = (desk.asking)(remove, &[]);
        }
        list?.pointer("/manifests/0/size")?.as_u64()
    }
}

/// The manifest that Podman quotes (Go's `%q`) where it asks for a list and gets an image.
pub fn quoted_manifest(error: &str) -> Option<String> {
    let quoted = error.split_once("parsing manifest blob \"")?.1;
    let mut manifest = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return Some(manifest),
            '\\' => match characters.next()? {
                'n' => manifest.push('\n'),
                't' => manifest.push('\t'),
                'r' => manifest.push('\r'),
                quoted @ ('"' | '\\') => manifest.push(quoted),
                // Other escapes are of characters that no manifest has.
                _ => return None,
            },
            plain => manifest.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_go_quotes() {
        let error = r#"Error: parsing manifest blob "{\"a\":\"x\\y\",\n\t\"b\":1}" as a "application/x": not implemented"#;
        assert_eq!(quoted_manifest(error).as_deref(), Some("{\"a\":\"x\\y\",\n\t\"b\":1}"));
        assert_eq!(quoted_manifest("Error: other"), None);
    }

    #[test]
    fn reads_platforms() {
        let line = "WARNING: image platform ({amd64 linux  [] }) does not match the expected platform ({arm64 linux  [] })";
        assert_eq!(platform_found(line).as_deref(), Some("linux/amd64"));
        let line = "WARNING: image platform (linux/amd64) does not match the expected platform (linux/arm64)";
        assert_eq!(platform_found(line).as_deref(), Some("linux/amd64"));
    }
}
