//! What changed in a container's files.

use super::{Answered, Desk, View};
use crate::plan::Answer;

/// Podman's list without what Podman itself has changed: the places of its mounts, which Docker keeps in a layer that it
/// does not count.
#[derive(Debug)]
pub struct Diff;

/// Directories in which Podman makes something to mount on.
const MOUNTED_IN: [&str; 6] = ["/dev", "/etc", "/proc", "/run", "/sys", "/var/run"];
const OWN: [&str; 4] = ["/.dockerenv", "/run/.containerenv", "/run/secrets", "/etc/mtab"];

impl View for Diff {
    fn show(&self, podman: &Answered, _: &Desk) -> Option<Answer> {
        if podman.status != 0 {
            return None;
        }
        let text = std::str::from_utf8(&podman.stdout).ok()?;
        let lines: Vec<&str> = text.lines().filter(|line| !OWN.contains(&path(line))).collect();
        let is_own = |line: &&&str| MOUNTED_IN.contains(&path(line)) && !lines.iter().any(|other| is_below(path(other), path(line)));
        let kept = lines.iter().filter(|line| !is_own(line));
        Some(Answer::printed(kept.flat_map(|line| [line, "\n"]).collect::<String>()))
    }
}

fn path(line: &str) -> &str {
    line.split_once(' ').map_or(line, |(_, path)| path)
}

fn is_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_not_shown() {
        let desk = Desk::at(0.0, &|_, _| Answered::default());
        let show = |text: &str| Diff.show(&Answered { stdout: text.into(), ..Answered::default() }, &desk).unwrap().stdout;
        assert_eq!(show("C /etc\nA /new\nA /run\nA /run/.containerenv\n"), b"A /new\n");
        assert_eq!(show("C /etc\nC /etc/passwd\n"), b"C /etc\nC /etc/passwd\n");
    }
}
