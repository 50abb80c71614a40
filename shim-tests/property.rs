//! Any argv, of any bytes, ends in a plan, and where a real Docker client can be asked, it refuses what we refuse, in the
//! same words and with the same status.
//!
//! The argvs are drawn from the catalogue by a small generator of our own, so that a seed names a run for good:
//!
//! - `DOCKER_SHIM_SEED=N` draws others; `DOCKER_SHIM_CASES=N` is how many of them go through the plan.
//! - `DOCKER_SHIM_REFERENCE_DOCKER="COMMAND…"` is the Docker client to ask (words separated by spaces); without it the
//!   lab's is taken. `DOCKER_SHIM_LIVE_CASES=N` is how many argvs it is asked about.
//! - `DOCKER_SHIM_ENGINE_FREE=1`: it is no failure that no such client is there.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use docker_shim::catalogue::{self, Arity, Command, DOCKER_VERSION, Flag, Item, Kind, Podman, REFERENCE, Span};
use docker_shim::grammar::{self, Parsed, UsageError};
use docker_shim::host::Host;
use docker_shim::plan::{Act, Plan, Refusal, explain};
use docker_shim::plan_of;
use docker_shim::settings::Settings;

const SEED: u64 = 20_190_731;
const CASES: usize = 200_000;
const LIVE_CASES: usize = 1500;
const THREADS: usize = 2;

// ---------------------------------------------------------------------------------------------------------------- drawing

/// xorshift64*: small, and the same everywhere.
struct Draw(u64);

impl Draw {
    /// The draw for one case of a run.
    fn of(seed: u64, case: usize) -> Draw {
        let mut draw = Draw((seed ^ (case as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).max(1));
        draw.next();
        draw.next();
        draw
    }
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n.max(1)
    }
    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    fn of_all<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Words that parsers stumble over.
#[rustfmt::skip]
const TRAPS: [&[u8]; 64] = [
    b"", b"-", b"--", b"---", b"---x", b"--=", b"--=x", b"-=", b"-=x", b"=", b"=..", b"-e=", b"-e", b"-e=A", b"-t=", b"-t=false",
    b"-it=false", b"-i=", b"-itd", b"-itx", b"-dit=0", b"--rm=false", b"--rm=", b"--rm=yes", b"--rm", b"-p8080:80", b"-p=80", b"-h",
    b"-hx", b"-h=false", b"--help", b"--help=false", b"--help=x", b"-v", b"--version", b"-D", b"-Dx", b"-test.v", b"-test", b"-\xc3\xa9",
    b"-\xff", b"--\xff=1", b"\xff\xfe", b"--env", b"--env=", b"--env=\xff", b"-- --", b" ", b"\n", b"--a b", b"-'", b"-\"", b"-\\",
    b"-\x01", b"-\x7f", b"--no-such-flag", b"--no-such-flag=1", b"-Z", b"-Zx=1", b"--Rm", b"-1", b"-9", b"--filter",
    b"--format={{json .}}",
];

#[rustfmt::skip]
const TEXTS: [&str; 34] = [
    "x", "web", "alpine", "alpine:3.20", "localhost:5000/a/b:c", "docker.io/library/alpine", "UPPER", "a@sha256:00", "a b", "é", "日本",
    "sh", "a/b", "true", "0", "1", "c1,c2", "A=1", "k=v", "/tmp", "/nonexistent/x", ".", "/tmp:/tmp", "a:/b:ro", "8080:80", "host",
    "none", "bridge", "always", "json", "{{.ID}}", "=x", "a,b=c", "\"quoted",
];

/// Values that a kind of flag takes, or nearly.
#[rustfmt::skip]
fn values(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Switch => &["true", "false", "1", "0", "t", "F", "TRUE", "yes", "", "tRUE", "2"],
        Kind::Text | Kind::StringArray => &TEXTS,
        Kind::List(Item::Any | Item::KeyValue) | Kind::Map(Item::Any | Item::KeyValue) => {
            &["a=b", "a", "=", "a=", "=b", "x:y", "/dev/null", "a=b=c", "\u{e9}=1"]
        }
        Kind::List(item) | Kind::Map(item) => items(item),
        Kind::Int | Kind::Int64 => {
            &["0", "1", "-1", "010", "0x1F", "0b11", "1_000", "9223372036854775807", "9223372036854775808", "1.5", "", "x", "+3", " 1"]
        }
        Kind::Uint | Kind::Uint16 | Kind::Uint32 | Kind::Uint64 => &[
            "0", "1", "-1", "65535", "65536", "4294967295", "4294967296", "18446744073709551615", "18446744073709551616", "0o17", "x",
            "", "+1",
        ],
        Kind::Float => &["0", "1.5", "-2", "1e3", "1e400", "NaN", "inf", "0x1p-2", "x", "", "1_0", ".5", "5."],
        Kind::Decimal => &["0", "1.5", "0.000000001", "0.0000000001", "1/2", "1e3", "-1", "x", "", "2.", "9223372037", "0x10", "1_0"],
        Kind::Bytes | Kind::SwapBytes => &[
            "0", "64m", "64M", "1g", "1.5g", "1kib", "1 kb", "-1", "-5m", "1e3", "10PiB", "9999999999999999999", "m", "", "1x", "1bb",
            "0.1.2m", "1KB ", "+1m",
        ],
        Kind::Duration | Kind::PositiveDuration => &[
            "0", "1s", "1m30s", "-5s", "1h", "1.5h", ".5s", "1ms", "1us", "1µs", "1d", "1", "", "s", "1s ", "9223372036854775808ns",
            "2562047h48m",
        ],
        Kind::Filter => &["a=b", "name=x", "", "a", "=b", "a=", " A = b ", "label=k=v", "until=1h"],
        Kind::StringSlice => &["a", "a,b", "", "\"a,b\"", "\"a", "a\"b", "a,\"b\"c", "a\nb", ","],
        Kind::StringToString => &["a=b", "a=b,c=d", "a", "", "=b", "a=b,c", "\"a=b,c\"", "\"a"],
        Kind::Ip | Kind::IpSlice | Kind::IpNetSlice => &[
            "10.0.0.1", "::1", "10.0.0.0/8", "fd00::/64", "10.0.0.1/33", "010.0.0.1", "x", "", " 1.2.3.4 ", "1.2.3", "1.2.3.4,5.6.7.8",
            "::ffff:1.2.3.4", "fe80::1%lo",
        ],
        Kind::Ulimit => {
            &["nofile=1", "nofile=1:2", "nofile=2:1", "nofile", "x=1", "nofile=-1", "core=x", "nofile=1:2:3", "", "nofile=1:-1",
                "stack=:"]
        }
        Kind::Mount => &[
            "type=bind,src=/tmp,dst=/x", "type=bind,src=/tmp,dst=/x,ro", "type=tmpfs,dst=/x,tmpfs-size=1m",
            "type=volume,dst=/x,readonly=1", "dst=/x,readonly=x", "type=x", "", "type=bind,dst=/x",
            "type=bind,src=/a,dst=/b,bind-propagation=x", "type=tmpfs,dst=/x,tmpfs-mode=9", "foo=bar", "\"type=bind", "src=a,target",
            "type=volume,dst=/x,volume-opt=a", "type=volume,src=v,dst=/x,volume-nocopy=false",
            "type=bind,source=a,target=b,consistency=cached", "type=image,src=a,dst=/b",
        ],
        Kind::Network => &[
            "host", "none", "a", "name=a,alias=b", "name=a,foo=b", "", "alias=b", "name=a,ip=1.2.3.4", "name=a,ip=x",
            "name=a,driver-opt=k", "a,b", "name=a,mac-address=x", "name=a,gw-priority=x",
        ],
        Kind::GpuRequest => &[
            "all", "1", "0", "-1", "device=0", "\"device=0,1\"", "count=x", "foo=1", "", "all,1", "driver=nvidia,capabilities=gpu",
            "count=1,count=2", "options=a=b",
        ],
        Kind::Port => &[
            "80", "8080:80", "8080:80/udp", "published=1,target=2", "published=1", "target=x", "foo=1", "", "mode=x,target=1", "1:2:3",
            "127.0.0.1:1:2", "a:b", "1-2:3-4", "target=1,protocol=x",
        ],
        Kind::Config | Kind::Secret => &[
            "a", "source=a,target=b", "source=a,mode=0444", "source=a,mode=x", "target=b", "foo=b", "", "a,b", "source=a,uid=1",
            "src=\"a",
        ],
        Kind::CredentialSpec => &["file://a", "registry://a", "config://a", "x", "", "FILE://a", "file://"],
        Kind::ShellWords => &["a b", "'a b' c", "'a", "a\\", "", "\"a", "a;b", "$(a)", "a`b`"],
        Kind::PlacementPref => &["spread=a", "spread", "", "x=a", "SPREAD=a", "spread=a=b"],
        Kind::ExternalCa => &[
            "protocol=cfssl,url=https://x", "protocol=x", "", "url=https://x", "protocol=cfssl,url=x,a=b", "foo",
            "protocol=cfssl,url=x,cacert=/nonexistent/x",
        ],
        Kind::PemFile => &["/nonexistent/x", "", "/", "x"],
        Kind::NodeAddr => &["0.0.0.0:2377", "eth0", "eth0:1", ":1", "", "1.2.3.4", "[::1]:2", "a:b:c", "1.2.3.4:0x1"],
    }
}

#[rustfmt::skip]
fn items(item: Item) -> &'static [&'static str] {
    match item {
        Item::Any | Item::KeyValue => &["a=b"],
        Item::Env => &["A=1", "A", "", "=1", "=", "A=", " A=1", "A B=1", "HOME"],
        Item::Label => &["k=v", "k", "", "=v", " k=v", "k =v", "k=", "a.b/c=d"],
        Item::ExtraHost => {
            &["a:1.2.3.4", "a=1.2.3.4", "a", "", ":1.2.3.4", "a:host-gateway", "a:x", "a:::1", "a=[::1]", "a:", "a:1.2.3.4:5"]
        }
        Item::Attach => &["stdin", "STDOUT", "stderr", "x", ""],
        Item::IpAddress => &["1.1.1.1", "::1", "x", "", " 8.8.8.8 ", "256.1.1.1", "1.2.3", "01.2.3.4"],
        Item::DnsSearch => &["example.com", ".", "", "a b", "-a", "a.", "a..b", " x ", "a_b.c", "1", "_"],
        Item::Link => &["a", "a:b", "", ":", "a:b:c", "/a:/b", ":b", "a:"],
        Item::Device => &["/dev/null", "/dev/null:/dev/x:rwm", "x", "", "/dev/null:rw", "vendor.com/class=dev", "a:b:c:d"],
        Item::DeviceCgroupRule => &["c 1:3 rwm", "a *:* m", "x", "", "c 1:3", "b 1:* r", "d 1:1 r", "c 1:3 rwx", " c 1:3 r"],
        Item::Sysctl => {
            &["net.core.somaxconn=1", "kernel.msgmax=1", "x=1", "", "net.core", "net.=1", "net.x=1", "fs.mqueue.a=1", "kernel.x=1"]
        }
        Item::ThrottleBps => &["/dev/sda:1mb", "/dev/sda:0", "x:1", "/dev/sda", "", "/dev/sda:x", "/dev/sda:-1", "/dev/a:1:2"],
        Item::ThrottleIops => &["/dev/sda:1", "/dev/sda:0", "x:1", "/dev/sda", "", "/dev/sda:x", "/dev/sda:-1", "/dev/sda:1mb"],
        Item::WeightDevice => &["/dev/sda:100", "/dev/sda:9", "/dev/sda:0", "/dev/sda:1001", "x:100", "/dev/sda", "", "/dev/sda:x"],
        Item::GenericResource => &["gpu=1", "gpu=a", "gpu", "", "=1", "a=b=c", "gpu=1,gpu=2"],
    }
}

/// One argv from the catalogue's grammar, and beside it.
fn argv(draw: &mut Draw, commands: &[&'static Command], flags: &[&'static Flag], wild: bool) -> Vec<OsString> {
    let mut argv = Vec::new();
    if wild && draw.percent(4) {
        for _ in 0..draw.below(8) {
            argv.push(junk(draw, wild));
        }
        return argv;
    }
    let root = catalogue::root();
    while draw.percent(4) {
        one_flag(draw, root, flags, wild, &mut argv);
    }
    let mut command = draw.of_all(commands);
    // The main job's commands come more often.
    if draw.percent(30) {
        let name = draw.of_all(&[
            "run", "create", "exec", "build", "ps", "images", "pull", "push", "rm", "logs", "inspect", "stop", "kill", "tag", "update",
        ]);
        command = catalogue::find(name).unwrap_or(command);
    }
    path(draw, command, flags, wild, &mut argv);
    let mut arguments = arguments(draw, command, wild);
    if draw.percent(15) {
        argv.append(&mut arguments);
    }
    for _ in 0..[0, 1, 1, 2, 2, 3, 3, 4, 6, 9][draw.below(10)] {
        one_flag(draw, command, flags, wild, &mut argv);
    }
    argv.append(&mut arguments);
    argv
}

/// As many arguments as the command takes, mostly.
fn arguments(draw: &mut Draw, command: &Command, wild: bool) -> Vec<OsString> {
    let (least, most) = match command.arity {
        Arity::Group | Arity::None => (0, 0),
        Arity::Exact(n) => (n, n),
        Arity::AtLeast(n) => (n, n + 2),
        Arity::AtMost(n) => (0, n),
        Arity::Range(least, most) => (least, most),
        Arity::Any => (0, 3),
    };
    let count = if draw.percent(90) { least + draw.below(most - least + 1) } else { draw.below(4) };
    let word = |_| if draw.percent(96) { OsString::from(TEXTS[draw.below(TEXTS.len())]) } else { junk(draw, wild) };
    (0..count).map(word).collect()
}

/// A command's words: by its names or aliases, now and then with a word wrong, missing or put between.
fn path(draw: &mut Draw, command: &'static Command, flags: &[&'static Flag], wild: bool, argv: &mut Vec<OsString>) {
    let mut above = catalogue::root();
    let words: Vec<_> = command.path.split(' ').collect();
    for (index, word) in words.iter().enumerate() {
        let Some(here) = catalogue::child(above, word) else { break };
        above = here;
        if index + 1 == words.len() && index > 0 && draw.percent(2) {
            break;
        }
        let word = if !here.aliases.is_empty() && draw.percent(20) { draw.of_all(here.aliases) } else { *word };
        match draw.below(100) {
            0 => argv.push(OsString::from(format!("{word}x"))),
            1 => argv.extend(["help".into(), word.into()]),
            2 => argv.push(word.to_uppercase().into()),
            _ => argv.push(word.into()),
        }
        if index + 1 < words.len() && draw.percent(4) {
            one_flag(draw, here, flags, wild, argv);
        }
    }
}

/// One use of a flag, in any spelling: the command's own mostly, any other of the catalogue, or a trap.
fn one_flag(draw: &mut Draw, command: &'static Command, flags: &[&'static Flag], wild: bool, argv: &mut Vec<OsString>) {
    let own: Vec<_> = command.all_flags().filter(|f| wild || in_reference(f.docker)).collect();
    if own.is_empty() && draw.percent(90) {
        return;
    }
    let flag = match draw.below(100) {
        0..95 if !own.is_empty() => draw.of_all(&own),
        0..98 => draw.of_all(flags),
        _ => return argv.push(junk(draw, wild)),
    };
    let value = value(draw, flag.kind, wild);
    let glued = |before: String, value: &OsStr| {
        let mut word = OsString::from(before);
        word.push(value);
        word
    };
    let long = flag.long;
    let spelling = if draw.percent(4) { 17 + draw.below(3) } else { draw.below(17) };
    match (flag.kind, flag.short, spelling) {
        (Kind::Switch, None, 0..15) | (Kind::Switch, Some(_), 0..5) => argv.push(format!("--{long}").into()),
        (Kind::Switch, Some(letter), 5..10) => argv.push(format!("-{letter}").into()),
        (Kind::Switch, Some(letter), 10..12) => argv.push(cluster(draw, &own, letter).into()),
        (_, Some(letter), 10..12) => argv.push(glued(cluster(draw, &own, letter), &value)),
        (_, Some(letter), 12..14) => argv.push(glued(format!("{}=", cluster(draw, &own, letter)), &value)),
        (Kind::Switch, _, _) => argv.push(glued(format!("--{long}="), &value)),
        (_, Some(letter), 0..5) => argv.extend([format!("-{letter}").into(), value]),
        (_, Some(letter), 5..7) => argv.push(glued(format!("-{letter}"), &value)),
        (_, Some(letter), 7) => argv.push(glued(format!("-{letter}="), &value)),
        (_, _, 17) => argv.push(format!("--{long}").into()),
        (_, _, 18) => argv.push(glued(format!("-{long}="), &value)),
        (_, _, 19) => argv.push(glued(format!("--{}=", &long[..long.len() - 1]), &value)),
        (_, _, 8..12) => argv.push(glued(format!("--{long}="), &value)),
        _ => argv.extend([format!("--{long}").into(), value]),
    }
}

/// Letters of switches in front of a letter.
fn cluster(draw: &mut Draw, own: &[&'static Flag], letter: char) -> String {
    let switches: Vec<char> = own.iter().filter(|f| f.kind == Kind::Switch).filter_map(|f| f.short).collect();
    let mut word = String::from("-");
    for _ in 0..draw.below(4) {
        match switches.is_empty() {
            false => word.push(switches[draw.below(switches.len())]),
            true => break,
        }
    }
    word.push(letter);
    word
}

fn value(draw: &mut Draw, kind: Kind, wild: bool) -> OsString {
    match draw.below(100) {
        // The first ones are good.
        0..78 => OsString::from(values(kind)[draw.below(2)]),
        78..94 => OsString::from(draw.of_all(values(kind))),
        94..97 => OsString::from(TEXTS[draw.below(TEXTS.len())]),
        _ => junk(draw, wild),
    }
}

/// A trap, or bytes at random; never NUL, which no argv can hold.
fn junk(draw: &mut Draw, wild: bool) -> OsString {
    if draw.percent(if wild { 60 } else { 85 }) {
        return OsString::from_vec(TRAPS[draw.below(TRAPS.len())].to_vec());
    }
    let length = match draw.below(60) {
        0 if wild => 70_000,
        1 if wild => 4_000,
        _ => draw.below(12),
    };
    let mut word: Vec<u8> = (0..length).map(|_| [b'-', b'=', b',', b'e', b'"', (draw.next() >> 40) as u8][draw.below(6)].max(1)).collect();
    if draw.percent(40) {
        word.splice(0..0, *b"--");
    }
    OsString::from_vec(word)
}

/// The commands and flags to draw from: all of them, or those of the release whose answers we give.
fn everything(reference_only: bool) -> (Vec<&'static Command>, Vec<&'static Flag>) {
    let wanted = |span: Span| !reference_only || in_reference(span);
    let commands: Vec<_> = catalogue::commands().filter(|c| wanted(c.docker)).collect();
    let flags = commands.iter().flat_map(|c| c.all_flags()).filter(|f| wanted(f.docker)).collect();
    (commands, flags)
}

fn in_reference(span: Span) -> bool {
    (span.first..=span.last).contains(&REFERENCE)
}

// ------------------------------------------------------------------------------------------------------------ a fake host

/// A machine out of the generator: no process is started, no file is read.
struct FakeHost {
    settings: Settings,
    version: Podman,
    uid: u32,
    terminal: bool,
    env: BTreeMap<&'static str, OsString>,
    /// What every file holds, if there are files.
    content: Option<Vec<u8>>,
}

const CONTENTS: [&[u8]; 7] = [
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
    fn plain() -> FakeHost {
        let env = BTreeMap::from([("HOME", OsString::from("/root"))]);
        FakeHost { settings: Settings::default(), version: Podman(5, 4, 2), uid: 0, terminal: false, env, content: None }
    }

    fn drawn(draw: &mut Draw) -> FakeHost {
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
    fn ask(&self, _: &[&OsStr]) -> Option<Vec<u8>> {
        self.content.clone()
    }
}

// -------------------------------------------------------------------------------------------------------------- the tests

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")),
        Err(_) => default,
    }
}

/// A line that shows even where the test harness keeps output to itself.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "property: {line}");
}

fn shown(argv: &[OsString]) -> String {
    let words: Vec<_> = argv.iter().map(|w| format!("{:?}", w.as_bytes().escape_ascii().to_string()).replace("\\\\", "\\")).collect();
    words.join(" ").chars().take(600).collect()
}

/// Hands the cases out to the threads, and gathers what each of them has to say.
fn in_threads<T: Send>(cases: usize, case: impl Fn(usize) -> Option<T> + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut found = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= cases {
                return found;
            }
            found.extend(case(index));
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    })
}

/// What a plan has to be, whatever the argv was.
fn sound(plan: &Plan) -> Result<&'static str, String> {
    match plan {
        Plan::Exec(call) if !call.program.is_absolute() => Err(format!("the program {:?} is not absolute", call.program)),
        // `--config DIR` may be relative, and so may its plugins; but never is a plugin looked for on PATH.
        Plan::Delegate(call) if !call.program.as_os_str().as_bytes().contains(&b'/') => Err(format!("{:?} has no directory", call.program)),
        Plan::Exec(call) | Plan::Delegate(call) if call.args.iter().any(|a| a.as_bytes().contains(&0)) => {
            Err("an argument holds NUL".to_string())
        }
        Plan::Exec(_) => Ok("exec"),
        Plan::Delegate(_) => Ok("delegate"),
        Plan::Sequence(_) => Ok("sequence"),
        Plan::Answer(_) => Ok("answer"),
        Plan::Refuse(refusal) if refusal.status == 0 || refusal.message.trim().is_empty() => {
            Err(format!("a refusal without words or status: {refusal:?}"))
        }
        Plan::Refuse(_) => Ok("refuse"),
    }
}

#[test]
fn any_argv_ends_in_a_plan() {
    let (seed, cases) = (setting("DOCKER_SHIM_SEED", SEED), setting("DOCKER_SHIM_CASES", CASES as u64) as usize);
    let (commands, flags) = everything(false);
    let began = Instant::now();
    let ends = in_threads(cases, |case| {
        let mut draw = Draw::of(seed, case);
        let argv = argv(&mut draw, &commands, &flags, true);
        let host = FakeHost::drawn(&mut draw);
        let started = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let plan = plan_of(&argv, &host);
            let text = explain(&plan);
            let end = sound(&plan)?;
            // The same argv on the same host is the same plan.
            if case % 16 == 0 && explain(&plan_of(&argv, &host)) != text {
                return Err("another plan the second time".to_string());
            }
            Ok(end)
        }));
        let outcome = outcome.unwrap_or_else(|_| Err("it panicked".to_string()));
        let outcome = if started.elapsed() > Duration::from_secs(5) { Err("it took more than five seconds".to_string()) } else { outcome };
        Some(outcome.map_err(|fault| format!("case {case}: {fault}: {}", shown(&argv))))
    });
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut faults = Vec::new();
    for end in ends {
        match end {
            Ok(end) => *counts.entry(end).or_default() += 1,
            Err(fault) => faults.push(fault),
        }
    }
    say(&format!("seed {seed}: {cases} argvs in {:.0?}: {counts:?}", began.elapsed()));
    assert!(faults.is_empty(), "{} faults, seed {seed}:\n{}", faults.len(), faults[..faults.len().min(20)].join("\n"));
    assert!(counts.len() >= 4, "the argvs do not reach every kind of plan: {counts:?}");
}

/// Words of commands that do something on the client's side, or ask the network: the real client is not asked about them.
const NOT_ASKED: [&str; 17] = [
    "login",
    "logout",
    "context",
    "buildx",
    "compose",
    "bake",
    "builder",
    "build",
    "cp",
    "save",
    "export",
    "trust",
    "manifest",
    "completion",
    "search",
    "plugin",
    "dial-stdio",
];

/// What a client said.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Said {
    status: i32,
    stdout: String,
    stderr: String,
}

/// What kind of answer it is.
#[derive(PartialEq, Eq, Debug, Clone, Copy)]
enum Class {
    /// The grammar says no.
    Refused,
    Help,
    /// The grammar takes it; what came after that (no daemon is there) is not looked at.
    Taken,
}

/// The reference client, if there is one: its words, or why there is none.
fn reference() -> Result<Vec<OsString>, String> {
    let words: Vec<OsString> = match std::env::var_os("DOCKER_SHIM_REFERENCE_DOCKER") {
        Some(words) => {
            words.as_bytes().split(|b| *b == b' ').filter(|w| !w.is_empty()).map(|w| OsStr::from_bytes(w).to_os_string()).collect()
        }
        None => {
            let lab = std::env::var_os("DOCKER_SHIM_LAB").map_or_else(|| PathBuf::from("/var/tmp/docker-shim-lab"), PathBuf::from);
            let roots = ["docker", "sid"].map(|name| lab.join("roots").join(name));
            let Some(root) = roots.into_iter().find(|r| r.join("usr/bin/docker").is_file()) else {
                return Err(format!("no Docker client under {} and no DOCKER_SHIM_REFERENCE_DOCKER", lab.join("roots").display()));
            };
            vec!["chroot".into(), root.into(), "docker".into()]
        }
    };
    let version = Process::new(words.first().ok_or("DOCKER_SHIM_REFERENCE_DOCKER is empty")?).args(&words[1..]).arg("--version").output();
    let version = version.map_err(|e| format!("{}: {e}", shown(&words)))?;
    let text = String::from_utf8_lossy(&version.stdout).into_owned();
    let wanted = format!("Docker version {}", DOCKER_VERSION.rsplit_once('.').map_or(DOCKER_VERSION, |(release, _)| release));
    if !text.starts_with(&wanted) {
        let said = format!("{}{}", text.trim(), String::from_utf8_lossy(&version.stderr).trim());
        return Err(format!("{} is no Docker {DOCKER_VERSION}: {said}", shown(&words)));
    }
    Ok(words)
}

/// In front of every argv, for both: no daemon answers, and no other one can be named beside it.
const NOBODY: [&str; 2] = ["-H", "unix:///nonexistent.sock"];

fn ask(reference: &[OsString], argv: &[OsString]) -> Option<Said> {
    let mut process = Process::new(&reference[0]);
    process.args(&reference[1..]).args(argv).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_clear();
    process.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/nonexistent");
    // Nothing of this may reach a network.
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY"] {
        process.env(proxy, "http://127.0.0.1:1");
    }
    let mut child = process.spawn().ok()?;
    let (mut stdout, mut stderr) = (child.stdout.take()?, child.stderr.take()?);
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stderr.read_to_end(&mut bytes);
        bytes
    });
    let pid = child.id();
    let (done, waiting) = std::sync::mpsc::channel::<()>();
    // One that waits for something is ended; its answer does not count.
    let guard = std::thread::spawn(move || {
        let late = waiting.recv_timeout(Duration::from_secs(20)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout);
        if late {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid as i32), nix::sys::signal::Signal::SIGKILL);
        }
    });
    let mut printed = Vec::new();
    let _ = stdout.read_to_end(&mut printed);
    let stderr = reader.join().ok()?;
    let status = child.wait().ok()?.code();
    drop(done);
    let _ = guard.join();
    // By design: `-D` makes the client log about itself, with the time; Podman's log is not shown for it.
    let stderr: String = text(&stderr).split_inclusive('\n').filter(|line| !line.starts_with("time=\"")).collect();
    Some(Said { status: status?, stdout: text(&printed), stderr })
}

/// By design: where Docker prints bytes that are no UTF-8 as they are, our messages, which are text, have U+FFFD.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn class(said: &Said) -> Class {
    let begins = |stream: &str| stream.starts_with("Usage:  docker") || stream.starts_with("Flag ") && stream.contains("\nUsage:  docker");
    if said.status == 0 && (begins(&said.stdout) || begins(&said.stderr) || said.stderr.starts_with("Flag ") && begins(&said.stdout)) {
        return Class::Help;
    }
    let refusals = [
        "unknown flag: ",
        "unknown shorthand flag: ",
        "flag needs an argument: ",
        "bad flag syntax: ",
        "unknown help topic: ",
        "docker: unknown command: ",
        "Unable to parse logging level: ",
        "conflicting options: cannot specify both --host and --context",
    ];
    let first = said.stderr.lines().find(|l| !l.starts_with("Flag ")).unwrap_or_default();
    let arity = first.starts_with("docker: 'docker") && (first.contains("' requires ") || first.contains("' accepts no argument"));
    let value = first.starts_with("invalid argument ");
    let usage = said.status == 125 && said.stderr.contains("\nUsage:  ");
    if said.status != 0 && (usage || value || arity || refusals.iter().any(|r| first.starts_with(r))) {
        Class::Refused
    } else {
        Class::Taken
    }
}

/// What we say, and whether it is the grammar that says it.
fn ours(argv: &[OsString]) -> (Class, Said) {
    let host = FakeHost::plain();
    let plan = plan_of(argv, &host);
    let said = match &plan {
        Plan::Refuse(refusal) => Said { status: refusal.status.into(), stdout: String::new(), stderr: format!("{}\n", refusal.message) },
        Plan::Answer(answer) => Said { status: answer.status.into(), stdout: text(&answer.stdout), stderr: text(&answer.stderr) },
        Plan::Sequence(acts) => {
            let mut said = Said { status: 0, stdout: String::new(), stderr: String::new() };
            for act in acts {
                match act {
                    Act::Print(bytes) => said.stdout += &text(bytes),
                    Act::Warn(bytes) => said.stderr += &text(bytes),
                    Act::Complain(refusal) => {
                        said.stderr += &format!("{}\n", refusal.message);
                        said.status = refusal.status.into();
                    }
                    _ => {}
                }
            }
            said
        }
        _ => Said { status: 0, stdout: String::new(), stderr: String::new() },
    };
    (our_class(&grammar::parse(argv, grammar::Options { buildkit: true, podman_extras: false })), said)
}

fn our_class(parsed: &Result<Parsed, UsageError>) -> Class {
    match parsed {
        Err(_) => Class::Refused,
        Ok(Parsed::Unknown(unknown)) => our_class(&unknown.otherwise),
        Ok(Parsed::Help(help)) if help.error.is_some() => Class::Refused,
        Ok(Parsed::Help(_)) => Class::Help,
        Ok(_) => Class::Taken,
    }
}

/// How the two differ, in a form that is the same for the same cause; none when they do not.
fn difference(reference: &[OsString], argv: &[OsString]) -> Option<(String, Said, Said)> {
    let theirs = ask(reference, argv)?;
    let (our_class, our_said) = ours(argv);
    let their_class = class(&theirs);
    let same = their_class == our_class
        && match their_class {
            Class::Refused => theirs == our_said,
            // Help is in our own words; its status, its streams, the notes above it and the usage line are Docker's.
            Class::Help => help_outline(&theirs) == help_outline(&our_said),
            // A note on a deprecated flag comes before anything else.
            Class::Taken => notes(argv).is_none_or(|ours| theirs.stdout.lines().filter(|l| l.starts_with("Flag ")).eq(ours.iter())),
        };
    if same || by_design(argv, their_class, our_class).is_some() {
        return None;
    }
    let mut cause = format!("{their_class:?}/{our_class:?}: {}", outline(argv, &theirs, &our_said));
    if theirs.stderr.lines().next() == our_said.stderr.lines().next() {
        cause += &format!(" | {}", outline(argv, &our_said, &theirs));
    }
    Some((cause, theirs, our_said))
}

/// The notes on stdout of a command that is taken.
fn notes(argv: &[OsString]) -> Option<Vec<String>> {
    match grammar::parse(argv, grammar::Options { buildkit: true, podman_extras: false }) {
        Ok(Parsed::Invocation(invocation)) => Some(invocation.notes.stdout),
        _ => None,
    }
}

fn help_outline(said: &Said) -> (i32, Vec<&str>, Vec<&str>) {
    fn head(stream: &str) -> Vec<&str> {
        stream.lines().filter(|l| l.starts_with("Flag ") || l.starts_with("Usage:")).collect()
    }
    (said.status, head(&said.stdout), head(&said.stderr))
}

/// The first line in which the two differ, without the words that come from the argv.
fn outline(argv: &[OsString], said: &Said, other: &Said) -> String {
    let mut lines =
        said.stderr.lines().chain(said.stdout.lines()).zip(other.stderr.lines().chain(other.stdout.lines()).chain(std::iter::repeat("")));
    let line = lines.find(|(a, b)| a != b).map(|(a, _)| a).or(said.stderr.lines().next()).unwrap_or_default();
    let from_argv = |word: &str| {
        let word = word.trim_matches(|c| matches!(c, '"' | '\'' | ':' | ','));
        argv.iter().any(|a| a.to_string_lossy().contains(word))
    };
    let words: Vec<_> = line.split(' ').map(|w| if w.starts_with(['-', '"', '\'']) || from_argv(w) { "_" } else { w }).take(12).collect();
    format!("{} {}", said.status, words.join(" ")).replace("_ _", "_").replace("_ _", "_")
}

/// Differences that are meant, each with its reason.
fn by_design(argv: &[OsString], theirs: Class, ours: Class) -> Option<&'static str> {
    let has = |word: &str| argv.iter().any(|a| a == word);
    if has("service") && (has("create") || has("update")) && theirs == Class::Refused && ours == Class::Refused {
        return Some("Debian's client is built with an older go-connections, whose words for a wrong port are others than Docker's own");
    }
    if has("swarm") && has("update") && theirs == Class::Help {
        return Some("without flags it shows its help; there is no swarm on Podman, and that is said first");
    }
    if theirs == Class::Refused && ours != Class::Refused {
        let options = grammar::Options { buildkit: true, podman_extras: false };
        let parsed = grammar::parse(argv, options).ok()?;
        let (command, flags): (&Command, Vec<&Flag>) = match &parsed {
            Parsed::Invocation(i) => (i.command, i.uses.iter().chain(i.globals.iter()).map(|u| u.flag).collect()),
            Parsed::Help(help) => (help.command, vec![]),
            _ => return None,
        };
        if !in_reference(command.docker) || flags.iter().any(|f| !in_reference(f.docker)) {
            return Some(
                "what Docker had before, or has after, the reference release is taken: scripts for every release from 19.03 on are served",
            );
        }
    }
    None
}

/// The shortest argv, leaving words away, that still differs for the same cause.
fn shortest(reference: &[OsString], argv: Vec<OsString>, cause: &str) -> Vec<OsString> {
    let mut argv = argv;
    let mut index = NOBODY.len();
    while index < argv.len() {
        let mut shorter = argv.clone();
        shorter.remove(index);
        if difference(reference, &shorter).is_some_and(|(c, ..)| c == cause) { argv = shorter } else { index += 1 }
    }
    argv
}

#[test]
fn docker_refuses_what_we_refuse_in_the_same_words() {
    let reference = match reference() {
        Ok(reference) => reference,
        Err(why) => {
            say(&format!("THE COMPARISON WITH A REAL DOCKER CLIENT WAS NOT RUN: {why}"));
            let excused = std::env::var_os("DOCKER_SHIM_ENGINE_FREE").is_some_and(|v| v == "1");
            assert!(excused, "no real Docker client to ask ({why}); DOCKER_SHIM_ENGINE_FREE=1 asks for the rest alone");
            return;
        }
    };
    let (seed, cases) = (setting("DOCKER_SHIM_SEED", SEED), setting("DOCKER_SHIM_LIVE_CASES", LIVE_CASES as u64) as usize);
    let (commands, flags) = everything(true);
    let began = Instant::now();
    let harmless = |argv: &[OsString]| !argv.iter().any(|w| NOT_ASKED.iter().any(|n| w.eq_ignore_ascii_case(n)));
    let mut asked: BTreeMap<String, usize> = BTreeMap::new();
    let mut causes: BTreeMap<String, Vec<Vec<OsString>>> = BTreeMap::new();
    let answers = in_threads(cases, |case| {
        // Drawn again until it is one that may be asked about.
        let mut draw = Draw::of(!seed, case);
        let argv = std::iter::repeat_with(|| argv(&mut draw, &commands, &flags, false)).find(|a| harmless(a))?;
        let argv: Vec<OsString> = NOBODY.iter().map(OsString::from).chain(argv).collect();
        let (class, _) = ours(&argv);
        Some((class, difference(&reference, &argv).map(|(cause, ..)| (cause, argv))))
    });
    for (class, different) in answers {
        *asked.entry(format!("{class:?}")).or_default() += 1;
        if let Some((cause, argv)) = different {
            causes.entry(cause).or_default().push(argv);
        }
    }
    let different: usize = causes.values().map(Vec::len).sum();
    say(&format!("seed {seed}: {cases} argvs asked of the real client in {:.0?}: {asked:?}; {different} differ", began.elapsed()));
    let mut report = String::new();
    for (cause, argvs) in causes.iter().take(40) {
        let argv = shortest(&reference, argvs.iter().min_by_key(|a| a.len()).cloned().unwrap_or_default(), cause);
        let Some((_, theirs, ours)) = difference(&reference, &argv) else { continue };
        let words = shown(&argv[NOBODY.len()..]);
        report += &format!("{} times, for example: docker {words}\n  docker: {theirs:?}\n  ours:   {ours:?}\n", argvs.len());
    }
    assert!(different == 0, "{different} of {cases} differ, for {} causes, seed {seed}:\n{report}", causes.len());
}
