//! `--output`, `--push` and `--load`: what comes of a build (buildx `util/buildflags/export.go`, `build/opt.go`).

use std::ffi::OsStr;
use std::path::Path;

use super::checks::{error, failed, is_on, record};
use crate::plan::rules::dockerfile::rewrite::solve;
use crate::plan::{Context, Draft, Refusal, Step};
use crate::render::build::Image;

/// What the build's results become.
#[derive(Default)]
pub struct Outputs {
    /// Podman takes `type=registry` and pushes nothing.
    pub push: bool,
    /// The names that outputs give.
    pub names: Vec<String>,
    /// Directories and plain archives, as Podman's `--output` has them.
    pub files: Vec<String>,
    /// One of them is our own stdout.
    pub to_stdout: bool,
    /// The format and file of archives of the image.
    pub archives: Vec<(&'static str, String)>,
    /// An image is kept: there is an output for it, or none at all.
    pub kept: bool,
    given: bool,
}

/// The descriptor under which podman finds our stdout, while its own is read by us.
const SHARED_STDOUT: i32 = 9;

impl Outputs {
    /// All of a command's. Errors: buildx's own words.
    pub fn of(context: &Context) -> Result<Outputs, Refusal> {
        let uses = &context.invocation.uses;
        let mut outputs = Outputs::default();
        let mut entries = Vec::new();
        for value in uses.all("output").filter(|value| !value.is_empty()) {
            entries.push(Entry::parse(value)?);
        }
        let to_files = entries.iter().any(|entry| matches!(&*entry.kind, "local" | "tar"));
        if to_files && uses.text("iidfile").is_some_and(|f| !f.is_empty()) {
            return Err(error("local and tar exporters are incompatible with image ID file"));
        }
        for entry in &entries {
            outputs.add(entry, context)?;
        }
        if uses.switch("push") {
            outputs.push = true;
            outputs.kept = true;
        }
        outputs.kept |= !outputs.given || uses.switch("load");
        Ok(outputs)
    }

    fn add(&mut self, entry: &Entry, context: &Context) -> Result<(), Refusal> {
        self.given = true;
        let names = entry.field("name").into_iter().flat_map(|names| names.split(',')).filter(|n| !n.is_empty()).map(str::to_string);
        match (&*entry.kind, &*entry.target) {
            ("registry", _) => {
                self.push = true;
                self.kept = true;
                self.names.extend(names);
            }
            ("image", _) => {
                self.push |= entry.field("push").is_some_and(is_on);
                self.kept = true;
                self.names.extend(names);
            }
            ("docker", "") => {
                self.kept = true;
                self.names.extend(names);
            }
            ("docker" | "oci" | "tar", target) if is_nowhere(target, context) => {
                return Err(failed(format!("failed to open open {target}: no such file or directory")));
            }
            ("docker" | "oci", target) => {
                let target = if target.is_empty() || target == "-" { "/dev/stdout" } else { target };
                if target == "/dev/stdout" && context.host.is_terminal(1) {
                    let kind = &entry.kind;
                    return Err(failed(format!("dest file is required for {kind} exporter. refusing to write to console")));
                }
                self.to_stdout |= target == "/dev/stdout";
                self.archives.push((if entry.kind == "oci" { "oci-archive" } else { "docker-archive" }, target.to_string()));
                self.names.extend(names);
            }
            ("cacheonly", _) => {}
            ("local", "") => return Err(failed("dest is required for local exporter")),
            ("local", "-") => return Err(failed("dest cannot be stdout for local exporter")),
            ("tar", "" | "-") => {
                if context.host.is_terminal(1) {
                    return Err(failed("dest file is required for tar exporter. refusing to write to console"));
                }
                self.files.push(format!("type=tar,dest=/proc/self/fd/{SHARED_STDOUT}"));
                self.to_stdout = true;
            }
            ("local" | "tar", target) => {
                if target.contains(',') {
                    return Err(context.refuse(format!("--output {target}: Podman knows no path with a comma.")));
                }
                self.files.push(format!("type={},dest={target}", entry.kind));
            }
            (kind, _) => return Err(solve(format!("exporter {kind:?} could not be found"))),
        }
        Ok(())
    }

    /// What is told of.
    pub fn image(&self) -> Image {
        match (self.kept, self.to_stdout) {
            (true, _) => Image::Stored,
            (false, true) => Image::FilesOnStdout,
            (false, false) if self.files.is_empty() && self.archives.is_empty() => Image::Nothing,
            (false, false) => Image::Files,
        }
    }

    /// Has a build write one of the files.
    pub fn write(&self, file: &str, draft: &mut Draft) {
        draft.flag("output", file);
        if file.contains("/proc/self/fd/") {
            draft.prepare(Step::ShareStdout(SHARED_STDOUT));
        }
    }
}

/// A file in a directory that is not there.
fn is_nowhere(target: &str, context: &Context) -> bool {
    let above = Path::new(target).parent().map(|above| context.host.cwd().unwrap_or_default().join(above));
    !target.is_empty() && above.is_some_and(|above| !context.host.is_dir(&above))
}

/// One `--output`.
struct Entry {
    kind: String,
    target: String,
    fields: Vec<(String, String)>,
}

impl Entry {
    fn parse(value: &OsStr) -> Result<Entry, Refusal> {
        let text = value.to_string_lossy();
        let record = record(value)?;
        if record.len() == 1 && record[0] == text && !text.starts_with("type=") {
            let kind = if text == "-" { "tar" } else { "local" };
            return Ok(Entry { kind: kind.into(), target: text.into_owned(), fields: vec![] });
        }
        let mut entry = Entry { kind: String::new(), target: String::new(), fields: vec![] };
        for field in record {
            let Some((key, value)) = field.split_once('=') else { return Err(error(format!("invalid value {field}"))) };
            match key.trim().to_lowercase().as_str() {
                "type" => entry.kind = value.to_string(),
                "dest" => entry.target = value.to_string(),
                key => entry.fields.push((key.to_string(), value.to_string())),
            }
        }
        if entry.kind.is_empty() {
            return Err(error("type is required for output"));
        }
        Ok(entry)
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
