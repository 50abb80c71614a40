//! Draws argvs: words from the catalogue in all spellings, and junk.

use super::*;

/// xorshift64*: small, and the same everywhere.
pub struct Draw(u64);

impl Draw {
    /// The draw for one case of a run.
    pub fn of(seed: u64, case: usize) -> Draw {
        let mut draw = Draw((seed ^ (case as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)).max(1));
        draw.next();
        draw.next();
        draw
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) as usize) % n.max(1)
    }
    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
    pub fn of_all<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// Words that parsers stumble over.
#[rustfmt::skip]
pub const TRAPS: [&[u8]; 64] = [
    b"", b"-", b"--", b"---", b"---x", b"--=", b"--=x", b"-=", b"-=x", b"=", b"=..", b"-e=", b"-e", b"-e=A", b"-t=", b"-t=false",
    b"-it=false", b"-i=", b"-itd", b"-itx", b"-dit=0", b"--rm=false", b"--rm=", b"--rm=yes", b"--rm", b"-p8080:80", b"-p=80", b"-h",
    b"-hx", b"-h=false", b"--help", b"--help=false", b"--help=x", b"-v", b"--version", b"-D", b"-Dx", b"-test.v", b"-test", b"-\xc3\xa9",
    b"-\xff", b"--\xff=1", b"\xff\xfe", b"--env", b"--env=", b"--env=\xff", b"-- --", b" ", b"\n", b"--a b", b"-'", b"-\"", b"-\\",
    b"-\x01", b"-\x7f", b"--no-such-flag", b"--no-such-flag=1", b"-Z", b"-Zx=1", b"--Rm", b"-1", b"-9", b"--filter",
    b"--format={{json .}}",
];

#[rustfmt::skip]
pub const TEXTS: [&str; 34] = [
    "x", "web", "alpine", "alpine:3.20", "localhost:5000/a/b:c", "docker.io/library/alpine", "UPPER", "a@sha256:00", "a b", "é", "日本",
    "sh", "a/b", "true", "0", "1", "c1,c2", "A=1", "k=v", "/tmp", "/nonexistent/x", ".", "/tmp:/tmp", "a:/b:ro", "8080:80", "host",
    "none", "bridge", "always", "json", "{{.ID}}", "=x", "a,b=c", "\"quoted",
];

/// Values that a kind of flag takes, or nearly.
#[rustfmt::skip]
pub fn values(kind: Kind) -> &'static [&'static str] {
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
pub fn items(item: Item) -> &'static [&'static str] {
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
pub fn argv(draw: &mut Draw, commands: &[&'static Command], flags: &[&'static Flag], wild: bool) -> Vec<OsString> {
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
pub fn arguments(draw: &mut Draw, command: &Command, wild: bool) -> Vec<OsString> {
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
pub fn path(draw: &mut Draw, command: &'static Command, flags: &[&'static Flag], wild: bool, argv: &mut Vec<OsString>) {
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
pub fn one_flag(draw: &mut Draw, command: &'static Command, flags: &[&'static Flag], wild: bool, argv: &mut Vec<OsString>) {
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
pub fn cluster(draw: &mut Draw, own: &[&'static Flag], letter: char) -> String {
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

pub fn value(draw: &mut Draw, kind: Kind, wild: bool) -> OsString {
    match draw.below(100) {
        // The first ones are good.
        0..78 => OsString::from(values(kind)[draw.below(2)]),
        78..94 => OsString::from(draw.of_all(values(kind))),
        94..97 => OsString::from(TEXTS[draw.below(TEXTS.len())]),
        _ => junk(draw, wild),
    }
}

/// A trap, or bytes at random; never NUL, which no argv can hold.
pub fn junk(draw: &mut Draw, wild: bool) -> OsString {
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
pub fn everything(reference_only: bool) -> (Vec<&'static Command>, Vec<&'static Flag>) {
    let wanted = |span: Span| !reference_only || in_reference(span);
    let commands: Vec<_> = catalogue::commands().filter(|c| wanted(c.docker)).collect();
    let flags = commands.iter().flat_map(|c| c.all_flags()).filter(|f| wanted(f.docker)).collect();
    (commands, flags)
}

pub fn in_reference(span: Span) -> bool {
    (span.first..=span.last).contains(&REFERENCE)
}
