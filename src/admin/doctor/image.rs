//! `docker-shim doctor image NAME`: where a pull of a name goes, and whether the machine's rules let the image in.

use std::ffi::OsStr;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Finding, Grade, files};
use crate::host::{self, Host};
use crate::plan::rules::references::Reference;
use crate::plan::rules::registries_conf::{self, Location};
use crate::render::policy;

/// What the machine's rules make of a pull.
#[derive(Debug)]
pub struct Way {
    /// The name in full.
    image: String,
    /// The places that are asked, one after the other.
    places: Vec<Location>,
    /// The file with the rule that names the places, and the rule.
    registry: Option<(String, String)>,
    blocked: bool,
    /// The policy's file, and the rule of it that decides.
    policy: (String, String),
    rejected: bool,
    signed: bool,
    /// What keeps Podman from reading its rules at all.
    faults: Vec<Finding>,
}

/// Follows a name as Podman does, which asks the policy about the name that was given and not about the place.
/// Errors: a name that Docker does not take.
pub fn way(host: &dyn Host, name: &OsStr) -> Result<Way, String> {
    let image = Reference::parse(name)?.tagged();
    let registry = registries_conf::find(host, &image);
    let places = match &registry {
        Some(registry) => registry.places(&image),
        None => vec![Location { name: image.clone(), insecure: false }],
    };
    let file = policy::file(host::home(host), &|path| host.exists(path));
    let rules: Value = host.read(&file).and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let rule = policy::rule(&rules, "docker", &image);
    let signed = rule.requirements.as_array().is_some_and(|all| all.iter().any(|one| one["type"] != "insecureAcceptAnything"));
    Ok(Way {
        blocked: registry.as_ref().is_some_and(|registry| registry.blocked),
        registry: registry.map(|registry| (registry.file.display().to_string(), format!("prefix {}", registry.prefix))),
        places,
        policy: (file.display().to_string(), rule.name.clone()),
        rejected: rule.rejects(),
        signed,
        faults: files::faults(host).into_iter().filter(|finding| finding.grade == Grade::Error).collect(),
        image,
    })
}

impl Way {
    /// Whether the image can come in, its registry willing.
    pub fn is_open(&self) -> bool {
        !self.blocked && !self.rejected && self.faults.is_empty()
    }

    /// 0 where the image can come in, else 1.
    pub fn status(&self) -> u8 {
        u8::from(!self.is_open())
    }

    fn verdict(&self) -> &'static str {
        match (self.rejected, self.signed) {
            _ if self.faults.iter().any(|fault| fault.what == "policy.json") => "cannot be read",
            (true, _) => "rejected",
            (_, true) => "accepted where signed",
            _ => "accepted",
        }
    }

    /// A line each, or JSON.
    pub fn report(&self, as_json: bool) -> String {
        if as_json {
            let places: Vec<_> = self.places.iter().map(|place| json!({ "name": place.name, "plain": place.is_plain() })).collect();
            let registry = self.registry.as_ref().map(|(file, rule)| json!({ "file": file, "rule": rule, "blocked": self.blocked }));
            let policy = json!({ "file": self.policy.0, "rule": self.policy.1, "verdict": self.verdict() });
            let faults: Vec<_> = self.faults.iter().map(Finding::json).collect();
            let way = json!({ "image": self.image, "open": self.is_open(), "places": places, "registry": registry, "policy": policy, "faults": faults });
            return format!("{way}\n");
        }
        let mut text = format!("{}\n", self.image);
        let mut line = |what: &str, words: &str| {
            let _ = writeln!(text, "  {what:<9} {words}");
        };
        for place in &self.places {
            let how = if place.is_plain() { " (plain HTTP will do)" } else { "" };
            line("from", &format!("{}{how}", place.name));
        }
        if let Some((file, rule)) = &self.registry {
            line("registry", &format!("{file}, {rule}: {}", if self.blocked { "blocked" } else { "allowed" }));
        }
        line("policy", &format!("{}, {}: {}", self.policy.0, self.policy.1, self.verdict()));
        for fault in &self.faults {
            line("error", &format!("{}: {}", fault.what, fault.text));
        }
        text
    }
}
