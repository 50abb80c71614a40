//! A plan as text: one step a line, words quoted for a shell.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::each::{Deed, Direction, Each};
use super::prune::{Kind, Prune};
use super::{Act, Call, Change, Creation, Ending, OnFailure, Plan, Reshape, Run, Shape, Stderr, Stdout, Step};

/// What `docker-shim explain` prints, and golden tests compare. Secret-looking values are not shown.
pub fn explain(plan: &Plan) -> String {
    let mut text = String::new();
    match plan {
        Plan::Exec(call) => show(&mut text, "exec", call),
        Plan::Delegate(call) => show(&mut text, "delegate", call),
        Plan::Answer(answer) => {
            let _ = writeln!(text, "answer status={}", answer.status);
            for (stream, bytes) in [("stdout", &answer.stdout), ("stderr", &answer.stderr)] {
                for line in String::from_utf8_lossy(bytes).lines() {
                    let _ = writeln!(text, "  {stream} {line}");
                }
            }
        }
        Plan::Refuse(refusal) => {
            let _ = writeln!(text, "refuse status={}", refusal.status);
            for line in refusal.message.lines() {
                let _ = writeln!(text, "  stderr {line}");
            }
        }
        Plan::Reshape(reshape) => show_reshape(&mut text, reshape),
        Plan::Sequence(acts) => acts.iter().for_each(|act| show_act(&mut text, act)),
    }
    text
}

fn show_act(text: &mut String, act: &Act) {
    match act {
        Act::Run(Run { call, stdout, stderr, ending, on_failure }) => {
            let ending = match ending {
                Ending::Same => "run",
                Ending::Container => "run, 125 is 1",
                Ending::Daemon => "run, failure is 1",
                Ending::Client => "run until a signal comes, failure is 1",
                Ending::Ignore => "run, failure is nothing",
                Ending::Failed(status) => &format!("run, failure is {status}"),
            };
            let stdout = match stdout {
                Stdout::Inherit => String::new(),
                Stdout::Discard => ", stdout to nobody".to_string(),
                Stdout::Prefixed(prefix) => format!(", stdout after {prefix}"),
                Stdout::Said(text) => format!(", then say {:?}", String::from_utf8_lossy(text)),
            };
            let stderr = match stderr {
                Stderr::Inherit => "",
                Stderr::OnFailure => ", stderr after a failure only",
                Stderr::Discard => ", stderr to nobody",
            };
            let after = if matches!(on_failure, OnFailure::GoOn) { ", go on after a failure" } else { "" };
            show(text, &format!("{ending}{stdout}{stderr}{after}:"), call);
            if let OnFailure::Undo(undo) = on_failure {
                show(text, "  after a failure:", undo);
            }
        }
        Act::Each(each) => show_each(text, each),
        Act::Require(require) => show(text, &format!("{:?}:", require.needs), &require.state),
        Act::Attach(attach) => {
            show(text, "look at its state by", &attach.state);
            show(text, "attach by", &attach.attach);
            show(text, "  exit status from", &attach.wait);
        }
        Act::Copy(copy) => {
            let (here, there) = (quoted(&copy.local), format!("{}:{}", copy.name.to_string_lossy(), copy.inside.to_string_lossy()));
            let way = if copy.direction == Direction::ToContainer { format!("{here} to {there}") } else { format!("{there} to {here}") };
            let links = if copy.follow { ", links followed" } else { "" };
            show(text, &format!("copy {way}{links} by"), &copy.call);
        }
        Act::Export(export) => show(text, "run, owners in its archive as in the container:", &export.call),
        Act::Logs(logs) => show(text, &format!("run, {:?} before each line:", logs.details), &logs.call),
        Act::StartAttached(start) => show(text, "run, 125 is 1 unless it is the container's own:", &start.call),
        Act::Change(changes) => changes.iter().for_each(|change| {
            let _ = match change {
                Change::Write { path, content, .. } | Change::Create { path, content } | Change::Configuration { path, content } => {
                    writeln!(text, "write {} ({} bytes)", quoted(path.as_os_str()), content.len())
                }
                Change::RemoveDirectory(path) => writeln!(text, "remove {} and what is in it", quoted(path.as_os_str())),
            };
        }),
        Act::Create(creation) => show_creation(text, creation),
        Act::Again(variable) => {
            let _ = writeln!(text, "start again with {variable}=1");
        }
        Act::Reshape(reshape) => show_reshape(text, reshape),
        Act::Do(step) => show_step(text, step),
        Act::Manifests(manifests) => {
            let _ = writeln!(text, "{:?} in {}", manifests.job, manifests.directory.display());
            show(text, "  what a registry has by", &manifests.calls.inspect);
        }
        Act::Login(login) => {
            show(text, "try the credentials by", &login.call);
            let _ = writeln!(text, "  keep them for {} in {}", login.servers.join(", "), login.file.display());
        }
        Act::Logout(logout) => {
            let _ = writeln!(text, "forget {} in {}", logout.servers.join(" "), logout.file.display());
        }
        Act::Gather { parts, path } => {
            let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
            let _ = writeln!(text, "gather what is told of {} in {}", names.join(" "), path.display());
        }
        Act::OfBuilt { iidfile, call, after, .. } => {
            let after: Vec<_> = after.iter().map(|word| word.to_string_lossy()).collect();
            show(text, &format!("run with the ID in {} {}:", iidfile.display(), after.join(" ")), call);
        }
        Act::Finally { acts, then } => {
            acts.iter().for_each(|act| show_act(text, act));
            let _ = writeln!(text, "in the end, whatever comes of it:");
            then.iter().for_each(|act| show_act(text, act));
        }
        Act::RemoveLeft(left) => show(text, "remove what killed builds have left, by", &left.remove),
        Act::Save(save) => {
            show(text, "run, its archive with Docker's names:", &save.call);
            let file = save.file.as_ref().map_or("stdout".into(), |file| file.display().to_string());
            let _ = writeln!(text, "  to {file}");
        }
        Act::Load(load) => {
            let file = load.file.as_ref().map_or("stdin".into(), |file| file.display().to_string());
            show(text, &format!("run, unpacked, with --input of {file}:"), &load.call);
            show(text, "  Docker's names by", &load.tag);
            show(text, "  instead of Podman's by", &load.untag);
        }
        Act::Print(bytes) => String::from_utf8_lossy(bytes).lines().for_each(|line| {
            let _ = writeln!(text, "print {line}");
        }),
        Act::Warn(bytes) => String::from_utf8_lossy(bytes).lines().for_each(|line| {
            let _ = writeln!(text, "warn {line}");
        }),
        Act::Complain(refusal) => {
            let _ = writeln!(text, "complain status={} {}", refusal.status, refusal.message);
        }
        Act::ComplainOfFailure(words) => {
            let _ = writeln!(text, "complain, after a failure, {words}");
        }
        Act::Confirm(question) => {
            let _ = writeln!(text, "confirm {}", question.replace('\n', "\\n"));
        }
        Act::Prune(prune) => show_prune(text, prune),
    }
}

fn show_prune(text: &mut String, prune: &Prune) {
    for kind in &prune.kinds {
        match kind {
            Kind::Containers { prune, .. } | Kind::Networks { prune } | Kind::Images { prune, .. } => show(text, "prune by", prune),
            Kind::Volumes { list, remove, all, labels } => {
                let which = if *all { "all" } else { "anonymous" };
                let _ = writeln!(text, "remove {which} volumes that no container uses {}", labels.join(" "));
                show(text, "  found by", list);
                show(text, "  removed by", remove);
            }
        }
    }
}

fn show_each(text: &mut String, each: &Each) {
    let manner = if each.verb.at_once() { "at once" } else { "one by one" };
    let _ = writeln!(text, "{:?}, {manner}, failures at the end", each.verb);
    for one in &each.containers {
        match &one.deeds {
            Err(refused) => {
                let _ = writeln!(text, "  refuse {refused}");
            }
            Ok(deeds) => deeds.iter().for_each(|deed| match deed {
                Deed::Do(call) => show(text, "  run", call),
                Deed::Signal(call) => show(text, "  run, if it runs:", call),
                Deed::Await(call, None) => show(text, "  wait by", call),
                Deed::Await(call, Some(limit)) => show(text, &format!("  wait {limit:?} at most by"), call),
            }),
        }
    }
}

fn show_creation(text: &mut String, Creation { call, cidfile, make, start, .. }: &Creation) {
    show(text, "create, failures in Docker's words:", call);
    if let Some(file) = cidfile {
        let _ = writeln!(text, "  write its ID to {}", quoted(file.as_os_str()));
    }
    if let Some((made, copy)) = make {
        let when = if made.absent { "has to be" } else { "is, where it is missing," };
        show(text, &format!("  {} {when} made by", quoted(made.path.as_os_str())), copy);
    }
    if let Some(start) = start {
        show(text, if start.detach || start.remove { "  then" } else { "  then become" }, &start.call);
    }
}

fn show_reshape(text: &mut String, Reshape { call, shape }: &Reshape) {
    show(text, "run", call);
    let _ = match shape {
        Shape::Whole(view) => writeln!(text, "  shown as {view:?}"),
        Shape::Lines(stream) => writeln!(text, "  shown line by line as {stream:?}"),
        Shape::Transfer { progress, .. } => writeln!(text, "  its progress shown as {progress:?}"),
        Shape::Progress(progress) => writeln!(text, "  both streams shown line by line as {progress:?}"),
    };
}

fn show_step(text: &mut String, step: &Step) {
    let _ = match step {
        Step::MakeDirs(path) => writeln!(text, "mkdir {}", quoted(path.as_os_str())),
        Step::MakeEmpty(path) => writeln!(text, "touch {}", quoted(path.as_os_str())),
        Step::WriteOwn { path, content } => writeln!(text, "write {} ({} bytes)", quoted(path.as_os_str()), content.len()),
        Step::StartSocket { socket, .. } => writeln!(text, "have systemd listen on {}", quoted(socket.as_os_str())),
        Step::Serve { socket, service } => {
            show(text, &format!("unless {} answers, or systemd can listen there, leave running:", quoted(socket.as_os_str())), service);
            Ok(())
        }
        Step::Warn(words) => writeln!(text, "say on stderr {:?}", String::from_utf8_lossy(words)),
        Step::Quietly(call) => {
            show(text, "run, whatever comes of it:", call);
            Ok(())
        }
        Step::ShareStdout(fd) => writeln!(text, "share stdout as descriptor {fd}"),
        Step::RemoveFile(path) => writeln!(text, "remove {}", quoted(path.as_os_str())),
    };
}

fn show(text: &mut String, verb: &str, call: &Call) {
    call.prepare.iter().for_each(|step| show_step(text, step));
    let _ = write!(text, "{verb}");
    for (name, value) in &call.env {
        let _ = match value {
            Some(value) => write!(text, " {}={}", name.to_string_lossy(), quoted(value)),
            None => write!(text, " -u {}", name.to_string_lossy()),
        };
    }
    let _ = write!(text, " {}", quoted(call.program.as_os_str()));
    for arg in &call.args {
        let _ = write!(text, " {}", quoted(&redacted(arg)));
    }
    text.push('\n');
}

/// `--env`, `--build-arg` and password values stay out of what is printed: reports get pasted.
fn redacted(arg: &OsStr) -> std::ffi::OsString {
    const SECRET: [&str; 4] = ["token", "secret", "passw", "_key"];
    let text = arg.to_string_lossy();
    if text.starts_with("--password=") {
        return "--password=***".into();
    }
    for flag in ["--env=", "--build-arg="] {
        let name = text.strip_prefix(flag).and_then(|rest| rest.split_once('=')).map(|(name, _)| name);
        if let Some(name) = name.filter(|name| SECRET.iter().any(|s| name.to_lowercase().contains(s))) {
            return format!("{flag}{name}=***").into();
        }
    }
    arg.to_os_string()
}

/// A word as a POSIX shell would have to be given it; other bytes than text as `$'\xNN'`.
pub fn quoted(word: &OsStr) -> String {
    let bytes = word.as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_=/:.,+@%^".contains(b);
    if !bytes.is_empty() && bytes.iter().all(plain) {
        return word.to_string_lossy().into_owned();
    }
    match word.to_str() {
        Some(text) if !text.chars().any(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => {
            let escape = |b: &u8| match b {
                b'\'' | b'\\' => format!("\\{}", *b as char),
                0x20..=0x7e => (*b as char).to_string(),
                other => format!("\\x{other:02x}"),
            };
            format!("$'{}'", bytes.iter().map(escape).collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn quotes_for_a_shell() {
        assert_eq!(quoted(OsStr::new("a-b=c")), "a-b=c");
        assert_eq!(quoted(OsStr::new("")), "''");
        assert_eq!(quoted(OsStr::new("it's")), r"'it'\''s'");
        assert_eq!(quoted(&OsString::from_vec(vec![b'a', 0xff, b'\n'])), r"$'a\xff\x0a'");
    }

    #[test]
    fn keeps_secrets() {
        assert_eq!(redacted(OsStr::new("--env=API_TOKEN=abc")), "--env=API_TOKEN=***");
        assert_eq!(redacted(OsStr::new("--env=LANG=C")), "--env=LANG=C");
        assert_eq!(redacted(OsStr::new("--password=x")), "--password=***");
    }
}
