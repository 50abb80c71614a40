//! Carries out `docker manifest`.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value as Json, json};

use super::{complain, complain_as_docker, write_stdout};
use crate::plan::rules::store;
use crate::plan::{Call, ManifestJob, Manifests, Refusal};
use crate::render::indented;
use crate::render::manifest::{self, file_name, foreign, is_platform, not_had};
use crate::render::transfer::quoted_manifest;
use crate::render::{Answered, text};
use crate::sha256;

mod imagetools;

/// Gives Docker's exit status.
pub fn run(manifests: &Manifests) -> Result<u8, u8> {
    match &manifests.job {
        ManifestJob::Create { list, images, amend } => manifests.create(list, images, *amend),
        ManifestJob::Push { list, to, purge } => manifests.push(list, to, *purge),
        ManifestJob::Inspect { image, list, verbose } => manifests.inspect(image, list.as_deref(), *verbose),
        ManifestJob::Annotate { list, image, shown, .. } => manifests.annotate(list, image, shown),
        ManifestJob::Look { image, typed, raw, format } => manifests.look(image, typed, *raw, format),
        ManifestJob::Compose { images } => manifests.compose(images),
        ManifestJob::Remove { lists } => {
            let remove = |list: &Result<String, String>| match list {
                Ok(list) => manifests.remove(list),
                Err(words) => fail(words),
            };
            Ok(u8::from(lists.iter().filter(|list| remove(list).is_err()).count() > 0))
        }
    }
}

fn fail<T>(words: impl Into<String>) -> Result<T, u8> {
    Err(complain(&Refusal::new(words, 1)))
}

/// What a registry has under a name.
enum Remote {
    List(Vec<Json>),
    /// An image; its manifest as it is there, where this Podman shows it.
    Image(Option<Vec<u8>>),
    Nothing(String),
}

impl Manifests {
    fn directory_of(&self, list: &str) -> PathBuf {
        self.directory.join(file_name(list))
    }

    /// The records of a list; none where there is no such list.
    fn records(&self, list: &str) -> Option<Vec<Json>> {
        let entries = fs::read_dir(self.directory_of(list)).ok()?;
        let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        files.sort();
        Some(files.iter().filter_map(|file| serde_json::from_slice(&fs::read(file).ok()?).ok()).collect())
    }

    fn keep(&self, list: &str, name: &str, record: &Json) -> Result<(), u8> {
        let directory = self.directory_of(list);
        let made = fs::DirBuilder::new().recursive(true).mode(0o755).create(&directory);
        let written = made.and_then(|()| fs::write(directory.join(file_name(name)), record.to_string()));
        written.or_else(|error| fail(format!("{}: {error}", directory.display())))
    }

    fn remove(&self, list: &str) -> Result<u8, u8> {
        let directory = self.directory_of(list);
        if !directory.is_dir() {
            return fail(format!("No such manifest: {list}"));
        }
        fs::remove_dir_all(&directory).map(|()| 0).or_else(|error| fail(error.to_string()))
    }

    fn create(&self, list: &str, images: &[String], amend: bool) -> Result<u8, u8> {
        let there = self.directory_of(list).is_dir();
        if there && !amend {
            return fail("refusing to amend an existing manifest list with no --amend flag");
        }
        let mut raws = Vec::new();
        for image in images {
            match remote(&self.calls.registry, image) {
                Remote::List(_) => return fail(format!("{image} is a manifest list")),
                Remote::Nothing(error) => return fail(not_had(image, &error)),
                Remote::Image(raw) => raws.push(raw),
            }
        }
        // All or nothing: a list that is only half of what was asked for would be pushed later on.
        let mut records = Vec::new();
        for (image, raw) in images.iter().zip(raws) {
            let descriptor = self.descriptor(image)?;
            records.push((image, manifest::record(image, &descriptor, raw.as_deref())));
        }
        for (image, record) in records {
            self.keep(list, image, &record)?;
        }
        write_stdout(format!("Created manifest list {list}\n").as_bytes())?;
        Ok(0)
    }

    /// What a list says of an image.
    fn descriptor(&self, image: &str) -> Result<Json, u8> {
        let listed = self.with_list(&[(image.to_string(), Json::Null)], |name| {
            let inspected = ask(&self.calls.inspect, &[name]);
            inspected.json().and_then(|list| list.pointer("/manifests/0").cloned()).ok_or(inspected)
        });
        listed.or_else(|answered| fail(not_had(image, &String::from_utf8_lossy(&answered.stderr))))
    }

    /// Has Podman make a list of images, does something with it, and takes it away again.
    fn with_list<T>(&self, images: &[(String, Json)], work: impl Fn(&str) -> Result<T, Answered>) -> Result<T, Answered> {
        let name = format!("localhost/docker-shim-manifest-{}:latest", std::process::id());
        let made = ask(&self.calls.create, &[&name]);
        if made.status != 0 {
            return Err(made);
        }
        let filled = images.iter().try_for_each(|(image, platform)| self.add(&name, image, platform));
        let done = filled.and_then(|()| work(&name));
        ask(&self.calls.remove, &[&name]);
        done
    }

    fn add(&self, list: &str, image: &str, platform: &Json) -> Result<(), Answered> {
        let flags = [("architecture", "arch"), ("os", "os"), ("variant", "variant"), ("os.version", "os-version")];
        let given = flags.iter().map(|(key, flag)| (text(platform, key), flag)).filter(|(value, _)| !value.is_empty());
        let mut words: Vec<String> = given.map(|(value, flag)| format!("--{flag}={value}")).collect();
        words.extend([list.to_string(), format!("docker://{image}")]);
        let added = ask(&self.calls.add, &words);
        if added.status != 0 {
            return Err(added);
        }
        let features = platform.get("os.features").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
        let mut words: Vec<String> = features.map(|feature| format!("--os-features={feature}")).collect();
        let digest = image.split_once('@').map(|(_, digest)| digest);
        if let Some(digest) = digest.filter(|_| !words.is_empty()) {
            words.extend([list.to_string(), digest.to_string()]);
            let annotated = ask(&self.calls.annotate, &words);
            if annotated.status != 0 {
                return Err(annotated);
            }
        }
        Ok(())
    }

    fn push(&self, list: &str, to: &str, purge: bool) -> Result<u8, u8> {
        let Some(records) = self.records(list) else { return fail(format!("No such manifest: {list}")) };
        if records.is_empty() {
            return fail(format!("{list} not found"));
        }
        let mut images = Vec::new();
        let mut said = String::new();
        let repository = store_repository(list);
        for record in &records {
            let (name, descriptor) = (text(record, "Ref"), &record["Descriptor"]);
            let platform = &descriptor["platform"];
            if text(platform, "architecture").is_empty() || text(platform, "os").is_empty() {
                return fail(format!("manifest {name} must have an OS and Architecture to be pushed to a registry"));
            }
            if let Some(words) = foreign(list, name) {
                return fail(words);
            }
            let (source, digest) = (store_repository(name), text(descriptor, "digest"));
            if source != repository {
                said += &format!("Pushed ref {repository}@{digest} with digest: {digest}\n");
            }
            images.push((format!("{source}@{digest}"), platform.clone()));
        }
        let oci = records.first().is_some_and(|first| text(&first["Descriptor"], "mediaType").contains(".oci."));
        let format = if oci { "--format=oci" } else { "--format=v2s2" };
        let pushed = self.with_list(&images, |name| {
            let target = format!("docker://{to}");
            let pushed = ask(&self.calls.push, &["--all", format, "--digestfile=/dev/stdout", name, &target]);
            if pushed.status == 0 { Ok(pushed) } else { Err(pushed) }
        });
        let pushed = pushed.map_err(|answered| {
            complain_as_docker(&answered.stderr);
            1
        })?;
        let digest = String::from_utf8_lossy(&pushed.stdout).trim().to_string();
        // Later Podmans tell an ID before it.
        let digest = digest.lines().last().unwrap_or_default();
        let digest = digest.find("sha256:").map_or(digest, |at| &digest[at..]);
        write_stdout(format!("{said}{digest}\n").as_bytes())?;
        if purge { self.remove(list) } else { Ok(0) }
    }

    fn annotate(&self, list: &str, image: &str, shown: &[String; 2]) -> Result<u8, u8> {
        let ManifestJob::Annotate { os, architecture, variant, version, features, .. } = &self.job else { return Ok(1) };
        let file = self.directory_of(list).join(file_name(image));
        let record = fs::read(&file).ok().and_then(|content| serde_json::from_slice::<Json>(&content).ok());
        let Some(mut record) = record else {
            let [list, image] = shown;
            return fail(format!("manifest for image {image} does not exist in {list}"));
        };
        let old = record["Descriptor"]["platform"].clone();
        let either = |new: &str, key: &str| if new.is_empty() { text(&old, key).to_string() } else { new.to_string() };
        let mut platform = json!({ "architecture": either(architecture, "architecture"), "os": either(os, "os") });
        let version = either(version, "os.version");
        if !version.is_empty() {
            platform["os.version"] = version.into();
        }
        let mut all: Vec<String> =
            old.get("os.features").and_then(Json::as_array).into_iter().flatten().map(|f| f.as_str().unwrap_or_default().into()).collect();
        for feature in features {
            if !all.contains(feature) {
                all.push(feature.clone());
            }
        }
        if !all.is_empty() {
            platform["os.features"] = json!(all);
        }
        let variant = either(variant, "variant");
        if !variant.is_empty() {
            platform["variant"] = variant.into();
        }
        if !is_platform(text(&platform, "os"), text(&platform, "architecture")) {
            return fail(format!("manifest entry for image has unsupported os/arch combination: {os}/{architecture}"));
        }
        record["Descriptor"]["platform"] = platform;
        fs::write(&file, record.to_string()).map(|()| 0).or_else(|error| fail(error.to_string()))
    }

    fn inspect(&self, image: &str, list: Option<&str>, verbose: bool) -> Result<u8, u8> {
        if let Some(list) = list {
            let file = self.directory_of(list).join(file_name(image));
            let record = fs::read(&file).ok().and_then(|content| serde_json::from_slice::<Json>(&content).ok());
            let Some(record) = record else { return fail(format!("No such manifest: {image}")) };
            let whole = ["SchemaV2Manifest", "OCIManifest"].iter().find_map(|key| record.get(*key));
            return match whole {
                _ if verbose => print(&indented(&record, b"\t")),
                Some(manifest) => print(&indented(manifest, b"\t")),
                None => self.show_image(image, None, false),
            };
        }
        if let Some(records) = self.records(image) {
            if verbose {
                return print(&indented(&records, b"\t"));
            }
            if let Some(words) = records.iter().find_map(|record| foreign(image, text(record, "Ref"))) {
                return fail(format!("failed to assemble ManifestDescriptor: {words}"));
            }
            return print(&manifest::list(&records.iter().map(|record| record["Descriptor"].clone()).collect::<Vec<_>>()));
        }
        match remote(&self.calls.registry, image) {
            Remote::Nothing(error) => fail(not_had(image, &error)),
            Remote::List(_) if verbose => fail(
                "docker: manifest inspect --verbose: Podman does not show the manifests of a list; inspect each by its digest without --verbose.",
            ),
            Remote::List(descriptors) => print(&manifest::list(&descriptors)),
            Remote::Image(raw) => self.show_image(image, raw, verbose),
        }
    }

    /// Shows an image's own manifest. Where Podman does not show it, the image is pulled: unless nobody looks.
    fn show_image(&self, image: &str, raw: Option<Vec<u8>>, verbose: bool) -> Result<u8, u8> {
        let raw = match raw {
            None if nobody_looks() => return Ok(0),
            None => self.pulled(image)?.0,
            Some(raw) => raw,
        };
        if verbose {
            let descriptor = self.descriptor(image)?;
            return print(&indented(&manifest::record(image, &descriptor, Some(&raw)), b"\t"));
        }
        let json: Json = serde_json::from_slice(&raw).or_else(|error| fail(error.to_string()))?;
        print(&indented(&json, b"\t"))
    }

    /// The manifest and the configuration of an image as the store has them once the image is pulled; what was not there before is
    /// removed.
    fn pulled(&self, image: &str) -> Result<(Vec<u8>, Vec<u8>), u8> {
        let read = |path: &Path| fs::read(path).ok();
        let all = || store::images_of(&self.store, &read).unwrap_or_default();
        let by_digest = |images: &[store::Image], digest: &str| {
            images.iter().find_map(|image| Some((image.manifest_of(digest, &read)?, image.config(&read))))
        };
        let digest = text(&self.descriptor(image)?, "digest").to_string();
        let before = all();
        if let Some(manifest) = by_digest(&before, &digest) {
            return Ok(manifest);
        }
        let exact = format!("{}@{digest}", store_repository(image));
        let answered = ask(&self.calls.pull, &["--quiet", &exact]);
        if answered.status != 0 {
            complain_as_docker(&answered.stderr);
            return Err(1);
        }
        let found = by_digest(&all(), &digest);
        let id = String::from_utf8_lossy(&answered.stdout).trim().to_string();
        if !before.iter().any(|image| image.id == id) {
            ask(&self.calls.remove_image, &[&id]);
        }
        found.map_or_else(|| fail(format!("docker: Podman does not show the manifest of {image}")), Ok)
    }
}

fn store_repository(name: &str) -> String {
    crate::plan::rules::local::repository(name).to_string()
}

fn print(text: &str) -> Result<u8, u8> {
    write_stdout(format!("{text}\n").as_bytes()).map(|()| 0)
}

/// Whether stdout is `/dev/null`.
fn nobody_looks() -> bool {
    let (out, null) = (fs::metadata("/proc/self/fd/1"), fs::metadata("/dev/null"));
    out.and_then(|out| Ok((out, null?))).is_ok_and(|(out, null)| out.file_type().is_char_device() && out.rdev() == null.rdev())
}

fn ask(call: &Call, args: &[impl AsRef<OsStr>]) -> Answered {
    let _ = super::prepare(&call.prepare);
    let mut command = super::command(call);
    let output = command.args(args).stdin(Stdio::null()).output();
    output.map_or(Answered { status: 125, ..Answered::default() }, |output| Answered {
        status: output.status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
        stdout: output.stdout,
        stderr: output.stderr,
    })
}

/// What `podman manifest inspect` makes of a name: a list as it is, an image in one of several ways.
fn remote(inspect: &Call, name: &str) -> Remote {
    let answered = ask(inspect, &[name]);
    let said = String::from_utf8_lossy(&answered.stderr).into_owned();
    if let Some(raw) = quoted_manifest(&said) {
        return Remote::Image(Some(raw.into_bytes()));
    }
    let Some(shown) = answered.json() else { return Remote::Nothing(said) };
    if let Some(list) = shown.get("manifests").and_then(Json::as_array) {
        return Remote::List(list.clone());
    }
    // Podman 4 shows an image of Docker's kind whole, if in other lines.
    let compact = serde_json::to_vec(&shown).ok().filter(|_| shown.get("config").is_some());
    let exact = compact.filter(|raw| name.split_once('@').is_none_or(|(_, digest)| digest == format!("sha256:{}", sha256::hex(raw))));
    Remote::Image(exact)
}
