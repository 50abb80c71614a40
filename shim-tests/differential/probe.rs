//! The state of an engine, as the engine itself tells it over its socket (a few milliseconds), and the way back to the
//! base state.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::lab::Engine;
use crate::normalise;

/// The registries of an engine, by the names of their data.
const REGISTRIES: [&str; 2] = ["open", "auth"];

/// The view of one user on one engine: rootless Podman has a store per user.
pub struct Probe {
    docker: bool,
    socket: PathBuf,
    /// $HOME, where logins are kept, and Podman's own login file.
    home: PathBuf,
    podman_logins: PathBuf,
    /// The engine's registry data, and the data as it was made.
    registries: PathBuf,
    images: PathBuf,
}

/// What there is. Texts are normalised: generated names, IDs.
#[derive(Default)]
pub struct State {
    /// What is compared: line and how often.
    lines: BTreeMap<String, usize>,
    /// What a clean-up needs: the IDs of containers and networks, the names of volumes, and images with their names.
    containers: Vec<String>,
    networks: Vec<String>,
    volumes: Vec<String>,
    images: BTreeMap<String, Vec<String>>,
    registry: Vec<String>,
}

impl State {
    /// How the state differs from the base: `+ line`, `- line`, and `~ line` for a name that moved, sorted.
    pub fn difference(&self, base: &State) -> Vec<String> {
        let mut result = Vec::new();
        let empty = 0;
        for line in self.lines.keys().chain(base.lines.keys().filter(|line| !self.lines.contains_key(*line))) {
            let (now, before) = (*self.lines.get(line).unwrap_or(&empty), *base.lines.get(line).unwrap_or(&empty));
            let (sign, times) = if now > before { ('+', now - before) } else { ('-', before - now) };
            match times {
                0 => {}
                1 => result.push(format!("{sign} {line}")),
                _ => result.push(format!("{sign} {line} ({times} times)")),
            }
        }
        for (id, names) in &base.images {
            let moved = |name: &&String| self.images.iter().any(|(other, names)| other != id && names.contains(name));
            result.extend(names.iter().filter(moved).map(|name| format!("~ image {} is another", reference(name))));
        }
        result.sort();
        result
    }

    /// Whether a container runs, or was still said to.
    pub fn is_running(&self) -> bool {
        self.lines.keys().any(|line| line.starts_with("container ") && line.ends_with(" running"))
    }

    fn add(&mut self, line: String) {
        *self.lines.entry(line).or_default() += 1;
    }
}

impl Probe {
    pub fn new(engine: &Engine, user: &str) -> Probe {
        let rootless = user == "ci";
        let inside = |path: &str| engine.root.join(path);
        Probe {
            docker: engine.is_docker(),
            socket: inside(match (engine.is_docker(), rootless) {
                (true, _) => "run/docker.sock",
                (false, false) => "run/lab/engine.sock",
                (false, true) => "run/lab-ci/engine.sock",
            }),
            home: inside(if rootless { "home/ci" } else { "root" }),
            podman_logins: inside(if rootless { "run/user/1001/containers/auth.json" } else { "run/containers/0/auth.json" }),
            registries: engine.place.join("state").join(&engine.name).join("registry"),
            images: engine.place.join("images"),
        }
    }

    pub fn state(&self) -> Result<State> {
        let mut state = State::default();
        for image in list(self.get("images/json")?) {
            let names = names_of(&image);
            if names.is_empty() {
                state.add("image without a name".to_owned());
            }
            for name in names {
                state.add(format!("image {}", reference(&name)));
            }
        }
        // With the unnamed parents of other images, which are nobody's business but have to go.
        for image in list(self.get("images/json?all=true")?) {
            state.images.insert(text(&image["Id"]).trim_start_matches("sha256:").to_owned(), names_of(&image));
        }
        // With those that builds have left, which Podman lists nowhere else.
        for container in list(self.get(if self.docker { "containers/json?all=true" } else { "containers/json?all=true&external=true" })?) {
            if container["State"] == "storage" {
                state.add("container of a build".to_owned());
                state.containers.push(text(&container["Id"]).to_owned());
                continue;
            }
            let name = texts(&container["Names"]).first().map_or(String::new(), |name| name.trim_start_matches('/').to_owned());
            let status = match text(&container["State"]) {
                "configured" => "created",
                "stopped" => "exited",
                other => other,
            };
            let code = match (status, container["ExitCode"].as_i64()) {
                ("exited", Some(code)) => format!(" {code}"),
                ("exited", None) => {
                    let code = text(&container["Status"])
                        .strip_prefix("Exited (")
                        .and_then(|rest| rest.split_once(')'))
                        .map_or("?", |found| found.0);
                    format!(" {code}")
                }
                _ => String::new(),
            };
            // Docker names an image that lost its name by its ID, Podman goes on with the name.
            let mut image = reference(text(&container["Image"]));
            if !state.lines.contains_key(&format!("image {image}")) {
                image = "<id>".to_owned();
            }
            state.add(format!("container {} {image} {status}{code}", normalise::text(&name, "\0")));
            state.containers.push(text(&container["Id"]).to_owned());
        }
        let volumes = self.get("volumes/json").map(list).or_else(|_| self.get("volumes").map(|found| list(found["Volumes"].clone())))?;
        for volume in volumes {
            let name = text(&volume["Name"]).to_owned();
            let anonymous = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
            state.add(if anonymous { "volume without a name".to_owned() } else { format!("volume {name}") });
            state.volumes.push(name);
        }
        for network in list(self.get(if self.docker { "networks" } else { "networks/json" })?) {
            let name = text(if self.docker { &network["Name"] } else { &network["name"] });
            if !["bridge", "host", "none", "podman"].contains(&name) {
                state.add(format!("network {name}"));
                state.networks.push(name.to_owned());
            }
        }
        for kind in REGISTRIES {
            for tag in tags(&self.registries.join(kind).join("docker/registry/v2/repositories"))? {
                state.add(format!("registry {kind} {tag}"));
                state.registry.push(tag);
            }
        }
        for file in [&self.home.join(".docker/config.json"), &self.podman_logins] {
            let Ok(text) = fs::read_to_string(file) else { continue };
            let config: Value = serde_json::from_str(&text).unwrap_or_default();
            for server in config["auths"].as_object().into_iter().flat_map(|servers| servers.keys()) {
                state.add(format!("login {server} in {}", if file.ends_with("config.json") { "Docker's file" } else { "Podman's file" }));
            }
        }
        Ok(state)
    }

    /// Brings the engine back to the base state; `built` says that a build cache may have to go too. False when that
    /// did not succeed.
    pub fn clean(&self, state: &State, base: &State, built: bool) -> Result<bool> {
        if state.lines == base.lines && state.images == base.images && state.containers.is_empty() && state.registry == base.registry {
            if built && self.docker {
                self.ask("POST", "/build/prune?all=1")?;
            }
            return Ok(true);
        }
        for id in &state.containers {
            self.delete(&format!("containers/{id}?force=true&v=true{}", if self.docker { "" } else { "&timeout=0" }))?;
        }
        for name in &state.volumes {
            self.delete(&format!("volumes/{name}?force=true"))?;
        }
        for name in &state.networks {
            self.delete(&format!("networks/{name}?force=true"))?;
        }
        // Names first; what then has none goes by ID. A parent goes with or after its children, hence the rounds.
        for (id, names) in &state.images {
            for name in names {
                if base.images.get(id).is_none_or(|kept| !kept.contains(name)) {
                    self.delete(&format!("images/{name}?force=true"))?;
                }
            }
        }
        for _ in 0..4 {
            let extra: Vec<String> = self.state()?.images.into_keys().filter(|id| !base.images.contains_key(id)).collect();
            for id in &extra {
                self.delete(&format!("images/{id}?force=true"))?;
            }
            if extra.is_empty() {
                break;
            }
        }
        if built && self.docker {
            self.ask("POST", "/build/prune?all=1")?;
        }
        if state.registry != base.registry {
            for kind in REGISTRIES {
                let data = self.registries.join(kind).join("docker");
                fs::remove_dir_all(&data)?;
                Command::new("cp").arg("-a").arg(self.images.join(kind).join("docker")).arg(&data).status()?;
            }
        }
        let _ = fs::remove_dir_all(self.home.join(".docker"));
        let _ = fs::remove_file(&self.podman_logins);
        let now = self.state()?;
        Ok(now.lines == base.lines && now.images == base.images)
    }

    fn get(&self, path: &str) -> Result<Value> {
        let (status, body) = self.ask("GET", &self.path(path))?;
        if status != 200 {
            bail!("{path}: {status}");
        }
        serde_json::from_slice(&body).with_context(|| path.to_owned())
    }

    /// Asks for a deletion; that it is refused shows in the state afterwards.
    fn delete(&self, path: &str) -> Result<()> {
        self.ask("DELETE", &self.path(path)).map(drop)
    }

    fn path(&self, path: &str) -> String {
        if self.docker { format!("/{path}") } else { format!("/v4.0.0/libpod/{path}") }
    }

    /// One request: HTTP/1.0, so the answer ends with the connection.
    fn ask(&self, method: &str, path: &str) -> Result<(u16, Vec<u8>)> {
        let mut stream = UnixStream::connect(&self.socket).with_context(|| self.socket.display().to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(300)))?;
        write!(stream, "{method} {path} HTTP/1.0\r\nHost: engine\r\nContent-Length: 0\r\n\r\n")?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let head = answer.windows(4).position(|window| window == b"\r\n\r\n").context("no HTTP answer")?;
        let status =
            String::from_utf8_lossy(&answer[..head]).split(' ').nth(1).and_then(|code| code.parse().ok()).context("no HTTP status")?;
        Ok((status, answer.split_off(head + 4)))
    }
}

/// REPOSITORY:TAG of everything in a registry's data.
fn tags(repositories: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut pending = vec![repositories.to_owned()];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry?.path();
            match path.file_name().and_then(|name| name.to_str()) {
                Some("_manifests") => {
                    let repository = directory.strip_prefix(repositories)?.display().to_string();
                    for tag in fs::read_dir(path.join("tags")).into_iter().flatten() {
                        found.push(format!("{repository}:{}", tag?.file_name().to_string_lossy()));
                    }
                }
                Some(name) if !name.starts_with('_') && path.is_dir() => pending.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// An image reference as both engines would write it: Docker Hub's prefix goes, `:latest` is said. `localhost/` stays,
/// for it is a name that Docker would not have given.
fn reference(name: &str) -> String {
    let bare = ["docker.io/library/", "docker.io/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    if bare.starts_with("sha256:") || (bare.len() >= 12 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return "<id>".to_owned();
    }
    let last = bare.rsplit('/').next().unwrap_or(bare);
    let named = if last.contains([':', '@']) { bare.to_owned() } else { format!("{bare}:latest") };
    normalise::text(&named, "\0")
}

/// The names of an image in an engine's list; a digest is none.
fn names_of(image: &Value) -> Vec<String> {
    let mut names = texts(&image["RepoTags"]);
    names.retain(|name| name != "<none>:<none>" && !name.contains('@'));
    names
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        _ => Vec::new(),
    }
}
