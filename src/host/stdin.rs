//! How stdin begins, without using any of it up: podman may have to read it.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt};

/// How much is looked at: the header of a tar archive.
const LENGTH: usize = 512;

/// The first bytes, waited for where there are none yet; empty at its end. None where they cannot be looked at.
pub fn begin() -> Option<Vec<u8>> {
    let metadata = std::fs::metadata("/proc/self/fd/0").ok()?;
    let kind = metadata.file_type();
    if kind.is_char_device() && std::fs::metadata("/dev/null").is_ok_and(|null| null.rdev() == metadata.rdev()) {
        return Some(Vec::new());
    }
    let stdin = std::io::stdin();
    if kind.is_file() {
        let mut file = File::from(stdin.as_fd().try_clone_to_owned().ok()?);
        let at = file.stream_position().ok()?;
        let mut begin = vec![0; LENGTH];
        let read = file.read_at(&mut begin, at).ok()?;
        begin.truncate(read);
        return Some(begin);
    }
    if !kind.is_fifo() {
        return None;
    }
    let (read, write) = nix::unistd::pipe().ok()?;
    // SAFETY: plain numbers of open descriptors; tee only copies within the kernel.
    let copied = unsafe { nix::libc::tee(stdin.as_raw_fd(), write.as_raw_fd(), LENGTH, 0) };
    drop(write);
    let mut begin = Vec::new();
    File::from(read).read_to_end(&mut begin).ok()?;
    (copied >= 0).then_some(begin)
}
