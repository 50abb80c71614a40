//! `docker version` (docker/cli `cli/command/system/version.go`).

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{API, CLIENT_VERSION, Client, Component, api_of, part, parts, text_at};
use crate::plan::{Answer, Refusal};
use crate::render::template::{MissingKey, Template};
use crate::render::value::{BOOL, Field, MAP_OF_STRINGS, STRING, Struct, Time, Type, Value};
use crate::render::{Answered, Desk, View, tabwriter, text};

/// `docker version`, of `podman info --format json`: that has all components and costs hardly more than `podman version`.
#[derive(Debug)]
pub struct Version {
    /// None for Docker's own text.
    template: Option<Template>,
    client: Client,
}

impl Version {
    /// Errors: a template that cannot be parsed, with status 64.
    pub fn new(format: &str, client: Client) -> Result<Version, Refusal> {
        let format = if format == "json" { "{{json .}}" } else { format };
        let template = (!format.is_empty()).then(|| Template::parse_named("version", format)).transpose();
        let template = template.map_err(|error| Refusal::new(format!("template parsing error: {error}"), 64))?;
        Ok(Version { template, client })
    }

    /// The answer for an engine, or for none: then the client's part is said all the same.
    pub fn answer(&self, podman: &Answered) -> Answer {
        let engine = podman.json().map(|info| server(&info));
        let api = engine.as_ref().map(|engine| text(engine, "ApiVersion"));
        let both = json!({"Client": self.client.json(Some(&self.client.negotiated(api))), "Server": engine});
        let mut answer = Answer::default();
        if engine.is_none() {
            answer.stderr = self.client.no_engine(podman).into_bytes();
            answer.status = 1;
        }
        let mut out = Vec::new();
        match &self.template {
            None => out.extend(in_words(&both).into_bytes()),
            Some(template) => {
                if let Err(error) = template.execute(&Value::decode(&INFO, &both), MissingKey::Default, &mut out) {
                    // That nobody answered is said before.
                    if answer.status == 0 {
                        answer.stderr = format!("{error}\n").into_bytes();
                    }
                    answer.status = 1;
                }
            }
        }
        out.push(b'\n');
        answer.stdout = match String::from_utf8(out) {
            Ok(text) => tabwriter::align(&text, 20, 1).into_bytes(),
            Err(bytes) => bytes.into_bytes(),
        };
        answer
    }
}

impl View for Version {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        Some(self.answer(podman))
    }
}

/// The engine as Podman's socket describes it under `/version` (Podman `pkg/api/handlers/compat/version.go`), with the component `Engine`
/// that Docker's client adds where there is none.
fn server(info: &Json) -> Json {
    let version = text_at(info, "/version/Version");
    let (api, commit, go) = (api_of(version), text_at(info, "/version/GitCommit"), text_at(info, "/version/GoVersion"));
    let (os, arch, kernel) = (text_at(info, "/host/os"), text_at(info, "/host/arch"), text_at(info, "/host/kernel"));
    let seconds = part(info, "/version/Built").as_i64().unwrap_or_default();
    let built = Time::utc(seconds, 0);
    let platform = [text_at(info, "/host/distribution/distribution"), text_at(info, "/host/distribution/version")].join("-");
    let mut engine = json!({"APIVersion": text_at(info, "/version/APIVersion"), "Arch": arch, "BuildTime": built.rfc3339(),
        "Experimental": "false", "GitCommit": commit, "GoVersion": go, "KernelVersion": kernel, "Os": os});
    if parts(version) >= vec![4] {
        // The oldest client of Podman's own API that is served.
        engine["MinAPIVersion"] = "4.0.0".into();
    }
    let conmon = Component::read(text_at(info, "/host/conmon/version"));
    let runtime = Component::read(text_at(info, "/host/ociRuntime/version"));
    let as_docker = json!({"ApiVersion": api, "MinAPIVersion": MIN_API, "GitCommit": commit, "GoVersion": go, "Os": os, "Arch": arch,
        "BuildTime": ansic(seconds), "Experimental": "false"});
    json!({
        "Platform": {"Name": format!("{os}/{arch}/{platform}")},
        "Components": [
            {"Name": "Podman Engine", "Version": version, "Details": engine},
            conmon.json("Conmon", text_at(info, "/host/conmon/package")),
            runtime.json(&format!("OCI Runtime ({})", text_at(info, "/host/ociRuntime/name")), text_at(info, "/host/ociRuntime/package")),
            {"Name": "Engine", "Version": version, "Details": as_docker},
        ],
        "Version": version,
        "ApiVersion": api,
        "MinAPIVersion": MIN_API,
        "GitCommit": commit,
        "GoVersion": go,
        "Os": os,
        "Arch": arch,
        "KernelVersion": kernel,
        "BuildTime": built.rfc3339(),
    })
}

/// The oldest API version that Podman's socket offers.
const MIN_API: &str = "1.24";

/// Go's `time.ANSIC`: `Mon Jan _2 15:04:05 2006`.
pub(super) fn ansic(seconds: i64) -> String {
    Time::utc(seconds, 0).ansic()
}

/// Docker's own text; its template is docker/cli's `defaultVersionTemplate`.
fn in_words(both: &Json) -> String {
    let client = part(both, "/Client");
    let of = |key: &str| text(client, key);
    let mut out = String::from("Client:");
    let downgraded = if of("ApiVersion") == API { String::new() } else { format!(" (downgraded from {API})") };
    let _ = write!(out, "\n Version:\t{}\n API version:\t{}{downgraded}", of("Version"), of("ApiVersion"));
    let _ = write!(out, "\n Go version:\t{}\n Git commit:\t{}\n Built:\t{}", of("GoVersion"), of("GitCommit"), of("BuildTime"));
    let _ = write!(out, "\n OS/Arch:\t{}/{}\n Context:\t{}", of("Os"), of("Arch"), of("Context"));
    let server = part(both, "/Server");
    if server.is_null() {
        return out;
    }
    let _ = write!(out, "\n\nServer: {}", text_at(server, "/Platform/Name"));
    for component in part(server, "/Components").as_array().into_iter().flatten() {
        let detail = |key: &str| text(part(component, "/Details"), key);
        let _ = write!(out, "\n {}:\n  Version:\t{}", text(component, "Name"), text(component, "Version"));
        if text(component, "Name") == "Engine" {
            let _ = write!(out, "\n  API version:\t{} (minimum version {})", detail("ApiVersion"), detail("MinAPIVersion"));
            let _ = write!(out, "\n  Go version:\t{}\n  Git commit:\t{}", detail("GoVersion"), detail("GitCommit"));
            let _ = write!(out, "\n  Built:\t{}\n  OS/Arch:\t{}/{}", detail("BuildTime"), detail("Os"), detail("Arch"));
            let _ = write!(out, "\n  Experimental:\t{}", detail("Experimental"));
            continue;
        }
        let mut keys: Vec<&String> = part(component, "/Details").as_object().into_iter().flat_map(|details| details.keys()).collect();
        keys.sort();
        keys.into_iter().for_each(|key| out.push_str(&format!("\n  {key}:\t{}", detail(key))));
    }
    out
}

static INFO: Type = Type::Struct(&Struct::new(
    "system.versionInfo",
    &[Field::new("Client", "Client", &CLIENT_VERSION), Field::new("Server", "Server", &Type::Ptr(&SERVER))],
));

static SERVER: Type = Type::Struct(&Struct::new(
    "types.Version",
    &[
        Field::new("Platform", "Platform", &PLATFORM),
        Field::new("Components", "Components", &Type::List(&COMPONENT)).omitempty(),
        Field::new("Version", "Version", &STRING),
        Field::new("APIVersion", "ApiVersion", &STRING),
        Field::new("MinAPIVersion", "MinAPIVersion", &STRING).omitempty(),
        Field::new("GitCommit", "GitCommit", &STRING),
        Field::new("GoVersion", "GoVersion", &STRING),
        Field::new("Os", "Os", &STRING),
        Field::new("Arch", "Arch", &STRING),
        Field::new("KernelVersion", "KernelVersion", &STRING).omitempty(),
        Field::new("Experimental", "Experimental", &BOOL).omitempty(),
        Field::new("BuildTime", "BuildTime", &STRING).omitempty(),
    ],
));

static PLATFORM: Type = Type::Struct(&Struct::new("struct { Name string }", &[Field::new("Name", "Name", &STRING)]));

static COMPONENT: Type = Type::Struct(&Struct::new(
    "types.ComponentVersion",
    &[
        Field::new("Name", "Name", &STRING),
        Field::new("Version", "Version", &STRING),
        Field::new("Details", "Details", &MAP_OF_STRINGS).omitempty(),
    ],
));
