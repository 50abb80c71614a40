//! `--workdir`: Docker makes the directory when it is missing; Podman makes only the one that an image names.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::plan::rules::mounts;
use crate::plan::rules::store::{Entry, Look, Store};
use crate::plan::{Context, Draft, Made, Step};

/// What has to be done about the working directory that the caller wants.
#[derive(Debug, Default)]
pub struct Workdir {
    /// The directory that may have to be made in the container before it starts; none where it is surely there, or lies in a bind mount,
    /// whose source it is then made in.
    pub make: Option<Made>,
    /// Where the image's links lead to, which Podman follows only since 5.8; none where there are none.
    pub resolved: Option<PathBuf>,
}

impl Workdir {
    /// Looks at `--workdir`. A directory of a bind mount's source is made by the draft.
    pub fn of(draft: &mut Draft, store: &Store, image: Option<&Entry>, named: Option<&str>, context: &Context) -> Workdir {
        let mut workdir = Workdir::default();
        let Some(given) = context.invocation.uses.text("workdir").filter(|w| !w.is_empty()) else { return workdir };
        let path = Path::new(given);
        if path == Path::new("/") || named.is_some_and(|named| Path::new(named) == path) {
            return workdir;
        }
        let mut look = Look { path: path.to_path_buf(), there: "/".into(), absent: false };
        let targets = targets(context);
        if !targets.iter().any(|(_, target)| path.starts_with(target)) {
            look = image.map_or(look, |image| store.look(image, path));
            workdir.resolved = Some(look.path.clone()).filter(|resolved| resolved != path);
            if look.there == look.path {
                return workdir;
            }
        }
        for (source, target) in targets {
            let Ok(below) = look.path.strip_prefix(&target) else { continue };
            if below == Path::new("") {
                // Podman looks no further where something is mounted.
                return workdir;
            }
            if let Some(source) = source.filter(|_| context.engine.remote.is_none()) {
                draft.prepare(Step::MakeDirs(source.join(below)));
                return workdir;
            }
        }
        workdir.make = Some(Made { path: look.path, there: look.there, absent: look.absent });
        workdir
    }
}

/// Where something is mounted, innermost first, and the directory of the host that a bind mount shows there.
fn targets(context: &Context) -> Vec<(Option<PathBuf>, PathBuf)> {
    let uses = &context.invocation.uses;
    let mut targets: Vec<(Option<PathBuf>, PathBuf)> = Vec::new();
    let absolute = |source: &OsStr| context.host.cwd().map_or_else(|| PathBuf::from(source), |cwd| cwd.join(source));
    for value in uses.all("volume") {
        let mut parts = value.as_bytes().split(|b| *b == b':').map(OsStr::from_bytes);
        match (parts.next(), parts.next()) {
            (Some(source), Some(target)) => {
                let is_path = source.as_bytes().first().is_some_and(|b| matches!(b, b'/' | b'.'));
                targets.push((is_path.then(|| absolute(source)), target.into()));
            }
            (Some(target), None) => targets.push((None, target.into())),
            _ => {}
        }
    }
    for value in uses.all("tmpfs") {
        let target = value.as_bytes().split(|b| *b == b':').next().unwrap_or_default();
        targets.push((None, OsStr::from_bytes(target).into()));
    }
    for value in uses.all("mount") {
        let fields = mounts::fields(&value.to_string_lossy());
        let of = |names: &[&str]| {
            let pairs = fields.iter().filter_map(|f| f.split_once('='));
            pairs.filter(|(key, _)| names.contains(&key.to_ascii_lowercase().as_str())).map(|(_, v)| v.to_string()).next_back()
        };
        let Some(target) = of(&["target", "dst", "destination"]) else { continue };
        let bind = of(&["type"]).is_some_and(|t| t.eq_ignore_ascii_case("bind"));
        let source = of(&["source", "src"]).filter(|_| bind).map(|s| absolute(OsStr::new(&s)));
        targets.push((source, target.into()));
    }
    targets.sort_by_key(|(_, target)| std::cmp::Reverse(target.components().count()));
    targets
}
