//! Changes to the caller's own configuration, each file replaced as a whole.

use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::files::replace;
use crate::plan::{Change, Refusal};

/// Makes the changes in turn. Errors: the first that cannot be made; nothing after it is done.
pub fn make(changes: &[Change]) -> Result<(), Refusal> {
    for change in changes {
        let (path, made) = match change {
            Change::Write { path, content, mode, directory_mode } => (path, write(path, content, *mode, *directory_mode)),
            Change::Create { path, content } => (path, create(path, content)),
            Change::Configuration { path, content } => (path, configuration(path, content)),
            Change::RemoveDirectory(path) => (path, remove(path)),
        };
        made.map_err(|e| Refusal::new(format!("docker: {}: {e}", path.display()), 1))?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(content)
}

fn write(path: &Path, content: &[u8], mode: u32, directory_mode: u32) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(directory_mode).create(dir)?;
    }
    replace(path, content, |new| std::fs::set_permissions(new, std::fs::Permissions::from_mode(mode)))
}

/// Docker's config.json.
pub fn configuration(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let before = std::fs::metadata(&path).ok();
    replace(&path, content, |new| {
        if let Some(before) = &before {
            std::fs::set_permissions(new, before.permissions())?;
            // Another owner's file stays theirs where we may give it; else it is the caller's, as with docker/cli.
            let _ = chown(new, Some(before.uid()), Some(before.gid()));
        }
        Ok(())
    })
}

/// One object of JSON out of several files, which go. Errors: it cannot be written.
pub fn gather(parts: &[(String, PathBuf)], path: &Path) -> Result<(), Refusal> {
    let mut whole = serde_json::Map::new();
    for (name, part) in parts {
        let read = std::fs::read(part).ok().and_then(|text| serde_json::from_slice(&text).ok());
        whole.insert(name.clone(), read.unwrap_or_else(|| serde_json::json!({})));
        let _ = std::fs::remove_file(part);
    }
    let text = serde_json::to_vec_pretty(&whole).unwrap_or_default();
    std::fs::write(path, text).map_err(|e| Refusal::new(format!("ERROR: {}: {e}", path.display()), 1))
}
