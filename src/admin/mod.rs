//! The verbs of `docker-shim`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

use crate::execute;
use crate::host::{Host, ThisHost};
use crate::installer;
use crate::plan::{self, Answer, Plan, Refusal};

pub mod compatibility;
pub mod doctor;
pub mod generate;
pub mod pipelines;
pub mod scan;
pub mod toolcache;

/// The grammar of our own verbs.
pub fn cli() -> Command {
    let words = Arg::new("argv").value_name("ARGV").num_args(0..).trailing_var_arg(true).allow_hyphen_values(true);
    let words = words.value_parser(value_parser!(OsString)).action(ArgAction::Append);
    Command::new("docker-shim")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Docker's command line, answered by Podman")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("explain")
                .about("Print what a docker command line would do, without doing it")
                .arg(words.help("A docker command line, with or without the word docker")),
        )
        .subcommand(
            Command::new("doctor")
                .about("Say what of this machine keeps docker-shim from working for this user, and what helps; status 1 for errors")
                .arg(json_flag().global(true))
                .subcommand(
                    Command::new("image")
                        .about("Say where a pull of an image goes, and by which rules it is let in; status 1 where it is not")
                        .arg(
                            Arg::new("name")
                                .value_name("NAME")
                                .required(true)
                                .value_parser(value_parser!(OsString))
                                .help("As for docker pull"),
                        ),
                ),
        )
        .subcommand(toolcache_cli())
        .subcommand(
            Command::new("scan-pipelines")
                .about("List the Docker tasks of pipelines, and what policy says of the clients that they ask for")
                .arg(
                    Arg::new("path")
                        .value_name("PATH")
                        .required(true)
                        .num_args(1..)
                        .value_parser(value_parser!(PathBuf))
                        .help("A file, or a directory with .yml files below it"),
                )
                .arg(json_flag()),
        )
        .subcommand(
            Command::new("generate")
                .about("Write what is derived from the catalogue of commands and flags")
                .subcommand_required(true)
                .subcommand(
                    Command::new("completions")
                        .about("Print a completion script")
                        .arg(Arg::new("shell").value_name("SHELL").required(true).help("bash, zsh or fish")),
                )
                .subcommand(Command::new("man").about("Write the man pages, one a command").arg(
                    Arg::new("dir").value_name("DIR").required(true).value_parser(value_parser!(PathBuf)).help("An existing directory"),
                ))
                .subcommand(Command::new("compatibility").about("Print the compatibility table as Markdown")),
        )
}

fn json_flag() -> Arg {
    Arg::new("json").long("json").action(ArgAction::SetTrue).help("As JSON")
}

/// `docker-shim toolcache`.
fn toolcache_cli() -> Command {
    let tools = Arg::new("tools-dir").long("tools-dir").value_name("DIR").value_parser(value_parser!(PathBuf));
    let tools = tools.help("The agent's tool cache; without it $AGENT_TOOLSDIRECTORY");
    let owner = Arg::new("owner").long("owner").value_name("USER").help("The agent's user; without it the directory's owner");
    let dry_run = Arg::new("dry-run").long("dry-run").action(ArgAction::SetTrue).help("Say what would be done, and do nothing");
    let interpreter =
        Arg::new("program").long("program").value_name("FILE").value_parser(value_parser!(PathBuf)).default_value("/usr/bin/docker");
    let interpreter = interpreter.help("The docker that the stubs start");
    let versions = Arg::new("versions").long("versions").value_name("VERSION,…").value_delimiter(',').default_value("all");
    let channels = Arg::new("channel").long("channel").value_name("CHANNEL,…").value_delimiter(',').default_value("stable");
    let verb = |name: &'static str, about: &'static str| {
        Command::new(name).about(about).args([tools.clone(), owner.clone(), dry_run.clone(), interpreter.clone()])
    };
    Command::new("toolcache")
        .about("Take the place of Docker clients in the tool caches of build agents")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            verb("seed", "Fill a cache, so that DockerInstaller finds docker-shim there")
                .arg(versions.help("Versions as Docker released them, or all"))
                .arg(channels.help("stable, edge, test or nightly")),
        )
        .subcommand(
            verb("unseed", "Remove exactly what seed made, and put back what was taken over").arg(
                Arg::new("all")
                    .long("all")
                    .action(ArgAction::SetTrue)
                    .conflicts_with_all(["tools-dir", "owner"])
                    .help("In every cache that is written down: one's own, for root every user's"),
            ),
        )
        .subcommand(verb("takeover", "Replace downloaded clients, and keep them beside"))
        .subcommand(verb("restore", "Put back the clients that were taken over"))
        .subcommand(
            Command::new("scan")
                .about("List the Docker clients in tool caches and on PATH: whose they are, whether they build, what they serve")
                .arg(tools.clone())
                .arg(json_flag()),
        )
}

/// One verb of `docker-shim toolcache`.
fn toolcache(matches: &clap::ArgMatches) -> anyhow::Result<String> {
    let Some((verb, m)) = matches.subcommand() else { unreachable!("clap wants a sub-command") };
    let named = m.get_one::<PathBuf>("tools-dir").cloned();
    let tools = named.or_else(|| std::env::var_os("AGENT_TOOLSDIRECTORY").filter(|d| !d.is_empty()).map(PathBuf::from));
    if verb == "scan" {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let host = ThisHost::new();
        let caches = if let Some(tools) = tools { vec![tools] } else { toolcache::known() };
        let found = scan::scan(&caches, &path, &host.settings().installer);
        return Ok(scan::report(&found, m.get_flag("json")));
    }
    if verb == "unseed" && m.get_flag("all") {
        return toolcache::unseed_all(m.get_flag("dry-run"));
    }
    let cache = toolcache::Cache {
        tools: tools.ok_or_else(|| anyhow::anyhow!("which tool cache? Name it with --tools-dir, or set AGENT_TOOLSDIRECTORY"))?,
        owner: m.get_one::<String>("owner").cloned(),
        interpreter: m.get_one::<PathBuf>("program").cloned().unwrap_or_default(),
        dry_run: m.get_flag("dry-run"),
    };
    match verb {
        "seed" => {
            let words = |name: &str| m.get_many::<String>(name).into_iter().flatten().cloned().collect::<Vec<_>>();
            let mut versions = words("versions");
            if versions == ["all"] {
                versions = installer::releases().map(str::to_string).collect();
            }
            let odd = |version: &&String| {
                installer::asked_by(&installer::place(&cache.tools, "stable", version, installer::arch()).join("docker")).is_none()
            };
            if let Some(odd) = versions.iter().find(odd) {
                anyhow::bail!("{odd:?} is no version of a Docker release");
            }
            let channels = words("channel");
            if let Some(odd) = channels.iter().find(|c| !matches!(c.as_str(), "stable" | "edge" | "test" | "nightly")) {
                anyhow::bail!("{odd:?} is none of stable, edge, test, nightly");
            }
            cache.remember()?;
            cache.seed(&versions, &channels)
        }
        "unseed" => cache.unseed(),
        "takeover" => {
            cache.remember()?;
            cache.take_over()
        }
        _ => cache.restore(),
    }
}

/// Runs one of our own verbs; argv is without the program's name.
pub fn main(argv: Vec<OsString>) -> u8 {
    let matches = match cli().try_get_matches_from(std::iter::once(OsString::from("docker-shim")).chain(argv)) {
        Ok(matches) => matches,
        Err(error) => {
            let text = error.render().to_string();
            let status = u8::try_from(error.exit_code()).unwrap_or(2);
            let answer = if error.use_stderr() {
                Answer { stderr: text.into_bytes(), status, ..Answer::default() }
            } else {
                Answer { stdout: text.into_bytes(), ..Answer::default() }
            };
            return execute::execute(Plan::Answer(answer));
        }
    };
    let plan = match matches.subcommand() {
        Some(("explain", explain)) => {
            let mut argv: Vec<OsString> = explain.get_many("argv").into_iter().flatten().cloned().collect();
            if argv.first().is_some_and(|word| word == "docker") {
                argv.remove(0);
            }
            let plan = crate::plan_of(&argv, &ThisHost::new());
            print(plan::explain(&plan))
        }
        Some(("doctor", m)) if m.subcommand().is_some() => {
            let Some(("image", m)) = m.subcommand() else { unreachable!("clap knows no other") };
            let name = m.get_one::<OsString>("name").cloned().unwrap_or_default();
            match doctor::image::way(&ThisHost::new(), &name) {
                Ok(way) => {
                    let stdout = way.report(m.get_flag("json")).into_bytes();
                    Plan::Answer(Answer { stdout, status: way.status(), ..Answer::default() })
                }
                Err(why) => Plan::Refuse(Refusal::new(format!("docker-shim: {why}"), 1)),
            }
        }
        Some(("doctor", m)) => {
            let findings = doctor::look();
            let stdout = doctor::report(&findings, m.get_flag("json")).into_bytes();
            Plan::Answer(Answer { stdout, status: doctor::status(&findings), ..Answer::default() })
        }
        Some(("toolcache", m)) => match toolcache(m) {
            Ok(text) => print(text),
            Err(error) => Plan::Refuse(Refusal::new(format!("docker-shim: {error:#}"), 1)),
        },
        Some(("scan-pipelines", m)) => {
            let paths: Vec<PathBuf> = m.get_many("path").into_iter().flatten().cloned().collect();
            match pipelines::scan(&paths, &ThisHost::new().settings().installer) {
                Ok(tasks) => {
                    let stdout = pipelines::report(&tasks, m.get_flag("json")).into_bytes();
                    Plan::Answer(Answer { stdout, status: pipelines::status(&tasks), ..Answer::default() })
                }
                Err(error) => Plan::Refuse(Refusal::new(format!("docker-shim: {error}"), 3)),
            }
        }
        Some(("generate", generate)) => match generate.subcommand() {
            Some(("completions", m)) => generate::completion(m.get_one::<String>("shell").map_or("", String::as_str)),
            Some(("man", m)) => match m.get_one::<PathBuf>("dir").map_or(Ok(0), |dir| generate::man_pages(dir)) {
                Ok(count) => print(format!("{count} pages\n")),
                Err(error) => Plan::Refuse(Refusal::new(format!("docker-shim: {error:#}"), 1)),
            },
            Some(("compatibility", _)) => print(compatibility::table()),
            _ => unreachable!("clap wants a sub-command"),
        },
        _ => unreachable!("clap wants a sub-command"),
    };
    execute::execute(plan)
}

fn print(text: String) -> Plan {
    Plan::Answer(Answer { stdout: text.into_bytes(), ..Answer::default() })
}
