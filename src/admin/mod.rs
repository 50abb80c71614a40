//! The verbs of `docker-shim`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

use crate::execute;
use crate::host::ThisHost;
use crate::plan::{self, Answer, Plan, Refusal};

pub mod compatibility;
pub mod generate;

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
