//! Files that have to hold PEM: the client reads them while it parses its flags.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use super::super::go::{find, lossy};

/// Reads a file as `os.ReadFile` does; the error names the step, the path and the reason in Go's words.
pub fn read(path: &[u8]) -> Result<Vec<u8>, String> {
    let fault = |step: &str, error: io::Error| format!("{step} {}: {}", lossy(path), reason(&error));
    let mut contents = Vec::new();
    let mut file = std::fs::File::open(OsStr::from_bytes(path)).map_err(|error| fault("open", error))?;
    file.read_to_end(&mut contents).map_err(|error| fault("read", error))?;
    Ok(contents)
}

/// `no such file or directory`, where Rust says `No such file or directory (os error 2)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Whether `pem.Decode` finds a block: the last `BEGIN` line before an `END` line of the same name, headers, base64.
pub fn holds_block(contents: &[u8]) -> bool {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"\n-----END ";
    const DASHES: &[u8] = b"-----";
    let mut rest = contents;
    while let Some(end) = find(rest, END) {
        let (before, trailer) = (&rest[..end], &rest[end + END.len()..]);
        rest = trailer;
        let Some(begin) = rfind(before, BEGIN) else { continue };
        if begin > 0 && before[begin - 1] != b'\n' {
            continue;
        }
        let (name, mut body) = line(&before[begin + BEGIN.len()..]);
        let Some(name) = name.strip_suffix(DASHES) else { continue };
        // Behind headers the END line has to begin a line of its own.
        let mut torn = false;
        while line(body).0.contains(&b':') {
            torn = !body.contains(&b'\n');
            body = line(body).1;
        }
        let closing = trailer.strip_prefix(name).and_then(|behind| behind.strip_prefix(DASHES));
        if !torn && closing.is_some_and(|behind| line(behind).0.is_empty()) && is_base64(body) {
            return true;
        }
    }
    false
}

/// The first line without the white space at its end, and what follows it.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|&c| c == b'\n').unwrap_or(text.len());
    let line = &text[..end];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let width = line.iter().rposition(|c| !matches!(c, b' ' | b'\t')).map_or(0, |last| last + 1);
    (&line[..width], text.get(end + 1..).unwrap_or_default())
}

fn rfind(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).rposition(|window| window == part)
}

/// Go's `base64.StdEncoding`, blanks between the letters let through; padding has to be there, and last.
fn is_base64(text: &[u8]) -> bool {
    let letters: Vec<u8> = text.iter().copied().filter(|c| !matches!(c, b'\r' | b'\n' | b' ' | b'\t')).collect();
    let padding = letters.iter().rev().take(2).take_while(|&&c| c == b'=').count();
    let (body, _) = letters.split_at(letters.len() - padding);
    letters.len() % 4 == 0 && body.iter().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        for good in [
            "-----BEGIN A-----\nQUJD\n-----END A-----",
            "text\n-----BEGIN A B-----\r\nQU\r\nI=\r\n-----END A B-----  \r\nmore",
            "-----BEGIN A-----\nKey: value\n\nQUJD\n-----END A-----\n",
            "-----BEGIN A-----\n-----END A-----\n",
            "-----BEGIN B-----\n-----BEGIN A-----\nQUJD\n-----END A-----\n",
        ] {
            assert!(holds_block(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "-----BEGIN A-----\nQUJD\n",
            "-----BEGIN A-----\nQUJD\n-----END B-----",
            "-----BEGIN A-----\nQUJ\n-----END A-----",
            "-----BEGIN A-----\n????\n-----END A-----",
            "x-----BEGIN A-----\nQUJD\n-----END A-----",
            "-----BEGIN A-----\nQUJD\n-----END A-----x",
            "-----BEGIN A-----\nKey: value\n-----END A-----",
        ] {
            assert!(!holds_block(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn errors_in_gos_words() {
        assert_eq!(read(b"/nonexistent/x").unwrap_err(), "open /nonexistent/x: no such file or directory");
        assert_eq!(read(b"/").unwrap_err(), "read /: is a directory");
    }
}
