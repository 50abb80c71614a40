//! `docker buildx bake`: the targets of a bake file, each built as `docker buildx build` with its flags would build it.
//!
//! JSON is read here. What only buildx's own parsers understand (HCL, compose files) a real buildx plugin resolves, whose
//! `bake --print` needs no daemon; where there is none it is refused.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use self::definition::{Chosen, Config};
use self::file::{Blocks, Fault, File};
use self::overrides::Overrides;
use super::build::{self, Baked, checks};
use super::platforms::Platform;
use super::{buildx, compose};
use crate::catalogue::Kind;
use crate::host;
use crate::plan::{Act, Answer, Context, Ending, Plan, Refusal, Run, Stderr, Stdout, Step};

mod definition;
mod entitlements;
mod entry;
mod file;
mod options;
mod overrides;
mod printed;

/// The files that are looked for, in this order (buildx `defaultFilenames`).
const DEFAULT_FILES: [&str; 8] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
    "docker-bake.json",
    "docker-bake.hcl",
    "docker-bake.override.json",
    "docker-bake.override.hcl",
];

/// `docker bake`: its words are those of `docker buildx bake`.
pub fn shortcut(context: &Context) -> Result<Plan, Refusal> {
    let mut argv: Vec<OsString> = Vec::new();
    for used in context.invocation.globals.iter() {
        let mut word = OsString::from(format!("--{}=", used.flag.long));
        word.push(&used.value);
        argv.push(word);
    }
    argv.extend(["buildx".into(), "bake".into()]);
    argv.extend(context.invocation.args.iter().cloned());
    Ok(crate::plan_of(&argv, context.host))
}

/// `buildx bake`. Errors: buildx's words; what Podman or the lack of a plugin stands in the way of.
pub fn bake(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let words: Vec<String> = context.invocation.args.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    if let Some(url) = words.first().filter(|word| build::is_remote(OsStr::new(word))) {
        return Err(
            context.refuse(format!("bake {url}: a definition that is elsewhere is BuildKit's to fetch; clone it and call bake there."))
        );
    }
    if uses.switch("check") || uses.text("call").is_some_and(|call| !call.is_empty() && call != "build") {
        return Err(context.refuse("bake --call asks BuildKit to look at Dockerfiles without building; Podman cannot."));
    }
    let listed = match uses.text("list").filter(|asked| !asked.is_empty()) {
        Some(asked) => Some(asked.to_string_lossy().into_owned()),
        None if uses.switch("list-targets") => Some("targets".to_string()),
        None => uses.switch("list-variables").then(|| "variables".to_string()),
    };
    if uses.switch("print") && listed.is_some() {
        return Err(checks::error("--print and --list are mutually exclusive"));
    }
    let builds = !uses.switch("print") && listed.is_none();
    if builds {
        buildx::check_builder(context)?;
    }
    checks::progress(context)?;
    let (files, mut head) = files(context, builds)?;
    let after = |head: &str, words: String| Refusal::new(format!("{head}ERROR: {words}"), 1);
    if files.is_empty() {
        return Err(after(&head, "couldn't find a bake definition".into()));
    }
    let builtin = [("BAKE_CMD_CONTEXT", "cwd://".to_string()), ("BAKE_LOCAL_PLATFORM", native())];
    let (chosen, overrides) = match file::read(&files, &builtin, context.host) {
        Ok(blocks) => match listed {
            Some(asked) => {
                let text = printed::list(&asked, &blocks).map_err(|words| after(&head, words))?;
                let text = text.ok_or_else(|| context.refuse("bake --list: a variable's value is more than a text; look at the file."))?;
                return Ok(told(head, text));
            }
            None => choose(context, blocks, words).map_err(|words| after(&head, words))?,
        },
        Err(Fault::Wrong(words)) => return Err(after(&head, words)),
        Err(Fault::Foreign(why)) => {
            let input = files.iter().find(|file| file.name == "-").map_or(&[][..], |file| &file.text);
            let answer = consult(context, &why, builds, input)?;
            if !builds || answer.status != 0 {
                return Ok(Plan::Answer(answer));
            }
            let chosen = printed::parse(&answer.stdout);
            let chosen = chosen.ok_or_else(|| context.refuse("bake: what the buildx plugin prints of this file is not understood."))?;
            if !head.is_empty() {
                head = HEADER.to_string() + &String::from_utf8_lossy(&answer.stderr);
            }
            (chosen, Overrides::default())
        }
    };
    if !builds {
        return Ok(told(head, printed::print(&chosen)));
    }
    // Outputs, caches and secrets that come with `--set` are granted by it.
    let overrides = match overrides.is_empty() {
        true => Overrides::read(&settings(context), &config(&chosen), context.host).unwrap_or_default(),
        false => overrides,
    };
    entitlements::check(context, &chosen, &overrides).map_err(|refusal| Refusal::new(format!("{head}{}", refusal.message), 1))?;
    build_all(context, &chosen, head)
}

/// How progress begins.
const HEADER: &str = "#0 building with \"default\" instance using podman driver\n\n";

fn told(head: String, text: String) -> Plan {
    Plan::Answer(Answer { stdout: text.into_bytes(), stderr: head.into_bytes(), status: 0 })
}

fn native() -> String {
    Platform::parse("linux").map(|platform| platform.shown()).unwrap_or_default()
}

/// The files of a command, and what progress tells of their reading. Errors: one that cannot be read.
fn files(context: &Context, builds: bool) -> Result<(Vec<File>, String), Refusal> {
    let host = context.host;
    let mut named: Vec<String> = context.invocation.uses.all("file").map(|name| name.to_string_lossy().into_owned()).collect();
    let mut origin = "";
    if named.is_empty() {
        let separator = host.env("BUILDX_BAKE_PATH_SEPARATOR").map(|it| it.to_string_lossy().into_owned()).filter(|it| !it.is_empty());
        let text = host.env("BUILDX_BAKE_FILE").map(|names| names.to_string_lossy().into_owned()).unwrap_or_default();
        named =
            text.split(separator.as_deref().unwrap_or(":")).map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect();
        if !named.is_empty() {
            origin = " from BUILDX_BAKE_FILE env";
        }
    }
    let defaults = named.is_empty();
    if defaults {
        named = DEFAULT_FILES.map(str::to_string).to_vec();
    }
    let mut head = String::new();
    if builds {
        head.push_str(HEADER);
    }
    head.push_str(&format!("#1 [internal] load local bake definitions{origin}\n"));
    let (mut files, mut failed) = (Vec::new(), None);
    for name in named {
        let name = name.strip_prefix("cwd://").unwrap_or(&name).to_string();
        let path = host.cwd().unwrap_or_default().join(&name);
        let read = if name == "-" { host.read(Path::new("/dev/stdin")) } else { host.read(&path) };
        match read {
            Some(text) => {
                let size = size(text.len());
                head.push_str(&match name.as_str() {
                    "-" => format!("#1 reading from stdin {size} done\n"),
                    name => format!("#1 reading {name} {size} / {size} done\n"),
                });
                files.push(File { name, text });
            }
            None if defaults && !host.exists(&path) => {}
            None => {
                head.push_str(&format!("#1 reading {name} done\n"));
                failed = Some(match (host.is_dir(&path), host.exists(&path)) {
                    (true, _) => format!("read {name}: is a directory"),
                    (_, true) => format!("open {name}: permission denied"),
                    _ => format!("open {name}: no such file or directory"),
                });
                break;
            }
        }
    }
    head.push_str("#1 DONE 0.0s\n");
    let progress = context.invocation.uses.text("progress").unwrap_or_default();
    if progress == "quiet" || progress == "none" {
        head.clear();
    }
    match failed {
        Some(words) => Err(Refusal::new(format!("{head}ERROR: {words}"), 1)),
        None => Ok((files, head)),
    }
}

/// A size as BuildKit's progress writes it.
fn size(bytes: usize) -> String {
    let mut size = bytes as f64;
    let mut unit = ["B", "kB", "MB", "GB"].into_iter();
    let mut shown = unit.next().map(|unit| format!("{bytes}{unit}")).unwrap_or_default();
    for unit in unit {
        if size < 1000.0 {
            break;
        }
        size /= 1000.0;
        shown = format!("{size:.2}{unit}");
    }
    shown
}

/// What `--set` and the flags that stand for it change.
fn settings(context: &Context) -> Vec<String> {
    let uses = &context.invocation.uses;
    let mut set: Vec<String> = uses.all("set").map(|value| value.to_string_lossy().into_owned()).collect();
    for key in ["push", "load"] {
        set.extend(uses.switch(key).then(|| format!("*.{key}=true")));
    }
    for key in ["no-cache", "pull"] {
        set.extend(uses.given(key).then(|| format!("*.{key}={}", uses.switch(key))));
    }
    for key in ["sbom", "provenance"] {
        let value = uses.text(key).unwrap_or_default().to_string_lossy();
        match &*value {
            "" => {}
            word if checks::is_truth(word) => set.push(format!("*.attest=type={key},disabled={}", !checks::is_on(word))),
            value => set.push(format!("*.attest=type={key},{value}")),
        }
    }
    set
}

fn config(chosen: &Chosen) -> Config {
    Config { groups: vec![], targets: chosen.targets.values().cloned().collect() }
}

/// The targets that a command is about. Errors: buildx's words.
fn choose(context: &Context, blocks: Blocks, mut words: Vec<String>) -> Result<(Chosen, Overrides), String> {
    let config = Config { groups: blocks.groups, targets: blocks.targets };
    if words.is_empty() {
        words.push("default".into());
    }
    let overrides = Overrides::read(&settings(context), &config, context.host)?;
    let mut chosen = config.chosen(&words, &overrides)?;
    for target in chosen.targets.values_mut() {
        options::check(target, context)?;
        target.context = Some(options::context(target));
        if let Some(epoch) = context.host.env("SOURCE_DATE_EPOCH").filter(|value| !value.is_empty()) {
            target.args.entry("SOURCE_DATE_EPOCH".into()).or_insert_with(|| epoch.to_string_lossy().into_owned());
        }
    }
    Ok((chosen, overrides))
}

/// What a real buildx plugin says of the definition. Errors: there is none, and `why` one is needed.
fn consult(context: &Context, why: &str, builds: bool, input: &[u8]) -> Result<Answer, Refusal> {
    let host = context.host;
    let is_real = |program: &PathBuf| {
        let said = || host.consult(program, &["docker-cli-plugin-metadata".into()], b"");
        let ours = |answer: Answer| host::contains(&answer.stdout, b"\"docker-shim\"");
        host.exists(program) && !host.is_this_program(program) && said().is_some_and(|answer| answer.status == 0 && !ours(answer))
    };
    let program = compose::dirs(host, context.engine).map(|dir| dir.join("docker-buildx")).find(is_real);
    let program = program.ok_or_else(|| {
        context.refuse(format!(
            "bake: {why}; that takes the parser of Docker's buildx plugin, which is not installed: install docker-buildx (or \
             docker-buildx-plugin), or write the definition as plain JSON."
        ))
    })?;
    let mut args: Vec<OsString> = vec!["bake".into()];
    for used in context.invocation.uses.iter().filter(|used| !matches!(used.flag.long, "builder" | "debug" | "metadata-file")) {
        args.push(match used.flag.kind {
            Kind::Switch => format!("--{}={}", used.flag.long, used.is_on()).into(),
            _ => {
                let mut word = OsString::from(format!("--{}=", used.flag.long));
                word.push(&used.value);
                word
            }
        });
    }
    if builds {
        args.push("--print".into());
    }
    args.push("--".into());
    args.extend(context.invocation.args.iter().cloned());
    host.consult(&program, &args, input).ok_or_else(|| context.refuse(format!("bake: {} cannot be started.", program.display())))
}

/// The targets in an order in which each comes after those that it builds on.
fn order(chosen: &Chosen) -> Vec<&String> {
    fn add<'a>(name: &'a String, chosen: &'a Chosen, done: &mut Vec<&'a String>) {
        if done.contains(&name) {
            return;
        }
        for link in definition::links(&chosen.targets[name]) {
            if let Some((link, _)) = chosen.targets.get_key_value(&link).filter(|(link, _)| *link != name) {
                add(link, chosen, done);
            }
        }
        done.push(name);
    }
    let mut done = Vec::new();
    chosen.targets.keys().for_each(|name| add(name, chosen, &mut done));
    done
}

/// Builds all targets, one after another.
fn build_all(context: &Context, chosen: &Chosen, head: String) -> Result<Plan, Refusal> {
    let several = chosen.targets.len() > 1;
    let own = std::process::id();
    // What others build on has a name of ours while they do.
    let linked: Vec<String> = chosen.targets.values().flat_map(definition::links).collect();
    let kept: BTreeMap<&String, String> = (chosen.targets.keys().filter(|name| linked.contains(name)).enumerate())
        .map(|(number, name)| (name, format!("localhost/docker-shim-bake-{own}-{number}:latest")))
        .collect();
    let vertices = Rc::new(Cell::new(1));
    let mut acts = Vec::new();
    if !head.is_empty() {
        acts.push(Act::Warn(format!("{head}\n").into_bytes()));
    }
    let metadata = context.invocation.uses.text("metadata-file").filter(|file| !file.is_empty());
    let metadata = metadata.map(|file| context.host.cwd().unwrap_or_default().join(file));
    let mut parts = Vec::new();
    let mut gap = false;
    for name in order(chosen) {
        let mut target = chosen.targets[name].clone();
        let keep = kept.get(name);
        let mut baked = Baked {
            target: several.then(|| name.clone()),
            dockerfile: target.dockerfile_inline.clone(),
            vertices: Rc::clone(&vertices),
            ..Baked::default()
        };
        if keep.is_some() && target.platforms.as_ref().is_some_and(|platforms| platforms.len() > 1) {
            return Err(context.refuse(format!("bake: the target {name} is for several platforms and another target's context; Podman knows a context for one platform only.")));
        }
        if target.pull == Some(true) && !definition::links(&target).is_empty() {
            return Err(context.refuse(format!(
                "bake: the target {name} builds on another target and is to pull; Podman would pull that one, too. Leave out pull."
            )));
        }
        let to_files = |kind: &str| matches!(kind, "local" | "tar" | "oci" | "cacheonly");
        let files = target
            .output
            .as_ref()
            .is_some_and(|outputs| outputs.iter().all(|output| to_files(output.field("type")) || !output.field("dest").is_empty()));
        let build = |target: &definition::Target, baked: &Baked| build(context, target, baked, &kept, &head);
        if let Some(keep) = keep.filter(|_| files) {
            // First the image that others build on; what is written to files then comes from the cache.
            let mut first = target.clone();
            first.output = Some(vec![entry::Entry::of_type("cacheonly")]);
            baked.keep = Some(keep.clone());
            if std::mem::take(&mut gap) {
                acts.push(Act::Warn(b"\n".to_vec()));
            }
            acts.extend(build(&first, &baked)?);
            baked.keep = None;
            (target.no_cache, target.no_cache_filter, target.pull) = (None, None, None);
            if first.output == target.output {
                parts.push((name.clone(), PathBuf::new()));
                gap = false;
                continue;
            }
        } else {
            baked.keep = keep.cloned();
        }
        if let (Some(_), Some(dir)) = (&metadata, host::runtime_dir()) {
            let part = dir.join(format!("bake-{own}-{}.json", parts.len()));
            acts.push(Act::Do(Step::WriteOwn { path: part.clone(), content: b"{}".to_vec() }));
            baked.metadata = Some(part.clone());
            parts.push((name.clone(), part));
        }
        if std::mem::replace(&mut gap, !head.is_empty()) {
            acts.push(Act::Warn(b"\n".to_vec()));
        }
        acts.extend(build(&target, &baked)?);
    }
    let files: Vec<PathBuf> = parts.iter().map(|(_, part)| part.clone()).filter(|part| !part.as_os_str().is_empty()).collect();
    if let Some(path) = metadata {
        parts.sort();
        acts.push(Act::Gather { parts, path });
    }
    if kept.is_empty() && files.is_empty() {
        return Ok(Plan::Sequence(acts));
    }
    let untag = |image: &String| -> Result<Act, Refusal> {
        let mut untag = context.call("untag")?;
        untag.arg(image).arg(image);
        Ok(Act::Run(Run { stdout: Stdout::Discard, stderr: Stderr::Discard, ..Run::new(untag.call(), Ending::Ignore) }))
    };
    let mut then = kept.values().map(untag).collect::<Result<Vec<_>, _>>()?;
    then.extend(files.into_iter().map(|file| Act::Do(Step::RemoveFile(file))));
    Ok(Plan::Sequence(vec![Act::Finally { acts, then }]))
}

/// Builds one target. Errors are told of as bake does.
fn build(
    context: &Context,
    target: &definition::Target,
    baked: &Baked,
    kept: &BTreeMap<&String, String>,
    head: &str,
) -> Result<Vec<Act>, Refusal> {
    let image = |name: &str| kept.iter().find(|(known, _)| known.as_str() == name).map(|(_, image)| image.clone());
    let invocation = options::invocation(context, target, &image)?;
    let inner = Context { invocation: &invocation, host: context.host, engine: context.engine };
    build::acts(&inner, Some(baked)).map_err(|refusal| match refusal.message.strip_prefix("ERROR: ") {
        None => refusal,
        Some(words) => {
            let which = baked.target.as_ref().map(|name| format!("target {name}: ")).unwrap_or_default();
            let words = words.strip_prefix("failed to build: ").map_or(words.to_string(), |words| format!("{which}{words}"));
            Refusal::new(format!("{head}ERROR: {words}"), 1)
        }
    })
}
