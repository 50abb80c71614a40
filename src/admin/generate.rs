//! Man pages and shell completions, from the catalogue by way of a clap command tree.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::{Arg, ArgAction, Command};
use clap_complete::Shell;

use crate::catalogue::{self, Kind};
use crate::plan::{Answer, Plan, Refusal};

/// The catalogue as a clap command tree, for clap's generators only: argv is never read by it.
pub fn tree() -> Command {
    branch(catalogue::root()).name("docker").version(catalogue::DOCKER_VERSION)
}

fn branch(command: &'static catalogue::Command) -> Command {
    let mut clap = Command::new(command.name()).about(command.about).disable_help_subcommand(true).hide(command.hidden);
    clap = clap.disable_version_flag(true).visible_aliases(command.aliases.iter().filter(|a| **a != command.name()).copied());
    if !command.usage.is_empty() {
        clap = clap.override_usage(command.use_line());
    }
    for flag in command.all_flags() {
        let mut arg = Arg::new(flag.long).long(flag.long).help(flag.help).hide(flag.hidden || catalogue::deprecation(flag).is_some());
        if let Some(letter) = flag.short {
            arg = arg.short(letter);
        }
        arg = if flag.kind == Kind::Switch {
            arg.action(ArgAction::SetTrue)
        } else {
            arg.action(ArgAction::Append).value_name(flag.kind.type_name()).value_hint(clap::ValueHint::Other)
        };
        clap = clap.arg(arg);
    }
    // `-h` belongs to the command where it has one: `docker run -h NAME`.
    if command.all_flags().any(|f| f.short == Some('h')) {
        clap = clap.disable_help_flag(true).arg(Arg::new("help").long("help").action(ArgAction::Help).help("Show this help"));
    }
    catalogue::children(command).map(branch).fold(clap, Command::subcommand)
}

/// A completion script for `docker`. The plan refuses a shell that is not known.
pub fn completion(shell: &str) -> Plan {
    let shell = match shell {
        "bash" => Shell::Bash,
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        other => return Plan::Refuse(Refusal::new(format!("docker: no completions for {other:?}; bash, zsh and fish have them"), 1)),
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut tree(), "docker", &mut script);
    Plan::Answer(Answer { stdout: script, ..Answer::default() })
}

/// Writes the man pages of `docker` (`docker-run.1`, …) and `docker-shim` into a directory and gives their number.
/// Errors: a page that cannot be written.
pub fn man_pages(dir: &Path) -> Result<usize> {
    let mut pages = 0;
    let mut todo: Vec<(String, Command)> = vec![("docker".into(), tree()), ("docker-shim".into(), super::cli())];
    while let Some((name, mut command)) = todo.pop() {
        command.build();
        for child in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
            todo.push((format!("{name}-{}", child.get_name()), child.clone()));
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).title(name.clone()).render(&mut page)?;
        let file = dir.join(format!("{name}.1"));
        std::fs::write(&file, page).with_context(|| file.display().to_string())?;
        pages += 1;
    }
    Ok(pages)
}
