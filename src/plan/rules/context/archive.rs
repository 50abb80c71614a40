//! The archive of a context: a tar of `meta.json` and `tls/ENDPOINT/FILE` (docker/cli `cli/context/store/store.go`).

use serde_json::Value as Json;

use super::store::{Tls, parse};

const BLOCK: usize = 512;
/// More than this docker/cli does not read either.
const LIMIT: usize = 10 << 20;

/// The archive, as `docker context export` writes it.
pub fn write(meta: &str, tls: &Tls) -> Vec<u8> {
    let mut tar = Vec::new();
    entry(&mut tar, "meta.json", 0o644, b'0', meta.as_bytes());
    entry(&mut tar, "tls", 0o700, b'5', b"");
    for (endpoint, files) in tls {
        entry(&mut tar, &format!("tls/{endpoint}"), 0o700, b'5', b"");
        for (file, content) in files {
            entry(&mut tar, &format!("tls/{endpoint}/{file}"), 0o600, b'0', content);
        }
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    tar
}

fn entry(tar: &mut Vec<u8>, name: &str, mode: u32, kind: u8, content: &[u8]) {
    let mut header = [0u8; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &name.as_bytes()[..name.len().min(100)]);
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&header);
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(BLOCK), 0);
}

/// What is in an archive. Errors: docker/cli's words.
pub fn read(tar: &[u8]) -> Result<(Json, Tls), String> {
    if tar.len() > LIMIT {
        return Err("read exceeds the defined limit".into());
    }
    let mut meta = None;
    let mut tls = Tls::new();
    let mut rest = tar;
    while !rest.is_empty() {
        let header = rest.get(..BLOCK).ok_or("unexpected EOF")?;
        if header.iter().all(|byte| *byte == 0) {
            break;
        }
        let sum: u32 = header.iter().enumerate().map(|(i, byte)| if (148..156).contains(&i) { 32 } else { u32::from(*byte) }).sum();
        if number(&header[148..156]) != Some(sum as usize) {
            return Err("archive/tar: invalid tar header".into());
        }
        let size = number(&header[124..136]).ok_or("archive/tar: invalid tar header")?;
        let content = rest.get(BLOCK..BLOCK.saturating_add(size)).ok_or("unexpected EOF")?;
        if matches!(header[156], b'0' | 0) {
            let (prefix, name) = (field(&header[345..500]), field(&header[..100]));
            let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            check(&name).map_err(|words| format!("{name}: {words}"))?;
            match name.strip_prefix("tls/").map(|path| path.split_once('/')) {
                None => meta = Some(parse(content)?),
                Some(None) => return Err("archive format is invalid".into()),
                Some(Some((endpoint, file))) => {
                    tls.entry(endpoint.into()).or_default().insert(file.into(), content.to_vec());
                }
            }
        }
        rest = rest.get(BLOCK + size.next_multiple_of(BLOCK)..).unwrap_or_default();
    }
    Ok((meta.ok_or("invalid context: no metadata found")?, tls))
}

/// `isValidFilePath`: nothing but what an export has, and no way out of its place.
fn check(path: &str) -> Result<(), &'static str> {
    if path != "meta.json" && !path.starts_with("tls/") {
        return Err("unexpected context file");
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("unexpected path format");
    }
    if path.contains('\\') { Err("unexpected '\\' in path") } else { Ok(()) }
}

fn field(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

fn number(bytes: &[u8]) -> Option<usize> {
    usize::from_str_radix(field(bytes).trim_matches(' '), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let tls = Tls::from([("docker".into(), [("ca.pem".into(), b"x".to_vec())].into())]);
        let tar = write(r#"{"Name":"a","Metadata":{},"Endpoints":{}}"#, &tls);
        assert_eq!(read(&tar), Ok((serde_json::json!({ "Name": "a", "Metadata": {}, "Endpoints": {} }), tls)));
        assert_eq!(read(b"garbage").unwrap_err(), "unexpected EOF");
        assert_eq!(read(b"").unwrap_err(), "invalid context: no metadata found");
    }

    #[test]
    fn no_way_out() {
        for bad in ["../x", "tls/../../x", "tls//x", "/etc/passwd", "tls/a\\b", "other"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
