//! A container as Podman's list has it, read as Docker's.

use serde_json::Value as Json;

use crate::render::units::human_duration;
use crate::render::{DOCKERENV_TARGET, given, text};

/// The health of a container of Podman's list, where it has one.
pub fn health(c: &Json) -> Option<&'static str> {
    ["unhealthy", "starting", "healthy"].into_iter().find(|health| text(c, "Status").ends_with(&format!("({health})")))
}

/// One container of Podman's list.
pub struct Container<'a> {
    pub json: &'a Json,
    pub id: &'a str,
    pub name: &'a str,
    pub given: Json,
    pub state: &'static str,
    pub status: String,
    pub health: &'static str,
    pub running: bool,
    pub exit_status: Option<i64>,
}

impl<'a> Container<'a> {
    pub fn new(json: &'a Json, now: f64) -> Container<'a> {
        let number = |key: &str| json.get(key).and_then(Json::as_i64).unwrap_or_default();
        let since = |key: &str| human_duration(now - number(key) as f64);
        // Podman's zero time is that of the year 1.
        let never_started = number("StartedAt") <= 0;
        let state = match text(json, "State") {
            "running" | "stopping" => "running",
            "paused" => "paused",
            "removing" => "removing",
            "unknown" | "bad state" => "dead",
            _ if never_started => "created",
            "created" | "configured" | "initialized" => "created",
            _ => "exited",
        };
        let health = health(json);
        let exit_status = number("ExitCode");
        let status = match (state, health) {
            ("running", Some("starting")) => format!("Up {} (health: starting)", since("StartedAt")),
            ("running", Some(health)) => format!("Up {} ({health})", since("StartedAt")),
            ("running", None) => format!("Up {}", since("StartedAt")),
            ("paused", _) => format!("Up {} (Paused)", since("StartedAt")),
            ("removing", _) => "Removal In Progress".into(),
            ("dead", _) => "Dead".into(),
            ("created", _) => "Created".into(),
            _ => format!("Exited ({exit_status}) {} ago", since("ExitedAt")),
        };
        let running = matches!(state, "running" | "paused");
        Container {
            json,
            id: text(json, "Id"),
            name: json.pointer("/Names/0").and_then(Json::as_str).unwrap_or_default(),
            given: given(json.get("Labels")),
            state,
            status,
            health: health.unwrap_or("none"),
            running,
            exit_status: (!running && !never_started).then_some(exit_status),
        }
    }

    /// Whether Podman names its networks; those of the host, of none, of another container and rootless ones it does not.
    pub fn has_named_networks(&self) -> bool {
        self.json.get("Networks").and_then(Json::as_array).is_some_and(|names| !names.is_empty())
    }
    /// Whether anything is mounted.
    pub fn has_mounts(&self) -> bool {
        self.json.get("Mounts").and_then(Json::as_array).is_some_and(|mounts| mounts.iter().any(|mount| mount != DOCKERENV_TARGET))
    }
    /// Whether it was made by this program, which then kept what Podman cannot tell.
    pub fn is_ours(&self) -> bool {
        self.given.is_object()
    }
}
