//! docker/cli's context store (`cli/context/store`): `contexts/meta/SHA256-OF-NAME/meta.json`, the TLS files beside, and the current
//! context in config.json.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use crate::host::{self, Host};
use crate::plan::{Change, Context};
use crate::render::{indented, text};
use crate::sha256;

/// docker/cli's own context, which is in no file.
pub const DEFAULT: &str = "default";
/// What `docker context ls` says of it.
pub const DEFAULT_DESCRIPTION: &str = "Current DOCKER_HOST based configuration";

/// TLS files by their endpoint.
pub type Tls = BTreeMap<String, BTreeMap<String, Vec<u8>>>;

/// The caller's store.
pub struct Stored<'a> {
    host: &'a dyn Host,
    dir: PathBuf,
    current: String,
    default_host: String,
}

/// The file of a context's metadata in a configuration's directory.
pub fn meta_file(configuration: &Path, name: &str) -> PathBuf {
    directory(configuration, "meta", name).join("meta.json")
}

fn directory(configuration: &Path, kind: &str, name: &str) -> PathBuf {
    configuration.join("contexts").join(kind).join(sha256::hex(name.as_bytes()))
}

/// docker/cli's words for a context whose file is not there.
pub fn missing(name: &str, file: &Path) -> String {
    format!("context {name:?}: context not found: open {}: no such file or directory", file.display())
}

/// `ValidateContextName`.
pub fn check_name(name: &str) -> Result<(), String> {
    const PATTERN: &str = "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$";
    if name.is_empty() {
        return Err("context name cannot be empty".into());
    }
    if name == DEFAULT {
        return Err("\"default\" is a reserved context name".into());
    }
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric());
    if first && name.len() > 1 && bytes.all(|b| b.is_ascii_alphanumeric() || b"_.+-".contains(&b)) {
        return Ok(());
    }
    Err(format!("context name {name:?} is invalid, names are validated against regexp {PATTERN:?}"))
}

impl<'a> Stored<'a> {
    /// The store of the configuration that the command is given.
    pub fn of(context: &Context<'a>) -> Stored<'a> {
        let host = context.host;
        let dir = context.engine.config_dir().or_else(|| Some(host::home(host)?.join(".docker"))).unwrap_or_default();
        let globals = &context.invocation.globals;
        let set = |name: &str| host.env(name).filter(|v| !v.is_empty()).map(|v| v.to_string_lossy().into_owned());
        let flag = |name: &str| globals.text(name).filter(|v| !v.is_empty()).map(|v| v.to_string_lossy().into_owned());
        let address = flag("host").or_else(|| set("DOCKER_HOST"));
        let configured = || {
            let config: Json = serde_json::from_slice(&host.read(&dir.join("config.json"))?).ok()?;
            Some(text(&config, "currentContext").to_string()).filter(|name| !name.is_empty())
        };
        // `resolveContextName` of docker/cli.
        let current = match (flag("context"), &address) {
            (Some(name), _) => name,
            (None, Some(_)) => DEFAULT.to_string(),
            (None, None) => set("DOCKER_CONTEXT").or_else(configured).unwrap_or_else(|| DEFAULT.to_string()),
        };
        let default_host = address.map_or_else(|| own_socket(host), |address| with_scheme(&address));
        Stored { host, dir, current, default_host }
    }

    /// The name of the current context, whether there is such a one or not.
    pub fn current(&self) -> String {
        self.current.clone()
    }

    fn directory(&self, kind: &str, name: &str) -> PathBuf {
        directory(&self.dir, kind, name)
    }

    fn meta_file(&self, name: &str) -> PathBuf {
        meta_file(&self.dir, name)
    }

    /// Whether a context of this name is stored.
    pub fn exists(&self, name: &str) -> bool {
        self.host.exists(&self.meta_file(name))
    }

    /// Whether there is anything of it.
    pub fn has_directory(&self, name: &str) -> bool {
        self.host.exists(&self.directory("meta", name))
    }

    /// A context's metadata. Errors: docker/cli's words for one that is not there or cannot be read.
    pub fn get(&self, name: &str) -> Result<Json, String> {
        if name == DEFAULT {
            let endpoint = json!({ "Host": self.default_host, "SkipTLSVerify": false });
            return Ok(json!({ "Name": DEFAULT, "Metadata": {}, "Endpoints": { "docker": endpoint } }));
        }
        let file = self.meta_file(name);
        let shown = file.display();
        let Some(bytes) = self.host.read(&file) else {
            let closed = self.host.exists(&file);
            return Err(if closed { format!("context {name:?}: open {shown}: permission denied") } else { missing(name, &file) });
        };
        parse(&bytes).map_err(|words| format!("context {name:?}: parsing {shown}: {words}"))
    }

    /// All of them, the default one last.
    pub fn all(&self) -> Result<Vec<Json>, String> {
        let root = self.dir.join("contexts/meta");
        let mut found = Vec::new();
        for entry in self.host.list(&root) {
            let file = root.join(entry).join("meta.json");
            if let Some(bytes) = self.host.read(&file) {
                found.push(parse(&bytes).map_err(|words| format!("failed to read metadata: parsing {}: {words}", file.display()))?);
            }
        }
        found.push(self.get(DEFAULT)?);
        Ok(found)
    }

    /// The names of the TLS files.
    pub fn tls_listing(&self, name: &str) -> BTreeMap<String, Vec<String>> {
        self.tls(name).into_iter().map(|(endpoint, files)| (endpoint, files.into_keys().collect())).collect()
    }

    /// The TLS files.
    pub fn tls(&self, name: &str) -> Tls {
        let mut tls = Tls::new();
        if name == DEFAULT {
            return tls;
        }
        let root = self.directory("tls", name);
        for endpoint in self.host.list(&root) {
            let dir = root.join(&endpoint);
            let files = self.host.list(&dir).into_iter().filter_map(|file| {
                let content = self.host.read(&dir.join(&file))?;
                Some((file.to_string_lossy().into_owned(), content))
            });
            tls.insert(endpoint.to_string_lossy().into_owned(), files.collect());
        }
        tls
    }

    /// Where it is kept.
    pub fn storage(&self, name: &str) -> Json {
        if name == DEFAULT {
            return json!({ "MetadataPath": "<IN MEMORY>", "TLSPath": "<IN MEMORY>" });
        }
        let path = |kind: &str| self.directory(kind, name).to_string_lossy().into_owned();
        json!({ "MetadataPath": path("meta"), "TLSPath": path("tls") })
    }

    /// What writes a context; without TLS files those that are there stay.
    pub fn put(&self, name: &str, mut meta: Json, tls: Option<Tls>) -> Vec<Change> {
        meta["Name"] = name.into();
        let mut changes = vec![Change::Write {
            path: self.meta_file(name),
            content: stored_form(&meta).into_bytes(),
            mode: 0o644,
            directory_mode: 0o755,
        }];
        if let Some(tls) = tls {
            let root = self.directory("tls", name);
            changes.push(Change::RemoveDirectory(root.clone()));
            for (endpoint, files) in tls {
                for (file, content) in files {
                    let path = root.join(&endpoint).join(file);
                    changes.push(Change::Write { path, content, mode: 0o600, directory_mode: 0o700 });
                }
            }
        }
        changes
    }

    /// What removes a context.
    pub fn remove(&self, name: &str) -> Vec<Change> {
        ["meta", "tls"].map(|kind| Change::RemoveDirectory(self.directory(kind, name))).into()
    }

    /// What makes a context the current one; nothing where it is already, unless it is to be written anyway. All else in config.json stays
    /// as and where it is. Errors: a file that is no JSON is not written over.
    pub fn set_current(&self, name: &str, anyway: bool) -> Result<Vec<Change>, String> {
        let file = self.dir.join("config.json");
        let there = self.host.read(&file);
        let config: Json = match &there {
            Some(bytes) => serde_json::from_slice(bytes).map_err(|e| format!("{}: {e}", file.display()))?,
            None => json!({}),
        };
        let mut config = config.as_object().cloned().ok_or_else(|| format!("{}: not an object", file.display()))?;
        let before = config.get("currentContext").and_then(Json::as_str).unwrap_or_default();
        if before == name && !anyway {
            return Ok(vec![]);
        }
        if name.is_empty() {
            config.shift_remove("currentContext");
        } else {
            config.insert("currentContext".into(), name.into());
        }
        if !config.contains_key("auths") {
            let rest = std::mem::take(&mut config);
            config.insert("auths".into(), json!({}));
            config.extend(rest);
        }
        Ok(vec![Change::Configuration { path: file, content: indented(&config, b"\t").into_bytes() }])
    }
}

/// Where this machine's engine is reached: Docker's place, unless only Podman's own socket is there.
fn own_socket(host: &dyn Host) -> String {
    let docker = PathBuf::from("/var/run/docker.sock");
    let podman = host::podman_socket(host);
    if !host.exists(&docker) && host.exists(&podman) {
        format!("unix://{}", podman.display())
    } else {
        format!("unix://{}", docker.display())
    }
}

/// docker/cli's `ParseHost`, as far as an address changes by it.
fn with_scheme(address: &str) -> String {
    let address = address.trim();
    match address {
        "unix://" => "unix:///var/run/docker.sock".into(),
        address if address.contains("://") => address.into(),
        address if address.contains(':') => format!("tcp://{address}"),
        address => format!("tcp://{address}:2375"),
    }
}

/// Metadata with the keys as docker/cli reads them, whatever their case.
pub fn parse(bytes: &[u8]) -> Result<Json, String> {
    let json: Map<String, Json> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    let of = |key: &str| json.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.clone()).filter(|v| !v.is_null());
    Ok(json!({
        "Name": of("Name").unwrap_or_default().as_str().unwrap_or_default(),
        "Metadata": of("Metadata").unwrap_or_else(|| json!({})),
        "Endpoints": of("Endpoints").unwrap_or_else(|| json!({})),
    }))
}

/// Metadata as docker/cli writes it.
pub fn stored_form(meta: &Json) -> String {
    json!({ "Name": meta["Name"], "Metadata": meta["Metadata"], "Endpoints": meta["Endpoints"] }).to_string()
}
