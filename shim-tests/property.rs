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
use docker_shim::plan::{Act, Plan, Refusal, Reshape, explain};
use docker_shim::plan_of;
use docker_shim::settings::Settings;

#[path = "property/draw.rs"]
mod draw;
#[path = "property/fake_host.rs"]
mod fake_host;

use draw::*;
use fake_host::*;

const SEED: u64 = 20_190_731;
const CASES: usize = 200_000;
const LIVE_CASES: usize = 1500;
const THREADS: usize = 2;

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
        Plan::Exec(call) | Plan::Reshape(Reshape { call, .. }) if !call.program.is_absolute() => {
            Err(format!("the program {:?} is not absolute", call.program))
        }
        // `--config DIR` may be relative, and so may its plugins; but never is a plugin looked for on PATH.
        Plan::Delegate(call) if !call.program.as_os_str().as_bytes().contains(&b'/') => Err(format!("{:?} has no directory", call.program)),
        Plan::Exec(call) | Plan::Reshape(Reshape { call, .. }) | Plan::Delegate(call)
            if call.args.iter().any(|a| a.as_bytes().contains(&0)) =>
        {
            Err("an argument holds NUL".to_string())
        }
        Plan::Exec(_) => Ok("exec"),
        Plan::Delegate(_) => Ok("delegate"),
        Plan::Reshape(_) => Ok("reshape"),
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
