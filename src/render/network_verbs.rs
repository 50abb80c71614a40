//! What `docker network rm`, `connect` and `disconnect` say, of what Podman says.

use super::network::{endpoint_id, is_predefined, users};
use super::{Answered, Desk, View, text};
use crate::plan::{Answer, Call};

/// Whether a network cannot be removed because the engine made it.
pub fn pre_defined(name: &str) -> bool {
    is_predefined(name)
}

/// `docker network rm`, of one `podman network rm` of all names.
#[derive(Debug)]
pub struct NetworkRemove {
    pub names: Vec<String>,
    /// A missing one is no error.
    pub force: bool,
    /// Lists the containers, should one be in the way.
    pub users: Call,
}

impl NetworkRemove {
    /// The answer where there was nothing to ask Podman.
    pub fn all_predefined(&self) -> Answer {
        let errors: Vec<String> = self.names.iter().map(|name| cannot_be_removed(name)).collect();
        failed(Vec::new(), &errors)
    }
}

fn cannot_be_removed(name: &str) -> String {
    format!("Error response from daemon: {name} is a pre-defined network and cannot be removed")
}

fn failed(stdout: Vec<u8>, errors: &[String]) -> Answer {
    Answer { stdout, stderr: format!("{}\nexit status 1\n", errors.join("\n")).into_bytes(), status: 1 }
}

impl View for NetworkRemove {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let removed = String::from_utf8_lossy(&podman.stdout).into_owned();
        let said = String::from_utf8_lossy(&podman.stderr).into_owned();
        let mut stdout = Vec::new();
        let mut errors = Vec::new();
        for name in &self.names {
            if pre_defined(name) {
                errors.push(cannot_be_removed(name));
            } else if removed.lines().any(|line| line == name) {
                stdout.extend_from_slice(name.as_bytes());
                stdout.push(b'\n');
            } else if said.contains(&format!("name or ID {name}: network not found")) {
                if !self.force {
                    errors.push(format!("Error response from daemon: network {name} not found"));
                }
            } else if said.contains(&format!("\"{name}\" has associated containers")) {
                let containers = desk.ask(&self.users, &[""; 0])?;
                let ends: Vec<String> = users(&containers, name).iter().map(|(user, id)| endpoint(name, user, id)).collect();
                let ends = ends.join(", ");
                errors.push(format!(
                    "Error response from daemon: error while removing network: network {name} has active endpoints ({ends})"
                ));
            } else {
                return None;
            }
        }
        Some(if errors.is_empty() { Answer::printed(stdout) } else { failed(stdout, &errors) })
    }
}

fn endpoint(network: &str, name: &str, id: &str) -> String {
    format!("name:{name:?} id:\"{:.12}\"", endpoint_id(network, id))
}

/// `docker network connect` and `disconnect`; for `host` and `none` of `podman inspect` of the container.
#[derive(Debug)]
pub struct NetworkMember {
    /// As the caller gave them.
    pub network: String,
    pub container: String,
    pub connects: bool,
    /// Asks for the container.
    pub inspect: Call,
}

impl View for NetworkMember {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let NetworkMember { network, container, connects, .. } = self;
        let daemon = |words: String| Some(Answer::failed(format!("Error response from daemon: {words}"), 1));
        let said = String::from_utf8_lossy(&podman.stderr);
        if ["no container with", "no such container"].iter().any(|words| said.contains(words)) {
            return daemon(format!("No such container: {container}"));
        }
        if matches!(network.as_str(), "host" | "none") {
            let inspected = podman.json()?;
            let mode = inspected.pointer("/0/HostConfig/NetworkMode")?.as_str()?;
            let id = text(inspected.get(0)?, "Id");
            return match (network.as_str(), connects) {
                (_, false) if mode != network => daemon(format!("container {id} is not connected to network {network}")),
                ("host", false) => {
                    daemon("cannot disconnect container from host network - container was created in host network mode".into())
                }
                (_, true) if mode == "host" || mode.starts_with("container:") => daemon(SHARED.into()),
                ("host", true) => {
                    daemon("cannot connect container to host network - container must be created in host network mode".into())
                }
                ("none", true) => {
                    daemon("container cannot be connected to multiple networks with one of the networks in private (none) mode".into())
                }
                _ => daemon(format!("container {id} cannot leave network {network}: Podman sets it when the container is made")),
            };
        }
        if podman.status == 0 {
            return Some(Answer::default());
        }
        if said.contains("network not found") {
            return daemon(format!("network {network} not found"));
        }
        let name_and_id = || {
            let inspected = desk.ask(&self.inspect, &[""; 0])?;
            let first = inspected.get(0)?;
            Some((text(first, "Name").trim_start_matches('/').to_string(), text(first, "Id").to_string()))
        };
        if said.contains("is already connected to network") {
            return daemon(format!("endpoint with name {} already exists in network {network}", name_and_id()?.0));
        }
        if said.contains("is not connected to network") {
            return daemon(format!("container {} is not connected to network {network}", name_and_id()?.1));
        }
        if said.contains("is not supported: invalid network mode") {
            return daemon(SHARED.into());
        }
        None
    }
}

const SHARED: &str = "container sharing network namespace with another container or host cannot be connected to any other network";
