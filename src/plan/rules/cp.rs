//! `docker cp`: what docker/cli decides before anything is copied.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::attached::named;
use super::look::{self, Doing};
use crate::plan::each::{Copy, Direction};
use crate::plan::{Act, Context, Plan, Refusal};

/// `docker cp`.
pub fn cp(context: &Context) -> Result<Plan, Refusal> {
    let uses = &context.invocation.uses;
    let [source, destination] = &context.invocation.args[..] else { unreachable!("the grammar wants two paths") };
    let fail = |words: &str| Err(Refusal::new(words, 1));
    for (path, what) in [(source, "source"), (destination, "destination")] {
        if path.is_empty() {
            return fail(&format!("{what} can not be empty"));
        }
    }
    let (direction, (container, inside), local) = match (split(source), split(destination)) {
        (Some(_), Some(_)) => return fail("copying between containers is not supported"),
        (None, None) => return fail("must specify at least one container source"),
        (Some(from), None) => (Direction::FromContainer, from, destination),
        (None, Some(to)) => (Direction::ToContainer, to, source),
    };
    if inside.is_empty() {
        return fail(match direction {
            Direction::FromContainer => "Error response from daemon: bad parameter: pathcannot be empty",
            Direction::ToContainer => "no such directory",
        });
    }
    let name = named(container)?;
    let mut draft = context.call("cp")?;
    if direction == Direction::ToContainer {
        // Podman's default gives the files to the container's user. Docker does so with --archive, if the container has one.
        let archive = uses.switch("archive");
        let user = if archive || context.host.uid() != 0 { user(name, context) } else { None };
        // Without root a file of the caller's is that user's in the container only where the container runs as the caller.
        let callers = user.as_ref().is_some_and(|user| user.split(':').next() == Some(&context.host.uid().to_string()));
        draft.switch("archive", callers || (archive && user.is_some()));
    }
    let found = look::find(name, context).filter(|found| found.doing(context.host) == Some(Doing::Running));
    let root = found.and_then(|found| found.root(context.host));
    Ok(Plan::Sequence(vec![Act::Copy(Copy {
        call: draft.call(),
        direction,
        typed: container.into(),
        name: name.into(),
        inside: inside.into(),
        local: local.clone(),
        here: context.host.cwd().unwrap_or_else(|| PathBuf::from("/")),
        follow: uses.switch("follow-link"),
        root,
    })]))
}

/// docker/cli's `splitCpArg`: the container and the path in it; none for a local path.
fn split(arg: &OsStr) -> Option<(&OsStr, &OsStr)> {
    let bytes = arg.as_bytes();
    let at = bytes.iter().position(|b| *b == b':').filter(|at| *at > 0 && !bytes.starts_with(b"/") && !bytes.starts_with(b"."))?;
    Some((OsStr::from_bytes(&bytes[..at]), OsStr::from_bytes(&bytes[at + 1..])))
}

/// The user that a container runs as, where one was named.
fn user(name: &OsStr, context: &Context) -> Option<String> {
    let words = ["container", "inspect", "--format={{.Config.User}}", "--"].map(OsStr::new);
    let answer = context.ask(&words.into_iter().chain([name]).collect::<Vec<_>>());
    let user = String::from_utf8(answer?).ok()?;
    Some(user.trim().to_string()).filter(|user| !user.is_empty())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn only_a_name_before_a_colon_is_a_container() {
        let split = |arg| split(OsStr::new(arg)).map(|(c, p)| [c, p].map(OsString::from));
        assert_eq!(split("box:/x:y"), Some(["box".into(), "/x:y".into()]));
        assert_eq!(split("box:"), Some(["box".into(), "".into()]));
        assert_eq!([split("/a:b"), split("./a:b"), split(":b"), split("-"), split("file")], [None, None, None, None, None]);
    }
}
