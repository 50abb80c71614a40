//! The engine as a whole: its version, all about it, what it does and what its containers use.
//!
//! [`version`] and [`info`] say of Podman what Docker's own client says of it when it talks to Podman's socket: the engine's version is
//! Podman's, the API's is the one that Podman's socket offers. So a caller that compares API versions gets an answer that holds for the
//! socket too, and one that looks at the engine's name or version is not deceived.

use serde_json::{Map, Value as Json, json};

use super::text;
use super::value::{Field, STRING, Struct, Type};
use crate::catalogue::DOCKER_VERSION;

pub mod events;
pub mod info;
pub mod stats;
pub mod top;
pub mod version;

/// What is known of the client itself, before any engine is asked.
#[derive(Debug, Clone, Default)]
pub struct Client {
    /// The context in use.
    pub context: String,
    /// The version that it stands for, where a pipeline asked for one (`installer`).
    pub version: Option<String>,
    /// The API version that the caller insists on (`DOCKER_API_VERSION`).
    pub api: Option<String>,
    /// `-D`.
    pub debug: bool,
    /// The address of another machine's engine.
    pub remote: Option<String>,
    /// What is wrong with Podman on this machine: it is not there.
    pub missing: Option<String>,
}

/// The API version that the client speaks by itself (docker/cli's `api.DefaultVersion` of [`DOCKER_VERSION`]).
const API: &str = "1.51";

impl Client {
    /// docker/cli's `clientVersion`: without an API version where none is to be negotiated. What it was built with and when is only said
    /// where it is known: there is no Go in it, and a package's build has its date in `SOURCE_DATE_EPOCH`.
    fn json(&self, api: Option<&str>) -> Json {
        let mut fields = Map::new();
        let mut set = |name: &str, value: &str| fields.insert(name.into(), value.into());
        set("Version", self.version.as_deref().unwrap_or(DOCKER_VERSION));
        set("ApiVersion", api.unwrap_or_default());
        set("DefaultAPIVersion", API);
        set("GitCommit", concat!("docker-shim-", env!("CARGO_PKG_VERSION")));
        set("GoVersion", "");
        set("Os", std::env::consts::OS);
        set("Arch", go_arch(std::env::consts::ARCH));
        let built = option_env!("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
        set("BuildTime", &built.map(version::ansic).unwrap_or_default());
        set("Context", &self.context);
        Json::Object(fields)
    }

    /// The API version that client and engine agree on: the older of the two.
    fn negotiated(&self, engine: Option<&str>) -> String {
        let older = engine.filter(|engine| parts(engine) < parts(API));
        self.api.clone().unwrap_or_else(|| older.unwrap_or(API).to_string())
    }

    /// What Docker's client says when nobody answers, and why it is so.
    fn no_engine(&self, podman: &super::Answered) -> String {
        let address = self.remote.as_deref().unwrap_or("unix:///var/run/docker.sock");
        let cannot = format!("Cannot connect to the Docker daemon at {address}. Is the docker daemon running?\n");
        match (&self.missing, &self.remote) {
            (Some(why), _) => format!("{cannot}{why}\n"),
            (None, Some(_)) => cannot,
            (None, None) => String::from_utf8_lossy(&podman.stderr).into_owned(),
        }
    }
}

/// A platform's name in Go.
fn go_arch(arch: &str) -> &str {
    match arch {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

/// The numbers of a version, for comparing.
fn parts(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0)).collect()
}

/// The API version that the socket of a Podman offers (its `version/version.go`, read over all releases).
fn api_of(podman: &str) -> &'static str {
    match parts(podman) {
        version if version >= vec![5, 8] => "1.44",
        version if version >= vec![4, 2] => "1.41",
        _ => "1.40",
    }
}

/// The fields of docker/cli's `clientVersion`.
static CLIENT_VERSION: Type = Type::Struct(&Struct::new(
    "system.clientVersion",
    &[
        Field::new("Platform", "Platform", &Type::Ptr(&PLATFORM)).omitempty(),
        Field::new("Version", "Version", &STRING).omitempty(),
        Field::new("APIVersion", "ApiVersion", &STRING).omitempty(),
        Field::new("DefaultAPIVersion", "DefaultAPIVersion", &STRING).omitempty(),
        Field::new("GitCommit", "GitCommit", &STRING).omitempty(),
        Field::new("GoVersion", "GoVersion", &STRING).omitempty(),
        Field::new("Os", "Os", &STRING).omitempty(),
        Field::new("Arch", "Arch", &STRING).omitempty(),
        Field::new("BuildTime", "BuildTime", &STRING).omitempty(),
        Field::new("Context", "Context", &STRING),
    ],
));

static PLATFORM: Type = Type::Struct(&Struct::new("system.platformInfo", &[Field::new("Name", "Name", &STRING).omitempty()]));

/// What a runtime or monitor says of its version: `runc version 1.1.5+ds1\ncommit: …\nspec: …` or `conmon version 2.1.6, commit: unknown`.
struct Component {
    version: String,
    commit: String,
}

impl Component {
    fn read(said: &str) -> Component {
        let first = said.split(['\n', ',']).next().unwrap_or_default();
        let version = first.split_once(" version ").map_or(first, |(_, version)| version);
        let commit = said.split_once("commit: ").map_or("", |(_, rest)| rest.split(['\n', ',']).next().unwrap_or_default());
        Component { version: version.trim().to_string(), commit: commit.trim().to_string() }
    }

    /// A component of `docker version`.
    fn json(&self, name: &str, package: &str) -> Json {
        json!({"Name": name, "Version": self.version, "Details": {"GitCommit": self.commit, "Package": package}})
    }
}

/// An object in Podman's JSON.
fn part<'a>(json: &'a Json, pointer: &str) -> &'a Json {
    json.pointer(pointer).unwrap_or(&Json::Null)
}

/// A text in Podman's JSON.
fn text_at<'a>(json: &'a Json, pointer: &str) -> &'a str {
    let (object, key) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    text(part(json, object), key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_components_say() {
        let runc = Component::read("runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev\ngo: go1.19.8");
        assert_eq!((runc.version.as_str(), runc.commit.as_str()), ("1.1.5+ds1", "1.1.5+ds1-1+deb12u1"));
        let conmon = Component::read("conmon version 2.1.6, commit: unknown");
        assert_eq!((conmon.version.as_str(), conmon.commit.as_str()), ("2.1.6", "unknown"));
        let crun = Component::read("crun version 1.8.1\ncommit: f8a096be060b22ccd3d5f3ebe44108517fbf6c30\nrundir: /run/crun\nspec: 1.0.0");
        assert_eq!((crun.version.as_str(), crun.commit.len()), ("1.8.1", 40));
    }

    #[test]
    fn knows_the_api_of_every_podman() {
        let apis = ["3.0.1", "4.1.1", "4.3.1", "5.4.2", "5.7.1", "5.8.0-rc1", "5.8.6", "6.0.0"].map(api_of);
        assert_eq!(apis, ["1.40", "1.40", "1.41", "1.41", "1.41", "1.44", "1.44", "1.44"]);
        let client = Client::default();
        assert_eq!(
            (client.negotiated(Some("1.44")), client.negotiated(None), client.negotiated(Some("1.52"))),
            ("1.44".into(), API.into(), API.into())
        );
    }
}
