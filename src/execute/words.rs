//! Podman's words for a failure in Docker's, where a client's scripts look for Docker's.

use crate::plan::rules::references::Reference;

mod transfer;

/// The same text with the lines that have a counterpart in Docker's words (moby `daemon/errors.go`, `daemon/images`).
pub fn as_docker(text: &str) -> String {
    // What Podman adds to its own error.
    let lines = text.lines().filter(|line| !line.starts_with("exhausting input failed (error: "));
    let lines = lines.map(|line| line_as_docker(line).unwrap_or_else(|| line.to_string()));
    lines.map(|line| line + "\n").collect()
}

fn line_as_docker(line: &str) -> Option<String> {
    let error = line.strip_prefix("Error: ")?;
    // 4.x says "name or ID", 5.x in some commands "ID or name".
    for words in ["no container with name or ID ", "no container with ID or name "] {
        if let Some(rest) = error.strip_prefix(words) {
            let name = rest.strip_suffix(" found: no such container")?.trim_matches('"');
            return Some(format!("Error response from daemon: No such container: {name}"));
        }
    }
    if let Some(words) = transfer::as_docker(error) {
        return Some(words);
    }
    let image = error.strip_suffix(": image not known")?;
    let reference = Reference::parse(image.as_ref()).ok()?;
    Some(format!("Error response from daemon: No such image: {}", reference.familiar()))
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
