//! `docker context`: docker/cli's own store of contexts in the caller's configuration. Podman is never asked.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::catalogue::{Kind, Treatment};
use crate::grammar;
use crate::plan::{Act, Answer, Change, Context, Plan, Refusal, shown};
use crate::render::context::{Row, inspect_type, list};
use crate::render::inspect::{Inspector, Object};
use crate::render::{natural, text};

mod archive;
pub mod store;

use store::{DEFAULT, Stored, Tls};

fn refused(words: impl Into<String>) -> Refusal {
    Refusal::new(words, 1)
}

/// Refuses what the catalogue refuses: these commands make no call whose flags would be translated.
fn refuse_what_has_gone(context: &Context) -> Result<(), Refusal> {
    let gone = context.invocation.uses.iter().find_map(|used| match used.flag.treatment {
        Treatment::Refuse(why) if used.flag.kind != Kind::Switch || used.is_on() => Some((used.flag, why)),
        _ => None,
    });
    gone.map_or(Ok(()), |(flag, why)| Err(context.refuse(format!("{}: {why}", shown(flag)))))
}

/// What has been done: the name on stdout, a sentence on stderr.
fn done(changes: Vec<Change>, name: &str, said: String) -> Plan {
    Plan::Sequence(vec![Act::Change(changes), Act::Print(format!("{name}\n").into_bytes()), Act::Warn(said.into_bytes())])
}

/// A name as typed.
fn argument(context: &Context, at: usize) -> String {
    context.invocation.args.get(at).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `docker context show`.
pub fn show(context: &Context) -> Result<Plan, Refusal> {
    let store = Stored::of(context);
    Ok(Plan::Answer(Answer::printed(format!("{}\n", store.current()))))
}

/// `docker context ls`.
pub fn ls(context: &Context) -> Result<Plan, Refusal> {
    let store = Stored::of(context);
    let current = store.current();
    let mut rows: Vec<Row> = store.all().map_err(refused)?.iter().map(|meta| row(meta, &current)).collect();
    if !rows.iter().any(|row| row.current) {
        let error = store.get(&current).err().unwrap_or_default();
        rows.push(Row { name: current.clone(), current: true, error, ..Row::default() });
    }
    rows.sort_by(|a, b| natural(&a.name, &b.name));
    let uses = &context.invocation.uses;
    let format = uses.text("format").unwrap_or_default().to_string_lossy();
    let listed = list(&format, uses.switch("quiet"), &rows).map_err(refused)?;
    let overridden = context.host.env("DOCKER_HOST").is_some_and(|h| !h.is_empty());
    let stderr = if overridden {
        "Warning: DOCKER_HOST environment variable overrides the active context. To use a context, either set the global --context flag, \
         or unset DOCKER_HOST environment variable.\n"
    } else {
        ""
    };
    Ok(Plan::Answer(Answer { stderr: stderr.into(), ..Answer::printed(listed) }))
}

fn row(meta: &Json, current: &str) -> Row {
    let name = text(meta, "Name");
    let docker = meta.pointer("/Endpoints/docker");
    let described = meta.pointer("/Metadata/Description").and_then(Json::as_str).unwrap_or_default();
    Row {
        name: name.to_string(),
        description: if name == DEFAULT { store::DEFAULT_DESCRIPTION } else { described }.to_string(),
        endpoint: docker.map_or("", |d| text(d, "Host")).to_string(),
        current: name == current,
        error: if docker.is_none() { "cannot find docker endpoint in context".to_string() } else { String::new() },
    }
}

/// `docker context inspect`.
pub fn inspect(context: &Context) -> Result<Plan, Refusal> {
    let store = Stored::of(context);
    let inspector = Inspector::new(&context.invocation.uses.text("format").unwrap_or_default().to_string_lossy())?;
    let mut names: Vec<String> = context.invocation.args.iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.is_empty() {
        names.push(store.current());
    }
    let one = |name: &String| {
        let mut json = store.get(name)?;
        json["TLSMaterial"] = json!(store.tls_listing(name));
        json["Storage"] = store.storage(name);
        Ok(Object { typ: inspect_type(&json), json })
    };
    Ok(Plan::Answer(inspector.show_typed(names.iter().map(one).collect())))
}

/// `docker context use`.
pub fn use_one(context: &Context) -> Result<Plan, Refusal> {
    let store = Stored::of(context);
    let name = argument(context, 0);
    if name != DEFAULT {
        store::check_name(&name).map_err(refused)?;
        store.get(&name).map_err(refused)?;
    }
    let mut said = format!("Current context is now {name:?}\n");
    if name != DEFAULT && context.host.env("DOCKER_HOST").is_some_and(|h| !h.is_empty()) {
        said += &format!(
            "Warning: DOCKER_HOST environment variable overrides the active context. To use {name:?}, either set the global --context flag, \
             or unset DOCKER_HOST environment variable.\n"
        );
    }
    let changes = store.set_current(if name == DEFAULT { "" } else { &name }, false).map_err(refused)?;
    Ok(done(changes, &name, said))
}

/// `docker context create`.
pub fn create(context: &Context) -> Result<Plan, Refusal> {
    refuse_what_has_gone(context)?;
    let store = Stored::of(context);
    let name = argument(context, 0);
    free_name(&store, &name)?;
    let uses = &context.invocation.uses;
    let from = uses.text("from").unwrap_or_default().to_string_lossy();
    let description = uses.text("description").unwrap_or_default().to_string_lossy();
    let endpoint = endpoint_flags(context);
    let (mut meta, tls) = match (from.as_ref(), &endpoint) {
        ("", Some(flags)) => {
            let (endpoint, tls) = endpoint_of(context, &store, flags).map_err(unable)?;
            (json!({ "Name": name, "Metadata": {}, "Endpoints": { "docker": endpoint } }), tls)
        }
        (_, Some(flags)) if !flags.is_empty() => return Err(refused("cannot use --docker flag when --from is set")),
        (from, _) => {
            let from = if from.is_empty() { store.current() } else { from.to_string() };
            let mut meta = store.get(&from).map_err(refused)?;
            if from == DEFAULT {
                meta["Metadata"]["Description"] = store::DEFAULT_DESCRIPTION.into();
            }
            (meta, store.tls(&from))
        }
    };
    if !description.is_empty() {
        meta["Metadata"]["Description"] = description.as_ref().into();
    }
    Ok(done(store.put(&name, meta, Some(tls)), &name, format!("Successfully created context {name:?}\n")))
}

fn unable(words: String) -> Refusal {
    refused(format!("unable to create docker endpoint config: {words}"))
}

fn free_name(store: &Stored, name: &str) -> Result<(), Refusal> {
    store::check_name(name).map_err(refused)?;
    if store.exists(name) { Err(refused(format!("context {name:?} already exists"))) } else { Ok(()) }
}

/// `docker context update`.
pub fn update(context: &Context) -> Result<Plan, Refusal> {
    refuse_what_has_gone(context)?;
    let store = Stored::of(context);
    let name = argument(context, 0);
    store::check_name(&name).map_err(refused)?;
    let mut meta = store.get(&name).map_err(refused)?;
    let description = context.invocation.uses.text("description").unwrap_or_default().to_string_lossy();
    if !description.is_empty() {
        meta["Metadata"]["Description"] = description.as_ref().into();
    }
    let mut tls = None;
    if let Some(flags) = endpoint_flags(context) {
        let (endpoint, files) = endpoint_of(context, &store, &flags).map_err(unable)?;
        meta["Endpoints"]["docker"] = endpoint;
        let mut all = store.tls(&name);
        all.remove("docker");
        all.extend(files);
        tls = Some(all);
    }
    Ok(done(store.put(&name, meta, tls), &name, format!("Successfully updated context {name:?}\n")))
}

/// `docker context rm`.
pub fn rm(context: &Context) -> Result<Plan, Refusal> {
    let store = Stored::of(context);
    let force = context.invocation.uses.switch("force");
    let current = store.current();
    let mut acts = Vec::new();
    let mut errors = Vec::new();
    for name in &context.invocation.args {
        let name = name.to_string_lossy();
        if name == DEFAULT {
            errors.push("context \"default\" cannot be removed".to_string());
        } else if name == current && !force {
            errors.push(format!("context {name:?} is in use, set -f flag to force remove"));
        } else if !force && !store.has_directory(&name) {
            errors.push(format!("context {name:?} does not exist"));
        } else {
            let mut changes = if name == current { store.set_current("", true).map_err(refused)? } else { vec![] };
            changes.extend(store.remove(&name));
            acts.push(Act::Change(changes));
            acts.push(Act::Print(format!("{name}\n").into_bytes()));
        }
    }
    if !errors.is_empty() {
        acts.push(Act::Complain(refused(errors.join("\n"))));
    }
    Ok(Plan::Sequence(acts))
}

/// `docker context export`.
pub fn export(context: &Context) -> Result<Plan, Refusal> {
    refuse_what_has_gone(context)?;
    let store = Stored::of(context);
    let name = argument(context, 0);
    if name != DEFAULT {
        store::check_name(&name).map_err(refused)?;
    }
    let to = if context.invocation.args.len() == 2 { argument(context, 1) } else { format!("{name}.dockercontext") };
    if to == "-" && context.host.is_terminal(1) {
        return Err(refused("cowardly refusing to export to a terminal, specify a file path"));
    }
    let tar = store.get(&name).map(|meta| archive::write(&store::stored_form(&meta), &store.tls(&name)));
    if to == "-" {
        return Ok(Plan::Answer(Answer::printed(tar.map_err(refused)?)));
    }
    let path = Path::new(&to);
    if context.host.exists(path) {
        return Err(refused(format!("open {to}: file exists")));
    }
    let create = |content: Vec<u8>| Act::Change(vec![Change::Create { path: path.to_path_buf(), content }]);
    Ok(Plan::Sequence(match tar {
        Ok(tar) => vec![create(tar), Act::Warn(format!("Written file {to:?}\n").into_bytes())],
        // Docker has made the file before it looks for the context.
        Err(words) => vec![create(Vec::new()), Act::Complain(refused(words))],
    }))
}

/// `docker context import`: the tar that `docker context export` writes.
pub fn import(context: &Context) -> Result<Plan, Refusal> {
    let store = Stored::of(context);
    let name = argument(context, 0);
    free_name(&store, &name)?;
    let from = argument(context, 1);
    let bytes = match from.as_str() {
        "-" => context.host.read(Path::new("/dev/stdin")).unwrap_or_default(),
        file => read(context, file).map_err(refused)?,
    };
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(context.refuse("a context in a zip archive cannot be read; use the tar archive that `docker context export` writes."));
    }
    let (meta, tls) = archive::read(&bytes).map_err(refused)?;
    Ok(done(store.put(&name, meta, Some(tls)), &name, format!("Successfully imported context {name:?}\n")))
}

/// A file's content. Errors: Go's words.
fn read(context: &Context, file: &str) -> Result<Vec<u8>, String> {
    let why = || if context.host.exists(Path::new(file)) { "permission denied" } else { "no such file or directory" };
    context.host.read(Path::new(file)).ok_or_else(|| format!("open {file}: {}", why()))
}

/// `--docker KEY=VALUE,…`; none where it was not given.
fn endpoint_flags(context: &Context) -> Option<BTreeMap<String, String>> {
    let uses = &context.invocation.uses;
    if !uses.given("docker") {
        return None;
    }
    let pair = |text: &str| text.split_once('=').map(|(k, v)| (k.to_string(), v.to_string()));
    let pairs = |value: &OsStr| -> Vec<(String, String)> {
        let whole = value.to_string_lossy();
        // pflag reads one pair as it is, several as a record.
        if whole.matches('=').count() == 1 {
            return pair(whole.trim_matches('"')).into_iter().collect();
        }
        let fields = grammar::csv_record(value.as_bytes()).unwrap_or_default();
        fields.iter().filter_map(|field| pair(&String::from_utf8_lossy(field))).collect()
    };
    Some(uses.all("docker").flat_map(pairs).collect())
}

const KEYS: [&str; 6] = ["from", "host", "ca", "cert", "key", "skip-tls-verify"];

/// `getDockerEndpoint` of docker/cli: the endpoint and its TLS files. Errors: its words.
fn endpoint_of(context: &Context, store: &Stored, flags: &BTreeMap<String, String>) -> Result<(Json, Tls), String> {
    let unknown: Vec<String> =
        flags.keys().filter(|k| !KEYS.contains(&k.as_str())).map(|k| format!("unrecognized config key: {k}")).collect();
    if !unknown.is_empty() {
        return Err(unknown.join("\n"));
    }
    if let Some(from) = flags.get("from") {
        let endpoint = store.get(from)?.pointer("/Endpoints/docker").cloned();
        return Ok((endpoint.ok_or_else(|| format!("unable to get endpoint from context {from:?}"))?, Tls::new()));
    }
    let mut files = BTreeMap::new();
    for key in ["ca", "cert", "key"] {
        if let Some(file) = flags.get(key).filter(|file| !file.is_empty()) {
            files.insert(format!("{key}.pem"), read(context, file)?);
        }
    }
    let skip = match flags.get("skip-tls-verify").map(String::as_str) {
        None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
        Some(other) => return Err(format!("skip-tls-verify: parsing {other:?}: invalid syntax")),
    };
    let host = flags.get("host").map(String::as_str).unwrap_or_default();
    check_host(host, &files)?;
    let mut endpoint = Map::new();
    if !host.is_empty() {
        endpoint.insert("Host".into(), host.into());
    }
    endpoint.insert("SkipTLSVerify".into(), skip.into());
    let tls = if files.is_empty() { Tls::new() } else { Tls::from([("docker".to_string(), files)]) };
    Ok((Json::Object(endpoint), tls))
}

/// Whether a client could be made for the address, as far as docker/cli looks.
fn check_host(host: &str, files: &BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    let Some((scheme, _)) = host.split_once("://").filter(|(_, rest)| !rest.is_empty()) else {
        return if host.is_empty() {
            Ok(())
        } else {
            Err(format!("unable to apply docker endpoint options: unable to parse docker host `{host}`"))
        };
    };
    if matches!(scheme, "unix" | "npipe" | "fd" | "ssh") {
        return Ok(());
    }
    let lacks = |file: &str, mark: &str| files.get(file).is_some_and(|pem| !crate::host::contains(pem, mark.as_bytes()));
    if lacks("ca.pem", "-----BEGIN CERTIFICATE-----") {
        return Err("invalid docker endpoint options: failed to retrieve context tls info: ca.pem seems invalid".into());
    }
    if files.contains_key("cert.pem") && lacks("key.pem", "-----BEGIN ") {
        return Err("invalid docker endpoint options: no valid private key found".into());
    }
    Ok(())
}
