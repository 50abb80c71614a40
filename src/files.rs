//! Files of ours and of the caller's, replaced as a whole.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Puts new content in a file's place at once, 0600 unless `finish` says otherwise of the new file: a reader sees the old or the new one.
/// Errors: those of the system; nothing is left behind then.
pub fn replace(path: &Path, content: &[u8], finish: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut new = path.as_os_str().to_os_string();
    new.push(format!(".{}", std::process::id()));
    let new = PathBuf::from(new);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content).and_then(|()| finish(&new)).and_then(|()| std::fs::rename(&new, path)).inspect_err(|_| {
        let _ = std::fs::remove_file(&new);
    })
}
