//! The administrator's and the user's settings: `/etc/containers/docker-shim.toml` and
//! `$XDG_CONFIG_HOME/containers/docker-shim.toml` (or `~/.config/…`).

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::installer::Policy;

/// The administrator's file.
pub const SYSTEM_FILE: &str = "/etc/containers/docker-shim.toml";

/// What the files may set. Unknown keys are left for newer releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The Podman to use, by absolute path.
    pub podman: Option<PathBuf>,
    /// Let long flags and commands that only Podman knows go through.
    pub podman_extras: bool,
    /// What becomes of clients that DockerInstaller was asked for.
    pub installer: Policy,
}

impl Settings {
    /// Reads the system's file, then the user's over it (`user` is none where the caller must not be listened to).
    /// A missing file is no error; one that cannot be read or parsed is.
    pub fn load(system: &Path, user: Option<&Path>) -> Result<Settings> {
        let mut settings = Settings::default();
        settings.merge(system, false)?;
        if let Some(user) = user {
            settings.merge(user, true)?;
        }
        Ok(settings)
    }

    /// `user`: the file is a user's own, which cannot loosen what the administrator has set.
    fn merge(&mut self, file: &Path, user: bool) -> Result<()> {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(()),
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
        Ok(())
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
    fn says_which_file_is_wrong() {
        let error = format!("{:#}", load("podman = \"bin/podman\"\n").unwrap_err());
        assert!(error.contains("docker-shim.toml") && error.contains("absolute"), "{error}");
        assert!(load("podman_extras = 3\n").is_err() && load("podman = [\n").is_err());
    }
}
