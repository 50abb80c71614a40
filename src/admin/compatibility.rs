//! The compatibility table: what becomes of every Docker command and flag.

use std::fmt::Write;

use crate::catalogue::{self, CommandTreatment, DOCKER_RELEASES, Span, Treatment};

/// The table as Markdown, a section a command.
pub fn table() -> String {
    let mut text = String::from(
        "# Compatibility\n\nWhat becomes of every command and flag of Docker 19.03 to 29.7, buildx 0.29.1 and compose 2.40.3 on \
         Podman.\nThis file is made by `docker-shim generate compatibility`.\n",
    );
    let mut commands: Vec<_> = catalogue::commands().collect();
    commands.sort_by_key(|c| c.path);
    for command in commands {
        let _ = write!(text, "\n## {}\n\n{}{}.\n", command.command_path(), verdict(command.treatment), releases(command.docker));
        let mut flags: Vec<_> = command.all_flags().collect();
        if flags.is_empty() {
            continue;
        }
        flags.sort_by_key(|f| f.long);
        text.push_str("\n| flag | on Podman |\n| --- | --- |\n");
        for flag in flags {
            let letter = flag.short.map(|l| format!("`-{l}`, ")).unwrap_or_default();
            let _ = writeln!(text, "| {letter}`--{}`{} | {} |", flag.long, releases(flag.docker), fate(flag.treatment));
        }
    }
    text
}

fn verdict(treatment: CommandTreatment) -> String {
    match treatment {
        CommandTreatment::Group => "A group of commands".into(),
        CommandTreatment::Same => "Podman's command of the same name".into(),
        CommandTreatment::As(path) => format!("Podman's `{path}`"),
        CommandTreatment::Rule(_) => "Translated".into(),
        CommandTreatment::Refuse(why) => format!("Refused: {}", why.trim_end_matches('.').replace('\n', " ")),
    }
}

fn fate(treatment: Treatment) -> String {
    match treatment {
        Treatment::Same | Treatment::Csv => "the same".into(),
        Treatment::As(name) => format!("`--{name}`"),
        Treatment::From(podman, inner) => format!("{}, from Podman {} on", fate(*inner), podman.shown()),
        Treatment::Drop(why) => format!("left away: {}", why.replace('|', "\\|")),
        Treatment::Refuse(why) => format!("refused: {}", why.replace('|', "\\|")),
        Treatment::Rule(_) => "translated".into(),
    }
}

fn releases(span: Span) -> String {
    let name = |at: u8| DOCKER_RELEASES[usize::from(at)].rsplit_once('.').map_or("", |(release, _)| release);
    match (span.first, span.last) {
        (0, 5) => String::new(),
        (0, last) => format!(" (until Docker {})", name(last)),
        (first, 5) => format!(" (since Docker {})", name(first)),
        (first, last) => format!(" (Docker {} to {})", name(first), name(last)),
    }
}
