//! `docker info` (docker/cli `cli/command/system/info.go`).

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::{Client, part};
use crate::plan::{Answer, Call, Refusal};
use crate::render::template::{MissingKey, Template};
use crate::render::value::Value;
use crate::render::{Answered, Desk, View, natural, text, units};

mod server;
mod types;

/// What the machine says of itself, beside what Podman says. All of it is of the machine that Podman runs on; none for a remote one.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// `/etc/os-release`.
    pub os_release: Vec<u8>,
    /// `/etc/machine-id`.
    pub machine_id: Vec<u8>,
    /// Whether the kernel can limit swap, and forwards between networks.
    pub swap_limit: bool,
    pub ip_forward: bool,
    /// `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`.
    pub proxies: [String; 3],
}

/// `docker info`, of `podman info --format json`.
#[derive(Debug)]
pub struct Info {
    /// None for Docker's own text.
    pub template: Option<Template>,
    pub client: Client,
    pub machine: Machine,
    /// Who is logged in at Docker's hub.
    pub user: String,
    /// The CLI plugins that are installed, by name.
    pub plugins: Vec<(String, Call)>,
}

impl Info {
    /// The template of a `--format`. Errors: one that cannot be parsed, with status 64.
    pub fn template(format: &str) -> Result<Option<Template>, Refusal> {
        match format {
            "" => Ok(None),
            "json" => Template::parse("{{json .}}").map(Some),
            format => Template::parse(format).map(Some),
        }
        .map_err(|error| Refusal::new(format!("template parsing error: {error}"), 64))
    }

    /// The answer where there is no Podman on this machine. What asks only for the client's side is answered all the same.
    pub fn without_engine(&self) -> Answer {
        let client = self.client_json(vec![]);
        if let Some(template) = &self.template {
            let mut out = Vec::new();
            let sparse = Value::decode(&types::CLIENT_ONLY, &json!({"ClientInfo": client}));
            if template.execute(&sparse, MissingKey::Default, &mut out).is_ok() && asks_for_something(template.text()) {
                out.push(b'\n');
                return Answer::printed(out);
            }
        }
        self.answer(None, client, self.client.no_engine(&Answered::default()))
    }

    /// `engine` is Docker's `system.Info`; where there is none, `why` goes to stderr.
    fn answer(&self, engine: Option<Json>, client: Json, why: String) -> Answer {
        let status = u8::from(engine.is_none());
        let Some(template) = &self.template else {
            let (stdout, warnings) = self.in_words(engine.as_ref(), &client);
            return Answer { stdout: stdout.into_bytes(), stderr: (warnings + &why).into_bytes(), status };
        };
        let mut all = engine.unwrap_or_else(|| json!({}));
        all["ClientInfo"] = client;
        let mut answer = Answer { stderr: why.into_bytes(), status, ..Answer::default() };
        let all = types::with_engine(Value::decode(&types::INFO, &all), &self.user);
        if let Err(error) = template.execute(&all, MissingKey::Default, &mut answer.stdout) {
            answer.stderr.extend(format!("{error}\n").into_bytes());
            answer.status = 1;
        }
        answer.stdout.push(b'\n');
        answer
    }

    /// docker/cli's `clientInfo`.
    fn client_json(&self, plugins: Vec<Json>) -> Json {
        let mut client = self.client.json(None);
        client["Debug"] = self.client.debug.into();
        client["Plugins"] = plugins.into();
        client
    }

    /// What the plugins say of themselves (docker/cli `cli-plugins/manager`); one that says nothing sensible is none.
    fn ask_plugins(&self, desk: &Desk) -> Vec<Json> {
        let wanted = self.template.as_ref().is_none_or(|t| ["json", "Plugins", "ClientInfo"].iter().any(|word| t.text().contains(word)));
        let mut plugins: Vec<&(String, Call)> = self.plugins.iter().filter(|_| wanted).collect();
        plugins.sort_by(|(a, _), (b, _)| natural(a, b));
        let ask = |(name, call): &(String, Call)| {
            let mut plugin = desk.ask(call, &["docker-cli-plugin-metadata"])?;
            plugin["Name"] = name.as_str().into();
            plugin["Path"] = call.program.to_string_lossy().into();
            (text(&plugin, "SchemaVersion") == "0.1.0" && !text(&plugin, "Vendor").is_empty()).then_some(plugin)
        };
        plugins.into_iter().filter_map(ask).collect()
    }

    /// Docker's own text, and the warnings for stderr.
    fn in_words(&self, engine: Option<&Json>, client: &Json) -> (String, String) {
        let mut out = Words(String::from("Client:\n"));
        out.some(" Version:   ", text(client, "Version"));
        out.line(" Context:   ", text(client, "Context"));
        out.line(" Debug Mode:", self.client.debug);
        let plugins = part(client, "/Plugins").as_array().map(Vec::as_slice).unwrap_or_default();
        if !plugins.is_empty() {
            out.alone(" Plugins:");
        }
        for plugin in plugins {
            out.line(&format!("  {}:", text(plugin, "Name")), format!("{} ({})", text(plugin, "ShortDescription"), text(plugin, "Vendor")));
            out.some("    Version: ", text(plugin, "Version"));
            out.some("    Path:    ", text(plugin, "Path"));
        }
        out.0.push_str("\nServer:\n");
        let mut warnings = String::new();
        if let Some(engine) = engine {
            self.server_in_words(&mut out, engine);
            let list = part(engine, "/Warnings").as_array().into_iter().flatten().filter_map(Json::as_str);
            list.for_each(|warning| warnings.push_str(&format!("{warning}\n")));
        }
        (out.0, warnings)
    }

    fn server_in_words(&self, out: &mut Words, engine: &Json) {
        let of = |key: &str| text(engine, key);
        let number = |key: &str| part(engine, &format!("/{key}")).as_i64().unwrap_or_default();
        let yes = |key: &str| part(engine, &format!("/{key}")).as_bool().unwrap_or_default();
        out.line(" Containers:", number("Containers"));
        out.line("  Running:", number("ContainersRunning"));
        out.line("  Paused:", number("ContainersPaused"));
        out.line("  Stopped:", number("ContainersStopped"));
        out.line(" Images:", number("Images"));
        out.some(" Server Version:", of("ServerVersion"));
        out.some(" Storage Driver:", of("Driver"));
        for pair in part(engine, "/DriverStatus").as_array().into_iter().flatten() {
            let name = |at: usize| pair.get(at).and_then(Json::as_str).unwrap_or_default();
            out.line(&format!("  {}:", name(0)), name(1));
        }
        out.some(" Logging Driver:", of("LoggingDriver"));
        out.some(" Cgroup Driver:", of("CgroupDriver"));
        out.some(" Cgroup Version:", of("CgroupVersion"));
        out.alone(" Plugins:");
        for (heading, plugins) in [("  Volume:", "/Plugins/Volume"), ("  Network:", "/Plugins/Network"), ("  Log:", "/Plugins/Log")] {
            out.line(heading, joined(part(engine, plugins)));
        }
        out.line(" Swarm:", text(part(engine, "/Swarm"), "LocalNodeState"));
        let runtimes: Vec<&str> = part(engine, "/Runtimes").as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        if !runtimes.is_empty() {
            out.line(" Runtimes:", runtimes.join(" "));
            out.line(" Default Runtime:", of("DefaultRuntime"));
        }
        if of("OSType") == "linux" {
            out.line(" Init Binary:", of("InitBinary"));
            out.line(" containerd version:", text(part(engine, "/ContainerdCommit"), "ID"));
            out.line(" runc version:", text(part(engine, "/RuncCommit"), "ID"));
            out.line(" init version:", text(part(engine, "/InitCommit"), "ID"));
            let options: Vec<&str> = part(engine, "/SecurityOptions").as_array().into_iter().flatten().filter_map(Json::as_str).collect();
            if !options.is_empty() {
                out.alone(" Security Options:");
            }
            for option in options {
                let (name, rest) = option.split_once(',').unwrap_or((option, ""));
                out.alone(format!("  {}", name.trim_start_matches("name=")));
                rest.split(',').filter_map(|o| o.strip_prefix("profile=")).for_each(|profile| out.line("   Profile:", profile));
            }
        }
        out.some(" Kernel Version:", of("KernelVersion"));
        out.some(" Operating System:", of("OperatingSystem"));
        out.some(" OSType:", of("OSType"));
        out.some(" Architecture:", of("Architecture"));
        out.line(" CPUs:", number("NCPU"));
        out.line(" Total Memory:", units::bytes_size(number("MemTotal") as f64));
        out.some(" Name:", of("Name"));
        out.some(" ID:", of("ID"));
        out.line(" Docker Root Dir:", of("DockerRootDir"));
        out.line(" Debug Mode:", yes("Debug"));
        if yes("Debug") || self.client.debug {
            out.line("  File Descriptors:", number("NFd"));
            out.line("  Goroutines:", number("NGoroutines"));
            out.line("  System Time:", of("SystemTime"));
            out.line("  EventsListeners:", number("NEventsListener"));
        }
        out.some(" HTTP Proxy:", of("HttpProxy"));
        out.some(" HTTPS Proxy:", of("HttpsProxy"));
        out.some(" No Proxy:", of("NoProxy"));
        out.some(" Username:", &self.user);
        out.line(" Experimental:", yes("ExperimentalBuild"));
        out.alone(" Insecure Registries:");
        let registries = part(engine, "/RegistryConfig/IndexConfigs").as_object().into_iter().flatten();
        let insecure = registries.filter(|(_, registry)| !registry["Secure"].as_bool().unwrap_or(true));
        insecure.for_each(|(name, _)| out.alone(format!("  {name}")));
        let cidrs = part(engine, "/RegistryConfig/InsecureRegistryCIDRs").as_array().into_iter().flatten().filter_map(Json::as_str);
        cidrs.for_each(|cidr| out.alone(format!("  {cidr}")));
        let mirrors: Vec<&str> =
            part(engine, "/RegistryConfig/Mirrors").as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        if !mirrors.is_empty() {
            out.alone(" Registry Mirrors:");
            mirrors.iter().for_each(|mirror| out.alone(format!("  {mirror}")));
        }
        out.line(" Live Restore Enabled:", yes("LiveRestoreEnabled"));
        out.0.push('\n');
    }
}

impl View for Info {
    fn show(&self, podman: &Answered, desk: &Desk) -> Option<Answer> {
        let engine = podman.json().map(|info| server::info(&info, &self.machine, desk.now()));
        let client = self.client_json(self.ask_plugins(desk));
        let why = if engine.is_none() { self.client.no_engine(podman) } else { String::new() };
        Some(self.answer(engine, client, why))
    }
}

/// Docker's test for a template that names fields at all.
fn asks_for_something(template: &str) -> bool {
    template.as_bytes().windows(2).any(|pair| pair[0] == b'.' && pair[1].is_ascii_alphabetic())
}

fn joined(list: &Json) -> String {
    list.as_array().into_iter().flatten().filter_map(Json::as_str).collect::<Vec<_>>().join(" ")
}

/// Lines of a heading and a value.
struct Words(String);

impl Words {
    fn line(&mut self, heading: &str, value: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{heading} {value}");
    }
    fn alone(&mut self, heading: impl std::fmt::Display) {
        let _ = writeln!(self.0, "{heading}");
    }
    /// Only where there is a value.
    fn some(&mut self, heading: &str, value: &str) {
        if !value.is_empty() {
            self.line(heading, value);
        }
    }
}
