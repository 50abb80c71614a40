//! Which user of this machine a user of a rootless container is. Podman's own mapping makes the container's root the caller, and all others
//! users of nobody's: what they write into a bind mount is not the caller's, and what is the caller's they cannot write. The other way round
//! is Docker's picture: in the container a file has the owner that it has outside, and the caller is the caller there too.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::plan::{Context, Draft};
use crate::settings::Users;

/// Gives the caller the same number in the container, where the settings say so or the container is to run as that number. It is spelled out:
/// `--userns=keep-id` would add the caller to the container's users, and run as the caller what runs as root.
pub fn give(draft: &mut Draft, image: Option<&str>, context: &Context) {
    let (host, uses) = (context.host, &context.invocation.uses);
    let own = host.uid();
    if own == 0 || context.engine.remote.is_some() || uses.given("userns") || shares(context) {
        return;
    }
    let user = uses.text("user").map(OsStr::to_string_lossy).filter(|user| !user.is_empty());
    let user = user.or_else(|| image.map(Into::into)).unwrap_or_default();
    let is_caller = user.split(':').next().and_then(|user| user.parse::<u32>().ok()) == Some(own);
    let wanted = match host.settings().users {
        Users::Podman => false,
        Users::Caller => true,
        Users::Auto => is_caller || is_agents(context),
    };
    let maps = [("uidmap", own, "/etc/subuid"), ("gidmap", host.gid(), "/etc/subgid")];
    let Some([uids, gids]) = wanted.then(|| maps.map(|(_, own, file)| map(own, subordinate(file, context)))) else { return };
    let (Some(uids), Some(gids)) = (uids, gids) else { return };
    for (flag, ranges) in [("uidmap", uids), ("gidmap", gids)] {
        ranges.iter().for_each(|range| _ = draft.flag(flag, range));
    }
}

/// Whether it joins a namespace of another container, which belongs to the users of that.
fn shares(context: &Context) -> bool {
    let others = ["network", "net", "pid", "ipc"];
    others.iter().any(|name| context.invocation.uses.all(name).any(|mode| mode.as_bytes().starts_with(b"container:")))
}

/// Azure Pipelines' job container: the agent makes it, and runs every step in it as its own user.
fn is_agents(context: &Context) -> bool {
    let target = |volume: &OsStr| volume.as_bytes().split(|b| *b == b':').nth(1).is_some_and(|target| target.starts_with(b"/__w"));
    context.invocation.command.name() == "create"
        && context.host.env("TF_BUILD").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        && context.invocation.uses.all("volume").any(target)
}

/// `CONTAINER:ABOVE:COUNT`, where above the caller is 0 and the subordinate numbers begin with 1. None where they do not reach so far.
fn map(own: u32, subordinate: u32) -> Option<Vec<String>> {
    if own == 0 || subordinate < own {
        return None;
    }
    let mut ranges = vec![format!("0:1:{own}"), format!("{own}:0:1")];
    if subordinate > own {
        ranges.push(format!("{}:{}:{}", own + 1, own + 1, subordinate - own));
    }
    Some(ranges)
}

/// How many numbers the caller may give away (`NAME:FIRST:COUNT`, or the number of the user in place of the name).
fn subordinate(file: &str, context: &Context) -> u32 {
    let own = context.host.uid().to_string();
    let read = |path: &str| context.host.read(Path::new(path)).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    let users = read("/etc/passwd");
    let name = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|user| user.get(2) == Some(&&*own)).map(|user| user[0]);
    let counts = read(file);
    let counts = counts.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let mine = Some(*fields.first()?) == name || fields[0] == own;
        fields.get(2).filter(|_| mine)?.trim().parse::<u32>().ok()
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn everybody_else_moves_up_by_one() {
        assert_eq!(super::map(1001, 65536).unwrap(), ["0:1:1001", "1001:0:1", "1002:1002:64535"]);
        assert_eq!(super::map(5, 5).unwrap(), ["0:1:5", "5:0:1"]);
        assert_eq!(super::map(1001, 1000), None);
    }
}
