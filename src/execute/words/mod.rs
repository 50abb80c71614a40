//! Podman's words for a failure in Docker's, where a client's scripts look for Docker's.

use std::ffi::OsStr;

use crate::plan::rules::references::Reference;

mod transfer;
pub mod verbs;

/// The same text with the lines that have a counterpart in Docker's words (moby `daemon/errors.go`, `daemon/images`).
pub fn as_docker(text: &str) -> String {
    // A list of one.
    let only = text.strip_prefix("Error: 1 error occurred:\n\t* ").map(|error| format!("Error: {}\n", error.trim_end()));
    let text = only.as_deref().unwrap_or(text);
    // What Podman adds to its own error.
    let lines = text.lines().filter(|line| !line.starts_with("exhausting input failed (error: "));
    let lines = lines.map(|line| line_as_docker(line).unwrap_or_else(|| line.to_string()));
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
    if let Some(words) = transfer::as_docker(error) {
        return Some(words);
    }
    if let Some((_, said)) = error.split_once("exec failed: ") {
        let said = said.rsplit_once(": OCI ").map_or(said, |(said, _)| said);
        return Some(verbs::daemon(&format!("OCI runtime exec failed: exec failed: {said}")));
    }
    if let Some(instruction) = wrong_change(error) {
        return Some(verbs::daemon(&format!("{instruction} is not a valid change command")));
    }
    if let Some((volume, users)) =
        error.strip_prefix("volume ").and_then(|e| e.split_once(" is being used by the following container(s): "))
    {
        let users = users.split(": ").next().unwrap_or_default();
        return Some(verbs::daemon(&format!("remove {volume}: volume is in use - [{users}]")));
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

/// Whether a failure is one of the start: the container was made by then.
pub fn of_start(text: &str) -> bool {
    const OF_START: [&str; 9] = [
        "OCI runtime",
        "crun: ",
        "runc: ",
        "address already in use",
        "Address already in use",
        "unable to find user",
        "unable to find group",
        "netavark: ",
        "unable to start container",
    ];
    OF_START.iter().any(|words| text.contains(words))
}

/// The daemon's words for a container that cannot be made or started. What has no counterpart keeps Podman's words.
pub fn of_creation(text: &str, name: Option<&OsStr>, id: &str) -> String {
    let said = text.lines().rev().find_map(|line| line.strip_prefix("Error: "));
    let Some(error) = said else { return text.trim_end().to_string() };
    if let Some(line) = line_as_docker(&format!("Error: {error}")) {
        return line;
    }
    let name = name.map(|name| name.to_string_lossy().trim_start_matches('/').to_string()).unwrap_or_default();
    if let Some(address) = taken_from_pasta(text) {
        return format!("Error response from daemon: {}", taken(&address, &name, id));
    }
    format!("Error response from daemon: {}", creation(error, &name, id).unwrap_or_else(|| error.to_string()))
}

/// A port that something else has.
fn taken(address: &str, name: &str, id: &str) -> String {
    let endpoint = format!("driver failed programming external connectivity on endpoint {name} ({id})");
    format!("failed to set up container networking: {endpoint}: Bind for {address} failed: port is already allocated")
}

/// The address that pasta could not bind, which rootless Podman 5 publishes ports with:
/// `Failed to bind port 8080 (Address already in use) for option '-t 127.0.0.1/8080-8080:80-80', exiting`, since 2026
/// `Listen failed for HOST TCP port 127.0.0.1/8080: Address already in use`.
fn taken_from_pasta(text: &str) -> Option<String> {
    let listened = text.lines().find_map(|line| line.strip_prefix("Listen failed for HOST ")?.strip_suffix(": Address already in use"));
    if let Some((address, port)) = listened.and_then(|line| line.rsplit(' ').next()?.split_once('/')) {
        return Some(format!("{}:{port}", if address == "*" { "0.0.0.0" } else { address }));
    }
    let (_, rest) = text.split_once("Failed to bind port ").filter(|(_, rest)| rest.contains("Address already in use"))?;
    let port = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let option = rest.split_once("option '-").and_then(|(_, option)| option.split_once(' ')?.1.split_once('/'));
    let address = option.map(|(address, _)| address).filter(|address| address.parse::<std::net::IpAddr>().is_ok());
    Some(format!("{}:{port}", address.unwrap_or("0.0.0.0")))
}

/// Moby's words by what Podman's say (`daemon/names.go`, `libnetwork/portallocator`, `daemon/oci_linux.go`).
fn creation(error: &str, name: &str, id: &str) -> Option<String> {
    if error.contains("that name is already in use") || error.contains("name is already in use") {
        let id = error.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() == 64)?;
        return Some(format!(
            "Conflict. The container name \"/{name}\" is already in use by container \"{id}\". You have to remove (or rename) that container to be able to reuse that name."
        ));
    }
    if error.contains("address already in use") {
        let address = error
            .split_whitespace()
            .map(|word| word.trim_end_matches(':'))
            .find(|word| word.contains(':') && word.as_bytes()[word.len() - 1].is_ascii_digit());
        let address = address.unwrap_or_default();
        let address = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.to_string() };
        return Some(taken(&address, name, id));
    }
    for (start, words) in [("unable to find user ", "unable to find user "), ("unable to find group ", "unable to find group ")] {
        if let Some(at) = error.find(start) {
            return Some(format!("{words}{}", &error[at + start.len()..]));
        }
    }
    if let Some(runtime) = error.strip_prefix("default OCI runtime \"").and_then(|rest| rest.split('"').next()) {
        return Some(format!("unknown or invalid runtime name: {runtime}"));
    }
    if let Some(name) = error.strip_suffix(": unknown capability") {
        return Some(format!("invalid CapAdd: unknown capability: {name}"));
    }
    if let Some(kind) = error.strip_prefix("invalid filesystem type ") {
        return Some(format!("invalid mount config for type {kind}: mount type unknown"));
    }
    if error.contains("no command or entrypoint provided") {
        return Some("no command specified".into());
    }
    if let Some(at) = error
        .find("exec: ")
        .filter(|_| error.contains("executable file not found") || error.contains("permission denied") || error.contains("is a directory"))
    {
        let why = error[at..].split(": OCI ").next().unwrap_or(&error[at..]);
        let frame = "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init";
        return Some(format!("{frame}: {why}: unknown"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_taken() {
        let pasta = "Error: pasta failed with exit code 1:\nFailed to bind port 8080 (Address already in use) for option '-t 127.0.0.1/8080-8080:80-80', exiting\n";
        let said = of_creation(pasta, Some(OsStr::new("/aa")), "f00");
        assert!(said.ends_with("on endpoint aa (f00): Bind for 127.0.0.1:8080 failed: port is already allocated"), "{said}");
        let newer =
            "Error: pasta failed with exit code 1:\nListen failed for HOST TCP port ::1/80: Address already in use\nCouldn't listen";
        assert_eq!(taken_from_pasta(newer), Some("::1:80".into()));
        assert_eq!(taken_from_pasta("Failed to bind port 80 (Address already in use)"), Some("0.0.0.0:80".into()));
    }

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
