//! The files of containers/common that say what Podman takes: which hold for the caller, and whose they are.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Finding, error, policy, registries, warning};
use crate::host::{self, Host};
use crate::plan::rules::registries_conf;
use crate::render::policy as rules;

const MACHINES_POLICY: &str = "/etc/containers/policy.json";

/// What is wrong with the policy and the registries that hold for the caller.
pub fn look(host: &dyn Host) -> Vec<Finding> {
    let (file, text) = match policy_text(host) {
        Ok(read) => read,
        Err(finding) => return [vec![finding], registries::lint(&registries_read(host))].concat(),
    };
    let shown = file.display().to_string();
    let mut findings = policy::lint(&shown, &text, &|key| host.exists(key));
    if file != Path::new(MACHINES_POLICY) {
        findings.extend(host.read(Path::new(MACHINES_POLICY)).and_then(|machines| laxer(&shown, &text, &machines)));
    }
    let registries = registries_read(host);
    findings.extend(registries::lint(&registries));
    let system =
        host.exists(Path::new("/etc/containers/registries.conf")) || !host.list(Path::new("/etc/containers/registries.conf.d")).is_empty();
    let own = registries.first().map(|(file, _)| file).filter(|file| !file.starts_with("/etc") && system && host.uid() != 0);
    if let Some(own) = own.filter(|own| own.ends_with("containers/registries.conf")) {
        findings.push(warning(
            "registries.conf",
            format!("{} is read instead of all that the machine's has: its mirrors, and what it blocks", own.display()),
            "move it into registries.conf.d beside it",
        ));
    }
    let all = std::iter::once(file).chain(registries.into_iter().map(|(file, _)| file));
    findings.extend(all.filter(|file| file.starts_with("/etc")).filter_map(|file| writable(&file)));
    findings
}

/// What makes Podman refuse every image.
pub fn faults(host: &dyn Host) -> Vec<Finding> {
    let mut findings = match policy_text(host) {
        Ok((file, text)) => policy::faults(&file.display().to_string(), &text),
        Err(finding) => vec![finding],
    };
    findings.extend(registries::lint(&registries_read(host)));
    findings
}

fn policy_text(host: &dyn Host) -> Result<(PathBuf, String), Finding> {
    let file = rules::file(host::home(host), &|path| host.exists(path));
    let Some(text) = host.read(&file) else {
        let (why, remedy) = match host.exists(&file) {
            true => ("cannot be read by this user", format!("chmod a+r {}", file.display())),
            false => ("is not there", "apt install golang-github-containers-common, which has one that takes everything".to_string()),
        };
        return Err(error("policy.json", format!("{} {why}; Podman refuses every image", file.display()), remedy));
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok((file, text))
}

fn registries_read(host: &dyn Host) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    registries_conf::files(host).into_iter().map(|file| (file.clone(), host.read(&file))).collect()
}

/// A user's own policy stands in for the machine's, which root may have meant for all.
fn laxer(file: &str, own: &str, machines: &[u8]) -> Option<Finding> {
    let rejects = |policy: &Value| rules::rule(policy, "docker", "").rejects();
    let [own, machines] = [own.as_bytes(), machines].map(|text| serde_json::from_slice::<Value>(text).unwrap_or_default());
    (rejects(&machines) && !rejects(&own)).then(|| {
        let text = format!("{file} takes what {MACHINES_POLICY} rejects: whoever may write there decides what this user runs");
        warning("policy.json", text, format!("rm {file}, or keep it as root's own"))
    })
}

/// A file or directory of the machine's that others than root may change.
fn writable(file: &Path) -> Option<Finding> {
    let place =
        [file, file.parent()?].into_iter().find(|place| fs::metadata(place).is_ok_and(|m| m.uid() != 0 || m.mode() & 0o002 != 0))?;
    let text = format!("{} can be changed by others than root, so that they say what is run here", place.display());
    Some(error("files", text, format!("chown root:root {0}; chmod go-w {0}", place.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_policy() {
        let (open, closed) = (r#"{"default": [{"type": "insecureAcceptAnything"}]}"#, r#"{"default": [{"type": "reject"}]}"#);
        assert!(laxer("own", open, closed.as_bytes()).is_some());
        assert!(laxer("own", open, open.as_bytes()).is_none());
        assert!(laxer("own", closed, closed.as_bytes()).is_none());
    }

    #[test]
    fn whose_file() {
        let dir = std::env::temp_dir().join(format!("docker-shim-doctor-files-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let file = dir.join("policy.json");
        fs::write(&file, "{}").unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        assert!(writable(&file).unwrap().text.contains("policy.json can be changed"));
        fs::remove_dir_all(&dir).unwrap();
    }
}
