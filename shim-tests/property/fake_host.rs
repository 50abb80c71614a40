//! A machine without podman and files, or with odd ones.

use super::*;

/// A machine out of the generator: no process is started, no file is read.
pub struct FakeHost {
    settings: Settings,
    version: Podman,
    uid: u32,
    terminal: bool,
    env: BTreeMap<&'static str, OsString>,
    /// What every file holds, if there are files.
    content: Option<Vec<u8>>,
}

pub const CONTENTS: [&[u8]; 7] = [
    b"",
    b"\xff\xfe{",
    b"{}",
    b"[]",
    br#"{"currentContext":"x","Name":"x","auths":{"a":{}},"Endpoints":{"docker":{"Host":"unix:///x"}}}"#,
    br#"[{"id":"0123456789ab","names":["localhost/alpine:latest"]},{"names":null},{"Names":[1]}]"#,
    b"FROM alpine\nFROM --platform=x a AS b\n# syntax=x\n\\\nCOPY",
];

impl FakeHost {
    /// Docker's defaults and nothing there.
    pub fn plain() -> FakeHost {
        let env = BTreeMap::from([("HOME", OsString::from("/root"))]);
        FakeHost { settings: Settings::default(), version: Podman(5, 4, 2), uid: 0, terminal: false, env, content: None }
    }

    pub fn drawn(draw: &mut Draw) -> FakeHost {
        let mut host = FakeHost::plain();
        host.version = if draw.percent(50) { Podman(4, 3, 1) } else { Podman(5, 4, 2) };
        host.uid = if draw.percent(50) { 0 } else { 1000 };
        host.terminal = draw.percent(20);
        host.settings.podman_extras = draw.percent(5);
        for name in [
            "HOME",
            "DOCKER_BUILDKIT",
            "DOCKER_HOST",
            "DOCKER_CONTEXT",
            "DOCKER_CONFIG",
            "XDG_RUNTIME_DIR",
            "DOCKER_DEFAULT_PLATFORM",
            "PWD",
        ] {
            if draw.percent(5) {
                host.env.insert(name, junk(draw, true));
            }
        }
        host.content = draw.percent(30).then(|| draw.of_all(&CONTENTS).to_vec());
        host
    }
}

impl Host for FakeHost {
    fn env(&self, name: &str) -> Option<OsString> {
        self.env.get(name).cloned()
    }
    fn uid(&self) -> u32 {
        self.uid
    }
    fn is_terminal(&self, _: u8) -> bool {
        self.terminal
    }
    fn cwd(&self) -> Option<PathBuf> {
        self.terminal.then(|| PathBuf::from("/home/ci/project"))
    }
    fn exists(&self, _: &Path) -> bool {
        self.content.is_some()
    }
    fn is_dir(&self, path: &Path) -> bool {
        self.content.is_some() && path.as_os_str().len() % 2 == 0
    }
    fn is_plain_dir(&self, _: &Path, below: &Path) -> bool {
        self.is_dir(below)
    }
    fn is_entry(&self, path: &Path) -> bool {
        self.is_dir(path)
    }
    fn hides(&self, _: &Path, below: &Path) -> bool {
        !self.is_dir(below)
    }
    fn is_port_free(&self, _: &str, port: u16, _: bool) -> bool {
        port % 2 == 0
    }
    fn processors(&self) -> u32 {
        4
    }
    fn read(&self, _: &Path) -> Option<Vec<u8>> {
        self.content.clone()
    }
    fn list(&self, _: &Path) -> Vec<OsString> {
        self.content.iter().map(|_| OsString::from("entry")).collect()
    }
    fn settings(&self) -> &Settings {
        &self.settings
    }
    fn podman(&self) -> Result<&Path, Refusal> {
        Ok(Path::new("/usr/bin/podman"))
    }
    fn podman_version(&self) -> Result<Podman, Refusal> {
        Ok(self.version)
    }
    fn known_podman_version(&self) -> Option<Podman> {
        Some(self.version)
    }
    fn ask(&self, _: &[&OsStr]) -> Option<Vec<u8>> {
        self.content.clone()
    }
}
