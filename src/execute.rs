//! The only code with side effects: becomes podman, starts it, prints, makes what a call needs.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::files::replace;
use crate::host::DEPTH;
use crate::plan::{Act, Answer, Call, Ending, OnFailure, Plan, Refusal, Run, Stderr, Stdout, Step};

mod archive;
mod attach;
mod changes;
mod cp;
mod creation;
mod each;
mod export;
mod left;
mod login;
mod logs;
mod manifest;
mod prune;
mod reshape;
mod service;
mod signals;
mod words;

/// Carries a plan out and gives Docker's exit status. `Exec` and `Delegate` only come back when the program cannot be started.
pub fn execute(plan: Plan) -> u8 {
    match plan {
        Plan::Exec(call) | Plan::Delegate(call) => become_program(&call),
        Plan::Reshape(reshape) => reshape::run(reshape).unwrap_or_else(|code| code),
        Plan::Sequence(acts) => sequence(acts),
        Plan::Answer(answer) => say(&answer),
        Plan::Refuse(refusal) => complain(&refusal),
    }
}

fn say(answer: &Answer) -> u8 {
    let written = write_stdout(&answer.stdout);
    let _ = std::io::stderr().write_all(&answer.stderr);
    match written {
        Ok(()) => answer.status,
        Err(code) => code,
    }
}

/// Writes to stdout; a reader that has gone is SIGPIPE's status, any other error is reported.
fn write_stdout(bytes: &[u8]) -> Result<(), u8> {
    let mut stdout = std::io::stdout();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|e| {
        if e.kind() == std::io::ErrorKind::BrokenPipe {
            return 141;
        }
        let _ = writeln!(std::io::stderr(), "docker: cannot write to stdout: {e}");
        1
    })
}

fn complain(refusal: &Refusal) -> u8 {
    let _ = writeln!(std::io::stderr(), "{}", refusal.message);
    refusal.status
}

fn command(call: &Call) -> Command {
    let mut command = Command::new(&call.program);
    command.args(&call.args);
    for (name, value) in call.env.iter().chain([&depth()]) {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

fn become_program(call: &Call) -> u8 {
    if let Err(refusal) = prepare(&call.prepare) {
        return complain(&refusal);
    }
    // Command would copy the whole environment for a few changes, which costs more than all else here together.
    // SAFETY: there is one thread, and nothing holds on to the environment.
    unsafe {
        for (name, value) in call.env.iter().chain([&depth()]) {
            match value {
                Some(value) => std::env::set_var(name, value),
                None => std::env::remove_var(name),
            }
        }
    }
    // The standard library's exec sets SIGPIPE to its default, whatever it was.
    let error = Command::new(&call.program).args(&call.args).exec();
    complain(&cannot_start(call, &error))
}

/// Becomes this program anew, with the same words.
fn start_again(variable: &str) -> u8 {
    let mut argv = std::env::args_os();
    let name = argv.next().unwrap_or_else(|| "docker".into());
    let mut command = Command::new("/proc/self/exe");
    let error = command.arg0(name).args(argv).env(variable, "1").exec();
    complain(&Refusal::new(format!("docker: cannot start again: {error}"), 126))
}

/// The variable that counts our starts, for the call.
fn depth() -> (OsString, Option<OsString>) {
    let depth = std::env::var(DEPTH).ok().and_then(|d| d.parse::<u32>().ok()).unwrap_or(0);
    (DEPTH.into(), Some((depth + 1).to_string().into()))
}

fn cannot_start(call: &Call, error: &std::io::Error) -> Refusal {
    let shown = call.program.display();
    match error.raw_os_error() {
        Some(nix::libc::E2BIG) => Refusal::new(format!("docker: the command line is too long for {shown}"), 126),
        Some(nix::libc::ENOENT) => Refusal::new(format!("docker: {shown} was not found"), 127),
        _ => Refusal::new(format!("docker: {shown} cannot be started: {error}"), 126),
    }
}

/// Makes what a call needs. Errors are only those that podman would not report better itself.
fn prepare(steps: &[Step]) -> Result<(), Refusal> {
    for step in steps {
        match step {
            // A directory that cannot be made is podman's to report, in its words for a missing bind source.
            Step::MakeDirs(path) => {
                let _ = make_dirs(path);
            }
            Step::MakeEmpty(path) => {
                if let Some(dir) = path.parent().filter(|_| !path.exists()) {
                    let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
                    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o755).open(path);
                }
            }
            Step::ShareStdout(fd) => {
                // SAFETY: dup2 on plain numbers; nothing of ours is open at a descriptor that high.
                if unsafe { nix::libc::dup2(1, *fd) } == -1 {
                    return Err(Refusal::new(format!("docker: cannot share stdout: {}", std::io::Error::last_os_error()), 1));
                }
            }
            Step::StartSocket { socket, user } => service::start_socket(socket, *user)?,
            Step::Serve { socket, service } => service::serve(socket, service)?,
            Step::Warn(words) => {
                let _ = std::io::stderr().write_all(words);
            }
            Step::Quietly(call) => {
                let _ = command(call).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            }
            Step::RemoveFile(path) => match std::fs::remove_file(path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Refusal::new(format!("docker: {}: {e}", path.display()), 1));
                }
                _ => {}
            },
            Step::WriteOwn { path, content } => {
                write_own(path, content).map_err(|e| Refusal::new(format!("docker: {}: {e}", path.display()), 1))?;
            }
        }
    }
    Ok(())
}

/// As dockerd: 0755 whatever the umask, parents too.
fn make_dirs(path: &Path) -> std::io::Result<()> {
    let umask = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
    nix::sys::stat::umask(umask);
    made
}

fn write_own(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if std::fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    replace(path, content, |_| Ok(()))
}

fn sequence(acts: Vec<Act>) -> u8 {
    let mut status = 0;
    for act in acts {
        if let Err(code) = carry_out(act, &mut status) {
            return code;
        }
    }
    status
}

/// `status` is what the sequence ends with if nothing ends it earlier. `Err` ends it, with the status to end with.
fn carry_out(act: Act, status: &mut u8) -> Result<(), u8> {
    match act {
        Act::Again(variable) => Err(start_again(variable)),
        Act::Do(step) => told(prepare(&[step])),
        Act::Change(changes) => told(changes::make(&changes)),
        Act::Print(bytes) => write_stdout(&bytes),
        Act::Warn(bytes) => {
            let _ = std::io::stderr().write_all(&bytes);
            Ok(())
        }
        Act::Complain(refusal) => {
            let _ = writeln!(std::io::stderr(), "{}", refusal.message);
            if refusal.status != 0 {
                *status = refusal.status;
            }
            Ok(())
        }
        Act::ComplainOfFailure(words) => {
            if *status != 0 {
                let _ = writeln!(std::io::stderr(), "{words}");
            }
            Ok(())
        }
        Act::Confirm(question) => match confirm(&question)? {
            true => Ok(()),
            false => Err(*status),
        },
        Act::Require(required) => attach::require(&required),
        Act::Prune(prune) => prune::run(&prune),
        Act::Create(creation) => ended(creation::run(&creation)?),
        Act::Each(each) => ended(each::run(&each)?),
        Act::Copy(copy) => ended(cp::run(&copy)),
        Act::Export(exported) => ended(export::run(&exported)?),
        Act::Attach(attached) => ended(attach::attach(&attached)?),
        Act::Logs(logs) => ended(logs::run(&logs)?),
        Act::StartAttached(started) => ended(attach::start(&started)?),
        Act::Reshape(reshape) => ended(reshape::run(reshape)?),
        Act::Manifests(manifests) => ended(manifest::run(&manifests)?),
        Act::Login(asked) => ended(login::login(&asked)?),
        Act::Logout(asked) => ended(login::logout(&asked)?),
        Act::Save(save) => ended(archive::save(&save)?),
        Act::Gather { parts, path } => told(changes::gather(&parts, &path)),
        Act::OfBuilt { iidfile, mut call, after, stdout } => {
            call.args.push(std::fs::read_to_string(&iidfile).unwrap_or_default().trim().into());
            call.args.extend(after);
            ended(run_one(&Run { stdout, stderr: Stderr::OnFailure, ..Run::new(call, Ending::Daemon) })?)
        }
        Act::Finally { acts, then } => {
            let done = acts.into_iter().try_for_each(|act| carry_out(act, status));
            for act in then {
                let _ = carry_out(act, &mut 0);
            }
            done
        }
        Act::RemoveLeft(left) => {
            left::remove(&left);
            Ok(())
        }
        Act::Load(load) => ended(archive::load(&load)?),
        Act::Run(run) => {
            let failed = run_one(&run)?;
            if failed == 0 {
                return Ok(());
            }
            *status = failed;
            match &run.on_failure {
                OnFailure::GoOn if !signals::told_to_end() => Ok(()),
                OnFailure::GoOn | OnFailure::Stop => Err(failed),
                OnFailure::Undo(undo) => {
                    let _ = command(undo).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
                    Err(failed)
                }
            }
        }
    }
}

/// An act's exit status: any but 0 is the end of the sequence.
fn ended(status: u8) -> Result<(), u8> {
    if status == 0 { Ok(()) } else { Err(status) }
}

fn told(done: Result<(), Refusal>) -> Result<(), u8> {
    done.map_err(|refusal| complain(&refusal))
}

/// Starts a call, waits for it, and gives its status in Docker's terms. `Err` is an end of the whole sequence.
fn run_one(run: &Run) -> Result<u8, u8> {
    prepare(&run.call.prepare).map_err(|refusal| complain(&refusal))?;
    let mut command = command(&run.call);
    // Kept in memory rather than read from a pipe: what podman leaves running would hold a pipe open.
    let mut stdout = None;
    let mut stderr = None;
    match &run.stdout {
        Stdout::Inherit => {}
        Stdout::Discard | Stdout::Said(_) => {
            command.stdout(Stdio::null());
        }
        Stdout::Prefixed(_) => stdout = Some(memory_file()?),
    }
    match run.stderr {
        Stderr::Inherit => {}
        Stderr::Discard => {
            command.stderr(Stdio::null());
        }
        Stderr::OnFailure => stderr = Some(memory_file()?),
    }
    let stdio = |file: &File| file.try_clone().map(Stdio::from).map_err(|e| cannot_keep(&e));
    if let Some(file) = &stdout {
        command.stdout(stdio(file)?);
    }
    if let Some(file) = &stderr {
        command.stderr(stdio(file)?);
    }
    let ended = match run.ending {
        Ending::Client => {
            let guard = signals::Leaving::start();
            let mut child = command.spawn().map_err(|e| complain(&cannot_start(&run.call, &e)))?;
            guard.takes_along(child.id());
            child.wait()
        }
        _ => {
            let guard = signals::Forwarding::start();
            let mut child = command.spawn().map_err(|e| complain(&cannot_start(&run.call, &e)))?;
            guard.to(child.id());
            let ended = child.wait();
            // What a container's process makes of a signal is its own affair.
            if matches!(run.ending, Ending::Same | Ending::Container) { ended } else { ended.map(|ended| guard.told(ended)) }
        }
    };
    let ended = ended.map_err(|e| complain(&cannot_start(&run.call, &e)))?;
    if let (Some(file), Stdout::Prefixed(prefix)) = (&mut stdout, &run.stdout) {
        let printed = kept(file)?;
        if !printed.is_empty() {
            write_stdout(&[prefix.as_bytes(), &printed].concat())?;
        }
    }
    if let (Stdout::Said(text), true) = (&run.stdout, ended.success()) {
        write_stdout(text)?;
    }
    if let Some(file) = stderr.as_mut().filter(|_| !ended.success() && ended.signal().is_none()) {
        complain_as_docker(&kept(file)?);
    }
    Ok(docker_status(ended, run.ending))
}

/// What podman said of its failure, on stderr. Bytes that are no text stay as they are.
fn complain_as_docker(text: &[u8]) {
    let words = std::str::from_utf8(text).map(words::as_docker);
    let _ = std::io::stderr().write_all(words.as_deref().map_or(text, str::as_bytes));
}

fn memory_file() -> Result<File, u8> {
    let flags = nix::sys::memfd::MFdFlags::MFD_CLOEXEC;
    nix::sys::memfd::memfd_create(c"docker-shim", flags).map(File::from).map_err(|e| cannot_keep(&e.into()))
}

/// What was written to a memory file.
fn kept(file: &mut File) -> Result<Vec<u8>, u8> {
    let mut bytes = Vec::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|e| cannot_keep(&e))
}

fn cannot_keep(error: &std::io::Error) -> u8 {
    complain(&Refusal::new(format!("docker: podman's output cannot be kept: {error}"), 1))
}

fn docker_status(status: ExitStatus, ending: Ending) -> u8 {
    if let Some(signal) = status.signal() {
        return signals::die_by(signal);
    }
    let code = u8::try_from(status.code().unwrap_or(1)).unwrap_or(1);
    match (ending, code) {
        (_, 0) | (Ending::Ignore, _) => 0,
        (Ending::Same, code) => code,
        (Ending::Container, 125) | (Ending::Daemon | Ending::Client, _) => 1,
        (Ending::Failed(code), _) => code,
        (Ending::Container, code) => code,
    }
}

/// docker/cli's `PromptForConfirmation`: only `y` is yes; the end of input is no.
fn confirm(question: &str) -> Result<bool, u8> {
    write_stdout(question.as_bytes())?;
    let mut line = String::new();
    let _ = std::io::stdin().lock().read_line(&mut line);
    Ok(line.trim().eq_ignore_ascii_case("y"))
}

/// Opens those of file descriptors 0 to 2 that the caller has closed, so that no file of ours takes their place.
pub fn open_standard_streams() {
    for fd in 0..=2 {
        // SAFETY: fcntl and open on plain numbers; a lower descriptor than `fd` is never free here.
        unsafe {
            if nix::libc::fcntl(fd, nix::libc::F_GETFD) == -1 {
                nix::libc::open(c"/dev/null".as_ptr(), nix::libc::O_RDWR);
            }
        }
    }
}

/// Whether argv names us by this name, in whatever directory.
pub fn called_as(program: Option<&OsString>, name: &str) -> bool {
    program.map(Path::new).and_then(Path::file_name).is_some_and(|called| called == name)
}

/// The names in argv by which we are called as Docker itself rather than by our own name.
pub fn called_as_docker(program: Option<&OsString>) -> bool {
    let name = program.map(Path::new).and_then(Path::file_name);
    name.is_none_or(|name| name != "docker-shim")
}
