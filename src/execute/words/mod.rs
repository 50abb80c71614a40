//! Podman's words for a failure in Docker's, where a client's scripts look for Docker's.

use crate::plan::rules::references::Reference;

pub mod verbs;

/// The same text with the lines that have a counterpart in Docker's words (moby `daemon/errors.go`, `daemon/images`).
pub fn as_docker(text: &str) -> String {
    let lines = text.lines().map(|line| line_as_docker(line).unwrap_or_else(|| line.to_string()));
    lines.map(|line| line + "\n").collect()
}

fn line_as_docker(line: &str) -> Option<String> {
    let error = line.strip_prefix("Error: ")?;
    // 4.x says "name or ID", 5.x in some commands "ID or name".
    for words in ["no container with name or ID ", "no container with ID or name "] {
        // Some commands say first what they were about to do.
        if let Some((_, rest)) = error.split_once(words) {
            let name = rest.strip_suffix(" found: no such container")?.trim_matches('"');
            return Some(format!("Error response from daemon: No such container: {name}"));
        }
    }
    if let Some((_, said)) = error.split_once("exec failed: ") {
        let said = said.rsplit_once(": OCI ").map_or(said, |(said, _)| said);
        return Some(verbs::daemon(&format!("OCI runtime exec failed: exec failed: {said}")));
    }
    if let Some(instruction) = wrong_change(error) {
        return Some(verbs::daemon(&format!("{instruction} is not a valid change command")));
    }
    if error.starts_with("failed to parse value as time or duration: ") {
        return Some(format!("Error response from daemon: {error}"));
    }
    // What was being done with it comes first: "inspecting object: NAME".
    let image = error.strip_suffix(": image not known")?.rsplit(": ").next()?;
    let reference = Reference::parse(image.as_ref()).ok()?;
    Some(format!("Error response from daemon: No such image: {}", reference.familiar()))
}

/// The instruction of a commit's change that is none, in Podman 4's words or in 5's.
fn wrong_change(error: &str) -> Option<&str> {
    if let Some((_, instruction)) = error.strip_prefix("invalid change ").and_then(|e| e.rsplit_once("invalid instruction ")) {
        return Some(instruction);
    }
    let (_, change) = error.split_once("processing change \"")?;
    let (change, why) = change.split_once("\": ")?;
    let none = why.contains("did not understand change instruction") || why.contains("prior to run");
    change.split(' ').next().filter(|_| none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_missing() {
        let podman = "Error: no container with name or ID \"a\" found: no such container\n\
                      Error: no container with ID or name \"b\" found: no such container\n\
                      Error: docker.io/library/c: image not known\nError: example.com/d:1: image not known\nanything else\n";
        let docker = "Error response from daemon: No such container: a\nError response from daemon: No such container: b\n\
                      Error response from daemon: No such image: c:latest\n\
                      Error response from daemon: No such image: example.com/d:1\nanything else\n";
        assert_eq!(as_docker(podman), docker);
    }
}
