//! docker-shim: Docker's command line, answered by Podman.
//!
//! Data walks one corridor: [`grammar`] reads argv by the [`catalogue`] into an [`invocation`], [`plan`] decides what Podman
//! has to do, [`execute`] does it.

pub mod admin;
pub mod ahead;
pub mod base64;
pub mod catalogue;
pub mod execute;
pub mod files;
pub mod grammar;
pub mod help;
pub mod host;
pub mod installer;
pub mod invocation;
pub mod plan;
pub mod render;
pub mod settings;
pub mod sha256;

use std::ffi::OsString;

use grammar::{Parsed, UsageError};
use host::{Host, ThisHost};
use plan::{Answer, Plan, Refusal};

/// Runs one Docker command line (argv without the program's name) and gives Docker's exit status.
/// With `DOCKER_SHIM_EXPLAIN=1` it prints what it would do instead.
pub fn docker(argv: &[OsString]) -> u8 {
    host::surroundings::mend();
    let (client, skip) = installer::asked(argv);
    let argv = &argv[skip..];
    let host = ThisHost::new().as_client(client);
    if let Some(client) = host.client() {
        let (stdout, stderr, refused) = installer::gate(client, argv, &host.settings().installer, &host);
        let status = execute::execute(Plan::Answer(Answer { stdout, stderr, status: u8::from(refused) }));
        if status != 0 {
            return status;
        }
    }
    let parsed = parse(argv, &host);
    if let Ok(Parsed::Invocation(invocation)) = &parsed {
        host::surroundings::leave_removed_directory(invocation);
    }
    let asked_for = host.client().is_none() && parsed.as_ref().is_ok_and(ahead::is_asked_for);
    let plan = plan_parsed(parsed, &host);
    if host.env("DOCKER_SHIM_EXPLAIN").is_some_and(|v| v == "1") {
        let text = plan::explain(&plan);
        return execute::execute(Plan::Answer(Answer { stdout: text.into_bytes(), ..Answer::default() }));
    }
    // Only now: a notice is given once a job, and explaining is not giving it.
    if let Some(notice) = asked_for.then(|| ahead::notice(&host)).flatten() {
        execute::execute(Plan::Answer(notice));
    }
    execute::execute(plan)
}

/// Runs as Docker's CLI plugin `docker-buildx`, which a real Docker client starts for `docker build` too, or by itself
/// (docker/cli `cli-plugins/metadata`; buildx `cmd/buildx/main.go`).
pub fn buildx(mut argv: Vec<OsString>) -> u8 {
    if argv.first().is_some_and(|word| word == "docker-cli-plugin-metadata") {
        let metadata = serde_json::json!({
            "SchemaVersion": "0.1.0",
            "Vendor": "docker-shim",
            "Version": format!("v{}", catalogue::BUILDX_VERSION),
            "ShortDescription": "Docker Buildx, built by Podman",
        });
        return execute::execute(Plan::Answer(Answer::printed(format!("{metadata:#}\n"))));
    }
    // The client puts its own flags and the plugin's name first; by itself the plugin has neither.
    let by_client = match argv.first() {
        Some(first) if first.to_string_lossy().starts_with('-') => argv.iter().any(|word| word == "buildx"),
        first => first.is_some_and(|word| word == "buildx"),
    };
    if !by_client {
        argv.insert(0, "buildx".into());
    }
    docker(&argv)
}

/// The plan for an argv, whether it is a command, a call for help or an error.
pub fn plan_of(argv: &[OsString], host: &dyn Host) -> Plan {
    plan_parsed(parse(argv, host), host)
}

fn parse(argv: &[OsString], host: &dyn Host) -> Result<Parsed, UsageError> {
    let options = grammar::Options {
        buildkit: host.env("DOCKER_BUILDKIT").is_none_or(|v| !matches!(v.to_str(), Some("0" | "f" | "F" | "false" | "FALSE" | "False"))),
        podman_extras: host.settings().podman_extras,
    };
    Ok(match grammar::parse(argv, options)? {
        Parsed::Invocation(invocation) => Parsed::Invocation(invocation.with_environment(|name| host.env(name))),
        other => other,
    })
}

fn plan_parsed(parsed: Result<Parsed, UsageError>, host: &dyn Host) -> Plan {
    match parsed {
        Ok(Parsed::Invocation(invocation)) => plan::plan(&invocation, host),
        Ok(Parsed::Help(request)) => Plan::Answer(help::answer(&request)),
        Ok(Parsed::Version) => Plan::Answer(Answer { stdout: help::version_line(host.client()).into_bytes(), ..Answer::default() }),
        Ok(Parsed::Completion(shell)) => admin::generate::completion(&shell.to_string_lossy()),
        Ok(Parsed::Unknown(unknown)) => plan::plan_unknown(&unknown, host).unwrap_or_else(|| plan_parsed(*unknown.otherwise, host)),
        Err(error) => plan::after_notes(Plan::Refuse(Refusal::new(error.message, error.status)), &error.notes),
    }
}
