//! The administrator's and the user's settings: `/etc/containers/docker-shim.toml` and
//! `$XDG_CONFIG_HOME/containers/docker-shim.toml` (or `~/.config/…`).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::installer::Policy;

/// The administrator's file.
pub const SYSTEM_FILE: &str = "/etc/containers/docker-shim.toml";

/// Whose defaults hold inside a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Defaults {
    /// Docker's: what worked with Docker works.
    #[default]
    Docker,
    /// Podman's own, some of which are stricter: fewer capabilities, a limit on processes, no ports below 1024 for
    /// ordinary users.
    Podman,
}

/// Whom a rootless container's users are on this machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Users {
    /// `Caller` for a container that runs as the caller's number, and for the job containers of Azure's agent; `Podman` for all others.
    #[default]
    Auto,
    /// Root in the container is the caller.
    Podman,
    /// The caller has the same number in the container; root is a user of nobody's.
    Caller,
}

/// What the files may set. Unknown keys are left for newer releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The Podman to use, by absolute path.
    pub podman: Option<PathBuf>,
    /// Let long flags and commands that only Podman knows go through.
    pub podman_extras: bool,
    /// What becomes of clients that DockerInstaller was asked for.
    pub installer: Policy,
    /// Whose defaults hold inside a container. What the administrator's file says, the user's cannot change.
    pub defaults: Defaults,
    /// Whom the users of a rootless container are.
    pub users: Users,
}

impl Settings {
    /// The same, where a job must not fail for it: of a system's file that cannot be read or parsed the defaults hold, and a user's
    /// takes nothing away that the administrator has set.
    pub fn of(system: &Path, user: Option<&Path>) -> Settings {
        Settings::load(system, user).or_else(|_| Settings::load(system, None)).unwrap_or_default()
    }

    /// Reads the system's file, then the user's over it (`user` is none where the caller must not be listened to).
    /// A missing file is no error; one that cannot be read or parsed is.
    pub fn load(system: &Path, user: Option<&Path>) -> Result<Settings> {
        let mut settings = Settings::default();
        let enforced = settings.merge(system, false)?;
        if let Some(user) = user {
            let defaults = settings.defaults;
            settings.merge(user, true)?;
            if enforced {
                settings.defaults = defaults;
            }
        }
        Ok(settings)
    }

    /// `user`: the file is a user's own, which cannot loosen what the administrator has set. Tells whether the file says whose defaults hold.
    fn merge(&mut self, file: &Path, user: bool) -> Result<bool> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(false),
            Err(e) => return Err(e).with_context(|| file.display().to_string()),
        };
        let table: toml::Table = text.parse().with_context(|| file.display().to_string())?;
        if let Some(podman) = table.get("podman") {
            let path = podman.as_str().map(PathBuf::from).filter(|p| p.is_absolute());
            self.podman = Some(path.with_context(|| format!("{}: podman must be an absolute path", file.display()))?);
        }
        if let Some(extras) = table.get("podman_extras") {
            self.podman_extras = extras.as_bool().with_context(|| format!("{}: podman_extras must be true or false", file.display()))?;
        }
        if let Some(installer) = table.get("installer") {
            let table = installer.as_table().with_context(|| format!("{}: installer must be a table", file.display()))?;
            self.installer.merge(table, user).with_context(|| file.display().to_string())?;
        }
        let defaults = table.get("defaults");
        if let Some(defaults) = defaults {
            self.defaults = match defaults.as_str() {
                Some("docker") => Defaults::Docker,
                Some("podman") => Defaults::Podman,
                _ => anyhow::bail!("{}: defaults must be \"docker\" or \"podman\"", file.display()),
            };
        }
        if let Some(users) = table.get("rootless_users") {
            self.users = match users.as_str() {
                Some("auto") => Users::Auto,
                Some("podman") => Users::Podman,
                Some("caller") => Users::Caller,
                _ => anyhow::bail!("{}: rootless_users must be \"auto\", \"podman\" or \"caller\"", file.display()),
            };
        }
        Ok(defaults.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Settings> {
        let dir = std::env::temp_dir().join(format!("docker-shim-settings-{}-{}", std::process::id(), text.len()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("docker-shim.toml");
        std::fs::write(&file, text).unwrap();
        let settings = Settings::load(&file, None);
        std::fs::remove_dir_all(&dir).unwrap();
        settings
    }

    #[test]
    fn reads_what_is_set() {
        let settings = load("podman = \"/opt/podman/bin/podman\"\npodman_extras = true\nlater = 1\n").unwrap();
        assert_eq!(settings, Settings { podman: Some("/opt/podman/bin/podman".into()), podman_extras: true, ..Settings::default() });
        assert_eq!(Settings::load(Path::new("/nonexistent/x.toml"), None).unwrap(), Settings::default());
    }

    #[test]
    fn the_administrator_decides_whose_defaults() {
        let dir = std::env::temp_dir().join(format!("docker-shim-defaults-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let (system, user) = (dir.join("system.toml"), dir.join("user.toml"));
        std::fs::write(&user, "defaults = \"docker\"\n").unwrap();
        std::fs::write(&system, "defaults = \"podman\"\n").unwrap();
        assert_eq!(Settings::load(&system, Some(&user)).unwrap().defaults, Defaults::Podman);
        std::fs::write(&user, "podman_extras = true\ndefaults = 3\n").unwrap();
        let kept = Settings { defaults: Defaults::Podman, ..Settings::default() };
        assert_eq!(Settings::of(&system, Some(&user)), kept, "a broken file of the user's takes nothing away");
        std::fs::write(&system, "").unwrap();
        std::fs::write(&user, "defaults = \"podman\"\n").unwrap();
        assert_eq!(Settings::load(&system, Some(&user)).unwrap().defaults, Defaults::Podman);
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(load("defaults = \"other\"\n").is_err());
    }

    #[test]
    fn says_which_file_is_wrong() {
        let error = format!("{:#}", load("podman = \"bin/podman\"\n").unwrap_err());
        assert!(error.contains("docker-shim.toml") && error.contains("absolute"), "{error}");
        assert_eq!(load("rootless_users = \"caller\"\n").unwrap().users, Users::Caller);
        assert!(load("rootless_users = 1\n").is_err());
        assert!(load("podman_extras = 3\n").is_err() && load("podman = [\n").is_err());
    }
}
